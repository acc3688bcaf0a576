/* Tokens: nothing that nobody has signed is ever verified; what we sign is
 * verified and read back, and no change of it is. */

#include "jwt.h"
#include "ezw_json.h"


#define HEADER_ED  "{\"alg\":\"EdDSA\"}"
#define CLAIMS_ED  "{\"sub\":\"a\"}"


static ezw_jwks_t           *set;
static ezw_jwt_key_t        *secret, *ed25519;
static const ezw_jwt_key_t  *keys[4];
static const char           *inputs[4];


/* The RFCs' keys, and what has been signed with them. */
static void
make_keys(void)
{
    char  *token;

    set = read_set(JWKS);
    secret = read_key(RFC_SECRET);
    ed25519 = read_ed25519();

    keys[0] = secret;
    keys[1] = find_key(set, "rsa");
    keys[2] = find_key(set, "ec");
    keys[3] = find_key(set, "ed");

    inputs[0] = RFC_HS256_INPUT;
    inputs[1] = RFC_RS256_INPUT;
    inputs[2] = RFC_ES256_INPUT;

    token = forge(ed25519, HEADER_ED, CLAIMS_ED);
    *strrchr(token, '.') = '\0';
    inputs[3] = token;
}


/* Whatever claims of it, a token of the input's bytes. */
static void
check_token(const uint8_t *data, size_t size)
{
    int         rc;
    arena_t     arena;
    unsigned    i;
    ezw_jwt_t   jwt;
    ezw_str_t   token;

    token = tight(data, size);
    arena_init(&arena, -1);

    rc = ezw_jwt_parse(&arena.alloc, &token, &jwt);
    CHECK(rc == EZW_OK || rc == EZW_INVALID);
    CHECK((rc == EZW_OK) == (jwt.claims != NULL));

    if (rc == EZW_OK) {
        CHECK(jwt.alg.len > 0 && jwt.signature.len > 0);
        CHECK(jwt.input.data == token.data && jwt.input.len < token.len);
        CHECK(memchr(jwt.input.data, '.', jwt.input.len) != NULL);
        CHECK(token.data[jwt.input.len] == '.');
        CHECK(json_is_object(jwt.claims));

        (void) ezw_jwt_claims(&jwt, "joe", "a", 1300819379, 60);
        (void) ezw_jwt_claims(&jwt, "joe", NULL, 1300819379, 0);

        for (i = 0; i < 4; i++) {
            rc = ezw_jwt_verify(&jwt, keys[i]);
            CHECK(rc == EZW_OK || rc == EZW_DECLINED);

            if (rc == EZW_OK) {
                CHECK(jwt.input.len == strlen(inputs[i]));
                CHECK(memcmp(jwt.input.data, inputs[i], jwt.input.len) == 0);
            }
        }
    }

    ezw_jwt_free(&jwt);
    arena_free(&arena);
    free(token.data);
}


/* A token of these claims, then with its byte `at` changed. */
static void
check_signed(const ezw_jwt_key_t *key, const json_t *claims, size_t at)
{
    int         rc;
    arena_t     arena;
    ezw_jwt_t   jwt;
    ezw_str_t   token;

    arena_init(&arena, -1);

    if (ezw_jwt_sign(&arena.alloc, key, claims, &token) == EZW_OK) {
        CHECK(token.len <= EZW_JWT_MAX && token.data[token.len] == '\0');
        CHECK(ezw_jwt_parse(&arena.alloc, &token, &jwt) == EZW_OK);
        CHECK(ezw_jwt_verify(&jwt, key) == EZW_OK);

        CHECK(json_equal(jwt.claims, claims));
        ezw_jwt_free(&jwt);

        token.data[at % token.len] ^= 1;
        rc = ezw_jwt_parse(&arena.alloc, &token, &jwt);

        if (rc == EZW_OK) {
            CHECK(ezw_jwt_verify(&jwt, key) == EZW_DECLINED);
        }

        ezw_jwt_free(&jwt);
    }

    arena_free(&arena);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t   at;
    json_t  *claims;

    if (keys[0] == NULL) {
        make_keys();
    }

    check_token(data, size);

    if (size > 2 && ezw_json_depth(data + 2, size - 2) <= 8) {
        at = (size_t) data[0] << 8 | data[1];
        claims = json_loadb((const char *) data + 2, size - 2,
                            JSON_REJECT_DUPLICATES, NULL);

        if (json_is_object(claims)) {
            check_signed(secret, claims, at);
            check_signed(ed25519, claims, at);
        }

        json_decref(claims);
    }

    CHECK(ERR_peek_error() == 0);

    return 0;
}

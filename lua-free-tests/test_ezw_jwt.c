/* ezw_jwt: RFC 7515's tokens, what is no token, what nobody has signed. */

#include "cm.h"
#include "jwt.h"
#include "ezw_jwt.h"


/* the four keys of the RFCs, made once */

static ezw_jwt_key_t        *secret, *ed25519;
static ezw_jwks_t           *set;
static const ezw_jwt_key_t  *rsa, *ec, *ed25519_public;


static int
make_keys(void **state)
{
    (void) state;

    secret = read_key(RFC_SECRET);
    ed25519 = read_ed25519();
    set = read_set(JWKS);
    rsa = find_key(set, "rsa");
    ec = find_key(set, "ec");
    ed25519_public = find_key(set, "ed");

    return rsa == NULL || ec == NULL || ed25519_public == NULL;
}


static int
free_keys(void **state)
{
    (void) state;

    ezw_jwt_key_free(secret);
    ezw_jwt_key_free(ed25519);
    ezw_jwks_free(set);

    return 0;
}


/* Parses a copy that ends where its allocation ends; the outcome only. */
static int
parse(const char *token, size_t len)
{
    int        rc;
    arena_t    arena;
    ezw_jwt_t  jwt;
    ezw_str_t  s;

    s = tight(token, len);
    arena_init(&arena, -1);

    rc = ezw_jwt_parse(&arena.alloc, &s, &jwt);

    if (rc == EZW_OK) {
        assert_non_null(jwt.claims);
        assert_true(jwt.alg.len > 0 && jwt.signature.len > 0);
        assert_ptr_equal(jwt.input.data, s.data);
        assert_true(jwt.input.len < s.len);
        assert_int_equal(s.data[jwt.input.len], '.');

    } else {
        assert_null(jwt.claims);
    }

    ezw_jwt_free(&jwt);
    arena_free(&arena);
    free(s.data);

    return rc;
}


/* EZW_INVALID: no token; otherwise what the key says of it. */
static int
verify_len(const char *token, size_t len, const ezw_jwt_key_t *key)
{
    int        rc;
    arena_t    arena;
    ezw_jwt_t  jwt;
    ezw_str_t  s;

    s = tight(token, len);
    arena_init(&arena, -1);

    rc = ezw_jwt_parse(&arena.alloc, &s, &jwt);

    if (rc == EZW_OK) {
        rc = ezw_jwt_verify(&jwt, key);
    }

    ezw_jwt_free(&jwt);
    arena_free(&arena);
    free(s.data);

    assert_int_equal(ERR_peek_error(), 0);

    return rc;
}


static int
verify(const char *token, const ezw_jwt_key_t *key)
{
    return verify_len(token, strlen(token), key);
}


/* Header and claims as they are, behind them a signature. */
static int
parse_parts(const char *header, const char *claims, const char *signature)
{
    int     rc;
    char   *token, *p;

    token = malloc(2 * (strlen(header) + strlen(claims) + strlen(signature))
                   + 16);
    p = token;
    p += ezw_base64url((unsigned char *) p, (const unsigned char *) header,
                       strlen(header));
    *p++ = '.';
    p += ezw_base64url((unsigned char *) p, (const unsigned char *) claims,
                       strlen(claims));
    *p++ = '.';
    strcpy(p, signature);

    rc = parse(token, strlen(token));
    free(token);

    return rc;
}

#define HS256   "{\"alg\":\"HS256\"}"
#define CLAIMS  "{\"sub\":\"a\"}"


static void
test_rfc_tokens(void **state)
{
    (void) state;

    assert_int_equal(verify(RFC_HS256, secret), EZW_OK);
    assert_int_equal(verify(RFC_RS256, rsa), EZW_OK);
    assert_int_equal(verify(RFC_ES256, ec), EZW_OK);

    /* each key knows its own only */

    assert_int_equal(verify(RFC_HS256, rsa), EZW_DECLINED);
    assert_int_equal(verify(RFC_HS256, ec), EZW_DECLINED);
    assert_int_equal(verify(RFC_HS256, ed25519), EZW_DECLINED);
    assert_int_equal(verify(RFC_RS256, secret), EZW_DECLINED);
    assert_int_equal(verify(RFC_RS256, ec), EZW_DECLINED);
    assert_int_equal(verify(RFC_RS256, ed25519), EZW_DECLINED);
    assert_int_equal(verify(RFC_ES256, secret), EZW_DECLINED);
    assert_int_equal(verify(RFC_ES256, rsa), EZW_DECLINED);
    assert_int_equal(verify(RFC_ES256, ed25519), EZW_DECLINED);
}


/* RFC 8037, A.4 and A.5 sign what is no JSON. */
static void
test_rfc_eddsa(void **state)
{
    size_t         len;
    ezw_str_t      input, signature;
    unsigned char  dst[EZW_JWT_SIGNATURE], expected[EZW_JWT_SIGNATURE + 3];

    (void) state;

    input = str(RFC_ED_INPUT);
    assert_int_equal(from_base64url(RFC_ED_SIGNATURE, expected), 64);

    assert_int_equal(ezw_jwt_key_sign(ed25519, &input, dst, &len), EZW_OK);
    assert_int_equal(len, 64);
    assert_memory_equal(dst, expected, 64);

    signature.data = expected;
    signature.len = 64;
    assert_int_equal(ezw_jwt_key_verify(ed25519, &input, &signature), EZW_OK);
    assert_int_equal(ezw_jwt_key_verify(ed25519_public, &input, &signature),
                     EZW_OK);

    expected[63] ^= 1;
    assert_int_equal(ezw_jwt_key_verify(ed25519_public, &input, &signature),
                     EZW_DECLINED);
    expected[63] ^= 1;

    input.len--;
    assert_int_equal(ezw_jwt_key_verify(ed25519_public, &input, &signature),
                     EZW_DECLINED);

    assert_int_equal(parse(RFC_ED_INPUT "." RFC_ED_SIGNATURE,
                           strlen(RFC_ED_INPUT "." RFC_ED_SIGNATURE)),
                     EZW_INVALID);
    assert_int_equal(ERR_peek_error(), 0);
}


static void
test_parse(void **state)
{
    char       *token;
    arena_t     arena;
    ezw_jwt_t   jwt;
    ezw_str_t   s;

    (void) state;

    arena_init(&arena, -1);

    s = str(RFC_HS256);
    assert_int_equal(ezw_jwt_parse(&arena.alloc, &s, &jwt), EZW_OK);
    assert_str(jwt.alg, "HS256");
    assert_int_equal(jwt.kid.len, 0);
    assert_str(jwt.iss, "joe");
    assert_str(jwt.input, RFC_HS256_INPUT);
    assert_int_equal(jwt.signature.len, 32);
    assert_int_equal(json_object_size(jwt.claims), 3);
    assert_int_equal(json_integer_value(json_object_get(jwt.claims, "exp")),
                     1300819380);
    ezw_jwt_free(&jwt);
    ezw_jwt_free(&jwt);

    /* what a header says of keys is not asked */

    token = forge(secret,
                  "{\"alg\":\"HS256\",\"kid\":\"k\\u0031\",\"typ\":1,"
                  "\"jku\":\"https://a.example\",\"jwk\":{\"kty\":\"oct\"},"
                  "\"x5u\":\"https://a.example\",\"x5c\":[]}",
                  "{\"iss\":[\"joe\"]}");
    s = str(token);
    assert_int_equal(ezw_jwt_parse(&arena.alloc, &s, &jwt), EZW_OK);
    assert_str(jwt.kid, "k1");
    assert_int_equal(jwt.iss.len, 0);
    assert_int_equal(ezw_jwt_verify(&jwt, secret), EZW_OK);
    ezw_jwt_free(&jwt);
    free(token);

    arena_free(&arena);
}


static void
test_parse_refuses(void **state)
{
    size_t  i;

    static const char  *tokens[] = {
        "",
        ".",
        "..",
        "...",
        "a",
        RFC_HS256_INPUT,
        RFC_HS256_INPUT ".",
        "." RFC_CLAIMS "." RFC_HS256_SIGNATURE,
        "eyJhbGciOiJIUzI1NiJ9.." RFC_HS256_SIGNATURE,
        RFC_HS256 ".",
        RFC_HS256 "." RFC_HS256_SIGNATURE,
        "." RFC_HS256,
        /* white space, padding, the other alphabet */
        " " RFC_HS256,
        RFC_HS256 "\n",
        RFC_HS256 "=",
        RFC_HS256_INPUT "=." RFC_HS256_SIGNATURE,
        RFC_HS256_INPUT "==." RFC_HS256_SIGNATURE,
        RFC_HS256_INPUT ".dBjftJeZ4CVP+mB92K27uhbUJU1p1r/wW1gFWFOEjXk",
        /* the last letter's bits that no byte takes */
        RFC_HS256_INPUT ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl",
        RFC_HS256_INPUT ".A",
        "eyJhbGciOiJIUzI1NiJ8." RFC_CLAIMS "." RFC_HS256_SIGNATURE,
    };

    static const char  *headers[] = {
        "",
        "{}",
        "[]",
        "null",
        "\"HS256\"",
        "{\"alg\":\"HS256\"",
        "{\"alg\":\"HS256\"}}",
        "{\"alg\":\"HS256\"} x",
        "\xef\xbb\xbf{\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}",
        "{\"alg\":\"HS256\",\"x\":{\"y\":1,\"y\":2}}",
        "{\"alg\":\"\"}",
        "{\"alg\":null}",
        "{\"alg\":1}",
        "{\"alg\":[\"HS256\"]}",
        "{\"alg\":\"HS256\\u0000\"}",
        "{\"alg\":\"HS256\xff\"}",
        "{\"ALG\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"kid\":1}",
        "{\"alg\":\"HS256\",\"kid\":null}",
        "{\"alg\":\"HS256\",\"kid\":[\"a\"]}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"crit\":null}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"HS256\",\"b64\":true}",
        "{\"alg\":\"HS256\",\"b64\":false}",
        "{\"alg\":\"HS256\",\"x\":[[[[[[[[]]]]]]]]}",
        "{\"alg\":\"HS256\",\"x\":1e999}",
        "{alg:\"HS256\"}",
        "{'alg':'HS256'}"
    };

    static const char  *claims[] = {
        "",
        "[]",
        "null",
        "\"a\"",
        "1",
        "{\"sub\":\"a\"",
        "{\"sub\":\"a\"}{}",
        "{\"sub\":\"a\",}",
        "{\"sub\":\"a\",\"sub\":\"a\"}",
        "{\"sub\":\"a\",\"role\":\"agent\",\"role\":\"owner\"}",
        "{\"sub\":\"a\",\"r\\u006fle\":\"agent\",\"role\":\"owner\"}",
        "{\"sub\":\"a\\u0000b\"}",
        "{\"sub\":\"\xc0\xaf\"}",
        "{\"sub\":\"a\",\"exp\":99999999999999999999}",
        "{\"sub\":\"a\",\"exp\":-99999999999999999999}",
        "{\"sub\":\"a\",\"exp\":1e400}",
        "{\"sub\":\"a\",\"exp\":NaN}",
        "{\"sub\":\"a\",\"exp\":Infinity}",
        "{\"sub\":\"a\",\"exp\":0x10}",
        "{\"sub\":\"a\",\"exp\":012}",
        "{\"x\":[[[[[[[[]]]]]]]]}"
    };

    (void) state;

    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        if (parse(tokens[i], strlen(tokens[i])) != EZW_INVALID) {
            fail_msg("taken: %s", tokens[i]);
        }
    }

    assert_int_equal(parse_parts(HS256, CLAIMS, "AAAA"), EZW_OK);

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (parse_parts(headers[i], CLAIMS, "AAAA") != EZW_INVALID) {
            fail_msg("taken: %s", headers[i]);
        }
    }

    for (i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        if (parse_parts(HS256, claims[i], "AAAA") != EZW_INVALID) {
            fail_msg("taken: %s", claims[i]);
        }
    }

    /* a NUL byte within, as a C string would not show it */

    assert_int_equal(parse("eyJ0\0eXAi", 9), EZW_INVALID);
    assert_int_equal(parse(RFC_HS256 "\0", sizeof(RFC_HS256)), EZW_INVALID);

    /* seven deep and the object: eight */

    assert_int_equal(parse_parts("{\"alg\":\"HS256\",\"x\":[[[[[[[]]]]]]]}",
                                 "{\"x\":[[[[[[[]]]]]]]}", "AAAA"),
                     EZW_OK);
}


/* Up to EZW_JWT_MAX bytes, whoever made it. */
static void
test_size(void **state)
{
    char       *token;
    size_t      n, signature;
    json_t     *claims;
    arena_t     arena;
    ezw_str_t   signed_token;

    (void) state;

    /* a last part of any length will do for the limit */

    token = malloc(EZW_JWT_MAX + 2);
    memset(token, 'A', EZW_JWT_MAX + 2);
    strcpy(token, "eyJhbGciOiJIUzI1NiJ9.e30.");
    token[strlen(token)] = 'A';

    signature = EZW_JWT_MAX - strlen("eyJhbGciOiJIUzI1NiJ9.e30.");
    assert_true(signature % 4 != 1);
    assert_int_equal(parse(token, EZW_JWT_MAX), EZW_OK);
    assert_int_equal(parse(token, EZW_JWT_MAX + 1), EZW_INVALID);
    assert_int_equal(parse(token, EZW_JWT_MAX + 2), EZW_INVALID);
    free(token);

    /* what is signed is taken back; the claims grow until nothing is */

    for (n = 5900; ; n++) {
        token = malloc(n + 1);
        memset(token, 'a', n);
        token[n] = '\0';

        claims = json_pack("{s:s}", "sub", token);
        free(token);

        arena_init(&arena, -1);

        if (ezw_jwt_sign(&arena.alloc, ed25519, claims, &signed_token)
            != EZW_OK)
        {
            arena_free(&arena);
            json_decref(claims);
            break;
        }

        assert_true(signed_token.len <= EZW_JWT_MAX);
        assert_int_equal(verify_len((char *) signed_token.data,
                                    signed_token.len, ed25519_public),
                         EZW_OK);

        signature = signed_token.len;
        arena_free(&arena);
        json_decref(claims);
    }

    /* another letter would have been one or two more of base64 */
    assert_true(n > 5900 && signature >= EZW_JWT_MAX - 1);
}


/* "none" in every spelling, signed or not, and whatever else is not the key's
 * own name. */
static void
test_none(void **state)
{
    char    *token, header[64];
    size_t   i;

    static const char  *names[] = {
        "none", "None", "NONE", "nOnE", "none ", " none", "null",
        "HS256 ", "hs256", "Hs256", "HS25", "HS2566", "HS384", "HS512",
        "SHA256", "RS256", "ES256", "EdDSA", "eddsa", "EDDSA", "Ed25519",
        "PS256", "A256GCM", "dir"
    };

    (void) state;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);

        token = forge(secret, header, CLAIMS);
        assert_int_equal(verify(token, secret), EZW_DECLINED);
        assert_int_equal(verify(token, rsa), EZW_DECLINED);
        assert_int_equal(verify(token, ec), EZW_DECLINED);
        assert_int_equal(verify(token, ed25519_public), EZW_DECLINED);

        *strrchr(token, '.') = '\0';
        assert_int_equal(verify(token, secret), EZW_INVALID);
        strcat(token, ".");
        assert_int_equal(verify(token, secret), EZW_INVALID);
        strcat(token, "AA");
        assert_int_equal(verify(token, secret), EZW_DECLINED);
        free(token);

        if (strcmp(names[i], "EdDSA") != 0) {
            token = forge(ed25519, header, CLAIMS);
            assert_int_equal(verify(token, ed25519_public), EZW_DECLINED);
            free(token);
        }
    }

    token = forge(secret, HS256, CLAIMS);
    assert_int_equal(verify(token, secret), EZW_OK);
    free(token);

    token = forge(ed25519, "{\"alg\":\"EdDSA\"}", CLAIMS);
    assert_int_equal(verify(token, ed25519_public), EZW_OK);
    free(token);
}


/* What is public is no secret: signed with HMAC under each of the texts that
 * a public key may have. */
static void
confuse(const unsigned char *public, size_t len, const ezw_jwt_key_t *key)
{
    char           *text, *token, header[64];
    size_t          i;
    ezw_jwt_key_t  *hmac;

    const char  *names[] = { "HS256", ezw_jwt_alg_name(key->alg) };

    text = calloc(1, 2 * len + 1);
    ezw_hex((unsigned char *) text, public, len);
    hmac = read_key(text);
    free(text);

    for (i = 0; i < 2; i++) {
        snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);

        token = forge(hmac, header, CLAIMS);
        assert_int_equal(verify(token, hmac), i == 0 ? EZW_OK : EZW_DECLINED);
        assert_int_equal(verify(token, key), EZW_DECLINED);
        free(token);
    }

    ezw_jwt_key_free(hmac);
}


static void
test_confusion(void **state)
{
    int                   len;
    char                 *pem;
    size_t                i;
    unsigned char         raw[32], *der;

    const ezw_jwt_key_t  *keys[] = { rsa, ec, ed25519_public };

    (void) state;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        der = NULL;
        len = i2d_PUBKEY(keys[i]->pkey, &der);
        assert_true(len > 0);
        confuse(der, (size_t) len, keys[i]);
        OPENSSL_free(der);

        EVP_PKEY_up_ref(keys[i]->pkey);
        pem = write_pem(keys[i]->pkey, 1, NULL);
        confuse((unsigned char *) pem, strlen(pem), keys[i]);
        confuse((unsigned char *) pem, strlen(pem) - 1, keys[i]);
        free(pem);
    }

    assert_int_equal(from_base64url(RFC_ED_PUBLIC, raw), 32);
    confuse(raw, 32, ed25519_public);
    confuse(raw, 32, ed25519);
}


/* Whatever one changes in, takes from or adds to a token, nobody has signed
 * it. */
static void
alter(const char *token, const ezw_jwt_key_t *key)
{
    char    *copy;
    size_t   i, len;

    len = strlen(token);
    assert_int_equal(verify(token, key), EZW_OK);

    for (i = 0; i < len; i++) {
        assert_int_not_equal(verify_len(token, i, key), EZW_OK);
    }

    copy = calloc(1, len + 6);

    for (i = 0; i < len; i++) {
        memcpy(copy, token, len + 1);
        copy[i] = (copy[i] == 'A') ? 'B' : 'A';
        assert_int_not_equal(verify(copy, key), EZW_OK);

        memmove(copy + i, copy + i + 1, len - i);
        assert_int_not_equal(verify(copy, key), EZW_OK);
    }

    for (i = 1; i <= 4; i++) {
        strcpy(copy, token);
        memset(copy + len, 'A', i);
        copy[len + i] = '\0';
        assert_int_not_equal(verify(copy, key), EZW_OK);
    }

    free(copy);
}


static void
test_altered(void **state)
{
    char  *token;

    (void) state;

    alter(RFC_HS256, secret);
    alter(RFC_ES256, ec);
    alter(RFC_RS256, rsa);

    token = forge(ed25519, "{\"alg\":\"EdDSA\"}", CLAIMS);
    alter(token, ed25519_public);
    free(token);
}


/* A signature of any bytes under an input, whatever its length. */
static int
verify_bytes(const char *input, const unsigned char *p, size_t len,
    const ezw_jwt_key_t *key)
{
    int     rc;
    char   *token, *end;

    token = calloc(1, strlen(input) + 2 * len + 8);
    strcpy(token, input);
    strcat(token, ".");
    end = token + strlen(token);
    end += ezw_base64url((unsigned char *) end, p, len);
    *end = '\0';

    rc = verify(token, key);
    free(token);

    return rc;
}


/* r and s: in DER, zero, the group's order, more than it, the other way
 * round. */
static void
test_ecdsa(void **state)
{
    unsigned        i;
    unsigned char  *der, *p, good[67], bad[64];

    BIGNUM         *r, *s;
    ECDSA_SIG      *sig;

    static const unsigned char  order[32] = {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
        0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51
    };

    (void) state;

    assert_int_equal(from_base64url(RFC_ES256_SIGNATURE, good), 64);
    assert_int_equal(verify_bytes(RFC_ES256_INPUT, good, 64, ec), EZW_OK);

    for (i = 0; i < 9; i++) {
        memcpy(bad, good, 64);

        switch (i) {
        case 0:
            memset(bad, 0, 32);
            break;
        case 1:
            memset(bad + 32, 0, 32);
            break;
        case 2:
            memset(bad, 0, 64);
            break;
        case 3:
            memcpy(bad, order, 32);
            break;
        case 4:
            memcpy(bad + 32, order, 32);
            break;
        case 5:
            memcpy(bad, order, 32);
            memcpy(bad + 32, order, 32);
            break;
        case 6:
            memset(bad, 0xff, 64);
            break;
        case 7:
            memcpy(bad, good + 32, 32);
            memcpy(bad + 32, good, 32);
            break;
        case 8:
            memset(bad, 0, 64);
            bad[31] = 1;
            bad[63] = 1;
            break;
        }

        assert_int_equal(verify_bytes(RFC_ES256_INPUT, bad, 64, ec),
                         EZW_DECLINED);
    }

    /* DER of the same r and s, which OpenSSL would take */

    sig = ECDSA_SIG_new();
    r = BN_bin2bn(good, 32, NULL);
    s = BN_bin2bn(good + 32, 32, NULL);
    assert_int_equal(ECDSA_SIG_set0(sig, r, s), 1);

    p = NULL;
    i = (unsigned) i2d_ECDSA_SIG(sig, &p);
    der = p;
    assert_true(i >= 64);
    assert_int_equal(verify_bytes(RFC_ES256_INPUT, der, i, ec), EZW_DECLINED);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);

    /* one byte less or more, as numbers the same */

    assert_int_equal(verify_bytes(RFC_ES256_INPUT, good, 63, ec),
                     EZW_DECLINED);
    memmove(good + 1, good, 64);
    good[0] = 0;
    assert_int_equal(verify_bytes(RFC_ES256_INPUT, good, 65, ec),
                     EZW_DECLINED);
}


/* Numbers that are shorter than their place, and those whose first bit would
 * be a sign in DER: signatures of a new key until there was one of each. */
static void
test_ecdsa_numbers(void **state)
{
    size_t          len;
    unsigned        i, seen;
    unsigned char   der[80], raw[64];

    const BIGNUM   *r, *s;
    ECDSA_SIG      *sig;
    EVP_MD_CTX     *ctx;
    ezw_jwt_key_t  *key;

    const unsigned char  *p;

    (void) state;

    key = ezw_jwt_key_make(EZW_JWT_ES256,
                           generate(EVP_PKEY_EC, NID_X9_62_prime256v1), "k");

    for (i = 0, seen = 0; i < 20000 && seen != 7; i++) {
        ctx = EVP_MD_CTX_new();
        len = sizeof(der);
        assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
                                            key->pkey), 1);
        assert_int_equal(EVP_DigestSign(ctx, der, &len,
                                        (unsigned char *) RFC_ES256_INPUT,
                                        strlen(RFC_ES256_INPUT)), 1);
        EVP_MD_CTX_free(ctx);

        p = der;
        sig = d2i_ECDSA_SIG(NULL, &p, (long) len);
        ECDSA_SIG_get0(sig, &r, &s);
        assert_int_equal(BN_bn2binpad(r, raw, 32), 32);
        assert_int_equal(BN_bn2binpad(s, raw + 32, 32), 32);
        ECDSA_SIG_free(sig);

        if (raw[0] == 0 && raw[1] < 0x80) {
            len = 1;

        } else if (raw[32] == 0 && raw[33] < 0x80) {
            len = 2;

        } else if (raw[0] >= 0x80 && raw[32] >= 0x80) {
            len = 4;

        } else {
            continue;
        }

        seen |= (unsigned) len;
        assert_int_equal(verify_bytes(RFC_ES256_INPUT, raw, 64, key), EZW_OK);
        raw[63] ^= 1;
        assert_int_equal(verify_bytes(RFC_ES256_INPUT, raw, 64, key),
                         EZW_DECLINED);
    }

    assert_int_equal(seen, 7);
    ezw_jwt_key_free(key);
}


/* Signatures of every length but the right one, of zeros. */
static void
test_lengths(void **state)
{
    size_t         len;
    unsigned char  zeros[600];

    (void) state;

    memset(zeros, 0, sizeof(zeros));

    for (len = 1; len <= 600; len += (len < 70) ? 1 : 53) {
        assert_int_equal(verify_bytes(RFC_HS256_INPUT, zeros, len, secret),
                         EZW_DECLINED);
        assert_int_equal(verify_bytes(RFC_ES256_INPUT, zeros, len, ec),
                         EZW_DECLINED);
        assert_int_equal(verify_bytes(RFC_RS256_INPUT, zeros, len, rsa),
                         EZW_DECLINED);
        assert_int_equal(verify_bytes("eyJhbGciOiJFZERTQSJ9.e30", zeros, len,
                                      ed25519_public),
                         EZW_DECLINED);
    }

    assert_int_equal(verify_bytes(RFC_RS256_INPUT, zeros, 256, rsa),
                     EZW_DECLINED);

    /* RSA of 1 is 1 whatever the key */

    zeros[255] = 1;
    assert_int_equal(verify_bytes(RFC_RS256_INPUT, zeros, 256, rsa),
                     EZW_DECLINED);
}


/* The header's texts, and that what is signed is verified and read back. */
static void
sign(const ezw_jwt_key_t *key, const char *header)
{
    char       *end;
    json_t     *claims;
    arena_t     arena;
    ezw_str_t   token, part;
    ezw_jwt_t   jwt;

    unsigned char  text[256];

    arena_init(&arena, -1);

    claims = json_pack("{s:s, s:s, s:I, s:[s]}", "iss", "https://a.example",
                       "sub", "\xe2\x82\xac\"", "exp",
                       (json_int_t) 1300819380, "aud", "b");

    assert_int_equal(ezw_jwt_sign(&arena.alloc, key, claims, &token), EZW_OK);
    assert_int_equal(token.data[token.len], '\0');
    assert_int_equal(strlen((char *) token.data), token.len);

    end = strchr((char *) token.data, '.');
    part.data = token.data;
    part.len = end - (char *) token.data;
    assert_int_equal(ezw_base64url_parse(&part, text, &part.len), EZW_OK);
    part.data = text;
    assert_str(part, header);

    assert_int_equal(ezw_jwt_parse(&arena.alloc, &token, &jwt), EZW_OK);
    assert_str(jwt.alg, ezw_jwt_alg_name(ezw_jwt_key_alg(key)));
    assert_str(jwt.kid, ezw_jwt_key_kid(key));
    assert_str(jwt.iss, "https://a.example");
    assert_true(json_equal(jwt.claims, claims));
    assert_int_equal(ezw_jwt_verify(&jwt, key), EZW_OK);
    assert_int_equal(ezw_jwt_claims(&jwt, "https://a.example", "b",
                                    1300819379, 0),
                     EZW_JWT_VALID);
    ezw_jwt_free(&jwt);

    json_decref(claims);
    arena_free(&arena);
}


static void
test_sign(void **state)
{
    json_t     *claims;
    arena_t     arena;
    ezw_str_t   token;

    (void) state;

    sign(secret, "{\"alg\":\"HS256\",\"kid\":\"" RFC_SECRET_KID "\","
                 "\"typ\":\"JWT\"}");
    sign(ed25519, "{\"alg\":\"EdDSA\",\"kid\":\"" RFC_ED_KID "\","
                  "\"typ\":\"JWT\"}");

    /* keys that verify; claims that are none */

    arena_init(&arena, -1);
    claims = json_object();
    assert_int_equal(ezw_jwt_sign(&arena.alloc, rsa, claims, &token),
                     EZW_ERROR);
    assert_int_equal(ezw_jwt_sign(&arena.alloc, ec, claims, &token),
                     EZW_ERROR);
    assert_int_equal(ezw_jwt_sign(&arena.alloc, ed25519_public, claims,
                                  &token),
                     EZW_ERROR);
    assert_int_equal(ezw_jwt_sign(&arena.alloc, secret, NULL, &token),
                     EZW_ERROR);
    json_decref(claims);

    claims = json_array();
    assert_int_equal(ezw_jwt_sign(&arena.alloc, secret, claims, &token),
                     EZW_ERROR);
    json_decref(claims);
    arena_free(&arena);

    assert_int_equal(ERR_peek_error(), 0);
}


/* Memory that runs out at each allocation, ours and jansson's (whose reader
 * takes a string that it has no room for, for a bad one). */

static long  json_left = -1;


static void *
json_alloc(size_t size)
{
    if (json_left == 0) {
        return NULL;
    }

    if (json_left > 0) {
        json_left--;
    }

    return malloc(size);
}


static void
test_memory(void **state)
{
    int         rc;
    long        left;
    json_t     *claims;
    arena_t     arena;
    unsigned    errors;
    ezw_jwt_t   jwt;
    ezw_str_t   s, token;

    (void) state;

    errors = 0;
    s = str(RFC_HS256);

    for (left = 0; ; left++) {
        arena_init(&arena, left);
        rc = ezw_jwt_parse(&arena.alloc, &s, &jwt);
        arena_free(&arena);

        if (rc == EZW_OK) {
            ezw_jwt_free(&jwt);
            break;
        }

        assert_int_equal(rc, EZW_ERROR);
        assert_null(jwt.claims);
    }

    assert_true(left >= 3);

    json_set_alloc_funcs(json_alloc, free);

    for (left = 0; ; left++) {
        json_left = left;
        arena_init(&arena, -1);
        rc = ezw_jwt_parse(&arena.alloc, &s, &jwt);
        json_left = -1;
        ezw_jwt_free(&jwt);
        arena_free(&arena);

        if (rc == EZW_OK) {
            break;
        }

        assert_true(rc == EZW_ERROR || rc == EZW_INVALID);
        errors += (rc == EZW_ERROR);
    }

    json_set_alloc_funcs(malloc, free);
    assert_true(left >= 10 && errors >= 5);

    claims = json_pack("{s:s}", "sub", "a");

    for (left = 0; ; left++) {
        arena_init(&arena, left);
        rc = ezw_jwt_sign(&arena.alloc, secret, claims, &token);
        arena_free(&arena);

        if (rc == EZW_OK) {
            break;
        }

        assert_int_equal(rc, EZW_ERROR);
    }

    assert_true(left >= 1);
    json_decref(claims);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_rfc_tokens),
        cmocka_unit_test(test_rfc_eddsa),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_altered),
        cmocka_unit_test(test_ecdsa),
        cmocka_unit_test(test_ecdsa_numbers),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_sign),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}

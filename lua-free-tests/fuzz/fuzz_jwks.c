/* Key sets: whatever is kept can be used, has the kid that it was given, and
 * verifies nothing that it has not signed. */

#include "jwt.h"


/* A token of the algorithm that nobody has signed. */
static void
check_key(const ezw_jwt_key_t *key)
{
    size_t          i;
    ezw_str_t       input, signature;
    unsigned char   bytes[1024];

    static const size_t  sizes[] = { 32, 64, 256, 1024 };

    CHECK(key->alg == EZW_JWT_RS256 || key->alg == EZW_JWT_ES256
          || key->alg == EZW_JWT_EDDSA);
    CHECK(!key->signs);

    memset(bytes, 0x5a, sizeof(bytes));
    input = str("eyJhbGciOiJub25lIn0.e30");
    signature.data = bytes;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        signature.len = sizes[i];
        CHECK(ezw_jwt_key_verify(key, &input, &signature) == EZW_DECLINED);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                   rc;
    json_t               *root, *jwks;
    size_t                i;
    ezw_str_t             text, kid;
    ezw_jwks_t           *set;
    const char           *name;
    ezw_invalid_t         why;
    const ezw_jwt_key_t  *key;

    text = tight(data, size);
    memset(&why, 0, sizeof(why));
    rc = ezw_jwks_parse(text.data, text.len, &set, &why);

    if (rc != EZW_OK) {
        CHECK(rc == EZW_INVALID && set == NULL && why.text[0] != '\0');

    } else {
        root = json_loadb((char *) text.data, text.len,
                          JSON_REJECT_DUPLICATES, NULL);
        jwks = json_object_get(root, "keys");
        CHECK(json_is_array(jwks));

        for (i = 0; i < json_array_size(jwks); i++) {
            name = json_string_value(json_object_get(json_array_get(jwks, i),
                                                     "kid"));

            if (name != NULL) {
                kid = str(name);
                key = ezw_jwks_find(set, &kid);

                if (key != NULL) {
                    CHECK(strcmp(ezw_jwt_key_kid(key), name) == 0);
                    check_key(key);
                }
            }
        }

        json_decref(root);
        ezw_jwks_free(set);
    }

    free(text.data);
    CHECK(ERR_peek_error() == 0);

    return 0;
}

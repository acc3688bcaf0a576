/* ezw_jwks: the keys of a set that are kept, and all that are left out. */

#include "cm.h"
#include "jwt.h"
#include "ezw_jwt.h"


static int
parse(const char *text, size_t len, ezw_jwks_t **set, ezw_invalid_t *why)
{
    int        rc;
    ezw_str_t  s;

    memset(why, 0, sizeof(ezw_invalid_t));

    s = tight(text, len);
    rc = ezw_jwks_parse(s.data, s.len, set, why);
    free(s.data);

    assert_int_equal(ERR_peek_error(), 0);

    return rc;
}


/* 1 when a set of that one key has a key of that kid. */
static int
is_kept(const char *jwk, const char *kid)
{
    int             kept;
    char           *text;
    ezw_jwks_t     *set;
    ezw_invalid_t   why;

    text = malloc(strlen(jwk) + 32);
    sprintf(text, "{\"keys\":[%s]}", jwk);

    assert_int_equal(parse(text, strlen(text), &set, &why), EZW_OK);
    kept = (find_key(set, kid) != NULL);
    ezw_jwks_free(set);
    free(text);

    return kept;
}


static void
test_keys(void **state)
{
    ezw_jwks_t           *set;
    const ezw_jwt_key_t  *key;

    (void) state;

    set = read_set(JWKS);

    key = find_key(set, "rsa");
    assert_int_equal(ezw_jwt_key_alg(key), EZW_JWT_RS256);
    assert_string_equal(ezw_jwt_key_kid(key), "rsa");
    assert_int_equal(EVP_PKEY_bits(key->pkey), 2048);

    key = find_key(set, "ec");
    assert_int_equal(ezw_jwt_key_alg(key), EZW_JWT_ES256);
    assert_string_equal(ezw_jwt_key_kid(key), "ec");

    key = find_key(set, "ed");
    assert_int_equal(ezw_jwt_key_alg(key), EZW_JWT_EDDSA);
    assert_string_equal(ezw_jwt_key_kid(key), "ed");

    assert_null(find_key(set, ""));
    assert_null(find_key(set, "e"));
    assert_null(find_key(set, "edd"));
    assert_null(find_key(set, "ED"));

    ezw_jwks_free(set);
    ezw_jwks_free(NULL);
}


/* The set that a known provider publishes, with all that stands around. */
static void
test_members(void **state)
{
    (void) state;

    assert_true(is_kept("{\"alg\":\"RS256\",\"e\":\"AQAB\",\"kid\":\"a=\","
                        "\"kty\":\"RSA\",\"n\":\"" RFC_N "\","
                        "\"use\":\"sig\",\"x5c\":[\"MII\"],\"x5t\":\"x\"}",
                        "a="));
    assert_true(is_kept("{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"Ed25519\","
                        "\"alg\":\"EdDSA\",\"key_ops\":[\"sign\",\"verify\"],"
                        "\"x\":\"" RFC_ED_PUBLIC "\"}", "a"));
    assert_true(is_kept("{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-256\","
                        "\"alg\":\"ES256\",\"ext\":true,\"x\":\"" RFC_X "\","
                        "\"y\":\"" RFC_Y "\"}", "a"));

    /* the sign's byte of DER before the modulus */

    assert_true(is_kept("{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AAEAAQ\","
                        "\"n\":\""
                        "AKH4Fgri48m0Zc6NLWViYzYrkn2-KeHwJHf8FiXMkKE244vZ"
                        "NJfFtupj3XcR5nx0KflWsPuKjwia3EtpiTzBMz9T7dAZuHeE"
                        "JS_skU_khXdpWUvqQoDTLA9Vv2KUTxMDlrxum99uvdK9o2eO"
                        "7KDGaPcBs42_-zjINCzi_m0n-t5KWkh0l53Uuc-a3sTHWwWF"
                        "LCwPXvilwXUDkvlE6O1kwRDGtkdgmqR4OuucbJrXVTEwUGOL"
                        "g2Zcb296gqOWcCofZBuC0-vyOSIZSR-2hocsVxb1Cvg1jZqL"
                        "nRfDQHKPf4fYmhjY_KtnrYRZDC7PdZM5NjwHA01vYG-eIeBU"
                        "Vsrl6aE\"}",
                        "a"));
}


#define RSA(n, e)    "{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"" n              \
                     "\",\"e\":\"" e "\"}"
#define EC(x, y)     "{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-256\",\"x\":" \
                     "\"" x "\",\"y\":\"" y "\"}"
#define OKP(x)       "{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"Ed25519\","    \
                     "\"x\":\"" x "\"}"
#define ED(members)  "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"," members          \
                     ",\"x\":\"" RFC_ED_PUBLIC "\"}"

#define ZEROS43      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* 1024 bits of the same modulus, odd at the end */
#define SHORT_N                                                               \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw"    \
    "-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b3269"    \
    "0r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63ks"


static void
test_left_out(void **state)
{
    size_t  i;

    static const char  *keys[] = {
        "1", "null", "\"a\"", "[]", "{}", "{\"kid\":\"a\"}",

        /* other types, uses, algorithms */
        "{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"" RFC_SECRET "\"}",
        "{\"kty\":\"oct\",\"kid\":\"a\",\"alg\":\"HS256\",\"k\":\""
            RFC_SECRET "\"}",
        "{\"kty\":\"okp\",\"kid\":\"a\",\"crv\":\"Ed25519\",\"x\":\""
            RFC_ED_PUBLIC "\"}",
        "{\"kty\":[\"OKP\"],\"kid\":\"a\",\"crv\":\"Ed25519\",\"x\":\""
            RFC_ED_PUBLIC "\"}",
        ED("\"kid\":\"a\",\"use\":\"enc\""),
        ED("\"kid\":\"a\",\"use\":1"),
        ED("\"kid\":\"a\",\"alg\":\"RS256\""),
        ED("\"kid\":\"a\",\"alg\":\"HS256\""),
        ED("\"kid\":\"a\",\"alg\":\"none\""),
        ED("\"kid\":\"a\",\"alg\":null"),
        ED("\"kid\":\"a\",\"key_ops\":[\"sign\"]"),
        ED("\"kid\":\"a\",\"key_ops\":[]"),
        ED("\"kid\":\"a\",\"key_ops\":[1]"),
        ED("\"kid\":\"a\",\"key_ops\":\"verify\""),
        "{\"kty\":\"RSA\",\"kid\":\"a\",\"alg\":\"RS512\",\"n\":\"" RFC_N
            "\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"a\",\"alg\":\"RSA-OAEP\",\"n\":\"" RFC_N
            "\",\"e\":\"AQAB\"}",

        /* private keys */
        ED("\"kid\":\"a\",\"d\":\"" RFC_ED_PRIVATE "\""),

        /* no kid */
        ED("\"use\":\"sig\""),
        ED("\"kid\":\"\""),
        ED("\"kid\":1"),
        ED("\"kid\":[\"a\"]"),

        /* other curves, other points */
        "{\"kty\":\"OKP\",\"kid\":\"a\",\"x\":\"" RFC_ED_PUBLIC "\"}",
        "{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"X25519\",\"x\":\""
            RFC_ED_PUBLIC "\"}",
        "{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"Ed448\",\"x\":\""
            RFC_ED_PUBLIC "\"}",
        "{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"Ed25519\"}",
        OKP(""), OKP("AA"), OKP(RFC_ED_PUBLIC "A"), OKP(RFC_ED_PUBLIC "="),
        OKP("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR"),
        OKP("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
        "{\"kty\":\"OKP\",\"kid\":\"a\",\"crv\":\"Ed25519\",\"x\":1}",
        "{\"kty\":\"EC\",\"kid\":\"a\",\"x\":\"" RFC_X "\",\"y\":\"" RFC_Y
            "\"}",
        "{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-384\",\"x\":\"" RFC_X
            "\",\"y\":\"" RFC_Y "\"}",
        "{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"secp256k1\",\"x\":\"" RFC_X
            "\",\"y\":\"" RFC_Y "\"}",
        "{\"kty\":\"EC\",\"kid\":\"a\",\"crv\":\"P-256\",\"x\":\"" RFC_X
            "\"}",
        EC(RFC_X, RFC_X), EC(RFC_Y, RFC_X), EC(ZEROS43, ZEROS43),
        EC(RFC_X, ZEROS43), EC(RFC_X, ""), EC(RFC_X, "AA"),
        EC("__________________________________________8", RFC_Y),

        /* moduli that are short, even, none; exponents that are no lock */
        RSA("", "AQAB"), RSA("AQ", "AQAB"), RSA(SHORT_N, "AQAB"),
        RSA(RFC_N "A", "AQAB"), RSA(RFC_N "=", "AQAB"),
        RSA("A" RFC_N, "AQAB"),
        RSA("AAAA" SHORT_N, "AQAB"),
        RSA(RFC_N, ""), RSA(RFC_N, "AA"), RSA(RFC_N, "AQ"),
        RSA(RFC_N, "AAAAAQ"), RSA(RFC_N, "AQAC"), RSA(RFC_N, "Ag"),
        RSA(RFC_N, "AQAAAAAAAAAB"), RSA(RFC_N, "AQAB="),
        "{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"" RFC_N "\"}",
        "{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":1,\"e\":65537}"
    };

    (void) state;

    /* what these are changes of is kept */

    assert_true(is_kept(RSA(RFC_N, "AQAB"), "a"));
    assert_true(is_kept(EC(RFC_X, RFC_Y), "a"));
    assert_true(is_kept(OKP(RFC_ED_PUBLIC), "a"));
    assert_true(is_kept(ED("\"kid\":\"a\""), "a"));

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (is_kept(keys[i], "a")) {
            fail_msg("kept: %s", keys[i]);
        }
    }
}


/* A bad one does not take the others with it; of two the first counts. */
static void
test_mixed(void **state)
{
    ezw_jwks_t     *set;
    ezw_invalid_t   why;

    static const char  text[] =
        "{\"other\":1,\"keys\":[null,{\"kty\":\"new\"},"
        EC(RFC_X, RFC_X) "," RSA(RFC_N, "AQAB") "," OKP(RFC_ED_PUBLIC) ","
        JWK_ED "]}";

    (void) state;

    assert_int_equal(parse(text, strlen(text), &set, &why), EZW_OK);
    assert_int_equal(ezw_jwt_key_alg(find_key(set, "a")), EZW_JWT_RS256);
    assert_int_equal(ezw_jwt_key_alg(find_key(set, "ed")), EZW_JWT_EDDSA);
    ezw_jwks_free(set);
}


static void
test_limits(void **state)
{
    char           *text, *p, kid[160];
    size_t          len;
    unsigned        i;
    ezw_jwks_t     *set;
    ezw_invalid_t   why;
    unsigned char   n[1025];

    (void) state;

    text = malloc(300000);

    /* 64 keys */

    p = text + sprintf(text, "{\"keys\":[");

    for (i = 0; i < 70; i++) {
        p += sprintf(p, "%s{\"kty\":\"OKP\",\"kid\":\"%u\",\"crv\":"
                     "\"Ed25519\",\"x\":\"" RFC_ED_PUBLIC "\"}",
                     i ? "," : "", i);
    }

    strcpy(p, "]}");
    assert_int_equal(parse(text, strlen(text), &set, &why), EZW_OK);

    for (i = 0; i < 70; i++) {
        sprintf(kid, "%u", i);
        assert_int_equal(find_key(set, kid) != NULL, i < 64);
    }

    ezw_jwks_free(set);

    /* a kid of 128 bytes */

    memset(kid, 'k', sizeof(kid));
    kid[EZW_JWT_KID] = '\0';
    sprintf(text, ED("\"kid\":\"%s\""), kid);
    assert_true(is_kept(text, kid));

    kid[EZW_JWT_KID] = 'k';
    kid[EZW_JWT_KID + 1] = '\0';
    sprintf(text, ED("\"kid\":\"%s\""), kid);
    assert_false(is_kept(text, kid));

    /* 8192 bits, and 8 more */

    for (i = 0; i < 2; i++) {
        memset(n, 0xff, sizeof(n));
        p = text + sprintf(text, "{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":"
                           "\"AQAB\",\"n\":\"");
        p += ezw_base64url((unsigned char *) p, n, 1024 + i);
        strcpy(p, "\"}");
        assert_int_equal(is_kept(text, "a"), i == 0);
    }

    /* 2048 bits, and 2047 */

    for (i = 0; i < 2; i++) {
        memset(n, 0xff, 256);
        n[0] = (unsigned char) (0x80 >> i);
        p = text + sprintf(text, "{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":"
                           "\"AQAB\",\"n\":\"");
        p += ezw_base64url((unsigned char *) p, n, 256);
        strcpy(p, "\"}");
        assert_int_equal(is_kept(text, "a"), i == 0);
    }

    /* 256 KB */

    len = 262144;
    memset(text, ' ', len + 1);
    memcpy(text, JWKS, strlen(JWKS));
    assert_int_equal(parse(text, len, &set, &why), EZW_OK);
    assert_non_null(find_key(set, "ed"));
    ezw_jwks_free(set);
    assert_int_equal(parse(text, len + 1, &set, &why), EZW_INVALID);
    assert_null(set);
    assert_string_equal(why.text, "the key set has more than 262144 bytes");

    free(text);
}


static void
test_no_set(void **state)
{
    size_t          i;
    ezw_jwks_t     *set;
    ezw_invalid_t   why;

    static const struct {
        const char  *text;
        const char  *reason;
    } cases[] = {
        { "", "the key set is no JSON object" },
        { "<html>", "the key set is no JSON object" },
        { "[]", "the key set is no JSON object" },
        { "null", "the key set is no JSON object" },
        { "{\"keys\":[]", "the key set is no JSON object" },
        { "{\"keys\":[],\"keys\":[]}", "the key set is no JSON object" },
        { "{\"keys\":[{\"kid\":1,\"kid\":2}]}",
          "the key set is no JSON object" },
        { "{\"keys\":[[[[[[[[]]]]]]]]}", "the key set is no JSON object" },
        { "{}", "the key set has no array \"keys\"" },
        { JWK_ED, "the key set has no array \"keys\"" },
        { "{\"keys\":{}}", "the key set has no array \"keys\"" },
        { "{\"keys\":null}", "the key set has no array \"keys\"" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &set,
                               &why),
                         EZW_INVALID);
        assert_string_equal(why.text, cases[i].reason);
        assert_null(set);
    }

    assert_int_equal(parse("{\"keys\":[]}", 11, &set, &why), EZW_OK);
    assert_null(find_key(set, ""));
    ezw_jwks_free(set);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

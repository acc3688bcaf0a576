/* ezw_jwt_key_read: the files that operators have, and those that they
 * confuse with them. */

#include "cm.h"
#include "jwt.h"
#include "ezw_jwt.h"
#include "ezw_secret.h"


/* The outcome, and the refusal's text; the key is freed. */
static int
read_text(const char *text, size_t len, ezw_jwt_alg_e *alg, char *kid,
    ezw_invalid_t *why)
{
    int             rc;
    ezw_str_t       s;
    ezw_jwt_key_t  *key;

    memset(why, 0, sizeof(ezw_invalid_t));
    *alg = 0;
    *kid = '\0';

    s = tight(text, len);
    rc = ezw_jwt_key_read(s.data, s.len, &key, why);
    free(s.data);

    if (rc == EZW_OK) {
        *alg = ezw_jwt_key_alg(key);
        strcpy(kid, ezw_jwt_key_kid(key));

    } else {
        assert_null(key);
    }

    ezw_jwt_key_free(key);
    assert_int_equal(ERR_peek_error(), 0);

    return rc;
}


static void
assert_taken(const char *text, ezw_jwt_alg_e expected, const char *expected_kid)
{
    char            kid[EZW_JWT_KID + 1];
    ezw_invalid_t   why;
    ezw_jwt_alg_e   alg;

    assert_int_equal(read_text(text, strlen(text), &alg, kid, &why), EZW_OK);
    assert_int_equal(alg, expected);
    assert_string_equal(kid, expected_kid);
}


static void
assert_refused(const char *text, const char *reason)
{
    char            kid[EZW_JWT_KID + 1];
    ezw_invalid_t   why;
    ezw_jwt_alg_e   alg;

    assert_int_equal(read_text(text, strlen(text), &alg, kid, &why),
                     EZW_INVALID);
    assert_string_equal(why.text, reason);
    assert_int_equal(why.code, 1004);
}


#define NO_KEY  "neither a PEM private key nor one line of hex or base64"


static void
test_secret(void **state)
{
    char           text[4 * EZW_SECRET], *p;
    size_t         len;
    unsigned char  bytes[80];

    (void) state;

    len = from_base64url(RFC_SECRET, bytes);

    assert_taken(RFC_SECRET, EZW_JWT_HS256, RFC_SECRET_KID);
    assert_taken(RFC_SECRET "\n", EZW_JWT_HS256, RFC_SECRET_KID);
    assert_taken("\n \t" RFC_SECRET " \r\n\n", EZW_JWT_HS256, RFC_SECRET_KID);

    memset(text, 0, sizeof(text));
    ezw_hex((unsigned char *) text, bytes, len);
    assert_taken(text, EZW_JWT_HS256, RFC_SECRET_KID);

    memset(text, 0, sizeof(text));
    ezw_base64((unsigned char *) text, bytes, len);
    assert_non_null(strchr(text, '='));
    assert_taken(text, EZW_JWT_HS256, RFC_SECRET_KID);

    /* 32 bytes are enough, 31 are not */

    memset(text, 0, sizeof(text));
    ezw_base64url((unsigned char *) text, bytes, 32);
    assert_int_equal(strlen(text), 43);
    assert_taken(text, EZW_JWT_HS256, "102ccdd1cc83d27a");

    memset(text, 0, sizeof(text));
    ezw_base64url((unsigned char *) text, bytes, 31);
    assert_refused(text, "a secret of 31 bytes: at least 32 are needed");

    memset(text, 0, sizeof(text));
    ezw_hex((unsigned char *) text, bytes, 31);
    assert_refused(text, "a secret of 31 bytes: at least 32 are needed");

    /* words, and a key in two lines */

    assert_refused("changeme", "a secret of 6 bytes: at least 32 are needed");
    assert_refused("a password, in words", NO_KEY);

    memset(text, 0, sizeof(text));
    p = text;
    p += ezw_base64((unsigned char *) p, bytes, 48);
    *p++ = '\n';
    ezw_base64((unsigned char *) p, bytes, 48);
    assert_refused(text, NO_KEY);

    memset(text, 0, sizeof(text));
    memset(text, 'a', 2 * EZW_SECRET + 2);
    assert_refused(text, NO_KEY);
}


static void
test_nothing(void **state)
{
    char            kid[EZW_JWT_KID + 1], *text;
    ezw_invalid_t   why;
    ezw_jwt_alg_e   alg;

    (void) state;

    assert_refused("", "no key in it");
    assert_refused(" \r\n", "no key in it");

    text = malloc(16386);
    memset(text, 'A', 16386);
    text[16385] = '\0';
    assert_refused(text, "more than 16384 bytes");
    free(text);

    assert_int_equal(read_text("\0", 1, &alg, kid, &why), EZW_INVALID);
    assert_int_equal(read_text(RFC_SECRET "\0", sizeof(RFC_SECRET), &alg, kid,
                               &why),
                     EZW_INVALID);

    ezw_jwt_key_free(NULL);
}


static void
test_pem(void **state)
{
    char  *text, *twice;

    (void) state;

    text = write_pem(make_ed25519(), 0, NULL);
    assert_taken(text, EZW_JWT_EDDSA, RFC_ED_KID);

    /* what people write around it */

    twice = calloc(1, 2 * strlen(text) + 32);
    sprintf(twice, "\n# of July\n%s\n\n", text);
    assert_taken(twice, EZW_JWT_EDDSA, RFC_ED_KID);

    sprintf(twice, "%s%s", text, text);
    assert_refused(twice, "more than one PEM block");

    /* cut and altered */

    strcpy(twice, text);
    *strstr(twice, "-----END") = '\0';
    assert_refused(twice, "no private key in PEM");

    strcpy(twice, text);
    strchr(twice, '\n')[3] ^= 1;
    assert_refused(twice, "no private key in PEM");

    free(twice);
    free(text);

    text = write_pem(make_ed25519(), 1, NULL);
    assert_refused(text, "no private key in PEM");
    free(text);

    text = write_pem(make_ed25519(), 0, "passphrase");
    assert_refused(text, "the private key has a passphrase");
    free(text);

    text = write_pem(generate(EVP_PKEY_X25519, 0), 0, NULL);
    assert_refused(text, "the private key is not one of Ed25519");
    free(text);

    text = write_pem(generate(EVP_PKEY_ED448, 0), 0, NULL);
    assert_refused(text, "the private key is not one of Ed25519");
    free(text);

    text = write_pem(generate(EVP_PKEY_EC, NID_X9_62_prime256v1), 0, NULL);
    assert_refused(text, "the private key is not one of Ed25519");
    free(text);

    assert_refused("-----BEGIN", "no private key in PEM");
    assert_refused("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
                   "no private key in PEM");
    assert_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n"
                   "-----END PRIVATE KEY-----\n", "no private key in PEM");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_pem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

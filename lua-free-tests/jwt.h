/*
 * Published tokens and keys, and a way to make others, for what is about
 * tokens.  Every key here is one of an RFC.
 */

#ifndef EZW_TEST_JWT_H
#define EZW_TEST_JWT_H

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "support.h"
#include "ezw_id.h"
#include "ezw_jwt_key.h"


/* RFC 7515, A.1 to A.3 sign the same claims */

#define RFC_CLAIMS                                                            \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"    \
    "LmNvbS9pc19yb290Ijp0cnVlfQ"

#define RFC_HS256_INPUT  "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_CLAIMS
#define RFC_RS256_INPUT  "eyJhbGciOiJSUzI1NiJ9." RFC_CLAIMS
#define RFC_ES256_INPUT  "eyJhbGciOiJFUzI1NiJ9." RFC_CLAIMS

#define RFC_HS256_SIGNATURE  "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

#define RFC_RS256_SIGNATURE                                                   \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuH"    \
    "Im4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdi"    \
    "uB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN"    \
    "9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2"    \
    "w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77"    \
    "Rw"

#define RFC_ES256_SIGNATURE                                                   \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQ"    \
    "xfKTUJqPP3-Kg6NU1Q"

#define RFC_HS256  RFC_HS256_INPUT "." RFC_HS256_SIGNATURE
#define RFC_RS256  RFC_RS256_INPUT "." RFC_RS256_SIGNATURE
#define RFC_ES256  RFC_ES256_INPUT "." RFC_ES256_SIGNATURE

/* its secret, 64 bytes */

#define RFC_SECRET                                                            \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4h"    \
    "cgUuTwjAzZr1Z9CAow"

#define RFC_N                                                                 \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw"    \
    "-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690"   \
    "r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-U"   \
    "To7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyx"   \
    "XFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

#define RFC_X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define RFC_Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

/* RFC 8037, A.1, A.2, A.4 */

#define RFC_ED_PRIVATE  "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define RFC_ED_PUBLIC   "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define RFC_ED_INPUT                                                          \
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define RFC_ED_SIGNATURE                                                      \
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsP"    \
    "t9g7sVvpAr_MuM0KAg"

/* the first of SHA-256, by another program */

#define RFC_SECRET_KID  "c8ecc9361a05e285"
#define RFC_ED_KID      "21fe31dfa154a261"

#define JWK_RSA  "{\"kty\":\"RSA\",\"kid\":\"rsa\",\"n\":\"" RFC_N            \
                 "\",\"e\":\"AQAB\"}"
#define JWK_EC   "{\"kty\":\"EC\",\"kid\":\"ec\",\"crv\":\"P-256\",\"x\":\""  \
                 RFC_X "\",\"y\":\"" RFC_Y "\"}"
#define JWK_ED   "{\"kty\":\"OKP\",\"kid\":\"ed\",\"crv\":\"Ed25519\","       \
                 "\"x\":\"" RFC_ED_PUBLIC "\"}"

#define JWKS     "{\"keys\":[" JWK_RSA "," JWK_EC "," JWK_ED "]}"


/* Decodes what is known to be base64url. */
static UNUSED size_t
from_base64url(const char *text, unsigned char *dst)
{
    size_t     len;
    ezw_str_t  s;

    s = str(text);
    CHECK(ezw_base64url_parse(&s, dst, &len) == EZW_OK);

    return len;
}


/* A key of a file that is known to be good. */
static UNUSED ezw_jwt_key_t *
read_key(const char *text)
{
    ezw_invalid_t   why;
    ezw_jwt_key_t  *key;

    CHECK(ezw_jwt_key_read((const unsigned char *) text, strlen(text), &key,
                           &why)
          == EZW_OK);

    return key;
}


/* The PEM text of an OpenSSL key, which is freed; with a passphrase if there
 * is one.  To be freed. */
static UNUSED char *
write_pem(EVP_PKEY *pkey, int public, const char *passphrase)
{
    BIO   *bio;
    char  *data, *text;
    long   len;

    bio = BIO_new(BIO_s_mem());
    CHECK(bio != NULL && pkey != NULL);

    if (public) {
        CHECK(PEM_write_bio_PUBKEY(bio, pkey) == 1);

    } else {
        CHECK(PEM_write_bio_PKCS8PrivateKey(bio, pkey,
                                            passphrase ? EVP_aes_128_cbc()
                                                       : NULL,
                                            NULL, 0, NULL,
                                            (void *) passphrase)
              == 1);
    }

    len = BIO_get_mem_data(bio, &data);
    text = calloc(1, (size_t) len + 1);
    CHECK(text != NULL);
    memcpy(text, data, (size_t) len);

    BIO_free(bio);
    EVP_PKEY_free(pkey);

    return text;
}


/* RFC 8037's key for OpenSSL. */
static UNUSED EVP_PKEY *
make_ed25519(void)
{
    unsigned char  private[64];

    CHECK(from_base64url(RFC_ED_PRIVATE, private) == 32);

    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private, 32);
}


/* A generated key; the type's parameters are the curve's. */
static UNUSED EVP_PKEY *
generate(int type, int curve)
{
    EVP_PKEY      *pkey;
    EVP_PKEY_CTX  *ctx;

    pkey = NULL;
    ctx = EVP_PKEY_CTX_new_id(type, NULL);

    CHECK(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1);
    CHECK(curve == 0
          || EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, curve) == 1);
    CHECK(EVP_PKEY_keygen(ctx, &pkey) == 1);
    EVP_PKEY_CTX_free(ctx);

    return pkey;
}


/* The same as a key of a file. */
static UNUSED ezw_jwt_key_t *
read_ed25519(void)
{
    char           *text;
    ezw_jwt_key_t  *key;

    text = write_pem(make_ed25519(), 0, NULL);
    key = read_key(text);
    free(text);

    return key;
}


static UNUSED ezw_jwks_t *
read_set(const char *text)
{
    ezw_jwks_t     *set;
    ezw_invalid_t   why;

    CHECK(ezw_jwks_parse((const unsigned char *) text, strlen(text), &set,
                         &why)
          == EZW_OK);

    return set;
}


static UNUSED const ezw_jwt_key_t *
find_key(const ezw_jwks_t *set, const char *kid)
{
    ezw_str_t  s;

    s = str(kid);

    return ezw_jwks_find(set, &s);
}


/* A token of any header and any claims, rightly signed; to be freed. */
static UNUSED char *
forge(const ezw_jwt_key_t *key, const char *header, const char *claims)
{
    char           *token, *p;
    size_t          len;
    ezw_str_t       input;
    unsigned char   signature[EZW_JWT_SIGNATURE];

    token = malloc(2 * (strlen(header) + strlen(claims)) + 256);
    CHECK(token != NULL);

    p = token;
    p += ezw_base64url((unsigned char *) p, (const unsigned char *) header,
                       strlen(header));
    *p++ = '.';
    p += ezw_base64url((unsigned char *) p, (const unsigned char *) claims,
                       strlen(claims));

    input.data = (unsigned char *) token;
    input.len = p - token;

    CHECK(ezw_jwt_key_sign(key, &input, signature, &len) == EZW_OK);

    *p++ = '.';
    p += ezw_base64url((unsigned char *) p, signature, len);
    *p = '\0';

    return token;
}

#endif

/*
 * Keys of tokens: read from a file, kept, used.  A key knows its algorithm and
 * does nothing but that, so that no token can choose another (RFC 8725, 3.1).
 * OpenSSL's error queue is left as empty as nginx wants it.
 */

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "ezw_der.h"
#include "ezw_id.h"
#include "ezw_jwt_key.h"
#include "ezw_secret.h"


#define INTERNAL    1004

#define FILE_MAX    16384
#define SECRET_MIN  32        /* RFC 7518, 3.2 */
#define KID_BYTES   8

#define PEM_BEGIN   "-----BEGIN"

#define ES256_HALF  32
#define SEQUENCE    0x30


static int read_pem(const ezw_str_t *text, ezw_jwt_key_t **key,
    ezw_invalid_t *why);
static int read_secret(const ezw_str_t *text, ezw_jwt_key_t **key,
    ezw_invalid_t *why);
static const unsigned char *find_text(const ezw_str_t *s, const char *text);
static int no_passphrase(char *buf, int size, int writing, void *asked);
static int make_kid(const unsigned char *p, size_t len, char *kid);
static EVP_MD_CTX *make_hmac(EVP_PKEY *pkey);
static int mac(const ezw_jwt_key_t *key, const ezw_str_t *input,
    unsigned char *dst, size_t *len);


/* A key of a file's text, the caller's to free; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
int
ezw_jwt_key_read(const unsigned char *text, size_t len, ezw_jwt_key_t **key,
    ezw_invalid_t *why)
{
    int        rc;
    ezw_str_t  s;

    *key = NULL;

    if (len > FILE_MAX) {
        return ezw_invalid(why, INTERNAL, "", "more than %d bytes", FILE_MAX);
    }

    s.data = (unsigned char *) text;
    s.len = len;

    ezw_secret_trim(&s);

    if (s.len == 0) {
        return ezw_invalid(why, INTERNAL, "", "no key in it");
    }

    if (find_text(&s, PEM_BEGIN) != NULL) {
        rc = read_pem(&s, key, why);

    } else {
        rc = read_secret(&s, key, why);
    }

    /* a decoder may leave errors of what it tried first */
    ERR_clear_error();

    return rc;
}


/* Frees a key, which may be NULL. */
void
ezw_jwt_key_free(ezw_jwt_key_t *key)
{
    if (key == NULL) {
        return;
    }

    EVP_MD_CTX_free(key->hmac);
    EVP_PKEY_free(key->pkey);
    free(key);
}


/* The key's id, ended by NUL, as long as the key lives. */
const char *
ezw_jwt_key_kid(const ezw_jwt_key_t *key)
{
    return key->kid;
}


/* The key's only algorithm. */
ezw_jwt_alg_e
ezw_jwt_key_alg(const ezw_jwt_key_t *key)
{
    return key->alg;
}


/* The algorithm's name in a header (RFC 7518, 3.1; RFC 8037, 3.1). */
const char *
ezw_jwt_alg_name(ezw_jwt_alg_e alg)
{
    static const char *const  names[] = {
        "", "HS256", "EdDSA", "RS256", "ES256"
    };

    return names[alg];
}


/* A new key that owns pkey; NULL: no memory, pkey is freed. */
ezw_jwt_key_t *
ezw_jwt_key_make(ezw_jwt_alg_e alg, EVP_PKEY *pkey, const char *kid)
{
    ezw_jwt_key_t  *key;

    key = (pkey != NULL) ? calloc(1, sizeof(ezw_jwt_key_t)) : NULL;

    if (key == NULL) {
        EVP_PKEY_free(pkey);
        ERR_clear_error();
        return NULL;
    }

    key->alg = alg;
    key->pkey = pkey;
    strcpy(key->kid, kid);

    if (alg == EZW_JWT_HS256) {
        key->hmac = make_hmac(pkey);

        if (key->hmac == NULL) {
            ezw_jwt_key_free(key);
            ERR_clear_error();
            return NULL;
        }
    }

    return key;
}


/* EZW_OK, EZW_DECLINED or EZW_ERROR. */
int
ezw_jwt_key_verify(const ezw_jwt_key_t *key, const ezw_str_t *input,
    const ezw_str_t *signature)
{
    int                   rc;
    size_t                len;
    ezw_der_t             der;
    EVP_MD_CTX           *ctx;
    unsigned char         expected[EZW_JWT_SIGNATURE];
    const unsigned char  *p;

    p = signature->data;
    len = signature->len;

    switch (key->alg) {

    case EZW_JWT_HS256:
        rc = mac(key, input, expected, &len);

        if (rc != EZW_OK) {
            return rc;
        }

        return ezw_equal_secret(expected, len, p, signature->len)
               ? EZW_OK : EZW_DECLINED;

    case EZW_JWT_ES256:
        /* r and s side by side (RFC 7518, 3.4); OpenSSL wants them in DER */

        if (len != 2 * ES256_HALF) {
            return EZW_DECLINED;
        }

        ezw_der_init(&der);
        ezw_der_integer(&der, p + ES256_HALF, ES256_HALF);
        ezw_der_integer(&der, p, ES256_HALF);
        ezw_der_wrap(&der, SEQUENCE, 0);

        p = der.pos;
        len = ezw_der_len(&der);
        break;

    default:
        break;
    }

    ctx = EVP_MD_CTX_new();

    if (ctx == NULL
        || EVP_DigestVerifyInit(ctx, NULL,
                                key->alg == EZW_JWT_EDDSA ? NULL
                                                          : EVP_sha256(),
                                NULL, key->pkey)
           != 1)
    {
        rc = EZW_ERROR;

    } else if (EVP_DigestVerify(ctx, p, len, input->data, input->len) != 1) {
        rc = EZW_DECLINED;

    } else {
        rc = EZW_OK;
    }

    EVP_MD_CTX_free(ctx);

    if (rc != EZW_OK) {
        ERR_clear_error();
    }

    return rc;
}


/* EZW_OK, or EZW_ERROR also for a key that only verifies. */
int
ezw_jwt_key_sign(const ezw_jwt_key_t *key, const ezw_str_t *input,
    unsigned char *dst, size_t *len)
{
    int          rc;
    EVP_MD_CTX  *ctx;

    if (!key->signs) {
        return EZW_ERROR;
    }

    if (key->alg == EZW_JWT_HS256) {
        return mac(key, input, dst, len);
    }

    ctx = EVP_MD_CTX_new();
    *len = EZW_JWT_SIGNATURE;

    if (ctx != NULL
        && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1
        && EVP_DigestSign(ctx, dst, len, input->data, input->len) == 1)
    {
        rc = EZW_OK;

    } else {
        ERR_clear_error();
        rc = EZW_ERROR;
    }

    EVP_MD_CTX_free(ctx);

    return rc;
}


/* A PEM private key of Ed25519; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
read_pem(const ezw_str_t *text, ezw_jwt_key_t **key, ezw_invalid_t *why)
{
    int                   asked;
    BIO                  *bio;
    char                  kid[2 * KID_BYTES + 1];
    size_t                len;
    EVP_PKEY             *pkey;
    ezw_str_t             rest;
    unsigned char         public[32];
    const unsigned char  *p;

    p = find_text(text, PEM_BEGIN) + 1;
    rest.data = (unsigned char *) p;
    rest.len = text->data + text->len - p;

    if (find_text(&rest, PEM_BEGIN) != NULL) {
        /* the one that would be left out is the one that was meant */
        return ezw_invalid(why, INTERNAL, "", "more than one PEM block");
    }

    bio = BIO_new_mem_buf(text->data, (int) text->len);

    if (bio == NULL) {
        return EZW_ERROR;
    }

    asked = 0;
    pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);

    if (pkey == NULL) {
        return ezw_invalid(why, INTERNAL, "",
                           asked ? "the private key has a passphrase"
                                 : "no private key in PEM");
    }

    if (EVP_PKEY_base_id(pkey) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pkey);
        return ezw_invalid(why, INTERNAL, "",
                           "the private key is not one of Ed25519");
    }

    len = sizeof(public);

    if (EVP_PKEY_get_raw_public_key(pkey, public, &len) != 1
        || make_kid(public, len, kid) != EZW_OK)
    {
        EVP_PKEY_free(pkey);
        return EZW_ERROR;
    }

    *key = ezw_jwt_key_make(EZW_JWT_EDDSA, pkey, kid);

    if (*key == NULL) {
        return EZW_ERROR;
    }

    (*key)->signs = 1;

    return EZW_OK;
}


/* A secret for HS256; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
read_secret(const ezw_str_t *text, ezw_jwt_key_t **key, ezw_invalid_t *why)
{
    int             rc;
    char            kid[2 * KID_BYTES + 1];
    size_t          len;
    EVP_PKEY       *pkey;
    unsigned char   secret[EZW_SECRET];

    if (ezw_secret_parse(text, secret, &len) != EZW_OK) {
        rc = ezw_invalid(why, INTERNAL, "",
                         "neither a PEM private key nor one line of hex or "
                         "base64");
        goto done;
    }

    if (len < SECRET_MIN) {
        rc = ezw_invalid(why, INTERNAL, "",
                         "a secret of %u bytes: at least %d are needed",
                         (unsigned) len, SECRET_MIN);
        goto done;
    }

    rc = EZW_ERROR;

    if (make_kid(secret, len, kid) == EZW_OK) {
        pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, secret, len);
        *key = ezw_jwt_key_make(EZW_JWT_HS256, pkey, kid);

        if (*key != NULL) {
            (*key)->signs = 1;
            rc = EZW_OK;
        }
    }

done:

    OPENSSL_cleanse(secret, sizeof(secret));

    return rc;
}


/* The first place of a text in s, NULL: none. */
static const unsigned char *
find_text(const ezw_str_t *s, const char *text)
{
    size_t                len;
    const unsigned char  *p, *end;

    len = strlen(text);
    end = s->data + s->len;

    for (p = s->data; (size_t) (end - p) >= len; p++) {
        if (memcmp(p, text, len) == 0) {
            return p;
        }
    }

    return NULL;
}


/* Without this OpenSSL would ask at the terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *asked)
{
    (void) buf;
    (void) size;
    (void) writing;

    *(int *) asked = 1;

    return -1;
}


/* The kid of a public key or a secret; EZW_OK or EZW_ERROR. */
static int
make_kid(const unsigned char *p, size_t len, char *kid)
{
    unsigned char  digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(p, len, digest, NULL, EVP_sha256(), NULL) != 1) {
        return EZW_ERROR;
    }

    ezw_hex((unsigned char *) kid, digest, KID_BYTES);
    kid[2 * KID_BYTES] = '\0';

    return EZW_OK;
}


/* HMAC-SHA-256 that has been given its key; NULL: no memory. */
static EVP_MD_CTX *
make_hmac(EVP_PKEY *pkey)
{
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();

    if (ctx != NULL
        && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1)
    {
        EVP_MD_CTX_free(ctx);
        return NULL;
    }

    return ctx;
}


/* HMAC-SHA-256 of the input; EZW_OK or EZW_ERROR. */
static int
mac(const ezw_jwt_key_t *key, const ezw_str_t *input, unsigned char *dst,
    size_t *len)
{
    int          rc;
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();
    *len = EZW_JWT_SIGNATURE;

    if (ctx != NULL
        && EVP_MD_CTX_copy_ex(ctx, key->hmac) == 1
        && EVP_DigestSignUpdate(ctx, input->data, input->len) == 1
        && EVP_DigestSignFinal(ctx, dst, len) == 1)
    {
        rc = EZW_OK;

    } else {
        ERR_clear_error();
        rc = EZW_ERROR;
    }

    EVP_MD_CTX_free(ctx);

    return rc;
}

/*
 * Sealing: AES-256-GCM (NIST SP 800-38D) in a frame that names the key.  What
 * was not sealed by us, for that context, is not opened, and nothing of it
 * gets out.
 */

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "ezw_seal.h"
#include "ezw_secret.h"


#define INTERNAL  1004

#define VERSION   1
#define ID        8
#define KEY       32
#define NONCE     12
#define TAG       16
#define HEAD      (1 + ID + NONCE)


static int read_line(ezw_seal_ring_t *ring, const ezw_str_t *text,
    unsigned line, ezw_invalid_t *why);
static int find_key(const ezw_seal_ring_t *ring, const unsigned char *id);
static EVP_CIPHER_CTX *start(const unsigned char *key,
    const unsigned char *nonce, const ezw_str_t *context, int seals);


/* The ring of a file's text; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_seal_ring_read(const unsigned char *text, size_t len,
    ezw_seal_ring_t *ring, ezw_invalid_t *why)
{
    int                   rc;
    unsigned              line;
    ezw_str_t             s;
    const unsigned char  *p, *end, *hash;

    ring->n = 0;
    rc = EZW_OK;
    line = 0;

    while (len > 0 && rc == EZW_OK) {
        line++;

        p = memchr(text, '\n', len);
        end = (p != NULL) ? p : text + len;

        hash = memchr(text, '#', end - text);

        s.data = (unsigned char *) text;
        s.len = (hash != NULL ? hash : end) - text;

        ezw_secret_trim(&s);

        if (s.len > 0) {
            rc = read_line(ring, &s, line, why);
        }

        if (p != NULL) {
            end++;
        }

        len -= end - text;
        text = end;
    }

    if (rc == EZW_OK && ring->n == 0) {
        rc = ezw_invalid(why, INTERNAL, "", "no key in it");
    }

    if (rc != EZW_OK) {
        OPENSSL_cleanse(ring, sizeof(ezw_seal_ring_t));
    }

    return rc;
}


/* Seals with the first key; EZW_OK or EZW_ERROR. */
int
ezw_seal(const ezw_seal_ring_t *ring, const ezw_str_t *context,
    const unsigned char nonce[12], const unsigned char *p, size_t len,
    unsigned char *dst)
{
    int              rc, n;
    EVP_CIPHER_CTX  *ctx;

    if (ring->n == 0 || len > INT_MAX) {
        return EZW_ERROR;
    }

    dst[0] = VERSION;
    memcpy(dst + 1, ring->keys[0].id, ID);
    memcpy(dst + 1 + ID, nonce, NONCE);
    dst += HEAD;

    ctx = start(ring->keys[0].key, nonce, context, 1);

    if (ctx != NULL
        && (len == 0 || EVP_EncryptUpdate(ctx, dst, &n, p, (int) len) == 1)
        && EVP_EncryptFinal_ex(ctx, dst + len, &n) == 1
        && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, dst + len)
           == 1)
    {
        rc = EZW_OK;

    } else {
        ERR_clear_error();
        rc = EZW_ERROR;
    }

    EVP_CIPHER_CTX_free(ctx);

    return rc;
}


/* Opens with whatever key has sealed; EZW_OK, EZW_DECLINED or EZW_ERROR. */
int
ezw_seal_open(const ezw_seal_ring_t *ring, const ezw_str_t *context,
    const unsigned char *p, size_t len, unsigned char *dst, size_t *dlen,
    unsigned *key)
{
    int              rc, i, n;
    unsigned char    tag[TAG];
    EVP_CIPHER_CTX  *ctx;

    *dlen = 0;

    if (len < EZW_SEAL_OVERHEAD || len > INT_MAX || p[0] != VERSION) {
        return EZW_DECLINED;
    }

    i = find_key(ring, p + 1);

    if (i < 0) {
        return EZW_DECLINED;
    }

    ctx = start(ring->keys[i].key, p + 1 + ID, context, 0);

    if (ctx == NULL) {
        return EZW_ERROR;
    }

    p += HEAD;
    len -= EZW_SEAL_OVERHEAD;

    /* the call wants the tag writable */
    memcpy(tag, p + len, TAG);

    if ((len > 0 && EVP_DecryptUpdate(ctx, dst, &n, p, (int) len) != 1)
        || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) != 1)
    {
        rc = EZW_ERROR;

    } else if (EVP_DecryptFinal_ex(ctx, dst + len, &n) != 1) {
        rc = EZW_DECLINED;

    } else {
        *dlen = len;
        *key = (unsigned) i;
        rc = EZW_OK;
    }

    EVP_CIPHER_CTX_free(ctx);

    if (rc != EZW_OK) {
        OPENSSL_cleanse(dst, len);
        ERR_clear_error();
    }

    return rc;
}


/* Adds the key of a line; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
read_line(ezw_seal_ring_t *ring, const ezw_str_t *text, unsigned line,
    ezw_invalid_t *why)
{
    int            rc;
    size_t         len;
    unsigned char  key[EZW_SECRET], digest[EVP_MAX_MD_SIZE];

    if (ezw_secret_parse(text, key, &len) != EZW_OK || len != KEY) {
        rc = ezw_invalid(why, INTERNAL, "",
                         "line %u: a key is %d bytes in hex or base64", line,
                         KEY);
        goto done;
    }

    if (EVP_Digest(key, len, digest, NULL, EVP_sha256(), NULL) != 1) {
        ERR_clear_error();
        rc = EZW_ERROR;
        goto done;
    }

    if (find_key(ring, digest) >= 0) {
        rc = ezw_invalid(why, INTERNAL, "",
                         "line %u: the key was there before", line);
        goto done;
    }

    if (ring->n == EZW_SEAL_KEYS) {
        rc = ezw_invalid(why, INTERNAL, "", "line %u: more than %d keys",
                         line, EZW_SEAL_KEYS);
        goto done;
    }

    memcpy(ring->keys[ring->n].id, digest, ID);
    memcpy(ring->keys[ring->n].key, key, KEY);
    ring->n++;

    rc = EZW_OK;

done:

    OPENSSL_cleanse(key, sizeof(key));

    return rc;
}


/* The index of the key of that id, -1: none. */
static int
find_key(const ezw_seal_ring_t *ring, const unsigned char *id)
{
    unsigned  i;

    for (i = 0; i < ring->n; i++) {
        if (memcmp(ring->keys[i].id, id, ID) == 0) {
            return (int) i;
        }
    }

    return -1;
}


/* A cipher that has been given all but the text; NULL: no memory. */
static EVP_CIPHER_CTX *
start(const unsigned char *key, const unsigned char *nonce,
    const ezw_str_t *context, int seals)
{
    int              n;
    EVP_CIPHER_CTX  *ctx;

    ctx = EVP_CIPHER_CTX_new();

    /* 12 bytes of nonce are GCM's default */

    if (ctx != NULL
        && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, seals)
           == 1
        && (context->len == 0
            || EVP_CipherUpdate(ctx, NULL, &n, context->data,
                                (int) context->len)
               == 1))
    {
        return ctx;
    }

    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();

    return NULL;
}

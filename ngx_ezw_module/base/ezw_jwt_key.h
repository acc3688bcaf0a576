/*
 * What a key is, for the files of base/ that make keys, sign and verify; to
 * all others ezw_jwt_key_t is opaque.
 */

#ifndef EZW_JWT_KEY_H
#define EZW_JWT_KEY_H

#include <openssl/evp.h>

#include "ezw_jwt.h"

#define EZW_JWT_SIGNATURE  64        /* longest that we make */

struct ezw_jwt_key_s {
    ezw_jwt_alg_e         alg;
    EVP_PKEY             *pkey;
    /* HS256: keyed, and copied for each use, which takes 1.3 us where keying
     * takes 3.4 us */
    EVP_MD_CTX           *hmac;
    unsigned              signs:1;   /* has the private part */
    char                  kid[EZW_JWT_KID + 1];
};

/* The key of a kid (at most EZW_JWT_KID bytes) and an OpenSSL key, which may be
 * NULL and becomes the key's own, or is freed.  NULL: no memory. */
ezw_jwt_key_t *ezw_jwt_key_make(ezw_jwt_alg_e alg, EVP_PKEY *pkey,
    const char *kid);

/* "HS256", "EdDSA", .. */
const char *ezw_jwt_alg_name(ezw_jwt_alg_e alg);

/* EZW_OK: the signature is the key's; EZW_DECLINED; EZW_ERROR. */
int ezw_jwt_key_verify(const ezw_jwt_key_t *key, const ezw_str_t *input,
    const ezw_str_t *signature);
/* dst has room for EZW_JWT_SIGNATURE; EZW_OK or EZW_ERROR. */
int ezw_jwt_key_sign(const ezw_jwt_key_t *key, const ezw_str_t *input,
    unsigned char *dst, size_t *len);

/* A JSON object without duplicates, at most 8 deep; the caller's to decref.
 * EZW_OK, EZW_INVALID or EZW_ERROR. */
int ezw_jwt_object(const unsigned char *p, size_t len, json_t **object);

#endif

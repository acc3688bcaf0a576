/*
 * JSON Web Tokens (RFC 7519) in their compact signed form (RFC 7515), with the
 * advice of RFC 8725: the algorithm belongs to the key and the token's `alg`
 * must name it; "none" does not exist here.
 *
 * A key is made once and then only read.  Nothing here keeps state.
 */

#ifndef EZW_JWT_H
#define EZW_JWT_H

#include <jansson.h>

#include "ezw_str.h"

#define EZW_JWT_MAX  8192        /* bytes of the longest token */
#define EZW_JWT_KID  128         /* longest kid that a key may have */

typedef enum {
    EZW_JWT_HS256 = 1,
    EZW_JWT_EDDSA,               /* Ed25519, RFC 8037 */
    EZW_JWT_RS256,               /* 2048 bits or more; verified only */
    EZW_JWT_ES256                /* verified only */
} ezw_jwt_alg_e;

typedef struct ezw_jwt_key_s   ezw_jwt_key_t;    /* from malloc */
typedef struct ezw_jwks_s      ezw_jwks_t;

/* A signing key's file: one PEM private key of Ed25519 (PKCS #8, without a
 * passphrase), or else a secret for HS256: 32 to 1024 bytes after decoding, as
 * hex or base64 or base64url text on one line.  Its kid is the first 16 hex
 * digits of SHA-256 of the public key or the secret.  EZW_OK; EZW_INVALID with
 * *why; EZW_ERROR. */
int ezw_jwt_key_read(const unsigned char *text, size_t len,
    ezw_jwt_key_t **key, ezw_invalid_t *why);
void ezw_jwt_key_free(ezw_jwt_key_t *key);
const char *ezw_jwt_key_kid(const ezw_jwt_key_t *key);
ezw_jwt_alg_e ezw_jwt_key_alg(const ezw_jwt_key_t *key);

/* A key set (RFC 7517): RSA (2048 to 8192 bits), EC P-256 and OKP Ed25519 keys
 * for signatures; others (use "enc", another alg or curve, symmetric, private,
 * broken, without kid or with one that was there before) are left out; at most
 * 64 keys are kept.  EZW_OK (an empty set too); EZW_INVALID: no set, or more
 * than 256 KB; EZW_ERROR. */
int ezw_jwks_parse(const unsigned char *json, size_t len, ezw_jwks_t **set,
    ezw_invalid_t *why);
void ezw_jwks_free(ezw_jwks_t *set);
/* NULL: no such. */
const ezw_jwt_key_t *ezw_jwks_find(const ezw_jwks_t *set,
    const ezw_str_t *kid);

/* A token taken apart, nothing of it verified.  The strings lie in memory of
 * `a`; claims is to be given back by ezw_jwt_free. */
typedef struct {
    ezw_str_t             alg;
    ezw_str_t             kid;       /* len 0: none */
    ezw_str_t             iss;       /* of the claims; len 0: none */
    ezw_str_t             input;     /* what is signed, within the token */
    ezw_str_t             signature; /* decoded */
    json_t               *claims;
} ezw_jwt_t;

/* Three base64url parts (strict), none of them empty, header and claims JSON
 * objects without duplicates, depth at most 8, at most EZW_JWT_MAX in all; a
 * header without "alg", with "crit" or "b64" is refused, jku/jwk/x5u are
 * ignored.  EZW_OK, EZW_INVALID, EZW_ERROR. */
int ezw_jwt_parse(const ezw_alloc_t *a, const ezw_str_t *token,
    ezw_jwt_t *jwt);
void ezw_jwt_free(ezw_jwt_t *jwt);

/* EZW_OK: signed by the key, by the key's algorithm; EZW_DECLINED; EZW_ERROR
 * (OpenSSL or memory; its error queue is left empty in any case). */
int ezw_jwt_verify(const ezw_jwt_t *jwt, const ezw_jwt_key_t *key);

typedef enum {
    EZW_JWT_VALID = 0,
    EZW_JWT_BAD_ISSUER,
    EZW_JWT_BAD_AUDIENCE,
    EZW_JWT_EXPIRED,
    EZW_JWT_NOT_YET,             /* nbf or iat in the future */
    EZW_JWT_BAD_CLAIM            /* missing or of a wrong type */
} ezw_jwt_verdict_e;

/* Checks in this order: iss (exactly), aud (a string or an array with it; NULL:
 * any), exp (required), nbf, iat with `leeway` seconds; sub must be a non-empty
 * string.  Dates are numbers, with or without a fraction, from 0 to the end of
 * the year 9999.  The token is valid before exp and from nbf on. */
ezw_jwt_verdict_e ezw_jwt_claims(const ezw_jwt_t *jwt, const char *iss,
    const char *aud, int64_t now_s, unsigned leeway);

/* Signs claims with HS256 or EdDSA; header {"alg","kid","typ":"JWT"}.  The
 * token lies in memory of `a`, NUL-terminated.  EZW_OK; EZW_ERROR, also for a
 * key of a set and for what ezw_jwt_parse would refuse for its size. */
int ezw_jwt_sign(const ezw_alloc_t *a, const ezw_jwt_key_t *key,
    const json_t *claims, ezw_str_t *token);

#endif

/*
 * Tokens: taken apart and made.  A token is hostile until its signature
 * is verified, and its header is never asked for more than which key might
 * have signed it.
 */

#include <stdio.h>

#include "ezw_id.h"
#include "ezw_json.h"
#include "ezw_jwt_key.h"


#define DEPTH_MAX     8

#define BASE64URL(n)  (((n) * 8 + 5) / 6)


static int split(const ezw_str_t *token, ezw_str_t part[3]);
static int parse_header(const ezw_alloc_t *a, const ezw_str_t *part,
    ezw_jwt_t *jwt);
static int parse_claims(const ezw_alloc_t *a, const ezw_str_t *part,
    ezw_jwt_t *jwt);
static int parse_signature(const ezw_alloc_t *a, const ezw_str_t *part,
    ezw_jwt_t *jwt);
static int decode_object(const ezw_str_t *part, json_t **object);
static int copy_string(const ezw_alloc_t *a, const json_t *v, ezw_str_t *dst);
static unsigned char *write_part(unsigned char *dst, const void *p,
    size_t len);


/* Takes a token apart; EZW_OK, EZW_INVALID or EZW_ERROR, and only after the
 * first is there something to free. */
int
ezw_jwt_parse(const ezw_alloc_t *a, const ezw_str_t *token, ezw_jwt_t *jwt)
{
    int        rc;
    ezw_str_t  part[3];

    memset(jwt, 0, sizeof(ezw_jwt_t));

    rc = split(token, part);

    if (rc == EZW_OK) {
        jwt->input.data = token->data;
        jwt->input.len = part[0].len + 1 + part[1].len;

        rc = parse_header(a, &part[0], jwt);
    }

    if (rc == EZW_OK) {
        rc = parse_signature(a, &part[2], jwt);
    }

    if (rc == EZW_OK) {
        rc = parse_claims(a, &part[1], jwt);
    }

    if (rc != EZW_OK) {
        ezw_jwt_free(jwt);
    }

    return rc;
}


/* Gives the claims back; may be called again. */
void
ezw_jwt_free(ezw_jwt_t *jwt)
{
    json_decref(jwt->claims);
    jwt->claims = NULL;
}


/* EZW_OK, EZW_DECLINED or EZW_ERROR. */
int
ezw_jwt_verify(const ezw_jwt_t *jwt, const ezw_jwt_key_t *key)
{
    const char  *alg;

    alg = ezw_jwt_alg_name(ezw_jwt_key_alg(key));

    if (jwt->alg.len != strlen(alg)
        || memcmp(jwt->alg.data, alg, jwt->alg.len) != 0)
    {
        return EZW_DECLINED;
    }

    return ezw_jwt_key_verify(key, &jwt->input, &jwt->signature);
}


/* A token of the claims; EZW_OK, or EZW_ERROR also for a key that only
 * verifies and for claims that make no token that ezw_jwt_parse takes. */
int
ezw_jwt_sign(const ezw_alloc_t *a, const ezw_jwt_key_t *key,
    const json_t *claims, ezw_str_t *token)
{
    char           *body, header[64 + EZW_JWT_KID];
    size_t          header_len, body_len, len;
    ezw_str_t       input;
    unsigned char  *p, signature[EZW_JWT_SIGNATURE];

    if (!json_is_object(claims)) {
        return EZW_ERROR;
    }

    /* a kid of a key that signs is ours: hex, nothing to escape */

    header_len = (size_t) snprintf(header, sizeof(header),
                                   "{\"alg\":\"%s\",\"kid\":\"%s\","
                                   "\"typ\":\"JWT\"}",
                                   ezw_jwt_alg_name(ezw_jwt_key_alg(key)),
                                   ezw_jwt_key_kid(key));

    body_len = json_dumpb(claims, NULL, 0, JSON_COMPACT);
    len = BASE64URL(header_len) + 1 + BASE64URL(body_len) + 1
          + BASE64URL(EZW_JWT_SIGNATURE);

    if (body_len == 0 || len > EZW_JWT_MAX) {
        return EZW_ERROR;
    }

    body = a->alloc(a->ctx, body_len);
    p = a->alloc(a->ctx, len + 1);

    if (body == NULL || p == NULL
        || json_dumpb(claims, body, body_len, JSON_COMPACT) != body_len)
    {
        return EZW_ERROR;
    }

    input.data = p;

    p = write_part(p, header, header_len);
    *p++ = '.';
    p = write_part(p, body, body_len);

    input.len = p - input.data;

    if (ezw_jwt_key_sign(key, &input, signature, &len) != EZW_OK) {
        return EZW_ERROR;
    }

    *p++ = '.';
    p = write_part(p, signature, len);
    *p = '\0';

    token->data = input.data;
    token->len = p - input.data;

    return EZW_OK;
}


/* Reads an object; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_jwt_object(const unsigned char *p, size_t len, json_t **object)
{
    json_t        *v;
    json_error_t   error;

    if (ezw_json_depth(p, len) > DEPTH_MAX) {
        return EZW_INVALID;
    }

    memset(&error, 0, sizeof(error));

    v = json_loadb((const char *) p, len, JSON_REJECT_DUPLICATES, &error);

    if (v == NULL) {
        /* the parser has nothing to say when malloc() failed */

        if (error.text[0] == '\0'
            || json_error_code(&error) == json_error_out_of_memory)
        {
            return EZW_ERROR;
        }

        return EZW_INVALID;
    }

    if (!json_is_object(v)) {
        json_decref(v);
        return EZW_INVALID;
    }

    *object = v;

    return EZW_OK;
}


/* Finds the three parts, none of them empty; a third dot is in the last, where
 * it is no base64.  EZW_OK or EZW_INVALID. */
static int
split(const ezw_str_t *token, ezw_str_t part[3])
{
    unsigned        i;
    unsigned char  *p, *dot, *end;

    if (token->len == 0 || token->len > EZW_JWT_MAX) {
        return EZW_INVALID;
    }

    p = token->data;
    end = p + token->len;

    for (i = 0; i < 3; i++) {
        dot = (i < 2) ? memchr(p, '.', end - p) : end;

        if (dot == NULL || dot == p) {
            return EZW_INVALID;
        }

        part[i].data = p;
        part[i].len = dot - p;

        p = dot + 1;
    }

    return EZW_OK;
}


/* alg and kid; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
parse_header(const ezw_alloc_t *a, const ezw_str_t *part, ezw_jwt_t *jwt)
{
    int            rc;
    json_t        *header;
    const json_t  *kid;

    rc = decode_object(part, &header);

    if (rc != EZW_OK) {
        return rc;
    }

    kid = json_object_get(header, "kid");

    /* "crit" names what must be understood, "b64" changes what is signed
     * (RFC 7515, 4.1.11; RFC 7797): we have no extension */

    if (json_object_get(header, "crit") != NULL
        || json_object_get(header, "b64") != NULL
        || (kid != NULL && !json_is_string(kid)))
    {
        rc = EZW_INVALID;
    }

    if (rc == EZW_OK) {
        rc = copy_string(a, json_object_get(header, "alg"), &jwt->alg);
    }

    if (rc == EZW_OK && jwt->alg.len == 0) {
        rc = EZW_INVALID;
    }

    if (rc == EZW_OK) {
        rc = copy_string(a, kid, &jwt->kid);
    }

    json_decref(header);

    return rc;
}


/* The claims and their iss; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
parse_claims(const ezw_alloc_t *a, const ezw_str_t *part, ezw_jwt_t *jwt)
{
    int  rc;

    rc = decode_object(part, &jwt->claims);

    if (rc != EZW_OK) {
        return rc;
    }

    return copy_string(a, json_object_get(jwt->claims, "iss"), &jwt->iss);
}


/* The signature's bytes; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
parse_signature(const ezw_alloc_t *a, const ezw_str_t *part, ezw_jwt_t *jwt)
{
    jwt->signature.data = a->alloc(a->ctx, 3 * (part->len / 4) + 3);

    if (jwt->signature.data == NULL) {
        return EZW_ERROR;
    }

    return ezw_base64url_parse(part, jwt->signature.data,
                               &jwt->signature.len);
}


/* Decodes and reads an object; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
decode_object(const ezw_str_t *part, json_t **object)
{
    size_t         len;
    unsigned char  text[3 * (EZW_JWT_MAX / 4) + 3];

    if (ezw_base64url_parse(part, text, &len) != EZW_OK) {
        return EZW_INVALID;
    }

    return ezw_jwt_object(text, len, object);
}


/* A string's copy, empty when v is none; EZW_OK or EZW_ERROR. */
static int
copy_string(const ezw_alloc_t *a, const json_t *v, ezw_str_t *dst)
{
    size_t  len;

    len = json_string_length(v);

    if (len == 0) {
        return EZW_OK;
    }

    dst->data = a->alloc(a->ctx, len);

    if (dst->data == NULL) {
        return EZW_ERROR;
    }

    memcpy(dst->data, json_string_value(v), len);
    dst->len = len;

    return EZW_OK;
}


/* Writes base64url; returns the end. */
static unsigned char *
write_part(unsigned char *dst, const void *p, size_t len)
{
    return dst + ezw_base64url(dst, p, len);
}

/*
 * Key sets of other issuers.  What a set has beyond the keys that we verify
 * with is left out without a word, as RFC 7517, 5 asks: an issuer may publish
 * keys that we have not heard of.
 */

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "ezw_der.h"
#include "ezw_id.h"
#include "ezw_jwt_key.h"


#define VALIDATION   1005

#define SET_MAX      262144
#define KEYS_MAX     64

#define RSA_MIN      256       /* bytes of the modulus: 2048 to 8192 bits */
#define RSA_MAX      1024
#define EXPONENT     8
#define COORDINATE   32

#define BIT_STRING   0x03
#define SEQUENCE     0x30

#define BASE64URL(n)  (((n) * 8 + 5) / 6)


struct ezw_jwks_s {
    unsigned              n;
    ezw_jwt_key_t        *keys[KEYS_MAX];
};


static int add_key(ezw_jwks_t *set, const json_t *jwk);
static int is_for_us(const json_t *jwk, const char *alg);
static int read_rsa(const json_t *jwk, EVP_PKEY **pkey);
static int read_ec(const json_t *jwk, EVP_PKEY **pkey);
static int read_okp(const json_t *jwk, EVP_PKEY **pkey);
static int read_public(const ezw_der_t *der, EVP_PKEY **pkey);
static int read_number(const json_t *jwk, const char *name,
    unsigned char *dst, size_t size, size_t *len);
static int member_is(const json_t *jwk, const char *name, const char *value);


static const struct {
    const char           *kty;
    ezw_jwt_alg_e         alg;
    int                 (*read)(const json_t *jwk, EVP_PKEY **pkey);
} types[] = {
    { "RSA", EZW_JWT_RS256, read_rsa },
    { "EC", EZW_JWT_ES256, read_ec },
    { "OKP", EZW_JWT_EDDSA, read_okp }
};


/* The set of a text, the caller's to free; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
int
ezw_jwks_parse(const unsigned char *json, size_t len, ezw_jwks_t **set,
    ezw_invalid_t *why)
{
    int           rc;
    size_t        i;
    json_t       *root, *keys;
    ezw_jwks_t   *s;

    *set = NULL;

    if (len > SET_MAX) {
        return ezw_invalid(why, VALIDATION, "",
                           "the key set has more than %d bytes", SET_MAX);
    }

    rc = ezw_jwt_object(json, len, &root);

    if (rc == EZW_INVALID) {
        return ezw_invalid(why, VALIDATION, "",
                           "the key set is no JSON object");
    }

    if (rc != EZW_OK) {
        return rc;
    }

    keys = json_object_get(root, "keys");

    if (!json_is_array(keys)) {
        json_decref(root);
        return ezw_invalid(why, VALIDATION, "keys",
                           "the key set has no array \"keys\"");
    }

    s = calloc(1, sizeof(ezw_jwks_t));

    if (s == NULL) {
        json_decref(root);
        return EZW_ERROR;
    }

    for (i = 0; i < json_array_size(keys) && s->n < KEYS_MAX; i++) {
        rc = add_key(s, json_array_get(keys, i));

        if (rc == EZW_ERROR) {
            break;
        }
    }

    json_decref(root);

    /* of what was left out, and of what OpenSSL tried first */
    ERR_clear_error();

    if (rc == EZW_ERROR) {
        ezw_jwks_free(s);
        return EZW_ERROR;
    }

    *set = s;

    return EZW_OK;
}


/* Frees a set, which may be NULL, with its keys. */
void
ezw_jwks_free(ezw_jwks_t *set)
{
    unsigned  i;

    if (set == NULL) {
        return;
    }

    for (i = 0; i < set->n; i++) {
        ezw_jwt_key_free(set->keys[i]);
    }

    free(set);
}


/* The first key of that kid, as long as the set lives; NULL: none. */
const ezw_jwt_key_t *
ezw_jwks_find(const ezw_jwks_t *set, const ezw_str_t *kid)
{
    unsigned     i;
    const char  *known;

    for (i = 0; i < set->n; i++) {
        known = ezw_jwt_key_kid(set->keys[i]);

        if (strlen(known) == kid->len
            && memcmp(known, kid->data, kid->len) == 0)
        {
            return set->keys[i];
        }
    }

    return NULL;
}


/* Adds a key; EZW_OK, EZW_DECLINED: left out, EZW_ERROR. */
static int
add_key(ezw_jwks_t *set, const json_t *jwk)
{
    size_t          len;
    unsigned        i;
    EVP_PKEY       *pkey;
    const char     *text;
    ezw_jwt_key_t  *key;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (member_is(jwk, "kty", types[i].kty)) {
            break;
        }
    }

    if (i == sizeof(types) / sizeof(types[0])
        || !is_for_us(jwk, ezw_jwt_alg_name(types[i].alg)))
    {
        return EZW_DECLINED;
    }

    text = json_string_value(json_object_get(jwk, "kid"));
    len = json_string_length(json_object_get(jwk, "kid"));

    if (len == 0 || len > EZW_JWT_KID) {
        return EZW_DECLINED;
    }

    if (types[i].read(jwk, &pkey) != EZW_OK) {
        return EZW_DECLINED;
    }

    key = ezw_jwt_key_make(types[i].alg, pkey, text);

    if (key == NULL) {
        return EZW_ERROR;
    }

    set->keys[set->n++] = key;

    return EZW_OK;
}


/* 1 when the key is for verifying with that algorithm, and public: a private
 * key that stands in a published set is anybody's. */
static int
is_for_us(const json_t *jwk, const char *alg)
{
    size_t         i;
    const json_t  *ops;

    if (json_object_get(jwk, "d") != NULL
        || (json_object_get(jwk, "use") != NULL
            && !member_is(jwk, "use", "sig"))
        || (json_object_get(jwk, "alg") != NULL
            && !member_is(jwk, "alg", alg)))
    {
        return 0;
    }

    ops = json_object_get(jwk, "key_ops");

    if (ops == NULL) {
        return 1;
    }

    for (i = 0; i < json_array_size(ops); i++) {
        if (json_is_string(json_array_get(ops, i))
            && strcmp(json_string_value(json_array_get(ops, i)), "verify")
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* An RSA key (RFC 7518, 6.3.1); EZW_OK or EZW_DECLINED. */
static int
read_rsa(const json_t *jwk, EVP_PKEY **pkey)
{
    size_t          n_len, e_len;
    ezw_der_t       der;
    unsigned char  *n, *e, modulus[RSA_MAX + 1], exponent[EXPONENT];

    /* rsaEncryption and its NULL */

    static const unsigned char  algorithm[] = {
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
        0x01, 0x01, 0x05, 0x00
    };

    if (read_number(jwk, "n", modulus, sizeof(modulus), &n_len) != EZW_OK
        || read_number(jwk, "e", exponent, sizeof(exponent), &e_len)
           != EZW_OK)
    {
        return EZW_DECLINED;
    }

    /* some issuers write the sign's byte of DER, which RFC 7518 forbids */

    n = modulus;

    if (n_len > 0 && *n == 0) {
        n++;
        n_len--;
    }

    for (e = exponent; e_len > 0 && *e == 0; e++) {
        e_len--;
    }

    if (n_len < RSA_MIN || n_len > RSA_MAX || *n < 0x80
        || n[n_len - 1] % 2 == 0)
    {
        return EZW_DECLINED;
    }

    /* with the exponent 1 anybody signs */

    if (e_len == 0 || e[e_len - 1] % 2 == 0 || (e_len == 1 && *e == 1)) {
        return EZW_DECLINED;
    }

    ezw_der_init(&der);
    ezw_der_integer(&der, e, e_len);
    ezw_der_integer(&der, n, n_len);
    ezw_der_wrap(&der, SEQUENCE, 0);
    ezw_der_bytes(&der, "\0", 1);
    ezw_der_wrap(&der, BIT_STRING, 0);
    ezw_der_bytes(&der, algorithm, sizeof(algorithm));
    ezw_der_wrap(&der, SEQUENCE, 0);

    return read_public(&der, pkey);
}


/* A key of P-256 (RFC 7518, 6.2.1); EZW_OK or EZW_DECLINED. */
static int
read_ec(const json_t *jwk, EVP_PKEY **pkey)
{
    size_t         x_len, y_len;
    ezw_der_t      der;
    unsigned char  x[COORDINATE], y[COORDINATE];

    /* all that stands before the coordinates: id-ecPublicKey and prime256v1,
     * a BIT STRING, an uncompressed point */

    static const unsigned char  head[] = {
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
        0x07, 0x03, 0x42, 0x00, 0x04
    };

    if (!member_is(jwk, "crv", "P-256")
        || read_number(jwk, "x", x, sizeof(x), &x_len) != EZW_OK
        || read_number(jwk, "y", y, sizeof(y), &y_len) != EZW_OK
        || x_len != COORDINATE || y_len != COORDINATE)
    {
        return EZW_DECLINED;
    }

    ezw_der_init(&der);
    ezw_der_bytes(&der, y, y_len);
    ezw_der_bytes(&der, x, x_len);
    ezw_der_bytes(&der, head, sizeof(head));

    return read_public(&der, pkey);
}


/* A key of Ed25519 (RFC 8037, 2); EZW_OK or EZW_DECLINED. */
static int
read_okp(const json_t *jwk, EVP_PKEY **pkey)
{
    size_t         len;
    unsigned char  x[COORDINATE];

    if (!member_is(jwk, "crv", "Ed25519")
        || read_number(jwk, "x", x, sizeof(x), &len) != EZW_OK
        || len != COORDINATE)
    {
        return EZW_DECLINED;
    }

    *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, len);

    return (*pkey != NULL) ? EZW_OK : EZW_DECLINED;
}


/* A SubjectPublicKeyInfo (RFC 5280, 4.1); a point that is not on its curve is
 * none.  EZW_OK or EZW_DECLINED. */
static int
read_public(const ezw_der_t *der, EVP_PKEY **pkey)
{
    const unsigned char  *p;

    p = der->pos;
    *pkey = d2i_PUBKEY(NULL, &p, (long) ezw_der_len(der));

    return (*pkey != NULL) ? EZW_OK : EZW_DECLINED;
}


/* A member's base64url of at most size bytes, which are at most RSA_MAX + 1;
 * EZW_OK or EZW_DECLINED. */
static int
read_number(const json_t *jwk, const char *name, unsigned char *dst,
    size_t size, size_t *len)
{
    ezw_str_t       text;
    const json_t   *v;
    unsigned char   bytes[BASE64URL(RSA_MAX + 1) + 3];

    v = json_object_get(jwk, name);

    text.data = (unsigned char *) json_string_value(v);
    text.len = json_string_length(v);

    if (text.len == 0 || text.len > BASE64URL(size)
        || ezw_base64url_parse(&text, bytes, len) != EZW_OK)
    {
        return EZW_DECLINED;
    }

    memcpy(dst, bytes, *len);

    return EZW_OK;
}


/* 1 when the member is that string. */
static int
member_is(const json_t *jwk, const char *name, const char *value)
{
    const char  *s;

    s = json_string_value(json_object_get(jwk, name));

    return s != NULL && strcmp(s, value) == 0;
}

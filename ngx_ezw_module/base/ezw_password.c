/*
 * Password hashes.  A hash is taken apart strictly: what any byte has been
 * changed in, or what would cost more than the limits, is no hash, and no
 * password is it.  Called by the threads of the sign-in, and by scripts.
 */

#include <stdio.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "ezw_id.h"
#include "ezw_password.h"


#define LN        15
#define R         8
#define P         1
#define HASH      32

#define LN_MAX    20
#define R_MAX     16
#define P_MAX     4
#define HASH_MIN  16        /* an empty one would equal any password's */
#define PART_MAX  64        /* bytes of a salt or a hash, decoded */

#define BASE64(n)  (4 * (((n) + 2) / 3))


typedef struct {
    unsigned              ln;        /* log2 of N */
    unsigned              r;
    unsigned              p;
} cost_t;


typedef struct {
    cost_t                cost;
    unsigned char         salt[PART_MAX];
    size_t                salt_len;
    unsigned char         hash[PART_MAX];
    size_t                hash_len;
} parsed_t;


static const cost_t  today = { LN, R, P };


static int derive(const cost_t *cost, const unsigned char *salt,
    size_t salt_len, const char *password, size_t len, unsigned char *hash,
    size_t hash_len);
static int parse_hash(const char *stored, parsed_t *h);
static const char *parse_number(const char *p, const char *name,
    unsigned max, unsigned *n);
static int parse_part(const char *p, size_t len, unsigned char *dst,
    size_t *dst_len);
static char *write_part(char *dst, const unsigned char *p, size_t len);


/* Writes the hash and its NUL to out; EZW_OK or EZW_ERROR. */
int
ezw_password_hash(const char *password, size_t len,
    const unsigned char salt[EZW_PASSWORD_SALT], char out[EZW_PASSWORD_HASH])
{
    char           *p;
    unsigned char   hash[HASH];

    if (derive(&today, salt, EZW_PASSWORD_SALT, password, len, hash, HASH)
        != EZW_OK)
    {
        return EZW_ERROR;
    }

    p = out + snprintf(out, EZW_PASSWORD_HASH, "$scrypt$ln=%u,r=%u,p=%u",
                       today.ln, today.r, today.p);
    p = write_part(p, salt, EZW_PASSWORD_SALT);
    p = write_part(p, hash, HASH);
    *p = '\0';

    OPENSSL_cleanse(hash, sizeof(hash));

    return EZW_OK;
}


/* EZW_OK, EZW_DECLINED or EZW_ERROR, after the work of one hash. */
int
ezw_password_check(const char *stored, const char *password, size_t len)
{
    int            rc, known;
    parsed_t       h;
    unsigned char  hash[PART_MAX];

    known = (parse_hash(stored, &h) == EZW_OK);

    if (!known) {
        /* any salt costs the same */

        memset(&h, 0, sizeof(parsed_t));
        h.cost = today;
        h.salt_len = EZW_PASSWORD_SALT;
        h.hash_len = HASH;
    }

    rc = derive(&h.cost, h.salt, h.salt_len, password, len, hash, h.hash_len);

    if (rc == EZW_OK
        && (!ezw_equal_secret(hash, h.hash_len, h.hash, h.hash_len) || !known))
    {
        rc = EZW_DECLINED;
    }

    OPENSSL_cleanse(hash, sizeof(hash));

    return rc;
}


/* 1 when today's hash of the same password would look different. */
int
ezw_password_stale(const char *stored)
{
    parsed_t  h;

    return parse_hash(stored, &h) != EZW_OK
           || h.cost.ln != today.ln
           || h.cost.r != today.r
           || h.cost.p != today.p
           || h.salt_len != EZW_PASSWORD_SALT
           || h.hash_len != HASH;
}


/* scrypt; EZW_OK or EZW_ERROR. */
static int
derive(const cost_t *cost, const unsigned char *salt, size_t salt_len,
    const char *password, size_t len, unsigned char *hash, size_t hash_len)
{
    uint64_t  n, need;

    /* what OpenSSL counts (RFC 7914, B and V and two blocks of scratch): its
     * own limit is 32 MB, which today's parameters exceed by those blocks */

    n = UINT64_C(1) << cost->ln;
    need = 128 * (uint64_t) cost->r * (n + 2 + cost->p);

    if (EVP_PBE_scrypt(password, len, salt, salt_len, n, cost->r, cost->p,
                       need, hash, hash_len)
        != 1)
    {
        ERR_clear_error();
        return EZW_ERROR;
    }

    return EZW_OK;
}


/* Takes "$scrypt$ln=..,r=..,p=..$salt$hash" apart, which may be NULL; EZW_OK
 * or EZW_INVALID. */
static int
parse_hash(const char *stored, parsed_t *h)
{
    size_t       len;
    const char  *p;

    if (stored == NULL) {
        return EZW_INVALID;
    }

    p = parse_number(stored, "$scrypt$ln=", LN_MAX, &h->cost.ln);
    p = parse_number(p, ",r=", R_MAX, &h->cost.r);
    p = parse_number(p, ",p=", P_MAX, &h->cost.p);

    /* N must be below 2^(128 * r / 8) (RFC 7914, 2) */

    if (p == NULL || *p != '$' || h->cost.ln >= 16 * h->cost.r) {
        return EZW_INVALID;
    }

    p++;
    len = strcspn(p, "$");

    if (p[len] != '$'
        || parse_part(p, len, h->salt, &h->salt_len) != EZW_OK)
    {
        return EZW_INVALID;
    }

    p += len + 1;

    if (parse_part(p, strlen(p), h->hash, &h->hash_len) != EZW_OK
        || h->hash_len < HASH_MIN)
    {
        return EZW_INVALID;
    }

    return EZW_OK;
}


/* Reads the name and a decimal of 1 to max behind it; returns what follows,
 * NULL: p is NULL or other text. */
static const char *
parse_number(const char *p, const char *name, unsigned max, unsigned *n)
{
    size_t  len;

    len = strlen(name);

    if (p == NULL || strncmp(p, name, len) != 0) {
        return NULL;
    }

    p += len;

    if (*p < '1' || *p > '9') {
        return NULL;
    }

    for (*n = 0; *p >= '0' && *p <= '9'; p++) {
        *n = *n * 10 + (unsigned) (*p - '0');

        if (*n > max) {
            return NULL;
        }
    }

    return p;
}


/* Decodes base64 without padding, at most PART_MAX bytes; EZW_OK or
 * EZW_INVALID. */
static int
parse_part(const char *p, size_t len, unsigned char *dst, size_t *dst_len)
{
    ezw_str_t      text;
    unsigned char  padded[BASE64(PART_MAX)], bytes[BASE64(PART_MAX)];

    if (len > (PART_MAX * 8 + 5) / 6 || memchr(p, '=', len) != NULL) {
        return EZW_INVALID;
    }

    memcpy(padded, p, len);
    text.data = padded;
    text.len = len;

    while (text.len % 4) {
        padded[text.len++] = '=';
    }

    if (ezw_base64_parse(&text, bytes, dst_len) != EZW_OK) {
        return EZW_INVALID;
    }

    memcpy(dst, bytes, *dst_len);

    return EZW_OK;
}


/* Writes "$" and the bytes in base64 without padding; returns the end. */
static char *
write_part(char *dst, const unsigned char *p, size_t len)
{
    *dst++ = '$';
    dst += ezw_base64((unsigned char *) dst, p, len);

    while (dst[-1] == '=') {
        dst--;
    }

    return dst;
}

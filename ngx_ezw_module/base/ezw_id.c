/*
 * Ids and their texts: UUIDv7, hex, base64, the conversation's id and the
 * trace-id.  Makes no randomness of its own and cannot fail but by its input.
 */

/* The low-level SHA-1 can neither fail nor allocate, which the one-shot call
 * of OpenSSL 3 does on each use (it fetches the digest anew); 1.1.0's API has
 * it without a warning. */
#define OPENSSL_API_COMPAT  0x10100000L

#include <openssl/sha.h>

#include "ezw_id.h"


static const unsigned char  hex_digits[] = "0123456789abcdef";

static const unsigned char  base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const unsigned char  base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";


static int hex_value(unsigned char c);
static int base64_value(unsigned char c, int url);
static size_t encode_base64(unsigned char *dst, const unsigned char *p,
    size_t len, const unsigned char *digits, int pad);
static int decode_base64(const unsigned char *p, size_t n, unsigned char *dst,
    size_t *len, int url);
static int is_lower_hex(const unsigned char *p, size_t len);
static int is_all_zero(const unsigned char *p, size_t len);


/* UUIDv7 of unix_ms and ten random bytes. */
void
ezw_uuid7(unsigned char out[16], uint64_t unix_ms, const unsigned char rnd[10])
{
    out[0] = (unsigned char) (unix_ms >> 40);
    out[1] = (unsigned char) (unix_ms >> 32);
    out[2] = (unsigned char) (unix_ms >> 24);
    out[3] = (unsigned char) (unix_ms >> 16);
    out[4] = (unsigned char) (unix_ms >> 8);
    out[5] = (unsigned char) unix_ms;
    out[6] = 0x70 | (rnd[0] & 0x0f);
    out[7] = rnd[1];
    out[8] = 0x80 | (rnd[2] & 0x3f);

    memcpy(out + 9, rnd + 3, 7);
}


/* A UUIDv7 and four more random bytes. */
void
ezw_message_id(unsigned char out[20], uint64_t unix_ms,
    const unsigned char rnd[14])
{
    ezw_uuid7(out, unix_ms, rnd);
    memcpy(out + 16, rnd + 10, 4);
}


/* Writes EZW_UUID_LEN bytes. */
void
ezw_uuid_text(unsigned char *dst, const unsigned char b[16])
{
    unsigned  i;

    for (i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *dst++ = '-';
        }

        *dst++ = hex_digits[b[i] >> 4];
        *dst++ = hex_digits[b[i] & 0x0f];
    }
}


/* 8-4-4-4-12 in any case to bytes; EZW_OK or EZW_INVALID. */
int
ezw_uuid_parse(const ezw_str_t *s, unsigned char out[16])
{
    int                   hi, lo;
    unsigned              i;
    const unsigned char  *p;

    if (s->len != EZW_UUID_LEN) {
        return EZW_INVALID;
    }

    p = s->data;

    for (i = 0; i < 16; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-') {
            return EZW_INVALID;
        }

        hi = hex_value(p[0]);
        lo = hex_value(p[1]);

        if (hi < 0 || lo < 0) {
            return EZW_INVALID;
        }

        out[i] = (unsigned char) (hi << 4 | lo);
        p += 2;
    }

    return EZW_OK;
}


/* Writes 2 * len bytes of lower-case hex. */
void
ezw_hex(unsigned char *dst, const unsigned char *p, size_t len)
{
    const unsigned char  *end;

    for (end = p + len; p < end; p++) {
        *dst++ = hex_digits[*p >> 4];
        *dst++ = hex_digits[*p & 0x0f];
    }
}


/* Hex in any case to s->len / 2 bytes; EZW_OK or EZW_INVALID. */
int
ezw_hex_parse(const ezw_str_t *s, unsigned char *dst)
{
    int     hi, lo;
    size_t  i;

    if (s->len % 2) {
        return EZW_INVALID;
    }

    for (i = 0; i < s->len; i += 2) {
        hi = hex_value(s->data[i]);
        lo = hex_value(s->data[i + 1]);

        if (hi < 0 || lo < 0) {
            return EZW_INVALID;
        }

        *dst++ = (unsigned char) (hi << 4 | lo);
    }

    return EZW_OK;
}


/* Base64 with padding; returns the bytes written. */
size_t
ezw_base64(unsigned char *dst, const unsigned char *p, size_t len)
{
    return encode_base64(dst, p, len, base64_digits, 1);
}


/* URL-safe base64 without padding; returns the bytes written. */
size_t
ezw_base64url(unsigned char *dst, const unsigned char *p, size_t len)
{
    return encode_base64(dst, p, len, base64url_digits, 0);
}


/* Padded base64 to *len bytes; EZW_OK or EZW_INVALID. */
int
ezw_base64_parse(const ezw_str_t *s, unsigned char *dst, size_t *len)
{
    size_t  n;

    n = s->len;

    if (n % 4) {
        return EZW_INVALID;
    }

    if (n > 0 && s->data[n - 1] == '=') {
        n--;

        if (s->data[n - 1] == '=') {
            n--;
        }
    }

    return decode_base64(s->data, n, dst, len, 0);
}


/* URL-safe base64 without padding to *len bytes; EZW_OK or EZW_INVALID. */
int
ezw_base64url_parse(const ezw_str_t *s, unsigned char *dst, size_t *len)
{
    return decode_base64(s->data, s->len, dst, len, 1);
}


/* Writes EZW_CONVERSATION_ID_LEN bytes. */
void
ezw_conversation_id(unsigned char *dst, const ezw_str_t *channel,
    const ezw_str_t *contact)
{
    SHA_CTX        sha;
    unsigned char  digest[SHA_DIGEST_LENGTH];

    SHA1_Init(&sha);
    SHA1_Update(&sha, channel->data, channel->len);
    SHA1_Update(&sha, "\0", 1);
    SHA1_Update(&sha, contact->data, contact->len);
    SHA1_Final(digest, &sha);

    ezw_base64(dst, digest, sizeof(digest));
}


/* The trace-id of a traceparent, 32 bytes to dst; EZW_OK or EZW_INVALID. */
int
ezw_traceparent(const ezw_str_t *value, unsigned char *dst)
{
    const unsigned char  *p;

    p = value->data;

    if (value->len < 55
        || !is_lower_hex(p, 2) || p[2] != '-'
        || !is_lower_hex(p + 3, 32) || p[35] != '-'
        || !is_lower_hex(p + 36, 16) || p[52] != '-'
        || !is_lower_hex(p + 53, 2))
    {
        return EZW_INVALID;
    }

    if (p[0] == 'f' && p[1] == 'f') {
        return EZW_INVALID;
    }

    /* only a later version may go on, and then behind another dash */

    if (value->len > 55 && (p[55] != '-' || (p[0] == '0' && p[1] == '0'))) {
        return EZW_INVALID;
    }

    if (is_all_zero(p + 3, 32) || is_all_zero(p + 36, 16)) {
        return EZW_INVALID;
    }

    memcpy(dst, p + 3, 32);

    return EZW_OK;
}


/* Value of a hex digit, -1: none. */
static int
hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return -1;
}


/* Value of a digit of one of the two alphabets, -1: none. */
static int
base64_value(unsigned char c, int url)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    if (c == (url ? '-' : '+')) {
        return 62;
    }

    if (c == (url ? '_' : '/')) {
        return 63;
    }

    return -1;
}


/* Writes base64 with the given digits; returns the bytes written. */
static size_t
encode_base64(unsigned char *dst, const unsigned char *p, size_t len,
    const unsigned char *digits, int pad)
{
    unsigned char  *d;

    d = dst;

    for ( ; len >= 3; len -= 3, p += 3) {
        *d++ = digits[p[0] >> 2];
        *d++ = digits[(p[0] & 0x03) << 4 | p[1] >> 4];
        *d++ = digits[(p[1] & 0x0f) << 2 | p[2] >> 6];
        *d++ = digits[p[2] & 0x3f];
    }

    if (len > 0) {
        *d++ = digits[p[0] >> 2];

        if (len == 1) {
            *d++ = digits[(p[0] & 0x03) << 4];

        } else {
            *d++ = digits[(p[0] & 0x03) << 4 | p[1] >> 4];
            *d++ = digits[(p[1] & 0x0f) << 2];
        }

        if (pad) {
            *d++ = '=';

            if (len == 1) {
                *d++ = '=';
            }
        }
    }

    return d - dst;
}


/* Decodes n digits; bits that no byte takes must be 0, so that a value has one
 * text only.  EZW_OK or EZW_INVALID. */
static int
decode_base64(const unsigned char *p, size_t n, unsigned char *dst,
    size_t *len, int url)
{
    int             v;
    size_t          i;
    uint32_t        bits;
    unsigned        held;
    unsigned char  *d;

    if (n % 4 == 1) {
        return EZW_INVALID;
    }

    d = dst;
    bits = 0;
    held = 0;

    for (i = 0; i < n; i++) {
        v = base64_value(p[i], url);

        if (v < 0) {
            return EZW_INVALID;
        }

        bits = (bits << 6 | (uint32_t) v) & 0xffff;
        held += 6;

        if (held >= 8) {
            held -= 8;
            *d++ = (unsigned char) (bits >> held);
        }
    }

    if (bits & ((1u << held) - 1)) {
        return EZW_INVALID;
    }

    *len = d - dst;

    return EZW_OK;
}


/* 1 when all of p is [0-9a-f]. */
static int
is_lower_hex(const unsigned char *p, size_t len)
{
    for ( ; len > 0; len--, p++) {
        if (!(*p >= '0' && *p <= '9') && !(*p >= 'a' && *p <= 'f')) {
            return 0;
        }
    }

    return 1;
}


/* 1 when all of p is '0'. */
static int
is_all_zero(const unsigned char *p, size_t len)
{
    for ( ; len > 0; len--, p++) {
        if (*p != '0') {
            return 0;
        }
    }

    return 1;
}

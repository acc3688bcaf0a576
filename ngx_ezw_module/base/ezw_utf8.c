/*
 * UTF-8 validation and percent-decoding: what stands between a client's bytes
 * and everything else.  Postgres refuses NUL in text, so both refuse it here.
 */

#include "ezw_utf8.h"


#define ONES  UINT64_C(0x0101010101010101)
#define HIGH  UINT64_C(0x8080808080808080)


static int hex_value(unsigned char c);


/* Code points in p, or -1: not valid UTF-8 or a NUL in it. */
long
ezw_utf8_length(const unsigned char *p, size_t len)
{
    long                  n;
    uint64_t              w;
    unsigned char         c, low, high;
    unsigned              more;
    const unsigned char  *end;

    n = 0;
    end = p + len;

    while (p < end) {

        /* eight ASCII bytes at a time: nearly all texts are nothing else */

        while (end - p >= 8) {
            memcpy(&w, p, 8);

            if ((w & HIGH) || ((w - ONES) & ~w & HIGH)) {
                break;
            }

            p += 8;
            n += 8;
        }

        if (p == end) {
            break;
        }

        c = *p++;
        n++;

        if (c < 0x80) {
            if (c == 0) {
                return -1;
            }

            continue;
        }

        /* RFC 3629, table of well-formed sequences: the second byte's range
         * excludes overlong forms, surrogates and what is past U+10FFFF */

        low = 0x80;
        high = 0xbf;

        if (c >= 0xc2 && c <= 0xdf) {
            more = 1;

        } else if (c >= 0xe0 && c <= 0xef) {
            more = 2;

            if (c == 0xe0) {
                low = 0xa0;

            } else if (c == 0xed) {
                high = 0x9f;
            }

        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3;

            if (c == 0xf0) {
                low = 0x90;

            } else if (c == 0xf4) {
                high = 0x8f;
            }

        } else {
            return -1;
        }

        if ((size_t) (end - p) < more || *p < low || *p > high) {
            return -1;
        }

        p++;

        while (--more) {
            if ((*p++ & 0xc0) != 0x80) {
                return -1;
            }
        }
    }

    return n;
}


/* Decodes src once into dst->data (may be src->data) and sets dst->len;
 * EZW_OK or EZW_INVALID. */
int
ezw_uri_decode(ezw_str_t *dst, const ezw_str_t *src, unsigned flags)
{
    int                   hi, lo;
    unsigned char        *d, c;
    const unsigned char  *p, *end;

    d = dst->data;
    p = src->data;
    end = p + src->len;

    while (p < end) {
        c = *p++;

        if (c == '%') {
            if (end - p < 2) {
                return EZW_INVALID;
            }

            hi = hex_value(p[0]);
            lo = hex_value(p[1]);

            if (hi < 0 || lo < 0) {
                return EZW_INVALID;
            }

            c = (unsigned char) (hi << 4 | lo);
            p += 2;

            if (c == '/' && !(flags & EZW_URI_SLASH)) {
                return EZW_INVALID;
            }
        }

        *d++ = c;
    }

    dst->len = d - dst->data;

    return ezw_utf8_length(dst->data, dst->len) < 0 ? EZW_INVALID : EZW_OK;
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

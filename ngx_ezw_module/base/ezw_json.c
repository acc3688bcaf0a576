/*
 * The JSON writer.  Whatever the room that is left, a write fills it before it
 * asks for more, so that buffers go out full; where the room does for the
 * longest text of a value, the value is made in place.
 */

#include <math.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "ezw_id.h"
#include "ezw_json.h"
#include "ezw_time.h"


#define ONES        UINT64_C(0x0101010101010101)
#define HIGH        UINT64_C(0x8080808080808080)

#define INT_LEN     20      /* -9223372036854775808 */
#define NUMBER_LEN  64


static const unsigned char *find_escape(const unsigned char *p,
    const unsigned char *end);
static unsigned char *write_int(unsigned char *p, int64_t v);
static void write_number(ezw_writer_t *w, const char *text);


/* Appends len bytes as they are. */
void
ezw_json_raw(ezw_writer_t *w, const void *p, size_t len)
{
    size_t                n;
    const unsigned char  *src;

    src = p;

    while (len > 0 && !w->failed) {

        n = w->end - w->pos;

        if (n == 0) {
            if (w->more(w, 1) != EZW_OK || w->pos == w->end) {
                w->failed = 1;
            }

            continue;
        }

        if (n > len) {
            n = len;
        }

        memcpy(w->pos, src, n);

        w->pos += n;
        src += n;
        len -= n;
    }
}


/* Appends a string with its quotes: runs without escapes are copied whole. */
void
ezw_json_string(ezw_writer_t *w, const void *p, size_t len)
{
    unsigned char         escape[6];
    const unsigned char  *run, *next, *end;

    static const unsigned char  hex[] = "0123456789abcdef";

    run = p;
    end = run + len;

    next = (len > 0) ? find_escape(run, end) : end;

    if (next == end && !w->failed && (size_t) (w->end - w->pos) >= len + 2) {
        *w->pos++ = '"';

        if (len > 0) {
            memcpy(w->pos, run, len);
            w->pos += len;
        }

        *w->pos++ = '"';
        return;
    }

    ezw_json_raw(w, "\"", 1);

    for ( ;; ) {
        ezw_json_raw(w, run, next - run);

        if (next == end || w->failed) {
            break;
        }

        escape[0] = '\\';

        switch (*next) {

        case '"':
        case '\\':
            escape[1] = *next;
            break;

        case '\b':
            escape[1] = 'b';
            break;

        case '\f':
            escape[1] = 'f';
            break;

        case '\n':
            escape[1] = 'n';
            break;

        case '\r':
            escape[1] = 'r';
            break;

        case '\t':
            escape[1] = 't';
            break;

        default:
            escape[1] = 'u';
            escape[2] = '0';
            escape[3] = '0';
            escape[4] = hex[*next >> 4];
            escape[5] = hex[*next & 0x0f];
            break;
        }

        ezw_json_raw(w, escape, (escape[1] == 'u') ? 6 : 2);

        run = next + 1;
        next = find_escape(run, end);
    }

    ezw_json_raw(w, "\"", 1);
}


/* Appends an integer. */
void
ezw_json_int(ezw_writer_t *w, int64_t v)
{
    unsigned char  buf[INT_LEN];

    if (w->failed) {
        return;
    }

    if (w->end - w->pos >= INT_LEN) {
        w->pos = write_int(w->pos, v);
        return;
    }

    ezw_json_raw(w, buf, write_int(buf, v) - buf);
}


/* Appends the shortest decimal that reads back as v; null when it is none. */
void
ezw_json_double(ezw_writer_t *w, double v)
{
    int   digits;
    char  buf[NUMBER_LEN];

    if (!isfinite(v)) {
        ezw_json_literal(w, "null");
        return;
    }

    /* below 1e15 %.15g would write an integer's own digits; not for -0 */

    if (v > -1e15 && v < 1e15 && v == (double) (int64_t) v
        && (v != 0 || !signbit(v)))
    {
        ezw_json_int(w, (int64_t) v);
        return;
    }

    /* 15 digits survive the way through a normal double, 17 tell any two
     * apart; a subnormal has fewer */

    digits = (fabs(v) < DBL_MIN) ? 1 : DBL_DIG;

    for ( ;; ) {
        snprintf(buf, sizeof(buf), "%.*g", digits, v);

        if (digits == 17 || strtod(buf, NULL) == v) {
            break;
        }

        digits++;
    }

    write_number(w, buf);
}


/* The same for a float. */
void
ezw_json_float(ezw_writer_t *w, float v)
{
    int   digits;
    char  buf[NUMBER_LEN];

    if (!isfinite(v)) {
        ezw_json_literal(w, "null");
        return;
    }

    if (v > -1e6f && v < 1e6f && v == (float) (int32_t) v
        && (v != 0 || !signbit(v)))
    {
        ezw_json_int(w, (int32_t) v);
        return;
    }

    digits = (fabsf(v) < FLT_MIN) ? 1 : FLT_DIG;

    for ( ;; ) {
        snprintf(buf, sizeof(buf), "%.*g", digits, (double) v);

        if (digits == 9 || strtof(buf, NULL) == v) {
            break;
        }

        digits++;
    }

    write_number(w, buf);
}


/* Appends a timestamp with its quotes; null when it is infinite or its year
 * has not four digits. */
void
ezw_json_timestamp(ezw_writer_t *w, int64_t pg_us)
{
    unsigned char  buf[EZW_TIME_LEN + 2], *p;

    if (w->failed) {
        return;
    }

    p = (w->end - w->pos >= (ptrdiff_t) sizeof(buf)) ? w->pos : buf;

    if (ezw_time_write(p + 1, pg_us) == NULL) {
        ezw_json_literal(w, "null");
        return;
    }

    p[0] = '"';
    p[EZW_TIME_LEN + 1] = '"';

    if (p != buf) {
        w->pos += sizeof(buf);
        return;
    }

    ezw_json_raw(w, buf, sizeof(buf));
}


/* Appends a UUID with its quotes. */
void
ezw_json_uuid(ezw_writer_t *w, const unsigned char b[16])
{
    unsigned char  buf[EZW_UUID_LEN + 2], *p;

    if (w->failed) {
        return;
    }

    p = (w->end - w->pos >= (ptrdiff_t) sizeof(buf)) ? w->pos : buf;

    p[0] = '"';
    ezw_uuid_text(p + 1, b);
    p[EZW_UUID_LEN + 1] = '"';

    if (p != buf) {
        w->pos += sizeof(buf);
        return;
    }

    ezw_json_raw(w, buf, sizeof(buf));
}


/* Appends bytes as lower-case hex with its quotes. */
void
ezw_json_hex(ezw_writer_t *w, const unsigned char *p, size_t len)
{
    size_t         n;
    unsigned char  buf[64];

    ezw_json_raw(w, "\"", 1);

    while (len > 0 && !w->failed) {
        n = (len < sizeof(buf) / 2) ? len : sizeof(buf) / 2;

        ezw_hex(buf, p, n);
        ezw_json_raw(w, buf, 2 * n);

        p += n;
        len -= n;
    }

    ezw_json_raw(w, "\"", 1);
}


/* Deepest nesting of brackets outside of strings. */
unsigned
ezw_json_depth(const unsigned char *p, size_t len)
{
    unsigned              depth, deepest;
    const unsigned char  *end;

    depth = 0;
    deepest = 0;

    for (end = p + len; p < end; p++) {

        switch (*p) {

        case '"':
            for (p++; p < end && *p != '"'; p++) {
                if (*p == '\\' && end - p > 1) {
                    p++;
                }
            }

            if (p == end) {
                return deepest;
            }

            break;

        case '[':
        case '{':
            if (++depth > deepest) {
                deepest = depth;
            }

            break;

        case ']':
        case '}':
            if (depth > 0) {
                depth--;
            }

            break;
        }
    }

    return deepest;
}


/* First byte that must be escaped, or end. */
static const unsigned char *
find_escape(const unsigned char *p, const unsigned char *end)
{
    uint64_t  w, quote, slash, found;

    /* eight at a time: a byte that is '"', '\' or below 0x20 sets its own high
     * bit in `found` (Mycroft), and may set those above it by a borrow */

    for ( ; end - p >= 8; p += 8) {
        memcpy(&w, p, 8);

        quote = w ^ (ONES * '"');
        slash = w ^ (ONES * '\\');

        found = ((w - ONES * 0x20) & ~w)
                | ((quote - ONES) & ~quote)
                | ((slash - ONES) & ~slash);

        if (found & HIGH) {
            break;
        }
    }

    for ( ; p < end; p++) {
        if (*p < 0x20 || *p == '"' || *p == '\\') {
            break;
        }
    }

    return p;
}


/* Writes v, at most INT_LEN bytes, and returns their end. */
static unsigned char *
write_int(unsigned char *p, int64_t v)
{
    size_t         n;
    uint64_t       u;
    unsigned char  buf[INT_LEN], *d;

    u = (uint64_t) v;

    if (v < 0) {
        *p++ = '-';
        u = 0 - u;
    }

    d = buf + sizeof(buf);

    do {
        *--d = (unsigned char) ('0' + u % 10);
        u /= 10;
    } while (u > 0);

    n = buf + sizeof(buf) - d;
    memcpy(p, d, n);

    return p + n;
}


/* Appends what printf wrote, with '.' whatever the locale's decimal point. */
static void
write_number(ezw_writer_t *w, const char *text)
{
    char         buf[NUMBER_LEN], *d;
    const char  *p;

    d = buf;

    for (p = text; *p != '\0'; p++) {
        if ((*p >= '0' && *p <= '9') || *p == '-' || *p == '+' || *p == 'e') {
            *d++ = *p;

        } else if (d == buf || d[-1] != '.') {
            *d++ = '.';
        }
    }

    ezw_json_raw(w, buf, d - buf);
}

/*
 * Single values out of the text that Postgres makes of them in JSON.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "ezw_id.h"
#include "ezw_row_stored_value.h"
#include "ezw_time.h"


#define TIMESTAMPTZ_OID  1184

#define MAX_NUMBER       63     /* bytes of a float's text */

#define MAX_TIME         47     /* bytes of a time's text */
#define MAX_YEAR         294276 /* of a Postgres timestamp */

#define US_PER_SECOND    INT64_C(1000000)
#define US_PER_DAY       (86400 * US_PER_SECOND)
#define DAYS_OF_CYCLE    146097 /* 400 years */


static int parse_integer(const ezw_str_t *text, int64_t min, int64_t max,
    int64_t *v);
static int parse_float(const ezw_str_t *text, int single, double *v);
static int parse_time(const ezw_str_t *text, int zoned, int64_t *pg_us);
static int parse_zone(const unsigned char *p, size_t len, int64_t *s);


/* Writes a value that is no array; dst has room for its text and
 * EZW_ROW_STORED_FIXED bytes.  EZW_OK or EZW_INVALID. */
int
ezw_row_stored_value(ezw_row_value_e value, uint32_t oid,
    const ezw_str_t *text, unsigned char *dst, size_t *len)
{
    float      f;
    double     d;
    int64_t    v, limit;
    uint32_t   u;
    uint64_t   bits;
    ezw_str_t  hex;

    switch (value) {

    case EZW_ROW_BOOL:
        if (!is_text(text, "true") && !is_text(text, "false")) {
            return EZW_INVALID;
        }

        *dst = (text->len == 4);
        *len = 1;
        return EZW_OK;

    case EZW_ROW_INT2:
    case EZW_ROW_INT4:
    case EZW_ROW_INT8:
        *len = (value == EZW_ROW_INT2) ? 2 : (value == EZW_ROW_INT4) ? 4 : 8;
        limit = INT64_MAX >> (64 - 8 * *len);

        if (parse_integer(text, -limit - 1, limit, &v) != EZW_OK) {
            return EZW_INVALID;
        }

        ezw_row_stored_number(dst, (uint64_t) v, (unsigned) *len);
        return EZW_OK;

    case EZW_ROW_OID:
        if (parse_integer(text, 0, UINT32_MAX, &v) != EZW_OK) {
            return EZW_INVALID;
        }

        ezw_row_stored_number(dst, (uint64_t) v, 4);
        *len = 4;
        return EZW_OK;

    case EZW_ROW_FLOAT4:
        if (parse_float(text, 1, &d) != EZW_OK) {
            return EZW_INVALID;
        }

        f = (float) d;
        memcpy(&u, &f, 4);
        ezw_row_stored_number(dst, u, 4);
        *len = 4;
        return EZW_OK;

    case EZW_ROW_FLOAT8:
        if (parse_float(text, 0, &d) != EZW_OK) {
            return EZW_INVALID;
        }

        memcpy(&bits, &d, 8);
        ezw_row_stored_number(dst, bits, 8);
        *len = 8;
        return EZW_OK;

    case EZW_ROW_TIMESTAMP:
        if (parse_time(text, oid == TIMESTAMPTZ_OID, &v) != EZW_OK) {
            return EZW_INVALID;
        }

        ezw_row_stored_number(dst, (uint64_t) v, 8);
        *len = 8;
        return EZW_OK;

    case EZW_ROW_UUID:
        *len = 16;
        return ezw_uuid_parse(text, dst);

    case EZW_ROW_BYTEA:
        if (text->len < 2 || text->data[0] != '\\' || text->data[1] != 'x') {
            return EZW_INVALID;
        }

        hex.data = text->data + 2;
        hex.len = text->len - 2;
        *len = hex.len / 2;
        return ezw_hex_parse(&hex, dst);

    case EZW_ROW_JSONB:
        *dst = 1;
        memcpy(dst + 1, text->data, text->len);
        *len = text->len + 1;
        return EZW_OK;

    case EZW_ROW_JSON:
    case EZW_ROW_TEXT:
        if (text->len > 0) {
            memcpy(dst, text->data, text->len);
        }

        *len = text->len;
        return EZW_OK;

    default:
        return EZW_INVALID;
    }
}


/* Writes a number in network byte order. */
void
ezw_row_stored_number(unsigned char *p, uint64_t v, unsigned bytes)
{
    while (bytes-- > 0) {
        *p++ = (unsigned char) (v >> (8 * bytes));
    }
}


/* An integer between two bounds; EZW_OK or EZW_INVALID. */
static int
parse_integer(const ezw_str_t *text, int64_t min, int64_t max, int64_t *v)
{
    int      digit;
    size_t   i, negative;
    int64_t  n;

    negative = (text->len > 0 && text->data[0] == '-');

    if (text->len == negative) {
        return EZW_INVALID;
    }

    n = 0;

    for (i = negative; i < text->len; i++) {
        digit = text->data[i] - '0';

        if (digit < 0 || digit > 9) {
            return EZW_INVALID;
        }

        /* counted downwards: there is one more below zero */

        if (n < (INT64_MIN + digit) / 10) {
            return EZW_INVALID;
        }

        n = n * 10 - digit;
    }

    if (!negative) {
        if (n == INT64_MIN) {
            return EZW_INVALID;
        }

        n = -n;
    }

    *v = n;

    return (n >= min && n <= max) ? EZW_OK : EZW_INVALID;
}


/* A float, rounded once; EZW_OK or EZW_INVALID. */
static int
parse_float(const ezw_str_t *text, int single, double *v)
{
    char    buf[MAX_NUMBER + 1], *end;
    size_t  i;

    if (is_text(text, "NaN")) {
        *v = NAN;
        return EZW_OK;
    }

    if (is_text(text, "Infinity") || is_text(text, "-Infinity")) {
        *v = (text->data[0] == '-') ? -INFINITY : INFINITY;
        return EZW_OK;
    }

    if (text->len == 0 || text->len > MAX_NUMBER) {
        return EZW_INVALID;
    }

    for (i = 0; i < text->len; i++) {
        /* what else strtod() takes (hex, white space) is none */

        if (text->data[i] == '\0'
            || strchr("0123456789+-.e", text->data[i]) == NULL)
        {
            return EZW_INVALID;
        }
    }

    memcpy(buf, text->data, text->len);
    buf[text->len] = '\0';

    *v = single ? (double) strtof(buf, &end) : strtod(buf, &end);

    return (*end == '\0' && end > buf && isfinite(*v)) ? EZW_OK : EZW_INVALID;
}


/* A time in ISO 8601, with an offset or without, to Postgres microseconds.  Its
 * year may have more than four digits or be "BC".  EZW_OK or EZW_INVALID. */
static int
parse_time(const ezw_str_t *text, int zoned, int64_t *pg_us)
{
    char            buf[MAX_TIME + 1];
    size_t          len, year, zone;
    int64_t         y, cycles, offset;
    ezw_str_t       s;
    unsigned char  *p;

    if (is_text(text, "infinity") || is_text(text, "-infinity")) {
        *pg_us = (text->data[0] == '-') ? INT64_MIN : INT64_MAX;
        return EZW_OK;
    }

    len = text->len;

    if (len > MAX_TIME) {
        return EZW_INVALID;
    }

    y = 0;

    for (year = 0;
         year < len && text->data[year] >= '0' && text->data[year] <= '9';
         year++)
    {
        y = y * 10 + (text->data[year] - '0');

        if (y > MAX_YEAR) {
            return EZW_INVALID;
        }
    }

    if (year < 4) {
        return EZW_INVALID;
    }

    if (len > 3 && memcmp(text->data + len - 3, " BC", 3) == 0) {
        /* there is no year 0: it is 1 BC */
        y = 1 - y;
        len -= 3;
    }

    /* the same day 400 years earlier or later, as often as it takes to come to
     * a year between 2000 and 2399 */

    cycles = (y - 2000 - ((y >= 2000) ? 0 : 399)) / 400;

    snprintf(buf, sizeof(buf), "%04d", (int) (y - cycles * 400));
    memcpy(buf + 4, text->data + year, len - year);
    len -= year - 4;

    for (zone = sizeof("2020-03-11T19:53:02") - 1;
         zone < len && buf[zone] != '+' && buf[zone] != '-'; )
    {
        zone++;
    }

    p = (unsigned char *) buf;
    offset = 0;

    if (zone > len || (zone < len) != zoned
        || (zoned && parse_zone(p + zone, len - zone, &offset) != EZW_OK))
    {
        return EZW_INVALID;
    }

    buf[zone] = 'Z';

    s.data = p;
    s.len = zone + 1;

    if (ezw_time_parse(&s, pg_us) != EZW_OK) {
        return EZW_INVALID;
    }

    *pg_us += cycles * DAYS_OF_CYCLE * US_PER_DAY - offset * US_PER_SECOND;

    return EZW_OK;
}


/* "+hh:mm" or "+hh:mm:ss" to seconds; EZW_OK or EZW_INVALID. */
static int
parse_zone(const unsigned char *p, size_t len, int64_t *s)
{
    int     v;
    size_t  i;

    if (len != sizeof("+hh:mm") - 1 && len != sizeof("+hh:mm:ss") - 1) {
        return EZW_INVALID;
    }

    v = 0;

    for (i = 0; i < len; i += 3) {

        if (p[i] != (i > 0 ? ':' : p[0])
            || p[i + 1] < '0' || p[i + 1] > (i > 0 ? '5' : '2')
            || p[i + 2] < '0' || p[i + 2] > '9')
        {
            return EZW_INVALID;
        }

        v = v * 60 + (p[i + 1] - '0') * 10 + p[i + 2] - '0';
    }

    if (len == sizeof("+hh:mm") - 1) {
        v *= 60;
    }

    *s = (p[0] == '-') ? -v : v;

    return EZW_OK;
}

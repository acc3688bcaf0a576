/*
 * Cursors.  A value keeps the binary form in which Postgres sent it; only when
 * a cursor comes back it is written as text, and is checked by that.
 */

#include <stdio.h>

#include "ezw_cursor.h"
#include "ezw_id.h"
#include "ezw_row_shape.h"
#include "ezw_time.h"
#include "ezw_utf8.h"


#define HEAD  3         /* kind and length of a value */


static int kind_of(uint32_t oid, const ezw_cell_t *cell);
static int write_text(const ezw_alloc_t *a, int kind, const unsigned char *p,
    size_t len, ezw_str_t *out);
static uint64_t read_int(const unsigned char *p, size_t len);


int
ezw_cursor_write(const ezw_alloc_t *a, uint32_t list, const ezw_cell_t *cells,
    const uint32_t *oids, unsigned n, ezw_str_t *out)
{
    int             kind;
    size_t          size;
    unsigned        i;
    unsigned char  *p, *bytes;

    size = 4;

    for (i = 0; i < n; i++) {
        if (cells[i].len < 0 || kind_of(oids[i], &cells[i]) == 0) {
            return EZW_INVALID;
        }

        size += HEAD + (size_t) cells[i].len;
    }

    if (size > EZW_CURSOR_MAX / 4 * 3) {
        return EZW_INVALID;
    }

    bytes = a->alloc(a->ctx, size);
    out->data = a->alloc(a->ctx, 4 * ((size + 2) / 3));

    if (bytes == NULL || out->data == NULL) {
        return EZW_ERROR;
    }

    p = bytes;
    *p++ = (unsigned char) (list >> 24);
    *p++ = (unsigned char) (list >> 16);
    *p++ = (unsigned char) (list >> 8);
    *p++ = (unsigned char) list;

    for (i = 0; i < n; i++) {
        kind = kind_of(oids[i], &cells[i]);

        *p++ = (unsigned char) kind;
        *p++ = (unsigned char) (cells[i].len >> 8);
        *p++ = (unsigned char) cells[i].len;
        memcpy(p, cells[i].data, (size_t) cells[i].len);
        p += cells[i].len;
    }

    out->len = ezw_base64url(out->data, bytes, size);

    return EZW_OK;
}


int
ezw_cursor_parse(const ezw_alloc_t *a, uint32_t list, const ezw_str_t *cursor,
    ezw_str_t *values, unsigned n)
{
    int             rc, kind;
    size_t          size, len;
    unsigned        i;
    unsigned char  *p, *end;

    if (cursor->len > EZW_CURSOR_MAX) {
        return EZW_INVALID;
    }

    p = a->alloc(a->ctx, 3 * (cursor->len / 4) + 3);
    if (p == NULL) {
        return EZW_ERROR;
    }

    if (ezw_base64url_parse(cursor, p, &size) != EZW_OK || size < 4
        || read_int(p, 4) != list)
    {
        return EZW_INVALID;
    }

    end = p + size;
    p += 4;

    for (i = 0; i < n; i++) {

        if (end - p < HEAD) {
            return EZW_INVALID;
        }

        kind = p[0];
        len = (size_t) read_int(p + 1, 2);
        p += HEAD;

        if ((size_t) (end - p) < len) {
            return EZW_INVALID;
        }

        rc = write_text(a, kind, p, len, &values[i]);

        if (rc != EZW_OK) {
            return rc;
        }

        p += len;
    }

    return p == end ? EZW_OK : EZW_INVALID;
}


/* A letter for the type of a value, 0: none that a cursor can have. */
static int
kind_of(uint32_t oid, const ezw_cell_t *cell)
{
    ezw_row_type_t  type;

    if (ezw_row_type(oid, &type) != EZW_OK) {
        return 0;
    }

    switch (type.value) {
    case EZW_ROW_TEXT:
        return 't';
    case EZW_ROW_UUID:
        return cell->len == 16 ? 'u' : 0;
    case EZW_ROW_INT4:
        return cell->len == 4 ? 'i' : 0;
    case EZW_ROW_INT8:
        return cell->len == 8 ? 'j' : 0;
    case EZW_ROW_TIMESTAMP:
        return cell->len == 8 ? 's' : 0;
    case EZW_ROW_BYTEA:
        return 'b';
    default:
        return 0;
    }
}


/* A value as the text that Postgres reads; EZW_OK, EZW_INVALID: it is none of
 * its kind, or EZW_ERROR. */
static int
write_text(const ezw_alloc_t *a, int kind, const unsigned char *p, size_t len,
    ezw_str_t *out)
{
    size_t  size;

    size = (kind == 'b') ? 2 + 2 * len : len < 40 ? 40 : len;

    out->data = a->alloc(a->ctx, size + 1);
    if (out->data == NULL) {
        return EZW_ERROR;
    }

    switch (kind) {

    case 't':
        if (ezw_utf8_length(p, len) < 0) {
            return EZW_INVALID;
        }
        memcpy(out->data, p, len);
        out->len = len;
        break;

    case 'u':
        if (len != 16) {
            return EZW_INVALID;
        }
        ezw_uuid_text(out->data, p);
        out->len = EZW_UUID_LEN;
        break;

    case 'i':
    case 'j':
        if (len != (kind == 'i' ? 4 : 8)) {
            return EZW_INVALID;
        }
        out->len = (size_t) snprintf((char *) out->data, size + 1, "%lld",
                                     kind == 'i'
                                     ? (long long) (int32_t) read_int(p, len)
                                     : (long long) read_int(p, len));
        break;

    case 's':
        if (len != 8
            || ezw_time_write(out->data, (int64_t) read_int(p, len)) == NULL
            || memcmp(out->data, "0000", 4) == 0)
        {
            return EZW_INVALID;
        }
        out->len = EZW_TIME_LEN;
        break;

    case 'b':
        memcpy(out->data, "\\x", 2);
        ezw_hex(out->data + 2, p, len);
        out->len = size;
        break;

    default:
        return EZW_INVALID;
    }

    out->data[out->len] = '\0';

    return EZW_OK;
}


static uint64_t
read_int(const unsigned char *p, size_t len)
{
    uint64_t  n;

    for (n = 0; len; len--) {
        n = n << 8 | *p++;
    }

    return n;
}

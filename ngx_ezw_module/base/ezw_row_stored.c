/*
 * Cells out of the text that Postgres makes of a row.  What is read here was
 * written by Postgres, but long ago perhaps and in a table: every text is
 * checked as if it came from a stranger.
 */

#include <limits.h>

#include <jansson.h>

#include "ezw_row_stored.h"
#include "ezw_row_stored_value.h"


#define ARRAY_HEAD    12
#define ARRAY_BOUNDS  8


static int store_json_string(const ezw_alloc_t *a, int versioned,
    const ezw_str_t *text, ezw_cell_t *cell);
static int no_more(ezw_writer_t *w, size_t need);
static int store_array(const ezw_alloc_t *a, const ezw_row_type_t *type,
    const ezw_str_t *text, ezw_cell_t *cell);
static int add_element(const ezw_row_type_t *type, const ezw_str_t *raw,
    unsigned char **dst, unsigned *nulls);
static int next_element(const unsigned char **pos, const unsigned char *end,
    ezw_str_t *raw);
static const unsigned char *skip_container(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *skip_string(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *skip_space(const unsigned char *p,
    const unsigned char *end);
static int is_json(const ezw_str_t *text);
static const unsigned char *skip_digits(const unsigned char *p,
    const unsigned char *end);


/* Makes a cell from a column's text; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_row_stored(const ezw_alloc_t *a, uint32_t oid, const ezw_str_t *text,
    ezw_cell_t *cell)
{
    size_t           len;
    unsigned char   *p;
    ezw_row_type_t   type;

    if (text->data == NULL) {
        cell->data = NULL;
        cell->len = -1;
        return EZW_OK;
    }

    /* an array's binary form takes up to eleven bytes for one of its text */

    if (text->len > INT_MAX / 16 || ezw_row_type(oid, &type) != EZW_OK) {
        return EZW_INVALID;
    }

    switch (type.value) {

    case EZW_ROW_ARRAY:
        return store_array(a, &type, text, cell);

    case EZW_ROW_JSON:
    case EZW_ROW_JSONB:
        if (!is_json(text)) {
            return store_json_string(a, type.value == EZW_ROW_JSONB, text,
                                     cell);
        }

        break;

    default:
        break;
    }

    if (type.value == EZW_ROW_TEXT || type.value == EZW_ROW_JSON) {
        cell->data = text->data;
        cell->len = (int) text->len;
        return EZW_OK;
    }

    p = a->alloc(a->ctx, text->len + EZW_ROW_STORED_FIXED);

    if (p == NULL) {
        return EZW_ERROR;
    }

    if (ezw_row_stored_value(type.value, oid, text, p, &len) != EZW_OK) {
        return EZW_INVALID;
    }

    cell->data = p;
    cell->len = (int) len;

    return EZW_OK;
}


/* Makes a json's cell from the string that it is, in which quotes and escapes
 * are undone; EZW_OK or EZW_ERROR. */
static int
store_json_string(const ezw_alloc_t *a, int versioned, const ezw_str_t *text,
    ezw_cell_t *cell)
{
    size_t          size;
    ezw_writer_t    w;
    unsigned char  *p;

    size = 1 + 6 * text->len + 2;

    p = a->alloc(a->ctx, size);

    if (p == NULL) {
        return EZW_ERROR;
    }

    memset(&w, 0, sizeof(ezw_writer_t));

    w.pos = p;
    w.end = p + size;
    w.more = no_more;

    if (versioned) {
        ezw_json_literal(&w, "\1");
    }

    ezw_json_string(&w, text->data, text->len);

    cell->data = p;
    cell->len = (int) (w.pos - p);

    return EZW_OK;
}


/* The buffer never grows: it was made large enough. */
static int
no_more(ezw_writer_t *w, size_t need)
{
    (void) w;
    (void) need;

    return EZW_ERROR;
}


/* Makes an array's cell (the form is in ezw_row.c) from a JSON array; EZW_OK,
 * EZW_INVALID or EZW_ERROR. */
static int
store_array(const ezw_alloc_t *a, const ezw_row_type_t *type,
    const ezw_str_t *text, ezw_cell_t *cell)
{
    int                   rc;
    size_t                size;
    unsigned              n, i, nulls;
    ezw_str_t             raw;
    unsigned char        *start, *dst;
    const unsigned char  *p, *pos, *end;

    end = text->data + text->len;
    p = skip_space(text->data, end);

    if (p == end || *p != '[') {
        return EZW_INVALID;
    }

    p = skip_space(p + 1, end);
    pos = p;
    n = 0;

    if (p < end && *p == ']') {
        pos++;

    } else {
        do {
            rc = next_element(&pos, end, &raw);

            if (rc == EZW_INVALID) {
                return EZW_INVALID;
            }

            n++;

        } while (rc == EZW_OK);
    }

    if (skip_space(pos, end) != end) {
        return EZW_INVALID;
    }

    /* a value is no longer than its text, or of a fixed size, or jsonb */

    size = ARRAY_HEAD + ARRAY_BOUNDS + text->len
           + (size_t) n * (4 + EZW_ROW_STORED_FIXED + 1);

    start = a->alloc(a->ctx, size);

    if (start == NULL) {
        return EZW_ERROR;
    }

    dst = start + ARRAY_HEAD;

    if (n > 0) {
        ezw_row_stored_number(dst, n, 4);
        ezw_row_stored_number(dst + 4, 1, 4);
        dst += ARRAY_BOUNDS;
    }

    nulls = 0;

    for (i = 0; i < n; i++) {
        (void) next_element(&p, end, &raw);

        rc = add_element(type, &raw, &dst, &nulls);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    ezw_row_stored_number(start, n > 0, 4);
    ezw_row_stored_number(start + 4, nulls, 4);
    ezw_row_stored_number(start + 8, type->element, 4);

    cell->data = start;
    cell->len = (int) (dst - start);

    return EZW_OK;
}


/* Adds an element, its length in front, at *dst and moves that; EZW_OK,
 * EZW_INVALID or EZW_ERROR. */
static int
add_element(const ezw_row_type_t *type, const ezw_str_t *raw,
    unsigned char **dst, unsigned *nulls)
{
    int           rc;
    size_t        len;
    json_t       *string;
    ezw_str_t     text;
    json_error_t  error;

    if (is_text(raw, "null")) {
        ezw_row_stored_number(*dst, UINT32_MAX, 4);
        *dst += 4;
        *nulls = 1;
        return EZW_OK;
    }

    string = NULL;
    text = *raw;

    if (type->element_value != EZW_ROW_JSON
        && type->element_value != EZW_ROW_JSONB)
    {
        if (raw->data[0] == '"') {
            text.data++;
            text.len -= 2;

            if (memchr(text.data, '\\', text.len) != NULL) {
                memset(&error, 0, sizeof(error));

                string = json_loadb((char *) raw->data, raw->len,
                                    JSON_DECODE_ANY, &error);

                if (string == NULL) {
                    /* nothing to say when malloc() failed */
                    return (error.text[0] == '\0') ? EZW_ERROR : EZW_INVALID;
                }

                text.data = (unsigned char *) json_string_value(string);
                text.len = json_string_length(string);
            }

        } else if (type->element_value == EZW_ROW_TEXT) {
            return EZW_INVALID;
        }
    }

    rc = ezw_row_stored_value(type->element_value, type->element, &text,
                              *dst + 4, &len);

    json_decref(string);

    if (rc == EZW_OK) {
        ezw_row_stored_number(*dst, len, 4);
        *dst += 4 + len;
    }

    return rc;
}


/* Reads an element as it stands, and what ends it.  EZW_OK: more follow;
 * EZW_DECLINED: it was the last; EZW_INVALID. */
static int
next_element(const unsigned char **pos, const unsigned char *end,
    ezw_str_t *raw)
{
    const unsigned char  *p;

    p = skip_space(*pos, end);

    raw->data = (unsigned char *) p;

    if (p < end && *p == '"') {
        p = skip_string(p, end);

    } else if (p < end && (*p == '{' || *p == '[')) {
        p = skip_container(p, end);

    } else {
        while (p < end && *p != ',' && *p != ']' && *p != '"'
               && skip_space(p, end) == p)
        {
            p++;
        }
    }

    if (p == NULL || p == raw->data) {
        return EZW_INVALID;
    }

    raw->len = p - raw->data;

    p = skip_space(p, end);

    if (p == end || (*p != ',' && *p != ']')) {
        return EZW_INVALID;
    }

    *pos = p + 1;

    return (*p == ',') ? EZW_OK : EZW_DECLINED;
}


/* The end of an object or array that begins at p; NULL: none. */
static const unsigned char *
skip_container(const unsigned char *p, const unsigned char *end)
{
    size_t  depth;

    depth = 0;

    while (p != NULL && p < end) {

        switch (*p) {

        case '"':
            p = skip_string(p, end);
            continue;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            if (--depth == 0) {
                return p + 1;
            }

            break;
        }

        p++;
    }

    return NULL;
}


/* The end of a string that begins at p; NULL: none. */
static const unsigned char *
skip_string(const unsigned char *p, const unsigned char *end)
{
    for (p++; p < end; p++) {

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\') {
            p++;
        }
    }

    return NULL;
}


/* Passes JSON's white space. */
static const unsigned char *
skip_space(const unsigned char *p, const unsigned char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }

    return p;
}


/* 1 for a json's text that is not the inside of a string. */
static int
is_json(const ezw_str_t *text)
{
    const unsigned char  *p, *end, *digits;

    p = text->data;
    end = p + text->len;

    if (p == end) {
        return 0;
    }

    if (*p == '{' || *p == '['
        || is_text(text, "true") || is_text(text, "false"))
    {
        return 1;
    }

    /* a number, by RFC 8259's grammar */

    p += (*p == '-');
    digits = p;
    p = skip_digits(p, end);

    if (p == digits || (*digits == '0' && p - digits > 1)) {
        return 0;
    }

    if (p < end && *p == '.') {
        digits = p + 1;
        p = skip_digits(digits, end);

        if (p == digits) {
            return 0;
        }
    }

    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += (p < end && (*p == '+' || *p == '-'));
        digits = p;
        p = skip_digits(digits, end);

        if (p == digits) {
            return 0;
        }
    }

    return p == end;
}


/* Passes decimal digits. */
static const unsigned char *
skip_digits(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }

    return p;
}

/*
 * Rows to JSON.  A column's alias is its place in the answer, its Postgres
 * type its encoding; values are in Postgres's binary format.
 *
 *   "name.fullName"       nested: columns of one object stand side by side
 *   "team?.jid"           the object is null when its first column is null
 *   "metadata:map"        json: an empty object is written as the deployment
 *                         writes empty maps ([] or {})
 *   "id:conversation"     text "channelJid contactJid" to base64(SHA1(
 *                         channelJid, 0x00, contactJid)) (DECISIONS 3)
 *   "key:secret"          the string that the conf has under the whole name
 *                         before the colon ("invite.url"), whatever the cell
 *                         is; null when it has none
 *   "@row"                control columns, and the column named "refusal":
 *                         not part of the answer
 *
 * Types: bool, int2/4/8, oid, float4/8, text-like (also unknown, name,
 * bpchar, varchar), numeric is refused; timestamptz, timestamp, uuid,
 * bytea (lower-case hex), json and jsonb (passed through), and
 * one-dimensional arrays of these (an array's null element is null).
 */

#ifndef EZW_ROW_H
#define EZW_ROW_H

#include "ezw_json.h"

typedef struct ezw_row_shape_s  ezw_row_shape_t;

typedef struct {
    const unsigned char  *data;      /* binary value, network byte order */
    int                   len;       /* bytes, -1: null */
} ezw_cell_t;

/* What the database must not see: made here, shown once. */
typedef struct {
    ezw_str_t             name;
    ezw_str_t             value;     /* UTF-8 */
} ezw_row_secret_t;

typedef struct {
    unsigned              empty_map_object:1;  /* {} instead of [] */
    const ezw_row_secret_t  *secrets;
    unsigned              nsecrets;
} ezw_row_conf_t;

/* Compiles the columns' names and type oids.  Names are copied.
 * EZW_OK; EZW_INVALID: *why (a type that is not known, one object in two
 * places, the same name twice); EZW_ERROR: no memory. */
int ezw_row_compile(const ezw_alloc_t *a, const char *const *names,
    const uint32_t *oids, unsigned n, ezw_row_shape_t **shape,
    ezw_invalid_t *why);

/* Index of a control column ("refusal", "@row", "@field") or -1. */
int ezw_row_control(const ezw_row_shape_t *s, const char *name);

/* Number of columns that are part of the answer. */
unsigned ezw_row_columns(const ezw_row_shape_t *s);

/* Writes one row as a JSON object; when its only answer column is named "."
 * the bare value (a list of strings).  EZW_OK; EZW_INVALID: a value that is
 * not of its type (a broken server), the writer's output is then to be
 * thrown away. */
int ezw_row_write(const ezw_row_shape_t *s, const ezw_row_conf_t *conf,
    const ezw_cell_t *cells, ezw_writer_t *w);

#endif

/*
 * Cursors: where a page of a list ended, opaque to its reader.
 *
 * base64url, without padding, of: 4 bytes that tell the list, then for each
 * value of the position its kind (one byte), its length (two bytes, network
 * byte order) and the value as Postgres sends it in binary.  Who makes one up
 * sees no more than the list shows anyway; what is no value of its kind is
 * refused here.
 */

#ifndef EZW_CURSOR_H
#define EZW_CURSOR_H

#include "ezw_row.h"

#define EZW_CURSOR_VALUES  3     /* at most, of one position */
#define EZW_CURSOR_MAX     4096  /* characters of a cursor */

/* The cursor of a position: n cells of these type oids (text, varchar, uuid,
 * int4, int8, timestamptz, bytea; none null).  *out is allocated.  EZW_OK;
 * EZW_INVALID: a cell that cannot be in a cursor; EZW_ERROR: no memory. */
int ezw_cursor_write(const ezw_alloc_t *a, uint32_t list,
    const ezw_cell_t *cells, const uint32_t *oids, unsigned n, ezw_str_t *out);

/* Its n values as the texts that Postgres reads, each with a NUL behind.
 * EZW_OK; EZW_INVALID: no cursor of this list; EZW_ERROR: no memory. */
int ezw_cursor_parse(const ezw_alloc_t *a, uint32_t list,
    const ezw_str_t *cursor, ezw_str_t *values, unsigned n);

#endif

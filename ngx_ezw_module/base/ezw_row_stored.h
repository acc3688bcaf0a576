/*
 * Rows that were kept as JSON, back to cells: the answer to a repeated request
 * is written by the same encoder as the first one was.
 */

#ifndef EZW_ROW_STORED_H
#define EZW_ROW_STORED_H

#include "ezw_row.h"

/* Makes the cell of a column of type oid (those that ezw_row.h lists), as
 * Postgres sends it, from the text that json_each_text(row_to_json(row)) has
 * for the column; text->data NULL: null.  Written as JSON, it reads as the
 * column did.  The cell lies in memory of `a` or in the text.
 *
 * Two things are not told apart in such a text: a json null from a null, and a
 * json string from the json that it spells; a string stays one unless it
 * spells a number, true or false, or begins like an object or an array.
 *
 * EZW_OK; EZW_INVALID: a text that is not of its type, a type that is not
 * served, an array of arrays; EZW_ERROR: no memory. */
int ezw_row_stored(const ezw_alloc_t *a, uint32_t oid, const ezw_str_t *text,
    ezw_cell_t *cell);

#endif

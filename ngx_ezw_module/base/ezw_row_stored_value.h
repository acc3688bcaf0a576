/*
 * The inside of ezw_row_stored: single values.  Included by ezw_row_stored*.c
 * only.
 */

#ifndef EZW_ROW_STORED_VALUE_H
#define EZW_ROW_STORED_VALUE_H

#include "ezw_row_shape.h"

#define EZW_ROW_STORED_FIXED  16     /* bytes of the longest value of fixed
                                        size */

#define is_text(text, literal)                                                \
    ((text)->len == sizeof(literal) - 1                                       \
     && memcmp((text)->data, literal, sizeof(literal) - 1) == 0)

/* Writes the binary form of a value that is no array; a json is taken as it
 * is.  dst has room for the text and EZW_ROW_STORED_FIXED bytes more.  EZW_OK
 * with *len, or EZW_INVALID. */
int ezw_row_stored_value(ezw_row_value_e value, uint32_t oid,
    const ezw_str_t *text, unsigned char *dst, size_t *len);

/* Writes a number of so many bytes in network byte order. */
void ezw_row_stored_number(unsigned char *p, uint64_t v, unsigned bytes);

#endif

/*
 * The inside of ezw_row: what ezw_row_compile.c makes and ezw_row.c writes by.
 * Included by these two, ezw_row_stored*.c and ezw_cursor.c only.
 *
 * A shape is a list of steps, each the literal text up to a value and how to
 * write the value.  A nullable object is a step that jumps behind the object.
 * A shape is read-only and may be used by any number of rows at once.
 */

#ifndef EZW_ROW_SHAPE_H
#define EZW_ROW_SHAPE_H

#include "ezw_row.h"

typedef enum {
    EZW_ROW_NONE,           /* the literal only */
    EZW_ROW_NULLABLE,       /* an object that its first column makes null */
    EZW_ROW_BOOL,
    EZW_ROW_INT2,
    EZW_ROW_INT4,
    EZW_ROW_INT8,
    EZW_ROW_OID,
    EZW_ROW_FLOAT4,
    EZW_ROW_FLOAT8,
    EZW_ROW_TEXT,
    EZW_ROW_TIMESTAMP,
    EZW_ROW_UUID,
    EZW_ROW_BYTEA,
    EZW_ROW_JSON,
    EZW_ROW_JSONB,
    EZW_ROW_CONVERSATION,
    EZW_ROW_SECRET,         /* a string out of the conf */
    EZW_ROW_ARRAY
} ezw_row_value_e;

/* How a type is written. */
typedef struct {
    ezw_row_value_e       value;
    uint32_t              element;    /* EZW_ROW_ARRAY: oid of the elements */
    ezw_row_value_e       element_value;
} ezw_row_type_t;

typedef struct {
    const unsigned char  *literal;
    uint32_t              len;
    uint32_t              column;
    uint32_t              jump;       /* EZW_ROW_NULLABLE: step when null */
    uint32_t              element;    /* EZW_ROW_ARRAY: oid of the elements;
                                         EZW_ROW_SECRET: index of its name */
    uint8_t               value;      /* ezw_row_value_e */
    uint8_t               element_value;
    uint8_t               map;
} ezw_row_step_t;

typedef struct {
    char                 *name;
    uint32_t              column;
} ezw_row_control_t;

struct ezw_row_shape_s {
    ezw_row_step_t       *steps;
    unsigned              nsteps;
    unsigned              columns;
    ezw_row_control_t    *controls;
    unsigned              ncontrols;
    ezw_str_t            *secrets;    /* names */
    unsigned              nsecrets;
};

/* EZW_OK, or EZW_INVALID: a type that is not served. */
int ezw_row_type(uint32_t oid, ezw_row_type_t *type);

#endif

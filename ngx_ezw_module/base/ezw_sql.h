/*
 * Statement files: "-- name: contact_get" heads each statement, which ends at
 * the next head or at the file's end; parameters are ":name" with dots
 * (":path.contactJid", ":has.body.name", ":after.0").  Casts "::text", string
 * literals, quoted identifiers, dollar quotes and comments are left alone.
 */

#ifndef EZW_SQL_H
#define EZW_SQL_H

#include "ezw_str.h"

#define EZW_SQL_PARAMS   48

typedef struct {
    ezw_str_t             name;
    ezw_str_t             text;      /* with $1..$n, no trailing ';', for libpq
                                        terminated by NUL (not in len) */
    unsigned              nparams;
    ezw_str_t             params[EZW_SQL_PARAMS];  /* names; $1 is the first;
                                        a name used twice has one number */
    unsigned              line;      /* of the head, 1-based */
} ezw_sql_t;

/* Next statement from *pos (a file's text, up to end); advances *pos and
 * *line (start it at 1).  EZW_OK; EZW_DECLINED: no more; EZW_INVALID: *why
 * (text before the first head, an unclosed literal, too many parameters,
 * two statements in one);  EZW_ERROR. */
int ezw_sql_next(const ezw_alloc_t *a, const unsigned char **pos,
    const unsigned char *end, unsigned *line, ezw_sql_t *out,
    ezw_invalid_t *why);

#endif

/* The statement files as embedded by sql/embed.awk. */

#ifndef NGX_EZW_SQL_FILES_H
#define NGX_EZW_SQL_FILES_H

#include <stddef.h>

typedef struct {
    const char           *name;      /* "contacts.sql"; NULL ends the table */
    const char           *text;
    size_t                size;
} ngx_ezw_sql_file_t;

extern const ngx_ezw_sql_file_t  ngx_ezw_sql_files[];

/* The newest migration: the schema that the statements are written for. */
extern const int  ngx_ezw_sql_version;

#endif

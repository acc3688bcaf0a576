/*
 * The named statements: read from the embedded files while the configuration
 * is read, found by name; and access to their rows.
 */

#include "pg/ngx_ezw_pg_conn.h"


static uint32_t read_be32(const u_char *p);
static int column_of(ngx_ezw_pg_query_t *q, int row, const char *column);


void *
ngx_ezw_pool_alloc(void *ctx, size_t size)
{
    return ngx_palloc(ctx, size);
}


ngx_int_t
ngx_ezw_pg_conf_statements(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf)
{
    int                        rc;
    unsigned                   line;
    ezw_sql_t                  sql;
    ezw_alloc_t                alloc;
    ezw_invalid_t              why;
    const unsigned char       *pos, *end;
    ngx_ezw_pg_statement_t    *st, **stp;
    const ngx_ezw_sql_file_t  *file;

    static ngx_str_t           setup = ngx_string("schema_version");

    if (ngx_array_init(&pcf->statements, cf->pool, 64,
                       sizeof(ngx_ezw_pg_statement_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    alloc.alloc = ngx_ezw_pool_alloc;
    alloc.ctx = cf->pool;

    for (file = ngx_ezw_sql_files; file->name; file++) {

        pos = (const unsigned char *) file->text;
        end = pos + file->size;
        line = 1;

        for ( ;; ) {
            rc = ezw_sql_next(&alloc, &pos, end, &line, &sql, &why);

            if (rc == EZW_DECLINED) {
                break;
            }

            if (rc != EZW_OK) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "statement file \"%s\", line %ui: %s",
                                   file->name, (ngx_uint_t) line,
                                   rc == EZW_INVALID ? why.text : "no memory");
                return NGX_ERROR;
            }

            st = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_pg_statement_t));
            if (st == NULL) {
                return NGX_ERROR;
            }

            /* libpq takes it as a string */

            st->name.len = sql.name.len;
            st->name.data = ngx_pnalloc(cf->pool, sql.name.len + 1);
            if (st->name.data == NULL) {
                return NGX_ERROR;
            }

            ngx_cpystrn(st->name.data, sql.name.data, sql.name.len + 1);

            if (ngx_ezw_pg_statement(pcf, &st->name)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "statement file \"%s\", line %ui: "
                                   "\"%V\" is there already",
                                   file->name, (ngx_uint_t) sql.line,
                                   &st->name);
                return NGX_ERROR;
            }

            st->index = pcf->statements.nelts;
            st->file = file->name;
            st->line = sql.line;
            st->text = (const char *) sql.text.data;
            st->nparams = sql.nparams;

            st->params = ngx_palloc(cf->pool,
                                    (sql.nparams + 1) * sizeof(ezw_str_t));
            if (st->params == NULL) {
                return NGX_ERROR;
            }

            ngx_memcpy(st->params, sql.params, sql.nparams * sizeof(ezw_str_t));

            stp = ngx_array_push(&pcf->statements);
            if (stp == NULL) {
                return NGX_ERROR;
            }

            *stp = st;
        }
    }

    pcf->setup = ngx_ezw_pg_statement(pcf, &setup);

    if (pcf->setup == NULL || pcf->setup->nparams != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no statement file has the statement \"%V\" "
                           "without parameters", &setup);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_ezw_pg_statement_t *
ngx_ezw_pg_statement(ngx_ezw_pg_conf_t *pcf, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_ezw_pg_statement_t  **st;

    st = pcf->statements.elts;

    for (i = 0; i < pcf->statements.nelts; i++) {
        if (st[i]->name.len == name->len
            && ngx_strncmp(st[i]->name.data, name->data, name->len) == 0)
        {
            return st[i];
        }
    }

    return NULL;
}


ngx_ezw_pg_statement_t *
ngx_ezw_pg_statement_around(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf,
    ngx_ezw_pg_statement_t *st, const char *suffix, const char *text,
    const ezw_str_t *params, ngx_uint_t nparams)
{
    size_t                    len;
    ngx_ezw_pg_statement_t   *around, **stp;

    len = st->name.len + ngx_strlen(suffix);

    around = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_pg_statement_t));
    stp = ngx_array_push(&pcf->statements);

    if (around == NULL || stp == NULL) {
        return NULL;
    }

    around->name.len = len;
    around->name.data = ngx_pnalloc(cf->pool, len + 1);
    around->params = ngx_palloc(cf->pool, nparams * sizeof(ezw_str_t));

    if (around->name.data == NULL || around->params == NULL) {
        return NULL;
    }

    *ngx_sprintf(around->name.data, "%V%s", &st->name, suffix) = '\0';
    ngx_memcpy(around->params, params, nparams * sizeof(ezw_str_t));

    around->index = pcf->statements.nelts - 1;
    around->file = st->file;
    around->line = st->line;
    around->text = text;
    around->nparams = nparams;

    *stp = around;

    return around;
}


ngx_int_t
ngx_ezw_pg_param(ngx_ezw_pg_statement_t *st, const char *name)
{
    size_t      len;
    ngx_uint_t  i;

    len = ngx_strlen(name);

    for (i = 0; i < st->nparams; i++) {
        if (st->params[i].len == len
            && ngx_strncmp(st->params[i].data, name, len) == 0)
        {
            return i;
        }
    }

    return -1;
}


ngx_int_t
ngx_ezw_pg_shape(ngx_ezw_pg_query_t *q)
{
    int                      i, n;
    uint32_t                 oids[NGX_EZW_PG_COLUMNS];
    const char              *names[NGX_EZW_PG_COLUMNS];
    ezw_alloc_t              alloc;
    ezw_invalid_t            why;
    ngx_ezw_pg_statement_t  *st;

    st = q->statement;
    n = PQnfields(q->result);

    if (st->shape && st->ncolumns == (ngx_uint_t) n) {
        return NGX_OK;
    }

    if (n > NGX_EZW_PG_COLUMNS) {
        ngx_log_error(NGX_LOG_ALERT, q->pg->log, 0,
                      "statement \"%V\" has %d columns", &st->name, n);
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        names[i] = PQfname(q->result, i);
        oids[i] = PQftype(q->result, i);
    }

    alloc.alloc = ngx_ezw_pool_alloc;
    alloc.ctx = q->pg->pool;

    st->shape = NULL;

    if (ezw_row_compile(&alloc, names, oids, n, &st->shape, &why) != EZW_OK) {
        st->shape = NULL;
        ngx_log_error(NGX_LOG_ALERT, q->pg->log, 0,
                      "statement \"%V\" (%s:%ui): %s", &st->name,
                      st->file, (ngx_uint_t) st->line, why.text);
        return NGX_ERROR;
    }

    st->ncolumns = n;

    return NGX_OK;
}


void
ngx_ezw_pg_cells(ngx_ezw_pg_query_t *q, int row, ezw_cell_t *cells)
{
    int  i, n;

    n = PQnfields(q->result);

    for (i = 0; i < n; i++) {
        cells[i].len = PQgetlength(q->result, row, i);
        cells[i].data = (unsigned char *) PQgetvalue(q->result, row, i);

        if (cells[i].len == 0 && PQgetisnull(q->result, row, i)) {
            cells[i].len = -1;
        }
    }
}


static uint32_t
read_be32(const u_char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


/* The column's number, -1 when it is not there or null in that row. */
static int
column_of(ngx_ezw_pg_query_t *q, int row, const char *column)
{
    int  i, n;

    if (row >= PQntuples(q->result)) {
        return -1;
    }

    n = PQnfields(q->result);

    for (i = 0; i < n; i++) {
        if (ngx_strcmp(PQfname(q->result, i), column) == 0) {
            return PQgetisnull(q->result, row, i) ? -1 : i;
        }
    }

    return -1;
}


ngx_uint_t
ngx_ezw_pg_null(ngx_ezw_pg_query_t *q, int row, const char *column)
{
    return column_of(q, row, column) == -1;
}


int64_t
ngx_ezw_pg_int(ngx_ezw_pg_query_t *q, int row, const char *column)
{
    int      i;
    u_char  *p;

    i = column_of(q, row, column);

    if (i == -1) {
        return 0;
    }

    p = (u_char *) PQgetvalue(q->result, row, i);

    switch (PQgetlength(q->result, row, i)) {

    case 1:
        return p[0] != 0;

    case 2:
        return (int16_t) (p[0] << 8 | p[1]);

    case 4:
        return (int32_t) read_be32(p);

    case 8:
        return (int64_t) ((uint64_t) read_be32(p) << 32 | read_be32(p + 4));
    }

    return 0;
}


ngx_str_t
ngx_ezw_pg_str(ngx_ezw_pg_query_t *q, int row, const char *column)
{
    int        i;
    ngx_str_t  s;

    i = column_of(q, row, column);

    if (i == -1) {
        ngx_str_set(&s, "");
        return s;
    }

    s.data = (u_char *) PQgetvalue(q->result, row, i);
    s.len = PQgetlength(q->result, row, i);

    return s;
}

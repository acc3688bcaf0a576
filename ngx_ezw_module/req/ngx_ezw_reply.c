/*
 * Answers: rows to JSON straight into the response's buffers, errors in the
 * form of their face.  What these functions return is what the request is to
 * be finalized with.
 */

#include "req/ngx_ezw_request.h"


#define NGX_EZW_OUT_MAX  65536


static int out_more(ezw_writer_t *w, size_t need);
static ngx_int_t out_grow(ngx_ezw_out_t *out, size_t size);
static ngx_int_t send_answer(ngx_ezw_ctx_t *ctx, ngx_uint_t status,
    ngx_chain_t *body, off_t length);


ngx_int_t
ngx_ezw_out_init(ngx_ezw_out_t *out, ngx_pool_t *pool, size_t size)
{
    ngx_memzero(out, sizeof(ngx_ezw_out_t));

    out->pool = pool;
    out->w.more = out_more;
    out->w.ctx = out;
    out->next_size = 4096;

    return out_grow(out, size);
}


static ngx_int_t
out_grow(ngx_ezw_out_t *out, size_t size)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_create_temp_buf(out->pool, size);
    if (b == NULL) {
        return NGX_ERROR;
    }

    cl = ngx_alloc_chain_link(out->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    if (out->last) {
        out->before += out->w.pos - out->last->buf->pos;
        out->last->buf->last = out->w.pos;
        out->last->next = cl;
    } else {
        out->first = cl;
    }

    out->last = cl;
    out->w.pos = b->pos;
    out->w.end = b->end;

    return NGX_OK;
}


static int
out_more(ezw_writer_t *w, size_t need)
{
    size_t          size;
    ngx_ezw_out_t  *out;

    out = w->ctx;
    size = ngx_max(out->next_size, need);

    if (out->next_size < NGX_EZW_OUT_MAX) {
        out->next_size *= 2;
    }

    return out_grow(out, size) == NGX_OK ? EZW_OK : EZW_ERROR;
}


off_t
ngx_ezw_out_length(ngx_ezw_out_t *out)
{
    return out->before + (out->w.pos - out->last->buf->pos);
}


off_t
ngx_ezw_out_end(ngx_ezw_out_t *out)
{
    if (out->w.failed) {
        return -1;
    }

    out->last->buf->last = out->w.pos;

    return ngx_ezw_out_length(out);
}


ngx_int_t
ngx_ezw_header(ngx_http_request_t *r, const char *name, u_char *value,
    size_t len)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = value;
    h->value.len = len;

    return NGX_OK;
}


/* The one place from which our answers leave. */
static ngx_int_t
send_answer(ngx_ezw_ctx_t *ctx, ngx_uint_t status, ngx_chain_t *body,
    off_t length)
{
    ngx_int_t            rc;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->replied = 1;
    r->headers_out.status = status;
    r->headers_out.content_length_n = length;

    if (body) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;

    } else {
        r->header_only = 1;       /* else nginx waits for the body's end */
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only || body == NULL) {
        return rc;
    }

    for (cl = body; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main);
    cl->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, body);
}


ngx_int_t
ngx_ezw_reply_json(ngx_ezw_ctx_t *ctx, ngx_uint_t status, ngx_chain_t *body,
    off_t length)
{
    return send_answer(ctx, status, body, length);
}


ngx_int_t
ngx_ezw_reply_error(ngx_ezw_ctx_t *ctx)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_ezw_error_body(ctx);
    cl = ngx_alloc_chain_link(ctx->request->pool);

    if (b == NULL || cl == NULL || ngx_ezw_error_headers(ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    return send_answer(ctx, ctx->error->status, cl, b->last - b->pos);
}


/* The rows of ctx->query as the endpoint's answer; or its refusal. */
ngx_int_t
ngx_ezw_reply_rows(ngx_ezw_ctx_t *ctx)
{
    int                      i, n, refusal, row, written;
    off_t                    length;
    size_t                   size;
    ngx_str_t                name;
    ngx_uint_t               c;
    const char              *field;
    ezw_cell_t               cells[NGX_EZW_PG_COLUMNS];
    ngx_ezw_out_t            out;
    ezw_row_conf_t           rows;
    ngx_ezw_pg_query_t      *q;
    ngx_ezw_endpoint_t      *ep;
    const ngx_ezw_error_t   *error;
    ngx_ezw_pg_statement_t  *st;

    ep = ctx->endpoint;
    q = &ctx->query;
    st = q->statement;
    n = PQntuples(q->result);

    if (ngx_ezw_pg_shape(q) != NGX_OK) {
        goto failed;
    }

    size = 64;

    if (n) {
        ngx_ezw_pg_cells(q, 0, cells);

        if (ctx->once && ngx_ezw_once_cells(ctx, cells) != NGX_OK) {
            return ngx_ezw_reply_error(ctx);
        }

        if (ctx->once && ctx->once->empty) {
            n = 0;
        }
    }

    if (n) {
        refusal = ezw_row_control(st->shape, "refusal");

        if (refusal != -1 && cells[refusal].len > 0) {
            name.data = (u_char *) cells[refusal].data;
            name.len = cells[refusal].len;
            error = ngx_ezw_error_of_refusal(&name, &field);

            if (error == NULL) {
                ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                              "statement \"%V\" (%s:%ui) refuses with the "
                              "unknown name \"%V\"", &st->name, st->file,
                              (ngx_uint_t) st->line, &name);
                goto failed;
            }

            (void) ngx_ezw_refuse(ctx, error, field, NULL);
            return ngx_ezw_reply_error(ctx);
        }

        if (ep->row->finish && ep->row->finish(ctx) != NGX_OK) {
            return ngx_ezw_reply_error(ctx);
        }

        for (c = 0; c < st->ncolumns; c++) {
            size += 40 + (cells[c].len > 0 ? cells[c].len : 0);
        }
    }

    if (ep->row->answer == NGX_EZW_NOTHING) {
        return send_answer(ctx, ep->row->status, NULL, 0);
    }

    if (ep->row->answer == NGX_EZW_OBJECT && n == 0) {
        (void) ngx_ezw_refuse(ctx, &ngx_ezw_not_found, NULL, NULL);
        return ngx_ezw_reply_error(ctx);
    }

    rows = ctx->conf->rows;
    rows.secrets = ctx->secrets;
    rows.nsecrets = ctx->nsecrets;

    if (ctx->nsecrets
        && ngx_ezw_header(ctx->request, "Cache-Control", (u_char *) "no-store",
                          8)
           != NGX_OK)
    {
        goto failed;
    }

    size = ngx_min(size * (n ? ngx_min(n, 16) : 1), 16384);

    if (ngx_ezw_out_init(&out, ctx->request->pool, size) != NGX_OK) {
        goto failed;
    }

    if (ep->row->answer == NGX_EZW_OBJECT) {

        if (ezw_row_write(st->shape, &rows, cells, &out.w) == EZW_INVALID) {
            goto broken;
        }

    } else {

        ezw_json_literal(&out.w, "[");

        row = ezw_row_control(st->shape, "@row");
        written = 0;

        for (i = 0; i < n; i++) {
            if (i > 0) {
                ngx_ezw_pg_cells(q, i, cells);
            }

            if (row != -1 && (cells[row].len != 1 || !cells[row].data[0])) {
                continue;
            }

            if (written++) {
                ezw_json_literal(&out.w, ",");
            }

            if (ezw_row_write(st->shape, &rows, cells, &out.w)
                == EZW_INVALID)
            {
                goto broken;
            }
        }

        ezw_json_literal(&out.w, "]");
    }

    length = ngx_ezw_out_end(&out);

    if (length < 0) {
        goto failed;
    }

    if (ep->wait
        && ngx_ezw_wait_begin(ctx, cells, out.first, length) == NGX_OK)
    {
        return NGX_DECLINED;
    }

    return send_answer(ctx, ep->row->status, out.first, length);

broken:

    ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                  "statement \"%V\" (%s:%ui): a value is not of its type",
                  &st->name, st->file, (ngx_uint_t) st->line);

failed:

    (void) ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);

    return ngx_ezw_reply_error(ctx);
}

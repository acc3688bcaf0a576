/*
 * Lists, page by page (DECISIONS 6).
 *
 * A list's statement answers at most :page.limit rows behind the position
 * :after.0, :after.1 ..; its control columns @cursor0, @cursor1 .. are a row's
 * position.  One row more than wanted is asked for: it tells that there are
 * more.  A request without a limit gets all: page after page is fetched, each
 * by an execution of its own, so that no result is large and no connection is
 * held up, until the list ends or is cut off.  Where it was cut, Link and
 * X-Next-Cursor tell.
 */

#include "base/ezw_cursor.h"
#include "req/ngx_ezw_request.h"


#define MAX_LIMIT      1000
#define PAGE           1000       /* rows of an execution */
#define QUICK          100        /* rows that may stand in the quick lane */
#define MAX_ROWS       100000
#define MAX_BYTES      (8 * 1024 * 1024)
#define MAX_COUNT      10000


struct ngx_ezw_page_s {
    ngx_uint_t            limit;     /* the client's, 0: all */
    ngx_uint_t            want;      /* rows of this execution */
    ngx_uint_t            rows;      /* written */
    ezw_str_t             after[EZW_CURSOR_VALUES];  /* data NULL: the start */
    ngx_ezw_out_t         out;
    unsigned              started:1;
};


static ngx_int_t start(ngx_ezw_ctx_t *ctx, int row);
static ngx_int_t count(ngx_ezw_ctx_t *ctx);
static ngx_int_t position(ngx_ezw_ctx_t *ctx, int row, ezw_str_t *cursor);
static ngx_int_t go_on(ngx_ezw_ctx_t *ctx, ezw_str_t *cursor);
static ngx_int_t announce(ngx_ezw_ctx_t *ctx, ezw_str_t *cursor);
static ngx_uint_t plain(u_char *p, u_char *end);
static uint32_t list_of(ngx_ezw_ctx_t *ctx);


static const ezw_field_t  page_query[] = {
    { .name = "limit", .type = EZW_FIELD_INTEGER, .min = 1, .max = MAX_LIMIT },
    { .name = "cursor", .type = EZW_FIELD_STRING, .min = 1,
      .max = EZW_CURSOR_MAX },
};

#define SLOTS         (sizeof(page_query) / sizeof(page_query[0]))
#define LIMIT_SLOT(ep)   ((ep)->nquery_slots - 2)
#define CURSOR_SLOT(ep)  ((ep)->nquery_slots - 1)


ngx_int_t
ngx_ezw_page_conf(ngx_conf_t *cf, ngx_ezw_endpoint_t *ep)
{
    ezw_field_t  *query;

    query = ngx_palloc(cf->pool, (ep->nquery + SLOTS) * sizeof(ezw_field_t));
    if (query == NULL) {
        return NGX_ERROR;
    }

    if (ep->nquery) {
        ngx_memcpy(query, ep->query, ep->nquery * sizeof(ezw_field_t));
    }

    ngx_memcpy(query + ep->nquery, page_query, sizeof(page_query));

    ep->query = query;
    ep->nquery += SLOTS;
    ep->nquery_slots += SLOTS;

    return NGX_OK;
}


ngx_int_t
ngx_ezw_page_begin(ngx_ezw_ctx_t *ctx)
{
    int                  rc;
    ezw_str_t            cursor;
    ezw_alloc_t          alloc;
    ezw_value_t         *limit, *value;
    ngx_ezw_page_t      *page;
    ngx_ezw_endpoint_t  *ep;

    ep = ctx->endpoint;

    page = ngx_pcalloc(ctx->request->pool, sizeof(ngx_ezw_page_t));
    if (page == NULL) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    ctx->page = page;
    page->want = PAGE;

    limit = &ctx->args[LIMIT_SLOT(ep)];
    value = &ctx->args[CURSOR_SLOT(ep)];

    if (limit->data) {
        page->limit = ngx_atoi((u_char *) limit->data, limit->len);
        page->want = page->limit;
    }

    if (value->data == NULL) {
        return NGX_OK;
    }

    alloc.alloc = ngx_ezw_pool_alloc;
    alloc.ctx = ctx->request->pool;
    cursor.data = (u_char *) value->data;
    cursor.len = value->len;

    rc = ezw_cursor_parse(&alloc, list_of(ctx), &cursor, page->after,
                          ep->nafter);

    if (rc == EZW_INVALID) {
        return ngx_ezw_page_refuse(ctx);
    }

    return rc == EZW_OK ? NGX_OK
                        : ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
}


ngx_int_t
ngx_ezw_page_refuse(ngx_ezw_ctx_t *ctx)
{
    return ngx_ezw_refuse(ctx, &ngx_ezw_invalid, "cursor",
                          "cursor is not one of this list");
}


ngx_ezw_pg_lane_e
ngx_ezw_page_lane(ngx_ezw_ctx_t *ctx)
{
    return ctx->page->want > QUICK ? NGX_EZW_PG_SLOW
                                   : ctx->endpoint->row->lane;
}


const char *
ngx_ezw_page_limit(ngx_ezw_ctx_t *ctx)
{
    u_char  *p;

    p = ngx_pnalloc(ctx->request->pool, NGX_INT_T_LEN + 1);
    if (p == NULL) {
        return NULL;
    }

    *ngx_sprintf(p, "%ui", ctx->page->want + 1) = '\0';

    return (char *) p;
}


const char *
ngx_ezw_page_after(ngx_ezw_ctx_t *ctx, ngx_uint_t i)
{
    return (char *) ctx->page->after[i].data;
}


const char *
ngx_ezw_page_count(ngx_ezw_ctx_t *ctx)
{
    return ctx->prefer.count_exact && !ctx->page->started ? "t" : "f";
}


/* Writes the rows of ctx->query.  NGX_DECLINED: the next execution is prepared;
 * else what the request is to be finalized with. */
ngx_int_t
ngx_ezw_page_rows(ngx_ezw_ctx_t *ctx)
{
    int                      i, n, row, last;
    off_t                    length;
    ezw_str_t                cursor;
    ezw_cell_t               cells[NGX_EZW_PG_COLUMNS];
    ngx_uint_t               taken, more;
    ngx_ezw_page_t          *page;
    ngx_ezw_pg_query_t      *q;
    ngx_ezw_pg_statement_t  *st;

    page = ctx->page;
    q = &ctx->query;
    st = q->statement;

    if (ngx_ezw_pg_shape(q) != NGX_OK) {
        goto failed;
    }

    row = ezw_row_control(st->shape, "@row");
    n = PQntuples(q->result);

    if (!page->started && start(ctx, row) != NGX_OK) {
        return ngx_ezw_reply_error(ctx);
    }

    taken = 0;
    more = 0;
    last = -1;

    for (i = 0; i < n; i++) {
        ngx_ezw_pg_cells(q, i, cells);

        if (row != -1 && (cells[row].len != 1 || !cells[row].data[0])) {
            continue;
        }

        if (taken == page->want
            || (taken && ngx_ezw_out_length(&page->out) >= MAX_BYTES))
        {
            more = 1;
            break;
        }

        if (page->rows++) {
            ezw_json_literal(&page->out.w, ",");
        }

        if (ezw_row_write(st->shape, &ctx->conf->rows, cells, &page->out.w)
            == EZW_INVALID)
        {
            ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                          "statement \"%V\" (%s:%ui): a value is not of its "
                          "type", &st->name, st->file, (ngx_uint_t) st->line);
            goto failed;
        }

        taken++;
        last = i;
    }

    if (more) {

        if (position(ctx, last, &cursor) != NGX_OK) {
            goto failed;
        }

        if (page->limit == 0 && page->rows < MAX_ROWS
            && ngx_ezw_out_length(&page->out) < MAX_BYTES)
        {
            if (go_on(ctx, &cursor) != NGX_OK) {
                goto failed;
            }

            return NGX_DECLINED;
        }

        if (announce(ctx, &cursor) != NGX_OK) {
            goto failed;
        }
    }

    ezw_json_literal(&page->out.w, "]");

    length = ngx_ezw_out_end(&page->out);

    if (length >= 0) {
        return ngx_ezw_reply_json(ctx, ctx->endpoint->row->status,
                                  page->out.first, length);
    }

failed:

    (void) ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);

    return ngx_ezw_reply_error(ctx);
}


/* Before the first row: a list whose parent is not there has no row at all,
 * not even one that is none of its items. */
static ngx_int_t
start(ngx_ezw_ctx_t *ctx, int row)
{
    if (row != -1 && PQntuples(ctx->query.result) == 0) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_not_found, NULL, NULL);
    }

    if (count(ctx) != NGX_OK
        || ngx_ezw_out_init(&ctx->page->out, ctx->request->pool, 4096)
           != NGX_OK)
    {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    ezw_json_literal(&ctx->page->out.w, "[");
    ctx->page->started = 1;

    return NGX_OK;
}


/* X-Total-Count, where it is asked for and the statement has counted. */
static ngx_int_t
count(ngx_ezw_ctx_t *ctx)
{
    int                  total;
    u_char              *p;
    int64_t              n;
    ngx_http_request_t  *r;

    r = ctx->request;
    total = ezw_row_control(ctx->query.statement->shape, "@total");

    if (!ctx->prefer.count_exact || total == -1
        || PQntuples(ctx->query.result) == 0)
    {
        return NGX_OK;
    }

    n = ngx_ezw_pg_int(&ctx->query, 0, "@total");

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN + 1);

    if (p == NULL
        || ngx_ezw_header(r, "X-Total-Count", p,
                          ngx_sprintf(p, n > MAX_COUNT ? "%L+" : "%L",
                                      ngx_min(n, MAX_COUNT))
                          - p)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_ezw_header(r, "Preference-Applied", (u_char *) "count=exact",
                          sizeof("count=exact") - 1);
}


/* Where a row stands in its list. */
static ngx_int_t
position(ngx_ezw_ctx_t *ctx, int row, ezw_str_t *cursor)
{
    int                      column;
    char                     name[sizeof("@cursor0")];
    uint32_t                 oids[EZW_CURSOR_VALUES];
    unsigned                 i;
    ezw_cell_t               all[NGX_EZW_PG_COLUMNS];
    ezw_cell_t               cells[EZW_CURSOR_VALUES];
    ezw_alloc_t              alloc;
    ngx_ezw_pg_query_t      *q;
    ngx_ezw_pg_statement_t  *st;

    q = &ctx->query;
    st = q->statement;

    ngx_ezw_pg_cells(q, row, all);

    for (i = 0; i < ctx->endpoint->nafter; i++) {
        *ngx_sprintf((u_char *) name, "@cursor%ui", (ngx_uint_t) i) = '\0';
        column = ezw_row_control(st->shape, name);

        if (column == -1) {
            goto failed;
        }

        cells[i] = all[column];
        oids[i] = PQftype(q->result, column);
    }

    alloc.alloc = ngx_ezw_pool_alloc;
    alloc.ctx = ctx->request->pool;

    if (ezw_cursor_write(&alloc, list_of(ctx), cells, oids, i, cursor)
        == EZW_OK)
    {
        return NGX_OK;
    }

failed:

    ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                  "statement \"%V\" (%s:%ui) has no position for a cursor",
                  &st->name, st->file, (ngx_uint_t) st->line);

    return NGX_ERROR;
}


/* The next execution begins behind the cursor. */
static ngx_int_t
go_on(ngx_ezw_ctx_t *ctx, ezw_str_t *cursor)
{
    ezw_alloc_t      alloc;
    ngx_ezw_page_t  *page;

    page = ctx->page;

    alloc.alloc = ngx_ezw_pool_alloc;
    alloc.ctx = ctx->request->pool;

    if (ezw_cursor_parse(&alloc, list_of(ctx), cursor, page->after,
                         ctx->endpoint->nafter)
        != EZW_OK)
    {
        return NGX_ERROR;
    }

    page->want = ngx_min(PAGE, MAX_ROWS - page->rows);

    return NGX_OK;
}


/* Link (RFC 8288) and X-Next-Cursor.  The link is the query alone: it holds
 * under whatever address the client knows us by. */
static ngx_int_t
announce(ngx_ezw_ctx_t *ctx, ezw_str_t *cursor)
{
    u_char              *p, *link, *arg, *end, *next;
    ngx_http_request_t  *r;

    r = ctx->request;

    link = ngx_pnalloc(r->pool, r->args.len + cursor->len
                                + sizeof("<?&cursor=>; rel=\"next\""));
    if (link == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(link, "<?", 2);
    end = r->args.data + r->args.len;

    for (arg = r->args.data; arg < end; arg = next + 1) {
        next = ngx_strlchr(arg, end, '&');

        if (next == NULL) {
            next = end;
        }

        if (plain(arg, next)
            && (next - arg < 7 || ngx_strncmp(arg, "cursor=", 7) != 0))
        {
            p = ngx_cpymem(p, arg, next - arg);
            *p++ = '&';
        }
    }

    p = ngx_cpymem(p, "cursor=", 7);
    p = ngx_cpymem(p, cursor->data, cursor->len);
    p = ngx_cpymem(p, ">; rel=\"next\"", sizeof(">; rel=\"next\"") - 1);

    if (ngx_ezw_header(r, "Link", link, p - link) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ezw_header(r, "X-Next-Cursor", cursor->data, cursor->len);
}


/* 1: an argument that may stand in a link as it came. */
static ngx_uint_t
plain(u_char *p, u_char *end)
{
    if (p == end) {
        return 0;
    }

    for ( /* void */ ; p < end; p++) {
        if (*p <= ' ' || *p >= 0x7f || *p == '<' || *p == '>' || *p == '"') {
            return 0;
        }
    }

    return 1;
}


/* Cursors of other lists are none of this one's. */
static uint32_t
list_of(ngx_ezw_ctx_t *ctx)
{
    return ngx_crc32_short(ctx->endpoint->name.data, ctx->endpoint->name.len);
}

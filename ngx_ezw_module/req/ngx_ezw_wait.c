/*
 * "Prefer: wait=N" (RFC 7240): a request whose effect goes on in the background
 * is answered when that has come to something, or after N seconds.
 *
 * What is waited for is committed, and the answer made, before the wait begins;
 * so whatever happens then, at worst the answer goes out as it is.  Another
 * worker or node may be at work: so it is the database that is asked, by the
 * small statement that the endpoint's row names, at growing intervals.  Between
 * them nothing is held but the client's connection: a timer runs, which is not
 * cancelable, so a worker that is shutting down waits for its client; when the
 * client goes away the request's pool takes the timer and the query back.
 *
 * The statement has the columns of the answer, which are text, as :lookup.id
 * and so on.  Its row tells: done; and of a failure code, as v3's errors have
 * it, and text, or nulls.
 */

#include "req/ngx_ezw_request.h"


#define MAX_SECONDS  8
#define FIRST_MS     20
#define LAST_MS      500


struct ngx_ezw_wait_s {
    ngx_ezw_ctx_t        *ctx;
    ngx_event_t           timer;
    ngx_msec_t            until;     /* ngx_current_msec */
    ngx_msec_t            pause;
    const char          **values;
    ngx_chain_t          *body;      /* the answer */
    off_t                 length;
};


static ngx_int_t look_up(ngx_ezw_ctx_t *ctx, const ezw_cell_t *cells);
static ngx_uint_t seconds(ngx_ezw_ctx_t *ctx);
static void pause_over(ngx_event_t *ev);
static void ask(ngx_ezw_wait_t *wait);
static void asked(ngx_ezw_ctx_t *ctx);
static void go_on(ngx_ezw_wait_t *wait);
static void failed(ngx_ezw_wait_t *wait);
static void finish(ngx_ezw_wait_t *wait);
static ngx_int_t applied(ngx_ezw_ctx_t *ctx);
static void cleanup(void *data);


ngx_int_t
ngx_ezw_wait_begin(ngx_ezw_ctx_t *ctx, const ezw_cell_t *cells,
    ngx_chain_t *body, off_t length)
{
    ngx_ezw_wait_t      *wait;
    ngx_pool_cleanup_t  *cln;

    if (ctx->endpoint->wait == NULL || ctx->prefer.wait == 0) {
        return NGX_DECLINED;
    }

    wait = ngx_pcalloc(ctx->request->pool, sizeof(ngx_ezw_wait_t));
    cln = ngx_pool_cleanup_add(ctx->request->pool, 0);

    if (wait == NULL || cln == NULL || look_up(ctx, cells) != NGX_OK) {
        return NGX_DECLINED;
    }

    wait->values = ngx_ezw_bind(ctx, ctx->endpoint->wait,
                                ctx->endpoint->wait_binds);
    if (wait->values == NULL) {
        return NGX_DECLINED;
    }

    wait->ctx = ctx;
    wait->body = body;
    wait->length = length;
    wait->pause = FIRST_MS;
    wait->until = ngx_current_msec + 1000 * seconds(ctx);
    wait->timer.handler = pause_over;
    wait->timer.data = wait;
    wait->timer.log = ctx->request->connection->log;

    cln->handler = cleanup;
    cln->data = wait;

    ctx->wait = wait;

    ngx_add_timer(&wait->timer, FIRST_MS);

    return NGX_OK;
}


/* The answer's columns, for the statement. */
static ngx_int_t
look_up(ngx_ezw_ctx_t *ctx, const ezw_cell_t *cells)
{
    u_char            *p;
    ngx_uint_t         i, n;
    ngx_pool_t        *pool;
    ezw_row_secret_t  *column;

    pool = ctx->request->pool;
    n = ctx->query.statement->ncolumns;

    ctx->looked = ngx_array_create(pool, n, sizeof(ezw_row_secret_t));
    if (ctx->looked == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (cells[i].len < 0) {
            continue;
        }

        column = ngx_array_push(ctx->looked);
        p = ngx_pnalloc(pool, cells[i].len + 1);

        if (column == NULL || p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, cells[i].data, cells[i].len);
        p[cells[i].len] = '\0';

        column->value.data = p;
        column->value.len = cells[i].len;

        /* the result that has the name will be gone */

        column->name.len = ngx_strlen(PQfname(ctx->query.result, i));
        column->name.data = ngx_pnalloc(pool, column->name.len + 1);
        if (column->name.data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(column->name.data, PQfname(ctx->query.result, i),
                   column->name.len);
    }

    return NGX_OK;
}


static ngx_uint_t
seconds(ngx_ezw_ctx_t *ctx)
{
    return ngx_min(ctx->prefer.wait, MAX_SECONDS);
}


/* From the event loop, as a query's end is. */
static void
pause_over(ngx_event_t *ev)
{
    ngx_ezw_wait_t    *wait;
    ngx_connection_t  *c;

    wait = ev->data;
    c = wait->ctx->request->connection;

    ngx_ezw_unpark_event(wait->ctx);
    ask(wait);

    ngx_http_run_posted_requests(c);
}


static void
ask(ngx_ezw_wait_t *wait)
{
    ngx_ezw_ctx_t  *ctx;

    ctx = wait->ctx;

    ctx->query.statement = ctx->endpoint->wait;
    ctx->query.values = wait->values;
    ctx->query.lane = NGX_EZW_PG_READ;
    ctx->query.write = 0;
    ctx->query.order = 0;

    if (ngx_ezw_park(ctx, asked) == NGX_OK) {
        return;
    }

    /* no database, or one that has enough to do: this was no error of what
     * the client asked for */

    ctx->error = NULL;
    ctx->text[0] = '\0';

    go_on(wait);
}


static void
asked(ngx_ezw_ctx_t *ctx)
{
    ngx_ezw_wait_t      *wait;
    ngx_ezw_pg_query_t  *q;

    wait = ctx->wait;
    q = &ctx->query;

    if (q->rc != NGX_EZW_PG_DONE || PQntuples(q->result) == 0
        || !ngx_ezw_pg_int(q, 0, "done"))
    {
        ngx_ezw_pg_query_clear(q);
        go_on(wait);
        return;
    }

    if (!ngx_ezw_pg_null(q, 0, "code")) {
        failed(wait);
        return;
    }

    ngx_ezw_pg_query_clear(q);
    finish(wait);
}


/* Another pause, as long as there is time. */
static void
go_on(ngx_ezw_wait_t *wait)
{
    ngx_msec_int_t  left;

    left = (ngx_msec_int_t) (wait->until - ngx_current_msec);

    if (left <= 0) {
        finish(wait);
        return;
    }

    wait->pause = ngx_min(2 * wait->pause, LAST_MS);

    ngx_ezw_park_event(wait->ctx);
    ngx_add_timer(&wait->timer, ngx_min(wait->pause, (ngx_msec_t) left));
}


/* What became of it is the answer. */
static void
failed(ngx_ezw_wait_t *wait)
{
    ngx_str_t               text;
    ngx_ezw_ctx_t          *ctx;
    const ngx_ezw_error_t  *error;

    ctx = wait->ctx;

    error = ngx_ezw_error_of_code(ngx_ezw_pg_int(&ctx->query, 0, "code"));
    text = ngx_ezw_pg_str(&ctx->query, 0, "text");

    if (text.len >= sizeof(ctx->text)) {
        text.len = sizeof(ctx->text) - 1;

        /* not in the middle of a character */
        while (text.len && (text.data[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }

    if (text.len) {
        (void) ngx_ezw_refuse(ctx, error, NULL, "%*s",
                              text.len, text.data);
    } else {
        (void) ngx_ezw_refuse(ctx, error, NULL, NULL);
    }

    ngx_ezw_pg_query_clear(&ctx->query);

    if (applied(ctx) != NGX_OK) {
        ngx_ezw_done(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_ezw_done(ctx, ngx_ezw_reply_error(ctx));
}


static void
finish(ngx_ezw_wait_t *wait)
{
    ngx_ezw_ctx_t  *ctx;

    ctx = wait->ctx;

    if (applied(ctx) != NGX_OK) {
        ngx_ezw_done(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_ezw_done(ctx, ngx_ezw_reply_json(ctx, ctx->endpoint->row->status,
                                         wait->body, wait->length));
}


static ngx_int_t
applied(ngx_ezw_ctx_t *ctx)
{
    u_char  *p;

    p = ngx_pnalloc(ctx->request->pool, sizeof("wait=8") + NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    return ngx_ezw_header(ctx->request, "Preference-Applied", p,
                          ngx_sprintf(p, "wait=%ui", seconds(ctx)) - p);
}


static void
cleanup(void *data)
{
    ngx_ezw_wait_t  *wait = data;

    if (wait->timer.timer_set) {
        ngx_del_timer(&wait->timer);
    }
}

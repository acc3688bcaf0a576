/*
 * The content phase: body, rules, one statement, reply.
 *
 * Counts: reading the body takes a reference to the request, and so do we when
 * there is none to read; the one finalize in request_done gives it back.  While
 * a query is out the request is parked: its events do nothing but notice that
 * the client has gone.
 */

#include "req/ngx_ezw_request.h"


static ngx_int_t begin(ngx_ezw_ctx_t *ctx);
static void body_read(ngx_http_request_t *r);
static void checked(ngx_ezw_ctx_t *ctx);
static void executed(ngx_ezw_ctx_t *ctx);
static void query_done(ngx_ezw_pg_query_t *q);
static ngx_int_t check_content_type(ngx_ezw_ctx_t *ctx);
static ngx_int_t check_body(ngx_ezw_ctx_t *ctx);
static ngx_int_t check_query(ngx_ezw_ctx_t *ctx);
static ngx_int_t gather_body(ngx_http_request_t *r, ngx_str_t *body);
static uint64_t order_of(ngx_ezw_ctx_t *ctx);
static void decref(void *data);


ngx_int_t
ngx_ezw_request_handler(ngx_http_request_t *r)
{
    ngx_int_t       rc;
    ngx_ezw_ctx_t  *ctx;

    ctx = ngx_ezw_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* errors of ours are JSON, whatever error_page says for other locations */
    r->error_page = 1;

    if (ctx->error) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }
        return ngx_ezw_reply_error(ctx);
    }

    if (!ctx->passed || ctx->endpoint == NULL
        || (ctx->principal == NULL && !ngx_ezw_public(ctx->endpoint)))
    {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "a request reached its content phase past the gate");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return begin(ctx);
}


static ngx_int_t
begin(ngx_ezw_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (check_query(ctx) != NGX_OK
        || (ctx->endpoint->paged && ngx_ezw_page_begin(ctx) != NGX_OK)
        || (ctx->endpoint->row->nbody && check_content_type(ctx) != NGX_OK))
    {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }
        return ngx_ezw_reply_error(ctx);
    }

    if (ctx->endpoint->row->nbody) {

        if (r != r->main) {
            /* a mirror's: the main request has read it */
            r->main->count++;
            body_read(r);
            return NGX_DONE;
        }

        r->request_body_in_single_buf = 1;

        rc = ngx_http_read_client_request_body(r, body_read);

        if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
            return rc;
        }

        return NGX_DONE;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ctx->endpoint->row->handler) {
        return ctx->endpoint->row->handler(ctx);
    }

    r->main->count++;

    checked(ctx);

    return NGX_DONE;
}


static void
body_read(ngx_http_request_t *r)
{
    ngx_ezw_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_ezw_module);

    if (check_body(ctx) != NGX_OK) {
        ngx_ezw_done(ctx, ngx_ezw_reply_error(ctx));
        return;
    }

    checked(ctx);
}


static void
checked(ngx_ezw_ctx_t *ctx)
{
    if (ctx->endpoint->row->before) {
        ctx->endpoint->row->before(ctx);
        return;
    }

    ngx_ezw_execute(ctx);
}


void
ngx_ezw_execute(ngx_ezw_ctx_t *ctx)
{
    ngx_ezw_bind_t      *binds;
    ngx_ezw_endpoint_t  *ep;

    ep = ctx->endpoint;

    if (ngx_ezw_once_begin(ctx) != NGX_OK) {
        ngx_ezw_done(ctx, ngx_ezw_reply_error(ctx));
        return;
    }

    ctx->query.statement = ctx->once ? ep->once : ep->statement;
    binds = ctx->once ? ep->once_binds : ep->binds;
    ctx->query.lane = ctx->page ? ngx_ezw_page_lane(ctx) : ep->row->lane;
    ctx->query.write = (ep->row->lane == NGX_EZW_PG_WRITE
                        || ep->row->method != NGX_HTTP_GET);
    ctx->query.order = order_of(ctx);
    ctx->query.values = ngx_ezw_bind(ctx, ctx->query.statement, binds);

    if (ctx->query.values == NULL) {
        ngx_ezw_once_end(ctx, 0);
        ngx_ezw_done(ctx, ctx->error ? ngx_ezw_reply_error(ctx)
                                     : NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    if (ngx_ezw_park(ctx, executed) != NGX_OK) {
        ngx_ezw_once_end(ctx, 0);
        ngx_ezw_done(ctx, ngx_ezw_reply_error(ctx));
    }
}


static void
executed(ngx_ezw_ctx_t *ctx)
{
    ngx_int_t               rc;
    const ngx_ezw_error_t  *error;

    if (ctx->query.rc == NGX_EZW_PG_DONE) {
        rc = ctx->page ? ngx_ezw_page_rows(ctx) : ngx_ezw_reply_rows(ctx);

        if (rc == NGX_DECLINED && ctx->page) {
            ngx_ezw_pg_query_clear(&ctx->query);
            ngx_ezw_execute(ctx);
            return;
        }

        if (ctx->endpoint->row->bell && ctx->error == NULL
            && ctx->conf->bell)
        {
            ctx->conf->bell();
        }

        if (ctx->wait) {
            ngx_ezw_pg_query_clear(&ctx->query);
            ngx_ezw_park_event(ctx);
            return;
        }

    } else {
        ngx_ezw_once_end(ctx, 0);

        if (ctx->query.rc == NGX_EZW_PG_FAILED) {
            error = ngx_ezw_error_of_sqlstate(ctx->query.sqlstate);

            if (ctx->page && error == &ngx_ezw_invalid) {
                /* whatever else a list is given is text to Postgres */
                (void) ngx_ezw_page_refuse(ctx);

            } else {
                (void) ngx_ezw_refuse(ctx, error, NULL, NULL);
            }

        } else {
            (void) ngx_ezw_refuse(ctx, &ngx_ezw_unavailable, NULL, NULL);
        }

        rc = ngx_ezw_reply_error(ctx);
    }

    ngx_ezw_pg_query_clear(&ctx->query);

    ngx_ezw_done(ctx, rc);
}


/* The one end of a request that has come to its content phase. */
void
ngx_ezw_done(ngx_ezw_ctx_t *ctx, ngx_int_t rc)
{
    if (ctx->done) {
        ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                      "a request is finalized twice");
        return;
    }

    ctx->done = 1;

    ngx_http_finalize_request(ctx->request, rc);
}


ngx_int_t
ngx_ezw_park(ngx_ezw_ctx_t *ctx, void (*resume)(ngx_ezw_ctx_t *))
{
    ngx_int_t  rc;

    ctx->resume = resume;
    ctx->query.handler = query_done;
    ctx->query.data = ctx;

    if (ctx->conf->pg == NULL) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_unavailable, NULL, NULL);
    }

    rc = ngx_ezw_pg_submit(ctx->conf->pg, &ctx->query);

    if (rc != NGX_OK) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_unavailable, NULL,
                              rc == NGX_BUSY ? "Service is overloaded" : NULL);
    }

    ngx_ezw_park_event(ctx);

    return NGX_OK;
}


void
ngx_ezw_park_event(ngx_ezw_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ctx->parked = 1;

    if (ctx->waited_from == 0) {
        ctx->waited_from = ngx_ezw_clock();
        ctx->waited_after = ngx_ezw_elapsed(r);
    }

    /* a body that is being discarded has its own reader */

    if (r == r->main && !r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;
}


void
ngx_ezw_unpark_event(ngx_ezw_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_http_set_log_request(r->connection->log, r);

    ctx->parked = 0;

    if (r == r->main && !r->discard_body) {
        r->read_event_handler = ngx_http_block_reading;
    }
}


/* From the event loop: nobody else will run what this posts, or log for it. */
static void
query_done(ngx_ezw_pg_query_t *q)
{
    ngx_ezw_ctx_t     *ctx;
    ngx_connection_t  *c;

    ctx = q->data;
    c = ctx->request->connection;

    ngx_ezw_unpark_event(ctx);
    ctx->resume(ctx);

    ngx_http_run_posted_requests(c);
}


void
ngx_ezw_run_phases(ngx_ezw_ctx_t *ctx)
{
    ctx->request->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(ctx->request);
}


static ngx_int_t
check_content_type(ngx_ezw_ctx_t *ctx)
{
    u_char               c;
    ngx_str_t           *type;
    ngx_http_request_t  *r;

    static const size_t  len = sizeof("application/json") - 1;

    r = ctx->request;

    if (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked) {
        return NGX_OK;            /* the body's own rules will speak */
    }

    if (r->headers_in.content_type) {
        type = &r->headers_in.content_type->value;

        if (type->len >= len
            && ngx_strncasecmp(type->data, (u_char *) "application/json", len)
               == 0)
        {
            c = type->len > len ? type->data[len] : '\0';

            if (c == '\0' || c == ';' || c == ' ' || c == '\t') {

                if (ngx_strlcasestrn(type->data, type->data + type->len,
                                     (u_char *) "charset=", 8 - 1)
                    == NULL
                    || ngx_strlcasestrn(type->data, type->data + type->len,
                                        (u_char *) "utf-8", 5 - 1))
                {
                    return NGX_OK;
                }
            }
        }
    }

    return ngx_ezw_refuse(ctx, &ngx_ezw_media_type, NULL, NULL);
}


/* The body as one string; from several buffers or a file when it must. */
static ngx_int_t
gather_body(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t         size;
    u_char       *p;
    size_t        n;
    ssize_t       got;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    body->len = 0;
    body->data = (u_char *) "";

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;

    if (cl->next == NULL && ngx_buf_in_memory(cl->buf)) {
        body->data = cl->buf->pos;
        body->len = cl->buf->last - cl->buf->pos;
        return NGX_OK;
    }

    size = 0;

    for ( /* void */ ; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    p = ngx_pnalloc(r->pool, (size_t) size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        if (!b->in_file) {
            continue;             /* the end's mark, which has no bytes */
        }

        n = (size_t) (b->file_last - b->file_pos);
        got = ngx_read_file(b->file, p, n, b->file_pos);

        if (got != (ssize_t) n) {
            return NGX_ERROR;
        }

        p += n;
    }

    body->len = p - body->data;

    return NGX_OK;
}


static void
decref(void *data)
{
    json_decref(data);
}


/* Parses and checks the body; NGX_DECLINED with ctx->error. */
static ngx_int_t
check_body(ngx_ezw_ctx_t *ctx)
{
    int                            rc;
    json_t                        *json;
    ezw_str_t                      value;
    ngx_str_t                      body;
    ezw_jid_t                      jid;
    ngx_uint_t                     i;
    ezw_alloc_t                    alloc;
    ezw_invalid_t                  why;
    ezw_fields_conf_t              conf;
    ngx_ezw_endpoint_t            *ep;
    ngx_pool_cleanup_t            *cln;
    ngx_http_request_t            *r;
    ngx_ezw_loc_conf_t            *elcf;
    u_char                        *p;
    int                            slot;
    const ngx_ezw_endpoint_row_t  *row;

    r = ctx->request;
    ep = ctx->endpoint;
    row = ep->row;
    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);

    if (gather_body(r, &body) != NGX_OK) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    ctx->raw = body;

    if (body.len > elcf->max_body) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_too_large, NULL, NULL);
    }

    ctx->body = ngx_pcalloc(r->pool,
                            (ep->nbody_slots + 1) * sizeof(ezw_value_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (ctx->body == NULL || cln == NULL) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    json = NULL;
    rc = ezw_fields_parse(body.data, body.len, &json, &why);

    if (rc == EZW_OK) {
        cln->handler = decref;
        cln->data = json;

        alloc.alloc = ngx_ezw_pool_alloc;
        alloc.ctx = r->pool;
        conf.jids = &ctx->conf->jids;
        conf.urls = &ctx->conf->urls;
        conf.alloc = &alloc;
        conf.strict = ctx->prefer.strict;
        ngx_memzero(&conf.domain, sizeof(ezw_str_t));

        if (ep->channel >= 0) {
            conf.domain = ctx->jids[ep->channel].domain;
        }

        conf.owner = (ctx->principal
                      && ctx->principal->scope == EZW_SCOPE_OWNER);

        rc = ezw_fields_check(&conf, row->body, row->nbody, json, ctx->body,
                              &why);
    }

    if (rc == EZW_INVALID) {
        return ngx_ezw_refuse(ctx, why.code == (int) ngx_ezw_bad_media.code
                                   ? &ngx_ezw_bad_media : &ngx_ezw_invalid,
                              why.field, "%s", why.text);
    }

    if (rc != EZW_OK) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    if (ep->channel < 0) {
        return NGX_OK;
    }

    /* a contact's jid in the body must be of the path's channel */

    for (i = 0; i < row->nbody; i++) {

        if (row->body[i].type != EZW_FIELD_JID
            || row->body[i].min != EZW_JID_CONTACT)
        {
            continue;
        }

        slot = ezw_fields_slot(row->body, row->nbody, row->body[i].name,
                               ngx_strlen(row->body[i].name));

        value.data = (u_char *) ctx->body[slot].data;
        value.len = ctx->body[slot].len;

        if (value.data == NULL) {
            continue;
        }

        p = ngx_pnalloc(r->pool, value.len + 1);

        if (p == NULL
            || ezw_jid_parse(&ctx->conf->jids, &value, p, &jid) != EZW_OK
            || !ezw_jid_belongs(&jid, &ctx->jids[ep->channel]))
        {
            return ngx_ezw_refuse(ctx, &ngx_ezw_invalid, row->body[i].name,
                                  "Jid is invalid");
        }
    }

    return NGX_OK;
}


static ngx_int_t
check_query(ngx_ezw_ctx_t *ctx)
{
    int                            rc;
    ezw_str_t                      args;
    ezw_alloc_t                    alloc;
    ezw_invalid_t                  why;
    ezw_fields_conf_t              conf;
    ngx_http_request_t            *r;
    ngx_ezw_endpoint_t            *ep;

    r = ctx->request;
    ep = ctx->endpoint;

    if (r->args.len == 0 && ep->nquery == 0) {
        return NGX_OK;
    }

    ctx->args = ngx_pcalloc(r->pool,
                            (ep->nquery_slots + 1) * sizeof(ezw_value_t));
    if (ctx->args == NULL) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    args.data = r->args.data;
    args.len = r->args.len;

    alloc.alloc = ngx_ezw_pool_alloc;
    alloc.ctx = r->pool;
    conf.jids = &ctx->conf->jids;
    conf.urls = &ctx->conf->urls;
    conf.alloc = &alloc;
    ngx_memzero(&conf.domain, sizeof(ezw_str_t));
    conf.strict = ctx->prefer.strict;
    conf.owner = 0;

    rc = ezw_fields_query(&conf, ep->query, ep->nquery, &args, ctx->args,
                          &why);

    if (rc == EZW_INVALID) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_invalid, why.field, "%s",
                              why.text);
    }

    if (rc != EZW_OK) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    return NGX_OK;
}


/* Rows are taken in the order of (channel, contact): one for all workers. */
static uint64_t
order_of(ngx_ezw_ctx_t *ctx)
{
    uint32_t             channel, contact;
    ngx_ezw_endpoint_t  *ep;

    ep = ctx->endpoint;
    channel = 0;
    contact = 0;

    if (ep->channel >= 0) {
        channel = ngx_crc32_short(ctx->match.params[ep->channel].data,
                                  ctx->match.params[ep->channel].len);
    }

    if (ep->contact >= 0) {
        contact = ngx_crc32_short(ctx->match.params[ep->contact].data,
                                  ctx->match.params[ep->contact].len);
    }

    return (uint64_t) channel << 32 | contact;
}

/*
 * Answers that nginx itself makes in our locations (413, 414, 500, what an
 * access module refuses) get the JSON body of their face, and so does what the
 * gate refuses before a location of somebody else's, unless it has an
 * error_page of its own; every answer gets its X-Trace-Id, and says what is
 * left of its rate (draft-ietf-httpapi-ratelimit-headers), also where nginx has
 * gone on to a location that has no gate.
 */

#include "req/ngx_ezw_request.h"


static ngx_int_t header_filter(ngx_http_request_t *r);
static ngx_int_t body_filter(ngx_http_request_t *r, ngx_chain_t *in);
static ngx_int_t redirected(ngx_http_request_t *r);
static ngx_int_t answer_headers(ngx_ezw_ctx_t *ctx);
static void hide(ngx_http_request_t *r, const char *name, size_t len);
static ngx_int_t pace_headers(ngx_ezw_ctx_t *ctx);
static u_char *write_uint(u_char *p, uint32_t n);

static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_ezw_filter_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = body_filter;
}


static ngx_int_t
header_filter(ngx_http_request_t *r)
{
    ngx_buf_t           *b;
    ngx_chain_t         *cl;
    ngx_ezw_ctx_t       *ctx;
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);

    if (!ngx_ezw_gated(elcf) && !elcf->health) {
        return redirected(r);
    }

    ctx = ngx_ezw_ctx(r);

    if (ctx == NULL || answer_headers(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->replied || r->headers_out.status < 400 || ctx->replace) {
        return ngx_http_next_header_filter(r);
    }

    if (elcf->face == NGX_EZW_FACE_NONE && !elcf->health
        && (ctx->error == NULL || ctx->verdict_status == 0
            || ctx->error->status != r->headers_out.status))
    {
        return ngx_http_next_header_filter(r);    /* not the gate's */
    }

    if (ctx->error == NULL || ctx->error->status != r->headers_out.status) {
        (void) ngx_ezw_refuse(ctx,
                              ngx_ezw_error_of_status(r->headers_out.status),
                              NULL, NULL);
    }

    b = ngx_ezw_error_body(ctx);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL || ngx_ezw_error_headers(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    cl->buf = b;
    cl->next = NULL;

    ctx->replace = 1;
    ctx->replacement = cl;

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);
    ngx_http_clear_content_length(r);

    r->headers_out.content_length_n = b->last - b->pos;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_null(&r->headers_out.charset);

    return ngx_http_next_header_filter(r);
}


/* A location without a gate: its error page for what one has refused, or its
 * content for whom one has let through. */
static ngx_int_t
redirected(ngx_http_request_t *r)
{
    ngx_ezw_ctx_t  *ctx;

    ctx = ngx_ezw_ctx_find(r);

    if (ctx == NULL || ctx->request != r || ctx->verdict == NULL) {
        return ngx_http_next_header_filter(r);
    }

    if (answer_headers(ctx) != NGX_OK
        || (ctx->verdict_status
            && (ngx_uint_t) ctx->verdict_status == r->headers_out.status
            && ngx_ezw_error_headers(ctx) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_http_next_header_filter(r);
}


/* What every answer to a client has. */
static ngx_int_t
answer_headers(ngx_ezw_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    if (r != r->main) {
        return NGX_OK;
    }

    if (r->upstream) {
        /* a service behind the gate that has trace ids of its own */
        hide(r, "X-Trace-Id", sizeof("X-Trace-Id") - 1);
    }

    if (ngx_ezw_header(r, "X-Trace-Id", ctx->trace, ctx->conf->trace_length)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ctx->pace.policy.len ? pace_headers(ctx) : NGX_OK;
}


/* Takes a header out of the answer. */
static void
hide(ngx_http_request_t *r, const char *name, size_t len)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                h[i].hash = 0;
            }
        }
    }
}


static ngx_int_t
pace_headers(ngx_ezw_ctx_t *ctx)
{
    u_char          *p, *start;
    ngx_ezw_pace_t  *pace;

    pace = &ctx->pace;

    start = ngx_pnalloc(ctx->request->pool, pace->name.len
                                            + sizeof(";r=;t=")
                                            + 2 * NGX_INT32_LEN);
    if (start == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(start, pace->name.data, pace->name.len);
    p = ngx_cpymem(p, ";r=", 3);
    p = write_uint(p, pace->remaining);
    p = ngx_cpymem(p, ";t=", 3);
    p = write_uint(p, pace->reset);

    if (ngx_ezw_header(ctx->request, "RateLimit-Policy", pace->policy.data,
                       pace->policy.len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_ezw_header(ctx->request, "RateLimit", start, p - start);
}


/* In decimal: this runs for every answer, and ngx_sprintf takes its time. */
static u_char *
write_uint(u_char *p, uint32_t n)
{
    u_char  digits[NGX_INT32_LEN], *d;

    d = digits + sizeof(digits);

    do {
        *--d = (u_char) ('0' + n % 10);
        n /= 10;
    } while (n);

    return ngx_cpymem(p, d, digits + sizeof(digits) - d);
}


static ngx_int_t
body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t         *cl;
    ngx_ezw_ctx_t       *ctx;
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);

    if ((!ngx_ezw_gated(elcf) && !elcf->health) || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_ezw_module);

    if (ctx == NULL || !ctx->replace) {
        return ngx_http_next_body_filter(r, in);
    }

    /* what nginx made is swallowed; ours goes out once */

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (ctx->replaced) {
        return NGX_OK;
    }

    ctx->replaced = 1;

    return ngx_http_next_body_filter(r, ctx->replacement);
}

/*
 * The request's ctx: made at its first need, with its trace id; found again
 * after an internal redirect by the pool cleanup that also takes the request's
 * query back when the request dies.
 */

#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/ezw_utf8.h"
#include "req/ngx_ezw_request.h"


static ngx_ezw_ctx_t *recover(ngx_http_request_t *r);
static void cleanup(void *data);
static void read_headers(ngx_ezw_ctx_t *ctx);
static void make_trace(ngx_ezw_ctx_t *ctx);
static void trace_random(uint64_t rnd[2]);


#define rotate(x, k)  ((x) << (k) | (x) >> (64 - (k)))


ngx_ezw_ctx_t *
ngx_ezw_ctx_find(ngx_http_request_t *r)
{
    ngx_ezw_ctx_t  *ctx;

    ctx = recover(r);

    /* a slice, or a cache's update in the background, begins in the content
     * phase of the request that it is a copy of: it is in its name */

    if ((ctx == NULL || ctx->verdict == NULL)
        && r != r->main && r->loc_conf == r->parent->loc_conf)
    {
        return ngx_ezw_ctx_find(r->parent);
    }

    return ctx;
}


/* The request's own ctx, also after a redirect; NULL: none. */
static ngx_ezw_ctx_t *
recover(ngx_http_request_t *r)
{
    ngx_ezw_ctx_t       *ctx;
    ngx_pool_cleanup_t  *cln;

    ctx = ngx_http_get_module_ctx(r, ngx_ezw_module);

    if (ctx || (!r->internal && !r->filter_finalize)) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != cleanup) {
            continue;
        }

        ctx = cln->data;

        /* not r->ctx: that would take the old location's verdict along */

        if (ctx->request == r) {
            return ctx;
        }
    }

    return NULL;
}


ngx_ezw_ctx_t *
ngx_ezw_ctx(ngx_http_request_t *r)
{
    ngx_ezw_ctx_t       *ctx;
    ngx_pool_cleanup_t  *cln;
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);

    ctx = ngx_http_get_module_ctx(r, ngx_ezw_module);

    if (ctx) {
        return ctx;
    }

    ctx = recover(r);

    if (ctx) {
        /* redirected: the trace stays, and its rate has been taken;
         * everything else is found out anew */

        ngx_http_set_ctx(r, ctx, ngx_ezw_module);

        ngx_ezw_pg_cancel(&ctx->query);
        ngx_ezw_once_end(ctx, 0);

        ctx->once = NULL;
        ctx->nsecrets = 0;
        ctx->looked = NULL;
        ctx->body = NULL;
        ctx->args = NULL;
        ngx_str_null(&ctx->raw);
        ngx_str_null(&ctx->password_hash);
        ctx->service = NULL;
        ctx->face = elcf->face;
        ctx->endpoint = NULL;
        ctx->principal = NULL;
        ctx->error = NULL;
        ctx->gate = NULL;
        ctx->verdict = NULL;
        ctx->verdict_status = 0;
        ctx->routed = 0;
        ctx->passed = 0;
        ctx->parked = 0;
        ctx->replied = 0;
        ctx->done = 0;
        ctx->replace = 0;
        ctx->replaced = 0;
        ctx->charged = 0;
        ctx->company[0] = '\0';
        ctx->field[0] = '\0';
        ctx->text[0] = '\0';

        return ctx;
    }

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_ezw_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = cleanup;
    cln->data = ctx;

    ctx->request = r;
    ctx->face = elcf->face;
    ctx->conf = ngx_http_get_module_main_conf(r, ngx_ezw_module);

    if (r == r->main && ngx_ezw_gated(elcf)) {
        ctx->open = 1;
        ctx->conf->open++;
    }

    read_headers(ctx);
    make_trace(ctx);

    ngx_http_set_ctx(r, ctx, ngx_ezw_module);

    return ctx;
}


static void
cleanup(void *data)
{
    ngx_ezw_ctx_t  *ctx = data;

    ngx_ezw_pg_cancel(&ctx->query);

    if (ctx->open) {
        ctx->conf->open--;
    }

    if (ctx->conf->ended) {
        ctx->conf->ended(ctx);
    }
}


ngx_uint_t
ngx_ezw_ctx_paced(ngx_ezw_ctx_t *ctx)
{
    ngx_ezw_ctx_t       *other;
    ngx_pool_cleanup_t  *cln;

    /* subrequests share their main request's pool */

    for (cln = ctx->request->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != cleanup) {
            continue;
        }

        other = cln->data;

        if (other->paced) {
            return 1;
        }
    }

    return 0;
}


/*
 * One look at the request's headers: all must be UTF-8, and some are kept.
 * Nearly all of them are ASCII, which is seen by words.
 */
static void
read_headers(ngx_ezw_ctx_t *ctx)
{
    u_char           *p, *last;
    uint64_t          word, bits;
    ezw_str_t         value;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &ctx->request->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return;
            }
            part = part->next;
            h = part->elts;
            i = 0;
        }

        p = h[i].value.data;
        last = p + h[i].value.len;
        bits = 0;

        for ( /* void */ ; last - p >= 8; p += sizeof(word)) {
            ngx_memcpy(&word, p, sizeof(word));
            bits |= word;
        }

        for ( /* void */ ; p < last; p++) {
            bits |= *p;
        }

        if ((bits & UINT64_C(0x8080808080808080))
            && ctx->bad_header == NULL
            && ezw_utf8_length(h[i].value.data, h[i].value.len) < 0)
        {
            ctx->bad_header = (char *) h[i].key.data;
        }

        value.data = h[i].value.data;
        value.len = h[i].value.len;

        switch (h[i].key.len) {

        case sizeof("prefer") - 1:

            if (ngx_memcmp(h[i].lowcase_key, "prefer", sizeof("prefer") - 1)
                == 0)
            {
                ezw_prefer_parse(&value, &ctx->prefer);
            }

            break;

        case sizeof("traceparent") - 1:

            if (ctx->trace[0] == '\0'
                && ngx_memcmp(h[i].lowcase_key, "traceparent",
                              sizeof("traceparent") - 1)
                   == 0)
            {
                if (ezw_traceparent(&value, ctx->trace) != EZW_OK) {
                    ctx->trace[0] = '\0';
                }
            }

            break;

        case sizeof("idempotency-key") - 1:

            if (ctx->idempotency_key == NULL
                && ngx_memcmp(h[i].lowcase_key, "idempotency-key",
                              sizeof("idempotency-key") - 1)
                   == 0)
            {
                ctx->idempotency_key = &h[i];
            }

            break;

        case sizeof("authentication") - 1:

            if (ngx_memcmp(h[i].lowcase_key, "authentication",
                           sizeof("authentication") - 1)
                == 0)
            {
                ctx->authentication = &h[i];
            }

            break;
        }
    }
}


/* From a valid traceparent, else at random; a subrequest shares its main's. */
static void
make_trace(ngx_ezw_ctx_t *ctx)
{
    uint64_t             rnd[2];
    ngx_ezw_ctx_t       *main;
    ngx_http_request_t  *r;

    r = ctx->request;

    if (r != r->main) {
        main = ngx_http_get_module_ctx(r->main, ngx_ezw_module);

        if (main) {
            ngx_memcpy(ctx->trace, main->trace, sizeof(ctx->trace));
            return;
        }
    }

    if (ctx->trace[0] == '\0') {
        trace_random(rnd);
        ezw_hex(ctx->trace, (u_char *) rnd, sizeof(rnd));
    }

    ctx->trace[32] = '\0';
}


/* A trace id must be unlike others, not hard to guess: xoshiro256++ (Blackman
 * and Vigna), whose seed is random. */
static void
trace_random(uint64_t rnd[2])
{
    uint64_t          t;
    ngx_uint_t        i;

    static uint64_t   s[4];
    static ngx_pid_t  pid;

    if (pid != ngx_pid) {
        pid = ngx_pid;
        (void) ngx_ezw_random((u_char *) s, sizeof(s));
    }

    for (i = 0; i < 2; i++) {
        rnd[i] = rotate(s[0] + s[3], 23) + s[0];

        t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = rotate(s[3], 45);
    }
}


ngx_int_t
ngx_ezw_random(u_char *p, size_t n)
{
    static u_char      buf[4096];
    static size_t      left;
    static ngx_pid_t   pid;

    /* a fork must not share what is left */

    if (pid != ngx_pid) {
        pid = ngx_pid;
        left = 0;
    }

    if (left < n) {
        left = 0;

        if (RAND_bytes(buf, sizeof(buf)) == 1) {
            left = sizeof(buf);

        } else {
            ERR_clear_error();

            /* the kernel's own, no more than 256 at a time */

            if (n > 256 || getentropy(buf, 256) != 0) {
                ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                              "no random bytes");
                return NGX_ERROR;
            }

            left = 256;
        }
    }

    left -= n;
    ngx_memcpy(p, buf + left, n);

    return NGX_OK;
}


uint64_t
ngx_ezw_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (uint64_t) tp->sec * 1000 + tp->msec;
}


uint64_t
ngx_ezw_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


ngx_msec_t
ngx_ezw_elapsed(ngx_http_request_t *r)
{
    ngx_time_t      *tp;
    ngx_msec_int_t   ms;

    tp = ngx_timeofday();

    ms = (ngx_msec_int_t) ((tp->sec - r->start_sec) * 1000
                           + (tp->msec - r->start_msec));

    return ngx_max(ms, 0);
}

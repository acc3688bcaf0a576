/*
 * The account of what is served, in the status zone: the LOG phase counts a
 * request, the end of a request's ctx what the gate said, and once a second a
 * worker tells of its connections and of its requests under way.
 *
 * Of a main request all is counted once.  A subrequest is no request of a
 * client: only the gate's verdict about it is counted.
 */

#include "core/ngx_ezw_core.h"


#define PUBLISH_MS  1000


/* $ezw_gate's values; the last stands for one that is missing here. */
const char *const  ngx_ezw_verdicts[] = {
    "ok", "rate_dry_run", "no_key", "bad_key", "bad_token", "bad_password",
    "wrong_kind", "disabled", "expired", "revoked", "address", "rate", "scope",
    "role", "object", "company", "assistant", "no_route", "unavailable",
    "not_configured", "error", "other", NULL
};

#define VERDICTS  (sizeof(ngx_ezw_verdicts) / sizeof(char *) - 1)


static ngx_int_t add_row(ngx_ezw_account_t *a, const char *api,
    const char *endpoint, const char *method, ngx_uint_t *n);
static const char *method_name(ngx_uint_t method);
static ngx_int_t log_request(ngx_http_request_t *r);
static uint64_t duration(ngx_http_request_t *r, ngx_ezw_ctx_t *ctx);
static void ctx_ended(ngx_ezw_ctx_t *ctx);
static void tick(ngx_event_t *ev);


ngx_ezw_account_t *
ngx_ezw_account_create(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    ngx_ezw_account_t  *a;

    a = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_account_t));

    if (a == NULL
        || ngx_array_init(&a->rows, cf->pool, 64,
                          sizeof(ngx_ezw_account_row_t))
           != NGX_OK)
    {
        return NULL;
    }

    a->conf = emcf;
    ngx_str_set(&a->name, "ezw_status");

    return a;
}


static const char *
method_name(ngx_uint_t method)
{
    switch (method) {
    case NGX_HTTP_GET:
        return "GET";
    case NGX_HTTP_POST:
        return "POST";
    case NGX_HTTP_PUT:
        return "PUT";
    case NGX_HTTP_PATCH:
        return "PATCH";
    case NGX_HTTP_DELETE:
        return "DELETE";
    default:
        return "other";
    }
}


/* The row of these labels; *n: its number. */
static ngx_int_t
add_row(ngx_ezw_account_t *a, const char *api, const char *endpoint,
    const char *method, ngx_uint_t *n)
{
    ngx_uint_t              i;
    ngx_ezw_account_row_t  *row;

    row = a->rows.elts;

    /* paths that share an endpoint's name share its row */

    for (i = 0; i < a->rows.nelts; i++) {
        if (ngx_strcmp(row[i].api, api) == 0
            && ngx_strcmp(row[i].endpoint, endpoint) == 0
            && ngx_strcmp(row[i].method, method) == 0)
        {
            *n = i;
            return NGX_OK;
        }
    }

    row = ngx_array_push(&a->rows);
    if (row == NULL) {
        return NGX_ERROR;
    }

    row->api = api;
    row->endpoint = endpoint;
    row->method = method;

    *n = i;

    return NGX_OK;
}


ngx_int_t
ngx_ezw_account_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    uint32_t                    layout;
    ngx_uint_t                  i, n;
    ngx_ezw_account_t          *a;
    ngx_http_handler_pt        *h;
    ngx_ezw_endpoint_t        **ep;
    ngx_ezw_account_row_t      *row;
    ngx_http_core_main_conf_t  *cmcf;

    static const char *const    apis[NGX_EZW_FACES] = {
        "none", "v3", "workspace"
    };

    a = emcf->account;

    if (!a->wanted && !ngx_ezw_pg_conf_given(emcf->pgcf)) {
        return NGX_OK;
    }

    /* the row of a face's number is that of what has no endpoint; without a
     * face it is the location of somebody else behind the gate */

    for (i = 0; i < NGX_EZW_FACES; i++) {
        if (add_row(a, apis[i], i ? "none" : "gated", "any", &n) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ep = emcf->endpoints.elts;

    for (i = 0; i < emcf->endpoints.nelts; i++) {
        if (add_row(a, apis[ep[i]->face], ep[i]->row->name,
                    method_name(ep[i]->row->method), &ep[i]->account)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    row = a->rows.elts;
    ngx_crc32_init(layout);

    for (i = 0; i < a->rows.nelts; i++) {
        ngx_crc32_update(&layout, (u_char *) row[i].api,
                         ngx_strlen(row[i].api) + 1);
        ngx_crc32_update(&layout, (u_char *) row[i].endpoint,
                         ngx_strlen(row[i].endpoint) + 1);
        ngx_crc32_update(&layout, (u_char *) row[i].method,
                         ngx_strlen(row[i].method) + 1);
    }

    for (i = 0; i < VERDICTS; i++) {
        ngx_crc32_update(&layout, (u_char *) ngx_ezw_verdicts[i],
                         ngx_strlen(ngx_ezw_verdicts[i]) + 1);
    }

    ngx_crc32_final(layout);

    a->status = ngx_ezw_status_add(cf, &a->name, a->size, &ngx_ezw_module,
                                   a->rows.nelts, VERDICTS, layout);
    if (a->status == NULL) {
        return NGX_ERROR;
    }

    emcf->status = a->status;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_LOG_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = log_request;

    return NGX_OK;
}


void
ngx_ezw_account_start(ngx_cycle_t *cycle, ngx_ezw_account_t *a)
{
    if (a->status == NULL) {
        return;
    }

    ngx_ezw_status_start(a->status);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_STARTS, 1);

    a->conf->ended = ctx_ended;

    a->timer.handler = tick;
    a->timer.data = a;
    a->timer.log = cycle->log;
    a->timer.cancelable = 1;

    tick(&a->timer);
}


void
ngx_ezw_account_stop(ngx_ezw_account_t *a)
{
    if (a->status) {
        ngx_ezw_account_publish(a);
        ngx_ezw_status_stop(a->status);
    }
}


static void
tick(ngx_event_t *ev)
{
    ngx_ezw_account_t  *a;

    a = ev->data;

    if (!ngx_exiting) {
        ngx_add_timer(ev, PUBLISH_MS);
    }

    ngx_ezw_account_publish(a);
}


void
ngx_ezw_account_publish(ngx_ezw_account_t *a)
{
    ngx_uint_t          i, gauges[NGX_EZW_STATUS_GAUGES];
    ngx_ezw_pg_stat_t   st;
    ngx_ezw_net_stat_t  net;

    ngx_memzero(&st, sizeof(ngx_ezw_pg_stat_t));
    ngx_memzero(&net, sizeof(ngx_ezw_net_stat_t));
    ngx_memzero(gauges, sizeof(gauges));

    if (a->conf->pg) {
        ngx_ezw_pg_stat(a->conf->pg, &st);
    }

    if (a->conf->net) {
        ngx_ezw_net_stat(a->conf->net, &net);
    }

    gauges[NGX_EZW_GAUGE_OPEN] = a->conf->open;
    gauges[NGX_EZW_GAUGE_UP] = st.up;
    gauges[NGX_EZW_GAUGE_RUNNING] = net.running;
    gauges[NGX_EZW_GAUGE_WAITING] = net.queued;

    for (i = 0; i < NGX_EZW_PG_LANES; i++) {
        gauges[NGX_EZW_GAUGE_QUEUED + i] = st.queued[i];
    }

    ngx_ezw_status_publish(a->status, gauges);

    /* what only grows is added up in the zone: it outlives the worker */

    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_GROUPS,
                         st.groups - a->told.groups);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_STATEMENTS,
                         st.statements - a->told.statements);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_REGROUPED,
                         st.regrouped - a->told.regrouped);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_SETTLED,
                         st.settled - a->told.settled);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_LOST,
                         st.lost - a->told.lost);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_REFUSED,
                         st.refused - a->told.refused);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_OUT_DONE,
                         net.done - a->told_net.done);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_OUT_FAILED,
                         net.failed - a->told_net.failed);
    ngx_ezw_status_count(a->status, NGX_EZW_COUNT_OUT_REFUSED,
                         net.refused - a->told_net.refused);

    a->told = st;
    a->told_net = net;
}


/* The LOG phase; nginx runs it for subrequests too where log_subrequest is. */
static ngx_int_t
log_request(ngx_http_request_t *r)
{
    ngx_uint_t            row, status;
    ngx_ezw_ctx_t        *ctx;
    ngx_ezw_loc_conf_t   *elcf;
    ngx_ezw_main_conf_t  *emcf;

    if (r != r->main) {
        return NGX_OK;
    }

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);
    ctx = ngx_http_get_module_ctx(r, ngx_ezw_module);

    if (ctx == NULL) {
        ctx = ngx_ezw_ctx_find(r);
    }

    /* a location behind the gate may have redirected to one that is not */

    if (!ngx_ezw_gated(elcf) && (ctx == NULL || ctx->verdict == NULL)) {
        return NGX_OK;
    }

    emcf = ngx_http_get_module_main_conf(r, ngx_ezw_module);

    row = (ctx && ctx->endpoint) ? ctx->endpoint->account : elcf->face;
    status = r->err_status ? r->err_status : r->headers_out.status;

    ngx_ezw_status_request(emcf->account->status, row, status,
                           duration(r, ctx));

    return NGX_OK;
}


/*
 * Microseconds from the request's first byte to here.  nginx's own clock, of
 * milliseconds that are read once a turn of the event loop, is enough for what
 * never waits for the database; what does is measured from then on.
 */
static uint64_t
duration(ngx_http_request_t *r, ngx_ezw_ctx_t *ctx)
{
    if (ctx && ctx->waited_from) {
        return (uint64_t) ctx->waited_after * 1000
               + (ngx_ezw_clock() - ctx->waited_from);
    }

    return (uint64_t) ngx_ezw_elapsed(r) * 1000;
}


/* The request's pool is about to go. */
static void
ctx_ended(ngx_ezw_ctx_t *ctx)
{
    ngx_uint_t   i;
    const char  *s;

    s = ctx->verdict;

    if (s == NULL) {
        return;
    }

    /* nearly always it is the first */

    if (s[0] == 'o' && s[1] == 'k' && s[2] == '\0') {
        i = 0;

    } else {
        for (i = 1; i < VERDICTS - 1; i++) {
            if (ngx_strcmp(s, ngx_ezw_verdicts[i]) == 0) {
                break;
            }
        }
    }

    ngx_ezw_status_mark(ctx->conf->account->status, i);
}

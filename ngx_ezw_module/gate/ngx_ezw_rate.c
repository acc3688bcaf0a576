/*
 * Rate limits: one GCRA cell in the rate zone for each key, user, address or
 * e-mail and each limit, exact over all workers of the host.  A location's
 * limit (ezw_rate) has cells of its own, so that limits that differ, in their
 * subject or in a number, never share a state; a key's own rate follows it
 * everywhere.
 *
 * When the zone is full the oldest cell goes; when not even that helps, the
 * request passes: a limit must not become an outage.
 */

#include "gate/ngx_ezw_gate.h"


typedef enum {
    TAKE = 0,
    PEEK,
    REFUND
} visit_e;


typedef struct {
    const ezw_gcra_t     *limit;
    uint64_t              now;
    visit_e               what;
    ezw_gcra_answer_t     answer;
} visit_t;


static void apply(void *value, void *data);
static ngx_int_t visit(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32], visit_t *v);
static void note(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate, visit_t *v);
static ngx_int_t make_rate(ngx_pool_t *pool, ngx_ezw_rate_t *rate,
    ngx_uint_t subject, uint64_t n, uint64_t seconds, uint32_t burst);
static ngx_int_t parse_rate(ngx_str_t *value, uint64_t *n, uint64_t *seconds);


/* Names, and limits where nothing is configured (DECISIONS 17). */
static const struct {
    const char           *name;
    uint64_t              n;
    uint64_t              seconds;
    uint32_t              burst;
} subjects[NGX_EZW_RATES] = {
    { "key", 600, 60, 60 },
    { "user", 300, 60, 60 },
    { "address", 30, 1, 300 },
    { "login_address", 5, 300, 5 },
    { "login_email", 10, 900, 10 },
    { "signup", 5, 1800, 5 }
};


/* The limit, and the value of RateLimit-Policy: the quota, and the seconds that
 * fill it. */
static ngx_int_t
make_rate(ngx_pool_t *pool, ngx_ezw_rate_t *rate, ngx_uint_t subject,
    uint64_t n, uint64_t seconds, uint32_t burst)
{
    uint64_t     window;
    const char  *name;

    name = subjects[subject].name;

    ezw_gcra_limit(&rate->limit, n, seconds, burst);

    window = (burst * seconds + n - 1) / n;

    rate->policy.data = ngx_pnalloc(pool, ngx_strlen(name)
                                          + sizeof("\"\";q=;w=")
                                          + 2 * NGX_INT64_LEN);
    if (rate->policy.data == NULL) {
        return NGX_ERROR;
    }

    rate->policy.len = ngx_sprintf(rate->policy.data, "\"%s\";q=%uD;w=%uL",
                                   name, rate->limit.burst, window)
                       - rate->policy.data;

    /* an interval is at most an hour: 32 bits; a burst of the configuration
     * has 24 */

    rate->id = (uint64_t) subject << 56 ^ rate->limit.interval_us << 24
               ^ rate->limit.burst;

    return NGX_OK;
}


/* "600r/m": requests in a second, minute or hour. */
static ngx_int_t
parse_rate(ngx_str_t *value, uint64_t *n, uint64_t *seconds)
{
    ngx_int_t  i;

    if (value->len < 4 || value->data[value->len - 3] != 'r'
        || value->data[value->len - 2] != '/')
    {
        return NGX_ERROR;
    }

    switch (value->data[value->len - 1]) {
    case 's':
        *seconds = 1;
        break;
    case 'm':
        *seconds = 60;
        break;
    case 'h':
        *seconds = 3600;
        break;
    default:
        return NGX_ERROR;
    }

    i = ngx_atoi(value->data, value->len - 3);

    if (i < 1 || i > 1000000) {
        return NGX_ERROR;
    }

    *n = (uint64_t) i;

    return NGX_OK;
}


char *
ngx_ezw_rate_conf_set(ngx_conf_t *cf, ngx_ezw_loc_conf_t *elcf)
{
    uint64_t         n, seconds;
    ngx_int_t        burst;
    ngx_str_t       *value, s;
    ngx_uint_t       i, subject;
    ngx_ezw_rate_t  *rate;

    value = cf->args->elts;
    subject = NGX_EZW_RATE_KEY;
    i = 1;

    for (n = 0; n < NGX_EZW_RATES; n++) {
        if (ngx_strcmp(value[1].data, subjects[n].name) == 0) {
            subject = n;
            i = 2;
        }
    }

    if (elcf->rates[subject]) {
        return "is duplicate";
    }

    rate = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_rate_t));
    if (rate == NULL) {
        return NGX_CONF_ERROR;
    }

    elcf->rates[subject] = rate;

    if (cf->args->nelts == i + 1 && ngx_strcmp(value[i].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    n = 0;
    seconds = 0;
    burst = 0;

    for ( /* void */ ; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "rate=", 5) == 0) {
            s.data = value[i].data + 5;
            s.len = value[i].len - 5;

            if (parse_rate(&s, &n, &seconds) != NGX_OK) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\" is no rate: 1 to 1000000 and r/s, "
                                   "r/m or r/h", &value[i]);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "burst=", 6) == 0) {
            burst = ngx_atoi(value[i].data + 6, value[i].len - 6);

            if (burst < 1 || burst > 10000000) {
                return "needs a burst of 1 to 10000000";
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\": a subject (key, user, "
                           "address, login_address, login_email, signup), "
                           "rate=, burst= or off", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (n == 0) {
        return "needs rate=";
    }

    if (burst == 0) {
        burst = (ngx_int_t) ngx_max(n * 6 / seconds, 1);   /* six seconds' */
    }

    if (make_rate(cf->pool, rate, subject, n, seconds, (uint32_t) burst)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_ezw_rate_conf_merge(ngx_conf_t *cf, ngx_ezw_loc_conf_t *prev,
    ngx_ezw_loc_conf_t *conf)
{
    ngx_uint_t       i;
    ngx_ezw_rate_t  *rate;

    for (i = 0; i < NGX_EZW_RATES; i++) {

        if (conf->rates[i]) {
            continue;
        }

        if (prev->rates[i] == NULL) {
            rate = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_rate_t));
            if (rate == NULL) {
                return NGX_ERROR;
            }

            if (make_rate(cf->pool, rate, i, subjects[i].n,
                          subjects[i].seconds, subjects[i].burst)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            prev->rates[i] = rate;    /* the other locations share it */
        }

        conf->rates[i] = prev->rates[i];
    }

    return NGX_OK;
}


/* The clock is read under the lock: workers whose cached times differ would
 * each take what the other has refused. */
static void
apply(void *value, void *data)
{
    uint64_t  *tat = value;
    visit_t   *v = data;

    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);
    v->now = (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;

    switch (v->what) {

    case TAKE:
        ezw_gcra_take(v->limit, tat, v->now, &v->answer);
        break;

    case PEEK:
        ezw_gcra_peek(v->limit, *tat, v->now, &v->answer);
        break;

    case REFUND:
        ezw_gcra_refund(v->limit, tat);
        break;
    }
}


static ngx_int_t
visit(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate, const u_char digest[32],
    visit_t *v)
{
    u_char    cell[NGX_EZW_ZONE_KEY];
    uint64_t  id;

    if (ctx->conf->rates == NULL || rate->limit.interval_us == 0) {
        return NGX_DECLINED;
    }

    /* a cell of this limit; the digest's first bytes choose the bucket */

    ngx_memcpy(cell, digest, NGX_EZW_ZONE_KEY);
    ngx_memcpy(&id, cell + NGX_EZW_ZONE_KEY - 8, 8);
    id ^= rate->id;
    ngx_memcpy(cell + NGX_EZW_ZONE_KEY - 8, &id, 8);

    v->limit = &rate->limit;
    return ngx_ezw_zone_apply(ctx->conf->rates, cell, 8, NGX_EZW_ZONE_GOOD,
                              apply, v);
}


/* For the answer's headers; of several limits the one that refused, else the
 * one that has least left. */
static void
note(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate, visit_t *v)
{
    ngx_ezw_pace_t  *pace;

    pace = &ctx->pace;

    if (pace->policy.len && v->answer.allowed
        && (pace->retry || pace->remaining <= v->answer.remaining))
    {
        return;
    }

    pace->policy = rate->policy;
    pace->name.data = rate->policy.data;
    pace->name.len = (u_char *) ngx_strchr(rate->policy.data, ';')
                     - rate->policy.data;
    pace->remaining = v->answer.remaining;
    pace->reset = (uint32_t) ((v->answer.reset_us + 999999) / 1000000);
    pace->retry = 0;

    if (!v->answer.allowed) {
        pace->retry = (uint32_t) ngx_max((v->answer.retry_us + 999999)
                                         / 1000000, 1);
    }

    if (v->answer.remaining == 0) {
        pace->reset = (uint32_t) ngx_max((v->answer.retry_us + 999999)
                                         / 1000000, 1);
    }
}


ngx_int_t
ngx_ezw_rate_take(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32])
{
    visit_t              v;
    ngx_ezw_loc_conf_t  *elcf;

    v.what = TAKE;

    if (visit(ctx, rate, digest, &v) != NGX_OK) {
        return NGX_OK;
    }

    note(ctx, rate, &v);

    if (v.answer.allowed) {
        return NGX_OK;
    }

    elcf = ngx_http_get_module_loc_conf(ctx->request, ngx_ezw_module);

    if (elcf->rate_dry_run) {
        ctx->dry = 1;
        ctx->verdict = "rate_dry_run";    /* the gate may be behind us */
        ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                      "rate limit %*s exceeded, dry run",
                      ctx->pace.name.len, ctx->pace.name.data);
        return NGX_OK;
    }

    return NGX_BUSY;
}


void
ngx_ezw_rate_peek(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32])
{
    visit_t  v;

    v.what = PEEK;

    if (visit(ctx, rate, digest, &v) == NGX_OK) {
        v.answer.allowed = 1;         /* nothing was refused */
        note(ctx, rate, &v);
    }
}


void
ngx_ezw_rate_refund(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32])
{
    visit_t  v;

    v.what = REFUND;

    (void) visit(ctx, rate, digest, &v);
}


ngx_int_t
ngx_ezw_rate_own(ngx_pool_t *pool, uint32_t per_minute, uint32_t burst,
    ngx_ezw_rate_t *rate)
{
    return make_rate(pool, rate, NGX_EZW_RATE_KEY, per_minute, 60, burst);
}


ngx_int_t
ngx_ezw_rate_address(ngx_ezw_ctx_t *ctx, u_char digest[32])
{
    ezw_cidr_t  address;

    if (ngx_ezw_address(ctx->request->connection, &address) != NGX_OK) {
        ngx_memzero(&address, sizeof(ezw_cidr_t));
    }

    /* a customer of an IPv6 network has all of a /64 */

    if (ngx_memcmp(address.addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) != 0) {
        ngx_memzero(address.addr + 8, 8);
    }

    return ngx_ezw_digest("address:", address.addr, 16, digest);
}


ngx_int_t
ngx_ezw_address(ngx_connection_t *c, ezw_cidr_t *address)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (c->sockaddr->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) c->sockaddr;
        ezw_cidr_address((u_char *) &sin->sin_addr, 4, address);
        return NGX_OK;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) c->sockaddr;
        ezw_cidr_address((u_char *) &sin6->sin6_addr, 16, address);
        return NGX_OK;
#endif
    }

    return NGX_DECLINED;              /* a Unix domain socket */
}

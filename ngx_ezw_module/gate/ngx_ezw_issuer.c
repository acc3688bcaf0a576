/*
 * Outside issuers: their directive, and the key set of each as this worker has
 * it.  It begins to fetch when the worker starts and goes on by a timer, which
 * is cancelable; a fetch under way holds a worker that shuts down until its
 * deadline, because requests may wait for it.
 */

#include "base/ezw_backoff.h"
#include "gate/ngx_ezw_issuer.h"


#define ANSWER_MAX      (64 * 1024)
#define CONNECT_MS      3000
#define FETCH_MS        5000
#define REFRESH_MS      (10 * 60 * 1000)
#define START_MS        500       /* the first fetch begins within */
#define MISS_MS         30000     /* between fetches for unknown keys */
#define RETRY_MIN_MS    1000
#define RETRY_MAX_MS    60000
#define STALE_MS        (24 * 60 * 60 * 1000)

#define JWKS_PATH       "/.well-known/jwks.json"


static char *set_parameter(ngx_conf_t *cf, ngx_ezw_issuer_t *is,
    ngx_str_t *arg, ngx_str_t *certificate);
static ngx_int_t is_parameter(ngx_str_t *arg, const char *name,
    ngx_str_t *value);
static ngx_int_t is_https(ngx_conf_t *cf, ngx_str_t *url);
static ngx_int_t terminate(ngx_conf_t *cf, ngx_str_t *s);
static ngx_int_t default_jwks(ngx_conf_t *cf, ngx_ezw_issuer_t *is);

static ngx_int_t fetch(ngx_ezw_issuer_t *is);
static void fetched(ngx_ezw_net_request_t *rq);
static ezw_jwks_t *read_keys(ngx_ezw_net_request_t *rq, const char **why,
    ezw_invalid_t *invalid);
static void failed(ngx_ezw_issuer_t *is, const char *why);
static void arm(ngx_ezw_issuer_t *is, ngx_msec_t ms);
static void on_timer(ngx_event_t *ev);
static void drop_stale(ngx_ezw_issuer_t *is);
static ngx_uint_t has_come(ngx_msec_t t);
static ngx_int_t begin_wait(ngx_ezw_issuer_t *is, ngx_ezw_issuer_wait_t *wait);
static void wake(ngx_ezw_issuer_t *is);


/* An operator's URL, out of nginx.conf. */
static const ezw_address_policy_t  policy = { 1, NULL, 0 };


char *
ngx_ezw_issuer_conf_set(ngx_conf_t *cf, ngx_array_t *issuers)
{
    char              *rv;
    ngx_str_t         *arg, certificate;
    ngx_uint_t         i;
    ngx_ezw_issuer_t  *is, *others;

    arg = cf->args->elts;

    if (!is_https(cf, &arg[1])) {
        return NGX_CONF_ERROR;
    }

    others = issuers->elts;

    for (i = 0; i < issuers->nelts; i++) {
        if (others[i].issuer.len == arg[1].len
            && ngx_strncmp(others[i].issuer.data, arg[1].data, arg[1].len)
               == 0)
        {
            return "is duplicate";
        }
    }

    is = ngx_array_push(issuers);
    if (is == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(is, sizeof(ngx_ezw_issuer_t));

    is->issuer = arg[1];
    ngx_str_null(&certificate);

    for (i = 2; i < cf->args->nelts; i++) {
        rv = set_parameter(cf, is, &arg[i], &certificate);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (is->audience.len == 0) {
        return "needs audience=";
    }

    if (is->refresh == 0) {
        is->refresh = REFRESH_MS;
    }

    if (terminate(cf, &is->issuer) != NGX_OK
        || terminate(cf, &is->audience) != NGX_OK
        || (is->jwks.len == 0 && default_jwks(cf, is) != NGX_OK)
        || ngx_ezw_net_trust(cf, &certificate, &is->trust) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
set_parameter(ngx_conf_t *cf, ngx_ezw_issuer_t *is, ngx_str_t *arg,
    ngx_str_t *certificate)
{
    ngx_str_t  value;

    if (is_parameter(arg, "audience=", &value)) {

        if (is->audience.len) {
            return "has two audiences";
        }

        is->audience = value;

    } else if (is_parameter(arg, "jwks=", &value)) {

        if (is->jwks.len) {
            return "has two jwks";
        }

        if (!is_https(cf, &value)) {
            return NGX_CONF_ERROR;
        }

        is->jwks = value;

    } else if (is_parameter(arg, "trusted_certificate=", &value)) {

        if (certificate->len) {
            return "has two trusted_certificate";
        }

        *certificate = value;

    } else if (is_parameter(arg, "refresh=", &value)) {

        if (is->refresh) {
            return "has two refresh";
        }

        is->refresh = ngx_parse_time(&value, 0);

        if (is->refresh == (ngx_msec_t) NGX_ERROR || is->refresh < 1000
            || is->refresh > STALE_MS)
        {
            return "has a refresh that is no time from 1s to 24h";
        }

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown or empty parameter \"%V\"", arg);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* 1: arg begins with name, which ends in "=", and has a value. */
static ngx_int_t
is_parameter(ngx_str_t *arg, const char *name, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len <= len || ngx_strncmp(arg->data, name, len) != 0) {
        return 0;
    }

    value->data = arg->data + len;
    value->len = arg->len - len;

    return 1;
}


/* 0: logged. */
static ngx_int_t
is_https(ngx_conf_t *cf, ngx_str_t *url)
{
    ezw_str_t    s;
    ezw_url_t    where;
    const char  *why;

    s.data = url->data;
    s.len = url->len;

    if (ezw_url_parse(&s, &where, &why) == EZW_OK) {

        if (where.https) {
            return 1;
        }

        why = "it is not https";
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no URL to use: %s",
                       url, why);

    return 0;
}


/* A copy with NUL behind.  NGX_ERROR: no memory. */
static ngx_int_t
terminate(ngx_conf_t *cf, ngx_str_t *s)
{
    u_char  *p;

    p = ngx_pnalloc(cf->pool, s->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, s->data, s->len);
    p[s->len] = '\0';
    s->data = p;

    return NGX_OK;
}


/* Where Cognito has them, and others. */
static ngx_int_t
default_jwks(ngx_conf_t *cf, ngx_ezw_issuer_t *is)
{
    u_char  *p;
    size_t   len;

    if (ngx_strlchr(is->issuer.data, is->issuer.data + is->issuer.len, '?')) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has a query: give jwks= too", &is->issuer);
        return NGX_ERROR;
    }

    len = is->issuer.len;

    if (is->issuer.data[len - 1] == '/') {
        len--;
    }

    is->jwks.data = ngx_pnalloc(cf->pool, len + sizeof(JWKS_PATH) - 1);
    if (is->jwks.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(is->jwks.data, is->issuer.data, len);
    p = ngx_cpymem(p, JWKS_PATH, sizeof(JWKS_PATH) - 1);
    is->jwks.len = p - is->jwks.data;

    return NGX_OK;
}


void
ngx_ezw_issuer_start(ngx_cycle_t *cycle, ngx_array_t *issuers,
    ngx_ezw_net_t *net)
{
    ngx_uint_t         i;
    ngx_ezw_issuer_t  *is;

    is = issuers->elts;

    for (i = 0; i < issuers->nelts; i++, is++) {
        is->net = net;
        is->log = cycle->log;
        ngx_queue_init(&is->waits);

        is->timer.handler = on_timer;
        is->timer.data = is;
        is->timer.log = cycle->log;
        is->timer.cancelable = 1;

        /* not all workers of all nodes in one moment */

        arm(is, 1 + ngx_random() % START_MS);
    }
}


void
ngx_ezw_issuer_stop(ngx_array_t *issuers)
{
    ngx_uint_t         i;
    ngx_ezw_issuer_t  *is;

    is = issuers->elts;

    for (i = 0; i < issuers->nelts; i++, is++) {
        if (is->timer.timer_set) {
            ngx_del_timer(&is->timer);
        }

        if (is->keys) {
            ezw_jwks_free(is->keys);
            is->keys = NULL;
        }

        is->net = NULL;
    }
}


ngx_ezw_issuer_t *
ngx_ezw_issuer_find(ngx_array_t *issuers, const ezw_str_t *iss)
{
    ngx_uint_t         i;
    ngx_ezw_issuer_t  *is;

    is = issuers->elts;

    for (i = 0; i < issuers->nelts; i++, is++) {
        if (is->issuer.len == iss->len
            && ngx_memcmp(is->issuer.data, iss->data, iss->len) == 0)
        {
            return is;
        }
    }

    return NULL;
}


ngx_int_t
ngx_ezw_issuer_key(ngx_ezw_issuer_t *is, const ezw_str_t *kid,
    ngx_ezw_issuer_wait_t *wait, const ezw_jwt_key_t **key)
{
    ngx_int_t  none;

    if (is->net == NULL) {
        return NGX_ERROR;
    }

    if (!wait->called) {
        wait->called = 1;
        wait->since = ngx_current_msec;
    }

    drop_stale(is);

    if (is->keys) {

        *key = ezw_jwks_find(is->keys, kid);

        if (*key) {
            return NGX_OK;
        }

        /* a set that was asked for after the token came says it all */

        if ((ngx_msec_int_t) (is->fetched - wait->since) >= 0) {
            return NGX_DECLINED;
        }
    }

    if (is->fetching) {
        return begin_wait(is, wait);
    }

    none = is->keys ? NGX_DECLINED : NGX_ERROR;

    /* it has waited for one that failed: it does not wait for the next */

    if (is->failures && (ngx_msec_int_t) (is->failed - wait->since) >= 0) {
        return none;
    }

    if (is->keys) {

        if (is->missing && !has_come(is->missed + MISS_MS)) {
            return none;
        }

        is->missing = 1;
        is->missed = ngx_current_msec;

    } else if (is->failures && !has_come(is->retry)) {
        return none;
    }

    if (fetch(is) != NGX_OK) {
        return none;
    }

    return begin_wait(is, wait);
}


/* NGX_AGAIN, or what is said when too many wait already. */
static ngx_int_t
begin_wait(ngx_ezw_issuer_t *is, ngx_ezw_issuer_wait_t *wait)
{
    if (is->nwaits >= NGX_EZW_ISSUER_WAITS) {
        return is->keys ? NGX_DECLINED : NGX_ERROR;
    }

    wait->issuer = is;
    ngx_queue_insert_tail(&is->waits, &wait->queue);
    is->nwaits++;

    return NGX_AGAIN;
}


void
ngx_ezw_issuer_cancel(ngx_ezw_issuer_wait_t *wait)
{
    if (wait->issuer) {
        ngx_queue_remove(&wait->queue);
        wait->issuer->nwaits--;
        wait->issuer = NULL;
    }
}


/* Those who waited when it was called, each once. */
static void
wake(ngx_ezw_issuer_t *is)
{
    ngx_queue_t             waits;
    ngx_ezw_issuer_wait_t  *wait;

    if (ngx_queue_empty(&is->waits)) {
        return;
    }

    ngx_queue_init(&waits);
    ngx_queue_add(&waits, &is->waits);
    ngx_queue_init(&is->waits);

    while (!ngx_queue_empty(&waits)) {
        wait = ngx_queue_data(ngx_queue_head(&waits), ngx_ezw_issuer_wait_t,
                              queue);
        ngx_ezw_issuer_cancel(wait);
        wait->handler(wait);
    }
}


/* NGX_ERROR: it cannot be sent, which counts as a failure. */
static ngx_int_t
fetch(ngx_ezw_issuer_t *is)
{
    ngx_int_t               rc;
    ngx_ezw_net_request_t  *rq;

    static ngx_ezw_net_header_t  accept[] = {
        { ngx_string("Accept"),
          ngx_string("application/jwk-set+json, application/json") }
    };

    rq = &is->request;

    rq->method = "GET";
    rq->url = is->jwks;
    rq->headers = accept;
    rq->nheaders = 1;
    rq->max_answer = ANSWER_MAX;
    rq->connect_timeout = CONNECT_MS;
    rq->timeout = FETCH_MS;
    rq->policy = &policy;
    rq->trust = &is->trust;
    rq->handler = fetched;
    rq->data = is;

    is->asked = ngx_current_msec;

    rc = ngx_ezw_net_submit(is->net, rq);

    if (rc != NGX_OK) {
        failed(is, rc == NGX_BUSY ? "too many requests are under way"
                                  : rq->reason);
        return NGX_ERROR;
    }

    is->fetching = 1;

    return NGX_OK;
}


static void
fetched(ngx_ezw_net_request_t *rq)
{
    ezw_jwks_t        *keys;
    const char        *why;
    ezw_invalid_t      invalid;
    ngx_ezw_issuer_t  *is;

    is = rq->data;
    is->fetching = 0;

    why = "";
    keys = read_keys(rq, &why, &invalid);

    if (keys == NULL) {
        failed(is, why);

    } else {

        if (is->failures) {
            ngx_log_error(NGX_LOG_NOTICE, is->log, 0,
                          "issuer %V: keys fetched after %ui failures",
                          &is->issuer, is->failures);
        }

        if (is->keys) {
            ezw_jwks_free(is->keys);
        }

        is->keys = keys;
        is->fetched = is->asked;
        is->failures = 0;

        /* a tenth of it by chance, so that workers do not ask together */

        arm(is, is->refresh - ngx_random() % (is->refresh / 10));
    }

    wake(is);
}


/* NULL: *why. */
static ezw_jwks_t *
read_keys(ngx_ezw_net_request_t *rq, const char **why, ezw_invalid_t *invalid)
{
    int          rc;
    ezw_jwks_t  *keys;

    if (rq->rc != NGX_EZW_NET_DONE) {
        *why = rq->reason;
        return NULL;
    }

    if (rq->status != 200) {
        ngx_snprintf((u_char *) rq->reason, sizeof(rq->reason),
                     "it answered %ui%Z", rq->status);
        *why = rq->reason;
        return NULL;
    }

    if (rq->answer.len == 0) {
        *why = "it answered nothing";
        return NULL;
    }

    rc = ezw_jwks_parse(rq->answer.data, rq->answer.len, &keys, invalid);

    if (rc != EZW_OK) {
        *why = (rc == EZW_INVALID) ? invalid->text : "no memory";
        return NULL;
    }

    return keys;
}


/* What is at hand stays; the next attempt comes by the timer. */
static void
failed(ngx_ezw_issuer_t *is, const char *why)
{
    ngx_msec_t  pause;

    is->failures++;
    is->failed = ngx_current_msec;

    ngx_log_error((is->failures == 1 ? NGX_LOG_WARN : NGX_LOG_INFO), is->log,
                  0, "issuer %V: keys not fetched (%ui in a row, %s): %s",
                  &is->issuer, is->failures,
                  is->keys ? "those at hand stay" : "there are none", why);

    pause = ezw_backoff(is->failures, RETRY_MIN_MS, RETRY_MAX_MS,
                        (uint32_t) ngx_random());

    is->retry = ngx_current_msec + pause;

    arm(is, pause);
}


static void
arm(ngx_ezw_issuer_t *is, ngx_msec_t ms)
{
    if (is->timer.timer_set) {
        ngx_del_timer(&is->timer);
    }

    if (!ngx_exiting) {
        ngx_add_timer(&is->timer, ms);
    }
}


static void
on_timer(ngx_event_t *ev)
{
    ngx_ezw_issuer_t  *is;

    is = ev->data;

    if (!is->fetching && !ngx_exiting) {
        (void) fetch(is);
    }
}


/* Keys that nobody has confirmed for a day are not to be believed. */
static void
drop_stale(ngx_ezw_issuer_t *is)
{
    if (is->keys && has_come(is->fetched + STALE_MS)) {
        ngx_log_error(NGX_LOG_ERR, is->log, 0,
                      "issuer %V: its keys are a day old and given up",
                      &is->issuer);
        ezw_jwks_free(is->keys);
        is->keys = NULL;
    }
}


static ngx_uint_t
has_come(ngx_msec_t t)
{
    return (ngx_msec_int_t) (ngx_current_msec - t) >= 0;
}

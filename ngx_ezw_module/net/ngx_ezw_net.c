/*
 * Requests: from submit to the handler.  A request moves between the lists
 * `queued`, `running` and `over`; handlers are called from a posted event, one
 * after the other, and may submit and cancel as they like.
 */

#include <openssl/err.h>

#include "net/ngx_ezw_net_core.h"


static ngx_int_t check_headers(ngx_ezw_net_request_t *rq);
static ngx_int_t is_token(ngx_str_t *s);
static ngx_int_t decline(ngx_ezw_net_request_t *rq, const char *reason);
static void work(ngx_event_t *ev);
static void call_handlers(ngx_event_t *ev);
static void deadline(ngx_event_t *ev);
static void drop(ngx_ezw_net_request_t *rq);


ngx_ezw_net_t *
ngx_ezw_net_start(ngx_cycle_t *cycle, const ngx_ezw_net_conf_t *conf)
{
    CURLcode        rc;
    const char     *ssl;
    ngx_ezw_net_t  *net;

    net = ngx_pcalloc(cycle->pool, sizeof(ngx_ezw_net_t));
    if (net == NULL) {
        return NULL;
    }

    net->conf = *conf;
    net->log = cycle->log;

    ngx_queue_init(&net->queued);
    ngx_queue_init(&net->running);
    ngx_queue_init(&net->over);

    net->work_event.handler = work;
    net->work_event.data = net;
    net->work_event.log = cycle->log;

    net->over_event.handler = call_handlers;
    net->over_event.data = net;
    net->over_event.log = cycle->log;

    rc = curl_global_init(CURL_GLOBAL_DEFAULT);
    ERR_clear_error();

    if (rc != CURLE_OK) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "libcurl cannot be initialized: %s",
                      curl_easy_strerror(rc));
        return NULL;
    }

    /* whose SSL_CTX is given our certificates */

    ssl = curl_version_info(CURLVERSION_NOW)->ssl_version;

    if (ssl == NULL || ngx_strncmp(ssl, "OpenSSL", 7) != 0) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "libcurl's TLS is not OpenSSL's but %s",
                      ssl ? ssl : "missing");
        curl_global_cleanup();
        return NULL;
    }

    if (ngx_ezw_net_hosts_read(net) != NGX_OK) {
        curl_global_cleanup();
        return NULL;
    }

    if (ngx_ezw_net_multi_create(net) != NGX_OK) {
        ngx_free(net->hosts.data);
        curl_global_cleanup();
        return NULL;
    }

    return net;
}


void
ngx_ezw_net_stop(ngx_ezw_net_t *net)
{
    ngx_uint_t    i;
    ngx_queue_t  *lists[] = { &net->queued, &net->running, &net->over };

    for (i = 0; i < 3; i++) {
        while (!ngx_queue_empty(lists[i])) {
            drop(ngx_queue_data(ngx_queue_head(lists[i]),
                                ngx_ezw_net_request_t, queue));
        }
    }

    if (net->work_event.posted) {
        ngx_delete_posted_event(&net->work_event);
    }

    if (net->over_event.posted) {
        ngx_delete_posted_event(&net->over_event);
    }

    ngx_ezw_net_multi_destroy(net);

    if (net->hosts.data) {
        ngx_free(net->hosts.data);
        ngx_str_null(&net->hosts);
    }

    curl_global_cleanup();
    ERR_clear_error();
}


ngx_int_t
ngx_ezw_net_submit(ngx_ezw_net_t *net, ngx_ezw_net_request_t *rq)
{
    ezw_str_t    url;
    const char  *why;

    rq->rc = NGX_EZW_NET_FAILED;
    rq->status = 0;
    rq->reason[0] = '\0';
    ngx_str_null(&rq->answer);

    if (rq->state != NGX_EZW_NET_NONE) {
        ngx_log_error(NGX_LOG_ALERT, net->log, 0,
                      "net: a request is submitted twice");
        return NGX_ERROR;
    }

    url.data = rq->url.data;
    url.len = rq->url.len;

    if (ezw_url_parse(&url, &rq->where, &why) != EZW_OK) {
        return decline(rq, why);
    }

    if (!rq->where.https && !rq->plain) {
        return decline(rq, "it is not https");
    }

    if (check_headers(rq) != NGX_OK) {
        return decline(rq, "a header of it is none, or not for the caller");
    }

    if (net->stat.queued >= net->conf.queue) {
        net->stat.refused++;
        return NGX_BUSY;
    }

    rq->net = net;
    rq->transfer = NULL;
    rq->failing = 0;
    rq->state = NGX_EZW_NET_QUEUED;
    ngx_queue_insert_tail(&net->queued, &rq->queue);
    net->stat.queued++;

    ngx_memzero(&rq->timer, sizeof(ngx_event_t));
    rq->timer.handler = deadline;
    rq->timer.data = rq;
    rq->timer.log = net->log;
    ngx_add_timer(&rq->timer, rq->timeout);

    ngx_post_event(&net->work_event, &ngx_posted_events);

    return NGX_OK;
}


static ngx_int_t
decline(ngx_ezw_net_request_t *rq, const char *reason)
{
    ngx_cpystrn((u_char *) rq->reason, (u_char *) reason, sizeof(rq->reason));

    return NGX_DECLINED;
}


/* A header is a line of its own, and says nothing of the message's framing. */
static ngx_int_t
check_headers(ngx_ezw_net_request_t *rq)
{
    size_t                 n;
    ngx_uint_t             i;
    const ngx_str_t       *name;
    ngx_ezw_net_header_t  *h;

    static const ngx_str_t  ours[] = {
        ngx_string("Host"),
        ngx_string("Content-Length"),
        ngx_string("Transfer-Encoding"),
        ngx_string("Connection"),
        ngx_string("Keep-Alive"),
        ngx_string("Upgrade"),
        ngx_string("TE"),
        ngx_string("Trailer"),
        ngx_string("Expect"),
        ngx_string("HTTP2-Settings"),
        ngx_string("Proxy-Connection"),
        ngx_null_string
    };

    for (i = 0; i < rq->nheaders; i++) {
        h = &rq->headers[i];

        if (!is_token(&h->name)) {
            return NGX_DECLINED;
        }

        for (name = ours; name->len; name++) {
            if (h->name.len == name->len
                && ngx_strncasecmp(h->name.data, name->data, name->len) == 0)
            {
                return NGX_DECLINED;
            }
        }

        for (n = 0; n < h->value.len; n++) {
            if ((h->value.data[n] < 0x20 && h->value.data[n] != '\t')
                || h->value.data[n] == 0x7f)
            {
                return NGX_DECLINED;
            }
        }
    }

    return NGX_OK;
}


/* RFC 9110, 5.6.2 */
static ngx_int_t
is_token(ngx_str_t *s)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
              || (c && ngx_strchr("!#$%&'*+-.^_`|~", c))))
        {
            return 0;
        }
    }

    return s->len > 0;
}


void
ngx_ezw_net_cancel(ngx_ezw_net_request_t *rq)
{
    if (rq->state == NGX_EZW_NET_NONE) {
        return;
    }

    drop(rq);

    if (!ngx_queue_empty(&rq->net->queued)) {
        ngx_post_event(&rq->net->work_event, &ngx_posted_events);
    }
}


/* Off its list, without a word to its owner. */
static void
drop(ngx_ezw_net_request_t *rq)
{
    ngx_ezw_net_t  *net;

    net = rq->net;

    if (rq->timer.timer_set) {
        ngx_del_timer(&rq->timer);
    }

    if (rq->transfer) {
        ngx_ezw_net_leave(rq->transfer);
        ngx_ezw_net_free(rq->transfer);
        rq->transfer = NULL;
    }

    if (rq->state == NGX_EZW_NET_QUEUED) {
        net->stat.queued--;

    } else if (rq->state != NGX_EZW_NET_OVER) {
        net->stat.running--;
    }

    ngx_queue_remove(&rq->queue);
    rq->state = NGX_EZW_NET_NONE;
}


void
ngx_ezw_net_over(ngx_ezw_net_request_t *rq, ngx_int_t rc, const char *reason)
{
    u_char         *p;
    ngx_ezw_net_t  *net;

    net = rq->net;

    if (rq->timer.timer_set) {
        ngx_del_timer(&rq->timer);
    }

    if (rq->state == NGX_EZW_NET_QUEUED) {
        net->stat.queued--;

    } else {
        net->stat.running--;
    }

    rq->rc = rc;
    ngx_cpystrn((u_char *) rq->reason, (u_char *) reason, sizeof(rq->reason));

    /* libcurl's words may hold a peer's, of its certificate for one */

    for (p = (u_char *) rq->reason; *p; p++) {
        if (*p < 0x20 || *p > 0x7e) {
            *p = '?';
        }
    }

    if (rq->transfer) {
        ngx_ezw_net_leave(rq->transfer);
    }

    if (rc == NGX_EZW_NET_DONE) {
        net->stat.done++;

    } else if (rc == NGX_EZW_NET_REFUSED) {
        net->stat.refused++;

    } else {
        net->stat.failed++;
    }

    ngx_queue_remove(&rq->queue);
    rq->state = NGX_EZW_NET_OVER;
    ngx_queue_insert_tail(&net->over, &rq->queue);

    ngx_post_event(&net->over_event, &ngx_posted_events);

    if (!ngx_queue_empty(&net->queued)) {
        ngx_post_event(&net->work_event, &ngx_posted_events);
    }
}


/* Gives up what cannot go on, then begins what has its turn. */
static void
work(ngx_event_t *ev)
{
    ngx_queue_t            *q, *next;
    ngx_ezw_net_t          *net;
    ngx_ezw_net_request_t  *rq;

    net = ev->data;

    if (net->failing) {
        net->failing = 0;

        for (q = ngx_queue_head(&net->running);
             q != ngx_queue_sentinel(&net->running);
             q = next)
        {
            next = ngx_queue_next(q);
            rq = ngx_queue_data(q, ngx_ezw_net_request_t, queue);

            if (rq->failing) {
                ngx_ezw_net_over(rq, NGX_EZW_NET_FAILED,
                                 "worker_connections are not enough");
            }
        }
    }

    while (!ngx_queue_empty(&net->queued)
           && net->stat.running < net->conf.transfers)
    {
        q = ngx_queue_head(&net->queued);
        rq = ngx_queue_data(q, ngx_ezw_net_request_t, queue);

        rq->transfer = ngx_calloc(sizeof(ngx_ezw_net_transfer_t), net->log);

        if (rq->transfer == NULL) {
            ngx_ezw_net_over(rq, NGX_EZW_NET_FAILED, "no memory");
            continue;
        }

        rq->transfer->request = rq;

        ngx_queue_remove(q);
        net->stat.queued--;
        rq->state = NGX_EZW_NET_RESOLVING;
        ngx_queue_insert_tail(&net->running, q);
        net->stat.running++;

        ngx_ezw_net_resolve(rq);
    }
}


static void
call_handlers(ngx_event_t *ev)
{
    ngx_queue_t             *q;
    ngx_ezw_net_t           *net;
    ngx_ezw_net_request_t   *rq;
    ngx_ezw_net_transfer_t  *t;

    net = ev->data;

    while (!ngx_queue_empty(&net->over)) {
        q = ngx_queue_head(&net->over);
        rq = ngx_queue_data(q, ngx_ezw_net_request_t, queue);

        ngx_queue_remove(q);
        rq->state = NGX_EZW_NET_NONE;

        t = rq->transfer;
        rq->transfer = NULL;

        if (t) {
            rq->answer.data = t->answer;
            rq->answer.len = t->len;
        }

        rq->handler(rq);

        /* rq may be gone, or under way again */

        if (t) {
            ngx_ezw_net_free(t);
        }
    }
}


static void
deadline(ngx_event_t *ev)
{
    const char             *reason;
    ngx_ezw_net_request_t  *rq;

    rq = ev->data;

    switch (rq->state) {

    case NGX_EZW_NET_QUEUED:
        reason = "its turn did not come in time";
        break;

    case NGX_EZW_NET_RESOLVING:
        reason = "the name was not resolved in time";
        break;

    default:
        reason = "there was no answer in time";
    }

    ngx_ezw_net_over(rq, NGX_EZW_NET_TIMEOUT, reason);
}


void
ngx_ezw_net_abandon(ngx_ezw_net_t *net)
{
    ngx_uint_t    i;
    ngx_queue_t  *lists[] = { &net->queued, &net->running };

    for (i = 0; i < 2; i++) {
        while (!ngx_queue_empty(lists[i])) {
            ngx_ezw_net_over(ngx_queue_data(ngx_queue_head(lists[i]),
                                            ngx_ezw_net_request_t, queue),
                             NGX_EZW_NET_FAILED, "the worker is shut down");
        }
    }
}


void
ngx_ezw_net_stat(ngx_ezw_net_t *net, ngx_ezw_net_stat_t *st)
{
    *st = net->stat;
}

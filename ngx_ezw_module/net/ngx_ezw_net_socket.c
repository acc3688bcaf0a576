/*
 * libcurl's multi handle on the worker's events: one nginx connection for each
 * socket that libcurl wants watched, and one timer.
 *
 * A socket is libcurl's own; it is watched only while a transfer needs it, so
 * an idle connection takes no slot.
 * Level-triggered: libcurl may leave bytes in the kernel.  libcurl calls back
 * from inside; nothing here calls it from there.
 */

#include <openssl/err.h>

#include "net/ngx_ezw_net_core.h"


static int watch(CURL *easy, curl_socket_t s, int what, void *data,
    void *socket);
static ngx_int_t want(ngx_event_t *ev, ngx_int_t event, ngx_uint_t on);
static void unwatch(ngx_ezw_net_t *net, ngx_connection_t *c);
static void give_up(ngx_ezw_net_t *net, CURL *easy);
static int set_timer(CURLM *multi, long ms, void *data);
static void ready(ngx_event_t *ev);
static void expired(ngx_event_t *ev);
static void act(ngx_ezw_net_t *net, curl_socket_t s, int events);


ngx_int_t
ngx_ezw_net_multi_create(ngx_ezw_net_t *net)
{
    net->multi = curl_multi_init();

    if (net->multi == NULL) {
        ngx_log_error(NGX_LOG_EMERG, net->log, 0, "curl_multi_init failed");
        return NGX_ERROR;
    }

    if (curl_multi_setopt(net->multi, CURLMOPT_SOCKETFUNCTION, watch)
        != CURLM_OK
        || curl_multi_setopt(net->multi, CURLMOPT_SOCKETDATA, net) != CURLM_OK
        || curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, set_timer)
           != CURLM_OK
        || curl_multi_setopt(net->multi, CURLMOPT_TIMERDATA, net) != CURLM_OK
        || curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS,
                             (long) net->conf.transfers)
           != CURLM_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, net->log, 0, "curl_multi_setopt failed");
        (void) curl_multi_cleanup(net->multi);
        return NGX_ERROR;
    }

    /* requests under way have timers of their own, which hold the worker */

    net->timer.handler = expired;
    net->timer.data = net;
    net->timer.log = net->log;
    net->timer.cancelable = 1;

    return NGX_OK;
}


/* All transfers have left. */
void
ngx_ezw_net_multi_destroy(ngx_ezw_net_t *net)
{
    (void) curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, NULL);
    (void) curl_multi_cleanup(net->multi);
    ERR_clear_error();
    net->multi = NULL;

    if (net->timer.timer_set) {
        ngx_del_timer(&net->timer);
    }
}


/*
 * CURLMOPT_SOCKETFUNCTION.  To return -1 would end the multi handle with all
 * its transfers; the one that cannot be watched is given up instead.
 */
static int
watch(CURL *easy, curl_socket_t s, int what, void *data, void *socket)
{
    ngx_ezw_net_t     *net;
    ngx_connection_t  *c;

    net = data;
    c = socket;

    if (what == CURL_POLL_REMOVE) {
        if (c) {
            unwatch(net, c);
        }

        return 0;
    }

    if (c == NULL) {
        c = ngx_get_connection(s, net->log);

        if (c == NULL) {
            give_up(net, easy);
            return 0;
        }

        c->data = net;
        c->shared = 1;
        c->log = net->log;
        c->read->log = net->log;
        c->write->log = net->log;
        c->read->handler = ready;
        c->write->handler = ready;

        net->stat.sockets++;

        if (curl_multi_assign(net->multi, s, c) != CURLM_OK) {
            unwatch(net, c);
            give_up(net, easy);
            return 0;
        }
    }

    if (want(c->read, NGX_READ_EVENT, what & CURL_POLL_IN) != NGX_OK
        || want(c->write, NGX_WRITE_EVENT, what & CURL_POLL_OUT) != NGX_OK)
    {
        give_up(net, easy);
    }

    return 0;
}


static ngx_int_t
want(ngx_event_t *ev, ngx_int_t event, ngx_uint_t on)
{
    if (on && !ev->active) {
        return ngx_add_event(ev, event, NGX_LEVEL_EVENT);
    }

    if (!on && ev->active) {
        return ngx_del_event(ev, event, 0);
    }

    return NGX_OK;
}


/*
 * A socket that was not connected yet libcurl 7.87 to 8.4 closes before it
 * tells; its number is nobody else's until libcurl returns.
 */
static void
unwatch(ngx_ezw_net_t *net, ngx_connection_t *c)
{
    ngx_uint_t  flags;

    flags = (fcntl(c->fd, F_GETFD) == -1) ? NGX_CLOSE_EVENT : 0;

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, flags);
    }

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, flags);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->read->closed = 1;
    c->write->closed = 1;

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;

    net->stat.sockets--;
}


/* Ends the transfer, as soon as libcurl has returned. */
static void
give_up(ngx_ezw_net_t *net, CURL *easy)
{
    char                   *data;
    ngx_ezw_net_request_t  *rq;

    data = NULL;
    (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, &data);

    if (data == NULL) {
        return;                   /* libcurl's own, closing a connection */
    }

    rq = (ngx_ezw_net_request_t *) data;
    rq->failing = 1;
    net->failing = 1;

    ngx_post_event(&net->work_event, &ngx_posted_events);
}


/* CURLMOPT_TIMERFUNCTION */
static int
set_timer(CURLM *multi, long ms, void *data)
{
    ngx_ezw_net_t  *net;

    net = data;

    /* ngx_add_timer leaves one that is set where it is when the new time is
     * near the old one */

    if (net->timer.timer_set) {
        ngx_del_timer(&net->timer);
    }

    if (ms >= 0) {
        ngx_add_timer(&net->timer, (ngx_msec_t) ms);
    }

    return 0;
}


static void
ready(ngx_event_t *ev)
{
    ngx_ezw_net_t     *net;
    ngx_connection_t  *c;

    c = ev->data;
    net = c->data;

    if (c->close) {
        /* worker_shutdown_timeout */
        ngx_ezw_net_abandon(net);
        return;
    }

    act(net, c->fd, ev->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN);
}


static void
expired(ngx_event_t *ev)
{
    act(ev->data, CURL_SOCKET_TIMEOUT, 0);
}


/* Lets libcurl work, and ends the transfers that it is done with. */
static void
act(ngx_ezw_net_t *net, curl_socket_t s, int events)
{
    int                     running, left;
    char                   *data;
    CURLMsg                *m;
    CURLMcode               rc;
    ngx_ezw_net_request_t  *rq;

    rc = curl_multi_socket_action(net->multi, s, events, &running);

    /* nginx would take what is left in the queue for its own */
    ERR_clear_error();

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, net->log, 0,
                      "net: curl_multi_socket_action: %s",
                      curl_multi_strerror(rc));
    }

    while ((m = curl_multi_info_read(net->multi, &left)) != NULL) {

        data = NULL;

        if (m->msg != CURLMSG_DONE
            || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &data)
               != CURLE_OK
            || data == NULL)
        {
            continue;
        }

        rq = (ngx_ezw_net_request_t *) data;

        ngx_ezw_net_ran(rq, m->data.result);
    }
}

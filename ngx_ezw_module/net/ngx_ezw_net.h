/*
 * Outbound HTTP on the worker's event loop.
 *
 * A *request* is one HTTP exchange.  Its owner fills it in, submits it, and
 * gets its handler called exactly once, from the event loop, never from inside
 * submit; or takes it back with cancel.
 *
 * A request is in one of these states:
 *   none       before submit, when the handler is called, after cancel
 *   queued     waits until fewer than `transfers` are under way
 *   resolving  its host's name is with nginx's resolver
 *   running    is a transfer of libcurl's
 *   done       over, its handler about to be called
 *
 * What it may call is a matter of its address policy: every address of its
 * host is checked, one that is refused fails the request, and libcurl is given
 * an address to connect to, never a name, so that nothing can change between
 * the check and the connection.  A connection is used again only for the same
 * host, the same address and the same trust.  TLS 1.2 or later and verified;
 * HTTP/2 where the server offers it; no redirect, proxy, cookie or netrc.
 *
 * Every request has a deadline, which begins at submit; its timer is not
 * cancelable, so a worker that shuts down waits for its requests, and for
 * nothing else: idle connections are libcurl's and hold no worker.
 *
 * Nothing here blocks: names come from literals, from /etc/hosts as it was at
 * the worker's start, and from the http block's resolver.
 */

#ifndef NGX_EZW_NET_H
#define NGX_EZW_NET_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <openssl/ssl.h>

#include "base/ezw_address.h"
#include "base/ezw_url.h"


typedef struct ngx_ezw_net_s           ngx_ezw_net_t;
typedef struct ngx_ezw_net_request_s   ngx_ezw_net_request_t;
typedef struct ngx_ezw_net_transfer_s  ngx_ezw_net_transfer_t;

typedef void (*ngx_ezw_net_handler_pt)(ngx_ezw_net_request_t *rq);


/* What a request's handler finds in rq->rc; all but DONE with rq->reason. */
#define NGX_EZW_NET_DONE       0    /* an answer, whatever its status */
#define NGX_EZW_NET_REFUSED    1    /* the policy forbids its address */
#define NGX_EZW_NET_FAILED     2    /* no address, connection or answer */
#define NGX_EZW_NET_TIMEOUT    3    /* not done by its deadline */
#define NGX_EZW_NET_TOO_LARGE  4    /* the answer is larger than max_answer */

#define NGX_EZW_NET_ADDRS      8    /* of a host, looked at and tried */


typedef struct {
    ngx_str_t                   name;
    ngx_str_t                   value;
} ngx_ezw_net_header_t;


/* Which authorities' certificates are believed; read with the configuration,
 * because parsing those of the system takes 40 ms. */
typedef struct {
    X509_STORE                 *store;
    ngx_str_t                   mark;      /* tells it from others: see
                                              ngx_ezw_net_trust.c */
} ngx_ezw_net_trust_t;


struct ngx_ezw_net_request_s {
    /* by the owner; what it points at is to stay until the handler */
    const char                 *method;
    ngx_str_t                   url;
    ngx_ezw_net_header_t       *headers;
    ngx_uint_t                  nheaders;
    ngx_str_t                   body;          /* data NULL: none */
    size_t                      max_answer;    /* bytes of its body */
    ngx_msec_t                  connect_timeout;  /* name, TCP and TLS, for
                                                     each address */
    ngx_msec_t                  timeout;       /* of all, from submit on */
    const ezw_address_policy_t *policy;
    const ngx_ezw_net_trust_t  *trust;
    ngx_ezw_net_handler_pt      handler;
    void                       *data;
    unsigned                    plain:1;       /* http is allowed too */

    /* for the handler, until it returns */
    ngx_int_t                   rc;
    ngx_uint_t                  status;        /* of HTTP, 0: none came */
    ngx_str_t                   answer;        /* its body, or the beginning */
    char                        reason[256];   /* printable ASCII */

    /* the layer's own */
    unsigned                    state:3;
    unsigned                    failing:1;
    ezw_url_t                   where;
    ngx_queue_t                 queue;
    ngx_event_t                 timer;
    ngx_ezw_net_transfer_t     *transfer;
    ngx_ezw_net_t              *net;
};


typedef struct {
    ngx_uint_t                  transfers;     /* under way at once, at most */
    ngx_uint_t                  queue;         /* that wait, at most */
    ngx_resolver_t             *resolver;      /* NULL: none */
} ngx_ezw_net_conf_t;


typedef struct {
    ngx_uint_t                  queued;
    ngx_uint_t                  running;       /* and resolving */
    ngx_uint_t                  sockets;       /* watched, of libcurl */
    ngx_uint_t                  done;          /* answered, since the start */
    ngx_uint_t                  failed;        /* not answered */
    ngx_uint_t                  refused;       /* by policy, or a full queue */
} ngx_ezw_net_stat_t;


/* In init_process of workers.  NULL: logged. */
ngx_ezw_net_t *ngx_ezw_net_start(ngx_cycle_t *cycle,
    const ngx_ezw_net_conf_t *conf);
/* In exit_process: closes what is left; no handler is called any more. */
void ngx_ezw_net_stop(ngx_ezw_net_t *net);

/* Reads a file of certificates in PEM form while the configuration is read; an
 * empty name means those of the system.  NGX_OK, or NGX_ERROR: logged. */
ngx_int_t ngx_ezw_net_trust(ngx_conf_t *cf, ngx_str_t *file,
    ngx_ezw_net_trust_t *trust);

/* NGX_OK: the handler will be called once.  NGX_BUSY: the queue is full.
 * NGX_DECLINED: the request cannot be one (rq->reason).  NGX_ERROR: logged. */
ngx_int_t ngx_ezw_net_submit(ngx_ezw_net_t *net, ngx_ezw_net_request_t *rq);
/* Takes rq back, in whatever state it is; harmless on one in none. */
void ngx_ezw_net_cancel(ngx_ezw_net_request_t *rq);

void ngx_ezw_net_stat(ngx_ezw_net_t *net, ngx_ezw_net_stat_t *st);

#endif

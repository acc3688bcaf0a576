/* The inside of net/: transfers, names, libcurl's sockets.  Included by net/
 * only. */

#ifndef NGX_EZW_NET_CORE_H
#define NGX_EZW_NET_CORE_H

#include <curl/curl.h>

#include "net/ngx_ezw_net.h"


#define NGX_EZW_NET_HEAD   (32 * 1024)   /* bytes of an answer's headers */


typedef enum {
    NGX_EZW_NET_NONE = 0,
    NGX_EZW_NET_QUEUED,
    NGX_EZW_NET_RESOLVING,
    NGX_EZW_NET_RUNNING,
    NGX_EZW_NET_OVER
} ngx_ezw_net_state_e;


typedef struct {
    u_char                     p[16];
    size_t                     len;           /* 4 or 16 */
} ngx_ezw_net_addr_t;


/* What a request has from its turn on until its handler has returned. */
struct ngx_ezw_net_transfer_s {
    ngx_ezw_net_request_t     *request;

    u_char                     host[EZW_URL_HOST_MAX + 1];
    ngx_resolver_ctx_t        *resolving;     /* NULL: not asked, or answered */
    ngx_ezw_net_addr_t         addrs[NGX_EZW_NET_ADDRS];
    ngx_uint_t                 naddrs;
    ngx_uint_t                 addr;          /* the one that is tried */

    CURL                      *easy;
    struct curl_slist         *headers;
    struct curl_slist         *connect_to;
    char                       error[CURL_ERROR_SIZE];

    u_char                    *answer;
    size_t                     len;
    size_t                     size;
    size_t                     head;          /* bytes of headers so far */
    unsigned                   added:1;       /* easy is in the multi */
    unsigned                   too_large:1;
    const char                *refused;       /* by the look at the socket */
};


struct ngx_ezw_net_s {
    ngx_ezw_net_conf_t         conf;
    ngx_log_t                 *log;
    ngx_str_t                  hosts;         /* text of /etc/hosts */

    CURLM                     *multi;
    ngx_event_t                timer;         /* libcurl's own */

    ngx_queue_t                queued;
    ngx_queue_t                running;       /* and resolving */
    ngx_queue_t                over;
    ngx_event_t                work_event;    /* posted: begin, give up */
    ngx_event_t                over_event;    /* posted: call the handlers */
    ngx_ezw_net_stat_t         stat;
    unsigned                   failing:1;     /* one of `running` is */
};


/* ngx_ezw_net.c */

/* The request is over: takes it off its list, gives back what it holds but its
 * answer, and has its handler called.  Not from inside libcurl. */
void ngx_ezw_net_over(ngx_ezw_net_request_t *rq, ngx_int_t rc,
    const char *reason);
/* Fails all requests; the worker is told to end at once. */
void ngx_ezw_net_abandon(ngx_ezw_net_t *net);

/* ngx_ezw_net_resolve.c */

/* Reads /etc/hosts.  NGX_OK, also when there is none; NGX_ERROR: no memory. */
ngx_int_t ngx_ezw_net_hosts_read(ngx_ezw_net_t *net);
/* Finds the addresses of the request's host, checks them, and runs the
 * request, or ends it. */
void ngx_ezw_net_resolve(ngx_ezw_net_request_t *rq);

/* ngx_ezw_net_transfer.c */

/* Gives the request to libcurl, for the address whose turn it is. */
void ngx_ezw_net_run(ngx_ezw_net_request_t *rq);
/* libcurl is done with it. */
void ngx_ezw_net_ran(ngx_ezw_net_request_t *rq, CURLcode result);
/* Takes it away from libcurl and the resolver. */
void ngx_ezw_net_leave(ngx_ezw_net_transfer_t *t);
void ngx_ezw_net_free(ngx_ezw_net_transfer_t *t);

/* ngx_ezw_net_trust.c */

/* Lets the transfer verify by the certificates of trust and no others, and use
 * no connection that others have verified.  NGX_OK or NGX_ERROR. */
ngx_int_t ngx_ezw_net_trust_set(CURL *easy, const ngx_ezw_net_trust_t *trust);

/* ngx_ezw_net_socket.c */

/* libcurl's multi handle, bound to the worker's events.  NGX_OK, or NGX_ERROR:
 * logged. */
ngx_int_t ngx_ezw_net_multi_create(ngx_ezw_net_t *net);
void ngx_ezw_net_multi_destroy(ngx_ezw_net_t *net);

#endif

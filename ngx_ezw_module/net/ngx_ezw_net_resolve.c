/*
 * From a host to addresses that may be called: a literal, /etc/hosts, nginx's
 * resolver, in this order.  One address that the policy refuses fails the
 * request, since a name that leads outside and inside is no honest one.
 */

#include "base/ezw_hosts.h"
#include "net/ngx_ezw_net_core.h"


#define HOSTS_FILE  "/etc/hosts"
#define HOSTS_MAX   (1024 * 1024)


static ngx_uint_t look_in_hosts(ngx_ezw_net_request_t *rq);
static void ask(ngx_ezw_net_request_t *rq);
static void answered(ngx_resolver_ctx_t *ctx);
static void add(ngx_ezw_net_transfer_t *t, const u_char *p, size_t len);
static void check(ngx_ezw_net_request_t *rq);
static void fail(ngx_ezw_net_request_t *rq, ngx_int_t rc, const char *why);


ngx_int_t
ngx_ezw_net_hosts_read(ngx_ezw_net_t *net)
{
    off_t            size;
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_file_info_t  fi;

    fd = ngx_open_file(HOSTS_FILE, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_WARN, net->log, ngx_errno,
                      "%s cannot be opened: no name comes from it", HOSTS_FILE);
        return NGX_OK;
    }

    size = 0;

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR) {
        size = ngx_file_size(&fi);
    }

    if (size > HOSTS_MAX) {
        ngx_log_error(NGX_LOG_WARN, net->log, 0,
                      "of %s only the first %d bytes are read", HOSTS_FILE,
                      HOSTS_MAX);
        size = HOSTS_MAX;
    }

    if (size > 0) {
        net->hosts.data = ngx_alloc(size, net->log);

        if (net->hosts.data == NULL) {
            (void) ngx_close_file(fd);
            return NGX_ERROR;
        }

        n = ngx_read_fd(fd, net->hosts.data, size);

        if (n == -1) {
            ngx_log_error(NGX_LOG_WARN, net->log, ngx_errno,
                          "%s cannot be read: no name comes from it",
                          HOSTS_FILE);
        }

        net->hosts.len = ngx_max(n, 0);
    }

    (void) ngx_close_file(fd);

    return NGX_OK;
}


void
ngx_ezw_net_resolve(ngx_ezw_net_request_t *rq)
{
    if (rq->where.kind != EZW_URL_NAME) {
        add(rq->transfer, rq->where.addr,
            rq->where.kind == EZW_URL_IPV4 ? 4 : 16);
        check(rq);
        return;
    }

    if (look_in_hosts(rq)) {
        check(rq);
        return;
    }

    if (rq->net->conf.resolver == NULL) {
        fail(rq, NGX_EZW_NET_FAILED,
             "it is not in /etc/hosts and no \"resolver\" is configured");
        return;
    }

    ask(rq);
}


/* The number of addresses found. */
static ngx_uint_t
look_in_hosts(ngx_ezw_net_request_t *rq)
{
    unsigned    i, n;
    ezw_str_t   file;
    ezw_cidr_t  c[NGX_EZW_NET_ADDRS];

    static const u_char  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    file.data = rq->net->hosts.data;
    file.len = rq->net->hosts.len;

    n = ezw_hosts_find(&file, &rq->where.host, c, NGX_EZW_NET_ADDRS);

    for (i = 0; i < n; i++) {
        if (ngx_memcmp(c[i].addr, mapped, sizeof(mapped)) == 0) {
            add(rq->transfer, c[i].addr + sizeof(mapped), 4);

        } else {
            add(rq->transfer, c[i].addr, 16);
        }
    }

    return n;
}


static void
ask(ngx_ezw_net_request_t *rq)
{
    ngx_resolver_ctx_t      *ctx;
    ngx_ezw_net_transfer_t  *t;

    t = rq->transfer;

    ctx = ngx_resolve_start(rq->net->conf.resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        fail(rq, NGX_EZW_NET_FAILED, "the resolver cannot be asked");
        return;
    }

    /* the resolver writes it in lower case, in place */

    ngx_memcpy(t->host, rq->where.host.data, rq->where.host.len);

    ctx->name.data = t->host;
    ctx->name.len = rq->where.host.len;
    ctx->handler = answered;
    ctx->data = rq;
    ctx->timeout = rq->connect_timeout;

    t->resolving = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        t->resolving = NULL;
        fail(rq, NGX_EZW_NET_FAILED, "the resolver cannot be asked");
    }

    /* an answer at hand has been given already: rq may be over */
}


static void
answered(ngx_resolver_ctx_t *ctx)
{
    char                     why[128];
    ngx_uint_t               i;
    struct sockaddr         *sa;
    struct sockaddr_in      *sin;
    ngx_ezw_net_request_t   *rq;
    ngx_ezw_net_transfer_t  *t;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6     *sin6;
#endif

    rq = ctx->data;
    t = rq->transfer;

    if (ctx->state) {
        ngx_snprintf((u_char *) why, sizeof(why), "%s (%i)%Z",
                     ngx_resolver_strerror(ctx->state), ctx->state);
        why[sizeof(why) - 1] = '\0';

        t->resolving = NULL;
        ngx_resolve_name_done(ctx);
        fail(rq, NGX_EZW_NET_FAILED, why);
        return;
    }

    /* IPv4 first: where IPv6 leads nowhere that costs nothing */

    for (i = 0; i < ctx->naddrs; i++) {
        sa = ctx->addrs[i].sockaddr;

        if (sa->sa_family == AF_INET) {
            sin = (struct sockaddr_in *) sa;
            add(t, (u_char *) &sin->sin_addr, 4);
        }
    }

#if (NGX_HAVE_INET6)

    for (i = 0; i < ctx->naddrs; i++) {
        sa = ctx->addrs[i].sockaddr;

        if (sa->sa_family == AF_INET6) {
            sin6 = (struct sockaddr_in6 *) sa;
            add(t, (u_char *) &sin6->sin6_addr, 16);
        }
    }

#endif

    t->resolving = NULL;
    ngx_resolve_name_done(ctx);

    check(rq);
}


/* Those above NGX_EZW_NET_ADDRS are neither looked at nor called. */
static void
add(ngx_ezw_net_transfer_t *t, const u_char *p, size_t len)
{
    ngx_ezw_net_addr_t  *addr;

    if (t->naddrs < NGX_EZW_NET_ADDRS) {
        addr = &t->addrs[t->naddrs++];
        ngx_memcpy(addr->p, p, len);
        addr->len = len;
    }
}


/* All addresses are here. */
static void
check(ngx_ezw_net_request_t *rq)
{
    ngx_uint_t               i;
    const char              *why;
    ngx_ezw_net_transfer_t  *t;

    t = rq->transfer;

    if (t->naddrs == 0) {
        fail(rq, NGX_EZW_NET_FAILED, "it has no address");
        return;
    }

    for (i = 0; i < t->naddrs; i++) {
        why = ezw_address_refused(t->addrs[i].p, t->addrs[i].len, rq->policy);

        if (why) {
            fail(rq, NGX_EZW_NET_REFUSED, why);
            return;
        }
    }

    ngx_ezw_net_run(rq);
}


/* Ends the request with a reason that names its host. */
static void
fail(ngx_ezw_net_request_t *rq, ngx_int_t rc, const char *why)
{
    u_char  *p;
    u_char   reason[EZW_URL_HOST_MAX + 128];

    p = ngx_snprintf(reason, sizeof(reason) - 1, "%*s: %s",
                     rq->where.host.len, rq->where.host.data, why);
    *p = '\0';

    ngx_ezw_net_over(rq, rc, (char *) reason);
}

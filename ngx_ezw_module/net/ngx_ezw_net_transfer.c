/*
 * One request as a transfer of libcurl's: what it is told to do, and not to
 * do, and what comes of it.  The functions that libcurl calls while it works
 * only note things down; nothing ends a request before libcurl has returned.
 */

#include <openssl/err.h>

#include "net/ngx_ezw_net_core.h"


#define IDLE_MAX      60L         /* s that an idle connection is believed */
#define ANSWER_FIRST  4096        /* bytes of the first buffer */


static ngx_int_t prepare(ngx_ezw_net_request_t *rq);
static ngx_int_t set_method(ngx_ezw_net_request_t *rq);
static ngx_int_t set_headers(ngx_ezw_net_request_t *rq);
static ngx_int_t add_header(ngx_ezw_net_transfer_t *t, ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t set_address(ngx_ezw_net_request_t *rq);
static curl_socket_t open_socket(void *data, curlsocktype purpose,
    struct curl_sockaddr *address);
static size_t take_head(char *p, size_t size, size_t n, void *data);
static size_t take_answer(char *p, size_t size, size_t n, void *data);
static ngx_uint_t is_unreachable(ngx_ezw_net_transfer_t *t, CURLcode result);


void
ngx_ezw_net_run(ngx_ezw_net_request_t *rq)
{
    CURLMcode                rc;
    ngx_ezw_net_transfer_t  *t;

    t = rq->transfer;
    rq->state = NGX_EZW_NET_RUNNING;

    if ((t->easy == NULL && prepare(rq) != NGX_OK)
        || set_address(rq) != NGX_OK)
    {
        ngx_ezw_net_over(rq, NGX_EZW_NET_FAILED, "no memory");
        return;
    }

    rc = curl_multi_add_handle(rq->net->multi, t->easy);
    ERR_clear_error();

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, rq->net->log, 0,
                      "net: curl_multi_add_handle: %s",
                      curl_multi_strerror(rc));
        ngx_ezw_net_over(rq, NGX_EZW_NET_FAILED, "libcurl does not take it");
        return;
    }

    t->added = 1;
}


#define set(option, value)                                                    \
    (curl_easy_setopt(t->easy, option, value) == CURLE_OK)


/* The transfer's handle, for whatever address.  NGX_ERROR: no memory. */
static ngx_int_t
prepare(ngx_ezw_net_request_t *rq)
{
    char                    *url;
    ngx_int_t                rc;
    ngx_ezw_net_transfer_t  *t;

    t = rq->transfer;

    t->easy = curl_easy_init();
    if (t->easy == NULL) {
        return NGX_ERROR;
    }

    url = ngx_alloc(rq->url.len + 1, rq->net->log);
    if (url == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(url, rq->url.data, rq->url.len);
    url[rq->url.len] = '\0';

    rc = set(CURLOPT_URL, url) ? NGX_OK : NGX_ERROR;

    ngx_free(url);

    if (rc != NGX_OK
        || !set(CURLOPT_PRIVATE, rq)
        || !set(CURLOPT_ERRORBUFFER, t->error)
        || !set(CURLOPT_NOSIGNAL, 1L)

        /* where to */
        || !set(CURLOPT_PROTOCOLS_STR, rq->plain ? "http,https" : "https")
        || !set(CURLOPT_FOLLOWLOCATION, 0L)
        || !set(CURLOPT_REDIR_PROTOCOLS_STR, "https")
        || !set(CURLOPT_PROXY, "")
        || !set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L)
        || !set(CURLOPT_PATH_AS_IS, 1L)
        || !set(CURLOPT_OPENSOCKETFUNCTION, open_socket)
        || !set(CURLOPT_OPENSOCKETDATA, rq)
        || !set(CURLOPT_CONNECTTIMEOUT_MS, (long) rq->connect_timeout)
        || !set(CURLOPT_MAXAGE_CONN, IDLE_MAX)

        /* what with */
        || !set(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS)
        || !set(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2)
        || !set(CURLOPT_SSL_VERIFYPEER, 1L)
        || !set(CURLOPT_SSL_VERIFYHOST, 2L)
        || !set(CURLOPT_NETRC, (long) CURL_NETRC_IGNORED)
        || !set(CURLOPT_USERAGENT, "ngx_ezw")

        /* what comes back */
        || !set(CURLOPT_HEADERFUNCTION, take_head)
        || !set(CURLOPT_HEADERDATA, rq)
        || !set(CURLOPT_WRITEFUNCTION, take_answer)
        || !set(CURLOPT_WRITEDATA, rq))
    {
        return NGX_ERROR;
    }

    if (ngx_ezw_net_trust_set(t->easy, rq->trust) != NGX_OK
        || set_method(rq) != NGX_OK
        || set_headers(rq) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
set_method(ngx_ezw_net_request_t *rq)
{
    ngx_ezw_net_transfer_t  *t;

    t = rq->transfer;

    if (rq->body.data) {
        if (!set(CURLOPT_POST, 1L)
            || !set(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) rq->body.len)
            || !set(CURLOPT_POSTFIELDS, (char *) rq->body.data))
        {
            return NGX_ERROR;
        }

    } else if (ngx_strcmp(rq->method, "HEAD") == 0) {
        return set(CURLOPT_NOBODY, 1L) ? NGX_OK : NGX_ERROR;
    }

    return set(CURLOPT_CUSTOMREQUEST, rq->method) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
set_headers(ngx_ezw_net_request_t *rq)
{
    ngx_uint_t               i, type;
    ngx_ezw_net_transfer_t  *t;

    static ngx_str_t  expect = ngx_string("Expect");
    static ngx_str_t  content_type = ngx_string("Content-Type");

    t = rq->transfer;
    type = 0;

    for (i = 0; i < rq->nheaders; i++) {
        if (add_header(t, &rq->headers[i].name, &rq->headers[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (rq->headers[i].name.len == content_type.len
            && ngx_strncasecmp(rq->headers[i].name.data, content_type.data,
                               content_type.len)
               == 0)
        {
            type = 1;
        }
    }

    /* libcurl's own: a pause of a second, and a form's type */

    if (add_header(t, &expect, NULL) != NGX_OK
        || (rq->body.data && !type
            && add_header(t, &content_type, NULL) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return set(CURLOPT_HTTPHEADER, t->headers) ? NGX_OK : NGX_ERROR;
}


/* In libcurl's way: "Name: value", "Name;" for an empty value; "Name:" for one
 * that it is not to send, which is value NULL here. */
static ngx_int_t
add_header(ngx_ezw_net_transfer_t *t, ngx_str_t *name, ngx_str_t *value)
{
    u_char             *line, *p;
    struct curl_slist  *list;

    line = ngx_alloc(name->len + (value ? value->len : 0) + 3,
                     t->request->net->log);
    if (line == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(line, name->data, name->len);

    if (value == NULL) {
        *p++ = ':';

    } else if (value->len == 0) {
        *p++ = ';';

    } else {
        *p++ = ':';
        *p++ = ' ';
        p = ngx_cpymem(p, value->data, value->len);
    }

    *p = '\0';

    list = curl_slist_append(t->headers, (char *) line);

    ngx_free(line);

    if (list == NULL) {
        return NGX_ERROR;
    }

    t->headers = list;

    return NGX_OK;
}


/*
 * The address in place of whatever the host's name would be resolved to, for
 * every host and port: libcurl gets no name to look up, and uses a connection
 * again only when it leads to this very address.
 */
static ngx_int_t
set_address(ngx_ezw_net_request_t *rq)
{
    size_t                   n;
    u_char                  *p, *end;
    u_char                   line[EZW_CIDR_LEN + sizeof("::[]:65535")];
    ezw_cidr_t               c;
    struct curl_slist       *list;
    ngx_ezw_net_addr_t      *addr;
    ngx_ezw_net_transfer_t  *t;

    t = rq->transfer;
    addr = &t->addrs[t->addr];

    p = line;
    end = line + sizeof(line) - 1;

    if (addr->len == 4) {
        ezw_cidr_address(addr->p, 4, &c);
        p = ngx_cpymem(p, "::", 2);
        p += ezw_cidr_text(p, &c);

    } else {
        /* not ezw_cidr_text, which writes a mapped one as IPv4 */

        p = ngx_cpymem(p, "::[", 3);

        for (n = 0; n < 16; n += 2) {
            p = ngx_slprintf(p, end, n ? ":%xd" : "%xd",
                             addr->p[n] << 8 | addr->p[n + 1]);
        }

        *p++ = ']';
    }

    p = ngx_slprintf(p, end, ":%ui", (ngx_uint_t) rq->where.port);
    *p = '\0';

    list = curl_slist_append(NULL, (char *) line);
    if (list == NULL) {
        return NGX_ERROR;
    }

    if (!set(CURLOPT_CONNECT_TO, list)) {
        curl_slist_free_all(list);
        return NGX_ERROR;
    }

    curl_slist_free_all(t->connect_to);
    t->connect_to = list;

    return NGX_OK;
}


/* The last look: at the address of the socket itself. */
static curl_socket_t
open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    size_t                   len;
    u_char                  *p;
    struct sockaddr_in      *sin;
    struct sockaddr_in6     *sin6;
    ngx_ezw_net_addr_t      *addr;
    ngx_ezw_net_request_t   *rq;
    ngx_ezw_net_transfer_t  *t;

    rq = data;
    t = rq->transfer;
    addr = &t->addrs[t->addr];

    switch (address->family) {

    case AF_INET:
        sin = (struct sockaddr_in *) &address->addr;
        p = (u_char *) &sin->sin_addr;
        len = 4;
        break;

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) &address->addr;
        p = (u_char *) &sin6->sin6_addr;
        len = 16;
        break;

    default:
        p = NULL;
        len = 0;
    }

    if (purpose != CURLSOCKTYPE_IPCXN || len != addr->len
        || ngx_memcmp(p, addr->p, len) != 0)
    {
        ngx_log_error(NGX_LOG_ALERT, rq->net->log, 0,
                      "net: libcurl would connect to an address that it has "
                      "not been given");
        t->refused = "another address";
        return CURL_SOCKET_BAD;
    }

    t->refused = ezw_address_refused(p, len, rq->policy);

    if (t->refused) {
        return CURL_SOCKET_BAD;
    }

    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}


static size_t
take_head(char *p, size_t size, size_t n, void *data)
{
    ngx_ezw_net_request_t   *rq;
    ngx_ezw_net_transfer_t  *t;

    rq = data;
    t = rq->transfer;

    t->head += size * n;

    if (t->head > NGX_EZW_NET_HEAD) {
        t->too_large = 1;
        return 0;
    }

    return size * n;
}


static size_t
take_answer(char *p, size_t size, size_t n, void *data)
{
    size_t                   len, room;
    u_char                  *answer;
    ngx_ezw_net_request_t   *rq;
    ngx_ezw_net_transfer_t  *t;

    rq = data;
    t = rq->transfer;

    len = size * n;

    if (len > rq->max_answer - t->len) {
        t->too_large = 1;
        len = rq->max_answer - t->len;
    }

    if (len > t->size - t->len) {
        room = ngx_max(t->size * 2, ANSWER_FIRST);
        room = ngx_max(room, t->len + len);
        room = ngx_min(room, rq->max_answer);

        answer = realloc(t->answer, room);
        if (answer == NULL) {
            return 0;
        }

        t->answer = answer;
        t->size = room;
    }

    if (len) {
        ngx_memcpy(t->answer + t->len, p, len);
        t->len += len;
    }

    return t->too_large ? 0 : size * n;
}


void
ngx_ezw_net_ran(ngx_ezw_net_request_t *rq, CURLcode result)
{
    long                     status;
    const char              *reason;
    ngx_ezw_net_transfer_t  *t;

    t = rq->transfer;

    status = 0;
    (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    rq->status = status;

    if (result == CURLE_OK) {
        ngx_ezw_net_over(rq, NGX_EZW_NET_DONE, "");
        return;
    }

    if (t->too_large) {
        ngx_ezw_net_over(rq, NGX_EZW_NET_TOO_LARGE, "the answer is too large");
        return;
    }

    if (t->refused) {
        ngx_ezw_net_over(rq, NGX_EZW_NET_REFUSED, t->refused);
        return;
    }

    if (t->addr + 1 < t->naddrs && is_unreachable(t, result)) {

        (void) curl_multi_remove_handle(rq->net->multi, t->easy);
        ERR_clear_error();

        t->added = 0;
        t->addr++;
        ngx_ezw_net_run(rq);
        return;
    }

    reason = t->error[0] ? t->error : curl_easy_strerror(result);

    ngx_ezw_net_over(rq, result == CURLE_OPERATION_TIMEDOUT
                         ? NGX_EZW_NET_TIMEOUT : NGX_EZW_NET_FAILED,
                     reason);
}


/* 1: not a byte of the request has left, another address may be tried. */
static ngx_uint_t
is_unreachable(ngx_ezw_net_transfer_t *t, CURLcode result)
{
    curl_off_t  connected;

    if (result == CURLE_COULDNT_CONNECT) {
        return 1;
    }

    connected = 0;

    return result == CURLE_OPERATION_TIMEDOUT
           && curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected)
              == CURLE_OK
           && connected == 0;
}


void
ngx_ezw_net_leave(ngx_ezw_net_transfer_t *t)
{
    if (t->resolving) {
        ngx_resolve_name_done(t->resolving);
        t->resolving = NULL;
    }

    if (t->easy) {

        if (t->added) {
            (void) curl_multi_remove_handle(t->request->net->multi, t->easy);
            t->added = 0;
        }

        curl_easy_cleanup(t->easy);
        t->easy = NULL;
        ERR_clear_error();
    }

    curl_slist_free_all(t->headers);
    t->headers = NULL;

    curl_slist_free_all(t->connect_to);
    t->connect_to = NULL;
}


void
ngx_ezw_net_free(ngx_ezw_net_transfer_t *t)
{
    free(t->answer);
    ngx_free(t);
}

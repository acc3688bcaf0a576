/* A URL: its parts lie side by side in it, and the C library takes no name for
 * an address. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "support.h"
#include "ezw_url.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              rc;
    char             host[EZW_URL_HOST_MAX + 1];
    size_t           i;
    ezw_str_t        s;
    ezw_url_t        u;
    const char      *why;
    struct in_addr   in;
    struct in6_addr  in6;

    s = tight(data, size);
    why = NULL;
    rc = ezw_url_parse(&s, &u, &why);

    if (rc != EZW_OK) {
        CHECK(rc == EZW_INVALID && why != NULL);
        free(s.data);
        return 0;
    }

    CHECK(why == NULL);
    CHECK(size <= EZW_URL_MAX);
    CHECK(u.port >= 1 && u.port <= 65535);
    CHECK(u.host.len >= 1 && u.host.len <= EZW_URL_HOST_MAX);

    for (i = 0; i < size; i++) {
        CHECK(data[i] > ' ' && data[i] < 0x7f);
        CHECK(data[i] != '#' && data[i] != '\\');
    }

    i = (u.https ? 8 : 7) + (u.kind == EZW_URL_IPV6);
    CHECK(u.host.data == s.data + i);
    CHECK(u.path.data + u.path.len == s.data + s.len);
    CHECK(u.path.len == 0 || *u.path.data == '/' || *u.path.data == '?');

    memcpy(host, u.host.data, u.host.len);
    host[u.host.len] = '\0';
    CHECK(strlen(host) == u.host.len);

    switch (u.kind) {

    case EZW_URL_NAME:
        CHECK(strpbrk(host, "/:@[]%") == NULL);
        CHECK(inet_aton(host, &in) == 0);
        break;

    case EZW_URL_IPV4:
        CHECK(inet_pton(AF_INET, host, &in) == 1);
        CHECK(memcmp(&in, u.addr, 4) == 0);
        break;

    default: /* EZW_URL_IPV6 */
        CHECK(inet_pton(AF_INET6, host, &in6) == 1);
        CHECK(memcmp(&in6, u.addr, 16) == 0);
    }

    free(s.data);

    return 0;
}

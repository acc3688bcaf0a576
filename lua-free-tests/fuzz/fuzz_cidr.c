/* Addresses: as inet_pton() reads them and inet_ntop() writes them; what is
 * taken leaves as a text that is taken for the same. */

#include <arpa/inet.h>

#include "support.h"
#include "ezw_cidr.h"


/* 1 when the C library takes text for the address, IPv4-mapped or not. */
static int
library_takes(const char *text, unsigned char *addr)
{
    if (strchr(text, ':') != NULL) {
        return inet_pton(AF_INET6, text, addr) == 1;
    }

    memcpy(addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

    return inet_pton(AF_INET, text, addr + 12) == 1;
}


/* The same text, but for the forms of ::/96, which the C library mixes. */
static void
check_library_text(const ezw_cidr_t *c, const char *text)
{
    char  expected[INET6_ADDRSTRLEN];

    if (memcmp(c->addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) == 0) {
        inet_ntop(AF_INET, c->addr + 12, expected, sizeof(expected));

    } else if (memcmp(c->addr, "\0\0\0\0\0\0\0\0\0\0\0\0", 12) == 0) {
        return;

    } else {
        inet_ntop(AF_INET6, c->addr, expected, sizeof(expected));
    }

    CHECK(strcmp(text, expected) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int            rc;
    char           text[128];
    size_t         len;
    ezw_str_t      s;
    ezw_cidr_t     c, again;
    unsigned char  addr[16];

    s = tight(data, size);
    rc = ezw_cidr_parse(&s, &c);
    free(s.data);

    CHECK(rc == EZW_OK || rc == EZW_INVALID);

    if (size < sizeof(text) && memchr(data, '/', size) == NULL
        && memchr(data, '\0', size) == NULL)
    {
        memcpy(text, data, size);
        text[size] = '\0';
        CHECK(library_takes(text, addr) == (rc == EZW_OK));

        if (rc == EZW_OK) {
            CHECK(c.bits == 128 && memcmp(c.addr, addr, 16) == 0);
        }
    }

    if (rc != EZW_OK) {
        return 0;
    }

    CHECK(c.bits <= 128);
    len = ezw_cidr_text((unsigned char *) text, &c);
    CHECK(len <= EZW_CIDR_LEN);
    text[len] = '\0';

    if (c.bits == 128) {
        check_library_text(&c, text);
    }

    s = tight(text, len);
    CHECK(ezw_cidr_parse(&s, &again) == EZW_OK);
    free(s.data);

    CHECK(again.bits == c.bits && memcmp(again.addr, c.addr, 16) == 0);
    CHECK(ezw_cidr_match(&c, &again));

    return 0;
}

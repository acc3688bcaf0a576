/*
 * Addresses and networks.  One parser for both, stricter than inet_aton():
 * an address that is read in two ways lets in somebody else.
 */

#include "ezw_cidr.h"


#define GROUPS  8        /* of 16 bits, in an IPv6 address */
#define MAPPED  96       /* bits of ::ffff:0:0, which IPv4 lies in */


static const unsigned char  mapped[12] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
};


static int parse_ipv4(const unsigned char *p, size_t len,
    unsigned char *addr);
static int parse_ipv6(const unsigned char *p, size_t len,
    unsigned char *addr);
static int parse_group(const unsigned char *p, size_t len,
    unsigned char *addr);
static int parse_decimal(const unsigned char *p, size_t len, unsigned max);
static void clear_host(ezw_cidr_t *c);
static unsigned char *write_ipv6(unsigned char *p, const unsigned char *addr);
static unsigned char *write_decimal(unsigned char *p, unsigned v);


/* Parses an address or a network; EZW_OK or EZW_INVALID. */
int
ezw_cidr_parse(const ezw_str_t *s, ezw_cidr_t *c)
{
    int                   bits;
    size_t                len;
    unsigned              max;
    const unsigned char  *p, *slash;

    p = s->data;
    len = s->len;

    if (len == 0) {
        return EZW_INVALID;
    }

    slash = memchr(p, '/', len);

    if (slash != NULL) {
        len = slash - p;
    }

    if (len > 0 && memchr(p, ':', len) != NULL) {
        max = 128;

        if (parse_ipv6(p, len, c->addr) != EZW_OK) {
            return EZW_INVALID;
        }

    } else {
        max = 32;

        if (parse_ipv4(p, len, c->addr + sizeof(mapped)) != EZW_OK) {
            return EZW_INVALID;
        }

        memcpy(c->addr, mapped, sizeof(mapped));
    }

    bits = (int) max;

    if (slash != NULL) {
        bits = parse_decimal(slash + 1, p + s->len - slash - 1, max);

        if (bits < 0) {
            return EZW_INVALID;
        }
    }

    c->bits = (unsigned char) (bits + 128 - max);
    clear_host(c);

    return EZW_OK;
}


/* Sets an address of 4 or 16 bytes; any other is one that lies in ::/0 only. */
void
ezw_cidr_address(const unsigned char *p, size_t len, ezw_cidr_t *c)
{
    c->bits = 128;

    if (len == 4) {
        memcpy(c->addr, mapped, sizeof(mapped));
        memcpy(c->addr + sizeof(mapped), p, 4);

    } else if (len == sizeof(c->addr)) {
        memcpy(c->addr, p, sizeof(c->addr));

    } else {
        memset(c, 0, sizeof(ezw_cidr_t));
    }
}


/* 1 when the address, or the whole of a network, lies in the network. */
int
ezw_cidr_match(const ezw_cidr_t *network, const ezw_cidr_t *address)
{
    unsigned  bytes, rest;

    if (address->bits < network->bits) {
        return 0;
    }

    bytes = network->bits / 8;
    rest = network->bits % 8;

    if (memcmp(network->addr, address->addr, bytes) != 0) {
        return 0;
    }

    return rest == 0
           || ((network->addr[bytes] ^ address->addr[bytes]) >> (8 - rest))
              == 0;
}


/* Writes the canonical text and returns its length. */
size_t
ezw_cidr_text(unsigned char *dst, const ezw_cidr_t *c)
{
    unsigned        i, bits;
    unsigned char  *p;

    p = dst;
    bits = c->bits;

    if (bits >= MAPPED && memcmp(c->addr, mapped, sizeof(mapped)) == 0) {

        for (i = sizeof(mapped); i < sizeof(c->addr); i++) {
            if (i > sizeof(mapped)) {
                *p++ = '.';
            }

            p = write_decimal(p, c->addr[i]);
        }

        bits -= MAPPED;

    } else {
        p = write_ipv6(p, c->addr);
    }

    if (c->bits < 128) {
        *p++ = '/';
        p = write_decimal(p, bits);
    }

    return p - dst;
}


/* "a.b.c.d" to four bytes; EZW_OK or EZW_INVALID. */
static int
parse_ipv4(const unsigned char *p, size_t len, unsigned char *addr)
{
    int                   v;
    unsigned              i;
    const unsigned char  *end, *next;

    end = p + len;

    for (i = 0; i < 4; i++) {
        next = (i < 3 && p < end) ? memchr(p, '.', end - p) : end;

        if (next == NULL) {
            return EZW_INVALID;
        }

        v = parse_decimal(p, next - p, 255);

        if (v < 0) {
            return EZW_INVALID;
        }

        addr[i] = (unsigned char) v;
        p = next + (i < 3);
    }

    return EZW_OK;
}


/* Groups of hex digits, one "::" for those that are zero, the last two perhaps
 * as IPv4, to 16 bytes; EZW_OK or EZW_INVALID. */
static int
parse_ipv6(const unsigned char *p, size_t len, unsigned char *addr)
{
    size_t                size;
    unsigned              n, gap;
    const unsigned char  *end, *next;

    end = p + len;
    n = 0;
    gap = GROUPS + 1;

    if (len >= 2 && p[0] == ':' && p[1] == ':') {
        gap = 0;
        p += 2;
    }

    while (p < end) {

        if (n == GROUPS) {
            return EZW_INVALID;
        }

        next = memchr(p, ':', end - p);
        size = (next != NULL ? next : end) - p;

        if (next == NULL && memchr(p, '.', size) != NULL) {

            if (n > GROUPS - 2
                || parse_ipv4(p, size, addr + 2 * n) != EZW_OK)
            {
                return EZW_INVALID;
            }

            n += 2;
            break;
        }

        if (parse_group(p, size, addr + 2 * n) != EZW_OK) {
            return EZW_INVALID;
        }

        n++;

        if (next == NULL) {
            break;
        }

        p = next + 1;

        if (p == end) {
            return EZW_INVALID;
        }

        if (*p == ':') {
            if (gap <= GROUPS) {
                return EZW_INVALID;
            }

            gap = n;
            p++;
        }
    }

    if (gap > GROUPS) {
        return (n == GROUPS) ? EZW_OK : EZW_INVALID;
    }

    if (n == GROUPS) {
        /* "::" stands for one group at least */
        return EZW_INVALID;
    }

    size = 2 * (n - gap);

    memmove(addr + 2 * GROUPS - size, addr + 2 * gap, size);
    memset(addr + 2 * gap, 0, 2 * (GROUPS - n));

    return EZW_OK;
}


/* One to four hex digits to two bytes; EZW_OK or EZW_INVALID. */
static int
parse_group(const unsigned char *p, size_t len, unsigned char *addr)
{
    size_t         i;
    unsigned       v;
    unsigned char  c;

    if (len < 1 || len > 4) {
        return EZW_INVALID;
    }

    v = 0;

    for (i = 0; i < len; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            v = v << 4 | (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            v = v << 4 | ((c | 0x20) - 'a' + 10);

        } else {
            return EZW_INVALID;
        }
    }

    addr[0] = (unsigned char) (v >> 8);
    addr[1] = (unsigned char) v;

    return EZW_OK;
}


/* One to three digits of which the first is no needless zero; -1: no number
 * up to max. */
static int
parse_decimal(const unsigned char *p, size_t len, unsigned max)
{
    size_t    i;
    unsigned  v;

    if (len < 1 || len > 3 || (len > 1 && *p == '0')) {
        return -1;
    }

    v = 0;

    for (i = 0; i < len; i++) {
        if (p[i] < '0' || p[i] > '9') {
            return -1;
        }

        v = v * 10 + (p[i] - '0');
    }

    return (v <= max) ? (int) v : -1;
}


/* Clears what is not of the network. */
static void
clear_host(ezw_cidr_t *c)
{
    unsigned  i;

    i = c->bits / 8;

    if (c->bits % 8 != 0) {
        c->addr[i] &= (unsigned char) (0xff << (8 - c->bits % 8));
        i++;
    }

    memset(c->addr + i, 0, sizeof(c->addr) - i);
}


/* Writes an IPv6 address (RFC 5952): lower case, no zeros in front, "::" for
 * the first of the longest runs of zero groups that are not single; returns
 * its end. */
static unsigned char *
write_ipv6(unsigned char *p, const unsigned char *addr)
{
    int       shift;
    unsigned  i, group, run, gap, longest;

    static const unsigned char  hex[] = "0123456789abcdef";

    gap = GROUPS;
    longest = 1;
    run = 0;

    for (i = 0; i < GROUPS; i++) {
        run = (addr[2 * i] == 0 && addr[2 * i + 1] == 0) ? run + 1 : 0;

        if (run > longest) {
            longest = run;
            gap = i + 1 - run;
        }
    }

    for (i = 0; i < GROUPS; i++) {

        if (i == gap) {
            *p++ = ':';
            *p++ = ':';
            i += longest - 1;
            continue;
        }

        if (i > 0 && i != gap + longest) {
            *p++ = ':';
        }

        group = (unsigned) addr[2 * i] << 8 | addr[2 * i + 1];

        for (shift = 12; shift >= 0; shift -= 4) {
            if (shift == 0 || group >> shift != 0) {
                *p++ = hex[group >> shift & 0xf];
            }
        }
    }

    return p;
}


/* Writes a number below 1000 and returns its end. */
static unsigned char *
write_decimal(unsigned char *p, unsigned v)
{
    if (v >= 100) {
        *p++ = (unsigned char) ('0' + v / 100);
    }

    if (v >= 10) {
        *p++ = (unsigned char) ('0' + v / 10 % 10);
    }

    *p++ = (unsigned char) ('0' + v % 10);

    return p;
}

/*
 * Kinds of addresses.  Of IPv6 only 2000::/3 is the internet, so that what has
 * not been given out yet is refused without being named here.
 */

#include "ezw_address.h"


#define V4(a, b, c, d, bits)                                                  \
    { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d }, 96 + (bits) }

/* the first six groups; those that follow are zero */
#define V6(a, b, c, d, e, f, bits)                                            \
    { { (a) >> 8, (a) & 0xff, (b) >> 8, (b) & 0xff, (c) >> 8, (c) & 0xff,     \
        (d) >> 8, (d) & 0xff, (e) >> 8, (e) & 0xff, (f) >> 8, (f) & 0xff },   \
      bits }


typedef struct {
    ezw_cidr_t            network;
    ezw_address_e         kind;
    unsigned              embeds;    /* offset of the IPv4 address within, 0:
                                        there is none */
} place_t;


/* The first that matches counts. */
static const place_t  places[] = {

    /* RFC 6890 and the registry that it started */

    { V4(100, 100, 100, 200, 32),     EZW_ADDRESS_METADATA,    0 },
    { V4(168, 63, 129, 16, 32),       EZW_ADDRESS_METADATA,    0 },
    { V4(192, 0, 0, 192, 32),         EZW_ADDRESS_METADATA,    0 },
    { V4(0, 0, 0, 0, 8),              EZW_ADDRESS_UNSPECIFIED, 0 },
    { V4(10, 0, 0, 0, 8),             EZW_ADDRESS_PRIVATE,     0 },
    { V4(100, 64, 0, 0, 10),          EZW_ADDRESS_SHARED,      0 },
    { V4(127, 0, 0, 0, 8),            EZW_ADDRESS_LOOPBACK,    0 },
    { V4(169, 254, 0, 0, 16),         EZW_ADDRESS_LINK_LOCAL,  0 },
    { V4(172, 16, 0, 0, 12),          EZW_ADDRESS_PRIVATE,     0 },
    { V4(192, 0, 0, 0, 24),           EZW_ADDRESS_RESERVED,    0 },
    { V4(192, 0, 2, 0, 24),           EZW_ADDRESS_RESERVED,    0 },
    { V4(192, 88, 99, 0, 24),         EZW_ADDRESS_RESERVED,    0 },
    { V4(192, 168, 0, 0, 16),         EZW_ADDRESS_PRIVATE,     0 },
    { V4(198, 18, 0, 0, 15),          EZW_ADDRESS_RESERVED,    0 },
    { V4(198, 51, 100, 0, 24),        EZW_ADDRESS_RESERVED,    0 },
    { V4(203, 0, 113, 0, 24),         EZW_ADDRESS_RESERVED,    0 },
    { V4(224, 0, 0, 0, 4),            EZW_ADDRESS_MULTICAST,   0 },
    { V4(255, 255, 255, 255, 32),     EZW_ADDRESS_MULTICAST,   0 },
    { V4(240, 0, 0, 0, 4),            EZW_ADDRESS_RESERVED,    0 },
    { V4(0, 0, 0, 0, 0),              EZW_ADDRESS_PUBLIC,      0 },

    { { { 0 }, 128 },                 EZW_ADDRESS_UNSPECIFIED, 0 },
    { { { [15] = 1 }, 128 },          EZW_ADDRESS_LOOPBACK,    0 },
    { V6(0, 0, 0, 0, 0, 0, 96),       EZW_ADDRESS_MAPPED,      12 },
    { V6(0, 0, 0, 0, 0xffff, 0, 96),  EZW_ADDRESS_TRANSLATED,  12 },
    { V6(0x64, 0xff9b, 0, 0, 0, 0, 96),
                                      EZW_ADDRESS_TRANSLATED,  12 },
    { V6(0x64, 0xff9b, 1, 0, 0, 0, 48),
                                      EZW_ADDRESS_TRANSLATED,  0 },
    { V6(0x2001, 0, 0, 0, 0, 0, 32),  EZW_ADDRESS_TRANSLATED,  4 },
    { V6(0x2001, 0, 0, 0, 0, 0, 23),  EZW_ADDRESS_RESERVED,    0 },
    { V6(0x2001, 0xdb8, 0, 0, 0, 0, 32),
                                      EZW_ADDRESS_RESERVED,    0 },
    { V6(0x2002, 0, 0, 0, 0, 0, 16),  EZW_ADDRESS_TRANSLATED,  2 },
    { V6(0x3fff, 0, 0, 0, 0, 0, 20),  EZW_ADDRESS_RESERVED,    0 },
    { V6(0x2000, 0, 0, 0, 0, 0, 3),   EZW_ADDRESS_PUBLIC,      0 },
    { { { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 }, 128 },
                                      EZW_ADDRESS_METADATA,    0 },
    { { { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54 }, 128 },
                                      EZW_ADDRESS_METADATA,    0 },
    { V6(0xfc00, 0, 0, 0, 0, 0, 7),   EZW_ADDRESS_PRIVATE,     0 },
    { V6(0xfe80, 0, 0, 0, 0, 0, 10),  EZW_ADDRESS_LINK_LOCAL,  0 },
    { V6(0xfec0, 0, 0, 0, 0, 0, 10),  EZW_ADDRESS_PRIVATE,     0 },
    { V6(0xff00, 0, 0, 0, 0, 0, 8),   EZW_ADDRESS_MULTICAST,   0 },
    { V6(0, 0, 0, 0, 0, 0, 0),        EZW_ADDRESS_RESERVED,    0 },
};


static int is_refused_always(ezw_address_e kind);
static ezw_address_e embedded_kind(const unsigned char *p, unsigned offset,
    ezw_address_e kind);


/* The kind of an address of 4 or 16 bytes; any other length is reserved. */
ezw_address_e
ezw_address_kind(const unsigned char *p, size_t len)
{
    unsigned        i;
    ezw_cidr_t      c;
    const place_t  *place;

    static const ezw_cidr_t  mapped = V4(0, 0, 0, 0, 0);

    if (len != 4 && len != 16) {
        return EZW_ADDRESS_RESERVED;
    }

    ezw_cidr_address(p, len, &c);

    if (len == 16 && ezw_cidr_match(&mapped, &c)) {
        return embedded_kind(p, 12, EZW_ADDRESS_MAPPED);
    }

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        place = &places[i];

        if (ezw_cidr_match(&place->network, &c)) {
            return place->embeds
                   ? embedded_kind(p, place->embeds, place->kind)
                   : place->kind;
        }
    }

    return EZW_ADDRESS_RESERVED;
}


/* The kind of an IPv6 address with an IPv4 one inside. */
static ezw_address_e
embedded_kind(const unsigned char *p, unsigned offset, ezw_address_e kind)
{
    unsigned       i;
    ezw_address_e  inner;
    unsigned char  client[4];

    inner = ezw_address_kind(p + offset, 4);

    if (is_refused_always(inner)) {
        return inner;
    }

    if (offset == 4) {
        /* Teredo: the server's address, and at the end the client's with all
         * bits turned round (RFC 4380) */

        for (i = 0; i < 4; i++) {
            client[i] = p[12 + i] ^ 0xff;
        }

        inner = ezw_address_kind(client, 4);

        if (is_refused_always(inner)) {
            return inner;
        }
    }

    return kind;
}


static int
is_refused_always(ezw_address_e kind)
{
    return kind == EZW_ADDRESS_UNSPECIFIED || kind == EZW_ADDRESS_LINK_LOCAL
           || kind == EZW_ADDRESS_METADATA || kind == EZW_ADDRESS_MULTICAST;
}


/* The kind in words. */
const char *
ezw_address_name(ezw_address_e kind)
{
    switch (kind) {

    case EZW_ADDRESS_PUBLIC:
        return "a public address";

    case EZW_ADDRESS_UNSPECIFIED:
        return "an unspecified address";

    case EZW_ADDRESS_LOOPBACK:
        return "a loopback address";

    case EZW_ADDRESS_PRIVATE:
        return "a private address";

    case EZW_ADDRESS_SHARED:
        return "an address behind a carrier's NAT";

    case EZW_ADDRESS_LINK_LOCAL:
        return "a link-local address";

    case EZW_ADDRESS_METADATA:
        return "a cloud's metadata address";

    case EZW_ADDRESS_MULTICAST:
        return "a multicast address";

    case EZW_ADDRESS_MAPPED:
        return "an IPv4 address written as IPv6";

    case EZW_ADDRESS_TRANSLATED:
        return "an address that is translated to IPv4";

    default: /* EZW_ADDRESS_RESERVED */
        return "a reserved address";
    }
}


/* NULL, or why the policy forbids the address. */
const char *
ezw_address_refused(const unsigned char *p, size_t len,
    const ezw_address_policy_t *policy)
{
    unsigned       i;
    ezw_cidr_t     c;
    ezw_address_e  kind;

    kind = ezw_address_kind(p, len);

    if (kind == EZW_ADDRESS_PUBLIC) {
        return NULL;
    }

    if (is_refused_always(kind) || (len != 4 && len != 16)) {
        return ezw_address_name(kind);
    }

    if (policy->operator) {
        return NULL;
    }

    ezw_cidr_address(p, len, &c);

    for (i = 0; i < policy->nallow; i++) {
        if (ezw_cidr_match(&policy->allow[i], &c)) {
            return NULL;
        }
    }

    return ezw_address_name(kind);
}

/*
 * What kind of place an address is: the special-purpose registries of IANA
 * (RFC 6890) and the addresses at which clouds serve a machine's secrets.
 */

#ifndef EZW_ADDRESS_H
#define EZW_ADDRESS_H

#include "ezw_cidr.h"


typedef enum {
    EZW_ADDRESS_PUBLIC = 0,
    EZW_ADDRESS_UNSPECIFIED,      /* 0.0.0.0/8, :: */
    EZW_ADDRESS_LOOPBACK,
    EZW_ADDRESS_PRIVATE,          /* RFC 1918, unique local, site-local */
    EZW_ADDRESS_SHARED,           /* 100.64.0.0/10, behind a carrier's NAT */
    EZW_ADDRESS_LINK_LOCAL,
    EZW_ADDRESS_METADATA,         /* of a cloud, beside those that are
                                     link-local */
    EZW_ADDRESS_MULTICAST,        /* and 255.255.255.255 */
    EZW_ADDRESS_MAPPED,           /* IPv4 in IPv6: mapped or compatible */
    EZW_ADDRESS_TRANSLATED,       /* IPv4 behind IPv6: NAT64, 6to4, Teredo */
    EZW_ADDRESS_RESERVED          /* all other that are not of the internet */
} ezw_address_e;


/* Who may be called. */
typedef struct {
    /* 0: public addresses only.  1: for a URL out of nginx.conf: any but those
     * which are refused always (ezw_address_refused). */
    unsigned              operator:1;
    /* Networks that are allowed although they are not public. */
    const ezw_cidr_t     *allow;
    unsigned              nallow;
} ezw_address_policy_t;


/* The kind of an address of 4 or 16 bytes, as a socket address has them.  An
 * IPv4 address inside an IPv6 one is looked at too: when it is one that is
 * refused always, its own kind is returned. */
ezw_address_e ezw_address_kind(const unsigned char *p, size_t len);

/* In words: "a loopback address". */
const char *ezw_address_name(ezw_address_e kind);

/* NULL: the policy lets it be called; else why not, as ezw_address_name.
 * Unspecified, link-local, metadata and multicast addresses are refused under
 * every policy, whatever networks it allows. */
const char *ezw_address_refused(const unsigned char *p, size_t len,
    const ezw_address_policy_t *policy);

#endif

/* Addresses and networks, IPv4 and IPv6 (RFC 4632, RFC 4291). */

#ifndef EZW_CIDR_H
#define EZW_CIDR_H

#include "ezw_str.h"

#define EZW_CIDR_LEN  43      /* longest text: IPv6 and "/128" */

/* An address or network. IPv4 stands as IPv4-mapped IPv6 (::ffff:a.b.c.d),
 * so that one form is compared with one form; host bits are zero.  Of IPv6
 * networks only those that ::ffff:0:0/96 lies in, as "::/0", have IPv4
 * addresses in them. */
typedef struct {
    unsigned char         addr[16];
    unsigned char         bits;      /* 0-128; an IPv4 /n is 96 + n */
} ezw_cidr_t;

/* "192.0.2.1", "10.0.0.0/8", "2001:db8::/32", "::ffff:10.0.0.1"; host bits
 * are cleared. Only the canonical decimal form of IPv4: "010.1" or "0x7f.1"
 * are none. No zone ("%eth0"). EZW_OK or EZW_INVALID. */
int ezw_cidr_parse(const ezw_str_t *s, ezw_cidr_t *c);

/* From a socket address's bytes: 4 or 16 of them. */
void ezw_cidr_address(const unsigned char *p, size_t len, ezw_cidr_t *c);

/* 1 when the address lies in the network. */
int ezw_cidr_match(const ezw_cidr_t *network, const ezw_cidr_t *address);

/* Canonical text (RFC 5952; "/n" only when it is no single address), IPv4 in
 * dotted form; dst has room for EZW_CIDR_LEN. Returns the length. */
size_t ezw_cidr_text(unsigned char *dst, const ezw_cidr_t *c);

#endif

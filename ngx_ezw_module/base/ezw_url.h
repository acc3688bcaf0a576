/*
 * URLs of http and https (RFC 3986), more strictly than browsers read them:
 * what two programs may read in two ways is none.
 */

#ifndef EZW_URL_H
#define EZW_URL_H

#include "ezw_cidr.h"

#define EZW_URL_MAX       2048
#define EZW_URL_HOST_MAX  253


typedef enum {
    EZW_URL_NAME = 0,
    EZW_URL_IPV4,
    EZW_URL_IPV6
} ezw_url_host_e;


/* The strings lie within the text that was parsed. */
typedef struct {
    unsigned              https:1;
    ezw_url_host_e        kind;
    ezw_str_t             host;      /* IPv6: without brackets */
    unsigned char         addr[16];  /* IPV4: the first 4 */
    unsigned              port;      /* 443 or 80 when not given */
    ezw_str_t             path;      /* and query; len 0: none was given */
} ezw_url_t;


/* scheme "://" host [":" port] [path] ["?" query], all of it visible ASCII.
 * No user, no fragment, no %-escape in the host, at most EZW_URL_MAX bytes.  A
 * host is a name of letters, digits, "-" and "_" in labels; an IPv4 address in
 * its one canonical form, so that "127.1", "0x7f.0.0.1" and "2130706433" are
 * refused and are no names either; or an IPv6 address in brackets without a
 * zone.  EZW_OK or EZW_INVALID with *why, a static text. */
int ezw_url_parse(const ezw_str_t *text, ezw_url_t *url, const char **why);

#endif

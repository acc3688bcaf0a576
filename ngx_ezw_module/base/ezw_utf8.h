/* UTF-8 (RFC 3629) and percent-encoding (RFC 3986). */

#ifndef EZW_UTF8_H
#define EZW_UTF8_H

#include "ezw_str.h"

/* Number of code points, or -1 when not valid UTF-8 (overlong, surrogate,
 * above U+10FFFF) or when a NUL byte is in it. */
long ezw_utf8_length(const unsigned char *p, size_t len);

#define EZW_URI_SLASH  1    /* the result may have a "%2F" (a jid's segment) */

/* Decodes one path segment or query value once; '+' stays '+'.
 * dst has room for src->len bytes; dst->len is set.  EZW_OK, or EZW_INVALID:
 * broken escape, NUL, invalid UTF-8, a "%2F" without EZW_URI_SLASH. */
int ezw_uri_decode(ezw_str_t *dst, const ezw_str_t *src, unsigned flags);

#endif

/*
 * Writing DER (X.690), as much of it as keys and signatures take: OpenSSL
 * makes both from it in any version, while the calls that make them from
 * their numbers differ.
 */

#ifndef EZW_DER_H
#define EZW_DER_H

#include "ezw_str.h"

/* Written backwards, so that a length is known when its turn comes. */
typedef struct {
    unsigned char         buf[1152];
    unsigned char        *pos;       /* begin of what is written */
} ezw_der_t;

#define ezw_der_init(d)  (d)->pos = (d)->buf + sizeof((d)->buf)
#define ezw_der_len(d)   ((size_t) ((d)->buf + sizeof((d)->buf) - (d)->pos))

/* The caller sees to it that all fits.  Bytes as they are. */
void ezw_der_bytes(ezw_der_t *d, const void *p, size_t len);
/* The tag and length of what was written since ezw_der_len was `before`. */
void ezw_der_wrap(ezw_der_t *d, unsigned char tag, size_t before);
/* An unsigned INTEGER of big-endian bytes. */
void ezw_der_integer(ezw_der_t *d, const unsigned char *p, size_t len);

#endif

/* The DER writer, from the last byte to the first. */

#include "ezw_der.h"


#define INTEGER  0x02


/* Puts bytes before what is written. */
void
ezw_der_bytes(ezw_der_t *d, const void *p, size_t len)
{
    d->pos -= len;
    memcpy(d->pos, p, len);
}


/* Puts a tag and a length of at most 65535 before it. */
void
ezw_der_wrap(ezw_der_t *d, unsigned char tag, size_t before)
{
    size_t  len;

    len = ezw_der_len(d) - before;

    *--d->pos = (unsigned char) len;

    if (len > 0xff) {
        *--d->pos = (unsigned char) (len >> 8);
        *--d->pos = 0x82;

    } else if (len > 0x7f) {
        *--d->pos = 0x81;
    }

    *--d->pos = tag;
}


/* Puts an INTEGER before it, in the one form that DER allows. */
void
ezw_der_integer(ezw_der_t *d, const unsigned char *p, size_t len)
{
    size_t  before;

    while (len > 0 && *p == 0) {
        p++;
        len--;
    }

    before = ezw_der_len(d);

    ezw_der_bytes(d, p, len);

    if (len == 0 || *p >= 0x80) {
        /* zero has a byte, and a first bit would be a sign */
        *--d->pos = 0;
    }

    ezw_der_wrap(d, INTEGER, before);
}

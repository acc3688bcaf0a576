/* The Idempotency-Key header, as clients send it. */

#include "ezw_idempotency.h"


static int is_space(unsigned char c);


/* The header's value to the key, which points into it; EZW_OK or
 * EZW_INVALID. */
int
ezw_idempotency_key(const ezw_str_t *value, ezw_str_t *key)
{
    size_t                i, len;
    const unsigned char  *p;

    p = value->data;
    len = value->len;

    while (len > 0 && is_space(*p)) {
        p++;
        len--;
    }

    while (len > 0 && is_space(p[len - 1])) {
        len--;
    }

    if (len > 0 && (p[0] == '"' || p[len - 1] == '"')) {

        if (len < 2 || p[0] != p[len - 1]) {
            return EZW_INVALID;
        }

        p++;
        len -= 2;
    }

    if (len == 0 || len > EZW_IDEMPOTENCY_KEY) {
        return EZW_INVALID;
    }

    for (i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e) {
            return EZW_INVALID;
        }
    }

    key->data = (unsigned char *) p;
    key->len = len;

    return EZW_OK;
}


/* 1 for white space of a header's value. */
static int
is_space(unsigned char c)
{
    return c == ' ' || c == '\t';
}

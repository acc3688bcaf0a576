/*
 * The error record and the comparison of secrets that all of base/ uses.
 * Called from anywhere; allocates nothing, keeps nothing.
 */

#include <stdarg.h>
#include <stdio.h>

#include "ezw_str.h"


static void cut_utf8(char *p, size_t len);


/* Fills *why (may be NULL) and returns EZW_INVALID; what does not fit is cut
 * between two characters, because both texts end up in JSON. */
int
ezw_invalid(ezw_invalid_t *why, int code, const char *field, const char *fmt,
    ...)
{
    int      n;
    size_t   len;
    va_list  args;

    if (why == NULL) {
        return EZW_INVALID;
    }

    why->code = code;

    len = strlen(field);

    if (len >= sizeof(why->field)) {
        len = sizeof(why->field) - 1;
        memcpy(why->field, field, len);
        why->field[len] = '\0';
        cut_utf8(why->field, len);

    } else {
        memmove(why->field, field, len + 1);
    }

    va_start(args, fmt);
    n = vsnprintf(why->text, sizeof(why->text), fmt, args);
    va_end(args);

    if (n < 0) {
        why->text[0] = '\0';

    } else if ((size_t) n >= sizeof(why->text)) {
        cut_utf8(why->text, sizeof(why->text) - 1);
    }

    return EZW_INVALID;
}


/* 1 when both are equal; looks at every byte whatever the first ones are. */
int
ezw_equal_secret(const void *a, size_t alen, const void *b, size_t blen)
{
    size_t                   i;
    const unsigned char     *p, *q;
    volatile unsigned char   diff;

    if (alen != blen) {
        return 0;
    }

    p = a;
    q = b;

    /* volatile: a compiler may not leave the loop at the first difference */
    diff = 0;

    for (i = 0; i < alen; i++) {
        diff = diff | (p[i] ^ q[i]);
    }

    return diff == 0;
}


/* Ends the string p of len bytes before a last character that was cut. */
static void
cut_utf8(char *p, size_t len)
{
    size_t         i, need;
    unsigned char  c;

    for (i = 1; i <= 4 && i <= len; i++) {
        c = (unsigned char) p[len - i];

        if (c < 0x80) {
            return;
        }

        if (c >= 0xc0) {
            need = (c >= 0xf0) ? 4 : (c >= 0xe0) ? 3 : 2;

            if (i < need) {
                p[len - i] = '\0';
            }

            return;
        }
    }
}

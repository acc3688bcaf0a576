/*
 * Secrets as text.  Whatever `openssl rand`, `base64` or a language's library
 * prints is taken, so that nobody has to know which of them was used.
 */

#include <openssl/crypto.h>

#include "ezw_id.h"
#include "ezw_secret.h"


#define BASE64_MAX  ((EZW_SECRET * 8 + 5) / 6)


static int is_hex(const ezw_str_t *text);
static int is_blank(unsigned char c);


/* The bytes to dst and *len; EZW_OK or EZW_INVALID. */
int
ezw_secret_parse(const ezw_str_t *text, unsigned char *dst, size_t *len)
{
    int            rc, standard, url;
    size_t         i, n;
    ezw_str_t      digits;
    unsigned char  copy[BASE64_MAX], bytes[BASE64_MAX];

    *len = 0;

    if (is_hex(text)) {

        /* an odd number of digits would do for base64, of another secret */

        if (text->len > 2 * EZW_SECRET
            || ezw_hex_parse(text, dst) != EZW_OK)
        {
            return EZW_INVALID;
        }

        *len = text->len / 2;
        return EZW_OK;
    }

    n = text->len;

    /* padding there must be whole */

    for (i = 0; i < 2 && n > 0 && text->len % 4 == 0; i++) {
        if (text->data[n - 1] == '=') {
            n--;
        }
    }

    if (n > BASE64_MAX) {
        return EZW_INVALID;
    }

    standard = 0;
    url = 0;

    for (i = 0; i < n; i++) {
        copy[i] = text->data[i];

        switch (copy[i]) {

        case '+':
            copy[i] = '-';
            standard = 1;
            break;

        case '/':
            copy[i] = '_';
            standard = 1;
            break;

        case '-':
        case '_':
            url = 1;
            break;
        }
    }

    digits.data = copy;
    digits.len = n;

    rc = (standard && url) ? EZW_INVALID
                           : ezw_base64url_parse(&digits, bytes, len);

    if (rc == EZW_OK) {
        memcpy(dst, bytes, *len);
    }

    OPENSSL_cleanse(copy, n);
    OPENSSL_cleanse(bytes, n);

    return rc;
}


/* Moves both ends of the text inwards. */
void
ezw_secret_trim(ezw_str_t *text)
{
    while (text->len > 0 && is_blank(text->data[0])) {
        text->data++;
        text->len--;
    }

    while (text->len > 0 && is_blank(text->data[text->len - 1])) {
        text->len--;
    }
}


/* 1 when all of the text is hex digits. */
static int
is_hex(const ezw_str_t *text)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < text->len; i++) {
        c = text->data[i] | 0x20;

        if (!(text->data[i] >= '0' && text->data[i] <= '9')
            && !(c >= 'a' && c <= 'f'))
        {
            return 0;
        }
    }

    return 1;
}


/* 1 for a blank or a line end. */
static int
is_blank(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

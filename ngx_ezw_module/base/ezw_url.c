/*
 * A URL taken apart in one pass from left to right; nothing is decoded and
 * nothing is repaired.
 */

#include <strings.h>

#include "ezw_url.h"


#define LABEL_MAX  63        /* RFC 1035 */


static int parse_authority(const unsigned char *p, const unsigned char *end,
    ezw_url_t *url, const char **why);
static int parse_host(ezw_url_t *url, const char **why);
static int is_name(const ezw_str_t *host);
static int ends_in_number(const ezw_str_t *host);
static int parse_port(const unsigned char *p, const unsigned char *end,
    unsigned *port);
static int check_path(const unsigned char *p, const unsigned char *end,
    const char **why);
static int is_digit(unsigned char c);
static int is_hex(unsigned char c);
static int is_letter(unsigned char c);


/* Parses an http or https URL; EZW_OK, or EZW_INVALID with *why. */
int
ezw_url_parse(const ezw_str_t *text, ezw_url_t *url, const char **why)
{
    const unsigned char  *p, *end, *host_end;

    memset(url, 0, sizeof(ezw_url_t));

    if (text->len == 0 || text->len > EZW_URL_MAX) {
        *why = text->len ? "it is too long" : "it is empty";
        return EZW_INVALID;
    }

    p = text->data;
    end = p + text->len;

    if (text->len > 8 && strncasecmp((const char *) p, "https://", 8) == 0) {
        url->https = 1;
        url->port = 443;
        p += 8;

    } else if (text->len > 7
               && strncasecmp((const char *) p, "http://", 7) == 0)
    {
        url->port = 80;
        p += 7;

    } else {
        *why = "it does not begin with https:// or http:// and a host";
        return EZW_INVALID;
    }

    for (host_end = p; host_end < end; host_end++) {
        if (*host_end == '/' || *host_end == '?') {
            break;
        }
    }

    if (parse_authority(p, host_end, url, why) != EZW_OK
        || check_path(host_end, end, why) != EZW_OK)
    {
        return EZW_INVALID;
    }

    url->path.data = (unsigned char *) host_end;
    url->path.len = end - host_end;

    return EZW_OK;
}


/* host [":" port] */
static int
parse_authority(const unsigned char *p, const unsigned char *end,
    ezw_url_t *url, const char **why)
{
    const unsigned char  *last;

    if (memchr(p, '@', end - p) != NULL) {
        *why = "it names a user";
        return EZW_INVALID;
    }

    if (p < end && *p == '[') {
        p++;
        last = memchr(p, ']', end - p);

        if (last == NULL) {
            *why = "its host is no IPv6 address";
            return EZW_INVALID;
        }

        url->kind = EZW_URL_IPV6;
        url->host.data = (unsigned char *) p;
        url->host.len = last - p;
        p = last + 1;

    } else {
        last = memchr(p, ':', end - p);

        if (last == NULL) {
            last = end;
        }

        url->host.data = (unsigned char *) p;
        url->host.len = last - p;
        p = last;
    }

    if (parse_host(url, why) != EZW_OK) {
        return EZW_INVALID;
    }

    if (p == end) {
        return EZW_OK;
    }

    if (*p != ':' || parse_port(p + 1, end, &url->port) != EZW_OK) {
        *why = "its port is none";
        return EZW_INVALID;
    }

    return EZW_OK;
}


/* url->host, which stood in brackets when its kind is IPV6. */
static int
parse_host(ezw_url_t *url, const char **why)
{
    ezw_cidr_t  c;

    if (memchr(url->host.data, '/', url->host.len) != NULL) {
        *why = "its host is none";
        return EZW_INVALID;
    }

    if (url->kind == EZW_URL_IPV6) {

        if (memchr(url->host.data, ':', url->host.len) == NULL
            || ezw_cidr_parse(&url->host, &c) != EZW_OK)
        {
            *why = "its host is no IPv6 address";
            return EZW_INVALID;
        }

        memcpy(url->addr, c.addr, 16);
        return EZW_OK;
    }

    if (!is_name(&url->host)) {
        *why = "its host is none";
        return EZW_INVALID;
    }

    if (!ends_in_number(&url->host)) {
        return EZW_OK;
    }

    if (ezw_cidr_parse(&url->host, &c) != EZW_OK) {
        *why = "its host is no IPv4 address in the canonical form";
        return EZW_INVALID;
    }

    url->kind = EZW_URL_IPV4;
    memcpy(url->addr, c.addr + 12, 4);

    return EZW_OK;
}


/* 1: labels of letters, digits, "-" and "_" with dots between them. */
static int
is_name(const ezw_str_t *host)
{
    size_t         i, label;
    unsigned char  c;

    if (host->len == 0 || host->len > EZW_URL_HOST_MAX) {
        return 0;
    }

    label = 0;

    for (i = 0; i < host->len; i++) {
        c = host->data[i];

        if (c == '.') {
            if (label == 0 || host->data[i - 1] == '-') {
                return 0;
            }

            label = 0;
            continue;
        }

        if (!is_letter(c) && !is_digit(c) && c != '_'
            && (c != '-' || label == 0))
        {
            return 0;
        }

        if (++label > LABEL_MAX) {
            return 0;
        }
    }

    return label > 0 && host->data[host->len - 1] != '-';
}


/* 1: some program would take the name for an IPv4 address: its last label is
 * digits, or hex after "0x" (the rule of the WHATWG's URL standard). */
static int
ends_in_number(const ezw_str_t *host)
{
    size_t                i, len;
    const unsigned char  *p;

    for (i = host->len; i > 0 && host->data[i - 1] != '.'; i--) { /* void */ }

    p = host->data + i;
    len = host->len - i;

    if (len >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {

        for (i = 2; i < len; i++) {
            if (!is_hex(p[i])) {
                return 0;
            }
        }

        return 1;
    }

    for (i = 0; i < len; i++) {
        if (!is_digit(p[i])) {
            return 0;
        }
    }

    return 1;
}


/* 1-65535, no zero in front; EZW_OK or EZW_INVALID. */
static int
parse_port(const unsigned char *p, const unsigned char *end, unsigned *port)
{
    unsigned  v;

    if (p == end || end - p > 5 || *p == '0') {
        return EZW_INVALID;
    }

    for (v = 0; p < end; p++) {
        if (!is_digit(*p)) {
            return EZW_INVALID;
        }

        v = v * 10 + (*p - '0');
    }

    if (v > 65535) {
        return EZW_INVALID;
    }

    *port = v;

    return EZW_OK;
}


/* Characters of RFC 3986 without "#"; "%" with two hex digits. */
static int
check_path(const unsigned char *p, const unsigned char *end, const char **why)
{
    for ( /* void */ ; p < end; p++) {

        if (is_letter(*p) || is_digit(*p)) {
            continue;
        }

        switch (*p) {

        case '/': case '?': case ':': case '@': case '-': case '.': case '_':
        case '~': case '!': case '$': case '&': case '\'': case '(': case ')':
        case '*': case '+': case ',': case ';': case '=':
            break;

        case '%':

            if (end - p < 3 || !is_hex(p[1]) || !is_hex(p[2])) {
                *why = "it has a % without two hex digits";
                return EZW_INVALID;
            }

            break;

        case '#':
            *why = "it has a fragment";
            return EZW_INVALID;

        default:
            *why = "it has a character that must be escaped";
            return EZW_INVALID;
        }
    }

    return EZW_OK;
}


static int
is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}


static int
is_hex(unsigned char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}


static int
is_letter(unsigned char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/*
 * What the text of a URL tells of where it leads.  An address that stands in it
 * is looked at here; of names only those that no public resolver knows.
 */

#include <stdio.h>
#include <strings.h>

#include "ezw_url_allow.h"


static int is_listed(const ezw_url_t *url, const ezw_url_allow_t *allow);
static int is_in_network(const ezw_url_t *url, const ezw_url_allow_t *allow);
static int is_local(const ezw_str_t *host);
static int ends_with(const ezw_str_t *host, const char *end, size_t len);
static int refuse(char why[EZW_URL_WHY], const char *text);


/* Checks a URL that somebody wants called; EZW_OK, or EZW_INVALID with why. */
int
ezw_url_check(const ezw_str_t *text, const ezw_url_allow_t *allow,
    ezw_url_t *url, char why[EZW_URL_WHY])
{
    int                    beside;
    const char            *reason;
    ezw_address_policy_t   policy;

    if (ezw_url_parse(text, url, &reason) != EZW_OK) {
        return refuse(why, reason);
    }

    beside = is_listed(url, allow) || is_in_network(url, allow);

    if (url->kind == EZW_URL_NAME) {

        if (!beside && is_local(&url->host)) {
            return refuse(why, "its host is a name of a local network");
        }

    } else {
        ezw_url_policy(url, allow, &policy);
        reason = ezw_address_refused(url->addr,
                                     url->kind == EZW_URL_IPV4 ? 4 : 16,
                                     &policy);

        if (reason != NULL) {
            snprintf(why, EZW_URL_WHY, "its host is %s", reason);
            return EZW_INVALID;
        }
    }

    if (!url->https && !beside) {
        return refuse(why, "it does not begin with https://");
    }

    return EZW_OK;
}


/* The addresses that the host of a URL may have. */
void
ezw_url_policy(const ezw_url_t *url, const ezw_url_allow_t *allow,
    ezw_address_policy_t *policy)
{
    memset(policy, 0, sizeof(ezw_address_policy_t));

    if (allow == NULL) {
        return;
    }

    policy->operator = is_listed(url, allow);
    policy->allow = allow->networks;
    policy->nallow = allow->nnetworks;
}


/* 1: a name, or the end of names, that an operator may list. */
int
ezw_url_allow_is_name(const ezw_str_t *name)
{
    size_t         i, label;
    unsigned char  c;

    label = 0;

    if (name->len > EZW_URL_HOST_MAX) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c == '.') {
            if (label == 0 && i > 0) {
                return 0;
            }

            label = 0;
            continue;
        }

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-'
            && c != '_')
        {
            return 0;
        }

        label++;
    }

    return label > 0;
}


/* 1: its host is a name of the list. */
static int
is_listed(const ezw_url_t *url, const ezw_url_allow_t *allow)
{
    unsigned          i;
    const ezw_str_t  *name;

    if (allow == NULL || url->kind != EZW_URL_NAME) {
        return 0;
    }

    for (i = 0; i < allow->nnames; i++) {
        name = &allow->names[i];

        if (name->data[0] == '.') {

            if (url->host.len > name->len
                && ends_with(&url->host, (char *) name->data, name->len))
            {
                return 1;
            }

        } else if (url->host.len == name->len
                   && ends_with(&url->host, (char *) name->data, name->len))
        {
            return 1;
        }
    }

    return 0;
}


/* 1: its host is an address of a network of the list. */
static int
is_in_network(const ezw_url_t *url, const ezw_url_allow_t *allow)
{
    unsigned    i;
    ezw_cidr_t  address;

    if (allow == NULL || url->kind == EZW_URL_NAME) {
        return 0;
    }

    ezw_cidr_address(url->addr, url->kind == EZW_URL_IPV4 ? 4 : 16, &address);

    for (i = 0; i < allow->nnetworks; i++) {
        if (ezw_cidr_match(&allow->networks[i], &address)) {
            return 1;
        }
    }

    return 0;
}


/* 1: a name without a dot, which is completed by the machine that resolves it,
 * or one of RFC 6761, 6762, 8375 and ICANN's "internal". */
static int
is_local(const ezw_str_t *host)
{
    unsigned  i;

    static const ezw_str_t  ends[] = {
        ezw_string(".localhost"), ezw_string(".local"),
        ezw_string(".internal"), ezw_string(".home.arpa")
    };

    if (memchr(host->data, '.', host->len) == NULL) {
        return 1;
    }

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (ends_with(host, (char *) ends[i].data, ends[i].len)) {
            return 1;
        }
    }

    return 0;
}


/* 1: a host ends so, in whatever case. */
static int
ends_with(const ezw_str_t *host, const char *end, size_t len)
{
    return host->len >= len
           && strncasecmp((char *) host->data + host->len - len, end, len)
              == 0;
}


static int
refuse(char why[EZW_URL_WHY], const char *text)
{
    snprintf(why, EZW_URL_WHY, "%s", text);

    return EZW_INVALID;
}

/*
 * Which URLs a deployment calls for those who ask it to (webhooks): https of
 * the internet, and what the operator allows beside.
 *
 * What a URL says is checked when it is given, the addresses of its host each
 * time that it is called (ezw_address.h): names change their minds.
 */

#ifndef EZW_URL_ALLOW_H
#define EZW_URL_ALLOW_H

#include "ezw_address.h"
#include "ezw_url.h"


#define EZW_URL_WHY  96      /* bytes of a reason */


/* Allowed beside, over http too: names of hosts in lower case, of which one
 * that begins with a dot stands for all names that end in it; and networks,
 * whatever their kind.  What a name has for addresses may be any but those that
 * are refused always. */
typedef struct {
    const ezw_cidr_t     *networks;
    unsigned              nnetworks;
    const ezw_str_t      *names;
    unsigned              nnames;
} ezw_url_allow_t;


/* May the URL be called, as far as its text tells?  allow NULL: nothing beside.
 * EZW_OK with *url; or EZW_INVALID with a reason in why: "its host is a
 * loopback address". */
int ezw_url_check(const ezw_str_t *text, const ezw_url_allow_t *allow,
    ezw_url_t *url, char why[EZW_URL_WHY]);

/* Which addresses its host may have when it is called. */
void ezw_url_policy(const ezw_url_t *url, const ezw_url_allow_t *allow,
    ezw_address_policy_t *policy);

/* 1: a name that may stand in ezw_url_allow_t: labels of letters in lower case,
 * digits, "-" and "_" with dots between them, perhaps one in front. */
int ezw_url_allow_is_name(const ezw_str_t *name);

#endif

/*
 * Method and path to an endpoint: a tree of path segments, built once when the
 * configuration is read, read-only afterwards.
 *
 * A pattern is "/v3/channels/{channelJid}/contacts/{contactJid}".  A literal
 * segment wins over a parameter ("keys/current" before "keys/{id}"), with
 * backtracking, so both may continue differently.  A trailing slash is another
 * path.  Empty segments match nothing.
 */

#ifndef EZW_ROUTE_H
#define EZW_ROUTE_H

#include "ezw_str.h"

#define EZW_ROUTE_PARAMS   6

typedef struct ezw_router_s  ezw_router_t;

typedef struct {
    void                 *data;                     /* what was added */
    unsigned              nparams;
    ezw_str_t             params[EZW_ROUTE_PARAMS]; /* decoded, in order */
    uint32_t              allowed;    /* methods of the path, as bits */
} ezw_route_match_t;

/* An empty router; memory from a, released by its owner.  NULL: no memory. */
ezw_router_t *ezw_router_create(const ezw_alloc_t *a);

/* Adds a pattern; method is one bit (the caller's numbering).  Parameters
 * whose name ends in "Jid" or is "jid" accept "%2F".  The pattern's text must
 * outlive the router.
 * EZW_OK, EZW_DECLINED: the same method and pattern are there, EZW_INVALID:
 * not a pattern, more than EZW_ROUTE_PARAMS, EZW_ERROR: no memory. */
int ezw_router_add(ezw_router_t *r, uint32_t method, const char *pattern,
    void *data);

#define EZW_ROUTE_DECODED  1    /* the path has been decoded already */

/* Looks the path (without query) up.  Segments are percent-decoded once
 * before they are compared; decoded parameters live in `scratch`, which has
 * room for path->len bytes.
 * EZW_OK: m filled;  EZW_DECLINED: m->allowed is 0: no such path, else: the
 * path exists, not with this method;  EZW_INVALID: bad escape or UTF-8. */
int ezw_router_find(const ezw_router_t *r, uint32_t method,
    const ezw_str_t *path, unsigned flags, unsigned char *scratch,
    ezw_route_match_t *m);

/* Name of the pattern's i-th parameter ("channelJid"); EZW_DECLINED if
 * fewer. */
int ezw_route_param_name(const char *pattern, unsigned i, ezw_str_t *name);

#endif

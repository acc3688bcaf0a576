/*
 * The router: a tree with a node for each segment, literals in a list, at most
 * one parameter beside them.  Built while the configuration is read; looking
 * up changes nothing, allocates nothing and visits a node at most once.
 *
 * A path is what its segments say, then its methods are looked at: where
 * "keys/current" is a path, "keys/{id}" is not asked, so that a method that
 * only the latter has is refused, not run with "current" as an id.
 */

#include "ezw_route.h"
#include "ezw_utf8.h"


#define DEPTH  24       /* segments that a pattern may have */


typedef struct endpoint_s  endpoint_t;
typedef struct node_s      node_t;


struct endpoint_s {
    uint32_t              method;
    void                 *data;
    endpoint_t           *next;
};


struct node_s {
    ezw_str_t             literal;
    node_t               *next;       /* the parent's next literal */
    node_t               *literals;
    node_t               *param;
    endpoint_t           *endpoints;
    uint32_t              allowed;    /* their methods; 0: no path ends here */
    unsigned              slash:1;    /* a parameter that may hold a "/" */
};


struct ezw_router_s {
    const ezw_alloc_t    *alloc;
    node_t                root;
};


typedef struct {
    ezw_str_t             text;       /* decoded */
    unsigned              slash:1;    /* was decoded from one with "%2F" */
    unsigned              copied:1;   /* text lies in scratch */
} segment_t;


static int parse_pattern(const char *pattern, ezw_str_t *segments,
    unsigned *n);
static int is_name(const ezw_str_t *s);
static int is_jid_name(const ezw_str_t *s);
static node_t *add_literal(ezw_router_t *r, node_t *parent, ezw_str_t *text);
static node_t *add_param(ezw_router_t *r, node_t *parent, ezw_str_t *name);
static int split_path(const ezw_str_t *path, unsigned flags,
    unsigned char *scratch, segment_t *segments, unsigned *n);
static int decode_segment(segment_t *segment, unsigned flags,
    unsigned char *scratch);
static int check_rest(const unsigned char *p, const unsigned char *end,
    unsigned flags, unsigned char *scratch);
static const node_t *walk(const node_t *node, const segment_t *segments,
    unsigned n, unsigned depth, uint32_t *params);
static void *new_zeroed(const ezw_alloc_t *a, size_t size);


/* An empty router out of a's memory, NULL: none left. */
ezw_router_t *
ezw_router_create(const ezw_alloc_t *a)
{
    ezw_router_t  *r;

    r = new_zeroed(a, sizeof(ezw_router_t));

    if (r == NULL) {
        return NULL;
    }

    r->alloc = a;

    return r;
}


/* Adds a pattern, whose text is kept by reference; EZW_OK, EZW_DECLINED,
 * EZW_INVALID or EZW_ERROR.  What failed has added no path. */
int
ezw_router_add(ezw_router_t *r, uint32_t method, const char *pattern,
    void *data)
{
    node_t      *node;
    unsigned     i, n;
    ezw_str_t    segments[DEPTH], name;
    endpoint_t  *e;

    if (method == 0 || (method & (method - 1)) != 0) {
        return EZW_INVALID;
    }

    if (parse_pattern(pattern, segments, &n) != EZW_OK) {
        return EZW_INVALID;
    }

    node = &r->root;

    for (i = 0; i < n; i++) {

        if (segments[i].data[0] == '{') {
            name.data = segments[i].data + 1;
            name.len = segments[i].len - 2;
            node = add_param(r, node, &name);

        } else {
            node = add_literal(r, node, &segments[i]);
        }

        if (node == NULL) {
            return EZW_ERROR;
        }
    }

    if (node->allowed & method) {
        return EZW_DECLINED;
    }

    e = new_zeroed(r->alloc, sizeof(endpoint_t));

    if (e == NULL) {
        return EZW_ERROR;
    }

    e->method = method;
    e->data = data;
    e->next = node->endpoints;

    node->endpoints = e;
    node->allowed |= method;

    return EZW_OK;
}


/* Looks path up; the parameters of *m lie in scratch.  EZW_OK, EZW_DECLINED
 * (m->allowed tells 404 from 405) or EZW_INVALID. */
int
ezw_router_find(const ezw_router_t *r, uint32_t method, const ezw_str_t *path,
    unsigned flags, unsigned char *scratch, ezw_route_match_t *m)
{
    int                rc;
    uint32_t           params;
    unsigned           i, n;
    unsigned char     *p;
    segment_t          segments[DEPTH];
    const node_t      *node;
    const endpoint_t  *e;

    m->data = NULL;
    m->nparams = 0;
    m->allowed = 0;

    n = 0;
    rc = split_path(path, flags, scratch, segments, &n);

    if (rc != EZW_OK) {
        return rc;
    }

    params = 0;
    node = walk(&r->root, segments, n, 0, &params);

    if (node == NULL) {
        return EZW_DECLINED;
    }

    m->allowed = node->allowed;

    for (e = node->endpoints; e != NULL; e = e->next) {
        if (e->method == method) {
            break;
        }
    }

    if (e == NULL) {
        return EZW_DECLINED;
    }

    m->data = e->data;

    for (i = 0; i < n; i++) {
        if (params & (UINT32_C(1) << i)) {

            p = segments[i].text.data;

            if (!segments[i].copied) {
                /* its place in scratch is its place in the path */
                p = scratch + (p - path->data);
                memmove(p, segments[i].text.data, segments[i].text.len);
            }

            m->params[m->nparams].data = p;
            m->params[m->nparams].len = segments[i].text.len;
            m->nparams++;
        }
    }

    return EZW_OK;
}


/* Name of the i-th parameter, within the pattern; EZW_OK or EZW_DECLINED. */
int
ezw_route_param_name(const char *pattern, unsigned i, ezw_str_t *name)
{
    const char  *p, *end;

    for (p = strchr(pattern, '{'); p != NULL; p = strchr(end, '{')) {

        end = strchr(p, '}');

        if (end == NULL) {
            break;
        }

        if (i-- == 0) {
            name->data = (unsigned char *) p + 1;
            name->len = end - p - 1;
            return EZW_OK;
        }
    }

    return EZW_DECLINED;
}


/* Splits a pattern into its segments, parameters with their braces; EZW_OK or
 * EZW_INVALID. */
static int
parse_pattern(const char *pattern, ezw_str_t *segments, unsigned *n)
{
    unsigned     i, j, params;
    ezw_str_t    names[EZW_ROUTE_PARAMS], *s;
    const char  *p;

    p = pattern;
    params = 0;

    for (i = 0; *p == '/'; i++) {

        if (i == DEPTH) {
            return EZW_INVALID;
        }

        s = &segments[i];
        s->data = (unsigned char *) ++p;
        s->len = strcspn(p, "/");
        p += s->len;

        if (s->len == 0) {
            return EZW_INVALID;
        }

        if (s->data[0] == '{') {

            if (params == EZW_ROUTE_PARAMS || s->len < 3
                || s->data[s->len - 1] != '}')
            {
                return EZW_INVALID;
            }

            names[params].data = s->data + 1;
            names[params].len = s->len - 2;

            if (!is_name(&names[params])) {
                return EZW_INVALID;
            }

            /* a statement could only name one of two */

            for (j = 0; j < params; j++) {
                if (names[j].len == names[params].len
                    && memcmp(names[j].data, names[params].data,
                              names[j].len)
                       == 0)
                {
                    return EZW_INVALID;
                }
            }

            params++;
            continue;
        }

        for (j = 0; j < s->len; j++) {
            if (s->data[j] <= 0x20 || s->data[j] >= 0x7f
                || strchr("{}%?#", s->data[j]) != NULL)
            {
                return EZW_INVALID;
            }
        }
    }

    *n = i;

    return (*p == '\0' && i > 0) ? EZW_OK : EZW_INVALID;
}


/* 1 when s is [A-Za-z_][A-Za-z0-9_]*, which a statement can name. */
static int
is_name(const ezw_str_t *s)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_'
            && (i == 0 || c < '0' || c > '9'))
        {
            return 0;
        }
    }

    return 1;
}


/* 1 when the parameter of this name is a jid. */
static int
is_jid_name(const ezw_str_t *s)
{
    if (s->len == 3) {
        return memcmp(s->data, "jid", 3) == 0;
    }

    return s->len > 3 && memcmp(s->data + s->len - 3, "Jid", 3) == 0;
}


/* The parent's child for a literal, made if it is new; NULL: no memory. */
static node_t *
add_literal(ezw_router_t *r, node_t *parent, ezw_str_t *text)
{
    node_t  **last, *node;

    for (last = &parent->literals; *last != NULL; last = &(*last)->next) {
        node = *last;

        if (node->literal.len == text->len
            && memcmp(node->literal.data, text->data, text->len) == 0)
        {
            return node;
        }
    }

    node = new_zeroed(r->alloc, sizeof(node_t));

    if (node == NULL) {
        return NULL;
    }

    node->literal = *text;
    *last = node;

    return node;
}


/* The parent's parameter, made if it is new; NULL: no memory.  Patterns may
 * name it differently ("{channelId}" and "{channelJid}" are one): it takes a
 * slash when one of them does. */
static node_t *
add_param(ezw_router_t *r, node_t *parent, ezw_str_t *name)
{
    if (parent->param == NULL) {
        parent->param = new_zeroed(r->alloc, sizeof(node_t));

        if (parent->param == NULL) {
            return NULL;
        }
    }

    if (is_jid_name(name)) {
        parent->param->slash = 1;
    }

    return parent->param;
}


/* Splits the path and decodes its segments, each to its own offset in scratch.
 * EZW_OK; EZW_DECLINED: no pattern can match; EZW_INVALID: bad escape or
 * UTF-8, also where nothing would match. */
static int
split_path(const ezw_str_t *path, unsigned flags, unsigned char *scratch,
    segment_t *segments, unsigned *n)
{
    int                   escaped;
    unsigned              i;
    segment_t            *s;
    const unsigned char  *p, *end;

    p = path->data;
    end = p + path->len;
    i = 0;

    if (path->len == 0 || *p != '/') {
        return check_rest(p, end, flags, scratch);
    }

    while (p < end) {

        if (i == DEPTH) {
            return check_rest(p, end, flags, scratch);
        }

        s = &segments[i++];
        s->text.data = (unsigned char *) ++p;
        s->slash = 0;
        s->copied = 0;
        escaped = 0;

        while (p < end && *p != '/') {
            escaped |= (*p == '%' || *p >= 0x80 || *p == 0);
            p++;
        }

        s->text.len = p - s->text.data;

        if (s->text.len == 0) {
            return check_rest(p, end, flags, scratch);
        }

        if (escaped
            && decode_segment(s, flags, scratch + (s->text.data - path->data))
               != EZW_OK)
        {
            return EZW_INVALID;
        }
    }

    *n = i;

    return EZW_OK;
}


/* Decodes one segment into scratch, unless it came decoded; EZW_OK or
 * EZW_INVALID. */
static int
decode_segment(segment_t *segment, unsigned flags, unsigned char *scratch)
{
    ezw_str_t  decoded;

    if (flags & EZW_ROUTE_DECODED) {
        return ezw_utf8_length(segment->text.data, segment->text.len) < 0
               ? EZW_INVALID : EZW_OK;
    }

    decoded.data = scratch;

    if (ezw_uri_decode(&decoded, &segment->text, EZW_URI_SLASH) != EZW_OK) {
        return EZW_INVALID;
    }

    segment->text = decoded;
    segment->copied = 1;
    segment->slash = memchr(decoded.data, '/', decoded.len) != NULL;

    return EZW_OK;
}


/* EZW_DECLINED when the rest of a path that matches nothing is well-formed,
 * else EZW_INVALID: what a path is answered with does not depend on where
 * looking it up ended. */
static int
check_rest(const unsigned char *p, const unsigned char *end, unsigned flags,
    unsigned char *scratch)
{
    ezw_str_t  rest, decoded;

    rest.data = (unsigned char *) p;
    rest.len = end - p;

    if (flags & EZW_ROUTE_DECODED) {
        return ezw_utf8_length(rest.data, rest.len) < 0
               ? EZW_INVALID : EZW_DECLINED;
    }

    decoded.data = scratch;

    return ezw_uri_decode(&decoded, &rest, EZW_URI_SLASH) != EZW_OK
           ? EZW_INVALID : EZW_DECLINED;
}


/* The node at which the segments from `depth` on end, or NULL; bit i of
 * *params: segment i was taken by a parameter. */
static const node_t *
walk(const node_t *node, const segment_t *segments, unsigned n,
    unsigned depth, uint32_t *params)
{
    uint32_t          saved;
    const node_t     *child, *found;
    const ezw_str_t  *text;

    if (depth == n) {
        return node->allowed ? node : NULL;
    }

    text = &segments[depth].text;

    if (!segments[depth].slash) {
        for (child = node->literals; child != NULL; child = child->next) {
            if (child->literal.len == text->len
                && memcmp(child->literal.data, text->data, text->len) == 0)
            {
                saved = *params;
                found = walk(child, segments, n, depth + 1, params);

                if (found != NULL) {
                    return found;
                }

                *params = saved;
                break;
            }
        }
    }

    child = node->param;

    if (child == NULL || (segments[depth].slash && !child->slash)) {
        return NULL;
    }

    *params |= UINT32_C(1) << depth;

    return walk(child, segments, n, depth + 1, params);
}


/* Zeroed memory or NULL. */
static void *
new_zeroed(const ezw_alloc_t *a, size_t size)
{
    void  *p;

    p = a->alloc(a->ctx, size);

    if (p != NULL) {
        memset(p, 0, size);
    }

    return p;
}

/*
 * Endpoints: rows of api/ bound to their statements while the configuration is
 * read; the router.
 */

#include "req/ngx_ezw_request.h"


static ngx_int_t add_endpoint(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf,
    ngx_ezw_face_e face, const ngx_ezw_endpoint_row_t *row);
static void name_params(ngx_ezw_endpoint_t *ep);
static ngx_int_t find_wait(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf,
    ngx_ezw_endpoint_t *ep);
static ngx_uint_t takes_key(ngx_ezw_endpoint_t *ep);
static ngx_uint_t is_list(ngx_ezw_ctx_t *ctx, unsigned i);
static void check_jids(ngx_ezw_ctx_t *ctx, u_char *p);


ngx_int_t
ngx_ezw_endpoints_init(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    ngx_uint_t  face;

    if (ngx_array_init(&emcf->endpoints, cf->pool, 128,
                       sizeof(ngx_ezw_endpoint_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    emcf->alloc.alloc = ngx_ezw_pool_alloc;
    emcf->alloc.ctx = cf->pool;

    for (face = NGX_EZW_FACE_V3; face < NGX_EZW_FACES; face++) {
        emcf->routers[face] = ezw_router_create(&emcf->alloc);
        if (emcf->routers[face] == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_ezw_endpoints_add(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf,
    ngx_ezw_face_e face, const ngx_ezw_endpoint_row_t *rows, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (rows[i].legacy && !emcf->legacy_routes) {
            continue;
        }

        if (add_endpoint(cf, emcf, face, &rows[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
add_endpoint(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf, ngx_ezw_face_e face,
    const ngx_ezw_endpoint_row_t *row)
{
    int                       rc;
    ngx_str_t                 statement;
    ngx_ezw_endpoint_t       *ep, **epp;

    ep = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_endpoint_t));
    if (ep == NULL) {
        return NGX_ERROR;
    }

    ep->row = row;
    ep->face = face;
    ep->name.data = (u_char *) row->name;
    ep->name.len = ngx_strlen(row->name);
    ep->nbody_slots = ezw_fields_slots(row->body, row->nbody);
    ep->query = row->query;
    ep->nquery = row->nquery;
    ep->nquery_slots = ezw_fields_slots(row->query, row->nquery);
    ep->key_slot = ezw_fields_slot(row->body, row->nbody, "idempotencyKey",
                                   sizeof("idempotencyKey") - 1);
    ep->password_slot = ezw_fields_slot(row->body, row->nbody, "password",
                                        sizeof("password") - 1);

    name_params(ep);

    rc = ezw_router_add(emcf->routers[face], row->method, row->path, ep);

    if (rc != EZW_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "endpoint \"%s\": \"%s\" %s", row->name, row->path,
                           rc == EZW_DECLINED ? "is there already"
                                              : "is not a path");
        return NGX_ERROR;
    }

    epp = ngx_array_push(&emcf->endpoints);
    if (epp == NULL) {
        return NGX_ERROR;
    }

    *epp = ep;

    if (row->handler) {
        return NGX_OK;
    }

    statement = ep->name;

    if (row->statement) {
        statement.data = (u_char *) row->statement;
        statement.len = ngx_strlen(row->statement);
    }

    ep->statement = ngx_ezw_pg_statement(emcf->pgcf, &statement);

    if (ep->statement == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "endpoint \"%s\": no statement file has the "
                           "statement \"%V\"", row->name, &statement);
        return NGX_ERROR;
    }

    if (ngx_ezw_bind_conf(cf, ep, ep->statement, &ep->binds) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ep->paged && ngx_ezw_page_conf(cf, ep) != NGX_OK) {
        return NGX_ERROR;
    }

    if (row->wait && find_wait(cf, emcf, ep) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!takes_key(ep)) {
        return NGX_OK;
    }

    if (ngx_ezw_once_conf(cf, emcf, ep) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_ezw_bind_conf(cf, ep, ep->once, &ep->once_binds);
}


/* The statement that tells what came of a request. */
static ngx_int_t
find_wait(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf, ngx_ezw_endpoint_t *ep)
{
    ngx_str_t  name;

    name.data = (u_char *) ep->row->wait;
    name.len = ngx_strlen(ep->row->wait);

    ep->wait = ngx_ezw_pg_statement(emcf->pgcf, &name);

    if (ep->wait == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "endpoint \"%s\": no statement file has the "
                           "statement \"%V\"", ep->row->name, &name);
        return NGX_ERROR;
    }

    return ngx_ezw_bind_conf(cf, ep, ep->wait, &ep->wait_binds);
}


/* Whether requests may come with an idempotency key. */
static ngx_uint_t
takes_key(ngx_ezw_endpoint_t *ep)
{
    if (ep->face == NGX_EZW_FACE_V3) {
        return ep->row->method == NGX_HTTP_POST;
    }

    return ep->row->idempotency_required || ep->key_slot >= 0;
}


/* What a path parameter is, its name tells. */
static void
name_params(ngx_ezw_endpoint_t *ep)
{
    unsigned    i;
    ezw_str_t  *name;

    ep->channel = -1;
    ep->contact = -1;
    ep->company = -1;

    for (i = 0; i < EZW_ROUTE_PARAMS; i++) {
        name = &ep->params[i];

        if (ezw_route_param_name(ep->row->path, i, name) != EZW_OK) {
            name->len = 0;
            break;
        }

        if (name->len == 10 && ngx_strncmp(name->data, "channelJid", 10) == 0) {
            ep->channel = i;
            ep->jids |= 1 << i;
            ep->jid_kinds[i] = EZW_JID_CHANNEL;

        } else if (name->len == 10
                   && ngx_strncmp(name->data, "contactJid", 10) == 0)
        {
            ep->contact = i;
            ep->jids |= 1 << i;
            ep->jid_kinds[i] = EZW_JID_CONTACT;

        } else if (name->len == 9
                   && ngx_strncmp(name->data, "companyId", 9) == 0)
        {
            ep->company = i;

        } else if ((name->len == 3 && ngx_strncmp(name->data, "jid", 3) == 0)
                   || (name->len == 7
                       && ngx_strncmp(name->data, "listJid", 7) == 0))
        {
            ep->jids |= 1 << i;
            ep->jid_kinds[i] = EZW_JID_OTHER;
        }
    }
}


ngx_int_t
ngx_ezw_route(ngx_ezw_ctx_t *ctx)
{
    int                  rc;
    u_char              *scratch, *q;
    unsigned             flags;
    ezw_str_t            path;
    ngx_uint_t           method;
    ngx_http_request_t  *r;

    r = ctx->request;
    ctx->routed = 1;

    if (ctx->bad_header) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_invalid, ctx->bad_header,
                              "Header is not valid UTF-8");
    }

    /* the client's own spelling, unless nginx has changed the URI */

    if (r->valid_unparsed_uri && !r->internal && r == r->main) {
        path.data = r->unparsed_uri.data;
        path.len = r->unparsed_uri.len;
        q = ngx_strlchr(path.data, path.data + path.len, '?');
        if (q) {
            path.len = q - path.data;
        }
        flags = 0;

    } else {
        path.data = r->uri.data;
        path.len = r->uri.len;
        flags = EZW_ROUTE_DECODED;
    }

    /* twice: decoded parameters, and normalised jids */

    scratch = ngx_pnalloc(r->pool, 2 * path.len + 1);
    if (scratch == NULL) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    method = (r->method == NGX_HTTP_HEAD) ? NGX_HTTP_GET : r->method;

    rc = ezw_router_find(ctx->conf->routers[ctx->face], method, &path, flags,
                         scratch, &ctx->match);

    if (rc == EZW_INVALID) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_invalid, NULL,
                              "The path is not valid UTF-8 or has a bad "
                              "escape");
    }

    if (rc != EZW_OK) {
        return ngx_ezw_refuse(ctx, ctx->match.allowed ? &ngx_ezw_bad_method
                                                      : &ngx_ezw_not_found,
                              NULL, NULL);
    }

    ctx->endpoint = ctx->match.data;

    if (ctx->endpoint->jids) {
        check_jids(ctx, scratch + path.len);
    }

    return NGX_OK;
}


/* 1: a list stands in the place of a contact, where it may. */
static ngx_uint_t
is_list(ngx_ezw_ctx_t *ctx, unsigned i)
{
    ezw_str_t  *domain;

    if ((int) i != ctx->endpoint->contact || !ctx->endpoint->row->lists
        || !ctx->conf->broadcast)
    {
        return 0;
    }

    domain = &ctx->jids[i].domain;

    return domain->len == 4 && ngx_memcmp(domain->data, "list", 4) == 0;
}


/* Normalises the path's jids; the first that is none becomes ctx->error. */
static void
check_jids(ngx_ezw_ctx_t *ctx, u_char *p)
{
    u_char               name[32];
    unsigned             i;
    ezw_str_t           *s;
    ngx_ezw_endpoint_t  *ep;

    ep = ctx->endpoint;

    for (i = 0; i < ctx->match.nparams; i++) {

        if (!(ep->jids & (1 << i))) {
            continue;
        }

        s = &ctx->match.params[i];

        if (ezw_jid_parse(&ctx->conf->jids, s, p, &ctx->jids[i]) != EZW_OK
            || (!is_list(ctx, i)
                && (!(ctx->jids[i].kind & ep->jid_kinds[i])
                    || ((int) i == ep->contact && ep->channel >= 0
                        && !ezw_jid_belongs(&ctx->jids[i],
                                            &ctx->jids[ep->channel])))))
        {
            ngx_cpystrn(name, ep->params[i].data,
                        ngx_min(sizeof(name), ep->params[i].len + 1));
            (void) ngx_ezw_refuse(ctx, &ngx_ezw_invalid, (char *) name,
                                  "Jid is invalid");
            return;
        }

        p += s->len;
        *s = ctx->jids[i].jid;
    }
}

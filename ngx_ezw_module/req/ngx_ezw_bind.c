/*
 * A statement's parameters: what each name stands for, found out while the
 * configuration is read.
 */

#include "req/ngx_ezw_bind.h"


const char *const  ngx_ezw_role_names[] = {
    "", "operator", "admin", "owner"
};


static const struct {
    ngx_str_t         name;
    ngx_ezw_source_e  source;
    unsigned          who;           /* of the principal */
} plain_sources[] = {
    { ngx_string("company"), SOURCE_COMPANY, 0 },
    { ngx_string("key.id"), SOURCE_KEY_ID, 1 },
    { ngx_string("key.company"), SOURCE_KEY_COMPANY, 1 },
    { ngx_string("key.scope"), SOURCE_KEY_SCOPE, 1 },
    { ngx_string("key.channels"), SOURCE_KEY_CHANNELS, 1 },
    { ngx_string("key.companies"), SOURCE_KEY_COMPANIES, 1 },
    { ngx_string("key.assistant"), SOURCE_KEY_ASSISTANT, 1 },
    { ngx_string("key.actor"), SOURCE_KEY_ACTOR, 1 },
    { ngx_string("trace"), SOURCE_TRACE, 0 },
    { ngx_string("address"), SOURCE_ADDRESS, 0 },
    { ngx_string("id.message"), SOURCE_MESSAGE_ID, 0 },
    { ngx_string("agent"), SOURCE_AGENT, 0 },
    { ngx_string("user.id"), SOURCE_USER_ID, 1 },
    { ngx_string("user.email"), SOURCE_USER_EMAIL, 1 },
    { ngx_string("user.role"), SOURCE_USER_ROLE, 1 },
    { ngx_string("session.id"), SOURCE_SESSION_ID, 1 },
    { ngx_string("token.expires"), SOURCE_TOKEN_EXPIRES, 1 },
    { ngx_string("password.hash"), SOURCE_PASSWORD_HASH, 0 },
    { ngx_string("once.company"), SOURCE_ONCE_COMPANY, 0 },
    { ngx_string("once.method"), SOURCE_ONCE_METHOD, 0 },
    { ngx_string("once.route"), SOURCE_ONCE_ROUTE, 0 },
    { ngx_string("once.channel"), SOURCE_ONCE_CHANNEL, 0 },
    { ngx_string("once.key"), SOURCE_ONCE_KEY, 0 },
    { ngx_string("once.fingerprint"), SOURCE_ONCE_FINGERPRINT, 0 },
    { ngx_string("once.attempt"), SOURCE_ONCE_ATTEMPT, 0 },
    { ngx_string("once.kept"), SOURCE_ONCE_KEPT, 0 },
    { ngx_string("once.contact"), SOURCE_ONCE_CONTACT, 0 },
    { ngx_string("jid.suffix"), SOURCE_JID_SUFFIX, 0 },
    { ngx_string("page.limit"), SOURCE_PAGE_LIMIT, 0 },
    { ngx_string("page.count"), SOURCE_PAGE_COUNT, 0 },
    { ngx_null_string, 0, 0 }
};


static ngx_int_t bind_param(ngx_ezw_endpoint_t *ep, ezw_str_t *name,
    ngx_ezw_bind_t *bind, ngx_uint_t param);
static ngx_int_t bind_secret(ngx_ezw_endpoint_t *ep, ezw_str_t *rest,
    ngx_ezw_bind_t *bind);
static ngx_uint_t starts_with(ezw_str_t *s, const char *prefix,
    ezw_str_t *rest);


ngx_int_t
ngx_ezw_bind_conf(ngx_conf_t *cf, ngx_ezw_endpoint_t *ep,
    ngx_ezw_pg_statement_t *st, ngx_ezw_bind_t **binds)
{
    ngx_uint_t  i;

    *binds = ngx_pcalloc(cf->pool, (st->nparams + 1) * sizeof(ngx_ezw_bind_t));
    if (*binds == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < st->nparams; i++) {
        if (bind_param(ep, &st->params[i], &(*binds)[i], i) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "statement file \"%s\", line %ui: \"%V\" has "
                               "the unknown parameter \":%*s\"", st->file,
                               (ngx_uint_t) st->line, &st->name,
                               st->params[i].len, st->params[i].data);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
starts_with(ezw_str_t *s, const char *prefix, ezw_str_t *rest)
{
    size_t  len;

    len = ngx_strlen(prefix);

    if (s->len <= len || ngx_strncmp(s->data, prefix, len) != 0) {
        return 0;
    }

    rest->data = s->data + len;
    rest->len = s->len - len;

    return 1;
}


static ngx_int_t
bind_param(ngx_ezw_endpoint_t *ep, ezw_str_t *name, ngx_ezw_bind_t *bind,
    ngx_uint_t param)
{
    int                            slot;
    unsigned                       i;
    ezw_str_t                      rest;
    const ngx_ezw_endpoint_row_t  *row;

    row = ep->row;

    for (i = 0; plain_sources[i].name.len; i++) {
        if (plain_sources[i].name.len == name->len
            && ngx_strncmp(plain_sources[i].name.data, name->data, name->len)
               == 0)
        {
            bind->source = plain_sources[i].source;

            if (bind->source == SOURCE_PAGE_LIMIT) {
                ep->paged = 1;
            }

            /* whoever may ask has no principal */
            return plain_sources[i].who && ngx_ezw_public(ep) ? NGX_DECLINED
                                                              : NGX_OK;
        }
    }

    if (starts_with(name, "path.", &rest)) {
        for (i = 0; i < EZW_ROUTE_PARAMS && ep->params[i].len; i++) {
            if (ep->params[i].len == rest.len
                && ngx_strncmp(ep->params[i].data, rest.data, rest.len) == 0)
            {
                bind->source = SOURCE_PATH;
                bind->index = i;
                return NGX_OK;
            }
        }

        return NGX_DECLINED;
    }

    if (starts_with(name, "id.", &rest)) {
        bind->source = SOURCE_ID;
        bind->index = param;
        ep->nids++;
        return NGX_OK;
    }

    if (starts_with(name, "after.", &rest)) {
        bind->source = SOURCE_AFTER;
        bind->index = rest.data[0] - '0';

        if (rest.len != 1 || bind->index >= EZW_CURSOR_VALUES) {
            return NGX_DECLINED;
        }

        ep->nafter = ngx_max(ep->nafter, (ngx_uint_t) bind->index + 1);
        return NGX_OK;
    }

    if (starts_with(name, "secret.", &rest)) {
        return bind_secret(ep, &rest, bind);
    }

    if (starts_with(name, "lookup.", &rest)) {
        bind->source = SOURCE_LOOKED;
        bind->name = rest;
        return NGX_OK;
    }

    if (starts_with(name, "hash.", &rest)
        || starts_with(name, "sealed.", &rest)
        || starts_with(name, "fingerprint.", &rest))
    {
        bind->source = name->data[0] == 'h' ? SOURCE_HASH
                       : name->data[0] == 's' ? SOURCE_SEALED
                       : SOURCE_FINGERPRINT;
        bind->name = rest;
        slot = ezw_fields_slot(row->body, row->nbody, (char *) rest.data,
                               rest.len);

        if (bind->source == SOURCE_SEALED && ngx_ezw_bind_path_id(ep) < 0 && ep->nids == 0) {
            return NGX_DECLINED;      /* for which row? */
        }

    } else if (starts_with(name, "has.body.", &rest)) {
        bind->source = SOURCE_HAS_BODY;
        slot = ezw_fields_slot(row->body, row->nbody, (char *) rest.data,
                               rest.len);

    } else if (starts_with(name, "body.", &rest)) {
        bind->source = SOURCE_BODY;
        slot = ezw_fields_slot(row->body, row->nbody, (char *) rest.data,
                               rest.len);

    } else if (starts_with(name, "has.query.", &rest)) {
        bind->source = SOURCE_HAS_QUERY;
        slot = ezw_fields_slot(ep->query, ep->nquery, (char *) rest.data,
                               rest.len);

    } else if (starts_with(name, "query.", &rest)) {
        bind->source = SOURCE_QUERY;
        slot = ezw_fields_slot(ep->query, ep->nquery, (char *) rest.data,
                               rest.len);

    } else {
        return NGX_DECLINED;
    }

    bind->index = slot;

    return slot < 0 ? NGX_DECLINED : NGX_OK;
}


/* "key.hash", "key.prefix", "key.sealed": of the secret called key. */
static ngx_int_t
bind_secret(ngx_ezw_endpoint_t *ep, ezw_str_t *rest, ngx_ezw_bind_t *bind)
{
    u_char      *dot;
    ezw_str_t    name;
    ngx_uint_t   i;

    dot = ngx_strlchr(rest->data, rest->data + rest->len, '.');

    if (dot == NULL) {
        return NGX_DECLINED;
    }

    name.data = rest->data;
    name.len = dot - rest->data;

    if (rest->len - name.len == 5 && ngx_strncmp(dot, ".hash", 5) == 0) {
        bind->source = SOURCE_SECRET_HASH;

    } else if (rest->len - name.len == 7 && ngx_strncmp(dot, ".prefix", 7) == 0)
    {
        bind->source = SOURCE_SECRET_PREFIX;

    } else if (rest->len - name.len == 7 && ngx_strncmp(dot, ".sealed", 7) == 0
               && (ngx_ezw_bind_path_id(ep) >= 0 || ep->nids))
    {
        bind->source = SOURCE_SECRET_SEALED;
        bind->name = name;

    } else {
        return NGX_DECLINED;
    }

    for (i = 0; i < ep->nsecrets; i++) {
        if (ep->secrets[i].len == name.len
            && ngx_memcmp(ep->secrets[i].data, name.data, name.len) == 0)
        {
            bind->index = i;
            return NGX_OK;
        }
    }

    if (ep->nsecrets == NGX_EZW_SECRETS) {
        return NGX_DECLINED;
    }

    bind->index = ep->nsecrets;
    ep->secrets[ep->nsecrets++] = name;

    return NGX_OK;
}


int
ngx_ezw_bind_path_id(ngx_ezw_endpoint_t *ep)
{
    int  i;

    for (i = 0; i < EZW_ROUTE_PARAMS && ep->params[i].len; i++) {
        if (ep->params[i].len == 2
            && ngx_strncmp(ep->params[i].data, "id", 2) == 0)
        {
            return i;
        }
    }

    return -1;
}

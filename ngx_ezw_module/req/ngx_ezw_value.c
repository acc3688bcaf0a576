/*
 * A statement's parameters: their values, for each request.
 */

#include "base/ezw_time.h"
#include "req/ngx_ezw_bind.h"


static ngx_int_t make_secrets(ngx_ezw_ctx_t *ctx, u_char *p);
static const char *hashed(ngx_pool_t *pool, const void *data, size_t len);
static const char *sealed_key(ngx_ezw_ctx_t *ctx, ngx_ezw_bind_t *b,
    ezw_value_t *v, const char *row);
static const char *sealed(ngx_ezw_ctx_t *ctx, const ezw_str_t *text,
    const ezw_str_t *name, const char *row);
static const char *fingerprint(ngx_ezw_ctx_t *ctx, const ezw_str_t *text);
static const char *row_of(ngx_ezw_ctx_t *ctx, ngx_ezw_bind_t *binds,
    const char **values);
static const char *contact_of(ngx_ezw_ctx_t *ctx);
static const char *terminated(ngx_pool_t *pool, const void *data, size_t len);


static const char *
terminated(ngx_pool_t *pool, const void *data, size_t len)
{
    u_char  *p;

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(p, data, len);
    p[len] = '\0';

    return (const char *) p;
}


/* Fresh secrets of [A-Za-z0-9] behind the endpoint's prefix, one for each of
 * its names. */
static ngx_int_t
make_secrets(ngx_ezw_ctx_t *ctx, u_char *p)
{
    u_char      *last, rnd[64];
    size_t       left, len;
    ngx_uint_t   i;
    const char  *prefix;

    static const u_char  alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz0123456789";

    left = 0;
    prefix = ctx->endpoint->row->secret_prefix;
    len = prefix ? ngx_strlen(prefix) : 0;

    for (i = 0; i < ctx->endpoint->nsecrets; i++) {

        ctx->secrets[i].name = ctx->endpoint->secrets[i];
        ctx->secrets[i].value.data = p;
        ctx->secrets[i].value.len = len + NGX_EZW_SECRET_LEN;

        if (len) {
            p = ngx_cpymem(p, prefix, len);
        }

        for (last = p + NGX_EZW_SECRET_LEN; p < last; /* void */ ) {

            if (left == 0) {
                if (ngx_ezw_random(rnd, sizeof(rnd)) != NGX_OK) {
                    return NGX_ERROR;
                }
                left = sizeof(rnd);
            }

            left--;

            if ((rnd[left] & 63) < 62) {
                *p++ = alphabet[rnd[left] & 63];
            }
        }
    }

    ctx->nsecrets = ctx->endpoint->nsecrets;

    return NGX_OK;
}


/* SHA-256 as hex. */
static const char *
hashed(ngx_pool_t *pool, const void *data, size_t len)
{
    u_char  *p, digest[32];

    p = ngx_pnalloc(pool, 65);

    if (p == NULL || ngx_ezw_digest("", data, len, digest) != NGX_OK) {
        return NULL;
    }

    ezw_hex(p, digest, 32);
    p[64] = '\0';

    return (char *) p;
}


/* A key of the body, base64 as its rule has it: sealed for its field and row,
 * as hex, or its fingerprint.  NULL: ctx->error, or no memory. */
static const char *
sealed_key(ngx_ezw_ctx_t *ctx, ngx_ezw_bind_t *b, ezw_value_t *v,
    const char *row)
{
    ezw_str_t  text;

    text.data = (u_char *) v->data;
    text.len = v->len;

    return b->source == SOURCE_FINGERPRINT ? fingerprint(ctx, &text)
                                           : sealed(ctx, &text, &b->name, row);
}


/* What reads tell of a key. */
static const char *
fingerprint(ngx_ezw_ctx_t *ctx, const ezw_str_t *text)
{
    u_char  *p, key[48], digest[32];
    size_t   len;

    p = ngx_pnalloc(ctx->request->pool, 24);

    if (p == NULL || text->len > 60
        || ezw_base64_parse(text, key, &len) != EZW_OK
        || ngx_ezw_digest("", key, len, digest) != NGX_OK)
    {
        return NULL;
    }

    ngx_memcpy(p, "sha256:", 7);
    ezw_hex(p + 7, digest, 8);
    p[23] = '\0';

    ngx_explicit_memzero(key, sizeof(key));

    return (char *) p;
}


/* The bytes of a text in base64, sealed for a field and row, as hex. */
static const char *
sealed(ngx_ezw_ctx_t *ctx, const ezw_str_t *text, const ezw_str_t *name,
    const char *row)
{
    int         rc;
    u_char     *p, key[48], nonce[12], context[128];
    u_char      out[sizeof(key) + EZW_SEAL_OVERHEAD];
    size_t      len;
    ezw_str_t   about;

    if (ctx->conf->ring == NULL) {
        (void) ngx_ezw_refuse(ctx, &ngx_ezw_not_configured, NULL,
                              "The deployment keeps no secrets: it has no "
                              "ezw_seal_key_file");
        return NULL;
    }

    p = ngx_pnalloc(ctx->request->pool, 2 * sizeof(out) + 1);

    if (p == NULL || row == NULL || text->len > 60
        || ezw_base64_parse(text, key, &len) != EZW_OK)
    {
        return NULL;
    }

    about.data = context;
    about.len = ngx_snprintf(context, sizeof(context), "%*s %s", name->len,
                             name->data, row)
                - context;

    rc = (ngx_ezw_random(nonce, sizeof(nonce)) == NGX_OK)
         ? ezw_seal(ctx->conf->ring, &about, nonce, key, len, out) : EZW_ERROR;

    ngx_explicit_memzero(key, sizeof(key));

    if (rc != EZW_OK) {
        return NULL;
    }

    ezw_hex(p, out, len + EZW_SEAL_OVERHEAD);
    p[2 * (len + EZW_SEAL_OVERHEAD)] = '\0';

    return (char *) p;
}


/* The id of the row that a secret is for: the path's, or else the first that
 * the statement's parameters make.  NULL: no memory. */
static const char *
row_of(ngx_ezw_ctx_t *ctx, ngx_ezw_bind_t *binds, const char **values)
{
    int          i;
    u_char      *p, id[16];

    i = ngx_ezw_bind_path_id(ctx->endpoint);

    if (i < 0) {
        for (i = 0; binds[i].source != SOURCE_ID; i++) { /* void */ }

        return values[i];
    }

    if (ezw_uuid_parse(&ctx->match.params[i], id) != EZW_OK) {
        return "";                    /* the statement will not find it */
    }

    p = ngx_pnalloc(ctx->request->pool, EZW_UUID_LEN + 1);
    if (p == NULL) {
        return NULL;
    }

    ezw_uuid_text(p, id);
    p[EZW_UUID_LEN] = '\0';

    return (char *) p;
}


/* Whose erasure takes a kept answer along. */
static const char *
contact_of(ngx_ezw_ctx_t *ctx)
{
    ngx_uint_t                     i;
    ngx_ezw_endpoint_t            *ep;
    const ngx_ezw_endpoint_row_t  *row;

    ep = ctx->endpoint;
    row = ep->row;

    if (ep->contact >= 0) {
        return terminated(ctx->request->pool,
                          ctx->match.params[ep->contact].data,
                          ctx->match.params[ep->contact].len);
    }

    for (i = 0; i < row->nbody; i++) {
        if (row->body[i].type == EZW_FIELD_JID
            && row->body[i].min == EZW_JID_CONTACT)
        {
            return ctx->body[ezw_fields_slot(row->body, row->nbody,
                                             row->body[i].name,
                                             ngx_strlen(row->body[i].name))]
                   .data;
        }
    }

    return NULL;
}


const char **
ngx_ezw_bind(ngx_ezw_ctx_t *ctx, ngx_ezw_pg_statement_t *st,
    ngx_ezw_bind_t *binds)
{
    u_char                id[20], rnd[14], *p;
    size_t                len;
    uint64_t              now;
    ezw_str_t             text;
    ngx_str_t            *addr, whose;
    ngx_uint_t            i, n;
    ngx_pool_t           *pool;
    ezw_value_t          *v;
    const char          **values;
    ngx_ezw_bind_t       *b;
    ngx_table_elt_t      *h;
    ezw_row_secret_t     *looked;
    ngx_ezw_endpoint_t   *ep;
    ngx_ezw_principal_t  *who;

    ep = ctx->endpoint;
    who = ctx->principal;
    pool = ctx->request->pool;

    values = ngx_palloc(pool, (st->nparams + 1) * sizeof(char *));
    if (values == NULL) {
        return NULL;
    }

    now = ngx_ezw_now();

    if (ep->nsecrets) {
        len = NGX_EZW_SECRET_LEN;

        if (ep->row->secret_prefix) {
            len += ngx_strlen(ep->row->secret_prefix);
        }

        p = ngx_pnalloc(pool, ep->nsecrets * len);
        if (p == NULL || make_secrets(ctx, p) != NGX_OK) {
            return NULL;
        }
    }

    for (i = 0; i < st->nparams; i++) {
        b = &binds[i];
        values[i] = NULL;

        switch (b->source) {

        case SOURCE_COMPANY:
            values[i] = ctx->company[0] ? (char *) ctx->company : NULL;
            break;

        case SOURCE_KEY_ID:
            values[i] = (char *) who->id.data;
            break;

        case SOURCE_KEY_COMPANY:
            values[i] = (char *) who->company.data;
            break;

        case SOURCE_KEY_SCOPE:
            values[i] = ezw_scope_name(who->scope);
            break;

        case SOURCE_KEY_CHANNELS:
            values[i] = (char *) who->channels.data;
            break;

        case SOURCE_KEY_COMPANIES:
            values[i] = (char *) who->companies.data;
            break;

        case SOURCE_KEY_ASSISTANT:
            values[i] = (char *) who->assistant.data;
            break;

        case SOURCE_KEY_ACTOR:
            values[i] = (char *) who->actor.data;
            break;

        case SOURCE_TRACE:
            values[i] = (char *) ctx->trace;
            break;

        case SOURCE_ADDRESS:
            addr = &ctx->request->connection->addr_text;
            values[i] = terminated(pool, addr->data, addr->len);
            if (values[i] == NULL) {
                return NULL;
            }
            break;

        case SOURCE_PATH:
            values[i] = terminated(pool, ctx->match.params[b->index].data,
                                   ctx->match.params[b->index].len);
            if (values[i] == NULL) {
                return NULL;
            }
            break;

        case SOURCE_MESSAGE_ID:
            p = ngx_pnalloc(pool, EZW_MESSAGE_ID_LEN + 1);
            if (p == NULL || ngx_ezw_random(rnd, 14) != NGX_OK) {
                return NULL;
            }
            ezw_message_id(id, now, rnd);
            ezw_hex(p, id, 20);
            p[EZW_MESSAGE_ID_LEN] = '\0';
            values[i] = (char *) p;
            break;

        case SOURCE_ID:
            p = ngx_pnalloc(pool, EZW_UUID_LEN + 1);
            if (p == NULL || ngx_ezw_random(rnd, 10) != NGX_OK) {
                return NULL;
            }
            ezw_uuid7(id, now, rnd);
            ezw_uuid_text(p, id);
            p[EZW_UUID_LEN] = '\0';
            values[i] = (char *) p;
            break;

        case SOURCE_HAS_BODY:
            values[i] = (ctx->body && ctx->body[b->index].present) ? "t" : "f";
            break;

        case SOURCE_HAS_QUERY:
            values[i] = (ctx->args && ctx->args[b->index].present) ? "t" : "f";
            break;

        case SOURCE_AGENT:
            h = ctx->request->headers_in.user_agent;

            if (h) {
                values[i] = terminated(pool, h->value.data,
                                       ngx_min(h->value.len, 512));
                if (values[i] == NULL) {
                    return NULL;
                }
            }
            break;

        case SOURCE_USER_ID:
            values[i] = (char *) who->user.data;
            break;

        case SOURCE_USER_EMAIL:
            values[i] = (char *) who->email.data;
            break;

        case SOURCE_USER_ROLE:
            values[i] = ngx_ezw_role_names[who->role];
            break;

        case SOURCE_SESSION_ID:
            values[i] = (char *) who->session.data;
            break;

        case SOURCE_TOKEN_EXPIRES:
            p = ngx_pnalloc(pool, EZW_TIME_LEN + 1);
            if (p == NULL) {
                return NULL;
            }
            if (ezw_time_write(p, (who->token_expires - EZW_PG_EPOCH_S)
                                  * 1000000)
                == NULL)
            {
                return NULL;
            }
            p[EZW_TIME_LEN] = '\0';
            values[i] = (char *) p;
            break;

        case SOURCE_SECRET_HASH:
            values[i] = hashed(pool, ctx->secrets[b->index].value.data,
                               ctx->secrets[b->index].value.len);
            if (values[i] == NULL) {
                return NULL;
            }
            break;

        case SOURCE_SECRET_PREFIX:
            values[i] = terminated(pool, ctx->secrets[b->index].value.data, 6);
            if (values[i] == NULL) {
                return NULL;
            }
            break;

        case SOURCE_SECRET_SEALED:
            text = ctx->secrets[b->index].value;
            text.data += text.len - NGX_EZW_SECRET_LEN;
            text.len = NGX_EZW_SECRET_LEN;
            values[i] = sealed(ctx, &text, &b->name,
                               row_of(ctx, binds, values));
            if (values[i] == NULL) {
                return NULL;
            }
            break;

        case SOURCE_PASSWORD_HASH:
            values[i] = (char *) ctx->password_hash.data;
            break;

        case SOURCE_LOOKED:
            looked = ctx->looked ? ctx->looked->elts : NULL;

            for (n = 0; looked && n < ctx->looked->nelts; n++) {
                if (looked[n].name.len == b->name.len
                    && ngx_memcmp(looked[n].name.data, b->name.data,
                                  b->name.len)
                       == 0)
                {
                    values[i] = (char *) looked[n].value.data;
                }
            }
            break;

        case SOURCE_HASH:
        case SOURCE_SEALED:
        case SOURCE_FINGERPRINT:
            v = ctx->body ? &ctx->body[b->index] : NULL;

            if (v && v->data) {
                values[i] = b->source == SOURCE_HASH
                            ? hashed(pool, v->data, v->len)
                            : sealed_key(ctx, b, v,
                                         row_of(ctx, binds, values));
                if (values[i] == NULL) {
                    return NULL;
                }
            }
            break;

        case SOURCE_ONCE_COMPANY:
            values[i] = ctx->company[0]
                        ? (char *) ctx->company
                        : "00000000-0000-0000-0000-000000000000";
            break;

        case SOURCE_ONCE_METHOD:
            values[i] = "POST";
            break;

        case SOURCE_ONCE_ROUTE:
            values[i] = ep->row->path;
            break;

        case SOURCE_ONCE_CHANNEL:
            values[i] = "";
            if (ngx_ezw_once_whose(ctx, &whose) == NGX_OK) {
                values[i] = hashed(pool, whose.data, whose.len);
                if (values[i] == NULL) {
                    return NULL;
                }
            }
            if (ep->channel >= 0) {
                values[i] = terminated(pool,
                                       ctx->match.params[ep->channel].data,
                                       ctx->match.params[ep->channel].len);
                if (values[i] == NULL) {
                    return NULL;
                }
            }
            break;

        case SOURCE_ONCE_KEY:
            values[i] = (char *) ctx->once->key.data;
            break;

        case SOURCE_ONCE_FINGERPRINT:
            values[i] = (char *) ctx->once->text;
            break;

        case SOURCE_ONCE_ATTEMPT:
            values[i] = (char *) ctx->once->attempt_text;
            break;

        case SOURCE_ONCE_KEPT:
            values[i] = (char *) ctx->conf->kept.data;
            break;

        case SOURCE_ONCE_CONTACT:
            values[i] = contact_of(ctx);
            break;

        case SOURCE_JID_SUFFIX:
            values[i] = terminated(pool, ctx->conf->jids.suffix.data,
                                   ctx->conf->jids.suffix.len);
            if (values[i] == NULL) {
                return NULL;
            }
            break;

        case SOURCE_PAGE_LIMIT:
            values[i] = ngx_ezw_page_limit(ctx);
            if (values[i] == NULL) {
                return NULL;
            }
            break;

        case SOURCE_PAGE_COUNT:
            values[i] = ngx_ezw_page_count(ctx);
            break;

        case SOURCE_AFTER:
            values[i] = ngx_ezw_page_after(ctx, b->index);
            break;

        case SOURCE_BODY:
        case SOURCE_QUERY:
            v = (b->source == SOURCE_BODY) ? ctx->body : ctx->args;

            if (v && v[b->index].data) {
                values[i] = terminated(pool, v[b->index].data,
                                       v[b->index].len);
                if (values[i] == NULL) {
                    return NULL;
                }
            }
            break;
        }
    }

    return values;
}

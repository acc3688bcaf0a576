/*
 * The cipher key of an API key is that of the webhooks which it makes, where
 * they are given none (DECISIONS 5).  It is sealed for the API key's row: so it
 * is looked up, opened, and stands in the body from then on, as if the caller
 * had written it there.
 */

#include "gate/ngx_ezw_gate.h"


#define KEY_LEN   32
#define FIELD     "cipherKey"


static void looked_up(ngx_ezw_ctx_t *ctx);
static ngx_int_t take(ngx_ezw_ctx_t *ctx, ngx_str_t *sealed);
static int slot_of(ngx_ezw_ctx_t *ctx);


static ngx_ezw_pg_statement_t  *key_cipher;


ngx_int_t
ngx_ezw_cipher_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    static const char *const  of_cipher[] = { "company", "key", NULL };

    key_cipher = ngx_ezw_gate_statement(cf, emcf, "key_cipher", of_cipher);

    return key_cipher ? NGX_OK : NGX_ERROR;
}


void
ngx_ezw_cipher_default(ngx_ezw_ctx_t *ctx)
{
    const char  **values;

    if (ctx->body[slot_of(ctx)].present) {
        ngx_ezw_execute(ctx);
        return;
    }

    values = ngx_palloc(ctx->request->pool, 2 * sizeof(char *));
    if (values == NULL) {
        ngx_ezw_done(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    values[ngx_ezw_pg_param(key_cipher, "company")] =
        (char *) ctx->principal->company.data;
    values[ngx_ezw_pg_param(key_cipher, "key")] =
        (char *) ctx->principal->id.data;

    ctx->query.statement = key_cipher;
    ctx->query.values = values;
    ctx->query.lane = NGX_EZW_PG_READ;
    ctx->query.write = 0;
    ctx->query.order = 0;

    if (ngx_ezw_park(ctx, looked_up) != NGX_OK) {
        ngx_ezw_done(ctx, ngx_ezw_reply_error(ctx));
    }
}


static void
looked_up(ngx_ezw_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_str_t            sealed;
    ngx_ezw_pg_query_t  *q;

    q = &ctx->query;
    rc = NGX_OK;

    if (q->rc != NGX_EZW_PG_DONE) {
        rc = ngx_ezw_refuse(ctx, &ngx_ezw_unavailable, NULL, NULL);

    } else if (PQntuples(q->result)) {
        sealed = ngx_ezw_pg_str(q, 0, "sealed");
        rc = take(ctx, &sealed);
    }

    ngx_ezw_pg_query_clear(q);

    if (rc != NGX_OK) {
        ngx_ezw_done(ctx, ngx_ezw_reply_error(ctx));
        return;
    }

    ngx_ezw_execute(ctx);
}


/* Opens the key and writes it into the body.  NGX_OK, or NGX_DECLINED with
 * ctx->error. */
static ngx_int_t
take(ngx_ezw_ctx_t *ctx, ngx_str_t *sealed)
{
    u_char       *p, plain[KEY_LEN], context[128];
    size_t        len;
    unsigned      key;
    ezw_str_t     about;
    ezw_value_t  *value;

    if (sealed->len != KEY_LEN + EZW_SEAL_OVERHEAD || ctx->conf->ring == NULL)
    {
        goto closed;
    }

    about.data = context;
    about.len = ngx_snprintf(context, sizeof(context), FIELD " %V",
                             &ctx->principal->id)
                - context;

    if (ezw_seal_open(ctx->conf->ring, &about, sealed->data, sealed->len,
                      plain, &len, &key)
        != EZW_OK)
    {
        goto closed;
    }

    p = ngx_pnalloc(ctx->request->pool, 4 * (KEY_LEN / 3 + 1) + 1);
    if (p == NULL) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    value = &ctx->body[slot_of(ctx)];
    value->data = (char *) p;
    value->len = ezw_base64(p, plain, len);
    value->present = 1;
    p[value->len] = '\0';

    ngx_explicit_memzero(plain, sizeof(plain));

    return NGX_OK;

closed:

    ngx_log_error(NGX_LOG_WARN, ctx->request->connection->log, 0,
                  "the cipher key of an API key is sealed by a key that "
                  "ezw_seal_key_file does not have");

    return ngx_ezw_refuse(ctx, &ngx_ezw_not_configured, NULL,
                          "The cipherKey of the API key is sealed by a key "
                          "that the deployment does not have any more");
}


static int
slot_of(ngx_ezw_ctx_t *ctx)
{
    const ngx_ezw_endpoint_row_t  *row;

    row = ctx->endpoint->row;

    return ezw_fields_slot(row->body, row->nbody, FIELD, sizeof(FIELD) - 1);
}

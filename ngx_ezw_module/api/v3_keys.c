/* API keys.  The current key is answered from what the gate has found; making,
 * changing and revoking them is the owner's. */

#include "api/ngx_ezw_api.h"
#include "base/ezw_time.h"


static ngx_int_t key_current(ngx_ezw_ctx_t *ctx);


static const char *const  scopes[] = {
    "CHANNEL", "ASSISTANT", "COMPANY", "OWNER", NULL
};


#define SETTINGS                                                              \
    { .name = "description", .type = EZW_FIELD_STRING,                        \
      .flags = EZW_NULLABLE, .max = 255 },                                    \
    { .name = "objects", .type = EZW_FIELD_OBJECTS, .max = 1000 },            \
    { .name = "whitelist", .type = EZW_FIELD_CIDRS, .flags = EZW_NULLABLE,    \
      .max = 100 },                                                           \
    { .name = "expiresAt", .type = EZW_FIELD_TIME, .flags = EZW_NULLABLE },   \
    { .name = "ratePerMinute", .type = EZW_FIELD_INTEGER,                     \
      .flags = EZW_NULLABLE, .min = 1, .max = 60000000 },                     \
    { .name = "burst", .type = EZW_FIELD_INTEGER, .flags = EZW_NULLABLE,      \
      .min = 1, .max = 1000000 },                                             \
    { .name = "enabled", .type = EZW_FIELD_BOOLEAN },                         \
    { .name = "id", .type = EZW_FIELD_READONLY },                             \
    { .name = "lastUsed", .type = EZW_FIELD_READONLY },                       \
    { .name = "prefix", .type = EZW_FIELD_READONLY }


static const ezw_field_t  create[] = {
    { .name = "scope", .type = EZW_FIELD_ENUM, .flags = EZW_REQUIRED,
      .values = scopes },
    { .name = "companyId", .type = EZW_FIELD_UUID },
    { .name = "cipherKey", .type = EZW_FIELD_KEY, .flags = EZW_NULLABLE },
    SETTINGS
};


static const ezw_field_t  update[] = {
    { .name = "scope", .type = EZW_FIELD_ENUM, .values = scopes },
    { .name = "cipherKey", .type = EZW_FIELD_KEY,
      .flags = EZW_NULLABLE|EZW_READ_BACK },
    SETTINGS
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "key_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/keys",
      .scope = EZW_SCOPE_COMPANY,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "key_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/keys",
      .scope = EZW_SCOPE_OWNER,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "key_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/keys/{id}",
      .scope = EZW_SCOPE_OWNER,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },

    { .name = "key_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/keys/{id}",
      .scope = EZW_SCOPE_OWNER,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_WRITE },

    { .name = "key_current",
      .method = NGX_HTTP_GET,
      .path = "/v3/keys/current",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .handler = key_current },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_keys =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };


static ngx_int_t
key_current(ngx_ezw_ctx_t *ctx)
{
    off_t                 length;
    int64_t               us;
    ngx_ezw_out_t         out;
    ngx_ezw_principal_t  *who;

    who = ctx->principal;

    if (ngx_ezw_out_init(&out, ctx->request->pool, who->json[0].len
                                                   + who->json[1].len + 40)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ezw_json_raw(&out.w, who->json[0].data, who->json[0].len);

    if (who->last_used) {
        us = (int64_t) who->last_used * 1000 - EZW_PG_EPOCH_S * 1000000;
        ezw_json_timestamp(&out.w, us);
    } else {
        ezw_json_literal(&out.w, "null");
    }

    ezw_json_raw(&out.w, who->json[1].data, who->json[1].len);

    length = ngx_ezw_out_end(&out);

    if (length < 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_ezw_reply_json(ctx, NGX_HTTP_OK, out.first, length);
}

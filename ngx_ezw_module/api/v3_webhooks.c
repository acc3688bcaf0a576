/* Webhooks of a channel: who is told of which events. */

#include "api/ngx_ezw_api.h"
#include "gate/ngx_ezw_gate.h"


static const char *const  events[] = {
    "custom", "echo", "handover", "label", "message", "note", "postback",
    "receipt", "template_pack", "typing", NULL
};


#define MAX_EVENTS  100              /* as they come: each is kept once */

#define READONLY    { .name = "createdAt", .type = EZW_FIELD_READONLY },      \
                    { .name = "id", .type = EZW_FIELD_READONLY },             \
                    { .name = "secret", .type = EZW_FIELD_READONLY },         \
                    { .name = "updatedAt", .type = EZW_FIELD_READONLY }


static const ezw_field_t  create[] = {
    { .name = "url", .type = EZW_FIELD_URL, .flags = EZW_REQUIRED },
    { .name = "events", .type = EZW_FIELD_ENUMS, .flags = EZW_REQUIRED,
      .min = 1, .max = MAX_EVENTS, .values = events },
    { .name = "headers", .type = EZW_FIELD_HEADERS, .flags = EZW_NULLABLE,
      .max = 20 },
    { .name = "enabled", .type = EZW_FIELD_BOOLEAN },
    { .name = "assistant", .type = EZW_FIELD_JID, .flags = EZW_NULLABLE,
      .min = EZW_JID_OTHER },
    { .name = "cipherKey", .type = EZW_FIELD_KEY, .flags = EZW_NULLABLE },
    READONLY
};


static const ezw_field_t  update[] = {
    { .name = "url", .type = EZW_FIELD_URL },
    { .name = "events", .type = EZW_FIELD_ENUMS, .min = 1, .max = MAX_EVENTS,
      .values = events },
    { .name = "headers", .type = EZW_FIELD_HEADERS,
      .flags = EZW_NULLABLE|EZW_READ_BACK, .max = 20 },
    { .name = "enabled", .type = EZW_FIELD_BOOLEAN },
    { .name = "assistant", .type = EZW_FIELD_READONLY },
    { .name = "cipherKey", .type = EZW_FIELD_READONLY },
    READONLY
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "webhook_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/webhooks",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      .before = ngx_ezw_cipher_default,
      .secret_prefix = "whsec_",
      ngx_ezw_body(create) },

    { .name = "webhook_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/webhooks",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "webhook_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/channels/{channelJid}/webhooks/{id}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },

    { .name = "webhook_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/channels/{channelJid}/webhooks/{id}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_WRITE },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_webhooks =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

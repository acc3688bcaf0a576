/* What a channel says by itself: when nobody is there, and to whom is new. */

#include "api/ngx_ezw_api.h"


static const ezw_field_t  update[] = {
    { .name = "body", .type = EZW_FIELD_STRING, .max = 4096 },
    { .name = "enabled", .type = EZW_FIELD_BOOLEAN },
    { .name = "createdAt", .type = EZW_FIELD_READONLY },
    { .name = "type", .type = EZW_FIELD_READONLY },
    { .name = "updatedAt", .type = EZW_FIELD_READONLY }
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "automated_message_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/automated-messages",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "automated_message_get",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/automated-messages/{type}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "automated_message_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/channels/{channelJid}/automated-messages/{type}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_automated =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

/* Channels. */

#include "api/ngx_ezw_api.h"


static const ezw_field_t  update[] = {
    { .name = "name", .type = EZW_FIELD_STRING, .min = 1, .max = 255 },
    { .name = "priority", .type = EZW_FIELD_INTEGER, .flags = EZW_NULLABLE,
      .min = -2147483647, .max = 2147483647 },
    { .name = "dataRetentionInDays", .type = EZW_FIELD_READONLY },
    { .name = "jid", .type = EZW_FIELD_READONLY },
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "channel_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "channel_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/channels/{channelJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_channels =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

/* Events of the caller's own about a contact. */

#include "api/ngx_ezw_api.h"


static const ezw_field_t  create[] = {
    { .name = "name", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 64, .chars = "A-Za-z0-9_.-" },
    { .name = "data", .type = EZW_FIELD_JSON, .flags = EZW_NULLABLE,
      .max = 4096 },
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "custom_event_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/contacts/{contactJid}/events",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_events =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

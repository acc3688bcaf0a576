/* Messages. */

#include "api/ngx_ezw_api.h"


static const ezw_field_t  send_message[] = {
    { .name = "message", .type = EZW_FIELD_MESSAGE,
      .flags = EZW_REQUIRED | EZW_BARE },
    { .name = "media", .type = EZW_FIELD_MEDIA },
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "message_send",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/messages/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      .bell = 1,
      .lists = 1,
      .wait = "message_outcome",
      ngx_ezw_body(send_message) },

    { .name = "message_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/messages/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "message_get",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/messages/{contactJid}/{id}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_messages =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

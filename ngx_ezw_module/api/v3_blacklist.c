/* Who is blocked on a channel. */

#include "api/ngx_ezw_api.h"


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "contact_block",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/contacts/blacklist/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_WRITE },

    { .name = "blacklist_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/contacts/blacklist",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "contact_unblock",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/channels/{channelJid}/contacts/blacklist/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_WRITE },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_blacklist =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

/* Lists of contacts.  The last two paths are those of 2021 (DECISIONS 22). */

#include "api/ngx_ezw_api.h"


static const ezw_field_t  create[] = {
    { .name = "name", .type = EZW_FIELD_NAME, .flags = EZW_REQUIRED,
      .max = 255 },
    { .name = "metadata", .type = EZW_FIELD_MAP, .flags = EZW_NULLABLE,
      .max = 50 },
    { .name = "reference", .type = EZW_FIELD_STRING, .flags = EZW_NULLABLE,
      .max = 255 },
    { .name = "remarks", .type = EZW_FIELD_STRING, .flags = EZW_NULLABLE,
      .max = 1024 },
    { .name = "contacts", .type = EZW_FIELD_READONLY },
    { .name = "jid", .type = EZW_FIELD_READONLY },
    { .name = "notes", .type = EZW_FIELD_READONLY },
    { .name = "type", .type = EZW_FIELD_READONLY },
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "list_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/lists",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "list_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/lists",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "list_get",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/lists/{listJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_SLOW },

    { .name = "list_participant_add",
      .method = NGX_HTTP_POST,
      .path =
          "/v3/channels/{channelJid}/lists/{listJid}/participants/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST,
      .lane = NGX_EZW_PG_WRITE },

    { .name = "list_participant_remove",
      .method = NGX_HTTP_DELETE,
      .path =
          "/v3/channels/{channelJid}/lists/{listJid}/participants/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST,
      .lane = NGX_EZW_PG_WRITE },

    { .name = "list_participant_add_legacy",
      .statement = "list_participant_add",
      .legacy = 1,
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/lists/{listJid}/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST,
      .lane = NGX_EZW_PG_WRITE },

    { .name = "list_participant_remove_legacy",
      .statement = "list_participant_remove",
      .legacy = 1,
      .method = NGX_HTTP_DELETE,
      .path = "/v3/channels/{channelJid}/lists/{listJid}/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST,
      .lane = NGX_EZW_PG_WRITE },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_lists =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

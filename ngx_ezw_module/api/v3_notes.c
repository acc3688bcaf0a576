/* Notes of a contact. */

#include "api/ngx_ezw_api.h"


#define SETTINGS                                                              \
    { .name = "isPinned", .type = EZW_FIELD_BOOLEAN },                        \
    { .name = "isReadOnly", .type = EZW_FIELD_BOOLEAN },                      \
    { .name = "referenceId", .type = EZW_FIELD_STRING,                        \
      .flags = EZW_NULLABLE, .max = 64 },                                     \
    { .name = "createdAt", .type = EZW_FIELD_READONLY },                      \
    { .name = "createdBy", .type = EZW_FIELD_READONLY },                      \
    { .name = "id", .type = EZW_FIELD_READONLY },                             \
    { .name = "updatedAt", .type = EZW_FIELD_READONLY }


static const ezw_field_t  create[] = {
    { .name = "body", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 4096 },
    SETTINGS
};


static const ezw_field_t  update[] = {
    { .name = "body", .type = EZW_FIELD_STRING, .min = 1, .max = 4096 },
    SETTINGS
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "note_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/contacts/{contactJid}/notes",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "note_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/contacts/{contactJid}/notes",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "note_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/channels/{channelJid}/contacts/{contactJid}/notes/{id}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },

    { .name = "note_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/channels/{channelJid}/contacts/{contactJid}/notes/{id}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_WRITE },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_notes =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

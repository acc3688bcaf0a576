/* Contacts of a channel. */

#include "api/ngx_ezw_api.h"


#define NAME       { .name = "name", .type = EZW_FIELD_NAME,                  \
                     .flags = EZW_NULLABLE, .max = 255 }
#define REFERENCE  { .name = "reference", .type = EZW_FIELD_STRING,           \
                     .flags = EZW_NULLABLE, .max = 255 }
#define REMARKS    { .name = "remarks", .type = EZW_FIELD_STRING,             \
                     .flags = EZW_NULLABLE, .max = 1024 }
#define READONLY   { .name = "notes", .type = EZW_FIELD_READONLY },           \
                   { .name = "phoneNumber", .type = EZW_FIELD_READONLY },     \
                   { .name = "type", .type = EZW_FIELD_READONLY }


static const ezw_field_t  create[] = {
    { .name = "jid", .type = EZW_FIELD_JID, .flags = EZW_REQUIRED,
      .min = EZW_JID_CONTACT },
    NAME,
    REFERENCE,
    REMARKS,
    { .name = "metadata", .type = EZW_FIELD_MAP, .flags = EZW_NULLABLE,
      .max = 50 },
    READONLY
};


static const ezw_field_t  update[] = {
    { .name = "metadata", .type = EZW_FIELD_MAP, .flags = EZW_NULLABLE,
      .max = 50 },
    NAME,
    REFERENCE,
    REMARKS,
    { .name = "jid", .type = EZW_FIELD_READONLY },
    READONLY
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "contact_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/contacts",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "contact_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/contacts",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "contact_get",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/contacts/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "contact_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/channels/{channelJid}/contacts/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },

    { .name = "contact_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/channels/{channelJid}/contacts/{contactJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_SINGLE },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_contacts =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

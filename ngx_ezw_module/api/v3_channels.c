/* Channels. */

#include "api/ngx_ezw_api.h"


/* The connectors that this build serves. */
static const char *const  connectors[] = { "sandbox", NULL };


#define PRIORITY   { .name = "priority", .type = EZW_FIELD_INTEGER,           \
                     .flags = EZW_NULLABLE,                                   \
                     .min = -2147483647, .max = 2147483647 }
#define RETENTION(f)                                                          \
                   { .name = "dataRetentionInDays", .flags = f,               \
                     .type = EZW_FIELD_INTEGER, .min = 1, .max = 3650 }
#define CATALOG(f)                                                            \
                   { .name = "catalogId", .type = EZW_FIELD_STRING,           \
                     .flags = EZW_NULLABLE|f, .min = 1, .max = 64 }
#define ASSISTANT(f)                                                          \
                   { .name = "defaultAssistant", .type = EZW_FIELD_JID,       \
                     .flags = EZW_NULLABLE|f, .min = EZW_JID_OTHER }


static const ezw_field_t  create[] = {
    { .name = "jid", .type = EZW_FIELD_JID, .flags = EZW_REQUIRED,
      .min = EZW_JID_CHANNEL },
    { .name = "name", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 255 },
    { .name = "connector", .type = EZW_FIELD_ENUM, .values = connectors },
    { .name = "companyId", .type = EZW_FIELD_UUID },
    PRIORITY,
    RETENTION(0),
    CATALOG(0),
    ASSISTANT(0)
};


static const ezw_field_t  update[] = {
    { .name = "name", .type = EZW_FIELD_STRING, .min = 1, .max = 255 },
    PRIORITY,
    RETENTION(EZW_OWNER),
    CATALOG(EZW_OWNER),
    ASSISTANT(EZW_OWNER),
    { .name = "jid", .type = EZW_FIELD_READONLY },
    { .name = "connector", .type = EZW_FIELD_READONLY }
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "channel_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "channel_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels",
      .scope = EZW_SCOPE_OWNER,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "channel_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/channels/{channelJid}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },

    { .name = "channel_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/channels/{channelJid}",
      .scope = EZW_SCOPE_OWNER,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_WRITE },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_channels =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

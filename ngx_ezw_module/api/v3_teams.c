/* Teams: agents that conversations may be given to together, and the channels
 * that a team is for. */

#include "api/ngx_ezw_api.h"


#define FIELDS                                                                \
    { .name = "color", .type = EZW_FIELD_INTEGER, .min = 0, .max = 20 },      \
    { .name = "metadata", .type = EZW_FIELD_MAP, .flags = EZW_NULLABLE,       \
      .max = 50 },                                                            \
    { .name = "reference", .type = EZW_FIELD_STRING,                          \
      .flags = EZW_NULLABLE, .max = 255 },                                    \
    { .name = "channels", .type = EZW_FIELD_READONLY },                       \
    { .name = "jid", .type = EZW_FIELD_READONLY }


static const ezw_field_t  create[] = {
    { .name = "name", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 255 },
    FIELDS
};


static const ezw_field_t  update[] = {
    { .name = "name", .type = EZW_FIELD_STRING, .min = 1, .max = 255 },
    FIELDS
};


static const ezw_field_t  channels[] = {
    { .name = "channels", .type = EZW_FIELD_JIDS, .flags = EZW_REQUIRED,
      .min = EZW_JID_CHANNEL, .max = 1000 },
    { .name = "color", .type = EZW_FIELD_READONLY },
    { .name = "jid", .type = EZW_FIELD_READONLY },
    { .name = "metadata", .type = EZW_FIELD_READONLY },
    { .name = "name", .type = EZW_FIELD_READONLY },
    { .name = "reference", .type = EZW_FIELD_READONLY },
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "team_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/companies/{companyId}/teams",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "team_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/companies/{companyId}/teams",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "team_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/companies/{companyId}/teams/{jid}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },

    { .name = "team_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/companies/{companyId}/teams/{jid}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_SINGLE },

    { .name = "team_channels_update",
      .method = NGX_HTTP_PUT,
      .path = "/v3/companies/{companyId}/teams/{jid}/channels",
      .scope = EZW_SCOPE_COMPANY,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(channels) },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_teams =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

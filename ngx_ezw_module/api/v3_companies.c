/* Companies. */

#include "api/ngx_ezw_api.h"


static const char *const  statuses[] = { "ACTIVE", "BLOCKED", NULL };


#define SETTINGS                                                              \
    { .name = "timezone", .type = EZW_FIELD_STRING, .min = 1, .max = 64 },    \
    { .name = "dataRetentionInDays", .type = EZW_FIELD_INTEGER,               \
      .min = 1, .max = 3650 },                                                \
    { .name = "operatorsSeeAll", .type = EZW_FIELD_BOOLEAN },                 \
    { .name = "id", .type = EZW_FIELD_READONLY }


static const ezw_field_t  create[] = {
    { .name = "name", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 255 },
    SETTINGS,
    { .name = "status", .type = EZW_FIELD_READONLY }
};


static const ezw_field_t  update[] = {
    { .name = "name", .type = EZW_FIELD_STRING, .min = 1, .max = 255 },
    SETTINGS,
    { .name = "status", .type = EZW_FIELD_ENUM, .values = statuses }
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "company_current",
      .method = NGX_HTTP_GET,
      .path = "/v3/companies/current",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "company_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/companies",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "company_get",
      .method = NGX_HTTP_GET,
      .path = "/v3/companies/{companyId}",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "company_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/companies",
      .scope = EZW_SCOPE_OWNER,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "company_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/companies/{companyId}",
      .scope = EZW_SCOPE_OWNER,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_companies =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

/* Labels. */

#include "api/ngx_ezw_api.h"


#define FIELDS                                                                \
    { .name = "color", .type = EZW_FIELD_INTEGER, .min = 0, .max = 20 },      \
    { .name = "description", .type = EZW_FIELD_STRING,                        \
      .flags = EZW_NULLABLE, .max = 1024 },                                   \
    { .name = "priority", .type = EZW_FIELD_INTEGER, .flags = EZW_NULLABLE,   \
      .min = -2147483647, .max = 2147483647 },                                \
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


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "label_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/companies/{companyId}/labels",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "label_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/companies/{companyId}/labels",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "label_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/companies/{companyId}/labels/{jid}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },

    { .name = "label_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/companies/{companyId}/labels/{jid}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_SINGLE },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_labels =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

/* Assistants: programs that conversations may be assigned to.  The lane of its
 * own: one that is disabled or deleted hands over its conversations. */

#include "api/ngx_ezw_api.h"


#define FIELDS                                                                \
    { .name = "color", .type = EZW_FIELD_INTEGER, .min = 0, .max = 20 },      \
    { .name = "description", .type = EZW_FIELD_STRING,                        \
      .flags = EZW_NULLABLE, .max = 1024 },                                   \
    { .name = "enabled", .type = EZW_FIELD_BOOLEAN },                         \
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

    { .name = "assistant_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/companies/{companyId}/assistants",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "assistant_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/companies/{companyId}/assistants",
      .scope = EZW_SCOPE_COMPANY,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(create) },

    { .name = "assistant_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/companies/{companyId}/assistants/{jid}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_SINGLE,
      .bell = 1,
      ngx_ezw_body(update) },

    { .name = "assistant_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/companies/{companyId}/assistants/{jid}",
      .scope = EZW_SCOPE_COMPANY,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_SINGLE,
      .bell = 1 },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_assistants =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

/* Companies. */

#include "api/ngx_ezw_api.h"


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
};


const ngx_ezw_api_table_t  ngx_ezw_v3_companies =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

/* Agents: the active members of a company.  People are invited and managed in
 * the workspace; here their teams are set. */

#include "api/ngx_ezw_api.h"


static const ezw_field_t  teams[] = {
    { .name = "teams", .type = EZW_FIELD_JIDS, .flags = EZW_REQUIRED,
      .min = EZW_JID_OTHER, .max = 1000 },
    { .name = "email", .type = EZW_FIELD_READONLY },
    { .name = "jid", .type = EZW_FIELD_READONLY },
    { .name = "name", .type = EZW_FIELD_READONLY },
    { .name = "roles", .type = EZW_FIELD_READONLY },
    { .name = "status", .type = EZW_FIELD_READONLY },
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "agent_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/companies/{companyId}/agents",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "agent_get",
      .method = NGX_HTTP_GET,
      .path = "/v3/companies/{companyId}/agents/{email}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "agent_teams_update",
      .method = NGX_HTTP_PUT,
      .path = "/v3/companies/{companyId}/agents/{email}/teams",
      .scope = EZW_SCOPE_COMPANY,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(teams) },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_agents =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

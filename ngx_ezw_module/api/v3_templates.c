/* Message templates of a channel. */

#include "api/ngx_ezw_api.h"


/* Meta's, and those that it has had: they are kept as the caller says them. */
static const char *const  categories[] = {
    "MARKETING", "UTILITY", "AUTHENTICATION", "TRANSACTIONAL", "OTP",
    "ACCOUNT_UPDATE", "ALERT_UPDATE", "APPOINTMENT_UPDATE", "AUTO_REPLY",
    "ISSUE_RESOLUTION", "PAYMENT_UPDATE", "PERSONAL_FINANCE_UPDATE",
    "RESERVATION_UPDATE", "SHIPPING_UPDATE", "TICKET_UPDATE",
    "TRANSPORTATION_UPDATE", NULL
};


static const ezw_field_t  create[] = {
    { .name = "category", .type = EZW_FIELD_ENUM, .flags = EZW_REQUIRED,
      .values = categories },
    { .name = "components", .type = EZW_FIELD_COMPONENTS,
      .flags = EZW_REQUIRED, .max = 32768 },
    { .name = "language", .type = EZW_FIELD_LANGUAGE, .flags = EZW_REQUIRED },
    { .name = "name", .type = EZW_FIELD_TEMPLATE_NAME,
      .flags = EZW_REQUIRED }
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "template_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/templates",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 201,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_WRITE,
      .bell = 1,
      ngx_ezw_body(create) },

    { .name = "template_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/templates",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "template_delete",
      .method = NGX_HTTP_DELETE,
      .path = "/v3/channels/{channelJid}/templates/{name}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_WRITE },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_templates =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

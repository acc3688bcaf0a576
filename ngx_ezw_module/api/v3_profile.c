/* The WhatsApp Business profile of a channel. */

#include "api/ngx_ezw_api.h"


static const char *const  verticals[] = {
    "UNDEFINED", "OTHER", "AUTO", "BEAUTY", "APPAREL", "EDU", "ENTERTAIN",
    "EVENT_PLAN", "FINANCE", "GROCERY", "GOVT", "HOTEL", "HEALTH",
    "NONPROFIT", "PROF_SERVICES", "RETAIL", "TRAVEL", "RESTAURANT",
    "ALCOHOL", "ONLINE_GAMBLING", "PHYSICAL_GAMBLING", "OTC_DRUGS",
    "MATRIMONY_SERVICE", "NOT_A_BIZ", NULL
};


static const ezw_field_t  website[] = {
    { .type = EZW_FIELD_STRING, .min = 1, .max = 256 }
};


static const ezw_field_t  business[] = {
    { .name = "address", .type = EZW_FIELD_STRING, .flags = EZW_NULLABLE,
      .max = 256 },
    { .name = "description", .type = EZW_FIELD_STRING, .flags = EZW_NULLABLE,
      .max = 512 },
    { .name = "email", .type = EZW_FIELD_EMAIL,
      .flags = EZW_NULLABLE|EZW_AS_WRITTEN, .max = 128 },
    { .name = "vertical", .type = EZW_FIELD_ENUM, .flags = EZW_NULLABLE,
      .values = verticals },
    { .name = "websites", .type = EZW_FIELD_STRINGS, .flags = EZW_NULLABLE,
      .max = 2, ezw_fields(website) }
};


/* Of POST and PATCH both: what is absent, the statement tells. */
static const ezw_field_t  profile[] = {
    { .name = "about", .type = EZW_FIELD_STRING, .flags = EZW_NULLABLE,
      .min = 1, .max = 139 },
    { .name = "businessProfile", .type = EZW_FIELD_OBJECT,
      .flags = EZW_NULLABLE, ezw_fields(business) },
    { .name = "pictureUrl", .type = EZW_FIELD_STRING, .flags = EZW_NULLABLE,
      .min = 1, .max = 2048 },
    { .name = "name", .type = EZW_FIELD_READONLY },
    { .name = "phoneNumber", .type = EZW_FIELD_READONLY }
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "profile_get",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/profile",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "profile_replace",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/profile",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(profile) },

    { .name = "profile_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/channels/{channelJid}/profile",
      .scope = EZW_SCOPE_CHANNEL,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(profile) },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_profile =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

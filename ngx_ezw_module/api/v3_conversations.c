/* Conversations: one for each contact of a channel, from its first message. */

#include "api/ngx_ezw_api.h"


static const char *const  statuses[] = { "OPEN", "CLOSED", NULL };


static const ezw_field_t  update[] = {
    { .name = "assignee", .type = EZW_FIELD_ASSIGNEE, .flags = EZW_NULLABLE },
    { .name = "labels", .type = EZW_FIELD_JIDS, .min = EZW_JID_OTHER,
      .max = 100 },
    { .name = "status", .type = EZW_FIELD_ENUM, .values = statuses },
    { .name = "team", .type = EZW_FIELD_REF, .flags = EZW_NULLABLE,
      .min = EZW_JID_OTHER },
    { .name = "unreadCount", .type = EZW_FIELD_INTEGER, .flags = EZW_NULLABLE,
      .min = 0, .max = 0 },
    { .name = "channel", .type = EZW_FIELD_READONLY },
    { .name = "contact", .type = EZW_FIELD_READONLY },
    { .name = "createdAt", .type = EZW_FIELD_READONLY },
    { .name = "id", .type = EZW_FIELD_READONLY },
    { .name = "lastMessageReceivedAt", .type = EZW_FIELD_READONLY },
    { .name = "lastMessageSentAt", .type = EZW_FIELD_READONLY },
    { .name = "messagesReceived", .type = EZW_FIELD_READONLY },
    { .name = "messagesSent", .type = EZW_FIELD_READONLY },
};


static const ezw_field_t  comment[] = {
    { .name = "body", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 4096 },
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "conversation_list",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/conversations",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_LIST },

    { .name = "conversation_get",
      .method = NGX_HTTP_GET,
      .path = "/v3/channels/{channelJid}/conversations/{contactJid}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "conversation_update",
      .method = NGX_HTTP_PATCH,
      .path = "/v3/channels/{channelJid}/conversations/{contactJid}",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(update) },

    { .name = "comment_create",
      .method = NGX_HTTP_POST,
      .path = "/v3/channels/{channelJid}/conversations/{contactJid}/comments",
      .scope = EZW_SCOPE_ASSISTANT,
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_WRITE,
      ngx_ezw_body(comment) },
};


const ngx_ezw_api_table_t  ngx_ezw_v3_conversations =
    { NGX_EZW_FACE_V3, ngx_ezw_rows(rows) };

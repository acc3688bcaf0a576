/*
 * What a statement's parameter stands for: found out by ngx_ezw_bind.c while
 * the configuration is read, its value made by ngx_ezw_value.c for each
 * request.  Included by these two only.
 */

#ifndef NGX_EZW_BIND_H
#define NGX_EZW_BIND_H

#include "req/ngx_ezw_request.h"


typedef enum {
    SOURCE_COMPANY,
    SOURCE_KEY_ID,
    SOURCE_KEY_COMPANY,
    SOURCE_KEY_SCOPE,
    SOURCE_KEY_CHANNELS,
    SOURCE_KEY_COMPANIES,
    SOURCE_KEY_ASSISTANT,
    SOURCE_KEY_ACTOR,
    SOURCE_TRACE,
    SOURCE_ADDRESS,
    SOURCE_MESSAGE_ID,
    SOURCE_PATH,
    SOURCE_BODY,
    SOURCE_HAS_BODY,
    SOURCE_QUERY,
    SOURCE_HAS_QUERY,
    SOURCE_ID,
    SOURCE_AGENT,
    SOURCE_USER_ID,
    SOURCE_USER_EMAIL,
    SOURCE_USER_ROLE,
    SOURCE_SESSION_ID,
    SOURCE_TOKEN_EXPIRES,
    SOURCE_SECRET_HASH,
    SOURCE_SECRET_PREFIX,
    SOURCE_SECRET_SEALED,
    SOURCE_HASH,
    SOURCE_PASSWORD_HASH,
    SOURCE_SEALED,
    SOURCE_FINGERPRINT,
    SOURCE_LOOKED,
    SOURCE_ONCE_COMPANY,
    SOURCE_ONCE_METHOD,
    SOURCE_ONCE_ROUTE,
    SOURCE_ONCE_CHANNEL,
    SOURCE_ONCE_KEY,
    SOURCE_ONCE_FINGERPRINT,
    SOURCE_ONCE_ATTEMPT,
    SOURCE_ONCE_KEPT,
    SOURCE_ONCE_CONTACT,
    SOURCE_JID_SUFFIX,
    SOURCE_PAGE_LIMIT,
    SOURCE_PAGE_COUNT,
    SOURCE_AFTER
} ngx_ezw_source_e;


/* The path's parameter "id", -1: it has none. */
int ngx_ezw_bind_path_id(ngx_ezw_endpoint_t *ep);

#endif

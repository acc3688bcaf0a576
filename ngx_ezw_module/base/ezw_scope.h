/* API-key scopes, each including those before it (DECISIONS 5). */

#ifndef EZW_SCOPE_H
#define EZW_SCOPE_H

#include "ezw_str.h"

typedef enum {
    EZW_SCOPE_NONE = 0,
    EZW_SCOPE_CHANNEL,
    EZW_SCOPE_ASSISTANT,
    EZW_SCOPE_COMPANY,
    EZW_SCOPE_OWNER
} ezw_scope_e;

/* "channel" or "CHANNEL" (any case) to the scope; EZW_SCOPE_NONE: unknown. */
ezw_scope_e ezw_scope_parse(const ezw_str_t *name);

/* "CHANNEL" ..; "" for EZW_SCOPE_NONE. */
const char *ezw_scope_name(ezw_scope_e scope);

#endif

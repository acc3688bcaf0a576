/* Names of the API-key scopes; the enum's order is their hierarchy. */

#include <strings.h>

#include "ezw_scope.h"


static const char *const  names[] = {
    "", "CHANNEL", "ASSISTANT", "COMPANY", "OWNER"
};


/* The scope of a name in any case, EZW_SCOPE_NONE: unknown. */
ezw_scope_e
ezw_scope_parse(const ezw_str_t *name)
{
    unsigned  i;

    for (i = EZW_SCOPE_CHANNEL; i <= EZW_SCOPE_OWNER; i++) {
        if (strlen(names[i]) == name->len
            && strncasecmp(names[i], (char *) name->data, name->len) == 0)
        {
            return (ezw_scope_e) i;
        }
    }

    return EZW_SCOPE_NONE;
}


/* The name in upper case, "" for what is no scope. */
const char *
ezw_scope_name(ezw_scope_e scope)
{
    if ((unsigned) scope > EZW_SCOPE_OWNER) {
        return "";
    }

    return names[scope];
}

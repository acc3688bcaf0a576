/*
 * Messages with contacts: Meta's contacts object (WHATSAPP 2), its names in the
 * document's spelling; Meta's own are read too.
 */

#include "ezw_message_rule.h"
#include "ezw_time.h"


#define MAX_CONTACTS  5
#define MAX_LIST      20        /* phones, e-mails .. of one */
#define MAX_TEXT      255       /* characters */
#define MAX_LINK      2048


static int check_birthday(ezw_message_walk_t *walk, const json_t *v);


#define TEXT(n)       { .name = n, .max = MAX_TEXT }
#define ALIASED(n, a) { .name = n, .max = MAX_TEXT, .alias = a }

#define LIST(n, r)                                                            \
    { .name = n, .type = EZW_RULE_OBJECTS, .max = MAX_LIST, .rules = r }


static const ezw_message_rule_t  address[] = {
    TEXT("city"),
    TEXT("country"),
    ALIASED("countryCode", "country_code"),
    TEXT("state"),
    TEXT("street"),
    TEXT("type"),
    TEXT("zip"),
    { NULL }
};

static const ezw_message_rule_t  email[] = {
    { .name = "email", .flags = EZW_RULE_REQUIRED, .min = 1, .max = MAX_TEXT },
    TEXT("type"),
    { NULL }
};

static const ezw_message_rule_t  name[] = {
    ALIASED("firstName", "first_name"),
    { .name = "formattedName", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_TEXT, .alias = "formatted_name" },
    ALIASED("lastName", "last_name"),
    ALIASED("middleName", "middle_name"),
    TEXT("prefix"),
    TEXT("suffix"),
    { NULL }
};

static const ezw_message_rule_t  organization[] = {
    TEXT("company"),
    TEXT("department"),
    TEXT("title"),
    { NULL }
};

static const ezw_message_rule_t  phone[] = {
    { .name = "phone", .flags = EZW_RULE_REQUIRED, .min = 1, .max = MAX_TEXT },
    TEXT("type"),
    ALIASED("waId", "wa_id"),
    { NULL }
};

static const ezw_message_rule_t  url[] = {
    TEXT("type"),
    { .name = "url", .flags = EZW_RULE_REQUIRED, .min = 1, .max = MAX_LINK },
    { NULL }
};

static const ezw_message_rule_t  contact[] = {
    LIST("addresses", address),
    { .name = "birthday", .check = check_birthday },
    LIST("emails", email),
    { .name = "name", .type = EZW_RULE_OBJECT, .flags = EZW_RULE_REQUIRED,
      .rules = name, .text = "formattedName" },
    { .name = "org", .type = EZW_RULE_OBJECT, .rules = organization },
    LIST("phones", phone),
    LIST("urls", url),
    { NULL }
};

const ezw_message_rule_t  ezw_message_contact[] = {
    { .name = "contacts", .type = EZW_RULE_OBJECTS, .flags = EZW_RULE_REQUIRED,
      .min = 1, .max = MAX_CONTACTS, .rules = contact },
    EZW_MESSAGE_CONTEXT,
    EZW_MESSAGE_CHOSEN,
    { NULL }
};


/* A day, "2000-02-29". */
static int
check_birthday(ezw_message_walk_t *walk, const json_t *v)
{
    size_t         len;
    int64_t        us;
    ezw_str_t      s;
    unsigned char  text[] = "0000-00-00T00:00:00Z";

    len = json_string_length(v);
    s.data = text;
    s.len = sizeof(text) - 1;

    if (len == 10) {
        memcpy(text, json_string_value(v), len);
    }

    if (len != 10 || ezw_time_parse(&s, &us) != EZW_OK) {
        return ezw_message_refuse(walk, VALIDATION,
                                  "must be a date, as 2000-02-29");
    }

    return EZW_OK;
}

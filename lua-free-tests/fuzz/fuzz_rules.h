/* A set of rules with every type, and a conf, for the targets that check. */

#ifndef EZW_FUZZ_RULES_H
#define EZW_FUZZ_RULES_H

#include <jansson.h>

#include "support.h"
#include "ezw_fields.h"
#include "ezw_utf8.h"

#define VALUES  48


static const ezw_str_t       custom[] = { ezw_string("my-chat") };
static const ezw_jid_conf_t  jids = { ezw_string("eazy.im"), custom, 1 };


/* Every value is UTF-8 and ended by NUL, every refusal says something. */
static void UNUSED
check_values(const ezw_value_t *values, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (values[i].data == NULL) {
            CHECK(values[i].len == 0);
            continue;
        }

        CHECK(values[i].present);
        CHECK(values[i].data[values[i].len] == '\0');
        CHECK(ezw_utf8_length((const unsigned char *) values[i].data,
                              values[i].len)
              >= 0);
    }
}


static void UNUSED
check_why(const ezw_invalid_t *why)
{
    CHECK(why->code == 1005 || why->code == 1008);
    CHECK(why->text[0] != '\0' && strlen(why->text) < sizeof(why->text));
    CHECK(ezw_utf8_length((const unsigned char *) why->text,
                          strlen(why->text))
          >= 0);
    CHECK(ezw_utf8_length((const unsigned char *) why->field,
                          strlen(why->field))
          >= 0);
}


/* The value is JSON. */
static void UNUSED
check_json(const ezw_value_t *value)
{
    json_t  *v;

    if (value->data != NULL) {
        v = json_loadb(value->data, value->len,
                       JSON_REJECT_DUPLICATES|JSON_DECODE_ANY, NULL);
        CHECK(v != NULL);
        json_decref(v);
    }
}

#endif

/* Query strings. */

#include "fuzz_rules.h"


static const char *const  orders[] = { "asc", "desc", NULL };

static const ezw_field_t  rules[] = {
    { "limit",  EZW_FIELD_INTEGER,  0, 1, 1000, NULL },
    { "n",      EZW_FIELD_INTEGER,  0, INT64_MIN, INT64_MAX, NULL },
    { "cursor", EZW_FIELD_STRING,   0, 1, 64, NULL },
    { "all",    EZW_FIELD_BOOLEAN,  0, 0, 0, NULL },
    { "order",  EZW_FIELD_ENUM,     0, 0, 0, orders },
    { "jid",    EZW_FIELD_JID,      0, 0, 0, NULL },
    { "id",     EZW_FIELD_READONLY, 0, 0, 0, NULL }
};

#define N  (sizeof(rules) / sizeof(rules[0]))


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                rc, strict;
    char               text[32];
    arena_t            arena;
    ezw_str_t          query;
    ezw_value_t        values[VALUES];
    ezw_invalid_t      why;
    ezw_fields_conf_t  conf;

    conf.jids = &jids;
    conf.alloc = &arena.alloc;

    for (strict = 0; strict < 2; strict++) {
        conf.strict = strict;
        query = tight(data, size);
        arena_init(&arena, -1);

        rc = ezw_fields_query(&conf, rules, N, &query, values, &why);
        free(query.data);

        if (rc == EZW_OK) {
            check_values(values, 6);

            if (values[1].data != NULL && strcmp(values[1].data, "-0") != 0) {
                snprintf(text, sizeof(text), "%lld",
                         strtoll(values[1].data, NULL, 10));
                CHECK(strcmp(text, values[1].data) == 0);
            }

        } else {
            CHECK(rc == EZW_INVALID);
            check_why(&why);
        }

        arena_free(&arena);
    }

    return 0;
}

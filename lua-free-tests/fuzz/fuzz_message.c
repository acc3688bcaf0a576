/* Messages: the normal form of a normal form is itself. */

#include "fuzz_rules.h"
#include "ezw_message.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                rc;
    json_t            *v, *body;
    arena_t            arena;
    ezw_value_t        out[EZW_MESSAGE_PARTS], again[EZW_MESSAGE_PARTS];
    ezw_invalid_t      why;
    ezw_fields_conf_t  conf;

    if (size == 0) {
        return 0;
    }

    v = json_loadb((const char *) data + 1, size - 1, JSON_ALLOW_NUL, NULL);

    if (!json_is_object(v)) {
        json_decref(v);
        return 0;
    }

    arena_init(&arena, -1);
    conf.jids = &jids;
    conf.alloc = &arena.alloc;
    conf.strict = data[0] & 1;

    memset(out, 0, sizeof(out));
    memset(again, 0, sizeof(again));
    memset(&conf.domain, 0, sizeof(conf.domain));

    rc = ezw_message_check(&conf, v, NULL, data[0] & 2 ? "message" : "", out,
                           &why);
    json_decref(v);

    if (rc == EZW_OK) {
        CHECK(out[0].data[out[0].len] == '\0');

        v = json_loadb(out[0].data, out[0].len, JSON_REJECT_DUPLICATES,
                       NULL);
        CHECK(v != NULL);

        body = json_object_get(v, "body");
        CHECK(json_string_length(body) > 0);
        CHECK(strcmp(json_string_value(json_object_get(v, "type")), "text")
              == 0);

        conf.strict = 1;
        CHECK(ezw_message_check(&conf, v, NULL, "", again, &why) == EZW_OK);
        CHECK(again[0].len == out[0].len);
        CHECK(memcmp(again[0].data, out[0].data, out[0].len) == 0);
        json_decref(v);

    } else {
        CHECK(rc == EZW_INVALID);
        check_why(&why);
    }

    arena_free(&arena);

    return 0;
}

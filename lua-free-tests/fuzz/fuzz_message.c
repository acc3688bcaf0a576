/* Messages of every type: the normal form of a normal form is itself, strict or
 * not, on every channel that takes it at all. */

#include "fuzz_rules.h"
#include "ezw_message.h"


static void
check_part(const ezw_value_t *part)
{
    if (part->data != NULL) {
        CHECK(part->data[part->len] == '\0');
        CHECK(ezw_utf8_length((const unsigned char *) part->data, part->len)
              > 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                rc;
    json_t            *v, *media;
    unsigned           i;
    arena_t            arena;
    const char        *type;
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
    memset(&conf, 0, sizeof(conf));
    conf.jids = &jids;
    conf.alloc = &arena.alloc;
    conf.strict = data[0] & 1;

    if (data[0] & 4) {
        conf.domain = str("whatsapp");
    }

    memset(out, 0, sizeof(out));
    memset(again, 0, sizeof(again));

    media = json_object_get(v, "beside");
    rc = ezw_message_check(&conf, v, media, data[0] & 2 ? "message" : "", out,
                           &why);
    json_decref(v);

    if (rc == EZW_OK) {

        for (i = 0; i < EZW_MESSAGE_PARTS; i++) {
            check_part(&out[i]);
        }

        v = json_loadb(out[0].data, out[0].len, JSON_REJECT_DUPLICATES, NULL);
        CHECK(v != NULL);

        type = json_string_value(json_object_get(v, "type"));
        CHECK(strcmp(type, out[EZW_MESSAGE_TYPE].data) == 0);
        CHECK((strcmp(type, "template") == 0)
              == (out[EZW_MESSAGE_TEMPLATE_NAME].data != NULL
                  && out[EZW_MESSAGE_TEMPLATE_LANGUAGE].data != NULL
                  && out[EZW_MESSAGE_TEMPLATE_PARAMETERS].data != NULL));
        check_json(&out[EZW_MESSAGE_TEMPLATE_PARAMETERS]);

        conf.strict = 1;
        CHECK(ezw_message_check(&conf, v, NULL, "", again, &why) == EZW_OK);

        for (i = 0; i < EZW_MESSAGE_PARTS; i++) {
            CHECK(again[i].len == out[i].len);
            CHECK((again[i].data == NULL) == (out[i].data == NULL));
            CHECK(out[i].data == NULL
                  || memcmp(again[i].data, out[i].data, out[i].len) == 0);
        }

        json_decref(v);

    } else {
        CHECK(rc == EZW_INVALID);
        check_why(&why);
    }

    arena_free(&arena);

    return 0;
}

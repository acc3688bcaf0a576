/* Templates: what is taken is as it came, is taken again with the same
 * outcome, and tells as many parameters as there are buttons. */

#include "fuzz_rules.h"
#include "ezw_template.h"


static const ezw_field_t  components[] = {
    { .name = "components", .type = EZW_FIELD_COMPONENTS, .max = 4096 }
};


/* What a send has to give is numbers within their limits. */
static void
check_parameters(const ezw_value_t *value)
{
    size_t    i;
    json_t   *v, *list, *n;

    v = json_loadb(value->data, value->len, JSON_REJECT_DUPLICATES, NULL);
    CHECK(json_object_size(v) == 5);

    n = json_object_get(v, "header");
    CHECK(json_is_integer(n) && json_integer_value(n) >= 0
          && json_integer_value(n) <= 1);
    n = json_object_get(v, "body");
    CHECK(json_is_integer(n) && json_integer_value(n) >= 0
          && json_integer_value(n) <= 1024 / 5);

    list = json_object_get(v, "buttons");
    CHECK(json_is_array(list) && json_array_size(list) <= 10);
    CHECK(json_array_size(json_object_get(v, "types"))
          == json_array_size(list));

    for (i = 0; i < json_array_size(list); i++) {
        n = json_array_get(list, i);
        CHECK(json_is_null(n)
              || (json_is_integer(n) && json_integer_value(n) >= 0
                  && json_integer_value(n) <= 1));
    }

    json_decref(v);
}


/* 1 when both are the same: 1.0 may leave as 1. */
static int
is_same(json_t *a, json_t *b)
{
    size_t       i;
    json_t      *v;
    const char  *key;

    if (json_is_number(a) && json_is_number(b)) {
        return json_number_value(a) == json_number_value(b);
    }

    if (json_is_array(a) && json_is_array(b)) {

        for (i = 0; i < json_array_size(a); i++) {
            if (!is_same(json_array_get(a, i), json_array_get(b, i))) {
                return 0;
            }
        }

        return json_array_size(a) == json_array_size(b);
    }

    if (json_is_object(a) && json_is_object(b)) {

        json_object_foreach(a, key, v) {
            if (!is_same(v, json_object_get(b, key))) {
                return 0;
            }
        }

        return json_object_size(a) == json_object_size(b);
    }

    return json_equal(a, b);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                rc;
    json_t            *v, *body, *stored;
    arena_t            arena;
    ezw_value_t        values[2], again[2];
    ezw_invalid_t      why;
    ezw_fields_conf_t  conf;

    if (size == 0) {
        return 0;
    }

    ezw_template_is_name((const char *) data, size);
    ezw_template_is_language((const char *) data, size);

    v = json_loadb((const char *) data + 1, size - 1,
                   JSON_ALLOW_NUL|JSON_REJECT_DUPLICATES, NULL);

    if (v == NULL) {
        return 0;
    }

    body = json_pack("{s:o}", "components", v);

    arena_init(&arena, -1);
    conf.jids = &jids;
    conf.alloc = &arena.alloc;
    conf.strict = data[0] & 1;
    conf.owner = 0;

    rc = ezw_fields_check(&conf, components, 1, body, values, &why);

    if (rc == EZW_OK) {
        check_values(values, 2);
        check_parameters(&values[1]);
        CHECK(values[0].len <= 4096);

        stored = json_loadb(values[0].data, values[0].len,
                            JSON_REJECT_DUPLICATES, NULL);
        CHECK(stored != NULL && is_same(v, stored));

        json_object_set_new(body, "components", stored);

        CHECK(ezw_fields_check(&conf, components, 1, body, again, &why)
              == EZW_OK);
        CHECK(again[0].len == values[0].len
              && memcmp(again[0].data, values[0].data, again[0].len) == 0);
        CHECK(again[1].len == values[1].len
              && memcmp(again[1].data, values[1].data, again[1].len) == 0);

    } else if (!json_is_null(v)) {
        CHECK(rc == EZW_INVALID);
        check_why(&why);
    }

    arena_free(&arena);
    json_decref(body);

    return 0;
}

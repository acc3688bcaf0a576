/* What the tests of ezw_fields share: a conf, values, and what becomes of
 * {"x": value} by one rule. */

#ifndef EZW_TEST_FIELDS_H
#define EZW_TEST_FIELDS_H

#include <jansson.h>

#include "cm.h"
#include "ezw_fields.h"

#define TEST(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)


static arena_t            arena;
static ezw_invalid_t      why;
static ezw_fields_conf_t  conf;
static ezw_value_t        values[32];

static const ezw_str_t       custom[] = { ezw_string("my-chat") };
static const ezw_jid_conf_t  jids = { ezw_string("eazy.im"), custom, 1 };


static int UNUSED
setup(void **state)
{
    (void) state;

    arena_init(&arena, -1);
    conf.jids = &jids;
    conf.alloc = &arena.alloc;
    conf.urls = NULL;
    conf.strict = 0;

    return 0;
}


static int UNUSED
teardown(void **state)
{
    (void) state;

    arena_free(&arena);

    return 0;
}


/* Checks a body; what the values point to must not be the body. */
static int UNUSED
check_rules(const ezw_field_t *rules, unsigned n, const char *text)
{
    int      rc;
    json_t  *body;

    body = json_loads(text, JSON_ALLOW_NUL|JSON_REJECT_DUPLICATES, NULL);

    if (body == NULL) {
        fail_msg("%s", text);
    }

    memset(values, 0x55, sizeof(values));
    memset(&why, 0, sizeof(why));

    rc = ezw_fields_check(&conf, rules, n, body, values, &why);
    json_decref(body);

    return rc;
}

#define check(rules, text)                                                    \
    check_rules(rules, sizeof(rules) / sizeof(rules[0]), text)


static void UNUSED
assert_value_at(const ezw_value_t *v, const char *text)
{
    assert_int_equal(v->present, 1);

    if (text == NULL) {
        assert_null(v->data);
        assert_int_equal(v->len, 0);
        return;
    }

    assert_non_null(v->data);
    assert_string_equal(v->data, text);
    assert_int_equal(v->len, strlen(text));
}


/* One rule, named "x": the value that {"x": text} leaves. */
static void UNUSED
assert_value(const ezw_field_t *rule, const char *text, const char *expected)
{
    char  *body;

    body = malloc(strlen(text) + 16);
    sprintf(body, "{\"x\":%s}", text);

    if (check_rules(rule, 1, body) != EZW_OK) {
        fail_msg("%s: %s", body, why.text);
    }

    free(body);
    assert_value_at(&values[0], expected);
}


static void UNUSED
assert_refused_as(const ezw_field_t *rule, const char *text,
    const char *field, const char *what)
{
    char  *body;

    body = malloc(strlen(text) + 16);
    sprintf(body, "{\"x\":%s}", text);

    if (check_rules(rule, 1, body) != EZW_INVALID) {
        fail_msg("%s was taken", body);
    }

    free(body);
    assert_int_equal(why.code, 1005);
    assert_string_equal(why.text, what);
    assert_string_equal(why.field, field);
}


static void UNUSED
assert_refused(const ezw_field_t *rule, const char *text, const char *what)
{
    assert_refused_as(rule, text, "x", what);
}

#endif

/* Fields that are any JSON, and strings of some characters only. */

#include "support.h"
#include "fields.h"


static void
test_json(void **state)
{
    ezw_field_t  rule = { "x", EZW_FIELD_JSON, EZW_REQUIRED, 0, 0, NULL };

    (void) state;

    assert_value(&rule, "0", "0");
    assert_value(&rule, "-9223372036854775808", "-9223372036854775808");
    assert_value(&rule, "0.5", "0.5");
    assert_value(&rule, "true", "true");
    assert_value(&rule, "false", "false");
    assert_value(&rule, "\"\"", "\"\"");
    assert_value(&rule, "\"a\\\"\\u00e9\\n\"", "\"a\\\"\xc3\xa9\\n\"");
    assert_value(&rule, "[ ]", "[]");
    assert_value(&rule, "{ }", "{}");
    assert_value(&rule, "[ 1, [ null, {} ], \"a\" ]", "[1,[null,{}],\"a\"]");
    assert_value(&rule, "{\"z\" : 1, \"a\" : {\"\" : [true, false, null]}}",
                 "{\"z\":1,\"a\":{\"\":[true,false,null]}}");

    assert_refused(&rule, "\"\\u0000\"", "x must not contain \\u0000");
    assert_refused(&rule, "{\"a\":[0,\"b\\u0000\"]}",
                   "x must not contain \\u0000");
    assert_refused(&rule, "null", "x must not be null");

    rule.flags = EZW_NULLABLE;
    assert_value(&rule, "null", NULL);
}


static void
test_json_length(void **state)
{
    ezw_field_t  rule = { "x", EZW_FIELD_JSON, 0, 0, 8, NULL };

    (void) state;

    assert_value(&rule, "\"123456\"", "\"123456\"");
    assert_value(&rule, "[1,  2, [ ]]", "[1,2,[]]");
}


static void
test_json_too_long(void **state)
{
    ezw_field_t  rule = { "x", EZW_FIELD_JSON, 0, 0, 8, NULL };

    (void) state;

    assert_refused(&rule, "\"1234567\"",
                   "x is too long: at most 8 bytes of JSON");
    assert_refused(&rule, "[1,2,[3]]",
                   "x is too long: at most 8 bytes of JSON");
    assert_refused(&rule, "{\"a\":{\"b\":1}}",
                   "x is too long: at most 8 bytes of JSON");
    assert_refused(&rule, "[true,false,null,0.5,1,2,3]",
                   "x is too long: at most 8 bytes of JSON");
}


/* Whatever allocation fails, the check says so. */
static void
test_json_memory(void **state)
{
    int          rc, n;
    json_t      *body;
    ezw_field_t  rule = { "x", EZW_FIELD_JSON, 0, 0, 0, NULL };

    (void) state;

    body = json_pack("{s:[s,i,{s:n}]}", "x", "a long text, longer than 32 of "
                     "them, so that it grows once more", 5, "a");

    for (n = 0; ; n++) {
        arena_free(&arena);
        arena_init(&arena, n);

        rc = ezw_fields_check(&conf, &rule, 1, body, values, &why);

        if (rc == EZW_OK) {
            break;
        }

        assert_int_equal(rc, EZW_ERROR);
        assert_true(n < 10);
    }

    assert_true(n > 0);
    json_decref(body);
}


static void
test_chars(void **state)
{
    char         body[8], text[8];
    unsigned     c;
    ezw_field_t  rule = { .name = "x", .type = EZW_FIELD_STRING, .max = 5,
                          .chars = "a-c5_X-X-" };

    (void) state;

    assert_value(&rule, "\"\"", "");
    assert_value(&rule, "\"abc5_\"", "abc5_");
    assert_value(&rule, "\"X--\"", "X--");

    for (c = 0x21; c < 0x7f; c++) {

        if (c == '"' || c == '\\') {
            continue;
        }

        sprintf(body, "\"a%c\"", c);

        if (strchr("abc5_X-", (int) c) != NULL) {
            sprintf(text, "a%c", c);
            assert_value(&rule, body, text);
            continue;
        }

        assert_refused(&rule, body,
                       "x has a character that is not one of a-c5_X-X-");
    }

    assert_refused(&rule, "\"\\u00e9\"",
                   "x has a character that is not one of a-c5_X-X-");
    assert_refused(&rule, "\"abcabc\"",
                   "x is too long: at most 5 characters");
    assert_refused(&rule, "\" a\"",
                   "x has a character that is not one of a-c5_X-X-");
}


/* In a query too. */
static void
test_chars_query(void **state)
{
    ezw_str_t    good = ezw_string("x=abc"), bad = ezw_string("x=a%20b");
    ezw_field_t  rule = { .name = "x", .type = EZW_FIELD_STRING,
                          .chars = "a-z" };

    (void) state;

    assert_int_equal(ezw_fields_query(&conf, &rule, 1, &good, values, &why),
                     EZW_OK);
    assert_value_at(&values[0], "abc");
    assert_int_equal(ezw_fields_query(&conf, &rule, 1, &bad, values, &why),
                     EZW_INVALID);
    assert_string_equal(why.field, "x");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_json),
        TEST(test_json_length),
        TEST(test_json_too_long),
        TEST(test_json_memory),
        TEST(test_chars),
        TEST(test_chars_query)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

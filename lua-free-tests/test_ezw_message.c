/* ezw_message: the forms that real programs send, the limits, the refusals. */

#include <jansson.h>

#include "cm.h"
#include "ezw_message.h"

#define ID  "b48eaa2fab1e942cdec8b8717ec6bf3ed2dad05a"


static arena_t            arena;
static ezw_invalid_t      why;
static ezw_fields_conf_t  conf;
static ezw_value_t        parts[EZW_MESSAGE_PARTS];


static int
check_as(const char *text, const char *prefix, unsigned strict)
{
    int      rc;
    json_t  *v;

    v = json_loads(text, JSON_ALLOW_NUL, NULL);
    assert_non_null(v);

    conf.strict = strict;
    memset(parts, 0, sizeof(parts));
    rc = ezw_message_check(&conf, v, NULL, prefix, parts, &why);
    json_decref(v);

    return rc;
}


static void
assert_message(const char *text, const char *expected)
{
    if (check_as(text, "message", 0) != EZW_OK) {
        fail_msg("%s", why.text);
    }

    assert_str(parts[0], expected);
    assert_int_equal(parts[0].data[parts[0].len], '\0');
    assert_str(parts[1], "text");
}


static void
assert_refused(const char *text, const char *field, const char *what)
{
    assert_int_equal(check_as(text, "message", 0), EZW_INVALID);
    assert_int_equal(why.code, 1005);
    assert_string_equal(why.text, what);
    assert_string_equal(why.field, field);
}


static int
setup(void **state)
{
    (void) state;

    arena_init(&arena, -1);
    conf.alloc = &arena.alloc;

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    arena_free(&arena);

    return 0;
}


static void
test_text(void **state)
{
    (void) state;

    assert_message("{\"body\":\"Have a nice day!\",\"type\":\"text\"}",
                   "{\"body\":\"Have a nice day!\",\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"text\":\"alias\"}",
                   "{\"body\":\"alias\",\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"text\":\"b\",\"body\":\"a\"}",
                   "{\"body\":\"a\",\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"body\":\"a\",\"extra\":{\"x\":1}}",
                   "{\"body\":\"a\",\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"body\":\" \"}",
                   "{\"body\":\" \",\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"body\":\"\\\"\\\\\\n\\u0001\"}",
                   "{\"body\":\"\\\"\\\\\\n\\u0001\",\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"body\":\"\\u20ac \\ud83d\\ude0e\"}",
                   "{\"body\":\"\xe2\x82\xac \xf0\x9f\x98\x8e\","
                   "\"type\":\"text\"}");
}


static void
test_quoted(void **state)
{
    (void) state;

    assert_message("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"quotedMessage\":{\"id\":\"" ID "\"}}}",
                   "{\"body\":\"a\",\"contextInfo\":{\"quotedMessage\":"
                   "{\"id\":\"" ID "\"}},\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"x\":1,\"quotedMessage\":{\"jid\":\"y\",\"id\":"
                   "\"B48EAA2FAB1E942CDEC8B8717EC6BF3ED2DAD05A\"}}}",
                   "{\"body\":\"a\",\"contextInfo\":{\"quotedMessage\":"
                   "{\"id\":\"" ID "\"}},\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":null}",
                   "{\"body\":\"a\",\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":{}}",
                   "{\"body\":\"a\",\"type\":\"text\"}");
    assert_message("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"quotedMessage\":null}}",
                   "{\"body\":\"a\",\"type\":\"text\"}");
}


static void
test_quoted_refused(void **state)
{
    size_t  i;
    char    text[256];

    static const char *const  ids[] = {
        "", "b48eaa2fab1e942cdec8b8717ec6bf3ed2dad05",
        ID "0", "g48eaa2fab1e942cdec8b8717ec6bf3ed2dad05a",
        "b48eaa2f-ab1e942cdec8b8717ec6bf3ed2dad05"
    };

    (void) state;

    assert_refused("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":1}",
                   "message.contextInfo",
                   "message.contextInfo must be an object");
    assert_refused("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"quotedMessage\":\"x\"}}",
                   "message.contextInfo.quotedMessage",
                   "message.contextInfo.quotedMessage must be an object");
    assert_refused("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"quotedMessage\":{}}}",
                   "message.contextInfo.quotedMessage.id",
                   "message.contextInfo.quotedMessage.id is required");
    assert_refused("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"quotedMessage\":{\"id\":1}}}",
                   "message.contextInfo.quotedMessage.id",
                   "message.contextInfo.quotedMessage.id must be a string");

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        snprintf(text, sizeof(text),
                 "{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                 "{\"quotedMessage\":{\"id\":\"%s\"}}}", ids[i]);
        assert_refused(text, "message.contextInfo.quotedMessage.id",
                       "message.contextInfo.quotedMessage.id must be 40 "
                       "hexadecimal digits");
    }
}


static void
test_body_refused(void **state)
{
    (void) state;

    assert_refused("{\"type\":\"text\"}", "message.body",
                   "message.body is required");
    assert_refused("{\"type\":\"text\",\"body\":null}", "message.body",
                   "message.body must not be null");
    assert_refused("{\"type\":\"text\",\"body\":null,\"text\":\"a\"}",
                   "message.body", "message.body must not be null");
    assert_refused("{\"type\":\"text\",\"body\":1}", "message.body",
                   "message.body must be a string");
    assert_refused("{\"type\":\"text\",\"body\":\"\"}", "message.body",
                   "message.body is too short: at least 1 character");
    assert_refused("{\"type\":\"text\",\"text\":\"\"}", "message.text",
                   "message.text is too short: at least 1 character");
    assert_refused("{\"type\":\"text\",\"text\":[]}", "message.text",
                   "message.text must be a string");
    assert_refused("{\"type\":\"text\",\"body\":\"a\\u0000\"}",
                   "message.body", "message.body must not contain \\u0000");
}


/* Characters, not bytes, and room for each of them escaped. */
static void
test_body_limits(void **state)
{
    size_t    i, k, n;
    char     *text, *d;

    static const char *const  characters[] = {
        "a", "\xc3\xa9", "\xf0\x9f\x98\x8e", "\\u0001", "\\\""
    };

    (void) state;

    text = malloc(4097 * 6 + 64);

    for (k = 0; k < sizeof(characters) / sizeof(characters[0]); k++) {
        n = strlen(characters[k]);

        d = text + sprintf(text, "{\"body\":\"");

        for (i = 0; i < 4096; i++) {
            memcpy(d, characters[k], n);
            d += n;
        }

        strcpy(d, "\",\"type\":\"text\"}");
        assert_message(text, text);

        memcpy(d, characters[k], n);
        strcpy(d + n, "\",\"type\":\"text\"}");
        assert_refused(text, "message.body",
                       "message.body is too long: at most 4096 characters");
    }

    free(text);
}


static void
test_types(void **state)
{
    char    text[64], what[96];
    size_t  i;

    static const char *const  later[] = {
        "audio", "contact", "document", "gif", "image", "interactive",
        "location", "ptt", "sticker", "template", "video"
    };
    static const char *const  unknown[] = {
        "", "Text", "TEXT", "text ", "reaction", "image2"
    };

    (void) state;

    for (i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        snprintf(text, sizeof(text), "{\"type\":\"%s\"}", later[i]);
        snprintf(what, sizeof(what), "message.type %s is not served yet",
                 later[i]);
        assert_refused(text, "message.type", what);
    }

    for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        snprintf(text, sizeof(text), "{\"type\":\"%s\"}", unknown[i]);
        assert_refused(text, "message.type", "message.type is unknown");
    }

    assert_refused("{}", "message.type", "message.type is required");
    assert_refused("{\"type\":null}", "message.type",
                   "message.type must be a string");
    assert_refused("{\"type\":[\"text\"]}", "message.type",
                   "message.type must be a string");
    assert_refused("{\"type\":\"text\\u0000\",\"body\":\"a\"}",
                   "message.type", "message.type is unknown");
}


static void
test_prefix(void **state)
{
    (void) state;

    assert_int_equal(check_as("{}", "", 0), EZW_INVALID);
    assert_string_equal(why.text, "type is required");
    assert_string_equal(why.field, "type");

    assert_int_equal(check_as("{\"type\":\"image\"}", "reply", 0),
                     EZW_INVALID);
    assert_string_equal(why.text, "reply.type image is not served yet");
    assert_string_equal(why.field, "reply.type");
}


static void
test_strict(void **state)
{
    (void) state;

    assert_int_equal(check_as("{\"type\":\"text\",\"body\":\"a\","
                              "\"text\":\"b\",\"contextInfo\":"
                              "{\"quotedMessage\":{\"id\":\"" ID "\"}}}",
                              "message", 1),
                     EZW_OK);

    assert_int_equal(check_as("{\"type\":\"text\",\"bdy\":\"a\"}", "message",
                              1),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: message.bdy");
    assert_string_equal(why.field, "message.bdy");

    assert_int_equal(check_as("{\"type\":\"text\",\"bdy\":\"a\"}", "", 1),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: bdy");

    assert_int_equal(check_as("{\"type\":\"text\",\"body\":\"a\","
                              "\"contextInfo\":{\"x\":1}}", "message", 1),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: message.contextInfo.x");

    assert_int_equal(check_as("{\"type\":\"text\",\"body\":\"a\","
                              "\"contextInfo\":{\"quotedMessage\":{\"x\":1}}}",
                              "", 1),
                     EZW_INVALID);
    assert_string_equal(why.text,
                        "Unknown field: contextInfo.quotedMessage.x");
}


static void
test_no_memory(void **state)
{
    (void) state;

    arena.left = 0;
    assert_int_equal(check_as("{\"type\":\"text\",\"body\":\"a\"}", "message",
                              0),
                     EZW_ERROR);
}


#define TEST(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_text),
        TEST(test_quoted),
        TEST(test_quoted_refused),
        TEST(test_body_refused),
        TEST(test_body_limits),
        TEST(test_types),
        TEST(test_prefix),
        TEST(test_strict),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

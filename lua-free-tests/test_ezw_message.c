/* ezw_message: the types that there are, text and location, what all types
 * share, and the forms that real programs send. */

#include "message.h"


static void
assert_message(const char *text, const char *expected)
{
    if (check_as(text, "message") != EZW_OK) {
        fail_msg("%s: %s", text, why.text);
    }

    assert_part(EZW_MESSAGE_JSON, expected);
    assert_part(EZW_MESSAGE_TYPE, "text");
    assert_part(EZW_MESSAGE_CATALOG, NULL);
    assert_part(EZW_MESSAGE_TEMPLATE_NAME, NULL);
}


static void
assert_invalid(const char *text, const char *field, const char *what)
{
    assert_int_equal(check_as(text, "message"), EZW_INVALID);
    assert_int_equal(why.code, 1005);
    assert_string_equal(why.text, what);
    assert_string_equal(why.field, field);
}


static int
check_strict(const char *text, const char *prefix)
{
    conf.strict = 1;

    return check_as(text, prefix);
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
    assert_part(EZW_MESSAGE_QUOTED, ID);
    assert_message("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":null}",
                   "{\"body\":\"a\",\"type\":\"text\"}");
    assert_part(EZW_MESSAGE_QUOTED, NULL);
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
        ID "0", ID "-", "g48eaa2fab1e942cdec8b8717ec6bf3ed2dad05a",
        "b48eaa2f-ab1e942cdec8b8717ec6bf3ed2dad05"
    };

    (void) state;

    assert_invalid("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":1}",
                   "message.contextInfo",
                   "message.contextInfo must be an object");
    assert_invalid("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"quotedMessage\":\"x\"}}",
                   "message.contextInfo.quotedMessage",
                   "message.contextInfo.quotedMessage must be an object");
    assert_invalid("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"quotedMessage\":{}}}",
                   "message.contextInfo.quotedMessage.id",
                   "message.contextInfo.quotedMessage.id is required");
    assert_invalid("{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                   "{\"quotedMessage\":{\"id\":1}}}",
                   "message.contextInfo.quotedMessage.id",
                   "message.contextInfo.quotedMessage.id must be a string");

    for (i = 0; i < ALL(ids); i++) {
        snprintf(text, sizeof(text),
                 "{\"type\":\"text\",\"body\":\"a\",\"contextInfo\":"
                 "{\"quotedMessage\":{\"id\":\"%s\"}}}", ids[i]);
        assert_invalid(text, "message.contextInfo.quotedMessage.id",
                       "message.contextInfo.quotedMessage.id must be 40 "
                       "hexadecimal digits");
    }
}


static void
test_body_refused(void **state)
{
    (void) state;

    assert_invalid("{\"type\":\"text\"}", "message.body",
                   "message.body is required");
    assert_invalid("{\"type\":\"text\",\"body\":null}", "message.body",
                   "message.body must not be null");
    assert_invalid("{\"type\":\"text\",\"body\":null,\"text\":\"a\"}",
                   "message.body", "message.body must not be null");
    assert_invalid("{\"type\":\"text\",\"body\":1}", "message.body",
                   "message.body must be a string");
    assert_invalid("{\"type\":\"text\",\"body\":\"\"}", "message.body",
                   "message.body is too short: at least 1 character");
    assert_invalid("{\"type\":\"text\",\"text\":\"\"}", "message.text",
                   "message.text is too short: at least 1 character");
    assert_invalid("{\"type\":\"text\",\"text\":[]}", "message.text",
                   "message.text must be a string");
    assert_invalid("{\"type\":\"text\",\"body\":\"a\\u0000\"}",
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
        assert_invalid(text, "message.body",
                       "message.body is too long: at most 4096 characters");
    }

    free(text);
}


/* The room that is made for a body may be just what its escapes take. */
static void
test_room(void **state)
{
    size_t  n;

    (void) state;

    for (n = 1; n < 200; n++) {
        assert_same(with("{'body':'%s','type':'text'}", "\\n", n));
    }
}


static void
test_types(void **state)
{
    char    text[64];
    size_t  i;

    static const char *const  unknown[] = {
        "", "Text", "TEXT", "text ", "reaction", "image2", "contacts"
    };

    (void) state;

    for (i = 0; i < ALL(unknown); i++) {
        snprintf(text, sizeof(text), "{\"type\":\"%s\"}", unknown[i]);
        assert_invalid(text, "message.type", "message.type is unknown");
    }

    assert_invalid("{}", "message.type", "message.type is required");
    assert_invalid("{\"type\":null}", "message.type",
                   "message.type must be a string");
    assert_invalid("{\"type\":[\"text\"]}", "message.type",
                   "message.type must be a string");
    assert_invalid("{\"type\":\"text\\u0000\",\"body\":\"a\"}",
                   "message.type", "message.type is unknown");
    assert_invalid("[]", "message", "message must be an object");
    assert_invalid("\"text\"", "message", "message must be an object");
}


static void
test_prefix(void **state)
{
    (void) state;

    assert_int_equal(check_as("{}", ""), EZW_INVALID);
    assert_string_equal(why.text, "type is required");
    assert_string_equal(why.field, "type");

    assert_int_equal(check_as("{'type':'x'}", "reply"), EZW_INVALID);
    assert_string_equal(why.text, "reply.type is unknown");
    assert_string_equal(why.field, "reply.type");

    assert_int_equal(check_as("{'type':'location','latitude':1}", ""),
                     EZW_INVALID);
    assert_string_equal(why.text, "longitude is required");
    assert_string_equal(why.field, "longitude");
}


/* Whoever does not ask why is not told. */
static void
test_no_why(void **state)
{
    json_t  *v;

    (void) state;

    v = json_of("{'type':'text','body':''}");
    assert_int_equal(ezw_message_check(&conf, v, NULL, "", parts, NULL),
                     EZW_INVALID);
    json_decref(v);
}


static void
test_location(void **state)
{
    static const accepted_t  accepted[] = {
        { "{'latitude':52.370216,'longitude':4.895168,'type':'location'}",
          NULL },
        { "{'latitude':52.370216,'longitude':4.895168,'name':'Dam','type':"
          "'location','url':'https://example.com/?q=1#here'}", NULL },
        { "{'latitude':90,'longitude':180,'type':'location'}", NULL },
        { "{'latitude':-90,'longitude':-180,'type':'location'}", NULL },
        { "{'latitude':90.0,'longitude':-180.0,'type':'location'}",
          "{'latitude':90,'longitude':-180,'type':'location'}" },
        { "{'latitude':0,'longitude':0.1,'name':'','type':'location',"
          "'url':'HTTP://x'}", NULL },
        { "{'type':'location','url':null,'name':null,'longitude':1e-5,"
          "'latitude':1.5}",
          "{'latitude':1.5,'longitude':1e-05,'type':'location'}" },
        { "{'type':'location','latitude':1,'longitude':2,'contextInfo':"
          "{'quotedMessage':{'id':'" ID "'}},'address':'x'}",
          "{'contextInfo':{'quotedMessage':{'id':'" ID "'}},'latitude':1,"
          "'longitude':2,'type':'location'}" }
    };

    static const refused_t  refused[] = {
        { "{'type':'location'}", "message.latitude", "is required" },
        { "{'type':'location','latitude':null}", "message.latitude",
          "must not be null" },
        { "{'type':'location','latitude':'52.1'}", "message.latitude",
          "must be a number" },
        { "{'type':'location','latitude':true}", "message.latitude",
          "must be a number" },
        { "{'type':'location','latitude':90.0001}", "message.latitude",
          "must be between -90 and 90" },
        { "{'type':'location','latitude':-91}", "message.latitude",
          "must be between -90 and 90" },
        { "{'type':'location','latitude':1}", "message.longitude",
          "is required" },
        { "{'type':'location','latitude':1,'longitude':180.5}",
          "message.longitude", "must be between -180 and 180" },
        { "{'type':'location','latitude':1,'longitude':-181}",
          "message.longitude", "must be between -180 and 180" },
        { "{'type':'location','latitude':1,'longitude':1,'name':1}",
          "message.name", "must be a string" },
        { "{'type':'location','latitude':1,'longitude':1,'url':1}",
          "message.url", "must be a string" },
        { "{'type':'location','latitude':1,'longitude':1,'url':''}",
          "message.url", "must begin with https:// or http://" },
        { "{'type':'location','latitude':1,'longitude':1,'url':"
          "'javascript:alert(1)'}", "message.url",
          "must begin with https:// or http://" },
        { "{'type':'location','latitude':1,'longitude':1,'url':"
          "'httpx://a'}", "message.url",
          "must begin with https:// or http://" },
        { "{'type':'location','latitude':1,'longitude':1,'url':"
          "'https://a b'}", "message.url",
          "must not have blanks or control characters" },
        { "{'type':'location','latitude':1,'longitude':1,'url':"
          "'https://a\\n'}", "message.url",
          "must not have blanks or control characters" }
    };

    (void) state;

    assert_accepted(accepted, ALL(accepted));
    assert_refused(refused, ALL(refused));
    assert_length("{'type':'location','latitude':1,'longitude':1,"
                  "'name':'%s'}", "message.name", 0, 1024);
    assert_same(with("{'latitude':1,'longitude':1,'type':'location','url':"
                     "'https://%s'}", "a", 2040));
    assert_refused_as(with("{'latitude':1,'longitude':1,'type':'location',"
                           "'url':'https://%s'}", "a", 2041), 1005,
                      "message.url", "is too long: at most 2048 characters");
    assert_unknown("{'type':'location','latitude':1,'longitude':1,'x':1}",
                   "message.x");
    assert_needs_memory("{'type':'location','latitude':1,'longitude':1,"
                        "'name':'0123456789012345678901234567890123456789"
                        "01234567890123456789012345678901234567890123'}");
}


static void
test_strict(void **state)
{
    (void) state;

    assert_int_equal(check_strict("{\"type\":\"text\",\"body\":\"a\","
                              "\"text\":\"b\",\"contextInfo\":"
                              "{\"quotedMessage\":{\"id\":\"" ID "\"}}}",
                              "message"),
                     EZW_OK);

    assert_int_equal(check_strict("{\"type\":\"text\",\"bdy\":\"a\"}", "message"),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: message.bdy");
    assert_string_equal(why.field, "message.bdy");

    assert_int_equal(check_strict("{\"type\":\"text\",\"bdy\":\"a\"}", ""),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: bdy");

    assert_int_equal(check_strict("{\"type\":\"text\",\"body\":\"a\","
                              "\"contextInfo\":{\"x\":1}}", "message"),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: message.contextInfo.x");

    assert_int_equal(check_strict("{\"type\":\"text\",\"body\":\"a\","
                              "\"contextInfo\":{\"quotedMessage\":{\"x\":1}}}",
                              ""),
                     EZW_INVALID);
    assert_string_equal(why.text,
                        "Unknown field: contextInfo.quotedMessage.x");
}


static void
test_no_memory(void **state)
{
    (void) state;

    arena.left = 0;
    assert_int_equal(check_as("{\"type\":\"text\",\"body\":\"a\"}", "message"),
                     EZW_ERROR);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_text),
        TEST(test_quoted),
        TEST(test_quoted_refused),
        TEST(test_body_refused),
        TEST(test_body_limits),
        TEST(test_room),
        TEST(test_types),
        TEST(test_prefix),
        TEST(test_no_why),
        TEST(test_location),
        TEST(test_strict),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_template: the document's templates, Meta's limits, what a send has to
 * give. */

#include "fields.h"
#include "ezw_template.h"

#define BODY    "{\"type\":\"BODY\",\"text\":\"Hi\"}"


static const ezw_field_t  rules[] = {
    { .name = "x", .type = EZW_FIELD_COMPONENTS, .max = 2048 }
};


/* As many letters as n says, in a text of the form. */
static const char *
filled(const char *form, int n)
{
    static char  text[8192], letters[4096];

    memset(letters, 'x', (size_t) n);
    letters[n] = '\0';
    snprintf(text, sizeof(text), form, letters);

    return text;
}


static void
taken(const char *components, const char *parameters)
{
    char  body[8300];

    snprintf(body, sizeof(body), "{\"x\":%s}", components);

    if (check(rules, body) != EZW_OK) {
        fail_msg("%s: %s", components, why.text);
    }

    assert_value_at(&values[0], components);
    assert_value_at(&values[1], parameters);
}


static void
refused(const char *components, const char *field, const char *what)
{
    assert_refused_as(rules, components, field, what);
}


static void
test_slots(void **state)
{
    (void) state;

    assert_int_equal(ezw_fields_slots(rules, 1), 2);
    assert_int_equal(ezw_fields_slot(rules, 1, "x", 1), 0);
    assert_int_equal(ezw_fields_slot(rules, 1, "x.parameters", 12), 1);
    assert_int_equal(ezw_fields_slot(rules, 1, "x.params", 8), -1);
}


static void
test_names(void **state)
{
    char  name[514];

    (void) state;

    memset(name, 'a', sizeof(name));

    assert_int_equal(ezw_template_is_name("a", 1), 1);
    assert_int_equal(ezw_template_is_name("support_after_24hours", 21), 1);
    assert_int_equal(ezw_template_is_name("_", 1), 1);
    assert_int_equal(ezw_template_is_name(name, 512), 1);
    assert_int_equal(ezw_template_is_name(name, 513), 0);
    assert_int_equal(ezw_template_is_name("", 0), 0);
    assert_int_equal(ezw_template_is_name("A", 1), 0);
    assert_int_equal(ezw_template_is_name("a-b", 3), 0);
    assert_int_equal(ezw_template_is_name("a\0b", 3), 0);
    assert_int_equal(ezw_template_is_name("\xc3\xa9", 2), 0);
}


static void
test_languages(void **state)
{
    size_t  i;

    static const char *const  good[] = { "en", "nl", "fil", "pt_BR", "zh_CN" };
    static const char *const  bad[] = {
        "", "e", "engl", "EN", "En", "en_", "en_G", "en_GBR", "en_gb",
        "en-GB", "_GB", "en_G1", "1n", "en GB"
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(ezw_template_is_language(good[i], strlen(good[i])),
                         1);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ezw_template_is_language(bad[i], strlen(bad[i])), 0);
    }
}


static void
test_document(void **state)
{
    (void) state;

    taken("[{\"text\":\"Hello {{1}}, how can I help you?\","
          "\"type\":\"BODY\"}]",
          "{\"header\":0,\"format\":null,\"body\":1,\"buttons\":[],"
          "\"types\":[]}");

    taken("[{\"format\":\"DOCUMENT\",\"type\":\"HEADER\"},"
          "{\"text\":\"This is your KLM ticket for your flight on December "
          "20th to New York.\",\"type\":\"BODY\"},"
          "{\"text\":\"Questions? We are available now, just send us a "
          "message\",\"type\":\"FOOTER\"},"
          "{\"buttons\":[{\"text\":\"Confirm\",\"type\":\"QUICK_REPLY\"},"
          "{\"text\":\"Reschedule\",\"type\":\"QUICK_REPLY\"}],"
          "\"type\":\"BUTTONS\"}]",
          "{\"header\":1,\"format\":\"DOCUMENT\",\"body\":0,"
          "\"buttons\":[null,null],"
          "\"types\":[\"QUICK_REPLY\",\"QUICK_REPLY\"]}");
}


/* In any case and order, and everything as it came. */
static void
test_as_it_came(void **state)
{
    (void) state;

    taken("[{\"type\":\"footer\",\"text\":\"\xe2\x82\xac\"},"
          "{\"buttons\":[{\"type\":\"Url\",\"text\":\"a\",\"url\":"
          "\"HTTPS://x/{{1}}\",\"example\":[1,0.1,-7,true,null,{}]},"
          "{\"type\":\"phone_number\",\"text\":\"b\","
          "\"phone_number\":\"+31612345678\"},"
          "{\"type\":\"copy_code\",\"example\":\"C\"},"
          "{\"type\":\"quick_reply\",\"text\":\"c\"}],"
          "\"type\":\"Buttons\"},"
          "{\"x\":{\"y\":[]},\"text\":\"{{2}}{{1}} {{2}}\",\"type\":\"body\"},"
          "{\"type\":\"header\",\"format\":\"text\",\"text\":\"Hi {{1}}\"}]",
          "{\"header\":1,\"format\":\"TEXT\",\"body\":2,"
          "\"buttons\":[1,0,1,null],"
          "\"types\":[\"URL\",\"PHONE_NUMBER\",\"COPY_CODE\","
          "\"QUICK_REPLY\"]}");

    taken("[{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"Hi\"}," BODY
          ",{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"URL\",\"text\":"
          "\"a\",\"url\":\"http://x\"},{\"type\":\"PHONE_NUMBER\",\"text\":"
          "\"b\",\"phoneNumber\":\"1\"}]}]",
          "{\"header\":0,\"format\":\"TEXT\",\"body\":0,\"buttons\":[0,0],"
          "\"types\":[\"URL\",\"PHONE_NUMBER\"]}");
}


static void
test_formats(void **state)
{
    size_t  i;
    char    components[256], parameters[256];

    static const char *const  formats[] = {
        "IMAGE", "VIDEO", "DOCUMENT", "LOCATION"
    };

    (void) state;

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        snprintf(components, sizeof(components),
                 "[{\"type\":\"HEADER\",\"format\":\"%s\"}," BODY "]",
                 formats[i]);
        snprintf(parameters, sizeof(parameters),
                 "{\"header\":1,\"format\":\"%s\",\"body\":0,\"buttons\":[],"
                 "\"types\":[]}", formats[i]);
        taken(components, parameters);
    }
}


/* At each limit, and past it. */
static void
test_limits(void **state)
{
    static const char  plain[] = "{\"header\":0,\"format\":null,\"body\":0,"
                                 "\"buttons\":[],\"types\":[]}";

    (void) state;

    taken(filled("[{\"type\":\"BODY\",\"text\":\"%s\"}]", 1024), plain);
    refused(filled("[{\"type\":\"BODY\",\"text\":\"%s\"}]", 1025),
            "x[0].text", "x[0].text is too long: at most 1024 characters");
    refused("[{\"type\":\"BODY\",\"text\":\"\"}]",
            "x[0].text", "x[0].text is too short: at least 1 character");

    taken(filled("[" BODY ",{\"type\":\"FOOTER\",\"text\":\"%s\"}]", 60),
          plain);
    refused(filled("[" BODY ",{\"type\":\"FOOTER\",\"text\":\"%s\"}]", 61),
            "x[1].text", "x[1].text is too long: at most 60 characters");

    taken(filled("[" BODY ",{\"type\":\"HEADER\",\"format\":\"TEXT\","
                 "\"text\":\"%s\"}]", 60),
          "{\"header\":0,\"format\":\"TEXT\",\"body\":0,\"buttons\":[],"
          "\"types\":[]}");
    refused(filled("[" BODY ",{\"type\":\"HEADER\",\"format\":\"TEXT\","
                   "\"text\":\"%s\"}]", 61),
            "x[1].text", "x[1].text is too long: at most 60 characters");

    taken(filled("[" BODY ",{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":"
                 "\"QUICK_REPLY\",\"text\":\"%s\"}]}]", 25),
          "{\"header\":0,\"format\":null,\"body\":0,\"buttons\":[null],"
          "\"types\":[\"QUICK_REPLY\"]}");
    refused(filled("[" BODY ",{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":"
                   "\"QUICK_REPLY\",\"text\":\"%s\"}]}]", 26),
            "x[1].buttons[0].text",
            "x[1].buttons[0].text is too long: at most 25 characters");
    refused(filled("[" BODY ",{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":"
                   "\"PHONE_NUMBER\",\"text\":\"x\",\"phone_number\":\"%s\""
                   "}]}]", 21),
            "x[1].buttons[0].phone_number",
            "x[1].buttons[0].phone_number is too long: at most 20 "
            "characters");
    refused(filled("[" BODY ",{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":"
                   "\"URL\",\"text\":\"x\",\"url\":\"http://%s\"}]}]", 1994),
            "x[1].buttons[0].url",
            "x[1].buttons[0].url is too long: at most 2000 characters");

    /* of a rule, all in all */
    refused(filled("[" BODY ",{\"type\":\"FOOTER\",\"text\":\"x\","
                   "\"example\":\"%s\"}]", 2048),
            "x", "x is too long: at most 2048 bytes of JSON");
}


static void
test_variables(void **state)
{
    size_t  i;
    char    components[256], parameters[128];

    static const struct {
        const char  *text;
        int          n;
    } texts[] = {
        { "Hello {{1}}", 1 }, { "{{1}}", 1 }, { "{{1}}{{2}}{{3}}", 3 },
        { "{{3}} {{1}} {{2}}", 3 }, { "{{1}} {{1}}", 1 }, { "{1} {x}", 0 },
        { "{ {1}}", 0 }, { "a {", 0 }, { "}} {{1}} }}", 1 },
        { "{{2}}", -1 }, { "{{1}} {{3}}", -1 }, { "{{0}}", -1 },
        { "{{01}}", -1 }, { "{{}}", -1 }, { "{{", -1 }, { "{{1", -1 },
        { "{{1}", -1 }, { "{{1} }", -1 }, { "{{{1}}}", -1 },
        { "{{name}}", -1 }, { "{{ 1 }}", -1 }, { "{{1a}}", -1 },
        { "{{257}}", -1 }, { "{{4294967297}}", -1 }, { "{{-1}}", -1 }
    };

    (void) state;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        snprintf(components, sizeof(components),
                 "[{\"type\":\"BODY\",\"text\":\"%s\"}]", texts[i].text);

        if (texts[i].n < 0) {
            refused(components, "x[0].text", "x[0].text must have its "
                    "variables as {{1}}, {{2}} and so on");
            continue;
        }

        snprintf(parameters, sizeof(parameters),
                 "{\"header\":0,\"format\":null,\"body\":%d,\"buttons\":[],"
                 "\"types\":[]}", texts[i].n);
        taken(components, parameters);
    }

    refused("[" BODY ",{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":"
            "\"{{1}} {{2}}\"}]",
            "x[1].text", "x[1].text must have one variable at most");
    refused("[" BODY ",{\"type\":\"FOOTER\",\"text\":\"{{1}}\"}]",
            "x[1].text", "x[1].text must not have variables");
    refused("[" BODY ",{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":"
            "\"QUICK_REPLY\",\"text\":\"{{1}}\"}]}]",
            "x[1].buttons[0].text",
            "x[1].buttons[0].text must not have variables");
}


static void
test_components_refused(void **state)
{
    (void) state;

    refused("{}", "x", "x must be an array of objects");
    refused("\"BODY\"", "x", "x must be an array of objects");
    refused("[]", "x", "x needs a BODY");
    refused("[{\"type\":\"FOOTER\",\"text\":\"Hi\"}]", "x", "x needs a BODY");
    refused("[" BODY "," BODY "]", "x[1]", "x[1] is a second BODY");
    refused("[7]", "x[0]", "x[0] must be an object");
    refused("[null]", "x[0]", "x[0] must be an object");
    refused("[{}]", "x[0].type", "x[0].type is required");
    refused("[{\"type\":null}]", "x[0].type", "x[0].type must be a string");
    refused("[{\"type\":\"CAROUSEL\"}]", "x[0].type",
            "x[0].type must be one of HEADER, BODY, FOOTER, BUTTONS");
    refused("[{\"type\":\"BODY\\u0000\"}]", "x[0].type",
            "x[0].type must be one of HEADER, BODY, FOOTER, BUTTONS");
    refused("[{\"type\":\"BODY\"}]", "x[0].text", "x[0].text is required");
    refused("[{\"type\":\"BODY\",\"text\":null}]", "x[0].text",
            "x[0].text must be a string");
    refused("[{\"type\":\"BODY\",\"text\":\"a\\u0000\"}]", "x[0].text",
            "x[0].text must not contain \\u0000");
    refused("[{\"type\":\"BODY\",\"text\":\"a\",\"e\":[\"\\u0000\"]}]", "x",
            "x must not contain \\u0000");
    refused("[{\"type\":\"HEADER\"}]", "x[0].format",
            "x[0].format is required");
    refused("[{\"type\":\"HEADER\",\"format\":\"GIF\"}]", "x[0].format",
            "x[0].format must be one of TEXT, IMAGE, VIDEO, DOCUMENT, "
            "LOCATION");
    refused("[{\"type\":\"HEADER\",\"format\":\"TEXT\"}]", "x[0].text",
            "x[0].text is required");
}


static void
buttons(const char *list, const char *field, const char *what)
{
    char  components[2048];

    snprintf(components, sizeof(components),
             "[" BODY ",{\"type\":\"BUTTONS\",\"buttons\":%s}]", list);

    refused(components, field, what);
}

#define QUICK  "{\"type\":\"QUICK_REPLY\",\"text\":\"a\"}"
#define LINK   "{\"type\":\"URL\",\"text\":\"a\",\"url\":\"http://x\"}"
#define PHONE  "{\"type\":\"PHONE_NUMBER\",\"text\":\"a\",\"phoneNumber\":\"1\"}"
#define CODE   "{\"type\":\"COPY_CODE\"}"


static void
test_buttons_refused(void **state)
{
    (void) state;

    refused("[" BODY ",{\"type\":\"BUTTONS\"}]", "x[1].buttons",
            "x[1].buttons is required");
    buttons("{}", "x[1].buttons", "x[1].buttons must be an array of objects");
    buttons("[]", "x[1].buttons",
            "x[1].buttons has too few elements: at least 1");
    buttons("[" QUICK "," QUICK "," QUICK "," QUICK "," QUICK "," QUICK ","
            QUICK "," QUICK "," QUICK "," QUICK "," QUICK "]",
            "x[1].buttons", "x[1].buttons has too many elements: at most 10");
    buttons("[\"a\"]", "x[1].buttons[0]",
            "x[1].buttons[0] must be an object");
    buttons("[{}]", "x[1].buttons[0].type",
            "x[1].buttons[0].type is required");
    buttons("[{\"type\":\"OTP\"}]", "x[1].buttons[0].type",
            "x[1].buttons[0].type must be one of QUICK_REPLY, URL, "
            "PHONE_NUMBER, COPY_CODE");
    buttons("[" QUICK ",{\"type\":\"QUICK_REPLY\"}]", "x[1].buttons[1].text",
            "x[1].buttons[1].text is required");
    buttons("[{\"type\":\"COPY_CODE\",\"text\":7}]", "x[1].buttons[0].text",
            "x[1].buttons[0].text must be a string");
    buttons("[{\"type\":\"URL\",\"text\":\"a\"}]", "x[1].buttons[0].url",
            "x[1].buttons[0].url is required");
    buttons("[{\"type\":\"URL\",\"text\":\"a\",\"url\":\"x.nl\"}]",
            "x[1].buttons[0].url",
            "x[1].buttons[0].url must be an http or https URL");
    buttons("[{\"type\":\"URL\",\"text\":\"a\",\"url\":\"{{1}}\"}]",
            "x[1].buttons[0].url",
            "x[1].buttons[0].url must be an http or https URL");
    buttons("[{\"type\":\"URL\",\"text\":\"a\",\"url\":\"http://{{1}}/a\"}]",
            "x[1].buttons[0].url",
            "x[1].buttons[0].url must have its variable at its end");
    buttons("[{\"type\":\"URL\",\"text\":\"a\",\"url\":"
            "\"http://{{1}}/{{2}}\"}]",
            "x[1].buttons[0].url",
            "x[1].buttons[0].url must have one variable at most");
    buttons("[{\"type\":\"PHONE_NUMBER\",\"text\":\"a\"}]",
            "x[1].buttons[0].phone_number",
            "x[1].buttons[0].phone_number is required");
    buttons("[{\"type\":\"PHONE_NUMBER\",\"text\":\"a\",\"phoneNumber\":7}]",
            "x[1].buttons[0].phoneNumber",
            "x[1].buttons[0].phoneNumber must be a string");
    buttons("[" LINK "," LINK "," LINK "]", "x[1]",
            "x[1].buttons has too many of URL: at most 2");
    buttons("[" PHONE "," PHONE "]", "x[1]",
            "x[1].buttons has too many of PHONE_NUMBER: at most 1");
    buttons("[" CODE "," CODE "]", "x[1]",
            "x[1].buttons has too many of COPY_CODE: at most 1");
    buttons("[" QUICK "," LINK "," QUICK "]", "x[1].buttons",
            "x[1].buttons must have its QUICK_REPLY buttons together");
    buttons("[" LINK "," QUICK "," PHONE "]", "x[1].buttons",
            "x[1].buttons must have its QUICK_REPLY buttons together");

    taken("[" BODY ",{\"type\":\"BUTTONS\",\"buttons\":[" QUICK "," QUICK ","
          LINK "," LINK "," PHONE "," CODE "]}]",
          "{\"header\":0,\"format\":null,\"body\":0,"
          "\"buttons\":[null,null,0,0,0,1],"
          "\"types\":[\"QUICK_REPLY\",\"QUICK_REPLY\",\"URL\",\"URL\","
          "\"PHONE_NUMBER\",\"COPY_CODE\"]}");
}


static void
test_strict(void **state)
{
    size_t  i;

    static const struct {
        const char  *components;
        const char  *field;
        const char  *what;
    } cases[] = {
        { "[{\"type\":\"BODY\",\"text\":\"a\",\"y\":1}]", "x[0].y",
          "Unknown field: x[0].y" },
        { "[{\"type\":\"BODY\",\"text\":\"a\",\"format\":\"TEXT\"}]",
          "x[0].format", "Unknown field: x[0].format" },
        { "[" BODY ",{\"type\":\"FOOTER\",\"text\":\"a\",\"example\":1}]",
          "x[1].example", "Unknown field: x[1].example" },
        { "[{\"type\":\"HEADER\",\"format\":\"IMAGE\",\"y\":1}]", "x[0].y",
          "Unknown field: x[0].y" },
        { "[{\"type\":\"BUTTONS\",\"buttons\":[],\"text\":\"a\"}]",
          "x[0].text", "Unknown field: x[0].text" },
        { "[{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"URL\",\"y\":1}]}]",
          "x[0].buttons[0].y", "Unknown field: x[0].buttons[0].y" }
    };

    (void) state;

    conf.strict = 1;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        refused(cases[i].components, cases[i].field, cases[i].what);
    }

    taken("[{\"type\":\"BODY\",\"text\":\"a {{1}}\",\"example\":{}}]",
          "{\"header\":0,\"format\":null,\"body\":1,\"buttons\":[],"
          "\"types\":[]}");
}


static void
test_strings(void **state)
{
    static const ezw_field_t  name =
        { .name = "x", .type = EZW_FIELD_TEMPLATE_NAME };
    static const ezw_field_t  language =
        { .name = "x", .type = EZW_FIELD_LANGUAGE };

    (void) state;

    assert_value(&name, "\"hello_1\"", "hello_1");
    assert_refused(&name, "\"Hello\"", "x must be 1 to 512 of a-z, 0-9 and _");
    assert_refused(&name, "\"a\\u0000\"",
                   "x must be 1 to 512 of a-z, 0-9 and _");
    assert_refused(&name, "7", "x must be a string");
    assert_value(&language, "\"pt_BR\"", "pt_BR");
    assert_refused(&language, "\"pt-BR\"",
                   "x must be a language code, as en or pt_BR");
    assert_refused(&language, "{}", "x must be a string");
}


/* However little memory there is, it says so. */
static void
test_memory(void **state)
{
    int      rc, n;
    json_t  *body;

    (void) state;

    body = json_loads("{\"x\":[" BODY ",{\"type\":\"BUTTONS\",\"buttons\":["
                      QUICK "]}]}", 0, NULL);
    assert_non_null(body);

    for (n = 0; ; n++) {
        arena_free(&arena);
        arena_init(&arena, n);
        rc = ezw_fields_check(&conf, rules, 1, body, values, &why);

        if (rc == EZW_OK) {
            break;
        }

        assert_int_equal(rc, EZW_ERROR);
    }

    assert_true(n > 1);
    json_decref(body);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_slots),
        TEST(test_names),
        TEST(test_languages),
        TEST(test_document),
        TEST(test_as_it_came),
        TEST(test_formats),
        TEST(test_limits),
        TEST(test_variables),
        TEST(test_components_refused),
        TEST(test_buttons_refused),
        TEST(test_strict),
        TEST(test_strings),
        TEST(test_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

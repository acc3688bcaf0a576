/* ezw_fields: networks and an API key's objects; what one form is kept of
 * several, and which element a refusal names.  Lists of strings and jids are
 * in test_ezw_fields.c. */

#include "fields.h"

#define UPPER  "509000E9-05C9-43A9-B6F1-70F1C6A5448A"
#define LOWER  "509000e9-05c9-43a9-b6f1-70f1c6a5448a"


static void
test_networks(void **state)
{
    static const ezw_field_t  rule = {
        "x", EZW_FIELD_CIDRS, EZW_NULLABLE, 0, 4, NULL
    };

    (void) state;

    assert_value(&rule, "[]", "[]");
    assert_value(&rule, "null", NULL);
    assert_value(&rule, "[\"192.0.2.1\"]", "[\"192.0.2.1\"]");
    assert_value(&rule,
                 "[\"10.1.2.3/8\",\"2001:DB8::1/32\",\"::ffff:192.0.2.7\","
                 "\"0.0.0.0/0\"]",
                 "[\"10.0.0.0/8\",\"2001:db8::/32\",\"192.0.2.7\","
                 "\"0.0.0.0/0\"]");

    /* each once, where it stood first */

    assert_value(&rule,
                 "[\"10.0.0.0/8\",\"192.0.2.1\",\"10.9.9.9/8\","
                 "\"::ffff:192.0.2.1/128\"]",
                 "[\"10.0.0.0/8\",\"192.0.2.1\"]");
    assert_value(&rule, "[\"10.0.0.0/8\",\"10.0.0.0/9\",\"10.0.0.0\"]",
                 "[\"10.0.0.0/8\",\"10.0.0.0/9\",\"10.0.0.0\"]");

    assert_refused(&rule, "\"10.0.0.1\"", "x must be an array of strings");
    assert_refused(&rule, "{}", "x must be an array of strings");
    assert_refused(&rule, "1", "x must be an array of strings");
    assert_refused(&rule,
                   "[\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.3\",\"10.0.0.4\","
                   "\"10.0.0.5\"]",
                   "x has too many elements: at most 4");
    assert_refused(&rule,
                   "[\"::1\",\"::1\",\"::1\",\"::1\",\"::1\"]",
                   "x has too many elements: at most 4");
}


static void
test_networks_refused(void **state)
{
    size_t  i;

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_CIDRS, 0, 0, 0, NULL
    };

    static const char *const  bad[] = {
        "\"\"", "1", "null", "true", "{}", "[]", "[\"10.0.0.1\"]",
        "\"10.0.0.1/33\"", "\"010.0.0.1\"", "\"example.com\"", "\" ::1\"",
        "\"10.0.0.1\\u0000\"", "\"fe80::1%eth0\"", "\"caf\xc3\xa9\""
    };

    char  text[128];

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "[\"::1\",\"::1\",%s,\"bad\"]", bad[i]);
        assert_refused_as(&rule, text, "x[2]",
                          "x[2] is no address or network");
    }
}


/* Without a bound of the rule's there is one still: each element is compared
 * with all before it. */
static void
test_bound(void **state)
{
    char         *text, *p;
    unsigned      n, i;
    ezw_field_t   rule;

    (void) state;

    memset(&rule, 0, sizeof(rule));
    rule.name = "x";
    rule.type = EZW_FIELD_CIDRS;

    text = malloc(128 * 1024);

    for (n = 1000; n <= 1001; n++) {
        p = text + sprintf(text, "[");

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%s\"10.0.%u.%u\"", i == 0 ? "" : ",", i / 256,
                         i % 256);
        }

        sprintf(p, "]");

        if (n == 1000) {
            assert_value(&rule, text, text);

        } else {
            assert_refused(&rule, text,
                           "x has too many elements: at most 1000");
        }
    }

    rule.type = EZW_FIELD_OBJECTS;

    for (n = 1000; n <= 1001; n++) {
        p = text + sprintf(text, "[");

        for (i = 0; i < n; i++) {
            p += sprintf(p, "%s{\"type\":\"COMPANY\",\"id\":\"" LOWER "\"}",
                         i == 0 ? "" : ",");
        }

        sprintf(p, "]");

        if (n == 1000) {
            assert_value(&rule, text,
                         "[{\"type\":\"COMPANY\",\"ref\":\"" LOWER "\"}]");

        } else {
            assert_refused(&rule, text,
                           "x has too many elements: at most 1000");
        }
    }

    free(text);
}


#define CHANNEL(jid)    "{\"jid\":\"" jid "\",\"type\":\"CHANNEL\"}"
#define ASSISTANT(jid)  "{\"jid\":\"" jid "\",\"type\":\"ASSISTANT\"}"
#define COMPANY(id)     "{\"id\":\"" id "\",\"type\":\"COMPANY\"}"
#define REF(type, ref)  "{\"type\":\"" type "\",\"ref\":\"" ref "\"}"


static void
test_objects(void **state)
{
    static const ezw_field_t  rule = {
        "x", EZW_FIELD_OBJECTS, EZW_NULLABLE, 0, 4, NULL
    };

    (void) state;

    assert_value(&rule, "[]", "[]");
    assert_value(&rule, "null", NULL);
    assert_value(&rule,
                 "[" CHANNEL("31611111111@WhatsApp.Eazy.IM") ","
                 ASSISTANT("1601626130348@AI.eazy.im") "," COMPANY(UPPER) ","
                 CHANNEL("My/Bot@my-chat.eazy.im") "]",
                 "[" REF("CHANNEL", "31611111111@whatsapp.eazy.im") ","
                 REF("ASSISTANT", "1601626130348@ai.eazy.im") ","
                 REF("COMPANY", LOWER) ","
                 REF("CHANNEL", "My/Bot@my-chat.eazy.im") "]");

    /* each once; two spellings of one assistant are one */

    assert_value(&rule,
                 "[" COMPANY(UPPER) "," ASSISTANT("1601626130348@ai.eazy.im")
                 "," COMPANY(LOWER) "," ASSISTANT("1601626130348@AI.eazy.im")
                 "]",
                 "[" REF("COMPANY", LOWER) ","
                 REF("ASSISTANT", "1601626130348@ai.eazy.im") "]");

    /* names that are not known, and the other type's */

    assert_value(&rule,
                 "[{\"name\":1,\"id\":2,\"jid\":\"31611111111@sms.eazy.im\","
                 "\"type\":\"CHANNEL\"}]",
                 "[" REF("CHANNEL", "31611111111@sms.eazy.im") "]");

    assert_refused(&rule, "{}", "x must be an array of objects");
    assert_refused(&rule, "\"CHANNEL\"", "x must be an array of objects");
    assert_refused(&rule,
                   "[" COMPANY(LOWER) "," COMPANY(LOWER) "," COMPANY(LOWER)
                   "," COMPANY(LOWER) "," COMPANY(LOWER) "]",
                   "x has too many elements: at most 4");
    assert_refused(&rule,
                   "[" ASSISTANT("1601626130348@ai.eazy.im") ","
                   ASSISTANT("1601626130349@ai.eazy.im") "]",
                   "x must not have more than one ASSISTANT");
}


static void
test_objects_refused(void **state)
{
    size_t  i;

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_OBJECTS, 0, 0, 0, NULL
    };

    static const struct {
        const char  *element, *field, *what;
    } bad[] = {
        { "1", "x[1]", "x[1] must be an object" },
        { "null", "x[1]", "x[1] must be an object" },
        { "\"31611111111@sms.eazy.im\"", "x[1]", "x[1] must be an object" },
        { "[]", "x[1]", "x[1] must be an object" },
        { "{}", "x[1].type", "x[1].type is required" },
        { "{\"jid\":\"31611111111@sms.eazy.im\"}", "x[1].type",
          "x[1].type is required" },
        { "{\"type\":null}", "x[1].type",
          "x[1].type must be one of CHANNEL, ASSISTANT, COMPANY" },
        { "{\"type\":1}", "x[1].type",
          "x[1].type must be one of CHANNEL, ASSISTANT, COMPANY" },
        { "{\"type\":\"OWNER\"}", "x[1].type",
          "x[1].type must be one of CHANNEL, ASSISTANT, COMPANY" },
        { "{\"type\":\"channel\"}", "x[1].type",
          "x[1].type must be one of CHANNEL, ASSISTANT, COMPANY" },
        { "{\"type\":\"CHANNEL\\u0000\"}", "x[1].type",
          "x[1].type must be one of CHANNEL, ASSISTANT, COMPANY" },
        { "{\"type\":\"CHANNEL\"}", "x[1].jid", "x[1].jid is required" },
        { "{\"type\":\"CHANNEL\",\"id\":\"" LOWER "\"}", "x[1].jid",
          "x[1].jid is required" },
        { "{\"type\":\"ASSISTANT\"}", "x[1].jid", "x[1].jid is required" },
        { "{\"type\":\"COMPANY\"}", "x[1].id", "x[1].id is required" },
        { "{\"type\":\"COMPANY\",\"jid\":\"31611111111@sms.eazy.im\"}",
          "x[1].id", "x[1].id is required" },
        { "{\"type\":\"CHANNEL\",\"jid\":null}", "x[1].jid",
          "x[1].jid: Jid is invalid" },
        { "{\"type\":\"CHANNEL\",\"jid\":1}", "x[1].jid",
          "x[1].jid: Jid is invalid" },
        { CHANNEL(""), "x[1].jid", "x[1].jid: Jid is invalid" },
        { CHANNEL("31611111111"), "x[1].jid", "x[1].jid: Jid is invalid" },
        { CHANNEL("31611111111@sms.example.com"), "x[1].jid",
          "x[1].jid: Jid is invalid" },
        { CHANNEL("1601626130348@ai.eazy.im"), "x[1].jid",
          "x[1].jid: Jid is invalid" },
        { CHANNEL("1601626130348@team.eazy.im"), "x[1].jid",
          "x[1].jid: Jid is invalid" },
        { ASSISTANT("31611111111@sms.eazy.im"), "x[1].jid",
          "x[1].jid: Jid is invalid" },
        { ASSISTANT("1601626130348@team.eazy.im"), "x[1].jid",
          "x[1].jid: Jid is invalid" },
        { ASSISTANT(LOWER "@agent.eazy.im"), "x[1].jid",
          "x[1].jid: Jid is invalid" },
        { "{\"type\":\"COMPANY\",\"id\":null}", "x[1].id",
          "x[1].id must be a uuid" },
        { "{\"type\":\"COMPANY\",\"id\":7}", "x[1].id",
          "x[1].id must be a uuid" },
        { COMPANY(""), "x[1].id", "x[1].id must be a uuid" },
        { COMPANY("acme"), "x[1].id", "x[1].id must be a uuid" },
        { COMPANY("31611111111@sms.eazy.im"), "x[1].id",
          "x[1].id must be a uuid" }
    };

    char  text[256];

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "[" COMPANY(LOWER) ",%s,1]",
                 bad[i].element);
        assert_refused_as(&rule, text, bad[i].field, bad[i].what);
    }
}


/* The longest jid that there is, and one that no buffer is made for. */
static void
test_objects_long_jid(void **state)
{
    char  text[1024], expected[1024], jid[600];

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_OBJECTS, 0, 0, 0, NULL
    };

    (void) state;

    memset(jid, 'a', sizeof(jid));
    strcpy(jid + 128, "@my-chat.eazy.im");
    snprintf(text, sizeof(text), "[{\"type\":\"CHANNEL\",\"jid\":\"%s\"}]",
             jid);
    snprintf(expected, sizeof(expected),
             "[{\"type\":\"CHANNEL\",\"ref\":\"%s\"}]", jid);
    assert_value(&rule, text, expected);

    memset(jid, 'a', sizeof(jid));
    strcpy(jid + 580, "@my-chat.eazy.im");
    snprintf(text, sizeof(text), "[{\"type\":\"CHANNEL\",\"jid\":\"%s\"}]",
             jid);
    assert_refused_as(&rule, text, "x[0].jid", "x[0].jid: Jid is invalid");
}


static void
test_objects_strict(void **state)
{
    static const ezw_field_t  rule = {
        "x", EZW_FIELD_OBJECTS, 0, 0, 0, NULL
    };

    (void) state;

    conf.strict = 1;

    assert_value(&rule, "[" CHANNEL("31611111111@sms.eazy.im") ","
                        COMPANY(LOWER) "]",
                 "[" REF("CHANNEL", "31611111111@sms.eazy.im") ","
                 REF("COMPANY", LOWER) "]");
    assert_refused_as(&rule,
                      "[" COMPANY(LOWER) ",{\"type\":\"CHANNEL\","
                      "\"jid\":\"31611111111@sms.eazy.im\",\"name\":1}]",
                      "x[1].name", "Unknown field: x[1].name");
    assert_refused_as(&rule,
                      "[{\"type\":\"CHANNEL\",\"id\":\"" LOWER "\","
                      "\"jid\":\"31611111111@sms.eazy.im\"}]",
                      "x[0].id", "Unknown field: x[0].id");
    assert_refused_as(&rule,
                      "[{\"type\":\"COMPANY\",\"id\":\"" LOWER "\","
                      "\"jid\":\"31611111111@sms.eazy.im\"}]",
                      "x[0].jid", "Unknown field: x[0].jid");
}


static void
test_no_memory(void **state)
{
    int     rc;
    long    n;
    size_t  i;

    static const ezw_field_t  rules[] = {
        { "x", EZW_FIELD_CIDRS,   0, 0, 0, NULL },
        { "x", EZW_FIELD_OBJECTS, 0, 0, 0, NULL }
    };

    static const char *const  bodies[] = {
        "{\"x\":[\"10.0.0.1\",\"2001:db8::/32\"]}",
        "{\"x\":[" CHANNEL("31611111111@sms.eazy.im") "," COMPANY(LOWER) "]}"
    };

    (void) state;

    for (i = 0; i < 2; i++) {
        for (n = 0; ; n++) {
            arena_free(&arena);
            arena_init(&arena, n);
            rc = check_rules(&rules[i], 1, bodies[i]);

            if (rc == EZW_OK) {
                break;
            }

            assert_int_equal(rc, EZW_ERROR);
        }

        /* the elements, each, the text */

        assert_true(n >= 4);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_networks),
        TEST(test_networks_refused),
        TEST(test_bound),
        TEST(test_objects),
        TEST(test_objects_refused),
        TEST(test_objects_long_jid),
        TEST(test_objects_strict),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_fields: strings out of a list, URLs that may be called, the headers of
 * requests that are made for the caller. */

#include "fields.h"

#define MASK  "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"


static void
test_enums(void **state)
{
    char   text[128];
    size_t i;

    static const char *const  of[] = { "echo", "message", "typing", NULL };

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_ENUMS, 0, 1, 5, of
    };
    static const ezw_field_t  any = {
        "x", EZW_FIELD_ENUMS, EZW_NULLABLE, 0, 0, of
    };

    static const char *const  bad[] = {
        "\"\"", "\"Message\"", "\"message \"", "\"mess\"", "\"message\\u0000\"",
        "\"messages\""
    };

    (void) state;

    assert_value(&rule, "[\"message\"]", "[\"message\"]");
    assert_value(&rule, "[\"typing\",\"message\",\"echo\"]",
                 "[\"typing\",\"message\",\"echo\"]");
    assert_value(&rule,
                 "[\"typing\",\"typing\",\"message\",\"typing\",\"message\"]",
                 "[\"typing\",\"message\"]");
    assert_value(&any, "[]", "[]");
    assert_value(&any, "null", NULL);

    assert_refused(&rule, "null", "x must not be null");
    assert_refused(&rule, "\"message\"", "x must be an array of strings");
    assert_refused(&rule, "{}", "x must be an array of strings");
    assert_refused(&rule, "[]", "x has too few elements: at least 1");
    assert_refused(&rule,
                   "[\"echo\",\"echo\",\"echo\",\"echo\",\"echo\",\"echo\"]",
                   "x has too many elements: at most 5");
    assert_refused_as(&rule, "[\"echo\",1]", "x[1]", "x[1] must be a string");
    assert_refused_as(&rule, "[null]", "x[0]", "x[0] must be a string");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "[\"echo\",\"echo\",%s]", bad[i]);
        assert_refused_as(&rule, text, "x[2]",
                          "x[2] must be one of echo, message, typing");
    }
}


static void
test_url(void **state)
{
    char   *text;
    size_t  i;

    static const ezw_field_t  rule = { "x", EZW_FIELD_URL, 0, 0, 0, NULL };

    static const char *const  good[] = {
        "\"https://your.company.com/webhook\"",
        "\"https://example.com\"",
        "\"HTTPS://Example.COM:8443/a?b=c%20d&e\"",
        "\"https://8.8.8.8/\"",
        "\"https://[2606:4700::1111]/\"",
        "\"https://localhost.example.com/\"",
        "\"https://mylocal.example/\"",
    };

    static const struct {
        const char  *text;
        const char  *why;
    } bad[] = {
        { "\"\"", "it is empty" },
        { "\"http://example.com/\"", "it does not begin with https://" },
        { "\"ftp://example.com/\"",
          "it does not begin with https:// or http:// and a host" },
        { "\"https://user:pw@example.com/\"", "it names a user" },
        { "\"https://example.com/#x\"", "it has a fragment" },
        { "\"https://example.com/a b\"",
          "it has a character that must be escaped" },
        { "\"https://example.com/\\u0000\"",
          "it has a character that must be escaped" },
        { "\"https://caf\xc3\xa9.example/\"", "its host is none" },
        { "\"https://127.0.0.1/\"", "its host is a loopback address" },
        { "\"https://[::1]/\"", "its host is a loopback address" },
        { "\"https://10.1.2.3/\"", "its host is a private address" },
        { "\"https://192.168.0.1:8443/\"", "its host is a private address" },
        { "\"https://169.254.169.254/\"", "its host is a link-local address" },
        { "\"https://2130706433/\"",
          "its host is no IPv4 address in the canonical form" },
        { "\"https://0x7f.0.0.1/\"",
          "its host is no IPv4 address in the canonical form" },
        { "\"https://localhost/\"", "its host is a name of a local network" },
        { "\"https://LOCALHOST:1/\"", "its host is a name of a local network" },
        { "\"https://intranet/\"", "its host is a name of a local network" },
        { "\"https://a.localhost/\"", "its host is a name of a local network" },
        { "\"https://printer.local/\"",
          "its host is a name of a local network" },
        { "\"https://metadata.google.Internal/\"",
          "its host is a name of a local network" },
        { "\"https://box.home.arpa/\"",
          "its host is a name of a local network" },
    };

    char  why_text[192];

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        text = strdup(good[i]);
        text[strlen(text) - 1] = '\0';
        assert_value(&rule, good[i], text + 1);
        free(text);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(why_text, sizeof(why_text),
                 "x is no URL that may be called: %s", bad[i].why);
        assert_refused(&rule, bad[i].text, why_text);
    }

    assert_refused(&rule, "1", "x must be a string");
    assert_refused(&rule, "null", "x must not be null");

    text = malloc(2100);
    strcpy(text, "\"https://example.com/");
    memset(text + 21, 'a', 2048 - 20);
    strcpy(text + 1 + 2048, "\"");
    check_rules(&rule, 1, "{\"x\":\"https://example.com\"}");

    {
        char  expected[2049];

        memcpy(expected, text + 1, 2048);
        expected[2048] = '\0';
        assert_value(&rule, text, expected);
    }

    strcpy(text + 1 + 2048, "a\"");
    assert_refused(&rule, text,
                   "x is no URL that may be called: it is too long");
    free(text);
}


/* What the deployment allows beside is taken from the conf. */
static void
test_url_allowed(void **state)
{
    ezw_str_t        s = ezw_string("127.0.0.0/8");
    ezw_cidr_t       network;
    ezw_url_allow_t  allow;

    static const ezw_str_t    names[] = { ezw_string("intranet") };
    static const ezw_field_t  rule = { "x", EZW_FIELD_URL, 0, 0, 0, NULL };

    (void) state;

    assert_int_equal(ezw_cidr_parse(&s, &network), EZW_OK);

    allow.networks = &network;
    allow.nnetworks = 1;
    allow.names = names;
    allow.nnames = 1;
    conf.urls = &allow;

    assert_value(&rule, "\"http://127.0.0.1:81/\"", "http://127.0.0.1:81/");
    assert_value(&rule, "\"http://Intranet/x\"", "http://Intranet/x");

    conf.urls = NULL;

    assert_refused(&rule, "\"http://intranet/x\"",
                   "x is no URL that may be called: its host is a name of a "
                   "local network");
}


static void
test_headers(void **state)
{
    char   text[2048], expected[2048];
    char   a[1025];

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_HEADERS, 0, 0, 3, NULL
    };
    static const ezw_field_t  nullable = {
        "x", EZW_FIELD_HEADERS, EZW_NULLABLE, 0, 0, NULL
    };

    (void) state;

    assert_value(&rule, "{\"Authorization\":\"Bearer SomeApiKey\"}",
                 "{\"Authorization\":\"Bearer SomeApiKey\"}");
    assert_value(&rule, "{ \"X-b\": \"1\", \"x-A\" : \"\\\"\\\\~ !\" , \"c\":\"2\"}",
                 "{\"X-b\":\"1\",\"x-A\":\"\\\"\\\\~ !\",\"c\":\"2\"}");
    assert_value(&rule, "{\"!#$%&'*+-.^_`|~9\":\"x\"}",
                 "{\"!#$%&'*+-.^_`|~9\":\"x\"}");
    assert_value(&rule, "{}", "{}");
    assert_value(&rule, "[]", "{}");
    assert_value(&rule, "null", "{}");
    assert_value(&nullable, "null", NULL);

    memset(a, 'a', 1024);
    a[1024] = '\0';
    snprintf(text, sizeof(text), "{\"a\":\"%s\"}", a);
    strcpy(expected, text);
    assert_value(&rule, text, expected);

    snprintf(text, sizeof(text), "{\"a\":\"%sb\"}", a);
    assert_refused_as(&rule, text, "x.a", "x.a must have 1 to 1024 characters");
    assert_refused_as(&rule, "{\"a\":\"\"}", "x.a",
                      "x.a must have 1 to 1024 characters");

    assert_refused(&rule, "[1]", "x must be an object");
    assert_refused(&rule, "\"a: b\"", "x must be an object");
    assert_refused(&rule, "{\"a\":\"1\",\"b\":\"1\",\"c\":\"1\",\"d\":\"1\"}",
                   "x has too many names: at most 3");

    assert_refused_as(&rule, "{\"a\":1}", "x.a", "x.a must be a string");
    assert_refused_as(&rule, "{\"a\":null}", "x.a", "x.a must be a string");
    assert_refused_as(&rule, "{\"a\":{}}", "x.a", "x.a must be a string");
    assert_refused_as(&rule, "{\"a-b\":\"1\",\"A-B\":\"2\"}", "x.a-b",
                      "x.a-b is given twice");
}


static void
test_headers_refused(void **state)
{
    char    text[256], field[128], what[320];
    size_t  i;

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_HEADERS, 0, 0, 0, NULL
    };

    static const char *const  reserved[] = {
        "Connection", "Content-Length", "content-type", "Content-Encoding",
        "Content-", "EXPECT", "Host", "http2-settings", "Keep-Alive",
        "Proxy-Authorization", "proxy-connection", "TE", "traceparent",
        "Tracestate", "Trailer", "Transfer-Encoding", "upgrade", "User-Agent",
        "webhook-id", "Webhook-Signature", "WEBHOOK-X"
    };

    static const char *const  names[] = {
        "", "a b", "a:", "a\\r\\nb", "(", "caf\xc3\xa9", "a/b", "\\\"",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    };

    static const char *const  bad[] = {
        " a", "a ", "a\\tb", "a\\r\\nb: c", "a\\nb", "\\u007f", "\\u0000",
        "caf\xc3\xa9", MASK, "\\u0080"
    };

    (void) state;

    for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        snprintf(text, sizeof(text), "{\"a\":\"1\",\"%s\":\"x\"}", reserved[i]);
        snprintf(field, sizeof(field), "x.%s", reserved[i]);
        snprintf(what, sizeof(what), "%s is not for the caller to set", field);
        assert_refused_as(&rule, text, field, what);
    }

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(text, sizeof(text), "{\"%s\":\"x\"}", names[i]);
        assert_int_equal(ezw_fields_slots(&rule, 1), 1);
        snprintf(what, sizeof(what), "{\"x\":%s}", text);
        assert_int_equal(check_rules(&rule, 1, what), EZW_INVALID);
        assert_non_null(strstr(why.text, " is no name of a header"));
        assert_memory_equal(why.field, "x.", 2);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "{\"a\":\"%s\"}", bad[i]);
        assert_refused_as(&rule, text, "x.a",
                          "x.a must be visible ASCII, with blanks inside only");
    }

    /* twenty where the rule has no bound of its own */

    strcpy(text, "{");
    for (i = 0; i < 21; i++) {
        snprintf(text + strlen(text), 16, "%s\"a%u\":\"1\"", i ? "," : "",
                 (unsigned) i);
    }
    strcat(text, "}");
    assert_refused(&rule, text, "x has too many names: at most 20");
}


/* What a read tells of a value may be sent back. */
static void
test_mask(void **state)
{
    static const ezw_field_t  rule = {
        "x", EZW_FIELD_HEADERS, EZW_READ_BACK, 0, 0, NULL
    };

    (void) state;

    assert_value(&rule, "{\"a\":\"" MASK "\",\"b\":\"1\"}",
                 "{\"a\":\"" MASK "\",\"b\":\"1\"}");
    assert_refused_as(&rule, "{\"a\":\"" MASK "x\"}", "x.a",
                      "x.a must be visible ASCII, with blanks inside only");
    assert_refused_as(&rule, "{\"Host\":\"" MASK "\"}", "x.Host",
                      "x.Host is not for the caller to set");
}


/* Whichever allocation fails: EZW_ERROR, and nothing is left. */
static void
test_no_memory(void **state)
{
    int      n, rc;
    json_t  *body;
    char     text[4096];

    static const char *const  of[] = { "echo", "message", NULL };

    static const ezw_field_t  rules[] = {
        { "url", EZW_FIELD_URL, 0, 0, 0, NULL },
        { "events", EZW_FIELD_ENUMS, 0, 1, 0, of },
        { "headers", EZW_FIELD_HEADERS, 0, 0, 0, NULL },
    };

    (void) state;

    snprintf(text, sizeof(text),
             "{\"url\":\"https://example.com/\",\"events\":[\"echo\"],"
             "\"headers\":{\"a\":\"%0600d\",\"b\":\"%0900d\"}}", 1, 2);
    body = json_loads(text, 0, NULL);

    for (n = 0; ; n++) {
        arena_free(&arena);
        arena_init(&arena, n);
        rc = ezw_fields_check(&conf, rules, 3, body, values, &why);

        if (rc == EZW_OK) {
            break;
        }

        assert_int_equal(rc, EZW_ERROR);
    }

    assert_true(n > 3);
    json_decref(body);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_enums),
        TEST(test_url),
        TEST(test_url_allowed),
        TEST(test_headers),
        TEST(test_headers_refused),
        TEST(test_mask),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

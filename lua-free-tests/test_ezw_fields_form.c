/* ezw_fields: strings that leave in one form. */

#include "fields.h"


static void
test_time(void **state)
{
    size_t  i;

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_TIME, 0, 0, 0, NULL
    };

    static const struct {
        const char  *given, *expected;
    } good[] = {
        { "\"2020-03-11T19:53:02Z\"", "2020-03-11T19:53:02.000000Z" },
        { "\"2020-03-11t19:53:02.5z\"", "2020-03-11T19:53:02.500000Z" },
        { "\"2020-03-11T19:53:02.123456+05:30\"",
          "2020-03-11T14:23:02.123456Z" },
        { "\"2020-12-31T23:30:00-01:00\"", "2021-01-01T00:30:00.000000Z" },
        { "\"2016-12-31T23:59:60Z\"", "2017-01-01T00:00:00.000000Z" },
        { "\"2000-02-29T00:00:00-00:00\"", "2000-02-29T00:00:00.000000Z" },
        { "\"0001-01-01T00:00:00Z\"", "0001-01-01T00:00:00.000000Z" },
        { "\"9999-12-31T23:59:59.999999Z\"", "9999-12-31T23:59:59.999999Z" }
    };

    static const char *const  bad[] = {
        "\"\"", "\"2020-03-11\"", "\"2020-03-11T19:53:02\"",
        "\"2020-03-11 19:53:02Z\"", "\"2020-02-30T00:00:00Z\"",
        "\"2020-03-11T24:00:00Z\"", "\"2020-03-11T19:53:02.1234567Z\"",
        "\" 2020-03-11T19:53:02Z\"", "\"2020-03-11T19:53:02Z\\n\"",
        "\"2020-03-11T19:53:02Z\\u0000\"", "\"now\"", "\"infinity\"",

        /* what Postgres does not read */

        "\"0000-12-31T23:59:59Z\"", "\"0001-01-01T00:59:59+01:00\"",
        "\"9999-12-31T23:59:59-00:01\""
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_value(&rule, good[i].given, good[i].expected);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(&rule, bad[i], "x must be an RFC 3339 date-time");
    }

    assert_refused(&rule, "1583956382", "x must be a string");
    assert_refused(&rule, "{}", "x must be a string");
    assert_refused(&rule, "null", "x must not be null");
}


static void
test_email(void **state)
{
    size_t  i;

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_EMAIL, 0, 0, 0, NULL
    };

    static const struct {
        const char  *given, *expected;
    } good[] = {
        { "\"a@b\"", "a@b" },
        { "\"Mary.O'Neil+tag@Mail.EXAMPLE-1.com\"",
          "mary.o'neil+tag@mail.example-1.com" },
        { "\"A[\\\\]^_`{|}~@Z.com\"", "a[\\]^_`{|}~@z.com" },
        { "\"\\u0041@b.c\"", "a@b.c" },
        { "\"1@1\"", "1@1" },
        { "\"a@0189-az.AZ\"", "a@0189-az.az" }
    };

    static const char *const  bad[] = {
        "\"\"", "\"a\"", "\"@\"", "\"@b\"", "\"a@\"", "\"a@b@c\"",
        "\"a@@b\"", "\" a@b\"", "\"a@b \"", "\"a b@c\"", "\"a@b c\"",
        "\"a@b\\n\"", "\"a\\t@b\"", "\"a\\u007f@b\"", "\"a\\u0000@b\"",
        "\"a@b\\u0000\"", "\"a@b_c\"", "\"a@[127.0.0.1]\"", "\"a@b:1\"",
        "\"a@.b\"", "\"a@b.\"", "\"a@b..c\"", "\"a@.\"",
        "\"<a@b>\"", "\"a@b,c@d\"", "\"caf\xc3\xa9@b\"", "\"a@caf\xc3\xa9\"",
        "\"\xc3\x89@b\"", "\"a@\xe2\x84\xaa\""
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_value(&rule, good[i].given, good[i].expected);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(&rule, bad[i], "x must be an e-mail address");
    }

    assert_refused(&rule, "1", "x must be a string");
    assert_refused(&rule, "[\"a@b\"]", "x must be a string");
    assert_refused(&rule, "null", "x must not be null");
}


/* A local part and a domain of so many letters. */
static void
assert_email(const ezw_field_t *rule, unsigned local, unsigned domain,
    int taken)
{
    char  text[512], expected[512];

    assert_true(local + domain + 4 < sizeof(text));

    memset(expected, 'a', sizeof(expected));
    expected[local] = '@';
    expected[local + 1 + domain] = '\0';
    snprintf(text, sizeof(text), "\"%.500s\"", expected);

    if (taken) {
        assert_value(rule, text, expected);

    } else {
        assert_refused(rule, text, "x must be an e-mail address");
    }
}


static void
test_email_length(void **state)
{
    static const ezw_field_t  rule = {
        "x", EZW_FIELD_EMAIL, 0, 0, 0, NULL
    };

    (void) state;

    assert_email(&rule, 64, 189, 1);
    assert_email(&rule, 64, 190, 0);
    assert_email(&rule, 63, 190, 1);
    assert_email(&rule, 63, 191, 0);
    assert_email(&rule, 62, 191, 0);
    assert_email(&rule, 65, 10, 0);
    assert_email(&rule, 1, 190, 1);
    assert_email(&rule, 1, 191, 0);
    assert_email(&rule, 100, 300, 0);
}


#define BASE64  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


static void
test_key(void **state)
{
    size_t  i;

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_KEY, 0, 0, 0, NULL
    };

    static const char *const  bad[] = {
        "\"\"", "\"=\"", "\"AAAA\"",

        /* 31, 33 and 34 bytes, and 32 that are not written as they must be */

        "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==\"",
        "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg\"",
        "\"" BASE64 "g\"", "\"" BASE64 "gIQ==\"", "\"" BASE64 "gIQ\"",
        "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\"",
        "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9\"",
        "\"" BASE64 "==\"", "\"" BASE64 " \"", "\" " BASE64 "\"",
        "\"" BASE64 "\\n\"", "\"" BASE64 "=\\n\"",
        "\"=AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"",
        "\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=\"",

        /* base64url, hex */

        "\"-_ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"",
        "\"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "\"",
        "\"\\u0000AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\""
    };

    (void) state;

    assert_value(&rule, "\"" BASE64 "\"", BASE64 "=");
    assert_value(&rule, "\"" BASE64 "=\"", BASE64 "=");
    assert_value(&rule, "\"+/ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"",
                 "+/ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(&rule, bad[i], "x is not base64 of 32 bytes");
    }

    assert_refused(&rule, "1", "x must be a string");
    assert_refused(&rule, "null", "x must not be null");
}


/* What was read of a key may come back with the rest, where the rule says so:
 * then it is as if it were not there. */
static void
test_read_back(void **state)
{
    size_t  i;

    static const ezw_field_t  rules[] = {
        { "x", EZW_FIELD_KEY, EZW_NULLABLE|EZW_READ_BACK, 0, 0, NULL },
        { "y", EZW_FIELD_BOOLEAN, 0, 0, 0, NULL }
    };

    static const ezw_field_t  plain = {
        "x", EZW_FIELD_KEY, EZW_NULLABLE, 0, 0, NULL
    };

    static const char *const  bad[] = {
        "\"\"", "\"sha256:\"", "\"sha256:0123456789abcde\"",
        "\"sha256:0123456789abcdef0\"", "\"sha256:0123456789ABCDEF\"",
        "\"SHA256:0123456789abcdef\"", "\"sha256:0123456789abcdeg\"",
        "\"sha256:0123456789abcdef \"", "\"sha256 0123456789abcdef\"",
        "\"sha256:0123456789abcde\\u0000\""
    };

    (void) state;

    assert_int_equal(check(rules, "{\"x\":\"sha256:0123456789abcdef\","
                                  "\"y\":true}"),
                     EZW_OK);
    assert_int_equal(values[0].present, 0);
    assert_null(values[0].data);
    assert_value_at(&values[1], "t");

    assert_value(&rules[0], "null", NULL);
    assert_value(&rules[0], "\"" BASE64 "\"", BASE64 "=");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(&rules[0], bad[i], "x is not base64 of 32 bytes");
    }

    assert_refused(&rules[0], "1", "x must be a string");
    assert_refused(&plain, "\"sha256:0123456789abcdef\"",
                   "x is not base64 of 32 bytes");
}


static void
test_uuid(void **state)
{
    size_t  i;

    static const ezw_field_t  rule = {
        "x", EZW_FIELD_UUID, EZW_NULLABLE, 0, 0, NULL
    };

    static const char *const  bad[] = {
        "\"\"", "\"509000e905c943a9b6f170f1c6a5448a\"",
        "\"{509000e9-05c9-43a9-b6f1-70f1c6a5448a}\"",
        "\"509000e9-05c9-43a9-b6f1-70f1c6a5448\"",
        "\"509000e9-05c9-43a9-b6f1-70f1c6a5448aa\"",
        "\"509000g9-05c9-43a9-b6f1-70f1c6a5448a\"",
        "\"509000e9-05c9-43a9-b6f1-70f1c6a5448a\\u0000\""
    };

    (void) state;

    assert_value(&rule, "\"509000e9-05c9-43a9-b6f1-70f1c6a5448a\"",
                 "509000e9-05c9-43a9-b6f1-70f1c6a5448a");
    assert_value(&rule, "\"509000E9-05C9-43A9-B6F1-70F1C6A5448A\"",
                 "509000e9-05c9-43a9-b6f1-70f1c6a5448a");
    assert_value(&rule, "null", NULL);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(&rule, bad[i], "x must be a uuid");
    }

    assert_refused(&rule, "1", "x must be a string");
}


static void
test_no_memory(void **state)
{
    size_t  i;

    static const struct {
        ezw_field_t  rule;
        const char  *body;
    } values[] = {
        { { "x", EZW_FIELD_TIME, 0, 0, 0, NULL },
          "{\"x\":\"2020-03-11T19:53:02Z\"}" },
        { { "x", EZW_FIELD_EMAIL, 0, 0, 0, NULL }, "{\"x\":\"a@b\"}" },
        { { "x", EZW_FIELD_KEY, 0, 0, 0, NULL }, "{\"x\":\"" BASE64 "\"}" },
        { { "x", EZW_FIELD_UUID, 0, 0, 0, NULL },
          "{\"x\":\"509000e9-05c9-43a9-b6f1-70f1c6a5448a\"}" }
    };

    (void) state;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        arena.left = 0;
        assert_int_equal(check_rules(&values[i].rule, 1, values[i].body),
                         EZW_ERROR);
        arena.left = 1;
        assert_int_equal(check_rules(&values[i].rule, 1, values[i].body),
                         EZW_OK);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_time),
        TEST(test_email),
        TEST(test_email_length),
        TEST(test_key),
        TEST(test_read_back),
        TEST(test_uuid),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_fields: objects of fields, and what rules of them say of their
 * elements and of who may write them. */

#include "fields.h"


static const char *const  kinds[] = { "AUTO", "BEAUTY", NULL };

static const ezw_field_t  site[] = {
    { .type = EZW_FIELD_STRING, .min = 1, .max = 5 }
};

static const ezw_field_t  deep[] = {
    { .name = "x", .type = EZW_FIELD_INTEGER, .flags = EZW_NULLABLE,
      .max = 9 }
};

static const ezw_field_t  profile[] = {
    { .name = "email", .type = EZW_FIELD_EMAIL,
      .flags = EZW_NULLABLE|EZW_AS_WRITTEN, .max = 12 },
    { .name = "vertical", .type = EZW_FIELD_ENUM, .flags = EZW_REQUIRED,
      .values = kinds },
    { .name = "websites", .type = EZW_FIELD_STRINGS, .max = 2,
      ezw_fields(site) },
    { .name = "person", .type = EZW_FIELD_NAME, .max = 20 },
    { .name = "deep", .type = EZW_FIELD_OBJECT, .flags = EZW_NULLABLE,
      ezw_fields(deep) },
    { .name = "id", .type = EZW_FIELD_READONLY }
};

static const ezw_field_t  rules[] = {
    { .name = "about", .type = EZW_FIELD_STRING },
    { .name = "profile", .type = EZW_FIELD_OBJECT, .flags = EZW_NULLABLE,
      ezw_fields(profile) },
    { .name = "days", .type = EZW_FIELD_INTEGER, .flags = EZW_OWNER,
      .min = 1, .max = 3650 }
};

#define N  (sizeof(rules) / sizeof(rules[0]))


static int
slot(const char *name)
{
    return ezw_fields_slot(rules, N, name, strlen(name));
}


static void
test_slots(void **state)
{
    size_t  i;

    static const struct {
        const char  *name;
        int          slot;
    } slots[] = {
        { "about", 0 },
        { "profile", 1 },
        { "profile.email", 2 },
        { "profile.vertical", 3 },
        { "profile.websites", 4 },
        { "profile.person", 5 },
        { "profile.person.fullName", 5 },
        { "profile.person.lastName", 7 },
        { "profile.deep", 8 },
        { "profile.deep.x", 9 },
        { "days", 10 },
        { "profile.", -1 },
        { "profile.id", -1 },
        { "profile.about", -1 },
        { "profile.deep.y", -1 },
        { "profile.email.x", -1 },
        { "email", -1 },
        { "x", -1 }
    };

    (void) state;

    assert_int_equal(ezw_fields_slots(rules, N), 11);

    for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        assert_int_equal(slot(slots[i].name), slots[i].slot);
    }
}


static void
test_values(void **state)
{
    (void) state;

    assert_int_equal(check(rules, "{\"about\":\"a\",\"profile\":{\"email\":"
                                  "\"Me@X.nl\",\"vertical\":\"AUTO\","
                                  "\"websites\":[\"a\",\"b\"],\"person\":"
                                  "\"Jane Doe\",\"deep\":{\"x\":7},"
                                  "\"id\":[],\"other\":1}}"),
                     EZW_OK);
    assert_value_at(&values[slot("about")], "a");
    assert_value_at(&values[slot("profile")], "t");
    assert_value_at(&values[slot("profile.email")], "Me@X.nl");
    assert_value_at(&values[slot("profile.vertical")], "AUTO");
    assert_value_at(&values[slot("profile.websites")], "[\"a\",\"b\"]");
    assert_value_at(&values[slot("profile.person.firstName")], "Jane");
    assert_value_at(&values[slot("profile.person.lastName")], "Doe");
    assert_value_at(&values[slot("profile.deep")], "t");
    assert_value_at(&values[slot("profile.deep.x")], "7");
    assert_int_equal(values[slot("days")].present, 0);
}


/* Absent, null and there are three things, at every depth. */
static void
test_absent(void **state)
{
    unsigned  i;

    (void) state;

    assert_int_equal(check(rules, "{}"), EZW_OK);

    for (i = 0; i < 11; i++) {
        assert_int_equal(values[i].present, 0);
        assert_null(values[i].data);
    }

    assert_int_equal(check(rules, "{\"profile\":null}"), EZW_OK);

    for (i = 1; i < 10; i++) {
        assert_value_at(&values[i], NULL);
    }

    assert_int_equal(values[0].present, 0);
    assert_int_equal(values[10].present, 0);

    assert_int_equal(check(rules, "{\"profile\":{\"vertical\":\"BEAUTY\","
                                  "\"email\":null,\"deep\":null}}"),
                     EZW_OK);
    assert_value_at(&values[slot("profile")], "t");
    assert_value_at(&values[slot("profile.email")], NULL);
    assert_value_at(&values[slot("profile.deep")], NULL);
    assert_value_at(&values[slot("profile.deep.x")], NULL);
    assert_int_equal(values[slot("profile.websites")].present, 0);
    assert_int_equal(values[slot("profile.person")].present, 0);

    assert_int_equal(check(rules, "{\"profile\":{\"vertical\":\"BEAUTY\","
                                  "\"deep\":{}}}"),
                     EZW_OK);
    assert_value_at(&values[slot("profile.deep")], "t");
    assert_int_equal(values[slot("profile.deep.x")].present, 0);
}


static void
refused(const char *text, const char *field, const char *what)
{
    if (check_rules(rules, N, text) != EZW_INVALID) {
        fail_msg("%s was taken", text);
    }

    assert_int_equal(why.code, 1005);
    assert_string_equal(why.text, what);
    assert_string_equal(why.field, field);
}


static void
test_refused(void **state)
{
    (void) state;

    refused("{\"profile\":7}", "profile", "profile must be an object");
    refused("{\"profile\":[]}", "profile", "profile must be an object");
    refused("{\"profile\":{}}", "profile.vertical",
            "profile.vertical is required");
    refused("{\"profile\":{\"vertical\":null}}", "profile.vertical",
            "profile.vertical must not be null");
    refused("{\"profile\":{\"vertical\":\"x\"}}", "profile.vertical",
            "profile.vertical must be one of AUTO, BEAUTY");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"email\":\"x\"}}",
            "profile.email", "profile.email must be an e-mail address");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"email\":"
            "\"abcdefg@ab.nl\"}}",
            "profile.email",
            "profile.email is too long: at most 12 characters");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"websites\":null}}",
            "profile.websites", "profile.websites must not be null");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"websites\":[\"a\",\"b\","
            "\"c\"]}}", "profile.websites",
            "profile.websites has too many elements: at most 2");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"websites\":[\"a\",7]}}",
            "profile.websites",
            "profile.websites must be an array of strings");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"websites\":[\"a\","
            "\"abcdef\"]}}", "profile.websites[1]",
            "profile.websites[1] is too long: at most 5 characters");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"websites\":[\"\"]}}",
            "profile.websites[0]",
            "profile.websites[0] is too short: at least 1 character");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"deep\":{\"x\":10}}}",
            "profile.deep.x", "profile.deep.x must be between 0 and 9");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"deep\":1}}",
            "profile.deep", "profile.deep must be an object");
}


static void
test_strict(void **state)
{
    (void) state;

    conf.strict = 1;

    refused("{\"profile\":{\"vertical\":\"AUTO\",\"colour\":1}}",
            "profile.colour", "Unknown field: profile.colour");
    refused("{\"profile\":{\"vertical\":\"AUTO\",\"deep\":{\"y\":1}}}",
            "profile.deep.y", "Unknown field: profile.deep.y");
    refused("{\"colour\":{}}", "colour", "Unknown field: colour");
    assert_int_equal(check(rules, "{\"days\":1,\"profile\":{\"vertical\":"
                                  "\"AUTO\",\"id\":1,\"deep\":{}}}"),
                     EZW_OK);
}


/* To others an owner's field is one that is only read. */
static void
test_owner(void **state)
{
    (void) state;

    assert_int_equal(check(rules, "{\"days\":\"x\"}"), EZW_OK);
    assert_int_equal(values[slot("days")].present, 0);
    assert_null(values[slot("days")].data);

    conf.owner = 1;

    assert_int_equal(check(rules, "{\"days\":30}"), EZW_OK);
    assert_value_at(&values[slot("days")], "30");
    refused("{\"days\":\"x\"}", "days", "days must be an integer");
    refused("{\"days\":0}", "days", "days must be between 1 and 3650");
    refused("{\"days\":null}", "days", "days must not be null");

    conf.owner = 0;
}


/* A name that is too long for the error is cut, not overrun. */
static void
test_long_name(void **state)
{
    char  text[4096];

    (void) state;

    conf.strict = 1;
    snprintf(text, sizeof(text), "{\"profile\":{\"vertical\":\"AUTO\","
             "\"%01000d\":1}}", 1);
    assert_int_equal(check_rules(rules, N, text), EZW_INVALID);
    assert_int_equal(strlen(why.field), sizeof(why.field) - 1);
    assert_int_equal(strncmp(why.field, "profile.0000", 12), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_slots),
        TEST(test_values),
        TEST(test_absent),
        TEST(test_refused),
        TEST(test_strict),
        TEST(test_owner),
        TEST(test_long_name)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

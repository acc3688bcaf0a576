/* ezw_fields: every type's rules, limits on both sides, texts of refusals. */

#include "fields.h"


/* A JSON string of n times a character. */
static char *
repeat(const char *character, unsigned n)
{
    char    *s, *d;
    size_t   len;

    len = strlen(character);
    s = malloc(n * len + 3);
    d = s;
    *d++ = '"';

    while (n--) {
        memcpy(d, character, len);
        d += len;
    }

    strcpy(d, "\"");

    return s;
}


/* The JSON string s, which has no escapes, leaves as it is. */
static void
assert_string(const ezw_field_t *rule, const char *s)
{
    char  *expected;

    expected = strdup(s + 1);
    expected[strlen(expected) - 1] = '\0';
    assert_value(rule, s, expected);
    free(expected);
}


static void
test_slots(void **state)
{
    static const ezw_field_t  rules[] = {
        { "jid",       EZW_FIELD_JID,      0, 0, 0, NULL },
        { "id",        EZW_FIELD_READONLY, 0, 0, 0, NULL },
        { "name",      EZW_FIELD_NAME,     0, 0, 255, NULL },
        { "message",   EZW_FIELD_MESSAGE,  0, 0, 0, NULL },
        { "reference", EZW_FIELD_STRING,   0, 0, 255, NULL }
    };

    static const struct {
        const char  *name;
        int          slot;
    } slots[] = {
        { "jid", 0 }, { "name", 1 }, { "name.fullName", 1 },
        { "name.firstName", 2 }, { "name.lastName", 3 }, { "message", 4 },
        { "message.type", 5 }, { "message.quoted", 6 },
        { "message.catalog", 7 }, { "message.template.name", 8 },
        { "message.template.language", 9 },
        { "message.template.parameters", 10 }, { "reference", 11 },
        { "id", -1 }, { "", -1 }, { "nam", -1 }, { "names", -1 },
        { "name.", -1 }, { "name.first", -1 }, { "name.lastNames", -1 },
        { "message.body", -1 }, { "message.", -1 },
        { "message.template", -1 }, { "jid.x", -1 }, { "reference.", -1 },
        { "Name", -1 }
    };

    size_t  i;

    (void) state;

    assert_int_equal(ezw_fields_slots(rules, 5), 12);
    assert_int_equal(ezw_fields_slots(rules, 2), 1);
    assert_int_equal(ezw_fields_slots(NULL, 0), 0);

    for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        if (ezw_fields_slot(rules, 5, slots[i].name, strlen(slots[i].name))
            != slots[i].slot)
        {
            fail_msg("slot of %s", slots[i].name);
        }
    }

    /* the length counts, not what stands behind it */

    assert_int_equal(ezw_fields_slot(rules, 5, "name.fullNameX", 13), 1);
    assert_int_equal(ezw_fields_slot(rules, 5, "nameX", 4), 1);
}


static int
parse(const char *text, size_t len)
{
    int         rc;
    json_t     *body;
    ezw_str_t   s;

    s = tight(text, len);
    memset(&why, 0, sizeof(why));
    rc = ezw_fields_parse(s.data, s.len, &body, &why);
    free(s.data);

    if (rc == EZW_OK) {
        assert_true(json_is_object(body));
        json_decref(body);

    } else {
        assert_null(body);
    }

    if (rc == EZW_INVALID) {
        assert_int_equal(why.code, 1005);
        assert_string_equal(why.field, "");
    }

    return rc;
}

#define PARSE_OK(text)                                                        \
    assert_int_equal(parse(text, sizeof(text) - 1), EZW_OK)

#define PARSE_BAD(given, what)                                                 \
    do {                                                                      \
        assert_int_equal(parse(given, sizeof(given) - 1), EZW_INVALID);       \
        assert_string_equal(why.text, what);                                  \
    } while (0)


static void
test_parse(void **state)
{
    (void) state;

    PARSE_OK("{}");
    PARSE_OK(" {\"a\":[1,2.5,true,null,\"x\"]}\r\n");
    PARSE_OK("{\"\xc3\xa9\":\"\xf0\x9f\x98\x8e\"}");
    PARSE_OK("{\"a\":1,\"A\":2}");

    PARSE_BAD("", "Body must be a JSON object");
    PARSE_BAD("[]", "Body must be a JSON object");
    PARSE_BAD("\"a\"", "Body must be a JSON object");
    PARSE_BAD("1", "Body must be a JSON object");
    PARSE_BAD("null", "Body must be a JSON object");
    PARSE_BAD("{\"a\":1,\"a\":2}", "Body has a duplicate key");
    PARSE_BAD("{\"a\":{\"b\":1,\"b\":2}}", "Body has a duplicate key");
    PARSE_BAD("{\"a\":1,\"\\u0061\":2}", "Body has a duplicate key");
    PARSE_BAD("{\"a\":\"\\u0000\"}", "Body must not contain \\u0000");
    PARSE_BAD("{\"\\u0000\":1}", "Body must not contain \\u0000");
    PARSE_BAD("{\"a\":\"\xff\"}", "Body is not valid UTF-8");
    PARSE_BAD("{\"a\":\"\xed\xa0\x80\"}", "Body is not valid UTF-8");
    PARSE_BAD("{\"a\":\"\xe2\x82", "Body is not valid UTF-8");
    PARSE_BAD("{\"\xc0\xaf\":1}", "Body is not valid UTF-8");
    PARSE_BAD("{\"a\":\"\xf4\x90\x80\x80\"}", "Body is not valid UTF-8");
    PARSE_BAD("{\xff}", "Body is not valid UTF-8");
    PARSE_BAD("{}\x80", "Body is not valid UTF-8");
}


static void
test_parse_syntax(void **state)
{
    size_t  i;

    static const char *const  bad[] = {
        " ", "{", "}", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "{'a':1}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":+1}", "{\"a\":NaN}",
        "{\"a\":tru}", "{\"a\":\"\n\"}", "{\"a\":\"\\x\"}",
        "{\"a\":\"\\ud800\"}", "{} {}", "{}x", "{\"a\":1e999}",
        "{\"a\":9223372036854775808}", "\xef\xbb\xbf{}"
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(bad[i], strlen(bad[i])) != EZW_INVALID
            || strncmp(why.text, "Body is not valid JSON (line ",
                       sizeof("Body is not valid JSON (line ") - 1)
               != 0)
        {
            fail_msg("%s: %s", bad[i], why.text);
        }
    }

    PARSE_BAD("{\"a\"}", "Body is not valid JSON (line 1, column 5)");
    PARSE_BAD("{\n\"a\"}", "Body is not valid JSON (line 2, column 4)");

    /* raw NUL bytes, wherever they stand */

    assert_int_equal(parse("{\"a\":\"\0\"}", 9), EZW_INVALID);
    assert_int_equal(parse("{}\0", 3), EZW_INVALID);
    assert_int_equal(parse("\0{}", 3), EZW_INVALID);
    assert_int_equal(parse("{\0}", 3), EZW_INVALID);
}


static void
test_parse_depth(void **state)
{
    char      text[128], *p;
    unsigned  i, depth;

    (void) state;

    for (depth = 32; depth <= 33; depth++) {
        p = text + sprintf(text, "{\"[[[[[[[[[[\":");

        for (i = 1; i < depth; i++) {
            *p++ = '[';
        }

        for (i = 1; i < depth; i++) {
            *p++ = ']';
        }

        *p++ = '}';

        if (depth == 32) {
            assert_int_equal(parse(text, p - text), EZW_OK);

        } else {
            assert_int_equal(parse(text, p - text), EZW_INVALID);
            assert_string_equal(why.text, "Body is nested too deeply");
        }
    }
}


static long  mallocs_left, mallocs_live;


static void *
limited_malloc(size_t size)
{
    if (mallocs_left == 0) {
        return NULL;
    }

    mallocs_left--;
    mallocs_live++;

    return malloc(size);
}


static void
counting_free(void *p)
{
    if (p != NULL) {
        mallocs_live--;
    }

    free(p);
}


/* The parser calls some of its failures a syntax error; none may pass for a
 * body, and none may leak. */
static void
test_parse_no_memory(void **state)
{
    int       rc;
    long      n;
    unsigned  errors;

    (void) state;

    json_set_alloc_funcs(limited_malloc, counting_free);

    errors = 0;

    for (n = 0; ; n++) {
        mallocs_left = n;
        mallocs_live = 0;
        rc = parse("{\"a\":{\"b\":[1,\"x\",2.5]}}", 23);

        if (rc == EZW_OK || mallocs_live != 0) {
            break;
        }

        errors += (rc == EZW_ERROR);
    }

    json_set_alloc_funcs(malloc, free);

    assert_int_equal(mallocs_live, 0);
    assert_true(n > 3);
    assert_true(errors > 0);
}


static void
test_presence(void **state)
{
    static const ezw_field_t  rules[] = {
        { "a", EZW_FIELD_STRING, EZW_REQUIRED, 0, 0, NULL },
        { "b", EZW_FIELD_STRING, EZW_NULLABLE, 0, 0, NULL },
        { "c", EZW_FIELD_STRING, 0, 0, 0, NULL },
        { "d", EZW_FIELD_STRING, EZW_REQUIRED|EZW_NULLABLE, 0, 0, NULL }
    };

    (void) state;

    assert_int_equal(check(rules, "{\"a\":\"1\",\"b\":null,\"d\":null,"
                                  "\"e\":{}}"),
                     EZW_OK);
    assert_value_at(&values[0], "1");
    assert_value_at(&values[1], NULL);
    assert_int_equal(values[2].present, 0);
    assert_null(values[2].data);
    assert_int_equal(values[2].len, 0);
    assert_value_at(&values[3], NULL);

    assert_int_equal(check(rules, "{\"d\":null}"), EZW_INVALID);
    assert_string_equal(why.text, "a is required");
    assert_string_equal(why.field, "a");
    assert_int_equal(why.code, 1005);

    assert_int_equal(check(rules, "{\"a\":null,\"d\":null}"), EZW_INVALID);
    assert_string_equal(why.text, "a must not be null");

    assert_int_equal(check(rules, "{\"a\":\"\",\"c\":null,\"d\":null}"),
                     EZW_INVALID);
    assert_string_equal(why.text, "c must not be null");

    assert_int_equal(check(rules, "{\"a\":\"\"}"), EZW_INVALID);
    assert_string_equal(why.text, "d is required");
}


static void
test_strict(void **state)
{
    char      text[256], what[256];
    unsigned  i;

    static const ezw_field_t  rules[] = {
        { "a",  EZW_FIELD_STRING,   EZW_REQUIRED, 0, 0, NULL },
        { "id", EZW_FIELD_READONLY, EZW_REQUIRED, 0, 0, NULL }
    };

    (void) state;

    assert_int_equal(check(rules, "{\"a\":\"1\",\"b\":2}"), EZW_OK);

    conf.strict = 1;

    assert_int_equal(check(rules, "{\"a\":\"1\",\"id\":{\"x\":[]}}"), EZW_OK);
    assert_value_at(&values[0], "1");

    assert_int_equal(check(rules, "{\"b\":2}"), EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: b");
    assert_string_equal(why.field, "b");
    assert_int_equal(why.code, 1005);

    assert_int_equal(check(rules, "{\"a\":\"1\",\"\":2}"), EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: ");

    /* a long name is cut between two characters: 95 and 191 bytes have room */

    strcpy(text, "{\"x");

    for (i = 0; i < 100; i++) {
        memcpy(text + 3 + 2 * i, "\xc3\xa9", 2);
    }

    strcpy(text + 203, "\":1}");

    assert_int_equal(check(rules, text), EZW_INVALID);
    assert_int_equal(strlen(why.field), 95);
    assert_memory_equal(why.field, text + 2, 95);
    strcpy(what, "Unknown field: ");
    memcpy(what + 15, text + 2, 176);
    what[190] = '\0';
    assert_string_equal(why.text, what);
}


static void
test_string(void **state)
{
    char         *s;
    ezw_field_t   rule = { "x", EZW_FIELD_STRING, 0, 1, 255, NULL };
    unsigned      i;

    static const char *const  characters[] = {
        "a", "\xc3\xa9", "\xf0\x9f\x98\x8e"
    };

    (void) state;

    assert_value(&rule, "\"a\"", "a");
    assert_value(&rule, "\" a b \"", " a b ");
    assert_value(&rule, "\"\\\"\\n\\u20ac\"", "\"\n\xe2\x82\xac");

    for (i = 0; i < 3; i++) {
        s = repeat(characters[i], 255);
        assert_string(&rule, s);
        free(s);

        s = repeat(characters[i], 256);
        assert_refused(&rule, s, "x is too long: at most 255 characters");
        free(s);
    }

    assert_refused(&rule, "\"\"", "x is too short: at least 1 character");
    assert_refused(&rule, "1", "x must be a string");
    assert_refused(&rule, "true", "x must be a string");
    assert_refused(&rule, "[]", "x must be a string");
    assert_refused(&rule, "{}", "x must be a string");
    assert_refused(&rule, "null", "x must not be null");
    assert_refused(&rule, "\"a\\u0000b\"", "x must not contain \\u0000");

    rule.min = 10;
    assert_value(&rule, "\"0123456789\"", "0123456789");
    assert_refused(&rule, "\"012345678\"",
                   "x is too short: at least 10 characters");

    rule.min = 0;
    rule.max = 1;
    assert_value(&rule, "\"\"", "");
    assert_refused(&rule, "\"ab\"", "x is too long: at most 1 character");

    rule.max = 0;
    s = repeat("a", 5000);
    assert_string(&rule, s);
    free(s);
}


static void
test_integer(void **state)
{
    ezw_field_t  rule = { "x", EZW_FIELD_INTEGER, 0, -5, 1000, NULL };

    (void) state;

    assert_value(&rule, "0", "0");
    assert_value(&rule, "1000", "1000");
    assert_value(&rule, "-5", "-5");
    assert_value(&rule, "-0", "0");
    assert_refused(&rule, "1001", "x must be between -5 and 1000");
    assert_refused(&rule, "-6", "x must be between -5 and 1000");
    assert_refused(&rule, "1.0", "x must be an integer");
    assert_refused(&rule, "1e2", "x must be an integer");
    assert_refused(&rule, "\"1\"", "x must be an integer");
    assert_refused(&rule, "true", "x must be an integer");

    rule.min = 0;
    rule.max = 0;
    rule.flags = EZW_NULLABLE;
    assert_value(&rule, "0", "0");
    assert_value(&rule, "null", NULL);
    assert_refused(&rule, "1", "x must be between 0 and 0");

    rule.min = INT64_MIN;
    rule.max = INT64_MAX;
    assert_value(&rule, "9223372036854775807", "9223372036854775807");
    assert_value(&rule, "-9223372036854775808", "-9223372036854775808");
}


static void
test_number(void **state)
{
    static const ezw_field_t  rule = { "x", EZW_FIELD_NUMBER, 0, 0, 0, NULL };

    (void) state;

    assert_value(&rule, "0", "0");
    assert_value(&rule, "-1", "-1");
    assert_value(&rule, "1.0", "1");
    assert_value(&rule, "52.370216", "52.370216");
    assert_value(&rule, "1e3", "1000");
    assert_value(&rule, "1e-7", "1e-07");
    assert_value(&rule, "1.7976931348623157e308", "1.7976931348623157e+308");
    assert_value(&rule, "9223372036854775807", "9223372036854775807");
    assert_refused(&rule, "\"1\"", "x must be a number");
    assert_refused(&rule, "false", "x must be a number");
    assert_refused(&rule, "[1]", "x must be a number");
}


static void
test_boolean(void **state)
{
    static const ezw_field_t  rule = { "x", EZW_FIELD_BOOLEAN, 0, 0, 0, NULL };

    (void) state;

    assert_value(&rule, "true", "t");
    assert_value(&rule, "false", "f");
    assert_refused(&rule, "\"true\"", "x must be a boolean");
    assert_refused(&rule, "1", "x must be a boolean");
    assert_refused(&rule, "null", "x must not be null");
}


static void
test_enum(void **state)
{
    static const char *const  status[] = { "OPEN", "CLOSED", NULL };
    static const char *const  many[] = {
        "0123456789012345678901234567890123456789",
        "1123456789012345678901234567890123456789",
        "2123456789012345678901234567890123456789",
        "3123456789012345678901234567890123456789",
        "4123456789012345678901234567890123456789", NULL
    };
    static const ezw_field_t  rule = {
        "x", EZW_FIELD_ENUM, 0, 0, 0, status
    };
    static const ezw_field_t  long_rule = {
        "x", EZW_FIELD_ENUM, 0, 0, 0, many
    };

    (void) state;

    assert_value(&rule, "\"OPEN\"", "OPEN");
    assert_value(&rule, "\"CLOSED\"", "CLOSED");
    assert_refused(&rule, "\"open\"", "x must be one of OPEN, CLOSED");
    assert_refused(&rule, "\"\"", "x must be one of OPEN, CLOSED");
    assert_refused(&rule, "\"OPEN \"", "x must be one of OPEN, CLOSED");
    assert_refused(&rule, "\"OPE\"", "x must be one of OPEN, CLOSED");
    assert_refused(&rule, "\"OPEN\\u0000\"", "x must be one of OPEN, CLOSED");
    assert_refused(&rule, "1", "x must be a string");

    assert_value(&long_rule, "\"4123456789012345678901234567890123456789\"",
                 "4123456789012345678901234567890123456789");
    assert_int_equal(check_rules(&long_rule, 1, "{\"x\":\"\"}"), EZW_INVALID);
    assert_int_equal(strlen(why.text), 191);
}


static void
test_jid(void **state)
{
    char         *s;
    ezw_field_t   rule = { "x", EZW_FIELD_JID, 0, 0, 0, NULL };

    (void) state;

    assert_value(&rule, "\"31611111111@WhatsApp.Eazy.im\"",
                 "31611111111@whatsapp.eazy.im");
    assert_value(&rule, "\"1601626130348@team.eazy.im\"",
                 "1601626130348@team.eazy.im");
    assert_refused(&rule, "\"\"", "Jid is invalid");
    assert_refused(&rule, "\"0@whatsapp.eazy.im\"", "Jid is invalid");
    assert_refused(&rule, "\"31611111111@whatsapp.eazy.im\\u0000\"",
                   "Jid is invalid");
    assert_refused(&rule, "1", "x must be a string");

    s = repeat("a", 5000);
    assert_refused(&rule, s, "Jid is invalid");
    free(s);

    rule.min = EZW_JID_CHANNEL;
    assert_value(&rule, "\"31611111111@whatsapp.eazy.im\"",
                 "31611111111@whatsapp.eazy.im");
    assert_refused(&rule, "\"lid.12345@whatsapp.eazy.im\"", "Jid is invalid");
    assert_refused(&rule, "\"1601626130348@team.eazy.im\"", "Jid is invalid");

    rule.min = EZW_JID_OTHER;
    assert_refused(&rule, "\"31611111111@whatsapp.eazy.im\"",
                   "Jid is invalid");
    assert_value(&rule, "\"1601626130348@team.eazy.im\"",
                 "1601626130348@team.eazy.im");
}


static void
test_ref(void **state)
{
    ezw_field_t  rule = {
        "x", EZW_FIELD_REF, EZW_NULLABLE, EZW_JID_OTHER, 0, NULL
    };

    (void) state;

    assert_value(&rule, "\"1601626130348@Team.eazy.im\"",
                 "1601626130348@team.eazy.im");
    assert_value(&rule, "{\"jid\":\"1601626130348@Team.eazy.im\"}",
                 "1601626130348@team.eazy.im");
    assert_value(&rule, "{\"jid\":\"1601626130348@team.eazy.im\",\"n\":1}",
                 "1601626130348@team.eazy.im");
    assert_value(&rule, "null", NULL);
    assert_refused(&rule, "{}", "Jid is invalid");
    assert_refused(&rule, "{\"jid\":null}", "Jid is invalid");
    assert_refused(&rule, "{\"jid\":1}", "Jid is invalid");
    assert_refused(&rule, "\"31611111111@whatsapp.eazy.im\"",
                   "Jid is invalid");
    assert_refused(&rule, "{\"jid\":\"31611111111@whatsapp.eazy.im\"}",
                   "Jid is invalid");
    assert_refused(&rule, "[]", "x must be a string");

    conf.strict = 1;
    assert_refused_as(&rule,
                      "{\"jid\":\"1601626130348@team.eazy.im\",\"n\":1}",
                      "x.n", "Unknown field: x.n");
}


static void
assert_name_flags(unsigned flags, const char *text, const char *full,
    const char *first, const char *last)
{
    ezw_field_t  rule = { "x", EZW_FIELD_NAME, 0, 0, 255, NULL };

    rule.flags = flags;
    assert_value(&rule, text, full);
    assert_value_at(&values[1], first);
    assert_value_at(&values[2], last);
}


static void
assert_name(const char *text, const char *full, const char *first,
    const char *last)
{
    assert_name_flags(0, text, full, first, last);
}


static void
test_name(void **state)
{
    ezw_field_t  rule = { "x", EZW_FIELD_NAME, EZW_NULLABLE, 0, 255, NULL };

    (void) state;

    assert_name("\"John Doe\"", "John Doe", "John", "Doe");
    assert_name("\"John\"", "John", "John", NULL);
    assert_name("\"Jan van der Berg\"", "Jan van der Berg", "Jan",
                "van der Berg");
    assert_name("\"  John \\t Doe\\n\"", "John \t Doe", "John", "Doe");
    assert_name("\"John  van  Doe\"", "John  van  Doe", "John", "van  Doe");
    assert_name("\"\\u00a0John\"", "\xc2\xa0John", "\xc2\xa0John", NULL);

    assert_name_flags(EZW_NULLABLE, "null", NULL, NULL, NULL);

    assert_refused(&rule, "\"\"", "x is too short: at least 1 character");
    assert_refused(&rule, "\" \\t\\r\\n\\u000b\\f \"",
                   "x is too short: at least 1 character");
    assert_refused(&rule, "1", "x must be a string");
    assert_refused(&rule, "[]", "x must be a string");
    assert_refused(&rule, "\"a\\u0000\"", "x must not contain \\u0000");

    rule.flags = EZW_REQUIRED;
    assert_refused(&rule, "null", "x must not be null");
    assert_int_equal(check_rules(&rule, 1, "{}"), EZW_INVALID);
    assert_string_equal(why.text, "x is required");
}


static void
test_name_limits(void **state)
{
    char        *s, body[1200];
    ezw_field_t  rule = { "x", EZW_FIELD_NAME, 0, 0, 255, NULL };

    (void) state;

    s = repeat("\xc3\xa9", 255);
    snprintf(body, sizeof(body), "{\"x\":%s}", s);
    assert_int_equal(check_rules(&rule, 1, body), EZW_OK);
    assert_int_equal(values[0].len, 510);

    snprintf(body, sizeof(body), "{\"x\":{\"fullName\":%s}}", s);
    assert_int_equal(check_rules(&rule, 1, body), EZW_OK);
    snprintf(body, sizeof(body), "{\"x\":{\"firstName\":%s}}", s);
    assert_int_equal(check_rules(&rule, 1, body), EZW_OK);
    snprintf(body, sizeof(body), "{\"x\":{\"firstName\":%s,"
                                 "\"lastName\":\"b\"}}", s);
    assert_int_equal(check_rules(&rule, 1, body), EZW_INVALID);
    assert_string_equal(why.text, "x is too long: at most 255 characters");
    assert_string_equal(why.field, "x");
    free(s);

    s = repeat("\xc3\xa9", 256);
    assert_refused(&rule, s, "x is too long: at most 255 characters");
    snprintf(body, sizeof(body), "{\"fullName\":%s}", s);
    assert_refused(&rule, body, "x is too long: at most 255 characters");
    snprintf(body, sizeof(body), "{\"fullName\":\"a\",\"firstName\":%s}", s);
    assert_refused_as(&rule, body, "x.firstName",
                      "x.firstName is too long: at most 255 characters");
    snprintf(body, sizeof(body), "{\"fullName\":\"a\",\"lastName\":%s}", s);
    assert_refused_as(&rule, body, "x.lastName",
                      "x.lastName is too long: at most 255 characters");
    free(s);
}


static void
test_name_object(void **state)
{
    ezw_field_t  rule = { "x", EZW_FIELD_NAME, 0, 0, 255, NULL };

    (void) state;

    assert_name("{\"fullName\":\" John Doe \"}", "John Doe", "John", "Doe");
    assert_name("{\"fullName\":\"John\"}", "John", "John", NULL);
    assert_name("{\"firstName\":\"John\",\"lastName\":\"Doe\"}",
                "John Doe", "John", "Doe");
    assert_name("{\"firstName\":\"Mary Jane\"}", "Mary Jane", "Mary Jane",
                NULL);
    assert_name("{\"lastName\":\"van Doe\"}", "van Doe", NULL, "van Doe");
    assert_name("{\"fullName\":\"Dr. J. Doe\",\"firstName\":\"John\","
                "\"lastName\":\"Doe\"}",
                "Dr. J. Doe", "John", "Doe");
    assert_name("{\"fullName\":\"John Doe\",\"firstName\":\"Johnny\"}",
                "John Doe", "Johnny", "Doe");
    assert_name("{\"fullName\":\"John Doe\",\"lastName\":null}",
                "John Doe", "John", NULL);
    assert_name("{\"fullName\":null,\"firstName\":\"John\","
                "\"lastName\":null}",
                "John", "John", NULL);
    assert_name("{\"firstName\":\" John \",\"lastName\":\" Doe \"}",
                "John Doe", " John ", " Doe ");
    assert_name("{\"firstName\":\"\",\"lastName\":\"Doe\"}", "Doe", "",
                "Doe");
    assert_name("{\"fullName\":\"John Doe\",\"other\":1}", "John Doe", "John",
                "Doe");

    assert_name_flags(EZW_NULLABLE,
                      "{\"fullName\":null,\"firstName\":null,"
                      "\"lastName\":null}",
                      NULL, NULL, NULL);
    assert_name_flags(EZW_NULLABLE, "{\"fullName\":null}", NULL, NULL, NULL);

    assert_refused(&rule, "{\"fullName\":null}", "x must not be null");
    assert_refused(&rule, "{}", "x is too short: at least 1 character");
    assert_refused(&rule, "{\"fullName\":\" \"}",
                   "x is too short: at least 1 character");
    assert_refused(&rule, "{\"fullName\":\" \",\"firstName\":\"a\"}",
                   "x is too short: at least 1 character");
    assert_refused(&rule, "{\"firstName\":\" \",\"lastName\":\"\"}",
                   "x is too short: at least 1 character");
    assert_refused_as(&rule, "{\"fullName\":1}", "x.fullName",
                      "x.fullName must be a string");
    assert_refused_as(&rule, "{\"firstName\":[]}", "x.firstName",
                      "x.firstName must be a string");
    assert_refused_as(&rule, "{\"lastName\":{}}", "x.lastName",
                      "x.lastName must be a string");
    assert_refused_as(&rule, "{\"lastName\":\"\\u0000\"}", "x.lastName",
                      "x.lastName must not contain \\u0000");

    rule.flags = EZW_NULLABLE;
    assert_refused(&rule, "{}", "x is too short: at least 1 character");

    conf.strict = 1;
    assert_name("{\"fullName\":\"John Doe\"}", "John Doe", "John", "Doe");
    assert_refused_as(&rule, "{\"fullName\":\"John Doe\",\"other\":1}",
                      "x.other", "Unknown field: x.other");
}


static void
test_map(void **state)
{
    char        *s, body[2048], *p;
    unsigned     i;
    ezw_field_t  rule = { "x", EZW_FIELD_MAP, 0, 0, 50, NULL };

    (void) state;

    assert_value(&rule, "{}", "{}");
    assert_value(&rule, "[]", "{}");
    assert_value(&rule, "null", "{}");
    assert_value(&rule, "{\"title\":\"Mr.\"}", "{\"title\":\"Mr.\"}");
    assert_value(&rule, "{\"z\":1,\"a\":-2.5,\"t\":true,\"f\":false,"
                        "\"q\\\"\":\"\\n\"}",
                 "{\"z\":1,\"a\":-2.5,\"t\":true,\"f\":false,"
                 "\"q\\\"\":\"\\n\"}");
    assert_value(&rule, "{\"\":0.1}", "{\"\":0.1}");

    assert_refused(&rule, "[1]", "x must be an object");
    assert_refused(&rule, "\"a\"", "x must be an object");
    assert_refused(&rule, "0", "x must be an object");
    assert_refused_as(&rule, "{\"a\":1,\"b\":null}", "x.b",
                      "x.b must be a string, a number or a boolean");
    assert_refused_as(&rule, "{\"a\":{}}", "x.a",
                      "x.a must be a string, a number or a boolean");
    assert_refused_as(&rule, "{\"a\":[]}", "x.a",
                      "x.a must be a string, a number or a boolean");
    assert_refused_as(&rule, "{\"a\":\"\\u0000\"}", "x.a",
                      "x.a must not contain \\u0000");

    /* 50 names, and one more */

    p = body + sprintf(body, "{");

    for (i = 0; i < 50; i++) {
        p += sprintf(p, "%s\"k%u\":%u", i ? "," : "", i, i);
    }

    strcpy(p, "}");
    assert_value(&rule, body, body);
    strcpy(p, ",\"more\":1}");
    assert_refused(&rule, body, "x has too many names: at most 50");

    /* 4096 bytes: {"a":""} are 8 of them */

    s = repeat("b", 4088);
    p = malloc(8192);
    sprintf(p, "{\"a\":%s}", s);
    assert_int_equal(strlen(p), 4096);
    assert_value(&rule, p, p);
    sprintf(p, "{\"ab\":%s}", s);
    assert_refused(&rule, p, "x is too long: at most 4096 bytes of JSON");
    free(s);

    /* escaped it counts as it is written */

    s = repeat("\\u0001", 682);
    sprintf(p, "{\"a\":%s}", s);
    assert_refused(&rule, p, "x is too long: at most 4096 bytes of JSON");
    free(s);
    free(p);

    rule.flags = EZW_NULLABLE;
    assert_value(&rule, "null", NULL);
}


static void
test_strings(void **state)
{
    ezw_field_t  rule = { "x", EZW_FIELD_STRINGS, 0, 0, 3, NULL };

    (void) state;

    assert_value(&rule, "[]", "[]");
    assert_value(&rule, "[\"a\",\"\",\"\\\"\"]", "[\"a\",\"\",\"\\\"\"]");
    assert_refused(&rule, "[\"a\",\"b\",\"c\",\"d\"]",
                   "x has too many elements: at most 3");
    assert_refused(&rule, "\"a\"", "x must be an array of strings");
    assert_refused(&rule, "{}", "x must be an array of strings");
    assert_refused(&rule, "[1]", "x must be an array of strings");
    assert_refused(&rule, "[\"a\",null]", "x must be an array of strings");
    assert_refused(&rule, "[\"\\u0000\"]", "x must not contain \\u0000");
    assert_refused(&rule, "null", "x must not be null");

    rule.min = 1;
    assert_value(&rule, "[\"a\"]", "[\"a\"]");
    assert_refused(&rule, "[]", "x has too few elements: at least 1");
}


static void
test_jids(void **state)
{
    ezw_field_t  rule = { "x", EZW_FIELD_JIDS, 0, EZW_JID_OTHER, 2, NULL };

    (void) state;

    assert_value(&rule, "[]", "[]");
    assert_value(&rule, "[\"1580486175684@Label.eazy.im\","
                        "\"1580486175685@label.EAZY.im\"]",
                 "[\"1580486175684@label.eazy.im\","
                 "\"1580486175685@label.eazy.im\"]");
    assert_refused(&rule, "[\"a\",\"b\",\"c\"]",
                   "x has too many elements: at most 2");
    assert_refused(&rule, "[\"1580486175684@label.eazy.im\",\"x\"]",
                   "Jid is invalid");
    assert_refused(&rule, "[\"31611111111@sms.eazy.im\"]", "Jid is invalid");
    assert_refused(&rule, "[1]", "x must be an array of strings");
    assert_refused(&rule, "\"1580486175684@label.eazy.im\"",
                   "x must be an array of strings");

    rule.min = 0;
    rule.max = 0;
    assert_value(&rule, "[\"31611111111@sms.eazy.im\",\"a@my-chat.eazy.im\","
                        "\"1580486175684@label.eazy.im\"]",
                 "[\"31611111111@sms.eazy.im\",\"a@my-chat.eazy.im\","
                 "\"1580486175684@label.eazy.im\"]");
}


static void
test_assignee(void **state)
{
    char        *s;
    size_t       i;
    ezw_field_t  rule = {
        "x", EZW_FIELD_ASSIGNEE, EZW_NULLABLE, 0, 0, NULL
    };

    static const char *const  emails[] = {
        "john@mycompany.com", "J.Doe+x@a", "john@eazy.im", "a@b.eazy.imm"
    };
    static const char *const  jids_refused[] = {
        "\"1@ai.eazy.im\"", "\"1601626130348@team.eazy.im\"",
        "\"489cc9a6-c0da-4930-825e-036b23b5a2f2@agent.eazy.im\"",
        "\"31611111111@sms.eazy.im\"", "\"john@support.Eazy.IM\"",
        "\".eazy.im\""
    };
    static const char *const  refused[] = {
        "\"\"", "\"john\"", "\"@\"", "\"@a.com\"", "\"john@\"",
        "\"a b@c.com\"", "\" a@c.com\"",
        "\"a@b@c.com\"", "\"a@b.com\\n\"", "\"a@b\\u007f\"",
        "\"a@b\\u0000\""
    };

    (void) state;

    for (i = 0; i < sizeof(emails) / sizeof(emails[0]); i++) {
        s = malloc(strlen(emails[i]) + 3);
        sprintf(s, "\"%s\"", emails[i]);
        assert_value(&rule, s, emails[i]);
        free(s);
    }

    assert_value(&rule, "\"1563451622477@AI.Eazy.im\"",
                 "1563451622477@ai.eazy.im");
    assert_value(&rule, "null", NULL);

    for (i = 0; i < sizeof(jids_refused) / sizeof(jids_refused[0]); i++) {
        assert_refused(&rule, jids_refused[i], "Jid is invalid");
    }

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_refused(&rule, refused[i],
                       "x must be an agent's e-mail or an assistant's jid");
    }

    assert_refused(&rule, "1", "x must be a string");
    assert_refused(&rule, "{}", "x must be a string");

    s = repeat("a", 254);
    s[10] = '@';
    assert_string(&rule, s);
    free(s);

    s = repeat("a", 255);
    s[10] = '@';
    assert_refused(&rule, s,
                   "x must be an agent's e-mail or an assistant's jid");
    free(s);
}


static void
test_message(void **state)
{
    static const ezw_field_t  rules[] = {
        { "message", EZW_FIELD_MESSAGE, EZW_REQUIRED|EZW_BARE, 0, 0, NULL },
        { "media",   EZW_FIELD_MEDIA,   0, 0, 0, NULL }
    };
    static const ezw_field_t  wrapped[] = {
        { "message", EZW_FIELD_MESSAGE, EZW_REQUIRED, 0, 0, NULL }
    };

    (void) state;

    assert_int_equal(check(rules, "{\"message\":{\"type\":\"text\","
                                  "\"text\":\"a\"}}"),
                     EZW_OK);
    assert_value_at(&values[0], "{\"body\":\"a\",\"type\":\"text\"}");
    assert_value_at(&values[1], "text");

    assert_int_equal(check(rules, "{\"type\":\"text\",\"body\":\"a\"}"),
                     EZW_OK);
    assert_value_at(&values[0], "{\"body\":\"a\",\"type\":\"text\"}");
    assert_value_at(&values[1], "text");

    assert_int_equal(check(rules, "{\"type\":\"text\"}"), EZW_INVALID);
    assert_string_equal(why.text, "body is required");
    assert_string_equal(why.field, "body");

    assert_int_equal(check(rules, "{\"message\":{\"type\":\"text\"},"
                                  "\"type\":\"text\",\"body\":\"a\"}"),
                     EZW_INVALID);
    assert_string_equal(why.text, "message.body is required");

    assert_int_equal(check(rules, "{\"body\":\"a\"}"), EZW_INVALID);
    assert_string_equal(why.text, "message is required");
    assert_int_equal(check(rules, "{\"message\":null,\"type\":\"text\"}"),
                     EZW_INVALID);
    assert_string_equal(why.text, "message must not be null");
    assert_int_equal(check(rules, "{\"message\":\"a\"}"), EZW_INVALID);
    assert_string_equal(why.text, "message must be an object");
    assert_int_equal(check(rules, "{\"message\":{\"type\":\"image\"}}"),
                     EZW_INVALID);
    assert_string_equal(why.text,
                        "media.url or message.url is required");
    assert_string_equal(why.field, "media");
    assert_int_equal(why.code, 1008);

    assert_int_equal(check(wrapped, "{\"type\":\"text\",\"body\":\"a\"}"),
                     EZW_INVALID);
    assert_string_equal(why.text, "message is required");

    conf.strict = 1;

    assert_int_equal(check(rules, "{\"type\":\"text\",\"body\":\"a\","
                                  "\"media\":null}"),
                     EZW_OK);
    assert_value_at(&values[1], "text");
    assert_int_equal(check(rules, "{\"type\":\"text\",\"body\":\"a\","
                                  "\"media\":{}}"),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: media");
    assert_int_equal(check(rules, "{\"type\":\"image\",\"media\":{"
                                  "\"url\":\"https://example.com/a\"}}"),
                     EZW_OK);
    assert_value_at(&values[0], "{\"media\":{\"url\":"
                                "\"https://example.com/a\"},"
                                "\"type\":\"image\"}");
    assert_int_equal(check(rules, "{\"message\":{\"type\":\"image\"},"
                                  "\"media\":{"
                                  "\"url\":\"https://example.com/a\"}}"),
                     EZW_OK);
    assert_value_at(&values[0], "{\"media\":{\"url\":"
                                "\"https://example.com/a\"},"
                                "\"type\":\"image\"}");
    assert_int_equal(check(rules, "{\"type\":\"text\",\"body\":\"a\","
                                  "\"bdy\":1}"),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: bdy");
    assert_int_equal(check(rules, "{\"message\":{\"type\":\"text\","
                                  "\"body\":\"a\"},\"type\":\"text\"}"),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: type");
    assert_int_equal(check(rules, "{\"message\":{\"type\":\"text\","
                                  "\"body\":\"a\",\"bdy\":1}}"),
                     EZW_INVALID);
    assert_string_equal(why.text, "Unknown field: message.bdy");
}


/* A value of each type behind others: the slots do not shift. */
static void
test_all_types(void **state)
{
    static const char *const  status[] = { "OPEN", NULL };
    static const ezw_field_t  rules[] = {
        { "jid",    EZW_FIELD_JID,      EZW_REQUIRED, 0, 0, NULL },
        { "id",     EZW_FIELD_READONLY, 0, 0, 0, NULL },
        { "name",   EZW_FIELD_NAME,     0, 0, 255, NULL },
        { "m",      EZW_FIELD_MESSAGE,  0, 0, 0, NULL },
        { "meta",   EZW_FIELD_MAP,      0, 0, 50, NULL },
        { "status", EZW_FIELD_ENUM,     0, 0, 0, status },
        { "n",      EZW_FIELD_INTEGER,  0, 0, 9, NULL },
        { "b",      EZW_FIELD_BOOLEAN,  0, 0, 0, NULL }
    };

    (void) state;

    assert_int_equal(check(rules,
                           "{\"b\":true,\"n\":5,\"status\":\"OPEN\","
                           "\"meta\":[],\"id\":1,\"name\":\"A B\","
                           "\"jid\":\"31611111111@sms.eazy.im\"}"),
                     EZW_OK);
    assert_value_at(&values[0], "31611111111@sms.eazy.im");
    assert_value_at(&values[1], "A B");
    assert_value_at(&values[2], "A");
    assert_value_at(&values[3], "B");
    assert_int_equal(values[4].present, 0);
    assert_int_equal(values[5].present, 0);
    assert_null(values[5].data);
    assert_value_at(&values[11], "{}");
    assert_value_at(&values[12], "OPEN");
    assert_value_at(&values[13], "5");
    assert_value_at(&values[14], "t");

    assert_int_equal(check_rules(NULL, 0, "{\"a\":1}"), EZW_OK);
}


static void
test_no_memory(void **state)
{
    int   rc;
    long  n;

    static const ezw_field_t  rules[] = {
        { "s",    EZW_FIELD_STRING,   0, 0, 0, NULL },
        { "n",    EZW_FIELD_NAME,     0, 0, 0, NULL },
        { "o",    EZW_FIELD_NAME,     0, 0, 0, NULL },
        { "i",    EZW_FIELD_INTEGER,  0, 0, 9, NULL },
        { "m",    EZW_FIELD_MAP,      0, 0, 0, NULL },
        { "l",    EZW_FIELD_STRINGS,  0, 0, 0, NULL },
        { "j",    EZW_FIELD_JID,      0, 0, 0, NULL },
        { "a",    EZW_FIELD_ASSIGNEE, 0, 0, 0, NULL },
        { "g",    EZW_FIELD_MESSAGE,  0, 0, 0, NULL }
    };

    (void) state;

    for (n = 0; ; n++) {
        arena_free(&arena);
        arena_init(&arena, n);

        rc = check(rules,
                   "{\"s\":\"a\",\"n\":\"A B\",\"o\":{\"firstName\":\"A\","
                   "\"lastName\":\"B\"},\"i\":1,\"m\":{\"a\":\"0123456789012"
                   "345678901234567890123456789012345678901234567890123456789"
                   "\"},\"l\":[\"a\"],\"j\":\"31611111111@sms.eazy.im\","
                   "\"a\":\"a@b.com\",\"g\":{\"type\":\"text\","
                   "\"body\":\"a\"}}");

        if (rc == EZW_OK) {
            break;
        }

        assert_int_equal(rc, EZW_ERROR);
    }

    assert_true(n >= 14);
}


static int
query_rules(const ezw_field_t *rules, unsigned n, const char *text,
    size_t len)
{
    int        rc;
    ezw_str_t  s;

    s = tight(text, len);
    memset(values, 0x55, sizeof(values));
    memset(&why, 0, sizeof(why));
    rc = ezw_fields_query(&conf, rules, n, &s, values, &why);
    free(s.data);

    return rc;
}


static const char *const  directions[] = { "asc", "desc", NULL };

static const ezw_field_t  query[] = {
    { "limit",  EZW_FIELD_INTEGER,  0, 1, 1000, NULL },
    { "cursor", EZW_FIELD_STRING,   0, 1, 10, NULL },
    { "id",     EZW_FIELD_READONLY, 0, 0, 0, NULL },
    { "all",    EZW_FIELD_BOOLEAN,  0, 0, 0, NULL },
    { "order",  EZW_FIELD_ENUM,     0, 0, 0, directions },
    { "jid",    EZW_FIELD_JID,      0, EZW_JID_CONTACT, 0, NULL }
};

#define QUERY(text)  query_rules(query, 6, text, sizeof(text) - 1)

#define QUERY_BAD(given, name, what)                                           \
    do {                                                                      \
        assert_int_equal(QUERY(given), EZW_INVALID);                          \
        assert_int_equal(why.code, 1005);                                     \
        assert_string_equal(why.text, what);                                  \
        assert_string_equal(why.field, name);                                 \
    } while (0)


static void
test_query(void **state)
{
    (void) state;

    assert_int_equal(QUERY(""), EZW_OK);
    assert_int_equal(values[0].present, 0);
    assert_null(values[0].data);
    assert_int_equal(values[4].present, 0);

    assert_int_equal(QUERY("limit=50&cursor=a%20b+&all=true&order=desc"
                           "&jid=31611111111%40SMS.eazy.im&id=9&other=%41"),
                     EZW_OK);
    assert_value_at(&values[0], "50");
    assert_value_at(&values[1], "a b+");
    assert_value_at(&values[2], "t");
    assert_value_at(&values[3], "desc");
    assert_value_at(&values[4], "31611111111@sms.eazy.im");

    assert_int_equal(QUERY("&&%6cimit=%31&&all=false&"), EZW_OK);
    assert_value_at(&values[0], "1");
    assert_value_at(&values[2], "f");

    assert_int_equal(QUERY("cursor=a=b/c%2F"), EZW_OK);
    assert_value_at(&values[1], "a=b/c/");

    assert_int_equal(QUERY("other&=x&x=y&x=z"), EZW_OK);
}


static void
test_query_refuses(void **state)
{
    (void) state;

    QUERY_BAD("limit=0", "limit", "limit must be between 1 and 1000");
    QUERY_BAD("limit=1001", "limit", "limit must be between 1 and 1000");
    QUERY_BAD("limit=-1", "limit", "limit must be between 1 and 1000");
    QUERY_BAD("limit=99999999999999999999", "limit",
              "limit must be between 1 and 1000");
    QUERY_BAD("limit=", "limit", "limit must be an integer");
    QUERY_BAD("limit", "limit", "limit must be an integer");
    QUERY_BAD("limit=-", "limit", "limit must be an integer");
    QUERY_BAD("limit=1x", "limit", "limit must be an integer");
    QUERY_BAD("limit=+1", "limit", "limit must be an integer");
    QUERY_BAD("limit=1.0", "limit", "limit must be an integer");
    QUERY_BAD("limit=%201", "limit", "limit must be an integer");
    QUERY_BAD("limit=1&limit=1", "limit", "limit is given twice");
    QUERY_BAD("limit=1&%6Cimit=2", "limit", "limit is given twice");
    QUERY_BAD("cursor=", "cursor",
              "cursor is too short: at least 1 character");
    QUERY_BAD("cursor", "cursor",
              "cursor is too short: at least 1 character");
    QUERY_BAD("cursor=12345678901", "cursor",
              "cursor is too long: at most 10 characters");
    QUERY_BAD("all=1", "all", "all must be a boolean");
    QUERY_BAD("all=TRUE", "all", "all must be a boolean");
    QUERY_BAD("all", "all", "all must be a boolean");
    QUERY_BAD("order=up", "order", "order must be one of asc, desc");
    QUERY_BAD("jid=x", "jid", "Jid is invalid");
    QUERY_BAD("jid=1601626130348@team.eazy.im", "jid", "Jid is invalid");
    QUERY_BAD("cursor=%", "", "Query is not valid percent-encoded UTF-8");
    QUERY_BAD("cursor=%zz", "", "Query is not valid percent-encoded UTF-8");
    QUERY_BAD("cursor=%00", "", "Query is not valid percent-encoded UTF-8");
    QUERY_BAD("cursor=%ff", "", "Query is not valid percent-encoded UTF-8");
    QUERY_BAD("other=%ff", "", "Query is not valid percent-encoded UTF-8");
    QUERY_BAD("%ff=1", "", "Query is not valid percent-encoded UTF-8");
    QUERY_BAD("\xff", "", "Query is not valid percent-encoded UTF-8");

    /* ten characters of two bytes each */

    assert_int_equal(QUERY("cursor=%c3%a9%c3%a9%c3%a9%c3%a9%c3%a9"
                           "%c3%a9%c3%a9%c3%a9%c3%a9%c3%a9"),
                     EZW_OK);
}


static void
test_query_integers(void **state)
{
    static const ezw_field_t  rule[] = {
        { "n", EZW_FIELD_INTEGER, 0, INT64_MIN, INT64_MAX, NULL }
    };

    static const struct {
        const char  *text;
        const char  *value;
    } good[] = {
        { "n=0", "0" }, { "n=007", "7" }, { "n=-007", "-7" }, { "n=00", "0" },
        { "n=9223372036854775807", "9223372036854775807" },
        { "n=-9223372036854775808", "-9223372036854775808" },
        { "n=00009223372036854775807", "9223372036854775807" }
    };
    static const char *const  bad[] = {
        "n=9223372036854775808", "n=-9223372036854775809",
        "n=92233720368547758070", "n=-92233720368547758080",
        "n=18446744073709551616", "n=--1"
    };

    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(query_rules(rule, 1, good[i].text,
                                     strlen(good[i].text)),
                         EZW_OK);
        assert_value_at(&values[0], good[i].value);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(query_rules(rule, 1, bad[i], strlen(bad[i])),
                         EZW_INVALID);
        assert_string_equal(why.text, "n must be an integer");
    }
}


static void
test_query_strict(void **state)
{
    (void) state;

    conf.strict = 1;

    assert_int_equal(QUERY("limit=1&id=2"), EZW_OK);
    QUERY_BAD("limit=1&limt=2", "limt", "Unknown field: limt");
    QUERY_BAD("l%69mt", "limt", "Unknown field: limt");
    QUERY_BAD("limt&limit=1", "limt", "Unknown field: limt");
    QUERY_BAD("=1", "", "Unknown field: ");
}


static void
test_query_required(void **state)
{
    static const ezw_field_t  rules[] = {
        { "a", EZW_FIELD_STRING, 0, 0, 0, NULL },
        { "b", EZW_FIELD_STRING, EZW_REQUIRED, 0, 0, NULL }
    };

    (void) state;

    assert_int_equal(query_rules(rules, 2, "b=", 2), EZW_OK);
    assert_value_at(&values[1], "");
    assert_int_equal(query_rules(rules, 2, "a=1", 3), EZW_INVALID);
    assert_string_equal(why.text, "b is required");
    assert_string_equal(why.field, "b");
}


static void
test_query_unsupported(void **state)
{
    static const ezw_field_t  rules[] = {
        { "a", EZW_FIELD_MAP, 0, 0, 0, NULL }
    };

    (void) state;

    assert_int_equal(query_rules(rules, 1, "a=1", 3), EZW_ERROR);
    assert_int_equal(query_rules(rules, 1, "b=1", 3), EZW_OK);
}


static void
test_query_no_memory(void **state)
{
    (void) state;

    arena.left = 0;
    assert_int_equal(QUERY("limit=1"), EZW_ERROR);
    assert_int_equal(QUERY(""), EZW_OK);

    arena.left = 1;
    assert_int_equal(QUERY("jid=31611111111@sms.eazy.im"), EZW_ERROR);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_slots),
        TEST(test_parse),
        TEST(test_parse_syntax),
        TEST(test_parse_depth),
        TEST(test_parse_no_memory),
        TEST(test_presence),
        TEST(test_strict),
        TEST(test_string),
        TEST(test_integer),
        TEST(test_number),
        TEST(test_boolean),
        TEST(test_enum),
        TEST(test_jid),
        TEST(test_ref),
        TEST(test_name),
        TEST(test_name_limits),
        TEST(test_name_object),
        TEST(test_map),
        TEST(test_strings),
        TEST(test_jids),
        TEST(test_assignee),
        TEST(test_message),
        TEST(test_all_types),
        TEST(test_no_memory),
        TEST(test_query),
        TEST(test_query_refuses),
        TEST(test_query_integers),
        TEST(test_query_strict),
        TEST(test_query_required),
        TEST(test_query_unsupported),
        TEST(test_query_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

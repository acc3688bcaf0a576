/* What the tests of ezw_message share: messages written with ' for ", what
 * becomes of them, and texts of a length. */

#ifndef EZW_TEST_MESSAGE_H
#define EZW_TEST_MESSAGE_H

#include <jansson.h>

#include "cm.h"
#include "ezw_message.h"

#define ID    "b48eaa2fab1e942cdec8b8717ec6bf3ed2dad05a"
#define TEST(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define ALL(a)   (sizeof(a) / sizeof(a[0]))


typedef struct {
    const char           *text;
    const char           *is;         /* its normal form; NULL: the text */
} accepted_t;


typedef struct {
    const char           *text;
    const char           *field;
    const char           *what;       /* behind the field in the refusal */
} refused_t;


static arena_t            arena;
static ezw_invalid_t      why;
static ezw_fields_conf_t  conf;
static ezw_value_t        parts[EZW_MESSAGE_PARTS];
static const char        *beside;     /* the media beside the message */


static int UNUSED
setup(void **state)
{
    (void) state;

    arena_init(&arena, -1);
    memset(&conf, 0, sizeof(conf));
    conf.alloc = &arena.alloc;
    conf.domain = str("whatsapp");
    beside = NULL;

    return 0;
}


static int UNUSED
teardown(void **state)
{
    (void) state;

    arena_free(&arena);

    return 0;
}


static json_t *UNUSED
json_of(const char *text)
{
    char    *copy, *p;
    json_t  *v;

    copy = strdup(text);

    for (p = copy; *p != '\0'; p++) {
        if (*p == '\'') {
            *p = '"';
        }
    }

    v = json_loads(copy, JSON_ALLOW_NUL|JSON_DECODE_ANY, NULL);

    if (v == NULL) {
        fail_msg("%s", copy);
    }

    free(copy);

    return v;
}


/* Checks a message; what it leaves must not be what it came from. */
static int UNUSED
check_as(const char *text, const char *prefix)
{
    int      rc;
    json_t  *v, *media;

    v = json_of(text);
    media = (beside != NULL) ? json_of(beside) : NULL;

    memset(parts, 0, sizeof(parts));
    memset(&why, 0, sizeof(why));

    rc = ezw_message_check(&conf, v, media, prefix, parts, &why);

    json_decref(v);
    json_decref(media);

    return rc;
}


static void UNUSED
assert_part(ezw_message_part_e part, const char *expected)
{
    if (expected == NULL) {
        assert_null(parts[part].data);
        assert_int_equal(parts[part].len, 0);
        return;
    }

    if (parts[part].data == NULL) {
        fail_msg("no %s, not %s", ezw_message_parts[part], expected);
    }

    assert_string_equal(parts[part].data, expected);
    assert_int_equal(parts[part].len, strlen(expected));
}


/* The message becomes that, of its own type, and that stays as it is. */
static void UNUSED
assert_becomes(const char *text, const char *expected)
{
    char        *is, *p;
    json_t      *v;
    unsigned     strict;
    const char  *media;

    is = strdup(expected);

    for (p = is; *p != '\0'; p++) {
        if (*p == '\'') {
            *p = '"';
        }
    }

    if (check_as(text, "message") != EZW_OK) {
        fail_msg("%s: %s", text, why.text);
    }

    assert_part(EZW_MESSAGE_JSON, is);

    v = json_of(text);
    assert_part(EZW_MESSAGE_TYPE,
                json_string_value(json_object_get(v, "type")));
    json_decref(v);

    strict = conf.strict;
    media = beside;
    conf.strict = 1;
    beside = NULL;

    if (check_as(is, "message") != EZW_OK) {
        fail_msg("again, %s: %s", is, why.text);
    }

    assert_part(EZW_MESSAGE_JSON, is);

    conf.strict = strict;
    beside = media;

    free(is);
}


static void UNUSED
assert_same(const char *text)
{
    assert_becomes(text, text);
}


static void UNUSED
assert_accepted(const accepted_t *cases, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        assert_becomes(cases[i].text,
                       cases[i].is != NULL ? cases[i].is : cases[i].text);
    }
}


/* A refusal "<field> <what>". */
static void UNUSED
assert_refused_as(const char *text, int code, const char *field,
    const char *what)
{
    char  whole[sizeof(why.text) + 96];

    if (check_as(text, "message") != EZW_INVALID) {
        fail_msg("%s was taken", text);
    }

    snprintf(whole, sizeof(whole), "%s %s", field, what);

    assert_string_equal(why.text, whole);
    assert_string_equal(why.field, field);
    assert_int_equal(why.code, code);
}


static void UNUSED
assert_refused(const refused_t *cases, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        assert_refused_as(cases[i].text, 1005, cases[i].field, cases[i].what);
    }
}


/* What strictness refuses, and nothing else does. */
static void UNUSED
assert_unknown(const char *text, const char *field)
{
    char  whole[256];

    conf.strict = 0;

    if (check_as(text, "message") != EZW_OK) {
        fail_msg("%s: %s", text, why.text);
    }

    conf.strict = 1;
    assert_int_equal(check_as(text, "message"), EZW_INVALID);
    conf.strict = 0;

    snprintf(whole, sizeof(whole), "Unknown field: %s", field);
    assert_string_equal(why.text, whole);
    assert_string_equal(why.field, field);
    assert_int_equal(why.code, 1005);
}


/* The text with a string of n characters for its "%s"; the arena's. */
static const char *UNUSED
with(const char *text, const char *character, size_t n)
{
    char        *p, *d;
    size_t       i, len;
    const char  *at;

    at = strstr(text, "%s");
    assert_non_null(at);

    len = strlen(character);
    p = arena_alloc(&arena, strlen(text) + n * len + 1);

    d = p + (at - text);
    memcpy(p, text, at - text);

    for (i = 0; i < n; i++) {
        memcpy(d, character, len);
        d += len;
    }

    strcpy(d, at + 2);

    return p;
}


/* A member takes min to max characters, however many bytes they have. */
static void UNUSED
assert_length(const char *text, const char *field, size_t min, size_t max)
{
    char    what[64];
    size_t  i;

    static const char *const  characters[] = {
        "a", "\xc3\xa9", "\xf0\x9f\x98\x8e"
    };

    for (i = 0; i < ALL(characters); i++) {
        assert_int_equal(check_as(with(text, characters[i], max), "message"),
                         EZW_OK);
        assert_int_equal(check_as(with(text, characters[i],
                                       min > 0 ? min : 1), "message"),
                         EZW_OK);

        snprintf(what, sizeof(what), "is too long: at most %u characters",
                 (unsigned) max);
        assert_refused_as(with(text, characters[i], max + 1), 1005, field,
                          what);
    }

    if (min == 0) {
        assert_int_equal(check_as(with(text, "", 0), "message"), EZW_OK);
        return;
    }

    assert_refused_as(with(text, "", 0), 1005, field,
                      "is too short: at least 1 character");
}


/* Without memory for its last allocation too it is an error and no more. */
static void UNUSED
assert_needs_memory(const char *text)
{
    int   rc;
    long  n;

    for (n = 0; ; n++) {
        arena_free(&arena);
        arena_init(&arena, n);
        rc = check_as(text, "message");

        if (rc == EZW_OK) {
            break;
        }

        assert_int_equal(rc, EZW_ERROR);
    }

    assert_true(n > 0);
}

#endif

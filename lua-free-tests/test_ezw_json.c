/* ezw_json: every value, at every boundary of the writer's buffers. */

#include <float.h>
#include <locale.h>
#include <math.h>

#include "cm.h"

/* its statics too: no locale but C is certain to be there */
#include "ezw_json.c"


typedef void (*put_pt)(ezw_writer_t *w, const void *data);


/* Writes with chunks of 1 to 80 bytes, and behind 0 to 2 bytes, so that all
 * boundaries are crossed; then with a writer that fails ever later. */
static void
assert_writes(put_pt put, const void *data, const char *text)
{
    long    left;
    char   *expected;
    size_t  size, before, len;
    sink_t  s;

    len = strlen(text);
    expected = malloc(len + 3);

    for (size = 1; size <= 80; size++) {
        for (before = 0; before < 3; before++) {
            memcpy(expected, "[[", before);
            strcpy(expected + before, text);

            sink_init(&s, size, -1);
            ezw_json_raw(&s.w, "[[", before);
            put(&s.w, data);
            sink_flush(&s);

            assert_int_equal(s.w.failed, 0);
            assert_string_equal(s.out, expected);
            sink_free(&s);
        }
    }

    free(expected);

    for (left = 0; left < (long) len; left++) {
        sink_init(&s, 1, left);
        put(&s.w, data);
        assert_int_equal(s.w.failed, 1);

        /* from now on nothing is written, though there were room */

        s.left = -1;
        put(&s.w, data);
        sink_flush(&s);

        assert_int_equal(s.len, left);
        assert_memory_equal(s.out, text, left);
        sink_free(&s);
    }
}


typedef struct {
    const char  *p;
    size_t       len;
} bytes_t;


static void
put_string(ezw_writer_t *w, const void *data)
{
    const bytes_t  *b;

    b = data;
    ezw_json_string(w, b->p, b->len);
}


static void
put_raw(ezw_writer_t *w, const void *data)
{
    const bytes_t  *b;

    b = data;
    ezw_json_raw(w, b->p, b->len);
}


static void
put_hex(ezw_writer_t *w, const void *data)
{
    const bytes_t  *b;

    b = data;
    ezw_json_hex(w, (const unsigned char *) b->p, b->len);
}


static void
put_int(ezw_writer_t *w, const void *data)
{
    ezw_json_int(w, *(const int64_t *) data);
}


static void
put_double(ezw_writer_t *w, const void *data)
{
    ezw_json_double(w, *(const double *) data);
}


static void
put_float(ezw_writer_t *w, const void *data)
{
    ezw_json_float(w, *(const float *) data);
}


static void
put_timestamp(ezw_writer_t *w, const void *data)
{
    ezw_json_timestamp(w, *(const int64_t *) data);
}


static void
put_uuid(ezw_writer_t *w, const void *data)
{
    ezw_json_uuid(w, data);
}


static void
assert_string_is(const char *p, size_t len, const char *text)
{
    bytes_t    b;
    ezw_str_t  s;

    s = tight(p, len);
    b.p = (const char *) s.data;
    b.len = len;
    assert_writes(put_string, &b, text);
    free(s.data);
}

#define STRING(s, text)  assert_string_is(s, sizeof(s) - 1, text)


static void
test_raw(void **state)
{
    bytes_t  b;

    (void) state;

    b.p = "{\"a\":[1,2,3],\"b\":null}";
    b.len = strlen(b.p);
    assert_writes(put_raw, &b, "{\"a\":[1,2,3],\"b\":null}");

    b.len = 0;
    assert_writes(put_raw, &b, "");

    b.p = NULL;
    assert_writes(put_raw, &b, "");
}


static void
test_string(void **state)
{
    bytes_t  null;

    (void) state;

    STRING("", "\"\"");
    STRING("a", "\"a\"");
    STRING("John Doe", "\"John Doe\"");
    STRING("a longer text without anything to escape in it, 64 bytes or so",
           "\"a longer text without anything to escape in it, 64 bytes or so"
           "\"");
    STRING("\"", "\"\\\"\"");
    STRING("\\", "\"\\\\\"");
    STRING("/", "\"/\"");
    STRING("say \"hi\"\\", "\"say \\\"hi\\\"\\\\\"");
    STRING("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    STRING("\x01\x1f\x0b\0", "\"\\u0001\\u001f\\u000b\\u0000\"");
    STRING("\x20\x7f\x80\xff", "\"\x20\x7f\x80\xff\"");
    STRING("Zo\xc3\xab \xf0\x9f\x98\x8e", "\"Zo\xc3\xab \xf0\x9f\x98\x8e\"");
    STRING("\"\"\"\"\"\"\"\"\"\"",
           "\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\"");

    null.p = NULL;
    null.len = 0;
    assert_writes(put_string, &null, "\"\"");
}


/* Every byte at every offset of the words that are scanned at once. */
static void
test_string_scan(void **state)
{
    char      text[19], expected[32], *d;
    size_t    i;
    sink_t    s;
    unsigned  c;

    (void) state;

    for (c = 0; c < 256; c++) {
        for (i = 0; i < sizeof(text); i++) {
            memset(text, 'x', sizeof(text));
            text[i] = (char) c;

            d = expected;
            *d++ = '"';
            memset(d, 'x', i);
            d += i;

            if (c == '"' || c == '\\') {
                d += sprintf(d, "\\%c", c);

            } else if (c == 8 || c == 9 || c == 10 || c == 12 || c == 13) {
                d += sprintf(d, "\\%c", "btn fr"[c - 8]);

            } else if (c < 0x20) {
                d += sprintf(d, "\\u%04x", c);

            } else {
                *d++ = (char) c;
            }

            memset(d, 'x', sizeof(text) - i - 1);
            d += sizeof(text) - i - 1;
            *d++ = '"';
            *d = '\0';

            sink_init(&s, 64, -1);
            ezw_json_string(&s.w, text, sizeof(text));
            sink_flush(&s);
            assert_string_equal(s.out, expected);
            sink_free(&s);
        }
    }
}


static void
assert_int_is(int64_t v, const char *text)
{
    assert_writes(put_int, &v, text);
}


static void
test_int(void **state)
{
    (void) state;

    assert_int_is(0, "0");
    assert_int_is(9, "9");
    assert_int_is(10, "10");
    assert_int_is(-1, "-1");
    assert_int_is(31611111111, "31611111111");
    assert_int_is(INT64_MAX, "9223372036854775807");
    assert_int_is(INT64_MIN, "-9223372036854775808");
}


static void
assert_double_is(double v, const char *text)
{
    assert_writes(put_double, &v, text);
}


static void
test_double(void **state)
{
    (void) state;

    assert_double_is(0.0, "0");
    assert_double_is(-0.0, "-0");
    assert_double_is(1.0, "1");
    assert_double_is(-1.0, "-1");
    assert_double_is(0.1, "0.1");
    assert_double_is(0.1 + 0.2, "0.30000000000000004");
    assert_double_is(1.0 / 3.0, "0.3333333333333333");
    assert_double_is(52.370216, "52.370216");
    assert_double_is(-4.895168, "-4.895168");
    assert_double_is(2.5e-7, "2.5e-07");
    assert_double_is(999999999999999.0, "999999999999999");
    assert_double_is(1e15, "1e+15");
    assert_double_is(9007199254740993.0, "9007199254740992");
    assert_double_is(1e300, "1e+300");
    assert_double_is(DBL_MAX, "1.7976931348623157e+308");
    assert_double_is(DBL_MIN, "2.2250738585072014e-308");
    assert_double_is(4.9406564584124654e-324, "5e-324");
    assert_double_is(NAN, "null");
    assert_double_is(INFINITY, "null");
    assert_double_is(-INFINITY, "null");
}


static void
assert_float_is(float v, const char *text)
{
    assert_writes(put_float, &v, text);
}


static void
test_float(void **state)
{
    (void) state;

    assert_float_is(0.0f, "0");
    assert_float_is(-0.0f, "-0");
    assert_float_is(0.1f, "0.1");
    assert_float_is(1.5f, "1.5");
    assert_float_is(16777216.0f, "16777216");
    assert_float_is(999999.0f, "999999");
    assert_float_is(1e6f, "1e+06");
    assert_float_is(3.14159274f, "3.1415927");
    assert_float_is(1.0f / 3.0f, "0.33333334");
    assert_float_is(FLT_MAX, "3.4028235e+38");
    assert_float_is(FLT_MIN, "1.1754944e-38");
    assert_float_is(1.401298464e-45f, "1e-45");
    assert_float_is(NAN, "null");
    assert_float_is(INFINITY, "null");
    assert_float_is(-INFINITY, "null");
}


static void
put_number(ezw_writer_t *w, const void *data)
{
    write_number(w, data);
}


/* Whatever locale another module has set. */
static void
test_double_locale(void **state)
{
    size_t  i;

    static const char *const  locales[] = {
        "de_DE.UTF-8", "nl_NL.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"
    };

    (void) state;

    assert_writes(put_number, "-4,895168", "-4.895168");
    assert_writes(put_number, "2,5e-07", "2.5e-07");
    assert_writes(put_number, "1\xd9\xab" "5e+15", "1.5e+15");

    for (i = 0; i < sizeof(locales) / sizeof(locales[0]); i++) {
        if (setlocale(LC_NUMERIC, locales[i]) != NULL) {
            assert_double_is(-4.895168, "-4.895168");
            assert_float_is(0.1f, "0.1");
        }
    }

    setlocale(LC_NUMERIC, "C");
}


static void
test_double_round_trip(void **state)
{
    double    v;
    sink_t    s;
    uint64_t  bits, seed;
    unsigned  i;

    (void) state;

    seed = 1;

    for (i = 0; i < 20000; i++) {
        seed = seed * UINT64_C(6364136223846793005)
               + UINT64_C(1442695040888963407);
        bits = seed ^ (seed >> 29);
        memcpy(&v, &bits, 8);

        if (!isfinite(v)) {
            continue;
        }

        sink_init(&s, 64, -1);
        ezw_json_double(&s.w, v);
        sink_flush(&s);
        assert_true(strtod(s.out, NULL) == v);
        assert_true(s.len <= 24);
        sink_free(&s);
    }
}


static void
assert_timestamp_is(int64_t v, const char *text)
{
    assert_writes(put_timestamp, &v, text);
}


static void
test_timestamp(void **state)
{
    (void) state;

    assert_timestamp_is(0, "\"2000-01-01T00:00:00.000000Z\"");
    assert_timestamp_is((INT64_C(1583956382) - EZW_PG_EPOCH_S) * 1000000,
                        "\"2020-03-11T19:53:02.000000Z\"");
    assert_timestamp_is(-1, "\"1999-12-31T23:59:59.999999Z\"");
    assert_timestamp_is(INT64_MAX, "null");
    assert_timestamp_is(INT64_MIN, "null");
    assert_timestamp_is(INT64_C(2921940) * 86400 * 1000000, "null");
}


static void
test_uuid(void **state)
{
    static const unsigned char  b[16] = {
        0x50, 0x90, 0x00, 0xe9, 0x05, 0xc9, 0x43, 0xa9,
        0xb6, 0xf1, 0x70, 0xf1, 0xc6, 0xa5, 0x44, 0x8a
    };

    (void) state;

    assert_writes(put_uuid, b, "\"509000e9-05c9-43a9-b6f1-70f1c6a5448a\"");
}


static void
test_hex(void **state)
{
    bytes_t  b;

    (void) state;

    b.p = "\x00\x7f\x80\xff";
    b.len = 4;
    assert_writes(put_hex, &b, "\"007f80ff\"");

    b.len = 0;
    assert_writes(put_hex, &b, "\"\"");

    b.p = "0123456789012345678901234567890123456789";
    b.len = 40;
    assert_writes(put_hex, &b,
                  "\"3031323334353637383930313233343536373839"
                  "3031323334353637383930313233343536373839\"");
}


/* A writer that claims success and gives no room must not be asked for ever. */
static int
no_room(ezw_writer_t *w, size_t need)
{
    (void) need;

    w->pos = w->end;

    return EZW_OK;
}


static void
test_no_room(void **state)
{
    ezw_writer_t   w;
    unsigned char  buf[2];

    (void) state;

    memset(&w, 0, sizeof(w));
    w.pos = buf;
    w.end = buf + 2;
    w.more = no_room;

    ezw_json_literal(&w, "abc");
    assert_int_equal(w.failed, 1);
    assert_memory_equal(buf, "ab", 2);
}


static unsigned
depth(const char *text)
{
    unsigned   n;
    ezw_str_t  s;

    s = tight(text, strlen(text));
    n = ezw_json_depth(s.data, s.len);
    free(s.data);

    return n;
}


static void
test_depth(void **state)
{
    (void) state;

    assert_int_equal(depth(""), 0);
    assert_int_equal(depth("1"), 0);
    assert_int_equal(depth("{}"), 1);
    assert_int_equal(depth("[]"), 1);
    assert_int_equal(depth("[[],[[]],{}]"), 3);
    assert_int_equal(depth("{\"a\":{\"b\":[1]}}"), 3);
    assert_int_equal(depth("[[[[["), 5);
    assert_int_equal(depth("]]]]["), 1);
    assert_int_equal(depth("][]["), 1);
    assert_int_equal(depth("\"[[[\""), 0);
    assert_int_equal(depth("[\"[\\\"[[\",[]]"), 2);
    assert_int_equal(depth("[\"\\\\\",[]]"), 2);
    assert_int_equal(depth("\"[[["), 0);
    assert_int_equal(depth("[\"\\"), 1);
    assert_int_equal(depth("[\"\\\""), 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_string),
        cmocka_unit_test(test_string_scan),
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_double),
        cmocka_unit_test(test_float),
        cmocka_unit_test(test_double_locale),
        cmocka_unit_test(test_double_round_trip),
        cmocka_unit_test(test_timestamp),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

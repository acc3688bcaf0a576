/* ezw_row_stored: for each type the cell that Postgres sends, and the JSON
 * that is written from it.  The texts are those of Postgres 15. */

#include "cm.h"
#include "ezw_row.h"
#include "ezw_row_stored.h"

#define BOOL         16
#define BYTEA        17
#define NAME         19
#define INT8         20
#define INT2         21
#define INT4         23
#define TEXT         25
#define OID          26
#define JSON         114
#define FLOAT4       700
#define FLOAT8       701
#define UNKNOWN      705
#define BPCHAR       1042
#define VARCHAR      1043
#define TIMESTAMP    1114
#define TIMESTAMPTZ  1184
#define NUMERIC      1700
#define UUID         2950
#define JSONB        3802


/* The row of one column v as JSON, the caller's to free. */
static char *
json_of(uint32_t oid, const ezw_cell_t *cell)
{
    sink_t            s;
    arena_t           arena;
    const char       *name;
    ezw_row_conf_t    conf;
    ezw_row_shape_t  *shape;

    name = "v";
    memset(&conf, 0, sizeof(conf));
    arena_init(&arena, -1);
    assert_int_equal(ezw_row_compile(&arena.alloc, &name, &oid, 1, &shape,
                                     NULL),
                     EZW_OK);

    sink_init(&s, 64, -1);

    if (ezw_row_write(shape, &conf, cell, &s.w) != EZW_OK) {
        fail_msg("a cell of type %u is broken", (unsigned) oid);
    }

    sink_flush(&s);
    arena_free(&arena);

    return s.out;
}


static void
assert_cell(uint32_t oid, const char *text, const void *p, size_t len)
{
    int         rc;
    char       *stored, *sent;
    arena_t     arena;
    ezw_str_t   s;
    ezw_cell_t  cell, expected;

    s = tight(text, strlen(text));
    arena_init(&arena, -1);
    rc = ezw_row_stored(&arena.alloc, oid, &s, &cell);

    if (rc != EZW_OK) {
        fail_msg("type %u, \"%s\": %d", (unsigned) oid, text, rc);
    }

    expected.data = p;
    expected.len = (int) len;

    stored = json_of(oid, &cell);
    sent = json_of(oid, &expected);
    assert_string_equal(stored, sent);
    free(stored);
    free(sent);

    assert_int_equal(cell.len, len);
    assert_memory_equal(cell.data, p, len);

    arena_free(&arena);
    free(s.data);
}

#define CELL(oid, text, binary)                                               \
    assert_cell(oid, text, binary, sizeof(binary) - 1)


static void
assert_json(uint32_t oid, const char *text, const char *json)
{
    char        expected[512], *out;
    arena_t     arena;
    ezw_str_t   s;
    ezw_cell_t  cell;

    s = tight(text, strlen(text));
    arena_init(&arena, -1);
    assert_int_equal(ezw_row_stored(&arena.alloc, oid, &s, &cell), EZW_OK);

    snprintf(expected, sizeof(expected), "{\"v\":%s}", json);
    out = json_of(oid, &cell);
    assert_string_equal(out, expected);
    free(out);

    arena_free(&arena);
    free(s.data);
}


static void
assert_refused(uint32_t oid, const char *text)
{
    arena_t     arena;
    ezw_str_t   s;
    ezw_cell_t  cell;

    s = tight(text, strlen(text));
    arena_init(&arena, -1);

    if (ezw_row_stored(&arena.alloc, oid, &s, &cell) != EZW_INVALID) {
        fail_msg("type %u took \"%s\"", (unsigned) oid, text);
    }

    arena_free(&arena);
    free(s.data);
}


static void
test_null(void **state)
{
    size_t      i;
    arena_t     arena;
    ezw_str_t   s;
    ezw_cell_t  cell;

    static const uint32_t  oids[] = {
        BOOL, INT8, TEXT, JSON, FLOAT8, TIMESTAMPTZ, UUID, BYTEA, JSONB,
        1009, NUMERIC
    };

    (void) state;

    s.data = NULL;
    s.len = 0;

    for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
        memset(&cell, 0x55, sizeof(cell));
        arena_init(&arena, 0);
        assert_int_equal(ezw_row_stored(&arena.alloc, oids[i], &s, &cell),
                         EZW_OK);
        assert_int_equal(cell.len, -1);
        arena_free(&arena);
    }
}


static void
test_numbers(void **state)
{
    (void) state;

    CELL(BOOL, "true", "\1");
    CELL(BOOL, "false", "\0");
    CELL(INT2, "0", "\0\0");
    CELL(INT2, "32767", "\x7f\xff");
    CELL(INT2, "-32768", "\x80\x00");
    CELL(INT4, "42", "\0\0\0\x2a");
    CELL(INT4, "-1", "\xff\xff\xff\xff");
    CELL(INT4, "2147483647", "\x7f\xff\xff\xff");
    CELL(INT4, "-2147483648", "\x80\0\0\0");
    CELL(INT8, "31611383239", "\x00\x00\x00\x07\x5c\x2f\x6d\xc7");
    CELL(INT8, "9223372036854775807", "\x7f\xff\xff\xff\xff\xff\xff\xff");
    CELL(INT8, "-9223372036854775808", "\x80\0\0\0\0\0\0\0");
    CELL(OID, "0", "\0\0\0\0");
    CELL(OID, "4294967295", "\xff\xff\xff\xff");
    CELL(FLOAT4, "1.5", "\x3f\xc0\x00\x00");
    CELL(FLOAT4, "0.1", "\x3d\xcc\xcc\xcd");
    CELL(FLOAT4, "1e-07", "\x33\xd6\xbf\x95");
    CELL(FLOAT4, "3.4028235e+38", "\x7f\x7f\xff\xff");
    CELL(FLOAT4, "-Infinity", "\xff\x80\x00\x00");
    CELL(FLOAT4, "NaN", "\x7f\xc0\x00\x00");
    CELL(FLOAT8, "0.1", "\x3f\xb9\x99\x99\x99\x99\x99\x9a");
    CELL(FLOAT8, "-0", "\x80\0\0\0\0\0\0\0");
    CELL(FLOAT8, "1e+30", "\x46\x29\x3e\x59\x39\xa0\x8c\xea");
    CELL(FLOAT8, "5e-324", "\0\0\0\0\0\0\0\1");
    CELL(FLOAT8, "1.7976931348623157e+308", "\x7f\xef\xff\xff\xff\xff\xff\xff");
    CELL(FLOAT8, "Infinity", "\x7f\xf0\0\0\0\0\0\0");
    CELL(FLOAT8, "NaN", "\x7f\xf8\0\0\0\0\0\0");

    /* the longest text, and one more, which no float is written with */

    CELL(FLOAT8,
         "0.1000000000000000000000000000000000000000000000000000000000000",
         "\x3f\xb9\x99\x99\x99\x99\x99\x9a");
    assert_refused(FLOAT8,
         "0.10000000000000000000000000000000000000000000000000000000000000");

    /* a float is rounded once, not by way of a double: this one lies just
     * above the middle of two */

    CELL(FLOAT4, "1.00000005960464477540", "\x3f\x80\x00\x01");
}


static void
test_texts(void **state)
{
    size_t  i;

    static const uint32_t  oids[] = { TEXT, VARCHAR, BPCHAR, NAME, UNKNOWN };

    (void) state;

    for (i = 0; i < 5; i++) {
        CELL(oids[i], "", "");
        CELL(oids[i], "null", "null");
        CELL(oids[i], "a\n\"b\" \xc3\xa9  ", "a\n\"b\" \xc3\xa9  ");
    }

    CELL(UUID, "509000e9-05c9-43a9-b6f1-70f1c6a5448a",
         "\x50\x90\x00\xe9\x05\xc9\x43\xa9\xb6\xf1\x70\xf1\xc6\xa5\x44\x8a");
    CELL(BYTEA, "\\x", "");
    CELL(BYTEA, "\\xdead00ef", "\xde\xad\x00\xef");
}


static void
test_times(void **state)
{
    (void) state;

    CELL(TIMESTAMPTZ, "2000-01-01T00:00:00+00:00", "\0\0\0\0\0\0\0\0");
    CELL(TIMESTAMPTZ, "2020-03-11T19:53:02.123456+00:00",
         "\x00\x02\x43\x98\x5a\x47\x25\xc0");
    CELL(TIMESTAMPTZ, "2020-03-12T01:23:02.123456+05:30",
         "\x00\x02\x43\x98\x5a\x47\x25\xc0");
    CELL(TIMESTAMPTZ, "2020-03-11T11:53:02.123456-08:00",
         "\x00\x02\x43\x98\x5a\x47\x25\xc0");
    CELL(TIMESTAMP, "2020-03-11T19:53:02.123456",
         "\x00\x02\x43\x98\x5a\x47\x25\xc0");
    CELL(TIMESTAMP, "1999-12-31T23:59:59.999999",
         "\xff\xff\xff\xff\xff\xff\xff\xff");
    CELL(TIMESTAMPTZ, "infinity", "\x7f\xff\xff\xff\xff\xff\xff\xff");
    CELL(TIMESTAMP, "-infinity", "\x80\0\0\0\0\0\0\0");

    /* local mean time has seconds */

    assert_json(TIMESTAMPTZ, "1850-01-01T00:19:32+00:19:32",
                "\"1850-01-01T00:00:00.000000Z\"");
    assert_json(TIMESTAMPTZ, "1849-12-31T18:49:08.5-05:10:52",
                "\"1850-01-01T00:00:00.500000Z\"");

    /* the edges of what RFC 3339 can say */

    assert_json(TIMESTAMP, "0001-03-15T00:00:00 BC",
                "\"0000-03-15T00:00:00.000000Z\"");
    assert_json(TIMESTAMPTZ, "0001-03-15T01:00:00+01:00 BC",
                "\"0000-03-15T00:00:00.000000Z\"");
    assert_json(TIMESTAMP, "0001-02-29T00:00:00 BC",
                "\"0000-02-29T00:00:00.000000Z\"");
    assert_json(TIMESTAMPTZ, "0002-12-31T23:00:00-01:00 BC",
                "\"0000-01-01T00:00:00.000000Z\"");
    assert_json(TIMESTAMPTZ, "0002-12-31T22:59:59-01:00 BC", "null");
    assert_json(TIMESTAMPTZ, "9999-12-31T23:59:59-00:01", "null");
    assert_json(TIMESTAMPTZ, "10000-01-01T05:29:59+05:30",
                "\"9999-12-31T23:59:59.000000Z\"");
    assert_json(TIMESTAMPTZ, "10000-01-01T05:30:00+05:30", "null");

    /* and of what Postgres can */

    CELL(TIMESTAMPTZ, "294276-12-31T23:59:59.999999+00:00",
         "\x7f\xff\xff\x5b\xb3\xb2\x9f\xff");
    CELL(TIMESTAMPTZ, "0044-03-15T00:00:00+00:00 BC",
         "\xff\x1a\xf9\xde\xec\x5b\x20\x00");
    CELL(TIMESTAMP, "4714-11-24T00:00:00 BC",
         "\xfd\x0f\x7c\xc1\x41\x1f\xa0\x00");
    CELL(TIMESTAMP, "2000-02-29T00:00:00",
         "\x00\x00\x04\xa2\xe0\xa3\x20\x00");
}


static void
test_json(void **state)
{
    (void) state;

    CELL(JSON, "{\"a\": [1,  2.50]}", "{\"a\": [1,  2.50]}");
    CELL(JSON, "[1, 2]", "[1, 2]");
    CELL(JSON, "{}", "{}");
    CELL(JSON, "true", "true");
    CELL(JSON, "false", "false");
    CELL(JSON, "0", "0");
    CELL(JSON, "-12.50e+07", "-12.50e+07");
    CELL(JSON, "1E5", "1E5");
    CELL(JSON, "1.5", "1.5");
    CELL(JSON, "12345678901234567890", "12345678901234567890");
    CELL(JSONB, "{\"a\": 1}", "\1{\"a\": 1}");
    CELL(JSONB, "[]", "\1[]");
    CELL(JSONB, "-7", "\1-7");

    /* strings, whose quotes json_each_text() takes off */

    CELL(JSON, "", "\"\"");
    CELL(JSON, "str", "\"str\"");
    CELL(JSON, "say \"hi\"\n", "\"say \\\"hi\\\"\\n\"");
    CELL(JSON, "null", "\"null\"");
    CELL(JSON, "True", "\"True\"");
    CELL(JSON, "truer", "\"truer\"");
    CELL(JSON, "-", "\"-\"");
    CELL(JSON, "01", "\"01\"");
    CELL(JSON, "1.", "\"1.\"");
    CELL(JSON, "1.a5", "\"1.a5\"");
    CELL(JSON, ".5", "\".5\"");
    CELL(JSON, "1e", "\"1e\"");
    CELL(JSON, "1e+", "\"1e+\"");
    CELL(JSON, "1 ", "\"1 \"");
    CELL(JSON, "2020-03-11", "\"2020-03-11\"");
    CELL(JSON, "31612345678@whatsapp.eazy.im",
         "\"31612345678@whatsapp.eazy.im\"");
    CELL(JSON, "\1\1\1", "\"\\u0001\\u0001\\u0001\"");
    CELL(JSONB, "str", "\1\"str\"");
    CELL(JSONB, "\1", "\1\"\\u0001\"");
}


/* dimensions, nulls, oid, size, lower bound */
#define ARRAY(oid, nulls, n)                                                  \
    "\0\0\0\1" "\0\0\0" nulls "\0\0" oid "\0\0\0" n "\0\0\0\1"

#define EMPTY(oid)  "\0\0\0\0" "\0\0\0\0" "\0\0" oid


static void
test_arrays(void **state)
{
    (void) state;

    CELL(1009, "[]", EMPTY("\x00\x19"));
    CELL(1009, " [\t]\r\n", EMPTY("\x00\x19"));
    CELL(1009, "[\r\"a\"\t,\nnull\r\n]",
         ARRAY("\x00\x19", "\1", "\2") "\0\0\0\1a" "\xff\xff\xff\xff");
    CELL(1009, "[\"a\",\"b\\\"c\"]",
         ARRAY("\x00\x19", "\0", "\2") "\0\0\0\1a" "\0\0\0\3b\"c");
    CELL(1009, "[\"\",null,\"null\"]",
         ARRAY("\x00\x19", "\1", "\3") "\0\0\0\0" "\xff\xff\xff\xff"
         "\0\0\0\4null");
    CELL(1009, "[ null , null ]",
         ARRAY("\x00\x19", "\1", "\2") "\xff\xff\xff\xff"
         "\xff\xff\xff\xff");
    CELL(1009, "[\"],[\",\"\\\\\",\"a\\nb\\u00e9\\ud83d\\ude00\"]",
         ARRAY("\x00\x19", "\0", "\3") "\0\0\0\3],[" "\0\0\0\1\\"
         "\0\0\0\x9" "a\nb\xc3\xa9\xf0\x9f\x98\x80");
    CELL(1000, "[true,false,null]",
         ARRAY("\x00\x10", "\1", "\3") "\0\0\0\1\1" "\0\0\0\1\0"
         "\xff\xff\xff\xff");
    CELL(1001, "[\"\\\\xabcd\",\"\\\\x\"]",
         ARRAY("\x00\x11", "\0", "\2") "\0\0\0\2\xab\xcd" "\0\0\0\0");
    CELL(1003, "[\"n\"]", ARRAY("\x00\x13", "\0", "\1") "\0\0\0\1n");
    CELL(1005, "[7,-7]",
         ARRAY("\x00\x15", "\0", "\2") "\0\0\0\2\0\7" "\0\0\0\2\xff\xf9");
    CELL(1007, "[7]", ARRAY("\x00\x17", "\0", "\1") "\0\0\0\4\0\0\0\7");
    CELL(1016, "[1,2,3]",
         ARRAY("\x00\x14", "\0", "\3") "\0\0\0\x8\0\0\0\0\0\0\0\1"
         "\0\0\0\x8\0\0\0\0\0\0\0\2" "\0\0\0\x8\0\0\0\0\0\0\0\3");
    CELL(1028, "[\"7\"]", ARRAY("\x00\x1a", "\0", "\1") "\0\0\0\4\0\0\0\7");
    CELL(1021, "[1.5,\"NaN\"]",
         ARRAY("\x02\xbc", "\0", "\2") "\0\0\0\4\x3f\xc0\0\0"
         "\0\0\0\4\x7f\xc0\0\0");
    CELL(1022, "[0,\"-Infinity\"]",
         ARRAY("\x02\xbd", "\0", "\2") "\0\0\0\x8\0\0\0\0\0\0\0\0"
         "\0\0\0\x8\xff\xf0\0\0\0\0\0\0");
    CELL(1014, "[\"a  \"]", ARRAY("\x04\x12", "\0", "\1") "\0\0\0\3a  ");
    CELL(1015, "[\"a\"]", ARRAY("\x04\x13", "\0", "\1") "\0\0\0\1a");
    CELL(1115, "[\"2000-01-01T00:00:00\"]",
         ARRAY("\x04\x5a", "\0", "\1") "\0\0\0\x8\0\0\0\0\0\0\0\0");
    CELL(1185, "[\"2000-01-01T00:00:00+00:00\",null]",
         ARRAY("\x04\xa0", "\1", "\2") "\0\0\0\x8\0\0\0\0\0\0\0\0"
         "\xff\xff\xff\xff");
    CELL(2951, "[\"30303030-3030-3030-3030-303030303030\"]",
         ARRAY("\x0b\x86", "\0", "\1") "\0\0\0\x10" "0000000000000000");

    /* json within an array keeps its quotes */

    CELL(199, "[{\"a\": \"x]\\\"}\"},\"s\",1,null,[1, [2]],true]",
         ARRAY("\x00\x72", "\1", "\6") "\0\0\0\x0e{\"a\": \"x]\\\"}\"}"
         "\0\0\0\3\"s\"" "\0\0\0\1" "1" "\xff\xff\xff\xff"
         "\0\0\0\x8[1, [2]]" "\0\0\0\4true");
    CELL(3807, "[{}, 5]",
         ARRAY("\x0e\xda", "\0", "\2") "\0\0\0\3\1{}" "\0\0\0\2\1" "5");
}


static void
test_refused(void **state)
{
    size_t  i;

    static const struct {
        uint32_t     oid;
        const char  *text;
    } bad[] = {
        { BOOL, "" }, { BOOL, "t" }, { BOOL, "1" }, { BOOL, "TRUE" },
        { INT2, "" }, { INT2, "-" }, { INT2, "32768" }, { INT2, "-32769" },
        { INT4, "2147483648" }, { INT4, "-2147483649" }, { INT4, "+1" },
        { INT4, "1.0" }, { INT4, " 1" }, { INT4, "1e3" }, { INT4, "0x1" },
        { INT8, "9223372036854775808" }, { INT8, "-9223372036854775809" },
        { INT8, "99999999999999999999999" }, { OID, "-1" },
        { OID, "4294967296" },
        { FLOAT4, "" }, { FLOAT4, "nan" }, { FLOAT4, "inf" },
        { FLOAT4, "1e39" }, { FLOAT4, "1,5" }, { FLOAT8, "0x1p3" },
        { FLOAT8, "1e400" }, { FLOAT8, " 1" }, { FLOAT8, "1 " },
        { FLOAT8, "1.5.5" }, { FLOAT8, "e" }, { FLOAT8, "--1" },
        { FLOAT8, "1000000000000000000000000000000000000000000000000000000000"
                  "00000000000" },
        { UUID, "" }, { UUID, "509000e905c943a9b6f170f1c6a5448a" },
        { BYTEA, "" }, { BYTEA, "ab" }, { BYTEA, "\\" }, { BYTEA, "\\xa" },
        { BYTEA, "\\xzz" }, { BYTEA, "\\Xab" },
        { TIMESTAMPTZ, "" }, { TIMESTAMPTZ, "2020-03-11" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02Z" },
        { TIMESTAMPTZ, "2020-03-11 19:53:02+00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+0000" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+30:00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00:60" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+a0:00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+/0:00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+0a:00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+0/:00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00:a0" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00:/0" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00:0:" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00-00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00:00-00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00:00:00:00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02+00:00 AD" },
        { TIMESTAMPTZ, "2020-02-30T19:53:02+00:00" },
        { TIMESTAMPTZ, "2020-03-11T19:53:02.1234567+00:00" },
        { TIMESTAMPTZ, "120-03-11T19:53:02+00:00" },
        { TIMESTAMPTZ, "294277-03-11T19:53:02+00:00" },
        { TIMESTAMPTZ, "99999999999999999999-03-11T19:53:02+00:00" },
        { TIMESTAMPTZ, "2019-02-29T00:00:00+00:00" },
        { TIMESTAMPTZ, "10001-02-29T00:00:00+00:00" },
        { TIMESTAMPTZ, "0002-02-29T00:00:00+00:00 BC" },
        { TIMESTAMPTZ, "2020 BC" }, { TIMESTAMPTZ, "2020-03-11 BC" },
        { TIMESTAMPTZ, " BC" }, { TIMESTAMPTZ, "2020" },
        { TIMESTAMPTZ, "2020-" }, { TIMESTAMPTZ, "Infinity" },
        { TIMESTAMP, "2020-03-11T19:53:02+00:00" },
        { TIMESTAMP, "2020-03-11T19:53:0" },
        { TIMESTAMP, "2020-03-11T19:53:02.000000000000000000000000000000" },
        { NUMERIC, "1" }, { 0, "1" }, { 1231, "[1]" },
        { 1009, "" }, { 1009, "null" }, { 1009, "{}" }, { 1009, "[" },
        { 1009, "]" }, { 1009, "[]]" }, { 1009, "[,]" }, { 1009, "[\"a\"" },
        { 1009, "[\"a\",]" }, { 1009, "[,\"a\"]" }, { 1009, "[\"a\" \"b\"]" },
        { 1009, "[\"a\"]x" }, { 1009, "[\"a]" }, { 1009, "[\"a\\\"]" },
        { 1009, "[\"\\" }, { 1009, "[a]" }, { 1009, "[1]" },
        { 1009, "[[\"a\"]]" }, { 1009, "[{}]" }, { 1009, "[nul]" },
        { 1009, "[\"\\x\"]" }, { 1009, "[\"\\ud800\"]" },
        { 1009, "[\"\\u0000\"]" }, { 1009, "[\"a\"\"b\"]" },
        { 1007, " " }, { 1007, "{1]" }, { 1007, "1]" },
        { 1007, "[[1,2],[3,4]]" }, { 1007, "[1,x]" }, { 1007, "[1 2]" },
        { 1007, "[1\"2\"]" }, { 1007, "[2147483648]" },
        { 1000, "[t]" }, { 199, "[{]" }, { 199, "[{\"}]" },
        { 199, "[[}" }, { 1185, "[\"2000-01-01T00:00:00\"]" }
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_refused(bad[i].oid, bad[i].text);
    }
}


static void
test_too_long(void **state)
{
    ezw_str_t   s;
    ezw_cell_t  cell;

    (void) state;

    /* looked at before it is read: no cell is that long */

    s.data = (unsigned char *) "";
    s.len = INT32_MAX / 16 + 1;

    assert_int_equal(ezw_row_stored(NULL, TEXT, &s, &cell), EZW_INVALID);
}


/* A NUL is no end. */
static void
test_nul(void **state)
{
    size_t      i;
    arena_t     arena;
    ezw_str_t   s;
    ezw_cell_t  cell;

    static const uint32_t  oids[] = { BOOL, INT4, FLOAT8, 1007 };

    static const char *const  texts[] = { "true", "1", "1", "[1]" };

    (void) state;

    for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
        s = tight(texts[i], strlen(texts[i]) + 1);
        arena_init(&arena, -1);
        assert_int_equal(ezw_row_stored(&arena.alloc, oids[i], &s, &cell),
                         EZW_INVALID);
        arena_free(&arena);
        free(s.data);
    }
}


static void
test_no_memory(void **state)
{
    size_t      i;
    arena_t     arena;
    ezw_str_t   s;
    ezw_cell_t  cell;

    static const struct {
        uint32_t     oid;
        const char  *text;
    } values[] = {
        { INT4, "1" }, { UUID, "30303030-3030-3030-3030-303030303030" },
        { JSON, "str" }, { JSONB, "{}" }, { 1009, "[\"a\"]" }
    };

    (void) state;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        s = str(values[i].text);

        arena_init(&arena, 0);
        assert_int_equal(ezw_row_stored(&arena.alloc, values[i].oid, &s,
                                        &cell),
                         EZW_ERROR);
        arena_free(&arena);

        arena_init(&arena, 1);
        assert_int_equal(ezw_row_stored(&arena.alloc, values[i].oid, &s,
                                        &cell),
                         EZW_OK);
        arena_free(&arena);
    }

    /* what Postgres sends as text is not copied */

    s = str("{\"a\":1}");
    arena_init(&arena, 0);
    assert_int_equal(ezw_row_stored(&arena.alloc, TEXT, &s, &cell), EZW_OK);
    assert_ptr_equal(cell.data, s.data);
    assert_int_equal(ezw_row_stored(&arena.alloc, JSON, &s, &cell), EZW_OK);
    assert_ptr_equal(cell.data, s.data);
    arena_free(&arena);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

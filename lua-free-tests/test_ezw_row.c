/* ezw_row: types, nesting, control columns, broken values. */

#include "cm.h"
#include "ezw_row.h"

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

#define MAX          16

#define NUL          { NULL, -1 }
#define C(s)         { (const unsigned char *) s, sizeof(s) - 1 }


typedef struct {
    const char  *name;
    uint32_t     oid;
    ezw_cell_t   cell;
} column_t;


static arena_t        arena;
static ezw_invalid_t  why;


static unsigned
split(const column_t *columns, const char **names, uint32_t *oids,
    ezw_cell_t *cells)
{
    unsigned  n;

    for (n = 0; columns[n].name != NULL; n++) {
        names[n] = columns[n].name;
        oids[n] = columns[n].oid;
        cells[n] = columns[n].cell;
    }

    return n;
}


/* Writes the row with chunks of 1 to 80 bytes, then without memory. */
static void
assert_row_conf(const column_t *columns, int empty_map_object,
    const char *text)
{
    int               rc;
    long              left;
    size_t            size;
    sink_t            s;
    unsigned          n;
    uint32_t          oids[MAX];
    ezw_cell_t        cells[MAX];
    const char       *names[MAX];
    ezw_row_conf_t    conf;
    ezw_row_shape_t  *shape;

    memset(&conf, 0, sizeof(conf));
    conf.empty_map_object = empty_map_object;

    n = split(columns, names, oids, cells);

    arena_init(&arena, -1);

    rc = ezw_row_compile(&arena.alloc, names, oids, n, &shape, &why);

    if (rc != EZW_OK) {
        fail_msg("%d: %s", rc, rc == EZW_INVALID ? why.text : "");
    }

    for (size = 1; size <= 80; size++) {
        sink_init(&s, size, -1);
        rc = ezw_row_write(shape, &conf, cells, &s.w);
        sink_flush(&s);
        assert_int_equal(rc, EZW_OK);
        assert_string_equal(s.out, text);
        sink_free(&s);
    }

    for (left = 0; left < (long) strlen(text); left += 7) {
        sink_init(&s, 1, left);
        rc = ezw_row_write(shape, &conf, cells, &s.w);
        sink_flush(&s);
        assert_int_equal(rc, EZW_ERROR);
        assert_int_equal(s.len, left);
        sink_free(&s);
    }

    arena_free(&arena);
}


static void
assert_row(const column_t *columns, const char *text)
{
    assert_row_conf(columns, 0, text);
}


static void
assert_value(uint32_t oid, const void *p, int len, const char *text)
{
    char      expected[512];
    column_t  columns[2];

    memset(columns, 0, sizeof(columns));
    columns[0].name = "v";
    columns[0].oid = oid;
    columns[0].cell.data = p;
    columns[0].cell.len = len;

    snprintf(expected, sizeof(expected), "{\"v\":%s}", text);
    assert_row(columns, expected);
}

#define VALUE(oid, s, text)  assert_value(oid, s, sizeof(s) - 1, text)


static int
compile(const column_t *columns)
{
    int               rc;
    unsigned          n;
    uint32_t          oids[MAX];
    ezw_cell_t        cells[MAX];
    const char       *names[MAX];
    ezw_row_shape_t  *shape;

    n = split(columns, names, oids, cells);

    memset(&why, 0, sizeof(why));
    arena_init(&arena, -1);
    rc = ezw_row_compile(&arena.alloc, names, oids, n, &shape, &why);
    arena_free(&arena);

    return rc;
}


static int
write_one(const char *name, uint32_t oid, const void *p, int len)
{
    int               rc;
    sink_t            s;
    ezw_str_t         copy;
    ezw_cell_t        cell;
    ezw_row_conf_t    conf;
    ezw_row_shape_t  *shape;

    memset(&conf, 0, sizeof(conf));
    arena_init(&arena, -1);
    assert_int_equal(ezw_row_compile(&arena.alloc, &name, &oid, 1, &shape,
                                     &why),
                     EZW_OK);

    copy = tight(p, len > 0 ? (size_t) len : 0);
    cell.data = copy.data;
    cell.len = len;

    sink_init(&s, 16, -1);
    rc = ezw_row_write(shape, &conf, &cell, &s.w);
    sink_free(&s);

    free(copy.data);
    arena_free(&arena);

    return rc;
}

#define WRITE(name, oid, s)  write_one(name, oid, s, sizeof(s) - 1)


static void
test_scalars(void **state)
{
    (void) state;

    VALUE(BOOL, "\x01", "true");
    VALUE(BOOL, "\x00", "false");
    VALUE(INT2, "\x7f\xff", "32767");
    VALUE(INT2, "\x80\x00", "-32768");
    VALUE(INT4, "\x00\x00\x00\x2a", "42");
    VALUE(INT4, "\xff\xff\xff\xff", "-1");
    VALUE(INT8, "\x00\x00\x00\x07\x5c\x2f\x6d\xc7", "31611383239");
    VALUE(INT8, "\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808");
    VALUE(OID, "\xff\xff\xff\xff", "4294967295");
    VALUE(FLOAT4, "\x3f\xc0\x00\x00", "1.5");
    VALUE(FLOAT4, "\x3d\xcc\xcc\xcd", "0.1");
    VALUE(FLOAT8, "\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1");
    VALUE(FLOAT8, "\x7f\xf8\x00\x00\x00\x00\x00\x00", "null");
    VALUE(TIMESTAMPTZ, "\x00\x00\x00\x00\x00\x00\x00\x00",
          "\"2000-01-01T00:00:00.000000Z\"");
    VALUE(TIMESTAMP, "\xff\xff\xff\xff\xff\xff\xff\xff",
          "\"1999-12-31T23:59:59.999999Z\"");
    VALUE(TIMESTAMPTZ, "\x7f\xff\xff\xff\xff\xff\xff\xff", "null");
    VALUE(UUID, "\x50\x90\x00\xe9\x05\xc9\x43\xa9"
                "\xb6\xf1\x70\xf1\xc6\xa5\x44\x8a",
          "\"509000e9-05c9-43a9-b6f1-70f1c6a5448a\"");
    VALUE(BYTEA, "\xde\xad\x00\xef", "\"dead00ef\"");
    VALUE(BYTEA, "", "\"\"");
}


static void
test_texts(void **state)
{
    size_t  i;

    static const uint32_t  oids[] = { TEXT, VARCHAR, BPCHAR, NAME, UNKNOWN };

    (void) state;

    for (i = 0; i < 5; i++) {
        VALUE(oids[i], "", "\"\"");
        VALUE(oids[i], "say \"hi\"\n", "\"say \\\"hi\\\"\\n\"");
    }

    VALUE(JSON, "{\"a\": [1]}", "{\"a\": [1]}");
    VALUE(JSON, "[]", "[]");
    VALUE(JSON, "{}", "{}");
    VALUE(JSONB, "\x01{\"a\": 1}", "{\"a\": 1}");
    VALUE(JSONB, "\x01{}", "{}");
}


static void
test_null(void **state)
{
    size_t  i;

    static const uint32_t  oids[] = {
        BOOL, BYTEA, INT8, TEXT, JSON, FLOAT8, TIMESTAMPTZ, UUID, JSONB, 1009
    };

    (void) state;

    for (i = 0; i < sizeof(oids) / sizeof(oids[0]); i++) {
        assert_value(oids[i], NULL, -1, "null");
    }

    assert_int_equal(write_one("v", TEXT, NULL, -2), EZW_INVALID);
}


static void
test_broken_values(void **state)
{
    (void) state;

    assert_int_equal(WRITE("v", BOOL, ""), EZW_INVALID);
    assert_int_equal(WRITE("v", BOOL, "\x02"), EZW_INVALID);
    assert_int_equal(WRITE("v", BOOL, "\x01\x01"), EZW_INVALID);
    assert_int_equal(WRITE("v", INT2, "\x01"), EZW_INVALID);
    assert_int_equal(WRITE("v", INT2, "\x01\x01\x01"), EZW_INVALID);
    assert_int_equal(WRITE("v", INT4, "\x01\x01\x01"), EZW_INVALID);
    assert_int_equal(WRITE("v", INT4, "12345"), EZW_INVALID);
    assert_int_equal(WRITE("v", INT8, "1234567"), EZW_INVALID);
    assert_int_equal(WRITE("v", INT8, "123456789"), EZW_INVALID);
    assert_int_equal(WRITE("v", OID, "123"), EZW_INVALID);
    assert_int_equal(WRITE("v", FLOAT4, "123"), EZW_INVALID);
    assert_int_equal(WRITE("v", FLOAT8, "1234"), EZW_INVALID);
    assert_int_equal(WRITE("v", TIMESTAMP, "1234"), EZW_INVALID);
    assert_int_equal(WRITE("v", TIMESTAMPTZ, "123456789"), EZW_INVALID);
    assert_int_equal(WRITE("v", UUID, "123456789012345"), EZW_INVALID);
    assert_int_equal(WRITE("v", UUID, "12345678901234567"), EZW_INVALID);
    assert_int_equal(WRITE("v", JSON, ""), EZW_INVALID);
    assert_int_equal(WRITE("v", JSONB, ""), EZW_INVALID);
    assert_int_equal(WRITE("v", JSONB, "\x01"), EZW_INVALID);
    assert_int_equal(WRITE("v", JSONB, "\x02{}"), EZW_INVALID);
    assert_int_equal(WRITE("v", JSONB, "{}"), EZW_INVALID);
}


/* dimensions, flags, oid, size, lower bound */
#define ARRAY(oid, n)                                                         \
    "\0\0\0\1" "\0\0\0\0" "\0\0" oid "\0\0\0" n "\0\0\0\1"

#define EMPTY(oid)  "\0\0\0\0" "\0\0\0\0" "\0\0" oid


static void
test_arrays(void **state)
{
    (void) state;

    VALUE(1009, EMPTY("\x00\x19"), "[]");
    VALUE(1009, ARRAY("\x00\x19", "\2") "\0\0\0\1a" "\0\0\0\2b\"",
          "[\"a\",\"b\\\"\"]");
    VALUE(1009, ARRAY("\x00\x19", "\3") "\0\0\0\0" "\xff\xff\xff\xff"
                "\0\0\0\1c",
          "[\"\",null,\"c\"]");
    VALUE(1009, ARRAY("\x00\x19", "\0"), "[]");
    VALUE(1000, ARRAY("\x00\x10", "\2") "\0\0\0\1\1" "\0\0\0\1\0",
          "[true,false]");
    VALUE(1001, ARRAY("\x00\x11", "\1") "\0\0\0\2\xab\xcd", "[\"abcd\"]");
    VALUE(1003, ARRAY("\x00\x13", "\1") "\0\0\0\1n", "[\"n\"]");
    VALUE(1005, ARRAY("\x00\x15", "\1") "\0\0\0\2\0\7", "[7]");
    VALUE(1007, ARRAY("\x00\x17", "\2") "\0\0\0\4\0\0\0\7"
                "\0\0\0\4\xff\xff\xff\xff",
          "[7,-1]");
    VALUE(1016, ARRAY("\x00\x14", "\1") "\0\0\0\x8\0\0\0\0\0\0\0\7", "[7]");
    VALUE(1028, ARRAY("\x00\x1a", "\1") "\0\0\0\4\0\0\0\7", "[7]");
    VALUE(199, ARRAY("\x00\x72", "\1") "\0\0\0\2{}", "[{}]");
    VALUE(3807, ARRAY("\x0e\xda", "\1") "\0\0\0\3\1{}", "[{}]");
    VALUE(1021, ARRAY("\x02\xbc", "\1") "\0\0\0\4\x3f\xc0\0\0", "[1.5]");
    VALUE(1022, ARRAY("\x02\xbd", "\1") "\0\0\0\x8\0\0\0\0\0\0\0\0", "[0]");
    VALUE(1014, ARRAY("\x04\x12", "\1") "\0\0\0\1a", "[\"a\"]");
    VALUE(1015, ARRAY("\x04\x13", "\1") "\0\0\0\1a", "[\"a\"]");
    VALUE(1115, ARRAY("\x04\x5a", "\1") "\0\0\0\x8\0\0\0\0\0\0\0\0",
          "[\"2000-01-01T00:00:00.000000Z\"]");
    VALUE(1185, ARRAY("\x04\xa0", "\1") "\0\0\0\x8\0\0\0\0\0\0\0\0",
          "[\"2000-01-01T00:00:00.000000Z\"]");
    VALUE(2951, ARRAY("\x0b\x86", "\1") "\0\0\0\x10" "0000000000000000",
          "[\"30303030-3030-3030-3030-303030303030\"]");
}


static void
test_broken_arrays(void **state)
{
    (void) state;

    assert_int_equal(WRITE("v", 1009, ""), EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, "\0\0\0\0" "\0\0\0\0" "\0\0\0"),
                     EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, EMPTY("\x00\x17")), EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, EMPTY("\x00\x19") "x"), EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, "\0\0\0\2" "\0\0\0\0" "\0\0\0\x19"
                                      "\0\0\0\1\0\0\0\1" "\0\0\0\1\0\0\0\1"
                                      "\0\0\0\1a"),
                     EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, "\0\0\0\1" "\0\0\0\0" "\0\0\0\x19"
                                      "\0\0\0\0" "\0\0\0"),
                     EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, ARRAY("\x00\x19", "\1")), EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, ARRAY("\x00\x19", "\1") "\0\0\0"),
                     EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, ARRAY("\x00\x19", "\1") "\0\0\0\2a"),
                     EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, ARRAY("\x00\x19", "\1") "\0\0\0\1ab"),
                     EZW_INVALID);
    assert_int_equal(WRITE("v", 1009,
                           ARRAY("\x00\x19", "\1") "\xff\xff\xff\xfe"),
                     EZW_INVALID);
    assert_int_equal(WRITE("v", 1007, ARRAY("\x00\x17", "\1") "\0\0\0\1a"),
                     EZW_INVALID);
    assert_int_equal(WRITE("v", 1009, "\0\0\0\1" "\0\0\0\0" "\0\0\0\x19"
                                      "\xff\xff\xff\xff" "\0\0\0\1"),
                     EZW_INVALID);
}


static void
test_nesting(void **state)
{
    static const column_t  contact[] = {
        { "jid",            TEXT, C("1@sms.eazy.im") },
        { "metadata",       JSON, C("{\"a\": 1}") },
        { "name.firstName", TEXT, C("John") },
        { "name.fullName",  TEXT, C("John Doe") },
        { "name.lastName",  TEXT, NUL },
        { "phoneNumber",    INT8, C("\0\0\0\0\0\0\0\1") },
        { NULL, 0, NUL }
    };
    static const column_t  deep[] = {
        { "a.b.c",   TEXT, C("1") },
        { "a.b.d.e", TEXT, C("2") },
        { "a.f",     TEXT, C("3") },
        { "g.h.i",   TEXT, C("4") },
        { NULL, 0, NUL }
    };
    static const column_t  same_names[] = {
        { "a.b",   TEXT, C("1") },
        { "b.a",   TEXT, C("2") },
        { "c.b.a", TEXT, C("3") },
        { NULL, 0, NUL }
    };
    static const column_t  deepest[] = {
        { "1.2.3.4.5.6.7.8.9", TEXT, C("x") },
        { NULL, 0, NUL }
    };
    static const column_t  nothing[] = {
        { NULL, 0, NUL }
    };
    static const column_t  escaped[] = {
        { "a\"b.\\\n", TEXT, C("x") },
        { "\xc3\xa9",  TEXT, C("y") },
        { NULL, 0, NUL }
    };

    (void) state;

    assert_row(contact,
               "{\"jid\":\"1@sms.eazy.im\",\"metadata\":{\"a\": 1},"
               "\"name\":{\"firstName\":\"John\",\"fullName\":\"John Doe\","
               "\"lastName\":null},\"phoneNumber\":1}");
    assert_row(deep, "{\"a\":{\"b\":{\"c\":\"1\",\"d\":{\"e\":\"2\"}},"
                     "\"f\":\"3\"},\"g\":{\"h\":{\"i\":\"4\"}}}");
    assert_row(same_names, "{\"a\":{\"b\":\"1\"},\"b\":{\"a\":\"2\"},"
                           "\"c\":{\"b\":{\"a\":\"3\"}}}");
    assert_row(deepest, "{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{\"6\":{\"7\":"
                        "{\"8\":{\"9\":\"x\"}}}}}}}}}");
    assert_row(nothing, "{}");
    assert_row(escaped, "{\"a\\\"b\":{\"\\\\\\n\":\"x\"},"
                        "\"\xc3\xa9\":\"y\"}");
}


static void
test_nullable(void **state)
{
    column_t  columns[] = {
        { "id",              TEXT, C("1") },
        { "team?.jid",       TEXT, C("t") },
        { "team?.name",      TEXT, C("n") },
        { "last?.at",        TEXT, C("l") },
        { "last?.from?.jid", TEXT, C("f") },
        { "last?.from.name", TEXT, C("g") },
        { "last?.body",      TEXT, C("b") },
        { "end",             TEXT, C("e") },
        { NULL, 0, NUL }
    };
    column_t  first[] = {
        { "a?.b?.c", TEXT, C("1") },
        { "a?.b?.d", TEXT, C("2") },
        { NULL, 0, NUL }
    };

    const ezw_cell_t  null = NUL;

    (void) state;

    assert_row(columns,
               "{\"id\":\"1\",\"team\":{\"jid\":\"t\",\"name\":\"n\"},"
               "\"last\":{\"at\":\"l\",\"from\":{\"jid\":\"f\",\"name\":\"g\"}"
               ",\"body\":\"b\"},\"end\":\"e\"}");

    columns[1].cell = null;
    assert_row(columns,
               "{\"id\":\"1\",\"team\":null,"
               "\"last\":{\"at\":\"l\",\"from\":{\"jid\":\"f\",\"name\":\"g\"}"
               ",\"body\":\"b\"},\"end\":\"e\"}");

    columns[2].cell = null;
    columns[4].cell = null;
    assert_row(columns,
               "{\"id\":\"1\",\"team\":null,"
               "\"last\":{\"at\":\"l\",\"from\":null,\"body\":\"b\"},"
               "\"end\":\"e\"}");

    columns[3].cell = null;
    assert_row(columns,
               "{\"id\":\"1\",\"team\":null,\"last\":null,\"end\":\"e\"}");

    assert_row(first, "{\"a\":{\"b\":{\"c\":\"1\",\"d\":\"2\"}}}");
    first[0].cell = null;
    assert_row(first, "{\"a\":null}");
}


/* The second column is null, the first is not: no null object. */
static void
test_nullable_first_decides(void **state)
{
    static const column_t  columns[] = {
        { "team?.jid",  TEXT, C("t") },
        { "team?.name", TEXT, NUL },
        { NULL, 0, NUL }
    };

    (void) state;

    assert_row(columns, "{\"team\":{\"jid\":\"t\",\"name\":null}}");
}


static void
test_map(void **state)
{
    size_t    i;
    column_t  columns[] = {
        { "m:map", JSON, NUL },
        { NULL, 0, NUL }
    };

    static const char *const  empty[] = {
        "{}", "[]", "{ }", " [\n] ", "\t{\r\n}"
    };

    static const char *const  kept[] = {
        "{\"a\":1}", "[1]", "null", "{]", "[}", "0", "\"\"", "{}{}", "{"
    };

    (void) state;

    assert_row(columns, "{\"m\":null}");

    for (i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        columns[0].cell.data = (const unsigned char *) empty[i];
        columns[0].cell.len = (int) strlen(empty[i]);

        assert_row_conf(columns, 0, "{\"m\":[]}");
        assert_row_conf(columns, 1, "{\"m\":{}}");
    }

    for (i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        char  text[64];

        columns[0].cell.data = (const unsigned char *) kept[i];
        columns[0].cell.len = (int) strlen(kept[i]);

        snprintf(text, sizeof(text), "{\"m\":%s}", kept[i]);
        assert_row_conf(columns, 0, text);
        assert_row_conf(columns, 1, text);
    }

    columns[0].oid = JSONB;
    columns[0].cell.data = (const unsigned char *) "\x01{}";
    columns[0].cell.len = 3;
    assert_row_conf(columns, 0, "{\"m\":[]}");
    assert_row_conf(columns, 1, "{\"m\":{}}");
}


static void
test_conversation(void **state)
{
    static const column_t  columns[] = {
        { "id:conversation", TEXT, C("31612345678@whatsapp.eazy.im "
                                     "31611111111@whatsapp.eazy.im") },
        { "b.id:conversation", VARCHAR, NUL },
        { NULL, 0, NUL }
    };

    (void) state;

    assert_row(columns, "{\"id\":\"px+aB7F9FrMONbyavrdYSysFFBI=\","
                        "\"b\":{\"id\":null}}");

    assert_int_equal(WRITE("id:conversation", TEXT, ""), EZW_INVALID);
    assert_int_equal(WRITE("id:conversation", TEXT, "a"), EZW_INVALID);
    assert_int_equal(WRITE("id:conversation", TEXT, "a "), EZW_INVALID);
    assert_int_equal(WRITE("id:conversation", TEXT, " b"), EZW_INVALID);
    assert_int_equal(WRITE("id:conversation", TEXT, "a b c"), EZW_INVALID);
    assert_int_equal(WRITE("id:conversation", TEXT, "a b"), EZW_OK);
}


/* The cell is never shown, be it null or not. */
static void
test_secret(void **state)
{
    sink_t            s;
    unsigned          n, given;
    uint32_t          oids[MAX];
    ezw_cell_t        cells[MAX];
    const char       *names[MAX];
    ezw_row_conf_t    conf;
    ezw_row_shape_t  *shape;

    static const column_t  columns[] = {
        { "id",                 TEXT, C("1") },
        { "key:secret",         TEXT, NUL },
        { "invite.url:secret",  TEXT, C("not this") },
        { "invite.at",          INT4, C("\0\0\0\7") },
        { "team?.key:secret",   BOOL, C("\2") },
        { "none?.token:secret", TEXT, NUL },
        { NULL, 0, NUL }
    };

    static const ezw_row_secret_t  secrets[] = {
        { ezw_string("ke"),         ezw_string("1") },
        { ezw_string("key2"),       ezw_string("2") },
        { ezw_string("url"),        ezw_string("3") },
        { ezw_string("none.token"), ezw_string("4") },
        { ezw_string("invite.url"), ezw_string("https://x/\"\n") },
        { ezw_string("team?.key"),  ezw_string("") },
        { ezw_string("key"),        ezw_string("caf\xc3\xa9") },
        { ezw_string("key"),        ezw_string("5") }
    };

    static const char *const  expected[] = {
        "{\"id\":\"1\",\"key\":null,\"invite\":{\"url\":null,\"at\":7},"
        "\"team\":{\"key\":null},\"none\":null}",
        "{\"id\":\"1\",\"key\":\"caf\xc3\xa9\","
        "\"invite\":{\"url\":\"https://x/\\\"\\n\",\"at\":7},"
        "\"team\":{\"key\":\"\"},\"none\":null}"
    };

    (void) state;

    memset(&conf, 0, sizeof(conf));
    n = split(columns, names, oids, cells);
    arena_init(&arena, -1);
    assert_int_equal(ezw_row_compile(&arena.alloc, names, oids, n, &shape,
                                     &why),
                     EZW_OK);

    for (given = 0; given < 2; given++) {

        if (given) {
            conf.secrets = secrets;
            conf.nsecrets = sizeof(secrets) / sizeof(secrets[0]);
        }

        sink_init(&s, 8, -1);
        assert_int_equal(ezw_row_write(shape, &conf, cells, &s.w), EZW_OK);
        sink_flush(&s);
        assert_string_equal(s.out, expected[given]);
        sink_free(&s);
    }

    arena_free(&arena);

    assert_int_equal(write_one("key:secret", TEXT, NULL, -2), EZW_INVALID);
}


static void
test_control(void **state)
{
    sink_t            s;
    unsigned          n;
    uint32_t          oids[MAX];
    ezw_cell_t        cells[MAX];
    const char       *names[MAX];
    ezw_row_conf_t    conf;
    ezw_row_shape_t  *shape;

    static const column_t  columns[] = {
        { "refusal", TEXT,    NUL },
        { "a.b",     TEXT,    C("1") },
        { "@row",    INT8,    NUL },
        { "a.c",     TEXT,    C("2") },
        { "@field",  NUMERIC, NUL },
        { NULL, 0, NUL }
    };

    (void) state;

    assert_row(columns, "{\"a\":{\"b\":\"1\",\"c\":\"2\"}}");

    memset(&conf, 0, sizeof(conf));
    n = split(columns, names, oids, cells);
    arena_init(&arena, -1);
    assert_int_equal(ezw_row_compile(&arena.alloc, names, oids, n, &shape,
                                     &why),
                     EZW_OK);

    assert_int_equal(ezw_row_control(shape, "refusal"), 0);
    assert_int_equal(ezw_row_control(shape, "@row"), 2);
    assert_int_equal(ezw_row_control(shape, "@field"), 4);
    assert_int_equal(ezw_row_control(shape, "@other"), -1);
    assert_int_equal(ezw_row_control(shape, "a.b"), -1);
    assert_int_equal(ezw_row_columns(shape), 2);
    arena_free(&arena);

    arena_init(&arena, -1);
    assert_int_equal(ezw_row_compile(&arena.alloc, names, oids, 1, &shape,
                                     &why),
                     EZW_OK);
    assert_int_equal(ezw_row_columns(shape), 0);

    sink_init(&s, 8, -1);
    assert_int_equal(ezw_row_write(shape, &conf, cells, &s.w), EZW_OK);
    sink_flush(&s);
    assert_string_equal(s.out, "{}");
    sink_free(&s);
    arena_free(&arena);
}


static void
test_bare(void **state)
{
    static const column_t  text[] = {
        { ".", TEXT, C("1@sms.eazy.im") },
        { NULL, 0, NUL }
    };
    static const column_t  null[] = {
        { "refusal", TEXT, NUL },
        { ".",       INT8, NUL },
        { NULL, 0, NUL }
    };
    static const column_t  map[] = {
        { ".:map", JSON, C("{}") },
        { NULL, 0, NUL }
    };
    static const column_t  two[] = {
        { ".", TEXT, NUL },
        { "a", TEXT, NUL },
        { NULL, 0, NUL }
    };
    static const column_t  twice[] = {
        { ".", TEXT, NUL },
        { ".", TEXT, NUL },
        { NULL, 0, NUL }
    };

    (void) state;

    assert_row(text, "\"1@sms.eazy.im\"");
    assert_row(null, "null");
    assert_row(map, "[]");
    assert_int_equal(compile(two), EZW_INVALID);
    assert_int_equal(compile(twice), EZW_INVALID);
}


static void
assert_refused(const char *first, const char *second, uint32_t oid,
    const char *text)
{
    column_t  columns[3];

    memset(columns, 0, sizeof(columns));
    columns[0].name = first;
    columns[0].oid = oid;
    columns[1].name = second;
    columns[1].oid = oid;

    assert_int_equal(compile(columns), EZW_INVALID);
    assert_int_equal(why.code, 1004);
    assert_string_equal(why.text, text);
}


static void
test_compile_refuses(void **state)
{
    static const column_t  two_places[] = {
        { "a.b", TEXT, NUL }, { "c", TEXT, NUL }, { "a.d", TEXT, NUL },
        { NULL, 0, NUL }
    };
    static const column_t  inner_places[] = {
        { "a.b.c", TEXT, NUL }, { "a.d", TEXT, NUL }, { "a.b.e", TEXT, NUL },
        { NULL, 0, NUL }
    };

    (void) state;

    assert_int_equal(compile(two_places), EZW_INVALID);
    assert_string_equal(why.text, "column \"a.d\" belongs to an object that "
                                  "other columns have ended");
    assert_string_equal(why.field, "a.d");
    assert_int_equal(compile(inner_places), EZW_INVALID);
    assert_string_equal(why.field, "a.b.e");

    assert_refused("a", "a", TEXT, "column \"a\" is there twice");
    assert_refused("a.b", "a.b", TEXT, "column \"a.b\" is there twice");
    assert_refused("a.b", "a?.b", TEXT,
                   "column \"a?.b\" makes an object nullable that has begun "
                   "without \"?\"");
    assert_refused("a", "a.b", TEXT, "column \"a.b\" is there twice");
    assert_refused("a.b", "a", TEXT,
                   "column \"a\" belongs to an object that other columns have "
                   "ended");
    assert_refused("@row", "@row", TEXT, "column \"@row\" is there twice");
    assert_refused("refusal", "refusal", TEXT,
                   "column \"refusal\" is there twice");
    assert_refused("", NULL, TEXT, "column \"\" has an empty name in it");
    assert_refused("a.", NULL, TEXT, "column \"a.\" has an empty name in it");
    assert_refused(".a", NULL, TEXT, "column \".a\" has an empty name in it");
    assert_refused("a..b", NULL, TEXT,
                   "column \"a..b\" has an empty name in it");
    assert_refused("?.b", NULL, TEXT,
                   "column \"?.b\" has an empty name in it");
    assert_refused(":map", NULL, JSON,
                   "column \":map\" has an empty name in it");
    assert_refused("1.2.3.4.5.6.7.8.9.10", NULL, TEXT,
                   "column \"1.2.3.4.5.6.7.8.9.10\" is nested too deeply");
    assert_refused("n", NULL, NUMERIC,
                   "column \"n\" has type 1700, which is not served");
    assert_refused("n", NULL, 0,
                   "column \"n\" has type 0, which is not served");
    assert_refused("n", NULL, 1231,
                   "column \"n\" has type 1231, which is not served");
    assert_refused("m:map", NULL, TEXT,
                   "column \"m:map\" has an encoding that is not known or not "
                   "its type's");
    assert_refused("m:conversation", NULL, JSON,
                   "column \"m:conversation\" has an encoding that is not "
                   "known or not its type's");
    assert_refused("m:conversation", NULL, 1009,
                   "column \"m:conversation\" has an encoding that is not "
                   "known or not its type's");
    assert_refused("m:", NULL, TEXT,
                   "column \"m:\" has an encoding that is not known or not "
                   "its type's");
    assert_refused("m:secrets", NULL, TEXT,
                   "column \"m:secrets\" has an encoding that is not known or "
                   "not its type's");
    assert_refused(":secret", NULL, TEXT,
                   "column \":secret\" has an empty name in it");
    assert_refused("m:maps", NULL, JSON,
                   "column \"m:maps\" has an encoding that is not known or "
                   "not its type's");
    assert_refused("\xff", NULL, TEXT, "column 1 is not UTF-8");
}


static void
test_names_are_copied(void **state)
{
    char              name[] = "a.b", control[] = "@row", key[] = "k:secret";
    sink_t            s;
    uint32_t          oids[3] = { TEXT, TEXT, TEXT };
    ezw_cell_t        cells[3] = { C("x"), NUL, NUL };
    const char       *names[3];
    ezw_row_conf_t    conf;
    ezw_row_shape_t  *shape;

    static const ezw_row_secret_t  secret = { ezw_string("k"),
                                              ezw_string("s") };

    (void) state;

    names[0] = name;
    names[1] = control;
    names[2] = key;

    memset(&conf, 0, sizeof(conf));
    conf.secrets = &secret;
    conf.nsecrets = 1;
    arena_init(&arena, -1);
    assert_int_equal(ezw_row_compile(&arena.alloc, names, oids, 3, &shape,
                                     &why),
                     EZW_OK);

    memset(name, '#', 3);
    memset(control, '#', 4);
    memset(key, '#', 8);

    sink_init(&s, 8, -1);
    assert_int_equal(ezw_row_write(shape, &conf, cells, &s.w), EZW_OK);
    sink_flush(&s);
    assert_string_equal(s.out, "{\"a\":{\"b\":\"x\"},\"k\":\"s\"}");
    assert_int_equal(ezw_row_control(shape, "@row"), 1);
    sink_free(&s);
    arena_free(&arena);
}


static void
test_many_columns(void **state)
{
    char             **names;
    unsigned           i;
    uint32_t          *oids;
    ezw_row_shape_t   *shape;

    (void) state;

    names = calloc(1665, sizeof(char *));
    oids = calloc(1665, sizeof(uint32_t));

    for (i = 0; i < 1665; i++) {
        names[i] = malloc(16);
        snprintf(names[i], 16, "a%u?.b.c", i);
        oids[i] = TEXT;
    }

    arena_init(&arena, -1);
    assert_int_equal(ezw_row_compile(&arena.alloc, (const char *const *) names,
                                     oids, 1664, &shape, &why),
                     EZW_OK);
    assert_int_equal(ezw_row_columns(shape), 1664);
    assert_int_equal(ezw_row_compile(&arena.alloc, (const char *const *) names,
                                     oids, 1665, &shape, &why),
                     EZW_INVALID);
    arena_free(&arena);

    for (i = 0; i < 1665; i++) {
        free(names[i]);
    }

    free(names);
    free(oids);
}


static void
test_no_memory(void **state)
{
    int               rc;
    long              n;
    uint32_t          oids[2] = { TEXT, TEXT };
    ezw_row_shape_t  *shape;

    static const char *const  names[] = { "a?.b:secret", "@row" };

    (void) state;

    for (n = 0; ; n++) {
        arena_init(&arena, n);
        rc = ezw_row_compile(&arena.alloc, names, oids, 2, &shape, &why);
        arena_free(&arena);

        if (rc == EZW_OK) {
            break;
        }

        assert_int_equal(rc, EZW_ERROR);
    }

    assert_true(n > 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_broken_values),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_broken_arrays),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_nullable),
        cmocka_unit_test(test_nullable_first_decides),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_conversation),
        cmocka_unit_test(test_secret),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_compile_refuses),
        cmocka_unit_test(test_names_are_copied),
        cmocka_unit_test(test_many_columns),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_cursor: what is written is read back as text, and nothing else is. */

#include "cm.h"
#include "ezw_cursor.h"
#include "ezw_id.h"


#define LIST  0x01020304

#define TEXT         25
#define VARCHAR      1043
#define UUID         2950
#define INT4         23
#define INT8         20
#define TIMESTAMPTZ  1184
#define BYTEA        17
#define BOOL         16


static ezw_cell_t
cell(const void *data, int len)
{
    ezw_cell_t  c;

    c.data = data;
    c.len = len;

    return c;
}


/* One value there and back. */
static void
assert_back(uint32_t oid, const void *data, int len, const char *want)
{
    arena_t     a;
    ezw_str_t   cursor, value;
    ezw_cell_t  c;

    arena_init(&a, -1);
    c = cell(data, len);

    assert_int_equal(ezw_cursor_write(&a.alloc, LIST, &c, &oid, 1, &cursor),
                     EZW_OK);
    assert_int_equal(ezw_cursor_parse(&a.alloc, LIST, &cursor, &value, 1),
                     EZW_OK);
    assert_int_equal(value.len, strlen(want));
    assert_string_equal((char *) value.data, want);
    arena_free(&a);
}


static void
test_values(void **state)
{
    char  text[301];

    (void) state;

    assert_back(TEXT, "a b", 3, "a b");
    assert_back(TEXT, "", 0, "");
    assert_back(VARCHAR, "\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80");
    assert_back(UUID, "\x50\x90\x00\xe9\x05\xc9\x43\xa9\xb6\xf1\x70\xf1"
                "\xc6\xa5\x44\x8a", 16, "509000e9-05c9-43a9-b6f1-70f1c6a5448a");
    assert_back(INT4, "\xff\xff\xff\xff", 4, "-1");
    assert_back(INT4, "\x7f\xff\xff\xff", 4, "2147483647");
    assert_back(INT8, "\0\0\0\0\0\0\0\x2a", 8, "42");
    assert_back(INT8, "\x80\0\0\0\0\0\0\0", 8, "-9223372036854775808");
    assert_back(TIMESTAMPTZ, "\0\0\0\0\0\0\0\x01", 8,
                "2000-01-01T00:00:00.000001Z");
    assert_back(BYTEA, "\x00\xff", 2, "\\x00ff");
    assert_back(BYTEA, "", 0, "\\x");

    memset(text, 'x', 300);
    text[300] = '\0';
    assert_back(TEXT, text, 300, text);
}


static void
test_several(void **state)
{
    arena_t     a;
    ezw_str_t   cursor, values[3];
    ezw_cell_t  cells[3];

    static const uint32_t  oids[3] = { INT4, TEXT, BYTEA };

    (void) state;

    arena_init(&a, -1);
    cells[0] = cell("\0\0\0\x07", 4);
    cells[1] = cell("name", 4);
    cells[2] = cell("\x01", 1);

    assert_int_equal(ezw_cursor_write(&a.alloc, LIST, cells, oids, 3, &cursor),
                     EZW_OK);
    assert_int_equal(ezw_cursor_parse(&a.alloc, LIST, &cursor, values, 3),
                     EZW_OK);
    assert_string_equal((char *) values[0].data, "7");
    assert_string_equal((char *) values[1].data, "name");
    assert_string_equal((char *) values[2].data, "\\x01");

    /* of another list, with more values, or with fewer */

    assert_int_equal(ezw_cursor_parse(&a.alloc, LIST + 1, &cursor, values, 3),
                     EZW_INVALID);
    assert_int_equal(ezw_cursor_parse(&a.alloc, LIST, &cursor, values, 2),
                     EZW_INVALID);
    assert_int_equal(ezw_cursor_write(&a.alloc, LIST, cells, oids, 2, &cursor),
                     EZW_OK);
    assert_int_equal(ezw_cursor_parse(&a.alloc, LIST, &cursor, values, 3),
                     EZW_INVALID);
    arena_free(&a);
}


/* What a caller makes up. */
static void
assert_refused(const char *bytes, size_t len, unsigned n)
{
    arena_t        a;
    ezw_str_t      cursor, values[3];
    unsigned char  text[256];

    arena_init(&a, -1);
    cursor.len = ezw_base64url(text, (const unsigned char *) bytes, len);
    cursor.data = text;
    assert_int_equal(ezw_cursor_parse(&a.alloc, LIST, &cursor, values, n),
                     EZW_INVALID);
    arena_free(&a);
}

#define refused(n, s)  assert_refused("\1\2\3\4" s, sizeof(s) + 3, n)


static void
test_made_up(void **state)
{
    arena_t    a;
    ezw_str_t  cursor, value;

    (void) state;

    refused(1, "");
    refused(1, "t");
    refused(1, "t\0");
    refused(1, "t\0\2x");
    refused(1, "t\0\1xy");
    refused(1, "t\0\1\xff");
    refused(1, "t\0\1\0");
    refused(1, "u\0\1x");
    refused(1, "u\0\17xxxxxxxxxxxxxxx");
    refused(1, "i\0\3xxx");
    refused(1, "i\0\10xxxxxxxx");
    refused(1, "j\0\4xxxx");
    refused(1, "s\0\4xxxx");
    refused(1, "s\0\10\x7f\xff\xff\xff\xff\xff\xff\xff");
    refused(1, "s\0\10\x80\0\0\0\0\0\0\0");
    refused(1, "x\0\1x");
    refused(1, "\0\0\1x");
    refused(2, "t\0\1x");
    assert_refused("\1\2\3", 3, 1);
    assert_refused("\1\2\3\5t\0\1x", 8, 1);

    arena_init(&a, -1);
    cursor = str("AQIDBHQAAXg=");
    assert_int_equal(ezw_cursor_parse(&a.alloc, LIST, &cursor, &value, 1),
                     EZW_INVALID);
    cursor = str("AQIDBHQAAXg");
    assert_int_equal(ezw_cursor_parse(&a.alloc, LIST, &cursor, &value, 1),
                     EZW_OK);
    assert_string_equal((char *) value.data, "x");
    arena_free(&a);
}


static void
test_not_written(void **state)
{
    arena_t     a;
    uint32_t    oid;
    ezw_str_t   cursor;
    ezw_cell_t  c;

    static char  text[4096];

    (void) state;

    arena_init(&a, -1);
    memset(text, 'x', sizeof(text));

    /* null, of another length than its type's, of no type that is served */

    oid = TEXT;
    c = cell(NULL, -1);
    assert_int_equal(ezw_cursor_write(&a.alloc, LIST, &c, &oid, 1, &cursor),
                     EZW_INVALID);
    c = cell(text, 4096);
    assert_int_equal(ezw_cursor_write(&a.alloc, LIST, &c, &oid, 1, &cursor),
                     EZW_INVALID);
    oid = UUID;
    c = cell(text, 15);
    assert_int_equal(ezw_cursor_write(&a.alloc, LIST, &c, &oid, 1, &cursor),
                     EZW_INVALID);
    oid = BOOL;
    c = cell("\1", 1);
    assert_int_equal(ezw_cursor_write(&a.alloc, LIST, &c, &oid, 1, &cursor),
                     EZW_INVALID);
    oid = 99999;
    assert_int_equal(ezw_cursor_write(&a.alloc, LIST, &c, &oid, 1, &cursor),
                     EZW_INVALID);
    arena_free(&a);
}


static void
test_memory(void **state)
{
    int         rc;
    long        n;
    arena_t     a;
    uint32_t    oid;
    ezw_str_t   cursor, value;
    ezw_cell_t  c;

    (void) state;

    oid = TEXT;
    c = cell("x", 1);
    rc = EZW_ERROR;

    for (n = 0; rc == EZW_ERROR; n++) {
        assert_true(n < 10);
        arena_init(&a, n);

        rc = ezw_cursor_write(&a.alloc, LIST, &c, &oid, 1, &cursor);

        if (rc == EZW_OK) {
            rc = ezw_cursor_parse(&a.alloc, LIST, &cursor, &value, 1);
        }

            arena_free(&a);
    }

    assert_int_equal(rc, EZW_OK);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_made_up),
        cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_idempotency: what a key may be, bare and quoted. */

#include "cm.h"
#include "ezw_idempotency.h"


static void
assert_key(const char *value, const char *expected)
{
    ezw_str_t  s, key;

    s = tight(value, strlen(value));
    key.data = NULL;
    key.len = 7;

    if (ezw_idempotency_key(&s, &key)
        != (expected != NULL ? EZW_OK : EZW_INVALID))
    {
        fail_msg("\"%s\"", value);
    }

    if (expected != NULL) {
        assert_str(key, expected);
        assert_true(key.data >= s.data
                    && key.data + key.len <= s.data + s.len);
    }

    free(s.data);
}


static void
test_bare(void **state)
{
    (void) state;

    assert_key("8e03978e-40d5-43e8-bc93-6894a57f9324",
               "8e03978e-40d5-43e8-bc93-6894a57f9324");
    assert_key("a", "a");
    assert_key("~", "~");
    assert_key("a b", "a b");
    assert_key(" \ta b\t ", "a b");
    assert_key("a\"b", "a\"b");
    assert_key("a,b;c=d", "a,b;c=d");
    assert_key("'a'", "'a'");
}


static void
test_quoted(void **state)
{
    (void) state;

    assert_key("\"clkyoesmbgybucifusbbtdsbohtyuuwz\"",
               "clkyoesmbgybucifusbbtdsbohtyuuwz");
    assert_key(" \"a\" ", "a");
    assert_key("\" a \"", " a ");
    assert_key("\" \"", " ");
    assert_key("\"\"a\"\"", "\"a\"");
    assert_key("\"a\\\"b\"", "a\\\"b");
    assert_key("\"\"\"", "\"");
}


static void
test_refused(void **state)
{
    (void) state;

    assert_key("", NULL);
    assert_key(" ", NULL);
    assert_key(" \t ", NULL);
    assert_key("\"\"", NULL);
    assert_key(" \"\" ", NULL);
    assert_key("\"", NULL);
    assert_key("\"a", NULL);
    assert_key("a\"", NULL);
    assert_key("a\tb", NULL);
    assert_key("\"\ta\"", NULL);
    assert_key("a\nb", NULL);
    assert_key("a\x7f", NULL);
    assert_key("caf\xc3\xa9", NULL);
    assert_key("\x1f", NULL);
    assert_key("\x80", NULL);
}


static void
test_length(void **state)
{
    char      text[300];
    unsigned  n;

    (void) state;

    for (n = 254; n <= 256; n++) {
        memset(text, 'k', n);
        text[n] = '\0';
        assert_key(text, n <= EZW_IDEMPOTENCY_KEY ? text : NULL);
    }

    /* the quotes do not count */

    for (n = 255; n <= 256; n++) {
        ezw_str_t  s, key;

        memset(text, 'k', sizeof(text));
        text[0] = '"';
        text[n + 1] = '"';
        s = tight(text, n + 2);
        assert_int_equal(ezw_idempotency_key(&s, &key),
                         n == 255 ? EZW_OK : EZW_INVALID);

        if (n == 255) {
            assert_int_equal(key.len, 255);
            assert_ptr_equal(key.data, s.data + 1);
        }

        free(s.data);
    }
}


static void
test_bytes(void **state)
{
    int            rc;
    unsigned       c;
    ezw_str_t      s, key;
    unsigned char  text[3];

    (void) state;

    for (c = 0; c < 256; c++) {
        text[0] = 'a';
        text[1] = (unsigned char) c;
        text[2] = 'a';
        s = tight(text, 3);
        rc = ezw_idempotency_key(&s, &key);
        free(s.data);

        assert_int_equal(rc, c >= 0x20 && c <= 0x7e ? EZW_OK : EZW_INVALID);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_quoted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

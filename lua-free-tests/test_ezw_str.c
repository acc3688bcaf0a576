/* ezw_str: the error record is cut between characters, secrets compare. */

#include "cm.h"


static void
test_invalid_fills(void **state)
{
    ezw_invalid_t  why;

    (void) state;

    assert_int_equal(ezw_invalid(&why, 1005, "name", "%s is required", "name"),
                     EZW_INVALID);
    assert_int_equal(why.code, 1005);
    assert_string_equal(why.field, "name");
    assert_string_equal(why.text, "name is required");

    assert_int_equal(ezw_invalid(NULL, 1005, "name", "x"), EZW_INVALID);
}


static void
test_invalid_own_field(void **state)
{
    ezw_invalid_t  why;

    (void) state;

    ezw_invalid(&why, 1, "abc", "one");
    ezw_invalid(&why, 2, why.field, "two");

    assert_string_equal(why.field, "abc");
    assert_string_equal(why.text, "two");
}


static void
test_invalid_limits(void **state)
{
    char           text[400];
    ezw_invalid_t  why;

    (void) state;

    memset(text, 'x', sizeof(text));

    text[95] = '\0';
    ezw_invalid(&why, 1, text, "%s", "");
    assert_int_equal(strlen(why.field), 95);

    text[95] = 'x';
    text[96] = '\0';
    ezw_invalid(&why, 1, text, "%s", "");
    assert_int_equal(strlen(why.field), 95);

    text[96] = 'x';
    text[191] = '\0';
    ezw_invalid(&why, 1, "", "%s", text);
    assert_int_equal(strlen(why.text), 191);

    text[191] = 'x';
    text[399] = '\0';
    ezw_invalid(&why, 1, "", "%s", text);
    assert_int_equal(strlen(why.text), 191);
}


/* Characters of 2, 3 and 4 bytes at every offset of the cut. */
static void
test_invalid_cut(void **state)
{
    char           text[300];
    size_t         i, n, pad;
    unsigned       k;
    ezw_invalid_t  why;

    static const char *const  characters[] = {
        "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x8e"
    };

    (void) state;

    for (k = 0; k < 3; k++) {
        n = k + 2;

        for (pad = 0; pad < n; pad++) {
            memset(text, 'a', pad);

            for (i = pad; i + n < sizeof(text); i += n) {
                memcpy(text + i, characters[k], n);
            }

            text[i] = '\0';

            ezw_invalid(&why, 1, text, "%s", text);

            assert_int_equal(strlen(why.field), pad + (95 - pad) / n * n);
            assert_int_equal(strlen(why.text), pad + (191 - pad) / n * n);

            /* one byte too many */

            text[192] = '\0';
            ezw_invalid(&why, 1, "", "%s", text);
            assert_int_equal(strlen(why.text), pad + (191 - pad) / n * n);

            text[96] = '\0';
            ezw_invalid(&why, 1, text, "%s", "");
            assert_int_equal(strlen(why.field), pad + (95 - pad) / n * n);
        }
    }
}


static void
test_equal_secret(void **state)
{
    (void) state;

    assert_int_equal(ezw_equal_secret("abc", 3, "abc", 3), 1);
    assert_int_equal(ezw_equal_secret("", 0, "", 0), 1);
    assert_int_equal(ezw_equal_secret(NULL, 0, NULL, 0), 1);
    assert_int_equal(ezw_equal_secret("abc", 3, "abd", 3), 0);
    assert_int_equal(ezw_equal_secret("abc", 3, "xbc", 3), 0);
    assert_int_equal(ezw_equal_secret("abc", 3, "ab", 2), 0);
    assert_int_equal(ezw_equal_secret("ab\0c", 4, "ab\0d", 4), 0);
    assert_int_equal(ezw_equal_secret("\x80", 1, "\x00", 1), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_invalid_fills),
        cmocka_unit_test(test_invalid_own_field),
        cmocka_unit_test(test_invalid_limits),
        cmocka_unit_test(test_invalid_cut),
        cmocka_unit_test(test_equal_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_secret: the same bytes in every text that programs print. */

#include "cm.h"
#include "ezw_id.h"
#include "ezw_secret.h"


static int
parse(const char *text, unsigned char *dst, size_t *len)
{
    int        rc;
    ezw_str_t  s;

    s = tight(text, strlen(text));
    memset(dst, 0xcc, EZW_SECRET);
    dst[EZW_SECRET] = ARENA_GUARD;
    rc = ezw_secret_parse(&s, dst, len);
    free(s.data);

    assert_int_equal(dst[EZW_SECRET], ARENA_GUARD);

    return rc;
}


static void
test_texts(void **state)
{
    size_t         i, len;
    unsigned char  dst[EZW_SECRET + 1];

    static const unsigned char  bytes[] = {
        0xfb, 0xff, 0xbf, 0x00, 0x01, 0xfe, 0x3f
    };

    static const char  *texts[] = {
        "fbffbf0001fe3f", "FBFFBF0001FE3F", "FbfFbF0001fe3F",
        "+/+/AAH+Pw==", "+/+/AAH+Pw", "-_-_AAH-Pw", "-_-_AAH-Pw=="
    };

    (void) state;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(parse(texts[i], dst, &len), EZW_OK);
        assert_int_equal(len, sizeof(bytes));
        assert_memory_equal(dst, bytes, sizeof(bytes));
    }

    /* what may be both is hex; of which a digit may be missing */

    assert_int_equal(parse("0123abcd", dst, &len), EZW_OK);
    assert_int_equal(len, 4);
    assert_int_equal(parse("0123abc", dst, &len), EZW_INVALID);
    assert_int_equal(parse("0123abg", dst, &len), EZW_OK);
    assert_int_equal(len, 5);
    assert_int_equal(parse("0123abc=", dst, &len), EZW_OK);
    assert_int_equal(len, 5);

    assert_int_equal(parse("", dst, &len), EZW_OK);
    assert_int_equal(len, 0);
}


static void
test_refuses(void **state)
{
    size_t         i, len;
    unsigned char  dst[EZW_SECRET + 1];

    static const char  *texts[] = {
        "=", "==", "A", "A=", "A==", "A===", "AA=", "AA===", "AAA==", "AAAA=",
        "AAAA==", "AAAA====", "AA==AA==", "=AAA", "-_+/", "+_AA", "AB==",
        "AAB=", "AA AA", " AAAA", "AAAA\n", "AAAA\r\n", "00:11",
        "0011\n2233", "\xc3\xa4\xc3\xa4", "secret!"
    };

    (void) state;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (parse(texts[i], dst, &len) != EZW_INVALID) {
            fail_msg("taken: \"%s\"", texts[i]);
        }
    }
}


/* The longest in each of the texts, and one byte more. */
static void
test_length(void **state)
{
    size_t         i, len;
    unsigned char  bytes[EZW_SECRET + 1], dst[EZW_SECRET + 1];
    char           text[2 * EZW_SECRET + 3];

    (void) state;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char) (i * 7);
    }

    for (i = EZW_SECRET - 4; i <= EZW_SECRET + 1; i++) {
        memset(text, 0, sizeof(text));
        ezw_hex((unsigned char *) text, bytes, i);
        assert_int_equal(parse(text, dst, &len),
                         i <= EZW_SECRET ? EZW_OK : EZW_INVALID);

        if (i <= EZW_SECRET) {
            assert_int_equal(len, i);
            assert_memory_equal(dst, bytes, i);
        }

        memset(text, 0, sizeof(text));
        ezw_base64((unsigned char *) text, bytes, i);
        assert_int_equal(parse(text, dst, &len),
                         i <= EZW_SECRET ? EZW_OK : EZW_INVALID);

        if (i <= EZW_SECRET) {
            assert_int_equal(len, i);
            assert_memory_equal(dst, bytes, i);
        }

        memset(text, 0, sizeof(text));
        ezw_base64url((unsigned char *) text, bytes, i);
        assert_int_equal(parse(text, dst, &len),
                         i <= EZW_SECRET ? EZW_OK : EZW_INVALID);
    }
}


static void
test_trim(void **state)
{
    ezw_str_t  s;

    (void) state;

    s = str(" \r\n\ta b\n c \r\n\t ");
    ezw_secret_trim(&s);
    assert_str(s, "a b\n c");

    s = str("a");
    ezw_secret_trim(&s);
    assert_str(s, "a");

    s = str(" \n");
    ezw_secret_trim(&s);
    assert_int_equal(s.len, 0);

    s = str("");
    ezw_secret_trim(&s);
    assert_int_equal(s.len, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_trim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

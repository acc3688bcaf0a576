/* ezw_utf8: RFC 3629's bounds, percent-decoding. */

#include "cm.h"
#include "ezw_utf8.h"


static long
length(const char *p, size_t len)
{
    long       n;
    ezw_str_t  s;

    s = tight(p, len);
    n = ezw_utf8_length(s.data, s.len);
    free(s.data);

    return n;
}

#define LENGTH(s)  length(s, sizeof(s) - 1)


static void
test_valid(void **state)
{
    (void) state;

    assert_int_equal(LENGTH(""), 0);
    assert_int_equal(LENGTH("a"), 1);
    assert_int_equal(LENGTH("\x7f\x01"), 2);
    assert_int_equal(LENGTH("12345678"), 8);
    assert_int_equal(LENGTH("123456789"), 9);
    assert_int_equal(LENGTH("\xc2\x80"), 1);
    assert_int_equal(LENGTH("\xdf\xbf"), 1);
    assert_int_equal(LENGTH("\xe0\xa0\x80"), 1);
    assert_int_equal(LENGTH("\xed\x9f\xbf"), 1);
    assert_int_equal(LENGTH("\xee\x80\x80"), 1);
    assert_int_equal(LENGTH("\xef\xbf\xbf"), 1);
    assert_int_equal(LENGTH("\xf0\x90\x80\x80"), 1);
    assert_int_equal(LENGTH("\xf4\x8f\xbf\xbf"), 1);
    assert_int_equal(LENGTH("Zo\xc3\xab \xf0\x9f\x98\x8e 12345678"), 14);
}


static void
test_invalid(void **state)
{
    (void) state;

    assert_int_equal(LENGTH("\x80"), -1);
    assert_int_equal(LENGTH("\xbf"), -1);
    assert_int_equal(LENGTH("\xc0\x80"), -1);          /* overlong */
    assert_int_equal(LENGTH("\xc1\xbf"), -1);
    assert_int_equal(LENGTH("\xe0\x9f\xbf"), -1);
    assert_int_equal(LENGTH("\xf0\x8f\xbf\xbf"), -1);
    assert_int_equal(LENGTH("\xed\xa0\x80"), -1);      /* surrogates */
    assert_int_equal(LENGTH("\xed\xbf\xbf"), -1);
    assert_int_equal(LENGTH("\xf4\x90\x80\x80"), -1);  /* past U+10FFFF */
    assert_int_equal(LENGTH("\xf5\x80\x80\x80"), -1);
    assert_int_equal(LENGTH("\xff"), -1);
    assert_int_equal(LENGTH("\xc2"), -1);              /* ends early */
    assert_int_equal(LENGTH("\xe2\x82"), -1);
    assert_int_equal(LENGTH("\xf0\x9f\x98"), -1);
    assert_int_equal(LENGTH("\xc2\x41"), -1);
    assert_int_equal(LENGTH("\xe2\x82\x41"), -1);
    assert_int_equal(LENGTH("\xe2\x82\xc2"), -1);
    assert_int_equal(LENGTH("\xf0\x9f\x98\x41"), -1);
    assert_int_equal(LENGTH("12345678\x80"), -1);
    assert_int_equal(LENGTH("1234567\xc3" "8"), -1);
}


/* At every offset within the eight bytes that are looked at together. */
static void
test_nul(void **state)
{
    char    text[20];
    size_t  i;

    (void) state;

    for (i = 0; i < sizeof(text); i++) {
        memset(text, 0x01, sizeof(text));
        assert_int_equal(length(text, sizeof(text)), sizeof(text));

        text[i] = '\0';
        assert_int_equal(length(text, sizeof(text)), -1);
    }
}


static int
decode(const char *p, size_t len, unsigned flags, char *text)
{
    int        rc;
    ezw_str_t  src, dst;

    src = tight(p, len);
    dst = tight(p, len);

    rc = ezw_uri_decode(&dst, &src, flags);

    if (rc == EZW_OK) {
        memcpy(text, dst.data, dst.len);
        text[dst.len] = '\0';
    }

    /* in place it is the same */

    assert_int_equal(ezw_uri_decode(&src, &src, flags), rc);

    if (rc == EZW_OK) {
        assert_str(src, text);
    }

    free(src.data);
    free(dst.data);

    return rc;
}

#define DECODE(s, flags)  decode(s, sizeof(s) - 1, flags, text)


static void
test_decode(void **state)
{
    char  text[64];

    (void) state;

    assert_int_equal(DECODE("", 0), EZW_OK);
    assert_string_equal(text, "");
    assert_int_equal(DECODE("abc", 0), EZW_OK);
    assert_string_equal(text, "abc");
    assert_int_equal(DECODE("3161%40whatsapp", 0), EZW_OK);
    assert_string_equal(text, "3161@whatsapp");
    assert_int_equal(DECODE("a+b", 0), EZW_OK);
    assert_string_equal(text, "a+b");
    assert_int_equal(DECODE("%2b%2B", 0), EZW_OK);
    assert_string_equal(text, "++");
    assert_int_equal(DECODE("%2540", 0), EZW_OK);
    assert_string_equal(text, "%40");
    assert_int_equal(DECODE("%E2%82%AC", 0), EZW_OK);
    assert_string_equal(text, "\xe2\x82\xac");
    assert_int_equal(DECODE("a%2Fb%2fc", EZW_URI_SLASH), EZW_OK);
    assert_string_equal(text, "a/b/c");
    assert_int_equal(DECODE("a/b", 0), EZW_OK);
    assert_string_equal(text, "a/b");
    assert_int_equal(DECODE("%39%61%4F%4a", 0), EZW_OK);
    assert_string_equal(text, "9aOJ");
    assert_int_equal(DECODE("%7f%01", 0), EZW_OK);
    assert_string_equal(text, "\x7f\x01");
}


static void
test_decode_refuses(void **state)
{
    char  text[64];

    (void) state;

    assert_int_equal(DECODE("%", 0), EZW_INVALID);
    assert_int_equal(DECODE("%4", 0), EZW_INVALID);
    assert_int_equal(DECODE("%4g", 0), EZW_INVALID);
    assert_int_equal(DECODE("%g4", 0), EZW_INVALID);
    assert_int_equal(DECODE("%/0", 0), EZW_INVALID);
    assert_int_equal(DECODE("%:0", 0), EZW_INVALID);
    assert_int_equal(DECODE("%@0", 0), EZW_INVALID);
    assert_int_equal(DECODE("%`0", 0), EZW_INVALID);
    assert_int_equal(DECODE("% 1", 0), EZW_INVALID);
    assert_int_equal(DECODE("%00", 0), EZW_INVALID);
    assert_int_equal(DECODE("a\0b", 0), EZW_INVALID);
    assert_int_equal(DECODE("%FF", 0), EZW_INVALID);
    assert_int_equal(DECODE("%C0%AF", EZW_URI_SLASH), EZW_INVALID);
    assert_int_equal(DECODE("\xe2\x82", 0), EZW_INVALID);
    assert_int_equal(DECODE("a%2Fb", 0), EZW_INVALID);
    assert_int_equal(DECODE("a%2fb", 0), EZW_INVALID);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_decode_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_der: the one form of each number and of each length. */

#include "cm.h"
#include "ezw_der.h"


static void
assert_integer(const char *bytes, size_t len, const char *der, size_t der_len)
{
    ezw_der_t  d;
    ezw_str_t  s;

    s = tight(bytes, len);
    ezw_der_init(&d);
    ezw_der_integer(&d, s.data, len);
    free(s.data);

    assert_int_equal(ezw_der_len(&d), der_len);
    assert_memory_equal(d.pos, der, der_len);
}

#define INTEGER(bytes, der)                                                   \
    assert_integer(bytes, sizeof(bytes) - 1, der, sizeof(der) - 1)


static void
test_integer(void **state)
{
    (void) state;

    INTEGER("", "\x02\x01\x00");
    INTEGER("\x00", "\x02\x01\x00");
    INTEGER("\x00\x00", "\x02\x01\x00");
    INTEGER("\x01", "\x02\x01\x01");
    INTEGER("\x7f", "\x02\x01\x7f");
    INTEGER("\x80", "\x02\x02\x00\x80");
    INTEGER("\xff", "\x02\x02\x00\xff");
    INTEGER("\x00\x7f", "\x02\x01\x7f");
    INTEGER("\x00\x80", "\x02\x02\x00\x80");
    INTEGER("\x00\x00\x01\x00", "\x02\x02\x01\x00");
    INTEGER("\x01\x00\x01", "\x02\x03\x01\x00\x01");
}


static void
test_length(void **state)
{
    size_t         i;
    ezw_der_t      d;
    unsigned char  bytes[1100];

    static const struct {
        size_t       len;
        const char  *head;
        size_t       head_len;
    } cases[] = {
        { 0, "\x30\x00", 2 },
        { 127, "\x30\x7f", 2 },
        { 128, "\x30\x81\x80", 3 },
        { 255, "\x30\x81\xff", 3 },
        { 256, "\x30\x82\x01\x00", 4 },
        { 1100, "\x30\x82\x04\x4c", 4 }
    };

    (void) state;

    memset(bytes, 'b', sizeof(bytes));

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ezw_der_init(&d);
        ezw_der_bytes(&d, "end", 3);
        ezw_der_bytes(&d, bytes, cases[i].len);
        ezw_der_wrap(&d, 0x30, 3);

        assert_int_equal(ezw_der_len(&d),
                         cases[i].head_len + cases[i].len + 3);
        assert_memory_equal(d.pos, cases[i].head, cases[i].head_len);
        assert_memory_equal(d.pos + cases[i].head_len, bytes, cases[i].len);
        assert_memory_equal(d.pos + cases[i].head_len + cases[i].len, "end",
                            3);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_integer),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

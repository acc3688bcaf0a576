/* ezw_cidr: what is an address, its canonical text, what lies in what. */

#include "cm.h"
#include "ezw_cidr.h"


static int
parse(const char *text, ezw_cidr_t *c)
{
    int        rc;
    ezw_str_t  s;

    s = tight(text, strlen(text));
    memset(c, 0x55, sizeof(ezw_cidr_t));
    rc = ezw_cidr_parse(&s, c);
    free(s.data);

    return rc;
}


static void
assert_text(const ezw_cidr_t *c, const char *expected)
{
    size_t          len;
    unsigned char  *p;

    p = malloc(EZW_CIDR_LEN);
    memset(p, '#', EZW_CIDR_LEN);
    len = ezw_cidr_text(p, c);

    if (len != strlen(expected) || memcmp(p, expected, len) != 0) {
        fail_msg("\"%.*s\" instead of \"%s\"", (int) len, p, expected);
    }

    free(p);
}


/* The text leaves as `expected`, which leaves as itself. */
static void
assert_leaves(const char *text, const char *expected)
{
    ezw_cidr_t  c;

    if (parse(text, &c) != EZW_OK) {
        fail_msg("\"%s\" was refused", text);
    }

    assert_text(&c, expected);
    assert_int_equal(parse(expected, &c), EZW_OK);
    assert_text(&c, expected);
}


static void
test_ipv4(void **state)
{
    (void) state;

    assert_leaves("192.0.2.1", "192.0.2.1");
    assert_leaves("0.0.0.0", "0.0.0.0");
    assert_leaves("9.10.99.100", "9.10.99.100");
    assert_leaves("101.109.110.200", "101.109.110.200");
    assert_leaves("255.255.255.255", "255.255.255.255");
    assert_leaves("10.0.0.0/8", "10.0.0.0/8");
    assert_leaves("10.1.2.3/8", "10.0.0.0/8");
    assert_leaves("0.0.0.0/0", "0.0.0.0/0");
    assert_leaves("203.0.113.9/0", "0.0.0.0/0");
    assert_leaves("192.0.2.1/32", "192.0.2.1");
    assert_leaves("192.0.2.255/31", "192.0.2.254/31");
    assert_leaves("192.0.2.255/25", "192.0.2.128/25");
    assert_leaves("::ffff:10.0.0.1", "10.0.0.1");
    assert_leaves("::FFFF:0a00:0001", "10.0.0.1");
    assert_leaves("0:0:0:0:0:ffff:10.0.0.1", "10.0.0.1");
    assert_leaves("::ffff:10.1.2.3/104", "10.0.0.0/8");
    assert_leaves("::ffff:10.1.2.3/128", "10.1.2.3");
    assert_leaves("::ffff:0:0/96", "0.0.0.0/0");
}


static void
test_ipv6(void **state)
{
    (void) state;

    assert_leaves("::", "::");
    assert_leaves("::/0", "::/0");
    assert_leaves("::1", "::1");
    assert_leaves("1::", "1::");
    assert_leaves("0:0:0:0:0:0:0:1", "::1");
    assert_leaves("2001:DB8::1", "2001:db8::1");
    assert_leaves("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1");
    assert_leaves("2001:db8::/32", "2001:db8::/32");
    assert_leaves("2001:db8:ffff:ffff::1/33", "2001:db8:8000::/33");
    assert_leaves("2001:db8::1/128", "2001:db8::1");
    assert_leaves("2001:db8::1/100", "2001:db8::/100");
    assert_leaves("fe80::1/127", "fe80::/127");

    /* RFC 5952, 4.2.2: a single group is not shortened; 4.2.3: the longest
     * run, the first of two */

    assert_leaves("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    assert_leaves("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    assert_leaves("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    assert_leaves("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
    assert_leaves("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7");
    assert_leaves("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
    assert_leaves("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8");
    assert_leaves("1:2:3:4:5:6::", "1:2:3:4:5:6::");
    assert_leaves("::3:4:5:6:7:8", "::3:4:5:6:7:8");
    assert_leaves("1:0:0:4:5:6:7:8", "1::4:5:6:7:8");
    assert_leaves("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_leaves("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127",
                  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127");

    /* IPv4 at the end of what is not IPv4-mapped */

    assert_leaves("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
    assert_leaves("::10.0.0.1", "::a00:1");
    assert_leaves("1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a");
    assert_leaves("::ffff:0:10.0.0.1", "::ffff:0:a00:1");

    /* of an IPv4-mapped prefix a part only */

    assert_leaves("::ffff:10.0.0.1/95", "::fffe:0:0/95");
    assert_leaves("::ffff:10.0.0.1/80", "::/80");
}


static void
test_refused(void **state)
{
    size_t      i;
    ezw_cidr_t  c;

    static const char *const  bad[] = {
        "", "/", "/8", "x", "localhost", "1", "10", "10.0", "10.0.0",
        "10.0.0.", ".10.0.0.1", "10.0.0.0.1", "10.0.0.1.", "10..0.1",
        "010.0.0.1", "10.0.0.01", "00.0.0.0", "0x7f.0.0.1", "0x7f.1", "10.1",
        "2130706433", "256.0.0.1", "1.2.3.1000", "1.2.3.999", "-1.2.3.4",
        "+1.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1.2.3.a",
        "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/032", "1.2.3.4/08", "1.2.3.4/00",
        "1.2.3.4/-1", "1.2.3.4/+8", "1.2.3.4/8/8", "1.2.3.4/ 8",
        "1.2.3.4/8 ", "1.2.3.4/255.0.0.0", "1.2.3.4/4294967304",
        "1.2.3.4:80",
        ":", ":::", "1", ":1", "1:", "::1:", ":1::", "1:::2", "1::2::3",
        "::1::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::",
        "::1:2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "1:2:3:4:5:6:7:8:",
        "12345::", "::00001", "g::", "::-1", "::/129", "::/0128", "::/",
        "::/00", "fe80::1%eth0", "fe80::1%25eth0", "[::1]", "[::1]:80",
        "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::01.2.3.4",
        "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4",
        "1:2:3:4:5:1.2.3.4", "::1:2:3:4:5:6:1.2.3.4", "::ffff:1.2.3.4/129",
        "1.2.3.4,5.6.7.8", "::1 ", " ::1", ":: 1", "::\xc2\xb2"
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(bad[i], &c) != EZW_INVALID) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }
}


static void
test_nul(void **state)
{
    ezw_str_t   s;
    ezw_cidr_t  c;

    (void) state;

    s = tight("1.2.3.4\0", 8);
    assert_int_equal(ezw_cidr_parse(&s, &c), EZW_INVALID);
    free(s.data);

    s = tight("::1\0", 4);
    assert_int_equal(ezw_cidr_parse(&s, &c), EZW_INVALID);
    free(s.data);
}


static void
test_address(void **state)
{
    ezw_cidr_t  c, any, any4;

    (void) state;

    ezw_cidr_address((unsigned char *) "\xcb\x00\x71\x09", 4, &c);
    assert_text(&c, "203.0.113.9");
    ezw_cidr_address((unsigned char *) "\x20\x01\x0d\xb8\0\0\0\0"
                                       "\0\0\0\0\0\0\0\x01", 16, &c);
    assert_text(&c, "2001:db8::1");

    /* a server that listens on [::] gives IPv4 so */

    ezw_cidr_address((unsigned char *) "\0\0\0\0\0\0\0\0"
                                       "\0\0\xff\xff\xcb\x00\x71\x09", 16,
                     &c);
    assert_text(&c, "203.0.113.9");

    ezw_cidr_address((unsigned char *) "/tmp/", 5, &c);
    assert_text(&c, "::/0");
    assert_int_equal(parse("0.0.0.0/0", &any4), EZW_OK);
    assert_int_equal(parse("::/0", &any), EZW_OK);
    assert_int_equal(ezw_cidr_match(&any4, &c), 0);
    assert_int_equal(ezw_cidr_match(&any, &c), 1);
}


static void
test_match(void **state)
{
    size_t      i;
    ezw_cidr_t  network, address;

    static const struct {
        const char  *network, *address;
        int          lies;
    } pairs[] = {
        { "192.0.2.1", "192.0.2.1", 1 },
        { "192.0.2.1", "192.0.2.0", 0 },
        { "192.0.2.1", "193.0.2.1", 0 },
        { "10.0.0.0/8", "10.255.255.255", 1 },
        { "10.0.0.0/8", "11.0.0.0", 0 },
        { "10.0.0.0/8", "9.255.255.255", 0 },
        { "192.168.4.0/22", "192.168.7.255", 1 },
        { "192.168.4.0/22", "192.168.8.0", 0 },
        { "192.0.2.128/25", "192.0.2.127", 0 },
        { "192.0.2.128/25", "192.0.2.128", 1 },
        { "0.0.0.0/0", "8.8.8.8", 1 },
        { "0.0.0.0/0", "2001:db8::1", 0 },
        { "0.0.0.0/0", "::8.8.8.8", 0 },
        { "0.0.0.0/0", "::ffff:8.8.8.8", 1 },
        { "0.0.0.0/1", "128.0.0.0", 0 },
        { "128.0.0.0/1", "128.0.0.0", 1 },
        { "::ffff:10.0.0.0/104", "10.1.1.1", 1 },
        { "::/0", "2001:db8::1", 1 },
        { "::/0", "8.8.8.8", 1 },
        { "2000::/3", "3fff::", 1 },
        { "2000::/3", "4000::", 0 },
        { "2001:db8::/32", "2001:db8:ffff::1", 1 },
        { "2001:db8::/32", "2001:db9::", 0 },
        { "2001:db8::/127", "2001:db8::1", 1 },
        { "2001:db8::/127", "2001:db8::2", 0 },
        { "2001:db8::1", "2001:db8::1", 1 },
        { "2001:db8::1", "2001:db8::", 0 },
        { "10.0.0.0/8", "10.0.0.0/8", 1 },
        { "10.0.0.0/8", "10.1.0.0/16", 1 },
        { "10.1.0.0/16", "10.0.0.0/8", 0 }
    };

    (void) state;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        assert_int_equal(parse(pairs[i].network, &network), EZW_OK);
        assert_int_equal(parse(pairs[i].address, &address), EZW_OK);

        if (ezw_cidr_match(&network, &address) != pairs[i].lies) {
            fail_msg("%s in %s", pairs[i].address, pairs[i].network);
        }
    }
}


/* Every length of prefix: the address that differs in the last bit of it lies
 * outside, the one that differs behind it inside. */
static void
test_every_length(void **state)
{
    char        text[64];
    unsigned    bits;
    ezw_cidr_t  network, address;

    (void) state;

    for (bits = 0; bits <= 128; bits++) {
        snprintf(text, sizeof(text), "2001:db8:1234:5678:9abc:def0:1357:9bdf/"
                 "%u", bits);
        assert_int_equal(parse(text, &network), EZW_OK);
        assert_int_equal(network.bits, bits);

        assert_int_equal(parse("2001:db8:1234:5678:9abc:def0:1357:9bdf",
                               &address),
                         EZW_OK);
        assert_int_equal(ezw_cidr_match(&network, &address), 1);

        if (bits < 128) {
            address.addr[bits / 8] ^= 0x80 >> bits % 8;
            assert_int_equal(ezw_cidr_match(&network, &address), 1);
            assert_int_equal(network.addr[bits / 8] & (0xff >> bits % 8), 0);
        }

        if (bits > 0) {
            address.addr[(bits - 1) / 8] ^= 0x80 >> (bits - 1) % 8;
            assert_int_equal(ezw_cidr_match(&network, &address), 0);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_ipv4),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

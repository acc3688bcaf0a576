/* ezw_address: the registries of IANA, address by address, and the policies. */

#include <arpa/inet.h>

#include "cm.h"
#include "ezw_address.h"


#define PUBLIC       EZW_ADDRESS_PUBLIC
#define UNSPECIFIED  EZW_ADDRESS_UNSPECIFIED
#define LOOPBACK     EZW_ADDRESS_LOOPBACK
#define PRIVATE      EZW_ADDRESS_PRIVATE
#define SHARED       EZW_ADDRESS_SHARED
#define LINK_LOCAL   EZW_ADDRESS_LINK_LOCAL
#define METADATA     EZW_ADDRESS_METADATA
#define MULTICAST    EZW_ADDRESS_MULTICAST
#define MAPPED       EZW_ADDRESS_MAPPED
#define TRANSLATED   EZW_ADDRESS_TRANSLATED
#define RESERVED     EZW_ADDRESS_RESERVED


/* First and last of each network, and their neighbours. */
static const struct {
    const char     *text;
    ezw_address_e   kind;
} kinds[] = {
    { "0.0.0.0", UNSPECIFIED },
    { "0.255.255.255", UNSPECIFIED },
    { "1.0.0.0", PUBLIC },
    { "8.8.8.8", PUBLIC },
    { "9.255.255.255", PUBLIC },
    { "10.0.0.0", PRIVATE },
    { "10.255.255.255", PRIVATE },
    { "11.0.0.0", PUBLIC },
    { "100.63.255.255", PUBLIC },
    { "100.64.0.0", SHARED },
    { "100.100.100.199", SHARED },
    { "100.100.100.200", METADATA },
    { "100.127.255.255", SHARED },
    { "100.128.0.0", PUBLIC },
    { "126.255.255.255", PUBLIC },
    { "127.0.0.0", LOOPBACK },
    { "127.0.0.1", LOOPBACK },
    { "127.255.255.255", LOOPBACK },
    { "128.0.0.0", PUBLIC },
    { "168.63.129.15", PUBLIC },
    { "168.63.129.16", METADATA },
    { "168.63.129.17", PUBLIC },
    { "169.253.255.255", PUBLIC },
    { "169.254.0.0", LINK_LOCAL },
    { "169.254.169.254", LINK_LOCAL },
    { "169.254.255.255", LINK_LOCAL },
    { "169.255.0.0", PUBLIC },
    { "172.15.255.255", PUBLIC },
    { "172.16.0.0", PRIVATE },
    { "172.31.255.255", PRIVATE },
    { "172.32.0.0", PUBLIC },
    { "191.255.255.255", PUBLIC },
    { "192.0.0.0", RESERVED },
    { "192.0.0.192", METADATA },
    { "192.0.0.255", RESERVED },
    { "192.0.1.0", PUBLIC },
    { "192.0.2.0", RESERVED },
    { "192.0.2.255", RESERVED },
    { "192.0.3.0", PUBLIC },
    { "192.88.98.255", PUBLIC },
    { "192.88.99.1", RESERVED },
    { "192.88.100.0", PUBLIC },
    { "192.167.255.255", PUBLIC },
    { "192.168.0.0", PRIVATE },
    { "192.168.255.255", PRIVATE },
    { "192.169.0.0", PUBLIC },
    { "198.17.255.255", PUBLIC },
    { "198.18.0.0", RESERVED },
    { "198.19.255.255", RESERVED },
    { "198.20.0.0", PUBLIC },
    { "198.51.99.255", PUBLIC },
    { "198.51.100.0", RESERVED },
    { "198.51.100.255", RESERVED },
    { "198.51.101.0", PUBLIC },
    { "203.0.112.255", PUBLIC },
    { "203.0.113.0", RESERVED },
    { "203.0.113.255", RESERVED },
    { "203.0.114.0", PUBLIC },
    { "223.255.255.255", PUBLIC },
    { "224.0.0.0", MULTICAST },
    { "239.255.255.255", MULTICAST },
    { "240.0.0.0", RESERVED },
    { "255.255.255.254", RESERVED },
    { "255.255.255.255", MULTICAST },

    { "::", UNSPECIFIED },
    { "::1", LOOPBACK },
    { "::2", UNSPECIFIED },                    /* 0.0.0.2 within */
    { "::127.0.0.1", MAPPED },
    { "::8.8.8.8", MAPPED },
    { "::169.254.169.254", LINK_LOCAL },
    { "::1:0:0:0", RESERVED },
    { "::ffff:8.8.8.8", MAPPED },
    { "::ffff:127.0.0.1", MAPPED },
    { "::ffff:10.0.0.1", MAPPED },
    { "::ffff:169.254.169.254", LINK_LOCAL },
    { "::ffff:0.0.0.0", UNSPECIFIED },
    { "::ffff:224.0.0.1", MULTICAST },
    { "::ffff:0:8.8.8.8", TRANSLATED },
    { "::ffff:0:169.254.169.254", LINK_LOCAL },
    { "64:ff9b::8.8.8.8", TRANSLATED },
    { "64:ff9b::10.0.0.1", TRANSLATED },
    { "64:ff9b::169.254.169.254", LINK_LOCAL },
    { "64:ff9b::168.63.129.16", METADATA },
    { "64:ff9b::1:0:0", RESERVED },
    { "64:ff9b:1::", TRANSLATED },
    { "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", TRANSLATED },
    { "64:ff9b:2::", RESERVED },
    { "100::1", RESERVED },
    { "1fff:ffff::", RESERVED },
    { "2000::", PUBLIC },
    { "2001::", UNSPECIFIED },                 /* Teredo of 0.0.0.0 */
    { "2001:0:808:808:0:0:f7f7:f7f7", TRANSLATED },
    { "2001:0:a9fe:a9fe:0:0:f7f7:f7f7", LINK_LOCAL },
    { "2001:0:808:808:0:0:5601:5601", LINK_LOCAL },
    { "2001:2::1", RESERVED },
    { "2001:10::1", RESERVED },
    { "2001:1ff:ffff::", RESERVED },
    { "2001:200::", PUBLIC },
    { "2001:4860:4860::8888", PUBLIC },
    { "2001:db7:ffff::", PUBLIC },
    { "2001:db8::", RESERVED },
    { "2001:db8:ffff::", RESERVED },
    { "2001:db9::", PUBLIC },
    { "2002:808:808::", TRANSLATED },
    { "2002:7f00:1::", TRANSLATED },
    { "2002:a9fe:a9fe::1", LINK_LOCAL },
    { "2003::", PUBLIC },
    { "2606:4700:4700::1111", PUBLIC },
    { "3ffe:ffff::", PUBLIC },
    { "3fff::", RESERVED },
    { "3fff:fff:ffff::", RESERVED },
    { "3fff:1000::", PUBLIC },
    { "4000::", RESERVED },
    { "5f00::1", RESERVED },
    { "fbff::", RESERVED },
    { "fc00::", PRIVATE },
    { "fd00:ec2::253", PRIVATE },
    { "fd00:ec2::254", METADATA },
    { "fd20:ce::254", METADATA },
    { "fdff:ffff::", PRIVATE },
    { "fe00::", RESERVED },
    { "fe7f::", RESERVED },
    { "fe80::", LINK_LOCAL },
    { "fe80::a9fe:a9fe", LINK_LOCAL },
    { "febf:ffff::", LINK_LOCAL },
    { "fec0::1", PRIVATE },
    { "feff::", PRIVATE },
    { "ff00::", MULTICAST },
    { "ff02::1", MULTICAST },
    { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", MULTICAST },
};


/* By the C library, not by ezw_cidr: another's reading. */
static size_t
address(const char *text, unsigned char *p)
{
    if (inet_pton(AF_INET, text, p) == 1) {
        return 4;
    }

    if (inet_pton(AF_INET6, text, p) != 1) {
        fail_msg("\"%s\" is no address", text);
    }

    return 16;
}


static const char *
refused(const char *text, unsigned operator, const char *allowed)
{
    size_t                len;
    ezw_str_t             s;
    ezw_cidr_t            allow[2];
    unsigned char         p[16];
    ezw_address_policy_t  policy;

    memset(&policy, 0, sizeof(policy));
    policy.operator = operator;

    if (allowed != NULL) {
        s = str("192.0.2.77");
        assert_int_equal(ezw_cidr_parse(&s, &allow[0]), EZW_OK);
        s = str(allowed);
        assert_int_equal(ezw_cidr_parse(&s, &allow[1]), EZW_OK);
        policy.allow = allow;
        policy.nallow = 2;
    }

    len = address(text, p);

    return ezw_address_refused(p, len, &policy);
}


static void
test_kinds(void **state)
{
    size_t         len;
    unsigned       i;
    ezw_address_e  kind;
    unsigned char  p[16];

    (void) state;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        len = address(kinds[i].text, p);
        kind = ezw_address_kind(p, len);

        if (kind != kinds[i].kind) {
            fail_msg("%s is %s, not %s", kinds[i].text,
                     ezw_address_name(kind), ezw_address_name(kinds[i].kind));
        }
    }
}


/* Of every address that is not public the default policy says so. */
static void
test_public_only(void **state)
{
    unsigned     i;
    const char  *why;

    (void) state;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        why = refused(kinds[i].text, 0, NULL);

        if (kinds[i].kind == PUBLIC) {
            if (why != NULL) {
                fail_msg("%s is refused: %s", kinds[i].text, why);
            }

            continue;
        }

        if (why == NULL) {
            fail_msg("%s is not refused", kinds[i].text);
        }

        assert_string_equal(why, ezw_address_name(kinds[i].kind));
    }
}


static int
is_refused_always(ezw_address_e kind)
{
    return kind == UNSPECIFIED || kind == LINK_LOCAL || kind == METADATA
           || kind == MULTICAST;
}


/* An operator's own URL may lead inside, and yet not everywhere; nor may what
 * an allow list lets through, were it everything. */
static void
test_operator_and_allowed(void **state)
{
    unsigned     i;
    const char  *all;

    (void) state;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        all = strchr(kinds[i].text, ':') ? "::/0" : "0.0.0.0/0";

        if ((refused(kinds[i].text, 1, NULL) != NULL)
            != is_refused_always(kinds[i].kind)
            || (refused(kinds[i].text, 0, all) != NULL)
               != is_refused_always(kinds[i].kind))
        {
            fail_msg("%s, %s", kinds[i].text,
                     ezw_address_name(kinds[i].kind));
        }
    }
}


static void
test_allow_list(void **state)
{
    (void) state;

    assert_null(refused("10.1.2.3", 0, "10.1.0.0/16"));
    assert_non_null(refused("10.2.2.3", 0, "10.1.0.0/16"));
    assert_null(refused("127.0.0.1", 0, "127.0.0.1"));
    assert_non_null(refused("127.0.0.2", 0, "127.0.0.1"));
    assert_null(refused("192.0.2.77", 0, "127.0.0.1"));
    assert_null(refused("fd00:1::1", 0, "fd00::/8"));
    assert_non_null(refused("fd00:1::1", 0, "10.0.0.0/8"));
    assert_non_null(refused("fd00:ec2::254", 0, "fd00::/8"));
    assert_non_null(refused("169.254.169.254", 0, "169.254.0.0/16"));
    assert_non_null(refused("2002:a9fe:a9fe::1", 0, "2002::/16"));
    assert_null(refused("2002:808:808::1", 0, "2002::/16"));
    assert_null(refused("64:ff9b::808:808", 0, "64:ff9b::/96"));
}


static void
test_length(void **state)
{
    size_t                len;
    ezw_address_policy_t  policy;

    static const unsigned char  p[32] = { 8, 8, 8, 8 };

    (void) state;

    memset(&policy, 0, sizeof(policy));
    policy.operator = 1;

    for (len = 0; len <= sizeof(p); len++) {
        if (len != 4 && len != 16) {
            assert_int_equal(ezw_address_kind(p, len), RESERVED);
            assert_non_null(ezw_address_refused(p, len, &policy));
        }
    }

    assert_null(ezw_address_refused(p, 4, &policy));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_public_only),
        cmocka_unit_test(test_operator_and_allowed),
        cmocka_unit_test(test_allow_list),
        cmocka_unit_test(test_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_hosts: hosts(5). */

#include "cm.h"
#include "ezw_hosts.h"


static const char  file[] =
    "# a comment localhost\n"
    "127.0.0.1\tlocalhost\n"
    "  ::1   localhost ip6-localhost # not-this\n"
    "\n"
    "fe80::1%lo0 localhost\n"
    "10.0.0.0/8 network localhost\n"
    "127.1 localhost\n"
    "localhost 192.0.2.9\n"
    "192.0.2.1 Db.Internal db db\r\n"
    "192.0.2.2\n"
    "192.0.2.3 other#db\n"
    "192.0.2.4 otherdb\n"
    "192.0.2.5 other db";


static void
assert_found(const char *name, unsigned max, const char *expected)
{
    size_t         len;
    unsigned       i, n;
    ezw_str_t      text, s;
    ezw_cidr_t     addrs[8];
    unsigned char  found[8 * (EZW_CIDR_LEN + 1)];

    text = tight(file, sizeof(file) - 1);
    s = tight(name, strlen(name));

    n = ezw_hosts_find(&text, &s, addrs, max);
    assert_true(n <= max);

    for (i = 0, len = 0; i < n; i++) {
        if (i > 0) {
            found[len++] = ' ';
        }

        len += ezw_cidr_text(found + len, &addrs[i]);
    }

    found[len] = '\0';
    assert_string_equal(found, expected);

    free(text.data);
    free(s.data);
}


static void
test_find(void **state)
{
    (void) state;

    assert_found("localhost", 8, "127.0.0.1 ::1");
    assert_found("LOCALHOST", 8, "127.0.0.1 ::1");
    assert_found("ip6-localhost", 8, "::1");
    assert_found("not-this", 8, "");
    assert_found("network", 8, "");
    assert_found("db.internal", 8, "192.0.2.1");
    assert_found("db", 8, "192.0.2.1 192.0.2.5");
    assert_found("other", 8, "192.0.2.3 192.0.2.5");
    assert_found("otherdb", 8, "192.0.2.4");
    assert_found("d", 8, "");
    assert_found("192.0.2.1", 8, "");
    assert_found("", 8, "");
}


static void
test_bound(void **state)
{
    (void) state;

    assert_found("localhost", 1, "127.0.0.1");
    assert_found("localhost", 0, "");
}


static void
test_empty(void **state)
{
    ezw_str_t   text, s;
    ezw_cidr_t  addr;

    (void) state;

    memset(&text, 0, sizeof(text));
    s = str("localhost");
    assert_int_equal(ezw_hosts_find(&text, &s, &addr, 1), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_bound),
        cmocka_unit_test(test_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

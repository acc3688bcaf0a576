/* ezw_url_allow: which URLs may be called for those who ask, and what an
 * operator allows beside. */

#include "cm.h"
#include "ezw_url_allow.h"


static ezw_cidr_t       networks[3];
static ezw_url_allow_t  allow;

static const ezw_str_t  names[] = {
    ezw_string("intranet"), ezw_string(".corp.example"),
    ezw_string("hooks.internal")
};


static int
setup(void **state)
{
    unsigned   i;
    ezw_str_t  s;

    static const char *const  texts[] = {
        "10.0.0.0/8", "fd00::/8", "169.254.0.0/16"
    };

    (void) state;

    for (i = 0; i < 3; i++) {
        s.data = (unsigned char *) texts[i];
        s.len = strlen(texts[i]);
        assert_int_equal(ezw_cidr_parse(&s, &networks[i]), EZW_OK);
    }

    allow.networks = networks;
    allow.nnetworks = 3;
    allow.names = names;
    allow.nnames = 3;

    return 0;
}


/* why NULL: it may be called. */
static void
assert_check(const ezw_url_allow_t *beside, const char *text, const char *why)
{
    int        rc;
    char       reason[EZW_URL_WHY];
    ezw_str_t  s;
    ezw_url_t  u;

    s = tight(text, strlen(text));
    strcpy(reason, "none");
    rc = ezw_url_check(&s, beside, &u, reason);
    free(s.data);

    if (why == NULL) {
        if (rc != EZW_OK) {
            fail_msg("\"%s\" is refused: %s", text, reason);
        }

        return;
    }

    if (rc != EZW_INVALID) {
        fail_msg("\"%s\" is taken", text);
    }

    assert_string_equal(reason, why);
}


#define LOCAL  "its host is a name of a local network"
#define HTTPS  "it does not begin with https://"


static void
test_nothing_beside(void **state)
{
    static const ezw_url_allow_t  none = { NULL, 0, NULL, 0 };
    const ezw_url_allow_t        *of[] = { NULL, &none };
    unsigned                      i;

    (void) state;

    for (i = 0; i < 2; i++) {
        assert_check(of[i], "https://example.com/a?b=c", NULL);
        assert_check(of[i], "https://1.1.1.1:444", NULL);
        assert_check(of[i], "https://x.corp.example/", NULL);
        assert_check(of[i], "http://example.com/", HTTPS);
        assert_check(of[i], "http://1.1.1.1/", HTTPS);
        assert_check(of[i], "http://10.0.0.1/",
                     "its host is a private address");
        assert_check(of[i], "https://10.0.0.1/",
                     "its host is a private address");
        assert_check(of[i], "https://[fd00::1]/",
                     "its host is a private address");
        assert_check(of[i], "https://0.0.0.0/",
                     "its host is an unspecified address");
        assert_check(of[i], "https://224.0.0.1/",
                     "its host is a multicast address");
        assert_check(of[i], "https://[::ffff:10.0.0.1]/",
                     "its host is an IPv4 address written as IPv6");
        assert_check(of[i], "https://intranet/", LOCAL);
        assert_check(of[i], "https://hooks.internal/", LOCAL);
        assert_check(of[i], "https://me@example.com/", "it names a user");
    }
}


static void
test_beside(void **state)
{
    (void) state;

    /* over http too: what is listed, and nothing else */

    assert_check(&allow, "http://intranet/", NULL);
    assert_check(&allow, "https://INTRANET:8443/x", NULL);
    assert_check(&allow, "http://hooks.internal/", NULL);
    assert_check(&allow, "http://a.corp.example/", NULL);
    assert_check(&allow, "http://a.b.CORP.example/", NULL);
    assert_check(&allow, "http://10.20.30.40:8080/", NULL);
    assert_check(&allow, "http://[fd00::1]/", NULL);
    assert_check(&allow, "https://example.com/", NULL);

    assert_check(&allow, "http://corp.example/", HTTPS);
    assert_check(&allow, "http://xcorp.example/", HTTPS);
    assert_check(&allow, "http://corp.example.com/", HTTPS);
    assert_check(&allow, "https://xintranet/", LOCAL);
    assert_check(&allow, "https://intrane/", LOCAL);
    assert_check(&allow, "https://x.hooks.internal/", LOCAL);
    assert_check(&allow, "http://1.1.1.1/", HTTPS);
    assert_check(&allow, "http://192.168.0.1/",
                 "its host is a private address");
    assert_check(&allow, "https://127.0.0.1/",
                 "its host is a loopback address");

    /* whatever is listed */

    assert_check(&allow, "http://169.254.169.254/",
                 "its host is a link-local address");
}


static void
assert_policy(const char *text, unsigned operator, unsigned nallow)
{
    char                  reason[EZW_URL_WHY];
    ezw_str_t             s;
    ezw_url_t             u;
    ezw_address_policy_t  policy;

    s = tight(text, strlen(text));
    assert_int_equal(ezw_url_check(&s, &allow, &u, reason), EZW_OK);

    memset(&policy, 0x55, sizeof(policy));
    ezw_url_policy(&u, &allow, &policy);
    assert_int_equal(policy.operator, operator);
    assert_int_equal(policy.nallow, nallow);

    ezw_url_policy(&u, NULL, &policy);
    assert_int_equal(policy.operator, 0);
    assert_int_equal(policy.nallow, 0);

    free(s.data);
}


static void
test_policy(void **state)
{
    (void) state;

    assert_policy("http://intranet/", 1, 3);
    assert_policy("https://x.corp.example/", 1, 3);
    assert_policy("https://example.com/", 0, 3);
    assert_policy("http://10.0.0.1/", 0, 3);
}


static void
test_names(void **state)
{
    size_t     i;
    ezw_str_t  s;

    static const char *const  good[] = {
        "localhost", "a.b", ".a", ".corp.example", "a-b_c.9", "x"
    };
    static const char *const  bad[] = {
        "", ".", "a.", "..a", "a..b", "A", "a b", "10.0.0.0/8", "caf\xc3\xa9",
        "*.a", "a:80", "http://a"
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        s = tight(good[i], strlen(good[i]));
        assert_int_equal(ezw_url_allow_is_name(&s), 1);
        free(s.data);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = tight(bad[i], strlen(bad[i]));
        assert_int_equal(ezw_url_allow_is_name(&s), 0);
        free(s.data);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_nothing_beside),
        cmocka_unit_test(test_beside),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}

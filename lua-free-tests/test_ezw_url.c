/* ezw_url: what is one, what is none and why. */

#include "cm.h"
#include "ezw_url.h"


#define HOST   "its host is none"
#define IPV4   "its host is no IPv4 address in the canonical form"
#define IPV6   "its host is no IPv6 address"
#define PORT   "its port is none"
#define BEGIN  "it does not begin with https:// or http:// and a host"
#define USER   "it names a user"
#define CHAR   "it has a character that must be escaped"
#define HEX    "it has a % without two hex digits"


static void
assert_url(const char *text, unsigned https, ezw_url_host_e kind,
    const char *host, unsigned port, const char *path)
{
    ezw_str_t    s;
    ezw_url_t    u;
    const char  *why;

    s = tight(text, strlen(text));
    why = "";

    if (ezw_url_parse(&s, &u, &why) != EZW_OK) {
        fail_msg("\"%s\" is refused: %s", text, why);
    }

    assert_int_equal(u.https, https);
    assert_int_equal(u.kind, kind);
    assert_str(u.host, host);
    assert_int_equal(u.port, port);
    assert_str(u.path, path);

    free(s.data);
}


static void
assert_none(const char *text, const char *reason)
{
    ezw_str_t    s;
    ezw_url_t    u;
    const char  *why;

    s = tight(text, strlen(text));
    why = "";

    if (ezw_url_parse(&s, &u, &why) != EZW_INVALID) {
        fail_msg("\"%s\" is taken", text);
    }

    if (strcmp(why, reason) != 0) {
        fail_msg("\"%s\": \"%s\", not \"%s\"", text, why, reason);
    }

    free(s.data);
}


static void
test_good(void **state)
{
    (void) state;

    assert_url("https://example.com", 1, EZW_URL_NAME, "example.com", 443, "");
    assert_url("http://example.com", 0, EZW_URL_NAME, "example.com", 80, "");
    assert_url("HTTPS://Example.COM/", 1, EZW_URL_NAME, "Example.COM", 443,
               "/");
    assert_url("https://example.com:8443/a/b?c=d&e=%2f/?:@", 1, EZW_URL_NAME,
               "example.com", 8443, "/a/b?c=d&e=%2f/?:@");
    assert_url("https://example.com?q", 1, EZW_URL_NAME, "example.com", 443,
               "?q");
    assert_url("https://a:1", 1, EZW_URL_NAME, "a", 1, "");
    assert_url("https://a:65535/", 1, EZW_URL_NAME, "a", 65535, "/");
    assert_url("https://my_service/-._~!$&'()*+,;=:@/", 1, EZW_URL_NAME,
               "my_service", 443, "/-._~!$&'()*+,;=:@/");
    assert_url("https://1.2.3.4x/", 1, EZW_URL_NAME, "1.2.3.4x", 443, "/");
    assert_url("https://0x.com/", 1, EZW_URL_NAME, "0x.com", 443, "/");
    assert_url("https://1.0xg/", 1, EZW_URL_NAME, "1.0xg", 443, "/");
    assert_url("https://xn--bcher-kva.example/", 1, EZW_URL_NAME,
               "xn--bcher-kva.example", 443, "/");
    assert_url("https://192.0.2.1:8080/x", 1, EZW_URL_IPV4, "192.0.2.1", 8080,
               "/x");
    assert_url("https://[2001:db8::1]/x", 1, EZW_URL_IPV6, "2001:db8::1", 443,
               "/x");
    assert_url("https://[::ffff:10.0.0.1]:444", 1, EZW_URL_IPV6,
               "::ffff:10.0.0.1", 444, "");
    assert_url("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc", 1,
               EZW_URL_NAME, "cognito-idp.eu-west-1.amazonaws.com", 443,
               "/eu-west-1_Abc");
}


static void
test_addresses(void **state)
{
    ezw_str_t    s;
    ezw_url_t    u;
    const char  *why;

    static const unsigned char  v4[4] = { 192, 0, 2, 200 };
    static const unsigned char  v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 };

    (void) state;

    s = str("http://192.0.2.200/");
    assert_int_equal(ezw_url_parse(&s, &u, &why), EZW_OK);
    assert_memory_equal(u.addr, v4, 4);

    s = str("http://[2001:DB8:0::0:9]/");
    assert_int_equal(ezw_url_parse(&s, &u, &why), EZW_OK);
    assert_memory_equal(u.addr, v6, 16);
}


/* The spellings of addresses by which filters are got round. */
static void
test_spellings(void **state)
{
    unsigned  i;
    char      url[128];

    static const char *const  hosts[] = {
        "2130706433", "017700000001", "0x7f000001", "0X7F000001", "127.1",
        "127.0.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f.1", "127.0.0.01",
        "127.0.0.0x1", "127.00.0.1", "0", "0x", "00000000000", "4294967295",
        "256.0.0.1", "1.2.3.256", "1.2.3", "1.2.3.4.5", "999999999999",
        "169.254.43518", "0251.0376.0251.0376", "foo.0x1", "foo.1",
        "example.com.1"
    };

    (void) state;

    for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        snprintf(url, sizeof(url), "http://%s/", hosts[i]);
        assert_none(url, IPV4);

        snprintf(url, sizeof(url), "https://%s:81", hosts[i]);
        assert_none(url, IPV4);
    }

    assert_none("http://127.0.0.1./", HOST);
    assert_none("http://127.0.0.1%00/", HOST);
    assert_none("http://%31%32%37.0.0.1/", HOST);
    assert_none("http://localhost%2e/", HOST);
    assert_none("http://\xe2\x91\xa0.0.0.1/", HOST);
    assert_none("http://127\xe3\x80\x82" "0.0.1/", HOST);
    assert_none("http://[127.0.0.1]/", IPV6);
    assert_none("http://[::ffff:7f.1]/", IPV6);
    assert_none("http://[::ffff:127.1]/", IPV6);
    assert_none("http://[fe80::1%25eth0]/", IPV6);
    assert_none("http://[fe80::1%eth0]/", IPV6);
    assert_none("http://[::1/", IPV6);
    assert_none("http://[::1]x/", PORT);
    assert_none("http://::1/", HOST);
    assert_none("http://[]/", IPV6);
    assert_none("http://[::/0]/", IPV6);
    assert_none("http://[[::1]]/", IPV6);
}


static void
test_bad(void **state)
{
    (void) state;

    assert_none("", "it is empty");
    assert_none("https://", BEGIN);
    assert_none("http://", BEGIN);
    assert_none("https:/example.com", BEGIN);
    assert_none("https:example.com", BEGIN);
    assert_none("//example.com", BEGIN);
    assert_none("example.com", BEGIN);
    assert_none("ftp://example.com", BEGIN);
    assert_none("file:///etc/passwd", BEGIN);
    assert_none(" https://example.com", BEGIN);
    assert_none("javascript://example.com", BEGIN);

    assert_none("https:///path", HOST);
    assert_none("https://?q", HOST);
    assert_none("https://.com", HOST);
    assert_none("https://a..b", HOST);
    assert_none("https://a.", HOST);
    assert_none("https://-a", HOST);
    assert_none("https://a-", HOST);
    assert_none("https://a-.b", HOST);
    assert_none("https://a.-b", HOST);
    assert_none("https://a b", HOST);
    assert_none("https://a\\b", HOST);
    assert_none("https://example.com\\@evil", USER);
    assert_none("https://a#b", HOST);
    assert_none("https://a;b", HOST);
    assert_none("https://a\x7f", HOST);
    assert_none("https://b\xc3\xbc" "cher", HOST);

    assert_none("https://user@example.com", USER);
    assert_none("https://user:pw@example.com", USER);
    assert_none("https://@example.com", USER);
    assert_none("https://example.com:80@evil", USER);

    assert_none("https://a:", PORT);
    assert_none("https://a:/", PORT);
    assert_none("https://a:0", PORT);
    assert_none("https://a:00443", PORT);
    assert_none("https://a:0443", PORT);
    assert_none("https://a:65536", PORT);
    assert_none("https://a:100000", PORT);
    assert_none("https://a:4x", PORT);
    assert_none("https://a:-1", PORT);
    assert_none("https://a:+1", PORT);
    assert_none("https://a: 1", PORT);
    assert_none("https://a:1:2", PORT);
    assert_none("https://[::1]:", PORT);

    assert_none("https://a/#b", "it has a fragment");
    assert_none("https://a/?#", "it has a fragment");
    assert_none("https://a/ b", CHAR);
    assert_none("https://a/\\b", CHAR);
    assert_none("https://a/\r\nX: y", CHAR);
    assert_none("https://a/?\t", CHAR);
    assert_none("https://a/\"", CHAR);
    assert_none("https://a/<>", CHAR);
    assert_none("https://a/{}", CHAR);
    assert_none("https://a/|", CHAR);
    assert_none("https://a/^`", CHAR);
    assert_none("https://a/[", CHAR);
    assert_none("https://a/\xc3\xa9", CHAR);
    assert_none("https://a/%", HEX);
    assert_none("https://a/%2", HEX);
    assert_none("https://a/%g0", HEX);
    assert_none("https://a/%0g", HEX);
}


/* NUL ends no URL. */
static void
test_nul(void **state)
{
    ezw_str_t    s;
    ezw_url_t    u;
    const char  *why;

    (void) state;

    s = tight("https://a\0.b/", 13);
    assert_int_equal(ezw_url_parse(&s, &u, &why), EZW_INVALID);
    assert_string_equal(why, HOST);
    free(s.data);

    s = tight("https://a/\0", 11);
    assert_int_equal(ezw_url_parse(&s, &u, &why), EZW_INVALID);
    assert_string_equal(why, CHAR);
    free(s.data);
}


static void
test_lengths(void **state)
{
    size_t  n;
    char    url[EZW_URL_MAX + 2], host[300];

    (void) state;

    memset(url, 'x', sizeof(url));
    memcpy(url, "https://a/", 10);
    url[EZW_URL_MAX] = '\0';
    assert_url(url, 1, EZW_URL_NAME, "a", 443, url + 9);

    url[EZW_URL_MAX] = 'x';
    url[EZW_URL_MAX + 1] = '\0';
    assert_none(url, "it is too long");

    for (n = 0; n < EZW_URL_HOST_MAX; n++) {
        host[n] = (n % 64 == 63) ? '.' : 'h';
    }

    host[n] = '\0';
    snprintf(url, sizeof(url), "https://%s/", host);
    assert_url(url, 1, EZW_URL_NAME, host, 443, "/");

    host[n] = 'h';
    host[n + 1] = '\0';
    snprintf(url, sizeof(url), "https://%s/", host);
    assert_none(url, HOST);

    memset(host, 'h', 64);
    host[63] = '\0';
    snprintf(url, sizeof(url), "https://%s/", host);
    assert_url(url, 1, EZW_URL_NAME, host, 443, "/");

    host[63] = 'h';
    host[64] = '\0';
    snprintf(url, sizeof(url), "https://%s/", host);
    assert_none(url, HOST);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

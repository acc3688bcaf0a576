/* ezw_route: patterns, matching, decoding, 404 against 405. */

#include "cm.h"
#include "ezw_route.h"

#define GET     0x01
#define POST    0x02
#define PATCH   0x04
#define DELETE  0x08


static arena_t        arena;
static ezw_router_t  *router;
static unsigned char  scratch[512];

static ezw_route_match_t  m;


static int
add(uint32_t method, const char *pattern, const char *data)
{
    return ezw_router_add(router, method, pattern, (void *) data);
}


static int
find_flags(uint32_t method, const char *path, size_t len, unsigned flags)
{
    int            rc;
    size_t         i;
    ezw_str_t      s;
    unsigned       k;
    unsigned char *room;

    s = tight(path, len);
    room = malloc(len + 1);
    memset(room, '#', len + 1);
    memset(&m, 0x55, sizeof(m));

    rc = ezw_router_find(router, method, &s, flags, room, &m);

    assert_int_equal(room[len], '#');

    if (rc == EZW_OK) {
        for (k = 0; k < m.nparams; k++) {
            /* all of them lie in scratch */
            i = m.params[k].data - room;
            assert_true(i + m.params[k].len <= len);
            m.params[k].data = scratch + i;
        }
    }

    memcpy(scratch, room, len);

    free(room);
    free(s.data);

    return rc;
}

#define find(method, path)                                                    \
    find_flags(method, path, sizeof(path) - 1, 0)


static int
setup(void **state)
{
    (void) state;

    arena_init(&arena, -1);
    router = ezw_router_create(&arena.alloc);
    assert_non_null(router);

    assert_int_equal(add(GET, "/v3/keys", "keys"), EZW_OK);
    assert_int_equal(add(GET, "/v3/keys/current", "current"), EZW_OK);
    assert_int_equal(add(PATCH, "/v3/keys/{id}", "key"), EZW_OK);
    assert_int_equal(add(GET, "/v3/channels", "channels"), EZW_OK);
    assert_int_equal(add(PATCH, "/v3/channels/{channelJid}", "channel"),
                     EZW_OK);
    assert_int_equal(add(GET, "/v3/channels/{channelJid}/contacts/blacklist",
                         "blacklist"),
                     EZW_OK);
    assert_int_equal(add(POST, "/v3/channels/{channelJid}/contacts/blacklist/"
                               "{contactJid}", "block"),
                     EZW_OK);
    assert_int_equal(add(GET, "/v3/channels/{channelJid}/contacts/"
                              "{contactJid}", "contact"),
                     EZW_OK);
    assert_int_equal(add(DELETE, "/v3/channels/{channelJid}/contacts/"
                                 "{contactJid}", "erase"),
                     EZW_OK);
    assert_int_equal(add(GET, "/v3/channels/{channelJid}/contacts/"
                              "{contactJid}/notes", "notes"),
                     EZW_OK);
    assert_int_equal(add(GET, "/v3/companies/current", "company"), EZW_OK);
    assert_int_equal(add(GET, "/v3/companies/{companyId}/agents/{email}",
                         "agent"),
                     EZW_OK);
    assert_int_equal(add(GET, "/v3/companies/{companyId}/labels/{jid}",
                         "label"),
                     EZW_OK);
    assert_int_equal(add(GET, "/openapi.json", "openapi"), EZW_OK);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;

    arena_free(&arena);

    return 0;
}


static void
test_literals(void **state)
{
    (void) state;

    assert_int_equal(find(GET, "/v3/keys"), EZW_OK);
    assert_string_equal(m.data, "keys");
    assert_int_equal(m.nparams, 0);
    assert_int_equal(m.allowed, GET);

    assert_int_equal(find(GET, "/openapi.json"), EZW_OK);
    assert_string_equal(m.data, "openapi");

    assert_int_equal(find(GET, "/v3/channels"), EZW_OK);
    assert_string_equal(m.data, "channels");
}


static void
test_params(void **state)
{
    (void) state;

    assert_int_equal(find(GET, "/v3/channels/1@sms.eazy.im/contacts/"
                               "2@sms.eazy.im/notes"),
                     EZW_OK);
    assert_string_equal(m.data, "notes");
    assert_int_equal(m.nparams, 2);
    assert_str(m.params[0], "1@sms.eazy.im");
    assert_str(m.params[1], "2@sms.eazy.im");

    assert_int_equal(find(GET, "/v3/companies/current/agents/"
                               "jane%2Bx%40a.com"),
                     EZW_OK);
    assert_string_equal(m.data, "agent");
    assert_int_equal(m.nparams, 2);
    assert_str(m.params[0], "current");
    assert_str(m.params[1], "jane+x@a.com");
}


static void
test_literal_wins(void **state)
{
    (void) state;

    assert_int_equal(find(GET, "/v3/keys/current"), EZW_OK);
    assert_string_equal(m.data, "current");

    assert_int_equal(find(PATCH, "/v3/keys/currents"), EZW_OK);
    assert_string_equal(m.data, "key");
    assert_str(m.params[0], "currents");

    assert_int_equal(find(GET, "/v3/channels/c/contacts/blacklist"), EZW_OK);
    assert_string_equal(m.data, "blacklist");
    assert_int_equal(m.nparams, 1);

    /* and where it does, its methods count */

    assert_int_equal(find(DELETE, "/v3/channels/c/contacts/blacklist"),
                     EZW_DECLINED);
    assert_int_equal(m.allowed, GET);
    assert_null(m.data);
}


static void
test_backtracking(void **state)
{
    (void) state;

    /* the literal "blacklist" has no "notes" below it */

    assert_int_equal(find(GET, "/v3/channels/c/contacts/blacklist/notes"),
                     EZW_DECLINED);
    assert_int_equal(m.allowed, POST);

    assert_int_equal(add(GET, "/a/b/c", "abc"), EZW_OK);
    assert_int_equal(add(GET, "/a/{x}/d", "axd"), EZW_OK);
    assert_int_equal(add(GET, "/{y}/b/{z}/e", "yze"), EZW_OK);

    assert_int_equal(find(GET, "/a/b/c"), EZW_OK);
    assert_string_equal(m.data, "abc");

    assert_int_equal(find(GET, "/a/b/d"), EZW_OK);
    assert_string_equal(m.data, "axd");
    assert_int_equal(m.nparams, 1);
    assert_str(m.params[0], "b");

    assert_int_equal(find(GET, "/a/b/c/e"), EZW_OK);
    assert_string_equal(m.data, "yze");
    assert_int_equal(m.nparams, 2);
    assert_str(m.params[0], "a");
    assert_str(m.params[1], "c");

    assert_int_equal(find(GET, "/a/b/c/f"), EZW_DECLINED);
    assert_int_equal(m.allowed, 0);
}


static void
test_methods(void **state)
{
    (void) state;

    assert_int_equal(find(DELETE, "/v3/channels/c/contacts/x"), EZW_OK);
    assert_string_equal(m.data, "erase");
    assert_int_equal(m.allowed, GET|DELETE);

    assert_int_equal(find(POST, "/v3/channels/c/contacts/x"), EZW_DECLINED);
    assert_int_equal(m.allowed, GET|DELETE);
    assert_int_equal(m.nparams, 0);
    assert_null(m.data);

    assert_int_equal(find(0, "/v3/keys"), EZW_DECLINED);
    assert_int_equal(m.allowed, GET);
}


static void
test_no_such_path(void **state)
{
    size_t  i;

    static const char *const  paths[] = {
        "/", "", "v3/keys", "/v3", "/v3/", "/v3/keys/", "/v3//keys",
        "//v3/keys", "/v3/keys//", "/v3/key", "/v3/keyss", "/V3/keys",
        "/v3/keys/current/", "/v3/keys/a/b", "/v3/channels/c",
        "/v3/channels//contacts/x", "/v3/channels/c/contacts/x/notes/",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26"
    };

    (void) state;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (find_flags(GET, paths[i], strlen(paths[i]), 0) != EZW_DECLINED
            || (m.allowed != 0 && strcmp(paths[i], "/v3/channels/c") != 0))
        {
            fail_msg("\"%s\" is a path", paths[i]);
        }
    }
}


static void
test_decodes(void **state)
{
    (void) state;

    assert_int_equal(find(GET, "/%76%33/k%65ys"), EZW_OK);
    assert_string_equal(m.data, "keys");

    assert_int_equal(find(PATCH, "/v3/keys/a%2541+b"), EZW_OK);
    assert_str(m.params[0], "a%41+b");

    assert_int_equal(find(PATCH, "/v3/keys/%E2%82%AC"), EZW_OK);
    assert_str(m.params[0], "\xe2\x82\xac");

    assert_int_equal(find(PATCH, "/v3/keys/\xe2\x82\xac"), EZW_OK);
    assert_str(m.params[0], "\xe2\x82\xac");
}


static void
test_slash(void **state)
{
    (void) state;

    assert_int_equal(find(GET, "/v3/channels/a%2Fb@viber.eazy.im/contacts/"
                               "c%2fd@viber.eazy.im"),
                     EZW_OK);
    assert_string_equal(m.data, "contact");
    assert_str(m.params[0], "a/b@viber.eazy.im");
    assert_str(m.params[1], "c/d@viber.eazy.im");

    assert_int_equal(find(GET, "/v3/companies/x/labels/a%2Fb"), EZW_OK);
    assert_string_equal(m.data, "label");
    assert_str(m.params[1], "a/b");

    /* only a jid may hold one */

    assert_int_equal(find(GET, "/v3/companies/x/agents/a%2Fb"), EZW_DECLINED);
    assert_int_equal(m.allowed, 0);
    assert_int_equal(find(PATCH, "/v3/keys/a%2Fb"), EZW_DECLINED);
    assert_int_equal(m.allowed, 0);
    assert_int_equal(find(GET, "/v3%2Fkeys"), EZW_DECLINED);
    assert_int_equal(m.allowed, 0);
}


static void
test_bad_encoding(void **state)
{
    size_t  i;

    static const char *const  paths[] = {
        "/v3/keys/%", "/v3/keys/%4", "/v3/keys/%zz", "/v3/keys/%00",
        "/v3/keys/%FF", "/v3/keys/\xff", "/v3/keys/\x80",
        "/v3/keys/%C0%AF",
        "/v3/keys/%ED%A0%80", "/nowhere/%zz", "/v3/%zz/keys", "/v3//%zz",
        "%zz", "/%E2/%82%AC",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/%"
    };

    (void) state;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (find_flags(PATCH, paths[i], strlen(paths[i]), 0) != EZW_INVALID) {
            fail_msg("\"%s\" was taken", paths[i]);
        }

        assert_int_equal(m.allowed, 0);
        assert_null(m.data);
    }

    assert_int_equal(find_flags(PATCH, "/v3/keys/a\0b", 12, 0), EZW_INVALID);
}


static void
test_decoded(void **state)
{
    (void) state;

    assert_int_equal(find_flags(PATCH, "/v3/keys/a%41", 13,
                                EZW_ROUTE_DECODED),
                     EZW_OK);
    assert_str(m.params[0], "a%41");

    assert_int_equal(find_flags(PATCH, "/v3/keys/100%", 13,
                                EZW_ROUTE_DECODED),
                     EZW_OK);
    assert_str(m.params[0], "100%");

    assert_int_equal(find_flags(PATCH, "/v3/keys/\xe2\x82\xac", 12,
                                EZW_ROUTE_DECODED),
                     EZW_OK);
    assert_str(m.params[0], "\xe2\x82\xac");

    assert_int_equal(find_flags(PATCH, "/v3/keys/\xff", 10,
                                EZW_ROUTE_DECODED),
                     EZW_INVALID);
    assert_int_equal(find_flags(PATCH, "/v3//\xff", 6, EZW_ROUTE_DECODED),
                     EZW_INVALID);
    assert_int_equal(find_flags(PATCH, "/v3//%zz", 8, EZW_ROUTE_DECODED),
                     EZW_DECLINED);
}


static void
test_same_scratch(void **state)
{
    ezw_str_t  s;
    char       path[] = "/v3/companies/%41b/agents/c%2Bd";

    (void) state;

    s = str(path);
    assert_int_equal(ezw_router_find(router, GET, &s, 0, s.data, &m), EZW_OK);
    assert_str(m.params[0], "Ab");
    assert_str(m.params[1], "c+d");
}


static void
test_add_duplicates(void **state)
{
    (void) state;

    assert_int_equal(add(GET, "/v3/keys", "again"), EZW_DECLINED);
    assert_int_equal(add(POST, "/v3/keys", "new"), EZW_OK);
    assert_int_equal(add(PATCH, "/v3/keys/{other}", "again"), EZW_DECLINED);
    assert_int_equal(add(GET, "/v3/keys/{other}", "named"), EZW_OK);

    assert_int_equal(find(GET, "/v3/keys"), EZW_OK);
    assert_string_equal(m.data, "keys");
    assert_int_equal(m.allowed, GET|POST);
}


/* {channelId} of the document is {channelJid} (DECISIONS 1). */
static void
test_same_place(void **state)
{
    (void) state;

    assert_int_equal(add(POST, "/v3/channels/{channelId}/lists", "lists"),
                     EZW_OK);
    assert_int_equal(find(POST, "/v3/channels/a%2Fb/lists"), EZW_OK);
    assert_string_equal(m.data, "lists");
    assert_str(m.params[0], "a/b");
}


static void
test_add_refuses(void **state)
{
    size_t  i;

    static const char *const  patterns[] = {
        "", "/", "v3", "/v3/", "//v3", "/v3//keys", "/v3/{}", "/v3/{id",
        "/v3/id}", "/v3/x{id}", "/v3/{id}x", "/v3/{i-d}", "/v3/{1d}",
        "/v3/{a}{b}", "/v3/a b", "/v3/a%20b", "/v3/a?b", "/v3/a#b",
        "/v3/\xc3\xa9", "/v3/{id}/{id}",
        "/{a}/{b}/{b}", "/v3/a\x7f", "/v3/\x1f",
        "/{a}/{b}/{c}/{d}/{e}/{f}/{g}",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25"
    };

    (void) state;

    for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (add(GET, patterns[i], "x") != EZW_INVALID) {
            fail_msg("\"%s\" was taken", patterns[i]);
        }
    }

    assert_int_equal(add(0, "/v3/x", "x"), EZW_INVALID);
    assert_int_equal(add(GET|POST, "/v3/x", "x"), EZW_INVALID);
    assert_int_equal(find(GET, "/v3/x"), EZW_DECLINED);
    assert_int_equal(m.allowed, 0);

    assert_int_equal(add(GET, "/x/{a0_9Zz}", "name"), EZW_OK);
    assert_int_equal(add(GET, "/{a}/{b}/{c}/{d}/{e}/{f}", "six"), EZW_OK);
    assert_int_equal(find(GET, "/1/2/3/4/5/6"), EZW_OK);
    assert_int_equal(m.nparams, 6);
    assert_str(m.params[5], "6");

    assert_int_equal(add(UINT32_C(1) << 31, "/1/2/3/4/5/6/7/8/9/10/11/12/13/14"
                                            "/15/16/17/18/19/20/21/22/23/{x}",
                         "24"),
                     EZW_OK);
    assert_int_equal(find(UINT32_C(1) << 31,
                          "/1/2/3/4/5/6/7/8/9/10/11/12/13/14"
                          "/15/16/17/18/19/20/21/22/23/24"),
                     EZW_OK);
    assert_str(m.params[0], "24");
}


static void
test_no_memory(void **state)
{
    int                rc;
    long               n;
    arena_t            a;
    ezw_str_t          path;
    ezw_router_t      *r;
    ezw_route_match_t  found;

    (void) state;

    arena_init(&a, 0);
    assert_null(ezw_router_create(&a.alloc));
    arena_free(&a);

    for (n = 1; ; n++) {
        arena_init(&a, n);
        r = ezw_router_create(&a.alloc);
        assert_non_null(r);

        rc = ezw_router_add(r, GET, "/a/{b}/c", "x");

        if (rc == EZW_OK) {
            break;
        }

        assert_int_equal(rc, EZW_ERROR);

        path = str("/a/b/c");
        assert_int_equal(ezw_router_find(r, GET, &path, 0, scratch, &found),
                         EZW_DECLINED);
        assert_int_equal(found.allowed, 0);

        /* what was begun does not stand in the way */

        a.left = -1;
        assert_int_equal(ezw_router_add(r, GET, "/a/{b}/c", "x"), EZW_OK);
        assert_int_equal(ezw_router_find(r, GET, &path, 0, scratch, &found),
                         EZW_OK);

        arena_free(&a);
    }

    assert_int_equal(n, 5);
    arena_free(&a);
}


static void
test_param_name(void **state)
{
    ezw_str_t    name;
    const char  *pattern;

    (void) state;

    pattern = "/v3/channels/{channelJid}/contacts/{contactJid}/x";

    assert_int_equal(ezw_route_param_name(pattern, 0, &name), EZW_OK);
    assert_str(name, "channelJid");
    assert_int_equal(ezw_route_param_name(pattern, 1, &name), EZW_OK);
    assert_str(name, "contactJid");
    assert_int_equal(ezw_route_param_name(pattern, 2, &name), EZW_DECLINED);
    assert_int_equal(ezw_route_param_name("/v3/keys", 0, &name),
                     EZW_DECLINED);
    assert_int_equal(ezw_route_param_name("/v3/{keys", 0, &name),
                     EZW_DECLINED);
}


#define TEST(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_literals),
        TEST(test_params),
        TEST(test_literal_wins),
        TEST(test_backtracking),
        TEST(test_methods),
        TEST(test_no_such_path),
        TEST(test_decodes),
        TEST(test_slash),
        TEST(test_bad_encoding),
        TEST(test_decoded),
        TEST(test_same_scratch),
        TEST(test_add_duplicates),
        TEST(test_same_place),
        TEST(test_add_refuses),
        TEST(test_no_memory),
        TEST(test_param_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

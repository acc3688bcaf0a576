/* ezw_prefer: RFC 7240's grammar, and that the first of a kind wins. */

#include "cm.h"
#include "ezw_prefer.h"


static ezw_prefer_t
parse(const char *first, const char *second)
{
    ezw_str_t     s;
    ezw_prefer_t  p;

    memset(&p, 0, sizeof(p));

    s = tight(first, strlen(first));
    ezw_prefer_parse(&s, &p);
    free(s.data);

    if (second != NULL) {
        s = tight(second, strlen(second));
        ezw_prefer_parse(&s, &p);
        free(s.data);
    }

    return p;
}


static void
assert_prefers(const char *first, const char *second, int strict, int exact,
    unsigned wait)
{
    ezw_prefer_t  p;

    p = parse(first, second);

    if (p.strict != (unsigned) strict || p.count_exact != (unsigned) exact
        || p.wait != wait)
    {
        fail_msg("\"%s\": strict %d, exact %d, wait %u", first, p.strict,
                 p.count_exact, p.wait);
    }
}


static void
test_known(void **state)
{
    (void) state;

    assert_prefers("handling=strict", NULL, 1, 0, 0);
    assert_prefers("handling=lenient", NULL, 0, 0, 0);
    assert_prefers("count=exact", NULL, 0, 1, 0);
    assert_prefers("count=planned", NULL, 0, 0, 0);
    assert_prefers("wait=8", NULL, 0, 0, 8);
    assert_prefers("wait=0", NULL, 0, 0, 0);
    assert_prefers("handling=strict, count=exact, wait=10", NULL, 1, 1, 10);
    assert_prefers("handling=strict,count=exact,wait=10", NULL, 1, 1, 10);
    assert_prefers("handling=strict", "wait=3", 1, 0, 3);
    assert_prefers("", NULL, 0, 0, 0);
}


static void
test_grammar(void **state)
{
    (void) state;

    assert_prefers("Handling=STRICT", NULL, 1, 0, 0);
    assert_prefers(" \thandling \t= \tstrict\t ", NULL, 1, 0, 0);
    assert_prefers("handling=\"strict\"", NULL, 1, 0, 0);
    assert_prefers("wait=\"12\"", NULL, 0, 0, 12);
    assert_prefers("handling=strict; foo=\"a, wait=5\"; bar", NULL, 1, 0, 0);
    assert_prefers("handling=strict; foo=\"a, wait=5, b\"", NULL, 1, 0, 0);
    assert_prefers("foo=\"\\\", wait=1, \", wait=7", NULL, 0, 0, 7);
    assert_prefers("foo; a=\"\\\", wait=1, \", wait=7", NULL, 0, 0, 7);
    assert_prefers("handling=strict;foo, wait=5;x=y", NULL, 1, 0, 5);
    assert_prefers(",, handling=strict ,,", NULL, 1, 0, 0);
    assert_prefers("respond-async, foo=\"\\\", wait=1\", wait=7", NULL,
                   0, 0, 7);
    assert_prefers("return=minimal; foo=\"some parameter\", wait=2", NULL,
                   0, 0, 2);
}


static void
test_first_wins(void **state)
{
    (void) state;

    assert_prefers("handling=strict, handling=lenient", NULL, 1, 0, 0);
    assert_prefers("handling=lenient, handling=strict", NULL, 0, 0, 0);
    assert_prefers("handling=lenient", "handling=strict", 0, 0, 0);
    assert_prefers("handling=other, handling=strict", NULL, 0, 0, 0);
    assert_prefers("wait=5, wait=9", NULL, 0, 0, 5);
    assert_prefers("wait=0", "wait=9", 0, 0, 0);
    assert_prefers("count=exact", "count=none", 0, 1, 0);
}


static void
test_wait(void **state)
{
    (void) state;

    assert_prefers("wait=2147483647", NULL, 0, 0, 2147483647);
    assert_prefers("wait=2147483648", NULL, 0, 0, 2147483647);
    assert_prefers("wait=99999999999999999999999", NULL, 0, 0, 2147483647);
    assert_prefers("wait=007", NULL, 0, 0, 7);
    assert_prefers("wait=-1", NULL, 0, 0, 0);
    assert_prefers("wait=1.5", NULL, 0, 0, 0);
    assert_prefers("wait=5x", NULL, 0, 0, 0);
    assert_prefers("wait", NULL, 0, 0, 0);
    assert_prefers("wait=\"\"", NULL, 0, 0, 0);
}


static void
test_malformed(void **state)
{
    (void) state;

    assert_prefers("handling strict", NULL, 0, 0, 0);
    assert_prefers("handling=strict x, wait=4", NULL, 0, 0, 4);
    assert_prefers("handling=", NULL, 0, 0, 0);
    assert_prefers("handling=, wait=4", NULL, 0, 0, 4);
    assert_prefers("=strict", NULL, 0, 0, 0);
    assert_prefers("handling==strict", NULL, 0, 0, 0);
    assert_prefers("handling=\"strict", NULL, 0, 0, 0);
    assert_prefers("foo=\"bar, wait=4", NULL, 0, 0, 4);
    assert_prefers("handling=strict\"", NULL, 0, 0, 0);
    assert_prefers("xhandling=strict", NULL, 0, 0, 0);
    assert_prefers("handling=strictly", NULL, 0, 0, 0);
    assert_prefers("\"handling\"=strict", NULL, 0, 0, 0);
    assert_prefers("x=\"\\", NULL, 0, 0, 0);
    assert_prefers(";handling=strict", NULL, 0, 0, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_first_wins),
        cmocka_unit_test(test_wait),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_backoff: doubling, cap, where the randomness lies. */

#include "cm.h"
#include "ezw_backoff.h"

#define ALL  UINT32_MAX


static void
test_doubles(void **state)
{
    (void) state;

    /* rnd 0 is the lower end, half of the step; all bits the upper end */

    assert_int_equal(ezw_backoff(1, 100, 10000, 0), 50);
    assert_int_equal(ezw_backoff(1, 100, 10000, ALL), 100);
    assert_int_equal(ezw_backoff(2, 100, 10000, 0), 100);
    assert_int_equal(ezw_backoff(2, 100, 10000, ALL), 200);
    assert_int_equal(ezw_backoff(7, 100, 10000, 0), 3200);
    assert_int_equal(ezw_backoff(7, 100, 10000, ALL), 6400);
}


static void
test_cap(void **state)
{
    (void) state;

    assert_int_equal(ezw_backoff(8, 100, 10000, ALL), 10000);
    assert_int_equal(ezw_backoff(8, 100, 10000, 0), 5000);
    assert_int_equal(ezw_backoff(32, 100, 10000, ALL), 10000);
    assert_int_equal(ezw_backoff(33, 1, ALL, ALL), ALL);
    assert_int_equal(ezw_backoff(34, 1, ALL, 0), ALL / 2);
    assert_int_equal(ezw_backoff(64, 100, 10000, ALL), 10000);
    assert_int_equal(ezw_backoff(65, 100, 10000, ALL), 10000);
    assert_int_equal(ezw_backoff(ALL, ALL, ALL, ALL), ALL);
    assert_int_equal(ezw_backoff(1, 500, 100, ALL), 100);
}


static void
test_spread(void **state)
{
    (void) state;

    assert_int_equal(ezw_backoff(1, 100, 100, 0x80000000), 75);
    assert_int_equal(ezw_backoff(1, 1, 100, 0), 0);
    assert_int_equal(ezw_backoff(1, 1, 100, ALL), 1);
    assert_int_equal(ezw_backoff(1, 0, 100, ALL), 0);
    assert_int_equal(ezw_backoff(0, 100, 1000, ALL), 100);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

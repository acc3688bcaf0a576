/* ezw_gcra: against a model that knows nothing of arrival times, and at the
 * ends of 64 bits. */

#include "cm.h"
#include "ezw_gcra.h"

#define ROUNDS  120
#define TAKES   300


static uint64_t  seed;


/* xorshift64*: the same schedules in every run. */
static uint64_t
any(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;

    return seed * UINT64_C(2685821657736338717);
}


/* The limit as it is promised: 1 when n passed at these times and one more may
 * now, because no window that ends now holds more than the burst and what its
 * length adds. */
static int
may_pass(const ezw_gcra_t *limit, const uint64_t *passed, unsigned n,
    uint64_t now)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (n - i + 1 > limit->burst + (now - passed[i]) / limit->interval_us)
        {
            return 0;
        }
    }

    return 1;
}


/* How many may pass now, one after the other. */
static uint32_t
how_many(const ezw_gcra_t *limit, const uint64_t *passed, unsigned n,
    uint64_t now)
{
    unsigned  count;
    uint64_t  times[TAKES + 64];

    memcpy(times, passed, n * sizeof(uint64_t));

    for (count = 0; may_pass(limit, times, n + count, now); count++) {
        times[n + count] = now;

        if (count + 1 == limit->burst) {
            return limit->burst;
        }
    }

    return count;
}


static void
test_schedules(void **state)
{
    unsigned           round, i, n, pace;
    uint64_t           now, tat, before, passed[TAKES];
    uint32_t           remaining;
    ezw_gcra_t         limit;
    ezw_gcra_answer_t  answer, peeked;

    (void) state;

    seed = 0x9e3779b97f4a7c15;

    for (round = 0; round < ROUNDS; round++) {
        limit.interval_us = any() % (round % 2 ? 7 : 1000) + 1;
        limit.burst = any() % 20 + 1;
        pace = any() % 4 + 1;
        now = any() >> (any() % 60 + 2);
        tat = 0;
        n = 0;

        for (i = 0; i < TAKES; i++) {

            switch (any() % 8) {
            case 0:
                now += any() % (limit.interval_us * limit.burst * 2);
                break;
            case 1:
                break;
            case 2:
                now += limit.interval_us;
                break;
            case 3:
                now += limit.interval_us - 1;
                break;
            default:
                now += any() % (limit.interval_us * pace);
            }

            remaining = how_many(&limit, passed, n, now);
            before = tat;

            ezw_gcra_peek(&limit, tat, now, &peeked);
            assert_int_equal(peeked.allowed, remaining > 0);
            assert_int_equal(peeked.remaining, remaining);

            /* not a microsecond too late, not one too early */

            assert_int_equal(peeked.retry_us == 0, remaining > 0);

            if (remaining == 0) {
                assert_true(may_pass(&limit, passed, n,
                                     now + peeked.retry_us));
                assert_false(may_pass(&limit, passed, n,
                                      now + peeked.retry_us - 1));
            }

            assert_int_equal(how_many(&limit, passed, n,
                                      now + peeked.reset_us),
                             limit.burst);

            if (peeked.reset_us > 0) {
                assert_true(how_many(&limit, passed, n,
                                     now + peeked.reset_us - 1)
                            < limit.burst);
            }

            ezw_gcra_take(&limit, &tat, now, &answer);
            assert_int_equal(answer.allowed, remaining > 0);

            if (!answer.allowed) {
                assert_int_equal(tat, before);
                assert_int_equal(answer.remaining, 0);
                assert_int_equal(answer.reset_us, peeked.reset_us);
                assert_int_equal(answer.retry_us, peeked.retry_us);
                continue;
            }

            passed[n++] = now;

            assert_int_equal(answer.remaining, remaining - 1);
            assert_int_equal(answer.remaining,
                             how_many(&limit, passed, n, now));
            assert_int_equal(answer.retry_us == 0, answer.remaining > 0);

            if (any() % 16 == 0) {
                ezw_gcra_refund(&limit, &tat);
                n--;
                assert_true(tat == before
                            || (before < now && tat == now));
            }
        }

        /* a schedule that refuses nobody, or everybody, shows nothing */

        assert_true(n > limit.burst || n > TAKES / 8);
        assert_true(n <= TAKES);
    }
}


static void
take(const ezw_gcra_t *limit, uint64_t *tat, uint64_t now, int allowed,
    uint32_t remaining, uint64_t reset, uint64_t retry)
{
    ezw_gcra_answer_t  answer;

    ezw_gcra_take(limit, tat, now, &answer);

    assert_int_equal(answer.allowed, allowed);
    assert_int_equal(answer.remaining, remaining);
    assert_int_equal(answer.reset_us, reset);
    assert_int_equal(answer.retry_us, retry);
}


static void
test_burst(void **state)
{
    uint64_t    tat;
    ezw_gcra_t  limit;

    (void) state;

    ezw_gcra_limit(&limit, 600, 60, 3);
    assert_int_equal(limit.interval_us, 100000);
    assert_int_equal(limit.burst, 3);

    tat = 0;
    take(&limit, &tat, 5000000, 1, 2, 100000, 0);
    take(&limit, &tat, 5000000, 1, 1, 200000, 0);
    take(&limit, &tat, 5000001, 1, 0, 299999, 99999);
    take(&limit, &tat, 5000001, 0, 0, 299999, 99999);
    take(&limit, &tat, 5099999, 0, 0, 200001, 1);
    take(&limit, &tat, 5100000, 1, 0, 300000, 100000);
    take(&limit, &tat, 5400000, 1, 2, 100000, 0);

    ezw_gcra_refund(&limit, &tat);
    take(&limit, &tat, 5400000, 1, 2, 100000, 0);
    assert_int_equal(tat, 5500000);

    /* a refund of what has run out gives nothing */

    ezw_gcra_refund(&limit, &tat);
    ezw_gcra_refund(&limit, &tat);
    take(&limit, &tat, 5400000, 1, 2, 100000, 0);
    tat = 99999;
    ezw_gcra_refund(&limit, &tat);
    assert_int_equal(tat, 0);
}


static void
test_limit(void **state)
{
    size_t      i;
    ezw_gcra_t  limit;

    static const struct {
        uint64_t  n, seconds;
        uint32_t  burst;
        uint64_t  interval;
        uint32_t  effective;
    } limits[] = {
        { 1, 1, 1, 1000000, 1 },
        { 80, 1, 60, 12500, 60 },
        { 7, 1, 1, 142858, 1 },
        { 5, 300, 5, 60000000, 5 },
        { 10, 900, UINT32_MAX, 90000000, UINT32_MAX },
        { 3, 2, 0, 666667, 1 },
        { 2000000, 1, 1, 1, 1 },
        { UINT64_MAX, 1, 1, 1, 1 },
        { 1, UINT64_MAX, 1, INT64_MAX, 1 },
        { UINT64_MAX, UINT64_MAX, 1, 1, 1 },
        { 1, 9223372036854, 1, INT64_MAX, 1 },
        { 1, 9223372036853, 1, 9223372036853000000, 1 },
        { 0, 1, 1, 1000000, 1 },
        { 1, 0, 1, 1, 1 }
    };

    (void) state;

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        memset(&limit, 0x55, sizeof(limit));
        ezw_gcra_limit(&limit, limits[i].n, limits[i].seconds,
                       limits[i].burst);
        assert_int_equal(limit.interval_us, limits[i].interval);
        assert_int_equal(limit.burst, limits[i].effective);
    }
}


static void
test_no_limit(void **state)
{
    uint64_t    tat;
    ezw_gcra_t  limit;

    (void) state;

    limit.interval_us = 0;
    limit.burst = 60;
    tat = 77;

    take(&limit, &tat, 0, 1, 60, 0, 0);
    take(&limit, &tat, UINT64_MAX, 1, 60, 0, 0);
    assert_int_equal(tat, 77);
    ezw_gcra_refund(&limit, &tat);
    assert_int_equal(tat, 77);
}


static void
test_clock_back(void **state)
{
    uint64_t    tat;
    unsigned    i;
    ezw_gcra_t  limit;

    (void) state;

    limit.interval_us = 100;
    limit.burst = 5;
    tat = 0;

    for (i = 0; i < 5; i++) {
        take(&limit, &tat, 1000000, 1, 4 - i, 100 * (i + 1), i < 4 ? 0 : 100);
    }

    /* another worker's clock may be late: nothing passes, nothing is lost */

    take(&limit, &tat, 999600, 0, 0, 900, 500);
    take(&limit, &tat, 1000000, 0, 0, 500, 100);
    assert_int_equal(tat, 1000500);

    /* far back: as if the burst had just been used twice, once and for all */

    take(&limit, &tat, 5000, 0, 0, 900, 500);
    assert_int_equal(tat, 5900);
    take(&limit, &tat, 5499, 0, 0, 401, 1);
    take(&limit, &tat, 5500, 1, 0, 500, 100);

    /* one at a time: an interval */

    limit.burst = 1;
    tat = 1000000;
    take(&limit, &tat, 0, 0, 0, 100, 100);
    take(&limit, &tat, 100, 1, 0, 100, 100);
}


static void
test_64_bits(void **state)
{
    size_t             b, c, d, e;
    uint64_t           tat, now;
    unsigned           i, passed;
    ezw_gcra_t         limit;
    ezw_gcra_answer_t  answer;

    static const uint64_t  values[] = {
        0, 1, 2, 1000000, INT64_MAX - 1, INT64_MAX,
        (uint64_t) INT64_MAX + 1, UINT64_MAX / 3, UINT64_MAX - 1000000,
        UINT64_MAX - 1, UINT64_MAX
    };

    static const uint32_t  bursts[] = {
        1, 2, 60, INT32_MAX, UINT32_MAX - 1, UINT32_MAX
    };

    (void) state;

    for (b = 0; b < 6; b++) {
        for (c = 1; c < 11; c++) {
            for (d = 0; d < 11; d++) {
                for (e = 0; e < 11; e++) {
                    limit.burst = bursts[b];
                    limit.interval_us = values[c];
                    now = values[d];
                    tat = values[e];
                    passed = 0;

                    for (i = 0; i < 100; i++) {
                        ezw_gcra_take(&limit, &tat, now, &answer);
                        passed += answer.allowed;

                        assert_true(answer.remaining < limit.burst);
                        assert_true(answer.allowed || answer.retry_us > 0);
                        assert_true(answer.allowed || answer.remaining == 0);
                    }

                    /* at one time a burst and no more, wherever it is */

                    assert_true(passed <= limit.burst);

                    if (values[e] <= now
                        && (UINT64_MAX - now) / 100 >= limit.interval_us)
                    {
                        assert_int_equal(passed, limit.burst < 100
                                                 ? limit.burst : 100);
                    }
                }
            }
        }
    }

    /* a clock at its end refuses, and leaves what is right for a good one */

    ezw_gcra_limit(&limit, 1, 1, 2);
    tat = 5000000;
    take(&limit, &tat, UINT64_MAX, 0, 0, 0, 1000000);
    assert_int_equal(tat, 5000000);
    take(&limit, &tat, 5000000, 1, 1, 1000000, 0);

    tat = 0;
    take(&limit, &tat, UINT64_MAX - 1000000, 1, 1, 1000000, 0);
    assert_true(tat == UINT64_MAX);
    take(&limit, &tat, UINT64_MAX - 1000000, 0, 0, 1000000, 1000000);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_burst),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_clock_back),
        cmocka_unit_test(test_64_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Rate limit by the generic cell rate algorithm.  All is counted in intervals,
 * rounded up, instead of multiplied out: nothing can overflow, and the count
 * is exact over any window.
 *
 * The arrival time may lie more than a burst ahead: by a clock that went back
 * or a limit that has changed.  Up to burst - 1 intervals of that are borne,
 * so workers with slightly different clocks still count exactly; what is more
 * is forgotten, or the refusals would last longer than the burst.
 */

#include "ezw_gcra.h"


static uint64_t time_ahead(const ezw_gcra_t *limit, uint64_t tat,
    uint64_t now_us);
static void fill(const ezw_gcra_t *limit, uint64_t ahead,
    ezw_gcra_answer_t *answer);
static uint64_t intervals(const ezw_gcra_t *limit, uint64_t us);


/* Sets the limit of n in so many seconds; the interval is rounded up, so that
 * no more than n pass. */
void
ezw_gcra_limit(ezw_gcra_t *limit, uint64_t n, uint64_t seconds,
    uint32_t burst)
{
    uint64_t  us;

    us = (seconds < INT64_MAX / 1000000) ? seconds * 1000000 : INT64_MAX;

    if (n == 0) {
        n = 1;
    }

    limit->interval_us = us / n + (us % n != 0);

    if (limit->interval_us == 0) {
        /* 0 would be no limit */
        limit->interval_us = 1;
    }

    limit->burst = (burst > 0) ? burst : 1;
}


/* Takes one, if it may pass, and says how it went. */
void
ezw_gcra_take(const ezw_gcra_t *limit, uint64_t *tat, uint64_t now_us,
    ezw_gcra_answer_t *answer)
{
    uint64_t  ahead;

    ezw_gcra_peek(limit, *tat, now_us, answer);

    if (limit->interval_us == 0) {
        return;
    }

    ahead = time_ahead(limit, *tat, now_us);

    if (answer->allowed) {
        ahead += limit->interval_us;
        *tat = now_us + ahead;
        fill(limit, ahead, answer);
        answer->allowed = 1;

    } else if (*tat > now_us) {
        /* what is forgotten of it must not come back */
        *tat = now_us + ahead;
    }
}


/* Says how a take would go. */
void
ezw_gcra_peek(const ezw_gcra_t *limit, uint64_t tat, uint64_t now_us,
    ezw_gcra_answer_t *answer)
{
    uint64_t  ahead;

    if (limit->interval_us == 0) {
        answer->allowed = 1;
        answer->remaining = limit->burst;
        answer->reset_us = 0;
        answer->retry_us = 0;
        return;
    }

    ahead = time_ahead(limit, tat, now_us);
    fill(limit, ahead, answer);

    if (UINT64_MAX - now_us < ahead
        || UINT64_MAX - now_us - ahead < limit->interval_us)
    {
        /* the next arrival time is past the clock's end */

        answer->allowed = 0;
        answer->remaining = 0;

        if (answer->retry_us == 0) {
            answer->retry_us = limit->interval_us;
        }
    }
}


/* Gives one back; what has run out by now stays so. */
void
ezw_gcra_refund(const ezw_gcra_t *limit, uint64_t *tat)
{
    *tat = (*tat > limit->interval_us) ? *tat - limit->interval_us : 0;
}


/* How far the arrival time lies ahead, no farther than is borne. */
static uint64_t
time_ahead(const ezw_gcra_t *limit, uint64_t tat, uint64_t now_us)
{
    uint64_t  ahead, most;

    if (tat <= now_us) {
        return 0;
    }

    ahead = tat - now_us;
    most = 2 * (uint64_t) limit->burst - 1;

    if (intervals(limit, ahead) > most) {
        return most * limit->interval_us;
    }

    return ahead;
}


/* Fills the answer for an arrival time that lies so far ahead. */
static void
fill(const ezw_gcra_t *limit, uint64_t ahead, ezw_gcra_answer_t *answer)
{
    uint64_t  used;

    used = intervals(limit, ahead);

    answer->reset_us = ahead;

    if (used < limit->burst) {
        answer->allowed = 1;
        answer->remaining = (uint32_t) (limit->burst - used);
        answer->retry_us = 0;

    } else {
        answer->allowed = 0;
        answer->remaining = 0;
        answer->retry_us = ahead
                           - (uint64_t) (limit->burst - 1)
                             * limit->interval_us;
    }
}


/* A time in intervals, rounded up. */
static uint64_t
intervals(const ezw_gcra_t *limit, uint64_t us)
{
    return us / limit->interval_us + (us % limit->interval_us != 0);
}

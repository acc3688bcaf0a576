/*
 * Rate limit by the generic cell rate algorithm (ITU-T I.371): one 64-bit
 * word, the theoretical arrival time, is all of the state.  A limit lets
 * `burst` through at once and one more each `interval`; what is refused
 * consumes nothing.
 */

#ifndef EZW_GCRA_H
#define EZW_GCRA_H

#include "ezw_str.h"

typedef struct {
    uint64_t              interval_us;   /* between two at a steady rate; 0:
                                            no limit */
    uint32_t              burst;         /* at least 1 */
} ezw_gcra_t;

typedef struct {
    unsigned              allowed:1;
    uint32_t              remaining;     /* that would pass now */
    uint64_t              reset_us;      /* until all of burst is there again */
    uint64_t              retry_us;      /* until the next one passes; 0: now */
} ezw_gcra_answer_t;

/* The limit of `n` in `seconds`, with a burst; n and seconds at least 1. */
void ezw_gcra_limit(ezw_gcra_t *limit, uint64_t n, uint64_t seconds,
    uint32_t burst);

/* Takes one at now_us (any clock that does not go back far; a clock that went
 * back refuses nobody for longer than the burst lasts). *tat is 0 at birth. */
void ezw_gcra_take(const ezw_gcra_t *limit, uint64_t *tat, uint64_t now_us,
    ezw_gcra_answer_t *answer);
/* The same answer without taking: allowed says whether one would pass. */
void ezw_gcra_peek(const ezw_gcra_t *limit, uint64_t tat, uint64_t now_us,
    ezw_gcra_answer_t *answer);
/* Gives back one that was taken. */
void ezw_gcra_refund(const ezw_gcra_t *limit, uint64_t *tat);

#endif

/* Exponential back-off with full jitter on its upper half. */

#ifndef EZW_BACKOFF_H
#define EZW_BACKOFF_H

#include <stdint.h>

/* Milliseconds before the attempt after `failures` (>= 1) in a row:
 * min(base << (failures-1), cap), of which the upper half is random.
 * rnd: any 32 random bits. */
uint32_t ezw_backoff(unsigned failures, uint32_t base_ms, uint32_t cap_ms,
    uint32_t rnd);

#endif

/* Back-off between attempts; the caller brings the randomness. */

#include "ezw_backoff.h"


/* Milliseconds in [d/2, d], d = min(base_ms << (failures - 1), cap_ms). */
uint32_t
ezw_backoff(unsigned failures, uint32_t base_ms, uint32_t cap_ms, uint32_t rnd)
{
    uint64_t  delay, half;

    delay = base_ms;

    if (failures > 1) {
        /* 32 shifts take any base past any cap */
        delay <<= (failures > 32) ? 32 : failures - 1;
    }

    if (delay > cap_ms) {
        delay = cap_ms;
    }

    half = delay / 2;

    return (uint32_t) (half + ((rnd * (delay - half + 1)) >> 32));
}

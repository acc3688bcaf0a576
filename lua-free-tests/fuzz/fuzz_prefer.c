/* Prefer: the first of a kind wins, so a second value adds, never changes. */

#include "support.h"
#include "ezw_prefer.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ezw_str_t     s, all;
    ezw_prefer_t  p, again;

    s = tight(data, size);
    memset(&p, 0, sizeof(p));
    ezw_prefer_parse(&s, &p);
    free(s.data);

    CHECK(p.wait <= 2147483647u);
    CHECK(!p.strict || (p.seen & 1));

    again = p;
    all = str("handling=lenient, count=none, wait=77");
    ezw_prefer_parse(&all, &again);

    CHECK(again.strict == p.strict);
    CHECK(again.count_exact == p.count_exact);
    CHECK(again.wait == ((p.seen & 4) ? p.wait : 77));

    return 0;
}

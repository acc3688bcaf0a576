/* Cursors: whatever comes back is refused, or values that Postgres reads. */

#include "support.h"
#include "ezw_cursor.h"
#include "ezw_utf8.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int        rc;
    arena_t    a;
    unsigned   i, n;
    ezw_str_t  cursor, values[EZW_CURSOR_VALUES];

    if (size < 1) {
        return 0;
    }

    arena_init(&a, -1);
    n = 1 + data[0] % EZW_CURSOR_VALUES;
    cursor = tight(data + 1, size - 1);

    rc = ezw_cursor_parse(&a.alloc, 0x01020304, &cursor, values, n);
    CHECK(rc == EZW_OK || rc == EZW_INVALID);

    for (i = 0; rc == EZW_OK && i < n; i++) {
        CHECK(values[i].data[values[i].len] == '\0');
        CHECK(ezw_utf8_length(values[i].data, values[i].len) >= 0);
    }

    free(cursor.data);
    arena_free(&a);

    return 0;
}

/* route patterns: one that is taken is found again, with its parameters. */

#include "support.h"
#include "ezw_route.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                rc;
    char              *pattern, *path, *d, *p;
    arena_t            arena;
    unsigned           n;
    ezw_str_t          s, name;
    ezw_router_t      *router;
    ezw_route_match_t  m;
    unsigned char     *scratch;

    pattern = malloc(size + 1);
    memcpy(pattern, data, size);
    pattern[size] = '\0';

    path = malloc(size + 1);
    scratch = malloc(size + 1);

    arena_init(&arena, -1);
    router = ezw_router_create(&arena.alloc);

    rc = ezw_router_add(router, 1, pattern, pattern);
    CHECK(rc == EZW_OK || rc == EZW_INVALID);

    if (rc == EZW_OK) {
        CHECK(ezw_router_add(router, 1, pattern, path) == EZW_DECLINED);

        /* each "{name}" becomes "x" */

        for (p = pattern, d = path, n = 0; *p != '\0'; p++) {
            if (*p == '{') {
                CHECK(ezw_route_param_name(pattern, n++, &name) == EZW_OK);
                CHECK(name.data == (unsigned char *) p + 1);
                p = strchr(p, '}');
                *d++ = 'x';
                continue;
            }

            *d++ = *p;
        }

        *d = '\0';
        s = str(path);

        CHECK(ezw_router_find(router, 1, &s, 0, scratch, &m) == EZW_OK);
        CHECK(m.data == pattern && m.nparams == n);
        CHECK(n <= EZW_ROUTE_PARAMS);
    }

    arena_free(&arena);
    free(pattern);
    free(path);
    free(scratch);

    return 0;
}

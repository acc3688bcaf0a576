/* Stored cells: any type and text; a cell that is made can be written, and
 * what is written is JSON.  The input is "type, text". */

#include <jansson.h>

#include "support.h"
#include "ezw_row.h"
#include "ezw_row_stored.h"
#include "ezw_utf8.h"


static const uint32_t  types[] = {
    25, 16, 17, 19, 20, 21, 23, 26, 114, 700, 701, 705, 1042, 1043, 1114,
    1184, 2950, 3802, 1000, 1001, 1003, 1016, 1005, 1007, 1009, 1028, 199,
    1021, 1022, 1014, 1015, 1115, 1185, 2951, 3807, 1700, 0
};


/* 1 for what passes through as it is, valid or not. */
static int
passes_through(uint32_t oid)
{
    return oid == 114 || oid == 3802 || oid == 199 || oid == 3807;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int               rc;
    json_t           *v;
    sink_t            s;
    arena_t           arena;
    uint32_t          oid;
    ezw_str_t         text;
    ezw_cell_t        cell;
    const char       *name;
    ezw_row_conf_t    conf;
    ezw_row_shape_t  *shape;

    if (size < 1) {
        return 0;
    }

    oid = types[data[0] % (sizeof(types) / sizeof(types[0]))];
    text = tight(data + 1, size - 1);
    arena_init(&arena, -1);

    rc = ezw_row_stored(&arena.alloc, oid, &text, &cell);

    if (rc == EZW_OK) {
        name = "v";
        memset(&conf, 0, sizeof(conf));
        CHECK(ezw_row_compile(&arena.alloc, &name, &oid, 1, &shape, NULL)
              == EZW_OK);

        sink_init(&s, 64, -1);
        CHECK(ezw_row_write(shape, &conf, &cell, &s.w) == EZW_OK);
        sink_flush(&s);

        if (!passes_through(oid)
            && ezw_utf8_length((unsigned char *) s.out, s.len) >= 0)
        {
            v = json_loadb(s.out, s.len, JSON_ALLOW_NUL, NULL);
            CHECK(v != NULL);
            json_decref(v);
        }

        sink_free(&s);

    } else {
        CHECK(rc == EZW_INVALID);
    }

    arena_free(&arena);
    free(text.data);

    return 0;
}

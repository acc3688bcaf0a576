/* Rows: any columns, types and cells.  The input is "flags, columns, then for
 * each column: an index of a type, a length, its name, a length, its cell". */

#include <jansson.h>

#include "support.h"
#include "ezw_row.h"
#include "ezw_utf8.h"

#define MAX  12


static const uint32_t  types[] = {
    25, 16, 17, 19, 20, 21, 23, 26, 114, 700, 701, 705, 1042, 1043, 1114,
    1184, 2950, 3802, 1000, 1001, 1003, 1016, 1005, 1007, 1009, 1028, 199,
    1021, 1022, 1014, 1015, 1115, 1185, 2951, 3807, 1700, 0
};


static const ezw_row_secret_t  secrets[] = {
    { ezw_string("a"), ezw_string("secret") }
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
    int               rc, raw;
    char             *names[MAX];
    json_t           *v;
    sink_t            s;
    arena_t           arena;
    uint8_t           flags;
    unsigned          n, i, len;
    uint32_t          oids[MAX];
    ezw_cell_t        cells[MAX];
    const uint8_t    *end;
    ezw_invalid_t     why;
    ezw_row_conf_t    conf;
    ezw_row_shape_t  *shape;

    if (size < 2) {
        return 0;
    }

    end = data + size;
    flags = *data++;
    memset(&conf, 0, sizeof(conf));
    conf.empty_map_object = flags & 1;
    conf.secrets = secrets;
    conf.nsecrets = 1;
    arena_init(&arena, -1);
    raw = 0;

    for (n = 0; n < MAX && end - data >= 3; n++) {
        oids[n] = types[*data++ % (sizeof(types) / sizeof(types[0]))];

        len = *data++ % 32;
        len = (len < end - data) ? len : end - data;
        names[n] = arena_alloc(&arena, len + 1);
        memcpy(names[n], data, len);
        names[n][len] = '\0';
        data += len;

        cells[n].data = NULL;
        cells[n].len = -1;

        if (data < end && *data++ % 8 != 7) {
            len = data[-1] / 2;
            len = (len < end - data) ? len : end - data;
            cells[n].data = arena_alloc(&arena, len);
            memcpy((void *) cells[n].data, data, len);
            cells[n].len = (int) len;
            data += len;
        }

        raw |= passes_through(oids[n]);
    }

    rc = ezw_row_compile(&arena.alloc, (const char *const *) names, oids, n,
                         &shape, &why);

    if (rc == EZW_OK) {
        CHECK(ezw_row_columns(shape) <= n);

        for (i = 0; i < n; i++) {
            len = (names[i][0] == '@' || strcmp(names[i], "refusal") == 0);
            CHECK(ezw_row_control(shape, names[i]) == (len ? (int) i : -1));
        }

        sink_init(&s, flags / 4 + 1, -1);
        rc = ezw_row_write(shape, &conf, cells, &s.w);
        sink_flush(&s);

        CHECK(rc == EZW_OK || rc == EZW_INVALID);

        /* texts that are no UTF-8 only a broken server sends */

        if (rc == EZW_OK && !raw
            && ezw_utf8_length((unsigned char *) s.out, s.len) >= 0)
        {
            v = json_loadb(s.out, s.len,
                           JSON_ALLOW_NUL|JSON_DECODE_ANY
                           |JSON_REJECT_DUPLICATES, NULL);
            CHECK(v != NULL);
            json_decref(v);
        }

        sink_free(&s);

    } else {
        CHECK(rc == EZW_INVALID && why.text[0] != '\0');
    }

    arena_free(&arena);

    return 0;
}

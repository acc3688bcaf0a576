/* Statement files: every statement's text has its parameters and no others. */

#include "support.h"
#include "ezw_sql.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                   rc;
    arena_t               arena;
    unsigned              line, before, i;
    ezw_sql_t             sql;
    ezw_str_t             file;
    ezw_invalid_t         why;
    const unsigned char  *pos, *end, *last;

    file = tight(data, size);
    pos = file.data;
    end = pos + size;
    line = 1;
    arena_init(&arena, -1);

    for ( ;; ) {
        last = pos;
        before = line;
        memset(&why, 0, sizeof(why));
        rc = ezw_sql_next(&arena.alloc, &pos, end, &line, &sql, &why);

        CHECK(pos >= last && pos <= end && line >= before);

        if (rc != EZW_OK) {
            break;
        }

        CHECK(pos > last);
        CHECK(sql.line >= before && sql.line <= line);
        CHECK(sql.name.len > 0 && sql.text.len > 0);
        CHECK(sql.text.data[sql.text.len] == '\0');
        CHECK(strlen((char *) sql.text.data) == sql.text.len);
        CHECK(sql.nparams <= EZW_SQL_PARAMS);

        for (i = 0; i < sql.nparams; i++) {
            CHECK(sql.params[i].len > 0);
            CHECK(sql.params[i].data[-1] == ':');
        }
    }

    if (rc == EZW_DECLINED) {
        CHECK(pos == end);

    } else {
        CHECK(rc == EZW_INVALID && strncmp(why.text, "line ", 5) == 0);
    }

    arena_free(&arena);
    free(file.data);

    return 0;
}

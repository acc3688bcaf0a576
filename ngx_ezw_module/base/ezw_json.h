/*
 * Writing JSON (RFC 8259) into buffers that are handed on as they fill, so
 * that an answer of any size is written once and never copied.
 */

#ifndef EZW_JSON_H
#define EZW_JSON_H

#include "ezw_str.h"

typedef struct ezw_writer_s  ezw_writer_t;

struct ezw_writer_s {
    unsigned char        *pos;       /* next byte to write */
    unsigned char        *end;
    /* Called when fewer than `need` bytes (<= 64) are left: makes room and
     * sets pos and end.  EZW_OK or EZW_ERROR. */
    int                 (*more)(ezw_writer_t *w, size_t need);
    void                 *ctx;
    int                   failed;    /* `more` has failed: writes do nothing */
};

/* All of them do nothing once w->failed. */
void ezw_json_raw(ezw_writer_t *w, const void *p, size_t len);
#define ezw_json_literal(w, s)  ezw_json_raw(w, s, sizeof(s) - 1)
/* With quotes; escapes ", \, and below 0x20; other bytes pass as they are. */
void ezw_json_string(ezw_writer_t *w, const void *p, size_t len);
void ezw_json_int(ezw_writer_t *w, int64_t v);
/* Shortest digits that read back the same; NaN and infinities are null. */
void ezw_json_double(ezw_writer_t *w, double v);
/* Float4: shortest that reads back the same float. */
void ezw_json_float(ezw_writer_t *w, float v);
/* Postgres microseconds since 2000-01-01 UTC to
 * "2020-03-11T19:53:02.000000Z", with quotes; infinities are null. */
void ezw_json_timestamp(ezw_writer_t *w, int64_t pg_us);
void ezw_json_uuid(ezw_writer_t *w, const unsigned char b[16]);
void ezw_json_hex(ezw_writer_t *w, const unsigned char *p, size_t len);

/* Deepest nesting of arrays and objects in a text that need not be valid;
 * brackets within strings do not count.  Checked before parsing. */
unsigned ezw_json_depth(const unsigned char *p, size_t len);

#endif

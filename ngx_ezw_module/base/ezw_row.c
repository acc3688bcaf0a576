/*
 * Rows to JSON: one row after another, by a shape that ezw_row_compile.c has
 * made once for the statement.
 */

#include "ezw_id.h"
#include "ezw_row_shape.h"


static int write_value(ezw_row_value_e value, const ezw_row_step_t *step,
    const ezw_row_conf_t *conf, const unsigned char *p, size_t len,
    ezw_writer_t *w);
static int write_array(const ezw_row_step_t *step, const ezw_row_conf_t *conf,
    const unsigned char *p, size_t len, ezw_writer_t *w);
static int write_json(const ezw_row_step_t *step, const ezw_row_conf_t *conf,
    const unsigned char *p, size_t len, ezw_writer_t *w);
static int write_conversation(const unsigned char *p, size_t len,
    ezw_writer_t *w);
static void write_secret(const ezw_str_t *name, const ezw_row_conf_t *conf,
    ezw_writer_t *w);
static int is_empty_container(const unsigned char *p, size_t len);
static uint16_t read16(const unsigned char *p);
static uint32_t read32(const unsigned char *p);
static uint64_t read64(const unsigned char *p);


/* Appends a literal: the usual case inline. */
static inline void
write_literal(ezw_writer_t *w, const unsigned char *p, size_t len)
{
    if ((size_t) (w->end - w->pos) >= len && !w->failed && len > 0) {
        memcpy(w->pos, p, len);
        w->pos += len;
        return;
    }

    ezw_json_raw(w, p, len);
}


/* Index of a control column, -1: none of this name. */
int
ezw_row_control(const ezw_row_shape_t *s, const char *name)
{
    unsigned  i;

    for (i = 0; i < s->ncontrols; i++) {
        if (strcmp(s->controls[i].name, name) == 0) {
            return (int) s->controls[i].column;
        }
    }

    return -1;
}


/* Number of the columns that are part of the answer. */
unsigned
ezw_row_columns(const ezw_row_shape_t *s)
{
    return s->columns;
}


/* Writes one row; EZW_OK, EZW_INVALID, or EZW_ERROR when the writer failed. */
int
ezw_row_write(const ezw_row_shape_t *s, const ezw_row_conf_t *conf,
    const ezw_cell_t *cells, ezw_writer_t *w)
{
    const ezw_cell_t      *cell;
    const ezw_row_step_t  *step, *end;

    step = s->steps;
    end = step + s->nsteps;

    while (step < end) {

        write_literal(w, step->literal, step->len);

        if (step->value == EZW_ROW_NONE) {
            step++;
            continue;
        }

        cell = &cells[step->column];

        if (cell->len < 0) {
            if (cell->len != -1) {
                return EZW_INVALID;
            }

            if (step->value == EZW_ROW_NULLABLE) {
                ezw_json_literal(w, "null");
                step = s->steps + step->jump;
                continue;
            }

            if (step->value == EZW_ROW_SECRET) {
                write_secret(&s->secrets[step->element], conf, w);

            } else {
                write_literal(w, (const unsigned char *) "null", 4);
            }

        } else if (step->value == EZW_ROW_TEXT) {
            ezw_json_string(w, cell->data, (size_t) cell->len);

        } else if (step->value == EZW_ROW_SECRET) {
            write_secret(&s->secrets[step->element], conf, w);

        } else if (step->value != EZW_ROW_NULLABLE
                   && write_value((ezw_row_value_e) step->value, step, conf,
                                  cell->data, (size_t) cell->len, w)
                      != EZW_OK)
        {
            return EZW_INVALID;
        }

        step++;
    }

    return w->failed ? EZW_ERROR : EZW_OK;
}


/* Writes a value that is not null; EZW_OK or EZW_INVALID. */
static int
write_value(ezw_row_value_e value, const ezw_row_step_t *step,
    const ezw_row_conf_t *conf, const unsigned char *p, size_t len,
    ezw_writer_t *w)
{
    float     f;
    double    d;
    uint32_t  u;
    uint64_t  v;

    switch (value) {

    case EZW_ROW_BOOL:
        if (len != 1 || *p > 1) {
            return EZW_INVALID;
        }

        if (*p) {
            ezw_json_literal(w, "true");

        } else {
            ezw_json_literal(w, "false");
        }

        return EZW_OK;

    case EZW_ROW_INT2:
        if (len != 2) {
            return EZW_INVALID;
        }

        ezw_json_int(w, (int16_t) read16(p));
        return EZW_OK;

    case EZW_ROW_INT4:
        if (len != 4) {
            return EZW_INVALID;
        }

        ezw_json_int(w, (int32_t) read32(p));
        return EZW_OK;

    case EZW_ROW_INT8:
        if (len != 8) {
            return EZW_INVALID;
        }

        ezw_json_int(w, (int64_t) read64(p));
        return EZW_OK;

    case EZW_ROW_OID:
        if (len != 4) {
            return EZW_INVALID;
        }

        ezw_json_int(w, read32(p));
        return EZW_OK;

    case EZW_ROW_FLOAT4:
        if (len != 4) {
            return EZW_INVALID;
        }

        u = read32(p);
        memcpy(&f, &u, 4);
        ezw_json_float(w, f);
        return EZW_OK;

    case EZW_ROW_FLOAT8:
        if (len != 8) {
            return EZW_INVALID;
        }

        v = read64(p);
        memcpy(&d, &v, 8);
        ezw_json_double(w, d);
        return EZW_OK;

    case EZW_ROW_TEXT:
        ezw_json_string(w, p, len);
        return EZW_OK;

    case EZW_ROW_TIMESTAMP:
        if (len != 8) {
            return EZW_INVALID;
        }

        ezw_json_timestamp(w, (int64_t) read64(p));
        return EZW_OK;

    case EZW_ROW_UUID:
        if (len != 16) {
            return EZW_INVALID;
        }

        ezw_json_uuid(w, p);
        return EZW_OK;

    case EZW_ROW_BYTEA:
        ezw_json_hex(w, p, len);
        return EZW_OK;

    case EZW_ROW_JSONB:
        /* the version of the format comes first */

        if (len < 1 || *p != 1) {
            return EZW_INVALID;
        }

        return write_json(step, conf, p + 1, len - 1, w);

    case EZW_ROW_JSON:
        return write_json(step, conf, p, len, w);

    case EZW_ROW_CONVERSATION:
        return write_conversation(p, len, w);

    case EZW_ROW_ARRAY:
        return write_array(step, conf, p, len, w);

    case EZW_ROW_NONE:
    case EZW_ROW_NULLABLE:
    case EZW_ROW_SECRET:
        break;
    }

    return EZW_INVALID;
}


/* Writes an array: dimensions, a flag for nulls, the elements' oid, then for
 * each dimension its size and lower bound, then the elements, each behind its
 * length.  EZW_OK or EZW_INVALID. */
static int
write_array(const ezw_row_step_t *step, const ezw_row_conf_t *conf,
    const unsigned char *p, size_t len, ezw_writer_t *w)
{
    uint32_t  dimensions, n, i, size;

    if (len < 12) {
        return EZW_INVALID;
    }

    dimensions = read32(p);

    if (dimensions > 1 || read32(p + 8) != step->element) {
        return EZW_INVALID;
    }

    p += 12;
    len -= 12;
    n = 0;

    if (dimensions == 1) {
        if (len < 8) {
            return EZW_INVALID;
        }

        n = read32(p);
        p += 8;
        len -= 8;
    }

    ezw_json_literal(w, "[");

    for (i = 0; i < n; i++) {

        if (len < 4) {
            return EZW_INVALID;
        }

        size = read32(p);
        p += 4;
        len -= 4;

        if (i > 0) {
            ezw_json_literal(w, ",");
        }

        if (size == UINT32_MAX) {
            ezw_json_literal(w, "null");
            continue;
        }

        if (size > len
            || write_value((ezw_row_value_e) step->element_value, step, conf,
                           p, size, w)
               != EZW_OK)
        {
            return EZW_INVALID;
        }

        p += size;
        len -= size;
    }

    if (len != 0) {
        return EZW_INVALID;
    }

    ezw_json_literal(w, "]");

    return EZW_OK;
}


/* Passes JSON through; an empty map as the deployment writes it.  EZW_OK or
 * EZW_INVALID. */
static int
write_json(const ezw_row_step_t *step, const ezw_row_conf_t *conf,
    const unsigned char *p, size_t len, ezw_writer_t *w)
{
    if (len == 0) {
        return EZW_INVALID;
    }

    if (step->map && is_empty_container(p, len)) {

        if (conf->empty_map_object) {
            ezw_json_literal(w, "{}");

        } else {
            ezw_json_literal(w, "[]");
        }

        return EZW_OK;
    }

    ezw_json_raw(w, p, len);

    return EZW_OK;
}


/* Writes the id of the conversation "channelJid contactJid"; EZW_OK or
 * EZW_INVALID. */
static int
write_conversation(const unsigned char *p, size_t len, ezw_writer_t *w)
{
    ezw_str_t       channel, contact;
    unsigned char  *space, id[EZW_CONVERSATION_ID_LEN + 2];

    space = (len > 0) ? memchr(p, ' ', len) : NULL;

    if (space == NULL) {
        return EZW_INVALID;
    }

    channel.data = (unsigned char *) p;
    channel.len = space - p;
    contact.data = space + 1;
    contact.len = len - channel.len - 1;

    if (channel.len == 0 || contact.len == 0
        || memchr(contact.data, ' ', contact.len) != NULL)
    {
        return EZW_INVALID;
    }

    id[0] = '"';
    ezw_conversation_id(id + 1, &channel, &contact);
    id[EZW_CONVERSATION_ID_LEN + 1] = '"';

    ezw_json_raw(w, id, sizeof(id));

    return EZW_OK;
}


/* Writes the conf's string of a name, null when it has none. */
static void
write_secret(const ezw_str_t *name, const ezw_row_conf_t *conf,
    ezw_writer_t *w)
{
    unsigned                 i;
    const ezw_row_secret_t  *secret;

    for (i = 0; i < conf->nsecrets; i++) {
        secret = &conf->secrets[i];

        if (secret->name.len == name->len
            && memcmp(secret->name.data, name->data, name->len) == 0)
        {
            ezw_json_string(w, secret->value.data, secret->value.len);
            return;
        }
    }

    ezw_json_literal(w, "null");
}


/* 1 for an empty object or array. */
static int
is_empty_container(const unsigned char *p, size_t len)
{
    size_t                n;
    unsigned char         c[2];
    const unsigned char  *end;

    n = 0;

    for (end = p + len; p < end; p++) {
        if (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') {
            continue;
        }

        if (n == 2) {
            return 0;
        }

        c[n++] = *p;
    }

    return n == 2 && ((c[0] == '{' && c[1] == '}')
                      || (c[0] == '[' && c[1] == ']'));
}


/* Network byte order. */
static uint16_t
read16(const unsigned char *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}


/* Network byte order. */
static uint32_t
read32(const unsigned char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


/* Network byte order. */
static uint64_t
read64(const unsigned char *p)
{
    return (uint64_t) read32(p) << 32 | read32(p + 4);
}

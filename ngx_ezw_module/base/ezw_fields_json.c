/*
 * Values that leave as JSON text: numbers, maps and any value, and the text that
 * they are written into.
 */

#include <math.h>
#include <stdio.h>

#include "ezw_fields_value.h"


#define MAX_MAP        4096     /* bytes of JSON */


static int write_value(ezw_fields_text_t *t, const char *field,
    const json_t *v, ezw_invalid_t *why);
static int finish(ezw_fields_text_t *t, const ezw_field_t *rule,
    ezw_value_t *value, ezw_invalid_t *why);
static int is_text_value(const json_t *v);
static int grow_text(ezw_writer_t *w, size_t need);


/* Sets a number in decimal; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_fields_json_check_number(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why)
{
    ezw_fields_text_t  t;

    if (!json_is_number(v) || !isfinite(json_number_value(v))) {
        return ezw_fields_value_refuse(rule, "must be a number", why);
    }

    ezw_fields_text_init(&t, conf->alloc, 0);

    if (json_is_integer(v)) {
        ezw_json_int(&t.w, json_integer_value(v));

    } else {
        ezw_json_double(&t.w, json_real_value(v));
    }

    return ezw_fields_text_finish(&t, value);
}


/* Checks a map and sets it as a JSON object; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
int
ezw_fields_json_check_map(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why)
{
    int                 rc;
    char                field[1024];
    void               *iter;
    json_t             *o, *member;
    const char         *key;
    ezw_fields_text_t   t;

    if (json_is_array(v) && json_array_size(v) == 0) {
        ezw_fields_value_set_literal(value, "{}");
        return EZW_OK;
    }

    if (!json_is_object(v)) {
        return ezw_fields_value_refuse(rule, "must be an object", why);
    }

    if (rule->max > 0 && json_object_size(v) > (size_t) rule->max) {
        return ezw_invalid(why, VALIDATION, rule->name,
                           "%s has too many names: at most %lld", rule->name,
                           (long long) rule->max);
    }

    ezw_fields_text_init(&t, conf->alloc, MAX_MAP);
    ezw_json_literal(&t.w, "{");

    o = (json_t *) v;

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);
        member = json_object_iter_value(iter);

        snprintf(field, sizeof(field), "%s.%s", rule->name, key);

        if (!is_text_value(member)) {
            return ezw_invalid(why, VALIDATION, field,
                               "%s must be a string, a number or a boolean",
                               field);
        }

        if (iter != json_object_iter(o)) {
            ezw_json_literal(&t.w, ",");
        }

        ezw_json_string(&t.w, key, strlen(key));
        ezw_json_literal(&t.w, ":");

        rc = write_value(&t, field, member, why);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    ezw_json_literal(&t.w, "}");

    return finish(&t, rule, value, why);
}


/* Checks any value and sets it as JSON; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_fields_json_check(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    int                rc;
    ezw_fields_text_t  t;

    ezw_fields_text_init(&t, conf->alloc, (size_t) rule->max);

    rc = write_value(&t, rule->name, v, why);

    return (rc == EZW_OK) ? finish(&t, rule, value, why) : rc;
}


/* Writes a value, as deep as the parser let it be; EZW_OK, or EZW_INVALID for
 * a U+0000, of the field. */
static int
write_value(ezw_fields_text_t *t, const char *field, const json_t *v,
    ezw_invalid_t *why)
{
    int          rc;
    void        *iter;
    json_t      *o;
    size_t       i;
    const char  *key;

    o = (json_t *) v;

    switch (json_typeof(v)) {

    case JSON_OBJECT:
        ezw_json_literal(&t->w, "{");

        for (iter = json_object_iter(o);
             iter != NULL;
             iter = json_object_iter_next(o, iter))
        {
            if (iter != json_object_iter(o)) {
                ezw_json_literal(&t->w, ",");
            }

            key = json_object_iter_key(iter);
            ezw_json_string(&t->w, key, strlen(key));
            ezw_json_literal(&t->w, ":");

            rc = write_value(t, field, json_object_iter_value(iter), why);

            if (rc != EZW_OK) {
                return rc;
            }
        }

        ezw_json_literal(&t->w, "}");
        return EZW_OK;

    case JSON_ARRAY:
        ezw_json_literal(&t->w, "[");

        for (i = 0; i < json_array_size(v); i++) {

            if (i > 0) {
                ezw_json_literal(&t->w, ",");
            }

            rc = write_value(t, field, json_array_get(v, i), why);

            if (rc != EZW_OK) {
                return rc;
            }
        }

        ezw_json_literal(&t->w, "]");
        return EZW_OK;

    case JSON_STRING:
        rc = ezw_fields_value_check_length(field, 0, 0, json_string_value(v),
                                           json_string_length(v), why);

        if (rc == EZW_OK) {
            ezw_json_string(&t->w, json_string_value(v),
                            json_string_length(v));
        }

        return rc;

    case JSON_INTEGER:
        ezw_json_int(&t->w, json_integer_value(v));
        return EZW_OK;

    case JSON_REAL:
        ezw_json_double(&t->w, json_real_value(v));
        return EZW_OK;

    case JSON_TRUE:
        ezw_json_literal(&t->w, "true");
        return EZW_OK;

    case JSON_FALSE:
        ezw_json_literal(&t->w, "false");
        return EZW_OK;

    case JSON_NULL:
        ezw_json_literal(&t->w, "null");
        break;
    }

    return EZW_OK;
}


/* Ends a rule's text and sets it; EZW_INVALID: it was too long. */
static int
finish(ezw_fields_text_t *t, const ezw_field_t *rule, ezw_value_t *value,
    ezw_invalid_t *why)
{
    if (t->too_long) {
        return ezw_invalid(why, VALIDATION, rule->name,
                           "%s is too long: at most %llu bytes of JSON",
                           rule->name, (unsigned long long) t->limit);
    }

    return ezw_fields_text_finish(t, value);
}


/* 1 for a value that a map may hold. */
static int
is_text_value(const json_t *v)
{
    return json_is_string(v) || json_is_number(v) || json_is_boolean(v);
}


/* Begins a text of at most limit bytes (0: any number). */
void
ezw_fields_text_init(ezw_fields_text_t *t, const ezw_alloc_t *alloc,
    size_t limit)
{
    memset(t, 0, sizeof(ezw_fields_text_t));

    t->w.more = grow_text;
    t->w.ctx = t;
    t->alloc = alloc;
    t->limit = limit;
}


/* Makes the first room of a text; EZW_OK or EZW_ERROR. */
int
ezw_fields_text_reserve(ezw_fields_text_t *t, size_t len)
{
    t->start = t->alloc->alloc(t->alloc->ctx, len + 1);

    if (t->start == NULL) {
        return EZW_ERROR;
    }

    t->w.pos = t->start;
    t->w.end = t->start + len;

    return EZW_OK;
}


/* Gives a text twice the room; what it had is left to the allocator. */
static int
grow_text(ezw_writer_t *w, size_t need)
{
    size_t              used, size;
    unsigned char      *p;
    ezw_fields_text_t  *t;

    (void) need;

    t = w->ctx;
    used = w->pos - t->start;
    size = (used < 32) ? 64 : used * 2;

    if (t->limit > 0) {

        if (used >= t->limit) {
            t->too_long = 1;
            return EZW_ERROR;
        }

        if (size > t->limit) {
            size = t->limit;
        }
    }

    /* a byte more: for the NUL */

    p = t->alloc->alloc(t->alloc->ctx, size + 1);

    if (p == NULL) {
        return EZW_ERROR;
    }

    if (used > 0) {
        memcpy(p, t->start, used);
    }

    t->start = p;
    w->pos = p + used;
    w->end = p + size;

    return EZW_OK;
}


/* Ends a text that is not empty and sets it; EZW_OK or EZW_ERROR. */
int
ezw_fields_text_finish(ezw_fields_text_t *t, ezw_value_t *value)
{
    if (t->w.failed) {
        return EZW_ERROR;
    }

    *t->w.pos = '\0';

    value->data = (char *) t->start;
    value->len = t->w.pos - t->start;

    return EZW_OK;
}

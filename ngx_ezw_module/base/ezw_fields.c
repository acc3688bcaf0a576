/*
 * Bodies and queries against their rules.  A rule has one slot of the values,
 * a name three, a message those of ezw_message.h, a template's components
 * two, an object its own and those of its fields; slots follow the rules'
 * order.  Which name belongs to which rule and slot is decided here, what a
 * value may be in ezw_fields_value.c.
 */

#include <stdio.h>

#include "ezw_fields_value.h"
#include "ezw_json.h"
#include "ezw_message.h"
#include "ezw_utf8.h"


#define MAX_DEPTH      32


static unsigned slots_of(const ezw_field_t *rule);
static int find_message(const ezw_fields_conf_t *conf,
    const ezw_field_t *rules, unsigned n, const json_t *body,
    json_t **message);
static int check_fields(const ezw_fields_conf_t *conf, const char *prefix,
    const ezw_field_t *rules, unsigned n, const json_t *object,
    const json_t *message, ezw_value_t *values, ezw_invalid_t *why);
static int check_object(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *values,
    ezw_invalid_t *why);
static void clear(ezw_value_t *values, unsigned n);
static const json_t *media_of(const ezw_field_t *rules, unsigned n,
    const json_t *object);
static int refuse_unknown(const char *prefix, const ezw_field_t *rules,
    unsigned n, const json_t *object, ezw_invalid_t *why);


/* Number of slots that the rules' values take. */
unsigned
ezw_fields_slots(const ezw_field_t *rules, unsigned n)
{
    unsigned  i, slots;

    slots = 0;

    for (i = 0; i < n; i++) {
        slots += slots_of(&rules[i]);
    }

    return slots;
}


/* Slot of "x" or "x.suffix", -1: no such. */
int
ezw_fields_slot(const ezw_field_t *rules, unsigned n, const char *name,
    size_t len)
{
    int          inner;
    size_t       size;
    unsigned     i, j, slot;
    const char  *suffix;

    slot = 0;

    for (i = 0; i < n; slot += slots_of(&rules[i]), i++) {

        size = strlen(rules[i].name);

        if (slots_of(&rules[i]) == 0 || len < size
            || memcmp(rules[i].name, name, size) != 0)
        {
            continue;
        }

        if (len == size) {
            return (int) slot;
        }

        if (name[size] != '.') {
            continue;
        }

        suffix = name + size + 1;
        size = len - size - 1;

        if (rules[i].type == EZW_FIELD_NAME) {
            for (j = NAME_FULL; j <= NAME_LAST; j++) {
                if (strlen(ezw_fields_name_parts[j]) == size
                    && memcmp(ezw_fields_name_parts[j], suffix, size) == 0)
                {
                    return (int) (slot + j);
                }
            }

        } else if (rules[i].type == EZW_FIELD_MESSAGE) {
            for (j = EZW_MESSAGE_TYPE; j < EZW_MESSAGE_PARTS; j++) {
                if (strlen(ezw_message_parts[j]) == size
                    && memcmp(ezw_message_parts[j], suffix, size) == 0)
                {
                    return (int) (slot + j);
                }
            }

        } else if (rules[i].type == EZW_FIELD_COMPONENTS) {
            if (size == 10 && memcmp(suffix, "parameters", 10) == 0) {
                return (int) slot + 1;
            }

        } else if (rules[i].type == EZW_FIELD_OBJECT) {
            inner = ezw_fields_slot(rules[i].fields, rules[i].nfields, suffix,
                                    size);

            if (inner >= 0) {
                return (int) slot + 1 + inner;
            }
        }
    }

    return -1;
}


/* Parses a body; *body is the caller's to decref.  EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
int
ezw_fields_parse(const unsigned char *p, size_t len, json_t **body,
    ezw_invalid_t *why)
{
    json_t        *v;
    json_error_t   error;

    *body = NULL;

    if (len == 0) {
        return ezw_invalid(why, VALIDATION, "",
                           "Body must be a JSON object");
    }

    /* the parser checks UTF-8 itself, inside of strings and out */

    if (ezw_json_depth(p, len) > MAX_DEPTH) {
        return ezw_invalid(why, VALIDATION, "", "Body is nested too deeply");
    }

    memset(&error, 0, sizeof(error));

    v = json_loadb((const char *) p, len,
                   JSON_REJECT_DUPLICATES|JSON_DECODE_ANY, &error);

    if (v == NULL) {

        switch (json_error_code(&error)) {

        case json_error_out_of_memory:
            return EZW_ERROR;

        case json_error_duplicate_key:
            return ezw_invalid(why, VALIDATION, "",
                               "Body has a duplicate key");

        case json_error_invalid_utf8:
            return ezw_invalid(why, VALIDATION, "",
                               "Body is not valid UTF-8");

        case json_error_stack_overflow:
            return ezw_invalid(why, VALIDATION, "",
                               "Body is nested too deeply");

        case json_error_null_character:
        case json_error_null_byte_in_key:
            return ezw_invalid(why, VALIDATION, "",
                               "Body must not contain \\u0000");

        default:
            break;
        }

        if (error.text[0] == '\0') {
            /* the parser has nothing to say when malloc() failed */
            return EZW_ERROR;
        }

        return ezw_invalid(why, VALIDATION, "",
                           "Body is not valid JSON (line %d, column %d)",
                           error.line, error.column);
    }

    if (!json_is_object(v)) {
        json_decref(v);

        return ezw_invalid(why, VALIDATION, "",
                           "Body must be a JSON object");
    }

    *body = v;

    return EZW_OK;
}


/* Checks a body and fills values; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_fields_check(const ezw_fields_conf_t *conf, const ezw_field_t *rules,
    unsigned n, const json_t *body, ezw_value_t *values, ezw_invalid_t *why)
{
    int      rc;
    json_t  *message;

    clear(values, ezw_fields_slots(rules, n));

    rc = find_message(conf, rules, n, body, &message);

    if (rc != EZW_OK) {
        return rc;
    }

    rc = check_fields(conf, "", rules, n, body, message, values, why);

    json_decref(message);

    return rc;
}


/* Checks the fields of an object, whose names in errors begin with prefix;
 * message: what the body itself is, or NULL.  EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
static int
check_fields(const ezw_fields_conf_t *conf, const char *prefix,
    const ezw_field_t *rules, unsigned n, const json_t *object,
    const json_t *message, ezw_value_t *values, ezw_invalid_t *why)
{
    int            rc;
    char           name[sizeof(why->field)];
    unsigned       i, j, slot, slots;
    ezw_field_t    rule;
    const json_t  *v;

    if (conf->strict && message == NULL) {
        rc = refuse_unknown(prefix, rules, n, object, why);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    slot = 0;

    for (i = 0; i < n; slot += slots_of(&rules[i]), i++) {
        rule = rules[i];
        slots = slots_of(&rule);

        if (slots == 0 || ((rule.flags & EZW_OWNER) && !conf->owner)) {
            continue;
        }

        v = json_object_get(object, rule.name);

        if (*prefix != '\0') {
            snprintf(name, sizeof(name), "%s.%s", prefix, rule.name);
            rule.name = name;
        }

        if (v == NULL && message != NULL && (rule.flags & EZW_BARE)) {
            rc = ezw_message_check(conf, message,
                                   media_of(rules, n, object), "",
                                   &values[slot], why);

        } else if (v == NULL) {
            rc = (rule.flags & EZW_REQUIRED)
                 ? ezw_fields_value_refuse(&rule, "is required", why) : EZW_OK;

            slots = 0;

        } else if ((rule.flags & EZW_READ_BACK)
                   && ezw_fields_form_is_fingerprint(v))
        {
            rc = EZW_OK;
            slots = 0;

        } else if (json_is_null(v)) {

            if (rule.flags & EZW_NULLABLE) {
                rc = EZW_OK;

            } else if (rule.type == EZW_FIELD_MAP
                       || rule.type == EZW_FIELD_HEADERS)
            {
                ezw_fields_value_set_literal(&values[slot], "{}");
                rc = EZW_OK;

            } else {
                rc = ezw_fields_value_refuse(&rule, "must not be null", why);
            }

        } else if (rule.type == EZW_FIELD_MESSAGE) {
            rc = ezw_message_check(conf, v, media_of(rules, n, object),
                                   rule.name, &values[slot], why);

        } else if (rule.type == EZW_FIELD_OBJECT) {
            rc = check_object(conf, &rule, v, &values[slot], why);
            slots = 1;

        } else {
            rc = ezw_fields_value_check(conf, &rule, v, &values[slot], why);
        }

        if (rc != EZW_OK) {
            return rc;
        }

        for (j = 0; j < slots; j++) {
            values[slot + j].present = 1;
        }
    }

    return EZW_OK;
}


/* Checks an object of fields, its own value and theirs; EZW_OK, EZW_INVALID
 * or EZW_ERROR. */
static int
check_object(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *values, ezw_invalid_t *why)
{
    if (!json_is_object(v)) {
        return ezw_fields_value_refuse(rule, "must be an object", why);
    }

    ezw_fields_value_set_literal(&values[0], "t");

    return check_fields(conf, rule->name, rule->fields, rule->nfields, v, NULL,
                        &values[1], why);
}


/* No field has been seen yet. */
static void
clear(ezw_value_t *values, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        values[i].data = NULL;
        values[i].len = 0;
        values[i].present = 0;
    }
}


/* Checks a query string and fills values; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_fields_query(const ezw_fields_conf_t *conf, const ezw_field_t *rules,
    unsigned n, const ezw_str_t *query, ezw_value_t *values,
    ezw_invalid_t *why)
{
    int                   rc;
    char                 *buf;
    unsigned              i, slot, slots;
    ezw_str_t             raw, name, value;
    const ezw_field_t    *rule;
    const unsigned char  *p, *end, *next, *equals;

    clear(values, ezw_fields_slots(rules, n));

    buf = NULL;
    p = query->data;
    end = p + query->len;

    for ( ; p < end; p = next + 1) {

        next = memchr(p, '&', end - p);

        if (next == NULL) {
            next = end;
        }

        if (next == p) {
            continue;
        }

        if (buf == NULL) {
            /* a decoded pair lies where it lay in the query; its '=' and '&'
             * are the room for the NULs */

            buf = conf->alloc->alloc(conf->alloc->ctx, query->len + 1);

            if (buf == NULL) {
                return EZW_ERROR;
            }
        }

        equals = memchr(p, '=', next - p);

        if (equals == NULL) {
            equals = next;
        }

        raw.data = (unsigned char *) p;
        raw.len = equals - p;
        name.data = (unsigned char *) buf + (p - query->data);
        rc = ezw_uri_decode(&name, &raw, EZW_URI_SLASH);

        value.data = (unsigned char *) buf + (next - query->data);
        value.len = 0;

        if (rc == EZW_OK && equals < next) {
            raw.data = (unsigned char *) equals + 1;
            raw.len = next - equals - 1;
            value.data = (unsigned char *) buf + (equals + 1 - query->data);
            rc = ezw_uri_decode(&value, &raw, EZW_URI_SLASH);
        }

        if (rc != EZW_OK) {
            return ezw_invalid(why, VALIDATION, "",
                               "Query is not valid percent-encoded UTF-8");
        }

        slot = 0;

        for (i = 0; i < n; i++) {
            rule = &rules[i];

            if (strlen(rule->name) == name.len
                && memcmp(rule->name, name.data, name.len) == 0)
            {
                break;
            }

            slot += slots_of(rule);
        }

        if (i == n) {

            if (conf->strict) {
                /* the '=' or '&' behind it, or the end, is no longer needed */
                name.data[name.len] = '\0';

                return ezw_invalid(why, VALIDATION, (char *) name.data,
                                   "Unknown field: %s", (char *) name.data);
            }

            continue;
        }

        if (slots_of(rule) == 0) {
            continue;
        }

        if (values[slot].present) {
            return ezw_fields_value_refuse(rule, "is given twice", why);
        }

        value.data[value.len] = '\0';

        rc = ezw_fields_value_check_query(conf, rule, &value, &values[slot],
                                          why);

        if (rc != EZW_OK) {
            return rc;
        }

        values[slot].present = 1;
    }

    slot = 0;

    for (i = 0; i < n; i++) {
        slots = slots_of(&rules[i]);

        if (slots > 0 && !values[slot].present
            && (rules[i].flags & EZW_REQUIRED))
        {
            return ezw_fields_value_refuse(&rules[i], "is required", why);
        }

        slot += slots;
    }

    return EZW_OK;
}


/* Slots of one rule. */
static unsigned
slots_of(const ezw_field_t *rule)
{
    switch (rule->type) {

    case EZW_FIELD_MEDIA:
    case EZW_FIELD_READONLY:
        return 0;

    case EZW_FIELD_NAME:
        return 3;

    case EZW_FIELD_MESSAGE:
        return EZW_MESSAGE_PARTS;

    case EZW_FIELD_COMPONENTS:
        return 2;

    case EZW_FIELD_OBJECT:
        return 1 + ezw_fields_slots(rule->fields, rule->nfields);

    default:
        return 1;
    }
}


/* When the body itself is the message: *message is a reference to it, or when
 * strict to a copy without the names of the other rules, so that what is left
 * is the message's alone.  Else *message is NULL.  EZW_OK or EZW_ERROR. */
static int
find_message(const ezw_fields_conf_t *conf, const ezw_field_t *rules,
    unsigned n, const json_t *body, json_t **message)
{
    unsigned  i;

    *message = NULL;

    for (i = 0; i < n; i++) {
        if (rules[i].type == EZW_FIELD_MESSAGE && (rules[i].flags & EZW_BARE))
        {
            break;
        }
    }

    if (i == n || json_object_get(body, rules[i].name) != NULL
        || json_object_get(body, "type") == NULL)
    {
        return EZW_OK;
    }

    if (!conf->strict) {
        *message = json_incref((json_t *) body);
        return EZW_OK;
    }

    *message = json_copy((json_t *) body);

    if (*message == NULL) {
        return EZW_ERROR;
    }

    for (i = 0; i < n; i++) {
        json_object_del(*message, rules[i].name);
    }

    return EZW_OK;
}


/* The media that stands beside a message in an object, NULL: none. */
static const json_t *
media_of(const ezw_field_t *rules, unsigned n, const json_t *object)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (rules[i].type == EZW_FIELD_MEDIA) {
            return json_object_get(object, rules[i].name);
        }
    }

    return NULL;
}


/* EZW_INVALID for a name in an object that no rule knows. */
static int
refuse_unknown(const char *prefix, const ezw_field_t *rules, unsigned n,
    const json_t *object, ezw_invalid_t *why)
{
    char         field[1024];
    void        *iter;
    json_t      *o;
    unsigned     i;
    const char  *key;

    o = (json_t *) object;

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);

        for (i = 0; i < n; i++) {
            if (strcmp(rules[i].name, key) == 0) {
                break;
            }
        }

        if (i == n) {
            snprintf(field, sizeof(field), "%s%s%s", prefix,
                     *prefix != '\0' ? "." : "", key);

            return ezw_invalid(why, VALIDATION, field, "Unknown field: %s",
                               field);
        }
    }

    return EZW_OK;
}

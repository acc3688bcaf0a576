/*
 * A person's name, given whole or in parts: always three values, full, first
 * and last.
 */

#include <stdio.h>

#include "ezw_fields_value.h"


const char *const  ezw_fields_name_parts[] = {
    "fullName", "firstName", "lastName"
};


static int check_name_object(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *values,
    ezw_invalid_t *why);
static void split_name(const ezw_str_t *full, ezw_str_t *first,
    ezw_str_t *last);
static ezw_str_t trim(const char *p, size_t len);
static int is_space(unsigned char c);


/* Checks a person's name and fills its three values; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
int
ezw_fields_name_check(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *values, ezw_invalid_t *why)
{
    int        rc;
    ezw_str_t  full, first, last;

    if (json_is_object(v)) {
        return check_name_object(conf, rule, v, values, why);
    }

    if (!json_is_string(v)) {
        return ezw_fields_value_refuse(rule, "must be a string", why);
    }

    full = trim(json_string_value(v), json_string_length(v));

    rc = ezw_fields_value_check_length(rule->name, 1, rule->max,
                                       (char *) full.data, full.len, why);

    if (rc != EZW_OK) {
        return rc;
    }

    split_name(&full, &first, &last);

    if (ezw_fields_value_set(conf, &values[NAME_FULL], full.data, full.len)
        != EZW_OK
        || ezw_fields_value_set(conf, &values[NAME_FIRST], first.data,
                                first.len)
           != EZW_OK
        || ezw_fields_value_set(conf, &values[NAME_LAST], last.data, last.len)
           != EZW_OK)
    {
        return EZW_ERROR;
    }

    return EZW_OK;
}


/* The same for {"fullName","firstName","lastName"}: parts that are given stay
 * as they are, those that are not come out of a given full name. */
static int
check_name_object(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *values, ezw_invalid_t *why)
{
    int            rc;
    char           field[sizeof(why->field)], *joined;
    unsigned       i, nulls;
    ezw_str_t      part[3], split[3], full, first, last;
    const json_t  *given[3];

    if (conf->strict) {
        rc = ezw_fields_value_refuse_unknown(rule, v, ezw_fields_name_parts,
                                             3, why);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    nulls = 0;

    for (i = NAME_FULL; i <= NAME_LAST; i++) {
        given[i] = json_object_get(v, ezw_fields_name_parts[i]);
        part[i].data = NULL;
        part[i].len = 0;

        if (given[i] == NULL) {
            continue;
        }

        if (json_is_null(given[i])) {
            nulls++;
            continue;
        }

        snprintf(field, sizeof(field), "%s.%s", rule->name,
                 ezw_fields_name_parts[i]);

        if (!json_is_string(given[i])) {
            return ezw_invalid(why, VALIDATION, field, "%s must be a string",
                               field);
        }

        part[i].data = (unsigned char *) json_string_value(given[i]);
        part[i].len = json_string_length(given[i]);

        rc = ezw_fields_value_check_length(field, 0,
                                           (i == NAME_FULL) ? 0 : rule->max,
                                           (char *) part[i].data, part[i].len,
                                           why);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    if (part[NAME_FULL].data != NULL) {
        full = trim((char *) part[NAME_FULL].data, part[NAME_FULL].len);

        split_name(&full, &split[NAME_FIRST], &split[NAME_LAST]);

        for (i = NAME_FIRST; i <= NAME_LAST; i++) {
            if (given[i] == NULL) {
                part[i] = split[i];
            }
        }

    } else if (part[NAME_FIRST].data == NULL && part[NAME_LAST].data == NULL) {

        if (nulls > 0) {
            return (rule->flags & EZW_NULLABLE)
                   ? EZW_OK
                   : ezw_fields_value_refuse(rule, "must not be null", why);
        }

        full = trim("", 0);

    } else {
        first = trim((char *) part[NAME_FIRST].data, part[NAME_FIRST].len);
        last = trim((char *) part[NAME_LAST].data, part[NAME_LAST].len);

        joined = conf->alloc->alloc(conf->alloc->ctx,
                                    first.len + last.len + 2);

        if (joined == NULL) {
            return EZW_ERROR;
        }

        snprintf(joined, first.len + last.len + 2, "%.*s %.*s",
                 (int) first.len, (char *) first.data,
                 (int) last.len, (char *) last.data);

        full = trim(joined, first.len + last.len + 1);
    }

    rc = ezw_fields_value_check_length(rule->name, 1, rule->max,
                                       (char *) full.data, full.len, why);

    if (rc != EZW_OK) {
        return rc;
    }

    part[NAME_FULL] = full;

    for (i = NAME_FULL; i <= NAME_LAST; i++) {
        rc = ezw_fields_value_set(conf, &values[i], part[i].data, part[i].len);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    return EZW_OK;
}


/* First token and the rest of a trimmed name; last->data is NULL when there is
 * no rest. */
static void
split_name(const ezw_str_t *full, ezw_str_t *first, ezw_str_t *last)
{
    size_t  i;

    for (i = 0; i < full->len && !is_space(full->data[i]); i++) {
        /* void */
    }

    first->data = full->data;
    first->len = i;

    while (i < full->len && is_space(full->data[i])) {
        i++;
    }

    last->data = (i < full->len) ? full->data + i : NULL;
    last->len = full->len - i;
}


/* The text without ASCII white space at its ends. */
static ezw_str_t
trim(const char *p, size_t len)
{
    ezw_str_t  s;

    s.data = (unsigned char *) (p != NULL ? p : "");
    s.len = (p != NULL) ? len : 0;

    while (s.len > 0 && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }

    while (s.len > 0 && is_space(s.data[s.len - 1])) {
        s.len--;
    }

    return s;
}


/* 1 for ASCII white space. */
static int
is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * The inside of ezw_fields: checks of single values.  Included by
 * ezw_fields*.c, ezw_message*.c and ezw_template.c only.
 *
 * Every value is ended by a NUL that its length does not count, because libpq
 * takes text parameters so, and outlives what it was checked from.  Unless it
 * says otherwise, a check returns EZW_OK with the value set, EZW_INVALID with
 * *why naming the field, or EZW_ERROR: no memory.
 */

#ifndef EZW_FIELDS_VALUE_H
#define EZW_FIELDS_VALUE_H

#include "ezw_fields.h"
#include "ezw_json.h"

#define VALIDATION     1005      /* code of every refusal */
#define MAX_JID        512       /* bytes */

/* The slots of a name, in their order. */
#define NAME_FULL      0
#define NAME_FIRST     1
#define NAME_LAST      2

extern const char *const  ezw_fields_name_parts[];

/* Checks a value that is not null; fills the rule's slots. */
int ezw_fields_value_check(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);

/* Checks a value of a query: decoded, ended by NUL, in memory that stays, as
 * the value may point to it.  EZW_ERROR too for a rule that no query can
 * have. */
int ezw_fields_value_check_query(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, ezw_str_t *s, ezw_value_t *value,
    ezw_invalid_t *why);

/* Checks a name, a string or an object, and fills its three values. */
int ezw_fields_name_check(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *values,
    ezw_invalid_t *why);

/* A number in decimal; a map as a JSON object; any value as JSON. */
int ezw_fields_json_check_number(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);
int ezw_fields_json_check_map(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);

int ezw_fields_json_check(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);

/* An array of strings, of some out of a list, of jids, networks or an API key's
 * objects, as a JSON array. */
int ezw_fields_list_check(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);

/* A string that has one form of several: time, e-mail address, key, uuid. */
int ezw_fields_form_check(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);

/* A URL; the headers of a request that is made for the caller. */
int ezw_fields_http_check(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);

/* 1 for what reads tell of a key (EZW_READ_BACK). */
int ezw_fields_form_is_fingerprint(const json_t *v);

/* A text that grows in the allocator's memory, up to a limit. */
typedef struct {
    ezw_writer_t          w;
    const ezw_alloc_t    *alloc;
    unsigned char        *start;
    size_t                limit;      /* bytes, 0: none */
    unsigned              too_long:1;
} ezw_fields_text_t;

void ezw_fields_text_init(ezw_fields_text_t *t, const ezw_alloc_t *alloc,
    size_t limit);
/* Makes room for len bytes, of a text that is empty still.  EZW_OK or
 * EZW_ERROR. */
int ezw_fields_text_reserve(ezw_fields_text_t *t, size_t len);
/* Sets a text that is not empty.  EZW_OK or EZW_ERROR. */
int ezw_fields_text_finish(ezw_fields_text_t *t, ezw_value_t *value);

/* Checks a text's characters, of which none may be U+0000; max 0: no bound.
 * EZW_OK or EZW_INVALID. */
int ezw_fields_value_check_length(const char *field, int64_t min, int64_t max,
    const char *p, size_t len, ezw_invalid_t *why);

/* Checks that a string is one of the rule's values.  EZW_OK or EZW_INVALID. */
int ezw_fields_value_check_enum(const ezw_field_t *rule, const char *p,
    size_t len, ezw_invalid_t *why);

/* EZW_INVALID for a name in a rule's object that is none of known[n]. */
int ezw_fields_value_refuse_unknown(const ezw_field_t *rule,
    const json_t *object, const char *const *known, unsigned n,
    ezw_invalid_t *why);

/* EZW_INVALID: "<name> <what>". */
int ezw_fields_value_refuse(const ezw_field_t *rule, const char *what,
    ezw_invalid_t *why);

/* Sets a copy of p; NULL stays NULL.  EZW_OK or EZW_ERROR. */
int ezw_fields_value_set(const ezw_fields_conf_t *conf, ezw_value_t *value,
    const void *p, size_t len);

/* Sets a constant, which is not copied. */
void ezw_fields_value_set_literal(ezw_value_t *value, const char *literal);

#endif

/*
 * A message walked by its tables: each value is checked and written in one
 * pass, in the order of the tables.  Which tables there are is not known here.
 */

#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "ezw_message_rule.h"


static int write_member(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *object);
static int write_absent(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *object);
static int write_known(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int write_string(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int write_number(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int write_integer(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int write_enum(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int write_object(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int write_array(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int write_choice(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int write_text(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);
static int refuse(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const char *what);
static int refuse_count(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const char *what, int64_t n);
static int refuse_other(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule);
static int is_same(const json_t *v, const char *name, unsigned flags);
static int is_digits(const json_t *v);
static void lengthen(ezw_message_walk_t *walk, const char *p, size_t len);


/* Writes an object's members by their rules. */
int
ezw_message_walk_object(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rules, const json_t *object)
{
    int                        rc;
    const ezw_message_rule_t  *rule;

    if (walk->conf->strict) {
        rc = ezw_message_refuse_unknown(walk, rules, object);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    ezw_json_literal(&walk->text.w, "{");

    for (rule = rules; rule->name != NULL; rule++) {

        rc = (rule->type == EZW_RULE_WRITTEN) ? rule->write(walk, object)
                                              : write_member(walk, rule,
                                                             object);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    ezw_json_literal(&walk->text.w, "}");

    return EZW_OK;
}


/* Writes a value that is not null, and checks what else holds of it. */
int
ezw_message_walk_value(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v)
{
    int     rc;
    size_t  path_len;

    if (rule->text != NULL && json_is_string(v)) {
        return write_text(walk, rule, v);
    }

    path_len = walk->path_len;

    if ((rule->flags & EZW_RULE_SINGLE) && json_is_array(v)) {

        if (json_array_size(v) != 1) {
            return refuse(walk, rule, "must have one element");
        }

        v = json_array_get(v, 0);
        (void) ezw_message_enter_element(walk, 0);
    }

    rc = write_known(walk, rule, v);

    if (rc == EZW_OK && rule->check != NULL) {
        rc = rule->check(walk, v);
    }

    ezw_message_leave(walk, path_len);

    return rc;
}


/* The table for a type, NULL: none. */
const ezw_message_choice_t *
ezw_message_choose(const ezw_message_choice_t *choices, unsigned flags,
    const json_t *type)
{
    const ezw_message_choice_t  *choice;

    for (choice = choices; choice->name != NULL; choice++) {
        if (is_same(type, choice->name, flags)
            || (choice->alias != NULL && is_same(type, choice->alias, flags)))
        {
            return choice;
        }
    }

    return NULL;
}


/* Appends "name": to what is written. */
void
ezw_message_walk_name(ezw_message_walk_t *walk, const char *name)
{
    ezw_writer_t  *w;

    w = &walk->text.w;

    if (!w->failed && w->pos[-1] != '{') {
        ezw_json_literal(w, ",");
    }

    ezw_json_string(w, name, strlen(name));
    ezw_json_literal(w, ":");
}


/* Lets the path end in a member's name; returns its length before. */
size_t
ezw_message_enter(ezw_message_walk_t *walk, const char *name)
{
    size_t  path_len;

    path_len = walk->path_len;

    if (path_len > 0) {
        lengthen(walk, ".", 1);
    }

    lengthen(walk, name, strlen(name));

    return path_len;
}


/* Lets the path end in an element's number; returns its length before. */
size_t
ezw_message_enter_element(ezw_message_walk_t *walk, size_t i)
{
    char    text[16];
    size_t  path_len;

    path_len = walk->path_len;

    snprintf(text, sizeof(text), "[%u]", (unsigned) i);
    lengthen(walk, text, strlen(text));

    return path_len;
}


/* Gives the path back the length that it had. */
void
ezw_message_leave(ezw_message_walk_t *walk, size_t path_len)
{
    walk->path_len = path_len;
    walk->path[path_len] = '\0';
}


/* Appends to the path, for each member of every message; the tables are not as
 * deep as it is long, but a walk must not depend on it. */
static void
lengthen(ezw_message_walk_t *walk, const char *p, size_t len)
{
    if (len >= sizeof(walk->path) - walk->path_len) {
        len = sizeof(walk->path) - walk->path_len - 1;
    }

    memcpy(walk->path + walk->path_len, p, len);
    walk->path_len += len;
    walk->path[walk->path_len] = '\0';
}


/* Refuses what the path names. */
int
ezw_message_refuse(ezw_message_walk_t *walk, int code, const char *what)
{
    return ezw_invalid(walk->why, code, walk->path, "%s %s", walk->path, what);
}


/* Refuses a member of what the path names. */
int
ezw_message_refuse_member(ezw_message_walk_t *walk, const char *name,
    const char *what)
{
    int     rc;
    size_t  path_len;

    path_len = ezw_message_enter(walk, name);
    rc = ezw_message_refuse(walk, VALIDATION, what);
    ezw_message_leave(walk, path_len);

    return rc;
}


/* A member that is there and not null. */
const json_t *
ezw_message_member(const json_t *object, const char *name, const char *alias)
{
    const json_t  *v;

    v = json_object_get(object, name);

    if (v == NULL && alias != NULL) {
        v = json_object_get(object, alias);
    }

    return json_is_null(v) ? NULL : v;
}


/* A number, or the number that digits write. */
int64_t
ezw_message_integer(const json_t *v)
{
    int64_t      n;
    const char  *p;

    if (!json_is_string(v)) {
        return json_integer_value(v);
    }

    n = 0;

    for (p = json_string_value(v); *p != '\0'; p++) {
        n = n * 10 + (*p - '0');
    }

    return n;
}


/* Writes one member of an object, under its name or its alias there. */
static int
write_member(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *object)
{
    int            rc;
    size_t         path_len;
    const char    *name;
    const json_t  *v;

    switch (rule->type) {

    case EZW_RULE_CHOSEN:
        ezw_message_walk_name(walk, rule->name);
        ezw_json_string(&walk->text.w, walk->chosen->name,
                        strlen(walk->chosen->name));
        return EZW_OK;

    case EZW_RULE_IGNORED:
        return EZW_OK;

    default:
        break;
    }

    name = rule->name;
    v = json_object_get(object, name);

    if (v == NULL && rule->alias != NULL
        && json_object_get(object, rule->alias) != NULL)
    {
        name = rule->alias;
        v = json_object_get(object, name);
    }

    path_len = ezw_message_enter(walk, name);

    if (v != NULL && !json_is_null(v)) {

        if (rule->type != EZW_RULE_LATER && rule->type != EZW_RULE_REFUSED) {
            ezw_message_walk_name(walk, rule->name);
        }

        rc = ezw_message_walk_value(walk, rule, v);

    } else if (rule->flags & EZW_RULE_REQUIRED) {
        rc = refuse(walk, rule,
                    v == NULL ? "is required" : "must not be null");

    } else {
        rc = write_absent(walk, rule, object);
    }

    ezw_message_leave(walk, path_len);

    return rc;
}


/* Writes what a member is when it is not there, which may be nothing. */
static int
write_absent(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *object)
{
    const json_t              *v;
    const ezw_message_rule_t  *other;

    if (rule->fallback != NULL) {

        for (other = rule; strcmp(other->name, rule->fallback) != 0; other--) {
            /* it stands before in the table, as in the alphabet */
        }

        v = ezw_message_member(object, other->name, other->alias);

        if (v != NULL) {
            ezw_message_walk_name(walk, rule->name);
            return ezw_message_walk_value(walk, rule, v);
        }

    } else if (rule->absent != NULL && rule->type == EZW_RULE_ENUM) {
        ezw_message_walk_name(walk, rule->name);
        ezw_json_string(&walk->text.w, rule->absent, strlen(rule->absent));
    }

    return EZW_OK;
}


/* Writes a value by the type of its rule. */
static int
write_known(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    switch (rule->type) {

    case EZW_RULE_STRING:
        return write_string(walk, rule, v);

    case EZW_RULE_NUMBER:
        return write_number(walk, rule, v);

    case EZW_RULE_INTEGER:
        return write_integer(walk, rule, v);

    case EZW_RULE_ENUM:
        return write_enum(walk, rule, v);

    case EZW_RULE_OBJECT:
        return write_object(walk, rule, v);

    case EZW_RULE_CHOICE:
        return write_choice(walk, rule, v);

    case EZW_RULE_OBJECTS:
    case EZW_RULE_CHOICES:
        return write_array(walk, rule, v);

    case EZW_RULE_LATER:
        return refuse(walk, rule, "is not served yet");

    case EZW_RULE_REFUSED:
        return refuse(walk, rule, "has no place here");

    case EZW_RULE_CHOSEN:
    case EZW_RULE_WRITTEN:
    case EZW_RULE_IGNORED:
        break;
    }

    return EZW_OK;
}


static int
write_string(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    int          rc;
    size_t       len;
    const char  *p;

    if (!json_is_string(v)) {
        return refuse(walk, rule, "must be a string");
    }

    p = json_string_value(v);
    len = json_string_length(v);

    rc = ezw_fields_value_check_length(walk->path, rule->min, rule->max, p,
                                       len, walk->why);

    if (rc != EZW_OK) {
        if (rule->flags & EZW_RULE_MEDIA) {
            walk->why->code = BAD_MEDIA;
        }

        return rc;
    }

    ezw_json_string(&walk->text.w, p, len);

    return EZW_OK;
}


static int
write_number(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    double  n;

    n = json_number_value(v);

    if (!json_is_number(v) || !isfinite(n)) {
        return refuse(walk, rule, "must be a number");
    }

    if (n < (double) rule->min || n > (double) rule->max) {
        return ezw_invalid(walk->why, VALIDATION, walk->path,
                           "%s must be between %lld and %lld", walk->path,
                           (long long) rule->min, (long long) rule->max);
    }

    if (json_is_integer(v)) {
        ezw_json_int(&walk->text.w, json_integer_value(v));

    } else {
        ezw_json_double(&walk->text.w, n);
    }

    return EZW_OK;
}


static int
write_integer(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    int64_t  n;

    if (!json_is_integer(v)
        && !((rule->flags & EZW_RULE_DIGITS) && is_digits(v)))
    {
        return refuse(walk, rule, "must be an integer");
    }

    n = ezw_message_integer(v);

    if (n < rule->min || n > rule->max) {
        return ezw_invalid(walk->why, VALIDATION, walk->path,
                           "%s must be between %lld and %lld", walk->path,
                           (long long) rule->min, (long long) rule->max);
    }

    ezw_json_int(&walk->text.w, n);

    return EZW_OK;
}


static int
write_enum(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    const char *const  *s;

    if (!json_is_string(v)) {
        return refuse(walk, rule, "must be a string");
    }

    for (s = rule->values; *s != NULL; s++) {
        if (is_same(v, *s, rule->flags)) {
            ezw_json_string(&walk->text.w, *s, strlen(*s));
            return EZW_OK;
        }
    }

    return refuse_other(walk, rule);
}


static int
write_object(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    if (!json_is_object(v)) {
        return refuse(walk, rule, "must be an object");
    }

    return ezw_message_walk_object(walk, rule->rules, v);
}


static int
write_array(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    int            rc;
    size_t         i, n, path_len;
    const json_t  *element;

    if (!json_is_array(v)) {
        return refuse(walk, rule, "must be an array of objects");
    }

    n = json_array_size(v);

    if ((int64_t) n < rule->min) {
        return refuse_count(walk, rule, "few elements: at least", rule->min);
    }

    if ((int64_t) n > rule->max) {
        return refuse_count(walk, rule, "many elements: at most", rule->max);
    }

    ezw_json_literal(&walk->text.w, "[");

    for (i = 0; i < n; i++) {

        if (i > 0) {
            ezw_json_literal(&walk->text.w, ",");
        }

        element = json_array_get(v, i);
        path_len = ezw_message_enter_element(walk, i);

        rc = (rule->type == EZW_RULE_OBJECTS)
             ? write_object(walk, rule, element)
             : write_choice(walk, rule, element);

        if (rc != EZW_OK) {
            return rc;
        }

        ezw_message_leave(walk, path_len);
    }

    ezw_json_literal(&walk->text.w, "]");

    return EZW_OK;
}


/* Writes an object by the table that its type chooses. */
static int
write_choice(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    int                          rc;
    size_t                       path_len;
    const json_t                *type;
    const ezw_message_choice_t  *choice, *chosen;

    if (!json_is_object(v)) {
        return refuse(walk, rule, "must be an object");
    }

    type = json_object_get(v, "type");
    choice = NULL;

    if (type == NULL && rule->absent != NULL) {
        for (choice = rule->choices; strcmp(choice->name, rule->absent) != 0;
             choice++)
        {
            /* it is among them */
        }

    } else if (json_is_string(type)) {
        choice = ezw_message_choose(rule->choices, rule->flags, type);
    }

    if (choice == NULL) {
        path_len = ezw_message_enter(walk, "type");

        rc = (type == NULL) ? refuse(walk, rule, "is required")
             : json_is_string(type) ? refuse_other(walk, rule)
             : refuse(walk, rule, "must be a string");

        ezw_message_leave(walk, path_len);

        return rc;
    }

    chosen = walk->chosen;
    walk->chosen = choice;

    rc = ezw_message_walk_object(walk, choice->rules, v);

    walk->chosen = chosen;

    return rc;
}


/* Writes a string where an object may be: {text: string}. */
static int
write_text(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const json_t *v)
{
    int      rc;
    json_t  *object;

    object = json_object();

    if (object == NULL
        || json_object_set(object, rule->text, (json_t *) v) != 0)
    {
        json_decref(object);
        return EZW_ERROR;
    }

    rc = ezw_message_walk_value(walk, rule, object);

    json_decref(object);

    return rc;
}


/* EZW_INVALID for a name that no rule knows. */
int
ezw_message_refuse_unknown(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rules, const json_t *object)
{
    char                       field[1024];
    void                      *iter;
    json_t                    *o;
    const char                *key;
    const ezw_message_rule_t  *rule;

    o = (json_t *) object;

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);

        for (rule = rules; rule->name != NULL; rule++) {
            if (strcmp(rule->name, key) == 0
                || (rule->alias != NULL && strcmp(rule->alias, key) == 0))
            {
                break;
            }
        }

        if (rule->name == NULL) {
            snprintf(field, sizeof(field), "%s%s%s", walk->path,
                     walk->path_len > 0 ? "." : "", key);

            return ezw_invalid(walk->why, VALIDATION, field,
                               "Unknown field: %s", field);
        }
    }

    return EZW_OK;
}


/* Refuses what the path names, by the rule's code. */
static int
refuse(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const char *what)
{
    return ezw_message_refuse(walk, (rule->flags & EZW_RULE_MEDIA)
                                    ? BAD_MEDIA : VALIDATION, what);
}


/* Refuses a number of elements. */
static int
refuse_count(ezw_message_walk_t *walk, const ezw_message_rule_t *rule,
    const char *what, int64_t n)
{
    char  text[64];

    snprintf(text, sizeof(text), "has too %s %lld", what, (long long) n);

    return refuse(walk, rule, text);
}


/* Refuses a string that is none of the rule's, and tells them. */
static int
refuse_other(ezw_message_walk_t *walk, const ezw_message_rule_t *rule)
{
    int                          n;
    char                         text[128];
    size_t                       used;
    const char                  *name, *separator;
    const char *const           *s;
    const ezw_message_choice_t  *choice;

    used = (size_t) snprintf(text, sizeof(text), "must be one of");
    separator = " ";

    s = rule->values;
    choice = rule->choices;

    for ( ;; ) {
        name = (s != NULL) ? *s++ : (choice++)->name;

        if (name == NULL) {
            break;
        }

        n = snprintf(text + used, sizeof(text) - used, "%s%s", separator,
                     name);

        if (n < 0 || (size_t) n >= sizeof(text) - used) {
            break;
        }

        used += (size_t) n;
        separator = ", ";
    }

    text[used] = '\0';

    return refuse(walk, rule, text);
}


/* 1 when a string is the name, in any letter case when folded. */
static int
is_same(const json_t *v, const char *name, unsigned flags)
{
    return json_string_length(v) == strlen(name)
           && ((flags & EZW_RULE_FOLD)
               ? strcasecmp(json_string_value(v), name)
               : strcmp(json_string_value(v), name))
              == 0;
}


/* 1 for a string of 1 to 18 digits. */
static int
is_digits(const json_t *v)
{
    size_t  len;

    len = json_string_length(v);

    return json_is_string(v) && len > 0 && len <= 18
           && strspn(json_string_value(v), "0123456789") == len;
}

/*
 * Values that are lists: of strings and jids, kept as they come, and of
 * networks, an API key's objects and strings out of a list, of which each is
 * kept once.
 */

#include <stdio.h>

#include "ezw_cidr.h"
#include "ezw_fields_value.h"
#include "ezw_id.h"


#define MAX_ELEMENTS  1000      /* of those that are compared with each other,
                                   where the rule has no bound */
#define MAX_NAME      96        /* "objects[12]" */


/* What an API key's objects may be, and which member says which it is. */
typedef struct {
    const char           *type;
    const char           *key;
    unsigned              kind;       /* EZW_JID_*, 0: a uuid */
    const char           *domain;     /* of its jid, NULL: any */
} object_t;


/* A network's text, or an object. */
typedef struct {
    const object_t       *object;
    ezw_str_t             ref;
} element_t;


static const object_t  objects[] = {
    { "CHANNEL",   "jid", EZW_JID_CHANNEL, NULL },
    { "ASSISTANT", "jid", EZW_JID_OTHER,   "ai" },
    { "COMPANY",   "id",  0,               NULL }
};

#define ASSISTANT  (&objects[1])


static int check_strings(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);
static int check_by_rule(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, size_t i, const json_t *element,
    ezw_invalid_t *why);
static int check_least(const ezw_field_t *rule, size_t n, ezw_invalid_t *why);
static int check_enums(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why);
static int check_elements(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);
static int read_network(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, element_t *element,
    ezw_invalid_t *why);
static int read_object(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, element_t *element,
    ezw_invalid_t *why);
static int read_jid(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, element_t *element, ezw_invalid_t *why);
static int read_uuid(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, element_t *element, ezw_invalid_t *why);
static const object_t *find_object(const json_t *type);
static int set_ref(const ezw_fields_conf_t *conf, element_t *element,
    const void *p, size_t len);
static int is_there(const element_t *elements, size_t n,
    const element_t *element);


/* Checks an array and sets it as a JSON array; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
int
ezw_fields_list_check(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    int      single;
    int64_t  max;

    single = (rule->type == EZW_FIELD_CIDRS || rule->type == EZW_FIELD_OBJECTS
              || rule->type == EZW_FIELD_ENUMS);

    if (!json_is_array(v)) {
        return ezw_fields_value_refuse(rule,
                                       rule->type == EZW_FIELD_OBJECTS
                                       ? "must be an array of objects"
                                       : "must be an array of strings",
                                       why);
    }

    max = (rule->max == 0 && single) ? MAX_ELEMENTS : rule->max;

    if (max > 0 && json_array_size(v) > (size_t) max) {
        return ezw_invalid(why, VALIDATION, rule->name,
                           "%s has too many elements: at most %lld",
                           rule->name, (long long) max);
    }

    if (rule->type == EZW_FIELD_ENUMS) {
        return check_enums(conf, rule, v, value, why);
    }

    return single ? check_elements(conf, rule, v, value, why)
                  : check_strings(conf, rule, v, value, why);
}


/* Sets an array of strings or of jids; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
check_strings(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    int                 rc;
    size_t              i, n;
    ezw_jid_t           jid;
    ezw_str_t           src;
    const json_t       *element;
    unsigned char       buf[MAX_JID];
    ezw_fields_text_t   t;

    n = json_array_size(v);

    if (rule->type == EZW_FIELD_STRINGS
        && check_least(rule, n, why) != EZW_OK)
    {
        return EZW_INVALID;
    }

    ezw_fields_text_init(&t, conf->alloc, 0);
    ezw_json_literal(&t.w, "[");

    for (i = 0; i < n; i++) {
        element = json_array_get(v, i);

        if (!json_is_string(element)) {
            return ezw_fields_value_refuse(rule, "must be an array of strings",
                                           why);
        }

        src.data = (unsigned char *) json_string_value(element);
        src.len = json_string_length(element);

        if (rule->type == EZW_FIELD_JIDS) {

            if (src.len > sizeof(buf)
                || ezw_jid_parse(conf->jids, &src, buf, &jid) != EZW_OK
                || (rule->min != 0 && !(jid.kind & (unsigned) rule->min)))
            {
                return ezw_invalid(why, VALIDATION, rule->name,
                                   "Jid is invalid");
            }

            src = jid.jid;

        } else {
            rc = (rule->fields != NULL)
                 ? check_by_rule(conf, rule, i, element, why)
                 : ezw_fields_value_check_length(rule->name, 0, 0,
                                                 (char *) src.data, src.len,
                                                 why);

            if (rc != EZW_OK) {
                return rc;
            }
        }

        if (i > 0) {
            ezw_json_literal(&t.w, ",");
        }

        ezw_json_string(&t.w, src.data, src.len);
    }

    ezw_json_literal(&t.w, "]");

    return ezw_fields_text_finish(&t, value);
}


/* Checks the element at i by the rule that the list has for them; EZW_OK,
 * EZW_INVALID or EZW_ERROR. */
static int
check_by_rule(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    size_t i, const json_t *element, ezw_invalid_t *why)
{
    char         name[MAX_NAME];
    ezw_field_t  single;
    ezw_value_t  value;

    single = rule->fields[0];
    single.name = name;

    snprintf(name, sizeof(name), "%s[%u]", rule->name, (unsigned) i);

    return ezw_fields_value_check(conf, &single, element, &value, why);
}


/* Checks that there are not too few elements; EZW_OK or EZW_INVALID. */
static int
check_least(const ezw_field_t *rule, size_t n, ezw_invalid_t *why)
{
    if ((int64_t) n >= rule->min) {
        return EZW_OK;
    }

    return ezw_invalid(why, VALIDATION, rule->name,
                       "%s has too few elements: at least %lld", rule->name,
                       (long long) rule->min);
}


/* Sets an array of strings out of the rule's, each once, where it stood first;
 * EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
check_enums(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    char                name[MAX_NAME];
    size_t              i, j, n;
    ezw_field_t         single;
    const json_t       *element;
    ezw_fields_text_t   t;

    n = json_array_size(v);

    if (check_least(rule, n, why) != EZW_OK) {
        return EZW_INVALID;
    }

    single = *rule;
    single.name = name;

    ezw_fields_text_init(&t, conf->alloc, 0);
    ezw_json_literal(&t.w, "[");

    for (i = 0; i < n; i++) {
        element = json_array_get(v, i);
        snprintf(name, sizeof(name), "%s[%u]", rule->name, (unsigned) i);

        if (!json_is_string(element)) {
            return ezw_fields_value_refuse(&single, "must be a string", why);
        }

        if (ezw_fields_value_check_enum(&single, json_string_value(element),
                                        json_string_length(element), why)
            != EZW_OK)
        {
            return EZW_INVALID;
        }

        for (j = 0; j < i; j++) {
            if (json_equal(json_array_get(v, j), element)) {
                break;
            }
        }

        if (j < i) {
            continue;
        }

        if (i > 0) {
            ezw_json_literal(&t.w, ",");
        }

        ezw_json_string(&t.w, json_string_value(element),
                        json_string_length(element));
    }

    ezw_json_literal(&t.w, "]");

    return ezw_fields_text_finish(&t, value);
}


/* Sets an array of networks or objects, each once; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
static int
check_elements(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    int                 rc;
    char                name[MAX_NAME];
    size_t              i, n, used;
    unsigned            assistants;
    element_t          *elements;
    ezw_field_t         single;
    ezw_fields_text_t   t;

    n = json_array_size(v);

    if (n == 0) {
        ezw_fields_value_set_literal(value, "[]");
        return EZW_OK;
    }

    elements = conf->alloc->alloc(conf->alloc->ctx, n * sizeof(element_t));

    if (elements == NULL) {
        return EZW_ERROR;
    }

    single = *rule;
    single.name = name;

    used = 0;
    assistants = 0;

    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%s[%u]", rule->name, (unsigned) i);

        rc = (rule->type == EZW_FIELD_CIDRS)
             ? read_network(conf, &single, json_array_get(v, i),
                            &elements[used], why)
             : read_object(conf, &single, json_array_get(v, i),
                           &elements[used], why);

        if (rc != EZW_OK) {
            return rc;
        }

        if (!is_there(elements, used, &elements[used])) {
            assistants += (elements[used].object == ASSISTANT);
            used++;
        }
    }

    if (assistants > 1) {
        return ezw_fields_value_refuse(rule,
                                       "must not have more than one ASSISTANT",
                                       why);
    }

    ezw_fields_text_init(&t, conf->alloc, 0);
    ezw_json_literal(&t.w, "[");

    for (i = 0; i < used; i++) {

        if (i > 0) {
            ezw_json_literal(&t.w, ",");
        }

        if (elements[i].object != NULL) {
            ezw_json_literal(&t.w, "{\"type\":");
            ezw_json_string(&t.w, elements[i].object->type,
                            strlen(elements[i].object->type));
            ezw_json_literal(&t.w, ",\"ref\":");
        }

        ezw_json_string(&t.w, elements[i].ref.data, elements[i].ref.len);

        if (elements[i].object != NULL) {
            ezw_json_literal(&t.w, "}");
        }
    }

    ezw_json_literal(&t.w, "]");

    return ezw_fields_text_finish(&t, value);
}


/* Reads a network's text; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
read_network(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, element_t *element, ezw_invalid_t *why)
{
    ezw_str_t      s;
    ezw_cidr_t     network;
    unsigned char  text[EZW_CIDR_LEN];

    s.len = 0;

    if (json_is_string(v)) {
        s.data = (unsigned char *) json_string_value(v);
        s.len = json_string_length(v);
    }

    if (s.len == 0 || ezw_cidr_parse(&s, &network) != EZW_OK) {
        return ezw_fields_value_refuse(rule, "is no address or network", why);
    }

    element->object = NULL;

    return set_ref(conf, element, text, ezw_cidr_text(text, &network));
}


/* Reads an object and checks what it refers to; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
static int
read_object(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, element_t *element, ezw_invalid_t *why)
{
    int            rc;
    char           name[MAX_NAME + 8];
    ezw_field_t    member;
    const char    *known[2];
    const json_t  *ref, *type;

    if (!json_is_object(v)) {
        return ezw_fields_value_refuse(rule, "must be an object", why);
    }

    member = *rule;
    member.name = name;

    snprintf(name, sizeof(name), "%s.type", rule->name);
    type = json_object_get(v, "type");

    if (type == NULL) {
        return ezw_fields_value_refuse(&member, "is required", why);
    }

    element->object = find_object(type);

    if (element->object == NULL) {
        return ezw_fields_value_refuse(&member,
                                       "must be one of CHANNEL, ASSISTANT, "
                                       "COMPANY", why);
    }

    if (conf->strict) {
        known[0] = "type";
        known[1] = element->object->key;

        rc = ezw_fields_value_refuse_unknown(rule, v, known, 2, why);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    snprintf(name, sizeof(name), "%s.%s", rule->name, element->object->key);
    ref = json_object_get(v, element->object->key);

    if (ref == NULL) {
        return ezw_fields_value_refuse(&member, "is required", why);
    }

    return (element->object->kind != 0)
           ? read_jid(conf, &member, ref, element, why)
           : read_uuid(conf, &member, ref, element, why);
}


/* Reads the jid of an object; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
read_jid(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, element_t *element, ezw_invalid_t *why)
{
    ezw_jid_t        jid;
    ezw_str_t        src;
    const object_t  *object;
    unsigned char    buf[MAX_JID];

    object = element->object;
    src.len = 0;

    if (json_is_string(v)) {
        src.data = (unsigned char *) json_string_value(v);
        src.len = json_string_length(v);
    }

    if (src.len == 0 || src.len > sizeof(buf)
        || ezw_jid_parse(conf->jids, &src, buf, &jid) != EZW_OK
        || !(jid.kind & object->kind)
        || (object->domain != NULL
            && (jid.domain.len != strlen(object->domain)
                || memcmp(jid.domain.data, object->domain, jid.domain.len)
                   != 0)))
    {
        return ezw_invalid(why, VALIDATION, rule->name, "%s: Jid is invalid",
                           rule->name);
    }

    return set_ref(conf, element, jid.jid.data, jid.jid.len);
}


/* Reads the uuid of an object; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
read_uuid(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, element_t *element, ezw_invalid_t *why)
{
    ezw_str_t      s;
    unsigned char  uuid[16], text[EZW_UUID_LEN];

    s.len = 0;

    if (json_is_string(v)) {
        s.data = (unsigned char *) json_string_value(v);
        s.len = json_string_length(v);
    }

    if (s.len == 0 || ezw_uuid_parse(&s, uuid) != EZW_OK) {
        return ezw_fields_value_refuse(rule, "must be a uuid", why);
    }

    ezw_uuid_text(text, uuid);

    return set_ref(conf, element, text, sizeof(text));
}


/* The kind of object that a type names, NULL: none. */
static const object_t *
find_object(const json_t *type)
{
    size_t  i;

    if (!json_is_string(type)) {
        return NULL;
    }

    for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        if (strlen(objects[i].type) == json_string_length(type)
            && strcmp(objects[i].type, json_string_value(type)) == 0)
        {
            return &objects[i];
        }
    }

    return NULL;
}


/* Sets a copy; EZW_OK or EZW_ERROR. */
static int
set_ref(const ezw_fields_conf_t *conf, element_t *element, const void *p,
    size_t len)
{
    element->ref.data = conf->alloc->alloc(conf->alloc->ctx, len);

    if (element->ref.data == NULL) {
        return EZW_ERROR;
    }

    memcpy(element->ref.data, p, len);
    element->ref.len = len;

    return EZW_OK;
}


/* 1 when an element is among the first n. */
static int
is_there(const element_t *elements, size_t n, const element_t *element)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (elements[i].object == element->object
            && elements[i].ref.len == element->ref.len
            && memcmp(elements[i].ref.data, element->ref.data,
                      element->ref.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}

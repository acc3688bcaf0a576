/*
 * One value against its rule: called for each by ezw_fields.c, which knows the
 * slots.  Names are checked in ezw_fields_name.c, what is written anew as JSON
 * in ezw_fields_json.c and ezw_fields_list.c, strings of one form in
 * ezw_fields_form.c, and what is sent to other servers in ezw_fields_http.c;
 * the refusals and copies that all of them make are here.
 */

#include <stdio.h>

#include "ezw_fields_value.h"
#include "ezw_template.h"
#include "ezw_utf8.h"


#define MAX_EMAIL      254


static int check_string(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why);
static int check_text(const ezw_field_t *rule, const char *p, size_t len,
    ezw_invalid_t *why);
static int is_one_of(const char *chars, char c);
static int check_range(const ezw_field_t *rule, int64_t v, ezw_invalid_t *why);
static int check_jid(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    unsigned kinds, const char *p, size_t len, ezw_value_t *value,
    ezw_invalid_t *why);
static int check_assignee(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);
static int parse_integer(ezw_str_t *s, int64_t *v);
static int is_email(const char *p, size_t len);


/* Checks a value that is not null; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_fields_value_check(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    int            rc;
    const json_t  *jid;

    static const char *const  in_ref[] = { "jid" };

    switch (rule->type) {

    case EZW_FIELD_STRING:
    case EZW_FIELD_ENUM:
    case EZW_FIELD_JID:
        return check_string(conf, rule, v, value, why);

    case EZW_FIELD_INTEGER:
        if (!json_is_integer(v)) {
            return ezw_fields_value_refuse(rule, "must be an integer", why);
        }

        rc = check_range(rule, json_integer_value(v), why);

        return (rc == EZW_OK)
               ? ezw_fields_json_check_number(conf, rule, v, value, why) : rc;

    case EZW_FIELD_NUMBER:
        return ezw_fields_json_check_number(conf, rule, v, value, why);

    case EZW_FIELD_BOOLEAN:
        if (!json_is_boolean(v)) {
            return ezw_fields_value_refuse(rule, "must be a boolean", why);
        }

        ezw_fields_value_set_literal(value, json_is_true(v) ? "t" : "f");
        return EZW_OK;

    case EZW_FIELD_NAME:
        return ezw_fields_name_check(conf, rule, v, value, why);

    case EZW_FIELD_MAP:
        return ezw_fields_json_check_map(conf, rule, v, value, why);

    case EZW_FIELD_JSON:
        return ezw_fields_json_check(conf, rule, v, value, why);

    case EZW_FIELD_STRINGS:
    case EZW_FIELD_ENUMS:
    case EZW_FIELD_JIDS:
    case EZW_FIELD_CIDRS:
    case EZW_FIELD_OBJECTS:
        return ezw_fields_list_check(conf, rule, v, value, why);

    case EZW_FIELD_TIME:
    case EZW_FIELD_EMAIL:
    case EZW_FIELD_KEY:
    case EZW_FIELD_UUID:
        return ezw_fields_form_check(conf, rule, v, value, why);

    case EZW_FIELD_URL:
    case EZW_FIELD_HEADERS:
        return ezw_fields_http_check(conf, rule, v, value, why);

    case EZW_FIELD_REF:
        if (!json_is_object(v)) {
            return check_string(conf, rule, v, value, why);
        }

        if (conf->strict) {
            rc = ezw_fields_value_refuse_unknown(rule, v, in_ref, 1, why);

            if (rc != EZW_OK) {
                return rc;
            }
        }

        jid = json_object_get(v, "jid");

        if (!json_is_string(jid)) {
            return ezw_invalid(why, VALIDATION, rule->name, "Jid is invalid");
        }

        return check_string(conf, rule, jid, value, why);

    case EZW_FIELD_ASSIGNEE:
        return check_assignee(conf, rule, v, value, why);

    case EZW_FIELD_TEMPLATE_NAME:
    case EZW_FIELD_LANGUAGE:
        return check_string(conf, rule, v, value, why);

    case EZW_FIELD_COMPONENTS:
        return ezw_template_check(conf, rule, v, value, why);

    case EZW_FIELD_MESSAGE:          /* ezw_fields.c's */
    case EZW_FIELD_MEDIA:
    case EZW_FIELD_OBJECT:
    case EZW_FIELD_READONLY:
        break;
    }

    return EZW_OK;
}


/* Checks one value of a query, decoded and ended by NUL in memory that stays;
 * EZW_OK, EZW_INVALID, or EZW_ERROR for a rule that no query can have. */
int
ezw_fields_value_check_query(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, ezw_str_t *s, ezw_value_t *value,
    ezw_invalid_t *why)
{
    int       rc;
    char     *p;
    int64_t   v;

    p = (char *) s->data;

    switch (rule->type) {

    case EZW_FIELD_STRING:
        rc = check_text(rule, p, s->len, why);
        break;

    case EZW_FIELD_ENUM:
        rc = ezw_fields_value_check_enum(rule, p, s->len, why);
        break;

    case EZW_FIELD_INTEGER:
        rc = parse_integer(s, &v);

        if (rc == EZW_INVALID) {
            return ezw_fields_value_refuse(rule, "must be an integer", why);
        }

        if (check_range(rule, v, why) != EZW_OK) {
            return EZW_INVALID;
        }

        if (rc == EZW_DECLINED) {
            return ezw_fields_value_refuse(rule, "must be an integer", why);
        }

        break;

    case EZW_FIELD_BOOLEAN:
        if (strcmp(p, "true") == 0) {
            ezw_fields_value_set_literal(value, "t");
            return EZW_OK;
        }

        if (strcmp(p, "false") == 0) {
            ezw_fields_value_set_literal(value, "f");
            return EZW_OK;
        }

        return ezw_fields_value_refuse(rule, "must be a boolean", why);

    case EZW_FIELD_JID:
        return check_jid(conf, rule, (unsigned) rule->min, p, s->len, value,
                         why);

    default:
        return EZW_ERROR;
    }

    if (rc == EZW_OK) {
        value->data = (char *) s->data;
        value->len = s->len;
    }

    return rc;
}


/* Checks a text's characters; EZW_OK or EZW_INVALID. */
int
ezw_fields_value_check_length(const char *field, int64_t min, int64_t max,
    const char *p, size_t len, ezw_invalid_t *why)
{
    long  n;

    n = ezw_utf8_length((const unsigned char *) p, len);

    if (n < 0) {
        return ezw_invalid(why, VALIDATION, field,
                           "%s must not contain \\u0000", field);
    }

    if (n < min) {
        return ezw_invalid(why, VALIDATION, field,
                           "%s is too short: at least %lld character%s",
                           field, (long long) min, min == 1 ? "" : "s");
    }

    if (max > 0 && n > max) {
        return ezw_invalid(why, VALIDATION, field,
                           "%s is too long: at most %lld character%s",
                           field, (long long) max, max == 1 ? "" : "s");
    }

    return EZW_OK;
}


/* EZW_INVALID for a name in a rule's object that is none of known[n]. */
int
ezw_fields_value_refuse_unknown(const ezw_field_t *rule, const json_t *object,
    const char *const *known, unsigned n, ezw_invalid_t *why)
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
            if (strcmp(known[i], key) == 0) {
                break;
            }
        }

        if (i == n) {
            snprintf(field, sizeof(field), "%s.%s", rule->name, key);

            return ezw_invalid(why, VALIDATION, field, "Unknown field: %s",
                               field);
        }
    }

    return EZW_OK;
}


/* Refuses a field: "<name> <what>". */
int
ezw_fields_value_refuse(const ezw_field_t *rule, const char *what,
    ezw_invalid_t *why)
{
    return ezw_invalid(why, VALIDATION, rule->name, "%s %s", rule->name,
                       what);
}


/* Sets a copy of p; NULL stays NULL.  EZW_OK or EZW_ERROR. */
int
ezw_fields_value_set(const ezw_fields_conf_t *conf, ezw_value_t *value,
    const void *p, size_t len)
{
    char  *copy;

    if (p == NULL) {
        value->data = NULL;
        value->len = 0;
        return EZW_OK;
    }

    copy = conf->alloc->alloc(conf->alloc->ctx, len + 1);

    if (copy == NULL) {
        return EZW_ERROR;
    }

    memcpy(copy, p, len);
    copy[len] = '\0';

    value->data = copy;
    value->len = len;

    return EZW_OK;
}


/* Sets a constant. */
void
ezw_fields_value_set_literal(ezw_value_t *value, const char *literal)
{
    value->data = literal;
    value->len = strlen(literal);
}


/* Checks a string, out of a list, or a jid; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
static int
check_string(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    int          rc;
    size_t       len;
    const char  *p;

    if (!json_is_string(v)) {
        return ezw_fields_value_refuse(rule, "must be a string", why);
    }

    p = json_string_value(v);
    len = json_string_length(v);

    switch (rule->type) {

    case EZW_FIELD_STRING:
        rc = check_text(rule, p, len, why);
        break;

    case EZW_FIELD_ENUM:
        rc = ezw_fields_value_check_enum(rule, p, len, why);
        break;

    case EZW_FIELD_TEMPLATE_NAME:
        rc = ezw_template_is_name(p, len)
             ? EZW_OK
             : ezw_fields_value_refuse(rule, "must be 1 to 512 of a-z, 0-9 "
                                       "and _", why);
        break;

    case EZW_FIELD_LANGUAGE:
        rc = ezw_template_is_language(p, len)
             ? EZW_OK
             : ezw_fields_value_refuse(rule, "must be a language code, as en "
                                       "or pt_BR", why);
        break;

    default:
        return check_jid(conf, rule, (unsigned) rule->min, p, len, value,
                         why);
    }

    return (rc == EZW_OK) ? ezw_fields_value_set(conf, value, p, len) : rc;
}


/* Checks a text's length and characters; EZW_OK or EZW_INVALID. */
static int
check_text(const ezw_field_t *rule, const char *p, size_t len,
    ezw_invalid_t *why)
{
    int     rc;
    size_t  i;

    rc = ezw_fields_value_check_length(rule->name, rule->min, rule->max, p,
                                       len, why);

    if (rc != EZW_OK || rule->chars == NULL) {
        return rc;
    }

    for (i = 0; i < len; i++) {
        if (!is_one_of(rule->chars, p[i])) {
            return ezw_invalid(why, VALIDATION, rule->name,
                               "%s has a character that is not one of %s",
                               rule->name, rule->chars);
        }
    }

    return EZW_OK;
}


/* 1 for a character of a set like "a-z0-9_". */
static int
is_one_of(const char *chars, char c)
{
    const char  *p;

    for (p = chars; *p != '\0'; p++) {

        if (p[1] == '-' && p[2] != '\0') {

            if (c >= p[0] && c <= p[2]) {
                return 1;
            }

            p += 2;

        } else if (c == *p) {
            return 1;
        }
    }

    return 0;
}


/* Checks an integer's bounds; EZW_OK or EZW_INVALID. */
static int
check_range(const ezw_field_t *rule, int64_t v, ezw_invalid_t *why)
{
    if (v < rule->min || v > rule->max) {
        return ezw_invalid(why, VALIDATION, rule->name,
                           "%s must be between %lld and %lld", rule->name,
                           (long long) rule->min, (long long) rule->max);
    }

    return EZW_OK;
}


/* Checks that a string is one of the rule's; EZW_OK or EZW_INVALID. */
int
ezw_fields_value_check_enum(const ezw_field_t *rule, const char *p,
    size_t len, ezw_invalid_t *why)
{
    int                 n;
    char                list[sizeof(why->text)];
    size_t              used;
    const char *const  *s;

    for (s = rule->values; *s != NULL; s++) {
        if (strlen(*s) == len && memcmp(*s, p, len) == 0) {
            return EZW_OK;
        }
    }

    used = 0;
    list[0] = '\0';

    for (s = rule->values; *s != NULL; s++) {
        n = snprintf(list + used, sizeof(list) - used, "%s%s",
                     s == rule->values ? "" : ", ", *s);

        if (n < 0 || (size_t) n >= sizeof(list) - used) {
            break;
        }

        used += (size_t) n;
    }

    return ezw_invalid(why, VALIDATION, rule->name, "%s must be one of %s",
                       rule->name, list);
}


/* Checks a jid of the given kinds (0: any) and sets it, normalised; EZW_OK,
 * EZW_INVALID or EZW_ERROR. */
static int
check_jid(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    unsigned kinds, const char *p, size_t len, ezw_value_t *value,
    ezw_invalid_t *why)
{
    ezw_jid_t      jid;
    ezw_str_t      src;
    unsigned char  buf[MAX_JID];

    src.data = (unsigned char *) p;
    src.len = len;

    if (len > sizeof(buf)
        || ezw_jid_parse(conf->jids, &src, buf, &jid) != EZW_OK
        || (kinds != 0 && !(jid.kind & kinds)))
    {
        return ezw_invalid(why, VALIDATION, rule->name, "Jid is invalid");
    }

    return ezw_fields_value_set(conf, value, jid.jid.data, jid.jid.len);
}


/* Checks an agent's e-mail address, or an assistant's jid, which any address
 * below the suffix has to be; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
check_assignee(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    size_t         i, len, n;
    ezw_jid_t      jid;
    ezw_str_t      src;
    const char    *p;
    unsigned char  buf[MAX_JID], c, s;

    if (!json_is_string(v)) {
        return ezw_fields_value_refuse(rule, "must be a string", why);
    }

    p = json_string_value(v);
    len = json_string_length(v);
    n = conf->jids->suffix.len;

    if (len > n && p[len - n - 1] == '.') {

        for (i = 0; i < n; i++) {
            c = (unsigned char) p[len - n + i];
            s = conf->jids->suffix.data[i];

            if (c != s && ((c | 0x20) != (s | 0x20)
                           || (c | 0x20) < 'a' || (c | 0x20) > 'z'))
            {
                break;
            }
        }

        if (i == n) {
            src.data = (unsigned char *) p;
            src.len = len;

            if (len > sizeof(buf)
                || ezw_jid_parse(conf->jids, &src, buf, &jid) != EZW_OK
                || jid.domain.len != 2
                || memcmp(jid.domain.data, "ai", 2) != 0)
            {
                return ezw_invalid(why, VALIDATION, rule->name,
                                   "Jid is invalid");
            }

            return ezw_fields_value_set(conf, value, jid.jid.data,
                                        jid.jid.len);
        }
    }

    if (!is_email(p, len)) {
        return ezw_fields_value_refuse(rule,
                                       "must be an agent's e-mail or an "
                                       "assistant's jid", why);
    }

    return ezw_fields_value_set(conf, value, p, len);
}


/* Reads an integer; the text loses the zeros that it begins with.  EZW_OK,
 * EZW_INVALID, or EZW_DECLINED for one past 64 bits, *v being the nearest. */
static int
parse_integer(ezw_str_t *s, int64_t *v)
{
    int      rc, negative;
    size_t   i;
    int64_t  n;

    rc = EZW_OK;
    negative = (s->len > 0 && s->data[0] == '-');

    if (s->len == (size_t) negative) {
        return EZW_INVALID;
    }

    n = 0;

    for (i = negative; i < s->len; i++) {
        if (s->data[i] < '0' || s->data[i] > '9') {
            return EZW_INVALID;
        }

        /* counted downwards: there is one more below zero */

        if (n < (INT64_MIN + (s->data[i] - '0')) / 10) {
            n = INT64_MIN;
            rc = EZW_DECLINED;

        } else {
            n = n * 10 - (s->data[i] - '0');
        }
    }

    if (negative) {
        *v = n;

    } else if (n == INT64_MIN) {
        *v = INT64_MAX;
        rc = EZW_DECLINED;

    } else {
        *v = -n;
    }

    i = negative;

    while (s->data[i] == '0' && s->len - i > 1) {
        i++;
    }

    if (i > (size_t) negative) {
        s->len -= i - negative;
        memmove(s->data + negative, s->data + i, s->len - negative + 1);
    }

    return rc;
}


/* 1 for what looks like an e-mail address: whether there is such an agent is
 * the database's to say. */
static int
is_email(const char *p, size_t len)
{
    size_t       i;
    const char  *at;

    if (len == 0 || len > MAX_EMAIL) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if ((unsigned char) p[i] <= ' ' || p[i] == 0x7f) {
            return 0;
        }
    }

    at = memchr(p, '@', len);

    return at != NULL && at > p && at + 1 < p + len
           && memchr(at + 1, '@', p + len - at - 1) == NULL;
}

/*
 * What a caller says of requests that are made for him: where to, and with
 * which headers.
 */

#include <stdio.h>
#include <strings.h>

#include "ezw_fields_value.h"


#define MAX_HEADERS  20        /* where the rule has no bound */
#define MAX_NAME     64        /* characters */
#define MAX_VALUE    1024


static int check_url(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why);
static int check_headers(const ezw_fields_conf_t *conf,
    const ezw_field_t *rule, const json_t *v, ezw_value_t *value,
    ezw_invalid_t *why);
static int check_name(const ezw_field_t *rule, const json_t *headers,
    const char *name, ezw_invalid_t *why);
static int check_value(const ezw_field_t *rule, const char *name,
    const json_t *v, ezw_invalid_t *why);
static int is_token(const char *p);
static int is_reserved(const char *name);


/* Checks a URL or headers; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_fields_http_check(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    return (rule->type == EZW_FIELD_URL)
           ? check_url(conf, rule, v, value, why)
           : check_headers(conf, rule, v, value, why);
}


/* Sets a URL that may be called; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
check_url(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    char       reason[EZW_URL_WHY];
    ezw_str_t  text;
    ezw_url_t  url;

    if (!json_is_string(v)) {
        return ezw_fields_value_refuse(rule, "must be a string", why);
    }

    text.data = (unsigned char *) json_string_value(v);
    text.len = json_string_length(v);

    if (ezw_url_check(&text, conf->urls, &url, reason) != EZW_OK) {
        return ezw_invalid(why, VALIDATION, rule->name,
                           "%s is no URL that may be called: %s", rule->name,
                           reason);
    }

    return ezw_fields_value_set(conf, value, text.data, text.len);
}


/* Sets headers as a JSON object; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
check_headers(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    void               *iter;
    json_t             *o, *member;
    size_t              max;
    const char         *name;
    ezw_fields_text_t   t;

    if (json_is_array(v) && json_array_size(v) == 0) {
        ezw_fields_value_set_literal(value, "{}");
        return EZW_OK;
    }

    if (!json_is_object(v)) {
        return ezw_fields_value_refuse(rule, "must be an object", why);
    }

    max = (rule->max > 0) ? (size_t) rule->max : MAX_HEADERS;

    if (json_object_size(v) > max) {
        return ezw_invalid(why, VALIDATION, rule->name,
                           "%s has too many names: at most %u", rule->name,
                           (unsigned) max);
    }

    ezw_fields_text_init(&t, conf->alloc, 0);
    ezw_json_literal(&t.w, "{");

    o = (json_t *) v;

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        name = json_object_iter_key(iter);
        member = json_object_iter_value(iter);

        if (check_name(rule, v, name, why) != EZW_OK
            || check_value(rule, name, member, why) != EZW_OK)
        {
            return EZW_INVALID;
        }

        if (iter != json_object_iter(o)) {
            ezw_json_literal(&t.w, ",");
        }

        ezw_json_string(&t.w, name, strlen(name));
        ezw_json_literal(&t.w, ":");
        ezw_json_string(&t.w, json_string_value(member),
                        json_string_length(member));
    }

    ezw_json_literal(&t.w, "}");

    return ezw_fields_text_finish(&t, value);
}


/* Checks that a header of that name may be sent, and is there once; EZW_OK or
 * EZW_INVALID. */
static int
check_name(const ezw_field_t *rule, const json_t *headers, const char *name,
    ezw_invalid_t *why)
{
    char         field[1024];
    void        *iter;
    json_t      *o;
    unsigned     n;
    const char  *what;

    snprintf(field, sizeof(field), "%s.%s", rule->name, name);

    if (!is_token(name)) {
        what = "is no name of a header";

    } else if (is_reserved(name)) {
        what = "is not for the caller to set";

    } else {
        n = 0;
        o = (json_t *) headers;

        for (iter = json_object_iter(o);
             iter != NULL;
             iter = json_object_iter_next(o, iter))
        {
            n += strcasecmp(json_object_iter_key(iter), name) == 0;
        }

        if (n == 1) {
            return EZW_OK;
        }

        what = "is given twice";
    }

    return ezw_invalid(why, VALIDATION, field, "%s %s", field, what);
}


/* Checks a header's value; EZW_OK or EZW_INVALID. */
static int
check_value(const ezw_field_t *rule, const char *name, const json_t *v,
    ezw_invalid_t *why)
{
    char                  field[1024];
    size_t                i, len;
    const unsigned char  *p;

    snprintf(field, sizeof(field), "%s.%s", rule->name, name);

    if (!json_is_string(v)) {
        return ezw_invalid(why, VALIDATION, field, "%s must be a string",
                           field);
    }

    p = (const unsigned char *) json_string_value(v);
    len = json_string_length(v);

    if ((rule->flags & EZW_READ_BACK) && len == sizeof(EZW_MASK) - 1
        && memcmp(p, EZW_MASK, len) == 0)
    {
        return EZW_OK;
    }

    if (len == 0 || len > MAX_VALUE) {
        return ezw_invalid(why, VALIDATION, field,
                           "%s must have 1 to %d characters", field,
                           MAX_VALUE);
    }

    for (i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e) {
            break;
        }
    }

    if (i < len || p[0] == ' ' || p[len - 1] == ' ') {
        return ezw_invalid(why, VALIDATION, field,
                           "%s must be visible ASCII, with blanks inside only",
                           field);
    }

    return EZW_OK;
}


/* 1: a token of RFC 9110, not longer than anybody needs. */
static int
is_token(const char *p)
{
    size_t  len;

    len = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                    "0123456789!#$%&'*+-.^_`|~");

    return len > 0 && len <= MAX_NAME && p[len] == '\0';
}


/* 1: the connection's, the body's, or what each delivery has of its own. */
static int
is_reserved(const char *name)
{
    unsigned  i;

    static const char *const  names[] = {
        "connection", "expect", "host", "http2-settings", "keep-alive", "te",
        "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade",
        "user-agent"
    };

    static const char *const  beginnings[] = {
        "content-", "proxy-", "webhook-"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcasecmp(names[i], name) == 0) {
            return 1;
        }
    }

    for (i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (strncasecmp(beginnings[i], name, strlen(beginnings[i])) == 0) {
            return 1;
        }
    }

    return 0;
}

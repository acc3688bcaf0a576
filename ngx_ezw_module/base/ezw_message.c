/*
 * Messages of the v3 API.  What leaves here is the only form that statements
 * and connectors know; what real programs send besides it is read here.
 */

#include <stdio.h>

#include "ezw_json.h"
#include "ezw_message.h"
#include "ezw_utf8.h"


#define VALIDATION   1005

#define MAX_BODY     4096       /* characters */
#define ID_LEN       40         /* hex digits of a message id */
#define MAX_FIELD    96


static int check_text(const ezw_fields_conf_t *conf, const json_t *message,
    const char *prefix, ezw_str_t *out, ezw_value_t *quote, ezw_invalid_t *why);
static int check_body(const json_t *message, const char *prefix,
    const json_t **body, ezw_invalid_t *why);
static int check_quoted(const ezw_fields_conf_t *conf, const json_t *message,
    const char *prefix, unsigned char *id, int *quoted, ezw_invalid_t *why);
static int get_object(const ezw_fields_conf_t *conf, const json_t *parent,
    const char *const *known, const char *prefix, const char *path,
    const json_t **object, ezw_invalid_t *why);
static int refuse_unknown(const ezw_fields_conf_t *conf, const json_t *object,
    const char *const *known, const char *prefix, const char *path,
    ezw_invalid_t *why);
static int refuse(const char *prefix, const char *name, const char *what,
    ezw_invalid_t *why);
static void name_field(char *field, const char *prefix, const char *name);
static int is_served_later(const char *type);
static int no_more(ezw_writer_t *w, size_t need);


const char *const  ezw_message_parts[] = {
    "", "type", "quoted", "catalog", "template.name", "template.language",
    "template.parameters"
};


/* Checks a message and fills its parts; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_message_check(const ezw_fields_conf_t *conf, const json_t *message,
    const json_t *media, const char *prefix, ezw_value_t *parts,
    ezw_invalid_t *why)
{
    int            rc;
    char           field[MAX_FIELD];
    ezw_str_t      out;
    const char    *name;
    const json_t  *v;

    (void) media;

    if (!json_is_object(message)) {
        return ezw_invalid(why, VALIDATION, prefix, "%s must be an object",
                           prefix);
    }

    v = json_object_get(message, "type");

    if (v == NULL) {
        return refuse(prefix, "type", "is required", why);
    }

    if (!json_is_string(v)) {
        return refuse(prefix, "type", "must be a string", why);
    }

    name = json_string_value(v);

    if (strcmp(name, "text") == 0 && json_string_length(v) == 4) {
        rc = check_text(conf, message, prefix, &out, &parts[EZW_MESSAGE_QUOTED],
                        why);

        if (rc == EZW_OK) {
            parts[EZW_MESSAGE_JSON].data = (char *) out.data;
            parts[EZW_MESSAGE_JSON].len = out.len;
            parts[EZW_MESSAGE_TYPE].data = "text";
            parts[EZW_MESSAGE_TYPE].len = 4;
        }

        return rc;
    }

    name_field(field, prefix, "type");

    if (strlen(name) == json_string_length(v) && is_served_later(name)) {
        return ezw_invalid(why, VALIDATION, field, "%s %s is not served yet",
                           field, name);
    }

    return ezw_invalid(why, VALIDATION, field, "%s is unknown", field);
}


/* Checks a message of type text and writes it; as ezw_message_check(). */
static int
check_text(const ezw_fields_conf_t *conf, const json_t *message,
    const char *prefix, ezw_str_t *out, ezw_value_t *quote, ezw_invalid_t *why)
{
    int                   rc, quoted;
    char                 *copy;
    size_t                size, len;
    ezw_writer_t          w;
    unsigned char         id[ID_LEN];
    const json_t         *body;
    const unsigned char  *p, *end;

    static const char *const  known[] = {
        "body", "contextInfo", "text", "type", NULL
    };

    rc = refuse_unknown(conf, message, known, prefix, "", why);

    if (rc != EZW_OK) {
        return rc;
    }

    rc = check_body(message, prefix, &body, why);

    if (rc != EZW_OK) {
        return rc;
    }

    rc = check_quoted(conf, message, prefix, id, &quoted, why);

    if (rc != EZW_OK) {
        return rc;
    }

    p = (const unsigned char *) json_string_value(body);
    len = json_string_length(body);

    size = sizeof("{\"body\":\"\",\"contextInfo\":{\"quotedMessage\":"
                  "{\"id\":\"\"}},\"type\":\"text\"}")
           + ID_LEN + len;

    for (end = p + len; p < end; p++) {
        if (*p < 0x20 || *p == '"' || *p == '\\') {
            size += 5;
        }
    }

    w.pos = conf->alloc->alloc(conf->alloc->ctx, size);

    if (w.pos == NULL) {
        return EZW_ERROR;
    }

    w.end = w.pos + size;
    w.more = no_more;
    w.ctx = NULL;
    w.failed = 0;

    out->data = w.pos;

    ezw_json_literal(&w, "{\"body\":");
    ezw_json_string(&w, json_string_value(body), len);

    if (quoted) {
        copy = conf->alloc->alloc(conf->alloc->ctx, ID_LEN + 1);

        if (copy == NULL) {
            return EZW_ERROR;
        }

        memcpy(copy, id, ID_LEN);
        copy[ID_LEN] = '\0';
        quote->data = copy;
        quote->len = ID_LEN;

        ezw_json_literal(&w, ",\"contextInfo\":{\"quotedMessage\":{\"id\":");
        ezw_json_string(&w, id, ID_LEN);
        ezw_json_literal(&w, "}}");
    }

    ezw_json_literal(&w, ",\"type\":\"text\"}");

    out->len = w.pos - out->data;

    ezw_json_raw(&w, "", 1);

    return w.failed ? EZW_ERROR : EZW_OK;
}


/* Finds the text of a message in "body", or in "text" where real programs put
 * it; EZW_OK or EZW_INVALID. */
static int
check_body(const json_t *message, const char *prefix, const json_t **body,
    ezw_invalid_t *why)
{
    long         n;
    const char  *name;

    name = "body";
    *body = json_object_get(message, name);

    if (*body == NULL && json_object_get(message, "text") != NULL) {
        name = "text";
        *body = json_object_get(message, name);
    }

    if (*body == NULL) {
        return refuse(prefix, name, "is required", why);
    }

    if (json_is_null(*body)) {
        return refuse(prefix, name, "must not be null", why);
    }

    if (!json_is_string(*body)) {
        return refuse(prefix, name, "must be a string", why);
    }

    n = ezw_utf8_length((const unsigned char *) json_string_value(*body),
                        json_string_length(*body));

    if (n < 0) {
        return refuse(prefix, name, "must not contain \\u0000", why);
    }

    if (n == 0) {
        return refuse(prefix, name, "is too short: at least 1 character", why);
    }

    if (n > MAX_BODY) {
        return refuse(prefix, name, "is too long: at most 4096 characters",
                      why);
    }

    return EZW_OK;
}


/* Reads contextInfo.quotedMessage.id in lower case; *quoted: there is one.
 * EZW_OK or EZW_INVALID. */
static int
check_quoted(const ezw_fields_conf_t *conf, const json_t *message,
    const char *prefix, unsigned char *id, int *quoted, ezw_invalid_t *why)
{
    int            rc;
    unsigned       i;
    const char    *p;
    const json_t  *v;
    unsigned char  c;

    static const char *const  in_context[] = { "quotedMessage", NULL };
    static const char *const  in_quoted[] = { "id", NULL };

    *quoted = 0;

    rc = get_object(conf, message, in_context, prefix, "contextInfo", &v, why);

    if (rc != EZW_OK || v == NULL) {
        return rc;
    }

    rc = get_object(conf, v, in_quoted, prefix, "contextInfo.quotedMessage",
                    &v, why);

    if (rc != EZW_OK || v == NULL) {
        return rc;
    }

    v = json_object_get(v, "id");

    if (v == NULL) {
        return refuse(prefix, "contextInfo.quotedMessage.id", "is required",
                      why);
    }

    if (!json_is_string(v)) {
        return refuse(prefix, "contextInfo.quotedMessage.id",
                      "must be a string", why);
    }

    if (json_string_length(v) != ID_LEN) {
        return refuse(prefix, "contextInfo.quotedMessage.id",
                      "must be 40 hexadecimal digits", why);
    }

    p = json_string_value(v);

    for (i = 0; i < ID_LEN; i++) {
        c = (unsigned char) p[i];

        if (c >= 'A' && c <= 'F') {
            c |= 0x20;
        }

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return refuse(prefix, "contextInfo.quotedMessage.id",
                          "must be 40 hexadecimal digits", why);
        }

        id[i] = c;
    }

    *quoted = 1;

    return EZW_OK;
}


/* The object at the last name of path in parent, NULL when it is absent or
 * null; EZW_OK or EZW_INVALID. */
static int
get_object(const ezw_fields_conf_t *conf, const json_t *parent,
    const char *const *known, const char *prefix, const char *path,
    const json_t **object, ezw_invalid_t *why)
{
    const char  *name;

    name = strrchr(path, '.');
    name = (name != NULL) ? name + 1 : path;

    *object = json_object_get(parent, name);

    if (*object == NULL || json_is_null(*object)) {
        *object = NULL;
        return EZW_OK;
    }

    if (!json_is_object(*object)) {
        return refuse(prefix, path, "must be an object", why);
    }

    return refuse_unknown(conf, *object, known, prefix, path, why);
}


/* When strict: EZW_INVALID for a name of the object that is not known. */
static int
refuse_unknown(const ezw_fields_conf_t *conf, const json_t *object,
    const char *const *known, const char *prefix, const char *path,
    ezw_invalid_t *why)
{
    char         field[1024];
    void        *iter;
    json_t      *o;
    unsigned     i;
    const char  *key;

    if (!conf->strict) {
        return EZW_OK;
    }

    o = (json_t *) object;

    for (iter = json_object_iter(o);
         iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        key = json_object_iter_key(iter);

        for (i = 0; known[i] != NULL; i++) {
            if (strcmp(known[i], key) == 0) {
                break;
            }
        }

        if (known[i] == NULL) {
            snprintf(field, sizeof(field), "%s%s%s%s%s", prefix,
                     *prefix != '\0' ? "." : "", path,
                     *path != '\0' ? "." : "", key);

            return ezw_invalid(why, VALIDATION, field, "Unknown field: %s",
                               field);
        }
    }

    return EZW_OK;
}


/* Refuses a field: "<prefix>.<name> <what>". */
static int
refuse(const char *prefix, const char *name, const char *what,
    ezw_invalid_t *why)
{
    char  field[MAX_FIELD];

    name_field(field, prefix, name);

    return ezw_invalid(why, VALIDATION, field, "%s %s", field, what);
}


/* Joins the parts of a field's name; all of them are ours and short. */
static void
name_field(char *field, const char *prefix, const char *name)
{
    snprintf(field, MAX_FIELD, "%s%s%s", prefix, *prefix != '\0' ? "." : "",
             name);
}


/* 1 for a type of the document that is still to come. */
static int
is_served_later(const char *type)
{
    unsigned  i;

    static const char *const  types[] = {
        "audio", "contact", "document", "gif", "image", "interactive",
        "location", "ptt", "sticker", "template", "video"
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i], type) == 0) {
            return 1;
        }
    }

    return 0;
}


/* The buffer was made large enough. */
static int
no_more(ezw_writer_t *w, size_t need)
{
    (void) w;
    (void) need;

    return EZW_ERROR;
}

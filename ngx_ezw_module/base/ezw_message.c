/*
 * Messages of the v3 API: which types there are, and what all of them share.
 * What leaves here is the only form that statements and connectors know; what
 * real programs send besides it is read here.
 */

#include <strings.h>

#include "ezw_message_rule.h"


#define MAX_BODY     4096       /* characters */
#define MAX_NAME     1024
#define MAX_URL      2048
#define ID_LEN       40         /* hex digits of a message id */

#define MEMBERS      96         /* bytes of a normal form beside its body */


static int check_link(ezw_message_walk_t *walk, const json_t *v);
static int get_object(ezw_message_walk_t *walk, const json_t *parent,
    const char *name, const char *known, const json_t **object);
static int read_id(ezw_message_walk_t *walk, const json_t *v);
static int has_media(const ezw_message_choice_t *type);
static int begin(ezw_message_walk_t *walk, const json_t *message);


const char *const  ezw_message_parts[] = {
    "", "type", "quoted", "catalog", "template.name", "template.language",
    "template.parameters"
};


static const ezw_message_rule_t  text[] = {
    { .name = "body", .flags = EZW_RULE_REQUIRED, .min = 1, .max = MAX_BODY,
      .alias = "text" },
    EZW_MESSAGE_CONTEXT,
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  location[] = {
    EZW_MESSAGE_CONTEXT,
    { .name = "latitude", .type = EZW_RULE_NUMBER, .flags = EZW_RULE_REQUIRED,
      .min = -90, .max = 90 },
    { .name = "longitude", .type = EZW_RULE_NUMBER,
      .flags = EZW_RULE_REQUIRED, .min = -180, .max = 180 },
    { .name = "name", .max = MAX_NAME },
    EZW_MESSAGE_CHOSEN,
    { .name = "url", .max = MAX_URL, .check = check_link },
    { NULL }
};

static const ezw_message_choice_t  types[] = {
    { "text", text, NULL },
    { "audio", ezw_message_uncaptioned, NULL },
    { "contact", ezw_message_contact, NULL },
    { "document", ezw_message_document, NULL },
    { "gif", ezw_message_captioned, NULL },
    { "image", ezw_message_captioned, NULL },
    { "interactive", ezw_message_interactive, NULL },
    { "location", location, NULL },
    { "ptt", ezw_message_uncaptioned, NULL },
    { "sticker", ezw_message_uncaptioned, NULL },
    { "template", ezw_message_template, NULL },
    { "video", ezw_message_captioned, NULL },
    { NULL, NULL, NULL }
};


/* Checks a message and fills its parts; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_message_check(const ezw_fields_conf_t *conf, const json_t *message,
    const json_t *media, const char *prefix, ezw_value_t *parts,
    ezw_invalid_t *why)
{
    int                  rc;
    const json_t        *type;
    ezw_invalid_t        ignored;
    ezw_message_walk_t   walk;

    memset(&walk, 0, offsetof(ezw_message_walk_t, path) + 1);

    walk.conf = conf;
    walk.media = json_is_null(media) ? NULL : media;
    walk.parts = parts;
    walk.why = (why != NULL) ? why : &ignored;

    (void) ezw_message_enter(&walk, prefix);

    if (!json_is_object(message)) {
        return ezw_message_refuse(&walk, VALIDATION, "must be an object");
    }

    type = json_object_get(message, "type");

    if (!json_is_string(type)) {
        return ezw_message_refuse_member(&walk, "type",
                                         type == NULL ? "is required"
                                         : "must be a string");
    }

    walk.message = ezw_message_choose(types, 0, type);
    walk.chosen = walk.message;

    if (walk.message == NULL) {
        return ezw_message_refuse_member(&walk, "type", "is unknown");
    }

    if (conf->strict && walk.media != NULL && !has_media(walk.message)) {
        return ezw_invalid(why, VALIDATION, "media", "Unknown field: media");
    }

    if (begin(&walk, message) != EZW_OK) {
        return EZW_ERROR;
    }

    rc = ezw_message_walk_object(&walk, walk.message->rules, message);

    if (rc != EZW_OK) {
        return rc;
    }

    ezw_fields_value_set_literal(&parts[EZW_MESSAGE_TYPE], walk.message->name);

    return ezw_fields_text_finish(&walk.text, &parts[EZW_MESSAGE_JSON]);
}


/* 1 for a type that comes with media. */
static int
has_media(const ezw_message_choice_t *type)
{
    return type->rules == ezw_message_captioned
           || type->rules == ezw_message_uncaptioned
           || type->rules == ezw_message_document;
}


/* Begins the normal form, with room for all of a text as a rule. */
static int
begin(ezw_message_walk_t *walk, const json_t *message)
{
    ezw_fields_text_init(&walk->text, walk->conf->alloc, 0);

    return ezw_fields_text_reserve(
               &walk->text,
               MEMBERS + json_string_length(json_object_get(message, "body")));
}


/* Writes contextInfo when it quotes a message, with the id in lower case. */
int
ezw_message_write_context(ezw_message_walk_t *walk, const json_t *object)
{
    int            rc;
    size_t         path_len;
    const json_t  *v;

    path_len = walk->path_len;

    rc = get_object(walk, object, "contextInfo", "quotedMessage", &v);

    if (rc == EZW_OK && v != NULL) {
        rc = get_object(walk, v, "quotedMessage", "id", &v);

        if (rc == EZW_OK && v != NULL) {
            rc = read_id(walk, json_object_get(v, "id"));
        }
    }

    ezw_message_leave(walk, path_len);

    return rc;
}


/* The object of that name in parent, NULL when it is absent or null; the path
 * then names it. */
static int
get_object(ezw_message_walk_t *walk, const json_t *parent, const char *name,
    const char *known, const json_t **object)
{
    const ezw_message_rule_t  rules[] = {
        { .name = known, .type = EZW_RULE_IGNORED },
        { NULL }
    };

    *object = ezw_message_member(parent, name, NULL);

    (void) ezw_message_enter(walk, name);

    if (*object == NULL) {
        return EZW_OK;
    }

    if (!json_is_object(*object)) {
        return ezw_message_refuse(walk, VALIDATION, "must be an object");
    }

    return walk->conf->strict
           ? ezw_message_refuse_unknown(walk, rules, *object) : EZW_OK;
}


/* Writes contextInfo with the id that it quotes, and keeps it as a part. */
static int
read_id(ezw_message_walk_t *walk, const json_t *v)
{
    size_t          i;
    ezw_value_t    *quoted;
    unsigned char   id[ID_LEN];

    if (!json_is_string(v)) {
        return ezw_message_refuse_member(walk, "id",
                                         v == NULL ? "is required"
                                         : "must be a string");
    }

    if (json_string_length(v) != ID_LEN
        || strspn(json_string_value(v), "0123456789abcdefABCDEF") != ID_LEN)
    {
        return ezw_message_refuse_member(walk, "id",
                                         "must be 40 hexadecimal digits");
    }

    memcpy(id, json_string_value(v), ID_LEN);

    for (i = 0; i < ID_LEN; i++) {
        id[i] |= 0x20;          /* digits have the bit */
    }

    ezw_message_walk_name(walk, "contextInfo");
    ezw_json_literal(&walk->text.w, "{\"quotedMessage\":{\"id\":");
    ezw_json_string(&walk->text.w, id, ID_LEN);
    ezw_json_literal(&walk->text.w, "}}");

    quoted = &walk->parts[EZW_MESSAGE_QUOTED];

    return ezw_fields_value_set(walk->conf, quoted, id, ID_LEN);
}


/* A website's URL: it is shown to people, so it is of http or https. */
static int
check_link(ezw_message_walk_t *walk, const json_t *v)
{
    const char           *p;
    const unsigned char  *c;

    p = json_string_value(v);

    if (strncasecmp(p, "https://", 8) != 0
        && strncasecmp(p, "http://", 7) != 0)
    {
        return ezw_message_refuse(walk, VALIDATION,
                                  "must begin with https:// or http://");
    }

    for (c = (const unsigned char *) p; *c != '\0'; c++) {
        if (*c <= ' ' || *c == 0x7f) {
            return ezw_message_refuse(walk, VALIDATION,
                                      "must not have blanks or control "
                                      "characters");
        }
    }

    return EZW_OK;
}

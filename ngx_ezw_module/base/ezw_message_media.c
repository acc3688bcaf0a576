/*
 * Messages with media: audio, document, gif, image, ptt, sticker and video.
 * The media is a URL as yet; its normal form is "media":{"url"} within the
 * message, whether it stood there, beside the message or as message.url.
 */

#include <stdio.h>
#include <strings.h>

#include "ezw_message_rule.h"


#define MAX_CAPTION  1024       /* characters */
#define MAX_TITLE    1024
#define MAX_FILE     240
#define MAX_MIME     255


/* What a type may be by its media type; an entry that ends in "/" stands for
 * all that begin so.  What WhatsApp takes is Meta's to say (WHATSAPP 2): one
 * row to correct. */
typedef struct {
    const char  *type;
    const char  *any[4];
    const char  *whatsapp[6];
} media_t;


static const media_t  media[] = {
    { "audio",    { "audio/" },
                  { "audio/aac", "audio/amr", "audio/mp4", "audio/mpeg",
                    "audio/ogg" } },
    { "document", { NULL }, { NULL } },
    { "gif",      { "image/gif", "video/" }, { "video/mp4" } },
    { "image",    { "image/" }, { "image/jpeg", "image/png" } },
    { "ptt",      { "audio/" }, { "audio/ogg" } },
    { "sticker",  { "image/" }, { "image/webp" } },
    { "video",    { "video/" }, { "video/3gpp", "video/mp4" } },
    { NULL,       { NULL }, { NULL } }
};


static int write_media(ezw_message_walk_t *walk, const json_t *object);
static int write_reference(ezw_message_walk_t *walk, const json_t *v);
static int write_url(ezw_message_walk_t *walk, const json_t *v);
static int check_url(ezw_message_walk_t *walk, const json_t *v);
static int check_mime(ezw_message_walk_t *walk, const json_t *v);
static const char *const *known_types(ezw_message_walk_t *walk);
static size_t mime_length(const char *p);
static size_t token_length(const char *p);
static int refuse_mime(ezw_message_walk_t *walk, const char *const *known);


/* Bytes within the request, and by their id, are the media issue's. */
#define BYTES                                                                 \
    { .name = "data", .type = EZW_RULE_LATER, .flags = EZW_RULE_MEDIA },      \
    { .name = "id", .type = EZW_RULE_LATER, .flags = EZW_RULE_MEDIA }

#define URL_MEMBERS                                                           \
    .name = "url", .flags = EZW_RULE_REQUIRED|EZW_RULE_MEDIA, .min = 1,       \
    .max = EZW_URL_MAX, .alias = "link", .check = check_url

#define FILE_NAME                                                             \
    .name = "fileName", .min = 1, .max = MAX_FILE, .alias = "filename",       \
    .check = ezw_message_check_file_name

#define MIME                                                                  \
    { .name = "mimeType", .flags = EZW_RULE_MEDIA, .min = 1, .max = MAX_MIME, \
      .check = check_mime }

#define MEDIA                                                                 \
    { .name = "media", .type = EZW_RULE_WRITTEN, .write = write_media }

/* Read where the media is written. */
#define MEDIA_URL  { .name = "url", .type = EZW_RULE_IGNORED }


const ezw_message_rule_t  ezw_message_uncaptioned[] = {
    EZW_MESSAGE_CONTEXT,
    MEDIA,
    MIME,
    EZW_MESSAGE_CHOSEN,
    MEDIA_URL,
    { NULL }
};

const ezw_message_rule_t  ezw_message_captioned[] = {
    { .name = "caption", .max = MAX_CAPTION },
    EZW_MESSAGE_CONTEXT,
    MEDIA,
    MIME,
    EZW_MESSAGE_CHOSEN,
    MEDIA_URL,
    { NULL }
};

const ezw_message_rule_t  ezw_message_document[] = {
    EZW_MESSAGE_CONTEXT,
    { FILE_NAME, .flags = EZW_RULE_REQUIRED },
    MEDIA,
    MIME,
    { .name = "title", .min = 1, .max = MAX_TITLE, .fallback = "fileName" },
    EZW_MESSAGE_CHOSEN,
    MEDIA_URL,
    { NULL }
};

const ezw_message_rule_t  ezw_message_reference[] = {
    BYTES,
    { URL_MEMBERS },
    { NULL }
};

const ezw_message_rule_t  ezw_message_file[] = {
    BYTES,
    { FILE_NAME },
    { URL_MEMBERS },
    { NULL }
};


/* Writes "media", from where the first of them is: beside the message, in it,
 * or its url. */
static int
write_media(ezw_message_walk_t *walk, const json_t *object)
{
    int            rc;
    char           path[EZW_MESSAGE_PATH];
    size_t         path_len;
    const json_t  *v;

    v = ezw_message_member(object, "media", NULL);

    if (walk->media != NULL) {
        memcpy(path, walk->path, sizeof(path));
        path_len = walk->path_len;
        ezw_message_leave(walk, 0);

        (void) ezw_message_enter(walk, "media");
        rc = write_reference(walk, walk->media);

        memcpy(walk->path, path, sizeof(path));

    } else if (v != NULL) {
        path_len = ezw_message_enter(walk, "media");
        rc = write_reference(walk, v);

    } else {
        path_len = ezw_message_enter(walk, "url");
        v = ezw_message_member(object, "url", NULL);
        rc = (v != NULL) ? write_url(walk, v)
                         : ezw_invalid(walk->why, BAD_MEDIA, "media",
                                       "media.url or %s is required",
                                       walk->path);
    }

    ezw_message_leave(walk, path_len);

    return rc;
}


/* Writes "media" from an object. */
static int
write_reference(ezw_message_walk_t *walk, const json_t *v)
{
    static const ezw_message_rule_t  rule = {
        .name = "media", .type = EZW_RULE_OBJECT, .flags = EZW_RULE_MEDIA,
        .rules = ezw_message_reference
    };

    ezw_message_walk_name(walk, rule.name);

    return ezw_message_walk_value(walk, &rule, v);
}


/* Writes "media" from a URL. */
static int
write_url(ezw_message_walk_t *walk, const json_t *v)
{
    int  rc;

    static const ezw_message_rule_t  rule = { URL_MEMBERS };

    ezw_message_walk_name(walk, "media");
    ezw_json_literal(&walk->text.w, "{\"url\":");

    rc = ezw_message_walk_value(walk, &rule, v);

    ezw_json_literal(&walk->text.w, "}");

    return rc;
}


/* A URL that may be called, as far as its text tells. */
static int
check_url(ezw_message_walk_t *walk, const json_t *v)
{
    char       text[EZW_URL_WHY], what[EZW_URL_WHY + 16];
    ezw_str_t  s;
    ezw_url_t  url;

    s.data = (unsigned char *) json_string_value(v);
    s.len = json_string_length(v);

    if (ezw_url_check(&s, walk->conf->urls, &url, text) == EZW_OK) {
        return EZW_OK;
    }

    snprintf(what, sizeof(what), "is not allowed: %s", text);

    return ezw_message_refuse(walk, BAD_MEDIA, what);
}


/* A file's name without a path or control characters. */
int
ezw_message_check_file_name(ezw_message_walk_t *walk, const json_t *v)
{
    const char           *name;
    const unsigned char  *p;

    name = json_string_value(v);

    for (p = (const unsigned char *) name; *p != '\0'; p++) {

        if (*p == '/' || *p == '\\') {
            return ezw_message_refuse(walk, VALIDATION,
                                      "must not have a path");
        }

        if (*p < ' ' || *p == 0x7f) {
            return ezw_message_refuse(walk, VALIDATION,
                                      "must not have control characters");
        }
    }

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return ezw_message_refuse(walk, VALIDATION, "is no file name");
    }

    return EZW_OK;
}


/* A media type (RFC 2045) that goes with the message's. */
static int
check_mime(ezw_message_walk_t *walk, const json_t *v)
{
    size_t              len, n;
    const char         *mime;
    const char *const  *known, *const *s;

    mime = json_string_value(v);
    len = mime_length(mime);

    if (len == 0) {
        return ezw_message_refuse(walk, BAD_MEDIA, "is no media type");
    }

    known = known_types(walk);

    if (*known == NULL) {
        return EZW_OK;
    }

    for (s = known; *s != NULL; s++) {
        n = strlen(*s);

        if (strncasecmp(*s, mime, n) == 0
            && ((*s)[n - 1] == '/' || n == len))
        {
            return EZW_OK;
        }
    }

    return refuse_mime(walk, known);
}


/* The media types of the message's type on the channel; none: all. */
static const char *const *
known_types(ezw_message_walk_t *walk)
{
    const media_t    *m;
    const ezw_str_t  *domain;

    for (m = media; strcmp(m->type, walk->message->name) != 0; m++) {
        /* each type with a media type has a row */
    }

    domain = &walk->conf->domain;

    if (domain->len == 8 && memcmp(domain->data, "whatsapp", 8) == 0) {
        return m->whatsapp;
    }

    return m->any;
}


/* Length of "type/subtype", which a parameter may follow; 0: it is none. */
static size_t
mime_length(const char *p)
{
    size_t       type, subtype;
    const char  *q;

    type = token_length(p);

    if (type == 0 || p[type] != '/') {
        return 0;
    }

    subtype = token_length(p + type + 1);

    if (subtype == 0) {
        return 0;
    }

    q = p + type + 1 + subtype;
    q += strspn(q, " ");

    if (*q != ';' && *q != '\0') {
        return 0;
    }

    for ( /* void */ ; *q != '\0'; q++) {
        if (*q < ' ' || *q > '~') {
            return 0;
        }
    }

    return type + 1 + subtype;
}


/* Length of the token (RFC 2045) that p begins with. */
static size_t
token_length(const char *p)
{
    return strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789!#$%&'*+-.^_`{|}~");
}


/* Refuses a media type and tells which there are. */
static int
refuse_mime(ezw_message_walk_t *walk, const char *const *known)
{
    int                 n;
    char                text[128];
    size_t              used;
    const char *const  *s;

    used = (size_t) snprintf(text, sizeof(text), "must be ");

    for (s = known; *s != NULL; s++) {
        n = snprintf(text + used, sizeof(text) - used, "%s%s%s",
                     s == known ? "" : s[1] == NULL ? " or " : ", ", *s,
                     (*s)[strlen(*s) - 1] == '/' ? "*" : "");

        if (n < 0 || (size_t) n >= sizeof(text) - used) {
            break;
        }

        used += (size_t) n;
    }

    return ezw_message_refuse(walk, BAD_MEDIA, text);
}

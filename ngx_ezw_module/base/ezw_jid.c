/*
 * JIDs: one table of domains (DECISIONS 2), one parser.  Everything that names
 * a channel or a person comes through here before it reaches a statement.
 */

#include <strings.h>

#include "ezw_jid.h"


typedef enum {
    LOCAL_PHONE,           /* E.164 */
    LOCAL_PHONE_OR_HIDDEN, /* E.164, or a person whose number is hidden */
    LOCAL_NUMBER,          /* 1-20 digits */
    LOCAL_EPOCH,           /* 10-19 digits */
    LOCAL_UUID,            /* lower case */
    LOCAL_VIBER
} local_e;


typedef struct {
    ezw_str_t             name;
    local_e               local;
    unsigned              kind;
} domain_t;


#define BOTH  (EZW_JID_CHANNEL|EZW_JID_CONTACT)

static const domain_t  domains[] = {
    { ezw_string("whatsapp"),  LOCAL_PHONE_OR_HIDDEN, BOTH },
    { ezw_string("sms"),       LOCAL_PHONE,           BOTH },
    { ezw_string("instagram"), LOCAL_NUMBER,          BOTH },
    { ezw_string("messenger"), LOCAL_NUMBER,          BOTH },
    { ezw_string("webchat"),   LOCAL_NUMBER,          BOTH },
    { ezw_string("twitter"),   LOCAL_NUMBER,          BOTH },
    { ezw_string("line"),      LOCAL_NUMBER,          BOTH },
    { ezw_string("gbm"),       LOCAL_UUID,            BOTH },
    { ezw_string("apple"),     LOCAL_UUID,            BOTH },
    { ezw_string("viber"),     LOCAL_VIBER,           BOTH },
    { ezw_string("agent"),     LOCAL_UUID,            EZW_JID_OTHER },
    { ezw_string("key"),       LOCAL_UUID,            EZW_JID_OTHER },
    { ezw_string("ai"),        LOCAL_EPOCH,           EZW_JID_OTHER },
    { ezw_string("label"),     LOCAL_EPOCH,           EZW_JID_OTHER },
    { ezw_string("team"),      LOCAL_EPOCH,           EZW_JID_OTHER },
    { ezw_string("list"),      LOCAL_EPOCH,           EZW_JID_OTHER }
};


static int is_known_local(const domain_t *domain, const ezw_str_t *local,
    ezw_jid_t *out);
static int is_digits(const ezw_str_t *s, size_t min, size_t max);
static int is_phone(const ezw_str_t *s, int64_t *phone);
static int is_hidden(const ezw_str_t *s);
static int is_uuid(const ezw_str_t *s);
static int is_of(const ezw_str_t *s, size_t max, const char *others);
static int is_alnum(unsigned char c);


/* Normalises src into dst (may be src->data) and fills *out, whose strings
 * point into dst; EZW_OK or EZW_INVALID. */
int
ezw_jid_parse(const ezw_jid_conf_t *conf, const ezw_str_t *src,
    unsigned char *dst, ezw_jid_t *out)
{
    size_t                i, n;
    unsigned char        *p;
    const unsigned char  *at;

    if (src->len == 0) {
        return EZW_INVALID;
    }

    at = memchr(src->data, '@', src->len);

    if (at == NULL) {
        return EZW_INVALID;
    }

    memmove(dst, src->data, src->len);

    out->jid.data = dst;
    out->jid.len = src->len;
    out->local.data = dst;
    out->local.len = at - src->data;
    out->domain.data = dst + out->local.len + 1;
    out->domain.len = src->len - out->local.len - 1;
    out->kind = 0;
    out->phone = 0;

    for (p = out->domain.data; p < dst + src->len; p++) {
        if (*p >= 'A' && *p <= 'Z') {
            *p |= 0x20;
        }
    }

    /* "domain" "." "suffix" */

    n = conf->suffix.len;

    if (out->domain.len < n + 2) {
        return EZW_INVALID;
    }

    p = dst + src->len - n;

    if (p[-1] != '.'
        || strncasecmp((char *) p, (char *) conf->suffix.data, n) != 0)
    {
        return EZW_INVALID;
    }

    out->domain.len -= n + 1;

    for (i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        if (domains[i].name.len == out->domain.len
            && memcmp(domains[i].name.data, out->domain.data,
                      out->domain.len)
               == 0)
        {
            return is_known_local(&domains[i], &out->local, out)
                   ? EZW_OK : EZW_INVALID;
        }
    }

    for (i = 0; i < conf->ncustom; i++) {
        if (conf->custom[i].len == out->domain.len
            && memcmp(conf->custom[i].data, out->domain.data,
                      out->domain.len)
               == 0)
        {
            out->kind = BOTH;
            return is_of(&out->local, 128, "._+=/-") ? EZW_OK : EZW_INVALID;
        }
    }

    return EZW_INVALID;
}


/* 1 when contact may be a contact of channel. */
int
ezw_jid_belongs(const ezw_jid_t *contact, const ezw_jid_t *channel)
{
    return (contact->kind & EZW_JID_CONTACT)
           && (channel->kind & EZW_JID_CHANNEL)
           && contact->domain.len == channel->domain.len
           && memcmp(contact->domain.data, channel->domain.data,
                     contact->domain.len)
              == 0;
}


/* 1 when local suits the domain; sets out->kind and out->phone. */
static int
is_known_local(const domain_t *domain, const ezw_str_t *local, ezw_jid_t *out)
{
    out->kind = domain->kind;

    switch (domain->local) {

    case LOCAL_PHONE_OR_HIDDEN:
        if (is_hidden(local)) {
            out->kind = EZW_JID_CONTACT;
            return 1;
        }

        /* fall through */

    case LOCAL_PHONE:
        return is_phone(local, &out->phone);

    case LOCAL_NUMBER:
        return is_digits(local, 1, 20);

    case LOCAL_EPOCH:
        return is_digits(local, 10, 19);

    case LOCAL_UUID:
        return is_uuid(local);

    case LOCAL_VIBER:
        return is_of(local, 64, "+/=_-");
    }

    return 0;
}


/* 1 when s is min to max digits. */
static int
is_digits(const ezw_str_t *s, size_t min, size_t max)
{
    size_t  i;

    if (s->len < min || s->len > max) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < '0' || s->data[i] > '9') {
            return 0;
        }
    }

    return 1;
}


/* 1 when s is an E.164 number without its plus; it goes to *phone. */
static int
is_phone(const ezw_str_t *s, int64_t *phone)
{
    size_t   i;
    int64_t  v;

    if (!is_digits(s, 7, 15) || s->data[0] == '0') {
        return 0;
    }

    v = 0;

    for (i = 0; i < s->len; i++) {
        v = v * 10 + (s->data[i] - '0');
    }

    *phone = v;

    return 1;
}


/* 1 when s is a business-scoped user id ("NL.ENT.4bTx") or "lid.12345". */
static int
is_hidden(const ezw_str_t *s)
{
    ezw_str_t  rest;

    if (s->len > 4 && memcmp(s->data, "lid.", 4) == 0) {
        rest.data = s->data + 4;
        rest.len = s->len - 4;

        return is_digits(&rest, 5, 20);
    }

    if (s->len < 4
        || s->data[0] < 'A' || s->data[0] > 'Z'
        || s->data[1] < 'A' || s->data[1] > 'Z'
        || s->data[2] != '.')
    {
        return 0;
    }

    rest.data = s->data + 3;
    rest.len = s->len - 3;

    if (rest.len > 4 && memcmp(rest.data, "ENT.", 4) == 0) {
        rest.data += 4;
        rest.len -= 4;
    }

    return is_of(&rest, 128, "");
}


/* 1 when s is a UUID in lower case. */
static int
is_uuid(const ezw_str_t *s)
{
    size_t         i;
    unsigned char  c;

    if (s->len != 36) {
        return 0;
    }

    for (i = 0; i < 36; i++) {
        c = s->data[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                return 0;
            }

        } else if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return 0;
        }
    }

    return 1;
}


/* 1 when s is 1 to max letters, digits and characters of `others`. */
static int
is_of(const ezw_str_t *s, size_t max, const char *others)
{
    size_t  i;

    if (s->len == 0 || s->len > max) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        if (!is_alnum(s->data[i])
            && (s->data[i] == '\0' || strchr(others, s->data[i]) == NULL))
        {
            return 0;
        }
    }

    return 1;
}


/* 1 for [A-Za-z0-9], whatever the locale. */
static int
is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9')
           || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z');
}

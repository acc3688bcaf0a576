/*
 * Strings that can be written in several ways and leave in one, so that the
 * database has no two of the same.
 */

#include "ezw_fields_value.h"
#include "ezw_id.h"
#include "ezw_time.h"


#define MAX_EMAIL    254
#define MAX_LOCAL    64
#define MAX_DOMAIN   190

#define KEY          32         /* bytes */
#define KEY_TEXT     44         /* of base64, one of them padding */
#define FINGERPRINT  23         /* "sha256:" and 16 digits */


static size_t write_time(const ezw_str_t *s, unsigned char *dst);
static size_t write_email(const ezw_str_t *s, unsigned char *dst);
static size_t write_key(const ezw_str_t *s, unsigned char *dst);
static size_t write_uuid(const ezw_str_t *s, unsigned char *dst);


/* Checks a string and sets its one form; EZW_OK, EZW_INVALID or EZW_ERROR. */
int
ezw_fields_form_check(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *value, ezw_invalid_t *why)
{
    int            rc;
    size_t         len;
    ezw_str_t      s;
    const char    *what;
    unsigned char  buf[MAX_EMAIL];

    if (!json_is_string(v)) {
        return ezw_fields_value_refuse(rule, "must be a string", why);
    }

    s.data = (unsigned char *) json_string_value(v);
    s.len = json_string_length(v);

    switch (rule->type) {

    case EZW_FIELD_TIME:
        len = write_time(&s, buf);
        what = "must be an RFC 3339 date-time";
        break;

    case EZW_FIELD_EMAIL:
        len = write_email(&s, buf);
        what = "must be an e-mail address";
        break;

    case EZW_FIELD_KEY:
        len = write_key(&s, buf);
        what = "is not base64 of 32 bytes";
        break;

    default: /* EZW_FIELD_UUID */
        len = write_uuid(&s, buf);
        what = "must be a uuid";
    }

    if (len == 0) {
        return ezw_fields_value_refuse(rule, what, why);
    }

    if (rule->type == EZW_FIELD_EMAIL) {

        if (rule->max > 0) {
            rc = ezw_fields_value_check_length(rule->name, 0, rule->max,
                                               (char *) s.data, s.len, why);

            if (rc != EZW_OK) {
                return rc;
            }
        }

        if (rule->flags & EZW_AS_WRITTEN) {
            return ezw_fields_value_set(conf, value, s.data, s.len);
        }
    }

    return ezw_fields_value_set(conf, value, buf, len);
}


/* 1 for what reads tell of a key. */
int
ezw_fields_form_is_fingerprint(const json_t *v)
{
    const char  *p;

    if (!json_is_string(v) || json_string_length(v) != FINGERPRINT) {
        return 0;
    }

    p = json_string_value(v);

    return strncmp(p, "sha256:", 7) == 0
           && strspn(p + 7, "0123456789abcdef") == FINGERPRINT - 7;
}


/* Writes a time in UTC; returns its length, 0: it is none.  Postgres knows no
 * year 0. */
static size_t
write_time(const ezw_str_t *s, unsigned char *dst)
{
    int64_t  us;

    if (ezw_time_parse(s, &us) != EZW_OK || ezw_time_write(dst, us) == NULL
        || memcmp(dst, "0000", 4) == 0)
    {
        return 0;
    }

    return EZW_TIME_LEN;
}


/* Writes an e-mail address in lower case; returns its length, 0: it is none.
 * ASCII only: of other letters the database may know another lower case. */
static size_t
write_email(const ezw_str_t *s, unsigned char *dst)
{
    size_t         i, label;
    unsigned char  c, *p, *at;

    if (s->len > MAX_EMAIL) {
        return 0;
    }

    at = NULL;
    label = 0;
    p = dst;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (c <= ' ' || c >= 0x7f) {
            return 0;
        }

        if (c >= 'A' && c <= 'Z') {
            c |= 0x20;
        }

        if (at == NULL) {
            if (c == '@') {
                at = p;
            }

        } else if (c == '.') {
            if (label == 0) {
                return 0;
            }

            label = 0;

        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                   || c == '-')
        {
            label++;

        } else {
            return 0;
        }

        *p++ = c;
    }

    if (label == 0 || at == dst || at - dst > MAX_LOCAL
        || p - at - 1 > MAX_DOMAIN)
    {
        return 0;
    }

    return s->len;
}


/* Writes a key in base64; returns its length, 0: it is none. */
static size_t
write_key(const ezw_str_t *s, unsigned char *dst)
{
    size_t         len;
    ezw_str_t      padded;
    unsigned char  text[KEY_TEXT], key[KEY_TEXT];

    if (s->len != KEY_TEXT && s->len != KEY_TEXT - 1) {
        return 0;
    }

    memcpy(text, s->data, s->len);

    if (s->len == KEY_TEXT - 1) {
        text[KEY_TEXT - 1] = '=';
    }

    padded.data = text;
    padded.len = KEY_TEXT;

    if (ezw_base64_parse(&padded, key, &len) != EZW_OK || len != KEY) {
        return 0;
    }

    return ezw_base64(dst, key, len);
}


/* Writes a uuid in lower case; returns its length, 0: it is none. */
static size_t
write_uuid(const ezw_str_t *s, unsigned char *dst)
{
    unsigned char  uuid[16];

    if (ezw_uuid_parse(s, uuid) != EZW_OK) {
        return 0;
    }

    ezw_uuid_text(dst, uuid);

    return EZW_UUID_LEN;
}

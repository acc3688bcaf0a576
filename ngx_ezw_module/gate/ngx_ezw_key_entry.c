/*
 * A key's entry in the zone: made of the database's row, and made into a
 * request's principal.
 */

#include "base/ezw_time.h"
#include "gate/ngx_ezw_gate.h"


typedef enum {
    STRING_ID = 0,
    STRING_COMPANY,
    STRING_CHANNELS,
    STRING_COMPANIES,
    STRING_ASSISTANT,
    STRING_ACTOR,
    STRING_JSON_BEFORE,
    STRING_JSON_AFTER,
    STRING_WHITELIST,               /* of ezw_cidr_t */
    STRINGS
} string_e;


static ssize_t networks(const u_char *literal, size_t len, u_char *dst,
    size_t size);
static ssize_t array_literal(ngx_str_t *binary, ngx_uint_t uuids, u_char *dst,
    size_t size);
static int fixed_full(ezw_writer_t *w, size_t need);
static void write_number(ezw_writer_t *w, ngx_ezw_pg_query_t *q,
    const char *column);
static ssize_t write_before(ngx_ezw_pg_query_t *q, u_char *dst, size_t size);
static ssize_t write_after(ngx_ezw_pg_query_t *q, u_char *dst, size_t size,
    const u_char *whitelist, size_t len);
static int64_t unix_ms(ngx_ezw_pg_query_t *q, const char *column);


u_char *
ngx_ezw_entry_put(u_char *p, u_char *end, const u_char *s, size_t len,
    ngx_uint_t null)
{
    uint32_t  n;

    if (p == NULL || (size_t) (end - p) < sizeof(uint32_t) + len + 1) {
        return NULL;
    }

    n = null ? UINT32_MAX : (uint32_t) len;
    p = ngx_cpymem(p, &n, sizeof(uint32_t));

    if (null) {
        return p;
    }

    p = ngx_cpymem(p, s, len);
    *p++ = '\0';

    return p;
}


/*
 * Postgres's binary array of text or uuid to the text form that goes back as a
 * parameter: {"a","b"}.  JIDs and uuids need no escapes; what does is refused.
 * Returns the length or -1.
 */
static ssize_t
array_literal(ngx_str_t *binary, ngx_uint_t uuids, u_char *dst, size_t size)
{
    u_char    *p, *end, *d, *dend;
    int32_t    len;
    uint32_t   head[5], i, n;

    p = binary->data;
    end = p + binary->len;
    d = dst;
    dend = dst + size;

    if (size < 3) {
        return -1;
    }

    *d++ = '{';

    if (binary->len >= 20) {
        for (i = 0; i < 5; i++, p += 4) {
            head[i] = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
                      | (uint32_t) p[2] << 8 | p[3];
        }

        if (head[0] != 1) {
            return -1;
        }

        n = head[3];

        for (i = 0; i < n; i++) {
            if (end - p < 4) {
                return -1;
            }

            len = (int32_t) ((uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
                             | (uint32_t) p[2] << 8 | p[3]);
            p += 4;

            if (len < 0 || end - p < len || dend - d < len * 2 + 48) {
                return -1;
            }

            if (i) {
                *d++ = ',';
            }

            *d++ = '"';

            if (uuids) {
                if (len != 16) {
                    return -1;
                }
                ezw_uuid_text(d, p);
                d += EZW_UUID_LEN;

            } else {
                if (ngx_strlchr(p, p + len, '"')
                    || ngx_strlchr(p, p + len, '\\'))
                {
                    return -1;
                }
                d = ngx_cpymem(d, p, len);
            }

            *d++ = '"';
            p += len;
        }
    }

    *d++ = '}';

    return d - dst;
}


static void
write_number(ezw_writer_t *w, ngx_ezw_pg_query_t *q, const char *column)
{
    if (ngx_ezw_pg_null(q, 0, column)) {
        ezw_json_literal(w, "null");
    } else {
        ezw_json_int(w, ngx_ezw_pg_int(q, 0, column));
    }
}


static int
fixed_full(ezw_writer_t *w, size_t need)
{
    return EZW_ERROR;
}


/* The whitelist, {"a","b"}, as networks.  Returns the bytes or -1. */
static ssize_t
networks(const u_char *literal, size_t len, u_char *dst, size_t size)
{
    u_char        *d;
    ezw_str_t      s;
    ezw_cidr_t     network;
    const u_char  *p, *end, *quote;

    d = dst;
    end = literal + len;

    for (p = literal; p < end; p = quote + 1) {

        p = ngx_strlchr((u_char *) p, (u_char *) end, '"');
        if (p == NULL) {
            break;
        }

        p++;
        quote = ngx_strlchr((u_char *) p, (u_char *) end, '"');

        if (quote == NULL) {
            return -1;
        }

        s.data = (u_char *) p;
        s.len = quote - p;

        if (ezw_cidr_parse(&s, &network) != EZW_OK
            || (size_t) (dst + size - d) < sizeof(ezw_cidr_t))
        {
            return -1;
        }

        d = ngx_cpymem(d, &network, sizeof(ezw_cidr_t));
    }

    return d - dst;
}


/* GET keys/current up to the value of lastUsed. */
static ssize_t
write_before(ngx_ezw_pg_query_t *q, u_char *dst, size_t size)
{
    ngx_str_t     s;
    ezw_writer_t  w;

    ngx_memzero(&w, sizeof(ezw_writer_t));
    w.pos = dst;
    w.end = dst + size;
    w.more = fixed_full;

    ezw_json_literal(&w, "{\"burst\":");
    write_number(&w, q, "burst");
    ezw_json_literal(&w, ",\"cipherKey\":");

    if (ngx_ezw_pg_null(q, 0, "cipher_fingerprint")) {
        ezw_json_literal(&w, "null");
    } else {
        s = ngx_ezw_pg_str(q, 0, "cipher_fingerprint");
        ezw_json_string(&w, s.data, s.len);
    }

    ezw_json_literal(&w, ",\"description\":");

    if (ngx_ezw_pg_null(q, 0, "description")) {
        ezw_json_literal(&w, "null");
    } else {
        s = ngx_ezw_pg_str(q, 0, "description");
        ezw_json_string(&w, s.data, s.len);
    }

    /* answered to nobody but an enabled key */
    ezw_json_literal(&w, ",\"enabled\":true,\"expiresAt\":");

    if (ngx_ezw_pg_null(q, 0, "expires_at")) {
        ezw_json_literal(&w, "null");
    } else {
        ezw_json_timestamp(&w, ngx_ezw_pg_int(q, 0, "expires_at"));
    }

    ezw_json_literal(&w, ",\"id\":");
    s = ngx_ezw_pg_str(q, 0, "id");
    ezw_json_uuid(&w, s.data);
    ezw_json_literal(&w, ",\"lastUsed\":");

    return w.failed ? -1 : w.pos - dst;
}


/* And from there to its end; whitelist is an array literal. */
static ssize_t
write_after(ngx_ezw_pg_query_t *q, u_char *dst, size_t size,
    const u_char *whitelist, size_t len)
{
    ngx_str_t     s;
    ezw_writer_t  w;

    ngx_memzero(&w, sizeof(ezw_writer_t));
    w.pos = dst;
    w.end = dst + size;
    w.more = fixed_full;

    s = ngx_ezw_pg_str(q, 0, "objects");

    ezw_json_literal(&w, ",\"objects\":");

    if (s.len) {
        ezw_json_raw(&w, s.data, s.len);
    } else {
        ezw_json_literal(&w, "[]");
    }

    s = ngx_ezw_pg_str(q, 0, "prefix");

    ezw_json_literal(&w, ",\"prefix\":");
    ezw_json_string(&w, s.data, s.len);
    ezw_json_literal(&w, ",\"ratePerMinute\":");
    write_number(&w, q, "rate_per_minute");

    s = ngx_ezw_pg_str(q, 0, "scope");

    ezw_json_literal(&w, ",\"scope\":");
    ezw_json_string(&w, s.data, s.len);
    ezw_json_literal(&w, ",\"whitelist\":");

    if (whitelist == NULL) {
        ezw_json_literal(&w, "null");

    } else {
        /* {"a","b"} to ["a","b"] */
        ezw_json_literal(&w, "[");
        ezw_json_raw(&w, whitelist + 1, len - 2);
        ezw_json_literal(&w, "]");
    }

    ezw_json_literal(&w, "}");

    return w.failed ? -1 : w.pos - dst;
}


static int64_t
unix_ms(ngx_ezw_pg_query_t *q, const char *column)
{
    if (ngx_ezw_pg_null(q, 0, column)) {
        return 0;
    }

    return ngx_ezw_pg_int(q, 0, column) / 1000 + EZW_PG_EPOCH_S * 1000;
}


ssize_t
ngx_ezw_key_encode(ngx_ezw_pg_query_t *q, const ezw_str_t *suffix,
    u_char *buf)
{
    u_char               *p, *end, actor[EZW_UUID_LEN + 300];
    size_t                len;
    ssize_t               n;
    ngx_str_t             s;
    ezw_str_t             name;
    ngx_uint_t            null;
    ngx_ezw_key_entry_t   e;

    static u_char         text[NGX_EZW_KEY_MAX];
    static u_char         list[NGX_EZW_KEY_MAX];

    if (ngx_ezw_pg_null(q, 0, "id")) {
        return 0;
    }

    ngx_memzero(&e, sizeof(ngx_ezw_key_entry_t));

    s = ngx_ezw_pg_str(q, 0, "id");
    if (s.len != 16) {
        return -1;
    }
    ngx_memcpy(e.id, s.data, 16);

    s = ngx_ezw_pg_str(q, 0, "company");
    if (s.len != 16) {
        return -1;
    }
    ngx_memcpy(e.company, s.data, 16);

    s = ngx_ezw_pg_str(q, 0, "scope");
    name.data = s.data;
    name.len = s.len;
    e.scope = (uint8_t) ezw_scope_parse(&name);

    e.last_used = (uint64_t) unix_ms(q, "last_used");
    e.expires = unix_ms(q, "expires_at");

    if (e.expires == 0 && !ngx_ezw_pg_null(q, 0, "expires_at")) {
        e.expires = -1;               /* 1970 began then: 0 is never */
    }

    e.seq = (uint64_t) ngx_ezw_pg_int(q, 0, "seq");

    e.per_minute = (uint32_t) ngx_ezw_pg_int(q, 0, "rate_per_minute");
    e.burst = (uint32_t) ngx_ezw_pg_int(q, 0, "burst");

    if (e.per_minute && e.burst == 0) {
        e.burst = ngx_max(e.per_minute / 10, 1);     /* six seconds' */
    }

    if (ngx_ezw_pg_int(q, 0, "enabled")) {
        e.flags |= NGX_EZW_KEY_ENABLED;
    }

    if (ngx_ezw_pg_int(q, 0, "company_active")) {
        e.flags |= NGX_EZW_KEY_COMPANY;
    }

    if (ngx_ezw_pg_null(q, 0, "assistant")
        || ngx_ezw_pg_int(q, 0, "assistant_enabled"))
    {
        e.flags |= NGX_EZW_KEY_ASSISTANT;
    }

    p = ngx_cpymem(buf, &e, sizeof(ngx_ezw_key_entry_t));
    end = buf + NGX_EZW_KEY_MAX;

    ezw_uuid_text(text, e.id);
    p = ngx_ezw_entry_put(p, end, text, EZW_UUID_LEN, 0);

    ezw_uuid_text(text, e.company);
    p = ngx_ezw_entry_put(p, end, text, EZW_UUID_LEN, 0);

    null = ngx_ezw_pg_null(q, 0, "channels");
    s = ngx_ezw_pg_str(q, 0, "channels");
    n = array_literal(&s, 0, text, sizeof(text));
    if (n < 0) {
        return -1;
    }
    p = ngx_ezw_entry_put(p, end, text, n, null);

    s = ngx_ezw_pg_str(q, 0, "companies");
    n = array_literal(&s, 1, text, sizeof(text));
    if (n < 0) {
        return -1;
    }
    p = ngx_ezw_entry_put(p, end, text, n, 0);

    null = ngx_ezw_pg_null(q, 0, "assistant");
    s = ngx_ezw_pg_str(q, 0, "assistant");
    p = ngx_ezw_entry_put(p, end, s.data, s.len, null);

    /* who acted: the assistant it is, or the key (DECISIONS 8) */

    if (null) {
        ezw_uuid_text(actor, e.id);
        s.data = actor;
        s.len = ngx_snprintf(actor + EZW_UUID_LEN,
                             sizeof(actor) - EZW_UUID_LEN, "@key.%*s",
                             suffix->len, suffix->data)
                - actor;
    }
    p = ngx_ezw_entry_put(p, end, s.data, s.len, 0);

    n = write_before(q, text, sizeof(text));
    if (n < 0) {
        return -1;
    }
    p = ngx_ezw_entry_put(p, end, text, n, 0);

    null = ngx_ezw_pg_null(q, 0, "whitelist");
    s = ngx_ezw_pg_str(q, 0, "whitelist");
    n = array_literal(&s, 0, list, sizeof(list));
    if (n < 0) {
        return -1;
    }
    len = n;
    n = write_after(q, text, sizeof(text), null ? NULL : list, len);
    if (n < 0) {
        return -1;
    }
    p = ngx_ezw_entry_put(p, end, text, n, 0);

    n = networks(list, len, text, sizeof(text));
    if (n < 0) {
        return -1;
    }
    p = ngx_ezw_entry_put(p, end, text, n, null);

    return p ? p - buf : -1;
}


ngx_int_t
ngx_ezw_entry_strings(ngx_pool_t *pool, const u_char *src, size_t len,
    ngx_str_t *s, ngx_uint_t n)
{
    u_char      *p, *end;
    uint32_t     size;
    ngx_uint_t   i;

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, src, len);
    end = p + len;

    for (i = 0; i < n; i++) {

        if ((size_t) (end - p) < sizeof(uint32_t)) {
            return NGX_ERROR;
        }

        ngx_memcpy(&size, p, sizeof(uint32_t));
        p += sizeof(uint32_t);

        if (size == UINT32_MAX) {
            s[i].len = 0;
            s[i].data = NULL;
            continue;
        }

        if ((size_t) (end - p) <= size) {
            return NGX_ERROR;
        }

        s[i].len = size;
        s[i].data = p;
        p += size + 1;
    }

    return NGX_OK;
}


ngx_ezw_principal_t *
ngx_ezw_key_principal(ngx_pool_t *pool, const u_char *entry, size_t len)
{
    ngx_str_t                   s[STRINGS];
    ngx_ezw_principal_t        *who;
    const ngx_ezw_key_entry_t  *e;

    e = (const ngx_ezw_key_entry_t *) entry;

    who = ngx_pcalloc(pool, sizeof(ngx_ezw_principal_t));

    if (who == NULL
        || ngx_ezw_entry_strings(pool, entry + sizeof(ngx_ezw_key_entry_t),
                                 len - sizeof(ngx_ezw_key_entry_t), s, STRINGS)
           != NGX_OK)
    {
        return NULL;
    }

    who->id = s[STRING_ID];
    who->company = s[STRING_COMPANY];
    who->scope = e->scope;
    who->last_used = e->last_used;
    who->channels = s[STRING_CHANNELS];
    who->companies = s[STRING_COMPANIES];
    who->assistant = s[STRING_ASSISTANT];
    who->actor = s[STRING_ACTOR];
    who->json[0] = s[STRING_JSON_BEFORE];
    who->json[1] = s[STRING_JSON_AFTER];
    who->whitelist = s[STRING_WHITELIST];

    return who;
}

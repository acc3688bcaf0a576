/*
 * API keys: from the header to a digest, to the zone's entry or the look-up
 * that makes one, to the request's principal.  The key itself is never kept,
 * logged or compared.
 */

#include "gate/ngx_ezw_gate.h"


#define KEY_LENGTH   40
#define NEGATIVE_MS  5000         /* how long "no such key" is believed */
#define DENIED_MS    600000       /* one audit row for a key and an address */
#define FLIGHTS      256


/* What "no such key" keeps in the zone. */
typedef struct {
    uint64_t              until;         /* ngx_current_msec */
    uint64_t              seq;
} note_t;


/* A look-up of the parked request. */
typedef struct {
    u_char                digest[32];
    const char           *values[1];
    u_char                text[65];
    ngx_queue_t           queue;         /* of those under way */
} lookup_t;


/* One that may want an audit row. */
typedef struct {
    uint64_t              now;
    ngx_uint_t            first;
} denial_t;


/* An audit row that outlives its request. */
typedef struct {
    ngx_ezw_pg_query_t    query;
    const char           *values[5];
    u_char                company[EZW_UUID_LEN + 1];
    u_char                key[EZW_UUID_LEN + 1];
    u_char                id[EZW_UUID_LEN + 1];
    u_char                trace[33];
    u_char                address[NGX_SOCKADDR_STRLEN + 1];
} denied_t;


static ngx_uint_t well_formed(ngx_str_t *bearer);
static ngx_int_t unknown(ngx_ezw_ctx_t *ctx);
static ngx_int_t without_database(ngx_ezw_ctx_t *ctx, const u_char *digest,
    const ngx_ezw_error_t *error);
static ngx_uint_t under_way(const u_char *digest);
static void add_flight(lookup_t *lookup);
static void end_flight(void *data);
static void key_found(ngx_ezw_ctx_t *ctx);
static ngx_int_t accept_entry(ngx_ezw_ctx_t *ctx, const u_char *digest,
    const u_char *entry, size_t len);
static ngx_int_t check_address(ngx_ezw_ctx_t *ctx);
static void apply_denied(void *value, void *data);
static void audit_denied(ngx_ezw_ctx_t *ctx, ngx_str_t *address);
static void set_value(denied_t *denied, const char *name, u_char *value);
static void denied_done(ngx_ezw_pg_query_t *q);


static ngx_ezw_pg_statement_t  *key_principal;
static ngx_ezw_pg_statement_t  *key_denied;

/* An entry between the zone and the request's pool: filled and used up within
 * one turn. */
static uint64_t  buf[NGX_EZW_KEY_MAX / 8];

/* Look-ups of this worker that are under way, by their digest's first byte. */
static ngx_queue_t  flights[FLIGHTS];


ngx_int_t
ngx_ezw_key_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    static const char *const  of_key[] = { "hash", NULL };
    static const char *const  of_denied[] = {
        "company", "key", "address", "trace", "id", NULL
    };

    key_principal = ngx_ezw_gate_statement(cf, emcf, "key_principal", of_key);
    key_denied = ngx_ezw_gate_statement(cf, emcf, "key_denied", of_denied);

    return key_principal && key_denied ? NGX_OK : NGX_ERROR;
}


/* Of nothing else is a digest made: other entries of the zone have names, too,
 * that somebody may know. */
static ngx_uint_t
well_formed(ngx_str_t *bearer)
{
    u_char      c;
    uint32_t    all;
    ngx_uint_t  i;

    static const uint32_t  alphabet[] = {
        0x00000000, /* 0000 0000 0000 0000  0000 0000 0000 0000 */

                    /* ?>=< ;:98 7654 3210  /.-, +*)( '&%$ #"!  */
        0x03ff0000, /* 0000 0011 1111 1111  0000 0000 0000 0000 */

                    /* _^]\ [ZYX WVUT SRQP  ONML KJIH GFED CBA@ */
        0x07fffffe, /* 0000 0111 1111 1111  1111 1111 1111 1110 */

                    /*  ~}| {zyx wvut srqp  onml kjih gfed cba` */
        0x07fffffe, /* 0000 0111 1111 1111  1111 1111 1111 1110 */

        0, 0, 0, 0
    };

    if (bearer->len != KEY_LENGTH) {
        return 0;
    }

    /* without a branch for each: this runs for every request */

    for (all = 1, i = 0; i < KEY_LENGTH; i++) {
        c = bearer->data[i];
        all &= alphabet[c >> 5] >> (c & 0x1f);
    }

    return all;
}


ngx_int_t
ngx_ezw_key_identify(ngx_ezw_ctx_t *ctx, ngx_str_t *bearer)
{
    u_char                  digest[32];
    note_t                 *note;
    ssize_t                 len;
    lookup_t               *lookup;
    ngx_int_t               rc;
    ngx_uint_t              cls;
    ngx_pool_cleanup_t     *cln;
    const ngx_ezw_error_t  *error;

    if (!well_formed(bearer)) {
        return unknown(ctx);
    }

    if (ngx_ezw_digest("", bearer->data, KEY_LENGTH, digest) != NGX_OK) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    if (ngx_ezw_change_fresh(ctx->conf, 0)) {

        len = ngx_ezw_zone_get(ctx->conf->keys, digest, (u_char *) buf,
                               sizeof(buf), 0, ngx_ezw_now(), &cls);

        if (len >= 0 && cls == NGX_EZW_ZONE_GOOD) {
            return accept_entry(ctx, digest, (u_char *) buf, len);
        }

        if (len == sizeof(note_t)) {
            note = (note_t *) buf;

            if (note->until > (uint64_t) ngx_current_msec) {
                return unknown(ctx);
            }
        }
    }

    /* many at once with one key that is not in the zone are no guessing: the
     * first of them is counted, and their answer is in the zone next time */

    if (!under_way(digest)) {
        rc = ngx_ezw_gate_unknown(ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    lookup = ngx_palloc(ctx->request->pool, sizeof(lookup_t));
    cln = ngx_pool_cleanup_add(ctx->request->pool, 0);

    if (lookup == NULL || cln == NULL) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    ngx_memcpy(lookup->digest, digest, 32);
    ezw_hex(lookup->text, digest, 32);
    lookup->text[64] = '\0';
    lookup->values[0] = (char *) lookup->text;

    ctx->gate = lookup;
    ctx->query.statement = key_principal;
    ctx->query.values = lookup->values;
    ctx->query.lane = NGX_EZW_PG_READ;
    ctx->query.write = 0;
    ctx->query.order = 0;

    error = ctx->error;

    if (ngx_ezw_park(ctx, key_found) != NGX_OK) {
        return without_database(ctx, digest, error);
    }

    add_flight(lookup);

    cln->handler = end_flight;
    cln->data = lookup;

    return NGX_AGAIN;
}


static ngx_uint_t
under_way(const u_char *digest)
{
    lookup_t     *lookup;
    ngx_queue_t  *head, *q;

    head = &flights[digest[0] % FLIGHTS];

    if (head->next == NULL) {
        return 0;                     /* there has never been one */
    }

    for (q = ngx_queue_head(head); q != head; q = ngx_queue_next(q)) {
        lookup = ngx_queue_data(q, lookup_t, queue);

        if (ngx_memcmp(lookup->digest, digest, 32) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
add_flight(lookup_t *lookup)
{
    ngx_queue_t  *head;

    head = &flights[lookup->digest[0] % FLIGHTS];

    if (head->next == NULL) {
        ngx_queue_init(head);
    }

    ngx_queue_insert_tail(head, &lookup->queue);
}


/* Its answer is here, or its request has gone; called for both. */
static void
end_flight(void *data)
{
    lookup_t  *lookup = data;

    if (lookup->queue.next) {
        ngx_queue_remove(&lookup->queue);
        lookup->queue.next = NULL;
    }
}


/* A known key may still pass for a while (ezw_gate_stale); but not with an
 * error of the path's, which the database's may have taken the place of. */
static ngx_int_t
without_database(ngx_ezw_ctx_t *ctx, const u_char *digest,
    const ngx_ezw_error_t *error)
{
    ssize_t     len;
    ngx_uint_t  cls;

    ngx_ezw_gate_known(ctx);

    if (error == NULL && ctx->conf->gate_stale
        && ngx_ezw_change_fresh(ctx->conf, ctx->conf->gate_stale))
    {
        len = ngx_ezw_zone_get(ctx->conf->keys, digest, (u_char *) buf,
                               sizeof(buf), 0, ngx_ezw_now(), &cls);

        if (len >= 0 && cls == NGX_EZW_ZONE_GOOD) {
            ctx->error = NULL;
            return accept_entry(ctx, digest, (u_char *) buf, len);
        }
    }

    if (ctx->error == error) {
        (void) ngx_ezw_refuse(ctx, &ngx_ezw_unavailable, NULL, NULL);
    }

    ctx->verdict = "unavailable";
    ctx->verdict_status = ctx->error->status;

    return ctx->verdict_status;
}


/* Of no key, whatever is wrong with it, more is said. */
static ngx_int_t
unknown(ngx_ezw_ctx_t *ctx)
{
    return ngx_ezw_gate_refuse(ctx, &ngx_ezw_unauthorized, "bad_key",
                               "Unauthorized: unknown API key");
}


/* The look-up is back: remembers it, then goes on through the phases. */
static void
key_found(ngx_ezw_ctx_t *ctx)
{
    note_t                note;
    ssize_t               len;
    lookup_t             *lookup;
    uint64_t              last_used;
    ngx_ezw_pg_query_t   *q;
    ngx_ezw_key_entry_t  *e;

    q = &ctx->query;
    lookup = ctx->gate;

    end_flight(lookup);

    if (q->rc != NGX_EZW_PG_DONE) {
        ngx_ezw_pg_query_clear(q);

        if (without_database(ctx, lookup->digest, ctx->error) == NGX_AGAIN) {
            return;
        }

        goto done;
    }

    len = ngx_ezw_key_encode(q, &ctx->conf->jids.suffix, (u_char *) buf);

    if (len < 0) {
        ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                      "a key's principal does not fit its entry");
        (void) ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
        goto done;
    }

    if (len == 0) {
        note.until = (uint64_t) ngx_current_msec + NEGATIVE_MS;
        note.seq = (uint64_t) ngx_ezw_pg_int(q, 0, "seq");

        ngx_ezw_change_put(ctx->conf, ctx->conf->keys, lookup->digest,
                           (u_char *) &note, sizeof(note_t),
                           NGX_EZW_ZONE_NEGATIVE, note.seq);

        (void) unknown(ctx);
        goto done;
    }

    ngx_ezw_gate_known(ctx);

    /* this is a use too, of which the next answer tells */

    e = (ngx_ezw_key_entry_t *) buf;
    last_used = e->last_used;
    e->last_used = ngx_ezw_now();

    ngx_ezw_change_put(ctx->conf, ctx->conf->keys, lookup->digest,
                       (u_char *) buf, len, NGX_EZW_ZONE_GOOD, e->seq);

    e->last_used = last_used;

    ngx_ezw_pg_query_clear(q);

    if (accept_entry(ctx, lookup->digest, (u_char *) buf, len) == NGX_AGAIN) {
        return;
    }

done:

    ngx_ezw_pg_query_clear(q);
    ngx_ezw_run_phases(ctx);
}


/* The key is known: is it in force, from here, so fast, and may it. */
static ngx_int_t
accept_entry(ngx_ezw_ctx_t *ctx, const u_char *digest, const u_char *entry,
    size_t len)
{
    ngx_int_t                   rc;
    ngx_ezw_rate_t             *rate, own;
    ngx_ezw_loc_conf_t         *elcf;
    const ngx_ezw_key_entry_t  *e;

    e = (const ngx_ezw_key_entry_t *) entry;

    if (!(e->flags & NGX_EZW_KEY_ENABLED)) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_unauthorized, "disabled",
                                   "Unauthorized: the API key is disabled");
    }

    if (e->expires && (int64_t) ngx_ezw_now() >= e->expires) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_unauthorized, "expired",
                                   "Unauthorized: the API key has expired");
    }

    ctx->principal = ngx_ezw_key_principal(ctx->request->pool, entry, len);
    if (ctx->principal == NULL) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    ngx_ezw_gate_company(ctx, ctx->principal->company.data);

    if (!(e->flags & NGX_EZW_KEY_COMPANY)) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "company",
                                   "Access denied: the company is blocked");
    }

    if (!(e->flags & NGX_EZW_KEY_ASSISTANT)) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "assistant",
                                   "Access denied: the assistant is disabled");
    }

    if (ctx->principal->whitelist.data) {
        rc = check_address(ctx);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    elcf = ngx_http_get_module_loc_conf(ctx->request, ngx_ezw_module);
    rate = elcf->rates[NGX_EZW_RATE_KEY];

    if (e->per_minute) {
        if (ngx_ezw_rate_own(ctx->request->pool, e->per_minute, e->burst, &own)
            != NGX_OK)
        {
            return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
        }
        rate = &own;
    }

    rc = ngx_ezw_gate_pace(ctx, rate, digest);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_ezw_gate_authorize(ctx);
}


/* The client's address, as realip has left it, in the key's whitelist. */
static ngx_int_t
check_address(ngx_ezw_ctx_t *ctx)
{
    u_char       canonical[EZW_CIDR_LEN];
    ngx_str_t   *s, text;
    ngx_uint_t   i;
    ezw_cidr_t   address, *network;

    s = &ctx->principal->whitelist;
    network = (ezw_cidr_t *) s->data;

    if (ngx_ezw_address(ctx->request->connection, &address) == NGX_OK) {

        for (i = 0; i < s->len / sizeof(ezw_cidr_t); i++) {
            if (ezw_cidr_match(&network[i], &address)) {
                return NGX_OK;
            }
        }

        /* as it would stand in the list: IPv4 is not told as mapped IPv6 */

        text.data = canonical;
        text.len = ezw_cidr_text(canonical, &address);

    } else {
        text = ctx->request->connection->addr_text;
    }

    audit_denied(ctx, &text);

    return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "address",
                               "IP %V is not whitelisted", &text);
}


/* Until when the next row has to wait: the first who asks may write it. */
static void
apply_denied(void *value, void *data)
{
    uint64_t  *until = value;
    denial_t  *d = data;

    d->first = (*until <= d->now);

    if (d->first) {
        *until = d->now + DENIED_MS;
    }
}


/* One row in ten minutes for a key and an address (of IPv6 a /64, of which a
 * client has all); the answer does not wait for it. */
static void
audit_denied(ngx_ezw_ctx_t *ctx, ngx_str_t *address)
{
    u_char      digest[32], from[32], id[16], rnd[10];
    denial_t    d;
    denied_t   *denied;
    ngx_str_t   parts[3];

    if (ctx->conf->pg == NULL
        || ngx_ezw_rate_address(ctx, from) != NGX_OK)
    {
        return;
    }

    ngx_str_set(&parts[0], "denied");
    parts[1] = ctx->principal->id;
    parts[2].data = from;
    parts[2].len = sizeof(from);

    d.now = (uint64_t) ngx_current_msec;

    if (ngx_ezw_digest_parts(parts, 3, digest) != NGX_OK
        || ngx_ezw_zone_apply(ctx->conf->keys, digest, sizeof(uint64_t),
                              NGX_EZW_ZONE_NEGATIVE, apply_denied, &d)
           != NGX_OK
        || !d.first)
    {
        return;
    }

    if (ngx_ezw_random(rnd, sizeof(rnd)) != NGX_OK) {
        return;
    }

    denied = ngx_calloc(sizeof(denied_t), ctx->request->connection->log);
    if (denied == NULL) {
        return;
    }

    ezw_uuid7(id, ngx_ezw_now(), rnd);

    ngx_cpystrn(denied->company, ctx->company, sizeof(denied->company));
    ngx_cpystrn(denied->key, ctx->principal->id.data, sizeof(denied->key));
    ngx_cpystrn(denied->trace, ctx->trace, sizeof(denied->trace));
    ngx_cpystrn(denied->address, address->data,
                ngx_min(address->len + 1, sizeof(denied->address)));
    ezw_uuid_text(denied->id, id);

    set_value(denied, "company", denied->company);
    set_value(denied, "key", denied->key);
    set_value(denied, "address", denied->address);
    set_value(denied, "trace", denied->trace);
    set_value(denied, "id", denied->id);

    denied->query.statement = key_denied;
    denied->query.values = denied->values;
    denied->query.handler = denied_done;
    denied->query.data = denied;
    denied->query.lane = NGX_EZW_PG_WRITE;
    denied->query.write = 1;

    if (ngx_ezw_pg_submit(ctx->conf->pg, &denied->query) != NGX_OK) {
        ngx_free(denied);
    }
}


static void
set_value(denied_t *denied, const char *name, u_char *value)
{
    denied->values[ngx_ezw_pg_param(key_denied, name)] = (char *) value;
}


static void
denied_done(ngx_ezw_pg_query_t *q)
{
    denied_t  *denied = q->data;

    ngx_ezw_pg_query_clear(q);
    ngx_free(denied);
}

/*
 * The change sequence: what makes the caches of every node forget.
 *
 * One worker of the node leads, elected through words of the key zone for a
 * term of a few seconds.  Once a second it asks for the changes after those
 * applied, removes what they name from the zone and notes the time of the look.
 * No look for two seconds: nobody believes the zone any more.  It also writes
 * the keys' last use back, in batches.
 *
 * Timers here are cancelable: a worker that shuts down is not held up.
 */

#include "gate/ngx_ezw_gate.h"


#define TICK_MS       250
#define POLL_MS       1000
#define TERM_MS       3000
#define FLUSH_MS      30000
#define FLUSH_KEYS    2048        /* written back at once */


typedef struct {
    ngx_ezw_main_conf_t  *conf;
    ngx_event_t           timer;
    ngx_ezw_pg_query_t    poll;
    ngx_ezw_pg_query_t    flush;
    const char           *poll_values[1];
    const char           *flush_values[1];
    u_char                after[NGX_INT64_LEN + 1];
    u_char               *used;          /* the batch's JSON */
    ngx_msec_t            asked;         /* when the poll left */
    ngx_msec_t            next_poll;
    ngx_msec_t            next_flush;
    uint64_t              flush_mark;
    unsigned              polling:1;
    unsigned              flushing:1;
    unsigned              leads:1;
} watch_t;


static ngx_ezw_pg_statement_t  *changes_since;
static ngx_ezw_pg_statement_t  *keys_used;
static watch_t                  watch;


static void tick(ngx_event_t *ev);
static ngx_uint_t lead(void);
static void poll_start(void);
static void poll_done(ngx_ezw_pg_query_t *q);
static ngx_uint_t is(ngx_str_t *kind, const char *name);
static void apply(ngx_str_t *kind, ngx_str_t *ref);
static void forget_people(size_t at, ngx_str_t *ref);
static void flush_start(void);
static void flush_done(ngx_ezw_pg_query_t *q);


ngx_int_t
ngx_ezw_change_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    static const char *const  of_changes[] = { "after", NULL };
    static const char *const  of_keys[] = { "used", NULL };

    changes_since = ngx_ezw_gate_statement(cf, emcf, "changes_since",
                                           of_changes);
    keys_used = ngx_ezw_gate_statement(cf, emcf, "keys_used", of_keys);

    if (changes_since == NULL || keys_used == NULL) {
        return NGX_ERROR;
    }

    return ngx_ezw_reseal_conf(cf, emcf);
}


ngx_int_t
ngx_ezw_change_start(ngx_cycle_t *cycle, ngx_ezw_main_conf_t *emcf)
{
    ngx_memzero(&watch, sizeof(watch_t));

    watch.conf = emcf;
    watch.timer.handler = tick;
    watch.timer.data = &watch;
    watch.timer.log = cycle->log;
    watch.timer.cancelable = 1;
    watch.next_poll = ngx_current_msec;
    watch.next_flush = ngx_current_msec + FLUSH_MS;

    ngx_add_timer(&watch.timer, 1);

    return NGX_OK;
}


ngx_uint_t
ngx_ezw_change_fresh(ngx_ezw_main_conf_t *emcf, ngx_msec_t grace)
{
    ngx_msec_t  polled;

    polled = (ngx_msec_t) *ngx_ezw_zone_word(emcf->keys, NGX_EZW_WORD_POLLED);

    /* another worker's clock may be a turn of its event loop ahead */

    return polled != 0
           && (ngx_msec_int_t) (ngx_current_msec - polled)
              <= (ngx_msec_int_t) (NGX_EZW_FRESH + grace);
}


void
ngx_ezw_change_put(ngx_ezw_main_conf_t *emcf, ngx_ezw_zone_t *z,
    const u_char *digest, const u_char *entry, size_t len, ngx_uint_t cls,
    uint64_t seq)
{
    ngx_atomic_t  *applied;

    applied = ngx_ezw_zone_word(emcf->keys, NGX_EZW_WORD_SEQ);

    /* read before a change that has been applied meanwhile: not to be kept */

    if (seq < (uint64_t) *applied) {
        return;
    }

    (void) ngx_ezw_zone_put(z, digest, entry, len, cls);

    /* the same change may have been applied between the two lines above */

    if (seq < (uint64_t) *applied) {
        (void) ngx_ezw_zone_remove(z, digest);
    }
}


ngx_uint_t
ngx_ezw_change_leads(void)
{
    return watch.leads;
}


/* Takes or keeps the lead. */
static ngx_uint_t
lead(void)
{
    ngx_msec_t       until;
    ngx_atomic_t    *leader, *term;
    ngx_ezw_zone_t  *z;

    z = watch.conf->keys;
    leader = ngx_ezw_zone_word(z, NGX_EZW_WORD_LEADER);
    term = ngx_ezw_zone_word(z, NGX_EZW_WORD_UNTIL);

    if (*leader == (ngx_atomic_uint_t) ngx_pid) {
        *term = ngx_current_msec + TERM_MS;
        return 1;
    }

    until = (ngx_msec_t) *term;

    if (until && (ngx_msec_int_t) (until - ngx_current_msec) > 0) {
        return 0;
    }

    if (!ngx_atomic_cmp_set(term, until, ngx_current_msec + TERM_MS)) {
        return 0;
    }

    *leader = (ngx_atomic_uint_t) ngx_pid;

    return 1;
}


static void
tick(ngx_event_t *ev)
{
    ngx_uint_t  led;

    if (ngx_exiting) {

        /* hands the lead over at once */

        if (watch.leads) {
            watch.leads = 0;
            *ngx_ezw_zone_word(watch.conf->keys, NGX_EZW_WORD_LEADER) = 0;
            *ngx_ezw_zone_word(watch.conf->keys, NGX_EZW_WORD_UNTIL) = 0;
        }

        return;
    }

    ngx_add_timer(ev, TICK_MS);

    led = watch.leads;
    watch.leads = lead();

    if (!watch.leads) {
        return;
    }

    if (!led) {
        watch.next_poll = ngx_current_msec;
        ngx_log_error(NGX_LOG_NOTICE, ev->log, 0,
                      "this worker watches the changes of its node");
    }

    if (!watch.polling
        && (ngx_msec_int_t) (ngx_current_msec - watch.next_poll) >= 0)
    {
        poll_start();
    }

    if (!watch.flushing
        && (ngx_msec_int_t) (ngx_current_msec - watch.next_flush) >= 0)
    {
        flush_start();
    }

    ngx_ezw_reseal_tick(watch.conf, ev->log);
}


static void
poll_start(void)
{
    uint64_t  after;

    after = (uint64_t) *ngx_ezw_zone_word(watch.conf->keys, NGX_EZW_WORD_SEQ);

    *ngx_sprintf(watch.after, "%uL", after) = '\0';
    watch.poll_values[0] = (char *) watch.after;

    watch.poll.statement = changes_since;
    watch.poll.values = watch.poll_values;
    watch.poll.handler = poll_done;
    watch.poll.lane = NGX_EZW_PG_READ;

    watch.asked = ngx_current_msec;
    watch.next_poll = ngx_current_msec + POLL_MS;

    if (watch.conf->pg
        && ngx_ezw_pg_submit(watch.conf->pg, &watch.poll) == NGX_OK)
    {
        watch.polling = 1;
    }
}


static void
poll_done(ngx_ezw_pg_query_t *q)
{
    int              i, n;
    uint64_t         seq, current, applied;
    ngx_str_t        kind, ref;
    ngx_atomic_t    *word;
    ngx_ezw_zone_t  *z;

    watch.polling = 0;

    if (q->rc != NGX_EZW_PG_DONE) {
        ngx_ezw_pg_query_clear(q);
        return;
    }

    z = watch.conf->keys;
    word = ngx_ezw_zone_word(z, NGX_EZW_WORD_SEQ);
    applied = (uint64_t) *word;
    n = PQntuples(q->result);
    current = (uint64_t) ngx_ezw_pg_int(q, 0, "current");

    seq = ngx_ezw_pg_null(q, 0, "seq")
          ? 0 : (uint64_t) ngx_ezw_pg_int(q, 0, "seq");

    if (applied == 0 || current < applied
        || (current > applied && seq != applied + 1))
    {
        /* the first look; or a database that was restored; or changes that
         * have been swept away since the last look: they are numbered without
         * gaps */

        *word = current;
        ngx_memory_barrier();
        ngx_ezw_zone_empty(z);
        ngx_ezw_zone_empty(watch.conf->sessions);

    } else {

        if (current > applied && !watch.flushing) {
            flush_start();        /* what is forgotten below has been used */
        }

        for (i = 0; i < n; i++) {
            if (ngx_ezw_pg_null(q, i, "seq")) {
                continue;
            }

            seq = (uint64_t) ngx_ezw_pg_int(q, i, "seq");
            kind = ngx_ezw_pg_str(q, i, "kind");
            ref = ngx_ezw_pg_str(q, i, "ref");

            /* the word first: see ngx_ezw_change_put */

            *word = seq;
            ngx_memory_barrier();
            apply(&kind, &ref);
        }
    }

    ngx_ezw_pg_query_clear(q);

    if ((uint64_t) *word >= current) {
        *ngx_ezw_zone_word(z, NGX_EZW_WORD_POLLED) = watch.asked;

    } else {
        /* there is more than one answer holds */
        poll_start();
    }
}


static ngx_uint_t
is(ngx_str_t *kind, const char *name)
{
    return kind->len == ngx_strlen(name)
           && ngx_strncmp(kind->data, name, kind->len) == 0;
}


/* Forgets what a change names; what it does not understand, everything. */
static void
apply(ngx_str_t *kind, ngx_str_t *ref)
{
    u_char           digest[32];
    ezw_str_t        hex;
    ngx_ezw_zone_t  *keys;

    keys = watch.conf->keys;

    if (is(kind, "member") || is(kind, "permission")) {
        forget_people(offsetof(ngx_ezw_session_entry_t, user), ref);
        return;
    }

    if (is(kind, "session")) {
        forget_people(offsetof(ngx_ezw_session_entry_t, session), ref);
        return;
    }

    if (is(kind, "key")) {
        hex.data = ref->data;
        hex.len = ref->len;

        if (ref->len == 64 && ezw_hex_parse(&hex, digest) == EZW_OK) {
            (void) ngx_ezw_zone_remove(keys, digest);
            return;
        }
    }

    if (is(kind, "channel")
        && ngx_ezw_digest("channel:", ref->data, ref->len, digest) == NGX_OK)
    {
        (void) ngx_ezw_zone_remove(keys, digest);
        return;
    }

    ngx_ezw_zone_empty(keys);

    if (!is(kind, "assistant")) {
        ngx_ezw_zone_empty(watch.conf->sessions);
    }
}


/* The sessions of a user, or one session: ref is its uuid. */
static void
forget_people(size_t at, ngx_str_t *ref)
{
    u_char     id[16];
    ezw_str_t  text;

    text.data = ref->data;
    text.len = ref->len;

    if (ezw_uuid_parse(&text, id) == EZW_OK) {
        ngx_ezw_zone_purge(watch.conf->sessions, at, id, sizeof(id));

    } else {
        ngx_ezw_zone_empty(watch.conf->sessions);
    }
}


/* Writes the last use of the keys used since the last time. */
static void
flush_start(void)
{
    u_char               *buf, *p;
    uint64_t              above;
    ngx_uint_t            i, n;
    ngx_ezw_zone_t       *z;
    ngx_ezw_key_entry_t  *e;

    z = watch.conf->keys;
    above = (uint64_t) *ngx_ezw_zone_word(z, NGX_EZW_WORD_FLUSHED);

    watch.next_flush = ngx_current_msec + FLUSH_MS;
    watch.flush_mark = ngx_ezw_now() - 1;

    buf = ngx_alloc(FLUSH_KEYS * NGX_EZW_ZONE_INLINE, watch.timer.log);
    if (buf == NULL) {
        return;
    }

    n = ngx_ezw_zone_collect(z, 0, above, buf, FLUSH_KEYS, FLUSH_KEYS * 4);

    if (n == 0 || watch.conf->pg == NULL) {
        ngx_free(buf);
        return;
    }

    watch.used = ngx_alloc(n * 80 + 3, watch.timer.log);
    if (watch.used == NULL) {
        ngx_free(buf);
        return;
    }

    p = watch.used;
    *p++ = '[';

    for (i = 0; i < n; i++) {
        e = (ngx_ezw_key_entry_t *) (buf + i * NGX_EZW_ZONE_INLINE);

        if (i) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, "{\"id\":\"", 7);
        ezw_uuid_text(p, e->id);
        p += EZW_UUID_LEN;
        p = ngx_sprintf(p, "\",\"at\":%uL}", e->last_used);
    }

    *p++ = ']';
    *p = '\0';

    ngx_free(buf);

    watch.flush_values[0] = (char *) watch.used;
    watch.flush.statement = keys_used;
    watch.flush.values = watch.flush_values;
    watch.flush.handler = flush_done;
    watch.flush.lane = NGX_EZW_PG_SINGLE;
    watch.flush.write = 1;

    if (ngx_ezw_pg_submit(watch.conf->pg, &watch.flush) == NGX_OK) {
        watch.flushing = 1;
        return;
    }

    ngx_free(watch.used);
    watch.used = NULL;
}


static void
flush_done(ngx_ezw_pg_query_t *q)
{
    watch.flushing = 0;

    if (q->rc == NGX_EZW_PG_DONE) {
        *ngx_ezw_zone_word(watch.conf->keys, NGX_EZW_WORD_FLUSHED)
            = (ngx_atomic_uint_t) watch.flush_mark;
    }

    ngx_ezw_pg_query_clear(q);
    ngx_free(watch.used);
    watch.used = NULL;
}

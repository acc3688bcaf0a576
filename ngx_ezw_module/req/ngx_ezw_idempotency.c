/*
 * Idempotency keys (DECISIONS 14).
 *
 * The truth is a row of the table idempotency, written in the transaction of
 * the effect: the endpoint's statement is wrapped between idempotency_open,
 * which takes the key or tells what has become of it, and idempotency_close,
 * which keeps the answer's row.  A replay is that row through the endpoint's
 * own encoder.
 *
 * The zone spares the database: while a key is running others get their 409 at
 * once.  Such a slot belongs to a worker and has a deadline, so one that was
 * killed leaves no 409 behind.  What is done the database tells, another body's
 * refusal too: a contact's erasure takes its rows along, and must leave nothing
 * behind in a zone.  Without the zone, or when it is full, the database answers
 * all of this by itself.
 *
 * A statement that is wrapped answers one row, or none.
 */

#include <signal.h>

#include "base/ezw_idempotency.h"
#include "base/ezw_row_stored.h"
#include "req/ngx_ezw_request.h"


#define RUNNING_MS  60000            /* longer than any lane's deadline */
#define DONE_MS     (24 * 3600 * 1000)

#define CONTROLS    4                /* columns that the wrapping adds */


typedef enum {
    SLOT_FREE = 0,
    SLOT_RUNNING,
    SLOT_DONE
} slot_state_e;


/* The zone's entry. */
typedef struct {
    uint64_t              until;         /* ngx_current_msec */
    u_char                attempt[16];   /* the row's, or the running one's */
    uint32_t              pid;
    uint32_t              state;
} slot_t;


typedef enum {
    TAKEN_OURS = 0,
    TAKEN_RUNNING,
    TAKEN_DONE
} taken_e;


typedef struct {
    ngx_ezw_once_t       *once;
    uint64_t              now;
    uint32_t              state;         /* to leave it in; release */
    uint32_t              dead;          /* a pid whose slot may be taken */
    uint32_t              pid;           /* that runs it */
    taken_e               taken;
} visit_t;


static ngx_int_t in_progress(ngx_ezw_ctx_t *ctx);
static ngx_int_t mismatch(ngx_ezw_ctx_t *ctx);
static ngx_int_t take_slot(ngx_ezw_ctx_t *ctx);
static ngx_uint_t is_gone(ngx_ezw_ctx_t *ctx, ngx_pid_t pid);
static void apply_take(void *value, void *data);
static void apply_release(void *value, void *data);
static ngx_int_t fingerprint(ngx_ezw_ctx_t *ctx, ngx_ezw_once_t *once);
static void cleanup(void *data);
static ngx_uint_t next_element(const u_char **p, const u_char *end,
    ezw_str_t *s);


static const ngx_ezw_error_t  key_running =
    { 409, 1014, "idempotency_in_progress",
      "A request with this Idempotency-Key is still running", 1 };
static const ngx_ezw_error_t  key_reused =
    { 422, 1005, "idempotency_key_reused",
      "The Idempotency-Key was used for another request", 0 };
static const ngx_ezw_error_t  key_reused_workspace =
    { 409, 1005, "idempotency_key_reused",
      "The Idempotency-Key was used for another request", 0 };
static const ngx_ezw_error_t  key_required =
    { 400, 1005, "idempotency_key_required",
      "The header Idempotency-Key is required", 0 };
static const ngx_ezw_error_t  key_invalid =
    { 400, 1005, "invalid_idempotency_key",
      "The idempotency key is not 1 to 255 printable ASCII characters", 0 };


ngx_int_t
ngx_ezw_once_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf,
    ngx_ezw_endpoint_t *ep)
{
    u_char                  *text, *p;
    size_t                   size;
    ezw_str_t               *params;
    ngx_uint_t               i, n;
    ngx_ezw_pg_statement_t  *st;

    static const char *const  names[] = {
        "once.company", "once.method", "once.route", "once.channel",
        "once.key", "once.fingerprint", "once.attempt", "once.kept",
        "once.contact"
    };

    /* "offset 0" keeps the statement in a subquery of its own, where the
     * condition on the outer row is looked at before the statement runs */

    static const char  head[] =
        "with o as materialized (\n"
        "    select i.state, i.names, i.vals\n"
        "    from ezw.idempotency_open($%1$::uuid, $%2$, $%3$, $%4$, $%5$,\n"
        "        decode($%6$, 'hex'), $%7$::uuid) i\n"
        ")\n"
        "select s.*, o.state as \"@state\", o.names as \"@names\",\n"
        "    o.vals as \"@vals\",\n"
        "    ezw.idempotency_close(o.state, $%1$::uuid, $%2$, $%3$, $%4$,\n"
        "        $%5$, decode($%6$, 'hex'), $%7$::uuid, $%8$::text[], $%9$,\n"
        "        row_to_json(s)) as \"@kept\"\n"
        "from o\n"
        "left join lateral (\n"
        "    select x.*, true as \"@there\" from (\n";

    static const char  tail[] =
        "\n    ) x where o.state = 'new' offset 0\n"
        ") s on true";

    st = ep->statement;
    n = sizeof(names) / sizeof(names[0]);
    size = sizeof(head) + sizeof(tail) + 32 * NGX_INT_T_LEN
           + ngx_strlen(st->text);

    params = ngx_palloc(cf->temp_pool, (st->nparams + n) * sizeof(ezw_str_t));
    text = ngx_pnalloc(cf->pool, size);

    if (params == NULL || text == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(params, st->params, st->nparams * sizeof(ezw_str_t));

    for (i = 0; i < n; i++) {
        params[st->nparams + i].data = (u_char *) names[i];
        params[st->nparams + i].len = ngx_strlen(names[i]);
    }

    p = text;

    for (i = 0; i < sizeof(head) - 1; i++) {

        if (head[i] == '$' && head[i + 1] == '%') {
            p = ngx_sprintf(p, "$%ui", st->nparams + (head[i + 2] - '0'));
            i += 3;
            continue;
        }

        *p++ = head[i];
    }

    p = ngx_cpymem(p, st->text, ngx_strlen(st->text));
    ngx_memcpy(p, tail, sizeof(tail));

    ep->once = ngx_ezw_pg_statement_around(cf, emcf->pgcf, st, " once",
                                           (char *) text, params,
                                           st->nparams + n);

    return ep->once ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_ezw_once_begin(ngx_ezw_ctx_t *ctx)
{
    u_char               rnd[10];
    ezw_str_t            value, key;
    ngx_uint_t           i;
    ngx_str_t            parts[7];
    ngx_ezw_once_t      *once;
    ngx_pool_cleanup_t  *cln;
    ngx_ezw_endpoint_t  *ep;

    ep = ctx->endpoint;

    if (ep->once == NULL) {
        return NGX_OK;
    }

    value.len = 0;
    value.data = NULL;

    if (ctx->idempotency_key) {
        value.data = ctx->idempotency_key->value.data;
        value.len = ctx->idempotency_key->value.len;

    } else if (ep->key_slot >= 0 && ctx->body[ep->key_slot].data) {
        value.data = (u_char *) ctx->body[ep->key_slot].data;
        value.len = ctx->body[ep->key_slot].len;
    }

    if (value.data == NULL) {
        return ep->row->idempotency_required
               ? ngx_ezw_refuse(ctx, &key_required, NULL, NULL) : NGX_OK;
    }

    if (ezw_idempotency_key(&value, &key) != EZW_OK) {
        return ngx_ezw_refuse(ctx, &key_invalid, NULL, NULL);
    }

    once = ngx_pcalloc(ctx->request->pool, sizeof(ngx_ezw_once_t));
    cln = ngx_pool_cleanup_add(ctx->request->pool, 0);

    if (once == NULL || cln == NULL) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    once->key.len = key.len;
    once->key.data = ngx_pnalloc(ctx->request->pool, key.len + 1);
    if (once->key.data == NULL) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    ngx_cpystrn(once->key.data, key.data, key.len + 1);

    i = 0;
    parts[i].data = (u_char *) "once";
    parts[i++].len = 4;
    parts[i].data = ctx->company;
    parts[i++].len = ngx_strlen(ctx->company);
    parts[i].data = (u_char *) &ep->row->method;
    parts[i++].len = sizeof(ep->row->method);
    parts[i].data = (u_char *) ep->row->path;
    parts[i++].len = ngx_strlen(ep->row->path);

    if (ep->channel >= 0) {
        parts[i].data = ctx->match.params[ep->channel].data;
        parts[i++].len = ctx->match.params[ep->channel].len;
    }

    if (ngx_ezw_once_whose(ctx, &parts[i]) == NGX_OK) {
        i++;
    }

    parts[i++] = once->key;

    if (ngx_ezw_digest_parts(parts, i, once->digest) != NGX_OK
        || fingerprint(ctx, once) != NGX_OK)
    {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    ezw_hex(once->text, once->fingerprint, 32);

    if (ngx_ezw_random(rnd, sizeof(rnd)) != NGX_OK) {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    ezw_uuid7(once->attempt, ngx_ezw_now(), rnd);
    ezw_uuid_text(once->attempt_text, once->attempt);

    ctx->once = once;

    cln->handler = cleanup;
    cln->data = ctx;

    return take_slot(ctx);
}


ngx_int_t
ngx_ezw_once_whose(ngx_ezw_ctx_t *ctx, ngx_str_t *whose)
{
    int                            slot;
    const ngx_ezw_endpoint_row_t  *row;

    row = ctx->endpoint->row;

    if (!ngx_ezw_public(ctx->endpoint)) {
        return NGX_DECLINED;
    }

    slot = ezw_fields_slot(row->body, row->nbody, "email",
                           sizeof("email") - 1);

    if (slot < 0 || ctx->body[slot].data == NULL) {
        return NGX_DECLINED;
    }

    whose->data = (u_char *) ctx->body[slot].data;
    whose->len = ctx->body[slot].len;

    return NGX_OK;
}


/* The same request again has the same: what it names, and its body; of a
 * password nothing goes into it, not even this. */
static ngx_int_t
fingerprint(ngx_ezw_ctx_t *ctx, ngx_ezw_once_t *once)
{
    ngx_str_t            parts[EZW_ROUTE_PARAMS + 4 + 64];
    ngx_uint_t           i, n;
    ngx_ezw_endpoint_t  *ep;

    ep = ctx->endpoint;
    n = 0;

    parts[n].data = (u_char *) ep->row->path;
    parts[n++].len = ngx_strlen(ep->row->path);

    for (i = 0; i < ctx->match.nparams; i++) {
        parts[n].data = ctx->match.params[i].data;
        parts[n++].len = ctx->match.params[i].len;
    }

    parts[n++] = ctx->request->args;

    if (ep->password_slot >= 0) {

        for (i = 0; i < ngx_min(ep->nbody_slots, 64); i++) {
            if (i != (ngx_uint_t) ep->password_slot) {
                parts[n].data = (u_char *) ctx->body[i].data;
                parts[n++].len = ctx->body[i].len;
            }
        }

    } else {
        parts[n++] = ctx->raw;
    }

    return ngx_ezw_digest_parts(parts, n, once->fingerprint);
}


static ngx_int_t
in_progress(ngx_ezw_ctx_t *ctx)
{
    return ngx_ezw_refuse(ctx, &key_running, NULL, NULL);
}


static ngx_int_t
mismatch(ngx_ezw_ctx_t *ctx)
{
    return ngx_ezw_refuse(ctx, ctx->face == NGX_EZW_FACE_WORKSPACE
                               ? &key_reused_workspace : &key_reused,
                          NULL, NULL);
}


static ngx_int_t
take_slot(ngx_ezw_ctx_t *ctx)
{
    visit_t  v;

    if (ctx->conf->idempotency == NULL) {
        return NGX_OK;
    }

    ngx_memzero(&v, sizeof(visit_t));
    v.once = ctx->once;
    v.now = ngx_current_msec;

    for ( ;; ) {

        if (ngx_ezw_zone_apply(ctx->conf->idempotency, ctx->once->digest,
                               sizeof(slot_t), NGX_EZW_ZONE_GOOD, apply_take,
                               &v)
            != NGX_OK)
        {
            return NGX_OK;            /* full: the database decides */
        }

        switch (v.taken) {

        case TAKEN_OURS:
            ctx->once->held = 1;
            return NGX_OK;

        case TAKEN_DONE:
            return NGX_OK;            /* the answer is in the database */

        case TAKEN_RUNNING:

            if (v.dead != v.pid && is_gone(ctx, (ngx_pid_t) v.pid)) {
                v.dead = v.pid;
                continue;
            }

            return in_progress(ctx);
        }
    }
}


/* 1: that worker has ended.  Its pid may be another process's by now, so it is
 * also looked for among the workers; and where all of them have been forgotten
 * (a reload of another layout) the database still knows what is running. */
static ngx_uint_t
is_gone(ngx_ezw_ctx_t *ctx, ngx_pid_t pid)
{
    if (pid == ngx_pid) {
        return 0;
    }

    return (kill(pid, 0) == -1 && ngx_errno == ESRCH)
           || !ngx_ezw_status_worker(ctx->conf->status, pid);
}


static void
apply_take(void *value, void *data)
{
    slot_t          *slot = value;
    visit_t         *v = data;
    ngx_uint_t       old;

    old = slot->state == SLOT_FREE || slot->until <= v->now
          || (slot->state == SLOT_RUNNING && v->dead && slot->pid == v->dead);

    if (!old) {
        v->taken = TAKEN_DONE;

        if (slot->state == SLOT_RUNNING) {
            v->pid = slot->pid;
            v->taken = TAKEN_RUNNING;
        }

        return;
    }

    slot->state = SLOT_RUNNING;
    slot->until = v->now + RUNNING_MS;
    slot->pid = (uint32_t) ngx_pid;
    ngx_memcpy(slot->attempt, v->once->attempt, 16);

    v->taken = TAKEN_OURS;
}


static void
apply_release(void *value, void *data)
{
    slot_t   *slot = value;
    visit_t  *v = data;

    if (slot->state != SLOT_FREE
        && ngx_memcmp(slot->attempt, v->once->attempt, 16) != 0)
    {
        return;                       /* somebody else's by now */
    }

    slot->until = v->now + DONE_MS;
    slot->state = v->state;
    ngx_memcpy(slot->attempt, v->once->attempt, 16);
}


void
ngx_ezw_once_end(ngx_ezw_ctx_t *ctx, ngx_uint_t kept)
{
    visit_t          v;
    ngx_ezw_once_t  *once;

    once = ctx->once;

    if (once == NULL || ctx->conf->idempotency == NULL
        || (!once->held && !kept))
    {
        return;
    }

    once->held = 0;

    ngx_memzero(&v, sizeof(visit_t));
    v.once = once;
    v.now = ngx_current_msec;
    v.state = kept ? SLOT_DONE : SLOT_FREE;

    (void) ngx_ezw_zone_apply(ctx->conf->idempotency, once->digest,
                              sizeof(slot_t), NGX_EZW_ZONE_GOOD,
                              apply_release, &v);
}


/* The client has gone: what becomes of its request, the database will know. */
static void
cleanup(void *data)
{
    ngx_ezw_ctx_t  *ctx = data;

    if (ctx->once && ctx->once->held) {
        ngx_ezw_once_end(ctx, 0);
    }
}


/* The next element of a binary array; data NULL: null.  0: the array is
 * broken. */
static ngx_uint_t
next_element(const u_char **p, const u_char *end, ezw_str_t *s)
{
    int32_t  len;

    if (end - *p < 4) {
        return 0;
    }

    len = (int32_t) ((uint32_t) (*p)[0] << 24 | (uint32_t) (*p)[1] << 16
                     | (uint32_t) (*p)[2] << 8 | (*p)[3]);
    *p += 4;

    if (len < 0) {
        s->data = NULL;
        s->len = 0;
        return 1;
    }

    if (end - *p < len) {
        return 0;
    }

    s->data = (unsigned char *) *p;
    s->len = len;
    *p += len;

    return 1;
}


ngx_int_t
ngx_ezw_once_cells(ngx_ezw_ctx_t *ctx, ezw_cell_t *cells)
{
    int                  c, columns;
    ezw_str_t            name, text;
    ngx_str_t            state, names, vals;
    ezw_alloc_t          alloc;
    ngx_uint_t           kept, replayed;
    const char          *column;
    const u_char        *n, *nend, *v, *vend;
    ngx_ezw_pg_query_t  *q;

    q = &ctx->query;
    state = ngx_ezw_pg_str(q, 0, "@state");
    kept = (ngx_uint_t) ngx_ezw_pg_int(q, 0, "@kept");

    if (state.len == 7 && ngx_strncmp(state.data, "running", 7) == 0) {
        ngx_ezw_once_end(ctx, 0);
        return in_progress(ctx);
    }

    if (state.len == 8 && ngx_strncmp(state.data, "mismatch", 8) == 0) {
        ngx_ezw_once_end(ctx, 0);
        return mismatch(ctx);
    }

    ngx_ezw_once_end(ctx, kept);

    if (state.len == 3 && ngx_strncmp(state.data, "new", 3) == 0) {
        ctx->once->empty = ngx_ezw_pg_null(q, 0, "@there");
        return NGX_OK;
    }

    replayed = (state.len == 4 && ngx_strncmp(state.data, "done", 4) == 0);

    if (replayed) {
        ctx->nsecrets = 0;            /* made for an answer that never was */
    }

    names = ngx_ezw_pg_str(q, 0, "@names");
    vals = ngx_ezw_pg_str(q, 0, "@vals");
    columns = PQnfields(q->result) - CONTROLS;

    alloc.alloc = ngx_ezw_pool_alloc;
    alloc.ctx = ctx->request->pool;

    for (c = 0; c < columns; c++) {

        cells[c].data = NULL;
        cells[c].len = -1;

        if (names.len < 20 || vals.len < 20) {
            continue;
        }

        column = PQfname(q->result, c);

        /* behind the dimensions */
        n = names.data + 20;
        nend = names.data + names.len;
        v = vals.data + 20;
        vend = vals.data + vals.len;

        while (n < nend) {

            if (!next_element(&n, nend, &name)
                || !next_element(&v, vend, &text))
            {
                goto broken;
            }

            if (name.len != ngx_strlen(column)
                || ngx_memcmp(name.data, column, name.len) != 0)
            {
                continue;
            }

            if (ezw_row_stored(&alloc, PQftype(q->result, c), &text, &cells[c])
                != EZW_OK)
            {
                goto broken;
            }

            break;
        }
    }

    if (replayed
        && ngx_ezw_header(ctx->request, "Idempotency-Replayed",
                          (u_char *) "true", 4)
           != NGX_OK)
    {
        return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    }

    return NGX_OK;

broken:

    ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                  "a kept answer of \"%V\" cannot be read",
                  &q->statement->name);

    return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
}

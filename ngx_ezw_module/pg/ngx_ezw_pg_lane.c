/*
 * A lane: the queue before its connections, and what becomes of a group's
 * queries after its Sync, or without one.
 */

#include "pg/ngx_ezw_pg_conn.h"


#define NGX_EZW_PG_TRIES  8      /* executions of one query, at most */
#define NGX_EZW_PG_RENEW  3      /* the same where each takes a new connection:
                                    in its group, alone, alone on a new one */


static void send_handler(ngx_event_t *ev);
static void done_handler(ngx_event_t *ev);
static void deadline_handler(ngx_event_t *ev);
static void enqueue(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_query_t *q,
    ngx_uint_t head);
static void dequeue(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_query_t *q);
static void finish(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_query_t *q,
    ngx_int_t rc);
static void again_alone(ngx_ezw_pg_query_t *q);
static void want_conns(ngx_ezw_pg_lane_t *lane);
static ngx_uint_t is_transient(const char *state);
static ngx_uint_t is_outdated(const char *state);
static ngx_uint_t is_standby(const char *state);
static const char *state_of(PGresult *res);


void
ngx_ezw_pg_lane_init(ngx_ezw_pg_t *pg, ngx_ezw_pg_lane_e id)
{
    ngx_ezw_pg_lane_t  *lane;

    lane = &pg->lanes[id];
    lane->pg = pg;
    lane->id = id;
    lane->group_max = (id == NGX_EZW_PG_SINGLE) ? 1
                      : (id == NGX_EZW_PG_SLOW) ? 4 : NGX_EZW_PG_GROUP;

    ngx_queue_init(&lane->queue);
    ngx_queue_init(&lane->done);

    lane->send_event.handler = send_handler;
    lane->send_event.data = lane;
    lane->send_event.log = pg->log;

    lane->done_event.handler = done_handler;
    lane->done_event.data = lane;
    lane->done_event.log = pg->log;

    lane->timer.handler = deadline_handler;
    lane->timer.data = lane;
    lane->timer.log = pg->log;
}


ngx_int_t
ngx_ezw_pg_submit(ngx_ezw_pg_t *pg, ngx_ezw_pg_query_t *q)
{
    ngx_uint_t          i;
    ngx_ezw_pg_lane_t  *lane;

    lane = &pg->lanes[q->lane];

    if (ngx_ezw_pg_lane_is_down(lane)) {
        pg->stat.refused++;
        want_conns(lane);
        return NGX_DECLINED;
    }

    if (lane->nqueued >= lane->queue_max) {
        pg->stat.refused++;
        return NGX_BUSY;
    }

    q->pg = pg;
    q->rc = NGX_EZW_PG_DOWN;
    q->result = NULL;
    q->sqlstate[0] = '\0';
    q->alone = 0;
    q->unknown = 0;
    q->tries = 0;
    q->slot = NULL;
    q->deadline = ngx_current_msec + lane->timeout;

    q->size = 0;

    for (i = 0; i < q->statement->nparams; i++) {
        if (q->values[i]) {
            q->size += ngx_strlen(q->values[i]);
        }
    }

    enqueue(lane, q, 0);
    ngx_ezw_pg_lane_wake(lane);

    return NGX_OK;
}


void
ngx_ezw_pg_cancel(ngx_ezw_pg_query_t *q)
{
    ngx_ezw_pg_slot_t  *slot;

    switch (q->state) {

    case NGX_EZW_PG_QUEUED:
        dequeue(&q->pg->lanes[q->lane], q);
        break;

    case NGX_EZW_PG_SENT:
        slot = q->slot;
        slot->query = NULL;
        break;

    case NGX_EZW_PG_READY:
        ngx_queue_remove(&q->queue);
        break;
    }

    q->state = NGX_EZW_PG_NONE;
    ngx_ezw_pg_query_clear(q);
}


void
ngx_ezw_pg_query_clear(ngx_ezw_pg_query_t *q)
{
    if (q->result) {
        PQclear(q->result);
        q->result = NULL;
    }
}


static void
enqueue(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_query_t *q, ngx_uint_t head)
{
    ngx_msec_int_t  left;

    q->state = NGX_EZW_PG_QUEUED;
    q->slot = NULL;
    q->lane = lane->id;

    if (head) {
        ngx_queue_insert_head(&lane->queue, &q->queue);
    } else {
        ngx_queue_insert_tail(&lane->queue, &q->queue);
    }

    lane->nqueued++;

    /* one that comes from another lane may be due before all that wait here */

    if (!lane->timer.timer_set
        || (ngx_msec_int_t) (lane->timer.timer.key - q->deadline) > 0)
    {
        left = (ngx_msec_int_t) (q->deadline - ngx_current_msec);
        ngx_add_timer(&lane->timer, ngx_max(left, 1));
    }
}


static void
dequeue(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_query_t *q)
{
    ngx_queue_remove(&q->queue);
    lane->nqueued--;

    if (lane->nqueued == 0 && lane->timer.timer_set) {
        ngx_del_timer(&lane->timer);
    }
}


/* Makes sure that the lane's connections are tried. */
static void
want_conns(ngx_ezw_pg_lane_t *lane)
{
    ngx_uint_t  i;

    for (i = 0; i < lane->nconns; i++) {
        lane->conns[i].wanted = 1;
    }

    ngx_ezw_pg_connect_next(lane->pg);
}


void
ngx_ezw_pg_lane_wake(ngx_ezw_pg_lane_t *lane)
{
    if (!lane->send_event.posted) {
        ngx_post_event(&lane->send_event, &ngx_posted_events);
    }
}


/* The turn's requests have all come in: sends them by what is idle. */
static void
send_handler(ngx_event_t *ev)
{
    ngx_uint_t          i, up;
    ngx_ezw_pg_conn_t  *pc;
    ngx_ezw_pg_lane_t  *lane;

    lane = ev->data;
    up = 0;

    for (i = 0; i < lane->nconns; i++) {

        if (ngx_queue_empty(&lane->queue)) {
            return;
        }

        pc = &lane->conns[i];

        if (pc->state == NGX_EZW_PG_C_IDLE) {
            ngx_ezw_pg_conn_send(pc);
        }

        up += pc->state == NGX_EZW_PG_C_BUSY;
    }

    if (up < lane->nconns) {
        want_conns(lane);
    }
}


void
ngx_ezw_pg_lane_gather(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_conn_t *pc)
{
    size_t               size;
    ngx_uint_t           i, n;
    ngx_queue_t         *p;
    ngx_ezw_pg_query_t  *q;

    size = 0;
    n = 0;

    while (n < lane->group_max && !ngx_queue_empty(&lane->queue)) {

        p = ngx_queue_head(&lane->queue);
        q = ngx_queue_data(p, ngx_ezw_pg_query_t, queue);

        /* its timer has not fired yet, but nobody waits for it any more */

        if ((ngx_msec_int_t) (q->deadline - ngx_current_msec) <= 0) {
            dequeue(lane, q);
            finish(lane, q, NGX_EZW_PG_TIMEOUT);
            continue;
        }

        if (n && (q->alone || size + q->size > NGX_EZW_PG_GROUP_SIZE)) {
            break;
        }

        dequeue(lane, q);
        size += q->size;

        /*
         * Groups take their rows in one order, so that two of them do not
         * wait for each other.  Equal ones stay in the order of arrival.
         */

        i = n;

        if (q->write) {
            while (i > 0 && pc->slots[i - 1].query->order > q->order) {
                pc->slots[i] = pc->slots[i - 1];
                i--;
            }
        }

        ngx_memzero(&pc->slots[i], sizeof(ngx_ezw_pg_slot_t));
        pc->slots[i].query = q;
        pc->slots[i].statement = q->statement;
        n++;

        if (q->alone) {
            break;
        }
    }

    for (i = 0; i < n; i++) {
        q = pc->slots[i].query;
        q->slot = &pc->slots[i];
        q->state = NGX_EZW_PG_SENT;
        q->tries++;
    }

    pc->nslots = n;
}


/* Puts q on the done list; its handler runs from the event loop. */
static void
finish(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_query_t *q, ngx_int_t rc)
{
    q->rc = rc;
    q->state = NGX_EZW_PG_READY;
    q->slot = NULL;

    ngx_queue_insert_tail(&lane->done, &q->queue);

    if (!lane->done_event.posted) {
        ngx_post_event(&lane->done_event, &ngx_posted_events);
    }
}


static void
done_handler(ngx_event_t *ev)
{
    ngx_queue_t         *p;
    ngx_ezw_pg_lane_t   *lane;
    ngx_ezw_pg_query_t  *q;

    lane = ev->data;

    /* a handler may take others off the list: begin at the head each time */

    while (!ngx_queue_empty(&lane->done)) {
        p = ngx_queue_head(&lane->done);
        ngx_queue_remove(p);

        q = ngx_queue_data(p, ngx_ezw_pg_query_t, queue);
        q->state = NGX_EZW_PG_NONE;

        q->handler(q);
    }
}


/* The oldest have waited too long. */
static void
deadline_handler(ngx_event_t *ev)
{
    ngx_msec_int_t       left, min;
    ngx_queue_t         *p, *next;
    ngx_ezw_pg_lane_t   *lane;
    ngx_ezw_pg_query_t  *q;

    lane = ev->data;
    min = (ngx_msec_int_t) lane->timeout;

    for (p = ngx_queue_head(&lane->queue);
         p != ngx_queue_sentinel(&lane->queue);
         p = next)
    {
        next = ngx_queue_next(p);
        q = ngx_queue_data(p, ngx_ezw_pg_query_t, queue);

        left = (ngx_msec_int_t) (q->deadline - ngx_current_msec);

        if (left <= 0) {
            dequeue(lane, q);
            finish(lane, q, NGX_EZW_PG_TIMEOUT);

        } else if (left < min) {
            min = left;
        }
    }

    if (lane->nqueued && !lane->timer.timer_set) {
        ngx_add_timer(&lane->timer, (ngx_msec_t) min);
    }
}


static const char *
state_of(PGresult *res)
{
    const char  *state;

    state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;

    return state ? state : "08006";
}


/* Serialization, deadlock, lock and statement timeouts: another try may do. */
static ngx_uint_t
is_transient(const char *state)
{
    return ngx_strcmp(state, "40001") == 0
           || ngx_strcmp(state, "40P01") == 0
           || ngx_strcmp(state, "55P03") == 0;
}


/* A prepared statement that a migration or a pooler took away. */
static ngx_uint_t
is_outdated(const char *state)
{
    return ngx_strcmp(state, "26000") == 0 || ngx_strcmp(state, "0A000") == 0;
}


/* A server that takes no writes: after a failover another address may. */
static ngx_uint_t
is_standby(const char *state)
{
    return ngx_strcmp(state, "25006") == 0;
}


/* Sends q once more, in a transaction of its own. */
static void
again_alone(ngx_ezw_pg_query_t *q)
{
    ngx_ezw_pg_lane_t  *single;

    single = &q->pg->lanes[NGX_EZW_PG_SINGLE];

    q->alone = 1;
    q->pg->stat.regrouped++;

    enqueue(single, q, 0);
    ngx_ezw_pg_lane_wake(single);
}


void
ngx_ezw_pg_lane_settle(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_conn_t *pc)
{
    ngx_int_t            i, failed;
    const char          *state;
    ngx_uint_t           alone, expired;
    ngx_ezw_pg_slot_t   *slot;
    ngx_ezw_pg_query_t  *q;

    failed = pc->failed;
    alone = pc->nslots == 1;

    if (failed == -1 && pc->sync_state[0] == '\0') {

        for (i = 0; i < (ngx_int_t) pc->nslots; i++) {
            slot = &pc->slots[i];
            q = slot->query;

            if (q == NULL) {
                PQclear(slot->result);
                continue;
            }

            if (q->unknown) {
                lane->pg->stat.settled++;
            }

            q->result = slot->result;
            slot->result = NULL;
            finish(lane, q, NGX_EZW_PG_DONE);
        }

        return;
    }

    /* nothing of it was committed; from the last, so that the order stays */

    for (i = (ngx_int_t) pc->nslots - 1; i >= 0; i--) {
        slot = &pc->slots[i];
        q = slot->query;

        state = (i == failed) ? state_of(slot->result)
                              : pc->sync_state[0] ? pc->sync_state : NULL;

        if (state && is_outdated(state)) {
            pc->recycle = 1;

        } else if (state && is_standby(state)) {
            pc->recycle = 1;
            lane->pg->addr++;
        }

        if (q == NULL) {
            PQclear(slot->result);
            slot->result = NULL;
            continue;
        }

        expired = (ngx_msec_int_t) (q->deadline - ngx_current_msec) <= 0;

        if (state) {
            /* it stands in the result, which goes now */
            ngx_cpystrn((u_char *) q->sqlstate, (u_char *) state,
                        sizeof(q->sqlstate));
            state = q->sqlstate;
        }

        PQclear(slot->result);
        slot->result = NULL;

        if (expired) {
            finish(lane, q, state ? NGX_EZW_PG_FAILED : NGX_EZW_PG_TIMEOUT);

        } else if (state == NULL) {

            if (q->tries >= NGX_EZW_PG_TRIES / 2) {
                again_alone(q);

            } else {
                lane->pg->stat.regrouped++;
                enqueue(lane, q, 1);
            }

        } else if ((q->tries < NGX_EZW_PG_TRIES
                    && (!alone || is_transient(state)))
                   || (q->tries < NGX_EZW_PG_RENEW
                       && (is_outdated(state) || is_standby(state))))
        {
            again_alone(q);

        } else {
            ngx_log_error(NGX_LOG_ERR, lane->pg->log, 0,
                          "postgres: statement \"%V\" (%s:%ui) failed: %s",
                          &q->statement->name, q->statement->file,
                          (ngx_uint_t) q->statement->line, q->sqlstate);

            finish(lane, q, NGX_EZW_PG_FAILED);
        }
    }

    ngx_ezw_pg_lane_wake(lane);
}


ngx_msec_t
ngx_ezw_pg_lane_expire(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_conn_t *pc,
    ngx_msec_t left)
{
    ngx_uint_t           i;
    ngx_msec_int_t       due;
    ngx_ezw_pg_query_t  *q;

    for (i = 0; i < pc->nslots; i++) {
        q = pc->slots[i].query;

        if (q == NULL) {
            continue;
        }

        due = (ngx_msec_int_t) (q->deadline - ngx_current_msec);

        if (due <= 0) {
            pc->slots[i].query = NULL;
            finish(lane, q, NGX_EZW_PG_TIMEOUT);

        } else if ((ngx_msec_t) due < left) {
            left = due;
        }
    }

    return left;
}


void
ngx_ezw_pg_lane_lost(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_conn_t *pc)
{
    ngx_int_t            i;
    ngx_ezw_pg_slot_t   *slot;
    ngx_ezw_pg_query_t  *q;

    for (i = (ngx_int_t) pc->nslots - 1; i >= 0; i--) {
        slot = &pc->slots[i];
        q = slot->query;

        PQclear(slot->result);
        slot->result = NULL;

        if (q == NULL) {
            continue;
        }

        slot->query = NULL;

        if ((ngx_msec_int_t) (q->deadline - ngx_current_msec) <= 0
            || q->tries >= NGX_EZW_PG_TRIES)
        {
            finish(lane, q, NGX_EZW_PG_TIMEOUT);

        } else if (!q->write || pc->flushing) {
            /* a read, or a Sync that never left: nothing has happened */

            if (q->tries >= NGX_EZW_PG_TRIES / 2) {
                again_alone(q);         /* one of them may be the cause */

            } else {
                enqueue(lane, q, 1);
            }

        } else {
            q->unknown = 1;
            again_alone(q);
        }
    }

    if (lane->nqueued) {
        ngx_ezw_pg_lane_wake(lane);
    }
}


ngx_uint_t
ngx_ezw_pg_lane_is_down(ngx_ezw_pg_lane_t *lane)
{
    ngx_uint_t  i;

    if (!lane->pg->down) {
        return 0;
    }

    for (i = 0; i < lane->nconns; i++) {
        if (lane->conns[i].state >= NGX_EZW_PG_C_IDLE) {
            return 0;
        }
    }

    return 1;
}


void
ngx_ezw_pg_lane_down(ngx_ezw_pg_lane_t *lane)
{
    ngx_queue_t         *p, *next;
    ngx_ezw_pg_query_t  *q;

    if (!ngx_ezw_pg_lane_is_down(lane)) {
        return;
    }

    for (p = ngx_queue_head(&lane->queue);
         p != ngx_queue_sentinel(&lane->queue);
         p = next)
    {
        next = ngx_queue_next(p);
        q = ngx_queue_data(p, ngx_ezw_pg_query_t, queue);

        if (q->unknown) {
            continue;
        }

        dequeue(lane, q);
        finish(lane, q, NGX_EZW_PG_DOWN);
    }
}

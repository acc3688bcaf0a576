/*
 * One connection in service: its events, groups out and results in.
 *
 * Every libpq call that could block stands behind a check that it will not;
 * PQgetResult is called in read_results only, after PQisBusy said no.  libpq
 * may have closed its socket after an error: its number is compared before the
 * events are deleted.
 */

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "pg/ngx_ezw_pg_conn.h"


static void broken(ngx_ezw_pg_conn_t *pc, const char *reason);
static void read_handler(ngx_event_t *rev);
static void write_handler(ngx_event_t *wev);
static ngx_int_t read_results(ngx_ezw_pg_conn_t *pc);
static ngx_int_t take_result(ngx_ezw_pg_conn_t *pc, PGresult *res);
static void group_end(ngx_ezw_pg_conn_t *pc);


/* Lost: before it came into service that is an attempt that failed. */
static void
broken(ngx_ezw_pg_conn_t *pc, const char *reason)
{
    if (pc->state == NGX_EZW_PG_C_CONNECTING
        || pc->state == NGX_EZW_PG_C_SETUP)
    {
        ngx_ezw_pg_connect_failed(pc, reason);
        return;
    }

    ngx_ezw_pg_conn_close(pc, reason);
}


/* An nginx connection around libpq's socket of the moment. */
ngx_int_t
ngx_ezw_pg_conn_watch(ngx_ezw_pg_conn_t *pc)
{
    int                fd;
    ngx_connection_t  *c;

    fd = PQsocket(pc->pg);

    if (fd < 0) {
        return NGX_ERROR;
    }

    c = ngx_get_connection(fd, pc->lane->pg->log);

    if (c == NULL) {
        return NGX_ERROR;
    }

    c->data = pc;
    c->shared = 1;
    c->log = pc->lane->pg->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = read_handler;
    c->write->handler = write_handler;

    pc->c = c;

    /*
     * level-triggered: libpq may stop reading with bytes left in the kernel;
     * on epoll NGX_LEVEL_EVENT is no flag, elsewhere it is the default
     */

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT) != NGX_OK) {
        ngx_ezw_pg_conn_unwatch(pc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* Gives the nginx connection up; the socket is libpq's and may be closed. */
void
ngx_ezw_pg_conn_unwatch(ngx_ezw_pg_conn_t *pc)
{
    ngx_uint_t         flags;
    ngx_connection_t  *c;

    c = pc->c;

    if (c == NULL) {
        return;
    }

    flags = (pc->pg && PQsocket(pc->pg) == c->fd) ? 0 : NGX_CLOSE_EVENT;

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, flags);
    }

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, flags);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    c->read->closed = 1;
    c->write->closed = 1;
    c->idle = 0;

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;

    pc->c = NULL;
}


/* Asks for write events, or for them no more. */
ngx_int_t
ngx_ezw_pg_conn_want(ngx_ezw_pg_conn_t *pc, ngx_uint_t write)
{
    ngx_event_t  *wev;

    wev = pc->c->write;

    if (write && !wev->active) {
        return ngx_add_event(wev, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);
    }

    if (!write && wev->active) {
        return ngx_del_event(wev, NGX_WRITE_EVENT, 0);
    }

    return NGX_OK;
}


static void
read_handler(ngx_event_t *rev)
{
    PGnotify           *n;
    ngx_connection_t   *c;
    ngx_ezw_pg_conn_t  *pc;

    c = rev->data;
    pc = c->data;

    if (c->close) {
        if (pc->state == NGX_EZW_PG_C_IDLE) {
            ngx_ezw_pg_conn_close(pc, NULL);
        }
        return;
    }

    if (pc->state == NGX_EZW_PG_C_CONNECTING) {
        ngx_ezw_pg_connect_step(pc);
        return;
    }

    do {
        if (PQconsumeInput(pc->pg) != 1) {
            ERR_clear_error();
            broken(pc, PQerrorMessage(pc->pg));
            return;
        }

        if (PQsslInUse(pc->pg)) {
            ERR_clear_error();
        }

        while ((n = PQnotifies(pc->pg)) != NULL) {
            PQfreemem(n);
        }

        if (read_results(pc) != NGX_OK) {
            return;
        }

        /* what TLS has decrypted already no poll will tell */

    } while (PQsslInUse(pc->pg)
             && SSL_pending(PQsslStruct(pc->pg, "OpenSSL")) > 0);

    if (pc->flushing) {
        (void) ngx_ezw_pg_conn_flush(pc);
    }
}


static void
write_handler(ngx_event_t *wev)
{
    ngx_connection_t   *c;
    ngx_ezw_pg_conn_t  *pc;

    c = wev->data;
    pc = c->data;

    if (pc->state == NGX_EZW_PG_C_CONNECTING) {
        ngx_ezw_pg_connect_step(pc);
        return;
    }

    /* the server may be unable to read before we do */

    read_handler(c->read);

    if (pc->c == c && pc->flushing) {
        (void) ngx_ezw_pg_conn_flush(pc);
    }
}


/* A connect, setup or group took too long, or a query of the group. */
void
ngx_ezw_pg_conn_timer(ngx_event_t *ev)
{
    ngx_msec_int_t      left;
    ngx_ezw_pg_conn_t  *pc;

    pc = ev->data;

    if (pc->state != NGX_EZW_PG_C_BUSY) {
        /* it has taken long enough: nobody waits for another attempt */
        pc->lane->pg->down = 1;
        broken(pc, "timed out");
        return;
    }

    left = (ngx_msec_int_t) (pc->until - ngx_current_msec);

    if (left <= 0) {
        broken(pc, "the group's time is over");
        return;
    }

    ngx_add_timer(ev, ngx_ezw_pg_lane_expire(pc->lane, pc, left));
}


/* Sends what libpq holds.  NGX_OK also when some is left; NGX_ERROR: closed. */
ngx_int_t
ngx_ezw_pg_conn_flush(ngx_ezw_pg_conn_t *pc)
{
    int  rc;

    rc = PQflush(pc->pg);

    if (PQsslInUse(pc->pg)) {
        ERR_clear_error();
    }

    if (rc < 0) {
        /* the reader finds the server's last words, or the end */
        pc->flushing = 0;
        return ngx_ezw_pg_conn_want(pc, 0);
    }

    pc->flushing = rc;

    if (ngx_ezw_pg_conn_want(pc, rc) != NGX_OK) {
        broken(pc, "the event cannot be set");
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_ezw_pg_conn_begin(ngx_ezw_pg_conn_t *pc)
{
    pc->nslots = 0;
    pc->current = 0;
    pc->failed = -1;
    pc->sync_state[0] = '\0';
    pc->parsing = 0;
    pc->answered = 0;
    pc->nulls = 0;
}


void
ngx_ezw_pg_conn_send(ngx_ezw_pg_conn_t *pc)
{
    ngx_uint_t               i;
    ngx_ezw_pg_slot_t       *slot;
    ngx_ezw_pg_query_t      *q;
    ngx_ezw_pg_statement_t  *st;

    ngx_ezw_pg_conn_begin(pc);
    ngx_ezw_pg_lane_gather(pc->lane, pc);

    if (pc->nslots == 0) {
        return;
    }

    pc->state = NGX_EZW_PG_C_BUSY;
    pc->c->idle = 0;

    pc->until = ngx_current_msec + pc->lane->timeout;

    ngx_add_timer(&pc->timer, ngx_ezw_pg_lane_expire(pc->lane, pc,
                                                     pc->lane->timeout));

    /* until the Sync is out nothing of the group can be committed */
    pc->flushing = 1;

    pc->lane->pg->stat.groups++;
    pc->lane->pg->stat.statements += pc->nslots;

    for (i = 0; i < pc->nslots; i++) {
        slot = &pc->slots[i];
        q = slot->query;
        st = slot->statement;

        if (pc->prepared[st->index] == 0) {
            slot->prepare = 1;
            pc->prepared[st->index] = 2;      /* asked for in this group */

            if (PQsendPrepare(pc->pg, (char *) st->name.data, st->text,
                              0, NULL)
                != 1)
            {
                goto failed;
            }
        }

        if (PQsendQueryPrepared(pc->pg, (char *) st->name.data, st->nparams,
                                q->values, NULL, NULL, 1)
            != 1)
        {
            goto failed;
        }
    }

    pc->parsing = pc->slots[0].prepare;

    if (PQpipelineSync(pc->pg) != 1) {
        goto failed;
    }

    (void) ngx_ezw_pg_conn_flush(pc);
    return;

failed:

    ngx_ezw_pg_conn_close(pc, PQerrorMessage(pc->pg));
}


/*
 * Takes what has arrived.  NGX_OK: the connection stays as it is and waits;
 * NGX_DONE: the group has ended or the connection is gone, touch nothing.
 */
static ngx_int_t
read_results(ngx_ezw_pg_conn_t *pc)
{
    PGresult   *res;
    ngx_int_t   rc;

    while (pc->nslots && !PQisBusy(pc->pg)) {

        res = PQgetResult(pc->pg);

        rc = take_result(pc, res);

        if (rc == NGX_OK) {
            group_end(pc);
            return NGX_DONE;
        }

        if (rc == NGX_ERROR) {
            broken(pc, "results out of step");
            return NGX_DONE;
        }
    }

    /* libpq gives up, and closes its socket, on bytes that make no sense */

    if (PQstatus(pc->pg) == CONNECTION_BAD) {
        broken(pc, PQerrorMessage(pc->pg));
        return NGX_DONE;
    }

    return NGX_OK;
}


/*
 * Files one result where it belongs.  Order within a group: for each slot the
 * Parse's result and a NULL if there was a Parse, the statement's result and a
 * NULL; at the end the Sync's, without NULL.
 * NGX_OK: that was the Sync; NGX_AGAIN: more to come; NGX_ERROR: nonsense.
 */
static ngx_int_t
take_result(ngx_ezw_pg_conn_t *pc, PGresult *res)
{
    char               *state;
    ExecStatusType      status;
    ngx_ezw_pg_slot_t  *slot;

    slot = (pc->current < pc->nslots) ? &pc->slots[pc->current] : NULL;

    if (res == NULL) {

        if (slot == NULL || !pc->answered) {
            return ++pc->nulls > 2 ? NGX_ERROR : NGX_AGAIN;
        }

        pc->answered = 0;

        if (pc->parsing) {
            pc->parsing = 0;

        } else {
            pc->current++;
            pc->parsing = (pc->current < pc->nslots)
                          ? pc->slots[pc->current].prepare : 0;
        }

        return NGX_AGAIN;
    }

    pc->nulls = 0;
    status = PQresultStatus(res);
    state = NULL;

    if (status == PGRES_FATAL_ERROR) {

        /* without a code it is libpq's own: what the server did, who knows */

        state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

        if (state == NULL) {
            PQclear(res);
            return NGX_ERROR;
        }
    }

    if (slot == NULL) {

        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            return NGX_OK;
        }

        if (status == PGRES_FATAL_ERROR) {
            ngx_cpystrn((u_char *) pc->sync_state, (u_char *) state,
                        sizeof(pc->sync_state));
            PQclear(res);
            return NGX_AGAIN;
        }

        PQclear(res);
        return NGX_ERROR;
    }

    if (pc->answered) {
        PQclear(res);
        return NGX_ERROR;
    }

    pc->answered = 1;

    switch (status) {

    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:

        if (pc->parsing) {
            pc->prepared[slot->statement->index] = 1;
            break;
        }

        slot->result = res;
        return NGX_AGAIN;

    case PGRES_PIPELINE_ABORTED:

        if (pc->parsing) {
            pc->prepared[slot->statement->index] = 0;
        }

        slot->aborted = 1;
        break;

    case PGRES_FATAL_ERROR:

        if (pc->parsing) {
            pc->prepared[slot->statement->index] = 0;
        }

        if (pc->failed == -1 && slot->result == NULL) {
            pc->failed = pc->current;
            slot->result = res;
            return NGX_AGAIN;
        }

        break;

    default:
        PQclear(res);
        return NGX_ERROR;
    }

    PQclear(res);

    return NGX_AGAIN;
}


/* The Sync is back: hands the queries on, then takes the next group. */
static void
group_end(ngx_ezw_pg_conn_t *pc)
{
    ngx_uint_t  i;

    if (pc->state == NGX_EZW_PG_C_SETUP) {
        ngx_ezw_pg_connect_done(pc);
        return;
    }

    ngx_del_timer(&pc->timer);

    for (i = 0; i < pc->nslots; i++) {
        /* a Parse that was never answered for was not executed */
        if (pc->prepared[pc->slots[i].statement->index] == 2) {
            pc->prepared[pc->slots[i].statement->index] = 0;
        }
    }

    pc->state = NGX_EZW_PG_C_IDLE;

    ngx_ezw_pg_lane_settle(pc->lane, pc);
    pc->nslots = 0;

    if (pc->recycle || PQstatus(pc->pg) == CONNECTION_BAD) {
        ngx_ezw_pg_conn_close(pc, "it is to be made anew");
        return;
    }

    if (!ngx_queue_empty(&pc->lane->queue)) {
        ngx_ezw_pg_conn_send(pc);
        if (pc->state != NGX_EZW_PG_C_IDLE) {
            return;
        }
    }

    if (ngx_exiting) {
        ngx_ezw_pg_conn_close(pc, NULL);
        return;
    }

    pc->c->idle = 1;
}


void
ngx_ezw_pg_conn_close(ngx_ezw_pg_conn_t *pc, const char *reason)
{
    size_t                    len;
    ngx_ezw_pg_t             *pg;
    ngx_ezw_pg_conn_state_e   state;

    pg = pc->lane->pg;
    state = pc->state;

    if (reason) {
        len = ngx_strlen(reason);
        while (len && reason[len - 1] == LF) {
            len--;
        }

        ngx_log_error((ngx_exiting ? NGX_LOG_INFO : NGX_LOG_WARN), pg->log, 0,
                      "postgres: connection closed after %M ms with %ui "
                      "statements in flight: %*s",
                      ngx_current_msec - pc->since, pc->nslots, len, reason);
    }

    if (pc->timer.timer_set) {
        ngx_del_timer(&pc->timer);
    }

    if (pg->connecting == pc) {
        pg->connecting = NULL;
    }

    if (state == NGX_EZW_PG_C_IDLE || state == NGX_EZW_PG_C_BUSY) {
        pg->stat.up--;
        if (reason) {
            pg->stat.lost++;
        }
    }

    ngx_ezw_pg_conn_unwatch(pc);

    if (pc->pg) {
        PQfinish(pc->pg);
        ERR_clear_error();
        pc->pg = NULL;
    }

    pc->state = NGX_EZW_PG_C_DOWN;
    pc->recycle = 0;

    if (state == NGX_EZW_PG_C_BUSY) {
        ngx_ezw_pg_lane_lost(pc->lane, pc);

    } else if (pc->nslots && pc->slots[0].result) {
        PQclear(pc->slots[0].result);
        pc->slots[0].result = NULL;
    }

    pc->nslots = 0;
    pc->flushing = 0;

    if (state == NGX_EZW_PG_C_IDLE || state == NGX_EZW_PG_C_BUSY) {
        ngx_ezw_pg_connect_next(pg);
    }
}

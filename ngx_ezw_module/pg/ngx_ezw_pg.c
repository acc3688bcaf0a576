/* The pool of a worker: its life, and what it tells of itself. */

#include "pg/ngx_ezw_pg_conn.h"


ngx_ezw_pg_t *
ngx_ezw_pg_start(ngx_cycle_t *cycle, ngx_ezw_pg_conf_t *pcf)
{
    ngx_uint_t          i, l;
    ngx_ezw_pg_t       *pg;
    ngx_ezw_pg_conn_t  *pc;

    pg = ngx_pcalloc(cycle->pool, sizeof(ngx_ezw_pg_t));
    if (pg == NULL) {
        return NULL;
    }

    pg->conf = pcf;
    pg->log = cycle->log;
    pg->pool = cycle->pool;

    /* so that the nodes of a fleet do not all begin with the same address */
    pg->addr = pcf->naddrs ? (ngx_uint_t) ngx_pid % pcf->naddrs : 0;

    pg->retry.handler = ngx_ezw_pg_connect_retry;
    pg->retry.data = pg;
    pg->retry.log = cycle->log;
    pg->retry.cancelable = 1;

    for (l = 0; l < NGX_EZW_PG_LANES; l++) {

        pg->lanes[l].nconns = pcf->lanes[l].nconns;
        pg->lanes[l].queue_max = pcf->lanes[l].queue_max;
        pg->lanes[l].timeout = pcf->lanes[l].timeout;

        pg->lanes[l].conns = ngx_pcalloc(cycle->pool,
                           pcf->lanes[l].nconns * sizeof(ngx_ezw_pg_conn_t));
        if (pg->lanes[l].conns == NULL) {
            return NULL;
        }

        ngx_ezw_pg_lane_init(pg, l);

        for (i = 0; i < pg->lanes[l].nconns; i++) {
            pc = &pg->lanes[l].conns[i];
            pc->lane = &pg->lanes[l];
            pc->failed = -1;

            pc->prepared = ngx_pcalloc(cycle->pool,
                                       pcf->statements.nelts + 1);
            if (pc->prepared == NULL) {
                return NULL;
            }

            pc->timer.handler = ngx_ezw_pg_conn_timer;
            pc->timer.data = pc;
            pc->timer.log = cycle->log;

            /* the others connect when they are first needed */
            pc->wanted = (l == NGX_EZW_PG_READ || l == NGX_EZW_PG_WRITE);
        }
    }

    ngx_ezw_pg_connect_next(pg);

    return pg;
}


void
ngx_ezw_pg_stop(ngx_ezw_pg_t *pg)
{
    ngx_uint_t          i, l;
    ngx_ezw_pg_conn_t  *pc;

    pg->stopping = 1;

    for (l = 0; l < NGX_EZW_PG_LANES; l++) {
        for (i = 0; i < pg->lanes[l].nconns; i++) {
            pc = &pg->lanes[l].conns[i];

            ngx_ezw_pg_conn_unwatch(pc);

            if (pc->pg) {
                PQfinish(pc->pg);
                pc->pg = NULL;
            }
        }
    }
}


const char *
ngx_ezw_pg_reason(ngx_ezw_pg_t *pg)
{
    if (pg->failures == 0) {
        return "connecting to the database";
    }

    /* libpq's own words name hosts and users: they are for the log */

    return pg->tell ? pg->reason : "the database cannot be reached";
}


ngx_uint_t
ngx_ezw_pg_ready(ngx_ezw_pg_t *pg)
{
    ngx_uint_t  i, l, up;

    for (l = NGX_EZW_PG_READ; l <= NGX_EZW_PG_WRITE; l++) {
        up = 0;

        for (i = 0; i < pg->lanes[l].nconns; i++) {
            up += pg->lanes[l].conns[i].state >= NGX_EZW_PG_C_IDLE;
        }

        if (up == 0) {
            return 0;
        }
    }

    return 1;
}


void
ngx_ezw_pg_stat(ngx_ezw_pg_t *pg, ngx_ezw_pg_stat_t *st)
{
    ngx_uint_t  l;

    *st = pg->stat;

    for (l = 0; l < NGX_EZW_PG_LANES; l++) {
        st->queued[l] = pg->lanes[l].nqueued;
    }
}

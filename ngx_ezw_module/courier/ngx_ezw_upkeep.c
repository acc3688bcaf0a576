/*
 * Upkeep by the node's leading worker: partitions made ahead, old rows swept
 * in small steps, so that no transaction stays open for long.
 */

#include "courier/ngx_ezw_courier.h"


#define TICK_MS        1000
#define PARTITIONS_MS  (3600 * 1000)
#define SWEEP_MS       (60 * 1000)
#define SWEEP_ROWS     1000


typedef struct {
    ngx_ezw_main_conf_t  *conf;
    ngx_event_t           timer;
    ngx_ezw_pg_query_t    partitions;
    ngx_ezw_pg_query_t    sweep;
    ngx_msec_t            next_partitions;
    ngx_msec_t            next_sweep;
    const char           *values[1];
    unsigned              making:1;
    unsigned              sweeping:1;
} upkeep_t;


static upkeep_t  upkeep;


static void tick(ngx_event_t *ev);
static ngx_int_t run(ngx_ezw_pg_query_t *q, ngx_ezw_courier_statement_e s,
    ngx_ezw_pg_handler_pt handler);
static void partitions_done(ngx_ezw_pg_query_t *q);
static void sweep_done(ngx_ezw_pg_query_t *q);


ngx_int_t
ngx_ezw_upkeep_start(ngx_cycle_t *cycle, ngx_ezw_main_conf_t *emcf)
{
    ngx_memzero(&upkeep, sizeof(upkeep_t));

    upkeep.conf = emcf;
    upkeep.timer.handler = tick;
    upkeep.timer.data = &upkeep;
    upkeep.timer.log = cycle->log;
    upkeep.timer.cancelable = 1;
    upkeep.next_partitions = ngx_current_msec;
    upkeep.next_sweep = ngx_current_msec + SWEEP_MS;
    upkeep.values[0] = ngx_value(SWEEP_ROWS);

    ngx_add_timer(&upkeep.timer, TICK_MS);

    return NGX_OK;
}


static void
tick(ngx_event_t *ev)
{
    if (ngx_exiting) {
        return;
    }

    ngx_add_timer(ev, TICK_MS);

    if (!ngx_ezw_change_leads()) {
        return;
    }

    if (!upkeep.making
        && (ngx_msec_int_t) (ngx_current_msec - upkeep.next_partitions) >= 0
        && run(&upkeep.partitions, NGX_EZW_S_PARTITIONS, partitions_done)
           == NGX_OK)
    {
        upkeep.making = 1;
        upkeep.next_partitions = ngx_current_msec + PARTITIONS_MS;
    }

    if (!upkeep.sweeping
        && (ngx_msec_int_t) (ngx_current_msec - upkeep.next_sweep) >= 0
        && run(&upkeep.sweep, NGX_EZW_S_SWEEP, sweep_done) == NGX_OK)
    {
        upkeep.sweeping = 1;
        upkeep.next_sweep = ngx_current_msec + SWEEP_MS;
    }
}


static ngx_int_t
run(ngx_ezw_pg_query_t *q, ngx_ezw_courier_statement_e s,
    ngx_ezw_pg_handler_pt handler)
{
    q->statement = ngx_ezw_courier_statement(s);
    q->values = upkeep.values;
    q->handler = handler;
    q->lane = NGX_EZW_PG_SINGLE;
    q->write = 1;

    if (upkeep.conf->pg == NULL) {
        return NGX_DECLINED;
    }

    return ngx_ezw_pg_submit(upkeep.conf->pg, q);
}


static void
partitions_done(ngx_ezw_pg_query_t *q)
{
    upkeep.making = 0;

    if (q->rc != NGX_EZW_PG_DONE) {
        upkeep.next_partitions = ngx_current_msec + SWEEP_MS;
        ngx_log_error(NGX_LOG_WARN, upkeep.timer.log, 0,
                      "upkeep: next month's partitions could not be made");
    }

    ngx_ezw_pg_query_clear(q);
}


static void
sweep_done(ngx_ezw_pg_query_t *q)
{
    upkeep.sweeping = 0;

    /* a full step: there is more */

    if (q->rc == NGX_EZW_PG_DONE
        && ngx_ezw_pg_int(q, 0, "swept") >= SWEEP_ROWS)
    {
        upkeep.next_sweep = ngx_current_msec;
    }

    ngx_ezw_pg_query_clear(q);
}

/*
 * Upkeep by the node's leading worker: partitions made ahead and dropped, old
 * rows swept, what is left of an erased contact, of two that became one, of
 * what conversations lose and of messages past their retention taken on.  All
 * of it in small steps, so that no transaction stays open for long; the state
 * is in the database, so a step that a killed worker did not end is done by
 * whoever comes next.
 */

#include "courier/ngx_ezw_courier.h"


#define TICK_MS     1000
#define PAUSE_MS    5                /* between two steps */
#define SOON_MS     (60 * 1000)      /* after a failure at the latest */
#define SWEEP_MS    (60 * 1000)
#define HOUR_MS     (3600 * 1000)
#define STEP_ROWS   1000


/* One thing that is done again and again. */
typedef struct {
    ngx_ezw_courier_statement_e   statement;
    const char                   *column;
    ngx_int_t                     more;      /* so many: again at once */
    ngx_msec_t                    first;     /* after the start */
    ngx_msec_t                    every;
    const char                   *failed;    /* a warning, or NULL */
} duty_t;

typedef struct {
    const duty_t                 *duty;
    ngx_ezw_pg_query_t            query;
    ngx_msec_t                    next;
    unsigned                      running:1;
} task_t;


static void tick(ngx_event_t *ev);
static ngx_int_t run(task_t *task);
static void done(ngx_ezw_pg_query_t *q);


static const duty_t  duties[] = {
    { NGX_EZW_S_PARTITIONS, "made", NGX_MAX_INT_T_VALUE, 0, HOUR_MS,
      "next month's partitions could not be made" },
    { NGX_EZW_S_SWEEP, "swept", STEP_ROWS, SWEEP_MS, SWEEP_MS, NULL },
    { NGX_EZW_S_ERASURE, "looked", 1, 0, TICK_MS, NULL },
    { NGX_EZW_S_MERGE, "looked", 1, 0, TICK_MS, NULL },
    { NGX_EZW_S_DETACH, "looked", 1, 0, TICK_MS, NULL },
    { NGX_EZW_S_PURGE_BEGIN, "begun", NGX_MAX_INT_T_VALUE, 0, HOUR_MS,
      "what is past its retention could not be looked for" },
    { NGX_EZW_S_PURGE, "looked", 1, 0, TICK_MS, NULL },
    { NGX_EZW_S_DROP, "dropped", 1, TICK_MS, HOUR_MS, NULL }
};

#define NTASKS  (sizeof(duties) / sizeof(duties[0]))

static struct {
    ngx_ezw_main_conf_t  *conf;
    ngx_event_t           timer;
    const char           *values[1];
    task_t                tasks[NTASKS];
} upkeep;


ngx_int_t
ngx_ezw_upkeep_start(ngx_cycle_t *cycle, ngx_ezw_main_conf_t *emcf)
{
    ngx_uint_t  i;

    ngx_memzero(&upkeep, sizeof(upkeep));

    upkeep.conf = emcf;
    upkeep.timer.handler = tick;
    upkeep.timer.data = &upkeep;
    upkeep.timer.log = cycle->log;
    upkeep.timer.cancelable = 1;
    upkeep.values[0] = ngx_value(STEP_ROWS);

    for (i = 0; i < NTASKS; i++) {
        upkeep.tasks[i].duty = &duties[i];
        upkeep.tasks[i].next = ngx_current_msec + duties[i].first;
    }

    ngx_add_timer(&upkeep.timer, TICK_MS);

    return NGX_OK;
}


static void
tick(ngx_event_t *ev)
{
    task_t      *task;
    ngx_uint_t   i;

    if (ngx_exiting) {
        return;
    }

    ngx_add_timer(ev, TICK_MS);

    if (!ngx_ezw_change_leads()) {
        return;
    }

    for (i = 0; i < NTASKS; i++) {
        task = &upkeep.tasks[i];

        if (!task->running
            && (ngx_msec_int_t) (ngx_current_msec - task->next) >= 0
            && run(task) == NGX_OK)
        {
            task->running = 1;
            task->next = ngx_current_msec + task->duty->every;
        }
    }
}


static ngx_int_t
run(task_t *task)
{
    ngx_ezw_pg_query_t  *q;

    if (upkeep.conf->pg == NULL) {
        return NGX_DECLINED;
    }

    q = &task->query;
    q->statement = ngx_ezw_courier_statement(task->duty->statement);
    q->values = upkeep.values;
    q->handler = done;
    q->data = task;
    q->lane = NGX_EZW_PG_SINGLE;
    q->write = 1;

    return ngx_ezw_pg_submit(upkeep.conf->pg, q);
}


static void
done(ngx_ezw_pg_query_t *q)
{
    task_t  *task;

    task = q->data;
    task->running = 0;

    if (q->rc != NGX_EZW_PG_DONE) {
        task->next = ngx_current_msec + ngx_min(task->duty->every, SOON_MS);

        if (task->duty->failed) {
            ngx_log_error(NGX_LOG_WARN, upkeep.timer.log, 0, "upkeep: %s",
                          task->duty->failed);
        }

    } else if (ngx_ezw_pg_int(q, 0, task->duty->column) >= task->duty->more
               && !ngx_exiting)
    {
        task->next = ngx_current_msec;
        ngx_add_timer(&upkeep.timer, PAUSE_MS);
    }

    ngx_ezw_pg_query_clear(q);
}

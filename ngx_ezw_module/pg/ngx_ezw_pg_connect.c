/*
 * Coming into service: one attempt at a time in a worker, with a pause that
 * grows while the server is away, then the question which schema it has.
 *
 * libpq may close its socket, and open another of the same number, within
 * PQconnectPoll: the nginx connection is given up before each call of it and
 * made anew after.
 */

#include <openssl/err.h>

#include "base/ezw_backoff.h"
#include "pg/ngx_ezw_pg_conn.h"


#define NGX_EZW_PG_RETRY_MIN  50      /* ms */
#define NGX_EZW_PG_RETRY_MAX  1000


static const char  no_slot[] = "no connection slot: worker_connections";


static void connect_start(ngx_ezw_pg_conn_t *pc);
static void setup_start(ngx_ezw_pg_conn_t *pc);
static void notice(void *arg, const PGresult *res);


void
ngx_ezw_pg_connect_next(ngx_ezw_pg_t *pg)
{
    ngx_uint_t          i, l;
    ngx_ezw_pg_conn_t  *pc;

    if (pg->connecting || pg->retry.timer_set || pg->stopping) {
        return;
    }

    for (l = 0; l < NGX_EZW_PG_LANES; l++) {
        for (i = 0; i < pg->lanes[l].nconns; i++) {
            pc = &pg->lanes[l].conns[i];

            if (pc->state != NGX_EZW_PG_C_DOWN || !pc->wanted) {
                continue;
            }

            if (ngx_exiting && ngx_queue_empty(&pg->lanes[l].queue)) {
                continue;
            }

            connect_start(pc);
            return;
        }
    }
}


static void
connect_start(ngx_ezw_pg_conn_t *pc)
{
    ngx_uint_t          i, n;
    const char         *names[NGX_EZW_PG_OPTIONS + 2];
    const char         *values[NGX_EZW_PG_OPTIONS + 2];
    ngx_ezw_pg_t       *pg;
    ngx_ezw_pg_conf_t  *pcf;

    pg = pc->lane->pg;
    pcf = pg->conf;

    for (i = 0; i < pcf->noptions; i++) {
        names[i] = pcf->names[i];
        values[i] = pcf->values[i];
    }

    n = pcf->noptions;

    if (pcf->naddrs) {
        names[n] = "hostaddr";
        values[n] = pcf->addrs[pg->addr % pcf->naddrs];
        n++;
    }

    names[n] = NULL;
    values[n] = NULL;

    pg->connecting = pc;
    pc->state = NGX_EZW_PG_C_CONNECTING;

    pc->pg = PQconnectStartParams(names, values, 0);

    if (pc->pg == NULL) {
        ngx_ezw_pg_connect_failed(pc, "no memory");
        return;
    }

    if (PQstatus(pc->pg) == CONNECTION_BAD) {
        ngx_ezw_pg_connect_failed(pc, PQerrorMessage(pc->pg));
        return;
    }

    PQsetNoticeReceiver(pc->pg, notice, pg);

    ngx_add_timer(&pc->timer, pcf->connect_timeout);

    /* as if PQconnectPoll had asked for writing */

    if (ngx_ezw_pg_conn_watch(pc) != NGX_OK
        || ngx_ezw_pg_conn_want(pc, 1) != NGX_OK)
    {
        ngx_ezw_pg_connect_failed(pc, no_slot);
    }
}


void
ngx_ezw_pg_connect_step(ngx_ezw_pg_conn_t *pc)
{
    PostgresPollingStatusType  st;

    ngx_ezw_pg_conn_unwatch(pc);

    st = PQconnectPoll(pc->pg);
    ERR_clear_error();

    switch (st) {

    case PGRES_POLLING_OK:
        setup_start(pc);
        return;

    case PGRES_POLLING_READING:
    case PGRES_POLLING_WRITING:

        if (ngx_ezw_pg_conn_watch(pc) != NGX_OK
            || ngx_ezw_pg_conn_want(pc, st == PGRES_POLLING_WRITING) != NGX_OK)
        {
            ngx_ezw_pg_connect_failed(pc, no_slot);
        }

        return;

    default:
        ngx_ezw_pg_connect_failed(pc, PQerrorMessage(pc->pg));
    }
}


/* Remembers why, tells the lanes, comes back after a pause. */
void
ngx_ezw_pg_connect_failed(ngx_ezw_pg_conn_t *pc, const char *reason)
{
    size_t         len;
    uint32_t       pause;
    ngx_uint_t     i;
    ngx_ezw_pg_t  *pg;

    pg = pc->lane->pg;
    pg->tell = 0;

    len = ngx_strlen(reason);
    while (len && (reason[len - 1] == LF || reason[len - 1] == CR)) {
        len--;
    }

    len = ngx_min(len, sizeof(pg->reason) - 1);
    ngx_memmove(pg->reason, reason, len);
    pg->reason[len] = '\0';

    for (i = 0; i < len; i++) {
        if (pg->reason[i] == LF) {
            pg->reason[i] = ' ';
        }
    }

    pg->failures++;
    pg->addr++;

    /* once may be one address of several, or a backend killed at its start */

    if (pg->failures > ngx_max(pg->conf->naddrs, 1)) {
        pg->down = 1;
    }

    pause = ezw_backoff(pg->failures, NGX_EZW_PG_RETRY_MIN,
                        NGX_EZW_PG_RETRY_MAX, (uint32_t) ngx_random());

    ngx_log_error((pg->failures == 1 ? NGX_LOG_WARN : NGX_LOG_INFO), pg->log, 0,
                  "postgres: connecting failed (%ui in a row): %s",
                  pg->failures, pg->reason);

    ngx_ezw_pg_conn_close(pc, NULL);

    ngx_add_timer(&pg->retry, pause);

    for (i = 0; i < NGX_EZW_PG_LANES; i++) {
        ngx_ezw_pg_lane_down(&pg->lanes[i]);
    }
}


void
ngx_ezw_pg_connect_retry(ngx_event_t *ev)
{
    ngx_ezw_pg_connect_next(ev->data);
}


/* Connected: pipeline mode, and the question which schema this is. */
static void
setup_start(ngx_ezw_pg_conn_t *pc)
{
    pc->state = NGX_EZW_PG_C_SETUP;

    if (PQsetnonblocking(pc->pg, 1) != 0
        || PQenterPipelineMode(pc->pg) != 1
        || ngx_ezw_pg_conn_watch(pc) != NGX_OK)
    {
        ngx_ezw_pg_connect_failed(pc, "the connection cannot be set up");
        return;
    }

    ngx_ezw_pg_conn_begin(pc);

    ngx_memzero(&pc->slots[0], sizeof(ngx_ezw_pg_slot_t));
    pc->nslots = 1;

    if (PQsendQueryParams(pc->pg, pc->lane->pg->conf->setup->text, 0, NULL,
                          NULL, NULL, NULL, 0)
        != 1
        || PQpipelineSync(pc->pg) != 1)
    {
        ngx_ezw_pg_connect_failed(pc, PQerrorMessage(pc->pg));
        return;
    }

    (void) ngx_ezw_pg_conn_flush(pc);
}


/* The answer is here: into service, or refused with the reason. */
void
ngx_ezw_pg_connect_done(ngx_ezw_pg_conn_t *pc)
{
    char            text[sizeof(((ngx_ezw_pg_t *) 0)->reason)];
    PGresult       *res;
    ngx_int_t       version;
    const char     *state;
    ngx_ezw_pg_t   *pg;

    pg = pc->lane->pg;
    res = pc->slots[0].result;

    if (pc->failed != -1 || pc->sync_state[0] || res == NULL
        || PQntuples(res) != 1)
    {
        state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;

        ngx_snprintf((u_char *) text, sizeof(text),
                     "the database has no ezw schema that this role can read"
                     " (%s): run ./ezw migrate%Z", state ? state : "no rows");

        PQclear(res);
        pc->slots[0].result = NULL;
        ngx_ezw_pg_connect_failed(pc, text);
        pg->tell = 1;
        return;
    }

    version = ngx_atoi((u_char *) PQgetvalue(res, 0, 0),
                       PQgetlength(res, 0, 0));
    PQclear(res);
    pc->slots[0].result = NULL;

    if (version != ngx_ezw_sql_version) {
        ngx_snprintf((u_char *) text, sizeof(text),
                     "the database has schema version %i, this module speaks"
                     " %d: %s%Z", version, ngx_ezw_sql_version,
                     version < ngx_ezw_sql_version
                         ? "run ./ezw migrate" : "deploy a newer module");
        ngx_ezw_pg_connect_failed(pc, text);
        pg->tell = 1;
        return;
    }

    if (pg->failures) {
        ngx_log_error(NGX_LOG_NOTICE, pg->log, 0,
                      "postgres: connected after %ui failures", pg->failures);
    }

    ngx_del_timer(&pc->timer);

    pg->failures = 0;
    pg->down = 0;
    pg->reason[0] = '\0';
    pg->connecting = NULL;
    pg->stat.up++;

    pc->since = ngx_current_msec;
    pc->state = NGX_EZW_PG_C_IDLE;
    pc->c->idle = 1;
    pc->nslots = 0;

    ngx_memzero(pc->prepared, pg->conf->statements.nelts);

    ngx_ezw_pg_lane_wake(pc->lane);
    ngx_ezw_pg_connect_next(pg);
}


/* What the server says beside results: at most one line a second. */
static void
notice(void *arg, const PGresult *res)
{
    char          *state;
    ngx_ezw_pg_t  *pg;

    pg = arg;
    pg->notices++;

    if (ngx_current_msec - pg->notice_at < 1000) {
        return;
    }

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    ngx_log_error(NGX_LOG_INFO, pg->log, 0, "postgres: notice %s (%ui so far)",
                  state ? state : "without code", pg->notices);

    pg->notice_at = ngx_current_msec;
}

/* The outbox loop: claim, hand to the connector, settle. */

#include "courier/ngx_ezw_courier.h"


#define CLAIM_ROWS     64
#define CLAIM_LEASE    30           /* seconds */
#define JOBS_MAX       256          /* of a worker at once */
#define POLL_MS        1000


typedef struct {
    ngx_ezw_main_conf_t  *conf;
    ngx_log_t            *log;
    ngx_event_t           bell;         /* posted: there is work */
    ngx_event_t           timer;        /* the slow look */
    ngx_ezw_pg_query_t    claim;
    const char           *values[8];
    u_char                worker[80];
    ngx_uint_t            jobs;
    unsigned              claiming:1;
    unsigned              again:1;      /* rung while claiming */
} courier_t;


const char  ngx_ezw_null[] = "";

static courier_t                courier;
static ngx_ezw_pg_statement_t  *statements[NGX_EZW_S_COUNT];

static const struct {
    const char               *name;
    const char               *params[16];
} needed[NGX_EZW_S_COUNT] = {
    { "outbox_claim", { "worker", "limit", "lease_seconds" } },
    { "outbox_done", { "company", "conversation", "seq", "worker" } },
    { "outbox_retry", { "company", "conversation", "seq", "worker", "delay_ms",
                        "error" } },
    { "message_status", { "company", "channel", "message", "status",
                          "provider.id", "error.code", "error.text" } },
    { "message_receive", { "company", "channel", "contact", "contact.name",
                           "provider.id", "id.message", "message",
                           "message.type", "id.contact", "id.conversation",
                           "aliases", "about.id" } },
    { "template_status", { "company", "channel", "name", "language", "id",
                           "status", "reason" } },
    { "message_revoke", { "company", "channel", "provider.id" } },
    { "typing_receive", { "company", "channel", "contact", "id.message",
                          "state" } },
    { "partitions_ensure", { NULL } },
    { "sweep", { "limit" } },
    { "erasure_next", { "limit" } },
    { "merge_next", { "limit" } },
    { "detach_next", { "limit" } },
    { "purge_begin", { NULL } },
    { "purge_next", { "limit" } },
    { "partitions_drop", { NULL } }
};

static const ngx_ezw_connector_t  *connectors[] = { &ngx_ezw_sandbox, NULL };


static void ring(void);
static void bell_handler(ngx_event_t *ev);
static void timer_handler(ngx_event_t *ev);
static void claim(void);
static void claimed(ngx_ezw_pg_query_t *q);
static void start_job(ngx_ezw_pg_query_t *q, int row);
static void executed(ngx_ezw_pg_query_t *q);
static void end_job(ngx_ezw_job_t *job);
static char *copy(ngx_pool_t *pool, ngx_str_t s);
static char *copy_uuid(ngx_pool_t *pool, ngx_str_t s);


ngx_int_t
ngx_ezw_courier_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_EZW_S_COUNT; i++) {
        statements[i] = ngx_ezw_gate_statement(cf, emcf, needed[i].name,
                                               needed[i].params);
        if (statements[i] == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_ezw_pg_statement_t *
ngx_ezw_courier_statement(ngx_ezw_courier_statement_e s)
{
    return statements[s];
}


ngx_int_t
ngx_ezw_courier_start(ngx_cycle_t *cycle, ngx_ezw_main_conf_t *emcf)
{
    u_char  rnd[8], hex[16];

    ngx_memzero(&courier, sizeof(courier_t));

    courier.conf = emcf;
    courier.log = cycle->log;

    if (ngx_ezw_random(rnd, sizeof(rnd)) != NGX_OK) {
        return NGX_ERROR;
    }

    ezw_hex(hex, rnd, sizeof(rnd));

    *ngx_snprintf(courier.worker, sizeof(courier.worker) - 1, "%*s:%P:%*s",
                  ngx_min(cycle->hostname.len, 40), cycle->hostname.data,
                  ngx_pid, (size_t) 16, hex)
        = '\0';

    courier.bell.handler = bell_handler;
    courier.bell.data = &courier;
    courier.bell.log = cycle->log;

    courier.timer.handler = timer_handler;
    courier.timer.data = &courier;
    courier.timer.log = cycle->log;
    courier.timer.cancelable = 1;

    ngx_add_timer(&courier.timer, POLL_MS);

    emcf->bell = ring;

    return ngx_ezw_upkeep_start(cycle, emcf);
}


/* A request of this worker has left work. */
static void
ring(void)
{
    if (courier.claiming) {
        courier.again = 1;
        return;
    }

    if (!courier.bell.posted) {
        ngx_post_event(&courier.bell, &ngx_posted_events);
    }
}


static void
bell_handler(ngx_event_t *ev)
{
    claim();
}


static void
timer_handler(ngx_event_t *ev)
{
    if (ngx_exiting) {
        return;
    }

    ngx_add_timer(ev, POLL_MS);

    if (ngx_ezw_change_leads() || courier.again) {
        claim();
    }
}


static void
claim(void)
{
    ngx_ezw_pg_statement_t  *st;

    if (courier.claiming || ngx_exiting || courier.conf->pg == NULL) {
        return;
    }

    if (courier.jobs + CLAIM_ROWS > JOBS_MAX) {
        courier.again = 1;
        return;
    }

    st = statements[NGX_EZW_S_CLAIM];

    courier.values[ngx_ezw_pg_param(st, "worker")] = (char *) courier.worker;
    courier.values[ngx_ezw_pg_param(st, "limit")] = ngx_value(CLAIM_ROWS);
    courier.values[ngx_ezw_pg_param(st, "lease_seconds")]
        = ngx_value(CLAIM_LEASE);

    courier.claim.statement = st;
    courier.claim.values = courier.values;
    courier.claim.handler = claimed;
    courier.claim.lane = NGX_EZW_PG_WRITE;
    courier.claim.write = 1;
    courier.again = 0;

    if (ngx_ezw_pg_submit(courier.conf->pg, &courier.claim) == NGX_OK) {
        courier.claiming = 1;
    }
}


static void
claimed(ngx_ezw_pg_query_t *q)
{
    int  i, n;

    courier.claiming = 0;

    if (q->rc != NGX_EZW_PG_DONE) {
        ngx_ezw_pg_query_clear(q);
        return;
    }

    n = PQntuples(q->result);

    for (i = 0; i < n; i++) {
        start_job(q, i);
    }

    ngx_ezw_pg_query_clear(q);

    if (n == CLAIM_ROWS || courier.again) {
        claim();
    }
}


static char *
copy(ngx_pool_t *pool, ngx_str_t s)
{
    u_char  *p;

    p = ngx_pnalloc(pool, s.len + 1);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(p, s.data, s.len);
    p[s.len] = '\0';

    return (char *) p;
}


static char *
copy_uuid(ngx_pool_t *pool, ngx_str_t s)
{
    u_char  *p;

    p = ngx_pnalloc(pool, EZW_UUID_LEN + 1);
    if (p == NULL || s.len != 16) {
        return NULL;
    }

    ezw_uuid_text(p, s.data);
    p[EZW_UUID_LEN] = '\0';

    return (char *) p;
}


/* A job of a claimed row, to its connector. */
static void
start_job(ngx_ezw_pg_query_t *q, int row)
{
    u_char         *seq;
    ngx_str_t       name;
    ngx_uint_t      i;
    ngx_pool_t     *pool;
    ngx_ezw_job_t  *job;

    pool = ngx_create_pool(2048, courier.log);
    if (pool == NULL) {
        return;                   /* the lease brings it back */
    }

    job = ngx_pcalloc(pool, sizeof(ngx_ezw_job_t));
    seq = ngx_pnalloc(pool, NGX_INT64_LEN + 1);

    if (job == NULL || seq == NULL) {
        ngx_destroy_pool(pool);
        return;
    }

    job->pool = pool;
    job->conf = courier.conf;
    job->company = copy_uuid(pool, ngx_ezw_pg_str(q, row, "company"));
    job->conversation = copy_uuid(pool, ngx_ezw_pg_str(q, row, "conversation"));
    job->channel = copy(pool, ngx_ezw_pg_str(q, row, "channel"));
    job->contact = copy(pool, ngx_ezw_pg_str(q, row, "contact"));
    job->kind = copy(pool, ngx_ezw_pg_str(q, row, "kind"));
    job->message = copy(pool, ngx_ezw_pg_str(q, row, "message"));
    job->type = copy(pool, ngx_ezw_pg_str(q, row, "type"));
    job->sender = copy(pool, ngx_ezw_pg_str(q, row, "sender"));
    job->body.data = (u_char *) copy(pool, ngx_ezw_pg_str(q, row, "body"));
    job->attempts = ngx_ezw_pg_int(q, row, "attempts");

    *ngx_sprintf(seq, "%L", ngx_ezw_pg_int(q, row, "seq")) = '\0';
    job->seq = (char *) seq;

    if (job->company == NULL || job->conversation == NULL
        || job->channel == NULL || job->contact == NULL || job->kind == NULL
        || job->message == NULL || job->type == NULL || job->sender == NULL
        || job->body.data == NULL)
    {
        ngx_destroy_pool(pool);
        return;
    }

    job->body.len = ngx_strlen(job->body.data);

    job->order = (uint64_t) ngx_crc32_short((u_char *) job->channel,
                                            ngx_strlen(job->channel)) << 32
                 | ngx_crc32_short((u_char *) job->contact,
                                   ngx_strlen(job->contact));

    courier.jobs++;

    name = ngx_ezw_pg_str(q, row, "connector");

    for (i = 0; connectors[i]; i++) {
        if (ngx_strlen(connectors[i]->name) == name.len
            && ngx_strncmp(connectors[i]->name, name.data, name.len) == 0)
        {
            job->connector = connectors[i];
            job->connector->send(job);
            return;
        }
    }

    ngx_log_error(NGX_LOG_ERR, courier.log, 0,
                  "courier: channel \"%s\" has the connector \"%V\", which "
                  "this module does not have", job->channel, &name);

    ngx_ezw_job_failed(job, 60000, "no such connector");
}


void
ngx_ezw_job_execute(ngx_ezw_job_t *job, ngx_ezw_courier_statement_e s,
    void (*next)(ngx_ezw_job_t *job), ...)
{
    va_list                   args;
    ngx_int_t                 i;
    const char               *name, *value, **values;
    ngx_ezw_pg_statement_t   *st;

    st = statements[s];

    values = ngx_pcalloc(job->pool, (st->nparams + 1) * sizeof(char *));
    if (values == NULL) {
        end_job(job);
        return;
    }

    va_start(args, next);

    while ((name = va_arg(args, const char *)) != NULL) {
        value = va_arg(args, const char *);
        i = ngx_ezw_pg_param(st, name);

        if (i < 0) {
            ngx_log_error(NGX_LOG_ALERT, courier.log, 0,
                          "courier: \"%V\" has no parameter \":%s\"",
                          &st->name, name);
            continue;
        }

        values[i] = (value == ngx_ezw_null) ? NULL : value;
    }

    va_end(args);

    job->next = next;
    job->query.statement = st;
    job->query.values = values;
    job->query.handler = executed;
    job->query.data = job;
    job->query.lane = NGX_EZW_PG_WRITE;
    job->query.write = 1;
    job->query.order = job->order;

    if (ngx_ezw_pg_submit(courier.conf->pg, &job->query) != NGX_OK) {
        end_job(job);
    }
}


static void
executed(ngx_ezw_pg_query_t *q)
{
    ngx_ezw_job_t  *job;

    job = q->data;

    if (q->rc != NGX_EZW_PG_DONE) {
        ngx_ezw_pg_query_clear(q);
        end_job(job);
        return;
    }

    job->next(job);
}


/* Forgets the job; what is not settled comes back with its lease. */
static void
end_job(ngx_ezw_job_t *job)
{
    ngx_ezw_pg_cancel(&job->query);
    ngx_destroy_pool(job->pool);

    courier.jobs--;

    if (courier.again && !courier.claiming) {
        ring();
    }
}


void
ngx_ezw_job_done(ngx_ezw_job_t *job)
{
    ngx_ezw_pg_query_clear(&job->query);

    /* the conversation's next row may be waiting behind this one */
    courier.again = 1;

    ngx_ezw_job_execute(job, NGX_EZW_S_DONE, end_job,
                        "company", job->company,
                        "conversation", job->conversation,
                        "seq", job->seq,
                        "worker", (char *) courier.worker,
                        NULL);
}


void
ngx_ezw_job_failed(ngx_ezw_job_t *job, ngx_msec_t pause, const char *error)
{
    u_char  *delay;

    ngx_ezw_pg_query_clear(&job->query);

    delay = ngx_pnalloc(job->pool, NGX_INT64_LEN + 1);
    if (delay == NULL) {
        end_job(job);
        return;
    }

    *ngx_sprintf(delay, "%M", pause) = '\0';

    ngx_ezw_job_execute(job, NGX_EZW_S_RETRY, end_job,
                        "company", job->company,
                        "conversation", job->conversation,
                        "seq", job->seq,
                        "worker", (char *) courier.worker,
                        "delay_ms", (char *) delay,
                        "error", error,
                        NULL);
}

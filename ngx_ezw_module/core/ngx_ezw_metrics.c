/*
 * /metrics: the status zone and the gauges of the other zones in Prometheus's
 * text format (0.0.4).  Any worker tells of all of them.
 *
 * Labels are names of this module's or of the configuration's: how many series
 * there are depends on nothing that a client sends.
 */

#include "core/ngx_ezw_core.h"
#include "gate/ngx_ezw_gate.h"


#define ZONES  4


typedef struct {
    ngx_str_t             name;          /* escaped */
    ngx_ezw_zone_stat_t   stat;
} zone_t;


static const char *const  classes[NGX_EZW_STATUS_CLASSES] = {
    "2xx", "3xx", "4xx", "5xx"
};

static const char *const  bounds[NGX_EZW_STATUS_BUCKETS] = {
    "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25",
    "0.5", "1", "2.5", "5", "10", "+Inf"
};

static const char *const  lanes[NGX_EZW_PG_LANES] = {
    "read", "write", "single", "slow"
};


static void write_requests(ezw_writer_t *w, ngx_ezw_account_t *a);
static void write_durations(ezw_writer_t *w, ngx_ezw_account_t *a);
static void write_verdicts(ezw_writer_t *w, ngx_ezw_status_t *st);
static void write_workers(ezw_writer_t *w, ngx_ezw_status_t *st);
static void write_counters(ezw_writer_t *w, ngx_ezw_status_t *st);
static void write_changes(ezw_writer_t *w, ngx_ezw_main_conf_t *emcf);
static ngx_int_t write_zones(ezw_writer_t *w, ngx_ezw_main_conf_t *emcf,
    ngx_pool_t *pool);
static void write_zone_family(ezw_writer_t *w, zone_t *zones, ngx_uint_t n,
    const char *name, const char *type, const char *help, size_t at);
static void write_zone(ezw_writer_t *w, const char *name, ngx_str_t *zone,
    const char *more, ngx_uint_t value);
static ngx_int_t escape(ngx_pool_t *pool, ngx_str_t *src, ngx_str_t *dst);
static void family(ezw_writer_t *w, const char *name, const char *type,
    const char *help);
static void put(ezw_writer_t *w, const char *fmt, ...);


ngx_int_t
ngx_ezw_metrics_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_str_t             type = ngx_string("text/plain; version=0.0.4; "
                                            "charset=utf-8");
    ngx_ezw_ctx_t        *ctx;
    ngx_ezw_out_t         out;
    ngx_ezw_account_t    *a;
    ngx_ezw_main_conf_t  *emcf;

    ctx = ngx_ezw_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        ctx->match.allowed = NGX_HTTP_GET;
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_ezw_out_init(&out, r->pool, 16384) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    emcf = ngx_http_get_module_main_conf(r, ngx_ezw_module);
    a = emcf->account;

    ngx_ezw_account_publish(a);

    write_requests(&out.w, a);
    write_durations(&out.w, a);
    write_verdicts(&out.w, a->status);
    write_workers(&out.w, a->status);
    write_counters(&out.w, a->status);
    write_changes(&out.w, emcf);

    if (write_zones(&out.w, emcf, r->pool) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->replied = 1;

    return ngx_ezw_health_send(r, NGX_HTTP_OK, &type, &out);
}


static void
write_requests(ezw_writer_t *w, ngx_ezw_account_t *a)
{
    uint64_t                n;
    ngx_uint_t              i, class, bucket;
    ngx_ezw_status_row_t    sums;
    ngx_ezw_account_row_t  *row;

    family(w, "ezw_requests_total", "counter",
           "Requests of clients by endpoint and class of status.");

    row = a->rows.elts;

    for (i = 0; i < a->rows.nelts; i++) {
        ngx_ezw_status_row(a->status, i, &sums);

        for (class = 0; class < NGX_EZW_STATUS_CLASSES; class++) {
            n = 0;

            for (bucket = 0; bucket < NGX_EZW_STATUS_BUCKETS; bucket++) {
                n += sums.counts[class][bucket];
            }

            put(w, "ezw_requests_total{api=\"%s\",endpoint=\"%s\","
                "method=\"%s\",code=\"%s\"} %uL\n", row[i].api,
                row[i].endpoint, row[i].method, classes[class], n);
        }
    }
}


/* Only of endpoints that have been asked for: there are many that nobody of a
 * deployment uses, and a histogram is sixteen series. */
static void
write_durations(ezw_writer_t *w, ngx_ezw_account_t *a)
{
    uint64_t                n, upto[NGX_EZW_STATUS_BUCKETS];
    ngx_uint_t              i, class, bucket;
    ngx_ezw_status_row_t    sums;
    ngx_ezw_account_row_t  *row;

    family(w, "ezw_request_duration_seconds", "histogram",
           "Time from a request's first byte to the end of its answer.");

    row = a->rows.elts;

    for (i = 0; i < a->rows.nelts; i++) {
        ngx_ezw_status_row(a->status, i, &sums);

        n = 0;

        for (bucket = 0; bucket < NGX_EZW_STATUS_BUCKETS; bucket++) {
            for (class = 0; class < NGX_EZW_STATUS_CLASSES; class++) {
                n += sums.counts[class][bucket];
            }

            upto[bucket] = n;
        }

        if (n == 0) {
            continue;
        }

        for (bucket = 0; bucket < NGX_EZW_STATUS_BUCKETS; bucket++) {
            put(w, "ezw_request_duration_seconds_bucket{api=\"%s\","
                "endpoint=\"%s\",method=\"%s\",le=\"%s\"} %uL\n", row[i].api,
                row[i].endpoint, row[i].method, bounds[bucket], upto[bucket]);
        }

        put(w, "ezw_request_duration_seconds_sum{api=\"%s\",endpoint=\"%s\","
            "method=\"%s\"} %uL.%06uL\n", row[i].api, row[i].endpoint,
            row[i].method, sums.sum / 1000000, sums.sum % 1000000);

        put(w, "ezw_request_duration_seconds_count{api=\"%s\","
            "endpoint=\"%s\",method=\"%s\"} %uL\n", row[i].api,
            row[i].endpoint, row[i].method, n);
    }
}


static void
write_verdicts(ezw_writer_t *w, ngx_ezw_status_t *st)
{
    ngx_uint_t  i;

    family(w, "ezw_gate_verdicts_total", "counter",
           "What the gate said, by the value of $ezw_gate.");

    for (i = 0; ngx_ezw_verdicts[i]; i++) {
        put(w, "ezw_gate_verdicts_total{verdict=\"%s\"} %uL\n",
            ngx_ezw_verdicts[i], ngx_ezw_status_marks(st, i));
    }
}


static void
write_workers(ezw_writer_t *w, ngx_ezw_status_t *st)
{
    ngx_uint_t  n, i, gauges[NGX_EZW_STATUS_GAUGES];

    n = ngx_ezw_status_gauges(st, gauges);

    family(w, "ezw_workers", "gauge",
           "Workers that have told of themselves within five seconds.");
    put(w, "ezw_workers %ui\n", n);

    family(w, "ezw_worker_starts_total", "counter", "Workers ever started.");
    put(w, "ezw_worker_starts_total %uL\n",
        ngx_ezw_status_counted(st, NGX_EZW_COUNT_STARTS));

    family(w, "ezw_requests_open", "gauge",
           "Requests under way, streams among them.");
    put(w, "ezw_requests_open %ui\n", gauges[NGX_EZW_GAUGE_OPEN]);

    family(w, "ezw_database_connections", "gauge",
           "Connections to the database in service.");
    put(w, "ezw_database_connections %ui\n", gauges[NGX_EZW_GAUGE_UP]);

    family(w, "ezw_database_queued", "gauge",
           "Statements that wait for a connection, by lane.");

    for (i = 0; i < NGX_EZW_PG_LANES; i++) {
        put(w, "ezw_database_queued{lane=\"%s\"} %ui\n", lanes[i],
            gauges[NGX_EZW_GAUGE_QUEUED + i]);
    }

    family(w, "ezw_outbound_running", "gauge",
           "Requests to other servers under way.");
    put(w, "ezw_outbound_running %ui\n", gauges[NGX_EZW_GAUGE_RUNNING]);

    family(w, "ezw_outbound_queued", "gauge",
           "Requests to other servers that wait for their turn.");
    put(w, "ezw_outbound_queued %ui\n", gauges[NGX_EZW_GAUGE_WAITING]);
}


static void
write_counters(ezw_writer_t *w, ngx_ezw_status_t *st)
{
    ngx_uint_t  i;

    static const struct {
        ngx_ezw_count_e   counter;
        const char       *name;
        const char       *help;
    } counters[] = {
        { NGX_EZW_COUNT_GROUPS, "ezw_database_groups_total",
          "Groups of statements sent, each one transaction." },
        { NGX_EZW_COUNT_STATEMENTS, "ezw_database_statements_total",
          "Statements sent." },
        { NGX_EZW_COUNT_REGROUPED, "ezw_database_regrouped_total",
          "Statements sent again because one of their group failed." },
        { NGX_EZW_COUNT_SETTLED, "ezw_database_settled_total",
          "Writes whose outcome was unknown and has been found out." },
        { NGX_EZW_COUNT_LOST, "ezw_database_connections_lost_total",
          "Connections to the database that were lost." },
        { NGX_EZW_COUNT_REFUSED, "ezw_database_refused_total",
          "Statements refused: a full queue or no database." },
        { NGX_EZW_COUNT_OUT_DONE, "ezw_outbound_answered_total",
          "Requests to other servers that were answered." },
        { NGX_EZW_COUNT_OUT_FAILED, "ezw_outbound_failed_total",
          "Requests to other servers that were not." },
        { NGX_EZW_COUNT_OUT_REFUSED, "ezw_outbound_refused_total",
          "Requests to other servers not made: policy, or a full queue." }
    };

    for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
        family(w, counters[i].name, "counter", counters[i].help);
        put(w, "%s %uL\n", counters[i].name,
            ngx_ezw_status_counted(st, counters[i].counter));
    }
}


static void
write_changes(ezw_writer_t *w, ngx_ezw_main_conf_t *emcf)
{
    ngx_msec_t  age, polled;

    if (emcf->keys == NULL) {
        return;
    }

    polled = (ngx_msec_t) *ngx_ezw_zone_word(emcf->keys, NGX_EZW_WORD_POLLED);

    if (polled == 0) {
        return;
    }

    /* another worker's turn of the event loop may be younger than ours */
    age = (ngx_msec_int_t) (ngx_current_msec - polled) > 0
          ? ngx_current_msec - polled : 0;

    family(w, "ezw_changes_age_seconds", "gauge",
           "Time since the node has last asked for changes of keys.");
    put(w, "ezw_changes_age_seconds %M.%03M\n", age / 1000, age % 1000);
}


static ngx_int_t
write_zones(ezw_writer_t *w, ngx_ezw_main_conf_t *emcf, ngx_pool_t *pool)
{
    zone_t           zones[ZONES];
    ngx_uint_t       i, n;
    ngx_ezw_zone_t  *all[ZONES];

    all[0] = emcf->keys;
    all[1] = emcf->rates;
    all[2] = emcf->idempotency;
    all[3] = emcf->sessions;

    n = 0;

    for (i = 0; i < ZONES; i++) {
        if (all[i] == NULL) {
            continue;
        }

        if (escape(pool, &all[i]->shm_zone->shm.name, &zones[n].name)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_ezw_zone_stat(all[i], &zones[n].stat);
        n++;
    }

    if (n == 0) {
        return NGX_OK;
    }

    write_zone_family(w, zones, n, "ezw_zone_blocks", "gauge",
                      "Blocks of 128 bytes that the zone has.",
                      offsetof(ngx_ezw_zone_stat_t, blocks));
    write_zone_family(w, zones, n, "ezw_zone_blocks_used", "gauge",
                      "Blocks that hold something.",
                      offsetof(ngx_ezw_zone_stat_t, used));
    write_zone_family(w, zones, n, "ezw_zone_evictions_total", "counter",
                      "Entries that gave way to newer ones.",
                      offsetof(ngx_ezw_zone_stat_t, evicted));
    write_zone_family(w, zones, n, "ezw_zone_refused_total", "counter",
                      "Entries that did not fit even so.",
                      offsetof(ngx_ezw_zone_stat_t, refused));
    write_zone_family(w, zones, n, "ezw_zone_rebuilt_total", "counter",
                      "Times the zone was emptied after a worker had died "
                      "in it.",
                      offsetof(ngx_ezw_zone_stat_t, rebuilt));

    family(w, "ezw_zone_entries", "gauge",
           "Entries; negative ones remember what there is not.");

    for (i = 0; i < n; i++) {
        write_zone(w, "ezw_zone_entries", &zones[i].name, ",kind=\"good\"",
                   zones[i].stat.entries[NGX_EZW_ZONE_GOOD]);
        write_zone(w, "ezw_zone_entries", &zones[i].name,
                   ",kind=\"negative\"",
                   zones[i].stat.entries[NGX_EZW_ZONE_NEGATIVE]);
    }

    return NGX_OK;
}


/* One number of each zone: the ngx_uint_t at `at` of its stat. */
static void
write_zone_family(ezw_writer_t *w, zone_t *zones, ngx_uint_t n,
    const char *name, const char *type, const char *help, size_t at)
{
    ngx_uint_t  i;

    family(w, name, type, help);

    for (i = 0; i < n; i++) {
        write_zone(w, name, &zones[i].name, "",
                   *(ngx_uint_t *) ((u_char *) &zones[i].stat + at));
    }
}


/* A sample of a zone, whose name may be of any length. */
static void
write_zone(ezw_writer_t *w, const char *name, ngx_str_t *zone,
    const char *more, ngx_uint_t value)
{
    put(w, "%s{zone=\"", name);
    ezw_json_raw(w, zone->data, zone->len);
    put(w, "\"%s} %ui\n", more, value);
}


/* A label's value: \, " and line ends are escaped. */
static ngx_int_t
escape(ngx_pool_t *pool, ngx_str_t *src, ngx_str_t *dst)
{
    u_char  *p, *s;

    p = ngx_pnalloc(pool, 2 * src->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    dst->data = p;

    for (s = src->data; s < src->data + src->len; s++) {

        if (*s == '\\' || *s == '"' || *s == '\n') {
            *p++ = '\\';
        }

        *p++ = (*s == '\n') ? 'n' : *s;
    }

    dst->len = p - dst->data;

    return NGX_OK;
}


static void
family(ezw_writer_t *w, const char *name, const char *type, const char *help)
{
    put(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}


static void
put(ezw_writer_t *w, const char *fmt, ...)
{
    u_char   line[512], *last;
    va_list  args;

    va_start(args, fmt);
    last = ngx_vslprintf(line, line + sizeof(line), fmt, args);
    va_end(args);

    ezw_json_raw(w, line, last - line);
}

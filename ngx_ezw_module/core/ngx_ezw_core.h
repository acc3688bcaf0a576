/* What core/ has beside the module itself. */

#ifndef NGX_EZW_CORE_H
#define NGX_EZW_CORE_H

#include "req/ngx_ezw_request.h"
#include "shm/ngx_ezw_status.h"


/* What of ours a location answers with: ngx_ezw_loc_conf_t's health. */
#define NGX_EZW_HEALTH_LIVE     1
#define NGX_EZW_HEALTH_READY    2
#define NGX_EZW_HEALTH_METRICS  3

/* ngx_ezw_directives.c */
extern ngx_command_t  ngx_ezw_commands[];

/* ngx_ezw_variables.c: $ezw_trace_id, $ezw_endpoint, $ezw_gate, $ezw_company,
 * $ezw_key_id, $ezw_scope, $ezw_user_id, $ezw_role. */
ngx_int_t ngx_ezw_variables_add(ngx_conf_t *cf);

/* ngx_ezw_allow.c: ezw_webhook_allow address|network|name ...; */
char *ngx_ezw_allow_set(ngx_conf_t *cf, ezw_url_allow_t *urls);

/* ngx_ezw_health.c */

/* The content handler of ezw_health locations. */
ngx_int_t ngx_ezw_health_handler(ngx_http_request_t *r);
/* Sends what has been written, not to be stored, as a content handler's end. */
ngx_int_t ngx_ezw_health_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_ezw_out_t *out);

/* ngx_ezw_metrics.c: the content handler of ezw_metrics locations. */
ngx_int_t ngx_ezw_metrics_handler(ngx_http_request_t *r);

/* ngx_ezw_account.c */

/* Of the status zone's slots and counters. */
typedef enum {
    NGX_EZW_GAUGE_OPEN = 0,       /* requests under way */
    NGX_EZW_GAUGE_UP,             /* connections to the database */
    NGX_EZW_GAUGE_RUNNING,        /* requests to other servers */
    NGX_EZW_GAUGE_WAITING,        /* those that have not begun */
    NGX_EZW_GAUGE_QUEUED          /* and the other lanes after it */
} ngx_ezw_gauge_e;

typedef enum {
    NGX_EZW_COUNT_STARTS = 0,     /* of workers */
    NGX_EZW_COUNT_GROUPS,
    NGX_EZW_COUNT_STATEMENTS,
    NGX_EZW_COUNT_REGROUPED,
    NGX_EZW_COUNT_SETTLED,
    NGX_EZW_COUNT_LOST,
    NGX_EZW_COUNT_REFUSED,
    NGX_EZW_COUNT_OUT_DONE,
    NGX_EZW_COUNT_OUT_FAILED,
    NGX_EZW_COUNT_OUT_REFUSED
} ngx_ezw_count_e;

/* The labels of a row of the status zone. */
typedef struct {
    const char           *api;
    const char           *endpoint;
    const char           *method;
} ngx_ezw_account_row_t;

/* $ezw_gate's values, each a mark of the status zone; ended by NULL. */
extern const char *const  ngx_ezw_verdicts[];

struct ngx_ezw_account_s {
    ngx_ezw_main_conf_t  *conf;
    ngx_str_t             name;          /* of the zone */
    size_t                size;          /* 0: what it needs */
    ngx_uint_t            wanted;        /* a directive speaks of it */
    ngx_ezw_status_t     *status;        /* NULL: nothing is counted */
    ngx_array_t           rows;          /* of ngx_ezw_account_row_t */

    /* of a worker */
    ngx_event_t           timer;
    ngx_ezw_pg_stat_t     told;          /* what is in the zone already */
    ngx_ezw_net_stat_t    told_net;
};

/* NULL: no memory. */
ngx_ezw_account_t *ngx_ezw_account_create(ngx_conf_t *cf,
    ngx_ezw_main_conf_t *emcf);
/* Declares the zone when all endpoints are known.  NGX_ERROR: logged. */
ngx_int_t ngx_ezw_account_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
/* In init_process and exit_process of workers. */
void ngx_ezw_account_start(ngx_cycle_t *cycle, ngx_ezw_account_t *a);
void ngx_ezw_account_stop(ngx_ezw_account_t *a);
/* Brings the zone up to date about this worker. */
void ngx_ezw_account_publish(ngx_ezw_account_t *a);

#endif

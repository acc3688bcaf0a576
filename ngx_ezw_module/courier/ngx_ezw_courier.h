/*
 * Couriers: what the module does in the background, in every worker.
 *
 * The outbox is the queue of commands for the channels' connectors.  A worker
 * whose request has left one there rings its bell; beside that the leading
 * worker of each node looks once a second, so nothing depends on a bell.  A
 * claim is a lease in the database: what a dead worker held comes due again,
 * and every step of a job can be done twice without harm.
 */

#ifndef NGX_EZW_COURIER_H
#define NGX_EZW_COURIER_H

#include "gate/ngx_ezw_gate.h"


typedef struct ngx_ezw_job_s  ngx_ezw_job_t;


/* What carries a channel's messages to its platform and back. */
typedef struct {
    const char           *name;          /* column channel.connector */

    /*
     * Carries the command out and calls ngx_ezw_job_done or
     * ngx_ezw_job_failed, once, from the event loop or at once.
     */
    void                (*send)(ngx_ezw_job_t *job);
} ngx_ezw_connector_t;

extern const ngx_ezw_connector_t  ngx_ezw_sandbox;

/* The sandbox's part for commands of the kind "template". */
void ngx_ezw_sandbox_template(ngx_ezw_job_t *job);


/* One claimed command; lives in its own pool until it is done. */
struct ngx_ezw_job_s {
    ngx_pool_t                 *pool;
    ngx_ezw_main_conf_t        *conf;
    const ngx_ezw_connector_t  *connector;
    ngx_ezw_pg_query_t          query;
    void                      (*next)(ngx_ezw_job_t *job);
    uint64_t                    order;

    const char                 *company;       /* uuid text */
    const char                 *conversation;
    const char                 *seq;
    const char                 *channel;       /* JIDs */
    const char                 *contact;
    const char                 *kind;
    const char                 *message;       /* 40 hex */
    const char                 *type;
    const char                 *sender;        /* API, AUTOMATED .. */
    ngx_str_t                   body;          /* JSON */
    ngx_int_t                   attempts;
    void                       *data;          /* the connector's */
};


/* Statements of the couriers (ngx_ezw_courier.c). */
typedef enum {
    NGX_EZW_S_CLAIM = 0,
    NGX_EZW_S_DONE,
    NGX_EZW_S_RETRY,
    NGX_EZW_S_STATUS,
    NGX_EZW_S_RECEIVE,
    NGX_EZW_S_TEMPLATE,
    NGX_EZW_S_REVOKE,
    NGX_EZW_S_TYPING,
    NGX_EZW_S_PARTITIONS,
    NGX_EZW_S_SWEEP,
    NGX_EZW_S_ERASURE,
    NGX_EZW_S_MERGE,
    NGX_EZW_S_DETACH,
    NGX_EZW_S_PURGE_BEGIN,
    NGX_EZW_S_PURGE,
    NGX_EZW_S_DROP,
    NGX_EZW_S_COUNT
} ngx_ezw_courier_statement_e;


ngx_int_t ngx_ezw_courier_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
ngx_int_t ngx_ezw_courier_start(ngx_cycle_t *cycle, ngx_ezw_main_conf_t *emcf);

/* The command is carried out: its outbox row goes, then the job. */
void ngx_ezw_job_done(ngx_ezw_job_t *job);
/* Again after a pause; error is for people, without personal data. */
void ngx_ezw_job_failed(ngx_ezw_job_t *job, ngx_msec_t pause,
    const char *error);

/*
 * Executes a statement for the job; names and values alternate and end with
 * NULL (a value may be NULL as "null" in SQL: pass NGX_EZW_NULL).  next is
 * called when it is done; when the database fails the job is dropped, and its
 * lease brings it back.
 */
void ngx_ezw_job_execute(ngx_ezw_job_t *job, ngx_ezw_courier_statement_e s,
    void (*next)(ngx_ezw_job_t *job), ...);

extern const char  ngx_ezw_null[];
#define NGX_EZW_NULL  ngx_ezw_null

/* The same for work without a job; values in the order of names. */
ngx_ezw_pg_statement_t *ngx_ezw_courier_statement(
    ngx_ezw_courier_statement_e s);

/* ngx_ezw_upkeep.c: what the leading worker of a node sees to. */
ngx_int_t ngx_ezw_upkeep_start(ngx_cycle_t *cycle, ngx_ezw_main_conf_t *emcf);

#endif

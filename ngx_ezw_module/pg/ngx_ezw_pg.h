/*
 * Postgres on the worker's event loop: lanes of connections, statements sent
 * in groups.
 *
 * A *query* is one execution of a named statement.  Its owner fills it in,
 * submits it to a *lane*, and gets its handler called exactly once, from the
 * event loop, never from inside submit; or takes it back with cancel.
 *
 * A query is on one of these lists at any time:
 *   queued    in its lane, waiting for a connection to be free
 *   sent      in the group of a connection
 *   done      in its lane's done list, its handler about to be called
 *   none      before submit, after the handler, after cancel
 *
 * A *connection* has one group in flight: what was queued when it became free,
 * closed by one Sync, hence one transaction.  Nothing of a group is done
 * before its Sync is back.  A group in which a statement failed is not
 * committed: the failed one goes again alone, the others together.  When the
 * connection is lost with a group in flight, reads go again; for a write the
 * outcome is unknown, and it is settled by executing the statement again with
 * the same ids, which every write recognises as its own.
 *
 * Nothing here blocks; no text of the database leaves this layer but into the
 * log, and no parameter ever does.
 */

#ifndef NGX_EZW_PG_H
#define NGX_EZW_PG_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <libpq-fe.h>

#include "base/ezw_row.h"
#include "base/ezw_sql.h"


typedef struct ngx_ezw_pg_s            ngx_ezw_pg_t;
typedef struct ngx_ezw_pg_conf_s       ngx_ezw_pg_conf_t;
typedef struct ngx_ezw_pg_query_s      ngx_ezw_pg_query_t;
typedef struct ngx_ezw_pg_statement_s  ngx_ezw_pg_statement_t;

typedef void (*ngx_ezw_pg_handler_pt)(ngx_ezw_pg_query_t *q);


typedef enum {
    NGX_EZW_PG_READ = 0,          /* quick reads */
    NGX_EZW_PG_WRITE,             /* writes, gathered */
    NGX_EZW_PG_SINGLE,            /* one to a transaction: what is long, or
                                     failed in a group */
    NGX_EZW_PG_SLOW,              /* long pages */
    NGX_EZW_PG_LANES
} ngx_ezw_pg_lane_e;


#define NGX_EZW_PG_COLUMNS  64    /* of a statement's rows, at most */

/* What a query's handler finds in q->rc. */
#define NGX_EZW_PG_DONE      0    /* q->result has rows */
#define NGX_EZW_PG_DOWN      1    /* no server, or lost and not settled */
#define NGX_EZW_PG_TIMEOUT   2    /* not done by its deadline */
#define NGX_EZW_PG_FAILED    3    /* q->sqlstate says why */


/* A named statement, made when the configuration is read. */
struct ngx_ezw_pg_statement_s {
    ngx_uint_t                 index;
    ngx_str_t                  name;
    const char                *file;
    unsigned                   line;
    const char                *text;
    ngx_uint_t                 nparams;
    ezw_str_t                 *params;     /* names, without ':' */

    /* The shape of its rows: made by the first result, per process. */
    ezw_row_shape_t           *shape;
    ngx_uint_t                 ncolumns;
};


struct ngx_ezw_pg_query_s {
    /* by the owner */
    ngx_ezw_pg_statement_t    *statement;
    const char               **values;     /* text, NUL-terminated; NULL: null;
                                              to stay until done */
    ngx_ezw_pg_handler_pt      handler;
    void                      *data;
    uint64_t                   order;      /* of a group: channel in the upper,
                                              contact in the lower 32 bits */
    unsigned                   lane:4;
    unsigned                   write:1;

    /* for the handler */
    ngx_int_t                  rc;
    PGresult                  *result;     /* given back by query_clear */
    char                       sqlstate[6];

    /* the layer's own */
    unsigned                   state:2;
    unsigned                   alone:1;    /* no company in its group */
    unsigned                   unknown:1;  /* sent, outcome unknown */
    unsigned                   tries:4;
    ngx_msec_t                 deadline;
    size_t                     size;
    ngx_queue_t                queue;
    void                      *slot;
    ngx_ezw_pg_t              *pg;
};


typedef struct {
    ngx_uint_t                 queued[NGX_EZW_PG_LANES];
    ngx_uint_t                 up;         /* connections in service */
    ngx_uint_t                 groups;
    ngx_uint_t                 statements;
    ngx_uint_t                 regrouped;  /* statements sent again */
    ngx_uint_t                 settled;    /* unknown outcomes found out */
    ngx_uint_t                 lost;       /* connections lost */
    ngx_uint_t                 refused;    /* queue full or server down */
} ngx_ezw_pg_stat_t;


/* For an ezw_alloc_t whose ctx is an ngx_pool_t. */
void *ngx_ezw_pool_alloc(void *pool, size_t size);


/* Configuration (ngx_ezw_pg_conf.c, ngx_ezw_pg_statement.c). */

ngx_ezw_pg_conf_t *ngx_ezw_pg_conf_create(ngx_conf_t *cf);
/* ezw_database name=value ...; */
char *ngx_ezw_pg_conf_database(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf);
/* ezw_lane read|write|single|slow [connections=n] [queue=n] [timeout=t]; */
char *ngx_ezw_pg_conf_lane(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf);
/* 1 when a database has been given. */
ngx_uint_t ngx_ezw_pg_conf_given(ngx_ezw_pg_conf_t *pcf);
/* Reads the embedded statement files; NGX_ERROR: logged with file and line. */
ngx_int_t ngx_ezw_pg_conf_statements(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf);
/* NULL: there is none of that name. */
ngx_ezw_pg_statement_t *ngx_ezw_pg_statement(ngx_ezw_pg_conf_t *pcf,
    ngx_str_t *name);
/* A statement around another: text has its own $1..$n, params names them.
 * NULL: no memory. */
ngx_ezw_pg_statement_t *ngx_ezw_pg_statement_around(ngx_conf_t *cf,
    ngx_ezw_pg_conf_t *pcf, ngx_ezw_pg_statement_t *st, const char *suffix,
    const char *text, const ezw_str_t *params, ngx_uint_t nparams);
/* Number of its parameter of that name, -1: none. */
ngx_int_t ngx_ezw_pg_param(ngx_ezw_pg_statement_t *st, const char *name);


/* Process life. */

/* In init_process of workers: starts connecting.  NULL: logged. */
ngx_ezw_pg_t *ngx_ezw_pg_start(ngx_cycle_t *cycle, ngx_ezw_pg_conf_t *pcf);
/* In exit_process: closes what is left. */
void ngx_ezw_pg_stop(ngx_ezw_pg_t *pg);


/* Queries. */

/* NGX_OK: the handler will be called once.  NGX_BUSY: the lane's queue is
 * full.  NGX_DECLINED: there is no server (ngx_ezw_pg_reason). */
ngx_int_t ngx_ezw_pg_submit(ngx_ezw_pg_t *pg, ngx_ezw_pg_query_t *q);
/* Takes q back from whatever list it is on; what was sent is drained by its
 * connection.  Harmless on a query that is on none. */
void ngx_ezw_pg_cancel(ngx_ezw_pg_query_t *q);
/* Frees the result. */
void ngx_ezw_pg_query_clear(ngx_ezw_pg_query_t *q);

/* Compiles the statement's row shape from its first result.
 * NGX_OK or NGX_ERROR (logged). */
ngx_int_t ngx_ezw_pg_shape(ngx_ezw_pg_query_t *q);
/* Fills cells[ncolumns] with row `row` of q->result. */
void ngx_ezw_pg_cells(ngx_ezw_pg_query_t *q, int row, ezw_cell_t *cells);
/* Typed access to binary results for our own code; a null gives 0 or "". */
int64_t ngx_ezw_pg_int(ngx_ezw_pg_query_t *q, int row, const char *column);
ngx_str_t ngx_ezw_pg_str(ngx_ezw_pg_query_t *q, int row, const char *column);
ngx_uint_t ngx_ezw_pg_null(ngx_ezw_pg_query_t *q, int row, const char *column);

/* Why the lanes are not ready, in words fit for /readyz. */
const char *ngx_ezw_pg_reason(ngx_ezw_pg_t *pg);
/* 1 when a connection for reads and one for writes are in service. */
ngx_uint_t ngx_ezw_pg_ready(ngx_ezw_pg_t *pg);
void ngx_ezw_pg_stat(ngx_ezw_pg_t *pg, ngx_ezw_pg_stat_t *st);

#endif

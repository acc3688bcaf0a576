/* The inside of pg/: lanes, connections, groups.  Included by pg/ only. */

#ifndef NGX_EZW_PG_CONN_H
#define NGX_EZW_PG_CONN_H

#include "pg/ngx_ezw_pg.h"
#include "pg/ngx_ezw_sql_files.h"


#define NGX_EZW_PG_GROUP      64          /* statements in a group */
#define NGX_EZW_PG_GROUP_SIZE (256 * 1024) /* bytes of their parameters */
#define NGX_EZW_PG_ADDRS      16
#define NGX_EZW_PG_OPTIONS    20
#define NGX_EZW_PG_CONNS      8           /* connections of a lane, at most */


typedef enum {
    NGX_EZW_PG_NONE = 0,
    NGX_EZW_PG_QUEUED,
    NGX_EZW_PG_SENT,
    NGX_EZW_PG_READY
} ngx_ezw_pg_query_state_e;


/*
 * down        no PGconn; waits for its turn to connect
 * connecting  PQconnectPoll; one at a time in a worker
 * setup       asks for the schema's version
 * idle        in service, no group
 * busy        a group is in flight
 */
typedef enum {
    NGX_EZW_PG_C_DOWN = 0,
    NGX_EZW_PG_C_CONNECTING,
    NGX_EZW_PG_C_SETUP,
    NGX_EZW_PG_C_IDLE,
    NGX_EZW_PG_C_BUSY
} ngx_ezw_pg_conn_state_e;


typedef struct {
    ngx_ezw_pg_query_t        *query;      /* NULL: orphan, or the setup's */
    ngx_ezw_pg_statement_t    *statement;
    PGresult                  *result;
    unsigned                   prepare:1;  /* a Parse goes before it */
    unsigned                   aborted:1;
} ngx_ezw_pg_slot_t;


typedef struct ngx_ezw_pg_lane_s  ngx_ezw_pg_lane_t;


typedef struct {
    ngx_ezw_pg_lane_t         *lane;
    ngx_ezw_pg_conn_state_e    state;
    PGconn                    *pg;
    ngx_connection_t          *c;
    ngx_event_t                timer;      /* connect or setup deadline; next
                                              of the group */
    ngx_msec_t                 until;      /* the group's own deadline */
    ngx_msec_t                 since;      /* entered service */
    u_char                    *prepared;   /* by statement index */

    ngx_ezw_pg_slot_t          slots[NGX_EZW_PG_GROUP];
    ngx_uint_t                 nslots;
    ngx_uint_t                 current;    /* slot whose result comes next */
    ngx_int_t                  failed;     /* slot that failed, -1: none */
    char                       sync_state[6];  /* the Sync itself failed */
    unsigned                   parsing:1;  /* current: its Parse's comes next */
    unsigned                   answered:1; /* current: its result has come */
    unsigned                   wanted:1;   /* someone needs it */
    unsigned                   recycle:1;  /* to be closed when idle */
    unsigned                   flushing:1; /* unsent bytes */
    unsigned                   nulls:4;    /* NULL results in a row */
} ngx_ezw_pg_conn_t;


struct ngx_ezw_pg_lane_s {
    ngx_ezw_pg_t              *pg;
    ngx_ezw_pg_lane_e          id;
    ngx_uint_t                 nconns;
    ngx_uint_t                 queue_max;
    ngx_uint_t                 group_max;
    ngx_msec_t                 timeout;
    ngx_ezw_pg_conn_t         *conns;

    ngx_queue_t                queue;      /* queued, oldest deadline first */
    ngx_uint_t                 nqueued;
    ngx_queue_t                done;
    ngx_event_t                send_event; /* posted: groups are to be sent */
    ngx_event_t                done_event; /* posted: call the handlers */
    ngx_event_t                timer;      /* the head's deadline */
};


struct ngx_ezw_pg_s {
    ngx_ezw_pg_conf_t         *conf;
    ngx_log_t                 *log;
    ngx_pool_t                *pool;
    ngx_ezw_pg_lane_t          lanes[NGX_EZW_PG_LANES];

    ngx_ezw_pg_conn_t         *connecting; /* the one attempt under way */
    ngx_event_t                retry;      /* next attempt */
    ngx_uint_t                 failures;   /* in a row */
    ngx_uint_t                 addr;       /* next address to try */
    char                       reason[256];
    ngx_msec_t                 notice_at;
    ngx_uint_t                 notices;
    ngx_ezw_pg_stat_t          stat;
    unsigned                   stopping:1;
    unsigned                   down:1;     /* there is no server */
    unsigned                   tell:1;     /* reason is fit for /readyz */
};


struct ngx_ezw_pg_conf_s {
    const char                *names[NGX_EZW_PG_OPTIONS];
    const char                *values[NGX_EZW_PG_OPTIONS];
    ngx_uint_t                 noptions;
    const char                *host;       /* as given */
    const char                *addrs[NGX_EZW_PG_ADDRS];
    ngx_uint_t                 naddrs;     /* 0: a socket folder */
    ngx_str_t                  password_file;
    ngx_msec_t                 connect_timeout;

    struct {
        ngx_uint_t             nconns;
        ngx_uint_t             queue_max;
        ngx_msec_t             timeout;
    } lanes[NGX_EZW_PG_LANES];

    ngx_array_t                statements; /* of ngx_ezw_pg_statement_t * */
    ngx_ezw_pg_statement_t    *setup;      /* schema_version */
    ngx_pool_t                *pool;
};


/* ngx_ezw_pg_connect.c */

/* Starts the next attempt if one is wanted and none is under way or due. */
void ngx_ezw_pg_connect_next(ngx_ezw_pg_t *pg);
/* The pause after a failed attempt is over. */
void ngx_ezw_pg_connect_retry(ngx_event_t *ev);
/* The socket is ready for the next step of connecting. */
void ngx_ezw_pg_connect_step(ngx_ezw_pg_conn_t *pc);
/* Remembers why, tells the lanes, comes back after a pause. */
void ngx_ezw_pg_connect_failed(ngx_ezw_pg_conn_t *pc, const char *reason);
/* The schema's version is here: into service, or refused with the reason. */
void ngx_ezw_pg_connect_done(ngx_ezw_pg_conn_t *pc);

/* ngx_ezw_pg_conn.c */

/* An nginx connection around libpq's socket of the moment, for reading. */
ngx_int_t ngx_ezw_pg_conn_watch(ngx_ezw_pg_conn_t *pc);
/* Gives it up; the socket is libpq's and may be closed already. */
void ngx_ezw_pg_conn_unwatch(ngx_ezw_pg_conn_t *pc);
/* Asks for write events, or for them no more. */
ngx_int_t ngx_ezw_pg_conn_want(ngx_ezw_pg_conn_t *pc, ngx_uint_t write);
/* Sends what libpq holds.  NGX_OK also when some is left; NGX_ERROR: closed. */
ngx_int_t ngx_ezw_pg_conn_flush(ngx_ezw_pg_conn_t *pc);
/* Makes ready for the results of a new group. */
void ngx_ezw_pg_conn_begin(ngx_ezw_pg_conn_t *pc);
/* A connect, setup or group took too long. */
void ngx_ezw_pg_conn_timer(ngx_event_t *ev);
/* Takes a group from the lane's queue and sends it; the connection is idle. */
void ngx_ezw_pg_conn_send(ngx_ezw_pg_conn_t *pc);
/* Closes; what was in flight goes to the lane (ngx_ezw_pg_lane_lost). */
void ngx_ezw_pg_conn_close(ngx_ezw_pg_conn_t *pc, const char *reason);

/* ngx_ezw_pg_lane.c */

void ngx_ezw_pg_lane_init(ngx_ezw_pg_t *pg, ngx_ezw_pg_lane_e id);
/* Posts the sending of groups. */
void ngx_ezw_pg_lane_wake(ngx_ezw_pg_lane_t *lane);
/* Moves up to group_max queries from the queue into pc's slots, sorted. */
void ngx_ezw_pg_lane_gather(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_conn_t *pc);
/* The group's Sync is back: each query is done or goes again. */
void ngx_ezw_pg_lane_settle(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_conn_t *pc);
/* Gives up the group's queries whose time is over; their results are drained.
 * Milliseconds until the next of them is due, at most `left`. */
ngx_msec_t ngx_ezw_pg_lane_expire(ngx_ezw_pg_lane_t *lane,
    ngx_ezw_pg_conn_t *pc, ngx_msec_t left);
/* The connection is gone with its group in flight. */
void ngx_ezw_pg_lane_lost(ngx_ezw_pg_lane_t *lane, ngx_ezw_pg_conn_t *pc);
/* There is no server: what waits is done with NGX_EZW_PG_DOWN, except what has
 * an unknown outcome. */
void ngx_ezw_pg_lane_down(ngx_ezw_pg_lane_t *lane);
/* 1 while the lane's last word is that there is no server. */
ngx_uint_t ngx_ezw_pg_lane_is_down(ngx_ezw_pg_lane_t *lane);

#endif

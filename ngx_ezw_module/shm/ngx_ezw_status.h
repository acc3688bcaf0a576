/*
 * The status zone: what the workers of a node count together.
 *
 * A *row* is what requests are told apart by (core/: an endpoint).  It has one
 * counter for each class of status and bucket of duration, so that its number
 * of requests and its histogram are sums of the same counters and cannot
 * disagree.
 *
 * Rows and marks stand once in each *shard*.  A worker counts into one shard,
 * chosen by its process slot: two workers seldom write to one cache line.
 * Reading adds the shards up.
 *
 * A *slot* is one worker's own gauges, set about once a second.  Its next
 * owner zeroes it; one that has not been renewed for a while is not counted.
 *
 * Nothing here locks: all is single atomic additions and stores, and a worker
 * may be killed between any two of them.
 */

#ifndef NGX_EZW_STATUS_H
#define NGX_EZW_STATUS_H

#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_EZW_STATUS_CLASSES   4       /* 2xx, 3xx, 4xx, 5xx */
#define NGX_EZW_STATUS_BUCKETS   14      /* of duration; the last is the rest */
#define NGX_EZW_STATUS_COUNTERS  16
#define NGX_EZW_STATUS_GAUGES    8

typedef struct ngx_ezw_status_sh_s  ngx_ezw_status_sh_t;

typedef struct {
    ngx_ezw_status_sh_t  *sh;
    ngx_shm_zone_t       *shm_zone;
    ngx_atomic_uint_t     layout;
    ngx_uint_t            nrows;
    ngx_uint_t            nmarks;
    size_t                shard_size;
    ngx_uint_t            nshards;       /* a power of two */
    u_char               *shards;
    u_char               *shard;         /* this process's */
} ngx_ezw_status_t;

typedef struct {
    uint64_t              counts[NGX_EZW_STATUS_CLASSES]
                                [NGX_EZW_STATUS_BUCKETS];
    uint64_t              sum;           /* of durations, us */
} ngx_ezw_status_row_t;


/* Upper bounds of the buckets but the last, us; each includes its bound. */
extern const uint32_t  ngx_ezw_status_bounds[NGX_EZW_STATUS_BUCKETS - 1];


/*
 * Declares the zone while the configuration is read; size 0: what it needs.
 * layout is a digest of what the rows and marks mean: a reload keeps the
 * counters when it is the same, else they begin anew.  NULL: logged.
 */
ngx_ezw_status_t *ngx_ezw_status_add(ngx_conf_t *cf, ngx_str_t *name,
    size_t size, void *tag, ngx_uint_t nrows, ngx_uint_t nmarks,
    uint32_t layout);

/* In init_process of workers: takes the shard and the slot of the process. */
void ngx_ezw_status_start(ngx_ezw_status_t *st);
/* In exit_process: gives the slot up. */
void ngx_ezw_status_stop(ngx_ezw_status_t *st);

/* Counts one request of a row; status is an HTTP status, 0: no answer. */
void ngx_ezw_status_request(ngx_ezw_status_t *st, ngx_uint_t row,
    ngx_uint_t status, uint64_t us);
void ngx_ezw_status_mark(ngx_ezw_status_t *st, ngx_uint_t mark);
/* Adds to a counter that all workers share: for what happens seldom. */
void ngx_ezw_status_count(ngx_ezw_status_t *st, ngx_uint_t counter,
    ngx_uint_t n);
/* Sets the gauges of this process. */
void ngx_ezw_status_publish(ngx_ezw_status_t *st,
    const ngx_uint_t gauges[NGX_EZW_STATUS_GAUGES]);

void ngx_ezw_status_row(ngx_ezw_status_t *st, ngx_uint_t row,
    ngx_ezw_status_row_t *sums);
uint64_t ngx_ezw_status_marks(ngx_ezw_status_t *st, ngx_uint_t mark);
uint64_t ngx_ezw_status_counted(ngx_ezw_status_t *st, ngx_uint_t counter);
/* 1 when a worker of that pid has a slot; a pid alone may be another process's
 * by now. */
ngx_uint_t ngx_ezw_status_worker(ngx_ezw_status_t *st, ngx_pid_t pid);
/* The gauges of all workers that renew theirs; returns how many they are. */
ngx_uint_t ngx_ezw_status_gauges(ngx_ezw_status_t *st,
    ngx_uint_t sums[NGX_EZW_STATUS_GAUGES]);

#endif

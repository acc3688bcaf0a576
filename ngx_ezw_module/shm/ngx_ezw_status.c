/*
 * The arena: a header, the slots of the workers, then the shards.  It is one
 * slab allocation made when the zone is born; the slab is not called again.
 */

#include "shm/ngx_ezw_status.h"


#define VERSION      1
#define LINE         64           /* bytes: what workers must not share */
#define SLOTS        NGX_MAX_PROCESSES
#define SHARDS       16           /* of a zone that is sized by need */
#define SHARDS_MAX   64
#define RENEWED_MS   5000         /* how long a slot is believed */


/* One row of one shard: whole cache lines. */
typedef struct {
    ngx_atomic_t          counts[NGX_EZW_STATUS_CLASSES]
                                [NGX_EZW_STATUS_BUCKETS];
    ngx_atomic_t          sum;
    ngx_atomic_t          unused[64 - 1 - NGX_EZW_STATUS_CLASSES
                                          * NGX_EZW_STATUS_BUCKETS];
} row_t;


typedef struct {
    ngx_atomic_t          pid;           /* 0: nobody's */
    ngx_atomic_t          renewed;       /* ngx_current_msec */
    ngx_atomic_t          gauges[NGX_EZW_STATUS_GAUGES];
    ngx_atomic_t          unused[6];
} slot_t;


struct ngx_ezw_status_sh_s {
    ngx_atomic_t          layout;        /* 0: being made anew */
    ngx_atomic_t          size;          /* of the arena, bytes */
    ngx_atomic_t          unused[6];
    ngx_atomic_t          counters[NGX_EZW_STATUS_COUNTERS];
    slot_t                slots[SLOTS];
};


static ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *data);
static ngx_atomic_t *marks_of(ngx_ezw_status_t *st, u_char *shard);


const uint32_t  ngx_ezw_status_bounds[NGX_EZW_STATUS_BUCKETS - 1] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
    1000000, 2500000, 5000000, 10000000
};


#define row_of(shard, i)   ((row_t *) (shard) + (i))
#define shard_of(st, i)    ((st)->shards + (i) * (st)->shard_size)

/* 0: a reload of another layout has taken the zone from an old worker */
#define is_ours(st)        ((st)->sh->layout == (st)->layout)


ngx_ezw_status_t *
ngx_ezw_status_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag,
    ngx_uint_t nrows, ngx_uint_t nmarks, uint32_t layout)
{
    size_t             pages;
    uint32_t           crc;
    ngx_uint_t         dims[4];
    ngx_shm_zone_t    *shm_zone;
    ngx_ezw_status_t  *st;

    st = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_status_t));
    if (st == NULL) {
        return NULL;
    }

    st->nrows = nrows;
    st->nmarks = nmarks;
    st->shard_size = nrows * sizeof(row_t)
                     + ngx_align(nmarks * sizeof(ngx_atomic_t), LINE);

    dims[0] = VERSION;
    dims[1] = nrows;
    dims[2] = nmarks;
    dims[3] = layout;

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, (u_char *) dims, sizeof(dims));
    ngx_crc32_final(crc);

    st->layout = (ngx_atomic_uint_t) crc | 1;

    if (size == 0) {
        pages = (sizeof(ngx_ezw_status_sh_t) + LINE + SHARDS * st->shard_size)
                / ngx_pagesize + 1;

        /* besides them the slab's head and what it notes of each page */
        size = (pages + pages / 64 + 4) * ngx_pagesize;
    }

    shm_zone = ngx_shared_memory_add(cf, name, size, tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    if (shm_zone->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is declared twice", name);
        return NULL;
    }

    st->shm_zone = shm_zone;
    shm_zone->init = init_zone;
    shm_zone->data = st;

    return st;
}


/* Called by nginx in the master: a zone that a reload keeps has data. */
static ngx_int_t
init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    size_t                size, need;
    ngx_slab_pool_t      *shpool;
    ngx_ezw_status_t     *st;
    ngx_ezw_status_sh_t  *sh;

    st = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;
    need = sizeof(ngx_ezw_status_sh_t) + LINE + st->shard_size;
    sh = NULL;

    if (data || shm_zone->shm.exists) {
        sh = shpool->data;
        size = sh->size;

    } else {
        shpool->log_nomem = 0;
        size = shpool->pfree * ngx_pagesize;
    }

    if (size < need) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small: the counters take %uz bytes, "
                      "%uz are free", &shm_zone->shm.name, need, size);
        return NGX_ERROR;
    }

    if (sh == NULL) {
        sh = ngx_slab_alloc(shpool, size);
        if (sh == NULL) {
            return NGX_ERROR;
        }

        sh->layout = 0;
        shpool->data = sh;
    }

    st->sh = sh;
    st->shards = ngx_align_ptr((u_char *) sh + sizeof(ngx_ezw_status_sh_t),
                               LINE);
    st->shard = st->shards;

    size -= st->shards - (u_char *) sh;

    for (st->nshards = 1;
         st->nshards < SHARDS_MAX && 2 * st->nshards * st->shard_size <= size;
         st->nshards *= 2)
    {
        /* void */
    }

    if (!is_ours(st)) {

        /* old workers see that the zone is theirs no more, and stop counting */

        size += st->shards - (u_char *) sh;

        sh->layout = 0;
        ngx_memory_barrier();
        ngx_memzero((u_char *) sh + LINE, size - LINE);
        sh->size = size;
        ngx_memory_barrier();
        sh->layout = st->layout;
    }

    return NGX_OK;
}


void
ngx_ezw_status_start(ngx_ezw_status_t *st)
{
    slot_t  *slot;

    if (!is_ours(st)) {
        return;
    }

    st->shard = shard_of(st, (ngx_uint_t) ngx_process_slot & (st->nshards - 1));

    slot = &st->sh->slots[ngx_process_slot];
    ngx_memzero(slot, sizeof(slot_t));
    slot->pid = ngx_pid;
}


void
ngx_ezw_status_stop(ngx_ezw_status_t *st)
{
    slot_t  *slot;

    slot = &st->sh->slots[ngx_process_slot];

    if (is_ours(st) && slot->pid == (ngx_atomic_uint_t) ngx_pid) {
        slot->pid = 0;
    }
}


void
ngx_ezw_status_request(ngx_ezw_status_t *st, ngx_uint_t row,
    ngx_uint_t status, uint64_t us)
{
    row_t       *p;
    ngx_uint_t   class, bucket;

    if (!is_ours(st)) {
        return;
    }

    /* who left before an answer began is like nginx's 499 */
    class = status < 200 ? 2 : ngx_min(status / 100 - 2, 3);

    for (bucket = 0; bucket < NGX_EZW_STATUS_BUCKETS - 1; bucket++) {
        if (us <= ngx_ezw_status_bounds[bucket]) {
            break;
        }
    }

    p = row_of(st->shard, row);

    (void) ngx_atomic_fetch_add(&p->counts[class][bucket], 1);

    if (us) {
        (void) ngx_atomic_fetch_add(&p->sum, us);
    }
}


static ngx_atomic_t *
marks_of(ngx_ezw_status_t *st, u_char *shard)
{
    return (ngx_atomic_t *) row_of(shard, st->nrows);
}


void
ngx_ezw_status_mark(ngx_ezw_status_t *st, ngx_uint_t mark)
{
    if (is_ours(st)) {
        (void) ngx_atomic_fetch_add(&marks_of(st, st->shard)[mark], 1);
    }
}


void
ngx_ezw_status_count(ngx_ezw_status_t *st, ngx_uint_t counter, ngx_uint_t n)
{
    if (n && is_ours(st)) {
        (void) ngx_atomic_fetch_add(&st->sh->counters[counter], n);
    }
}


void
ngx_ezw_status_publish(ngx_ezw_status_t *st,
    const ngx_uint_t gauges[NGX_EZW_STATUS_GAUGES])
{
    slot_t      *slot;
    ngx_uint_t   i;

    slot = &st->sh->slots[ngx_process_slot];

    if (!is_ours(st) || slot->pid != (ngx_atomic_uint_t) ngx_pid) {
        return;
    }

    for (i = 0; i < NGX_EZW_STATUS_GAUGES; i++) {
        slot->gauges[i] = gauges[i];
    }

    slot->renewed = ngx_current_msec;
}


void
ngx_ezw_status_row(ngx_ezw_status_t *st, ngx_uint_t row,
    ngx_ezw_status_row_t *sums)
{
    row_t       *p;
    ngx_uint_t   i, class, bucket;

    ngx_memzero(sums, sizeof(ngx_ezw_status_row_t));

    if (!is_ours(st)) {
        return;
    }

    for (i = 0; i < st->nshards; i++) {
        p = row_of(shard_of(st, i), row);

        for (class = 0; class < NGX_EZW_STATUS_CLASSES; class++) {
            for (bucket = 0; bucket < NGX_EZW_STATUS_BUCKETS; bucket++) {
                sums->counts[class][bucket] += p->counts[class][bucket];
            }
        }

        sums->sum += p->sum;
    }
}


uint64_t
ngx_ezw_status_marks(ngx_ezw_status_t *st, ngx_uint_t mark)
{
    uint64_t    sum;
    ngx_uint_t  i;

    sum = 0;

    if (is_ours(st)) {
        for (i = 0; i < st->nshards; i++) {
            sum += marks_of(st, shard_of(st, i))[mark];
        }
    }

    return sum;
}


uint64_t
ngx_ezw_status_counted(ngx_ezw_status_t *st, ngx_uint_t counter)
{
    return is_ours(st) ? st->sh->counters[counter] : 0;
}


ngx_uint_t
ngx_ezw_status_worker(ngx_ezw_status_t *st, ngx_pid_t pid)
{
    ngx_uint_t  i;

    for (i = 0; i < SLOTS; i++) {
        if (st->sh->slots[i].pid == (ngx_atomic_uint_t) pid) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_ezw_status_gauges(ngx_ezw_status_t *st,
    ngx_uint_t sums[NGX_EZW_STATUS_GAUGES])
{
    slot_t      *slot;
    ngx_uint_t   i, g, n;

    n = 0;
    ngx_memzero(sums, NGX_EZW_STATUS_GAUGES * sizeof(ngx_uint_t));

    if (!is_ours(st)) {
        return 0;
    }

    for (i = 0; i < SLOTS; i++) {
        slot = &st->sh->slots[i];

        if (slot->pid == 0
            || (ngx_msec_int_t) (ngx_current_msec - slot->renewed) > RENEWED_MS)
        {
            continue;
        }

        for (g = 0; g < NGX_EZW_STATUS_GAUGES; g++) {
            sums[g] += slot->gauges[g];
        }

        n++;
    }

    return n;
}

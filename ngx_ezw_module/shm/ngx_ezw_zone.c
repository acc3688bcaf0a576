/*
 * The arena: a header, the hash buckets, then blocks of 128 bytes named by
 * their number (0 is none).  An entry is a head block, with its links, key and
 * the value's first bytes, and as many tail blocks as the rest needs.
 */

#include "shm/ngx_ezw_zone.h"


#define NGX_EZW_ZONE_VERSION  0x657a7702
#define NGX_EZW_ZONE_BLOCK    128
#define NGX_EZW_ZONE_TAIL     (NGX_EZW_ZONE_BLOCK - sizeof(uint32_t))
#define NGX_EZW_ZONE_EVICT    64     /* entries, for one put */


typedef struct {
    uint32_t              next;      /* tail block, or next free one */
    uint32_t              hash_next;
    uint32_t              older;
    uint32_t              newer;
    uint32_t              len;
    uint32_t              cls;
    u_char                key[NGX_EZW_ZONE_KEY];
    uint64_t              data[NGX_EZW_ZONE_INLINE / 8];
} ngx_ezw_zone_head_t;


typedef struct {
    uint32_t              next;
    u_char                data[NGX_EZW_ZONE_TAIL];
} ngx_ezw_zone_tail_t;


typedef struct {
    uint32_t              newest;
    uint32_t              oldest;
    uint32_t              entries;
    uint32_t              used;      /* blocks */
    uint32_t              quota;     /* blocks */
} ngx_ezw_zone_lru_t;


struct ngx_ezw_zone_sh_s {
    uint32_t              version;
    uint32_t              dirty;
    ngx_atomic_t          words[NGX_EZW_ZONE_WORDS];

    uint32_t              nbuckets;  /* a power of two */
    uint32_t              nblocks;
    uint32_t              free;
    uint32_t              fresh;     /* first block never used */
    uint32_t              used;
    uint32_t              rebuilt;
    uint64_t              evicted;
    uint64_t              refused;
    ngx_ezw_zone_lru_t    lru[2];

    uint32_t             *buckets;
    u_char               *blocks;
};


static ngx_int_t init_zone(ngx_shm_zone_t *shm_zone, void *data);
static void reset(ngx_ezw_zone_sh_t *sh);
static void lock(ngx_ezw_zone_t *z);
static void unlock(ngx_ezw_zone_t *z);
static uint32_t bucket_of(ngx_ezw_zone_sh_t *sh, const u_char *key);
static uint32_t find(ngx_ezw_zone_sh_t *sh, const u_char *key);
static void link_newest(ngx_ezw_zone_sh_t *sh, uint32_t n);
static void unlink_lru(ngx_ezw_zone_sh_t *sh, uint32_t n);
static void drop(ngx_ezw_zone_sh_t *sh, uint32_t n);
static uint32_t take(ngx_ezw_zone_sh_t *sh);
static ngx_int_t make_room(ngx_ezw_zone_sh_t *sh, ngx_uint_t cls,
    uint32_t need);
static uint32_t link_entry(ngx_ezw_zone_sh_t *sh, const u_char *key, size_t len,
    ngx_uint_t cls, uint32_t need);


#define head_of(sh, n)                                                        \
    ((ngx_ezw_zone_head_t *) ((sh)->blocks + (size_t) (n) * NGX_EZW_ZONE_BLOCK))
#define tail_of(sh, n)                                                        \
    ((ngx_ezw_zone_tail_t *) ((sh)->blocks + (size_t) (n) * NGX_EZW_ZONE_BLOCK))


ngx_ezw_zone_t *
ngx_ezw_zone_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    ngx_ezw_zone_t  *z;
    ngx_shm_zone_t  *shm_zone;

    z = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_zone_t));
    if (z == NULL) {
        return NULL;
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

    z->shm_zone = shm_zone;
    shm_zone->init = init_zone;
    shm_zone->data = z;

    return z;
}


/* Called by nginx in the master: a zone that a reload keeps has data. */
static ngx_int_t
init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    size_t              size, fixed;
    uint32_t            n;
    ngx_ezw_zone_t     *z, *old;
    ngx_ezw_zone_sh_t  *sh;

    z = shm_zone->data;
    old = data;

    z->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (old || shm_zone->shm.exists) {
        sh = old ? old->sh : z->shpool->data;

        if (sh == NULL || sh->version != NGX_EZW_ZONE_VERSION) {
            ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                          "zone \"%V\" has another layout: "
                          "a restart is needed, not a reload",
                          &shm_zone->shm.name);
            return NGX_ERROR;
        }

        z->sh = sh;
        return NGX_OK;
    }

    z->shpool->log_nomem = 0;

    size = z->shpool->pfree * ngx_pagesize;
    sh = NULL;

    while (size > (size_t) ngx_pagesize) {
        sh = ngx_slab_alloc(z->shpool, size);
        if (sh) {
            break;
        }
        size -= ngx_pagesize;
    }

    if (sh == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    ngx_memzero(sh, sizeof(ngx_ezw_zone_sh_t));

    n = 64;
    while ((size_t) n * 2 * 256 < size) {
        n *= 2;
    }

    sh->nbuckets = n;
    sh->buckets = (uint32_t *) ngx_align_ptr((u_char *) sh
                                             + sizeof(ngx_ezw_zone_sh_t), 64);
    sh->blocks = ngx_align_ptr((u_char *) (sh->buckets + n),
                               NGX_EZW_ZONE_BLOCK);

    fixed = sh->blocks - (u_char *) sh;
    sh->nblocks = (uint32_t) ((size - fixed) / NGX_EZW_ZONE_BLOCK);

    reset(sh);

    sh->version = NGX_EZW_ZONE_VERSION;
    z->shpool->data = sh;
    z->sh = sh;

    return NGX_OK;
}


/* Makes the zone empty, whatever state its links are in. */
static void
reset(ngx_ezw_zone_sh_t *sh)
{
    ngx_memzero(sh->buckets, sh->nbuckets * sizeof(uint32_t));
    ngx_memzero(sh->lru, sizeof(sh->lru));

    sh->free = 0;
    sh->fresh = 1;
    sh->used = 0;

    sh->lru[NGX_EZW_ZONE_GOOD].quota = sh->nblocks;
    sh->lru[NGX_EZW_ZONE_NEGATIVE].quota = sh->nblocks / 8;
}


/* Takes the mutex; empties the zone if its last holder died in a change. */
static void
lock(ngx_ezw_zone_t *z)
{
    ngx_shmtx_lock(&z->shpool->mutex);

    if (z->sh->dirty) {
        reset(z->sh);
        z->sh->rebuilt++;
    }

    z->sh->dirty = 1;
    ngx_memory_barrier();
}


static void
unlock(ngx_ezw_zone_t *z)
{
    ngx_memory_barrier();
    z->sh->dirty = 0;
    ngx_shmtx_unlock(&z->shpool->mutex);
}


/* The key is a digest: any of its bits are as good as a hash. */
static uint32_t
bucket_of(ngx_ezw_zone_sh_t *sh, const u_char *key)
{
    uint32_t  h;

    ngx_memcpy(&h, key, sizeof(uint32_t));

    return h & (sh->nbuckets - 1);
}


static uint32_t
find(ngx_ezw_zone_sh_t *sh, const u_char *key)
{
    uint32_t  n;

    n = sh->buckets[bucket_of(sh, key)];

    while (n) {
        if (ngx_memcmp(head_of(sh, n)->key, key, NGX_EZW_ZONE_KEY) == 0) {
            return n;
        }
        n = head_of(sh, n)->hash_next;
    }

    return 0;
}


static void
link_newest(ngx_ezw_zone_sh_t *sh, uint32_t n)
{
    ngx_ezw_zone_lru_t   *lru;
    ngx_ezw_zone_head_t  *e;

    e = head_of(sh, n);
    lru = &sh->lru[e->cls];

    e->newer = 0;
    e->older = lru->newest;

    if (lru->newest) {
        head_of(sh, lru->newest)->newer = n;
    } else {
        lru->oldest = n;
    }

    lru->newest = n;
}


static void
unlink_lru(ngx_ezw_zone_sh_t *sh, uint32_t n)
{
    ngx_ezw_zone_lru_t   *lru;
    ngx_ezw_zone_head_t  *e;

    e = head_of(sh, n);
    lru = &sh->lru[e->cls];

    if (e->newer) {
        head_of(sh, e->newer)->older = e->older;
    } else {
        lru->newest = e->older;
    }

    if (e->older) {
        head_of(sh, e->older)->newer = e->newer;
    } else {
        lru->oldest = e->newer;
    }
}


/* Takes an entry out of its lists and gives its blocks back. */
static void
drop(ngx_ezw_zone_sh_t *sh, uint32_t n)
{
    uint32_t             *p, next;
    ngx_ezw_zone_lru_t   *lru;
    ngx_ezw_zone_head_t  *e;

    e = head_of(sh, n);
    lru = &sh->lru[e->cls];

    for (p = &sh->buckets[bucket_of(sh, e->key)];
         *p != n;
         p = &head_of(sh, *p)->hash_next)
    {
        /* void */
    }

    *p = e->hash_next;

    unlink_lru(sh, n);
    lru->entries--;

    while (n) {
        next = tail_of(sh, n)->next;
        tail_of(sh, n)->next = sh->free;
        sh->free = n;
        sh->used--;
        lru->used--;
        n = next;
    }
}


/* A free block's number, 0 when there is none. */
static uint32_t
take(ngx_ezw_zone_sh_t *sh)
{
    uint32_t  n;

    n = sh->free;

    if (n) {
        sh->free = tail_of(sh, n)->next;

    } else if (sh->fresh < sh->nblocks) {
        n = sh->fresh++;

    } else {
        return 0;
    }

    sh->used++;
    tail_of(sh, n)->next = 0;

    return n;
}


ssize_t
ngx_ezw_zone_get(ngx_ezw_zone_t *z, const u_char *key, u_char *buf,
    size_t size, size_t stamp_at, uint64_t stamp, ngx_uint_t *cls)
{
    size_t                len, part;
    uint32_t              n, t;
    ngx_ezw_zone_sh_t    *sh;
    ngx_ezw_zone_head_t  *e;

    sh = z->sh;

    lock(z);

    n = find(sh, key);

    if (n == 0 || head_of(sh, n)->len > size) {
        unlock(z);
        return NGX_DECLINED;
    }

    e = head_of(sh, n);
    len = e->len;
    *cls = e->cls;

    part = ngx_min(len, NGX_EZW_ZONE_INLINE);
    ngx_memcpy(buf, e->data, part);

    for (t = e->next, buf += part, len -= part; t && len; buf += part) {
        part = ngx_min(len, NGX_EZW_ZONE_TAIL);
        ngx_memcpy(buf, tail_of(sh, t)->data, part);
        len -= part;
        t = tail_of(sh, t)->next;
    }

    if (stamp && e->cls == NGX_EZW_ZONE_GOOD) {
        e->data[stamp_at / 8] = stamp;
    }

    if (e->newer) {
        unlink_lru(sh, n);
        link_newest(sh, n);
    }

    len = e->len;

    unlock(z);

    return (ssize_t) len;
}


/* Evicts until `need` blocks are there for the class.  NGX_DECLINED: too many
 * would have to go. */
static ngx_int_t
make_room(ngx_ezw_zone_sh_t *sh, ngx_uint_t cls, uint32_t need)
{
    uint32_t             tries, oldest;
    ngx_ezw_zone_lru_t  *lru;

    lru = &sh->lru[cls];

    for (tries = 0; /* void */ ; tries++) {

        if (lru->used + need <= lru->quota
            && sh->used + need <= sh->nblocks - 1)
        {
            return NGX_OK;
        }

        oldest = lru->oldest;

        if (oldest == 0) {
            oldest = sh->lru[!cls].oldest;
        }

        if (oldest == 0 || need > lru->quota || tries == NGX_EZW_ZONE_EVICT) {
            sh->refused++;
            return NGX_DECLINED;
        }

        drop(sh, oldest);
        sh->evicted++;
    }
}


/* Takes the head block of a new entry and puts it into its lists; the caller
 * has made room, and adds the tail. */
static uint32_t
link_entry(ngx_ezw_zone_sh_t *sh, const u_char *key, size_t len,
    ngx_uint_t cls, uint32_t need)
{
    uint32_t              n;
    ngx_ezw_zone_head_t  *e;

    n = take(sh);

    e = head_of(sh, n);
    e->len = (uint32_t) len;
    e->cls = (uint32_t) cls;
    ngx_memcpy(e->key, key, NGX_EZW_ZONE_KEY);

    e->hash_next = sh->buckets[bucket_of(sh, key)];
    sh->buckets[bucket_of(sh, key)] = n;

    link_newest(sh, n);
    sh->lru[cls].entries++;
    sh->lru[cls].used += need;

    return n;
}


ngx_int_t
ngx_ezw_zone_put(ngx_ezw_zone_t *z, const u_char *key, const u_char *value,
    size_t len, ngx_uint_t cls)
{
    size_t                part, left;
    uint32_t              n, t, need, *link;
    ngx_ezw_zone_sh_t    *sh;
    ngx_ezw_zone_head_t  *e;

    sh = z->sh;

    need = 1;
    if (len > NGX_EZW_ZONE_INLINE) {
        need += (uint32_t) ((len - NGX_EZW_ZONE_INLINE + NGX_EZW_ZONE_TAIL - 1)
                            / NGX_EZW_ZONE_TAIL);
    }

    lock(z);

    n = find(sh, key);
    if (n) {
        drop(sh, n);
    }

    if (make_room(sh, cls, need) != NGX_OK) {
        unlock(z);
        return NGX_DECLINED;
    }

    e = head_of(sh, link_entry(sh, key, len, cls, need));

    part = ngx_min(len, NGX_EZW_ZONE_INLINE);
    ngx_memcpy(e->data, value, part);

    link = &e->next;

    for (left = len - part, value += part; left; value += part) {
        t = take(sh);
        *link = t;
        link = &tail_of(sh, t)->next;
        part = ngx_min(left, NGX_EZW_ZONE_TAIL);
        ngx_memcpy(tail_of(sh, t)->data, value, part);
        left -= part;
    }

    unlock(z);

    return NGX_OK;
}


ngx_int_t
ngx_ezw_zone_apply(ngx_ezw_zone_t *z, const u_char *key, size_t len,
    ngx_uint_t cls, ngx_ezw_zone_apply_pt apply, void *data)
{
    uint32_t            n;
    ngx_ezw_zone_sh_t  *sh;

    sh = z->sh;

    lock(z);

    n = find(sh, key);

    if (n == 0) {

        if (make_room(sh, cls, 1) != NGX_OK) {
            unlock(z);
            return NGX_DECLINED;
        }

        n = link_entry(sh, key, len, cls, 1);
        ngx_memzero(head_of(sh, n)->data, NGX_EZW_ZONE_INLINE);

    } else if (head_of(sh, n)->newer) {
        unlink_lru(sh, n);
        link_newest(sh, n);
    }

    apply(head_of(sh, n)->data, data);

    unlock(z);

    return NGX_OK;
}


void
ngx_ezw_zone_purge(ngx_ezw_zone_t *z, size_t at, const u_char *bytes, size_t n)
{
    uint32_t            i, older;
    ngx_ezw_zone_sh_t  *sh;

    sh = z->sh;

    lock(z);

    for (i = sh->lru[NGX_EZW_ZONE_GOOD].newest; i; i = older) {
        older = head_of(sh, i)->older;

        if (ngx_memcmp((u_char *) head_of(sh, i)->data + at, bytes, n) == 0) {
            drop(sh, i);
        }
    }

    unlock(z);
}


ngx_int_t
ngx_ezw_zone_remove(ngx_ezw_zone_t *z, const u_char *key)
{
    uint32_t  n;

    lock(z);

    n = find(z->sh, key);
    if (n) {
        drop(z->sh, n);
    }

    unlock(z);

    return n ? NGX_OK : NGX_DECLINED;
}


void
ngx_ezw_zone_empty(ngx_ezw_zone_t *z)
{
    lock(z);
    reset(z->sh);
    unlock(z);
}


ngx_uint_t
ngx_ezw_zone_collect(ngx_ezw_zone_t *z, size_t word_at, uint64_t above,
    u_char *buf, ngx_uint_t n, ngx_uint_t scan)
{
    uint32_t              i;
    ngx_uint_t            found;
    ngx_ezw_zone_head_t  *e;

    found = 0;

    lock(z);

    i = z->sh->lru[NGX_EZW_ZONE_GOOD].newest;

    while (i && scan-- && found < n) {
        e = head_of(z->sh, i);

        if (e->data[word_at / 8] > above) {
            ngx_memcpy(buf + found * NGX_EZW_ZONE_INLINE, e->data,
                       NGX_EZW_ZONE_INLINE);
            found++;
        }

        i = e->older;
    }

    unlock(z);

    return found;
}


void
ngx_ezw_zone_stat(ngx_ezw_zone_t *z, ngx_ezw_zone_stat_t *st)
{
    lock(z);

    st->blocks = z->sh->nblocks;
    st->used = z->sh->used;
    st->entries[0] = z->sh->lru[0].entries;
    st->entries[1] = z->sh->lru[1].entries;
    st->evicted = z->sh->evicted;
    st->refused = z->sh->refused;
    st->rebuilt = z->sh->rebuilt;

    unlock(z);
}


ngx_atomic_t *
ngx_ezw_zone_word(ngx_ezw_zone_t *z, ngx_uint_t i)
{
    return &z->sh->words[i];
}

/*
 * A shared-memory zone: one hash table with two LRU lists (good entries, and
 * negative ones with a quota of their own) on its own arena of fixed blocks.
 *
 * The arena is one slab allocation made when the zone is born; the slab is
 * never called again, because a worker killed inside it would leave it broken.
 * The one mutex is the slab pool's, which the master unlocks for a dead worker;
 * a `dirty` mark set around every change tells the next one who comes that the
 * links may be half made, and it empties the zone.  A zone is only a cache.
 *
 * Values are copied in and out, or changed in place by a few lines of arithmetic
 * (apply).  Nothing here logs while it holds the lock.
 */

#ifndef NGX_EZW_ZONE_H
#define NGX_EZW_ZONE_H

#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_EZW_ZONE_KEY     32      /* bytes: SHA-256 of whatever names it */
#define NGX_EZW_ZONE_WORDS   8
#define NGX_EZW_ZONE_INLINE  64      /* bytes of a value in reach of a stamp */

#define NGX_EZW_ZONE_GOOD      0
#define NGX_EZW_ZONE_NEGATIVE  1

typedef struct ngx_ezw_zone_sh_s  ngx_ezw_zone_sh_t;

typedef struct {
    ngx_ezw_zone_sh_t    *sh;
    ngx_slab_pool_t      *shpool;
    ngx_shm_zone_t       *shm_zone;
} ngx_ezw_zone_t;

typedef struct {
    ngx_uint_t            blocks;        /* in all */
    ngx_uint_t            used;          /* blocks that hold something */
    ngx_uint_t            entries[2];    /* good, negative */
    ngx_uint_t            evicted;
    ngx_uint_t            refused;       /* did not fit even after evictions */
    ngx_uint_t            rebuilt;       /* emptied after a worker died in it */
} ngx_ezw_zone_stat_t;


/* Declares the zone while the configuration is read.  The returned object lives
 * in the cycle; its memory is there when the workers start.  NULL: logged. */
ngx_ezw_zone_t *ngx_ezw_zone_add(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    void *tag);

/*
 * Copies the value of key into buf and moves it to the front.  When stamp is
 * not 0 the 64-bit word at stamp_at within the value of a good entry (below
 * NGX_EZW_ZONE_INLINE) is set to it after copying.
 * Returns the value's length and its class in *cls; NGX_DECLINED: not here, or
 * longer than size.
 */
ssize_t ngx_ezw_zone_get(ngx_ezw_zone_t *z, const u_char *key, u_char *buf,
    size_t size, size_t stamp_at, uint64_t stamp, ngx_uint_t *cls);

/* Puts or replaces; evicts the oldest when full.
 * NGX_OK, NGX_DECLINED: does not fit. */
ngx_int_t ngx_ezw_zone_put(ngx_ezw_zone_t *z, const u_char *key,
    const u_char *value, size_t len, ngx_uint_t cls);

/*
 * Finds the entry of key, or makes one of len bytes of zeros (at most
 * NGX_EZW_ZONE_INLINE; evicts the oldest when full), and calls apply on its
 * value while the zone is locked: what several workers count exactly.  apply is
 * arithmetic on these bytes and on data (and the clock), and must leave a
 * value that makes sense after every store, for it may be killed there.
 * NGX_OK, NGX_DECLINED: no room.
 */
typedef void (*ngx_ezw_zone_apply_pt)(void *value, void *data);
ngx_int_t ngx_ezw_zone_apply(ngx_ezw_zone_t *z, const u_char *key, size_t len,
    ngx_uint_t cls, ngx_ezw_zone_apply_pt apply, void *data);

/* Removes the good entries that have these n bytes at `at` of their inline
 * part.  It looks at every entry: for rare changes. */
void ngx_ezw_zone_purge(ngx_ezw_zone_t *z, size_t at, const u_char *bytes,
    size_t n);

/* NGX_OK: it was there, NGX_DECLINED. */
ngx_int_t ngx_ezw_zone_remove(ngx_ezw_zone_t *z, const u_char *key);

/* Forgets everything. */
void ngx_ezw_zone_empty(ngx_ezw_zone_t *z);

/*
 * Copies the inline parts (NGX_EZW_ZONE_INLINE bytes each) of up to n good
 * entries whose 64-bit word at word_at exceeds `above`, most recent first; for
 * batched write-back.  Looks at no more than `scan` entries.
 */
ngx_uint_t ngx_ezw_zone_collect(ngx_ezw_zone_t *z, size_t word_at,
    uint64_t above, u_char *buf, ngx_uint_t n, ngx_uint_t scan);

void ngx_ezw_zone_stat(ngx_ezw_zone_t *z, ngx_ezw_zone_stat_t *st);

/* Words of the zone's user, shared by all workers, zero at birth; they survive
 * an emptied zone. */
ngx_atomic_t *ngx_ezw_zone_word(ngx_ezw_zone_t *z, ngx_uint_t i);

#endif

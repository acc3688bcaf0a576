/*
 * What the tests and the fuzz targets share: an allocator that can run out, a
 * writer that cuts its output into chunks, strings.
 *
 * Every allocation is a malloc() of its own and every chunk ends at a guard
 * byte, so that a write past either is seen, with sanitizers or without.
 */

#ifndef EZW_TEST_SUPPORT_H
#define EZW_TEST_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ezw_json.h"
#include "ezw_str.h"


#define ARENA_GUARD  0xa5
#define UNUSED       __attribute__((unused))


typedef struct block_s  block_t;

struct block_s {
    block_t              *next;
    size_t                size;
    unsigned char         data[];
};


typedef struct {
    ezw_alloc_t           alloc;
    block_t              *blocks;
    long                  left;       /* allocations that succeed, -1: all */
    unsigned              count;
} arena_t;


typedef struct {
    ezw_writer_t          w;
    size_t                size;       /* of a chunk */
    long                  left;       /* calls of more that succeed, -1: all */
    unsigned char        *chunk;
    char                 *out;        /* ended by NUL */
    size_t                len;
} sink_t;


static void *UNUSED
arena_alloc(void *ctx, size_t size)
{
    block_t  *b;
    arena_t  *a;

    a = ctx;
    a->count++;

    if (a->left == 0) {
        return NULL;
    }

    if (a->left > 0) {
        a->left--;
    }

    b = malloc(sizeof(block_t) + size + 1);

    if (b == NULL) {
        abort();
    }

    b->size = size;
    b->next = a->blocks;
    a->blocks = b;

    memset(b->data, 0xcc, size);
    b->data[size] = ARENA_GUARD;

    return b->data;
}


static void UNUSED
arena_init(arena_t *a, long left)
{
    memset(a, 0, sizeof(arena_t));

    a->alloc.alloc = arena_alloc;
    a->alloc.ctx = a;
    a->left = left;
}


static void UNUSED
arena_free(arena_t *a)
{
    block_t  *b, *next;

    for (b = a->blocks; b != NULL; b = next) {
        next = b->next;

        if (b->data[b->size] != ARENA_GUARD) {
            fprintf(stderr, "a write past an allocation\n");
            abort();
        }

        free(b);
    }

    a->blocks = NULL;
}


static void UNUSED
sink_flush(sink_t *s)
{
    size_t  n;

    if (s->chunk == NULL) {
        return;
    }

    if (s->chunk[s->size] != ARENA_GUARD || s->w.pos > s->w.end) {
        fprintf(stderr, "a write past a chunk\n");
        abort();
    }

    n = s->w.pos - s->chunk;

    s->out = realloc(s->out, s->len + n + 1);

    if (s->out == NULL) {
        abort();
    }

    memcpy(s->out + s->len, s->chunk, n);
    s->len += n;
    s->out[s->len] = '\0';

    free(s->chunk);
    s->chunk = NULL;
}


static int UNUSED
sink_more(ezw_writer_t *w, size_t need)
{
    sink_t  *s;

    s = w->ctx;

    if (need < 1 || need > 64 || (size_t) (w->end - w->pos) >= need) {
        fprintf(stderr, "more was called against its contract\n");
        abort();
    }

    if (s->left == 0) {
        return EZW_ERROR;
    }

    if (s->left > 0) {
        s->left--;
    }

    sink_flush(s);

    if (s->size < need) {
        s->size = need;
    }

    s->chunk = malloc(s->size + 1);

    if (s->chunk == NULL) {
        abort();
    }

    s->chunk[s->size] = ARENA_GUARD;

    w->pos = s->chunk;
    w->end = s->chunk + s->size;

    return EZW_OK;
}


/* A writer of chunks of `size` bytes, of which there are `left`. */
static void UNUSED
sink_init(sink_t *s, size_t size, long left)
{
    memset(s, 0, sizeof(sink_t));

    s->w.more = sink_more;
    s->w.ctx = s;
    s->size = size;
    s->left = left;
    s->out = calloc(1, 1);
}


static void UNUSED
sink_free(sink_t *s)
{
    free(s->chunk);
    free(s->out);
}


static ezw_str_t UNUSED
str(const char *s)
{
    ezw_str_t  r;

    r.data = (unsigned char *) s;
    r.len = strlen(s);

    return r;
}


/* A copy that ends where its allocation ends, so that a read past it is seen
 * by ASan. */
static ezw_str_t UNUSED
tight(const void *p, size_t len)
{
    ezw_str_t  r;

    r.data = calloc(1, len + (len == 0));
    r.len = len;

    if (r.data == NULL) {
        abort();
    }

    if (len > 0) {
        memcpy(r.data, p, len);
    }

    return r;
}


/* A fuzz target's assertion: stays whatever NDEBUG says. */
#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);   \
            abort();                                                          \
        }                                                                     \
    } while (0)

#endif

/*
 * What base/ shares: the string, the allocator, the error text.
 *
 * base/ is pure C: no nginx type, no global state, nothing that blocks, so
 * that every file here can be unit-tested and fuzzed without a server.
 * Return codes: EZW_OK done, EZW_DECLINED not here, EZW_ERROR out of memory,
 * EZW_INVALID the input breaks a rule (ezw_invalid_t says which).
 */

#ifndef EZW_STR_H
#define EZW_STR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>


#define EZW_OK          0
#define EZW_ERROR      -1
#define EZW_INVALID    -4
#define EZW_DECLINED   -5


/* Same layout as ngx_str_t, so that the two may be cast. Not terminated. */
typedef struct {
    size_t                len;
    unsigned char        *data;
} ezw_str_t;

#define ezw_string(s)     { sizeof(s) - 1, (unsigned char *) s }


/* An allocator that never gives back: a request's pool, a test's arena. */
typedef struct {
    void               *(*alloc)(void *ctx, size_t size);
    void                 *ctx;
} ezw_alloc_t;


/* Why an input was refused: `code` is a v3 error code (1005 as a rule),
 * `field` the dotted name of the culprit or "", `text` for people. */
typedef struct {
    int                   code;
    char                  field[96];
    char                  text[192];
} ezw_invalid_t;

/* Fills *why in (printf-like) and returns EZW_INVALID. */
int ezw_invalid(ezw_invalid_t *why, int code, const char *field,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* 1 when both strings are equal; time depends on the lengths only. */
int ezw_equal_secret(const void *a, size_t alen, const void *b, size_t blen);

#endif

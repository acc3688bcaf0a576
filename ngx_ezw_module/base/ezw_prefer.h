/* The Prefer header (RFC 7240). */

#ifndef EZW_PREFER_H
#define EZW_PREFER_H

#include "ezw_str.h"

typedef struct {
    unsigned              strict:1;       /* handling=strict */
    unsigned              count_exact:1;  /* count=exact */
    unsigned              wait;           /* seconds, 0: not asked */
    unsigned              seen:3;         /* kinds that were there; begins 0 */
} ezw_prefer_t;

/* Adds what one header value asks for; unknown preferences are ignored and the
 * first of a kind wins, as the RFC says. */
void ezw_prefer_parse(const ezw_str_t *value, ezw_prefer_t *p);

#endif

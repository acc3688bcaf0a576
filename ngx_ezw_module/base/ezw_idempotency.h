/* The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header). */

#ifndef EZW_IDEMPOTENCY_H
#define EZW_IDEMPOTENCY_H

#include "ezw_str.h"

#define EZW_IDEMPOTENCY_KEY  255

/* The header's value to the key: a bare token or, as the draft writes it, a
 * quoted string, of which one pair of quotes is taken off (a quote at one end
 * only is refused); white space around it is not part of it.  1-255 printable
 * ASCII (0x20-0x7e).  *key points into value.  EZW_OK or EZW_INVALID. */
int ezw_idempotency_key(const ezw_str_t *value, ezw_str_t *key);

#endif

/* Secrets as people keep them in files: as text. */

#ifndef EZW_SECRET_H
#define EZW_SECRET_H

#include "ezw_str.h"

#define EZW_SECRET  1024      /* bytes of the longest one */

/* Hex in any case, or else base64 or base64url, with padding or without (64
 * hex digits are 32 bytes, not 48); nothing around it.  dst has room for
 * EZW_SECRET bytes.  EZW_OK or EZW_INVALID. */
int ezw_secret_parse(const ezw_str_t *text, unsigned char *dst, size_t *len);

/* The text without the blanks and line ends around it. */
void ezw_secret_trim(ezw_str_t *text);

#endif

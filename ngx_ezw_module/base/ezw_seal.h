/*
 * Secrets that must be kept readable: AES-256-GCM under a key of a file, which
 * the database never has.  A ring holds several keys: the first seals, all of
 * them open, so that keys can be changed.
 *
 * Sealed: version byte 1, key id (8 bytes: the first of SHA-256 of the key),
 * nonce (12), ciphertext, tag (16).  The context, such as "cipherKey <id>", is
 * authenticated with it: what is sealed for one row opens in no other.
 */

#ifndef EZW_SEAL_H
#define EZW_SEAL_H

#include "ezw_str.h"

#define EZW_SEAL_OVERHEAD  37
#define EZW_SEAL_KEYS      8

typedef struct {
    unsigned              n;
    struct {
        unsigned char     id[8];
        unsigned char     key[32];
    } keys[EZW_SEAL_KEYS];
} ezw_seal_ring_t;

/* A key file: one key a line, base64 or hex of 32 bytes; '#' begins a
 * comment, empty lines are skipped.  EZW_OK; EZW_INVALID with *why naming the
 * line (no key, more than EZW_SEAL_KEYS, one twice); EZW_ERROR.  After the last
 * two nothing is left in *ring. */
int ezw_seal_ring_read(const unsigned char *text, size_t len,
    ezw_seal_ring_t *ring, ezw_invalid_t *why);

/* dst has room for len + EZW_SEAL_OVERHEAD.  nonce: 12 bytes of a CSPRNG.
 * EZW_OK or EZW_ERROR. */
int ezw_seal(const ezw_seal_ring_t *ring, const ezw_str_t *context,
    const unsigned char nonce[12], const unsigned char *p, size_t len,
    unsigned char *dst);

/* dst has room for len - EZW_SEAL_OVERHEAD; *key is the index of the key that
 * opened it (0: the one that seals).  EZW_OK; EZW_DECLINED: no such key, other
 * context, altered: nothing is left in dst; EZW_ERROR. */
int ezw_seal_open(const ezw_seal_ring_t *ring, const ezw_str_t *context,
    const unsigned char *p, size_t len, unsigned char *dst, size_t *dlen,
    unsigned *key);

#endif

/*
 * Ids.  They are made here and passed to the database, so that the outcome of
 * a lost connection can be settled (ARCHITECTURE, One statement per request).
 * Randomness comes from the caller: bytes of a CSPRNG.
 */

#ifndef EZW_ID_H
#define EZW_ID_H

#include "ezw_str.h"

#define EZW_UUID_LEN        36
#define EZW_MESSAGE_ID_LEN  40

/* UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, 74 random bits.
 * rnd: 10 bytes. */
void ezw_uuid7(unsigned char out[16], uint64_t unix_ms,
    const unsigned char rnd[10]);

/* A message id: a UUIDv7 and four random bytes. rnd: 14 bytes. */
void ezw_message_id(unsigned char out[20], uint64_t unix_ms,
    const unsigned char rnd[14]);

/* 8-4-4-4-12 lower-case hex, EZW_UUID_LEN bytes, not terminated. */
void ezw_uuid_text(unsigned char *dst, const unsigned char b[16]);
/* Text in any case to bytes; EZW_OK or EZW_INVALID. */
int ezw_uuid_parse(const ezw_str_t *s, unsigned char out[16]);

void ezw_hex(unsigned char *dst, const unsigned char *p, size_t len);
/* dst has room for s->len / 2.  EZW_OK or EZW_INVALID (odd, not hex). */
int ezw_hex_parse(const ezw_str_t *s, unsigned char *dst);

/* Standard base64 (RFC 4648) with padding; dst has room for 4*((len+2)/3);
 * returns the bytes written. */
size_t ezw_base64(unsigned char *dst, const unsigned char *p, size_t len);
/* URL-safe, without padding. */
size_t ezw_base64url(unsigned char *dst, const unsigned char *p, size_t len);
/* Strict decoders (canonical, no white space); dst has room for
 * 3 * (s->len / 4) + 3.  EZW_OK or EZW_INVALID. */
int ezw_base64_parse(const ezw_str_t *s, unsigned char *dst, size_t *len);
int ezw_base64url_parse(const ezw_str_t *s, unsigned char *dst, size_t *len);

#define EZW_CONVERSATION_ID_LEN  28
/* base64(SHA1(channel, 0x00, contact)), 28 bytes (DECISIONS 3). */
void ezw_conversation_id(unsigned char *dst, const ezw_str_t *channel,
    const ezw_str_t *contact);

/* W3C trace context, level 1: the 32-hex trace-id of a traceparent header
 * value ("00-<32>-<16>-<2>", future versions may be longer).
 * EZW_OK with 32 bytes in dst, or EZW_INVALID (all zero, upper case, ff). */
int ezw_traceparent(const ezw_str_t *value, unsigned char *dst);

#endif

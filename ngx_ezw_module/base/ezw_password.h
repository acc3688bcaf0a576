/*
 * Password hashes: scrypt (RFC 7914) as "$scrypt$ln=15,r=8,p=1$salt$hash",
 * base64 without padding.  One takes some 80 ms and 32 MB: never in the event
 * loop.  Thread-safe; nothing here keeps state.
 */

#ifndef EZW_PASSWORD_H
#define EZW_PASSWORD_H

#include "ezw_str.h"

#define EZW_PASSWORD_HASH  128   /* bytes that hold any hash of ours and NUL */
#define EZW_PASSWORD_SALT  16

/* Hashes with today's parameters.  EZW_OK or EZW_ERROR. */
int ezw_password_hash(const char *password, size_t len,
    const unsigned char salt[EZW_PASSWORD_SALT], char out[EZW_PASSWORD_HASH]);

/* EZW_OK: it is the password; EZW_DECLINED: it is not, or stored is no hash;
 * EZW_ERROR: no memory.  With stored NULL, or no hash, the work of a hash is
 * done all the same and EZW_DECLINED answered, so that unknown users take as
 * long.  Parameters beyond ln=20, r=16, p=4 make no hash. */
int ezw_password_check(const char *stored, const char *password, size_t len);

/* 1: made with other parameters than today's, or no hash: to be hashed again
 * when the password is known. */
int ezw_password_stale(const char *stored);

#endif

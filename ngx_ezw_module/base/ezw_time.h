/* Times. Postgres counts microseconds from 2000-01-01, Unix from 1970. */

#ifndef EZW_TIME_H
#define EZW_TIME_H

#include "ezw_str.h"

#define EZW_PG_EPOCH_S   946684800LL
#define EZW_TIME_LEN     27           /* "2020-03-11T19:53:02.000000Z" */

/* Writes exactly EZW_TIME_LEN bytes for years 0000-9999; returns the end, or
 * NULL outside those years. */
unsigned char *ezw_time_write(unsigned char *p, int64_t pg_us);

/* RFC 3339 date-time with 0-6 digits of fraction, 'Z' or offset, to Postgres
 * microseconds.  EZW_OK or EZW_INVALID. */
int ezw_time_parse(const ezw_str_t *s, int64_t *pg_us);

#endif

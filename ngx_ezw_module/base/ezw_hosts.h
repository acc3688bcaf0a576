/* The file /etc/hosts (hosts(5)). */

#ifndef EZW_HOSTS_H
#define EZW_HOSTS_H

#include "ezw_cidr.h"

/* Writes to addrs, in the file's order, up to `max` addresses that the text of
 * the file gives the name, which is compared without case; lines that do not
 * begin with an address, or have one with a zone, say nothing.  Returns how
 * many.  IPv4 stands in an ezw_cidr_t as IPv4-mapped. */
unsigned ezw_hosts_find(const ezw_str_t *file, const ezw_str_t *name,
    ezw_cidr_t *addrs, unsigned max);

#endif

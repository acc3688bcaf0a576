/*
 * JIDs: "local@domain.suffix" (DECISIONS 2).  The suffix ("eazy.im") is a
 * directive.  The domain is lower-cased, the local part keeps its case where
 * its domain allows letters.
 */

#ifndef EZW_JID_H
#define EZW_JID_H

#include "ezw_str.h"

#define EZW_JID_CHANNEL  0x01    /* may be a channel */
#define EZW_JID_CONTACT  0x02    /* may be a contact */
#define EZW_JID_OTHER    0x04    /* agent, ai, label, team, list, key */

typedef struct {
    ezw_str_t             jid;       /* whole, normalised */
    ezw_str_t             local;     /* within jid */
    ezw_str_t             domain;    /* within jid, without ".suffix" */
    unsigned              kind;      /* EZW_JID_* bits that it may be */
    int64_t               phone;     /* its E.164 number, 0 when it has none */
} ezw_jid_t;

/* Custom channels registered by the operator: n names [a-z0-9-]{1,63}. */
typedef struct {
    ezw_str_t             suffix;
    const ezw_str_t      *custom;
    size_t                ncustom;
} ezw_jid_conf_t;

/* Parses and normalises; dst has room for src->len bytes and then holds
 * out->jid.  EZW_OK or EZW_INVALID.  Custom domains take
 * [A-Za-z0-9._+=/-]{1,128} as local part, for channels and contacts. */
int ezw_jid_parse(const ezw_jid_conf_t *conf, const ezw_str_t *src,
    unsigned char *dst, ezw_jid_t *out);

/* 1 when contact may be a contact of channel: same domain, right kinds. */
int ezw_jid_belongs(const ezw_jid_t *contact, const ezw_jid_t *channel);

#endif

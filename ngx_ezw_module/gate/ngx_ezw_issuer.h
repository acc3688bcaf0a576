/*
 * Outside issuers of tokens (OpenID Connect, such as Cognito) and their keys.
 *
 * An issuer's key set (RFC 7517) is fetched in the background, once a worker,
 * and kept: it is fetched again when it is `refresh` old, and when a token
 * names a key that is not in it, but for that at most once in 30 s.  While the
 * issuer does not answer the keys at hand go on being used for a day.  Whoever
 * needs a fetch waits for it, all of them for one and the same; a token whose
 * key is known never waits.
 */

#ifndef NGX_EZW_ISSUER_H
#define NGX_EZW_ISSUER_H

#include "base/ezw_jwt.h"
#include "net/ngx_ezw_net.h"


#define NGX_EZW_ISSUER_WAITS  1024   /* that wait for one issuer, at most */


typedef struct ngx_ezw_issuer_wait_s  ngx_ezw_issuer_wait_t;


typedef struct {
    ngx_str_t                 issuer;     /* `iss`, NUL-terminated */
    ngx_str_t                 audience;   /* `aud`, NUL-terminated */
    ngx_str_t                 jwks;       /* URL of the key set */
    ngx_ezw_net_trust_t       trust;
    ngx_msec_t                refresh;

    /* per process */
    ngx_ezw_net_t            *net;        /* NULL: not started */
    ngx_log_t                *log;
    ezw_jwks_t               *keys;       /* NULL: none at hand */
    ngx_msec_t                fetched;    /* when these were asked for */
    ngx_msec_t                asked;      /* the latest fetch's beginning */
    ngx_msec_t                missed;     /* that of one for an unknown key */
    ngx_msec_t                failed;     /* when the latest failure came */
    ngx_msec_t                retry;      /* after failures: not before */
    ngx_uint_t                failures;   /* in a row */
    ngx_queue_t               waits;
    ngx_uint_t                nwaits;
    ngx_event_t               timer;      /* next fetch by age or back-off */
    ngx_ezw_net_request_t     request;
    unsigned                  fetching:1;
    unsigned                  missing:1;  /* there was one for an unknown key */
} ngx_ezw_issuer_t;


/* Who waits for a fetch; zeroed by its owner before the first call. */
struct ngx_ezw_issuer_wait_s {
    /* by the owner */
    void                    (*handler)(ngx_ezw_issuer_wait_t *wait);
    void                     *data;

    /* this file's own */
    ngx_queue_t               queue;
    ngx_ezw_issuer_t         *issuer;     /* NULL: does not wait */
    ngx_msec_t                since;      /* of the first call */
    unsigned                  called:1;
};


/* Parses  ezw_token_issuer https://issuer audience=text [jwks=https://...]
 * [trusted_certificate=file] [refresh=time];  into an array of
 * ngx_ezw_issuer_t.  NGX_CONF_OK, NGX_CONF_ERROR (logged), or a text. */
char *ngx_ezw_issuer_conf_set(ngx_conf_t *cf, ngx_array_t *issuers);

/* In init_process of workers: begins to fetch.  The array stays as it is from
 * then on. */
void ngx_ezw_issuer_start(ngx_cycle_t *cycle, ngx_array_t *issuers,
    ngx_ezw_net_t *net);
/* In exit_process, after ngx_ezw_net_stop: frees the keys. */
void ngx_ezw_issuer_stop(ngx_array_t *issuers);

/* The issuer of exactly that name; NULL: there is none. */
ngx_ezw_issuer_t *ngx_ezw_issuer_find(ngx_array_t *issuers,
    const ezw_str_t *iss);

/* NGX_OK: *key is the key of that kid, valid until the event loop turns.
 * NGX_AGAIN: the keys are being fetched; wait->handler is called once, later,
 * and is to call here again with the same wait.  NGX_DECLINED: there is no such
 * key, or it may not be asked for now.  NGX_ERROR: there are no keys and the
 * issuer does not answer. */
ngx_int_t ngx_ezw_issuer_key(ngx_ezw_issuer_t *issuer, const ezw_str_t *kid,
    ngx_ezw_issuer_wait_t *wait, const ezw_jwt_key_t **key);
/* Takes a wait back; harmless on one that does not wait. */
void ngx_ezw_issuer_cancel(ngx_ezw_issuer_wait_t *wait);

#endif

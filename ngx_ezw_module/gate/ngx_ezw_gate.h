/*
 * The gate: who asks, from where, may they, and how fast (DECISIONS 5): key or
 * ID token, address, rate, scope or role, object.
 *
 * It runs in the access phase of the main request and in the preaccess phase
 * of a subrequest, whose access phase nginx skips.  It answers from the key
 * zone; what the zone does not know it asks the database, once, and the
 * request parks meanwhile.  ctx->passed is set here and nowhere else.
 *
 * An entry of the zone is believed while the change sequence has been read
 * within the last two seconds (ngx_ezw_change.c): that is what makes a
 * revocation bite everywhere within two seconds, whatever else fails.
 */

#ifndef NGX_EZW_GATE_H
#define NGX_EZW_GATE_H

#include <ngx_thread_pool.h>

#include "base/ezw_jwt.h"
#include "req/ngx_ezw_request.h"


#define NGX_EZW_FRESH        2000    /* ms after the last look at the changes */

/* Words of the key zone. */
#define NGX_EZW_WORD_SEQ     0       /* changes applied up to here */
#define NGX_EZW_WORD_POLLED  1       /* ngx_current_msec of the last look */
#define NGX_EZW_WORD_LEADER  2       /* pid of the worker that looks */
#define NGX_EZW_WORD_UNTIL   3       /* its term, ngx_current_msec */
#define NGX_EZW_WORD_FLUSHED 4       /* last used written back up to, Unix ms */


/* ngx_ezw_gate.c */

/* Phase handlers. */
ngx_int_t ngx_ezw_gate_access(ngx_http_request_t *r);
ngx_int_t ngx_ezw_gate_preaccess(ngx_http_request_t *r);
ngx_int_t ngx_ezw_gate_precontent(ngx_http_request_t *r);
/* Names the statements the gate needs; NGX_ERROR: logged. */
ngx_int_t ngx_ezw_gate_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
/* The statement of that name, whose parameters are these (ended by NULL) in
 * any order; NULL: logged. */
ngx_ezw_pg_statement_t *ngx_ezw_gate_statement(ngx_conf_t *cf,
    ngx_ezw_main_conf_t *emcf, const char *name, const char *const *params);

/* What the handlers of a parked look-up need of the gate. */

/* Refuses: ctx->error, the verdict ($ezw_gate), the status. */
ngx_int_t ngx_ezw_gate_refuse(ngx_ezw_ctx_t *ctx, const ngx_ezw_error_t *error,
    const char *verdict, const char *fmt, ...);
/* Lets the request through. */
ngx_int_t ngx_ezw_gate_pass(ngx_ezw_ctx_t *ctx);
/* Scope or role, then objects.  NGX_OK, NGX_AGAIN: parked, else the status. */
ngx_int_t ngx_ezw_gate_authorize(ngx_ezw_ctx_t *ctx);
/* The rate of who has been identified; once for a request and all that comes
 * of it. NGX_OK or the status. */
ngx_int_t ngx_ezw_gate_pace(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32]);
/* Takes one of the address's, before a look-up for somebody unknown; given back
 * when it is somebody.  NGX_OK or the status. */
ngx_int_t ngx_ezw_gate_unknown(ngx_ezw_ctx_t *ctx);
void ngx_ezw_gate_known(ngx_ezw_ctx_t *ctx);
/* Sets the effective company. */
void ngx_ezw_gate_company(ngx_ezw_ctx_t *ctx, const u_char *company);

/* ngx_ezw_rate.c */

/* ezw_rate [subject] rate= burst= | off; */
char *ngx_ezw_rate_conf_set(ngx_conf_t *cf, ngx_ezw_loc_conf_t *elcf);
ngx_int_t ngx_ezw_rate_conf_merge(ngx_conf_t *cf, ngx_ezw_loc_conf_t *prev,
    ngx_ezw_loc_conf_t *conf);
/* Takes one from the cell that the digest names.  NGX_OK, NGX_BUSY: refused,
 * nothing taken.  What it said is in ctx->pace. */
ngx_int_t ngx_ezw_rate_take(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32]);
/* Only says. */
void ngx_ezw_rate_peek(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32]);
void ngx_ezw_rate_refund(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32]);
/* A key's own limit.  NGX_ERROR: no memory. */
ngx_int_t ngx_ezw_rate_own(ngx_pool_t *pool, uint32_t per_minute,
    uint32_t burst, ngx_ezw_rate_t *rate);
/* Names the client's address: of IPv6 its /64. */
ngx_int_t ngx_ezw_rate_address(ngx_ezw_ctx_t *ctx, u_char digest[32]);
/* The client's address, after realip.  NGX_DECLINED: it has none. */
ngx_int_t ngx_ezw_address(ngx_connection_t *c, ezw_cidr_t *address);

/* ngx_ezw_key.c */

/* What the zone holds of a key; strings follow it in the value, each with its
 * length before and a NUL behind. */
typedef struct {
    uint64_t              last_used;     /* Unix ms; the stamp */
    uint64_t              seq;           /* change sequence of the look-up */
    u_char                id[16];
    u_char                company[16];
    int64_t               expires;       /* Unix ms, 0: never */
    uint8_t               scope;
    uint8_t               flags;
    uint8_t               reserved[6];
    uint32_t              per_minute;    /* its own rate, 0: the location's */
    uint32_t              burst;
} ngx_ezw_key_entry_t;

#define NGX_EZW_KEY_ENABLED    0x01
#define NGX_EZW_KEY_COMPANY    0x02      /* its company is active */
#define NGX_EZW_KEY_ASSISTANT  0x04      /* its assistant, if any, is enabled */

#define NGX_EZW_KEY_MAX        262144    /* bytes of a value: 3,000 channels */

/* Finds out whose key it is, then goes through the gate. NGX_OK: passed,
 * NGX_AGAIN: parked, else the status. */
ngx_int_t ngx_ezw_key_identify(ngx_ezw_ctx_t *ctx, ngx_str_t *bearer);
ngx_int_t ngx_ezw_key_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);

/* ngx_ezw_key_entry.c */

/* Makes an entry of a row of key_principal in buf (NGX_EZW_KEY_MAX); suffix is
 * that of the deployment's JIDs.
 * Returns its length, 0: no such key, -1: does not fit or broken. */
ssize_t ngx_ezw_key_encode(ngx_ezw_pg_query_t *q, const ezw_str_t *suffix,
    u_char *buf);
/* Makes the request's principal of an entry.  NULL: no memory. */
ngx_ezw_principal_t *ngx_ezw_key_principal(ngx_pool_t *pool,
    const u_char *entry, size_t len);
/* A string of an entry: length (-1 as UINT32_MAX: null), bytes, NUL.  p may be
 * NULL; NULL: no room. */
u_char *ngx_ezw_entry_put(u_char *p, u_char *end, const u_char *s, size_t len,
    ngx_uint_t null);
/* Its n strings, in the request's pool.  NGX_ERROR: no memory, or broken. */
ngx_int_t ngx_ezw_entry_strings(ngx_pool_t *pool, const u_char *p, size_t len,
    ngx_str_t *s, ngx_uint_t n);

/* Who vouches for people: emcf->identity. */
typedef struct {
    ngx_array_t           keys;      /* of ezw_jwt_key_t *; the first signs */
    ngx_array_t           issuers;   /* of ngx_ezw_issuer_t */
    const char           *issuer;    /* `iss` and `aud` of our tokens */
    const char           *audience;
    const char           *vouchers;  /* names all of the above: what another
                                        configuration has verified is not
                                        believed */
    ngx_uint_t            signup;    /* NGX_EZW_SIGNUP_* */
    u_char                signup_digest[32];   /* SHA-256 of its token */
    ngx_uint_t            threads;   /* ezw_password_threads */
    ngx_uint_t            queue;
    ngx_thread_pool_t    *pool;      /* for password hashes; NULL: no key */
} ngx_ezw_identity_t;

/* 1: no ID token can be good here (501, DECISIONS 4). */
#define ngx_ezw_nobody_vouches(id)                                            \
    ((id)->keys.nelts == 0 && (id)->issuers.nelts == 0)

#define NGX_EZW_SIGNUP_OFF    0
#define NGX_EZW_SIGNUP_TOKEN  1
#define NGX_EZW_SIGNUP_OPEN   2

/* ngx_ezw_identity.c: the directives, and their secrets out of files. */

ngx_ezw_identity_t *ngx_ezw_identity_create(ngx_conf_t *cf);
char *ngx_ezw_identity_signing_key(ngx_conf_t *cf, ngx_ezw_identity_t *id);
char *ngx_ezw_identity_token(ngx_conf_t *cf, ngx_ezw_identity_t *id);
char *ngx_ezw_identity_signup(ngx_conf_t *cf, ngx_ezw_identity_t *id);
char *ngx_ezw_identity_threads(ngx_conf_t *cf, ngx_ezw_identity_t *id);
char *ngx_ezw_identity_seal_key(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
/* Defaults, and the thread pool (postconfiguration).  NGX_ERROR: logged. */
ngx_int_t ngx_ezw_identity_init(ngx_conf_t *cf, ngx_ezw_identity_t *id);

/* ngx_ezw_password.c */

/* EZW_OK: it is the password, or ctx->password_hash is made; EZW_DECLINED: it
 * is not; EZW_ERROR: no thread came to it, or not in time. */
typedef void (*ngx_ezw_password_pt)(ngx_ezw_ctx_t *ctx, int rc);

/* Checks a password against a stored hash; NULL: nobody's, which takes as long.
 * done is called once, from the event loop, or at once with EZW_ERROR; not when
 * the request has gone. */
void ngx_ezw_password_check(ngx_ezw_ctx_t *ctx, const char *stored,
    const ngx_str_t *password, ngx_ezw_password_pt done);
/* Hashes one into ctx->password_hash. */
void ngx_ezw_password_hash(ngx_ezw_ctx_t *ctx, const ngx_str_t *password,
    ngx_ezw_password_pt done);

/* ngx_ezw_signin.c: the workspace's ways in (hooks of api/'s rows). */

ngx_int_t ngx_ezw_signin_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
void ngx_ezw_signin_login(ngx_ezw_ctx_t *ctx);
void ngx_ezw_signin_refresh(ngx_ezw_ctx_t *ctx);
void ngx_ezw_signin_signup(ngx_ezw_ctx_t *ctx);
void ngx_ezw_signin_password(ngx_ezw_ctx_t *ctx);
void ngx_ezw_signin_reset(ngx_ezw_ctx_t *ctx);
/* Makes the ID token of the session that the rows tell of. */
ngx_int_t ngx_ezw_signin_finish(ngx_ezw_ctx_t *ctx);

/* ngx_ezw_cipher.c */

ngx_int_t ngx_ezw_cipher_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
/* Before an endpoint that takes a cipherKey: one that the body does not speak
 * of is that of the API key. */
void ngx_ezw_cipher_default(ngx_ezw_ctx_t *ctx);

/* ngx_ezw_reseal.c */

ngx_int_t ngx_ezw_reseal_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
/* Called by the leader now and then; begins a round when it is time. */
void ngx_ezw_reseal_tick(ngx_ezw_main_conf_t *emcf, ngx_log_t *log);

/* ngx_ezw_token.c */

/* What the session zone holds, under the digest of a token that has been
 * verified. */
typedef struct {
    uint64_t              last_used;
    u_char                user[16];      /* purged by these two */
    u_char                session[16];
    u_char                company[16];
    uint64_t              seq;
    int64_t               expires;       /* Unix s: the token's, or before */
    uint8_t               role;
    uint8_t               flags;
    uint8_t               reserved[6];
} ngx_ezw_session_entry_t;

#define NGX_EZW_SESSION_COMPANY  0x01    /* is not blocked */

/* As ngx_ezw_key_identify. */
ngx_int_t ngx_ezw_token_identify(ngx_ezw_ctx_t *ctx, ngx_str_t *bearer);
ngx_int_t ngx_ezw_token_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);

/* ngx_ezw_change.c */

/* Starts the watch over the change sequence (init_process of workers). */
ngx_int_t ngx_ezw_change_start(ngx_cycle_t *cycle, ngx_ezw_main_conf_t *emcf);
/* Names the statements it needs. */
ngx_int_t ngx_ezw_change_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
/* 1 when the zones' entries may be believed, with `grace` ms on top. */
ngx_uint_t ngx_ezw_change_fresh(ngx_ezw_main_conf_t *emcf, ngx_msec_t grace);
/* Puts an entry that was read at sequence seq, unless newer changes have been
 * applied already. */
void ngx_ezw_change_put(ngx_ezw_main_conf_t *emcf, ngx_ezw_zone_t *z,
    const u_char *digest, const u_char *entry, size_t len, ngx_uint_t cls,
    uint64_t seq);
/* 1 in the worker that does the node's periodic work at the moment. */
ngx_uint_t ngx_ezw_change_leads(void);

#endif

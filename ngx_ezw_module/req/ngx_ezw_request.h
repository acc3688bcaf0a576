/*
 * One request's life.
 *
 *   access phase    gate/ identifies and authorizes: ctx->passed is set, or
 *                   the request is refused; it may park for a statement
 *   content phase   ngx_ezw_request_handler: body read and checked, ONE
 *                   statement executed (parked meanwhile), rows replied
 *
 * A parked request waits for exactly one query.  When its client goes away the
 * request's pool is destroyed, whose cleanup takes the query back.  Only req/
 * touches r->main->count and finalizes; it does so once, in
 * ngx_ezw_request_done.
 *
 * ctx hangs at r->ctx, and at a pool cleanup too, because nginx forgets r->ctx
 * at an internal redirect; `passed` is never carried over one.
 */

#ifndef NGX_EZW_REQUEST_H
#define NGX_EZW_REQUEST_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "base/ezw_cidr.h"
#include "base/ezw_cursor.h"
#include "base/ezw_fields.h"
#include "base/ezw_gcra.h"
#include "base/ezw_id.h"
#include "base/ezw_jid.h"
#include "base/ezw_prefer.h"
#include "base/ezw_route.h"
#include "base/ezw_row.h"
#include "base/ezw_scope.h"
#include "base/ezw_seal.h"
#include "net/ngx_ezw_net.h"
#include "pg/ngx_ezw_pg.h"
#include "shm/ngx_ezw_status.h"
#include "shm/ngx_ezw_zone.h"


typedef struct ngx_ezw_ctx_s       ngx_ezw_ctx_t;
typedef struct ngx_ezw_endpoint_s  ngx_ezw_endpoint_t;
typedef struct ngx_ezw_account_s   ngx_ezw_account_t;     /* core/'s */
typedef struct ngx_ezw_page_s      ngx_ezw_page_t;
typedef struct ngx_ezw_wait_s      ngx_ezw_wait_t;


typedef enum {
    NGX_EZW_FACE_NONE = 0,
    NGX_EZW_FACE_V3,
    NGX_EZW_FACE_WORKSPACE,
    NGX_EZW_FACES
} ngx_ezw_face_e;


/* An API error: answered by ngx_ezw_reply_error in the form of its face. */
typedef struct {
    ngx_uint_t            status;
    int                   code;      /* v3 */
    const char           *slug;      /* workspace */
    const char           *text;
    ngx_uint_t            retry;     /* s, of Retry-After; 0: none */
} ngx_ezw_error_t;

extern const ngx_ezw_error_t  ngx_ezw_unauthorized;
extern const ngx_ezw_error_t  ngx_ezw_denied;
extern const ngx_ezw_error_t  ngx_ezw_unavailable;
extern const ngx_ezw_error_t  ngx_ezw_internal;
extern const ngx_ezw_error_t  ngx_ezw_invalid;
extern const ngx_ezw_error_t  ngx_ezw_bad_media;
extern const ngx_ezw_error_t  ngx_ezw_bad_method;
extern const ngx_ezw_error_t  ngx_ezw_too_large;
extern const ngx_ezw_error_t  ngx_ezw_media_type;
extern const ngx_ezw_error_t  ngx_ezw_not_found;
extern const ngx_ezw_error_t  ngx_ezw_too_many;
extern const ngx_ezw_error_t  ngx_ezw_not_configured;

/* The error for an HTTP status that nginx itself came to. */
const ngx_ezw_error_t *ngx_ezw_error_of_status(ngx_uint_t status);
/* The error for a statement's refusal, NULL: no such name; *field is the
 * field it speaks of, or NULL. */
const ngx_ezw_error_t *ngx_ezw_error_of_refusal(ngx_str_t *name,
    const char **field);
/* Names of the refusals that an idempotency key keeps, a text[] literal. */
ngx_int_t ngx_ezw_error_kept(ngx_pool_t *pool, ngx_str_t *literal);
/* The error for a SQLSTATE. */
const ngx_ezw_error_t *ngx_ezw_error_of_sqlstate(const char *state);
/* The error for a code that a connector gave a message; one that it cannot
 * give is the connector's own. */
const ngx_ezw_error_t *ngx_ezw_error_of_code(int64_t code);


/* Roles of the workspace, each including those before it (DECISIONS 18). */
typedef enum {
    NGX_EZW_ROLE_NONE = 0,
    NGX_EZW_ROLE_OPERATOR,
    NGX_EZW_ROLE_ADMIN,
    NGX_EZW_ROLE_OWNER
} ngx_ezw_role_e;

extern const char *const  ngx_ezw_role_names[];   /* as the database has them */


/* Whose requests a limit counts (ezw_rate). */
typedef enum {
    NGX_EZW_RATE_KEY = 0,
    NGX_EZW_RATE_USER,
    NGX_EZW_RATE_ADDRESS,         /* with keys or tokens not known yet */
    NGX_EZW_RATE_LOGIN_ADDRESS,
    NGX_EZW_RATE_LOGIN_EMAIL,
    NGX_EZW_RATE_SIGNUP,
    NGX_EZW_RATES
} ngx_ezw_rate_e;

typedef struct {
    ezw_gcra_t            limit;     /* interval 0: off */
    ngx_str_t             policy;    /* value of RateLimit-Policy */
    uint64_t              id;        /* tells its cells from those of others */
} ngx_ezw_rate_t;


/* What an endpoint answers with. */
typedef enum {
    NGX_EZW_NOTHING = 0,          /* 204, or a success without body */
    NGX_EZW_OBJECT,               /* the first row; no row: not found */
    NGX_EZW_LIST                  /* every row */
} ngx_ezw_answer_e;


/* An endpoint is data: a row of api/'s tables. */
typedef struct {
    const char           *name;      /* also $ezw_endpoint; its statement's
                                        name when there is one */
    const char           *statement; /* of that name instead */
    ngx_uint_t            method;    /* NGX_HTTP_GET .. */
    const char           *path;
    ezw_scope_e           scope;     /* v3: least scope */
    ngx_ezw_role_e        role;      /* workspace: least role; none: anyone */
    ngx_uint_t            status;    /* of success */
    ngx_ezw_answer_e      answer;
    ngx_ezw_pg_lane_e     lane;
    unsigned              bell:1;    /* leaves work for the couriers */
    unsigned              lists:1;   /* {contactJid} may be a list, with
                                        ezw_broadcast on */
    unsigned              legacy:1;  /* only with ezw_legacy_routes on */
    const char           *wait;      /* "Prefer: wait": the statement that tells
                                        what came of it; NULL: none does */

    const ezw_field_t    *body;
    ngx_uint_t            nbody;
    const ezw_field_t    *query;
    ngx_uint_t            nquery;

    /* For what needs neither a body nor a statement; returns as a content
     * handler does. */
    ngx_int_t           (*handler)(ngx_ezw_ctx_t *ctx);
    /* Runs when body and query are checked, in place of the statement's
     * sending; ends in ngx_ezw_execute or ngx_ezw_done, at once or later. */
    void                (*before)(ngx_ezw_ctx_t *ctx);
    /* With the rows at hand and no refusal in them, before they are written:
     * sets secrets.  NGX_OK, or NGX_DECLINED with ctx->error. */
    ngx_int_t           (*finish)(ngx_ezw_ctx_t *ctx);

    const char           *secret_prefix;   /* of its secrets; NULL: none */

    /* Idempotency (DECISIONS 14): the header is optional on every POST of v3;
     * in the workspace a row says so, or has a body field idempotencyKey.  The
     * statement of such a row is a function's call: it answers one row or none,
     * and has no effect but when it is executed. */
    unsigned              idempotency_required:1;
} ngx_ezw_endpoint_row_t;

#define ngx_ezw_body(a)   .body = a, .nbody = sizeof(a) / sizeof(a[0])
#define ngx_ezw_query(a)  .query = a, .nquery = sizeof(a) / sizeof(a[0])


typedef struct {
    unsigned              source:8;
    unsigned              index:8;
    ezw_str_t             name;      /* of a looked-up column, a sealed field */
} ngx_ezw_bind_t;


#define NGX_EZW_SECRETS      2       /* shown once, of a request */
#define NGX_EZW_SECRET_LEN   40      /* characters of [A-Za-z0-9] */


/* A row bound to its statement while the configuration is read. */
struct ngx_ezw_endpoint_s {
    const ngx_ezw_endpoint_row_t  *row;
    ngx_ezw_face_e                 face;
    ngx_str_t                      name;
    ngx_ezw_pg_statement_t        *statement;
    ngx_ezw_bind_t                *binds;
    ngx_ezw_pg_statement_t        *once;       /* with an idempotency key */
    ngx_ezw_bind_t                *once_binds;
    ngx_ezw_pg_statement_t        *wait;       /* or NULL */
    ngx_ezw_bind_t                *wait_binds;
    int                            key_slot;   /* body's idempotencyKey, or -1 */
    int                            password_slot;  /* body's password, or -1 */
    unsigned                       paged:1;    /* a list by limit and cursor */
    ngx_uint_t                     nafter;     /* values of its positions */
    const ezw_field_t             *query;      /* the row's rules and the
                                                  page's */
    ngx_uint_t                     nquery;
    ngx_uint_t                     nids;
    ezw_str_t                      secrets[NGX_EZW_SECRETS];   /* names */
    ngx_uint_t                     nsecrets;
    ngx_uint_t                     nbody_slots;
    ngx_uint_t                     nquery_slots;
    int                            channel;    /* path parameter, or -1 */
    int                            contact;
    int                            company;
    unsigned                       jids;       /* bits: parameters that are */
    unsigned                       jid_kinds[EZW_ROUTE_PARAMS];
    ezw_str_t                      params[EZW_ROUTE_PARAMS];   /* names */
    ngx_uint_t                     account;    /* its row of the status zone */
};


/* 1: anyone may ask, the workspace's ways in. */
#define ngx_ezw_public(ep)                                                    \
    ((ep)->face == NGX_EZW_FACE_WORKSPACE                                     \
     && (ep)->row->role == NGX_EZW_ROLE_NONE)


/* Who asks, as the gate found out; strings live in the request's pool, each
 * with a NUL behind.  A person has an empty key id. */
typedef struct {
    ngx_str_t             id;        /* of the key, uuid text */
    ngx_str_t             company;
    ezw_scope_e           scope;
    ngx_str_t             channels;  /* text[] literal, NUL-terminated; data
                                        NULL: all of the company */
    ngx_str_t             companies; /* uuid[] literal */
    ngx_str_t             assistant; /* JID; data NULL: none */
    ngx_str_t             actor;
    ngx_str_t             whitelist; /* of ezw_cidr_t; data NULL: any address */
    ngx_str_t             json[2];   /* GET keys/current before and after the
                                        value of lastUsed */
    uint64_t              last_used; /* Unix ms, 0: never */

    ngx_ezw_role_e        role;      /* of a person, else none */
    ngx_str_t             user;      /* uuid text */
    ngx_str_t             email;
    ngx_str_t             session;   /* uuid text */
    int64_t               token_expires;   /* Unix s */
} ngx_ezw_principal_t;


/* What the last limit that was asked said, for the answer's headers. */
typedef struct {
    ngx_str_t             policy;    /* len 0: none was asked */
    ngx_str_t             name;      /* quoted, within policy */
    uint32_t              remaining;
    uint32_t              reset;     /* s */
    uint32_t              retry;     /* s, of a refusal */
} ngx_ezw_pace_t;


typedef struct {
    ezw_jid_conf_t        jids;
    ezw_row_conf_t        rows;
    ngx_array_t           custom;    /* of ezw_str_t: custom channels */
    ezw_url_allow_t       urls;      /* ezw_webhook_allow */
    ngx_flag_t            empty_map_object;
    ngx_flag_t            legacy_routes;
    ngx_flag_t            courier;
    ngx_flag_t            broadcast; /* lists may be sent to */
    ngx_msec_t            gate_stale;
    ngx_uint_t            trace_length;  /* of what is shown of a trace id */
    ngx_ezw_pg_conf_t    *pgcf;
    ngx_ezw_zone_t       *keys;
    ngx_ezw_zone_t       *rates;
    ngx_ezw_zone_t       *idempotency;
    ngx_ezw_zone_t       *sessions;
    void                 *identity;  /* gate/'s: signing keys, issuers */
    ezw_seal_ring_t      *ring;      /* NULL: no ezw_seal_key_file */
    ngx_str_t             kept;      /* refusals that an idempotency key keeps,
                                        a text[] literal */
    ezw_alloc_t           alloc;     /* the cycle's pool, for the routers */
    ezw_router_t         *routers[NGX_EZW_FACES];
    ngx_array_t           endpoints; /* of ngx_ezw_endpoint_t * */
    ngx_uint_t            used;      /* a location serves an api */
    ngx_ezw_account_t    *account;
    ngx_ezw_status_t     *status;    /* who the node's workers are */

    /* per process */
    ngx_ezw_pg_t         *pg;
    ngx_ezw_net_t        *net;       /* NULL: nobody calls other servers */
    void                (*bell)(void);   /* after a commit that left work for
                                            the couriers; NULL: none here */
    ngx_uint_t            open;      /* requests under way */
    void                (*ended)(ngx_ezw_ctx_t *ctx);   /* its end is near;
                                            NULL: nobody asks */
} ngx_ezw_main_conf_t;


typedef struct {
    ngx_uint_t            face;      /* ezw_api, ngx_ezw_face_e */
    ngx_uint_t            health;    /* ezw_health 1 live, 2 ready;
                                        3 ezw_metrics */
    size_t                max_body;
    ngx_uint_t            scope;     /* ezw_gate, ezw_scope_e; 0: off */
    ngx_uint_t            role;      /* ezw_gate, ngx_ezw_role_e; 0: none */
    ngx_ezw_rate_t       *rates[NGX_EZW_RATES];
    ngx_flag_t            rate_dry_run;
} ngx_ezw_loc_conf_t;

/* 1: the gate stands before the location, its answers are ours. */
#define ngx_ezw_gated(elcf)  ((elcf)->face || (elcf)->scope || (elcf)->role)


struct ngx_ezw_ctx_s {
    ngx_http_request_t   *request;
    ngx_ezw_main_conf_t  *conf;
    ngx_ezw_face_e        face;
    ngx_ezw_endpoint_t   *endpoint;
    ezw_route_match_t     match;
    ezw_jid_t             jids[EZW_ROUTE_PARAMS];

    ngx_ezw_principal_t  *principal;
    u_char                company[EZW_UUID_LEN + 1];   /* effective */
    const char           *verdict;   /* $ezw_gate */
    ngx_int_t             verdict_status;  /* of a refusal, else 0 */

    ngx_ezw_pg_query_t    query;
    void                (*resume)(ngx_ezw_ctx_t *ctx);
    uint64_t              waited_from;     /* ngx_ezw_clock when it parked
                                              first, 0: it has not */
    ngx_msec_t            waited_after;    /* how old it was then */
    void                 *gate;      /* gate/'s own, while it is parked */
    ngx_chain_t          *replacement;   /* the filter's body */
    ngx_ezw_pace_t        pace;

    ezw_row_secret_t      secrets[NGX_EZW_SECRETS];
    ngx_uint_t            nsecrets;
    ngx_str_t             password_hash;   /* of a new password; data NULL:
                                              none */
    ngx_array_t          *looked;    /* of ezw_row_secret_t: a look-up's row */
    struct ngx_ezw_once_s *once;     /* the request's idempotency key */
    ngx_ezw_page_t       *page;      /* of a list, else NULL */
    ngx_ezw_wait_t       *wait;      /* its answer waits for an outcome */
    ngx_str_t             raw;       /* the body as it came */

    ezw_value_t          *body;
    ezw_value_t          *args;
    ezw_prefer_t          prefer;
    ngx_table_elt_t      *authentication;  /* the header of that name */
    ngx_table_elt_t      *idempotency_key;
    const char           *bad_header;      /* one that is not UTF-8 */

    const ngx_ezw_error_t  *error;
    char                  field[96];
    char                  text[192];
    const char           *service;   /* that a 501 misses */

    u_char                trace[33];

    unsigned              routed:1;
    unsigned              passed:1;      /* the gate let this request through */
    unsigned              paced:1;       /* its rate has been taken */
    unsigned              charged:1;     /* and one of its address's */
    unsigned              dry:1;         /* beyond a limit that only warns */
    unsigned              parked:1;
    unsigned              replied:1;     /* the answer is made by us */
    unsigned              done:1;
    unsigned              replace:1;     /* the filter makes the body */
    unsigned              replaced:1;
    unsigned              open:1;        /* counted in conf->open */
};


extern ngx_module_t  ngx_ezw_module;


/* ngx_ezw_ctx.c */

/* The request's ctx, made or recovered.  NULL: no memory. */
ngx_ezw_ctx_t *ngx_ezw_ctx(ngx_http_request_t *r);
/* The same, or that of the request which r is a part of; NULL: none. */
ngx_ezw_ctx_t *ngx_ezw_ctx_find(ngx_http_request_t *r);
/* 1: another part of the same client's request has taken its rate. */
ngx_uint_t ngx_ezw_ctx_paced(ngx_ezw_ctx_t *ctx);
/* n bytes of a CSPRNG, from a buffer of the process.  NGX_ERROR: logged, and p
 * is as it was; nothing may be made of it. */
ngx_int_t ngx_ezw_random(u_char *p, size_t n);
/* Unix milliseconds of nginx's cached time. */
uint64_t ngx_ezw_now(void);
/* Microseconds of a clock that only goes on. */
uint64_t ngx_ezw_clock(void);
/* Milliseconds since the request began, as $request_time has them. */
ngx_msec_t ngx_ezw_elapsed(ngx_http_request_t *r);

/* ngx_ezw_digest.c */

/* SHA-256 of p, after a prefix that keeps kinds of zone keys apart. */
ngx_int_t ngx_ezw_digest(const char *prefix, const u_char *p, size_t len,
    u_char digest[32]);
/* SHA-256 of the parts, each after its length. */
ngx_int_t ngx_ezw_digest_parts(const ngx_str_t *parts, ngx_uint_t nparts,
    u_char digest[32]);

/* ngx_ezw_endpoint.c */

/* Builds the routers and binds statements.  NGX_ERROR: logged. */
ngx_int_t ngx_ezw_endpoints_init(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);
/* Adds a table of n rows; called by core/ before endpoints_init ends. */
ngx_int_t ngx_ezw_endpoints_add(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf,
    ngx_ezw_face_e face, const ngx_ezw_endpoint_row_t *rows, ngx_uint_t n);
/* Finds the endpoint.  NGX_OK, or NGX_DECLINED with ctx->error (404, 405, 400).
 * A path jid that is none leaves ctx->error too, with NGX_OK. */
ngx_int_t ngx_ezw_route(ngx_ezw_ctx_t *ctx);

/* ngx_ezw_page.c */

/* The rules of limit and cursor, added to the endpoint's query. */
ngx_int_t ngx_ezw_page_conf(ngx_conf_t *cf, ngx_ezw_endpoint_t *ep);
/* Reads them.  NGX_OK with ctx->page, or NGX_DECLINED with ctx->error. */
ngx_int_t ngx_ezw_page_begin(ngx_ezw_ctx_t *ctx);
/* The refusal of a cursor. */
ngx_int_t ngx_ezw_page_refuse(ngx_ezw_ctx_t *ctx);
/* Writes the rows of ctx->query.  NGX_DECLINED: the statement is to be executed
 * once more; else what the request is to be finalized with. */
ngx_int_t ngx_ezw_page_rows(ngx_ezw_ctx_t *ctx);
ngx_ezw_pg_lane_e ngx_ezw_page_lane(ngx_ezw_ctx_t *ctx);
/* Values of :page.limit (NULL: no memory), :page.count and :after.i. */
const char *ngx_ezw_page_limit(ngx_ezw_ctx_t *ctx);
const char *ngx_ezw_page_count(ngx_ezw_ctx_t *ctx);
const char *ngx_ezw_page_after(ngx_ezw_ctx_t *ctx, ngx_uint_t i);

/* ngx_ezw_bind.c, ngx_ezw_value.c */

/* Finds out what the parameters of a statement stand for.  NGX_ERROR: logged. */
ngx_int_t ngx_ezw_bind_conf(ngx_conf_t *cf, ngx_ezw_endpoint_t *ep,
    ngx_ezw_pg_statement_t *st, ngx_ezw_bind_t **binds);
/* Their values in order, in the request's pool; NULL: no memory, or ctx->error
 * is set. */
const char **ngx_ezw_bind(ngx_ezw_ctx_t *ctx, ngx_ezw_pg_statement_t *st,
    ngx_ezw_bind_t *binds);

/* ngx_ezw_execute.c */

/* The content handler of ezw_api locations. */
ngx_int_t ngx_ezw_request_handler(ngx_http_request_t *r);
/* Sends the endpoint's statement; the request ends with its answer. */
void ngx_ezw_execute(ngx_ezw_ctx_t *ctx);
/* Ends the request with what a reply function returned. */
void ngx_ezw_done(ngx_ezw_ctx_t *ctx, ngx_int_t rc);
/* Sends ctx->query and parks the request; resume is called from the event
 * loop when the query is done.  NGX_OK, or NGX_DECLINED with ctx->error. */
ngx_int_t ngx_ezw_park(ngx_ezw_ctx_t *ctx, void (*resume)(ngx_ezw_ctx_t *));
/* The same for what is no query: the caller's own event ends it, first with
 * unpark_event, last with ngx_http_run_posted_requests. */
void ngx_ezw_park_event(ngx_ezw_ctx_t *ctx);
void ngx_ezw_unpark_event(ngx_ezw_ctx_t *ctx);
/* Lets a request that was parked in a phase handler run through its phases
 * again. */
void ngx_ezw_run_phases(ngx_ezw_ctx_t *ctx);

/* ngx_ezw_wait.c */

/* Keeps the answer back as the client prefers; cells are its row's, in
 * ctx->query.  NGX_OK: the request is to be parked, and will end by itself;
 * NGX_DECLINED: it is to be answered now. */
ngx_int_t ngx_ezw_wait_begin(ngx_ezw_ctx_t *ctx, const ezw_cell_t *cells,
    ngx_chain_t *body, off_t length);

/* ngx_ezw_idempotency.c */

typedef struct ngx_ezw_once_s {
    u_char                digest[32];    /* names the slot of the zone */
    u_char                fingerprint[32];
    u_char                attempt[16];
    ngx_str_t             key;
    u_char                text[2 * 32 + 1];           /* of fingerprint */
    u_char                attempt_text[EZW_UUID_LEN + 1];
    unsigned              held:1;        /* the slot is ours */
    unsigned              empty:1;       /* the statement had no row */
} ngx_ezw_once_t;

/* The statement of an endpoint that takes an idempotency key, around its own.
 * NGX_ERROR: logged. */
ngx_int_t ngx_ezw_once_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf,
    ngx_ezw_endpoint_t *ep);
/* Reads the request's key and takes its slot.  NGX_OK: go on, with ctx->once
 * when there is a key; NGX_DECLINED: ctx->error. */
ngx_int_t ngx_ezw_once_begin(ngx_ezw_ctx_t *ctx);
/* Where no company is known yet, the e-mail address of the body: keys of
 * strangers do not meet.  NGX_DECLINED: there is none. */
ngx_int_t ngx_ezw_once_whose(ngx_ezw_ctx_t *ctx, ngx_str_t *whose);
/* Gives the slot back: kept tells whether the answer is in the table. */
void ngx_ezw_once_end(ngx_ezw_ctx_t *ctx, ngx_uint_t kept);
/* What idempotency_open said in the first row of ctx->query.  NGX_OK: render
 * cells, which have been replaced by a kept answer if there is one;
 * NGX_DECLINED: ctx->error. */
ngx_int_t ngx_ezw_once_cells(ngx_ezw_ctx_t *ctx, ezw_cell_t *cells);

/* ngx_ezw_reply.c */

/* All of them return what the request is to be finalized with; reply_rows
 * NGX_DECLINED when its answer has begun to wait. */
ngx_int_t ngx_ezw_reply_rows(ngx_ezw_ctx_t *ctx);
ngx_int_t ngx_ezw_reply_json(ngx_ezw_ctx_t *ctx, ngx_uint_t status,
    ngx_chain_t *body, off_t length);
ngx_int_t ngx_ezw_reply_error(ngx_ezw_ctx_t *ctx);
/* Sets ctx->error; field and text may be NULL.  Returns NGX_DECLINED. */
ngx_int_t ngx_ezw_refuse(ngx_ezw_ctx_t *ctx, const ngx_ezw_error_t *error,
    const char *field, const char *fmt, ...);
/* The body of ctx->error.  NULL: no memory. */
ngx_buf_t *ngx_ezw_error_body(ngx_ezw_ctx_t *ctx);
/* Headers that go with ctx->error (WWW-Authenticate, Retry-After, Allow). */
ngx_int_t ngx_ezw_error_headers(ngx_ezw_ctx_t *ctx);
ngx_int_t ngx_ezw_header(ngx_http_request_t *r, const char *name,
    u_char *value, size_t len);

/* A chain of buffers in the request's pool that a writer fills. */
typedef struct {
    ezw_writer_t          w;
    ngx_pool_t           *pool;
    ngx_chain_t          *first;
    ngx_chain_t          *last;
    off_t                 before;    /* bytes in front of the last buffer */
    size_t                next_size;
} ngx_ezw_out_t;

ngx_int_t ngx_ezw_out_init(ngx_ezw_out_t *out, ngx_pool_t *pool, size_t size);
/* Bytes written so far. */
off_t ngx_ezw_out_length(ngx_ezw_out_t *out);
/* Ends the chain; returns its length, or -1 when memory ran out. */
off_t ngx_ezw_out_end(ngx_ezw_out_t *out);

/* ngx_ezw_filter.c */

/* Installs the filters (postconfiguration). */
void ngx_ezw_filter_init(void);

#endif

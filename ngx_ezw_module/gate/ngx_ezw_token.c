/*
 * ID tokens of the workspace: ours, signed by a key of ezw_signing_key_file,
 * and those of outside issuers.  A token that has been verified is remembered
 * under its digest with what the database says of its session, so that the next
 * request costs neither a signature nor a statement.
 */

#include "base/ezw_time.h"
#include "gate/ngx_ezw_gate.h"
#include "gate/ngx_ezw_issuer.h"


#define LEEWAY_S  60      /* of the clock of the issuer, or of another node */


typedef enum {
    STRING_USER = 0,
    STRING_SESSION,
    STRING_COMPANY,
    STRING_EMAIL,
    STRINGS
} string_e;


/* A token that is being looked into; the request may park twice. */
typedef struct {
    u_char                  digest[32];
    ezw_jwt_t               jwt;
    ezw_alloc_t             alloc;
    ngx_ezw_issuer_t       *issuer;      /* NULL: it is ours */
    ngx_ezw_issuer_wait_t   wait;
    ngx_ezw_ctx_t          *ctx;
    int64_t                 expires;
    int64_t                 version;     /* mv */
    ngx_str_t               company;     /* org */
    ngx_str_t               subject;
    const char             *values[4];
} look_t;


static ngx_int_t refuse_token(ngx_ezw_ctx_t *ctx, const char *verdict,
    const char *text);
static ngx_int_t verify(ngx_ezw_ctx_t *ctx, look_t *look);
static void keys_fetched(ngx_ezw_issuer_wait_t *wait);
static ngx_int_t check_claims(ngx_ezw_ctx_t *ctx, look_t *look);
static ngx_int_t ask(ngx_ezw_ctx_t *ctx, look_t *look);
static ngx_int_t claim(ngx_ezw_ctx_t *ctx, look_t *look, const char *name,
    ngx_str_t *value);
static void session_found(ngx_ezw_ctx_t *ctx);
static ssize_t encode(ngx_ezw_pg_query_t *q, look_t *look, u_char *buf,
    size_t size);
static ngx_uint_t same_uuid(ngx_str_t *text, ngx_str_t *binary);
static ngx_int_t accept_entry(ngx_ezw_ctx_t *ctx, const u_char *entry,
    size_t len);
static void look_cleanup(void *data);


static ngx_ezw_pg_statement_t  *session_principal;
static ngx_ezw_pg_statement_t  *external_principal;


ngx_int_t
ngx_ezw_token_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    static const char *const  of_session[] = { "sid", NULL };
    static const char *const  of_external[] = {
        "issuer", "subject", "email", "verified", NULL
    };

    session_principal = ngx_ezw_gate_statement(cf, emcf, "session_principal",
                                               of_session);
    external_principal = ngx_ezw_gate_statement(cf, emcf, "external_principal",
                                                of_external);

    return session_principal && external_principal ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
refuse_token(ngx_ezw_ctx_t *ctx, const char *verdict, const char *text)
{
    return ngx_ezw_gate_refuse(ctx, &ngx_ezw_unauthorized, verdict, text);
}


ngx_int_t
ngx_ezw_token_identify(ngx_ezw_ctx_t *ctx, ngx_str_t *bearer)
{
    int                  rc;
    u_char               digest[32];
    look_t              *look;
    ssize_t              len;
    ngx_int_t            rv;
    ezw_str_t            token;
    ngx_uint_t           cls;
    ngx_ezw_identity_t  *identity;
    ngx_pool_cleanup_t  *cln;

    static uint64_t      buf[256];

    identity = ctx->conf->identity;

    if (ngx_ezw_digest(identity->vouchers, bearer->data, bearer->len, digest)
        != NGX_OK)
    {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    if (ngx_ezw_change_fresh(ctx->conf, 0)) {

        len = ngx_ezw_zone_get(ctx->conf->sessions, digest, (u_char *) buf,
                               sizeof(buf), 0, ngx_ezw_now(), &cls);

        if (len > 0) {
            return accept_entry(ctx, (u_char *) buf, len);
        }
    }

    rv = ngx_ezw_gate_unknown(ctx);
    if (rv != NGX_OK) {
        return rv;
    }

    look = ngx_pcalloc(ctx->request->pool, sizeof(look_t));
    cln = ngx_pool_cleanup_add(ctx->request->pool, 0);

    if (look == NULL || cln == NULL) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    ngx_memcpy(look->digest, digest, 32);
    look->alloc.alloc = ngx_ezw_pool_alloc;
    look->alloc.ctx = ctx->request->pool;
    look->ctx = ctx;

    token.data = bearer->data;
    token.len = bearer->len;

    rc = ezw_jwt_parse(&look->alloc, &token, &look->jwt);

    if (rc == EZW_ERROR) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    if (rc != EZW_OK) {
        return refuse_token(ctx, "bad_token",
                            "Unauthorized: this is no ID token");
    }

    cln->handler = look_cleanup;
    cln->data = look;

    ctx->gate = look;

    return verify(ctx, look);
}


static void
look_cleanup(void *data)
{
    look_t  *look = data;

    ngx_ezw_issuer_cancel(&look->wait);
    ezw_jwt_free(&look->jwt);
}


/* The signature, by a key that the token's issuer and kid name. */
static ngx_int_t
verify(ngx_ezw_ctx_t *ctx, look_t *look)
{
    ngx_uint_t             i;
    const char            *kid;
    ezw_jwt_key_t        **keys;
    ngx_ezw_identity_t    *identity;
    const ezw_jwt_key_t   *key;

    identity = ctx->conf->identity;
    key = NULL;

    if (look->jwt.iss.len == ngx_strlen(identity->issuer)
        && ngx_memcmp(look->jwt.iss.data, identity->issuer,
                      look->jwt.iss.len)
           == 0)
    {
        keys = identity->keys.elts;

        for (i = 0; i < identity->keys.nelts; i++) {
            kid = ezw_jwt_key_kid(keys[i]);

            if (look->jwt.kid.len == ngx_strlen(kid)
                && ngx_memcmp(look->jwt.kid.data, kid, look->jwt.kid.len) == 0)
            {
                key = keys[i];
            }
        }

    } else {

        look->issuer = ngx_ezw_issuer_find(&identity->issuers, &look->jwt.iss);

        if (look->issuer) {

            look->wait.handler = keys_fetched;
            look->wait.data = look;

            switch (ngx_ezw_issuer_key(look->issuer, &look->jwt.kid,
                                       &look->wait, &key))
            {
            case NGX_OK:
                break;

            case NGX_AGAIN:
                ngx_ezw_park_event(ctx);
                return NGX_AGAIN;

            case NGX_ERROR:
                ngx_ezw_gate_known(ctx);
                return ngx_ezw_gate_refuse(ctx, &ngx_ezw_unavailable,
                                           "unavailable",
                                           "The token's issuer cannot be "
                                           "asked for its keys");

            default:
                key = NULL;
            }
        }
    }

    if (key == NULL || ezw_jwt_verify(&look->jwt, key) != EZW_OK) {
        return refuse_token(ctx, "bad_token",
                            "Unauthorized: the ID token's signature is not "
                            "of a known key");
    }

    return check_claims(ctx, look);
}


static void
keys_fetched(ngx_ezw_issuer_wait_t *wait)
{
    look_t            *look;
    ngx_ezw_ctx_t     *ctx;
    ngx_connection_t  *c;

    look = wait->data;
    ctx = look->ctx;
    c = ctx->request->connection;

    ngx_ezw_unpark_event(ctx);

    if (verify(ctx, look) != NGX_AGAIN) {
        ngx_ezw_run_phases(ctx);
    }

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
check_claims(ngx_ezw_ctx_t *ctx, look_t *look)
{
    int64_t              now;
    const char          *iss, *aud;
    ezw_jwt_verdict_e    verdict;
    ngx_ezw_identity_t  *identity;

    identity = ctx->conf->identity;
    now = ngx_time();

    iss = look->issuer ? (char *) look->issuer->issuer.data : identity->issuer;
    aud = look->issuer ? (char *) look->issuer->audience.data
                       : identity->audience;

    /* for its beginning; that it ends at its end, accept_entry sees to */

    verdict = ezw_jwt_claims(&look->jwt, iss, aud, now, LEEWAY_S);

    switch (verdict) {

    case EZW_JWT_VALID:
        break;

    case EZW_JWT_EXPIRED:
        return refuse_token(ctx, "expired",
                            "Unauthorized: the ID token has expired");

    case EZW_JWT_NOT_YET:
        return refuse_token(ctx, "bad_token",
                            "Unauthorized: the ID token is not valid yet");

    case EZW_JWT_BAD_AUDIENCE:
        return refuse_token(ctx, "bad_token",
                            "Unauthorized: the ID token is for another "
                            "audience");

    default:
        return refuse_token(ctx, "bad_token",
                            "Unauthorized: the ID token's claims are not "
                            "valid");
    }

    /* with a fraction, perhaps */
    look->expires = (int64_t) json_number_value(
                                      json_object_get(look->jwt.claims, "exp"));

    return ask(ctx, look);
}


/* A text claim, with a NUL behind; NGX_DECLINED: none. */
static ngx_int_t
claim(ngx_ezw_ctx_t *ctx, look_t *look, const char *name, ngx_str_t *value)
{
    json_t  *j;

    j = json_object_get(look->jwt.claims, name);

    if (!json_is_string(j)) {
        return NGX_DECLINED;
    }

    /* it lives as long as the look does, and the look as the request */
    value->data = (u_char *) json_string_value(j);
    value->len = json_string_length(j);

    return ngx_strlen(value->data) == value->len ? NGX_OK : NGX_DECLINED;
}


/* The database's word on the session, or on the outside issuer's user. */
static ngx_int_t
ask(ngx_ezw_ctx_t *ctx, look_t *look)
{
    u_char                   id[16];
    json_t                  *verified;
    ngx_str_t                sid, email;
    ezw_str_t                text;
    ngx_ezw_pg_statement_t  *st;

    if (claim(ctx, look, "sub", &look->subject) != NGX_OK) {
        return refuse_token(ctx, "bad_token",
                            "Unauthorized: the ID token's claims are not "
                            "valid");
    }

    if (look->issuer) {

        st = external_principal;
        verified = json_object_get(look->jwt.claims, "email_verified");

        if (claim(ctx, look, "email", &email) != NGX_OK) {
            email.data = NULL;
        }

        look->values[ngx_ezw_pg_param(st, "issuer")] =
            (char *) look->issuer->issuer.data;
        look->values[ngx_ezw_pg_param(st, "subject")] =
            (char *) look->subject.data;
        look->values[ngx_ezw_pg_param(st, "email")] = (char *) email.data;
        look->values[ngx_ezw_pg_param(st, "verified")] =
            json_is_true(verified)
            || (json_is_string(verified)
                && ngx_strcmp(json_string_value(verified), "true") == 0)
            ? "t" : "f";

        ctx->query.lane = NGX_EZW_PG_WRITE;      /* it may bind the user */
        ctx->query.write = 1;

    } else {

        st = session_principal;

        if (claim(ctx, look, "sid", &sid) == NGX_OK) {
            text.data = sid.data;
            text.len = sid.len;
        }

        if (claim(ctx, look, "sid", &sid) != NGX_OK
            || ezw_uuid_parse(&text, id) != EZW_OK
            || claim(ctx, look, "org", &look->company) != NGX_OK
            || !json_is_integer(json_object_get(look->jwt.claims, "mv")))
        {
            return refuse_token(ctx, "bad_token",
                                "Unauthorized: the ID token's claims are not "
                                "valid");
        }

        look->version = json_integer_value(json_object_get(look->jwt.claims,
                                                           "mv"));
        look->values[0] = (char *) sid.data;

        ctx->query.lane = NGX_EZW_PG_READ;
        ctx->query.write = 0;
    }

    ctx->query.statement = st;
    ctx->query.values = look->values;
    ctx->query.order = 0;

    if (ngx_ezw_park(ctx, session_found) != NGX_OK) {
        ngx_ezw_gate_known(ctx);
        ctx->verdict = "unavailable";
        ctx->verdict_status = ctx->error->status;
        return ctx->verdict_status;
    }

    return NGX_AGAIN;
}


static void
session_found(ngx_ezw_ctx_t *ctx)
{
    look_t                   *look;
    ssize_t                   len;
    ngx_str_t                 user, company;
    ngx_ezw_pg_query_t       *q;
    ngx_ezw_session_entry_t  *e;

    static uint64_t           buf[256];

    q = &ctx->query;
    look = ctx->gate;

    if (q->rc != NGX_EZW_PG_DONE) {
        ngx_ezw_gate_known(ctx);
        (void) ngx_ezw_gate_refuse(ctx, &ngx_ezw_unavailable, "unavailable",
                                   NULL);
        goto done;
    }

    if (ngx_ezw_pg_null(q, 0, "id") || !ngx_ezw_pg_int(q, 0, "active")) {
        (void) refuse_token(ctx, "revoked",
                            "Unauthorized: the session has ended");
        goto done;
    }

    user = ngx_ezw_pg_str(q, 0, "user_id");
    company = ngx_ezw_pg_str(q, 0, "company");

    if (look->issuer == NULL
        && (!same_uuid(&look->subject, &user)
            || !same_uuid(&look->company, &company)
            || ngx_ezw_pg_int(q, 0, "mv") != look->version))
    {
        /* a role that has changed: the refresh token gives a new one */

        (void) refuse_token(ctx, "revoked",
                            "Unauthorized: the ID token is out of date");
        goto done;
    }

    len = encode(q, look, (u_char *) buf, sizeof(buf));

    if (len < 0) {
        ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                      "a session does not fit its entry");
        (void) ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
        goto done;
    }

    ngx_ezw_gate_known(ctx);

    e = (ngx_ezw_session_entry_t *) buf;

    ngx_ezw_change_put(ctx->conf, ctx->conf->sessions, look->digest,
                       (u_char *) buf, len, NGX_EZW_ZONE_GOOD, e->seq);

    ngx_ezw_pg_query_clear(q);

    if (accept_entry(ctx, (u_char *) buf, len) == NGX_AGAIN) {
        return;
    }

done:

    ngx_ezw_pg_query_clear(q);
    ngx_ezw_run_phases(ctx);
}


static ngx_uint_t
same_uuid(ngx_str_t *text, ngx_str_t *binary)
{
    u_char     id[16];
    ezw_str_t  s;

    s.data = text->data;
    s.len = text->len;

    return binary->len == 16 && ezw_uuid_parse(&s, id) == EZW_OK
           && ngx_memcmp(id, binary->data, 16) == 0;
}


/* An entry of a row of session_principal; -1: it does not fit. */
static ssize_t
encode(ngx_ezw_pg_query_t *q, look_t *look, u_char *buf, size_t size)
{
    u_char                   *p, *end, text[EZW_UUID_LEN];
    int64_t                   ends;
    ngx_str_t                 s;
    ngx_uint_t                role;
    ngx_ezw_session_entry_t   e;

    ngx_memzero(&e, sizeof(ngx_ezw_session_entry_t));

    s = ngx_ezw_pg_str(q, 0, "user_id");
    if (s.len != 16) {
        return -1;
    }
    ngx_memcpy(e.user, s.data, 16);

    s = ngx_ezw_pg_str(q, 0, "id");
    if (s.len != 16) {
        return -1;
    }
    ngx_memcpy(e.session, s.data, 16);

    s = ngx_ezw_pg_str(q, 0, "company");
    if (s.len != 16) {
        return -1;
    }
    ngx_memcpy(e.company, s.data, 16);

    e.last_used = ngx_ezw_now();
    e.seq = (uint64_t) ngx_ezw_pg_int(q, 0, "seq");
    e.expires = look->expires;
    e.flags = 0;

    if (!ngx_ezw_pg_null(q, 0, "expires_at")) {
        ends = ngx_ezw_pg_int(q, 0, "expires_at") / 1000000 + EZW_PG_EPOCH_S;
        e.expires = ngx_min(e.expires, ends);
    }

    if (ngx_ezw_pg_int(q, 0, "company_active")) {
        e.flags |= NGX_EZW_SESSION_COMPANY;
    }

    s = ngx_ezw_pg_str(q, 0, "role");

    for (role = NGX_EZW_ROLE_OPERATOR; role <= NGX_EZW_ROLE_OWNER; role++) {
        if (s.len == ngx_strlen(ngx_ezw_role_names[role])
            && ngx_memcmp(s.data, ngx_ezw_role_names[role], s.len) == 0)
        {
            e.role = (uint8_t) role;
        }
    }

    p = ngx_cpymem(buf, &e, sizeof(ngx_ezw_session_entry_t));
    end = buf + size;

    ezw_uuid_text(text, e.user);
    p = ngx_ezw_entry_put(p, end, text, EZW_UUID_LEN, 0);

    ezw_uuid_text(text, e.session);
    p = ngx_ezw_entry_put(p, end, text, EZW_UUID_LEN, 0);

    ezw_uuid_text(text, e.company);
    p = ngx_ezw_entry_put(p, end, text, EZW_UUID_LEN, 0);

    s = ngx_ezw_pg_str(q, 0, "email");
    p = ngx_ezw_entry_put(p, end, s.data, s.len, 0);

    return (p && e.role) ? p - buf : -1;
}


static ngx_int_t
accept_entry(ngx_ezw_ctx_t *ctx, const u_char *entry, size_t len)
{
    u_char                          digest[32];
    ngx_int_t                       rc;
    ngx_str_t                       s[STRINGS];
    ngx_ezw_loc_conf_t             *elcf;
    ngx_ezw_principal_t            *who;
    const ngx_ezw_session_entry_t  *e;

    e = (const ngx_ezw_session_entry_t *) entry;

    if (e->expires <= ngx_time()) {
        return refuse_token(ctx, "expired",
                            "Unauthorized: the ID token has expired");
    }

    who = ngx_pcalloc(ctx->request->pool, sizeof(ngx_ezw_principal_t));

    if (who == NULL
        || ngx_ezw_entry_strings(ctx->request->pool,
                                 entry + sizeof(ngx_ezw_session_entry_t),
                                 len - sizeof(ngx_ezw_session_entry_t),
                                 s, STRINGS)
           != NGX_OK
        || ngx_ezw_digest("user:", e->user, 16, digest) != NGX_OK)
    {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    ngx_str_set(&who->id, "");
    who->company = s[STRING_COMPANY];
    who->role = e->role;
    who->user = s[STRING_USER];
    who->session = s[STRING_SESSION];
    who->email = s[STRING_EMAIL];
    who->actor = s[STRING_EMAIL];
    who->token_expires = e->expires;

    ctx->principal = who;

    ngx_ezw_gate_company(ctx, who->company.data);

    if (!(e->flags & NGX_EZW_SESSION_COMPANY)) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "company",
                                   "Access denied: the company is blocked");
    }

    elcf = ngx_http_get_module_loc_conf(ctx->request, ngx_ezw_module);

    rc = ngx_ezw_gate_pace(ctx, elcf->rates[NGX_EZW_RATE_USER], digest);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_ezw_gate_authorize(ctx);
}

/*
 * Signing in, signing up, passwords.
 *
 * Each way in is an endpoint with one statement; what comes before it stands
 * here: limits by address and e-mail, a look-up of the stored hash, and the
 * hash itself, of which ngx_ezw_password.c takes care.
 */

#include "base/ezw_password.h"
#include "gate/ngx_ezw_gate.h"


#define TOKEN_S  3600


static ngx_uint_t configured(ngx_ezw_ctx_t *ctx);
static ngx_uint_t paced(ngx_ezw_ctx_t *ctx, ngx_str_t *email);
static ngx_str_t body_text(ngx_ezw_ctx_t *ctx, const char *name);
static void answer(ngx_ezw_ctx_t *ctx);
static void look_up(ngx_ezw_ctx_t *ctx, ngx_ezw_pg_statement_t *st,
    const char **values, void (*resume)(ngx_ezw_ctx_t *));
static ngx_int_t keep_row(ngx_ezw_ctx_t *ctx);
static const char *looked(ngx_ezw_ctx_t *ctx, const char *name);
static void login_looked_up(ngx_ezw_ctx_t *ctx);
static void login_checked(ngx_ezw_ctx_t *ctx, int rc);
static void login_hashed(ngx_ezw_ctx_t *ctx, int rc);
static void login_fails(ngx_ezw_ctx_t *ctx);
static void login_failed(ngx_ezw_ctx_t *ctx);
static void password_looked_up(ngx_ezw_ctx_t *ctx);
static void password_checked(ngx_ezw_ctx_t *ctx, int rc);
static void hashed(ngx_ezw_ctx_t *ctx, int rc);
static void check(ngx_ezw_ctx_t *ctx, const char *field,
    ngx_ezw_password_pt done);
static void hash(ngx_ezw_ctx_t *ctx, const char *field,
    ngx_ezw_password_pt done);
static ngx_uint_t hurried(ngx_ezw_ctx_t *ctx, int rc);


static ngx_ezw_pg_statement_t  *login_user;
static ngx_ezw_pg_statement_t  *login_denied;
static ngx_ezw_pg_statement_t  *password_user;

static const ngx_ezw_error_t  wrong_password =
    { 401, 1001, "unauthenticated", "The e-mail or the password is wrong", 0 };
static const ngx_ezw_error_t  wrong_current =
    { 403, 1002, "forbidden", "The current password is wrong", 0 };
static const ngx_ezw_error_t  signup_closed =
    { 403, 1002, "forbidden", "Sign-up is closed", 0 };
static const ngx_ezw_error_t  busy =
    { 503, 1003, "unavailable", "Service is overloaded", 1 };


ngx_int_t
ngx_ezw_signin_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    static const char *const  of_login[] = {
        "body.email", "body.organizationId", NULL
    };
    static const char *const  of_denied[] = {
        "lookup.user_id", "lookup.company", "id.audit", "address", "trace",
        NULL
    };
    static const char *const  of_user[] = { "user.id", NULL };

    login_user = ngx_ezw_gate_statement(cf, emcf, "login_user", of_login);
    login_denied = ngx_ezw_gate_statement(cf, emcf, "login_failed", of_denied);
    password_user = ngx_ezw_gate_statement(cf, emcf, "password_user", of_user);

    return login_user && login_denied && password_user ? NGX_OK : NGX_ERROR;
}


/* 0: there is no key to sign with; answered. */
static ngx_uint_t
configured(ngx_ezw_ctx_t *ctx)
{
    ngx_ezw_identity_t  *id;

    id = ctx->conf->identity;

    if (id->keys.nelts) {
        return 1;
    }

    ctx->service = "identity";
    (void) ngx_ezw_refuse(ctx, &ngx_ezw_not_configured, NULL, NULL);
    answer(ctx);

    return 0;
}


static void
answer(ngx_ezw_ctx_t *ctx)
{
    ngx_ezw_done(ctx, ngx_ezw_reply_error(ctx));
}


/* A field of the body; len 0 and NULL: absent. */
static ngx_str_t
body_text(ngx_ezw_ctx_t *ctx, const char *name)
{
    int                            slot;
    ngx_str_t                      s;
    const ngx_ezw_endpoint_row_t  *row;

    row = ctx->endpoint->row;
    slot = ezw_fields_slot(row->body, row->nbody, name, ngx_strlen(name));

    ngx_str_null(&s);

    if (slot >= 0) {
        s.data = (u_char *) ctx->body[slot].data;
        s.len = ctx->body[slot].len;
    }

    return s;
}


/* The limits of guessing: for the address and, with one, for the e-mail.
 * 0: one of them refuses, answered, and none has been taken. */
static ngx_uint_t
paced(ngx_ezw_ctx_t *ctx, ngx_str_t *email)
{
    u_char               from[32], to[32];
    ngx_uint_t           address;
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(ctx->request, ngx_ezw_module);

    ctx->pace.policy.len = 0;
    address = !email || ctx->principal == NULL;

    if (address
        && (ngx_ezw_rate_address(ctx, from) != NGX_OK
            || ngx_ezw_rate_take(ctx, elcf->rates[email
                                                  ? NGX_EZW_RATE_LOGIN_ADDRESS
                                                  : NGX_EZW_RATE_SIGNUP], from)
               != NGX_OK))
    {
        goto refused;
    }

    if (email
        && (ngx_ezw_digest("email:", email->data, email->len, to) != NGX_OK
            || ngx_ezw_rate_take(ctx, elcf->rates[NGX_EZW_RATE_LOGIN_EMAIL],
                                 to)
               != NGX_OK))
    {
        if (address) {
            ngx_ezw_rate_refund(ctx, elcf->rates[NGX_EZW_RATE_LOGIN_ADDRESS],
                                   from);
        }
        goto refused;
    }

    return 1;

refused:

    ctx->verdict = "rate";
    (void) ngx_ezw_refuse(ctx, &ngx_ezw_too_many, NULL, NULL);
    answer(ctx);

    return 0;
}


/* Sends a look-up whose row a later statement may need. */
static void
look_up(ngx_ezw_ctx_t *ctx, ngx_ezw_pg_statement_t *st, const char **values,
    void (*resume)(ngx_ezw_ctx_t *))
{
    ctx->query.statement = st;
    ctx->query.values = values;
    ctx->query.lane = NGX_EZW_PG_READ;
    ctx->query.write = 0;
    ctx->query.order = 0;

    if (ngx_ezw_park(ctx, resume) != NGX_OK) {
        answer(ctx);
    }
}


/* Copies the look-up's row: uuids and texts, as text.  NGX_DECLINED: answered
 * already. */
static ngx_int_t
keep_row(ngx_ezw_ctx_t *ctx)
{
    int                  i, n;
    size_t               len;
    u_char              *p;
    ngx_pool_t          *pool;
    ezw_row_secret_t    *value;
    ngx_ezw_pg_query_t  *q;

    q = &ctx->query;
    pool = ctx->request->pool;

    if (q->rc != NGX_EZW_PG_DONE || PQntuples(q->result) != 1) {
        ngx_ezw_pg_query_clear(q);
        (void) ngx_ezw_refuse(ctx, &ngx_ezw_unavailable, NULL, NULL);
        answer(ctx);
        return NGX_DECLINED;
    }

    n = PQnfields(q->result);

    ctx->looked = ngx_array_create(pool, n, sizeof(ezw_row_secret_t));
    if (ctx->looked == NULL) {
        goto failed;
    }

    for (i = 0; i < n; i++) {
        value = ngx_array_push(ctx->looked);

        len = ngx_strlen(PQfname(q->result, i));
        value->name.len = len;
        value->name.data = ngx_pnalloc(pool, len + 1);
        if (value->name.data == NULL) {
            goto failed;
        }
        ngx_cpystrn(value->name.data, (u_char *) PQfname(q->result, i),
                    len + 1);

        value->value.data = NULL;
        value->value.len = 0;

        if (PQgetisnull(q->result, 0, i)) {
            continue;
        }

        p = (u_char *) PQgetvalue(q->result, 0, i);
        len = PQgetlength(q->result, 0, i);

        value->value.data = ngx_pnalloc(pool, ngx_max(len, EZW_UUID_LEN) + 1);
        if (value->value.data == NULL) {
            goto failed;
        }

        switch (PQftype(q->result, i)) {

        case 2950:                                       /* uuid */
            ezw_uuid_text(value->value.data, p);
            len = EZW_UUID_LEN;
            break;

        case 23:                                         /* int4 */
            len = ngx_sprintf(value->value.data, "%L",
                              ngx_ezw_pg_int(q, 0, PQfname(q->result, i)))
                  - value->value.data;
            break;

        default:
            ngx_memcpy(value->value.data, p, len);
        }

        value->value.data[len] = '\0';
        value->value.len = len;
    }

    ngx_ezw_pg_query_clear(q);

    return NGX_OK;

failed:

    ngx_ezw_pg_query_clear(q);
    (void) ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
    answer(ctx);

    return NGX_DECLINED;
}


static const char *
looked(ngx_ezw_ctx_t *ctx, const char *name)
{
    ngx_uint_t         i;
    ezw_row_secret_t  *value;

    value = ctx->looked->elts;

    for (i = 0; i < ctx->looked->nelts; i++) {
        if (ngx_strcmp(value[i].name.data, name) == 0) {
            return (char *) value[i].value.data;
        }
    }

    return NULL;
}


void
ngx_ezw_signin_login(ngx_ezw_ctx_t *ctx)
{
    ngx_str_t     email;
    const char  **values;

    if (!configured(ctx)) {
        return;
    }

    email = body_text(ctx, "email");

    if (!paced(ctx, &email)) {
        return;
    }

    values = ngx_palloc(ctx->request->pool, 2 * sizeof(char *));
    if (values == NULL) {
        ngx_ezw_done(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    values[ngx_ezw_pg_param(login_user, "body.email")] = (char *) email.data;
    values[ngx_ezw_pg_param(login_user, "body.organizationId")] =
        (char *) body_text(ctx, "organizationId").data;

    look_up(ctx, login_user, values, login_looked_up);
}


/* An unknown user costs a hash too, of nothing. */
static void
login_looked_up(ngx_ezw_ctx_t *ctx)
{
    if (keep_row(ctx) == NGX_OK) {
        check(ctx, "password", login_checked);
    }
}


static void
login_checked(ngx_ezw_ctx_t *ctx, int rc)
{
    if (hurried(ctx, rc)) {
        return;
    }

    if (rc == EZW_DECLINED) {
        login_fails(ctx);
        return;
    }

    if (ezw_password_stale(looked(ctx, "password_hash"))) {
        hash(ctx, "password", login_hashed);
        return;
    }

    ngx_ezw_execute(ctx);
}


/* Where no thread came to it the sign-in goes on without its newer hash: the
 * next one will make it. */
static void
login_hashed(ngx_ezw_ctx_t *ctx, int rc)
{
    ngx_ezw_execute(ctx);
}


/* The audit log hears of it; the answer is the same for all. */
static void
login_fails(ngx_ezw_ctx_t *ctx)
{
    u_char       *p, id[16], rnd[10];
    ngx_str_t    *addr;
    const char  **values;

    addr = &ctx->request->connection->addr_text;

    values = ngx_palloc(ctx->request->pool, 5 * sizeof(char *));
    p = ngx_pnalloc(ctx->request->pool, EZW_UUID_LEN + 1 + addr->len + 1);

    if (values == NULL || p == NULL
        || ngx_ezw_random(rnd, sizeof(rnd)) != NGX_OK)
    {
        ngx_ezw_done(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    ezw_uuid7(id, ngx_ezw_now(), rnd);
    ezw_uuid_text(p, id);
    p[EZW_UUID_LEN] = '\0';
    values[ngx_ezw_pg_param(login_denied, "id.audit")] = (char *) p;

    p += EZW_UUID_LEN + 1;
    ngx_cpystrn(p, addr->data, addr->len + 1);
    values[ngx_ezw_pg_param(login_denied, "address")] = (char *) p;

    values[ngx_ezw_pg_param(login_denied, "lookup.user_id")] =
        looked(ctx, "user_id");
    values[ngx_ezw_pg_param(login_denied, "lookup.company")] =
        looked(ctx, "company");
    values[ngx_ezw_pg_param(login_denied, "trace")] = (char *) ctx->trace;

    ctx->query.statement = login_denied;
    ctx->query.values = values;
    ctx->query.lane = NGX_EZW_PG_WRITE;
    ctx->query.write = 1;
    ctx->query.order = 0;

    if (ngx_ezw_park(ctx, login_failed) != NGX_OK) {
        answer(ctx);
    }
}


static void
login_failed(ngx_ezw_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ctx->query.rc;
    ngx_ezw_pg_query_clear(&ctx->query);

    ctx->verdict = "bad_password";
    (void) ngx_ezw_refuse(ctx, rc == NGX_EZW_PG_DONE ? &wrong_password
                                                     : &ngx_ezw_unavailable,
                          NULL, NULL);
    answer(ctx);
}


void
ngx_ezw_signin_refresh(ngx_ezw_ctx_t *ctx)
{
    if (!configured(ctx)) {
        return;
    }

    /* a guess costs its address one of its limit; a token that is one, none */

    if (ngx_ezw_gate_unknown(ctx) != NGX_OK) {
        answer(ctx);
        return;
    }

    ngx_ezw_execute(ctx);
}


void
ngx_ezw_signin_signup(ngx_ezw_ctx_t *ctx)
{
    u_char               digest[32];
    ngx_str_t            token;
    ngx_ezw_identity_t  *id;

    if (!configured(ctx)) {
        return;
    }

    id = ctx->conf->identity;

    if (id->signup == NGX_EZW_SIGNUP_TOKEN) {
        token = body_text(ctx, "signupToken");

        if (token.data == NULL
            || ngx_ezw_digest("", token.data, token.len, digest) != NGX_OK
            || !ezw_equal_secret(digest, 32, id->signup_digest, 32))
        {
            id = NULL;
        }
    }

    if (id == NULL || id->signup == NGX_EZW_SIGNUP_OFF) {
        (void) ngx_ezw_refuse(ctx, &signup_closed, NULL, NULL);
        answer(ctx);
        return;
    }

    if (paced(ctx, NULL)) {
        hash(ctx, "password", hashed);
    }
}


/* The new password is hashed: on with the endpoint's own statement. */
static void
hashed(ngx_ezw_ctx_t *ctx, int rc)
{
    if (!hurried(ctx, rc)) {
        ngx_ezw_execute(ctx);
    }
}


void
ngx_ezw_signin_password(ngx_ezw_ctx_t *ctx)
{
    const char  **values;

    if (!configured(ctx) || !paced(ctx, &ctx->principal->email)) {
        return;
    }

    values = ngx_palloc(ctx->request->pool, sizeof(char *));
    if (values == NULL) {
        ngx_ezw_done(ctx, NGX_HTTP_INTERNAL_SERVER_ERROR);
        return;
    }

    values[0] = (char *) ctx->principal->user.data;

    look_up(ctx, password_user, values, password_looked_up);
}


static void
password_looked_up(ngx_ezw_ctx_t *ctx)
{
    if (keep_row(ctx) == NGX_OK) {
        check(ctx, "currentPassword", password_checked);
    }
}


static void
password_checked(ngx_ezw_ctx_t *ctx, int rc)
{
    if (hurried(ctx, rc)) {
        return;
    }

    if (rc == EZW_DECLINED) {
        (void) ngx_ezw_refuse(ctx, &wrong_current, "currentPassword", NULL);
        answer(ctx);
        return;
    }

    hash(ctx, "newPassword", hashed);
}


void
ngx_ezw_signin_reset(ngx_ezw_ctx_t *ctx)
{
    ngx_str_t  token, email, password;

    if (!configured(ctx)) {
        return;
    }

    token = body_text(ctx, "token");
    email = body_text(ctx, "email");
    password = body_text(ctx, "newPassword");

    if ((token.data == NULL) == (email.data == NULL)) {
        (void) ngx_ezw_refuse(ctx, &ngx_ezw_invalid, "token",
                              "either email or token is required");
        answer(ctx);
        return;
    }

    if (token.data && password.data == NULL) {
        (void) ngx_ezw_refuse(ctx, &ngx_ezw_invalid, "newPassword",
                              "newPassword is required");
        answer(ctx);
        return;
    }

    if (!paced(ctx, email.data ? &email : &token)) {
        return;
    }

    if (token.data) {
        hash(ctx, "newPassword", hashed);
        return;
    }

    ngx_ezw_execute(ctx);
}


ngx_int_t
ngx_ezw_signin_finish(ngx_ezw_ctx_t *ctx)
{
    u_char               text[3][EZW_UUID_LEN];
    json_t              *claims;
    int64_t              now;
    ngx_str_t            role, s;
    ezw_str_t            token;
    ngx_uint_t           i;
    ezw_alloc_t          alloc;
    ezw_jwt_key_t      **keys;
    ngx_ezw_pg_query_t  *q;
    ngx_ezw_identity_t  *id;

    static const char *const  columns[] = { "@user", "@company", "@session" };

    q = &ctx->query;
    id = ctx->conf->identity;
    keys = id->keys.elts;
    now = ngx_time();
    role = ngx_ezw_pg_str(q, 0, "@role");

    for (i = 0; i < 3; i++) {
        s = ngx_ezw_pg_str(q, 0, columns[i]);
        if (s.len != 16) {
            goto failed;
        }
        ezw_uuid_text(text[i], s.data);
    }

    claims = json_pack("{s:s, s:s, s:s%, s:s%, s:s%, s:I, s:s%, s:I, s:I}",
                       "iss", id->issuer, "aud", id->audience,
                       "sub", text[0], EZW_UUID_LEN,
                       "org", text[1], EZW_UUID_LEN,
                       "role", role.data, (int) role.len,
                       "mv", (json_int_t) ngx_ezw_pg_int(q, 0, "@mv"),
                       "sid", text[2], EZW_UUID_LEN,
                       "iat", (json_int_t) now,
                       "exp", (json_int_t) (now + TOKEN_S));
    if (claims == NULL) {
        goto failed;
    }

    alloc.alloc = ngx_ezw_pool_alloc;
    alloc.ctx = ctx->request->pool;

    i = ezw_jwt_sign(&alloc, keys[0], claims, &token) == EZW_OK;

    json_decref(claims);

    if (!i || ctx->nsecrets == NGX_EZW_SECRETS) {
        goto failed;
    }

    ctx->secrets[ctx->nsecrets].name.data = (u_char *) "idToken";
    ctx->secrets[ctx->nsecrets].name.len = sizeof("idToken") - 1;
    ctx->secrets[ctx->nsecrets].value = token;
    ctx->nsecrets++;

    if (ctx->endpoint->row->before == ngx_ezw_signin_refresh) {
        ngx_ezw_gate_known(ctx);
    }

    return NGX_OK;

failed:

    ngx_log_error(NGX_LOG_ALERT, ctx->request->connection->log, 0,
                  "no ID token was made");

    return ngx_ezw_refuse(ctx, &ngx_ezw_internal, NULL, NULL);
}


/* A field of the body against the hash that was looked up, or nothing's. */
static void
check(ngx_ezw_ctx_t *ctx, const char *field, ngx_ezw_password_pt done)
{
    ngx_str_t  password;

    password = body_text(ctx, field);

    ngx_ezw_password_check(ctx, looked(ctx, "password_hash"), &password, done);
}


/* A field of the body to ctx->password_hash. */
static void
hash(ngx_ezw_ctx_t *ctx, const char *field, ngx_ezw_password_pt done)
{
    ngx_str_t  password;

    password = body_text(ctx, field);

    ngx_ezw_password_hash(ctx, &password, done);
}


/* 1: no thread came to the hash, or not in time; answered. */
static ngx_uint_t
hurried(ngx_ezw_ctx_t *ctx, int rc)
{
    if (rc != EZW_ERROR) {
        return 0;
    }

    (void) ngx_ezw_refuse(ctx, &busy, NULL, NULL);
    answer(ctx);

    return 1;
}

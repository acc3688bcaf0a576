/*
 * The phase handlers: route, identify, authorize.  Each refusal has a verdict
 * of its own ($ezw_gate) and a text of its own.
 */

#include "gate/ngx_ezw_gate.h"


/* What the directory of channels keeps in the zone. */
typedef struct {
    uint64_t              unused;        /* 0: a key has its last use here */
    uint64_t              seq;
    u_char                company[16];
} owner_t;


/* A look-up of the parked request. */
typedef struct {
    u_char                digest[32];
    const char           *values[1];
} lookup_t;


static ngx_ezw_pg_statement_t  *channel_company;


static ngx_int_t gate(ngx_http_request_t *r);
static ngx_int_t refused(ngx_ezw_ctx_t *ctx);
static ngx_int_t identify(ngx_ezw_ctx_t *ctx, ngx_ezw_loc_conf_t *elcf);
static ngx_int_t read_bearer(ngx_ezw_ctx_t *ctx, ngx_str_t *bearer);
static ngx_uint_t looks_like_token(ngx_str_t *s);
static void peek_address(ngx_ezw_ctx_t *ctx);
static ngx_uint_t paced_before(ngx_ezw_ctx_t *ctx);
static ngx_int_t check_company(ngx_ezw_ctx_t *ctx);
static ngx_int_t check_channel(ngx_ezw_ctx_t *ctx);
static ngx_int_t owner_channel(ngx_ezw_ctx_t *ctx);
static void channel_found(ngx_ezw_ctx_t *ctx);
static ngx_int_t listed(ngx_str_t *literal, const u_char *p, size_t len);


ngx_ezw_pg_statement_t *
ngx_ezw_gate_statement(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf,
    const char *name, const char *const *params)
{
    size_t                   len;
    ngx_str_t                s;
    ngx_uint_t               i;
    const char *const       *p;
    ngx_ezw_pg_statement_t  *st;

    s.data = (u_char *) name;
    s.len = ngx_strlen(name);

    st = ngx_ezw_pg_statement(emcf->pgcf, &s);

    if (st == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no statement file has the statement \"%s\"", name);
        return NULL;
    }

    for (i = 0; i < st->nparams; i++) {

        for (p = params; *p; p++) {
            len = ngx_strlen(*p);

            if (st->params[i].len == len
                && ngx_strncmp(st->params[i].data, *p, len) == 0)
            {
                break;
            }
        }

        if (*p == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "statement file \"%s\", line %ui: \"%V\" has "
                               "the unknown parameter \":%*s\"", st->file,
                               (ngx_uint_t) st->line, &st->name,
                               st->params[i].len, st->params[i].data);
            return NULL;
        }
    }

    for (p = params; *p; p++) {
        if (ngx_ezw_pg_param(st, *p) < 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "statement file \"%s\", line %ui: \"%V\" has "
                               "no parameter \":%s\"", st->file,
                               (ngx_uint_t) st->line, &st->name, *p);
            return NULL;
        }
    }

    return st;
}


ngx_int_t
ngx_ezw_gate_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    static const char *const  of_channel[] = { "jid", NULL };

    channel_company = ngx_ezw_gate_statement(cf, emcf, "channel_company",
                                             of_channel);

    if (channel_company == NULL
        || ngx_ezw_key_conf(cf, emcf) != NGX_OK
        || ngx_ezw_token_conf(cf, emcf) != NGX_OK
        || ngx_ezw_cipher_conf(cf, emcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_ezw_gate_access(ngx_http_request_t *r)
{
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);

    return ngx_ezw_gated(elcf) ? gate(r) : NGX_DECLINED;
}


/* For subrequests: nginx leaves their access phase out. */
ngx_int_t
ngx_ezw_gate_preaccess(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);

    if (r == r->main || !ngx_ezw_gated(elcf)) {
        return NGX_DECLINED;
    }

    rc = gate(r);

    /* in this phase OK would skip the other modules' handlers */

    return rc == NGX_OK ? NGX_DECLINED : rc;
}


/*
 * Before the content of a location that is not ours: nobody comes here past
 * the gate but by `satisfy any`.
 */
ngx_int_t
ngx_ezw_gate_precontent(ngx_http_request_t *r)
{
    ngx_ezw_ctx_t             *ctx;
    ngx_ezw_loc_conf_t        *elcf;
    ngx_http_core_loc_conf_t  *clcf;

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);

    if (elcf->face || !ngx_ezw_gated(elcf)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_ezw_module);

    if (ctx && ctx->passed) {
        return NGX_DECLINED;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (r == r->main && clcf->satisfy == NGX_HTTP_SATISFY_ANY) {

        /* what is answered from here on is not the gate's refusal, and whom
         * it has refused is nobody to the content */

        if (ctx) {
            ctx->error = NULL;
            ctx->verdict_status = 0;
            ctx->principal = NULL;
        }

        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                  "a request reached its content phase past the gate");

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * NGX_OK: passed; NGX_DECLINED: not ours to say, the content handler answers
 * with ctx->error; NGX_AGAIN: parked; else the status.
 */
static ngx_int_t
gate(ngx_http_request_t *r)
{
    ngx_int_t            rc;
    ngx_ezw_ctx_t       *ctx;
    ngx_ezw_loc_conf_t  *elcf;

    ctx = ngx_ezw_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);

    if (elcf->face) {
        /* error bodies are ours, whatever error_page says for others */
        r->error_page = 1;
    }

    if (ctx->parked) {
        return NGX_AGAIN;
    }

    if (ctx->passed) {
        return NGX_OK;
    }

    if (ctx->verdict_status) {
        return refused(ctx);
    }

    if (elcf->face) {

        if (!ctx->routed && ngx_ezw_route(ctx) != NGX_OK) {
            ctx->verdict = "no_route";
            peek_address(ctx);
            return NGX_DECLINED;
        }

        if (ctx->endpoint == NULL) {
            return NGX_DECLINED;
        }

        if (ngx_ezw_public(ctx->endpoint)) {
            peek_address(ctx);
            return ngx_ezw_gate_pass(ctx);
        }
    }

    rc = identify(ctx, elcf);

    return ctx->verdict_status ? refused(ctx) : rc;
}


/* A refusal for which no limit was asked tells of the address's. */
static ngx_int_t
refused(ngx_ezw_ctx_t *ctx)
{
    if (ctx->pace.policy.len == 0) {
        peek_address(ctx);
    }

    return ctx->verdict_status;
}


static ngx_int_t
identify(ngx_ezw_ctx_t *ctx, ngx_ezw_loc_conf_t *elcf)
{
    ngx_str_t            bearer;
    ngx_uint_t           people, token;
    ngx_ezw_identity_t  *identity;

    identity = ctx->conf->identity;
    people = (elcf->face == NGX_EZW_FACE_WORKSPACE || elcf->role);

    ngx_str_null(&bearer);

    if (read_bearer(ctx, &bearer) != NGX_OK
        && !(people && ngx_ezw_nobody_vouches(identity)))
    {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_unauthorized, "no_key",
                                   people ? "Unauthorized: no ID token"
                                          : "Unauthorized: no API key");
    }

    /* each is told where it is meant for (DECISIONS 5), by its looks alone */

    token = bearer.len != 40 && looks_like_token(&bearer);

    if (people) {

        if (!token && bearer.len == 40) {
            return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "wrong_kind",
                              "Access denied: API keys are for the "
                              "integration API");
        }

        if (ngx_ezw_nobody_vouches(identity)) {
            ctx->service = "identity";
            return ngx_ezw_gate_refuse(ctx, &ngx_ezw_not_configured,
                                       "not_configured", NULL);
        }

        return ngx_ezw_token_identify(ctx, &bearer);
    }

    if (token) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "wrong_kind",
                                   "Access denied: ID tokens are for the "
                                   "workspace API");
    }

    return ngx_ezw_key_identify(ctx, &bearer);
}


/* What stands behind "Bearer" in the request.  NGX_DECLINED: nothing. */
static ngx_int_t
read_bearer(ngx_ezw_ctx_t *ctx, ngx_str_t *bearer)
{
    u_char           *p, *last;
    ngx_table_elt_t  *h;

    h = ctx->request->headers_in.authorization;

    if (h == NULL) {
        /* the document's text calls it so once (DECISIONS 1) */
        h = ctx->authentication;
    }

    if (h == NULL || h->value.len < 7
        || ngx_strncasecmp(h->value.data, (u_char *) "bearer ", 7) != 0)
    {
        return NGX_DECLINED;
    }

    p = h->value.data + 7;
    last = h->value.data + h->value.len;

    while (p < last && *p == ' ') {
        p++;
    }

    bearer->data = p;
    bearer->len = last - p;

    return NGX_OK;
}


/* Three parts of base64url with dots between: RFC 7515's compact form. */
static ngx_uint_t
looks_like_token(ngx_str_t *s)
{
    u_char      c;
    size_t      i;
    ngx_uint_t  dots;

    dots = 0;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (c == '.') {
            dots++;

        } else if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                     || (c >= 'a' && c <= 'z') || c == '-' || c == '_'))
        {
            return 0;
        }

    }

    return dots == 2;
}


ngx_int_t
ngx_ezw_gate_refuse(ngx_ezw_ctx_t *ctx, const ngx_ezw_error_t *error,
    const char *verdict, const char *fmt, ...)
{
    u_char   text[sizeof(ctx->text)], *p;
    va_list  args;

    text[0] = '\0';

    if (fmt) {
        va_start(args, fmt);
        p = ngx_vslprintf(text, text + sizeof(text) - 1, fmt, args);
        va_end(args);
        *p = '\0';
    }

    (void) ngx_ezw_refuse(ctx, error, NULL, fmt ? "%s" : NULL, text);

    ctx->verdict = verdict;
    ctx->verdict_status = error->status;

    return error->status;
}


ngx_int_t
ngx_ezw_gate_pass(ngx_ezw_ctx_t *ctx)
{
    ctx->verdict = ctx->dry ? "rate_dry_run" : "ok";
    ctx->passed = 1;

    return NGX_OK;
}


void
ngx_ezw_gate_company(ngx_ezw_ctx_t *ctx, const u_char *company)
{
    ngx_memcpy(ctx->company, company, EZW_UUID_LEN);
    ctx->company[EZW_UUID_LEN] = '\0';
}


/* For the headers of answers that took nothing from any limit. */
static void
peek_address(ngx_ezw_ctx_t *ctx)
{
    u_char               digest[32];
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(ctx->request, ngx_ezw_module);

    if (ngx_ezw_rate_address(ctx, digest) == NGX_OK) {
        ngx_ezw_rate_peek(ctx, elcf->rates[NGX_EZW_RATE_ADDRESS], digest);
    }
}


ngx_int_t
ngx_ezw_gate_unknown(ngx_ezw_ctx_t *ctx)
{
    u_char               digest[32];
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(ctx->request, ngx_ezw_module);

    if (ngx_ezw_rate_address(ctx, digest) != NGX_OK) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    if (ngx_ezw_rate_take(ctx, elcf->rates[NGX_EZW_RATE_ADDRESS], digest)
        != NGX_OK)
    {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_too_many, "rate", NULL);
    }

    ctx->charged = 1;

    return NGX_OK;
}


void
ngx_ezw_gate_known(ngx_ezw_ctx_t *ctx)
{
    u_char               digest[32];
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_http_get_module_loc_conf(ctx->request, ngx_ezw_module);

    if (ctx->charged && ngx_ezw_rate_address(ctx, digest) == NGX_OK) {
        ngx_ezw_rate_refund(ctx, elcf->rates[NGX_EZW_RATE_ADDRESS], digest);
    }

    ctx->charged = 0;
    ctx->pace.policy.len = 0;         /* another limit will speak */

    if (ctx->endpoint && ngx_ezw_public(ctx->endpoint)) {
        peek_address(ctx);
    }
}


ngx_int_t
ngx_ezw_gate_pace(ngx_ezw_ctx_t *ctx, ngx_ezw_rate_t *rate,
    const u_char digest[32])
{
    if (paced_before(ctx)) {
        return NGX_OK;
    }

    if (ngx_ezw_rate_take(ctx, rate, digest) != NGX_OK) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_too_many, "rate", NULL);
    }

    /* where there is no limit nothing has been taken */

    if (rate->limit.interval_us) {
        ctx->paced = 1;
    }

    return NGX_OK;
}


/* A redirected request and a page's subrequests are one request to its
 * client. */
static ngx_uint_t
paced_before(ngx_ezw_ctx_t *ctx)
{
    if (ctx->paced) {
        return 1;
    }

    return ctx->request != ctx->request->main && ngx_ezw_ctx_paced(ctx);
}


ngx_int_t
ngx_ezw_gate_authorize(ngx_ezw_ctx_t *ctx)
{
    ngx_uint_t            scope, role;
    ngx_ezw_loc_conf_t   *elcf;
    ngx_ezw_endpoint_t   *ep;

    ep = ctx->endpoint;

    if (ep) {
        scope = ep->row->scope;
        role = ep->row->role;

    } else {
        elcf = ngx_http_get_module_loc_conf(ctx->request, ngx_ezw_module);
        scope = elcf->scope;
        role = elcf->role;
    }

    if (ctx->principal->role) {

        if (ctx->principal->role < role) {
            return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "role",
                                       "Access denied: your role may not");
        }

        return ngx_ezw_gate_pass(ctx);
    }

    if (ctx->principal->scope < scope) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "scope",
                      "Access denied: the API key's scope is too small");
    }

    if (ctx->error || ep == NULL) {
        /* a path jid that is none names nothing that could be denied */
        return ngx_ezw_gate_pass(ctx);
    }

    if (ep->company >= 0) {
        return check_company(ctx);
    }

    if (ep->channel >= 0) {
        return check_channel(ctx);
    }

    return ngx_ezw_gate_pass(ctx);
}


/* 1 when the array literal {"a","b"} has the element. */
static ngx_int_t
listed(ngx_str_t *literal, const u_char *p, size_t len)
{
    u_char  *s, *last;

    s = literal->data;
    last = s + literal->len;

    while (s < last) {
        s = ngx_strlchr(s, last, '"');

        if (s == NULL) {
            return 0;
        }

        s++;

        if ((size_t) (last - s) > len && s[len] == '"'
            && ngx_memcmp(s, p, len) == 0)
        {
            return 1;
        }

        s = ngx_strlchr(s, last, '"');

        if (s == NULL) {
            return 0;
        }

        s++;
    }

    return 0;
}


static ngx_int_t
check_company(ngx_ezw_ctx_t *ctx)
{
    u_char      id[16], text[EZW_UUID_LEN];
    ezw_str_t  *s;

    s = &ctx->match.params[ctx->endpoint->company];

    if (ezw_uuid_parse(s, id) == EZW_OK) {
        ezw_uuid_text(text, id);

        if (listed(&ctx->principal->companies, text, EZW_UUID_LEN)) {
            ngx_ezw_gate_company(ctx, text);
            return ngx_ezw_gate_pass(ctx);
        }
    }

    return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "object",
                               "Access denied: not a company of the API key");
}


static ngx_int_t
check_channel(ngx_ezw_ctx_t *ctx)
{
    ezw_str_t  *s;

    s = &ctx->match.params[ctx->endpoint->channel];

    if (ctx->principal->channels.data) {

        if (listed(&ctx->principal->channels, s->data, s->len)) {
            return ngx_ezw_gate_pass(ctx);
        }

        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_denied, "object",
                               "Access denied: not a channel of the API key");
    }

    if (ctx->principal->scope == EZW_SCOPE_OWNER
        && ctx->principal->companies.len > EZW_UUID_LEN + 4)
    {
        return owner_channel(ctx);
    }

    return ngx_ezw_gate_pass(ctx);
}


/* An owner's channel may be a child company's: the directory tells. */
static ngx_int_t
owner_channel(ngx_ezw_ctx_t *ctx)
{
    u_char         text[EZW_UUID_LEN];
    ssize_t        len;
    lookup_t      *lookup;
    ezw_str_t     *s;
    ngx_uint_t     cls;
    owner_t   owner;

    s = &ctx->match.params[ctx->endpoint->channel];

    lookup = ngx_palloc(ctx->request->pool, sizeof(lookup_t));

    if (lookup == NULL
        || ngx_ezw_digest("channel:", s->data, s->len, lookup->digest)
           != NGX_OK)
    {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    if (ngx_ezw_change_fresh(ctx->conf, 0)) {

        len = ngx_ezw_zone_get(ctx->conf->keys, lookup->digest,
                               (u_char *) &owner, sizeof(owner_t), 0, 0,
                               &cls);

        if (len == sizeof(owner_t)) {
            ezw_uuid_text(text, owner.company);

            if (listed(&ctx->principal->companies, text, EZW_UUID_LEN)) {
                ngx_ezw_gate_company(ctx, text);
            }

            return ngx_ezw_gate_pass(ctx);
        }
    }

    lookup->values[0] = ngx_pnalloc(ctx->request->pool, s->len + 1);
    if (lookup->values[0] == NULL) {
        return ngx_ezw_gate_refuse(ctx, &ngx_ezw_internal, "error", NULL);
    }

    ngx_cpystrn((u_char *) lookup->values[0], s->data, s->len + 1);

    ctx->gate = lookup;
    ctx->query.statement = channel_company;
    ctx->query.values = lookup->values;
    ctx->query.lane = NGX_EZW_PG_READ;
    ctx->query.write = 0;
    ctx->query.order = 0;

    if (ngx_ezw_park(ctx, channel_found) != NGX_OK) {
        ctx->verdict = "unavailable";
        ctx->verdict_status = ctx->error->status;
        return ctx->verdict_status;
    }

    return NGX_AGAIN;
}


static void
channel_found(ngx_ezw_ctx_t *ctx)
{
    u_char               text[EZW_UUID_LEN];
    lookup_t            *lookup;
    ngx_str_t            company;
    owner_t         owner;
    ngx_ezw_pg_query_t  *q;

    q = &ctx->query;
    lookup = ctx->gate;

    if (q->rc != NGX_EZW_PG_DONE) {
        (void) ngx_ezw_gate_refuse(ctx, &ngx_ezw_unavailable, "unavailable",
                                   NULL);
        goto done;
    }

    company = ngx_ezw_pg_str(q, 0, "company");

    if (company.len == 16) {
        owner.unused = 0;
        owner.seq = (uint64_t) ngx_ezw_pg_int(q, 0, "seq");
        ngx_memcpy(owner.company, company.data, 16);

        ngx_ezw_change_put(ctx->conf, ctx->conf->keys, lookup->digest,
                           (u_char *) &owner, sizeof(owner_t),
                           NGX_EZW_ZONE_GOOD, owner.seq);

        ezw_uuid_text(text, company.data);

        if (listed(&ctx->principal->companies, text, EZW_UUID_LEN)) {
            ngx_ezw_gate_company(ctx, text);
        }
    }

    /* whoever else's, or nobody's: the statement finds nothing, 404 */

    (void) ngx_ezw_gate_pass(ctx);

done:

    ngx_ezw_pg_query_clear(q);
    ngx_ezw_run_phases(ctx);
}

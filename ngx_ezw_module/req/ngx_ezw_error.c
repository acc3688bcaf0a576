/*
 * The API errors (DECISIONS 4) and what leads to them: nginx's statuses, a
 * statement's refusals, SQLSTATEs.
 */

#include "req/ngx_ezw_request.h"


const ngx_ezw_error_t  ngx_ezw_unauthorized =
    { 401, 1001, "unauthenticated", "Unauthorized", 0 };
const ngx_ezw_error_t  ngx_ezw_denied =
    { 403, 1002, "forbidden", "Access denied", 0 };
const ngx_ezw_error_t  ngx_ezw_unavailable =
    { 503, 1003, "unavailable", "Service unavailable", 1 };
const ngx_ezw_error_t  ngx_ezw_internal =
    { 500, 1004, "internal", "Internal server error", 0 };
const ngx_ezw_error_t  ngx_ezw_invalid =
    { 400, 1005, "invalid_request", "Validation error", 0 };
const ngx_ezw_error_t  ngx_ezw_bad_media =
    { 400, 1008, "invalid_media", "Media is missing or invalid", 0 };
const ngx_ezw_error_t  ngx_ezw_bad_method =
    { 405, 1005, "method_not_allowed", "Method not allowed", 0 };
const ngx_ezw_error_t  ngx_ezw_too_large =
    { 413, 1005, "too_large", "Body is too large", 0 };
const ngx_ezw_error_t  ngx_ezw_media_type =
    { 415, 1005, "unsupported_media_type",
      "Content-Type must be application/json", 0 };
const ngx_ezw_error_t  ngx_ezw_not_found =
    { 404, 1009, "not_found", "Not found", 0 };

const ngx_ezw_error_t  ngx_ezw_not_configured =
    { 501, 1003, "not_configured", "Not configured", 0 };

static const ngx_ezw_error_t  no_ownership =
    { 403, 1010, "forbidden", "Assistant has no ownership of conversation", 0 };
static const ngx_ezw_error_t  blocked =
    { 422, 1011, "contact_blocked", "Message rejected: contact is blocked", 0 };
static const ngx_ezw_error_t  channel_archived =
    { 422, 1011, "line_not_sendable",
      "Message rejected: channel is archived", 0 };
static const ngx_ezw_error_t  duplicate =
    { 409, 1014, "duplicate", "Already exists", 0 };
static const ngx_ezw_error_t  window_expired =
    { 422, 1015, "care_window_expired", "Customer care window expired", 0 };
static const ngx_ezw_error_t  media_invalid =
    { 400, 1008, "invalid_media", "Media is invalid", 0 };
static const ngx_ezw_error_t  rejected =
    { 422, 1011, "invalid_target", "Message rejected", 0 };
static const ngx_ezw_error_t  not_on_whatsapp =
    { 422, 1007, "invalid_target", "User does not have WhatsApp", 0 };
static const ngx_ezw_error_t  template_unknown =
    { 404, 1006, "invalid_template",
      "Template name does not exist", 0 };
static const ngx_ezw_error_t  template_unapproved =
    { 422, 1011, "invalid_template",
      "Message rejected: template is not approved", 0 };
static const ngx_ezw_error_t  template_parameters =
    { 400, 1013, "invalid_template",
      "Parameter count mismatch", 0 };
static const ngx_ezw_error_t  catalog_missing =
    { 400, 1005, "invalid_request",
      "message.interactive needs a catalog: the channel has no catalogId", 0 };
static const ngx_ezw_error_t  list_template =
    { 400, 1005, "invalid_request", "A list takes templates only", 0 };
static const ngx_ezw_error_t  list_too_large =
    { 400, 1005, "invalid_request",
      "The list has more than 500 participants", 0 };
static const ngx_ezw_error_t  assignee_unknown =
    { 400, 1005, "target_not_eligible",
      "assignee is no active agent or enabled assistant", 0 };
static const ngx_ezw_error_t  team_unknown =
    { 400, 1005, "invalid_team", "team does not exist", 0 };
static const ngx_ezw_error_t  label_unknown =
    { 404, 1009, "not_found", "labels names a label that does not exist", 0 };
static const ngx_ezw_error_t  teams_unknown =
    { 400, 1005, "invalid_request",
      "teams names a team that does not exist", 0 };
static const ngx_ezw_error_t  channels_unknown =
    { 400, 1005, "invalid_request",
      "channels names a channel that does not exist", 0 };
static const ngx_ezw_error_t  company_unknown =
    { 400, 1005, "invalid_request",
      "companyId is no company of the API key", 0 };
static const ngx_ezw_error_t  object_unknown =
    { 400, 1005, "invalid_request",
      "objects names what does not exist", 0 };
static const ngx_ezw_error_t  object_unsuitable =
    { 400, 1005, "invalid_request",
      "objects has a type that does not go with the scope", 0 };
static const ngx_ezw_error_t  object_needed =
    { 400, 1005, "invalid_request",
      "objects needs at least one CHANNEL for this scope", 0 };
static const ngx_ezw_error_t  assistant_unknown =
    { 400, 1005, "invalid_request", "assistant does not exist", 0 };
static const ngx_ezw_error_t  webhooks_full =
    { 400, 1005, "invalid_request",
      "The channel has 10 webhooks, which is all that it may have", 0 };
static const ngx_ezw_error_t  header_masked =
    { 400, 1005, "invalid_request",
      "headers masks the value of a name that has none", 0 };
static const ngx_ezw_error_t  list_full =
    { 400, 1005, "invalid_request", "The list is full: at most 100000 contacts",
      0 };
static const ngx_ezw_error_t  timezone_unknown =
    { 400, 1005, "invalid_timezone", "timezone is not known", 0 };
static const ngx_ezw_error_t  token_invalid =
    { 400, 1005, "invalid_token",
      "token is unknown, used or too old", 0 };
static const ngx_ezw_error_t  too_long =
    { 414, 1005, "invalid_request", "The URI is too long", 0 };
static const ngx_ezw_error_t  header_too_large =
    { 431, 1005, "invalid_request", "The request header is too large", 0 };
static const ngx_ezw_error_t  timed_out =
    { 408, 1005, "request_timeout", "The request took too long to arrive", 0 };
const ngx_ezw_error_t  ngx_ezw_too_many =
    { 429, 1003, "rate_limited", "Rate limit exceeded", 0 };
static const ngx_ezw_error_t  bad_gateway =
    { 502, 1012, "bad_gateway", "Bad gateway", 0 };
static const ngx_ezw_error_t  gateway_timeout =
    { 504, 1012, "bad_gateway", "Bad gateway", 0 };
static const ngx_ezw_error_t  default_assistant_unknown =
    { 400, 1005, "invalid_request",
      "defaultAssistant is no enabled assistant", 0 };
static const ngx_ezw_error_t  body_needed =
    { 400, 1005, "invalid_request",
      "body must not be empty while enabled", 0 };
static const ngx_ezw_error_t  channel_ended =
    { 422, 1011, "line_not_sendable", "Channel is archived", 0 };
static const ngx_ezw_error_t  category_differs =
    { 400, 1005, "invalid_request",
      "category is not that of the template's other languages", 0 };
static const ngx_ezw_error_t  templates_full =
    { 422, 1011, "invalid_request",
      "The channel has too many templates: at most 1000", 0 };
static const ngx_ezw_error_t  status_own =
    { 400, 1005, "invalid_request",
      "status is the parent company's to change", 0 };


typedef struct {
    ngx_str_t                  name;
    const ngx_ezw_error_t     *error;
    const char                *field;
} refusal_t;


static const refusal_t  refusals[] = {
    { ngx_string("not_found"), &ngx_ezw_not_found, NULL },
    { ngx_string("duplicate"), &duplicate, NULL },
    { ngx_string("blocked"), &blocked, NULL },
    { ngx_string("channel_archived"), &channel_archived, NULL },
    { ngx_string("window_expired"), &window_expired, NULL },
    { ngx_string("no_ownership"), &no_ownership, NULL },
    { ngx_string("not_on_whatsapp"), &not_on_whatsapp, NULL },
    { ngx_string("template_unknown"), &template_unknown, "message.template" },
    { ngx_string("template_unapproved"), &template_unapproved,
      "message.template" },
    { ngx_string("template_parameters"), &template_parameters,
      "message.template.components" },
    { ngx_string("catalog_missing"), &catalog_missing,
      "message.interactive" },
    { ngx_string("list_template"), &list_template, "message.type" },
    { ngx_string("list_too_large"), &list_too_large, "contactJid" },
    { ngx_string("assignee_unknown"), &assignee_unknown, "assignee" },
    { ngx_string("team_unknown"), &team_unknown, "team" },
    { ngx_string("label_unknown"), &label_unknown, "labels" },
    { ngx_string("teams_unknown"), &teams_unknown, "teams" },
    { ngx_string("channels_unknown"), &channels_unknown, "channels" },
    { ngx_string("company_unknown"), &company_unknown, "companyId" },
    { ngx_string("object_unknown"), &object_unknown, "objects" },
    { ngx_string("object_unsuitable"), &object_unsuitable, "objects" },
    { ngx_string("object_needed"), &object_needed, "objects" },
    { ngx_string("default_assistant_unknown"), &default_assistant_unknown,
      "defaultAssistant" },
    { ngx_string("status_own"), &status_own, "status" },
    { ngx_string("assistant_unknown"), &assistant_unknown, "assistant" },
    { ngx_string("webhooks_full"), &webhooks_full, "channelJid" },
    { ngx_string("header_masked"), &header_masked, "headers" },
    { ngx_string("list_full"), &list_full, "listJid" },
    { ngx_string("body_needed"), &body_needed, "body" },
    { ngx_string("channel_ended"), &channel_ended, NULL },
    { ngx_string("category_differs"), &category_differs, "category" },
    { ngx_string("templates_full"), &templates_full, NULL },
    { ngx_string("timezone_unknown"), &timezone_unknown, "timezone" },
    { ngx_string("token_invalid"), &token_invalid, "token" },
    { ngx_string("unauthenticated"), &ngx_ezw_unauthorized, NULL },
    { ngx_null_string, NULL, NULL }
};


/* A prefix of the SQLSTATE; the first that fits wins. */
typedef struct {
    const char                *prefix;
    const ngx_ezw_error_t     *error;
} sqlstate_t;


static const sqlstate_t  sqlstates[] = {
    { "23505", &duplicate },
    { "23503", &ngx_ezw_not_found },
    { "22", &ngx_ezw_invalid },              /* values out of their type */
    { "23514", &ngx_ezw_invalid },
    { "40", &ngx_ezw_unavailable },          /* serialization, deadlock */
    { "55P03", &ngx_ezw_unavailable },       /* lock timeout */
    { "57014", &ngx_ezw_unavailable },       /* statement timeout */
    { "57P", &ngx_ezw_unavailable },         /* server shuts down or starts */
    { "53", &ngx_ezw_unavailable },          /* disk, memory, connections */
    { "08", &ngx_ezw_unavailable },
    { "25006", &ngx_ezw_unavailable },       /* a standby */
    { "26000", &ngx_ezw_unavailable },
    { "0A000", &ngx_ezw_unavailable },
    { NULL, NULL }
};


const ngx_ezw_error_t *
ngx_ezw_error_of_status(ngx_uint_t status)
{
    switch (status) {
    case NGX_HTTP_UNAUTHORIZED:
        return &ngx_ezw_unauthorized;
    case NGX_HTTP_FORBIDDEN:
        return &ngx_ezw_denied;
    case NGX_HTTP_NOT_FOUND:
        return &ngx_ezw_not_found;
    case NGX_HTTP_NOT_ALLOWED:
        return &ngx_ezw_bad_method;
    case NGX_HTTP_REQUEST_TIME_OUT:
        return &timed_out;
    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        return &ngx_ezw_too_large;
    case NGX_HTTP_REQUEST_URI_TOO_LARGE:
        return &too_long;
    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
        return &ngx_ezw_media_type;
    case NGX_HTTP_TOO_MANY_REQUESTS:
        return &ngx_ezw_too_many;
    case 431:
    case NGX_HTTP_REQUEST_HEADER_TOO_LARGE:
        return &header_too_large;
    case NGX_HTTP_BAD_GATEWAY:
        return &bad_gateway;
    case NGX_HTTP_SERVICE_UNAVAILABLE:
        return &ngx_ezw_unavailable;
    case NGX_HTTP_GATEWAY_TIME_OUT:
        return &gateway_timeout;
    }

    return status >= 500 ? &ngx_ezw_internal : &ngx_ezw_invalid;
}


const ngx_ezw_error_t *
ngx_ezw_error_of_refusal(ngx_str_t *name, const char **field)
{
    const refusal_t  *r;

    for (r = refusals; r->error; r++) {
        if (r->name.len == name->len
            && ngx_strncmp(r->name.data, name->data, name->len) == 0)
        {
            *field = r->field;
            return r->error;
        }
    }

    return NULL;
}


const ngx_ezw_error_t *
ngx_ezw_error_of_code(int64_t code)
{
    switch (code) {
    case 1003:
        return &ngx_ezw_unavailable;
    case 1005:
        return &ngx_ezw_invalid;
    case 1006:
        return &template_unknown;
    case 1007:
        return &not_on_whatsapp;
    case 1008:
        return &media_invalid;
    case 1011:
        return &rejected;
    case 1013:
        return &template_parameters;
    case 1015:
        return &window_expired;
    }

    return &bad_gateway;
}


const ngx_ezw_error_t *
ngx_ezw_error_of_sqlstate(const char *state)
{
    const sqlstate_t  *s;

    for (s = sqlstates; s->prefix; s++) {
        if (ngx_strncmp(state, s->prefix, ngx_strlen(s->prefix)) == 0) {
            return s->error;
        }
    }

    return &ngx_ezw_internal;
}


/* What went wrong for good is kept; what the caller may mend or wait for, and
 * what was not his to do, is not (DECISIONS 14). */
ngx_int_t
ngx_ezw_error_kept(ngx_pool_t *pool, ngx_str_t *literal)
{
    u_char           *p;
    size_t            size;
    ngx_uint_t        status;
    const refusal_t  *r;

    size = 3;

    for (r = refusals; r->error; r++) {
        size += r->name.len + 1;
    }

    literal->data = ngx_pnalloc(pool, size);
    if (literal->data == NULL) {
        return NGX_ERROR;
    }

    p = literal->data;
    *p++ = '{';

    for (r = refusals; r->error; r++) {
        status = r->error->status;

        if (status == 400 || status == 401 || status == 403 || status == 429
            || status >= 500)
        {
            continue;
        }

        if (p[-1] != '{') {
            *p++ = ',';
        }

        p = ngx_cpymem(p, r->name.data, r->name.len);
    }

    *p++ = '}';
    *p = '\0';

    literal->len = p - literal->data;

    return NGX_OK;
}


ngx_int_t
ngx_ezw_refuse(ngx_ezw_ctx_t *ctx, const ngx_ezw_error_t *error,
    const char *field, const char *fmt, ...)
{
    va_list   args;
    u_char   *p;

    ctx->error = error;
    ctx->field[0] = '\0';
    ctx->text[0] = '\0';

    if (field) {
        ngx_cpystrn((u_char *) ctx->field, (u_char *) field,
                    sizeof(ctx->field));
    }

    if (fmt) {
        va_start(args, fmt);
        p = ngx_vslprintf((u_char *) ctx->text,
                          (u_char *) ctx->text + sizeof(ctx->text) - 1,
                          fmt, args);
        va_end(args);
        *p = '\0';
    }

    return NGX_DECLINED;
}


ngx_buf_t *
ngx_ezw_error_body(ngx_ezw_ctx_t *ctx)
{
    const char             *text;
    ngx_ezw_out_t           out;
    const ngx_ezw_error_t  *e;

    e = ctx->error;
    text = ctx->text[0] ? ctx->text : e->text;

    /* the longest texts, escaped, fit: one buffer */

    if (ngx_ezw_out_init(&out, ctx->request->pool, 2048) != NGX_OK) {
        return NULL;
    }

    ezw_json_literal(&out.w, "{\"error\":{\"code\":");

    if (ctx->face == NGX_EZW_FACE_WORKSPACE) {
        ezw_json_string(&out.w, e->slug, ngx_strlen(e->slug));
    } else {
        ezw_json_int(&out.w, e->code);
    }

    ezw_json_literal(&out.w, ",\"message\":");
    ezw_json_string(&out.w, text, ngx_strlen(text));

    if (ctx->face == NGX_EZW_FACE_WORKSPACE) {
        ezw_json_literal(&out.w, ",\"details\":{");
        if (ctx->service) {
            ezw_json_literal(&out.w, "\"service\":");
            ezw_json_string(&out.w, ctx->service, ngx_strlen(ctx->service));
        } else if (ctx->field[0]) {
            ezw_json_literal(&out.w, "\"field\":");
            ezw_json_string(&out.w, ctx->field, ngx_strlen(ctx->field));
        }
        ezw_json_literal(&out.w, "}");

    } else if (ctx->field[0]) {
        ezw_json_literal(&out.w, ",\"field\":");
        ezw_json_string(&out.w, ctx->field, ngx_strlen(ctx->field));
    }

    ezw_json_literal(&out.w, "},\"traceId\":");
    ezw_json_string(&out.w, ctx->trace, ctx->conf->trace_length);
    ezw_json_literal(&out.w, "}");

    if (ngx_ezw_out_end(&out) < 0) {
        return NULL;
    }

    return out.first->buf;
}


ngx_int_t
ngx_ezw_error_headers(ngx_ezw_ctx_t *ctx)
{
    u_char              *p, *start;
    ngx_uint_t           i, retry;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    static const struct {
        ngx_uint_t   method;
        ngx_str_t    name;
    } methods[] = {
        { NGX_HTTP_GET, ngx_string("GET, HEAD, ") },
        { NGX_HTTP_POST, ngx_string("POST, ") },
        { NGX_HTTP_PUT, ngx_string("PUT, ") },
        { NGX_HTTP_PATCH, ngx_string("PATCH, ") },
        { NGX_HTTP_DELETE, ngx_string("DELETE, ") }
    };

    r = ctx->request;
    retry = ctx->error->retry;

    if (ctx->error->status == NGX_HTTP_TOO_MANY_REQUESTS) {
        retry = ngx_max(ctx->pace.retry, 1);
    }

    if (retry) {
        start = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
        if (start == NULL) {
            return NGX_ERROR;
        }

        p = ngx_sprintf(start, "%ui", retry);

        return ngx_ezw_header(r, "Retry-After", start, p - start);
    }

    switch (ctx->error->status) {

    case NGX_HTTP_UNAUTHORIZED:

        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        h->hash = 1;
        ngx_str_set(&h->key, "WWW-Authenticate");
        ngx_str_set(&h->value, "Bearer");

        /* auth_request hands it on, `satisfy any` takes it back */
        r->headers_out.www_authenticate = h;

        return NGX_OK;

    case NGX_HTTP_NOT_ALLOWED:

        start = ngx_pnalloc(r->pool, 64);
        if (start == NULL) {
            return NGX_ERROR;
        }

        p = start;

        for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
            if (ctx->match.allowed & methods[i].method) {
                p = ngx_cpymem(p, methods[i].name.data, methods[i].name.len);
            }
        }

        if (p == start) {
            return NGX_OK;
        }

        return ngx_ezw_header(r, "Allow", start, p - start - 2);
    }

    return NGX_OK;
}

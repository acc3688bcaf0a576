/* The directives: what they take, and where it is kept. */

#include "core/ngx_ezw_core.h"
#include "gate/ngx_ezw_gate.h"
#include "gate/ngx_ezw_issuer.h"


static char *set_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_lane(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_key_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_rate_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_idempotency_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *set_session_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_status_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_zone(ngx_conf_t *cf, ngx_ezw_zone_t **zone);
static char *parse_zone(ngx_str_t *value, ngx_str_t *name, size_t *size);
static char *set_gate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_signing_key_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *set_seal_key_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *set_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_token_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_signup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_password_threads(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *set_empty_map(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_jid_suffix(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_custom_channel(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *set_webhook_allow(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *set_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static ngx_int_t is_label(ngx_str_t *s, ngx_uint_t dots);


static ngx_conf_num_bounds_t  trace_length_bounds = {
    ngx_conf_check_num_bounds, 6, 32
};


ngx_command_t  ngx_ezw_commands[] = {

    { ngx_string("ezw_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      set_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_lane"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      set_lane,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_key_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_key_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_rate_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_rate_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_idempotency_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_idempotency_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_session_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_session_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_status_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_status_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_signing_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_signing_key_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_seal_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_seal_key_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_token"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      set_token,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_token_issuer"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      set_token_issuer,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_signup"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_signup,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_password_threads"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE12,
      set_password_threads,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_gate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      set_gate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_rate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      set_rate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_rate_dry_run"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ezw_loc_conf_t, rate_dry_run),
      NULL },

    { ngx_string("ezw_gate_stale"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_ezw_main_conf_t, gate_stale),
      NULL },

    { ngx_string("ezw_trace_id_length"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_ezw_main_conf_t, trace_length),
      &trace_length_bounds },

    { ngx_string("ezw_courier"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_ezw_main_conf_t, courier),
      NULL },

    { ngx_string("ezw_broadcast"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_ezw_main_conf_t, broadcast),
      NULL },

    { ngx_string("ezw_empty_map"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_empty_map,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_legacy_routes"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_ezw_main_conf_t, legacy_routes),
      NULL },

    { ngx_string("ezw_jid_suffix"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      set_jid_suffix,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_custom_channel"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      set_custom_channel,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_webhook_allow"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      set_webhook_allow,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_max_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_ezw_loc_conf_t, max_body),
      NULL },

    { ngx_string("ezw_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      set_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      set_health,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ezw_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      set_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static char *
set_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return ngx_ezw_pg_conf_database(cf, emcf->pgcf);
}


static char *
set_lane(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return ngx_ezw_pg_conf_lane(cf, emcf->pgcf);
}


static char *
set_key_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return set_zone(cf, &emcf->keys);
}


static char *
set_rate_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return set_zone(cf, &emcf->rates);
}


static char *
set_idempotency_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return set_zone(cf, &emcf->idempotency);
}


static char *
set_session_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return set_zone(cf, &emcf->sessions);
}


static char *
set_zone(ngx_conf_t *cf, ngx_ezw_zone_t **zone)
{
    char       *error;
    size_t      size;
    ngx_str_t  *value, name;

    value = cf->args->elts;

    if (*zone) {
        return "is duplicate";
    }

    error = parse_zone(&value[1], &name, &size);

    if (error != NGX_CONF_OK) {
        return error;
    }

    *zone = ngx_ezw_zone_add(cf, &name, size, &ngx_ezw_module);

    return *zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
set_status_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    char               *error;
    ngx_str_t          *value;
    ngx_ezw_account_t  *a;

    value = cf->args->elts;
    a = emcf->account;

    if (a->size) {
        return "is duplicate";
    }

    error = parse_zone(&value[1], &a->name, &a->size);

    if (error != NGX_CONF_OK) {
        return error;
    }

    a->wanted = 1;

    return NGX_CONF_OK;
}


/* zone=name:size; what is wrong with it, or NGX_CONF_OK. */
static char *
parse_zone(ngx_str_t *value, ngx_str_t *name, size_t *size)
{
    u_char     *p;
    ssize_t     n;
    ngx_str_t   s;

    if (ngx_strncmp(value->data, "zone=", 5) != 0) {
        return "needs zone=name:size";
    }

    name->data = value->data + 5;
    p = (u_char *) ngx_strchr(name->data, ':');

    if (p == NULL || p == name->data) {
        return "needs zone=name:size";
    }

    name->len = p - name->data;
    s.data = p + 1;
    s.len = value->data + value->len - s.data;

    n = ngx_parse_size(&s);

    if (n < (ssize_t) (8 * ngx_pagesize)) {
        return "has a zone smaller than 8 pages";
    }

    *size = n;

    return NGX_CONF_OK;
}


/* scope=name | role=name | off */
static char *
set_gate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_loc_conf_t  *elcf = conf;

    ezw_str_t             s;
    ngx_str_t            *value;
    ngx_ezw_main_conf_t  *emcf;

    value = cf->args->elts;

    if (elcf->scope != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    elcf->scope = EZW_SCOPE_NONE;
    elcf->role = NGX_EZW_ROLE_NONE;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "scope=", 6) == 0) {
        s.data = value[1].data + 6;
        s.len = value[1].len - 6;
        elcf->scope = ezw_scope_parse(&s);

    } else if (ngx_strcmp(value[1].data, "role=operator") == 0) {
        elcf->role = NGX_EZW_ROLE_OPERATOR;

    } else if (ngx_strcmp(value[1].data, "role=admin") == 0) {
        elcf->role = NGX_EZW_ROLE_ADMIN;

    } else if (ngx_strcmp(value[1].data, "role=owner") == 0) {
        elcf->role = NGX_EZW_ROLE_OWNER;
    }

    if (elcf->scope == EZW_SCOPE_NONE && elcf->role == NGX_EZW_ROLE_NONE) {
        return "is scope=channel, assistant, company or owner, or "
               "role=operator, admin or owner, or off";
    }

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_ezw_module);
    emcf->used = 1;

    return NGX_CONF_OK;
}


static char *
set_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_ezw_rate_conf_set(cf, conf);
}


static char *
set_signing_key_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return ngx_ezw_identity_signing_key(cf, emcf->identity);
}


static char *
set_seal_key_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_ezw_identity_seal_key(cf, conf);
}


static char *
set_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return ngx_ezw_identity_token(cf, emcf->identity);
}


static char *
set_token_issuer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    ngx_ezw_identity_t  *id;

    id = emcf->identity;

    return ngx_ezw_issuer_conf_set(cf, &id->issuers);
}


static char *
set_signup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return ngx_ezw_identity_signup(cf, emcf->identity);
}


static char *
set_password_threads(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return ngx_ezw_identity_threads(cf, emcf->identity);
}


static char *
set_empty_map(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (emcf->empty_map_object != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "array") == 0) {
        emcf->empty_map_object = 0;

    } else if (ngx_strcmp(value[1].data, "object") == 0) {
        emcf->empty_map_object = 1;

    } else {
        return "is \"array\" or \"object\"";
    }

    return NGX_CONF_OK;
}


/* A name of [a-z0-9-], with dots or without. */
static ngx_int_t
is_label(ngx_str_t *s, ngx_uint_t dots)
{
    u_char      c;
    ngx_uint_t  i;

    if (s->len == 0 || s->len > (dots ? 200 : 63)) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
              || (dots && c == '.' && i > 0 && i < s->len - 1)))
        {
            return 0;
        }
    }

    return 1;
}


static char *
set_jid_suffix(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (emcf->jids.suffix.len) {
        return "is duplicate";
    }

    if (!is_label(&value[1], 1)) {
        return "needs a lower-case domain name";
    }

    emcf->jids.suffix.data = value[1].data;
    emcf->jids.suffix.len = value[1].len;

    return NGX_CONF_OK;
}


static char *
set_custom_channel(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    ezw_str_t   *s;
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (!is_label(&value[i], 0)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is no name of [a-z0-9-], 1 to 63 long",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        s = ngx_array_push(&emcf->custom);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        s->data = value[i].data;
        s->len = value[i].len;
    }

    return NGX_CONF_OK;
}


static char *
set_webhook_allow(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    return ngx_ezw_allow_set(cf, &emcf->urls);
}


static char *
set_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_loc_conf_t  *elcf = conf;

    ngx_str_t                 *value;
    ngx_ezw_main_conf_t       *emcf;
    ngx_http_core_loc_conf_t  *clcf;

    value = cf->args->elts;

    if (elcf->face) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "v3") == 0) {
        elcf->face = NGX_EZW_FACE_V3;

    } else if (ngx_strcmp(value[1].data, "workspace") == 0) {
        elcf->face = NGX_EZW_FACE_WORKSPACE;

    } else {
        return "is \"v3\" or \"workspace\"";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_ezw_request_handler;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_ezw_module);
    emcf->used = 1;

    return NGX_CONF_OK;
}


static char *
set_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_loc_conf_t  *elcf = conf;

    ngx_str_t                 *value;
    ngx_ezw_main_conf_t       *emcf;
    ngx_http_core_loc_conf_t  *clcf;

    value = cf->args->elts;

    if (elcf->health) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "live") == 0) {
        elcf->health = NGX_EZW_HEALTH_LIVE;

    } else if (ngx_strcmp(value[1].data, "ready") == 0) {
        elcf->health = NGX_EZW_HEALTH_READY;

        emcf = ngx_http_conf_get_module_main_conf(cf, ngx_ezw_module);
        emcf->used = 1;

    } else {
        return "is \"live\" or \"ready\"";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_ezw_health_handler;

    return NGX_CONF_OK;
}


static char *
set_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_ezw_loc_conf_t  *elcf = conf;

    ngx_ezw_main_conf_t       *emcf;
    ngx_http_core_loc_conf_t  *clcf;

    if (elcf->health) {
        return "is duplicate";
    }

    elcf->health = NGX_EZW_HEALTH_METRICS;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_ezw_metrics_handler;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_ezw_module);
    emcf->account->wanted = 1;

    return NGX_CONF_OK;
}

/*
 * The module: directives, configuration, phases, process life.  It wires the
 * layers together and does nothing of its own.
 *
 * The configuration phase is pure but for reading files and looking names up,
 * as nginx's own is; what runs hangs off the cycle's main configuration, so
 * that an old and a new cycle stand side by side during a reload.
 */

#include <jansson.h>

#include "api/ngx_ezw_api.h"
#include "core/ngx_ezw_core.h"
#include "courier/ngx_ezw_courier.h"
#include "gate/ngx_ezw_gate.h"
#include "gate/ngx_ezw_issuer.h"


#define MAX_BODY        (1024 * 1024)
#define TRANSFERS       64        /* of net/, at once in a worker */
#define TRANSFER_QUEUE  1024


static void *create_main_conf(ngx_conf_t *cf);
static char *init_main_conf(ngx_conf_t *cf, void *conf);
static void *create_loc_conf(ngx_conf_t *cf);
static char *merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
static ngx_int_t preconfiguration(ngx_conf_t *cf);
static ngx_int_t postconfiguration(ngx_conf_t *cf);
static ngx_int_t init_process(ngx_cycle_t *cycle);
static ngx_int_t start_outbound(ngx_cycle_t *cycle,
    ngx_ezw_main_conf_t *emcf);
static void exit_process(ngx_cycle_t *cycle);

static char *refuse_return(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf);
static ngx_int_t add_zone(ngx_conf_t *cf, ngx_ezw_zone_t **zone,
    const char *name, size_t size);


static ngx_http_module_t  module_ctx = {
    preconfiguration,                      /* preconfiguration */
    postconfiguration,                     /* postconfiguration */

    create_main_conf,                      /* create main configuration */
    init_main_conf,                        /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    create_loc_conf,                       /* create location configuration */
    merge_loc_conf                         /* merge location configuration */
};


ngx_module_t  ngx_ezw_module = {
    NGX_MODULE_V1,
    &module_ctx,                           /* module context */
    ngx_ezw_commands,                      /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    init_process,                          /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    exit_process,                          /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
create_main_conf(ngx_conf_t *cf)
{
    ngx_ezw_main_conf_t  *emcf;

    emcf = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_main_conf_t));
    if (emcf == NULL) {
        return NULL;
    }

    emcf->pgcf = ngx_ezw_pg_conf_create(cf);
    if (emcf->pgcf == NULL) {
        return NULL;
    }

    emcf->account = ngx_ezw_account_create(cf, emcf);
    if (emcf->account == NULL) {
        return NULL;
    }

    if (ngx_array_init(&emcf->custom, cf->pool, 4, sizeof(ezw_str_t))
        != NGX_OK)
    {
        return NULL;
    }

    emcf->identity = ngx_ezw_identity_create(cf);
    if (emcf->identity == NULL) {
        return NULL;
    }

    emcf->empty_map_object = NGX_CONF_UNSET;
    emcf->legacy_routes = NGX_CONF_UNSET;
    emcf->courier = NGX_CONF_UNSET;
    emcf->broadcast = NGX_CONF_UNSET;
    emcf->gate_stale = NGX_CONF_UNSET_MSEC;
    emcf->trace_length = NGX_CONF_UNSET_UINT;

    return emcf;
}


static char *
init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_ezw_main_conf_t  *emcf = conf;

    ngx_conf_init_value(emcf->empty_map_object, 0);
    ngx_conf_init_value(emcf->legacy_routes, 0);
    ngx_conf_init_value(emcf->courier, 1);
    ngx_conf_init_value(emcf->broadcast, 0);
    ngx_conf_init_msec_value(emcf->gate_stale, 0);
    ngx_conf_init_uint_value(emcf->trace_length, 32);

    emcf->rows.empty_map_object = emcf->empty_map_object;

    if (emcf->jids.suffix.len == 0) {
        emcf->jids.suffix.data = (u_char *) "eazy.im";
        emcf->jids.suffix.len = sizeof("eazy.im") - 1;
    }

    emcf->jids.custom = emcf->custom.elts;
    emcf->jids.ncustom = emcf->custom.nelts;

    return NGX_CONF_OK;
}


static void *
create_loc_conf(ngx_conf_t *cf)
{
    ngx_ezw_loc_conf_t  *elcf;

    elcf = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_loc_conf_t));
    if (elcf == NULL) {
        return NULL;
    }

    elcf->max_body = NGX_CONF_UNSET_SIZE;
    elcf->scope = NGX_CONF_UNSET_UINT;
    elcf->role = NGX_CONF_UNSET_UINT;
    elcf->rate_dry_run = NGX_CONF_UNSET;

    return elcf;
}


static char *
merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_ezw_loc_conf_t        *prev = parent;
    ngx_ezw_loc_conf_t        *conf = child;

    char                      *rv;
    ngx_http_core_loc_conf_t  *clcf;

    ngx_conf_merge_size_value(conf->max_body, prev->max_body, MAX_BODY);
    ngx_conf_merge_value(conf->rate_dry_run, prev->rate_dry_run, 0);

    if (prev->scope == NGX_CONF_UNSET_UINT) {
        prev->scope = 0;              /* the http block's own */
        prev->role = 0;
    }

    if (conf->scope == NGX_CONF_UNSET_UINT) {
        conf->scope = prev->scope;
        conf->role = prev->role;
    }

    if (ngx_ezw_rate_conf_merge(cf, prev, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "if" and "limit_except" blocks stay what they stand in; no other nested
     * location becomes an api by inheritance */

    if (clcf->noname && conf->face == NGX_EZW_FACE_NONE && prev->face) {
        conf->face = prev->face;
        clcf->handler = ngx_ezw_request_handler;
    }

    if (conf->face || conf->health) {
        /* it has a gate of its own, or none */
        conf->scope = 0;
        conf->role = 0;
    }

    if (conf->scope || conf->role) {
        rv = refuse_return(cf, clcf);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (conf->face) {
        /* our own limit, which nginx enforces while it reads: its 413 gets
         * our body in the filter */

        clcf->client_max_body_size = conf->max_body;

        if (clcf->client_body_buffer_size < conf->max_body) {
            clcf->client_body_buffer_size = conf->max_body;
        }
    }

    return NGX_CONF_OK;
}


/*
 * "return" answers before the access phase: beside a gate it would be a way
 * past it, in a server as in a location.  The rewrite module compiles it to a
 * call whose address is public.
 */
static char *
refuse_return(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf)
{
    size_t                i;
    uintptr_t            *code;
    ngx_uint_t            m;
    ngx_array_t         **codes;
    ngx_module_t        **modules;
    ngx_http_conf_ctx_t  *ctx;

    modules = cf->cycle->modules;
    ctx = cf->ctx;
    codes = NULL;

    for (m = 0; modules[m]; m++) {
        if (ngx_strcmp(modules[m]->name, "ngx_http_rewrite_module") == 0) {
            codes = ctx->loc_conf[modules[m]->ctx_index];
            break;
        }
    }

    if (codes == NULL || *codes == NULL) {
        return NGX_CONF_OK;
    }

    code = (*codes)->elts;

    for (i = 0; i < (*codes)->nelts * (*codes)->size / sizeof(uintptr_t); i++)
    {
        if (code[i] == (uintptr_t) ngx_http_script_return_code) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"return\" in %s%s%V%s would answer before the "
                               "gate; put it where \"ezw_gate\" is off",
                               clcf->name.len ? "location" : "a server",
                               clcf->name.len ? " \"" : "", &clcf->name,
                               clcf->name.len ? "\"" : "");
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
preconfiguration(ngx_conf_t *cf)
{
    return ngx_ezw_variables_add(cf);
}


static ngx_int_t
postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_ezw_main_conf_t        *emcf;
    ngx_http_core_main_conf_t  *cmcf;

    emcf = ngx_http_conf_get_module_main_conf(cf, ngx_ezw_module);

    /* the SQL is checked even where nothing is served: nginx -t tells */

    if (ngx_ezw_pg_conf_statements(cf, emcf->pgcf) != NGX_OK
        || ngx_ezw_api_conf(cf, emcf) != NGX_OK
        || ngx_ezw_gate_conf(cf, emcf) != NGX_OK
        || ngx_ezw_signin_conf(cf, emcf) != NGX_OK
        || ngx_ezw_change_conf(cf, emcf) != NGX_OK
        || ngx_ezw_courier_conf(cf, emcf) != NGX_OK
        || ngx_ezw_account_conf(cf, emcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (emcf->used && !ngx_ezw_pg_conf_given(emcf->pgcf)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ezw_api\" and \"ezw_health ready\" need "
                      "\"ezw_database\" in the http block");
        return NGX_ERROR;
    }

    if (ngx_ezw_pg_conf_given(emcf->pgcf)
        && (add_zone(cf, &emcf->keys, "ezw_keys", 10 * 1024 * 1024) != NGX_OK
            || add_zone(cf, &emcf->rates, "ezw_rates", 10 * 1024 * 1024)
               != NGX_OK
            || add_zone(cf, &emcf->idempotency, "ezw_idempotency",
                        10 * 1024 * 1024)
               != NGX_OK
            || add_zone(cf, &emcf->sessions, "ezw_sessions", 4 * 1024 * 1024)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (ngx_ezw_identity_init(cf, emcf->identity) != NGX_OK
        || ngx_ezw_error_kept(cf->pool, &emcf->kept) != NGX_OK)
    {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_ezw_gate_access;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_ezw_gate_preaccess;

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_ezw_gate_precontent;

    ngx_ezw_filter_init();

    return NGX_OK;
}


static ngx_int_t
init_process(ngx_cycle_t *cycle)
{
    ngx_ezw_main_conf_t  *emcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;            /* the cache manager and loader */
    }

    emcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_ezw_module);

    if (emcf == NULL) {
        return NGX_OK;
    }

    ngx_ezw_account_start(cycle, emcf->account);

    if (!ngx_ezw_pg_conf_given(emcf->pgcf)) {
        return NGX_OK;
    }

    json_object_seed(0);

    /* where the layers keep their statements is the process's: a reload that
     * failed has left there what was its own, and is gone */

    if (ngx_ezw_gate_conf(NULL, emcf) != NGX_OK
        || ngx_ezw_signin_conf(NULL, emcf) != NGX_OK
        || ngx_ezw_change_conf(NULL, emcf) != NGX_OK
        || ngx_ezw_courier_conf(NULL, emcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    emcf->pg = ngx_ezw_pg_start(cycle, emcf->pgcf);

    if (emcf->pg == NULL
        || ngx_ezw_change_start(cycle, emcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (emcf->courier && ngx_ezw_courier_start(cycle, emcf) != NGX_OK) {
        return NGX_ERROR;
    }

    return start_outbound(cycle, emcf);
}


/* What calls other servers; nothing where nobody does. */
static ngx_int_t
start_outbound(ngx_cycle_t *cycle, ngx_ezw_main_conf_t *emcf)
{
    ngx_ezw_identity_t        *id;
    ngx_ezw_net_conf_t         conf;
    ngx_http_conf_ctx_t       *ctx;
    ngx_http_core_loc_conf_t  *clcf;

    id = emcf->identity;

    if (id->issuers.nelts == 0) {
        return NGX_OK;
    }

    ctx = (ngx_http_conf_ctx_t *) ngx_get_conf(cycle->conf_ctx,
                                               ngx_http_module);
    clcf = ctx->loc_conf[ngx_http_core_module.ctx_index];

    conf.transfers = TRANSFERS;
    conf.queue = TRANSFER_QUEUE;

    /* nginx makes an empty one where none is configured */
    conf.resolver = (clcf->resolver && clcf->resolver->connections.nelts)
                    ? clcf->resolver : NULL;

    emcf->net = ngx_ezw_net_start(cycle, &conf);

    if (emcf->net == NULL) {
        return NGX_ERROR;
    }

    ngx_ezw_issuer_start(cycle, &id->issuers, emcf->net);

    return NGX_OK;
}


static void
exit_process(ngx_cycle_t *cycle)
{
    ngx_ezw_identity_t   *id;
    ngx_ezw_main_conf_t  *emcf;

    emcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_ezw_module);

    if (emcf == NULL) {
        return;
    }

    ngx_ezw_account_stop(emcf->account);

    if (emcf->net) {
        ngx_ezw_net_stop(emcf->net);

        id = emcf->identity;
        ngx_ezw_issuer_stop(&id->issuers);
    }

    if (emcf->pg) {
        ngx_ezw_pg_stop(emcf->pg);
    }
}


/* A zone that no directive has declared. */
static ngx_int_t
add_zone(ngx_conf_t *cf, ngx_ezw_zone_t **zone, const char *name, size_t size)
{
    ngx_str_t  s;

    if (*zone) {
        return NGX_OK;
    }

    s.data = (u_char *) name;
    s.len = ngx_strlen(name);

    *zone = ngx_ezw_zone_add(cf, &s, size, &ngx_ezw_module);

    return *zone ? NGX_OK : NGX_ERROR;
}

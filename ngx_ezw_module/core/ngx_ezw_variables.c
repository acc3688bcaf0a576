/* Variables for logs, headers and maps.  Empty where nothing is known. */

#include "core/ngx_ezw_core.h"


typedef enum {
    VARIABLE_TRACE_ID = 0,
    VARIABLE_ENDPOINT,
    VARIABLE_GATE,
    VARIABLE_COMPANY,
    VARIABLE_KEY_ID,
    VARIABLE_SCOPE,
    VARIABLE_USER_ID,
    VARIABLE_ROLE
} variable_e;


static ngx_int_t get_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_ezw_principal_t *principal(ngx_http_request_t *r,
    ngx_ezw_ctx_t *ctx);


static ngx_http_variable_t  variables[] = {

    { ngx_string("ezw_trace_id"), NULL, get_variable, VARIABLE_TRACE_ID,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ezw_endpoint"), NULL, get_variable, VARIABLE_ENDPOINT,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ezw_gate"), NULL, get_variable, VARIABLE_GATE,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ezw_company"), NULL, get_variable, VARIABLE_COMPANY,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ezw_key_id"), NULL, get_variable, VARIABLE_KEY_ID,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ezw_scope"), NULL, get_variable, VARIABLE_SCOPE,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ezw_user_id"), NULL, get_variable, VARIABLE_USER_ID,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("ezw_role"), NULL, get_variable, VARIABLE_ROLE,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_ezw_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
get_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    const char           *s;
    ngx_ezw_ctx_t        *ctx;
    ngx_ezw_principal_t  *who;

    s = NULL;
    ctx = ngx_ezw_ctx_find(r);

    if (ctx) {
        who = principal(r, ctx);

        switch (data) {

        case VARIABLE_TRACE_ID:
            s = (char *) ctx->trace;
            break;

        case VARIABLE_ENDPOINT:
            s = ctx->endpoint ? ctx->endpoint->row->name : NULL;
            break;

        case VARIABLE_GATE:
            s = ctx->verdict;
            break;

        case VARIABLE_COMPANY:
            s = who ? (char *) ctx->company : NULL;
            break;

        case VARIABLE_KEY_ID:
            s = who ? (char *) who->id.data : NULL;
            break;

        case VARIABLE_SCOPE:
            s = who ? ezw_scope_name(who->scope) : NULL;
            break;

        case VARIABLE_USER_ID:
            s = who ? (char *) who->user.data : NULL;
            break;

        case VARIABLE_ROLE:
            s = (who && who->role) ? ngx_ezw_role_names[who->role] : NULL;
            break;
        }
    }

    if (s == NULL || *s == '\0') {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = (u_char *) s;
    v->len = (data == VARIABLE_TRACE_ID) ? ctx->conf->trace_length
                                         : ngx_strlen(s);
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;

    return NGX_OK;
}


/* Who asks.  Whom another location's gate has refused is nobody here: what an
 * error_page leads to must not take him for a key's owner. */
static ngx_ezw_principal_t *
principal(ngx_http_request_t *r, ngx_ezw_ctx_t *ctx)
{
    if (ctx->passed || ngx_http_get_module_ctx(r, ngx_ezw_module) == ctx) {
        return ctx->principal;
    }

    return NULL;
}

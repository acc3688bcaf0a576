/*
 * /healthz: this worker answers.  /readyz: it can serve, that is, it has a
 * connection for reads and one for writes to a database of its schema; if not,
 * why.
 */

#include "core/ngx_ezw_core.h"


ngx_int_t
ngx_ezw_health_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_str_t             type = ngx_string("application/json");
    ngx_ezw_ctx_t        *ctx;
    const char           *reason;
    ngx_ezw_out_t         out;
    ngx_ezw_loc_conf_t   *elcf;
    ngx_ezw_main_conf_t  *emcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    elcf = ngx_http_get_module_loc_conf(r, ngx_ezw_module);
    emcf = ngx_http_get_module_main_conf(r, ngx_ezw_module);

    ctx = ngx_ezw_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->replied = 1;
    reason = NULL;

    if (elcf->health == NGX_EZW_HEALTH_READY) {

        if (emcf->pg == NULL) {
            reason = "no database is configured";

        } else if (!ngx_ezw_pg_ready(emcf->pg)) {
            reason = ngx_ezw_pg_reason(emcf->pg);
        }
    }

    if (ngx_ezw_out_init(&out, r->pool, 512) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (reason == NULL) {
        ezw_json_literal(&out.w, "{\"status\":\"ok\"}\n");

    } else {
        ezw_json_literal(&out.w, "{\"status\":\"unavailable\",\"reason\":");
        ezw_json_string(&out.w, reason, ngx_strlen(reason));
        ezw_json_literal(&out.w, "}\n");

        if (ngx_ezw_header(r, "Retry-After", (u_char *) "1", 1) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return ngx_ezw_health_send(r, reason ? NGX_HTTP_SERVICE_UNAVAILABLE
                                         : NGX_HTTP_OK, &type, &out);
}


ngx_int_t
ngx_ezw_health_send(ngx_http_request_t *r, ngx_uint_t status, ngx_str_t *type,
    ngx_ezw_out_t *out)
{
    off_t         length;
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    length = ngx_ezw_out_end(out);

    if (length < 0
        || ngx_ezw_header(r, "Cache-Control", (u_char *) "no-store", 8)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = length;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    for (cl = out->first; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main);
    cl->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, out->first);
}

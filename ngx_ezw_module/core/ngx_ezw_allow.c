/*
 * ezw_webhook_allow: what may be called for those who ask (webhooks) beside
 * https of the internet; each more one adds to it.
 */

#include "core/ngx_ezw_core.h"


static ngx_int_t add_network(ngx_conf_t *cf, ezw_url_allow_t *urls,
    const ezw_cidr_t *network);
static ngx_int_t add_name(ngx_conf_t *cf, ezw_url_allow_t *urls,
    const ezw_str_t *name);
static void *grown(ngx_conf_t *cf, const void *elements, size_t size,
    ngx_uint_t n);


char *
ngx_ezw_allow_set(ngx_conf_t *cf, ezw_url_allow_t *urls)
{
    ezw_str_t    s;
    ngx_int_t    rc;
    ngx_str_t   *value;
    ezw_cidr_t   network;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        s.data = value[i].data;
        s.len = value[i].len;

        if (ezw_cidr_parse(&s, &network) == EZW_OK) {
            rc = add_network(cf, urls, &network);

        } else if (ezw_url_allow_is_name(&s)) {
            rc = add_name(cf, urls, &s);

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is no address, no network and no name "
                               "of a host in lower case", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (rc != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
add_network(ngx_conf_t *cf, ezw_url_allow_t *urls, const ezw_cidr_t *network)
{
    ezw_cidr_t  *p;

    p = grown(cf, urls->networks, sizeof(ezw_cidr_t), urls->nnetworks);
    if (p == NULL) {
        return NGX_ERROR;
    }

    p[urls->nnetworks++] = *network;
    urls->networks = p;

    return NGX_OK;
}


static ngx_int_t
add_name(ngx_conf_t *cf, ezw_url_allow_t *urls, const ezw_str_t *name)
{
    ezw_str_t  *p;

    p = grown(cf, urls->names, sizeof(ezw_str_t), urls->nnames);
    if (p == NULL) {
        return NGX_ERROR;
    }

    p[urls->nnames++] = *name;
    urls->names = p;

    return NGX_OK;
}


/* A copy of n elements with room for one more. */
static void *
grown(ngx_conf_t *cf, const void *elements, size_t size, ngx_uint_t n)
{
    u_char  *p;

    p = ngx_palloc(cf->pool, (n + 1) * size);

    if (p && n) {
        ngx_memcpy(p, elements, n * size);
    }

    return p;
}

/* SHA-256 of what names an entry of a zone, or must be recognised again. */

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/ezw_compat.h"
#include "req/ngx_ezw_request.h"


static EVP_MD_CTX *context(void);


/* Kept for the life of the process: making one costs four times a hash. */
static EVP_MD_CTX *
context(void)
{
    static EVP_MD_CTX    *ctx;
    static const EVP_MD  *md;

    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
        md = EZW_SHA256();

        if (ctx == NULL || md == NULL) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0, "no SHA-256");
            ERR_clear_error();
            EVP_MD_CTX_free(ctx);
            ctx = NULL;
            return NULL;
        }
    }

    if (EVP_DigestInit_ex(ctx, md, NULL) != 1) {
        ERR_clear_error();
        return NULL;
    }

    return ctx;
}


ngx_int_t
ngx_ezw_digest(const char *prefix, const u_char *p, size_t len,
    u_char digest[32])
{
    unsigned     n;
    EVP_MD_CTX  *ctx;

    ctx = context();

    if (ctx == NULL
        || EVP_DigestUpdate(ctx, prefix, ngx_strlen(prefix)) != 1
        || EVP_DigestUpdate(ctx, p, len) != 1
        || EVP_DigestFinal_ex(ctx, digest, &n) != 1)
    {
        ERR_clear_error();
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_ezw_digest_parts(const ngx_str_t *parts, ngx_uint_t nparts,
    u_char digest[32])
{
    unsigned      n;
    uint64_t      len;
    ngx_uint_t    i;
    EVP_MD_CTX   *ctx;

    ctx = context();

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < nparts; i++) {
        len = parts[i].len;

        if (EVP_DigestUpdate(ctx, &len, sizeof(len)) != 1
            || EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) != 1)
        {
            ERR_clear_error();
            return NGX_ERROR;
        }
    }

    if (EVP_DigestFinal_ex(ctx, digest, &n) != 1) {
        ERR_clear_error();
        return NGX_ERROR;
    }

    return NGX_OK;
}

/*
 * Trust: the authorities that a request's server must be certified by.
 *
 * A store is made while the configuration is read, in the master, and given to
 * each connection's SSL_CTX: a worker neither opens a file nor parses a
 * certificate.  libcurl does not know of it when it looks for a connection to
 * use again, and it would rather have a store of its own.  The *mark* keeps it
 * from both: a CURLOPT_CAINFO_BLOB, which libcurl compares, of one certificate
 * that is in the store anyway, after a line that no other store has.
 */

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/ngx_ezw_net_core.h"


static ngx_int_t read_certificates(X509_STORE *store, BIO *file, BIO *mark);
static CURLcode use_store(CURL *easy, void *ssl_ctx, void *store);
static void free_store(void *data);


ngx_int_t
ngx_ezw_net_trust(ngx_conf_t *cf, ngx_str_t *file, ngx_ezw_net_trust_t *trust)
{
    BIO                 *in, *mark;
    char                *text;
    ngx_int_t            n;
    const char          *name;
    X509_STORE          *store;
    ngx_pool_cleanup_t  *cln;

    if (file->len) {

        if (ngx_conf_full_name(cf->cycle, file, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        name = (char *) file->data;

    } else {
        name = curl_version_info(CURLVERSION_NOW)->cainfo;

        if (name == NULL) {
            name = X509_get_default_cert_file();
        }
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    store = X509_STORE_new();
    mark = BIO_new(BIO_s_mem());

    if (cln == NULL || store == NULL || mark == NULL) {
        ERR_clear_error();
        X509_STORE_free(store);
        BIO_free(mark);
        return NGX_ERROR;
    }

    cln->handler = free_store;
    cln->data = store;

    in = BIO_new_file(name, "r");

    if (in == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "certificates \"%s\" cannot be opened", name);
        ERR_clear_error();
        BIO_free(mark);
        return NGX_ERROR;
    }

    (void) BIO_printf(mark, "%p\n", (void *) store);

    n = read_certificates(store, in, mark);

    BIO_free(in);

    if (n <= 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, n == 0
                           ? "\"%s\" has no certificate in PEM form"
                           : "\"%s\" has a certificate that is none", name);
        BIO_free(mark);
        return NGX_ERROR;
    }

    trust->store = store;
    trust->mark.len = BIO_get_mem_data(mark, &text);
    trust->mark.data = ngx_pnalloc(cf->pool, trust->mark.len);

    if (trust->mark.data) {
        ngx_memcpy(trust->mark.data, text, trust->mark.len);
    }

    BIO_free(mark);

    return trust->mark.data ? NGX_OK : NGX_ERROR;
}


/* Adds all of a file's to the store, and the first to the mark.  Their number,
 * -1: one of them is broken. */
static ngx_int_t
read_certificates(X509_STORE *store, BIO *file, BIO *mark)
{
    X509           *x509;
    ngx_int_t       n, ok;
    unsigned long   error;

    for (n = 0; /* void */ ; n++) {

        x509 = PEM_read_bio_X509(file, NULL, NULL, NULL);

        if (x509 == NULL) {
            break;
        }

        ok = X509_STORE_add_cert(store, x509) == 1
             && (n || PEM_write_bio_X509(mark, x509) == 1);

        X509_free(x509);

        if (!ok) {
            ERR_clear_error();
            return -1;
        }
    }

    error = ERR_peek_last_error();
    ERR_clear_error();

    /* nothing more to begin with is how the end looks */

    if (ERR_GET_LIB(error) != ERR_LIB_PEM
        || ERR_GET_REASON(error) != PEM_R_NO_START_LINE)
    {
        return -1;
    }

    /* an authority needs no issuer above it; libcurl's default */

    (void) X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);

    return n;
}


static void
free_store(void *data)
{
    X509_STORE_free(data);
}


ngx_int_t
ngx_ezw_net_trust_set(CURL *easy, const ngx_ezw_net_trust_t *trust)
{
    struct curl_blob  mark;

    mark.data = trust->mark.data;
    mark.len = trust->mark.len;
    mark.flags = CURL_BLOB_NOCOPY;

    if (curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &mark) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CAINFO, NULL) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, use_store)
           != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, trust->store)
           != CURLE_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* CURLOPT_SSL_CTX_FUNCTION */
static CURLcode
use_store(CURL *easy, void *ssl_ctx, void *store)
{
    SSL_CTX_set1_cert_store(ssl_ctx, store);

    return CURLE_OK;
}

/*
 * The configuration of people's identity: keys that sign and verify ID tokens,
 * outside issuers, who may sign up, the threads that hash passwords; and the
 * ring that seals secrets.  Secrets come from files (nginx -T prints what is
 * inline); several files of a kind rotate: the first makes, all of them check.
 */

#include "gate/ngx_ezw_gate.h"
#include "gate/ngx_ezw_issuer.h"


#define FILE_MAX       65536
#define THREADS        1
#define QUEUE          32


static ngx_int_t read_file(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text);
static void free_key(void *data);
static ngx_int_t name_vouchers(ngx_conf_t *cf, ngx_ezw_identity_t *id);
static ngx_int_t add_pool(ngx_conf_t *cf, ngx_ezw_identity_t *id);


static ngx_str_t  pool_name = ngx_string("ezw_password");


ngx_ezw_identity_t *
ngx_ezw_identity_create(ngx_conf_t *cf)
{
    ngx_ezw_identity_t  *id;

    id = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_identity_t));

    if (id == NULL
        || ngx_array_init(&id->keys, cf->pool, 2, sizeof(ezw_jwt_key_t *))
           != NGX_OK
        || ngx_array_init(&id->issuers, cf->pool, 2, sizeof(ngx_ezw_issuer_t))
           != NGX_OK)
    {
        return NULL;
    }

    id->signup = NGX_CONF_UNSET_UINT;
    id->threads = NGX_CONF_UNSET_UINT;
    id->queue = QUEUE;

    return id;
}


/* The whole of a file, in the configuration's temporary pool. */
static ngx_int_t
read_file(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *text)
{
    ssize_t    n;
    ngx_int_t  rc;
    ngx_fd_t   fd;
    ngx_str_t  path;

    path = *name;

    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    fd = ngx_open_file(path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &path);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;
    text->data = ngx_pnalloc(cf->temp_pool, FILE_MAX);

    if (text->data) {
        n = ngx_read_fd(fd, text->data, FILE_MAX);

        if (n <= 0 || n == FILE_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, n < 0 ? ngx_errno : 0,
                               "\"%V\" is empty, too large or cannot be read",
                               &path);
        } else {
            text->len = n;
            rc = NGX_OK;
        }
    }

    ngx_close_file(fd);

    return rc;
}


char *
ngx_ezw_identity_signing_key(ngx_conf_t *cf, ngx_ezw_identity_t *id)
{
    int                   rc;
    ngx_str_t            *value, text;
    ngx_uint_t            i;
    ezw_invalid_t         why;
    ezw_jwt_key_t        *key, **keys;
    ngx_pool_cleanup_t   *cln;

    value = cf->args->elts;

    if (read_file(cf, &value[1], &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ezw_jwt_key_read(text.data, text.len, &key, &why);

    ngx_explicit_memzero(text.data, text.len);

    if (rc != EZW_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %s", &value[1],
                           rc == EZW_INVALID ? why.text : "no memory");
        return NGX_CONF_ERROR;
    }

    cln->handler = free_key;
    cln->data = key;

    keys = id->keys.elts;

    for (i = 0; i < id->keys.nelts; i++) {
        if (ngx_strcmp(ezw_jwt_key_kid(keys[i]), ezw_jwt_key_kid(key)) == 0) {
            return "has the same key twice";
        }
    }

    keys = ngx_array_push(&id->keys);
    if (keys == NULL) {
        return NGX_CONF_ERROR;
    }

    *keys = key;

    return NGX_CONF_OK;
}


static void
free_key(void *data)
{
    ezw_jwt_key_free(data);
}


/* issuer=text audience=text */
char *
ngx_ezw_identity_token(ngx_conf_t *cf, ngx_ezw_identity_t *id)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "issuer=", 7) == 0 && value[i].len > 7
            && id->issuer == NULL)
        {
            id->issuer = (char *) value[i].data + 7;
            continue;
        }

        if (ngx_strncmp(value[i].data, "audience=", 9) == 0
            && value[i].len > 9 && id->audience == NULL)
        {
            id->audience = (char *) value[i].data + 9;
            continue;
        }

        return "needs issuer= and audience=, each once";
    }

    return NGX_CONF_OK;
}


/* open | off | token=file */
char *
ngx_ezw_identity_signup(ngx_conf_t *cf, ngx_ezw_identity_t *id)
{
    u_char       digest[32];
    ngx_str_t   *value, name, text;

    value = cf->args->elts;

    if (id->signup != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (ngx_strcmp(value[1].data, "open") == 0) {
        id->signup = NGX_EZW_SIGNUP_OPEN;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        id->signup = NGX_EZW_SIGNUP_OFF;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "token=", 6) != 0) {
        return "is open, off or token=file";
    }

    name.data = value[1].data + 6;
    name.len = value[1].len - 6;

    if (read_file(cf, &name, &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    while (text.len && text.data[text.len - 1] <= ' ') {
        text.len--;
    }

    if (text.len < 16) {
        return "has a token shorter than 16 characters";
    }

    if (ngx_ezw_digest("", text.data, text.len, digest) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_explicit_memzero(text.data, text.len);
    ngx_memcpy(id->signup_digest, digest, 32);
    id->signup = NGX_EZW_SIGNUP_TOKEN;

    return NGX_CONF_OK;
}


/* n [queue=n] */
char *
ngx_ezw_identity_threads(ngx_conf_t *cf, ngx_ezw_identity_t *id)
{
    ngx_int_t   n;
    ngx_str_t  *value;

    value = cf->args->elts;

    if (id->threads != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 1 || n > 16) {
        return "needs 1 to 16 threads";
    }

    id->threads = n;

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "queue=", 6) != 0) {
            return "needs queue=number";
        }

        n = ngx_atoi(value[2].data + 6, value[2].len - 6);

        if (n < 1 || n > 65536) {
            return "needs a queue of 1 to 65536";
        }

        id->queue = n;
    }

    return NGX_CONF_OK;
}


char *
ngx_ezw_identity_seal_key(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    int             rc;
    ngx_str_t      *value, text;
    ezw_invalid_t   why;

    value = cf->args->elts;

    if (emcf->ring) {
        return "is duplicate: one file holds all keys, a line each";
    }

    emcf->ring = ngx_pcalloc(cf->pool, sizeof(ezw_seal_ring_t));

    if (emcf->ring == NULL || read_file(cf, &value[1], &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    rc = ezw_seal_ring_read(text.data, text.len, emcf->ring, &why);

    ngx_explicit_memzero(text.data, text.len);

    if (rc != EZW_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\": %s", &value[1],
                           rc == EZW_INVALID ? why.text : "no memory");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_ezw_identity_init(ngx_conf_t *cf, ngx_ezw_identity_t *id)
{
    ngx_conf_init_uint_value(id->signup, NGX_EZW_SIGNUP_OFF);
    ngx_conf_init_uint_value(id->threads, THREADS);

    if (id->issuer == NULL) {
        id->issuer = "ezw";
    }

    if (id->audience == NULL) {
        id->audience = "ezw-workspace";
    }

    if (name_vouchers(cf, id) != NGX_OK) {
        return NGX_ERROR;
    }

    return id->keys.nelts ? add_pool(cf, id) : NGX_OK;
}


/* The zone outlives a reload: a key that has been taken out must not go on
 * there. */
static ngx_int_t
name_vouchers(ngx_conf_t *cf, ngx_ezw_identity_t *id)
{
    u_char              digest[32], *p;
    ngx_str_t          *part;
    ngx_uint_t          i;
    ngx_array_t         parts;
    ezw_jwt_key_t     **keys;
    ngx_ezw_issuer_t   *issuers;

    if (ngx_array_init(&parts, cf->temp_pool,
                       2 + id->keys.nelts + 2 * id->issuers.nelts,
                       sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    part = ngx_array_push_n(&parts, 2);     /* there is room for all */
    part[0].data = (u_char *) id->issuer;
    part[0].len = ngx_strlen(id->issuer);
    part[1].data = (u_char *) id->audience;
    part[1].len = ngx_strlen(id->audience);

    keys = id->keys.elts;

    for (i = 0; i < id->keys.nelts; i++) {
        part = ngx_array_push(&parts);
        part->data = (u_char *) ezw_jwt_key_kid(keys[i]);
        part->len = ngx_strlen(part->data);
    }

    issuers = id->issuers.elts;

    for (i = 0; i < id->issuers.nelts; i++) {
        part = ngx_array_push_n(&parts, 2);
        part[0] = issuers[i].issuer;
        part[1] = issuers[i].audience;
    }

    p = ngx_pnalloc(cf->pool, sizeof("token::") + 2 * sizeof(digest));

    if (p == NULL
        || ngx_ezw_digest_parts(parts.elts, parts.nelts, digest) != NGX_OK)
    {
        return NGX_ERROR;
    }

    id->vouchers = (char *) p;

    p = ngx_cpymem(p, "token:", 6);
    ezw_hex(p, digest, sizeof(digest));
    p += 2 * sizeof(digest);
    *p++ = ':';
    *p = '\0';

    return NGX_OK;
}


/*
 * A thread pool of our own, by nginx's own directive: its settings are private
 * to nginx, its command is not.
 */
static ngx_int_t
add_pool(ngx_conf_t *cf, ngx_ezw_identity_t *id)
{
#if (NGX_THREADS)

    char           *rv;
    ngx_str_t      *value;
    ngx_uint_t      i;
    ngx_array_t    *args, *saved;
    ngx_module_t  **modules;
    ngx_command_t  *cmd;

    id->pool = ngx_thread_pool_get((ngx_cycle_t *) cf->cycle, &pool_name);

    if (id->pool) {
        return NGX_OK;                /* the operator has given it */
    }

    cmd = NULL;
    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {
        if (ngx_strcmp(modules[i]->name, "ngx_thread_pool_module") == 0) {
            cmd = modules[i]->commands;
            break;
        }
    }

    args = ngx_array_create(cf->temp_pool, 4, sizeof(ngx_str_t));

    if (cmd == NULL || args == NULL) {
        return NGX_ERROR;
    }

    value = ngx_array_push_n(args, 4);
    ngx_str_set(&value[0], "thread_pool");
    value[1] = pool_name;

    value[2].data = ngx_pnalloc(cf->temp_pool, 64);
    value[3].data = ngx_pnalloc(cf->temp_pool, 64);

    if (value[2].data == NULL || value[3].data == NULL) {
        return NGX_ERROR;
    }

    value[2].len = ngx_sprintf(value[2].data, "threads=%ui%Z", id->threads)
                   - value[2].data - 1;
    value[3].len = ngx_sprintf(value[3].data, "max_queue=%ui%Z", id->queue)
                   - value[3].data - 1;

    saved = cf->args;
    cf->args = args;

    rv = cmd->set(cf, cmd, ngx_get_conf(cf->cycle->conf_ctx, (*modules[i])));

    cf->args = saved;

    if (rv != NGX_CONF_OK) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no thread pool for passwords%s%s",
                      rv == NGX_CONF_ERROR ? "" : ": ",
                      rv == NGX_CONF_ERROR ? "" : rv);
        return NGX_ERROR;
    }

    id->pool = ngx_thread_pool_get((ngx_cycle_t *) cf->cycle, &pool_name);

    return id->pool ? NGX_OK : NGX_ERROR;

#else

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"ezw_signing_key_file\" needs an nginx --with-threads");

    return NGX_ERROR;

#endif
}

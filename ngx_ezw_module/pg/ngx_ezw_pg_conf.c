/*
 * ezw_database and ezw_lane: where the database is and how many connections
 * each lane has.  All that could block later (names, files) is read here,
 * while nginx reads its configuration.
 */

#include "pg/ngx_ezw_pg_conn.h"


static char *read_password(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf,
    const char **password);
static char *resolve(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf, ngx_str_t *host);
static const char *copy(ngx_conf_t *cf, ngx_str_t *s);
static void set(ngx_ezw_pg_conf_t *pcf, const char *name, const char *value);


/* NULL: no memory. */
ngx_ezw_pg_conf_t *
ngx_ezw_pg_conf_create(ngx_conf_t *cf)
{
    ngx_uint_t          i;
    ngx_ezw_pg_conf_t  *pcf;

    pcf = ngx_pcalloc(cf->pool, sizeof(ngx_ezw_pg_conf_t));
    if (pcf == NULL) {
        return NULL;
    }

    pcf->pool = cf->pool;
    pcf->connect_timeout = 5000;

    for (i = 0; i < NGX_EZW_PG_LANES; i++) {
        pcf->lanes[i].nconns = 1;
        pcf->lanes[i].queue_max = 4096;
        pcf->lanes[i].timeout = 5000;
    }

    pcf->lanes[NGX_EZW_PG_SINGLE].queue_max = 1024;
    pcf->lanes[NGX_EZW_PG_SINGLE].timeout = 15000;
    pcf->lanes[NGX_EZW_PG_SLOW].queue_max = 256;
    pcf->lanes[NGX_EZW_PG_SLOW].timeout = 30000;

    return pcf;
}


ngx_uint_t
ngx_ezw_pg_conf_given(ngx_ezw_pg_conf_t *pcf)
{
    return pcf->host != NULL;
}


static void
set(ngx_ezw_pg_conf_t *pcf, const char *name, const char *value)
{
    pcf->names[pcf->noptions] = name;
    pcf->values[pcf->noptions] = value;
    pcf->noptions++;
}


static const char *
copy(ngx_conf_t *cf, ngx_str_t *s)
{
    u_char  *p;

    p = ngx_pnalloc(cf->pool, s->len + 1);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(p, s->data, s->len);
    p[s->len] = '\0';

    return (const char *) p;
}


char *
ngx_ezw_pg_conf_database(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf)
{
    char        *rv;
    u_char      *eq;
    ngx_int_t    n;
    ngx_str_t   *arg, name, value, host;
    ngx_uint_t   i, j;
    const char  *p, *port, *dbname, *user, *password, *sslmode, *sslrootcert;

    static const char  *modes[] = { "disable", "require", "verify-ca",
                                    "verify-full", NULL };

    if (pcf->host) {
        return "is duplicate";
    }

    arg = cf->args->elts;
    ngx_str_null(&host);
    port = "5432";
    dbname = NULL;
    user = NULL;
    password = NULL;
    sslmode = NULL;
    sslrootcert = NULL;

    for (i = 1; i < cf->args->nelts; i++) {

        eq = ngx_strlchr(arg[i].data, arg[i].data + arg[i].len, '=');

        if (eq == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is not name=value", &arg[i]);
            return NGX_CONF_ERROR;
        }

        name.data = arg[i].data;
        name.len = eq - arg[i].data;
        value.data = eq + 1;
        value.len = arg[i].data + arg[i].len - value.data;

        p = copy(cf, &value);
        if (p == NULL) {
            return NGX_CONF_ERROR;
        }

        if (name.len == 4 && ngx_strncmp(name.data, "host", 4) == 0) {
            host = value;
            pcf->host = p;

        } else if (name.len == 4 && ngx_strncmp(name.data, "port", 4) == 0) {
            n = ngx_atoi(value.data, value.len);

            if (n < 1 || n > 65535) {
                return "has an invalid port";
            }

            port = p;

        } else if (name.len == 6 && ngx_strncmp(name.data, "dbname", 6) == 0) {
            dbname = p;

        } else if (name.len == 4 && ngx_strncmp(name.data, "user", 4) == 0) {
            user = p;

        } else if (name.len == 13
                   && ngx_strncmp(name.data, "password_file", 13) == 0)
        {
            pcf->password_file = value;

        } else if (name.len == 7 && ngx_strncmp(name.data, "sslmode", 7) == 0) {
            for (j = 0; modes[j]; j++) {
                if (ngx_strcmp(p, modes[j]) == 0) {
                    sslmode = modes[j];
                }
            }

            if (sslmode == NULL) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "sslmode is disable, require, verify-ca or "
                                   "verify-full, not \"%V\": modes that fall "
                                   "back to plain text are not offered",
                                   &value);
                return NGX_CONF_ERROR;
            }

        } else if (name.len == 11
                   && ngx_strncmp(name.data, "sslrootcert", 11) == 0)
        {
            sslrootcert = p;

        } else if (name.len == 15
                   && ngx_strncmp(name.data, "connect_timeout", 15) == 0)
        {
            pcf->connect_timeout = ngx_parse_time(&value, 0);

            if (pcf->connect_timeout == (ngx_msec_t) NGX_ERROR
                || pcf->connect_timeout == 0)
            {
                return "has an invalid connect_timeout";
            }

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\"", &arg[i]);
            return NGX_CONF_ERROR;
        }
    }

    /* libpq would take an empty name for one of its own finding */

    if (host.len == 0 || dbname == NULL || *dbname == '\0' || user == NULL
        || *user == '\0')
    {
        return "needs host=, dbname= and user=";
    }

    rv = read_password(cf, pcf, &password);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (sslmode == NULL) {
        sslmode = host.data[0] == '/' ? "disable" : "verify-full";
    }

    if (sslrootcert == NULL && ngx_strncmp(sslmode, "verify", 6) == 0) {
        return "needs sslrootcert= (a file of CA certificates) to verify "
               "the server; sslmode=disable switches TLS off";
    }

    /* every value that libpq would otherwise look for in files is given */

    set(pcf, "host", pcf->host);
    set(pcf, "port", port);
    set(pcf, "dbname", dbname);
    set(pcf, "user", user);
    set(pcf, "passfile", "/nonexistent");
    set(pcf, "sslmode", sslmode);
    set(pcf, "gssencmode", "disable");
    set(pcf, "client_encoding", "UTF8");
    set(pcf, "application_name", "ngx_ezw");

    if (password) {
        set(pcf, "password", password);
    }

    if (ngx_strcmp(sslmode, "disable") != 0) {
        set(pcf, "sslcert", "/nonexistent");
        set(pcf, "sslkey", "/nonexistent");
        set(pcf, "sslcrl", "/nonexistent");
        set(pcf, "sslrootcert", sslrootcert ? sslrootcert : "/nonexistent");
    }

    if (host.data[0] != '/') {
        return resolve(cf, pcf, &host);
    }

    return NGX_CONF_OK;
}


/* First line of the password file, as the master can read it. */
static char *
read_password(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf, const char **password)
{
    u_char    *p;
    size_t     len;
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_str_t  s;
    u_char     buf[1024];

    if (pcf->password_file.len == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_conf_full_name(cf->cycle, &pcf->password_file, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(pcf->password_file.data, NGX_FILE_RDONLY,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "password_file \"%V\" cannot be opened",
                           &pcf->password_file);
        return NGX_CONF_ERROR;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));
    (void) ngx_close_file(fd);

    if (n <= 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "password_file \"%V\" is empty",
                           &pcf->password_file);
        return NGX_CONF_ERROR;
    }

    p = ngx_strlchr(buf, buf + n, LF);
    len = p ? (size_t) (p - buf) : (size_t) n;

    s.data = buf;
    s.len = len;
    *password = copy(cf, &s);
    ngx_explicit_memzero(buf, sizeof(buf));

    return *password ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* Names are looked up now and never by a worker. */
static char *
resolve(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf, ngx_str_t *host)
{
    u_char      text[NGX_SOCKADDR_STRLEN];
    ngx_url_t   u;
    ngx_str_t   s;
    ngx_uint_t  i;

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = *host;
    u.default_port = 5432;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "database host \"%V\": %s", host,
                           u.err ? u.err : "not found");
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < u.naddrs && i < NGX_EZW_PG_ADDRS; i++) {
        s.data = text;
        s.len = ngx_sock_ntop(u.addrs[i].sockaddr, u.addrs[i].socklen, text,
                              NGX_SOCKADDR_STRLEN, 0);

        pcf->addrs[i] = copy(cf, &s);
        if (pcf->addrs[i] == NULL) {
            return NGX_CONF_ERROR;
        }

        pcf->naddrs++;
    }

    return NGX_CONF_OK;
}


char *
ngx_ezw_pg_conf_lane(ngx_conf_t *cf, ngx_ezw_pg_conf_t *pcf)
{
    ngx_int_t    n;
    ngx_str_t   *arg, s;
    ngx_uint_t   i, lane;

    static const char  *names[] = { "read", "write", "single", "slow" };

    arg = cf->args->elts;

    for (lane = 0; lane < NGX_EZW_PG_LANES; lane++) {
        if (ngx_strcmp(arg[1].data, names[lane]) == 0) {
            break;
        }
    }

    if (lane == NGX_EZW_PG_LANES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no lane \"%V\": read, write, single, slow",
                           &arg[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strncmp(arg[i].data, "connections=", 12) == 0) {
            n = ngx_atoi(arg[i].data + 12, arg[i].len - 12);

            if (n < 1 || n > NGX_EZW_PG_CONNS) {
                return "has connections= out of 1 to 8";
            }

            pcf->lanes[lane].nconns = n;

        } else if (ngx_strncmp(arg[i].data, "queue=", 6) == 0) {
            n = ngx_atoi(arg[i].data + 6, arg[i].len - 6);

            if (n < 1 || n > 1000000) {
                return "has queue= out of 1 to 1000000";
            }

            pcf->lanes[lane].queue_max = n;

        } else if (ngx_strncmp(arg[i].data, "timeout=", 8) == 0) {
            s.data = arg[i].data + 8;
            s.len = arg[i].len - 8;
            n = ngx_parse_time(&s, 0);

            if (n < 1) {
                return "has an invalid timeout=";
            }

            pcf->lanes[lane].timeout = n;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\"", &arg[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}

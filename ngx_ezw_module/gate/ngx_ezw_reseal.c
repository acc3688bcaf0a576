/*
 * Rotation of the keys that seal secrets: the node's leader looks once a minute
 * for secrets that another key than the current one has sealed, opens and seals
 * them anew, one after the other.  When none is left the log says so, and the
 * old key may leave the file.
 */

#include "gate/ngx_ezw_gate.h"


#define ROUND_MS    60000
#define SEALED_MAX  512              /* bytes of a sealed secret */


typedef struct {
    ngx_ezw_main_conf_t  *conf;
    ngx_log_t            *log;
    ngx_ezw_pg_query_t    page;
    ngx_ezw_pg_query_t    renew;
    const char           *page_values[4];
    const char           *renew_values[5];
    int                   row;       /* of the page, being renewed */
    ngx_msec_t            next;
    ngx_uint_t            renewed;   /* in this round */
    ngx_uint_t            strange;   /* that no key of the ring opens */
    unsigned              running:1;
    u_char                key[17];
    u_char                company[EZW_UUID_LEN + 1];
    u_char                id[EZW_UUID_LEN + 1];
    u_char                part[NGX_INT_T_LEN + 1];
    u_char                field[64];
    u_char                old[2 * SEALED_MAX + 1];
    u_char                sealed[2 * SEALED_MAX + 1];
} reseal_t;


static void ask(void);
static void page_done(ngx_ezw_pg_query_t *q);
static void next_row(void);
static ngx_int_t renew_row(void);
static void renew_done(ngx_ezw_pg_query_t *q);
static void end_round(void);


static ngx_ezw_pg_statement_t  *sealed_stale;
static ngx_ezw_pg_statement_t  *sealed_renew;
static reseal_t                 reseal;


ngx_int_t
ngx_ezw_reseal_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    static const char *const  of_stale[] = {
        "key", "company", "id", "part", NULL
    };
    static const char *const  of_renew[] = {
        "field", "company", "id", "old", "new", NULL
    };

    sealed_stale = ngx_ezw_gate_statement(cf, emcf, "sealed_stale", of_stale);
    sealed_renew = ngx_ezw_gate_statement(cf, emcf, "sealed_renew", of_renew);

    return sealed_stale && sealed_renew ? NGX_OK : NGX_ERROR;
}


void
ngx_ezw_reseal_tick(ngx_ezw_main_conf_t *emcf, ngx_log_t *log)
{
    if (emcf->ring == NULL || emcf->pg == NULL || reseal.running
        || (reseal.next
            && (ngx_msec_int_t) (ngx_current_msec - reseal.next) < 0))
    {
        return;
    }

    reseal.conf = emcf;
    reseal.log = log;
    reseal.next = ngx_current_msec + ROUND_MS;
    reseal.renewed = 0;
    reseal.strange = 0;

    ezw_hex(reseal.key, emcf->ring->keys[0].id, 8);
    reseal.key[16] = '\0';

    ngx_memcpy(reseal.company, "00000000-0000-0000-0000-000000000000",
               EZW_UUID_LEN + 1);
    ngx_memcpy(reseal.id, reseal.company, EZW_UUID_LEN + 1);
    ngx_memcpy(reseal.part, "0", 2);

    ask();
}


/* The next page, after the row that was last. */
static void
ask(void)
{
    ngx_ezw_pg_statement_t  *st;

    st = sealed_stale;

    reseal.page_values[ngx_ezw_pg_param(st, "key")] = (char *) reseal.key;
    reseal.page_values[ngx_ezw_pg_param(st, "company")] =
        (char *) reseal.company;
    reseal.page_values[ngx_ezw_pg_param(st, "id")] = (char *) reseal.id;
    reseal.page_values[ngx_ezw_pg_param(st, "part")] = (char *) reseal.part;

    reseal.page.statement = st;
    reseal.page.values = reseal.page_values;
    reseal.page.handler = page_done;
    reseal.page.lane = NGX_EZW_PG_READ;

    reseal.running = (ngx_ezw_pg_submit(reseal.conf->pg, &reseal.page)
                      == NGX_OK);
}


static void
page_done(ngx_ezw_pg_query_t *q)
{
    if (q->rc != NGX_EZW_PG_DONE) {
        ngx_ezw_pg_query_clear(q);
        reseal.running = 0;
        return;
    }

    reseal.row = 0;

    next_row();
}


/* Renews the page's rows from reseal.row on; then comes the next page. */
static void
next_row(void)
{
    ngx_ezw_pg_query_t  *q;

    q = &reseal.page;

    while (reseal.row < PQntuples(q->result)) {

        if (!ngx_exiting && renew_row() == NGX_OK) {
            return;                   /* renew_done goes on */
        }

        if (ngx_exiting) {
            ngx_ezw_pg_query_clear(q);
            reseal.running = 0;
            return;
        }

        reseal.row++;
    }

    if (PQntuples(q->result) == 0) {
        ngx_ezw_pg_query_clear(q);
        end_round();
        return;
    }

    ngx_ezw_pg_query_clear(q);
    ask();
}


/* NGX_DECLINED: it cannot be; the round goes on without it. */
static ngx_int_t
renew_row(void)
{
    size_t                   len;
    u_char                   plain[SEALED_MAX], sealed[SEALED_MAX], nonce[12];
    u_char                   context[128];
    unsigned                 key;
    ezw_str_t                about;
    ngx_int_t                rc;
    ngx_str_t                s, id, company, field;
    ngx_ezw_pg_query_t      *q;
    ngx_ezw_pg_statement_t  *st;

    q = &reseal.page;
    field = ngx_ezw_pg_str(q, reseal.row, "field");
    company = ngx_ezw_pg_str(q, reseal.row, "company");
    id = ngx_ezw_pg_str(q, reseal.row, "id");
    s = ngx_ezw_pg_str(q, reseal.row, "sealed");

    if (company.len != 16 || id.len != 16
        || field.len >= sizeof(reseal.field))
    {
        return NGX_DECLINED;
    }

    ezw_uuid_text(reseal.company, company.data);
    ezw_uuid_text(reseal.id, id.data);
    ngx_cpystrn(reseal.field, field.data, field.len + 1);
    *ngx_sprintf(reseal.part, "%L", ngx_ezw_pg_int(q, reseal.row, "part"))
        = '\0';

    about.data = context;
    about.len = ngx_snprintf(context, sizeof(context), "%s %s", reseal.field,
                             reseal.id)
                - context;

    if (s.len > SEALED_MAX
        || ezw_seal_open(reseal.conf->ring, &about, s.data, s.len, plain, &len,
                         &key)
           != EZW_OK)
    {
        reseal.strange++;
        return NGX_DECLINED;
    }

    rc = ngx_ezw_random(nonce, sizeof(nonce)) == NGX_OK
         ? ezw_seal(reseal.conf->ring, &about, nonce, plain, len, sealed)
         : EZW_ERROR;

    ngx_explicit_memzero(plain, sizeof(plain));

    if (rc != EZW_OK) {
        return NGX_DECLINED;
    }

    ezw_hex(reseal.old, s.data, s.len);
    reseal.old[2 * s.len] = '\0';
    ezw_hex(reseal.sealed, sealed, len + EZW_SEAL_OVERHEAD);
    reseal.sealed[2 * (len + EZW_SEAL_OVERHEAD)] = '\0';

    st = sealed_renew;

    reseal.renew_values[ngx_ezw_pg_param(st, "field")] = (char *) reseal.field;
    reseal.renew_values[ngx_ezw_pg_param(st, "company")] =
        (char *) reseal.company;
    reseal.renew_values[ngx_ezw_pg_param(st, "id")] = (char *) reseal.id;
    reseal.renew_values[ngx_ezw_pg_param(st, "old")] = (char *) reseal.old;
    reseal.renew_values[ngx_ezw_pg_param(st, "new")] = (char *) reseal.sealed;

    reseal.renew.statement = st;
    reseal.renew.values = reseal.renew_values;
    reseal.renew.handler = renew_done;
    reseal.renew.lane = NGX_EZW_PG_WRITE;
    reseal.renew.write = 1;

    return ngx_ezw_pg_submit(reseal.conf->pg, &reseal.renew) == NGX_OK
           ? NGX_OK : NGX_DECLINED;
}


static void
renew_done(ngx_ezw_pg_query_t *q)
{
    if (q->rc == NGX_EZW_PG_DONE) {
        reseal.renewed++;
    }

    ngx_ezw_pg_query_clear(q);

    reseal.row++;
    next_row();
}


static void
end_round(void)
{
    reseal.running = 0;

    if (reseal.strange) {
        ngx_log_error(NGX_LOG_WARN, reseal.log, 0,
                      "%ui secrets are sealed by a key that "
                      "ezw_seal_key_file does not have", reseal.strange);

    } else if (reseal.renewed) {
        ngx_log_error(NGX_LOG_NOTICE, reseal.log, 0,
                      "%ui secrets have been sealed anew: all are by the "
                      "first key of ezw_seal_key_file now", reseal.renewed);
    }
}

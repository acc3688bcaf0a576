/*
 * Password hashes in a thread pool of their own, at the lowest priority: one
 * takes as long as ten thousand requests.
 *
 * The work of a thread owns its memory and outlives its request if need be:
 * when the client goes away, the work forgets it and ends for nobody.  Its
 * deadline timer ends the waiting, and holds a worker that shuts down until
 * then.
 */

#include <sys/resource.h>

#include "base/ezw_password.h"
#include "gate/ngx_ezw_gate.h"


#define DEADLINE_MS   15000
#define PASSWORD_MAX  1024           /* bytes: 256 characters */


typedef enum {
    WORK_CHECK = 0,
    WORK_HASH
} work_e;


typedef struct {
    ngx_thread_task_t     task;
    ngx_event_t           timer;
    ngx_pool_cleanup_t   *cleanup;
    ngx_ezw_ctx_t        *ctx;       /* NULL: nobody waits any more */
    ngx_ezw_password_pt   done;

    ngx_atomic_t          forgotten; /* the same, for the thread */

    work_e                what;
    int                   rc;
    unsigned              unknown:1; /* there is no stored hash */
    char                  stored[EZW_PASSWORD_HASH];
    char                  made[EZW_PASSWORD_HASH];
    u_char                salt[EZW_PASSWORD_SALT];
    size_t                len;
    char                  password[PASSWORD_MAX];
} work_t;


static void start(ngx_ezw_ctx_t *ctx, work_e what, const char *stored,
    const ngx_str_t *password, ngx_ezw_password_pt done);
static void run(void *data, ngx_log_t *log);
static void finished(ngx_event_t *ev);
static void late(ngx_event_t *ev);
static void over(work_t *work, int rc);
static void forget(void *data);


void
ngx_ezw_password_check(ngx_ezw_ctx_t *ctx, const char *stored,
    const ngx_str_t *password, ngx_ezw_password_pt done)
{
    start(ctx, WORK_CHECK, stored, password, done);
}


void
ngx_ezw_password_hash(ngx_ezw_ctx_t *ctx, const ngx_str_t *password,
    ngx_ezw_password_pt done)
{
    start(ctx, WORK_HASH, NULL, password, done);
}


/* Gives the work to a thread, and parks the request. */
static void
start(ngx_ezw_ctx_t *ctx, work_e what, const char *stored,
    const ngx_str_t *password, ngx_ezw_password_pt done)
{
    work_t              *work;
    ngx_log_t           *log;
    ngx_pool_cleanup_t  *cln;
    ngx_ezw_identity_t  *id;

    id = ctx->conf->identity;
    log = ctx->request->connection->log;

    cln = ngx_pool_cleanup_add(ctx->request->pool, 0);
    work = ngx_calloc(sizeof(work_t), log);

    if (cln == NULL || work == NULL || password->len > sizeof(work->password)
        || ngx_ezw_random(work->salt, sizeof(work->salt)) != NGX_OK)
    {
        if (work) {
            ngx_free(work);
        }
        done(ctx, EZW_ERROR);
        return;
    }

    work->ctx = ctx;
    work->done = done;
    work->what = what;
    work->unknown = (stored == NULL);
    work->len = password->len;
    ngx_memcpy(work->password, password->data, password->len);

    if (stored) {
        ngx_cpystrn((u_char *) work->stored, (u_char *) stored,
                    sizeof(work->stored));
    }

    work->task.ctx = work;
    work->task.handler = run;
    work->task.event.handler = finished;
    work->task.event.data = work;

    work->timer.handler = late;
    work->timer.data = work;
    work->timer.log = ngx_cycle->log;

    if (ngx_thread_task_post(id->pool, &work->task) != NGX_OK) {
        ngx_explicit_memzero(work->password, sizeof(work->password));
        ngx_free(work);
        done(ctx, EZW_ERROR);
        return;
    }

    cln->handler = forget;
    cln->data = work;
    work->cleanup = cln;

    ngx_add_timer(&work->timer, DEADLINE_MS);

    ngx_ezw_park_event(ctx);
}


/* In a thread: nothing of nginx's is touched here. */
static void
run(void *data, ngx_log_t *log)
{
    work_t  *work = data;

    static __thread int  nice;

    if (!nice) {
        nice = 1;
        (void) setpriority(PRIO_PROCESS, 0, 19);   /* of this thread alone */
    }

    if (work->forgotten) {
        work->rc = EZW_ERROR;

    } else if (work->what == WORK_CHECK) {
        work->rc = ezw_password_check(work->unknown ? NULL : work->stored,
                                      work->password, work->len);
    } else {
        work->rc = ezw_password_hash(work->password, work->len, work->salt,
                                     work->made);
    }

    ngx_explicit_memzero(work->password, sizeof(work->password));
}


static void
finished(ngx_event_t *ev)
{
    work_t  *work = ev->data;

    over(work, work->rc);

    ngx_free(work);
}


/* The thread still has the work, which it will free. */
static void
late(ngx_event_t *ev)
{
    over(ev->data, EZW_ERROR);
}


/* Lets the request go on, once. */
static void
over(work_t *work, int rc)
{
    u_char            *p;
    ngx_ezw_ctx_t     *ctx;
    ngx_connection_t  *c;

    if (work->timer.timer_set) {
        ngx_del_timer(&work->timer);
    }

    ctx = work->ctx;

    if (ctx == NULL) {
        return;
    }

    work->ctx = NULL;
    work->forgotten = 1;
    work->cleanup->handler = NULL;

    c = ctx->request->connection;

    ngx_ezw_unpark_event(ctx);

    if (rc == EZW_OK && work->what == WORK_HASH) {
        p = ngx_pnalloc(ctx->request->pool, EZW_PASSWORD_HASH);

        if (p == NULL) {
            rc = EZW_ERROR;
        } else {
            ctx->password_hash.len = ngx_cpystrn(p, (u_char *) work->made,
                                                 EZW_PASSWORD_HASH)
                                     - p;
            ctx->password_hash.data = p;
        }
    }

    work->done(ctx, rc);

    ngx_http_run_posted_requests(c);
}


/* The request has gone. */
static void
forget(void *data)
{
    work_t  *work = data;

    work->ctx = NULL;
    work->forgotten = 1;

    if (work->timer.timer_set) {
        ngx_del_timer(&work->timer);
    }
}

/*
 * The sandbox connector plays the platform and the phone: a message is SENT,
 * then DELIVERED, and the contact answers "echo: ..." to a text.  It takes the
 * same way in as a real platform; what it calls the provider's ids are made of
 * the message's own, so that a job done twice changes nothing.
 */

#include <jansson.h>

#include "courier/ngx_ezw_courier.h"


static void sandbox_send(ngx_ezw_job_t *job);
static void sent(ngx_ezw_job_t *job);
static void delivered(ngx_ezw_job_t *job);
static void answered(ngx_ezw_job_t *job);
static char *echo(ngx_ezw_job_t *job);
static char *provider_id(ngx_ezw_job_t *job, const char *what);
static char *new_uuid(ngx_pool_t *pool);


const ngx_ezw_connector_t  ngx_ezw_sandbox = { "sandbox", sandbox_send };


static void
sandbox_send(ngx_ezw_job_t *job)
{
    char  *id;

    if (ngx_strcmp(job->kind, "template") == 0) {
        ngx_ezw_sandbox_template(job);
        return;
    }

    id = provider_id(job, "sandbox-");

    if (id == NULL) {
        ngx_ezw_job_failed(job, 1000, "no memory");
        return;
    }

    ngx_ezw_job_execute(job, NGX_EZW_S_STATUS, sent,
                        "company", job->company,
                        "channel", job->channel,
                        "message", job->message,
                        "status", "SENT",
                        "provider.id", id,
                        "error.code", NGX_EZW_NULL,
                        "error.text", NGX_EZW_NULL,
                        NULL);
}


static void
sent(ngx_ezw_job_t *job)
{
    ngx_ezw_pg_query_clear(&job->query);

    ngx_ezw_job_execute(job, NGX_EZW_S_STATUS, delivered,
                        "company", job->company,
                        "channel", job->channel,
                        "message", job->message,
                        "status", "DELIVERED",
                        "provider.id", NGX_EZW_NULL,
                        "error.code", NGX_EZW_NULL,
                        "error.text", NGX_EZW_NULL,
                        NULL);
}


static void
delivered(ngx_ezw_job_t *job)
{
    char    *id, *body, *contact, *conversation;
    u_char  *message, bytes[20], rnd[14];

    ngx_ezw_pg_query_clear(&job->query);

    if (ngx_strcmp(job->type, "text") != 0) {
        ngx_ezw_job_done(job);
        return;
    }

    id = provider_id(job, "sandbox-echo-");
    body = echo(job);
    contact = new_uuid(job->pool);
    conversation = new_uuid(job->pool);
    message = ngx_pnalloc(job->pool, EZW_MESSAGE_ID_LEN + 1);

    if (id == NULL || body == NULL || contact == NULL || conversation == NULL
        || message == NULL)
    {
        ngx_ezw_job_failed(job, 1000, "no memory");
        return;
    }

    ngx_ezw_random(rnd, sizeof(rnd));
    ezw_message_id(bytes, ngx_ezw_now(), rnd);
    ezw_hex(message, bytes, sizeof(bytes));
    message[EZW_MESSAGE_ID_LEN] = '\0';

    ngx_ezw_job_execute(job, NGX_EZW_S_RECEIVE, answered,
                        "company", job->company,
                        "channel", job->channel,
                        "contact", job->contact,
                        "contact.name", NGX_EZW_NULL,
                        "provider.id", id,
                        "id.message", (char *) message,
                        "message", body,
                        "message.type", "text",
                        "id.contact", contact,
                        "id.conversation", conversation,
                        "aliases", NGX_EZW_NULL,
                        "about.id", NGX_EZW_NULL,
                        NULL);
}


static void
answered(ngx_ezw_job_t *job)
{
    ngx_ezw_job_done(job);
}


static char *
provider_id(ngx_ezw_job_t *job, const char *what)
{
    u_char  *p;
    size_t   len;

    len = ngx_strlen(what) + ngx_strlen(job->message) + 1;

    p = ngx_pnalloc(job->pool, len);
    if (p == NULL) {
        return NULL;
    }

    *ngx_sprintf(p, "%s%s", what, job->message) = '\0';

    return (char *) p;
}


static char *
new_uuid(ngx_pool_t *pool)
{
    u_char  *p, bytes[16], rnd[10];

    p = ngx_pnalloc(pool, EZW_UUID_LEN + 1);
    if (p == NULL) {
        return NULL;
    }

    ngx_ezw_random(rnd, sizeof(rnd));
    ezw_uuid7(bytes, ngx_ezw_now(), rnd);
    ezw_uuid_text(p, bytes);
    p[EZW_UUID_LEN] = '\0';

    return (char *) p;
}


/* {"body":"echo: <body>","type":"text"}; NULL: no memory. */
static char *
echo(ngx_ezw_job_t *job)
{
    char        *text, *copy;
    json_t      *in, *out, *body;
    u_char      *p;
    const char  *s;

    in = json_loadb((char *) job->body.data, job->body.len, 0, NULL);
    body = json_object_get(in, "body");
    s = json_is_string(body) ? json_string_value(body) : "";

    p = ngx_pnalloc(job->pool, ngx_strlen(s) + sizeof("echo: "));
    if (p == NULL) {
        json_decref(in);
        return NULL;
    }

    *ngx_sprintf(p, "echo: %s", s) = '\0';

    out = json_pack("{s:s, s:s}", "body", p, "type", "text");
    text = out ? json_dumps(out, JSON_COMPACT) : NULL;

    json_decref(out);
    json_decref(in);

    if (text == NULL) {
        return NULL;
    }

    copy = ngx_pnalloc(job->pool, ngx_strlen(text) + 1);
    if (copy) {
        ngx_memcpy(copy, text, ngx_strlen(text) + 1);
    }

    free(text);

    return copy;
}

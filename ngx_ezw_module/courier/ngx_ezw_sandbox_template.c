/*
 * The sandbox looks at a new template, a second after it was made: it is
 * APPROVED, but for one whose name has "reject" in it.  Done twice, or for a
 * template that is gone, it changes nothing.
 */

#include <jansson.h>

#include "courier/ngx_ezw_courier.h"


static void looked_at(ngx_ezw_job_t *job);
static const char *member(ngx_ezw_job_t *job, json_t *payload,
    const char *name);


void
ngx_ezw_sandbox_template(ngx_ezw_job_t *job)
{
    json_t      *payload;
    ngx_uint_t   rejected;
    const char  *id, *name, *language;

    payload = json_loadb((char *) job->body.data, job->body.len, 0, NULL);

    id = member(job, payload, "id");
    name = member(job, payload, "name");
    language = member(job, payload, "language");

    json_decref(payload);

    if (id == NULL || name == NULL || language == NULL) {
        ngx_ezw_job_failed(job, 1000, "no memory");
        return;
    }

    rejected = ngx_strstr(name, "reject") != NULL;

    ngx_ezw_job_execute(job, NGX_EZW_S_TEMPLATE, looked_at,
                        "company", job->company,
                        "channel", job->channel,
                        "name", name,
                        "language", language,
                        "id", id,
                        "status", rejected ? "REJECTED" : "APPROVED",
                        "reason", rejected ? "PROMOTIONAL" : NGX_EZW_NULL,
                        NULL);
}


static void
looked_at(ngx_ezw_job_t *job)
{
    ngx_ezw_job_done(job);
}


/* A string of the command, which ezw.template_create has written; NULL: no
 * memory. */
static const char *
member(ngx_ezw_job_t *job, json_t *payload, const char *name)
{
    u_char      *p;
    size_t       len;
    const char  *s;

    s = json_string_value(json_object_get(payload, name));

    if (s == NULL) {
        return NULL;
    }

    len = ngx_strlen(s) + 1;

    p = ngx_pnalloc(job->pool, len);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(p, s, len);

    return (char *) p;
}

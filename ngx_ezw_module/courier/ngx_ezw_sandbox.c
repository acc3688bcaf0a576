/*
 * The sandbox connector plays the platform and the phone: a message is SENT,
 * then DELIVERED, and the contact answers it.  It takes the same way in as a
 * real platform; what it calls the provider's ids are made of the message's
 * own, so that a job done twice changes nothing.
 *
 * What the contact answers: "echo: ..." to a text or a caption, the first
 * button or row of a message that has some, an order to a product, else "echo:
 * " and the message's type.  What was sent by itself (a greeting) is not
 * answered, or the two would never end.
 *
 * Some numbers are actors: what they do is told by how they end (below).
 */

#include <jansson.h>

#include "courier/ngx_ezw_courier.h"


#define TAIL         (sizeof("00001003") - 1)

#define SLOW_MS      3000
#define AGAIN_MS     1000


typedef enum {
    ANSWERS = 0,
    FAILS,                        /* FAILED, with code and text */
    STAYS_SENT,                   /* a phone that is off */
    READS,                        /* DELIVERED, READ, and an answer */
    PLAYS,                        /* READ, PLAYED, and an answer */
    TYPES,                        /* COMPOSING before the answer */
    PRESSES,                      /* a button, whatever is sent */
    REACTS,                       /* with an emoji, in place of an answer */
    IS_SLOW,                      /* SENT, the rest 3 s later */
    COMES_AGAIN,                  /* the platform takes it at the second try */
    DELETES,                      /* its answer */
    IS_SILENT                     /* DELIVERED, and no answer */
} act_e;


typedef struct {
    const char           *tail;   /* of the number */
    act_e                 act;
    const char           *code;
    const char           *text;
} actor_t;


/* The one list of them; README has it too. */
static const actor_t  actors[] = {
    { "00001003", FAILS, "1003", "Service unavailable" },
    { "00001005", FAILS, "1005", "Validation error" },
    { "00001006", FAILS, "1006", "Template name does not exist" },
    { "00001007", FAILS, "1007", "User does not have WhatsApp" },
    { "00001008", FAILS, "1008", "Media is invalid" },
    { "00001011", FAILS, "1011", "Message rejected" },
    { "00001012", FAILS, "1012", "Bad gateway" },
    { "00001013", FAILS, "1013", "Parameter count mismatch" },
    /* 00001015: the care window is closed, which a send learns at once
     * (ezw.sandbox_closed); a template comes this far */
    { "00002001", STAYS_SENT, NULL, NULL },
    { "00002002", READS, NULL, NULL },
    { "00002003", PLAYS, NULL, NULL },
    { "00002004", TYPES, NULL, NULL },
    { "00002005", PRESSES, NULL, NULL },
    { "00002006", REACTS, NULL, NULL },
    { "00002007", IS_SLOW, NULL, NULL },
    { "00002008", COMES_AGAIN, NULL, NULL },
    { "00002009", DELETES, NULL, NULL },
    { "00002010", IS_SILENT, NULL, NULL },
    /* the window closes while it is on its way */
    { "00002015", FAILS, "1015", "Customer care window expired" },
};


static void sandbox_send(ngx_ezw_job_t *job);
static const actor_t *actor_of(const char *contact);
static act_e act_of(ngx_ezw_job_t *job);
static void tell(ngx_ezw_job_t *job, const char *status, const char *code,
    const char *text, void (*next)(ngx_ezw_job_t *job));
static void sent(ngx_ezw_job_t *job);
static void delivered(ngx_ezw_job_t *job);
static void read_it(ngx_ezw_job_t *job);
static void seen(ngx_ezw_job_t *job);
static void answer(ngx_ezw_job_t *job);
static void answered(ngx_ezw_job_t *job);
static void settled(ngx_ezw_job_t *job);
static char *answer_body(ngx_ezw_job_t *job, const char **type);
static json_t *echo(json_t *message, const char *type);
static json_t *postback(json_t *message, const char *type);
static json_t *pressed(const char *type, json_t *button);
static json_t *order(json_t *interactive);
static json_t *first(json_t *parent, const char *name);
static char *provider_id(ngx_ezw_job_t *job, const char *what);
static char *new_message_id(ngx_pool_t *pool);
static char *new_uuid(ngx_pool_t *pool);


const ngx_ezw_connector_t  ngx_ezw_sandbox = { "sandbox", sandbox_send };


static void
sandbox_send(ngx_ezw_job_t *job)
{
    const actor_t  *actor;

    actor = actor_of(job->contact);
    job->data = (void *) actor;

    switch (act_of(job)) {

    case FAILS:
        tell(job, "FAILED", actor->code, actor->text, settled);
        return;

    case COMES_AGAIN:
        if (job->attempts == 1) {
            ngx_ezw_job_failed(job, AGAIN_MS, "sandbox: at the second try");
            return;
        }

        break;

    default:
        break;
    }

    tell(job, "SENT", NGX_EZW_NULL, NGX_EZW_NULL, sent);
}


/* NULL: nobody special. */
static const actor_t *
actor_of(const char *contact)
{
    size_t       len;
    ngx_uint_t   i;
    const char  *at;

    at = strchr(contact, '@');
    len = at ? (size_t) (at - contact) : 0;

    for (i = 0; len >= TAIL && i < sizeof(actors) / sizeof(actors[0]); i++) {
        if (ngx_memcmp(at - TAIL, actors[i].tail, TAIL) == 0) {
            return &actors[i];
        }
    }

    return NULL;
}


static act_e
act_of(ngx_ezw_job_t *job)
{
    return job->data ? ((const actor_t *) job->data)->act : ANSWERS;
}


/* A state of the message. */
static void
tell(ngx_ezw_job_t *job, const char *status, const char *code,
    const char *text, void (*next)(ngx_ezw_job_t *job))
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

    ngx_ezw_job_execute(job, NGX_EZW_S_STATUS, next,
                        "company", job->company,
                        "channel", job->channel,
                        "message", job->message,
                        "status", status,
                        "provider.id", id,
                        "error.code", code,
                        "error.text", text,
                        NULL);
}


static void
sent(ngx_ezw_job_t *job)
{
    ngx_ezw_pg_query_clear(&job->query);

    switch (act_of(job)) {

    case STAYS_SENT:
        ngx_ezw_job_done(job);
        return;

    case IS_SLOW:
        if (job->attempts == 1) {
            ngx_ezw_job_failed(job, SLOW_MS, "sandbox: slow");
            return;
        }

        break;

    default:
        break;
    }

    tell(job, "DELIVERED", NGX_EZW_NULL, NGX_EZW_NULL, delivered);
}


static void
delivered(ngx_ezw_job_t *job)
{
    act_e  act;

    act = act_of(job);

    if (act != READS && act != PLAYS) {
        seen(job);
        return;
    }

    ngx_ezw_pg_query_clear(&job->query);

    tell(job, "READ", NGX_EZW_NULL, NGX_EZW_NULL, read_it);
}


static void
read_it(ngx_ezw_job_t *job)
{
    if (act_of(job) != PLAYS) {
        seen(job);
        return;
    }

    ngx_ezw_pg_query_clear(&job->query);

    tell(job, "PLAYED", NGX_EZW_NULL, NGX_EZW_NULL, seen);
}


/* Now it is the contact's turn. */
static void
seen(ngx_ezw_job_t *job)
{
    char  *id;

    ngx_ezw_pg_query_clear(&job->query);

    if (act_of(job) == IS_SILENT
        || ngx_strcmp(job->sender, "AUTOMATED") == 0)
    {
        ngx_ezw_job_done(job);
        return;
    }

    if (act_of(job) != TYPES) {
        answer(job);
        return;
    }

    id = new_message_id(job->pool);

    if (id == NULL) {
        ngx_ezw_job_failed(job, 1000, "no memory");
        return;
    }

    ngx_ezw_job_execute(job, NGX_EZW_S_TYPING, answer,
                        "company", job->company,
                        "channel", job->channel,
                        "contact", job->contact,
                        "id.message", id,
                        "state", "COMPOSING",
                        NULL);
}


static void
answer(ngx_ezw_job_t *job)
{
    char        *id, *about, *body, *message, *contact, *conversation;
    const char  *type;

    ngx_ezw_pg_query_clear(&job->query);

    id = provider_id(job, "sandbox-echo-");
    about = provider_id(job, "sandbox-");
    body = answer_body(job, &type);
    message = new_message_id(job->pool);
    contact = new_uuid(job->pool);
    conversation = new_uuid(job->pool);

    if (id == NULL || about == NULL || body == NULL || message == NULL
        || contact == NULL || conversation == NULL)
    {
        ngx_ezw_job_failed(job, 1000, "no memory");
        return;
    }

    ngx_ezw_job_execute(job, NGX_EZW_S_RECEIVE, answered,
                        "company", job->company,
                        "channel", job->channel,
                        "contact", job->contact,
                        "contact.name", NGX_EZW_NULL,
                        "provider.id", id,
                        "id.message", message,
                        "message", body,
                        "message.type", type,
                        "id.contact", contact,
                        "id.conversation", conversation,
                        "aliases", NGX_EZW_NULL,
                        "about.id", ngx_strcmp(type, "postback") == 0
                                    || ngx_strcmp(type, "reaction") == 0
                                    ? about : NGX_EZW_NULL,
                        NULL);
}


static void
answered(ngx_ezw_job_t *job)
{
    char  *id;

    if (act_of(job) != DELETES) {
        ngx_ezw_job_done(job);
        return;
    }

    ngx_ezw_pg_query_clear(&job->query);

    id = provider_id(job, "sandbox-echo-");

    if (id == NULL) {
        ngx_ezw_job_failed(job, 1000, "no memory");
        return;
    }

    ngx_ezw_job_execute(job, NGX_EZW_S_REVOKE, settled,
                        "company", job->company,
                        "channel", job->channel,
                        "provider.id", id,
                        NULL);
}


static void
settled(ngx_ezw_job_t *job)
{
    ngx_ezw_job_done(job);
}


/* What the contact answers, as JSON, and its type; NULL: no memory. */
static char *
answer_body(ngx_ezw_job_t *job, const char **type)
{
    char    *text, *copy;
    json_t  *message, *body;
    size_t   len;

    message = json_loadb((char *) job->body.data, job->body.len, 0, NULL);

    *type = "text";

    if (act_of(job) == REACTS) {
        *type = "reaction";
        body = json_pack("{s:s, s:s}", "emoji", "\xf0\x9f\x91\x8d",
                         "type", "reaction");

    } else if (act_of(job) == PRESSES) {
        *type = "postback";
        body = json_pack("{s:s, s:s, s:s}", "type", "button", "payload", "yes",
                         "title", "Yes");

    } else if ((body = order(json_object_get(message, "interactive")))
               != NULL)
    {
        *type = "order";

    } else if ((body = postback(message, job->type)) != NULL) {
        *type = "postback";

    } else {
        body = echo(message, job->type);
    }

    text = body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(9))
                : NULL;

    json_decref(body);
    json_decref(message);

    if (text == NULL) {
        return NULL;
    }

    len = ngx_strlen(text) + 1;

    copy = ngx_pnalloc(job->pool, len);
    if (copy) {
        ngx_memcpy(copy, text, len);
    }

    free(text);

    return copy;
}


/* {"body":"echo: ...","type":"text"} */
static json_t *
echo(json_t *message, const char *type)
{
    json_t      *text, *body;
    const char  *said;

    said = json_string_value(json_object_get(message, "body"));

    if (said == NULL) {
        said = json_string_value(json_object_get(message, "caption"));
    }

    text = json_sprintf("echo: %s", said ? said : type);
    body = text ? json_pack("{s:o, s:s}", "body", text, "type", "text") : NULL;

    return body;
}


/* The first of what can be pressed in a message; NULL: nothing. */
static json_t *
postback(json_t *message, const char *type)
{
    size_t       i;
    json_t      *components, *component, *parameter;
    const char  *kind, *payload;

    if (ngx_strcmp(type, "interactive") == 0) {
        components = json_object_get(json_object_get(message, "interactive"),
                                     "components");

        component = json_object_get(first(components, "buttons"), "reply");

        if (component) {
            return pressed("button", component);
        }

        return pressed("list",
                       first(first(json_object_get(components, "list"),
                                   "sections"),
                             "rows"));
    }

    components = json_object_get(json_object_get(message, "template"),
                                 "components");

    json_array_foreach(components, i, component) {
        kind = json_string_value(json_object_get(component, "subType"));
        parameter = first(component, "parameters");
        payload = json_string_value(json_object_get(parameter, "payload"));

        if (kind && payload && strcasecmp(kind, "quick_reply") == 0) {
            return json_pack("{s:s, s:s, s:s}", "type", "template",
                             "payload", payload, "title", payload);
        }
    }

    return NULL;
}


static json_t *
pressed(const char *type, json_t *button)
{
    const char  *payload, *title;

    payload = json_string_value(json_object_get(button, "payload"));
    title = json_string_value(json_object_get(button, "title"));

    if (payload == NULL || title == NULL) {
        return NULL;
    }

    return json_pack("{s:s, s:s, s:s}", "type", type, "payload", payload,
                     "title", title);
}


/* One of the first product that a message shows; NULL: it shows none. */
static json_t *
order(json_t *interactive)
{
    json_t      *components, *product;
    const char  *id;

    components = json_object_get(interactive, "components");
    product = json_object_get(components, "product");

    if (product == NULL) {
        product = first(first(json_object_get(components, "productList"),
                              "sections"),
                        "items");
    }

    id = json_string_value(json_object_get(product, "productId"));

    if (id == NULL) {
        return NULL;
    }

    return json_pack("{s:{s:[{s:s, s:s, s:f, s:i}]}, s:s}", "order", "items",
                     "currency", "EUR", "productId", id, "price", 9.95,
                     "quantity", 1, "type", "order");
}


/* The first element of an array that is a member; NULL: there is none. */
static json_t *
first(json_t *parent, const char *name)
{
    return json_array_get(json_object_get(parent, name), 0);
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
new_message_id(ngx_pool_t *pool)
{
    u_char  *p, bytes[20], rnd[14];

    p = ngx_pnalloc(pool, EZW_MESSAGE_ID_LEN + 1);
    if (p == NULL) {
        return NULL;
    }

    if (ngx_ezw_random(rnd, sizeof(rnd)) != NGX_OK) {
        return NULL;
    }

    ezw_message_id(bytes, ngx_ezw_now(), rnd);
    ezw_hex(p, bytes, sizeof(bytes));
    p[EZW_MESSAGE_ID_LEN] = '\0';

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

    if (ngx_ezw_random(rnd, sizeof(rnd)) != NGX_OK) {
        return NULL;
    }

    ezw_uuid7(bytes, ngx_ezw_now(), rnd);
    ezw_uuid_text(p, bytes);
    p[EZW_UUID_LEN] = '\0';

    return (char *) p;
}

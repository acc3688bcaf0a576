/*
 * Messages of a template: its name, its language, and what is put into its
 * components.  Whether there is such a template and takes so many parameters is
 * the statement's to say; it is told how many there are.
 */

#include <strings.h>

#include "ezw_message_rule.h"
#include "ezw_template.h"


#define MAX_TEMPLATE    512       /* characters */
#define MAX_COMPONENTS  13        /* header, body, footer, ten buttons */
#define MAX_PARAMETERS  100
#define MAX_BUTTONS     10
#define MAX_TEXT        1024
#define MAX_PAYLOAD     256
#define MAX_NAME        1024
#define MAX_COUPON      20
#define MAX_AMOUNT      INT64_C(9007199254740991)


/* A component as a message gives it. */
typedef struct {
    int          n;         /* parameters, -1: it is not given */
    const char  *kind;      /* of a header's or button's, as in templates */
} given_t;


typedef struct {
    given_t      header;
    given_t      body;
    given_t      footer;
    given_t      buttons[MAX_BUTTONS];      /* by index */
} counts_t;


static int check_name(ezw_message_walk_t *walk, const json_t *v);
static int check_language(ezw_message_walk_t *walk, const json_t *v);
static int check_currency(ezw_message_walk_t *walk, const json_t *v);
static int check_components(ezw_message_walk_t *walk, const json_t *v);
static int count(ezw_message_walk_t *walk, const json_t *component,
    counts_t *counts);
static int check_button(ezw_message_walk_t *walk, const json_t *component,
    given_t *given);
static const char *format_of(const json_t *list);
static int keep_counts(ezw_message_walk_t *walk, const counts_t *counts);
static void write_count(ezw_writer_t *w, const given_t *given);
static void write_kind(ezw_writer_t *w, const given_t *given);


/* Parameters ----------------------------------------------------------------*/

static const char *const  sub_types[] = {
    "quick_reply", "url", "copy_code", NULL
};

/* The same as templates have them. */
static const char *const  button_types[] = {
    "QUICK_REPLY", "URL", "COPY_CODE"
};

#define FALLBACK                                                              \
    { .name = "fallbackValue", .flags = EZW_RULE_REQUIRED, .min = 1,          \
      .max = MAX_TEXT, .alias = "fallback_value" }

static const ezw_message_rule_t  currency[] = {
    { .name = "amount1000", .type = EZW_RULE_INTEGER,
      .flags = EZW_RULE_REQUIRED, .min = -MAX_AMOUNT, .max = MAX_AMOUNT,
      .alias = "amount_1000" },
    { .name = "code", .flags = EZW_RULE_REQUIRED, .min = 3, .max = 3,
      .check = check_currency },
    FALLBACK,
    { NULL }
};

static const ezw_message_rule_t  date_time[] = {
    FALLBACK,
    { NULL }
};

static const ezw_message_rule_t  place[] = {
    { .name = "address", .max = MAX_NAME },
    { .name = "latitude", .type = EZW_RULE_NUMBER, .flags = EZW_RULE_REQUIRED,
      .min = -90, .max = 90 },
    { .name = "longitude", .type = EZW_RULE_NUMBER,
      .flags = EZW_RULE_REQUIRED, .min = -180, .max = 180 },
    { .name = "name", .max = MAX_NAME },
    { NULL }
};

#define OBJECT(n, r)                                                          \
    { .name = n, .type = EZW_RULE_OBJECT, .flags = EZW_RULE_REQUIRED,         \
      .rules = r }

static const ezw_message_rule_t  of_text[] = {
    { .name = "text", .flags = EZW_RULE_REQUIRED, .min = 1, .max = MAX_TEXT },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  of_currency[] = {
    OBJECT("currency", currency),
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  of_date_time[] = {
    { .name = "dateTime", .type = EZW_RULE_OBJECT, .flags = EZW_RULE_REQUIRED,
      .alias = "date_time", .rules = date_time },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  of_image[] = {
    OBJECT("image", ezw_message_reference),
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  of_video[] = {
    EZW_MESSAGE_CHOSEN,
    OBJECT("video", ezw_message_reference),
    { NULL }
};

static const ezw_message_rule_t  of_document[] = {
    OBJECT("document", ezw_message_file),
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  of_location[] = {
    OBJECT("location", place),
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  of_payload[] = {
    { .name = "payload", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_PAYLOAD },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  of_coupon[] = {
    { .name = "couponCode", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_COUPON, .alias = "coupon_code" },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

#define VALUES                                                                \
    { "text", of_text, NULL },                                                \
    { "currency", of_currency, NULL },                                        \
    { "date_time", of_date_time, "dateTime" }

static const ezw_message_choice_t  body_parameters[] = {
    VALUES,
    { NULL, NULL, NULL }
};

static const ezw_message_choice_t  header_parameters[] = {
    VALUES,
    { "image", of_image, NULL },
    { "video", of_video, NULL },
    { "document", of_document, NULL },
    { "location", of_location, NULL },
    { NULL, NULL, NULL }
};

static const ezw_message_choice_t  button_parameters[] = {
    { "text", of_text, NULL },
    { "payload", of_payload, NULL },
    { "coupon_code", of_coupon, "couponCode" },
    { NULL, NULL, NULL }
};


/* Components ----------------------------------------------------------------*/

#define PARAMETERS(c)                                                         \
    { .name = "parameters", .type = EZW_RULE_CHOICES, .flags = EZW_RULE_FOLD, \
      .max = MAX_PARAMETERS, .choices = c }

static const ezw_message_rule_t  header[] = {
    PARAMETERS(header_parameters),
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  body[] = {
    PARAMETERS(body_parameters),
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  footer[] = {
    { .name = "parameters", .type = EZW_RULE_IGNORED },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  button[] = {
    { .name = "index", .type = EZW_RULE_INTEGER,
      .flags = EZW_RULE_REQUIRED|EZW_RULE_DIGITS, .max = MAX_BUTTONS - 1 },
    PARAMETERS(button_parameters),
    { .name = "subType", .type = EZW_RULE_ENUM,
      .flags = EZW_RULE_REQUIRED|EZW_RULE_FOLD, .alias = "sub_type",
      .values = sub_types },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_choice_t  components[] = {
    { "header", header, NULL },
    { "body", body, NULL },
    { "footer", footer, NULL },
    { "button", button, NULL },
    { NULL, NULL, NULL }
};

static const ezw_message_rule_t  language[] = {
    { .name = "code", .flags = EZW_RULE_REQUIRED, .check = check_language },
    { .name = "policy", .type = EZW_RULE_IGNORED },
    { NULL }
};

static const ezw_message_rule_t  template[] = {
    { .name = "components", .type = EZW_RULE_CHOICES, .flags = EZW_RULE_FOLD,
      .max = MAX_COMPONENTS, .choices = components },
    { .name = "language", .type = EZW_RULE_OBJECT, .flags = EZW_RULE_REQUIRED,
      .rules = language, .text = "code" },
    { .name = "name", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_TEMPLATE, .check = check_name },
    { .name = "namespace", .type = EZW_RULE_IGNORED },
    { NULL }
};

const ezw_message_rule_t  ezw_message_template[] = {
    EZW_MESSAGE_CONTEXT,
    { .name = "template", .type = EZW_RULE_OBJECT,
      .flags = EZW_RULE_REQUIRED|EZW_RULE_SINGLE, .rules = template,
      .check = check_components },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};


/* The name of a template; it is a part of the message. */
static int
check_name(ezw_message_walk_t *walk, const json_t *v)
{
    size_t       len;
    const char  *p;

    p = json_string_value(v);
    len = json_string_length(v);

    if (!ezw_template_is_name(p, len)) {
        return ezw_message_refuse(walk, VALIDATION,
                                  "must be of a-z, 0-9 and _");
    }

    return ezw_fields_value_set(walk->conf,
                                &walk->parts[EZW_MESSAGE_TEMPLATE_NAME], p,
                                len);
}


/* The code of a language, "en" or "en_US"; it is a part of the message. */
static int
check_language(ezw_message_walk_t *walk, const json_t *v)
{
    size_t       len;
    const char  *p;

    p = json_string_value(v);
    len = json_string_length(v);

    if (!ezw_template_is_language(p, len)) {
        return ezw_message_refuse(walk, VALIDATION,
                                  "must be a language, as en or en_US");
    }

    return ezw_fields_value_set(walk->conf,
                                &walk->parts[EZW_MESSAGE_TEMPLATE_LANGUAGE], p,
                                len);
}


/* Three letters (ISO 4217). */
static int
check_currency(ezw_message_walk_t *walk, const json_t *v)
{
    if (strspn(json_string_value(v), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3) {
        return ezw_message_refuse(walk, VALIDATION,
                                  "must be three letters, as EUR");
    }

    return EZW_OK;
}


/* Counts the parameters of a template, which has each component once. */
static int
check_components(ezw_message_walk_t *walk, const json_t *v)
{
    int            rc;
    size_t         i, list_len, path_len;
    counts_t       counts;
    const json_t  *list;

    counts.header.n = counts.body.n = counts.footer.n = -1;

    for (i = 0; i < MAX_BUTTONS; i++) {
        counts.buttons[i].n = -1;
    }

    list = ezw_message_member(v, "components", NULL);
    list_len = ezw_message_enter(walk, "components");

    for (i = 0; i < json_array_size(list); i++) {
        path_len = ezw_message_enter_element(walk, i);

        rc = count(walk, json_array_get(list, i), &counts);

        if (rc != EZW_OK) {
            return rc;
        }

        ezw_message_leave(walk, path_len);
    }

    ezw_message_leave(walk, list_len);

    return keep_counts(walk, &counts);
}


/* Counts the parameters of one component. */
static int
count(ezw_message_walk_t *walk, const json_t *component, counts_t *counts)
{
    given_t                     *given;
    const char                  *name;
    const json_t                *list;
    const ezw_message_rule_t    *rules;

    name = "type";
    list = json_object_get(component, "parameters");
    rules = ezw_message_choose(components, EZW_RULE_FOLD,
                               json_object_get(component, "type"))->rules;

    if (rules == button) {
        name = "index";
        given = &counts->buttons[ezw_message_integer(
                                     json_object_get(component, name))];

    } else if (rules == header) {
        given = &counts->header;

    } else {
        given = (rules == body) ? &counts->body : &counts->footer;
    }

    if (given->n >= 0) {
        return ezw_message_refuse_member(walk, name, "is given twice");
    }

    given->n = (int) json_array_size(list);

    if (rules == header) {
        given->kind = format_of(list);

    } else if (rules == button) {
        return check_button(walk, component, given);
    }

    return EZW_OK;
}


/* Each kind of button has its own kind of parameter; sets which it is. */
static int
check_button(ezw_message_walk_t *walk, const json_t *component, given_t *given)
{
    size_t                     i, kind;
    const json_t              *list, *type;
    const ezw_message_rule_t  *rules;

    static const ezw_message_rule_t *const  takes[] = {
        of_payload, of_text, of_coupon
    };

    type = ezw_message_member(component, "subType", "sub_type");

    for (kind = 0; strcasecmp(sub_types[kind], json_string_value(type)) != 0;
         kind++)
    {
        /* it is among them */
    }

    given->kind = button_types[kind];

    list = json_object_get(component, "parameters");

    for (i = 0; i < json_array_size(list); i++) {
        type = json_object_get(json_array_get(list, i), "type");
        rules = ezw_message_choose(button_parameters, EZW_RULE_FOLD,
                                   type)->rules;

        if (rules != takes[kind]) {
            (void) ezw_message_enter(walk, "parameters");
            (void) ezw_message_enter_element(walk, i);

            return ezw_message_refuse_member(walk, "type",
                                             "does not go with the button");
        }
    }

    return EZW_OK;
}


/* The format of the header that takes the parameters, NULL: they are none. */
static const char *
format_of(const json_t *list)
{
    const json_t              *type;
    const ezw_message_rule_t  *rules;

    if (json_array_size(list) == 0) {
        return NULL;
    }

    type = json_object_get(json_array_get(list, 0), "type");
    rules = ezw_message_choose(header_parameters, EZW_RULE_FOLD, type)->rules;

    return (rules == of_image) ? "IMAGE"
           : (rules == of_video) ? "VIDEO"
           : (rules == of_document) ? "DOCUMENT"
           : (rules == of_location) ? "LOCATION" : "TEXT";
}


/* Keeps what is given as a part; buttons as far as one is. */
static int
keep_counts(ezw_message_walk_t *walk, const counts_t *counts)
{
    unsigned            i, n;
    ezw_writer_t       *w;
    ezw_fields_text_t   text;

    for (n = MAX_BUTTONS; n > 0 && counts->buttons[n - 1].n < 0; n--) {
        /* void */
    }

    ezw_fields_text_init(&text, walk->conf->alloc, 0);
    w = &text.w;

    ezw_json_literal(w, "{\"header\":");
    write_count(w, &counts->header);
    ezw_json_literal(w, ",\"format\":");
    write_kind(w, counts->header.n > 0 ? &counts->header : NULL);
    ezw_json_literal(w, ",\"body\":");
    write_count(w, &counts->body);
    ezw_json_literal(w, ",\"buttons\":[");

    for (i = 0; i < n; i++) {
        ezw_json_raw(w, ",", i > 0);
        write_count(w, &counts->buttons[i]);
    }

    ezw_json_literal(w, "],\"types\":[");

    for (i = 0; i < n; i++) {
        ezw_json_raw(w, ",", i > 0);
        write_kind(w, counts->buttons[i].n >= 0 ? &counts->buttons[i] : NULL);
    }

    ezw_json_literal(w, "]}");

    return ezw_fields_text_finish(
               &text, &walk->parts[EZW_MESSAGE_TEMPLATE_PARAMETERS]);
}


/* Writes how many parameters are given, 0 for what is not. */
static void
write_count(ezw_writer_t *w, const given_t *given)
{
    ezw_json_int(w, given->n < 0 ? 0 : given->n);
}


/* Writes of which kind what is given is. */
static void
write_kind(ezw_writer_t *w, const given_t *given)
{
    if (given == NULL) {
        ezw_json_literal(w, "null");
        return;
    }

    ezw_json_string(w, given->kind, strlen(given->kind));
}

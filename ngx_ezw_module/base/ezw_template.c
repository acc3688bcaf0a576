/* The components of message templates: one function for each type. */

#include <stdio.h>
#include <strings.h>

#include "ezw_fields_value.h"
#include "ezw_template.h"


#define MAX_NAME        512
#define COMPONENT       96        /* "components[3]" */
#define BUTTON          128       /* "components[3].buttons[9]" */
#define FIELD           160       /* "components[3].buttons[9].phone_number" */

#define MAX_HEADER      60        /* characters */
#define MAX_BODY        1024
#define MAX_FOOTER      60
#define MAX_BUTTON      25
#define MAX_URL         2000
#define MAX_PHONE       20

#define MAX_BUTTONS     10
#define MAX_VARIABLES   256

#define ANY_VARIABLES   MAX_VARIABLES


typedef enum {
    HEADER = 0,
    BODY,
    FOOTER,
    BUTTONS
} component_e;

typedef enum {
    QUICK_REPLY = 0,
    URL,
    PHONE_NUMBER,
    COPY_CODE
} button_e;

#define TEXT      0               /* of formats */

#define NONE     -1
#define OPTIONAL -1


static const char *const  components[] = {
    "HEADER", "BODY", "FOOTER", "BUTTONS", NULL
};

static const char *const  formats[] = {
    "TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION", NULL
};

static const char *const  buttons[] = {
    "QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", NULL
};

/* How many of each a template may have. */
static const unsigned  most[] = { MAX_BUTTONS, 2, 1, 1 };


typedef struct {
    const ezw_fields_conf_t  *conf;
    ezw_invalid_t            *why;
    unsigned                  seen[4];
    int                       format;              /* NONE: no header */
    int                       header;              /* parameters */
    int                       body;
    unsigned                  nbuttons;
    button_e                  types[MAX_BUTTONS];
    int                       params[MAX_BUTTONS]; /* OPTIONAL */
} template_t;


static int check_component(template_t *t, const char *field, const json_t *v);
static int check_header(template_t *t, const char *field, const json_t *v);
static int check_body(template_t *t, const char *field, const json_t *v);
static int check_footer(template_t *t, const char *field, const json_t *v);
static int check_buttons(template_t *t, const char *field, const json_t *v);
static int check_button(template_t *t, const char *field, const json_t *v);
static int check_url(template_t *t, const char *field, const json_t *v,
    int *n);
static int check_choices(template_t *t, const char *field);
static int check_text(template_t *t, const char *field, const char *name,
    const json_t *v, unsigned max, unsigned variables, int *n);
static int count_variables(const char *p, size_t len, int *n,
    const char **last);
static int read_word(template_t *t, const char *field, const char *name,
    const json_t *v, const char *const *words, int *word);
static int refuse_unknown(template_t *t, const char *field, const json_t *v,
    const char *const *known);
static int refuse(template_t *t, const char *field, const char *name,
    const char *what);
static int write_parameters(template_t *t, ezw_value_t *value);


/* 1 for a template's name. */
int
ezw_template_is_name(const char *p, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (!(p[i] >= 'a' && p[i] <= 'z') && !(p[i] >= '0' && p[i] <= '9')
            && p[i] != '_')
        {
            return 0;
        }
    }

    return len > 0 && len <= MAX_NAME;
}


/* 1 for a language's code. */
int
ezw_template_is_language(const char *p, size_t len)
{
    size_t  i, n;

    for (n = 0; n < len && p[n] >= 'a' && p[n] <= 'z'; n++) { /* void */ }

    if (n < 2 || n > 3) {
        return 0;
    }

    if (n == len) {
        return 1;
    }

    if (len - n != 3 || p[n] != '_') {
        return 0;
    }

    for (i = n + 1; i < len; i++) {
        if (p[i] < 'A' || p[i] > 'Z') {
            return 0;
        }
    }

    return 1;
}


/* Checks the components and sets them and what a send gives; EZW_OK,
 * EZW_INVALID or EZW_ERROR. */
int
ezw_template_check(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *values, ezw_invalid_t *why)
{
    int         rc;
    char        field[COMPONENT];
    size_t      i;
    template_t  t;

    memset(&t, 0, sizeof(template_t));

    t.conf = conf;
    t.why = why;
    t.format = NONE;

    if (!json_is_array(v)) {
        return ezw_fields_value_refuse(rule, "must be an array of objects",
                                       why);
    }

    for (i = 0; i < json_array_size(v); i++) {
        snprintf(field, sizeof(field), "%s[%u]", rule->name, (unsigned) i);

        rc = check_component(&t, field, json_array_get(v, i));

        if (rc != EZW_OK) {
            return rc;
        }
    }

    if (!t.seen[BODY]) {
        return ezw_fields_value_refuse(rule, "needs a BODY", why);
    }

    rc = ezw_fields_json_check(conf, rule, v, &values[0], why);

    return (rc == EZW_OK) ? write_parameters(&t, &values[1]) : rc;
}


/* Checks one component, of a type that has not been there; EZW_OK or
 * EZW_INVALID. */
static int
check_component(template_t *t, const char *field, const json_t *v)
{
    int  type;

    if (!json_is_object(v)) {
        return refuse(t, field, NULL, "must be an object");
    }

    if (read_word(t, field, "type", v, components, &type) != EZW_OK) {
        return EZW_INVALID;
    }

    if (t->seen[type]++) {
        return ezw_invalid(t->why, VALIDATION, field,
                           "%s is a second %s", field, components[type]);
    }

    switch (type) {

    case HEADER:
        return check_header(t, field, v);

    case BODY:
        return check_body(t, field, v);

    case FOOTER:
        return check_footer(t, field, v);

    default: /* BUTTONS */
        return check_buttons(t, field, v);
    }
}


/* A header is a text, or what takes its place in each send. */
static int
check_header(template_t *t, const char *field, const json_t *v)
{
    static const char *const  known[] = {
        "example", "format", "text", "type", NULL
    };

    if (refuse_unknown(t, field, v, known) != EZW_OK
        || read_word(t, field, "format", v, formats, &t->format) != EZW_OK)
    {
        return EZW_INVALID;
    }

    if (t->format != TEXT) {
        t->header = 1;
        return EZW_OK;
    }

    return check_text(t, field, "text", v, MAX_HEADER, 1, &t->header);
}


static int
check_body(template_t *t, const char *field, const json_t *v)
{
    static const char *const  known[] = { "example", "text", "type", NULL };

    if (refuse_unknown(t, field, v, known) != EZW_OK) {
        return EZW_INVALID;
    }

    return check_text(t, field, "text", v, MAX_BODY, ANY_VARIABLES, &t->body);
}


static int
check_footer(template_t *t, const char *field, const json_t *v)
{
    int  n;

    static const char *const  known[] = { "text", "type", NULL };

    if (refuse_unknown(t, field, v, known) != EZW_OK) {
        return EZW_INVALID;
    }

    return check_text(t, field, "text", v, MAX_FOOTER, 0, &n);
}


static int
check_buttons(template_t *t, const char *field, const json_t *v)
{
    char           name[BUTTON];
    size_t         i, n;
    const json_t  *list;

    static const char *const  known[] = { "buttons", "type", NULL };

    if (refuse_unknown(t, field, v, known) != EZW_OK) {
        return EZW_INVALID;
    }

    list = json_object_get(v, "buttons");

    if (list == NULL) {
        return refuse(t, field, "buttons", "is required");
    }

    if (!json_is_array(list)) {
        return refuse(t, field, "buttons", "must be an array of objects");
    }

    n = json_array_size(list);

    if (n == 0) {
        return refuse(t, field, "buttons",
                      "has too few elements: at least 1");
    }

    if (n > MAX_BUTTONS) {
        return refuse(t, field, "buttons",
                      "has too many elements: at most 10");
    }

    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%s.buttons[%u]", field, (unsigned) i);

        if (check_button(t, name, json_array_get(list, i)) != EZW_OK) {
            return EZW_INVALID;
        }
    }

    return check_choices(t, field);
}


/* Checks a button and notes its type and parameters; EZW_OK or EZW_INVALID. */
static int
check_button(template_t *t, const char *field, const json_t *v)
{
    int          n, type, *params;
    const char  *phone;

    static const char *const  known[] = {
        "example", "phoneNumber", "phone_number", "text", "type", "url", NULL
    };

    if (!json_is_object(v)) {
        return refuse(t, field, NULL, "must be an object");
    }

    if (refuse_unknown(t, field, v, known) != EZW_OK
        || read_word(t, field, "type", v, buttons, &type) != EZW_OK)
    {
        return EZW_INVALID;
    }

    params = &t->params[t->nbuttons];
    t->types[t->nbuttons++] = type;

    /* what stands on the one that copies a code is the phone's to say */

    if ((type != COPY_CODE || json_object_get(v, "text") != NULL)
        && check_text(t, field, "text", v, MAX_BUTTON, 0, &n) != EZW_OK)
    {
        return EZW_INVALID;
    }

    switch (type) {

    case QUICK_REPLY:
        *params = OPTIONAL;
        return EZW_OK;

    case URL:
        return check_url(t, field, v, params);

    case PHONE_NUMBER:
        phone = json_object_get(v, "phoneNumber") ? "phoneNumber"
                                                  : "phone_number";
        *params = 0;
        return check_text(t, field, phone, v, MAX_PHONE, 0, &n);

    default: /* COPY_CODE */
        *params = 1;
        return EZW_OK;
    }
}


/* Checks where a button leads: only the end of it may be a send's. */
static int
check_url(template_t *t, const char *field, const json_t *v, int *n)
{
    size_t       len;
    const char  *p, *last;

    if (check_text(t, field, "url", v, MAX_URL, 1, n) != EZW_OK) {
        return EZW_INVALID;
    }

    p = json_string_value(json_object_get(v, "url"));
    len = json_string_length(json_object_get(v, "url"));

    if (strncasecmp(p, "https://", 8) != 0 && strncasecmp(p, "http://", 7) != 0)
    {
        return refuse(t, field, "url", "must be an http or https URL");
    }

    if (*n > 0) {
        (void) count_variables(p, len, n, &last);

        if (last != p + len) {
            return refuse(t, field, "url",
                          "must have its variable at its end");
        }
    }

    return EZW_OK;
}


/* Checks how many of each there are, and that quick replies stand together;
 * EZW_OK or EZW_INVALID. */
static int
check_choices(template_t *t, const char *field)
{
    unsigned  i, turns, n[4] = { 0, 0, 0, 0 };

    turns = 0;

    for (i = 0; i < t->nbuttons; i++) {

        if (++n[t->types[i]] > most[t->types[i]]) {
            return ezw_invalid(t->why, VALIDATION, field,
                               "%s.buttons has too many of %s: at most %u",
                               field, buttons[t->types[i]],
                               most[t->types[i]]);
        }

        if (i > 0 && (t->types[i] == QUICK_REPLY)
                     != (t->types[i - 1] == QUICK_REPLY))
        {
            turns++;
        }
    }

    if (turns > 1) {
        return refuse(t, field, "buttons",
                      "must have its QUICK_REPLY buttons together");
    }

    return EZW_OK;
}


/* Checks a text that has to be there, of 1 to max characters and at most so
 * many variables; *n: how many it has.  EZW_OK or EZW_INVALID. */
static int
check_text(template_t *t, const char *field, const char *name,
    const json_t *v, unsigned max, unsigned variables, int *n)
{
    int            rc;
    char           full[FIELD];
    const char    *last;
    const json_t  *text;

    text = json_object_get(v, name);

    if (text == NULL) {
        return refuse(t, field, name, "is required");
    }

    if (!json_is_string(text)) {
        return refuse(t, field, name, "must be a string");
    }

    snprintf(full, sizeof(full), "%s.%s", field, name);

    rc = ezw_fields_value_check_length(full, 1, max, json_string_value(text),
                                       json_string_length(text), t->why);

    if (rc != EZW_OK) {
        return rc;
    }

    rc = count_variables(json_string_value(text), json_string_length(text), n,
                         &last);

    if (rc != EZW_OK) {
        return refuse(t, field, name,
                      "must have its variables as {{1}}, {{2}} and so on");
    }

    if ((unsigned) *n > variables) {
        return refuse(t, field, name,
                      variables ? "must have one variable at most"
                                : "must not have variables");
    }

    return EZW_OK;
}


/* Counts the variables of a text, which are 1 to *n, each once or more; *last
 * is the end of the last of them.  EZW_OK, or EZW_INVALID for others. */
static int
count_variables(const char *p, size_t len, int *n, const char **last)
{
    unsigned       v, max, distinct;
    const char    *end;
    unsigned char  seen[MAX_VARIABLES + 1];

    memset(seen, 0, sizeof(seen));

    max = 0;
    distinct = 0;
    *last = NULL;

    for (end = p + len; p + 1 < end; p++) {

        if (p[0] != '{' || p[1] != '{') {
            continue;
        }

        v = 0;
        p += 2;

        if (p < end && *p == '0') {
            return EZW_INVALID;
        }

        while (p < end && *p >= '0' && *p <= '9') {
            v = v * 10 + (*p++ - '0');

            if (v > MAX_VARIABLES) {
                return EZW_INVALID;
            }
        }

        if (v == 0 || end - p < 2 || p[0] != '}' || p[1] != '}') {
            return EZW_INVALID;
        }

        *last = p + 2;
        p++;

        distinct += !seen[v];
        seen[v] = 1;
        max = (v > max) ? v : max;
    }

    *n = (int) max;

    return (distinct == max) ? EZW_OK : EZW_INVALID;
}


/* Reads which of the words a name of the object says, in any letter case;
 * EZW_OK or EZW_INVALID. */
static int
read_word(template_t *t, const char *field, const char *name, const json_t *v,
    const char *const *words, int *word)
{
    int            i;
    char           list[96];
    size_t         used;
    const json_t  *s;

    s = json_object_get(v, name);

    if (s == NULL) {
        return refuse(t, field, name, "is required");
    }

    if (!json_is_string(s)) {
        return refuse(t, field, name, "must be a string");
    }

    for (i = 0; words[i] != NULL; i++) {
        if (strlen(words[i]) == json_string_length(s)
            && strcasecmp(words[i], json_string_value(s)) == 0)
        {
            *word = i;
            return EZW_OK;
        }
    }

    used = (size_t) snprintf(list, sizeof(list), "must be one of");

    for (i = 0; words[i] != NULL; i++) {
        used += (size_t) snprintf(list + used, sizeof(list) - used, "%s %s",
                                  i ? "," : "", words[i]);
    }

    return refuse(t, field, name, list);
}


/* When strict: EZW_INVALID for a name of the object that is not known. */
static int
refuse_unknown(template_t *t, const char *field, const json_t *v,
    const char *const *known)
{
    unsigned     n;
    ezw_field_t  rule;

    if (!t->conf->strict) {
        return EZW_OK;
    }

    for (n = 0; known[n] != NULL; n++) { /* void */ }

    memset(&rule, 0, sizeof(ezw_field_t));
    rule.name = field;

    return ezw_fields_value_refuse_unknown(&rule, v, known, n, t->why);
}


/* Refuses a field, or what it has under a name: "<field>.<name> <what>". */
static int
refuse(template_t *t, const char *field, const char *name, const char *what)
{
    char  full[FIELD];

    snprintf(full, sizeof(full), "%s%s%s", field, name ? "." : "",
             name ? name : "");

    return ezw_invalid(t->why, VALIDATION, full, "%s %s", full, what);
}


/* Sets what a send has to give; EZW_OK or EZW_ERROR. */
static int
write_parameters(template_t *t, ezw_value_t *value)
{
    unsigned            i;
    ezw_fields_text_t   text;

    ezw_fields_text_init(&text, t->conf->alloc, 0);

    ezw_json_literal(&text.w, "{\"header\":");
    ezw_json_int(&text.w, t->header);
    ezw_json_literal(&text.w, ",\"format\":");

    if (t->format == NONE) {
        ezw_json_literal(&text.w, "null");

    } else {
        ezw_json_string(&text.w, formats[t->format],
                        strlen(formats[t->format]));
    }

    ezw_json_literal(&text.w, ",\"body\":");
    ezw_json_int(&text.w, t->body);
    ezw_json_literal(&text.w, ",\"buttons\":[");

    for (i = 0; i < t->nbuttons; i++) {

        if (i > 0) {
            ezw_json_literal(&text.w, ",");
        }

        if (t->params[i] == OPTIONAL) {
            ezw_json_literal(&text.w, "null");

        } else {
            ezw_json_int(&text.w, t->params[i]);
        }
    }

    ezw_json_literal(&text.w, "],\"types\":[");

    for (i = 0; i < t->nbuttons; i++) {

        if (i > 0) {
            ezw_json_literal(&text.w, ",");
        }

        ezw_json_string(&text.w, buttons[t->types[i]],
                        strlen(buttons[t->types[i]]));
    }

    ezw_json_literal(&text.w, "]}");

    return ezw_fields_text_finish(&text, value);
}

/*
 * Interactive messages: buttons, a list, a product or several (DECISIONS 13).
 */

#include "ezw_message_rule.h"


#define MAX_BUTTONS     3
#define MAX_SECTIONS    10
#define MAX_ROWS        10        /* of all sections together */
#define MAX_PRODUCTS    30        /* of a section */
#define MAX_BODY        1024      /* characters */
#define MAX_SMALL       60        /* header, footer */
#define MAX_TITLE       20        /* of a button, and of what opens a list */
#define MAX_ROW_TITLE   24        /* and of a section */
#define MAX_ROW_TEXT    72
#define MAX_ROW_ID      200
#define MAX_BUTTON_ID   256
#define MAX_PRODUCT     100


static int check_list(ezw_message_walk_t *walk, const json_t *v);
static int check_product(ezw_message_walk_t *walk, const json_t *v);
static int check_products(ezw_message_walk_t *walk, const json_t *v);
static int check_sections(ezw_message_walk_t *walk, const json_t *v);
static int check_rows(ezw_message_walk_t *walk, const json_t *sections);
static int check_buttons(ezw_message_walk_t *walk, const json_t *v);
static int check_new(ezw_message_walk_t *walk, const json_t *v,
    const json_t *const *seen, size_t n, const char *name);
static const json_t *payload_of(const json_t *o);
static const char *payload_name(const json_t *o);


static const char *const  only_text[] = { "text", NULL };
static const char *const  only_reply[] = { "reply", NULL };


/* Texts ---------------------------------------------------------------------*/

#define TYPE_TEXT                                                             \
    { .name = "type", .type = EZW_RULE_ENUM, .values = only_text,             \
      .absent = "text" }

static const ezw_message_rule_t  long_text[] = {
    { .name = "text", .flags = EZW_RULE_REQUIRED, .min = 1, .max = MAX_BODY },
    TYPE_TEXT,
    { NULL }
};

static const ezw_message_rule_t  small_text[] = {
    { .name = "text", .flags = EZW_RULE_REQUIRED, .min = 1, .max = MAX_SMALL },
    TYPE_TEXT,
    { NULL }
};

#define BODY(f)                                                               \
    { .name = "body", .type = EZW_RULE_OBJECT, .flags = f,                    \
      .rules = long_text, .text = "text" }

#define FOOTER                                                                \
    { .name = "footer", .type = EZW_RULE_OBJECT, .rules = small_text,         \
      .text = "text" }

/* Where it may be nothing but a text. */
#define TEXT_HEADER(f)                                                        \
    { .name = "header", .type = EZW_RULE_OBJECT, .flags = f,                  \
      .rules = small_text, .text = "text" }


/* Headers with media --------------------------------------------------------*/

#define OBJECT(n, r)                                                          \
    { .name = n, .type = EZW_RULE_OBJECT, .flags = EZW_RULE_REQUIRED,         \
      .rules = r }

static const ezw_message_rule_t  header_text[] = {
    { .name = "text", .flags = EZW_RULE_REQUIRED, .min = 1, .max = MAX_SMALL },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  header_image[] = {
    OBJECT("image", ezw_message_reference),
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_rule_t  header_video[] = {
    EZW_MESSAGE_CHOSEN,
    OBJECT("video", ezw_message_reference),
    { NULL }
};

static const ezw_message_rule_t  header_document[] = {
    OBJECT("document", ezw_message_file),
    EZW_MESSAGE_CHOSEN,
    { NULL }
};

static const ezw_message_choice_t  headers[] = {
    { "text", header_text, NULL },
    { "image", header_image, NULL },
    { "video", header_video, NULL },
    { "document", header_document, NULL },
    { NULL, NULL, NULL }
};


/* Buttons -------------------------------------------------------------------*/

static const ezw_message_rule_t  reply[] = {
    { .name = "payload", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_BUTTON_ID, .alias = "id" },
    { .name = "title", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_TITLE },
    { NULL }
};

static const ezw_message_rule_t  button[] = {
    OBJECT("reply", reply),
    { .name = "type", .type = EZW_RULE_ENUM, .values = only_reply,
      .absent = "reply" },
    { NULL }
};

static const ezw_message_rule_t  button_components[] = {
    BODY(EZW_RULE_REQUIRED),
    { .name = "buttons", .type = EZW_RULE_OBJECTS, .flags = EZW_RULE_REQUIRED,
      .min = 1, .max = MAX_BUTTONS, .rules = button, .check = check_buttons },
    FOOTER,
    { .name = "header", .type = EZW_RULE_CHOICE, .choices = headers,
      .absent = "text", .text = "text" },
    { NULL }
};


/* A list --------------------------------------------------------------------*/

#define SECTION_TITLE                                                         \
    { .name = "title", .min = 1, .max = MAX_ROW_TITLE }

static const ezw_message_rule_t  row[] = {
    { .name = "description", .max = MAX_ROW_TEXT },
    { .name = "payload", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_ROW_ID, .alias = "id" },
    { .name = "title", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_ROW_TITLE },
    { NULL }
};

static const ezw_message_rule_t  section[] = {
    { .name = "rows", .type = EZW_RULE_OBJECTS, .flags = EZW_RULE_REQUIRED,
      .min = 1, .max = MAX_ROWS, .rules = row },
    SECTION_TITLE,
    { NULL }
};

static const ezw_message_rule_t  list[] = {
    { .name = "sections", .type = EZW_RULE_OBJECTS, .flags = EZW_RULE_REQUIRED,
      .min = 1, .max = MAX_SECTIONS, .rules = section, .check = check_list },
    { .name = "title", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_TITLE },
    { NULL }
};

static const ezw_message_rule_t  list_components[] = {
    BODY(EZW_RULE_REQUIRED),
    FOOTER,
    TEXT_HEADER(0),
    OBJECT("list", list),
    { NULL }
};


/* Products ------------------------------------------------------------------*/

static const ezw_message_rule_t  product[] = {
    { .name = "productId", .flags = EZW_RULE_REQUIRED, .min = 1,
      .max = MAX_PRODUCT },
    { NULL }
};

static const ezw_message_rule_t  product_section[] = {
    { .name = "items", .type = EZW_RULE_OBJECTS, .flags = EZW_RULE_REQUIRED,
      .min = 1, .max = MAX_PRODUCTS, .rules = product },
    SECTION_TITLE,
    { NULL }
};

static const ezw_message_rule_t  product_list[] = {
    { .name = "sections", .type = EZW_RULE_OBJECTS, .flags = EZW_RULE_REQUIRED,
      .min = 1, .max = MAX_SECTIONS, .rules = product_section,
      .check = check_products },
    { NULL }
};

static const ezw_message_rule_t  product_components[] = {
    BODY(0),
    FOOTER,
    { .name = "header", .type = EZW_RULE_REFUSED },
    { .name = "product", .type = EZW_RULE_OBJECT, .flags = EZW_RULE_REQUIRED,
      .rules = product, .check = check_product },
    { NULL }
};

static const ezw_message_rule_t  product_list_components[] = {
    BODY(EZW_RULE_REQUIRED),
    FOOTER,
    TEXT_HEADER(EZW_RULE_REQUIRED),
    OBJECT("productList", product_list),
    { NULL }
};


/* The four ------------------------------------------------------------------*/

#define INTERACTIVE(c)                                                        \
    { OBJECT("components", c), EZW_MESSAGE_CHOSEN, { NULL } }

static const ezw_message_rule_t  of_button[] = INTERACTIVE(button_components);
static const ezw_message_rule_t  of_list[] = INTERACTIVE(list_components);
static const ezw_message_rule_t  of_product[] =
    INTERACTIVE(product_components);
static const ezw_message_rule_t  of_product_list[] =
    INTERACTIVE(product_list_components);

static const ezw_message_choice_t  kinds[] = {
    { "button", of_button, NULL },
    { "list", of_list, NULL },
    { "product", of_product, NULL },
    { "productList", of_product_list, NULL },
    { NULL, NULL, NULL }
};

const ezw_message_rule_t  ezw_message_interactive[] = {
    EZW_MESSAGE_CONTEXT,
    { .name = "interactive", .type = EZW_RULE_CHOICE,
      .flags = EZW_RULE_REQUIRED, .choices = kinds },
    EZW_MESSAGE_CHOSEN,
    { NULL }
};


static int
check_list(ezw_message_walk_t *walk, const json_t *v)
{
    int  rc;

    rc = check_sections(walk, v);

    return (rc == EZW_OK) ? check_rows(walk, v) : rc;
}


/* Where there are several sections, each has a title. */
static int
check_sections(ezw_message_walk_t *walk, const json_t *v)
{
    int     rc;
    size_t  i, path_len;

    if (json_array_size(v) == 1) {
        return EZW_OK;
    }

    for (i = 0; i < json_array_size(v); i++) {

        if (ezw_message_member(json_array_get(v, i), "title", NULL) == NULL) {
            path_len = ezw_message_enter_element(walk, i);
            rc = ezw_message_refuse_member(walk, "title",
                                           "is required where there are "
                                           "several sections");
            ezw_message_leave(walk, path_len);

            return rc;
        }
    }

    return EZW_OK;
}


/* The channel must have a catalog. */
static int
check_product(ezw_message_walk_t *walk, const json_t *v)
{
    (void) v;

    ezw_fields_value_set_literal(&walk->parts[EZW_MESSAGE_CATALOG], "t");

    return EZW_OK;
}


static int
check_products(ezw_message_walk_t *walk, const json_t *v)
{
    (void) check_product(walk, v);

    return check_sections(walk, v);
}


/* The rows of all sections together: not too many, and no two that answer
 * alike. */
static int
check_rows(ezw_message_walk_t *walk, const json_t *sections)
{
    int            rc;
    size_t         i, k, n, path_len;
    const json_t  *rows, *payload, *seen[MAX_ROWS];

    n = 0;
    path_len = walk->path_len;

    for (i = 0; i < json_array_size(sections); i++) {
        rows = json_object_get(json_array_get(sections, i), "rows");

        for (k = 0; k < json_array_size(rows); k++) {

            if (n == MAX_ROWS) {
                return ezw_message_refuse(walk, VALIDATION,
                                          "has too many rows: at most 10 in "
                                          "all");
            }

            (void) ezw_message_enter_element(walk, i);
            (void) ezw_message_enter(walk, "rows");
            (void) ezw_message_enter_element(walk, k);

            payload = payload_of(json_array_get(rows, k));
            rc = check_new(walk, payload, seen, n,
                           payload_name(json_array_get(rows, k)));

            ezw_message_leave(walk, path_len);

            if (rc != EZW_OK) {
                return rc;
            }

            seen[n++] = payload;
        }
    }

    return EZW_OK;
}


/* No two buttons alike, for the person or for the program. */
static int
check_buttons(ezw_message_walk_t *walk, const json_t *v)
{
    int            rc;
    size_t         i, path_len;
    const json_t  *one, *titles[MAX_BUTTONS], *payloads[MAX_BUTTONS];

    path_len = walk->path_len;

    for (i = 0; i < json_array_size(v); i++) {
        one = json_object_get(json_array_get(v, i), "reply");
        titles[i] = json_object_get(one, "title");
        payloads[i] = payload_of(one);

        (void) ezw_message_enter_element(walk, i);
        (void) ezw_message_enter(walk, "reply");

        rc = check_new(walk, titles[i], titles, i, "title");

        if (rc == EZW_OK) {
            rc = check_new(walk, payloads[i], payloads, i, payload_name(one));
        }

        ezw_message_leave(walk, path_len);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    return EZW_OK;
}


/* A string that is none of the n before; name: of its member, for errors. */
static int
check_new(ezw_message_walk_t *walk, const json_t *v, const json_t *const *seen,
    size_t n, const char *name)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (json_equal(seen[i], v)) {
            return ezw_message_refuse_member(walk, name, "is given twice");
        }
    }

    return EZW_OK;
}


/* What comes back when a button or row is chosen. */
static const json_t *
payload_of(const json_t *o)
{
    return json_object_get(o, payload_name(o));
}


/* Under which name it was given. */
static const char *
payload_name(const json_t *o)
{
    return json_object_get(o, "payload") != NULL ? "payload" : "id";
}

/*
 * Columns to a shape: once for each statement, out of the columns' names and
 * types.  Whatever is wrong with them is found here, so that writing a row has
 * only the values to check.
 */

#include "ezw_row_shape.h"
#include "ezw_utf8.h"


#define MAX_DEPTH      8        /* names in a path */
#define MAX_COLUMNS    1664     /* of a Postgres result */
#define INTERNAL       1004

#define NO_NODE        -1


typedef struct {
    uint32_t              oid;
    uint32_t              array;      /* oid of its array type, 0: none */
    ezw_row_value_e       value;
} type_t;


/* A name on its way to the shape. */
typedef struct {
    int                   parent;     /* NO_NODE: the row */
    const char           *name;
    size_t                len;
    unsigned              object:1;
    unsigned              step;       /* that of a nullable object */
    unsigned              nullable:1;
} node_t;


/* What compiling needs besides the shape. */
typedef struct {
    ezw_row_shape_t      *shape;
    ezw_writer_t          out;        /* all literals, one after another */
    unsigned char        *literal;    /* begin of the one being written */
    node_t               *nodes;
    int                   nnodes;
    int                   open[MAX_DEPTH];   /* objects that are open */
    unsigned              depth;
    unsigned              first:1;    /* nothing in the open object yet */
    unsigned              bare:1;
    ezw_invalid_t        *why;
} compile_t;


#define TEXT_OID   25
#define JSON_OID   114
#define JSONB_OID  3802

static const type_t  types[] = {
    { 16,        1000, EZW_ROW_BOOL },
    { 17,        1001, EZW_ROW_BYTEA },
    { 19,        1003, EZW_ROW_TEXT },        /* name */
    { 20,        1016, EZW_ROW_INT8 },
    { 21,        1005, EZW_ROW_INT2 },
    { 23,        1007, EZW_ROW_INT4 },
    { TEXT_OID,  1009, EZW_ROW_TEXT },
    { 26,        1028, EZW_ROW_OID },
    { JSON_OID,  199,  EZW_ROW_JSON },
    { 700,       1021, EZW_ROW_FLOAT4 },
    { 701,       1022, EZW_ROW_FLOAT8 },
    { 705,       0,    EZW_ROW_TEXT },        /* unknown */
    { 1042,      1014, EZW_ROW_TEXT },        /* bpchar */
    { 1043,      1015, EZW_ROW_TEXT },        /* varchar */
    { 1114,      1115, EZW_ROW_TIMESTAMP },
    { 1184,      1185, EZW_ROW_TIMESTAMP },
    { 2950,      2951, EZW_ROW_UUID },
    { JSONB_OID, 3807, EZW_ROW_JSONB }
};


static int no_more(ezw_writer_t *w, size_t need);
static int is_control(const char *name);
static int add_column(compile_t *c, const ezw_alloc_t *a, const char *name,
    uint32_t oid, unsigned column);
static int add_path(compile_t *c, const char *name, size_t len,
    unsigned column);
static int add_node(compile_t *c, int parent, const char *name, size_t len,
    const char *column);
static void close_objects(compile_t *c, unsigned depth);
static ezw_row_step_t *add_step(compile_t *c, ezw_row_value_e value,
    unsigned column);
static int add_secret(compile_t *c, const ezw_alloc_t *a,
    ezw_row_step_t *step, const char *name, size_t len);


/* Compiles the columns into *shape, out of a's memory; EZW_OK, EZW_INVALID or
 * EZW_ERROR. */
int
ezw_row_compile(const ezw_alloc_t *a, const char *const *names,
    const uint32_t *oids, unsigned n, ezw_row_shape_t **shape,
    ezw_invalid_t *why)
{
    int               rc;
    size_t            len, text, parts;
    char             *copy;
    unsigned          i, j;
    compile_t         c;
    ezw_row_shape_t  *s;

    if (n > MAX_COLUMNS) {
        return ezw_invalid(why, INTERNAL, "", "more than %d columns",
                           MAX_COLUMNS);
    }

    /* the most that it can take: every dot may begin an object, which has two
     * steps when it is nullable; a name is written with quotes, colon, comma
     * and two braces, and each of its bytes may become six */

    text = 2;
    parts = n + 2;

    for (i = 0; i < n; i++) {
        len = strlen(names[i]);
        text += 6 * len + 8;

        for (j = 0; j < len; j++) {
            if (names[i][j] == '.') {
                text += 8;
                parts += 2;
            }
        }
    }

    s = a->alloc(a->ctx, sizeof(ezw_row_shape_t));

    if (s == NULL) {
        return EZW_ERROR;
    }

    memset(s, 0, sizeof(ezw_row_shape_t));
    memset(&c, 0, sizeof(compile_t));

    s->steps = a->alloc(a->ctx, parts * sizeof(ezw_row_step_t));
    s->controls = a->alloc(a->ctx, (n + 1) * sizeof(ezw_row_control_t));
    s->secrets = a->alloc(a->ctx, (n + 1) * sizeof(ezw_str_t));
    c.nodes = a->alloc(a->ctx, parts * sizeof(node_t));
    c.literal = a->alloc(a->ctx, text);

    if (s->steps == NULL || s->controls == NULL || s->secrets == NULL
        || c.nodes == NULL || c.literal == NULL)
    {
        return EZW_ERROR;
    }

    c.shape = s;
    c.why = why;
    c.first = 1;
    c.out.pos = c.literal;
    c.out.end = c.literal + text;
    c.out.more = no_more;

    for (i = 0; i < n; i++) {

        if (!is_control(names[i])) {
            s->columns++;

            if (names[i][0] == '.') {
                c.bare = 1;
            }
        }
    }

    if (c.bare && s->columns > 1) {
        return ezw_invalid(why, INTERNAL, ".",
                           "column \".\" is not the only one");
    }

    if (!c.bare) {
        ezw_json_literal(&c.out, "{");
    }

    for (i = 0; i < n; i++) {

        if (is_control(names[i])) {

            if (ezw_row_control(s, names[i]) >= 0) {
                return ezw_invalid(why, INTERNAL, names[i],
                                   "column \"%s\" is there twice", names[i]);
            }

            len = strlen(names[i]) + 1;
            copy = a->alloc(a->ctx, len);

            if (copy == NULL) {
                return EZW_ERROR;
            }

            memcpy(copy, names[i], len);

            s->controls[s->ncontrols].name = copy;
            s->controls[s->ncontrols].column = i;
            s->ncontrols++;

            continue;
        }

        rc = add_column(&c, a, names[i], oids[i], i);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    if (!c.bare) {
        close_objects(&c, 0);
        ezw_json_literal(&c.out, "}");
        add_step(&c, EZW_ROW_NONE, 0);
    }

    *shape = s;

    return EZW_OK;
}


/* How a type is written; EZW_OK or EZW_INVALID. */
int
ezw_row_type(uint32_t oid, ezw_row_type_t *type)
{
    unsigned  i;

    memset(type, 0, sizeof(ezw_row_type_t));

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {

        if (types[i].oid == oid) {
            type->value = types[i].value;
            return EZW_OK;
        }

        if (types[i].array == oid && oid != 0) {
            type->value = EZW_ROW_ARRAY;
            type->element = types[i].oid;
            type->element_value = types[i].value;
            return EZW_OK;
        }
    }

    return EZW_INVALID;
}


/* The literals' buffer never grows: it was made large enough. */
static int
no_more(ezw_writer_t *w, size_t need)
{
    (void) w;
    (void) need;

    return EZW_ERROR;
}


/* 1 for a column that is no part of the answer. */
static int
is_control(const char *name)
{
    return name[0] == '@' || strcmp(name, "refusal") == 0;
}


/* Adds an answer column; EZW_OK, EZW_INVALID or EZW_ERROR. */
static int
add_column(compile_t *c, const ezw_alloc_t *a, const char *name, uint32_t oid,
    unsigned column)
{
    int              rc;
    size_t           len;
    const char      *modifier;
    ezw_row_type_t   type;
    ezw_row_step_t  *step;

    if (ezw_utf8_length((const unsigned char *) name, strlen(name)) < 0) {
        return ezw_invalid(c->why, INTERNAL, "", "column %u is not UTF-8",
                           column + 1);
    }

    modifier = strrchr(name, ':');
    len = (modifier != NULL) ? (size_t) (modifier - name) : strlen(name);

    if (c->bare) {
        if (len != 1) {
            return ezw_invalid(c->why, INTERNAL, name,
                               "column \"%s\" has an empty name in it", name);
        }

    } else {
        rc = add_path(c, name, len, column);

        if (rc != EZW_OK) {
            return rc;
        }
    }

    step = add_step(c, EZW_ROW_NONE, column);

    if (ezw_row_type(oid, &type) != EZW_OK) {
        return ezw_invalid(c->why, INTERNAL, name,
                           "column \"%s\" has type %u, which is not served",
                           name, (unsigned) oid);
    }

    step->value = (uint8_t) type.value;
    step->element = type.element;
    step->element_value = (uint8_t) type.element_value;

    if (modifier == NULL) {
        return EZW_OK;
    }

    if (strcmp(modifier, ":map") == 0) {
        step->map = 1;

        if (step->value == EZW_ROW_JSON || step->value == EZW_ROW_JSONB) {
            return EZW_OK;
        }

    } else if (strcmp(modifier, ":conversation") == 0) {

        if (step->value == EZW_ROW_TEXT) {
            step->value = EZW_ROW_CONVERSATION;
            return EZW_OK;
        }

    } else if (strcmp(modifier, ":secret") == 0) {
        return add_secret(c, a, step, name, len);
    }

    return ezw_invalid(c->why, INTERNAL, name,
                       "column \"%s\" has an encoding that is not known or "
                       "not its type's", name);
}


/* Writes the literal that leads to a column: closes the objects that it is not
 * in, opens those that it begins, and its key.  EZW_OK or EZW_INVALID. */
static int
add_path(compile_t *c, const char *name, size_t len, unsigned column)
{
    int              node, parent, nullable;
    size_t           n;
    unsigned         depth;
    const char      *p, *end, *dot;
    ezw_row_step_t  *step;

    p = name;
    end = name + len;
    parent = NO_NODE;
    depth = 0;

    for ( ;; ) {
        dot = memchr(p, '.', end - p);
        n = (dot != NULL ? dot : end) - p;
        nullable = 0;

        if (dot != NULL && n > 0 && p[n - 1] == '?') {
            nullable = 1;
            n--;
        }

        if (n == 0) {
            return ezw_invalid(c->why, INTERNAL, name,
                               "column \"%s\" has an empty name in it", name);
        }

        if (dot == NULL) {
            break;
        }

        if (depth == MAX_DEPTH) {
            return ezw_invalid(c->why, INTERNAL, name,
                               "column \"%s\" is nested too deeply", name);
        }

        if (depth < c->depth) {
            node = c->open[depth];

            if (c->nodes[node].len == n
                && memcmp(c->nodes[node].name, p, n) == 0)
            {
                if (nullable && !c->nodes[node].nullable) {
                    return ezw_invalid(c->why, INTERNAL, name,
                                       "column \"%s\" makes an object "
                                       "nullable that has begun without \"?\"",
                                       name);
                }

                parent = node;
                depth++;
                p = dot + 1;
                continue;
            }

            close_objects(c, depth);
        }

        node = add_node(c, parent, p, n, name);

        if (node == NO_NODE) {
            return EZW_INVALID;
        }

        c->nodes[node].object = 1;
        c->nodes[node].nullable = nullable;

        if (!c->first) {
            ezw_json_literal(&c->out, ",");
        }

        ezw_json_string(&c->out, p, n);
        ezw_json_literal(&c->out, ":");

        if (nullable) {
            step = add_step(c, EZW_ROW_NULLABLE, column);
            c->nodes[node].step = (unsigned) (step - c->shape->steps);
        }

        ezw_json_literal(&c->out, "{");

        c->first = 1;
        c->open[c->depth++] = node;

        parent = node;
        depth++;
        p = dot + 1;
    }

    if (depth < c->depth) {
        close_objects(c, depth);
    }

    if (add_node(c, parent, p, n, name) == NO_NODE) {
        return EZW_INVALID;
    }

    if (!c->first) {
        ezw_json_literal(&c->out, ",");
    }

    ezw_json_string(&c->out, p, n);
    ezw_json_literal(&c->out, ":");

    c->first = 0;

    return EZW_OK;
}


/* Adds a name below parent; NO_NODE, *why filled, when it is there already:
 * as a value, or as an object that has been closed. */
static int
add_node(compile_t *c, int parent, const char *name, size_t len,
    const char *column)
{
    int      i;
    node_t  *node;

    for (i = 0; i < c->nnodes; i++) {
        node = &c->nodes[i];

        if (node->parent == parent && node->len == len
            && memcmp(node->name, name, len) == 0)
        {
            ezw_invalid(c->why, INTERNAL, column,
                        node->object
                        ? "column \"%s\" belongs to an object that other "
                          "columns have ended"
                        : "column \"%s\" is there twice",
                        column);

            return NO_NODE;
        }
    }

    node = &c->nodes[c->nnodes];

    node->parent = parent;
    node->name = name;
    node->len = len;
    node->object = 0;
    node->nullable = 0;
    node->step = 0;

    return c->nnodes++;
}


/* Closes the open objects down to a depth. */
static void
close_objects(compile_t *c, unsigned depth)
{
    node_t  *node;

    while (c->depth > depth) {
        node = &c->nodes[c->open[--c->depth]];

        ezw_json_literal(&c->out, "}");

        if (node->nullable) {
            /* the jump's target: no literal may reach across it */
            add_step(c, EZW_ROW_NONE, 0);
            c->shape->steps[node->step].jump = c->shape->nsteps;
        }

        c->first = 0;
    }
}


/* Ends the literal being written with a value. */
static ezw_row_step_t *
add_step(compile_t *c, ezw_row_value_e value, unsigned column)
{
    ezw_row_step_t  *step;

    step = &c->shape->steps[c->shape->nsteps++];

    memset(step, 0, sizeof(ezw_row_step_t));

    step->literal = c->literal;
    step->len = (uint32_t) (c->out.pos - c->literal);
    step->column = column;
    step->value = (uint8_t) value;

    c->literal = c->out.pos;

    return step;
}


/* Makes a step write the conf's string of a name, which is copied; EZW_OK or
 * EZW_ERROR. */
static int
add_secret(compile_t *c, const ezw_alloc_t *a, ezw_row_step_t *step,
    const char *name, size_t len)
{
    ezw_str_t  *secret;

    secret = &c->shape->secrets[c->shape->nsecrets];

    secret->data = a->alloc(a->ctx, len);

    if (secret->data == NULL) {
        return EZW_ERROR;
    }

    memcpy(secret->data, name, len);
    secret->len = len;

    step->value = EZW_ROW_SECRET;
    step->element = c->shape->nsecrets++;

    return EZW_OK;
}

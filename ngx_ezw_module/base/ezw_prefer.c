/*
 * The Prefer header:  #( token [ BWS "=" BWS word ] *( OWS ";" parameter ) )
 * Of what does not parse nothing is taken up to the next comma.
 */

#include <strings.h>

#include "ezw_prefer.h"


#define SEEN_HANDLING  0x01
#define SEEN_COUNT     0x02
#define SEEN_WAIT      0x04

#define MAX_WAIT       2147483647u   /* what any recipient of a delta must do */


typedef struct {
    const unsigned char  *pos;
    const unsigned char  *end;
} cursor_t;


static void skip_space(cursor_t *c);
static void skip_preference(cursor_t *c);
static int read_word(cursor_t *c, ezw_str_t *word, int quoted);
static void take(ezw_prefer_t *p, const ezw_str_t *name,
    const ezw_str_t *value);
static int is(const ezw_str_t *s, const char *text);


/* Adds the preferences of one header value to *p, zeroed before the first. */
void
ezw_prefer_parse(const ezw_str_t *value, ezw_prefer_t *p)
{
    cursor_t   c;
    ezw_str_t  name, word;

    if (value->len == 0) {
        return;
    }

    c.pos = value->data;
    c.end = value->data + value->len;

    for ( ;; ) {
        skip_space(&c);

        if (read_word(&c, &name, 0)) {
            word.data = NULL;
            word.len = 0;

            skip_space(&c);

            if (c.pos < c.end && *c.pos == '=') {
                c.pos++;
                skip_space(&c);

                if (!read_word(&c, &word, 1)) {
                    /* not even a name without a value */
                    name.len = 0;
                }

                skip_space(&c);
            }

            if (c.pos == c.end || *c.pos == ',' || *c.pos == ';') {
                take(p, &name, &word);
            }
        }

        skip_preference(&c);

        if (c.pos == c.end) {
            return;
        }

        c.pos++;
    }
}


/* Passes spaces and tabs. */
static void
skip_space(cursor_t *c)
{
    while (c->pos < c->end && (*c->pos == ' ' || *c->pos == '\t')) {
        c->pos++;
    }
}


/* Passes everything up to the next comma outside of quotes. */
static void
skip_preference(cursor_t *c)
{
    ezw_str_t  ignored;

    while (c->pos < c->end && *c->pos != ',') {
        if (*c->pos != '"' || !read_word(c, &ignored, 1)) {
            c->pos++;
        }
    }
}


/* Reads a token, or a quoted string's inside where `quoted` allows one (its
 * backslashes are left: no value that is known has any).  1 when one is
 * there. */
static int
read_word(cursor_t *c, ezw_str_t *word, int quoted)
{
    const unsigned char  *p;

    p = c->pos;

    if (quoted && p < c->end && *p == '"') {
        word->data = (unsigned char *) ++p;

        while (p < c->end && *p != '"') {
            p += (*p == '\\' && c->end - p > 1) ? 2 : 1;
        }

        if (p == c->end) {
            return 0;
        }

        word->len = p - word->data;
        c->pos = p + 1;

        return 1;
    }

    word->data = (unsigned char *) p;

    while (p < c->end && *p > 0x20 && *p < 0x7f
           && strchr("\"(),/:;<=>?@[\\]{}", *p) == NULL)
    {
        p++;
    }

    word->len = p - word->data;
    c->pos = p;

    return word->len > 0;
}


/* Takes a preference unless one of its kind was there before. */
static void
take(ezw_prefer_t *p, const ezw_str_t *name, const ezw_str_t *value)
{
    size_t    i;
    uint64_t  wait;

    if (is(name, "handling")) {
        if (!(p->seen & SEEN_HANDLING)) {
            p->seen |= SEEN_HANDLING;
            p->strict = is(value, "strict");
        }

    } else if (is(name, "count")) {
        if (!(p->seen & SEEN_COUNT)) {
            p->seen |= SEEN_COUNT;
            p->count_exact = is(value, "exact");
        }

    } else if (is(name, "wait")) {
        if (p->seen & SEEN_WAIT) {
            return;
        }

        p->seen |= SEEN_WAIT;
        wait = 0;

        for (i = 0; i < value->len; i++) {
            if (value->data[i] < '0' || value->data[i] > '9') {
                return;
            }

            wait = wait * 10 + (value->data[i] - '0');

            if (wait > MAX_WAIT) {
                wait = MAX_WAIT;
            }
        }

        p->wait = (unsigned) wait;
    }
}


/* 1 when s is text, in any case. */
static int
is(const ezw_str_t *s, const char *text)
{
    return s->len == strlen(text)
           && strncasecmp((char *) s->data, text, s->len) == 0;
}

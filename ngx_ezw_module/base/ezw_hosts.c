/*
 * /etc/hosts is read anew at every look-up: it is short, and a look-up comes
 * before a connection that costs a thousand times as much.
 */

#include <strings.h>

#include "ezw_hosts.h"


static int next_word(const unsigned char **p, const unsigned char *end,
    ezw_str_t *word);


/* Finds the addresses of a name; returns how many were written. */
unsigned
ezw_hosts_find(const ezw_str_t *file, const ezw_str_t *name,
    ezw_cidr_t *addrs, unsigned max)
{
    unsigned              n;
    ezw_str_t             word;
    ezw_cidr_t            c;
    const unsigned char  *p, *end, *line_end;

    if (file->len == 0) {
        return 0;
    }

    n = 0;
    p = file->data;
    end = p + file->len;

    for ( /* void */ ; p < end && n < max; p = line_end + 1) {

        line_end = memchr(p, '\n', end - p);

        if (line_end == NULL) {
            line_end = end;
        }

        if (!next_word(&p, line_end, &word)
            || ezw_cidr_parse(&word, &c) != EZW_OK
            || memchr(word.data, '/', word.len) != NULL)
        {
            continue;
        }

        while (next_word(&p, line_end, &word)) {

            if (word.len == name->len
                && strncasecmp((const char *) word.data,
                               (const char *) name->data, name->len)
                   == 0)
            {
                addrs[n++] = c;
                break;
            }
        }
    }

    return n;
}


/* The next word of a line, up to a comment; 0: there is none. */
static int
next_word(const unsigned char **p, const unsigned char *end, ezw_str_t *word)
{
    const unsigned char  *s;

    for (s = *p; s < end; s++) {
        if (*s != ' ' && *s != '\t' && *s != '\r') {
            break;
        }
    }

    if (s == end || *s == '#') {
        *p = end;
        return 0;
    }

    word->data = (unsigned char *) s;

    for ( /* void */ ; s < end; s++) {
        if (*s == ' ' || *s == '\t' || *s == '\r' || *s == '#') {
            break;
        }
    }

    word->len = s - word->data;
    *p = s;

    return 1;
}

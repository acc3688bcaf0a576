/*
 * The reader of statement files: a tokenizer that knows as much of
 * PostgreSQL's lexical rules as it takes to find heads, parameters and ends.
 * Called while the configuration is read.
 */

#include "ezw_sql.h"


#define INTERNAL  1004


typedef enum {
    TOKEN_END,
    TOKEN_HEAD,             /* a line "-- name: ..", not consumed */
    TOKEN_SPACE,            /* white space or a comment */
    TOKEN_PARAM,
    TOKEN_SEMICOLON,
    TOKEN_OTHER,
    TOKEN_INVALID           /* *why is filled */
} token_e;


typedef struct {
    const unsigned char  *pos;
    const unsigned char  *start;      /* a line's first byte */
    const unsigned char  *end;
    unsigned              line;
    const ezw_str_t      *statement;  /* for the error */
    ezw_invalid_t        *why;
} lexer_t;


static int read_head(lexer_t *l, ezw_str_t *name);
static int find_extent(lexer_t *l, ezw_str_t *text, size_t *nparams);
static int copy_text(lexer_t *l, ezw_sql_t *sql, unsigned char *dst);
static int add_param(ezw_sql_t *sql, const ezw_str_t *name);
static token_e next_token(lexer_t *l, ezw_str_t *token);
static token_e scan_token(lexer_t *l);
static token_e scan_dash(lexer_t *l);
static token_e scan_block_comment(lexer_t *l);
static token_e scan_quoted(lexer_t *l, int backslash);
static token_e scan_dollar(lexer_t *l);
static token_e scan_colon(lexer_t *l);
static void skip_word(lexer_t *l);
static int is_head(const lexer_t *l);
static int is_space(unsigned char c);
static int is_letter(unsigned char c);
static int is_digit(unsigned char c);
static int refuse(const lexer_t *l, const char *what);


/* Reads the next statement; out->name and out->params point into the file's
 * text, out->text is a's.  EZW_OK, EZW_DECLINED, EZW_INVALID or EZW_ERROR. */
int
ezw_sql_next(const ezw_alloc_t *a, const unsigned char **pos,
    const unsigned char *end, unsigned *line, ezw_sql_t *out,
    ezw_invalid_t *why)
{
    int             rc;
    size_t          nparams;
    token_e         token;
    lexer_t         l, begin;
    ezw_str_t       text, ignored;
    unsigned char  *copy;

    memset(out, 0, sizeof(ezw_sql_t));

    l.pos = *pos;
    l.start = *pos;
    l.end = end;
    l.line = *line;
    l.statement = &out->name;
    l.why = why;

    /* a file may begin with comments of its own */

    do {
        token = next_token(&l, &ignored);
    } while (token == TOKEN_SPACE);

    switch (token) {

    case TOKEN_END:
        rc = EZW_DECLINED;
        break;

    case TOKEN_HEAD:
        out->line = l.line;
        rc = read_head(&l, &out->name);
        break;

    case TOKEN_INVALID:
        rc = EZW_INVALID;
        break;

    default:
        rc = refuse(&l, "text before the first \"-- name:\"");
        break;
    }

    begin = l;
    text.data = NULL;
    text.len = 0;
    nparams = 0;

    if (rc == EZW_OK) {
        rc = find_extent(&l, &text, &nparams);
    }

    *pos = l.pos;
    *line = l.line;

    if (rc != EZW_OK) {
        return rc;
    }

    /* ":a" may become "$10": a byte more */

    copy = a->alloc(a->ctx, text.len + nparams + 1);

    if (copy == NULL) {
        return EZW_ERROR;
    }

    begin.end = text.data + text.len;

    return copy_text(&begin, out, copy);
}


/* Reads a head and passes the white space below it; EZW_OK or EZW_INVALID. */
static int
read_head(lexer_t *l, ezw_str_t *name)
{
    const unsigned char  *p, *eol;

    eol = memchr(l->pos, '\n', l->end - l->pos);

    if (eol == NULL) {
        eol = l->end;
    }

    p = (const unsigned char *) memchr(l->pos, ':', eol - l->pos) + 1;

    while (p < eol && is_space(*p)) {
        p++;
    }

    name->data = (unsigned char *) p;

    if (p < eol && is_letter(*p)) {
        while (p < eol && (is_letter(*p) || is_digit(*p))) {
            p++;
        }
    }

    name->len = p - name->data;

    while (p < eol && is_space(*p)) {
        p++;
    }

    if (name->len == 0 || p != eol) {
        name->len = 0;
        return refuse(l, "a head is \"-- name: <name>\"");
    }

    for (l->pos = eol; l->pos < l->end && is_space(*l->pos); l->pos++) {
        l->line += (*l->pos == '\n');
    }

    return EZW_OK;
}


/* Finds where the statement's text begins and ends, without the semicolon and
 * what follows it, and how many parameters are in it; leaves the lexer at the
 * next head.  EZW_OK or EZW_INVALID. */
static int
find_extent(lexer_t *l, ezw_str_t *text, size_t *nparams)
{
    int                   empty, ended;
    token_e               type;
    ezw_str_t             token;
    const unsigned char  *last;

    text->data = (unsigned char *) l->pos;
    last = l->pos;
    empty = 1;
    ended = 0;
    *nparams = 0;

    for ( ;; ) {
        type = next_token(l, &token);

        switch (type) {

        case TOKEN_INVALID:
            return EZW_INVALID;

        case TOKEN_END:
        case TOKEN_HEAD:
            if (empty) {
                return refuse(l, "no statement below its head");
            }

            text->len = last - text->data;

            if (memchr(text->data, '\0', text->len) != NULL) {
                return refuse(l, "a NUL byte");
            }

            return EZW_OK;

        case TOKEN_SPACE:
            continue;

        default:
            break;
        }

        if (ended) {
            return refuse(l, "two statements in one");
        }

        if (type == TOKEN_SEMICOLON) {
            ended = 1;
            continue;
        }

        if (type == TOKEN_PARAM) {
            (*nparams)++;
        }

        empty = 0;
        last = l->pos;
    }
}


/* Copies the statement to dst, parameters numbered, and ends it with NUL;
 * EZW_OK or EZW_INVALID. */
static int
copy_text(lexer_t *l, ezw_sql_t *sql, unsigned char *dst)
{
    int        n;
    token_e    type;
    ezw_str_t  token, name;

    sql->text.data = dst;

    for ( ;; ) {
        type = next_token(l, &token);

        if (type == TOKEN_END) {
            break;
        }

        if (type == TOKEN_PARAM) {
            name.data = token.data + 1;
            name.len = token.len - 1;

            n = add_param(sql, &name);

            if (n < 0) {
                return refuse(l, "more parameters than a statement may have");
            }

            *dst++ = '$';

            if (n >= 10) {
                *dst++ = (unsigned char) ('0' + n / 10);
            }

            *dst++ = (unsigned char) ('0' + n % 10);
            continue;
        }

        memcpy(dst, token.data, token.len);
        dst += token.len;
    }

    *dst = '\0';
    sql->text.len = dst - sql->text.data;

    return EZW_OK;
}


/* Number of a parameter, a new one's if it is new; -1: too many. */
static int
add_param(ezw_sql_t *sql, const ezw_str_t *name)
{
    unsigned  i;

    for (i = 0; i < sql->nparams; i++) {
        if (sql->params[i].len == name->len
            && memcmp(sql->params[i].data, name->data, name->len) == 0)
        {
            return (int) i + 1;
        }
    }

    if (i == EZW_SQL_PARAMS) {
        return -1;
    }

    sql->params[i] = *name;
    sql->nparams++;

    return (int) i + 1;
}


/* Reads a token and counts its lines. */
static token_e
next_token(lexer_t *l, ezw_str_t *token)
{
    token_e               type;
    const unsigned char  *p;

    p = l->pos;

    token->data = (unsigned char *) p;
    token->len = 0;

    if (p == l->end) {
        return TOKEN_END;
    }

    type = scan_token(l);

    if (type == TOKEN_INVALID) {
        /* the line is where the token began */
        return TOKEN_INVALID;
    }

    token->len = l->pos - p;

    for ( ; p < l->pos; p++) {
        l->line += (*p == '\n');
    }

    return type;
}


/* Moves l->pos behind the next token. */
static token_e
scan_token(lexer_t *l)
{
    unsigned char  c;

    c = *l->pos;

    if (is_space(c)) {
        do {
            l->pos++;
        } while (l->pos < l->end && is_space(*l->pos));

        return TOKEN_SPACE;
    }

    if (is_letter(c) || is_digit(c)) {

        /* E'it\'s' */

        if ((c | 0x20) == 'e' && l->end - l->pos > 1 && l->pos[1] == '\'') {
            l->pos++;
            return scan_quoted(l, 1);
        }

        skip_word(l);
        return TOKEN_OTHER;
    }

    switch (c) {

    case '-':
        return scan_dash(l);

    case '/':
        return scan_block_comment(l);

    case '\'':
    case '"':
        return scan_quoted(l, 0);

    case '$':
        return scan_dollar(l);

    case ':':
        return scan_colon(l);

    case ';':
        l->pos++;
        return TOKEN_SEMICOLON;

    default:
        l->pos++;
        return TOKEN_OTHER;
    }
}


/* A minus, a comment to the end of the line, or a head. */
static token_e
scan_dash(lexer_t *l)
{
    if (l->end - l->pos < 2 || l->pos[1] != '-') {
        l->pos++;
        return TOKEN_OTHER;
    }

    if (is_head(l)) {
        return TOKEN_HEAD;
    }

    while (l->pos < l->end && *l->pos != '\n') {
        l->pos++;
    }

    return TOKEN_SPACE;
}


/* A slash, or a comment, which may hold others. */
static token_e
scan_block_comment(lexer_t *l)
{
    unsigned              depth;
    const unsigned char  *p;

    p = l->pos;

    if (l->end - p < 2 || p[1] != '*') {
        l->pos++;
        return TOKEN_OTHER;
    }

    p += 2;
    depth = 1;

    while (l->end - p >= 2) {

        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p += 2;

        } else if (p[0] == '*' && p[1] == '/') {
            p += 2;

            if (--depth == 0) {
                l->pos = p;
                return TOKEN_SPACE;
            }

        } else {
            p++;
        }
    }

    refuse(l, "a comment that is not closed");

    return TOKEN_INVALID;
}


/* A literal or a quoted identifier; a doubled quote is two of them side by
 * side, which comes to the same. */
static token_e
scan_quoted(lexer_t *l, int backslash)
{
    unsigned char         quote;
    const unsigned char  *p;

    quote = *l->pos;

    for (p = l->pos + 1; p < l->end; p++) {

        if (*p == quote) {

            if (backslash && l->end - p > 1 && p[1] == quote) {
                /* the second half would no longer know its backslashes */
                p++;
                continue;
            }

            l->pos = p + 1;
            return TOKEN_OTHER;
        }

        if (*p == '\\' && backslash && l->end - p > 1) {
            p++;
        }
    }

    refuse(l, quote == '"' ? "a quoted identifier that is not closed"
                           : "a string that is not closed");

    return TOKEN_INVALID;
}


/* $tag$ .. $tag$; a number behind the dollar would collide with ours. */
static token_e
scan_dollar(lexer_t *l)
{
    size_t                len;
    const unsigned char  *p;

    p = l->pos + 1;

    if (p < l->end && is_digit(*p)) {
        refuse(l, "a numbered parameter among named ones");
        return TOKEN_INVALID;
    }

    while (p < l->end && (is_letter(*p) || is_digit(*p))) {
        p++;
    }

    if (p == l->end || *p != '$') {
        l->pos++;
        return TOKEN_OTHER;
    }

    p++;
    len = p - l->pos;

    for ( ; (size_t) (l->end - p) >= len; p++) {
        if (memcmp(p, l->pos, len) == 0) {
            l->pos = p + len;
            return TOKEN_OTHER;
        }
    }

    refuse(l, "a dollar-quoted string that is not closed");

    return TOKEN_INVALID;
}


/* A cast, a parameter, or a colon of an array slice. */
static token_e
scan_colon(lexer_t *l)
{
    l->pos++;

    if (l->pos == l->end) {
        return TOKEN_OTHER;
    }

    if (*l->pos == ':') {
        l->pos++;
        return TOKEN_OTHER;
    }

    if (!is_letter(*l->pos)) {
        return TOKEN_OTHER;
    }

    for ( ;; ) {
        while (l->pos < l->end && (is_letter(*l->pos) || is_digit(*l->pos))) {
            l->pos++;
        }

        if (l->end - l->pos < 2 || *l->pos != '.'
            || !(is_letter(l->pos[1]) || is_digit(l->pos[1])))
        {
            return TOKEN_PARAM;
        }

        l->pos++;
    }
}


/* Passes an identifier, a key word or a number. */
static void
skip_word(lexer_t *l)
{
    while (l->pos < l->end
           && (is_letter(*l->pos) || is_digit(*l->pos) || *l->pos == '$'))
    {
        l->pos++;
    }
}


/* 1 when a head begins at pos: only in a line's first column, so that an
 * indented remark on a column "name" is none. */
static int
is_head(const lexer_t *l)
{
    const unsigned char  *p;

    if (l->pos != l->start && l->pos[-1] != '\n') {
        return 0;
    }

    p = l->pos + 2;

    while (p < l->end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return l->end - p >= 5 && memcmp(p, "name:", 5) == 0;
}


/* 1 for PostgreSQL's white space. */
static int
is_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}


/* 1 for what may begin an identifier. */
static int
is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || c == '_' || c >= 0x80;
}


/* 1 for a decimal digit. */
static int
is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}


/* Fills *why with the lexer's line; EZW_INVALID. */
static int
refuse(const lexer_t *l, const char *what)
{
    char    name[sizeof(l->why->field)];
    size_t  len;

    len = l->statement->len;

    if (len >= sizeof(name)) {
        len = sizeof(name) - 1;
    }

    if (len > 0) {
        memcpy(name, l->statement->data, len);
    }

    name[len] = '\0';

    return ezw_invalid(l->why, INTERNAL, name, "line %u: %s", l->line, what);
}

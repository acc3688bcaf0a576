/* ezw_sql: heads, parameters, what is left alone, what is refused. */

#include "cm.h"
#include "ezw_sql.h"


static arena_t        arena;
static ezw_sql_t      sql;
static ezw_invalid_t  why;
static unsigned       line;


static const unsigned char  *pos;
static const unsigned char  *end;
static ezw_str_t             file;


static void
open_file(const char *text)
{
    arena_free(&arena);
    free(file.data);

    arena_init(&arena, -1);
    file = tight(text, strlen(text));
    pos = file.data;
    end = file.data + file.len;
    line = 1;

    memset(&why, 0, sizeof(why));
}


static int
next(void)
{
    return ezw_sql_next(&arena.alloc, &pos, end, &line, &sql, &why);
}


static int
teardown(void **state)
{
    (void) state;

    arena_free(&arena);
    free(file.data);
    file.data = NULL;

    return 0;
}


/* One statement below "-- name: x", its text and names of parameters. */
static void
assert_sql(const char *body, const char *text, const char *params)
{
    int       rc;
    char      buf[1024], *d;
    unsigned  i;

    snprintf(buf, sizeof(buf), "-- name: x\n%s", body);
    open_file(buf);

    rc = next();

    if (rc != EZW_OK) {
        fail_msg("%s", why.text);
    }

    assert_str(sql.name, "x");
    assert_str(sql.text, text);
    assert_int_equal(sql.text.data[sql.text.len], '\0');

    d = buf;
    *d = '\0';

    for (i = 0; i < sql.nparams; i++) {
        d += sprintf(d, "%s%.*s", i > 0 ? " " : "", (int) sql.params[i].len,
                     (char *) sql.params[i].data);
    }

    assert_string_equal(buf, params);

    assert_int_equal(next(), EZW_DECLINED);
    assert_ptr_equal(pos, end);
}


static void
assert_refused(const char *text, const char *what)
{
    int  rc;

    open_file(text);

    do {
        rc = next();
    } while (rc == EZW_OK);

    assert_int_equal(rc, EZW_INVALID);
    assert_string_equal(why.text, what);
    assert_int_equal(why.code, 1004);
}


static void
test_file(void **state)
{
    (void) state;

    open_file("-- contacts of a channel\n"
              "/* more\n of it */\n"
              "\n"
              "-- name: contact_get\n"
              "select jid, name as \"name.fullName\"\n"
              "  from ezw.contact\n"
              " where company = :company\n"
              "   and jid = :path.contactJid;\n"
              "\n"
              "-- what follows\n"
              "--name:  contact_2 \t\r\n"
              "\n"
              "-- a remark\n"
              "update ezw.contact\n"
              "   set name = :body.name\n");

    assert_int_equal(next(), EZW_OK);
    assert_str(sql.name, "contact_get");
    assert_str(sql.text, "select jid, name as \"name.fullName\"\n"
                         "  from ezw.contact\n"
                         " where company = $1\n"
                         "   and jid = $2");
    assert_int_equal(sql.nparams, 2);
    assert_str(sql.params[0], "company");
    assert_str(sql.params[1], "path.contactJid");
    assert_int_equal(sql.line, 5);
    assert_int_equal(line, 12);

    assert_int_equal(next(), EZW_OK);
    assert_str(sql.name, "contact_2");
    assert_str(sql.text, "-- a remark\n"
                         "update ezw.contact\n"
                         "   set name = $1");
    assert_int_equal(sql.nparams, 1);
    assert_str(sql.params[0], "body.name");
    assert_int_equal(sql.line, 12);
    assert_int_equal(line, 17);

    assert_int_equal(next(), EZW_DECLINED);
    assert_int_equal(next(), EZW_DECLINED);
}


static void
test_empty_file(void **state)
{
    (void) state;

    open_file("");
    assert_int_equal(next(), EZW_DECLINED);

    open_file("\n -- nothing\n/* here */ ");
    assert_int_equal(next(), EZW_DECLINED);
}


static void
test_params(void **state)
{
    (void) state;

    assert_sql("select 1", "select 1", "");
    assert_sql("select :a", "select $1", "a");
    assert_sql("select :a,:b,:a, :b", "select $1,$2,$1, $2", "a b");
    assert_sql("select :has.body.name", "select $1", "has.body.name");
    assert_sql("select :a.b, :a", "select $1, $2", "a.b a");
    assert_sql("select :_a1", "select $1", "_a1");
    assert_sql("select :a.", "select $1.", "a");
    assert_sql("select :a.1, :a.1b", "select $1, $2", "a.1 a.1b");
    assert_sql("select (:a).b", "select ($1).b", "a");
    assert_sql("select :a::text", "select $1::text", "a");
    assert_sql("select f(x => :a)", "select f(x => $1)", "a");
    assert_sql(":a", "$1", "a");
}


static void
test_colons(void **state)
{
    (void) state;

    assert_sql("select x::text", "select x::text", "");
    assert_sql("select '1' :: text", "select '1' :: text", "");
    assert_sql("select a[1:2]", "select a[1:2]", "");
    assert_sql("select a[1 : 2]", "select a[1 : 2]", "");
    assert_sql("select a[:]", "select a[:]", "");
    assert_sql("select f(a := 1)", "select f(a := 1)", "");
    assert_sql("select :::a", "select ::$1", "a");
    assert_sql("select 1 :", "select 1 :", "");
}


static void
test_left_alone(void **state)
{
    (void) state;

    assert_sql("select ':a'", "select ':a'", "");
    assert_sql("select 'it''s :a', :b", "select 'it''s :a', $1", "b");
    assert_sql("select '\\', :b", "select '\\', $1", "b");
    assert_sql("select E'\\':a', :b", "select E'\\':a', $1", "b");
    assert_sql("select E'\\' :a', :b", "select E'\\' :a', $1", "b");
    assert_sql("select e'\\\\', :b", "select e'\\\\', $1", "b");
    assert_sql("select e'a''\\':b', :c", "select e'a''\\':b', $1", "c");
    assert_sql("select code'x\\', :b", "select code'x\\', $1", "b");
    assert_sql("select \":a\", :b", "select \":a\", $1", "b");
    assert_sql("select \"a\"\":b\", :c", "select \"a\"\":b\", $1", "c");
    assert_sql("select $$:a ' ;$$, :b", "select $$:a ' ;$$, $1", "b");
    assert_sql("select $x$:a $$ $y$ $x$, :b",
               "select $x$:a $$ $y$ $x$, $1", "b");
    assert_sql("select $x$ $x $x$", "select $x$ $x $x$", "");
    assert_sql("select a$b$:c", "select a$b$$1", "c");
    assert_sql("select 1 -- :a '\n, :b", "select 1 -- :a '\n, $1", "b");
    assert_sql("select 1 - -1, 2-:b", "select 1 - -1, 2-$1", "b");
    assert_sql("select /* :a /* ' */ ; */ :b", "select /* :a /* ' */ ; */ $1",
               "b");
    assert_sql("select 4 / :b * 2", "select 4 / $1 * 2", "b");
    assert_sql("select ';', \";\", $$;$$", "select ';', \";\", $$;$$", "");
    assert_sql("select '-- name: y\n-- name: z'",
               "select '-- name: y\n-- name: z'", "");
    assert_sql("select /*\n-- name: y\n*/ 1", "select /*\n-- name: y\n*/ 1",
               "");
    assert_sql("select $$\n-- name: y\n$$", "select $$\n-- name: y\n$$", "");
    assert_sql("select 1, -- name: of it\n 2", "select 1, -- name: of it\n 2",
               "");
    assert_sql("select 1\n  -- name: of it\n", "select 1", "");
    assert_sql("select 1\n-- named: y\n, 2", "select 1\n-- named: y\n, 2",
               "");
    assert_sql("select \xc3\xa9:\xc3\xa9", "select \xc3\xa9$1", "\xc3\xa9");
}


static void
test_ends(void **state)
{
    (void) state;

    assert_sql("\n\n  select 1;  \n\n", "select 1", "");
    assert_sql("select 1 ;\n", "select 1", "");
    assert_sql("select 1; -- done\n/* so */", "select 1", "");
    assert_sql("select 1 -- done\n", "select 1", "");
    assert_sql("select 1 -- done", "select 1", "");
    assert_sql("/* hint */ select 1", "/* hint */ select 1", "");
}


static void
test_refuses(void **state)
{
    (void) state;

    assert_refused("select 1;\n-- name: x\nselect 1",
                   "line 1: text before the first \"-- name:\"");
    assert_refused("-- a\n\n x -- name: x\nselect 1",
                   "line 3: text before the first \"-- name:\"");
    assert_refused("-- name: x\n", "line 2: no statement below its head");
    assert_refused("-- name: x", "line 1: no statement below its head");
    assert_refused("-- name: x\n;", "line 2: no statement below its head");
    assert_refused("-- name: x\n-- only\n-- name: y\nselect 1",
                   "line 3: no statement below its head");
    assert_refused("-- name:\nselect 1",
                   "line 1: a head is \"-- name: <name>\"");
    assert_refused("-- name: a b\nselect 1",
                   "line 1: a head is \"-- name: <name>\"");
    assert_refused("-- name: 1a\nselect 1",
                   "line 1: a head is \"-- name: <name>\"");
    assert_refused("-- name: a-b\nselect 1",
                   "line 1: a head is \"-- name: <name>\"");
    assert_refused("-- name: x\nselect 1;\nselect 2;",
                   "line 3: two statements in one");
    assert_refused("-- name: x\nselect 1;;", "line 2: two statements in one");
    assert_refused("-- name: x\nselect 1;\n:a",
                   "line 3: two statements in one");
    assert_refused("-- name: x\nselect\n'a\n",
                   "line 3: a string that is not closed");
    assert_refused("-- name: x\nselect 'it''s",
                   "line 2: a string that is not closed");
    assert_refused("-- name: x\nselect e'\\'",
                   "line 2: a string that is not closed");
    assert_refused("-- name: x\nselect \"a",
                   "line 2: a quoted identifier that is not closed");
    assert_refused("-- name: x\nselect $$ $",
                   "line 2: a dollar-quoted string that is not closed");
    assert_refused("-- name: x\nselect $a$ $b$",
                   "line 2: a dollar-quoted string that is not closed");
    assert_refused("-- name: x\nselect /* /* */ 1",
                   "line 2: a comment that is not closed");
    assert_refused("/* *", "line 1: a comment that is not closed");
    assert_refused("-- name: x\nselect :a, $1",
                   "line 2: a numbered parameter among named ones");
}


static void
test_names_the_statement(void **state)
{
    (void) state;

    assert_refused("-- name: good\nselect 1\n-- name: bad\nselect 'a",
                   "line 4: a string that is not closed");
    assert_string_equal(why.field, "bad");

    open_file("-- name: "
              "0123456789012345678901234567890123456789"
              "0123456789012345678901234567890123456789"
              "01234567890123456789\nselect 'a");
    file.data[9] = 'a';
    assert_int_equal(next(), EZW_INVALID);
    assert_int_equal(strlen(why.field), 95);

    assert_refused("select", "line 1: text before the first \"-- name:\"");
    assert_string_equal(why.field, "");
}


static void
test_nul(void **state)
{
    (void) state;

    open_file("-- name: x\nselect 1#");
    file.data[file.len - 1] = '\0';
    assert_int_equal(next(), EZW_INVALID);
    assert_string_equal(why.text, "line 2: a NUL byte");
}


static void
test_param_limit(void **state)
{
    char      text[1024], expected[1024], *p, *e;
    unsigned  i;

    (void) state;

    p = text + sprintf(text, "-- name: x\n");
    e = expected;

    for (i = 1; i <= EZW_SQL_PARAMS; i++) {
        p += sprintf(p, ":p%u ", i);
        e += sprintf(e, "$%u%s", i, i < EZW_SQL_PARAMS ? " " : "");
    }

    open_file(text);
    assert_int_equal(next(), EZW_OK);
    assert_int_equal(sql.nparams, EZW_SQL_PARAMS);
    assert_str(sql.text, expected);

    strcpy(p, ":p1");
    open_file(text);
    assert_int_equal(next(), EZW_OK);
    assert_int_equal(sql.nparams, EZW_SQL_PARAMS);

    strcpy(p, ":more");
    open_file(text);
    assert_int_equal(next(), EZW_INVALID);
    assert_string_equal(why.text,
                        "line 2: more parameters than a statement may have");

    /* names of one letter grow by a byte */

    p = text + sprintf(text, "-- name: x\n");
    e = expected;

    for (i = 0; i < 40; i++) {
        p += sprintf(p, "%s:%c", i ? "+" : "",
                     i < 26 ? 'a' + i : 'A' + i - 26);
        e += sprintf(e, "%s$%u", i ? "+" : "", i + 1);
    }

    open_file(text);
    assert_int_equal(next(), EZW_OK);
    assert_str(sql.text, expected);
}


static void
test_no_memory(void **state)
{
    (void) state;

    open_file("-- name: x\nselect 1");
    arena.left = 0;
    assert_int_equal(next(), EZW_ERROR);
}


#define TEST(f)  cmocka_unit_test_teardown(f, teardown)

int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_file),
        TEST(test_empty_file),
        TEST(test_params),
        TEST(test_colons),
        TEST(test_left_alone),
        TEST(test_ends),
        TEST(test_refuses),
        TEST(test_names_the_statement),
        TEST(test_nul),
        TEST(test_param_limit),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

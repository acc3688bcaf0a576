/* ezw_scope: names, any case, order. */

#include "cm.h"
#include "ezw_scope.h"


static ezw_scope_e
parse(const char *name)
{
    ezw_scope_e  scope;
    ezw_str_t    s;

    s = tight(name, strlen(name));
    scope = ezw_scope_parse(&s);
    free(s.data);

    return scope;
}


static void
test_parse(void **state)
{
    (void) state;

    assert_int_equal(parse("channel"), EZW_SCOPE_CHANNEL);
    assert_int_equal(parse("CHANNEL"), EZW_SCOPE_CHANNEL);
    assert_int_equal(parse("Assistant"), EZW_SCOPE_ASSISTANT);
    assert_int_equal(parse("company"), EZW_SCOPE_COMPANY);
    assert_int_equal(parse("oWNER"), EZW_SCOPE_OWNER);

    assert_int_equal(parse(""), EZW_SCOPE_NONE);
    assert_int_equal(parse("none"), EZW_SCOPE_NONE);
    assert_int_equal(parse("owne"), EZW_SCOPE_NONE);
    assert_int_equal(parse("owners"), EZW_SCOPE_NONE);
    assert_int_equal(parse(" owner"), EZW_SCOPE_NONE);
}


static void
test_name(void **state)
{
    (void) state;

    assert_string_equal(ezw_scope_name(EZW_SCOPE_NONE), "");
    assert_string_equal(ezw_scope_name(EZW_SCOPE_CHANNEL), "CHANNEL");
    assert_string_equal(ezw_scope_name(EZW_SCOPE_ASSISTANT), "ASSISTANT");
    assert_string_equal(ezw_scope_name(EZW_SCOPE_COMPANY), "COMPANY");
    assert_string_equal(ezw_scope_name(EZW_SCOPE_OWNER), "OWNER");
    assert_string_equal(ezw_scope_name((ezw_scope_e) 5), "");
    assert_string_equal(ezw_scope_name((ezw_scope_e) -1), "");
}


static void
test_hierarchy(void **state)
{
    (void) state;

    assert_true(EZW_SCOPE_NONE < EZW_SCOPE_CHANNEL);
    assert_true(EZW_SCOPE_CHANNEL < EZW_SCOPE_ASSISTANT);
    assert_true(EZW_SCOPE_ASSISTANT < EZW_SCOPE_COMPANY);
    assert_true(EZW_SCOPE_COMPANY < EZW_SCOPE_OWNER);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_hierarchy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

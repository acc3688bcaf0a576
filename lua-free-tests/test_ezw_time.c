/* ezw_time: RFC 3339's examples, the calendar, the limits. */

#include "cm.h"
#include "ezw_time.h"

#define SECOND  INT64_C(1000000)
#define DAY     (86400 * SECOND)

/* Unix seconds to ours */
#define UNIX(s)  (((s) - EZW_PG_EPOCH_S) * SECOND)


static const char *
text(int64_t pg_us)
{
    static char  buf[EZW_TIME_LEN + 2];

    memset(buf, '#', sizeof(buf));

    if (ezw_time_write((unsigned char *) buf, pg_us) == NULL) {
        return NULL;
    }

    assert_int_equal(buf[EZW_TIME_LEN], '#');
    buf[EZW_TIME_LEN] = '\0';

    return buf;
}


static int
parse(const char *s, int64_t *us)
{
    int        rc;
    ezw_str_t  t;

    t = tight(s, strlen(s));
    rc = ezw_time_parse(&t, us);
    free(t.data);

    return rc;
}


static int64_t
value(const char *s)
{
    int64_t  us;

    us = -1;
    assert_int_equal(parse(s, &us), EZW_OK);

    return us;
}


static void
assert_refused(const char *s)
{
    int64_t  us;

    us = 42;

    if (parse(s, &us) != EZW_INVALID) {
        fail_msg("\"%s\" was taken", s);
    }

    assert_int_equal(us, 42);
}


static void
test_write(void **state)
{
    unsigned char  buf[EZW_TIME_LEN];

    (void) state;

    assert_string_equal(text(0), "2000-01-01T00:00:00.000000Z");
    assert_string_equal(text(1), "2000-01-01T00:00:00.000001Z");
    assert_string_equal(text(-1), "1999-12-31T23:59:59.999999Z");
    assert_string_equal(text(-DAY), "1999-12-31T00:00:00.000000Z");
    assert_string_equal(text(UNIX(0)), "1970-01-01T00:00:00.000000Z");
    assert_string_equal(text(UNIX(1583956382)),
                        "2020-03-11T19:53:02.000000Z");
    assert_string_equal(text(UNIX(1583956382) + 123456),
                        "2020-03-11T19:53:02.123456Z");
    assert_string_equal(text(UNIX(951782400)),
                        "2000-02-29T00:00:00.000000Z");
    assert_string_equal(text(UNIX(951868800)),
                        "2000-03-01T00:00:00.000000Z");
    assert_string_equal(text(UNIX(4107542400)),
                        "2100-03-01T00:00:00.000000Z");
    assert_string_equal(text(UNIX(4107542400) - 1),
                        "2100-02-28T23:59:59.999999Z");
    assert_string_equal(text(UNIX(1704067199)),
                        "2023-12-31T23:59:59.000000Z");

    assert_ptr_equal(ezw_time_write(buf, 0), buf + EZW_TIME_LEN);
}


static void
test_write_limits(void **state)
{
    int64_t  first, last;

    (void) state;

    /* 730485 days from 0000-01-01 to 2000-01-01, 2921940 to 10000-01-01 */

    first = -730485 * DAY;
    last = 2921940 * DAY - 1;

    assert_string_equal(text(first), "0000-01-01T00:00:00.000000Z");
    assert_null(text(first - 1));
    assert_string_equal(text(last), "9999-12-31T23:59:59.999999Z");
    assert_null(text(last + 1));
    assert_null(text(INT64_MAX));
    assert_null(text(INT64_MIN));
    assert_string_equal(text(first + 59 * DAY), "0000-02-29T00:00:00.000000Z");
    assert_string_equal(text(first + 60 * DAY), "0000-03-01T00:00:00.000000Z");
}


static void
test_parse_rfc3339(void **state)
{
    (void) state;

    /* section 5.8 */

    assert_int_equal(value("1985-04-12T23:20:50.52Z"),
                     UNIX(482196050) + 520000);
    assert_int_equal(value("1996-12-19T16:39:57-08:00"), UNIX(851042397));
    assert_int_equal(value("1990-12-31T23:59:60Z"), UNIX(662688000));
    assert_int_equal(value("1990-12-31T15:59:60-08:00"), UNIX(662688000));
    assert_int_equal(value("1937-01-01T12:00:27.87+00:20"),
                     UNIX(-1041337173) + 870000);
}


static void
test_parse(void **state)
{
    (void) state;

    assert_int_equal(value("2000-01-01T00:00:00Z"), 0);
    assert_int_equal(value("2000-01-01t00:00:00z"), 0);
    assert_int_equal(value("2000-01-01T00:00:00-00:00"), 0);
    assert_int_equal(value("2000-01-01T00:00:00+23:59"), -86340 * SECOND);
    assert_int_equal(value("2000-01-01T00:00:00-23:59"), 86340 * SECOND);
    assert_int_equal(value("2000-01-01T00:00:00.1Z"), 100000);
    assert_int_equal(value("2000-01-01T00:00:00.12Z"), 120000);
    assert_int_equal(value("2000-01-01T00:00:00.123Z"), 123000);
    assert_int_equal(value("2000-01-01T00:00:00.1234Z"), 123400);
    assert_int_equal(value("2000-01-01T00:00:00.12345Z"), 123450);
    assert_int_equal(value("2000-01-01T00:00:00.123456Z"), 123456);
    assert_int_equal(value("2000-01-01T00:00:00.000001+00:00"), 1);
    assert_int_equal(value("1999-12-31T23:59:59.999999Z"), -1);
    assert_int_equal(value("2020-03-11T19:53:02.000000Z"), UNIX(1583956382));
    assert_int_equal(value("2024-02-29T00:00:00Z"), UNIX(1709164800));
    assert_int_equal(value("2000-02-29T00:00:00Z"), UNIX(951782400));
    assert_int_equal(value("0000-01-01T00:00:00Z"), -730485 * DAY);
    assert_int_equal(value("9999-12-31T23:59:59.999999Z"),
                     2921940 * DAY - 1);
    assert_int_equal(value("2016-12-31T23:59:60.5Z"),
                     UNIX(1483228800) + 500000);
    assert_int_equal(value("2017-01-01T05:29:60+05:30"), UNIX(1483228800));
}


static void
test_parse_refuses(void **state)
{
    (void) state;

    assert_refused("");
    assert_refused("2000-01-01");
    assert_refused("2000-01-01T00:00:00");
    assert_refused("2000-01-01T00:00Z");
    assert_refused("2000-01-01 00:00:00Z");
    assert_refused("2000-01-01_00:00:00Z");
    assert_refused("2000/01/01T00:00:00Z");
    assert_refused("2000/01-01T00:00:00Z");
    assert_refused("2000-01/01T00:00:00Z");
    assert_refused("2000-01-01T00.00:00Z");
    assert_refused("2000-01-01T00:00.00Z");
    assert_refused("19:0-01-01T00:00:00Z");
    assert_refused("2000-0:-01T00:00:00Z");
    assert_refused("2000-01-1/T00:00:00Z");
    assert_refused("20000101T000000Z....");
    assert_refused(" 2000-01-01T00:00:00Z");
    assert_refused("2000-01-01T00:00:00Z ");
    assert_refused("2000-01-01T00:00:00ZZ");
    assert_refused("2000-00-01T00:00:00Z");
    assert_refused("2000-13-01T00:00:00Z");
    assert_refused("2000-01-00T00:00:00Z");
    assert_refused("2000-01-32T00:00:00Z");
    assert_refused("2000-04-31T00:00:00Z");
    assert_refused("2000-02-30T00:00:00Z");
    assert_refused("2001-02-29T00:00:00Z");
    assert_refused("1900-02-29T00:00:00Z");
    assert_refused("2000-01-01T24:00:00Z");
    assert_refused("2000-01-01T00:60:00Z");
    assert_refused("2000-01-01T00:00:61Z");
    assert_refused("-200-01-01T00:00:00Z");
    assert_refused("+200-01-01T00:00:00Z");
    assert_refused("2000-1 -01T00:00:00Z");
    assert_refused("2000-01-01T0x:00:00Z");
    assert_refused("2000-01-01T00:00:00.Z");
    assert_refused("2000-01-01T00:00:00.");
    assert_refused("2000-01-01T00:00:00.1234567Z");
    assert_refused("2000-01-01T00:00:00,5Z");
    assert_refused("2000-01-01T00:00:00.123456");
    assert_refused("2000-01-01T00:00:00+24:00");
    assert_refused("2000-01-01T00:00:00+00:60");
    assert_refused("2000-01-01T00:00:00+00.00");
    assert_refused("2000-01-01T00:00:00+0000");
    assert_refused("2000-01-01T00:00:00+00");
    assert_refused("2000-01-01T00:00:00+00:0");
    assert_refused("2000-01-01T00:00:00+00:000");
    assert_refused("2000-01-01T00:00:00 00:00");
}


static void
test_parse_leap_second(void **state)
{
    (void) state;

    assert_refused("1990-12-31T22:59:60Z");
    assert_refused("1990-12-31T23:58:60Z");
    assert_refused("1990-12-31T23:59:60-08:00");
    assert_refused("1990-12-15T23:59:60Z");
    assert_refused("9999-12-31T23:59:60Z");
    assert_int_equal(value("2015-06-30T23:59:60Z"), UNIX(1435708800));
}


static void
test_parse_limits(void **state)
{
    (void) state;

    assert_refused("0000-01-01T00:00:00+00:01");
    assert_int_equal(value("0000-01-01T00:01:00+00:01"), -730485 * DAY);
    assert_refused("9999-12-31T23:59:59-00:01");
    assert_int_equal(value("9999-12-31T23:58:59-00:01"),
                     2921940 * DAY - SECOND);
}


/* Every day of four centuries, and those around. */
static void
test_round_trip(void **state)
{
    int64_t      day, us;
    const char  *s;

    (void) state;

    for (day = -400; day < 146097 + 400; day++) {
        s = text(day * DAY + 12345678901);
        assert_int_equal(value(s), day * DAY + 12345678901);
        assert_int_equal(parse(s, &us), EZW_OK);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_write_limits),
        cmocka_unit_test(test_parse_rfc3339),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_leap_second),
        cmocka_unit_test(test_parse_limits),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Postgres timestamps to and from RFC 3339.  Days are counted with the
 * proleptic Gregorian calendar from March to February, so that the leap day is
 * a year's last (Hinnant, "chrono-compatible low-level date algorithms").
 */

#include "ezw_time.h"


#define US_PER_SECOND  INT64_C(1000000)
#define US_PER_DAY     (86400 * US_PER_SECOND)

/* from 0000-03-01 to 2000-01-01, and to 0000-01-01 and 10000-01-01 */
#define DAYS_TO_EPOCH  730425
#define FIRST_DAY      (-60 - DAYS_TO_EPOCH)
#define LAST_DAY       (FIRST_DAY + 3652425 - 1)


static void write_two(unsigned char *p, unsigned v);
static int parse_digits(const unsigned char *p, unsigned n);
static void date_of_day(int64_t day, unsigned *year, unsigned *month,
    unsigned *mday);
static int64_t day_of_date(unsigned year, unsigned month, unsigned mday);


/* Writes EZW_TIME_LEN bytes and returns their end; NULL: not a year of four
 * digits. */
unsigned char *
ezw_time_write(unsigned char *p, int64_t pg_us)
{
    int64_t   day, us;
    unsigned  year, month, mday, sec, frac;

    day = pg_us / US_PER_DAY;
    us = pg_us % US_PER_DAY;

    if (us < 0) {
        us += US_PER_DAY;
        day--;
    }

    if (day < FIRST_DAY || day > LAST_DAY) {
        return NULL;
    }

    date_of_day(day, &year, &month, &mday);

    sec = (unsigned) (us / US_PER_SECOND);
    frac = (unsigned) (us % US_PER_SECOND);

    write_two(p, year / 100);
    write_two(p + 2, year % 100);
    p[4] = '-';
    write_two(p + 5, month);
    p[7] = '-';
    write_two(p + 8, mday);
    p[10] = 'T';
    write_two(p + 11, sec / 3600);
    p[13] = ':';
    write_two(p + 14, sec / 60 % 60);
    p[16] = ':';
    write_two(p + 17, sec % 60);
    p[19] = '.';
    write_two(p + 20, frac / 10000);
    write_two(p + 22, frac / 100 % 100);
    write_two(p + 24, frac % 100);
    p[26] = 'Z';

    return p + EZW_TIME_LEN;
}


/* RFC 3339 to Postgres microseconds; a leap second (only where one can be) is
 * the second after it, as Postgres reads it.  EZW_OK or EZW_INVALID. */
int
ezw_time_parse(const ezw_str_t *s, int64_t *pg_us)
{
    int                   year, month, mday, hour, min, sec, oh, om, frac;
    int                   scale, sign;
    int64_t               day, us;
    unsigned              y, m, d;
    const unsigned char  *p, *end;

    static const unsigned char  days[] =
        { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    p = s->data;
    end = p + s->len;

    if (s->len < sizeof("2020-03-11T19:53:02Z") - 1
        || p[4] != '-' || p[7] != '-' || (p[10] | 0x20) != 't'
        || p[13] != ':' || p[16] != ':')
    {
        return EZW_INVALID;
    }

    year = parse_digits(p, 4);
    month = parse_digits(p + 5, 2);
    mday = parse_digits(p + 8, 2);
    hour = parse_digits(p + 11, 2);
    min = parse_digits(p + 14, 2);
    sec = parse_digits(p + 17, 2);

    if (year < 0 || month < 1 || month > 12
        || mday < 1 || mday > days[month - 1]
        || hour < 0 || hour > 23 || min < 0 || min > 59
        || sec < 0 || sec > 60)
    {
        return EZW_INVALID;
    }

    if (month == 2 && mday == 29
        && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
    {
        return EZW_INVALID;
    }

    p += 19;
    frac = 0;

    if (*p == '.') {
        p++;

        for (scale = 100000;
             scale > 0 && p < end && *p >= '0' && *p <= '9';
             scale /= 10)
        {
            frac += (*p++ - '0') * scale;
        }

        if (scale == 100000) {
            return EZW_INVALID;
        }
    }

    if (p == end) {
        return EZW_INVALID;
    }

    oh = 0;
    om = 0;
    sign = 1;

    if ((*p | 0x20) == 'z') {
        p++;

    } else if (*p == '+' || *p == '-') {

        if (end - p < 6 || p[3] != ':') {
            return EZW_INVALID;
        }

        sign = (*p == '-') ? -1 : 1;
        oh = parse_digits(p + 1, 2);
        om = parse_digits(p + 4, 2);

        if (oh < 0 || oh > 23 || om < 0 || om > 59) {
            return EZW_INVALID;
        }

        p += 6;
    }

    if (p != end) {
        return EZW_INVALID;
    }

    day = day_of_date((unsigned) year, (unsigned) month, (unsigned) mday);

    us = (int64_t) (hour * 3600 + min * 60 + sec
                    - sign * (oh * 3600 + om * 60))
         * US_PER_SECOND;

    us += day * US_PER_DAY;

    if (sec == 60) {
        /* leap seconds end a month, in UTC */

        if (us % US_PER_DAY != 0) {
            return EZW_INVALID;
        }

        date_of_day(us / US_PER_DAY, &y, &m, &d);

        if (d != 1) {
            return EZW_INVALID;
        }
    }

    us += frac;

    if (us < FIRST_DAY * US_PER_DAY || us >= (LAST_DAY + 1) * US_PER_DAY) {
        return EZW_INVALID;
    }

    *pg_us = us;

    return EZW_OK;
}


/* Two decimal digits of v < 100. */
static void
write_two(unsigned char *p, unsigned v)
{
    p[0] = (unsigned char) ('0' + v / 10);
    p[1] = (unsigned char) ('0' + v % 10);
}


/* The number in n digits, -1: something else is among them. */
static int
parse_digits(const unsigned char *p, unsigned n)
{
    int  v;

    for (v = 0; n > 0; n--, p++) {
        if (*p < '0' || *p > '9') {
            return -1;
        }

        v = v * 10 + (*p - '0');
    }

    return v;
}


/* Date of a day counted from 2000-01-01, not before 0000-01-01 less a day. */
static void
date_of_day(int64_t day, unsigned *year, unsigned *month, unsigned *mday)
{
    unsigned  z, era, doe, yoe, doy, mp;

    /* one era (400 years) more, for January and February of year 0 */
    z = (unsigned) (day + DAYS_TO_EPOCH + 146097);

    era = z / 146097;
    doe = z % 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;

    *mday = doy - (153 * mp + 2) / 5 + 1;
    *month = (mp < 10) ? mp + 3 : mp - 9;
    *year = yoe + era * 400 + (*month <= 2) - 400;
}


/* Day of a date, counted from 2000-01-01. */
static int64_t
day_of_date(unsigned year, unsigned month, unsigned mday)
{
    unsigned  y, era, yoe, doy;

    y = year + 400 - (month <= 2);
    era = y / 400;
    yoe = y % 400;
    doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + mday - 1;

    return (int64_t) era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy
           - 146097 - DAYS_TO_EPOCH;
}

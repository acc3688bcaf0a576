/* ezw_password: RFC 7914's vectors, what is no hash, what an unknown user
 * costs. */

#include <time.h>

#include "cm.h"

/* its statics too: two of the vectors are beyond a stored hash's limits */
#include "ezw_password.c"


/* of RFC 7914, 12: scrypt("pleaseletmein", "SodiumChloride", 2^14, 8, 1) */
#define RFC_SALT  "U29kaXVtQ2hsb3JpZGU"
#define RFC_HASH                                                              \
    "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F"    \
    "3A1lHkDfzwF7RVdYhw"

/* scrypt("correct horse", "0123456789abcdef", 16, 1, 1), which costs nothing */
#define CHEAP       "$scrypt$ln=4,r=1,p=1"
#define CHEAP_SALT  "MDEyMzQ1Njc4OWFiY2RlZg"
#define CHEAP_HASH  "2nYYR1WNiVIE4oqKrxPuQubql1AU4+laWwCM1jFvCJc"

/* scrypt("correct horse", bytes 0 to 15, 2^15, 8, 1), by another program */
#define TODAY                                                                 \
    "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw"                            \
    "$XGYmKKxOsQaKKH4qoqICriSOmNsE1h0zJ+c0LbbscJc"


/* Both end where their allocations end. */
static int
check(const char *stored, const char *password)
{
    int        rc;
    ezw_str_t  s, p;

    s = tight(stored, strlen(stored) + 1);
    p = tight(password, strlen(password));

    rc = ezw_password_check((char *) s.data, (char *) p.data, p.len);

    free(s.data);
    free(p.data);

    assert_int_equal(ERR_peek_error(), 0);

    return rc;
}


static int
parse(const char *stored)
{
    int        rc;
    parsed_t   h;
    ezw_str_t  s;

    s = tight(stored, strlen(stored) + 1);
    rc = parse_hash((char *) s.data, &h);
    free(s.data);

    return rc;
}


/* CPU time of this thread: others use the machine too. */
static int64_t
cpu_ns(void)
{
    struct timespec  t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);

    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}


/* RFC 7914, 12; the fourth vector takes 1 GB. */
static void
test_vectors(void **state)
{
    unsigned char  hash[64];

    static const cost_t  first = { 4, 1, 1 };
    static const cost_t  second = { 10, 8, 16 };

    static const unsigned char  first_hash[64] = {
        0x77, 0xd6, 0x57, 0x62, 0x38, 0x65, 0x7b, 0x20,
        0x3b, 0x19, 0xca, 0x42, 0xc1, 0x8a, 0x04, 0x97,
        0xf1, 0x6b, 0x48, 0x44, 0xe3, 0x07, 0x4a, 0xe8,
        0xdf, 0xdf, 0xfa, 0x3f, 0xed, 0xe2, 0x14, 0x42,
        0xfc, 0xd0, 0x06, 0x9d, 0xed, 0x09, 0x48, 0xf8,
        0x32, 0x6a, 0x75, 0x3a, 0x0f, 0xc8, 0x1f, 0x17,
        0xe8, 0xd3, 0xe0, 0xfb, 0x2e, 0x0d, 0x36, 0x28,
        0xcf, 0x35, 0xe2, 0x0c, 0x38, 0xd1, 0x89, 0x06
    };
    static const unsigned char  second_hash[64] = {
        0xfd, 0xba, 0xbe, 0x1c, 0x9d, 0x34, 0x72, 0x00,
        0x78, 0x56, 0xe7, 0x19, 0x0d, 0x01, 0xe9, 0xfe,
        0x7c, 0x6a, 0xd7, 0xcb, 0xc8, 0x23, 0x78, 0x30,
        0xe7, 0x73, 0x76, 0x63, 0x4b, 0x37, 0x31, 0x62,
        0x2e, 0xaf, 0x30, 0xd9, 0x2e, 0x22, 0xa3, 0x88,
        0x6f, 0xf1, 0x09, 0x27, 0x9d, 0x98, 0x30, 0xda,
        0xc7, 0x27, 0xaf, 0xb9, 0x4a, 0x83, 0xee, 0x6d,
        0x83, 0x60, 0xcb, 0xdf, 0xa2, 0xcc, 0x06, 0x40
    };

    (void) state;

    assert_int_equal(derive(&first, NULL, 0, "", 0, hash, 64), EZW_OK);
    assert_memory_equal(hash, first_hash, 64);

    assert_int_equal(derive(&second, (unsigned char *) "NaCl", 4, "password",
                            8, hash, 64),
                     EZW_OK);
    assert_memory_equal(hash, second_hash, 64);

    assert_int_equal(check("$scrypt$ln=14,r=8,p=1$" RFC_SALT "$" RFC_HASH,
                           "pleaseletmein"),
                     EZW_OK);
}


static void
test_check(void **state)
{
    (void) state;

    assert_int_equal(check(CHEAP "$" CHEAP_SALT "$" CHEAP_HASH,
                           "correct horse"),
                     EZW_OK);
    assert_int_equal(check(CHEAP "$" CHEAP_SALT "$" CHEAP_HASH,
                           "correct horsf"),
                     EZW_DECLINED);
    assert_int_equal(check(CHEAP "$" CHEAP_SALT "$" CHEAP_HASH,
                           "correct hors"),
                     EZW_DECLINED);
    assert_int_equal(check(CHEAP "$" CHEAP_SALT "$" CHEAP_HASH, ""),
                     EZW_DECLINED);

    /* a byte of the salt, of the hash, and a hash that is only begun */

    assert_int_equal(check(CHEAP "$NDEyMzQ1Njc4OWFiY2RlZg$" CHEAP_HASH,
                           "correct horse"),
                     EZW_DECLINED);
    assert_int_equal(check(CHEAP "$" CHEAP_SALT
                           "$3nYYR1WNiVIE4oqKrxPuQubql1AU4+laWwCM1jFvCJc",
                           "correct horse"),
                     EZW_DECLINED);
    assert_int_equal(check(CHEAP "$" CHEAP_SALT
                           "$2nYYR1WNiVIE4oqKrxPuQubql1AU4+laWwCM1jFvCIc",
                           "correct horse"),
                     EZW_DECLINED);

    /* the cost is part of the hash */

    assert_int_equal(check("$scrypt$ln=5,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
                           "correct horse"),
                     EZW_DECLINED);
    assert_int_equal(check("$scrypt$ln=4,r=2,p=1$" CHEAP_SALT "$" CHEAP_HASH,
                           "correct horse"),
                     EZW_DECLINED);
    assert_int_equal(check("$scrypt$ln=4,r=1,p=2$" CHEAP_SALT "$" CHEAP_HASH,
                           "correct horse"),
                     EZW_DECLINED);
}


/* A password may have any bytes. */
static void
test_nul(void **state)
{
    cost_t         cost = { 4, 1, 1 };
    char           stored[128], *p;
    unsigned char  hash[32];

    (void) state;

    assert_int_equal(derive(&cost, (unsigned char *) "salt", 4, "a\0b", 3,
                            hash, 32),
                     EZW_OK);

    strcpy(stored, CHEAP "$c2FsdA");
    p = write_part(stored + strlen(stored), hash, 32);
    *p = '\0';

    assert_int_equal(ezw_password_check(stored, "a\0b", 3), EZW_OK);
    assert_int_equal(ezw_password_check(stored, "a\0c", 3), EZW_DECLINED);
    assert_int_equal(ezw_password_check(stored, "a", 1), EZW_DECLINED);
}


static void
test_parse(void **state)
{
    size_t  i;

    static const char  *good[] = {
        CHEAP "$" CHEAP_SALT "$" CHEAP_HASH,
        CHEAP "$$" CHEAP_HASH,
        CHEAP "$" CHEAP_SALT "$AAAAAAAAAAAAAAAAAAAAAA",
        CHEAP "$" RFC_HASH "$" RFC_HASH,
        "$scrypt$ln=20,r=16,p=4$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=15,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=1,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH
    };

    static const char  *bad[] = {
        "",
        "$",
        "!",
        "correct horse",
        CHEAP_HASH,
        "$scrypt$",
        "$scrypt$ln=4",
        CHEAP,
        CHEAP "$",
        CHEAP "$$",
        CHEAP "$" CHEAP_SALT,
        CHEAP "$" CHEAP_SALT "$",
        CHEAP "$" CHEAP_SALT "$$",
        CHEAP "$" CHEAP_SALT "$" CHEAP_HASH "$",
        CHEAP "$" CHEAP_SALT "$" CHEAP_HASH "\n",
        CHEAP "$" CHEAP_SALT "$" CHEAP_HASH "=",
        CHEAP "$" CHEAP_SALT "==$" CHEAP_HASH,
        CHEAP "$A$" CHEAP_HASH,
        CHEAP "$" CHEAP_SALT "$AAAA",
        /* 15 bytes */
        CHEAP "$" CHEAP_SALT "$AAAAAAAAAAAAAAAAAAAA",
        /* bits that no byte takes; the URL's alphabet */
        CHEAP "$" CHEAP_SALT "$2nYYR1WNiVIE4oqKrxPuQubql1AU4+laWwCM1jFvCJd",
        CHEAP "$" CHEAP_SALT "$2nYYR1WNiVIE4oqKrxPuQubql1AU4-laWwCM1jFvCJc",
        /* 65 bytes */
        CHEAP "$" CHEAP_SALT "$" RFC_HASH "A",
        CHEAP "$" CHEAP_SALT "$" RFC_HASH CHEAP_HASH,
        CHEAP "$" RFC_HASH RFC_HASH "$" CHEAP_HASH,
        " " CHEAP "$" CHEAP_SALT "$" CHEAP_HASH,
        "scrypt$ln=4,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$SCRYPT$ln=4,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$argon2id$ln=4,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$r=1,ln=4,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=4,r=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=4,r=1,p=1,x=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=0,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=4,r=0,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=4,r=1,p=0$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=04,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=-4,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=+4,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=4 ,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=0x4,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        /* beyond the limits, of a size_t too, and of RFC 7914's for N */
        "$scrypt$ln=21,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=4,r=17,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=4,r=1,p=5$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=4294967300,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=18446744073709551620,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH,
        "$scrypt$ln=16,r=1,p=1$" CHEAP_SALT "$" CHEAP_HASH
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (parse(good[i]) != EZW_OK) {
            fail_msg("refused: %s", good[i]);
        }
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(bad[i]) != EZW_INVALID) {
            fail_msg("taken: %s", bad[i]);
        }

        assert_int_equal(ezw_password_stale(bad[i]), 1);
    }

    assert_int_equal(parse_hash(NULL, NULL), EZW_INVALID);
}


/* One real hash, read back by another program's and the other way round. */
static void
test_today(void **state)
{
    char      out[EZW_PASSWORD_HASH];
    unsigned  i;

    unsigned char  salt[EZW_PASSWORD_SALT];

    (void) state;

    for (i = 0; i < sizeof(salt); i++) {
        salt[i] = (unsigned char) i;
    }

    memset(out, '#', sizeof(out));
    assert_int_equal(ezw_password_hash("correct horse", 13, salt, out),
                     EZW_OK);
    assert_string_equal(out, TODAY);
    assert_int_equal(ERR_peek_error(), 0);
}


static void
test_stale(void **state)
{
    (void) state;

    assert_int_equal(ezw_password_stale(TODAY), 0);
    assert_int_equal(ezw_password_stale(NULL), 1);

    assert_int_equal(ezw_password_stale(
                         "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$"
                         CHEAP_HASH), 1);
    assert_int_equal(ezw_password_stale(
                         "$scrypt$ln=15,r=9,p=1$AAECAwQFBgcICQoLDA0ODw$"
                         CHEAP_HASH), 1);
    assert_int_equal(ezw_password_stale(
                         "$scrypt$ln=15,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$"
                         CHEAP_HASH), 1);
    assert_int_equal(ezw_password_stale(
                         "$scrypt$ln=15,r=8,p=1$" RFC_SALT "$" CHEAP_HASH), 1);
    assert_int_equal(ezw_password_stale(
                         "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$"
                         RFC_HASH), 1);
}


/* Refuses a password, and keeps what that cost, if it is the least yet. */
static void
least_of(int64_t *least, const char *hash, const char *password)
{
    int64_t  took;

    took = cpu_ns();
    assert_int_equal(ezw_password_check(hash, password, strlen(password)),
                     EZW_DECLINED);
    took = cpu_ns() - took;

    if (took < *least) {
        *least = took;
    }
}


static int
alike(int64_t a, int64_t b)
{
    return a > b / 4 && b > a / 4;
}


/* Who is unknown, and who has something else for a hash, costs what a known
 * one costs. */
static void
test_unknown(void **state)
{
    int      round;
    int64_t  least[3] = { INT64_MAX, INT64_MAX, INT64_MAX };

    (void) state;

    /* the least of each: a host may count what it takes as ours */

    for (round = 0; round < 20; round++) {
        least_of(&least[0], TODAY, "correct horsf");
        least_of(&least[1], NULL, "correct horse");
        least_of(&least[2], "!", "correct horse");

        if (alike(least[0], least[1]) && alike(least[0], least[2])) {
            break;
        }
    }

    assert_true(alike(least[0], least[1]));
    assert_true(alike(least[0], least[2]));
}


/* OpenSSL refuses: no hash, and nothing left in its queue. */
static void
test_error(void **state)
{
    unsigned char  hash[32];

    static const cost_t  beyond = { 16, 1, 1 };

    (void) state;

    assert_int_equal(derive(&beyond, NULL, 0, "", 0, hash, 32), EZW_ERROR);
    assert_int_equal(ERR_peek_error(), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_today),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

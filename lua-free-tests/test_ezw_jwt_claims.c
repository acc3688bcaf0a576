/* ezw_jwt_claims: every claim missing, of each wrong type, at its limit. */

#include "cm.h"
#include "jwt.h"
#include "ezw_jwt.h"


#define NOW     1700000000
#define LEEWAY  30

#define HS256   "{\"alg\":\"HS256\"}"


/* What ezw_jwt_claims says of claims, for iss "i" and aud "a". */
static ezw_jwt_verdict_e
judge(const char *claims, const char *aud)
{
    char               *token;
    arena_t             arena;
    ezw_jwt_t           jwt;
    ezw_str_t           s;
    ezw_jwt_key_t      *secret;
    ezw_jwt_verdict_e   verdict;

    secret = read_key(RFC_SECRET);
    token = forge(secret, HS256, claims);
    s = str(token);
    arena_init(&arena, -1);

    assert_int_equal(ezw_jwt_parse(&arena.alloc, &s, &jwt), EZW_OK);
    verdict = ezw_jwt_claims(&jwt, "i", aud, NOW, LEEWAY);

    ezw_jwt_free(&jwt);
    arena_free(&arena);
    free(token);
    ezw_jwt_key_free(secret);

    return verdict;
}


static void
test_claims(void **state)
{
    size_t  i;

    static const struct {
        ezw_jwt_verdict_e   verdict;
        const char         *claims;
    } cases[] = {
        { EZW_JWT_VALID,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000001}" },

        { EZW_JWT_BAD_CLAIM,
          "{\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":[\"i\"],\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":1700000001}" },
        { EZW_JWT_BAD_ISSUER,
          "{\"iss\":\"I\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_ISSUER,
          "{\"iss\":\"ii\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_ISSUER,
          "{\"iss\":\"i/\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000001}" },

        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":null,\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":{\"a\":1},\"sub\":\"s\","
          "\"exp\":1700000001}" },
        { EZW_JWT_BAD_AUDIENCE,
          "{\"iss\":\"i\",\"aud\":\"A\",\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_AUDIENCE,
          "{\"iss\":\"i\",\"aud\":\"ab\",\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_AUDIENCE,
          "{\"iss\":\"i\",\"aud\":[],\"sub\":\"s\",\"exp\":1700000001}" },
        { EZW_JWT_BAD_AUDIENCE,
          "{\"iss\":\"i\",\"aud\":[\"b\",\"aa\"],\"sub\":\"s\","
          "\"exp\":1700000001}" },
        { EZW_JWT_VALID,
          "{\"iss\":\"i\",\"aud\":[\"a\"],\"sub\":\"s\","
          "\"exp\":1700000001}" },
        { EZW_JWT_VALID,
          "{\"iss\":\"i\",\"aud\":[\"b\",\"a\"],\"sub\":\"s\","
          "\"exp\":1700000001}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":[\"a\",1],\"sub\":\"s\","
          "\"exp\":1700000001}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":[[\"a\"]],\"sub\":\"s\","
          "\"exp\":1700000001}" },

        { EZW_JWT_BAD_CLAIM, "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\"}" },
        { EZW_JWT_VALID,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1699999971}" },
        { EZW_JWT_EXPIRED,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1699999970}" },
        { EZW_JWT_VALID,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":1699999971.5}" },
        { EZW_JWT_EXPIRED,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":1699999970.9}" },
        { EZW_JWT_VALID,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1.8e9}" },
        { EZW_JWT_EXPIRED,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":0}" },
        { EZW_JWT_EXPIRED,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":0.5}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":-1}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":-0.5}" },
        { EZW_JWT_VALID,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":253402300799}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":253402300800}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":253402300800.0}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":1700000001000}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":9223372036854775807}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":-9223372036854775808}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1e300}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":\"1700000001\"}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":true}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":null}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\","
          "\"exp\":[1700000001]}" },

        { EZW_JWT_VALID,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000001,"
          "\"nbf\":1700000030,\"iat\":1700000030}" },
        { EZW_JWT_NOT_YET,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000100,"
          "\"nbf\":1700000031}" },
        { EZW_JWT_NOT_YET,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000100,"
          "\"iat\":1700000031}" },
        { EZW_JWT_NOT_YET,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000100,"
          "\"iat\":1600000000,\"nbf\":1700000031.0}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000100,"
          "\"nbf\":\"1600000000\"}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000100,"
          "\"iat\":null}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"s\",\"exp\":1700000100,"
          "\"nbf\":9223372036854775807}" },

        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1700000100}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":\"\",\"exp\":1700000100}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":1,\"exp\":1700000100}" },
        { EZW_JWT_BAD_CLAIM,
          "{\"iss\":\"i\",\"aud\":\"a\",\"sub\":null,\"exp\":1700000100}" },

        /* the first wrong thing */
        { EZW_JWT_BAD_ISSUER,
          "{\"iss\":\"j\",\"aud\":\"b\",\"exp\":1}" },
        { EZW_JWT_BAD_AUDIENCE,
          "{\"iss\":\"i\",\"aud\":\"b\",\"exp\":1}" },
        { EZW_JWT_EXPIRED,
          "{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1,\"nbf\":1800000000}" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (judge(cases[i].claims, "a") != cases[i].verdict) {
            fail_msg("%d for %s", judge(cases[i].claims, "a"),
                     cases[i].claims);
        }
    }

    /* any audience, even none */

    assert_int_equal(judge("{\"iss\":\"i\",\"sub\":\"s\","
                           "\"exp\":1700000001}", NULL),
                     EZW_JWT_VALID);
    assert_int_equal(judge("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"b\","
                           "\"exp\":1700000001}", NULL),
                     EZW_JWT_VALID);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_claims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

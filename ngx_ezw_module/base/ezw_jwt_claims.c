/* What a verified token says of itself: from whom, for whom, from when to
 * when. */

#include "ezw_jwt.h"


#define DATE_MAX  INT64_C(253402300799)      /* the end of the year 9999 */


static ezw_jwt_verdict_e check_audience(const json_t *v, const char *aud);
static int read_date(const json_t *v, int64_t *seconds);


/* The first thing that is wrong with the claims, or EZW_JWT_VALID. */
ezw_jwt_verdict_e
ezw_jwt_claims(const ezw_jwt_t *jwt, const char *iss, const char *aud,
    int64_t now_s, unsigned leeway)
{
    int64_t             date;
    unsigned            i;
    const json_t       *v;
    ezw_jwt_verdict_e   verdict;

    static const char *const  begins[] = { "nbf", "iat" };

    if (jwt->iss.len == 0) {
        return EZW_JWT_BAD_CLAIM;
    }

    if (jwt->iss.len != strlen(iss)
        || memcmp(jwt->iss.data, iss, jwt->iss.len) != 0)
    {
        return EZW_JWT_BAD_ISSUER;
    }

    if (aud != NULL) {
        verdict = check_audience(json_object_get(jwt->claims, "aud"), aud);

        if (verdict != EZW_JWT_VALID) {
            return verdict;
        }
    }

    if (read_date(json_object_get(jwt->claims, "exp"), &date) != EZW_OK) {
        return EZW_JWT_BAD_CLAIM;
    }

    if (now_s - (int64_t) leeway >= date) {
        return EZW_JWT_EXPIRED;
    }

    for (i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        v = json_object_get(jwt->claims, begins[i]);

        if (v == NULL) {
            continue;
        }

        if (read_date(v, &date) != EZW_OK) {
            return EZW_JWT_BAD_CLAIM;
        }

        if (now_s + (int64_t) leeway < date) {
            return EZW_JWT_NOT_YET;
        }
    }

    if (json_string_length(json_object_get(jwt->claims, "sub")) == 0) {
        return EZW_JWT_BAD_CLAIM;
    }

    return EZW_JWT_VALID;
}


/* Whether aud is the string v or one of the array v (RFC 7519, 4.1.3). */
static ezw_jwt_verdict_e
check_audience(const json_t *v, const char *aud)
{
    size_t              i;
    const json_t       *item;
    ezw_jwt_verdict_e   verdict;

    if (json_is_string(v)) {
        return strcmp(json_string_value(v), aud) == 0 ? EZW_JWT_VALID
                                                      : EZW_JWT_BAD_AUDIENCE;
    }

    if (!json_is_array(v)) {
        return EZW_JWT_BAD_CLAIM;
    }

    verdict = EZW_JWT_BAD_AUDIENCE;

    for (i = 0; i < json_array_size(v); i++) {
        item = json_array_get(v, i);

        if (!json_is_string(item)) {
            return EZW_JWT_BAD_CLAIM;
        }

        if (strcmp(json_string_value(item), aud) == 0) {
            verdict = EZW_JWT_VALID;
        }
    }

    return verdict;
}


/* A NumericDate (RFC 7519, 2) in whole seconds; a fraction is legal and cut
 * off.  What lies beyond the year 9999 is no date but milliseconds, or a way
 * to overflow.  EZW_OK or EZW_INVALID. */
static int
read_date(const json_t *v, int64_t *seconds)
{
    double  real;

    if (json_is_integer(v)) {
        *seconds = json_integer_value(v);

    } else if (json_is_real(v)) {
        real = json_real_value(v);

        if (!(real >= 0 && real <= (double) DATE_MAX)) {
            return EZW_INVALID;
        }

        *seconds = (int64_t) real;

    } else {
        return EZW_INVALID;
    }

    return (*seconds >= 0 && *seconds <= DATE_MAX) ? EZW_OK : EZW_INVALID;
}

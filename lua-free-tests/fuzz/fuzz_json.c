/* The JSON writer: whatever is written reads back the same, at any chunk size;
 * the depth of what parses is no less than the parser's. */

#include <jansson.h>
#include <math.h>

#include "support.h"
#include "ezw_json.h"
#include "ezw_utf8.h"


static unsigned
depth_of(const json_t *v)
{
    void          *iter;
    json_t        *o;
    size_t         i;
    unsigned       deepest, d;

    deepest = 0;
    o = (json_t *) v;

    for (i = 0; i < json_array_size(v); i++) {
        d = depth_of(json_array_get(v, i));
        deepest = (d > deepest) ? d : deepest;
    }

    for (iter = json_object_iter(o); iter != NULL;
         iter = json_object_iter_next(o, iter))
    {
        d = depth_of(json_object_iter_value(iter));
        deepest = (d > deepest) ? d : deepest;
    }

    return deepest + (json_is_array(v) || json_is_object(v));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    float      f;
    double     d;
    size_t     chunk;
    sink_t     s;
    json_t    *v;
    int64_t    i;
    unsigned   depth;
    ezw_str_t  text;

    if (size < 9) {
        return 0;
    }

    chunk = data[0] % 70 + 1;
    memcpy(&i, data + 1, 8);
    memcpy(&d, data + 1, 8);
    memcpy(&f, data + 1, 4);
    text = tight(data + 9, size - 9);

    sink_init(&s, chunk, -1);
    ezw_json_literal(&s.w, "[");
    ezw_json_string(&s.w, text.data, text.len);
    ezw_json_literal(&s.w, ",");
    ezw_json_int(&s.w, i);
    ezw_json_literal(&s.w, ",");
    ezw_json_double(&s.w, d);
    ezw_json_literal(&s.w, ",");
    ezw_json_float(&s.w, f);
    ezw_json_literal(&s.w, ",");
    ezw_json_timestamp(&s.w, i);
    ezw_json_literal(&s.w, ",");
    ezw_json_hex(&s.w, text.data, text.len);
    ezw_json_literal(&s.w, "]");
    sink_flush(&s);
    CHECK(!s.w.failed);

    if (memchr(text.data, 0, text.len) != NULL
        || ezw_utf8_length(text.data, text.len) >= 0)
    {
        v = json_loadb(s.out, s.len, JSON_ALLOW_NUL, NULL);

        if (ezw_utf8_length(text.data, text.len) >= 0) {
            CHECK(v != NULL);
        }

        if (v != NULL) {
            CHECK(json_array_size(v) == 6);
            CHECK(json_string_length(json_array_get(v, 0)) == text.len);
            CHECK(memcmp(json_string_value(json_array_get(v, 0)), text.data,
                         text.len)
                  == 0);
            CHECK(json_integer_value(json_array_get(v, 1)) == i);

            if (isfinite(d)) {
                CHECK(json_number_value(json_array_get(v, 2)) == d);
            }

            if (isfinite(f)) {
                CHECK((float) json_number_value(json_array_get(v, 3)) == f);
            }

            CHECK(json_string_length(json_array_get(v, 5)) == 2 * text.len);
        }

        json_decref(v);
    }

    sink_free(&s);

    depth = ezw_json_depth(text.data, text.len);
    v = json_loadb((char *) text.data, text.len,
                   JSON_DECODE_ANY|JSON_ALLOW_NUL, NULL);

    if (v != NULL) {
        CHECK(depth == depth_of(v));
        json_decref(v);
    }

    free(text.data);

    return 0;
}

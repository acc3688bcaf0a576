/* Ids: what a strict parser takes is what the writer writes. */

#include <strings.h>

#include "support.h"
#include "ezw_id.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t          len, n;
    ezw_str_t       s, out, text;
    unsigned char   uuid[16], uuid_text[EZW_UUID_LEN], trace[32];

    s = tight(data, size);
    text = tight(data, 0);
    out = text;
    out.data = malloc(3 * (size / 4) + 3);
    text.data = realloc(text.data, 4 * ((size + 2) / 3) + 1);

    if (ezw_uuid_parse(&s, uuid) == EZW_OK) {
        ezw_uuid_text(uuid_text, uuid);
        CHECK(size == EZW_UUID_LEN);
        CHECK(strncasecmp((char *) uuid_text, (char *) s.data, size) == 0);
    }

    if (ezw_hex_parse(&s, out.data) == EZW_OK) {
        ezw_hex(text.data, out.data, size / 2);
        CHECK(strncasecmp((char *) text.data, (char *) s.data, size) == 0);
    }

    if (ezw_base64_parse(&s, out.data, &len) == EZW_OK) {
        n = ezw_base64(text.data, out.data, len);
        CHECK(n == size && memcmp(text.data, s.data, n) == 0);
    }

    if (ezw_base64url_parse(&s, out.data, &len) == EZW_OK) {
        n = ezw_base64url(text.data, out.data, len);
        CHECK(n == size && memcmp(text.data, s.data, n) == 0);
    }

    if (ezw_traceparent(&s, trace) == EZW_OK) {
        CHECK(size >= 55 && memcmp(trace, s.data + 3, 32) == 0);
    }

    /* and any bytes come back from their text */

    out.data = realloc(out.data, 3 * ((4 * ((size + 2) / 3)) / 4) + 3);
    text.len = ezw_base64(text.data, s.data, size);
    CHECK(text.len == 4 * ((size + 2) / 3));
    CHECK(ezw_base64_parse(&text, out.data, &len) == EZW_OK);
    CHECK(len == size && memcmp(out.data, data, size) == 0);

    text.len = ezw_base64url(text.data, s.data, size);
    CHECK(ezw_base64url_parse(&text, out.data, &len) == EZW_OK);
    CHECK(len == size && memcmp(out.data, data, size) == 0);

    free(s.data);
    free(out.data);
    free(text.data);

    return 0;
}

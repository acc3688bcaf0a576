/* utf8 and percent-decoding: what passes is valid, and decodes no further. */

#include "support.h"
#include "ezw_utf8.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int        rc;
    long       n;
    size_t     i, starts;
    ezw_str_t  src, dst;

    src = tight(data, size);
    dst = tight(data, size);

    n = ezw_utf8_length(src.data, src.len);

    if (n >= 0) {
        for (i = 0, starts = 0; i < size; i++) {
            CHECK(data[i] != 0);
            starts += ((data[i] & 0xc0) != 0x80);
        }

        CHECK((size_t) n == starts);
    }

    rc = ezw_uri_decode(&dst, &src, 0);

    if (rc == EZW_OK) {
        CHECK(dst.len <= size);
        CHECK(ezw_utf8_length(dst.data, dst.len) >= 0);

        /* without escapes it is the text itself */

        if (size == 0 || memchr(data, '%', size) == NULL) {
            CHECK(dst.len == size && memcmp(dst.data, data, size) == 0);
        }

        CHECK(ezw_uri_decode(&dst, &src, EZW_URI_SLASH) == EZW_OK);

    } else {
        CHECK(rc == EZW_INVALID);

        if (n >= 0) {
            CHECK(memchr(data, '%', size) != NULL);
        }
    }

    free(src.data);
    free(dst.data);

    return 0;
}

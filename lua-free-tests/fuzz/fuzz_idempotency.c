/* Idempotency-Key: printable, within the value, and the same when it comes
 * quoted. */

#include "support.h"
#include "ezw_idempotency.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int        rc;
    size_t     i;
    ezw_str_t  value, key, quoted, again;

    static const char  filler[EZW_IDEMPOTENCY_KEY + 2];

    value = tight(data, size);
    rc = ezw_idempotency_key(&value, &key);

    if (rc == EZW_OK) {
        CHECK(key.len >= 1 && key.len <= EZW_IDEMPOTENCY_KEY);
        CHECK(key.data >= value.data
              && key.data + key.len <= value.data + value.len);

        for (i = 0; i < key.len; i++) {
            CHECK(key.data[i] >= 0x20 && key.data[i] <= 0x7e);
        }

        quoted = tight(filler, key.len + 2);
        quoted.data[0] = '"';
        memcpy(quoted.data + 1, key.data, key.len);
        quoted.data[key.len + 1] = '"';

        CHECK(ezw_idempotency_key(&quoted, &again) == EZW_OK);
        CHECK(again.data == quoted.data + 1 && again.len == key.len);
        free(quoted.data);

    } else {
        CHECK(rc == EZW_INVALID);
    }

    free(value.data);

    return 0;
}

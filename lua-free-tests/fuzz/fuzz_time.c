/* Times: what parses is written and parsed to the same; what is written
 * parses. */

#include "support.h"
#include "ezw_time.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t        us, again;
    ezw_str_t      s;
    unsigned char  text[EZW_TIME_LEN];

    s = tight(data, size);

    if (ezw_time_parse(&s, &us) == EZW_OK) {
        CHECK(size >= 20 && size <= 32);
        CHECK(ezw_time_write(text, us) == text + EZW_TIME_LEN);
        free(s.data);
        s = tight(text, EZW_TIME_LEN);
        CHECK(ezw_time_parse(&s, &again) == EZW_OK);
        CHECK(again == us);
    }

    free(s.data);

    if (size >= 8) {
        memcpy(&us, data, 8);

        if (ezw_time_write(text, us) != NULL) {
            s = tight(text, EZW_TIME_LEN);
            CHECK(ezw_time_parse(&s, &again) == EZW_OK);
            CHECK(again == us);
            free(s.data);
        }
    }

    return 0;
}

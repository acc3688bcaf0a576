/* jid: what is taken stays as it is when it is parsed once more. */

#include "support.h"
#include "ezw_jid.h"
#include "ezw_utf8.h"


static const ezw_str_t       custom[] = { ezw_string("my-chat") };
static const ezw_jid_conf_t  conf = { ezw_string("eazy.im"), custom, 1 };


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int        rc;
    ezw_str_t  src, first, second;
    ezw_jid_t  jid, again;

    src = tight(data, size);
    first = tight(data, size);
    second = tight(data, size);

    rc = ezw_jid_parse(&conf, &src, first.data, &jid);

    if (rc == EZW_OK) {
        CHECK(jid.jid.data == first.data && jid.jid.len == size);
        CHECK(jid.local.data == first.data && jid.local.len > 0);
        CHECK(jid.domain.data == first.data + jid.local.len + 1);
        CHECK(jid.local.len + 1 + jid.domain.len + sizeof(".eazy.im") - 1
              == size);
        CHECK(memcmp(jid.local.data, data, jid.local.len) == 0);
        CHECK(ezw_utf8_length(first.data, size) == (long) size);
        CHECK(jid.kind != 0);
        CHECK(jid.phone == 0 || jid.phone >= 1000000);
        CHECK(ezw_jid_belongs(&jid, &jid)
              == (jid.kind == (EZW_JID_CHANNEL|EZW_JID_CONTACT)));

        CHECK(ezw_jid_parse(&conf, &jid.jid, second.data, &again) == EZW_OK);
        CHECK(memcmp(first.data, second.data, size) == 0);
        CHECK(again.kind == jid.kind && again.phone == jid.phone);

    } else {
        CHECK(rc == EZW_INVALID);
    }

    free(src.data);
    free(first.data);
    free(second.data);

    return 0;
}

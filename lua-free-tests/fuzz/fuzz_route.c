/* route: any path against a table like the real one. */

#include "support.h"
#include "ezw_route.h"
#include "ezw_utf8.h"

#define GET   0x01
#define POST  0x02


static const char *const  patterns[] = {
    "/v3/keys", "/v3/keys/current", "/v3/keys/{id}", "/v3/channels",
    "/v3/channels/{channelJid}", "/v3/channels/{channelJid}/contacts",
    "/v3/channels/{channelJid}/contacts/blacklist",
    "/v3/channels/{channelJid}/contacts/blacklist/{contactJid}",
    "/v3/channels/{channelJid}/contacts/{contactJid}",
    "/v3/channels/{channelJid}/contacts/{contactJid}/notes",
    "/v3/channels/{channelJid}/contacts/{contactJid}/notes/{id}",
    "/v3/channels/{channelId}/lists/{listJid}/participants/{contactJid}",
    "/v3/channels/{channelJid}/messages/{contactJid}",
    "/v3/companies/current", "/v3/companies/{companyId}",
    "/v3/companies/{companyId}/agents/{email}",
    "/v3/companies/{companyId}/labels/{jid}", "/api/lines/{lineId}/qr",
    "/openapi.json"
};


static void
look_up(const ezw_router_t *router, const uint8_t *data, size_t size,
    unsigned flags)
{
    int                rc;
    unsigned           i;
    ezw_str_t          path, scratch, name;
    ezw_route_match_t  m;

    path = tight(data, size);
    scratch = tight(data, size);

    rc = ezw_router_find(router, GET, &path, flags, scratch.data, &m);

    if (rc == EZW_OK) {
        CHECK(m.allowed & GET);

        for (i = 0; i < m.nparams; i++) {
            CHECK(m.params[i].data >= scratch.data);
            CHECK(m.params[i].data + m.params[i].len <= scratch.data + size);
            CHECK(m.params[i].len > 0);
            CHECK(ezw_utf8_length(m.params[i].data, m.params[i].len) > 0);
            CHECK(ezw_route_param_name(m.data, i, &name) == EZW_OK);
        }

        CHECK(ezw_route_param_name(m.data, i, &name) == EZW_DECLINED);

    } else if (rc == EZW_INVALID) {
        CHECK(m.allowed == 0);

        /* a path of plain ASCII cannot be badly encoded */

        for (i = 0; i < size; i++) {
            if (data[i] == 0 || data[i] >= 0x80 || data[i] == '%') {
                break;
            }
        }

        CHECK(i < size);

    } else {
        CHECK(rc == EZW_DECLINED && !(m.allowed & GET));
    }

    free(path.data);
    free(scratch.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned              i;

    static arena_t        arena;
    static ezw_router_t  *router;

    if (router == NULL) {
        arena_init(&arena, -1);
        router = ezw_router_create(&arena.alloc);

        for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
            CHECK(ezw_router_add(router, i % 3 ? GET : POST, patterns[i],
                                 (void *) patterns[i])
                  == EZW_OK);
        }
    }

    look_up(router, data, size, 0);
    look_up(router, data, size, EZW_ROUTE_DECODED);

    return 0;
}

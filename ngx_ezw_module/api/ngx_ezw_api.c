/* All tables. */

#include "api/ngx_ezw_api.h"


static const ngx_ezw_api_table_t  *tables[] = {
    &ngx_ezw_v3_keys,
    &ngx_ezw_v3_companies,
    &ngx_ezw_v3_channels,
    &ngx_ezw_v3_automated,
    &ngx_ezw_v3_profile,
    &ngx_ezw_v3_templates,
    &ngx_ezw_v3_contacts,
    &ngx_ezw_v3_blacklist,
    &ngx_ezw_v3_notes,
    &ngx_ezw_v3_events,
    &ngx_ezw_v3_conversations,
    &ngx_ezw_v3_lists,
    &ngx_ezw_v3_messages,
    &ngx_ezw_v3_webhooks,
    &ngx_ezw_v3_agents,
    &ngx_ezw_v3_assistants,
    &ngx_ezw_v3_labels,
    &ngx_ezw_v3_teams,
    &ngx_ezw_workspace_auth,
    NULL
};


ngx_int_t
ngx_ezw_api_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf)
{
    ngx_uint_t  i;

    if (ngx_ezw_endpoints_init(cf, emcf) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; tables[i]; i++) {
        if (ngx_ezw_endpoints_add(cf, emcf, tables[i]->face, tables[i]->rows,
                                  tables[i]->n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}

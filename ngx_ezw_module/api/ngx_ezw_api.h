/*
 * The endpoint tables.  A table is one resource of one face; its rows are
 * declarations (req/ngx_ezw_request.h, ngx_ezw_endpoint_row_t), and the
 * statement of a row's name is what it does.
 */

#ifndef NGX_EZW_API_H
#define NGX_EZW_API_H

#include "req/ngx_ezw_request.h"


typedef struct {
    ngx_ezw_face_e                 face;
    const ngx_ezw_endpoint_row_t  *rows;
    ngx_uint_t                     n;
} ngx_ezw_api_table_t;

#define ngx_ezw_rows(a)  a, sizeof(a) / sizeof(a[0])

extern const ngx_ezw_api_table_t  ngx_ezw_v3_keys;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_companies;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_channels;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_automated;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_profile;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_templates;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_contacts;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_blacklist;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_notes;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_events;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_conversations;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_lists;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_messages;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_webhooks;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_agents;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_assistants;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_labels;
extern const ngx_ezw_api_table_t  ngx_ezw_v3_teams;
extern const ngx_ezw_api_table_t  ngx_ezw_workspace_auth;

/* Adds every table (postconfiguration).  NGX_ERROR: logged. */
ngx_int_t ngx_ezw_api_conf(ngx_conf_t *cf, ngx_ezw_main_conf_t *emcf);

#endif

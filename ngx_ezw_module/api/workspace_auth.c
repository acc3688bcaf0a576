/* Signing in and staying in, passwords, signing up. */

#include "api/ngx_ezw_api.h"
#include "gate/ngx_ezw_gate.h"


#define ORGANIZATION  { .name = "organizationId", .type = EZW_FIELD_UUID,     \
                        .flags = EZW_NULLABLE }


static const ezw_field_t  login[] = {
    { .name = "email", .type = EZW_FIELD_EMAIL, .flags = EZW_REQUIRED },
    { .name = "password", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 256 },
    ORGANIZATION
};


static const ezw_field_t  refresh[] = {
    { .name = "refreshToken", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 512 },
    ORGANIZATION
};


static const ezw_field_t  password[] = {
    { .name = "currentPassword", .type = EZW_FIELD_STRING,
      .flags = EZW_REQUIRED, .min = 1, .max = 256 },
    { .name = "newPassword", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 10, .max = 256 },
};


static const ezw_field_t  reset[] = {
    { .name = "email", .type = EZW_FIELD_EMAIL },
    { .name = "token", .type = EZW_FIELD_STRING, .min = 1, .max = 512 },
    { .name = "newPassword", .type = EZW_FIELD_STRING, .min = 10, .max = 256 },
};


static const ezw_field_t  signup[] = {
    { .name = "organizationName", .type = EZW_FIELD_STRING,
      .flags = EZW_REQUIRED, .min = 1, .max = 120 },
    { .name = "ownerName", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 1, .max = 120 },
    { .name = "email", .type = EZW_FIELD_EMAIL, .flags = EZW_REQUIRED },
    { .name = "password", .type = EZW_FIELD_STRING, .flags = EZW_REQUIRED,
      .min = 10, .max = 256 },
    { .name = "lineSlots", .type = EZW_FIELD_INTEGER, .min = 1, .max = 100 },
    { .name = "timezone", .type = EZW_FIELD_STRING, .min = 1, .max = 64 },
    { .name = "idempotencyKey", .type = EZW_FIELD_STRING, .min = 1,
      .max = 255 },
    { .name = "signupToken", .type = EZW_FIELD_STRING, .min = 1, .max = 512 },
};


static const ngx_ezw_endpoint_row_t  rows[] = {

    { .name = "login",
      .method = NGX_HTTP_POST,
      .path = "/api/auth/login",
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_SINGLE,
      .before = ngx_ezw_signin_login,
      .finish = ngx_ezw_signin_finish,
      ngx_ezw_body(login) },

    { .name = "session_refresh",
      .method = NGX_HTTP_POST,
      .path = "/api/auth/refresh",
      .status = 200,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_SINGLE,
      .before = ngx_ezw_signin_refresh,
      .finish = ngx_ezw_signin_finish,
      ngx_ezw_body(refresh) },

    { .name = "session_current",
      .method = NGX_HTTP_GET,
      .path = "/api/auth/session",
      .role = NGX_EZW_ROLE_OPERATOR,
      .status = 200,
      .answer = NGX_EZW_OBJECT },

    { .name = "session_logout",
      .method = NGX_HTTP_POST,
      .path = "/api/auth/logout",
      .role = NGX_EZW_ROLE_OPERATOR,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_SINGLE },

    { .name = "password_change",
      .method = NGX_HTTP_POST,
      .path = "/api/auth/password",
      .role = NGX_EZW_ROLE_OPERATOR,
      .status = 204,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_SINGLE,
      .before = ngx_ezw_signin_password,
      ngx_ezw_body(password) },

    { .name = "password_reset",
      .method = NGX_HTTP_POST,
      .path = "/api/auth/password/reset",
      .status = 202,
      .answer = NGX_EZW_NOTHING,
      .lane = NGX_EZW_PG_SINGLE,
      .before = ngx_ezw_signin_reset,
      ngx_ezw_body(reset) },

    { .name = "signup",
      .method = NGX_HTTP_POST,
      .path = "/api/signup/organization",
      .status = 201,
      .answer = NGX_EZW_OBJECT,
      .lane = NGX_EZW_PG_SINGLE,
      .before = ngx_ezw_signin_signup,
      ngx_ezw_body(signup) },
};


const ngx_ezw_api_table_t  ngx_ezw_workspace_auth =
    { NGX_EZW_FACE_WORKSPACE, ngx_ezw_rows(rows) };

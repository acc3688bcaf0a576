/* Bodies: parsed, checked against every type of rule, strict or not. */

#include "fuzz_rules.h"


static const char *const  status[] = { "OPEN", "CLOSED", NULL };
static const char *const  events[] = { "echo", "message", "typing", NULL };

static const ezw_field_t  site[] = {
    { "", EZW_FIELD_STRING, 0, 1, 256, NULL }
};

static const ezw_field_t  inner[] = {
    { "deep", EZW_FIELD_STRING, EZW_REQUIRED, 0, 0, NULL }
};

static const ezw_field_t  profile[] = {
    { "contact",     EZW_FIELD_EMAIL, EZW_NULLABLE|EZW_AS_WRITTEN, 0, 128,
                     NULL },
    { .name = "websites", .type = EZW_FIELD_STRINGS, .max = 2,
      ezw_fields(site) },
    { .name = "inner", .type = EZW_FIELD_OBJECT, ezw_fields(inner) }
};

static const ezw_field_t  rules[] = {
    { "jid",         EZW_FIELD_JID,      0, EZW_JID_CONTACT, 0, NULL },
    { "name",        EZW_FIELD_NAME,     EZW_NULLABLE, 0, 255, NULL },
    { "remarks",     EZW_FIELD_STRING,   EZW_NULLABLE, 1, 1024, NULL },
    { "metadata",    EZW_FIELD_MAP,      0, 0, 50, NULL },
    { "status",      EZW_FIELD_ENUM,     0, 0, 0, status },
    { "unreadCount", EZW_FIELD_INTEGER,  EZW_NULLABLE, 0, 0, NULL },
    { "latitude",    EZW_FIELD_NUMBER,   0, 0, 0, NULL },
    { "enabled",     EZW_FIELD_BOOLEAN,  0, 0, 0, NULL },
    { "events",      EZW_FIELD_STRINGS,  0, 1, 10, NULL },
    { "labels",      EZW_FIELD_JIDS,     0, EZW_JID_OTHER, 20, NULL },
    { "team",        EZW_FIELD_REF,      EZW_NULLABLE, EZW_JID_OTHER, 0,
                     NULL },
    { "assignee",    EZW_FIELD_ASSIGNEE, EZW_NULLABLE, 0, 0, NULL },
    { "message",     EZW_FIELD_MESSAGE,  EZW_BARE, 0, 0, NULL },
    { "media",       EZW_FIELD_MEDIA,    0, 0, 0, NULL },
    { "expiresAt",   EZW_FIELD_TIME,     EZW_NULLABLE, 0, 0, NULL },
    { "whitelist",   EZW_FIELD_CIDRS,    EZW_NULLABLE, 0, 20, NULL },
    { "objects",     EZW_FIELD_OBJECTS,  0, 0, 20, NULL },
    { "email",       EZW_FIELD_EMAIL,    0, 0, 0, NULL },
    { "key",         EZW_FIELD_KEY,      EZW_READ_BACK, 0, 0, NULL },
    { "company",     EZW_FIELD_UUID,     0, 0, 0, NULL },
    { "data",        EZW_FIELD_JSON,     EZW_NULLABLE, 0, 4096, NULL },
    { .name = "profile", .type = EZW_FIELD_OBJECT, .flags = EZW_NULLABLE,
      ezw_fields(profile) },
    { "retention",   EZW_FIELD_INTEGER,  EZW_OWNER, 1, 3650, NULL },
    { "url",         EZW_FIELD_URL,      0, 0, 0, NULL },
    { "kinds",       EZW_FIELD_ENUMS,    0, 1, 20, events },
    { "headers",     EZW_FIELD_HEADERS,  EZW_NULLABLE|EZW_READ_BACK, 0, 0,
                     NULL },
    { "id",          EZW_FIELD_READONLY, 0, 0, 0, NULL }
};

#define N      (sizeof(rules) / sizeof(rules[0]))
#define SLOTS  37


static int
slot(const char *name)
{
    return ezw_fields_slot(rules, N, name, strlen(name));
}


/* What has one form is in it: the same check of it leaves it as it is. */
static void
check_form(const ezw_fields_conf_t *conf, const char *name,
    const ezw_value_t *values)
{
    json_t             *body;
    unsigned            i;
    ezw_value_t         again[2];
    const ezw_value_t  *value;

    value = &values[slot(name)];

    if (value->data == NULL) {
        return;
    }

    for (i = 0; strcmp(rules[i].name, name) != 0; i++) { /* void */ }

    body = json_object();

    if (rules[i].type == EZW_FIELD_CIDRS || rules[i].type == EZW_FIELD_ENUMS
        || rules[i].type == EZW_FIELD_HEADERS)
    {
        json_object_set_new(body, name,
                            json_loadb(value->data, value->len, 0, NULL));

    } else {
        json_object_set_new(body, name,
                            json_stringn(value->data, value->len));
    }

    CHECK(ezw_fields_check(conf, &rules[i], 1, body, again, NULL) == EZW_OK);
    CHECK(again[0].len == value->len
          && memcmp(again[0].data, value->data, value->len) == 0);

    json_decref(body);
}


/* Each object is one of the three, once, and one assistant at most. */
static void
check_objects(const ezw_value_t *value)
{
    size_t       i, j, assistants;
    json_t      *v, *object;
    const char  *type;

    if (value->data == NULL) {
        return;
    }

    v = json_loadb(value->data, value->len, JSON_REJECT_DUPLICATES, NULL);
    CHECK(json_is_array(v) && json_array_size(v) <= 20);
    assistants = 0;

    for (i = 0; i < json_array_size(v); i++) {
        object = json_array_get(v, i);
        CHECK(json_object_size(object) == 2);
        CHECK(json_is_string(json_object_get(object, "ref")));
        type = json_string_value(json_object_get(object, "type"));
        CHECK(type != NULL
              && (strcmp(type, "CHANNEL") == 0
                  || strcmp(type, "ASSISTANT") == 0
                  || strcmp(type, "COMPANY") == 0));
        assistants += (type[0] == 'A');

        for (j = 0; j < i; j++) {
            CHECK(!json_equal(object, json_array_get(v, j)));
        }
    }

    CHECK(assistants <= 1);
    json_decref(v);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                rc, strict;
    json_t            *body;
    arena_t            arena;
    ezw_str_t          text;
    ezw_value_t        values[VALUES];
    ezw_invalid_t      why;
    ezw_fields_conf_t  conf;

    text = tight(data, size);
    memset(&why, 0, sizeof(why));

    rc = ezw_fields_parse(text.data, text.len, &body, &why);
    free(text.data);

    if (rc != EZW_OK) {
        CHECK(rc == EZW_INVALID && body == NULL);
        check_why(&why);
        return 0;
    }

    CHECK(ezw_fields_slots(rules, N) == SLOTS);
    memset(&conf, 0, sizeof(conf));
    conf.jids = &jids;
    conf.alloc = &arena.alloc;

    for (strict = 0; strict < 2; strict++) {
        conf.strict = strict;
        conf.owner = !strict;
        arena_init(&arena, -1);
        rc = ezw_fields_check(&conf, rules, N, body, values, &why);

        if (rc == EZW_OK) {
            check_values(values, SLOTS);
            check_json(&values[slot("metadata")]);
            check_json(&values[slot("events")]);
            check_json(&values[slot("labels")]);
            check_json(&values[slot("message")]);
            check_json(&values[slot("data")]);
            check_json(&values[slot("profile.websites")]);
            check_objects(&values[slot("objects")]);

            check_form(&conf, "expiresAt", values);
            check_form(&conf, "whitelist", values);
            check_form(&conf, "email", values);
            check_form(&conf, "key", values);
            check_form(&conf, "company", values);
            check_form(&conf, "url", values);
            check_form(&conf, "kinds", values);
            check_form(&conf, "headers", values);

            if (values[slot("name")].data != NULL) {
                CHECK(values[slot("name")].len > 0);
            }

        } else {
            CHECK(rc == EZW_INVALID);
            check_why(&why);
        }

        arena_free(&arena);
    }

    json_decref(body);

    return 0;
}

/*
 * The rules of a request's body and query: declared beside the endpoint,
 * checked here, turned into the statement's parameters.
 *
 * A value leaves as the text that Postgres reads for its type: booleans "t"
 * and "f", numbers in decimal, json as compact JSON text.  Names that no rule
 * knows are ignored, or refused when `strict` (Prefer: handling=strict).
 */

#ifndef EZW_FIELDS_H
#define EZW_FIELDS_H

#include <jansson.h>

#include "ezw_jid.h"
#include "ezw_url_allow.h"

typedef enum {
    EZW_FIELD_STRING,     /* min/max: characters; chars, if any: those that it
                             may have */
    EZW_FIELD_INTEGER,    /* min/max: value; 1.0 is no integer */
    EZW_FIELD_NUMBER,     /* any finite number */
    EZW_FIELD_BOOLEAN,
    EZW_FIELD_ENUM,       /* string out of `values` */
    EZW_FIELD_ENUMS,      /* array of strings out of `values`; min/max:
                             elements; leaves as a JSON array, each once */
    EZW_FIELD_JID,        /* string; min: EZW_JID_* kinds that it may be;
                             refused with the text "Jid is invalid" */
    EZW_FIELD_NAME,       /* string, or {fullName} or {firstName,lastName};
                             three slots: .fullName .firstName .lastName
                             (DECISIONS 7); max: characters of fullName */
    EZW_FIELD_MAP,        /* {} or [] or null empty, else names to string,
                             number or boolean; max: names; 4 KB of JSON;
                             leaves as a JSON object */
    EZW_FIELD_STRINGS,    /* array of strings; min/max: elements; fields, if
                             any, is the one rule of an element (STRING, ENUM);
                             leaves as JSON */
    EZW_FIELD_JIDS,       /* array of jid strings; leaves as a JSON array of
                             normalised jids; min: kinds */
    EZW_FIELD_REF,        /* a jid string or {"jid": string}; one slot: the
                             jid; min: kinds */
    EZW_FIELD_ASSIGNEE,   /* an agent's e-mail or an assistant's jid, string */
    EZW_FIELD_MESSAGE,    /* a v3 message; slots: ezw_message.h */
    EZW_FIELD_MEDIA,      /* what stands beside a message for its media; read
                             with the message, no slot */
    EZW_FIELD_TIME,       /* an RFC 3339 date-time, not in the year 0; leaves
                             as ezw_time_write() writes it */
    EZW_FIELD_CIDRS,      /* array of addresses and networks (ezw_cidr.h);
                             max: elements, 0: 1000; leaves as a JSON array of
                             their canonical texts, each once */
    EZW_FIELD_OBJECTS,    /* an API key's objects: array of {"jid", "type":
                             "CHANNEL" or "ASSISTANT"} and {"id", "type":
                             "COMPANY"}; max: elements, 0: 1000; at most one
                             ASSISTANT; leaves as a JSON array of {"type",
                             "ref"}, ref the normalised jid or the lower-case
                             uuid, each once */
    EZW_FIELD_EMAIL,      /* an e-mail address in ASCII: local part 1-64,
                             domain 1-190 of letters, digits, ".", "-", 254 in
                             all; max: of them, when it is less; leaves in
                             lower case */
    EZW_FIELD_KEY,        /* 32 bytes as standard base64, padded or not;
                             leaves padded */
    EZW_FIELD_UUID,       /* leaves in lower case */
    EZW_FIELD_JSON,       /* any value; max: bytes of JSON, 0: any number;
                             leaves as compact JSON */
    EZW_FIELD_OBJECT,     /* an object of fields[nfields]; its own slot says
                             that it is there ("t", null) and is followed by
                             theirs, called "profile.email"; a null object is
                             one whose fields all are null */
    EZW_FIELD_URL,        /* that may be called (ezw_url_allow.h); leaves as it
                             came */
    EZW_FIELD_HEADERS,    /* of a request that is made for the caller: {} or []
                             or null empty, else names to values; max: names;
                             a name is a token, once whatever its case, and
                             none that the request has already or that belongs
                             to a connection; a value 1-1024 characters of
                             visible ASCII and blanks between them; leaves as a
                             JSON object in the order that it came in */
    EZW_FIELD_TEMPLATE_NAME,
    EZW_FIELD_LANGUAGE,   /* of a template: "en", "pt_BR" */
    EZW_FIELD_COMPONENTS, /* of a template (ezw_template.h); max: bytes of
                             JSON; two slots: they themselves as they came, and
                             .parameters */
    EZW_FIELD_READONLY    /* known, ignored, no slot */
} ezw_field_type_e;

#define EZW_REQUIRED   0x01      /* absent is refused: "x is required" */
#define EZW_NULLABLE   0x02      /* else null: "x must not be null" */
#define EZW_BARE       0x04      /* MESSAGE: the body itself may be it */
#define EZW_READ_BACK  0x08      /* KEY: "sha256:" and 16 hex digits, what reads
                                    tell of it, are as if it were absent;
                                    HEADERS: a value may be EZW_MASK */
#define EZW_OWNER      0x10      /* READONLY unless the conf says owner */
#define EZW_AS_WRITTEN 0x20      /* EMAIL: leaves in the letters it came in */

#define EZW_MASK  "\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa2"

typedef struct ezw_field_s  ezw_field_t;

struct ezw_field_s {
    const char           *name;      /* "name"; one level, as in the body */
    ezw_field_type_e      type;
    unsigned              flags;
    int64_t               min;
    int64_t               max;       /* 0: no bound, but for INTEGER */
    const char *const    *values;    /* NULL-terminated, EZW_FIELD_ENUM */
    const char           *chars;     /* "A-Za-z0-9_.-", ASCII; STRING; NULL:
                                        all; a "-" that is meant stands last */
    const ezw_field_t    *fields;    /* of an OBJECT; of STRINGS, one */
    unsigned              nfields;
};

#define ezw_fields(a)  .fields = a, .nfields = sizeof(a) / sizeof(a[0])

typedef struct {
    const char           *data;      /* NULL: null; ended by NUL for libpq */
    size_t                len;
    unsigned              present:1; /* the name stood in the body */
} ezw_value_t;

typedef struct {
    const ezw_jid_conf_t *jids;
    const ezw_alloc_t    *alloc;     /* owns what the values point to */
    ezw_str_t             domain;    /* of the path's channel: a MESSAGE is
                                        what it carries; len 0: any */
    const ezw_url_allow_t  *urls;    /* URL: what else may be called; NULL:
                                        nothing */
    unsigned              strict:1;
    unsigned              owner:1;   /* who asks may write EZW_OWNER fields */
} ezw_fields_conf_t;

/* Number of slots of the rules. */
unsigned ezw_fields_slots(const ezw_field_t *rules, unsigned n);

/* Slot of "reference", "name.fullName" or "profile.email"; -1: no such.  A field without a
 * suffix is its first slot ("name" is "name.fullName"). */
int ezw_fields_slot(const ezw_field_t *rules, unsigned n,
    const char *name, size_t len);

/* Parses a body: UTF-8, depth at most 32, no duplicate names, an object.
 * EZW_OK (the caller decrefs), EZW_INVALID with *why (1005), EZW_ERROR. */
int ezw_fields_parse(const unsigned char *p, size_t len, json_t **body,
    ezw_invalid_t *why);

/* Checks body against the rules and fills values[slots].
 * EZW_OK, EZW_INVALID with *why naming the field, EZW_ERROR. */
int ezw_fields_check(const ezw_fields_conf_t *conf, const ezw_field_t *rules,
    unsigned n, const json_t *body, ezw_value_t *values, ezw_invalid_t *why);

/* The same for a query string ("limit=50&cursor=..."): decoded here; a name
 * given twice is refused; STRING, INTEGER, BOOLEAN ("true"/"false"), ENUM and
 * JID only. */
int ezw_fields_query(const ezw_fields_conf_t *conf, const ezw_field_t *rules,
    unsigned n, const ezw_str_t *query, ezw_value_t *values,
    ezw_invalid_t *why);

#endif

/*
 * The inside of ezw_message: what a message may have, declared as tables, and
 * the walk that checks a message by them and writes its normal form in the same
 * pass.  Included by ezw_message*.c only.
 *
 * A table ends with a rule without a name.  Members are written in the table's
 * order, which is the alphabet's, as in the document.  What a rule has read
 * under its alias leaves under its name.  An optional member that is null is as
 * if it were absent.
 *
 * All functions return EZW_OK, EZW_INVALID with *why, or EZW_ERROR: no memory.
 */

#ifndef EZW_MESSAGE_RULE_H
#define EZW_MESSAGE_RULE_H

#include "ezw_fields_value.h"
#include "ezw_message.h"

#define EZW_MESSAGE_PATH  256
#define BAD_MEDIA         1008      /* code of a refusal about media */


typedef enum {
    EZW_RULE_STRING = 0,   /* min/max: characters */
    EZW_RULE_NUMBER,       /* min/max: value */
    EZW_RULE_INTEGER,      /* min/max: value */
    EZW_RULE_ENUM,         /* string out of `values` */
    EZW_RULE_OBJECT,       /* `rules` */
    EZW_RULE_OBJECTS,      /* array of them; min/max: elements */
    EZW_RULE_CHOICE,       /* object, by one table of `choices` */
    EZW_RULE_CHOICES,      /* array of them; min/max: elements */
    EZW_RULE_CHOSEN,       /* in such a table: the member that chose it */
    EZW_RULE_WRITTEN,      /* by `write`, if it is there or not */
    EZW_RULE_LATER,        /* known, refused until the media issue */
    EZW_RULE_REFUSED,      /* known, and has no place here */
    EZW_RULE_IGNORED       /* known, and not kept */
} ezw_message_rule_e;

#define EZW_RULE_REQUIRED  0x01
#define EZW_RULE_FOLD      0x02    /* ENUM, CHOICE: in any letter case; leaves
                                      as the table has it */
#define EZW_RULE_DIGITS    0x04    /* INTEGER: or a string of digits */
#define EZW_RULE_SINGLE    0x08    /* OBJECT: or an array that has only it */
#define EZW_RULE_MEDIA     0x10    /* refused with 1008 */


typedef struct ezw_message_rule_s    ezw_message_rule_t;
typedef struct ezw_message_choice_s  ezw_message_choice_t;
typedef struct ezw_message_walk_s    ezw_message_walk_t;

struct ezw_message_rule_s {
    const char                  *name;
    ezw_message_rule_e           type;
    unsigned                     flags;
    int64_t                      min;
    int64_t                      max;       /* 0: no bound, but for numbers */
    const char                  *alias;     /* another name, read alike */
    const char *const           *values;    /* ENUM: NULL-terminated */
    const ezw_message_rule_t    *rules;     /* OBJECT, OBJECTS */
    const ezw_message_choice_t  *choices;   /* CHOICE, CHOICES */
    const char                  *absent;    /* ENUM: what it then is; CHOICE:
                                               what its type then is */
    const char                  *fallback;  /* the member whose value it then
                                               has */
    const char                  *text;      /* OBJECT, CHOICE: a string stands
                                               for {text: string} */
    /* What else holds of a value that the rule lets pass.  walk->path names
     * it. */
    int                        (*check)(ezw_message_walk_t *walk,
                                        const json_t *v);
    int                        (*write)(ezw_message_walk_t *walk,
                                        const json_t *object);
};

/* A table for objects whose member "type" has this value; ended by a NULL. */
struct ezw_message_choice_s {
    const char                  *name;
    const ezw_message_rule_t    *rules;
    const char                  *alias;
};

struct ezw_message_walk_s {
    const ezw_fields_conf_t     *conf;
    const json_t                *media;     /* beside the message, NULL: none */
    ezw_value_t                 *parts;
    ezw_invalid_t               *why;
    const ezw_message_choice_t  *chosen;    /* of the object being walked */
    const ezw_message_choice_t  *message;   /* of the whole message */
    ezw_fields_text_t            text;
    size_t                       path_len;
    char                         path[EZW_MESSAGE_PATH];
};


/* The walk ------------------------------------------------------------------*/

/* Writes an object by its table; walk->path names it. */
int ezw_message_walk_object(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rules, const json_t *object);

/* Writes a value that is not null by its rule; walk->path names it. */
int ezw_message_walk_value(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rule, const json_t *v);

/* The table for a type, NULL: none. */
const ezw_message_choice_t *ezw_message_choose(
    const ezw_message_choice_t *choices, unsigned flags, const json_t *type);

/* Appends a member's name to what is written, and a comma where one is
 * needed. */
void ezw_message_walk_name(ezw_message_walk_t *walk, const char *name);

/* Make walk->path longer by ".name" or "[i]" and return what it was, which
 * restores it. */
size_t ezw_message_enter(ezw_message_walk_t *walk, const char *name);
size_t ezw_message_enter_element(ezw_message_walk_t *walk, size_t i);
void ezw_message_leave(ezw_message_walk_t *walk, size_t path_len);

/* EZW_INVALID: "<path> <what>". */
int ezw_message_refuse(ezw_message_walk_t *walk, int code, const char *what);
int ezw_message_refuse_member(ezw_message_walk_t *walk, const char *name,
    const char *what);

/* EZW_INVALID for a name in an object that no rule knows. */
int ezw_message_refuse_unknown(ezw_message_walk_t *walk,
    const ezw_message_rule_t *rules, const json_t *object);

/* A member that is there and not null, under its name or its alias. */
const json_t *ezw_message_member(const json_t *object, const char *name,
    const char *alias);

/* An integer that a rule with EZW_RULE_DIGITS has let pass. */
int64_t ezw_message_integer(const json_t *v);


/* The tables ----------------------------------------------------------------*/

/* What all types have: contextInfo. */
int ezw_message_write_context(ezw_message_walk_t *walk, const json_t *object);

#define EZW_MESSAGE_CONTEXT                                                   \
    { .name = "contextInfo", .type = EZW_RULE_WRITTEN,                        \
      .write = ezw_message_write_context }

#define EZW_MESSAGE_CHOSEN  { .name = "type", .type = EZW_RULE_CHOSEN }

extern const ezw_message_rule_t  ezw_message_contact[];
extern const ezw_message_rule_t  ezw_message_template[];
extern const ezw_message_rule_t  ezw_message_interactive[];

/* audio, ptt, sticker; gif, image, video; document. */
extern const ezw_message_rule_t  ezw_message_uncaptioned[];
extern const ezw_message_rule_t  ezw_message_captioned[];
extern const ezw_message_rule_t  ezw_message_document[];

/* {"url"}, and {"fileName","url"}: media in the parts of templates and
 * interactive messages. */
extern const ezw_message_rule_t  ezw_message_reference[];
extern const ezw_message_rule_t  ezw_message_file[];

/* A file's name without a path or control characters. */
int ezw_message_check_file_name(ezw_message_walk_t *walk, const json_t *v);

#endif

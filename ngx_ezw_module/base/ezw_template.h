/*
 * Message templates (DECISIONS 16): their names, their languages, and what
 * they are made of, within Meta's limits.
 *
 *   HEADER   format TEXT (text, 1-60 characters, one variable at most), IMAGE,
 *            VIDEO, DOCUMENT or LOCATION
 *   BODY     text, 1-1024 characters; every template has one
 *   FOOTER   text, 1-60 characters, no variables
 *   BUTTONS  1-10 of QUICK_REPLY, URL (two at most; a variable at the end of
 *            its url at most), PHONE_NUMBER (one at most), COPY_CODE (one at
 *            most); quick replies stand together; text 1-25 characters
 *
 * Each of them once at most, types and formats in any letter case.  Variables
 * are {{1}}, {{2}} and so on, none of them left out.
 *
 * What a send has to give is what comes out beside the components:
 *
 *   {"header":1,"format":"IMAGE","body":2,"buttons":[null,1],
 *    "types":["QUICK_REPLY","URL"]}
 *
 * the number of parameters of each part, null where one may be given or not
 * (a quick reply's payload); format is null without a header.
 */

#ifndef EZW_TEMPLATE_H
#define EZW_TEMPLATE_H

#include "ezw_fields.h"

/* 1 for [a-z0-9_]{1,512}. */
int ezw_template_is_name(const char *p, size_t len);

/* 1 for "en", "fil", "pt_BR": a language, and a country or none. */
int ezw_template_is_language(const char *p, size_t len);

/* Checks the components, named as the rule is, and sets two values: the
 * components as they came, and what a send has to give, both compact JSON.
 * EZW_OK, EZW_INVALID with *why naming the field, EZW_ERROR. */
int ezw_template_check(const ezw_fields_conf_t *conf, const ezw_field_t *rule,
    const json_t *v, ezw_value_t *values, ezw_invalid_t *why);

#endif

/*
 * A v3 message (eazy-v3-api.txt "Messages", DECISIONS 13): checked by its
 * type, brought into the document's own form.
 *
 * Served: text ("body", 1-4096 characters; "text" is read as an alias; an
 * optional contextInfo.quotedMessage.id of 40 hex).  The document's other
 * types are known and refused with 1005 until they are served: "message.type
 * image is not served yet"; any other: "message.type is unknown".
 */

#ifndef EZW_MESSAGE_H
#define EZW_MESSAGE_H

#include "ezw_fields.h"

/* Checks `message` (an object) and writes its normal form as compact JSON,
 * {"body":..,"type":"text"}, to *out, and its type to *type.
 * `prefix` ("message") begins the field names of errors. */
int ezw_message_check(const ezw_fields_conf_t *conf, const json_t *message,
    const char *prefix, ezw_str_t *out, ezw_str_t *type, ezw_invalid_t *why);

#endif

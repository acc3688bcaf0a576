/*
 * A v3 message (eazy-v3-api.txt "Messages", DECISIONS 13): checked by its
 * type, brought into one normal form, the document's own spelling.  That is
 * what is stored, what connectors get and what is read back.  Types: text,
 * audio, contact, document, gif, image, interactive, location, ptt, sticker,
 * template, video.
 *
 * Members in the alphabet's order; an optional one that was null is absent.
 * All types may have contextInfo.quotedMessage.id.
 *
 * Read besides, and left under the document's name: text for body; a media's
 * link for url; a string for {"code"}, {"text"} and {"formattedName"}; an array
 * with a template for the template; Meta's own names with underscores; types
 * of a template's parts in any letter case.
 *
 * Media is a URL: "media":{"url"} in the normal form, read from media.url
 * beside the message, from message.media.url or from message.url, the first
 * that is there.  Its id and its data are refused with 1008 until they are
 * served.  What only WhatsApp asks for is asked on its channels alone
 * (conf->domain).
 */

#ifndef EZW_MESSAGE_H
#define EZW_MESSAGE_H

#include "ezw_fields.h"

/* What a message leaves to a statement: ":body.message" is its normal form as
 * compact JSON, ":body.message.quoted" and so on the rest.  Null is what it has
 * not. */
typedef enum {
    EZW_MESSAGE_JSON = 0,
    EZW_MESSAGE_TYPE,                    /* type */
    EZW_MESSAGE_QUOTED,                  /* quoted: 40 hex in lower case */
    EZW_MESSAGE_CATALOG,                 /* catalog: "t" when the channel must
                                            have one */
    EZW_MESSAGE_TEMPLATE_NAME,           /* template.name */
    EZW_MESSAGE_TEMPLATE_LANGUAGE,       /* template.language: its code */
    EZW_MESSAGE_TEMPLATE_PARAMETERS,     /* template.parameters: JSON, below */
    EZW_MESSAGE_PARTS
} ezw_message_part_e;

/* How many parameters are given, of which kinds, as ezw_template.h tells what a
 * template takes:
 *
 *   {"header":1,"format":"IMAGE","body":2,"buttons":[0,1],"types":[null,"URL"]}
 *
 * format is null without a parameter for the header; buttons stand by their
 * index, a type is null where no component is given for it. */
extern const char *const  ezw_message_parts[EZW_MESSAGE_PARTS];

/* Checks a message and fills parts.  media: what stands beside it in the body,
 * or NULL.  `prefix` ("message") begins the field names of errors.  EZW_OK,
 * EZW_INVALID with *why (1005, or 1008 about media), EZW_ERROR. */
int ezw_message_check(const ezw_fields_conf_t *conf, const json_t *message,
    const json_t *media, const char *prefix, ezw_value_t *parts,
    ezw_invalid_t *why);

#endif

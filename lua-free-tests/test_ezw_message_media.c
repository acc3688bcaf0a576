/* ezw_message: audio, document, gif, image, ptt, sticker, video, and where
 * their media is. */

#include "message.h"

#define U  "'https://example.com/a'"


static const char *const  types[] = {
    "audio", "document", "gif", "image", "ptt", "sticker", "video"
};


/* A refusal about media. */
static void
assert_bad_media(const char *text, const char *field, const char *what)
{
    assert_refused_as(text, 1008, field, what);
}


static const char *
of_type(const char *text, const char *type)
{
    return with(text, type, 1);
}


static void
test_types(void **state)
{
    static const accepted_t  accepted[] = {
        { "{'media':{'url':" U "},'mimeType':'audio/mpeg','type':'audio'}",
          NULL },
        { "{'fileName':'a.pdf','media':{'url':" U "},'mimeType':"
          "'application/pdf','title':'A','type':'document'}", NULL },
        { "{'caption':'c','media':{'url':" U "},'mimeType':'video/mp4',"
          "'type':'gif'}", NULL },
        { "{'caption':'c','media':{'url':" U "},'mimeType':'image/jpeg',"
          "'type':'image'}", NULL },
        { "{'media':{'url':" U "},'mimeType':'audio/ogg; codecs=opus','type':"
          "'ptt'}", NULL },
        { "{'media':{'url':" U "},'mimeType':'image/webp','type':'sticker'}",
          NULL },
        { "{'caption':'c','media':{'url':" U "},'mimeType':'video/3gpp',"
          "'type':'video'}", NULL },

        /* no media type, no caption, an empty one */
        { "{'media':{'url':" U "},'type':'image'}", NULL },
        { "{'type':'image','url':" U ",'mimeType':null,'caption':null}",
          "{'media':{'url':" U "},'type':'image'}" },
        { "{'caption':'','media':{'url':" U "},'type':'video'}", NULL },

        /* a reply */
        { "{'type':'sticker','url':" U ",'contextInfo':{'quotedMessage':{'id':"
          "'" ID "'}}}",
          "{'contextInfo':{'quotedMessage':{'id':'" ID "'}},'media':{'url':" U
          "},'type':'sticker'}" },

        /* no title, no caption of its own */
        { "{'type':'document','url':" U ",'fileName':'a.pdf'}",
          "{'fileName':'a.pdf','media':{'url':" U "},'title':'a.pdf','type':"
          "'document'}" },
        { "{'type':'document','url':" U ",'filename':'a.pdf','title':null,"
          "'caption':'x'}",
          "{'fileName':'a.pdf','media':{'url':" U "},'title':'a.pdf','type':"
          "'document'}" },
        { "{'type':'audio','url':" U ",'caption':'x'}",
          "{'media':{'url':" U "},'type':'audio'}" }
    };

    (void) state;

    assert_accepted(accepted, ALL(accepted));
    assert_part(EZW_MESSAGE_CATALOG, NULL);
    assert_part(EZW_MESSAGE_TEMPLATE_PARAMETERS, NULL);

    assert_length("{'type':'image','url':" U ",'caption':'%s'}",
                  "message.caption", 0, 1024);
    assert_length("{'type':'document','url':" U ",'fileName':'a','title':"
                  "'%s'}", "message.title", 1, 1024);
    assert_length("{'type':'document','url':" U ",'fileName':'%s'}",
                  "message.fileName", 1, 240);
}


static void
test_members(void **state)
{
    static const refused_t  refused[] = {
        { "{'type':'image','url':" U ",'caption':1}", "message.caption",
          "must be a string" },
        { "{'type':'document','url':" U "}", "message.fileName",
          "is required" },
        { "{'type':'document','url':" U ",'title':'a'}", "message.fileName",
          "is required" },
        { "{'type':'document','url':" U ",'fileName':null}",
          "message.fileName", "must not be null" },
        { "{'type':'document','url':" U ",'fileName':[]}", "message.fileName",
          "must be a string" },
        { "{'type':'document','url':" U ",'fileName':'../a'}",
          "message.fileName", "must not have a path" },
        { "{'type':'document','url':" U ",'fileName':'c:\\\\a'}",
          "message.fileName", "must not have a path" },
        { "{'type':'document','url':" U ",'filename':'a/b'}",
          "message.filename", "must not have a path" },
        { "{'type':'document','url':" U ",'fileName':'a\\nb'}",
          "message.fileName", "must not have control characters" },
        { "{'type':'document','url':" U ",'fileName':'a\x7f'}",
          "message.fileName", "must not have control characters" },
        { "{'type':'document','url':" U ",'fileName':'..'}",
          "message.fileName", "is no file name" },
        { "{'type':'document','url':" U ",'fileName':'.'}",
          "message.fileName", "is no file name" },
        { "{'type':'document','url':" U ",'fileName':'a','title':1}",
          "message.title", "must be a string" },
        { "{'type':'image','url':" U ",'contextInfo':1}",
          "message.contextInfo", "must be an object" }
    };

    (void) state;

    assert_refused(refused, ALL(refused));
}


/* Beside the message, in it, or its url: the first of them. */
static void
test_places(void **state)
{
    (void) state;

    assert_becomes("{'type':'image','url':" U "}",
                   "{'media':{'url':" U "},'type':'image'}");
    assert_becomes("{'type':'image','link':'x','url':" U "}",
                   "{'media':{'url':" U "},'type':'image'}");
    assert_becomes("{'type':'image','media':{'url':" U "},'url':'x'}",
                   "{'media':{'url':" U "},'type':'image'}");
    assert_becomes("{'type':'image','media':{'link':" U "}}",
                   "{'media':{'url':" U "},'type':'image'}");
    assert_becomes("{'type':'image','media':null,'url':" U "}",
                   "{'media':{'url':" U "},'type':'image'}");

    beside = "{'url':" U "}";
    assert_becomes("{'type':'image'}",
                   "{'media':{'url':" U "},'type':'image'}");
    assert_becomes("{'type':'image','media':{'url':'x'},'url':'y'}",
                   "{'media':{'url':" U "},'type':'image'}");

    beside = "{'size':5,'url':" U ",'id':null,'data':null}";
    assert_becomes("{'type':'image'}",
                   "{'media':{'url':" U "},'type':'image'}");

    beside = "null";
    assert_becomes("{'type':'image','url':" U "}",
                   "{'media':{'url':" U "},'type':'image'}");

    /* beside a message that has none it is an unknown field */

    beside = "{'url':1}";
    assert_same("{'body':'a','type':'text'}");
    assert_unknown("{'body':'a','type':'text'}", "media");
}


/* The field is named as it was given, beside the message without its name. */
static void
test_places_refused(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < ALL(types); i++) {
        assert_int_equal(check_as(of_type("{'type':'%s','fileName':'a'}",
                                          types[i]), "message"),
                         EZW_INVALID);
        assert_int_equal(why.code, 1008);
        assert_string_equal(why.field, "media");
        assert_string_equal(why.text, "media.url or message.url is required");
    }

    assert_int_equal(check_as("{'type':'image','url':null}", ""),
                     EZW_INVALID);
    assert_string_equal(why.text, "media.url or url is required");

    assert_bad_media("{'type':'image','media':{}}", "message.media.url",
                     "is required");
    assert_bad_media("{'type':'image','media':{'url':null}}",
                     "message.media.url", "must not be null");
    assert_bad_media("{'type':'image','media':" U "}", "message.media",
                     "must be an object");
    assert_bad_media("{'type':'image','media':{'id':'" ID "'}}",
                     "message.media.id", "is not served yet");
    assert_bad_media("{'type':'image','media':{'data':'AA==','url':" U "}}",
                     "message.media.data", "is not served yet");
    assert_bad_media("{'type':'image','url':1}", "message.url",
                     "must be a string");

    beside = "{}";
    assert_bad_media("{'type':'image','url':" U "}", "media.url",
                     "is required");
    beside = "[]";
    assert_bad_media("{'type':'image','url':" U "}", "media",
                     "must be an object");
    beside = "{'id':'" ID "'}";
    assert_bad_media("{'type':'image'}", "media.id", "is not served yet");
    beside = "{'data':'AA=='}";
    assert_bad_media("{'type':'image'}", "media.data", "is not served yet");
    beside = "{'url':" U "}";
    assert_bad_media("{'type':'image','mimeType':'x'}", "message.mimeType",
                     "is no media type");
    beside = "{'url':5}";
    assert_bad_media("{'type':'image'}", "media.url", "must be a string");
}


static void
test_url(void **state)
{
    size_t       i;
    const char  *text;

    static const char *const  good[] = {
        "https://example.com", "https://example.com:8443/a?b=c&d=%20",
        "https://8.8.8.8/a", "https://[2606:4700:4700::1111]/a",
        "HTTPS://EXAMPLE.com/"
    };

    static const struct {
        const char  *url;
        const char  *what;
    } bad[] = {
        { "", "is too short: at least 1 character" },
        { "a", "is not allowed: it does not begin with https:// or http:// "
               "and a host" },
        { "ftp://example.com/", "is not allowed: it does not begin with "
                                "https:// or http:// and a host" },
        { "https://a:b@example.com/", "is not allowed: it names a user" },
        { "https://example.com/#a", "is not allowed: it has a fragment" },
        { "https://127.0.0.1/", "is not allowed: its host is a loopback "
                                "address" },
        { "https://10.0.0.1/", "is not allowed: its host is a private "
                               "address" },
        { "https://[::1]/", "is not allowed: its host is a loopback address" }
    };

    (void) state;

    for (i = 0; i < ALL(good); i++) {
        text = with("{'media':{'url':'%s'},'type':'image'}", good[i], 1);
        assert_same(text);
    }

    for (i = 0; i < ALL(bad); i++) {
        assert_bad_media(with("{'type':'image','url':'%s'}", bad[i].url, 1),
                         "message.url", bad[i].what);
        assert_bad_media(with("{'type':'image','media':{'url':'%s'}}",
                              bad[i].url, 1),
                         "message.media.url", bad[i].what);
    }

    assert_int_equal(check_as("{'type':'image','url':'http://example.com/'}",
                              "message"), EZW_INVALID);
    assert_int_equal(why.code, 1008);

    text = "{'media':{'url':'https://example.com/%s'},'type':'image'}";
    assert_same(with(text, "a", 2048 - 20));
    assert_bad_media(with(text, "a", 2048 - 19), "message.media.url",
                     "is too long: at most 2048 characters");
}


/* What the operator allows beside may be called over http. */
static void
test_allowed(void **state)
{
    static const ezw_str_t        names[] = { ezw_string("files.local") };
    static const ezw_url_allow_t  allow = { .names = names, .nnames = 1 };

    (void) state;

    conf.urls = &allow;
    assert_same("{'media':{'url':'http://files.local/a'},'type':'image'}");
    assert_int_equal(check_as("{'type':'image','url':'http://other.local/'}",
                              "message"), EZW_INVALID);
}


static void
test_mime_type(void **state)
{
    size_t       i, k;
    char         text[256];
    const char  *domain;

    /* what each type takes on WhatsApp, and on any other channel */

    static const struct {
        const char  *type;
        const char  *mime;
        int          whatsapp;
        int          other;
    } cases[] = {
        { "audio", "audio/aac", 1, 1 }, { "audio", "audio/amr", 1, 1 },
        { "audio", "audio/mpeg", 1, 1 }, { "audio", "audio/mp4", 1, 1 },
        { "audio", "audio/ogg", 1, 1 }, { "audio", "AUDIO/OGG", 1, 1 },
        { "audio", "audio/ogg;codecs=opus", 1, 1 },
        { "audio", "audio/ogg ; codecs=\\\"opus\\\"", 1, 1 },
        { "audio", "audio/wav", 0, 1 }, { "audio", "audio/oggs", 0, 1 },
        { "audio", "video/mp4", 0, 0 }, { "audio", "audio", 0, 0 },
        { "document", "application/pdf", 1, 1 },
        { "document", "application/vnd.ms-excel", 1, 1 },
        { "document", "text/plain; charset=utf-8", 1, 1 },
        { "document", "x/y", 1, 1 }, { "document", "pdf", 0, 0 },
        { "gif", "video/mp4", 1, 1 }, { "gif", "image/gif", 0, 1 },
        { "gif", "image/png", 0, 0 },
        { "image", "image/jpeg", 1, 1 }, { "image", "image/png", 1, 1 },
        { "image", "image/webp", 0, 1 }, { "image", "image/gif", 0, 1 },
        { "image", "video/mp4", 0, 0 }, { "image", "image/", 0, 0 },
        { "image", "image/jpeg png", 0, 0 }, { "image", "/jpeg", 0, 0 },
        { "image", " image/jpeg", 0, 0 }, { "image", "image/jpeg\\n", 0, 0 },
        { "image", "image/jpeg;a=\\u0001", 0, 0 },
        { "image", "image/jpeg;a=\xc3\xa9", 0, 0 }, { "image", "", 0, 0 },
        { "ptt", "audio/ogg", 1, 1 }, { "ptt", "audio/mpeg", 0, 1 },
        { "sticker", "image/webp", 1, 1 }, { "sticker", "image/png", 0, 1 },
        { "sticker", "audio/ogg", 0, 0 },
        { "video", "video/mp4", 1, 1 }, { "video", "video/3gpp", 1, 1 },
        { "video", "video/webm", 0, 1 }, { "video", "image/gif", 0, 0 }
    };

    static const char *const  domains[] = {
        "whatsapp", "sms", "whatsapp2", "my-chat", ""
    };

    (void) state;

    for (i = 0; i < ALL(cases); i++) {
        for (k = 0; k < ALL(domains); k++) {
            domain = domains[k];
            conf.domain = str(domain);

            snprintf(text, sizeof(text), "{'type':'%s','fileName':'a','url':"
                     U ",'mimeType':'%s'}", cases[i].type, cases[i].mime);

            if (check_as(text, "message")
                != ((k == 0 ? cases[i].whatsapp : cases[i].other)
                    ? EZW_OK : EZW_INVALID))
            {
                fail_msg("%s: %s", domain, text);
            }

            if (why.code != 0) {
                assert_int_equal(why.code, 1008);
                assert_string_equal(why.field, "message.mimeType");
            }
        }
    }

    conf.domain = str("whatsapp");
    assert_bad_media("{'type':'image','url':" U ",'mimeType':'image/gif'}",
                     "message.mimeType", "must be image/jpeg or image/png");
    assert_bad_media("{'type':'gif','url':" U ",'mimeType':'image/gif'}",
                     "message.mimeType", "must be video/mp4");
    assert_bad_media("{'type':'audio','url':" U ",'mimeType':'audio/wav'}",
                     "message.mimeType",
                     "must be audio/aac, audio/amr, audio/mp4, audio/mpeg or "
                     "audio/ogg");
    assert_bad_media("{'type':'audio','url':" U ",'mimeType':'wav'}",
                     "message.mimeType", "is no media type");
    assert_bad_media("{'type':'audio','url':" U ",'mimeType':5}",
                     "message.mimeType", "must be a string");
    assert_bad_media(with("{'type':'document','fileName':'a','url':" U
                          ",'mimeType':'a/%s'}", "b", 254),
                     "message.mimeType",
                     "is too long: at most 255 characters");

    conf.domain = str("sms");
    assert_bad_media("{'type':'gif','url':" U ",'mimeType':'image/png'}",
                     "message.mimeType", "must be image/gif or video/*");
    assert_same("{'media':{'url':" U "},'mimeType':'Image/GIF','type':"
                "'gif'}");
}


static void
test_strict(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < ALL(types); i++) {
        if (strcmp(types[i], "document") != 0) {
            assert_unknown(of_type("{'type':'%s','url':" U ",'x':1}",
                                   types[i]), "message.x");
        }
    }

    assert_unknown("{'type':'document','fileName':'a','url':" U ",'x':1}",
                   "message.x");

    assert_unknown("{'type':'audio','url':" U ",'caption':'a'}",
                   "message.caption");
    assert_unknown("{'type':'image','url':" U ",'title':'a'}",
                   "message.title");
    assert_unknown("{'type':'image','media':{'url':" U ",'x':1}}",
                   "message.media.x");

    beside = "{'url':" U ",'size':1}";
    assert_unknown("{'type':'image'}", "media.size");
}


static void
test_no_memory(void **state)
{
    (void) state;

    assert_needs_memory("{'type':'document','url':" U ",'fileName':"
                        "'012345678901234567890123456789012345678901234567'}");
    assert_needs_memory("{'type':'image','url':" U ",'contextInfo':"
                        "{'quotedMessage':{'id':'" ID "'}}}");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_types),
        TEST(test_members),
        TEST(test_places),
        TEST(test_places_refused),
        TEST(test_url),
        TEST(test_allowed),
        TEST(test_mime_type),
        TEST(test_strict),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

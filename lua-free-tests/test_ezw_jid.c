/* ezw_jid: the table of DECISIONS 2, both sides of each limit. */

#include "cm.h"
#include "ezw_jid.h"

#define CHANNEL  EZW_JID_CHANNEL
#define CONTACT  EZW_JID_CONTACT
#define BOTH     (EZW_JID_CHANNEL|EZW_JID_CONTACT)
#define OTHER    EZW_JID_OTHER

#define UUID     "964468cf-a3fd-4f0a-ad44-bcd7c7e5a424"

#define D20      "12345678901234567890"
#define A32      "abcdefghijklmnopqrstuvwxyzABCDEF"
#define A128     A32 A32 A32 A32


static const ezw_str_t  custom[] = {
    ezw_string("my-chat"),
    ezw_string("livechat"),
    ezw_string("sms")
};

static const ezw_jid_conf_t  conf = { ezw_string("eazy.im"), custom, 3 };


static int
parse(const char *s, ezw_jid_t *jid)
{
    int                   rc;
    ezw_str_t             src;

    static unsigned char  dst[512];

    src = tight(s, strlen(s));

    memset(dst, '#', sizeof(dst));
    rc = ezw_jid_parse(&conf, &src, dst, jid);
    assert_int_equal(dst[src.len], '#');

    free(src.data);

    return rc;
}


static void
test_kinds(void **state)
{
    size_t     i;
    ezw_jid_t  jid;

    static const struct {
        const char  *text;
        unsigned     kind;
        int64_t      phone;
    } good[] = {
        { "31611111111@whatsapp.eazy.im",       BOTH, 31611111111 },
        { "1234567@whatsapp.eazy.im",           BOTH, 1234567 },
        { "123456789012345@whatsapp.eazy.im",   BOTH, 123456789012345 },
        { "31633333333@sms.eazy.im",            BOTH, 31633333333 },
        { "NL.abcDEF123@whatsapp.eazy.im",      CONTACT, 0 },
        { "US.ENT.abcDEF123@whatsapp.eazy.im",  CONTACT, 0 },
        { "US.ENT@whatsapp.eazy.im",            CONTACT, 0 },
        { "US.a@whatsapp.eazy.im",              CONTACT, 0 },
        { "AZ.Z@whatsapp.eazy.im",              CONTACT, 0 },
        { "ZA.Z@whatsapp.eazy.im",              CONTACT, 0 },
        { "US." A128 "@whatsapp.eazy.im",       CONTACT, 0 },
        { "US.ENT." A128 "@whatsapp.eazy.im",   CONTACT, 0 },
        { "lid.12345@whatsapp.eazy.im",         CONTACT, 0 },
        { "lid." D20 "@whatsapp.eazy.im",       CONTACT, 0 },
        { "1918363544518991@instagram.eazy.im", BOTH, 0 },
        { "0@messenger.eazy.im",                BOTH, 0 },
        { D20 "@webchat.eazy.im",               BOTH, 0 },
        { "872362551@twitter.eazy.im",          BOTH, 0 },
        { "8191584934115639@line.eazy.im",      BOTH, 0 },
        { UUID "@gbm.eazy.im",                  BOTH, 0 },
        { UUID "@apple.eazy.im",                BOTH, 0 },
        { "aB+/=_-9@viber.eazy.im",             BOTH, 0 },
        { A32 A32 "@viber.eazy.im",             BOTH, 0 },
        { UUID "@agent.eazy.im",                OTHER, 0 },
        { UUID "@key.eazy.im",                  OTHER, 0 },
        { "1563451622477@ai.eazy.im",           OTHER, 0 },
        { "1234567890@label.eazy.im",           OTHER, 0 },
        { "1234567890123456789@team.eazy.im",   OTHER, 0 },
        { "1571833730@list.eazy.im",            OTHER, 0 },
        { "a@my-chat.eazy.im",                  BOTH, 0 },
        { "A.z_0+=/-9@my-chat.eazy.im",         BOTH, 0 },
        { A128 "@my-chat.eazy.im",              BOTH, 0 },
        { "ABCXYZabcxyz0189@my-chat.eazy.im",   BOTH, 0 },
        { "x@livechat.eazy.im",                 BOTH, 0 }
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (parse(good[i].text, &jid) != EZW_OK) {
            fail_msg("\"%s\" was refused", good[i].text);
        }

        if (jid.kind != good[i].kind || jid.phone != good[i].phone) {
            fail_msg("\"%s\" is %u, %lld", good[i].text, jid.kind,
                     (long long) jid.phone);
        }

        assert_str(jid.jid, good[i].text);
    }
}


static void
test_refused(void **state)
{
    size_t     i;
    ezw_jid_t  jid;

    static const char *const  bad[] = {
        "",
        "@",
        "31611111111",
        "31611111111@",
        "@whatsapp.eazy.im",
        "31611111111@whatsapp",
        "31611111111@eazy.im",
        "31611111111@.eazy.im",
        "31611111111@whatsapp.eazy.in",
        "31611111111@whatsapp.eazy.imm",
        "31611111111@whatsappeazy.im",
        "31611111111@whatsapp-eazy.im",
        "31611111111@whatsapp.eazy.im.eazy.im",
        "31611111111@whatsapp.eazy.im ",
        " 31611111111@whatsapp.eazy.im",
        "31611111111@@whatsapp.eazy.im",
        "1@31611111111@whatsapp.eazy.im",
        "31611111111@unknown.eazy.im",
        "+31611111111@whatsapp.eazy.im",
        "031611111111@whatsapp.eazy.im",
        "123456@whatsapp.eazy.im",
        "1234567890123456@whatsapp.eazy.im",
        "123456@sms.eazy.im",
        "1234567890123456@sms.eazy.im",
        "NL.abc@sms.eazy.im",
        "lid.12345@sms.eazy.im",
        "nl.abc@whatsapp.eazy.im",
        "Nl.abc@whatsapp.eazy.im",
        "nL.abc@whatsapp.eazy.im",
        "1L.abc@whatsapp.eazy.im",
        "N1.abc@whatsapp.eazy.im",
        "NLD.abc@whatsapp.eazy.im",
        "NL.@whatsapp.eazy.im",
        "NL.ENT.@whatsapp.eazy.im",
        "NL.a.b@whatsapp.eazy.im",
        "NL.ENT.a-b@whatsapp.eazy.im",
        "NL." A128 "x@whatsapp.eazy.im",
        "NL.ENT." A128 "x@whatsapp.eazy.im",
        "lid.1234@whatsapp.eazy.im",
        "lid." D20 "1@whatsapp.eazy.im",
        "lid.12345a@whatsapp.eazy.im",
        "lid.@whatsapp.eazy.im",
        "LID.12345@whatsapp.eazy.im",
        D20 "1@instagram.eazy.im",
        "12a@twitter.eazy.im",
        "@line.eazy.im",
        "964468CF-a3fd-4f0a-ad44-bcd7c7e5a424@gbm.eazy.im",
        "964468cfa3fd4f0aad44bcd7c7e5a424@gbm.eazy.im",
        "964468cf-a3fd-4f0a-ad44-bcd7c7e5a42g@gbm.eazy.im",
        "964468cf-a3fd-4f0a-ad44-bcd7c7e5a4244@apple.eazy.im",
        "964468cf-a3fd-4f0a-ad44+bcd7c7e5a424@agent.eazy.im",
        A32 A32 "x@viber.eazy.im",
        "a.b@viber.eazy.im",
        "@viber.eazy.im",
        "123456789@ai.eazy.im",
        "12345678901234567890@ai.eazy.im",
        "123456789@label.eazy.im",
        "12345678901234567890@team.eazy.im",
        "123456789@list.eazy.im",
        "12345678901234567890@list.eazy.im",
        "157183373a@list.eazy.im",
        A128 "x@my-chat.eazy.im",
        "a b@my-chat.eazy.im",
        "a%b@my-chat.eazy.im",
        "\xc3\xa9@my-chat.eazy.im",
        "@my-chat.eazy.im",
        "x@sms.eazy.im"              /* a custom name does not replace ours */
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (parse(bad[i], &jid) != EZW_INVALID) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }
}


static void
test_nul(void **state)
{
    ezw_jid_t      jid;
    ezw_str_t      src;
    unsigned char  dst[64];

    (void) state;

    src.data = (unsigned char *) "a\0b@my-chat.eazy.im";
    src.len = sizeof("a\0b@my-chat.eazy.im") - 1;
    assert_int_equal(ezw_jid_parse(&conf, &src, dst, &jid), EZW_INVALID);

    src.data = (unsigned char *) "a\0@viber.eazy.im";
    src.len = sizeof("a\0@viber.eazy.im") - 1;
    assert_int_equal(ezw_jid_parse(&conf, &src, dst, &jid), EZW_INVALID);

    src.len = 0;
    src.data = NULL;
    assert_int_equal(ezw_jid_parse(&conf, &src, dst, &jid), EZW_INVALID);
}


static void
test_normalises(void **state)
{
    char       text[] = "aB9@VIBER.Eazy.IM";
    ezw_jid_t  jid;
    ezw_str_t  src;

    (void) state;

    assert_int_equal(parse("aB9@VIBER.Eazy.IM", &jid), EZW_OK);
    assert_str(jid.jid, "aB9@viber.eazy.im");
    assert_str(jid.local, "aB9");
    assert_str(jid.domain, "viber");
    assert_ptr_equal(jid.local.data, jid.jid.data);
    assert_ptr_equal(jid.domain.data, jid.jid.data + 4);

    assert_int_equal(parse("1563451622477@AI.EAZY.IM", &jid), EZW_OK);
    assert_str(jid.jid, "1563451622477@ai.eazy.im");

    assert_int_equal(parse("X@My-Chat.eazy.im", &jid), EZW_OK);
    assert_str(jid.jid, "X@my-chat.eazy.im");
    assert_str(jid.domain, "my-chat");

    /* in place */

    src = str(text);
    assert_int_equal(ezw_jid_parse(&conf, &src, src.data, &jid), EZW_OK);
    assert_str(src, "aB9@viber.eazy.im");
}


static void
test_suffix(void **state)
{
    ezw_jid_t             jid;
    ezw_str_t             src;
    unsigned char         dst[64];
    const ezw_jid_conf_t  other = { ezw_string("Chat.Example.ORG"), NULL, 0 };

    (void) state;

    src = str("31611111111@sms.chat.EXAMPLE.org");
    assert_int_equal(ezw_jid_parse(&other, &src, dst, &jid), EZW_OK);
    assert_str(jid.jid, "31611111111@sms.chat.example.org");
    assert_str(jid.domain, "sms");

    src = str("31611111111@sms.eazy.im");
    assert_int_equal(ezw_jid_parse(&other, &src, dst, &jid), EZW_INVALID);

    src = str("a@my-chat.chat.example.org");
    assert_int_equal(ezw_jid_parse(&other, &src, dst, &jid), EZW_INVALID);
}


static int
belongs(const char *contact, const char *channel)
{
    ezw_jid_t      a, b;
    ezw_str_t      src;
    unsigned char  first[512], second[512];

    src = str(contact);
    assert_int_equal(ezw_jid_parse(&conf, &src, first, &a), EZW_OK);

    src = str(channel);
    assert_int_equal(ezw_jid_parse(&conf, &src, second, &b), EZW_OK);

    return ezw_jid_belongs(&a, &b);
}


static void
test_belongs(void **state)
{
    (void) state;

    assert_true(belongs("31611111111@whatsapp.eazy.im",
                        "31612345678@whatsapp.eazy.im"));
    assert_true(belongs("lid.12345@whatsapp.eazy.im",
                        "31612345678@WhatsApp.eazy.im"));
    assert_true(belongs("a/b@my-chat.eazy.im", "main@my-chat.eazy.im"));

    assert_false(belongs("31611111111@sms.eazy.im",
                         "31612345678@whatsapp.eazy.im"));
    assert_false(belongs("31611111111@whatsapp.eazy.im",
                         "lid.12345@whatsapp.eazy.im"));
    assert_false(belongs("a@my-chat.eazy.im", "a@livechat.eazy.im"));
    assert_false(belongs("1234567890@team.eazy.im",
                         "1234567890@team.eazy.im"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_normalises),
        cmocka_unit_test(test_suffix),
        cmocka_unit_test(test_belongs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ezw_id: RFC 9562, RFC 4648 and W3C vectors, the conversation's id. */

#include "cm.h"
#include "ezw_id.h"


static void
test_uuid7(void **state)
{
    unsigned char  out[16], text[EZW_UUID_LEN + 1];

    /* RFC 9562, appendix A.6: version and variant bits of the random bytes are
     * the caller's noise */

    static const unsigned char  rnd[10] = {
        0xfc, 0xc3, 0xd8, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f
    };

    (void) state;

    ezw_uuid7(out, UINT64_C(0x017f22e279b0), rnd);

    text[EZW_UUID_LEN] = '#';
    ezw_uuid_text(text, out);

    assert_memory_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f#",
                        EZW_UUID_LEN + 1);
}


static void
test_uuid7_bits(void **state)
{
    unsigned char  out[16], zero[10], ones[10];

    static const unsigned char  low[16] = {
        0, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0
    };
    static const unsigned char  high[16] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff,
        0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
    };

    (void) state;

    memset(zero, 0, sizeof(zero));
    memset(ones, 0xff, sizeof(ones));

    ezw_uuid7(out, 0, zero);
    assert_memory_equal(out, low, 16);

    ezw_uuid7(out, UINT64_C(0xffffffffffffffff), ones);
    assert_memory_equal(out, high, 16);
}


static void
test_message_id(void **state)
{
    unsigned char  out[21], text[40];

    static const unsigned char  rnd[14] = {
        0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f,
        0xde, 0xad, 0xbe, 0xef
    };

    (void) state;

    out[20] = 0x55;
    ezw_message_id(out, UINT64_C(0x017f22e279b0), rnd);
    assert_int_equal(out[20], 0x55);

    ezw_hex(text, out, 20);
    assert_memory_equal(text, "017f22e279b07cc398c4dc0c0c07398fdeadbeef", 40);
}


static int
uuid(const char *s, unsigned char out[16])
{
    int        rc;
    ezw_str_t  t;

    t = tight(s, strlen(s));
    rc = ezw_uuid_parse(&t, out);
    free(t.data);

    return rc;
}


static void
test_uuid_parse(void **state)
{
    unsigned char  out[16], text[36];

    static const unsigned char  bytes[16] = {
        0x50, 0x90, 0x00, 0xe9, 0x05, 0xc9, 0x43, 0xa9,
        0xb6, 0xf1, 0x70, 0xf1, 0xc6, 0xa5, 0x44, 0x8a
    };

    (void) state;

    assert_int_equal(uuid("509000e9-05c9-43a9-b6f1-70f1c6a5448a", out),
                     EZW_OK);
    assert_memory_equal(out, bytes, 16);

    memset(out, 0, 16);
    assert_int_equal(uuid("509000E9-05C9-43A9-B6F1-70F1C6A5448A", out),
                     EZW_OK);
    assert_memory_equal(out, bytes, 16);

    ezw_uuid_text(text, out);
    assert_memory_equal(text, "509000e9-05c9-43a9-b6f1-70f1c6a5448a", 36);

    assert_int_equal(uuid("", out), EZW_INVALID);
    assert_int_equal(uuid("509000e905c943a9b6f170f1c6a5448a", out),
                     EZW_INVALID);
    assert_int_equal(uuid("509000e9-05c9-43a9-b6f1-70f1c6a5448", out),
                     EZW_INVALID);
    assert_int_equal(uuid("509000e9-05c9-43a9-b6f1-70f1c6a5448a0", out),
                     EZW_INVALID);
    assert_int_equal(uuid("509000e9005c9-43a9-b6f1-70f1c6a5448a", out),
                     EZW_INVALID);
    assert_int_equal(uuid("509000e9-05c9-43a9-b6f1-70f1c6a5448g", out),
                     EZW_INVALID);
    assert_int_equal(uuid("g09000e9-05c9-43a9-b6f1-70f1c6a5448a", out),
                     EZW_INVALID);
    assert_int_equal(uuid("509000e9-05c9-43a9-b6f1-70f1c6a54-8a", out),
                     EZW_INVALID);
    assert_int_equal(uuid("{09000e9-05c9-43a9-b6f1-70f1c6a5448}", out),
                     EZW_INVALID);
}


static void
test_hex(void **state)
{
    ezw_str_t      s;
    unsigned char  out[8], text[9];

    (void) state;

    text[8] = '#';
    ezw_hex(text, (const unsigned char *) "\x00\x7f\x80\xff", 4);
    assert_memory_equal(text, "007f80ff#", 9);

    s = str("007f80FF");
    out[4] = 0x55;
    assert_int_equal(ezw_hex_parse(&s, out), EZW_OK);
    assert_memory_equal(out, "\x00\x7f\x80\xff\x55", 5);

    s = str("");
    assert_int_equal(ezw_hex_parse(&s, out), EZW_OK);
    s = str("0");
    assert_int_equal(ezw_hex_parse(&s, out), EZW_INVALID);
    s = str("0g");
    assert_int_equal(ezw_hex_parse(&s, out), EZW_INVALID);
    s = str("g0");
    assert_int_equal(ezw_hex_parse(&s, out), EZW_INVALID);
    s = str("00 0");
    assert_int_equal(ezw_hex_parse(&s, out), EZW_INVALID);
    s = str("0\x10");
    assert_int_equal(ezw_hex_parse(&s, out), EZW_INVALID);
}


/* RFC 4648, section 10, and what tells the alphabets apart. */
static const struct {
    const char  *bytes;
    const char  *text;
    const char  *url;
} base64[] = {
    { "",             "",         "" },
    { "f",            "Zg==",     "Zg" },
    { "fo",           "Zm8=",     "Zm8" },
    { "foo",          "Zm9v",     "Zm9v" },
    { "foob",         "Zm9vYg==", "Zm9vYg" },
    { "fooba",        "Zm9vYmE=", "Zm9vYmE" },
    { "foobar",       "Zm9vYmFy", "Zm9vYmFy" },
    { "\xfb\xff\xbf", "+/+/",     "-_-_" },
    { "\xff\xff",     "//8=",     "__8" }
};


static void
test_base64(void **state)
{
    size_t         i, n, len;
    ezw_str_t      s;
    unsigned char  out[16];

    (void) state;

    for (i = 0; i < sizeof(base64) / sizeof(base64[0]); i++) {
        n = strlen(base64[i].bytes);

        memset(out, '#', sizeof(out));
        len = ezw_base64(out, (const unsigned char *) base64[i].bytes, n);
        assert_int_equal(len, strlen(base64[i].text));
        assert_memory_equal(out, base64[i].text, len);
        assert_int_equal(out[len], '#');

        memset(out, '#', sizeof(out));
        len = ezw_base64url(out, (const unsigned char *) base64[i].bytes, n);
        assert_int_equal(len, strlen(base64[i].url));
        assert_memory_equal(out, base64[i].url, len);
        assert_int_equal(out[len], '#');

        s = str(base64[i].text);
        assert_int_equal(ezw_base64_parse(&s, out, &len), EZW_OK);
        assert_int_equal(len, n);
        assert_memory_equal(out, base64[i].bytes, n);

        s = str(base64[i].url);
        assert_int_equal(ezw_base64url_parse(&s, out, &len), EZW_OK);
        assert_int_equal(len, n);
        assert_memory_equal(out, base64[i].bytes, n);
    }
}


/* Every digit, in order. */
static void
test_base64_alphabet(void **state)
{
    size_t         len;
    ezw_str_t      s;
    unsigned char  out[64];

    static const unsigned char  bytes[48] = {
        0x00, 0x10, 0x83, 0x10, 0x51, 0x87, 0x20, 0x92, 0x8b, 0x30, 0xd3,
        0x8f, 0x41, 0x14, 0x93, 0x51, 0x55, 0x97, 0x61, 0x96, 0x9b, 0x71,
        0xd7, 0x9f, 0x82, 0x18, 0xa3, 0x92, 0x59, 0xa7, 0xa2, 0x9a, 0xab,
        0xb2, 0xdb, 0xaf, 0xc3, 0x1c, 0xb3, 0xd3, 0x5d, 0xb7, 0xe3, 0x9e,
        0xbb, 0xf3, 0xdf, 0xbf
    };

    (void) state;

    s = str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
            "0123456789+/");
    assert_int_equal(ezw_base64_parse(&s, out, &len), EZW_OK);
    assert_int_equal(len, 48);
    assert_memory_equal(out, bytes, 48);
    assert_int_equal(ezw_base64(out, bytes, 48), 64);
    assert_memory_equal(out, s.data, 64);

    s = str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
            "0123456789-_");
    assert_int_equal(ezw_base64url_parse(&s, out, &len), EZW_OK);
    assert_memory_equal(out, bytes, 48);
    assert_int_equal(ezw_base64url(out, bytes, 48), 64);
    assert_memory_equal(out, s.data, 64);
}


static void
test_base64_refuses(void **state)
{
    size_t         i, len;
    ezw_str_t      s;
    unsigned char  out[16];

    static const char *const  bad[] = {
        "Z", "Zg", "Zg=", "Zm8", "Zh==", "Zm9=", "Zg===", "====", "A===",
        "==", "=", "Zg==Zg==", "Zm9v\n", " Zm9", "Z-8=", "Zm_v", "Zm9v=",
        "Zg=g"
    };
    static const char *const  bad_url[] = {
        "Z", "Zg==", "Zm8=", "Zh", "Zm9", "Zm9vY", "Zm 8", "Zm+v", "Zm/v"
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = str(bad[i]);

        if (ezw_base64_parse(&s, out, &len) != EZW_INVALID) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }

    for (i = 0; i < sizeof(bad_url) / sizeof(bad_url[0]); i++) {
        s = str(bad_url[i]);

        if (ezw_base64url_parse(&s, out, &len) != EZW_INVALID) {
            fail_msg("\"%s\" was taken", bad_url[i]);
        }
    }
}


/* DECISIONS 3 */
static void
test_conversation_id(void **state)
{
    ezw_str_t      channel, contact;
    unsigned char  out[EZW_CONVERSATION_ID_LEN + 1];

    (void) state;

    channel = str("31612345678@whatsapp.eazy.im");
    contact = str("31611111111@whatsapp.eazy.im");

    out[EZW_CONVERSATION_ID_LEN] = '#';
    ezw_conversation_id(out, &channel, &contact);
    assert_memory_equal(out, "px+aB7F9FrMONbyavrdYSysFFBI=#",
                        EZW_CONVERSATION_ID_LEN + 1);

    ezw_conversation_id(out, &contact, &channel);
    assert_memory_not_equal(out, "px+aB7F9FrMONbyavrdYSysFFBI=",
                            EZW_CONVERSATION_ID_LEN);
}


static int
trace(const char *s, unsigned char *dst)
{
    int        rc;
    ezw_str_t  t;

    t = tight(s, strlen(s));
    rc = ezw_traceparent(&t, dst);
    free(t.data);

    return rc;
}

#define TRACE   "0af7651916cd43dd8448eb211c80319c"
#define PARENT  "b7ad6b7169203331"


static void
test_traceparent(void **state)
{
    unsigned char  dst[33];

    (void) state;

    dst[32] = '#';
    assert_int_equal(trace("00-" TRACE "-" PARENT "-01", dst), EZW_OK);
    assert_memory_equal(dst, TRACE "#", 33);

    assert_int_equal(trace("00-" TRACE "-" PARENT "-00", dst), EZW_OK);
    assert_int_equal(trace("00-" TRACE "-" PARENT "-ff", dst), EZW_OK);
    assert_int_equal(trace("01-" TRACE "-" PARENT "-01", dst), EZW_OK);
    assert_int_equal(trace("cc-" TRACE "-" PARENT "-01-what", dst), EZW_OK);
    assert_int_equal(trace("cc-" TRACE "-" PARENT "-01-", dst), EZW_OK);
    assert_int_equal(trace("fe-" TRACE "-" PARENT "-01", dst), EZW_OK);
}


static void
test_traceparent_refuses(void **state)
{
    size_t         i;
    unsigned char  dst[32];

    static const char *const  bad[] = {
        "",
        "00-" TRACE "-" PARENT,
        "00-" TRACE "-" PARENT "-0",
        "00-" TRACE "-" PARENT "-01-",
        "00-" TRACE "-" PARENT "-01-x",
        "00-" TRACE "-" PARENT "-011",
        "cc-" TRACE "-" PARENT "-01.x",
        "ff-" TRACE "-" PARENT "-01",
        "0x-" TRACE "-" PARENT "-01",
        "0G-" TRACE "-" PARENT "-01",
        "00_" TRACE "-" PARENT "-01",
        "00-" TRACE "_" PARENT "-01",
        "00-" TRACE "-" PARENT "_01",
        "00-" TRACE "-" PARENT "-0x",
        "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
        "00-" TRACE "-B7AD6B7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319x-" PARENT "-01",
        "00-" TRACE "-b7ad6b716920333.-01",
        "00-00000000000000000000000000000000-" PARENT "-01",
        "00-" TRACE "-0000000000000000-01",
        " 00-" TRACE "-" PARENT "-01"
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (trace(bad[i], dst) != EZW_INVALID) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_uuid7),
        cmocka_unit_test(test_uuid7_bits),
        cmocka_unit_test(test_message_id),
        cmocka_unit_test(test_uuid_parse),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_alphabet),
        cmocka_unit_test(test_base64_refuses),
        cmocka_unit_test(test_conversation_id),
        cmocka_unit_test(test_traceparent),
        cmocka_unit_test(test_traceparent_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

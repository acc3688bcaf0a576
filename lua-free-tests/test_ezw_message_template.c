/* ezw_message: templates, and how many parameters are given to them. */

#include "message.h"

#define NAMED    "'language':{'code':'en'},'name':'hello'"
#define OF(c)    "{'template':{'components':[" c "]," NAMED                   \
                 "},'type':'template'}"
#define HEADER(p)  OF("{'parameters':[" p "],'type':'header'}")
#define BODY(p)    OF("{'parameters':[" p "],'type':'body'}")
#define BUTTON(i, p, t)                                                       \
    "{'index':" i ",'parameters':[" p "],'subType':'" t "','type':'button'}"

#define TEXT     "{'text':'a','type':'text'}"
#define PAYLOAD  "{'payload':'a','type':'payload'}"
#define COUPON   "{'couponCode':'a','type':'coupon_code'}"

#define C        "message.template.components"


static void
test_forms(void **state)
{
    static const accepted_t  accepted[] = {
        /* what is left, and what programs send for it */
        { "{'template':{" NAMED "},'type':'template'}", NULL },
        { "{'type':'template','template':{'name':'hello','language':'en'}}",
          "{'template':{" NAMED "},'type':'template'}" },
        { "{'type':'template','template':[{'name':'hello','language':'en'}]}",
          "{'template':{" NAMED "},'type':'template'}" },
        { "{'type':'template','template':{'namespace':'x_y','name':'hello',"
          "'language':{'code':'en','policy':'deterministic'},'components':"
          "null}}",
          "{'template':{" NAMED "},'type':'template'}" },
        { OF(""), NULL },
        { "{'contextInfo':{'quotedMessage':{'id':'" ID "'}},'template':{" NAMED
          "},'type':'template'}", NULL },

        { OF("{'parameters':[" TEXT "],'type':'header'},{'parameters':[" TEXT
             "," TEXT "],'type':'body'}," BUTTON("0", PAYLOAD, "quick_reply")
             "," BUTTON("1", TEXT, "url") "," BUTTON("2", COUPON, "copy_code")),
          NULL },
        { OF("{'type':'BODY','parameters':[{'type':'TEXT','text':'a'}]},"
             "{'type':'Button','sub_type':'QUICK_REPLY','index':'0',"
             "'parameters':[{'type':'Payload','payload':'a'}]}"),
          OF("{'parameters':[" TEXT "],'type':'body'},"
             BUTTON("0", PAYLOAD, "quick_reply")) },
        { OF("{'type':'button','sub_type':'url','index':'9'}"),
          OF("{'index':9,'subType':'url','type':'button'}") },
        { OF("{'type':'footer','parameters':[]},{'type':'header'},"
             "{'type':'body','parameters':null}"),
          OF("{'type':'footer'},{'type':'header'},{'type':'body'}") }
    };

    (void) state;

    assert_accepted(accepted, ALL(accepted));
}


static void
test_parameters(void **state)
{
    static const accepted_t  accepted[] = {
        { BODY("{'currency':{'amount1000':99990,'code':'EUR','fallbackValue':"
               "'99.99'},'type':'currency'}"), NULL },
        { BODY("{'type':'currency','currency':{'amount_1000':-1,'code':'USD',"
               "'fallback_value':'x'}}"),
          BODY("{'currency':{'amount1000':-1,'code':'USD','fallbackValue':"
               "'x'},'type':'currency'}") },
        { BODY("{'dateTime':{'fallbackValue':'May 25'},'type':'date_time'}"),
          NULL },
        { BODY("{'type':'dateTime','date_time':{'fallback_value':'May 25',"
               "'day_of_week':5}}"),
          BODY("{'dateTime':{'fallbackValue':'May 25'},'type':'date_time'}") },
        { HEADER("{'image':{'url':'https://example.com/a'},'type':'image'}"),
          NULL },
        { HEADER("{'type':'VIDEO','video':{'link':'https://example.com/a'}}"),
          HEADER("{'type':'video','video':{'url':'https://example.com/a'}}") },
        { HEADER("{'document':{'filename':'a.pdf','link':"
                 "'https://example.com/a'},'type':'document'}"),
          HEADER("{'document':{'fileName':'a.pdf','url':"
                 "'https://example.com/a'},'type':'document'}") },
        { HEADER("{'location':{'address':'Dam 1','latitude':52.37,'longitude':"
                 "4.9,'name':'Dam'},'type':'location'}"), NULL }
    };

    (void) state;

    assert_accepted(accepted, ALL(accepted));
}


/* What a statement is told. */
static void
test_parts(void **state)
{
    size_t  i;

    static const struct {
        const char  *text;
        const char  *parameters;
    } cases[] = {
        { "{'type':'template','template':{" NAMED "}}",
          "{\"header\":0,\"format\":null,\"body\":0,\"buttons\":[],"
          "\"types\":[]}" },
        { OF("{'type':'header'},{'type':'footer','parameters':[1]}"),
          "{\"header\":0,\"format\":null,\"body\":0,\"buttons\":[],"
          "\"types\":[]}" },
        { BODY(TEXT "," TEXT "," TEXT),
          "{\"header\":0,\"format\":null,\"body\":3,\"buttons\":[],"
          "\"types\":[]}" },
        { HEADER(TEXT "," TEXT),
          "{\"header\":2,\"format\":\"TEXT\",\"body\":0,\"buttons\":[],"
          "\"types\":[]}" },
        { HEADER("{'type':'date_time','date_time':{'fallback_value':'a'}}"),
          "{\"header\":1,\"format\":\"TEXT\",\"body\":0,\"buttons\":[],"
          "\"types\":[]}" },
        { HEADER("{'type':'image','image':{'url':'https://example.com'}}"),
          "{\"header\":1,\"format\":\"IMAGE\",\"body\":0,\"buttons\":[],"
          "\"types\":[]}" },
        { HEADER("{'type':'video','video':{'url':'https://example.com'}}"),
          "{\"header\":1,\"format\":\"VIDEO\",\"body\":0,\"buttons\":[],"
          "\"types\":[]}" },
        { HEADER("{'type':'document','document':{'url':"
                 "'https://example.com'}}"),
          "{\"header\":1,\"format\":\"DOCUMENT\",\"body\":0,\"buttons\":[],"
          "\"types\":[]}" },
        { HEADER("{'type':'location','location':{'latitude':1,'longitude':"
                 "2}}"),
          "{\"header\":1,\"format\":\"LOCATION\",\"body\":0,\"buttons\":[],"
          "\"types\":[]}" },
        { OF(BUTTON("2", TEXT, "url") "," BUTTON("0", PAYLOAD, "quick_reply")),
          "{\"header\":0,\"format\":null,\"body\":0,\"buttons\":[1,0,1],"
          "\"types\":[\"QUICK_REPLY\",null,\"URL\"]}" },
        { OF(BUTTON("'1'", COUPON, "COPY_CODE") ","
             BUTTON("3", "", "quick_reply")),
          "{\"header\":0,\"format\":null,\"body\":0,\"buttons\":[0,1,0,0],"
          "\"types\":[null,\"COPY_CODE\",null,\"QUICK_REPLY\"]}" }
    };

    (void) state;

    for (i = 0; i < ALL(cases); i++) {
        if (check_as(cases[i].text, "message") != EZW_OK) {
            fail_msg("%s", why.text);
        }

        assert_part(EZW_MESSAGE_TYPE, "template");
        assert_part(EZW_MESSAGE_TEMPLATE_NAME, "hello");
        assert_part(EZW_MESSAGE_TEMPLATE_LANGUAGE, "en");
        assert_part(EZW_MESSAGE_TEMPLATE_PARAMETERS, cases[i].parameters);
        assert_part(EZW_MESSAGE_CATALOG, NULL);
        assert_part(EZW_MESSAGE_QUOTED, NULL);
    }

    assert_int_equal(check_as("{'type':'template','template':{'name':'a_1',"
                              "'language':'pt_BR'},'contextInfo':{"
                              "'quotedMessage':{'id':'" ID "'}}}", ""),
                     EZW_OK);
    assert_part(EZW_MESSAGE_TEMPLATE_NAME, "a_1");
    assert_part(EZW_MESSAGE_TEMPLATE_LANGUAGE, "pt_BR");
    assert_part(EZW_MESSAGE_QUOTED, ID);
}


static void
test_refused(void **state)
{
    static const refused_t  refused[] = {
        { "{'type':'template'}", "message.template", "is required" },
        { "{'type':'template','template':null}", "message.template",
          "must not be null" },
        { "{'type':'template','template':'hello'}", "message.template",
          "must be an object" },
        { "{'type':'template','template':[]}", "message.template",
          "must have one element" },
        { "{'type':'template','template':[{" NAMED "},{" NAMED "}]}",
          "message.template", "must have one element" },
        { "{'type':'template','template':['hello']}", "message.template[0]",
          "must be an object" },
        { "{'type':'template','template':[{'language':'en'}]}",
          "message.template[0].name", "is required" },
        { "{'type':'template','template':{'name':'a'}}",
          "message.template.language", "is required" },
        { "{'type':'template','template':{'name':'a','language':5}}",
          "message.template.language", "must be an object" },
        { "{'type':'template','template':{'name':'a','language':{}}}",
          "message.template.language.code", "is required" },
        { "{'type':'template','template':{'name':'a','language':'en us'}}",
          "message.template.language.code",
          "must be a language, as en or en_US" },
        { "{'type':'template','template':{'name':'a','language':''}}",
          "message.template.language.code",
          "must be a language, as en or en_US" },
        { "{'type':'template','template':{'name':'a','language':'en-US'}}",
          "message.template.language.code",
          "must be a language, as en or en_US" },
        { "{'type':'template','template':{'name':'Hello','language':'en'}}",
          "message.template.name", "must be of a-z, 0-9 and _" },
        { "{'type':'template','template':{'name':'a-b','language':'en'}}",
          "message.template.name", "must be of a-z, 0-9 and _" },
        { "{'type':'template','template':{'name':1,'language':'en'}}",
          "message.template.name", "must be a string" },

        { "{'type':'template','template':{" NAMED ",'components':{}}}", C,
          "must be an array of objects" },
        { OF("'body'"), C "[0]", "must be an object" },
        { OF("{}"), C "[0].type", "is required" },
        { OF("{'type':null}"), C "[0].type", "must be a string" },
        { OF("{'type':'bodies'}"), C "[0].type",
          "must be one of header, body, footer, button" },
        { OF("{'type':'body'},{'type':'header'},{'type':'BODY'}"),
          C "[2].type", "is given twice" },
        { OF("{'type':'header'},{'type':'header'}"), C "[1].type",
          "is given twice" },
        { OF("{'type':'footer'},{'type':'footer'}"), C "[1].type",
          "is given twice" },
        { OF("{'type':'body','parameters':{}}"), C "[0].parameters",
          "must be an array of objects" },
        { BODY("'a'"), C "[0].parameters[0]", "must be an object" },
        { BODY("{}"), C "[0].parameters[0].type", "is required" },
        { BODY("{'type':'image','image':{'url':'https://example.com'}}"),
          C "[0].parameters[0].type",
          "must be one of text, currency, date_time" },
        { BODY("{'type':'payload','payload':'a'}"),
          C "[0].parameters[0].type",
          "must be one of text, currency, date_time" },
        { HEADER(TEXT ",{'type':'x'}"), C "[0].parameters[1].type",
          "must be one of text, currency, date_time, image, video, document, "
          "location" },
        { BODY("{'type':'text'}"), C "[0].parameters[0].text",
          "is required" },
        { BODY(TEXT ",{'type':'text','text':5}"),
          C "[0].parameters[1].text", "must be a string" },
        { BODY("{'type':'currency'}"), C "[0].parameters[0].currency",
          "is required" },
        { BODY("{'type':'currency','currency':{'amount1000':'1','code':'EUR',"
               "'fallbackValue':'1'}}"),
          C "[0].parameters[0].currency.amount1000", "must be an integer" },
        { BODY("{'type':'currency','currency':{'amount1000':1.5,'code':'EUR',"
               "'fallbackValue':'1'}}"),
          C "[0].parameters[0].currency.amount1000", "must be an integer" },
        { BODY("{'type':'currency','currency':{'amount1000':"
               "9007199254740992,'code':'EUR','fallbackValue':'1'}}"),
          C "[0].parameters[0].currency.amount1000",
          "must be between -9007199254740991 and 9007199254740991" },
        { BODY("{'type':'currency','currency':{'amount1000':1,'code':'eur',"
               "'fallbackValue':'1'}}"),
          C "[0].parameters[0].currency.code",
          "must be three letters, as EUR" },
        { BODY("{'type':'currency','currency':{'amount1000':1,'code':'EU',"
               "'fallbackValue':'1'}}"),
          C "[0].parameters[0].currency.code",
          "is too short: at least 3 characters" },
        { BODY("{'type':'currency','currency':{'amount1000':1,'code':'EUR'}}"),
          C "[0].parameters[0].currency.fallbackValue", "is required" },
        { BODY("{'type':'date_time','date_time':{}}"),
          C "[0].parameters[0].date_time.fallbackValue", "is required" },
        { HEADER("{'type':'document','document':{'url':'https://example.com',"
                 "'fileName':'a/b'}}"),
          C "[0].parameters[0].document.fileName", "must not have a path" },
        { HEADER("{'type':'location','location':{'latitude':91,'longitude':"
                 "1}}"), C "[0].parameters[0].location.latitude",
          "must be between -90 and 90" },

        { OF("{'type':'button','subType':'url'}"), C "[0].index",
          "is required" },
        { OF(BUTTON("'a'", TEXT, "url")), C "[0].index",
          "must be an integer" },
        { OF(BUTTON("''", TEXT, "url")), C "[0].index",
          "must be an integer" },
        { OF(BUTTON("'-1'", TEXT, "url")), C "[0].index",
          "must be an integer" },
        { OF(BUTTON("'9999999999999999999'", TEXT, "url")), C "[0].index",
          "must be an integer" },
        { OF(BUTTON("10", TEXT, "url")), C "[0].index",
          "must be between 0 and 9" },
        { OF(BUTTON("-1", TEXT, "url")), C "[0].index",
          "must be between 0 and 9" },
        { OF(BUTTON("1.0", TEXT, "url")), C "[0].index",
          "must be an integer" },
        { OF("{'type':'button','index':0}"), C "[0].subType",
          "is required" },
        { OF("{'type':'button','index':0,'sub_type':'phone'}"),
          C "[0].sub_type", "must be one of quick_reply, url, copy_code" },
        { OF(BUTTON("0", TEXT, "url") "," BUTTON("'0'", TEXT, "url")),
          C "[1].index", "is given twice" },
        { OF(BUTTON("0", PAYLOAD, "url")), C "[0].parameters[0].type",
          "does not go with the button" },
        { OF(BUTTON("0", TEXT, "quick_reply")), C "[0].parameters[0].type",
          "does not go with the button" },
        { OF(BUTTON("0", COUPON "," TEXT, "copy_code")),
          C "[0].parameters[1].type", "does not go with the button" },
        { OF(BUTTON("0", "{'type':'image'}", "url")),
          C "[0].parameters[0].type",
          "must be one of text, payload, coupon_code" }
    };

    (void) state;

    assert_refused(refused, ALL(refused));

    assert_refused_as(HEADER("{'type':'image','image':{'id':'1'}}"), 1008,
                      C "[0].parameters[0].image.id", "is not served yet");
    assert_refused_as(HEADER("{'type':'image','image':{}}"), 1008,
                      C "[0].parameters[0].image.url", "is required");
    assert_refused_as(HEADER("{'type':'video','video':{'link':"
                             "'https://10.0.0.1/'}}"), 1008,
                      C "[0].parameters[0].video.link",
                      "is not allowed: its host is a private address");
}


static void
test_limits(void **state)
{
    (void) state;

    assert_same(with("{'template':{'language':{'code':'en'},'name':'%s'},"
                     "'type':'template'}", "a", 512));
    assert_refused_as(with("{'template':{'language':{'code':'en'},'name':"
                           "'%s'},'type':'template'}", "a", 513), 1005,
                      "message.template.name",
                      "is too long: at most 512 characters");
    assert_same(with("{'template':{'language':{'code':'%s'},'name':'a'},"
                     "'type':'template'}", "a", 3));
    assert_length(BODY("{'type':'text','text':'%s'}"),
                  C "[0].parameters[0].text", 1, 1024);
    assert_length(OF(BUTTON("0", "{'type':'payload','payload':'%s'}",
                            "quick_reply")),
                  C "[0].parameters[0].payload", 1, 256);
    assert_length(OF(BUTTON("0", "{'type':'coupon_code','coupon_code':'%s'}",
                            "copy_code")),
                  C "[0].parameters[0].coupon_code", 1, 20);
    assert_same(with(BODY("%s" TEXT), TEXT ",", 99));
    assert_refused_as(with(BODY("%s" TEXT), TEXT ",", 100), 1005,
                      C "[0].parameters",
                      "has too many elements: at most 100");
    assert_refused_as(with(OF("%s{'type':'body'}"), "{'type':'body'},", 13),
                      1005, C, "has too many elements: at most 13");
}


static void
test_strict(void **state)
{
    (void) state;

    conf.strict = 1;
    assert_becomes("{'type':'template','template':{'namespace':'x','name':"
                   "'hello','language':{'code':'en','policy':'x'}}}",
                   "{'template':{" NAMED "},'type':'template'}");
    conf.strict = 0;

    assert_unknown("{'type':'template','template':{'x':1," NAMED "}}",
                   "message.template.x");
    assert_unknown(OF("{'type':'body','x':1}"), C "[0].x");
    assert_unknown(OF("{'type':'body','index':1}"), C "[0].index");
    assert_unknown(BODY("{'type':'text','text':'a','x':1}"),
                   C "[0].parameters[0].x");
    assert_unknown(HEADER("{'type':'image','image':{'url':"
                          "'https://example.com','x':1}}"),
                   C "[0].parameters[0].image.x");
}


static void
test_no_memory(void **state)
{
    (void) state;

    assert_needs_memory("{'type':'template','template':{'name':'hello',"
                        "'language':'en','components':["
                        BUTTON("9", TEXT, "url") "]}}");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_forms),
        TEST(test_parameters),
        TEST(test_parts),
        TEST(test_refused),
        TEST(test_limits),
        TEST(test_strict),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

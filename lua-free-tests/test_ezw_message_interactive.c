/* ezw_message: the document's examples of interactive messages, and the limits
 * of each kind. */

#include "message.h"

#define OF(t, c)                                                              \
    "{'interactive':{'components':{" c "},'type':'" t "'},"                   \
    "'type':'interactive'}"

#define BODY     "'body':{'text':'How can we help you?','type':'text'}"
#define REPLY(p, t)                                                           \
    "{'reply':{'payload':'" p "','title':'" t "'},'type':'reply'}"
#define ONE      "'buttons':[" REPLY("1", "A") "]"
#define BUTTONS(b)   OF("button", BODY ",'buttons':[" b "]")

#define ROW(p)       "{'payload':'" p "','title':'T'}"
#define LIST(s)      "'list':{'sections':[" s "],'title':'Choose'}"
#define ROWS(r)      OF("list", BODY "," LIST("{'rows':[" r "]}"))
#define SECTIONS(s)  OF("list", BODY "," LIST(s))

#define PRODUCT  "'product':{'productId':'1105524'}"
#define HEADER   "'header':{'text':'Make a selection','type':'text'}"
#define PRODUCTS(s)                                                           \
    OF("productList", BODY "," HEADER ",'productList':{'sections':[" s "]}")

#define C        "message.interactive.components"


static void
test_document(void **state)
{
    static const accepted_t  accepted[] = {
        { BUTTONS(REPLY("button_id_1", "Option 1") ","
                  REPLY("button_id_2", "Option 2")), NULL },

        { OF("list", BODY ",'list':{'sections':[{'rows':["
             "{'description':'Optional description','payload':'button_id_1',"
             "'title':'Option 2'},"
             "{'description':'Optional description','payload':'button_id_2',"
             "'title':'Option 2'},"
             "{'description':'Optional description','payload':'button_id_3',"
             "'title':'Option 3'}],'title':'Section 1'}],"
             "'title':'Make a choice'}"), NULL },

        { OF("product", "'body':{'text':'Here is a suggested product for "
             "you','type':'text'}," PRODUCT), NULL },

        { PRODUCTS("{'items':[{'productId':'1105521'},{'productId':"
                   "'1105522'},{'productId':'1105523'}],'title':"
                   "'Our Collection'}"), NULL },

        /* in the document's own order */
        { "{'type':'interactive','interactive':{'components':{" HEADER ","
          BODY ",'productList':{'sections':[{'items':[{'productId':'1'}],"
          "'title':'A'}]}},'type':'productList'}}",
          PRODUCTS("{'items':[{'productId':'1'}],'title':'A'}") }
    };

    (void) state;

    assert_accepted(accepted, ALL(accepted));
}


static void
test_forms(void **state)
{
    static const accepted_t  accepted[] = {
        /* without the types that can be but one, with plain texts */
        { OF("button", "'body':'B','footer':'F','header':'H',"
             "'buttons':[{'reply':{'id':'1','title':'A'}}]"),
          OF("button", "'body':{'text':'B','type':'text'},'buttons':["
             REPLY("1", "A") "],'footer':{'text':'F','type':'text'},"
             "'header':{'text':'H','type':'text'}") },
        { OF("button", "'body':{'text':'B'},'header':{'text':'H'}," ONE),
          OF("button", "'body':{'text':'B','type':'text'}," ONE
             ",'header':{'text':'H','type':'text'}") },
        { OF("button", BODY "," ONE ",'header':{'image':{'url':"
             "'https://example.com/a'},'type':'image'}"), NULL },
        { OF("button", BODY "," ONE ",'header':{'type':'video','video':"
             "{'link':'https://example.com/a'}}"),
          OF("button", BODY "," ONE ",'header':{'type':'video','video':"
             "{'url':'https://example.com/a'}}") },
        { OF("button", BODY "," ONE ",'header':{'document':{'fileName':"
             "'a.pdf','url':'https://example.com/a'},'type':'document'}"),
          NULL },
        { OF("button", BODY "," ONE ",'header':null,'footer':null"),
          OF("button", BODY "," ONE) },
        { OF("list", BODY ",'footer':{'text':'F','type':'text'}," HEADER ","
             LIST("{'rows':[" ROW("1") "]}")), NULL },
        { SECTIONS("{'rows':[" ROW("1") "," ROW("2") "],'title':'A'},"
                   "{'rows':[" ROW("3") "],'title':'B'}"), NULL },
        { ROWS("{'id':'1','title':'T','description':null}"),
          ROWS(ROW("1")) },
        { OF("product", PRODUCT), NULL },
        { OF("product", BODY ",'footer':{'text':'F','type':'text'}," PRODUCT),
          NULL },
        { "{'contextInfo':{'quotedMessage':{'id':'" ID "'}},'interactive':{"
          "'components':{" PRODUCT "},'type':'product'},'type':"
          "'interactive'}", NULL }
    };

    (void) state;

    assert_accepted(accepted, ALL(accepted));
}


/* The channel must have a catalog for products alone. */
static void
test_catalog(void **state)
{
    (void) state;

    assert_int_equal(check_as(BUTTONS(REPLY("1", "A")), ""), EZW_OK);
    assert_part(EZW_MESSAGE_CATALOG, NULL);
    assert_int_equal(check_as(ROWS(ROW("1")), ""), EZW_OK);
    assert_part(EZW_MESSAGE_CATALOG, NULL);
    assert_int_equal(check_as(OF("product", PRODUCT), ""), EZW_OK);
    assert_part(EZW_MESSAGE_CATALOG, "t");
    assert_int_equal(check_as(PRODUCTS("{'items':[{'productId':'1'}]}"), ""),
                     EZW_OK);
    assert_part(EZW_MESSAGE_CATALOG, "t");
    assert_part(EZW_MESSAGE_TYPE, "interactive");
    assert_part(EZW_MESSAGE_TEMPLATE_NAME, NULL);
}


static void
test_refused(void **state)
{
    static const refused_t  refused[] = {
        { "{'type':'interactive'}", "message.interactive", "is required" },
        { "{'type':'interactive','interactive':null}", "message.interactive",
          "must not be null" },
        { "{'type':'interactive','interactive':[]}", "message.interactive",
          "must be an object" },
        { "{'type':'interactive','interactive':{}}",
          "message.interactive.type", "is required" },
        { "{'type':'interactive','interactive':{'type':5}}",
          "message.interactive.type", "must be a string" },
        { "{'type':'interactive','interactive':{'type':'Button'}}",
          "message.interactive.type",
          "must be one of button, list, product, productList" },
        { "{'type':'interactive','interactive':{'type':'button'}}", C,
          "is required" },

        /* buttons */
        { OF("button", ONE), C ".body", "is required" },
        { OF("button", "'body':5," ONE), C ".body", "must be an object" },
        { OF("button", "'body':{}," ONE), C ".body.text", "is required" },
        { OF("button", "'body':{'text':'a','type':'image'}," ONE),
          C ".body.type", "must be one of text" },
        { OF("button", BODY), C ".buttons", "is required" },
        { BUTTONS(""), C ".buttons", "has too few elements: at least 1" },
        { BUTTONS(REPLY("1", "A") "," REPLY("2", "B") "," REPLY("3", "C") ","
                  REPLY("4", "D")),
          C ".buttons", "has too many elements: at most 3" },
        { BUTTONS("{}"), C ".buttons[0].reply", "is required" },
        { BUTTONS(REPLY("1", "A") ",{'reply':{'payload':'2'}}"),
          C ".buttons[1].reply.title", "is required" },
        { BUTTONS("{'reply':{'title':'A'}}"), C ".buttons[0].reply.payload",
          "is required" },
        { BUTTONS("{'reply':{'id':1,'title':'A'}}"),
          C ".buttons[0].reply.id", "must be a string" },
        { BUTTONS("{'type':'url','reply':{'payload':'1','title':'A'}}"),
          C ".buttons[0].type", "must be one of reply" },
        { BUTTONS(REPLY("1", "A") "," REPLY("2", "B") "," REPLY("3", "A")),
          C ".buttons[2].reply.title", "is given twice" },
        { BUTTONS(REPLY("1", "A") "," REPLY("1", "B")),
          C ".buttons[1].reply.payload", "is given twice" },
        { BUTTONS(REPLY("1", "A") ",{'reply':{'id':'1','title':'B'}}"),
          C ".buttons[1].reply.id", "is given twice" },
        { OF("button", BODY "," ONE ",'header':5"), C ".header",
          "must be an object" },
        { OF("button", BODY "," ONE ",'header':{'type':'gif'}"),
          C ".header.type", "must be one of text, image, video, document" },
        { OF("button", BODY "," ONE ",'header':{}"), C ".header.text",
          "is required" },
        { OF("button", BODY "," ONE ",'header':{'type':'image'}"),
          C ".header.image", "is required" },

        /* a list */
        { OF("list", BODY), C ".list", "is required" },
        { OF("list", LIST("{'rows':[" ROW("1") "]}")), C ".body",
          "is required" },
        { OF("list", BODY ",'list':{'title':'A'}"), C ".list.sections",
          "is required" },
        { OF("list", BODY ",'list':{'sections':[{'rows':[" ROW("1") "]}]}"),
          C ".list.title", "is required" },
        { SECTIONS(""), C ".list.sections",
          "has too few elements: at least 1" },
        { SECTIONS("{'title':'A'}"), C ".list.sections[0].rows",
          "is required" },
        { ROWS(""), C ".list.sections[0].rows",
          "has too few elements: at least 1" },
        { SECTIONS("{'rows':[" ROW("1") "],'title':'A'},{'rows':[" ROW("2")
                   "]}"), C ".list.sections[1].title",
          "is required where there are several sections" },
        { SECTIONS("{'rows':[" ROW("1") "]},{'rows':[" ROW("2")
                   "],'title':'A'}"), C ".list.sections[0].title",
          "is required where there are several sections" },
        { ROWS("{'payload':'1'}"), C ".list.sections[0].rows[0].title",
          "is required" },
        { ROWS(ROW("1") ",{'title':'T'}"),
          C ".list.sections[0].rows[1].payload", "is required" },
        { ROWS(ROW("1") "," ROW("2") "," ROW("1")),
          C ".list.sections[0].rows[2].payload", "is given twice" },
        { SECTIONS("{'rows':[" ROW("1") "],'title':'A'},{'rows':[" ROW("2")
                   "," ROW("1") "],'title':'B'}"),
          C ".list.sections[1].rows[1].payload", "is given twice" },
        { OF("list", BODY ",'header':{'type':'image','image':{'url':"
             "'https://example.com'}}," LIST("{'rows':[" ROW("1") "]}")),
          C ".header.text", "is required" },

        /* products */
        { OF("product", BODY), C ".product", "is required" },
        { OF("product", "'product':{}"), C ".product.productId",
          "is required" },
        { OF("product", "'product':{'productId':1105524}"),
          C ".product.productId", "must be a string" },
        { OF("product", HEADER "," PRODUCT), C ".header",
          "has no place here" },
        { OF("productList", BODY ",'productList':{'sections':[{'items':["
             "{'productId':'1'}]}]}"), C ".header", "is required" },
        { OF("productList", HEADER ",'productList':{'sections':[{'items':["
             "{'productId':'1'}]}]}"), C ".body", "is required" },
        { OF("productList", BODY "," HEADER), C ".productList",
          "is required" },
        { PRODUCTS(""), C ".productList.sections",
          "has too few elements: at least 1" },
        { PRODUCTS("{'items':[]}"), C ".productList.sections[0].items",
          "has too few elements: at least 1" },
        { PRODUCTS("{'items':[{'productId':'1'},{}]}"),
          C ".productList.sections[0].items[1].productId", "is required" },
        { PRODUCTS("{'items':[{'productId':'1'}],'title':'A'},"
                   "{'items':[{'productId':'2'}]}"),
          C ".productList.sections[1].title",
          "is required where there are several sections" }
    };

    (void) state;

    assert_refused(refused, ALL(refused));

    assert_refused_as(OF("button", BODY "," ONE ",'header':{'type':'image',"
                         "'image':{'url':'https://127.0.0.1/'}}"), 1008,
                      C ".header.image.url",
                      "is not allowed: its host is a loopback address");
    assert_refused_as(OF("button", BODY "," ONE ",'header':{'type':'image',"
                         "'image':{'data':'AA=='}}"), 1008,
                      C ".header.image.data", "is not served yet");
}


static void
test_lengths(void **state)
{
    (void) state;

    assert_length(OF("button", "'body':{'text':'%s'}," ONE),
                  C ".body.text", 1, 1024);
    assert_length(OF("button", "'footer':{'text':'%s'}," BODY "," ONE),
                  C ".footer.text", 1, 60);
    assert_length(OF("button", "'header':{'text':'%s'}," BODY "," ONE),
                  C ".header.text", 1, 60);
    assert_length(OF("list", "'header':{'text':'%s'}," BODY ","
                     LIST("{'rows':[" ROW("1") "]}")), C ".header.text", 1,
                  60);
    assert_length(BUTTONS(REPLY("1", "%s")), C ".buttons[0].reply.title", 1,
                  20);
    assert_length(BUTTONS(REPLY("%s", "A")), C ".buttons[0].reply.payload", 1,
                  256);
    assert_length(ROWS("{'payload':'1','title':'%s'}"),
                  C ".list.sections[0].rows[0].title", 1, 24);
    assert_length(ROWS("{'payload':'%s','title':'A'}"),
                  C ".list.sections[0].rows[0].payload", 1, 200);
    assert_length(ROWS("{'description':'%s','payload':'1','title':'A'}"),
                  C ".list.sections[0].rows[0].description", 0, 72);
    assert_length(SECTIONS("{'rows':[" ROW("1") "],'title':'%s'}"),
                  C ".list.sections[0].title", 1, 24);
    assert_length(OF("list", BODY ",'list':{'title':'%s','sections':[{'rows':["
                     ROW("1") "]}]}"), C ".list.title", 1, 20);
    assert_length(OF("product", "'product':{'productId':'%s'}"),
                  C ".product.productId", 1, 100);
    assert_length(PRODUCTS("{'items':[{'productId':'1'}],'title':'%s'}"),
                  C ".productList.sections[0].title", 1, 24);
}


/* Ten rows in all, ten sections, thirty products in each. */
static void
test_counts(void **state)
{
    size_t  i;
    char    rows[1024], text[4096];

    (void) state;

    rows[0] = '\0';

    for (i = 0; i < 10; i++) {
        sprintf(rows + strlen(rows), "%s{'rows':[{'payload':'%u','title':'T'}"
                "],'title':'A'}", i > 0 ? "," : "", (unsigned) i);
    }

    snprintf(text, sizeof(text), SECTIONS("%s"), rows);
    assert_same(text);

    snprintf(text, sizeof(text), SECTIONS("%s,{'rows':[" ROW("x")
                                          "],'title':'A'}"), rows);
    assert_refused_as(text, 1005, C ".list.sections",
                      "has too many elements: at most 10");

    rows[0] = '\0';

    for (i = 0; i < 10; i++) {
        sprintf(rows + strlen(rows), "%s{'payload':'%u','title':'T'}",
                i > 0 ? "," : "", (unsigned) i);
    }

    snprintf(text, sizeof(text), ROWS("%s"), rows);
    assert_same(text);

    snprintf(text, sizeof(text), ROWS("%s," ROW("x")), rows);
    assert_refused_as(text, 1005, C ".list.sections[0].rows",
                      "has too many elements: at most 10");

    snprintf(text, sizeof(text), SECTIONS("{'rows':[%s],'title':'A'},"
                                          "{'rows':[" ROW("x")
                                          "],'title':'B'}"), rows);
    assert_refused_as(text, 1005, C ".list.sections",
                      "has too many rows: at most 10 in all");

    assert_same(with(PRODUCTS("{'items':[%s{'productId':'1'}]}"),
                     "{'productId':'1'},", 29));
    assert_refused_as(with(PRODUCTS("{'items':[%s{'productId':'1'}]}"),
                           "{'productId':'1'},", 30), 1005,
                      C ".productList.sections[0].items",
                      "has too many elements: at most 30");
    assert_refused_as(with(PRODUCTS("%s{'items':[{'productId':'1'}]}"),
                           "{'items':[{'productId':'1'}]},", 10), 1005,
                      C ".productList.sections",
                      "has too many elements: at most 10");
}


static void
test_strict(void **state)
{
    (void) state;

    assert_unknown(OF("button", BODY "," ONE ",'x':1"), C ".x");
    assert_unknown(OF("button", BODY "," ONE ",'list':{}"), C ".list");
    assert_unknown(OF("list", BODY "," ONE "," LIST("{'rows':[" ROW("1")
                                                    "]}")), C ".buttons");
    assert_unknown(BUTTONS("{'reply':{'payload':'1','title':'A','x':1}}"),
                   C ".buttons[0].reply.x");
    assert_unknown(ROWS("{'payload':'1','title':'T','x':1}"),
                   C ".list.sections[0].rows[0].x");
    assert_unknown(OF("product", "'product':{'productId':'1','x':1}"),
                   C ".product.x");
    assert_needs_memory(OF("button", "'body':'B','header':'H'," ONE));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_document),
        TEST(test_forms),
        TEST(test_catalog),
        TEST(test_refused),
        TEST(test_lengths),
        TEST(test_counts),
        TEST(test_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

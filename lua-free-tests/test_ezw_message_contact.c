/* ezw_message: contacts. */

#include "message.h"

#define NAME  "'name':{'formattedName':'A'}"
#define ONE(c)  "{'contacts':[" c "],'type':'contact'}"


static void
test_contacts(void **state)
{
    static const accepted_t  accepted[] = {
        { ONE("{" NAME "}"), NULL },
        { ONE("{'addresses':[{'city':'Menlo Park','country':'United States',"
              "'countryCode':'us','state':'CA','street':'1 Hacker Way','type':"
              "'HOME','zip':'94025'},{'type':'WORK'}],'birthday':'2000-02-29',"
              "'emails':[{'email':'a@b.com','type':'WORK'},{'email':'x'}],"
              "'name':{'firstName':'John','formattedName':'Dr John M Smith Jr',"
              "'lastName':'Smith','middleName':'M','prefix':'Dr','suffix':"
              "'Jr'},'org':{'company':'Acme','department':'Design','title':"
              "'Manager'},'phones':[{'phone':'+31 6 11111111','type':'CELL',"
              "'waId':'31611111111'},{'phone':'112'}],'urls':[{'type':'HOME',"
              "'url':'www.example.com'}]}"), NULL },

        /* Meta's names */
        { "{'type':'contact','contacts':[{'name':{'formatted_name':'A B',"
          "'first_name':'A','last_name':'B','middle_name':'M'},'phones':"
          "[{'wa_id':'1','phone':'2'}],'addresses':[{'country_code':'nl'}]}]}",
          ONE("{'addresses':[{'countryCode':'nl'}],'name':{'firstName':'A',"
              "'formattedName':'A B','lastName':'B','middleName':'M'},"
              "'phones':[{'phone':'2','waId':'1'}]}") },

        /* a plain name, what is null, what is empty, what is unknown */
        { ONE("{'name':'A B'}"), ONE("{'name':{'formattedName':'A B'}}") },
        { ONE("{" NAME ",'org':null,'phones':null,'birthday':null,'x':1}"),
          ONE("{" NAME "}") },
        { ONE("{'addresses':[],'emails':[],'name':{'firstName':'',"
              "'formattedName':'A'},'org':{},'phones':[],'urls':[]}"), NULL },
        { ONE("{" NAME "},{" NAME "},{" NAME "},{" NAME "},{" NAME "}"),
          NULL },
        { "{'contacts':[{" NAME "}],'contextInfo':{'quotedMessage':{'id':'" ID
          "'}},'type':'contact'}", NULL }
    };

    (void) state;

    assert_accepted(accepted, ALL(accepted));
}


static void
test_refused(void **state)
{
    static const refused_t  refused[] = {
        { "{'type':'contact'}", "message.contacts", "is required" },
        { "{'type':'contact','contacts':null}", "message.contacts",
          "must not be null" },
        { "{'type':'contact','contacts':{}}", "message.contacts",
          "must be an array of objects" },
        { "{'type':'contact','contacts':[]}", "message.contacts",
          "has too few elements: at least 1" },
        { ONE("{" NAME "},{" NAME "},{" NAME "},{" NAME "},{" NAME "},{" NAME
              "}"), "message.contacts", "has too many elements: at most 5" },
        { ONE("'A'"), "message.contacts[0]", "must be an object" },
        { ONE("{" NAME "},null"), "message.contacts[1]", "must be an object" },
        { ONE("{}"), "message.contacts[0].name", "is required" },
        { ONE("{'name':1}"), "message.contacts[0].name",
          "must be an object" },
        { ONE("{'name':''}"), "message.contacts[0].name.formattedName",
          "is too short: at least 1 character" },
        { ONE("{'name':{'firstName':'A'}}"),
          "message.contacts[0].name.formattedName", "is required" },
        { ONE("{'name':{'formatted_name':1}}"),
          "message.contacts[0].name.formatted_name", "must be a string" },
        { ONE("{" NAME "},{'name':{'formattedName':'A','lastName':1}}"),
          "message.contacts[1].name.lastName", "must be a string" },
        { ONE("{" NAME ",'phones':{}}"), "message.contacts[0].phones",
          "must be an array of objects" },
        { ONE("{" NAME ",'phones':['1']}"), "message.contacts[0].phones[0]",
          "must be an object" },
        { ONE("{" NAME ",'phones':[{}]}"),
          "message.contacts[0].phones[0].phone", "is required" },
        { ONE("{" NAME ",'phones':[{'phone':'1'},{'phone':31611111111}]}"),
          "message.contacts[0].phones[1].phone", "must be a string" },
        { ONE("{" NAME ",'emails':[{'type':'HOME'}]}"),
          "message.contacts[0].emails[0].email", "is required" },
        { ONE("{" NAME ",'urls':[{'url':''}]}"),
          "message.contacts[0].urls[0].url",
          "is too short: at least 1 character" },
        { ONE("{" NAME ",'org':'Acme'}"), "message.contacts[0].org",
          "must be an object" },
        { ONE("{" NAME ",'org':{'title':1}}"),
          "message.contacts[0].org.title", "must be a string" },
        { ONE("{" NAME ",'addresses':[{'zip':94025}]}"),
          "message.contacts[0].addresses[0].zip", "must be a string" },
        { ONE("{" NAME ",'birthday':'2001-02-29'}"),
          "message.contacts[0].birthday", "must be a date, as 2000-02-29" },
        { ONE("{" NAME ",'birthday':'29-02-2000'}"),
          "message.contacts[0].birthday", "must be a date, as 2000-02-29" },
        { ONE("{" NAME ",'birthday':''}"), "message.contacts[0].birthday",
          "must be a date, as 2000-02-29" },
        { ONE("{" NAME ",'birthday':5}"), "message.contacts[0].birthday",
          "must be a string" }
    };

    (void) state;

    assert_refused(refused, ALL(refused));
}


static void
test_limits(void **state)
{
    (void) state;

    assert_length(ONE("{'name':{'formattedName':'%s'}}"),
                  "message.contacts[0].name.formattedName", 1, 255);
    assert_length(ONE("{" NAME ",'org':{'company':'%s'}}"),
                  "message.contacts[0].org.company", 0, 255);
    assert_length(ONE("{" NAME ",'phones':[{'phone':'%s'}]}"),
                  "message.contacts[0].phones[0].phone", 1, 255);
    assert_length(ONE("{" NAME ",'urls':[{'url':'%s'}]}"),
                  "message.contacts[0].urls[0].url", 1, 2048);
    assert_same(with(ONE("{" NAME ",'phones':[%s{'phone':'1'}]}"),
                     "{'phone':'1'},", 19));
    assert_refused_as(with(ONE("{" NAME ",'phones':[%s{'phone':'1'}]}"),
                           "{'phone':'1'},", 20), 1005,
                      "message.contacts[0].phones",
                      "has too many elements: at most 20");
}


static void
test_strict(void **state)
{
    (void) state;

    assert_unknown(ONE("{" NAME ",'x':1}"), "message.contacts[0].x");
    assert_unknown(ONE("{'name':{'formattedName':'A','x':1}}"),
                   "message.contacts[0].name.x");
    assert_unknown(ONE("{" NAME "},{" NAME ",'phones':[{'phone':'1','x':1}]}"),
                   "message.contacts[1].phones[0].x");
    assert_needs_memory(ONE("{'name':'A'}"));
    assert_needs_memory(ONE("{'name':{'formattedName':'01234567890123456789"
                            "0123456789012345678901234567890123456789'}}"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        TEST(test_contacts),
        TEST(test_refused),
        TEST(test_limits),
        TEST(test_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

\set channel 31600000000 + random(0, 9)
@statement contact_list page.limit=51

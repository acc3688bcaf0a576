\set k random(0, 9999)
\set channel 31600000000 + :k % 10
\set contact 31700000000 + :k * 10 + :k % 10
@statement message_list page.limit=51

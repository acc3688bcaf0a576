-- Each client has conversations of its own and goes round them; every visit
-- changes what the one before left.
\set n :n + 1
\set visit :n - 100000001
\set tail random(100000, 999999)
\set client 1000 + :client_id
\set at :visit * :clients + :client_id
\set k (:at * 7919) % 10000
\set channel 31600000000 + :k % 10
\set contact 31700000000 + :k * 10 + :k % 10
\set round (:at / 10000) % 4
\if :round = 0
@statement conversation_update has.body.status=true body.status='CLOSED'
\elif :round = 1
@statement conversation_update has.body.unreadCount=true body.unreadCount=0
\elif :round = 2
@statement conversation_update has.body.status=true body.status='OPEN'
\else
@statement conversation_update has.body.unreadCount=true body.unreadCount=null
\endif

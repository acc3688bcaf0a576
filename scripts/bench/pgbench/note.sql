\set n :n + 1
\set tail random(100000, 999999)
\set client 1000 + :client_id
\set k random(0, 9999)
\set channel 31600000000 + :k % 10
\set contact 31700000000 + :k * 10 + :k % 10
@statement note_create body.body='Prefers' has.body.isPinned=false

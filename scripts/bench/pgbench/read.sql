\set i random(0, 99999)
\set channel 31600000000 + :i % 10
\set contact 31700000000 + :i
@statement contact_get

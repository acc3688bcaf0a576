-- The same contact by its primary key, its row as it is stored.
\set id 100000000000 + random(0, 99999)
select
    c.jid,
    c.metadata,
    c.first_name,
    c.full_name,
    c.last_name,
    c.phone_number,
    c.reference,
    c.remarks,
    c.type
from ezw.contact c
where c.company = '00000000-0000-4000-8000-000000000001'::uuid
  and c.id = ('00000000-0000-4000-8000-' || :id)::uuid;

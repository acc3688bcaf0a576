-- What is measured: one company with ten channels, 100,000 contacts over all
-- of them, and a conversation with every tenth. load.lua and pgbench/*.sql
-- know the numbers:
--   channel c (0-9)        jid 31600000000 + c
--   contact i (0-99999)    jid 31700000000 + i, of channel i % 10
--   conversation k (0-9999) is contact k * 10 + k % 10's, so of channel k % 10
-- Needs :key_hash (hex), :email and :password_hash of one who signs in.

begin;

insert into ezw.company (id, name)
values ('00000000-0000-4000-8000-000000000001', 'Bench');

insert into ezw.channel (company, id, jid, domain, connector, name, lifecycle_state)
select
    '00000000-0000-4000-8000-000000000001',
    ('00000000-0000-4000-8000-' || 100000000000 + c)::uuid,
    31600000000 + c || '@whatsapp.eazy.im',
    'whatsapp',
    'sandbox',
    'Channel ' || c,
    'connected'
from generate_series(0, 9) c;

insert into ezw.api_key (company, id, hash, prefix, scope, description, rate_per_minute,
    burst, last_used)
values (
    '00000000-0000-4000-8000-000000000001',
    '00000000-0000-4000-8000-000000000002',
    decode(:'key_hash', 'hex'),
    'bench_',
    'COMPANY',
    'Bench',
    2147483647,
    2147483647,
    now()
);

insert into ezw.app_user (id, email, password_hash, full_name)
values ('00000000-0000-4000-8000-000000000003', :'email', :'password_hash', 'Bench');

insert into ezw.membership (company, user_id, role)
values (
    '00000000-0000-4000-8000-000000000001',
    '00000000-0000-4000-8000-000000000003',
    'operator'
);

insert into ezw.contact (company, id, channel, jid, phone_number, full_name, first_name, last_name, reference)
select
    '00000000-0000-4000-8000-000000000001',
    ('00000000-0000-4000-8000-' || 100000000000 + i)::uuid,
    ('00000000-0000-4000-8000-' || 100000000000 + i % 10)::uuid,
    31700000000 + i || '@whatsapp.eazy.im',
    31700000000 + i,
    'Contact No ' || i,
    'Contact',
    'No ' || i,
    'customer-' || i
from generate_series(0, 99999) i;

insert into ezw.conversation (company, id, channel, contact, contact_jid, last_message_at, created_at)
select
    '00000000-0000-4000-8000-000000000001',
    ('00000000-0000-4000-9000-' || 100000000000 + k)::uuid,
    ('00000000-0000-4000-8000-' || 100000000000 + k % 10)::uuid,
    ('00000000-0000-4000-8000-' || 100000000000 + k * 10 + k % 10)::uuid,
    31700000000 + k * 10 + k % 10 || '@whatsapp.eazy.im',
    now(),
    now()
from generate_series(0, 9999) k;

commit;

vacuum (freeze, analyze);

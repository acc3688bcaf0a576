-- What is measured: one company with ten channels, :contacts contacts over all
-- of them, and a conversation with every :step-th (a multiple of ten), of :each
-- messages. load.lua and pgbench/*.sql know the numbers:
--   channel c (0-9)  jid 31600000000 + c
--   contact i        jid 31700000000 + i, of channel i % 10
--   conversation k   is contact k * step + k % 10's, so of channel k % 10
-- Messages came in turn, over the last 25 days. Needs :key_hash (hex), :email
-- and :password_hash of one who signs in.

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
from generate_series(0, :contacts - 1) i;

-- Its n-th message of all came this long ago.
create function pg_temp.at(n int8, total int8)
returns timestamptz
language sql
stable
as $$
    select now() - interval '25 days' * (1 - n::float8 / total)
$$;

insert into ezw.conversation (company, id, channel, contact, contact_jid, messages_received, messages_sent,
    last_seq, last_message_at, last_message_received_at, last_message_sent_at, created_at)
select
    '00000000-0000-4000-8000-000000000001',
    ('00000000-0000-4000-9000-' || 100000000000 + k)::uuid,
    ('00000000-0000-4000-8000-' || 100000000000 + k % 10)::uuid,
    ('00000000-0000-4000-8000-' || 100000000000 + k * :step + k % 10)::uuid,
    31700000000 + k * :step + k % 10 || '@whatsapp.eazy.im',
    :each / 2,
    :each / 2,
    :each,
    case when :each > 0 then pg_temp.at((:each - 1) * c.n + k, :each * c.n) else now() end,
    case when :each > 1 then pg_temp.at((:each - 1) * c.n + k, :each * c.n) end,
    case when :each > 1 then pg_temp.at((:each - 2) * c.n + k, :each * c.n) end,
    case when :each > 0 then pg_temp.at(k, :each * c.n) else now() end
from (select (:contacts / :step)::int8 as n) c
cross join generate_series(0, c.n - 1) k;

insert into ezw.message (company, conversation, created_at, seq, id, direction, sender_type, sender_id, type,
    status, body)
select
    '00000000-0000-4000-8000-000000000001',
    ('00000000-0000-4000-9000-' || 100000000000 + k)::uuid,
    m.at,
    s,
    decode(
        lpad(to_hex((extract(epoch from m.at) * 1000)::int8), 12, '0')
        || '7' || lpad(to_hex(s % 4096), 3, '0') || '8' || lpad(to_hex(k), 15, '0') || '00000000',
        'hex'
    ),
    case when s % 2 = 0 then 'IN' else 'OUT' end,
    case when s % 2 = 0 then 'CONTACT' else 'API' end,
    case when s % 2 = 1 then '00000000-0000-4000-8000-000000000002@key.eazy.im' end,
    'text',
    case when s % 2 = 0 then 'RECEIVED' else 'DELIVERED' end,
    json_build_object('body', 'Have a nice day, and see you at the shop. ' || s, 'type', 'text')
from (select (:contacts / :step)::int8 as n) c
cross join generate_series(1, :each) s
cross join generate_series(0, c.n - 1) k
cross join lateral (select pg_temp.at((s - 1) * c.n + k, :each * c.n) as at) m;

commit;

vacuum (freeze, analyze);

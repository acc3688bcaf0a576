-- The demo company of `./ezw up`: its owner, an assistant, a team, a label, a
-- sandbox channel and one API key of each scope. The demo's contact is not
-- here: the first message makes it. Run by psql, in one transaction (-1), as
-- often as wanted: what is there already stays as it is.
--
-- psql variables (-v name=value):
--   company_id, company_name
--   user_email, user_name, user_password_hash    scrypt, as the module reads it
--   channel_jid                                  a number of the sandbox
--   key_channel_hash, key_assistant_hash,        SHA-256 of the key, 64 hex
--   key_company_hash, key_owner_hash
--   key_channel_prefix, key_assistant_prefix,    the key's first six characters
--   key_company_prefix, key_owner_prefix

insert into ezw.company (id, name)
values (:'company_id', :'company_name')
on conflict do nothing;

insert into ezw.billing (company)
values (:'company_id')
on conflict do nothing;

insert into ezw.app_user (id, email, password_hash, full_name, first_name, last_name)
values (
    gen_random_uuid(),
    lower(:'user_email'),
    :'user_password_hash',
    :'user_name',
    ezw.first_name(:'user_name'),
    ezw.last_name(:'user_name')
)
on conflict do nothing;

insert into ezw.membership (company, user_id, role)
select
    :'company_id'::uuid,
    u.id,
    'owner'
from ezw.app_user u
where u.email = lower(:'user_email')
on conflict do nothing;

insert into ezw.assistant (company, jid, name, description)
select
    :'company_id'::uuid,
    s.stamp || '@ai.' || s.suffix,
    'Demo assistant',
    'Answers in the demo''s name'
from (
    select
        (extract(epoch from clock_timestamp()) * 1000)::int8 as stamp,
        regexp_replace(:'channel_jid', '^[^@]*@[^.]*[.]', '') as suffix
) s
where not exists (
    select
    from ezw.assistant a
    where a.company = :'company_id'::uuid
);

insert into ezw.team (company, jid, name)
select
    :'company_id'::uuid,
    s.stamp || '@team.' || s.suffix,
    'Support'
from (
    select
        (extract(epoch from clock_timestamp()) * 1000)::int8 as stamp,
        regexp_replace(:'channel_jid', '^[^@]*@[^.]*[.]', '') as suffix
) s
on conflict do nothing;

insert into ezw.label (company, jid, name)
select
    :'company_id'::uuid,
    s.stamp || '@label.' || s.suffix,
    'Support'
from (
    select
        (extract(epoch from clock_timestamp()) * 1000)::int8 as stamp,
        regexp_replace(:'channel_jid', '^[^@]*@[^.]*[.]', '') as suffix
) s
on conflict do nothing;

insert into ezw.channel (company, id, jid, domain, connector, name, lifecycle_state)
values (
    :'company_id',
    gen_random_uuid(),
    :'channel_jid',
    split_part(split_part(:'channel_jid', '@', 2), '.', 1),
    'sandbox',
    'WhatsApp sandbox',
    'connected'
)
on conflict do nothing;

insert into ezw.api_key (company, id, hash, prefix, scope, description)
values
    (:'company_id', gen_random_uuid(), decode(:'key_channel_hash', 'hex'), :'key_channel_prefix',
        'CHANNEL', 'Demo, the sandbox channel'),
    (:'company_id', gen_random_uuid(), decode(:'key_assistant_hash', 'hex'), :'key_assistant_prefix',
        'ASSISTANT', 'Demo, the assistant'),
    (:'company_id', gen_random_uuid(), decode(:'key_company_hash', 'hex'), :'key_company_prefix',
        'COMPANY', 'Demo, the company'),
    (:'company_id', gen_random_uuid(), decode(:'key_owner_hash', 'hex'), :'key_owner_prefix',
        'OWNER', 'Demo, the owner')
on conflict do nothing;

insert into ezw.api_key_object (company, api_key, type, ref)
select
    k.company,
    k.id,
    o.type,
    o.ref
from ezw.api_key k
join lateral (
    select
        'CHANNEL' as type,
        :'channel_jid' as ref
    where k.scope = 'CHANNEL'
    union all
    select
        'ASSISTANT',
        a.jid
    from ezw.assistant a
    where a.company = k.company
      and k.scope = 'ASSISTANT'
    union all
    select
        'COMPANY',
        k.company::text
    where k.scope in ('COMPANY', 'OWNER')
) o
  on true
where k.company = :'company_id'::uuid
  and k.hash in (
    decode(:'key_channel_hash', 'hex'),
    decode(:'key_assistant_hash', 'hex'),
    decode(:'key_company_hash', 'hex'),
    decode(:'key_owner_hash', 'hex')
  )
on conflict do nothing;

-- The layout that a page of messages is compared with: a serial key, the rows
-- as they came, an index on what they are asked by.

create table public.naive_message (
    id bigserial primary key,
    company uuid not null,
    conversation uuid not null,
    created_at timestamptz not null,
    message_id bytea not null,
    direction text not null,
    sender_type text not null,
    sender_id text,
    status text not null,
    body json not null,
    error_code integer,
    error_text text
);

insert into public.naive_message (company, conversation, created_at, message_id, direction, sender_type,
    sender_id, status, body)
select
    m.company,
    m.conversation,
    m.created_at,
    m.id,
    m.direction,
    m.sender_type,
    m.sender_id,
    m.status,
    m.body
from ezw.message m
order by m.created_at;

create index on public.naive_message (company, conversation, created_at desc);
grant usage on schema public to ezw_app;
grant select on public.naive_message to ezw_app;
vacuum (freeze, analyze) public.naive_message;

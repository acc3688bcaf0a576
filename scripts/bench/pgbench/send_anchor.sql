-- The row of a message alone, without its conversation, event and outbox row.
\set n :n + 1
\set tail random(10000000000000, 99999999999999)
\set client 1000 + :client_id
\set conversation 100000000000 + random(0, 9999)
insert into ezw.message (
    company,
    conversation,
    created_at,
    seq,
    id,
    direction,
    sender_type,
    sender_id,
    type,
    status,
    body
)
values (
    '00000000-0000-4000-8000-000000000001'::uuid,
    ('00000000-0000-4000-9000-' || :conversation)::uuid,
    clock_timestamp(),
    :n::int8,
    decode('@prefix@7' || :n || :client || :tail, 'hex'),
    'OUT',
    'API',
    '00000000-0000-4000-8000-000000000002@key.eazy.im',
    'text',
    'QUEUED',
    '@message@'::json
);

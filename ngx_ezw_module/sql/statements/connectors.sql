-- What every connector calls when the platform tells it something: the one
-- way in, for the sandbox as for a real platform.

-- name: message_status
-- A state never goes back. :status is SENT, DELIVERED, READ, PLAYED or
-- FAILED; :provider.id, :error.code and :error.text may be null. changed is
-- false when the state was known. Refusal: not_found.
select
    u.refusal,
    u.changed
from ezw.message_status(
    :company::uuid,
    :channel::text,
    decode(:message::text, 'hex'),
    :status::text,
    :provider.id::text,
    :error.code::integer,
    :error.text::text
) u;

-- name: message_receive
-- result: STORED (again with the same :id.message too), DUPLICATE (the
-- provider's id is known: id is the message that has it) or BLOCKED (dropped
-- and counted, id is null). Refusal: not_found.
select
    u.refusal,
    u.result,
    encode(u.id, 'hex') as id
from ezw.message_receive(
    :company::uuid,
    :channel::text,
    :contact::text,
    :contact.name::text,
    :provider.id::text,
    decode(:id.message::text, 'hex'),
    :message::json,
    :message.type::text,
    :id.contact::uuid,
    :id.conversation::uuid
) u;

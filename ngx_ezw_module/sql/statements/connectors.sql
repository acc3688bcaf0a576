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
-- :message.type is one that DECISIONS 15 has for messages that come in, with
-- :message in its form; or "postback", with {"type","payload","title"}.
-- :aliases are the names that the platform told of the person, [{"kind":
-- "phone|bsuid|parent_bsuid|lid","value":".."}], or null; :about.id is its id
-- of the message that is quoted, reacted to or answered, or null.
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
    :id.conversation::uuid,
    :aliases::json,
    :about.id::text
) u;

-- name: message_device
-- A message that the company sent from the phone itself. result as above.
select
    u.refusal,
    u.result,
    encode(u.id, 'hex') as id
from ezw.message_device(
    :company::uuid,
    :channel::text,
    :contact::text,
    :provider.id::text,
    decode(:id.message::text, 'hex'),
    :message::json,
    :message.type::text,
    :id.contact::uuid,
    :id.conversation::uuid,
    :aliases::json
) u;

-- name: message_revoke
-- The person has deleted a message of his. Again: nothing.
select ezw.message_revoke(:company::uuid, :channel::text, :provider.id::text);

-- name: typing_receive
-- :state is COMPOSING, RECORDING or PAUSED; :id.message is when.
select ezw.typing_receive(
    :company::uuid,
    :channel::text,
    :contact::text,
    decode(:id.message::text, 'hex'),
    :state::text
);

-- Messages that go out. What comes in: connectors.sql.

-- name: message_send
-- Refusals: not_found, channel_archived, blocked, no_ownership,
-- window_expired. Again with the same :id.message: the same answer, nothing
-- written.
select
    ezw.message_send(
        :company::uuid,
        :path.channelJid::text,
        :path.contactJid::text,
        decode(:id.message::text, 'hex'),
        :body.message::json,
        :body.message.type::text,
        :key.assistant::text,
        :key.actor::text,
        :id.contact::uuid,
        :id.conversation::uuid
    ) as refusal,
    :id.message::text as id;

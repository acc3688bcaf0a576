-- Events of the caller's own about a contact.

-- name: custom_event_create
-- Refusal: not_found. Again with the same :id.message: the same answer,
-- nothing written.
select
    ezw.custom_event_create(
        :company::uuid,
        :path.channelJid::text,
        :path.contactJid::text,
        decode(:id.message::text, 'hex'),
        :body.name::text,
        :body.data::json
    ) as refusal,
    :id.message::text as id;

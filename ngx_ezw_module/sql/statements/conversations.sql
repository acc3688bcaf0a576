-- Conversations: one for each contact of a channel, there from the first
-- message on.

-- name: conversation_get
select
    v.assignee,
    v.channel_jid as "channel.jid",
    v.contact_jid as "contact.jid",
    v.created_at as "createdAt",
    v.channel_jid || ' ' || v.contact_jid as "id:conversation",
    v.labels,
    v.last_message_received_at as "lastMessageReceivedAt",
    v.last_message_sent_at as "lastMessageSentAt",
    v.messages_received as "messagesReceived",
    v.messages_sent as "messagesSent",
    v.status,
    v.team as "team?.jid",
    v.unread_count as "unreadCount"
from (
    select
        w.assignee,
        w.channel_jid,
        w.contact_jid,
        w.created_at,
        w.labels,
        w.last_message_received_at,
        w.last_message_sent_at,
        w.messages_received,
        w.messages_sent,
        w.status,
        w.team,
        w.unread_count
    from ezw.conversation_shape w
    where w.company = :company::uuid
      and w.channel_jid = :path.channelJid::text
      and w.contact_jid = :path.contactJid::text
    union all
    select
        a.assignee,
        a.channel_jid,
        a.contact_jid,
        a.created_at,
        a.labels,
        a.last_message_received_at,
        a.last_message_sent_at,
        a.messages_received,
        a.messages_sent,
        a.status,
        a.team,
        a.unread_count
    from ezw.conversation_by_alias(
        :company::uuid,
        :path.channelJid::text,
        :path.contactJid::text
    ) a
) v
limit 1;

-- name: conversation_update
-- Refusals: not_found, no_ownership, assignee_unknown, label_unknown,
-- team_unknown. Only what really changes is written.
select
    u.refusal,
    u.field as "@field",
    u.assignee,
    u.channel_jid as "channel.jid",
    u.contact_jid as "contact.jid",
    u.created_at as "createdAt",
    u.channel_jid || ' ' || u.contact_jid as "id:conversation",
    u.labels,
    u.last_message_received_at as "lastMessageReceivedAt",
    u.last_message_sent_at as "lastMessageSentAt",
    u.messages_received as "messagesReceived",
    u.messages_sent as "messagesSent",
    u.status,
    u.team as "team?.jid",
    u.unread_count as "unreadCount"
from ezw.conversation_update(
    :company::uuid,
    :path.channelJid::text,
    :path.contactJid::text,
    :has.body.assignee::boolean,
    :body.assignee::text,
    :has.body.labels::boolean,
    :body.labels::json,
    :has.body.status::boolean,
    :body.status::text,
    :has.body.team::boolean,
    :body.team::text,
    :has.body.unreadCount::boolean,
    :body.unreadCount::integer,
    :key.assistant::text,
    :key.actor::text,
    :id.audit::uuid,
    :id.audit2::uuid,
    :address::text,
    :trace::text
) u;

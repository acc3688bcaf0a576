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

-- name: conversation_list
-- By creation: an index on their last activity would cost every message.
select
    w.id is not null as "@row",
    w.created_at as "@cursor0",
    w.id as "@cursor1",
    case
        when :page.count::boolean
        then (
            select count(*)
            from (
                select
                from ezw.conversation t
                where t.company = h.company
                  and t.channel = h.id
                limit 10001
            ) n
        )
    end as "@total",
    coalesce(w.assignee_assistant, u.email) as assignee,
    h.jid as "channel.jid",
    w.contact_jid as "contact.jid",
    w.created_at as "createdAt",
    h.jid || ' ' || w.contact_jid as "id:conversation",
    array(
        select l.label
        from ezw.conversation_label l
        where l.company = h.company
          and l.conversation = w.id
        order by l.label
    ) as labels,
    w.last_message_received_at as "lastMessageReceivedAt",
    w.last_message_sent_at as "lastMessageSentAt",
    w.messages_received as "messagesReceived",
    w.messages_sent as "messagesSent",
    w.status,
    w.team as "team?.jid",
    w.unread_count as "unreadCount"
from ezw.channel h
left join lateral (
    select
        v.created_at,
        v.id,
        v.assignee_user,
        v.assignee_assistant,
        v.contact_jid,
        v.last_message_received_at,
        v.last_message_sent_at,
        v.messages_received,
        v.messages_sent,
        v.status,
        v.team,
        v.unread_count
    from ezw.conversation v
    where v.company = h.company
      and v.channel = h.id
      and (v.created_at, v.id) > (
        coalesce(:after.0::timestamptz, '-infinity'),
        coalesce(:after.1::uuid, '00000000-0000-0000-0000-000000000000')
      )
    order by v.created_at, v.id
    limit :page.limit::integer
) w on true
left join ezw.app_user u
  on u.id = w.assignee_user
where h.company = :company::uuid
  and h.jid = :path.channelJid::text
order by w.created_at, w.id;

-- name: comment_create
-- Refusals: not_found, no_ownership. Again with the same :id.message: the
-- same answer, nothing written.
select
    ezw.comment_create(
        :company::uuid,
        :path.channelJid::text,
        :path.contactJid::text,
        decode(:id.message::text, 'hex'),
        :body.body::text,
        :key.assistant::text,
        :key.actor::text
    ) as refusal,
    :id.message::text as id;

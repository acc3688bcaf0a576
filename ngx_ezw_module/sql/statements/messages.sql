-- Messages: what goes out, and what a conversation holds. What comes in:
-- connectors.sql.

-- name: message_send
-- Refusals: not_found, channel_archived, blocked, no_ownership,
-- window_expired, not_on_whatsapp, template_unknown, template_unapproved,
-- template_parameters, catalog_missing. Again with the same :id.message: the
-- same answer, nothing written.
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
        :id.conversation::uuid,
        :body.message.template.name::text,
        :body.message.template.language::text,
        :body.message.template.parameters::json,
        :body.message.catalog::boolean
    ) as refusal,
    :id.message::text as id;

-- name: message_list
-- Newest first. The conversation bounds the times of its messages from both
-- sides, so that only the months that it was alive in are read; its second
-- look-up, by an alias, runs only when the first gave nothing.
select
    m.created_at as "createdAt",
    m.direction,
    m.error_code as "error?.code",
    m.error_text as "error?.message",
    m.id,
    m.body as message,
    case when m.direction = 'IN' then v.contact_jid else m.sender_id end as "sender.id",
    m.sender_type as "sender.type",
    m.status,
    m.id is not null as "@row",
    m.created_at as "@cursor0",
    m.seq as "@cursor1",
    v.total as "@total"
from (
    select
        u.company,
        u.id,
        u.contact_jid,
        u.created_at,
        u.last_message_at,
        case
            when :page.count::boolean
            then (
                select count(*)
                from (
                    select
                    from ezw.message n
                    where n.company = :company::uuid
                      and n.conversation = u.id
                      and n.created_at between u.created_at and u.last_message_at
                    limit 10001
                ) n
            )
        end as total
    from (
        select
            w.company,
            w.id,
            w.contact_jid,
            w.created_at,
            w.last_message_at
        from ezw.channel h
        join ezw.conversation w
          on w.company = h.company
         and w.channel = h.id
         and w.contact_jid = :path.contactJid::text
        where h.company = :company::uuid
          and h.jid = :path.channelJid::text
        union all
        select
            a.company,
            a.id,
            a.contact_jid,
            a.created_at,
            a.last_message_at
        from ezw.messages_by_alias(
            :company::uuid,
            :path.channelJid::text,
            :path.contactJid::text
        ) a
    ) u
    limit 1
) v
left join lateral (
    select
        n.created_at,
        n.seq,
        n.id,
        n.direction,
        n.sender_type,
        n.sender_id,
        n.status,
        n.body,
        n.error_code,
        n.error_text
    from ezw.message n
    where n.company = :company::uuid
      and n.conversation = v.id
      and n.created_at between v.created_at and v.last_message_at
      and (n.created_at, n.seq)
        < (coalesce(:after.0::timestamptz, 'infinity'), coalesce(:after.1::int8, 9223372036854775807))
    order by n.created_at desc, n.seq desc
    limit :page.limit::integer
) m on true;

-- name: message_get
-- The id carries its time, which bounds the months that are looked into.
select
    m.created_at as "createdAt",
    m.direction,
    m.error_code as "error?.code",
    m.error_text as "error?.message",
    m.id,
    m.body as message,
    case when m.direction = 'IN' then v.contact_jid else m.sender_id end as "sender.id",
    m.sender_type as "sender.type",
    ezw.message_states(m.direction, m.created_at, m.sent_at, m.delivered_at, m.read_at, m.played_at,
        m.failed_at) as states,
    m.status
from (
    select
        w.company,
        w.id,
        w.contact_jid
    from ezw.channel h
    join ezw.conversation w
      on w.company = h.company
     and w.channel = h.id
     and w.contact_jid = :path.contactJid::text
    where h.company = :company::uuid
      and h.jid = :path.channelJid::text
    union all
    select
        a.company,
        a.id,
        a.contact_jid
    from ezw.messages_by_alias(
        :company::uuid,
        :path.channelJid::text,
        :path.contactJid::text
    ) a
    limit 1
) v
join lateral ezw.message_find(:company::uuid, v.id, :path.id::text) m on true;

-- name: message_outcome
-- What has come of the message that was sent (:lookup.id): done as soon as the
-- platform has taken it, or it has failed.
select
    m.status <> 'QUEUED' as done,
    case when m.status = 'FAILED' then m.error_code end as code,
    m.error_text as text
from ezw.message m
where m.company = :company::uuid
  and m.id = decode(:lookup.id::text, 'hex')
  and m.created_at >= ezw.message_time(decode(:lookup.id::text, 'hex')) - interval '1 day'
  and m.created_at <= ezw.message_time(decode(:lookup.id::text, 'hex')) + interval '1 day';

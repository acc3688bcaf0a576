-- What a channel says by itself.

-- name: automated_message_list
select
    w.type is not null as "@row",
    w.type as "@cursor0",
    2::int8 as "@total",
    w.body,
    w.created_at as "createdAt",
    w.enabled,
    w.type,
    w.updated_at as "updatedAt"
from ezw.channel h
left join lateral (
    select
        a.body,
        a.created_at,
        a.enabled,
        a.type,
        a.updated_at
    from ezw.automated_shape a
    where a.company = h.company
      and a.channel = h.id
      and a.type > coalesce(:after.0::text, '')
    order by a.type
    limit :page.limit::integer
) w on true
where h.company = :company::uuid
  and h.jid = :path.channelJid::text
order by w.type;

-- name: automated_message_get
select
    w.body,
    w.created_at as "createdAt",
    w.enabled,
    w.type,
    w.updated_at as "updatedAt"
from ezw.automated_shape w
where w.company = :company::uuid
  and w.channel_jid = :path.channelJid::text
  and w.type = :path.type::text;

-- name: automated_message_update
-- Refusals: not_found, body_needed.
select
    u.refusal,
    u.body,
    u.created_at as "createdAt",
    u.enabled,
    u.type,
    u.updated_at as "updatedAt"
from ezw.automated_message_update(
    :company::uuid,
    :path.channelJid::text,
    :path.type::text,
    :body.body::text,
    :body.enabled::boolean
) u;

-- Who is blocked on a channel, a contact or not.

-- name: contact_block
-- Refusal: not_found. Again with the same :id.audit: the same answer, nothing
-- written.
select ezw.contact_block(
    :company::uuid,
    :path.channelJid::text,
    :path.contactJid::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

-- name: contact_unblock
-- Refusal: not_found.
select ezw.contact_unblock(
    :company::uuid,
    :path.channelJid::text,
    :path.contactJid::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

-- name: blacklist_list
-- An erased contact's row has no JID: it is not listed.
select
    w.jid is not null as "@row",
    w.created_at as "@cursor0",
    w.jid as "@cursor1",
    case
        when :page.count::boolean
        then (
            select count(*)
            from (
                select
                from ezw.block t
                where t.company = h.company
                  and t.channel = h.id
                  and t.jid is not null
                limit 10001
            ) n
        )
    end as "@total",
    w.jid as "."
from ezw.channel h
left join lateral (
    select
        b.created_at,
        b.jid
    from ezw.block b
    where b.company = h.company
      and b.channel = h.id
      and b.jid is not null
      and (b.created_at, b.jid) > (
        coalesce(:after.0::timestamptz, '-infinity'),
        coalesce(:after.1::text, '')
      )
    order by b.created_at, b.jid
    limit :page.limit::integer
) w on true
where h.company = :company::uuid
  and h.jid = :path.channelJid::text
order by w.created_at, w.jid;

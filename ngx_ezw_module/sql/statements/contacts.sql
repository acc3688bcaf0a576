-- Contacts of a channel. An absent channel or one of another company is
-- not_found, and so is an absent contact; a contact answers to its aliases.

-- name: contact_create
-- Again with the same :id.contact: the same answer, nothing written.
select
    u.refusal,
    u.jid,
    u.metadata as "metadata:map",
    u.first_name as "name.firstName",
    u.full_name as "name.fullName",
    u.last_name as "name.lastName",
    u.notes,
    u.phone_number as "phoneNumber",
    u.reference,
    u.remarks,
    u.type
from ezw.contact_create(
    :company::uuid,
    :path.channelJid::text,
    :body.jid::text,
    :id.contact::uuid,
    :body.name.fullName::text,
    :body.name.firstName::text,
    :body.name.lastName::text,
    :body.reference::text,
    :body.remarks::text,
    :body.metadata::json
) u;

-- name: contact_get
-- The second branch runs only when the first gave nothing: the limit stops
-- the append before it.
select
    c.jid,
    c.metadata as "metadata:map",
    c.first_name as "name.firstName",
    c.full_name as "name.fullName",
    c.last_name as "name.lastName",
    c.notes,
    c.phone_number as "phoneNumber",
    c.reference,
    c.remarks,
    c.type
from (
    select
        w.jid,
        w.metadata,
        w.first_name,
        w.full_name,
        w.last_name,
        w.notes,
        w.phone_number,
        w.reference,
        w.remarks,
        w.type
    from ezw.contact_shape w
    where w.company = :company::uuid
      and w.channel_jid = :path.channelJid::text
      and w.jid = :path.contactJid::text
    union all
    select
        a.jid,
        a.metadata,
        a.first_name,
        a.full_name,
        a.last_name,
        a.notes,
        a.phone_number,
        a.reference,
        a.remarks,
        a.type
    from ezw.contact_by_alias(
        :company::uuid,
        :path.channelJid::text,
        :path.contactJid::text
    ) a
) c
limit 1;

-- name: contact_update
select
    u.refusal,
    u.jid,
    u.metadata as "metadata:map",
    u.first_name as "name.firstName",
    u.full_name as "name.fullName",
    u.last_name as "name.lastName",
    u.notes,
    u.phone_number as "phoneNumber",
    u.reference,
    u.remarks,
    u.type
from ezw.contact_update(
    :company::uuid,
    :path.channelJid::text,
    :path.contactJid::text,
    :has.body.metadata::boolean,
    :body.metadata::json,
    :has.body.name::boolean,
    :body.name.fullName::text,
    :body.name.firstName::text,
    :body.name.lastName::text,
    :has.body.reference::boolean,
    :body.reference::text,
    :has.body.remarks::boolean,
    :body.remarks::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: contact_delete
-- Again with the same :id.audit: the same answer, nothing written.
select ezw.contact_erase(
    :company::uuid,
    :path.channelJid::text,
    :path.contactJid::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

-- name: contact_list
-- Without their notes: a contact's are read with it.
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
                from ezw.contact t
                where t.company = h.company
                  and t.channel = h.id
                limit 10001
            ) n
        )
    end as "@total",
    w.jid,
    w.metadata as "metadata:map",
    w.first_name as "name.firstName",
    w.full_name as "name.fullName",
    w.last_name as "name.lastName",
    '[]'::json as notes,
    w.phone_number as "phoneNumber",
    w.reference,
    w.remarks,
    w.type
from ezw.channel h
left join lateral (
    select
        c.created_at,
        c.id,
        c.jid,
        c.metadata,
        c.first_name,
        c.full_name,
        c.last_name,
        c.phone_number,
        c.reference,
        c.remarks,
        c.type
    from ezw.contact c
    where c.company = h.company
      and c.channel = h.id
      and (c.created_at, c.id) > (
        coalesce(:after.0::timestamptz, '-infinity'),
        coalesce(:after.1::uuid, '00000000-0000-0000-0000-000000000000')
      )
    order by c.created_at, c.id
    limit :page.limit::integer
) w on true
where h.company = :company::uuid
  and h.jid = :path.channelJid::text
order by w.created_at, w.id;

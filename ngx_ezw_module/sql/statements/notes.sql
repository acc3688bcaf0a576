-- Notes of a contact, by any of its JIDs. An absent contact is not_found, and
-- so is one of another company's channel.

-- name: note_create
-- Again with the same :id.note: the same answer, nothing written.
select
    u.refusal,
    u.body,
    u.created_at as "createdAt",
    u.created_by as "createdBy",
    u.id,
    u.is_pinned as "isPinned",
    u.is_read_only as "isReadOnly",
    u.updated_at as "updatedAt",
    u.reference_id as "referenceId"
from ezw.note_create(
    :company::uuid,
    :path.channelJid::text,
    :path.contactJid::text,
    :id.note::uuid,
    :body.body::text,
    :body.isPinned::boolean,
    :body.isReadOnly::boolean,
    :body.referenceId::text,
    :key.actor::text
) u;

-- name: note_list
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
                from ezw.contact_note t
                where t.company = c.company
                  and t.contact = c.id
                limit 10001
            ) n
        )
    end as "@total",
    w.body,
    w.created_at as "createdAt",
    w.created_by as "createdBy",
    w.id,
    w.is_pinned as "isPinned",
    w.is_read_only as "isReadOnly",
    w.updated_at as "updatedAt",
    w.reference_id as "referenceId"
from ezw.contact c
left join lateral (
    select
        o.body,
        o.created_at,
        o.created_by,
        o.id,
        o.is_pinned,
        o.is_read_only,
        o.updated_at,
        o.reference_id
    from ezw.contact_note o
    where o.company = c.company
      and o.contact = c.id
      and (o.created_at, o.id) > (
        coalesce(:after.0::timestamptz, '-infinity'),
        coalesce(:after.1::uuid, '00000000-0000-0000-0000-000000000000')
      )
    order by o.created_at, o.id
    limit :page.limit::integer
) w on true
where c.company = :company::uuid
  and c.id = ezw.contact_find(:company::uuid, :path.channelJid::text, :path.contactJid::text)
order by w.created_at, w.id;

-- name: note_update
select
    u.refusal,
    u.body,
    u.created_at as "createdAt",
    u.created_by as "createdBy",
    u.id,
    u.is_pinned as "isPinned",
    u.is_read_only as "isReadOnly",
    u.updated_at as "updatedAt",
    u.reference_id as "referenceId"
from ezw.note_update(
    :company::uuid,
    :path.channelJid::text,
    :path.contactJid::text,
    ezw.as_uuid(:path.id::text),
    :body.body::text,
    :body.isPinned::boolean,
    :body.isReadOnly::boolean,
    :has.body.referenceId::boolean,
    :body.referenceId::text
) u;

-- name: note_delete
-- Again with the same :id.message: the same answer, nothing written.
select ezw.note_delete(
    :company::uuid,
    :path.channelJid::text,
    :path.contactJid::text,
    ezw.as_uuid(:path.id::text),
    decode(:id.message::text, 'hex')
) as refusal;

-- Lists of contacts.

-- name: list_list
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
                from ezw.list t
                where t.company = h.company
                  and t.channel = h.id
                limit 10001
            ) n
        )
    end as "@total",
    w.jid,
    w.metadata as "metadata:map",
    w.full_name as "name.fullName",
    '[]'::json as notes,
    w.reference,
    w.remarks,
    'LIST' as type
from ezw.channel h
left join lateral (
    select
        l.created_at,
        l.jid,
        l.metadata,
        l.full_name,
        l.reference,
        l.remarks
    from ezw.list l
    where l.company = h.company
      and l.channel = h.id
      and (l.created_at, l.jid) > (
        coalesce(:after.0::timestamptz, '-infinity'),
        coalesce(:after.1::text, '')
      )
    order by l.created_at, l.jid
    limit :page.limit::integer
) w on true
where h.company = :company::uuid
  and h.jid = :path.channelJid::text
order by w.created_at, w.jid;

-- name: list_create
-- Again with the same :id.list: the same answer, nothing written.
select
    u.refusal,
    '[]'::json as contacts,
    u.jid,
    u.metadata as "metadata:map",
    u.full_name as "name.fullName",
    '[]'::json as notes,
    u.reference,
    u.remarks,
    'LIST' as type
from ezw.list_create(
    :company::uuid,
    :path.channelJid::text,
    :id.list::uuid,
    :body.name.fullName::text,
    :body.reference::text,
    :body.remarks::text,
    :body.metadata::json
) u;

-- name: list_get
-- All of its members, in the order of their creation: a list has 100,000 at
-- most (list_participant_add).
select
    array(
        select c.jid
        from ezw.list_participant p
        join ezw.contact c
          on c.company = p.company
         and c.id = p.contact
        where p.company = l.company
          and p.list = l.jid
        order by p.contact
    ) as contacts,
    l.jid,
    l.metadata as "metadata:map",
    l.full_name as "name.fullName",
    '[]'::json as notes,
    l.reference,
    l.remarks,
    'LIST' as type
from ezw.channel h
join ezw.list l
  on l.company = h.company
 and l.channel = h.id
 and l.jid = :path.listJid::text
where h.company = :company::uuid
  and h.jid = :path.channelJid::text;

-- name: list_participant_add
-- Refusals: not_found, list_full. The answer is [], as the document has it.
select
    ezw.list_participant_add(
        :company::uuid,
        :path.channelJid::text,
        :path.listJid::text,
        :path.contactJid::text
    ) as refusal,
    false as "@row";

-- name: list_participant_remove
-- Refusal: not_found. The answer is [], as the document has it.
select
    ezw.list_participant_remove(
        :company::uuid,
        :path.channelJid::text,
        :path.listJid::text,
        :path.contactJid::text
    ) as refusal,
    false as "@row";

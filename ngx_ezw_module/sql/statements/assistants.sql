-- Assistants of a company.

-- name: assistant_list
select
    w.jid is not null as "@row",
    w.sort_name as "@cursor0",
    w.jid as "@cursor1",
    case
        when :page.count::boolean
        then (
            select count(*)
            from (
                select
                from ezw.assistant t
                where t.company = :company::uuid
                limit 10001
            ) n
        )
    end as "@total",
    w.color,
    w.description,
    w.enabled,
    w.jid,
    w.name
from ezw.company c
left join lateral (
    select
        a.color,
        a.description,
        a.enabled,
        a.jid,
        a.name,
        lower(a.name) as sort_name
    from ezw.assistant a
    where a.company = c.id
      and a.company = :company::uuid
      and (lower(a.name), a.jid) > (
        coalesce(:after.0::text, ''),
        coalesce(:after.1::text, '')
      )
    order by lower(a.name), a.jid
    limit :page.limit::integer
) w on true
where c.id = :company::uuid
order by w.sort_name, w.jid;

-- name: assistant_create
-- Again with the same :id.request: the same answer, nothing written.
select
    u.refusal,
    u.color,
    u.description,
    u.enabled,
    u.jid,
    u.name
from ezw.assistant_create(
    :company::uuid,
    :id.request::uuid,
    'ai.' || :jid.suffix::text,
    :body.color::integer,
    :body.description::text,
    :body.enabled::boolean,
    :body.name::text
) u;

-- name: assistant_update
-- Refusal: not_found.
select
    u.refusal,
    u.color,
    u.description,
    u.enabled,
    u.jid,
    u.name
from ezw.assistant_update(
    :company::uuid,
    :path.jid::text,
    :id.request::uuid,
    :body.color::integer,
    :has.body.description::boolean,
    :body.description::text,
    :body.enabled::boolean,
    :body.name::text,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: assistant_delete
-- Refusal: not_found. Again with the same :id.request: the same answer, nothing
-- written.
select ezw.assistant_delete(
    :company::uuid,
    :path.jid::text,
    :id.request::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

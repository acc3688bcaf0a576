-- Labels of a company. A name is taken whatever its case.

-- name: label_list
select
    w.jid is not null as "@row",
    w.sort_name as "@cursor0",
    case
        when :page.count::boolean
        then (
            select count(*)
            from (
                select
                from ezw.label t
                where t.company = :company::uuid
                limit 10001
            ) n
        )
    end as "@total",
    w.color,
    w.description,
    w.jid,
    w.name,
    w.priority
from ezw.company c
left join lateral (
    select
        b.color,
        b.description,
        b.jid,
        b.name,
        b.priority,
        lower(b.name) as sort_name
    from ezw.label b
    where b.company = c.id
      and b.company = :company::uuid
      and lower(b.name) > coalesce(:after.0::text, '')
    order by lower(b.name)
    limit :page.limit::integer
) w on true
where c.id = :company::uuid
order by w.sort_name;

-- name: label_create
-- Refusal: duplicate. Again with the same :id.request: the same answer, nothing
-- written.
select
    u.refusal,
    u.color,
    u.description,
    u.jid,
    u.name,
    u.priority
from ezw.label_create(
    :company::uuid,
    :id.request::uuid,
    'label.' || :jid.suffix::text,
    :body.color::integer,
    :body.description::text,
    :body.name::text,
    :body.priority::integer
) u;

-- name: label_update
-- Refusals: not_found, duplicate.
select
    u.refusal,
    u.color,
    u.description,
    u.jid,
    u.name,
    u.priority
from ezw.label_update(
    :company::uuid,
    :path.jid::text,
    :body.color::integer,
    :has.body.description::boolean,
    :body.description::text,
    :body.name::text,
    :has.body.priority::boolean,
    :body.priority::integer
) u;

-- name: label_delete
-- Refusal: not_found. Again with the same :id.request: the same answer, nothing
-- written.
select ezw.label_delete(
    :company::uuid,
    :path.jid::text,
    :id.request::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

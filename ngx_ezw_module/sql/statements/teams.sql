-- Teams of a company. A name is taken whatever its case; metadata that is empty
-- is null here.

-- name: team_list
select
    w.jid is not null as "@row",
    w.sort_name as "@cursor0",
    case
        when :page.count::boolean
        then (
            select count(*)
            from (
                select
                from ezw.team t
                where t.company = :company::uuid
                limit 10001
            ) n
        )
    end as "@total",
    w.channels,
    w.color,
    w.jid,
    w.metadata,
    w.name,
    w.reference
from ezw.company c
left join lateral (
    select
        t.channels,
        t.color,
        t.jid,
        t.metadata,
        t.name,
        t.reference,
        lower(t.name) as sort_name
    from ezw.team_shape t
    where t.company = c.id
      and t.company = :company::uuid
      and lower(t.name) > coalesce(:after.0::text, '')
    order by lower(t.name)
    limit :page.limit::integer
) w on true
where c.id = :company::uuid
order by w.sort_name;

-- name: team_create
-- Refusal: duplicate. Again with the same :id.request: the same answer, nothing
-- written.
select
    u.refusal,
    u.channels,
    u.color,
    u.jid,
    u.metadata,
    u.name,
    u.reference
from ezw.team_create(
    :company::uuid,
    :id.request::uuid,
    'team.' || :jid.suffix::text,
    :body.color::integer,
    :body.metadata::json,
    :body.name::text,
    :body.reference::text
) u;

-- name: team_update
-- Refusals: not_found, duplicate.
select
    u.refusal,
    u.channels,
    u.color,
    u.jid,
    u.metadata,
    u.name,
    u.reference
from ezw.team_update(
    :company::uuid,
    :path.jid::text,
    :body.color::integer,
    :has.body.metadata::boolean,
    :body.metadata::json,
    :body.name::text,
    :has.body.reference::boolean,
    :body.reference::text
) u;

-- name: team_delete
-- Refusal: not_found. Again with the same :id.request: the same answer, nothing
-- written.
select ezw.team_delete(
    :company::uuid,
    :path.jid::text,
    :id.request::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

-- name: team_channels_update
-- Refusals: not_found, channels_unknown.
select
    u.refusal,
    u.channels,
    u.color,
    u.jid,
    u.metadata,
    u.name,
    u.reference
from ezw.team_channels_update(
    :company::uuid,
    :path.jid::text,
    :body.channels::json
) u;

-- Companies. :company is the effective company that the gate resolved.

-- name: company_current
select
    c.id,
    c.name
from ezw.company c
where c.id = :company::uuid;

-- name: company_list
-- The key's own company, then its children for an OWNER.
select
    case when c.id = :key.company::uuid then 0 else 1 end as "@cursor0",
    c.name as "@cursor1",
    c.id as "@cursor2",
    cardinality(:key.companies::uuid[])::int8 as "@total",
    c.id,
    c.name
from ezw.company c
where c.id = any (:key.companies::uuid[])
  and (case when c.id = :key.company::uuid then 0 else 1 end, c.name, c.id) > (
    coalesce(:after.0::integer, 0),
    coalesce(:after.1::text, ''),
    coalesce(:after.2::uuid, '00000000-0000-0000-0000-000000000000')
  )
order by 1, 2, 3
limit :page.limit::integer;

-- name: company_get
-- {companyId} of the path is what the gate made :company from.
select
    c.id,
    c.name
from ezw.company c
where c.id = :company::uuid;

-- name: company_create
-- A child of the key's company. Refusal: timezone_unknown. Again with the same
-- :id.company: the same answer, nothing written.
select
    u.refusal,
    u.data_retention_in_days as "dataRetentionInDays",
    u.id,
    u.name,
    u.operators_see_all as "operatorsSeeAll",
    u.status,
    u.timezone
from ezw.company_create(
    :company::uuid,
    :id.company::uuid,
    :body.name::text,
    :body.timezone::text,
    :body.dataRetentionInDays::integer,
    :body.operatorsSeeAll::boolean,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: company_update
-- Refusals: not_found, timezone_unknown, status_own.
select
    u.refusal,
    u.data_retention_in_days as "dataRetentionInDays",
    u.id,
    u.name,
    u.operators_see_all as "operatorsSeeAll",
    u.status,
    u.timezone
from ezw.company_update(
    :company::uuid,
    :key.company::uuid,
    :body.name::text,
    :body.timezone::text,
    :body.dataRetentionInDays::integer,
    :body.operatorsSeeAll::boolean,
    :body.status::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

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
    c.id,
    c.name
from ezw.company c
where c.id = any (:key.companies::uuid[])
order by c.id <> :key.company::uuid, c.name, c.id;

-- name: company_get
-- {companyId} of the path is what the gate made :company from.
select
    c.id,
    c.name
from ezw.company c
where c.id = :company::uuid;

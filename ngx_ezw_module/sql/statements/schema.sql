-- The schema's own version.

-- name: schema_version
select coalesce(max(m.version), 0)::integer as version
from ezw.migration m;

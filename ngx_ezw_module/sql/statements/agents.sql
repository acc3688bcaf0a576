-- Agents: the active members of a company.

-- name: agent_list
select
    w.user_id is not null as "@row",
    w.sort_name as "@cursor0",
    w.sort_email as "@cursor1",
    case
        when :page.count::boolean
        then (
            select count(*)
            from (
                select
                from ezw.agent_shape t
                where t.company = :company::uuid
                limit 10001
            ) n
        )
    end as "@total",
    w.email,
    w.agent || '@agent.' || :jid.suffix::text as jid,
    w.first_name as "name.firstName",
    w.full_name as "name.fullName",
    w.last_name as "name.lastName",
    w.roles,
    w.status,
    w.teams
from ezw.company c
left join lateral (
    select
        a.user_id,
        a.sort_name,
        a.sort_email,
        a.email,
        a.agent,
        a.first_name,
        a.full_name,
        a.last_name,
        a.roles,
        a.status,
        a.teams
    from ezw.agent_shape a
    where a.company = c.id
      and a.company = :company::uuid
      and (a.sort_name, a.sort_email) > (
        coalesce(:after.0::text, ''),
        coalesce(:after.1::text, '')
      )
    order by a.sort_name, a.sort_email
    limit :page.limit::integer
) w on true
where c.id = :company::uuid
order by w.sort_name, w.sort_email;

-- name: agent_get
select
    a.email,
    a.agent || '@agent.' || :jid.suffix::text as jid,
    a.first_name as "name.firstName",
    a.full_name as "name.fullName",
    a.last_name as "name.lastName",
    a.roles,
    a.status,
    a.teams
from ezw.agent_shape a
where a.company = :company::uuid
  and a.email = lower(:path.email::text);

-- name: agent_teams_update
-- Refusals: not_found, teams_unknown.
select
    u.refusal,
    u.email,
    u.agent || '@agent.' || :jid.suffix::text as jid,
    u.first_name as "name.firstName",
    u.full_name as "name.fullName",
    u.last_name as "name.lastName",
    u.roles,
    u.status,
    u.teams
from ezw.agent_teams_update(
    :company::uuid,
    :path.email::text,
    :body.teams::json
) u;

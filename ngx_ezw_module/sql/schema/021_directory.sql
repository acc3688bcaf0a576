-- A company's directory as v3 shows and changes it: agents, assistants,
-- labels, teams.

-- When a person was last seen: stream_at is the last time that one of his live
-- streams was open, request_at that of his last request.
create table ezw.presence (
    company uuid not null,
    user_id uuid not null,
    stream_at timestamptz,
    request_at timestamptz,
    primary key (company, user_id),
    foreign key (company, user_id) references ezw.membership (company, user_id)
) with (fillfactor = 50);

-- What that makes of an agent (DECISIONS 10): no stream in 5 minutes is
-- OFFLINE, a stream but no request in 10 is AWAY.
create function ezw.agent_status(a_stream_at timestamptz, a_request_at timestamptz)
returns text
language sql
stable
as $$
    select case
        when a_stream_at > now() - interval '5 minutes'
            and a_request_at > now() - interval '10 minutes'
        then 'ONLINE'
        when a_stream_at > now() - interval '5 minutes'
        then 'AWAY'
        else 'OFFLINE'
    end
$$;

-- Is anyone there for a channel: an active member who may see it, and is
-- ONLINE? Owners and admins see every channel; an operator what a permission
-- of his says, or else his membership.
create function ezw.agent_online(a_company uuid, a_channel uuid)
returns boolean
language plpgsql
stable
as $$
begin
    return exists (
        select
        from ezw.presence p
        join ezw.membership m
          on m.company = p.company
         and m.user_id = p.user_id
        join ezw.app_user u
          on u.id = m.user_id
        left join ezw.channel_permission r
          on r.company = m.company
         and r.channel = a_channel
         and r.user_id = m.user_id
        where p.company = a_company
          and ezw.agent_status(p.stream_at, p.request_at) = 'ONLINE'
          and m.status = 'active'
          and u.enabled
          and (m.role in ('owner', 'admin') or coalesce(r.can_view, m.can_view))
    );
end
$$;

revoke all on function ezw.agent_status(timestamptz, timestamptz) from public;
revoke all on function ezw.agent_online(uuid, uuid) from public;
grant execute on function ezw.agent_status(timestamptz, timestamptz) to ezw_runtime;
grant execute on function ezw.agent_online(uuid, uuid) to ezw_runtime;
grant select on ezw.presence to ezw_runtime;

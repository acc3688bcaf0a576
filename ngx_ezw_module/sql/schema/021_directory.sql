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


-- Agents are listed by their names: a membership has a copy of its user's name
-- and address, as they are ordered, that triggers keep.
alter table ezw.membership
    add column sort_name text,
    add column sort_email text collate "C";

update ezw.membership m
set
    sort_name = lower(coalesce(u.full_name, u.email)),
    sort_email = u.email
from ezw.app_user u
where u.id = m.user_id;

alter table ezw.membership
    alter column sort_name set not null,
    alter column sort_email set not null;

-- agent_list
create index membership_listed on ezw.membership (company, sort_name, sort_email)
where status = 'active';

-- for share: whoever renames the user waits for us, and then finds this row
create function ezw.membership_sort()
returns trigger
language plpgsql
as $$
begin
    select
        lower(coalesce(u.full_name, u.email)),
        u.email
    into
        new.sort_name,
        new.sort_email
    from ezw.app_user u
    where u.id = new.user_id
    for share;

    return new;
end
$$;

create trigger sort
before insert on ezw.membership
for each row
execute function ezw.membership_sort();

create function ezw.app_user_sort()
returns trigger
language plpgsql
as $$
begin
    update ezw.membership m
    set
        sort_name = lower(coalesce(new.full_name, new.email)),
        sort_email = new.email
    where m.user_id = new.id;

    return null;
end
$$;

create trigger sort
after update of full_name, email on ezw.app_user
for each row
when (row (old.full_name, old.email) is distinct from row (new.full_name, new.email))
execute function ezw.app_user_sort();

-- agent_list, agent_get
create index team_member_user on ezw.team_member (company, user_id, team);


-- request is the id that a row's creation came with: the same request once
-- more finds what it has made.
alter table ezw.assistant add column request uuid;
alter table ezw.label add column request uuid;
alter table ezw.team add column request uuid;

-- assistant_create
create index assistant_request on ezw.assistant (company, request)
where request is not null;

-- label_create
create index label_request on ezw.label (company, request)
where request is not null;

-- team_create
create index team_request on ezw.team (company, request)
where request is not null;

-- assistant_list; labels and teams go along the index of their unique names
create index assistant_listed on ezw.assistant (company, lower(name), jid);


-- What conversations are to be rid of: an assistant that was disabled or
-- deleted, a label or a team that was deleted. What is too much for one
-- transaction, was locked then, or came from a transaction that began before,
-- upkeep takes on. A row stays for an hour, because request tells a deletion
-- that comes once more from one of what never was.
create table ezw.detach (
    company uuid not null references ezw.company (id),
    jid text collate "C" not null,
    request uuid not null,
    actor text,
    address text,
    trace text,
    made_at timestamptz not null default clock_timestamp(),
    due_at timestamptz not null,
    primary key (company, jid)
);

-- detach_next
create index detach_due_at on ezw.detach (due_at);

-- detach_step; nothing that a message changes
create index conversation_assistant on ezw.conversation (company, assignee_assistant)
where assignee_assistant is not null;

-- detach_step
create index conversation_team on ezw.conversation (company, team)
where team is not null;

-- detach_step
create index conversation_label_of on ezw.conversation_label (company, label, conversation);

-- Takes it away from at most a_limit conversations, and answers how many. What
-- another transaction has locked is passed over: that one may be waiting for
-- us. An assistant's are handed to the agents; of a label nobody is told.
create function ezw.detach_step(a_company uuid, a_jid text, a_actor text, a_address text, a_trace text,
    a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_domain text := split_part(split_part(a_jid, '@', 2), '.', 1);
    l_conversations uuid[];
begin
    if l_domain = 'label' then
        l_conversations := array(
            select l.conversation
            from ezw.conversation_label l
            where l.company = a_company
              and l.label = a_jid
            order by l.conversation
            limit a_limit
            for update skip locked
        );

        delete from ezw.conversation_label l
        where l.company = a_company
          and l.label = a_jid
          and l.conversation = any (l_conversations);

        return cardinality(l_conversations);
    end if;

    if l_domain = 'team' then
        l_conversations := array(
            select v.id
            from ezw.conversation v
            where v.company = a_company
              and v.team = a_jid
            limit a_limit
            for no key update skip locked
        );

        update ezw.conversation v
        set
            version = v.version + 1,
            team = null
        where v.company = a_company
          and v.id = any (l_conversations);
    else
        -- enabled again meanwhile
        perform
        from ezw.assistant a
        where a.company = a_company
          and a.jid = a_jid
          and a.enabled
        for share;

        if found then
            return 0;
        end if;

        l_conversations := array(
            select v.id
            from ezw.conversation v
            where v.company = a_company
              and v.assignee_assistant = a_jid
            limit a_limit
            for no key update skip locked
        );

        update ezw.conversation v
        set
            version = v.version + 1,
            assignee_assistant = null
        where v.company = a_company
          and v.id = any (l_conversations);

        perform ezw.handover_add(v.company, v.contact, v.channel, v.id, v.version,
            ezw.owner_json(null, a_jid), null, v.team, 'disabled')
        from ezw.conversation v
        where v.company = a_company
          and v.id = any (l_conversations)
        order by v.id;

        perform ezw.audit_add(v.company, ezw.uuid7(), 'conversation.handover', a_actor, 'conversation',
            v.id::text, a_address, a_trace, json_build_object('from', ezw.owner_json(null, a_jid), 'to', null))
        from ezw.conversation v
        where v.company = a_company
          and v.id = any (l_conversations)
        order by v.id;
    end if;

    insert into ezw.event (company, contact, kind, channel, conversation, version)
    select
        v.company,
        v.contact,
        'conversation.updated',
        v.channel,
        v.id,
        v.version
    from ezw.conversation v
    where v.company = a_company
      and v.id = any (l_conversations)
    order by v.id;

    return cardinality(l_conversations);
end
$$;

-- The first step, of the transaction that disables or deletes.
create function ezw.detach_begin(a_company uuid, a_jid text, a_request uuid, a_actor text, a_address text,
    a_trace text)
returns void
language plpgsql
as $$
declare
    l_limit constant integer := 1000;
    l_due_at timestamptz := clock_timestamp();
begin
    if ezw.detach_step(a_company, a_jid, a_actor, a_address, a_trace, l_limit) < l_limit then
        l_due_at := l_due_at + interval '5 seconds';
    end if;

    insert into ezw.detach (company, jid, request, actor, address, trace, due_at)
    values (a_company, a_jid, a_request, a_actor, a_address, a_trace, l_due_at)
    on conflict (company, jid) do update
    set
        request = excluded.request,
        actor = excluded.actor,
        address = excluded.address,
        trace = excluded.trace,
        made_at = excluded.made_at,
        due_at = excluded.due_at;
end
$$;

-- For upkeep: the next step of one that is due, on any node; how many it
-- looked at (0 or 1). For a minute it looks again, longer than any transaction
-- lasts that did not know of it.
create function ezw.detach_next(a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_row ezw.detach;
    l_done integer;
begin
    select
        d.company,
        d.jid,
        d.request,
        d.actor,
        d.address,
        d.trace,
        d.made_at,
        d.due_at
    into l_row
    from ezw.detach d
    where d.due_at <= clock_timestamp()
    order by d.due_at
    limit 1
    for update skip locked;

    if not found then
        return 0;
    end if;

    l_done := ezw.detach_step(l_row.company, l_row.jid, l_row.actor, l_row.address, l_row.trace, a_limit);

    if l_done < a_limit and l_row.made_at < clock_timestamp() - interval '1 hour' then
        delete from ezw.detach d
        where d.company = l_row.company
          and d.jid = l_row.jid;

        return 1;
    end if;

    update ezw.detach d
    set due_at = case
        when l_done >= a_limit then clock_timestamp()
        when d.made_at > clock_timestamp() - interval '1 minute' then clock_timestamp() + interval '5 seconds'
        else greatest(d.made_at + interval '1 hour', clock_timestamp() + interval '1 minute')
    end
    where d.company = l_row.company
      and d.jid = l_row.jid;

    return 1;
end
$$;

-- Was this the request that took a_jid away?
create function ezw.detached(a_company uuid, a_jid text, a_request uuid)
returns boolean
language plpgsql
stable
as $$
begin
    return exists (
        select
        from ezw.detach d
        where d.company = a_company
          and d.jid = a_jid
          and d.request = a_request
    );
end
$$;


-- Whoever changes a company's assistants, labels or teams takes this before
-- anything else: so a name is free, and a JID, for as long as he needs it.
create function ezw.directory_lock(a_company uuid)
returns void
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('ezw.directory ' || a_company::text, 0));
end
$$;

-- A JID for something new, behind directory_lock: the milliseconds that the
-- request's id carries, or the next ones that are free.
create function ezw.directory_jid(a_company uuid, a_request uuid, a_domain text)
returns text
language plpgsql
stable
as $$
declare
    l_ms int8 := ('x' || left(replace(a_request::text, '-', ''), 12))::bit(48)::int8;
    l_jid text;
begin
    loop
        l_jid := l_ms || '@' || a_domain;

        exit when not exists (
            select
            from ezw.assistant a
            where a.company = a_company
              and a.jid = l_jid
            union all
            select
            from ezw.label b
            where b.company = a_company
              and b.jid = l_jid
            union all
            select
            from ezw.team t
            where t.company = a_company
              and t.jid = l_jid
            union all
            select
            from ezw.detach d
            where d.company = a_company
              and d.jid = l_jid
        );

        l_ms := l_ms + 1;
    end loop;

    return l_jid;
end
$$;


-- Agents: the active members. suffix is the deployment's: agent is the local
-- part of the JID.
create view ezw.agent_shape as
select
    m.company,
    m.user_id,
    m.agent,
    m.sort_name,
    m.sort_email,
    u.email,
    coalesce(u.first_name, case when u.last_name is null then ezw.first_name(u.full_name) end) as first_name,
    u.full_name,
    coalesce(u.last_name, case when u.first_name is null then ezw.last_name(u.full_name) end) as last_name,
    case
        when m.role in ('owner', 'admin') then array['admin', 'user']
        else array['user']
    end as roles,
    ezw.agent_status(p.stream_at, p.request_at) as status,
    array(
        select x.team
        from ezw.team_member x
        where x.company = m.company
          and x.user_id = m.user_id
        order by x.team
    ) as teams
from ezw.membership m
join ezw.app_user u
  on u.id = m.user_id
left join ezw.presence p
  on p.company = m.company
 and p.user_id = m.user_id
where m.status = 'active'
  and u.enabled;

-- What the functions answer: a refusal, or the row after the write.
create type ezw.agent_answer as (
    refusal text,
    email text,
    agent uuid,
    first_name text,
    full_name text,
    last_name text,
    roles text[],
    status text,
    teams text[]
);

-- Makes them an agent's teams. Refusals: not_found, teams_unknown.
create function ezw.agent_teams_update(a_company uuid, a_email text, a_teams json)
returns ezw.agent_answer
language plpgsql
as $$
declare
    l_answer ezw.agent_answer;
    l_user uuid;
    l_teams text[];
begin
    perform ezw.directory_lock(a_company);

    select w.user_id
    into l_user
    from ezw.agent_shape w
    where w.company = a_company
      and w.email = lower(a_email);

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    l_teams := array(
        select distinct e.value
        from json_array_elements_text(a_teams) e
        order by e.value
    );

    if exists (
        select
        from unnest(l_teams) e (jid)
        where not exists (
            select
            from ezw.team t
            where t.company = a_company
              and t.jid = e.jid
        )
    ) then
        l_answer.refusal := 'teams_unknown';
        return l_answer;
    end if;

    delete from ezw.team_member x
    where x.company = a_company
      and x.user_id = l_user
      and not x.team = any (l_teams);

    insert into ezw.team_member (company, team, user_id)
    select
        a_company,
        e.jid,
        l_user
    from unnest(l_teams) e (jid)
    on conflict do nothing;

    select
        null,
        w.email,
        w.agent,
        w.first_name,
        w.full_name,
        w.last_name,
        w.roles,
        w.status,
        w.teams
    into l_answer
    from ezw.agent_shape w
    where w.company = a_company
      and w.user_id = l_user;

    return l_answer;
end
$$;


create type ezw.assistant_answer as (
    refusal text,
    color integer,
    description text,
    enabled boolean,
    jid text,
    name text
);

create function ezw.assistant_answered(a_company uuid, a_jid text)
returns ezw.assistant_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.assistant_answer;
begin
    select
        null,
        a.color,
        a.description,
        a.enabled,
        a.jid,
        a.name
    into l_answer
    from ezw.assistant a
    where a.company = a_company
      and a.jid = a_jid;

    return l_answer;
end
$$;

create function ezw.assistant_create(a_company uuid, a_request uuid, a_domain text, a_color integer,
    a_description text, a_enabled boolean, a_name text)
returns ezw.assistant_answer
language plpgsql
as $$
declare
    l_jid text;
begin
    perform ezw.directory_lock(a_company);

    -- made by this same request
    select a.jid
    into l_jid
    from ezw.assistant a
    where a.company = a_company
      and a.request = a_request;

    if not found then
        l_jid := ezw.directory_jid(a_company, a_request, a_domain);

        insert into ezw.assistant (company, jid, name, description, color, enabled, request)
        values (a_company, l_jid, a_name, a_description, coalesce(a_color, 8), coalesce(a_enabled, true), a_request);
    end if;

    return ezw.assistant_answered(a_company, l_jid);
end
$$;

-- Of color, enabled and name null is what was not given. Disabled, it loses
-- its conversations to the agents. Refusal: not_found.
create function ezw.assistant_update(a_company uuid, a_jid text, a_request uuid, a_color integer,
    a_has_description boolean, a_description text, a_enabled boolean, a_name text, a_actor text,
    a_address text, a_trace text)
returns ezw.assistant_answer
language plpgsql
as $$
declare
    l_answer ezw.assistant_answer;
    l_enabled boolean;
begin
    perform ezw.directory_lock(a_company);

    select a.enabled
    into l_enabled
    from ezw.assistant a
    where a.company = a_company
      and a.jid = a_jid
    for no key update;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    update ezw.assistant a
    set
        color = n.color,
        description = n.description,
        enabled = n.enabled,
        name = n.name
    from ezw.assistant o
    cross join lateral (
        select
            coalesce(a_color, o.color) as color,
            case when a_has_description then a_description else o.description end as description,
            coalesce(a_enabled, o.enabled) as enabled,
            coalesce(a_name, o.name) as name
    ) n
    where o.company = a_company
      and o.jid = a_jid
      and a.company = o.company
      and a.jid = o.jid
      and row (o.color, o.description, o.enabled, o.name)
        is distinct from
        row (n.color, n.description, n.enabled, n.name);

    if l_enabled and not a_enabled then
        perform ezw.detach_begin(a_company, a_jid, a_request, a_actor, a_address, a_trace);
    end if;

    return ezw.assistant_answered(a_company, a_jid);
end
$$;

-- Takes an assistant away and answers a refusal or null. Its conversations go
-- to the agents; a channel whose assistant it was has none; a webhook that was
-- for its conversations only is off, lest it tell of all; a key that was this
-- assistant still is, and is refused like a disabled one's (key_principal).
create function ezw.assistant_delete(a_company uuid, a_jid text, a_request uuid, a_actor text, a_address text,
    a_trace text)
returns text
language plpgsql
as $$
declare
    l_webhooks uuid[];
begin
    perform ezw.directory_lock(a_company);

    -- before the assistant, as whoever sets up a channel or a webhook
    perform
    from ezw.channel h
    where h.company = a_company
      and h.default_assistant = a_jid
    order by h.id
    for no key update;

    perform
    from ezw.webhook w
    where w.company = a_company
      and w.assistant = a_jid
    order by w.id
    for no key update;

    perform
    from ezw.assistant a
    where a.company = a_company
      and a.jid = a_jid
    for update;

    if not found then
        return case when not ezw.detached(a_company, a_jid, a_request) then 'not_found' end;
    end if;

    update ezw.channel h
    set default_assistant = null
    where h.company = a_company
      and h.default_assistant = a_jid;

    l_webhooks := array(
        select w.id
        from ezw.webhook w
        where w.company = a_company
          and w.assistant = a_jid
          and w.enabled
        order by w.id
    );

    update ezw.webhook w
    set
        assistant = null,
        enabled = false,
        updated_at = clock_timestamp()
    where w.company = a_company
      and w.assistant = a_jid;

    perform ezw.audit_add(a_company, ezw.uuid7(), 'webhook.disabled', a_actor, 'webhook', e.id::text, a_address,
        a_trace, json_build_object('assistant', a_jid))
    from unnest(l_webhooks) e (id);

    delete from ezw.assistant a
    where a.company = a_company
      and a.jid = a_jid;

    perform ezw.detach_begin(a_company, a_jid, a_request, a_actor, a_address, a_trace);

    return null;
end
$$;


create type ezw.label_answer as (
    refusal text,
    color integer,
    description text,
    jid text,
    name text,
    priority integer
);

create function ezw.label_answered(a_company uuid, a_jid text)
returns ezw.label_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.label_answer;
begin
    select
        null,
        b.color,
        b.description,
        b.jid,
        b.name,
        b.priority
    into l_answer
    from ezw.label b
    where b.company = a_company
      and b.jid = a_jid;

    return l_answer;
end
$$;

-- Is the name another label's? Behind directory_lock.
create function ezw.label_taken(a_company uuid, a_name text, a_jid text)
returns boolean
language plpgsql
volatile
as $$
begin
    return exists (
        select
        from ezw.label b
        where b.company = a_company
          and lower(b.name) = lower(a_name)
          and b.jid is distinct from a_jid
    );
end
$$;

-- Refusal: duplicate.
create function ezw.label_create(a_company uuid, a_request uuid, a_domain text, a_color integer,
    a_description text, a_name text, a_priority integer)
returns ezw.label_answer
language plpgsql
as $$
declare
    l_answer ezw.label_answer;
    l_jid text;
begin
    perform ezw.directory_lock(a_company);

    -- made by this same request
    select b.jid
    into l_jid
    from ezw.label b
    where b.company = a_company
      and b.request = a_request;

    if not found then
        if ezw.label_taken(a_company, a_name, null) then
            l_answer.refusal := 'duplicate';
            return l_answer;
        end if;

        l_jid := ezw.directory_jid(a_company, a_request, a_domain);

        insert into ezw.label (company, jid, name, description, color, priority, request)
        values (a_company, l_jid, a_name, a_description, coalesce(a_color, 8), a_priority, a_request);
    end if;

    return ezw.label_answered(a_company, l_jid);
end
$$;

-- Of color and name null is what was not given. Refusals: not_found, duplicate.
create function ezw.label_update(a_company uuid, a_jid text, a_color integer, a_has_description boolean,
    a_description text, a_name text, a_has_priority boolean, a_priority integer)
returns ezw.label_answer
language plpgsql
as $$
declare
    l_answer ezw.label_answer;
begin
    perform ezw.directory_lock(a_company);

    perform
    from ezw.label b
    where b.company = a_company
      and b.jid = a_jid
    for no key update;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    if ezw.label_taken(a_company, a_name, a_jid) then
        l_answer.refusal := 'duplicate';
        return l_answer;
    end if;

    update ezw.label b
    set
        color = n.color,
        description = n.description,
        name = n.name,
        priority = n.priority
    from ezw.label o
    cross join lateral (
        select
            coalesce(a_color, o.color) as color,
            case when a_has_description then a_description else o.description end as description,
            coalesce(a_name, o.name) as name,
            case when a_has_priority then a_priority else o.priority end as priority
    ) n
    where o.company = a_company
      and o.jid = a_jid
      and b.company = o.company
      and b.jid = o.jid
      and row (o.color, o.description, o.name, o.priority)
        is distinct from
        row (n.color, n.description, n.name, n.priority);

    return ezw.label_answered(a_company, a_jid);
end
$$;

-- Takes a label away, from all conversations too; a refusal or null.
create function ezw.label_delete(a_company uuid, a_jid text, a_request uuid, a_actor text, a_address text,
    a_trace text)
returns text
language plpgsql
as $$
begin
    perform ezw.directory_lock(a_company);

    delete from ezw.label b
    where b.company = a_company
      and b.jid = a_jid;

    if not found then
        return case when not ezw.detached(a_company, a_jid, a_request) then 'not_found' end;
    end if;

    perform ezw.detach_begin(a_company, a_jid, a_request, a_actor, a_address, a_trace);

    return null;
end
$$;


create view ezw.team_shape as
select
    t.company,
    t.jid,
    array(
        select h.jid
        from ezw.team_channel x
        join ezw.channel h
          on h.company = x.company
         and h.id = x.channel
        where x.company = t.company
          and x.team = t.jid
          and h.jid is not null
        order by h.jid
    ) as channels,
    t.color,
    t.metadata,
    t.name,
    t.reference
from ezw.team t;

create type ezw.team_answer as (
    refusal text,
    channels text[],
    color integer,
    jid text,
    metadata json,
    name text,
    reference text
);

create function ezw.team_answered(a_company uuid, a_jid text)
returns ezw.team_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.team_answer;
begin
    select
        null,
        w.channels,
        w.color,
        w.jid,
        w.metadata,
        w.name,
        w.reference
    into l_answer
    from ezw.team_shape w
    where w.company = a_company
      and w.jid = a_jid;

    return l_answer;
end
$$;

-- Is the name another team's? Behind directory_lock.
create function ezw.team_taken(a_company uuid, a_name text, a_jid text)
returns boolean
language plpgsql
volatile
as $$
begin
    return exists (
        select
        from ezw.team t
        where t.company = a_company
          and lower(t.name) = lower(a_name)
          and t.jid is distinct from a_jid
    );
end
$$;

-- Refusal: duplicate.
create function ezw.team_create(a_company uuid, a_request uuid, a_domain text, a_color integer,
    a_metadata json, a_name text, a_reference text)
returns ezw.team_answer
language plpgsql
as $$
declare
    l_answer ezw.team_answer;
    l_jid text;
begin
    perform ezw.directory_lock(a_company);

    -- made by this same request
    select t.jid
    into l_jid
    from ezw.team t
    where t.company = a_company
      and t.request = a_request;

    if not found then
        if ezw.team_taken(a_company, a_name, null) then
            l_answer.refusal := 'duplicate';
            return l_answer;
        end if;

        l_jid := ezw.directory_jid(a_company, a_request, a_domain);

        insert into ezw.team (company, jid, name, color, reference, metadata, request)
        values (a_company, l_jid, a_name, coalesce(a_color, 8), a_reference, nullif(a_metadata::text, '{}')::json,
            a_request);
    end if;

    return ezw.team_answered(a_company, l_jid);
end
$$;

-- Of color and name null is what was not given. Refusals: not_found, duplicate.
create function ezw.team_update(a_company uuid, a_jid text, a_color integer, a_has_metadata boolean,
    a_metadata json, a_name text, a_has_reference boolean, a_reference text)
returns ezw.team_answer
language plpgsql
as $$
declare
    l_answer ezw.team_answer;
begin
    perform ezw.directory_lock(a_company);

    perform
    from ezw.team t
    where t.company = a_company
      and t.jid = a_jid
    for no key update;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    if ezw.team_taken(a_company, a_name, a_jid) then
        l_answer.refusal := 'duplicate';
        return l_answer;
    end if;

    update ezw.team t
    set
        color = n.color,
        metadata = n.metadata,
        name = n.name,
        reference = n.reference
    from ezw.team o
    cross join lateral (
        select
            coalesce(a_color, o.color) as color,
            case when a_has_metadata then nullif(a_metadata::text, '{}')::json else o.metadata end as metadata,
            coalesce(a_name, o.name) as name,
            case when a_has_reference then a_reference else o.reference end as reference
    ) n
    where o.company = a_company
      and o.jid = a_jid
      and t.company = o.company
      and t.jid = o.jid
      and row (o.color, o.metadata::text, o.name, o.reference)
        is distinct from
        row (n.color, n.metadata::text, n.name, n.reference);

    return ezw.team_answered(a_company, a_jid);
end
$$;

-- Takes a team away, from its members, channels and conversations too; a
-- refusal or null.
create function ezw.team_delete(a_company uuid, a_jid text, a_request uuid, a_actor text, a_address text,
    a_trace text)
returns text
language plpgsql
as $$
begin
    perform ezw.directory_lock(a_company);

    delete from ezw.team t
    where t.company = a_company
      and t.jid = a_jid;

    if not found then
        return case when not ezw.detached(a_company, a_jid, a_request) then 'not_found' end;
    end if;

    perform ezw.detach_begin(a_company, a_jid, a_request, a_actor, a_address, a_trace);

    return null;
end
$$;

-- Makes them a team's channels. Refusals: not_found, channels_unknown.
create function ezw.team_channels_update(a_company uuid, a_jid text, a_channels json)
returns ezw.team_answer
language plpgsql
as $$
declare
    l_answer ezw.team_answer;
    l_jids text[];
    l_channels uuid[];
begin
    perform ezw.directory_lock(a_company);

    perform
    from ezw.team t
    where t.company = a_company
      and t.jid = a_jid
    for key share;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    l_jids := array(
        select distinct e.value
        from json_array_elements_text(a_channels) e
    );

    l_channels := array(
        select h.id
        from ezw.channel h
        where h.company = a_company
          and h.jid = any (l_jids)
        order by h.id
        for key share
    );

    if cardinality(l_channels) < cardinality(l_jids) then
        l_answer.refusal := 'channels_unknown';
        return l_answer;
    end if;

    delete from ezw.team_channel x
    where x.company = a_company
      and x.team = a_jid
      and not x.channel = any (l_channels);

    insert into ezw.team_channel (company, team, channel)
    select
        a_company,
        a_jid,
        e.id
    from unnest(l_channels) e (id)
    on conflict do nothing;

    return ezw.team_answered(a_company, a_jid);
end
$$;


revoke all on function
    ezw.agent_online,
    ezw.agent_status,
    ezw.agent_teams_update,
    ezw.app_user_sort,
    ezw.assistant_answered,
    ezw.assistant_create,
    ezw.assistant_delete,
    ezw.assistant_update,
    ezw.detach_begin,
    ezw.detach_next,
    ezw.detach_step,
    ezw.detached,
    ezw.directory_jid,
    ezw.directory_lock,
    ezw.label_answered,
    ezw.label_create,
    ezw.label_delete,
    ezw.label_taken,
    ezw.label_update,
    ezw.membership_sort,
    ezw.team_answered,
    ezw.team_channels_update,
    ezw.team_create,
    ezw.team_delete,
    ezw.team_taken,
    ezw.team_update
from public;

grant execute on function
    ezw.agent_online,
    ezw.agent_status,
    ezw.agent_teams_update,
    ezw.app_user_sort,
    ezw.assistant_answered,
    ezw.assistant_create,
    ezw.assistant_delete,
    ezw.assistant_update,
    ezw.detach_begin,
    ezw.detach_next,
    ezw.detach_step,
    ezw.detached,
    ezw.directory_jid,
    ezw.directory_lock,
    ezw.label_answered,
    ezw.label_create,
    ezw.label_delete,
    ezw.label_taken,
    ezw.label_update,
    ezw.membership_sort,
    ezw.team_answered,
    ezw.team_channels_update,
    ezw.team_create,
    ezw.team_delete,
    ezw.team_taken,
    ezw.team_update,
    ezw.uuid7
to ezw_runtime;

grant select on
    ezw.agent_shape,
    ezw.presence,
    ezw.team_shape
to ezw_runtime;

grant insert, delete on
    ezw.assistant,
    ezw.label,
    ezw.team,
    ezw.team_channel,
    ezw.team_member
to ezw_runtime;

grant select, insert, update, delete on ezw.detach to ezw_runtime;
grant update (assistant, enabled, updated_at) on ezw.webhook to ezw_runtime;

-- to lock them
grant update (label) on ezw.conversation_label to ezw_runtime;

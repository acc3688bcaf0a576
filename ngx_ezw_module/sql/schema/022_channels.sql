-- Channels and companies as their owners make, set up and end them; what a
-- channel says by itself; its profile.


-- How long after a person's last message a channel of that kind may be used
-- freely, null: for ever (DECISIONS 12).
create function ezw.window_seconds(a_connector text, a_domain text)
returns integer
language sql
immutable
as $$
    select case
        when a_connector = 'cloud'
            or (a_connector = 'http' and a_domain in ('whatsapp', 'instagram', 'messenger'))
            then 86400
    end
$$;

-- What the functions answer: a refusal, or the row after the write.
create type ezw.channel_answer as (
    refusal text,
    catalog_id text,
    connector text,
    data_retention_in_days integer,
    default_assistant text,
    jid text,
    name text,
    priority integer
);

create function ezw.channel_answered(a_company uuid, a_jid text)
returns ezw.channel_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.channel_answer;
begin
    select
        null,
        h.catalog_id,
        h.connector,
        h.data_retention_in_days,
        h.default_assistant,
        h.jid,
        h.name,
        h.priority
    into l_answer
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_jid;

    return l_answer;
end
$$;

-- May new conversations be that assistant's? It stays one until the end of the
-- transaction.
create function ezw.assistant_serves(a_company uuid, a_jid text)
returns boolean
language plpgsql
volatile
as $$
begin
    perform
    from ezw.assistant a
    where a.company = a_company
      and a.jid = a_jid
      and a.enabled
    for share;

    return found;
end
$$;

-- a_company is null when the maker's key may not use it. A JID is taken
-- whoever has it, and it is not told who. Refusals: company_unknown,
-- default_assistant_unknown, duplicate.
create function ezw.channel_create(a_company uuid, a_id uuid, a_jid text, a_name text, a_connector text,
    a_priority integer, a_data_retention_in_days integer, a_catalog_id text, a_default_assistant text,
    a_audit uuid, a_actor text, a_address text, a_trace text)
returns ezw.channel_answer
language plpgsql
as $$
declare
    l_answer ezw.channel_answer;
    l_domain text := split_part(split_part(a_jid, '@', 2), '.', 1);
begin
    if a_company is null then
        l_answer.refusal := 'company_unknown';
        return l_answer;
    end if;

    -- made by this same request
    if exists (
        select
        from ezw.channel h
        where h.company = a_company
          and h.id = a_id
    ) then
        return ezw.channel_answered(a_company, a_jid);
    end if;

    if a_default_assistant is not null and not ezw.assistant_serves(a_company, a_default_assistant) then
        l_answer.refusal := 'default_assistant_unknown';
        return l_answer;
    end if;

    insert into ezw.channel (
        company,
        id,
        jid,
        domain,
        connector,
        name,
        priority,
        data_retention_in_days,
        window_seconds,
        catalog_id,
        default_assistant,
        lifecycle_state
    )
    select
        a_company,
        a_id,
        a_jid,
        l_domain,
        a_connector,
        a_name,
        a_priority,
        coalesce(a_data_retention_in_days, c.data_retention_in_days),
        ezw.window_seconds(a_connector, l_domain),
        a_catalog_id,
        a_default_assistant,
        case when a_connector = 'sandbox' then 'connected' else 'created' end
    from ezw.company c
    where c.id = a_company
    on conflict do nothing;

    if not found then
        l_answer.refusal := 'duplicate';
        return l_answer;
    end if;

    perform ezw.audit_add(a_company, a_audit, 'line.created', a_actor, 'channel', a_id::text, a_address, a_trace,
        json_build_object('jid', a_jid, 'connector', a_connector));

    return ezw.channel_answered(a_company, a_jid);
end
$$;

drop function ezw.channel_update(uuid, text, boolean, text, boolean, integer);

-- Of what was given, only what really changes is written; an assistant that
-- the channel has already may be disabled since. Refusals: not_found,
-- default_assistant_unknown.
create function ezw.channel_update(a_company uuid, a_channel text, a_has_name boolean, a_name text,
    a_has_priority boolean, a_priority integer, a_data_retention_in_days integer, a_has_catalog_id boolean,
    a_catalog_id text, a_has_default_assistant boolean, a_default_assistant text, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns ezw.channel_answer
language plpgsql
as $$
declare
    l_answer ezw.channel_answer;
    l_id uuid;
    l_retention integer;
    l_catalog_id text;
    l_assistant text;
begin
    select
        h.id,
        h.data_retention_in_days,
        h.catalog_id,
        h.default_assistant
    into
        l_id,
        l_retention,
        l_catalog_id,
        l_assistant
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel
    for no key update;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    -- done by this same request; another may have changed it since
    if ezw.audit_exists(a_company, a_audit) then
        return ezw.channel_answered(a_company, a_channel);
    end if;

    if a_has_default_assistant
        and a_default_assistant is distinct from l_assistant
        and a_default_assistant is not null
        and not ezw.assistant_serves(a_company, a_default_assistant)
    then
        l_answer.refusal := 'default_assistant_unknown';
        return l_answer;
    end if;

    update ezw.channel h
    set
        name = n.name,
        priority = n.priority,
        data_retention_in_days = n.data_retention_in_days,
        catalog_id = n.catalog_id,
        default_assistant = n.default_assistant
    from ezw.channel o
    cross join lateral (
        select
            case when a_has_name then a_name else o.name end as name,
            case when a_has_priority then a_priority else o.priority end as priority,
            coalesce(a_data_retention_in_days, o.data_retention_in_days) as data_retention_in_days,
            case when a_has_catalog_id then a_catalog_id else o.catalog_id end as catalog_id,
            case when a_has_default_assistant then a_default_assistant else o.default_assistant end
                as default_assistant
    ) n
    where o.company = a_company
      and o.id = l_id
      and h.company = o.company
      and h.id = o.id
      and row (o.name, o.priority, o.data_retention_in_days, o.catalog_id, o.default_assistant)
        is distinct from
        row (n.name, n.priority, n.data_retention_in_days, n.catalog_id, n.default_assistant);

    l_answer := ezw.channel_answered(a_company, a_channel);

    -- what decides how long things are kept and who answers is the owner's
    if row (l_answer.data_retention_in_days, l_answer.catalog_id, l_answer.default_assistant)
        is distinct from
        row (l_retention, l_catalog_id, l_assistant)
    then
        perform ezw.audit_add(a_company, a_audit, 'line.updated', a_actor, 'channel', l_id::text, a_address,
            a_trace, json_build_object(
                'dataRetentionInDays', l_answer.data_retention_in_days,
                'catalogId', l_answer.catalog_id,
                'defaultAssistant', l_answer.default_assistant
            ));
    end if;

    return l_answer;
end
$$;

-- Ends a channel and answers a refusal or null; one that has ended stays so.
-- What it holds stays readable, and nothing goes out on it any more.
create function ezw.channel_archive(a_company uuid, a_channel text, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns text
language plpgsql
as $$
declare
    l_id uuid;
    l_archived boolean;
begin
    select
        h.id,
        h.archived_at is not null
    into
        l_id,
        l_archived
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel
    for no key update;

    if not found then
        return 'not_found';
    end if;

    if l_archived then
        return null;
    end if;

    update ezw.channel h
    set
        archived_at = clock_timestamp(),
        lifecycle_state = 'archived'
    where h.company = a_company
      and h.id = l_id;

    perform ezw.audit_add(a_company, a_audit, 'line.archived', a_actor, 'channel', l_id::text, a_address, a_trace,
        json_build_object('jid', a_channel));

    return null;
end
$$;


create type ezw.company_answer as (
    refusal text,
    data_retention_in_days integer,
    id uuid,
    name text,
    operators_see_all boolean,
    status text,
    timezone text
);

create function ezw.company_answered(a_company uuid)
returns ezw.company_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.company_answer;
begin
    select
        null,
        c.data_retention_in_days,
        c.id,
        c.name,
        c.operators_see_all,
        c.status,
        c.timezone
    into l_answer
    from ezw.company c
    where c.id = a_company;

    return l_answer;
end
$$;

-- The view of them reads every file there is: the usual answer without it.
create function ezw.timezone_known(a_timezone text)
returns boolean
language plpgsql
stable
as $$
begin
    return a_timezone = 'UTC' or exists (
        select
        from pg_catalog.pg_timezone_names z
        where z.name = a_timezone
    );
end
$$;

-- A child of a_parent. Refusal: timezone_unknown.
create function ezw.company_create(a_parent uuid, a_company uuid, a_name text, a_timezone text,
    a_data_retention_in_days integer, a_operators_see_all boolean, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns ezw.company_answer
language plpgsql
as $$
declare
    l_answer ezw.company_answer;
begin
    -- made by this same request
    l_answer := ezw.company_answered(a_company);

    if l_answer.id is not null then
        return l_answer;
    end if;

    if not ezw.timezone_known(coalesce(a_timezone, 'UTC')) then
        l_answer.refusal := 'timezone_unknown';
        return l_answer;
    end if;

    insert into ezw.company (id, parent, name, timezone, data_retention_in_days, operators_see_all)
    values (
        a_company,
        a_parent,
        a_name,
        coalesce(a_timezone, 'UTC'),
        coalesce(a_data_retention_in_days, 90),
        coalesce(a_operators_see_all, true)
    )
    on conflict do nothing;

    if found then
        insert into ezw.billing (company, state)
        values (a_company, 'active');

        perform ezw.audit_add(a_company, a_audit, 'org.created', a_actor, 'company', a_company::text, a_address,
            a_trace, json_build_object('name', a_name));
    end if;

    return ezw.company_answered(a_company);
end
$$;

-- a_own is the company of the key: nobody blocks himself. What is null is left
-- as it is. Refusals: not_found, timezone_unknown, status_own.
create function ezw.company_update(a_company uuid, a_own uuid, a_name text, a_timezone text,
    a_data_retention_in_days integer, a_operators_see_all boolean, a_status text, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns ezw.company_answer
language plpgsql
as $$
declare
    l_answer ezw.company_answer;
    l_status text;
    l_timezone text;
begin
    select
        c.status,
        c.timezone
    into
        l_status,
        l_timezone
    from ezw.company c
    where c.id = a_company
    for no key update;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    -- done by this same request; another may have changed it since
    if ezw.audit_exists(a_company, a_audit) then
        return ezw.company_answered(a_company);
    end if;

    l_answer.refusal := case
        when a_timezone <> l_timezone and not ezw.timezone_known(a_timezone)
            then 'timezone_unknown'
        when a_status <> l_status and a_company = a_own
            then 'status_own'
    end;

    if l_answer.refusal is not null then
        return l_answer;
    end if;

    update ezw.company c
    set
        name = coalesce(a_name, c.name),
        timezone = coalesce(a_timezone, c.timezone),
        data_retention_in_days = coalesce(a_data_retention_in_days, c.data_retention_in_days),
        operators_see_all = coalesce(a_operators_see_all, c.operators_see_all),
        status = coalesce(a_status, c.status)
    where c.id = a_company
      and (
        c.name <> a_name
        or c.timezone <> a_timezone
        or c.data_retention_in_days <> a_data_retention_in_days
        or c.operators_see_all <> a_operators_see_all
        or c.status <> a_status
      );

    if found then
        perform ezw.audit_add(a_company, a_audit, 'org.updated', a_actor, 'company', a_company::text, a_address,
            a_trace, case
                when a_status <> l_status then json_build_object('status', a_status)
            end);
    end if;

    return ezw.company_answered(a_company);
end
$$;


-- What a channel says by itself. A type's row is made by its first change.
create type ezw.automated_answer as (
    refusal text,
    body text,
    created_at timestamptz,
    enabled boolean,
    type text,
    updated_at timestamptz
);

create view ezw.automated_shape as
select
    h.company,
    h.id as channel,
    h.jid as channel_jid,
    coalesce(m.body, '') as body,
    coalesce(m.created_at, h.created_at) as created_at,
    coalesce(m.enabled, false) as enabled,
    y.type,
    m.updated_at
from ezw.channel h
cross join (
    values ('AWAY'), ('GREETING')
) y (type)
left join ezw.automated_message m
  on m.company = h.company
 and m.channel = h.id
 and m.type = y.type;

-- Refusals: not_found, body_needed.
create function ezw.automated_message_update(a_company uuid, a_channel text, a_type text, a_body text,
    a_enabled boolean)
returns ezw.automated_answer
language plpgsql
as $$
declare
    l_answer ezw.automated_answer;
    l_channel uuid;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel
    for no key update;

    select
        null,
        w.body,
        w.created_at,
        w.enabled,
        w.type,
        w.updated_at
    into l_answer
    from ezw.automated_shape w
    where w.company = a_company
      and w.channel = l_channel
      and w.type = a_type;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    if coalesce(a_body, l_answer.body) = '' and coalesce(a_enabled, l_answer.enabled) then
        l_answer.refusal := 'body_needed';
        return l_answer;
    end if;

    if a_body <> l_answer.body or a_enabled <> l_answer.enabled then
        l_answer.body := coalesce(a_body, l_answer.body);
        l_answer.enabled := coalesce(a_enabled, l_answer.enabled);
        l_answer.updated_at := clock_timestamp();

        insert into ezw.automated_message (company, channel, type, body, enabled, created_at, updated_at)
        values (
            a_company,
            l_channel,
            a_type,
            l_answer.body,
            l_answer.enabled,
            l_answer.created_at,
            l_answer.updated_at
        )
        on conflict (company, channel, type) do update
        set
            body = excluded.body,
            enabled = excluded.enabled,
            updated_at = excluded.updated_at;
    end if;

    return l_answer;
end
$$;


-- The profile of a WhatsApp channel; other channels have none.
create type ezw.profile_answer as (
    refusal text,
    about text,
    address text,
    description text,
    email text,
    vertical text,
    websites text[]
);

-- Refusal: not_found.
create function ezw.profile_update(a_company uuid, a_channel text, a_has_about boolean, a_about text,
    a_has_address boolean, a_address text, a_has_description boolean, a_description text, a_has_email boolean,
    a_email text, a_has_vertical boolean, a_vertical text, a_has_websites boolean, a_websites json,
    a_has_picture_url boolean, a_picture_url text)
returns ezw.profile_answer
language plpgsql
as $$
declare
    l_answer ezw.profile_answer;
    l_channel uuid;
    l_picture_url text;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel
      and h.domain = 'whatsapp'
    for no key update;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    select
        p.about,
        p.address,
        p.description,
        p.email,
        p.vertical,
        p.websites,
        p.picture_url
    into
        l_answer.about,
        l_answer.address,
        l_answer.description,
        l_answer.email,
        l_answer.vertical,
        l_answer.websites,
        l_picture_url
    from ezw.profile p
    where p.company = a_company
      and p.channel = l_channel;

    l_answer.about := case when a_has_about then a_about else l_answer.about end;
    l_answer.address := case when a_has_address then a_address else l_answer.address end;
    l_answer.description := case when a_has_description then a_description else l_answer.description end;
    l_answer.email := case when a_has_email then a_email else l_answer.email end;
    l_answer.vertical := case when a_has_vertical then a_vertical else l_answer.vertical end;
    l_answer.websites := case
        when not a_has_websites then coalesce(l_answer.websites, '{}')
        else array(select e.value from json_array_elements_text(coalesce(a_websites, '[]')) e)
    end;

    insert into ezw.profile (company, channel, about, address, description, email, vertical, websites, picture_url)
    values (
        a_company,
        l_channel,
        l_answer.about,
        l_answer.address,
        l_answer.description,
        l_answer.email,
        l_answer.vertical,
        l_answer.websites,
        case when a_has_picture_url then a_picture_url else l_picture_url end
    )
    on conflict (company, channel) do update
    set
        about = excluded.about,
        address = excluded.address,
        description = excluded.description,
        email = excluded.email,
        vertical = excluded.vertical,
        websites = excluded.websites,
        picture_url = excluded.picture_url,
        updated_at = excluded.updated_at
    where row (profile.about, profile.address, profile.description, profile.email, profile.vertical,
            profile.websites, profile.picture_url)
        is distinct from
        row (excluded.about, excluded.address, excluded.description, excluded.email, excluded.vertical,
            excluded.websites, excluded.picture_url);

    return l_answer;
end
$$;


revoke all on all functions in schema ezw from public;

grant execute on function
    ezw.assistant_serves,
    ezw.automated_message_update,
    ezw.channel_answered,
    ezw.channel_archive,
    ezw.channel_create,
    ezw.channel_update,
    ezw.company_answered,
    ezw.company_create,
    ezw.company_update,
    ezw.profile_update,
    ezw.timezone_known,
    ezw.window_seconds
to ezw_runtime;

grant select on ezw.automated_shape to ezw_runtime;
grant insert on ezw.channel to ezw_runtime;
grant update on ezw.company to ezw_runtime;

grant insert, update on
    ezw.automated_message,
    ezw.profile
to ezw_runtime;

-- Channels and companies as their owners make, set up and end them; what a
-- channel says by itself; its profile; its templates.


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


revoke all on all functions in schema ezw from public;

grant execute on function
    ezw.assistant_serves,
    ezw.channel_answered,
    ezw.channel_archive,
    ezw.channel_create,
    ezw.channel_update,
    ezw.company_answered,
    ezw.company_create,
    ezw.company_update,
    ezw.timezone_known,
    ezw.window_seconds
to ezw_runtime;

grant insert on ezw.channel to ezw_runtime;
grant update on ezw.company to ezw_runtime;

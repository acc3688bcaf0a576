-- API keys as their owners make, change and revoke them.

-- null: the rate of the location, which 600 a minute was the default of
alter table ezw.api_key
    alter column rate_per_minute drop not null,
    alter column rate_per_minute drop default,
    alter column burst drop not null,
    alter column burst drop default;

update ezw.api_key k
set
    rate_per_minute = null,
    burst = null
where k.rate_per_minute = 600
  and k.burst = 60;


-- What a path calls an id: null when it is none, so that it is found nowhere.
create function ezw.as_uuid(a_text text)
returns uuid
language sql
immutable
as $$
    select case
        when a_text ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then a_text::uuid
    end
$$;

create view ezw.key_shape as
select
    k.company,
    k.id,
    k.burst,
    k.cipher_fingerprint,
    k.description,
    k.enabled,
    k.expires_at,
    k.last_used,
    ezw.key_objects(k.company, k.id) as objects,
    k.prefix,
    k.rate_per_minute,
    k.scope,
    k.whitelist,
    k.revoked_at,
    k.created_at
from ezw.api_key k;

-- What the functions answer: a refusal, or the row after the write.
create type ezw.key_answer as (
    refusal text,
    burst integer,
    cipher_fingerprint text,
    description text,
    enabled boolean,
    expires_at timestamptz,
    id uuid,
    last_used timestamptz,
    objects json,
    prefix text,
    rate_per_minute integer,
    scope text,
    whitelist text[]
);

create function ezw.key_answered(a_company uuid, a_key uuid)
returns ezw.key_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.key_answer;
begin
    select
        null,
        w.burst,
        w.cipher_fingerprint,
        w.description,
        w.enabled,
        w.expires_at,
        w.id,
        w.last_used,
        w.objects,
        w.prefix,
        w.rate_per_minute,
        w.scope,
        w.whitelist
    into l_answer
    from ezw.key_shape w
    where w.company = a_company
      and w.id = a_key;

    return l_answer;
end
$$;

-- The company that a key wants something done in: its own, unless it names
-- another that it may use; null when it may not.
create function ezw.company_chosen(a_company uuid, a_companies uuid[], a_chosen uuid)
returns uuid
language sql
immutable
as $$
    select case
        when a_chosen is null then a_company
        when a_chosen = any (a_companies) then a_chosen
    end
$$;

-- The company of another key, where it is one that a key may use; a_company
-- where not: there it will not be found.
create function ezw.key_company(a_company uuid, a_companies uuid[], a_key uuid)
returns uuid
language plpgsql
stable
as $$
declare
    l_company uuid := a_company;
begin
    select k.company
    into l_company
    from ezw.api_key k
    where k.id = a_key
      and k.company = any (a_companies);

    return coalesce(l_company, a_company);
end
$$;

-- May a key of that scope have these objects ([{"type","ref"}])? A CHANNEL key
-- has channels, one at least; an ASSISTANT key at most one assistant, itself,
-- and the channels that it is kept to; COMPANY and OWNER keys may name
-- companies (their own; an OWNER its children too), which gives them nothing
-- that they would not have without. What is named must be there; a channel or
-- an assistant that a_key has already may be gone since. Answers a refusal or
-- null; what it found stays until the end of the transaction.
create function ezw.key_objects_refused(a_company uuid, a_key uuid, a_scope text, a_objects json)
returns text
language plpgsql
volatile
as $$
declare
    l_channels text[];
    l_assistants text[];
    l_companies text[];
begin
    select
        array_agg(distinct e.value ->> 'ref') filter (where e.value ->> 'type' = 'CHANNEL'),
        array_agg(distinct e.value ->> 'ref') filter (where e.value ->> 'type' = 'ASSISTANT'),
        array_agg(distinct e.value ->> 'ref') filter (where e.value ->> 'type' = 'COMPANY')
    into
        l_channels,
        l_assistants,
        l_companies
    from json_array_elements(a_objects) e;

    if (l_channels is not null and a_scope not in ('CHANNEL', 'ASSISTANT'))
        or (l_assistants is not null and (a_scope <> 'ASSISTANT' or cardinality(l_assistants) > 1))
        or (l_companies is not null and a_scope not in ('COMPANY', 'OWNER'))
    then
        return 'object_unsuitable';
    end if;

    if a_scope = 'CHANNEL' and l_channels is null then
        return 'object_needed';
    end if;

    perform
    from ezw.channel h
    where h.company = a_company
      and h.jid = any (l_channels)
    order by h.jid
    for key share;

    perform
    from ezw.assistant a
    where a.company = a_company
      and a.jid = any (l_assistants)
    for key share;

    if exists (
        select
        from json_array_elements(a_objects) e
        where not exists (
            select
            from ezw.api_key_object o
            where o.company = a_company
              and o.api_key = a_key
              and o.type = e.value ->> 'type'
              and o.ref = e.value ->> 'ref'
              and o.type <> 'COMPANY'
        )
          and not exists (
            select
            from ezw.channel h
            where e.value ->> 'type' = 'CHANNEL'
              and h.company = a_company
              and h.jid = e.value ->> 'ref'
              and h.archived_at is null
        )
          and not exists (
            select
            from ezw.assistant a
            where e.value ->> 'type' = 'ASSISTANT'
              and a.company = a_company
              and a.jid = e.value ->> 'ref'
        )
          and not exists (
            select
            from ezw.company c
            where e.value ->> 'type' = 'COMPANY'
              and c.id = ezw.as_uuid(e.value ->> 'ref')
              and (c.id = a_company or (a_scope = 'OWNER' and c.parent = a_company))
        )
    ) then
        return 'object_unknown';
    end if;

    return null;
end
$$;

-- Makes them a key's objects, and answers whether anything was to be done.
create function ezw.key_objects_set(a_company uuid, a_key uuid, a_objects json)
returns boolean
language plpgsql
as $$
declare
    l_removed integer;
    l_added integer;
begin
    delete from ezw.api_key_object o
    where o.company = a_company
      and o.api_key = a_key
      and not exists (
        select
        from json_array_elements(a_objects) e
        where e.value ->> 'type' = o.type
          and e.value ->> 'ref' = o.ref
      );

    get diagnostics l_removed = row_count;

    insert into ezw.api_key_object (company, api_key, type, ref)
    select distinct
        a_company,
        a_key,
        e.value ->> 'type',
        e.value ->> 'ref'
    from json_array_elements(a_objects) e
    on conflict do nothing;

    get diagnostics l_added = row_count;

    return l_removed + l_added > 0;
end
$$;


-- a_company is null when the maker of the key may not use it. Refusals:
-- company_unknown, object_unsuitable, object_needed, object_unknown.
create function ezw.key_create(a_company uuid, a_id uuid, a_hash bytea, a_prefix text, a_scope text,
    a_description text, a_objects json, a_whitelist json, a_expires_at timestamptz,
    a_rate_per_minute integer, a_burst integer, a_enabled boolean, a_cipher_key bytea,
    a_cipher_fingerprint text, a_audit uuid, a_actor text, a_address text, a_trace text)
returns ezw.key_answer
language plpgsql
as $$
declare
    l_answer ezw.key_answer;
    l_objects json := coalesce(a_objects, '[]');
begin
    if a_company is null then
        l_answer.refusal := 'company_unknown';
        return l_answer;
    end if;

    -- made by this same request
    l_answer := ezw.key_answered(a_company, a_id);

    if l_answer.id is not null then
        return l_answer;
    end if;

    l_answer.refusal := ezw.key_objects_refused(a_company, a_id, a_scope, l_objects);

    if l_answer.refusal is not null then
        return l_answer;
    end if;

    insert into ezw.api_key (
        company,
        id,
        hash,
        prefix,
        scope,
        description,
        whitelist,
        rate_per_minute,
        burst,
        cipher_key,
        cipher_fingerprint,
        enabled,
        expires_at
    )
    values (
        a_company,
        a_id,
        a_hash,
        a_prefix,
        a_scope,
        a_description,
        case
            when a_whitelist is not null then array(select e.value from json_array_elements_text(a_whitelist) e)
        end,
        a_rate_per_minute,
        a_burst,
        a_cipher_key,
        a_cipher_fingerprint,
        coalesce(a_enabled, true),
        a_expires_at
    )
    on conflict do nothing;

    if not found then
        return ezw.key_answered(a_company, a_id);
    end if;

    perform ezw.key_objects_set(a_company, a_id, l_objects);

    perform ezw.audit_add(a_company, a_audit, 'key.created', a_actor, 'key', a_id::text, a_address, a_trace,
        json_build_object('prefix', a_prefix, 'scope', a_scope));

    return ezw.key_answered(a_company, a_id);
end
$$;

-- Of scope, objects and enabled null is what was not given. Only what really
-- changes is written. Refusals: not_found, object_unsuitable, object_needed,
-- object_unknown.
create function ezw.key_update(a_company uuid, a_id uuid, a_scope text, a_objects json, a_enabled boolean,
    a_has_description boolean, a_description text, a_has_whitelist boolean, a_whitelist json,
    a_has_expires_at boolean, a_expires_at timestamptz, a_has_rate_per_minute boolean,
    a_rate_per_minute integer, a_has_burst boolean, a_burst integer, a_has_cipher_key boolean,
    a_cipher_key bytea, a_cipher_fingerprint text, a_audit uuid, a_actor text, a_address text, a_trace text)
returns ezw.key_answer
language plpgsql
as $$
declare
    l_answer ezw.key_answer;
    l_found boolean;
    l_scope text;
    l_objects json := a_objects;
    l_changed boolean;
begin
    select k.scope
    into l_scope
    from ezw.api_key k
    where k.company = a_company
      and k.id = a_id
      and k.revoked_at is null
    for no key update;

    l_found := found;

    -- done by this same request; another may have changed or revoked it since
    if ezw.audit_exists(a_company, a_audit) then
        return ezw.key_answered(a_company, a_id);
    end if;

    if not l_found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    l_scope := coalesce(a_scope, l_scope);

    if a_scope is not null or a_objects is not null then
        if l_objects is null then
            select coalesce(json_agg(json_build_object('type', o.type, 'ref', o.ref)), '[]')
            into l_objects
            from ezw.api_key_object o
            where o.company = a_company
              and o.api_key = a_id;
        end if;

        l_answer.refusal := ezw.key_objects_refused(a_company, a_id, l_scope, l_objects);

        if l_answer.refusal is not null then
            return l_answer;
        end if;
    end if;

    update ezw.api_key k
    set
        scope = l_scope,
        enabled = n.enabled,
        description = n.description,
        whitelist = n.whitelist,
        expires_at = n.expires_at,
        rate_per_minute = n.rate_per_minute,
        burst = n.burst,
        cipher_key = n.cipher_key,
        cipher_fingerprint = n.cipher_fingerprint
    from ezw.api_key o
    cross join lateral (
        select
            coalesce(a_enabled, o.enabled) as enabled,
            case when a_has_description then a_description else o.description end as description,
            case
                when not a_has_whitelist then o.whitelist
                when a_whitelist is not null then array(select e.value from json_array_elements_text(a_whitelist) e)
            end as whitelist,
            case when a_has_expires_at then a_expires_at else o.expires_at end as expires_at,
            case when a_has_rate_per_minute then a_rate_per_minute else o.rate_per_minute end as rate_per_minute,
            case when a_has_burst then a_burst else o.burst end as burst,
            case when a_has_cipher_key then a_cipher_key else o.cipher_key end as cipher_key,
            case when a_has_cipher_key then a_cipher_fingerprint else o.cipher_fingerprint end as cipher_fingerprint
    ) n
    where o.company = a_company
      and o.id = a_id
      and k.company = o.company
      and k.id = o.id
      and row (o.scope, o.enabled, o.description, o.whitelist, o.expires_at, o.rate_per_minute, o.burst,
            o.cipher_key, o.cipher_fingerprint)
        is distinct from
        row (l_scope, n.enabled, n.description, n.whitelist, n.expires_at, n.rate_per_minute, n.burst,
            n.cipher_key, n.cipher_fingerprint);

    l_changed := found;

    if a_objects is not null then
        l_changed := ezw.key_objects_set(a_company, a_id, a_objects) or l_changed;
    end if;

    if l_changed then
        perform ezw.audit_add(a_company, a_audit, 'key.updated', a_actor, 'key', a_id::text, a_address, a_trace,
            null);
    end if;

    return ezw.key_answered(a_company, a_id);
end
$$;

-- Ends a key and answers a refusal or null. Its row stays: it is who wrote
-- what it wrote.
create function ezw.key_revoke(a_company uuid, a_id uuid, a_audit uuid, a_actor text, a_address text,
    a_trace text)
returns text
language plpgsql
as $$
declare
    l_prefix text;
    l_scope text;
    l_revoked boolean;
begin
    select
        k.prefix,
        k.scope,
        k.revoked_at is not null
    into
        l_prefix,
        l_scope,
        l_revoked
    from ezw.api_key k
    where k.company = a_company
      and k.id = a_id
    for no key update;

    if not found or l_revoked then
        return case when not ezw.audit_exists(a_company, a_audit) then 'not_found' end;
    end if;

    update ezw.api_key k
    set revoked_at = clock_timestamp()
    where k.company = a_company
      and k.id = a_id;

    perform ezw.audit_add(a_company, a_audit, 'key.revoked', a_actor, 'key', a_id::text, a_address, a_trace,
        json_build_object('prefix', l_prefix, 'scope', l_scope));

    return null;
end
$$;

-- Notes that a key came from an address that it may not come from; answers
-- whether that is news.
create function ezw.key_denied(a_company uuid, a_key uuid, a_address text, a_trace text, a_audit uuid)
returns boolean
language plpgsql
as $$
begin
    if ezw.audit_exists(a_company, a_audit) then
        return false;
    end if;

    perform ezw.audit_add(a_company, a_audit, 'key.ip_denied', null, 'key', a_key::text, a_address, a_trace, null);

    return true;
end
$$;


revoke all on all functions in schema ezw from public;

grant execute on function
    ezw.as_uuid,
    ezw.company_chosen,
    ezw.key_answered,
    ezw.key_company,
    ezw.key_create,
    ezw.key_denied,
    ezw.key_objects_refused,
    ezw.key_objects_set,
    ezw.key_revoke,
    ezw.key_update
to ezw_runtime;

grant select on ezw.key_shape to ezw_runtime;
grant insert on ezw.api_key to ezw_runtime;
grant insert, delete on ezw.api_key_object to ezw_runtime;

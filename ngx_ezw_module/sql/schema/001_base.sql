-- The schema itself, the role that the module runs as, companies, and the
-- change sequence that tells every node's caches what to forget.
--
-- Conventions of all migrations: a tenant's table has `company` as the first
-- column of its primary key; names are full (no search_path is relied on);
-- times are timestamptz, ids are made by the caller and passed in; values
-- that stand on the wire are stored as they stand there.

create schema ezw;

-- Written by the runner, one row for each file of this folder.
create table ezw.migration (
    version integer primary key,
    name text not null,
    applied_at timestamptz not null default now(),
    sha256 text not null
);

-- A role belongs to the cluster: another database of it may have it already.
do $$
begin
    if not exists (select from pg_catalog.pg_roles r where r.rolname = 'ezw_runtime') then
        create role ezw_runtime nologin;
    end if;
exception
    when duplicate_object or unique_violation then
        null;
end
$$;

grant usage on schema ezw to ezw_runtime;


-- What there is one of. epoch stands before every position of the event log;
-- xid_seen is a transaction id that this cluster has been past.
create table ezw.deployment (
    id boolean primary key default true check (id),
    epoch integer not null default 1,
    xid_seen xid8 not null default pg_snapshot_xmax(pg_current_snapshot()),
    block_salt bytea not null default decode(replace(gen_random_uuid()::text, '-', ''), 'hex')
);

insert into ezw.deployment (id)
values (true);


create table ezw.company (
    id uuid primary key,
    parent uuid references ezw.company (id),
    name text not null,
    status text not null default 'ACTIVE'
        check (status in ('ACTIVE', 'BLOCKED')),
    timezone text not null default 'UTC',
    operators_see_all boolean not null default true,
    data_retention_in_days integer not null default 90
        check (data_retention_in_days > 0),
    created_at timestamptz not null default now(),
    check (parent <> id)
);

-- an OWNER key's companies: key_principal
create index company_parent on ezw.company (parent);


-- The change sequence. Its row stays locked until the writer commits, so
-- numbers become visible in their order; it is taken at commit (the triggers
-- are deferred), hence last of all locks and for a moment only.
create table ezw.change_counter (
    id boolean primary key default true check (id),
    seq int8 not null default 0
) with (fillfactor = 10);

insert into ezw.change_counter (id)
values (true);

create table ezw.change (
    seq int8 primary key,
    kind text not null
        check (kind in ('key', 'channel', 'company', 'member', 'session', 'permission', 'assistant')),
    company uuid not null,
    ref text not null,
    created_at timestamptz not null default now()
);

-- sweep
create index change_created_at on ezw.change (created_at);

create function ezw.change_add(a_kind text, a_company uuid, a_ref text)
returns void
language plpgsql
as $$
declare
    l_seq int8;
begin
    update ezw.change_counter n
    set seq = n.seq + 1
    returning n.seq into l_seq;

    insert into ezw.change (seq, kind, company, ref)
    values (l_seq, a_kind, a_company, a_ref);
end
$$;

-- For a table of which one column is what the caches know the thing by: the
-- trigger's arguments are the kind and that column. An old value is told too
-- when it changed.
create function ezw.change_note()
returns trigger
language plpgsql
as $$
declare
    l_kind text := tg_argv[0];
    l_ref text := tg_argv[1];
    l_old json := case when tg_op <> 'INSERT' then row_to_json(old) end;
    l_new json := case when tg_op <> 'DELETE' then row_to_json(new) end;
begin
    if l_old ->> l_ref is distinct from l_new ->> l_ref
        and l_old ->> l_ref is not null
    then
        perform ezw.change_add(l_kind, (l_old ->> 'company')::uuid, l_old ->> l_ref);
    end if;

    if l_new ->> l_ref is not null then
        perform ezw.change_add(l_kind, (l_new ->> 'company')::uuid, l_new ->> l_ref);
    end if;

    return null;
end
$$;

-- A company is news to its parent too: an OWNER key's list of companies.
create function ezw.company_note()
returns trigger
language plpgsql
as $$
begin
    perform ezw.change_add('company', f.id, f.id::text)
    from (
        select coalesce(new.id, old.id) as id
        union
        select old.parent
        union
        select new.parent
    ) f
    where f.id is not null;

    return null;
end
$$;

create constraint trigger change_note
after insert or delete on ezw.company
deferrable initially deferred
for each row
execute function ezw.company_note();

create constraint trigger change_note_update
after update on ezw.company
deferrable initially deferred
for each row
when (old.* is distinct from new.*)
execute function ezw.company_note();


-- Times inside json that Postgres builds: as the encoder writes them outside.
create function ezw.ts(a_at timestamptz)
returns text
language sql
stable
as $$
    select to_char(a_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- The time that a message id (a UUIDv7 and four bytes) carries.
create function ezw.message_time(a_id bytea)
returns timestamptz
language sql
immutable
as $$
    select to_timestamp(
        (
            (get_byte(a_id, 0)::int8 << 40)
            | (get_byte(a_id, 1)::int8 << 32)
            | (get_byte(a_id, 2)::int8 << 24)
            | (get_byte(a_id, 3)::int8 << 16)
            | (get_byte(a_id, 4)::int8 << 8)
            | get_byte(a_id, 5)::int8
        ) / 1000.0
    )
$$;

-- The number of a contact's or channel's JID, null where it has none.
create function ezw.jid_phone(a_jid text)
returns int8
language sql
immutable
as $$
    select case
        when a_jid ~ '^[1-9][0-9]{6,14}@(whatsapp|sms)[.]'
        then split_part(a_jid, '@', 1)::int8
    end
$$;

-- A name that came whole: its first word, and the rest or null.
create function ezw.first_name(a_full_name text)
returns text
language sql
immutable
as $$
    select split_part(btrim(a_full_name), ' ', 1)
$$;

create function ezw.last_name(a_full_name text)
returns text
language sql
immutable
as $$
    select nullif(ltrim(substr(btrim(a_full_name), length(ezw.first_name(a_full_name)) + 1)), '')
$$;

-- Channels, what is set up for each of them, and the API keys.

-- jid is unique over the deployment, whichever company has it, and null until
-- a line is paired. window_seconds: the care window, null for a channel that
-- has none. connector_secret is encrypted by the module.
create table ezw.channel (
    company uuid not null references ezw.company (id),
    id uuid not null,
    jid text collate "C",
    domain text not null,
    connector text not null
        check (connector in ('sandbox', 'cloud', 'waha', 'http')),
    name text not null,
    priority integer,
    data_retention_in_days integer not null default 90
        check (data_retention_in_days > 0),
    window_seconds integer
        check (window_seconds > 0),
    catalog_id text,
    default_assistant text collate "C",
    default_assignee uuid,
    lifecycle_state text not null default 'created'
        check (lifecycle_state in ('created', 'qr_pending', 'pairing', 'connected', 'disconnected',
            'passkey_required', 'failed', 'archived')),
    connector_config jsonb not null default '{}',
    connector_secret bytea,
    archived_at timestamptz,
    created_at timestamptz not null default now(),
    primary key (company, id),
    unique (jid),
    foreign key (company, default_assistant) references ezw.assistant (company, jid),
    foreign key (company, default_assignee) references ezw.membership (company, user_id)
);

create constraint trigger change_note
after insert or delete on ezw.channel
deferrable initially deferred
for each row
execute function ezw.change_note('channel', 'jid');

create constraint trigger change_note_update
after update on ezw.channel
deferrable initially deferred
for each row
when (old.* is distinct from new.*)
execute function ezw.change_note('channel', 'jid');

create table ezw.channel_permission (
    company uuid not null,
    channel uuid not null,
    user_id uuid not null,
    can_view boolean not null,
    can_send boolean not null,
    primary key (company, channel, user_id),
    foreign key (company, channel) references ezw.channel (company, id),
    foreign key (company, user_id) references ezw.membership (company, user_id),
    check (can_view or not can_send)
);

create constraint trigger change_note
after insert or update or delete on ezw.channel_permission
deferrable initially deferred
for each row
execute function ezw.change_note('permission', 'user_id');

-- no row: every channel
create table ezw.team_channel (
    company uuid not null,
    team text collate "C" not null,
    channel uuid not null,
    primary key (company, team, channel),
    foreign key (company, team) references ezw.team (company, jid)
        on delete cascade,
    foreign key (company, channel) references ezw.channel (company, id)
);


-- hash is the SHA-256 of the key, prefix its first six characters; whitelist
-- is kept as it was written. cipher_key is encrypted by the module.
create table ezw.api_key (
    company uuid not null references ezw.company (id),
    id uuid not null,
    hash bytea not null check (length(hash) = 32),
    prefix text not null,
    scope text not null
        check (scope in ('CHANNEL', 'ASSISTANT', 'COMPANY', 'OWNER')),
    description text,
    whitelist text[]
        check (whitelist::inet[] is not null or whitelist is null),
    rate_per_minute integer not null default 600
        check (rate_per_minute > 0),
    burst integer not null default 60
        check (burst > 0),
    cipher_key bytea,
    cipher_fingerprint text,
    enabled boolean not null default true,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used timestamptz,
    created_at timestamptz not null default now(),
    primary key (company, id),
    unique (hash),
    unique (id)
) with (fillfactor = 80);

-- ref is a JID, or the id of a company
create table ezw.api_key_object (
    company uuid not null,
    api_key uuid not null,
    type text not null
        check (type in ('CHANNEL', 'ASSISTANT', 'COMPANY')),
    ref text collate "C" not null,
    primary key (company, api_key, type, ref),
    foreign key (company, api_key) references ezw.api_key (company, id)
        on delete cascade
);

-- a key is one assistant at most: key_principal
create unique index api_key_object_assistant on ezw.api_key_object (company, api_key)
where type = 'ASSISTANT';

create function ezw.api_key_note()
returns trigger
language plpgsql
as $$
begin
    if tg_op <> 'INSERT' then
        perform ezw.change_add('key', old.company, encode(old.hash, 'hex'));
    end if;

    if tg_op = 'INSERT' or (tg_op = 'UPDATE' and new.hash <> old.hash) then
        perform ezw.change_add('key', new.company, encode(new.hash, 'hex'));
    end if;

    return null;
end
$$;

create constraint trigger change_note
after insert or delete on ezw.api_key
deferrable initially deferred
for each row
execute function ezw.api_key_note();

-- all that a principal is made of; not last_used
create constraint trigger change_note_update
after update on ezw.api_key
deferrable initially deferred
for each row
when (
    row (old.company, old.hash, old.scope, old.description, old.whitelist, old.rate_per_minute, old.burst,
        old.cipher_key, old.cipher_fingerprint, old.enabled, old.expires_at, old.revoked_at)
    is distinct from
    row (new.company, new.hash, new.scope, new.description, new.whitelist, new.rate_per_minute, new.burst,
        new.cipher_key, new.cipher_fingerprint, new.enabled, new.expires_at, new.revoked_at)
)
execute function ezw.api_key_note();

create function ezw.api_key_object_note()
returns trigger
language plpgsql
as $$
declare
    l_row ezw.api_key_object := coalesce(new, old);
begin
    perform ezw.change_add('key', k.company, encode(k.hash, 'hex'))
    from ezw.api_key k
    where k.company = l_row.company
      and k.id = l_row.api_key;

    return null;
end
$$;

create constraint trigger change_note
after insert or update or delete on ezw.api_key_object
deferrable initially deferred
for each row
execute function ezw.api_key_object_note();

-- A key's objects as they stand on the wire; null for a key that is not.
create function ezw.key_objects(a_company uuid, a_key uuid)
returns json
language sql
stable
as $$
    select ('[' || coalesce(string_agg(
        case
            when o.type = 'COMPANY' then row_to_json(i)::text
            else row_to_json(j)::text
        end,
        ',' order by o.type, o.ref
    ), '') || ']')::json
    from ezw.api_key_object o
    cross join lateral (select o.ref as id, o.type) i
    cross join lateral (select o.ref as jid, o.type) j
    where o.company = a_company
      and o.api_key = a_key
$$;


create table ezw.template (
    company uuid not null,
    channel uuid not null,
    name text not null,
    language text not null,
    category text not null,
    components json not null,
    status text not null default 'PENDING',
    rejected_reason text not null default 'NONE',
    provider_id text collate "C",
    created_at timestamptz not null default now(),
    updated_at timestamptz,
    primary key (company, channel, name, language),
    foreign key (company, channel) references ezw.channel (company, id)
);

create table ezw.profile (
    company uuid not null,
    channel uuid not null,
    about text,
    address text,
    description text,
    email text,
    vertical text,
    websites text[] not null default '{}',
    picture_url text,
    updated_at timestamptz not null default now(),
    primary key (company, channel),
    foreign key (company, channel) references ezw.channel (company, id)
);

-- a type that has no row is off and empty
create table ezw.automated_message (
    company uuid not null,
    channel uuid not null,
    type text not null
        check (type in ('AWAY', 'GREETING')),
    body text not null default '',
    enabled boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz,
    primary key (company, channel, type),
    foreign key (company, channel) references ezw.channel (company, id),
    check (body <> '' or not enabled)
);

-- secret and cipher_key are encrypted by the module
create table ezw.webhook (
    company uuid not null,
    id uuid not null,
    channel uuid not null,
    url text not null,
    events text[] not null check (cardinality(events) > 0),
    headers json,
    assistant text collate "C",
    enabled boolean not null default true,
    secret bytea not null,
    secret_old bytea,
    cipher_key bytea,
    cipher_fingerprint text,
    created_at timestamptz not null default now(),
    updated_at timestamptz,
    primary key (company, id),
    foreign key (company, channel) references ezw.channel (company, id),
    foreign key (company, assistant) references ezw.assistant (company, jid)
);

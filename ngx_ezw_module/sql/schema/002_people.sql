-- People and what acts like them: users, memberships, sessions, teams,
-- assistants; and a company's billing.

-- A user is one for the whole deployment and found by e-mail.
create table ezw.app_user (
    id uuid primary key,
    email text collate "C" not null check (email = lower(email)),
    password_hash text,
    full_name text,
    first_name text,
    last_name text,
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    unique (email)
);

-- agent is the local part of the agent's JID in this company; version is what
-- an ID token was issued for (DECISIONS 18).
create table ezw.membership (
    company uuid not null references ezw.company (id),
    user_id uuid not null references ezw.app_user (id),
    agent uuid not null default gen_random_uuid(),
    role text not null
        check (role in ('owner', 'admin', 'operator')),
    status text not null default 'active'
        check (status in ('active', 'invited', 'disabled')),
    version integer not null default 1,
    can_view boolean not null default true,
    can_send boolean not null default true,
    invite_hash bytea,
    invite_expires_at timestamptz,
    invited_at timestamptz not null default now(),
    last_seen_at timestamptz,
    primary key (company, user_id),
    unique (company, agent),
    check (can_view or not can_send)
);

create constraint trigger change_note
after insert or delete on ezw.membership
deferrable initially deferred
for each row
execute function ezw.change_note('member', 'user_id');

create constraint trigger change_note_update
after update on ezw.membership
deferrable initially deferred
for each row
when (
    row (old.role, old.status, old.version, old.can_view, old.can_send)
    is distinct from
    row (new.role, new.status, new.version, new.can_view, new.can_send)
)
execute function ezw.change_note('member', 'user_id');

-- A session is one refresh token of a family; a spent one that comes again
-- ends the family.
create table ezw.session (
    company uuid not null,
    id uuid not null,
    user_id uuid not null,
    family uuid not null,
    refresh_hash bytea not null,
    address text,
    user_agent text,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    spent_at timestamptz,
    revoked_at timestamptz,
    primary key (company, id),
    unique (refresh_hash),
    foreign key (company, user_id) references ezw.membership (company, user_id)
);

create constraint trigger change_note
after insert or delete on ezw.session
deferrable initially deferred
for each row
execute function ezw.change_note('session', 'id');

create constraint trigger change_note_update
after update on ezw.session
deferrable initially deferred
for each row
when (
    row (old.expires_at, old.revoked_at, old.company)
    is distinct from
    row (new.expires_at, new.revoked_at, new.company)
)
execute function ezw.change_note('session', 'id');


create table ezw.team (
    company uuid not null references ezw.company (id),
    jid text collate "C" not null,
    name text not null,
    color integer not null default 8
        check (color between 0 and 20),
    reference text,
    metadata json,
    created_at timestamptz not null default now(),
    primary key (company, jid)
);

-- a name is taken whatever its case
create unique index team_name on ezw.team (company, lower(name));

create table ezw.team_member (
    company uuid not null,
    team text collate "C" not null,
    user_id uuid not null,
    primary key (company, team, user_id),
    foreign key (company, team) references ezw.team (company, jid)
        on delete cascade,
    foreign key (company, user_id) references ezw.membership (company, user_id)
);


create table ezw.assistant (
    company uuid not null references ezw.company (id),
    jid text collate "C" not null,
    name text not null,
    description text,
    color integer not null default 8
        check (color between 0 and 20),
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    primary key (company, jid)
);

create constraint trigger change_note
after insert or delete on ezw.assistant
deferrable initially deferred
for each row
execute function ezw.change_note('assistant', 'jid');

create constraint trigger change_note_update
after update on ezw.assistant
deferrable initially deferred
for each row
when (old.enabled is distinct from new.enabled)
execute function ezw.change_note('assistant', 'jid');


create table ezw.billing (
    company uuid primary key references ezw.company (id),
    state text not null default 'active'
        check (state in ('pending', 'active', 'past_due', 'restricted', 'canceled')),
    line_slots integer not null default 1,
    seats integer not null default 1,
    grace_ends_at timestamptz,
    provider text not null default 'none',
    provider_customer text,
    checkout_url text,
    checkout_session text,
    checkout_expires_at timestamptz,
    updated_at timestamptz not null default now()
);

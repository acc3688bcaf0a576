-- Contacts, conversations, messages, and what hangs on them.
--
-- What refers to a contact or a conversation of the hot tables (message,
-- outbox, event, delivery) has no foreign key: a send would pay for each.
-- ezw.contact_erase knows them all.

-- channel_jid is a copy of the channel's that a trigger makes, so that a
-- look-up by JIDs reads one row of one table.
create table ezw.contact (
    company uuid not null,
    id uuid not null,
    channel uuid not null,
    channel_jid text collate "C" not null,
    jid text collate "C" not null,
    phone_number int8,
    type text not null default 'INDIVIDUAL'
        check (type in ('INDIVIDUAL', 'GROUP', 'LIST')),
    full_name text,
    first_name text,
    last_name text,
    reference text,
    remarks text,
    metadata json not null default '{}',
    noted boolean not null default false,
    created_at timestamptz not null default now(),
    primary key (company, id),
    unique (company, channel_jid, jid),
    foreign key (company, channel) references ezw.channel (company, id),
    foreign key (channel_jid) references ezw.channel (jid) on update cascade
);

create function ezw.contact_channel_jid()
returns trigger
language plpgsql
as $$
begin
    select h.jid
    into new.channel_jid
    from ezw.channel h
    where h.company = new.company
      and h.id = new.channel;

    return new;
end
$$;

create trigger channel_jid
before insert on ezw.contact
for each row
execute function ezw.contact_channel_jid();

-- Other names of a contact: the platform's, and JIDs that it had before.
create table ezw.contact_alias (
    company uuid not null,
    channel uuid not null,
    kind text not null
        check (kind in ('phone', 'bsuid', 'parent_bsuid', 'lid', 'jid')),
    value text collate "C" not null,
    contact uuid not null,
    created_at timestamptz not null default now(),
    primary key (company, channel, kind, value),
    foreign key (company, contact) references ezw.contact (company, id)
);

-- contact_erase
create index contact_alias_contact on ezw.contact_alias (company, contact);

-- Who is blocked, whether a contact or not. hash is ezw.block_hash of the
-- JID; an erased contact's row keeps that only. dropped counts what came in.
-- A conversation knows that its contact is blocked (007).
create table ezw.block (
    company uuid not null,
    channel uuid not null,
    hash bytea not null,
    jid text collate "C",
    dropped int8 not null default 0,
    dropped_at timestamptz,
    created_by text,
    created_at timestamptz not null default now(),
    primary key (company, channel, hash),
    foreign key (company, channel) references ezw.channel (company, id)
);

-- contact.noted: a contact without notes need not be asked for them.
create table ezw.contact_note (
    company uuid not null,
    contact uuid not null,
    id uuid not null,
    body text not null,
    created_by text not null,
    is_pinned boolean not null default false,
    is_read_only boolean not null default false,
    reference_id text,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz,
    primary key (company, contact, id),
    foreign key (company, contact) references ezw.contact (company, id)
);

create function ezw.contact_note_noted()
returns trigger
language plpgsql
as $$
begin
    update ezw.contact c
    set noted = true
    where c.company = new.company
      and c.id = new.contact
      and not c.noted;

    return new;
end
$$;

create trigger noted
before insert on ezw.contact_note
for each row
execute function ezw.contact_note_noted();

create table ezw.list (
    company uuid not null,
    jid text collate "C" not null,
    channel uuid not null,
    full_name text not null,
    reference text,
    remarks text,
    metadata json not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    primary key (company, jid),
    foreign key (company, channel) references ezw.channel (company, id)
);

create table ezw.list_participant (
    company uuid not null,
    list text collate "C" not null,
    contact uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (company, list, contact),
    foreign key (company, list) references ezw.list (company, jid)
        on delete cascade,
    foreign key (company, contact) references ezw.contact (company, id)
);

-- contact_erase
create index list_participant_contact on ezw.list_participant (company, contact);


-- One for each contact (and a contact is of one channel), there from its first
-- message on: created_at and last_message_at bound the messages' times.
-- last_seq numbers them under the row's lock; last_id is the greatest id sent
-- to it: a greater one cannot have been here before. was_assigned tells "never
-- assigned" from "handed back to the pool" (DECISIONS 11); unread_count: null
-- is read, 0 is marked unread. contact_jid and blocked are copies that
-- triggers keep, so that a send finds all that it must know in two rows.
-- No index on what a message changes: those updates stay HOT. No check
-- constraints here nor on message: an insert or update would parse them anew
-- each time (a send took a third longer); the functions are the only writers.
create table ezw.conversation (
    company uuid not null,
    id uuid not null,
    channel uuid not null,
    contact uuid not null,
    contact_jid text collate "C" not null,
    blocked boolean not null default false,
    status text not null default 'OPEN',
    version integer not null default 1,
    assignee_user uuid,
    assignee_assistant text collate "C",
    was_assigned boolean not null default false,
    team text collate "C",
    unread_count integer,
    messages_received integer not null default 0,
    messages_sent integer not null default 0,
    last_seq int8 not null default 0,
    last_id bytea not null default '',
    last_message_at timestamptz not null,
    last_message_received_at timestamptz,
    last_message_sent_at timestamptz,
    created_at timestamptz not null,
    primary key (company, id),
    unique (company, channel, contact_jid)
) with (fillfactor = 85);

create table ezw.label (
    company uuid not null references ezw.company (id),
    jid text collate "C" not null,
    name text not null,
    description text,
    color integer not null default 8
        check (color between 0 and 20),
    priority integer,
    created_at timestamptz not null default now(),
    primary key (company, jid)
);

-- a name is taken whatever its case
create unique index label_name on ezw.label (company, lower(name));

create table ezw.conversation_label (
    company uuid not null,
    conversation uuid not null,
    label text collate "C" not null,
    primary key (company, conversation, label)
);

-- id begins with its time, so the primary key is the order of creation
create table ezw.comment (
    company uuid not null,
    conversation uuid not null,
    id bytea not null check (length(id) = 20),
    body text not null,
    created_by text not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (company, conversation, id)
);


-- By month of created_at; partitions, and a unique index on (company, id) in
-- each of them, are made by ezw.partitions_ensure. sender_id: an agent's
-- e-mail, an assistant's JID, {keyId}@key.…; null for the contact itself.
-- The states and when each was reached; created_at is when it was queued.
create table ezw.message (
    company uuid not null,
    conversation uuid not null,
    created_at timestamptz not null,
    seq int8 not null,
    id bytea not null,
    direction text not null,
    sender_type text not null,
    sender_id text,
    type text not null,
    status text not null,
    body json not null,
    provider_id text collate "C",
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    played_at timestamptz,
    failed_at timestamptz,
    error_code integer,
    error_text text,
    primary key (company, conversation, created_at, seq)
) partition by range (created_at);

-- What the platform calls a message, for 30 days: nothing comes in twice.
-- message is null for what was dropped because its sender is blocked.
create table ezw.provider_message (
    company uuid not null,
    channel uuid not null,
    provider_id text collate "C" not null,
    message bytea,
    created_at timestamptz not null default now(),
    primary key (company, channel, provider_id)
);

-- sweep
create index provider_message_created_at on ezw.provider_message (created_at);

create table ezw.attachment (
    company uuid not null,
    id uuid not null,
    conversation uuid not null,
    message bytea not null,
    state text not null default 'pending'
        check (state in ('pending', 'stored', 'failed', 'purged')),
    mime_type text,
    size_bytes int8,
    file_name text,
    sha256 bytea,
    provider_id text collate "C",
    created_at timestamptz not null default clock_timestamp(),
    primary key (company, id)
);

-- contact_erase
create index attachment_conversation on ezw.attachment (company, conversation);

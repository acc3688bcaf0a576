-- What is done to a contact beside its own fields: blocked, noted, commented
-- on, put on a list, told of by an event of the caller's own.

-- blacklist_list
create index block_listed on ezw.block (company, channel, created_at, jid)
where jid is not null;

-- contact_list
create index contact_listed on ezw.contact (company, channel, created_at, id);

-- conversation_list
create index conversation_listed on ezw.conversation (company, channel, created_at, id);

-- note_list, contact_notes: two ids of one millisecond are in no order
create index contact_note_listed on ezw.contact_note (company, contact, created_at, id);

-- id is its request's, by which that is known when it comes again;
-- participants counts them, whoever writes or deletes one.
alter table ezw.list
    add column id uuid not null default gen_random_uuid(),
    add column participants integer not null default 0,
    add unique (company, id);

update ezw.list l
set participants = (
    select count(*)
    from ezw.list_participant p
    where p.company = l.company
      and p.list = l.jid
);

-- list_list
create index list_listed on ezw.list (company, channel, created_at, jid);

-- By the statement, not by the row: a list's row that is updated many times in
-- one transaction is found more slowly each time.
create function ezw.list_participant_note()
returns trigger
language plpgsql
as $$
begin
    update ezw.list l
    set participants = l.participants + l_row.n
    from (
        select
            r.company,
            r.list,
            case when tg_op = 'INSERT' then count(*) else -count(*) end as n
        from l_rows r
        group by r.company, r.list
    ) l_row
    where l.company = l_row.company
      and l.jid = l_row.list;

    return null;
end
$$;

create trigger note_insert
after insert on ezw.list_participant
referencing new table as l_rows
for each statement
execute function ezw.list_participant_note();

create trigger note_delete
after delete on ezw.list_participant
referencing old table as l_rows
for each statement
execute function ezw.list_participant_note();


-- An event of a contact, with its conversation where there is one. a_id is
-- the id of what is told or of the request that tells it, or null: it carries
-- the event's time, and ezw.contact_event_exists knows it again.
create function ezw.contact_event(a_company uuid, a_channel uuid, a_held ezw.held, a_kind text, a_id bytea,
    a_payload json)
returns void
language plpgsql
as $$
begin
    insert into ezw.event (
        company,
        created_at,
        kind,
        channel,
        contact,
        conversation,
        message,
        version,
        payload
    )
    values (
        a_company,
        coalesce(ezw.message_time(a_id), clock_timestamp()),
        a_kind,
        a_channel,
        a_held.contact,
        a_held.conversation,
        a_id,
        (
            select v.version
            from ezw.conversation v
            where v.company = a_company
              and v.id = a_held.conversation
        ),
        a_payload
    );
end
$$;

create function ezw.contact_event_exists(a_company uuid, a_id bytea)
returns boolean
language plpgsql
stable
as $$
declare
    l_at timestamptz := ezw.message_time(a_id);
begin
    return exists (
        select
        from ezw.event e
        where e.company = a_company
          and e.created_at = l_at
          and e.message = a_id
    );
end
$$;


-- Keeps conversation.blocked, whoever writes the list. Who has the
-- conversation does not wait for contact_lock: whoever has that may wait for
-- the conversation.
create or replace function ezw.block_note()
returns trigger
language plpgsql
as $$
begin
    if tg_when = 'BEFORE' then
        if new.jid is not null then
            new.hash := ezw.block_hash(new.jid);

            perform
            from ezw.conversation v
            where v.company = new.company
              and v.channel = new.channel
              and v.contact_jid = new.jid
            for no key update;

            if not found then
                perform ezw.contact_lock(new.channel, new.jid);
            end if;
        end if;

        return new;
    end if;

    update ezw.conversation v
    set blocked = (tg_op = 'INSERT')
    where v.company = coalesce(new.company, old.company)
      and v.channel = coalesce(new.channel, old.channel)
      and v.contact_jid = coalesce(new.jid, old.jid);

    return null;
end
$$;

-- What blocking and unblocking leave behind when they have changed something.
-- The audit row has no JID: it outlives the contact.
create function ezw.block_told(a_company uuid, a_channel uuid, a_held ezw.held, a_event_type text, a_audit uuid,
    a_actor text, a_address text, a_trace text)
returns void
language plpgsql
as $$
begin
    if a_held.contact is not null then
        perform ezw.contact_event(a_company, a_channel, a_held, 'contact.updated', null, null);
    end if;

    perform ezw.audit_add(a_company, a_audit, a_event_type, a_actor, 'contact',
        encode(sha256(convert_to(a_held.jid, 'UTF8')), 'hex'), a_address, a_trace, null);
end
$$;

-- Blocks whoever a JID means, a contact or nobody yet, and answers a refusal
-- or null. One who was erased while he was blocked is blocked still: he is
-- only put on the list again.
create function ezw.contact_block(a_company uuid, a_channel text, a_jid text, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_held ezw.held;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return 'not_found';
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    update ezw.block b
    set
        jid = l_held.jid,
        created_by = a_actor,
        created_at = clock_timestamp()
    where b.company = a_company
      and b.channel = l_channel
      and b.hash = ezw.block_hash(l_held.jid)
      and b.jid is null;

    if found then
        return null;
    end if;

    insert into ezw.block (company, channel, hash, jid, created_by, created_at)
    values (a_company, l_channel, ezw.block_hash(l_held.jid), l_held.jid, a_actor, clock_timestamp())
    on conflict do nothing;

    if found then
        perform ezw.block_told(a_company, l_channel, l_held, 'contact.blocked', a_audit, a_actor, a_address,
            a_trace);
    end if;

    return null;
end
$$;

create function ezw.contact_unblock(a_company uuid, a_channel text, a_jid text, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_held ezw.held;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return 'not_found';
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    delete from ezw.block b
    where b.company = a_company
      and b.channel = l_channel
      and b.hash = ezw.block_hash(l_held.jid);

    if found then
        perform ezw.block_told(a_company, l_channel, l_held, 'contact.unblocked', a_audit, a_actor, a_address,
            a_trace);
    end if;

    return null;
end
$$;


-- A contact's newest 100 notes, in the order of their creation.
create or replace function ezw.contact_notes(a_company uuid, a_contact uuid)
returns json
language plpgsql
stable
as $$
begin
    return (
        select ('[' || coalesce(string_agg(row_to_json(w)::text, ',' order by n.created_at, n.id), '') || ']')::json
        from (
            select
                o.id,
                o.body,
                o.created_at,
                o.created_by,
                o.is_pinned,
                o.is_read_only,
                o.updated_at,
                o.reference_id
            from ezw.contact_note o
            where o.company = a_company
              and o.contact = a_contact
            order by o.created_at desc, o.id desc
            limit 100
        ) n
        cross join lateral (
            select
                n.body,
                ezw.ts(n.created_at) as "createdAt",
                n.created_by as "createdBy",
                n.id,
                n.is_pinned as "isPinned",
                n.is_read_only as "isReadOnly",
                ezw.ts(n.updated_at) as "updatedAt",
                n.reference_id as "referenceId"
        ) w
    );
end
$$;

create type ezw.note_answer as (
    refusal text,
    body text,
    created_at timestamptz,
    created_by text,
    id uuid,
    is_pinned boolean,
    is_read_only boolean,
    updated_at timestamptz,
    reference_id text
);

create function ezw.note_answered(a_company uuid, a_contact uuid, a_id uuid)
returns ezw.note_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.note_answer;
begin
    select
        null,
        n.body,
        n.created_at,
        n.created_by,
        n.id,
        n.is_pinned,
        n.is_read_only,
        n.updated_at,
        n.reference_id
    into l_answer
    from ezw.contact_note n
    where n.company = a_company
      and n.contact = a_contact
      and n.id = a_id;

    if not found then
        l_answer.refusal := 'not_found';
    end if;

    return l_answer;
end
$$;

-- A note as its event tells it.
create function ezw.note_json(a_action text, a_note ezw.note_answer)
returns json
language sql
stable
as $$
    select row_to_json(w)
    from (
        select
            a_action as action,
            a_note.body,
            ezw.ts(a_note.created_at) as "createdAt",
            a_note.created_by as "createdBy",
            a_note.id,
            a_note.is_pinned as "isPinned",
            a_note.is_read_only as "isReadOnly",
            ezw.ts(a_note.updated_at) as "updatedAt",
            a_note.reference_id as "referenceId"
    ) w
$$;

create function ezw.note_create(a_company uuid, a_channel text, a_jid text, a_id uuid, a_body text,
    a_is_pinned boolean, a_is_read_only boolean, a_reference_id text, a_actor text)
returns ezw.note_answer
language plpgsql
as $$
declare
    l_answer ezw.note_answer;
    l_channel uuid;
    l_held ezw.held;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    if l_held.contact is null then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    insert into ezw.contact_note (
        company,
        contact,
        id,
        body,
        created_by,
        is_pinned,
        is_read_only,
        reference_id
    )
    values (
        a_company,
        l_held.contact,
        a_id,
        a_body,
        a_actor,
        coalesce(a_is_pinned, false),
        coalesce(a_is_read_only, false),
        a_reference_id
    )
    on conflict do nothing;

    if found then
        perform ezw.contact_event(a_company, l_channel, l_held, 'note', null,
            ezw.note_json('CREATED', ezw.note_answered(a_company, l_held.contact, a_id)));
    end if;

    return ezw.note_answered(a_company, l_held.contact, a_id);
end
$$;

-- PATCH: only what really changes is written, and no event tells it.
create function ezw.note_update(a_company uuid, a_channel text, a_jid text, a_id uuid, a_body text,
    a_is_pinned boolean, a_is_read_only boolean, a_has_reference_id boolean, a_reference_id text)
returns ezw.note_answer
language plpgsql
as $$
declare
    l_contact uuid := ezw.contact_find(a_company, a_channel, a_jid);
begin
    update ezw.contact_note n
    set
        body = coalesce(a_body, n.body),
        is_pinned = coalesce(a_is_pinned, n.is_pinned),
        is_read_only = coalesce(a_is_read_only, n.is_read_only),
        reference_id = case when a_has_reference_id then a_reference_id else n.reference_id end,
        updated_at = clock_timestamp()
    where n.company = a_company
      and n.contact = l_contact
      and n.id = a_id
      and (
        n.body <> a_body
        or n.is_pinned <> a_is_pinned
        or n.is_read_only <> a_is_read_only
        or (a_has_reference_id and n.reference_id is distinct from a_reference_id)
      );

    return ezw.note_answered(a_company, l_contact, a_id);
end
$$;

-- Answers a refusal or null. Its event has the request's id, by which that is
-- known when it comes again.
create function ezw.note_delete(a_company uuid, a_channel text, a_jid text, a_id uuid, a_request bytea)
returns text
language plpgsql
as $$
declare
    l_note ezw.note_answer;
    l_channel uuid;
    l_held ezw.held;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return 'not_found';
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);
    l_note := ezw.note_answered(a_company, l_held.contact, a_id);

    delete from ezw.contact_note n
    where n.company = a_company
      and n.contact = l_held.contact
      and n.id = a_id;

    if not found then
        return case when not ezw.contact_event_exists(a_company, a_request) then 'not_found' end;
    end if;

    update ezw.contact c
    set noted = false
    where c.company = a_company
      and c.id = l_held.contact
      and not exists (
        select
        from ezw.contact_note n
        where n.company = a_company
          and n.contact = l_held.contact
      );

    perform ezw.contact_event(a_company, l_channel, l_held, 'note', a_request,
        ezw.note_json('DELETED', l_note));

    return null;
end
$$;


-- A comment on a conversation, which the workspace calls a note of it; answers
-- a refusal or null. a_assistant: the caller's, who must own it (DECISIONS
-- 11).
create function ezw.comment_create(a_company uuid, a_channel text, a_jid text, a_id bytea, a_body text,
    a_assistant text, a_actor text)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_held ezw.held;
    l_owned boolean;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return 'not_found';
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    if l_held.conversation is null then
        return 'not_found';
    end if;

    perform
    from ezw.comment k
    where k.company = a_company
      and k.conversation = l_held.conversation
      and k.id = a_id;

    if found then
        return null;
    end if;

    select
        a_assistant is null
        or v.status <> 'OPEN'
        or not v.was_assigned
        or v.assignee_assistant is not distinct from a_assistant
    into l_owned
    from ezw.conversation v
    where v.company = a_company
      and v.id = l_held.conversation;

    if not l_owned then
        return 'no_ownership';
    end if;

    insert into ezw.comment (company, conversation, id, body, created_by)
    values (a_company, l_held.conversation, a_id, a_body, a_actor);

    perform ezw.contact_event(a_company, l_channel, l_held, 'note.created', null,
        json_build_object('id', encode(a_id, 'hex')));

    return null;
end
$$;


create type ezw.list_answer as (
    refusal text,
    jid text,
    metadata json,
    full_name text,
    reference text,
    remarks text
);

-- A list's JID is the second of its creation, or the next that is free.
create function ezw.list_create(a_company uuid, a_channel text, a_id uuid, a_full_name text, a_reference text,
    a_remarks text, a_metadata json)
returns ezw.list_answer
language plpgsql
as $$
declare
    l_answer ezw.list_answer;
    l_channel uuid;
    l_stamp int8 := extract(epoch from clock_timestamp())::int8;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    while not exists (
        select
        from ezw.list l
        where l.company = a_company
          and l.id = a_id
    ) loop
        insert into ezw.list (company, jid, channel, id, full_name, reference, remarks, metadata)
        values (
            a_company,
            l_stamp || '@list' || regexp_replace(a_channel, '^[^@]*@[^.]*', ''),
            l_channel,
            a_id,
            a_full_name,
            a_reference,
            a_remarks,
            coalesce(a_metadata, '{}')
        )
        on conflict do nothing;

        l_stamp := l_stamp + 1;
    end loop;

    select
        null,
        l.jid,
        l.metadata,
        l.full_name,
        l.reference,
        l.remarks
    into l_answer
    from ezw.list l
    where l.company = a_company
      and l.id = a_id;

    return l_answer;
end
$$;

-- Puts a contact on a list and answers a refusal or null. A list's members
-- are read in one answer, so there is an end to them.
create function ezw.list_participant_add(a_company uuid, a_channel text, a_list text, a_jid text)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_held ezw.held;
    l_participants integer;
begin
    select
        h.id,
        l.participants
    into
        l_channel,
        l_participants
    from ezw.channel h
    join ezw.list l
      on l.company = h.company
     and l.channel = h.id
     and l.jid = a_list
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return 'not_found';
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    if l_held.contact is null then
        return 'not_found';
    end if;

    if l_participants >= 100000 and not exists (
        select
        from ezw.list_participant p
        where p.company = a_company
          and p.list = a_list
          and p.contact = l_held.contact
    ) then
        return 'list_full';
    end if;

    insert into ezw.list_participant (company, list, contact)
    values (a_company, a_list, l_held.contact)
    on conflict do nothing;

    return null;
end
$$;

create function ezw.list_participant_remove(a_company uuid, a_channel text, a_list text, a_jid text)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_held ezw.held;
begin
    select h.id
    into l_channel
    from ezw.channel h
    join ezw.list l
      on l.company = h.company
     and l.channel = h.id
     and l.jid = a_list
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return 'not_found';
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    if l_held.contact is null then
        return 'not_found';
    end if;

    delete from ezw.list_participant p
    where p.company = a_company
      and p.list = a_list
      and p.contact = l_held.contact;

    return null;
end
$$;


-- An event of the caller's own about a contact. a_id is the event's; answers
-- a refusal or null.
create function ezw.custom_event_create(a_company uuid, a_channel text, a_jid text, a_id bytea, a_name text,
    a_data json)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_held ezw.held;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return 'not_found';
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    if l_held.contact is null then
        return 'not_found';
    end if;

    if not ezw.contact_event_exists(a_company, a_id) then
        perform ezw.contact_event(a_company, l_channel, l_held, 'custom', a_id,
            json_build_object('name', a_name, 'data', a_data));
    end if;

    return null;
end
$$;


revoke all on all functions in schema ezw from public;

grant execute on function
    ezw.block_told,
    ezw.comment_create,
    ezw.contact_block,
    ezw.contact_event,
    ezw.contact_event_exists,
    ezw.contact_unblock,
    ezw.custom_event_create,
    ezw.list_create,
    ezw.list_participant_add,
    ezw.list_participant_note,
    ezw.list_participant_remove,
    ezw.note_answered,
    ezw.note_create,
    ezw.note_delete,
    ezw.note_json,
    ezw.note_update
to ezw_runtime;

grant insert on
    ezw.comment,
    ezw.list,
    ezw.list_participant
to ezw_runtime;

grant insert, update on ezw.contact_note to ezw_runtime;
grant update (participants) on ezw.list to ezw_runtime;

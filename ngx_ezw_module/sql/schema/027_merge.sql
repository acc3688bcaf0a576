-- Contacts that turn out to be one person become one (DECISIONS 2).

-- Where the end of a conversation's messages is: those before it are purged.
alter table ezw.conversation add column purged_to timestamptz;

-- A conversation of which the messages are being moved into another one, and
-- what was moved: a message's seq there is its seq here and seq_offset. What
-- is too much for one transaction upkeep moves; done_at: all of it is there.
-- The row stays for a while, so that a courier that had claimed a command
-- before finds it again.
create table ezw.conversation_merge (
    company uuid not null,
    conversation uuid not null,
    contact uuid not null,
    into_conversation uuid not null,
    into_contact uuid not null,
    seq_offset int8 not null,
    created_at timestamptz not null default clock_timestamp(),
    done_at timestamptz,
    primary key (company, conversation)
);

-- contact_merge, contact_erase
create index conversation_merge_into on ezw.conversation_merge (company, into_contact);

-- merge_next
create index conversation_merge_left on ezw.conversation_merge (created_at)
where done_at is null;

-- merge_next
create index conversation_merge_done on ezw.conversation_merge (done_at)
where done_at is not null;

-- What hangs on a contact may outlive it for a moment, while it is taken away
-- or moved in steps; that it was there at the beginning this sees to.
alter table ezw.contact_note drop constraint contact_note_company_contact_fkey;
alter table ezw.list_participant drop constraint list_participant_company_contact_fkey;

create function ezw.contact_there()
returns trigger
language plpgsql
as $$
begin
    perform
    from ezw.contact c
    where c.company = new.company
      and c.id = new.contact
    for key share;

    if not found then
        raise exception 'there is no such contact'
            using errcode = 'foreign_key_violation';
    end if;

    return new;
end
$$;

create trigger contact_there
before insert on ezw.contact_note
for each row
execute function ezw.contact_there();

create trigger contact_there
before insert on ezw.list_participant
for each row
execute function ezw.contact_there();

-- The metadata of two contacts that are one: a_into's names win, and it stays
-- as it is where both together were past what a contact may have.
create function ezw.metadata_merge(a_into json, a_from json)
returns json
language sql
immutable
as $$
    select case
        when w.names <= 50 and octet_length(w.whole::text) <= 4096 then w.whole
        else a_into
    end
    from (
        select
            count(*) as names,
            ('{' || coalesce(
                string_agg(to_json(n.key)::text || ':' || n.value::text, ',' order by n.place), ''
            ) || '}')::json as whole
        from (
            select
                i.key,
                i.value,
                row_number() over () as place
            from json_each(a_into) i
            union all
            select
                f.key,
                f.value,
                1000 + row_number() over ()
            from json_each(a_from) f
            where a_into -> f.key is null
        ) n
    ) w
$$;

-- Makes one contact of two: a_from's goes into a_into, which keeps its JID and
-- what is known of it; a_from's JID goes on to answer. The caller has locked
-- both and their conversations. Messages move in the same transaction, the
-- newest 1,000 and all that wait to be sent at least; ezw.merge_step moves the
-- rest. A moved message's seq is greater than any that was there, so commands
-- in the outbox keep their order; messages are in the order of created_at.
create function ezw.contact_merge(a_company uuid, a_channel uuid, a_into uuid, a_from uuid)
returns void
language plpgsql
as $$
declare
    l_jid text;
    l_from_jid text;
    l_into uuid;
    l_from uuid;
    l_offset int8;
    l_version integer;
begin
    select
        c.jid,
        v.id,
        v.last_seq
    into
        l_jid,
        l_into,
        l_offset
    from ezw.contact c
    left join ezw.conversation v
      on v.company = c.company
     and v.channel = c.channel
     and v.contact_jid = c.jid
    where c.company = a_company
      and c.id = a_into;

    select
        c.jid,
        v.id
    into
        l_from_jid,
        l_from
    from ezw.contact c
    left join ezw.conversation v
      on v.company = c.company
     and v.channel = c.channel
     and v.contact_jid = c.jid
    where c.company = a_company
      and c.id = a_from;

    update ezw.contact_alias a
    set contact = a_into
    where a.company = a_company
      and a.contact = a_from;

    perform ezw.contact_aliases_bind(a_company, a_channel, a_into,
        json_build_array(json_build_object('kind', 'jid', 'value', l_from_jid)));

    insert into ezw.list_participant (company, list, contact, created_at)
    select
        p.company,
        p.list,
        a_into,
        p.created_at
    from ezw.list_participant p
    where p.company = a_company
      and p.contact = a_from
    on conflict do nothing;

    delete from ezw.list_participant p
    where p.company = a_company
      and p.contact = a_from;

    update ezw.contact c
    set
        full_name = coalesce(c.full_name, f.full_name),
        first_name = case when c.full_name is null then f.first_name else c.first_name end,
        last_name = case when c.full_name is null then f.last_name else c.last_name end,
        reference = coalesce(c.reference, f.reference),
        remarks = coalesce(c.remarks, f.remarks),
        metadata = ezw.metadata_merge(c.metadata, f.metadata),
        noted = c.noted or f.noted,
        created_at = least(c.created_at, f.created_at)
    from ezw.contact f
    where c.company = a_company
      and c.id = a_into
      and f.company = a_company
      and f.id = a_from;

    -- what an earlier merge has left to move goes where this one goes
    update ezw.conversation_merge g
    set
        into_contact = a_into,
        into_conversation = coalesce(l_into, g.into_conversation),
        seq_offset = g.seq_offset + case when g.into_conversation = l_from then coalesce(l_offset, 0) else 0 end
    where g.company = a_company
      and g.into_contact = a_from;

    if l_from is not null and l_into is null then
        update ezw.conversation v
        set
            contact = a_into,
            contact_jid = l_jid,
            version = v.version + 1
        where v.company = a_company
          and v.id = l_from
        returning v.version into l_version;
    elsif l_from is not null then
        l_version := ezw.conversation_absorb(a_company, l_into, l_from);
    end if;

    insert into ezw.conversation_merge (company, conversation, contact, into_conversation, into_contact,
        seq_offset)
    values (
        a_company,
        coalesce(l_from, a_from),
        a_from,
        coalesce(l_into, l_from, a_into),
        a_into,
        case when l_into is null then 0 else l_offset end
    );

    delete from ezw.contact c
    where c.company = a_company
      and c.id = a_from;

    perform ezw.block_move(a_company, a_channel, l_from_jid, l_jid);
    perform ezw.merge_step(a_company, coalesce(l_from, a_from), 4000);

    insert into ezw.event (company, contact, kind, channel, conversation, version)
    select
        a_company,
        a_into,
        w.kind,
        a_channel,
        w.conversation,
        l_version
    from (
        values
            (1, 'contact.updated', coalesce(l_into, l_from)),
            (2, 'conversation.updated', coalesce(l_into, l_from)),
            (3, 'conversation.updated', case when l_into is not null then l_from end)
    ) w (place, kind, conversation)
    where w.conversation is not null
       or w.kind = 'contact.updated'
    order by w.place;
end
$$;

-- What is told of a conversation that goes into another one: counts, times,
-- labels, commands that wait; its row goes. It is open if one of the two was,
-- and its owner is the open one's. Answers the new version.
create function ezw.conversation_absorb(a_company uuid, a_into uuid, a_from uuid)
returns integer
language plpgsql
as $$
declare
    l_offset int8;
    l_version integer;
    l_at timestamptz;
    l_seq int8;
begin
    select v.last_seq
    into l_offset
    from ezw.conversation v
    where v.company = a_company
      and v.id = a_into;

    update ezw.conversation v
    set
        blocked = v.blocked or f.blocked,
        status = case when f.status = 'OPEN' then f.status else v.status end,
        version = v.version + 1,
        assignee_user = case when w.owner then f.assignee_user else v.assignee_user end,
        assignee_assistant = case when w.owner then f.assignee_assistant else v.assignee_assistant end,
        was_assigned = v.was_assigned or f.was_assigned,
        team = case when w.owner then coalesce(f.team, v.team) else coalesce(v.team, f.team) end,
        unread_count = case
            when v.unread_count is null then f.unread_count
            else v.unread_count + coalesce(f.unread_count, 0)
        end,
        messages_received = v.messages_received + f.messages_received,
        messages_sent = v.messages_sent + f.messages_sent,
        last_seq = v.last_seq + f.last_seq,
        last_id = greatest(v.last_id, f.last_id),
        away_at = greatest(v.away_at, f.away_at),
        last_message_at = greatest(v.last_message_at, f.last_message_at),
        last_message_received_at = greatest(v.last_message_received_at, f.last_message_received_at),
        last_message_sent_at = greatest(v.last_message_sent_at, f.last_message_sent_at),
        purged_to = case
            when coalesce(v.purged_to, f.purged_to) is not null
            then least(coalesce(v.purged_to, v.created_at), coalesce(f.purged_to, f.created_at))
        end,
        created_at = least(v.created_at, f.created_at)
    from ezw.conversation f
    cross join lateral (
        select exists (
            select
            from ezw.conversation o
            where o.company = a_company
              and o.id = a_into
              and (
                (o.status <> 'OPEN' and f.status = 'OPEN')
                or (o.status = f.status and coalesce(o.assignee_user::text, o.assignee_assistant) is null)
              )
        ) as owner
    ) w
    where v.company = a_company
      and v.id = a_into
      and f.company = a_company
      and f.id = a_from
    returning v.version into l_version;

    insert into ezw.conversation_label (company, conversation, label)
    select
        l.company,
        a_into,
        l.label
    from ezw.conversation_label l
    where l.company = a_company
      and l.conversation = a_from
    on conflict do nothing;

    delete from ezw.conversation_label l
    where l.company = a_company
      and l.conversation = a_from;

    -- what waits to be sent, and its messages
    for l_seq, l_at in
        update ezw.outbox o
        set
            conversation = a_into,
            seq = o.seq + l_offset
        where o.company = a_company
          and o.conversation = a_from
        returning
            o.seq - l_offset,
            o.message_at
    loop
        perform ezw.message_move(a_company, a_from, l_at, l_seq, a_into, l_offset);
    end loop;

    delete from ezw.conversation v
    where v.company = a_company
      and v.id = a_from;

    return l_version;
end
$$;

revoke all on function ezw.contact_there() from public;
revoke all on function ezw.metadata_merge(json, json) from public;
revoke all on function ezw.contact_merge(uuid, uuid, uuid, uuid) from public;
revoke all on function ezw.conversation_absorb(uuid, uuid, uuid) from public;
grant execute on function ezw.contact_there() to ezw_runtime;
grant execute on function ezw.metadata_merge(json, json) to ezw_runtime;
grant execute on function ezw.contact_merge(uuid, uuid, uuid, uuid) to ezw_runtime;
grant execute on function ezw.conversation_absorb(uuid, uuid, uuid) to ezw_runtime;
grant select, insert, update, delete on ezw.conversation_merge to ezw_runtime;
grant insert, update on ezw.list_participant to ezw_runtime;
grant update on
    ezw.attachment,
    ezw.comment,
    ezw.contact_note,
    ezw.delivery,
    ezw.event
to ezw_runtime;

-- What the platform tells: the states of our messages, and messages.

-- A state that the platform tells of a message of ours; none goes back, and
-- FAILED is the end unless the message had arrived.
create function ezw.message_status(a_company uuid, a_channel text, a_id bytea, a_status text,
    a_provider_id text, a_error_code integer, a_error_text text)
returns table (refusal text, changed boolean)
language plpgsql
as $$
#variable_conflict use_column
declare
    l_from timestamptz := ezw.message_time(a_id) - interval '1 day';
    l_ranks text[] := array['QUEUED', 'SENT', 'DELIVERED', 'READ', 'PLAYED'];
    l_at timestamptz := clock_timestamp();
    l_channel uuid;
    l_conversation uuid;
    l_version integer;
    l_created_at timestamptz;
    l_seq int8;
    l_status text;
    l_provider_id text;
begin
    -- by itself: beside a join a planner without statistics begins elsewhere,
    -- and reads every message of the company
    select
        m.conversation,
        m.created_at,
        m.seq,
        m.status,
        m.provider_id
    into
        l_conversation,
        l_created_at,
        l_seq,
        l_status,
        l_provider_id
    from ezw.message m
    where m.company = a_company
      and m.id = a_id
      and m.created_at >= l_from
      and m.direction = 'OUT'
    for no key update;

    if found then
        select
            h.id,
                v.version
        into
            l_channel,
                l_version
        from ezw.conversation v
        join ezw.channel h
          on h.company = v.company
         and h.id = v.channel
         and h.jid = a_channel
        where v.company = a_company
          and v.id = l_conversation;
    end if;

    if not found then
        return query values ('not_found', false);
        return;
    end if;

    if a_provider_id is not null and l_provider_id is null then
        update ezw.message m
        set provider_id = a_provider_id
        where m.company = a_company
          and m.conversation = l_conversation
          and m.created_at = l_created_at
          and m.seq = l_seq;

        insert into ezw.provider_message (company, channel, provider_id, message)
        values (a_company, l_channel, a_provider_id, a_id)
        on conflict do nothing;
    end if;

    if l_status = 'FAILED'
        or (a_status = 'FAILED' and l_status not in ('QUEUED', 'SENT'))
        or array_position(l_ranks, a_status) <= array_position(l_ranks, l_status)
    then
        return query values (null::text, false);
        return;
    end if;

    update ezw.message m
    set
        status = a_status,
        sent_at = case when a_status = 'SENT' then l_at else m.sent_at end,
        delivered_at = case when a_status = 'DELIVERED' then l_at else m.delivered_at end,
        read_at = case when a_status = 'READ' then l_at else m.read_at end,
        played_at = case when a_status = 'PLAYED' then l_at else m.played_at end,
        failed_at = case when a_status = 'FAILED' then l_at else m.failed_at end,
        error_code = case when a_status = 'FAILED' then a_error_code end,
        error_text = case when a_status = 'FAILED' then a_error_text end
    where m.company = a_company
      and m.conversation = l_conversation
      and m.created_at = l_created_at
      and m.seq = l_seq;

    insert into ezw.event (company, created_at, kind, channel, conversation, message, version, payload)
    values (
        a_company,
        l_at,
        'receipt',
        l_channel,
        l_conversation,
        a_id,
        l_version,
        json_build_object(
            'status', a_status,
            'error', case
                when a_status = 'FAILED'
                then json_build_object('code', a_error_code, 'message', a_error_text)
            end
        )
    );

    return query values (null::text, true);
end
$$;

-- A message from the platform. The provider's id is written first, because
-- only the write can tell whether it is new.
create function ezw.message_receive(a_company uuid, a_channel text, a_jid text, a_full_name text,
    a_provider_id text, a_id bytea, a_body json, a_type text, a_new_contact uuid, a_new_conversation uuid)
returns table (refusal text, result text, id bytea)
language plpgsql
as $$
#variable_conflict use_column
declare
    l_full_name text := nullif(btrim(a_full_name), '');
    l_at timestamptz;
    l_channel uuid;
    l_held ezw.held;
    l_conversation uuid;
    l_known bytea;
    l_seq int8;
    l_version integer;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return query values ('not_found', null::text, null::bytea);
        return;
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    insert into ezw.provider_message (company, channel, provider_id)
    values (a_company, l_channel, a_provider_id)
    on conflict do nothing;

    if not found then
        select p.message
        into l_known
        from ezw.provider_message p
        where p.company = a_company
          and p.channel = l_channel
          and p.provider_id = a_provider_id;

        return query values (
            null::text,
            case
                when l_known is null then 'BLOCKED'
                when l_known = a_id then 'STORED'
                else 'DUPLICATE'
            end,
            l_known
        );
        return;
    end if;

    if ezw.contact_blocked(a_company, l_channel, l_held.jid) then
        update ezw.block b
        set
            dropped = b.dropped + 1,
            dropped_at = clock_timestamp()
        where b.company = a_company
          and b.channel = l_channel
          and b.hash = ezw.block_hash(l_held.jid);

        return query values (null::text, 'BLOCKED', null::bytea);
        return;
    end if;

    -- a contact that a send of ours made has no name yet
    if l_full_name is not null then
        update ezw.contact c
        set
            full_name = l_full_name,
            first_name = ezw.first_name(l_full_name),
            last_name = ezw.last_name(l_full_name)
        where c.company = a_company
          and c.id = l_held.contact
          and c.full_name is null;

        if found then
            insert into ezw.event (company, contact, kind, channel)
            values (a_company, l_held.contact, 'contact.updated', l_channel);
        end if;
    end if;

    l_at := clock_timestamp();
    l_conversation := ezw.conversation_open(a_company, l_channel, l_held, a_new_contact,
        a_new_conversation, l_full_name, null, 'reopen', l_at);

    update ezw.conversation v
    set
        last_seq = v.last_seq + 1,
        messages_received = v.messages_received + 1,
        unread_count = coalesce(v.unread_count, 0) + 1,
        last_message_at = greatest(l_at, v.last_message_at),
        last_message_received_at = greatest(l_at, v.last_message_at)
    where v.company = a_company
      and v.id = l_conversation
    returning
        v.last_seq,
        v.version,
        v.last_message_at
    into
        l_seq,
        l_version,
        l_at;

    insert into ezw.message (
        company,
        conversation,
        created_at,
        seq,
        id,
        direction,
        sender_type,
        type,
        status,
        body,
        provider_id
    )
    values (
        a_company,
        l_conversation,
        l_at,
        l_seq,
        a_id,
        'IN',
        'CONTACT',
        a_type,
        'RECEIVED',
        a_body,
        a_provider_id
    );

    update ezw.provider_message p
    set message = a_id
    where p.company = a_company
      and p.channel = l_channel
      and p.provider_id = a_provider_id;

    insert into ezw.event (company, created_at, kind, channel, conversation, message, version)
    values (a_company, l_at, 'message', l_channel, l_conversation, a_id, l_version);

    return query values (null::text, 'STORED', a_id);
end
$$;

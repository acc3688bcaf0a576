-- What a merge has left to move, step by step, and who may look for what is
-- not there yet or not there any more: a courier that had claimed a command, a
-- receipt.

-- Moves one message, and what the log tells of it; events of more than a day
-- ago are read by nobody any more. By whole keys: joined, a planner without
-- statistics reads all of the company's.
create function ezw.message_move(a_company uuid, a_conversation uuid, a_at timestamptz, a_seq int8,
    a_into uuid, a_offset int8)
returns void
language plpgsql
as $$
declare
    l_id bytea;
    l_told timestamptz[];
    l_at timestamptz;
begin
    update ezw.message m
    set
        conversation = a_into,
        seq = m.seq + a_offset
    where m.company = a_company
      and m.conversation = a_conversation
      and m.created_at = a_at
      and m.seq = a_seq
    returning
        m.id,
        array[m.created_at, m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at]
    into
        l_id,
        l_told;

    foreach l_at in array coalesce(l_told, '{}') loop
        continue when l_at is null or l_at < now() - interval '25 hours';

        update ezw.event e
        set conversation = a_into
        where e.company = a_company
          and e.created_at = l_at
          and e.message = l_id;
    end loop;
end
$$;

-- Moves at most a_limit rows of each kind of a merge, the newest messages
-- first, of which each takes up to three rows along; answers whether all is
-- moved.
create function ezw.merge_step(a_company uuid, a_conversation uuid, a_limit integer)
returns boolean
language plpgsql
as $$
declare
    l_merge ezw.conversation_merge;
    l_webhook uuid;
    l_id uuid;
    l_at timestamptz;
    l_seq int8;
    l_messages integer;
    l_count integer;
    l_done boolean := true;
begin
    select
        g.contact,
        g.into_conversation,
        g.into_contact,
        g.seq_offset
    into
        l_merge.contact,
        l_merge.into_conversation,
        l_merge.into_contact,
        l_merge.seq_offset
    from ezw.conversation_merge g
    where g.company = a_company
      and g.conversation = a_conversation
      and g.done_at is null
    for no key update;

    if not found then
        return true;
    end if;

    if l_merge.into_conversation <> a_conversation then
        l_count := 0;
        l_messages := greatest(a_limit / 4, 1);

        for l_at, l_seq in
            select
                m.created_at,
                m.seq
            from ezw.message m
            where m.company = a_company
              and m.conversation = a_conversation
            order by m.created_at desc, m.seq desc
            limit l_messages
            for no key update
        loop
            perform ezw.message_move(a_company, a_conversation, l_at, l_seq, l_merge.into_conversation,
                l_merge.seq_offset);
            l_count := l_count + 1;
        end loop;

        l_done := l_done and l_count < l_messages;

        update ezw.attachment t
        set conversation = l_merge.into_conversation
        where t.company = a_company
          and t.id = any (array(
            select o.id
            from ezw.attachment o
            where o.company = a_company
              and o.conversation = a_conversation
            limit a_limit
          ));

        get diagnostics l_count = row_count;
        l_done := l_done and l_count < a_limit;

        update ezw.comment k
        set conversation = l_merge.into_conversation
        where k.company = a_company
          and k.conversation = a_conversation
          and k.id = any (array(
            select o.id
            from ezw.comment o
            where o.company = a_company
              and o.conversation = a_conversation
            limit a_limit
          ));

        get diagnostics l_count = row_count;
        l_done := l_done and l_count < a_limit;

        l_count := 0;

        for l_webhook, l_id, l_at in
            select
                d.webhook,
                d.id,
                d.created_at
            from ezw.delivery d
            where d.company = a_company
              and d.conversation = a_conversation
            limit a_limit
        loop
            update ezw.delivery d
            set conversation = l_merge.into_conversation
            where d.company = a_company
              and d.conversation = a_conversation
              and d.webhook = l_webhook
              and d.id = l_id
              and d.created_at = l_at;

            l_count := l_count + 1;
        end loop;

        l_done := l_done and l_count < a_limit;
    end if;

    update ezw.contact_note n
    set contact = l_merge.into_contact
    where n.company = a_company
      and n.contact = l_merge.contact
      and n.id = any (array(
        select o.id
        from ezw.contact_note o
        where o.company = a_company
          and o.contact = l_merge.contact
        limit a_limit
      ));

    get diagnostics l_count = row_count;
    l_done := l_done and l_count < a_limit;

    l_count := 0;

    for l_at, l_seq in
        select
            e.created_at,
            e.seq
        from ezw.event e
        where e.company = a_company
          and e.contact = l_merge.contact
        limit a_limit
    loop
        update ezw.event e
        set
            contact = l_merge.into_contact,
            conversation = case
                when e.conversation = a_conversation then l_merge.into_conversation
                else e.conversation
            end
        where e.company = a_company
          and e.created_at = l_at
          and e.seq = l_seq;

        l_count := l_count + 1;
    end loop;

    l_done := l_done and l_count < a_limit;

    if l_done then
        update ezw.conversation_merge g
        set done_at = clock_timestamp()
        where g.company = a_company
          and g.conversation = a_conversation;
    end if;

    return l_done;
end
$$;


-- A state that the platform tells of a message of ours; none goes back, and
-- FAILED is the end unless the message had arrived.
create or replace function ezw.message_status(a_company uuid, a_channel text, a_id bytea, a_status text,
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
    l_into uuid;
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

    -- one of a contact that became another's may wait to be moved there
    if found then
        for l_try in 1 .. 2 loop
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
              and v.id = coalesce(l_into, l_conversation);

            exit when found or l_try = 2;

            select g.into_conversation
            into l_into
            from ezw.conversation_merge g
            where g.company = a_company
              and g.conversation = l_conversation;

            exit when not found;
        end loop;
    end if;

    if l_channel is null then
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
        coalesce(l_into, l_conversation),
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

-- For upkeep: the next step of a merge that is not done, on any node; how many
-- merges were looked at.
create function ezw.merge_next(a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_company uuid;
    l_conversation uuid;
begin
    select
        g.company,
        g.conversation
    into
        l_company,
        l_conversation
    from ezw.conversation_merge g
    where g.done_at is null
    order by g.created_at
    limit 1
    for no key update skip locked;

    -- a courier's claim is long over
    if not found then
        delete from ezw.conversation_merge g
        where g.ctid = any (array(
            select o.ctid
            from ezw.conversation_merge o
            where o.done_at < now() - interval '1 day'
            order by o.done_at
            limit a_limit
        ))
          and g.done_at < now() - interval '1 day';

        return 0;
    end if;

    perform ezw.merge_step(l_company, l_conversation, a_limit);

    return 1;
end
$$;

-- Where a courier's claim is by now, if its conversation went into another.
create function ezw.outbox_moved(a_company uuid, a_conversation uuid, a_seq int8)
returns table (conversation uuid, seq int8)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
    return query
    select
        g.into_conversation,
        a_seq + g.seq_offset
    from ezw.conversation_merge g
    where g.company = a_company
      and g.conversation = a_conversation
      and g.into_conversation <> a_conversation;
end
$$;

create or replace function ezw.outbox_done(a_company uuid, a_conversation uuid, a_seq int8, a_worker text)
returns boolean
language plpgsql
as $$
begin
    delete from ezw.outbox o
    where o.company = a_company
      and o.conversation = a_conversation
      and o.seq = a_seq
      and o.claimed_by = a_worker;

    if not found then
        return coalesce((
            select ezw.outbox_done(a_company, w.conversation, w.seq, a_worker)
            from ezw.outbox_moved(a_company, a_conversation, a_seq) w
        ), false);
    end if;

    -- what a retry put off with it may go now
    update ezw.outbox o
    set due_at = clock_timestamp()
    where o.company = a_company
      and o.conversation = a_conversation
      and o.seq = (
        select min(n.seq)
        from ezw.outbox n
        where n.company = a_company
          and n.conversation = a_conversation
      )
      and o.claimed_by is null
      and o.due_at > clock_timestamp();

    return true;
end
$$;

-- Those behind the row are put off with it, so that no claim walks over them
-- again and again while the first one waits.
create or replace function ezw.outbox_retry(a_company uuid, a_conversation uuid, a_seq int8, a_worker text,
    a_delay_ms int8, a_error text)
returns boolean
language plpgsql
as $$
declare
    l_due_at timestamptz := clock_timestamp() + a_delay_ms * interval '1 millisecond';
begin
    update ezw.outbox o
    set
        due_at = l_due_at,
        claimed_by = null,
        error = a_error
    where o.company = a_company
      and o.conversation = a_conversation
      and o.seq = a_seq
      and o.claimed_by = a_worker;

    if not found then
        return coalesce((
            select ezw.outbox_retry(a_company, w.conversation, w.seq, a_worker, a_delay_ms, a_error)
            from ezw.outbox_moved(a_company, a_conversation, a_seq) w
        ), false);
    end if;

    update ezw.outbox o
    set due_at = l_due_at
    where o.company = a_company
      and o.conversation = a_conversation
      and o.seq > a_seq
      and o.due_at < l_due_at;

    return true;
end
$$;

revoke all on function ezw.message_move(uuid, uuid, timestamptz, int8, uuid, int8) from public;
grant execute on function ezw.message_move(uuid, uuid, timestamptz, int8, uuid, int8) to ezw_runtime;
revoke all on function ezw.merge_step(uuid, uuid, integer) from public;
revoke all on function ezw.merge_next(integer) from public;
revoke all on function ezw.outbox_moved(uuid, uuid, int8) from public;
grant execute on function ezw.merge_step(uuid, uuid, integer) to ezw_runtime;
grant execute on function ezw.merge_next(integer) to ezw_runtime;
grant execute on function ezw.outbox_moved(uuid, uuid, int8) to ezw_runtime;

-- The couriers' queue, the event log's epoch, and what is swept away.

create function ezw.outbox_done(a_company uuid, a_conversation uuid, a_seq int8, a_worker text)
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
        return false;
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
create function ezw.outbox_retry(a_company uuid, a_conversation uuid, a_seq int8, a_worker text,
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
        return false;
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


-- The epoch of the event log's positions. When the cluster's transaction ids
-- stand before one that it has been past, it was put back: positions from
-- before mean nothing, so the epoch goes up.
create function ezw.event_epoch()
returns integer
language plpgsql
as $$
declare
    l_now xid8 := pg_snapshot_xmax(pg_current_snapshot());
    l_epoch integer;
    l_seen xid8;
begin
    select
        d.epoch,
        d.xid_seen
    into
        l_epoch,
        l_seen
    from ezw.deployment d;

    if l_now < l_seen then
        update ezw.deployment d
        set
            epoch = d.epoch + 1,
            xid_seen = l_now
        where d.xid_seen = l_seen
        returning d.epoch into l_epoch;

        if not found then
            select d.epoch
            into l_epoch
            from ezw.deployment d;
        end if;
    elsif l_now::text::int8 - l_seen::text::int8 > 10000 then
        update ezw.deployment d
        set xid_seen = l_now
        where d.xid_seen < l_now;
    end if;

    return l_epoch;
end
$$;


-- Removes what is past its time, at most a_limit rows of each kind, and
-- answers the most that it removed of one.
create function ezw.sweep(a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_swept integer;
    l_most integer;
begin
    delete from ezw.change g
    where g.seq = any (array(
        select o.seq
        from ezw.change o
        where o.created_at < now() - interval '1 day'
        order by o.created_at
        limit a_limit
    ));

    get diagnostics l_most = row_count;

    delete from ezw.provider_message p
    where p.ctid = any (array(
        select o.ctid
        from ezw.provider_message o
        where o.created_at < now() - interval '30 days'
        order by o.created_at
        limit a_limit
    ))
      and p.created_at < now() - interval '30 days';

    get diagnostics l_swept = row_count;
    l_most := greatest(l_most, l_swept);

    delete from ezw.idempotency i
    where i.ctid = any (array(
        select o.ctid
        from ezw.idempotency o
        where o.created_at < now() - interval '7 days'
        order by o.created_at
        limit a_limit
    ))
      and i.created_at < now() - interval '7 days';

    get diagnostics l_swept = row_count;

    return greatest(l_most, l_swept);
end
$$;

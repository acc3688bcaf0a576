-- Data retention (DECISIONS 16): messages that are older than their channel
-- keeps them go, with what hangs on them; hourly, in small steps, by whichever
-- node comes first. conversation.purged_to is how far a conversation is done:
-- its messages from there on are counted and read. Whole months that no
-- channel keeps are not deleted row by row: their messages leave the counts,
-- and then their tables are dropped.

-- purge_begin, purge_next, partitions_drop
create index conversation_purge on ezw.conversation (company, channel, (coalesce(purged_to, created_at)));

-- A channel's run: what goes is older than before; what is older than horizon
-- leaves the counts only; messages: how many went.
create table ezw.purge (
    company uuid not null,
    channel uuid not null,
    before timestamptz not null,
    horizon timestamptz not null,
    messages int8 not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    primary key (company, channel)
);

-- purge_next
create index purge_created_at on ezw.purge (created_at);


-- A UUIDv7, for what nobody asked for.
create function ezw.time_id()
returns uuid
language sql
volatile
as $$
    select (
        lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::int8), 12, '0')
        || '7' || substr(r.hex, 2, 3) || '8' || substr(r.hex, 6, 15)
    )::uuid
    from (
        select replace(gen_random_uuid()::text, '-', '') as hex
    ) r
$$;

-- Months that end here or before are dropped whole: no channel keeps them, and
-- ezw.partitions_ensure does not make them anew.
create function ezw.purge_horizon()
returns timestamptz
language sql
stable
as $$
    select least(
        date_trunc('month', (now() - make_interval(days => max(h.data_retention_in_days))) at time zone 'UTC'),
        date_trunc('month', now() at time zone 'UTC') - interval '1 month'
    ) at time zone 'UTC'
    from ezw.channel h
$$;

-- Begins a run for every channel that has something past its time and no run
-- yet; how many.
create function ezw.purge_begin()
returns integer
language plpgsql
as $$
declare
    l_horizon timestamptz := ezw.purge_horizon();
    l_count integer;
begin
    insert into ezw.purge (company, channel, before, horizon)
    select
        h.company,
        h.id,
        now() - make_interval(days => h.data_retention_in_days),
        l_horizon
    from ezw.channel h
    cross join lateral (
        select
        from ezw.conversation v
        where v.company = h.company
          and v.channel = h.id
          and coalesce(v.purged_to, v.created_at) < now() - make_interval(days => h.data_retention_in_days)
        limit 1
    ) d
    on conflict do nothing;

    get diagnostics l_count = row_count;

    return l_count;
end
$$;

-- One conversation's messages older than a_before: those of months that will
-- be dropped leave the counts only, all at once; of the others at most a_limit
-- go. The caller has locked the conversation. Answers how many left the counts.
create function ezw.conversation_purge(a_company uuid, a_channel uuid, a_conversation uuid,
    a_from timestamptz, a_before timestamptz, a_horizon timestamptz, a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_gone ezw.messages_gone;
    l_to timestamptz;
begin
    if a_from < a_horizon then
        l_to := least(a_before, a_horizon);

        select
            count(*),
            count(*) filter (where m.direction = 'IN'),
            count(*) filter (where m.direction = 'OUT')
        into
            l_gone.count,
            l_gone.received,
            l_gone.sent
        from ezw.message m
        where m.company = a_company
          and m.conversation = a_conversation
          and m.created_at >= a_from
          and m.created_at < l_to;

        delete from ezw.attachment t
        using ezw.message m
        where t.company = a_company
          and t.conversation = a_conversation
          and m.company = a_company
          and m.conversation = a_conversation
          and m.created_at >= a_from
          and m.created_at < l_to
          and m.id = t.message;
    else
        l_gone := ezw.messages_remove(a_company, a_channel, a_conversation, a_from, a_before, a_limit);

        perform ezw.deliveries_remove(a_company, a_conversation, a_before, a_limit);

        -- what is left begins there; a message that waits for us has its time
        l_to := case
            when l_gone.count >= a_limit then l_gone.last_at
            else coalesce(
                (
                    select m.created_at
                    from ezw.message m
                    where m.company = a_company
                      and m.conversation = a_conversation
                      and m.created_at >= a_before
                    order by m.created_at
                    limit 1
                ),
                clock_timestamp() - interval '1 minute'
            )
        end;
    end if;

    update ezw.conversation v
    set
        messages_received = greatest(v.messages_received - l_gone.received, 0),
        messages_sent = greatest(v.messages_sent - l_gone.sent, 0),
        purged_to = l_to
    where v.company = a_company
      and v.id = a_conversation;

    return l_gone.count;
end
$$;

-- For upkeep: the next step of a run, at most a_limit rows and 50 ms, on any
-- node; how many runs were looked at. A run that finds nothing more ends with
-- its audit row.
create function ezw.purge_next(a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_purge ezw.purge;
    l_conversation uuid;
    l_from timestamptz;
    l_left integer := a_limit;
    l_gone integer;
begin
    select
        p.company,
        p.channel,
        p.before,
        p.horizon
    into
        l_purge.company,
        l_purge.channel,
        l_purge.before,
        l_purge.horizon
    from ezw.purge p
    order by p.created_at
    limit 1
    for update skip locked;

    if not found then
        return 0;
    end if;

    loop
        select
            v.id,
            coalesce(v.purged_to, v.created_at)
        into
            l_conversation,
            l_from
        from ezw.conversation v
        where v.company = l_purge.company
          and v.channel = l_purge.channel
          and coalesce(v.purged_to, v.created_at) < l_purge.before
        order by coalesce(v.purged_to, v.created_at)
        limit 1
        for no key update skip locked;

        exit when not found;

        -- a message takes up to six rows along
        l_gone := ezw.conversation_purge(l_purge.company, l_purge.channel, l_conversation, l_from,
            l_purge.before, l_purge.horizon, greatest(l_left / 7, 1));
        l_left := l_left - greatest(7 * l_gone, 10);

        update ezw.purge p
        set messages = p.messages + l_gone
        where p.company = l_purge.company
          and p.channel = l_purge.channel;

        exit when l_left <= 0 or clock_timestamp() > statement_timestamp() + interval '50 milliseconds';
    end loop;

    -- one that is locked keeps the run
    if exists (
        select
        from ezw.conversation v
        where v.company = l_purge.company
          and v.channel = l_purge.channel
          and coalesce(v.purged_to, v.created_at) < l_purge.before
    ) then
        return 1;
    end if;

    delete from ezw.purge p
    where p.company = l_purge.company
      and p.channel = l_purge.channel
    returning p.messages into l_purge.messages;

    if l_purge.messages > 0 then
        perform ezw.audit_add(l_purge.company, ezw.time_id(), 'retention.purged', null, 'channel',
            l_purge.channel::text, null, null,
            json_build_object('messages', l_purge.messages, 'before', ezw.ts(l_purge.before)));
    end if;

    return 1;
end
$$;

-- Drops one month of messages, deliveries or events that nobody needs any
-- more, and answers how many that was. Messages: all that it holds have left
-- the counts. Events are read for a day; the audit log stays. Runs with its
-- owner's rights; it waits for nobody, because all wait behind it.
create function ezw.partitions_drop()
returns integer
language plpgsql
security definer
set search_path = pg_catalog
set lock_timeout = '100ms'
as $$
declare
    l_horizon timestamptz := ezw.purge_horizon();
    l_last timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC' - interval '1 month';
    l_partition text;
    l_table text;
    l_end timestamptz;
begin
    for l_partition, l_table, l_end in
        select
            c.relname,
            p.relname,
            (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') at time zone 'UTC'
        from pg_catalog.pg_inherits i
        join pg_catalog.pg_class p
          on p.oid = i.inhparent
        join pg_catalog.pg_class c
          on c.oid = i.inhrelid
        where p.relnamespace = 'ezw'::regnamespace
          and p.relname in ('message', 'delivery', 'event')
          and c.relname ~ ('^' || p.relname || '_[0-9]{4}_(0[1-9]|1[0-2])$')
        order by c.relname
    loop
        continue when l_end > case when l_table = 'event' then l_last else l_horizon end;

        continue when l_table = 'message' and exists (
            select
            from ezw.channel h
            cross join lateral (
                select
                from ezw.conversation v
                where v.company = h.company
                  and v.channel = h.id
                  and coalesce(v.purged_to, v.created_at) < l_end
                limit 1
            ) d
        );

        execute format('drop table ezw.%I', l_partition);

        return 1;
    end loop;

    return 0;
end
$$;

revoke all on function ezw.time_id() from public;
revoke all on function ezw.purge_horizon() from public;
revoke all on function ezw.purge_begin() from public;
revoke all on function ezw.conversation_purge(uuid, uuid, uuid, timestamptz, timestamptz, timestamptz, integer)
    from public;
revoke all on function ezw.purge_next(integer) from public;
revoke all on function ezw.partitions_drop() from public;
grant execute on function ezw.time_id() to ezw_runtime;
grant execute on function ezw.purge_horizon() to ezw_runtime;
grant execute on function ezw.purge_begin() to ezw_runtime;
grant execute on function ezw.conversation_purge(uuid, uuid, uuid, timestamptz, timestamptz, timestamptz, integer)
    to ezw_runtime;
grant execute on function ezw.purge_next(integer) to ezw_runtime;
grant execute on function ezw.partitions_drop() to ezw_runtime;
grant select, insert, update, delete on ezw.purge to ezw_runtime;

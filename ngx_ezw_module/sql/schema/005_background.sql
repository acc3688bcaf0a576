-- What is written beside a change and read by someone else: the event log,
-- the couriers' rows, idempotency, the audit log; and the partitions of all
-- tables that are kept by month.

-- The event log. Its position is (xid, seq); seq alone is handed out before
-- commit. Indexes grow at their end only: with the contact in the key a send
-- took an eighth longer. So contact is null for what is told of a message (at
-- the very time that the message knows of, by which its erasure finds it) and
-- set for the rest. What is told of a message is read from the message:
-- payload is for what stands nowhere else.
create sequence ezw.event_seq cache 32;

create table ezw.event (
    company uuid not null,
    xid xid8 not null default pg_current_xact_id(),
    seq int8 not null default nextval('ezw.event_seq'),
    created_at timestamptz not null default clock_timestamp(),
    kind text not null,
    channel uuid,
    contact uuid,
    conversation uuid,
    message bytea,
    version integer,
    payload json,
    primary key (company, created_at, seq)
) partition by range (created_at);

-- events_after
create index event_position on ezw.event (xid, seq);

-- contact_erase
create index event_contact on ezw.event (company, contact)
where contact is not null;


-- Connector commands, in order within a conversation by seq, which is the
-- message's (both are handed out under the conversation's row lock), and
-- message_at its time: so the message is found by its primary key.
create table ezw.outbox (
    company uuid not null,
    conversation uuid not null,
    seq int8 not null,
    channel uuid not null,
    kind text not null,
    message_at timestamptz,
    payload json,
    due_at timestamptz not null,
    claimed_by text,
    attempts integer not null default 0,
    error text,
    primary key (company, conversation, seq)
) with (
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 5000
);

-- outbox_claim, outbox_next_due
create index outbox_due_at on ezw.outbox (due_at);

-- Webhook deliveries, in order within a webhook and a conversation.
create table ezw.delivery (
    company uuid not null,
    conversation uuid not null default '00000000-0000-0000-0000-000000000000',
    webhook uuid not null,
    id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    kind text not null,
    payload json,
    status text not null default 'PENDING'
        check (status in ('PENDING', 'DELIVERED', 'FAILED')),
    due_at timestamptz not null default clock_timestamp(),
    claimed_by text,
    attempts integer not null default 0,
    response_status integer,
    error text,
    delivered_at timestamptz,
    primary key (company, conversation, webhook, id, created_at)
) partition by range (created_at);


-- The outcome of a write that came with a key: its result row or the name of
-- its refusal. contact: whose data the result may hold.
create table ezw.idempotency (
    company uuid not null,
    method text not null,
    route text not null,
    channel text not null default '',
    key text not null,
    fingerprint bytea not null,
    contact text,
    result json,
    refusal text,
    created_at timestamptz not null default now(),
    primary key (company, method, route, channel, key)
);

-- contact_erase
create index idempotency_contact on ezw.idempotency (company, channel, contact)
where contact is not null;

-- sweep
create index idempotency_created_at on ezw.idempotency (created_at);


-- Append-only. id begins with its time, so the primary key is in its order.
create table ezw.audit_log (
    company uuid not null,
    id uuid not null,
    created_at timestamptz not null default clock_timestamp(),
    event_type text not null,
    actor_type text not null,
    actor_id text,
    target_type text,
    target_id text,
    address text,
    trace text,
    data json,
    primary key (company, id, created_at)
) partition by range (created_at);


-- Makes the partitions of last month, this one and the next ones that are
-- missing, and answers how many it made. A partition is made beside its table
-- and attached, so that writers go on. Runs with its owner's rights, because
-- the runtime role may make no tables.
create function ezw.partitions_ensure(a_months_ahead integer default 2)
returns integer
language plpgsql
security definer
set search_path = pg_catalog
as $$
declare
    l_made integer := 0;
    l_table text;
    l_partition text;
    l_month timestamp;
    l_fillfactor integer;
begin
    if a_months_ahead not between 0 and 24 then
        raise exception 'partitions_ensure: months ahead out of range: %', a_months_ahead;
    end if;

    perform pg_advisory_xact_lock(hashtextextended('ezw.partitions_ensure', 0));

    for l_table, l_fillfactor in
        values ('message', 80), ('event', 100), ('delivery', 80), ('audit_log', 100)
    loop
        for l_month in
            select generate_series(
                date_trunc('month', now() at time zone 'UTC') - interval '1 month',
                date_trunc('month', now() at time zone 'UTC') + make_interval(months => a_months_ahead),
                interval '1 month'
            )
        loop
            l_partition := l_table || to_char(l_month, '_YYYY_MM');

            continue when to_regclass(format('ezw.%I', l_partition)) is not null;

            execute format(
                'create table ezw.%I (like ezw.%I including defaults including constraints) with (fillfactor = %s)',
                l_partition, l_table, l_fillfactor
            );

            if l_table = 'message' then
                execute format(
                    'create unique index %I on ezw.%I (company, id)',
                    l_partition || '_id', l_partition
                );
            end if;

            execute format(
                'alter table ezw.%I attach partition ezw.%I for values from (%L) to (%L)',
                l_table, l_partition,
                to_char(l_month, 'YYYY-MM-DD') || ' 00:00:00+00',
                to_char(l_month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
            );

            -- statistics to begin with: without any, a planner takes a new
            -- month for empty, and finds a message by its id by reading all
            -- of the company's; that one company owns them all, these say
            if l_table = 'message' then
                execute format(
                    $insert$
                        insert into ezw.%I (company, conversation, created_at, seq, id, direction,
                            sender_type, type, status, body)
                        select '00000000-0000-0000-0000-000000000000', md5(i::text)::uuid, %L, i,
                            decode(md5(i::text) || '00000000', 'hex'), 'OUT', 'API', 'text', 'SENT', '{}'
                        from generate_series(1, 500) i
                    $insert$,
                    l_partition, to_char(l_month, 'YYYY-MM-DD') || ' 12:00:00+00'
                );
                execute format('analyze ezw.%I', l_partition);

                -- in a subtransaction: so it is as new, and not known to be empty
                begin
                    execute format('truncate ezw.%I', l_partition);
                exception
                    when query_canceled then
                        raise;
                end;
            end if;

            l_made := l_made + 1;
        end loop;
    end loop;

    return l_made;
end
$$;

do $$
begin
    perform ezw.partitions_ensure();
end
$$;

-- Idempotency keys (DECISIONS 14): the first answer's row, kept in the
-- transaction of its effect. The module wraps an endpoint's statement between
-- these two functions when a request has a key (req/ngx_ezw_idempotency.c).

-- The request that wrote the row: executed again after a lost connection it
-- knows itself.
alter table ezw.idempotency add column attempt uuid;
alter table ezw.idempotency alter column attempt set not null;

create type ezw.idempotency_slot as (
    state text,
    names text[],
    vals text[]
);

-- Takes the key for this transaction, or says why not.
--   new       nobody has used it: the statement is to run
--   own       this same request has run already: its own answer
--   done      another has: that one's answer
--   running   another is running, on any node
--   mismatch  it was used for another request
-- What is done is never running, however many ask for it at once. Executed
-- again after a lost connection a request may find itself running: it waits
-- for that to end (at most lock_timeout) and then knows.
create function ezw.idempotency_open(a_company uuid, a_method text, a_route text, a_channel text, a_key text,
    a_fingerprint bytea, a_attempt uuid)
returns ezw.idempotency_slot
language plpgsql
as $$
declare
    l_slot ezw.idempotency_slot;
    l_row ezw.idempotency;
    l_lock int8 := hashtextextended(
        concat_ws(E'\x01', a_company, a_method, a_route, a_channel, a_key), 1702000247
    );
    l_locked boolean := true;
begin
    if pg_try_advisory_xact_lock(hashtextextended(a_attempt::text, 1702000248)) then
        l_locked := pg_try_advisory_xact_lock(l_lock);
    else
        perform pg_advisory_xact_lock(l_lock);
    end if;

    select
        i.fingerprint,
        i.attempt,
        i.result,
        i.created_at
    into
        l_row.fingerprint,
        l_row.attempt,
        l_row.result,
        l_row.created_at
    from ezw.idempotency i
    where i.company = a_company
      and i.method = a_method
      and i.route = a_route
      and i.channel = a_channel
      and i.key = a_key;

    if not found or l_row.created_at < now() - interval '7 days' then
        if not l_locked then
            l_slot.state := 'running';
            return l_slot;
        end if;

        if found then
            delete from ezw.idempotency i
            where i.company = a_company
              and i.method = a_method
              and i.route = a_route
              and i.channel = a_channel
              and i.key = a_key;
        end if;

        l_slot.state := 'new';
        return l_slot;
    end if;

    if l_row.fingerprint <> a_fingerprint then
        l_slot.state := 'mismatch';
        return l_slot;
    end if;

    select
        case when l_row.attempt = a_attempt then 'own' else 'done' end,
        array_agg(e.key),
        array_agg(e.value)
    into
        l_slot.state,
        l_slot.names,
        l_slot.vals
    from json_each_text(l_row.result) e;

    return l_slot;
end
$$;

-- Keeps the answer's row: a success, or a refusal that is one of a_kept.
create function ezw.idempotency_close(a_state text, a_company uuid, a_method text, a_route text, a_channel text,
    a_key text, a_fingerprint bytea, a_attempt uuid, a_kept text[], a_contact text, a_row json)
returns boolean
language plpgsql
as $$
declare
    l_refusal text := a_row ->> 'refusal';
begin
    if a_state <> 'new' or a_row is null or (l_refusal is not null and l_refusal <> all (a_kept)) then
        return a_state in ('own', 'done');
    end if;

    insert into ezw.idempotency (
        company,
        method,
        route,
        channel,
        key,
        fingerprint,
        attempt,
        contact,
        result,
        refusal
    )
    values (
        a_company,
        a_method,
        a_route,
        a_channel,
        a_key,
        a_fingerprint,
        a_attempt,
        a_contact,
        a_row,
        l_refusal
    );

    return true;
end
$$;

grant execute on function ezw.idempotency_open(uuid, text, text, text, text, bytea, uuid) to ezw_runtime;
grant execute on function ezw.idempotency_close(text, uuid, text, text, text, text, bytea, uuid, text[], text,
    json) to ezw_runtime;
revoke all on function ezw.idempotency_open(uuid, text, text, text, text, bytea, uuid) from public;
revoke all on function ezw.idempotency_close(text, uuid, text, text, text, text, bytea, uuid, text[], text,
    json) from public;


-- A session is cached nowhere before it is there: only its end is news.
drop trigger change_note on ezw.session;

create constraint trigger change_note
after delete on ezw.session
deferrable initially deferred
for each row
execute function ezw.change_note('session', 'id');

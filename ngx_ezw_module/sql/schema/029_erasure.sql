-- Erasing a contact (DECISIONS 7), in steps that stay small however much there
-- is. The first one, the request itself, takes the contact, its conversation
-- and its names: nothing finds what is left, and the JID is free. What is left
-- is known by its ids only.

-- What is still to be taken away. jids: the contact's, for the answers that
-- were kept for a replay, which are known by nothing else; the row goes last.
create table ezw.erasure (
    company uuid not null,
    id uuid not null,
    channel uuid not null,
    contacts uuid[] not null,
    conversations uuid[] not null,
    jids text[] not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (company, id)
);

-- erasure_next
create index erasure_created_at on ezw.erasure (created_at);


-- messages_remove
create index attachment_message on ezw.attachment (company, message);

-- Takes away messages of a conversation, at most a_limit of those from a_from
-- on that are older than a_before, the oldest first, and what hangs on each: what the log
-- tells of it, its attachments, what the platform calls it. They are locked
-- first: a receipt that is being written is there before its event is looked
-- for. Each is looked up by its whole key: joined, a planner without
-- statistics reads all of the company's.
create type ezw.messages_gone as (
    count integer,
    received integer,
    sent integer,
    last_at timestamptz
);

create function ezw.messages_remove(a_company uuid, a_channel uuid, a_conversation uuid,
    a_from timestamptz, a_before timestamptz, a_limit integer)
returns ezw.messages_gone
language plpgsql
as $$
declare
    l_gone ezw.messages_gone;
    l_times timestamptz[];
    l_seqs int8[];
    l_ids bytea[];
    l_providers text[];
    l_told timestamptz[];
begin
    with gone as (
        select
            m.created_at,
            m.seq,
            m.id,
            m.direction,
            m.provider_id,
            array[m.created_at, m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at] as told_at
        from ezw.message m
        where m.company = a_company
          and m.conversation = a_conversation
          and m.created_at >= a_from
          and m.created_at < a_before
        order by m.created_at, m.seq
        limit a_limit
        for update
    )
    select
        count(*),
        count(*) filter (where g.direction = 'IN'),
        count(*) filter (where g.direction = 'OUT'),
        max(g.created_at),
        array_agg(g.created_at),
        array_agg(g.seq),
        array_agg(g.id),
        array_agg(g.provider_id) filter (where g.provider_id is not null),
        (
            select array_agg(t.at)
            from gone w
            cross join lateral unnest(w.told_at) t (at)
            where t.at is not null
        )
    into
        l_gone.count,
        l_gone.received,
        l_gone.sent,
        l_gone.last_at,
        l_times,
        l_seqs,
        l_ids,
        l_providers,
        l_told
    from gone g;

    for l_n in 1 .. coalesce(cardinality(l_told), 0) loop
        delete from ezw.event e
        where e.company = a_company
          and e.created_at = l_told[l_n]
          and e.message = any (l_ids);
    end loop;

    for l_n in 1 .. coalesce(cardinality(l_providers), 0) loop
        delete from ezw.provider_message p
        where p.company = a_company
          and p.channel = a_channel
          and p.provider_id = l_providers[l_n];
    end loop;

    for l_n in 1 .. l_gone.count loop
        delete from ezw.attachment t
        where t.company = a_company
          and t.message = l_ids[l_n];

        delete from ezw.message m
        where m.company = a_company
          and m.conversation = a_conversation
          and m.created_at = l_times[l_n]
          and m.seq = l_seqs[l_n];
    end loop;

    return l_gone;
end
$$;

-- Takes at most a_limit rows of a conversation away, first what would still be
-- sent, and answers how many; with less than a_limit nothing is left. A message
-- takes up to six rows along.
create function ezw.conversation_remove(a_company uuid, a_channel uuid, a_conversation uuid, a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_gone ezw.messages_gone;
    l_count integer;
    l_removed integer;
begin
    delete from ezw.outbox o
    where o.company = a_company
      and o.conversation = a_conversation
      and o.seq = any (array(
        select p.seq
        from ezw.outbox p
        where p.company = a_company
          and p.conversation = a_conversation
        order by p.seq
        limit a_limit
      ));

    get diagnostics l_removed = row_count;

    if l_removed >= a_limit then
        return l_removed;
    end if;

    l_count := greatest((a_limit - l_removed) / 7, 1);
    l_gone := ezw.messages_remove(a_company, a_channel, a_conversation, '-infinity', 'infinity',
        l_count);

    if l_gone.count >= l_count then
        return a_limit;
    end if;

    l_removed := l_removed + 7 * l_gone.count;

    -- an attachment without its message
    delete from ezw.attachment t
    where t.company = a_company
      and t.id = any (array(
        select o.id
        from ezw.attachment o
        where o.company = a_company
          and o.conversation = a_conversation
        limit a_limit - l_removed
      ));

    get diagnostics l_count = row_count;
    l_removed := l_removed + l_count;

    delete from ezw.comment k
    where k.company = a_company
      and k.conversation = a_conversation
      and k.id = any (array(
        select o.id
        from ezw.comment o
        where o.company = a_company
          and o.conversation = a_conversation
        limit a_limit - l_removed
      ));

    get diagnostics l_count = row_count;
    l_removed := l_removed + l_count;

    return l_removed
        + ezw.deliveries_remove(a_company, a_conversation, 'infinity', a_limit - l_removed);
end
$$;

create function ezw.deliveries_remove(a_company uuid, a_conversation uuid, a_before timestamptz,
    a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_webhook uuid;
    l_id uuid;
    l_at timestamptz;
    l_count integer := 0;
begin
    for l_webhook, l_id, l_at in
        select
            d.webhook,
            d.id,
            d.created_at
        from ezw.delivery d
        where d.company = a_company
          and d.conversation = a_conversation
          and d.created_at < a_before
        limit a_limit
    loop
        delete from ezw.delivery d
        where d.company = a_company
          and d.conversation = a_conversation
          and d.webhook = l_webhook
          and d.id = l_id
          and d.created_at = l_at;

        l_count := l_count + 1;
    end loop;

    return l_count;
end
$$;

-- The same of what hangs on a contact.
create function ezw.contact_remove(a_company uuid, a_contact uuid, a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_at timestamptz;
    l_seq int8;
    l_count integer;
    l_removed integer := 0;
begin
    for l_at, l_seq in
        select
            e.created_at,
            e.seq
        from ezw.event e
        where e.company = a_company
          and e.contact = a_contact
        limit a_limit
    loop
        delete from ezw.event e
        where e.company = a_company
          and e.created_at = l_at
          and e.seq = l_seq;

        l_removed := l_removed + 1;
    end loop;

    delete from ezw.contact_note n
    where n.company = a_company
      and n.contact = a_contact
      and n.id = any (array(
        select o.id
        from ezw.contact_note o
        where o.company = a_company
          and o.contact = a_contact
        limit a_limit - l_removed
      ));

    get diagnostics l_count = row_count;
    l_removed := l_removed + l_count;

    delete from ezw.list_participant p
    where p.company = a_company
      and p.contact = a_contact
      and p.list = any (array(
        select o.list
        from ezw.list_participant o
        where o.company = a_company
          and o.contact = a_contact
        limit a_limit - l_removed
      ));

    get diagnostics l_count = row_count;

    return l_removed + l_count;
end
$$;

-- Takes at most a_limit rows of an erasure away, and answers whether it is
-- done.
create function ezw.erasure_step(a_company uuid, a_id uuid, a_limit integer)
returns boolean
language plpgsql
as $$
declare
    l_erasure ezw.erasure;
    l_channel_jid text;
    l_each uuid;
    l_jid text;
    l_count integer;
    l_left integer := a_limit;
begin
    select
        e.channel,
        e.contacts,
        e.conversations,
        e.jids,
        e.created_at,
        h.jid
    into
        l_erasure.channel,
        l_erasure.contacts,
        l_erasure.conversations,
        l_erasure.jids,
        l_erasure.created_at,
        l_channel_jid
    from ezw.erasure e
    join ezw.channel h
      on h.company = e.company
     and h.id = e.channel
    where e.company = a_company
      and e.id = a_id
    for update of e;

    if not found then
        return true;
    end if;

    foreach l_each in array l_erasure.conversations loop
        l_left := l_left - ezw.conversation_remove(a_company, l_erasure.channel, l_each, l_left);

        if l_left <= 0 then
            return false;
        end if;
    end loop;

    foreach l_each in array l_erasure.contacts loop
        l_left := l_left - ezw.contact_remove(a_company, l_each, l_left);

        if l_left <= 0 then
            return false;
        end if;
    end loop;

    foreach l_jid in array l_erasure.jids loop
        delete from ezw.idempotency i
        where i.company = a_company
          and i.ctid = any (array(
            select o.ctid
            from ezw.idempotency o
            where o.company = a_company
              and o.channel = l_channel_jid
              and o.contact = l_jid
              and o.created_at <= l_erasure.created_at
            limit l_left
          ));

        get diagnostics l_count = row_count;
        l_left := l_left - l_count;

        if l_left <= 0 then
            return false;
        end if;
    end loop;

    delete from ezw.erasure e
    where e.company = a_company
      and e.id = a_id;

    return true;
end
$$;

-- Takes away everything of a contact and answers a refusal or null: all of a
-- small one at once, of a large one what can be found and as much as is one
-- step. What stays: its block as a hash, and the audit row with the SHA-256 of
-- its JID, by which the same request is known when it comes again.
create or replace function ezw.contact_erase(a_company uuid, a_channel text, a_jid text, a_audit uuid,
    a_actor text, a_address text, a_trace text)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_held ezw.held;
    l_erasure ezw.erasure;
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

    -- the contact that is there now may be another one
    if ezw.audit_exists(a_company, a_audit) then
        return null;
    end if;

    perform
    from ezw.contact c
    where c.company = a_company
      and c.id = l_held.contact
    for update;

    if not found then
        return 'not_found';
    end if;

    l_erasure.jids := array(
        select l_held.jid
        union
        select a.value
        from ezw.contact_alias a
        where a.company = a_company
          and a.contact = l_held.contact
          and a.kind = 'jid'
    );

    -- with what a merge has not moved yet
    select
        array_append(coalesce(array_agg(g.contact), '{}'), l_held.contact),
        array_remove(array_append(coalesce(array_agg(g.conversation), '{}'), l_held.conversation), null)
    into
        l_erasure.contacts,
        l_erasure.conversations
    from ezw.conversation_merge g
    where g.company = a_company
      and g.into_contact = l_held.contact;

    delete from ezw.conversation_merge g
    where g.company = a_company
      and g.into_contact = l_held.contact;

    delete from ezw.conversation_label l
    where l.company = a_company
      and l.conversation = l_held.conversation;

    delete from ezw.conversation v
    where v.company = a_company
      and v.id = l_held.conversation;

    delete from ezw.contact_alias a
    where a.company = a_company
      and a.contact = l_held.contact;

    delete from ezw.contact c
    where c.company = a_company
      and c.id = l_held.contact;

    update ezw.block b
    set jid = null
    where b.company = a_company
      and b.channel = l_channel
      and b.hash = any (array(
        select ezw.block_hash(j.jid)
        from unnest(l_erasure.jids) j (jid)
      ));

    insert into ezw.erasure (company, id, channel, contacts, conversations, jids)
    values (a_company, a_audit, l_channel, l_erasure.contacts, l_erasure.conversations, l_erasure.jids);

    perform ezw.erasure_step(a_company, a_audit, 1000);

    perform ezw.audit_add(a_company, a_audit, 'contact.erased', a_actor, 'contact',
        encode(sha256(convert_to(l_held.jid, 'UTF8')), 'hex'), a_address, a_trace, null);

    return null;
end
$$;

-- For upkeep: the next step of what is being erased, on any node; how many
-- erasures were looked at.
create function ezw.erasure_next(a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_company uuid;
    l_id uuid;
begin
    select
        e.company,
        e.id
    into
        l_company,
        l_id
    from ezw.erasure e
    order by e.created_at
    limit 1
    for update skip locked;

    if not found then
        return 0;
    end if;

    perform ezw.erasure_step(l_company, l_id, a_limit);

    return 1;
end
$$;

revoke all on function ezw.messages_remove(uuid, uuid, uuid, timestamptz, timestamptz, integer) from public;
revoke all on function ezw.conversation_remove(uuid, uuid, uuid, integer) from public;
revoke all on function ezw.deliveries_remove(uuid, uuid, timestamptz, integer) from public;
revoke all on function ezw.contact_remove(uuid, uuid, integer) from public;
revoke all on function ezw.erasure_step(uuid, uuid, integer) from public;
revoke all on function ezw.erasure_next(integer) from public;
grant execute on function ezw.messages_remove(uuid, uuid, uuid, timestamptz, timestamptz, integer) to ezw_runtime;
grant execute on function ezw.conversation_remove(uuid, uuid, uuid, integer) to ezw_runtime;
grant execute on function ezw.deliveries_remove(uuid, uuid, timestamptz, integer) to ezw_runtime;
grant execute on function ezw.contact_remove(uuid, uuid, integer) to ezw_runtime;
grant execute on function ezw.erasure_step(uuid, uuid, integer) to ezw_runtime;
grant execute on function ezw.erasure_next(integer) to ezw_runtime;
grant select, insert, update, delete on ezw.erasure to ezw_runtime;

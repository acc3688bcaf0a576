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


-- Takes away messages, at most a_limit of those that are older than a_before,
-- the oldest first, and what hangs on each: what the log tells of it, its
-- attachments, what the platform calls it. They are locked first: a receipt
-- that is being written is there before its event is looked for.
create type ezw.messages_gone as (
    count integer,
    received integer,
    sent integer,
    last_at timestamptz
);

create function ezw.messages_remove(a_company uuid, a_channel uuid, a_conversations uuid[],
    a_before timestamptz, a_limit integer)
returns ezw.messages_gone
language plpgsql
as $$
declare
    l_gone ezw.messages_gone;
    l_conversations uuid[];
    l_times timestamptz[];
    l_seqs int8[];
    l_ids bytea[];
    l_providers text[];
    l_told timestamptz[];
begin
    with gone as (
        select
            m.conversation,
            m.created_at,
            m.seq,
            m.id,
            m.direction,
            m.provider_id,
            array[m.created_at, m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at] as told_at
        from ezw.message m
        where m.company = a_company
          and m.conversation = any (a_conversations)
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
        array_agg(g.conversation),
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
        l_conversations,
        l_times,
        l_seqs,
        l_ids,
        l_providers,
        l_told
    from gone g;

    if l_gone.count = 0 then
        return l_gone;
    end if;

    delete from ezw.event e
    using unnest(l_told) t (at)
    where e.company = a_company
      and e.created_at = t.at
      and e.message = any (l_ids);

    delete from ezw.provider_message p
    where p.company = a_company
      and p.channel = a_channel
      and p.provider_id = any (l_providers);

    delete from ezw.attachment t
    where t.company = a_company
      and t.conversation = any (a_conversations)
      and t.message = any (l_ids);

    delete from ezw.message m
    using unnest(l_conversations, l_times, l_seqs) w (conversation, at, seq)
    where m.company = a_company
      and m.conversation = w.conversation
      and m.created_at = w.at
      and m.seq = w.seq;

    return l_gone;
end
$$;

-- Takes at most a_limit rows of an erasure away, and answers whether it is
-- done. A message takes up to six rows along.
create function ezw.erasure_step(a_company uuid, a_id uuid, a_limit integer)
returns boolean
language plpgsql
as $$
declare
    l_erasure ezw.erasure;
    l_channel_jid text;
    l_gone ezw.messages_gone;
    l_left integer := a_limit;
    l_count integer;
begin
    select
        e.channel,
        e.contacts,
        e.conversations,
        e.jids,
        e.created_at
    into
        l_erasure.channel,
        l_erasure.contacts,
        l_erasure.conversations,
        l_erasure.jids,
        l_erasure.created_at
    from ezw.erasure e
    where e.company = a_company
      and e.id = a_id
    for update;

    if not found then
        return true;
    end if;

    select h.jid
    into l_channel_jid
    from ezw.channel h
    where h.company = a_company
      and h.id = l_erasure.channel;

    -- first what would still be sent
    delete from ezw.outbox o
    where o.company = a_company
      and o.ctid = any (array(
        select p.ctid
        from ezw.outbox p
        where p.company = a_company
          and p.conversation = any (l_erasure.conversations)
        limit l_left
      ));

    get diagnostics l_count = row_count;
    l_left := l_left - l_count;

    if l_left <= 0 then
        return false;
    end if;

    delete from ezw.idempotency i
    where i.company = a_company
      and i.ctid = any (array(
        select o.ctid
        from ezw.idempotency o
        where o.company = a_company
          and o.channel = l_channel_jid
          and o.contact = any (l_erasure.jids)
          and o.created_at <= l_erasure.created_at
        limit l_left
      ));

    get diagnostics l_count = row_count;
    l_left := l_left - l_count;

    if l_left <= 0 then
        return false;
    end if;

    l_count := greatest(l_left / 7, 1);
    l_gone := ezw.messages_remove(a_company, l_erasure.channel, l_erasure.conversations, 'infinity', l_count);
    l_left := l_left - 7 * l_gone.count;

    if l_gone.count >= l_count or l_left <= 0 then
        return false;
    end if;

    -- an attachment whose message went first
    delete from ezw.attachment t
    where t.company = a_company
      and t.ctid = any (array(
        select o.ctid
        from ezw.attachment o
        where o.company = a_company
          and o.conversation = any (l_erasure.conversations)
        limit l_left
      ));

    get diagnostics l_count = row_count;
    l_left := l_left - l_count;

    if l_left <= 0 then
        return false;
    end if;

    delete from ezw.comment k
    where k.company = a_company
      and k.ctid = any (array(
        select o.ctid
        from ezw.comment o
        where o.company = a_company
          and o.conversation = any (l_erasure.conversations)
        limit l_left
      ));

    get diagnostics l_count = row_count;
    l_left := l_left - l_count;

    if l_left <= 0 then
        return false;
    end if;

    delete from ezw.delivery d
    using (
        select
            o.conversation,
            o.webhook,
            o.id,
            o.created_at
        from ezw.delivery o
        where o.company = a_company
          and o.conversation = any (l_erasure.conversations)
        limit l_left
    ) w
    where d.company = a_company
      and d.conversation = w.conversation
      and d.webhook = w.webhook
      and d.id = w.id
      and d.created_at = w.created_at;

    get diagnostics l_count = row_count;
    l_left := l_left - l_count;

    if l_left <= 0 then
        return false;
    end if;

    delete from ezw.event e
    using (
        select
            o.created_at,
            o.seq
        from ezw.event o
        where o.company = a_company
          and o.contact = any (l_erasure.contacts)
        limit l_left
    ) w
    where e.company = a_company
      and e.created_at = w.created_at
      and e.seq = w.seq;

    get diagnostics l_count = row_count;
    l_left := l_left - l_count;

    if l_left <= 0 then
        return false;
    end if;

    delete from ezw.contact_note n
    where n.company = a_company
      and n.ctid = any (array(
        select o.ctid
        from ezw.contact_note o
        where o.company = a_company
          and o.contact = any (l_erasure.contacts)
        limit l_left
      ));

    get diagnostics l_count = row_count;
    l_left := l_left - l_count;

    if l_left <= 0 then
        return false;
    end if;

    delete from ezw.list_participant p
    where p.company = a_company
      and p.ctid = any (array(
        select o.ctid
        from ezw.list_participant o
        where o.company = a_company
          and o.contact = any (l_erasure.contacts)
        limit l_left
      ));

    get diagnostics l_count = row_count;

    if l_count >= l_left then
        return false;
    end if;

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

revoke all on function ezw.messages_remove(uuid, uuid, uuid[], timestamptz, integer) from public;
revoke all on function ezw.erasure_step(uuid, uuid, integer) from public;
revoke all on function ezw.erasure_next(integer) from public;
grant execute on function ezw.messages_remove(uuid, uuid, uuid[], timestamptz, integer) to ezw_runtime;
grant execute on function ezw.erasure_step(uuid, uuid, integer) to ezw_runtime;
grant execute on function ezw.erasure_next(integer) to ezw_runtime;
grant select, insert, update, delete on ezw.erasure to ezw_runtime;

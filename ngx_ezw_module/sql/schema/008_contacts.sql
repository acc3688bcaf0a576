-- Contacts: create, update, erase; and the audit log's rows.

-- One row of the audit log, for the actor of a request.
create function ezw.audit_add(a_company uuid, a_id uuid, a_event_type text, a_actor text, a_target_type text,
    a_target_id text, a_address text, a_trace text, a_data json)
returns void
language plpgsql
as $$
begin
    insert into ezw.audit_log (
        company,
        id,
        event_type,
        actor_type,
        actor_id,
        target_type,
        target_id,
        address,
        trace,
        data
    )
    values (
        a_company,
        a_id,
        a_event_type,
        case
            when a_actor is null then 'system'
            when a_actor ~ '@key[.]' then 'key'
            when a_actor ~ '@ai[.]' then 'assistant'
            else 'user'
        end,
        a_actor,
        a_target_type,
        a_target_id,
        a_address,
        a_trace,
        a_data
    );
end
$$;

-- Was this request here before? Its audit row has the id that came with it.
create function ezw.audit_exists(a_company uuid, a_id uuid)
returns boolean
language plpgsql
stable
as $$
begin
    return exists (
        select
        from ezw.audit_log g
        where g.company = a_company
          and g.id = a_id
    );
end
$$;


create function ezw.contact_create(a_company uuid, a_channel text, a_jid text, a_id uuid, a_full_name text,
    a_first_name text, a_last_name text, a_reference text, a_remarks text, a_metadata json)
returns ezw.contact_answer
language plpgsql
as $$
declare
    l_answer ezw.contact_answer;
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

    if l_held.contact = a_id then
        return ezw.contact_answered(a_company, a_id);
    end if;

    if l_held.contact is not null then
        l_answer.refusal := 'duplicate';
        return l_answer;
    end if;

    insert into ezw.contact (
        company,
        id,
        channel,
        jid,
        phone_number,
        full_name,
        first_name,
        last_name,
        reference,
        remarks,
        metadata
    )
    values (
        a_company,
        a_id,
        l_channel,
        a_jid,
        ezw.jid_phone(a_jid),
        a_full_name,
        a_first_name,
        a_last_name,
        a_reference,
        a_remarks,
        coalesce(a_metadata, '{}')
    );

    return ezw.contact_answered(a_company, a_id);
end
$$;

create function ezw.contact_update(a_company uuid, a_channel text, a_jid text, a_has_metadata boolean,
    a_metadata json, a_has_name boolean, a_full_name text, a_first_name text, a_last_name text,
    a_has_reference boolean, a_reference text, a_has_remarks boolean, a_remarks text, a_audit uuid,
    a_actor text, a_address text, a_trace text)
returns ezw.contact_answer
language plpgsql
as $$
declare
    l_answer ezw.contact_answer;
    l_channel uuid;
    l_held ezw.held;
    l_full_name text;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    select c.full_name
    into l_full_name
    from ezw.contact c
    where c.company = a_company
      and c.id = l_held.contact
    for no key update;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    update ezw.contact c
    set
        metadata = n.metadata,
        full_name = n.full_name,
        first_name = n.first_name,
        last_name = n.last_name,
        reference = n.reference,
        remarks = n.remarks
    from ezw.contact o
    cross join lateral (
        select
            case when a_has_metadata then coalesce(a_metadata, '{}') else o.metadata end as metadata,
            case when a_has_name then a_full_name else o.full_name end as full_name,
            case when a_has_name then a_first_name else o.first_name end as first_name,
            case when a_has_name then a_last_name else o.last_name end as last_name,
            case when a_has_reference then a_reference else o.reference end as reference,
            case when a_has_remarks then a_remarks else o.remarks end as remarks
    ) n
    where o.company = a_company
      and o.id = l_held.contact
      and c.company = o.company
      and c.id = o.id
      and row (o.metadata::text, o.full_name, o.first_name, o.last_name, o.reference, o.remarks)
        is distinct from
        row (n.metadata::text, n.full_name, n.first_name, n.last_name, n.reference, n.remarks);

    if found then
        insert into ezw.event (company, contact, kind, channel)
        values (a_company, l_held.contact, 'contact.updated', l_channel);

        if a_has_name and a_full_name is distinct from l_full_name then
            perform ezw.audit_add(a_company, a_audit, 'contact.renamed', a_actor, 'contact',
                l_held.contact::text, a_address, a_trace, null);
        end if;
    end if;

    return ezw.contact_answered(a_company, l_held.contact);
end
$$;

-- Takes away everything of a contact (DECISIONS 7) and answers a refusal or
-- null. What stays: its block as a hash, and the audit row with the SHA-256
-- of its JID, by which the same request is known when it comes again.
create function ezw.contact_erase(a_company uuid, a_channel text, a_jid text, a_audit uuid, a_actor text,
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

    perform
    from ezw.contact c
    where c.company = a_company
      and c.id = l_held.contact
    for update;

    if not found then
        return case when not ezw.audit_exists(a_company, a_audit) then 'not_found' end;
    end if;

    delete from ezw.outbox o
    where o.company = a_company
      and o.conversation = l_held.conversation;

    delete from ezw.delivery d
    where d.company = a_company
      and d.conversation = l_held.conversation;

    delete from ezw.attachment t
    where t.company = a_company
      and t.conversation = l_held.conversation;

    with gone as (
        delete from ezw.message m
        where m.company = a_company
          and m.conversation = l_held.conversation
        returning
            m.provider_id,
            array[m.created_at, m.sent_at, m.delivered_at, m.read_at, m.played_at, m.failed_at] as told_at
    ), told as (
        delete from ezw.event e
        using gone
        cross join lateral unnest(gone.told_at) t (at)
        where e.company = a_company
          and e.created_at = t.at
          and e.conversation = l_held.conversation
    )
    delete from ezw.provider_message p
    using gone
    where p.company = a_company
      and p.channel = l_channel
      and p.provider_id = gone.provider_id;

    delete from ezw.comment k
    where k.company = a_company
      and k.conversation = l_held.conversation;

    delete from ezw.conversation_label l
    where l.company = a_company
      and l.conversation = l_held.conversation;

    delete from ezw.conversation v
    where v.company = a_company
      and v.id = l_held.conversation;

    delete from ezw.event e
    where e.company = a_company
      and e.contact = l_held.contact;

    delete from ezw.contact_note n
    where n.company = a_company
      and n.contact = l_held.contact;

    delete from ezw.list_participant p
    where p.company = a_company
      and p.contact = l_held.contact;

    delete from ezw.idempotency i
    where i.company = a_company
      and i.channel = a_channel
      and i.contact in (
        select l_held.jid
        union
        select a.value
        from ezw.contact_alias a
        where a.company = a_company
          and a.contact = l_held.contact
          and a.kind = 'jid'
      );

    update ezw.block b
    set jid = null
    where b.company = a_company
      and b.channel = l_channel
      and b.hash = ezw.block_hash(l_held.jid);

    delete from ezw.contact_alias a
    where a.company = a_company
      and a.contact = l_held.contact;

    delete from ezw.contact c
    where c.company = a_company
      and c.id = l_held.contact;

    perform ezw.audit_add(a_company, a_audit, 'contact.erased', a_actor, 'contact',
        encode(sha256(convert_to(l_held.jid, 'UTF8')), 'hex'), a_address, a_trace, null);

    return null;
end
$$;

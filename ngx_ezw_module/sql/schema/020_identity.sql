-- People whose number is hidden (DECISIONS 2): every name that the platform
-- gives a person leads to one contact.

-- Can a message be addressed to this JID? One of a hidden number of which
-- nothing but a QR line's own name (LID) is known cannot.
create function ezw.jid_sendable(a_jid text)
returns boolean
language sql
immutable
as $$
    select a_jid not like 'lid.%'
$$;

-- A name of the platform's as a JID of the channel's domain.
create function ezw.alias_jid(a_channel_jid text, a_kind text, a_value text)
returns text
language sql
immutable
as $$
    select case
        when a_kind = 'jid' then a_value
        when a_kind = 'lid' then 'lid.' || a_value || '@' || split_part(a_channel_jid, '@', 2)
        else a_value || '@' || split_part(a_channel_jid, '@', 2)
    end
$$;

-- Gives a contact names, each as the platform's and as a JID, by which every
-- endpoint finds it. What was another contact's name is this one's now: the
-- platform says so.
create function ezw.contact_aliases_bind(a_company uuid, a_channel uuid, a_contact uuid, a_aliases json)
returns void
language plpgsql
as $$
begin
    insert into ezw.contact_alias (company, channel, kind, value, contact)
    select
        a_company,
        a_channel,
        n.kind,
        n.value,
        a_contact
    from ezw.contact c
    cross join lateral (
        select
            e.value ->> 'kind' as kind,
            e.value ->> 'value' as value
        from json_array_elements(coalesce(a_aliases, '[]')) e
        union
        select
            'jid',
            ezw.alias_jid(c.channel_jid, e.value ->> 'kind', e.value ->> 'value')
        from json_array_elements(coalesce(a_aliases, '[]')) e
    ) n
    where c.company = a_company
      and c.id = a_contact
      and n.value <> c.jid
    order by n.kind, n.value
    on conflict (company, channel, kind, value) do update
    set contact = excluded.contact
    where contact_alias.contact <> excluded.contact;
end
$$;

-- The contacts that some JIDs mean, the locks' order.
create function ezw.contacts_named(a_company uuid, a_channel_jid text, a_jids text[])
returns uuid[]
language plpgsql
stable
as $$
begin
    return array(
        select distinct f.contact
        from unnest(a_jids) j (jid)
        cross join lateral (
            select ezw.contact_find(a_company, a_channel_jid, j.jid) as contact
        ) f
        where f.contact is not null
        order by f.contact
    );
end
$$;

-- A contact is blocked under one JID, its own: the block of one that it is
-- not any more goes over to it, and its conversation knows.
create function ezw.block_move(a_company uuid, a_channel uuid, a_from_jid text, a_jid text)
returns void
language plpgsql
as $$
begin
    with gone as (
        delete from ezw.block b
        where b.company = a_company
          and b.channel = a_channel
          and b.hash = ezw.block_hash(a_from_jid)
        returning
            b.dropped,
            b.dropped_at,
            b.created_by,
            b.created_at
    )
    insert into ezw.block (company, channel, hash, jid, dropped, dropped_at, created_by, created_at)
    select
        a_company,
        a_channel,
        ezw.block_hash(a_jid),
        a_jid,
        g.dropped,
        g.dropped_at,
        g.created_by,
        g.created_at
    from gone g
    on conflict (company, channel, hash) do update
    set
        dropped = block.dropped + excluded.dropped,
        dropped_at = greatest(block.dropped_at, excluded.dropped_at),
        jid = excluded.jid;

    update ezw.conversation v
    set blocked = not v.blocked
    where v.company = a_company
      and v.channel = a_channel
      and v.contact_jid = a_jid
      and v.blocked <> ezw.contact_blocked(a_company, a_channel, a_jid);
end
$$;

-- Gives a contact another JID of its own; the one that it had goes on to
-- answer. The caller holds both (ezw.contact_lock) and the conversation.
create function ezw.contact_rename(a_company uuid, a_channel uuid, a_contact uuid, a_jid text)
returns void
language plpgsql
as $$
declare
    l_old text;
    l_conversation uuid;
    l_version integer;
begin
    select c.jid
    into l_old
    from ezw.contact c
    where c.company = a_company
      and c.id = a_contact;

    delete from ezw.contact_alias a
    where a.company = a_company
      and a.channel = a_channel
      and a.kind = 'jid'
      and a.value = a_jid;

    update ezw.contact c
    set
        jid = a_jid,
        phone_number = ezw.jid_phone(a_jid)
    where c.company = a_company
      and c.id = a_contact;

    perform ezw.contact_aliases_bind(a_company, a_channel, a_contact,
        json_build_array(json_build_object('kind', 'jid', 'value', l_old)));

    perform ezw.block_move(a_company, a_channel, l_old, a_jid);

    update ezw.conversation v
    set version = v.version + 1
    where v.company = a_company
      and v.channel = a_channel
      and v.contact_jid = a_jid
    returning
        v.id,
        v.version
    into
        l_conversation,
        l_version;

    insert into ezw.event (company, contact, kind, channel, conversation, version)
    values (a_company, a_contact, 'contact.updated', a_channel, l_conversation, l_version);
end
$$;

-- A phone's contact is the one that has this number now. One that had it
-- before and is known by a message of its new owner only is another person:
-- it does not answer to the number any more.
create function ezw.phone_release(a_company uuid, a_channel uuid, a_channel_jid text, a_phone text,
    a_others text[])
returns void
language plpgsql
as $$
begin
    delete from ezw.contact_alias a
    using ezw.contact c
    where a.company = a_company
      and a.channel = a_channel
      and c.company = a.company
      and c.id = a.contact
      and c.phone_number is not null
      and c.jid <> a_phone
      and (
        (a.kind = 'jid' and a.value = a_phone)
        or (a.kind = 'phone' and a.value = split_part(a_phone, '@', 1))
      )
      and c.id <> all (ezw.contacts_named(a_company, a_channel_jid, a_others));
end
$$;

-- Locks the contact that all the names of a_aliases mean (as
-- ezw.contact_hold), after it has made one of those that mean it so far and
-- has given it all the names: the phone's first, else the one whose number is
-- known, else the oldest. Its JID is the phone's, where one is told (the first
-- of a_aliases, or a_jid). Two that have a number each are two people, unless
-- a_moved says that the person changed it. Where there is none yet, all names
-- are held (ezw.contact_lock) for the one who makes it.
create function ezw.contact_unite(a_company uuid, a_channel uuid, a_channel_jid text, a_jid text,
    a_aliases json, a_moved boolean)
returns ezw.held
language plpgsql
as $$
declare
    l_held ezw.held;
    l_phone text;
    l_jids text[];
    l_contacts uuid[];
    l_into uuid;
    l_from uuid;
begin
    select coalesce(
        (array_agg(n.jid order by n.place) filter (where ezw.jid_phone(n.jid) is not null))[1],
        a_jid
    ),
        array_agg(distinct n.jid order by n.jid)
    into
        l_held.jid,
        l_jids
    from (
        select
            0 as place,
            a_jid as jid
        union all
        select
            e.place,
            ezw.alias_jid(a_channel_jid, e.value ->> 'kind', e.value ->> 'value')
        from json_array_elements(a_aliases) with ordinality e (value, place)
    ) n;

    l_phone := case when ezw.jid_phone(l_held.jid) is not null then l_held.jid end;

    perform ezw.contact_lock(a_channel, j.jid)
    from unnest(l_jids) j (jid);

    if l_phone is not null and not a_moved then
        perform ezw.phone_release(a_company, a_channel, a_channel_jid, l_phone, array_remove(l_jids, l_phone));
    end if;

    for l_try in 1 .. 3 loop
        l_contacts := ezw.contacts_named(a_company, a_channel_jid, l_jids);

        perform
        from ezw.contact c
        join ezw.conversation v
          on v.company = c.company
         and v.channel = c.channel
         and v.contact_jid = c.jid
        where c.company = a_company
          and c.id = any (l_contacts)
        order by v.id
        for no key update of v;

        perform
        from ezw.contact c
        where c.company = a_company
          and c.id = any (l_contacts)
        order by c.id
        for update;

        exit when l_contacts = ezw.contacts_named(a_company, a_channel_jid, l_jids);

        if l_try = 3 then
            raise exception 'contact_unite: the contacts change again and again'
                using errcode = 'serialization_failure';
        end if;
    end loop;

    if cardinality(l_contacts) = 0 then
        return l_held;
    end if;

    select c.id
    into l_into
    from ezw.contact c
    where c.company = a_company
      and c.id = any (l_contacts)
    order by c.jid = l_phone desc nulls last, c.phone_number is null, c.id
    limit 1;

    for l_from in
        select c.id
        from ezw.contact c
        join ezw.contact i
          on i.company = a_company
         and i.id = l_into
        where c.company = a_company
          and c.id = any (l_contacts)
          and c.id <> l_into
          and (a_moved or c.phone_number is null or i.phone_number is null)
        order by c.id
    loop
        perform ezw.contact_merge(a_company, a_channel, l_into, l_from);
    end loop;

    if l_phone is not null then
        perform ezw.contact_rename(a_company, a_channel, c.id, l_phone)
        from ezw.contact c
        where c.company = a_company
          and c.id = l_into
          and c.jid <> l_phone;
    end if;

    perform ezw.contact_aliases_bind(a_company, a_channel, l_into, a_aliases);

    select
        c.id,
        c.jid,
        v.id
    into l_held
    from ezw.contact c
    left join ezw.conversation v
      on v.company = c.company
     and v.channel = c.channel
     and v.contact_jid = c.jid
    where c.company = a_company
      and c.id = l_into;

    return l_held;
end
$$;

-- Locks what there is of the contact that a message comes from, as
-- ezw.contact_hold does. a_aliases are the names that the platform told with
-- it: [{"kind":"phone|bsuid|parent_bsuid|lid","value":".."}], or null. Where
-- there is no contact yet the caller makes it, of the JID that is answered,
-- and then calls ezw.contact_aliases_bind. As a rule all names are known and
-- mean one contact: then nothing is locked but that.
create function ezw.contact_resolve(a_company uuid, a_channel uuid, a_channel_jid text, a_jid text,
    a_aliases json)
returns ezw.held
language plpgsql
as $$
begin
    if a_aliases is null or json_array_length(a_aliases) = 0 then
        return ezw.contact_hold(a_company, a_channel, a_channel_jid, a_jid);
    end if;

    if (
        select count(*) = count(c.id)
            and count(distinct c.id) = 1
            and coalesce(bool_and(c.jid = n.jid) filter (where ezw.jid_phone(n.jid) is not null), true)
        from (
            select a_jid as jid
            union
            select ezw.alias_jid(a_channel_jid, e.value ->> 'kind', e.value ->> 'value')
            from json_array_elements(a_aliases) e
        ) n
        left join ezw.contact c
          on c.company = a_company
         and c.id = ezw.contact_find(a_company, a_channel_jid, n.jid)
    ) then
        return ezw.contact_hold(a_company, a_channel, a_channel_jid, a_jid);
    end if;

    return ezw.contact_unite(a_company, a_channel, a_channel_jid, a_jid, a_aliases, false);
end
$$;

-- For connectors: the platform says that these names are one person's (a LID
-- that was resolved; a BSUID and a phone); with a_moved, that the person had
-- the later ones of them before the first (another number, another BSUID).
-- Makes no contact; answers the JID of the one that there is, or null.
create function ezw.contact_pair(a_company uuid, a_channel text, a_aliases json, a_moved boolean)
returns table (refusal text, jid text)
language plpgsql
as $$
#variable_conflict use_column
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
        return query values ('not_found', null::text);
        return;
    end if;

    l_held := ezw.contact_unite(a_company, l_channel, a_channel,
        ezw.alias_jid(a_channel, a_aliases -> 0 ->> 'kind', a_aliases -> 0 ->> 'value'),
        a_aliases, a_moved);

    return query values (null::text, case when l_held.contact is not null then l_held.jid end);
end
$$;


revoke all on function ezw.jid_sendable(text) from public;
revoke all on function ezw.alias_jid(text, text, text) from public;
revoke all on function ezw.contact_aliases_bind(uuid, uuid, uuid, json) from public;
revoke all on function ezw.contacts_named(uuid, text, text[]) from public;
revoke all on function ezw.block_move(uuid, uuid, text, text) from public;
revoke all on function ezw.contact_rename(uuid, uuid, uuid, text) from public;
revoke all on function ezw.phone_release(uuid, uuid, text, text, text[]) from public;
revoke all on function ezw.contact_unite(uuid, uuid, text, text, json, boolean) from public;
revoke all on function ezw.contact_resolve(uuid, uuid, text, text, json) from public;
revoke all on function ezw.contact_pair(uuid, text, json, boolean) from public;
grant execute on function ezw.jid_sendable(text) to ezw_runtime;
grant execute on function ezw.alias_jid(text, text, text) to ezw_runtime;
grant execute on function ezw.contact_aliases_bind(uuid, uuid, uuid, json) to ezw_runtime;
grant execute on function ezw.contacts_named(uuid, text, text[]) to ezw_runtime;
grant execute on function ezw.block_move(uuid, uuid, text, text) to ezw_runtime;
grant execute on function ezw.contact_rename(uuid, uuid, uuid, text) to ezw_runtime;
grant execute on function ezw.phone_release(uuid, uuid, text, text, text[]) to ezw_runtime;
grant execute on function ezw.contact_unite(uuid, uuid, text, text, json, boolean) to ezw_runtime;
grant execute on function ezw.contact_resolve(uuid, uuid, text, text, json) to ezw_runtime;
grant execute on function ezw.contact_pair(uuid, text, json, boolean) to ezw_runtime;
grant insert, update on ezw.contact_alias to ezw_runtime;

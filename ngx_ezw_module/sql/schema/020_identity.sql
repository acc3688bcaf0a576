-- People whose number is hidden (DECISIONS 2): every name that the platform
-- gives a person leads to one contact.

-- Can a message be addressed to this JID? One of a hidden number that nothing
-- but a QR line's own name (LID) is known of cannot.
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
-- endpoint finds it. What another contact was called is this one's now: the
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

-- Locks what there is of the contact that a message comes from, as
-- ezw.contact_hold does. a_aliases are the names that the platform told with
-- it: [{"kind":"phone|bsuid|parent_bsuid|lid","value":".."}], or null. Where
-- there is no contact yet the caller makes it, of the JID that is answered,
-- and then calls ezw.contact_aliases_bind.
create function ezw.contact_resolve(a_company uuid, a_channel uuid, a_channel_jid text, a_jid text,
    a_aliases json)
returns ezw.held
language plpgsql
as $$
begin
    return ezw.contact_hold(a_company, a_channel, a_channel_jid, a_jid);
end
$$;

revoke all on function ezw.jid_sendable(text) from public;
revoke all on function ezw.alias_jid(text, text, text) from public;
revoke all on function ezw.contact_aliases_bind(uuid, uuid, uuid, json) from public;
revoke all on function ezw.contact_resolve(uuid, uuid, text, text, json) from public;
grant execute on function ezw.jid_sendable(text) to ezw_runtime;
grant execute on function ezw.alias_jid(text, text, text) to ezw_runtime;
grant execute on function ezw.contact_aliases_bind(uuid, uuid, uuid, json) to ezw_runtime;
grant execute on function ezw.contact_resolve(uuid, uuid, text, text, json) to ezw_runtime;
grant insert, update on ezw.contact_alias to ezw_runtime;

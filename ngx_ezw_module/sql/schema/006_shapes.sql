-- What the endpoints answer, as views and types: one place for reads and for
-- the functions that answer what they have written.

-- A contact's newest 100 notes, in the order of their creation.
create function ezw.contact_notes(a_company uuid, a_contact uuid)
returns json
language plpgsql
stable
as $$
begin
    return (
        select ('[' || coalesce(string_agg(row_to_json(w)::text, ',' order by n.id), '') || ']')::json
        from (
            select
                o.id,
                o.body,
                o.created_at,
                o.created_by,
                o.is_pinned,
                o.is_read_only,
                o.updated_at,
                o.reference_id
            from ezw.contact_note o
            where o.company = a_company
              and o.contact = a_contact
            order by o.id desc
            limit 100
        ) n
        cross join lateral (
            select
                n.body,
                ezw.ts(n.created_at) as "createdAt",
                n.created_by as "createdBy",
                n.id,
                n.is_pinned as "isPinned",
                n.is_read_only as "isReadOnly",
                ezw.ts(n.updated_at) as "updatedAt",
                n.reference_id as "referenceId"
        ) w
    );
end
$$;

create view ezw.contact_shape as
select
    c.company,
    c.id,
    c.channel,
    c.channel_jid,
    c.jid,
    c.metadata,
    c.first_name,
    c.full_name,
    c.last_name,
    case
        when c.noted then ezw.contact_notes(c.company, c.id)
        else '[]'::json
    end as notes,
    c.phone_number,
    c.reference,
    c.remarks,
    c.type
from ezw.contact c;

create view ezw.conversation_shape as
select
    v.company,
    v.id,
    coalesce(v.assignee_assistant, u.email) as assignee,
    h.jid as channel_jid,
    v.contact_jid,
    v.created_at,
    array(
        select l.label
        from ezw.conversation_label l
        where l.company = v.company
          and l.conversation = v.id
        order by l.label
    ) as labels,
    v.last_message_received_at,
    v.last_message_sent_at,
    v.messages_received,
    v.messages_sent,
    v.status,
    v.team,
    v.unread_count
from ezw.channel h
join ezw.conversation v
  on v.company = h.company
 and v.channel = h.id
left join ezw.app_user u
  on u.id = v.assignee_user;

-- What the functions answer: a refusal, or the row after the write.
create type ezw.contact_answer as (
    refusal text,
    jid text,
    metadata json,
    first_name text,
    full_name text,
    last_name text,
    notes json,
    phone_number int8,
    reference text,
    remarks text,
    type text
);

create type ezw.conversation_answer as (
    refusal text,
    field text,
    assignee text,
    channel_jid text,
    contact_jid text,
    created_at timestamptz,
    labels text[],
    last_message_received_at timestamptz,
    last_message_sent_at timestamptz,
    messages_received integer,
    messages_sent integer,
    status text,
    team text,
    unread_count integer
);

create function ezw.contact_answered(a_company uuid, a_contact uuid)
returns ezw.contact_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.contact_answer;
begin
    select
        null,
        w.jid,
        w.metadata,
        w.first_name,
        w.full_name,
        w.last_name,
        w.notes,
        w.phone_number,
        w.reference,
        w.remarks,
        w.type
    into l_answer
    from ezw.contact_shape w
    where w.company = a_company
      and w.id = a_contact;

    return l_answer;
end
$$;

create function ezw.conversation_answered(a_company uuid, a_conversation uuid)
returns ezw.conversation_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.conversation_answer;
begin
    select
        null,
        null,
        w.assignee,
        w.channel_jid,
        w.contact_jid,
        w.created_at,
        w.labels,
        w.last_message_received_at,
        w.last_message_sent_at,
        w.messages_received,
        w.messages_sent,
        w.status,
        w.team,
        w.unread_count
    into l_answer
    from ezw.conversation_shape w
    where w.company = a_company
      and w.id = a_conversation;

    return l_answer;
end
$$;

-- The second look-up of the statements that read a contact or a conversation:
-- plpgsql, so that it costs the first one nothing.
create function ezw.contact_by_alias(a_company uuid, a_channel text, a_jid text)
returns setof ezw.contact_shape
language plpgsql
stable
as $$
begin
    return query
    select
        w.company,
        w.id,
        w.channel,
        w.channel_jid,
        w.jid,
        w.metadata,
        w.first_name,
        w.full_name,
        w.last_name,
        w.notes,
        w.phone_number,
        w.reference,
        w.remarks,
        w.type
    from ezw.channel h
    join ezw.contact_alias a
      on a.company = h.company
     and a.channel = h.id
     and a.kind = 'jid'
     and a.value = a_jid
    join ezw.contact_shape w
      on w.company = a.company
     and w.id = a.contact
    where h.company = a_company
      and h.jid = a_channel;
end
$$;

create function ezw.conversation_by_alias(a_company uuid, a_channel text, a_jid text)
returns setof ezw.conversation_shape
language plpgsql
stable
as $$
begin
    return query
    select
        w.company,
        w.id,
        w.assignee,
        w.channel_jid,
        w.contact_jid,
        w.created_at,
        w.labels,
        w.last_message_received_at,
        w.last_message_sent_at,
        w.messages_received,
        w.messages_sent,
        w.status,
        w.team,
        w.unread_count
    from ezw.channel h
    join ezw.contact_alias a
      on a.company = h.company
     and a.channel = h.id
     and a.kind = 'jid'
     and a.value = a_jid
    join ezw.contact c
      on c.company = a.company
     and c.id = a.contact
    join ezw.conversation_shape w
      on w.company = h.company
     and w.channel_jid = h.jid
     and w.contact_jid = c.jid
    where h.company = a_company
      and h.jid = a_channel;
end
$$;

-- The contact that a JID of a channel means, itself or by an alias.
create function ezw.contact_find(a_company uuid, a_channel text, a_jid text)
returns uuid
language plpgsql
stable
as $$
declare
    l_contact uuid;
begin
    select c.id
    into l_contact
    from ezw.contact c
    where c.company = a_company
      and c.channel_jid = a_channel
      and c.jid = a_jid;

    if not found then
        select a.contact
        into l_contact
        from ezw.channel h
        join ezw.contact_alias a
          on a.company = h.company
         and a.channel = h.id
         and a.kind = 'jid'
         and a.value = a_jid
        where h.company = a_company
          and h.jid = a_channel;
    end if;

    return l_contact;
end
$$;

-- PATCH of a channel; zero rows when there is none.
create function ezw.channel_update(a_company uuid, a_channel text, a_has_name boolean, a_name text,
    a_has_priority boolean, a_priority integer)
returns table (data_retention_in_days integer, jid text, name text, priority integer)
language plpgsql
as $$
#variable_conflict use_column
begin
    update ezw.channel h
    set
        name = case when a_has_name then a_name else h.name end,
        priority = case when a_has_priority then a_priority else h.priority end
    where h.company = a_company
      and h.jid = a_channel
      and (
        (a_has_name and h.name <> a_name)
        or (a_has_priority and h.priority is distinct from a_priority)
      );

    return query
    select
        h.data_retention_in_days,
        h.jid,
        h.name,
        h.priority
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;
end
$$;

-- Messages: reading them; sending every type; what comes in beside them.

-- Reading ------------------------------------------------------------------

-- The second look-up of the statements that read messages: plpgsql, so that it
-- costs the first one nothing.
create function ezw.messages_by_alias(a_company uuid, a_channel text, a_jid text)
returns table (company uuid, id uuid, contact_jid text, created_at timestamptz, last_message_at timestamptz)
language plpgsql
stable
as $$
#variable_conflict use_column
begin
    return query
    select
        v.company,
        v.id,
        v.contact_jid,
        v.created_at,
        v.last_message_at
    from ezw.channel h
    join ezw.contact_alias a
      on a.company = h.company
     and a.channel = h.id
     and a.kind = 'jid'
     and a.value = a_jid
    join ezw.contact c
      on c.company = a.company
     and c.id = a.contact
    join ezw.conversation v
      on v.company = c.company
     and v.channel = c.channel
     and v.contact_jid = c.jid
    where h.company = a_company
      and h.jid = a_channel;
end
$$;

-- A message of a conversation by its id as it stands in a path: what is no id
-- is no message's.
create function ezw.message_find(a_company uuid, a_conversation uuid, a_id text)
returns setof ezw.message
language plpgsql
stable
as $$
declare
    l_id bytea;
    l_at timestamptz;
begin
    if a_id !~ '^[0-9a-fA-F]{40}$' then
        return;
    end if;

    l_id := decode(a_id, 'hex');
    l_at := ezw.message_time(l_id);

    return query
    select
        m.company,
        m.conversation,
        m.created_at,
        m.seq,
        m.id,
        m.direction,
        m.sender_type,
        m.sender_id,
        m.type,
        m.status,
        m.body,
        m.provider_id,
        m.sent_at,
        m.delivered_at,
        m.read_at,
        m.played_at,
        m.failed_at,
        m.error_code,
        m.error_text
    from ezw.message m
    where m.company = a_company
      and m.id = l_id
      and m.created_at >= l_at - interval '1 day'
      and m.created_at <= l_at + interval '1 day'
      and m.conversation = a_conversation;
end
$$;

-- The states that a message has been through, as they stand on the wire.
create function ezw.message_states(a_direction text, a_created_at timestamptz, a_sent_at timestamptz,
    a_delivered_at timestamptz, a_read_at timestamptz, a_played_at timestamptz, a_failed_at timestamptz)
returns json
language plpgsql
stable
as $$
begin
    return (
        select ('[' || string_agg(row_to_json(w)::text, ',' order by s.at, s.rank) || ']')::json
        from (
            values
                (1, case when a_direction = 'IN' then 'RECEIVED' else 'QUEUED' end, a_created_at),
                (2, 'SENT', a_sent_at),
                (3, 'DELIVERED', a_delivered_at),
                (4, 'READ', a_read_at),
                (5, 'PLAYED', a_played_at),
                (6, 'FAILED', a_failed_at)
        ) s (rank, state, at)
        cross join lateral (
            select
                s.state,
                ezw.ts(s.at) as at
        ) w
        where s.at is not null
    );
end
$$;



-- Sending ------------------------------------------------------------------

-- The sandbox has no care window, but one contact whose window is always
-- closed (courier/ngx_ezw_sandbox.c has the others).
create function ezw.sandbox_closed(a_connector text, a_jid text)
returns boolean
language sql
immutable
as $$
    select a_connector = 'sandbox' and a_jid like '%00001015@%'
$$;

-- Do the parameters that are given, how many of each part and of which kind,
-- fit those that a template takes (base/ezw_template.h, ezw_message.h)? Of its
-- buttons null is one that may have one or not.
create function ezw.template_takes(a_takes json, a_given json)
returns boolean
language plpgsql
immutable
as $$
begin
    return coalesce((a_takes ->> 'header')::integer, 0) = coalesce((a_given ->> 'header')::integer, 0)
        and coalesce((a_takes ->> 'body')::integer, 0) = coalesce((a_given ->> 'body')::integer, 0)
        and coalesce(a_given ->> 'format' = a_takes ->> 'format', a_given ->> 'format' is null)
        and not exists (
            select
            from json_array_elements_text(a_given -> 'types') with ordinality g (kind, place)
            where g.kind is distinct from coalesce(a_takes -> 'types' ->> (g.place::integer - 1), '')
              and g.kind is not null
        )
        and not exists (
            select
            from json_array_elements_text(a_takes -> 'buttons') with ordinality t (n, place)
            full join json_array_elements_text(a_given -> 'buttons') with ordinality g (n, place)
              on g.place = t.place
            where case
                when t.place is null
                then g.n::integer > 0
                when t.n is null
                then coalesce(g.n::integer, 0) > 1
                else coalesce(g.n::integer, 0) <> t.n::integer
            end
        );
end
$$;

-- What a message needs of its channel: an approved template that takes as many
-- parameters, a catalog. Answers a refusal or null; null as well for what was
-- sent before, and where there is no channel, which the send itself will tell.
create function ezw.message_unfit(a_company uuid, a_channel text, a_id bytea, a_template text,
    a_language text, a_parameters json, a_catalog boolean)
returns text
language plpgsql
stable
as $$
declare
    l_refusal text;
    l_channel uuid;
    l_catalog text;
    l_status text;
    l_takes json;
begin
    select
        h.id,
        h.catalog_id
    into
        l_channel,
        l_catalog
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return null;
    end if;

    if a_catalog and l_catalog is null then
        l_refusal := 'catalog_missing';
    end if;

    if a_template is not null then
        select
            w.status,
            w.parameters
        into
            l_status,
            l_takes
        from ezw.template w
        where w.company = a_company
          and w.channel = l_channel
          and w.name = a_template
          and w.language = a_language;

        l_refusal := case
            when not found
                then 'template_unknown'
            when l_status <> 'APPROVED'
                then 'template_unapproved'
            when not ezw.template_takes(l_takes, a_parameters)
                then 'template_parameters'
        end;
    end if;

    if l_refusal is not null and ezw.message_exists(a_company, a_id) then
        return null;
    end if;

    return l_refusal;
end
$$;

drop function ezw.message_send(uuid, text, text, bytea, json, text, text, text, uuid, uuid);

-- A send, the product's hot write. The update is the whole common case: it
-- finds, checks, locks and counts; where it finds nothing, message_send_open
-- says why not or makes a conversation that takes the message. An id that is
-- not greater than all before it may be the same request again:
-- message_send_open looks. Answers a refusal or null. What it quotes is not
-- looked for: a message that is gone is no reason not to send its answer.
create function ezw.message_send(a_company uuid, a_channel text, a_jid text, a_id bytea, a_body json,
    a_type text, a_assistant text, a_actor text, a_new_contact uuid, a_new_conversation uuid,
    a_template text, a_language text, a_parameters json, a_catalog boolean)
returns text
language plpgsql
as $$
declare
    l_refusal text;
    l_at timestamptz := clock_timestamp();
    l_channel uuid;
    l_conversation uuid;
    l_seq int8;
    l_version integer;
begin
    if a_template is not null or a_catalog then
        l_refusal := ezw.message_unfit(a_company, a_channel, a_id, a_template, a_language, a_parameters,
            a_catalog);

        if l_refusal is not null then
            return l_refusal;
        end if;
    end if;

    update ezw.conversation v
    set
        last_seq = v.last_seq + 1,
        last_id = a_id,
        messages_sent = v.messages_sent + 1,
        last_message_at = greatest(l_at, v.last_message_at),
        last_message_sent_at = greatest(l_at, v.last_message_at)
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel
      and h.archived_at is null
      and v.company = a_company
      and v.channel = h.id
      and v.contact_jid = a_jid
      and v.last_id < a_id
      and v.status = 'OPEN'
      and not v.blocked
      and (a_assistant is null or v.assignee_assistant = a_assistant or not v.was_assigned)
      and (
        h.window_seconds is null
        or v.last_message_received_at > l_at - h.window_seconds * interval '1 second'
        or a_type = 'template'
      )
      and (not ezw.sandbox_closed(h.connector, a_jid) or a_type = 'template')
      and ezw.jid_sendable(a_jid)
    returning
        v.channel,
        v.id,
        v.last_seq,
        v.version,
        v.last_message_at
    into
        l_channel,
        l_conversation,
        l_seq,
        l_version,
        l_at;

    if not found and a_jid like '%@list.%' then
        return ezw.message_broadcast(a_company, a_channel, a_jid, a_id, a_body, a_type, a_assistant, a_actor);
    end if;

    if l_conversation is null then
        select
            o.refusal,
            o.channel,
            o.conversation,
            o.seq,
            o.version,
            o.at
        into
            l_refusal,
            l_channel,
            l_conversation,
            l_seq,
            l_version,
            l_at
        from ezw.message_send_open(a_company, a_channel, a_jid, a_id, a_type, a_assistant,
            a_new_contact, a_new_conversation) o;

        if l_conversation is null then
            return l_refusal;
        end if;
    end if;

    insert into ezw.message (
        company,
        conversation,
        created_at,
        seq,
        id,
        direction,
        sender_type,
        sender_id,
        type,
        status,
        body
    )
    values (
        a_company,
        l_conversation,
        l_at,
        l_seq,
        a_id,
        'OUT',
        case when a_assistant is null then 'API' else 'ASSISTANT' end,
        a_actor,
        a_type,
        'QUEUED',
        a_body
    );

    insert into ezw.event (company, created_at, kind, channel, conversation, message, version)
    values (a_company, l_at, 'message.sent', l_channel, l_conversation, a_id, l_version);

    insert into ezw.outbox (company, conversation, seq, channel, kind, message_at, due_at)
    values (a_company, l_conversation, l_seq, l_channel, 'message', l_at, l_at);

    return null;
end
$$;

-- For a send that finds no open conversation that takes it.
create or replace function ezw.message_send_open(a_company uuid, a_channel text, a_jid text, a_id bytea, a_type text,
    a_assistant text, a_new_contact uuid, a_new_conversation uuid)
returns ezw.send_into
language plpgsql
as $$
declare
    l_into ezw.send_into;
    l_at timestamptz;
    l_channel uuid;
    l_archived boolean;
    l_window integer;
    l_connector text;
    l_held ezw.held;
    l_status text;
    l_assistant text;
    l_was_assigned boolean;
    l_blocked boolean;
    l_received_at timestamptz;
begin
    select
        h.id,
        h.archived_at is not null,
        h.window_seconds,
        h.connector
    into
        l_channel,
        l_archived,
        l_window,
        l_connector
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        l_into.refusal := 'not_found';
        return l_into;
    end if;

    l_held := ezw.contact_hold(a_company, l_channel, a_channel, a_jid);

    select
        v.status,
        v.assignee_assistant,
        v.was_assigned,
        v.blocked,
        v.last_message_received_at
    into
        l_status,
        l_assistant,
        l_was_assigned,
        l_blocked,
        l_received_at
    from ezw.conversation v
    where v.company = a_company
      and v.id = l_held.conversation;

    -- sent before: what would be refused now was not then
    if ezw.message_exists(a_company, a_id) then
        return l_into;
    end if;

    l_at := clock_timestamp();
    l_into.refusal := case
        when l_archived
            then 'channel_archived'
        when coalesce(l_blocked, ezw.contact_blocked(a_company, l_channel, l_held.jid))
            then 'blocked'
        when a_assistant is not null
            and l_status = 'OPEN'
            and l_was_assigned
            and l_assistant is distinct from a_assistant
            then 'no_ownership'
        when not ezw.jid_sendable(l_held.jid)
            then 'not_on_whatsapp'
        when a_type <> 'template'
            and (
                (
                    l_window is not null
                    and (l_received_at > l_at - l_window * interval '1 second') is not true
                )
                or ezw.sandbox_closed(l_connector, l_held.jid)
            )
            then 'window_expired'
    end;

    if l_into.refusal is not null then
        return l_into;
    end if;

    l_into.conversation := ezw.conversation_open(a_company, l_channel, l_held, a_new_contact,
        a_new_conversation, null, a_assistant,
        case when l_status = 'CLOSED' then 'reopen' else 'api' end, l_at);

    update ezw.conversation v
    set
        last_seq = v.last_seq + 1,
        last_id = greatest(a_id, v.last_id),
        messages_sent = v.messages_sent + 1,
        last_message_at = greatest(l_at, v.last_message_at),
        last_message_sent_at = greatest(l_at, v.last_message_at)
    where v.company = a_company
      and v.id = l_into.conversation
    returning
        v.channel,
        v.last_seq,
        v.version,
        v.last_message_at
    into
        l_into.channel,
        l_into.seq,
        l_into.version,
        l_into.at;

    return l_into;
end
$$;

-- A message to each participant of a list, as if it had been sent to him alone;
-- who may not be sent to is left out. Their ids begin with the same 20 digits
-- as a_id, the one that is answered: by these a receipt is known. A refusal or
-- null. 500 at most: it is one transaction.
create function ezw.message_broadcast(a_company uuid, a_channel text, a_list text, a_id bytea, a_body json,
    a_type text, a_assistant text, a_actor text)
returns text
language plpgsql
as $$
declare
    l_jids text[];
begin
    perform
    from ezw.channel h
    join ezw.list w
      on w.company = h.company
     and w.jid = a_list
     and w.channel = h.id
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return 'not_found';
    end if;

    l_jids := array(
        select c.jid
        from ezw.list_participant p
        join ezw.contact c
          on c.company = p.company
         and c.id = p.contact
        where p.company = a_company
          and p.list = a_list
        order by c.jid
        limit 501
    );

    if a_type <> 'template' then
        return 'list_template';
    end if;

    if cardinality(l_jids) > 500 then
        return 'list_too_large';
    end if;

    perform ezw.message_send(a_company, a_channel, n.jid, n.id, a_body, a_type, a_assistant, a_actor, null,
        encode(substr(n.id, 1, 16), 'hex')::uuid, null, null, null, null)
    from (
        select
            j.jid,
            ezw.message_id_of(a_id, j.jid) as id
        from unnest(l_jids) with ordinality j (jid, place)
        order by j.place
    ) n;

    return null;
end
$$;


-- Beside what is sent and received -----------------------------------------

-- One of the module's own ids that is made of another: the same each time. It
-- begins as that does, with its time.
create function ezw.message_id_of(a_id bytea, a_what text)
returns bytea
language sql
immutable
as $$
    select substr(a_id, 1, 10) || substr(sha256(a_id || convert_to(a_what, 'UTF8')), 1, 10)
$$;

-- Does anything go out by itself? So that a channel without automated messages
-- need not look for them at each message that comes in.
alter table ezw.channel add column automated boolean not null default false;

create function ezw.automated_message_note()
returns trigger
language plpgsql
as $$
begin
    -- locked first: of two who change one type each, the later sees both
    perform
    from ezw.channel h
    where h.company = new.company
      and h.id = new.channel
    for no key update;

    update ezw.channel h
    set automated = n.automated
    from (
        select exists (
            select
            from ezw.automated_message a
            where a.company = new.company
              and a.channel = new.channel
              and a.enabled
        ) as automated
    ) n
    where h.company = new.company
      and h.id = new.channel
      and h.automated <> n.automated;

    return null;
end
$$;

create trigger note
after insert or update on ezw.automated_message
for each row
execute function ezw.automated_message_note();

update ezw.channel h
set automated = true
from ezw.automated_message a
where a.company = h.company
  and a.channel = h.id
  and a.enabled;

-- When the conversation was last told that nobody is there.
alter table ezw.conversation add column away_at timestamptz;

-- Sends what a channel answers by itself to a message that came in
-- (DECISIONS 10): a greeting to the first one ever or in 14 days, and after
-- that, at most every 12 hours, that no agent is there. a_before is when the
-- message before it came in. The caller holds the conversation. It goes out as
-- every message does, but asks for no owner; and the window is open.
create function ezw.automated_send(a_company uuid, a_channel uuid, a_conversation uuid, a_id bytea,
    a_before timestamptz, a_at timestamptz)
returns void
language plpgsql
as $$
declare
    l_type text;
    l_text text;
    l_id bytea;
    l_at timestamptz;
    l_seq int8;
    l_version integer;
begin
    for l_type, l_text in
        select
            a.type,
            a.body
        from ezw.automated_message a
        join ezw.conversation v
          on v.company = a_company
         and v.id = a_conversation
        where a.company = a_company
          and a.channel = a_channel
          and a.enabled
          and case a.type
                when 'GREETING'
                then (a_before > a_at - interval '14 days') is not true
                else (v.away_at > a_at - interval '12 hours') is not true
                    and not ezw.agent_online(a_company, a_channel)
            end
        order by a.type desc
    loop
        l_id := ezw.message_id_of(a_id, l_type);
        l_at := clock_timestamp();

        update ezw.conversation v
        set
            last_seq = v.last_seq + 1,
            messages_sent = v.messages_sent + 1,
            last_message_at = greatest(l_at, v.last_message_at),
            last_message_sent_at = greatest(l_at, v.last_message_at),
            away_at = case when l_type = 'AWAY' then l_at else v.away_at end
        where v.company = a_company
          and v.id = a_conversation
        returning
            v.last_seq,
            v.version,
            v.last_message_at
        into
            l_seq,
            l_version,
            l_at;

        insert into ezw.message (
            company,
            conversation,
            created_at,
            seq,
            id,
            direction,
            sender_type,
            sender_id,
            type,
            status,
            body
        )
        values (
            a_company,
            a_conversation,
            l_at,
            l_seq,
            l_id,
            'OUT',
            'AUTOMATED',
            l_type,
            'text',
            'QUEUED',
            json_build_object('body', l_text, 'type', 'text')
        );

        insert into ezw.event (company, created_at, kind, channel, conversation, message, version)
        values (a_company, l_at, 'message.sent', a_channel, a_conversation, l_id, l_version);

        insert into ezw.outbox (company, conversation, seq, channel, kind, message_at, due_at)
        values (a_company, a_conversation, l_seq, a_channel, 'message', l_at, l_at);
    end loop;
end
$$;

-- A member at the end of an object that is passed through as it is.
create function ezw.json_with(a_object json, a_name text, a_value json)
returns json
language sql
immutable
as $$
    select (
        n.head
        || case when n.head = '{' then '' else ',' end
        || to_json(a_name)::text || ':' || coalesce(a_value, 'null')::text || '}'
    )::json
    from (
        select rtrim(left(btrim(a_object::text, E' \t\r\n'), -1), E' \t\r\n') as head
    ) n
$$;

drop function ezw.message_receive(uuid, text, text, text, text, bytea, json, text, uuid, uuid);

-- A message from the platform. The provider's id is written first, because
-- only the write can tell whether it is new. a_about is what the platform
-- calls the message that this one is about: the one that it quotes, reacts to
-- or answers by a button; that we do not know it is no harm. A postback's body
-- is {"type","payload","title"}: it tells itself instead of a message, and is
-- one of the conversation all the same.
create function ezw.message_receive(a_company uuid, a_channel text, a_jid text, a_full_name text,
    a_provider_id text, a_id bytea, a_body json, a_type text, a_new_contact uuid, a_new_conversation uuid,
    a_aliases json, a_about text)
returns table (refusal text, result text, id bytea)
language plpgsql
as $$
#variable_conflict use_column
declare
    l_full_name text := nullif(btrim(a_full_name), '');
    l_at timestamptz;
    l_channel uuid;
    l_held ezw.held;
    l_conversation uuid;
    l_known bytea;
    l_automated boolean;
    l_before timestamptz;
    l_about json;
    l_body json := a_body;
    l_payload json;
    l_seq int8;
    l_version integer;
begin
    select
        h.id,
        h.automated
    into
        l_channel,
        l_automated
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return query values ('not_found', null::text, null::bytea);
        return;
    end if;

    l_held := ezw.contact_resolve(a_company, l_channel, a_channel, a_jid, a_aliases);

    insert into ezw.provider_message (company, channel, provider_id)
    values (a_company, l_channel, a_provider_id)
    on conflict do nothing;

    if not found then
        select p.message
        into l_known
        from ezw.provider_message p
        where p.company = a_company
          and p.channel = l_channel
          and p.provider_id = a_provider_id;

        return query values (
            null::text,
            case
                when l_known is null then 'BLOCKED'
                when l_known = a_id then 'STORED'
                else 'DUPLICATE'
            end,
            l_known
        );
        return;
    end if;

    if ezw.contact_blocked(a_company, l_channel, l_held.jid) then
        update ezw.block b
        set
            dropped = b.dropped + 1,
            dropped_at = clock_timestamp()
        where b.company = a_company
          and b.channel = l_channel
          and b.hash = ezw.block_hash(l_held.jid);

        return query values (null::text, 'BLOCKED', null::bytea);
        return;
    end if;

    -- a contact that a send of ours made has no name yet
    if l_full_name is not null then
        update ezw.contact c
        set
            full_name = l_full_name,
            first_name = ezw.first_name(l_full_name),
            last_name = ezw.last_name(l_full_name)
        where c.company = a_company
          and c.id = l_held.contact
          and c.full_name is null;

        if found then
            insert into ezw.event (company, contact, kind, channel)
            values (a_company, l_held.contact, 'contact.updated', l_channel);
        end if;
    end if;

    if a_about is not null then
        select to_json(encode(p.message, 'hex'))
        into l_about
        from ezw.provider_message p
        where p.company = a_company
          and p.channel = l_channel
          and p.provider_id = a_about
          and p.message is not null;
    end if;

    if a_type = 'postback' then
        l_payload := ezw.json_with(a_body, 'messageId', l_about);
        l_body := json_build_object('postback', l_payload, 'type', a_type);
    elsif a_type = 'reaction' then
        l_body := ezw.json_with(a_body, 'messageId', l_about);
    elsif l_about is not null then
        l_body := ezw.json_with(a_body, 'contextInfo',
            json_build_object('quotedMessage', json_build_object('id', l_about)));
    end if;

    l_at := clock_timestamp();
    l_conversation := ezw.conversation_open(a_company, l_channel, l_held, a_new_contact,
        a_new_conversation, l_full_name, null, 'reopen', l_at);

    if l_held.contact is null and a_aliases is not null then
        perform ezw.contact_aliases_bind(a_company, l_channel, a_new_contact, a_aliases);
    end if;

    if l_automated then
        select v.last_message_received_at
        into l_before
        from ezw.conversation v
        where v.company = a_company
          and v.id = l_conversation;
    end if;

    update ezw.conversation v
    set
        last_seq = v.last_seq + 1,
        messages_received = v.messages_received + 1,
        unread_count = coalesce(v.unread_count, 0) + 1,
        last_message_at = greatest(l_at, v.last_message_at),
        last_message_received_at = greatest(l_at, v.last_message_at)
    where v.company = a_company
      and v.id = l_conversation
    returning
        v.last_seq,
        v.version,
        v.last_message_at
    into
        l_seq,
        l_version,
        l_at;

    insert into ezw.message (
        company,
        conversation,
        created_at,
        seq,
        id,
        direction,
        sender_type,
        type,
        status,
        body,
        provider_id
    )
    values (
        a_company,
        l_conversation,
        l_at,
        l_seq,
        a_id,
        'IN',
        'CONTACT',
        a_type,
        'RECEIVED',
        l_body,
        a_provider_id
    );

    update ezw.provider_message p
    set message = a_id
    where p.company = a_company
      and p.channel = l_channel
      and p.provider_id = a_provider_id;

    insert into ezw.event (company, created_at, kind, channel, conversation, message, version, payload)
    values (
        a_company,
        l_at,
        case when a_type = 'postback' then a_type else 'message' end,
        l_channel,
        l_conversation,
        a_id,
        l_version,
        l_payload
    );

    if l_automated and a_type <> 'reaction' then
        perform ezw.automated_send(a_company, l_channel, l_conversation, a_id, l_before, l_at);
    end if;

    return query values (null::text, 'STORED', a_id);
end
$$;

-- The person types, records, or has stopped. Told to nobody when there is no
-- conversation or he is blocked. Known again by its time, which a_id has.
create function ezw.typing_receive(a_company uuid, a_channel text, a_jid text, a_id bytea, a_state text)
returns void
language plpgsql
as $$
declare
    l_at timestamptz := ezw.message_time(a_id);
begin
    insert into ezw.event (company, contact, created_at, kind, channel, conversation, version, payload)
    select
        a_company,
        v.contact,
        l_at,
        'typing',
        v.channel,
        v.id,
        v.version,
        json_build_object('state', a_state)
    from ezw.contact c
    join ezw.conversation v
      on v.company = c.company
     and v.channel = c.channel
     and v.contact_jid = c.jid
    where c.company = a_company
      and c.id = ezw.contact_find(a_company, a_channel, a_jid)
      and not v.blocked
      and not exists (
        select
        from ezw.event e
        where e.company = a_company
          and e.created_at = l_at
          and e.conversation = v.id
          and e.kind = 'typing'
      );
end
$$;

-- The person has deleted a message of his: what it said is gone, that there
-- was one stays. Again, or of one that is not known: nothing.
create function ezw.message_revoke(a_company uuid, a_channel text, a_provider_id text)
returns void
language plpgsql
as $$
declare
    l_at timestamptz := clock_timestamp();
    l_channel uuid;
    l_id bytea;
    l_from timestamptz;
    l_conversation uuid;
begin
    select
        p.channel,
        p.message
    into
        l_channel,
        l_id
    from ezw.channel h
    join ezw.provider_message p
      on p.company = h.company
     and p.channel = h.id
     and p.provider_id = a_provider_id
    where h.company = a_company
      and h.jid = a_channel;

    if l_id is null then
        return;
    end if;

    l_from := ezw.message_time(l_id) - interval '1 day';

    update ezw.message m
    set
        type = 'revoked',
        body = '{"type":"revoked"}'
    where m.company = a_company
      and m.id = l_id
      and m.created_at >= l_from
      and m.direction = 'IN'
      and m.type <> 'revoked'
    returning m.conversation into l_conversation;

    if not found then
        return;
    end if;

    insert into ezw.event (company, contact, created_at, kind, channel, conversation, message, version)
    select
        a_company,
        v.contact,
        l_at,
        'revoke',
        l_channel,
        v.id,
        l_id,
        v.version
    from ezw.conversation v
    where v.company = a_company
      and v.id = l_conversation;
end
$$;

-- A message that was sent from the phone itself: it is one of ours, and has
-- gone already. The provider's id tells whether it is known; it is not when it
-- was sent by us.
create function ezw.message_device(a_company uuid, a_channel text, a_jid text, a_provider_id text, a_id bytea,
    a_body json, a_type text, a_new_contact uuid, a_new_conversation uuid, a_aliases json)
returns table (refusal text, result text, id bytea)
language plpgsql
as $$
#variable_conflict use_column
declare
    l_at timestamptz;
    l_channel uuid;
    l_held ezw.held;
    l_conversation uuid;
    l_known bytea;
    l_seq int8;
    l_version integer;
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    if not found then
        return query values ('not_found', null::text, null::bytea);
        return;
    end if;

    l_held := ezw.contact_resolve(a_company, l_channel, a_channel, a_jid, a_aliases);

    insert into ezw.provider_message (company, channel, provider_id, message)
    values (a_company, l_channel, a_provider_id, a_id)
    on conflict do nothing;

    if not found then
        select p.message
        into l_known
        from ezw.provider_message p
        where p.company = a_company
          and p.channel = l_channel
          and p.provider_id = a_provider_id;

        return query values (
            null::text,
            case when l_known = a_id then 'STORED' else 'DUPLICATE' end,
            l_known
        );
        return;
    end if;

    l_at := clock_timestamp();
    l_conversation := ezw.conversation_open(a_company, l_channel, l_held, a_new_contact,
        a_new_conversation, null, null, 'reopen', l_at);

    if l_held.contact is null and a_aliases is not null then
        perform ezw.contact_aliases_bind(a_company, l_channel, a_new_contact, a_aliases);
    end if;

    update ezw.conversation v
    set
        last_seq = v.last_seq + 1,
        messages_sent = v.messages_sent + 1,
        last_message_at = greatest(l_at, v.last_message_at),
        last_message_sent_at = greatest(l_at, v.last_message_at)
    where v.company = a_company
      and v.id = l_conversation
    returning
        v.last_seq,
        v.version,
        v.last_message_at
    into
        l_seq,
        l_version,
        l_at;

    insert into ezw.message (
        company,
        conversation,
        created_at,
        seq,
        id,
        direction,
        sender_type,
        type,
        status,
        body,
        provider_id,
        sent_at
    )
    values (
        a_company,
        l_conversation,
        l_at,
        l_seq,
        a_id,
        'OUT',
        'DEVICE',
        a_type,
        'SENT',
        a_body,
        a_provider_id,
        l_at
    );

    insert into ezw.event (company, created_at, kind, channel, conversation, message, version)
    values (a_company, l_at, 'message.sent', l_channel, l_conversation, a_id, l_version);

    return query values (null::text, 'STORED', a_id);
end
$$;


revoke all on function ezw.messages_by_alias(uuid, text, text) from public;
revoke all on function ezw.message_find(uuid, uuid, text) from public;
revoke all on function ezw.message_states(text, timestamptz, timestamptz, timestamptz, timestamptz,
    timestamptz, timestamptz) from public;
revoke all on function ezw.sandbox_closed(text, text) from public;
revoke all on function ezw.template_takes(json, json) from public;
revoke all on function ezw.message_unfit(uuid, text, bytea, text, text, json, boolean) from public;
revoke all on function ezw.message_send(uuid, text, text, bytea, json, text, text, text, uuid, uuid,
    text, text, json, boolean) from public;
revoke all on function ezw.message_broadcast(uuid, text, text, bytea, json, text, text, text) from public;
revoke all on function ezw.message_id_of(bytea, text) from public;
revoke all on function ezw.automated_message_note() from public;
revoke all on function ezw.automated_send(uuid, uuid, uuid, bytea, timestamptz, timestamptz) from public;
revoke all on function ezw.json_with(json, text, json) from public;
revoke all on function ezw.message_receive(uuid, text, text, text, text, bytea, json, text, uuid, uuid,
    json, text) from public;
revoke all on function ezw.typing_receive(uuid, text, text, bytea, text) from public;
revoke all on function ezw.message_revoke(uuid, text, text) from public;
revoke all on function ezw.message_device(uuid, text, text, text, bytea, json, text, uuid, uuid, json) from public;
grant execute on function ezw.messages_by_alias(uuid, text, text) to ezw_runtime;
grant execute on function ezw.message_find(uuid, uuid, text) to ezw_runtime;
grant execute on function ezw.message_states(text, timestamptz, timestamptz, timestamptz, timestamptz,
    timestamptz, timestamptz) to ezw_runtime;
grant execute on function ezw.sandbox_closed(text, text) to ezw_runtime;
grant execute on function ezw.template_takes(json, json) to ezw_runtime;
grant execute on function ezw.message_unfit(uuid, text, bytea, text, text, json, boolean) to ezw_runtime;
grant execute on function ezw.message_send(uuid, text, text, bytea, json, text, text, text, uuid, uuid,
    text, text, json, boolean) to ezw_runtime;
grant execute on function ezw.message_broadcast(uuid, text, text, bytea, json, text, text, text) to ezw_runtime;
grant execute on function ezw.message_id_of(bytea, text) to ezw_runtime;
grant execute on function ezw.automated_message_note() to ezw_runtime;
grant execute on function ezw.automated_send(uuid, uuid, uuid, bytea, timestamptz, timestamptz) to ezw_runtime;
grant execute on function ezw.json_with(json, text, json) to ezw_runtime;
grant execute on function ezw.message_receive(uuid, text, text, text, text, bytea, json, text, uuid,
    uuid, json, text) to ezw_runtime;
grant execute on function ezw.typing_receive(uuid, text, text, bytea, text) to ezw_runtime;
grant execute on function ezw.message_revoke(uuid, text, text) to ezw_runtime;
grant execute on function ezw.message_device(uuid, text, text, text, bytea, json, text, uuid, uuid, json) to ezw_runtime;

-- Messages that go out.

-- What a send goes into, once it has been counted there; or a refusal, or
-- nothing where the message was sent before.
create type ezw.send_into as (
    refusal text,
    channel uuid,
    conversation uuid,
    seq int8,
    version integer,
    at timestamptz
);

-- A send, the product's hot write. The update is the whole common case: it
-- finds, checks, locks and counts; where it finds nothing, message_send_open
-- says why not or makes a conversation that takes the message. An id that is
-- not greater than all before it may be the same request again:
-- message_send_open looks. Answers a refusal or null.
create function ezw.message_send(a_company uuid, a_channel text, a_jid text, a_id bytea, a_body json,
    a_type text, a_assistant text, a_actor text, a_new_contact uuid, a_new_conversation uuid)
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

    if not found then
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

create function ezw.message_exists(a_company uuid, a_id bytea)
returns boolean
language plpgsql
stable
as $$
declare
    l_from timestamptz := ezw.message_time(a_id) - interval '1 day';
begin
    return exists (
        select
        from ezw.message m
        where m.company = a_company
          and m.id = a_id
          and m.created_at >= l_from
    );
end
$$;

-- For a send that finds no open conversation that takes it.
create function ezw.message_send_open(a_company uuid, a_channel text, a_jid text, a_id bytea, a_type text,
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
        h.window_seconds
    into
        l_channel,
        l_archived,
        l_window
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
        when l_window is not null
            and a_type <> 'template'
            and (l_received_at > l_at - l_window * interval '1 second') is not true
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

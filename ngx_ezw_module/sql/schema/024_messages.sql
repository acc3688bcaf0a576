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
        select json_agg(json_build_object('state', s.state, 'at', ezw.ts(s.at)) order by s.at, s.rank)
        from (
            values
                (1, case when a_direction = 'IN' then 'RECEIVED' else 'QUEUED' end, a_created_at),
                (2, 'SENT', a_sent_at),
                (3, 'DELIVERED', a_delivered_at),
                (4, 'READ', a_read_at),
                (5, 'PLAYED', a_played_at),
                (6, 'FAILED', a_failed_at)
        ) s (rank, state, at)
        where s.at is not null
    );
end
$$;

revoke all on function ezw.messages_by_alias(uuid, text, text) from public;
revoke all on function ezw.message_find(uuid, uuid, text) from public;
revoke all on function ezw.message_states(text, timestamptz, timestamptz, timestamptz, timestamptz,
    timestamptz, timestamptz) from public;
grant execute on function ezw.messages_by_alias(uuid, text, text) to ezw_runtime;
grant execute on function ezw.message_find(uuid, uuid, text) to ezw_runtime;
grant execute on function ezw.message_states(text, timestamptz, timestamptz, timestamptz, timestamptz,
    timestamptz, timestamptz) to ezw_runtime;

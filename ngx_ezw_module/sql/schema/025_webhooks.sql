-- Webhooks, and what they are told: the envelope of every event.

-- secret: the 30 bytes that a delivery is signed with, which stand behind
-- "whsec_" in base64, sealed; secret_old: those before them, while both sign.
-- cipher_key: what a delivery is encrypted with, sealed. All are sealed for the
-- webhook's id. headers: {"name":"value"} as written, null where there are none.

-- webhook_list
create index webhook_listed on ezw.webhook (company, channel, created_at, id);

-- Headers as a key of that scope sees them: of a channel's the names only.
create function ezw.webhook_headers(a_headers json, a_scope text)
returns json
language sql
immutable
as $$
    select case
        when a_headers is null or a_scope in ('COMPANY', 'OWNER') then a_headers
        else (
            select ('{' || string_agg(to_json(e.key)::text || ':"••••"', ',' order by e.place) || '}')::json
            from json_each(a_headers) with ordinality e (key, value, place)
        )
    end
$$;

-- What the functions answer: a refusal, or the row after the write.
create type ezw.webhook_answer as (
    refusal text,
    assistant text,
    cipher_fingerprint text,
    created_at timestamptz,
    enabled boolean,
    events text[],
    headers json,
    id uuid,
    updated_at timestamptz,
    url text
);

-- A webhook as a key of that scope sees it; not_found where it is gone.
create function ezw.webhook_answered(a_company uuid, a_id uuid, a_scope text)
returns ezw.webhook_answer
language plpgsql
volatile
as $$
declare
    l_answer ezw.webhook_answer;
begin
    select
        null,
        w.assistant,
        w.cipher_fingerprint,
        w.created_at,
        w.enabled,
        w.events,
        ezw.webhook_headers(w.headers, a_scope),
        w.id,
        w.updated_at,
        w.url
    into l_answer
    from ezw.webhook w
    where w.company = a_company
      and w.id = a_id;

    if not found then
        l_answer.refusal := 'not_found';
    end if;

    return l_answer;
end
$$;

-- What the audit log keeps of a webhook: of its URL the host, because the rest
-- of it is a secret where it is not a place.
create function ezw.webhook_audit(a_company uuid, a_id uuid, a_event_type text, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns void
language plpgsql
as $$
begin
    perform ezw.audit_add(a_company, a_audit, a_event_type, a_actor, 'webhook', a_id::text, a_address, a_trace,
        (
            select json_build_object(
                'channel', h.jid,
                'host', lower(substring(w.url from '^[^:]*://([^/?]*)')),
                'events', w.events,
                'enabled', w.enabled
            )
            from ezw.webhook w
            join ezw.channel h
              on h.company = w.company
             and h.id = w.channel
            where w.company = a_company
              and w.id = a_id
        ));
end
$$;

-- A channel has ten at most. Refusals: not_found, assistant_unknown,
-- webhooks_full.
create function ezw.webhook_create(a_company uuid, a_channel text, a_id uuid, a_url text, a_events json,
    a_headers json, a_enabled boolean, a_assistant text, a_secret bytea, a_cipher_key bytea,
    a_cipher_fingerprint text, a_scope text, a_audit uuid, a_actor text, a_address text, a_trace text)
returns ezw.webhook_answer
language plpgsql
as $$
declare
    l_answer ezw.webhook_answer;
    l_channel uuid;
begin
    -- whoever counts a channel's webhooks holds it
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel
    for no key update;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    -- made by this same request; another may have changed it or taken it away
    if ezw.audit_exists(a_company, a_audit) then
        return ezw.webhook_answered(a_company, a_id, a_scope);
    end if;

    if a_assistant is not null then
        perform
        from ezw.assistant a
        where a.company = a_company
          and a.jid = a_assistant
        for key share;

        if not found then
            l_answer.refusal := 'assistant_unknown';
            return l_answer;
        end if;
    end if;

    if (
        select count(*)
        from ezw.webhook w
        where w.company = a_company
          and w.channel = l_channel
    ) >= 10 then
        l_answer.refusal := 'webhooks_full';
        return l_answer;
    end if;

    insert into ezw.webhook (
        company,
        id,
        channel,
        url,
        events,
        headers,
        assistant,
        enabled,
        secret,
        cipher_key,
        cipher_fingerprint,
        created_at
    )
    values (
        a_company,
        a_id,
        l_channel,
        a_url,
        array(
            select e.value
            from json_array_elements_text(a_events) with ordinality e (value, place)
            order by e.place
        ),
        nullif(a_headers::text, '{}')::json,
        a_assistant,
        coalesce(a_enabled, true),
        a_secret,
        a_cipher_key,
        a_cipher_fingerprint,
        clock_timestamp()
    );

    perform ezw.webhook_audit(a_company, a_id, 'webhook.created', a_audit, a_actor, a_address, a_trace);

    return ezw.webhook_answered(a_company, a_id, a_scope);
end
$$;

-- The headers that a PATCH means: a value that is the mask is the one that the
-- name has, in whatever case. Null: a name has none.
create function ezw.webhook_headers_new(a_old json, a_new json)
returns json
language plpgsql
immutable
as $$
declare
    l_headers json;
    l_whole boolean;
begin
    if position('"••••"' in a_new::text) = 0 then
        return a_new;
    end if;

    select
        ('{' || string_agg(
            to_json(n.key)::text || ':' || to_json(coalesce(o.value, n.value))::text,
            ',' order by n.place
        ) || '}')::json,
        bool_and(n.value <> '••••' or o.value is not null)
    into
        l_headers,
        l_whole
    from json_each_text(a_new) with ordinality n (key, value, place)
    left join json_each_text(coalesce(a_old, '{}')) o
      on lower(o.key) = lower(n.key)
     and n.value = '••••';

    return case when l_whole then l_headers end;
end
$$;

-- Of url, events and enabled null is what was not given. Only what really
-- changes is written. Refusals: not_found, header_masked.
create function ezw.webhook_update(a_company uuid, a_channel text, a_id uuid, a_url text, a_events json,
    a_has_headers boolean, a_headers json, a_enabled boolean, a_scope text, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns ezw.webhook_answer
language plpgsql
as $$
declare
    l_answer ezw.webhook_answer;
    l_old ezw.webhook;
    l_headers json;
begin
    select
        w.id,
        w.url,
        w.events,
        w.headers,
        w.enabled
    into
        l_old.id,
        l_old.url,
        l_old.events,
        l_old.headers,
        l_old.enabled
    from ezw.channel h
    join ezw.webhook w
      on w.company = h.company
     and w.channel = h.id
    where h.company = a_company
      and h.jid = a_channel
      and w.id = a_id
    for no key update of w;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    -- done by this same request; another may have changed it since
    if ezw.audit_exists(a_company, a_audit) then
        return ezw.webhook_answered(a_company, a_id, a_scope);
    end if;

    l_headers := l_old.headers;

    if a_has_headers then
        l_headers := nullif(a_headers::text, '{}')::json;

        if l_headers is not null then
            l_headers := ezw.webhook_headers_new(l_old.headers, l_headers);

            if l_headers is null then
                l_answer.refusal := 'header_masked';
                return l_answer;
            end if;
        end if;
    end if;

    update ezw.webhook w
    set
        url = n.url,
        events = n.events,
        headers = l_headers,
        enabled = n.enabled,
        updated_at = clock_timestamp()
    from (
        select
            coalesce(a_url, l_old.url) as url,
            case
                when a_events is null then l_old.events
                else array(
                    select e.value
                    from json_array_elements_text(a_events) with ordinality e (value, place)
                    order by e.place
                )
            end as events,
            coalesce(a_enabled, l_old.enabled) as enabled
    ) n
    where w.company = a_company
      and w.id = a_id
      and row (l_old.url, l_old.events, l_old.headers::text, l_old.enabled)
        is distinct from
        row (n.url, n.events, l_headers::text, n.enabled);

    if found then
        perform ezw.webhook_audit(a_company, a_id, 'webhook.updated', a_audit, a_actor, a_address, a_trace);
    end if;

    return ezw.webhook_answered(a_company, a_id, a_scope);
end
$$;

-- Ends a webhook and answers a refusal or null.
create function ezw.webhook_delete(a_company uuid, a_channel text, a_id uuid, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns text
language plpgsql
as $$
begin
    perform
    from ezw.channel h
    join ezw.webhook w
      on w.company = h.company
     and w.channel = h.id
    where h.company = a_company
      and h.jid = a_channel
      and w.id = a_id
    for update of w;

    if not found then
        return case when not ezw.audit_exists(a_company, a_audit) then 'not_found' end;
    end if;

    perform ezw.webhook_audit(a_company, a_id, 'webhook.deleted', a_audit, a_actor, a_address, a_trace);

    delete from ezw.webhook w
    where w.company = a_company
      and w.id = a_id;

    return null;
end
$$;


-- Replaces a sealed secret that is still the one that was read; true when it
-- is the new one afterwards. An id is one row's of all tables.
create or replace function ezw.sealed_renew(a_company uuid, a_field text, a_id uuid, a_old bytea, a_new bytea)
returns boolean
language plpgsql
as $$
begin
    case a_field
        when 'cipherKey' then
            update ezw.api_key k
            set cipher_key = a_new
            where k.company = a_company
              and k.id = a_id
              and k.cipher_key = a_old;

            if found then
                return true;
            end if;

            update ezw.webhook w
            set cipher_key = a_new
            where w.company = a_company
              and w.id = a_id
              and w.cipher_key = a_old;

            return found or exists (
                select
                from ezw.api_key k
                where k.company = a_company
                  and k.id = a_id
                  and k.cipher_key = a_new
            ) or exists (
                select
                from ezw.webhook w
                where w.company = a_company
                  and w.id = a_id
                  and w.cipher_key = a_new
            );
        when 'secret' then
            update ezw.webhook w
            set
                secret = case when w.secret = a_old then a_new else w.secret end,
                secret_old = case when w.secret_old = a_old then a_new else w.secret_old end
            where w.company = a_company
              and w.id = a_id
              and (w.secret = a_old or w.secret_old = a_old);

            return found or exists (
                select
                from ezw.webhook w
                where w.company = a_company
                  and w.id = a_id
                  and (w.secret = a_new or w.secret_old = a_new)
            );
    end case;
end
$$;


-- The envelope (DECISIONS 15): what a webhook is told of an event, made from the
-- event's row and what it speaks of. It is made when it is wanted: an event that
-- no webhook hears of costs nothing. Compact, because its bytes are signed.

-- SHA-1 (RFC 3174), which the server does not have: for the ids of
-- conversations, that begin with one.
create function ezw.sha1(a_data bytea)
returns bytea
language plpgsql
immutable
strict
as $$
declare
    l_all constant int8 := 4294967295;
    l_data bytea := a_data || '\x80'::bytea
        || decode(repeat('00', (119 - length(a_data) % 64) % 64), 'hex')
        || int8send(length(a_data)::int8 * 8);
    l_words int8[];
    l_0 int8 := 1732584193;
    l_1 int8 := 4023233417;
    l_2 int8 := 2562383102;
    l_3 int8 := 271733878;
    l_4 int8 := 3285377520;
    l_a int8;
    l_b int8;
    l_c int8;
    l_d int8;
    l_e int8;
    l_x int8;
begin
    for l_block in 0 .. length(l_data) / 64 - 1 loop
        for l_i in 0 .. 15 loop
            l_x := l_block * 64 + l_i * 4;
            l_words[l_i] := (get_byte(l_data, l_x::integer)::int8 << 24)
                | (get_byte(l_data, l_x::integer + 1) << 16)
                | (get_byte(l_data, l_x::integer + 2) << 8)
                | get_byte(l_data, l_x::integer + 3);
        end loop;

        for l_i in 16 .. 79 loop
            l_x := l_words[l_i - 3] # l_words[l_i - 8] # l_words[l_i - 14] # l_words[l_i - 16];
            l_words[l_i] := ((l_x << 1) | (l_x >> 31)) & l_all;
        end loop;

        l_a := l_0;
        l_b := l_1;
        l_c := l_2;
        l_d := l_3;
        l_e := l_4;

        for l_i in 0 .. 79 loop
            l_x := (((l_a << 5) & l_all) | (l_a >> 27)) + l_e + l_words[l_i]
                + case
                    when l_i < 20 then (l_d # (l_b & (l_c # l_d))) + 1518500249
                    when l_i < 40 then (l_b # l_c # l_d) + 1859775393
                    when l_i < 60 then ((l_b & l_c) | (l_d & (l_b | l_c))) + 2400959708
                    else (l_b # l_c # l_d) + 3395469782
                end;
            l_e := l_d;
            l_d := l_c;
            l_c := ((l_b << 30) | (l_b >> 2)) & l_all;
            l_b := l_a;
            l_a := l_x & l_all;
        end loop;

        l_0 := (l_0 + l_a) & l_all;
        l_1 := (l_1 + l_b) & l_all;
        l_2 := (l_2 + l_c) & l_all;
        l_3 := (l_3 + l_d) & l_all;
        l_4 := (l_4 + l_e) & l_all;
    end loop;

    return substr(int8send(l_0), 5) || substr(int8send(l_1), 5) || substr(int8send(l_2), 5)
        || substr(int8send(l_3), 5) || substr(int8send(l_4), 5);
end
$$;

-- The id of a conversation (DECISIONS 3).
create function ezw.conversation_id(a_channel_jid text, a_contact_jid text)
returns text
language sql
immutable
as $$
    select encode(
        ezw.sha1(convert_to(a_channel_jid, 'UTF8') || '\x00'::bytea || convert_to(a_contact_jid, 'UTF8')),
        'base64'
    )
$$;

-- A text as JSON, null for none.
create function ezw.json_of(a_text text)
returns text
language sql
immutable
as $$
    select coalesce(to_json(a_text)::text, 'null')
$$;

-- These members of an object, in this order and compact, null for one that it
-- has not; null for no object.
create function ezw.json_members(a_object json, a_names text[])
returns text
language sql
immutable
as $$
    select case
        when json_typeof(a_object) = 'object' then (
            select '{' || string_agg(
                to_json(n.name)::text || ':' || coalesce((a_object -> n.name)::text, 'null'),
                ',' order by n.place
            ) || '}'
            from unnest(a_names) with ordinality n (name, place)
        )
        else 'null'
    end
$$;

-- An object's members but these, in its own order: each with a comma before it.
create function ezw.json_others(a_object json, a_names text[])
returns text
language sql
immutable
as $$
    select coalesce(string_agg(
        ',' || to_json(e.key)::text || ':' || e.value::text,
        '' order by e.place
    ), '')
    from json_each(a_object) with ordinality e (key, value, place)
    where e.key <> all (a_names)
$$;

-- event: what a webhook subscribes to; null where webhooks hear nothing.
create type ezw.envelope as (
    event text,
    channel uuid,
    document text
);

-- Which of a webhook's events an event of the log is; null: none.
create function ezw.event_told(a_kind text)
returns text
language sql
immutable
as $$
    select case
        when a_kind in ('message', 'revoke') then 'message'
        when a_kind = 'message.sent' then 'echo'
        when a_kind in ('custom', 'handover', 'label', 'note', 'postback', 'receipt', 'template_pack', 'typing')
            then a_kind
    end
$$;

-- The context of a conversation; of none, where a contact has none yet or the
-- event is not of a contact. a_quoted is the id of a message of it.
create function ezw.envelope_context(a_company uuid, a_channel_jid text, a_conversation uuid, a_quoted text)
returns text
language plpgsql
stable
as $$
declare
    l_conversation text;
    l_contact_jid text;
    l_quoted bytea;
    l_from timestamptz;
    l_direction text;
begin
    select
        v.contact_jid,
        '{"id":' || ezw.json_of(ezw.conversation_id(a_channel_jid, v.contact_jid))
            || ',"status":' || ezw.json_of(v.status)
            || ',"assignee":' || ezw.json_of(coalesce(v.assignee_assistant, u.email))
            || ',"labels":' || '[' || coalesce((
                select string_agg(ezw.json_of(l.label), ',' order by l.label)
                from ezw.conversation_label l
                where l.company = v.company
                  and l.conversation = v.id
            ), '') || ']'
            || ',"team":' || case when v.team is null then 'null' else '{"jid":' || ezw.json_of(v.team) || '}' end
            || '}'
    into
        l_contact_jid,
        l_conversation
    from ezw.conversation v
    left join ezw.app_user u
      on u.id = v.assignee_user
    where v.company = a_company
      and v.id = a_conversation;

    if a_quoted ~ '^[0-9a-f]{40}$' then
        l_quoted := decode(a_quoted, 'hex');
        l_from := ezw.message_time(l_quoted) - interval '1 day';

        -- its conversation is compared afterwards: in the condition it would
        -- tempt a planner to walk along all of the conversation
        select case when m.conversation = a_conversation then m.direction end
        into l_direction
        from ezw.message m
        where m.company = a_company
          and m.id = l_quoted
          and m.created_at >= l_from;
    end if;

    return '{"conversation":' || coalesce(l_conversation, 'null')
        || ',"metadata":{},"originator":null'
        || case
            when a_quoted is null then ''
            else ',"quotedMessage":{"id":' || ezw.json_of(a_quoted) || ',"jid":'
                || ezw.json_of(case l_direction when 'IN' then l_contact_jid when 'OUT' then a_channel_jid end)
                || '}'
        end
        || '}';
end
$$;

-- Who an event comes from; null for nobody.
create function ezw.envelope_from(a_jid text, a_name text)
returns text
language sql
immutable
as $$
    select coalesce(
        '{"jid":' || to_json(a_jid)::text || ',"name":' || ezw.json_of(a_name) || ',"locale":null,"picture":null}',
        'null'
    )
$$;

-- A message as webhooks see it: the message itself, and its media beside it.
create function ezw.envelope_message(a_id bytea, a_type text, a_body json)
returns text
language sql
immutable
as $$
    select ',"message":{"id":' || ezw.json_of(encode(a_id, 'hex')) || ',"type":' || ezw.json_of(a_type)
        || ezw.json_others(a_body, array['contextInfo', 'id', 'media', 'type'])
        || '}'
        || case
            when json_typeof(a_body -> 'media') = 'object'
            then ',"media":' || ezw.json_members(a_body -> 'media', array['size', 'url'])
            else ''
        end
$$;

-- Whom an event is about; of the channel alone where it is of no contact.
create type ezw.envelope_parties as (
    channel_jid text,
    channel_name text,
    contact_jid text,
    contact_name text,
    conversation uuid
);

-- The contact is found by its conversation, or the conversation by its contact.
create function ezw.envelope_parties(a_company uuid, a_channel uuid, a_contact uuid, a_conversation uuid)
returns ezw.envelope_parties
language plpgsql
stable
as $$
declare
    l_parties ezw.envelope_parties;
begin
    select
        h.jid,
        h.name,
        c.jid,
        c.full_name,
        coalesce(v.id, (
            select o.id
            from ezw.conversation o
            where o.company = c.company
              and o.channel = c.channel
              and o.contact_jid = c.jid
        ))
    into l_parties
    from ezw.channel h
    left join ezw.conversation v
      on v.company = h.company
     and v.id = a_conversation
    left join ezw.contact c
      on c.company = h.company
     and c.id = coalesce(v.contact, a_contact)
    where h.company = a_company
      and h.id = a_channel;

    return l_parties;
end
$$;

-- Where what was told of a conversation that is no more has gone: to the one
-- that it is being moved into, or that the message is in by now; or null.
create function ezw.conversation_moved(a_company uuid, a_conversation uuid, a_message bytea)
returns uuid
language plpgsql
stable
as $$
declare
    l_conversation uuid;
    l_from timestamptz := ezw.message_time(a_message) - interval '1 day';
begin
    select g.into_conversation
    into l_conversation
    from ezw.conversation_merge g
    where g.company = a_company
      and g.conversation = a_conversation;

    if not found and a_message is not null then
        select m.conversation
        into l_conversation
        from ezw.message m
        where m.company = a_company
          and m.id = a_message
          and m.created_at >= l_from;
    end if;

    return l_conversation;
end
$$;

-- An event of the log as webhooks are told of it, whatever has become of its
-- conversation since. Null: there is no such event any more, or they are told
-- nothing of it.
create function ezw.event_envelope(a_company uuid, a_created_at timestamptz, a_seq int8)
returns ezw.envelope
language plpgsql
stable
as $$
declare
    l_envelope ezw.envelope;
    l_event ezw.event;
    l_type text;
    l_parties ezw.envelope_parties;
    l_message ezw.message;
    l_quoted text;
    l_body text;
begin
    select
        e.kind,
        e.channel,
        e.contact,
        e.conversation,
        e.message,
        e.payload
    into
        l_event.kind,
        l_event.channel,
        l_event.contact,
        l_event.conversation,
        l_event.message,
        l_event.payload
    from ezw.event e
    where e.company = a_company
      and e.created_at = a_created_at
      and e.seq = a_seq;

    l_type := ezw.event_told(l_event.kind);

    if l_type is null then
        return null;
    end if;

    -- by its id: it may have been moved into another conversation since
    if l_event.kind in ('message', 'message.sent') then
        select
            m.conversation,
            m.sender_type,
            m.sender_id,
            m.type,
            m.body
        into
            l_event.conversation,
            l_message.sender_type,
            l_message.sender_id,
            l_message.type,
            l_message.body
        from ezw.message m
        where m.company = a_company
          and m.id = l_event.message
          and m.created_at = a_created_at;

        -- gone, or taken back by the one who wrote it before anybody heard of it
        if not found or l_message.type = 'revoked' then
            return null;
        end if;

        l_quoted := l_message.body #>> '{contextInfo,quotedMessage,id}';
    end if;

    l_parties := ezw.envelope_parties(a_company, l_event.channel, l_event.contact, l_event.conversation);

    -- of a contact that has become another one, or that is being erased
    if l_parties.contact_jid is null and coalesce(l_event.contact, l_event.conversation) is not null then
        l_parties := ezw.envelope_parties(a_company, l_event.channel, null,
            ezw.conversation_moved(a_company, l_event.conversation, l_event.message));

        if l_parties.contact_jid is null then
            return null;
        end if;
    end if;

    l_body := case l_event.kind
        when 'message' then
            ezw.envelope_message(l_event.message, l_message.type, l_message.body)
        when 'message.sent' then
            ',"sender":{"type":' || ezw.json_of(l_message.sender_type)
                || ',"id":' || ezw.json_of(l_message.sender_id) || '}'
                || ezw.envelope_message(l_event.message, l_message.type, l_message.body)
        when 'revoke' then
            ',"message":{"id":' || ezw.json_of(encode(l_event.message, 'hex')) || '}'
        when 'receipt' then
            ',"receipt":{"id":' || ezw.json_of(encode(l_event.message, 'hex'))
                || ',"status":' || ezw.json_of(l_event.payload ->> 'status')
                || ',"error":' || ezw.json_members(l_event.payload -> 'error', array['code', 'message']) || '}'
        when 'postback' then
            ',"postback":' || ezw.json_members(l_event.payload, array['type', 'payload', 'title', 'messageId'])
        when 'typing' then
            ',"typing":' || ezw.json_members(l_event.payload, array['state'])
        when 'handover' then
            ',"handover":{"from":' || ezw.json_members(l_event.payload -> 'from', array['type', 'id'])
                || ',"to":' || ezw.json_members(l_event.payload -> 'to', array['type', 'id'])
                || ',"team":' || ezw.json_of(l_event.payload ->> 'team')
                || ',"reason":' || ezw.json_of(l_event.payload ->> 'reason') || '}'
        when 'label' then
            ',"label":' || ezw.json_members(l_event.payload, array['action', 'jid', 'name'])
        when 'note' then
            ',"note":{"action":' || ezw.json_of(l_event.payload ->> 'action')
                || ezw.json_others(l_event.payload, array['action']) || '}'
        when 'template_pack' then
            ',"templatePack":' || ezw.json_members(l_event.payload,
                array['name', 'localeName', 'category', 'status', 'rejectedReason'])
        else
            ',"custom":' || ezw.json_members(l_event.payload, array['name', 'data'])
    end;

    l_envelope.event := l_type;
    l_envelope.channel := l_event.channel;
    l_envelope.document := '{"type":' || ezw.json_of(case when l_event.kind = 'revoke' then 'revoke' else l_type end)
        || ',"version":2,"timestamp":' || floor(extract(epoch from a_created_at))::int8
        || case
            when l_event.kind = 'message.sent' then
                ',"direction":"sent","to":' || ezw.json_of(l_parties.contact_jid)
                    || ',"from":' || ezw.envelope_from(l_parties.channel_jid, l_parties.channel_name)
            else
                ',"direction":"received","to":' || ezw.json_of(l_parties.channel_jid)
                    || ',"from":' || ezw.envelope_from(l_parties.contact_jid, l_parties.contact_name)
        end
        || ',"contextInfo":' || case
            when l_parties.contact_jid is null then 'null'
            else ezw.envelope_context(a_company, l_parties.channel_jid, l_parties.conversation, l_quoted)
        end
        || l_body || '}';

    return l_envelope;
end
$$;


revoke all on function ezw.webhook_headers from public;
revoke all on function ezw.webhook_answered from public;
revoke all on function ezw.webhook_audit from public;
revoke all on function ezw.webhook_create from public;
revoke all on function ezw.webhook_headers_new from public;
revoke all on function ezw.webhook_update from public;
revoke all on function ezw.webhook_delete from public;
revoke all on function ezw.sha1 from public;
revoke all on function ezw.conversation_id from public;
revoke all on function ezw.json_of from public;
revoke all on function ezw.json_members from public;
revoke all on function ezw.json_others from public;
revoke all on function ezw.event_told from public;
revoke all on function ezw.envelope_context from public;
revoke all on function ezw.envelope_message from public;
revoke all on function ezw.envelope_from from public;
revoke all on function ezw.envelope_parties from public;
revoke all on function ezw.conversation_moved from public;
revoke all on function ezw.event_envelope from public;

grant execute on function
    ezw.webhook_headers,
    ezw.webhook_answered,
    ezw.webhook_audit,
    ezw.webhook_create,
    ezw.webhook_headers_new,
    ezw.webhook_update,
    ezw.webhook_delete,
    ezw.sha1,
    ezw.conversation_id,
    ezw.json_of,
    ezw.json_members,
    ezw.json_others,
    ezw.event_told,
    ezw.envelope_context,
    ezw.envelope_message,
    ezw.envelope_from,
    ezw.envelope_parties,
    ezw.conversation_moved,
    ezw.event_envelope
to ezw_runtime;

grant insert, update, delete on ezw.webhook to ezw_runtime;

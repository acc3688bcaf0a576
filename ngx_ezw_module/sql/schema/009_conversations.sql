-- Conversations as messages make and reopen them.

-- What a conversation's next owner is when it is new or comes back to life
-- (DECISIONS 9, 11): the assistant that sends; else the agent that had it, if
-- still active; else the channel's assistant, if enabled; else, for a new
-- one, the channel's agent, if active; else the pool.
create type ezw.owner as (
    assignee_user uuid,
    assignee_assistant text
);

create function ezw.owner_next(a_company uuid, a_channel uuid, a_assistant text, a_user uuid, a_new boolean)
returns ezw.owner
language plpgsql
stable
as $$
declare
    l_owner ezw.owner;
    l_user uuid := a_user;
begin
    if a_assistant is not null then
        l_owner.assignee_assistant := a_assistant;
        return l_owner;
    end if;

    if l_user is null then
        select a.jid
        into l_owner.assignee_assistant
        from ezw.channel h
        join ezw.assistant a
          on a.company = h.company
         and a.jid = h.default_assistant
        where h.company = a_company
          and h.id = a_channel
          and a.enabled;

        if found then
            return l_owner;
        end if;

        if a_new then
            select h.default_assignee
            into l_user
            from ezw.channel h
            where h.company = a_company
              and h.id = a_channel;
        end if;
    end if;

    select m.user_id
    into l_owner.assignee_user
    from ezw.membership m
    where m.company = a_company
      and m.user_id = l_user
      and m.status = 'active';

    if not found and a_user is not null then
        return ezw.owner_next(a_company, a_channel, null, null, a_new);
    end if;

    return l_owner;
end
$$;

-- An owner as the handover event tells it; null for the pool.
create function ezw.owner_json(a_user uuid, a_assistant text)
returns json
language plpgsql
stable
as $$
begin
    if a_assistant is not null then
        return json_build_object('type', 'ASSISTANT', 'id', a_assistant);
    end if;

    return (
        select json_build_object('type', 'AGENT', 'id', u.email)
        from ezw.app_user u
        where u.id = a_user
    );
end
$$;

create function ezw.handover_add(a_company uuid, a_contact uuid, a_channel uuid, a_conversation uuid,
    a_version integer, a_from json, a_to json, a_team text, a_reason text)
returns void
language plpgsql
as $$
begin
    insert into ezw.event (company, contact, kind, channel, conversation, version, payload)
    values (
        a_company,
        a_contact,
        'handover',
        a_channel,
        a_conversation,
        a_version,
        json_build_object('from', a_from, 'to', a_to, 'team', a_team, 'reason', a_reason)
    );
end
$$;

-- Makes the conversation of a contact, and the contact where there is none,
-- or reopens a closed one: what a message needs that finds no open
-- conversation. The caller has locked what there is (a_held) and has decided
-- that the message may go. a_reason is handover's. Answers the conversation.
create function ezw.conversation_open(a_company uuid, a_channel uuid, a_held ezw.held, a_new_contact uuid,
    a_new_conversation uuid, a_full_name text, a_assistant text, a_reason text, a_at timestamptz)
returns uuid
language plpgsql
as $$
declare
    l_contact uuid := a_held.contact;
    l_conversation uuid := a_held.conversation;
    l_status text;
    l_user uuid;
    l_assistant text;
    l_team text;
    l_version integer;
    l_owner ezw.owner;
begin
    if l_contact is null then
        l_contact := a_new_contact;

        insert into ezw.contact (
            company,
            id,
            channel,
            jid,
            phone_number,
            full_name,
            first_name,
            last_name
        )
        values (
            a_company,
            l_contact,
            a_channel,
            a_held.jid,
            ezw.jid_phone(a_held.jid),
            a_full_name,
            ezw.first_name(a_full_name),
            ezw.last_name(a_full_name)
        );
    end if;

    if l_conversation is null then
        l_conversation := a_new_conversation;
        l_owner := ezw.owner_next(a_company, a_channel, a_assistant, null, true);

        insert into ezw.conversation (
            company,
            id,
            channel,
            contact,
            contact_jid,
            assignee_user,
            assignee_assistant,
            was_assigned,
            last_message_at,
            created_at
        )
        values (
            a_company,
            l_conversation,
            a_channel,
            l_contact,
            a_held.jid,
            l_owner.assignee_user,
            l_owner.assignee_assistant,
            coalesce(l_owner.assignee_user::text, l_owner.assignee_assistant) is not null,
            a_at,
            a_at
        );

        l_version := 1;

        insert into ezw.event (company, contact, kind, channel, conversation, version)
        values (a_company, l_contact, 'conversation.created', a_channel, l_conversation, l_version);
    else
        select
            v.status,
            v.assignee_user,
            v.assignee_assistant,
            v.team
        into
            l_status,
            l_user,
            l_assistant,
            l_team
        from ezw.conversation v
        where v.company = a_company
          and v.id = l_conversation;

        if l_status = 'OPEN' then
            return l_conversation;
        end if;

        l_owner := ezw.owner_next(a_company, a_channel, a_assistant, l_user, false);

        update ezw.conversation v
        set
            status = 'OPEN',
            version = v.version + 1,
            assignee_user = l_owner.assignee_user,
            assignee_assistant = l_owner.assignee_assistant,
            was_assigned = v.was_assigned
                or coalesce(l_owner.assignee_user::text, l_owner.assignee_assistant) is not null
        where v.company = a_company
          and v.id = l_conversation
        returning v.version into l_version;

        insert into ezw.event (company, contact, kind, channel, conversation, version)
        values (a_company, l_contact, 'conversation.updated', a_channel, l_conversation, l_version);
    end if;

    if row (l_owner.assignee_user, l_owner.assignee_assistant) is distinct from row (l_user, l_assistant) then
        perform ezw.handover_add(a_company, l_contact, a_channel, l_conversation, l_version,
            ezw.owner_json(l_user, l_assistant),
            ezw.owner_json(l_owner.assignee_user, l_owner.assignee_assistant),
            l_team, a_reason);
    end if;

    return l_conversation;
end
$$;

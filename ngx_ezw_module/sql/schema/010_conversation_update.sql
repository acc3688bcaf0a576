-- Conversations as people and programs change them.

-- PATCH: a_labels is an array of labels' JIDs. Only what really changes is
-- written; assignee, labels, status and team raise the version once together.
create function ezw.conversation_update(a_company uuid, a_channel text, a_jid text,
    a_has_assignee boolean, a_assignee text, a_has_labels boolean, a_labels json,
    a_has_status boolean, a_status text, a_has_team boolean, a_team text,
    a_has_unread_count boolean, a_unread_count integer, a_assistant text, a_actor text,
    a_audit uuid, a_audit2 uuid, a_address text, a_trace text)
returns ezw.conversation_answer
language plpgsql
as $$
declare
    l_answer ezw.conversation_answer;
    l_channel uuid;
    l_contact uuid;
    l_conversation uuid;
    l_status text;
    l_user uuid;
    l_assistant text;
    l_was_assigned boolean;
    l_team text;
    l_unread_count integer;
    l_version integer;
    l_new_user uuid;
    l_new_assistant text;
    l_new_status text;
    l_new_team text;
    l_new_unread_count integer;
    l_labels text[];
    l_added text[] := '{}';
    l_removed text[] := '{}';
    l_handover boolean;
    l_versioned boolean;
begin
    select
        h.id,
        ezw.contact_find(h.company, h.jid, a_jid)
    into
        l_channel,
        l_contact
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel;

    select
        v.channel,
        v.contact,
        v.id,
        v.status,
        v.assignee_user,
        v.assignee_assistant,
        v.was_assigned,
        v.team,
        v.unread_count
    into
        l_channel,
        l_contact,
        l_conversation,
        l_status,
        l_user,
        l_assistant,
        l_was_assigned,
        l_team,
        l_unread_count
    from ezw.contact c
    join ezw.conversation v
      on v.company = c.company
     and v.channel = c.channel
     and v.contact_jid = c.jid
    where c.company = a_company
      and c.id = l_contact
    for no key update of v;

    if not found then
        l_answer.refusal := 'not_found';
        return l_answer;
    end if;

    if a_assistant is not null
        and l_status = 'OPEN'
        and l_was_assigned
        and l_assistant is distinct from a_assistant
    then
        -- handed away by this very request, the first time that it came
        if ezw.audit_exists(a_company, a_audit) then
            return ezw.conversation_answered(a_company, l_conversation);
        end if;

        l_answer.refusal := 'no_ownership';
        return l_answer;
    end if;

    l_new_user := l_user;
    l_new_assistant := l_assistant;

    if a_has_assignee then
        l_new_user := null;
        l_new_assistant := null;

        -- share: the one who disables an assistant or a member waits for us,
        -- or we for him, and then sees what the other wrote
        if a_assignee is not null then
            select a.jid
            into l_new_assistant
            from ezw.assistant a
            where a.company = a_company
              and a.jid = a_assignee
              and a.enabled
            for share;

            if not found then
                select m.user_id
                into l_new_user
                from ezw.app_user u
                join ezw.membership m
                  on m.user_id = u.id
                where u.email = lower(a_assignee)
                  and u.enabled
                  and m.company = a_company
                  and m.status = 'active'
                for share of m;

                if not found then
                    l_answer.refusal := 'assignee_unknown';
                    l_answer.field := 'assignee';
                    return l_answer;
                end if;
            end if;
        end if;
    end if;

    if a_has_labels then
        l_labels := array(
            select distinct e.value
            from json_array_elements_text(coalesce(a_labels, '[]')) e
            order by e.value
        );

        perform
        from ezw.label b
        where b.company = a_company
          and b.jid = any (l_labels)
        order by b.jid
        for key share;

        if exists (
            select
            from unnest(l_labels) w (jid)
            where not exists (
                select
                from ezw.label b
                where b.company = a_company
                  and b.jid = w.jid
            )
        ) then
            l_answer.refusal := 'label_unknown';
            l_answer.field := 'labels';
            return l_answer;
        end if;

        l_added := array(
            select w.jid
            from unnest(l_labels) w (jid)
            where not exists (
                select
                from ezw.conversation_label l
                where l.company = a_company
                  and l.conversation = l_conversation
                  and l.label = w.jid
            )
            order by w.jid
        );

        l_removed := array(
            select l.label
            from ezw.conversation_label l
            where l.company = a_company
              and l.conversation = l_conversation
              and not l.label = any (l_labels)
            order by l.label
        );
    end if;

    l_new_status := case when a_has_status then a_status else l_status end;
    l_new_team := case when a_has_team then a_team else l_team end;
    l_new_unread_count := case when a_has_unread_count then a_unread_count else l_unread_count end;

    if a_has_team and a_team is not null then
        perform
        from ezw.team t
        where t.company = a_company
          and t.jid = a_team
        for key share;

        if not found then
            l_answer.refusal := 'team_unknown';
            l_answer.field := 'team';
            return l_answer;
        end if;
    end if;

    l_handover := row (l_new_user, l_new_assistant) is distinct from row (l_user, l_assistant);
    l_versioned := l_handover
        or l_new_status <> l_status
        or l_new_team is distinct from l_team
        or cardinality(l_added) > 0
        or cardinality(l_removed) > 0;

    if not l_versioned and l_new_unread_count is not distinct from l_unread_count then
        return ezw.conversation_answered(a_company, l_conversation);
    end if;

    update ezw.conversation v
    set
        version = v.version + l_versioned::integer,
        status = l_new_status,
        assignee_user = l_new_user,
        assignee_assistant = l_new_assistant,
        was_assigned = v.was_assigned
            or coalesce(l_new_user::text, l_new_assistant) is not null,
        team = l_new_team,
        unread_count = l_new_unread_count
    where v.company = a_company
      and v.id = l_conversation
    returning v.version into l_version;

    delete from ezw.conversation_label l
    where l.company = a_company
      and l.conversation = l_conversation
      and l.label = any (l_removed);

    insert into ezw.conversation_label (company, conversation, label)
    select
        a_company,
        l_conversation,
        w.jid
    from unnest(l_added) w (jid);

    if l_handover then
        perform ezw.handover_add(a_company, l_contact, l_channel, l_conversation, l_version,
            ezw.owner_json(l_user, l_assistant), ezw.owner_json(l_new_user, l_new_assistant),
            l_new_team, 'api');
    end if;

    insert into ezw.event (company, contact, kind, channel, conversation, version, payload)
    select
        a_company,
        l_contact,
        'label',
        l_channel,
        l_conversation,
        l_version,
        json_build_object('action', w.action, 'jid', w.jid, 'name', b.name)
    from (
        select
            'ADDED' as action,
            n.jid
        from unnest(l_added) n (jid)
        union all
        select
            'REMOVED',
            o.jid
        from unnest(l_removed) o (jid)
    ) w
    left join ezw.label b
      on b.company = a_company
     and b.jid = w.jid
    order by w.action, w.jid;

    insert into ezw.event (company, contact, kind, channel, conversation, version)
    values (a_company, l_contact, 'conversation.updated', l_channel, l_conversation, l_version);

    if l_handover or l_new_team is distinct from l_team then
        perform ezw.audit_add(a_company, a_audit, 'conversation.assigned', a_actor, 'conversation',
            l_conversation::text, a_address, a_trace,
            json_build_object('assignee', ezw.owner_json(l_new_user, l_new_assistant), 'team', l_new_team));
    end if;

    if l_new_status <> l_status then
        perform ezw.audit_add(a_company, a_audit2, 'conversation.status_changed', a_actor, 'conversation',
            l_conversation::text, a_address, a_trace, json_build_object('status', l_new_status));
    end if;

    return ezw.conversation_answered(a_company, l_conversation);
end
$$;

-- Templates of WhatsApp channels, which the sandbox keeps and looks at itself.

-- parameters is what a send has to give (base/ezw_template.h); id tells a
-- template from one of the same name that was there before.
alter table ezw.template
    add column id uuid not null default gen_random_uuid(),
    add column parameters json not null default '{"header":0,"format":null,"body":0,"buttons":[],"types":[]}';

-- The deployment's name of a channel's templates, of the form that Meta's has.
create function ezw.template_namespace(a_channel uuid)
returns text
language sql
immutable
as $$
    select replace(md5('namespace ' || a_channel::text)::uuid::text, '-', '_')
$$;

-- All of a channel as they stand on the wire: by name, and each in all of its
-- languages.
create function ezw.templates(a_company uuid, a_channel uuid)
returns json
language plpgsql
stable
as $$
begin
    return (
        select ('[' || coalesce(string_agg(row_to_json(w)::text, ',' order by n.name), '') || ']')::json
        from (
            select
                t.name collate "C" as name,
                min(t.category) as category,
                ('[' || string_agg(row_to_json(l)::text, ',' order by t.language collate "C") || ']')::json
                    as translations
            from ezw.template t
            cross join lateral (
                select
                    t.components,
                    t.language as "localeName",
                    t.rejected_reason as "rejectedReason",
                    t.status
            ) l
            where t.company = a_company
              and t.channel = a_channel
            group by 1
        ) n
        cross join lateral (
            select
                n.category,
                n.name,
                n.translations
        ) w
    );
end
$$;

create function ezw.template_note(a_company uuid, a_channel uuid, a_name text, a_language text,
    a_category text, a_status text, a_rejected_reason text)
returns void
language plpgsql
as $$
begin
    insert into ezw.event (company, kind, channel, payload)
    values (
        a_company,
        'template_pack',
        a_channel,
        json_build_object(
            'name', a_name,
            'localeName', a_language,
            'category', a_category,
            'status', a_status,
            'rejectedReason', a_rejected_reason
        )
    );
end
$$;

-- Hands a new template to the channel's connector and answers a refusal or
-- null. The sandbox takes a second to look at it. Refusals: not_found,
-- channel_ended, duplicate, category_differs, templates_full.
create function ezw.template_create(a_company uuid, a_channel text, a_id uuid, a_name text, a_language text,
    a_category text, a_components json, a_parameters json, a_audit uuid, a_actor text, a_address text,
    a_trace text)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_archived boolean;
    l_refusal text;
begin
    select
        h.id,
        h.archived_at is not null
    into
        l_channel,
        l_archived
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel
      and h.domain = 'whatsapp'
    for no key update;

    if not found then
        return 'not_found';
    end if;

    -- made by this same request; it may be gone since
    if ezw.audit_exists(a_company, a_audit) then
        return null;
    end if;

    select case
        when l_archived
            then 'channel_ended'
        when bool_or(t.name = a_name and t.language = a_language)
            then 'duplicate'
        when bool_or(t.name = a_name and t.category <> a_category)
            then 'category_differs'
        when count(*) >= 1000
            then 'templates_full'
    end
    into l_refusal
    from ezw.template t
    where t.company = a_company
      and t.channel = l_channel;

    if l_refusal is not null then
        return l_refusal;
    end if;

    insert into ezw.template (company, channel, name, language, category, components, parameters, id)
    values (
        a_company,
        l_channel,
        a_name,
        a_language,
        a_category,
        a_components,
        a_parameters,
        a_id
    );

    -- a queue of its own, that no other template waits behind it
    insert into ezw.outbox (company, conversation, seq, channel, kind, payload, due_at)
    values (
        a_company,
        a_id,
        1,
        l_channel,
        'template',
        json_build_object('id', a_id, 'name', a_name, 'language', a_language),
        clock_timestamp() + interval '1 second'
    );

    perform ezw.audit_add(a_company, a_audit, 'template.created', a_actor, 'template', a_name, a_address,
        a_trace, json_build_object('channel', a_channel, 'language', a_language, 'category', a_category));

    return null;
end
$$;

-- Removes a template in all of its languages and answers a refusal or null.
-- Refusal: not_found.
create function ezw.template_delete(a_company uuid, a_channel text, a_name text, a_audit uuid, a_actor text,
    a_address text, a_trace text)
returns text
language plpgsql
as $$
declare
    l_channel uuid;
    l_templates uuid[];
begin
    select h.id
    into l_channel
    from ezw.channel h
    where h.company = a_company
      and h.jid = a_channel
      and h.domain = 'whatsapp'
    for no key update;

    -- removed by this same request; one of that name may have been made since
    if ezw.audit_exists(a_company, a_audit) then
        return null;
    end if;

    l_templates := array(
        select t.id
        from ezw.template t
        where t.company = a_company
          and t.channel = l_channel
          and t.name = a_name
    );

    if l_templates = '{}' then
        return 'not_found';
    end if;

    delete from ezw.outbox o
    where o.company = a_company
      and o.conversation = any (l_templates);

    perform ezw.template_note(a_company, l_channel, a_name, t.language, t.category, 'DELETED', t.rejected_reason)
    from ezw.template t
    where t.company = a_company
      and t.channel = l_channel
      and t.name = a_name;

    delete from ezw.template t
    where t.company = a_company
      and t.channel = l_channel
      and t.name = a_name;

    perform ezw.audit_add(a_company, a_audit, 'template.deleted', a_actor, 'template', a_name, a_address,
        a_trace, json_build_object('channel', a_channel));

    return null;
end
$$;

-- What the platform says of a template. a_id, where it is not null, is the
-- template that is meant: another of its name is none. Answers a refusal, and
-- whether that is news. Refusal: not_found.
create function ezw.template_status(a_company uuid, a_channel text, a_name text, a_language text, a_id uuid,
    a_status text, a_rejected_reason text)
returns table (refusal text, changed boolean)
language plpgsql
as $$
declare
    l_channel uuid;
    l_category text;
    l_status text;
    l_reason text;
begin
    select
        t.channel,
        t.category,
        t.status,
        t.rejected_reason
    into
        l_channel,
        l_category,
        l_status,
        l_reason
    from ezw.channel h
    join ezw.template t
      on t.company = h.company
     and t.channel = h.id
    where h.company = a_company
      and h.jid = a_channel
      and t.name = a_name
      and t.language = a_language
      and (a_id is null or t.id = a_id)
    for no key update of t;

    if not found then
        refusal := 'not_found';
        return next;
        return;
    end if;

    changed := row (l_status, l_reason) is distinct from row (a_status, coalesce(a_rejected_reason, 'NONE'));

    if changed then
        update ezw.template t
        set
            status = a_status,
            rejected_reason = coalesce(a_rejected_reason, 'NONE'),
            updated_at = clock_timestamp()
        where t.company = a_company
          and t.channel = l_channel
          and t.name = a_name
          and t.language = a_language;

        perform ezw.template_note(a_company, l_channel, a_name, a_language, l_category, a_status,
            coalesce(a_rejected_reason, 'NONE'));
    end if;

    return next;
end
$$;


revoke all on all functions in schema ezw from public;

grant execute on function
    ezw.template_create,
    ezw.template_delete,
    ezw.template_namespace,
    ezw.template_note,
    ezw.template_status,
    ezw.templates
to ezw_runtime;

grant insert, update, delete on ezw.template to ezw_runtime;

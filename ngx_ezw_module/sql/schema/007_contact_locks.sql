-- What a contact is held by while something is done to it; who is blocked.
--
-- Lock order everywhere: the conversation, or ezw.contact_lock where there is
-- none yet; then the contact; then the rest. A send in its common case takes
-- the conversation and nothing else, and statements of one contact may meet
-- in one transaction: so the conversation, where there is one, comes first. A
-- function locks, then reads and decides, then writes.

-- Holds what is not there yet: whoever may make a contact or its first
-- conversation, and whoever blocks one, takes this.
create function ezw.contact_lock(a_channel uuid, a_jid text)
returns void
language plpgsql
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(a_channel::text || ' ' || a_jid, 0));
end
$$;

create type ezw.held as (
    contact uuid,
    jid text,
    conversation uuid
);

-- Locks what there is of a contact, by any of its JIDs, and answers it; jid
-- is the contact's own, or a_jid where there is no contact. The conversation
-- is looked for once more behind contact_lock: it may have been made while we
-- waited for that, and an erasure that has it may want the contact next.
create function ezw.contact_hold(a_company uuid, a_channel uuid, a_channel_jid text, a_jid text)
returns ezw.held
language plpgsql
as $$
declare
    l_held ezw.held;
begin
    for l_try in 1 .. 2 loop
        select
            v.contact,
            v.contact_jid,
            v.id
        into l_held
        from ezw.conversation v
        where v.company = a_company
          and v.channel = a_channel
          and v.contact_jid = a_jid
        for no key update;

        if found then
            return l_held;
        end if;

        select
            v.contact,
            v.contact_jid,
            v.id
        into l_held
        from ezw.contact c
        join ezw.conversation v
          on v.company = c.company
         and v.channel = c.channel
         and v.contact_jid = c.jid
        where c.company = a_company
          and c.id = ezw.contact_find(a_company, a_channel_jid, a_jid)
        for no key update of v;

        if found then
            return l_held;
        end if;

        if l_try = 1 then
            perform ezw.contact_lock(a_channel, a_jid);
        end if;
    end loop;

    select
        c.id,
        c.jid
    into
        l_held.contact,
        l_held.jid
    from ezw.contact c
    where c.company = a_company
      and c.id = ezw.contact_find(a_company, a_channel_jid, a_jid)
    for key share;

    l_held.jid := coalesce(l_held.jid, a_jid);

    return l_held;
end
$$;

create function ezw.block_hash(a_jid text)
returns bytea
language sql
stable
as $$
    select sha256(d.block_salt || convert_to(a_jid, 'UTF8'))
    from ezw.deployment d
$$;

-- Keeps conversation.blocked, whoever writes the list.
create function ezw.block_note()
returns trigger
language plpgsql
as $$
begin
    if tg_when = 'BEFORE' then
        if new.jid is not null then
            new.hash := ezw.block_hash(new.jid);
            perform ezw.contact_lock(new.channel, new.jid);
        end if;

        return new;
    end if;

    update ezw.conversation v
    set blocked = (tg_op = 'INSERT')
    where v.company = coalesce(new.company, old.company)
      and v.channel = coalesce(new.channel, old.channel)
      and v.contact_jid = coalesce(new.jid, old.jid);

    return null;
end
$$;

create trigger note_before
before insert on ezw.block
for each row
execute function ezw.block_note();

create trigger note
after insert or delete on ezw.block
for each row
execute function ezw.block_note();

-- Keeps conversation.contact_jid.
create function ezw.contact_jid_note()
returns trigger
language plpgsql
as $$
begin
    update ezw.conversation v
    set contact_jid = new.jid
    where v.company = new.company
      and v.channel = new.channel
      and v.contact_jid = old.jid;

    return null;
end
$$;

create trigger jid_note
after update of jid on ezw.contact
for each row
when (old.jid <> new.jid)
execute function ezw.contact_jid_note();

create function ezw.contact_blocked(a_company uuid, a_channel uuid, a_jid text)
returns boolean
language plpgsql
stable
as $$
begin
    return exists (
        select
        from ezw.block b
        where b.company = a_company
          and b.channel = a_channel
          and b.hash = ezw.block_hash(a_jid)
    );
end
$$;

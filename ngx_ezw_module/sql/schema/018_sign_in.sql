-- Signing in and up: sessions, outside identities, passwords, sign-up.
--
-- Lock order: the user, then the membership, then the sessions by their ids.
-- Whoever makes, spends or ends a user's sessions holds the user's row, so
-- that nothing is made behind the back of what ends them all; a membership
-- that ends takes its sessions with it and holds its own row, which whoever
-- makes a session in it holds too.

-- Raised when the password changes, and not when it is only hashed anew: what
-- was found right by an older one is not right any more.
alter table ezw.app_user
    add column password_version integer not null default 1;

-- login_user, external_principal, company_recent
create index membership_user on ezw.membership (user_id);

-- session_principal, session_refresh
create unique index session_id on ezw.session (id);

-- session_logout, session_refresh, password_change, password_reset
create index session_user_id on ezw.session (user_id);

-- sweep
create index session_expires_at on ezw.session (expires_at);

-- A user as an issuer of tokens knows him. id is what the caches know the
-- binding by, as they know a session by its own.
create table ezw.identity (
    issuer text collate "C" not null,
    subject text collate "C" not null,
    id uuid not null default gen_random_uuid(),
    user_id uuid not null references ezw.app_user (id),
    created_at timestamptz not null default now(),
    primary key (issuer, subject)
);

-- Tokens that set a new password, once. hash is the SHA-256 of the token,
-- used_by the request that used it, by which it is known when it comes again.
create table ezw.password_reset (
    hash bytea primary key check (length(hash) = 32),
    user_id uuid not null references ezw.app_user (id),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    used_by uuid
);

-- password_change, password_reset, password_reset_create
create index password_reset_user_id on ezw.password_reset (user_id);

-- sweep
create index password_reset_expires_at on ezw.password_reset (expires_at);


-- What the caches must hear ---------------------------------------------------

-- A session that has ended by itself is news to nobody.
drop trigger change_note on ezw.session;

create constraint trigger change_note
after delete on ezw.session
deferrable initially deferred
for each row
when (old.revoked_at is null and old.expires_at > now())
execute function ezw.change_note('session', 'id');

-- Nobody has asked for a company before it is there: that is news to its
-- parent only. (Signing up is open to all and must not empty the caches.)
create or replace function ezw.company_note()
returns trigger
language plpgsql
as $$
begin
    perform ezw.change_add('company', f.id, f.id::text)
    from (
        select case when tg_op <> 'INSERT' then coalesce(new.id, old.id) end as id
        union
        select old.parent
        union
        select new.parent
    ) f
    where f.id is not null;

    return null;
end
$$;

-- a company without billing is active, as one is that nobody counts
create constraint trigger change_note
after insert on ezw.billing
deferrable initially deferred
for each row
when (new.provider <> 'none')
execute function ezw.change_note('company', 'company');

create constraint trigger change_note_update
after update on ezw.billing
deferrable initially deferred
for each row
when (row (old.state, old.provider) is distinct from row (new.state, new.provider))
execute function ezw.change_note('company', 'company');

-- A user is news to those who know him as a member.
create function ezw.user_note()
returns trigger
language plpgsql
as $$
begin
    perform ezw.change_add('member', m.company, m.user_id::text)
    from ezw.membership m
    where m.user_id = new.id
    order by m.company;

    return null;
end
$$;

create constraint trigger change_note_update
after update on ezw.app_user
deferrable initially deferred
for each row
when (row (old.enabled, old.email, old.full_name) is distinct from row (new.enabled, new.email, new.full_name))
execute function ezw.user_note();

-- An identity is of no company.
create function ezw.identity_note()
returns trigger
language plpgsql
as $$
begin
    perform ezw.change_add('session', '00000000-0000-0000-0000-000000000000', old.id::text);

    return null;
end
$$;

create constraint trigger change_note
after update or delete on ezw.identity
deferrable initially deferred
for each row
execute function ezw.identity_note();


-- Members and their sessions --------------------------------------------------

create view ezw.member_shape as
select
    m.company,
    m.user_id,
    m.role,
    m.version,
    u.email,
    coalesce(u.full_name, u.email) as display_name,
    m.can_view,
    m.can_send,
    case
        when b.provider <> 'none' then b.state
        else 'active'
    end as billing_state,
    c.name as company_name,
    c.operators_see_all,
    c.status = 'ACTIVE' as company_active,
    u.enabled and m.status = 'active' as active
from ezw.membership m
join ezw.app_user u
  on u.id = m.user_id
join ezw.company c
  on c.id = m.company
left join ezw.billing b
  on b.company = m.company;

-- The sessions that may still be believed: a refresh token that can be used,
-- or one so lately spent that an ID token of its time may be in use.
create view ezw.session_live as
select
    s.company,
    s.id,
    s.user_id,
    s.family
from ezw.session s
where s.revoked_at is null
  and (s.spent_at is null or s.spent_at > now() - interval '1 day');

-- Ends sessions, and answers whether one had not ended before.
create function ezw.sessions_revoke(a_sessions uuid[])
returns boolean
language plpgsql
as $$
begin
    perform
    from ezw.session s
    where s.id = any (a_sessions)
    order by s.id
    for no key update;

    update ezw.session s
    set revoked_at = clock_timestamp()
    where s.id = any (a_sessions)
      and s.revoked_at is null;

    return found;
end
$$;

-- What an ID token was issued for is no more.
create function ezw.membership_version()
returns trigger
language plpgsql
as $$
begin
    new.version := greatest(new.version, old.version + 1);

    return new;
end
$$;

create trigger version
before update on ezw.membership
for each row
when (row (old.role, old.status) is distinct from row (new.role, new.status))
execute function ezw.membership_version();

create function ezw.membership_ended()
returns trigger
language plpgsql
as $$
begin
    perform ezw.sessions_revoke(array(
        select l.id
        from ezw.session_live l
        where l.company = new.company
          and l.user_id = new.user_id
    ));

    return null;
end
$$;

create trigger ended
after update on ezw.membership
for each row
when (old.status <> 'disabled' and new.status = 'disabled')
execute function ezw.membership_ended();

create function ezw.user_ended()
returns trigger
language plpgsql
as $$
begin
    perform ezw.sessions_revoke(array(
        select l.id
        from ezw.session_live l
        where l.user_id = new.id
    ));

    return null;
end
$$;

create trigger ended
after update on ezw.app_user
for each row
when (old.enabled and not new.enabled)
execute function ezw.user_ended();

-- Which of his companies a user was in last; null for a member of none.
create function ezw.company_recent(a_user uuid)
returns uuid
language plpgsql
stable
as $$
begin
    return (
        select m.company
        from ezw.membership m
        where m.user_id = a_user
          and m.status = 'active'
        order by m.last_seen_at desc nulls last, m.company
        limit 1
    );
end
$$;


-- Who asks --------------------------------------------------------------------

create type ezw.principal as (
    id uuid,
    user_id uuid,
    company uuid,
    family uuid,
    role text,
    mv integer,
    email text,
    display_name text,
    can_view boolean,
    can_send boolean,
    billing_state text,
    operators_see_all boolean,
    company_active boolean,
    active boolean,
    expires_at timestamptz,
    seq int8
);

-- The principal of an outside issuer's token, in the company that he was in
-- last; id is null for one whom nobody knows. A subject is bound to a user
-- the first time that it comes with that user's e-mail address, verified by
-- the issuer; from then on the address does not matter. The sequence is read
-- with the principal, after all that is written here.
create function ezw.external_principal(a_issuer text, a_subject text, a_email text, a_verified boolean)
returns ezw.principal
language plpgsql
as $$
declare
    l_principal ezw.principal;
    l_user uuid;
begin
    select i.user_id
    into l_user
    from ezw.identity i
    where i.issuer = a_issuer
      and i.subject = a_subject;

    if not found and a_verified then
        insert into ezw.identity (issuer, subject, user_id)
        select
            a_issuer,
            a_subject,
            u.id
        from ezw.app_user u
        where u.email = lower(a_email)
          and u.enabled
          and ezw.company_recent(u.id) is not null
        on conflict do nothing
        returning user_id into l_user;
    end if;

    -- an ID token of ours is issued at a sign-in, which notes the time
    update ezw.membership m
    set last_seen_at = now()
    from ezw.app_user u
    where u.id = l_user
      and u.enabled
      and m.user_id = u.id
      and m.company = ezw.company_recent(u.id)
      and (m.last_seen_at is null or m.last_seen_at < now() - interval '1 hour');

    select
        i.id,
        i.user_id,
        w.company,
        i.id,
        w.role,
        w.version,
        w.email,
        w.display_name,
        w.can_view,
        w.can_send,
        w.billing_state,
        w.operators_see_all,
        w.company_active,
        coalesce(w.active, false),
        null,
        n.seq
    into l_principal
    from ezw.change_counter n
    left join ezw.identity i
      on i.issuer = a_issuer
     and i.subject = a_subject
    left join ezw.member_shape w
      on w.company = ezw.company_recent(i.user_id)
     and w.user_id = i.user_id;

    return l_principal;
end
$$;


-- Sessions --------------------------------------------------------------------

-- Who has signed in: a refusal, or what an ID token is made of.
create type ezw.sign_in as (
    refusal text,
    session uuid,
    company uuid,
    company_name text,
    role text,
    mv integer,
    user_id uuid,
    email text,
    display_name text
);

create function ezw.signed_in(a_company uuid, a_session uuid)
returns ezw.sign_in
language plpgsql
volatile
as $$
declare
    l_answer ezw.sign_in;
begin
    select
        null,
        s.id,
        s.company,
        w.company_name,
        w.role,
        w.version,
        s.user_id,
        w.email,
        w.display_name
    into l_answer
    from ezw.session s
    join ezw.member_shape w
      on w.company = s.company
     and w.user_id = s.user_id
    where s.company = a_company
      and s.id = a_session
      and s.revoked_at is null
      and w.active;

    if not found then
        l_answer.refusal := 'unauthenticated';
    end if;

    return l_answer;
end
$$;

-- A session, and when its member was seen. The caller holds the user and the
-- membership.
create function ezw.session_add(a_company uuid, a_session uuid, a_user uuid, a_family uuid,
    a_refresh_hash bytea, a_address text, a_agent text)
returns void
language plpgsql
as $$
begin
    insert into ezw.session (company, id, user_id, family, refresh_hash, address, user_agent, expires_at)
    values (
        a_company,
        a_session,
        a_user,
        a_family,
        a_refresh_hash,
        a_address,
        a_agent,
        clock_timestamp() + interval '30 days'
    );

    update ezw.membership m
    set last_seen_at = clock_timestamp()
    where m.company = a_company
      and m.user_id = a_user;
end
$$;

-- The password has been found right, as of a_password_version. a_password_hash
-- is the same one hashed anew, or null. Refusal: unauthenticated.
create function ezw.login(a_company uuid, a_user uuid, a_password_version integer, a_password_hash text,
    a_session uuid, a_refresh_hash bytea, a_address text, a_agent text, a_audit uuid, a_trace text)
returns ezw.sign_in
language plpgsql
as $$
declare
    l_answer ezw.sign_in;
    l_password_version integer;
begin
    select u.password_version
    into l_password_version
    from ezw.app_user u
    join ezw.membership m
      on m.user_id = u.id
    where u.id = a_user
      and u.enabled
      and m.company = a_company
      and m.status = 'active'
    for no key update;

    -- this same request may have signed in before
    l_answer := ezw.signed_in(a_company, a_session);

    if l_answer.session is not null or (l_password_version = a_password_version) is not true then
        return l_answer;
    end if;

    if a_password_hash is not null then
        update ezw.app_user u
        set password_hash = a_password_hash
        where u.id = a_user;
    end if;

    perform ezw.session_add(a_company, a_session, a_user, a_session, a_refresh_hash, a_address, a_agent);

    perform ezw.audit_add(a_company, a_audit, 'auth.login', a_user::text, 'session', a_session::text,
        a_address, a_trace, null);

    return ezw.signed_in(a_company, a_session);
end
$$;

-- For what is done for a user who is not there: as a row for one who is, this
-- makes the commit write, so that its time does not tell the two apart.
create function ezw.nobody_add()
returns void
language plpgsql
as $$
begin
    perform pg_logical_emit_message(true, 'ezw', '');
end
$$;

-- Notes a sign-in that failed, where there is a user. Refusal: unauthenticated.
create function ezw.login_failed(a_company uuid, a_user uuid, a_audit uuid, a_address text, a_trace text)
returns text
language plpgsql
as $$
begin
    if a_company is null or a_user is null then
        perform ezw.nobody_add();
    elsif not ezw.audit_exists(a_company, a_audit) then
        perform ezw.audit_add(a_company, a_audit, 'auth.login_failed', null, 'user', a_user::text, a_address,
            a_trace, null);
    end if;

    return 'unauthenticated';
end
$$;

-- Spends a refresh token for the next one of its family, in a_company or, when
-- that is null, where it was. One that was spent before is in two hands, of
-- which one is a thief's: the family ends. Refusal: unauthenticated.
create function ezw.session_refresh(a_refresh_hash bytea, a_company uuid, a_session uuid,
    a_new_refresh_hash bytea, a_address text, a_agent text, a_audit uuid, a_trace text)
returns ezw.sign_in
language plpgsql
as $$
declare
    l_answer ezw.sign_in;
    l_user uuid;
    l_company uuid;
    l_old uuid;
    l_family uuid;
    l_spent boolean;
    l_usable boolean;
    l_known uuid;
begin
    l_answer.refusal := 'unauthenticated';

    -- unlocked: whose it is does not change, and the user is locked first
    select s.user_id
    into l_user
    from ezw.session s
    where s.refresh_hash = a_refresh_hash;

    if not found then
        return l_answer;
    end if;

    perform
    from ezw.app_user u
    where u.id = l_user
    for no key update;

    select
        s.company,
        s.id,
        s.family,
        s.spent_at is not null,
        s.revoked_at is null and s.expires_at > clock_timestamp()
    into
        l_company,
        l_old,
        l_family,
        l_spent,
        l_usable
    from ezw.session s
    where s.refresh_hash = a_refresh_hash;

    if not found then
        return l_answer;
    end if;

    if l_spent then
        -- by this same request
        select s.company
        into l_known
        from ezw.session s
        where s.id = a_session
          and s.family = l_family;

        if found then
            return ezw.signed_in(l_known, a_session);
        end if;

        if ezw.sessions_revoke(array(
            select l.id
            from ezw.session_live l
            where l.user_id = l_user
              and l.family = l_family
        )) then
            perform ezw.audit_add(l_company, a_audit, 'auth.refresh_reuse', null, 'session', l_old::text,
                a_address, a_trace, json_build_object('userId', l_user));
        end if;

        return l_answer;
    end if;

    perform
    from ezw.app_user u
    join ezw.membership m
      on m.user_id = u.id
    where u.id = l_user
      and u.enabled
      and m.company = coalesce(a_company, l_company)
      and m.status = 'active'
    for no key update of m;

    if not found or not l_usable then
        return l_answer;
    end if;

    update ezw.session s
    set spent_at = clock_timestamp()
    where s.company = l_company
      and s.id = l_old
      and s.revoked_at is null;

    -- a membership that ended a moment ago
    if not found then
        return l_answer;
    end if;

    l_company := coalesce(a_company, l_company);

    perform ezw.session_add(l_company, a_session, l_user, l_family, a_new_refresh_hash, a_address, a_agent);

    return ezw.signed_in(l_company, a_session);
end
$$;

-- Ends the session and all others of its family. One of an outside issuer is
-- not ours to end.
create function ezw.session_logout(a_company uuid, a_user uuid, a_session uuid, a_audit uuid, a_address text,
    a_trace text)
returns text
language plpgsql
as $$
declare
    l_family uuid;
begin
    perform
    from ezw.app_user u
    where u.id = a_user
    for no key update;

    select s.family
    into l_family
    from ezw.session s
    where s.company = a_company
      and s.id = a_session
      and s.user_id = a_user;

    if ezw.sessions_revoke(array(
        select l.id
        from ezw.session_live l
        where l.user_id = a_user
          and l.family = l_family
    )) then
        perform ezw.audit_add(a_company, a_audit, 'auth.logout', a_user::text, 'session', a_session::text,
            a_address, a_trace, null);
    end if;

    return null;
end
$$;


-- Passwords -------------------------------------------------------------------

-- Sets it, ends every session but those of a_family, and every token that
-- could set it once more. The caller holds the user.
create function ezw.password_set(a_user uuid, a_password_hash text, a_family uuid)
returns void
language plpgsql
as $$
begin
    update ezw.app_user u
    set
        password_hash = a_password_hash,
        password_version = u.password_version + 1
    where u.id = a_user;

    update ezw.password_reset p
    set used_at = clock_timestamp()
    where p.user_id = a_user
      and p.used_at is null;

    perform ezw.sessions_revoke(array(
        select l.id
        from ezw.session_live l
        where l.user_id = a_user
          and l.family is distinct from a_family
    ));
end
$$;

-- The old one has been found right, as of a_password_version. Refusal:
-- unauthenticated, when it has been changed since.
create function ezw.password_change(a_company uuid, a_user uuid, a_session uuid, a_password_version integer,
    a_password_hash text, a_audit uuid, a_address text, a_trace text)
returns text
language plpgsql
as $$
declare
    l_password_version integer;
    l_family uuid;
begin
    select u.password_version
    into l_password_version
    from ezw.app_user u
    where u.id = a_user
      and u.enabled
    for no key update;

    if ezw.audit_exists(a_company, a_audit) then
        return null;
    end if;

    if (l_password_version = a_password_version) is not true then
        return 'unauthenticated';
    end if;

    select s.family
    into l_family
    from ezw.session s
    where s.company = a_company
      and s.id = a_session
      and s.user_id = a_user;

    perform ezw.password_set(a_user, a_password_hash, l_family);

    perform ezw.audit_add(a_company, a_audit, 'auth.password_changed', a_user::text, 'user', a_user::text,
        a_address, a_trace, null);

    return null;
end
$$;

-- Notes that somebody wants to set a user's password anew, without saying
-- whether there is such a user. No mail leaves this server: an operator makes
-- the token (password_reset_create) and hands it over.
create function ezw.password_reset_request(a_email text, a_audit uuid, a_address text, a_trace text)
returns text
language plpgsql
as $$
declare
    l_user uuid;
    l_company uuid;
begin
    select
        u.id,
        ezw.company_recent(u.id)
    into
        l_user,
        l_company
    from ezw.app_user u
    where u.email = lower(a_email)
      and u.enabled;

    if l_company is null then
        perform ezw.nobody_add();
    elsif not ezw.audit_exists(l_company, a_audit) then
        perform ezw.audit_add(l_company, a_audit, 'auth.password_reset_requested', null, 'user', l_user::text,
            a_address, a_trace, null);
    end if;

    return null;
end
$$;

-- An id that begins with its time, for what no request has brought one for.
create function ezw.uuid7()
returns uuid
language sql
volatile
as $$
    select (
        lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::int8), 12, '0')
        || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14)
    )::uuid
$$;

-- For operators: lets the token whose SHA-256 a_hash is set the password of a
-- user until a_expires_at, and no other token. False: there is no such user.
create function ezw.password_reset_create(a_email text, a_hash bytea, a_expires_at timestamptz)
returns boolean
language plpgsql
as $$
declare
    l_user uuid;
    l_company uuid;
begin
    select u.id
    into l_user
    from ezw.app_user u
    where u.email = lower(a_email)
      and u.enabled
    for no key update;

    if not found then
        return false;
    end if;

    update ezw.password_reset p
    set used_at = clock_timestamp()
    where p.user_id = l_user
      and p.used_at is null;

    insert into ezw.password_reset (hash, user_id, expires_at)
    values (a_hash, l_user, a_expires_at);

    l_company := ezw.company_recent(l_user);

    if l_company is not null then
        perform ezw.audit_add(l_company, ezw.uuid7(), 'auth.password_reset_requested', null, 'user',
            l_user::text, null, null, json_build_object('expiresAt', ezw.ts(a_expires_at)));
    end if;

    return true;
end
$$;

-- Sets the password by a token. Refusal: token_invalid.
create function ezw.password_reset(a_hash bytea, a_password_hash text, a_audit uuid, a_address text,
    a_trace text)
returns text
language plpgsql
as $$
declare
    l_user uuid;
    l_used_by uuid;
    l_usable boolean;
    l_company uuid;
begin
    -- unlocked, as in session_refresh
    select p.user_id
    into l_user
    from ezw.password_reset p
    where p.hash = a_hash;

    if not found then
        return 'token_invalid';
    end if;

    perform
    from ezw.app_user u
    where u.id = l_user
    for no key update;

    select
        p.used_by,
        p.used_at is null and p.expires_at > clock_timestamp() and u.enabled
    into
        l_used_by,
        l_usable
    from ezw.password_reset p
    join ezw.app_user u
      on u.id = p.user_id
    where p.hash = a_hash;

    if l_used_by = a_audit then
        return null;
    end if;

    if l_usable is not true then
        return 'token_invalid';
    end if;

    perform ezw.password_set(l_user, a_password_hash, null);

    update ezw.password_reset p
    set used_by = a_audit
    where p.hash = a_hash;

    l_company := ezw.company_recent(l_user);

    if l_company is not null then
        perform ezw.audit_add(l_company, a_audit, 'auth.password_reset', l_user::text, 'user', l_user::text,
            a_address, a_trace, null);
    end if;

    return null;
end
$$;


-- Signing up ------------------------------------------------------------------

create type ezw.sign_up as (
    refusal text,
    checkout_url text,
    billing_state text,
    line_slots integer,
    company uuid,
    company_name text,
    display_name text,
    email text,
    user_id uuid,
    role text
);

-- A company, its owner and its billing, which has not begun. Refusals:
-- timezone_unknown, duplicate: the e-mail address is taken.
create function ezw.signup(a_company uuid, a_name text, a_timezone text, a_line_slots integer, a_user uuid,
    a_full_name text, a_email text, a_password_hash text, a_audit uuid, a_address text, a_trace text)
returns ezw.sign_up
language plpgsql
as $$
declare
    l_answer ezw.sign_up;
begin
    -- the view reads every file there is: the usual answer without it
    if a_timezone <> 'UTC' and not exists (
        select
        from pg_catalog.pg_timezone_names z
        where z.name = a_timezone
    ) then
        l_answer.refusal := 'timezone_unknown';
        return l_answer;
    end if;

    insert into ezw.app_user (id, email, password_hash, full_name, first_name, last_name)
    values (
        a_user,
        lower(a_email),
        a_password_hash,
        a_full_name,
        ezw.first_name(a_full_name),
        ezw.last_name(a_full_name)
    )
    on conflict do nothing;

    if found then
        insert into ezw.company (id, name, timezone)
        values (a_company, a_name, coalesce(a_timezone, 'UTC'));

        insert into ezw.membership (company, user_id, role)
        values (a_company, a_user, 'owner');

        insert into ezw.billing (company, state, line_slots)
        values (a_company, 'pending', coalesce(a_line_slots, 1));

        perform ezw.audit_add(a_company, a_audit, 'org.created', a_user::text, 'company', a_company::text,
            a_address, a_trace, json_build_object('name', a_name));
    end if;

    -- there too when this same request made it before
    select
        null,
        b.checkout_url,
        b.state,
        b.line_slots,
        w.company,
        w.company_name,
        w.display_name,
        w.email,
        w.user_id,
        w.role
    into l_answer
    from ezw.member_shape w
    join ezw.billing b
      on b.company = w.company
    where w.company = a_company
      and w.user_id = a_user
      and b.company = a_company;

    if not found then
        l_answer.refusal := 'duplicate';
    end if;

    return l_answer;
end
$$;


-- Sweeping --------------------------------------------------------------------

-- Removes what is past its time, at most a_limit rows of each kind, and
-- answers the most that it removed of one. Spent refresh tokens are kept a
-- while, to be known when they come again.
create or replace function ezw.sweep(a_limit integer)
returns integer
language plpgsql
as $$
declare
    l_swept integer;
    l_most integer;
begin
    delete from ezw.change g
    where g.seq = any (array(
        select o.seq
        from ezw.change o
        where o.created_at < now() - interval '1 day'
        order by o.created_at
        limit a_limit
    ));

    get diagnostics l_most = row_count;

    delete from ezw.provider_message p
    where p.ctid = any (array(
        select o.ctid
        from ezw.provider_message o
        where o.created_at < now() - interval '30 days'
        order by o.created_at
        limit a_limit
    ))
      and p.created_at < now() - interval '30 days';

    get diagnostics l_swept = row_count;
    l_most := greatest(l_most, l_swept);

    delete from ezw.idempotency i
    where i.ctid = any (array(
        select o.ctid
        from ezw.idempotency o
        where o.created_at < now() - interval '7 days'
        order by o.created_at
        limit a_limit
    ))
      and i.created_at < now() - interval '7 days';

    get diagnostics l_swept = row_count;
    l_most := greatest(l_most, l_swept);

    delete from ezw.session s
    where s.ctid = any (array(
        select o.ctid
        from ezw.session o
        where o.expires_at < now() - interval '30 days'
        order by o.expires_at
        limit a_limit
    ))
      and s.expires_at < now() - interval '30 days';

    get diagnostics l_swept = row_count;
    l_most := greatest(l_most, l_swept);

    delete from ezw.password_reset p
    where p.ctid = any (array(
        select o.ctid
        from ezw.password_reset o
        where o.expires_at < now() - interval '1 day'
        order by o.expires_at
        limit a_limit
    ))
      and p.expires_at < now() - interval '1 day';

    get diagnostics l_swept = row_count;

    return greatest(l_most, l_swept);
end
$$;


-- Rights. password_reset_create is for operators.

revoke all on all functions in schema ezw from public;

grant execute on function
    ezw.company_recent,
    ezw.external_principal,
    ezw.login,
    ezw.login_failed,
    ezw.nobody_add,
    ezw.password_change,
    ezw.password_reset,
    ezw.password_reset_request,
    ezw.password_set,
    ezw.session_add,
    ezw.session_logout,
    ezw.session_refresh,
    ezw.sessions_revoke,
    ezw.signed_in,
    ezw.signup
to ezw_runtime;

grant select on
    ezw.identity,
    ezw.member_shape,
    ezw.password_reset,
    ezw.session_live
to ezw_runtime;

grant insert on
    ezw.app_user,
    ezw.billing,
    ezw.company,
    ezw.identity,
    ezw.membership,
    ezw.session
to ezw_runtime;

grant delete on
    ezw.password_reset,
    ezw.session
to ezw_runtime;

grant update (password_hash, password_version) on ezw.app_user to ezw_runtime;
grant update (used_at, used_by) on ezw.password_reset to ezw_runtime;
grant update (revoked_at, spent_at) on ezw.session to ezw_runtime;

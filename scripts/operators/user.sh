# `ezw user`: people and their memberships. A user is one for the whole
# deployment and found by e-mail; what is given or taken here is a membership
# of one company, and a password only to who has none.

user_create() {
    local password='' answer

    read_options 'company! email! name! role! password-file' "$@"
    take_uuid company
    take_email email
    take_text name
    take_word role '' owner admin operator
    if [ -n "${OPTION[password-file]-}" ]; then
        password_read "${OPTION[password-file]}"
        take_password_hash "$PASSWORD"
        VALUES[given]=true
    else
        password=$(random_text 20)
        take_password_hash "$password"
        VALUES[given]=false
    fi
    VALUES[id]=$(uuid7)
    VALUES[audit]=$(uuid7)

    answer=$({
        company_must_exist
        cat <<'END'
insert into ezw.app_user (id, email, password_hash, full_name, first_name, last_name)
values (
    :'id',
    :'email',
    :'hash',
    :'name',
    ezw.first_name(:'name'),
    ezw.last_name(:'name')
)
on conflict (email) do nothing;

select
    u.id as user_id,
    u.id = :'id' as fresh,
    u.password_hash is null as bare
from ezw.app_user u
where u.email = :'email'
for update \gset

select case
    when exists (
        select
        from ezw.app_user u
        where u.id = :'user_id'
          and not u.enabled
    )
    then '--email: the user is disabled in the whole deployment'
    when exists (
        select
        from ezw.membership m
        where m.company = :'company'
          and m.user_id = :'user_id'
          and m.status = 'active'
    )
    then '--email: is a member of the company already'
    when :'given' and not :'fresh' and not :'bare'
    then '--password-file: the user is known and has a password, leave it out'
end as refusal \gset
END
        quit_if_refused
        cat <<'END'
update ezw.app_user u
set password_hash = :'hash'
where u.id = :'user_id'
  and u.password_hash is null;

insert into ezw.membership (company, user_id, role)
values (:'company', :'user_id', :'role')
on conflict (company, user_id) do update
set
    role = excluded.role,
    status = 'active',
    invite_hash = null,
    invite_expires_at = null;

select ezw.audit_add(:'company', :'audit', 'membership.invited', null, 'user', :'user_id', null, null,
    json_build_object('role', :'role', 'status', 'active')) \g /dev/null

END
        member_object
        echo "select :'fresh' or :'bare';"
    } | operator_sql) || exit 1

    # the last line says whether the password became the user's
    if [ "${answer##*$'\n'}" != t ]; then
        password=
    fi
    with_secret "${answer%$'\n'*}" password "$password"
}

user_list() {
    read_options 'company!' "$@"
    take_uuid company

    {
        company_must_exist
        {
            user_rows
            echo "where m.company = :'company' order by u.email"
        } | one_array
    } | operator_answer
}

# The sessions end by the membership's own trigger. The conversations go back
# to the pool in steps, each a transaction of its own; when that was cut short
# it goes on where the command is given again.
user_disable() {
    local answer step

    read_options 'company! email!' "$@"
    take_uuid company
    take_email email
    VALUES[audit]=$(uuid7)

    answer=$({
        member_must_exist
        cat <<'END'
select case
    when :'is_last_owner' then '--email: is the last owner of the company'
end as refusal \gset
END
        quit_if_refused
        cat <<'END'
select ezw.audit_add(:'company', :'audit', 'membership.disabled', null, 'user', :'user_id', null, null,
    json_build_object('role', :'role'))
where :'status' <> 'disabled' \g /dev/null

update ezw.membership m
set
    status = 'disabled',
    invite_hash = null,
    invite_expires_at = null
where m.company = :'company'
  and m.user_id = :'user_id'
  and m.status <> 'disabled';

END
        member_object
    } | operator_sql) || exit 1

    VALUES[after]=00000000-0000-0000-0000-000000000000
    while true; do
        step=$(user_unassign | operator_sql) || exit 1
        [ -n "$step" ] || break
        VALUES[after]=$step
    done
    printf '%s\n' "$answer"
}

# Takes the next 200 conversations from a member; answers the last one's id, or
# nothing when there was none left.
user_unassign() {
    cat <<'END'
select v.id
from (
    select
        v.id,
        h.jid as channel_jid,
        v.contact_jid
    from ezw.app_user u
    join ezw.conversation v
      on v.assignee_user = u.id
    join ezw.channel h
      on h.company = v.company
     and h.id = v.channel
    where u.email = :'email'
      and v.company = :'company'
      and v.id > :'after'
    order by v.id
    limit 200
) v
cross join lateral ezw.conversation_update(
    a_company => :'company',
    a_channel => v.channel_jid,
    a_jid => v.contact_jid,
    a_has_assignee => true,
    a_assignee => null,
    a_has_labels => false,
    a_labels => null,
    a_has_status => false,
    a_status => null,
    a_has_team => false,
    a_team => null,
    a_has_unread_count => false,
    a_unread_count => null,
    a_assistant => null,
    a_actor => null,
    a_audit => ezw.uuid7(),
    a_audit2 => null,
    a_address => null,
    a_trace => null
) w
order by v.id desc
limit 1;
END
}

user_role() {
    read_options 'company! email! role!' "$@"
    take_uuid company
    take_email email
    take_word role '' owner admin operator
    VALUES[new_role]=${VALUES[role]}
    VALUES[audit]=$(uuid7)

    {
        member_must_exist
        cat <<'END'
select case
    when :'status' = 'disabled' then '--email: is disabled, ./ezw user create brings back'
    when :'is_last_owner' and :'new_role' <> 'owner' then '--email: is the last owner of the company'
end as refusal \gset
END
        quit_if_refused
        cat <<'END'
select ezw.audit_add(:'company', :'audit', 'membership.role_changed', null, 'user', :'user_id', null, null,
    json_build_object('from', :'role', 'to', :'new_role'))
where :'role' <> :'new_role' \g /dev/null

update ezw.membership m
set role = :'new_role'
where m.company = :'company'
  and m.user_id = :'user_id'
  and m.role <> :'new_role';

END
        member_object
    } | operator_answer
}

# A token that sets a new password, once and within an hour; the ones before it
# lose their effect.
user_reset_password() {
    local token answer

    read_options 'email!' "$@"
    take_email email
    token=$(random_text 40)
    VALUES[hash]=$(sha256_text "$token")

    answer=$({
        cat <<'END'
select
    now() + interval '1 hour' as expires_at \gset
select case
    when not ezw.password_reset_create(:'email', decode(:'hash', 'hex'), :'expires_at')
    then '--email: there is no such user, or a disabled one'
end as refusal \gset
END
        quit_if_refused
        cat <<'END'
select row_to_json(w)
from (
    select
        :'email' as email,
        ezw.ts(:'expires_at') as "expiresAt"
) w;
END
    } | operator_sql) || exit 1

    with_secret "$answer" token "$token"
}

# SQL that sets user_id, role, status and is_last_owner of :email in :company,
# and holds the company's owners.
member_must_exist() {
    company_must_exist
    cat <<'END'
select case
    when not exists (
        select
        from ezw.app_user u
        join ezw.membership m
          on m.user_id = u.id
        where u.email = :'email'
          and m.company = :'company'
    )
    then '--email: is no member of the company'
end as refusal \gset
END
    quit_if_refused
    cat <<'END'
select m.user_id
from ezw.membership m
where m.company = :'company'
  and m.role = 'owner'
order by m.user_id
for update \g /dev/null

select
    m.user_id,
    m.role,
    m.status,
    m.role = 'owner' and m.status = 'active' and not exists (
        select
        from ezw.membership o
        where o.company = :'company'
          and o.role = 'owner'
          and o.status = 'active'
          and o.user_id <> m.user_id
    ) as is_last_owner
from ezw.app_user u
join ezw.membership m
  on m.user_id = u.id
where u.email = :'email'
  and m.company = :'company'
for update of m \gset
END
}

member_object() {
    {
        user_rows
        echo "where m.company = :'company' and m.user_id = :'user_id'"
    } | one_object
}

user_rows() {
    cat <<'END'
select
    u.full_name as "displayName",
    u.email,
    ezw.ts(m.invited_at) as "invitedAt",
    ezw.ts(m.last_seen_at) as "lastSeenAt",
    m.role,
    m.status,
    u.id as "userId"
from ezw.membership m
join ezw.app_user u
  on u.id = m.user_id
END
}

# Sets PASSWORD from a file, or (-) from standard input, where a person is
# asked for it.
password_read() {
    local again

    if [ "$1" != - ]; then
        [ -f "$1" ] && [ -r "$1" ] || refuse "--password-file: cannot read $1"
        IFS= read -r -d '' PASSWORD <"$1" || true
    elif [ -t 0 ]; then
        IFS= read -r -s -p 'password: ' PASSWORD && printf '\n' >&2
        IFS= read -r -s -p 'once more: ' again && printf '\n' >&2
        [ "$PASSWORD" = "$again" ] || refuse "these were two passwords"
    else
        IFS= read -r -d '' PASSWORD || true
    fi
    PASSWORD=${PASSWORD%$'\n'}

    is_text "$PASSWORD" ||
        refuse "--password-file: not UTF-8, or more than one line"
    [ ${#PASSWORD} -ge 10 ] ||
        refuse "--password-file: a password has 10 characters or more"
    [ "$(printf '%s' "$PASSWORD" | wc -c)" -le 255 ] ||
        refuse "--password-file: a password has 255 bytes at most"
}

# Sets VALUES[hash] of a password; builds scripts/scrypt for that.
take_password_hash() {
    use_run_folder
    need_packages build-essential libssl-dev openssl >&2
    VALUES[hash]=$(password_hash "$1")
}

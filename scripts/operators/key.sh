# `ezw key`: API keys. A key is made here and shown once; the database knows
# its SHA-256 and its first six characters.

key_create() {
    local key answer

    read_options 'company! scope! channel* assistant description whitelist*
        expires rate burst' "$@"
    take_uuid company
    take_word scope '' channel assistant company owner
    VALUES[scope]=${VALUES[scope]^^}
    take_objects
    take_text description
    take_whitelist
    take_expires
    take_rate
    take_number burst 1000000

    key=$(random_text 40)
    VALUES[hash]=$(sha256_text "$key")
    VALUES[prefix]=${key:0:6}
    VALUES[id]=$(uuid7)
    VALUES[audit]=$(uuid7)

    answer=$({
        company_must_exist
        cat <<'END'
select case
    when o.type = 'CHANNEL' then '--channel: ' || o.ref || ' is no channel of the company, or archived'
    when o.type = 'ASSISTANT' then '--assistant: ' || o.ref || ' is no assistant of the company'
end as refusal
from (values (true)) v
left join (
    select
        'CHANNEL' as type,
        c.ref
    from unnest(string_to_array(nullif(:'channel', ''), e'\n')) c (ref)
    where not exists (
        select
        from ezw.channel h
        where h.company = :'company'
          and h.jid = c.ref
          and h.archived_at is null
    )
    union all
    select
        'ASSISTANT',
        :'assistant'
    where :'assistant' <> ''
      and not exists (
        select
        from ezw.assistant a
        where a.company = :'company'
          and a.jid = :'assistant'
      )
) o
  on true
limit 1 \gset
END
        quit_if_refused
        cat <<'END'
select w.refusal
from ezw.key_create(
    a_company => :'company',
    a_id => :'id',
    a_hash => decode(:'hash', 'hex'),
    a_prefix => :'prefix',
    a_scope => :'scope',
    a_description => nullif(:'description', ''),
    a_objects => (
        select coalesce(json_agg(o), '[]')
        from (
            select
                'CHANNEL' as type,
                c.ref
            from unnest(string_to_array(nullif(:'channel', ''), e'\n')) c (ref)
            union all
            select
                'ASSISTANT',
                :'assistant'
            where :'assistant' <> ''
        ) o
    ),
    a_whitelist => to_json(string_to_array(nullif(:'whitelist', ''), e'\n')),
    a_expires_at => nullif(:'expires', '')::timestamptz,
    a_rate_per_minute => nullif(:'rate', '')::integer,
    a_burst => nullif(:'burst', '')::integer,
    a_enabled => true,
    a_cipher_key => null,
    a_cipher_fingerprint => null,
    a_audit => :'audit',
    a_actor => null,
    a_address => null,
    a_trace => null
) w \gset
END
        quit_if_refused
        {
            key_rows
            echo "where w.company = :'company' and w.id = :'id'"
        } | one_object
    } | operator_sql) || exit 1

    with_secret "$answer" key "$key"
}

key_list() {
    read_options 'company! all?' "$@"
    take_uuid company
    VALUES[all]=${OPTION[all]:-no}

    {
        company_must_exist
        {
            key_rows
            echo "where w.company = :'company'"
            echo "  and (w.revoked_at is null or :'all'::boolean)"
            echo 'order by w.created_at, w.id'
        } | one_array
    } | operator_answer
}

# A key that was revoked before stays as it is.
key_revoke() {
    read_options 'company! id!' "$@"
    take_uuid company
    take_uuid id
    VALUES[audit]=$(uuid7)

    {
        company_must_exist
        cat <<'END'
select case
    when not exists (
        select
        from ezw.api_key k
        where k.company = :'company'
          and k.id = :'id'
    )
    then '--id: the company has no such key'
end as refusal \gset
END
        quit_if_refused
        cat <<'END'
select ezw.key_revoke(:'company', :'id', :'audit', null, null, null) \g /dev/null
END
        {
            key_rows
            echo "where w.company = :'company' and w.id = :'id'"
        } | one_object
    } | operator_answer
}

key_rows() {
    cat <<'END'
select
    w.burst,
    w.cipher_fingerprint as "cipherKey",
    ezw.ts(w.created_at) as "createdAt",
    w.description,
    w.enabled,
    ezw.ts(w.expires_at) as "expiresAt",
    w.id,
    ezw.ts(w.last_used) as "lastUsed",
    w.objects,
    w.prefix,
    w.rate_per_minute as "ratePerMinute",
    ezw.ts(w.revoked_at) as "revokedAt",
    w.scope,
    w.whitelist
from ezw.key_shape w
END
}


# Options of key create ----------------------------------------------------

# Sets VALUES[channel], a line for each, and VALUES[assistant]; which of them
# a scope may have is the schema's rule (ezw.key_objects_refused).
take_objects() {
    local scope=${VALUES[scope]} value

    VALUES[channel]=
    while read -r value; do
        [ -n "$value" ] || continue
        read_channel_jid channel "$value"
        add_line channel "$JID" 1000
    done <<<"${OPTION[channel]-}"

    value=${OPTION[assistant]-}
    [[ -z $value || $value =~ ^[0-9]{10,19}@[Aa][Ii](\.[A-Za-z0-9-]+)+$ ]] ||
        refuse "--assistant: $value is no JID, as 1563451622477@ai.eazy.im" \
            "would be"
    VALUES[assistant]=${value,,}

    case $scope in
        CHANNEL)
            [ -n "${VALUES[channel]}" ] ||
                refuse "--channel is needed: a key of that scope has one or more"
            [ -z "$value" ] ||
                refuse "--assistant: not for a key of that scope" ;;
        COMPANY|OWNER)
            [ -z "${VALUES[channel]}" ] ||
                refuse "--channel: a key of that scope has all channels"
            [ -z "$value" ] ||
                refuse "--assistant: not for a key of that scope" ;;
    esac
}

take_whitelist() {
    local value network

    VALUES[whitelist]=
    while read -r value; do
        [ -n "$value" ] || continue
        network=$(network_text "$value") || refuse "--whitelist: $value is no" \
            "address or network, as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
        add_line whitelist "$network" 100
    done <<<"${OPTION[whitelist]-}"
}

# Adds a line to VALUES[NAME], once: NAME LINE MAX.
add_line() {
    local lines=${VALUES[$1]//[!$'\n']/}

    case $'\n'${VALUES[$1]}$'\n' in
        *$'\n'"$2"$'\n'*) ;;
        *) [ ${#lines} -lt $(($3 - 1)) ] || refuse "--$1: more than $3"
            VALUES[$1]+=${VALUES[$1]:+$'\n'}$2 ;;
    esac
}

# Prints an address or network as the module does (base/ezw_cidr.h); fails when
# it is none.
network_text() {
    perl -MSocket=inet_pton,inet_ntop,AF_INET,AF_INET6 -e '
        my ($text, $bits) = $ARGV[0] =~ m{^([0-9a-fA-F:.]+)(?:/(0|[1-9]\d{0,2}))?$}
            or exit 1;
        my $family = $text =~ /:/ ? AF_INET6 : AF_INET;
        my $address = inet_pton($family, $text) // exit 1;
        my $all = 8 * length $address;
        $bits //= $all;
        exit 1 if $bits > $all;
        if ($bits >= 96 && $address =~ /^\0{10}\xff\xff(.{4})$/s) {
            ($address, $family, $all) = ($1, AF_INET, 32);
            $bits -= 96;
        }
        $address &= pack "B$all", "1" x $bits . "0" x ($all - $bits);
        print inet_ntop($family, $address), $bits < $all ? "/$bits" : "";
    ' -- "$1"
}

take_expires() {
    local value=${OPTION[expires]-} at
    local pattern='^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$'

    value=${value^^}
    VALUES[expires]=$value
    [ -n "$value" ] || return 0
    [[ $value =~ $pattern ]] && at=$(date -u -d "$value" +%s 2>/dev/null) ||
        refuse "--expires: ${OPTION[expires]} is no time, as" \
            "2030-01-31T00:00:00Z would be"
    [ "$at" -gt "$EPOCHSECONDS" ] ||
        refuse "--expires: ${OPTION[expires]} is past"
}

# 600/m, or as in nginx 600r/m.
take_rate() {
    local value=${OPTION[rate]-}

    VALUES[rate]=${value%%[r/]*}
    [[ -z $value || $value =~ ^[1-9][0-9]{0,8}r?/m$ &&
        ${VALUES[rate]} -le 60000000 ]] ||
        refuse "--rate: $value is no rate, as 600/m would be"
}

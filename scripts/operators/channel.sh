# `ezw channel`: the lines on which messages go. What a connector needs beside
# these columns is set up elsewhere.

channel_create() {
    local window=

    read_options 'company! jid! name! connector retention-days window' "$@"
    take_uuid company
    read_channel_jid jid "${OPTION[jid]}"
    VALUES[jid]=$JID
    VALUES[domain]=$DOMAIN
    take_text name
    take_word connector sandbox sandbox cloud waha http
    take_number retention-days 36500
    channel_must_suit "$DOMAIN" "${VALUES[connector]}"

    # platforms that close the window for business a day after the customer's
    # last message (DECISIONS 12)
    case ${VALUES[connector]}:$DOMAIN in
        cloud:* | http:whatsapp | http:instagram | http:messenger)
            window=86400 ;;
    esac
    if [ "${OPTION[window]-}" = 0 ]; then
        VALUES[window]=
    else
        take_number window 31536000 $window
    fi
    VALUES[id]=$(uuid7)
    VALUES[audit]=$(uuid7)

    {
        company_must_exist
        cat <<'END'
insert into ezw.channel (company, id, jid, domain, connector, name, data_retention_in_days, window_seconds,
    lifecycle_state)
select
    c.id,
    :'id',
    :'jid',
    :'domain',
    :'connector',
    :'name',
    coalesce(nullif(:'retention_days', '')::integer, c.data_retention_in_days),
    nullif(:'window', '')::integer,
    case when :'connector' = 'sandbox' then 'connected' else 'created' end
from ezw.company c
where c.id = :'company'
on conflict (jid) do nothing;

select case
    when :ROW_COUNT = 0 then '--jid: ' || :'jid' || ' is taken'
end as refusal \gset
END
        quit_if_refused
        cat <<'END'
select ezw.audit_add(:'company', :'audit', 'line.created', null, 'channel', :'id', null, null,
    json_build_object('jid', :'jid', 'connector', :'connector')) \g /dev/null

END
        {
            channel_rows
            echo "where h.company = :'company' and h.id = :'id'"
        } | one_object
    } | operator_answer
}

channel_list() {
    read_options 'company!' "$@"
    take_uuid company

    {
        company_must_exist
        {
            channel_rows
            echo "where h.company = :'company'"
            echo 'order by h.priority nulls last, h.created_at, h.id'
        } | one_array
    } | operator_answer
}

channel_rows() {
    cat <<'END'
select
    ezw.ts(h.archived_at) as "archivedAt",
    h.connector,
    ezw.ts(h.created_at) as "createdAt",
    h.data_retention_in_days as "dataRetentionInDays",
    h.id,
    h.jid,
    h.lifecycle_state as "lifecycleState",
    h.name,
    h.priority,
    h.window_seconds as "windowSeconds"
from ezw.channel h
END
}

# Sets JID to a channel's JID as the module writes it, and DOMAIN to its domain
# without the suffix (base/ezw_jid.c): OPTION'S NAME, VALUE.
read_channel_jid() {
    local name=$1 value=$2 part pattern

    part=${value%%@*}
    DOMAIN=${value#*@}
    DOMAIN=${DOMAIN,,}
    JID=$part@$DOMAIN
    case ${DOMAIN%%.*} in
        whatsapp|sms)   pattern='[1-9][0-9]{6,14}' ;;
        instagram|messenger|webchat|twitter|line)
                        pattern='[0-9]{1,20}' ;;
        gbm|apple)      pattern='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' ;;
        viber)          pattern='[A-Za-z0-9+/=_-]{1,64}' ;;
        agent|ai|key|label|list|team)
                        refuse "--$name: $value is no channel's" ;;
        *)              pattern='[A-Za-z0-9._+=/-]{1,128}' ;;
    esac
    [[ $part =~ ^$pattern$ && $DOMAIN =~ ^[a-z0-9-]{1,63}(\.[a-z0-9-]+)+$ ]] ||
        refuse "--$name: $value is no JID, as 31612345678@whatsapp.eazy.im" \
            "would be"
    DOMAIN=${DOMAIN%%.*}
}

# Each connector speaks to some platforms only; a domain that is not known is
# one of ezw_custom_channel, or a slip.
channel_must_suit() {
    case $2:$1 in
        cloud:whatsapp|waha:whatsapp|http:*) ;;
        cloud:*|waha:*)
            refuse "--connector: $2 is for whatsapp, not for $1" ;;
        sandbox:whatsapp|sandbox:sms|sandbox:instagram|sandbox:messenger) ;;
        sandbox:webchat|sandbox:twitter|sandbox:line|sandbox:viber) ;;
        sandbox:gbm|sandbox:apple) ;;
        *)  refuse "--jid: $1 is no channel that is built in; one of your own" \
                "needs --connector http" ;;
    esac
}

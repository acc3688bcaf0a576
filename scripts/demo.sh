# `ezw up`, `down` and `status`: the demo from nothing to three curl lines.

DEMO_CHANNEL=31612345678@whatsapp.eazy.im
DEMO_CONTACT=31611111111@whatsapp.eazy.im
DEMO_EMAIL=owner@demo.example

demo_settings() {
    PORT=$(port_number EZW_PORT "${EZW_PORT:-8080}")
    TLS_PORT=$(port_number EZW_TLS_PORT "${EZW_TLS_PORT:-8443}")
    LISTEN=${EZW_LISTEN:-127.0.0.1}
    BASE_URL=http://127.0.0.1:$PORT
    TLS_URL=https://127.0.0.1:$TLS_PORT
    case $LISTEN in
        127.0.0.1|0.0.0.0) ;;
        *) BASE_URL=http://$LISTEN:$PORT TLS_URL=https://$LISTEN:$TLS_PORT ;;
    esac
}

port_number() {
    case $2 in
        *[!0-9]*|'') die "$1=$2 is no port: give a number from 1 to 65535" ;;
    esac
    [ "$2" -ge 1 ] && [ "$2" -le 65535 ] ||
        die "$1=$2 is no port: give a number from 1 to 65535"
    printf '%s' "$2"
}

command_up() {
    [ $# = 0 ] || die "up takes no arguments; ./ezw help"
    forget_libpq_settings
    use_run_folder
    demo_settings
    lock_run_folder

    # shellcheck disable=SC2086
    need_packages $PACKAGES_UP
    nginx_ports_must_be_free
    module_build
    cluster_up "$RUN/pg"
    folder "$RUN/secrets" 711
    demo_key_files
    demo_database
    demo_seed
    nginx_configure
    nginx_up
    nginx_wait_ready
    demo_json
    demo_print
}

# The key that ID tokens are signed with, and the one under which secrets lie
# in the database. nginx's master reads both when it starts; no worker does.
demo_key_files() {
    local dir=$RUN/secrets key

    if [ ! -e "$dir/signing_key" ]; then
        key=$(openssl genpkey -algorithm ed25519)
        printf '%s\n' "$key" | secret_file "$dir/signing_key"
    fi
    if [ ! -e "$dir/seal_key" ]; then
        key=$(openssl rand -base64 32)
        printf '%s\n' "$key" | secret_file "$dir/seal_key"
    fi
}

# The database ezw at this release's schema, and the role that nginx uses.
demo_database() {
    local dir=$RUN/pg

    if [ ! -e "$RUN/secrets/ezw_app" ]; then
        random_text 32 | secret_file "$RUN/secrets/ezw_app" "$WORKER"
    fi

    cluster_database "$dir" ezw
    PGPASSFILE=$dir/owner migrate \
        "host=$PG_SOCKET port=5432 dbname=ezw user=ezw_owner" ezw_app \
        >"$RUN/migrate.log" || die "the demo's database is not migrated;" \
            "mend that, or forget the data: ./ezw down --data"
    cluster_psql "$dir" -d ezw <<END
set log_min_messages = panic;
alter role ezw_app password '$(cat "$RUN/secrets/ezw_app")';
END
}

# Keys and password are made before the rows that know only their hashes, so
# that an interrupted seed can go again with the same ones.
demo_seed() {
    local file=$RUN/secrets/demo seeded

    if [ ! -e "$file" ]; then
        secret_file "$file" <<END
COMPANY_ID=$(cat /proc/sys/kernel/random/uuid)
KEY_CHANNEL=$(random_text 40)
KEY_ASSISTANT=$(random_text 40)
KEY_COMPANY=$(random_text 40)
KEY_OWNER=$(random_text 40)
PASSWORD=$(random_text 20)
END
    fi
    # shellcheck source=/dev/null
    . "$file"

    seeded=$(cluster_psql "$RUN/pg" -d ezw -c \
        "select count(*) from ezw.company where id = '$COMPANY_ID'")
    [ "$seeded" = 0 ] || return 0
    demo_seed_script | PGOPTIONS='-c client_min_messages=warning' \
        cluster_psql "$RUN/pg" -d ezw >/dev/null ||
        die "the demo's rows were not made; ./ezw down --data begins anew"
}

demo_seed_script() {
    local scope key

    cat <<END
\\set company_id '$COMPANY_ID'
\\set company_name 'Demo'
\\set user_email '$DEMO_EMAIL'
\\set user_name 'Demo Owner'
\\set user_password_hash '$(password_hash "$PASSWORD")'
\\set channel_jid '$DEMO_CHANNEL'
END
    for scope in channel assistant company owner; do
        key=KEY_${scope^^}
        printf '\\set key_%s_hash %s\n' "$scope" "$(sha256_text "${!key}")"
        printf '\\set key_%s_prefix %s\n' "$scope" "${!key:0:6}"
    done
    printf 'begin;\n\\i %s\ncommit;\n' \
        "$REPO/ngx_ezw_module/sql/seed_demo.sql"
}

demo_json() {
    secret_file "$RUN/demo.json" <<END
{
  "base_url": "$BASE_URL",
  "tls_url": "$TLS_URL",
  "company_id": "$COMPANY_ID",
  "channel_jid": "$DEMO_CHANNEL",
  "contact_jid": "$DEMO_CONTACT",
  "keys": {
    "channel": "$KEY_CHANNEL",
    "assistant": "$KEY_ASSISTANT",
    "company": "$KEY_COMPANY",
    "owner": "$KEY_OWNER"
  },
  "email": "$DEMO_EMAIL",
  "password": "$PASSWORD"
}
END
}

demo_print() {
    local auth="-H 'Authorization: Bearer $KEY_COMPANY'"
    local channel=$BASE_URL/v3/channels/$DEMO_CHANNEL

    cat <<END
ready: $BASE_URL and $TLS_URL; keys and passwords: $RUN/demo.json

# who am I
curl -sS $auth $BASE_URL/v3/keys/current
# send a message
curl -sS $auth -H 'Content-Type: application/json' -d '{"message":{"type":"text","body":"Have a nice day!"}}' $channel/messages/$DEMO_CONTACT
# read the conversation
curl -sS $auth $channel/conversations/$DEMO_CONTACT
END
}

command_down() {
    local forget=no

    case "$*" in
        '')     ;;
        --data) forget=yes ;;
        *)      die "down takes nothing or --data; ./ezw help" ;;
    esac
    use_run_folder
    lock_run_folder

    nginx_stop
    cluster_stop "$RUN/pg"
    if [ $forget = yes ]; then
        if [ -e "$RUN/pg/socket_folder" ]; then
            rm -rf "$(cat "$RUN/pg/socket_folder")"
        fi
        rm -rf "$RUN/pg" "$RUN/nginx" "$RUN/secrets" "$RUN/demo.json"
        say "stopped; data, keys and passwords are gone"
    else
        say "stopped; ./ezw up goes on with the same data"
    fi
}

command_status() {
    use_run_folder
    demo_settings

    local pid
    say "folder    $RUN"
    pid=$(cluster_pid "$RUN/pg")
    say "postgres  ${pid:-down}"
    pid=$(nginx_pid)
    say "nginx     ${pid:-down}"
}

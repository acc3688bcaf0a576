# What is measured: a cluster of its own, nginx with the module, nginx alone,
# and with --peers Fastify. All of it lives in $BENCH and ends with the run; the
# cluster's data stays for the next one. Its databases, each seeded once:
#   ezw_bench_seed   100,000 contacts, no messages; copied for each run
#   ezw_bench_pages  100,000 contacts, 1,000,000 messages
#   ezw_bench_small  10,000 contacts, 10,000 messages    } --scale
#   ezw_bench_large  1,000,000 contacts, 10,000,000 messages }
declare -A CONTACTS=([seed]=100000 [pages]=100000 [small]=10000 [large]=1000000)
declare -A STEP=([seed]=10 [pages]=10 [small]=100 [large]=10)
declare -A EACH=([seed]=0 [pages]=100 [small]=100 [large]=100)

EMAIL=bench@example.com

# Starts the cluster, with a fresh database ezw_bench in it, and the others
# that are wanted: NAME...
bench_cluster() {
    local dir=$BENCH/pg fingerprint memory name

    fingerprint=$(cat "$REPO"/ngx_ezw_module/sql/schema/*.sql \
        "$REPO"/scripts/bench/{seed.sql,setup.sh} \
        "$REPO"/scripts/{postgres,migrate}.sh | sha256sum)
    if [ "$fingerprint" != "$(cat "$BENCH/fingerprint" 2>/dev/null)" ]; then
        cluster_stop "$dir"
        rm -rf "$dir" "$BENCH"/seeded*
        printf '%s\n' "$fingerprint" >"$BENCH/fingerprint"
    fi

    # a quarter of the memory, 1 GB at most
    memory=$(awk '/^MemTotal/ { m = int($2 / 4096); print (m > 1024 ? 1024 : m) }' \
        /proc/meminfo)
    cluster_up "$dir" "shared_buffers = ${memory}MB" "max_wal_size = 16GB" \
        "checkpoint_timeout = 1h" "autovacuum = off"
    PG_PID=$(cluster_pid "$dir")

    [ -e "$BENCH/seeded" ] || bench_secrets "$dir"
    KEY=$(cat "$BENCH/key") PASSWORD=$(cat "$BENCH/user")
    for name in seed "$@"; do
        [ -e "$BENCH/seeded.$name" ] || bench_seed "$dir" "$name"
    done

    cluster_psql "$dir" -d postgres <<'END'
set client_min_messages = warning;
drop database if exists ezw_bench with (force);
create database ezw_bench template ezw_bench_seed owner ezw_owner;
END
}

# What all databases share.
bench_secrets() {
    random_text 32 | secret_file "$BENCH/app" "$WORKER"
    printf '*:*:*:ezw_app:%s\n' "$(cat "$BENCH/app")" |
        secret_file "$BENCH/app.pgpass"
    random_text 40 | secret_file "$BENCH/key"
    random_text 20 | secret_file "$BENCH/user"
    openssl genpkey -algorithm ed25519 | secret_file "$BENCH/signing.pem"
    : >"$BENCH/seeded"
}

bench_seed() {
    local dir=$1 name=$2 log=$BENCH/seed.log contacts=${CONTACTS[$2]}
    local step=${STEP[$2]} each=${EACH[$2]}

    note "seeding $contacts contacts and $((contacts / step * each)) messages"
    cluster_psql "$dir" -d postgres <<END
set client_min_messages = warning;
drop database if exists ezw_bench_$name with (force);
END
    cluster_database "$dir" "ezw_bench_$name"
    PGPASSFILE=$dir/owner migrate \
        "host=$PG_SOCKET port=5432 dbname=ezw_bench_$name user=ezw_owner" \
        ezw_app >"$log" || die "the migrations failed (log: $log)"
    cluster_psql "$dir" -d postgres <<END
alter role ezw_app password '$(cat "$BENCH/app")';
END
    cluster_psql "$dir" -d "ezw_bench_$name" \
        -v key_hash="$(sha256_text "$(cat "$BENCH/key")")" \
        -v email="$EMAIL" \
        -v password_hash="$(password_hash "$(cat "$BENCH/user")")" \
        -v contacts="$contacts" -v step="$step" -v each="$each" \
        -f "$REPO/scripts/bench/seed.sql"
    if [ "$name" = pages ]; then
        cluster_psql "$dir" -d "ezw_bench_$name" \
            -f "$REPO/scripts/bench/naive.sql"
    fi
    : >"$BENCH/seeded.$name"
}

# Prints N ports that are free now.
free_ports() {
    perl -MIO::Socket::INET -e '
        my @s = map {
            IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)
                or die "no free port: $!\n"
        } 1 .. shift;
        print join " ", map { $_->sockport } @s' "$1"
}

# Makes a folder for an nginx and its configuration from a template: NAME
# TEMPLATE, then NAME=VALUE for each placeholder.
nginx_make() {
    local dir=$BENCH/$1 text pair user_line=
    text=$(<"$REPO/scripts/bench/$2")
    shift 2

    # one that a killed run has left
    nginx_end "$(basename "$dir")"
    rm -rf "$dir"
    folder "$dir" 711
    folder "$dir/temp" 711
    if is_root; then
        user_line="user $WORKER;"
    fi
    for pair in "USER=$user_line" "DIR=$dir" "MODULE=$MODULE" \
        "PG_SOCKET=$PG_SOCKET" "PASSWORD_FILE=$BENCH/app" \
        "SIGNING_KEY=$BENCH/signing.pem" "$@"
    do
        text=${text//"@${pair%%=*}@"/"${pair#*=}"}
    done
    printf '%s\n' "$text" >"$dir/nginx.conf"
}

# Starts the nginx of a folder: NAME. Its pid is then in $NGINX_PID.
nginx_start() {
    local dir=$BENCH/$1

    "$NGINX" -p "$dir/" -c "$dir/nginx.conf" -e "$dir/error.log" \
        >"$dir/start.log" 2>&1 9>&- </dev/null ||
        die "nginx does not start: $(head -n1 "$dir/start.log")"
    wait_until 10 test -s "$dir/nginx.pid" ||
        die "nginx does not start (log: $dir/error.log)"
    NGINX_PID=$(cat "$dir/nginx.pid")
}

# Ends the nginx of a folder, if it runs: NAME.
nginx_end() {
    local dir=$BENCH/$1 pid

    pid=$(cat "$dir/nginx.pid" 2>/dev/null) || return 0
    grep -qzF -- "$dir/nginx.conf" "/proc/$pid/cmdline" 2>/dev/null || return 0
    kill -TERM "$pid" 2>/dev/null || return 0
    wait_until 20 process_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
}

process_gone() { ! kill -0 "$1" 2>/dev/null; }

# nginx with the module: NAME WORKERS [LINE of the main context [DATABASE]].
module_nginx() {
    local name=$1

    MODULE_PORT=$(free_ports 1)
    nginx_make "$name" nginx.conf "WORKERS=$2" "MAIN=${3:-}" \
        "PORT=$MODULE_PORT" "DATABASE=${4:-ezw_bench}"
}

# The same, started, on one of the other databases: NAME. PORT_OF and PID_OF
# have it then.
declare -A PORT_OF PID_OF
module_on() {
    module_nginx "$1" 2 '' "ezw_bench_$1"
    nginx_start "$1"
    PID_OF[$1]=$NGINX_PID PORT_OF[$1]=$MODULE_PORT
    module_wait
}

# The database that a class is measured on.
database_of() {
    case $1 in
        page|list|conversation|note) echo pages ;;
        *)                           echo seed ;;
    esac
}

module_ready() {
    [ "$(curl -s -m 2 -o "$BENCH/readyz" -w '%{http_code}' \
        "http://127.0.0.1:$MODULE_PORT/readyz")" = 200 ]
}

module_wait() {
    wait_until "${1:-20}" module_ready || die "nginx with the module is not" \
        "ready: $(head -c 300 "$BENCH/readyz" 2>/dev/null)"
}

# One request as the classes make it: CLASS PORT. Prints the answer's body;
# dies of any other status than the one expected.
request() {
    local class=$1 url=http://127.0.0.1:$2/v3 expected=200 status arguments=()
    local channel=channels/31600000003@whatsapp.eazy.im
    local contact=31700000033@whatsapp.eazy.im

    case $class in
        key)    arguments=("$url/keys/current") ;;
        read)   arguments=("$url/$channel/contacts/$contact") ;;
        send)   arguments=(-d "{\"message\":$MESSAGE}"
                           "$url/$channel/messages/$contact")
                expected=201 ;;
        page)   arguments=("$url/$channel/messages/$contact?limit=50") ;;
        list)   arguments=("$url/$channel/contacts?limit=50") ;;
        conversation)
                arguments=("$url/$channel/conversations/$contact") ;;
        note)   arguments=(-d '{"body":"Prefers the morning"}'
                           "$url/$channel/contacts/$contact/notes")
                expected=201 ;;
        update) arguments=(-X PATCH -d '{"status":"CLOSED"}'
                           "$url/$channel/conversations/$contact") ;;
    esac
    status=$(curl -s -m 10 -o "$BENCH/answer" -w '%{http_code}' \
        -H @"$BENCH/headers" "${arguments[@]}") || true
    [ "$status" = $expected ] ||
        die "$class answers $status instead of $expected:" \
            "$(head -c 300 "$BENCH/answer")"
    cat "$BENCH/answer"
}

bench_servers() {
    local answer class key_body read_body ports

    printf 'Authorization: Bearer %s\nContent-Type: application/json\n' \
        "$KEY" | secret_file "$BENCH/headers"

    module_nginx module 2
    nginx_start module
    MODULE_PID=$NGINX_PID
    EZW_PORT=$MODULE_PORT
    module_wait
    for class in key read send update; do
        answer=$(request $class "$EZW_PORT") || exit 1
        printf '%s' "$answer" >"$BENCH/answer.$class"
    done
    PORT_OF[seed]=$EZW_PORT PID_OF[seed]=$MODULE_PID
    if wants_pages; then
        module_on pages
        for class in page list conversation note; do
            ! wants $class ||
                request $class "${PORT_OF[pages]}" >"$BENCH/answer.$class" ||
                exit 1
        done
    fi
    if [ "$scale" = yes ]; then
        module_on small
        module_on large
    fi

    key_body=$(tr -c x x <"$BENCH/answer.key")
    read_body=$(tr -c x x <"$BENCH/answer.read")
    read -r -a ports <<<"$(free_ports 2)"
    PLAIN_KEY_PORT=${ports[0]} PLAIN_READ_PORT=${ports[1]}
    nginx_make plain plain.nginx.conf WORKERS=2 "KEY_BODY=$key_body" \
        "READ_BODY=$read_body" "KEY_PORT=${ports[0]}" "READ_PORT=${ports[1]}"
    nginx_start plain
    PLAIN_PID=$NGINX_PID

    if [ "$peers" = yes ]; then
        peer_start
    fi
}

# What the sign-in class needs: its load generator, one raw request, and the
# rate, 30 % of what key reaches.
sign_in_setup() {
    local requests us

    cc -O2 -Wall -o "$BENCH/paced" "$REPO/scripts/bench/paced.c" ||
        die "scripts/bench/paced.c does not compile"
    printf 'GET /v3/keys/current HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n' \
        "Authorization: Bearer $KEY" | secret_file "$BENCH/request"
    read -r requests us _ < <(run_wrk key "$EZW_PORT" 3 0)
    KEY_RATE=$(per_second "$requests" "$us" | awk '{ printf "%d", $1 * 0.3 }')
    : >"$BENCH/raw.sign-in"
}

# Fastify from the npm registry, at the versions of peer/package-lock.json.
peer_install() {
    local dir=$BENCH/peer log=$BENCH/npm.log

    if ! command -v node >/dev/null; then
        need_packages nodejs npm >&2
    elif ! command -v npm >/dev/null; then
        need_packages npm >&2
    fi
    folder "$dir" 755
    cp "$REPO"/scripts/bench/peer/* "$dir/"
    if [ ! -e "$dir/installed" ] ||
        ! cmp -s "$dir/installed" "$dir/package-lock.json"
    then
        note "installing Fastify and postgres.js (log: $log)"
        (cd "$dir" && npm ci --no-audit --no-fund --ignore-scripts \
            --cache "$BENCH/npm") >"$log" 2>&1 ||
            die "npm could not install the peer: $(tail -n1 "$log")"
        cp "$dir/package-lock.json" "$dir/installed"
    fi
}

peer_start() {
    local dir=$BENCH/peer class mine theirs

    peer_install
    PEER_PORT=$(free_ports 1)
    PEER_PORT=$PEER_PORT PEER_SOCKET=$PG_SOCKET/.s.PGSQL.5432 \
        PEER_PASSWORD_FILE=$BENCH/app PEER_KEY_FILE=$BENCH/key \
        PEER_STATEMENTS=$REPO/ngx_ezw_module/sql/statements \
        NODE_ENV=production \
        node "$dir/server.js" >"$BENCH/peer.log" 2>&1 9>&- </dev/null &
    PEER_PID=$!
    PEER_NAME="Fastify + postgres.js on Node $(node -p process.versions.node)"
    wait_until 20 peer_listens ||
        die "the peer does not start: $(tail -n3 "$BENCH/peer.log")"

    # a comparison is worth something only between equal answers
    for class in key read send update; do
        request $class "$PEER_PORT" >"$BENCH/answer.peer" || exit 1
        mine=$(canonical $class <"$BENCH/answer.$class")
        theirs=$(canonical $class <"$BENCH/answer.peer")
        [ "$mine" = "$theirs" ] || die "the peer answers $class otherwise:" \
            "$theirs instead of $mine"
    done
}

peer_listens() {
    ! process_gone "$PEER_PID" || die "the peer ended: $(tail "$BENCH/peer.log")"
    (exec 3<>"/dev/tcp/127.0.0.1/$PEER_PORT") 2>/dev/null
}

# JSON with sorted members, without what two equal answers do not share: the
# message's id, when the key was used, and what the sends have changed.
canonical() {
    perl -MJSON::PP -e '
        my $class = shift;
        my $json = JSON::PP->new->canonical->allow_nonref;
        my $value = $json->decode(do { local $/; <STDIN> });
        $value->{id} =~ s/^[0-9a-f]{40}$/ID/ if $class eq "send";
        $value->{lastUsed} =~ s/\d/0/g if $class eq "key";
        if ($class eq "update") {
            $value->{messagesSent} = $value->{messagesSent} > 0;
            $value->{lastMessageSentAt} =~ s/\d/0/g;
        }
        print $json->encode($value)' "$1"
}

# Runs however the bench ends.
bench_end() {
    local status=$? name

    trap - EXIT
    for name in module plain steady pages small large; do
        nginx_end $name
    done
    if [ -n "${PEER_PID:-}" ]; then
        kill -TERM "$PEER_PID" 2>/dev/null || true
        wait_until 10 process_gone "$PEER_PID" ||
            kill -KILL "$PEER_PID" 2>/dev/null || true
    fi
    (cluster_stop "$BENCH/pg") || true
    exit $status
}

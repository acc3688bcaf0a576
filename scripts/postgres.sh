# A private Postgres 15 cluster: a folder with
#   data/          the cluster itself
#   socket/        its Unix socket; it listens nowhere else
#   superuser      password file (pgpass) of the role postgres
#   log            what Postgres says
# `up` has one in $RUN/pg, `test` one in $RUN/t/pg.

# Makes the cluster in DIR if there is none, and starts it if it is down:
# DIR [LINE of postgresql.conf...]. Sets PG_SOCKET.
cluster_up() {
    local dir=$1
    shift

    [ -x $PG_BIN/initdb ] || die "$PG_BIN is missing: apt-get install" \
        "--reinstall postgresql-15"
    folder "$dir" 711 "$PG_OWNER"
    cluster_socket_folder "$dir"

    if [ ! -e "$dir/data/PG_VERSION" ]; then
        cluster_create "$dir" "$@"
    fi
    [ "$(cat "$dir/data/PG_VERSION")" = 15 ] ||
        die "$dir/data is not of Postgres 15: ./ezw down --data forgets it"

    if ! cluster_answers; then
        cluster_start "$dir"
    fi
}

# A socket's path ends at 107 bytes: where the folder is deep, the socket lies
# in a folder of its own under /tmp, whose name is kept in DIR/socket_folder.
cluster_socket_folder() {
    local dir=$1

    PG_SOCKET=$dir/socket
    if [ ${#PG_SOCKET} -gt 80 ]; then
        PG_SOCKET=$(cat "$dir/socket_folder" 2>/dev/null || true)
        if [ "$(stat -c %U "$PG_SOCKET" 2>/dev/null)" != "$PG_OWNER" ]; then
            PG_SOCKET=$(mktemp -d /tmp/ezw.XXXXXXXX)
            printf '%s\n' "$PG_SOCKET" >"$dir/socket_folder"
        fi
    fi

    folder "$PG_SOCKET" 750 "$PG_OWNER:$(id -gn "$WORKER")"
}

cluster_create() {
    local dir=$1 password
    shift

    rm -rf "$dir/data.new"
    password=$(random_text 32)
    printf '%s\n' "$password" | secret_file "$dir/initdb.password" "$PG_OWNER"

    as_pg $PG_BIN/initdb -D "$dir/data.new" -U postgres -E UTF8 \
        --locale=C.UTF-8 --auth=scram-sha-256 --no-instructions \
        --pwfile="$dir/initdb.password" >"$dir/initdb.log" 2>&1 ||
        die "initdb failed: $(tail -n1 "$dir/initdb.log")" \
            "(log: $dir/initdb.log)"
    rm "$dir/initdb.password"

    {
        printf '\n# by ./ezw\n'
        printf "%s\n" "listen_addresses = ''" "max_connections = 200" \
            "jit = off" "timezone = 'UTC'" "log_timezone = 'UTC'" \
            "log_line_prefix = '%m [%p] %q%u@%d '" "$@"
    } | as_pg tee -a "$dir/data.new/postgresql.conf" >/dev/null

    printf '*:*:*:postgres:%s\n' "$password" | secret_file "$dir/superuser"
    as_pg mv "$dir/data.new" "$dir/data"
}

cluster_answers() {
    $PG_BIN/pg_isready -q -h "$PG_SOCKET" -p 5432 -d postgres
}

# The pid of the cluster's postmaster, or nothing: a postmaster.pid that names
# a dead process, or another program's, counts for nothing.
cluster_pid() {
    local pid

    pid=$(as_pg head -n1 "$1/data/postmaster.pid" 2>/dev/null) || return 0
    if [[ $(command_line "$pid") == *" -D $1/data "* ]]; then
        printf '%s' "$pid"
    fi
}

cluster_start() {
    local dir=$1 pid options

    pid=$(cluster_pid "$dir")
    if [ -n "$pid" ]; then
        # Alive and silent: starting up, or its socket was swept from /tmp.
        if wait_until 60 cluster_answers; then
            return
        fi
        cluster_stop "$dir"
    fi
    cluster_forget_stale_pid "$dir"

    options="-k $PG_SOCKET -p 5432"
    : >>"$dir/log"
    if is_root; then
        chown "$PG_OWNER" "$dir/log"
    fi
    chmod 600 "$dir/log"
    printf 'ezw: start\n' >>"$dir/log"

    as_pg $PG_BIN/pg_ctl start -D "$dir/data" -l "$dir/log" -o "$options" \
        -w -t 120 >/dev/null 2>&1 9>&- </dev/null || cluster_explain "$dir"
}

# Postgres itself sees through the pid of a dead postmaster, but not when that
# number now is another process of its owner's, or a zombie. Its lock files go
# only when nothing works in the data folder any more.
cluster_forget_stale_pid() {
    local data=$1/data

    if ! as_pg test -e "$data/postmaster.pid" &&
        [ ! -e "$PG_SOCKET/.s.PGSQL.5432.lock" ]
    then
        return
    fi
    wait_until 30 cluster_is_deserted "$data" ||
        die "processes of a crashed Postgres still use $data: kill" \
            "$(processes_in "$data")and repeat ./ezw $command"
    rm -f "$data/postmaster.pid" "$PG_SOCKET"/.s.PGSQL.5432{,.lock}
}

# Prints the pids of those that have FOLDER as their working directory.
processes_in() {
    local process

    for process in /proc/[0-9]*; do
        if [ "$(readlink "$process/cwd" 2>/dev/null)" = "$1" ]; then
            printf '%s ' "${process#/proc/}"
        fi
    done
}

cluster_is_deserted() { [ -z "$(processes_in "$1")" ]; }

# One line on why the cluster did not start, and the way out.
cluster_explain() {
    local dir=$1 why

    why=$(sed -n '/^ezw: start$/h; /^ezw: start$/!H; ${g;p}' "$dir/log" |
        sed -n 's/^postgres: //p; s/.*\(FATAL\|PANIC\): *//p' | head -n1)
    die "Postgres does not start: ${why:-no reason given} (log: $dir/log)." \
        "Mend that, or forget the data: ./ezw down --data"
}

cluster_stop() {
    local dir=$1 pid

    pid=$(cluster_pid "$dir")
    [ -n "$pid" ] || return 0

    as_pg $PG_BIN/pg_ctl stop -D "$dir/data" -m fast -w -t 60 \
        >/dev/null 2>&1 ||
    as_pg $PG_BIN/pg_ctl stop -D "$dir/data" -m immediate -w -t 60 \
        >/dev/null 2>&1 ||
        die "Postgres (pid $pid) does not stop: kill -9 $pid"
}

# psql as the cluster's superuser: DIR then psql's own arguments.
cluster_psql() {
    local dir=$1
    shift

    PGPASSFILE=$dir/superuser $PG_BIN/psql -X -q -A -t \
        -v ON_ERROR_STOP=1 -v VERBOSITY=terse \
        -h "$PG_SOCKET" -p 5432 -U postgres "$@"
}

# Makes the role ezw_owner, which owns the schema and runs the migrations, and
# its database: DIR DATABASE. Its password is in DIR/owner (pgpass).
cluster_database() {
    local dir=$1 database=$2 password

    if [ ! -e "$dir/owner" ]; then
        printf '*:*:*:ezw_owner:%s\n' "$(random_text 32)" |
            secret_file "$dir/owner"
    fi
    password=$(sed 's/.*://' "$dir/owner")
    cluster_psql "$dir" -d postgres -v database="$database" <<END
set log_min_messages = panic;
select 'create role ezw_owner login createrole'
 where not exists (select from pg_roles where rolname = 'ezw_owner') \gexec
alter role ezw_owner password '$password';
grant set on parameter deadlock_timeout to ezw_owner;
select format('create database %I owner ezw_owner', :'database')
 where not exists (select from pg_database where datname = :'database') \gexec
END
}

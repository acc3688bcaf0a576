# What every command needs: messages, the run folder, who runs what, the lock.
# Sourced by ./ezw, which has set REPO.

export LC_ALL=C.UTF-8
PATH=$PATH:/usr/sbin:/sbin

PG_BIN=/usr/lib/postgresql/15/bin
NGINX=/usr/sbin/nginx
export -n NGINX    # nginx would take it for sockets that it inherits

say() { printf '%s\n' "$*"; }
die() { printf 'ezw: %s\n' "$*" >&2; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }

# Postgres refuses root, and nginx's workers give root up: as root the cluster
# belongs to PG_OWNER and the workers are WORKER; else both are the caller.
if is_root; then
    PG_OWNER=postgres WORKER=www-data
else
    PG_OWNER=$(id -un) WORKER=$PG_OWNER
fi

# Runs a command as the cluster's owner, in a folder which that one can enter.
as_pg() {
    if is_root; then
        (cd / && exec runuser -u "$PG_OWNER" -- "$@")
    else
        "$@"
    fi
}

# The caller's PGHOST and the like are about other databases than ours.
forget_libpq_settings() {
    local name

    for name in $(compgen -e PG); do
        unset "$name"
    done
}

# Sets RUN to the real run folder, made if need be. The path asked for always
# leads there: where root's choice is closed to other users (a home folder),
# it becomes a link into /var/lib/ezw.
use_run_folder() {
    local wanted=${EZW_RUN:-$REPO/.run}

    case $wanted in /*) ;; *) wanted=$PWD/$wanted ;; esac
    case $wanted$REPO in
        *[!A-Za-z0-9/._+@,~-]*)
            die "nginx's build cannot take this path, move to a plain one:" \
                "$REPO (run folder $wanted)" ;;
    esac

    if ! mkdir -p "$wanted" 2>/dev/null || [ ! -w "$wanted" ]; then
        die "cannot write to $wanted: run as its owner, or choose another" \
            "folder: EZW_RUN=/some/folder ./ezw $command"
    fi

    if is_root; then
        if [ ! -L "$wanted" ]; then
            chmod 711 "$wanted"
        fi
        if ! others_reach "$(readlink -f "$wanted")"; then
            move_to_var_lib "$wanted"
        fi
    else
        chmod 700 "$wanted"
    fi

    RUN=$(cd "$wanted" && pwd -P)
    BUILD=${EZW_BUILD:-$RUN/build}
    MODULE=$BUILD/objs/ngx_ezw_module.so
}

others_reach() { runuser -u nobody -- test -x "$1/."; }

move_to_var_lib() {
    local wanted=$1 name real

    name=$(printf '%s' "$wanted" | sha256sum | cut -c1-12)
    real=/var/lib/ezw/$name
    mkdir -p "$real"
    chmod 711 /var/lib/ezw "$real"
    rmdir "$wanted" 2>/dev/null ||
        die "$wanted is closed to the user $PG_OWNER and not empty: choose" \
            "another folder: EZW_RUN=$real ./ezw $command"
    ln -s "$real" "$wanted"
}

# One command at a time for each run folder. Descriptor 9 holds the lock; what
# keeps running is started with 9>&-.
lock_run_folder() {
    exec 9>"$RUN/lock"
    flock -n 9 || {
        say "another ./ezw is at work in $RUN, waiting for it"
        flock -w 300 9 || die "it still is; see who: fuser $RUN/lock"
    }
}

# Makes a folder: PATH MODE [OWNER[:GROUP]].
folder() {
    mkdir -p "$1"
    if is_root && [ -n "${3:-}" ]; then
        chown "$3" "$1"
    fi
    chmod "$2" "$1"
}

# Writes standard input to a file of mode 0600 in one step: PATH [OWNER].
secret_file() {
    local new=$1.new

    rm -f "$new"
    (umask 077 && cat >"$new")
    if is_root && [ -n "${2:-}" ]; then
        chown "$2" "$new"
    fi
    mv "$new" "$1"
}

# Prints $1 random characters of [A-Za-z0-9].
random_text() {
    local text=

    while [ ${#text} -lt "$1" ]; do
        text+=$(openssl rand -base64 48 | tr -dc 'A-Za-z0-9')
    done
    printf '%s' "${text:0:$1}"
}

# Prints a UUIDv7: its order is that of time (RFC 9562).
uuid7() {
    local ms=${EPOCHREALTIME/[.,]/} hex

    printf -v hex '%012x%s' "${ms::-3}" "$(openssl rand -hex 10)"
    hex=${hex::12}7${hex:13:3}$(printf %x $((0x${hex:16:1} & 3 | 8)))${hex:17:15}
    printf '%s-%s-%s-%s-%s' "${hex::8}" "${hex:8:4}" "${hex:12:4}" \
        "${hex:16:4}" "${hex:20:12}"
}

sha256_text() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }

# Prints a password as the table app_user keeps it; it is hashed by the
# module's own code, which is compiled for that.
password_hash() {
    local base=$REPO/ngx_ezw_module/base program=$BUILD/scrypt.$BASHPID

    mkdir -p "$BUILD"
    cc -O2 -I"$base" -o "$program" "$REPO/scripts/scrypt.c" \
        "$base"/ezw_{password,id,str}.c -lcrypto ||
        die "scripts/scrypt.c does not compile"
    printf '%s' "$1" | "$program" || die "scrypt failed"
    rm "$program"
}

# The command line of a process, or nothing.
command_line() { { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null || true; }

# Calls "$@" every 50 ms until it succeeds; fails after $1 seconds.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift

    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

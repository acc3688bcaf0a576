# The demo's nginx: its configuration from scripts/demo.nginx.conf, its
# certificate, start, restart, stop.

# Writes $RUN/nginx/nginx.conf.
nginx_configure() {
    local dir=$RUN/nginx text name user_line='' files

    folder "$dir" 711
    folder "$dir/temp" 711
    nginx_certificate "$dir"

    if is_root; then
        user_line="user $WORKER;"
    fi

    files=$(ulimit -Hn)
    if [ "$files" = unlimited ] || [ "$files" -gt 16384 ]; then
        files=16384
    fi

    text=$(<"$REPO/scripts/demo.nginx.conf")
    local -A values=(
        [USER]=$user_line [FILES]=$files [MODULE]=$MODULE [DIR]=$dir
        [LISTEN]=$LISTEN [PORT]=$PORT [TLS_PORT]=$TLS_PORT [PG_SOCKET]=$PG_SOCKET
        [SECRETS]=$RUN/secrets
    )
    for name in "${!values[@]}"; do
        text=${text//"@$name@"/"${values[$name]}"}
    done
    printf '%s\n' "$text" >"$dir/nginx.conf"
}

nginx_certificate() {
    if openssl x509 -noout -checkend 86400 -in "$1/tls.crt" >/dev/null 2>&1
    then
        return
    fi
    (umask 077 && openssl req -x509 -newkey ec \
        -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -keyout "$1/tls.key" -out "$1/tls.crt" 2>"$1/openssl.log") ||
        die "openssl made no certificate: $(tail -n1 "$1/openssl.log")"
}

# The pid of our nginx's master, or nothing.
nginx_pid() {
    local pid

    pid=$(cat "$RUN/nginx/nginx.pid" 2>/dev/null) || return 0
    if [[ $(command_line "$pid") == *"$RUN/nginx/nginx.conf"* ]]; then
        printf '%s' "$pid"
    fi
}

# Starts nginx, or restarts it if the module, nginx or the configuration is no
# longer what it was started with. A reload would not do: it keeps the old .so.
nginx_up() {
    local wanted

    wanted=$(sha256sum "$MODULE" "$NGINX" "$RUN/nginx/nginx.conf" \
        "$RUN/nginx/tls.crt" "$RUN"/secrets/{ezw_app,signing_key,seal_key} |
        sha256sum)

    if [ -n "$(nginx_pid)" ]; then
        if [ "$wanted" = "$(cat "$RUN/nginx/started" 2>/dev/null)" ]; then
            return
        fi
        nginx_stop
    fi

    nginx_ports_must_be_free
    rm -f "$RUN/nginx/started"
    "$NGINX" -p "$RUN/nginx/" -c "$RUN/nginx/nginx.conf" \
        -e "$RUN/nginx/error.log" >"$RUN/nginx/start.log" 2>&1 9>&- </dev/null ||
        nginx_explain
    printf '%s\n' "$wanted" >"$RUN/nginx/started"
}

# One line on why nginx did not start, and the way out.
nginx_explain() {
    local why

    why=$(sed -n 's/^nginx: \[emerg\] //p' "$RUN/nginx/start.log" | head -n1)
    case $why in
        *"Permission denied"*bind*|bind*"Permission denied"*)
            die "ports below 1024 are root's: choose others:" \
                "EZW_PORT=8080 EZW_TLS_PORT=8443 ./ezw up" ;;
        bind*)
            die "${why%%;*}: choose other ports: EZW_PORT=… EZW_TLS_PORT=…" ;;
        *)
            die "nginx does not start: ${why:-see $RUN/nginx/start.log}" ;;
    esac
}

# Unless the one that listens is our own.
nginx_ports_must_be_free() {
    [ -z "$(nginx_pid)" ] || return 0
    port_must_be_free "$PORT" EZW_PORT
    port_must_be_free "$TLS_PORT" EZW_TLS_PORT
}

# Dies if PORT is taken; VARIABLE chooses another.
port_must_be_free() {
    local address=$LISTEN holder

    [ "$address" != 0.0.0.0 ] || address=127.0.0.1
    (exec 3<>"/dev/tcp/$address/$1") 2>/dev/null || return 0

    holder=$(ss -Hltnp "sport = :$1" 2>/dev/null |
        sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ by \1, pid \2/p' |
        head -n1)
    die "port $1 is taken$holder: stop that, or choose another:" \
        "$2=$(($1 + 1000)) ./ezw up"
}

nginx_stop() {
    local pid

    pid=$(nginx_pid)
    [ -n "$pid" ] || return 0
    kill -QUIT "$pid" || die "cannot stop nginx (pid $pid): run as its owner"
    wait_until 30 nginx_is_gone && return
    kill -TERM "$pid"
    wait_until 30 nginx_is_gone || die "nginx does not stop: kill -9 $pid"
}

nginx_is_gone() { [ -z "$(nginx_pid)" ]; }

nginx_ready() {
    [ "$(curl -s -m 2 -o "$RUN/nginx/readyz" -w '%{http_code}' \
        "$BASE_URL/readyz")" = 200 ]
}

# Waits for GET /readyz to be 200.
nginx_wait_ready() {
    wait_until 60 nginx_ready || die "nginx runs but is not ready:" \
        "$(head -c 300 "$RUN/nginx/readyz" 2>/dev/null)" \
        "(log: $RUN/nginx/error.log)"
}

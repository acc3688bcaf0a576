# One measurement each: some seconds of load, one line in $BENCH/raw:
#   round, class, what, per second, p50 and p99 in µs, CPU µs, errors
# (tab-separated; p50 and p99 are 0 where the tool does not tell).

TICKS=$(getconf CLK_TCK)

# Prints the CPU ticks that the processes PID... and their children have used.
ticks_of() {
    # a process may end while it is read
    { cat /proc/[0-9]*/stat 2>/dev/null || true; } | awk -v pids="$*" '
        BEGIN { n = split(pids, p, " "); for (i = 1; i <= n; i++) root[p[i]] }
        {
            pid = $1
            sub(/^.*\) /, "")
            if (pid in root) t += $12 + $13 + $14 + $15
            else if ($2 in root) t += $12 + $13
        }
        END { print t + 0 }'
}

record() {
    local IFS=$'\t'

    printf '%s\n' "$*" >>"$BENCH/raw"
}

# CPU µs for each of N: TICKS_BEFORE TICKS_AFTER N.
cpu_us() {
    awk -v t=$(($2 - $1)) -v hz="$TICKS" -v n="$3" \
        'BEGIN { printf "%.2f", (n > 0 ? t * 1e6 / hz / n : 0) }'
}

# wrk on a class's requests: ROUND CLASS WHAT PORT SERVER_PID [DATABASE].
measure_http() {
    local round=$1 class=$2 what=$3 port=$4 pid=$5 before after line
    local database=${6:-$(database_of "$2")} requests us p50 p99 errors

    writes_reset "$class" "$database"
    DATABASE=$database
    before=$(ticks_of "$pid" "$PG_PID")
    line=$(run_wrk "$class" "$port" "$seconds" "$round")
    after=$(ticks_of "$pid" "$PG_PID")
    read -r requests us p50 p99 errors <<<"$line"
    [ "$((errors * 100))" -le "$requests" ] ||
        die "$class: $errors of $requests answers of $what were errors;" \
            "wrk: $BENCH/wrk.log"

    record "$round" "$class" "$what" "$(per_second "$requests" "$us")" \
        "$p50" "$p99" "$(cpu_us "$before" "$after" "$requests")" "$errors"
}

per_second() {
    awk -v n="$1" -v us="$2" 'BEGIN { printf "%.1f", (us > 0 ? n * 1e6 / us : 0) }'
}

# Prints wrk's figures (see done() in load.lua): CLASS PORT SECONDS SEED [STOP].
# The numbers are those of $DATABASE.
DATABASE=seed
run_wrk() {
    local line

    BENCH_CLASS=$1 BENCH_KEY=$KEY BENCH_SEED=$4 BENCH_STOP=${5:-} \
        BENCH_MESSAGE=$MESSAGE BENCH_CONTACTS=${CONTACTS[$DATABASE]} \
        BENCH_STEP=${STEP[$DATABASE]} \
        wrk -t1 -c64 -d"$3"s --timeout 10s \
        -s "$REPO/scripts/bench/load.lua" \
        "http://127.0.0.1:$2/v3/keys/current" >"$BENCH/wrk.log" 2>&1 9>&- ||
        die "wrk stopped: $(tail -n1 "$BENCH/wrk.log")"
    line=$(sed -n 's/^bench //p' "$BENCH/wrk.log")
    [ -n "$line" ] || die "wrk told nothing (log: $BENCH/wrk.log)"
    printf '%s\n' "$line"
}

# The key class at the rate $KEY_RATE, alone and beside $SIGN_INS sign-ins a
# second: ROUND WHAT (alone or beside). A line of $BENCH/raw.sign-in has what
# sign_in.pl prints.
measure_sign_in() {
    local round=$1 what=$2 before after line requests us p50 p99 errors pid=

    before=$(ticks_of "$MODULE_PID" "$PG_PID")
    if [ "$what" = beside ]; then
        BENCH_EMAIL=$EMAIL BENCH_PASSWORD=$PASSWORD \
            perl "$REPO/scripts/bench/sign_in.pl" "$EZW_PORT" "$SIGN_INS" \
            "$seconds" >"$BENCH/sign-in" 2>"$BENCH/sign-in.log" 9>&- &
        pid=$!
    fi
    line=$("$BENCH/paced" "$EZW_PORT" "$KEY_RATE" "$seconds" 64 \
        <"$BENCH/request" 2>"$BENCH/paced.log") ||
        die "sign-in: $(tail -n1 "$BENCH/paced.log")"
    if [ -n "$pid" ]; then
        wait $pid || die "sign-in: $(tail -n1 "$BENCH/sign-in.log")"
        read -r _ _ _ errors <"$BENCH/sign-in"
        [ "$errors" = 0 ] || die "sign-in: $errors were refused:" \
            "$(tail -n1 "$BENCH/sign-in.log")"
        cat "$BENCH/sign-in" >>"$BENCH/raw.sign-in"
    fi
    after=$(ticks_of "$MODULE_PID" "$PG_PID")
    read -r _ requests us p50 p99 errors <<<"$line"
    [ "$errors" = 0 ] || die "sign-in: $errors answers to key were errors"

    record "$round" sign-in "$what" "$(per_second "$requests" "$us")" \
        "$p50" "$p99" "$(cpu_us "$before" "$after" "$requests")" "$errors"
}

# pgbench on a script of pgbench/: ROUND CLASS WHAT SCRIPT CLIENTS THREADS
# [PIPELINE].
measure_pgbench() {
    local round=$1 class=$2 what=$3 script=$4 clients=$5 threads=$6 times=${7:-1}
    local before after tps count

    writes_reset "$class"
    before=$(ticks_of "$PG_PID")
    run_pgbench "$script" "$clients" "$threads" "$seconds" "$times"
    after=$(ticks_of "$PG_PID")
    read -r tps count <"$BENCH/pgbench.figures"

    record "$round" "$class" "$what" "$tps" 0 0 \
        "$(cpu_us "$before" "$after" "$count")" 0
}

# Leaves statements per second and how many there were in pgbench.figures:
# SCRIPT CLIENTS THREADS SECONDS PIPELINE. As nginx's own role and over the
# same socket. Message ids begin with the time, as the module's do. A second
# more is not counted: it is when each connection makes its plans, which
# nginx's connections have behind them.
run_pgbench() {
    local script=$1 clients=$2 threads=$3 time=$4 times=$5 log=$BENCH/pgbench.log
    local database

    database=ezw_bench_$(database_of "${script%_anchor}")
    if [ "$database" = ezw_bench_seed ]; then
        database=ezw_bench
    fi

    REPO=$REPO BENCH_MESSAGE=$MESSAGE \
        BENCH_PREFIX=$(printf '%012x' "$(date +%s%3N)") \
        perl "$REPO/scripts/bench/pgbench.pl" \
        "$REPO/scripts/bench/pgbench/$script.sql" \
        "$([ "$times" = 1 ] || printf '%s' "$times")" >"$BENCH/pgbench.sql"

    PGPASSFILE=$BENCH/app.pgpass "$PG_BIN/pgbench" -n -M prepared \
        -c "$clients" -j "$threads" -T $((time + 1)) -P 1 -f "$BENCH/pgbench.sql" \
        -D n=100000000 -D clients="$clients" \
        -h "$PG_SOCKET" -p 5432 -U ezw_app "$database" >"$log" 2>&1 9>&- ||
        die "pgbench $script: $(grep -m1 -i error "$log" || tail -n1 "$log")"
    grep -q 'number of failed transactions: 0 ' "$log" ||
        die "pgbench $script: $(grep -m1 failed "$log") (log: $log)"
    awk -v k="$times" '
        /^number of transactions actually processed/ { n = $NF }
        /^progress:/ && seen++ { tps += $4 }
        END { printf "%.1f %d\n", (seen > 1 ? tps / (seen - 1) : 0) * k, n * k }' "$log" \
        >"$BENCH/pgbench.figures"
}

# CLASS [DATABASE].
writes_reset() {
    local database=ezw_bench_${2:-$(database_of "$1")}

    if [ "$database" = ezw_bench_seed ]; then
        database=ezw_bench
    fi
    case $1 in
        send|update|note)
            cluster_psql "$BENCH/pg" -d "$database" \
                -f "$REPO/scripts/bench/reset.sql" ;;
    esac
}

# Sets BEST to the two best of the given "clients threads": CLASS SCRIPT TIMES
# CLIENTS:THREADS...
best_of() {
    local class=$1 script=$2 times=$3 setting tps count time
    shift 3

    time=$((seconds < 2 ? seconds : 2))
    : >"$BENCH/settings"
    for setting in "$@"; do
        writes_reset "$class"
        run_pgbench "$script" "${setting%:*}" "${setting#*:}" $time "$times"
        read -r tps count <"$BENCH/pgbench.figures"
        printf '%s %s\n' "$tps" "$setting" >>"$BENCH/settings"
    done
    mapfile -t BEST < <(sort -rn "$BENCH/settings" | awk 'NR <= 2 { print $2 }')
}

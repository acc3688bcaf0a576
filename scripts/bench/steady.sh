# What does not move: a worker's memory over many requests, and how many
# instructions a request takes.

# Sends at least N requests of the mixture and prints how many they were: wrk
# stops by itself after STOP or else goes on for 5 s at a time: N STOP.
steady_load() {
    local wanted=$1 stop=$2 sent=0 requests us p50 p99 errors

    while [ $sent -lt "$wanted" ]; do
        read -r requests us p50 p99 errors < <(
            run_wrk mix "$MODULE_PORT" $([ -n "$stop" ] && echo 1 || echo 5) \
                $sent "$stop") ||
            die "no load on the steady nginx (log: $BENCH/wrk.log)"
        [ "$((errors * 100))" -le "$requests" ] ||
            die "$errors of $requests answers were errors (log: $BENCH/wrk.log)"
        sent=$((sent + requests))
    done
    printf "%s\n" $sent
}

# Prints "RSS anonymous" in kB of each worker of the nginx PID.
worker_memory() {
    local status

    for status in /proc/[0-9]*/status; do
        awk -v parent="$1" '
            $1 == "PPid:" { ours = $2 == parent }
            $1 == "VmRSS:" { rss = $2 }
            $1 == "RssAnon:" { anon = $2 }
            END { if (ours) print rss, anon }' "$status" 2>/dev/null || true
    done
}

# Appends to $BENCH/raw.steady: requests and, worker by worker, RSS and
# anonymous memory after the first 10,000 and after REQUESTS more.
measure_steady() {
    local wanted=$1 first more

    note "memory of a worker over $wanted requests"
    writes_reset send
    module_nginx steady 2
    nginx_start steady
    module_wait
    # those in flight when wrk stops are not counted
    first=$(steady_load 10000 10100)
    worker_memory "$NGINX_PID" >"$BENCH/memory.first"
    more=$(steady_load "$wanted" '')
    worker_memory "$NGINX_PID" >"$BENCH/memory.last"
    nginx_end steady

    paste "$BENCH/memory.first" "$BENCH/memory.last" |
        awk -v first="$first" -v more="$more" \
            '{ print first, more, $1, $3, $2, $4 }' >"$BENCH/raw.steady"
    [ -s "$BENCH/raw.steady" ] || die "the steady nginx has no workers"
}

# Instructions per request: by perf on the loaded workers where the machine
# counts them, else by callgrind on one process and one connection.
measure_instructions() {
    local class

    : >"$BENCH/raw.instructions"
    if perf_counts; then
        note "instructions per request, by perf"
        module_nginx steady 1
        nginx_start steady
        module_wait
        for class in $classes_http; do
            instructions_perf "$class"
        done
        nginx_end steady
    elif command -v valgrind >/dev/null; then
        note "instructions per request, by callgrind"
        instructions_callgrind
    else
        note "no instructions per request: neither perf nor valgrind counts them here"
    fi
}

perf_counts() {
    command -v perf >/dev/null &&
        perf stat -x, -e instructions:u true 2>&1 |
        grep -q '^[0-9][0-9]*,.*instructions'
}

instructions_perf() {
    local class=$1 worker counter line requests count

    writes_reset "$class"
    read -r worker _ <"/proc/$NGINX_PID/task/$NGINX_PID/children"
    perf stat -x, -e instructions:u -p "$worker" -o "$BENCH/perf" 9>&- &
    counter=$!
    line=$(run_wrk "$class" "$MODULE_PORT" 2 1)
    kill -INT $counter
    wait $counter || true
    read -r requests _ <<<"$line"
    count=$(awk -F, '/instructions/ { print $1 }' "$BENCH/perf")
    printf '%s perf %d\n' "$class" $((count / requests)) \
        >>"$BENCH/raw.instructions"
}

# One run for the baseline (start, warm-up, end) and one for each class, which
# makes so many requests more.
instructions_callgrind() {
    local class base count requests=2000

    base=$(callgrind_run none 0) || exit 1
    for class in $classes_http; do
        count=$(callgrind_run "$class" $requests) || exit 1
        printf '%s callgrind %d\n' "$class" \
            $(((count - base) / requests)) >>"$BENCH/raw.instructions"
    done
}

# Prints the instructions of one nginx process that answered 100 requests of
# each class and then COUNT of CLASS: CLASS COUNT.
callgrind_run() {
    local dir=$BENCH/steady pid warm

    writes_reset send
    module_nginx steady 1 'daemon off; master_process off;'
    valgrind --tool=callgrind --callgrind-out-file="$dir/callgrind.out" \
        "$NGINX" -p "$dir/" -c "$dir/nginx.conf" -e "$dir/error.log" \
        >"$dir/callgrind.log" 2>&1 9>&- </dev/null &
    pid=$!
    module_wait 120
    for warm in $classes_http; do
        one_by_one "$warm" 100
    done
    if [ "$2" != 0 ]; then
        one_by_one "$1" "$2"
    fi
    kill -QUIT $pid
    wait $pid || true
    sed -n 's/^summary: //p; s/^totals: //p' "$dir/callgrind.out" | head -n1
}

# COUNT requests of CLASS over one connection, one after the other: CLASS COUNT.
one_by_one() {
    BENCH_KEY=$KEY BENCH_MESSAGE=$MESSAGE perl \
        "$REPO/scripts/bench/one_by_one.pl" "$MODULE_PORT" "$1" "$2" ||
        die "$1 under callgrind failed (log: $BENCH/steady/error.log)"
}

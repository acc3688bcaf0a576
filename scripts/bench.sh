#!/bin/bash
# `./ezw bench`: what the endpoints reach, as ratios to what nginx, Postgres
# and a well-tuned Node peer reach in the same minutes on the same machine.
# Called by command_bench (test.sh), which has built the module.
#
# Rounds are the outer loop, so that a machine that slows down slows everything
# down; a ratio is the median of the rounds' ratios. All figures of a run are
# in $RUN/bench: raw, raw.steady, raw.instructions.

set -euo pipefail

command=bench
for part in common packages postgres migrate bench/setup bench/measure \
    bench/steady
do
    # shellcheck source=/dev/null
    . "$REPO/scripts/$part.sh"
done

# Of the environment nginx would take NGINX for sockets that it inherits.
export -n NGINX PG_BIN

BENCH=$RUN/bench
SIGN_INS=3              # a second
MESSAGE='{"type":"text","body":"Have a nice day, and see you at the shop."}'

usage() {
    cat <<'END'
usage: ./ezw bench [OPTION...]

  --class LIST    only these, separated by commas: key, read, page, list,
                  conversation, send, update, note, sign-in, steady (memory),
                  instructions
  --scale         p99 of each endpoint with a million contacts and ten million
                  messages, beside that with 10,000 (makes them once: minutes
                  and some 6 GB)
  --rounds N      rounds, of which the median counts          (5)
  --seconds S     length of each measurement                  (5)
  --peers         compare with Fastify and postgres.js (Node 20, npm registry)
  --full          steady over a million requests              (200,000)
  --steady        the same as --class steady
  --json          JSON on standard output instead of the table

Close everything else: two rounds that differ by 8 % do not differ.
END
}

note() { printf 'ezw: bench: %s\n' "$*" >&2; }

whole_number() {
    case $2 in ''|0*|*[!0-9]*) die "bench: $1 needs a number, not '$2'" ;; esac
}

rounds=5 seconds=5 peers=no json=no steady=200000 scale=no
classes=key,read,page,list,conversation,send,update,note,sign-in,steady,instructions
while [ $# -gt 0 ]; do
    case $1 in
        --rounds)  rounds=${2:-}; whole_number "$1" "$rounds"; shift ;;
        --seconds) seconds=${2:-}; whole_number "$1" "$seconds"; shift ;;
        --class)   classes=${2:-}; shift ;;
        --peers)   peers=yes ;;
        --full)    steady=1000000 ;;
        --scale)   scale=yes classes= ;;
        --steady)  classes=steady ;;
        --json)    json=yes ;;
        --help)    usage; exit ;;
        *)         die "bench: unknown option $1; ./ezw bench --help" ;;
    esac
    shift
done

for class in ${classes//,/ }; do
    case $class in
        key|read|page|list|conversation|send|update|note|sign-in|steady) ;;
        instructions) ;;
        *) die "bench: no such class: $class; ./ezw bench --help" ;;
    esac
done
wants() { case ,$classes, in *,"$1",*) ;; *) return 1 ;; esac; }

wants_pages() { wants page || wants list || wants conversation || wants note; }

classes_http=
for class in key read page list conversation send update note; do
    if wants $class; then
        classes_http+="$class "
    fi
done
if [ "$classes" = instructions ]; then
    classes_http="key read send update "
fi

# Sets READ, PIPELINE and so on: the two best numbers of clients and threads.
calibrate() {
    if wants read; then
        note "finding pgbench's best number of clients: read"
        best_of read read 1 4:1 8:1 16:1 8:2 16:2 32:2
        READ=("${BEST[@]}")
        best_of read read_anchor 1 4:1 8:1 16:1 8:2 16:2 32:2
        READ_ANCHOR=("${BEST[@]}")
        best_of read read 32 1:1 2:1 4:1 4:2 8:2
        PIPELINE=("${BEST[@]}")
    fi
    if wants send; then
        note "finding pgbench's best number of clients: send"
        best_of send send 1 8:1 16:1 32:1 32:2 64:2
        SEND=("${BEST[@]}")
        best_of send send_anchor 1 8:1 16:1 32:1 32:2 64:2
        SEND_ANCHOR=("${BEST[@]}")
    fi
    if wants update; then
        note "finding pgbench's best number of clients: update"
        best_of update update 1 8:1 16:1 32:1 32:2 64:2
        UPDATE=("${BEST[@]}")
    fi
    if wants page; then
        calibrate_class PAGE page
        best_of page page_anchor 1 4:1 8:1 16:1 8:2 16:2 32:2
        PAGE_ANCHOR=("${BEST[@]}")
    fi
    ! wants list || calibrate_class LIST list
    ! wants conversation || calibrate_class CONVERSATION conversation
    ! wants note || calibrate_class NOTE note
}

# The best settings of a class whose script is called like it: NAME CLASS.
calibrate_class() {
    local -n best=$1

    note "finding pgbench's best number of clients: $2"
    case $2 in
        note) best_of "$2" "$2" 1 8:1 16:1 32:1 32:2 64:2 ;;
        *)    best_of "$2" "$2" 1 4:1 8:1 16:1 8:2 16:2 32:2 ;;
    esac
    # shellcheck disable=SC2034
    best=("${BEST[@]}")
}

# pgbench at both of its best settings: ROUND CLASS WHAT SCRIPT PIPELINE
# SETTING...
pgbench_best() {
    local round=$1 class=$2 what=$3 script=$4 times=$5 setting
    shift 5

    for setting in "$@"; do
        measure_pgbench "$round" "$class" "$what $setting" "$script" \
            "${setting%:*}" "${setting#*:}" "$times"
    done
}

# The measurements of a class, one line of arguments each: CLASS.
plan() {
    local database

    case $1 in
        key)
            echo measure_http key plain "$PLAIN_KEY_PORT" "$PLAIN_PID" ;;
        read)
            echo measure_http read plain "$PLAIN_READ_PORT" "$PLAIN_PID"
            echo pgbench_best read statement read 1 "${READ[@]}"
            echo pgbench_best read anchor read_anchor 1 "${READ_ANCHOR[@]}"
            echo pgbench_best read pipeline read 32 "${PIPELINE[@]}" ;;
        send)
            echo pgbench_best send statement send 1 "${SEND[@]}"
            echo pgbench_best send anchor send_anchor 1 "${SEND_ANCHOR[@]}" ;;
        update)
            echo pgbench_best update statement update 1 "${UPDATE[@]}" ;;
        page)
            echo pgbench_best page statement page 1 "${PAGE[@]}"
            echo pgbench_best page anchor page_anchor 1 "${PAGE_ANCHOR[@]}" ;;
        list)
            echo pgbench_best list statement list 1 "${LIST[@]}" ;;
        conversation)
            echo pgbench_best conversation statement conversation 1 \
                "${CONVERSATION[@]}" ;;
        note)
            echo pgbench_best note statement note 1 "${NOTE[@]}" ;;
    esac
    database=$(database_of "$1")
    echo measure_http "$1" endpoint "${PORT_OF[$database]}" "${PID_OF[$database]}"
    if [ "$peers" = yes ] && [ "$database" = seed ]; then
        echo measure_http "$1" peer "$PEER_PORT" "$PEER_PID"
    fi
}

# Every second round goes the other way round.
measure_round() {
    local round=$1 class what verb rest line lines order=cat

    if [ $((round % 2)) = 0 ]; then
        order=tac
    fi
    for class in $classes_http; do
        mapfile -t lines < <(plan "$class" | $order)
        for line in "${lines[@]}"; do
            read -r verb rest <<<"$line"
            # shellcheck disable=SC2086
            $verb "$round" $rest
        done
    done
    if wants sign-in; then
        for what in $(printf '%s\n' alone beside | $order); do
            measure_sign_in "$round" "$what"
        done
    fi
}

# pgbench warmed Postgres up while it was calibrated; this is for the rest.
warm_up() {
    local class database

    for class in $classes_http; do
        database=$(database_of "$class")
        writes_reset "$class"
        run_wrk "$class" "${PORT_OF[$database]}" 1 0 >/dev/null
        if [ "$peers" = yes ] && [ "$database" = seed ]; then
            writes_reset "$class"
            run_wrk "$class" "$PEER_PORT" 1 0 >/dev/null
        fi
    done
}

# Every endpoint's class on the small company and on the large one, in turn.
measure_scale() {
    local round class database order='small large'

    for database in small large; do
        for class in read page list conversation update note send; do
            DATABASE=$database run_wrk "$class" "${PORT_OF[$database]}" 2 0 \
                >/dev/null
        done
    done
    for ((round = 1; round <= rounds; round++)); do
        note "scale: round $round of $rounds"
        for class in read page list conversation update note send; do
            for database in $order; do
                measure_http $round "$class" "$database" \
                    "${PORT_OF[$database]}" "${PID_OF[$database]}" "$database"
            done
        done
        order='large small'
        [ $((round % 2)) = 1 ] || order='small large'
    done
}

folder "$BENCH" 711
exec 9>"$BENCH/lock"
flock -n 9 || die "another ./ezw bench runs in $RUN: wait for it, or choose" \
    "another folder: EZW_RUN=/some/folder ./ezw bench"
trap bench_end EXIT
trap 'exit 130' INT TERM

rm -f "$BENCH"/raw*
: >"$BENCH/raw"
databases=
! wants_pages || databases+=' pages'
[ $scale = no ] || databases+=' small large'
# shellcheck disable=SC2086
bench_cluster $databases
bench_servers

if [ -n "$classes_http" ] && [ "$classes" != instructions ] || wants sign-in; then
    calibrate
    warm_up
    if wants sign-in; then
        sign_in_setup
    fi
    for ((round = 1; round <= rounds; round++)); do
        note "round $round of $rounds"
        measure_round $round
    done
fi
if [ $scale = yes ]; then
    measure_scale
fi
if wants steady; then
    measure_steady $steady
fi
if wants instructions; then
    measure_instructions
fi

BENCH=$BENCH perl "$REPO/scripts/bench/report.pl" "$json" "$rounds" "$seconds" \
    "$(wc -c <"$BENCH/answer.key")" "$(wc -c <"$BENCH/answer.read")" \
    "${PEER_NAME:-}"

# `ezw test` and `ezw bench`.
#
# All tests share one Postgres cluster, $RUN/t/pg, a copy of $RUN/t/template,
# in which the migrations have been applied once; t/lib/EZW.pm goes on from
# there.

command_test() {
    local all=no files=() file

    while [ $# -gt 0 ]; do
        case $1 in
            --all) all=yes ;;
            -*)    die "test: unknown option $1; ./ezw help" ;;
            *)     files+=("$(test_file "$1")") ;;
        esac
        shift
    done

    forget_libpq_settings
    use_run_folder
    # shellcheck disable=SC2086
    need_packages $PACKAGES_UP $PACKAGES_TEST

    # Two test runs would take each other's cluster away.
    exec 8>"$RUN/test.lock"
    flock -n 8 || die "another ./ezw test runs in $RUN: wait for it, or" \
        "choose another folder: EZW_RUN=/some/folder ./ezw test"

    PASSED=0 FAILED=0
    trap 'test_end' EXIT
    folder "$RUN/t" 711
    test_sweep
    step "build" test_build || exit 1

    if [ ${#files[@]} -gt 0 ]; then
        test_cluster
        test_files run 2 "${files[@]}"
        exit
    fi

    test_unit $all
    test_cluster
    files=("$REPO"/t/*.t)
    if [ $all = yes ]; then
        for file in "$REPO"/t/all/*.t; do
            [ ! -e "$file" ] || files+=("$file")
        done
    fi
    test_files run 2 "${files[@]}"
    test_checked $all
}

# The path of a test that was named by path, file or bare name.
test_file() {
    local file

    for file in "$1" "$REPO/$1" "$REPO/t/$1" "$REPO/t/$1.t"; do
        if [ -f "$file" ]; then
            realpath "$file"
            return
        fi
    done
    die "test: there is no $1"
}

# Runs a command as one test of its own: NAME COMMAND... Bash ignores set -e
# in here, so the command says itself what must not fail.
step() {
    local name=$1
    shift

    printf '# %s\n' "$name"
    if ("$@") 8>&- 9>&-; then
        PASSED=$((PASSED + 1))
    else
        FAILED=$((FAILED + 1))
        printf 'not ok: %s\n' "$name"
        return 1
    fi
}

test_build() {
    lock_run_folder
    module_build
}

# What compilers, cmocka and libFuzzer say when nothing is wrong.
UNIT_CHATTER='^(cc|clang|ar|rm) |^    |^INFO:|^"|^#####|^fuzz_|^make: (Ent|Leav)|^\[[ =-]*(OK|RUN|PASSED)?[ =-]*\]'

# Unit tests and fuzz targets; the numbers are cmocka's own.
test_unit() {
    local output=$RUN/t/unit.log fuzz_seconds=2 status=0 passed failed

    printf '# unit tests and fuzzing\n'
    if [ "$1" = yes ]; then
        fuzz_seconds=${EZW_FUZZ_SECONDS:-120}
    fi
    make -k -j2 -O -C "$REPO/lua-free-tests" unit fuzz SAN=1 BUILD="$RUN/t/unit" \
        FUZZ_SECONDS=$fuzz_seconds >"$output" 2>&1 8>&- || status=1

    passed=$(sum_of 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$output")
    failed=$(sum_of 's/^\[  FAILED  \].* \([0-9]*\) test(s).*/\1/p' "$output")
    if [ $status != 0 ] && [ "$failed" = 0 ]; then
        failed=1
    fi
    if [ $status != 0 ]; then
        { grep -vE "$UNIT_CHATTER" "$output" || true; } | tail -n 40
        printf 'not ok: unit tests and fuzzing (%s)\n' "$output"
    fi
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
}

sum_of() { sed -n "$1" "$2" | awk '{ n += $1 } END { print n + 0 }'; }

# Starts the shared cluster, and remakes its template when a migration, or the
# way it is made, has changed.
test_cluster() {
    local template=$RUN/t/template fingerprint

    fingerprint=$(cat "$REPO"/ngx_ezw_module/sql/schema/*.sql \
        "$REPO"/scripts/{postgres,migrate,test}.sh | sha256sum)
    if [ "$fingerprint" != "$(cat "$template/fingerprint" 2>/dev/null)" ]; then
        rm -rf "$template"
        step "migrate a fresh Postgres" test_template || exit 1
        printf '%s\n' "$fingerprint" >"$template/fingerprint"
    fi

    rm -rf "$RUN/t/pg"
    folder "$RUN/t/pg" 711 "$PG_OWNER"
    as_pg cp -a --reflink=auto "$template/data" "$RUN/t/pg/data"
    cp -a "$template/superuser" "$RUN/t/pg/"
    cluster_up "$RUN/t/pg" 8>&-
}

test_template() {
    local template=$RUN/t/template

    cluster_up "$template" "fsync = off" "full_page_writes = off" \
        "max_connections = 300" "shared_buffers = 64MB" \
        "checkpoint_timeout = 1h"
    cluster_database "$template" ezw_template
    PGPASSFILE=$template/owner migrate \
        "host=$PG_SOCKET dbname=ezw_template user=ezw_owner" ezw_app \
        >"$RUN/t/migrate.log" || exit 1
    random_text 32 | secret_file "$template/app"
    cluster_psql "$template" -d postgres <<END || exit 1
alter role ezw_app password '$(cat "$template/app")';
END
    cluster_stop "$template"
}

# Runs end-to-end tests: FOLDER (below $RUN/t) JOBS FILE...
test_files() {
    local folder=$1 jobs=$2 counts=$RUN/t/counts passed failed
    shift 2

    rm -rf "${RUN:?}/t/$folder" "$counts"
    folder "$RUN/t/$folder" 711
    test_certificate
    # where a worker can read them that has given root up
    cp "$REPO"/scripts/{lsan,valgrind}.supp "$RUN/t/"
    EZW_T=$RUN/t EZW_T_RUN=$folder EZW_COUNTS=$counts EZW_BUILD=$BUILD \
        EZW_NGINX=${EZW_NGINX:-$NGINX} EZW_MODULE=${EZW_MODULE:-$MODULE} \
        PERL5LIB=$REPO/t/lib prove -j"$jobs" --formatter EZW::Formatter \
        "$@" 8>&- || true

    if [ -s "$counts" ]; then
        read -r passed failed <"$counts"
        PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed))
    else
        FAILED=$((FAILED + 1))
    fi
}

test_certificate() {
    [ -e "$RUN/t/tls.crt" ] || nginx_certificate "$RUN/t"
}

# The end-to-end tests once more on checked builds (asan.sh): those that have
# a line "# sanitizers" in their head, or all; under valgrind the smoke test.
test_checked() {
    local all=$1 files

    step "build nginx and module with sanitizers" checked_build asan || return 0
    mapfile -t files < <(
        if [ "$all" = yes ]; then
            grep -l '^use EZW;' "$REPO"/t/*.t "$REPO"/t/all/*.t 2>/dev/null
        else
            grep -l '^# sanitizers$' "$REPO"/t/*.t
        fi)
    checked_build asan
    printf '# %s files with sanitizers\n' "${#files[@]}"
    EZW_PATIENCE=3 test_files run-asan 2 "${files[@]}"

    [ "$all" = yes ] || return 0
    step "build nginx and module for valgrind" checked_build valgrind ||
        return 0
    checked_build valgrind
    EZW_PATIENCE=10 EZW_VALGRIND=1 test_files run-valgrind 1 "$REPO/t/smoke.t"
}

# Ends what a killed test has left, and the shared cluster.
test_sweep() {
    local file

    for file in "$RUN"/t/run*/*/nginx.pid; do
        [ ! -e "$file" ] || test_sweep_nginx "$file"
    done
    for file in "$RUN"/t/run*/*-pg[0-9]* "$RUN/t/template" "$RUN/t/pg"; do
        [ ! -d "$file/data" ] || cluster_stop "$file"
    done
}

test_sweep_nginx() {
    local pid

    pid=$(cat "$1")
    if [[ $(command_line "$pid") == *"${1%/*}/nginx.conf"* ]]; then
        kill -TERM "$pid"
    fi
}

# Runs at the exit of the whole command, however it ends.
test_end() {
    local status=$?

    trap - EXIT
    (test_sweep) || true
    if [ $FAILED = 0 ] && [ $status != 0 ]; then
        FAILED=1
    fi
    printf '%s passed, %s failed\n' "$PASSED" "$FAILED"
    [ $FAILED = 0 ] || exit 1
    exit 0
}

# The measuring is scripts/bench.sh, which finds the build and the folders in
# its environment.
command_bench() {
    forget_libpq_settings
    use_run_folder
    # shellcheck disable=SC2086
    need_packages $PACKAGES_UP $PACKAGES_BENCH
    (lock_run_folder && module_build >&2)

    export REPO RUN BUILD MODULE
    exec bash "$REPO/scripts/bench.sh" "$@"
}

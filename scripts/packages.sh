# Which Debian packages each command needs, and how the missing ones come in.

PACKAGES_UP="build-essential nginx nginx-dev postgresql-15 libpq-dev
    libjansson-dev libssl-dev libcurl4-openssl-dev libpcre2-dev zlib1g-dev
    curl openssl"
PACKAGES_TEST="ca-certificates clang dpkg-dev libcmocka-dev libdbd-pg-perl
    libio-socket-ssl-perl perl valgrind"
PACKAGES_BENCH="wrk"

# Installs those of "$@" that are missing; costs one dpkg-query when none is.
need_packages() {
    local missing=() package

    command -v dpkg-query >/dev/null ||
        die "this script installs and builds on Debian 12; elsewhere build" \
            "with nginx's own ./configure --add-dynamic-module=$REPO"

    local -A installed=()
    while read -r package; do
        installed[$package]=1
    done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" \
             2>/dev/null | sed -n 's/^installed //p')

    for package in "$@"; do
        [ -n "${installed[$package]:-}" ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    local log
    log=$RUN/packages.log
    say "installing ${missing[*]} (log: $log)"

    local as_root=()
    if ! is_root; then
        command -v sudo >/dev/null ||
            die "packages are missing and there is no sudo; as root:" \
                "$REPO/scripts/install_packages.sh ${missing[*]}"
        as_root=(sudo)
    fi

    "${as_root[@]}" "$REPO/scripts/install_packages.sh" "${missing[@]}" \
        >"$log" 2>&1 9>&- </dev/null ||
        die "apt could not install them: $(grep -m1 '^E: ' "$log" ||
            tail -n1 "$log"); mend that and repeat ./ezw $command"
}

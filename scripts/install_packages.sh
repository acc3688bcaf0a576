#!/bin/bash
# Installs the named Debian packages, as root, and lets none of them start or
# set up a service: no nginx on port 80, no Postgres cluster on 5432, neither
# now nor at the next boot. What it changes for that while apt works is put
# back at the end. Called by packages.sh.

set -euo pipefail

[ "$(id -u)" = 0 ] || { echo "E: only root can install packages"; exit 1; }

export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
cluster_conf=/etc/postgresql-common/createcluster.d/ezw.conf

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

put_back() {
    rm -f "$cluster_conf"
    rmdir --ignore-fail-on-non-empty "${cluster_conf%/*}" 2>/dev/null || true
    rm -f "$policy"
    if [ -e "$policy.ezw-saved" ]; then
        mv "$policy.ezw-saved" "$policy"
    fi
}

had_nginx=no
if is_installed nginx; then
    had_nginx=yes
fi

# An earlier run that was killed has left its saved copy: that one is genuine.
if [ -e "$policy" ] && [ ! -e "$policy.ezw-saved" ]; then
    mv "$policy" "$policy.ezw-saved"
fi
trap put_back EXIT

printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

mkdir -p "${cluster_conf%/*}"
echo 'create_main_cluster = false' >"$cluster_conf"

install() {
    apt-get install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 "$@"
}

# A fresh machine has no package lists, an old one has stale ones.
install "$@" || {
    apt-get update -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 &&
        install "$@"
}

if [ $had_nginx = no ] && is_installed nginx; then
    update-rc.d nginx disable || true
fi

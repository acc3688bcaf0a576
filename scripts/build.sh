# Builds the dynamic module against Debian's nginx-dev, and (for asan.sh)
# nginx itself.

NGINX_SOURCE=/usr/share/nginx/src

# The flags that Debian compiled its own nginx with.
debian_cc_opt() { "$NGINX" -V 2>&1 | sed -n "s/.*--with-cc-opt='\([^']*\)'.*/\1/p"; }
debian_ld_opt() { "$NGINX" -V 2>&1 | sed -n "s/.*--with-ld-opt='\([^']*\)'.*/\1/p"; }

# Brings MODULE, $BUILD/objs/ngx_ezw_module.so, up to date. Warnings are errors.
module_build() {
    # shellcheck source=/dev/null
    . "$NGINX_SOURCE/conf_flags"

    build "$BUILD" "$NGINX_SOURCE" modules "${NGX_CONF_FLAGS[@]}" \
        --with-cc-opt="$(debian_cc_opt) -Werror" \
        --with-ld-opt="$(debian_ld_opt)" --add-dynamic-module="$REPO"
}

# Brings a make TARGET of nginx's build up to date in DIR/objs: DIR TREE
# TARGET, then the flags for ./configure. Configures anew only when config,
# the list of the module's files, a library or a flag has changed; what is in
# the files is make's concern.
build() {
    local dir=$1 tree=$2 target=$3 started=$SECONDS fingerprint
    shift 3

    mkdir -p "$dir"
    fingerprint=$({
        cat "$REPO/config" "$REPO/config.make"
        (cd "$REPO" && find ngx_ezw_module -type f | sort)
        dpkg-query -W nginx nginx-dev libpq-dev libjansson-dev libssl-dev \
            libcurl4-openssl-dev
        printf '%s\n' "$dir" "$tree" "$@"
    } | sha256sum)

    if [ "$fingerprint" != "$(cat "$dir/fingerprint" 2>/dev/null)" ]; then
        rm -rf "$dir/fingerprint" "$dir/objs"
        (cd "$tree" && ./configure --builddir="$dir/objs" "$@") \
            >"$dir/configure.log" 2>&1 ||
            die_of_log "nginx's configure stopped" "$dir/configure.log" error:
        printf '%s\n' "$fingerprint" >"$dir/fingerprint"
    fi

    make -f "$dir/objs/Makefile" -C "$tree" -j"$(nproc)" "$target" \
        >"$dir/make.log" 2>&1 ||
        die_of_log "it does not compile" "$dir/make.log" \
            '( error: |undefined reference|\*\*\* )'

    if grep -q ' -o ' "$dir/make.log"; then
        say "built $target in $((SECONDS - started)) s"
    fi
}

# Prints the lines of LOG that match PATTERN and dies: WHAT LOG PATTERN.
die_of_log() {
    grep -E "$3" "$2" | head -n 20 >&2 || tail -n 20 "$2" >&2
    die "$1; the whole output: $2"
}

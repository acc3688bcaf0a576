# nginx and the module built to be watched: under AddressSanitizer and UBSan
# (`asan`), or for valgrind's memcheck (`valgrind`). nginx's sources are those
# of Debian's source package, fetched through a private list of sources, so
# that nothing of the machine's apt is changed. Kept by version in
# $RUN/checked.

# The same parts as Debian's, but without PCRE's JIT, which the checkers
# misread.
CHECKED_FLAGS=(
    --error-log-path=stderr --http-log-path=/dev/null
    --with-compat --with-debug --with-threads --with-http_ssl_module
    --with-http_v2_module --with-http_realip_module
    --with-http_auth_request_module --with-http_addition_module
    --with-http_stub_status_module --with-http_slice_module
    --with-http_sub_module --with-http_dav_module
)

# Sets EZW_NGINX and EZW_MODULE to a checked build: VARIANT asan or valgrind.
# Every nginx pool allocation is a malloc of its own there, so that the
# checkers see where each one ends.
checked_build() {
    local variant=$1 dir common='-O1 -g -fno-omit-frame-pointer -DNGX_DEBUG_PALLOC=1'
    local address='' ours=''

    case $variant in
        asan)     address=-fsanitize=address
                  ours=-fsanitize=address,undefined ;;
        valgrind) ;;
        *)        die "no such variant: $variant" ;;
    esac

    checked_source
    dir=$RUN/checked/$variant-$CHECKED_VERSION
    folder "$dir/nginx" 755
    # A module that stays loaded to the end is named in the leak reports.
    echo 'int dlclose(void *handle) { (void) handle; return 0; }' |
        cc -c -x c -o "$dir/keep_loaded.o" - || die "cc does not work"
    build "$dir/nginx" "$CHECKED_TREE" binary "${CHECKED_FLAGS[@]}" \
        --with-cc-opt="$common $address -Wno-error" \
        --with-ld-opt="$address $dir/keep_loaded.o"
    build "$dir/module" "$CHECKED_TREE" modules "${CHECKED_FLAGS[@]}" \
        --with-cc-opt="$common $ours" --with-ld-opt="$ours" \
        --add-dynamic-module="$REPO"

    EZW_NGINX=$dir/nginx/objs/nginx
    EZW_MODULE=$dir/module/objs/ngx_ezw_module.so
}

# Sets CHECKED_VERSION and CHECKED_TREE: the unpacked, patched sources of the
# installed nginx, or of the newest one if Debian has that one no more.
checked_source() {
    local dir=$RUN/checked/source version apt list

    CHECKED_VERSION=$(dpkg-query -W -f '${source:Version}' nginx)
    CHECKED_TREE=$dir/$CHECKED_VERSION
    if [ -x "$CHECKED_TREE/configure" ]; then
        return
    fi

    rm -rf "$dir/apt"
    mkdir -p "$dir/apt/sources" "$dir/apt/lists/partial" "$dir/apt/download"
    for list in /etc/apt/sources.list.d/*.sources; do
        [ -e "$list" ] || continue
        sed 's/^Types:.*/Types: deb-src/' "$list" \
            >"$dir/apt/sources/$(basename "$list")"
    done
    { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list || true; } \
        2>/dev/null |
        sed -n 's/^deb\([ \t]\)/deb-src\1/p' >"$dir/apt/sources/one-line.list"

    apt=(apt-get -q -o Acquire::Retries=5 -o Dir::Etc::sourcelist=/dev/null
         -o "Dir::Etc::sourceparts=$dir/apt/sources"
         -o "Dir::State::lists=$dir/apt/lists"
         -o "Dir::Cache::srcpkgcache=$dir/apt/srcpkgcache"
         -o "Dir::Cache::pkgcache=$dir/apt/pkgcache"
         -o APT::Sandbox::User=root)
    say "fetching nginx's sources (log: $dir/apt/log)"
    (
        cd "$dir/apt/download" || exit 1
        "${apt[@]}" update
        "${apt[@]}" source --download-only "nginx=$CHECKED_VERSION" ||
            "${apt[@]}" source --download-only nginx || exit 1
        dpkg-source --no-check -x nginx_*.dsc "$dir/apt/tree"
    ) >"$dir/apt/log" 2>&1 ||
        die "nginx's sources cannot be had: $(tail -n1 "$dir/apt/log")"

    rm -rf "$CHECKED_TREE"
    mv "$dir/apt/tree" "$CHECKED_TREE"
}

# `ezw migrate`: one psql session holds an advisory lock and applies each
# migration that the database lacks in a transaction of its own. One line for
# each of ezw.migration says which file made it, by SHA-256, so that an old
# migration which was edited afterwards is noticed.

MIGRATION_LOCK=7305808869232641633    # "ezw migra" in spirit: any fixed number

command_migrate() {
    local dsn='' role=''

    while [ $# -gt 0 ]; do
        case $1 in
            --dsn)          dsn=${2:-}; shift ;;
            --dsn=*)        dsn=${1#*=} ;;
            --runtime-role) role=${2:-}; shift ;;
            --runtime-role=*) role=${1#*=} ;;
            *)              die "migrate: unknown argument $1; ./ezw help" ;;
        esac
        [ $# -gt 0 ] && shift
    done
    [ -n "$dsn" ] || die "migrate: which database? --dsn" \
        "'host=… dbname=… user=…'"

    [ -x $PG_BIN/psql ] || die "migrate: $PG_BIN/psql is missing: apt-get" \
        "install postgresql-client-15"

    migrate "$dsn" "$role" || die "migrate: nothing more was changed"
}

# Migrates the database at DSN and sets up runtime ROLE, if one is named.
migrate() {
    local script

    script=$(migration_script "$2") || return 1
    $PG_BIN/psql -X -q -A -t -d "$1" -v role="$2" -v ON_ERROR_STOP=1 \
        -v VERBOSITY=terse -f - <<<"$script" 2>&1 >&3 |
        sed 's/^psql:<stdin>:[0-9]*: //; s/^/ezw: migrate: /' >&2
} 3>&1

migration_script() {
    local file name version last=0

    cat <<'END'
select :SERVER_VERSION_NUM < 150000 as too_old \gset
\if :too_old
do $$ begin
  raise exception 'Postgres 15 or later is needed, this is %',
    current_setting('server_version');
end $$;
\endif
set client_min_messages = warning;
set lock_timeout = '60s';
END
    cat <<END
select pg_advisory_lock($MIGRATION_LOCK) \\g /dev/null
set lock_timeout = '10s';
set statement_timeout = 0;
select to_regclass('ezw.migration') is not null as known \\gset
END

    for file in "$REPO"/ngx_ezw_module/sql/schema/[0-9][0-9][0-9]_*.sql; do
        [ -e "$file" ] || die "there are no migrations in $(dirname "$file")"
        name=$(basename "$file" .sql)
        version=$((10#${name%%_*}))
        [ $version -gt $last ] || die "two migrations are numbered $version"
        last=$version
        migration_step "$file" "$name" $version
    done

    cat <<END
do \$\$ begin
  if exists (select from ezw.migration where version > $last) then
    raise exception 'the database is at version %, this release ends at $last: '
      'use the release that made it', (select max(version) from ezw.migration);
  end if;
end \$\$;
select ezw.partitions_ensure() \\g /dev/null
select 'schema at version $last';
END
    [ -z "$1" ] || runtime_role_script
}

# One migration: FILE NAME VERSION.
migration_step() {
    local file=$1 name=$2 version=$3 sha256

    sha256=$(sha256sum "$file")
    sha256=${sha256%% *}
    cat <<END
\\set done false
\\if :known
do \$\$ begin
  if exists (select from ezw.migration
              where version = $version and sha256 <> '$sha256') then
    raise exception 'migration $name was edited after it had been applied; '
      'undo the edit and write a new migration';
  end if;
end \$\$;
select exists (select from ezw.migration where version = $version) as done \\gset
\\endif
\\if :done
\\else
begin;
\\i '$file'
insert into ezw.migration (version, name, applied_at, sha256)
values ($version, '$name', clock_timestamp(), '$sha256');
commit;
\\set known true
\\echo 'applied $name'
\\endif
END
}

# The login role of nginx: only what ezw_runtime may do, and settings under
# which no statement can hold up a lane. Every statement has its index; one that
# is planned for parameters not known yet must not fall for a table that is
# small today, or for next month's empty partition, which would have it sort a
# whole conversation for its newest page.
runtime_role_script() {
    cat <<'END'
select format('create role %I login', :'role')
 where not exists (select from pg_roles where rolname = :'role') \gexec
grant ezw_runtime to :"role";
alter role :"role" set lock_timeout = '250ms';
alter role :"role" set statement_timeout = '5s';
alter role :"role" set idle_in_transaction_session_timeout = '10s';
alter role :"role" set plan_cache_mode = 'force_generic_plan';
alter role :"role" set enable_seqscan = off;
select has_parameter_privilege('deadlock_timeout', 'set') as may \gset
\if :may
alter role :"role" set deadlock_timeout = '100ms';
\else
\warn a superuser should also run: alter role :role set deadlock_timeout = '100ms'
\endif
END
}

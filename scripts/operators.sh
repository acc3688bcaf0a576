# The operators' commands: companies, users, channels and keys of any
# deployment's database (--dsn), or of the demo's. Each prints one JSON object
# or array; or one line on standard error, and nothing has changed.
#
# What a caller gives goes to psql by its environment and from there into
# quoted variables: no value is ever part of a statement's text, and nothing
# secret stands on a command line.

declare -A OPTION VALUES

# `ezw NOUN VERB …`: NOUN then what followed it.
command_operator() {
    local noun=$1 verb=${2:-}
    shift $(($# < 2 ? $# : 2))

    # named in the messages
    command="$noun${verb:+ $verb}"
    case $command in
        'company create')      company_create "$@" ;;
        'company list')        company_list "$@" ;;
        'user create')         user_create "$@" ;;
        'user list')           user_list "$@" ;;
        'user disable')        user_disable "$@" ;;
        'user role')           user_role "$@" ;;
        'user reset-password') user_reset_password "$@" ;;
        'channel create')      channel_create "$@" ;;
        'channel list')        channel_list "$@" ;;
        'key create')          key_create "$@" ;;
        'key list')            key_list "$@" ;;
        'key revoke')          key_revoke "$@" ;;
        *) die "no such command: $command; ./ezw help lists them" ;;
    esac
}

refuse() { die "$command: $*"; }


# Options ------------------------------------------------------------------

# Reads --NAME VALUE and --NAME=VALUE into OPTION: SPEC then the arguments.
# SPEC names the options: `name` may be given, `name!` must be, `name*` may be
# given several times (OPTION then has a line for each), `name?` has no value.
# An option that was not given is no element of OPTION.
read_options() {
    local spec=" ${1//$'\n'/ } dsn " name value word
    shift

    OPTION=()
    while [ $# -gt 0 ]; do
        case $1 in
            --*) ;;
            *) refuse "unexpected argument $1; ./ezw help" ;;
        esac
        name=${1#--}
        name=${name%%=*}
        case $spec in
            *" $name? "*)
                [ "$1" = "--$name" ] || refuse "--$name has no value"
                value=yes ;;
            *" $name "*|*" $name! "*|*" $name"'* '*)
                if [ "$1" = "--$name" ]; then
                    [ $# -gt 1 ] || refuse "--$name needs a value"
                    shift
                    value=$1
                else
                    value=${1#*=}
                fi ;;
            *) refuse "unknown option --$name; ./ezw help" ;;
        esac
        shift
        is_text "$value" ||
            refuse "--$name: not UTF-8, or with control characters"
        [ -n "$value" ] || refuse "--$name is empty"
        if [ -n "${OPTION[$name]:-}" ]; then
            [[ $spec == *" $name"'* '* ]] || refuse "--$name was given twice"
            OPTION[$name]+=$'\n'
        fi
        OPTION[$name]+=$value
    done

    for word in $spec; do
        [ "${word%!}" = "$word" ] || [ -n "${OPTION[${word%!}]:-}" ] ||
            refuse "--${word%!} is needed"
    done
    use_database
}

# Text that Postgres takes and that stays on one line.
is_text() {
    [[ $1 != *[[:cntrl:]]* ]] &&
        printf '%s' "$1" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1
}

# Each of these puts an option into VALUES as it is to be stored, or refuses
# it: OPTION'S NAME [DEFAULT]. The value's name has _ for -; an option that was
# not given and has no default is empty.

take_text() {
    local value=${OPTION[$1]-${2-}}

    value=${value#"${value%%[! ]*}"}
    value=${value%"${value##*[! ]}"}
    [ -n "$value" ] || [ -z "${OPTION[$1]-}" ] || refuse "--$1 is empty"
    [ ${#value} -le 255 ] || refuse "--$1 is longer than 255 characters"
    VALUES[${1//-/_}]=$value
}

take_uuid() {
    local value=${OPTION[$1]-} hex='[0-9a-f]'

    value=${value,,}
    [[ -z $value || $value =~ ^$hex{8}(-$hex{4}){3}-$hex{12}$ ]] ||
        refuse "--$1: ${OPTION[$1]} is no id"
    VALUES[${1//-/_}]=$value
}

# NAME MAX [DEFAULT]: from 1 to MAX.
take_number() {
    local value=${OPTION[$1]-${3-}}

    [[ -z $value || $value =~ ^[1-9][0-9]{0,8}$ && $value -le $2 ]] ||
        refuse "--$1: $value is no number from 1 to $2"
    VALUES[${1//-/_}]=$value
}

# NAME DEFAULT WORD…: one of the words.
take_word() {
    local name=$1 value=${OPTION[$1]-$2} word
    shift 2

    for word; do
        if [ "$value" = "$word" ]; then
            VALUES[${name//-/_}]=$value
            return
        fi
    done
    refuse "--$name: $value is none of: $*"
}

# ASCII only, as the module has it (base/ezw_fields.h).
take_email() {
    local value=${OPTION[$1],,} local_part='[!-?A-~]{1,64}' label='[a-z0-9-]+'

    [[ $value =~ ^$local_part@$label(\.$label)*$ &&
        ${#value} -le 254 ]] ||
        refuse "--$1: ${OPTION[$1]} is no e-mail address"
    VALUES[${1//-/_}]=$value
}


# The database -------------------------------------------------------------

# Sets DSN: what --dsn says, with the caller's own PGPASSWORD and the like, or
# the demo's database.
use_database() {
    [ -x $PG_BIN/psql ] || refuse "$PG_BIN/psql is missing: apt-get install" \
        "postgresql-client-15"

    DSN=${OPTION[dsn]:-}
    if [ -n "$DSN" ]; then
        [[ ! " $DSN" =~ [\ \&?]password\ *= &&
            ! $DSN =~ ^postgres(ql)?://[^/@:]*:[^/@]*@ ]] ||
            refuse "--dsn: no password here, where all can read it:" \
                "PGPASSWORD and PGPASSFILE work"
        return
    fi

    use_run_folder
    [ -e "$RUN/pg/owner" ] || refuse "which database? --dsn" \
        "'host=… dbname=… user=…', or ./ezw up for a demo's"
    [ -r "$RUN/pg/owner" ] || refuse "the demo is not yours, run as its owner"
    forget_libpq_settings
    cluster_socket_folder "$RUN/pg"
    cluster_answers || refuse "the demo is down: ./ezw up"
    DSN="host=$PG_SOCKET port=5432 dbname=ezw user=ezw_owner"
    export PGPASSFILE=$RUN/pg/owner
}

# Runs a psql script from standard input as one transaction, with VALUES as
# its variables, and prints what it prints. A script that says
# `\warn refused: …` and quits has changed nothing.
operator_sql() {
    local script said status=0

    script=$(operator_prelude && cat && printf '\ncommit;\n')
    {
        said=$(
            for name in "${!VALUES[@]}"; do
                export "EZW_VALUE_$name=${VALUES[$name]}"
            done
            export PGCLIENTENCODING=UTF8
            exec $PG_BIN/psql -X -q -A -t -d "$DSN" -v ON_ERROR_STOP=1 \
                -v VERBOSITY=terse -f - 2>&1 >&3 <<<"$script"
        ) || status=$?
    } 3>&1

    said=$(sed -E 's/^psql:(<stdin>:[0-9]+:)? *//' <<<"$said")
    if [ $status != 0 ]; then
        refuse "$(grep -m1 -E 'ERROR|FATAL|error:' <<<"$said" ||
            head -n1 <<<"$said")"
    elif [[ $said == *'refused: '* ]]; then
        refuse "$(sed -n 's/.*refused: //p' <<<"$said")"
    elif [ -n "$said" ]; then
        printf '%s\n' "$said" >&2
    fi
}

# Prints what a script from standard input answers, once that has committed.
operator_answer() {
    local answer

    answer=$(operator_sql) || exit 1
    printf '%s\n' "$answer"
}

# What comes before a script: its variables, limits, and the question whether
# this schema is the one that it was written for.
operator_prelude() {
    local name files

    for name in "${!VALUES[@]}"; do
        printf '\\getenv %s EZW_VALUE_%s\n' "$name" "$name"
    done
    files=("$REPO"/ngx_ezw_module/sql/schema/[0-9][0-9][0-9]_*.sql)
    name=$(basename "${files[-1]}")
    printf '\\set release %d\n' "$((10#${name%%_*}))"
    cat <<'END'
set client_min_messages = warning;
set lock_timeout = '10s';
set statement_timeout = '60s';
set timezone = 'UTC';
\set version none
select to_regclass('ezw.migration') is not null as known \gset
\if :known
select coalesce(max(m.version), 0) as version from ezw.migration m \gset
\endif
select :'version' <> :'release' as other \gset
\if :other
\warn refused: the schema is at version :version, this release has :release, see ./ezw migrate
\quit
\endif
begin;
END
}

# SQL that answers the rows of a query as one object, or as one array.
one_object() { printf 'select row_to_json(w) from (\n%s\n) w;\n' "$(cat)"; }
one_array() {
    printf "select '[' || coalesce(string_agg(row_to_json(w)::text, ','), '') || ']' from (\n%s\n) w;\n" "$(cat)"
}

# SQL that ends a script with the refusal of the query before it, if that gave
# one.
quit_if_refused() {
    cat <<'END'
\if :{?refusal}
\warn refused: :refusal
\quit
\endif

END
}

# Prints OBJECT with one more NAME and VALUE, which needs no escapes and is
# null when empty: what is shown once has never been in the database.
with_secret() {
    local value=null

    if [ -n "$3" ]; then
        value="\"$3\""
    fi
    printf '%s,"%s":%s}\n' "${1%\}}" "$2" "$value"
}

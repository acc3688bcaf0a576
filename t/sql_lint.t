# The SQL keeps its rules: a tenant's rows are reached through the company
# that the caller was given, nothing outlives a statement that shares its
# transaction with others', nothing depends on a search path or an order of
# parameters. The text needs no server; with one, the catalog is asked too.

use strict;
use warnings;

use File::Basename qw(basename dirname);
use Test::More;

my $sql = dirname(__FILE__) . '/../ngx_ezw_module/sql';

# Tables of the whole deployment.
my %deployment = map { $_ => 1 }
    qw(migration deployment company change_counter change app_user identity
       password_reset);

# Statements and functions that serve every company, and why they may.
my %every_company = (
    key_principal      => 'a key tells its company',
    keys_used          => 'keys by their own ids',
    key_company        => 'of the companies that the gate found for the key',
    channel_company    => 'a channel tells its company',
    session_principal  => 'a session tells its company',
    session_refresh    => 'a refresh token tells its company',
    sessions_revoke    => 'sessions by their own ids',
    external_principal => 'an identity tells its user, who tells his company',
    login_user         => 'an e-mail address tells a user',
    company_recent     => 'a user tells his companies',
    user_note          => 'all of a user',
    app_user_sort      => 'all of a user',
    detach_next        => 'whosever is due',
    sealed_stale       => 'whosever secret: the key is the deployment\'s',
    outbox_claim       => 'the couriers are of the deployment',
    outbox_next_due    => 'the couriers are of the deployment',
    events_after       => 'the reader tells companies apart itself',
    sweep              => 'by age',
    partitions_ensure  => 'makes tables',
    merge_next         => 'upkeep is of the deployment',
    erasure_next       => 'upkeep is of the deployment',
    purge_begin        => 'upkeep is of the deployment',
    purge_next         => 'upkeep is of the deployment',
    purge_horizon      => 'what every channel keeps',
    partitions_drop    => 'drops what no company keeps',
);

# What a company may be compared with: what the gate passed in, or, in a
# trigger, the row at hand.
my $given = qr/:company::uuid | a_company | l_row[.]company | new[.]company
    | coalesce[(]new[.]company,\s*old[.]company[)]/x;


# Reading ------------------------------------------------------------------

sub slurp {
    my ($path) = @_;

    local $/;
    open my $file, '<:encoding(UTF-8)', $path or die "$path: $!";
    return scalar <$file>;
}

# Without comments; literals become '', so that no rule reads inside them.
sub bare {
    my ($text) = @_;

    $text =~ s{('(?:[^']|'')*'|\$(\w+)\$.*?\$\2\$)|--[^\n]*}
              {defined $1 ? "''" : ''}gse;
    return $text;
}

# "-- name: x" statements: x => text.
sub statements {
    my ($path) = @_;

    my %found;
    my $text = slurp($path);
    my @part = split /^-- name: (\w+)\n/m, $text;
    shift @part;
    while (my ($name, $body) = splice @part, 0, 2) {
        die "$path: two statements $name" if $found{$name};
        $found{$name} = $body;
    }
    return %found;
}

# The functions of a migration: name, arguments, what stands between head and
# body, the body; and the text without them.
sub functions {
    my ($text) = @_;

    my @found;
    $text =~ s{create\ (?:or\ replace\ )?function\ ezw[.](\w+)\((.*?)\)\n(returns\b.*?)\nas\ \$\$\n(.*?)\n\$\$;}
              {push @found, [$1, $2, $3, $4]; ''}gsex;
    return ($text, @found);
}

# The SQL statements of a body; a plpgsql one's control words are cut off.
sub body_statements {
    my ($body) = @_;

    $body = bare($body);
    $body =~ s/^\s*(?:#variable_conflict\s+\w+\s+)?(?:declare\b.*?)?\bbegin\b//s;
    $body =~ s/\b(?:begin|loop|then|else|exception\s+when\s+\w+)\s*\n/;/g;
    return grep { /\b(?:select|perform|insert|update|delete)\b/ } split /;/, $body;
}


# Rules --------------------------------------------------------------------

my $session = qr/\bset\s+(?:local|session|role)\b | \bset_config\b
    | \breset\b | \bdiscard\b | \btemp(?:orary)?\s+table\b | \bpg_temp\b
    | \b(?:un)?listen\b | \bnotify\b | \bpg_notify\b | \bdeclare\s+\w+\s+cursor\b
    | \bpg_advisory_lock\w*\b | \bpg_try_advisory_lock\w*\b
    | \bcommit\b | \brollback\b | \bsavepoint\b/x;

# What outlives a statement, or ends the transaction that others share.
sub session_state { return bare($_[0]) =~ /($session)/ ? ("has $1") : () }

# Columns by their names, words in lower case.
sub style {
    my $text = bare($_[0]);

    my @bad;
    push @bad, "has $1" if $text =~ /\b(select\s+(?:\w+[.])?[*])/;
    push @bad, "has $1" if $text =~ /\b(returning\s+(?:\w+[.])?[*])/;
    push @bad, "has $1" if $text =~ /\b([A-Z]{2,})\b(?!["'])/;
    return @bad;
}

# Tables are named with their schema: what follows from, join and so on is
# ezw.x, a function, a subquery, or a common table expression of its own.
sub unqualified {
    my $text = bare($_[0]);

    my %cte = map { $_ => 1 } $text =~ /\b(\w+)\s+as\s+(?:not\s+)?(?:materialized\s+)?\(/g;
    $text =~ s/\b(?:distinct|extract\s*\([^()]*?)\s+from\b//g;
    my @bad;
    while ($text =~ /\b(from|join|into|using|update|delete\s+from)\s+
                     (?:only\s+|lateral\s+)?([a-z_]\w*)(\s*[.]\s*\w+)?(\s*\()?/gx)
    {
        my ($word, $name, $dotted, $call) = ($1, $2, $3, $4);
        next if $dotted && $name =~ /^(?:ezw|pg_catalog)$/;
        next if !$dotted && $cte{$name};
        next if $word =~ /^(?:from|join|using)$/ && $call;      # a function
        next if $word eq 'into' && $name =~ /^(?:l_\w+|new)$/;  # a variable
        next if $word eq 'from' && $name =~ /^(?:where|l_\w+)$/;
        next if $word eq 'update' && $name =~ /^(?:of|set|skip)$/;
        push @bad, "$word $name" . ($dotted // '');
    }
    return @bad;
}

# Every tenant's table in a statement is tied to the company that was given,
# itself or through another that is.
sub loose {
    my ($text, $tenant) = @_;

    $text = bare($text);
    my %alias;
    while ($text =~ /\b(?:from|join|update|using|,)\s+(?:only\s+|lateral\s+)?
                     ezw[.](\w+)\s+(?:as\s+)?(\w+)/gx)
    {
        $alias{$2} = $1 if $tenant->{$1};
    }

    my %tied;
    my @pair;
    while ($text =~ /\b(\w+)[.]company\s*=\s*(?:($given)|(\w+)[.]company\b)/g) {
        if (defined $2) { $tied{$1} = 1 } else { push @pair, [$1, $3] }
    }
    for (1 .. @pair) {
        for my $pair (@pair) {
            my ($one, $other) = @$pair;
            $tied{$one} = $tied{$other} = 1 if $tied{$one} || $tied{$other};
        }
    }
    my @bad = map { "$alias{$_} $_ has no company" }
        grep { !$tied{$_} } sort keys %alias;

    # a row begins with the company, and that with the one given
    while ($text =~ /\binsert\s+into\s+ezw[.](\w+)\s*\((.*?)\)\s*
                     (values\s*\(|select\b(?:\s+distinct\b)?)\s*([^\s,]+(?:,\s*old[.]company\))?)/gsx)
    {
        my ($table, $columns, $value) = ($1, $2, $4);
        next if !$tenant->{$table};
        if ($columns !~ /^\s*company\b/) {
            push @bad, "insert into $table does not begin with company";
        } elsif ($value !~ /^$given$/ && !$tied{ ($value =~ /^(\w+)[.]company$/)[0] // '' }) {
            push @bad, "insert into $table of company $value";
        }
    }
    return @bad;
}

# A table that is reached without an alias escapes the rule above.
sub nameless {
    my $text = bare($_[0]);

    my @bad;
    while ($text =~ /\b(from|join|update|using)\s+ezw[.](\w+)\b(?!\s*\()(?:\s+(\w+))?/g) {
        my ($word, $table, $alias) = ($1, $2, $3 // 'where');
        push @bad, "$word ezw.$table has no alias"
            if $alias =~ /^(?:where|set|on|join|left|order|limit)$/;
    }
    return @bad;
}

# A parameter says its type where it stands.
sub uncast {
    my $text = bare($_[0]);

    my @bad = $text =~ /(?<![:\w])(:[a-zA-Z][\w.]*)(?![\w.]|::\w)/g;
    push @bad, $text =~ /([\$]\d+)/g;
    return map { "parameter $_" } @bad;
}

sub clean {
    my ($what, @bad) = @_;

    my %seen;
    @bad = grep { !$seen{$_}++ } @bad;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(!@bad, $what) || diag(join "\n", @bad);
}


# The rules know what they forbid --------------------------------------------

{
    my %tenant = (message => 1, conversation => 1);
    my @refused = (
        [\&session_state, 'set local work_mem = 1'],
        [\&session_state, "select set_config('a', 'b', true)"],
        [\&session_state, 'create temp table x ()'],
        [\&session_state, 'select pg_advisory_lock(1)'],
        [\&style, 'select * from ezw.x x'],
        [\&style, 'select m.* from ezw.message m'],
        [\&style, 'SELECT 1'],
        [\&unqualified, 'select m.id from message m'],
        [\&unqualified, 'select 1 from ezw.a a join public.b b on true'],
        [\&unqualified, 'update message set id = 1'],
        [\&unqualified, 'delete from message m'],
        [\&unqualified, 'insert into message (id) values (1)'],
        [\&loose, 'select m.id from ezw.message m where m.id = 1'],
        [\&loose, 'select m.id from ezw.message m join ezw.conversation v
            on v.id = m.conversation where m.company = :company::uuid'],
        [\&loose, 'select m.id from ezw.message m
            where m.company = :body.company::uuid'],
        [\&loose, "select m.id from ezw.message m
            -- where m.company = :company::uuid"],
        [\&loose, "select 'm.company = a_company' from ezw.message m"],
        [\&loose, 'update ezw.message m set id = 1 from ezw.conversation v
            where v.company = a_company'],
        [\&loose, 'insert into ezw.message (id, company) values (1, a_company)'],
        [\&loose, 'insert into ezw.message (company) values (l_other)'],
        [\&nameless, 'select id from ezw.message where id = 1'],
        [\&uncast, 'select :body.name'],
        [\&uncast, 'select :a::text, $1'],
    );
    for my $case (@refused) {
        my ($rule, $text) = @$case;
        ok(scalar $rule->($text, \%tenant), "refused: $text");
    }
    clean('and what they do not', map { $_->(<<'END', \%tenant) } \&session_state,
with gone as (
    delete from ezw.message m
    where m.company = :company::uuid
    returning m.id
)
select
    v.id,
    extract(epoch from v.created_at),
    'SET LOCAL $1 :x' as note
from ezw.conversation v
join ezw.message m
  on m.company = v.company
 and m.id is distinct from v.id
cross join gone
where v.company = :company::uuid
  and v.id = any (:path.x::uuid[]) -- SELECT * from x
for update of v skip locked
END
        \&style, \&unqualified, \&loose, \&nameless, \&uncast);
}


# The migrations -------------------------------------------------------------

my @schema = sort glob "$sql/schema/[0-9][0-9][0-9]_*.sql";
ok(scalar @schema, 'there are migrations');

my (%tenant, %function, %index);
for my $path (@schema) {
    my ($text, @functions) = functions(slurp($path));
    my $name = basename($path);
    my @bad;

    my $plain = bare($text);
    while ($plain =~ /\bcreate\s+table\s+(\S+)\s*\((.*?)\n\)/gs) {
        my ($table, $columns) = ($1, $2);
        push @bad, "table $table is not of ezw" if $table !~ s/^ezw[.]//;
        next if $deployment{$table};
        $tenant{$table} = 1;
        push @bad, "$table: company may be null or is missing"
            if $columns !~ /^\s*company\s+uuid\s+(?:not\s+null|primary\s+key)\b/m;
        push @bad, "$table: the primary key does not begin with company"
            if $columns !~ /^\s*primary\s+key\s*\(company\b/m
            && $columns !~ /^\s*company\s+uuid\s+primary\s+key\b/m;
    }
    while ($text =~ /((?:^--[^\n]*\n)*)^create\s+(unique\s+)?index\s+(\w+)/gm) {
        $index{$3} = $1 if !$2;
    }
    for my $f (@functions) {
        my ($function, $arguments, $head, $body) = @$f;
        $function{$function} = { arguments => $arguments, head => $head, body => $body };
    }
    push @bad, 'creates a function that this test cannot read'
        if $text =~ /\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\b/;
    clean("$name: tables", @bad);
}

for my $name (sort keys %function) {
    my ($arguments, $head, $body) = @{ $function{$name} }{qw(arguments head body)};
    my @bad = (session_state($body), style($body));

    push @bad, 'security definer without a search path of its own'
        if $head =~ /security definer/ && $head !~ /set search_path = pg_catalog\b/;
    push @bad, 'a setting without need'
        if $head !~ /security definer/ && $head =~ /^set /m;
    for my $statement (body_statements($body)) {
        push @bad, unqualified($statement);
        next if $every_company{$name};
        push @bad, loose($statement, \%tenant), nameless($statement);
        push @bad, 'reads a tenant without taking a_company first'
            if $head !~ /^returns trigger\b/ && $arguments !~ /^a_company uuid\b/
            && grep { $tenant{$_} } $statement =~ /\bezw[.](\w+)\b(?!\s*\()/g;
    }
    clean("function $name", @bad);
}


# The statements -------------------------------------------------------------

my %statement;
for my $path (sort glob "$sql/statements/*.sql") {
    my %here = statements($path);
    for my $name (keys %here) {
        ok(!$statement{$name}, "there is one statement $name");
        $statement{$name} = $here{$name};
    }
}
ok(scalar keys %statement, 'there are statements');

for my $name (sort keys %statement) {
    my $text = $statement{$name};
    my @bad = (session_state($text), style($text), unqualified($text),
               uncast($text), nameless($text));

    push @bad, loose($text, \%tenant) if !$every_company{$name};

    # a function that serves one company is given that first: the gate's, or
    # one of those that it found for the key; what a look-up before it found; a
    # new one
    my $plain = bare($text);
    $plain =~ s{\bezw[.](?:company_chosen|key_company)\(:company::uuid,
                \s:key[.]companies::uuid\[\],\s(?:[^()]|\([^()]*\))*\)}
               {:company::uuid}gx;
    while ($plain =~ /\bezw[.](\w+)\s*\(\s*([^\s,)]*)/g) {
        my ($function, $first) = ($1, $2);
        next if !$function{$function};
        push @bad, "$function is given $first"
            if $function{$function}{arguments} =~ /^a_company\b/
            && $first !~ /^:(?:(?:lookup|id)[.])?company::uuid$/
            && !$every_company{$name};
    }
    clean("statement $name", @bad);
}

for my $name (sort keys %every_company) {
    ok($statement{$name} || $function{$name}, "$name, which is excepted, is there");
}

for my $name (sort keys %index) {
    my @users = grep { $statement{$_} || $function{$_} } $index{$name} =~ /(\w+)/g;
    ok(scalar @users, "index $name names the statement that needs it");
}


# The catalog ----------------------------------------------------------------

if (!$ENV{EZW_T}) {
    note('no server: ./ezw test sql_lint asks the catalog too');
    done_testing();
    exit;
}

require EZW::Postgres;
my $postgres = EZW::Postgres->shared;
$postgres->create_database('t_sql_lint');
my $dbh = $postgres->dbh('t_sql_lint');

# A parameter's place: the same each time that it is named.
sub numbered {
    my ($number, $parameter) = @_;

    my $next = 1 + keys %$number;
    return $number->{$parameter} //= $next;
}

my $keys = $dbh->selectall_hashref(<<'END', 'name');
select
    c.relname as name,
    (
        select a.attname
        from pg_catalog.pg_index i
        join pg_catalog.pg_attribute a
          on a.attrelid = i.indrelid
         and a.attnum = i.indkey[0]
        where i.indrelid = c.oid
          and i.indisprimary
    ) as first
from pg_catalog.pg_class c
where c.relnamespace = 'ezw'::regnamespace
  and c.relkind in ('r', 'p')
END
for my $table (sort keys %$keys) {
    my $first = $keys->{$table}{first} // 'nothing';

    if ($deployment{$table}) {
        isnt($first, 'nothing', "$table has a primary key");
    } else {
        is($first, 'company', "the primary key of $table begins with company");
    }
}
is_deeply([sort grep { !$keys->{$_} } keys %tenant], [],
          'the text and the catalog know the same tables');

for my $name (sort keys %statement) {
    my ($text, %number) = ($statement{$name});

    $text =~ s/--[^\n]*//g;
    $text =~ s/;\s*\z//;
    $text =~ s{('(?:[^']|'')*'|"[^"]*"|::)|:([a-zA-Z][\w.]*)}
              {$1 // '$' . numbered(\%number, $2)}ge;
    ok(eval { $dbh->do("prepare lint_$name as $text", { pg_direct => 1 }); 1 },
       "$name can be prepared") or diag($@);
}

done_testing();

#!/usr/bin/perl
# From $BENCH/raw* to a table of ratios, or JSON: JSON(yes|no) ROUNDS SECONDS
# KEY_BYTES READ_BYTES [PEER]. A ratio is the median of the rounds' ratios.
#
# A line of "ratios" has a goal and a floor. Marks: goal (reached), floor (that
# only), below; "-" where nothing was asked for.

use strict;
use warnings;

use JSON::PP;
use List::Util qw(max min sum0);

my ($as_json, $rounds, $seconds, $key_bytes, $read_bytes, $peer) = @ARGV;

my @columns = qw(per_second p50_us p99_us cpu_us errors);

# {class}{what}{round} => {column => value}
my %raw;
for my $line (lines('raw')) {
    my ($round, $class, $what, @values) = split /\t/, $line;
    my %row;
    @row{@columns} = @values;
    $raw{$class}{$what}{$round} = \%row;
}

my %names = (
    plain     => 'nginx return 200',
    endpoint  => 'ngx_ezw',
    peer      => $peer || 'Fastify',
    statement => 'pgbench, our statement',
    pipeline  => 'pgbench, 32 of it in a pipeline',
    anchor    => 'pgbench, anchor',
    alone     => 'key at 30 % of its capacity',
    beside    => 'the same beside the sign-ins',
    small     => '10,000 contacts, 10,000 messages',
    large     => '1,000,000 contacts, 10,000,000 messages',
);
my %anchors = (read => 'pgbench, row by primary key',
               page => 'pgbench, serial key and an index',
               send => 'pgbench, bare insert into message');
my %requests = (
    key    => 'GET /v3/keys/current',
    read   => 'GET .../contacts/{jid}, 100,000 contacts',
    page   => 'GET .../messages/{jid}?limit=50, 1,000,000 messages of 10,000 conversations',
    list   => 'GET .../contacts?limit=50, 10,000 contacts of the channel',
    conversation => 'GET .../conversations/{jid}',
    note   => 'POST .../contacts/{jid}/notes',
    send   => 'POST .../messages/{jid}, text, 10,000 conversations, courier off',
    update => 'PATCH .../conversations/{jid}, status and unreadCount in turn',
    'sign-in' => 'POST /api/auth/login, 3 a second, open loop; so is key',
);


# Figures -------------------------------------------------------------------

sub lines {
    my ($name) = @_;

    open my $in, '<', "$ENV{BENCH}/$name" or return;
    chomp(my @lines = <$in>);
    return @lines;
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return undef if !@sorted;
    return @sorted % 2 ? $sorted[$#sorted / 2]
        : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}

sub column {
    my ($by_round, $column) = @_;

    return map { $by_round->{$_}{$column} } sort { $a <=> $b } keys %$by_round;
}

# The rounds of WHAT; of pgbench those with the best number of clients.
sub best {
    my ($class, $what) = @_;

    my ($best, $top, $name) = (undef, -1, undef);
    for my $key (keys %{ $raw{$class} || {} }) {
        next if $key !~ /^\Q$what\E(?: |\z)/;
        my $median = median(column($raw{$class}{$key}, 'per_second'));
        ($best, $top, $name) = ($raw{$class}{$key}, $median, $key)
            if $median > $top;
    }
    return wantarray ? ($best, $name) : $best;
}

# The median over the rounds of what SUB makes of the rows of WHAT...
sub over_rounds {
    my ($sub, @pairs) = @_;

    my @series = map { scalar best(@$_) } @pairs;
    return undef if grep { !defined } @series;
    my @values;
    for my $round (keys %{ $series[0] }) {
        my @rows = map { $_->{$round} } @series;
        next if grep { !defined } @rows;
        push @values, grep { defined } $sub->(@rows);
    }
    return median(@values);
}

# The ratio of one COLUMN of A to that of B, each [class, what].
sub ratio {
    my ($column, $a, $b) = @_;

    return over_rounds(sub {
        return $_[1]{$column} > 0 ? $_[0]{$column} / $_[1]{$column} : undef;
    }, $a, $b);
}


# Ratios --------------------------------------------------------------------

my @ratios;

# A goal with "<" before it is an upper bound.
sub ask {
    my ($class, $text, $got, $goal, $floor) = @_;

    return if !defined $got;
    my $upper = defined $goal && $goal =~ s/^<//;
    my $reaches = sub { $upper ? $got <= $_[0] : $got >= $_[0] };
    my $mark = !defined $goal ? '-'
        : $reaches->($goal) ? 'goal'
        : defined $floor && $reaches->($floor) ? 'floor'
        : 'below';
    push @ratios, {
        class => $class, what => $text, got => 0 + sprintf('%.4f', $got),
        bound => $upper ? 'at most' : 'at least',
        goal => defined $goal ? 0 + $goal : undef,
        floor => defined $floor ? 0 + $floor : undef,
        mark => $mark,
    };
    return;
}

ask('key', "of nginx return 200, $key_bytes bytes",
    ratio('per_second', ['key', 'endpoint'], ['key', 'plain']), 0.90, 0.85);
ask('key', 'server CPU, of nginx return 200',
    ratio('cpu_us', ['key', 'endpoint'], ['key', 'plain']));
ask('key', 'server CPU, of Fastify',
    ratio('cpu_us', ['key', 'endpoint'], ['key', 'peer']), '<0.45');
ask('key', 'x Fastify',
    ratio('per_second', ['key', 'endpoint'], ['key', 'peer']));

my $composed = sub {
    my ($plain, $pipeline) = map { $_->{per_second} } @_;
    return $plain && $pipeline ? 1 / (1 / $plain + 1 / $pipeline) : undef;
};
ask('read', "of 1/(1/return 200 of $read_bytes bytes + 1/pipeline)",
    over_rounds(sub {
        my ($ours, @limits) = @_;
        my $limit = $composed->(@limits) or return undef;
        return $ours->{per_second} / $limit;
    }, ['read', 'endpoint'], ['read', 'plain'], ['read', 'pipeline']),
    0.85, 0.75);
ask('read', 'of pgbench, our statement, one by one',
    ratio('per_second', ['read', 'endpoint'], ['read', 'statement']),
    0.95, 0.85);
ask('read', 'x Fastify',
    ratio('per_second', ['read', 'endpoint'], ['read', 'peer']), 2.2, 2.0);
ask('read', 'p99, of Fastify',
    ratio('p99_us', ['read', 'endpoint'], ['read', 'peer']), '<0.3333');
ask('read', 'anchor: our statement, of one row by primary key',
    ratio('per_second', ['read', 'statement'], ['read', 'anchor']), 0.8);

ask('page', 'of pgbench, our statement',
    ratio('per_second', ['page', 'endpoint'], ['page', 'statement']),
    0.90, 0.80);
ask('page', 'anchor: our statement, of serial key and an index',
    ratio('per_second', ['page', 'statement'], ['page', 'anchor']), 0.95, 0.9);
ask('list', 'of pgbench, our statement',
    ratio('per_second', ['list', 'endpoint'], ['list', 'statement']),
    0.90, 0.80);
ask('conversation', 'of pgbench, our statement, one by one',
    ratio('per_second', ['conversation', 'endpoint'],
          ['conversation', 'statement']), 0.95, 0.85);
ask('note', 'x pgbench, our function, own transaction each',
    ratio('per_second', ['note', 'endpoint'], ['note', 'statement']),
    1.4, 1.2);

ask('send', 'x pgbench, our function, own transaction each',
    ratio('per_second', ['send', 'endpoint'], ['send', 'statement']), 1.5, 1.3);
ask('send', 'x Fastify',
    ratio('per_second', ['send', 'endpoint'], ['send', 'peer']), 2.8, 2.2);
ask('send', 'anchor: our function, of a bare insert into message',
    ratio('per_second', ['send', 'statement'], ['send', 'anchor']), 0.5);

ask('update', 'x pgbench, our function, own transaction each',
    ratio('per_second', ['update', 'endpoint'], ['update', 'statement']),
    1.4, 1.2);
ask('update', 'x Fastify',
    ratio('per_second', ['update', 'endpoint'], ['update', 'peer']));

ask($_, 'p99 of the large company, of that of the small one',
    ratio('p99_us', [$_, 'large'], [$_, 'small']), '<2')
    for qw(read page list conversation update note send);

ask('sign-in', 'p99 of key beside sign-ins, of that of key alone',
    ratio('p99_us', ['sign-in', 'beside'], ['sign-in', 'alone']), '<1.3', 2);

my @sign_ins = map {
    my ($count, $p50, $longest) = split;
    { count => 0 + $count, p50_ms => $p50 / 1000,
      longest_ms => $longest / 1000 }
} lines('raw.sign-in');

my @workers = map {
    my ($first, $more, $rss0, $rss1, $anon0, $anon1) = split;
    { after => 0 + $first, more => 0 + $more,
      rss_kb => [$rss0 + 0, $rss1 + 0], private_kb => [$anon0 + 0, $anon1 + 0] }
} lines('raw.steady');
if (@workers) {
    ask('steady', sprintf('MB that a worker grew by, %s requests after the first %s',
                          thousands($workers[0]{more}),
                          thousands($workers[0]{after})),
        max(map { $_->{rss_kb}[1] - $_->{rss_kb}[0] } @workers) / 1024, '<1');
}

my @instructions = map {
    my ($class, $tool, $count) = split;
    { class => $class, tool => $tool, per_request => 0 + $count }
} lines('raw.instructions');


# Output --------------------------------------------------------------------

my @order = grep { $raw{$_} }
    qw(key read page list conversation send update note sign-in);
my @figures;
for my $class (@order) {
    for my $what (qw(plain anchor statement pipeline peer endpoint
                     alone beside small large))
    {
        my ($by_round, $name) = best($class, $what);
        next if !$by_round;
        my ($clients) = $name =~ / (.*)/;
        my @per_second = column($by_round, 'per_second');
        push @figures, {
            class => $class, what => $what,
            name => $what eq 'anchor' ? $anchors{$class} : $names{$what},
            clients => $clients,
            per_second => 0 + sprintf('%.0f', median(@per_second)),
            least => 0 + sprintf('%.0f', min(@per_second)),
            most => 0 + sprintf('%.0f', max(@per_second)),
            p50_ms => ms($by_round, 'p50_us'), p99_ms => ms($by_round, 'p99_us'),
            cpu_us => 0 + sprintf('%.2f', median(column($by_round, 'cpu_us'))),
            errors => sum0(column($by_round, 'errors')),
        };
    }
}

sub ms {
    my ($by_round, $column) = @_;

    my $us = median(column($by_round, $column));
    return $us ? 0 + sprintf('%.3f', $us / 1000) : undef;
}

sub thousands {
    my $text = reverse sprintf '%.0f', $_[0];
    $text =~ s/(\d{3})(?=\d)/$1,/g;
    return scalar reverse $text;
}

if ($as_json eq 'yes') {
    print JSON::PP->new->canonical->pretty->encode({
        rounds => 0 + $rounds, seconds => 0 + $seconds,
        cores => 0 + `nproc`, courier => 'off',
        figures => \@figures, ratios => \@ratios,
        sign_ins => \@sign_ins, memory => \@workers,
        instructions => \@instructions,
    });
    exit;
}

sub shown { return defined $_[0] ? $_[0] : '' }

if (@figures) {
    printf "medians of %s rounds of %s s; wrk -t1 -c64, 2 workers each, %s cores\n",
        $rounds, $seconds, `nproc` =~ s/\s//r;
    print "Postgres: fsync on, autovacuum off; no access log; ",
        "server CPU: nginx or Node, and Postgres\n";
    my $last = '';
    for my $f (@figures) {
        if ($f->{class} ne $last) {
            $last = $f->{class};
            printf "\n%-60s %9s %19s %7s %7s %7s\n",
                $last, 'a second', 'least-most', 'p50 ms', 'p99 ms', 'CPU us';
            print "  $requests{$last}\n";
        }
        my ($clients, $threads) = split /:/, $f->{clients} // '';
        printf "  %-58s %9s %19s %7s %7s %7s%s\n",
            $f->{name} . (defined $clients
                          ? " ($clients clients" . ($threads > 1 ? ", $threads threads)" : ')')
                          : ''),
            thousands($f->{per_second}),
            thousands($f->{least}) . '-' . thousands($f->{most}),
            shown($f->{p50_ms}), shown($f->{p99_ms}),
            sprintf('%.1f', $f->{cpu_us}),
            $f->{errors} ? "  ($f->{errors} errors)" : '';
    }
    print "\n";
}

if (@sign_ins) {
    printf "%s sign-ins; of each round the median %.0f ms, the longest %.0f ms\n\n",
        sum0(map { $_->{count} } @sign_ins),
        median(map { $_->{p50_ms} } @sign_ins),
        median(map { $_->{longest_ms} } @sign_ins);
}

if (@workers) {
    print "memory of each worker, MB\n";
    for my $w (@workers) {
        printf "  resident %.1f, then %.1f; private %.1f, then %.1f\n",
            map { $_ / 1024 } @{ $w->{rss_kb} }, @{ $w->{private_kb} };
    }
    print "\n";
}

if (@instructions) {
    print "instructions a request, nginx only, by $instructions[0]{tool}\n";
    printf "  %-8s %9s\n", $_->{class}, thousands($_->{per_request})
        for @instructions;
    print "\n";
}

if (@ratios) {
    printf "%-12s %-56s %6s %7s %6s\n", 'ratio', '', 'got', 'goal', 'floor';
    for my $r (@ratios) {
        my $sign = $r->{bound} eq 'at most' ? '<=' : '';
        printf "%-12s %-56s %6.2f %7s %6s  %s\n", $r->{class}, $r->{what}, $r->{got},
            defined $r->{goal} ? $sign . sprintf('%.2f', $r->{goal}) : '',
            defined $r->{floor} ? sprintf('%.2f', $r->{floor}) : '',
            $r->{mark};
    }
}

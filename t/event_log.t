# The event log: whoever reads it in the order of its positions misses nothing,
# in whatever order transactions get their ids, their sequence numbers and
# their commits. The statement is the module's own.

use EZW;

# A cluster of its own: any transaction of a cluster holds the log up.
my $t = EZW->start(postgres => EZW->private_postgres);
my $demo = $t->demo;

# The text of a named statement, with its parameters as $1, $2, ...
sub statement {
    my ($name, @order) = @_;

    my ($text) = slurp("$EZW::ROOT/ngx_ezw_module/sql/statements/events.sql")
        =~ /^-- name: \Q$name\E\n(.*?)(?=^-- name:|\z)/ms or die $name;
    $text =~ s/^--.*\n//gm;
    $text =~ s/;\s*\z//;
    for my $i (0 .. $#order) {
        $text =~ s/(?<!:):\Q$order[$i]\E(?=::)/'$' . ($i + 1)/ge;
    }
    die "a parameter is left: $text" if $text =~ /(?<!:):[a-z]/;
    return $text;
}

my $after = statement('events_after', 'xid', 'seq', 'limit');
my $position = statement('event_position');

# Who reads, page by page, as the runtime role.
my $reader = $t->{postgres}->dbh($t->{dbname});
$reader->do('set role ezw_app');

sub begin_reading {
    my $row = $reader->selectrow_hashref($position);
    return { xid => $row->{xid}, seq => $row->{seq}, seen => [] };
}

sub read_on {
    my ($at, $limit) = @_;

    my @new;
    while (1) {
        my $rows = $reader->selectall_arrayref($after, { Slice => {} },
                                               @$at{qw(xid seq)}, $limit);
        push @new, @$rows;
        last if !@$rows;
        @$at{qw(xid seq)} = @{ $rows->[-1] }{qw(xid seq)};
    }
    push @{ $at->{seen} }, @new;
    return [map { $_->{kind} } @new];
}

# What is read next: that, as soon as nobody else's transaction is open.
sub is_next {
    my ($at, $limit, $want, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @got;
    eval {
        wait_for(sub {
            push @got, @{ read_on($at, $limit) };
            return @got >= @$want;
        }, 5);
    };
    return is_json(\@got, $want, $name);
}

sub writer {
    my $dbh = $t->{postgres}->dbh($t->{dbname});
    $dbh->begin_work;
    return $dbh;
}

sub write_event {
    my ($dbh, $kind) = @_;
    $dbh->do('insert into ezw.event (company, kind) values (?, ?)', undef,
             $demo->{company}, $kind);
    return;
}

sub get_xid {
    my ($dbh) = @_;
    return ($dbh->selectrow_array('select pg_current_xact_id()::text'))[0];
}

# the later transaction writes first and commits last
my $at = begin_reading();
my $older = writer();
my $older_xid = get_xid($older);
my $later = writer();
cmp_ok(get_xid($later), '>', $older_xid, 'the later one has the later id');
write_event($later, 'first seq, last commit');
write_event($older, 'second seq, first commit');
is_json(read_on($at, 10), [], 'nothing is committed');
$older->commit;
is_next($at, 10, ['second seq, first commit'], 'the older one');
is_json(read_on($at, 10), [], 'and no other');
$later->commit;
is_next($at, 10, ['first seq, last commit'],
        'the later one is not lost, though its seq is smaller');

# the earlier transaction commits last: what came after it has to wait
$at = begin_reading();
$older = writer();
get_xid($older);
$later = writer();
write_event($older, 'older');
write_event($later, 'later');
$later->commit;
is_json(read_on($at, 10), [], 'behind an open one nothing is told');
$older->commit;
is_next($at, 1, ['older', 'later'], 'then both, in order');

# one that never writes an event, and one that is rolled back, hold up only
# while they are open
$older = writer();
get_xid($older);
$later = writer();
write_event($later, 'behind an idle one');
$later->commit;
is_json(read_on($at, 10), [], 'an idle transaction holds up');
write_event($older, 'never was');
$older->rollback;
is_next($at, 10, ['behind an idle one'], 'until it ends');

# any order at all, with subtransactions, by random steps
$at = begin_reading();
srand 1;
my @writers;
my ($written, %committed) = (0);
for my $step (1 .. 600) {
    my $n = int rand 6;
    my $w = $writers[$n];
    my $what = rand;
    if (!$w) {
        $writers[$n] = { dbh => writer(), kinds => [] };
        get_xid($writers[$n]{dbh}) if rand() < 0.5;
    } elsif ($what < 0.5) {
        my $kind = 'event ' . ++$written;
        my $inner = rand() < 0.3;
        $w->{dbh}->do('savepoint s') if $inner;
        write_event($w->{dbh}, $kind);
        if ($inner && rand() < 0.5) {
            $w->{dbh}->do('rollback to savepoint s');
        } else {
            push @{ $w->{kinds} }, $kind;
        }
    } elsif ($what < 0.8) {
        $w->{dbh}->commit;
        @committed{ @{ $w->{kinds} } } = ();
        delete $writers[$n];
    } elsif ($what < 0.9) {
        $w->{dbh}->rollback;
        delete $writers[$n];
    }
    read_on($at, 1 + int rand 5) if $step % 3 == 0;
}
for my $w (grep { $_ } @writers) {
    $w->{dbh}->commit;
    @committed{ @{ $w->{kinds} } } = ();
}
@writers = ();
wait_for(sub {
    read_on($at, 7);
    return @{ $at->{seen} } >= keys %committed;
}, 5, 'the rest');
cmp_ok(scalar(keys %committed), '>', 100, 'many events');
is_json([sort map { $_->{kind} } @{ $at->{seen} }], [sort keys %committed],
        'each is read, and once');
my @positions = map { [@$_{qw(xid seq)}] } @{ $at->{seen} };
is_json([map { join ',', @$_ } @positions],
        [map { join ',', @$_ } sort {
            $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @positions],
        'in the order of their positions');

# sends of the module, while other transactions come and go
$at = begin_reading();
my @contacts = map { $t->contact_jid } 1 .. 10;
my $load = $t->load(clients => 8, request => sub {
    my ($n) = @_;
    return [POST => "/v3/channels/$demo->{channel}/messages/"
                . $contacts[$n % 10], key => $demo->{key}{COMPANY},
            json => { type => 'text', body => "message $n" }];
});
for my $n (1 .. 15) {
    my $open = writer();
    get_xid($open);
    my $sent = $t->value('select count(*) from ezw.message');
    wait_for(sub {
        read_on($at, 20);
        return $t->value('select count(*) from ezw.message') > $sent + 20;
    }, 10, 'sends');
    $n % 2 ? $open->commit : $open->rollback;
}
my %acknowledged = map { $_->json->{id} => 1 }
    grep { $_->status == 201 } $load->stop;
wait_for(sub { !$t->value('select count(*) from ezw.outbox') }, 20,
         'the couriers are through');
wait_for(sub {
    read_on($at, 100);
    return @{ $at->{seen} } == $t->value(
        'select count(*) from ezw.event where xid >= ?::text::xid8',
        $at->{seen}[0]{xid});
}, 10, 'all is read');
my %times;
$times{"$_->{kind} $_->{message}"}++
    for grep { $_->{kind} eq 'message.sent' } @{ $at->{seen} };
is(scalar(grep { ($times{"message.sent $_"} // 0) != 1 } keys %acknowledged),
   0, 'each send is told once');
is(scalar(grep { $_->{kind} eq 'message' } @{ $at->{seen} }),
   scalar(keys %acknowledged), 'each answer too');
is(scalar(grep { $_->{kind} eq 'receipt' } @{ $at->{seen} }),
   2 * keys %acknowledged, 'SENT and DELIVERED of each');

done_testing;

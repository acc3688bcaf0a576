# Small queues before a database that is held up: what does not fit is refused
# at once, what waits is served later or refused in time.

use EZW;
use IO::Select;
use EZW::Stall;
use Time::HiRes qw(time);

my $t = EZW->start(workers => 1, http => 'ezw_courier off;
    ezw_lane read queue=5;
    ezw_lane write queue=3;
    ezw_lane single queue=2;',
    # the role's own limits would end these waits too soon
    limits => { lock_timeout => '60s' });
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $base = "/v3/channels/$demo->{channel}";
my @contacts = map { $t->contact_jid } 1 .. 20;
my $id = qr/^[0-9a-f]{40}$/;

for (@contacts) {
    $t->http(POST => "$base/messages/$_", key => $key,
             json => { type => 'text', body => 'first' })->status == 201
        or die;
}

sub waiting {
    return $t->value(q{select count(*) from pg_stat_activity
                        where usename = 'ezw_app' and wait_event_type = 'Lock'
                          and datname = current_database()});
}

# Those of the clients that have an answer, and the others.
sub answered {
    my (@clients) = @_;
    my %ready = map { $_ => 1 } IO::Select->new(map { $_->{socket} } @clients)
        ->can_read(0);
    return ([grep { $ready{ $_->{socket} } } @clients],
            [grep { !$ready{ $_->{socket} } } @clients]);
}

# Begins requests one after the other, each on a connection of its own.
sub begin {
    my (@requests) = @_;
    return map {
        my ($method, $path, @options) = @$_;
        my $client = $t->client;
        $client->send_request($method, $path, @options);
        $client;
    } @requests;
}

sub send_to {
    my ($contact) = @_;
    return [POST => "$base/messages/$contact", key => $key,
            json => { type => 'text', body => 'later' }];
}

sub read_of { return [GET => "$base/contacts/$_[0]", key => $key] }

for my $lane ([write => \&send_to, 3, 201, 'ezw.conversation'],
              [read => \&read_of, 5, 200, 'ezw.contact'])
{
    my ($name, $request, $room, $good, $table) = @$lane;

    my $other = $t->{postgres}->dbh($t->{dbname});
    $other->begin_work;
    $other->do("lock table $table in access exclusive mode");
    my @held = begin($request->($contacts[0]));
    wait_for(\&waiting, 5, "$name: one is held up");
    my @clients = begin(map { $request->($contacts[$_]) } 1 .. 19);
    wait_for(sub { @{ (answered(@clients))[0] } >= 19 - $room }, 5,
             "$name: what does not fit is refused");
    my ($refused, $queued) = answered(@clients);
    is(scalar(@$queued), $room, "$name: at once: as many wait as may");
    for my $r (map { $_->read_response('') } @$refused) {
        is_refused($r, 503, 1003, { message => qr/overloaded/ },
                   "$name: refused");
        is($r->header('retry-after'), 1, "$name: Retry-After");
    }
    is($t->http(GET => '/healthz')->status, 200, "$name: alive");
    $other->rollback;

    is(scalar(grep { $_->read_response('')->status == $good } @held, @$queued),
       1 + $room, "$name: what waited is served");
    is(scalar(grep { $_->status == $good } $t->parallel(
        map { $request->($contacts[$_]) } 1 .. $room)), $room,
       "$name: and then all is well");
}

# nothing moves: the lane's time is up for the one in flight and those behind
$t->write_config(slurp("$t->{dir}/nginx.conf")
                     =~ s/(ezw_lane \w+ queue=\d)/$1 timeout=4s/gr);
$t->reload(wait_old => 1);
wait_for(sub { $t->http(GET => '/readyz')->status == 200 }, 5, 'other settings');
for my $lane ([write => \&send_to, 3, 201, 'ezw.conversation'],
              [read => \&read_of, 5, 200, 'ezw.contact'])
{
    my ($name, $request, $room, $good, $table) = @$lane;

    my $other = $t->{postgres}->dbh($t->{dbname});
    $other->begin_work;
    $other->do("lock table $table in access exclusive mode");
    my ($began, $stall) = (time, EZW::Stall->start($t));
    my @clients = begin($request->($contacts[0]));
    wait_for(\&waiting, 5, "$name: one is held up");
    push @clients, begin(map { $request->($contacts[$_]) } 1 .. $room);
    my @responses = map { $_->read_response('') } @clients;
    is(scalar(grep { $_->status == 503
                         && $_->header('retry-after') eq '1' } @responses),
       1 + $room, "$name: all are refused when the time is up")
        or diag map { $_->as_text . "\n" } @responses;
    cmp_ok(time - $began, '>', 3, "$name: not before");
    cmp_ok(time - $began, '<', 4 + 3 * $EZW::Expect::PATIENCE + $stall->seconds,
           "$name: in time");
    $other->rollback;
    wait_for(sub { !waiting() }, 5, 'nothing waits any more');
    is(($t->parallel($request->($contacts[0])))[0]->status, $good,
       "$name: and then all is well");
}

done_testing;

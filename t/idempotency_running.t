# While a request with an idempotency key is running, others with its key are
# told so at once, on every worker and node; and whatever becomes of that one,
# its worker, its client or its connection to the database, no later request is
# told so for nothing, and it is done once.
# sanitizers

use EZW;
use EZW::PgProxy;

# Each worker has a queue of its own for new connections, and says who it is.
my $config = <<'CONFIG';
%%MAIN%%
events {
    worker_connections  1024;
}
http {
    %%HTTP%%
    server {
        listen 127.0.0.1:%%PORT%% reuseport;
        add_header X-Pid $pid always;
        %%LOCATIONS%%
    }
}
CONFIG
my %lanes = (http => 'ezw_courier off;
    ezw_lane write timeout=30s;
    ezw_lane single timeout=30s;');

# what is held here waits for as long as the test wants
my $t = EZW->start(start => 0, config => $config, allow_kill => 1, %lanes);
for my $limit (qw(lock_timeout statement_timeout)) {
    $t->sql("alter role ezw_app in database $t->{dbname} set $limit = '60s'");
}
$t->launch;
my $other = EZW->start(like => $t, %lanes);
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $path = "/v3/channels/$demo->{channel}/messages/$demo->{contact}";
my $id = qr/^[0-9a-f]{40}$/;
my %running = (message => qr/Idempotency-Key is still running/);
my $n = 0;

is($t->http(POST => $path, key => $key,
            json => { type => 'text', body => 'first' })->status, 201,
   'a conversation');

# A send with an idempotency key, the same for the same key.
sub request {
    my ($token) = @_;
    return (POST => $path, key => $key,
            json => { type => 'text', body => $token },
            headers => { 'Idempotency-Key' => $token });
}

sub send_with { return $_[0]->http(request($_[1])) }

# A connection to each worker: pid => [clients].
sub connections {
    my ($each) = @_;
    my %of = map { $_ => [] } $t->worker_pids;
    for (1 .. 200) {
        last if !grep { @$_ < $each } values %of;
        my $client = $t->client;
        my $pid = $client->request(GET => '/v3/keys/current', key => $key)
            ->header('x-pid');
        push @{ $of{$pid} }, $client if $of{$pid} && @{ $of{$pid} } < $each;
    }
    return %of;
}

sub on { my ($client, $token) = @_; return $client->request(request($token)) }

# Backends of nginx that wait for a lock.
sub waiting {
    return map { $_->[0] } $t->sql(
        q{select pid from pg_stat_activity
           where usename = 'ezw_app' and wait_event_type = 'Lock'
             and datname = current_database()});
}

sub busy {
    return $t->value(q{select count(*) from pg_stat_activity
                        where usename = 'ezw_app' and state <> 'idle'
                          and datname = current_database()});
}

# Holds up every send to the contact until rollback.
sub hold {
    my $dbh = $t->{postgres}->dbh($t->{dbname});
    $dbh->begin_work;
    $dbh->do('select from ezw.conversation where contact_jid = ? for update',
             undef, $demo->{contact});
    return $dbh;
}

sub sent {
    return $t->value(q{select count(*) from ezw.message
                        where body->>'body' = ?}, $_[0]);
}

sub is_running {
    my ($r, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_refused($r, 409, 1014, \%running, $name);
    is($r->header('retry-after'), 1, "$name: Retry-After");
    return is($r->header('idempotency-replayed'), undef, "$name: no replay");
}

# The first answer, or, with one in FIRST, that one again.
sub is_done {
    my ($r, $first, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_answer($r, 201, { id => $first ? $first->json->{id} : $id }, $name);
    return is($r->header('idempotency-replayed'), $first ? 'true' : undef,
              $first ? "$name: a replay" : "$name: the first");
}


# The same worker, another one, another node.

my %of = connections(2);
my ($mine, $his) = sort keys %of;
my $token = 'token ' . ++$n;
my $hold = hold();
my $first = $of{$mine}[0];
$first->send_request(request($token));
wait_for(sub { waiting() == 1 }, 20, 'the first waits');
for my $try (1, 2) {
    is_running(on($of{$mine}[1], $token), "the same worker, $try");
    is_running(on($of{$his}[0], $token), "another worker, $try");
    is_running(send_with($other, $token), "another node, $try");
}
is(scalar(waiting()), 1, 'none of them waits');
$hold->rollback;
my $answer = $first->read_response('POST');
is_done($answer, undef, 'the first');
is_done(on($of{$mine}[1], $token), $answer, 'then the same worker');
is_done(on($of{$his}[0], $token), $answer, 'then another worker');
is_done(send_with($other, $token), $answer, 'then another node');
is(sent($token), 1, 'one message');

# what shared memory knows, it says without the database
my $locked = $t->{postgres}->dbh($t->{dbname});
$locked->begin_work;
$locked->do('lock table ezw.idempotency in access exclusive mode');
my $waits = $t->client;
$waits->send_request(request($token . ', another'));
wait_for(sub { waiting() == 1 }, 20, 'one waits for the database');
is_running(send_with($t, $token . ', another'), 'meanwhile another');
$locked->rollback;
is_done($waits->read_response('POST'), undef, 'it waited');


# What has been done is never running, however many ask at once.

my @all = EZW::Load::parallel([map { [request($token)] } 1 .. 1000],
                              clients => 40, timeout => 60,
                              port => [$t->port, $other->port]);
is(scalar(grep { $_->status == 201
                     && $_->json->{id} eq $answer->json->{id}
                     && $_->header('idempotency-replayed') } @all),
   1000, 'a thousand replays, forty at once');
is(sent($token), 1, 'one message');


# The client leaves: its request goes on, and who asks again hears of it.

$token = 'token ' . ++$n;
$hold = hold();
%of = connections(2);
my $leaver = $of{$mine}[0];
$leaver->send_request(request($token));
wait_for(sub { waiting() == 1 }, 20, 'one waits');
my $gone = () = $t->access_log =~ /^499 /gm;
$leaver->reset;
wait_for(sub { $gone < (() = $t->access_log =~ /^499 /gm) }, 20,
         'nginx has noticed');
is_running(on($of{$his}[0], $token), 'its client has left: another worker');
is_running(send_with($other, $token), 'its client has left: another node');
$of{$mine}[1]->send_request(request($token));
$hold->rollback;
$answer = $of{$mine}[1]->read_response('POST');
is($answer->status, 201, 'its client has left: the same worker');
is($answer->header('idempotency-replayed'), 'true', 'it is what was done');
is_done(on($of{$his}[0], $token), $answer, 'then another worker');
is_done(send_with($other, $token), $answer, 'then another node');
is(sent($token), 1, 'one message');


# Somebody who was told that it is running has not used the key: it may stand
# for another request when that one comes to nothing.

$token = 'token ' . ++$n;
$hold = hold();
$leaver = $other->client;
$leaver->send_request(request($token));
my ($backend) = @{ wait_for(sub {
    my @pids = waiting();
    return @pids == 1 && \@pids;
}, 20, 'one waits') };
is_running(send_with($t, $token), 'running elsewhere');
$gone = () = $other->access_log =~ /^499 /gm;
$leaver->reset;
wait_for(sub { $gone < (() = $other->access_log =~ /^499 /gm) }, 20,
         'nginx has noticed');
$t->sql('select pg_terminate_backend(?)', $backend);
wait_for(sub { !waiting() }, 20, 'its connection is gone');
$hold->rollback;
my @another = request($token);
$another[5]{body} = "$token, another";
my $another = $t->http(@another);
is_done($another, undef, 'another request');
is_done($other->http(@another), $another, 'and so everywhere');
is(sent($token), 0, 'the one that left is not done');


# The worker is killed. Its connection to the database may go on with it.

for my $case (
    ['killed, and done all the same', 'true', sub { $_[1]->rollback }],
    ['killed, and not done', undef, sub {
        my ($backends, $hold) = @_;
        $t->sql('select pg_terminate_backend(?)', $_) for @$backends;
        wait_for(sub { !waiting() }, 20, 'its connection is gone');
        $hold->rollback;
    }],
) {
    my ($name, $replayed, $end) = @$case;

    $token = 'token ' . ++$n;
    $hold = hold();
    %of = connections(2);
    my ($victim, $survivor) = keys %of;
    $of{$victim}[0]->send_request(request($token));
    my @backends = @{ wait_for(sub {
        my @pids = waiting();
        return @pids == 1 && \@pids;
    }, 20, 'one waits') };
    is_running(on($of{$survivor}[0], $token), "$name: before");
    kill 'KILL', $victim;
    wait_for(sub { my @now = $t->worker_pids;
                   @now == 2 && !grep { $_ == $victim } @now }, 20,
             'its successor');
    is_running(on($of{$survivor}[0], $token),
               "$name: as long as the database works on it");
    $end->(\@backends, $hold);
    wait_for(sub { !busy() }, 20, 'the database has done with it');

    my $r = on($of{$survivor}[0], $token);
    is_answer($r, 201, { id => $id }, "$name: the other worker");
    is($r->header('idempotency-replayed'), $replayed, "$name: as it was");
    my %now = connections(1);
    is_done(on($now{$_}[0], $token), $r, "$name: worker $_") for keys %now;
    is_done(send_with($other, $token), $r, "$name: another node");
    is(sent($token), 1, "$name: one message");
}


# The connection to the database is lost with the request on it: what has
# become of it is found out, and its client hears of it as if nothing had been.

my $port = EZW::claim_port();
my $proxy = EZW::PgProxy->start(
    port => $port, dir => "$EZW::RUNS/idempotency_running-proxy",
    upstream => $t->{postgres});
my $lossy = EZW->start(like => $t, workers => 1, pg_host => '127.0.0.1',
                       pg_port => $port, %lanes);
my @cuts = qw(cut_before cut_after cut_answer cut_during);

for my $cut (@cuts, 'cut_during', 'cut_during') {
    $token = 'token ' . ++$n;
    $proxy->plan($cut => 'message_send once');
    $answer = send_with($lossy, $token);
    ok($proxy->done, "$cut: it was cut");
    is_done($answer, undef, $cut);
    is_done(send_with($lossy, $token), $answer, "$cut, again");
    is_done(send_with($other, $token), $answer, "$cut, on another node");
    is(sent($token), 1, "$cut: one message");
}

# the first execution still waits when the second comes
$token = 'token ' . ++$n;
$hold = hold();
$proxy->plan(cut_during => 'message_send once');
my $client = $lossy->client;
$client->send_request(request($token));
wait_for(sub { waiting() == 2 }, 20, 'it is executed a second time');
is_running(send_with($_, $token), 'meanwhile') for $t, $other, $lossy;
$hold->rollback;
$answer = $client->read_response('POST');
is_done($answer, undef, 'settled while it was running');
is_done(send_with($_, $token), $answer, 'then') for $t, $other, $lossy;
is(sent($token), 1, 'settled while it was running: one message');

# a secret is still shown to whom it was made for
for my $cut (@cuts) {
    my @make = (POST => '/v3/keys', key => $demo->{key}{OWNER},
                json => { scope => 'COMPANY', description => $cut },
                headers => { 'Idempotency-Key' => $cut });
    $proxy->plan($cut => 'key_create once');
    my $made = $lossy->http(@make);
    ok($proxy->done, "a new key, $cut: it was cut");
    is($made->status, 201, "a new key, $cut") or diag $made->as_text;
    is($made->header('idempotency-replayed'), undef, "a new key, $cut: new");
    is($t->http(GET => '/v3/keys/current', key => $made->json->{key} // '-')
           ->json->{id}, $made->json->{id}, "a new key, $cut: it is one");
    my $again = $lossy->http(@make);
    is($again->json->{id}, $made->json->{id}, "a new key, $cut: the same");
    is($again->json->{key}, undef, "a new key, $cut: shown once");
    is($t->value('select count(*) from ezw.api_key where description = ?',
                 $cut), 1, "a new key, $cut: one key");
}

# the table gives out while the request is with it
$token = 'token ' . ++$n;
$proxy->plan(cut_after => 'message_send once', 20);
my $lost = send_with($lossy, $token);
is_refused($lost, 503, 1003, {}, 'what cannot be found out');
is($lost->header('idempotency-replayed'), undef, 'which is no replay');
is($lost->header('retry-after'), 1, 'which may be asked for again');
unlink "$EZW::RUNS/idempotency_running-proxy/plan";
$answer = wait_for(sub {
    my $r = send_with($other, $token);
    return $r->status == 201 && $r;
}, 20, 'then it is known');
is_done(send_with($_, $token), $answer, 'everywhere') for $t, $other, $lossy;
is(sent($token), 1, 'one message');

$lossy->stop;
$proxy->stop;
done_testing;

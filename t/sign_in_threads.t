# A sign-in's hash runs beside the worker, not in it: others are answered
# meanwhile, and what happens to the client, the worker or the queue while it
# runs ends well.
# sanitizers

# (Leaks are not looked for: LeakSanitizer may crash itself when a process ends
# while one of its threads hashes, which is what happens here on purpose.)

use EZW;
use IO::Select;

my $LOGIN = '/api/auth/login';
my $PASSWORD = 'correct horse';

my $t = EZW->start(leaks => 0, workers => 1, allow_kill => 1,
                   http => 'ezw_password_threads 1 queue=2;');
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};

# A hash that takes some time: four times as long as today's.
my %slow = (hash => EZW::Seed::password_hash($PASSWORD, ln => 17));
my $people = 0;

sub person {
    my (%o) = @_;
    my $email = 'p' . ++$people . '@example.com';
    $t->user(company => $demo->{company}, email => $email, %o);
    return $email;
}

sub stored {
    my ($email) = @_;
    return $t->value('select password_hash from ezw.app_user where email = ?',
                     $email);
}

sub login_of {
    my ($email, $password) = @_;
    return (POST => $LOGIN, json => { email => $email,
                                      password => $password // $PASSWORD });
}

sub login {
    my ($email, $password) = @_;
    return $t->http(login_of($email, $password), timeout => 60);
}

# Sends a sign-in, and returns its connection when its hash is at work.
sub hashing {
    my ($email) = @_;

    my ($worker) = $t->worker_pids;
    my $client = $t->client(timeout => 60);
    $client->send_request(login_of($email));
    wait_for(sub {
        $t->hasten;
        my ($first, @others) = EZW::threads($worker);
        return grep({ $_->{state} ne 'S' } @others) || answered($client);
    }, 20, 'a hash at work');
    return $client;
}

sub answered { return IO::Select->new($_[0]{socket})->can_read(0) ? 1 : 0 }

# How many sign-ins have been let in.
sub let_in {
    return $t->value(q{select count(*) from ezw.audit_log
                        where event_type = 'auth.login'});
}

sub logged {
    my ($status) = @_;
    return scalar(() = $t->access_log =~ /^$status "POST \Q$LOGIN\E/gm);
}

# What a sign-in is answered that END ends the worker of while it hashes; if it
# was answered before, of another one. AFTER follows each.
sub cut_off {
    my ($end, $after) = @_;

    my $status;
    for my $try (1 .. 10) {
        my $client = hashing(person(%slow));
        $end->();
        $status = $client->read_response('POST')->status;
        $client->close;
        $after->() if $after;
        wait_for(sub { $t->http(GET => '/readyz')->status == 200 }, 20, 'ready');
        last if $status != 200;
    }
    return $status;
}

# As soon as the thread is through with what it had begun.
sub all_is_well {
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $email = person(hash => EZW::Seed::password_hash($PASSWORD));
    $t->hasten_hashes;
    ok(eval { wait_for(sub { login($email)->status == 200 }, 20) },
       "$name: and then all is well");
    return;
}


# Others are answered meanwhile: a hundred of them before the sign-in, which
# has begun before they are asked for. Where the machine has other things to do
# the hash may end first; in a worker that waits for it, it always does.
is($t->http(GET => '/v3/keys/current', key => $key)->status, 200, 'a key');
my $client = $t->client(timeout => 60);
my ($before, $good) = (0, 0);
my ($worker, @threads) = EZW::threads($t->worker_pids);
is($worker->{nice}, 0, 'the worker has its priority');
is(scalar(@threads), 1, 'and one thread');
$client = $t->client(timeout => 60);
$client->send_request(login_of('nobody@example.com'));
ok(wait_for(sub { (EZW::threads($worker->{pid}))[1]{nice} == 19 }, 20,
            'a hash'), 'the thread has the lowest');
is($client->read_response('POST')->status, 401, 'which is no way to sign in');
$t->hasten;
for my $try (1 .. 5) {
    my $waiting = hashing(person(
        hash => EZW::Seed::password_hash($PASSWORD, ln => 16, p => 2 ** $try)));
    $client->send_raw(EZW::Client::request_bytes(
        GET => '/v3/keys/current', key => $key) x 100);
    $good += grep { $client->read_response('GET')->status == 200 } 1 .. 100;
    $before = !answered($waiting);
    is($waiting->read_response('POST')->status, 200, "try $try: signed in");
    last if $before;
}
ok($before, 'a hundred requests are answered while a hash runs');
is($good % 100, 0, 'every one of them');


# A hash of other times is one of today after a sign-in, and only then.
for my $cost ([ln => 14], [ln => 17], [ln => 15, r => 4], [ln => 15, p => 2]) {
    my $hash = EZW::Seed::password_hash($PASSWORD, @$cost);
    my $email = person(hash => $hash);
    is(login($email, 'another one')->status, 401, "@$cost: a wrong one");
    is(stored($email), $hash, "@$cost: stays");
    is(login($email)->status, 200, "@$cost: the right one");
    my $today = stored($email);
    like($today, qr/^\$scrypt\$ln=15,r=8,p=1\$/, "@$cost: hashed anew");
    ok(EZW::Seed::is_password_hash($today, $PASSWORD), 'the same password');
    is(login($email)->status, 200, "@$cost: signs in again");
    is(stored($email), $today, "@$cost: and not hashed again");
}


# The queue is full: no more than it has and the thread are served, the rest is
# told to come again. All are looked up at once, when a lock ends.
my @clients = map { $t->client(timeout => 60) } 1 .. 10;
my @emails = map { person(%slow) } @clients;
my $in = let_in();
my $other = $t->{postgres}->dbh($t->{dbname});
$other->begin_work;
$other->do('lock table ezw.app_user in access exclusive mode');
$clients[$_]->send_request(login_of($emails[$_])) for 0 .. $#clients;
wait_for(sub {
    return $t->value(q{select count(*) from pg_stat_activity
                        where usename = 'ezw_app' and wait_event_type = 'Lock'
                          and datname = current_database()});
}, 10, 'they are looked up');
is($t->http(GET => '/healthz')->status, 200, 'and have been read');
$other->rollback;
my @answers = map { $_->read_response('POST') } @clients;
my @refused = grep { $_->status != 200 } @answers;
my $served = @answers - @refused;
cmp_ok($served, '>=', 2, 'the queue is served');
cmp_ok(scalar(@refused), '>=', 3, 'what does not fit is not');
for my $r (@refused) {
    is_workspace_refused($r, 503, 'unavailable',
                         { message => 'Service is overloaded' }, 'refused');
    is($r->header('retry-after'), 1, 'Retry-After');
}
is(let_in(), $in + $served, 'who was refused is not let in');
all_is_well('a full queue');


# Clients that leave while their hash is at work or in the queue.
for my $how (qw(close reset)) {
    my $left = logged(499);
    $in = let_in();
    my @leaving = hashing(person(%slow));
    for (1, 2) {
        push @leaving, $t->client;
        $leaving[-1]->send_request(login_of(person(%slow)));
    }
    is($t->http(GET => '/healthz')->status, 200, "$how: they have been read");
    $_->$how for @leaving;
    # the first may have been signed in before the machine let it leave
    wait_for(sub { logged(499) >= $left + 2 }, 20, 'they are gone');
    all_is_well($how);
    my $signed = $left + 3 - logged(499);
    cmp_ok($signed, '<=', 1, "$how: in time");
    is(let_in(), $in + $signed + 1, "$how: nobody else was let in");
}


# The worker ends gracefully: the sign-in is answered first.
my ($old) = $t->worker_pids;
$client = hashing(person(%slow));
kill 'HUP', $t->{pid};
wait_for(sub { grep { $_ != $old } $t->worker_pids }, 20, 'a new worker');
is($client->read_response('POST')->status, 200, 'a reload: signed in');
$client->close;
wait_for(sub { !grep { $_ == $old } $t->worker_pids(1) }, 30, 'the old leaves');
all_is_well('a reload');

# The client of a worker that ends has left: it need not wait.
($old) = $t->worker_pids;
$client = hashing(person(%slow));
kill 'HUP', $t->{pid};
$client->close;
wait_for(sub { !grep { $_ == $old } $t->worker_pids(1) }, 30, 'the old leaves');
all_is_well('a reload and nobody waits');

# The worker is killed in the middle of it, or a moment too late: there is no
# answer, and another.
is(cut_off(sub { $t->kill_worker }), 0, 'a kill: no answer');
wait_for(sub { $t->http(GET => '/readyz')->status == 200 }, 20, 'ready');
all_is_well('a kill');

# nginx ends: at once, or when it is answered.
sub end {
    my ($signal) = @_;
    kill $signal, $t->{pid};
    return;
}

sub gone {
    wait_for(sub { waitpid($t->{pid}, POSIX::WNOHANG()) }, 20, 'an end');
    delete $t->{pid};
    return;
}
is(cut_off(sub { end('TERM') }, sub { gone(); $t->launch }), 0, 'TERM');
$client = hashing(person(%slow));
end('QUIT');
is($client->read_response('POST')->status, 200, 'QUIT');
$client->close;
gone();


# More threads, if one wants them: they work side by side.
my $many = EZW->start(leaks => 0, like => $t, workers => 1,
                      http => 'ezw_password_threads 3;');
@clients = map { $many->client(timeout => 60) } 1 .. 3;
my @slow = map { person(%slow) } @clients;
$clients[$_]->send_request(login_of($slow[$_])) for 0 .. 2;
ok(wait_for(sub {
    return 3 == grep { $_->{nice} == 19 } EZW::threads($many->worker_pids);
}, 20, 'three threads at work'), 'three threads are at work');
$many->hasten;
is($_->read_response('POST')->status, 200, 'each signs in') for @clients;
is(scalar(my @all = EZW::threads($many->worker_pids)), 4,
   'and there are no more');

done_testing;

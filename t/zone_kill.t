# Workers killed while they hold the lock of a zone, in every zone: the others
# go on, no zone stays locked or broken, what was answered was right.
# t/all/zone_kill_long.t kills more.
#
# nginx keeps the pid of who has the lock at the beginning of a zone's memory.
# All workers run on one processor, and so does who looks at it: a worker that
# is seen there has been interrupted in the lock, and does not get on before it
# is killed.

use EZW;
use EZW::Token;
use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(time usleep);

our $KILLS;
my $kills = $KILLS // 20;        # a quarter of them in each zone
my $clients = 12;
my $workers = 3;
my %size = (keys => 256, rates => 68, idempotency => 72, sessions => 76);

my ($cpu) = EZW::slurp('/proc/self/status') =~ /^Cpus_allowed_list:\s*(\d+)/m;

my $t = EZW->start(
    start => 0, workers => $workers, allow_kill => 1,
    main => 'worker_cpu_affinity' . " 1${\ ('0' x $cpu)}" x $workers . ';',
    key_zone => "zone=ezw_keys:$size{keys}k",
    http => "ezw_courier off;
    ezw_rate_zone zone=ezw_rates:$size{rates}k;
    ezw_idempotency_zone zone=ezw_idempotency:$size{idempotency}k;
    ezw_session_zone zone=ezw_sessions:$size{sessions}k;
    ezw_signing_key_file %%DIR%%/secret;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;",
    server => 'location = /metrics { ezw_metrics; }
        location = /page { ezw_gate role=operator; root %%DIR%%;
                           try_files /page.html =404; }');
EZW::Token::write_secret("$t->{dir}/secret");
EZW::write_file("$t->{dir}/page.html", 'the page');

my $company = $t->company;
my $channel = $t->channel(company => $company);
my $user = $t->user(company => $company, role => 'operator');
my $session = $t->uuid;
$t->insert('session', company => $company, id => $session, family => $session,
           user_id => $user, refresh_hash => { hex => sha256_hex('x') },
           expires_at => '2100-01-01');
my %id = map { my $id = $t->uuid;
               ($t->key(company => $company, scope => 'COMPANY', id => $id)
                => $id) } 1 .. 300;
my @keys = sort keys %id;
$t->launch;

my $signer = EZW::Token->key("$t->{dir}/secret");
my %claims = (iss => 'ezw', aud => 'ezw-workspace', sub => $user,
              org => $company, role => 'operator', mv => 1, sid => $session,
              iat => int(time), exp => int(time) + 3600);
my @tokens = map { $signer->sign({ %claims, jti => $_ }) } 1 .. 300;

sub jid { return 31800000000 + $_[0] . '@whatsapp.eazy.im' }

# Makes contact n with idempotency key n, or asks for another with that key.
sub post {
    my ($n, $of) = @_;

    return (POST => "/v3/channels/$channel/contacts", key => $keys[0],
            json => { jid => jid($n) },
            headers => { 'Idempotency-Key' => 'once-' . ($of // $n) });
}

my $kept = 100;
is($t->http(post($_))->status, 201, "contact $_") for 1 .. $kept;


# The load, of all that changes a zone -----------------------------------------

# Request n: what it may be answered with, and what the answer must have in it.
# An idempotency key may be in use at the moment: a new one by the request
# itself, which its client has sent again when the worker was killed.
sub request {
    my ($n) = @_;

    my $kind = $n % 8;
    my $i = int($n / 8) * 7919;
    if ($n % 64 == 0) {
        my $fresh = 100_000 + $n;
        return [post($fresh), fresh => $fresh,
                may => { 201 => jid($fresh), 409 => 'still running' }];
    }
    if ($kind < 3) {
        my $key = $keys[($i + $kind) % @keys];
        return [GET => '/v3/keys/current', key => $key,
                may => { 200 => $id{$key} }];
    }
    if ($kind == 3) {
        my $address = sprintf '2001:db8:%x:%x::1', $n >> 16, $n & 0xffff;
        return [GET => '/v3/keys/current',
                key => substr(sha256_hex("wrong $n"), 0, 40),
                headers => { 'X-Real-IP' => $address },
                may => { 401 => 'unknown API key' }];
    }
    if ($kind < 6) {
        return [GET => '/page', key => $tokens[($i + $kind) % @tokens],
                may => { 200 => 'the page' }];
    }
    my $old = 1 + $i % $kept;
    return $kind == 6
        ? [post($old), may => { 201 => jid($old), 409 => 'still running' }]
        : [post($old + 1, $old), may => { 422 => 'used for another',
                                          409 => 'still running' }];
}

# What is wrong with an answer; undef: nothing.
sub fault {
    my ($r) = @_;

    my %request = @{ $r->{request} };
    my $part = $request{may}{ $r->status };
    return undef if defined $part && index($r->body, $part) >= 0;
    return "@{ $r->{request} }[0, 1] " . to_json($request{may}) . ': '
        . $r->as_text;
}

# Goes on until the writing end of the pipe that comes back is closed; then the
# file has what became of it.
sub start_load {
    my ($file) = @_;

    pipe my $go, my $stop or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid) {
        close $go;
        return ($pid, $stop);
    }
    close $stop;
    $SIG{INT} = $SIG{TERM} = 'DEFAULT';
    my ($n, $right, $cut, %fresh, @wrong) = (1, 0, 0);
    my $ended = IO::Select->new($go);
    my $ok = eval {
        EZW::Load::run(
            clients => $clients, port => $t->port,
            next => sub { $ended->can_read(0) ? undef : request($n++) },
            done => sub {
                my ($r) = @_;
                my $fault = fault($r);
                my %request = @{ $r->{request} };
                $fresh{ $request{fresh} } = $r->status if $request{fresh};
                if (!$r->status) {
                    $cut++;
                } elsif ($fault) {
                    push @wrong, $fault if @wrong < 10;
                } else {
                    $right++;
                }
            });
        EZW::write_file($file, to_json({ right => $right, cut => $cut,
                                         fresh => \%fresh,
                                         wrong => \@wrong }));
        1;
    };
    warn $@ if !$ok;
    POSIX::_exit($ok ? 0 : 1);
}


# The kills ----------------------------------------------------------------

# Where the zones begin, in every worker: each has a size of its own.
my %at;
for (split /\n/, EZW::slurp("/proc/$t->{pid}/maps")) {
    my ($from, $to) = map { unpack 'Q>', pack 'H16', substr "0" x 16 . $_, -16 }
        /^([0-9a-f]+)-([0-9a-f]+) rw-s / or next;
    for my $zone (keys %size) {
        $at{$zone} = $from if $to - $from == $size{$zone} * 1024;
    }
}
is(join(' ', sort keys %at), join(' ', sort keys %size), 'the zones are found');
open my $memory, '<:raw', "/proc/$t->{pid}/mem" or die "mem: $!";

# The pid that has the zone's lock, 0: nobody.
sub holder {
    my ($zone) = @_;

    sysseek $memory, $at{$zone}, 0 or die "seek: $!";
    sysread($memory, my $word, 8) == 8 or die "read: $!";
    return unpack 'Q', $word;
}

# The workers, when there are as many as there should be.
sub workers {
    return @{ wait_for(sub {
        my @pids = $t->worker_pids;
        return @pids == $workers && \@pids;
    }, 20, "$workers workers") };
}

# Kills a worker that has the lock of one of these zones; returns which.
my ($looks, $seen) = (0, 0);
sub kill_inside {
    my (@zones) = @_;

    my %pids = map { $_ => 1 } workers();
    my $deadline = time + 60 * $EZW::Expect::PATIENCE;
    while (time < $deadline) {
        usleep(50);              # the processor is the workers' in between
        $looks++;
        for my $zone (@zones) {
            my $pid = holder($zone);
            next if !$pids{$pid};
            $seen++;
            kill 'STOP', $pid or die "$pid has gone\n";
            if (holder($zone) == $pid) {
                kill 'KILL', $pid;
                wait_for(sub { !grep { $_ == $pid } $t->worker_pids }, 20,
                         'its end');
                return $zone;
            }
            kill 'CONT', $pid;
        }
    }
    die "no worker was caught in @zones\n";
}

my ($load, $stop) = start_load("$t->{dir}/load");
system("taskset -pc $cpu $$ >/dev/null") == 0 or die "taskset failed\n";
my %left = map { $_ => $kills / 4 } keys %size;
while (my @zones = grep { $left{$_} } sort keys %left) {
    $left{ kill_inside(@zones) }--;
}
note "$looks looks, $seen seen";
workers();
close $stop;
waitpid $load, 0;
is($?, 0, 'the load has ended');

my $load_of = from_json(EZW::slurp("$t->{dir}/load"));
is_deeply($load_of->{wrong}, [], 'no wrong answer');
cmp_ok($load_of->{right}, '>', 10 * $kills, 'many right ones');
# a client that asks again at once may come to the next one to be killed
cmp_ok($load_of->{cut}, '<=', $clients * $kills,
       'none but of those that the dead were serving');
my %locked;
$locked{$_}++ for $t->error_log
    =~ /\[alert\] .*shared memory zone "ezw_(\w+)" was locked by \d+$/mg;
is_deeply(\%locked, { map { $_ => $kills / 4 } keys %size },
          'the dead had the locks');


# Afterwards -----------------------------------------------------------------

# Every zone has been emptied by who came next, but for a worker that was killed
# with the lock and no change yet, or none any more.
my %rebuilt = $t->http(GET => '/metrics')->body
    =~ /^ezw_zone_rebuilt_total\{zone="ezw_(\w+)"\} (\d+)$/mg;
is(join(' ', sort keys %rebuilt), join(' ', sort keys %size), 'four zones');
for my $zone (sort keys %rebuilt) {
    cmp_ok($rebuilt{$zone}, '>', 0, "$zone: has been emptied");
    cmp_ok($rebuilt{$zone}, '<=', $kills / 4, "$zone: once for each");
    is(holder($zone), 0, "$zone: nobody has its lock");
}

# Limits are exact.
for my $n (1 .. 3) {
    my $key = $t->key(company => $company, scope => 'COMPANY',
                      rate_per_minute => 1, burst => 5);
    my @responses = $t->parallel(map { [GET => '/v3/keys/current',
                                        key => $key] } 1 .. 30);
    is(scalar(grep { $_->status == 200 } @responses), 5, "five, $n");
    is(scalar(grep { $_->status == 429 } @responses), 25, "of thirty, $n");
}

# All keys and tokens are what they were, those that are none are none, and that
# fills the zones; each idempotency key has its first answer, if it had one, and
# is in use no more.
my %fresh = %{ $load_of->{fresh} };
my @made = (1 .. $kept, grep { $fresh{$_} == 201 } sort keys %fresh);
my @requests = (
    (map { [GET => '/v3/keys/current', key => $_, may => { 200 => $id{$_} }] }
     @keys),
    (map { [GET => '/page', key => $_, may => { 200 => 'the page' }] }
     @tokens),
    (map { request(8 * $_ + 3) } 500_000 .. 501_000),
    (map { [post($_), may => { 201 => jid($_) }, replay => 1] } @made),
    (map { [post($_ + 1, $_), may => { 422 => 'used for another' }] } @made),
    (map { [post($_), may => { 201 => jid($_) }] }
     grep { $fresh{$_} != 201 } sort keys %fresh),
);
my ($n, @wrong) = (0);
EZW::Load::run(
    clients => $clients, port => $t->port, next => sub { $requests[$n++] },
    done => sub {
        my ($r) = @_;
        my %request = @{ $r->{request} };
        my $replayed = $r->header('idempotency-replayed') // 'no';
        my $fault = fault($r)
            // ($request{replay} && $replayed ne 'true' ? 'not replayed'
                : undef);
        push @wrong, $fault if $fault;
    });
is(scalar(@wrong), 0, 'all again, rightly')
    or diag join "\n", splice @wrong, 0, 5;
cmp_ok(scalar(@made), '>', $kept, 'with some that were new');
is($t->value('select count(*) from ezw.contact'), $kept + keys %fresh,
   'a contact for each of them');

# And what must end still does.
$t->sql(q{update ezw.membership set status = 'disabled' where user_id = ?},
        $user);
ok(eval { wait_for(sub {
    return !grep { $_->status != 401 }
        $t->parallel(map { [GET => '/page', key => $_] } @tokens[0 .. 19]);
}, 5) }, 'a member is disabled');
is(scalar($t->worker_pids), $workers, 'all workers');

done_testing;

# A Postgres that stalls, splits, fails late, dies, lies and babbles. Whatever
# it does: one right HTTP answer, in time, nothing alarming in the log, and the
# next request works.
# sanitizers

use EZW;
use EZW::FakePg;
use EZW::Stall;
use Time::HiRes qw(time);

my $company = '018f0000-0000-7000-8000-000000000001';
my $channel = '31612345678@whatsapp.eazy.im';
my $contact = '31687654321@whatsapp.eazy.im';
my $key = EZW->random_text(40);

my $big = 'x' x 10_000_000;
my ($version) = reverse sort map { m{/(\d+)_} } glob
    "$EZW::ROOT/ngx_ezw_module/sql/schema/*.sql";

my %results = (
    key_principal => [
        [id => uuid => $company], [company => uuid => $company],
        [scope => text => 'COMPANY'], [enabled => bool => 1],
        [expires_at => timestamptz => undef], [channels => 'text[]' => undef],
        [companies => 'uuid[]' => [$company]], [assistant => text => undef],
        [assistant_enabled => bool => undef], [whitelist => 'text[]' => undef],
        [rate_per_minute => int4 => undef], [burst => int4 => undef],
        [description => text => 'Fake'],
        [cipher_fingerprint => text => undef],
        [last_used => timestamptz => undef], [objects => json => '[]'],
        [seq => int8 => 1], [company_active => bool => 1],
    ],
    changes_since => [
        [current => int8 => 1], [seq => int8 => undef],
        [kind => text => undef], [ref => text => undef],
    ],
    company_current => [
        [id => uuid => $company], [name => text => 'Fake'],
    ],
    company_list => [
        [id => uuid => $company], [name => text => $big],
    ],
    channel_list => [
        ['@row' => bool => 1], ['@cursor0' => int8 => 1],
        ['@cursor1' => timestamptz => 1], ['@cursor2' => text => $channel],
        ['@total' => int8 => undef],
        [dataRetentionInDays => int4 => undef], [jid => text => $channel],
        [name => text => 'n' x 9000], [priority => int4 => undef],
    ],
    message_send => sub {
        return [[refusal => text => undef], [id => text => $_[3]]];
    },
);

# The messages of an answer, without those of KIND.
sub without {
    my ($kind, @answer) = @_;
    return map { $_->[1] } grep { $_->[0] ne $kind } @answer;
}

# The answer up to the first row of a statement, and half of that row.
sub half {
    my ($conn, $group) = @_;

    my $bytes = '';
    for ($conn->answer($group)) {
        if ($_->[0] eq 'row') {
            return $bytes . substr $_->[1], 0, length($_->[1]) / 2;
        }
        $bytes .= $_->[1];
    }
    return $bytes;
}

# The answer with a message in place of the sync, or in place of a result.
sub before_sync {
    my ($conn, $group, @messages) = @_;
    $conn->put(without('sync', $conn->answer($group)), @messages);
    return;
}

sub in_place_of_result {
    my ($conn, $group, @messages) = @_;
    $conn->put(map { EZW::FakePg::message('1', '') }
               grep { exists $_->{parse} } @$group);
    $conn->put(@messages);
    return;
}

my $ready = EZW::FakePg::message('Z', 'I');
my $error = \&EZW::FakePg::error;
my $notice = EZW::FakePg::report('N', S => 'NOTICE', V => 'NOTICE',
                                 C => '00000', M => 'look ' x 20);

my %behaviours = (
    stall => sub { $_[0]->put(half(@_)); $_[0]->hang },
    silent => sub { $_[0]->hang },
    bytes => sub {
        my ($conn, $group) = @_;
        setsockopt $conn->{socket}, Socket::IPPROTO_TCP(),
            Socket::TCP_NODELAY(), 1;
        $conn->put($_)
            for split //, join '', map { $_->[1] } $conn->answer($group);
    },
    die_unheard => sub { $_[0]->die_now },
    die_mid_result => sub { $_[0]->put(half(@_)); $_[0]->die_now },
    die_before_sync => sub { before_sync(@_); $_[0]->die_now },
    sync_40001 => sub { before_sync(@_, $error->('40001'), $ready) },
    sync_23505 => sub { before_sync(@_, $error->('23505'), $ready) },
    sync_57P01 => sub {
        before_sync(@_, $error->('57P01', 'FATAL'));
        $_[0]->die_now;
    },
    state_unknown => sub {
        in_place_of_result(@_, $error->('QZ123'), $ready);
    },
    state_missing => sub {
        in_place_of_result(
            @_, EZW::FakePg::report('E', S => 'ERROR', M => 'nothing'), $ready);
    },
    state_26000 => sub {
        in_place_of_result(@_, $error->('26000'), $ready);
    },
    state_0A000 => sub {
        in_place_of_result(@_, $error->('0A000'), $ready);
    },
    state_25006 => sub {
        in_place_of_result(@_, $error->('25006'), $ready);
    },
    shutdown => sub {
        $_[0]->put($error->('57P01', 'FATAL'));
        $_[0]->die_now;
    },
    garbage => sub {
        $_[0]->put(join '', map { chr((7 * $_ * $_ + 13) % 256) } 1 .. 5000);
        $_[0]->hang;
    },
    text => sub {
        $_[0]->put("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        $_[0]->hang;
    },
    one_result_more => sub {
        my ($conn, $group) = @_;
        my @answer = $conn->answer($group);
        my @again = grep { $_->[0] =~ /^(bind|describe|row|complete)$/ } @answer;
        $conn->put(without('sync', @answer), (map { $_->[1] } @again), $ready);
    },
    one_result_less => sub {
        my ($conn, $group) = @_;
        $conn->put((map { EZW::FakePg::message('1', '') }
                    grep { exists $_->{parse} } @$group), $ready);
    },
    no_result => sub { $_[0]->put($ready) },
    rows_too_wide => sub {
        my ($conn, $group) = @_;
        $conn->put(map {
            $_->[0] eq 'row'
                ? EZW::FakePg::row([map { [x => text => 'wide'] } 1 .. 30])
                : $_->[1]
        } $conn->answer($group));
    },
    notices => sub {
        my ($conn, $group) = @_;
        $conn->put($notice x 20_000, map { ($_->[1], $notice) }
                   $conn->answer($group));
    },
    notifications => sub {
        my ($conn, $group) = @_;
        my $n = EZW::FakePg::message('A', pack('N', 1) . "channel\0payload\0");
        $conn->put($n x 20_000, map { ($_->[1], $n) } $conn->answer($group));
    },
);

my $port = EZW::claim_port();
my $dir = "$EZW::RUNS/pg_fake-server";
mkdir $EZW::RUNS;

sub server {
    return EZW::FakePg->start(
        port => $port, dir => $dir, version => $version + 0,
        results => \%results, rows => { channel_list => 800 },
        behaviours => \%behaviours, @_);
}

my $fake = server();
my $t = EZW->start(
    workers => 1, dbname => 'fake', pg_host => '127.0.0.1', pg_port => $port,
    database => 'connect_timeout=3s',
    http => join "\n", 'ezw_courier off;',
        map { "ezw_lane $_ timeout=3s;" } qw(read write single));

# Whatever happens, the lane's time-out is the end of it.
sub in_time {
    my ($began, $stall, $name) = @_;
    cmp_ok(time - $began, '<', 3 + 2 * $EZW::Expect::PATIENCE + $stall->seconds,
           "$name: in time");
    return;
}

my @send = (POST => "/v3/channels/$channel/messages/$contact", key => $key,
            json => { type => 'text', body => 'Hello' });

sub read_one { return $t->http(GET => '/v3/companies/current', key => $key) }
sub send_one { return $t->http(@send) }

sub is_read {
    my ($r, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_answer($r, 200, { id => $company, name => 'Fake' }, $name);
}

sub is_sent {
    my ($r, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_answer($r, 201, { id => qr/^[0-9a-f]{40}$/ }, $name);
}

sub is_unavailable {
    my ($r, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_refused($r, 503, 1003, {}, $name);
    return is($r->header('retry-after'), 1, "$name: Retry-After");
}

# Carries a behaviour out, in time, and sees that the connection or its
# successor serves the next request.
sub scenario {
    my ($behaviour, $statement, $request, $check, $name) = @_;

    my $before = $fake->executed($statement);
    $fake->plan($behaviour => $statement);
    my ($began, $stall) = (time, EZW::Stall->start($t));
    my $r = $request->();
    in_time($began, $stall, $name);
    $check->($r, $name);
    ok($fake->done, "$name: it happened");
    my $executed = $fake->executed($statement) - $before;
    is_read(read_one(), "$name: the next read");
    return $executed;
}

is_read(read_one(), 'a plain read');
is_sent(send_one(), 'a plain send');

for ([read => company_current => \&read_one, \&is_read],
     [send => message_send => \&send_one, \&is_sent])
{
    my ($what, $statement, $request, $good) = @$_;
    my $fails = sub {
        my ($status, $code) = @_;
        return sub { is_refused($_[0], $status, $code, {}, $_[1]) };
    };

    for my $behaviour (qw(bytes notices notifications)) {
        is(scenario($behaviour, $statement, $request, $good,
                    "$what, $behaviour"), 1, "$what, $behaviour: once");
    }
    for my $behaviour (qw(stall silent)) {
        scenario($behaviour, $statement, $request, \&is_unavailable,
                 "$what, $behaviour");
    }
    for my $behaviour (qw(die_unheard die_mid_result die_before_sync
                          sync_57P01 shutdown garbage text one_result_more
                          one_result_less no_result rows_too_wide
                          state_missing sync_40001 state_26000 state_0A000
                          state_25006))
    {
        is(scenario($behaviour, $statement, $request, $good,
                    "$what, $behaviour"), 2, "$what, $behaviour: twice");
    }
    is(scenario(sync_23505 => $statement, $request, $fails->(409, 1014),
                "$what, an error at the sync"), 1, "$what: not tried again");
    is(scenario(state_unknown => $statement, $request, $fails->(500, 1004),
                "$what, an unknown state"), 1, "$what: not tried again");
}

my @ids = map { $_->[3] } $fake->executed('message_send');
my %times;
$times{$_}++ for @ids;
is_json([sort { $a <=> $b } grep { $_ > 1 } values %times], [(2) x 16],
        'a send that was lost went again with its id');

# the same for the gate's own question: another key each time
for my $behaviour (qw(stall die_mid_result one_result_more garbage)) {
    $key = EZW->random_text(40);
    scenario($behaviour, 'key_principal', \&read_one,
             $behaviour eq 'stall' ? \&is_unavailable : \&is_read,
             "the gate, $behaviour");
}

# it never gets right: the end comes with the deadline or the tries
$fake->plan(die_unheard => 'company_current', 1000);
is_unavailable(read_one(), 'dies each time');
$fake->plan(state_26000 => 'company_current', 1000);
is_unavailable(read_one(), 'the statement is gone each time');
$fake->plan(die_unheard => 'message_send', 1000);
is_unavailable(send_one(), 'dies at each send');
$fake->plan(bytes => 'company_current');
is_read(read_one(), 'and then it works');

# neighbours of a statement that stalls, in its group and behind it
$fake->plan(stall => 'company_current');
my @neighbours = $t->parallel(
    (map { [GET => '/v3/companies/current', key => $key] } 1 .. 4),
    (map { [@send] } 1 .. 4));
is(scalar(grep { $_->status == 201 } @neighbours[4 .. 7]), 4,
   'another lane goes on');
is(scalar(grep { $_->status != 200 && $_->status != 503 }
          @neighbours[0 .. 3]), 0, 'the others of the group get an answer');
is_read(read_one(), 'and the next');

# 10 MB
my $r = $t->http(GET => '/v3/companies', key => $key);
is($r->status, 200, 'a value of 10 MB');
is(length $r->json->[0]{name}, length $big, 'all of it');
is($r->json->[0]{name}, $big, 'as it was');
$r = $t->http(GET => '/v3/channels', key => $key);
is($r->status, 200, '800 rows, 7 MB');
is(scalar(() = $r->body =~ /"jid":/g), 800, 'all of them');
$fake->plan(die_before_sync => 'channel_list');
$r = $t->http(GET => '/v3/channels', key => $key);
is(scalar(() = $r->body =~ /"jid":/g), 800, 'and when it went again');

# what comes when nobody asked
for my $behaviour (qw(shutdown garbage text die_unheard)) {
    $fake->plan($behaviour => 'idle', 2);
    wait_for(sub { $fake->done }, 5, "$behaviour while idle");
    is_read(read_one(), "$behaviour while idle: the next read");
    is_sent(send_one(), "$behaviour while idle: the next send");
}

# lost before it came into service
for my $behaviour (qw(die_unheard die_mid_result garbage one_result_less
                      state_unknown silent))
{
    $fake->plan($behaviour => 'setup', 1);
    $fake->stop;
    $fake = server();
    $fake->plan($behaviour => 'setup', 2);
    wait_for(sub { $fake->done }, 10, "$behaviour in the set-up");
    wait_for(sub { $t->http(GET => '/readyz')->status == 200 }, 10,
             "in service after $behaviour in the set-up");
    is_read(read_one(), "$behaviour in the set-up: then it works");
}

# no answer to the start-up, and half a one
my $before = () = $t->error_log =~ /connecting failed/g;
for my $startup (
    sub { $_[0]->hang },
    sub { $_[0]->put(EZW::FakePg::message('R', pack 'N', 0)); $_[0]->hang },
    sub { $_[0]->put("SSH-2.0-OpenSSH_9.2\r\n"); $_[0]->hang },
    sub { $_[0]->put($error->('53300', 'FATAL')); $_[0]->die_now },
    sub { $_[0]->die_now })
{
    $fake->stop;
    $fake = server(startup => $startup);
    my ($began, $stall) = (time, EZW::Stall->start($t));
    is_unavailable(read_one(), 'no start-up');
    in_time($began, $stall, 'no start-up');
    wait_for(sub { read_one()->status == 503 }, 10, 'no service');
    my $readyz = $t->http(GET => '/readyz');
    is($readyz->status, 503, 'not ready');
    is($readyz->json->{reason}, 'the database cannot be reached', 'and why');
    $fake->stop;
    $fake = server();
    wait_for(sub { $t->http(GET => '/readyz')->status == 200 }, 10,
             'in service after no start-up');
    is_read(read_one(), 'then it works');
}

# a schema of another version
$fake->stop;
$fake = server(version => $version + 1);
wait_for(sub {
    ($t->http(GET => '/readyz')->json->{reason} // '') =~ /deploy a newer/
}, 10, 'a schema that is too new');
is_unavailable(read_one(), 'with a schema that is too new');
$fake->stop;
$fake = server();
wait_for(sub { $t->http(GET => '/readyz')->status == 200 }, 10, 'the right one');
is_read(read_one(), 'then it works');

my $notices = () = $t->error_log =~ /postgres: notice/g;
cmp_ok($notices, '<', 10, 'the notices do not flood the log');
is(scalar($t->worker_pids), 1, 'one worker');
unlike($t->error_log, qr/exited on signal|exited with code [1-9]/,
       'the same worker all the time');
$t->stop;
$fake->stop;

done_testing;

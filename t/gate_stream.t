# What passes through the gate as it is: an upgraded connection, bodies that
# are long or never end, either way; clients and services that leave meanwhile.
# sanitizers

use Digest::SHA ();
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();

use EZW;

my $t = EZW->start(start => 0);
my $demo = $t->demo;

$t->write_config(<<'CONF');
%%MAIN%%
events { worker_connections 512; }
http {
    %%HTTP%%
    ezw_courier off;
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_set_header X-Company $ezw_company;
    ezw_gate scope=company;

    server {
        %%LISTEN%%
        %%LOCATIONS%%
        location /upgrade/ {
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header X-Company $ezw_company;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /stream/ {
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /buffered/ {
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
    }
}
CONF

# The service: a process for each connection, which does as the path says, and
# notes every request before it does.
my $notes = "$t->{dir}/notes";
EZW::write_file($notes, '');
my $listener = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1', LocalPort => $t->port('service'), Listen => 64,
    ReuseAddr => 1) or die "listen: $!";
my $service = fork // die "fork: $!";
serve() if !$service;
close $listener;

sub serve {
    setpgrp;
    $SIG{CHLD} = 'IGNORE';
    $SIG{TERM} = 'DEFAULT';
    while (1) {
        my $socket = $listener->accept or next;
        my $pid = fork;
        if (defined $pid && $pid == 0) {
            eval { answer($socket) };
            POSIX::_exit(0);
        }
        close $socket;
    }
}

# The request's head, and what came behind it.
sub read_head {
    my ($socket) = @_;
    my $bytes = '';
    while ($bytes !~ /\r\n\r\n/) {
        sysread $socket, $bytes, 65_536, length $bytes or return;
    }
    return split /\r\n\r\n/, $bytes, 2;
}

sub answer {
    my ($socket) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my ($head, $rest) = read_head($socket) or return;
    my ($method, $what) = $head =~ m{^(\S+) /\w+/(\S*)};
    my ($company) = $head =~ /^X-Company: (.*?)\r?$/m;
    open my $file, '>>', $notes or die;
    syswrite $file, "$method $what @{[$company // '-']}\n";

    my $put = sub {
        my ($bytes) = @_;
        while (length $bytes) {
            my $n = syswrite $socket, $bytes;
            POSIX::_exit(0) if !defined $n;
            substr $bytes, 0, $n, '';
        }
    };
    if ($what eq 'echo') {
        $put->("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n"
               . "Connection: upgrade\r\n\r\n");
        $put->($rest);
        while (sysread $socket, my $bytes, 65_536) { $put->($bytes) }
    } elsif ($what eq 'take') {
        # what came, by length and digest, as it was cut
        my ($chunked) = $head =~ /^Transfer-Encoding: chunked/mi;
        my ($length) = $head =~ /^Content-Length: (\d+)/mi;
        while ($chunked ? $rest !~ /0\r\n\r\n\z/ : length $rest < $length) {
            sysread $socket, $rest, 1 << 20, length $rest or return;
        }
        my $body = $chunked ? '' : $rest;
        while ($chunked && $rest =~ s/^([0-9a-f]+)\r\n//i && hex $1) {
            $body .= substr $rest, 0, hex $1;
            substr $rest, 0, 2 + hex $1, '';
        }
        my $text = length($body) . ' ' . Digest::SHA::sha256_hex($body);
        $put->("HTTP/1.1 200 OK\r\nContent-Length: " . length($text)
               . "\r\n\r\n$text");
    } elsif ($what =~ /^give(\d+)/) {
        $put->("HTTP/1.1 200 OK\r\nContent-Length: $1\r\n\r\n");
        return if $method eq 'HEAD';
        $put->('0123456789abcdef' x 4096) for 1 .. $1 / 65_536;
    } elsif ($what eq 'drip') {
        # one piece for each that has been taken
        $put->("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        $put->("1\r\n$_\r\n") for 1 .. 3;
        sysread $socket, my $bytes, 1;
    } elsif ($what eq 'half') {
        $put->("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhalf of it");
    } elsif ($what eq 'wait') {
        sysread $socket, my $bytes, 1;
        syswrite $file, "gone\n";
    }
    return;
}

$t->launch;

my $key = $demo->{key}{COMPANY};
sub fresh { return $t->key(company => $demo->{company}, scope => 'COMPANY') }
my @refused = ([undef, 401], [$t->random_text(40), 401],
               [$demo->{key}{CHANNEL}, 403]);
my @passing = (fresh(), $key, $key);

sub noted {
    my ($what) = @_;
    return () = slurp($notes) =~ /^$what$/mg;
}


# An upgraded connection: bytes both ways, of which the gate sees none.
my @upgrade = (Upgrade => 'echo', Connection => 'upgrade');
for my $case (@refused) {
    my ($key, $status) = @$case;
    my $client = $t->client;
    $client->send_request(GET => '/upgrade/echo', key => $key,
                          headers => [@upgrade]);
    is($client->read_response('GET')->status, $status, 'no upgrade');
}
is(noted('GET echo .*'), 0, 'which the service has not heard of');
for my $key (@passing) {
    my $client = $t->client;
    # the first bytes come with the request, while the gate asks
    $client->send_raw(EZW::Client::request_bytes(
        GET => '/upgrade/echo', key => $key, headers => [@upgrade])
        . 'early bird');
    my $deadline = time + $client->{timeout};
    while ($client->{buffer} !~ /\r\n\r\n/) {
        last if !$client->fill($deadline);
    }
    my ($head, $rest) = split /\r\n\r\n/, $client->{buffer}, 2;
    like($head, qr{^HTTP/1\.1 101 Switching Protocols\r\n}, 'upgraded');
    like($head, qr/^X-Trace-Id: [0-9a-f]{32}\r?$/m, 'with a trace');
    like($head, qr/^RateLimit: "key";r=\d+;t=\d+\r?$/m, 'and a limit');
    $client->{buffer} = $rest;
    my $sent = 'early bird';
    for my $bytes ('a', "\0\r\n\r\n", 'x' x 100_000, "\xff" x 10, 'end') {
        $client->send_raw($bytes);
        $sent .= $bytes;
        while (length $client->{buffer} < length $sent) {
            last if !$client->fill($deadline);
        }
        ok($client->{buffer} eq $sent, 'its bytes come back: '
           . length $sent);
    }
    $client->close;
}


# Bodies: long ones, in chunks, streamed or buffered.
my $long = join '', map { pack 'N*', map { $_ * 2_654_435_761 % 2 ** 32 }
                          $_ * 4096 .. $_ * 4096 + 4095 } 0 .. 255;
my $chunked = join('', map { sprintf("%x\r\n", length) . "$_\r\n" }
                   unpack '(a50000)*', $long) . "0\r\n\r\n";
my $taken = length($long) . ' ' . Digest::SHA::sha256_hex($long);
for my $way ('stream', 'buffered') {
    for my $key (@passing, fresh()) {
        is($t->http(POST => "/$way/take", key => $key, body => $long)->body,
           $taken, "$way: a long body");
        is($t->http(POST => "/$way/take", key => $key, body => $chunked,
                    headers => { 'Transfer-Encoding' => 'chunked' })->body,
           $taken, "$way: in chunks");
    }
    for my $case (@refused) {
        my ($key, $status) = @$case;
        my $before = noted('.*');
        is($t->http(POST => "/$way/take", key => $key, body => 'x' x 30_000)
            ->status, $status, "$way: a body that nobody takes");
        my $client = $t->client;
        $client->send_request(POST => "/$way/take", key => $key,
                              headers => { Expect => '100-continue',
                                           'Content-Length' => 1_000_000 });
        is($client->read_response('POST')->status, $status,
           "$way: nobody is asked to send it");
        is(noted('.*'), $before, "$way: the service has not heard of it");
    }

    # the connection goes on after a body that was refused
    my $client = $t->client;
    for my $case (@refused, [fresh(), 200], [$key, 200]) {
        my ($key, $status) = @$case;
        my $r = $client->request(POST => "/$way/take", key => $key,
                                 body => 'x' x 20_000);
        is($r->status, $status, "$way: on one connection");
    }

    # answers
    my $size = 64 * 65_536;
    for my $key (@passing, fresh()) {
        my $r = $t->http(GET => "/$way/give$size", key => $key);
        ok($r->body eq '0123456789abcdef' x ($size / 16),
           "$way: a long answer, whole");
        is($r->header('content-length'), $size, "$way: and its length");
        $r = $t->http(HEAD => "/$way/give$size", key => $key);
        is($r->status . $r->body, '200', "$way: HEAD");
        is($r->header('content-length'), $size, "$way: HEAD, and its length");
        like($r->header('ratelimit'), qr/^"key"/, "$way: HEAD has a limit");
    }
    for my $case (@refused) {
        my ($key, $status) = @$case;
        my $r = $t->http(HEAD => "/$way/give$size", key => $key);
        is($r->status . $r->body, $status, "$way: HEAD, refused");
        is($r->header('content-type'), 'application/json', "$way: of JSON");
    }

    # a service that breaks off is not covered up
    my $r = $t->http(GET => "/$way/half", key => $key);
    is($r->status, 0, "$way: half an answer is none");
    like($r->error, qr/closed after \d+ bytes/, "$way: it is cut off");
}


# An answer that comes bit by bit goes out bit by bit.
my $client = $t->client;
$client->send_request(GET => '/stream/drip', key => fresh());
my $deadline = time + $client->{timeout};
my $pieces = '';
while ($pieces ne '123' && $client->fill($deadline)) {
    my ($head, $rest) = split /\r\n\r\n/, $client->{buffer}, 2;
    $pieces = join '', ($rest // '') =~ /^\d\r\n(\d+)\r\n/mg;
}
is($pieces, '123', 'pieces of an answer that has no end');
$client->close;


# Clients that leave: while the gate asks, and while the service works.
my $dbh = $t->dbh;
$dbh->begin_work;
$dbh->do('lock table ezw.api_key in access exclusive mode');
my $before = noted('.*');
my @leaving = map { $t->client } 1 .. 6;
$_->send_request(POST => '/stream/wait', body => 'x' x 1000,
                 key => $t->random_text(40)) for @leaving;
wait_for(sub {
    return $dbh->selectrow_array(q{
        select count(*) from pg_stat_activity
         where wait_event_type = 'Lock' and usename = 'ezw_app'});
}, 10, 'they wait for the lock');
$_->close for @leaving[0 .. 2];
$_->reset for @leaving[3 .. 5];
wait_for(sub { 6 <= (() = $t->access_log =~ m{^499 "POST /stream/wait}mg) }, 10,
         'they have left');
$dbh->rollback;
is($t->http(GET => '/stream/give65536', key => fresh())->status, 200,
   'the next one is served');
is(noted('.*'), $before + 1, 'and of those the service has not heard');

@leaving = map { $t->client } 1 .. 4;
$_->send_request(GET => '/stream/wait', key => fresh()) for @leaving;
wait_for(sub { noted('GET wait .*') == 4 }, 10, 'the service works for four');
$_->close for @leaving[0, 1];
$_->reset for @leaving[2, 3];
wait_for(sub { noted('gone') == 4 }, 10, 'and hears that they have left');

is_deeply([grep { !/ \Q$demo->{company}\E$|^gone$/ } split /\n/,
           slurp($notes)], [], 'nobody came to the service');

done_testing;

END {
    if ($service) {
        local $?;
        kill 'KILL', -$service;
        waitpid $service, 0;
    }
}

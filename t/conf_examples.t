# Every file of conf-examples starts as it stands, with only the addresses and
# paths of this machine put in, and serves; the gate stands in front of another
# service as gate.conf says.

use EZW;
use IO::Socket::INET ();

# What stands in a file, and what stands for it here.
my @here = (
    ['modules/ngx_ezw_module.so', '%%MODULE%%'],
    ['logs/', '%%DIR%%/'],
    ['ezw.password', '%%DIR%%/password'],
    ['tls.crt', '%%T%%/tls.crt'],
    ['tls.key', '%%T%%/tls.key'],
    ['host=/var/run/postgresql', 'host=%%PG_HOST%% port=%%PG_PORT%%'],
    ['dbname=ezw', 'dbname=%%DBNAME%%'],
    ['worker_rlimit_nofile     65536;', ''],    # this machine may allow fewer
    ['set_real_ip_from  10.0.0.0/8', 'set_real_ip_from 127.0.0.1'],
    ['127.0.0.1:9000', '127.0.0.1:%%PORT:service%%'],
    ['127.0.0.1:8080', '127.0.0.1:%%PORT%%'],
    ['127.0.0.1:8443', '127.0.0.1:%%TLS_PORT%%'],
);

my @files = glob "$EZW::ROOT/conf-examples/*.conf";
ok(scalar @files, "there are examples");

for my $file (@files) {
    my ($name) = $file =~ m{([^/]+)$};
    my $text = slurp($file) =~ s/^\s*#.*\n//gmr;
    for (@here) {
        $text =~ s/\Q$_->[0]\E/$_->[1]/g;
    }
    $text =~ s|^http \{|http {
        client_body_temp_path %%DIR%%/temp/body;
        proxy_temp_path %%DIR%%/temp/proxy;
        fastcgi_temp_path %%DIR%%/temp/fastcgi;
        uwsgi_temp_path %%DIR%%/temp/uwsgi;
        scgi_temp_path %%DIR%%/temp/scgi;|m;
    my $tls = $text =~ /TLS_PORT/;

    my $t = EZW->start(config => "%%USER%%\ndaemon off;\n$text");
    my $demo = $t->demo;
    is(wait_for(sub { $t->http(GET => '/readyz', tls => $tls)->status == 200 },
                10, "$name: ready"), 1, "$name: ready");
    my $logs = sub { join '', map { slurp($_) } glob "$t->{dir}/*.log" };
    if ($name eq 'gate.conf') {
        gate($t, $demo, $logs);
        next;
    }

    my $r = $t->http(GET => '/v3/channels', tls => $tls,
                     key => $demo->{key}{COMPANY});
    is($r->status, 200, "$name: serves");
    is($r->json->[0]{jid}, $demo->{channel}, "$name: our channel");

    # A line is written after its answer has left.
    if ($text =~ /access_log(?! +off)/) {
        ok(wait_for(sub { $logs->() =~ / 200 GET "channel_list" / }, 10,
                    "$name: an access log"), "$name: an access log");
    }
    unlike($logs->(), qr/$demo->{key}{COMPANY}/, "$name: no key in the logs");
}

done_testing;


# A service of the team's own on PORT: answers each request with what it got of
# it, and writes its target to FILE. Returns its pid.
sub service {
    my ($port, $file) = @_;

    my $listen = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 16,
        ReuseAddr => 1) or die "port $port: $!";
    my $pid = fork // die "fork: $!";
    return $pid if $pid;

    while (my $client = $listen->accept) {
        my ($method, $target) = split / /, <$client> // next;
        my %got;
        while (my $line = <$client>) {
            my ($name, $value) = $line =~ /^([^:]+):\s*(.*?)\r?\n/ or last;
            push @{ $got{lc $name} }, $value;
        }
        open my $log, '>>', $file;
        print {$log} "$target\n";
        close $log;
        my $body = to_json(\%got);
        print {$client} "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            . 'Content-Length: ' . length($body) . "\r\n"
            . "Connection: close\r\n\r\n$body";
        close $client;
    }
    POSIX::_exit(0);
}

sub gate {
    my ($t, $demo, $logs) = @_;

    my $heard = "$t->{dir}/heard";
    my $pid = service($t->port('service'), $heard);
    my %from = ('X-Forwarded-For' => '203.0.113.7');
    my $get = sub {
        my ($path, $scope, %headers) = @_;
        return $t->http(GET => $path, headers => { %from, %headers },
                        defined $scope ? (key => $demo->{key}{$scope}) : ());
    };
    my %lies = ('X-Company' => 'evil', 'x-key-id' => 'evil',
                'X-Scope' => 'OWNER', 'X_Scope' => 'OWNER');
    # the service's own answer, of a request that came with this key, or from
    # inside with none that counts
    my $is_answer = sub {
        my ($r, $scope, $name) = @_;
        my $key = defined $scope && $demo->{key}{$scope};
        is_answer($r, 200, {
            host => ['localhost'],
            'x-trace-id' => [$r->header('x-trace-id')],
            'x-forwarded-for' => [defined $scope ? '203.0.113.7'
                                                 : '192.168.7.7'],
            $key ? ('x-company' => [$demo->{company}],
                    'x-key-id' => [$t->key_id($key)],
                    'x-scope' => [$scope]) : (),
        }, "gate.conf: $name");
        return;
    };

    my $refuses = sub {
        my ($r, $status, $code, $message, $name) = @_;
        is_refused($r, $status, $code, { message => $message },
                   "gate.conf: $name");
        return $r;
    };

    # who may, and as whom they arrive
    $is_answer->($get->('/daily?from=1', 'COMPANY', %lies), 'COMPANY',
                 'the service learns who asks');
    $is_answer->($get->('/daily?from=2', 'OWNER'), 'OWNER', 'a higher scope');
    my $r = $get->('/daily', 'OWNER');
    like($r->header('ratelimit-policy'), qr/^"key";q=60;w=6$/,
         'gate.conf: its policy is told');
    like($r->header('ratelimit'), qr/^"key";r=\d+;t=\d+$/,
         'gate.conf: and what is left');
    $refuses->($get->('/daily?no=1'), 401, 1001, qr/no API key/, 'no key');
    $refuses->($get->('/daily?no=2', 'CHANNEL'), 403, 1002, qr/./,
               'a lesser scope');

    # the stricter location
    $refuses->($get->('/exports/no', 'COMPANY'), 403, 1002, qr/./,
               'an export is for owners');
    for my $n (1, 2) {
        $is_answer->($get->("/exports/$n", 'OWNER'), 'OWNER', "export $n");
    }
    $r = $refuses->($get->('/exports/no', 'OWNER'), 429, 1003, qr/./,
                    'one export too many');
    cmp_ok($r->header('retry-after'), '>', 5, 'gate.conf: one in ten seconds');
    is($r->header('ratelimit-policy'), '"key";q=2;w=20',
       'gate.conf: of a policy of its own');
    is($get->('/daily?from=3', 'OWNER')->status, 200,
       'gate.conf: elsewhere the owner goes on');

    # from inside without a key, from elsewhere with one
    my @inside = ('X-Forwarded-For' => '192.168.7.7');
    $refuses->($get->('/prices/no'), 401, 1001, qr/no API key/,
               'no key from elsewhere');
    $is_answer->($get->('/prices/1', 'CHANNEL', %lies), 'CHANNEL',
                 'any key from elsewhere');
    $is_answer->($get->('/prices/2', undef, @inside, %lies), undef,
                 'no key from inside, and nobody\'s name');
    $t->sql('update ezw.api_key set enabled = false where id = ?',
            $t->key_id($demo->{key}{COMPANY}));
    wait_for(sub { $get->('/prices/off', 'COMPANY')->status == 401 }, 10,
             'a disabled key');
    is_deeply([split /\n/, slurp($heard)], [
        '/daily?from=1', '/daily?from=2', '/daily', '/exports/1', '/exports/2',
        '/daily?from=3', '/prices/1', '/prices/2',
        grep { $_ eq '/prices/off' } split /\n/, slurp($heard)],
        'gate.conf: nobody else has come through');
    unlink $heard;
    $is_answer->($get->('/prices/3', 'COMPANY', @inside, %lies), undef,
                 'a disabled key from inside gives no name');
    $demo->{key}{ELSEWHERE} = $t->key(
        company => $demo->{company}, scope => 'COMPANY',
        whitelist => '{203.0.113.0/24}');
    $is_answer->($get->('/prices/3', 'ELSEWHERE', @inside, %lies), undef,
                 'nor does one that may not come from there');
    is($t->http(GET => '/readyz')->status, 200, 'gate.conf: no gate there');

    # what is in the log, and what is not
    $get->("/prices/4?page=2", undef, @inside);
    $get->("/prices/5?page=2&ticket=hush-1", undef, @inside);
    $get->("/prices/6?e=1700000000&s=hush-2", undef, @inside);
    $get->("/prices/7?t%69cket=hush-3", undef, @inside);
    $get->("/prices/8?Access_Token=hush-4", undef, @inside,
           Referer => 'https://example.com/?ticket=hush-5');
    my $log = sub { slurp("$t->{dir}/access.log") };
    # each worker writes its lines when their answers have left
    my @prices;
    wait_for(sub {
        @prices = $log->() =~ m{ 200 (GET /prices/[4-8]\S*) }g;
        return @prices >= 5 && $log->() =~ m{ GET /daily\?from=1 }
            && $log->() =~ m{ 429 GET /exports/no };
    }, 60, 'gate.conf: its log');
    is_deeply([sort @prices],
              ['GET /prices/4?page=2', map { "GET /prices/$_?-" } 5 .. 8],
              'gate.conf: paths, and harmless queries, are in the log');
    like($log->(), qr{^203\.0\.113\.7 \[\S+\] 200 GET /daily\?from=1 .* gate=ok company=$demo->{company} key=\S{36}$}m,
         'gate.conf: who asked is in the log');
    like($log->(), qr{ 429 GET /exports/no .* gate=rate },
         'gate.conf: and why not');
    my $secret = join '|', 'hush', values %{ $demo->{key} };
    unlike($logs->(), qr/$secret/, 'gate.conf: no secret is in a log');

    is(slurp($heard), join('', map { "$_\n" }
           '/prices/3', '/prices/3', '/prices/4?page=2', '/prices/5?page=2&ticket=hush-1',
           '/prices/6?e=1700000000&s=hush-2', '/prices/7?t%69cket=hush-3',
           '/prices/8?Access_Token=hush-4'),
       'gate.conf: the service gets all of it');
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

# TLS to Postgres, verified: the right CA and name work, anything else is
# refused with a reason in the log; the password comes from a file.

use EZW;
use EZW::Tls;

my $dir = "$EZW::RUNS/tls_postgres-ca";
my $tls = EZW::Tls->new($dir);
$tls->authority('right');
$tls->authority('wrong');
$tls->certificate('server', by => 'right', names => ['localhost']);
$tls->certificate('other', by => 'right', names => ['elsewhere.example']);
EZW::Postgres::own($tls->file("$_.key")) for qw(server other);

my $port = EZW::claim_port();
my $postgres = EZW->private_postgres(
    tcp => $port,
    conf => ['ssl = on', "ssl_cert_file = '$dir/server.crt'",
             "ssl_key_file = '$dir/server.key'"],
    hba => ['hostnossl all all 127.0.0.1/32 reject']);

my %tcp = (postgres => $postgres, pg_host => 'localhost', pg_port => $port,
           workers => 1);
my $t = EZW->start(%tcp, sslmode => 'verify-full',
                   database => "sslrootcert=$dir/right.crt");
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $base = "/v3/channels/$demo->{channel}";

is($t->http(GET => '/readyz')->status, 200, 'verify-full with the right CA');
is_json([map { @$_ } $t->sql(
    q{select distinct s.version from pg_stat_ssl s
        join pg_stat_activity a using (pid) where a.usename = 'ezw_app'})],
    ['TLSv1.3'], 'every connection is encrypted');

my @sent = $t->parallel(map {
    [POST => "$base/messages/" . $t->contact_jid, key => $key,
     json => { type => 'text', body => "\x{1f600}" x 4096 }]
} 1 .. 60);
is(scalar(grep { $_->status == 201 } @sent), 60, 'sends');
wait_for(sub { !$t->value('select count(*) from ezw.outbox') }, 20,
         'all are delivered');

# more than fits in one TLS record, or in a socket's buffer
$t->sql(q{insert into ezw.channel (company, id, jid, domain, connector, name,
                                   lifecycle_state)
          select ?, gen_random_uuid(), 316110000000 + n
                 || '@whatsapp.eazy.im', 'whatsapp', 'sandbox',
                 repeat('n', 200), 'connected'
            from generate_series(1, 40000) n}, $demo->{company});
for my $n (1 .. 2) {
    # the first answer ends at 8 MB, another one has the rest
    my $r = $t->http(GET => '/v3/channels', key => $key);
    is($r->status, 200, 'a list of 10 MB');
    my $rest = $t->http(GET => '/v3/channels?cursor='
                            . $r->header('x-next-cursor'), key => $key);
    cmp_ok(length($r->body) + length $rest->body, '>', 10_000_000,
           'of 10 MB');
    is(scalar(() = ($r->body . $rest->body) =~ /"jid":/g), 40_001,
       'all of it');
}
my @lists = $t->parallel((map { [GET => '/v3/companies/current', key => $key] }
                          1 .. 20),
                         [GET => '/v3/channels', key => $key],
                         map { [GET => '/v3/companies/current', key => $key] }
                         1 .. 20);
is(scalar(grep { $_->status == 200 } @lists), 41, 'beside short ones');

# connections that are cut
for my $n (1 .. 5) {
    $t->sql(q{select pg_terminate_backend(pid) from pg_stat_activity
               where usename = 'ezw_app'});
    is(($t->parallel([GET => '/v3/companies/current', key => $key]))[0]->status,
       200, 'cut and connected anew');
}

# What another configuration comes to: ready, or why not.
sub outcome {
    my ($name, $ready, $reason, %o) = @_;

    my $n = EZW->start(%tcp, like => $t, ready => 0, %o);
    my $log = wait_for(sub {
        my $log = $n->error_log;
        return $log if $n->http(GET => '/readyz')->status == 200;
        return $log =~ /postgres: connecting failed \(3 in a row\)/ && $log;
    }, 10, "$name: an outcome");
    my $readyz = $n->http(GET => '/readyz');
    is($readyz->status, $ready ? 200 : 503, $name) or diag $log;
    if (!$ready) {
        is($readyz->json->{reason}, 'the database cannot be reached',
           "$name: /readyz tells no more than that");
        like($log, $reason, "$name: the log tells why");
        is_refused($n->http(GET => '/v3/keys/current', key => $key), 503, 1003,
                   {}, "$name: no service");
        is($n->http(GET => '/healthz')->status, 200, "$name: alive");
    }
    $n->stop;
    return $n;
}

my $ca = "sslrootcert=$dir/right.crt";
outcome('the wrong CA', 0, qr/certificate verify failed/,
        sslmode => 'verify-full', database => "sslrootcert=$dir/wrong.crt");
outcome('no CA file', 0, qr/root certificate file .* does not exist/,
        sslmode => 'verify-full', database => "sslrootcert=$dir/none.crt");
outcome('no TLS', 0, qr/no encryption|pg_hba.conf rejects/,
        sslmode => 'disable');
outcome('unverified', 1, undef, sslmode => 'require');
outcome('the CA only', 1, undef, sslmode => 'verify-ca', database => $ca);
# a certificate's names, not addresses
outcome('an address where the certificate has a name', 0,
        qr/does not match host name/, pg_host => '127.0.0.1',
        sslmode => 'verify-full', database => $ca);

# a server that has another's certificate
$t->stop;
delete $t->{dbh};
EZW::Postgres::append("$postgres->{dir}/data/postgresql.conf",
                      "ssl_cert_file = '$dir/other.crt'",
                      "ssl_key_file = '$dir/other.key'");
$postgres->restart;
outcome('another\'s certificate', 0, qr/does not match host name/,
        sslmode => 'verify-full', database => $ca);
outcome('another\'s certificate, the CA only', 1, undef,
        sslmode => 'verify-ca', database => $ca);

# a password that is wrong
my $wrong = EZW->start(%tcp, like => $t, start => 0, sslmode => 'require',
                       ready => 0);
my $secret = $t->random_text(30);
EZW::write_file("$wrong->{dir}/password", "$secret\n", 0600);
$wrong->launch;
wait_for(sub { $wrong->error_log =~ /password authentication failed/ }, 10,
         'a wrong password is refused');
is($wrong->http(GET => '/readyz')->status, 503, 'a wrong password: not ready');
unlike($wrong->error_log . slurp("$wrong->{dir}/output"), qr/\Q$secret\E/,
       'a wrong password: it is told to nobody');

# settings that make no sense
for (['sslmode=prefer', qr/fall back to plain text/],
     ['sslmode=verify-full', qr/needs sslrootcert=/],
     ['', qr/needs sslrootcert=/])
{
    my ($mode, $why) = @$_;
    my $bad = EZW->start(%tcp, like => $t, start => 0,
                         allow => [qr/\[emerg\]/]);
    my $config = slurp("$bad->{dir}/nginx.conf") =~ s/sslmode=disable/$mode/r;
    $bad->write_config($config);
    my ($ok, $output) = $bad->config_test;
    ok(!$ok, "\"$mode\" fails nginx -t");
    like($output, $why, 'and why');
}

done_testing;

# Issuers that answer nonsense, or are not who they say: none of their tokens
# is taken, none of them hurts another.
# sanitizers

use EZW;
use EZW::Issuer;
use EZW::Stall;
use EZW::Tls;
use IO::Socket::INET ();
use Time::HiRes qw(time);

my $session = '/api/auth/session';
my $dir = "$EZW::RUNS/issuer_untrusted";

my $good = EZW::Issuer->start_trusted(
    port => EZW::claim_port(), dir => "$dir-good", kids => { key => 'ES256' });

# one that has a path for each kind of nonsense
my %nonsense = (
    garbage => qr/the key set is no JSON object/,
    empty => qr/it answered nothing/,
    error => qr/it answered 500/,
    redirect => qr/it answered 302/,
    big => qr/the answer is too large/,
    endless => qr/the answer is too large/,
    headers => qr/the answer is too large/,
    cut => qr/transfer closed with \d+ bytes remaining to read/,
    not_http => qr{Received HTTP/0\.9 when not allowed},
    drip => qr/there was no answer in time/,
    hang => qr/there was no answer in time/,
);
my $bad = EZW::Issuer->start_trusted(
    port => EZW::claim_port(), dir => "$dir-bad", kids => { key => 'ES256' });
$bad->fail_at($_, "/$_") for keys %nonsense;

# servers with something wrong about their TLS
my $tls = EZW::Tls->new("$dir-tls");
$tls->authority($_) for qw(right wrong);
$tls->certificate('server', by => 'right', names => ['localhost']);
$tls->certificate('elsewhere', by => 'right', names => ['elsewhere.test']);
$tls->certificate('expired', by => 'right', names => ['localhost'],
                  expired => 1);
$tls->certificate('unknown', by => 'wrong', names => ['localhost']);
my %servers = (
    elsewhere => [qr/does not match|no alternative .* name matches/,
                  certificate => $tls->file('elsewhere')],
    expired => [qr/certificate has expired/,
                certificate => $tls->file('expired')],
    unknown => [qr/unable to get local issuer certificate/,
                certificate => $tls->file('unknown')],
    plain => [qr/wrong version number|packet length/, plain => 1],
    old => [qr/unsupported protocol|protocol version/,
            tls => { SSL_version => 'TLSv1_1',
                     SSL_cipher_list => 'ALL:@SECLEVEL=0' }],
    no_tls => [qr/SSL connection timeout/],
);

my %expected = map { $bad->issuer("/$_") => $nonsense{$_} } keys %nonsense;
my @directives = ($good->directive, map { $bad->directive("/$_") }
                  keys %nonsense);
my %asked;
for my $name (sort keys %servers) {
    my ($reason, @options) = @{ $servers{$name} };
    my $server = EZW::Issuer->start(
        port => EZW::claim_port(), dir => "$dir-$name",
        certificate => $tls->file('server'), trust => $tls->file('right.crt'),
        keys => $good->{keys}, @options);
    $server->publish('key');
    $server->behave('no_tls') if $name eq 'no_tls';
    push @directives, $server->directive;
    $expected{ $server->issuer } = $reason;
    $servers{$name} = $server;
}

# by the system's authorities, which do not know ours
delete local $bad->{trust};
push @directives, $bad->directive('/system');
$expected{ $bad->issuer('/system') } = qr/unable to get local issuer cert/;

# one whose machine takes no more connections
my $full = EZW::claim_port();
my @full = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $full,
                                 Listen => 1, ReuseAddr => 1);
push @full, map {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $full,
                          Blocking => 0)
} 1 .. 4;
push @directives, "ezw_token_issuer https://localhost:$full/ audience=a;";
$expected{"https://localhost:$full/"} = qr/timeout|Failed to connect/;

my $t = EZW->start(workers => 1, http => join "\n", @directives);
$t->user(company => $t->company, email => 'ann@example.com');
my %ann = (sub => 'ann', email => 'ann@example.com');

my @issuers = sort keys %expected;
my @tokens = map { $bad->token('key', %ann, iss => $_) } @issuers;
my @known = map { $good->token('key', %ann) } 1 .. 30;

# (Those who must fetch all they know at once on a slow machine.)
wait_for(sub { $t->http(GET => $session, key => $known[0])->status == 200 }, 60,
         'the keys of the good one');
my $stall = EZW::Stall->start($t);
my $began = time;
my @clients = map {
    my $client = $t->client;
    $client->send_request(GET => $session, key => $_);
    $client;
} @tokens;
my @good = map { $t->http(GET => $session, key => $_)->status } @known;
my $meanwhile = time - $began;
my @r = map { $_->read_response('GET') } @clients;
my $took = time - $began;
my $lost = $stall->seconds;

for my $i (0 .. $#issuers) {
    my $name = quotemeta $issuers[$i];
    is($r[$i]->status, 503, "no keys of $issuers[$i]")
        or diag($r[$i]->as_text);
    # at a later try, where the first was over before its server had got on
    my $reason = qr/ issuer $name: keys not fetched .*: .*$expected{$issuers[$i]}/;
    ok(eval { wait_for(sub { $t->error_log =~ $reason }) }, 'for a reason')
        or diag join "\n", grep { / issuer $name: / } split /\n/, $t->error_log;
}
cmp_ok($took, '<', 5 + 2 * $EZW::Expect::PATIENCE + $lost,
       'all within the deadline');
is(scalar(grep { $_->[2] =~ m{^/moved} } $bad->requests), 0,
   'no redirect is followed');
is($servers{$_}->fetches, 0, "nothing is asked of a server: $_")
    for qw(elsewhere expired unknown old);
is_deeply(\@good, [(200) x 30], 'tokens of a good issuer meanwhile');
cmp_ok($meanwhile, '<', 3 * $EZW::Expect::PATIENCE + $lost, 'wait for nothing');

# each is asked with pauses that grow, however many tokens there are
sub failures {
    my $name = quotemeta $bad->issuer('/error');
    return scalar(() = $t->error_log =~ /issuer $name: keys not fetched/g);
}
my $failures = failures();
my @answers = map {
    $t->http(GET => $session, key => $bad->token(
        'key', %ann, iss => $bad->issuer('/error')))->status
} 1 .. 10;
is_deeply(\@answers, [(503) x 10], 'ten tokens one after the other');
cmp_ok(failures(), '<=', $failures + 1, 'make no more attempts');

done_testing;

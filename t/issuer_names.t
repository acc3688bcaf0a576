# Where an issuer is called: its name comes from nginx's resolver or the
# machine's own table, and its address must be one that may be called.

use EZW;
use EZW::DnsServer;
use EZW::Issuer;

my $session = '/api/auth/session';
my $dir = "$EZW::RUNS/issuer_names";

my $issuer = EZW::Issuer->start_trusted(
    port => EZW::claim_port(), dir => "$dir-issuer", kids => { key => 'ES256' },
    host_name => 'issuer.test');
my $dns = EZW::DnsServer->start(
    port => EZW::claim_port(), dir => "$dir-dns",
    names => { 'issuer.test' => ['127.0.0.1'] });
my $resolver = "resolver 127.0.0.1:$dns->{port} valid=1s;";
my $directive = $issuer->directive(undef, 'refresh=1s');

sub status {
    my ($t) = @_;
    return $t->http(
        GET => $session,
        key => $issuer->token('key', sub => 'ann', email => 'ann@example.com')
    )->status;
}

# it asks once, having no reason to ask again soon
my $t = EZW->start(workers => 1, http => "$resolver " . $issuer->directive);
$t->user(company => $t->company, email => 'ann@example.com');
is(status($t), 200, 'a name of the resolver');
is_json([sort($dns->queries)], ['A issuer.test', 'AAAA issuer.test'],
        'asked for once');

# of several addresses one does not answer
$dns->set_names({ 'issuer.test' => ['127.0.0.9', '::1', '127.0.0.1'] });
my $other = EZW->start(workers => 1, like => $t,
                       http => "$resolver $directive");
is(status($other), 200, 'an address that does not answer is not the end');
$other->stop;

# names that lead where nobody may go
for my $case ([['169.254.169.254'], 'a link-local address'],
              [['127.0.0.1', '169.254.1.1'], 'a link-local address'],
              [['168.63.129.16'], "a cloud's metadata address"],
              [['0.0.0.0'], 'an unspecified address'],
              [['224.0.0.1'], 'a multicast address'],
              [['fe80::1'], 'a link-local address'],
              [['::ffff:169.254.169.254'], 'a link-local address'],
              [['64:ff9b::a9fe:a9fe'], 'a link-local address'],
              [['fd00:ec2::254'], "a cloud's metadata address"])
{
    my ($addresses, $reason) = @$case;
    $dns->set_names({ 'issuer.test' => $addresses });
    my $connections = $issuer->connections;
    $other = EZW->start(workers => 1, like => $t,
                        http => "$resolver $directive");
    is(status($other), 503, "@$addresses");
    like($other->error_log,
         qr/keys not fetched .*: issuer\.test: \Q$reason\E$/m, $reason);
    is(scalar($issuer->connections), $connections, 'not even a connection');
    $other->stop;
}

# a name that changes its mind: keys stay, and nobody is called
$dns->set_names({ 'issuer.test' => ['127.0.0.1'] });
$t->stop;
$t = EZW->start(workers => 1, like => $t, http => "$resolver $directive");
is(status($t), 200, 'before');
$dns->set_names({ 'issuer.test' => ['169.254.169.254'] });
my $log = length $t->error_log;
wait_for(sub {
    return substr($t->error_log, $log) =~ /issuer\.test: a link-local/;
}, 10, 'a refusal');
my $connections = $issuer->connections;
my $refused = () = $t->error_log =~ /issuer\.test: a link-local/g;
wait_for(sub {
    return $refused < (() = $t->error_log =~ /issuer\.test: a link-local/g);
}, 10, 'another');
is(scalar($issuer->connections), $connections, 'no connection to either');
is(status($t), 200, 'the keys at hand go on');

# no answer, no such name, no resolver
$dns->set_names({});
$other = EZW->start(workers => 1, like => $t, http => "$resolver $directive");
is(status($other), 503, 'no such name');
like($other->error_log, qr/: issuer\.test: Host not found/, 'says why');
$other->stop;
$dns->set_names(undef);
$other = EZW->start(workers => 1, like => $t, http => "$resolver $directive");
is(status($other), 503, 'no answer');
like($other->error_log, qr/: issuer\.test: Operation timed out/, 'says why');
$other->stop;
$other = EZW->start(workers => 1, like => $t, http => $directive);
is(status($other), 503, 'no resolver');
like($other->error_log,
     qr/: issuer\.test: it is not in \S+ and no "resolver" is configured$/m,
     'says what to do');

done_testing;

# Tokens with keys that nobody knows make a fetch every thirty seconds at most,
# for as long as they come.

use EZW;
use EZW::Issuer;

my $issuer = EZW::Issuer->start_trusted(
    port => EZW::claim_port(), dir => "$EZW::RUNS/issuer_bound-issuer",
    kids => { key => 'ES256' });
$issuer->make_key(strange => 'ES256');

my $t = EZW->start(workers => 1, http => $issuer->directive);
$t->user(company => $t->company, email => 'ann@example.com');

sub token {
    my ($kid, %o) = @_;
    return $issuer->token($kid, sub => 'ann', email => 'ann@example.com', %o);
}

sub status {
    my ($token) = @_;
    return $t->http(GET => '/api/auth/session', key => $token)->status;
}

is(status(token('key')), 200, 'a key');
is($issuer->fetches, 1, 'one fetch');

my @tokens = map { token("kid$_", by => 'strange') } 1 .. 50;
my (%count, $n);
wait_for(sub {
    $count{ status($tokens[$n++ % @tokens]) }++;
    return $issuer->fetches == 4;
}, 80, 'three fetches for unknown keys');
is_json([keys %count], ['401'], "$n tokens are refused");
my @at = map { $_->[0] } $issuer->requests;
cmp_ok($at[$_] - $at[$_ - 1], '>', 29.5, 'thirty seconds after the one before')
    for 2, 3;

# and a key that is new by then is found
$issuer->publish('key', 'strange');
is(status(token('key')), 200, 'the old key');
wait_for(sub { status(token('strange')) == 200 }, 40, 'the new key');

done_testing;

# The keys of an outside issuer: fetched in the background, kept while it is
# away, asked for at a bounded rate.
# sanitizers

use EZW;
use EZW::Issuer;
use EZW::Stall;
use Time::HiRes qw(time);

my $session = '/api/auth/session';

my $issuer = EZW::Issuer->start_trusted(
    port => EZW::claim_port(), dir => "$EZW::RUNS/issuer_keys-issuer",
    kids => { first => 'RS256', second => 'ES256' });
$issuer->make_key($_ => 'ES256') for qw(third strange);

# how many fetches have failed
sub failures {
    my ($t) = @_;
    return scalar(() = $t->error_log =~ /keys not fetched/g);
}

sub token {
    my ($kid, %o) = @_;
    return $issuer->token($kid, sub => 'ann', email => 'ann@example.com', %o);
}

sub status {
    my ($t, $kid, %o) = @_;
    return $t->http(GET => $session, key => token($kid, %o))->status;
}

sub statuses {
    my ($t, @tokens) = @_;
    my %count;
    $count{ $_->status }++
        for $t->parallel(map { [GET => $session, key => $_] } @tokens);
    return \%count;
}


# New keys --------------------------------------------------------------------

my $t = EZW->start(workers => 1, http => $issuer->directive);
$t->user(company => $t->company, email => 'ann@example.com');

wait_for(sub { $issuer->fetches == 1 }, 5, 'a fetch before there is a token');
is_json(statuses($t, map { token($_) } ('first', 'second') x 10),
        { 200 => 20 }, 'known keys');
is($issuer->fetches, 1, 'cost no fetch');

my @tokens = map { token('third') } 1 .. 20;
$issuer->publish('second', 'third');
is_json(statuses($t, @tokens), { 200 => 20 }, 'a new key');
is($issuer->fetches, 2, 'costs one fetch, whoever waits for it');
is(status($t, 'first'), 401, 'a key that is gone signs no more');

is_json(statuses($t, map { token("kid$_", by => 'strange') } 1 .. 30),
        { 401 => 30 }, 'keys that nobody knows');
is($issuer->fetches, 2, 'cost no fetch so soon after another');


# The first fetch comes by a timer within half a second, or by a token before: a
# key that is not in a set that was fetched for it is not asked for again.
my $tries = 0;
wait_for(sub {
    die "always two fetches\n" if ++$tries > 12;
    my $before = $issuer->fetches;
    my $early = EZW->start(workers => 1, like => $t,
                           http => $issuer->directive);
    my $answer = status($early, 'strange');
    my $asked = $issuer->fetches - $before;
    $early->stop;
    die "$answer after $asked fetches\n" if $answer != 401 || $asked > 2;
    return $asked == 1;
}, 60, 'a token before the first fetch');


# A fetch that hangs ----------------------------------------------------------

my $slow = EZW->start(workers => 1, like => $t, http => $issuer->directive);
is(status($slow, 'second'), 200, 'known');
my $fetches = $issuer->fetches;
$issuer->fail_at('hang');
my @waiting = map { $slow->client } 1 .. 3;
my @known = map { token('second') } 1 .. 20;
my $stall = EZW::Stall->start($slow);
my $began = time;
$_->send_request(GET => $session, key => token('strange')) for @waiting;
wait_for(sub { $issuer->fetches > $fetches }, 5, 'a fetch under way');

# one of them goes away
(pop @waiting)->close;
is_json(statuses($slow, @known), { 200 => 20 }, 'known keys meanwhile');
cmp_ok(time - $began, '<', 3 * $EZW::Expect::PATIENCE + $stall->seconds,
       'which wait for nothing');
is($_->read_response('GET')->status, 401, 'unknown at the deadline')
    for @waiting;
my $took = time - $began;
cmp_ok($took, '>', 4.5, 'which is five seconds');
cmp_ok($took, '<', 5 + 2 * $EZW::Expect::PATIENCE + $stall->seconds,
       'and not more');
is($issuer->fetches, $fetches + 1, 'one fetch for all of them');
is(status($slow, 'second'), 200, 'known for as long as it takes');

# a fetch by age hangs: who has waited for it does not wait for another, and the
# end waits for both
ok($slow->stop('TERM'), 'an end at once');
my $ending = EZW->start(workers => 1, like => $t,
                        http => $issuer->directive(undef, 'refresh=1s'));
$issuer->fail_at('ok');
is(status($ending, 'second'), 200, 'known');
$issuer->fail_at('hang');
$fetches = $issuer->fetches;
wait_for(sub { $issuer->fetches > $fetches }, 10, 'a fetch by age');
my $client = $ending->client;
$stall = EZW::Stall->start($ending);
$began = time;
$client->send_request(GET => $session, key => token('strange'));
my $ended = $ending->stop;
ok($ended, 'a graceful end while a fetch hangs');
cmp_ok(time - $began, '<', 5 + 4 * $EZW::Expect::PATIENCE + $stall->seconds,
       'after its deadline');
is($client->read_response('GET')->status, 401, 'and an answer');
$issuer->fail_at('ok');


# The issuer is away ----------------------------------------------------------

$issuer->stop;
is(status($t, 'second'), 200, 'the keys at hand go on');

my $lonely = EZW->start(workers => 1, like => $t, http => $issuer->directive);
is(status($lonely, 'second'), 503, 'no keys at all');
wait_for(sub { failures($lonely) >= 2 }, 20, 'it asks again');
$issuer->resume;
wait_for(sub { status($lonely, 'second') == 200 }, 20, 'the issuer is back');
like($lonely->error_log,
     qr/\[warn\].* keys not fetched \(1 in a row, there are none\): Failed to/,
     'a warning');
is(scalar(() = $lonely->error_log =~ /\[warn\].* keys not fetched/g), 1,
   'and not one each time');
like($lonely->error_log, qr/\[notice\].* keys fetched after \d+ failures/,
     'until it is over');


# By age ----------------------------------------------------------------------

my $quick = EZW->start(workers => 1, like => $t,
                       http => $issuer->directive(undef, 'refresh=1s'));
is(status($quick, 'second'), 200, 'before');
$fetches = $issuer->fetches;
$issuer->publish('third');
wait_for(sub { $issuer->fetches > $fetches + 1 }, 10, 'two fetches by age');
is(status($quick, 'third'), 200, 'the new key');
is(status($quick, 'second'), 401, 'not the old one');

for my $behaviour (qw(garbage error cut)) {
    my $failed = failures($quick);
    $issuer->fail_at($behaviour);
    wait_for(sub { failures($quick) > $failed }, 20, "it fails: $behaviour");
    is(status($quick, 'third'), 200, "the key stays: $behaviour");
    my $back = () = $quick->error_log =~ /keys fetched after/g;
    $issuer->fail_at('ok');
    wait_for(sub { $back < (() = $quick->error_log =~ /keys fetched after/g) },
             20, 'it is well again');
}
$issuer->publish;
wait_for(sub { status($quick, 'third') == 401 }, 10,
         'an empty set is one too');
$issuer->publish('third');
wait_for(sub { status($quick, 'third') == 200 }, 10, 'a key again');

$quick->reload(wait_old => 1);
is(status($quick, 'third'), 200, 'after a reload');
ok($quick->stop, 'an end');

done_testing;

# Workers killed under load: the others go on, the shared zone stays usable,
# what was acknowledged is there once, and what a dead worker's courier held is
# delivered when its lease is over.

use EZW;

my $t = EZW->start(workers => 3, allow_kill => 1);
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $base = "/v3/channels/$demo->{channel}";
my @contacts = map { $t->contact_jid } 1 .. 12;

my $load = $t->load(clients => 9, request => sub {
    my ($n) = @_;
    my $contact = $contacts[$n % @contacts];
    return $n % 4 == 3
        ? [GET => '/v3/keys/current', key => $key]
        : [POST => "$base/messages/$contact", key => $key,
           json => { type => 'text', body => "message $n" }];
});

# the one that watches the changes is among them
my $leaders = 0;
for my $n (1 .. 8) {
    my $sent = $t->value('select count(*) from ezw.message');
    wait_for(sub {
        return $t->value('select count(*) from ezw.message') > $sent + 20;
    }, 10, 'load');
    my ($leader) = reverse $t->error_log
        =~ / \[notice\] (\d+)#\d+: this worker watches/g;
    my ($alive) = grep { $_ == ($leader // 0) } $t->worker_pids;
    my $killed = $t->kill_worker(KILL => $n % 2 ? undef : $alive);
    $leaders++ if defined $alive && $killed == $alive;
}
my @responses = $load->stop;
cmp_ok($leaders, '>=', 1, 'a leader was among the killed');

my @bad = grep {
    $_->status != 200 && $_->status != 201 && $_->status != 0
} @responses;
is(scalar(@bad), 0, 'no wrong answer')
    or diag map { $_->as_text . "\n" } splice @bad, 0, 5;
my $cut = grep { $_->status == 0 } @responses;
cmp_ok($cut, '<=', 8 * 9, "only who was with a killed worker: $cut");

my %acknowledged = map { $_->json->{id} => $_->{request}[-1]{body} }
    grep { $_->status == 201 } @responses;
my %stored = map { @$_ } $t->sql(
    q{select encode(id, 'hex'), body->>'body' from ezw.message
       where direction = 'OUT'});
is(scalar(grep { ($stored{$_} // '') ne $acknowledged{$_} }
          keys %acknowledged), 0, 'what was acknowledged is there');
# a client that was cut off before any answer has sent it once more itself
my %may = map { $_->{request}[-1]{body} => 1 }
    grep { $_->{retried} && $_->{request}[0] eq 'POST' } @responses;
my %times;
$times{$_}++ for values %stored;
is(scalar(grep { $times{$_} > 1 && !$may{$_} } keys %times), 0, 'and once');
is(scalar(grep { $_ > 2 } values %times), 0, 'never more often than sent');

# the zone
for my $n (1 .. 5) {
    my $fresh = $t->key(company => $demo->{company}, scope => 'CHANNEL',
                        channels => [$demo->{channel}]);
    is($t->http(GET => '/v3/keys/current', key => $fresh)->json->{id},
       $t->key_id($fresh), 'a new key is known');
    is($t->http(GET => '/v3/keys/current',
                key => $t->random_text(40))->status, 401, 'a wrong one is not');
}
is(scalar($t->worker_pids), 3, 'three workers');

# Leases last longer than a test: they end now. t/all/lease.t waits.
sub end_leases {
    $t->sql('update ezw.outbox set due_at = now() where claimed_by is not null');
    return;
}

sub all_delivered {
    end_leases();
    wait_for(sub { !$t->value('select count(*) from ezw.outbox') }, 20,
             'all is delivered');
    return $t->value(q{
        select count(*) filter (where direction = 'OUT' and status = 'DELIVERED')
                 = count(*) filter (where direction = 'OUT')
           and count(*) filter (where direction = 'OUT')
                 = count(*) filter (where direction = 'IN')
          from ezw.message});
}

ok(all_delivered(), 'each message is delivered and has its one echo');

# killed with a claim in its hands
my $other = $t->{postgres}->dbh($t->{dbname});
$other->begin_work;
$other->do('lock table ezw.provider_message in share mode');
my $contact = $contacts[0];
my $conversation = $t->value(
    'select id from ezw.conversation where contact_jid = ?', $contact);
my $sent = $t->http(POST => "$base/messages/$contact", key => $key,
                    json => { type => 'text', body => 'held' });
is($sent->status, 201, 'a message');
my $claim = wait_for(sub {
    return $t->value(q{select claimed_by from ezw.outbox
                        where conversation = ? and claimed_by is not null},
                     $conversation);
}, 5, 'a claim');
my ($pid) = $claim =~ /:(\d+):/ or die $claim;
kill 'KILL', $pid;
wait_for(sub {
    my @now = $t->worker_pids;
    return @now == 3 && !grep { $_ == $pid } @now;
}, 10, 'its successor');
$other->rollback;
is($t->value('select claimed_by from ezw.outbox where conversation = ?',
             $conversation), $claim, 'the claim is still the dead one\'s');
ok(all_delivered(), 'then it is delivered, with one echo');

done_testing;

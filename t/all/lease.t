# What a killed worker's courier held is delivered when its lease is over, and
# nobody helps.

use EZW;

my $t = EZW->start(allow_kill => 1);
my $demo = $t->demo;
my $other = $t->{postgres}->dbh($t->{dbname});
$other->begin_work;
$other->do('lock table ezw.provider_message in share mode');
my $sent = $t->http(POST => "/v3/channels/$demo->{channel}/messages/"
                        . $demo->{contact}, key => $demo->{key}{COMPANY},
                    json => { type => 'text', body => 'held' });
is($sent->status, 201, 'a message');
my $claim = wait_for(sub {
    return $t->value('select claimed_by from ezw.outbox
                       where claimed_by is not null');
}, 5, 'a claim');
my ($pid) = $claim =~ /:(\d+):/ or die $claim;
kill 'KILL', $pid;
wait_for(sub {
    my @now = $t->worker_pids;
    return @now == 2 && !grep { $_ == $pid } @now;
}, 10, 'its successor');
$other->rollback;

wait_for(sub { !$t->value('select count(*) from ezw.outbox') }, 60,
         'the lease is over');
is($t->value('select status from ezw.message where id = ?',
             { hex => $sent->json->{id} }), 'DELIVERED', 'it is delivered');
is($t->value(q{select count(*) from ezw.message where direction = 'IN'}), 1,
   'one echo');

done_testing;

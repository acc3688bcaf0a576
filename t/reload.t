# Twenty reloads under load: no request fails, old workers leave promptly, and
# what the key zone holds is kept.

use EZW;
use Time::HiRes qw(time);

my $t = EZW->start;
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $base = "/v3/channels/$demo->{channel}";
my @contacts = map { $t->contact_jid } 1 .. 10;
my %ever = map { $_ => 1 } $t->worker_pids;

my $load = $t->load(clients => 8, request => sub {
    my ($n) = @_;
    my $contact = $contacts[$n % @contacts];
    return $n % 3 == 2
        ? [GET => '/v3/keys/current', key => $key]
        : [POST => "$base/messages/$contact", key => $key,
           json => { type => 'text', body => "message $n" }];
});
wait_for(sub { $t->value('select count(*) from ezw.message') > 50 }, 10, 'load');

my @took;
for my $n (1 .. 20) {
    my $began = time;
    $t->reload(wait_old => 1);
    push @took, time - $began;
    $ever{$_} = 1 for $t->worker_pids;
}
my @responses = $load->stop;

is(scalar(keys %ever), 42, 'new workers each time');
# one or the other may have met a moment in which the machine did nothing
@took = sort { $a <=> $b } @took;
cmp_ok($took[@took / 2], '<', 3 * $EZW::Expect::PATIENCE,
       'old workers leave promptly');
cmp_ok($took[-1], '<', 20 * $EZW::Expect::PATIENCE, 'each of them');
my @bad = grep { $_->status != 200 && $_->status != 201 } @responses;
is(scalar(@bad), 0, 'no request failed')
    or diag map { "$_->{request}[0] " . $_->as_text . "\n" }
        splice @bad, 0, 5;
cmp_ok(scalar(@responses), '>', 400, 'there was load');

my %id = map { $_->json->{id} => 1 } grep { $_->status == 201 } @responses;
is($t->value('select count(*) from ezw.message where encode(id, \'hex\')
              = any (?)', [keys %id]), scalar(keys %id),
   'what was acknowledged is there');
is(scalar($t->worker_pids(1)), 2, 'no old worker is left');
wait_for(sub {
    return $t->value(q{select count(*) from pg_stat_activity
                        where usename = 'ezw_app'
                          and datname = current_database()}) <= 8;
}, 10, 'their connections are gone');
is($t->http(GET => '/v3/keys/current', key => $key)->status, 200, 'it serves');

# what the old workers had begun they have done: no lease has to expire
wait_for(sub { !$t->value('select count(*) from ezw.outbox') }, 15,
         'the couriers are through');
is($t->value(q{select count(*) from ezw.message
                where direction = 'OUT' and status <> 'DELIVERED'}), 0,
   'all is delivered');
is($t->value(q{select count(*) from ezw.message where direction = 'IN'}),
   $t->value(q{select count(*) from ezw.message where direction = 'OUT'}),
   'each has its one echo');

# a zone of another size begins empty
my $config = slurp("$t->{dir}/nginx.conf");
$config =~ s/zone=ezw_keys:10m/zone=ezw_keys:4m/ or die;
$t->write_config($config);
$t->reload(wait_old => 1);
is($t->http(GET => '/v3/keys/current', key => $key)->status, 200,
   'with a zone of another size');

done_testing;

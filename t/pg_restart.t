# Postgres goes away and comes back under load: clients get 503 meanwhile and
# service within two seconds of its return, by the same workers; what has been
# acknowledged is there, and nothing is there twice.

use EZW;
use EZW::Stall;
use Time::HiRes qw(time);

my $postgres = EZW->private_postgres;
my $t = EZW->start(postgres => $postgres);
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my @contacts = map { $t->contact_jid } 1 .. 20;
my $base = "/v3/channels/$demo->{channel}";
my @workers = $t->worker_pids;

sub send_request {
    my ($contact, $text) = @_;
    return [POST => "$base/messages/$contact", key => $key,
            json => { type => 'text', body => $text }];
}

for ($t->parallel(map { send_request($_, "first of $_") } @contacts)) {
    $_->status == 201 or die $_->as_text;
}

my $round = 0;

# Three sends and a read, again and again.
sub load {
    my $name = 'round ' . ++$round;
    return $t->load(clients => 8, request => sub {
        my ($n) = @_;
        my $contact = $contacts[$n % @contacts];
        return $n % 4 == 3
            ? [GET => "$base/conversations/$contact", key => $key]
            : send_request($contact, "$name, message $n");
    });
}

sub text_of { return $_[0]{request}[-1]{body} }

# What the load's answers and the tables say together.
sub check {
    my ($name, @responses) = @_;

    my (%acknowledged, @bad);
    for my $r (@responses) {
        my ($method) = @{ $r->{request} };
        if ($r->status == 201 && $method eq 'POST') {
            $acknowledged{ $r->json->{id} } = text_of($r);
        } elsif ($r->status == 503) {
            push @bad, $r if ($r->header('retry-after') // '') ne '1'
                || $r->json->{error}{code} != 1003;
        } elsif (!($r->status == 200 && $method eq 'GET')) {
            push @bad, $r;
        }
    }
    is(scalar(@bad), 0, "$name: only good answers and 503")
        or diag map { $_->as_text . "\n" } splice @bad, 0, 5;

    my %stored = map { @$_ } $t->sql(
        q{select encode(id, 'hex'), body->>'body' from ezw.message
           where direction = 'OUT'});
    my @missing = grep { ($stored{$_} // '') ne $acknowledged{$_} }
        keys %acknowledged;
    is(scalar(@missing), 0, "$name: no acknowledged message is missing");
    cmp_ok(scalar(keys %acknowledged), '>', 20, "$name: there were some");

    my %times;
    $times{$_}++ for values %stored;
    is(scalar(grep { $_ > 1 } values %times), 0, "$name: none is doubled");

    is($t->value(q{select count(*) from ezw.conversation v
                    where v.messages_sent <> (
                      select count(*) from ezw.message m
                       where m.company = v.company and m.conversation = v.id
                         and m.direction = 'OUT')}),
       0, "$name: the conversations have counted right");
    is_json([$t->worker_pids], \@workers, "$name: the same workers");
    return;
}

# backends killed one after the other: nobody notices
my $load = load();
for my $n (1 .. 20) {
    my $sent = $t->value('select count(*) from ezw.message');
    wait_for(sub {
        return $t->value(q{select count(pg_terminate_backend(pid))
                             from pg_stat_activity
                            where usename = 'ezw_app' and state = 'active'
                              and datname = current_database()});
    }, 10, 'a backend at work');
    wait_for(sub {
        return $t->value('select count(*) from ezw.message') > $sent + 5;
    }, 10, 'more sends');
}
my @responses = $load->stop;
check('killed backends', @responses);
is(scalar(grep { $_->status == 503 } @responses), 0,
   'killed backends: not one request failed');
my $lost = () = $t->error_log =~ /[1-9]\d* statements in flight/g;
cmp_ok($lost, '>', 5, 'killed backends: statements were in flight');

for my $mode (qw(immediate fast)) {
    $load = load();
    my $sent = $t->value('select max(seq) from ezw.event');
    wait_for(sub {
        return $t->value('select max(seq) from ezw.event') > $sent + 20;
    }, 10, 'load');
    delete $t->{dbh};
    $postgres->stop($mode);
    my $down = time;

    my ($path) = send_request($contacts[0], 'while it is down');
    wait_for(sub { $t->http(@$path)->status == 503 }, 5, 'no service');
    for my $request ($path,
                     [GET => "$base/conversations/$contacts[0]", key => $key],
                     [GET => '/v3/keys/current', key => $key],
                     [GET => '/v3/keys/current',
                      key => EZW->random_text(40)])
    {
        my ($began, $stall) = (time, EZW::Stall->start($t));
        my $r = $t->http(@$request);
        if ($request->[1] =~ /current/ && $r->status == 200) {
            pass("$mode: a known key is still known");
            next;
        }
        is_refused($r, 503, 1003, {}, "$mode: $request->[0] while it is down");
        is($r->header('retry-after'), 1, "$mode: Retry-After");
        cmp_ok(time - $began, '<', 1 + $stall->seconds, "$mode: at once");
    }
    is($t->http(GET => '/healthz')->status, 200, "$mode: alive");
    wait_for(sub {
        my $r = $t->http(GET => '/readyz');
        return $r->status == 503
            && $r->json->{reason} eq 'the database cannot be reached';
    }, 60, 'not ready, and why');

    my $starting = time;
    $postgres->start;
    my $up = time;

    # two seconds; more where the machine has so much else to do that Postgres
    # itself took long, or did not let the workers run
    my $stall = EZW::Stall->start($t);
    my $limit = 2 * ($up - $starting > 0.5 ? ($up - $starting) / 0.5 : 1);
    wait_for(sub { time > $up + $limit }, 600, 'the end of that time');
    $limit += $stall->seconds;
    wait_for(sub { time > $up + $limit }, 600, 'the end of that time');
    # of the load itself: the couriers have much to tell, too
    my $sends = q{select count(*) from ezw.message where direction = 'OUT'};
    my $by_then = $t->value($sends);
    wait_for(sub { return $t->value($sends) > $by_then + 60 }, 60,
             'load after its return');
    @responses = $load->stop;

    my @late = grep { $_->{started} > $up + $limit } @responses;
    cmp_ok(scalar(@late), '>', 20, "$mode: load after its return");
    is(scalar(grep { $_->status == 503 } @late), 0,
       "$mode: service within 2 s of its return");
    my @while = grep { $_->{started} > $down + 0.1 && $_->{ended} < $starting }
        @responses;
    is(scalar(grep { $_->status == 201 } @while), 0,
       "$mode: nothing is acknowledged while it is down");
    is(scalar(grep { $_->status != 503 } @while), 0,
       "$mode: whoever asked meanwhile was told");
    check($mode, @responses);
}

unlike($t->error_log, qr/ezw_app|password|message \d+/,
       'neither users nor texts in the log');

done_testing;

# Twenty clients send one message with one idempotency key to two nodes, whose
# workers are killed meanwhile: it is sent once, and each client, which asks
# until it has a success, gets the same id. t/all/idempotency_race_long.t has
# more rounds.

use EZW;
use Time::HiRes qw(time);

our $ROUNDS;

my $rounds = $ROUNDS // 50;
my $clients = 20;
my $t = EZW->start(allow_kill => 1, http => 'ezw_courier off;');
my $other = EZW->start(like => $t, allow_kill => 1, http => 'ezw_courier off;');
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my @contacts = map { $t->contact_jid } 1 .. 5;

# A process that gets the pid of a worker and kills it, at any moment within so
# many seconds.
sub start_killer {
    pipe my $orders, my $order or die "pipe: $!";
    pipe my $report, my $reports or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid) {
        close $_ for $orders, $reports;
        return { pid => $pid, order => $order, report => $report };
    }
    close $_ for $order, $report;
    $SIG{INT} = $SIG{TERM} = 'DEFAULT';
    srand;
    while (defined(my $victim = readline $orders)) {
        chomp $victim;
        ($victim, my $within) = split / /, $victim;
        select undef, undef, undef, rand $within;
        syswrite $reports, kill('KILL', $victim) . "\n";
    }
    POSIX::_exit(0);
}

# The workers of both nodes, when there are as many as there should be.
sub workers {
    my ($dead) = @_;
    return @{ wait_for(sub {
        my @pids = grep { $_ != $dead } map { $_->worker_pids } $t, $other;
        return @pids == 4 && \@pids;
    }, 20, 'four workers') };
}

my $killer = start_killer();
my $takes = 0.006;

# All clients ask until each has its success, or none gets on any more. Returns
# all answers, each with the number of its {client}.
sub race {
    my ($contact, $token, $victim) = @_;

    my @request = (
        POST => "/v3/channels/$demo->{channel}/messages/$contact", key => $key,
        json => { type => 'text', body => $token },
        headers => { 'Idempotency-Key' => $token });
    my @waiting = map { [@request, client => $_] } 1 .. $clients;
    my $deadline = time + 60 * $EZW::Expect::PATIENCE;
    my @answers;

    # within the time that the first answers took the last time: on a machine
    # that is slow the clients, too, begin later
    syswrite $killer->{order}, "$victim $takes\n";
    my $began = time;
    my $first;
    EZW::Load::run(
        clients => $clients, port => [$t->port, $other->port],
        next => sub { return shift @waiting },
        done => sub {
            my ($r) = @_;
            push @answers, $r;
            $first //= time - $began if $r->status == 201;
            push @waiting, $r->{request}
                if $r->status != 201 && time < $deadline;
        });
    $takes = ($takes + 2 * ($first // $takes)) / 2;
    $takes = 0.5 if $takes > 0.5;
    return @answers;
}

my ($victim, $kills, $firsts, %seen, @wrong) = (0, 0, 0);
# (More rounds, until clients have been cut off by some of the kills.)
my $enough = $rounds / 25;
my $round = 0;
while ($round++ < $rounds || ($seen{0} // 0) < $enough && $round < 10 * $rounds) {
    my $token = "round $round";
    my $contact = $contacts[$round % @contacts];
    my @workers = workers($victim);
    $victim = $workers[rand @workers];
    my @answers = race($contact, $token, $victim);
    $kills += readline $killer->{report};
    $seen{ $_->status }++ for @answers;

    my @good = grep { $_->status == 201 } @answers;
    my %got = map { ($_->json || {})->{id} // 'none' => 1 } @good;
    my @stored = map { $_->[0] } $t->sql(
        q{select encode(id, 'hex') from ezw.message where body->>'body' = ?},
        $token);
    my @new = grep { !$_->header('idempotency-replayed') } @good;
    $firsts += @new;
    next if @good == $clients && @stored == 1 && @new <= 1
        && join(' ', keys %got) eq $stored[0];
    push @wrong, sprintf '%s: %d clients got %s; stored: %s; not replayed: %d',
        $token, scalar(@good), join(' ', sort keys %got), "@stored",
        scalar(@new);
}
$rounds = $round - 1;
close $killer->{order};
waitpid $killer->{pid}, 0;

is(scalar(@wrong), 0, "$rounds rounds: one message each, and all have its id")
    or diag join "\n", @wrong > 10 ? @wrong[0 .. 9] : @wrong;
my %other = %seen;
delete @other{0, 201, 409, 503};
is_deeply(\%other, {}, 'no other answer than 201, 409 and 503, or none');
is($kills, $rounds, 'a worker was killed in each');
cmp_ok($seen{0} // 0, '>=', $enough, 'with clients that it was serving');
note "answers that were the first: $firsts";
note join ', ', map { ($_ || 'no answer') . ": $seen{$_}" } sort keys %seen;

# nothing of it was half done
is_deeply({ map { @$_ } $t->sql(q{
    select 'message', count(*) from ezw.message
    union all select 'outbox', count(*) from ezw.outbox
    union all select 'event', count(*) from ezw.event
               where kind = 'message.sent'
    union all select 'key', count(*) from ezw.idempotency
    union all select 'contact', count(*) from ezw.contact
    union all select 'conversation', count(*) from ezw.conversation
    union all select 'sent', sum(messages_sent) from ezw.conversation
    union all select 'seq', sum(last_seq) from ezw.conversation}) },
    { (map { $_ => $rounds } qw(message outbox event key sent seq)),
      contact => 5, conversation => 5 }, 'all of each message, once');

done_testing;

# Statements that share a transaction: what one of them meets (an error, a
# locked row, a deadlock) is not the others' affair.
# sanitizers

use EZW;
use Compress::Zlib qw(crc32);
use IO::Select;

# A group waits for a row for two seconds, then for each of its statements by
# itself, eight times.
my $t = EZW->start(workers => 1, http => 'ezw_courier off;',
                   limits => { lock_timeout => '2s' });
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $base = "/v3/channels/$demo->{channel}";

sub text { return { type => 'text', body => $_[0] } }

sub send_to {
    my ($contact, $text) = @_;
    return [POST => "$base/messages/$contact", key => $key,
            json => text($text // "to $contact")];
}

# Each answer 201 with the id of the very message that its client sent.
sub all_sent {
    my ($name, @responses) = @_;

    my %stored = map { @$_ } $t->sql(
        q{select encode(id, 'hex'), body->>'body' from ezw.message});
    my @wrong = grep {
        $_->status != 201
            || ($stored{ $_->json->{id} } // '')
                ne $_->{request}[-1]{body}
    } @responses;
    is(scalar(@wrong), 0, $name)
        or diag map { $_->as_text . "\n" } splice @wrong, 0, 3;
    return;
}

sub messages { return $t->value('select count(*) from ezw.message') }

# they share transactions
my @contacts = map { $t->contact_jid } 1 .. 100;
all_sent('first sends', $t->parallel(map { send_to($_) } @contacts));
all_sent('sends', $t->parallel(map { send_to($_, "again to $_") } @contacts));
my ($sends, $transactions) = @{ ($t->sql(
    q{select count(*), count(distinct xid) from ezw.event
       where kind = 'message.sent'}))[0] };
is($sends, 200, 'as many events as sends');
cmp_ok($transactions, '<=', 40, 'far fewer transactions');
is_json([map { $_->[0] } $t->sql(
    q{select distinct messages_sent from ezw.conversation})], [2],
    'each conversation has two');

# several of one conversation in a group
my $one = $t->contact_jid;
all_sent('many to one contact',
         $t->parallel(map { send_to($one, "$_ to one") } 1 .. 50));
is_json([map { @$_ } $t->sql(
    q{select min(m.seq)::int, max(m.seq)::int, count(distinct m.seq)::int
        from ezw.message m join ezw.conversation v on v.id = m.conversation
       where v.contact_jid = ?}, $one)], [1, 50, 50], 'numbered in order');

# more than a group may hold
my $long = "\x{1f600}" x 4096;
all_sent('64 sends of 4096 four-byte characters',
         $t->parallel(map { send_to($_, $long) } @contacts[0 .. 63]));

# an error in the middle, at once and at the commit
$t->sql(q{create function ezw.t_fail() returns trigger language plpgsql as $$
          begin
            if new.body->>'body' like 'fail%' then
              raise exception 'made up' using errcode = 'P0001';
            end if;
            return new;
          end $$});
$t->sql('grant execute on function ezw.t_fail to public');
$t->sql('create trigger t_fail before insert on ezw.message
         for each row execute function ezw.t_fail()');
$t->sql(q{create function ezw.t_late() returns trigger language plpgsql as $$
          begin
            if exists (select from ezw.message m
                        where m.conversation = new.conversation
                          and m.seq = new.seq
                          and m.body->>'body' like 'late%') then
              raise exception 'made up' using errcode = 'P0001';
            end if;
            return null;
          end $$});
$t->sql('grant execute on function ezw.t_late to public');
$t->sql('create constraint trigger t_late after insert on ezw.outbox
         deferrable initially deferred
         for each row execute function ezw.t_late()');

for my $how (qw(fail late)) {
    for my $bad ([0], [20], [39], [3, 4, 30]) {
        my %bad = map { $_ => 1 } @$bad;
        my $before = messages();
        my @responses = $t->parallel(map {
            send_to($contacts[$_], $bad{$_} ? "$how $_" : "good $_")
        } 0 .. 39);
        my @good = grep { !$bad{$_} } 0 .. 39;
        my $name = "$how at @$bad";
        all_sent("$name: the others are sent", @responses[@good]);
        is_refused($_, 500, 1004, {}, "$name: that one is told")
            for @responses[@$bad];
        is(messages() - $before, scalar(@good), "$name: each once");
    }
}
$t->sql('drop trigger t_fail on ezw.message');
$t->sql('drop trigger t_late on ezw.outbox');

# Locks the conversations of some contacts, in a session of its own.
sub lock_rows {
    my ($dbh, @contacts) = @_;

    $dbh->begin_work if $dbh->{AutoCommit};
    $dbh->do('select from ezw.conversation
               where contact_jid = any (?) for update',
             undef, \@contacts);
    return;
}

sub new_session { return $t->{postgres}->dbh($t->{dbname}) }

# Sends one by one from a connection of each, so that some can be waited for.
sub begin_send {
    my ($contact, $text) = @_;

    my $client = $t->client;
    my ($method, $path, @options) = @{ send_to($contact, $text) };
    $client->send_request($method, $path, @options);
    return $client;
}

# one waits for a row that is locked
my $other = new_session();
lock_rows($other, $contacts[20]);
my $before = messages();
my $waiter = begin_send($contacts[20], 'waits');
all_sent('the neighbours of one that waits',
         $t->parallel(map { send_to($contacts[$_], "neighbour $_") }
                      0 .. 19, 21 .. 39));
all_sent('and those who come later',
         $t->parallel(map { send_to($contacts[$_], "later $_") }
                      0 .. 19, 21 .. 39));
ok(!IO::Select->new($waiter->{socket})->can_read(0), 'while it waits');
is(messages() - $before, 78, 'each once, without the waiter');
$other->rollback;
is_answer($waiter->read_response('POST'), 201, { id => qr/^[0-9a-f]{40}$/ },
          'the waiter, when the row is free');
is(messages() - $before, 79, 'once');

# it is never freed: then the tries are the end, not the lane's minute
$t->limit(lock_timeout => '250ms');
my $brief = EZW->start(like => $t, workers => 1, http => 'ezw_courier off;');
lock_rows($other, $contacts[20]);
$before = messages();
my $began = time;
my ($r) = $brief->parallel(send_to($contacts[20], 'waits in vain'));
is_refused($r, 503, 1003, {}, 'who waits in vain');
is($r->header('retry-after'), 1, 'is told when to come again');
cmp_ok(time - $began, '<', 40, 'in time');
$brief->stop;
$t->limit(lock_timeout => '2s');
$other->rollback;
is(messages() - $before, 0, 'nothing is sent');
all_sent('and now it can be', $t->parallel(send_to($contacts[20], 'at last')));

# a deadlock with a stranger, in the middle of a group: the group locks the
# first and waits for the second, which the stranger has
my ($first, $second) = sort { crc32($a) <=> crc32($b) } @contacts[0, 1];
lock_rows($other, $second);
my $gate = new_session();
lock_rows($gate, $contacts[2]);
$before = messages();
my @clients = (begin_send($contacts[2], 'holds the lane up'));
wait_for(sub {
    return $t->value(q{select count(*) from pg_stat_activity
                        where usename = 'ezw_app' and wait_event_type = 'Lock'
                          and datname = current_database()});
}, 5, 'the lane is held up');
push @clients, map { begin_send($_, 'crosswise') }
    $first, $second, @contacts[3 .. 20];
$gate->rollback;
wait_for(sub {
    return $t->value(q{select count(*) from pg_stat_activity
                        where usename = 'ezw_app' and wait_event_type = 'Lock'
                          and datname = current_database()});
}, 5, 'the group waits');
lock_rows($other, $first);
$other->rollback;
is(scalar(grep { $_->read_response('POST')->status == 201 } @clients),
   scalar(@clients), 'a deadlock with a stranger: all are sent');
is(messages() - $before, scalar(@clients), 'each once');

# the log is the cluster's: other runs of this test have written there too
my $strangers = deadlocks();

# two workers and couriers want the same few rows all the time
my $two = EZW->start(workers => 2, like => $t);
my @few = @contacts[0 .. 7];
my $load = $two->load(clients => 24, request => sub {
    my ($n) = @_;
    my $contact = $few[($n * 5 + int($n / 8)) % 8];
    my $kind = $n % 6;
    return [PATCH => "$base/contacts/$contact", key => $key,
            json => { remarks => "Remark $n" }] if $kind == 4;
    return [PATCH => "$base/conversations/$contact", key => $key,
            json => { status => $n % 4 ? 'OPEN' : 'CLOSED' }] if $kind == 5;
    return [POST => "$base/messages/$contact", key => $key,
            json => text("cross $n")];
});
$before = messages();
wait_for(sub { messages() > $before + 1500 }, 30, 'much crossing');
my @crossed = $load->stop;
my @bad = grep { $_->status != 200 && $_->status != 201 } @crossed;
is(scalar(@bad), 0, 'two workers crosswise: nobody is refused')
    or diag map { $_->as_text . "\n" } splice @bad, 0, 3;
is_json([map { $_->[0] } $t->sql(
    q{select v.contact_jid from ezw.conversation v
       where v.last_seq <> (select count(*) from ezw.message m
                             where m.conversation = v.id)})], [],
    'the conversations have counted right');
is(deadlocks() - $strangers, 0, 'no deadlock but those with the stranger');

done_testing;

sub deadlocks {
    return scalar(() = $t->database_log =~ /deadlock detected/g);
}

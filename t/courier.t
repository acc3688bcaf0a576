# The couriers: what is sent goes out once, in order within its conversation,
# by whichever worker or node claims it, and is answered.

use EZW;

# A node that claims nothing.
my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $base = "/v3/channels/$demo->{channel}";

# Who claimed what, and how often.
$t->sql('create table ezw.t_claim (conversation uuid, seq int8, worker text)');
$t->sql(q{create function ezw.t_claimed() returns trigger language plpgsql
          security definer as $$
          begin
            if new.attempts > old.attempts then
              insert into ezw.t_claim
              values (new.conversation, new.seq, new.claimed_by);
            end if;
            return null;
          end $$});
$t->sql('create trigger t_claimed after update on ezw.outbox
         for each row execute function ezw.t_claimed()');

sub send_text {
    my ($contact, $text, $channel) = @_;
    my $r = $t->http(
        POST => '/v3/channels/' . ($channel // $demo->{channel})
            . "/messages/$contact",
        key => $key, json => { type => 'text', body => $text });
    is($r->status, 201, "sent: $text") or diag $r->as_text;
    return $r->json->{id};
}

sub message {
    my ($id) = @_;
    return $t->dbh->selectrow_hashref(
        'select * from ezw.message where id = decode(?, \'hex\')', undef, $id);
}

sub outbox { return $t->value('select count(*) from ezw.outbox') }

sub all_through {
    my ($name) = @_;
    wait_for(sub { outbox() == 0 }, 20, $name);
    return;
}

# off: it stays where it is
my @ids = map { send_text($demo->{contact}, "waits $_") } 1 .. 3;
is($t->http(GET => "$base/conversations/$demo->{contact}",
            key => $key)->json->{messagesSent}, 3, 'sent');
is(outbox(), 3, 'off: all are in the outbox');
is(message($_)->{status}, 'QUEUED', 'and QUEUED') for @ids;
is($t->value('select count(*) from ezw.t_claim'), 0, 'nobody has claimed');

# another node comes
my $first = EZW->start(like => $t, workers => 2);
all_through('a node that has a courier');
for my $id (@ids) {
    my $m = message($id);
    is($m->{status}, 'DELIVERED', 'delivered');
    ok($m->{created_at} le $m->{sent_at} && $m->{sent_at} le $m->{delivered_at},
       'first sent, then delivered');
    like($m->{provider_id}, qr/\Q$id\E/, 'the platform has a name for it');
}
is_json([map { $_->[0] } $t->sql(
    q{select body->>'body' from ezw.message where direction = 'IN'
       order by seq})], ['echo: waits 1', 'echo: waits 2', 'echo: waits 3'],
    'each is answered, in order');
is_json([map { $_->[0] } $t->sql(
    q{select kind || coalesce(payload->>'status', '') from ezw.event
       where message = ? order by seq}, { hex => $ids[0] })],
    ['message.sent', 'receiptSENT', 'receiptDELIVERED'], 'the log tells it');
my $conversation = $t->http(GET => "$base/conversations/$demo->{contact}",
                            key => $key)->json;
is($conversation->{messagesReceived}, 3, 'counted');
is($conversation->{unreadCount}, 3, 'unread');

# two nodes share what a third one takes in
my $second = EZW->start(like => $t, workers => 2);
my @contacts = map { $t->contact_jid } 1 .. 40;
my @sent = map {
    my $n = $_;
    $t->parallel(map {
        [POST => "$base/messages/$_", key => $key,
         json => { type => 'text', body => "$n" }]
    } @contacts);
} 1 .. 5;
for my $node ($first, $second) {
    push @sent, $node->parallel(map {
        [POST => "$base/messages/$_", key => $key,
         json => { type => 'text', body => $node == $first ? '6' : '7' }]
    } @contacts);
    all_through('they are all delivered');
}
is(scalar(grep { $_->status == 201 } @sent), 280, 'many are sent');
is($t->value(q{select count(*) from ezw.message
                where direction = 'OUT' and status <> 'DELIVERED'}), 0,
   'each is delivered');
is_json([map { @$_ } $t->sql(
    q{select conversation::text, seq::int from ezw.t_claim
       group by 1, 2 having count(*) > 1})], [], 'each is claimed once');
my %pids = map { $_ => 1 } map { $_->worker_pids } $first, $second;
my %workers = map { /:(\d+):/ ? ($1 => 1) : () } map { $_->[0] } $t->sql(
    'select distinct worker from ezw.t_claim');
is(scalar(grep { !$pids{$_} } keys %workers), 0, 'by the couriers\' workers');
my %nodes = map { $_->{name} => 1 } map {
    my $node = $_;
    grep { my $n = $_; grep { $workers{$_} } $n->worker_pids } $node
} $first, $second;
is(scalar(keys %nodes), 2, 'by both nodes');
my @orders = $t->sql(
    q{select string_agg(m.body->>'body', ' ' order by m.sent_at)
               filter (where m.direction = 'OUT'),
             string_agg(m.body->>'body', ' ' order by m.delivered_at)
               filter (where m.direction = 'OUT'),
             string_agg(m.body->>'body', ' ' order by m.seq)
               filter (where m.direction = 'IN')
        from ezw.message m
        join ezw.conversation v on v.id = m.conversation
       where v.contact_jid = any (?)
       group by v.id}, \@contacts);
is(scalar(@orders), 40, 'so many conversations');
is(scalar(grep { $_->[0] ne '1 2 3 4 5 6 7' || $_->[1] ne $_->[0] } @orders), 0,
   'in order within each of them');
is(scalar(grep { $_->[2] ne join ' ', map { "echo: $_" } 1 .. 7 } @orders), 0,
   'and so are the answers');

# a connector that there is not: tried again, with its error, and what is
# behind it waits; other channels go on
my $strange = $t->channel(company => $demo->{company}, connector => 'waha');
my $contact = $t->contact_jid;
@ids = map { send_text($contact, "strange $_", $strange) } 1 .. 3;
# (each try of the first is put off longer than the one before)
my $waiting;
ok(eval { wait_for(sub {
    ($waiting) = $t->sql(q{
        select count(*) filter (where error is not null),
               count(*) filter (where due_at > now()), max(error)
          from ezw.outbox});
    return $waiting->[0] == 1 && $waiting->[1] == 3;
}) }, 'all wait') or diag to_json($waiting);
is($waiting->[2], 'no such connector', 'the first has the error');
is(message($ids[0])->{status}, 'QUEUED', 'it is not lost');
send_text($contacts[0], 'goes on');
wait_for(sub { outbox() == 3 }, 10, 'the other channel');
like($first->error_log . $second->error_log,
     qr/\[error\].*has the connector "waha"/, 'the log says so');
$t->sql(q{update ezw.channel set connector = 'sandbox' where jid = ?}, $strange);
$t->sql('update ezw.outbox set due_at = now() where error is not null');
all_through('with a connector');
is_json([map { $_->[0] } $t->sql(
    q{select m.body->>'body' from ezw.message m
        join ezw.conversation v on v.id = m.conversation
       where v.contact_jid = ? and m.direction = 'OUT' order by m.sent_at},
    $contact)], [map { "strange $_" } 1 .. 3], 'in order');

done_testing;

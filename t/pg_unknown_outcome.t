# A connection that is lost after a write was sent: committed or not, the
# write is done once, and its client hears of it once.

use EZW;
use EZW::PgProxy;

my $port = EZW::claim_port();
mkdir $EZW::RUNS;
my $proxy = EZW::PgProxy->start(
    port => $port, dir => "$EZW::RUNS/pg_unknown_outcome-proxy",
    upstream => EZW::Postgres->shared);
my $t = EZW->start(workers => 1, pg_host => '127.0.0.1', pg_port => $port,
                   http => 'ezw_courier off;');
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $base = "/v3/channels/$demo->{channel}";
my @cuts = qw(cut_before cut_after cut_answer cut_during);
my $id = qr/^[0-9a-f]{40}$/;

# All that is stored, without times and ids: what must not depend on how often
# a statement ran.
sub counts {
    my %counts = map { @$_ } $t->sql(q{
        select 'contact', count(*) from ezw.contact
        union all select 'message', count(*) from ezw.message
        union all select 'event', count(*) from ezw.event
        union all select 'outbox', count(*) from ezw.outbox
        union all select 'audit', count(*) from ezw.audit_log
        union all select 'conversation', count(*) from ezw.conversation
        union all select 'sent', coalesce(sum(messages_sent), 0)
                    from ezw.conversation
        union all select 'seq', coalesce(sum(last_seq), 0)
                    from ezw.conversation
        union all select 'version', coalesce(sum(version), 0)
                    from ezw.conversation});
    return \%counts;
}

sub growth {
    my ($before) = @_;
    my $after = counts();
    return { map { $after->{$_} != $before->{$_}
                       ? ($_ => $after->{$_} - $before->{$_}) : () }
             keys %$after };
}

# One request whose statement is cut, and one of its kind without.
sub settled {
    my ($name, $statement, $request, $check) = @_;

    my $uncut = $request->();
    my $before = counts();
    $check->($t->http(@$uncut), "$name, no cut");
    my $want = growth($before);

    for my $cut (@cuts, 'cut_during', 'cut_during') {
        my $request = $request->();
        $before = counts();
        my $executed = $proxy->executed($statement);
        $proxy->plan($cut => $statement);
        my $r = $t->http(@$request);
        $check->($r, "$name, $cut");
        ok($proxy->done, "$name, $cut: it was cut");
        is($proxy->executed($statement) - $executed, 2,
           "$name, $cut: it went twice");
        # one that was cut during its work may commit later
        wait_for(sub {
            return !$t->value(q{select count(*) from pg_stat_activity
                                 where usename = 'ezw_app'
                                   and datname = current_database()
                                   and state <> 'idle'});
        }, 10, 'the server has done it all');
        is_json(growth($before), $want, "$name, $cut: done once");
    }
    return;
}

sub ok_with {
    my ($status, $body) = @_;
    return sub { is_answer($_[0], $status, $body, $_[1]) };
}

settled('the first send to a contact', message_send => sub {
    return [POST => "$base/messages/" . $t->contact_jid, key => $key,
            json => { type => 'text', body => 'first' }];
}, ok_with(201, { id => $id }));

my $contact = $demo->{contact};
is($t->http(POST => "$base/messages/$contact", key => $key,
            json => { type => 'text', body => 'opens' })->status, 201,
   'a conversation is there');
settled('a send', message_send => sub {
    return [POST => "$base/messages/$contact", key => $key,
            json => { type => 'text', body => 'Hello' }];
}, ok_with(201, { id => $id }));

my $jid;
settled('a new contact', contact_create => sub {
    $jid = $t->contact_jid;
    return [POST => "$base/contacts", key => $key, json => { jid => $jid }];
}, sub {
    my ($r, $name) = @_;
    is($r->status, 201, $name) or diag $r->as_text;
    is($r->json->{jid}, $jid, "$name: that one");
});

my $n = 0;
settled('a change of a contact', contact_update => sub {
    return [PATCH => "$base/contacts/$contact", key => $key,
            json => { remarks => 'Remark ' . ++$n }];
}, sub {
    my ($r, $name) = @_;
    is($r->status, 200, $name) or diag $r->as_text;
    is($r->json->{remarks}, "Remark $n", "$name: it is changed");
});

# Someone who has got a message.
sub new_conversation {
    my $jid = $t->contact_jid;
    $t->http(POST => "$base/messages/$jid", key => $key,
             json => { type => 'text', body => 'Hello' })->status == 201
        or die;
    return $jid;
}

settled('a change of a conversation', conversation_update => sub {
    return [PATCH => "$base/conversations/" . new_conversation(), key => $key,
            json => { status => 'CLOSED' }];
}, sub {
    my ($r, $name) = @_;
    is($r->status, 200, $name) or diag $r->as_text;
    is($r->json->{status}, 'CLOSED', "$name: it is closed");
});

settled('an erasure', contact_delete => sub {
    my $jid = new_conversation();
    return [DELETE => "$base/contacts/$jid", key => $key];
}, ok_with(204, undef));

# cut again and again
my $before = counts();
$proxy->plan(cut_after => 'message_send', 3);
is_answer($t->http(POST => "$base/messages/$contact", key => $key,
                   json => { type => 'text', body => 'thrice' }),
          201, { id => $id }, 'cut three times');
is(growth($before)->{message}, 1, 'one message');

# while its row is locked: the first one still waits when the second comes
for my $cut ('cut_during', 'cut_before') {
    my $other = $t->{postgres}->dbh($t->{dbname});
    $other->begin_work;
    $other->do('select from ezw.conversation for update');
    $before = counts();
    $proxy->plan($cut => 'message_send');
    my $client = $t->client;
    $client->send_request(POST => "$base/messages/$contact", key => $key,
                          json => { type => 'text', body => 'locked' });
    wait_for(sub { $proxy->done }, 5, 'it was cut');
    $other->rollback;
    is_answer($client->read_response('POST'), 201, { id => $id },
              "$cut with its row locked");
    is(growth($before)->{message}, 1, 'one message');
}

# a whole group is lost
for my $cut (@cuts) {
    my @to = map { $t->contact_jid } 1 .. 30;
    $before = counts();
    $proxy->plan($cut => 'message_send');
    my @responses = $t->parallel(map {
        [POST => "$base/messages/$_", key => $key,
         json => { type => 'text', body => "to $_" }]
    } @to);
    is(scalar(grep { $_->status == 201 } @responses), 30,
       "a group, $cut: all are sent");
    is(scalar(keys %{{ map { $_->json->{id} => 1 } @responses }}), 30,
       "a group, $cut: each with its own id");
    is(growth($before)->{message}, 30, "a group, $cut: each once");
    for my $i (0 .. 29) {
        next if ($t->value(q{select body->>'body' from ezw.message
                              where id = ?},
                           { hex => $responses[$i]->json->{id} }) // '')
            eq "to $to[$i]";
        fail("a group, $cut: an answer went to the wrong client");
        last;
    }
}

# a read simply goes again
for my $cut (@cuts) {
    $proxy->plan($cut => 'contact_get');
    is($t->http(GET => "$base/contacts/$contact", key => $key)->status, 200,
       "a read, $cut");
}

# the client leaves while it is being settled
$before = counts();
my $other = $t->{postgres}->dbh($t->{dbname});
$other->begin_work;
$other->do('select from ezw.conversation for update');
$proxy->plan(cut_before => 'message_send');
my $client = $t->client;
$client->send_request(POST => "$base/messages/$contact", key => $key,
                      json => { type => 'text', body => 'nobody waits' });
wait_for(sub { $proxy->done }, 5, 'it was cut');
$client->reset;
$other->rollback;
is($t->http(GET => "$base/contacts/$contact", key => $key)->status, 200,
   'the next request');
cmp_ok(growth($before)->{message} // 0, '<=', 1, 'one message or none');

$t->stop;
$proxy->stop;
done_testing;

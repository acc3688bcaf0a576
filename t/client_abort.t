# Clients that leave while their request waits: their statement is drained, its
# result reaches nobody else, the connections stay, later requests are right.

use EZW;

my $t = EZW->start(workers => 1, http => 'ezw_courier off;',
                   server => 'location = /status { stub_status; }');
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $base = "/v3/channels/$demo->{channel}";
my @contacts = map { $t->contact_jid } 1 .. 60;

for my $r ($t->parallel(map {
    [POST => "$base/contacts", key => $key, json => { jid => $_ }]
} @contacts)) {
    $r->status == 201 or die $r->as_text;
}
is($t->http(POST => "$base/messages/$demo->{contact}", key => $key,
            json => { type => 'text', body => 'first' })->status, 201,
   'a conversation');
# the single lane connects when it is first needed
is($t->http(DELETE => "$base/contacts/" . pop @contacts, key => $key)->status,
   204, 'all lanes are in service');

sub backends {
    return [map { $_->[0] } $t->sql(
        q{select pid from pg_stat_activity
           where usename = 'ezw_app' and datname = current_database()
           order by pid})];
}

sub waiting {
    return $t->value(q{select count(*) from pg_stat_activity
                        where usename = 'ezw_app' and wait_event_type = 'Lock'
                          and datname = current_database()});
}

# How many requests nginx has in its hands.
sub in_hand {
    return $t->http(GET => '/status')->body =~ /Writing: (\d+)/ ? $1 - 1 : 0;
}

# How many requests nginx has logged with a status.
sub logged {
    my ($status) = @_;
    return scalar(() = $t->access_log =~ /^$status /gm);
}

# Everybody asks for another contact, and some of them for what is not there.
sub others_are_right {
    my ($name) = @_;

    my @requests = map { [GET => "$base/contacts/$_", key => $key] } @contacts;
    my @wrong = grep {
        my ($path) = $_->{request}[1];
        $_->status != 200 || $path ne "$base/contacts/" . $_->json->{jid}
    } $t->parallel(@requests);
    is(scalar(@wrong), 0, "$name: the others get what is theirs")
        or diag map { $_->as_text . "\n" } splice @wrong, 0, 3;

    my @sent = $t->parallel(map {
        [POST => "$base/messages/$_", key => $key,
         json => { type => 'text', body => "$name to $_" }]
    } @contacts[0 .. 19]);
    my @lost = grep {
        $_->status != 201 || $_->{request}[-1]{body} ne $t->value(
            q{select body->>'body' from ezw.message where id = ?},
            { hex => $_->json->{id} })
    } @sent;
    is(scalar(@lost), 0, "$name: sends too");
    return;
}

my $backends = backends();
is(scalar(@$backends), 3, 'a connection for each lane that is used');

# Clients send what LOCK keeps waiting, and leave.
sub leave {
    my ($name, $lock, $count, $request) = @_;

    my $before = logged(499);
    my $other = $t->{postgres}->dbh($t->{dbname});
    $other->begin_work;
    $other->do($lock);

    my @clients = map {
        my $client = $t->client;
        my ($method, $path, @options) = $request->($_);
        $client->send_request($method, $path, @options);
        $client;
    } 1 .. $count;
    wait_for(sub { in_hand() == $count && waiting() }, 5, "$name: they wait");
    # some of them politely
    for my $i (0 .. $#clients) {
        $i % 2 ? $clients[$i]->close : $clients[$i]->reset;
    }
    wait_for(sub { logged(499) == $before + $count }, 5,
             "$name: nginx has noticed");
    my $stays = $t->client;
    my ($method, $path, @options) = $request->(0);
    $stays->send_request($method, $path, @options);
    $other->rollback;
    my $r = $stays->read_response($method);
    ok($r->status == 200 || $r->status == 201,
       "$name: one that came after them is served") or diag $r->as_text;
    others_are_right($name);
    is_json(backends(), $backends, "$name: the same connections");
    return;
}

leave('sends', 'select from ezw.conversation for update', 40, sub {
    return (POST => "$base/messages/$demo->{contact}", key => $key,
            json => { type => 'text', body => "leaver $_[0]" });
});
is($t->value(q{select count(*) from ezw.conversation v
                where v.last_seq <> (select count(*) from ezw.message m
                                      where m.conversation = v.id)}), 0,
   'sends: what is counted is there');

leave('reads', 'lock table ezw.conversation in access exclusive mode', 40, sub {
    return (GET => "$base/conversations/$demo->{contact}", key => $key);
});

# parked in the gate, each with a key of its own
my @keys = map { $t->key(company => $demo->{company}, scope => 'COMPANY') }
    0 .. 20;
leave('in the gate', 'lock table ezw.api_key in access exclusive mode', 20,
      sub { return (GET => '/v3/keys/current', key => $keys[$_[0]]) });
my @known = $t->parallel(map { [GET => '/v3/keys/current', key => $_] } @keys);
is(scalar(grep { $_->status == 200 && $_->json->{id} eq $t->key_id(
    $_->{request}[-1]) } @known), 21, 'in the gate: each key is who it is');

# in the gate with a body that nobody has read yet
my @more = map { $t->key(company => $demo->{company}, scope => 'COMPANY') }
    0 .. 10;
leave('in the gate, with a body',
      'lock table ezw.api_key in access exclusive mode', 10, sub {
    return (POST => "$base/messages/$demo->{contact}", key => $more[$_[0]],
            json => { type => 'text', body => 'x' x 4000 });
});

# in the middle of the body
my $before = logged(400) + logged(499);
my $bytes = EZW::Client::request_bytes(
    POST => "$base/messages/$demo->{contact}", key => $key,
    json => { type => 'text', body => 'half' });
for my $how (qw(close reset)) {
    my $client = $t->client;
    $client->send_raw(substr $bytes, 0, -3);
    $client->$how;
}
wait_for(sub { logged(400) + logged(499) == $before + 2 }, 5,
         'who leaves in the middle of the body');
is($t->value(q{select count(*) from ezw.message where body->>'body' = 'half'}),
   0, 'nothing of it is sent');

# in the middle of an answer
$t->sql(q{insert into ezw.channel (company, id, jid, domain, connector, name,
                                   lifecycle_state)
          select ?, gen_random_uuid(), 316110000000 + n
                 || '@whatsapp.eazy.im', 'whatsapp', 'sandbox',
                 repeat('n', 200), 'connected'
            from generate_series(1, 30000) n}, $demo->{company});
# whole once: a list as long as that has a lane of its own, which connects now
is($t->http(GET => '/v3/channels', key => $key)->status, 200, 'a long list');
my %now = map { $_ => 1 } @{ backends() };
is_json([grep { !$now{$_} } @$backends], [], 'and the others are there');
$backends = backends();
is(scalar(@$backends), 4, 'a connection more');
$before = logged(200);
for my $how (qw(close reset)) {
    my $client = $t->client;
    $client->send_request(GET => '/v3/channels', key => $key);
    $client->fill(Time::HiRes::time() + 60);
    $client->$how;
}
wait_for(sub { logged(200) == $before + 2 }, 10,
         'who leaves in the middle of an answer');
others_are_right('after a long answer');

# a pipeline, of which one answer is read
my $client = $t->client;
$client->send_raw(join '', map {
    EZW::Client::request_bytes(GET => "$base/contacts/$_", key => $key)
} @contacts[0 .. 9]);
is($client->read_response('GET')->json->{jid}, $contacts[0],
   'the first of a pipeline');
$client->reset;
others_are_right('after a pipeline');
is_json(backends(), $backends, 'the same connections to the end');

done_testing;

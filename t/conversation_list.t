# The conversations of a channel.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $other = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $key = $t->key(company => $company, scope => 'ASSISTANT');
my $assistant = $t->assistant(company => $company);
$t->user(company => $company, email => 'john@mycompany.com');
my $label = '1580486175684@label.eazy.im';
my $team = '1601626130348@team.eazy.im';
$t->insert('label', company => $company, jid => $label, name => 'Support');
$t->insert('team', company => $company, jid => $team, name => 'Team');

sub path { return '/v3/channels/' . ($_[0] // $channel) . '/conversations' }

sub list {
    my ($args, %o) = @_;
    return $t->http(GET => path(delete $o{channel}) . ($args // ''),
                    key => $key, %o);
}

sub send_text {
    my ($jid) = @_;
    my $r = $t->http(POST => "/v3/channels/$channel/messages/$jid", key => $key,
                     json => { type => 'text', body => 'x' });
    $r->status == 201 or die $r->as_text;
    return $jid;
}

sub change {
    my ($jid, $json) = @_;
    my $r = $t->http(PATCH => path() . "/$jid", key => $key, json => $json);
    $r->status == 200 or die $r->as_text;
    return;
}

sub read_one { return $t->http(GET => path() . "/$_[0]", key => $key)->json }

is_answer(list(), 200, [], 'no conversation');

# Each as it is read by itself, whatever it has.
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my @jids = map { send_text($_) } '31611111111@whatsapp.eazy.im',
    map { $t->contact_jid } 1 .. 3;
is_answer(list('?limit=1'), 200, [{
    assignee => undef, channel => { jid => $channel },
    contact => { jid => $jids[0] }, createdAt => $time,
    id => 'px+aB7F9FrMONbyavrdYSysFFBI=', labels => [],
    lastMessageReceivedAt => undef, lastMessageSentAt => $time,
    messagesReceived => 0, messagesSent => 1, status => 'OPEN', team => undef,
    unreadCount => undef,
}], 'the first');
change($jids[1], { assignee => 'john@mycompany.com', labels => [$label],
                   team => $team, unreadCount => 0 });
change($jids[2], { status => 'CLOSED' });
change($jids[3], { assignee => $assistant });
send_text($jids[0]);
my $r = list();
is_answer($r, 200, [map { read_one($_) } @jids],
          'all of them, in the order of their creation');
is($r->body, to_json($r->json), 'compact, and names in their order');
is_deeply([map { $_->{assignee} } @{ $r->json }],
          [undef, 'john@mycompany.com', undef, $assistant], 'whose they are');
is_deeply([map { $_->{team} } @{ $r->json }],
          [undef, { jid => $team }, undef, undef], 'their teams');
is_deeply([map { $_->{labels} } @{ $r->json }], [[], [$label], [], []],
          'their labels');
is_answer(list(undef, channel => $other), 200, [], 'the other channel has none');

# A contact without a message has none; an erased one's leaves.
$t->insert('contact', company => $company, id => $t->uuid,
           channel => $channel_id, jid => $t->contact_jid);
is($t->http(DELETE => "/v3/channels/$channel/contacts/$jids[1]",
            key => $key)->status, 204, 'erased');
is_deeply([map { $_->{contact}{jid} } @{ list()->json }], [@jids[0, 2, 3]],
          'one is gone, none has come');

# Page by page: three of each time, seven a page.
$t->sql(q{insert into ezw.conversation (company, id, channel, contact,
                                        contact_jid, created_at, last_message_at)
          select ?, ('00000000-0000-7000-8000-' ||
                     lpad((1000 - i)::text, 12, '0'))::uuid, ?,
                 gen_random_uuid(), (31800000000 + i) || '@whatsapp.eazy.im',
                 timestamptz '2020-01-01' + (i / 3) * interval '1 minute', now()
            from generate_series(1, 20) i}, $company, $channel_id);
my @want = map { $_->[0] } $t->sql(q{
    select v.contact_jid from ezw.conversation v where v.channel = ?
     order by v.created_at, v.id}, $channel_id);
is(scalar @want, 23, 'as many');
my ($cursor, @seen);
do {
    $r = list('?limit=7' . (defined $cursor ? "&cursor=$cursor" : ''),
              headers => { Prefer => 'count=exact' });
    is($r->header('x-total-count'), 23, 'counted');
    push @seen, [map { $_->{contact}{jid} } @{ $r->json }];
    $cursor = $r->header('x-next-cursor');
} while (defined $cursor);
is_deeply(\@seen, [[@want[0 .. 6]], [@want[7 .. 13]], [@want[14 .. 20]],
                   [@want[21, 22]]], 'by pages');
is_deeply([map { $_->{contact}{jid} } @{ list()->json }], \@want,
          'and at once');

# Another company's.
my $stranger = $t->company;
my $theirs = $t->channel(company => $stranger);
my $their_key = $t->key(company => $stranger, scope => 'COMPANY');
is_refused($t->http(GET => path(), key => $their_key), 404, 1009,
           { message => 'Not found' }, "another company's channel");
is_answer($t->http(GET => path($theirs), key => $their_key), 200, [],
          'theirs has none of ours');

done_testing;

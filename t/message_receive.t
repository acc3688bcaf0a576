# What a platform tells of a person: messages of every type, what they are
# about, buttons, reactions, deletions, typing; who it is by any of his names;
# and what it does to the conversation.

use EZW;
use EZW::Statements;

my $t = EZW->start(http => 'ezw_courier off;');
my $demo = $t->demo;
my ($company, $channel) = @$demo{qw(company channel)};
my $base = "/v3/channels/$channel";
my $key = $demo->{key}{COMPANY};
my $statements = EZW::Statements->new($t);
my $n = 0;

sub fresh_id { return $statements->id =~ s/-//gr . '00000000' }

# The statement's row.
sub receive {
    my ($contact, $message, %o) = @_;
    my $json = to_json($message);
    utf8::decode($json);
    return $statements->row(
        'message_receive', company => $company, channel => $channel,
        contact => $contact, 'contact.name' => undef,
        'provider.id' => 'wamid.' . ++$n, aliases => undef,
        'about.id' => undef, message => $json,
        'message.type' => $message->{type}, 'id.message' => fresh_id(),
        'id.contact' => $t->uuid, 'id.conversation' => $t->uuid, %o);
}

sub get {
    my ($path) = @_;
    return $t->http(GET => "$base/$path", key => $key);
}

sub newest { return get("messages/$_[0]?limit=1")->json->[0]{message} }

# The events of a person's conversation, the last $n.
sub events {
    my ($contact, $n) = @_;
    my @events = $t->sql(q{
        select e.kind, e.payload::text, encode(e.message, 'hex')
          from ezw.event e join ezw.conversation v on v.id = e.conversation
         where v.contact_jid = ? order by e.xid, e.seq}, $contact);
    return [map { [$_->[0], $_->[1] && from_json($_->[1]), $_->[2]] }
            @events[-$n .. -1]];
}

# A first message makes all that there is of a person.
my %text = (type => 'text', body => 'Hello');
my $contact = $t->contact_jid;
my $row = receive($contact, \%text, 'contact.name' => ' Jane van Doe ');
my $first = $row->{id};
is_json($row, { refusal => undef, result => 'STORED',
                id => qr/^[0-9a-f]{40}$/ }, 'stored');
is_answer(get("contacts/$contact"), 200, sub {
    my ($c) = @_;
    return $c->{name}{fullName} eq 'Jane van Doe'
        && $c->{name}{firstName} eq 'Jane' && $c->{name}{lastName} eq 'van Doe';
}, 'a contact with its name');
is_answer(get("conversations/$contact"), 200, sub {
    my ($v) = @_;
    return $v->{status} eq 'OPEN' && $v->{unreadCount} == 1
        && $v->{messagesReceived} == 1 && $v->{messagesSent} == 0
        && $v->{createdAt} eq $v->{lastMessageReceivedAt};
}, 'a conversation');
is_json(newest($contact), \%text, 'and the message');
is_json(events($contact, 2), [['conversation.created', undef, undef],
                              ['message', undef, $first]], 'which are told');

# Every type comes back as it came.
for my $message (
    { type => 'image', mimeType => 'image/jpeg', caption => 'A dog' },
    { type => 'ptt', mimeType => 'audio/ogg; codecs=opus' },
    { type => 'location', latitude => 52.37403, longitude => 4.88969,
      name => "Caf\x{e9}" },
    { type => 'order', order => { items => [{
        productId => '1', quantity => 2, price => 9.95,
        currency => 'EUR' }] } },
    { type => 'unsupported' },
    { type => 'telegram', body => { deep => [1, undef, {}] } },
) {
    is(receive($contact, $message)->{result}, 'STORED',
       "$message->{type}: stored");
    is_json(newest($contact), $message, "$message->{type}: as it came");
    is(events($contact, 1)->[0][0], 'message', "$message->{type}: is told");
}

# The same told again is nothing new, on this channel.
my $count = $t->value('select count(*) from ezw.message');
is_json(receive($contact, \%text, 'provider.id' => 'wamid.1'),
        { refusal => undef, result => 'DUPLICATE', id => $first }, 'known');
is($t->value('select count(*) from ezw.message'), $count, 'not stored');
is(receive($contact, \%text, 'provider.id' => 'wamid.1',
           channel => $t->channel(company => $company))->{result}, 'STORED',
   'another channel knows its own');
is_json(receive($contact, \%text, channel => '31699999999@whatsapp.eazy.im'),
        { refusal => 'not_found', result => undef, id => undef },
        'an absent channel');

# About another message: one that came in, one of ours, one nobody knows.
my $r = $t->http(POST => "$base/messages/$contact", key => $key,
                 json => { type => 'text', body => 'And you?' });
my $ours = $r->json->{id};
$statements->run('message_status', company => $company, channel => $channel,
                 message => $ours, status => 'SENT', 'provider.id' => 'out.1',
                 'error.code' => undef, 'error.text' => undef);
for my $case (['wamid.1', $first], ['out.1', $ours], ['wamid.none', undef]) {
    my ($about, $id) = @$case;
    receive($contact, \%text, 'about.id' => $about);
    is_json(newest($contact), { %text, $id ? (contextInfo => {
        quotedMessage => { id => $id } }) : () }, "quotes $about");
    my %reaction = (type => 'reaction', emoji => "\x{1F44D}");
    receive($contact, \%reaction, 'about.id' => $about);
    is_json(newest($contact), { %reaction, messageId => $id },
            "reacts to $about");
    my %postback = (type => 'button', payload => 'button_id_1',
                    title => 'Option 1');
    receive($contact, \%postback, 'about.id' => $about,
            'message.type' => 'postback');
    is_json(newest($contact), { type => 'postback', postback => {
        %postback, messageId => $id } }, "a button of $about");
    is_json(events($contact, 1), [['postback', { %postback, messageId => $id },
                                   qr/^[0-9a-f]{40}$/]],
            'is told as a postback, and as nothing else');
}
receive($contact, {}, 'message.type' => 'postback');
is_json(newest($contact), { type => 'postback',
                            postback => { messageId => undef } },
        'a button of nothing');

# Deleted: what it said is nowhere any more.
my $secret = 'The secret of ' . $t->uuid;
$row = receive($contact, { %text, body => $secret });
$statements->run('message_revoke', company => $company, channel => $channel,
                 'provider.id' => "wamid.$n");
is_json(newest($contact), { type => 'revoked' }, 'it was there');
is_json(events($contact, 1), [['revoke', undef, $row->{id}]], 'is told');
ok(!grep({ /\Q$secret\E/ } map { @$_ } values %{ $t->snapshot }), 'and gone');
$statements->run('message_revoke', company => $company, channel => $channel,
                 'provider.id' => $_) for "wamid.$n", 'out.1', 'wamid.none';
is(events($contact, 1)->[0][2], $row->{id}, 'once; and only his own');
is_answer(get("messages/$contact/$ours"), 200,
          sub { $_[0]{message}{body} eq 'And you?' }, 'ours is as it was');

# Typing.
for my $state (qw(COMPOSING RECORDING PAUSED)) {
    $statements->run('typing_receive', company => $company,
                     channel => $channel, contact => $contact,
                     'id.message' => fresh_id(), state => $state);
    is_json(events($contact, 1), [['typing', { state => $state }, undef]],
            $state);
}
my $events = $t->value('select count(*) from ezw.event');
$statements->run('typing_receive', company => $company, channel => $channel,
                 contact => $t->contact_jid, 'id.message' => fresh_id(),
                 state => 'COMPOSING');
is($t->value('select count(*) from ezw.event'), $events, 'nobody we know');

# From the phone itself.
$row = $statements->row(
    'message_device', company => $company, channel => $channel,
    contact => $contact, 'provider.id' => 'phone.1', aliases => undef,
    message => to_json(\%text), 'message.type' => 'text',
    'id.message' => fresh_id(), 'id.contact' => $t->uuid,
    'id.conversation' => $t->uuid);
is($row->{result}, 'STORED', 'stored');
is_answer(get("messages/$contact/$row->{id}"), 200, sub {
    my ($m) = @_;
    return $m->{direction} eq 'OUT' && $m->{status} eq 'SENT'
        && $m->{sender}{type} eq 'DEVICE' && !defined $m->{sender}{id};
}, 'it is ours, and has gone');
is_json(events($contact, 1), [['message.sent', undef, $row->{id}]], 'told');
is($t->value('select count(*) from ezw.outbox where message_at >= (select
              max(created_at) from ezw.message)'), 0, 'not sent again');

# Blocked: nothing of it is there, but that it came.
my $blocked = $t->contact_jid;
$t->insert('block', company => $company, jid => $blocked,
           hash => { hex => '00' }, channel => $t->value(
               'select id from ezw.channel where jid = ?', $channel));
is_json(receive($blocked, \%text),
        { refusal => undef, result => 'BLOCKED', id => undef }, 'dropped');
is(get("contacts/$blocked")->status, 404, 'no contact');
is($t->value('select dropped from ezw.block where jid = ?', $blocked), 1,
   'counted');

# By other names: one person, one conversation.
my $hidden = 'lid.4242424242@whatsapp.eazy.im';
$row = receive($hidden, \%text,
               aliases => '[{"kind":"lid","value":"4242424242"}]');
is(get("messages/$hidden")->json->[0]{id}, $row->{id}, 'a hidden number');
my $known = $t->contact_jid;
my $number = $known =~ s/@.*//r;
receive($known, \%text, aliases => to_json([
    { kind => 'phone', value => $number },
    { kind => 'bsuid', value => 'NL.abc123' }]));
receive('NL.abc123@whatsapp.eazy.im', \%text,
        aliases => '[{"kind":"bsuid","value":"NL.abc123"}]');
is(scalar @{ get("messages/$known")->json }, 2, 'both in one conversation');
is(scalar @{ get('messages/NL.abc123@whatsapp.eazy.im')->json }, 2,
   'by whichever name');

# A closed conversation opens, and goes to whom it belongs (DECISIONS 9).
sub patch {
    my ($contact, %change) = @_;
    my $r = $t->http(PATCH => "$base/conversations/$contact", key => $key,
                     json => \%change);
    is($r->status, 200, 'changed') or diag $r->as_text;
    return;
}
my $jane = $t->user(company => $company, email => 'jane@example.com');
my $second = $t->assistant(company => $company);
for my $case (
    # was, default assistant, then
    ['jane@example.com', undef, 'jane@example.com', 'an active agent keeps it'],
    ['jane@example.com', $second, 'jane@example.com',
     'whatever the channel has'],
    [undef, $second, $second, "the channel's assistant"],
    [$demo->{assistant}, $second, $second, 'that one, not the last one'],
    [$demo->{assistant}, undef, undef, 'no assistant but by default'],
) {
    my ($was, $default, $then, $what) = @$case;
    my $contact = $t->contact_jid;
    receive($contact, \%text);
    patch($contact, assignee => $was, status => 'CLOSED');
    $t->sql('update ezw.channel set default_assistant = ? where jid = ?',
            $default, $channel);
    receive($contact, \%text);
    my $v = get("conversations/$contact")->json;
    is($v->{status}, 'OPEN', 'open again');
    is($v->{assignee}, $then, $what);
    $t->sql('update ezw.channel set default_assistant = null where jid = ?',
            $channel);
}
$contact = $t->contact_jid;
receive($contact, \%text);
patch($contact, assignee => 'jane@example.com', status => 'CLOSED');
$t->sql(q{update ezw.membership set status = 'disabled' where user_id = ?},
        $jane);
receive($contact, \%text);
is(get("conversations/$contact")->json->{assignee}, undef,
   'an agent who has left does not');
is_json(events($contact, 3)->[1], ['handover', {
    from => { type => 'AGENT', id => 'jane@example.com' }, to => undef,
    team => undef, reason => 'reopen' }, undef], 'which is told');

done_testing;

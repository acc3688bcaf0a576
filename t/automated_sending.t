# Automated messages: a greeting to the first message ever or in 14 days, and
# that nobody is there, at most every 12 hours; what a contact answers to them
# leads to no more of them.

use EZW;
use EZW::Statements;

my $t = EZW->start;
my $demo = $t->demo;
my ($company, $channel) = @$demo{qw(company channel)};
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $statements = EZW::Statements->new($t);
my $user = $t->user(company => $company, email => 'jane@example.com');

sub automated {
    my ($type, $enabled) = @_;
    $t->sql(q{insert into ezw.automated_message (company, channel, type, body, enabled)
              values (?, ?, ?, ?, ?)
              on conflict (company, channel, type) do update
              set enabled = excluded.enabled},
            $company, $channel_id, $type, "$type!", $enabled ? 't' : 'f');
    return;
}

my $n = 0;

sub receive {
    my ($contact, $type, $message) = @_;
    $type //= 'text';
    my $row = $statements->row(
        'message_receive', company => $company, channel => $channel,
        contact => $contact, 'contact.name' => undef,
        'provider.id' => 'wamid.' . ++$n, aliases => undef,
        'about.id' => undef, 'message.type' => $type,
        message => $message // '{"body":"Hi","type":"text"}',
        'id.message' => $statements->id =~ s/-//gr . '00000000',
        'id.contact' => $t->uuid, 'id.conversation' => $t->uuid);
    is($row->{result}, 'STORED', 'received');
    return;
}

# What went out by itself, in its order.
sub sent {
    my ($contact) = @_;
    return join ' ', map { $_->[0] } $t->sql(q{
        select m.sender_id from ezw.message m
          join ezw.conversation v on v.id = m.conversation
         where v.contact_jid = ? and m.sender_type = 'AUTOMATED'
         order by m.seq}, $contact);
}

sub settled {
    wait_for(sub { !$t->value('select count(*) from ezw.outbox') }, 30,
             'all is settled');
    return;
}

sub later {
    my ($contact, $column, $hours) = @_;
    $t->sql("update ezw.conversation set $column = $column
             - make_interval(hours => ?) where contact_jid = ?", $hours,
            $contact);
    return;
}

# None: nothing goes out.
my $contact = $t->contact_jid;
receive($contact);
is(sent($contact), '', 'nothing is set up');
is($t->value('select automated from ezw.channel where jid = ?', $channel), 0,
   'the channel knows');
automated($_ => 0) for qw(GREETING AWAY);
receive($contact = $t->contact_jid);
is(sent($contact), '', 'both are off');

# A greeting, and all that is told of it.
automated(GREETING => 1);
receive($contact = $t->contact_jid);
is(sent($contact), 'GREETING', 'a greeting');
settled();
my $r = $t->http(GET => "/v3/channels/$channel/messages/$contact",
                 key => $demo->{key}{CHANNEL});
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my $id = qr/^[0-9a-f]{40}$/;
is_answer($r, 200, [
    { createdAt => $time, direction => 'OUT', error => undef, id => $id,
      message => { body => 'GREETING!', type => 'text' },
      sender => { id => 'GREETING', type => 'AUTOMATED' },
      status => 'DELIVERED' },
    { createdAt => $time, direction => 'IN', error => undef, id => $id,
      message => { body => 'Hi', type => 'text' },
      sender => { id => $contact, type => 'CONTACT' }, status => 'RECEIVED' },
], 'it went out as every message does, and was not answered');
is_json([map { $_->[0] } $t->sql(q{
    select e.kind || coalesce(':' || (e.payload->>'status'), '')
      from ezw.event e join ezw.conversation v on v.id = e.conversation
     where v.contact_jid = ? order by e.xid, e.seq}, $contact)],
    ['conversation.created', 'message', 'message.sent', 'receipt:SENT',
     'receipt:DELIVERED'], 'and is told');
my $conversation = $t->http(
    GET => "/v3/channels/$channel/conversations/$contact",
    key => $demo->{key}{COMPANY})->json;
is($conversation->{messagesSent}, 1, 'counted');
is($conversation->{messagesReceived}, 1, 'as what came in');

# Once, until 14 days are over.
receive($contact);
later($contact, last_message_received_at => 14 * 24 - 1);
receive($contact);
is(sent($contact), 'GREETING', 'no second one');
later($contact, last_message_received_at => 14 * 24 + 1);
receive($contact);
is(sent($contact), 'GREETING GREETING', 'after 14 days');

# To the first message that comes, whoever wrote first.
$contact = $t->contact_jid;
is($t->http(POST => "/v3/channels/$channel/messages/$contact",
            key => $demo->{key}{ASSISTANT},
            json => { type => 'text', body => 'Hi' })->status, 201,
   "an assistant's conversation");
wait_for(sub { sent($contact) eq 'GREETING' }, 20,
         'the answer is greeted, whoever owns the conversation');
settled();

# A reaction is no word.
receive($contact = $t->contact_jid, 'reaction',
        '{"emoji":"+","type":"reaction"}');
is(sent($contact), '', 'a reaction is not greeted');

# Nobody there: greeting first.
automated(AWAY => 1);
receive($contact = $t->contact_jid);
is(sent($contact), 'GREETING AWAY', 'both, the greeting first');
receive($contact);
is(sent($contact), 'GREETING AWAY', 'once');
later($contact, away_at => 11);
receive($contact);
is(sent($contact), 'GREETING AWAY', 'for 12 hours');
later($contact, away_at => 2);
receive($contact);
is(sent($contact), 'GREETING AWAY AWAY', 'and once more');
settled();
is(sent($contact), 'GREETING AWAY AWAY', 'and no more by its answers');

# Somebody there.
automated(GREETING => 0);
$t->insert('presence', company => $company, user_id => $user,
           stream_at => '2100-01-01', request_at => '2100-01-01');
receive($contact = $t->contact_jid);
is(sent($contact), '', 'somebody is there');
$t->sql(q{update ezw.presence set request_at = now() - interval '11 minutes'});
receive($contact);
is(sent($contact), 'AWAY', 'who has gone');

# A blocked person hears nothing.
$t->insert('block', company => $company, channel => $channel_id,
           jid => $contact = $t->contact_jid, hash => { hex => '00' });
$statements->run(
    'message_receive', company => $company, channel => $channel,
    contact => $contact, 'contact.name' => undef, 'provider.id' => 'blocked',
    aliases => undef, 'about.id' => undef, 'message.type' => 'text',
    message => '{"body":"Hi","type":"text"}',
    'id.message' => $statements->id =~ s/-//gr . '00000000',
    'id.contact' => $t->uuid, 'id.conversation' => $t->uuid);
is(sent($contact), '', 'not to a blocked one');

automated(AWAY => 0);
is($t->value('select automated from ezw.channel where jid = ?', $channel), 0,
   'off again, and the channel knows');

done_testing;

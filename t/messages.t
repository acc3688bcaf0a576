# Sending: what is taken, what is refused, and what a send makes.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $assistant = $t->assistant(company => $company);
my $second = $t->assistant(company => $company);
my %key = (
    CHANNEL => $t->key(company => $company, scope => 'CHANNEL',
                       channels => [$channel]),
    ASSISTANT => $t->key(company => $company, scope => 'ASSISTANT'),
    BOUND => $t->key(company => $company, scope => 'ASSISTANT',
                     assistant => $assistant),
    SECOND => $t->key(company => $company, scope => 'ASSISTANT',
                      assistant => $second),
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
    OWNER => $t->key(company => $company, scope => 'OWNER'),
);
my %sent = (id => qr/^[0-9a-f]{40}$/);
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my $jid = '31611111111@whatsapp.eazy.im';

sub path { return '/v3/channels/' . ($_[1] // $channel) . "/messages/$_[0]" }

# POSTs a whole body.
sub post {
    my ($jid, $json, %o) = @_;
    return $t->http(POST => path($jid, delete $o{channel}),
                    key => $key{CHANNEL}, json => $json, %o);
}

# Sends a text.
sub text {
    my ($jid, $body, %o) = @_;
    return post($jid, { message => { type => 'text', body => $body } }, %o);
}

sub fresh { return $t->contact_jid }

sub stored {
    my ($r) = @_;
    my ($row) = $t->sql(q{
        select m.body::text, m.type, m.status, m.direction, m.sender_type,
               m.sender_id, m.company
          from ezw.message m where m.id = ?}, { hex => $r->json->{id} });
    return $row;
}

sub conversation {
    my ($jid, %o) = @_;
    return $t->http(GET => "/v3/channels/$channel/conversations/$jid",
                    key => $key{COMPANY});
}


# The document's own example, and what it has made.
my $r = text($jid, 'Have a nice day!');
is_answer($r, 201, \%sent, "the document's POST");
my $id = $r->json->{id};
is($r->body, qq({"id":"$id"}), 'nothing but the id');
is_deeply(stored($r),
          ['{"body":"Have a nice day!","type":"text"}', 'text', 'QUEUED', 'OUT',
           'API', $t->key_id($key{CHANNEL}) . '@key.eazy.im', $company],
          'the message');
is_answer($t->http(GET => "/v3/channels/$channel/contacts/$jid",
                   key => $key{CHANNEL}), 200, {
    jid => $jid, metadata => [], notes => [], phoneNumber => 31611111111,
    name => { firstName => undef, fullName => undef, lastName => undef },
    reference => undef, remarks => undef, type => 'INDIVIDUAL',
}, 'a contact');
my %conversation = (
    assignee => undef, channel => { jid => $channel },
    contact => { jid => $jid }, createdAt => $time,
    id => 'px+aB7F9FrMONbyavrdYSysFFBI=', labels => [],
    lastMessageReceivedAt => undef, lastMessageSentAt => $time,
    messagesReceived => 0, messagesSent => 1, status => 'OPEN',
    team => undef, unreadCount => undef,
);
my $first = conversation($jid);
is_answer($first, 200, \%conversation, 'a conversation');
is($first->json->{createdAt}, $first->json->{lastMessageSentAt},
   'which begins with the message');
is_deeply([$t->sql('select o.kind, encode(m.id, \'hex\'), v.contact_jid
                      from ezw.outbox o
                      join ezw.conversation v on v.id = o.conversation
                      join ezw.message m on m.conversation = v.id
                       and m.created_at = o.message_at and m.seq = o.seq')],
          [['message', $id, $jid]], 'a command for the courier');
is_deeply([map { $_->[0] } $t->sql(q{select kind from ezw.event order by seq})],
          ['conversation.created', 'message.sent'], 'and events');

# The next one.
my $next = text($jid, 'And a nice evening!');
is_answer($next, 201, \%sent, 'the next message');
isnt($next->json->{id}, $id, 'has an id of its own');
ok($next->json->{id} gt $id, 'and its id comes later');
is_answer(conversation($jid), 200,
          { %conversation, messagesSent => 2,
            createdAt => $first->json->{createdAt},
            lastMessageSentAt => sub {
                $_[0] gt $first->json->{lastMessageSentAt} } },
          'in the same conversation');
is_deeply([map { $_->[0] } $t->sql('select seq from ezw.message order by seq')],
          [1, 2], 'numbered');


# What real programs send.
my %is = (body => 'Hi', type => 'text');
my $hostile = qq{'); drop table ezw.message; --\\"\n\t\x{7f}\x{2028}\$1%s};
for my $case (
    ['wrapped', { message => { type => 'text', body => 'Hi' } }, \%is],
    ['bare', { type => 'text', body => 'Hi' }, \%is],
    ['wrapped, "text"', { message => { type => 'text', text => 'Hi' } }, \%is],
    ['bare, "text"', { type => 'text', text => 'Hi' }, \%is],
    ['both, "body" wins', { message => { type => 'text', body => 'Hi',
                                         text => 'Ho' } }, \%is],
    ['with extras', { to => 'x', message => { type => 'text', body => 'Hi',
                                              preview => true } }, \%is],
    ['a reply', { message => { type => 'text', body => 'Hi',
                               contextInfo => { quotedMessage => {
                                   id => uc $id } } } },
     { %is, contextInfo => { quotedMessage => { id => $id } } }],
    ['no reply', { message => { type => 'text', body => 'Hi',
                                contextInfo => undef } }, \%is],
    ['no reply either', { message => { type => 'text', body => 'Hi',
                                       contextInfo => {} } }, \%is],
    ['hostile text', { message => { type => 'text', body => $hostile } },
     { type => 'text', body => $hostile }],
    ['one character', { message => { type => 'text', body => ' ' } },
     { type => 'text', body => ' ' }],
    ['4096 letters', { message => { type => 'text', body => 'x' x 4096 } },
     { type => 'text', body => 'x' x 4096 }],
    ['4096 quotes', { message => { type => 'text', body => '"' x 4096 } },
     { type => 'text', body => '"' x 4096 }],
    ['4096 four-byte characters',
     { message => { type => 'text', body => "\x{1F600}" x 4096 } },
     { type => 'text', body => "\x{1F600}" x 4096 }],
) {
    my ($name, $json, $want) = @$case;
    my $r = post($jid, $json);
    is_answer($r, 201, \%sent, "sent: $name");
    my ($body) = @{ stored($r) };
    utf8::encode($body);
    is_json(from_json($body), $want, "sent: $name, and it is so");
}
my $whole = to_json({ message => { type => 'text',
                                   body => "\x{1F600}" x 4096 } });
is_answer($t->http(POST => path($jid), key => $key{CHANNEL},
                   body => $whole =~ s/\xf0\x9f\x98\x80/\\ud83d\\ude00/gr,
                   headers => { 'Content-Type' =>
                                    'application/json; charset=utf-8' }),
          201, \%sent, '4096 four-byte characters, escaped');
is($t->value('select count(*) from ezw.message where body->>\'body\' = ?',
             "\x{1F600}" x 4096), 2, 'the same');

# What is refused names the field, and nothing is sent.
my $count = $t->value('select count(*) from ezw.message');
my $quoted = 'message.contextInfo.quotedMessage';
for my $case (
    [{}, 'message', 'message is required'],
    [{ message => undef }, 'message', 'message must not be null'],
    [{ message => 'Hi' }, 'message', 'message must be an object'],
    [{ message => ['Hi'] }, 'message', 'message must be an object'],
    [{ message => {} }, 'message.type', 'message.type is required'],
    [{ message => { body => 'Hi' } }, 'message.type',
     'message.type is required'],
    [{ message => { type => undef, body => 'Hi' } }, 'message.type',
     'message.type must be a string'],
    [{ message => { type => 5 } }, 'message.type',
     'message.type must be a string'],
    [{ message => { type => 'Text', body => 'Hi' } }, 'message.type',
     'message.type is unknown'],
    [{ message => { type => '', body => 'Hi' } }, 'message.type',
     'message.type is unknown'],
    [{ type => 'telegram' }, 'type', 'type is unknown'],
    [{ message => { type => 'text' } }, 'message.body',
     'message.body is required'],
    [{ type => 'text' }, 'body', 'body is required'],
    [{ message => { type => 'text', body => undef } }, 'message.body',
     'message.body must not be null'],
    [{ message => { type => 'text', body => 5 } }, 'message.body',
     'message.body must be a string'],
    [{ message => { type => 'text', body => { text => 'Hi' } } },
     'message.body', 'message.body must be a string'],
    [{ message => { type => 'text', text => [] } }, 'message.text',
     'message.text must be a string'],
    [{ message => { type => 'text', body => '' } }, 'message.body',
     'message.body is too short: at least 1 character'],
    [{ message => { type => 'text', body => 'x' x 4097 } }, 'message.body',
     'message.body is too long: at most 4096 characters'],
    [{ message => { type => 'text', body => "\x{1F600}" x 4097 } },
     'message.body', 'message.body is too long: at most 4096 characters'],
    [{ type => 'text', text => "\x{1F600}" x 4097 }, 'text',
     'text is too long: at most 4096 characters'],
    [{ message => { type => 'text', body => 'Hi', contextInfo => 'x' } },
     'message.contextInfo', 'message.contextInfo must be an object'],
    [{ message => { type => 'text', body => 'Hi', contextInfo => {
        quotedMessage => [] } } }, $quoted, "$quoted must be an object"],
    [{ message => { type => 'text', body => 'Hi', contextInfo => {
        quotedMessage => {} } } }, "$quoted.id", "$quoted.id is required"],
    [{ message => { type => 'text', body => 'Hi', contextInfo => {
        quotedMessage => { id => 5 } } } }, "$quoted.id",
     "$quoted.id must be a string"],
    [{ message => { type => 'text', body => 'Hi', contextInfo => {
        quotedMessage => { id => substr $id, 1 } } } }, "$quoted.id",
     "$quoted.id must be 40 hexadecimal digits"],
    [{ message => { type => 'text', body => 'Hi', contextInfo => {
        quotedMessage => { id => 'g' x 40 } } } }, "$quoted.id",
     "$quoted.id must be 40 hexadecimal digits"],
) {
    my ($json, $field, $message) = @$case;
    is_refused(post($jid, $json), 400, 1005,
               { message => $message, field => $field },
               'refused: ' . substr to_json($json), 0, 60);
}

# Where typos shall be caught.
my @strict = (headers => { Prefer => 'handling=strict' });
for my $case (
    [{ message => { type => 'text', body => 'Hi' }, too => 1 }, 'too'],
    [{ message => { type => 'text', body => 'Hi', boddy => 1 } },
     'message.boddy'],
    [{ type => 'text', body => 'Hi', boddy => 1 }, 'boddy'],
    [{ message => { type => 'text', body => 'Hi',
                    contextInfo => { quoted => {} } } },
     'message.contextInfo.quoted'],
) {
    my ($json, $field) = @$case;
    is_refused(post($jid, $json, @strict), 400, 1005,
               { message => "Unknown field: $field", field => $field },
               "strict: $field");
}
is($t->value('select count(*) from ezw.message'), $count, 'nothing was sent');
is_answer(text($jid, 'Hi', @strict), 201, \%sent, 'strict takes the rest');


# Who may, and to whom.
for my $scope (sort keys %key) {
    is_answer(text(fresh(), 'Hi', key => $key{$scope}), 201, \%sent,
              "$scope sends");
}
is_refused($t->http(POST => path($jid), json => { type => 'text' }), 401, 1001,
           { message => 'Unauthorized: no API key' }, 'nobody sends');
my $stranger = $t->company;
my $foreign = $t->channel(company => $stranger);
my $other = $t->channel(company => $company);
my $absent = '31699999999@whatsapp.eazy.im';
for my $where ($foreign, $absent, $other) {
    is_refused(text($jid, 'Hi', channel => $where), 403, 1002,
               { message => 'Access denied: not a channel of the API key' },
               "not on the list: $where");
    next if $where eq $other;
    for my $scope (qw(ASSISTANT COMPANY OWNER)) {
        is_refused(text($jid, 'Hi', channel => $where, key => $key{$scope}),
                   404, 1009, { message => 'Not found' }, "$scope: $where");
    }
}
is($t->value('select count(*) from ezw.message where company = ?', $stranger), 0,
   "nothing on another company's channel");
for my $bad ('31611111111', '31611111111@sms.eazy.im', '1571833730@list.eazy.im',
             '031611111111@whatsapp.eazy.im', '1563451622477@ai.eazy.im')
{
    is_refused(text($bad, 'Hi'), 400, 1005,
               { message => 'Jid is invalid', field => 'contactJid' },
               "to no contact: $bad");
}

# By another name of the contact: into its one conversation.
my $lid = 'lid.123456@whatsapp.eazy.im';
my ($row) = $t->sql('select channel, id from ezw.contact where jid = ?', $jid);
$t->insert('contact_alias', company => $company, channel => $row->[0],
           kind => 'jid', value => $lid, contact => $row->[1]);
my $before = conversation($jid)->json->{messagesSent};
is_answer(text($lid, 'Hi'), 201, \%sent, 'to an alias');
is(conversation($jid)->json->{messagesSent}, $before + 1,
   'into the one conversation');
is($t->value('select count(*) from ezw.contact where jid = ?', $lid), 0,
   'no second contact');

# Refused by what there is: see refusals.t for what it leaves.
$t->insert('block', company => $company, channel => $row->[0], jid => $jid,
           hash => { hex => '00' });
is_refused(text($jid, 'Hi'), 422, 1011,
           { message => 'Message rejected: contact is blocked' }, 'blocked');
is_refused(text($lid, 'Hi'), 422, 1011,
           { message => 'Message rejected: contact is blocked' },
           'blocked, by an alias');
my $never = fresh();
$t->insert('block', company => $company, channel => $row->[0], jid => $never,
           hash => { hex => '00' });
is_refused(text($never, 'Hi'), 422, 1011,
           { message => 'Message rejected: contact is blocked' },
           'blocked before any contact');
$t->sql('delete from ezw.block where jid = ?', $jid);
is_answer(text($jid, 'Hi'), 201, \%sent, 'unblocked');

my $archived = $t->channel(company => $company, archived_at => '2020-01-01');
is_refused(text($jid, 'Hi', channel => $archived, key => $key{COMPANY}), 422,
           1011, { message => 'Message rejected: channel is archived' },
           'an archived channel');

# The care window: from the last message that came in.
my $cared = $t->channel(company => $company, window_seconds => 86400);
my %o = (channel => $cared, key => $key{COMPANY});
my %expired = (message => 'Customer care window expired');
is_refused(text($jid, 'Hi', %o), 422, 1015, \%expired, 'who never wrote');
my $contact = $t->uuid;
my $cared_id = $t->value('select id from ezw.channel where jid = ?', $cared);
$t->insert('contact', company => $company, id => $contact, channel => $cared_id,
           jid => $jid);
$t->insert('conversation', company => $company, id => $t->uuid,
           channel => $cared_id, contact => $contact, contact_jid => $jid,
           created_at => '2020-01-01', last_message_at => '2020-01-01',
           last_message_received_at => '2020-01-01');
is_refused(text($jid, 'Hi', %o), 422, 1015, \%expired, 'who wrote long ago');
for my $case (["interval '23 hours 59 minutes'", 201],
              ["interval '24 hours 1 minute'", 422])
{
    $t->sql("update ezw.conversation
                set last_message_received_at = now() - $case->[0]
              where channel = ?", $cared_id);
    is(text($jid, 'Hi', %o)->status, $case->[1], "who wrote $case->[0] ago");
}

# A send opens a closed conversation again, and an assistant takes it.
my $closed = fresh();
text($closed, 'Hi');
$t->http(PATCH => "/v3/channels/$channel/conversations/$closed",
         key => $key{COMPANY}, json => { status => 'CLOSED' });
is_answer(text($closed, 'Hi', key => $key{BOUND}), 201, \%sent,
          'into a closed one');
my $reopened = conversation($closed)->json;
is($reopened->{status}, 'OPEN', 'which is open again');
is($reopened->{assignee}, $assistant, "and the assistant's");
is_refused(text($closed, 'Hi', key => $key{SECOND}), 403, 1010,
           { message => 'Assistant has no ownership of conversation' },
           'the other assistant may not');
my $own = text($closed, 'Hi', key => $key{BOUND});
is_answer($own, 201, \%sent, 'the owner may');
is_deeply([@{ stored($own) }[4, 5]], ['ASSISTANT', $assistant],
          'and it is the assistant that sends');
is_answer(text($closed, 'Hi', key => $key{$_}), 201, \%sent, "$_ is exempt")
    for qw(CHANNEL ASSISTANT COMPANY OWNER);
my $taken = fresh();
is_answer(text($taken, 'Hi', key => $key{SECOND}), 201, \%sent, 'a first send');
is(conversation($taken)->json->{assignee}, $second, 'takes a new one');
is_refused(text($taken, 'Hi', key => $key{BOUND}), 403, 1010,
           { message => 'Assistant has no ownership of conversation' },
           'which is nobody else\'s');
text($taken = fresh(), 'Hi');
is_answer(text($taken, 'Hi', key => $key{BOUND}), 201, \%sent,
          'into one that was never assigned');
is(conversation($taken)->json->{assignee}, undef, 'which it does not take');

# Many at once to one contact: none lost, none twice, numbered without gaps.
my $busy = fresh();
my @many = $t->parallel(map { [POST => path($busy), key => $key{CHANNEL},
                               json => { type => 'text', body => "n$_" }] }
                        1 .. 60);
is(scalar(grep { $_->status == 201 } @many), 60, '60 at once');
is(scalar(keys %{{ map { $_->json->{id} => 1 } @many }}), 60, '60 ids');
is(conversation($busy)->json->{messagesSent}, 60, 'counted');
is_deeply([map { $_->[0] } $t->sql(q{
    select m.seq from ezw.message m join ezw.conversation v
        on v.id = m.conversation where v.contact_jid = ? order by m.created_at,
        m.seq}, $busy)], [1 .. 60], 'numbered in the order of their times');

done_testing;

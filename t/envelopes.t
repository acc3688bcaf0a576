# The envelope of each event (DECISIONS 15): what is told of what was done
# through the API and by connectors, byte for byte.

use EZW;
use EZW::Statements;
use Digest::SHA qw(sha1_base64);

my $t = EZW->start(http => 'ezw_courier off;');
my $statements = EZW::Statements->new($t);
my $company = $t->company;
my $channel = $t->channel(company => $company, name => 'Support "1"',
                          jid => '31612345678@whatsapp.eazy.im');
my $channel_id = $t->value('select id from ezw.channel where jid = ?',
                           $channel);
my $assistant = $t->assistant(company => $company);
my %key = (
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
    BOUND => $t->key(company => $company, scope => 'ASSISTANT',
                     assistant => $assistant),
);
$t->user(company => $company, email => 'john@mycompany.com');
my $john = '{"type":"AGENT","id":"john@mycompany.com"}';
my $bot = qq({"type":"ASSISTANT","id":"$assistant"});
my $label = '1580486175684@label.eazy.im';
my $sales = '1580486175685@label.eazy.im';
$t->insert('label', company => $company, jid => $label, name => 'Support');
$t->insert('label', company => $company, jid => $sales, name => 'S"ales');
my $team = '1601626130348@team.eazy.im';
$t->insert('team', company => $company, jid => $team, name => 'Team');

sub api {
    my ($method, $path, $json, $key) = @_;
    my $r = $t->http($method => "/v3/channels/$channel/$path", json => $json,
                     key => $key // $key{COMPANY});
    $r->status =~ /^20/ or die "$method $path: " . $r->as_text . "\n";
    return $r->json;
}

sub message_id { return $statements->id =~ s/-//gr . substr $t->uuid, 0, 8 }

# What the log has told since the last call, in its order: webhooks' event and
# its document, for each that they hear of.
my %read;
sub told {
    my @events = $t->sql(q{
        select e.seq, e.company, e.created_at::text,
               floor(extract(epoch from e.created_at))::int8
          from ezw.event e
         order by e.xid, e.seq});
    return map {
        my ($seq, $of, $at, $seconds) = @$_;
        my ($row) = $read{$seq}++ ? () : @{ $statements->run(
            'event_envelope', company => $of, at => $at, seq => $seq) };
        $row ? { %$row, at => $seconds } : ();
    } @events;
}

# A document by hand: its beginning, the contact, the context, and the rest.
my ($contact, $name, %context);
sub context {
    my (%more) = @_;
    %context = (%context, %more);
    my $id = sha1_base64("$channel\0$contact") . '=';
    my $conversation = exists $context{none} ? 'null'
        : qq({"id":"$id","status":"$context{status}",)
        . qq("assignee":$context{assignee},"labels":$context{labels},)
        . qq("team":$context{team}});
    my $quoted = delete $context{quoted};
    return qq({"conversation":$conversation,"metadata":{},"originator":null)
        . ($quoted ? qq(,"quotedMessage":$quoted) : '') . '}';
}
sub received {
    my ($type, $context, $body) = @_;
    return sub {
        qq({"type":"$type","version":2,"timestamp":$_[0],)
            . qq("direction":"received","to":"$channel",)
            . qq("from":{"jid":"$contact","name":$name,"locale":null,)
            . qq("picture":null},"contextInfo":$context,$body});
    };
}
sub sent {
    my ($context, $body) = @_;
    return sub {
        qq({"type":"echo","version":2,"timestamp":$_[0],"direction":"sent",)
            . qq("to":"$contact","from":{"jid":"$channel",)
            . qq("name":"Support \\"1\\"","locale":null,"picture":null},)
            . qq("contextInfo":$context,$body});
    };
}

# All that webhooks have been told since the last call: event => document, in
# this order.
sub is_told {
    my ($what, @want) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @got = told();
    my @expected;
    while (my ($event, $document) = splice @want, 0, 2) {
        my $at = $got[@expected] ? $got[@expected]{at} : 0;
        push @expected, [$event, $channel_id, $document->($at)];
    }
    is_deeply([map { [@$_{qw(event channel document)}] } @got], \@expected,
              $what) or return;
    is_deeply([grep { !eval { from_json($_->{document}) } } @got], [],
              "$what: JSON");
    return;
}

sub fresh {
    ($contact, $name) = ($t->contact_jid, 'null');
    %context = (status => 'OPEN', assignee => 'null', labels => '[]',
                team => 'null');
    return;
}

# A message from the platform; returns its id.
my $platform = 0;
sub receive {
    my ($message, %more) = @_;
    my $id = message_id();
    my %values = (
        company => $company, channel => $channel, contact => $contact,
        'contact.name' => undef, 'provider.id' => 'wamid.' . ++$platform,
        'id.message' => $id, message => $message,
        'message.type' => from_json($message)->{type},
        'id.contact' => $statements->id, 'id.conversation' => $statements->id,
        aliases => undef, 'about.id' => undef, %more);
    my $row = $statements->row('message_receive', %values);
    is($row->{result}, 'STORED', 'a message comes in');
    return $id;
}


# Messages in ----------------------------------------------------------------

told();
fresh();
my $in = receive('{"body":"Hi \"there\" \u00e9\n","type":"text"}',
                 'contact.name' => 'John "J" Doe');
$name = '"John \"J\" Doe"';
is_told('a message in', message => received('message', context(),
    qq("message":{"id":"$in","type":"text",)
    . qq("body":"Hi \\"there\\" \\u00e9\\n"})));

# Media stands beside the message; what is quoted in the context.
my $image = receive('{"caption":"A","media":{"url":"https://x.example/1?a=b"},'
                    . '"mimeType":"image/jpeg","type":"image"}');
is_told('with media', message => received('message', context(),
    qq("message":{"id":"$image","type":"image","caption":"A",)
    . qq("mimeType":"image/jpeg"},)
    . qq("media":{"size":null,"url":"https://x.example/1?a=b"})));
my $location = receive('{"latitude":1.50,"longitude":-0.1,"name":null,'
                       . '"type":"location"}');
is_told('a location', message => received('message', context(),
    qq("message":{"id":"$location","type":"location","latitude":1.50,)
    . qq("longitude":-0.1,"name":null})));
my $unknown = message_id();
for my $case ([$in, qq("$contact")], [$unknown, 'null']) {
    my ($quoted, $jid) = @$case;
    my $id = receive(qq({"body":"Re","contextInfo":{"quotedMessage":)
                     . qq({"id":"$quoted"}},"type":"text"}));
    is_told('a reply', message => received('message',
        context(quoted => qq({"id":"$quoted","jid":$jid})),
        qq("message":{"id":"$id","type":"text","body":"Re"})));
}


# Messages out ---------------------------------------------------------------

# By a program, an assistant, and what the platform tells of one.
my $sent = api(POST => "messages/$contact",
               { type => 'text', body => 'Hello' })->{id};
my $key_jid = $t->key_id($key{COMPANY}) . '@key.eazy.im';
is_told('a message out', echo => sent(context(),
    qq("sender":{"type":"API","id":"$key_jid"},)
    . qq("message":{"id":"$sent","type":"text","body":"Hello"})));
my $reply = api(POST => "messages/$contact", { type => 'text', body => 'Re',
    contextInfo => { quotedMessage => { id => $in } } })->{id};
is_told('a reply', echo => sent(
    context(quoted => qq({"id":"$in","jid":"$contact"})),
    qq("sender":{"type":"API","id":"$key_jid"},)
    . qq("message":{"id":"$reply","type":"text","body":"Re"})));
my $of_ours = receive(qq({"body":"Re","contextInfo":{"quotedMessage":)
                      . qq({"id":"$sent"}},"type":"text"}));
is_told('a reply to ours', message => received('message',
    context(quoted => qq({"id":"$sent","jid":"$channel"})),
    qq("message":{"id":"$of_ours","type":"text","body":"Re"})));

for my $case (['SENT'], ['DELIVERED'], ['READ'], ['PLAYED']) {
    my ($status) = @$case;
    $statements->run('message_status', company => $company,
                     channel => $channel, message => $sent, status => $status,
                     'provider.id' => undef, 'error.code' => undef,
                     'error.text' => undef);
    is_told("$status", receipt => received('receipt', context(),
        qq("receipt":{"id":"$sent","status":"$status","error":null})));
}
$statements->run('message_status', company => $company, channel => $channel,
                 message => $reply, status => 'FAILED', 'provider.id' => undef,
                 'error.code' => 1007, 'error.text' => 'Not "here"');
is_told('FAILED', receipt => received('receipt', context(),
    qq("receipt":{"id":"$reply","status":"FAILED",)
    . qq("error":{"code":1007,"message":"Not \\"here\\""}})));


# Conversations --------------------------------------------------------------

sub patch {
    my ($json, $key) = @_;
    return api(PATCH => "conversations/$contact", $json, $key);
}
sub handover {
    my ($from, $to, $reason, %more) = @_;
    return (handover => received('handover', context(%more),
        qq("handover":{"from":$from,"to":$to,)
        . qq("team":$context{team},"reason":"$reason"})
        =~ s/"team":\{"jid":(".*?")\}/"team":$1/r));
}
sub labelled {
    my ($action, $jid, $name, %more) = @_;
    return (label => received('label', context(%more),
        qq("label":{"action":"$action","jid":"$jid","name":"$name"})));
}

patch({ assignee => 'John@MyCompany.com' });
is_told('to an agent', handover('null', $john, 'api',
                                assignee => '"john@mycompany.com"'));
patch({ assignee => $assistant, team => $team });
is_told('to an assistant, of a team',
        handover($john, $bot, 'api', assignee => qq("$assistant"),
                 team => qq({"jid":"$team"})));
patch({ team => undef });
$context{team} = 'null';
is_told('a team alone');
patch({ assignee => undef }, $key{BOUND});
is_told('to the agents', handover($bot, 'null', 'api', assignee => 'null'));
patch({ labels => [$sales, $label] });
my @labels = (labels => qq(["$label","$sales"]));
is_told('two labels', labelled(ADDED => $label, 'Support', @labels),
        labelled(ADDED => $sales, 'S\"ales', @labels));
patch({ labels => [$sales], assignee => 'john@mycompany.com',
        status => 'CLOSED', unreadCount => 0 });
%context = (%context, labels => qq(["$sales"]), status => 'CLOSED',
            assignee => '"john@mycompany.com"');
is_told('everything at once', handover('null', $john, 'api'),
        labelled(REMOVED => $label, 'Support'));
patch({ labels => [$sales], assignee => 'john@mycompany.com' });
is_told('nothing new');

# It comes back to life: to the agent that had it, an assistant that sends.
my $back = receive('{"body":"Again","type":"text"}');
is_told('reopened, by its agent', message => received('message',
    context(status => 'OPEN'),
    qq("message":{"id":"$back","type":"text","body":"Again"})));
patch({ status => 'CLOSED' });
is_told('closed');
my $by_bot = api(POST => "messages/$contact",
                 { type => 'text', body => 'Bot' }, $key{BOUND})->{id};
is_told('reopened by an assistant',
        handover($john, $bot, 'reopen', status => 'OPEN',
                 assignee => qq("$assistant")),
        echo => sent(context(),
            qq("sender":{"type":"ASSISTANT","id":"$assistant"},)
            . qq("message":{"id":"$by_bot","type":"text","body":"Bot"})));

# A conversation that begins with an assistant's message, and one that the
# channel's assistant takes.
fresh();
my $first = api(POST => "messages/$contact", { type => 'text', body => 'Hi' },
                $key{BOUND})->{id};
is_told('begun by an assistant',
        handover('null', $bot, 'api', assignee => qq("$assistant")),
        echo => sent(context(),
            qq("sender":{"type":"ASSISTANT","id":"$assistant"},)
            . qq("message":{"id":"$first","type":"text","body":"Hi"})));
fresh();
$t->sql('update ezw.channel set default_assistant = ? where jid = ?',
        $assistant, $channel);
my $new = receive('{"body":"Hi","type":"text"}');
is_told("taken by the channel's assistant",
        handover('null', $bot, 'reopen', assignee => qq("$assistant")),
        message => received('message', context(),
            qq("message":{"id":"$new","type":"text","body":"Hi"})));
$t->sql('update ezw.channel set default_assistant = null where jid = ?',
        $channel);


# An assistant that is switched off hands over what it had.
fresh();
my $brief = $t->assistant(company => $company);
receive('{"body":"Hi","type":"text"}');
patch({ assignee => $brief });
told();
is($t->http(PATCH => "/v3/companies/$company/assistants/$brief",
            key => $key{COMPANY}, json => { enabled => false })->status, 200,
   'an assistant is switched off');
is_told('by one that is switched off',
        handover(qq({"type":"ASSISTANT","id":"$brief"}), 'null', 'disabled'));

# What the channel says by itself.
fresh();
api(PATCH => 'automated-messages/GREETING',
    { body => 'Welcome', enabled => true });
my $greeted = receive('{"body":"Hi","type":"text"}');
my $greeting = $t->value(q{select encode(m.id, 'hex') from ezw.message m
                            where m.sender_type = 'AUTOMATED'});
is_told('a greeting', message => received('message', context(),
        qq("message":{"id":"$greeted","type":"text","body":"Hi"})),
    echo => sent(context(), qq("sender":{"type":"AUTOMATED","id":"GREETING"},)
        . qq("message":{"id":"$greeting","type":"text","body":"Welcome"})));
api(PATCH => 'automated-messages/GREETING', { enabled => false });

# What a person does -------------------------------------------------------

# A reaction, a postback, what he types, a message that he takes back.
fresh();
my $hi = receive('{"body":"Hi","type":"text"}', 'contact.name' => 'Jane');
$name = '"Jane"';
is_told('a message', message => received('message', context(),
    qq("message":{"id":"$hi","type":"text","body":"Hi"})));
my $hi_platform = "wamid.$platform";
my $reaction = receive('{"emoji":"\u2764","type":"reaction"}',
                       'about.id' => $hi_platform);
is_told('a reaction', message => received('message', context(),
    qq("message":{"id":"$reaction","type":"reaction","emoji":"\\u2764",)
    . qq("messageId":"$hi"})));
receive('{"payload":"YES \"1\"","title":"Yes","type":"button"}',
        'message.type' => 'postback', 'about.id' => $hi_platform);
is_told('a postback, and no message', postback => received('postback',
    context(), qq("postback":{"type":"button","payload":"YES \\"1\\"",)
    . qq("title":"Yes","messageId":"$hi"})));
receive('{"payload":"NO","type":"list"}', 'message.type' => 'postback');
is_told('one about nothing that is known', postback => received('postback',
    context(), '"postback":{"type":"list","payload":"NO","title":null,'
    . '"messageId":null}'));
for my $state (qw(COMPOSING RECORDING PAUSED)) {
    $statements->run('typing_receive', company => $company,
                     channel => $channel, contact => $contact,
                     state => $state, 'id.message' => message_id());
    is_told($state, typing => received('typing', context(),
        qq("typing":{"state":"$state"})));
}
my $secret = receive('{"body":"Secret","type":"text"}');
my %taken_back = (company => $company, channel => $channel,
                  'provider.id' => "wamid.$platform");
is_told('a message', message => received('message', context(),
    qq("message":{"id":"$secret","type":"text","body":"Secret"})));
$statements->run('message_revoke', %taken_back);
is_told('taken back', message => received('revoke', context(),
    qq("message":{"id":"$secret"})));
my $unheard = receive('{"body":"Secret","type":"text"}');
$statements->run('message_revoke', %taken_back,
                 'provider.id' => "wamid.$platform");
is_told('taken back before anybody heard of it', message => received('revoke',
    context(), qq("message":{"id":"$unheard"})));

# One that was sent from the phone itself.
my $phone = message_id();
$statements->run('message_device', company => $company, channel => $channel,
                 contact => $contact, 'provider.id' => 'wamid.device',
                 'id.message' => $phone, 'message.type' => 'text',
                 message => '{"body":"By hand","type":"text"}',
                 'id.contact' => $statements->id, aliases => undef,
                 'id.conversation' => $statements->id);
is_told('sent from the phone', echo => sent(context(),
    qq("sender":{"type":"DEVICE","id":null},)
    . qq("message":{"id":"$phone","type":"text","body":"By hand"})));


# What is noted of him -------------------------------------------------------

# Without a conversation there is none in the context.
my @people = ([1, 'with a conversation'], [0, 'without']);
for my $case (@people) {
    my ($has, $what) = @$case;
    if (!$has) {
        fresh();
        $context{none} = 1;
        api(POST => 'contacts', { jid => $contact });
    }
    my $path = "contacts/$contact";
    my $note = api(POST => "$path/notes", { body => "Call\n\"back\"",
                                            referenceId => 'R' });
    my $written = qq("body":"Call\\n\\"back\\"",)
        . qq("createdAt":"$note->{createdAt}","createdBy":"$key_jid",)
        . qq("id":"$note->{id}","isPinned":false,"isReadOnly":false,)
        . qq("updatedAt":);
    is_told("a note, $what", note => received('note', context(),
        qq("note":{"action":"CREATED",${written}null,"referenceId":"R"})));
    my $changed = api(PATCH => "$path/notes/$note->{id}",
                      { isPinned => true });
    is_told('nothing of its change');
    $written =~ s/"isPinned":false/"isPinned":true/;
    api(DELETE => "$path/notes/$note->{id}");
    is_told("its end, $what", note => received('note', context(),
        qq("note":{"action":"DELETED",$written"$changed->{updatedAt}",)
        . qq("referenceId":"R"})));
    api(POST => "$path/events", { name => 'order.paid', data => {
        total => 1, } });
    is_told("an event of one's own, $what", custom => received('custom',
        context(), '"custom":{"name":"order.paid","data":{"total":1}}'));
    api(POST => "$path/events", { name => 'x' });
    is_told('without data', custom => received('custom', context(),
        '"custom":{"name":"x","data":null}'));
}


# Templates ------------------------------------------------------------------

# Of the channel, from nobody.
sub of_channel {
    my ($status, $reason) = @_;
    return sub {
        qq({"type":"template_pack","version":2,"timestamp":$_[0],)
            . qq("direction":"received","to":"$channel","from":null,)
            . qq("contextInfo":null,"templatePack":{"name":"welcome",)
            . qq("localeName":"en","category":"UTILITY","status":"$status",)
            . qq("rejectedReason":"$reason"}});
    };
}
api(POST => 'templates', {
    name => 'welcome', category => 'UTILITY', language => 'en',
    components => [{ type => 'BODY', text => 'Hello' }] });
told();
for my $case (['APPROVED', 'NONE'], ['REJECTED', 'SCAM']) {
    my ($status, $reason) = @$case;
    $statements->run('template_status', company => $company,
                     channel => $channel, name => 'welcome', language => 'en',
                     id => undef, status => $status, reason => $reason);
    is_told("a template that is $status",
            template_pack => of_channel($status, $reason));
}
api(DELETE => 'templates/welcome');
is_told('one that is gone', template_pack => of_channel('DELETED', 'SCAM'));


# People who become one -------------------------------------------------------

# What was told of the one is told of the other from then on, of all messages,
# though 4,000 of them move at once and the others later.
fresh();
$contact = 'NL.1@whatsapp.eazy.im';
my $hidden = receive('{"body":"Hidden","type":"text"}');
my $answer = api(POST => "messages/$contact",
                 { type => 'text', body => 'Who?' })->{id};
patch({ assignee => 'john@mycompany.com' });
told();
my $old = $t->value(q{select id from ezw.conversation where contact_jid = ?},
                    $contact);
my ($first_told) = $t->sql(q{select created_at::text, seq from ezw.event
                              where conversation = ? and kind = 'message'},
                           $old);
$t->sql(q{insert into ezw.message (company, conversation, created_at, seq, id,
                                   direction, sender_type, type, status, body)
          select m.company, m.conversation,
                 m.created_at + i * interval '1 microsecond', m.seq + i + 10,
                 substr(m.id, 1, 16) || int4send(i), 'IN', 'CONTACT', 'text',
                 'RECEIVED', m.body
            from ezw.message m, generate_series(1, 4100) i
           where m.id = decode(?, 'hex')}, $hidden);
my @hidden = $t->sql(q{
    select e.created_at::text, e.seq, e.kind from ezw.event e
     where e.conversation = ? and e.kind in ('message', 'message.sent',
                                             'handover')
     order by e.xid, e.seq}, $old);
is(@hidden, 3, 'of the one');
$contact = $t->contact_jid;
receive('{"body":"Seen","type":"text"}', 'contact.name' => 'Jane');
$name = '"Jane"';
$t->sql('update ezw.conversation set status = ? where contact_jid = ?',
        'CLOSED', $contact);
is($statements->row('contact_pair', company => $company, channel => $channel,
    aliases => to_json([{ kind => 'bsuid', value => 'NL.1' },
                        { kind => 'phone',
                          value => $contact =~ s/@.*//r }]))->{jid},
   $contact, 'they are one');
%read = map { $_->[0] => 1 } $t->sql('select seq from ezw.event');
delete @read{ map { $_->[1] } @hidden };
my ($status, $assignee) = map { @$_ } $t->sql(q{
    select v.status, u.email from ezw.conversation v
      left join ezw.app_user u on u.id = v.assignee_user
     where v.contact_jid = ?}, $contact);
my @now = (status => $status,
           assignee => defined $assignee ? qq("$assignee") : 'null');
is_told('of the other',
    message => received('message', context(@now),
        qq("message":{"id":"$hidden","type":"text","body":"Hidden"})),
    echo => sent(context(), qq("sender":{"type":"API","id":"$key_jid"},)
        . qq("message":{"id":"$answer","type":"text","body":"Who?"})),
    handover => received('handover', context(),
        qq("handover":{"from":null,"to":$john,"team":null,"reason":"api"})));

# What is left in the log of where it was.
cmp_ok($t->value('select count(*) from ezw.message where conversation = ?',
                 $old), '>', 0, 'some have not moved yet');
$t->sql(q{update ezw.event set conversation = ?, contact = null
           where seq = any (?)}, $old, [map { $_->[1] } @hidden]);
delete @read{ map { $_->[1] } @hidden };
is_told('by where it is going',
    message => received('message', context(),
        qq("message":{"id":"$hidden","type":"text","body":"Hidden"})),
    echo => sent(context(), qq("sender":{"type":"API","id":"$key_jid"},)
        . qq("message":{"id":"$answer","type":"text","body":"Who?"})),
    handover => received('handover', context(),
        qq("handover":{"from":null,"to":$john,"team":null,"reason":"api"})));
$t->sql('delete from ezw.conversation_merge where conversation = ?', $old);
$t->sql(q{update ezw.message set conversation = (
              select id from ezw.conversation where contact_jid = ?),
              seq = seq + 100000 where conversation = ?}, $contact, $old);
delete @read{ map { $_->[1] } @hidden };
is_told('by the message',
    message => received('message', context(),
        qq("message":{"id":"$hidden","type":"text","body":"Hidden"})),
    echo => sent(context(), qq("sender":{"type":"API","id":"$key_jid"},)
        . qq("message":{"id":"$answer","type":"text","body":"Who?"})));


# What has no webhook's event, and what is gone ------------------------------

fresh();
receive('{"body":"Hi","type":"text"}');
told();
api(PATCH => "contacts/$contact", { name => 'Jane' });
api(PATCH => "conversations/$contact", { status => 'CLOSED' });
is_told('nothing of a new name, nor of a status');
is_deeply($statements->run('event_envelope', company => $company,
                           at => '2020-01-01', seq => 1), [], 'no event');
my @events = $t->sql(q{select created_at::text, seq from ezw.event
                        where conversation = (
                            select id from ezw.conversation
                             where contact_jid = ?)}, $contact);
cmp_ok(@events, '>', 2, 'of a contact');
my @of_other = map { @{ $statements->run('event_envelope', at => $_->[0],
    seq => $_->[1], company => $t->company) } } @events;
is_deeply(\@of_other, [], 'they are nothing to another company');
api(DELETE => "contacts/$contact");
is_deeply([map { @{ $statements->run('event_envelope', at => $_->[0],
    seq => $_->[1], company => $company) } } @events], [],
    'and nothing once it is erased');

done_testing;

# The spine: who am I, send a message, and the conversation shows that it went
# out and that the sandbox's contact answered.
# sanitizers

use EZW;

my $t = EZW->start(tls => 1);
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $channel = "/v3/channels/$demo->{channel}";
my $contact = $demo->{contact};
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

is($t->http(GET => '/healthz')->status, 200, 'alive');
is(wait_for(sub { $t->http(GET => '/readyz')->status == 200 }, 10, 'ready'), 1,
   'ready');

my %who = (
    burst => undef,
    cipherKey => undef,
    description => $t->value('select description from ezw.api_key where id = ?',
                             $t->key_id($key)),
    enabled => true,
    expiresAt => undef,
    id => $t->key_id($key),
    lastUsed => sub { !defined $_[0] || $_[0] =~ $time },
    objects => [],
    prefix => substr($key, 0, 6),
    ratePerMinute => undef,
    scope => 'COMPANY',
    whitelist => undef,
);
is_answer($t->http(GET => '/v3/keys/current', key => $key), 200, \%who,
          'who am I');

is_answer($t->http(GET => "$channel/conversations/$contact", key => $key),
          404, { error => { code => 1009, message => qr/./ },
                 traceId => qr/^[0-9a-f]{32}$/ },
          'no conversation before the first message');

my $sent = $t->http(POST => "$channel/messages/$contact", key => $key,
                    json => { message => { type => 'text',
                                           body => 'Have a nice day! 😎' } });
is_answer($sent, 201, { id => qr/^[0-9a-f]{40}$/ }, 'sent');

my $conversation = wait_for(sub {
    my $r = $t->http(GET => "$channel/conversations/$contact", key => $key);
    return $r->status == 200 && $r->json->{messagesReceived} && $r;
}, 10, 'an answer from the contact');

is_answer($conversation, 200, {
    assignee => undef,
    channel => { jid => $demo->{channel} },
    contact => { jid => $contact },
    createdAt => $time,
    id => qr{^[A-Za-z0-9+/]{27}=$},
    labels => [],
    lastMessageReceivedAt => $time,
    lastMessageSentAt => $time,
    messagesReceived => 1,
    messagesSent => 1,
    status => 'OPEN',
    team => undef,
    unreadCount => 1,
}, 'the whole conversation');

wait_for(sub {
    return $t->value('select status from ezw.message where id = ?',
                     { hex => $sent->json->{id} }) eq 'DELIVERED';
}, 10, 'the message is delivered');
is($t->value("select count(*) from ezw.message where body->>'body' = ?",
             'echo: Have a nice day! 😎'), 1, 'the answer is an echo');

is_answer($t->http(GET => '/v3/keys/current', key => $key, tls => 1), 200,
          \%who, 'who am I, over TLS');

done_testing;

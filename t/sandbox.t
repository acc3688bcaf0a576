# The sandbox plays the platform and the phone: what happens to a message and
# what is answered, for a number like any other and for the actors, whose
# numbers' ends tell what they do.
#
# sanitizers

use EZW;
use EZW::Statements;

my $t = EZW->start;
my $demo = $t->demo;
my ($company, $channel) = @$demo{qw(company channel)};
my $base = "/v3/channels/$channel";
my $key = $demo->{key}{CHANNEL};
my $statements = EZW::Statements->new($t);
my $n = 0;

# A number that ends so.
sub actor { return sprintf '31%02d%s@whatsapp.eazy.im', ++$n, $_[0] }

# Sends what the module would store, whatever it takes by now.
sub send_any {
    my ($contact, $message) = @_;
    my $id = $statements->id =~ s/-//gr . substr $t->uuid, 0, 8;
    my $row = $statements->row(
        'message_send', company => $company, 'path.channelJid' => $channel,
        'path.contactJid' => $contact, 'body.message' => to_json($message),
        'body.message.type' => $message->{type}, 'key.assistant' => undef,
        'key.actor' => 'k@key.eazy.im', 'id.message' => $id,
        'id.contact' => $t->uuid, 'id.conversation' => $t->uuid,
        map { ("body.message.$_" => undef) } qw(
            catalog template.name template.language template.parameters));
    is($row->{refusal}, undef, 'sent') or diag $row->{refusal};
    return $id;
}

sub send_text {
    my ($contact, $text) = @_;
    my $r = $t->http(POST => "$base/messages/$contact", key => $key,
                     json => { type => 'text', body => $text });
    is($r->status, 201, "sent: $text") or diag $r->as_text;
    return $r->json->{id};
}

sub message {
    my ($contact, $id) = @_;
    return $t->http(GET => "$base/messages/$contact/$id", key => $key)->json;
}

# Waits until all that was sent is settled.
sub settled {
    my ($what) = @_;
    wait_for(sub { !$t->value('select count(*) from ezw.outbox') }, 30,
             "$what: all is settled");
    return;
}

# The conversation: what came in, oldest first.
sub came_in {
    my ($contact) = @_;
    my $r = $t->http(GET => "$base/messages/$contact", key => $key);
    return [map { $_->{message} } grep { $_->{direction} eq 'IN' }
            reverse @{ $r->json }];
}

sub states {
    my ($contact, $id) = @_;
    return join ' ', map { $_->{state} } @{ message($contact, $id)->{states} };
}

sub events {
    my ($contact) = @_;
    return join ' ', map { $_->[0] } $t->sql(q{
        select e.kind || coalesce(':' || (e.payload->>'status'), '')
          from ezw.event e join ezw.conversation v on v.id = e.conversation
         where v.contact_jid = ? order by e.xid, e.seq}, $contact);
}

# Anybody.
my $anyone = $t->contact_jid;
my $id = send_text($anyone, 'Hello');
settled('anyone');
is(states($anyone, $id), 'QUEUED SENT DELIVERED', 'sent and delivered');
is_json(came_in($anyone), [{ body => 'echo: Hello', type => 'text' }],
        'and answered');
is(events($anyone), 'conversation.created message.sent receipt:SENT '
   . 'receipt:DELIVERED message', 'all of it is told');

# What is answered to the other types.
my @buttons = map { { type => 'reply', reply => {
    payload => "button_id_$_", title => "Option $_" } } } 1, 2;
my $body = { text => 'How can we help you?', type => 'text' };
for my $case (
    ['an image', { type => 'image', mimeType => 'image/png' },
     { type => 'text', body => 'echo: image' }],
    ['an image with a caption', { type => 'image', caption => 'A dog' },
     { type => 'text', body => 'echo: A dog' }],
    ['buttons', { type => 'interactive', interactive => {
        type => 'button', components => {
            body => $body, buttons => \@buttons } } },
     { type => 'postback', postback => {
         type => 'button', payload => 'button_id_1', title => 'Option 1',
         messageId => \'id' } }],
    ['a list', { type => 'interactive', interactive => {
        type => 'list', components => { body => $body, list => {
            title => 'Make a choice', sections => [
                { title => 'Section 1', rows => [
                    map { $_->{reply} } @buttons] }] } } } },
     { type => 'postback', postback => {
         type => 'list', payload => 'button_id_1', title => 'Option 1',
         messageId => \'id' } }],
    ['a product', { type => 'interactive', interactive => {
        type => 'product', components => {
            body => $body, product => { productId => '1105524' } } } },
     { type => 'order', order => { items => [
         { productId => '1105524', quantity => 1, price => 9.95,
           currency => 'EUR' }] } }],
    ['products', { type => 'interactive', interactive => {
        type => 'productList', components => {
            body => $body, productList => { sections => [
                { title => 'Our Collection', items => [
                    { productId => '1105521' },
                    { productId => '1105522' }] }] } } } },
     { type => 'order', order => { items => [
         { productId => '1105521', quantity => 1, price => 9.95,
           currency => 'EUR' }] } }],
    ['a template with a quick reply', { type => 'template', template => {
        name => 'welcome', language => { code => 'en' }, components => [
            { type => 'body', parameters => [{ type => 'text', text => 'x' }] },
            { type => 'button', subType => 'quick_reply', index => 0,
              parameters => [{ type => 'payload', payload => 'yes' }] }] } },
     { type => 'postback', postback => {
         type => 'template', payload => 'yes', title => 'yes',
         messageId => \'id' } }],
    ['a template', { type => 'template', template => {
        name => 'welcome', language => { code => 'en' }, components => [] } },
     { type => 'text', body => 'echo: template' }],
) {
    my ($what, $message, $answer) = @$case;
    my $contact = $t->contact_jid;
    my $id = send_any($contact, $message);
    settled($what);
    $answer->{postback}{messageId} = $id if $answer->{postback};
    is_json(came_in($contact), [$answer], "$what: the answer");
    like(events($contact),
         $answer->{type} eq 'postback' ? qr/DELIVERED postback$/
             : qr/DELIVERED message$/, "$what: is told as what it is");
    next if !$answer->{postback};
    is_json(from_json($t->value(q{
        select e.payload::text from ezw.event e
          join ezw.conversation v on v.id = e.conversation
         where v.contact_jid = ? and e.kind = 'postback'}, $contact)),
        $answer->{postback}, "$what: with all of it");
}

# Those who cause an error.
my %text = (
    1003 => 'Service unavailable', 1005 => 'Validation error',
    1006 => 'Template name does not exist',
    1007 => 'User does not have WhatsApp', 1008 => 'Media is invalid',
    1011 => 'Message rejected', 1012 => 'Bad gateway',
    1013 => 'Parameter count mismatch', 1015 => 'Customer care window expired',
);
for my $code (sort keys %text) {
    my $contact = actor($code == 1015 ? '00002015' : "0000$code");
    my $id = send_text($contact, 'Hello');
    settled($code);
    is(states($contact, $id), 'QUEUED FAILED', "$code: it fails");
    is_json(message($contact, $id)->{error},
            { code => $code, message => $text{$code} }, "$code: and why");
    is_json(came_in($contact), [], "$code: nothing is answered");
    is_json(from_json($t->value(q{
        select e.payload::text from ezw.event e
          join ezw.message m on m.id = e.message
         where encode(m.id, 'hex') = ? and e.kind = 'receipt'}, $id)),
        { status => 'FAILED',
          error => { code => $code, message => $text{$code} } },
        "$code: is told");
}

# The one whose care window is closed, but for templates.
my $closed = actor('00001015');
is_refused($t->http(POST => "$base/messages/$closed", key => $key,
                    json => { type => 'text', body => 'Hi' }), 422, 1015,
           { message => 'Customer care window expired' }, 'a closed window');
$id = send_any($closed, { type => 'template', template => {
    name => 'welcome', language => { code => 'en' }, components => [] } });
settled('a template');
is(states($closed, $id), 'QUEUED SENT DELIVERED', 'a template comes through');
is_json(came_in($closed), [{ type => 'text', body => 'echo: template' }],
        'and is answered');
is_refused($t->http(POST => "$base/messages/$closed", key => $key,
                    json => { type => 'text', body => 'Hi' }), 422, 1015,
           { message => 'Customer care window expired' },
           'it is closed all the same');

# The others.
my $echo = { type => 'text', body => 'echo: Hello' };
for my $case (
    ['00002001', 'stays sent', 'QUEUED SENT', []],
    ['00002002', 'reads', 'QUEUED SENT DELIVERED READ', [$echo]],
    ['00002003', 'plays', 'QUEUED SENT DELIVERED READ PLAYED', [$echo]],
    ['00002004', 'types', 'QUEUED SENT DELIVERED', [$echo],
     qr/DELIVERED typing message$/],
    ['00002005', 'presses', 'QUEUED SENT DELIVERED',
     [{ type => 'postback', postback => {
         type => 'button', payload => 'yes', title => 'Yes',
         messageId => \'id' } }], qr/DELIVERED postback$/],
    ['00002006', 'reacts', 'QUEUED SENT DELIVERED',
     [{ type => 'reaction', emoji => "\x{1F44D}", messageId => \'id' }],
     qr/DELIVERED message$/],
    ['00002007', 'is slow', 'QUEUED SENT DELIVERED', [$echo]],
    ['00002008', 'is tried again', 'QUEUED SENT DELIVERED', [$echo]],
    ['00002009', 'deletes', 'QUEUED SENT DELIVERED', [{ type => 'revoked' }],
     qr/DELIVERED message revoke$/],
    ['00002010', 'is silent', 'QUEUED SENT DELIVERED', []],
    ['20020020', 'is nobody special', 'QUEUED SENT DELIVERED', [$echo]],
) {
    my ($tail, $what, $states, $answers, $events) = @$case;
    my $contact = actor($tail);
    my $id = send_text($contact, 'Hello');
    settled($what);
    for (@$answers) {
        $_->{messageId} = $id if $_->{messageId};
        $_->{postback}{messageId} = $id if $_->{postback};
    }
    is(states($contact, $id), $states, "$what: the states");
    is_json(came_in($contact), $answers, "$what: the answer");
    like(events($contact), $events, "$what: is told") if $events;
    next if $what ne 'is slow';
    my $m = message($contact, $id);
    ok($t->value(q{select ?::timestamptz - ?::timestamptz > '2.5 s'},
                 map { $_->{at} } @{ $m->{states} }[2, 1]), 'seconds later');
}
is($t->value(q{select payload->>'state' from ezw.event where kind = 'typing'}),
   'COMPOSING', 'what is typed');

done_testing;

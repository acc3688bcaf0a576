# The rules of sending: templates, catalogs, ownership, the care window, hidden
# numbers. What a message looks like: messages.t, message_types.t.

use EZW;
use EZW::Statements;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $cared = $t->channel(company => $company, window_seconds => 86400);
my $shop = $t->channel(company => $company, catalog_id => '1234');
my $assistant = $t->assistant(company => $company);
my $second = $t->assistant(company => $company);
my %key = (
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
    CHANNEL => $t->key(company => $company, scope => 'CHANNEL',
                       channels => [$channel, $cared, $shop]),
    # its identity is what the rule of ownership is about
    BOUND => $t->key(company => $company, scope => 'ASSISTANT',
                     assistant => $assistant),
    SECOND => $t->key(company => $company, scope => 'ASSISTANT',
                      assistant => $second),
    UNBOUND => $t->key(company => $company, scope => 'ASSISTANT'),
);
my %sent = (id => qr/^[0-9a-f]{40}$/);

sub post {
    my ($contact, $message, %o) = @_;
    my $where = delete $o{channel} // $channel;
    return $t->http(POST => "/v3/channels/$where/messages/$contact",
                    key => $key{ delete $o{key} // 'COMPANY' },
                    json => { message => $message }, %o);
}

sub text { return post($_[0], { type => 'text', body => 'Hi' }, @_[1 .. $#_]) }

sub conversation {
    my ($contact, %change) = @_;
    return $t->http(%change ? 'PATCH' : 'GET',
                    "/v3/channels/$channel/conversations/$contact",
                    key => $key{COMPANY}, %change ? (json => \%change) : ());
}

sub template {
    my ($name, @components) = @_;
    return { type => 'template', template => {
        name => $name, language => { code => 'en' },
        components => \@components } };
}

sub texts {
    my ($type, $n, %more) = @_;
    return { type => $type, %more, parameters => [
        map { { type => 'text', text => "text $_" } } 1 .. $n] };
}


# Templates: what they take, and what they are given.
sub takes {
    my ($name, %takes) = @_;
    $t->template(company => $company, channel => $channel, name => $name,
                 parameters => to_json({
                     header => 0, format => undef, body => 0, buttons => [],
                     types => [], %takes }));
    return;
}

takes('plain');
takes('two', body => 2);
takes('title', header => 1, format => 'TEXT', body => 1);
takes('picture', header => 1, format => 'IMAGE');
takes('buttons', body => 1, buttons => [undef, undef, 1],
      types => [qw(QUICK_REPLY QUICK_REPLY URL)]);
my $image = { type => 'header', parameters => [
    { type => 'image', image => { link => 'https://example.com/a.png' } }] };
my $reply = { type => 'button', subType => 'quick_reply', index => 1,
              parameters => [{ type => 'payload', payload => 'yes' }] };
my $url = texts('button', 1, subType => 'url', index => 2);
for my $case (
    [plain => 201], [plain => 201, texts(body => 0)],
    [plain => 1013, texts(body => 1)], [plain => 1013, texts(header => 1)],
    [plain => 1013, $reply],
    [two => 201, texts(body => 2)], [two => 1013], [two => 1013, texts(body => 1)],
    [two => 1013, texts(body => 3)],
    [two => 1013, texts(body => 2), texts(header => 1)],
    [title => 201, texts(header => 1), texts(body => 1)],
    [title => 1013, texts(body => 1)],
    [title => 1013, $image, texts(body => 1)],
    [picture => 201, $image], [picture => 1013],
    [picture => 1013, texts(header => 1)],
    [buttons => 201, texts(body => 1), $url],
    [buttons => 201, texts(body => 1), $reply, $url],
    [buttons => 1013, texts(body => 1)],
    [buttons => 1013, texts(body => 1), $reply],
    [buttons => 1013, texts(body => 1), $url, texts(
        'button', 1, subType => 'url', index => 0)],
    [buttons => 1013, texts(body => 1), $url, texts(
        'button', 1, subType => 'url', index => 3)],
) {
    my ($name, $want, @components) = @$case;
    my $r = post($t->contact_jid, template($name, @components));
    my $what = "$name: " . join ', ', map {
        "$_->{type} " . @{ $_->{parameters} } } @components;
    if ($want == 201) {
        is_answer($r, 201, \%sent, $what);
    } else {
        is_refused($r, 400, 1013, { message => 'Parameter count mismatch',
                                    field => 'message.template.components' },
                   $what);
    }
}
is_refused(post($t->contact_jid, template('none')), 404, 1006,
           { message => 'Template name does not exist',
             field => 'message.template' }, 'a template that is not there');
is_refused(post($t->contact_jid, template('plain'), channel => $cared), 404,
           1006, { message => 'Template name does not exist',
                   field => 'message.template' }, "another channel's");
for my $status (qw(PENDING REJECTED PAUSED DISABLED)) {
    $t->sql(q{update ezw.template set status = ? where name = 'plain'}, $status);
    is_refused(post($t->contact_jid, template('plain')), 422, 1011,
               { message => 'Message rejected: template is not approved',
                 field => 'message.template' }, $status);
}
$t->sql(q{update ezw.template set status = 'APPROVED'});

# A catalog.
my %look = (body => { type => 'text', text => 'Look' });
for my $interactive (
    { type => 'product',
      components => { %look, product => { productId => '1105524' } } },
    { type => 'productList', components => {
        %look, header => { type => 'text', text => 'Make a selection' },
        productList => { sections => [{
            title => 'Ours', items => [{ productId => '1105521' }] }] } } },
) {
    my $message = { type => 'interactive', interactive => $interactive };
    is_answer(post($t->contact_jid, $message, channel => $shop), 201, \%sent,
              "a catalog: $interactive->{type}");
    is_refused(post($t->contact_jid, $message), 400, 1005,
               { field => 'message.interactive',
                 message => 'message.interactive needs a catalog: the channel '
                     . 'has no catalogId' }, "none: $interactive->{type}");
}
is_answer(post($t->contact_jid, { type => 'interactive', interactive => {
    type => 'button', components => { %look, buttons => [
        { type => 'reply', reply => { payload => 'p', title => 't' } }] } } }),
    201, \%sent, 'buttons need none');

# The care window: 24 hours from the last message that came in.
$t->template(company => $company, channel => $cared, name => 'plain');
my $contact = $t->contact_jid;
my %expired = (message => 'Customer care window expired');
is_refused(text($contact, channel => $cared), 422, 1015, \%expired,
           'who never wrote');
is_answer(post($contact, template('plain'), channel => $cared), 201, \%sent,
          'a template goes');
is_refused(text($contact, channel => $cared), 422, 1015, \%expired,
           'and opens nothing');
for my $case ([0, 201], [23, 201], [25, 1015], [500, 1015]) {
    my ($hours, $want) = @$case;
    $t->sql(q{update ezw.conversation
                 set last_message_received_at = now() - make_interval(hours => ?)
               where contact_jid = ?}, $hours, $contact);
    for my $status (qw(OPEN CLOSED)) {
        $t->sql(q{update ezw.conversation set status = ?
                   where contact_jid = ?}, $status, $contact);
        my $r = text($contact, channel => $cared);
        $want == 201 ? is_answer($r, 201, \%sent, "$hours hours, $status")
            : is_refused($r, 422, 1015, \%expired, "$hours hours, $status");
        is_answer(post($contact, template('plain'), channel => $cared), 201,
                  \%sent, "$hours hours: a template");
    }
}

# Ownership: of assistants' keys that are one assistant, and of no others.
my %none = (message => 'Assistant has no ownership of conversation');
my @others = qw(COMPANY CHANNEL UNBOUND);
$contact = $t->contact_jid;
is_answer(text($contact, key => 'BOUND'), 201, \%sent, 'a first message');
is(conversation($contact)->json->{assignee}, $assistant, 'makes it the owner');
is_refused(text($contact, key => 'SECOND'), 403, 1010, \%none, 'another');
is_answer(text($contact, key => $_), 201, \%sent, "$_: asks for no owner")
    for @others;
is(conversation($contact)->json->{assignee}, $assistant, 'and takes nothing');
is(conversation($contact, assignee => undef)->status, 200, 'to the pool');
is_refused(text($contact, key => $_), 403, 1010, \%none,
           "$_: handed away is handed away") for qw(BOUND SECOND);
is(conversation($contact, status => 'CLOSED')->status, 200, 'closed');
is_answer(text($contact, key => 'SECOND'), 201, \%sent, 'whoever comes first');
is(conversation($contact)->json->{assignee}, $second, 'has it');
is(conversation($contact)->json->{status}, 'OPEN', 'open again');
is_refused(text($contact, key => 'BOUND'), 403, 1010, \%none, 'the other');
$contact = $t->contact_jid;
is_answer(text($contact), 201, \%sent, "nobody's conversation");
is(conversation($contact)->json->{assignee}, undef, 'is nobody\'s');
is_answer(text($contact, key => $_), 201, \%sent, "$_: may send into it")
    for qw(BOUND SECOND);
is(conversation($contact)->json->{assignee}, undef, 'and takes it not');
is_refused(post($contact, template('none'), key => 'BOUND'), 404, 1006,
           { message => 'Template name does not exist',
             field => 'message.template' }, 'a template is looked for first');

# A person of whom no number is known, and by his old name once it is.
my $lid = 'lid.987654@whatsapp.eazy.im';
my %hidden = (message => 'User does not have WhatsApp');
is_refused(text($lid), 422, 1007, \%hidden, 'a hidden number');
is_refused(post($lid, template('plain')), 422, 1007, \%hidden,
           'a template neither');
$contact = $t->contact_jid;
is_answer(text($contact), 201, \%sent, 'a number');
$t->insert('contact_alias', company => $company, kind => 'jid', value => $lid,
           channel => $t->value('select id from ezw.channel where jid = ?',
                                $channel),
           contact => $t->value('select id from ezw.contact where jid = ?',
                                $contact));
is_answer(text($lid), 201, \%sent, 'that has this name too');
is(conversation($contact)->json->{messagesSent}, 2, 'is the same one');

# One who wrote to us: his conversation is open, and we cannot answer.
my $writer = 'lid.555555@whatsapp.eazy.im';
EZW::Statements->new($t)->run(
    'message_receive', company => $company, channel => $channel,
    contact => $writer, 'contact.name' => undef, 'provider.id' => 'wamid.1',
    'id.message' => '0198c1a3be557210ac0258a992c1797700000001',
    message => '{"body":"Hello","type":"text"}', 'message.type' => 'text',
    'id.contact' => $t->uuid, 'id.conversation' => $t->uuid,
    aliases => '[{"kind":"lid","value":"555555"}]', 'about.id' => undef);
is_answer(conversation($writer), 200, sub { $_[0]{status} eq 'OPEN' },
          'a hidden number has written');
is_refused(text($writer), 422, 1007, \%hidden, 'it cannot be answered');

# What is quoted need not be there: it may have been purged.
is_answer(post($contact, { type => 'text', body => 'Yes', contextInfo => {
    quotedMessage => { id => 'f' x 40 } } }), 201, \%sent,
    'quoted, and not known');

done_testing;

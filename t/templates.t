# Templates: made, looked at by the sandbox, listed, removed.

use EZW;

my $t = EZW->start(workers => 2);
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $key = $t->key(company => $company, scope => 'ASSISTANT',
                  channels => [$channel]);
my $path = "/v3/channels/$channel/templates";

sub create {
    my ($json, %o) = @_;
    return $t->http(POST => $path, key => $key, json => $json, %o);
}

sub list { return $t->http(GET => $_[0] // $path, key => $key) }

sub status {
    my ($name, $language) = @_;
    return $t->value('select status from ezw.template
                       where name = ? and language = ?',
                     $name, $language // 'en');
}

# Until the sandbox has looked at all there are.
sub all_looked_at {
    wait_for(sub { !$t->value(q{select count(*) from ezw.outbox
                                 where kind = 'template'}) }, 30,
             'the sandbox has looked at all');
    return;
}

sub events {
    return map { EZW::Json::from_json($_->[0]) } $t->sql(q{
        select payload from ezw.event where kind = 'template_pack'
           and payload ->> 'name' = ? order by created_at, seq}, $_[0]);
}

# The document's own POSTs.
my @body = ({ text => 'Hello {{1}}, how can I help you?', type => 'BODY' });
my %support = (category => 'TRANSACTIONAL', components => \@body,
               language => 'en', name => 'support_after_24hours');
is_answer(list(), 200,
          { namespace => qr/^[0-9a-f]{8}(_[0-9a-f]{4}){3}_[0-9a-f]{12}$/,
            templates => [] }, 'none');
my $namespace = list()->json->{namespace};
is_answer(create(\%support), 201, undef, "the document's POST");
my @ticket = (
    { format => 'DOCUMENT', type => 'HEADER' },
    { text => 'This is your KLM ticket for your flight on December 20th to '
          . 'New York.', type => 'BODY' },
    { text => 'Questions? We are available now, just send us a message',
      type => 'FOOTER' },
    { buttons => [{ text => 'Confirm', type => 'QUICK_REPLY' },
                  { text => 'Reschedule', type => 'QUICK_REPLY' }],
      type => 'BUTTONS' },
);
is_answer(create({ category => 'TRANSACTIONAL', components => \@ticket,
                   language => 'en', name => 'ticket' }), 201, undef,
          "the document's media template");

# Looked at after a second, and told.
all_looked_at();
is_answer(list(), 200, { namespace => $namespace, templates => [
    { category => 'TRANSACTIONAL', name => 'support_after_24hours',
      translations => [{ components => \@body, localeName => 'en',
                         rejectedReason => 'NONE', status => 'APPROVED' }] },
    { category => 'TRANSACTIONAL', name => 'ticket',
      translations => [{ components => \@ticket, localeName => 'en',
                         rejectedReason => 'NONE', status => 'APPROVED' }] },
] }, 'both are APPROVED');
is_json([events('ticket')], [
    { name => 'ticket', localeName => 'en', category => 'TRANSACTIONAL',
      status => 'APPROVED', rejectedReason => 'NONE' }], 'and it is told');
is_deeply([$t->sql(q{
    select e.company, e.channel, e.conversation, e.contact, e.message
      from ezw.event e where e.kind = 'template_pack'
     group by 1, 2, 3, 4, 5})],
    [[$company, $id, undef, undef, undef]], 'of the channel, and of nobody');

# The document's own list: by name, and each by language.
my %reason = (name => 'hello_rejected', category => 'MARKETING',
              language => 'en', components => [
                  { type => 'BODY', text => 'Hello {{1}}' }]);
my %delivery = map { $_->[0] => [{ text => $_->[1], type => 'BODY' }] }
    [en => 'Hello {{1}}, your order with reference {{2}} has been delivered.'],
    [nl => 'Hallo {{1}}, je bestelling met nummer {{2}} is afgeleverd.'];
is_answer(create({ category => 'TRANSACTIONAL', language => $_,
                   name => 'delivery_notification',
                   components => $delivery{$_} }), 201, undef,
          "a language: $_") for qw(nl en);
is_answer(create(\%reason), 201, undef, 'one that is not to be liked');
all_looked_at();
is_json([@{ list()->json->{templates} }[0, 1]], [
    { category => 'TRANSACTIONAL', name => 'delivery_notification',
      translations => [map { { components => $delivery{$_}, localeName => $_,
                               rejectedReason => 'NONE',
                               status => 'APPROVED' } } qw(en nl)] },
    { category => 'MARKETING', name => 'hello_rejected',
      translations => [{ components => $reason{components},
                         localeName => 'en', rejectedReason => 'PROMOTIONAL',
                         status => 'REJECTED' }] },
], 'in all its languages; and REJECTED with a reason');
is_json([events('hello_rejected')], [
    { name => 'hello_rejected', localeName => 'en', category => 'MARKETING',
      status => 'REJECTED', rejectedReason => 'PROMOTIONAL' }],
    'which is told');
is(list()->json->{namespace}, $namespace, 'the namespace stays');
isnt($t->http(GET => '/v3/channels/' . $t->channel(company => $company)
                  . '/templates',
              key => $t->key(company => $company, scope => 'COMPANY'))
         ->json->{namespace}, $namespace, 'and is the channel\'s own');

# Components come back as they went.
my $odd = '{"name":"as_it_was","language":"pt_BR","category":"OTP",'
    . '"components":[{"type":"Body","example":{"b":[["x"]],"a":[1,0.1,-7.25,'
    . 'true,false,null,{}]},"text":"\\u20ac {{2}} \\"{{1}}\\" \\\\ \\/",'
    . '"x":{"y":{}}},{"buttons":[{"url":"https://x.nl/{{1}}","text":"\\t",'
    . '"type":"url"}],"type":"buttons"}]}';
is_answer($t->http(POST => $path, key => $key, body => $odd,
                   headers => { 'Content-Type' => 'application/json' }), 201,
          undef, 'any order, any letters, any more');
my ($stored) = map { $_->{translations}[0]{components} }
    grep { $_->{name} eq 'as_it_was' } @{ list()->json->{templates} };
is_json($stored, EZW::Json::from_json($odd)->{components},
        'come back as they were');
is($t->value(q{select parameters from ezw.template where name = 'as_it_was'}),
   '{"header":0,"format":null,"body":2,"buttons":[1],"types":["URL"]}',
   'and what a send has to give is known');

# Every kind of category, and who is in it twice.
for my $category (qw(MARKETING UTILITY AUTHENTICATION TRANSACTIONAL OTP
                     TICKET_UPDATE ISSUE_RESOLUTION ACCOUNT_UPDATE))
{
    is_answer(create({ %support, name => lc $category,
                       category => $category }), 201, undef,
              "of the category $category");
    is((grep { $_->{name} eq lc $category }
        @{ list()->json->{templates} })[0]{category}, $category,
       "which is told: $category");
}
is_refused(create({ %support }), 409, 1014, { message => 'Already exists' },
           'a second one of that name and language');
is_refused(create({ %support, language => 'nl', category => 'MARKETING' }),
           400, 1005, { field => 'category', message =>
               "category is not that of the template's other languages" },
           'another language of another category');
is_answer(create({ %support, language => 'en_GB' }), 201, undef,
          'another country');

# What is refused names the field.
my $body = $body[0];
sub with { return { components => [$body, @_] } }
sub header { return with({ type => 'HEADER', @_ }) }
sub buttons { return with({ type => 'BUTTONS', buttons => [@_] }) }
sub body { return { components => [{ type => 'BODY', text => $_[0] }] } }

for my $case (
    [name => { name => undef }, 'name must not be null'],
    (map { [name => { name => $_ }, 'name must be 1 to 512 of a-z, 0-9 and _'] }
     '', 'Name', 'a b', "a\x{e9}", 'a-b', 'x' x 513),
    (map { [language => { language => $_ },
            'language must be a language code, as en or pt_BR'] }
     '', 'e', 'EN', 'english', 'en-US', 'en_us', 'en_', 'en_USA'),
    [category => { category => 'SPAM' },
     qr/^category must be one of MARKETING, UTILITY, AUTHENTICATION, /],
    [components => { components => {} },
     'components must be an array of objects'],
    [components => { components => [] }, 'components needs a BODY'],
    [components => { components => [{ type => 'FOOTER', text => 'x' }] },
     'components needs a BODY'],
    ['components[1]' => with($body), 'components[1] is a second BODY'],
    ['components[1]' => with('x'), 'components[1] must be an object'],
    ['components[1].type' => with({}), 'components[1].type is required'],
    ['components[1].type' => with({ type => 'TITLE' }),
     'components[1].type must be one of HEADER, BODY, FOOTER, BUTTONS'],
    ['components[0].text' => { components => [{ type => 'BODY' }] },
     'components[0].text is required'],
    ['components[0].text' => body(''),
     'components[0].text is too short: at least 1 character'],
    ['components[0].text' => body('x' x 1025),
     'components[0].text is too long: at most 1024 characters'],
    (map { ['components[0].text' => body($_), 'components[0].text must have '
            . 'its variables as {{1}}, {{2}} and so on'] }
     '{{2}}', '{{1}} {{3}}', '{{0}}', '{{01}}', '{{name}}', '{{1}', '{{',
     '{{ 1 }}', '{{999999999999}}', 'a {{1}} {{'),
    ['components[1].format' => header(), 'components[1].format is required'],
    ['components[1].format' => header(format => 'GIF'),
     'components[1].format must be one of TEXT, IMAGE, VIDEO, DOCUMENT, '
         . 'LOCATION'],
    ['components[1].text' => header(format => 'TEXT'),
     'components[1].text is required'],
    ['components[1].text' => header(format => 'TEXT', text => 'x' x 61),
     'components[1].text is too long: at most 60 characters'],
    ['components[1].text' => header(format => 'TEXT', text => '{{1}} {{2}}'),
     'components[1].text must have one variable at most'],
    ['components[1].text' => with({ type => 'FOOTER', text => 'Hi {{1}}' }),
     'components[1].text must not have variables'],
    ['components[1].buttons' => with({ type => 'BUTTONS' }),
     'components[1].buttons is required'],
    ['components[1].buttons' => buttons(),
     'components[1].buttons has too few elements: at least 1'],
    ['components[1].buttons' => buttons(({ type => 'QUICK_REPLY',
                                           text => 'x' }) x 11),
     'components[1].buttons has too many elements: at most 10'],
    ['components[1].buttons[0].text' => buttons({ type => 'QUICK_REPLY' }),
     'components[1].buttons[0].text is required'],
    ['components[1].buttons[0].text' =>
     buttons({ type => 'quick_reply', text => 'x' x 26 }),
     'components[1].buttons[0].text is too long: at most 25 characters'],
    ['components[1].buttons[0].url' =>
     buttons({ type => 'URL', text => 'x', url => 'ftp://x.nl' }),
     'components[1].buttons[0].url must be an http or https URL'],
    ['components[1].buttons[0].phone_number' =>
     buttons({ type => 'PHONE_NUMBER', text => 'x' }),
     'components[1].buttons[0].phone_number is required'],
) {
    my ($field, $json, $message) = @$case;
    is_refused(create({ %support, name => 'refused', %$json }), 400, 1005,
               { message => $message, field => $field },
               'refused: ' . substr to_json($json), 0, 70);
}
for my $field (qw(category components language name)) {
    my %json = (%support, name => 'refused');
    delete $json{$field};
    is_refused(create(\%json), 400, 1005,
               { message => "$field is required", field => $field },
               "not without $field");
}
is_refused(create({ %support, name => 'refused', components => [
               { %$body, txet => 'x' }] },
               headers => { Prefer => 'handling=strict' }), 400, 1005,
           { message => 'Unknown field: components[0].txet',
             field => 'components[0].txet' }, 'strict: an unknown field');
is(status('refused'), undef, 'none of these was made');

# Of many at once one is made.
is_deeply([sort map { $_->status } $t->parallel(map {
    [POST => $path, key => $key, json => { %support, name => 'at_once' }]
} 1 .. 8)], [201, (409) x 7], 'of many at once one is made');

# Once by a key of its own.
my @once = (headers => { 'Idempotency-Key' => 'a template' });
for my $round ('once', 'and the same again') {
    is_answer(create({ %support, name => 'once' }, @once), 201, undef, $round);
}

# Removed, in all languages, which is told; the name is free again.
all_looked_at();
is_answer($t->http(DELETE => "$path/delivery_notification", key => $key), 204,
          undef, 'removed');
is_refused($t->http(DELETE => "$path/delivery_notification", key => $key), 404,
           1009, { message => 'Not found' }, 'it is no more');
is((grep { $_->{name} eq 'delivery_notification' }
    @{ list()->json->{templates} }), 0, 'nor in the list');
is_json([map { { %$_, name => 0 } }
         sort { $a->{localeName} cmp $b->{localeName} }
         grep { $_->{status} eq 'DELETED' } events('delivery_notification')],
        [map { { name => 0, localeName => $_, category => 'TRANSACTIONAL',
                 status => 'DELETED', rejectedReason => 'NONE' } } qw(en nl)],
        'which is told of each language');
is_answer(create({ %support, name => 'delivery_notification' }), 201, undef,
          'made again');
is_refused($t->http(DELETE => "$path/$_", key => $key), 404, 1009,
           { message => 'Not found' }, "no template: $_")
    for 'nobody', 'Ticket', '%C3%A9', "'";
is_refused($t->http(DELETE => "$path/ticket",
                    key => $t->key(company => $company, scope => 'CHANNEL',
                                   channels => [$channel])), 403, 1002,
           { message => "Access denied: the API key's scope is too small" },
           'not by a CHANNEL key');
all_looked_at();
is(status('delivery_notification'), 'APPROVED', 'and looked at again');

# What the sandbox has to do outlives the worker that was to do it: its claim
# ends, and another looks; and once more, which is no news.
is_answer(create({ %support, name => 'survivor' }), 201, undef, 'one more');
$t->sql(q{update ezw.outbox set claimed_by = 'dead', attempts = 1,
                 due_at = now() + interval '2 seconds'
           where kind = 'template'});
all_looked_at();
is(status('survivor'), 'APPROVED', 'it is looked at');
$t->sql(q{insert into ezw.outbox (company, conversation, seq, channel, kind,
                                  payload, due_at)
          select t.company, t.id, 1, t.channel, 'template', json_build_object(
                     'id', t.id, 'name', t.name, 'language', t.language), now()
            from ezw.template t where t.name = 'survivor'});
all_looked_at();
is(scalar(events('survivor')), 1, 'once it was news');

# Channels of other kinds have none; and who has no such channel.
my $sms = $t->channel(company => $company, jid => '31633333333@sms.eazy.im');
my $gone = $t->channel(company => $company, archived_at => '2020-01-01');
my $all = $t->key(company => $company, scope => 'COMPANY');
for my $case ([GET => $sms], [POST => $sms, json => \%support],
              [DELETE => "$sms/ticket"],
              [GET => '31699999999@whatsapp.eazy.im'])
{
    my ($method, $where, @more) = @$case;
    my $url = '/v3/channels/' . ($where =~ s{(/|$)}{/templates$1}r);
    is_refused($t->http($method => $url, key => $all, @more), 404, 1009,
               { message => 'Not found' }, "none: $method $url");
}
is_refused($t->http(POST => "/v3/channels/$gone/templates", key => $all,
                    json => \%support), 422, 1011,
           { message => 'Channel is archived' }, 'not on an archived channel');

is_deeply([map { @$_ } $t->sql(q{
    select event_type || ' ' || target_id || ' ' || (data ->> 'channel')
      from ezw.audit_log
     where company = ? and target_type = 'template'
       and target_id like 'delivery%' order by id}, $company)],
    [map { "template.$_ delivery_notification $channel" }
     qw(created created deleted created)], 'the audit log');

done_testing;

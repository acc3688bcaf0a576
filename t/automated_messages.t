# Automated messages: the list, one of them, PATCH. When they are sent is told
# elsewhere.

use EZW;

my $t = EZW->start(workers => 1);
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31611111111@whatsapp.eazy.im',
                          created_at => '2020-03-11T19:00:02Z');
my $id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $plain = $t->channel(company => $company, created_at => '2019-07-18T12:00:00Z');
my $key = $t->key(company => $company, scope => 'CHANNEL',
                  channels => [$channel, $plain]);
my $path = "/v3/channels/$channel/automated-messages";

sub get { return $t->http(GET => $_[0], key => $key) }

sub change {
    my ($type, $json, %o) = @_;
    return $t->http(PATCH => "$path/$type", key => $key, json => $json, %o);
}

# The document's own.
my %away = (
    body => 'Sorry, we are currently closed. Your question will be answered '
        . 'as soon as possible.',
    createdAt => '2020-03-11T19:00:02.000000Z', enabled => true,
    type => 'AWAY', updatedAt => undef);
my %greeting = (
    body => "Welcome to My Company \x{1F60E} We are here to help \x{1F4AA}",
    createdAt => '2020-04-29T11:37:40.000000Z', enabled => false,
    type => 'GREETING', updatedAt => undef);
$t->insert('automated_message', company => $company, channel => $id,
           type => $_->{type}, body => $_->{body},
           enabled => $_->{enabled} ? 't' : 'f', created_at => $_->{createdAt})
    for \%away, \%greeting;

my $r = get($path);
is_answer($r, 200, [\%away, \%greeting], "the document's list");
is($r->body, to_json($r->json), 'compact, and names in their order');
is_answer(get("$path/GREETING"), 200, \%greeting, "the document's GREETING");
is_answer(get("$path/AWAY"), 200, \%away, 'AWAY');

my $before = $t->value('select now()');
$r = change(AWAY => { enabled => false });
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
%away = (%away, enabled => false, updatedAt => $r->json->{updatedAt});
is_answer($r, 200, { %away, updatedAt => $time }, "the document's PATCH");
is_answer(get($path), 200, [\%away, \%greeting], 'it is so');
ok($t->value('select ?::timestamptz between ? and now()',
             $away{updatedAt}, $before), 'and was changed now');

# Whatever has not been set up is off, empty, and as old as its channel.
my $fresh = "/v3/channels/$plain/automated-messages";
my %fresh = (body => '', createdAt => '2019-07-18T12:00:00.000000Z',
             enabled => false, updatedAt => undef);
my @fresh = map { { %fresh, type => $_ } } qw(AWAY GREETING);
is_answer(get($fresh), 200, \@fresh, 'what nobody has set up');
is_answer(get("$fresh/AWAY"), 200, $fresh[0], 'one of it');
for my $json ({}, { body => '' }, { enabled => false },
              { body => '', enabled => false, type => 'GREETING' })
{
    is_answer($t->http(PATCH => "$fresh/AWAY", key => $key, json => $json),
              200, $fresh[0], 'no change: ' . to_json($json));
}
is($t->value('select count(*) from ezw.automated_message'), 2,
   'leaves nothing behind');
$r = $t->http(PATCH => "$fresh/AWAY", key => $key, json => { body => 'Gone' });
$fresh[0] = { %{ $fresh[0] }, body => 'Gone',
              updatedAt => $r->json->{updatedAt} };
is_answer($r, 200, { %{ $fresh[0] }, updatedAt => $time }, 'a first change');
is_answer(get($fresh), 200, \@fresh, 'is there, and the other is not');

# One field leaves the other; what is read may be written.
for my $case (
    ['on', { enabled => true }], ['a body', { body => 'Closed' }],
    ['the same', { body => 'Closed', enabled => true }, 1],
    ['nothing', {}, 1],
    ['off and empty', { body => '', enabled => false }],
    ['both', { body => "\x{1F60E}" x 4096, enabled => true }],
    ['any text', { body => qq('; drop table ezw.channel; --\\"\n\t\$1) }],
) {
    my ($name, $json, $same) = @$case;
    my $was = $away{updatedAt};
    $r = change(AWAY => $json);
    %away = (%away, %$json, updatedAt => $r->json->{updatedAt});
    is_answer($r, 200, { %away, updatedAt => $time }, "PATCH: $name");
    is_answer(get("$path/AWAY"), 200, \%away, "PATCH: $name, and it is so");
    if ($same) {
        is($away{updatedAt}, $was, "PATCH: $name, which is no change");
    } else {
        isnt($away{updatedAt}, $was, "PATCH: $name, which is one");
    }
}
is_answer(change(AWAY => { %away, createdAt => '2000-01-01T00:00:00.000000Z',
                           type => 'GREETING' },
                 headers => { Prefer => 'handling=strict' }), 200, \%away,
          'what was read may be written');

# Refused, and nothing is changed.
for my $case (
    [AWAY => { body => '' }, 'body', 'body must not be empty while enabled'],
    [AWAY => { body => '', enabled => true }, 'body',
     'body must not be empty while enabled'],
    [AWAY => { body => undef }, 'body', 'body must not be null'],
    [AWAY => { body => 1 }, 'body', 'body must be a string'],
    [AWAY => { body => 'x' x 4097 }, 'body',
     'body is too long: at most 4096 characters'],
    [AWAY => { enabled => undef }, 'enabled', 'enabled must not be null'],
    [AWAY => { enabled => 1 }, 'enabled', 'enabled must be a boolean'],
    [AWAY => { enabled => 'true' }, 'enabled', 'enabled must be a boolean'],
) {
    my ($type, $json, $field, $message) = @$case;
    is_refused(change($type => $json), 400, 1005,
               { message => $message, field => $field },
               'refused: ' . substr to_json($json), 0, 40);
}
is_refused($t->http(PATCH => "$fresh/GREETING", key => $key,
                    json => { enabled => true }), 400, 1005,
           { message => 'body must not be empty while enabled',
             field => 'body' }, 'refused: on, without ever a body');
is_refused(change(AWAY => { bodyText => 'x' },
                  headers => { Prefer => 'handling=strict' }), 400, 1005,
           { message => 'Unknown field: bodyText', field => 'bodyText' },
           'strict: an unknown field');
is_answer(get($path), 200, [\%away, \%greeting], 'nothing has changed');
is_answer(get($fresh), 200, \@fresh, 'nor here');

# Other types there are none.
for my $type ('HOLIDAY', 'away', 'AWAY%20', 'x' x 300) {
    is_refused(get("$path/$type"), 404, 1009, { message => 'Not found' },
               "no type: " . substr $type, 0, 20);
    is_refused(change($type => { body => 'x' }), 404, 1009,
               { message => 'Not found' },
               "no type to change: " . substr $type, 0, 20);
}

# Page by page, and counted.
my %page = (headers => { Prefer => 'count=exact' });
$r = $t->http(GET => "$path?limit=1", key => $key, %page);
is_answer($r, 200, [\%away], 'the first page');
is($r->header('x-total-count'), '2', 'of two');
$r = $t->http(GET => "$path?limit=1&cursor=" . $r->header('x-next-cursor'),
              key => $key);
is_answer($r, 200, [\%greeting], 'the second page');

# A channel that is not there has none.
my $other = $t->key(company => $t->company, scope => 'COMPANY');
is_refused($t->http(GET => $path, key => $other), 404, 1009,
           { message => 'Not found' }, "a stranger's list");
is_refused($t->http(PATCH => "$path/AWAY", key => $other,
                    json => { body => 'Mine' }), 404, 1009,
           { message => 'Not found' }, "a stranger's change");

done_testing;

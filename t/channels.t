# Channels: the list and PATCH.

use EZW;

my $t = EZW->start;
my $company = $t->company;
my $whatsapp = '31611111111@whatsapp.eazy.im';
my $apple = '8194c1a3-be55-4210-ac02-58a992c17977@apple.eazy.im';

$t->channel(company => $company, jid => $whatsapp, name => 'WhatsApp',
            created_at => '2020-01-01');
$t->channel(company => $company, jid => $apple,
            name => 'Apple Messages for Business', created_at => '2020-01-02');

my %key = (
    CHANNEL => $t->key(company => $company, scope => 'CHANNEL',
                       channels => [$whatsapp]),
    ASSISTANT => $t->key(company => $company, scope => 'ASSISTANT'),
    LISTED => $t->key(company => $company, scope => 'ASSISTANT',
                      channels => [$apple]),
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
    OWNER => $t->key(company => $company, scope => 'OWNER'),
);

sub list { return $t->http(GET => '/v3/channels', key => $_[0]) }

sub change {
    my ($jid, $json, %o) = @_;

    return $t->http(PATCH => "/v3/channels/$jid", key => $key{COMPANY},
                    json => $json, %o);
}

# The document's own answer.
my %whatsapp = (dataRetentionInDays => 90, jid => $whatsapp,
                name => 'WhatsApp', priority => undef);
my %apple = (dataRetentionInDays => 90, jid => $apple,
             name => 'Apple Messages for Business', priority => undef);
my $r = list($key{COMPANY});
is_answer($r, 200, [\%whatsapp, \%apple], "the document's list");
is($r->body, to_json($r->json), 'compact, and names in their order');

# What each key sees.
is_answer(list($key{CHANNEL}), 200, [\%whatsapp], 'CHANNEL: what is listed');
is_answer(list($key{LISTED}), 200, [\%apple], 'ASSISTANT: what is listed');
is_answer(list($key{ASSISTANT}), 200, [\%whatsapp, \%apple],
          'ASSISTANT without a list: all');
is_answer(list($key{OWNER}), 200, [\%whatsapp, \%apple], 'OWNER: all');
is_answer(list($t->key(company => $company, scope => 'CHANNEL')), 200, [],
          'CHANNEL without a list: none');
is_answer(list($t->key(company => $t->company, scope => 'COMPANY')), 200, [],
          'a company without channels');
is_refused($t->http(GET => '/v3/channels'), 401, 1001,
           { message => 'Unauthorized: no API key' }, 'no key');

# A key that lists another company's channel gets nothing of it.
my $stranger = $t->company;
my $foreign = $t->channel(company => $stranger);
my $wrong = $t->key(company => $company, scope => 'CHANNEL',
                    channels => [$foreign]);
is_answer(list($wrong), 200, [], "another company's channel on the list");
is_refused($t->http(PATCH => "/v3/channels/$foreign", key => $wrong,
                    json => { name => 'Mine' }),
           404, 1009, { message => 'Not found' }, 'nor may it be changed');

# The order: priority, those without one last, then creation. Archived ones
# are in it, those without a number not.
my $ordered = $t->company;
my $n = 0;
for my $case ([third => 2, '2020-01-01'], [fifth => undef, '2019-01-01'],
              [first => -1, '2022-01-01'], [fourth => 2, '2020-01-02'],
              [second => 0, '2023-01-01'], [sixth => undef, '2019-01-02'])
{
    $t->channel(company => $ordered, name => $case->[0],
                priority => $case->[1], created_at => $case->[2],
                archived_at => $n++ % 2 ? '2024-01-01' : undef);
}
$t->insert('channel', company => $ordered, id => $t->uuid, domain => 'whatsapp',
           connector => 'waha', name => 'not paired');
is_deeply([map { $_->{name} } @{ list($t->key(company => $ordered,
                                              scope => 'COMPANY'))->json }],
          [qw(first second third fourth fifth sixth)], 'their order');

# PATCH: the document's own example.
is_answer(change($whatsapp, { name => 'KLM.com' }), 200,
          { %whatsapp, name => 'KLM.com' }, "the document's PATCH");
$whatsapp{name} = 'KLM.com';
is_answer(list($key{COMPANY}), 200, [\%whatsapp, \%apple], 'it is so');

for my $case (
    ['a priority', { priority => 3 }],
    ['a name alone keeps it', { name => 'KLM' }],
    ['both', { name => 'KLM.com', priority => -7 }],
    ['nothing', {}],
    ['no priority', { priority => undef }],
    ['the largest priority', { priority => 2147483647 }],
    ['the smallest priority', { priority => -2147483647 }],
    ['zero', { priority => 0 }],
    ['255 characters', { name => "\x{1F600}" x 255 }],
    ['one character', { name => 'x' }],
    ['any text', { name => qq('; drop table ezw.channel; --\\"\n\t\$1) }],
    ['what it was', { name => 'KLM.com', priority => undef }],
) {
    my ($name, $json) = @$case;
    %whatsapp = (%whatsapp, %$json);
    is_answer(change($whatsapp, $json), 200, \%whatsapp, "PATCH: $name");
    is_answer(list($key{COMPANY}), 200, [\%whatsapp, \%apple],
              "PATCH: $name, and it is so");
}

# Read-only fields and unknown ones are ignored: GET, edit, PATCH.
is_answer(change($whatsapp, { %whatsapp, dataRetentionInDays => 1,
                              jid => $apple, name => 'WhatsApp',
                              color => 8, id => 7 }),
          200, { %whatsapp, name => 'WhatsApp' }, 'read-only and unknown');
$whatsapp{name} = 'WhatsApp';

# Unless the caller wants its typos caught.
my @strict = (headers => { Prefer => 'handling=strict' });
is_refused(change($whatsapp, { name => 'A', colour => 8 }, @strict), 400, 1005,
           { message => 'Unknown field: colour', field => 'colour' }, 'strict');
is_answer(change($whatsapp, { %whatsapp }, @strict), 200, \%whatsapp,
          'strict takes read-only fields');
for my $prefer ('HANDLING="strict"', 'wait=1, handling=strict', 'handling=strict;x') {
    is_refused(change($whatsapp, { name => 'A', colour => 8 },
                      headers => { Prefer => $prefer }), 400, 1005,
               { message => 'Unknown field: colour', field => 'colour' },
               "strict: $prefer");
}
for my $prefer ('handling=lenient', 'handling', 'strict', 'handling=strictly') {
    is_answer(change($whatsapp, { name => 'WhatsApp', colour => 8 },
                     headers => { Prefer => $prefer }), 200, \%whatsapp,
              "not strict: $prefer");
}

# What is refused names the field, and nothing is changed.
for my $case (
    ['name', undef, 'name must not be null'],
    ['name', '', 'name is too short: at least 1 character'],
    ['name', 'x' x 256, 'name is too long: at most 255 characters'],
    ['name', "\x{1F600}" x 256, 'name is too long: at most 255 characters'],
    ['name', 1, 'name must be a string'],
    ['name', true, 'name must be a string'],
    ['name', ['x'], 'name must be a string'],
    ['name', { fullName => 'x' }, 'name must be a string'],
    ['priority', '1', 'priority must be an integer'],
    ['priority', 1.5, 'priority must be an integer'],
    ['priority', false, 'priority must be an integer'],
    ['priority', [], 'priority must be an integer'],
    ['priority', 2147483648,
     'priority must be between -2147483647 and 2147483647'],
    ['priority', -2147483649,
     'priority must be between -2147483647 and 2147483647'],
    ['priority', 9223372036854775807,
     'priority must be between -2147483647 and 2147483647'],
) {
    my ($field, $value, $message) = @$case;
    my %json = (name => 'changed', priority => 5, $field => $value);
    is_refused(change($whatsapp, \%json), 400, 1005,
               { message => $message, field => $field },
               'refused: ' . substr to_json({ $field => $value }), 0, 40);
}
is_answer(list($key{COMPANY}), 200, [\%whatsapp, \%apple], 'nothing changed');

# Who may: each key on its own channels.
for my $case (
    [CHANNEL => $whatsapp, 200], [CHANNEL => $apple, 403],
    [LISTED => $apple, 200], [LISTED => $whatsapp, 403],
    [ASSISTANT => $apple, 200], [COMPANY => $apple, 200],
    [OWNER => $apple, 200],
) {
    my ($name, $jid, $status) = @$case;
    my $r = change($jid, {}, key => $key{$name});
    if ($status == 200) {
        is_answer($r, 200, $jid eq $apple ? \%apple : \%whatsapp,
                  "$name may: $jid");
    } else {
        is_refused($r, 403, 1002,
                   { message => 'Access denied: not a channel of the API key' },
                   "$name may not: $jid");
    }
}

# No oracle: with a list it is 403 whoever has the channel, without one 404.
my $absent = '31699999999@whatsapp.eazy.im';
for my $jid ($foreign, $absent) {
    for my $name (qw(CHANNEL LISTED)) {
        is_refused(change($jid, { name => 'x' }, key => $key{$name}), 403, 1002,
                   { message => 'Access denied: not a channel of the API key' },
                   "$name: $jid");
    }
    for my $name (qw(ASSISTANT COMPANY OWNER)) {
        is_refused(change($jid, { name => 'x' }, key => $key{$name}), 404, 1009,
                   { message => 'Not found' }, "$name: $jid");
    }
}
isnt($t->value('select name from ezw.channel where jid = ?', $foreign), 'x',
     "another company's channel is as it was");

# An OWNER's children: their channels are its own, their children's are not.
my $child = $t->company(parent => $company);
my $childs = $t->channel(company => $child, name => 'Child');
my $grandchilds = $t->channel(company => $t->company(parent => $child));
my $owner = $t->key(company => $company, scope => 'OWNER');
is_answer(change($childs, { priority => 1 }, key => $owner), 200, {
    dataRetentionInDays => 90, jid => $childs, name => 'Child', priority => 1,
}, "a child's channel");
is_answer(change($childs, {}, key => $owner), 200, {
    dataRetentionInDays => 90, jid => $childs, name => 'Child', priority => 1,
}, "a child's channel again");
for my $jid ($grandchilds, $foreign, $absent, $absent) {
    is_refused(change($jid, {}, key => $owner), 404, 1009,
               { message => 'Not found' }, "an owner's 404: $jid");
}
is_refused(change($childs, {}, key => $key{COMPANY}), 404, 1009,
           { message => 'Not found' }, 'a COMPANY key has no children');

# A JID that is none, or none of a channel.
for my $jid ('31611111111', '@whatsapp.eazy.im', '0612345678@whatsapp.eazy.im',
             '31611111111@whatsapp.example.com', '31611111111@nowhere.eazy.im',
             '1563451622477@ai.eazy.im', 'lid.12345@whatsapp.eazy.im',
             'NL.abc@whatsapp.eazy.im', '1571833730@list.eazy.im')
{
    is_refused(change($jid, { name => 'x' }), 400, 1005,
               { message => 'Jid is invalid', field => 'channelJid' },
               "no channel's JID: $jid");
}

done_testing;

# Channels: the list and PATCH; how their owners make, set up and end them.

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


# An owner makes channels -----------------------------------------------------

sub create {
    my ($json, %o) = @_;
    return $t->http(POST => '/v3/channels', key => $owner, json => $json, %o);
}

my $helper = $t->assistant(company => $company);
my %new = (catalogId => undef, connector => 'sandbox',
           dataRetentionInDays => 90, defaultAssistant => undef,
           priority => undef);

is_answer(create({ jid => '31611111112@whatsapp.eazy.im', name => 'Second' }),
          201, { %new, jid => '31611111112@whatsapp.eazy.im',
                 name => 'Second' }, 'a channel');
is_answer(create({ jid => '31611111113@WhatsApp.Eazy.IM', name => 'Third',
                   connector => 'sandbox', catalogId => '194836987003835',
                   dataRetentionInDays => 3650, defaultAssistant => $helper,
                   priority => 1, color => 8 }),
          201, { %new, jid => '31611111113@whatsapp.eazy.im', name => 'Third',
                 catalogId => '194836987003835', dataRetentionInDays => 3650,
                 defaultAssistant => $helper, priority => 1 },
          'one with all there is');
is_answer(list($owner), 200, [
    { dataRetentionInDays => 3650, jid => '31611111113@whatsapp.eazy.im',
      name => 'Third', priority => 1 },
    \%whatsapp, \%apple,
    { dataRetentionInDays => 90, jid => '31611111112@whatsapp.eazy.im',
      name => 'Second', priority => undef },
], 'they are in the list, and it is as it was');

# Every domain that a channel may have.
my %domain = (
    sms => 31633333333, instagram => 1918363544518991,
    messenger => 1918363544518992, webchat => 8191584934115639,
    twitter => 872362551, line => 8191584934115640,
    gbm => '964468cf-a3fd-4f0a-ad44-bcd7c7e5a424',
    apple => 'd2b9f484-08ac-45a7-bbe0-f2f7d844bcb6', viber => 'A+/9=',
);
for my $domain (sort keys %domain) {
    my $jid = "$domain{$domain}\@$domain.eazy.im";
    is_answer(create({ jid => $jid, name => $domain }), 201,
              { %new, jid => $jid, name => $domain }, "a channel of $domain");
    is_deeply([$t->sql('select domain, connector, window_seconds,
                               lifecycle_state from ezw.channel
                         where jid = ?', $jid)],
              [[$domain, 'sandbox', undef, 'connected']],
              "$domain: ready, and the sandbox has no care window");
}

# A child's, by its parent; what the company says of retention is the default.
my $brief = $t->company(parent => $company, data_retention_in_days => 7);
my $parents = $t->key(company => $company, scope => 'OWNER');
my $briefs = $t->channel_jid;
is_answer(create({ jid => $briefs, name => 'Brief', companyId => $brief },
                 key => $parents), 201,
          { %new, jid => $briefs, name => 'Brief', dataRetentionInDays => 7 },
          "a child's channel");
is($t->value('select company from ezw.channel where jid = ?', $briefs), $brief,
   'and it is the child\'s');
wait_for(sub { list($t->key(company => $brief, scope => 'COMPANY'))
                   ->body =~ /Brief/ }, 10, 'and seen there');

# A JID is taken whoever has it, and nobody is told who.
for my $taken ($whatsapp, $foreign, $briefs) {
    is_refused(create({ jid => $taken, name => 'Mine' }), 409, 1014,
               { message => 'Already exists' }, "taken: $taken");
}

for my $case (
    [jid => undef, 'jid must not be null'],
    [jid => 7, 'jid must be a string'],
    (map { [jid => $_, 'Jid is invalid'] }
     '', '31611111111', '1563451622477@ai.eazy.im',
     '1571833730@list.eazy.im', 'lid.12345@whatsapp.eazy.im',
     'NL.abc@whatsapp.eazy.im', '31611111119@nowhere.eazy.im',
     '31611111119@whatsapp.example.com'),
    [name => '', 'name is too short: at least 1 character'],
    [name => 'x' x 256, 'name is too long: at most 255 characters'],
    (map { [connector => $_, 'connector must be one of sandbox'] }
     'cloud', 'waha', 'http', 'Sandbox', ''),
    [connector => undef, 'connector must not be null'],
    (map { [dataRetentionInDays => $_,
            'dataRetentionInDays must be between 1 and 3650'] } 0, 3651, -1),
    [dataRetentionInDays => undef, 'dataRetentionInDays must not be null'],
    [dataRetentionInDays => 1.5, 'dataRetentionInDays must be an integer'],
    [catalogId => '', 'catalogId is too short: at least 1 character'],
    [catalogId => '1' x 65, 'catalogId is too long: at most 64 characters'],
    [catalogId => 7, 'catalogId must be a string'],
    [defaultAssistant => 'jane@example.com', 'Jid is invalid'],
    (map { [defaultAssistant => $_, 'defaultAssistant is no enabled assistant'] }
     '1563451622999@ai.eazy.im', '1563451622477@team.eazy.im',
     $t->assistant(company => $company, enabled => 'f'),
     $t->assistant(company => $stranger)),
    [companyId => 'x', 'companyId must be a uuid'],
    (map { [companyId => $_, 'companyId is no company of the API key'] }
     $stranger, $t->uuid),
) {
    my ($field, $value, $message) = @$case;
    my %json = (jid => '31611111119@whatsapp.eazy.im', name => 'No',
                $field => $value);
    is_refused(create(\%json), 400, 1005,
               { message => $message, field => $field },
               'not made: ' . substr to_json({ $field => $value }), 0, 60);
}
for my $field (qw(jid name)) {
    my %json = (jid => '31611111119@whatsapp.eazy.im', name => 'No');
    delete $json{$field};
    is_refused(create(\%json), 400, 1005,
               { message => "$field is required", field => $field },
               "not without $field");
}
is_refused(create({ jid => '31611111119@whatsapp.eazy.im', name => 'No',
                    lines => 1 }, @strict), 400, 1005,
           { message => 'Unknown field: lines', field => 'lines' },
           'strict: an unknown field');
is($t->value(q{select count(*) from ezw.channel
                where jid = '31611111119@whatsapp.eazy.im'}), 0,
   'none of these was made');

# Again with the same key of its own: the same answer.
my @once = (headers => { 'Idempotency-Key' => 'a channel' });
my $once = { jid => $t->channel_jid, name => 'Once' };
my $first = create($once, @once);
is_answer($first, 201, { %new, %$once }, 'once');
my $replay = create($once, @once);
is_answer($replay, 201, $first->json, 'and the same again');
is($replay->header('idempotency-replayed'), 'true', 'which is said');

# Of many at once one is made, whosever it is to be.
my $wanted = $t->channel_jid;
my $stranger_owner = $t->key(company => $stranger, scope => 'OWNER');
is_deeply([sort map { $_->status } $t->parallel(map {
    [POST => '/v3/channels', key => $_, json => { jid => $wanted,
                                                  name => 'Wanted' }]
} ($owner, $stranger_owner) x 4)], [201, (409) x 7],
          'of many at once one is made');

# ... sets them up, which others may not: to them it is read-only.
my %set = (catalogId => 'C', dataRetentionInDays => 30,
           defaultAssistant => $helper);
for my $name (qw(CHANNEL COMPANY)) {
    is_answer(change($whatsapp, \%set, key => $key{$name}, @strict), 200,
              \%whatsapp, "$name: nothing is changed");
    is_answer(change($whatsapp, { %set, dataRetentionInDays => 'x',
                                  catalogId => [], defaultAssistant => 7 },
                     key => $key{$name}), 200, \%whatsapp,
              "$name: and nothing is looked at");
}

sub settings {
    return ($t->sql('select catalog_id, data_retention_in_days,
                            default_assistant from ezw.channel
                      where jid = ?', $whatsapp))[0];
}

is_deeply(settings(), [undef, 90, undef], 'it is as it was');
is_answer(change($whatsapp, \%set, key => $owner, @strict), 200,
          { %whatsapp, dataRetentionInDays => 30 }, 'OWNER: it is set up');
$whatsapp{dataRetentionInDays} = 30;
is_deeply(settings(), ['C', 30, $helper], 'as it was told');
is_answer(change($whatsapp, { name => 'WhatsApp' }, key => $owner), 200,
          \%whatsapp, 'OWNER: a name alone');
is_deeply(settings(), ['C', 30, $helper], 'leaves the rest');
$t->sql('update ezw.assistant set enabled = false where jid = ?', $helper);
is_answer(change($whatsapp, \%set, key => $owner), 200, \%whatsapp,
          'OWNER: what it has may stay, though disabled since');
is_answer(change($whatsapp, { catalogId => undef, defaultAssistant => undef },
                 key => $owner), 200, \%whatsapp, 'OWNER: taken away');
is_deeply(settings(), [undef, 30, undef], 'it is away');
for my $case (
    [defaultAssistant => $helper, 'defaultAssistant is no enabled assistant'],
    [defaultAssistant => 'x', 'Jid is invalid'],
    [dataRetentionInDays => 0, 'dataRetentionInDays must be between 1 and 3650'],
    [dataRetentionInDays => undef, 'dataRetentionInDays must not be null'],
    [catalogId => '', 'catalogId is too short: at least 1 character'],
) {
    my ($field, $value, $message) = @$case;
    is_refused(change($whatsapp, { name => 'No', $field => $value },
                      key => $owner), 400, 1005,
               { message => $message, field => $field },
               'OWNER, refused: ' . to_json({ $field => $value }));
}
is_deeply(settings(), [undef, 30, undef], 'nothing changed');

# ... and ends them: what was said stays readable, and nothing more is sent.
my $line = $t->channel(company => $company, name => 'Line');
my $person = $t->contact_jid;
my $path = "/v3/channels/$line";
my %text = (json => { type => 'text', body => 'Hello' });
is($t->http(POST => "$path/messages/$person", key => $owner, %text)->status,
   201, 'a message');
is_answer($t->http(DELETE => $path, key => $owner), 204, undef, 'it is ended');
is_answer($t->http(DELETE => $path, key => $owner), 204, undef, 'and stays so');
is_refused($t->http(POST => "$path/messages/$person", key => $owner, %text),
           422, 1011, { message => 'Message rejected: channel is archived' },
           'nothing is sent');
is($t->http(GET => "$path/contacts/$person", key => $owner)->status, 200,
   'who was there is still known');
is((grep { $_->{jid} eq $line } @{ list($owner)->json })[0]{name}, 'Line',
   'and the channel is listed');
is_refused(create({ jid => $line, name => 'Again' }), 409, 1014,
           { message => 'Already exists' }, 'its JID stays taken');
is_refused($t->http(DELETE => "/v3/channels/$_", key => $owner), 404, 1009,
           { message => 'Not found' }, "not another's: $_")
    for $foreign, $absent;
is_refused($t->http(DELETE => $path, key => $key{COMPANY}), 403, 1002,
           { message => "Access denied: the API key's scope is too small" },
           'not by a COMPANY key');

# The audit log tells of each that changed anything.
my $by = $t->key_id($owner) . '@key.eazy.im';
is_deeply([map { @$_ } $t->sql(q{
    select event_type || ' ' || coalesce(data ->> 'jid', data::text)
      from ezw.audit_log
     where company = ? and actor_id = ? and target_type = 'channel'
       and target_id in (select id::text from ezw.channel where jid = any (?))
     order by id}, $company, $by,
    [$whatsapp, $line, '31611111112@whatsapp.eazy.im'])],
    ['line.created 31611111112@whatsapp.eazy.im',
     qq(line.updated {"dataRetentionInDays" : 30, "catalogId" : "C", )
         . qq("defaultAssistant" : "$helper"}),
     'line.updated {"dataRetentionInDays" : 30, "catalogId" : null, '
         . '"defaultAssistant" : null}',
     "line.archived $line"], 'the audit log');

done_testing;

# Every refusal of every statement, forced through HTTP: the answer, and that
# nothing at all was written. One request refuses for one reason and would else
# change whatever it can.

use EZW;
use EZW::Token;
use Digest::SHA qw(sha256_hex);

my $t = EZW->start(start => 0, workers => 1, http => 'ezw_courier off; ezw_broadcast on;');
# whom a lock holds up here is to wait for it
$t->sql("alter role ezw_app in database $t->{dbname} set lock_timeout = '20s'");
$t->launch;
$t->hasten_hashes;
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $archived = $t->channel(company => $company, archived_at => '2020-01-01');
my $cared = $t->channel(company => $company, window_seconds => 86400);
my $foreign = $t->channel(company => $t->company);
my $absent = '31699999999@whatsapp.eazy.im';
my $assistant = $t->assistant(company => $company);
my $second = $t->assistant(company => $company);
my $off = $t->assistant(company => $company, enabled => 'f');
my $key = $t->key(company => $company, scope => 'COMPANY');
my $bound = $t->key(company => $company, scope => 'ASSISTANT',
                    assistant => $assistant);
$t->user(company => $company, email => 'jane@example.com');
$t->user(company => $company, email => 'gone@example.com',
         status => 'disabled');
my $label = '1580486175684@label.eazy.im';
my $team = '1601626130348@team.eazy.im';
$t->insert('label', company => $company, jid => $label, name => 'Label');
$t->insert('team', company => $company, jid => $team, name => 'Team');
$t->insert('label', company => $company, jid => '1580486175685@label.eazy.im',
           name => 'Taken label');
$t->insert('team', company => $company, jid => '1601626130349@team.eazy.im',
           name => 'Taken team');
my $directory = "/v3/companies/$company";
my $foreign_assistant = $t->assistant(company => $t->company);

# A contact with a conversation, which the second assistant has; one without;
# one that is blocked, and one that is blocked without being a contact.
my ($known, $quiet, $blocked, $unknown, $nobody) = map { $t->contact_jid } 1 .. 5;
my $old = 'lid.123456@whatsapp.eazy.im';
for my $jid ($known, $blocked) {
    is($t->http(POST => "/v3/channels/$channel/messages/$jid", key => $key,
                json => { type => 'text', body => 'Hi' })->status, 201,
       "a message to $jid");
}
is($t->http(PATCH => "/v3/channels/$channel/conversations/$known", key => $key,
            json => { assignee => $second })->status, 200, 'handed over');
is($t->http(POST => "/v3/channels/$channel/contacts", key => $key,
            json => { jid => $quiet })->status, 201, 'a contact');
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => $old, contact => $t->value(
               'select id from ezw.contact where jid = ?', $known));
for my $jid ($blocked, $unknown) {
    $t->insert('block', company => $company, channel => $channel_id,
               jid => $jid, hash => { hex => '00' });
}

# Templates: one of no parameters, which is not approved in German, one of two.
$t->template(company => $company, channel => $channel, name => 'welcome');
$t->template(company => $company, channel => $channel, name => 'welcome',
             language => 'de', status => 'PAUSED');
$t->template(company => $company, channel => $channel, name => 'two',
             parameters => '{"header":0,"format":null,"body":2,"buttons":[],'
                 . '"types":[]}');

# A message of a template with texts for its body.
sub template {
    my ($name, $language, @texts) = @_;
    return { message => { type => 'template', template => {
        name => $name, language => { code => $language // 'en' },
        components => [@texts ? { type => 'body', parameters => [
            map { { type => 'text', text => $_ } } @texts] } : ()] } } };
}

sub product {
    my ($products) = @_;
    my ($type) = keys %$products;
    return { message => { type => 'interactive', interactive => {
        type => $type, components => {
            $type eq 'productList'
                ? (header => { type => 'text', text => 'H' }) : (),
            body => { type => 'text', text => 'Look' }, %$products } } } };
}

# A list of too many.
my $list = '1571833730@list.eazy.im';
$t->insert('list', company => $company, jid => $list, channel => $channel_id,
           full_name => 'Many');
$t->sql(q{insert into ezw.contact (company, id, channel, jid)
          select ?, gen_random_uuid(), ?, 31800000000 + i || '@whatsapp.eazy.im'
            from generate_series(1, 501) i}, $company, $channel_id);
$t->sql(q{insert into ezw.list_participant (company, list, contact)
          select company, ?, id from ezw.contact
           where jid like '318%' and company = ?}, $list, $company);

# Owners of keys; people, and the session of one. Whose password is as good as
# any: what is asked of them is refused for other reasons.
my $owner = $t->key(company => $company, scope => 'OWNER');
my $child = $t->company(parent => $company);
my $child_key = $t->key_id($t->key(company => $child, scope => 'COMPANY'));
my $channel_key = $t->key_id($t->key(company => $company, scope => 'CHANNEL',
                                     channels => [$channel]));
my $foreign_key = $t->key_id($t->key(company => $t->company,
                                     scope => 'COMPANY'));
my $revoked_key = $t->key_id($t->key(company => $company, scope => 'COMPANY',
                                     revoked_at => '2020-01-01'));
my $password = 'correct horse';
my $mary = $t->user(company => $company, email => 'mary@example.com',
                    password => $password);
my $paul = $t->user(company => $company, email => 'paul@example.com',
                    status => 'disabled');
my %refresh;

# A session as a sign-in makes one; returns its id.
sub session {
    my ($name, $user, %o) = @_;
    my $id = $t->uuid;
    $refresh{$name} = $t->random_text(40);
    $t->insert('session', company => $company, id => $id, family => $id,
               user_id => $user, expires_at => '2100-01-01', %o,
               refresh_hash => { hex => sha256_hex($refresh{$name}) });
    return $id;
}
my $token = EZW::Token->key(EZW::signing_key())->sign({
    iss => 'ezw', aud => 'ezw-workspace', sub => $mary, org => $company,
    role => 'operator', mv => 1, sid => session(good => $mary),
    iat => time - 1, exp => time + 3600 });
session(expired => $mary, expires_at => '2020-01-01');
session(revoked => $mary, revoked_at => '2020-01-01');
session(spent => $mary, spent_at => '2020-01-01', revoked_at => '2020-01-01');
session(disabled => $paul);

my %reset = map { $_ => $t->random_text(40) } qw(none late used);
$t->insert('password_reset', user_id => $mary,
           hash => { hex => sha256_hex($reset{$_->[0]}) },
           expires_at => $_->[1], used_at => $_->[2])
    for [late => '2020-01-01'], [used => '2100-01-01', '2020-01-01'];

# Everything but what the use of a key leaves: its time, written back by the
# node each half minute.
sub tables {
    my $tables = $t->snapshot('api_key');
    $tables->{api_key} = [map { $_->[0] } $t->sql(
        q{select (to_jsonb(k) - 'last_used')::text from ezw.api_key k
           order by 1})];
    return $tables;
}

# The last: what the workspace calls it.
my %of = (
    not_found => [404, 1009, 'Not found'],
    duplicate => [409, 1014, 'Already exists', undef, 'duplicate'],
    blocked => [422, 1011, 'Message rejected: contact is blocked'],
    channel_archived => [422, 1011, 'Message rejected: channel is archived'],
    window_expired => [422, 1015, 'Customer care window expired'],
    list_template => [400, 1005, 'A list takes templates only',
                      'message.type'],
    list_too_large => [400, 1005, 'The list has more than 500 participants',
                       'contactJid'],
    not_on_whatsapp => [422, 1007, 'User does not have WhatsApp'],
    template_unknown => [404, 1006, 'Template name does not exist',
                         'message.template'],
    template_unapproved => [422, 1011,
                            'Message rejected: template is not approved',
                            'message.template'],
    template_parameters => [400, 1013, 'Parameter count mismatch',
                            'message.template.components'],
    catalog_missing => [400, 1005, 'message.interactive needs a catalog: '
                        . 'the channel has no catalogId',
                        'message.interactive'],
    no_ownership => [403, 1010,
                     'Assistant has no ownership of conversation'],
    assignee_unknown => [400, 1005,
        'assignee is no active agent or enabled assistant', 'assignee'],
    team_unknown => [400, 1005, 'team does not exist', 'team'],
    label_unknown => [404, 1009,
        'labels names a label that does not exist', 'labels'],
    teams_unknown => [400, 1005, 'teams names a team that does not exist',
                      'teams'],
    channels_unknown => [400, 1005,
        'channels names a channel that does not exist', 'channels'],
    company_unknown => [400, 1005, 'companyId is no company of the API key',
                        'companyId'],
    object_unknown => [400, 1005, 'objects names what does not exist',
                       'objects'],
    object_unsuitable => [400, 1005,
        'objects has a type that does not go with the scope', 'objects'],
    object_needed => [400, 1005,
        'objects needs at least one CHANNEL for this scope', 'objects'],
    default_assistant_unknown => [400, 1005,
        'defaultAssistant is no enabled assistant', 'defaultAssistant'],
    assistant_unknown => [400, 1005, 'assistant does not exist', 'assistant'],
    webhooks_full => [400, 1005,
        'The channel has 10 webhooks, which is all that it may have',
        'channelJid'],
    header_masked => [400, 1005,
        'headers masks the value of a name that has none', 'headers'],
    list_full => [400, 1005, 'The list is full: at most 100000 contacts',
                  'listJid'],
    body_needed => [400, 1005, 'body must not be empty while enabled', 'body'],
    channel_ended => [422, 1011, 'Channel is archived'],
    category_differs => [400, 1005,
        "category is not that of the template's other languages", 'category'],
    templates_full => [422, 1011,
        'The channel has too many templates: at most 1000'],
    status_own => [400, 1005, "status is the parent company's to change",
                   'status'],
    timezone_unknown => [400, 1005, 'timezone is not known', 'timezone',
                         'invalid_timezone'],
    token_invalid => [400, undef, 'token is unknown, used or too old', 'token',
                      'invalid_token'],
    unauthenticated => [401, undef, 'Unauthorized', undef, 'unauthenticated'],
);
my %contact = (name => 'Changed', reference => 'changed', remarks => 'changed',
               metadata => { a => 1 });
my %conversation = (status => 'CLOSED', assignee => 'jane@example.com',
                    team => $team, labels => [$label], unreadCount => 0);
my %text = (message => { type => 'text', body => 'Changed' });
my %settings = (description => 'Changed', enabled => false, burst => 5,
                whitelist => ['127.0.0.1'], expiresAt => '2100-01-01T00:00:00Z',
                ratePerMinute => 5, cipherKey => 'A' x 43);
my %new_key = (%settings, scope => 'COMPANY');
my %template = (name => 'new', language => 'en', category => 'UTILITY',
                components => [{ type => 'BODY', text => 'Hello' }]);
$t->template(company => $company, channel => $channel, name => 'known');
my $full = $t->channel(company => $company);
$t->sql(q{insert into ezw.template (company, channel, name, language, category,
                                    components)
          select company, id, 'full_' || n, 'en', 'UTILITY', '[]'
            from ezw.channel, generate_series(1, 1000) n where jid = ?}, $full);

# Webhooks: one, of a channel that may have more, and one that may not. A list
# that says that it is full.
my %webhook = (url => 'https://example.com/', events => ['message']);
my $webhook = $t->uuid;
$t->insert('webhook', company => $company, channel => $_->[0], id => $_->[1],
           url => 'https://example.com/', events => '{message}',
           secret => { hex => '00' })
    for [$channel_id, $webhook],
        map { [$t->value('select id from ezw.channel where jid = ?', $full),
               $t->uuid] } 1 .. 10;
my $full_list = '1571833731@list.eazy.im';
$t->insert('list', company => $company, jid => $full_list,
           channel => $channel_id, full_name => 'Full', participants => 100_000);
my $sms = $t->channel(company => $company, jid => '31633333333@sms.eazy.im');
my %new_channel = (jid => '31612121212@whatsapp.eazy.im', name => 'New',
                   catalogId => 'C', dataRetentionInDays => 5);
my %channel = (name => 'Changed', priority => 5, dataRetentionInDays => 5,
               catalogId => 'C');
my %sign_up = (organizationName => 'New', ownerName => 'Ann',
               email => 'ann@example.com', password => 'x' x 10);
my %forced;

sub channels { return objects(CHANNEL => @_) }

sub objects {
    my ($type, @jids) = @_;
    return [map { { type => $type, jid => $_ } } @jids];
}

# Sends a request whose statement has to wait for the user, and changes his
# password meanwhile. Returns the answer, and what there was before it.
sub overtaken {
    my ($user, @request) = @_;

    my $dbh = $t->dbh;
    my $watch = $t->{postgres}->dbh($t->{dbname});
    $dbh->begin_work;
    $t->sql('select from ezw.app_user where id = ? for update', $user);
    my $client = $t->client(timeout => 60);
    $client->send_request(@request);
    wait_for(sub {
        return $watch->selectrow_array(q{
            select count(*) from pg_stat_activity
             where datname = current_database() and usename = 'ezw_app'
               and wait_event_type = 'Lock'});
    }, 20, 'a statement that waits for the user');
    $t->sql(q{update ezw.app_user set password_version = password_version + 1
               where id = ?}, $user);
    my $before = tables();
    $dbh->commit;
    $watch->disconnect;
    return ($client->read_response($request[0]), $before);
}

for my $case (
    (map { ['contact_create', 'not_found', POST => $_, 'contacts',
            { %contact, jid => $nobody }] } $foreign, $absent),
    ['contact_create', 'duplicate', POST => $channel, 'contacts',
     { %contact, jid => $known }],
    ['contact_create', 'duplicate', POST => $channel, 'contacts',
     { %contact, jid => $old }],
    (map { ['contact_update', 'not_found', PATCH => $_, "contacts/$known",
            \%contact] } $foreign, $absent, $archived),
    ['contact_update', 'not_found', PATCH => $channel, "contacts/$nobody",
     \%contact],
    (map { ['contact_delete', 'not_found', DELETE => $_, "contacts/$known"] }
     $foreign, $absent, $archived),
    ['contact_delete', 'not_found', DELETE => $channel, "contacts/$nobody"],
    (map { ['channel_update', 'not_found', PATCH => $_, undef,
            { name => 'Changed', priority => 5 }] } $foreign, $absent),
    (map { ['channel_update', 'default_assistant_unknown', PATCH => $channel,
            undef, { %channel, defaultAssistant => $_ }, $owner] }
     $off, '1563451622499@ai.eazy.im', $t->assistant(company => $t->company)),
    (map { ['channel_create', $_->[0], POST => '/v3/channels', undef,
            { %new_channel, @$_[1 .. $#$_] }, $owner] }
     (map { [duplicate => jid => $_] } $channel, $archived, $foreign),
     (map { [default_assistant_unknown => defaultAssistant => $_] } $off,
      '1563451622499@ai.eazy.im'),
     (map { [company_unknown => companyId => $_] } $t->company, $t->uuid)),
    (map { ['channel_delete', 'not_found', DELETE => $_, undef, undef,
            $owner] } $foreign, $absent),
    (map { ['automated_message_update', 'not_found', PATCH => $_->[0],
            "automated-messages/$_->[1]", { body => 'Changed' }] }
     [$foreign, 'AWAY'], [$absent, 'AWAY'], [$channel, 'away']),
    (map { ['automated_message_update', 'body_needed', PATCH => $channel,
            'automated-messages/AWAY', $_] }
     { enabled => true }, { enabled => true, body => '' }),
    (map { ['profile_update', 'not_found', PATCH => $_, 'profile',
            { about => 'Changed' }],
           ['profile_replace', 'not_found', POST => $_, 'profile',
            { about => 'Changed' }] } $foreign, $absent, $sms),
    (map { ['template_create', 'not_found', POST => $_, 'templates',
            \%template],
           ['template_delete', 'not_found', DELETE => $_, 'templates/known'] }
     $foreign, $absent, $sms),
    ['template_delete', 'not_found', DELETE => $channel, 'templates/nobody'],
    ['template_create', 'channel_ended', POST => $archived, 'templates',
     \%template],
    ['template_create', 'duplicate', POST => $channel, 'templates',
     { %template, name => 'known' }],
    ['template_create', 'category_differs', POST => $channel, 'templates',
     { %template, name => 'known', language => 'nl',
       category => 'MARKETING' }],
    ['template_create', 'templates_full', POST => $full, 'templates',
     \%template],
    ['company_create', 'timezone_unknown', POST => '/v3/companies', undef,
     { name => 'New', timezone => 'Mars/Olympus' }, $owner],
    ['company_update', 'timezone_unknown', PATCH => "/v3/companies/$child",
     undef, { name => 'New', timezone => 'Mars/Olympus' }, $owner],
    ['company_update', 'status_own', PATCH => "/v3/companies/$company",
     undef, { name => 'New', status => 'BLOCKED' }, $owner],
    (map { ['conversation_update', 'not_found', PATCH => $_,
            "conversations/$known", \%conversation] }
     $foreign, $absent, $archived),
    (map { ['conversation_update', 'not_found', PATCH => $channel,
            "conversations/$_", \%conversation] } $quiet, $nobody, $unknown),
    ['conversation_update', 'no_ownership', PATCH => $channel,
     "conversations/$known", \%conversation, $bound],
    ['conversation_update', 'no_ownership', PATCH => $channel,
     "conversations/$old", { assignee => undef }, $bound],
    (map { ['conversation_update', 'assignee_unknown', PATCH => $channel,
            "conversations/$known", { %conversation, assignee => $_ }] }
     'nobody@example.com', 'gone@example.com', $off,
     '1563451622499@ai.eazy.im'),
    ['conversation_update', 'label_unknown', PATCH => $channel,
     "conversations/$known",
     { %conversation, labels => [$label, '1580486175999@label.eazy.im'] }],
    ['conversation_update', 'team_unknown', PATCH => $channel,
     "conversations/$known",
     { %conversation, team => '1601626130999@team.eazy.im' }],
    (map { ['message_send', 'not_found', POST => $_, "messages/$known",
            \%text] } $foreign, $absent),
    ['message_send', 'channel_archived', POST => $archived, "messages/$known",
     \%text],
    ['message_send', 'channel_archived', POST => $archived,
     "messages/$nobody", \%text],
    (map { ['message_send', 'blocked', POST => $channel, "messages/$_",
            \%text] } $blocked, $unknown),
    ['message_send', 'window_expired', POST => $cared, "messages/$nobody",
     \%text],
    (map { ['message_send', 'no_ownership', POST => $channel, "messages/$_",
            \%text, $bound] } $known, $old),
    (map { ['message_send', $_->[0], POST => $channel, "messages/$known",
            template(@$_[1 .. $#$_])] }
     [template_unknown => 'welcome_all'], [template_unknown => 'welcome', 'nl'],
     [template_unapproved => 'welcome', 'de'],
     [template_parameters => 'welcome', 'en', 'x'],
     [template_parameters => 'two', 'en', 'x']),
    ['message_send', 'template_unknown', POST => $channel, "messages/$blocked",
     template('welcome_all')],
    (map { ['message_send', 'catalog_missing', POST => $channel,
            "messages/$known", $_] }
     product({ product => { productId => '1' } }),
     product({ productList => { sections => [{
         title => 'T', items => [{ productId => '1' }] }] } })),
    ['message_send', 'not_found', POST => $channel,
     'messages/1571833999@list.eazy.im', template('welcome')],
    ['message_send', 'not_found', POST => $cared, "messages/$list",
     \%text],
    ['message_send', 'list_template', POST => $channel, "messages/$list",
     \%text],
    ['message_send', 'list_too_large', POST => $channel, "messages/$list",
     template('welcome')],
    ['message_send', 'not_on_whatsapp', POST => $channel,
     'messages/lid.999999@whatsapp.eazy.im', \%text],

    # what hangs on a contact, on a channel
    (map { my ($where, $contact) = @$_; (
        ['note_create', 'not_found', POST => $where, "contacts/$contact/notes",
         { body => 'New' }],
        ['note_update', 'not_found', PATCH => $where,
         "contacts/$contact/notes/" . $t->uuid, { body => 'Changed' }],
        ['note_delete', 'not_found', DELETE => $where,
         "contacts/$contact/notes/" . $t->uuid],
        ['custom_event_create', 'not_found', POST => $where,
         "contacts/$contact/events", { name => 'paid' }],
        ['comment_create', 'not_found', POST => $where,
         "conversations/$contact/comments", { body => 'New' }],
        (map { ["list_participant_$_->[0]", 'not_found', $_->[1] => $where,
                "lists/$list/participants/$contact"] }
         [add => 'POST'], [remove => 'DELETE']),
    ) } [$foreign, $known], [$absent, $known], [$channel, $nobody]),
    (map { ['note_' . lc $_->[0], 'not_found', $_->[1] => $channel,
            "contacts/$known/notes/" . $t->uuid, @$_[2 .. $#$_]] }
     [update => 'PATCH', { body => 'Changed' }], [delete => 'DELETE']),
    ['comment_create', 'not_found', POST => $channel,
     "conversations/$quiet/comments", { body => 'New' }],
    ['comment_create', 'no_ownership', POST => $channel,
     "conversations/$known/comments", { body => 'New' }, $bound],
    (map { ["list_participant_$_->[0]", 'not_found', $_->[1] => $channel,
            "lists/1571833999\@list.eazy.im/participants/$known"] }
     [add => 'POST'], [remove => 'DELETE']),
    ['list_participant_add', 'list_full', POST => $channel,
     "lists/$full_list/participants/$known"],
    (map { my $where = $_; (
        ['list_create', 'not_found', POST => $where, 'lists',
         { name => 'New' }],
        ['contact_block', 'not_found', POST => $where,
         "contacts/blacklist/$known"],
        ['contact_unblock', 'not_found', DELETE => $where,
         "contacts/blacklist/$known"],
        ['webhook_create', 'not_found', POST => $where, 'webhooks',
         \%webhook],
        ['webhook_update', 'not_found', PATCH => $where, "webhooks/$webhook",
         { enabled => false }],
        ['webhook_delete', 'not_found', DELETE => $where,
         "webhooks/$webhook"],
    ) } $foreign, $absent),
    (map { ['webhook_create', $_->[0], POST => $_->[1], 'webhooks',
            { %webhook, @$_[2 .. $#$_] }] }
     [assistant_unknown => $channel, assistant => '1563451622499@ai.eazy.im'],
     [assistant_unknown => $channel, assistant => $foreign_assistant],
     [webhooks_full => $full]),
    (map { ['webhook_update', $_->[0], PATCH => $channel, "webhooks/$_->[1]",
            $_->[2]] }
     [not_found => $t->uuid, { enabled => false }],
     [not_found => 'x', { enabled => false }],
     [header_masked => $webhook,
      { url => 'https://example.org/',
        headers => { 'X-A' => "\x{2022}" x 4 } }]),
    (map { ['webhook_delete', 'not_found', DELETE => $channel,
            "webhooks/$_"] } $t->uuid, 'x'),

    (map { ['key_create', $_->[0], POST => '/v3/keys', undef,
            { %new_key, @$_[1 .. $#$_] }, $owner] }
     (map { [company_unknown => companyId => $_] }
      $t->company, $t->company(parent => $child), $t->uuid),
     (map { [object_unknown => scope => 'CHANNEL', objects => channels(@$_)] }
      [$absent], [$foreign], [$archived], [$channel, $absent]),
     [object_unknown => scope => 'CHANNEL', companyId => $child,
      objects => channels($channel)],
     [object_unknown => scope => 'ASSISTANT',
      objects => objects(ASSISTANT => '1563451622499@ai.eazy.im')],
     (map { [object_unknown => scope => $_->[0],
             objects => [{ type => 'COMPANY', id => $_->[1] }]] }
      [COMPANY => $child], [OWNER => $t->company], [OWNER => $t->uuid]),
     [object_unsuitable => objects => channels($channel)],
     [object_unsuitable => scope => 'CHANNEL',
      objects => objects(ASSISTANT => $assistant)],
     [object_unsuitable => scope => 'ASSISTANT',
      objects => [{ type => 'COMPANY', id => $company }]],
     [object_needed => scope => 'CHANNEL'],
     [object_needed => scope => 'CHANNEL', objects => []]),
    (map { ['key_update', $_->[0], PATCH => "/v3/keys/$_->[1]", undef,
            { %settings, @$_[2 .. $#$_] }, $owner] }
     (map { [not_found => $_] } $foreign_key, $revoked_key, $t->uuid, 'x'),
     [object_unknown => $channel_key, objects => channels($absent)],
     [object_unknown => $child_key, scope => 'CHANNEL',
      objects => channels($channel)],
     [object_unsuitable => $channel_key, scope => 'COMPANY'],
     [object_unsuitable => $channel_key,
      objects => objects(ASSISTANT => $assistant)],
     [object_needed => $channel_key, objects => []],
     [object_needed => $child_key, scope => 'CHANNEL']),
    (map { ['key_delete', 'not_found', DELETE => "/v3/keys/$_", undef, undef,
            $owner] } $foreign_key, $revoked_key, $t->uuid, 'x'),

    (map { my ($one, $kind, $jid) = @$_; (
        (map { ["${one}_update", 'not_found', PATCH => "$directory/$kind/$_",
                undef, { name => 'New', color => 3 }],
               ["${one}_delete", 'not_found', DELETE => "$directory/$kind/$_"] }
         @$jid),
    ) } [assistant => assistants => [$foreign_assistant, $label]],
        [label => labels => ['1580486175999@label.eazy.im', $team]],
        [team => teams => ['1580486175999@team.eazy.im', $label]]),
    (map { my ($one, $jid) = @$_; (
        ["${one}_create", 'duplicate', POST => "$directory/${one}s", undef,
         { name => uc $one, color => 3 }],
        ["${one}_update", 'duplicate', PATCH => "$directory/${one}s/$jid",
         undef, { name => "TAKEN $one", color => 3 }],
    ) } [label => $label], [team => $team]),
    (map { ['agent_teams_update', $_->[0], PUT =>
            "$directory/agents/$_->[1]/teams", undef, { teams => $_->[2] }] }
     [not_found => 'gone@example.com', [$team]],
     [not_found => 'nobody@example.com', [$team]],
     [teams_unknown => 'jane@example.com',
      [$team, '1580486175999@team.eazy.im']]),
    (map { ['team_channels_update', $_->[0], PUT =>
            "$directory/teams/$_->[1]/channels", undef,
            { channels => $_->[2] }] }
     [not_found => '1580486175999@team.eazy.im', [$channel]],
     [channels_unknown => $team, [$channel, $absent]],
     [channels_unknown => $team, [$foreign]]),

    ['signup', 'timezone_unknown', POST => '/api/signup/organization', undef,
     { %sign_up, timezone => 'Mars/Olympus' }],
    ['signup', 'duplicate', POST => '/api/signup/organization', undef,
     { %sign_up, email => 'MARY@example.com' }],
    ['login', 'unauthenticated', POST => '/api/auth/login', undef,
     { email => 'mary@example.com', password => $password }, undef, $mary],
    (map { ['session_refresh', 'unauthenticated', POST => '/api/auth/refresh',
            undef, { refreshToken => $_ }] }
     $t->random_text(40), @refresh{qw(expired revoked spent disabled)}),
    ['session_refresh', 'unauthenticated', POST => '/api/auth/refresh', undef,
     { refreshToken => $refresh{good}, organizationId => $child }],
    ['password_change', 'unauthenticated', POST => '/api/auth/password',
     undef, { currentPassword => $password, newPassword => 'x' x 10 }, $token,
     $mary],
    (map { ['password_reset', 'token_invalid',
            POST => '/api/auth/password/reset', undef,
            { token => $reset{$_}, newPassword => 'x' x 10 }] }
     sort keys %reset),
) {
    my ($statement, $refusal, $method, $where, $path, $json, $with, $user)
        = @$case;
    my $url = $where =~ m{^/} ? $where
        : "/v3/channels/$where" . (defined $path ? "/$path" : '');
    my $workspace = $url =~ m{^/api/};
    my ($status, $code, $message, $field, $slug) = @{ $of{$refusal} };
    my @request = ($method => $url, defined $json ? (json => $json) : (),
                   key => $with // ($workspace ? undef : $key));

    for my $round (1, 2) {
        my ($r, $before);
        if ($user) {
            ($r, $before) = overtaken($user, @request);
        } else {
            $before = tables();
            $r = $t->http(@request, timeout => 60);
        }
        my $after = tables();
        my $name = "$statement refuses, $refusal: $method $url";
        my %field = defined $field ? (field => $field) : ();
        if ($workspace) {
            is_workspace_refused($r, $status, $slug, {
                message => $message, details => \%field }, $name);
        } else {
            is_refused($r, $status, $code, { message => $message, %field },
                       $name);
        }
        is_deeply($after, $before, "$name: nothing is written");

        # the line is written when the answer has been sent
        my $trace = $r->header('x-trace-id');
        my $line = wait_for(sub {
            return ($t->access_log =~ /^(.* trace=\Q$trace\E .*)$/m)[0];
        }, 5, "$name: the log's line");
        like($line, qr/ endpoint="$statement" gate=ok /,
             "$name: by the statement");
    }
    $forced{$refusal}{$statement} = 1;
}

# These were all: the module's refusals, and those that the functions of the
# endpoints' statements can answer.
my ($table) = EZW::slurp("$EZW::ROOT/ngx_ezw_module/req/ngx_ezw_error.c")
    =~ /refusals\[\] = \{(.*?)\n\};/s;
is_deeply([sort keys %forced], [sort $table =~ /ngx_string\("(\w+)"\)/g],
          'every refusal that the module knows');

my %statements_of = (
    (map { $_ => [$_] }
     qw(contact_create contact_update channel_create channel_update
        company_create conversation_update
        automated_message_update profile_update template_create
        template_delete
        message_send key_create key_update signup login session_refresh
        password_change password_reset)),
    contact_erase => ['contact_delete'], message_send_open => ['message_send'],
    message_broadcast => ['message_send'],
    key_objects_refused => ['key_create', 'key_update'],
    channel_archive => ['channel_delete'],
    (map { $_ => [$_] }
     qw(agent_teams_update assistant_update assistant_delete label_create
        label_update label_delete team_create team_update team_delete
        team_channels_update note_create note_update note_delete
        comment_create list_create list_participant_add
        list_participant_remove custom_event_create contact_block
        contact_unblock webhook_create webhook_update webhook_delete)),
    key_revoke => ['key_delete'], signed_in => ['login'],
);
my $names = join '|', keys %of;
for my $function (sort keys %statements_of) {
    my $source = $t->value(q{
        select prosrc from pg_proc
         where pronamespace = 'ezw'::regnamespace and proname = ?}, $function);
    ok($source, "$function is a function");
    for my $refusal ($source =~ /'($names)'/g) {
        ok($forced{$refusal}{$_}, "$function: $refusal is forced in $_")
            for @{ $statements_of{$function} };
    }
    is_deeply([grep { !/^(?:$names)$/ }
               $source =~ /(?:refusal :=|\breturn) '([a-z_]+)'/g], [],
              "$function: no refusal that the module does not know");
}

done_testing;

# After a lost connection a statement runs again with the same ids: each write
# executed twice gives the same answer and leaves the same tables.

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $statements = EZW::Statements->new($t);

# The heads of t/reexecution*.t list all there are: "# writes:" is what such a
# test executes twice; "# others:" only reads, or (claim, retry, sweep) says by
# design what is different the second time.
#
# writes: contact_create contact_delete contact_update
# writes: conversation_update external_principal key_create key_delete
# writes: key_denied key_update keys_used login login_failed message_receive
# writes: message_send message_status outbox_done partitions_ensure
# writes: password_change password_reset sealed_renew session_logout
# writes: session_refresh signup
# others: change_seq changes_since channel_company channel_list company_current
# others: company_get company_list contact_get conversation_get event_epoch
# others: event_position events_after key_list key_principal login_user
# others: outbox_claim outbox_next_due outbox_retry password_user
# others: schema_version sealed_stale session_current session_principal sweep
is_deeply([$statements->names], [EZW::Statements::listed()],
          'every statement is known to a test of this kind');

sub run   { return $statements->run(@_) }
sub twice { return $statements->twice(@_) }
sub id    { return $statements->id }

# Fresh ids for a statement that wants several.
sub ids {
    my ($name) = @_;
    return map { $_ => id() } grep { /^id\./ } $statements->params($name);
}

my $company = $t->company;
my $channel = $t->channel(company => $company);
my $assistant = $t->assistant(company => $company);
my $contact = $t->contact_jid;
my $key = $t->key(company => $company, scope => 'COMPANY');
$t->user(company => $company, email => 'jane@example.com');
my $label = '1580486175684@label.eazy.im';
my $team = '1601626130348@team.eazy.im';
$t->insert('label', company => $company, jid => $label, name => 'Label');
$t->insert('team', company => $company, jid => $team, name => 'Team');

sub message_id {
    my $id = id() =~ s/-//gr;
    return $id . substr $t->uuid, 0, 8;
}

my %by = ('key.actor' => $t->key_id($key) . '@key.eazy.im',
          address => '127.0.0.1', trace => '0' x 31 . '1');
my %at = (company => $company, 'path.channelJid' => $channel);
my %one = (%at, 'path.contactJid' => $contact);
my %json = ('body.message' => '{"body":"Hi","type":"text"}',
            'body.message.type' => 'text',
            map { ("body.message.$_" => undef) } qw(
                catalog template.name template.language template.parameters));

# Contacts.
my %create = (
    %at, 'body.jid' => $contact, 'id.contact' => id(),
    'body.name.fullName' => 'John Doe', 'body.name.firstName' => 'John',
    'body.name.lastName' => 'Doe', 'body.reference' => 'R',
    'body.remarks' => undef, 'body.metadata' => '{"a":1}');
my $made = twice('a contact', 'contact_create', %create);
is($made->{refusal}, undef, 'which is made');
is(twice('a second one', 'contact_create', %create,
         'id.contact' => id())->{refusal}, 'duplicate', 'which is refused');
my %name = (
    'has.body.metadata' => 'f', 'body.metadata' => undef,
    'has.body.name' => 't', 'body.name.fullName' => 'Jane',
    'body.name.firstName' => 'Jane', 'body.name.lastName' => undef,
    'has.body.reference' => 'f', 'body.reference' => undef,
    'has.body.remarks' => 't', 'body.remarks' => 'x');
is(twice('its change', 'contact_update', %one, %name, %by,
         'id.audit' => id())->{'name.fullName'}, 'Jane', 'which is done');
is(twice('nobody\'s change', 'contact_update', %one, %name, %by,
         'path.contactJid' => $t->contact_jid, 'id.audit' => id())->{refusal},
   'not_found', 'which is refused');

# Messages out: to a new contact, to a contact, to the conversation.
sub message {
    my ($what, %more) = @_;
    my %values = (%one, %json, 'key.assistant' => undef,
                  'key.actor' => $by{'key.actor'}, 'id.message' => message_id(),
                  'id.contact' => id(), 'id.conversation' => id(), %more);
    my $row = twice($what, 'message_send', %values);
    is($row->{refusal}, undef, "$what: is sent");
    is($row->{id}, $values{'id.message'}, "$what: its id");
    return $row->{id};
}

my $new = $t->contact_jid;
my $sent = message('to a new contact', 'path.contactJid' => $new);
message('to a contact');
message('to a conversation');
message('by an assistant', 'path.contactJid' => $t->contact_jid,
        'key.assistant' => $assistant, 'key.actor' => $assistant);
is($t->value(q{select v.messages_sent from ezw.conversation v
                where v.contact_jid = ?}, $contact), 2, 'and counted once');
my $blocked = $t->contact_jid;
$t->insert('block', company => $company, jid => $blocked,
           hash => { hex => '00' }, channel => $t->value(
               'select id from ezw.channel where jid = ?', $channel));
is(twice('to a blocked one', 'message_send', %one, %json,
         'path.contactJid' => $blocked, 'key.assistant' => undef,
         'key.actor' => $by{'key.actor'}, 'id.message' => message_id(),
         'id.contact' => id(), 'id.conversation' => id())->{refusal},
   'blocked', 'is refused');

# The same message again after another one has gone out.
my %first = (%one, %json, 'key.assistant' => undef,
             'key.actor' => $by{'key.actor'}, 'id.message' => message_id(),
             'id.contact' => id(), 'id.conversation' => id());
my $before_others = run('message_send', %first);
message('another one in between');
my $tables = $t->snapshot;
is_deeply(run('message_send', %first), $before_others,
          'after another one: the same answer');
is_deeply($t->snapshot, $tables, 'after another one: the same tables');

# Its states.
for my $state (qw(SENT DELIVERED READ)) {
    my %state = (company => $company, channel => $channel, message => $sent,
                 status => $state, 'provider.id' => "provider-$state",
                 'error.code' => undef, 'error.text' => undef);
    is(run('message_status', %state)->[0]{changed}, 1, "$state is news");
    my $after = $t->snapshot;
    is_deeply(run('message_status', %state), [{ refusal => undef, changed => 0 }],
              "$state is known");
    is_deeply($t->snapshot, $after, "$state: the same tables");
}

# Messages in: a new contact's, the next one, and a platform's second telling.
my %in = (company => $company, channel => $channel,
          contact => $t->contact_jid, 'contact.name' => 'Jane Doe',
          'provider.id' => 'wamid.1', message => '{"body":"Hi","type":"text"}',
          'message.type' => 'text', 'id.message' => message_id(),
          'id.contact' => id(), 'id.conversation' => id(),
          aliases => undef, 'about.id' => undef);
is(twice('a message in', 'message_receive', %in)->{result}, 'STORED', 'stored');
is(twice('the next one', 'message_receive', %in, 'provider.id' => 'wamid.2',
         'id.message' => message_id(), 'id.contact' => id(),
         'id.conversation' => id())->{result}, 'STORED', 'stored too');
is(twice('told again', 'message_receive', %in, 'id.message' => message_id(),
         'id.contact' => id(), 'id.conversation' => id())->{result},
   'DUPLICATE', 'not stored');

# Conversations.
my %none = (map { ("has.body.$_" => 'f', "body.$_" => undef) }
            qw(assignee labels status team unreadCount));
my %conversation = (
    %one, %none, %by, 'key.assistant' => undef,
    'has.body.assignee' => 't', 'body.assignee' => 'jane@example.com',
    'has.body.labels' => 't', 'body.labels' => qq(["$label"]),
    'has.body.status' => 't', 'body.status' => 'CLOSED',
    'has.body.team' => 't', 'body.team' => $team,
    'has.body.unreadCount' => 't', 'body.unreadCount' => '0');
%conversation = (%conversation, ids('conversation_update'));
is(twice('a conversation', 'conversation_update', %conversation)->{status},
   'CLOSED', 'is changed');
is(twice('a conversation of an unknown team', 'conversation_update',
         %conversation, 'body.team' => '1601626130999@team.eazy.im')->{refusal},
   'team_unknown', 'is refused');
message('into the closed one');
my $handed = run('conversation_update', %conversation,
                 ids('conversation_update'),
                 'key.assistant' => undef, 'body.assignee' => undef);
is($handed->[0]{assignee}, undef, 'handed to the agents');

# An assistant hands its own conversation away: the second time it is no
# longer its own, and still hears that it was done.
my $own = $t->contact_jid;
message('its own', 'path.contactJid' => $own, 'key.assistant' => $assistant);
is(twice('handing over', 'conversation_update', %one, %none, %by,
         'path.contactJid' => $own, 'key.assistant' => $assistant,
         'key.actor' => $assistant, 'has.body.assignee' => 't',
         ids('conversation_update'))->{refusal}, undef,
   'is done');

# The courier's row, the uses of keys, the partitions.
my ($row) = $t->sql('select conversation, seq from ezw.outbox limit 1');
$t->sql(q{update ezw.outbox set claimed_by = 'worker' where conversation = ?
             and seq = ?}, @$row);
my %done = (company => $company, conversation => $row->[0], seq => $row->[1],
            worker => 'worker');
is(run('outbox_done', %done)->[0]{done}, 1, 'a command is done');
$tables = $t->snapshot;
is(run('outbox_done', %done)->[0]{done}, 0, 'and was');
is_deeply($t->snapshot, $tables, 'a command: the same tables');
twice('the use of a key', 'keys_used',
      used => to_json([{ id => $t->key_id($key), at => 1700000000000 }]));
twice('partitions', 'partitions_ensure');

# Keys.
my %owner = (%by, company => $company, 'key.companies' => "{$company}");
my %made = (
    %owner, ids('key_create'), 'body.companyId' => undef,
    'secret.key.hash' => 'ab' x 32, 'secret.key.prefix' => 'abcdef',
    'body.scope' => 'CHANNEL', 'body.description' => 'Made',
    'body.objects' => qq([{"type":"CHANNEL","ref":"$channel"}]),
    'body.whitelist' => '["127.0.0.1"]', 'body.expiresAt' => undef,
    'body.ratePerMinute' => '60', 'body.burst' => undef,
    'body.enabled' => undef, 'sealed.cipherKey' => 'abcd',
    'fingerprint.cipherKey' => 'sha256:0123456789abcdef');
is(twice('a key', 'key_create', %made)->{id}, $made{'id.key'}, 'is made');
is(twice('a key of nothing', 'key_create', %made, ids('key_create'),
         'body.objects' => '[]')->{refusal}, 'object_needed', 'is refused');
my %change = (
    %owner, 'path.id' => $made{'id.key'}, 'body.scope' => 'ASSISTANT',
    'body.objects' => qq([{"type":"ASSISTANT","ref":"$assistant"}]),
    'body.enabled' => 'f',
    (map { ("has.body.$_" => 't', "body.$_" => undef) }
     qw(description whitelist expiresAt ratePerMinute burst)),
    'has.body.cipherKey' => 't', 'sealed.cipherKey' => undef,
    'fingerprint.cipherKey' => undef);
my %changed = (%change, ids('key_update'));
is(twice('its change', 'key_update', %changed)->{scope}, 'ASSISTANT',
   'is done');
is(twice('its change back', 'key_update', %change, ids('key_update'),
         'body.scope' => 'CHANNEL', 'body.objects' => $made{'body.objects'})
       ->{scope}, 'CHANNEL', 'is done');
is(twice('the first change, late', 'key_update', %changed)->{scope}, 'CHANNEL',
   'does not come back');
my %end = (%owner, 'path.id' => $made{'id.key'}, ids('key_delete'));
is(twice('its end', 'key_delete', %end)->{refusal}, undef, 'is done');
is(twice('its end again', 'key_delete', %end, ids('key_delete'))->{refusal},
   'not_found', 'is refused');
is(twice('the first change, after the end', 'key_update', %changed)->{refusal},
   undef, 'was done');
my %seal = (field => 'cipherKey', company => $company,
            id => $made{'id.key'});
$t->sql(q{update ezw.api_key set cipher_key = '\x01' where id = ?},
        $made{'id.key'});
is(twice('a secret sealed anew', 'sealed_renew', %seal, old => '01',
         new => '02')->{renewed}, 1, 'is it');
is(twice('a secret that changed meanwhile', 'sealed_renew', %seal,
         old => '01', new => '03')->{renewed}, 0, 'is left alone');

my %denied = (company => $company, key => $made{'id.key'}, id => id(),
              address => '192.0.2.1', trace => '0' x 32);
is(run('key_denied', %denied)->[0]{denied}, 1, 'a denial is noted');
$tables = $t->snapshot;
is(run('key_denied', %denied)->[0]{denied}, 0, 'and was');
is_deeply($t->snapshot, $tables, 'a denial: the same tables');

# Signing in, up and out.
my %asks = (address => '127.0.0.1', trace => '0' x 32);
my %agent = (%asks, agent => 'test');
my %signup = (
    %asks, ids('signup'), 'body.organizationName' => 'Acme',
    'body.ownerName' => 'Ann Doe', 'body.email' => 'ann@example.com',
    'body.lineSlots' => '2', 'body.timezone' => 'Europe/Amsterdam',
    'password.hash' => 'hash');
is(twice('a sign-up', 'signup', %signup)->{'owner.id'}, $signup{'id.user'},
   'is done');
is(twice('another of that address', 'signup', %signup, ids('signup'))
       ->{refusal}, 'duplicate', 'is refused');
my ($acme, $ann) = @signup{qw(id.company id.user)};
my %who = ('lookup.company' => $acme, 'lookup.user_id' => $ann);
my %login = (
    %agent, %who, ids('login'), 'lookup.password_version' => '1',
    'password.hash' => 'hashed anew', 'secret.refreshToken.hash' => 'a1' x 32);
is(twice('a sign-in', 'login', %login)->{'@session'}, $login{'id.session'},
   'is done');
is(twice('with a password that was changed', 'login', %login, ids('login'),
         'lookup.password_version' => '0')->{refusal}, 'unauthenticated',
   'is refused');
is(twice('a failed one', 'login_failed', %asks, %who, ids('login_failed'))
       ->{refusal}, 'unauthenticated', 'is refused');
is(twice("nobody's", 'login_failed', %asks, ids('login_failed'),
         'lookup.company' => undef, 'lookup.user_id' => undef)->{refusal},
   'unauthenticated', 'is refused');
my %refresh = (
    %agent, ids('session_refresh'), 'hash.refreshToken' => 'a1' x 32,
    'body.organizationId' => undef, 'secret.refreshToken.hash' => 'a2' x 32);
is(twice('a refresh', 'session_refresh', %refresh)->{'@session'},
   $refresh{'id.session'}, 'is done');
my %next = (%refresh, ids('session_refresh'), 'hash.refreshToken' => 'a2' x 32,
            'secret.refreshToken.hash' => 'a3' x 32);
is(run('session_refresh', %next)->[0]{refusal}, undef, 'the next one');
is(twice('the first, late', 'session_refresh', %refresh)->{refusal}, undef,
   'is still no reuse');
my %session = (%asks, company => $acme, 'user.id' => $ann,
               'session.id' => $next{'id.session'});
my %password = (%session, ids('password_change'),
                'lookup.password_version' => '1', 'password.hash' => 'new');
is(twice('a new password', 'password_change', %password)->{refusal}, undef,
   'is set');
is(twice('another', 'password_change', %password, ids('password_change'))
       ->{refusal}, 'unauthenticated', 'is refused');
is(twice('a log-out', 'session_logout', %session, ids('session_logout'))
       ->{refusal}, undef, 'is done');
my %again = (%login, ids('login'), 'lookup.password_version' => '2',
             'secret.refreshToken.hash' => 'b1' x 32);
is(twice('a sign-in', 'login', %again)->{refusal}, undef, 'is done');
my %spent = (%refresh, ids('session_refresh'), 'hash.refreshToken' => 'b1' x 32,
             'secret.refreshToken.hash' => 'b2' x 32);
is(run('session_refresh', %spent)->[0]{refusal}, undef, 'a refresh');
is(twice('a reuse', 'session_refresh', %spent, ids('session_refresh'))
       ->{refusal}, 'unauthenticated', 'is refused');
my %reset = (%asks, ids('password_reset'), 'body.email' => 'ann@example.com',
             'body.token' => undef, 'hash.token' => undef,
             'password.hash' => undef);
is(twice('a request to reset', 'password_reset', %reset)->{refusal}, undef,
   'is noted');
$t->sql(q{select ezw.password_reset_create('ann@example.com',
              decode(repeat('c1', 32), 'hex'), now() + interval '1 hour')});
%reset = (%reset, ids('password_reset'), 'body.email' => undef,
          'body.token' => 'token', 'hash.token' => 'c1' x 32,
          'password.hash' => 'reset');
is(twice('a reset', 'password_reset', %reset)->{refusal}, undef, 'is done');
is(twice('another', 'password_reset', %reset, ids('password_reset'))
       ->{refusal}, 'token_invalid', 'is refused');
is(twice('a token from outside', 'external_principal',
         issuer => 'https://issuer.example', subject => 'ann',
         email => 'ann@example.com', verified => 't')->{user_id}, $ann,
   'is bound');

# Erased, with all that came before.
is(twice('a contact\'s end', 'contact_delete', %one, %by,
         'id.audit' => id())->{refusal}, undef, 'is done');
is(twice('nobody\'s end', 'contact_delete', %one, %by,
         'id.audit' => id())->{refusal}, 'not_found', 'is refused');

my %run_again = map { $_ => 1 } $statements->run_again;
is_deeply([grep { !$run_again{$_} } EZW::Statements::listed(__FILE__, 'writes')], [],
          'each was executed again');

done_testing;

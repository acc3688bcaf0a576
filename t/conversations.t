# Conversations: read and update; who owns one.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $jid = '31611111111@whatsapp.eazy.im';
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $assistant = $t->assistant(company => $company);
my $second = $t->assistant(company => $company);
my $off = $t->assistant(company => $company, enabled => 'f');
my %key = (
    CHANNEL => $t->key(company => $company, scope => 'CHANNEL',
                       channels => [$channel]),
    ASSISTANT => $t->key(company => $company, scope => 'ASSISTANT'),
    BOUND => $t->key(company => $company, scope => 'ASSISTANT',
                     assistant => $assistant),
    SECOND => $t->key(company => $company, scope => 'ASSISTANT',
                      assistant => $second),
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
    OWNER => $t->key(company => $company, scope => 'OWNER'),
);
my $john = $t->user(company => $company, email => 'john@mycompany.com');
$t->user(company => $company, email => 'mike@mycompany.com');
$t->user(company => $company, email => 'gone@mycompany.com',
         status => 'disabled');
$t->user(company => $company, email => 'invited@mycompany.com',
         status => 'invited');
my $stranger = $t->company;
$t->user(company => $stranger, email => 'stranger@example.com');
my $strange_assistant = $t->assistant(company => $stranger);

sub label {
    my ($jid, %row) = @_;
    $t->insert('label', company => $company, jid => $jid, name => $jid, %row);
    return $jid;
}

my $support = label('1580486175684@label.eazy.im');
my $sales = label('1563451622477@label.eazy.im');
my $strange_label = label('1580486175685@label.eazy.im', company => $stranger);
my $team = '1601626130348@team.eazy.im';
$t->insert('team', company => $company, jid => $team, name => 'Team');
$t->insert('team', company => $stranger, jid => '1601626130349@team.eazy.im',
           name => 'Team');

my %not_found = (message => 'Not found');
my %no_ownership = (message => 'Assistant has no ownership of conversation');

# A contact and its conversation; returns the contact's JID.
sub conversation {
    my (%row) = @_;

    my $jid = delete $row{jid} // $t->contact_jid;
    my $contact = $t->uuid;
    $t->insert('contact', company => $company, id => $contact,
               channel => $channel_id, jid => $jid);
    $t->insert('conversation', company => $company, id => $t->uuid,
               channel => $channel_id, contact => $contact,
               contact_jid => $jid,
               created_at => '2019-04-04T15:29:47Z',
               last_message_at => '2019-04-08T23:55:39Z',
               last_message_received_at => '2019-04-08T23:55:39Z',
               last_message_sent_at => '2019-04-07T17:12:00Z',
               messages_received => 12, messages_sent => 8, %row);
    return $jid;
}

sub path { return "/v3/channels/$channel/conversations/$_[0]" }

sub read_one {
    my ($jid, %o) = @_;
    return $t->http(GET => path($jid), key => $key{COMPANY}, %o);
}

sub change {
    my ($jid, $json, %o) = @_;
    return $t->http(PATCH => path($jid), key => $key{COMPANY}, json => $json,
                    %o);
}

# All but the id, which is told for the vector only.
sub shape {
    my ($jid, %more) = @_;
    return {
        assignee => undef, channel => { jid => $channel },
        contact => { jid => $jid }, createdAt => '2019-04-04T15:29:47.000000Z',
        id => qr{^[A-Za-z0-9+/]{27}=$}, labels => [],
        lastMessageReceivedAt => '2019-04-08T23:55:39.000000Z',
        lastMessageSentAt => '2019-04-07T17:12:00.000000Z',
        messagesReceived => 12, messagesSent => 8, status => 'OPEN',
        team => undef, unreadCount => undef, %more,
    };
}

sub version { return $t->value('select version from ezw.conversation
                                 where contact_jid = ?', $_[0]) }


# The document's own examples; the id is DECISIONS' vector.
conversation(jid => $jid, assignee_user => $john, was_assigned => 't');
my %document = (assignee => 'john@mycompany.com',
                id => 'px+aB7F9FrMONbyavrdYSysFFBI=');
my $r = read_one($jid);
is_answer($r, 200, shape($jid, %document), "the document's GET");
is($r->body, to_json($r->json), 'compact, and names in their order');
change($jid, { team => $team });
$document{team} = { jid => $team };
is_answer(change($jid, { status => 'CLOSED' }), 200,
          shape($jid, %document, status => 'CLOSED'), "the document's PATCH");
is_answer(read_one($jid), 200, shape($jid, %document, status => 'CLOSED'),
          'it is so');

# The document's use cases, and their neighbours. Each: the PATCH, what changes
# in the answer, by how much the version rises.
my $use = conversation();
my %now;
is(version($use), 1, 'the version begins');
for my $case (
    ['close', { status => 'CLOSED' }, { status => 'CLOSED' }, 1],
    ['close again', { status => 'CLOSED' }, {}, 0],
    ['reopen', { status => 'OPEN' }, { status => 'OPEN' }, 1],
    ['hand over to an agent', { assignee => 'john@mycompany.com' },
     { assignee => 'john@mycompany.com' }, 1],
    ['to the same', { assignee => 'John@MyCompany.com' }, {}, 0],
    ['to an assistant', { assignee => $assistant },
     { assignee => $assistant }, 1],
    ['to the same assistant', { assignee => $assistant =~ s/ai\.eazy/AI.EAZY/r },
     {}, 0],
    ['to the agents', { assignee => undef }, { assignee => undef }, 1],
    ['to the agents again', { assignee => undef }, {}, 0],
    ['label', { labels => [$support] }, { labels => [$support] }, 1],
    ['label with two', { labels => [$support, $sales] },
     { labels => [$sales, $support] }, 1],
    ['in another order, and twice', { labels => [$sales, $support, $sales] },
     {}, 0],
    ['with another', { labels => [$sales] }, { labels => [$sales] }, 1],
    ['unlabel', { labels => [] }, { labels => [] }, 1],
    ['mark as unread', { unreadCount => 0 }, { unreadCount => 0 }, 0],
    ['mark as read', { unreadCount => undef }, { unreadCount => undef }, 0],
    ['a team', { team => $team }, { team => { jid => $team } }, 1],
    ['the team as it is read', { team => { jid => $team } }, {}, 0],
    ['no team', { team => undef }, { team => undef }, 1],
    ['nothing', {}, {}, 0],
    ['everything at once',
     { status => 'CLOSED', assignee => 'mike@mycompany.com', team => $team,
       labels => [$support], unreadCount => 0 },
     { status => 'CLOSED', assignee => 'mike@mycompany.com',
       team => { jid => $team }, labels => [$support], unreadCount => 0 }, 1],
    ['and back', { status => 'OPEN', assignee => undef, team => undef,
                   labels => [], unreadCount => undef },
     { status => 'OPEN', assignee => undef, team => undef, labels => [],
       unreadCount => undef }, 1],
) {
    my ($name, $json, $changes, $step) = @$case;
    my $version = version($use);
    %now = (%now, %$changes);
    is_answer(change($use, $json), 200, shape($use, %now), "use case: $name");
    is_answer(read_one($use), 200, shape($use, %now), "$name: it is so");
    is(version($use), $version + $step, "$name: the version");
}

# An unread count that messages made; PATCH takes null and 0 only.
my $unread = conversation(unread_count => 3);
is_answer(read_one($unread), 200, shape($unread, unreadCount => 3), 'unread');
is_answer(change($unread, { unreadCount => 0 }), 200,
          shape($unread, unreadCount => 0), 'marked as unread');

# GET, edit, PATCH; unknown fields; and where typos shall be caught.
my $whole = read_one($use)->json;
is_answer(change($use, { %$whole, status => 'CLOSED', messagesSent => 0,
                         channel => 5, id => undef, nonsense => [] }), 200,
          shape($use, %now, status => 'CLOSED'), 'read-only and unknown fields');
change($use, { status => 'OPEN' });
my @strict = (headers => { Prefer => 'handling=strict' });
is_answer(change($use, $whole, @strict), 200, shape($use, %now),
          'strict takes what was read');
for my $case ([{ label => $support }, 'label'],
              [{ team => { jid => $team, name => 'x' } }, 'team.name'])
{
    my ($json, $field) = @$case;
    is_refused(change($use, $json, @strict), 400, 1005,
               { message => "Unknown field: $field", field => $field },
               "strict: $field");
}
is_answer(change($use, { label => $support }), 200, shape($use, %now),
          'not strict');

# What is refused names the field, and nothing else of it is done.
my %of = (
    assignee => 'assignee is no active agent or enabled assistant',
    email => "assignee must be an agent's e-mail or an assistant's jid",
    team => 'team does not exist',
    labels => 'labels names a label that does not exist',
    jid => 'Jid is invalid',
);
for my $case (
    [assignee => 'nobody@mycompany.com', 400, 1005, $of{assignee}],
    [assignee => 'gone@mycompany.com', 400, 1005, $of{assignee}],
    [assignee => 'invited@mycompany.com', 400, 1005, $of{assignee}],
    [assignee => 'stranger@example.com', 400, 1005, $of{assignee}],
    [assignee => $off, 400, 1005, $of{assignee}],
    [assignee => $strange_assistant, 400, 1005, $of{assignee}],
    [assignee => '1563451622499@ai.eazy.im', 400, 1005, $of{assignee}],
    [assignee => '', 400, 1005, $of{email}],
    [assignee => 'john', 400, 1005, $of{email}],
    [assignee => 'john @mycompany.com', 400, 1005, $of{email}],
    [assignee => $support, 400, 1005, $of{jid}],
    [assignee => $jid, 400, 1005, $of{jid}],
    [assignee => 'x@ai.eazy.im', 400, 1005, $of{jid}],
    [assignee => 7, 400, 1005, 'assignee must be a string'],
    [assignee => { email => 'john@mycompany.com' }, 400, 1005,
     'assignee must be a string'],
    [labels => ['1580486175999@label.eazy.im'], 404, 1009, $of{labels}],
    [labels => [$support, $strange_label], 404, 1009, $of{labels}],
    [labels => [$team], 404, 1009, $of{labels}],
    [labels => ['Support'], 400, 1005, $of{jid}],
    [labels => [$jid], 400, 1005, $of{jid}],
    [labels => [''], 400, 1005, $of{jid}],
    [labels => undef, 400, 1005, 'labels must not be null'],
    [labels => $support, 400, 1005, 'labels must be an array of strings'],
    [labels => [5], 400, 1005, 'labels must be an array of strings'],
    [labels => [undef], 400, 1005, 'labels must be an array of strings'],
    [labels => [($support) x 101], 400, 1005,
     'labels has too many elements: at most 100'],
    [team => '1601626130999@team.eazy.im', 400, 1005, $of{team}],
    [team => '1601626130349@team.eazy.im', 400, 1005, $of{team}],
    [team => $support, 400, 1005, $of{team}],
    [team => 'Team', 400, 1005, $of{jid}],
    [team => {}, 400, 1005, $of{jid}],
    [team => { jid => 5 }, 400, 1005, $of{jid}],
    [team => 5, 400, 1005, 'team must be a string'],
    [status => undef, 400, 1005, 'status must not be null'],
    [status => 'closed', 400, 1005, 'status must be one of OPEN, CLOSED'],
    [status => '', 400, 1005, 'status must be one of OPEN, CLOSED'],
    [status => "OPEN\x{0}", 400, 1005, undef],
    [status => true, 400, 1005, 'status must be a string'],
    [unreadCount => 1, 400, 1005, 'unreadCount must be between 0 and 0'],
    [unreadCount => -1, 400, 1005, 'unreadCount must be between 0 and 0'],
    [unreadCount => '0', 400, 1005, 'unreadCount must be an integer'],
    [unreadCount => false, 400, 1005, 'unreadCount must be an integer'],
) {
    my ($field, $value, $status, $code, $message) = @$case;
    my %others = (status => 'CLOSED', assignee => 'john@mycompany.com',
                  team => $team, labels => [$support], unreadCount => 0);
    is_refused(change($use, { %others, $field => $value }), $status, $code,
               defined $message ? { message => $message, field => $field } : {},
               'refused: ' . substr to_json({ $field => $value }), 0, 50);
}
is_answer(change($use, { labels => [($support) x 100] }), 200,
          shape($use, %now, labels => [$support]), '100 labels');
change($use, { labels => [] });
is_answer(read_one($use), 200, shape($use, %now), 'nothing changed');


# Before the first message there is none; nor for what is not there.
my $quiet = $t->contact_jid;
$t->insert('contact', company => $company, id => $t->uuid,
           channel => $channel_id, jid => $quiet);
for my $case ([$quiet, 'no message yet'], [$t->contact_jid, 'nobody']) {
    is_refused(read_one($case->[0]), 404, 1009, \%not_found, "GET: $case->[1]");
    is_refused(change($case->[0], { status => 'CLOSED' }), 404, 1009,
               \%not_found, "PATCH: $case->[1]");
}
my $foreign = $t->channel(company => $stranger);
my %denied = (message => 'Access denied: not a channel of the API key');
my $listed = $t->key(company => $company, scope => 'ASSISTANT',
                     channels => [$channel]);
for my $where ($foreign, '31699999999@whatsapp.eazy.im') {
    my $path = "/v3/channels/$where/conversations/$jid";
    for my $scope (qw(ASSISTANT COMPANY OWNER)) {
        is_refused($t->http(GET => $path, key => $key{$scope}), 404, 1009,
                   \%not_found, "GET by $scope: $where");
        is_refused($t->http(PATCH => $path, key => $key{$scope}, json => {}),
                   404, 1009, \%not_found, "PATCH by $scope: $where");
    }
    is_refused($t->http(GET => $path, key => $listed), 403, 1002, \%denied,
               "GET by a key with a list: $where");
    is_refused($t->http(PATCH => $path, key => $listed, json => {}), 403, 1002,
               \%denied, "PATCH by a key with a list: $where");
}

# By another name of the contact.
my $old = 'lid.123456@whatsapp.eazy.im';
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => $old,
           contact => $t->value('select id from ezw.contact where jid = ?',
                                $use));
is_answer(read_one($old), 200, shape($use, %now), 'read by an alias');
is_answer(change($old, { status => 'CLOSED' }), 200,
          shape($use, %now, status => 'CLOSED'), 'changed by an alias');
change($use, { status => 'OPEN' });

# Who may: from ASSISTANT on.
for my $scope (qw(ASSISTANT COMPANY OWNER)) {
    is_answer(read_one($use, key => $key{$scope}), 200, shape($use, %now),
              "$scope reads");
    is_answer(change($use, {}, key => $key{$scope}), 200, shape($use, %now),
              "$scope changes");
}
my %scope = (message => "Access denied: the API key's scope is too small");
is_refused(read_one($use, key => $key{CHANNEL}), 403, 1002, \%scope,
           'CHANNEL does not read');
is_refused(change($use, {}, key => $key{CHANNEL}), 403, 1002, \%scope,
           'CHANNEL does not change');
is_refused(read_one('nonsense', key => $key{CHANNEL}), 403, 1002, \%scope,
           'the scope before the JID');
is_refused($t->http(GET => path($use)), 401, 1001,
           { message => 'Unauthorized: no API key' }, 'nobody reads');


# Ownership: a key that is an assistant, and whose the conversation is.
for my $case (
    ['never assigned', {}, 200],
    ['its own', { assignee_assistant => $assistant, was_assigned => 't' }, 200],
    ["another assistant's", { assignee_assistant => $second,
                              was_assigned => 't' }, 403],
    ["an agent's", { assignee_user => $john, was_assigned => 't' }, 403],
    ['handed to the agents', { was_assigned => 't' }, 403],
    ["closed, an agent's", { assignee_user => $john, was_assigned => 't',
                             status => 'CLOSED' }, 200],
) {
    my ($name, $row, $status) = @$case;
    my $jid = conversation(%$row);
    my $before = read_one($jid)->json;
    is_answer(read_one($jid, key => $key{BOUND}), 200, $before,
              "$name: may be read");
    for my $json ({ unreadCount => 0 }, {}) {
        my $r = change($jid, $json, key => $key{BOUND});
        if ($status == 200) {
            is_answer($r, 200, { %$before, unreadCount => 0 }, "$name: may");
        } else {
            is_refused($r, 403, 1010, \%no_ownership, "$name: may not");
        }
    }
    for my $other (qw(ASSISTANT COMPANY OWNER)) {
        is($t->http(PATCH => path($jid), key => $key{$other},
                    json => {})->status, 200, "$name: $other is exempt");
    }
}

# It hands over and has lost its rights at once; the other has them.
my $handed = conversation();
is_answer(change($handed, { assignee => $assistant }, key => $key{BOUND}), 200,
          shape($handed, assignee => $assistant), 'takes it');
is_refused(change($handed, { assignee => $second }, key => $key{SECOND}), 403,
           1010, \%no_ownership, 'nobody else does');
is_answer(change($handed, { assignee => $second }, key => $key{BOUND}), 200,
          shape($handed, assignee => $second), 'hands it over');
is_refused(change($handed, { assignee => $assistant }, key => $key{BOUND}), 403,
           1010, \%no_ownership, 'and cannot take it back');
is_answer(change($handed, { assignee => undef }, key => $key{SECOND}), 200,
          shape($handed), 'the other hands it to the agents');
is_refused(change($handed, {}, key => $key{SECOND}), 403, 1010, \%no_ownership,
           'and has lost it too');

# What is told of a change: the events and the audit log.
my $told = conversation();
my $id = $t->value('select id from ezw.conversation where contact_jid = ?',
                   $told);
change($told, { status => 'CLOSED', assignee => 'john@mycompany.com',
                labels => [$support] }, key => $key{COMPANY});
is_deeply([$t->sql('select kind, version from ezw.event where conversation = ?
                     order by kind', $id)],
          [['conversation.updated', 2], ['handover', 2], ['label', 2]],
          'the events');
is_deeply(from_json($t->value(
    "select payload::text from ezw.event
      where conversation = ? and kind = 'handover'", $id)),
    { from => undef, to => { type => 'AGENT', id => 'john@mycompany.com' },
      team => undef, reason => 'api' }, 'the handover');
is_deeply([$t->sql('select event_type, actor_id, address from ezw.audit_log
                     where target_id = ? order by event_type', $id)],
          [map { [$_, $t->key_id($key{COMPANY}) . '@key.eazy.im', '127.0.0.1'] }
           qw(conversation.assigned conversation.status_changed)],
          'the audit log');
my $log = $t->value('select count(*) from ezw.event');
change($told, { status => 'CLOSED', assignee => 'john@mycompany.com',
                labels => [$support] });
is($t->value('select count(*) from ezw.event'), $log,
   'nothing is told of what does not change');

done_testing;

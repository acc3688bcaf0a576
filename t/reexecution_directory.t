# The statements of agents, assistants, labels and teams, executed again after a
# lost connection (see t/reexecution.t).
#
# writes: agent_teams_update assistant_create assistant_delete assistant_update
# writes: label_create label_delete label_update team_channels_update
# writes: team_create team_delete team_update
# others: agent_get agent_list assistant_list detach_next label_list team_list

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $company = $t->company;
my $statements = EZW::Statements->new(
    $t, company => $company, 'jid.suffix' => 'eazy.im', address => '127.0.0.1',
    'key.actor' => $t->uuid . '@key.eazy.im', trace => '0' x 32);
my $jid = $t->channel(company => $company);
my $channel = $t->value('select id from ezw.channel where jid = ?', $jid);
my $user = $t->user(company => $company, email => 'jane@example.com');

sub twice { return $statements->twice(@_) }
sub id    { return $statements->id }

# What a body does not say.
sub nothing { return map { ("body.$_" => undef) } @_ }

# A conversation of the channel; its id.
sub conversation {
    my (%o) = @_;
    my ($id, $contact, $contact_jid) = ($t->uuid, $t->uuid, $t->contact_jid);
    $t->insert('contact', company => $company, id => $contact,
               channel => $channel, jid => $contact_jid);
    $t->insert('conversation', company => $company, id => $id,
               channel => $channel, contact => $contact,
               contact_jid => $contact_jid, last_message_at => 'now',
               created_at => 'now', %o);
    return $id;
}

# The milliseconds that an id carries, as a JID of that domain.
sub jid_of {
    my ($id, $domain) = @_;
    no warnings 'portable';
    return hex(substr $id =~ s/-//gr, 0, 12) . "\@$domain.eazy.im";
}

# Labels.
my %label = ('id.request' => id(), nothing(qw(color description priority)),
             'body.name' => 'Support');
my $label = twice('a label', 'label_create', %label)->{jid};
is($label, jid_of($label{'id.request'}, 'label'), 'is called after its time');
is(twice('another of that name', 'label_create', %label,
         'id.request' => id(), 'body.name' => 'SUPPORT')->{refusal},
   'duplicate', 'is refused');
my %next = (%label, 'id.request' =>
            substr($label{'id.request'}, 0, 14) . '7abc-8000-000000000001',
            'body.name' => 'Sales');
is(twice('one of the same millisecond', 'label_create', %next)->{jid},
   jid_of($label{'id.request'}, 'label') =~ s/^(\d+)/$1 + 1/er,
   'gets the next one');
my %change = ('path.jid' => $label, 'body.color' => 3, 'body.name' => 'Help',
              'has.body.description' => 't', 'body.description' => 'D',
              'has.body.priority' => 't', 'body.priority' => -1);
is(twice('its change', 'label_update', %change)->{name}, 'Help', 'is done');
is(twice('a change to a taken name', 'label_update', %change,
         'body.name' => 'sales')->{refusal}, 'duplicate', 'is refused');
is(twice('the creation, late', 'label_create', %label)->{name}, 'Help',
   'finds what it made');
$t->insert('conversation_label', company => $company, label => $label,
           conversation => conversation()) for 1 .. 3;
my %end = ('path.jid' => $label, 'id.request' => id());
is(twice('its end', 'label_delete', %end)->{refusal}, undef, 'is done');
is(twice('its end again', 'label_delete', %end, 'id.request' => id())
       ->{refusal}, 'not_found', 'is refused');
is(twice('a change of nothing', 'label_update', %change)->{refusal},
   'not_found', 'is refused');

# Teams.
my %team = ('id.request' => id(), nothing(qw(color metadata reference)),
            'body.name' => 'Support');
my $team = twice('a team', 'team_create', %team)->{jid};
is($team, jid_of($team{'id.request'}, 'team'), 'is called after its time');
is(twice('another of that name', 'team_create', %team, 'id.request' => id())
       ->{refusal}, 'duplicate', 'is refused');
is(twice('its change', 'team_update', 'path.jid' => $team, 'body.color' => 3,
         'body.name' => 'Help', 'has.body.metadata' => 't',
         'body.metadata' => '{"a":1}', 'has.body.reference' => 't',
         'body.reference' => 'R')->{name}, 'Help', 'is done');
is_deeply(twice('its channels', 'team_channels_update', 'path.jid' => $team,
                'body.channels' => qq(["$jid"]))->{channels}, [$jid],
          'are set');
is(twice('channels that are not', 'team_channels_update', 'path.jid' => $team,
         'body.channels' => qq(["$jid","@{[$t->contact_jid]}"]))->{refusal},
   'channels_unknown', 'are refused');
is_deeply(twice('an agent\'s teams', 'agent_teams_update',
                'path.email' => 'Jane@example.com',
                'body.teams' => qq(["$team"]))->{teams}, [$team], 'are set');
is(twice('teams that are not', 'agent_teams_update',
         'path.email' => 'jane@example.com',
         'body.teams' => '["1500000000000@team.eazy.im"]')->{refusal},
   'teams_unknown', 'are refused');
is(twice("nobody's teams", 'agent_teams_update',
         'path.email' => 'nobody@example.com', 'body.teams' => '[]')->{refusal},
   'not_found', 'are refused');
conversation(team => $team) for 1 .. 3;
%end = ('path.jid' => $team, 'id.request' => id());
is(twice('its end', 'team_delete', %end)->{refusal}, undef, 'is done');
is(twice('its end again', 'team_delete', %end, 'id.request' => id())
       ->{refusal}, 'not_found', 'is refused');

# Assistants.
my %assistant = ('id.request' => id(), 'body.name' => 'Sales',
                 nothing(qw(color description enabled)));
my $assistant = twice('an assistant', 'assistant_create', %assistant)->{jid};
is($assistant, jid_of($assistant{'id.request'}, 'ai'),
   'is called after its time');
conversation(assignee_assistant => $assistant) for 1 .. 3;
my %off = ('path.jid' => $assistant, 'id.request' => id(),
           'has.body.description' => 'f', nothing(qw(color description name)),
           'body.enabled' => 'f');
is(twice('it is disabled', 'assistant_update', %off)->{enabled}, 0, 'is done');
is(twice('it is enabled', 'assistant_update', %off, 'id.request' => id(),
         'body.enabled' => 't')->{enabled}, 1, 'is done');
conversation(assignee_assistant => $assistant) for 1 .. 3;
$t->sql('update ezw.channel set default_assistant = ? where id = ?', $assistant,
        $channel);
$t->insert('webhook', company => $company, id => $t->uuid, channel => $channel,
           url => 'https://example.com', events => '{message}',
           assistant => $assistant, secret => { hex => '00' });
%end = ('path.jid' => $assistant, 'id.request' => id());
is(twice('its end', 'assistant_delete', %end)->{refusal}, undef, 'is done');
is(twice('its end again', 'assistant_delete', %end, 'id.request' => id())
       ->{refusal}, 'not_found', 'is refused');
is(twice('a change of nothing', 'assistant_update', %off)->{refusal},
   'not_found', 'is refused');

my %run_again = map { $_ => 1 } $statements->run_again;
is_deeply([grep { !$run_again{$_} } EZW::Statements::listed(__FILE__, 'writes')], [],
          'each was executed again');

done_testing;

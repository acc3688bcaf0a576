# Teams: create, read, update, delete; their channels and their agents.

use EZW;

my $t = EZW->start(start => 0, http => 'ezw_courier off;');
# those who create at once wait for each other, on any machine
$t->sql("alter role ezw_app in database $t->{dbname} set lock_timeout = '20s'");
$t->launch;
my $company = $t->company;
my @channels = sort map { $t->channel(company => $company) } 1 .. 3;
my $key = $t->key(company => $company, scope => 'COMPANY');
my %not_found = (message => 'Not found');
my %duplicate = (message => 'Already exists');
my $of_team = qr/^\d{13}\@team[.]eazy[.]im$/;
my @strict = (headers => { Prefer => 'handling=strict' });

sub path {
    my ($team, $of) = @_;
    return '/v3/companies/' . ($of // $company) . '/teams'
        . (defined $team ? "/$team" : '');
}

sub create { my ($json, %o) = @_;
             return $t->http(POST => path(), key => $key, json => $json, %o) }
sub list   { my ($query, %o) = @_;
             return $t->http(GET => path() . ($query // ''), key => $key, %o) }
sub change { my ($team, $json, %o) = @_;
             return $t->http(PATCH => path($team), key => $key,
                             json => $json, %o) }
sub remove { my ($team, %o) = @_;
             return $t->http(DELETE => path($team), key => $key, %o) }
sub assign { my ($team, $json, %o) = @_;
             return $t->http(PUT => path($team) . '/channels', key => $key,
                             json => $json, %o) }
sub agent_teams { my ($email, $json, %o) = @_;
             return $t->http(PUT => "/v3/companies/$company/agents/$email/teams",
                             key => $key, json => $json, %o) }

sub shape {
    my ($team, $name, %more) = @_;
    return { channels => [], color => 8, jid => $team, metadata => undef,
             name => $name, reference => undef, %more };
}

# One that is there now; its JID.
sub made {
    my ($json) = @_;
    my $r = create($json);
    $r->status == 201 or die $r->as_text;
    return $r->json->{jid};
}


# The document's own examples; DECISIONS adds the reference to the creation.
is_answer(list(), 200, [], 'none yet');
my $r = create({ name => 'Support' });
is_answer($r, 201, shape($of_team, 'Support'), "the document's POST");
is($r->body, to_json($r->json), 'compact, and names in their order');
my $support = $r->json->{jid};
is_answer(change($support, { name => 'Customer Support' }), 200,
          shape($support, 'Customer Support'), "the document's PATCH");
is_answer(change($support, { name => 'Support' }), 200,
          shape($support, 'Support'), 'and back');
$t->insert('team', company => $company, jid => '1580486137310@team.eazy.im',
           name => 'Sales', color => 1);
is_answer(list(), 200,
          [shape('1580486137310@team.eazy.im', 'Sales', color => 1),
           shape($support, 'Support')], "the document's GET");
is_answer(remove($support), 204, undef, "the document's DELETE");
is_answer(list(), 200,
          [shape('1580486137310@team.eazy.im', 'Sales', color => 1)],
          'it is gone');
is_refused(remove($support), 404, 1009, \%not_found, 'not a second time');
is_refused(change($support, { color => 1 }), 404, 1009, \%not_found,
           'nothing left to change');
is_refused(assign($support, { channels => [] }), 404, 1009, \%not_found,
           'and nothing to assign');


# What a team may be. An empty map is null here, however it is written.
for my $case (
    [name => "\x{1F600}" x 255], [color => 0], [color => 20],
    [reference => ''], [reference => "\x{e9}" x 255], [reference => undef],
    [metadata => { title => 'Mr.', n => 1, ok => true }],
    [metadata => {}, undef], [metadata => [], undef], [metadata => undef],
) {
    my ($field, $value, $want) = (@$case, $case->[1]);
    my $what = substr to_json({ $field => $value }), 0, 30;
    my %named = (name => $t->random_text(20));
    my $r = create({ %named, $field => $value });
    is_answer($r, 201, shape($of_team, $named{name}, $field => $want),
              "POST: $what");
    my $team = $r->json->{jid};
    is_answer(change($team, { metadata => { a => 1 }, reference => 'R' }), 200,
              shape($team, $r->json->{name},
                    ($field eq 'color' ? (color => $value) : ()),
                    metadata => { a => 1 }, reference => 'R'), 'changed');
    is_answer(change($team, { $field => $value }), 200,
              shape($team, $r->json->{name}, metadata => { a => 1 },
                    reference => 'R', $field => $want), "PATCH: $what");
    is_answer(remove($team), 204, undef, "DELETE: $what");
}

# What is refused names the field, makes nothing and changes nothing.
my $plain = made({ name => 'Plain' });
for my $case (
    [name => '', 'name is too short: at least 1 character'],
    [name => 'x' x 256, 'name is too long: at most 255 characters'],
    [name => undef, 'name must not be null'],
    [name => 5, 'name must be a string'],
    [color => -1, 'color must be between 0 and 20'],
    [color => 21, 'color must be between 0 and 20'],
    [color => true, 'color must be an integer'],
    [color => undef, 'color must not be null'],
    [reference => 'x' x 256, 'reference is too long: at most 255 characters'],
    [reference => 5, 'reference must be a string'],
    [metadata => 'x', 'metadata must be an object'],
    [metadata => { map { $_ => 1 } 1 .. 51 },
     'metadata has too many names: at most 50'],
) {
    my ($field, $value, $message) = @$case;
    my $what = substr to_json({ $field => $value }), 0, 40;
    my %says = (field => $field, message => $message);
    is_refused(create({ name => 'New', $field => $value }), 400, 1005, \%says,
               "POST: $what");
    is_refused(change($plain, { color => 3, $field => $value }), 400, 1005,
               \%says, "PATCH: $what");
}
is_refused(create({}), 400, 1005,
           { field => 'name', message => 'name is required' }, 'no name');
is_refused(create({ name => 'New', colour => 1 }, @strict), 400, 1005,
           { field => 'colour', message => 'Unknown field: colour' },
           'a typo, and strict');

# GET, edit, PATCH; and of nothing.
my ($read) = @{ list()->json };
is_answer(change($plain, { %$read, color => 3 }, @strict), 200,
          shape($plain, 'Plain', color => 3), 'what was read is taken back');
is_answer(change($plain, {}), 200, shape($plain, 'Plain', color => 3),
          'PATCH of nothing');
is_answer(change($plain, { channels => [$channels[0]] }), 200,
          shape($plain, 'Plain', color => 3),
          'channels are not set by PATCH');

# A name is taken whatever its case, in one company.
is_refused(create({ name => 'pLAIN' }), 409, 1014, \%duplicate,
           'POST of a name that is taken');
is_refused(change($plain, { name => 'SALES' }), 409, 1014, \%duplicate,
           'PATCH to a name that is taken');
is_answer(change($plain, { name => 'PLAIN' }), 200,
          shape($plain, 'PLAIN', color => 3), 'its own in another case');
my $stranger = $t->company;
my $theirs = $t->key(company => $stranger, scope => 'COMPANY');
my $foreign = $t->channel(company => $stranger);
$r = $t->http(POST => path(undef, $stranger), key => $theirs,
              json => { name => 'Plain' });
is_answer($r, 201, shape($of_team, 'Plain'), "another company's");
my $their_team = $r->json->{jid};
my @raced = map { $_->status } $t->parallel(map {
    [POST => path(), key => $key, json => { name => 'Raced' }] } 1 .. 8);
is_deeply([sort @raced], [201, (409) x 7], 'one of a name wins');


# Its channels: replaced, each once, in their order.
is_answer(assign($plain, { channels => [@channels[1, 0, 1]] }), 200,
          shape($plain, 'PLAIN', color => 3, channels => [@channels[0, 1]]),
          'PUT of channels');
is_answer(assign($plain, { channels => [$channels[2]] }), 200,
          shape($plain, 'PLAIN', color => 3, channels => [$channels[2]]),
          'replaces them');
($read) = grep { $_->{jid} eq $plain } @{ list()->json };
is_json($read, shape($plain, 'PLAIN', color => 3, channels => [$channels[2]]),
        'listed');
is_answer(assign($plain, $read, @strict), 200, $read,
          'what was read is taken back');
for my $case (
    [[$channels[0], $foreign], 'channels names a channel that does not exist'],
    [['31699999999@whatsapp.eazy.im'],
     'channels names a channel that does not exist'],
    [['x'], 'Jid is invalid'], [$channels[0],
                                'channels must be an array of strings'],
    [[5], 'channels must be an array of strings'],
    [undef, 'channels must not be null'],
) {
    my ($value, $message) = @$case;
    is_refused(assign($plain, { channels => $value }), 400, 1005,
               { field => 'channels', message => $message },
               'refused: ' . to_json({ c => $value }));
}
is_refused(assign($plain, {}), 400, 1005,
           { field => 'channels', message => 'channels is required' },
           'no channels');
is_answer(assign($plain, $read), 200, $read, 'nothing came of it');
is_answer(assign($plain, { channels => [] }), 200,
          shape($plain, 'PLAIN', color => 3), 'none: all of them');
is_refused(assign($their_team, { channels => [] }), 404, 1009, \%not_found,
           "another company's team");


# By name, whatever its case, page by page.
my $other = $t->company;
my $reader = $t->key(company => $other, scope => 'ASSISTANT');
my @names = map { sprintf '%s %03d', $_ % 2 ? 'Team' : 'tEAM', $_ } 1 .. 250;
$t->sql(q{insert into ezw.team (company, jid, name)
          select ?, (1600000000000 - i) || '@team.eazy.im', n
            from unnest(?::text[]) with ordinality u (n, i)}, $other, \@names);
my @listed = @{ $t->http(GET => path(undef, $other), key => $reader)->json };
is_deeply([map { $_->{name} } @listed], \@names, 'in their order');
my ($query, @paged) = ('?limit=40');
for (1 .. 7) {
    my $r = $t->http(GET => path(undef, $other) . $query, key => $reader,
                     headers => { Prefer => 'count=exact' });
    is($r->header('x-total-count'), 250, 'counted');
    push @paged, @{ $r->json };
    my $cursor = $r->header('x-next-cursor') // last;
    $query = "?limit=40&cursor=$cursor";
}
is_deeply(\@paged, \@listed, 'page by page');


# DELETE takes it from agents, channels and conversations.
my $gone = made({ name => 'Gone' });
my $email = 'jane@example.com';
$t->user(company => $company, email => $email);
is(agent_teams($email, { teams => [$gone, $plain] })->status, 200, 'an agent');
is(assign($gone, { channels => \@channels })->status, 200, 'channels');
my $contact = $t->contact_jid;
my $sent = $t->http(POST => "/v3/channels/$channels[0]/messages/$contact",
                    key => $key, json => { type => 'text', body => 'Hello' });
is($sent->status, 201, 'a conversation');
my $conversation = "/v3/channels/$channels[0]/conversations/$contact";
is_json($t->http(PATCH => $conversation, key => $key,
                 json => { team => $gone })->json->{team}, { jid => $gone },
        'is the team\'s');
my $version = $t->value('select version from ezw.conversation');
my $events = $t->value('select count(*) from ezw.event');
is_answer(remove($gone), 204, undef, 'it is deleted');
is_json($t->http(GET => $conversation, key => $key)->json->{team}, undef,
        "the conversation is nobody's");
is($t->value('select version from ezw.conversation'), $version + 1,
   'which is another version');
is_deeply([$t->sql(q{select kind, version from ezw.event
                      order by created_at, seq offset ?}, $events)],
          [['conversation.updated', $version + 1]], 'and one event');
is_deeply($t->http(GET => "/v3/companies/$company/agents/$email",
                   key => $key)->json->{teams}, [$plain],
          'the agent has the other one still');
is($t->value('select count(*) from ezw.team_channel'), 0, 'no channel is left');
is_refused($t->http(PATCH => $conversation, key => $key,
                    json => { team => $gone }), 400, 1005,
           { field => 'team', message => 'team does not exist' },
           'it cannot be given any more');

# What is taken is found out before anything is written.
unlike($t->database_log, qr/duplicate key/, 'no error of the database');

done_testing;

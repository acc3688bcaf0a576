# Assistants: create, read, update, delete; what becomes of their conversations,
# channels, webhooks and keys.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $jid = $t->channel(company => $company);
my $channel = $t->value('select id from ezw.channel where jid = ?', $jid);
my $key = $t->key(company => $company, scope => 'COMPANY');
my $owner = $t->key(company => $company, scope => 'OWNER');
my %not_found = (message => 'Not found');
my $of_assistant = qr/^\d{13}\@ai[.]eazy[.]im$/;
my @strict = (headers => { Prefer => 'handling=strict' });

sub path {
    my ($assistant, $of) = @_;
    return '/v3/companies/' . ($of // $company) . '/assistants'
        . (defined $assistant ? "/$assistant" : '');
}

sub create { my ($json, %o) = @_;
             return $t->http(POST => path(), key => $key, json => $json, %o) }
sub list   { my ($query, %o) = @_;
             return $t->http(GET => path() . ($query // ''), key => $key, %o) }
sub change { my ($assistant, $json, %o) = @_;
             return $t->http(PATCH => path($assistant), key => $key,
                             json => $json, %o) }
sub remove { my ($assistant, %o) = @_;
             return $t->http(DELETE => path($assistant), key => $key, %o) }

sub shape {
    my ($assistant, $name, %more) = @_;
    return { color => 8, description => undef, enabled => true,
             jid => $assistant, name => $name, %more };
}

# One that is there now; its JID.
sub made {
    my ($json) = @_;
    my $r = create($json);
    $r->status == 201 or die $r->as_text;
    return $r->json->{jid};
}

# A conversation of the channel; its contact.
sub conversation {
    my ($assignee, %json) = @_;
    my $contact = $t->contact_jid;
    my $r = $t->http(POST => "/v3/channels/$jid/messages/$contact",
                     key => $key, json => { type => 'text', body => 'Hello' });
    $r->status == 201 or die $r->as_text;
    $r = talk($contact, { assignee => $assignee, %json });
    $r->status == 200 or die $r->as_text;
    return $contact;
}

sub talk {
    my ($contact, $json) = @_;
    my $path = "/v3/channels/$jid/conversations/$contact";
    return $json ? $t->http(PATCH => $path, key => $key, json => $json)
                 : $t->http(GET => $path, key => $key);
}

sub assignee { return talk(@_)->json->{assignee} }

# What the event log and the audit log say of a contact's conversation, behind
# that many of each.
sub told {
    my ($contact, $events, $audits) = @_;
    my $id = $t->value('select id from ezw.conversation
                         where contact_jid = ?', $contact);
    return ([map { [$_->[0], $_->[1], $_->[2] && from_json($_->[2])] }
             $t->sql('select kind, version, payload from ezw.event
                       where conversation = ? order by created_at, seq offset ?',
                     $id, $events // 0)],
            [map { [$_->[0], $_->[1], from_json($_->[2])] }
             $t->sql('select event_type, actor_id, data from ezw.audit_log
                       where target_id = ? order by created_at, id offset ?',
                     $id, $audits // 0)]);
}


# The document's own examples; the creation is ours.
is_answer(list(), 200, [], 'none yet');
$t->insert('assistant', company => $company, jid => '1563451622477@ai.eazy.im',
           name => 'Sales', description => 'Sales agent');
$t->insert('assistant', company => $company, jid => '1580486135318@ai.eazy.im',
           name => 'Support', description => 'Support assistant', color => 16);
my @document = (
    shape('1563451622477@ai.eazy.im', 'Sales',
          description => 'Sales assistant'),
    shape('1580486135318@ai.eazy.im', 'Support', color => 16,
          description => 'Support assistant'));
my $r = change('1563451622477@ai.eazy.im',
               { description => 'Sales assistant' });
is_answer($r, 200, $document[0], "the document's PATCH");
is($r->body, to_json($r->json), 'compact, and names in their order');
is_answer(list(), 200, \@document, "the document's GET");
$r = create({ name => 'Billing', description => 'Billing assistant',
              color => 3, enabled => false });
is_answer($r, 201, shape($of_assistant, 'Billing', color => 3,
                         description => 'Billing assistant', enabled => false),
          'POST');
my $billing = $r->json->{jid};
is_answer(list(), 200, [$r->json, @document], 'by name');
is_answer(remove($billing), 204, undef, 'DELETE');
is_answer(list(), 200, \@document, 'it is gone');
is_refused(remove($billing), 404, 1009, \%not_found, 'not a second time');
is_refused(change($billing, { color => 1 }), 404, 1009, \%not_found,
           'nothing left to change');

# What an assistant may be.
for my $case (
    [name => "\x{1F600}" x 255], [color => 0], [color => 20],
    [description => ''], [description => "\x{e9}" x 1024],
    [description => undef], [enabled => true], [enabled => false],
) {
    my ($field, $value) = @$case;
    my $what = substr to_json({ $field => $value }), 0, 30;
    $r = create({ name => 'Any', $field => $value });
    is_answer($r, 201, shape($of_assistant, 'Any', $field => $value),
              "POST: $what");
    is_answer(remove($r->json->{jid}), 204, undef, "DELETE: $what");
    my $assistant = made({ name => 'Any' });
    is_answer(change($assistant, { $field => $value }), 200,
              shape($assistant, 'Any', $field => $value), "PATCH: $what");
    is_answer(remove($assistant), 204, undef, "DELETE: $what");
}

# What is refused names the field, makes nothing and changes nothing.
my $plain = made({ name => 'Plain' });
for my $case (
    [name => '', 'name is too short: at least 1 character'],
    [name => 'x' x 256, 'name is too long: at most 255 characters'],
    [name => undef, 'name must not be null'],
    [color => -1, 'color must be between 0 and 20'],
    [color => 21, 'color must be between 0 and 20'],
    [color => '8', 'color must be an integer'],
    [enabled => 1, 'enabled must be a boolean'],
    [enabled => 'false', 'enabled must be a boolean'],
    [enabled => undef, 'enabled must not be null'],
    [description => 'x' x 1025,
     'description is too long: at most 1024 characters'],
    [description => 5, 'description must be a string'],
) {
    my ($field, $value, $message) = @$case;
    my $what = substr to_json({ $field => $value }), 0, 40;
    my %says = (field => $field, message => $message);
    is_refused(create({ name => 'New', $field => $value }), 400, 1005, \%says,
               "POST: $what");
    is_refused(change($plain, { color => 3, $field => $value }), 400, 1005,
               \%says, "PATCH: $what");
}
is_refused(create({ enabled => true }), 400, 1005,
           { field => 'name', message => 'name is required' }, 'no name');

# GET, edit, PATCH; and of nothing.
my ($read) = @{ list()->json };
is_answer(change($plain, { %$read, color => 3 }, @strict), 200,
          shape($plain, 'Plain', color => 3), 'what was read is taken back');
is_answer(change($plain, {}), 200, shape($plain, 'Plain', color => 3),
          'PATCH of nothing');
is_refused(change($plain, { colour => 1 }, @strict), 400, 1005,
           { field => 'colour', message => 'Unknown field: colour' },
           'a typo, and strict');

# Names may be the same; by name whatever its case, then by JID, page by page.
my $twin = made({ name => 'pLAIN' });
is_deeply([map { $_->{jid} } @{ list()->json }],
          [$plain, $twin, map { $_->{jid} } @document], 'two of a name');
my $other = $t->company;
my $reader = $t->key(company => $other, scope => 'ASSISTANT');
$t->sql(q{insert into ezw.assistant (company, jid, name)
          select ?, (1600000000000 + i) || '@ai.eazy.im',
                 case when i % 2 = 0 then 'Name ' else 'nAME ' end
                 || lpad((i / 10)::text, 3, '0')
            from generate_series(0, 249) i}, $other);
my @listed = @{ $t->http(GET => path(undef, $other), key => $reader)->json };
is_deeply([map { $_->{jid} } @listed],
          [map { 1600000000000 + $_ . '@ai.eazy.im' } 0 .. 249],
          'in their order');
my ($query, @paged) = ('?limit=33');
for (1 .. 8) {
    my $r = $t->http(GET => path(undef, $other) . $query, key => $reader,
                     headers => { Prefer => 'count=exact' });
    is($r->header('x-total-count'), 250, 'counted');
    push @paged, @{ $r->json };
    my $cursor = $r->header('x-next-cursor') // last;
    $query = "?limit=33&cursor=$cursor";
}
is_json(\@paged, \@listed, 'page by page');
is_refused($t->http(PATCH => path('1600000000000@ai.eazy.im'), key => $key,
                    json => { enabled => false }), 404, 1009, \%not_found,
           "another company's");


# Disabled: its conversations are the agents', open and closed ones; its key is
# refused.
my $bound = $t->key(company => $company, scope => 'ASSISTANT',
                    assistant => $plain);
sub bound { return $t->http(GET => '/v3/channels', key => $bound)->status }
sub key_says {
    my ($status) = @_;
    wait_for(sub { return bound() == $status }, 10, "a key that is $status");
    pass("the key is $status");
    return;
}
my $actor = $t->key_id($key) . '@key.eazy.im';
my $team = '1601626130348@team.eazy.im';
$t->insert('team', company => $company, jid => $team, name => 'Team');
my $open = conversation($plain, team => $team);
my $closed = conversation($plain, status => 'CLOSED');
my $others = conversation($twin);
my $anyones = conversation(undef);
my @before = map { [told($_)] } $open, $closed, $others, $anyones;
my @versions = map { $t->value("select version from ezw.conversation
                                where contact_jid = ?", $_) }
    $open, $closed;
is(bound(), 200, 'its key works');
is_answer(change($plain, { enabled => false }), 200,
          shape($plain, 'Plain', color => 3, enabled => false), 'disabled');
my $was = { type => 'ASSISTANT', id => $plain };
for my $case ([$open, 0, $team], [$closed, 1, undef]) {
    my ($contact, $n, $of_team) = @$case;
    is(assignee($contact), undef, 'handed to the agents');
    my ($events, $audits) = told($contact, map { scalar @$_ } @{ $before[$n] });
    is_json($events, [
        ['handover', $versions[$n] + 1,
         { from => $was, to => undef, team => $of_team,
           reason => 'disabled' }],
        ['conversation.updated', $versions[$n] + 1, undef]], 'which is told');
    is_json($audits, [['conversation.handover', $actor,
                       { from => $was, to => undef }]], 'and audited');
}
is(talk($closed)->json->{status}, 'CLOSED', 'what is closed stays closed');
is(assignee($others), $twin, "another assistant's stays");
for my $n (2, 3) {
    is_deeply([told(($others, $anyones)[$n - 2],
                    map { scalar @$_ } @{ $before[$n] })], [[], []],
              'of others nothing is told');
}
key_says(403);
is_refused($t->http(GET => '/v3/channels', key => $bound), 403, 1002,
           { message => 'Access denied: the assistant is disabled' },
           'its key is refused');
is_refused(talk($others, { assignee => $plain }), 400, 1005,
           { field => 'assignee', message =>
             'assignee is no active agent or enabled assistant' },
           'no conversation is given to it');

# Enabled again, it has what it is given; and off again by a second request of
# the same words nothing is told.
is_answer(change($plain, { enabled => true }), 200,
          shape($plain, 'Plain', color => 3), 'enabled');
key_says(200);
is(assignee($open), undef, 'what it had is not given back');
is(talk($others, { assignee => $plain })->status, 200, 'it is given one');
for my $round (1, 2) {
    my $events = $t->value('select count(*) from ezw.event');
    is_answer(change($plain, { enabled => false, name => 'Plain' }), 200,
              shape($plain, 'Plain', color => 3, enabled => false),
              'disabled once more');
    is(assignee($others), undef, 'and it has none');
    is($t->value('select count(*) from ezw.event') - $events,
       $round == 1 ? 2 : 0, 'told once');
}
is(change($plain, { enabled => true })->status, 200, 'enabled');
key_says(200);


# Deleted: the channel has no assistant, a webhook for its conversations is
# off, and a key that was this assistant is nobody's.
my $mine = conversation($plain);
my $second = $t->channel(company => $company, default_assistant => $twin);
$t->sql('update ezw.channel set default_assistant = ? where id = ?', $plain,
        $channel);
my %webhook = map { $_ => $t->uuid } qw(mine off theirs);
for my $case ([mine => $plain, 't'], [off => $plain, 'f'],
              [theirs => $twin, 't']) {
    my ($name, $assistant, $enabled) = @$case;
    $t->insert('webhook', company => $company, id => $webhook{$name},
               channel => $channel, url => 'https://example.com/',
               events => '{message}', assistant => $assistant,
               enabled => $enabled, secret => { hex => '00' });
}
is_answer(remove($plain), 204, undef, 'deleted');
is_deeply([map { $_->{name} } @{ list()->json }], ['pLAIN', 'Sales', 'Support'],
          'it is gone');
is(assignee($mine), undef, 'its conversation is the agents\'');
my ($events) = told($mine);
is_json($events->[-2], ['handover', $events->[-1][1],
                        { from => $was, to => undef, team => undef,
                          reason => 'disabled' }], 'which is told');
is_deeply([$t->sql('select default_assistant from ezw.channel
                     where company = ? order by created_at, jid', $company)],
          [[undef], [$twin]], 'its channel has none');
is_deeply({ map { $_->[0] => [@$_[1, 2]] } $t->sql(
                'select id, assistant, enabled from ezw.webhook') },
          { $webhook{mine} => [undef, 0], $webhook{off} => [undef, 0],
            $webhook{theirs} => [$twin, 1] }, 'its webhooks are off');
is_deeply([map { [$_->[0], $_->[1], from_json($_->[2])] }
           $t->sql(q{select target_id, actor_id, data from ezw.audit_log
                      where event_type = 'webhook.disabled'})],
          [[$webhook{mine}, $actor, { assistant => $plain }]],
          'one of which was on');
key_says(403);
is_refused($t->http(GET => '/v3/channels', key => $bound), 403, 1002,
           { message => 'Access denied: the assistant is disabled' },
           'its key is refused');
my $contact = $t->contact_jid;
is_refused($t->http(POST => "/v3/channels/$jid/messages/$contact",
                    key => $bound, json => { type => 'text', body => 'Hi' }),
           403, 1002, {}, 'and sends nothing');
is_refused($t->http(POST => '/v3/keys', key => $owner, json => {
               scope => 'ASSISTANT',
               objects => [{ type => 'ASSISTANT', jid => $plain }] }),
           400, 1005, { field => 'objects',
                        message => 'objects names what does not exist' },
           'no new key is for it');
$r = $t->http(PATCH => '/v3/keys/' . $t->key_id($bound), key => $owner,
              json => { objects => [{ type => 'ASSISTANT', jid => $twin }] });
is($r->status, 200, 'the key is given another one') || diag($r->as_text);
key_says(200);

done_testing;

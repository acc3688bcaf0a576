# Agents: who is one, what he is, his teams.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $key = $t->key(company => $company, scope => 'COMPANY');
my %not_found = (message => 'Not found');
my @strict = (headers => { Prefer => 'handling=strict' });
my @teams = ('123456789000@team.eazy.im', '1580486137310@team.eazy.im');
$t->insert('team', company => $company, jid => $_, name => $_) for @teams;

sub path {
    my ($agent, $of) = @_;
    return '/v3/companies/' . ($of // $company) . '/agents'
        . (defined $agent ? "/$agent" : '');
}

sub list { my ($query, %o) = @_;
           return $t->http(GET => path() . ($query // ''), key => $key, %o) }
sub one  { my ($agent, %o) = @_;
           return $t->http(GET => path($agent), key => $key, %o) }
sub put  { my ($agent, $json, %o) = @_;
           return $t->http(PUT => path($agent) . '/teams', key => $key,
                           json => $json, %o) }

# A member of a first and a last name.
sub member {
    my ($first, $last, $email, %row) = @_;
    my $user = $t->user(company => $company, name => "$first $last",
                        email => $email, %row);
    $t->sql('update ezw.app_user set first_name = ?, last_name = ?
              where id = ?', $first, $last, $user);
    return $user;
}

sub shape {
    my ($first, $last, $email, $agent, %more) = @_;
    return { email => $email, jid => "$agent\@agent.eazy.im",
             name => { firstName => $first, fullName => "$first $last",
                       lastName => $last },
             roles => ['user'], status => 'OFFLINE', teams => [], %more };
}

# The document's own example.
my %agent = (
    jane => '489cc9a6-c0da-4930-825e-036b23b5a2f2',
    mike => 'f431a0cb-3517-4eaa-9154-7ad2fc3cc2e0',
    wesley => '615b4043-5126-4af8-9128-2321fceb7358',
);
is_answer(list(), 200, [], 'nobody yet');
my $wesley = member('Wesley', 'Crusher', 'wesley@mycompany.com',
                    agent => $agent{wesley});
my $mike = member('Mike', 'Doohan', 'mike@mycompany.com',
                  agent => $agent{mike});
my $jane = member('Jane', 'Myers', 'jane@mycompany.com', role => 'admin',
                  agent => $agent{jane});
$t->insert('team_member', company => $company, team => $teams[0],
           user_id => $_) for $wesley, $mike, $jane;
# far ahead: they stay ONLINE and AWAY for as long as this test takes
$t->insert('presence', company => $company, user_id => $wesley,
           stream_at => '2100-01-01', request_at => '2100-01-01');
$t->insert('presence', company => $company, user_id => $mike,
           stream_at => '2100-01-01', request_at => '2020-01-01');
$t->insert('presence', company => $company, user_id => $jane,
           stream_at => '2020-01-01', request_at => '2020-01-01');
my @team = (teams => [$teams[0]]);
my @want = (
    shape('Jane', 'Myers', 'jane@mycompany.com', $agent{jane},
          roles => ['admin', 'user'], @team),
    shape('Mike', 'Doohan', 'mike@mycompany.com', $agent{mike},
          status => 'AWAY', @team),
    shape('Wesley', 'Crusher', 'wesley@mycompany.com', $agent{wesley},
          status => 'ONLINE', @team),
);
my $r = list();
is_answer($r, 200, \@want, "the document's list");
is($r->body, to_json($r->json), 'compact, and names in their order');
is_answer(one('wesley@mycompany.com'), 200, $want[2], "the document's agent");
is_answer(one($_), 200, $want[2], "found by $_")
    for 'Wesley@MyCompany.COM', 'wesley%40mycompany.com';
is_answer(list('', headers => { Prefer => 'count=exact' }), 200, \@want,
          'counted');

# Who is none, for nobody to see.
my $stranger = $t->company;
my $theirs = $t->key(company => $stranger, scope => 'COMPANY');
my $them = $t->user(company => $stranger, email => 'them@example.com',
                    name => 'Them');
$t->user(company => $company, email => 'off@example.com', name => 'Off',
         status => 'disabled');
$t->user(company => $company, email => 'new@example.com', name => 'New',
         status => 'invited');
$t->sql('update ezw.app_user set enabled = false where id = ?',
        $t->user(company => $company, email => 'out@example.com',
                 name => 'Out'));
is_answer(list(), 200, \@want, 'members who are not active are no agents');
for my $email (qw(them@example.com off@example.com new@example.com
                  out@example.com nobody@example.com x),
               "wesley\@mycompany.com'", '%25')
{
    is_refused(one($email), 404, 1009, \%not_found, "GET of $email");
    is_refused(put($email, { teams => [] }), 404, 1009, \%not_found,
               "PUT of $email");
}

# The same person in two companies is two agents.
$t->insert('membership', company => $stranger, user_id => $jane,
           role => 'operator');
my $there = $t->http(GET => path('jane@mycompany.com', $stranger),
                     key => $theirs);
is_answer($there, 200, { %{ $want[0] }, roles => ['user'], teams => [],
                         jid => qr/^[0-9a-f-]{36}\@agent[.]eazy[.]im$/ },
          'in the other company');
isnt($there->json->{jid}, $want[0]{jid}, 'under another JID');

# Names that came whole, and none at all; then another name.
my $other = $t->company;
my $reader = $t->key(company => $other, scope => 'ASSISTANT');
my %id;
sub others {
    my ($query) = @_;
    return $t->http(GET => path(undef, $other) . ($query // ''),
                    key => $reader);
}
$id{$_->[0]} = $t->user(company => $other, name => $_->[0], email => $_->[1],
                        role => $_->[2])
    for ['bob van Dyk', 'b2@example.com', 'owner'],
        ['Bob van Dyk', 'b1@example.com', 'operator'],
        ['Madonna', 'm@example.com', 'admin'];
$t->sql('update ezw.app_user set full_name = null where id = ?',
        $t->user(company => $other, name => 'Zoe', email => 'c@example.com'));
sub brief {
    return [map { [@{ $_->{name} }{qw(firstName fullName lastName)},
                   $_->{email}, scalar @{ $_->{roles} }] } @{ $_[0]->json }];
}
is_deeply(brief(others()), [
    ['Bob', 'Bob van Dyk', 'van Dyk', 'b1@example.com', 1],
    ['bob', 'bob van Dyk', 'van Dyk', 'b2@example.com', 2],
    [undef, undef, undef, 'c@example.com', 1],
    ['Madonna', 'Madonna', undef, 'm@example.com', 2],
], 'by name whatever its case, then by address; without a name by that');
$t->sql(q{update ezw.app_user set full_name = 'Anna' where id = ?},
        $id{Madonna});
$t->sql(q{update ezw.app_user set email = 'a@example.com' where id = ?},
        $id{'bob van Dyk'});
is_deeply([map { $_->[3] } @{ brief(others()) }],
          [qw(m@example.com a@example.com b1@example.com c@example.com)],
          'a new name is a new place');

# Page by page.
$t->sql(q{insert into ezw.app_user (id, email, full_name)
          select md5(i::text)::uuid, 'p' || lpad((i % 250)::text, 3, '0')
                 || '@example.com', 'Person ' || i / 10
            from generate_series(1, 250) i});
$t->sql(q{insert into ezw.membership (company, user_id, role)
          select ?, md5(i::text)::uuid, 'operator'
            from generate_series(1, 250) i}, $other);
my @listed = @{ others()->json };
is(scalar @listed, 254, 'all of them');
my ($query, @paged) = ('?limit=33');
for (1 .. 8) {
    my $r = others($query);
    push @paged, @{ $r->json };
    my $cursor = $r->header('x-next-cursor') // last;
    $query = "?limit=33&cursor=$cursor";
}
is_json(\@paged, \@listed, 'page by page');

# An agent's teams: replaced, each once, in their order.
my $email = 'mike@mycompany.com';
is_answer(put($email, { teams => [@teams[1, 0, 1]] }), 200,
          { %{ $want[1] }, teams => \@teams }, 'PUT of teams');
is_answer(put('MIKE@mycompany.com', { teams => [$teams[1]] }), 200,
          { %{ $want[1] }, teams => [$teams[1]] }, 'replaces them');
my $read = one($email)->json;
is_json($read, { %{ $want[1] }, teams => [$teams[1]] }, 'and so it is');
is_answer(put($email, $read, @strict), 200, $read,
          'what was read is taken back');
$t->insert('team', company => $stranger, jid => '1580486137311@team.eazy.im',
           name => 'Theirs');
for my $case (
    [[$teams[0], '1580486137311@team.eazy.im'],
     'teams names a team that does not exist'],
    [['1580486137310@label.eazy.im'], 'teams names a team that does not exist'],
    [['x'], 'Jid is invalid'], [[undef], 'teams must be an array of strings'],
    [{}, 'teams must be an array of strings'],
    [undef, 'teams must not be null'],
) {
    my ($value, $message) = @$case;
    is_refused(put($email, { teams => $value }), 400, 1005,
               { field => 'teams', message => $message },
               'refused: ' . to_json({ t => $value }));
}
is_refused(put($email, {}), 400, 1005,
           { field => 'teams', message => 'teams is required' }, 'no teams');
is_refused(put($email, { teams => [], name => 'x', x => 1 }, @strict), 400,
           1005, { field => 'x', message => 'Unknown field: x' },
           'strict, and a typo');
is_answer(one($email), 200, $read, 'nothing came of it');
is_answer(put($email, { teams => [] }), 200, { %{ $want[1] }, teams => [] },
          'none');
is_answer(one('jane@mycompany.com'), 200, $want[0], 'another one\'s stay');

# There is nothing else to change.
for my $method (qw(POST PATCH DELETE)) {
    $r = $t->http($method => path($email), key => $key, json => {});
    is_refused($r, 405, 1005, { message => 'Method not allowed' }, $method);
    is($r->header('allow'), 'GET, HEAD', 'which is told');
}
$r = $t->http(GET => path($email) . '/teams', key => $key);
is_refused($r, 405, 1005, { message => 'Method not allowed' }, 'GET of teams');
is($r->header('allow'), 'PUT', 'which is told');

done_testing;

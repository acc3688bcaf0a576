# Companies: one's own, and an OWNER's children; one's own first, as the
# document's list has it. How an OWNER makes and changes them.

use EZW;
use EZW::Stall qw(lateness);

my $t = EZW->start;
my $klm = $t->company(id => '458e633a-ab50-445f-9d1f-52afbf720ec3',
                      name => 'KLM');
my $france = $t->company(id => 'a0762e91-7d0d-4785-be49-d77516cb00c4',
                         name => 'Air France', parent => $klm);
my $stranger = $t->company(name => 'Sabena');
my $grandchild = $t->company(name => 'Hop!', parent => $france);
my $channel = $t->channel(company => $klm);
my $assistant = $t->assistant(company => $klm);

my %own = (id => $klm, name => 'KLM');
my %child = (id => $france, name => 'Air France');
my %key = (
    CHANNEL => $t->key(company => $klm, scope => 'CHANNEL',
                       channels => [$channel]),
    ASSISTANT => $t->key(company => $klm, scope => 'ASSISTANT',
                         assistant => $assistant),
    COMPANY => $t->key(company => $klm, scope => 'COMPANY'),
    OWNER => $t->key(company => $klm, scope => 'OWNER'),
);
my %denied = (message => 'Access denied: not a company of the API key');

for my $scope (sort keys %key) {
    my $get = sub { return $t->http(GET => "/v3/$_[0]", key => $key{$scope}) };

    is_answer($get->('companies/current'), 200, \%own, "$scope: current");
    is_answer($get->('companies'), 200,
              [\%own, $scope eq 'OWNER' ? \%child : ()], "$scope: list");
    is_answer($get->("companies/$klm"), 200, \%own, "$scope: one's own");
    is_answer($get->("companies/\U$klm"), 200, \%own,
              "$scope: one's own in capitals");

    if ($scope eq 'OWNER') {
        is_answer($get->("companies/$france"), 200, \%child, "$scope: a child");
    } else {
        is_refused($get->("companies/$france"), 403, 1002, \%denied,
                   "$scope: a child");
    }

    # all the same, whether there is such a company or not
    for my $id ($stranger, $grandchild, $t->uuid, 'KLM', $klm . '0',
                substr($klm, 1), $klm =~ s/-//gr, "{$klm}", "'", '%20')
    {
        is_refused($get->("companies/$id"), 403, 1002, \%denied,
                   "$scope: no company of mine: $id");
    }
}

# A child's keys see the child only.
my $own = $t->key(company => $france, scope => 'OWNER');
is_answer($t->http(GET => '/v3/companies/current', key => $own), 200, \%child,
          "a child's current");
is_answer($t->http(GET => '/v3/companies', key => $own), 200,
          [\%child, { id => $grandchild, name => 'Hop!' }], "a child's list");
is_refused($t->http(GET => "/v3/companies/$klm", key => $own), 403, 1002,
           \%denied, 'no parent');

# Without a key nothing.
for my $path ('companies/current', 'companies', "companies/$klm") {
    is_refused($t->http(GET => "/v3/$path"), 401, 1001,
               { message => 'Unauthorized: no API key' }, "no key: $path");
}

# The children by name, and whatever may stand in a name.
my $name = qq("quoted" \\ / </b> \x{e9}\x{1F600}\x{2028}\ttab);
my $odd = $t->company(name => $name);
my @children = map { { id => $t->company(parent => $odd, name => $_),
                       name => $_ } } 'Beta', 'Alpha', 'Delta', 'Gamma';
is_answer($t->http(GET => '/v3/companies',
                   key => $t->key(company => $odd, scope => 'OWNER')), 200,
          [{ id => $odd, name => $name },
           sort { $a->{name} cmp $b->{name} } @children], 'their order');

# A company that is renamed answers so at once; a new child is seen within 2 s.
$t->sql('update ezw.company set name = ? where id = ?', 'KLM NV', $klm);
is_answer($t->http(GET => '/v3/companies/current', key => $key{CHANNEL}), 200,
          { id => $klm, name => 'KLM NV' }, 'renamed');
my $new = $t->company(parent => $klm, name => 'Transavia');
cmp_ok(lateness([$t], sub {
    return $t->http(GET => "/v3/companies/$new", key => $key{OWNER})->status
        == 200;
}), '<', 2 + 0.1 * $EZW::Expect::PATIENCE, 'a new child within 2 s');
is_answer($t->http(GET => '/v3/companies', key => $key{OWNER}), 200,
          [{ id => $klm, name => 'KLM NV' }, \%child,
           { id => $new, name => 'Transavia' }], 'the new child is listed');


# An owner makes children ------------------------------------------------------

my $t2 = $t->company(name => 'Reseller');
my $owner = $t->key(company => $t2, scope => 'OWNER');

sub create {
    my ($json, %o) = @_;
    return $t->http(POST => '/v3/companies', key => $owner, json => $json, %o);
}

sub change {
    my ($id, $json, %o) = @_;
    return $t->http(PATCH => "/v3/companies/$id", key => $owner, json => $json,
                    %o);
}

my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
my %made = (dataRetentionInDays => 90, id => $uuid, operatorsSeeAll => true,
            status => 'ACTIVE', timezone => 'UTC');
my $r = create({ name => 'First' });
is_answer($r, 201, { %made, name => 'First' }, 'a child');
my $made = $r->json->{id};
my %second = (dataRetentionInDays => 30, name => 'Second',
              operatorsSeeAll => false, timezone => 'Europe/Amsterdam');
$r = create({ %second, id => $klm, status => 'BLOCKED', colour => 1 });
is_answer($r, 201, { %made, %second }, 'another, of its own settings');
is_deeply([$t->sql(q{
    select c.parent, b.state from ezw.company c
      join ezw.billing b on b.company = c.id where c.id = ?},
    $r->json->{id})], [[$t2, 'active']], 'whose parent is the maker');
wait_for(sub { @{ $t->http(GET => '/v3/companies', key => $owner)->json } == 3 },
         10, 'both in the list');
is_answer($t->http(GET => "/v3/companies/$made", key => $owner), 200,
          { id => $made, name => 'First' }, 'the first');

for my $case (
    [name => undef, 'name must not be null'],
    [name => '', 'name is too short: at least 1 character'],
    [name => 'x' x 256, 'name is too long: at most 255 characters'],
    [name => 1, 'name must be a string'],
    [timezone => 'Mars/Olympus', 'timezone is not known'],
    [timezone => '', 'timezone is too short: at least 1 character'],
    [timezone => undef, 'timezone must not be null'],
    [dataRetentionInDays => 0, 'dataRetentionInDays must be between 1 and 3650'],
    [dataRetentionInDays => 3651,
     'dataRetentionInDays must be between 1 and 3650'],
    [operatorsSeeAll => 'yes', 'operatorsSeeAll must be a boolean'],
) {
    my ($field, $value, $message) = @$case;
    my %wrong = (message => $message, field => $field);
    my $what = substr to_json({ $field => $value }), 0, 40;
    is_refused(create({ name => 'No', $field => $value }), 400, 1005, \%wrong,
               "not made: $what");
    is_refused(change($made, { name => 'No', $field => $value }), 400, 1005,
               \%wrong, "not changed: $what");
}
is_refused(create({}), 400, 1005,
           { message => 'name is required', field => 'name' },
           'not without a name');
is($t->value(q{select count(*) from ezw.company where name = 'No'}), 0,
   'none of these was made');

# ... and changes them, and its own.
%made = (%made, id => $made, name => 'First');
for my $case (
    ['nothing', {}], ['a name', { name => 'Renamed' }],
    ['all', { name => 'First', timezone => 'Asia/Tokyo',
              dataRetentionInDays => 1, operatorsSeeAll => false }],
    ['what it was', { timezone => 'Asia/Tokyo' }],
    ['blocked', { status => 'BLOCKED' }],
    ['while it is', { name => 'Blocked' }],
    ['and back', { status => 'ACTIVE', name => 'First' }],
) {
    my ($name, $json) = @$case;
    %made = (%made, %$json);
    is_answer(change($made, $json), 200, \%made, "PATCH: $name");
    is_answer($t->http(GET => "/v3/companies/$made", key => $owner), 200,
              { id => $made, name => $made{name} }, "PATCH: $name, and it is");
}
is_answer(change($made, { %made, id => $klm },
                 headers => { Prefer => 'handling=strict' }), 200, \%made,
          'what was read may be written');
is_answer(change($t2, { timezone => 'Europe/Paris', status => 'ACTIVE' }), 200,
          { dataRetentionInDays => 90, id => $t2, name => 'Reseller',
            operatorsSeeAll => true, status => 'ACTIVE',
            timezone => 'Europe/Paris' }, "one's own");
is_refused(change($t2, { status => 'BLOCKED' }), 400, 1005,
           { message => "status is the parent company's to change",
             field => 'status' }, 'nobody blocks himself');
is_refused(change($made, { status => 'GONE' }), 400, 1005,
           { message => 'status must be one of ACTIVE, BLOCKED',
             field => 'status' }, 'another status');
is_refused(change($_, { name => 'Mine' }), 403, 1002, \%denied,
           "not another's: $_") for $klm, $t->uuid, 'x';

# A company that is blocked is so for its own keys.
my $its = $t->key(company => $made, scope => 'COMPANY');
is($t->http(GET => '/v3/companies/current', key => $its)->status, 200,
   "a child's key");
change($made, { status => 'BLOCKED' });
wait_for(sub { $t->http(GET => '/v3/companies/current',
                        key => $its)->status == 403 }, 10, 'is shut out');
change($made, { status => 'ACTIVE' });
wait_for(sub { $t->http(GET => '/v3/companies/current',
                        key => $its)->status == 200 }, 10, 'and let in again');

# Whoever is no owner may neither.
for my $scope (qw(CHANNEL ASSISTANT COMPANY)) {
    my @small = (403, 1002, { message =>
        "Access denied: the API key's scope is too small" });
    is_refused(create({ name => 'No' }, key => $key{$scope}), @small,
               "$scope: no child");
    is_refused(change($klm, { name => 'No' }, key => $key{$scope}), @small,
               "$scope: no change");
}

is_deeply([map { @$_ } $t->sql(q{
    select event_type || coalesce(' ' || data::text, '') from ezw.audit_log
     where company = ? and actor_id = ? and target_id = company::text
     order by id}, $made, $t->key_id($owner) . '@key.eazy.im')],
    ['org.created {"name" : "First"}', ('org.updated') x 2,
     'org.updated {"status" : "BLOCKED"}', 'org.updated',
     'org.updated {"status" : "ACTIVE"}',
     'org.updated {"status" : "BLOCKED"}',
     'org.updated {"status" : "ACTIVE"}'], 'the audit log');

done_testing;

# Companies: one's own, and an OWNER's children; one's own first, as the
# document's list has it.

use EZW;

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
wait_for(sub { $t->http(GET => "/v3/companies/$new",
                        key => $key{OWNER})->status == 200 }, 2,
         'a new child within 2 s');
is_answer($t->http(GET => '/v3/companies', key => $key{OWNER}), 200,
          [{ id => $klm, name => 'KLM NV' }, \%child,
           { id => $new, name => 'Transavia' }], 'the new child is listed');

done_testing;

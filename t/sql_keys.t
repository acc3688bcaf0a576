# Keys as their owners make, change and revoke them: what the statements allow,
# refuse, answer and leave behind.

use EZW;
use EZW::Statements;
use Digest::SHA qw(sha256_hex);

my $t = EZW->start(start => 0);

# A reseller with two children, and a stranger.
my $company = $t->company;
my ($child, $second) = map { $t->company(parent => $company) } 1 .. 2;
my $grandchild = $t->company(parent => $child);
my $stranger = $t->company;
my $channel = $t->channel(company => $company);
my $other = $t->channel(company => $company);
my $archived = $t->channel(company => $company, archived_at => '2020-01-01');
my $of_child = $t->channel(company => $child);
my $foreign = $t->channel(company => $stranger);
my $assistant = $t->assistant(company => $company);
my $another = $t->assistant(company => $company);
my $strange = $t->assistant(company => $stranger);

my $actor = $t->uuid . '@key.eazy.im';
my $statements = EZW::Statements->new($t,
    company => $company, 'key.companies' => "{$company,$child,$second}",
    'key.actor' => $actor, address => '192.0.2.1', trace => 'f' x 32,
    (map { ("body.$_" => undef) }
     qw(companyId scope description objects whitelist expiresAt ratePerMinute
        burst enabled)),
    (map { ("has.body.$_" => 'f') }
     qw(description whitelist expiresAt ratePerMinute burst cipherKey)),
    'sealed.cipherKey' => undef, 'fingerprint.cipherKey' => undef,
    'page.count' => 'f', 'page.limit' => 1000, 'after.0' => undef,
    'after.1' => undef);

# The keys of a company, as they are listed: without what a page needs.
sub listed {
    my (%values) = @_;
    return [map {
        my $row = $_;
        +{ map { $_ => $row->{$_} } grep { !/^\@/ } keys %$row };
    } grep { $_->{'@row'} } @{ $statements->run('key_list', %values) }];
}

sub objects { return to_json([map { { type => $_->[0], ref => $_->[1] } } @_]) }

sub create {
    my (%body) = @_;

    my $secret = $t->random_text(40);
    return $statements->row('key_create',
        'id.key' => $statements->id, 'id.audit' => $statements->id,
        'secret.key.hash' => sha256_hex($secret),
        'secret.key.prefix' => substr($secret, 0, 6), %body);
}

sub update {
    my ($id, %body) = @_;
    return $statements->row('key_update', 'path.id' => $id,
                            'id.audit' => $statements->id, %body);
}

sub revoke {
    my ($id, %more) = @_;
    return $statements->row('key_delete', 'path.id' => $id,
                            'id.audit' => $statements->id, %more)->{refusal};
}

# The audit rows of a key, oldest first, without their times.
sub audit {
    my ($id) = @_;
    return [map { [@$_] } $t->sql(q{
        select g.event_type, g.actor_type, g.actor_id, g.address, g.trace,
               g.company::text, g.data::text
          from ezw.audit_log g
         where g.target_type = 'key' and g.target_id = ?
         order by g.id}, $id)];
}

sub refused {
    my ($name, $refusal, $call) = @_;

    my $before = $t->snapshot;
    my $row = $call->();
    is_deeply([grep { defined $row->{$_} } keys %$row], ['refusal'],
              "$name: a refusal and nothing else");
    is($row->{refusal}, $refusal, "$name: $refusal");
    is_deeply($t->snapshot, $before, "$name: nothing is written");
    return;
}

# A key with everything.
my $row = create(
    'body.scope' => 'CHANNEL', 'body.description' => 'Everything',
    'body.objects' => objects([CHANNEL => $other], [CHANNEL => $channel]),
    'body.whitelist' => '["192.0.2.0/24","2001:db8::1"]',
    'body.expiresAt' => '2100-01-01T00:00:00Z', 'body.ratePerMinute' => 90,
    'body.burst' => 9, 'body.enabled' => 'f', 'sealed.cipherKey' => '00ff',
    'fingerprint.cipherKey' => 'sha256:0123456789abcdef');
my $all = $row->{id};
my $prefix = $t->value('select prefix from ezw.api_key where id = ?', $all);
my %all = (
    refusal => undef, burst => 9, cipherKey => 'sha256:0123456789abcdef',
    description => 'Everything', enabled => 0,
    expiresAt => '2100-01-01 00:00:00+00', id => $all, 'key:secret' => undef,
    lastUsed => undef, prefix => $prefix, ratePerMinute => 90,
    objects => to_json([{ jid => $channel, type => 'CHANNEL' },
                        { jid => $other, type => 'CHANNEL' }]),
    scope => 'CHANNEL', whitelist => ['192.0.2.0/24', '2001:db8::1'],
);
$t->sql("set timezone = 'UTC'");
$statements->{dbh}->do("set timezone = 'UTC'");
$row = listed()->[0];
delete $all{'key:secret'}, delete $all{refusal};
is_deeply($row, \%all, 'a key with everything, as it is listed');
is($t->value('select encode(cipher_key, ?) from ezw.api_key where id = ?',
             'hex', $all), '00ff', 'its sealed cipher key');
is_deeply(audit($all), [['key.created', 'key', $actor, '192.0.2.1', 'f' x 32,
    $company, qq({"prefix" : "$prefix", "scope" : "CHANNEL"})]],
    'its audit row');

# And one with nothing.
my $bare = create('body.scope' => 'COMPANY')->{id};
my %bare = (
    burst => undef, cipherKey => undef, description => undef, enabled => 1,
    expiresAt => undef, id => $bare, lastUsed => undef, objects => '[]',
    prefix => $t->value('select prefix from ezw.api_key where id = ?', $bare),
    ratePerMinute => undef, scope => 'COMPANY', whitelist => undef,
);
is_deeply(listed(), [\%all, \%bare],
          'the keys, by their creation');

# What each scope may have.
my @fits = (
    ['CHANNEL', [CHANNEL => $channel]],
    ['CHANNEL', [CHANNEL => $channel], [CHANNEL => $other],
     [CHANNEL => $channel]],
    ['ASSISTANT'],
    ['ASSISTANT', [ASSISTANT => $assistant]],
    ['ASSISTANT', [ASSISTANT => $assistant], [ASSISTANT => $assistant],
     [CHANNEL => $channel]],
    ['ASSISTANT', [CHANNEL => $other]],
    ['COMPANY', [COMPANY => $company]],
    ['OWNER'],
    ['OWNER', [COMPANY => $company], [COMPANY => $child],
     [COMPANY => $second]],
);
my @unfit = (
    [object_needed => 'CHANNEL'],
    [object_unsuitable => 'CHANNEL', [ASSISTANT => $assistant]],
    [object_unsuitable => 'CHANNEL', [CHANNEL => $channel],
     [ASSISTANT => $assistant]],
    [object_unsuitable => 'CHANNEL', [COMPANY => $company]],
    [object_unsuitable => 'ASSISTANT', [COMPANY => $company]],
    [object_unsuitable => 'ASSISTANT', [ASSISTANT => $assistant],
     [ASSISTANT => $another]],
    [object_unsuitable => 'COMPANY', [CHANNEL => $channel]],
    [object_unsuitable => 'OWNER', [ASSISTANT => $assistant]],
    [object_unknown => 'CHANNEL', [CHANNEL => $foreign]],
    [object_unknown => 'CHANNEL', [CHANNEL => $of_child]],
    [object_unknown => 'CHANNEL', [CHANNEL => $archived]],
    [object_unknown => 'CHANNEL', [CHANNEL => $channel],
     [CHANNEL => '31699999999@whatsapp.eazy.im']],
    [object_unknown => 'ASSISTANT', [ASSISTANT => $strange]],
    [object_unknown => 'ASSISTANT', [ASSISTANT => $channel]],
    [object_unknown => 'COMPANY', [COMPANY => $child]],
    [object_unknown => 'OWNER', [COMPANY => $stranger]],
    [object_unknown => 'OWNER', [COMPANY => $grandchild]],
    [object_unknown => 'OWNER', [COMPANY => $channel]],
);
sub called {
    my ($scope, @objects) = @_;
    return join ' ', $scope, 'with', map { $_->[0] } @objects;
}
for my $case (@fits) {
    my ($scope, @objects) = @$case;
    my %want = map { my $o = $_; to_json({
        $o->[0] eq 'COMPANY' ? (id => $o->[1]) : (jid => $o->[1]),
        type => $o->[0] }) => 1 } @objects;

    my $made = create('body.scope' => $scope,
                      'body.objects' => objects(@objects));
    is($made->{refusal}, undef, called($scope, @objects));
    is_deeply([sort map { to_json($_) } @{ from_json($made->{objects}) }],
              [sort keys %want], 'its objects, each once');
    my $changed = update($bare, 'body.scope' => $scope,
                         'body.objects' => objects(@objects));
    is_deeply([@$changed{qw(refusal scope objects)}],
              [undef, $scope, $made->{objects}], 'and an older key may be so');
}
for my $case (@unfit) {
    my ($refusal, $scope, @objects) = @$case;
    refused('a new ' . called($scope, @objects), $refusal,
            sub { create('body.scope' => $scope,
                         'body.objects' => objects(@objects)) });
    refused('an older ' . called($scope, @objects), $refusal,
            sub { update($bare, 'body.scope' => $scope,
                         'body.objects' => objects(@objects)) });
}

# A scope alone: the objects that are there must suit it.
update($bare, 'body.scope' => 'ASSISTANT',
       'body.objects' => objects([CHANNEL => $channel]));
is(update($bare, 'body.scope' => 'CHANNEL')->{scope}, 'CHANNEL',
   'another scope that suits its objects');
refused('one that does not', 'object_unsuitable',
        sub { update($bare, 'body.scope' => 'COMPANY') });
refused('no objects', 'object_needed',
        sub { update($bare, 'body.objects' => '[]') });

# What has been archived since may stay, and may not be added.
my $old = $t->channel(company => $company);
my $keeper = create('body.scope' => 'CHANNEL',
                    'body.objects' => objects([CHANNEL => $old]))->{id};
$t->sql('update ezw.channel set archived_at = now() where jid = ?', $old);
is(update($keeper, 'body.objects' => objects([CHANNEL => $old],
                                             [CHANNEL => $channel]))->{refusal},
   undef, 'an object that was archived stays');
refused('of another key', 'object_unknown',
        sub { update($bare, 'body.objects' => objects([CHANNEL => $old])) });

# Each field by itself, to a value and to null.
for my $case (
    [description => 'New', 'New'],
    [whitelist => '["127.0.0.1"]', ['127.0.0.1']],
    [whitelist => '[]', []],
    [expiresAt => '2099-01-01T00:00:00Z', '2099-01-01 00:00:00+00'],
    [ratePerMinute => 5, 5],
    [burst => 3, 3],
) {
    my ($field, $value, $want) = @$case;
    for my $to ([$value, $want], [undef, undef]) {
        my $now = listed()->[0];
        is_deeply(update($all, "has.body.$field" => 't',
                         "body.$field" => $to->[0]),
                  { %$now, refusal => undef, $field => $to->[1] },
                  "$field: " . ($to->[0] // 'null'));
    }
}
is(update($all, 'body.enabled' => 't')->{enabled}, 1, 'enabled');
is(update($all, 'has.body.cipherKey' => 't', 'sealed.cipherKey' => 'aa55',
          'fingerprint.cipherKey' => 'sha256:fedcba9876543210')->{cipherKey},
   'sha256:fedcba9876543210', 'another cipher key');
is($t->value('select encode(cipher_key, ?) from ezw.api_key where id = ?',
             'hex', $all), 'aa55', 'is kept');
is(update($all, 'has.body.cipherKey' => 't')->{cipherKey}, undef,
   'no cipher key');
is($t->value('select cipher_key is null from ezw.api_key where id = ?', $all),
   1, 'is kept');

# Nothing that changes writes nothing; what changes is told to the caches and
# to the audit log, once.
my $before = $t->snapshot;
update($all);
update($all, 'body.scope' => 'CHANNEL', 'body.enabled' => 't',
       'has.body.description' => 't',
       'body.objects' => objects([CHANNEL => $other], [CHANNEL => $channel]));
is_deeply($t->snapshot, $before, 'what stays as it is is not written');
my $seq = $t->value('select seq from ezw.change_counter');
my $rows = @{ audit($all) };
update($all, 'body.objects' => objects([CHANNEL => $other]));
is_deeply([map { $_->[0] } $t->sql(
    q{select kind || ' ' || ref from ezw.change where seq > ?}, $seq)],
    ['key ' . $t->value(q{select encode(hash, 'hex') from ezw.api_key
                           where id = ?}, $all)], 'one change for the caches');
is(scalar @{ audit($all) }, $rows + 1, 'one row of the audit log');
is(audit($all)->[-1][0], 'key.updated', 'that it was updated');

# Keys of children: made, changed and revoked by the parent.
my $inner = create('body.companyId' => $child, 'body.scope' => 'CHANNEL',
                   'body.objects' => objects([CHANNEL => $of_child]));
is($inner->{refusal}, undef, "a child's key");
is($t->value('select company from ezw.api_key where id = ?', $inner->{id}),
   $child, "is the child's");
ok(!(grep { $_->{id} eq $inner->{id} } @{ listed() }),
   "and not in the parent's list");
is_deeply([map { $_->{id} } @{ listed(company => $child) }],
          [$inner->{id}], "but in the child's");
refused("a child's key with the parent's channel", 'object_unknown', sub {
    create('body.companyId' => $child, 'body.scope' => 'CHANNEL',
           'body.objects' => objects([CHANNEL => $channel])) });
refused("a key of $_->[1]", 'company_unknown', sub {
    create('body.companyId' => $_->[0], 'body.scope' => 'COMPANY') })
    for [$stranger, 'a stranger'], [$grandchild, 'a grandchild'],
        [$t->uuid, 'nobody'];
is(update($inner->{id}, 'has.body.description' => 't',
          'body.description' => 'Changed')->{description}, 'Changed',
   "a child's key is changed");
is(revoke($inner->{id}), undef, 'and revoked');
is_deeply([map { [@$_[0, 5]] } @{ audit($inner->{id}) }],
          [map { ["key.$_", $child] } qw(created updated revoked)],
          "in the child's audit log");

# What is not there, or not theirs, is not found.
my $revoked = create('body.scope' => 'OWNER')->{id};
is(revoke($revoked), undef, 'revoked');
is_deeply([$t->sql(q{select enabled, revoked_at is not null from ezw.api_key
                      where id = ?}, $revoked)], [[1, 1]], 'as it says');
my $theirs = $t->key_id($t->key(company => $stranger, scope => 'COMPANY'));
my $below = $t->key_id($t->key(company => $grandchild, scope => 'COMPANY'));
for my $case ([$revoked, 'a revoked key'], [$theirs, "a stranger's key"],
              [$below, "a grandchild's key"], [$t->uuid, 'no key'],
              ['current', 'no id'], ['', 'nothing'], ["$all\n", 'a new line'],
              [substr($all, 1), 'a part of an id'], ["{$all}", 'an id in braces'])
{
    my ($id, $name) = @$case;
    refused("$name, changed", 'not_found', sub {
        update($id, 'has.body.description' => 't', 'body.enabled' => 'f') });
    refused("$name, revoked", 'not_found', sub { +{ refusal => revoke($id) } });
}
is(update(uc $all)->{id}, $all, 'an id in upper case is one');
ok(!(grep { $_->{id} eq $revoked } @{ listed() }),
   'a revoked key is not listed');

# An address that was refused.
is($statements->row('key_denied', key => $all, id => $statements->id)->{denied},
   1, 'a denial');
is_deeply(audit($all)->[-1], ['key.ip_denied', 'system', undef, '192.0.2.1',
                              'f' x 32, $company, undef], 'in the audit log');

# What the gate reads of a key: null for the location's rate.
my $hash = sub { $t->value(q{select encode(hash, 'hex') from ezw.api_key
                              where id = ?}, $_[0]) };
my $principal = $statements->row('key_principal', hash => $hash->($bare));
is_deeply([@$principal{qw(rate_per_minute burst prefix)}],
          [undef, undef, $bare{prefix}], "a key at the location's rate");
update($bare, 'has.body.ratePerMinute' => 't', 'body.ratePerMinute' => 30);
$principal = $statements->row('key_principal', hash => $hash->($bare));
is_deeply([@$principal{qw(rate_per_minute burst)}], [30, undef],
          'at one of its own');

done_testing;

# API keys as their owners make, change and revoke them over HTTP: whole
# answers, what is refused and why, what it leaves in the database, and when it
# takes effect.
# sanitizers

use EZW;
use EZW::Stall;
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64 encode_base64);
use Time::HiRes qw(time);

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $child = $t->company(parent => $company);
my ($channel, $other) = sort map { $t->channel(company => $company) } 1 .. 2;
my $of_child = $t->channel(company => $child);
my $assistant = $t->assistant(company => $company);
my $owner = $t->key(company => $company, scope => 'OWNER',
                    description => 'The owner');
my $owner_id = $t->key_id($owner);
my $reader = $t->key(company => $company, scope => 'COMPANY');
my $stranger = $t->key(company => $t->company, scope => 'OWNER');
my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my $PATH = '/v3/keys';

sub ask {
    my ($method, $path, %o) = @_;
    return $t->http($method => $path, key => $owner, %o);
}
sub create { my ($json, %o) = @_; return ask(POST => $PATH, json => $json, %o) }
sub change {
    my ($id, $json, %o) = @_;
    return ask(PATCH => "$PATH/$id", json => $json, %o);
}
sub revoke { my ($id, %o) = @_; return ask(DELETE => "$PATH/$id", %o) }
sub current { return $t->http(GET => "$PATH/current", key => $_[0]) }

# The keys that there are, for the one that asks.
sub list { return ask(GET => $PATH, @_)->json }
sub listed {
    my ($id, @of) = @_;
    return grep { $_->{id} eq $id } @{ list(@of) };
}

# Audit rows of a key, oldest first: all but id and time.
sub audited {
    my ($id) = @_;
    return [map { [@$_] } $t->sql(q{
        select g.company, g.event_type, g.actor_type, g.actor_id, g.address,
               g.trace, g.data::text
          from ezw.audit_log g
         where g.target_type = 'key' and g.target_id = ?
         order by g.created_at, g.id}, $id)];
}

# One of them; DATA as the database has json.
sub audit_row {
    my ($event, $r, %o) = @_;
    return [$o{company} // $company, "key.$event", 'key',
            ($o{by} // $owner_id) . '@key.eazy.im', '127.0.0.1',
            $r->header('x-trace-id'), $o{data}];
}

# Everything but what the use of a key leaves: its time.
sub tables {
    my $tables = $t->snapshot('api_key');
    $tables->{api_key} = [map { $_->[0] } $t->sql(
        q{select (to_jsonb(k) - 'last_used')::text from ezw.api_key k
           order by 1})];
    return $tables;
}


# Making ---------------------------------------------------------------------

# With nothing that may be left out. The secret is shown here and nowhere else.
my %bare = (
    burst => undef, cipherKey => undef, description => undef, enabled => true,
    expiresAt => undef, id => $uuid, lastUsed => undef, objects => [],
    prefix => qr/^[A-Za-z0-9]{6}$/, ratePerMinute => undef,
    scope => 'COMPANY', whitelist => undef,
);
my $r = create({ scope => 'COMPANY' });
is_answer($r, 201, { %bare, key => qr/^[A-Za-z0-9]{40}$/ },
          'a key with its scope alone');
is($r->header('cache-control'), 'no-store', 'for no cache');
is($r->body, to_json($r->json), 'compact, and names in their order');
my ($text, $id) = @{ $r->json }{qw(key id)};
%bare = (%bare, id => $id, prefix => substr $text, 0, 6);
is($r->json->{prefix}, $bare{prefix}, 'its prefix is that of the key');
is_answer(current($text), 200, \%bare, 'it works at once');
is_deeply([$t->sql(q{select company, encode(hash, 'hex'), prefix, cipher_key
                       from ezw.api_key where id = ?}, $id)],
          [[$company, sha256_hex($text), $bare{prefix}, undef]],
          'of the secret only the hash is kept');
is_deeply(audited($id), [audit_row(created => $r, data =>
    qq({"prefix" : "$bare{prefix}", "scope" : "COMPANY"}))], 'the audit row');
is_json((listed($id))[0], { %bare, lastUsed => sub { !defined $_[0]
                                                     || $_[0] =~ $time } },
        'and how it is listed: without the secret');

# With everything. The same is written in one way: networks as RFC 5952 has
# them, once each; times in UTC.
my $plain = join '', map { chr 255 - $_ } 1 .. 32;
my $cipher = encode_base64($plain, '');
my $fingerprint = 'sha256:' . substr sha256_hex($plain), 0, 16;
$r = create({
    scope => 'CHANNEL', description => "Wärehouse \"1\"\n\x{1F600}",
    objects => [map { { type => 'CHANNEL', jid => $_ } }
                uc($other) =~ s/\@WHATSAPP/\@whatsapp/r, $channel, $other],
    whitelist => ['192.0.2.77/24', '2001:DB8:0::01', '192.0.2.0/24',
                  '::ffff:127.0.0.1', '10.0.0.0/8', '127.0.0.1/32', '::/128'],
    expiresAt => '2100-01-02T03:04:05.6789+02:00', ratePerMinute => 60000000,
    burst => 1000000, enabled => true, cipherKey => $cipher =~ s/=+$//r,
    # what is known and not for the asking, and what is not known
    id => $t->uuid, lastUsed => '2020-01-01T00:00:00Z', prefix => 'abcdef',
    key => 'x' x 40, hash => 'x', company => $child, revokedAt => undef,
});
my %full = (
    burst => 1000000, cipherKey => $fingerprint,
    description => "Wärehouse \"1\"\n\x{1F600}", enabled => true,
    expiresAt => '2100-01-02T01:04:05.678900Z', id => $uuid, lastUsed => undef,
    objects => [map { { jid => $_, type => 'CHANNEL' } } $channel, $other],
    prefix => qr/^[A-Za-z0-9]{6}$/, ratePerMinute => 60000000,
    scope => 'CHANNEL', whitelist => ['192.0.2.0/24', '2001:db8::1',
                                      '127.0.0.1', '10.0.0.0/8', '::'],
);
is_answer($r, 201, { %full, key => qr/^[A-Za-z0-9]{40}$/ },
          'a key with everything');
my ($full_text, $full) = @{ $r->json }{qw(key id)};
%full = (%full, id => $full, prefix => substr $full_text, 0, 6);
is_answer(current($full_text), 200, \%full, 'it works at once');
is($t->http(GET => "/v3/channels/$channel/contacts/" . $t->contact_jid,
            key => $full_text)->status, 404, 'for its channels');
isnt($full_text, $text, 'no two are alike');

# What it encrypts with is in no table, in no form that can be read.
my $everything = to_json($t->snapshot);
for my $form ($cipher =~ s/=+$//r, unpack('H*', $plain), $text, $full_text,
              unpack('H*', $text))
{
    ok(index($everything, $form) < 0, 'in no table: ' . substr $form, 0, 6);
}
my ($sealed) = map { $_->[0] } $t->sql(
    q{select encode(cipher_key, 'hex') from ezw.api_key where id = ?}, $full);
is(length $sealed, 2 * (32 + 37), 'but sealed');
create({ scope => 'COMPANY', cipherKey => $cipher });
is($t->value(q{select count(distinct cipher_key) from ezw.api_key
                where cipher_fingerprint = ?}, $fingerprint), 2,
   'and the same is sealed differently each time');
is(scalar(() = ($t->error_log . $t->access_log . $t->database_log)
          =~ /$text|$full_text|\Q$cipher\E/g), 0, 'nor is it in a log');

# Each scope, with what it may have.
for my $case (
    ['CHANNEL', { type => 'CHANNEL', jid => $channel }],
    ['ASSISTANT'],
    ['ASSISTANT', { type => 'ASSISTANT', jid => $assistant },
     { type => 'CHANNEL', jid => $other }],
    ['COMPANY', { type => 'COMPANY', id => $company }],
    ['OWNER', { type => 'COMPANY', id => uc $child }],
) {
    my ($scope, @objects) = @$case;
    $r = create({ scope => $scope, objects => \@objects });
    my %want = (%bare, id => $uuid, prefix => qr/^\w{6}$/, scope => $scope,
                objects => [map { { %$_, exists $_->{id}
                                    ? (id => lc $_->{id}) : () } } @objects]);
    is_answer($r, 201, { %want, key => qr/^\w{40}$/ },
              "$scope with " . @objects . ' objects');
    is_answer(current($r->json->{key}), 200, \%want, "$scope: who am I");
}

# Switched off, or past its end: made, and of no use.
for my $case (
    [{ enabled => false }, 'Unauthorized: the API key is disabled'],
    [{ expiresAt => '1999-12-31T23:59:59Z' },
     'Unauthorized: the API key has expired'],
    # where clocks begin
    [{ expiresAt => '1970-01-01T00:00:00Z' },
     'Unauthorized: the API key has expired'],
    [{ expiresAt => '1970-01-01T01:00:00.000999+01:00' },
     'Unauthorized: the API key has expired'],
    [{ expiresAt => '0001-01-01T00:00:00Z' },
     'Unauthorized: the API key has expired'],
) {
    my ($more, $message) = @$case;
    $r = create({ scope => 'COMPANY', %$more });
    is($r->status, 201, to_json($more));
    is_refused(current($r->json->{key}), 401, 1001, { message => $message },
               to_json($more));
    is(scalar(listed($r->json->{id})), 1, 'which is listed');
}


# The list ---------------------------------------------------------------------

# A company of its own, whose keys are all known; others do not see them, nor
# it theirs.
my $firm = $t->company;
my $firm_child = $t->company(parent => $firm);
my $boss = $t->key(company => $firm, scope => 'OWNER', description => 'Boss');
my %boss = (%bare, scope => 'OWNER', description => 'Boss',
            id => $t->key_id($boss), prefix => substr($boss, 0, 6));
is_answer($t->http(GET => $PATH, key => $boss), 200, [\%boss], 'one key');
my %used = (lastUsed => sub { !defined $_[0] || $_[0] =~ $time });
my @made = map { create($_, key => $boss)->json } (
    { scope => 'COMPANY', description => 'First' },
    { scope => 'COMPANY', description => 'Second', enabled => false },
    { scope => 'ASSISTANT', expiresAt => '2020-01-01T00:00:00Z',
      whitelist => [] });
delete $_->{key} for @made;
my $inner = create({ scope => 'OWNER', companyId => $firm_child },
                   key => $boss)->json;
$t->key(company => $firm, scope => 'OWNER', revoked_at => '2020-01-01');
my $clerk = $t->key(company => $firm, scope => 'COMPANY',
                    description => 'Clerk');
push @made, { %bare, description => 'Clerk', id => $t->key_id($clerk),
              prefix => substr $clerk, 0, 6 };
is_answer($t->http(GET => $PATH, key => $_), 200,
          [map { { %$_, %used } } \%boss, @made],
          'all of the company, by their creation') for $boss, $clerk;
is_answer($t->http(GET => $PATH, key => $inner->{key}), 200,
          [{ (map { $_ => $inner->{$_} } keys %bare), %used }],
          "a child's");

# Both tell of a key in one way.
my ($mine) = listed($full);
is_json(current($full_text)->json, { %$mine, %used },
        'keys/current and the list are alike');


# Changing ---------------------------------------------------------------------

# Each field by itself, to values and to null; nothing else changes.
my %now = (%full, %used);
for my $case (
    [description => 'New', ''],
    [objects => [{ type => 'CHANNEL', jid => $other }]],
    [whitelist => ['127.0.0.1'], [], ['::1', '127.0.0.0/8']],
    [expiresAt => '2099-12-31T23:59:59.999999Z'],
    [ratePerMinute => 1, 60000000],
    [burst => 1, 1000000],
    [enabled => false, true],
    [scope => 'ASSISTANT', 'CHANNEL'],
) {
    my ($field, @values) = @$case;
    my $null = $field !~ /objects|enabled|scope/;
    for my $value (@values, $null ? undef : ()) {
        $now{$field} = $value;
        is_answer(change($full, { $field => $value }), 200, \%now,
                  "$field: " . to_json($value));
        is_json((listed($full))[0], \%now, 'as it is listed');
    }
}
is_answer(change(uc $full, {}), 200, \%now, 'nothing, of an id in upper case');

# What is kept of a cipher key. A program that sends back what it has read
# changes nothing, but by what it has edited (DECISIONS 1).
sub sealed_of {
    return $t->value(q{select encode(cipher_key, 'hex') from ezw.api_key
                        where id = ?}, $_[0]);
}
is(sealed_of($full), $sealed, 'the cipher key is the first still');
my $before = tables();
is_answer(change($full, { %{ (listed($full))[0] } }), 200, \%now,
          'sent back as it was read');
is_deeply(tables(), $before, 'which writes nothing');
is_answer(change($full, { %{ (listed($full))[0] }, description => 'Edited' }),
          200, { %now, description => 'Edited' }, 'edited and sent back');
$now{description} = 'Edited';
is(sealed_of($full), $sealed, 'with its cipher key');
my $another = encode_base64('another key of thirty-two bytes!', '');
$now{cipherKey} = 'sha256:'
    . substr sha256_hex('another key of thirty-two bytes!'), 0, 16;
is_answer(change($full, { cipherKey => $another }), 200, \%now,
          'another cipher key');
isnt(sealed_of($full), $sealed, 'is kept');
$before = tables();
is_answer(change($full, { cipherKey => $_ }), 200, \%now,
          "a fingerprint sets nothing: $_") for $now{cipherKey}, $fingerprint;
is_deeply(tables(), $before, 'and writes nothing');
$now{cipherKey} = undef;
is_answer(change($full, { cipherKey => undef }), 200, \%now, 'none');
is(sealed_of($full), undef, 'is kept');

# What stays as it is writes nothing; what does not is told once.
$before = tables();
for my $json ({}, { description => 'Edited' }, { enabled => true, unknown => 1,
              scope => 'CHANNEL', whitelist => undef, companyId => $child,
              objects => $now{objects} }, { %{ (listed($full))[0] } })
{
    is_answer(change($full, $json), 200, \%now, 'unchanged');
}
is_deeply(tables(), $before, 'nothing is written');
my $rows = @{ audited($full) };
$r = change($full, { description => 'Told', whitelist => ['127.0.0.1'],
                     enabled => true });
is($r->status, 200, 'two fields at once');
is_deeply([@{ audited($full) }[$rows .. @{ audited($full) } - 1]],
          [audit_row(updated => $r)], 'one row in the audit log');


# Revoking ---------------------------------------------------------------------

$rows = @{ audited($full) };
$r = revoke($full, body => 'whatever', headers => { 'Content-Type' => 'x/y' });
is_answer($r, 204, undef, 'revoked');
is_deeply([@{ audited($full) }[$rows .. @{ audited($full) } - 1]],
          [audit_row(revoked => $r, data =>
              qq({"prefix" : "$full{prefix}", "scope" : "CHANNEL"}))],
          'the audit row');
is(scalar(listed($full)), 0, 'it is not listed');
is(@{ audited($full) }, $rows + 1, 'and its rows stay');
for my $request ([DELETE => "$PATH/$full"],
                 [PATCH => "$PATH/$full", json => {}],
                 [DELETE => "$PATH/" . $t->uuid], [DELETE => "$PATH/nothing"])
{
    is_refused(ask(@$request), 404, 1009, { message => 'Not found' },
               "not found: $request->[0] $request->[1]");
}

# Oneself.
my $self = create({ scope => 'OWNER' })->json;
is_answer(revoke($self->{id}, key => $self->{key}), 204, undef,
          'a key that revokes itself');
is(audited($self->{id})->[-1][3], "$self->{id}\@key.eazy.im", 'it was itself');


# Children ---------------------------------------------------------------------

$r = create({ scope => 'CHANNEL', companyId => uc $child,
              cipherKey => $cipher,
              objects => [{ type => 'CHANNEL', jid => $of_child }] });
my $made = $r->json;
is_answer($r, 201, { %bare, id => $uuid, key => qr/^\w{40}$/,
    cipherKey => $fingerprint, prefix => qr/^\w{6}$/, scope => 'CHANNEL',
    objects => [{ jid => $of_child, type => 'CHANNEL' }] }, "a child's key");
is($t->value('select company from ezw.api_key where id = ?', $made->{id}),
   $child, "is the child's");
is_answer($t->http(GET => '/v3/companies/current', key => $made->{key}), 200,
          { id => $child, name => qr/./ }, 'it says so');
is(scalar(listed($made->{id})), 0, "not in the parent's list");
my $child_owner = create({ scope => 'OWNER', companyId => $child })->json;
is(scalar(listed($made->{id}, key => $child_owner->{key})), 1,
   "but in the child's");
my @events = audit_row(created => $r, company => $child,
    data => qq({"prefix" : "$made->{prefix}", "scope" : "CHANNEL"}));
$r = change($made->{id}, { description => 'By the parent' });
is($r->json->{description}, 'By the parent', 'changed by the parent');
push @events, audit_row(updated => $r, company => $child);
$r = change($made->{id}, { description => 'By itself' },
            key => $child_owner->{key});
is($r->json->{description}, 'By itself', 'and by the child');
push @events, audit_row(updated => $r, company => $child,
                        by => $child_owner->{id});
is($t->http(GET => "/v3/channels/$of_child/contacts/" . $t->contact_jid,
            key => $made->{key})->status, 404, 'in use');
$r = revoke($made->{id});
is($r->status, 204, 'revoked by the parent');
push @events, audit_row(revoked => $r, company => $child,
    data => qq({"prefix" : "$made->{prefix}", "scope" : "CHANNEL"}));
is_deeply(audited($made->{id}), \@events, "all of it in the child's log");
for my $case (["the parent's", $id, $child_owner->{key}],
              ["the child's", $child_owner->{id}, $stranger])
{
    my ($name, $which, $who) = @$case;
    is_refused(change($which, { enabled => false }, key => $who), 404, 1009,
               { message => 'Not found' }, "$name is not changed");
    is_refused(revoke($which, key => $who), 404, 1009,
               { message => 'Not found' }, "$name is not revoked");
}


# When it bites ----------------------------------------------------------------

# Keys in use, and what is done to each: whatever it is, two seconds later all
# workers know.
my $here = "$PATH/current";
my $there = "/v3/channels/$channel/contacts/" . $t->contact_jid;
my %disabled = (says => [401, 'Unauthorized: the API key is disabled']);
my @bites = (
    ['revoked', {}, undef, %disabled],
    ["a child's, revoked", { companyId => $child }, undef, %disabled],
    ['disabled', {}, { enabled => false }, %disabled],
    ['past its end', {}, { expiresAt => '2020-01-01T00:00:00Z' },
     says => [401, 'Unauthorized: the API key has expired']],
    ['an end put off', { expiresAt => '2020-01-01T00:00:00Z' },
     { expiresAt => undef }, before => 401, says => [200]],
    ['an address', {}, { whitelist => ['192.0.2.1'] },
     says => [403, 'IP 127.0.0.1 is not whitelisted']],
    ['every address', { whitelist => [] }, { whitelist => undef },
     before => 403, says => [200]],
    ['a smaller scope', {}, { scope => 'ASSISTANT' }, path => $PATH,
     says => [403, "Access denied: the API key's scope is too small"]],
    ['a larger one', { scope => 'ASSISTANT' }, { scope => 'COMPANY' },
     path => $PATH, before => 403, says => [200]],
    ['another channel',
     { scope => 'CHANNEL',
       objects => [{ type => 'CHANNEL', jid => $channel }] },
     { objects => [{ type => 'CHANNEL', jid => $other }] },
     path => $there, before => 404,
     says => [403, 'Access denied: not a channel of the API key']],
    ['a rate and a burst', {}, { ratePerMinute => 600000, burst => 7000 },
     policy => '"key";q=7000;w=1'],
    # that of six seconds unless it is told
    ['a rate', {}, { ratePerMinute => 600000 }, policy => '"key";q=60000;w=6'],
    ["the location's", { ratePerMinute => 600000 }, { ratePerMinute => undef },
     policy => '"key";q=1000000;w=1'],
    ['one a minute', {}, { ratePerMinute => 1, burst => 2 },
     says => [429, 'Rate limit exceeded']],
);

# Asks many times for each, so that all workers have it in their hands; returns
# those that do not get RIGHT(answer, %want) every time.
sub wrong {
    my ($right, @cases) = @_;

    my @answers = $t->parallel(map {
        my ($name, $made, undef, %want) = @$_;
        ([GET => $want{path} // $here, key => $made->{key}]) x 8;
    } @cases);
    return grep {
        my (undef, undef, undef, %want) = @$_;
        grep { !$right->($_, %want) } splice @answers, 0, 8;
    } @cases;
}

$_->[1] = create({ scope => 'COMPANY', %{ $_->[1] } })->json for @bites;
is_deeply([map { $_->[0] } wrong(sub {
    my ($got, %want) = @_;
    return $got->status == ($want{before} // 200);
}, @bites)], [], 'before');
for my $case (@bites) {
    my ($name, $made, $json) = @$case;
    my $done = $json ? change($made->{id}, $json) : revoke($made->{id});
    is($done->status, $json ? 200 : 204, "$name: done");
}
my ($done, $latest, @left) = (time, 0, @bites);
my $stall = EZW::Stall->start($t);
eval { wait_for(sub {
    @left = wrong(sub {
        my ($got, %want) = @_;
        my ($status, $message) = @{ $want{says} // [200] };
        my $right = $got->status == $status
            && (!defined $message || $got->json->{error}{message} eq $message)
            && (!$want{policy}
                || $got->header('ratelimit-policy') eq $want{policy});
        # who asked last and was told what it was before
        $latest = $got->{started} - $done
            if !$right && $got->{started} - $done > $latest;
        return $right;
    }, @left);
    return !@left;
}, 60, 'all of them') };
is_deeply([map { $_->[0] } @left], [], 'and after');
cmp_ok($latest, '<', 2 + 0.1 * $EZW::Expect::PATIENCE + $stall->seconds,
       'within two seconds');

my ($denied) = map { $_->[1] } grep { $_->[0] eq 'an address' } @bites;
my @denials = wait_for(sub {
    my @rows = grep { $_->[1] eq 'key.ip_denied' } @{ audited($denied->{id}) };
    return @rows && \@rows;
}, 10, "the denied address's row");
is_deeply([map { [@$_[0 .. 4, 6]] } @{ $denials[0] }],
          [[$company, 'key.ip_denied', 'system', undef, '127.0.0.1', undef]],
          'of the denied address one row is written');


# Once -------------------------------------------------------------------------

my %once = (headers => { 'Idempotency-Key' => 'once' });
my %json = (scope => 'COMPANY', description => 'Once', cipherKey => $cipher);
my $first = create(\%json, %once);
is($first->status, 201, 'made once');
is($first->header('idempotency-replayed'), undef, 'and not before');
for my $time (1, 2) {
    $r = create(\%json, %once);
    is_answer($r, 201, { %{ $first->json }, key => undef },
              "again, $time: all but the secret");
    is($r->header('idempotency-replayed'), 'true', 'which it says');
}
is($t->value(q{select count(*) from ezw.api_key where description = 'Once'}),
   1, 'one key');
is(current($first->json->{key})->status, 200, 'which works');
is_refused(create({ %json, description => 'Twice' }, %once), 422, 1005,
           { message => 'The Idempotency-Key was used for another request' },
           'another body');
my $kept = to_json([$t->sql('select i::text from ezw.idempotency i')]);
ok(index($kept, $_) < 0, 'nothing secret is kept for it')
    for $first->json->{key}, $cipher, sha256_hex($first->json->{key});


# What is wrong ----------------------------------------------------------------

# Field by field: [what it must not be, what is said then, the field if it is
# another one].
my $many = [map { "10.0.0.$_" } 0 .. 100];
my %bad = (
    scope => [
        (map { [$_, 'scope must be a string'] } 1, true, [], {}),
        (map { [$_, 'scope must be one of CHANNEL, ASSISTANT, COMPANY, OWNER'] }
         '', 'company', 'COMPANY ', 'ADMIN'),
        [undef, 'scope must not be null'],
    ],
    description => [
        (map { [$_, 'description must be a string'] } 1, false, ['x'], {}),
        (map { [$_, 'description is too long: at most 255 characters'] }
         'x' x 256, "\x{1F600}" x 256),
    ],
    objects => [
        (map { [$_, 'objects must be an array of objects'] }
         'x', 1, {}, { type => 'CHANNEL', jid => $channel }),
        [undef, 'objects must not be null'],
        (map { [[$_], 'objects[0] must be an object', 'objects[0]'] }
         $channel, 1, undef, []),
        [[{ jid => $channel }], 'objects[0].type is required',
         'objects[0].type'],
        (map { [[{ type => $_, jid => $channel }], 'objects[0].type must be '
                . 'one of CHANNEL, ASSISTANT, COMPANY', 'objects[0].type'] }
         'channel', 'AGENT', '', 1, undef),
        [[{ type => 'CHANNEL', id => $channel }], 'objects[0].jid is required',
         'objects[0].jid'],
        [[{ type => 'COMPANY', jid => $channel }], 'objects[0].id is required',
         'objects[0].id'],
        (map { [[{ type => 'CHANNEL', jid => $channel },
                 { type => 'CHANNEL', jid => $_ }],
                'objects[1].jid: Jid is invalid', 'objects[1].jid'] }
         'x', '', 1, undef, '316@whatsapp.eazy.im', $assistant,
         '31612345678@whatsapp.example.com'),
        [[{ type => 'ASSISTANT', jid => $channel }],
         'objects[0].jid: Jid is invalid', 'objects[0].jid'],
        (map { [[{ type => 'COMPANY', id => $_ }],
                'objects[0].id must be a uuid', 'objects[0].id'] }
         'x', '', 1, undef, "$company ", $channel),
        [[map { { type => 'ASSISTANT', jid => "156345162247$_\@ai.eazy.im" } }
          1, 2], 'objects must not have more than one ASSISTANT'],
        [[map { { type => 'CHANNEL', jid => 31600000000 + $_
                  . '@whatsapp.eazy.im' } } 0 .. 1000],
         'objects has too many elements: at most 1000'],
    ],
    whitelist => [
        (map { [$_, 'whitelist must be an array of strings'] }
         '127.0.0.1', 1, {}),
        (map { [['::1', $_], 'whitelist[1] is no address or network',
                'whitelist[1]'] }
         '', 'x', 'localhost', '10.0.0', '10.0.0.256', '010.0.0.1',
         '0x7f.0.0.1', '2130706433', '10.0.0.0/33', '10.0.0.0/-1',
         '10.0.0.0/', '::1/129', '::1%eth0', '[::1]', ':::', 1, undef, [],
         '10.0.0.1 ', '10.0.0.1,10.0.0.2'),
        [$many, 'whitelist has too many elements: at most 100'],
    ],
    expiresAt => [
        (map { [$_, 'expiresAt must be a string'] } 4102444800, true, [], {}),
        (map { [$_, 'expiresAt must be an RFC 3339 date-time'] }
         '', 'tomorrow', '2100-01-01', '2100-01-01T00:00:00', '4102444800',
         '2100-02-29T00:00:00Z', '2100-01-01T24:00:00Z',
         '2100-01-01 00:00:00', '0000-01-01T00:00:00Z', 'infinity'),
    ],
    ratePerMinute => [
        (map { [$_, 'ratePerMinute must be an integer'] }
         '60', 1.5, true, [], {}),
        (map { [$_, 'ratePerMinute must be between 1 and 60000000'] }
         0, -1, 60000001),
    ],
    burst => [
        (map { [$_, 'burst must be an integer'] } '60', 1.5, true, [], {}),
        (map { [$_, 'burst must be between 1 and 1000000'] } 0, -1, 1000001),
    ],
    enabled => [
        (map { [$_, 'enabled must be a boolean'] } 'true', 1, 0, 't', [], {}),
        [undef, 'enabled must not be null'],
    ],
    cipherKey => [
        (map { [$_, 'cipherKey must be a string'] } 1, true, [], {}),
        (map { [$_, 'cipherKey is not base64 of 32 bytes'] }
         '', 'x', encode_base64('x' x 31, ''), encode_base64('x' x 33, ''),
         $cipher =~ tr{+/}{-_}r =~ s/^./_/r, "$cipher\n", " $cipher",
         unpack('H*', $plain), 'sha256:', "$fingerprint ", uc $fingerprint),
    ],
);
$before = tables();
for my $field (sort keys %bad) {
    for my $case (@{ $bad{$field} }) {
        my ($value, $message, $where) = @$case;
        my $name = substr to_json($value), 0, 60;
        my %want = (message => $message, field => $where // $field);
        is_refused(create({ scope => 'COMPANY', $field => $value }), 400, 1005,
                   \%want, "POST $field: $name");
        is_refused(change($id, { $field => $value }), 400, 1005, \%want,
                   "PATCH $field: $name");
    }
}
is_refused(create({ description => 'x' }), 400, 1005,
           { message => 'scope is required', field => 'scope' }, 'no scope');
is_refused(create({ scope => 'COMPANY', companyId => $_->[0] }), 400, 1005,
           { message => "companyId $_->[1]", field => 'companyId' },
           'companyId: ' . to_json($_->[0]))
    for [1, 'must be a string'], [undef, 'must not be null'],
        (map { [$_, 'must be a uuid'] } '', 'x', "$child ");

# A new key has no fingerprint to go by.
is_refused(create({ scope => 'COMPANY', cipherKey => $fingerprint }), 400, 1005,
           { message => 'cipherKey is not base64 of 32 bytes',
             field => 'cipherKey' }, 'an older one is not known by it');

# Asked strictly: what is not known, there and in the objects; what is read
# back and not for the asking may be there.
for my $case (
    [{ unknown => 1 }, 'unknown'], [{ key => 'x' x 40 }, 'key'],
    [{ objects => [{ type => 'CHANNEL', jid => $channel, name => 'x' }] },
     'objects[0].name'],
    [{ objects => [{ type => 'COMPANY', id => $company, jid => $channel }] },
     'objects[0].jid'],
) {
    my ($json, $field) = @$case;
    my %want = (message => "Unknown field: $field", field => $field);
    my %strict = (headers => { Prefer => 'handling=strict' });
    is_refused(create({ scope => 'COMPANY', %$json }, %strict), 400, 1005,
               \%want, "POST, strictly: $field");
    is_refused(change($id, $json, %strict), 400, 1005, \%want,
               "PATCH, strictly: $field");
}
is_refused(change($id, { companyId => $child },
                  headers => { Prefer => 'handling=strict' }), 400, 1005,
           { message => 'Unknown field: companyId', field => 'companyId' },
           'PATCH, strictly: a key stays where it is');
is_answer(change($id, { %{ (listed($id))[0] } },
                 headers => { Prefer => 'handling=strict' }), 200,
          (listed($id))[0], 'PATCH, strictly: what has been read');

# The body as a whole.
for my $method (POST => 'PATCH') {
    my $path = $method eq 'POST' ? $PATH : "$PATH/$id";
    for my $case (
        (map { [$_, 'Body must be a JSON object'] } '', '[]', 'null', '"x"'),
        ['{"scope":"COMPANY","scope":"OWNER"}', 'Body has a duplicate key'],
        ["{\"description\":\"\xff\"}", 'Body is not valid UTF-8'],
        ['{"description":"\u0000"}', 'Body must not contain \u0000'],
        ['{', qr/^Body is not valid JSON/],
    ) {
        is_refused(ask($method => $path, body => $case->[0], headers => {
            'Content-Type' => 'application/json' }), 400, 1005,
            { message => $case->[1] }, "$method: a body of $case->[0]");
    }
    is_refused(ask($method => $path, body => 'scope=COMPANY', headers => {
        'Content-Type' => 'application/x-www-form-urlencoded' }), 415, 1005,
        { message => 'Content-Type must be application/json' },
        "$method: no form");
}
is_deeply(tables(), $before, 'nothing of it is written');

done_testing;

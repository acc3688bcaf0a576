# Every endpoint that is served, and what its gate says to each who may not
# pass: the whole answer, the headers, and $ezw_gate in the log. What there is
# to be stands in t/data/endpoints.tsv.

use EZW;
use EZW::Endpoints;
use EZW::Token;

my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
$t->hasten_hashes;
my $all = EZW::Endpoints->new($t);
my @table = $all->table;
my ($company, $channel) = @$all{qw(company channel)};
my @scopes = @EZW::Endpoints::SCOPES;
my @roles = @EZW::Endpoints::ROLES;

# What the log must say of each request in the end: trace => [endpoint,
# verdict], and what it was.
my (%log, %name_of);

sub note_log {
    my ($r, $endpoint, $verdict, $name) = @_;
    my $trace = $r->header('x-trace-id') // $name;
    $log{$trace} = [$endpoint, $verdict];
    $name_of{$trace} = $name;
    return;
}

# What it has said: trace => [endpoint, verdict] of each of these.
sub logged {
    my (@traces) = @_;

    my %said;
    wait_for(sub {
        %said = $t->access_log =~ / trace=(\S+) endpoint="(\S*" gate=\S*) /g;
        return !grep { !$said{$_} } @traces;
    }, 20, 'the lines of the log');
    return { map { $_ => [split /" gate=/, $said{$_}, 2] } @traces };
}


# What is served ---------------------------------------------------------------

is(scalar(@table), 109,
   'the table is whole: 51 + 30 of the documents, 28 ours');
is(scalar(keys %{{ map { EZW::Endpoints::shape($_->{name}) => 1 } @table }}),
   109, 'and has nothing twice');

# To somebody without any credential the router tells what there is: 404 and
# 405 are its own, whatever a request may lack comes after it.
my %trace;
for my $endpoint (@table) {
    my $r = $t->http($endpoint->{method} => $all->path($endpoint));
    $trace{ $endpoint->{name} } = $r->header('x-trace-id');
    $endpoint->{served} = $r->status != 404 && $r->status != 405;
    if (!$endpoint->{served}) {
        my ($code, $message) = $r->status == 404
            ? ('not_found', 'Not found')
            : ('method_not_allowed', 'Method not allowed');
        my %code = (not_found => 1009, method_not_allowed => 1005);
        if ($endpoint->{face} eq 'v3') {
            is_refused($r, $r->status, $code{$code}, { message => $message },
                       "$endpoint->{name} is not there");
        } else {
            is_workspace_refused($r, $r->status, $code,
                                 { message => $message },
                                 "$endpoint->{name} is not there");
        }
    }
}
my $said = logged(values %trace);
$_->{logged} = $said->{ $trace{ $_->{name} } }[0] for @table;

# A literal that there is no endpoint for is another one's parameter: what is
# served is the one with the most of them.
sub parameters { return scalar(() = $_[0]{path} =~ /\{/g) }
my %served;
for my $endpoint (sort { parameters($b) <=> parameters($a) }
                  grep { $_->{served} } @table)
{
    my $taken = $served{ $endpoint->{logged} };
    if ($taken && $taken->{method} eq $endpoint->{method}
        && parameters($taken) > parameters($endpoint))
    {
        $endpoint->{served} = 0;
        next;
    }
    is($taken && $taken->{name}, undef,
       "$endpoint->{name} is none but $endpoint->{logged}");
    $served{ $endpoint->{logged} } = $endpoint;
}
is_deeply([map { $_->{name} }
           grep { !$_->{served} && $_->{built} }
           @table], [], 'whatever has been built is served');

# And nothing else: no row of the module's is missing from the table.
my %known = map { EZW::Endpoints::shape($_->{name}) => $_ } @table;
my @rows;
for my $file (glob "$EZW::ROOT/ngx_ezw_module/*/*.c") {
    my $text = EZW::slurp($file);
    # what `ezw_legacy_routes on` adds: legacy_routes.t
    $text =~ s/^ +\.legacy = 1,\s*\.method = \w+,\s*\.path =\s+"[^"]+"//mg;
    my $n = @rows;
    push @rows, [$1, $2]
        while $text =~ /\.method = NGX_HTTP_(\w+),\s*\.path =\s+"([^"]+)"/g;
    is(@rows - $n, scalar(() = $text =~ /\.path =\s/g),
       "$file: each path has its method");
}
my @sources = map { EZW::Endpoints::shape("$_->[0] $_->[1]") } @rows;
is_deeply([grep { !$known{$_} } @sources], [],
          'whatever is served is in the table');
is_deeply([sort @sources],
          [sort map { EZW::Endpoints::shape($_->{name}) }
           grep { $_->{served} } @table], 'and is served');


# The gate of v3 ---------------------------------------------------------------

# Others, and what they have. Of the company's own there is a channel that no
# key names; it has a child, and that one has one.
my $child = $t->company(parent => $company);
my $grandchild = $t->company(parent => $child);
my $stranger = $t->company;
my $off = $t->assistant(company => $company, enabled => 'f');
my $blocked = $t->company(status => 'BLOCKED');
my $absent = '31699999999@whatsapp.eazy.im';
my %channel = (
    own => $channel,
    second => $t->channel(company => $company),
    archived => $t->channel(company => $company, archived_at => '2020-01-01'),
    child => $t->channel(company => $child),
    foreign => $t->channel(company => $stranger),
    absent => $absent,
);

sub key_of { return $t->key(company => $company, scope => 'OWNER', @_) }

# A key of each scope, and of each that may name channels one that does.
my %key = map { $_ => key_of(scope => $_, channels => $_ eq 'CHANNEL'
                             ? [$channel] : []) } @scopes;
my %kept = (CHANNEL => $key{CHANNEL},
            ASSISTANT => key_of(scope => 'ASSISTANT', channels => [$channel]));
my %theirs = map { $_ => $t->key(company => $stranger, scope => $_) }
    qw(COMPANY OWNER);
my %key_id = (
    foreign => $t->key_id($t->key(company => $stranger, scope => 'COMPANY')),
    grandchild => $t->key_id($t->key(company => $grandchild,
                                     scope => 'COMPANY')),
    revoked => $t->key_id(key_of(revoked_at => '2020-01-01')),
    absent => $t->uuid, invalid => 'x',
);

my %no_key = (gate => 'no_key', says => 'Unauthorized: no API key');
my %bad_key = (gate => 'bad_key', says => 'Unauthorized: unknown API key');
my %disabled = (gate => 'disabled',
                says => 'Unauthorized: the API key is disabled');
my %address = (gate => 'address', says => 'IP 127.0.0.1 is not whitelisted');
my %scope = (gate => 'scope', of => 'key',
             says => "Access denied: the API key's scope is too small");

# Who does not come as far as the endpoint, whatever it is: [name, headers or
# key, the gate's word, the message].
my @anywhere = (
    (map { [$_->[0], { Authorization => $_->[1] }, %no_key] }
     ['Basic', 'Basic ' . $key{OWNER}], ['no scheme', $key{OWNER}],
     ['a scheme only', 'Bearer'], ['an empty Bearer', 'Bearer '],
     ['another scheme', "Token $key{OWNER}"]),
    ['no credential', {}, %no_key],
    (map { [$_->[0], $_->[1], %bad_key] }
     ['39 characters', substr $key{OWNER}, 1], ['41', "$key{OWNER}x"],
     ['a bad character', substr($key{OWNER}, 1) . '_'],
     ['a dot', substr($key{OWNER}, 1) . '.'],
     ['a letter of two bytes', substr($key{OWNER}, 2) . "\xc3\xa9"],
     ['a blank', substr($key{OWNER}, 0, 20) . ' ' . substr $key{OWNER}, 21],
     ['two keys', "$key{OWNER}, $key{OWNER}"],
     ['an unknown key', $t->random_text(40)],
     ['the hash', $t->value(q{select encode(hash, 'hex') from ezw.api_key
                               where id = ?}, $all->{key})]),
    ['a revoked key', key_of(revoked_at => '2020-01-01'), %disabled],
    ['a disabled key', key_of(enabled => 'f'), %disabled],
    ['an expired key', key_of(expires_at => '2020-01-01'), gate => 'expired',
     says => 'Unauthorized: the API key has expired'],
    ['a revoked key from elsewhere',
     key_of(revoked_at => '2020-01-01', whitelist => '{192.0.2.1}'), %disabled],
    ['an ID token', $all->token('owner'), gate => 'wrong_kind',
     says => 'Access denied: ID tokens are for the workspace API'],
    ['what looks like one', 'a.b.c', gate => 'wrong_kind',
     says => 'Access denied: ID tokens are for the workspace API'],
    ["a blocked company's key", $t->key(company => $blocked, scope => 'OWNER'),
     gate => 'company', says => 'Access denied: the company is blocked'],
    ["a disabled assistant's key",
     key_of(scope => 'ASSISTANT', assistant => $off), gate => 'assistant',
     says => 'Access denied: the assistant is disabled'],
    ['from elsewhere', key_of(whitelist => '{192.0.2.0/24,2001:db8::/32}'),
     %address],
    ['from nowhere at all', key_of(whitelist => '{}'), %address],
    ['from elsewhere, and of too small a scope',
     $t->key(company => $stranger, scope => 'CHANNEL',
             channels => [$channel{foreign}], whitelist => '{192.0.2.1}'),
     %address],
);

# How far down the scopes the least one of an endpoint is.
sub rank {
    my ($scope) = @_;
    return (grep { $scopes[$_] eq $scope } 0 .. $#scopes)[0];
}

# Who does not come further because of what it is: the same, with other values
# for the path.
sub there {
    my ($endpoint) = @_;

    my $least = rank($endpoint->{least});
    my @may = @scopes[$least .. $#scopes];
    my @cases = map { ["the scope $_", $key{$_}, %scope] }
        @scopes[0 .. $least - 1];

    if ($endpoint->{path} =~ /\{channelJid}/) {
        my %object = (gate => 'object', of => 'key',
                      says => 'Access denied: not a channel of the API key');
        my %nothing = (gate => 'ok', of => 'key', status => 404);
        for my $scope (grep { $kept{$_} } @may) {
            push @cases, map {
                ["a $scope key and the channel $_", $kept{$scope}, %object,
                 values => { channelJid => $channel{$_} }]
            } grep { $_ ne 'own' } sort keys %channel;
            push @cases, ["a stranger's $scope key", $t->key(
                company => $stranger, scope => $scope,
                channels => [$channel{foreign}]), %object];
        }
        push @cases, ['too small a scope, and not its channel', $kept{CHANNEL},
                      %scope, values => { channelJid => $channel{foreign} }]
            if $least > 0;
        for my $scope (grep { !/CHANNEL/ } @may) {
            push @cases, map {
                ["an unbound $scope key and the channel $_", $key{$scope},
                 %nothing, values => { channelJid => $channel{$_} }]
            } 'foreign', 'absent', $scope eq 'OWNER' ? () : 'child';
        }
        push @cases, map { ["a stranger's $_ key", $theirs{$_}, %nothing] }
            grep { rank($_) >= $least } sort keys %theirs;
    }

    if ($endpoint->{path} =~ /\{companyId}/) {
        my %object = (gate => 'object', of => 'key',
                      says => 'Access denied: not a company of the API key');
        for my $scope (@may) {
            push @cases, map {
                ["a $scope key and the company $_->[0]", $key{$scope}, %object,
                 values => { companyId => $_->[1] }]
            } ['foreign', $stranger], ['grandchild', $grandchild],
              ['absent', $t->uuid], ['invalid', 'x'],
              $scope eq 'OWNER' ? () : ['child', $child];
        }
        push @cases, map { ["a stranger's $_ key", $theirs{$_}, %object] }
            grep { rank($_) >= $least } sort keys %theirs;
    }

    push @cases, map {
        ["the key $_", $key{OWNER}, gate => 'ok', of => 'key', status => 404,
         values => { id => $key_id{$_} }]
    } sort keys %key_id if $endpoint->{path} eq '/v3/keys/{id}';

    return @cases;
}

# What stands in the headers of an answer: whose rate it tells of, and what is
# wanted of a 401.
sub has_headers {
    my ($r, $of, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my %got = (
        www => $r->header('www-authenticate'),
        policy => $r->header('ratelimit-policy'),
        rate => ($r->header('ratelimit') // '')
            =~ /^"$of";r=\d+;t=\d+$/ ? 'told' : $r->header('ratelimit'),
        retry => $r->header('retry-after'),
    );
    return is_deeply(\%got, {
        www => $r->status == 401 ? 'Bearer' : undef, rate => 'told',
        policy => qq("$of";q=1000000;w=1), retry => undef,
    }, "$name: headers");
}

my %code_of = (401 => 1001, 403 => 1002, 404 => 1009);

# Everything but the last use of keys, and the audit log, which hears of keys
# from elsewhere.
sub tables {
    my $tables = $t->snapshot('api_key', 'audit_log');
    $tables->{api_key} = [map { $_->[0] } $t->sql(
        q{select (to_jsonb(k) - 'last_used')::text from ezw.api_key k
           order by 1})];
    return $tables;
}

for my $endpoint (grep { $_->{served} && $_->{face} eq 'v3' } @table) {
    my @cases = (@anywhere, there($endpoint));
    my $before = tables();

    for my $case (@cases) {
        my ($what, $who, %want) = @$case;
        my $name = "$endpoint->{name}: $what";
        my $r = $t->http($all->request($endpoint, %{ $want{values} // {} }),
                         ref $who ? (headers => $who) : (key => $who));
        my $status = $want{status}
            // ($want{says} =~ /^Unauthorized/ ? 401 : 403);
        is_refused($r, $status, $code_of{$status},
                   { message => $want{says} // 'Not found' }, $name);
        has_headers($r, $want{of} // 'address', $name);
        note_log($r, $endpoint->{logged}, $want{gate}, $name);
    }
    is_deeply(tables(), $before, "$endpoint->{name}: nothing is written");

    # as a HEAD the same, without a body
    if ($endpoint->{method} eq 'GET') {
        my $r = $t->http(HEAD => $all->path($endpoint));
        is_answer($r, 401, undef, "HEAD $endpoint->{path}: no credential");
        has_headers($r, 'address', "HEAD $endpoint->{path}");
        note_log($r, $endpoint->{logged}, 'no_key', "HEAD $endpoint->{path}");
    }

    # and whoever may, may
    my @may = map { ["the scope $_", $key{$_}] }
        @scopes[rank($endpoint->{least}) .. $#scopes];
    push @may, ["the owner, and the child's", $key{OWNER},
                channelJid => $channel{child}, companyId => $child]
        if $endpoint->{path} =~ /\{(?:channelJid|companyId)}$/;
    push @may, ['a whitelisted address', key_of(whitelist => '{127.0.0.0/8}')];
    for my $case (@may) {
        my ($what, $who, %values) = @$case;
        my $name = "$endpoint->{name}: $what";
        my $r = $t->http($all->spare_request($endpoint, %values), key => $who);
        is($r->status, $endpoint->{success}, $name) or diag $r->as_text;
        has_headers($r, 'key', $name);
        note_log($r, $endpoint->{logged}, 'ok', $name);
    }
}


# The gate of the workspace ----------------------------------------------------

my $gone = $t->user(company => $company, status => 'disabled');
my $other_key = EZW::Token->key(
    EZW::Token::write_pem("$EZW::RUNS/endpoints.pem"));
my $of_blocked = $t->user(company => $blocked, role => 'owner');
my %no_token = (gate => 'no_key', says => 'Unauthorized: no ID token');
my %api_key = (gate => 'wrong_kind',
               says => 'Access denied: API keys are for the integration API');
my %signature = (gate => 'bad_token',
    says => "Unauthorized: the ID token's signature is not of a known key");
my %ended = (gate => 'revoked', says => 'Unauthorized: the session has ended');
my %garbage = (gate => 'bad_token',
               says => 'Unauthorized: this is no ID token');
my $owners = $all->token('owner');

my @nobody = (
    ['no credential', {}, %no_token],
    (map { [$_->[0], { Authorization => $_->[1] }, %no_token] }
     ['Basic', "Basic $owners"], ['no scheme', $owners],
     ['an empty Bearer', 'Bearer ']),
    (map { [$_->[0], $_->[1], %garbage] }
     ['a word', 'token'], ['dots', 'a.b.c'], ['39 characters', 'x' x 39],
     ['41', 'x' x 41], ['a token and more', "$owners.x"]),
    ['an API key', $key{OWNER}, %api_key],
    ['an unknown API key', $t->random_text(40), %api_key],
    ['a revoked API key', key_of(revoked_at => '2020-01-01'), %api_key],
    ['an expired token', $all->token('owner', exp => time - 1),
     gate => 'expired', says => 'Unauthorized: the ID token has expired'],
    ["another deployment's", $all->token('owner', key => $other_key),
     %signature],
    ["another deployment's, by a key of our name",
     $all->token('owner', key => bless { %$other_key,
         kid => EZW::Token->key(EZW::signing_key())->{kid} }, 'EZW::Token'),
     %signature],
    ["another issuer's", $all->token('owner', iss => 'https://example.com'),
     %signature],
    ['another audience', $all->token('owner', aud => 'others'),
     gate => 'bad_token',
     says => 'Unauthorized: the ID token is for another audience'],
    ['of a session that ended',
     $all->token('owner', session => { revoked_at => '2020-01-01' }), %ended],
    ['of no session', $all->token('owner', sid => $t->uuid), %ended],
    ["of another's session", $all->token('owner', sub => $all->{user}{admin}),
     gate => 'revoked', says => 'Unauthorized: the ID token is out of date'],
    ["of another company's", $all->token('owner', org => $stranger),
     gate => 'revoked', says => 'Unauthorized: the ID token is out of date'],
    ["a disabled member's", $all->token('owner', sub => $gone,
                                        session => { user_id => $gone }),
     %ended],
    ["a blocked company's", $all->token(
        'owner', sub => $of_blocked, org => $blocked,
        session => { company => $blocked, user_id => $of_blocked }),
     gate => 'company', says => 'Access denied: the company is blocked'],
);

my %slug_of = (401 => 'unauthenticated', 403 => 'forbidden');

for my $endpoint (grep { $_->{served} && $_->{face} eq 'workspace' } @table) {

    # what is for anyone asks nobody: a credential does not matter
    if ($endpoint->{least} eq 'anyone') {
        for my $case (@nobody) {
            my ($what, $who) = @$case;
            my $name = "$endpoint->{name}: $what";
            my $r = $t->http($endpoint->{method} => $endpoint->{path},
                             json => { email => 1 },
                             ref $who ? (headers => $who) : (key => $who));
            is($r->status, 400, $name);
            note_log($r, $endpoint->{logged}, 'ok', $name);
        }
        my $r = $t->http($all->spare_request($endpoint), timeout => 60);
        is($r->status, $endpoint->{success}, $endpoint->{name})
            or diag $r->as_text;
        note_log($r, $endpoint->{logged}, 'ok', $endpoint->{name});
        next;
    }

    my ($least) = grep { $roles[$_] eq $endpoint->{least} } 0 .. $#roles;
    my @cases = (@nobody, map {
        ["the role $_", $all->token($_), gate => 'role', of => 'user',
         says => 'Access denied: your role may not']
    } @roles[0 .. $least - 1]);
    my $before = tables();
    for my $case (@cases) {
        my ($what, $who, %want) = @$case;
        my $name = "$endpoint->{name}: $what";
        my $r = $t->http($all->request($endpoint),
                         ref $who ? (headers => $who) : (key => $who));
        my $status = $want{says} =~ /^Unauthorized/ ? 401 : 403;
        is_workspace_refused($r, $status, $slug_of{$status},
                             { message => $want{says} }, $name);
        has_headers($r, $want{of} // 'address', $name);
        note_log($r, $endpoint->{logged}, $want{gate}, $name);
    }
    is_deeply(tables(), $before, "$endpoint->{name}: nothing is written");

    for my $role (@roles[$least .. $#roles]) {
        my $name = "$endpoint->{name}: the role $role";
        my $r = $t->http($all->spare_request($endpoint), timeout => 60,
                         key => $all->token($role));
        is($r->status, $endpoint->{success}, $name) or diag $r->as_text;
        note_log($r, $endpoint->{logged}, 'ok', $name);
    }
}


# The log ----------------------------------------------------------------------

$said = logged(keys %log);
is_deeply($said->{$_}, $log{$_}, "$name_of{$_}: its line in the log")
    for sort { $name_of{$a} cmp $name_of{$b} } keys %log;
my $logs = $t->error_log . $t->access_log;
is_deeply([grep { length $_ > 38 && index($logs, $_) >= 0 }
           values %key, values %kept,
           map { ref $_->[1] ? () : $_->[1] } @anywhere, @nobody], [],
          'no key and no token is in a log');

done_testing;

# ID tokens of our own keys: what is one and what is none, of every kind that
# somebody might make; keys that come and go; and the gate of a location for
# people.

use EZW;
use EZW::Token;
use Digest::SHA qw(hmac_sha256 hmac_sha384 hmac_sha512 sha256_hex);
use File::Path qw(make_path);
use MIME::Base64 qw(decode_base64url encode_base64url);

my $SESSION = '/api/auth/session';

# Two keys: of Ed25519, which signs, and of a secret, which checks as well.
my $secret_file = EZW::Token::write_secret("$EZW::RUNS/tokens.secret");
my $t = EZW->start(start => 0, workers => 1, http => <<"END",
    ezw_signing_key_file $secret_file;
    large_client_header_buffers 4 32k;
END
    server => <<'END');
location /team/   { ezw_gate role=operator; root %%DIR%%/html; }
        location /admins/ { ezw_gate role=admin; root %%DIR%%/html; }
        location /owners/ { ezw_gate role=owner; root %%DIR%%/html; }
END
for my $folder (qw(team admins owners)) {
    make_path("$t->{dir}/html/$folder", { mode => 0755 });
    EZW::write_file("$t->{dir}/html/$folder/page.html", "for $folder\n");
}
$t->launch;
my $ed = EZW::Token->key(EZW::signing_key());
my $hs = EZW::Token->key($secret_file);

my $company = $t->company(name => 'First');
my $other_company = $t->company;
my %user = map { $_ => $t->user(company => $company, role => $_,
                                email => "$_\@example.com",
                                name => ucfirst $_) }
    qw(operator admin owner);
my $stranger = $t->user(company => $other_company, role => 'owner');

# A session as a sign-in makes one; returns its id.
sub session {
    my ($user, %o) = @_;
    my $id = $t->uuid;
    $t->insert('session', company => $company, id => $id, family => $id,
               user_id => $user, expires_at => '2100-01-01', %o,
               refresh_hash => { hex => sha256_hex($t->random_text(40)) });
    return $id;
}

my %session = ((map { $_ => session($user{$_}) } keys %user),
               stranger => session($stranger, company => $other_company));

# What the module puts into the token of a role; undef takes a claim out. No
# two are alike, and what has been seen before is remembered.
my $tokens = 0;
sub claims {
    my ($role, %o) = @_;
    my $now = time;
    my %claims = (
        iss => 'ezw', aud => 'ezw-workspace', sub => $user{$role},
        org => $company, role => $role, mv => 1, sid => $session{$role},
        iat => $now - 1, exp => $now + 3600, n => ++$tokens, %o);
    delete @claims{ grep { !defined $claims{$_} } keys %claims };
    return \%claims;
}

sub ask { return $t->http(GET => $SESSION, key => $_[0]) }

# The lines that the access log must have in the end: trace => verdict.
my %verdict;

sub is_refused_token {
    my ($token, $message, $verdict, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $r = ask($token);
    $verdict{ $r->header('x-trace-id') // $name } = $verdict;
    is($r->header('www-authenticate'), 'Bearer', "$name: WWW-Authenticate");
    return is_workspace_refused($r, 401, 'unauthenticated',
                                { message => "Unauthorized: $message" },
                                $name);
}

sub no_token  { is_refused_token($_[1], 'this is no ID token', 'bad_token',
                                 $_[0]) }
sub no_key    { is_refused_token($_[1], "the ID token's signature is not of a "
                                 . 'known key', 'bad_token', $_[0]) }
sub bad_claim { is_refused_token($_[1], "the ID token's claims are not valid",
                                 'bad_token', $_[0]) }
sub revoked   { is_refused_token($_[1], "the ID token is out of date",
                                 'revoked', $_[0]) }

sub is_in {
    my ($token, $role, $name, $node) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $r = ($node // $t)->http(GET => $SESSION, key => $token);
    return is_answer($r, 200, {
        expiresAt => qr/^20.*Z$/, principal => {
            billingState => 'active', displayName => ucfirst $role,
            email => "$role\@example.com", organizationId => $company,
            linePermissionsDefault => { canSend => true, canView => true },
            role => $role, userId => $user{$role},
        } }, $name);
}


# Good ones ------------------------------------------------------------------

for my $key ($ed, $hs) {
    my $token = $key->sign(claims('admin'));
    is_in($token, 'admin', "$key->{alg}: a token");
    is_in($token, 'admin', "$key->{alg}: the same again");
}
is_in($hs->sign(claims('operator')), 'operator', 'of another');
is_in($hs->sign(claims('admin'), { typ => undef }), 'admin', 'without a type');
is_in($hs->sign(claims('admin'), { jku => 'https://localhost/', x5t => 'x' }),
      'admin', 'with a header that does not matter');
is_in($hs->sign(claims('admin', aud => ['others', 'ezw-workspace'])), 'admin',
      'for several');
is_in($hs->sign(claims('admin', exp => time + 600.5, iat => undef)), 'admin',
      'times may have fractions, or not be there');
is_in($hs->sign(claims('admin', nbf => time - 1)), 'admin', 'valid by now');
is_in($hs->sign(claims('operator', role => 'owner')), 'operator',
      'the role is what the database says');


# No token at all --------------------------------------------------------------

my $good = $hs->sign(claims('admin'));
my ($header, $payload, $signature) = split /\./, $good;
my $json_header = to_json({ alg => 'HS256', kid => $hs->{kid}, typ => 'JWT' });
sub signed {
    my ($head, $claims) = @_;
    return EZW::Token::token($head, $claims, sub { $hs->signature($_[0]) });
}
my $json_claims = to_json(claims('admin'));
no_token(@$_) for
    ['a word', 'token'], ['dots', '..'], ['more dots', '....'],
    ['two parts', "$header.$payload"], ['no signature', "$header.$payload."],
    ['no claims', "$header..$signature"], ['no header', ".$payload.$signature"],
    ['four parts', "$good.$signature"],
    ['a JWE', join '.', ('eyJhbGciOiJkaXIifQ') x 5],
    ['padding', $good . '='], ['a blank in it', "$header. $payload.$signature"],
    ['not of base64url', $good =~ s/.$/+/r], ['nor this', $good =~ s/.$/\//r],
    # of 43 characters the last has two bits to spare
    ['a bit too many', $good =~ s/.$/B/r],
    ['a header that is no JSON', signed('alg', $json_claims)],
    ['a header that is no object', signed('["HS256"]', $json_claims)],
    ['an algorithm twice', signed('{"alg":"none",' . substr($json_header, 1),
                                  $json_claims)],
    ['no algorithm', $hs->sign(claims('admin'), { alg => undef })],
    ['an empty algorithm', $hs->sign(claims('admin'), { alg => '' })],
    ['an algorithm that is no string',
     $hs->sign(claims('admin'), { alg => 256 })],
    ['a kid that is no string', $hs->sign(claims('admin'), { kid => 1 })],
    ['what must be understood',
     $hs->sign(claims('admin'), { crit => ['exp'] })],
    ['a payload that is not encoded',
     $hs->sign(claims('admin'), { b64 => false, crit => ['b64'] })],
    ['claims that are no JSON', signed($json_header, 'sub')],
    ['claims that are no object', signed($json_header, "[$json_claims]")],
    ['claims that are not UTF-8',
     signed($json_header, substr($json_claims, 0, -1) . qq(,"x":"\xff"}))],
    ['a claim twice',
     signed($json_header, '{"role":"owner",' . substr($json_claims, 1))],
    ['too deep', signed($json_header, substr($json_claims, 0, -1)
                        . ',"x":' . '[' x 9 . ']' x 9 . '}')],
    ['too long', $hs->sign(claims('admin', x => 'x' x 8192))];
# nor has a token a NUL, anywhere
no_token('a NUL in alg', $hs->sign(claims('admin'), { alg => "HS256\0" }));
no_token('a NUL in kid', $hs->sign(claims('admin'), { kid => "$hs->{kid}\0" }));
no_token("a NUL in $_", $hs->sign(claims('admin', $_ => "x\0")))
    for qw(iss aud sub sid role x);


# Not signed by a key of ours --------------------------------------------------

# "alg": "none", in every spelling, with a signature of anything.
for my $alg ('none', 'None', 'NONE', 'nOnE', 'none ', 'NULL', 'null',
             'HS0', '0')
{
    for my $key ($ed, $hs) {
        no_key("alg $alg, kid of $key->{alg}",
               EZW::Token::token({ alg => $alg, kid => $key->{kid} },
                                 claims('admin'), sub { $_ }))
            for 'x', $key->signature('x');
    }
    no_token("alg $alg, no signature",
             EZW::Token::token({ alg => $alg, kid => $ed->{kid} },
                               claims('admin'), sub { '' }));
}

# One key's signature under another algorithm's name, and the public key for a
# secret: as bytes, in DER, in PEM, in hex, and what else is public.
for my $public ($ed->{public}, $ed->{der}, $ed->{pem}, $ed->{pem} =~ s/\n$//r,
                unpack('H*', $ed->{public}), encode_base64url($ed->{public}),
                $ed->{kid}, $ed->{kid} . "\0", '', "\0" x 32)
{
    for my $alg (qw(HS256 EdDSA)) {
        no_key("$alg by a public key",
               EZW::Token::token({ alg => $alg, kid => $ed->{kid} },
                                 claims('admin'),
                                 sub { hmac_sha256($_[0], $public) }));
    }
}
no_key("alg $_ by the secret", $hs->sign(claims('admin'), { alg => $_ }))
    for qw(EdDSA Ed25519 hs256 HS256\  RS256 ES256 PS256 A256KW dir);
no_key("alg $_ by the key", $ed->sign(claims('admin'), { alg => $_ }))
    for qw(HS256 ES256 eddsa Ed25519);
no_key("$_->[0] by the secret", EZW::Token::token(
    { alg => $_->[0], kid => $hs->{kid} }, claims('admin'),
    sub { $_->[1]->($_[0], $hs->{secret}) }))
    for ['HS384', \&hmac_sha384], ['HS512', \&hmac_sha512],
        ['HS256', \&hmac_sha512];

# Keys that we do not have.
my %bad_kid = (
    'no kid' => undef, 'an empty kid' => '', 'the kid of the other key' =>
    $ed->{kid}, 'in capitals' => uc $hs->{kid}, 'a part of it' =>
    substr($hs->{kid}, 0, 15), 'more than it' => "$hs->{kid}0",
    'unknown' => '0' x 16, 'a file' => '../../../../dev/null',
    'SQL' => "' or '1'='1",
    'a long one' => 'f' x 4000,
);
no_key("kid: $_", $hs->sign(claims('admin'), { kid => $bad_kid{$_} }))
    for sort keys %bad_kid;
my $foreign = EZW::Token->key(
    EZW::Token::write_pem("$t->{dir}/foreign.pem"));
my $foreign_secret = EZW::Token->key(
    EZW::Token::write_secret("$t->{dir}/foreign.secret"));
for my $key ($foreign, $foreign_secret) {
    no_key("$key->{alg}: another deployment's", $key->sign(claims('admin')));
    no_key("$key->{alg}: another's with our kid",
           $key->sign(claims('admin'), { kid => $_->{kid} })) for $ed, $hs;
}
no_key('with its own key in the header', $foreign->sign(claims('admin'), {
    kid => $_, jwk => { kty => 'OKP', crv => 'Ed25519', kid => $_,
                        x => encode_base64url($foreign->{public}) } }))
    for $ed->{kid}, $foreign->{kid};

# Altered: in the claims, in the signature.
for my $case (['admin', 'owner'], [$user{admin}, $user{owner}],
              [$session{admin}, $session{owner}], ['"mv":1', '"mv":2'])
{
    my ($from, $to) = @$case;
    for my $token ($good, $ed->sign(claims('admin'))) {
        my @parts = split /\./, $token;
        my $claims = decode_base64url($parts[1]) =~ s/\Q$from/$to/r;
        no_key("$to for $from",
               join '.', $parts[0], encode_base64url($claims), $parts[2]);
    }
}
for my $key ($ed, $hs) {
    my $token = $key->sign(claims('admin'));
    my ($input, $bytes) = $token =~ /^(.*)\.(.*)$/;
    $bytes = decode_base64url($bytes);
    for my $at (0, 31, length($bytes) - 1) {
        my $flipped = $bytes;
        substr($flipped, $at, 1) ^= "\1";
        no_key("$key->{alg}: bit of byte $at",
               "$input." . encode_base64url($flipped));
    }
    no_key("$key->{alg}: $_->[0]", "$input." . encode_base64url($_->[1]))
        for ['shorter', substr $bytes, 0, -1], ['longer', "$bytes\0"],
            ['half', substr $bytes, 0, length($bytes) / 2],
            ['twice', $bytes x 2], ['zeros', "\0" x length $bytes],
            ['of another', $key->signature('x')];
}

# Whose token it is: the issuer's name tells where to look for the key.
no_key("issuer $_", $hs->sign(claims('admin', iss => $_)))
    for 'other', 'EZW', 'ezw ', 'ezw/', '', 'https://ezw';
no_key('no issuer', $hs->sign(claims('admin', iss => undef)));
no_key('an issuer that is no string', $hs->sign(claims('admin', iss => $_)))
    for 1, ['ezw'], { ezw => 1 }, true;


# Signed, and still not good ---------------------------------------------------

my %no_string = (number => 1, list => [], object => {}, boolean => true,
                 empty => '');
bad_claim("aud: $_->[0]", $hs->sign(claims('admin', aud => $_->[1])))
    for ['none', undef], ['number', 1], ['list of numbers', [1]],
        ['object', { 'ezw-workspace' => 1 }];
is_refused_token($hs->sign(claims('admin', aud => $_)),
                 'the ID token is for another audience', 'bad_token', 'aud')
    for 'other', '', 'ezw-workspac', 'ezw-workspace ', [], ['other', 'ezw'];
bad_claim("exp: $_->[0]", $hs->sign(claims('admin', exp => $_->[1])))
    for ['none', undef], ['boolean', true],
        ['list', [time + 60]], ['negative', -1], ['in milliseconds',
        (time + 60) * 1000], ['huge', 9e300];
# as a string it has to be one
bad_claim('exp: text', signed($json_header, $json_claims
                              =~ s/"exp":(\d+)/"exp":"$1"/r));
is_refused_token($hs->sign(claims('admin', exp => $_)),
                 'the ID token has expired', 'expired', 'expired')
    for time - 1, time - 3600, 0, time;
is_refused_token($hs->sign(claims('admin', $_ => time + 90)),
                 'the ID token is not valid yet', 'bad_token', "$_ to come")
    for qw(nbf iat);
is_in($hs->sign(claims('admin', $_ => time + 20)), 'admin',
      "$_ of a node whose clock is ahead") for qw(nbf iat);
bad_claim("$_: no time", $hs->sign(claims('admin', $_ => 'now')))
    for qw(nbf iat);
for my $claim (qw(sub org sid)) {
    bad_claim("no $claim", $hs->sign(claims('admin', $claim => undef)));
    for my $what (sort keys %no_string) {
        next if $claim eq 'org' && $what eq 'empty';
        bad_claim("$claim: $what",
                  $hs->sign(claims('admin', $claim => $no_string{$what})));
    }
}
bad_claim("sid $_", $hs->sign(claims('admin', sid => $_)))
    for 'x', $session{admin} . 'x', substr($session{admin}, 1),
        "' or true --";
bad_claim('no mv', $hs->sign(claims('admin', mv => undef)));
bad_claim("mv: $_->[0]", $hs->sign(claims('admin', mv => $_->[1])))
    for ['text', '1'], ['boolean', true], ['list', [1]];
bad_claim('mv: fraction', signed($json_header,
                                 $json_claims =~ s/"mv":1/"mv":1.0/r));

# What does not belong together.
revoked("mv $_", $hs->sign(claims('admin', mv => $_)))
    for 0, 2, -1, 4294967297, 9007199254740993;
revoked('another one with my session',
        $hs->sign(claims('admin', sub => $user{owner})));
revoked('I with another one\'s session',
        $hs->sign(claims('admin', sid => $session{owner})));
revoked("a stranger's session",
        $hs->sign(claims('admin', sid => $session{stranger})));
revoked("in a stranger's company",
        $hs->sign(claims('admin', org => $other_company)));
revoked('all of his but the session', $hs->sign(claims(
    'admin', sub => $stranger, org => $other_company)));
revoked("sub $_", $hs->sign(claims('admin', sub => $_)))
    for 'x', $user{admin} . 'x', $t->uuid;
revoked("org $_", $hs->sign(claims('admin', org => $_)))
    for 'x', '', $t->uuid;

# Sessions that are no more, or were not.
my $ended = 'the session has ended';
my $late = session($user{admin}, expires_at => '2020-01-01');
my %gone = (
    unknown => $t->uuid, revoked => session($user{admin},
                                            revoked_at => '2020-01-01'),
);
is_refused_token($hs->sign(claims('admin', sid => $gone{$_})), $ended,
                 'revoked', "a session that is $_") for sort keys %gone;
is_refused_token($hs->sign(claims('admin', sid => $late)),
                 'the ID token has expired', 'expired', 'an expired session');
is_in($hs->sign(claims('admin', sid => session(
    $user{admin}, spent_at => '2020-01-01'))), 'admin',
    'one whose refresh token was spent goes on');

# One expires while it is remembered.
# (Seen in time: where two seconds are not enough, twice as many.)
my ($short, %seen);
for my $seconds (map { 2 ** $_ } 1 .. 6) {
    $short = $hs->sign(claims('admin', exp => time + $seconds));
    $seen{200} = ask($short)->status == 200 and last;
}
ok($seen{200}, 'good for another moment');
ok(eval { wait_for(sub { ask($short)->status == 401 }, 90) }, 'it expires');
is_refused_token($short, 'the ID token has expired', 'expired', 'then');


# Of another deployment, really ------------------------------------------------

# With our keys and another name, with our keys and for others, with other keys.
my %away;
for my $case (['name', 'issuer=https://b.example', EZW::signing_key()],
              ['audience', 'issuer=ezw audience=b', EZW::signing_key()],
              ['keys', 'issuer=ezw', $foreign->{file}])
{
    my ($name, $token, $file) = @$case;
    my $node = EZW->start(like => $t, start => 0, workers => 1);
    my $conf = slurp("$node->{dir}/nginx.conf")
        =~ s/(ezw_signing_key_file) \S+;/$1 $file;\n    ezw_token $token;/r;
    EZW::write_file("$node->{dir}/nginx.conf", $conf);
    $node->launch;
    my $refresh = $t->random_text(40);
    $t->sql(q{update ezw.session set refresh_hash = decode(?, 'hex')
               where id = ?}, sha256_hex($refresh), $session{operator});
    my $r = $node->http(POST => '/api/auth/refresh',
                        json => { refreshToken => $refresh });
    is($r->status, 200, "another $name: signed in there") or diag $r->as_text;
    $session{operator} = (EZW::Token::read_token($r->json->{idToken}))[1]{sid};
    is_in($r->json->{idToken}, 'operator', "another $name: good there", $node);
    $away{$name} = $r->json->{idToken};
    is($node->http(GET => $SESSION, key => $hs->sign(claims('operator')))
        ->status, 401, "another $name: and ours is not");
}
no_key('of another name', $away{name});
is_refused_token($away{audience}, 'the ID token is for another audience',
                 'bad_token', 'of another audience');
no_key('of other keys', $away{keys});


# The gate of a location -------------------------------------------------------

my %rank = (operator => 1, admin => 2, owner => 3);
my %need = (team => 'operator', admins => 'admin', owners => 'owner');
for my $folder (sort keys %need) {
    for my $role (sort keys %user) {
        my $token = $hs->sign(claims($role));
        for my $time ('first', 'again') {
            my $r = $t->http(GET => "/$folder/page.html", key => $token);
            my $may = $rank{$role} >= $rank{ $need{$folder} };
            $verdict{ $r->header('x-trace-id') } = $may ? 'ok' : 'role';
            if ($may) {
                is($r->status . $r->body, "200for $folder\n",
                   "$role at $folder, $time");
            } else {
                is_refused($r, 403, 1002,
                           { message => 'Access denied: your role may not' },
                           "$role at $folder, $time");
            }
        }
    }
    my $page = sub { $t->http(GET => "/$folder/page.html", key => $_[0]) };
    is_refused($page->(), 401, 1001,
               { message => 'Unauthorized: no ID token' }, "$folder: nobody");
    is_refused($page->($hs->sign(claims('owner', exp => time - 1))), 401, 1001,
               { message => 'Unauthorized: the ID token has expired' },
               "$folder: expired");
    is_refused($page->($foreign->sign(claims('owner'))), 401, 1001,
               { message => qr/not of a known key/ }, "$folder: forged");
    is_refused($page->($t->key(company => $company, scope => 'OWNER')), 403,
               1002, { message => qr/^Access denied: API keys/ },
               "$folder: an API key");
}
is_refused($t->http(GET => '/v3/keys/current',
                    key => $hs->sign(claims('owner'))), 403, 1002,
           { message => 'Access denied: ID tokens are for the workspace API' },
           'and an ID token is no API key');


# What the log says ------------------------------------------------------------

my $log = wait_for(sub {
    my $text = $t->access_log;
    return grep({ index($text, "trace=$_ ") < 0 } keys %verdict) ? 0 : $text;
}, 10, 'all are logged');
my %said = $log =~ / trace=(\w+) .*? gate=(\w+) /g;
my @wrong = grep { $said{$_} ne $verdict{$_} } keys %verdict;
is(scalar(@wrong), 0, 'each has its verdict')
    or diag map { "$_: $said{$_}, expected $verdict{$_}\n" } @wrong;
cmp_ok(scalar(keys %verdict), '>', 200, 'of all those tokens');
unlike($t->error_log . $log, qr/eyJ/, 'and no token is in a log');


# Keys that come and go --------------------------------------------------------

my $turning = EZW->start(like => $t, start => 0, workers => 2);
sub configure {
    my (@keys) = @_;
    my $lines = join "\n    ", map { "ezw_signing_key_file $_->{file};" } @keys;
    $turning->write_config(
        slurp("$turning->{dir}/nginx.conf")
            =~ s/(?:ezw_signing_key_file \S+;\s*)+/$lines\n    /r);
    return;
}
my $refresh = $t->random_text(40);
$t->sql(q{update ezw.session set refresh_hash = decode(?, 'hex') where id = ?},
        sha256_hex($refresh), $session{owner});
sub refreshed {
    my $r = $turning->http(POST => '/api/auth/refresh',
                           json => { refreshToken => $refresh });
    is($r->status, 200, 'refreshed') or diag $r->as_text;
    $refresh = $r->json->{refreshToken};
    return $r->json->{idToken};
}
sub is_by {
    my ($token, $key, $name) = @_;
    my ($header) = EZW::Token::read_token($token);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_json($header, { alg => $key->{alg}, kid => $key->{kid}, typ => 'JWT' },
            "$name: the header");
    ok($key->signed($token), "$name: signed by it");
    return;
}

configure($ed, $hs);
$turning->launch;
my $by_ed = refreshed();
is_by($by_ed, $ed, 'the first key signs');
my @ed = ($by_ed, $ed->sign(claims('admin')));
my @hs = ($hs->sign(claims('admin')));
sub both { return map { [GET => $SESSION, key => $_] } (@_) x 4 }
sub statuses { return join ' ', sort map { $_->status }
               $turning->parallel(both(@_)) }
is(statuses(@ed, @hs), join(' ', (200) x 12), 'both are good');

configure($hs, $ed);
$turning->reload(wait_old => 1);
is(statuses(@ed, @hs), join(' ', (200) x 12), 'in another order: both are');
my $by_hs = refreshed();
is_by($by_hs, $hs, 'and the other signs');

configure($hs);
$turning->reload(wait_old => 1);
is(statuses(@ed), join(' ', (401) x 8),
   'one is gone: its tokens are not good, though they were seen before');
is_workspace_refused($turning->http(GET => $SESSION, key => $by_ed), 401,
    'unauthenticated', { message => "Unauthorized: the ID token's signature is "
    . 'not of a known key' }, 'as those of any other key');
is(statuses(@hs, $by_hs), join(' ', (200) x 8), 'those of the other are');
is_by(refreshed(), $hs, 'and it signs');

configure($foreign_secret, $ed);
$turning->reload(wait_old => 1);
is(statuses($ed[1]), join(' ', (200) x 4), 'it comes back: so do they');
is(statuses(@hs), join(' ', (401) x 4), 'and those of the other are gone');
is_by(refreshed(), $foreign_secret, 'a new one signs');

# The name as well.
my $named = "$turning->{dir}/nginx.conf";
EZW::write_file($named, slurp($named)
                =~ s/(ezw_signup)/ezw_token issuer=b;\n    $1/r);
$turning->reload(wait_old => 1);
is(statuses($ed[1]), join(' ', (401) x 4), 'another name: as good as gone');

done_testing;

# Tokens of an outside issuer: whose are good, whose are not, and why.
# sanitizers

use EZW;
use EZW::Issuer;
use EZW::Stall qw(lateness);
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64url);
use Time::HiRes qw(time);

my $session = '/api/auth/session';

my $issuer = EZW::Issuer->start_trusted(
    port => EZW::claim_port(), dir => "$EZW::RUNS/token_issuer-issuer",
    kids => { rsa => 'RS256', ec => 'ES256', ed => 'EdDSA' });
$issuer->make_key(strange => 'RS256');

my $t = EZW->start(workers => 1, http => $issuer->directive);
my $company = $t->company(name => 'Org');
my $ann = $t->user(company => $company, email => 'ann@example.com',
                   name => 'Ann', role => 'admin');
$t->user(company => $company, email => 'bob@example.com');
my %ann = (sub => 'ann-1', email => 'Ann@Example.com');

sub asks {
    my ($token) = @_;
    return $t->http(GET => $session, key => $token);
}

# What the access log says of a request, once it does.
sub verdict {
    my ($r) = @_;
    my $trace = $r->header('x-trace-id') // return 'nothing';
    return wait_for(sub {
        return $t->access_log =~ /trace=\Q$trace\E .* gate=(\S+)/ ? $1 : 0;
    }, 5, 'a line of the access log');
}

sub is_said {
    my ($token, $said, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $r = asks($token);
    return is($r->status . ' ' . verdict($r), $said, $name)
        || diag($r->as_text);
}


# Good ones -------------------------------------------------------------------

for my $kid (qw(rsa ec ed)) {
    my $token = $issuer->token($kid, %ann, exp => 2000000000);
    is_answer(asks($token), 200, {
        principal => {
            userId => $ann, email => 'ann@example.com', displayName => 'Ann',
            organizationId => $company, role => 'admin',
            linePermissionsDefault => { canView => true, canSend => true },
            billingState => 'active',
        },
        expiresAt => qr/^2033-05-18T03:33:20/,
    }, "a token signed with $kid");
    is_said($token, '200 ok', 'and once more');
}
my @r = $t->parallel(map {
    [GET => $session, key => $issuer->token('ec', %ann)]
} 1 .. 20);
is(scalar(grep { $_->status == 200 } @r), 20, 'many tokens');

# a user is bound by the first token, and known by the subject from then on
is_said($issuer->token('ec', sub => 'ann-1'), '200 ok',
        'a subject that is bound needs no address');
is_said($issuer->token('ec', %ann, sub => 'ann-2', email_verified => 'true'),
        '200 ok', 'verified, as a text');
is_said($issuer->token('ec', %ann, aud => ['x', $issuer->audience]), '200 ok',
        'one audience of several');
is_said($issuer->token('rsa', %ann, iat => int(time) + 20,
                       nbf => int(time) + 20), '200 ok',
        'clocks may differ by seconds');


# Bad ones --------------------------------------------------------------------

my %bad = (
    'for another audience' => { aud => 'another' },
    'for no audience' => { aud => undef },
    'of another issuer' => { iss => 'https://elsewhere.test/pool' },
    'of an issuer with a slash' => { iss => $issuer->issuer . '/' },
    'of an issuer in capitals' => { iss => uc $issuer->issuer },
    'that is not valid yet' => { nbf => int(time) + 600 },
    'from the future' => { iat => int(time) + 600 },
    'without an end' => { exp => undef },
    'without a subject' => { sub => undef },
    'signed by another key' => { by => 'strange' },
    'whose algorithm is none' => { header => { alg => 'none' } },
    'of another algorithm' => { header => { alg => 'ES256' } },
    'with an address for its key' =>
        { by => 'strange', header => { jku => 'https://localhost/keys' } },
);
for my $name (sort keys %bad) {
    is_said($issuer->token('rsa', %ann, %{ $bad{$name} }), '401 bad_token',
            "a token $name");
}
is_said($issuer->token('rsa', %ann, exp => int(time) - $_), '401 expired',
        "a token that expired $_ s ago") for 1, 600;

# signed with what everybody knows: the public key as a secret
my $public = EZW::Tls::openssl(qw(pkey -pubout -in),
                               $issuer->{keys}{rsa}{file});
my $input = $issuer->token('rsa', %ann, header => { alg => 'HS256' })
    =~ s/\.[^.]*$//r;
is_said("$input." . encode_base64url(hmac_sha256($input, $public)),
        '401 bad_token', 'a token signed with the public key');

my %nobody = (
    'of nobody' => { email => 'nobody@example.com' },
    'without an address' => { email => undef },
    'of an address that is not verified' => { email_verified => false },
    'of an address of which that is not said' => { email_verified => undef },
);
for my $name (sort keys %nobody) {
    is_said($issuer->token('ec', %ann, sub => 'new', %{ $nobody{$name} }),
            '401 revoked', "a token $name");
}
is($issuer->fetches, 1, 'none of all these was worth a second fetch');


# Revocation ------------------------------------------------------------------

my $token = $issuer->token('ec', sub => 'bob', email => 'bob@example.com');
is_said($token, '200 ok', 'a member');
$t->sql(q{update ezw.membership m set status = 'disabled' from ezw.app_user u
           where u.id = m.user_id and u.email = 'bob@example.com'});
cmp_ok(lateness([$t], sub { asks($token)->status == 401 }, 'disabled'), '<',
       2 + 0.1 * $EZW::Expect::PATIENCE,
       'one who is disabled is out within two seconds');
is_said($issuer->token('ec', sub => 'bob', email => 'bob@example.com'),
        '401 revoked', 'with a new token too');

done_testing;

# Signing up: a company, its owner and his first sign-in; open, with a token,
# and closed, which it is unless the configuration says otherwise.

use EZW;
use EZW::Token;

my $SIGN_UP = '/api/signup/organization';
my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}
              -[89ab][0-9a-f]{3}-[0-9a-f]{12}$/x;

my $t = EZW->start(workers => 1);
$t->hasten_hashes;
my %json = (organizationName => 'Ann & Söhne', ownerName => 'Ann van Dijk',
            email => 'Ann@Example.com', password => 'äöü 456 789');
my %answer = (
    billing => { checkoutUrl => undef, state => 'pending' },
    lineSlots => { allocated => 1, used => 0 },
    organization => { id => $uuid, name => 'Ann & Söhne',
                      status => 'pending_billing' },
    owner => { displayName => 'Ann van Dijk', email => 'ann@example.com',
               id => $uuid, role => 'owner' },
);

sub sign_up {
    my ($node, $json, %o) = @_;
    return $node->http(POST => $SIGN_UP, json => $json, timeout => 60, %o);
}

# All that there is of people and companies.
sub counted {
    return join ' ', map { $t->value("select count(*) from ezw.$_") }
        qw(company app_user membership billing audit_log);
}


# Open -----------------------------------------------------------------------

my $r = sign_up($t, { %json, unknown => 'is ignored' });
is_answer($r, 201, \%answer, 'signed up');
my ($company, $user) = map { $r->json->{$_}{id} } qw(organization owner);
is_deeply([$t->sql(q{select name, timezone, status, parent
                       from ezw.company where id = ?}, $company)],
          [['Ann & Söhne', 'UTC', 'ACTIVE', undef]], 'the company');
is_deeply([$t->sql(q{select email, full_name, first_name, last_name, enabled
                       from ezw.app_user where id = ?}, $user)],
          [['ann@example.com', 'Ann van Dijk', 'Ann', 'van Dijk', 1]],
          'the user');
is_deeply([$t->sql(q{select role, status from ezw.membership
                      where company = ? and user_id = ?}, $company, $user)],
          [['owner', 'active']], 'the membership');
is_deeply([$t->sql(q{select state, line_slots from ezw.billing
                      where company = ?}, $company)], [['pending', 1]],
          'the billing');
is_deeply([$t->sql(q{
    select company, event_type, actor_type, actor_id, target_type, target_id,
           address, trace, data->>'name' from ezw.audit_log})],
    [[$company, 'org.created', 'user', $user, 'company', $company, '127.0.0.1',
      $r->header('x-trace-id'), 'Ann & Söhne']], 'the audit row');
my $hash = $t->value('select password_hash from ezw.app_user where id = ?',
                     $user);
like($hash, qr/^\$scrypt\$ln=15,r=8,p=1\$/, 'the hash');
ok(EZW::Seed::is_password_hash($hash, $json{password}), 'of the password');

$r = $t->http(POST => '/api/auth/login', json => {
    email => 'ann@example.com', password => $json{password} });
is_answer($r, 200, {
    expiresIn => 3600, idToken => qr/./, refreshToken => qr/./,
    organization => { id => $company, name => 'Ann & Söhne' }, role => 'owner',
    tokenType => 'Bearer', user => { displayName => 'Ann van Dijk',
                                     email => 'ann@example.com', id => $user },
}, 'and the first sign-in');
# nobody counts without a provider of billing (DECISIONS 20)
is_answer($t->http(GET => '/api/auth/session', key => $r->json->{idToken}),
          200, { expiresAt => qr/Z$/, principal => {
    billingState => 'active', displayName => 'Ann van Dijk',
    email => 'ann@example.com', role => 'owner',
    linePermissionsDefault => { canSend => true, canView => true },
    organizationId => $company, userId => $user,
} }, 'who am I');

is_answer(sign_up($t, { %json, email => 'bob@example.com', lineSlots => 100,
                        timezone => 'Europe/Amsterdam' }), 201,
          { %answer, lineSlots => { allocated => 100, used => 0 },
            owner => { %{ $answer{owner} }, email => 'bob@example.com' } },
          'with all there is to say; names may be taken');
is_deeply([$t->sql(q{select c.timezone from ezw.company c
                       join ezw.membership m on m.company = c.id
                       join ezw.app_user u on u.id = m.user_id
                      where u.email = 'bob@example.com'})],
          [['Europe/Amsterdam']], 'its timezone');

my $before = counted();
for my $email ('ann@example.com', 'ANN@example.COM') {
    is_workspace_refused(sign_up($t, { %json, email => $email }), 409,
                         'duplicate', { message => 'Already exists' },
                         "$email is taken");
}
for my $zone ('Mars/Olympus', '../../etc/passwd') {
    is_workspace_refused(
        sign_up($t, { %json, email => 'new@example.com', timezone => $zone }),
        400, 'invalid_timezone', { message => 'timezone is not known',
        details => { field => 'timezone' } }, "no timezone: $zone");
}
is(counted(), $before, 'nothing is written');

# At the same time: one gets the address.
my @answers = EZW::Load::parallel([map {
    [POST => $SIGN_UP, json => { %json, email => 'Race@example.com',
                                 organizationName => "Company $_" }]
} 1 .. 4], port => $t->port, timeout => 60);
is(join(' ', sort map { $_->status } @answers), '201 409 409 409',
   'one of four gets the address');
is($t->value(q{select count(*) from ezw.company where name like 'Company %'}),
   1, 'and makes a company');

# The same request again, by its key: in the body or in the header.
for my $how ('body', 'header') {
    my %again = (%json, email => "$how\@example.com");
    my %o;
    $again{idempotencyKey} = "sign-up-$how" if $how eq 'body';
    $o{headers} = { 'Idempotency-Key' => "sign-up-$how" } if $how eq 'header';
    $r = sign_up($t, \%again, %o);
    is_answer($r, 201, { %answer, owner => { %{ $answer{owner} },
                                             email => "$how\@example.com" } },
              "$how: first");
    is($r->header('idempotency-replayed'), undef, "$how: is no replay");
    my $first = $r->body;
    $before = counted();
    # of the password nothing is kept, to compare it with either
    for my $password ($json{password}, 'another password') {
        $r = sign_up($t, { %again, password => $password }, %o);
        is($r->status, 201, "$how: again");
        is($r->body, $first, "$how: the first answer");
        is($r->header('idempotency-replayed'), 'true', "$how: a replay");
    }
    is_workspace_refused(
        sign_up($t, { %again, organizationName => 'Other' }, %o), 409,
        'idempotency_key_reused',
        { message => 'The Idempotency-Key was used for another request' },
        "$how: for something else");
    is(counted(), $before, "$how: once only");
    is($t->value(q{select count(*) from ezw.idempotency
                    where result::text ~* 'scrypt|password'}), 0,
       "$how: no hash in what is kept");
}


# With a token, and closed -----------------------------------------------------

my $token = $t->random_text(24);
EZW::write_file("$EZW::RUNS/sign_up.token", "$token\n", 0600);
my $closed = 'Sign-up is closed';
my $by_token = EZW->start(
    like => $t, workers => 1, signup => "token=$EZW::RUNS/sign_up.token");
$by_token->hasten_hashes;
$before = counted();
for my $case (['no token'], ['an empty one', ''], ['another', 'x' x 24],
              ['the beginning', substr $token, 0, -1],
              ['more than it', "$token "], ['in lower case', lc $token])
{
    my ($name, @signup) = @$case;
    $r = sign_up($by_token, { %json, email => 'token@example.com',
                              @signup ? (signupToken => @signup) : () });
    is_workspace_refused($r, $name eq 'an empty one' ? (400, 'invalid_request',
        { message => 'signupToken is too short: at least 1 character',
          details => { field => 'signupToken' } })
        : (403, 'forbidden', { message => $closed }), "token: $name");
}
is(counted(), $before, 'nothing is written');
is_answer(sign_up($by_token, { %json, email => 'token@example.com',
                               signupToken => $token }), 201,
          { %answer, owner => { %{ $answer{owner} },
                                email => 'token@example.com' } },
          'with the token');
for my $log ($by_token->access_log, $by_token->error_log, $t->database_log) {
    unlike($log, qr/\Q$token/, 'the token is in no log');
}

$before = counted();
my $off = EZW->start(like => $t, signup => 'off');
is_workspace_refused(sign_up($off, { %json, email => 'off@example.com',
                                     signupToken => $token }),
                     403, 'forbidden', { message => $closed }, 'off');
my $default = EZW->start(like => $t, start => 0);
my $conf = slurp("$default->{dir}/nginx.conf") =~ s/ezw_signup open;//r;
EZW::write_file("$default->{dir}/nginx.conf", $conf);
$default->launch;
is_workspace_refused(sign_up($default, { %json, email => 'off@example.com' }),
                     403, 'forbidden', { message => $closed },
                     'nothing said: off');
is(counted(), $before, 'nothing is written');

done_testing;

# Signing in, staying in, leaving: the whole answers, who may not, what is left
# in the database, and that nothing secret is left anywhere else.

use EZW;
use EZW::Stall qw(lateness);
use EZW::Token;
use Digest::SHA qw(sha256_hex);
use IO::Select;
use Time::HiRes qw(time);

my $t = EZW->start(workers => 1);
$t->hasten_hashes;
my $key = EZW::Token->key(EZW::signing_key());
my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}
              -[89ab][0-9a-f]{3}-[0-9a-f]{12}$/x;
my $refresh_token = qr/^[A-Za-z0-9]{40}$/;

my ($LOGIN, $REFRESH, $SESSION, $LOGOUT, $PASSWORD, $RESET)
    = map { "/api/auth/$_" }
      qw(login refresh session logout password password/reset);

# What must be found in no log, and in no row of the database.
my @secrets;

sub secret { push @secrets, grep { defined } @_; return $_[0] }

sub post {
    my ($path, $json, %o) = @_;
    my $r = $t->http(POST => $path, json => $json, timeout => 60, %o);
    secret(@{ $r->json }{qw(idToken refreshToken)})
        if ref $r->json eq 'HASH';
    return $r;
}

sub login {
    my ($email, $password, %more) = @_;
    return post($LOGIN, { email => $email, password => $password, %more });
}

sub parallel {
    return EZW::Load::parallel([@_], port => $t->port, timeout => 60);
}

sub refresh { return post($REFRESH, { refreshToken => shift, @_ }) }
sub session { return $t->http(GET => $SESSION, key => $_[0]) }

# A sign-in without the hash: the session that it would have made, refreshed
# once. Returns the answer's JSON.
sub sign_in {
    my ($company, $user) = @_;
    my ($id, $text) = ($t->uuid, secret($t->random_text(40)));
    $t->insert('session', company => $company, id => $id, family => $id,
               user_id => $user, refresh_hash => { hex => sha256_hex($text) },
               expires_at => '2100-01-01');
    my $r = refresh($text);
    $r->status == 200 or die 'no refresh: ' . $r->as_text;
    return $r->json;
}

# The session has ended, on this node too, within two seconds.
sub ends {
    my ($name, @tokens) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    cmp_ok(lateness([$t], sub {
        return !grep { session($_)->status != 401 } @tokens;
    }, "$name: an end"), '<', 2 + 0.5 * $EZW::Expect::PATIENCE,
           "$name: ID tokens end within two seconds");
    is_workspace_refused(session($_), 401, 'unauthenticated',
        { message => 'Unauthorized: the session has ended' }, $name)
        for @tokens;
    return;
}

my %unauthorized = (message => 'Unauthorized');
my %wrong = (message => 'The e-mail or the password is wrong');

# The audit rows since the last time: without id and time, data as text.
my $seen = '2020-01-01';
sub audited {
    my @rows = $t->sql(q{
        select g.created_at, g.company, g.event_type, g.actor_type, g.actor_id,
               g.target_type, g.target_id, g.address, g.trace, g.data::text
          from ezw.audit_log g
         where g.created_at > ?
         order by g.created_at, g.event_type}, $seen);
    $seen = $rows[-1][0] if @rows;
    return [map { [@$_[1 .. 9]] } @rows];
}

sub live {
    my ($user) = @_;
    return $t->value(q{select count(*) from ezw.session
                        where user_id = ? and revoked_at is null
                          and spent_at is null}, $user);
}


# Signing in -----------------------------------------------------------------

my $company = $t->company(name => 'First');
my $second = $t->company(name => 'Second');
my $password = secret('correct hörse, battery');
my $jane = $t->user(company => $company, email => 'jane@example.com',
                    name => 'Jane Doe', role => 'admin',
                    password => $password);
$t->sql('update ezw.membership set last_seen_at = now() where user_id = ?',
        $jane);
$t->insert('membership', company => $second, user_id => $jane,
           role => 'operator', can_send => 'f');

my %user = (displayName => 'Jane Doe', email => 'jane@example.com',
            id => $jane);
my %answer = (
    expiresIn => 3600, idToken => qr/^[\w-]+\.[\w-]+\.[\w-]+$/,
    organization => { id => $company, name => 'First' },
    refreshToken => $refresh_token, role => 'admin', tokenType => 'Bearer',
    user => \%user,
);

my $began = int time;
my $r = login('jane@example.com', $password,
              organizationId => undef, unknown => 'is ignored');
is_answer($r, 200, \%answer, 'signed in');
is($r->header('cache-control'), 'no-store', 'for no cache');
like($r->header('x-trace-id'), qr/^[0-9a-f]{32}$/, 'a trace id');
my $in = $r->json;
my ($header, $claims) = EZW::Token::read_token($in->{idToken});
is_json($header, { alg => 'EdDSA', kid => $key->{kid}, typ => 'JWT' },
        "the token's header");
is_json($claims, {
    iss => 'ezw', aud => 'ezw-workspace', sub => $jane, org => $company,
    role => 'admin', mv => 1, sid => $uuid,
    iat => sub { $_[0] >= $began && $_[0] <= time },
    exp => $claims->{iat} + 3600,
}, "the token's claims");
ok($key->signed($in->{idToken}), 'signed by the key');
is($t->value(q{select encode(refresh_hash, 'hex') from ezw.session
                where id = ?}, $claims->{sid}), sha256_hex($in->{refreshToken}),
   'of the refresh token there is a hash');
is_deeply(audited(), [[$company, 'auth.login', 'user', $jane, 'session',
                       $claims->{sid}, '127.0.0.1', $r->header('x-trace-id'),
                       undef]], 'the audit row');

my %principal = (
    billingState => 'active', displayName => 'Jane Doe',
    email => 'jane@example.com',
    linePermissionsDefault => { canSend => true, canView => true },
    organizationId => $company, role => 'admin', userId => $jane,
);
my $expires = POSIX::strftime('%Y-%m-%dT%H:%M:%S.000000Z',
                              gmtime $claims->{exp});
is_answer(session($in->{idToken}), 200,
          { principal => \%principal, expiresAt => $expires }, 'who am I')
    for 1, 2;
is($t->http(HEAD => $SESSION, key => $in->{idToken})->status, 200, 'HEAD');

# ways to write the same
for my $email ('JANE@Example.COM', 'Jane@example.com') {
    is_answer(login($email, $password), 200, \%answer, $email);
}
is_answer(post($LOGIN, { email => 'jane@example.com', password => $password },
               headers => { Authorization => 'Bearer ' . 'x' x 40 }),
          200, \%answer, 'a key beside it does not matter');

# where
my %there = (%answer, organization => { id => $second, name => 'Second' },
             role => 'operator');
is_answer(login('jane@example.com', $password, organizationId => uc $second),
          200, \%there, 'in the other organization');
is_answer(login('jane@example.com', $password), 200, \%there,
          'where she was last');
is_answer(login('jane@example.com', $password, organizationId => $company),
          200, \%answer, 'and back');
$r = refresh($in->{refreshToken}, organizationId => $second);
is_answer($r, 200, \%there, 'a refresh goes there as well');
is_answer(session($r->json->{idToken}), 200, {
    principal => {
        %principal, organizationId => $second, role => 'operator',
        linePermissionsDefault => { canSend => false, canView => true },
    }, expiresAt => qr/Z$/,
}, 'and she is somebody else there');
$r = refresh($r->json->{refreshToken});
is_answer($r, 200, \%there, 'the next stays there');
is_answer(refresh($r->json->{refreshToken}, organizationId => $company), 200,
          \%answer, 'and back');

# what a password may be
for my $case (['256 characters of four bytes', "\x{1F600}" x 256],
              ['spaces around', '  a b  '], ['one character', 'x'],
              ['quotes', q{'"\\} . "\t\n"])
{
    my ($name, $text) = @$case;
    my $email = 'p' . length($text) . '@example.com';
    $t->user(company => $company, email => $email, password => secret($text));
    is(login($email, $text)->status, 200, "$name: signs in");
    is(login($email, $text . ' ')->status, length $text == 256 ? 400 : 401,
       "$name: and a space does not");
}


# Who may not ----------------------------------------------------------------

my $stranger = $t->company(name => 'Strangers');
my %none = map { $_->[0] => $t->user(company => $company,
                                     email => "$_->[0]\@example.com",
                                     password => $password,
                                     %{ $_->[1] // {} }) }
    ['gone'], ['dismissed', { status => 'disabled' }],
    ['invited', { status => 'invited' }], ['bare', { hash => undef,
                                                     password => undef }],
    ['broken', { hash => 'no hash' }], ['alone'];
$t->sql('update ezw.app_user set enabled = false where id = ?', $none{gone});
$t->sql('delete from ezw.membership where user_id = ?', $none{alone});

my $guess = secret('Correct hörse, battery');
my @refused = (
    ['an unknown user', 'nobody@example.com', $password],
    ['a wrong password', 'jane@example.com', $guess],
    ['the end is missing', 'jane@example.com', substr $password, 0, -1],
    ['the hash', 'jane@example.com', $t->value(
        'select password_hash from ezw.app_user where id = ?', $jane)],
    ['a disabled user', 'gone@example.com', $password],
    ['a disabled member', 'dismissed@example.com', $password],
    ['who has only been invited', 'invited@example.com', $password],
    ['who has no password', 'bare@example.com', $password],
    ['whose hash is none', 'broken@example.com', 'no hash'],
    ['a member of nothing', 'alone@example.com', $password],
    ["a stranger's organization", 'jane@example.com', $password,
     organizationId => $stranger],
    ['no organization', 'jane@example.com', $password,
     organizationId => $t->uuid],
);
audited();
my $before = $t->snapshot('audit_log');
my %alike;
for my $case (@refused) {
    my ($name, @login) = @$case;
    $r = login(@login);
    is_workspace_refused($r, 401, 'unauthenticated', \%wrong, $name);
    my %headers = %{ $r->{headers} };
    my $trace = delete @headers{qw(date ratelimit x-trace-id)};
    $alike{ $r->body =~ s/\Q$trace//r . to_json(\%headers) } .= "$name ";
}
is(scalar(keys %alike), 1, 'nothing tells them apart') or diag explain \%alike;
is_deeply($t->snapshot('audit_log'), $before, 'and nothing is written');
# for those who could have signed in
is_deeply([map { "$_->[1] $_->[5]" } @{ audited() }],
          [('auth.login_failed ' . $jane) x 3,
           map { "auth.login_failed $none{$_}" } qw(bare broken)],
          'but to the audit log');
$r = login('jane@example.com', $guess);
my $trace = $r->header('x-trace-id');
is_deeply(audited(), [[$company, 'auth.login_failed', 'system', undef, 'user',
                       $jane, '127.0.0.1', $trace, undef]],
          'the row of a failed one');
wait_for(sub { $t->access_log =~ /trace=$trace / }, 10, 'its log line');
like($t->access_log,
     qr/^401 .*trace=$trace endpoint="login" gate=bad_password/m,
     "what the gate's log says");

# It takes as long to refuse nobody as somebody: the least time of each, for
# which a busy machine may want some more of them.
my %least = (nobody => 9e9, jane => 9e9);
for my $round (1 .. 50) {
    for my $who (qw(nobody jane)) {
        my $start = time;
        login("$who\@example.com", $guess)->status == 401 or die;
        my $took = time - $start;
        $least{$who} = $took if $took < $least{$who};
    }
    last if $round >= 5 && $least{nobody} > $least{jane} / 2;
}
cmp_ok($least{nobody}, '>', $least{jane} / 2,
       'nobody is not refused any quicker than somebody');

# A company that is blocked lets nobody in but to be told so.
my $blocked = $t->company(name => 'Blocked', status => 'BLOCKED');
my $locked = $t->user(company => $blocked, email => 'locked@example.com',
                      password => $password);
$r = login('locked@example.com', $password);
is($r->status, 200, 'who is right is told that it is the company');
is_workspace_refused(session($_), 403, 'forbidden',
    { message => 'Access denied: the company is blocked' },
    'a blocked company')
    for $r->json->{idToken}, sign_in($blocked, $locked)->{idToken};


# What is wrong with a request -------------------------------------------------

my %good = (
    $LOGIN => { email => 'jane@example.com', password => $password },
    $REFRESH => { refreshToken => 'x' x 40 },
    $PASSWORD => { currentPassword => $guess, newPassword => 'x' x 10 },
    $RESET => { token => 'x' x 40, newPassword => 'x' x 10 },
    '/api/signup/organization' => {
        organizationName => 'New', ownerName => 'Ann', password => 'x' x 10,
        email => 'ann@example.com',
    },
);
my $token = sign_in($company, $jane)->{idToken};
audited();
$before = $t->snapshot;

# Field by field: what it must not be. Every text names its field.
my @no_string = (1, true, [], {});
my @no_email = (@no_string, '', 'x', 'x@', '@x', 'a@b@c', 'a b@c.d', 'a@b..c',
                "a\n\@b.c", 'a@b_c', 'ä@b.c', 'x' x 65 . '@b.c');
my @no_password = (@no_string, undef, 'x' x 9, "\x{1F600}" x 9,
                   'x' x 257, "\x{1F600}" x 257);
my @no_text = (@no_string, '');
my %bad = (
    $LOGIN => {
        email => [@no_email, undef], organizationId => [@no_string, '', 'x',
            $company . ' ', substr $company, 1],
        password => [@no_string, undef, '', 'x' x 257],
    },
    $REFRESH => {
        refreshToken => [@no_text, undef, 'x' x 513],
        organizationId => [@no_string, 'x'],
    },
    $PASSWORD => {
        currentPassword => [@no_text, undef, 'x' x 257],
        newPassword => \@no_password,
    },
    $RESET => { token => [@no_text, 'x' x 513], newPassword => \@no_password },
    '/api/signup/organization' => {
        organizationName => [@no_text, undef, 'x' x 121],
        ownerName => [@no_text, undef, 'x' x 121],
        email => [@no_email, undef], password => \@no_password,
        lineSlots => ['1', 0, -1, 101, 1.5, undef, true],
        timezone => [@no_text, undef, 'x' x 65],
        idempotencyKey => [@no_text, undef, 'x' x 256],
    },
);
for my $path (sort keys %bad) {
    for my $field (sort keys %{ $bad{$path} }) {
        my @requests = map {
            [POST => $path, json => { %{ $good{$path} }, $field => $_ },
             key => $token]
        } @{ $bad{$path}{$field} };
        my @wrong = grep {
            my $error = $_->status == 400 && $_->json->{error};
            !($error && $error->{code} =~ /^invalid_/
              && to_json($error->{details}) eq to_json({ field => $field })
              && $error->{message} =~ /^\Q$field\E |idempotency key/);
        } parallel(@requests);
        is(scalar(@wrong), 0, "$path: what $field must not be")
            or diag map { to_json($_->{request}[3]) . ' '
                          . $_->as_text . "\n" } @wrong;
    }
    for my $field (sort keys %{ $good{$path} }) {
        next if $path eq $RESET;
        my %json = %{ $good{$path} };
        delete $json{$field};
        is_workspace_refused(post($path, \%json, key => $token), 400,
                             'invalid_request', {
            message => "$field is required", details => { field => $field },
        }, "$path without $field");
    }

    # the whole body
    for my $body ('', '{', '[]', 'null', '"x"', '{"email":"a","email":"b"}',
                  "{\"password\":\"\xff\"}", '{"password":"a\u0000b"}',
                  'email=x')
    {
        $r = $t->http(POST => $path, key => $token, body => $body,
                      headers => { 'Content-Type' => 'application/json' });
        is($r->status . ' ' . $r->json->{error}{code}, '400 invalid_request',
           "$path: no such body");
    }
    is_workspace_refused($t->http(
        POST => $path, key => $token, body => 'email=x',
        headers => { 'Content-Type' => 'application/x-www-form-urlencoded' }),
        415, 'unsupported_media_type',
        { message => 'Content-Type must be application/json' },
        "$path: no form");
    is_workspace_refused(post(
        $path, { %{ $good{$path} }, pasword => 'x' }, key => $token,
        headers => { Prefer => 'handling=strict' }), 400, 'invalid_request',
        { message => 'Unknown field: pasword',
          details => { field => 'pasword' } }, "$path: a typo, if asked for");
    $r = $t->http(GET => $path, key => $token);
    is_workspace_refused($r, 405, 'method_not_allowed', {}, "GET $path");
    is($r->header('allow'), 'POST', "$path: what is allowed");
}
is_workspace_refused(post($RESET, $_->[0]), 400, 'invalid_request',
                     { message => $_->[2], details => { field => $_->[1] } },
                     'reset: ' . join ' and ', sort keys %{ $_->[0] })
    for [{}, 'token', 'either email or token is required'],
        [{ newPassword => 'x' x 10 }, 'token',
         'either email or token is required'],
        [{ email => 'a@b.c', token => 'x' }, 'token',
         'either email or token is required'],
        [{ token => 'x' }, 'newPassword', 'newPassword is required'];
is_deeply($t->snapshot, $before, 'nothing is written');


# Staying in -----------------------------------------------------------------

my $out = sign_in($company, $jane);
$in = sign_in($company, $jane);
my $first = (EZW::Token::read_token($in->{idToken}))[1];
audited();
$r = refresh($in->{refreshToken});
is_answer($r, 200, \%answer, 'refreshed');
is($r->header('cache-control'), 'no-store', 'for no cache');
my $next = $r->json;
my $claims_of_next = (EZW::Token::read_token($next->{idToken}))[1];
is_json($claims_of_next, { %$first, sid => $uuid,
                           iat => sub { $_[0] >= $first->{iat} },
                           exp => $claims_of_next->{iat} + 3600 },
        'a new token');
isnt($claims_of_next->{sid}, $first->{sid}, 'of a new session');
isnt($next->{refreshToken}, $in->{refreshToken}, 'and a new refresh token');
is_answer(session($_), 200, { principal => \%principal, expiresAt => qr/Z$/ },
          'an ID token lives on') for $in->{idToken}, $next->{idToken};
is_deeply(audited(), [], 'a refresh is no event');

# A spent token in two hands: all of the family ends, others do not.
$r = refresh($in->{refreshToken});
is_workspace_refused($r, 401, 'unauthenticated', \%unauthorized,
                     'a spent token');
is_deeply(audited(), [[$company, 'auth.refresh_reuse', 'system', undef,
                       'session', $first->{sid}, '127.0.0.1',
                       $r->header('x-trace-id'), qq({"userId" : "$jane"})]],
          'is noted');
is_workspace_refused(refresh($next->{refreshToken}), 401, 'unauthenticated',
                     \%unauthorized, 'and ends the family');
ends('a family', $next->{idToken}, $in->{idToken});
is_deeply(audited(), [], 'noted once');
is(refresh($out->{refreshToken})->status, 200, 'another family stays in');

for my $case (['no token at all', $t->random_text(40)],
              ['of another length', 'x'], ['an ID token', $token],
              ['a token in lower case', lc $next->{refreshToken}])
{
    is_workspace_refused(refresh($case->[1]), 401, 'unauthenticated',
                         \%unauthorized, $case->[0]);
}

# At the same time: one gets the next token, and it is the last.
for my $round (1 .. 3) {
    $in = sign_in($company, $jane);
    my @answers = parallel(map {
        [POST => $REFRESH, json => { refreshToken => $in->{refreshToken} }]
    } 1 .. 8);
    my @good = grep { $_->status == 200 } @answers;
    is(scalar(@good), 1, "round $round: one of eight is refreshed");
    is(scalar(grep { $_->status == 401 } @answers), 7, 'the others are not');
    is_answer($good[0], 200, \%answer, 'the answer');
    secret(@{ $good[0]->json }{qw(idToken refreshToken)});
    is(refresh($good[0]->json->{refreshToken})->status, 401,
       'and the family has ended');
}
audited();

# What ends in the meantime.
for my $case (
    ['expired', q{update ezw.session set expires_at = now()
                   where user_id = ?}],
    ['revoked', q{update ezw.session set revoked_at = now()
                   where user_id = ?}],
    ['a disabled member', q{update ezw.membership set status = 'disabled'
                             where user_id = ?},
     q{update ezw.membership set status = 'active' where user_id = ?}],
    ['a disabled user', q{update ezw.app_user set enabled = false
                           where id = ?},
     q{update ezw.app_user set enabled = true where id = ?}],
) {
    my ($name, $end, $again) = @$case;
    $in = sign_in($company, $jane);
    $t->sql($end, $jane);
    is_workspace_refused(refresh($in->{refreshToken}), 401, 'unauthenticated',
                         \%unauthorized, $name);
    $t->sql($again, $jane) if $again;
    is(refresh($in->{refreshToken})->status, 401, "$name: for good")
        if $again;
}
is($t->value(q{select count(*) from ezw.audit_log
                where event_type = 'auth.refresh_reuse' and company = ?},
             $company), 4, 'nobody is called a thief for it');


# Leaving --------------------------------------------------------------------

$in = sign_in($company, $jane);
$next = refresh($in->{refreshToken})->json;
$out = sign_in($company, $jane);
is(session($next->{idToken})->status, 200, 'she is in');
$claims = (EZW::Token::read_token($next->{idToken}))[1];
audited();
$r = $t->http(POST => $LOGOUT, key => $next->{idToken}, body => 'whatever');
is_answer($r, 204, undef, 'logged out');
is_deeply(audited(), [[$company, 'auth.logout', 'user', $jane, 'session',
                       $claims->{sid}, '127.0.0.1', $r->header('x-trace-id'),
                       undef]], 'the audit row');
is_workspace_refused(refresh($next->{refreshToken}), 401, 'unauthenticated',
                     \%unauthorized, 'no refresh any more');
ends('logged out', $next->{idToken}, $in->{idToken});
is_workspace_refused($t->http(POST => $LOGOUT, key => $next->{idToken}), 401,
                     'unauthenticated',
                     { message => 'Unauthorized: the session has ended' },
                     'nobody leaves twice');
is_workspace_refused($t->http(POST => $LOGOUT), 401, 'unauthenticated',
                     { message => 'Unauthorized: no ID token' },
                     'nor who was never in');
is(session($out->{idToken})->status, 200, 'another family stays in');
is(refresh($out->{refreshToken})->status, 200, 'and is refreshed');
audited();


# Passwords ------------------------------------------------------------------

my $new = secret('another one');
my ($mine, $other) = map { sign_in($company, $jane) } 1 .. 2;
my $theirs = sign_in($company, $none{bare});
is(session($_->{idToken})->status, 200, 'in') for $mine, $other, $theirs;
audited();
sub change {
    my ($token, $old, $text) = @_;
    return post($PASSWORD, { currentPassword => $old, newPassword => $text },
                key => $token);
}
is_workspace_refused(change($mine->{idToken}, $guess, $new), 403, 'forbidden',
    { message => 'The current password is wrong',
      details => { field => 'currentPassword' } }, 'a wrong password');
is_workspace_refused(change(undef, $password, $new), 401, 'unauthenticated',
                     { message => 'Unauthorized: no ID token' }, 'no token');
is_deeply(audited(), [], 'is no change');
$r = change($mine->{idToken}, $password, $new);
is_answer($r, 204, undef, 'changed');
is_deeply(audited(), [[$company, 'auth.password_changed', 'user', $jane,
                       'user', $jane, '127.0.0.1', $r->header('x-trace-id'),
                       undef]], 'the audit row');
ok(EZW::Seed::is_password_hash($t->value(
       'select password_hash from ezw.app_user where id = ?', $jane), $new),
   'what is stored');
like($t->value('select password_hash from ezw.app_user where id = ?', $jane),
     qr/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+\/]{22}\$[A-Za-z0-9+\/]{43}$/,
     "by today's rules");
is_workspace_refused(refresh($other->{refreshToken}), 401, 'unauthenticated',
                     \%unauthorized, 'her other session ends');
ends('her other session', $other->{idToken});
is(session($_->{idToken})->status, 200, 'this one does not, nor do others')
    for $mine, $theirs;
is_answer(refresh($mine->{refreshToken}), 200, \%answer,
          'and can be refreshed');
is_workspace_refused(login('jane@example.com', $password), 401,
                     'unauthenticated', \%wrong, 'the old password');
is_answer(login('jane@example.com', $new), 200, \%answer, 'the new password');

# Forgotten: who asks for it learns nothing.
audited();
my %asked;
for my $case (['jane', $company], ['nobody'], ['gone'], ['dismissed'],
              ['bare', $company])
{
    my ($name, $noted) = @$case;
    $r = post($RESET, { email => uc "$name\@example.com" });
    is_answer($r, 202, undef, "$name\@example.com has forgotten");
    my %headers = %{ $r->{headers} };
    delete @headers{qw(date x-trace-id ratelimit)};
    $asked{ to_json(\%headers) } = 1;
    my $id = $name eq 'jane' ? $jane : $none{$name};
    is_deeply(audited(), $noted ? [[
        $company, 'auth.password_reset_requested', 'system', undef, 'user',
        $id, '127.0.0.1', $r->header('x-trace-id'), undef]] : [], 'is noted');
}
is(scalar(keys %asked), 1, 'and nothing tells them apart');

# With an operator's token.
sub reset_token {
    my ($email, $until) = @_;
    my $text = secret($t->random_text(40));
    ok($t->value(q{select ezw.password_reset_create(
                       ?, decode(?, 'hex'), now() + ?::interval)},
                 $email, sha256_hex($text), $until), "a token for $email");
    return $text;
}
my %invalid = (message => 'token is unknown, used or too old',
               details => { field => 'token' });
sub is_no_token {
    my ($text, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_workspace_refused(
        post($RESET, { token => $text, newPassword => $guess }), 400,
        'invalid_token', \%invalid, $name);
}
$in = sign_in($company, $jane);
my $older = reset_token('jane@example.com', '1 hour');
my $reset = reset_token('JANE@example.com', '1 hour');
my $late = reset_token('bare@example.com', '-1 second');
my $gone = reset_token('alone@example.com', '1 hour');
$t->sql('update ezw.app_user set enabled = false where id = ?', $none{alone});
audited();
is_no_token($older, 'only the last token');
is_no_token($late, 'one that is too old');
is_no_token($gone, 'one of a disabled user');
is_no_token($t->random_text(40), 'one that is none');
is_deeply(audited(), [], 'set nothing');
my $third = secret('the third one');
is_workspace_refused(post($RESET, { token => $reset, newPassword => $third,
                                    email => undef }), 400, 'invalid_request',
    { message => 'email must not be null', details => { field => 'email' } },
    'no e-mail address beside it, not even null');
$r = post($RESET, { token => $reset, newPassword => $third });
is_answer($r, 202, undef, 'set by a token');
is_deeply(audited(), [[$company, 'auth.password_reset', 'user', $jane, 'user',
                       $jane, '127.0.0.1', $r->header('x-trace-id'), undef]],
          'the audit row');
is(live($jane), 0, 'every session ends');
ends('set by a token', $in->{idToken});
is_no_token($reset, 'a token works once');
is_workspace_refused(login('jane@example.com', $new), 401, 'unauthenticated',
                     \%wrong, 'the old password');
is_answer(login('jane@example.com', $third), 200, \%answer,
          'the new password');


# Nothing secret anywhere ------------------------------------------------------

is($t->http(GET => '/healthz')->status, 200, 'the last request');
wait_for(sub { $t->access_log =~ m{GET /healthz} }, 10, 'it is logged');
my %text = (
    'the access log' => $t->access_log, 'the error log' => $t->error_log,
    "Postgres' log" => $t->database_log,
    'the database' => join("\n", map { @$_ } values %{ $t->snapshot }),
);
utf8::encode($text{'the database'});
my @found;
for my $place (sort keys %text) {
    for my $secret (@secrets) {
        utf8::encode(my $bytes = $secret);
        next if length $bytes < 8;
        push @found, "$place has $secret" if index($text{$place}, $bytes) >= 0;
    }
}
cmp_ok(scalar(@secrets), '>', 80, 'there were secrets');
is_deeply(\@found, [], 'and none of them is anywhere');
for my $place (grep { $_ ne 'the database' } sort keys %text) {
    unlike($text{$place}, qr/\$scrypt|Bearer/, "nor is a hash in $place");
}

done_testing;

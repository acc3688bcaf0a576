# The limits of whoever is not known by a key: of addresses, of signing in and
# signing up, and of people.

use EZW;
use EZW::RateLimit qw(tells);
use Time::HiRes qw(time);

# Those of sign-in are the module's own. On the second server they have the same
# numbers.
my $t = EZW->start(
    workers => 1,
    limits => { lock_timeout => '250ms' },
    rates => 'ezw_rate key rate=1r/h burst=1000; '
        . 'ezw_rate address rate=1r/h burst=3; '
        . 'ezw_rate user rate=1r/h burst=4;',
    http => <<'CONF');
set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;
    server {
        listen 127.0.0.1:%%PORT:second%%;
        ezw_rate address rate=1r/h burst=2;
        ezw_rate login_address rate=1r/h burst=2;
        ezw_rate signup rate=1r/h burst=2;
        ezw_rate login_email rate=1r/h burst=3;
        location /v3/  { ezw_api v3; }
        location /api/ { ezw_api workspace; }
    }
    server {
        listen 127.0.0.1:%%PORT:third%%;
        ezw_rate login_address off;
        location /api/ { ezw_api workspace; }
    }
CONF
my $demo = $t->demo;
my $who = '/v3/keys/current';
my $port;

# A request that comes from an address; when it was begun.
my $asked;
sub from {
    my ($address, $method, $path, %o) = @_;

    my $client = $t->client($port ? (port => $port) : ());
    $asked = time;
    return $client->request($method, $path, close => 1, %o,
                            headers => { 'X-Real-IP' => $address });
}

sub key {
    return $t->key(company => $demo->{company}, scope => 'COMPANY', @_);
}

sub unknown { return from($_[0], GET => $who, key => $t->random_text(40)) }


# An address has three unknown keys an hour. What is known to be none, what can
# be none, and who has none, take nothing.
my $three = '"address";q=3;w=10800';
my $address = '203.0.113.1';
my $bad = $t->random_text(40);
my $good = key();
is(from('203.0.113.2', GET => $who, key => $good)->status, 200, 'a good key');
my $began = time;
tells(from($address, GET => $who, key => $bad), 401, $three, 1, $began,
      'an unknown key');
tells(from($address, GET => $who, key => $bad), 401, $three, 1, $began,
      'the same again');
tells(from($address, GET => $who, key => substr $bad, 1), 401, $three, 1,
      $began, 'none by its length');
tells(from($address, GET => $who, key => '-' x 40), 401, $three, 1, $began,
      'none by its letters');
tells(from($address, GET => $who), 401, $three, 1, $began, 'no key');
tells(from($address, GET => '/v3/nothing', key => $bad), 404, $three, 1,
      $began, 'no such path');
tells(from($address, POST => $who, key => $bad), 405, $three, 1, $began,
      'no such method');
tells(from($address, GET => '/api/auth/session', key => $good), 403, $three, 1,
      $began, 'an API key at the workspace');
tells(unknown($address), 401, $three, 2, $began, 'another unknown key');
tells(from($address, GET => '/api/auth/session', key => 'a.b.c'), 401, $three,
      3, $began, 'an unknown token');
for my $n (1 .. 3) {
    my $r = unknown($address);
    tells($r, 429, $three, 3, $began, "one too many, $n");
    is_refused($r, 429, 1003, { message => 'Rate limit exceeded' },
               "one too many, $n: body");
}
tells(from($address, GET => $who), 401, $three, 3, $began,
      'no key is no key');
tells(from($address, GET => $who, key => $bad), 401, $three, 3, $began,
      'and who is known to be none is told so');
tells(from($address, GET => '/api/auth/session', key => 'a.b.d'), 429, $three,
      3, $began, 'tokens count too');

# Who is known goes on, at that address as at any other.
for my $n (2 .. 6) {
    tells(from($address, GET => $who, key => $good), 200,
          '"key";q=1000;w=3600000', $n, $began, "a good key there, $n");
}
is(unknown('203.0.113.3')->status, 401, 'another address is another');

# Keys that turn out to be good cost an address nothing, nor do those that are
# known and out of force, nor a database that cannot be asked.
$address = '203.0.113.4';
for my $n (1 .. 6) {
    is(from($address, GET => $who, key => key())->status, 200,
       "a good key at its first use, $n");
}
for my $case (['revoked', 401, revoked_at => '2020-01-01'],
              ['expired', 401, expires_at => '2020-01-01'],
              ['not from here', 403, whitelist => '{192.0.2.1}'])
{
    my ($name, $status, @row) = @$case;
    my $key = key(@row);
    for my $time (1, 2) {
        tells(from($address, GET => $who, key => $key), $status, $three, 0,
              $asked, "$name, asked $time times");
    }
}
my $dbh = $t->dbh;
$dbh->begin_work;
$dbh->do('lock table ezw.api_key in access exclusive mode');
for my $n (1 .. 4) {
    my $r = unknown($address);
    is($r->status, 503, "a database that cannot be asked, $n");
    is($r->header('ratelimit'), '"address";r=3;t=0', "has cost nothing, $n");
}
$dbh->rollback;
tells(unknown($address), 401, $three, 1, $asked, 'an unknown one does');

# Exact when they come at once.
my @responses = $t->parallel(map {
    [GET => $who, key => $t->random_text(40),
     headers => { 'X-Real-IP' => '203.0.113.5' }]
} 1 .. 30);
is(scalar(grep { $_->status == 401 } @responses), 3, 'three of thirty');
is(scalar(grep { $_->status == 429 } @responses), 27, 'and no more');

# Nor does one good key cost more that many ask with before it is known, such as
# behind a balancer after a restart.
my $fresh = key();
@responses = $t->parallel(map {
    [GET => $who, key => $fresh, headers => { 'X-Real-IP' => '203.0.113.6' }]
} 1 .. 60);
is(scalar(grep { $_->status == 200 } @responses), 60, 'sixty with one key');

# An IPv6 network of 64 bits is one address; an IPv4 address is, however it is
# written.
for my $case (['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff',
               '2001:db8:1:2:8000::', '2001:db8:1:3::1'],
              ['203.0.113.6', '::ffff:203.0.113.6', '203.0.113.6',
               '203.0.113.7'],
              ['::ffff:203.0.113.8', '203.0.113.8', '::ffff:203.0.113.8',
               '::ffff:203.0.113.9'])
{
    my @same = @$case;
    my $other = pop @same;
    $began = time;
    for my $n (1 .. 3) {
        tells(unknown($same[$n - 1]), 401, $three, $n, $began, $same[$n - 1]);
    }
    is(unknown($_)->status, 429, "$_: too many") for @same;
    is(unknown($other)->status, 401, "$other is another");
}


# Signing in: five in five minutes from an address, right or wrong. (Each costs
# the time of a hash; what is refused does not.)
$t->hasten_hashes;

sub login {
    my ($address, $email, $password) = @_;
    return from($address, POST => '/api/auth/login',
                json => { email => $email, password => $password // 'wrong' });
}

sub signup {
    my ($address, $email) = @_;
    return from($address, POST => '/api/signup/organization', json => {
        organizationName => 'New', ownerName => 'Ann Owner', email => $email,
        password => 'a password' });
}

sub is_limited {
    my ($r, $name) = @_;
    my $trace = $r->header('x-trace-id');
    return is_answer($r, 429, {
        error => { code => 'rate_limited', message => 'Rate limit exceeded',
                   details => {} },
        traceId => qr/^\Q$trace\E$/,
    }, $name);
}

my $password = 'correct horse battery';
$t->user(company => $demo->{company}, email => 'first@example.com',
         password => $password);
my $for_address = '"login_address";q=5;w=300';
my $signed;
$address = '198.51.100.1';
$began = time;
for my $n (1 .. 5) {
    my $r = $n == 3 ? login($address, 'first@example.com', $password)
        : login($address, "nobody$n\@example.com");
    tells($r, $n == 3 ? 200 : 401, $for_address, $n, $began, "sign-in $n");
    $signed = $r->json if $n == 3;
}
for my $n (1 .. 3) {
    my $r = login($address, 'first@example.com', $password);
    tells($r, 429, $for_address, 5, $began, "one too many, $n");
    is_limited($r, "one too many, $n: body");
}
is($t->value('select count(*) from ezw.session'), 1, 'one session');
tells(from($address, POST => '/api/auth/login', json => { email => 1 }),
      400, $three, 0, $asked, 'what is invalid takes nothing');
tells(signup('198.51.100.2', 'ann@example.com'), 201, '"signup";q=5;w=1800', 1,
      $asked, 'five sign-ups in half an hour');

# A refresh token is guessed as a key is.
$address = '198.51.100.3';
my @tokens = ($signed->{idToken});
my $refresh = $signed->{refreshToken};
for my $n (1 .. 5) {
    my $r = from($address, POST => '/api/auth/refresh',
                 json => { refreshToken => $refresh });
    tells($r, 200, $three, 0, $asked, "a refresh token that is one, $n");
    $refresh = $r->json->{refreshToken};
    push @tokens, $r->json->{idToken};
}
$began = time;
for my $n (1 .. 3) {
    tells(from($address, POST => '/api/auth/refresh',
               json => { refreshToken => $t->random_text(40) }), 401, $three,
          $n, $began, "one that is none, $n");
}
tells(from($address, POST => '/api/auth/refresh',
           json => { refreshToken => $refresh }), 429, $three, 3, $began,
      'one too many');

# A person has a limit of his own, whichever token he comes with, from wherever.
my $four = '"user";q=4;w=14400';
$began = time;
for my $n (1 .. 4) {
    tells(from("192.0.2.$n", GET => '/api/auth/session', key => $tokens[-1]),
          200, $four, $n, $began, "a person, $n");
}
my $r = from('192.0.2.9', GET => '/api/auth/session', key => $tokens[-1]);
tells($r, 429, $four, 4, $began, 'one too many');
is_limited($r, 'one too many: body');


# The second server: limits of the same numbers are not the same limit.
$port = $t->port('second');
$address = '203.0.113.20';
$began = time;
my $two = ';q=2;w=7200';
tells(unknown($address), 401, qq("address"$two), 1, $began, 'an address');
tells(login($address, 'second@example.com'), 401, qq("login_address"$two), 1,
      $began, 'its signing in');
for my $n (1, 2) {
    tells(signup($address, 'ann@example.com'), 409, qq("signup"$two), $n,
          $began, "its signing up, $n");
}
$r = signup($address, 'bob@example.com');
tells($r, 429, qq("signup"$two), 2, $began, 'one too many');
is_limited($r, 'one too many: body');
is($t->value('select count(*) from ezw.app_user where email = ?',
             'bob@example.com'), 0, 'nobody is signed up by it');

# An e-mail address has a limit too, from wherever and however it is written.
# What is told is the limit that has least left.
my $email = '"login_email";q=3;w=10800';
tells(login('203.0.113.21', 'SECOND@EXAMPLE.COM'), 401,
      qq("login_address"$two), 1, $asked, 'the e-mail address, 2');
tells(login('203.0.113.22', 'Second@example.COM'), 401, $email, 3, $began,
      'the e-mail address, 3');
for my $written ('second@example.com', 'sEcond@example.com') {
    $r = login('203.0.113.23', $written, $password);
    tells($r, 429, $email, 3, $began, 'one too many for it');
    is_limited($r, 'one too many for it: body');
}
tells(login('203.0.113.23', 'third@example.com'), 401, qq("login_address"$two),
      1, $asked, 'which took nothing of its address');

# The third server: ten in fifteen minutes, where nothing else is said.
$port = $t->port('third');
tells(login('203.0.113.30', 'fourth@example.com'), 401,
      '"login_email";q=10;w=900', 1, $asked, 'an e-mail address');

# And a program has sixty at once, six hundred a minute; a person sixty, three
# hundred a minute; an address three hundred unknown keys, thirty a second.
my $plain = EZW->start(like => $t, rates => '');
$r = $plain->http(GET => $who, key => $good);
is($r->header('ratelimit-policy'), '"key";q=60;w=6', 'a key');
is($r->header('ratelimit'), '"key";r=59;t=1', 'a key: what is left');
is($plain->http(GET => $who, key => $t->random_text(40))
    ->header('ratelimit-policy'), '"address";q=300;w=10', 'an address');
$r = $plain->http(GET => '/api/auth/session', key => $tokens[-1]);
is($r->header('ratelimit-policy'), '"user";q=60;w=12', 'a person');
is($r->header('ratelimit'), '"user";r=59;t=1', 'a person: what is left');

done_testing;

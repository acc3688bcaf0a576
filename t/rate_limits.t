# What a limit says in its headers, to the second, and which limit a request
# has: of its location, its server, or its key.

use EZW;
use EZW::RateLimit qw(tells tells_nothing);
use File::Path qw(make_path);
use Time::HiRes qw(clock_gettime time);

my $t = EZW->start(
    start => 0, workers => 3,
    rates => 'ezw_rate key rate=1r/h burst=5; '
        . 'ezw_rate address rate=1000000r/s burst=1000000;',
    http => <<'CONF', server => <<'CONF2');
server {
        listen 127.0.0.1:%%PORT:second%%;
        root %%DIR%%/html;
        ezw_rate rate=2r/h burst=3;
        ezw_rate_dry_run on;
        location /v3/  { ezw_api v3; ezw_rate_dry_run off; }
        location /api/ { ezw_api workspace;
                         ezw_rate address rate=1r/h burst=1; }
        location /dry/ {
            ezw_gate scope=channel;
            try_files /page.html =404;
            location /dry/not/ {
                ezw_rate_dry_run off;
                try_files /page.html =404;
            }
        }
    }
CONF
root %%DIR%%/html;
        location = /v3/companies { ezw_api v3; ezw_rate key off; }
        location = /v3/channels  { ezw_api v3;
                                   ezw_rate key rate=60r/m burst=2; }
        location /page/ {
            ezw_gate scope=channel;
            ezw_rate rate=10r/h burst=7;
            try_files /page.html =404;
            location /page/same/  { try_files /page.html =404; }
            location /page/other/ { ezw_rate rate=20r/h burst=7;
                                    try_files /page.html =404; }
            location /page/off/   { ezw_rate off; try_files /page.html =404; }
            location /page/five/  { ezw_rate key burst=5 rate=1r/h;
                                    try_files /page.html =404; }
            location /page/six/   { ezw_rate rate=60r/m;
                                    try_files /page.html =404; }
            location /page/least/ { ezw_rate rate=1r/m;
                                    try_files /page.html =404; }
            location /page/most/  { ezw_rate rate=1000000r/s burst=10000000;
                                    try_files /page.html =404; }
        }
        location /quick/ {
            ezw_gate scope=channel;
            ezw_rate rate=1r/s burst=1;
            try_files /page.html =404;
        }
CONF2
my $demo = $t->demo;
make_path("$t->{dir}/html", { mode => 0755 });
EZW::write_file("$t->{dir}/html/page.html", 'the page');
$t->launch;

my $who = '/v3/keys/current';

# As the server looks at it.
sub now { return clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) }

sub key {
    return $t->key(company => $demo->{company}, scope => 'COMPANY', @_);
}

# And when the last request was begun.
my $asked;
sub get {
    my ($path, $key, %o) = @_;
    $asked = time;
    return $t->http(GET => $path, key => $key, %o);
}

# Of the second server.
sub get_second {
    my ($path, $key) = @_;

    my $client = EZW::Client->new(port => $t->port('second'));
    return $client->request(GET => $path, key => $key, close => 1);
}


# In a quiet hour: five at once, one more each hour. What is refused consumes
# nothing, so what the refusal says stays as it is.
my $key = key();
my $began = time;
my $five = '"key";q=5;w=18000';
for my $n (1 .. 4) {
    tells(get($who, $key), 200, $five, $n, $began, "number $n");
}
tells(get($who, $key), 200, $five, 5, $began, 'the last');
for my $n (1 .. 8) {
    tells(get($who, $key), 429, $five, 5, $began, "too many, $n times");
}
is_deeply([grep { $_ != 429 }
           map { $_->status } $t->parallel(map { [GET => $who, key => $key] }
                                           1 .. 20)],
          [], 'and at once, over all workers');
tells(get($who, $key), 429, $five, 5, $began, 'after twenty more');

# Whatever the answer is, it tells; each has taken one.
$key = key(scope => 'CHANNEL', channels => [$demo->{channel}]);
$began = time;
tells($t->http(GET => "/v3/channels/$demo->{channel}/contacts/"
                   . $t->contact_jid, key => $key),
      404, $five, 1, $began, 'not found');
tells($t->http(GET => '/v3/keys', key => $key),
      403, $five, 2, $began, 'a scope that is too small');
tells($t->http(POST => "/v3/channels/$demo->{channel}/contacts", key => $key,
               json => { jid => 1 }),
      400, $five, 3, $began, 'invalid');
tells($t->http(POST => "/v3/channels/$demo->{channel}/contacts", key => $key,
               json => { jid => $t->contact_jid }),
      201, $five, 4, $began, 'made');
tells($t->http(HEAD => $who, key => $key), 200, $five, 5, $began, 'HEAD');
is($t->http(POST => "/v3/channels/$demo->{channel}/contacts", key => $key,
            json => { jid => my $never = $t->contact_jid })->status, 429,
   'a refused write');
is($t->value('select count(*) from ezw.contact where jid = ?', $never), 0,
   'has written nothing');

# One comes back when its time is over, not before, and no refusal puts it off.
# (Until it could be refused often enough, on a machine that gives it the time.)
my $refused = 0;
for my $try (1 .. 20) {
    $key = key();
    $began = now();
    is(get('/quick/', $key)->body, 'the page', 'one a second');
    my $answered = now();
    my $last_refused = $answered;
    $refused = 0;
    wait_for(sub {
        my $sent = now();
        my $r = get('/quick/', $key);
        return 1 if $r->status == 200;
        ($refused, $last_refused) = ($refused + 1, $sent);
        return 0;
    }, 60, 'one more');
    cmp_ok(now() - $began, '>=', 1, 'not before the second is over');
    cmp_ok($last_refused - $answered, '<=', 1, 'and no later');
    last if $refused > 3;
}
cmp_ok($refused, '>', 3, "refused meanwhile: $refused times");


# Which limit. The same one in two locations is one; another one is another.
$key = key();
$began = time;
my $seven = '"key";q=7;w=2520';
tells(get('/page/', $key), 200, $seven, 1, $began, 'of the location');
tells(get('/page/same/', $key), 200, $seven, 2, $began,
      'of the one around it');
tells(get('/page/other/', $key), 200, '"key";q=7;w=1260', 1, $began,
      'of its own');
tells(get('/page/same/x', $key), 200, $seven, 3, $began, 'and back');
tells(get('/page/five/', $key), 200, $five, 1, $began, "http's");
tells(get($who, $key), 200, $five, 2, $began, 'inherited, the same');
tells(get('/page/six/', $key), 200, '"key";q=6;w=6', 1, $began,
      'without burst: what comes in six seconds');
tells(get('/page/least/', $key), 200, '"key";q=1;w=60', 1, $began,
      'but one at least');
tells(get('/page/most/', $key), 200, '"key";q=10000000;w=10', 1,
      $began, 'the largest');
tells(get('/v3/channels', $key), 200, '"key";q=2;w=2', 1, $began,
      'of an ezw_api location');
tells(get_second($who, $key), 200, '"key";q=3;w=5400', 1, $began,
      "the server's, key by default");

# None at all.
$key = key();
for my $path ('/page/off/', '/v3/companies') {
    my @responses = $t->parallel(map { [GET => $path, key => $key] } 1 .. 10);
    is(scalar(grep { $_->status != 200 } @responses), 0, "off: $path");
    tells_nothing($_, "off: $path tells of none") for @responses;
}
$began = time;
tells(get($who, $key), 200, $five, 1, $began, 'and has taken none');


# A key's own, everywhere.
$key = key(rate_per_minute => 2, burst => 4);
$began = time;
my $own = '"key";q=4;w=120';
tells(get($who, $key), 200, $own, 1, $began, 'its own');
tells(get('/page/', $key), 200, $own, 2, $began, 'in a location with one');
tells(get('/page/off/', $key), 200, $own, 3, $began, 'with none');
tells(get_second($who, $key), 200, $own, 4, $began, 'on another server');
tells(get($who, $key), 429, $own, 4, $began, 'too many');
tells(get('/v3/companies', $key), 429, $own, 4, $began, 'everywhere');
for my $case ([120, '"key";q=12;w=6'], [1, '"key";q=1;w=60']) {
    my ($rate, $policy) = @$case;
    tells(get($who, key(rate_per_minute => $rate)), 200, $policy, 1, $asked,
          "$rate a minute and no burst");
}
tells(get($who, key(burst => 9)), 200, $five, 1, $asked,
      'a burst alone is no limit');

# It changes, and with it the limit.
$key = key(rate_per_minute => 1, burst => 1);
is(get($who, $key)->status, 200, 'one');
is(get($who, $key)->status, 429, 'a minute');
$t->sql('update ezw.api_key set rate_per_minute = 6000, burst = 1000
          where id = ?', $t->key_id($key));
wait_for(sub { get($who, $key)->status == 200 }, 5, 'another limit');
like(get($who, $key)->header('ratelimit-policy'), qr/^"key";q=1000;w=10$/,
     'is told');


# A dry run lets all pass, and says what it would have done.
$key = key();
my $id = $t->key_id($key);
$began = time;
my $three = '"key";q=3;w=5400';
for my $n (1 .. 2) {
    tells(get_second('/dry/', $key), 200, $three, $n, $began, "dry run, $n");
}
tells(get_second('/dry/', $key), 200, $three, 3, $began, 'dry run, last');
unlike($t->error_log, qr/dry run/, 'nothing to warn of');
for my $n (1 .. 2) {
    my $r = get_second('/dry/', $key);
    tells($r, 200, $three, 3, $began, "beyond it, $n");
    is($r->body, 'the page', 'it passes');
}
tells(get_second('/dry/not/', $key), 429, $three, 3, $began,
      'not a dry run in there');
tells(get_second($who, $key), 429, $three, 3, $began, 'nor there');
# three workers write the log, each when its answer has left
wait_for(sub {
    my @verdicts = sort
        $t->access_log =~ / gate=(\S+) company=\S+ key=\Q$id\E$/mg;
    return "@verdicts" eq 'ok ok ok rate rate rate_dry_run rate_dry_run';
}, 10, 'the verdicts in the log');
my @warnings = grep { /dry run/ } split /\n/, $t->error_log;
is(scalar(@warnings), 2, 'a warning for each');
is(scalar(grep { / \[warn\] .* rate limit "key" exceeded, dry run, client: / }
          @warnings), 2, 'which says what') or diag @warnings;

# Also where it is the request's own handler that asks for it.
$began = time;
for my $n (1 .. 3) {
    my $client = EZW::Client->new(port => $t->port('second'));
    my $r = $client->request(POST => '/api/auth/refresh', close => 1,
                             json => { refreshToken => $t->random_text(40) });
    tells($r, 401, '"address";q=1;w=3600', 1, $began, "a guess, $n");
}
wait_for(sub {
    my @verdicts = sort
        $t->access_log =~ /endpoint="session_refresh" gate=(\S+)/g;
    return "@verdicts" eq 'ok rate_dry_run rate_dry_run';
}, 10, 'the verdicts of guesses');


# A reload keeps what has been counted, also when the limits change around it.
$key = key();
$began = time;
tells(get($who, $key), 200, $five, 1, $began, 'before a reload');
tells(get('/page/', $key), 200, $seven, 1, $began, 'in a location too');
$t->reload;
tells(get($who, $key), 200, $five, 2, $began, 'after it');
tells(get('/page/', $key), 200, $seven, 2, $began, 'in a location too');
$t->write_config(EZW::slurp("$t->{dir}/nginx.conf")
                     =~ s/rate=1r\/h burst=5;/rate=1r\/h burst=6;/r);
$t->reload;
tells(get($who, $key), 200, '"key";q=6;w=21600', 1, $began,
      'another limit begins anew');
tells(get('/page/five/', $key), 200, $five, 3, $began,
      'the old one goes on where it still stands');

done_testing;

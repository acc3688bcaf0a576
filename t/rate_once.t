# One request of a client is one to its limits, whatever nginx makes of it:
# subrequests, internal redirects, error pages, named locations.

use EZW;
use EZW::RateLimit qw(tells);
use File::Path qw(make_path);
use Time::HiRes qw(time);

my $t = EZW->start(
    start => 0, workers => 2,
    rates => 'ezw_rate key rate=1r/h burst=9; '
        . 'ezw_rate address rate=1000000r/s burst=1000000;',
    server => <<'CONF');
root %%DIR%%/html;
        set $inside http://127.0.0.1:%%PORT:inside%%;

        # pages in front of which nothing stands, of parts that are gated
        location /ssi/      { ssi on; }
        location /addition/ {
            add_before_body /v3/keys/current;
            add_after_body /v3/companies/current;
            try_files /page.html =404;
        }
        location /auth/     { auth_request /v3/keys/current;
                              try_files /page.html =404; }
        location /mirror/   { mirror /v3/companies/current;
                              mirror /v3/keys/current;
                              try_files /page.html =404; }

        # a gated page of gated parts
        location /both/     { ezw_gate scope=channel; ssi on;
                              auth_request /v3/keys/current; }
        location /fewer/    { ezw_gate scope=channel; ssi on;
                              ezw_rate rate=1r/h burst=3; }

        # redirects, from a gated location to another
        location /rewrite/  { rewrite ^ /v3/keys/current last; }
        location /gated/    {
            ezw_gate scope=channel;
            location /gated/error/  { error_page 404 = /v3/keys/current;
                                      try_files /none =404; }
            location /gated/page/   { error_page 404 /gated/found/;
                                      try_files /none =404; }
            location /gated/found/  { try_files /page.html =404; }
            location /gated/try/    { try_files /none /v3/keys/current; }
            location /gated/named/  { try_files /none @named; }
            location /gated/index/  { }
            location /gated/accel/  { proxy_pass $inside; }
            location /gated/up/     { proxy_pass $inside;
                                      proxy_intercept_errors on;
                                      error_page 418 = @named; }
            location /gated/off/    { ezw_rate off;
                                      try_files /none /v3/keys/current; }
            location /gated/other/  { ezw_rate rate=2r/h burst=5;
                                      try_files /none /v3/keys/current; }
        }
        location @named     { ezw_gate scope=channel;
                              try_files /page.html =404; }
CONF
my $demo = $t->demo;
make_path("$t->{dir}/html/$_", { mode => 0755 })
    for qw(ssi both fewer gated/index);
my $include = '<!--# include virtual="%s" -->';
my $parts = join '|', map { sprintf $include, $_ }
    qw(/v3/keys/current /v3/companies/current /v3/keys/current?2
       /v3/companies /v3/channels);
EZW::write_file("$t->{dir}/html/$_", $parts)
    for qw(ssi/five.html both/five.html fewer/five.html);
EZW::write_file("$t->{dir}/html/$_", 'the page')
    for qw(page.html gated/index/index.html);
$t->write_config(EZW::slurp("$t->{dir}/nginx.conf") =~ s/\}\s*\z/<<'CONF'/er);
    server {
        listen 127.0.0.1:%%PORT:inside%%;
        location /gated/accel/ {
            add_header X-Accel-Redirect /gated/found/;
            return 200 "no";
        }
        location / { return 418 "no"; }
    }
}
CONF
$t->launch;

my $who = '/v3/keys/current';
my $nine = '"key";q=9;w=32400';

sub key {
    return $t->key(company => $demo->{company}, scope => 'COMPANY', @_);
}

# Asks for it with a key that no worker knows, and with it again, then how many
# have been taken: one each time.
sub takes_one {
    my ($path, $wanted, $name) = @_;

    my $key = key();
    my $began = time;
    for my $n (1 .. 2) {
        my $r = $t->http(GET => $path, key => $key);
        is($r->status, 200, "$name, $n: passes");
        like($r->body, $wanted, "$name, $n: whole");
    }
    # a mirror's part goes on after the answer
    my $id = $t->key_id($key);
    wait_for(sub { 2 <= (() = $t->access_log
                         =~ m{^\d+ "GET \Q$path\E }mg) }, 10, 'its log lines');
    tells($t->http(GET => $who, key => $key), 200, $nine, 3, $began,
          "$name: two taken, and this one");
    return;
}

my $key = qr/\{"burst":.*?"whitelist":null\}/s;
my $company = qr/\{"id":"$demo->{company}","name":"[^"]*"\}/;
my $five = qr/$key\|$company\|$key\|\[$company\]\|\[\{"dataRet.*?\}\]/;
takes_one('/ssi/five.html', qr/^$five$/, 'a page of five parts');
takes_one('/addition/', qr/^${key}the page$company$/, 'before and after');
takes_one('/auth/', qr/^the page$/, 'auth_request');
takes_one('/mirror/', qr/^the page$/, 'two mirrors');
takes_one('/both/five.html', qr/^$five$/, 'all of it gated');
takes_one('/rewrite/', qr/^$key$/, 'rewritten');
takes_one('/gated/error/', qr/^$key$/, 'error_page');
takes_one('/gated/try/', qr/^$key$/, 'try_files');
takes_one('/gated/off/', qr/^$key$/, 'out of a location without a limit');
takes_one('/gated/named/', qr/^the page$/, 'a named location');
takes_one('/gated/index/', qr/^the page$/, 'an index');
takes_one('/gated/accel/x', qr/^the page$/, 'X-Accel-Redirect');
takes_one('/gated/up/x', qr/^the page$/, "an upstream's error");
my $key_of = key();
my $began = time;
is($t->http(GET => '/gated/page/', key => $key_of)->status, 404, 'error_page');
tells($t->http(GET => $who, key => $key_of), 200, $nine, 2, $began,
      'which keeps its status, took one');

# The first location's limit is the one that counts and that the answer tells.
$key_of = key();
$began = time;
for my $n (1 .. 3) {
    tells($t->http(GET => '/gated/other/', key => $key_of), 200,
          '"key";q=5;w=9000', $n, $began, "another limit, $n");
    tells($t->http(GET => '/fewer/five.html', key => $key_of), 200,
          '"key";q=3;w=10800', $n, $began, "a page with its own, $n");
}
tells($t->http(GET => '/fewer/five.html', key => $key_of), 429,
      '"key";q=3;w=10800', 3, $began, 'one page too many');
tells($t->http(GET => $who, key => $key_of), 200, $nine, 1, $began,
      'of the last there is all but one');

# With nothing left each part is refused, and the page says so.
my $own = key(rate_per_minute => 1, burst => 1);
like($t->http(GET => '/ssi/five.html', key => $own)->body, qr/^$five$/,
     'a page of five parts is one');
my $refused = qr/\{"error":\{"code":1003,"message":"Rate\ limit\ exceeded"\},
                  "traceId":"[0-9a-f]{32}"\}/x;
like($t->http(GET => '/ssi/five.html', key => $own)->body,
     qr/^$refused(?:\|$refused){4}$/, 'and the second, of five refusals');
is($t->http(GET => '/rewrite/', key => $own)->status, 429, 'rewritten');
is($t->http(GET => '/gated/error/', key => $own)->status, 429,
   'before error_page');

done_testing;

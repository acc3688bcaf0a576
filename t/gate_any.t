# The gate in front of anything: whichever way nginx comes to a location behind
# it, nobody gets its content, and nobody's request reaches the service there,
# without a key that may; who has one gets it, and the service is told who asks.
# sanitizers

use File::Path qw(make_path);

use EZW;

my $t = EZW->start(start => 0);
my $demo = $t->demo;
my $company = $demo->{company};
my $page = "the guarded page\n";

$t->write_config(<<'CONF');
%%MAIN%%
events { worker_connections 1024; }
http {
    %%HTTP%%
    ezw_courier off;
    default_type text/html;
    log_format gate '$uri $status gate=$ezw_gate company=$ezw_company '
                    'key=$ezw_key_id scope=$ezw_scope trace=$ezw_trace_id';
    log_format seen '$uri company=$http_x_company';

    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Authorization "";
    proxy_set_header X-Company $ezw_company;
    proxy_set_header X-Key-Id $ezw_key_id;
    proxy_set_header X-Scope $ezw_scope;
    proxy_set_header X-Gate $ezw_gate;
    proxy_set_header X-Trace $ezw_trace_id;

    ezw_gate scope=channel;

    # what the http block says
    server {
        listen 127.0.0.1:%%PORT:http%%;
        location / { proxy_pass http://127.0.0.1:%%PORT:service%%; }
        location /off/ {
            ezw_gate off;
            proxy_pass http://127.0.0.1:%%PORT:service%%/free/;
        }
    }

    server {
        %%LISTEN%%
        %%LOCATIONS%%
        root %%DIR%%/html;
        access_log %%DIR%%/gate.log gate;
        client_body_buffer_size 8k;

        ezw_gate scope=company;

        # as a config may have it: a variable that is read before the gate, in
        # whatever location nginx has come to
        set $seen $ezw_company;
        set $service http://127.0.0.1:%%PORT:service%%;

        # what may stand behind it
        location /proxy/ { proxy_pass $service; proxy_ignore_client_abort on; }
        location /files/ { }
        location /put/   { dav_methods PUT DELETE; }
        location /gif    { empty_gif; }
        location /status { stub_status; }
        location /fastcgi/ { fastcgi_pass 127.0.0.1:%%PORT:nobody%%; }
        location /if/ {
            if ($arg_b = 1) { set $b 1; }
            if ($arg_a) { proxy_pass $service; }
        }
        location /except/ {
            limit_except GET { proxy_pass http://127.0.0.1:%%PORT:service%%; }
            proxy_pass $service;
        }
        location /nested/ {
            ezw_gate scope=owner;
            location /nested/same/ { proxy_pass $service; }
            location /nested/less/ { ezw_gate scope=company;
                                     proxy_pass $service; }
            location ~ \.html$ { }
        }
        location @behind { rewrite ^ /behind break; proxy_pass $service; }

        # ways to there from a location that has no gate: subrequests
        location /auth_request/ {
            ezw_gate off;
            auth_request /proxy/auth;
            try_files /open.html =404;
        }
        location /ssi/ { ezw_gate off; ssi on; }
        location /addition/ {
            ezw_gate off;
            add_before_body /proxy/before;
            add_after_body /files/page.html;
            try_files /open.html =404;
        }
        location /mirror/ {
            ezw_gate off;
            mirror /proxy/mirrored;
            try_files /open.html =404;
        }

        # and redirects
        location /rewrite/ { ezw_gate off; rewrite ^ /proxy/rewritten last; }
        location /index/ { ezw_gate off; }
        location = /index/index.html { }
        location /try/ { ezw_gate off; try_files /none /proxy/tried; }
        location /try_named/ { ezw_gate off; try_files /none @behind; }
        location /error/ {
            ezw_gate off;
            error_page 404 = /proxy/error;
            try_files /none =404;
        }
        location /error_named/ {
            ezw_gate off;
            error_page 404 = @behind;
            try_files /none =404;
        }
        location /error_keeps/ {
            ezw_gate off;
            error_page 404 /proxy/error;
            try_files /none =404;
        }
        location /accel/ {
            ezw_gate off;
            proxy_pass http://127.0.0.1:%%PORT:service%%/accel;
        }
        location /accel_named/ {
            ezw_gate off;
            proxy_pass http://127.0.0.1:%%PORT:service%%/accel_named;
        }
        location /post_action/ {
            ezw_gate off;
            post_action /proxy/posted;
            try_files /open.html =404;
        }

        # and from one whose gate lets more keys pass
        location /lenient/ {
            ezw_gate scope=channel;
            location /lenient/index/ { }
            location = /lenient/index/index.html { ezw_gate scope=company; }
            location /lenient/try/   { try_files /none /proxy/tried; }
            location /lenient/named/ { try_files /none @behind; }
            location /lenient/error/ { error_page 404 = /proxy/error;
                                       try_files /none =404; }
            location /lenient/accel/ {
                proxy_pass http://127.0.0.1:%%PORT:service%%/accel;
            }
            location /lenient/twice/ { try_files /none @lenient; }
        }
        location @lenient { ezw_gate scope=channel; try_files /none @behind; }

        # one that passes goes on, where there is no gate, as who he is
        location /onward/ { try_files /none @onward; }
        location @onward { ezw_gate off; proxy_pass $service; }

        # error pages of the operator's own
        location /own/ {
            error_page 401 403 /denied.html;
            error_page 429 = @busy;
            proxy_pass $service;
            location /own/rate/ {
                ezw_rate rate=1r/h burst=1;
                proxy_pass $service;
            }
        }
        location = /denied.html { ezw_gate off; internal; }
        location @busy {
            ezw_gate off;
            rewrite ^ /free/busy break;
            proxy_pass $service;
        }
        location /own_named/ {
            error_page 401 403 = @denied;
            proxy_pass $service;
        }
        location @denied {
            ezw_gate off;
            rewrite ^ /free/denied break;
            proxy_pass $service;
        }
        location /own_behind/ {
            error_page 401 403 /files/page.html;
            proxy_pass $service;
        }
        location /intercepted/ {
            error_page 404 /open.html;
            proxy_intercept_errors on;
            proxy_pass $service;
        }
        location = /open.html { ezw_gate off; }

        location /rate/ { ezw_rate rate=1r/h burst=2; proxy_pass $service; }
        location /unlimited/ { ezw_rate off; try_files /none /rate/x; }
        location /owners/ { ezw_gate scope=owner; proxy_pass $service; }
    }

    # the service behind: it notes who came, and in whose name
    server {
        listen 127.0.0.1:%%PORT:service%%;
        ezw_gate off;
        default_type text/plain;
        access_log %%DIR%%/service.log seen;
        client_max_body_size 0;
        set $who $http_x_company|$http_x_key_id|$http_x_scope;
        add_header X-Seen "<$who|$http_x_gate|$http_x_trace>" always;

        location / { return 200 "the service\n"; }
        location /free/ { return 200 "free\n"; }
        location /proxy/401 {
            add_header WWW-Authenticate Digest always;
            return 401 "its 401";
        }
        location /proxy/403 { return 403 "its 403"; }
        location /proxy/404 { return 404 "its 404"; }
        location /proxy/429 {
            add_header Retry-After 77 always;
            return 429 "its 429";
        }
        location /proxy/500 { return 500 "its 500"; }
        location /proxy/trace {
            add_header X-Trace-Id its-own;
            add_header x-trace-id another;
            return 200 "traced\n";
        }
        location /proxy/204 { return 204; }
        location /proxy/302 { return 302 /elsewhere; }
        location /intercepted/ { return 404 "its 404"; }
        location /accel { add_header X-Accel-Redirect /proxy/accel;
                          return 200 "no"; }
        location /accel_named { add_header X-Accel-Redirect @behind;
                                return 200 "no"; }
    }
}
CONF

make_path(map { "$t->{dir}/html/$_" }
          qw(files nested ssi put index lenient/index));
chmod 0777, "$t->{dir}/html/put";
EZW::write_file("$t->{dir}/html/$_", $page)
    for qw(files/page.html nested/page.html put/old index/index.html
           lenient/index/index.html);
EZW::write_file("$t->{dir}/html/open.html", "open\n");
EZW::write_file("$t->{dir}/html/denied.html", "our own words\n");
my $include = '<!--# include virtual="%s" -->';
EZW::write_file("$t->{dir}/html/ssi/page.html",
                join '|', map { sprintf $include, $_ }
                qw(/proxy/one /files/page.html /owners/ /proxy/one));
$t->launch;

sub key { return $t->key(company => $company, scope => 'COMPANY', @_) }

my %none = (message => 'Unauthorized: no API key');
my %unknown = (message => 'Unauthorized: unknown API key');
my %disabled = (message => 'Unauthorized: the API key is disabled');
my %small = (message => q{Access denied: the API key's scope is too small});

# Who must not pass: what he sends, and what he is told.
my $revoked = key(revoked_at => '2020-01-01');
my $channel = $demo->{key}{CHANNEL};
my @without = (
    ['no key', undef, 401, 1001, \%none],
    ['an unknown key', $t->random_text(40), 401, 1001, \%unknown],
    ['a revoked key', $revoked, 401, 1001, \%disabled],
    ['a small key', $channel, 403, 1002, \%small],
    ['a new small key', key(scope => 'CHANNEL',
                            channels => [$demo->{channel}]),
     403, 1002, \%small],
);

# Asks as who must not, and as who may: with a key that no worker knows, and
# with it again. REFUSED is called with the answer, the name and the refusal
# [status, code, more]; ANSWERED with the answer and the name.
sub with_and_without {
    my ($path, $refused, $answered, %o) = @_;

    my $method = delete $o{method} // 'GET';
    for my $case (@without) {
        my ($who, $key, @refusal) = @$case;
        my $r = $t->http($method => $path, %o, key => $key);
        ok($r->status && $r->body !~ /the (service|guarded)/,
           "$path, $who: nothing of it") || diag $r->as_text;
        is($r->header('x-seen'), undef, "$path, $who: not from the service")
            if $path !~ /^\/own/;
        $refused->($r, "$path, $who", @refusal);
        $r = $t->http(HEAD => $path, %o, key => $key);
        is($r->body, '', "$path, $who: HEAD");
    }
    my $key = key();
    for my $round ('a key', 'the key again') {
        $answered->($t->http($method => $path, %o, key => $key),
                    "$path, $round");
    }
    return;
}

sub refused {
    my ($r, $name, $status, $code, $more) = @_;
    is_refused($r, $status, $code, $more, $name);
    is($r->header('www-authenticate'), $status == 401 ? 'Bearer' : undef,
       "$name: WWW-Authenticate");
    like($r->header('ratelimit'), qr/^"(key|address)";r=\d+;t=\d+$/,
         "$name: RateLimit");
    return;
}

sub body {
    my ($body, $status) = @_;
    return sub {
        my ($r, $name) = @_;
        is($r->status, $status // 200, "$name: status");
        is($r->body, $body, $name);
    };
}

sub status {
    my ($status) = @_;
    return sub { is($_[0]->status, $status, $_[1]) };
}

my $service = body("the service\n");


# What stands behind a gate.
with_and_without($_, \&refused, $service)
    for '/proxy/x', '/if/?a=1', '/if/?a=1&b=1', '/except/x', '/nested/less/';
with_and_without($_, \&refused, body($page)) for '/files/page.html';
with_and_without('/files/none', \&refused, status(404));
with_and_without('/gif', \&refused, sub {
    is($_[0]->header('content-type'), 'image/gif', $_[1]) });
with_and_without('/status', \&refused, sub {
    like($_[0]->body, qr/^Active connections/, $_[1]) });
with_and_without('/fastcgi/x', \&refused, status(502));
with_and_without('/except/x', \&refused, $service, method => 'POST',
                 body => 'x' x 30_000);
with_and_without('/proxy/x', \&refused, $service, method => 'POST',
                 body => 'x' x 30_000);
with_and_without('/put/new', sub {
    refused(@_);
    ok(!-e "$t->{dir}/html/put/new", "$_[1]: no file");
}, sub { like($_[0]->status, qr/^20[14]$/, $_[1]) }, method => 'PUT',
                 body => $page);
is(slurp("$t->{dir}/html/put/new"), $page, 'the file that was put');
for my $case (@without) {
    my ($who, $key, @refusal) = @$case;
    refused($t->http(DELETE => '/put/old', key => $key), "DELETE, $who",
            @refusal);
}
is(slurp("$t->{dir}/html/put/old"), $page, 'what nobody may delete stays');

# A nested location has the gate of what it stands in, unless it has its own.
for my $path ('/nested/same/', '/nested/page.html', '/owners/') {
    is_refused($t->http(GET => $path, key => key()), 403, 1002, \%small,
               "$path as a company");
    is($t->http(GET => $path, key => $demo->{key}{OWNER})->status, 200,
       "$path as an owner");
}

# A server has the http block's; off is off.
sub on_http_server {
    my ($path, $key) = @_;
    my $client = EZW::Client->new(port => $t->port('http'));
    return $client->request(GET => $path, key => $key, close => 1);
}
is_refused(on_http_server('/x'), 401, 1001, \%none, "the http block's gate");
is(on_http_server('/x', $channel)->body, "the service\n", 'with a channel key');
for my $key (undef, $channel, $t->random_text(40)) {
    my $r = on_http_server('/off/x', $key);
    is($r->body, "free\n", 'where it is off');
    is_deeply([grep { /trace|rate/ } keys %{ $r->{headers} }], [],
              'no header of it either');
}


# Subrequests.
my %code = (401 => '1001', 403 => '1002');
sub error_text {
    my ($code, $more) = @_;
    return qr/\{"error":\{"code":$code,"message":"\Q$more->{message}\E"\},
              "traceId":"[0-9a-f]{32}"\}/x;
}
with_and_without('/auth_request/', sub {
    my ($r, $name, $status) = @_;
    is($r->status, $status, $name);
    is($r->header('www-authenticate'), $status == 401 ? 'Bearer' : undef,
       "$name: WWW-Authenticate");
}, body("open\n"));
my $too_small = error_text(1002, \%small);
with_and_without('/ssi/page.html', sub {
    my ($r, $name, $status, $code, $more) = @_;
    my $error = error_text($code, $more);
    like($r->body, qr/^$error(\|$error){3}$/, $name);
}, sub { like($_[0]->body,
              qr/^the service\n\|\Q$page\E\|$too_small\|the service\n$/,
              $_[1]) });
with_and_without('/addition/', sub {
    my ($r, $name, $status, $code, $more) = @_;
    my $error = error_text($code, $more);
    like($r->body, qr/^${error}open\n$error$/, $name);
}, body("the service\nopen\n$page"));
with_and_without('/mirror/', body("open\n"), body("open\n"));


# Redirects, from a location without a gate and from one with a smaller scope.
with_and_without($_, \&refused, $service)
    for '/rewrite/', '/try/', '/try_named/', '/error/', '/error_named/',
        '/accel/', '/accel_named/', '/lenient/try/', '/lenient/named/',
        '/lenient/error/', '/lenient/accel/', '/lenient/twice/';
with_and_without($_, \&refused, body($page)) for '/index/', '/lenient/index/';
with_and_without('/error_keeps/', \&refused, body("the service\n", 404));
with_and_without('/post_action/', body("open\n"), body("open\n"));


# Who it is, to the service, to the log, and in the answer: once each.
my $mine = key();
my $id = $t->key_id($mine);
for my $path ('/proxy/who', '/onward/who', '/try/', '/lenient/named/') {
    my $r = $t->http(GET => $path, key => $mine,
                     headers => { 'X-Company' => 'mine', 'X-Gate' => 'ok',
                                  'X-Scope' => 'OWNER', 'X-Key-Id' => '1' });
    my $trace = $r->header('x-trace-id');
    like($trace, qr/^[0-9a-f]{32}$/, "$path: a trace");
    is($r->header('x-seen'), "<$company|$id|COMPANY|ok|$trace>",
       "$path: what the service was told");
    like($r->header('ratelimit'), qr/^"key";r=\d+;t=\d+$/, "$path: RateLimit");
    is($r->header('ratelimit-policy'), '"key";q=1000000;w=1',
       "$path: RateLimit-Policy");
    wait_for(sub { slurp("$t->{dir}/gate.log") =~ /trace=\Q$trace\E$/m }, 10,
             'its log line');
    like(slurp("$t->{dir}/gate.log"),
         qr/ 200 gate=ok company=$company key=$id scope=COMPANY trace=$trace$/m,
         "$path: the log");
}
is($t->http(GET => '/proxy/trace', key => $mine)->header('x-trace-id') =~ /,/,
   '', "a service's own trace id is not a second one");
my $given = '0af7651916cd43dd8448eb211c80319c';
is($t->http(GET => '/proxy/x', key => $mine, headers => {
    traceparent => "00-$given-b7ad6b7169203331-01" })->header('x-seen'),
   "<$company|$id|COMPANY|ok|$given>", 'the trace that a client begins');

# A refusal names the key in the log, but to nobody else.
my $r = $t->http(GET => '/owners/', key => $mine);
my $trace = $r->header('x-trace-id');
wait_for(sub { slurp("$t->{dir}/gate.log") =~ /trace=\Q$trace\E$/m }, 10,
         'its log line');
like(slurp("$t->{dir}/gate.log"),
     qr/ 403 gate=scope company=$company key=$id scope=COMPANY trace=$trace$/m,
     'the log of a refusal');


# Every refusal, in front of a service.
my $elsewhere = $t->company(status => 'BLOCKED');
my $asleep = $t->assistant(company => $company, enabled => 'f');
my @refusals = (
    @without,
    ['an expired key', key(expires_at => '2020-01-01'), 401, 1001,
     { message => 'Unauthorized: the API key has expired' }],
    ['a disabled key', key(enabled => 'f'), 401, 1001, \%disabled],
    ['another address', key(whitelist => '{192.0.2.0/24,2001:db8::/32}'),
     403, 1002, { message => 'IP 127.0.0.1 is not whitelisted' }],
    ['a blocked company', $t->key(company => $elsewhere, scope => 'COMPANY'),
     403, 1002, { message => 'Access denied: the company is blocked' }],
    ['an assistant that sleeps',
     key(scope => 'ASSISTANT', assistant => $asleep), 403, 1002,
     { message => 'Access denied: the assistant is disabled' }],
    ['39 characters', 'x' x 39, 401, 1001, \%unknown],
    ['41 characters', 'x' x 41, 401, 1001, \%unknown],
    ['a character too strange', 'x' x 39 . '-', 401, 1001, \%unknown],
    ['an ID token', 'eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2lnbmF0dXJl', 403, 1002,
     { message => 'Access denied: ID tokens are for the workspace API' }],
);
for my $case (@refusals) {
    my ($who, $key, @refusal) = @$case;
    for my $n (1, 2) {
        refused($t->http(GET => '/proxy/x', key => $key), "$who, $n",
                @refusal);
    }

    # with error pages of the operator's: his words, and none of ours; a
    # service that makes them is not told of a company
    my $r = $t->http(GET => '/own/x', key => $key);
    is($r->status, $refusal[0], "$who: the status stays");
    is($r->body, "our own words\n", "$who: the operator's words");
    is($r->header('www-authenticate'), $refusal[0] == 401 ? 'Bearer' : undef,
       "$who: what a 401 has to say");
    like($r->header('x-trace-id'), qr/^[0-9a-f]{32}$/, "$who: its trace");
    $r = $t->http(GET => '/own_named/x', key => $key);
    is($r->status . $r->body, "200free\n", "$who: a service's words");
    like($r->header('x-seen'), qr/^<\|\|\|\w+\|[0-9a-f]{32}>$/,
         "$who: which is told no name");

    # unless they stand behind the gate themselves
    refused($t->http(GET => '/own_behind/x', key => $key),
            "$who: a page that he may not see", @refusal);
}

# Too fast; and that it is another location's limit.
my $fast = key();
is($t->http(GET => '/rate/x', key => $fast)->status, 200, "rate: $_") for 1, 2;
$r = $t->http(GET => '/rate/x', key => $fast);
is_refused($r, 429, 1003, { message => 'Rate limit exceeded' }, 'too fast');
is($r->header('ratelimit-policy'), '"key";q=2;w=7200', 'its policy');
like($r->header('ratelimit'), qr/^"key";r=0;t=3\d\d\d$/, 'nothing is left');
like($r->header('retry-after'), qr/^3\d\d\d$/, 'when to come again');
is($t->http(GET => '/proxy/x', key => $fast)->status, 200,
   'another location has a limit of its own');
my $unlimited = key();
is($t->http(GET => '/unlimited/', key => $unlimited)->status, $_,
   'from where there is none to where there is') for 200, 200, 429;
is($t->http(GET => '/own/rate/x', key => $fast)->body, "the service\n",
   "with a page of the operator's");
$r = $t->http(GET => '/own/rate/x', key => $fast);
is($r->status . $r->body, "200free\n", 'too fast for it');
like($r->header('ratelimit'), qr/^"key";r=0;t=3\d\d\d$/, 'which is told too');


# What the service itself says stays as it is.
for my $status (401, 403, 404, 429, 500) {
    my $r = $t->http(GET => "/proxy/$status", key => $mine);
    is($r->status . ' ' . $r->body, "$status its $status",
       "the service's own $status");
    is($r->header('content-type'), 'text/plain', "$status: its type");
    like($r->header('x-trace-id'), qr/^[0-9a-f]{32}$/, "$status: our trace");
    is($r->header('www-authenticate'), $status == 401 ? 'Digest' : undef,
       "$status: its WWW-Authenticate");
    is($r->header('retry-after'), $status == 429 ? 77 : undef,
       "$status: its Retry-After");
}
is($t->http(GET => '/proxy/204', key => $mine)->status, 204, 'its 204');
is($t->http(GET => '/proxy/302', key => $mine)->header('location'),
   'http://127.0.0.1:' . $t->port('service') . '/elsewhere', 'its redirect');
$r = $t->http(GET => '/intercepted/x', key => $mine);
is($r->status . ' ' . $r->body, "404 open\n", "an error page for its error");
is($r->header('ratelimit') =~ /^"key"/, 1, 'with its limit');


# The directory of channels stands in the same zone as the keys, under a name
# that a client can send: it is no key, and makes no trouble.
my $long = $t->channel(company => $t->company(parent => $company),
                       jid => '316123456789012@whatsapp.eazy.im');
my $owner = key(scope => 'OWNER');
my $contact = $t->contact_jid;
is($t->http(POST => "/v3/channels/$long/contacts", key => $owner,
            json => { jid => $contact })->status, 201, "in a child's channel");
is($t->http(GET => "/v3/channels/$long/contacts/$contact", key => $owner)
    ->status, 200, 'which the directory has found') for 1 .. 4;
refused($t->http(GET => '/proxy/x', key => "channel:$long"),
        'the name of another entry', 401, 1001, \%unknown) for 1 .. 4;


# Nobody's request has come to the service, by whichever way, but those that it
# is free to. Mirrors and post_actions come after their answers; the latter only
# with a key that is known, for a client that has left is not waited for.
my $stays = $t->client;
is($stays->request(GET => '/post_action/', key => $mine)->body, "open\n",
   'post_action');
my $seen = sub { slurp("$t->{dir}/service.log") };
wait_for(sub { $seen->() =~ m{^/proxy/$_ company=$company$}m }, 10,
         "/proxy/$_ after the answer") for qw(mirrored posted);
is_deeply([grep { !/ company=$company$/ && !m{^/(free/|accel)} }
           split /\n/, $seen->()], [], 'nobody came to the service');

done_testing;

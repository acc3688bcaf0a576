# Every way by which nginx comes to an ezw_api location: nobody gets an answer
# without a key, who has one gets his own, and nothing crashes or complains.
# sanitizers

use File::Path qw(make_path);
use IO::Uncompress::Gunzip qw(gunzip);

use EZW;

my $t = EZW->start(start => 0);
my $demo = $t->demo(company => { name => 'KLM of the gate' });
my ($channel, $contact) = @$demo{qw(channel contact)};
my %klm = (id => $demo->{company}, name => 'KLM of the gate');
my $page = "<html>the page</html>\n";

$t->write_config(<<'CONF' =~ s/CHANNEL/$channel/gr =~ s/CONTACT/$contact/gr);
%%MAIN%%
events { worker_connections 512; }
http {
    %%HTTP%%
    ezw_courier off;
    default_type text/html;
    client_body_buffer_size 8k;

    server {
        %%LISTEN%%
        root %%DIR%%/html;
        %%LOCATIONS%%

        # subrequests
        location /auth_request/ {
            auth_request /v3/companies/current;
            try_files /page.html =404;
        }
        location /auth_request/nothing {
            auth_request /v3/nothing;
            try_files /page.html =404;
        }
        location /auth_request/body {
            auth_request /v3/companies/current;
            proxy_pass http://127.0.0.1:%%PORT:upstream%%/plain;
        }
        location /ssi/ { ssi on; }
        location /addition/ {
            add_before_body /v3/companies/current;
            add_after_body /v3/companies;
            try_files /page.html =404;
        }
        location /mirror/ {
            proxy_pass http://127.0.0.1:%%PORT:upstream%%/plain;
            location /mirror/get  { mirror /mirrored/get; try_files /page.html =404; }
            location /mirror/post {
                mirror /mirrored/post;
                proxy_pass http://127.0.0.1:%%PORT:upstream%%/plain;
            }
            location /mirror/send {
                mirror /mirrored/send;
                proxy_pass http://127.0.0.1:%%PORT:upstream%%/plain;
            }
        }
        location = /mirrored/get  { internal; rewrite ^ /v3/companies/current last; }
        location = /mirrored/post { internal; rewrite ^ /v3/channels/CHANNEL/contacts last; }
        location = /mirrored/send { internal; rewrite ^ /v3/channels/CHANNEL/messages/CONTACT last; }

        # redirects inside of nginx
        location /error_page/ {
            error_page 404 = /v3/companies/current;
            return 404;
        }
        location /error_page_keeps/ {
            error_page 404 /v3/companies/current;
            return 404;
        }
        location /error_page_named/ {
            rewrite ^/error_page_named(.*)$ $1 break;
            error_page 403 = @api;
            deny all;
        }
        location /try_files/ { try_files /none /v3/companies/current; }
        location /named/ {
            rewrite ^/named(.*)$ $1 break;
            try_files /none @api;
        }
        location /rewrite/ { rewrite ^ /v3/companies/current last; }
        location /accel/ { proxy_pass http://127.0.0.1:%%PORT:upstream%%/accel; }
        location /accel_named/ {
            rewrite ^/accel_named(.*)$ $1 break;
            proxy_pass http://127.0.0.1:%%PORT:upstream%%;
        }
        location /post_action/ {
            post_action /v3/companies/current;
            try_files /page.html =404;
        }
        location @api { ezw_api v3; }

        # what else may stand in an ezw_api location
        location = /v3/channels {
            ezw_api v3;
            satisfy any;
            allow 127.0.0.1;
            deny all;
        }
        location = /v3/keys/current {
            ezw_api v3;
            satisfy any;
            deny all;
        }
        location = /v3/companies {
            ezw_api v3;
            if ($arg_a) { set $ok 1; }
            if ($arg_b) { return 418; }
            if ($arg_c) { break; }
            if ($http_x_d) { rewrite ^ /v3/companies/current; }
            limit_except GET { deny all; }
            gzip on;
            gzip_types application/json;
            gzip_min_length 1;
        }
        location ~ ^/v3/companies/[0-9a-f-]+$ {
            ezw_api v3;
            auth_request /v3/keys/current;
            error_page 401 403 404 /page.html;
            mirror /mirrored/get;
            add_header X-Added 1 always;
        }
        location /v3/returns { ezw_api v3; return 204; }
        location /v3/denied { ezw_api v3; return 403; }
        location /v3/tried { ezw_api v3; try_files /none =404; }
        location /v3/internal/ { ezw_api v3; internal; }
        location /v3/outer/ {
            ezw_api v3;
            location /v3/outer/inner { }
        }
    }

    server {
        listen 127.0.0.1:%%PORT:upstream%%;
        location /plain { return 200 "plain"; }
        location /accel { add_header X-Accel-Redirect /v3/companies/current; return 200 "no"; }
        location /v3/ { add_header X-Accel-Redirect @api; return 200 "no"; }
    }
}
CONF

make_path("$t->{dir}/html/ssi", { mode => 0755 });
EZW::write_file("$t->{dir}/html/page.html", $page);
my $include = '<!--# include virtual="%s" -->';
my %ssi = (
    one => sprintf($include, '/v3/companies/current'),
    waits => join('|', map { sprintf $include, "/v3/companies/current\" wait=\"yes" }
                  1 .. 3),
    many => join('|', map { sprintf $include, '/v3/companies/current' } 1 .. 20),
    post => sprintf($include, '/v3/keys/' . $t->uuid),    # which has no GET
    bad => sprintf($include, '/v3/companies/%ff'),
    set => qq(<!--# include virtual="/v3/companies/current" set="x" -->)
        . '<!--# echo var="x" encoding="none" -->',
    locked => sprintf($include, '/v3/companies/current') x 2,
);
EZW::write_file("$t->{dir}/html/ssi/$_.html", $ssi{$_}) for keys %ssi;
$t->launch;

my $company = to_json(\%klm);
my %no_key = (message => 'Unauthorized: no API key');

# A key that no worker has seen: its request is parked at the gate.
sub key { return $t->key(company => $demo->{company}, scope => 'COMPANY', @_) }

# Asks in three ways that must not, and in three that must: a fresh key (the
# gate asks the database), the same again (it does not), a key in a pipeline.
sub with_and_without {
    my ($path, $without, $with, %o) = @_;

    my $revoked = key(revoked_at => '2020-01-01');
    for my $case (['no key', undef], ['an unknown key', $t->random_text(40)],
                  ['a revoked key', $revoked], ['the revoked key again', $revoked])
    {
        my $r = $t->http(GET => $path, %o, key => $case->[1]);
        ok($r->status, "$path, $case->[0]: an answer");
        ok($r->body !~ /KLM/ && $r->body !~ /\Q$demo->{company}/,
           "$path, $case->[0]: nothing of ours") || diag $r->as_text;
        $without->($r, "$path, $case->[0]");
    }
    my $key = key();
    for my $round ('a key', 'the key again') {
        $with->($t->http(GET => $path, %o, key => $key), "$path, $round");
    }
    my $client = $t->client;
    $client->send_raw(join '', map {
        EZW::Client::request_bytes(GET => $path, %o, key => $_)
    } key(), undef, $key);
    for my $n (0, 1, 2) {
        my $r = $client->read_response('GET');
        ($without, $with)[$n != 1]->($r, "$path, $n of a pipeline");
        last if $r->status == 500;    # nginx ends the connection then
    }
    is($t->http(HEAD => $path, %o, key => undef)->body, '', "$path, HEAD");
}

sub unauthorized {
    my ($r, $name) = @_;
    return is_refused($r, 401, 1001, { message => qr/^Unauthorized: / }, $name);
}

sub status {
    my ($status) = @_;
    return sub { is($_[0]->status, $status, $_[1]) };
}

sub answers {
    my ($json, $status) = @_;
    return sub { is_answer($_[0], $status // 200, $json, $_[1]) };
}

sub body {
    my ($body) = @_;
    return sub { is($_[0]->body, $body, $_[1]) };
}


# Subrequests.
with_and_without('/auth_request/', status(401), body($page));
with_and_without('/auth_request/nothing', status(500), status(500));
is($t->http(POST => '/auth_request/body', key => key(), body => 'x' x 30_000)
    ->body, 'plain', 'auth_request before a body');
is($t->http(POST => '/auth_request/body', body => 'x' x 30_000)->status, 401,
   'auth_request before a body, without a key');

my $error = qr/\{"error":\{"code":1001,"message":"Unauthorized: [^"]*"\},
               "traceId":"[0-9a-f]{32}"\}/x;
with_and_without('/ssi/one.html',
                 sub { like($_[0]->body, qr/^$error$/, $_[1]) },
                 body($company));
with_and_without('/ssi/waits.html',
                 sub { like($_[0]->body, qr/^$error(\|$error){2}$/, $_[1]) },
                 body(join '|', ($company) x 3));
with_and_without('/ssi/many.html',
                 sub { like($_[0]->body, qr/^$error(\|$error){19}$/, $_[1]) },
                 body(join '|', ($company) x 20));
with_and_without('/ssi/set.html', body(''), body($company));
with_and_without('/ssi/post.html',
                 sub { like($_[0]->body, qr/"code":1005/, $_[1]) },
                 sub { like($_[0]->body, qr/"Method not allowed"/, $_[1]) });
with_and_without('/ssi/bad.html',
                 sub { like($_[0]->body, qr/"code":1005/, $_[1]) },
                 sub { like($_[0]->body, qr/"code":1005/, $_[1]) });
with_and_without('/addition/',
                 sub { like($_[0]->body, qr/^$error\Q$page\E$error$/, $_[1]) },
                 body("$company$page" . to_json([\%klm])));
with_and_without('/mirror/get', body($page), body($page));

# A page whose client leaves while its parts wait for the database.
my $key = key();
is($t->http(GET => '/ssi/locked.html', key => $key)->body, $company x 2,
   'a page of two');
my $dbh = $t->dbh;
$dbh->begin_work;
$dbh->do('lock table ezw.company in access exclusive mode');
my @leaving = map { $t->client } 1 .. 4;
$_->send_request(GET => '/ssi/locked.html', key => $key) for @leaving;
wait_for(sub {
    return $dbh->selectrow_array(q{
        select count(*) from pg_stat_activity
         where wait_event_type = 'Lock' and usename = 'ezw_app'});
}, 5, 'they wait for the lock');
$_->close for @leaving[0, 1];
$_->reset for @leaving[2, 3];
$dbh->commit;
is($t->http(GET => '/ssi/locked.html', key => $key)->body, $company x 2,
   'and the next one gets it');

# A mirror has the method and the body of its request.
sub mirrored {
    my ($path, $key, $body, $type) = @_;
    return $t->http(POST => $path, key => $key, body => $body,
                    headers => { 'Content-Type' => $type // 'application/json' });
}

sub has_contact {
    return $t->value('select count(*) from ezw.contact where jid = ?', $_[0]);
}

my @refused = map { $t->contact_jid } 1 .. 4;
my $long = to_json({ jid => $refused[0], x => 'x' x 100_000 });
is(mirrored('/mirror/post', undef, to_json({ jid => $refused[1] }))->body,
   'plain', 'mirrored without a key');
is(mirrored('/mirror/post', undef, $long)->body, 'plain',
   'a long one without a key');
is(mirrored('/mirror/post', key(scope => 'CHANNEL'),
            to_json({ jid => $refused[2] }))->body, 'plain',
   'with a key that may not');
is(mirrored('/mirror/post', key(), to_json({ jid => $refused[3] }),
            'text/plain')->body, 'plain', 'that is no JSON');
for my $body ('', '{}', 'x', '{"jid":null}', "\0", 'x' x 3_000_000) {
    my $r = mirrored('/mirror/post', $key, $body);
    like($r->body, qr/^plain$|413/, 'mirrored: ' . substr $body, 0, 20);
    is(mirrored('/mirror/send', $key, $body)->status, $r->status,
       'the same as a message');
}
is($t->http(POST => '/mirror/post', key => $key)->body, 'plain',
   'mirrored, no body');
my $made = $t->contact_jid;
is(mirrored('/mirror/post', $key, to_json({ jid => $made }))->body, 'plain',
   'mirrored with a key');
wait_for(sub { has_contact($made) }, 5, 'the contact is made');
$made = $t->contact_jid;
is(mirrored('/mirror/post', key(), $long =~ s/\Q$refused[0]/$made/r)->body,
   'plain', 'a long one with a key, out of a file');
wait_for(sub { has_contact($made) }, 5, 'the contact is made');
is(mirrored('/mirror/send', key(), to_json({ type => 'text', body => 'Hi' }))
    ->body, 'plain', 'a message');
wait_for(sub { $t->value('select count(*) from ezw.message') }, 5,
         'the message is sent');
is(has_contact($_), 0, 'no contact out of what was refused') for @refused;
is($t->value('select count(*) from ezw.message'), 1, 'and one message only');


# Redirects inside of nginx.
with_and_without($_, \&unauthorized, answers(\%klm))
    for '/error_page/', '/try_files/', '/named/v3/companies/current',
        '/rewrite/', '/accel/', '/accel_named/v3/companies/current',
        '/error_page_named/v3/companies/current';
with_and_without('/error_page_keeps/', \&unauthorized, answers(\%klm, 404));
with_and_without('/post_action/', body($page), body($page));
for my $path ('/named/v3/nothing', '/named/nothing', '/accel_named/v3/nothing') {
    is_refused($t->http(GET => $path, key => $key), 404, 1009,
               { message => 'Not found' }, $path);
}

# With a body: a named location keeps the method, the others make it a GET.
my $by_name = $t->contact_jid;
for my $case (['/named', 201], ['/accel_named', 409]) {
    my ($prefix, $status) = @$case;
    my $path = "$prefix/v3/channels/$channel/contacts";
    my $json = { jid => $by_name, x => 'x' x 20_000 };
    is_refused($t->http(POST => $path, json => $json), 401, 1001, \%no_key,
               "POST $prefix without a key");
    is($t->http(POST => $path, json => $json, key => $key)->status, $status,
       "POST $prefix");
}
for my $path ('/error_page/', '/accel/') {
    is_answer($t->http(POST => $path, body => 'x' x 20_000, key => $key), 200,
              \%klm, "POST $path");
    is_refused($t->http(POST => $path, body => 'x' x 20_000), 401, 1001,
               \%no_key, "POST $path without a key");
}


# What else may stand in an ezw_api location.
my @channels = ({ dataRetentionInDays => 90, jid => $channel,
                  name => qr/./, priority => undef });
with_and_without('/v3/channels', \&unauthorized, answers(\@channels));
with_and_without('/v3/keys/current', \&unauthorized, status(200));
with_and_without($_, \&unauthorized, answers([\%klm]))
    for '/v3/companies', '/v3/companies?a=1', '/v3/companies?c=1',
        '/v3/companies?a=1&c=1';
with_and_without('/v3/companies', \&unauthorized, answers(\%klm),
                 headers => { 'X-D' => 1 });
with_and_without('/v3/companies?b=1',
                 sub { is_refused($_[0], 418, 1005, {}, $_[1]) },
                 sub { is_refused($_[0], 418, 1005, {}, $_[1]) });
is_refused($t->http(POST => '/v3/companies', key => $demo->{key}{OWNER},
                    body => 'x'),
           403, 1002, { message => 'Access denied' }, 'limit_except');
is_refused($t->http(POST => '/v3/companies', body => 'x'), 401, 1001, \%no_key,
           'limit_except, without a key');
my $own = "/v3/companies/$demo->{company}";
with_and_without($own, sub { unauthorized(@_);
                             is($_[0]->header('x-added'), 1, "$_[1]: header") },
                 answers(\%klm));
is_refused($t->http(GET => '/v3/companies/' . $t->uuid, key => $key), 403, 1002,
           { message => 'Access denied: not a company of the API key' },
           'error_page does not take our errors');
with_and_without('/v3/returns', status(204), status(204));
with_and_without('/v3/denied',
                 sub { is_refused($_[0], 403, 1002, {}, $_[1]) },
                 sub { is_refused($_[0], 403, 1002, {}, $_[1]) });
for my $path ('/v3/tried', '/v3/internal/x', '/v3/outer/x') {
    is_refused($t->http(GET => $path, key => $key), 404, 1009,
               { message => 'Not found' }, $path);
}
is($t->http(GET => '/v3/outer/inner', key => $key)->status, 404,
   'a location inside is not the API');
is($t->http(GET => '/v3/outer/inner', key => $key)->header('x-trace-id'), undef,
   'and has nothing of it');

# Compressed, the answer and the error (nginx compresses 403, but not 401).
for my $case (['an answer', 'GET', 200], ['an error', 'POST', 403]) {
    my ($name, $method, $status) = @$case;
    my $plain = $t->http($method => '/v3/companies', key => $key)->json;
    my $r = $t->http($method => '/v3/companies', key => $key,
                     headers => { 'Accept-Encoding' => 'gzip' });
    is($r->status, $status, "gzip: $name");
    is($r->header('content-encoding'), 'gzip', "gzip: $name is");
    gunzip(\$r->{body}, \my $body);
    my $trace = $r->header('x-trace-id');
    is_json(from_json($body), $status == 200 ? $plain
            : { %$plain, traceId => qr/^\Q$trace\E$/ }, "gzip: $name, whole");
}

done_testing;

# Which request is which endpoint: paths as the client spelled them, methods,
# and what is answered where there is none.

use EZW;

my $t = EZW->start(server => <<'CONF');
        location /public/  { rewrite ^/public/(.*)$ /v3/$1 last; }
        location = /mine   { rewrite ^ /v3/companies/current last; }
        location /raw/     { rewrite ^/raw/(.*)$ /v3/channels/$1 last; }
CONF
my $demo = $t->demo(company => { name => 'KLM' });
my $key = $demo->{key}{COMPANY};
my $channel = $demo->{channel};
my $contact = $demo->{contact};

my %not_found = (message => 'Not found');
my %bad_path = (message => 'The path is not valid UTF-8 or has a bad escape');

# The endpoint that the last request was taken for, as the log has it.
sub endpoint {
    my ($r) = @_;

    my $trace = $r->header('x-trace-id');
    my $line = wait_for(sub { ($t->access_log =~ /^(.*trace=$trace .*)$/m)[0] },
                        5, 'a line in the access log');
    return ($line =~ /endpoint="([^"]*)"/)[0];
}

sub get { return $t->http(GET => $_[0], key => $key) }

# What is no path is 404, with a key or without, in the face's own shape.
for my $path ('/v3/', '/v3/nothing', '/v3/keys/current/more',
              "/v3/channels/$channel/contacts/$contact/more",
              "/v3/channels/$channel/$contact",
              '/v3/Keys/current')
{
    is_refused(get($path), 404, 1009, \%not_found, "404: $path");
}

# What a literal is not, a parameter is: the id of a key, which GET has not.
for my $path ('/v3/keys/Current', '/v3/keys/current;x=1') {
    my $r = get($path);
    is_refused($r, 405, 1005, { code => 1005, message => 'Method not allowed' },
               "an id: $path");
    is($r->header('allow'), 'PATCH, DELETE', "an id: $path: Allow");
}
is_refused($t->http(GET => '/v3/nothing'), 404, 1009, \%not_found,
           '404 without a key');
is_answer(get('/api/nothing'), 404, {
    error => { code => 'not_found', message => 'Not found', details => {} },
    traceId => qr/^[0-9a-f]{32}$/,
}, '404 of the workspace');

# Methods.
for my $case (
    [POST => '/v3/keys/current', 'GET, HEAD'],
    [DELETE => '/v3/companies/current', 'GET, HEAD'],
    [PUT => '/v3/companies', 'GET, HEAD, POST'],
    [PUT => '/v3/channels', 'GET, HEAD, POST'],
    [GET => "/v3/channels/$channel", 'PATCH, DELETE'],
    [HEAD => "/v3/channels/$channel", 'PATCH, DELETE'],
    [PUT => "/v3/channels/$channel/contacts", 'GET, HEAD, POST'],
    [POST => "/v3/channels/$channel/contacts/$contact",
     'GET, HEAD, PATCH, DELETE'],
    [DELETE => "/v3/channels/$channel/conversations/$contact",
     'GET, HEAD, PATCH'],
    [PUT => "/v3/channels/$channel/messages/$contact", 'GET, HEAD, POST'],
    [OPTIONS => '/v3/keys/current', 'GET, HEAD'],
    [PROPFIND => '/v3/keys/current', 'GET, HEAD'],
    [BREW => '/v3/keys/current', 'GET, HEAD'],
) {
    my ($method, $path, $allow) = @$case;
    my $r = $t->http($method => $path, key => $key);
    if ($method eq 'HEAD') {
        is_answer($r, 405, undef, "405: $method $path");
    } else {
        is_refused($r, 405, 1005, { message => 'Method not allowed' },
                   "405: $method $path");
    }
    is($r->header('allow'), $allow, "Allow: $method $path");
}
is($t->http(GET => '/v3/nothing', key => $key)->header('allow'), undef,
   'a 404 has no Allow');

# HEAD is GET without the body: every header the same. (From the second use of
# a key on, its last use has a length that stays.)
get('/v3/keys/current');
for my $case (['/v3/keys/current', $key], ['/v3/companies', $key],
              ['/v3/channels', $key], ['/v3/nothing', $key],
              ['/v3/keys/current', undef], ['/healthz', undef],
              ["/v3/channels/$channel/contacts/$contact", $key])
{
    my ($path, $with) = @$case;
    my %o = (key => $with, headers => {
        traceparent => '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    });
    my $r = $t->http(GET => $path, %o);
    my $client = $t->client;
    $client->send_request(HEAD => $path, %o);
    my $head = $client->read_response('HEAD');
    delete $_->{headers}{date} for $r, $head;
    delete $_->{headers}{connection} for $r, $head;
    delete $_->{headers}{ratelimit} for $r, $head;    # one less each time
    is($head->status, $r->status, "HEAD $path: status");
    is_deeply($head->{headers}, $r->{headers}, "HEAD $path: headers");
    is($head->header('content-length'), length $r->body, "HEAD $path: length");
    # no body: the next answer on the connection begins at once
    is($client->request(GET => '/healthz')->status, 200, "HEAD $path: no body");
}

# Literals before parameters.
my $current = get('/v3/companies/current');
is_answer($current, 200, { id => $demo->{company}, name => 'KLM' },
          'companies/current');
is(endpoint($current), 'company_current', 'a literal before a parameter');
my $by_id = get("/v3/companies/$demo->{company}");
is_answer($by_id, 200, { id => $demo->{company}, name => 'KLM' },
          'companies/{companyId}');
is(endpoint($by_id), 'company_get', 'a parameter');
is(endpoint(get('/v3/companies/Current')), 'company_get',
   'no literal in another case');
is(endpoint(get('/v3/companies/%63urrent')), 'company_current',
   'an escaped literal is that literal');
is(endpoint(get('/v3/nothing')), '-', 'no endpoint');

# JIDs: "@" and "%40" alike, the domain in any case.
is($t->http(POST => "/v3/channels/$channel/contacts", key => $key,
            json => { jid => $contact, name => 'John Doe' })->status, 201,
   'a contact');
my $answer = get("/v3/channels/$channel/contacts/$contact")->json;
is($answer->{jid}, $contact, 'by its JID');
my $escaped = "/v3/channels/$channel/contacts/$contact" =~ s/\@/%40/gr;
is_answer(get($escaped), 200, $answer, '%40');
is_answer(get($escaped =~ s/whatsapp/WhatsApp/gr =~ s/eazy\.im/EAZY.im/gr),
          200, $answer, 'a domain in capitals');
is_answer(get($escaped =~ s/whatsapp/%77hatsap%70/gr), 200, $answer,
          'letters that need no escape');
is_answer(get($escaped . '?'), 200, $answer, 'an empty query');

# Once decoded, never again.
is_refused(get($escaped =~ s/%40/%2540/gr), 400, 1005,
           { message => 'Jid is invalid', field => 'channelJid' },
           'double escapes');
is_refused(get("/v3/channels/$channel/contacts/" . $contact =~ s/\@/%2540/r),
           400, 1005, { message => 'Jid is invalid', field => 'contactJid' },
           'double escapes in the contact');

# "+" is a plus; a space is no JID's.
for my $jid ("+$contact", "%20$contact", "%2B$contact", $contact . '+') {
    is_refused(get("/v3/channels/$channel/contacts/$jid"), 400, 1005,
               { message => 'Jid is invalid', field => 'contactJid' },
               "no JID: $jid");
}

# A slash in a JID, where the platform has such ids, and nowhere else.
my $viber = $t->channel(company => $demo->{company}, jid => 'a+b/c=@viber.eazy.im');
my $viber_path = '/v3/channels/a+b%2Fc=@viber.eazy.im/contacts';
is($t->http(POST => $viber_path, key => $key,
            json => { jid => 'x/y+z@viber.eazy.im' })->status, 201,
   'a contact with a slash and a plus');
for my $jid ('x%2Fy+z@viber.eazy.im', 'x%2fy%2Bz%40viber.eazy.im') {
    is(get("$viber_path/$jid")->json->{jid}, 'x/y+z@viber.eazy.im',
       "read by $jid");
}
is($t->http(DELETE => "$viber_path/x%2Fy+z\@viber.eazy.im", key => $key)->status,
   204, 'and erased');
is_refused(get("$viber_path/x%2Fy z\@viber.eazy.im" =~ s/ /%20/r), 400, 1005,
           { message => 'Jid is invalid', field => 'contactJid' },
           'a space is not a plus');
for my $path ('/v3%2Fchannels', '/v3/keys%2Fcurrent',
              "/v3/companies/%2F$demo->{company}",
              '/v3/companies%2Fcurrent',
              "$viber_path/x/y+z\@viber.eazy.im")
{
    is_refused(get($path), 404, 1009, \%not_found, "a slash too many: $path");
}

# Trailing slashes, empty segments and dots are other paths.
for my $path ('/v3/keys/current/', '/v3/channels/', '/v3//keys/current',
              '//v3/keys/current', '/v3/keys//current',
              "/v3/channels/$channel//contacts/$contact",
              "/v3/channels//contacts/$contact",
              '/v3/./keys/current', '/v3/x/../keys/current',
              '/api/../v3/keys/current', '/v3/%2e/keys/current',
              '/v3/x/%2e%2e/keys/current')
{
    is_refused(get($path), 404, 1009, \%not_found, "another path: $path");
}

# Rewritten URIs: what nginx has decoded is not decoded again.
is_answer(get('/mine'), 200, $current->json, 'rewritten');
is_answer(get("/public/channels/$channel/contacts/$contact"), 200, $answer,
          'rewritten with parameters');
is_answer(get("/raw/$channel/contacts/$contact" =~ s/\@/%40/gr), 200, $answer,
          'rewritten, "%40"');
is_refused(get("/raw/$channel/contacts/$contact" =~ s/\@/%2540/gr), 400, 1005,
           { message => 'Jid is invalid', field => 'channelJid' },
           'rewritten, decoded once');
is_refused(get('/public/nothing'), 404, 1009, \%not_found, 'rewritten, 404');
is_refused(get('/public/companies/%ff'), 400, 1005, \%bad_path,
           'rewritten, not UTF-8');

# The absolute form of the request line.
for my $uri ('http://localhost/v3/companies/current',
             'HTTP://LOCALHOST:80/v3/companies/current')
{
    is_answer($t->http(GET => $uri, key => $key), 200, $current->json,
              "absolute: $uri");
}
is_answer($t->http(GET => "http://localhost$escaped?x=y", key => $key), 200,
          $answer, 'absolute, with escapes and a query');

# Long ones: as far as nginx reads them they are paths like others.
my $long = '/v3/' . 'a' x 7000;
is_refused(get($long), 404, 1009, \%not_found, 'one long segment');
is_refused(get('/v3' . '/a' x 3500), 404, 1009, \%not_found, 'many segments');
is_refused(get('/v3' . '/' x 7000), 404, 1009, \%not_found, 'many slashes');
is_refused(get('/v3' . '/%41' x 1800), 404, 1009, \%not_found, 'many escapes');
is_refused(get("/v3/channels/$channel/contacts/" . '1' x 7000
               . '@whatsapp.eazy.im'), 400, 1005,
           { message => 'Jid is invalid', field => 'contactJid' }, 'a long JID');
is_refused(get('/v3/companies/' . 'a' x 7000), 403, 1002,
           { message => 'Access denied: not a company of the API key' },
           'a long id of a company');

# What is not UTF-8.
for my $bad ('%ff', '%c0%af', '%ed%a0%80', '%f4%90%80%80', '%e2%82', '%80',
             "\xff", "\xc3", "\xc3\x28")
{
    my $name = $bad =~ s/([\x80-\xff])/sprintf '\\x%02x', ord $1/ger;
    for my $path ("/v3/companies/$bad", "/v3/channels/$channel/contacts/$bad",
                  "/v3/$bad", "/v3/nothing/at/all/$bad/here",
                  '/v3' . '/a' x 40 . "/$bad")
    {
        is_refused(get($path), 400, 1005, \%bad_path,
                   "not UTF-8: $name in " . substr($path, 0, 20));
    }
}
is_refused($t->http(GET => '/v3/companies/%ff'), 400, 1005, \%bad_path,
           'not UTF-8, without a key');
is_refused(get('/v3/companies/%F0%9F%98%80'), 403, 1002,
           { message => 'Access denied: not a company of the API key' },
           'UTF-8 of four bytes is a path');

# What nginx's own parser refuses never comes to a location: 400, by nginx.
for my $bad ('%00', '%', '%4', '%zz', '%0', "\0") {
    my $r = get("/v3/companies/$bad");
    is($r->status, 400, 'refused by nginx: ' . $bad =~ s/\0/NUL/r);
    unlike($r->body, qr/KLM/, 'and nothing else');
}

done_testing;

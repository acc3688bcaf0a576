# Errors that no statement makes: nginx's own and those of the body. All are
# JSON of their face, tell their trace, and leave the connection usable.
# sanitizers

use EZW;

my $t = EZW->start(http => 'large_client_header_buffers 2 2k;
                            client_body_buffer_size 1k;',
                   server => <<'CONF');
        location /v3/companies/current {
            ezw_api v3;
            limit_except GET { deny all; }
        }
        location /v3/channels/ {
            ezw_api v3;
            ezw_max_body 24k;
        }
        location /v3/returns/ {
            ezw_api v3;
            location /v3/returns/400 { ezw_api v3; return 400; }
            location /v3/returns/401 { ezw_api v3; return 401; }
            location /v3/returns/403 { ezw_api v3; return 403; }
            location /v3/returns/413 { ezw_api v3; return 413; }
            location /v3/returns/414 { ezw_api v3; return 414; }
            location /v3/returns/418 { ezw_api v3; return 418; }
            location /v3/returns/429 { ezw_api v3; return 429; }
            location /v3/returns/431 { ezw_api v3; return 431; }
            location /v3/returns/500 { ezw_api v3; return 500; }
            location /v3/returns/502 { ezw_api v3; return 502; }
            location /v3/returns/503 { ezw_api v3; return 503; }
            location /v3/returns/504 { ezw_api v3; return 504; }
        }
        location /api/returns/403 { ezw_api workspace; return 403; }
        location /api/returns/413 { ezw_api workspace; return 413; }
        location /api/returns/500 { ezw_api workspace; return 500; }
        location /api/denied/     { ezw_api workspace; deny all; }
        location /v3/denied/      { ezw_api v3; deny all; }
        location /v3/refers/ {
            ezw_api v3;
            error_page 403 404 500 /error.html;
            deny all;
        }
        location = /error.html { return 200 "<html>"; }
CONF
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $channel = "/v3/channels/$demo->{channel}";
my $contacts = "$channel/contacts";
my $messages = "$channel/messages/$demo->{contact}";
my $listless = $t->key(company => $demo->{company}, scope => 'CHANNEL');

my %too_large = (message => 'Body is too large');
my %object = (message => 'Body must be a JSON object');
my %type = (message => 'Content-Type must be application/json');

# POSTs bytes.
sub post {
    my ($path, $body, %o) = @_;
    my $type = exists $o{type} ? delete $o{type} : 'application/json';
    return $t->http(POST => $path, key => $key, body => $body,
                    headers => { defined $type ? ('Content-Type' => $type) : (),
                                 %{ delete $o{headers} || {} } }, %o);
}

# The same by chunks of 1000 bytes, on a connection that stays.
sub chunked {
    my ($client, $path, $body) = @_;
    my $text = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
        $body =~ /(.{1,1000})/gs;
    return $client->request(POST => $path, key => $key, body => "${text}0\r\n\r\n",
                            headers => { 'Transfer-Encoding' => 'chunked',
                                         'Content-Type' => 'application/json' });
}

# A contact's body of exactly so many bytes: the rest is a field that no rule
# knows.
sub contact {
    my ($size) = @_;
    my $json = to_json({ jid => $t->contact_jid, x => '' });
    return substr($json, 0, -2) . 'x' x ($size - length $json) . '"}';
}


# 413: as long as allowed and one longer, told beforehand or not.
my $limit = 24 * 1024;
is(length contact($limit), $limit, 'a body of that size');
is(post($contacts, contact($limit))->status, 201, 'as long as allowed');
is_refused(post($contacts, contact($limit + 1)), 413, 1005, \%too_large,
           'one byte longer');
is_refused(post($contacts, '', headers => { 'Content-Length' => 1 << 40 }), 413,
           1005, \%too_large, 'a terabyte is announced');
is_refused(post($contacts, '', headers => { 'Content-Length' => $limit + 1,
                                            Expect => '100-continue' }), 413,
           1005, \%too_large, 'refused before it is sent');
my $client = $t->client;
is(chunked($client, $contacts, contact($limit))->status, 201,
   'as long as allowed, in chunks');
is_refused(chunked($client, $contacts, contact($limit + 1)), 413, 1005,
           \%too_large, 'one byte longer, in chunks');
is_refused(chunked($t->client, $contacts, contact(20 * $limit)), 413, 1005,
           \%too_large, 'much longer, in chunks');
is_answer($t->http(POST => '/v3/nothing', body => 'x' x 3_000_000), 413, {
    error => { code => 1005, message => 'Body is too large' },
    traceId => qr/^[0-9a-f]{32}$/ }, 'longer than the default of 1 MB');

# A body that came in pieces, or into a file, is a body.
$client = $t->client;
my $json = contact(20_000);
$client->send_raw("POST $contacts HTTP/1.1\r\nHost: a\r\nContent-Type: "
                  . "application/json\r\nAuthorization: Bearer $key\r\n"
                  . 'Content-Length: ' . length($json) . "\r\n\r\n");
for my $piece ($json =~ /(.{1,7000})/gs) {
    $client->send_raw($piece);
    select undef, undef, undef, 0;
}
is($client->read_response('POST')->status, 201, 'in pieces');


# 415: another type, none, another charset.
for my $type ('text/plain', 'application/x-www-form-urlencoded',
              'application/json5', 'application/jsonx', 'json',
              'application/json; charset=latin1', 'multipart/form-data', undef,
              '', 'text/json', 'application/json/x')
{
    is_refused(post($contacts, contact(200), type => $type), 415, 1005, \%type,
               'Content-Type: ' . ($type // 'none'));
}
for my $type ('application/json', 'Application/JSON',
              'application/json; charset=utf-8',
              'application/json;charset="UTF-8"', 'application/json ; x=y')
{
    is(post($contacts, contact(200), type => $type)->status, 201,
       "Content-Type: $type");
}

# What is no JSON object.
for my $case (
    ['nothing', '', \%object],
    ['a space', ' ', undef],
    ['an array', '[]', \%object],
    ['a string', '"x"', \%object],
    ['a number', '5', \%object],
    ['null', 'null', \%object],
    ['no JSON', 'jid=31611111111', undef],
    ['half of it', '{"jid":"x"', undef],
    ['more than it', '{"jid":"x"} x', undef],
    ['two of it', '{"jid":"x"}{}', undef],
    ['a comma too many', '{"jid":"x",}', undef],
    ['single quotes', "{'jid':'x'}", undef],
    ['a comment', '{/* */}', undef],
    ['NaN', '{"name":NaN}', undef],
    ['a large number', '{"name":123456789012345678901234567890}', undef],
    ['a larger number', '{"name":1e999}', undef],
    ['a byte order mark', "\xef\xbb\xbf{}", undef],
    ['a NUL', "{}\0", undef],
    ['an escaped NUL', '{"jid":"\u0000"}',
     { message => 'Body must not contain \u0000' }],
    ['an escaped NUL in a name', '{"\u0000":1}',
     { message => 'Body must not contain \u0000' }],
    ['half a surrogate', '{"jid":"\ud800"}', undef],
    ['Latin-1', "{\"jid\":\"\xe9\"}",
     { message => 'Body is not valid UTF-8' }],
    ['a surrogate in UTF-8', "{\"jid\":\"\xed\xa0\x80\"}",
     { message => 'Body is not valid UTF-8' }],
    ['too long a form', "{\"jid\":\"\xc0\x80\"}",
     { message => 'Body is not valid UTF-8' }],
    ['a name twice', '{"jid":"x","jid":"x"}',
     { message => 'Body has a duplicate key' }],
    ['a name twice, one escaped', '{"jid":"x","\u006aid":"x"}',
     { message => 'Body has a duplicate key' }],
    ['a name twice further in', '{"x":{"a":1,"a":1}}',
     { message => 'Body has a duplicate key' }],
    ['33 deep', '{"x":' . '[' x 32 . ']' x 32 . '}',
     { message => 'Body is nested too deeply' }],
    ['33 deep, objects', '{"x":' x 33 . '1' . '}' x 33,
     { message => 'Body is nested too deeply' }],
    ['10000 deep', '[' x 10_000, { message => 'Body is nested too deeply' }],
) {
    my ($name, $body, $more) = @$case;
    $more //= { message => qr/^Body is not valid JSON \(line \d+, column \d+\)$/ };
    is_refused(post($contacts, $body), 400, 1005, $more, "body: $name");
}
is(post($contacts, substr(contact(200), 0, -1) . ',"y":' . '[' x 31 . ']' x 31
        . '}')->status, 201, 'body: 32 deep');
is_refused($t->http(POST => $contacts, key => $key), 400, 1005, \%object,
           'no body at all');


# What nginx itself comes to, in each face's shape.
my %of = (
    400 => [1005, 'Validation error'], 401 => [1001, 'Unauthorized'],
    403 => [1002, 'Access denied'],
    413 => [1005, 'Body is too large'], 414 => [1005, 'The URI is too long'],
    418 => [1005, 'Validation error'], 429 => [1003, 'Rate limit exceeded'],
    431 => [1005, 'The request header is too large'],
    500 => [1004, 'Internal server error'], 502 => [1012, 'Bad gateway'],
    503 => [1003, 'Service unavailable'], 504 => [1012, 'Bad gateway'],
);
for my $status (sort keys %of) {
    my $r = $t->http(GET => "/v3/returns/$status");
    is_refused($r, $status, $of{$status}[0], { message => $of{$status}[1] },
               "nginx says $status");
    is($r->header('content-length'), length $r->body, 'its length is told');
    my $head = $t->http(HEAD => "/v3/returns/$status");
    is_answer($head, $status, undef, "nginx says $status to HEAD");
    is($head->header('content-length'), length $r->body, 'the same length');
}
is($t->http(GET => '/v3/returns/401')->header('www-authenticate'), 'Bearer',
   '401 has its WWW-Authenticate');
is($t->http(GET => '/v3/returns/503')->header('retry-after'), 1,
   '503 has its Retry-After');
is_refused($t->http(GET => '/v3/denied/x', key => $key), 403, 1002,
           { message => 'Access denied' }, 'deny all');
is_refused($t->http(POST => '/v3/companies/current', key => $key), 403, 1002,
           { message => 'Access denied' }, 'limit_except');
for my $case (['returns/403', 403, 'forbidden', 'Access denied'],
              ['denied/x', 403, 'forbidden', 'Access denied'],
              ['returns/413', 413, 'too_large', 'Body is too large'],
              ['returns/500', 500, 'internal', 'Internal server error'],
              ['nothing', 404, 'not_found', 'Not found'])
{
    my ($path, $status, $slug, $message) = @$case;
    my $r = $t->http(GET => "/api/$path", key => $key);
    my $trace = $r->header('x-trace-id');
    is_answer($r, $status, {
        error => { code => $slug, message => $message, details => {} },
        traceId => qr/^\Q$trace\E$/,
    }, "of the workspace: $path");
}
is_refused($t->http(GET => '/v3/refers/x', key => $key), 403, 1002,
           { message => 'Access denied' },
           'error_page does not take our errors');

# Before there is a location nginx answers by itself: these are no JSON, but
# say what they must and end the connection.
for my $case (['a long URI', "GET /v3/" . 'a' x 3000 . " HTTP/1.1\r\n", 414],
              ['a long header', "GET /v3/ HTTP/1.1\r\nX: " . 'a' x 3000 . "\r\n",
               400],
              ['no HTTP', "nonsense\r\n", 400],
              ['no Host', "GET /v3/keys/current HTTP/1.1\r\n", 400],
              ['TRACE', "TRACE /v3/keys/current HTTP/1.1\r\nHost: a\r\n", 405])
{
    my ($name, $head, $status) = @$case;
    my $client = $t->client;
    $client->send_raw("$head\r\n");
    is($client->read_response('GET')->status, $status, "by nginx: $name");
}


# A connection survives its errors, with bodies that nobody read.
my $body = to_json({ jid => $demo->{contact}, x => 'x' x 5000 });
my %json = (body => $body, headers => { 'Content-Type' => 'application/json' });
for my $case (
    ['400', [POST => $contacts, key => $key, json => {}], 400],
    ['400 of a JID', [GET => "$channel/contacts/x", key => $key], 400],
    ['400 of a path', [GET => '/v3/%ff', key => $key], 400],
    ['401', [GET => '/v3/keys/current'], 401],
    ['401 with a body', [POST => $contacts, %json], 401],
    ['403 with a body', [POST => $contacts, %json, key => $listless], 403],
    ['404', [GET => '/v3/nothing', key => $key], 404],
    ['404 with a body', [POST => '/v3/nothing', %json, key => $key], 404],
    ['404 of a contact', [GET => "$contacts/$demo->{contact}", key => $key],
     404],
    ['405', [DELETE => '/v3/channels', key => $key], 405],
    ['405 with a body', [PUT => '/v3/channels', %json, key => $key], 405],
    ['415 with a body', [POST => $contacts, body => 'x' x 5000, key => $key],
     415],
    ['a GET with a body', [GET => '/v3/channels', %json, key => $key], 200],
    ['a DELETE with a body', [DELETE => "$contacts/$demo->{contact}", %json,
                              key => $key], 404],
) {
    my ($name, $request, $status) = @$case;
    my $client = $t->client;
    for my $round (1, 2) {
        is($client->request(@$request)->status, $status, "$name, round $round");
        is($client->request(GET => '/v3/channels', key => $key)->status, 200,
           "$name: the connection goes on");
    }

    # and all in one go
    my ($method, $path, %o) = @$request;
    my $bytes = EZW::Client::request_bytes($method, $path, %o)
        . EZW::Client::request_bytes(GET => '/v3/channels', key => $key);
    $client->send_raw($bytes x 3);
    is_deeply([map { $client->read_response('GET')->status } 1 .. 6],
              [($status, 200) x 3], "$name: in a pipeline");
}

# The body is not asked for when it is refused anyway.
$client = $t->client;
$client->send_raw("POST $contacts HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
                  . "Expect: 100-continue\r\n\r\n");
is($client->read_response('POST')->status, 401, '401 before 100');
$client->close;

done_testing;

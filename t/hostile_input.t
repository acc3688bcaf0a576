# Hostile input everywhere: never a 5xx, never a hang, nothing changed; and what
# is a good text, however it looks, is stored as it is.
# sanitizers

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $demo = $t->demo;
my $key = $demo->{key}{OWNER};
my $channel = $demo->{channel};
my $contact = $demo->{contact};
my $base = "/v3/channels/$channel";
$t->http(POST => "$base/contacts", key => $key,
         json => { jid => $contact, name => 'John Doe' });
$t->http(POST => "$base/messages/$contact", key => $key,
         json => { type => 'text', body => 'Hi' });

# Well-formed, and made for SQL, shells, formats, paths, logs and JSON.
my @texts = (
    "'", "''", '"', '\\', "\\'", '`', ';', '--', '/*', '*/', '%', '%%', '%s%n',
    '$1', '$$', ':company', '::text', '{}', '{"a","b"}', '[]', 'NULL', 'null',
    "' or '1'='1", "'; drop table ezw.contact; --", '1; select pg_sleep(5)',
    "') union select * from ezw.api_key --", 'x\'||pg_sleep(5)||\'',
    'E\'\\x27\'', '../../../../etc/passwd', '<script>alert(1)</script>',
    '${jndi:ldap://x}', '$(reboot)', '&lt;', '-1', '1e999', '0x41',
    "\x{202e}evil", "\x{feff}", "\x{1F600}" x 10, "\x{fffd}", "e\x{301}",
    "\x{10ffff}", "\x{7f}", 'a' x 3000,
);
# Not well-formed: as bytes.
my @bytes = ("\xff", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
             "\xf8\x88\x80\x80\x80", "\xf4\x90\x80\x80", "\xc3", "a\x80b",
             "'\xff'; drop table ezw.contact; --");

# Both as bytes, each with whether it is UTF-8.
my @all = ((map { [utf8_bytes($_), 1] } @texts), map { [$_, 0] } @bytes);

sub utf8_bytes { my ($text) = @_; utf8::encode($text); return $text }

sub escaped { return $_[0] =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger }

sub bytes_name { return substr escaped($_[0]), 0, 50 }

sub show { return bytes_name(utf8_bytes($_[0])) }

# Everything that may change without a change: what a key's use leaves.
sub tables {
    my $tables = $t->snapshot('api_key');
    $tables->{api_key} = [map { $_->[0] } $t->sql(
        q{select (to_jsonb(k) - 'last_used')::text from ezw.api_key k
           order by 1})];
    return $tables;
}

my $before = tables();
my $n = 0;

# Asks and says that it was refused as a client's error, in JSON that is whole.
sub refused {
    my ($name, $statuses, $method, $path, %o) = @_;

    my $r = $t->http($method => $path, key => $key, %o);
    my $trace = $r->header('x-trace-id') // 'none';
    my %is = map { $_ => 1 } @$statuses;
    ok($is{$r->status} && ($r->json // {})->{traceId} eq $trace
       && $r->json->{error}{code} && length $r->json->{error}{message},
       $name) || diag $r->as_text;
    return;
}

# The path: where an id, a JID or a name stands.
for (@all) {
    my ($bad, $well) = @$_;
    my $name = bytes_name($bad);
    my $text = escaped($bad);
    next if $bad =~ m{^\.\.};    # nginx's own affair: below

    # an id of a company is some text, so it is denied; and no text is 400
    refused("company: $name", [$well ? $bad =~ m{/} ? 404 : 403 : 400], GET => "/v3/companies/$text");
    refused("channel: $name", [400, $well && $bad =~ m{/} ? 404 : 400],
            PATCH => "/v3/channels/$text", json => { name => 'changed' });
    for my $method (qw(GET PATCH DELETE)) {
        refused("$method contact: $name", [400], $method =>
                "$base/contacts/$text",
                $method eq 'PATCH' ? (json => { name => 'changed' }) : ());
    }
    refused("conversation: $name", [400], PATCH =>
            "$base/conversations/$text", json => { status => 'CLOSED' });
    refused("message: $name", [400], POST => "$base/messages/$text",
            json => { type => 'text', body => 'Hi' });
    refused("inside of a JID: $name", [400], GET =>
            "$base/contacts/3161$text\@whatsapp.eazy.im");
    refused("behind a JID: $name", [400], DELETE =>
            "$base/contacts/$contact$text");
    refused("a path: $name", [$well ? 404 : 400], GET => "/v3/$text");

    # the same as it is, where a request line can hold it
    if ($bad !~ /[\s\x00-\x20?#\x7f]/ && $bad !~ /%/) {
        refused("as it is: $name", [400, 403, 404], GET =>
                "/v3/companies/$bad");
    }
}

# Dots are a path's, whatever escapes them: nginx takes them away to find a
# location, and if that is ours they are names like others.
for my $dots ('..', '%2e%2e', '..%2f..', '..%2F..%2F..%2Fetc%2Fpasswd',
              '../../../etc/passwd', '../../../../../../etc/passwd', '.%2e/..')
{
    for my $path ("/v3/companies/$dots", "$base/contacts/$dots", "/v3/$dots",
                  "/v3/$dots/v3/keys/current")
    {
        my $r = $t->http(GET => $path, key => $key);
        ok((grep { $r->status == $_ } 400, 403, 404), "dots: $path")
            || diag $r->as_text;
    }
}

# The query: no endpoint has one yet, so what it says is nothing; but it is
# text, and it has names that strict callers want caught.
for (@all) {
    my ($bad, $well) = @$_;
    my $name = bytes_name($bad);
    my $text = escaped($bad);
    for my $path ('/v3/keys/current', '/v3/companies', "$base/contacts/$contact") {
        for my $query ("x=$text", "$text=x", "a=b&$text", $text) {
            if ($well) {
                my $r = $t->http(GET => "$path?$query", key => $key);
                is($r->status, 200, "query of $path: $name")
                    || diag $r->as_text;
            } else {
                refused("query of $path: $name", [400], GET => "$path?$query");
            }
        }
        refused("strict query of $path: $name", [400], GET => "$path?$text=x",
                headers => { Prefer => 'handling=strict' });
    }
}
for my $query ('%', '%4', '%zz', 'a=%', '%00', 'a=%00', 'a%00=b', '%=%') {
    for my $path ('/v3/keys/current', '/v3/companies', "$base/contacts/$contact") {
        refused("query of $path: $query", [400], GET => "$path?$query");
    }
    refused("query of a POST: $query", [400], POST => "$base/contacts?$query",
            json => { jid => $t->contact_jid });
}

# Headers: what we read, and what we do not. What is no UTF-8 is refused,
# anything else is no key, no trace and no preference.
for my $header (qw(Authorization Authentication traceparent Prefer Content-Type
                   User-Agent X-Anything Idempotency-Key Cookie Referer))
{
    for (grep { length $_->[0] < 1000 } @all) {
        my ($bad, $well) = @$_;
        my $name = "$header: " . bytes_name($bad);
        my $r = $t->http(GET => '/v3/companies/current',
                         $header =~ /^Auth/ ? () : (key => $key),
                         headers => { $header => $bad });
        if (!$well) {
            is_refused($r, 400, 1005, { message => 'Header is not valid UTF-8',
                                        field => $header }, $name);
            next;
        }
        is($r->status, $header =~ /^Auth/ ? 401 : 200, $name)
            || diag $r->as_text;
        like($r->header('x-trace-id'), qr/^[0-9a-f]{32}$/, "$name: a trace");
    }
}
for my $bad (map { utf8_bytes($_) } @texts) {
    next if length $bad > 1000;
    refused('a key: ' . bytes_name($bad), [401], GET => '/v3/companies/current',
            key => $bad);
    refused('a key of the right length: ' . bytes_name($bad), [401],
            GET => '/v3/companies/current',
            key => substr($bad . 'a' x 40, 0, 40));
}
for my $header (qw(Authorization traceparent Prefer X-Anything)) {
    my $r = $t->http(GET => '/v3/companies/current', key => $key,
                     headers => { $header => "a\0b" });
    is($r->status, 400, "$header: a NUL");
}

# Bodies: bytes instead of JSON, and in every field what it cannot be.
my %json = (headers => { 'Content-Type' => 'application/json' });
my @writes = (
    [POST => "$base/contacts", qw(jid name reference remarks metadata)],
    [PATCH => "$base/contacts/$contact", qw(name reference remarks metadata)],
    [PATCH => "$base/conversations/$contact",
     qw(assignee labels status team unreadCount)],
    [PATCH => $base, qw(name priority)],
    [POST => "$base/messages/$contact", qw(message type)],
);
for my $write (@writes) {
    my ($method, $path, @fields) = @$write;
    for my $bad (@bytes, "\0", "{\0}") {
        my $name = "$method $path: " . bytes_name($bad);
        refused("$name as a body", [400], $method => $path, body => $bad, %json);
        for my $field (@fields) {
            refused("$name as $field", [400], $method => $path, %json,
                    body => qq({"$field":"$bad"}));
        }
        refused("$name as a name", [400], $method => $path, %json,
                body => qq({"$bad":1}));
    }
    for my $field (@fields) {
        for my $value ('[[[]]]', '{"a":{}}', '[null]', '1e308', '-0.0', 'true',
                       '9223372036854775807', '[{"jid":"x"}]', '"\u0000"',
                       '["\u0000"]', '{"fullName":[]}', '{"\u0000":"x"}')
        {
            refused("$method $path: $field $value", [400], $method => $path,
                    %json, body => qq({"$field":$value}));
        }
    }
}

# Texts where ids are wanted.
for my $bad (@texts) {
    my $name = show($bad);
    refused("jid: $name", [400], POST => "$base/contacts",
            json => { jid => $bad });
    refused("jid inside: $name", [400], POST => "$base/contacts",
            json => { jid => "3161$bad\@whatsapp.eazy.im" });
    refused("assignee: $name", [400], PATCH => "$base/conversations/$contact",
            json => { assignee => $bad });
    refused("assignee with a domain: $name", [400], PATCH =>
            "$base/conversations/$contact",
            json => { assignee => "$bad\@example.com" });
    refused("labels: $name", [400], PATCH => "$base/conversations/$contact",
            json => { labels => [$bad] });
    refused("team: $name", [400], PATCH => "$base/conversations/$contact",
            json => { team => { jid => $bad } });
    refused("status: $name", [400], PATCH => "$base/conversations/$contact",
            json => { status => $bad });
    refused("message.type: $name", [400], POST => "$base/messages/$contact",
            json => { message => { type => $bad, body => 'Hi' } });
    refused("quoted id: $name", [400], POST => "$base/messages/$contact",
            json => { type => 'text', body => 'Hi', contextInfo => {
                quotedMessage => { id => $bad } } });
}

my $after = tables();
is_deeply($after->{$_}, $before->{$_}, "nothing has changed in $_")
    for sort keys %$before;

# Unknown names are nothing, whatever they are called.
for my $text (@texts) {
    is($t->http(PATCH => "$base/contacts/$contact", key => $key,
                json => { $text => $text })->status, 200,
       'an unknown name: ' . show($text));
    is_refused($t->http(PATCH => "$base/contacts/$contact", key => $key,
                        headers => { Prefer => 'handling=strict' },
                        json => { $text => 1 }), 400, 1005,
               { field => qr/./, message => qr/^Unknown field: / },
               'the same, strict: ' . show($text));
}
is_deeply(tables(), $before, 'still nothing has changed');

# A text that is a text is kept as it is, to the byte.
for my $text (@texts) {
    next if length $text > 255;
    my $name = show($text);
    my %want = (reference => $text, remarks => $text,
                metadata => { $text => $text },
                name => { firstName => $text, fullName => $text,
                          lastName => $text });
    my $r = $t->http(PATCH => "$base/contacts/$contact", key => $key,
                     json => \%want);
    is($r->status, 200, "stored: $name") || diag $r->as_text;
    my $read = $t->http(GET => "$base/contacts/$contact", key => $key)->json;
    is_json({ map { $_ => $read->{$_} } keys %want }, \%want, "read: $name");
    is($t->value('select remarks from ezw.contact where jid = ?', $contact),
       $text, "in the table: $name");

    my $sent = $t->http(POST => "$base/messages/$contact", key => $key,
                        json => { type => 'text', body => $text });
    is($sent->status, 201, "sent: $name");
    is($t->value("select body->>'body' from ezw.message where id = ?",
                 { hex => $sent->json->{id} }), $text, "as it is: $name");
    is($t->http(PATCH => $base, key => $key, json => { name => $text })
        ->json->{name}, $text, "a channel's name: $name");
}

unlike($t->database_log, qr/ERROR|FATAL|PANIC/, 'the database saw no error');
my @errors = grep { !/No such file or directory/ }
    $t->error_log =~ /^(.*\[(?:error|crit|alert|emerg)\].*)$/mg;
is_deeply(\@errors, [], 'nor did nginx');

done_testing;

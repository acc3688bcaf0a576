# GET keys/current: the key as the document shows it; and what is no key.

use EZW;

my $t = EZW->start;
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

sub current { return $t->http(GET => '/v3/keys/current', key => $_[0]) }

# The document's own answer. (Its address, and the one that we come from.)
my $key = $t->key(
    company => $company, scope => 'CHANNEL', channels => [$channel],
    id => '509000e9-05c9-43a9-b6f1-70f1c6a5448a',
    description => 'Test environment', last_used => '2020-03-11T19:53:02Z',
    whitelist => '{95.101.207.62,127.0.0.1}');

# What the document does not have, of a key with nothing more to say.
sub more { return (burst => undef, enabled => true, expiresAt => undef,
                   prefix => substr($_[0], 0, 6), ratePerMinute => undef) }

my %document = (
    more($key),
    cipherKey => undef,
    description => 'Test environment',
    id => '509000e9-05c9-43a9-b6f1-70f1c6a5448a',
    lastUsed => '2020-03-11T19:53:02.000000Z',
    objects => [{ jid => '31612345678@whatsapp.eazy.im', type => 'CHANNEL' }],
    scope => 'CHANNEL',
    whitelist => ['95.101.207.62', '127.0.0.1'],
);
my $r = current($key);
is_answer($r, 200, \%document, "the document's answer");
is($r->header('content-length'), length $r->body, 'its length is told');
is($r->body, to_json($r->json), 'compact, and names in their order');

# The next answer tells of the use before it.
is_answer(current($key), 200,
          { %document, lastUsed => sub { $_[0] =~ $time
                                         && $_[0] gt '2020-03-12' } },
          'used just now');

# A key that was never used, with nothing else to say.
my $bare = $t->key(company => $company, scope => 'COMPANY');
$t->sql('update ezw.api_key set description = null where id = ?',
        $t->key_id($bare));
is_answer(current($bare), 200, {
    more($bare), cipherKey => undef, description => undef,
    id => $t->key_id($bare), lastUsed => undef, objects => [],
    scope => 'COMPANY', whitelist => undef,
}, 'never used');

# Every scope and kind of object.
my $assistant = $t->assistant(company => $company,
                              jid => '1563451622477@ai.eazy.im');
my $child = $t->company(parent => $company);
my $other = $t->channel(company => $company, jid => '8194c1a3-be55-4210-ac02-58a992c17977@apple.eazy.im');
my $description = "'\"\\\n\t</script> \x{1F600} \x{7f}";
for my $case (
    [{ scope => 'CHANNEL', channels => [$channel, $other] },
     [{ jid => $channel, type => 'CHANNEL' },
      { jid => $other, type => 'CHANNEL' }]],
    [{ scope => 'ASSISTANT', assistant => $assistant },
     [{ jid => $assistant, type => 'ASSISTANT' }]],
    [{ scope => 'ASSISTANT', assistant => $assistant, channels => [$other] },
     [{ jid => $assistant, type => 'ASSISTANT' },
      { jid => $other, type => 'CHANNEL' }]],
    [{ scope => 'COMPANY' }, []],
    [{ scope => 'OWNER', companies => [$child] },
     [{ id => $child, type => 'COMPANY' }]],
) {
    my ($row, $objects) = @$case;
    my $text = $t->key(company => $company, description => $description,
                       cipher_fingerprint => 'sha256:0123456789abcdef',
                       whitelist => '{127.0.0.0/8,::1}',
                       expires_at => '2100-01-02T03:04:05.678901Z',
                       rate_per_minute => 90, burst => 9, %$row);
    is_answer(current($text), 200, {
        burst => 9, enabled => true, prefix => substr($text, 0, 6),
        expiresAt => '2100-01-02T03:04:05.678901Z', ratePerMinute => 90,
        cipherKey => 'sha256:0123456789abcdef', description => $description,
        id => $t->key_id($text), lastUsed => undef,
        objects => sub { to_json([sort { to_json($a) cmp to_json($b) }
                                  @{ $_[0] }]) eq to_json($objects) },
        scope => $row->{scope}, whitelist => ['127.0.0.0/8', '::1'],
    }, "scope $row->{scope} with " . @$objects . ' objects');
}

# Where the key may stand.
sub with_header { return $t->http(GET => '/v3/keys/current',
                                  headers => { @_ })->status }

is(with_header(Authorization => "Bearer $bare"), 200, 'Authorization');
is(with_header(authorization => "bearer $bare"), 200, 'in any case');
is(with_header(Authorization => "BEARER   $bare"), 200, 'and any space');
is(with_header(Authentication => "Bearer $bare"), 200,
   "the document's Authentication");
my $shown = $t->key(company => $company, scope => 'COMPANY');
is($t->http(GET => "/v3/keys/current?key=$shown&access_token=$shown")->status,
   401, 'never in the query');

# What is no key.
my %none = (message => 'Unauthorized: no API key');
my %unknown = (message => 'Unauthorized: unknown API key');
my $random = $t->random_text(40);
for my $case (
    ['no header', {}, \%none],
    ['another scheme', { Authorization => "Basic $bare" }, \%none],
    ['no scheme', { Authorization => $bare }, \%none],
    ['a scheme only', { Authorization => 'Bearer' }, \%none],
    ['no key', { Authorization => 'Bearer ' }, \%none],
    ['an unknown key', { Authorization => "Bearer $random" }, \%unknown],
    ['an unknown key again', { Authorization => "Bearer $random" }, \%unknown],
    ['39 characters', { Authorization => 'Bearer ' . substr $bare, 1 },
     \%unknown],
    ['41 characters', { Authorization => "Bearer ${bare}x" }, \%unknown],
    ['the wrong case', { Authorization => 'Bearer ' . ($bare ^ (' ' x 40))
                                                       =~ tr/\0-\x19//dr },
     \%unknown],
    ['two keys', { Authorization => "Bearer $bare, Bearer $bare" }, \%unknown],
    ['a wrong key before a right one',
     { Authorization => "Bearer $random", Authentication => "Bearer $bare" },
     \%unknown],
) {
    my ($name, $headers, $more) = @$case;
    my $r = $t->http(GET => '/v3/keys/current', headers => $headers);
    is_refused($r, 401, 1001, $more, $name);
    is($r->header('www-authenticate'), 'Bearer', "$name: WWW-Authenticate");
}

# Keys that are known and not in force.
for my $case (
    ['disabled', { enabled => 'f' }, 'Unauthorized: the API key is disabled'],
    ['revoked', { revoked_at => '2020-01-01' },
     'Unauthorized: the API key is disabled'],
    ['expired', { expires_at => '2020-01-01' },
     'Unauthorized: the API key has expired'],
) {
    my ($name, $row, $message) = @$case;
    my $text = $t->key(company => $company, scope => 'COMPANY', %$row);
    for my $time (1, 2) {
        is_refused(current($text), 401, 1001, { message => $message },
                   "$name, asked $time times");
    }
}
is(current($t->key(company => $company, scope => 'COMPANY',
                   expires_at => '2100-01-01'))->status, 200,
   'not yet expired');

# A blocked company, and an assistant that is switched off, are refused as
# what they are.
my $blocked = $t->company(status => 'BLOCKED');
is_refused(current($t->key(company => $blocked, scope => 'COMPANY')),
           403, 1002, { message => 'Access denied: the company is blocked' },
           'a blocked company');
my $off = $t->assistant(company => $company, enabled => 'f');
is_refused(current($t->key(company => $company, scope => 'ASSISTANT',
                           assistant => $off)),
           403, 1002, { message => 'Access denied: the assistant is disabled' },
           'a disabled assistant');

# Nothing of a key is in the logs.
ok($t->error_log . $t->access_log !~ /\Q$bare\E|\Q$key\E|\Q$random\E/,
   'no key in a log');

done_testing;

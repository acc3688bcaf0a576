# Webhooks of a channel: the document's examples, whole answers, what is refused
# and why, what is kept and shown of secrets, what the audit log is told.
# sanitizers

use EZW;
use EZW::Statements;
use Digest::SHA qw(sha256 sha256_hex);
use MIME::Base64 qw(decode_base64 encode_base64);

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $second = $t->channel(company => $company);
my $assistant = $t->assistant(company => $company);
my $off = $t->assistant(company => $company, enabled => 'f');
my %key = (
    CHANNEL => $t->key(company => $company, scope => 'CHANNEL',
                       channels => [$channel]),
    ASSISTANT => $t->key(company => $company, scope => 'ASSISTANT'),
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
    OWNER => $t->key(company => $company, scope => 'OWNER'),
);
my $stranger = $t->company;
my $foreign = $t->channel(company => $stranger);
my $foreign_key = $t->key(company => $stranger, scope => 'OWNER');
my $strange_assistant = $t->assistant(company => $stranger);

my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my $secret = qr/^whsec_[A-Za-z0-9]{40}$/;
my $MASK = "\x{2022}" x 4;
my @EVENTS = qw(custom echo handover label message note postback receipt
                template_pack typing);

sub path { return join '/', "/v3/channels/$_[0]/webhooks", @_[1 .. $#_] }
sub ask {
    my ($method, $path, %o) = @_;
    return $t->http($method => $path, key => $key{COMPANY}, %o);
}
sub create {
    my ($json, %o) = @_;
    return ask(POST => path(delete $o{channel} // $channel), json => $json,
               %o);
}
sub change {
    my ($id, $json, %o) = @_;
    return ask(PATCH => path(delete $o{channel} // $channel, $id),
               json => $json, %o);
}
sub list { return ask(GET => path($channel), @_) }
sub remove { my ($id, %o) = @_; return ask(DELETE => path($channel, $id), %o) }
sub clear { $t->sql('delete from ezw.webhook'); return }

# Everything but what the use of a key leaves: its time.
sub tables {
    my $tables = $t->snapshot('api_key');
    $tables->{api_key} = [map { $_->[0] } $t->sql(
        q{select (to_jsonb(k) - 'last_used')::text from ezw.api_key k
           order by 1})];
    return $tables;
}

# Audit rows of webhooks, oldest first; those that came since the last call.
my $audited = 0;
sub audit {
    my @rows = map { [@$_] } $t->sql(q{
        select g.event_type, g.actor_id, g.target_id, g.address, g.trace,
               g.data::text
          from ezw.audit_log g
         where g.company = ? and g.target_type = 'webhook'
         order by g.created_at, g.id}, $company);
    $_->[5] = from_json($_->[5]) for @rows;
    my @new = @rows[$audited .. $#rows];
    $audited = @rows;
    return \@new;
}
sub audit_row {
    my ($event, $r, $id, %data) = @_;
    return ["webhook.$event", $t->key_id($key{COMPANY}) . '@key.eazy.im', $id,
            '127.0.0.1', $r->header('x-trace-id'),
            { channel => $channel, host => 'your.company.com',
              events => ['message'], enabled => true, %data }];
}


# The document's own examples ------------------------------------------------

my %first = (
    assistant => undef, cipherKey => undef, createdAt => $time,
    enabled => true, events => ['message'], headers => undef, id => $uuid,
    updatedAt => undef, url => 'https://your.company.com/webhook',
);
my $r = create({ events => ['message'],
                 url => 'https://your.company.com/webhook' },
               key => $key{CHANNEL});
is_answer($r, 201, { %first, secret => $secret }, "the document's POST");
is($r->header('cache-control'), 'no-store', 'for no cache');
is($r->body, to_json($r->json), 'compact, and names in their order');
my $whsec = $r->json->{secret};
%first = (%first, map { $_ => $r->json->{$_} } qw(id createdAt));

my %receipt = (%first, id => $uuid, createdAt => $time, events => ['receipt'],
               headers => { Authorization => 'Bearer SomeApiKey' },
               url => 'https://your.company.com/webhook-receipt');
$r = create({ events => ['receipt'], headers => $receipt{headers},
              url => $receipt{url} });
is_answer($r, 201, { %receipt, secret => $secret }, 'a second one');
isnt($r->json->{secret}, $whsec, 'its secret is another');
%receipt = (%receipt, map { $_ => $r->json->{$_} } qw(id createdAt));
audit();

$r = list();
is_answer($r, 200, [\%first, \%receipt], "the document's GET");
is($r->body, to_json($r->json), 'compact, and names in their order');
is($r->header('cache-control'), undef, 'which has no secret');

$r = change($first{id}, { url => 'https://your.company.com/new-webhook' });
%first = (%first, url => 'https://your.company.com/new-webhook',
          updatedAt => $time);
is_answer($r, 200, \%first, "the document's PATCH");
$first{updatedAt} = $r->json->{updatedAt};
cmp_ok($first{updatedAt}, 'gt', $first{createdAt}, 'it is later');
is_answer(list(), 200, [\%first, \%receipt], 'it is so');
is_deeply(audit(), [audit_row(updated => $r, $first{id})], 'the audit log');

$r = remove($first{id});
is_answer($r, 204, undef, "the document's DELETE");
is_answer(list(), 200, [\%receipt], 'it is gone');
is_deeply(audit(), [audit_row(deleted => $r, $first{id})], 'the audit log');
is_refused(remove($first{id}), 404, 1009, { message => 'Not found' },
           'it is gone for good');
is_refused(change($first{id}, {}), 404, 1009, { message => 'Not found' },
           'nor can it be changed');
remove($receipt{id});
is_answer(list(), 200, [], 'none');


# Making ---------------------------------------------------------------------

# With everything; read-only and unknown names; events each once.
my $plain = join '', map { chr 255 - $_ } 1 .. 32;
my $cipher = encode_base64($plain, '');
my $fingerprint = 'sha256:' . substr sha256_hex($plain), 0, 16;
my %headers = (Authorization => 'Bearer x', 'X-a' => '"1" \\');
my %full = (
    assistant => $assistant, cipherKey => $fingerprint, createdAt => $time,
    enabled => false, events => [@EVENTS[4, 0 .. 3, 5 .. 9]],
    headers => \%headers, id => $uuid, updatedAt => undef,
    url => 'https://Your.Company.com:8443/a/%C3%A9?b=c&d',
);
audit();
$r = create({
    %full, events => [$EVENTS[4], @EVENTS, @EVENTS], cipherKey => $cipher,
    id => 'x', createdAt => 1, updatedAt => 'y', secret => 'mine',
    name => 'whatever', channel => $foreign,
});
is_answer($r, 201, { %full, secret => $secret }, 'a webhook with everything');
my $full = $r->json->{id};
my $full_secret = $r->json->{secret};
is_deeply(audit(), [audit_row(created => $r, $full, events => $full{events},
                              host => 'your.company.com:8443',
                              enabled => false)], 'the audit log');
%full = (%full, id => $full, createdAt => $r->json->{createdAt});
is_answer(list(), 200, [\%full], 'as it is listed');
like(list()->body, qr/"headers":\{"(Authorization":"Bearer x","X-a|X-a":"\\"1\\" \\\\","Authorization)"/,
     'headers as they were written');

# What signs and what encrypts is in no table and no log in a form that can be
# read; what is kept of the secret is what its text stands for.
my $signs = decode_base64(substr $full_secret, 6);
is(length $signs, 30, 'a secret is base64 of 30 bytes');
my $everything = to_json($t->snapshot);
for my $form ($cipher =~ s/=+$//r, unpack('H*', $plain), $full_secret,
              substr($full_secret, 6), unpack('H*', $signs))
{
    ok(index($everything, $form) < 0, 'in no table: ' . substr $form, 0, 6);
}
my $ring = decode_base64(slurp(EZW::seal_key()));
sub opened {
    my ($column, $id) = @_;
    my $sealed = pack 'H*', $t->value(
        "select encode($column, 'hex') from ezw.webhook where id = ?", $id);
    my ($version, $name, $nonce, $text) = unpack 'a1 a8 a12 a*', $sealed;
    return 'by another key' if $name ne substr sha256($ring), 0, 8;
    EZW::write_file("$t->{dir}/sealed", substr $text, 0, -16);
    open my $openssl, '-|', 'openssl', 'enc', '-d', '-aes-256-ctr',
        '-K', unpack('H*', $ring), '-iv', unpack('H*', $nonce) . '00000002',
        '-in', "$t->{dir}/sealed" or die "openssl enc: $!";
    my $bytes = do { local $/; <$openssl> };
    close $openssl or die "openssl enc failed\n";
    return $bytes;
}
is(opened(secret => $full), $signs, 'the secret is sealed');
is(opened(cipher_key => $full), $plain, 'the cipher key is sealed');
ok(index($t->error_log . $t->access_log . $t->database_log,
         substr $full_secret, 6) < 0, 'nor is it in a log');

# Each event by itself; empty headers in all their forms; null and absent.
clear();
for my $event (@EVENTS) {
    my $r = create({ url => 'https://example.com', events => [$event] });
    is_json($r->json->{events}, [$event], "the event $event");
    clear();
}
for my $headers ({}, [], undef) {
    my $r = create({ url => 'https://example.com', events => ['typing'],
                     headers => $headers, assistant => undef,
                     cipherKey => undef });
    is_answer($r, 201, { %first, id => $uuid, createdAt => $time,
                         updatedAt => undef, events => ['typing'],
                         url => 'https://example.com', secret => $secret },
              'empty headers: ' . to_json($headers));
}
is($t->value('select count(headers) from ezw.webhook'), 0, 'are kept as none');
is(create({ url => 'https://example.com', events => ['echo'],
            assistant => $off })->json->{assistant}, $off,
   "a disabled assistant's");
clear();

# The cipher key of the API key that makes it is its own, unless it says so.
my $of_key = 'thirty-two bytes of an API key!!';
my $cipher_key = $t->http(POST => '/v3/keys', key => $key{OWNER}, json => {
    scope => 'COMPANY', cipherKey => encode_base64($of_key, '') })->json->{key};
my %hook = (url => 'https://example.com', events => ['message']);
$r = create(\%hook, key => $cipher_key);
is($r->json->{cipherKey}, 'sha256:' . substr(sha256_hex($of_key), 0, 16),
   "an API key's cipher key");
is(opened(cipher_key => $r->json->{id}), $of_key, 'is sealed anew for it');
is(create({ %hook, cipherKey => undef }, key => $cipher_key)
       ->json->{cipherKey}, undef, 'unless it is to have none');
is(create({ %hook, cipherKey => $cipher }, key => $cipher_key)
       ->json->{cipherKey}, $fingerprint, 'or another one');
is(create(\%hook)->json->{cipherKey}, undef, 'of a key without one');
my $boss = $t->company;
my $child = $t->company(parent => $boss);
my $of_child = $t->channel(company => $child);
my $of_boss = $t->key(company => $boss, scope => 'OWNER');
my $boss_key = $t->http(POST => '/v3/keys', key => $of_boss, json => {
    scope => 'OWNER', cipherKey => encode_base64($of_key, '') })->json->{key};
$r = create(\%hook, channel => $of_child, key => $boss_key);
is($r->json->{cipherKey}, 'sha256:' . substr(sha256_hex($of_key), 0, 16),
   "a parent's cipher key, for a child's webhook");
is(opened(cipher_key => $r->json->{id}), $of_key, 'as well');
$t->sql(q{update ezw.api_key set cipher_key = set_byte(cipher_key, 60,
             get_byte(cipher_key, 60) # 1) where hash = decode(?, 'hex')},
        sha256_hex($cipher_key));
my $before = tables();
is_refused(create(\%hook, key => $cipher_key), 501, 1003, { message =>
    'The cipherKey of the API key is sealed by a key that the deployment does '
    . 'not have any more' }, 'one that cannot be opened');
is_deeply(tables(), $before, 'makes nothing');
clear();


# Refusals -------------------------------------------------------------------

$before = tables();
my $called = 'url is no URL that may be called: ';
my $one_of = 'must be one of ' . join ', ', @EVENTS;
my @refused = (
    [url => undef, 'url must not be null'],
    [url => 1, 'url must be a string'],
    [url => '', "${called}it is empty"],
    [url => 'http://example.com/', "${called}it does not begin with https://"],
    [url => 'https://me:pw@example.com/', "${called}it names a user"],
    [url => 'https://10.1.2.3/', "${called}its host is a private address"],
    [url => 'https://localhost/',
     "${called}its host is a name of a local network"],
    [url => 'https://example.com/#', "${called}it has a fragment"],
    [url => 'https://example.com/' . 'a' x 2029, "${called}it is too long"],
    [events => undef, 'events must not be null'],
    [events => 'message', 'events must be an array of strings'],
    [events => [], 'events has too few elements: at least 1'],
    [events => ['message', 'mesage'], "events[1] $one_of", 'events[1]'],
    [events => ['Message'], "events[0] $one_of", 'events[0]'],
    [events => [undef], 'events[0] must be a string', 'events[0]'],
    [events => [('message') x 101],
     'events has too many elements: at most 100'],
    [headers => 'a: b', 'headers must be an object'],
    [headers => [1], 'headers must be an object'],
    [headers => { map { ("X-$_" => 'x') } 1 .. 21 },
     'headers has too many names: at most 20'],
    [headers => { Host => 'x' }, 'headers.Host is not for the caller to set',
     'headers.Host'],
    [headers => { 'content-type' => 'x' },
     'headers.content-type is not for the caller to set',
     'headers.content-type'],
    [headers => { 'Webhook-Id' => 'x' },
     'headers.Webhook-Id is not for the caller to set', 'headers.Webhook-Id'],
    [headers => { 'a b' => 'x' }, 'headers.a b is no name of a header',
     'headers.a b'],
    [headers => { a => "x\r\ny: z" },
     'headers.a must be visible ASCII, with blanks inside only', 'headers.a'],
    [headers => { a => undef }, 'headers.a must be a string', 'headers.a'],
    [headers => { a => 'x' x 1025 },
     'headers.a must have 1 to 1024 characters', 'headers.a'],
    [enabled => 'true', 'enabled must be a boolean'],
    [enabled => undef, 'enabled must not be null'],
);
my @only_new = (
    [headers => { a => $MASK },
     'headers.a must be visible ASCII, with blanks inside only', 'headers.a'],
    [assistant => '1563451622499@ai.eazy.im', 'assistant does not exist'],
    [assistant => $strange_assistant, 'assistant does not exist'],
    [assistant => '1580486175684@label.eazy.im', 'assistant does not exist'],
    [assistant => $channel, 'Jid is invalid'],
    [assistant => 'Bot', 'Jid is invalid'],
    [cipherKey => $fingerprint,
     'cipherKey is not base64 of 32 bytes'],
    [cipherKey => encode_base64('x' x 31, ''),
     'cipherKey is not base64 of 32 bytes'],
);
for my $case (@refused, @only_new) {
    my ($field, $value, $message, $culprit) = @$case;
    is_refused(create({ %hook, $field => $value }), 400, 1005,
               { message => $message, field => $culprit // $field },
               'refused: ' . substr to_json({ $field => $value }), 0, 50);
}
for my $field (qw(url events)) {
    my %less = %hook;
    delete $less{$field};
    is_refused(create(\%less), 400, 1005,
               { message => "$field is required", field => $field },
               "no $field");
}
my @strict = (headers => { Prefer => 'handling=strict' });
is_refused(create({ %hook, name => 'x' }, @strict), 400, 1005,
           { message => 'Unknown field: name', field => 'name' }, 'strict');
is_deeply(tables(), $before, 'nothing was written');

# Ten of a channel; the eleventh waits for one to go.
my @ten = map {
    create({ %hook, url => "https://example.com/$_" })->json->{id} } 1 .. 10;
$before = tables();
my %full_up = (field => 'channelJid', message =>
               'The channel has 10 webhooks, which is all that it may have');
is_refused(create(\%hook), 400, 1005, \%full_up, 'an eleventh');
is_deeply(tables(), $before, 'nothing was written');
is(create(\%hook, channel => $second)->status, 201, "another channel's");
is(scalar(@{ ask(GET => path($second))->json }), 1, 'has its own');
my @once = (headers => { 'Idempotency-Key' => 'eleventh' });
is_refused(create(\%hook, @once), 400, 1005, \%full_up, 'with a key');
remove($ten[3]);
my $made = create(\%hook, @once);
is($made->status, 201, 'is made when there is room');


# Once, with a key: the secret is shown once ---------------------------------

my $again = create(\%hook, @once);
is_answer($again, 201, { %{ $made->json }, secret => undef },
          'again: the same webhook, without its secret');
is($again->header('idempotency-replayed'), 'true', 'it says so');
is($t->value('select count(*) from ezw.webhook w join ezw.channel h
                on h.id = w.channel where h.jid = ?', $channel), 10,
   'and is made once');
ok(index(to_json($t->snapshot), substr $made->json->{secret}, 6) < 0,
   'the secret is kept nowhere');


# The list -------------------------------------------------------------------

my @ids = map { $_->{id} } @{ list()->json };
is_deeply(\@ids, [@ten[0 .. 2, 4 .. 9], $made->json->{id}], 'by creation');
my @seen;
my $next = path($channel) . '?limit=3';
while (defined $next) {
    my $r = ask(GET => $next);
    is($r->status, 200, 'a page');
    push @seen, map { $_->{id} } @{ $r->json };
    my $cursor = $r->header('x-next-cursor');
    $next = defined $cursor ? path($channel) . "?limit=3&cursor=$cursor"
        : undef;
}
is_deeply(\@seen, \@ids, 'page by page');
is(list(headers => { Prefer => 'count=exact' })->header('x-total-count'), 10,
   'how many');


# Changing -------------------------------------------------------------------

clear();
$r = create({ %hook, headers => \%headers, assistant => $assistant,
              cipherKey => $cipher });
my $id = $r->json->{id};
my %now = %{ $r->json };
delete $now{secret};
my $kept = $t->value(q{select row(secret, cipher_key, created_at)::text
                         from ezw.webhook});
$now{updatedAt} = $time;
for my $case (
    [url => 'https://example.com/x', 'https://Example.com/x'],
    [events => ['echo', 'message'], ['message', 'echo'], ['note']],
    [headers => { b => '1' }, { b => '1', a => '2' }, { B => '1' }],
    [enabled => false, true],
) {
    my ($field, @values) = @$case;
    for my $value (@values) {
        $now{$field} = $value;
        audit();
        my $r = change($id, { $field => $value });
        is_answer($r, 200, \%now, "$field: " . to_json($value));
        is_json(list()->json->[0], { %now, updatedAt => $r->json->{updatedAt} },
                'as it is listed');
        is(@{ audit() }, 1, 'one row in the audit log');
    }
}
for my $headers (undef, {}, []) {
    change($id, { headers => { x => 'y' } });
    is(change($id, { headers => $headers })->json->{headers}, undef,
       'no headers: ' . to_json($headers));
}
$now{headers} = undef;
is($t->value(q{select row(secret, cipher_key, created_at)::text
                 from ezw.webhook}), $kept, 'nothing else has changed');

# What stays as it is writes nothing; what was read may be sent back; what is
# read only is not written.
%now = %{ list()->json->[0] };
$before = tables();
for my $json ({}, { %now }, { enabled => true }, { url => $now{url} },
              { events => ['note', 'note'] },
              { %now, assistant => undef, cipherKey => undef, id => 'x',
                createdAt => undef, secret => 'x', name => 'y' })
{
    is_answer(change(uc $id, $json), 200, \%now, 'unchanged');
}
is_answer(change($id, \%now, @strict), 200, \%now,
          'strict takes what was read');
is_deeply(tables(), $before, 'nothing is written');

for my $case (@refused) {
    my ($field, $value, $message, $culprit) = @$case;
    is_refused(change($id, { enabled => false, $field => $value }), 400, 1005,
               { message => $message, field => $culprit // $field },
               'no change: ' . substr to_json({ $field => $value }), 0, 50);
}
is_deeply(tables(), $before, 'nothing is written');


# What is shown of headers ---------------------------------------------------

# As they are to a company's key and an owner's, names only to the others.
change($id, { headers => { 'X-One' => 'first', 'X-Two' => 'second',
                           Authorization => 'Bearer x' } });
my %all = (%now, updatedAt => $time,
           headers => { 'X-One' => 'first', 'X-Two' => 'second',
                        Authorization => 'Bearer x' });
my %masked = (%all, headers => { map { $_ => $MASK }
                                 qw(X-One X-Two Authorization) });
is_answer(list(key => $key{$_}), 200, [\%all], "$_ reads them")
    for qw(COMPANY OWNER);
is_answer(list(key => $key{$_}), 200, [\%masked], "$_ reads their names")
    for qw(CHANNEL ASSISTANT);
$r = create({ %hook, headers => { a => 'b' } }, key => $key{CHANNEL});
is_json($r->json->{headers}, { a => $MASK }, 'of a new one as well');
remove($r->json->{id});

# Sent back, a mask is the value that there was.
sub values_of {
    return from_json($t->value('select headers::text from ezw.webhook
                                 where id = ?', $id));
}
my ($read) = @{ list(key => $key{CHANNEL})->json };
$before = tables();
is_answer(change($id, $read, key => $key{CHANNEL}), 200, \%masked,
          'what was read, sent back');
is_deeply(tables(), $before, 'writes nothing');
$r = change($id, { %$read, headers => { 'x-two' => $MASK, 'X-New' => 'third',
                                        'X-One' => $MASK } },
            key => $key{CHANNEL});
is_json($r->json->{headers},
        { 'x-two' => $MASK, 'X-New' => $MASK, 'X-One' => $MASK },
        'edited and sent back');
is_deeply(values_of(), { 'x-two' => 'second', 'X-New' => 'third',
                         'X-One' => 'first' }, 'which keeps what was masked');
$before = tables();
my %no_value = (message => 'headers masks the value of a name that has none',
                field => 'headers');
is_refused(change($id, { headers => { 'X-One' => $MASK, 'X-Other' => $MASK } },
                  key => $key{$_}), 400, 1005, \%no_value,
           "$_ masks what is not there") for qw(CHANNEL COMPANY);
change($id, { headers => undef });
is_refused(change($id, { headers => { 'X-One' => $MASK } }), 400, 1005,
           \%no_value, 'nor when there are none');


# Tenancy --------------------------------------------------------------------

# Another channel's, another company's and nobody's are one answer.
my $theirs = $t->http(POST => path($foreign), key => $foreign_key,
                      json => \%hook)->json->{id};
my $elsewhere = create(\%hook, channel => $second)->json->{id};
$before = tables();
my %shown;
for my $what ($theirs, $elsewhere, $t->uuid, 'nothing', "$id-") {
    for my $r (change($what, { enabled => false }), remove($what),
               ask(PATCH => path($channel, $what), json => { headers =>
                   { a => $MASK } }))
    {
        is_refused($r, 404, 1009, { message => 'Not found' },
                   "not found: $what");
    }
}
is_refused(ask(GET => path($foreign)), 404, 1009, { message => 'Not found' },
           "a stranger's channel has no list");
is_refused(create(\%hook, channel => $foreign), 404, 1009,
           { message => 'Not found' }, 'and gets no webhook');
is_deeply(tables(), $before, 'nothing was written');
is_answer($t->http(GET => path($foreign), key => $foreign_key), 200,
          [{ %now, %hook, id => $theirs, headers => undef, assistant => undef,
             cipherKey => undef, createdAt => $time, updatedAt => undef,
             enabled => true }], 'the stranger has his own');

# Several at once for the last place: one of them gets it, also on two
# connections, of which one waits for the other.
clear();
create(\%hook) for 1 .. 9;
my @answers = $t->parallel(map {
    [POST => path($channel), key => $key{COMPANY}, json => \%hook]
} 1 .. 6);
is_deeply([sort map { $_->status } @answers], [201, (400) x 5],
          'the last place is given once');

remove(list()->json->[0]{id});
my $statements = EZW::Statements->new($t, company => $company);
sub place {
    my ($dbh, $async) = @_;
    return $statements->start($dbh, $async, 'webhook_create', map {
        my $name = $_;
        ($name => { 'path.channelJid' => $channel,
                    'body.url' => 'https://example.com/',
                    'body.events' => '["note"]',
                    'secret.secret.sealed' => '00',
                    'key.scope' => 'OWNER' }->{$name}
             // ($name =~ /^id\./ ? $statements->id : undef));
    } grep { $_ ne 'company' } $statements->params('webhook_create'));
}
my ($one, $two) = map { $statements->connect } 1, 2;
$two->do('set lock_timeout = 0');
$one->begin_work;
my $taking = place($one, 0);
is($taking->fetchrow_hashref->{refusal}, undef, 'a place is taken');
$taking->finish;
my $waiting = place($two, 1);
wait_for(sub {
    return $two->pg_ready || $t->value(
        q{select count(*) from pg_stat_activity
           where pid = ? and wait_event_type = 'Lock'}, $two->{pg_pid});
}, 60, 'the other one waits');
ok(!$two->pg_ready, 'which is not given to another meanwhile');
$one->commit;
$two->pg_result;
is($waiting->fetchrow_hashref->{refusal}, 'webhooks_full', 'nor then');
$waiting->finish;
$_->disconnect for $one, $two;

done_testing;

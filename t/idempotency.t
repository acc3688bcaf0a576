# A POST with an idempotency key is done once: sent again it gets the first
# answer again, and nothing is done.

use EZW;

my $t = EZW->start(start => 0, http => 'ezw_courier off;',
                   server => <<'CONFIG');
location /elsewhere/ {
    rewrite ^/elsewhere/(.*) /v3/$1 last;
}
location /static/ {
    root /nonexistent;
    error_page 404 405 = @api;
}
location @api {
    rewrite ^/static/(.*) /v3/$1 break;
    ezw_api v3;
}
CONFIG
$t->launch;

my $demo = $t->demo;
my $channel = $demo->{channel};
my $other_channel = $t->channel(company => $demo->{company});
my $key = $demo->{key}{COMPANY};
my $owner = $demo->{key}{OWNER};
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my $uuid = qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
my $message_id = qr/^[0-9a-f]{40}$/;
my $n = 0;

sub fresh { return $t->contact_jid }
sub token { return 'key-' . ++$n . '-' . $t->random_text(8) }
sub contacts { return '/v3/channels/' . ($_[0] // $channel) . '/contacts' }
sub messages {
    my ($contact, $of) = @_;
    return '/v3/channels/' . ($of // $channel) . "/messages/$contact";
}

# What a message is; with a text of its own.
sub text { return { type => 'text', body => $_[0] // 'Hello' } }

# A POST with an idempotency key. Options: as => API key (COMPANY), node =>
# another nginx, body => the bytes instead of JSON.
sub post {
    my ($path, $json, $token, %o) = @_;
    my $node = delete $o{node} // $t;
    utf8::encode($o{body}) if exists $o{body};
    return $node->http(POST => $path, key => delete $o{as} // $key,
        headers => [defined $token ? ('Idempotency-Key' => $token) : (),
                    'Content-Type' => 'application/json'],
        exists $o{body} ? %o : (json => $json, %o));
}

sub is_new {
    my ($r, $status, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is("$r->{status} " . ($r->header('idempotency-replayed') // 'new'),
              "$status new", $name) || diag $r->as_text;
}

# The same bytes again, and that it says so.
sub is_replay {
    my ($r, $first, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my %got = (status => $r->status, body => $r->body,
               type => $r->header('content-type'),
               replayed => $r->header('idempotency-replayed'));
    my %want = (status => $first->status, body => $first->body,
                type => $first->header('content-type'), replayed => 'true');
    return is_deeply(\%got, \%want, $name) || diag $r->as_text;
}

# A refusal again; its traceId is its own.
sub is_refused_again {
    my ($r, $status, $code, $more, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_refused($r, $status, $code, $more, $name);
    return is($r->header('idempotency-replayed'), 'true', "$name: replayed");
}

# All that is stored. Only the time of a key's last use may change meanwhile.
sub tables {
    my $tables = $t->snapshot('api_key');
    $tables->{api_key} = [$t->value('select count(*) from ezw.api_key')];
    return $tables;
}

sub kept {
    return $t->value('select count(*) from ezw.idempotency where key = ?',
                     $_[0]);
}

# Sends it again and again; the first answer each time, and nothing is done.
# SAME makes the bytes of the first answer those of a replay.
sub done_once {
    my ($name, $path, $json, %o) = @_;

    my $same = delete $o{same};
    my $token = delete $o{token} // token();
    my $first = post($path, $json, $token, %o);
    is_new($first, 201, $name);
    is(kept($token), 1, "$name: is kept");
    my $want = bless { %$first }, ref $first;
    $want->{body} = $same->($first->body) if $same;
    my $before = tables();
    is_replay(post($path, $json, $token, %o), $want, "$name: again")
        for 1 .. 2;
    is_deeply(tables(), $before, "$name: nothing is done");
    return $first;
}


# Every POST that there is.

my $jid = fresh();
my ($phone) = $jid =~ /^(\d+)/;
is_answer(done_once('a contact', contacts(), { jid => $jid }), 201, {
    jid => $jid, metadata => [], notes => [], phoneNumber => 0 + $phone,
    name => { firstName => undef, fullName => undef, lastName => undef },
    reference => undef, remarks => undef, type => 'INDIVIDUAL',
}, 'a contact of which nothing is known');

# metadata is kept as it was sent, in its own order
$jid = fresh();
my $metadata = '{"z":1,"a":"\"\\\\\/\u0001\u00e9\ud83d\ude00 \u2028","m":true,'
    . '"d":-0.125,"big":9007199254740993,"e":"","f":false,"t":"true","n":"1",'
    . '"o":"{\"a\": 1}"}';
my $full = done_once('a whole contact', contacts(), undef, body =>
    qq({"jid":"$jid","name":"Jürgen  van der Meer","remarks":"a\\nb \\"c\\"",)
    . qq("reference":"€ 5","metadata":$metadata}));
($phone) = $jid =~ /^(\d+)/;
is_answer($full, 201, {
    jid => $jid, notes => [], phoneNumber => 0 + $phone,
    metadata => { z => 1, a => "\"\\/\x01\x{e9}\x{1F600} \x{2028}", m => true,
                  d => -0.125, big => 9007199254740993, e => '', f => false,
                  t => 'true', n => '1', o => '{"a": 1}' },
    name => { firstName => 'Jürgen', fullName => 'Jürgen  van der Meer',
              lastName => 'van der Meer' },
    reference => '€ 5', remarks => "a\nb \"c\"", type => 'INDIVIDUAL',
}, 'a contact of which all is known');
is_deeply([$full->body =~ /[{,]"(z|a|m|d|big|e|f|t|n|o)":/g],
          [qw(z a m d big e f t n o)], 'its metadata in its order');
is($t->http(GET => contacts() . "/$jid", key => $key)->body, $full->body,
   'as GET has it');

# a channel without telephone numbers
my $viber = $t->channel(company => $demo->{company},
                        jid => 'abc/+de==@viber.eazy.im');
my $nobody = done_once('a contact without a number',
                       contacts('abc%2F+de==@viber.eazy.im'),
                       { jid => 'Xy/z+1@viber.eazy.im' });
is($nobody->json->{phoneNumber}, undef, 'which is null');

my $contact = fresh();
my $sent = done_once('a message', messages($contact), text());
is_answer($sent, 201, { id => $message_id }, 'a message: its id');
is($t->value(q{select count(*) from ezw.message where id = ?},
             { hex => $sent->json->{id} }), 1, 'it is there');
is($t->value('select messages_sent from ezw.conversation where contact_jid = ?',
             $contact), 1, 'and alone');

# A new key is shown once; neither it nor its hash is with the answer.
my $secret = sub { return $_[0] =~ s/"key":"[A-Za-z0-9]{40}"/"key":null/r };
my $made = done_once('a key', '/v3/keys', {
    scope => 'CHANNEL', description => "Wärehouse \"1\"",
    objects => [{ jid => $channel, type => 'CHANNEL' },
                { jid => $other_channel, type => 'CHANNEL' }],
    whitelist => ['127.0.0.0/8', '2001:db8::/32', '::1'],
    expiresAt => '2100-02-28T23:59:59.123456Z', ratePerMinute => 600000,
    burst => 1000, enabled => true,
    cipherKey => 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=',
}, as => $owner, same => $secret, token => 'the-key');
is_answer($made, 201, {
    burst => 1000,
    # echo -n AAEC…8= | base64 -d | sha256sum
    cipherKey => 'sha256:630dcd2966c43366',
    description => "Wärehouse \"1\"", enabled => true,
    expiresAt => '2100-02-28T23:59:59.123456Z', id => $uuid,
    key => qr/^[A-Za-z0-9]{40}$/, lastUsed => undef,
    objects => sub {
        to_json([sort { $a->{jid} cmp $b->{jid} } @{ $_[0] }]) eq to_json(
            [map { { jid => $_, type => 'CHANNEL' } }
             sort $channel, $other_channel])
    },
    prefix => qr/^[A-Za-z0-9]{6}$/, ratePerMinute => 600000,
    scope => 'CHANNEL', whitelist => ['127.0.0.0/8', '2001:db8::/32', '::1'],
}, 'a key with all that a key can have');
my $new_key = $made->json->{key};
is(substr($new_key, 0, 6), $made->json->{prefix}, 'its prefix');
is($t->http(GET => '/v3/keys/current', key => $new_key)->json->{id},
   $made->json->{id}, 'it is a key');
unlike($t->value('select i::text from ezw.idempotency i where key = ?',
                 'the-key'), qr/\Q$new_key\E/, 'it is not kept');
is($t->value(q{select count(*) from ezw.idempotency i, ezw.api_key k
                where i.key = 'the-key' and k.id = ?
                  and position(encode(k.hash, 'hex') in i::text) > 0},
             $made->json->{id}), 0, 'nor what it is known by');
is_answer(done_once('a key of nothing', '/v3/keys', { scope => 'COMPANY' },
                    as => $owner, same => $secret), 201, {
    burst => undef, cipherKey => undef, description => undef, enabled => true,
    expiresAt => undef, id => $uuid, key => qr/^[A-Za-z0-9]{40}$/,
    lastUsed => undef, objects => [], prefix => qr/^[A-Za-z0-9]{6}$/,
    ratePerMinute => undef, scope => 'COMPANY', whitelist => undef,
}, 'a key with nothing that a key can be without');
is(done_once('a key without addresses', '/v3/keys', {
    scope => 'COMPANY', whitelist => [], enabled => false,
    expiresAt => '1999-12-31T23:59:59Z',
}, as => $owner, same => $secret)->json->{expiresAt},
   '1999-12-31T23:59:59.000000Z', 'and of another century');


# Sign-up has its key in the body. A password is hashed when nothing else is
# to be done, which on a busy machine may be too late: 503, asked for again.

sub signup {
    my (%body) = @_;
    return wait_for(sub {
        my $r = $t->http(POST => '/api/signup/organization', timeout => 60,
                         json => {
            organizationName => 'Bäckerei "Süß"', ownerName => 'Ann Owner',
            email => 'ann@example.com', password => 'correct horse', %body });
        return $r->status != 503 && $r;
    }, 120, 'a sign-up');
}

sub is_workspace_refusal {
    my ($r, $status, $code, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $trace = $r->header('x-trace-id') // 'missing';
    return is_answer($r, $status, {
        error => { code => $code, message => qr/./, details => {} },
        traceId => qr/^\Q$trace\E$/,
    }, $name);
}

my $organization = signup(idempotencyKey => 'ann 1', lineSlots => 3);
is_new($organization, 201, 'a sign-up');
is_answer($organization, 201, {
    billing => { checkoutUrl => undef, state => 'pending' },
    lineSlots => { allocated => 3, used => 0 },
    organization => { id => $uuid, name => 'Bäckerei "Süß"',
                      status => 'pending_billing' },
    owner => { displayName => 'Ann Owner', email => 'ann@example.com',
               id => $uuid, role => 'owner' },
}, 'a sign-up: its answer');
my $before = tables();
is_replay(signup(idempotencyKey => 'ann 1', lineSlots => 3), $organization,
          'a sign-up again');
is_deeply(tables(), $before, 'a sign-up again: nothing is done');
is($t->value('select count(*) from ezw.app_user where email = ?',
             'ann@example.com'), 1, 'a sign-up: one user');
is_workspace_refusal(signup(idempotencyKey => 'ann 1', lineSlots => 4), 409,
                     'idempotency_key_reused', 'a sign-up with another body');
is_workspace_refusal(signup(), 409, 'duplicate', 'a sign-up without its key');
my $taken = signup(idempotencyKey => 'ann 2');
is_workspace_refusal($taken, 409, 'duplicate', 'the address is taken');
is($taken->header('idempotency-replayed'), undef, 'which is new');
$t->sql("update ezw.app_user set email = 'was.ann\@example.com'
          where email = 'ann\@example.com'");
$taken = signup(idempotencyKey => 'ann 2');
is_workspace_refusal($taken, 409, 'duplicate', 'and stays so for this key');
is($taken->header('idempotency-replayed'), 'true', 'which is replayed');
is_new(signup(idempotencyKey => 'ann 3'), 201, 'but not for another');
$t->sql("update ezw.app_user set email = 'again.ann\@example.com'
          where email = 'ann\@example.com'");
my $nowhere = signup(idempotencyKey => 'ann 4', timezone => 'Europe/Nowhere');
is($nowhere->status, 400, 'a timezone that there is not');
is_new(signup(idempotencyKey => 'ann 4', timezone => 'Europe/Amsterdam'), 201,
       'which is not kept');
for my $bad ("\x{e9}", "a\tb", '""') {
    my $r = signup(idempotencyKey => $bad);
    is($r->status, 400, "a sign-up's key that is none");
    like($r->json->{error}{code}, qr/^invalid_/, 'which is told');
}
for my $bad ('', 'k' x 256, 7) {
    my $r = signup(idempotencyKey => $bad);
    my $trace = $r->header('x-trace-id') // 'missing';
    is_answer($r, 400, {
        error => { code => qr/^invalid_/, message => qr/idempotencyKey/,
                   details => { field => 'idempotencyKey' } },
        traceId => qr/^\Q$trace\E$/,
    }, "a sign-up's key that breaks its rule");
}


# How the header may be written.

my %invalid = (message =>
               qr/idempotency key\b.*\b1 to 255 printable ASCII characters/i);
my $plain = token();
my $first = post(messages($contact), text(), $plain);
is_new($first, 201, 'a bare key');
is_replay(post(messages($contact), text(), qq("$plain")), $first,
          'the same key, quoted');
is_replay(post(messages($contact), text(), qq(  "$plain" )), $first,
          'with space around it');
is_replay($t->http(POST => messages($contact), key => $key, json => text(),
                   headers => { 'iDEMPOTENCY-kEY' => $plain }), $first,
          'a header in another case');
is_new(post(messages($contact), text(), uc $plain), 201,
       'a key in another case is another');
for my $good (
    'x', 'k' x 255, '"' . 'k' x 254 . '"', 'a b', join('', map { chr }
    0x20 .. 0x7e) . 'x', '%41', "it's", 'a,b;c=d', 'a"b',
) {
    my $first = post(messages($contact), text(), $good);
    is_new($first, 201, "a key: $good");
    is_replay(post(messages($contact), text(), $good), $first,
              "a key again: $good");
}
$before = tables();
for my $bad (
    '', '""', '"', '"abc', 'abc"', 'k' x 256, '"' . 'k' x 256 . '"',
    "a\tb", "a\x7f", "\xc3\xa9", "a\x01b",
) {
    is_refused(post(messages($contact), text(), $bad), 400, 1005, \%invalid,
               'no key: ' . ($bad =~ s/([^ -~])/sprintf '\x%02x', ord $1/ger));
}
is(post(messages($contact), text(), "\xff")->status, 400, 'not even UTF-8');
is_deeply(tables(), $before, 'nothing is done');


# For what a key stands.

my %reused = (message => qr/Idempotency-Key was used for another request/);
my $used = token();
my $to = fresh();
my $answered = post(messages($to), text('A'), $used);
is_new($answered, 201, 'a message');
$before = tables();
is_refused(post(messages($to), text('B'), $used), 422, 1005, \%reused,
           'another body');
is_refused(post(messages($to), undef, $used,
                body => '{"type": "text","body":"A"}'), 422, 1005, \%reused,
           'the same written otherwise');
is_refused(post(messages($contact), text('A'), $used), 422, 1005, \%reused,
           'another contact');
is_deeply(tables(), $before, 'nothing is done');
is_replay(post(messages($to), text('A'), $used), $answered,
          'the first, again');
is_replay(post(messages($to =~ s/\@whatsapp/%40WhatsApp/r), text('A'), $used),
          $answered, 'its path written otherwise');
for my $by (qw(elsewhere static)) {
    my $redirected = token();
    my $path = messages($to) =~ s/v3/$by/r;
    my $first = post($path, text('A'), $redirected);
    is_new($first, 201, "redirected: $by");
    is_replay(post($path, text('A'), $redirected), $first,
              "redirected again: $by");
    is_replay(post(messages($to), text('A'), $redirected), $first,
              "not redirected: $by");
    is_replay(post($path, text('A'), $used), $answered,
              "another redirected: $by");
}
is_replay(post(messages($to), text('A'), $used, as => $demo->{key}{CHANNEL}),
          $answered, "by another of the company's keys");

# one key in another channel, on another route, of another company
my $stranger = $t->demo;
my $one = token();
my @independent = (
    ['a channel', messages($to), text('1')],
    ['another channel', messages($to, $other_channel), text('2')],
    ['another route', contacts(), { jid => fresh() }],
    ['one without a channel', '/v3/keys', { scope => 'COMPANY' },
     as => $owner],
    ['another company', messages($to, $stranger->{channel}), text('3'),
     as => $stranger->{key}{COMPANY}],
    ['another company without a channel', '/v3/keys', { scope => 'OWNER' },
     as => $stranger->{key}{OWNER}],
);
for my $case (@independent) {
    my ($name, @request) = @$case;
    push @$case, my $r = post(@request[0, 1], $one, @request[2 .. $#request]);
    is_new($r, 201, "one key in $name");
}
for my $case (@independent) {
    my ($name, @request) = @$case;
    my $first = pop @request;
    my $r = post(@request[0, 1], $one, @request[2 .. $#request]);
    is($r->body, $secret->($first->body), "one key in $name, again");
    is($r->header('idempotency-replayed'), 'true', "$name: replayed");
}


# Refusals that are kept: what is refused once is, whatever happens then.

my $channel_id = $t->value('select id from ezw.channel where jid = ?',
                           $channel);
my $window = $t->channel(company => $demo->{company}, window_seconds => 60);
my $there = fresh();
my $blocked = fresh();
is(post(contacts(), { jid => $there })->status, 201, 'a contact is there');
$t->insert('block', company => $demo->{company}, channel => $channel_id,
           jid => $blocked, hash => { hex => '00' });
my %blocked = (message => 'Message rejected: contact is blocked');
for my $case (
    ['a contact that is there', 409, 1014, { message => 'Already exists' },
     [contacts(), { jid => $there }],
     sub { $t->sql('update ezw.contact set jid = ? where jid = ?', fresh(),
                   $there) }],
    ['a blocked contact', 422, 1011,
     { message => 'Message rejected: contact is blocked' },
     [messages($blocked), text()],
     sub { $t->sql('delete from ezw.block') }],
    ['a closed window', 422, 1015,
     { message => 'Customer care window expired' },
     [messages(fresh(), $window), text()],
     sub { $t->sql('update ezw.channel set window_seconds = null
                     where jid = ?', $window) }],
) {
    my ($name, $status, $code, $more, $request, $undo) = @$case;
    my $token = token();
    my $r = post(@$request, $token);
    is_refused($r, $status, $code, $more, $name);
    is($r->header('idempotency-replayed'), undef, "$name: is new");
    $undo->();
    my $before = tables();
    is_refused_again(post(@$request, $token), $status, $code, $more,
                     "$name, again");
    is_refused(post($request->[0], { %{ $request->[1] }, unknown => 1 },
                    $token), 422, 1005, \%reused, "$name, another body");
    is_deeply(tables(), $before, "$name: nothing is done");
    is_new(post(@$request, token()), 201, "$name: another key may");
}

# A channel that has gone since the gate last heard of it.
my $gone = $t->channel(company => $demo->{company});
my $gone_token = token();
is(post(contacts($gone), { jid => $there })->status, 201, 'a channel is there');
my $row = $t->value(q{select row_to_json(h) from ezw.channel h where jid = ?},
                    $gone);
my $quietly = $t->{postgres}->dbh($t->{dbname});
$quietly->do('set session_replication_role = replica');
$quietly->do('update ezw.channel set jid = ? where jid = ?', undef,
             '1@whatsapp.eazy.im', $gone);
is_refused(post(messages($to, $gone), text(), $gone_token), 404, 1009,
           { message => 'Not found' }, 'a channel that is gone');
$quietly->do('update ezw.channel set jid = ? where jid = ?', undef, $gone,
             '1@whatsapp.eazy.im');
is_refused_again(post(messages($to, $gone), text(), $gone_token), 404, 1009,
                 { message => 'Not found' }, 'a channel that was gone');
is_new(post(messages($to, $gone), text(), token()), 201, 'for that key');


# What is not kept, because the caller may mend it or wait for it.

# Refused first, and done with the same idempotency key when that is over.
sub mended {
    my ($name, $status, $code, $first, $mend, $then) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $token = token();
    for my $try ('', ', again') {
        my $r = $first->($token);
        is_refused($r, $status, $code,
                   defined $r->json->{error}{field}
                       ? { field => qr/./ } : {}, "$name$try");
        is($r->header('idempotency-replayed'), undef, "$name$try: is new");
    }
    is(kept($token), 0, "$name: is not kept");
    $mend->() if $mend;
    my $done = ($then // $first)->($token);
    is_new($done, 201, "$name: is done when it may be");
    my $again = ($then // $first)->($token);
    is($again->header('idempotency-replayed'), 'true', "$name: once");
    return $done;
}

mended('a broken rule', 400, 1005,
       sub { return post(messages($to), text(''), $_[0]) }, undef,
       sub { return post(messages($to), text(), $_[0]) });
mended('no JSON', 400, 1005,
       sub { return post(messages($to), undef, $_[0], body => '{') }, undef,
       sub { return post(messages($to), text(), $_[0]) });
my $future = '31699999999@whatsapp.eazy.im';
mended('an object that is not there', 400, 1005,
       sub { return post('/v3/keys', {
           scope => 'CHANNEL',
           objects => [{ jid => $future, type => 'CHANNEL' }],
       }, $_[0], as => $owner) },
       sub { $t->channel(company => $demo->{company}, jid => $future) });
mended('an unknown API key', 401, 1001,
       sub { return post(messages($to), text(), $_[0],
                         as => $t->random_text(40)) }, undef,
       sub { return post(messages($to), text(), $_[0]) });
mended('too small a scope', 403, 1002,
       sub { return post('/v3/keys', { scope => 'COMPANY' }, $_[0]) }, undef,
       sub { return post('/v3/keys', { scope => 'COMPANY' }, $_[0],
                         as => $owner) });
my $owned = fresh();
is(post(messages($owned), text())->status, 201, 'a conversation');
my $its_owner = $t->assistant(company => $demo->{company});
$t->sql('update ezw.conversation set assignee_assistant = ?, was_assigned = true
          where contact_jid = ?', $its_owner, $owned);
mended("another assistant's conversation", 403, 1010,
       sub { return post(messages($owned), text(), $_[0],
                         as => $demo->{key}{ASSISTANT}) },
       sub { $t->sql('update ezw.conversation set assignee_assistant = ?
                       where contact_jid = ?', $demo->{assistant}, $owned) });
my $lock = $t->{postgres}->dbh($t->{dbname});
$lock->begin_work;
$lock->do('select from ezw.conversation where contact_jid = ? for update',
          undef, $to);
$t->limit(lock_timeout => '20ms');
my $impatient = EZW->start(like => $t, http => 'ezw_courier off;');
mended('a row that is locked', 503, 1003,
       sub { return post(messages($to), text(), $_[0], node => $impatient) },
       sub { $lock->rollback },
       sub { return post(messages($to), text(), $_[0]) });
$impatient->stop;
$t->limit(lock_timeout => '10s');

# A rate that allows five now and one an hour: replays are counted like all.
my $slow = EZW->start(like => $t, http => 'ezw_courier off;',
                      rates => 'ezw_rate key rate=1r/h burst=5;');
my $paced = $t->key(company => $demo->{company}, scope => 'COMPANY');
my $paced_token = token();
my @paced = map { post(messages($to), text(), $paced_token, as => $paced,
                       node => $slow) } 1 .. 5;
is_new($paced[0], 201, 'a rate: the first');
is_replay($_, $paced[0], 'a rate: a replay') for @paced[1 .. 4];
is(join(' ', map { $_->header('ratelimit') =~ /;r=(\d+)/ } @paced),
   '4 3 2 1 0', 'a rate: each is counted');
is_refused(post(messages($to), text(), $paced_token, as => $paced,
                node => $slow), 429, 1003,
           { message => 'Rate limit exceeded' }, 'a rate: even a replay');
mended('a rate that is used up', 429, 1003,
       sub { return post(messages($to), text(), $_[0], as => $paced,
                         node => $slow) }, undef,
       sub { return post(messages($to), text(), $_[0], as => $paced) });


# A replay does not even begin to do it, nor does any refusal of the key.

my %works = map { $_ => $t->value(
    "select pg_get_functiondef('ezw.$_'::regproc)") }
    qw(contact_create key_create message_send);
$jid = fresh();
my @requests = (
    [messages($to), text('Once'), token()],
    [contacts(), { jid => $jid }, token()],
    ['/v3/keys', { scope => 'COMPANY' }, token(), as => $owner],
    [messages($blocked), text(), token()],
);
$t->insert('block', company => $demo->{company}, channel => $channel_id,
           jid => $blocked, hash => { hex => '00' });
my @firsts = map { post(@$_) } @requests;
is(join(' ', map { $_->status } @firsts), '201 201 201 422', 'all are done');
for my $work (values %works) {
    my $fails = $work;
    $fails =~ s/\bAS (\$\w*\$).*\1/AS 'begin raise ''it ran''; end'/s or die;
    $t->sql($fails);
}
for my $i (0 .. $#requests) {
    my ($path, $json, $token, @as) = @{ $requests[$i] };
    my $r = post($path, $json, $token, @as);
    is($r->header('idempotency-replayed'), 'true', "$path: replayed by itself");
    is($r->status, $firsts[$i]->status, 'with its status');
    is($r->body, $secret->($firsts[$i]->body), 'and body') if $i < 3;
    is(post($path, { %$json, other => 1 }, $token, @as)->status, 422,
       "$path: another body is refused by itself");
    is(post($path, $json, token(), @as)->status, 500, "$path: would fail");
}
$t->sql($_) for values %works;
is_new(post(@{ $requests[0] }[0, 1], token()), 201, 'all is well again');


# How long it is kept: seven days.

my $old = token();
$first = post(messages($to), text(), $old);
$t->sql(q{update ezw.idempotency
             set created_at = now() - interval '6 days 23 hours'
           where key = ?}, $old);
is_replay(post(messages($to), text(), $old), $first, 'after nearly 7 days');
my $last = token();
is_new(post(messages($to), text(), $last), 201, 'another');
$t->sql(q{update ezw.idempotency
             set created_at = now() - interval '7 days 1 minute'
           where key in (?, ?)}, $old, $last);
my $second = post(messages($to), text(), $old);
is_new($second, 201, 'after 7 days it is sent again');
isnt($second->json->{id}, $first->json->{id}, 'as another message');
is_replay(post(messages($to), text(), $old), $second, 'and kept again');
is_new(post(messages($to), text('another'), $last, node => $slow), 201,
       'after 7 days the key may stand for another');
my $aged = token();
is_new(post(messages($to), text(), $aged), 201, 'another');
$t->sql(q{update ezw.idempotency
             set created_at = now() - interval '7 days 1 minute'
           where key = ?}, $aged);
my $rows = $t->value('select count(*) from ezw.idempotency');
is($t->value('select ezw.sweep(1000)'), 1, 'what is older is swept');
is(kept($aged), 0, 'it is');
is($t->value('select count(*) from ezw.idempotency'), $rows - 1, 'alone');


# A contact's erasure takes its answers along, whatever it was called.

my $erased = fresh();
my $alias = '31799999999@whatsapp.eazy.im';
my ($stays, @tokens) = map { token() } 0 .. 4;
is_new(post(contacts(), { jid => $erased =~ s/whatsapp/WHATSAPP/r },
            $tokens[0]), 201, 'a contact');
$t->sql(q{insert into ezw.contact_alias (company, channel, kind, value, contact)
          select company, channel, 'jid', ?, id from ezw.contact
           where jid = ? and channel = ?}, $alias, $erased, $channel_id);
is_new(post(messages($erased), text(), $tokens[1]), 201, 'a message');
is_new(post(messages($alias), text(), $tokens[2]), 201, 'to its alias');
is(post(contacts(), { jid => $erased }, $tokens[3])->status, 409,
   'a refusal that names it');
is_new(post(messages($to), text(), $stays), 201, 'a message to another');
is(kept($_), 1, 'is kept') for $stays, @tokens;
is($t->http(DELETE => contacts() . "/$erased", key => $key)->status, 204,
   'its end');
is(kept($_), 0, 'is gone') for @tokens;
is(kept($stays), 1, "another's is there");
is_new(post(messages($erased), { %{ text() }, body => 'another' }, $tokens[1]),
       201, 'the key has never been used, not even for another body');


# The others know no idempotency keys.

my $ignored = { 'Idempotency-Key' => token() };
$contact = contacts() . "/$there";
sub ask {
    my ($method, $json, %o) = @_;
    return $t->http($method => $contact, key => $key, headers => $ignored,
                    defined $json ? (json => $json) : ());
}
for my $remarks ('first', 'second', 'first') {
    my $r = ask(PATCH => { remarks => $remarks });
    is_new($r, 200, "PATCH to $remarks");
    is($r->json->{remarks}, $remarks, "PATCH to $remarks: done");
}
is_new(ask('GET'), 200, 'GET') for 1, 2;
is_new(ask('HEAD'), 200, 'HEAD');
$ignored = { 'Idempotency-Key' => 'k' x 300 };
is_new(ask('GET'), 200, 'GET with what is no key');
is_new(ask(PATCH => { remarks => 'third' }), 200, 'PATCH with what is no key');
is_new(ask('DELETE'), 204, 'DELETE');
is_new(ask('DELETE'), 404, 'DELETE again');


# What has been done stays done: on another node, after a restart, and with
# shared memory that forgets.

my $elsewhere = EZW->start(like => $t, http => 'ezw_courier off;
    ezw_idempotency_zone zone=small:64k;');
my @kept = map { [messages(fresh()), text("kept $_"), token()] } 1 .. 20;
my @answers = map { post(@$_) } @kept;
is(scalar(grep { $_->status == 201 } @answers), 20, 'twenty messages');

sub all_replayed {
    my ($node, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $i (0 .. $#kept) {
        my $r = post(@{ $kept[$i] }, node => $node);
        next if $r->status == 201 && $r->body eq $answers[$i]->body
            && ($r->header('idempotency-replayed') // '') eq 'true';
        return is_replay($r, $answers[$i], "$name: message $i");
    }
    return pass("$name: all are replayed");
}

sub all_mismatched {
    my ($node, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is(scalar(grep {
        post($_->[0], text('other'), $_->[2], node => $node)->status == 422
    } @kept), 20, "$name: other bodies are refused");
}

$before = $t->snapshot(qw(api_key change change_counter));
all_mismatched($elsewhere, 'a node that never saw them');
all_replayed($elsewhere, 'a node that never saw them');
all_mismatched($elsewhere, 'a node that has seen them');
all_replayed($elsewhere, 'a node that has seen them');
$t->restart;
all_mismatched($t, 'after a restart');
all_replayed($t, 'after a restart');
$t->destroy;
$t->launch;
all_replayed($t, 'after a crash of all');
all_mismatched($t, 'after a crash of all');
$t->reload;
all_replayed($t, 'after a reload');

# a zone that has no room for half of what comes
my @blocked = map { [POST => messages($blocked), key => $key, json => text(),
    headers => { 'Idempotency-Key' => "blocked $_" }] } 1 .. 1000;
is(scalar(grep { $_->status == 422 } map { $elsewhere->parallel(@$_) }
          map { [@blocked[$_ * 50 .. $_ * 50 + 49]] } 0 .. 19), 1000,
   'a thousand refusals');
is($t->value("select count(*) from ezw.idempotency where key like 'blocked %'"),
   1000, 'are kept');
all_replayed($elsewhere, 'a zone that has forgotten them');
my @again = map { $elsewhere->parallel(@blocked[$_ * 50 .. $_ * 50 + 49]) }
    0 .. 19;
is(scalar(grep { $_->status == 422
                     && ($_->header('idempotency-replayed') // '') eq 'true' }
          @again), 1000, 'the thousand are replayed');
$t->sql("delete from ezw.idempotency where key like 'blocked %'");
is_deeply($t->snapshot(qw(api_key change change_counter)), $before,
          'nothing is done');

done_testing;

# ./ezw company, user, channel and key: on any deployment's database they make
# what the API would, print it as JSON, and what they make is in force on a
# node that runs. What is wrong is refused in one line that names the option,
# and has changed nothing.

use EZW;
use EZW::Stall qw(lateness);
use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(time);

# Passwords are hashed when nothing else is to be done, unless that is changed.
my $t = EZW->start(workers => 1);
$t->hasten_hashes;
my $pg = $t->{postgres};
my $owner = "host=$pg->{socket} port=$pg->{port} user=ezw_owner";
my $dsn = "$owner dbname=$t->{dbname}";
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my $uuid7 = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
my $nobody = '00000000-0000-0000-0000-00000000000a';

# Starts ./ezw with these arguments; a last one that is a hash has dsn, stdin
# (text) and run (EZW_RUN).
my $runs = 0;
sub begin {
    my (@arguments) = @_;

    my %o = (dsn => $dsn, stdin => '', run => "$t->{dir}/ezw",
             ref $arguments[-1] ? %{ pop @arguments } : ());
    push @arguments, '--dsn', $o{dsn} if defined $o{dsn};
    my $file = "$t->{dir}/ezw." . ++$runs;
    EZW::write_file("$file.in", $o{stdin}, 0600);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        $ENV{PGPASSFILE} = "$ENV{EZW_T}/template/owner";
        $ENV{EZW_RUN} = $o{run};
        open STDIN, '<', "$file.in";
        open STDOUT, '>', "$file.out";
        open STDERR, '>', "$file.err";
        utf8::encode($_) for @arguments;
        exec "$EZW::ROOT/ezw", @arguments or POSIX::_exit(127);
    }
    return { pid => $pid, file => $file };
}

# Its end: (exit code, output, error output).
sub ended {
    my ($run) = @_;

    waitpid $run->{pid}, 0;
    my $status = $? >> 8;
    unlink "$run->{file}.in";
    return ($status, slurp("$run->{file}.out"), slurp("$run->{file}.err"));
}

# A command that prints this JSON, in one line and nothing else; returns it.
sub makes {
    my ($name, $want, @arguments) = @_;

    my ($status, $out, $err) = ended(begin(@arguments));
    is("$status $err", '0 ', "$name: succeeds in silence");
    like($out, qr/\A[{[].*[}\]]\n\z/, "$name: one line");
    my $got = from_json($out);
    is_json($got, $want, $name);
    return $got;
}

# A command that is refused with a line of this pattern.
sub refuses {
    my ($pattern, @arguments) = @_;

    my ($status, $out, $err) = ended(begin(@arguments));
    my $command = join ' ', grep { !ref } @arguments;
    utf8::encode($command);
    utf8::decode($err);
    is("$status $out", '1 ', "refused: $command");
    like($err, qr/\Aezw: $pattern[^\n]*\n\z/, "says: $pattern");
    return;
}

# From now on, two seconds: then nobody begins a request and is let in.
sub refused_soon {
    my ($ask) = @_;

    cmp_ok(lateness([$t], sub { $ask->()->status == 401 }, 'a refusal'), '<',
           2 + 0.1 * $EZW::Expect::PATIENCE, 'refused within two seconds');
    return;
}

# The rows of the audit log about a target.
sub audited {
    my ($target) = @_;

    return [map { "@$_" } $t->sql(
        q{select event_type, actor_type, target_type, data::text
          from ezw.audit_log where target_id = ? order by id}, $target)];
}


# Companies: text stays text, whatever it looks like.
my $name = q{O'Neil \ "& Co" :'name' $$ \! `id` ; drop table ezw.company; -- ünï};
my %company = (
    createdAt => $time, dataRetentionInDays => 90, id => $uuid7,
    name => $name, parent => undef, status => 'ACTIVE', timezone => 'UTC',
);
my $company = makes('company create', \%company,
                    'company', 'create', '--name', $name);
my $child = makes('a child', {
    %company, dataRetentionInDays => 30, name => 'Child',
    parent => $company->{id}, timezone => 'Europe/Amsterdam',
}, 'company', 'create', '--parent=' . uc $company->{id}, '--name= Child ',
   '--timezone', 'Europe/Amsterdam', '--retention-days', '30');
makes('company list', [$company, $child], 'company', 'list');
is_deeply([map { "@$_" } $t->sql(
               'select state, provider, line_slots from ezw.billing')],
          [('active none 1') x 2], 'each with its billing');
is_deeply(audited($child->{id}),
          ['org.created system company {"name" : "Child"}'], 'and audited');
my @id = (company => $company->{id});
my @of = ('--company', $company->{id});


# Channels.
my $jid = '31612345678@whatsapp.eazy.im';
my %channel = (
    archivedAt => undef, connector => 'sandbox', createdAt => $time,
    dataRetentionInDays => 90, id => $uuid7, jid => $jid,
    lifecycleState => 'connected', name => 'Line', priority => undef,
    windowSeconds => undef,
);
my $channel = makes('channel create', \%channel, 'channel', 'create', @of,
                    '--jid', '31612345678@WhatsApp.eazy.im', '--name', 'Line');
my $cloud = makes('a cloud line', {
    %channel, connector => 'cloud', lifecycleState => 'created',
    dataRetentionInDays => 7, jid => '31612345679@whatsapp.eazy.im',
    windowSeconds => 86400,
}, 'channel', 'create', @of, '--jid', '31612345679@whatsapp.eazy.im',
   '--name', 'Line', '--connector', 'cloud', '--retention-days', 7);
my $own = makes("a platform of one's own, without a window", {
    %channel, connector => 'http', lifecycleState => 'created',
    dataRetentionInDays => 30, jid => 'a.b@shop.eazy.im', name => 'Shop',
}, 'channel', 'create', '--company', $child->{id}, '--jid', 'a.b@shop.eazy.im',
   '--name', 'Shop', '--connector', 'http', '--window', 0);
makes('channel list', [$channel, $cloud], 'channel', 'list', @of);
is_deeply(audited($channel->{id}),
          [qq(line.created system channel {"jid" : "$jid", "connector" : "sandbox"})],
          'audited');

# Two at once: one has the number, the other hears that it is taken.
my @both = map { [ended($_)] } map {
    begin('channel', 'create', @of, '--name', 'Race', '--jid',
          '31600000001@sms.eazy.im')
} 1, 2;
is_deeply([sort map { "$_->[0] $_->[2]" } @both],
          ['0 ', "1 ezw: channel create: --jid: 31600000001\@sms.eazy.im is"
                 . " taken\n"], 'a number is taken once');


# Keys, on a node that runs.
sub current {
    my ($key) = @_;

    return $t->http(GET => '/v3/keys/current', key => $key);
}

my %key = (
    burst => undef, cipherKey => undef, createdAt => $time,
    description => undef, enabled => true, expiresAt => undef, id => $uuid7,
    key => qr/^[A-Za-z0-9]{40}$/, lastUsed => undef, objects => [],
    prefix => qr/^[A-Za-z0-9]{6}$/, ratePerMinute => undef,
    revokedAt => undef, scope => 'COMPANY', whitelist => undef,
);
my $key = makes('key create', \%key, 'key', 'create', @of,
                '--scope', 'company');
is(current($key->{key})->status, 200, 'the key is good');
is_json($t->http(GET => '/v3/channels', key => $key->{key})->json->[0]{jid},
        $jid, 'for the channel that was made');
is($key->{prefix}, substr($key->{key}, 0, 6), 'its prefix');

my $rich = makes('with everything', {
    %key, burst => 5, description => "it's", ratePerMinute => 60,
    expiresAt => '2100-01-01T00:00:00.250000Z', scope => 'CHANNEL',
    objects => [{ jid => $jid, type => 'CHANNEL' },
                { jid => $cloud->{jid}, type => 'CHANNEL' }],
    whitelist => ['127.0.0.0/8', '192.0.2.7', '2001:db8::/32', '10.0.0.1'],
}, 'key', 'create', @of, '--scope', 'channel', '--channel', $jid,
   '--channel', $cloud->{jid}, '--channel', '31612345678@WHATSAPP.eazy.im',
   '--whitelist', '127.1.2.3/8', '--whitelist', '192.0.2.7/32',
   '--whitelist', '2001:DB8:0::1/32', '--whitelist', '::ffff:10.0.0.1',
   '--whitelist', '10.0.0.1', '--expires', '2100-01-01T02:00:00.25+02:00',
   '--rate', '60r/m', '--burst', 5, '--description', "it's");
is_json(current($rich->{key})->json->{objects}, $rich->{objects},
        'its objects, as the API has them');
is($t->http(GET => "/v3/channels/31600000001\@sms.eazy.im/contacts/31611111111\@sms.eazy.im",
            key => $rich->{key})->status, 403, 'and no others');

my $assistant = $t->assistant(@id);
my $bot = makes('an assistant', {
    %key, scope => 'ASSISTANT',
    objects => [{ jid => $assistant, type => 'ASSISTANT' },
                { jid => $jid, type => 'CHANNEL' }],
}, 'key', 'create', @of, '--scope', 'assistant', '--assistant', $assistant,
   '--channel', $jid);
my $top = makes('an owner', { %key, scope => 'OWNER' },
                'key', 'create', @of, '--scope', 'owner');
is_deeply([map { $_->{id} }
           @{ $t->http(GET => '/v3/companies', key => $top->{key})->json }],
          [$company->{id}, $child->{id}], "an owner's companies");

my $far = makes('from elsewhere only', { %key, whitelist => ['192.0.2.0/24'] },
                'key', 'create', @of, '--scope', 'company', '--whitelist',
                '192.0.2.7/24');
is_refused(current($far->{key}), 403, 1002,
           { message => 'IP 127.0.0.1 is not whitelisted' }, 'not from here');
my $slow = makes('a slow one', { %key, burst => 2, ratePerMinute => 1 },
                 'key', 'create', @of, '--scope', 'company', '--rate', '1/m',
                 '--burst', 2);
is_deeply([map { current($slow->{key})->status } 1 .. 3], [200, 200, 429],
          'of its own rate');

# what the list shows: all but the key, and when it was used
my @listed = map {
    my %listed = (%$_, lastUsed => sub { !defined $_[0] || $_[0] =~ $time });
    delete $listed{key};
    \%listed;
} $key, $rich, $bot, $top, $far, $slow;
makes('key list', \@listed, 'key', 'list', @of);
makes("another company's keys", [], 'key', 'list', '--company', $child->{id});

$listed[0]{revokedAt} = $time;
is(current($key->{key})->status, 200, 'before it is revoked');
makes('key revoke', $listed[0], 'key', 'revoke', @of, '--id', $key->{id});
refused_soon(sub { current($key->{key}) });
my $at = $t->value('select revoked_at from ezw.api_key where id = ?',
                   $key->{id});
makes('key revoke again', $listed[0], 'key', 'revoke', @of, '--id', $key->{id});
is($t->value('select revoked_at from ezw.api_key where id = ?', $key->{id}),
   $at, 'stays as it is');
makes('key list without it', [@listed[1 .. 5]], 'key', 'list', @of);
makes('key list --all', \@listed, 'key', 'list', @of, '--all');
is_deeply(audited($key->{id}),
          [map { "$_ system key {\"prefix\" : \"$key->{prefix}\","
                 . ' "scope" : "COMPANY"}' } qw(key.created key.revoked)],
          'made and revoked once in the audit log');


# Users.
my %user = (
    displayName => q{Ann van O'Hara}, email => 'ann@example.com',
    invitedAt => $time, lastSeenAt => undef, password => qr/^[A-Za-z0-9]{20}$/,
    role => 'owner', status => 'active', userId => $uuid7,
);

sub post { return $t->http(POST => "/api/auth/$_[0]", json => $_[1]) }

# The answer to a sign-in.
sub login {
    my ($email, $password) = @_;

    return post('login', { email => $email, password => $password });
}

sub session {
    my ($login) = @_;

    return $t->http(GET => '/api/auth/session', key => $login->json->{idToken});
}

my $ann = makes('user create', \%user, 'user', 'create', @of, '--email',
                'Ann@Example.com', '--name', q{Ann van O'Hara}, '--role',
                'owner');
my $login = login('ann@example.com', $ann->{password});
is($login->status, 200, 'signs in with the password that was printed');
is($login->json->{role}, 'owner', 'as an owner');
is_deeply([$t->sql(q{select first_name, last_name from ezw.app_user
                     where email = 'ann@example.com'})],
          [['Ann', q{van O'Hara}]], 'and both names');
is_deeply(audited($ann->{userId}),
          ['membership.invited system user {"role" : "owner", "status" : "active"}'],
          'audited');

my $secret = "a \$ecret 'of' \\ \"Bob's\" ü";
my $file = "$t->{dir}/bob";
utf8::encode(my $octets = $secret);
EZW::write_file($file, "$octets\n", 0600);
my %bob = (%user, displayName => 'Bob', email => 'bob@example.com',
           password => undef, role => 'operator');
my $bob = makes('a password from a file', \%bob, 'user', 'create', @of,
                '--email', 'bob@example.com', '--name', 'Bob', '--role',
                'operator', '--password-file', $file);
is(login('bob@example.com', $secret)->status, 200, 'is the password');

my $stored = $t->value(q{select password_hash from ezw.app_user
                         where email = 'bob@example.com'});
my $there = makes('the same one in another company', {
    %bob, role => 'admin', userId => qr/^$bob->{userId}$/,
}, 'user', 'create', '--company', $child->{id}, '--email', 'bob@example.com',
   '--name', 'Robert', '--role', 'admin');
is($t->value(q{select password_hash from ezw.app_user
               where email = 'bob@example.com'}), $stored,
   'keeps the password');
my $eve = makes('a password from standard input', {
    %user, displayName => 'Eve', email => 'eve@example.com',
    password => undef, role => 'admin',
}, 'user', 'create', @of, '--email', 'eve@example.com', '--name', 'Eve',
   '--role', 'admin', '--password-file', '-', { stdin => 'from a pipe' });
is(login('eve@example.com', 'from a pipe')->status, 200, 'is the password');

delete $_->{password} for $ann, $bob, $eve;
$_->{lastSeenAt} = $time for $ann, $bob, $eve;
makes('user list', [$ann, $bob, $eve], 'user', 'list', @of);

makes('user role', { %$eve, role => 'owner' }, 'user', 'role', @of,
      '--email', 'EVE@example.com', '--role', 'owner');
makes('user role again', { %$eve, role => 'owner' }, 'user', 'role', @of,
      '--email', 'eve@example.com', '--role', 'owner');
is_deeply(audited($eve->{userId}),
          ['membership.invited system user {"role" : "admin", "status" : "active"}',
           'membership.role_changed system user {"from" : "admin", "to" : "owner"}'],
          'a role changes once');

# A token for a new password: the newest one only, known by its hash.
my %reset = (email => 'eve@example.com', token => qr/^[A-Za-z0-9]{40}$/,
             expiresAt => $time);
my ($spent, $reset) = map {
    makes('user reset-password', \%reset, 'user', 'reset-password', '--email',
          'EVE@example.com');
} 1, 2;
is_deeply([map { "@$_" } $t->sql(
               q{select encode(hash, 'hex'), used_at is null,
                   expires_at - created_at
                 from ezw.password_reset where user_id = ?
                 order by created_at}, $eve->{userId})],
          [sha256_hex($spent->{token}) . ' 0 01:00:00',
           sha256_hex($reset->{token}) . ' 1 01:00:00'],
          'good for an hour, and the one before no more');
for my $case ([$spent, 400], [$reset, 202], [$reset, 400]) {
    my ($used, $status) = @$case;
    is(post('password/reset', { token => $used->{token},
                                newPassword => 'another one' })->status,
       $status, "the token is used: $status");
}
is(login('eve@example.com', 'another one')->status, 200, 'the new password');

# Who is disabled has no conversation any more, here; two owners who are
# disabled at once: one stays.
my $contact = $t->contact_jid;
my $path = "channels/$jid/conversations/$contact";
is($t->http(POST => "/v3/channels/$jid/messages/$contact", key => $top->{key},
            json => { message => { type => 'text', body => 'x' } })->status,
   201, 'a message');
is($t->http(PATCH => "/v3/$path", key => $top->{key},
            json => { assignee => 'bob@example.com' })->status, 200,
   'a conversation of his');
$login = login('bob@example.com', $secret);
is(session($login)->status, 200, 'he is signed in');
makes('user disable', { %$bob, status => 'disabled' }, 'user', 'disable', @of,
      '--email', 'bob@example.com');
refused_soon(sub { session($login) });
is($t->http(GET => "/v3/$path", key => $top->{key})->json->{assignee}, undef,
   'is in the pool again');
is($t->value(q{select count(*) from ezw.event where kind = 'handover'}), 2,
   'which is told');
makes('user disable again', { %$bob, status => 'disabled' }, 'user',
      'disable', @of, '--email', 'bob@example.com');
is_deeply([map { $_->[0] } $t->sql(
               q{select event_type from ezw.audit_log
                 where company = ? and event_type ~ 'disabled|assigned'
                 order by id}, $company->{id})],
          ['conversation.assigned', 'membership.disabled',
           'conversation.assigned'], 'each once in the audit log');
is($t->value('select status from ezw.membership where company = ?
              and user_id = ?', $child->{id}, $bob->{userId}), 'active',
   'still a member of the other company');
makes('brought back', { %bob, lastSeenAt => $time, role => 'admin',
                         userId => $bob->{userId} },
      'user', 'create', @of, '--email', 'bob@example.com', '--name', 'Bob',
      '--role', 'admin');

@both = map { [ended($_)] } map {
    begin('user', 'disable', @of, '--email', "$_\@example.com")
} qw(ann eve);
is_deeply([sort map { "$_->[0] $_->[2]" } @both],
          ['0 ', '1 ezw: user disable: --email: is the last owner of the'
                 . " company\n"], 'a company keeps an owner');


# What is wrong, and that it changes nothing (as nginx does in the background).
ok($t->stop, 'nginx has served');
my $before = $t->snapshot;
my $unknown = '--company: there is no such company';
my @user = ('user', 'create', @of, '--email', 'x@example.com', '--name', 'X',
            '--role', 'admin');
my @channel = ('channel', 'create', @of, '--name', 'X');
my @key = ('key', 'create', @of, '--scope');
my ($last_owner) = $t->value(
    q{select u.email from ezw.app_user u join ezw.membership m
      on m.user_id = u.id where m.company = ? and m.role = 'owner'
      and m.status = 'active'}, $company->{id});
EZW::write_file("$t->{dir}/short", "123456789\n", 0600);
EZW::write_file("$t->{dir}/lines", "1234567890\nabc\n", 0600);
EZW::write_file("$t->{dir}/long", 'x' x 256, 0600);

for my $case (
    ['no such command: company', 'company', { dsn => undef }],
    ['no such command: company drop', 'company', 'drop', { dsn => undef }],
    ['company create: --name is needed', 'company', 'create'],
    ['company create: --name is empty', 'company', 'create', '--name', ''],
    ['company create: --name is empty', 'company', 'create', '--name', '  '],
    ['company create: --name was given twice', 'company', 'create',
     '--name', 'a', '--name=b'],
    ['company create: --name needs a value', 'company', 'create', '--name',
     { dsn => undef }],
    ['company create: --name: not UTF-8, or with control', 'company', 'create',
     '--name', "a\nb"],
    ['company create: --name is longer than 255', 'company', 'create',
     '--name', 'x' x 256],
    ['company create: unknown option --nam;', 'company', 'create', '--nam', 1],
    ['company create: unexpected argument x;', 'company', 'create', 'x'],
    ['company create: --parent: 1 is no id', 'company', 'create', '--name',
     'X', '--parent', 1],
    ['company create: --parent: there is no such', 'company', 'create',
     '--name', 'X', '--parent', $nobody],
    ['company create: --timezone: Mars/Base is not', 'company', 'create',
     '--name', 'X', '--timezone', 'Mars/Base'],
    (map { ["company create: --retention-days: $_ is no number", 'company',
            'create', '--name', 'X', '--retention-days', $_] }
     0, -1, '1e3', '01', 36501, '2147483648'),
    ['company list: --dsn: no password here', 'company', 'list',
     { dsn => "$dsn password=x" }],
    ['company list: --dsn: no password here', 'company', 'list',
     { dsn => 'postgresql://a:b@127.0.0.1/ezw' }],
    ["channel create: $unknown", 'channel', 'create', '--company', $nobody,
     '--jid', $jid, '--name', 'X'],
    ['channel create: --jid is needed', @channel],
    ["channel create: --jid: $jid is taken", 'channel', 'create', '--company',
     $child->{id}, '--jid', $jid, '--name', 'X'],
    (map { ["channel create: --jid: \Q$_\E is no JID", @channel, '--jid', $_] }
     'x', '@', '0612345678@whatsapp.eazy.im', '31612345678@whatsapp',
     '31612345678@@whatsapp.eazy.im', 'NL.Abc@whatsapp.eazy.im',
     '123456@sms.eazy.im', '8194C1A3-BE55-4210-AC02-58A992C17977@gbm.eazy.im'),
    ['channel create: --jid: 1563451622477@ai.eazy.im is no channel', @channel,
     '--jid', '1563451622477@ai.eazy.im'],
    ['channel create: --jid: whatsap is no channel', @channel, '--jid',
     '31612345670@whatsap.eazy.im'],
    ['channel create: --connector: waha is for whatsapp', @channel, '--jid',
     '31612345670@sms.eazy.im', '--connector', 'waha'],
    ['channel create: --connector: fax is none of', @channel, '--jid',
     '31612345670@sms.eazy.im', '--connector', 'fax'],
    ['channel create: --window: -1 is no number', @channel, '--jid',
     '31612345670@sms.eazy.im', '--window', -1],
    ["channel list: $unknown", 'channel', 'list', '--company', $nobody],
    ["key create: $unknown", 'key', 'create', '--company', $nobody, '--scope',
     'owner'],
    ['key create: --scope is needed', 'key', 'create', @of],
    ['key create: --scope: root is none of: channel', @key, 'root'],
    ['key create: --channel is needed', @key, 'channel'],
    ['key create: --channel: x is no JID', @key, 'channel', '--channel', 'x'],
    ["key create: --channel: $own->{jid} is no channel of the company", @key,
     'channel', '--channel', $jid, '--channel', $own->{jid}],
    ['key create: --channel: a key of that scope', @key, 'company',
     '--channel', $jid],
    ['key create: --assistant: not for', @key, 'owner', '--assistant',
     $assistant],
    ['key create: --assistant: x is no JID', @key, 'assistant',
     '--assistant', 'x'],
    ['key create: --assistant: 1999999999999@ai.eazy.im is no assistant', @key,
     'assistant', '--assistant', '1999999999999@ai.eazy.im'],
    (map { ["key create: --whitelist: \Q$_\E is no address", @key, 'owner',
            '--whitelist', $_] }
     '10.0.0', '010.0.0.1', '10.0.0.1/33', '10.0.0.1/', '10.0.0.0/08',
     '::1/129', 'fe80::1%eth0', 'example.com', '::g'),
    (map { ["key create: --expires: \Q$_\E is no time", @key, 'owner',
            '--expires', $_] }
     '2100-02-30T00:00:00Z', '2100-01-01', 'tomorrow', '2100-01-01T00:00:00'),
    ['key create: --expires: 2020-01-01T00:00:00Z is past', @key, 'owner',
     '--expires', '2020-01-01T00:00:00Z'],
    (map { ["key create: --rate: \Q$_\E is no rate", @key, 'owner', '--rate',
            $_] } 0, 600, '0/m', '10/s', '-1/m', '60000001/m'),
    ['key create: --burst: 0 is no number', @key, 'owner', '--burst', 0],
    ['key create: --whitelist: more than 100', @key, 'owner',
     map { ('--whitelist', "10.0.0.$_") } 1 .. 101],
    ["key list: $unknown", 'key', 'list', '--company', $nobody],
    ['key list: --all has no value', 'key', 'list', @of, '--all=yes'],
    ['key revoke: --id: the company has no such key', 'key', 'revoke',
     '--company', $child->{id}, '--id', $rich->{id}],
    ["user create: $unknown", 'user', 'create', '--company', $nobody,
     '--email', 'x@example.com', '--name', 'X', '--role', 'admin'],
    ['user create: --role: boss is none of: owner admin operator', 'user',
     'create', @of, '--email', 'x@example.com', '--name', 'X', '--role',
     'boss'],
    (map { ["user create: --email: \Q$_\E is no e-mail address", 'user',
            'create', @of, '--email', $_, '--name', 'X', '--role', 'admin'] }
     'x', 'a@b@c', '@example.com', 'x y@example.com', 'x@example..com', 'x@exämple.com',
     'ü@example.com', ('x' x 65) . '@example.com'),
    ['user create: --email: is a member of the company already', 'user',
     'create', @of, '--email', 'bob@example.com', '--name', 'X', '--role',
     'admin'],
    ['user create: --password-file: the user is known and has', 'user',
     'create', '--company', $child->{id}, '--email', 'ann@example.com',
     '--name', 'X', '--role', 'admin', '--password-file', $file],
    ['user create: --password-file: cannot read', @user, '--password-file',
     '/nowhere'],
    ['user create: --password-file: a password has 10 characters', @user,
     '--password-file', "$t->{dir}/short"],
    ['user create: --password-file: not UTF-8, or more than one line', @user,
     '--password-file', "$t->{dir}/lines"],
    ['user create: --password-file: a password has 255 bytes', @user,
     '--password-file', "$t->{dir}/long"],
    ["user list: $unknown", 'user', 'list', '--company', $nobody],
    ['user disable: --email: is no member', 'user', 'disable', @of, '--email',
     'x@example.com'],
    ['user disable: --email: is the last owner', 'user', 'disable', @of,
     '--email', $last_owner],
    ['user role: --email: is the last owner', 'user', 'role', @of, '--email',
     $last_owner, '--role', 'admin'],
    ['user role: --email: is disabled', 'user', 'role', @of, '--email',
     $last_owner eq 'ann@example.com' ? 'eve@example.com' : 'ann@example.com',
     '--role', 'admin'],
    ['user reset-password: --email: there is no such user', 'user',
     'reset-password', '--email', 'x@example.com'],
    ['company list: which database\?', 'company', 'list', { dsn => undef }],
    ['company list: .*nowhere', 'company', 'list',
     { dsn => 'host=/nowhere dbname=x' }],
    ['company list: the schema is at version none', 'company', 'list',
     { dsn => "$owner dbname=postgres" }],
) {
    refuses(@$case);
}
is_json($t->snapshot, $before, 'none of these has changed anything');


# Another database is another deployment.
my $u = EZW->start(start => 0);
my $elsewhere = "postgresql://ezw_owner@/$u->{dbname}?host="
    . ($pg->{socket} =~ s{/}{%2F}gr) . "&port=$pg->{port}";
my $other = makes('a company elsewhere', { %company, name => 'Other' },
                  'company', 'create', '--name', 'Other',
                  { dsn => $elsewhere });
makes('is alone there', [$other], 'company', 'list', { dsn => $elsewhere });
makes('and not here', [$company, $child], 'company', 'list');

# An older schema, and one of the future.
$u->sql('delete from ezw.migration
         where version = (select max(version) from ezw.migration)');
refuses('company list: the schema is at version \d+, this release has', 'company',
        'list', { dsn => $elsewhere });


# Nothing secret stands on a command line: neither a password, nor a key, nor
# what they are known by.
my $seen = '';
my @runs = (
    begin('user', 'create', @of, '--email', 'mallory@example.com', '--name',
          'M', '--role', 'admin', '--password-file', $file),
    begin('user', 'create', @of, '--email', 'trudy@example.com', '--name',
          'T', '--role', 'admin'),
    begin(@key, 'owner'),
    begin('user', 'reset-password', '--email', 'bob@example.com'),
);
for my $run (@runs) {
    until (waitpid($run->{pid}, POSIX::WNOHANG()) == $run->{pid}) {
        $seen .= slurp($_) for glob '/proc/[0-9]*/cmdline';
    }
}
my (undef, $trudy, $made, $token) = map { from_json(slurp("$_->{file}.out")) } @runs;
like($seen, qr/psql.*\Q$t->{dbname}\E/, 'command lines were seen');
for my $hidden (
    $octets, $trudy->{password}, $made->{key}, $token->{token},
    map { $_->[0] } $t->sql(
        q{select encode(hash, 'hex') from ezw.api_key
          union select password_hash from ezw.app_user
          where password_hash is not null
          union select encode(hash, 'hex') from ezw.password_reset})
) {
    is(index($seen, $hidden), -1, 'not on a command line');
}
ok($t->database_log !~ /\Q$made->{key}\E|\Q$trudy->{password}\E/,
   "nor in the database's log");

done_testing;

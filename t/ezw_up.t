# ./ezw up: from nothing to three curl lines that work when pasted; quick and
# harmless when repeated; one clear line for each thing that can be wrong.

use EZW ();
use Test::More;
use strict;
use warnings;

use File::Temp ();
use Time::HiRes qw(time);

use EZW::Expect qw(is_json wait_for);
use EZW::Json qw(from_json to_json);

my $slow = $EZW::Expect::PATIENCE;
my $run = "$EZW::RUNS/ezw_up";
my @other = map { EZW::claim_port() } 1 .. 2;
@ENV{qw(EZW_RUN EZW_PORT EZW_TLS_PORT)}
    = ($run, map { EZW::claim_port() } 1 .. 2);
mkdir $EZW::RUNS;

# Runs ./ezw: (true if it succeeded, output, error output, seconds).
sub ezw {
    my (@arguments) = @_;

    my $started = time;
    my ($out, $err) = map { File::Temp->new } 1 .. 2;
    my $ok = system("$EZW::ROOT/ezw @arguments >$out 2>$err </dev/null") == 0;
    return ($ok, EZW::slurp("$out"), EZW::slurp("$err"), time - $started);
}

sub one_line {
    my ($ok, $error, $pattern, $name) = @_;

    ok(!$ok, "$name: fails");
    like($error, qr/\Aezw: $pattern.*\n\z/, "$name: one line");
}

END { local $?; ezw('down') if -e $run }

my ($ok, $output, $error, $seconds) = ezw('company', 'list');
one_line($ok, $error, qr/company list: which database\? --dsn/, 'no demo yet');

($ok, $output, $error, $seconds) = ezw('up');
ok($ok, 'up') or die $error;
is($error, '', 'no complaint');

my @curl = grep { /^curl / } split /\n/, $output;
is(scalar @curl, 3, 'three curl lines');

my $demo = from_json(EZW::slurp("$run/demo.json"));
is((stat "$run/demo.json")[2] & 0777, 0600, 'demo.json is for its owner only');
is_json($demo, {
    base_url => "http://127.0.0.1:$ENV{EZW_PORT}",
    tls_url => "https://127.0.0.1:$ENV{EZW_TLS_PORT}",
    company_id => qr/^[0-9a-f-]{36}$/,
    channel_jid => '31612345678@whatsapp.eazy.im',
    contact_jid => '31611111111@whatsapp.eazy.im',
    keys => { map { $_ => qr/^[A-Za-z0-9]{40}$/ }
              qw(channel assistant company owner) },
    email => qr/\@/,
    password => qr/^.{10,}$/,
}, 'demo.json');

is(from_json(scalar `$curl[0]`)->{scope}, 'COMPANY', 'who am I');
is_json(from_json(scalar `$curl[1]`), { id => qr/^[0-9a-f]{40}$/ }, 'sent');
sub conversation {
    my ($sent) = @_;
    return wait_for(sub {
        my $c = from_json(scalar `$curl[2]`);
        return ($c->{messagesReceived} // 0) == $sent && $c;
    }, 60, 'an answer');
}

# by the times that they have themselves; a second time where something else
# kept the machine busy
my ($sent, $answered_in) = (1);
while (1) {
    my $c = conversation($sent);
    is($c->{messagesSent}, $sent, 'the message sent');
    my ($out, $in) = map {
        /^(.*):(\d\d\.\d+)Z$/ or die;
        [$1, $2];
    } @$c{qw(lastMessageSentAt lastMessageReceivedAt)};
    $answered_in = $in->[1] - $out->[1] + ($in->[0] eq $out->[0] ? 0 : 60);
    last if $answered_in < 1 || $sent == 5;
    is_json(from_json(scalar `$curl[1]`), { id => qr/^[0-9a-f]{40}$/ }, 'sent');
    $sent++;
}
cmp_ok($answered_in, '<', 1, 'the answer within a second');

for my $scope (sort keys %{ $demo->{keys} }) {
    my $who = `curl -sS -H 'Authorization: Bearer $demo->{keys}{$scope}' $demo->{base_url}/v3/keys/current`;
    is(from_json($who)->{scope}, uc $scope, "the $scope key");
}

# the owner signs in
sub post {
    my ($path, $body) = @_;

    EZW::write_file("$run/body", to_json($body), 0600);
    my $answer = `curl -sS -H 'Content-Type: application/json' -d \@$run/body $demo->{base_url}$path`;
    unlink "$run/body";
    return from_json($answer);
}

# Passwords are hashed when nothing else is to be done, which on a busy machine
# may be too late: it is asked for again then.
sub post_password {
    my (@request) = @_;
    return wait_for(sub {
        my $answer = post(@request);
        return ref $answer->{error} && $answer->{error}{code} eq 'unavailable'
            ? 0 : $answer;
    }, 120, 'a password hashed');
}

my $signed = post_password('/api/auth/login',
                           { map { $_ => $demo->{$_} } qw(email password) });
is_json($signed, {
    expiresIn => 3600, idToken => qr/^[\w-]+\.[\w-]+\.[\w-]+$/,
    organization => { id => $demo->{company_id}, name => 'Demo' },
    refreshToken => qr/./, role => 'owner', tokenType => 'Bearer',
    user => { displayName => 'Demo Owner', email => $demo->{email},
              id => qr/^[0-9a-f-]{36}$/ },
}, 'the owner signs in');
is(from_json(scalar `curl -sS -H 'Authorization: Bearer $signed->{idToken}' $demo->{base_url}/api/auth/session`)
       ->{principal}{role}, 'owner', 'and is known');
is_json(post_password('/api/signup/organization', {
    organizationName => 'Shop', ownerName => 'Ann', email => 'ann@example.com',
    password => 'long enough',
})->{organization}, { id => qr/./, name => 'Shop', status => 'pending_billing' },
    'anybody may sign up');

# an owner's key keeps a cipher key, which the seal key seals
is_json(from_json(scalar `curl -sS -H 'Authorization: Bearer $demo->{keys}{owner}' -H 'Content-Type: application/json' -d '{"scope":"OWNER","cipherKey":"@{['A' x 43]}="}' $demo->{base_url}/v3/keys`)->{cipherKey},
        'sha256:66687aadf862bd77', 'a key with a cipher key');

like(scalar `curl -sS $demo->{base_url}/metrics`,
     qr/^ezw_requests_total\{.*endpoint="message_send".*code="2xx".*\} $sent$/m,
     'each message is in the metrics');

my $tls = "curl -sS -o /dev/null -w '%{http_code}' --cacert $run/nginx/tls.crt";
is(`$tls $demo->{tls_url}/readyz 2>&1`, 200, 'HTTPS');
is(`$tls --tls-max 1.2 $demo->{tls_url}/readyz 2>&1`, 200, 'TLS 1.2');
isnt(`$tls --tlsv1.0 --tls-max 1.1 --ciphers DEFAULT\@SECLEVEL=0 $demo->{tls_url}/readyz 2>/dev/null`,
     200, 'no TLS 1.1');

# nothing secret where others may read it
my @secrets = (values %{ $demo->{keys} }, $demo->{password},
               @$signed{qw(idToken refreshToken)},
               EZW::slurp("$run/secrets/signing_key") =~ /\n(\S+)\n/,
               map { s/.*://sr } map { EZW::slurp("$run/$_") =~ s/\n//r }
               qw(pg/superuser pg/owner secrets/ezw_app secrets/seal_key));
EZW::write_file("$run/patterns", join('', map { "$_\n" } @secrets), 0600);
my @leaks = grep { (stat)[2] & 077 } split /\n/,
    `grep -rlaFf $run/patterns $run`;
is("@leaks", '', 'secrets are in files of mode 0600 only');
unlink "$run/patterns";

# the operators' commands are about the demo where no other database is named
($ok, my $printed, $error) = ezw(qw(key create --scope company --company),
                                 $demo->{company_id});
ok($ok, 'a key of the demo') or diag($error);
my $made = from_json($printed)->{key};
is(from_json(scalar `curl -sS -H 'Authorization: Bearer $made' $demo->{base_url}/v3/keys/current`)->{scope},
   'COMPANY', 'it is good');

# again
my $pid = EZW::slurp("$run/nginx/nginx.pid");
my @before = (times)[2, 3];
my ($again, $same) = ezw('up');
my @after = (times)[2, 3];
ok($again, 'up again');
# of a processor's time: how long that takes is the machine's affair
cmp_ok($after[0] + $after[1] - $before[0] - $before[1], '<', 5 * $slow,
       'with less than 5 s of work');
is($same, $output =~ s/\A(built .*\n)+//r, 'prints the same');
is(EZW::slurp("$run/nginx/nginx.pid"), $pid, 'restarts nothing');
is_json(from_json(EZW::slurp("$run/demo.json")), $demo, 'keeps the keys');
is(conversation($sent)->{messagesSent}, $sent, 'keeps the data');

# what can be wrong
($ok, undef, $error) = do {
    local @ENV{qw(EZW_RUN EZW_TLS_PORT)} = ("$run-2", $other[1]);
    ezw('up');
};
one_line($ok, $error, qr/port $ENV{EZW_PORT} is taken by nginx, pid \d+: .*EZW_PORT=/,
         'a taken port');

($ok, undef, $error) = do { local $ENV{EZW_PORT} = 'http'; ezw('up') };
one_line($ok, $error, qr/EZW_PORT=http is no port/, 'no port');

($ok, undef, $error) = do { local $ENV{EZW_RUN} = '/proc/ezw'; ezw('up') };
one_line($ok, $error, qr{cannot write to /proc/ezw: .*EZW_RUN=},
         'a folder that cannot be');

($ok, undef, $error) = ezw('upp');
one_line($ok, $error, qr{no such command: upp}, 'no such command');

my ($postmaster) = EZW::slurp("$run/pg/data/postmaster.pid") =~ /^(\d+)/;
kill 'KILL', $postmaster;
($ok, undef, $error) = ezw('up');
ok($ok, 'up after a crash of Postgres') or diag($error);
# of its workers one may still be about to connect anew
is(conversation($sent)->{messagesSent}, $sent, 'the data survived it');

ok((ezw('down'))[0], 'down');
rename "$run/pg/data/global/pg_control", "$run/pg/data/pg_control";
($ok, undef, $error) = ezw('up');
one_line($ok, $error, qr/Postgres does not start: .*down --data/,
         'a dead cluster');
rename "$run/pg/data/pg_control", "$run/pg/data/global/pg_control";

# another port is another configuration: nginx starts anew
ok((ezw('up'))[0], 'up after the cluster was mended');
$pid = EZW::slurp("$run/nginx/nginx.pid");
{
    local $ENV{EZW_TLS_PORT} = $other[0];
    ok((ezw('up'))[0], 'up with another port');
    isnt(EZW::slurp("$run/nginx/nginx.pid"), $pid, 'a new nginx');
    ok(wait_for(sub { `$tls https://127.0.0.1:$other[0]/readyz` == 200 }, 60,
                'all workers are ready'), 'on that port');
}

ok((ezw('down'))[0], 'down again');
($ok, undef, $error) = ezw('company', 'list');
one_line($ok, $error, qr{company list: the demo is down: ./ezw up},
         'a demo that is down');

($ok, $output) = ezw('down', '--data');
ok($ok, 'down --data');
is(join(' ', grep { -e "$run/$_" } qw(demo.json pg nginx secrets)), '',
   'data and secrets are gone');
is(join(' ', grep { EZW::slurp($_) =~ m{\Q$run\E/} } glob '/proc/[0-9]*/cmdline'),
   '', 'nothing runs');

done_testing;

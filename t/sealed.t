# Secrets that are kept readable are sealed by a key of a file, each for its own
# row; when the file has another first key they are sealed anew by it.

use EZW;
use Digest::SHA qw(sha256 sha256_hex);
use MIME::Base64 qw(decode_base64 encode_base64);

my $t = EZW->start(start => 0, http => 'ezw_courier off;');
my $file = "$t->{dir}/keys";
my %key = map { $_ => EZW::Seed::random_bytes(32) } qw(first second third);

# Writes the file of keys, the first of which seals.
sub ring {
    EZW::write_file($file, join('', map { encode_base64($key{$_}) } @_), 0600);
    return;
}

# The configuration, with a file of keys or without one.
sub configure {
    my ($line) = @_;
    my $conf = EZW::slurp("$t->{dir}/nginx.conf");
    $conf =~ s/^ *ezw_seal_key_file .*$/$line/m or die "no such directive\n";
    EZW::write_file("$t->{dir}/nginx.conf", $conf);
    return;
}

# Another file, which the node has read; returns what its log has said of the
# secrets since. (After a reload whoever leads has to wait for the old leader's
# term to end.)
sub rotate {
    ring(@_);
    my $said = length $t->error_log;
    $t->restart;
    return wait_for(sub {
        return (substr($t->error_log, $said)
                =~ /(\d+ secrets (?:have|are).*)/)[0];
    }, 20, 'a word about the secrets: ' . "@_");
}

ring('first');
configure("ezw_seal_key_file $file;");
$t->launch;

my $company = $t->company;
my $child = $t->company(parent => $company);
my $owner = $t->key(company => $company, scope => 'OWNER');
my $n = 0;

sub ask {
    my ($method, $path, $json) = @_;
    my $r = $t->http($method => $path, key => $owner, json => $json);
    $r->status =~ /^20/ or die "$method $path: " . $r->as_text . "\n";
    return $r->json;
}

# Keys with cipher keys that have come in every way there is: id => its bytes.
my %plain;
sub fresh { return sprintf '%032d', ++$n }
sub create {
    my ($plain, %json) = @_;
    my $id = ask(POST => '/v3/keys', {
        scope => 'COMPANY', cipherKey => encode_base64($plain, ''), %json
    })->{id};
    $plain{$id} = $plain;
    return $id;
}
sub change {
    my ($plain, $id) = @_;
    ask(PATCH => "/v3/keys/$id", { cipherKey => encode_base64($plain, '') });
    $plain{lc $id} = $plain;
    return;
}
my @ids = map { create(fresh()) } 1, 2;
create(fresh(), companyId => $child);
change(fresh(), create(fresh()));
change(fresh(), uc create(fresh()));
change(fresh(), create(fresh(), companyId => $child));
change(fresh(), ask(POST => '/v3/keys', { scope => 'OWNER',
                                          companyId => $child })->{id});

# Webhooks: each has a secret, one a cipher key too and all that a rotation
# leaves. "secret <id>" => its bytes.
my $channel = $t->channel(company => $company);
my @webhooks = map {
    ask(POST => "/v3/channels/$channel/webhooks", {
        url => 'https://example.com/', events => ['message'], %$_ });
} {}, { cipherKey => encode_base64(my $of_webhook = fresh(), '') };
my %hooked = (
    (map { ("secret $_->{id}" => decode_base64(substr $_->{secret}, 6)) }
     @webhooks),
    "cipher_key $webhooks[1]{id}" => $of_webhook);
$t->sql('update ezw.webhook set secret_old = secret where id = ?',
        $webhooks[1]{id});
$hooked{"secret_old $webhooks[1]{id}"} = $hooked{"secret $webhooks[1]{id}"};

sub sealed_hook {
    my ($column, $id) = split ' ', $_[0];
    return pack 'H*', $t->value("select encode($column, 'hex')
                                   from ezw.webhook where id = ?", $id);
}

# What is stored of a key: version, the sealing key's name, nonce, and the
# rest, of which the last 16 bytes are a seal over all of it.
sub sealed {
    my ($id) = @_;
    return pack 'H*', $t->value(q{select encode(cipher_key, 'hex')
                                    from ezw.api_key where id = ?}, $id);
}

# The bytes that a key has sealed. AES-GCM counts from 2 on, as AES-CTR does.
sub opened {
    my ($sealed, $by) = @_;
    my ($version, $name, $nonce, $text) = unpack 'a1 a8 a12 a*', $sealed;
    return 'by another key' if $name ne substr sha256($key{$by}), 0, 8;
    EZW::write_file("$file.text", substr $text, 0, -16);
    open my $openssl, '-|', 'openssl', 'enc', '-d', '-aes-256-ctr',
        '-K', unpack('H*', $key{$by}), '-iv', unpack('H*', $nonce) . '00000002',
        '-in', "$file.text" or die "openssl enc: $!";
    my $plain = do { local $/; <$openssl> };
    close $openssl or die "openssl enc failed\n";
    return $plain;
}

sub all_are_by {
    my ($by) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply({ map { $_ => opened(sealed($_), $by) } keys %plain }, \%plain,
              "all of them are sealed by the $by");
    is_deeply({ map { @$_ } $t->sql(
        q{select id, cipher_fingerprint from ezw.api_key
           where cipher_key is not null}) },
        { map { $_ => 'sha256:' . substr sha256_hex($plain{$_}), 0, 16 }
          keys %plain }, 'and are known by what they were');
    is_deeply({ map { $_ => opened(sealed_hook($_), $by) } keys %hooked },
              \%hooked, "the webhooks' too");
    return;
}

all_are_by('first');
my $all = keys(%plain) + keys %hooked;
my $anew = "$all secrets have been sealed anew: all are by the first key of "
    . 'ezw_seal_key_file now';

# Another key comes, and the old one may go; and once more.
ring('second', 'first');
$t->reload;
ok(wait_for(sub { $t->error_log =~ /\Q$anew/ }, 20, 'a round of secrets'),
   'sealed anew');
all_are_by('second');
change(fresh(), $ids[0]);
like(rotate('third', 'second'), qr/^\Q$anew/, 'and without the first of all');
all_are_by('third');

# One that a key has gone from is left as it is, and told of.
my $missing = 'secrets are sealed by a key that ezw_seal_key_file does not '
    . 'have';
like(rotate('first'), qr/^$all \Q$missing/, 'a key that is missing');
all_are_by('third');
like(rotate('second', 'third'), qr/^\Q$anew/, 'until it is there again');
all_are_by('second');

# What has been sealed for one row is none in another, were it of the same
# company.
my ($one, $two) = map { sealed($_) } @ids;
$t->sql(q{update ezw.api_key set cipher_key = ? where id = ?},
        { hex => unpack 'H*', $_->[0] }, $_->[1]) for [$one, $ids[1]],
                                                      [$two, $ids[0]];
like(rotate('first', 'second'), qr/^2 \Q$missing/, 'two that were exchanged');
is_deeply([map { sealed($_) } @ids], [$two, $one], 'are left as they are');

# A deployment without a file keeps no secrets, and says so; all else is done.
configure('');
$t->reload;
my %json = (scope => 'COMPANY', description => 'No secret',
            cipherKey => encode_base64(fresh(), ''));
is_refused($t->http(POST => '/v3/keys', key => $owner, json => \%json), 501,
           1003, { message => 'The deployment keeps no secrets: it has no '
                   . 'ezw_seal_key_file' }, 'no file');
is($t->value(q{select count(*) from ezw.api_key
                where description = 'No secret'}), 0, 'no key');
is(ask(POST => '/v3/keys', { %json, cipherKey => undef })->{cipherKey}, undef,
   'one without a secret');
is(ask(PATCH => "/v3/keys/$ids[0]", { cipherKey => undef })->{cipherKey},
   undef, 'none any more');
is_refused($t->http(PATCH => "/v3/keys/$ids[1]", key => $owner, json => \%json),
           501, 1003, { message => 'The deployment keeps no secrets: it has no '
                        . 'ezw_seal_key_file' }, 'no change either');

is_refused($t->http(POST => "/v3/channels/$channel/webhooks", key => $owner,
                    json => { url => 'https://example.com/',
                              events => ['message'] }), 501, 1003,
           { message => 'The deployment keeps no secrets: it has no '
             . 'ezw_seal_key_file' }, 'no webhook, which has a secret');
is($t->value('select count(*) from ezw.webhook'), 2, 'none is made');
is(ask(PATCH => "/v3/channels/$channel/webhooks/$webhooks[0]{id}",
       { enabled => false })->{enabled}, false, 'one is changed');

ok(($t->error_log . $t->access_log . $t->database_log)
   !~ join('|', map { quotemeta encode_base64($_, '') } values %plain,
           values %key), 'nothing secret is in a log');

done_testing;

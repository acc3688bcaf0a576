package EZW::Token;

# ID tokens of ezw_signing_key_file, made and read by hand: what the module
# signs is checked by openssl, and what it must refuse is signed here.
#
#     my $key = EZW::Token->key(EZW::signing_key());    # the file's key
#     my $token = $key->sign({ sub => ..., exp => ... });
#     my ($header, $claims) = EZW::Token::read_token($token);
#     ok($key->signed($token));

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 sha256_hex);
use IPC::Open2 qw(open2);
use MIME::Base64 qw(decode_base64 decode_base64url encode_base64url);

use EZW::Json qw(from_json to_json);

# The key of a file: one of Ed25519 in PEM, else a secret for HS256 as hex or
# base64 on a line.
sub key {
    my ($class, $file) = @_;

    my $text = EZW::slurp($file);
    if ($text =~ /BEGIN/) {
        my $der = openssl('pkey', '-in', $file, '-pubout', '-outform', 'DER');
        return bless {
            alg => 'EdDSA', file => $file, public => substr($der, -32),
            pem => openssl('pkey', '-in', $file, '-pubout'), der => $der,
            kid => kid_of(substr $der, -32),
        }, $class;
    }
    chomp $text;
    my $secret = $text =~ /^[0-9a-f]+$/ ? pack 'H*', $text
        : decode_base64($text);
    return bless { alg => 'HS256', file => $file, secret => $secret,
                   kid => kid_of($secret) }, $class;
}

# Makes a key's file.
sub write_secret {
    my ($file) = @_;

    EZW::write_file($file, unpack('H*', EZW::Seed::random_bytes(32)) . "\n",
                    0600);
    return $file;
}

sub write_pem {
    my ($file) = @_;

    openssl('genpkey', '-algorithm', 'ed25519', '-out', $file);
    return $file;
}

sub kid_of { return substr sha256_hex($_[0]), 0, 16 }

# A token of CLAIMS (a structure, or JSON as text); HEADER adds to the header,
# or takes away what it has as undef.
sub sign {
    my ($self, $claims, $header) = @_;

    my %header = (alg => $self->{alg}, kid => $self->{kid}, typ => 'JWT',
                  %{ $header // {} });
    delete @header{ grep { !defined $header{$_} } keys %header };
    return token(\%header, $claims, sub { $self->signature($_[0]) });
}

# The same of anything: SIGNATURE makes the signature's bytes of the input.
sub token {
    my ($header, $claims, $signature) = @_;

    my $input = join '.', map { encode_base64url(ref $_ ? to_json($_) : $_) }
        $header, $claims;
    return "$input." . encode_base64url($signature->($input));
}

sub signature {
    my ($self, $input) = @_;

    return hmac_sha256($input, $self->{secret}) if $self->{alg} eq 'HS256';
    return with_file($input, sub {
        openssl('pkeyutl', '-sign', '-rawin', '-inkey', $self->{file},
                '-in', $_[0]);
    });
}

# Header and claims of a token.
sub read_token {
    my ($token) = @_;

    return map { from_json(decode_base64url($_)) } (split /\./, $token)[0, 1];
}

# Has the key signed the token?
sub signed {
    my ($self, $token) = @_;

    my ($input, $signature) = $token =~ /^([^.]+\.[^.]+)\.([^.]+)$/ or return 0;
    $signature = decode_base64url($signature);
    return $signature eq $self->signature($input) ? 1 : 0
        if $self->{alg} eq 'HS256';
    # of Ed25519 there is one signature, too
    return with_file($input, sub {
        my ($file) = @_;
        return with_file($signature, sub {
            openssl('pkeyutl', '-verify', '-rawin', '-inkey', $self->{file},
                    '-in', $file, '-sigfile', $_[0]) =~ /Success/ ? 1 : 0;
        });
    });
}

my $files = 0;

sub with_file {
    my ($bytes, $call) = @_;

    my $file = "$EZW::RUNS/token.$$." . ++$files;
    EZW::write_file($file, $bytes, 0600);
    my $result = $call->($file);
    unlink $file;
    return $result;
}

# What openssl writes; dies if it fails.
sub openssl {
    my (@arguments) = @_;

    my $pid = open2(my $out, my $in, 'openssl', @arguments);
    close $in;
    binmode $out;
    my $bytes = do { local $/; <$out> };
    waitpid $pid, 0;
    die "openssl $arguments[0] failed\n" if $?;
    return $bytes // '';
}

1;

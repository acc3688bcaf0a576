package EZW::Issuer;

# An outside issuer of ID tokens, as Cognito is one: an EZW::HttpsServer that
# publishes a key set at <issuer>/.well-known/jwks.json, and what signs with
# its keys.
#
#     my $issuer = EZW::Issuer->start_trusted(
#         port => EZW::claim_port(), dir => $dir, kids => { a => 'RS256' });
#     my $t = EZW->start(http => $issuer->directive);
#     my $token = $issuer->token('a', email => 'ann@example.com');
#     ... $issuer->fetches ...
#
# It is many issuers, if need be: one for each path, with one set of keys
# published for all or for a path.

use strict;
use warnings;

use MIME::Base64 qw(encode_base64url);

use EZW::HttpsServer ();
use EZW::Tls ();

our @ISA = ('EZW::HttpsServer');

my $JWKS = '/.well-known/jwks.json';
my $AUDIENCE = 'the-client';

my %OPTIONS = (
    RS256 => [qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)],
    ES256 => [qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)],
    EdDSA => [qw(-algorithm ed25519)],
);

# One with a certificate of a CA of its own, which `directive` names. Options:
# kids ({kid => algorithm}, all of them published at once), host_name
# (localhost), and those of EZW::HttpsServer but the certificate.
sub start_trusted {
    my ($class, %o) = @_;

    my $name = $o{host_name} // 'localhost';
    my $tls = EZW::Tls->new("$o{dir}-tls");
    $tls->authority($_) for qw(another ca);
    $tls->certificate('server', by => 'ca', names => [$name]);
    EZW::write_file($tls->file('trust.crt'), join '',
                    map { EZW::slurp($tls->file("$_.crt")) } qw(another ca));
    my $self = $class->start(%o, certificate => $tls->file('server'),
                             trust => $tls->file('trust.crt'));
    my $kids = delete $self->{kids};
    $self->make_key($_, $kids->{$_}) for sort keys %$kids;
    $self->publish(sort keys %$kids);
    return $self;
}

# The name of the issuer at PATH.
sub issuer {
    my ($self, $path) = @_;

    return 'https://' . ($self->{host_name} // 'localhost') . ":$self->{port}"
        . ($path // '/pool');
}

sub audience { return $AUDIENCE }

# The arguments of ezw_token_issuer, and MORE.
sub directive {
    my ($self, $path, @more) = @_;

    return join(' ', 'ezw_token_issuer', $self->issuer($path),
                "audience=$AUDIENCE",
                $self->{trust} ? "trusted_certificate=$self->{trust}" : (),
                @more) . ';';
}

# Makes a private key and remembers it under its kid.
sub make_key {
    my ($self, $kid, $alg) = @_;

    my $file = "$self->{dir}/key." . unpack 'H*', $kid;
    EZW::Tls::openssl('genpkey', @{ $OPTIONS{$alg} }, '-out', $file);
    $self->{keys}{$kid} = { alg => $alg, file => $file };
    return;
}

# The public part of a key as a JWK.
sub jwk {
    my ($self, $kid) = @_;

    my $key = $self->{keys}{$kid};
    my %jwk = (kid => $kid, alg => $key->{alg}, use => 'sig');
    if ($key->{alg} eq 'RS256') {
        my ($modulus) = EZW::Tls::openssl(qw(rsa -noout -modulus -in),
                                          $key->{file}) =~ /=(\w+)/;
        return { %jwk, kty => 'RSA', e => 'AQAB',
                 n => encode_base64url(pack 'H*', $modulus) };
    }
    my $der = EZW::Tls::openssl(qw(pkey -pubout -outform DER -in),
                                $key->{file});
    return { %jwk, kty => 'OKP', crv => 'Ed25519',
             x => encode_base64url(substr $der, -32) }
        if $key->{alg} eq 'EdDSA';
    return { %jwk, kty => 'EC', crv => 'P-256',
             x => encode_base64url(substr $der, -64, 32),
             y => encode_base64url(substr $der, -32) };
}

# From the next fetch on the set of every path has these keys and no others.
sub publish {
    my ($self, @kids) = @_;

    my $set = EZW::to_json({ keys => [map { $self->jwk($_) } @kids] });
    $self->{published} = [200, 'application/json', $set];
    $self->set_answers({ '*' => $self->{published} });
    return;
}

# How often the set at PATH, or any, has been asked for.
sub fetches {
    my ($self, $path) = @_;

    return scalar $self->requests(($path // '/pool') . $JWKS);
}

# Lets the fetches of one path fail, or all others.
sub fail_at {
    my ($self, $behaviour, $path) = @_;

    return $self->behave($behaviour, defined $path ? "$path$JWKS" : undef);
}

# A token that is valid for an hour. Options are claims, undef for one that is
# to be left out; path (of the issuer); header => {...} for more of the header;
# by => kid of the key that signs instead.
sub token {
    my ($self, $kid, %o) = @_;

    my $path = delete $o{path};
    my $header = delete $o{header} // {};
    my $by = delete $o{by} // $kid;
    my %claims = (
        iss => $self->issuer($path), aud => $AUDIENCE, sub => 'subject',
        email_verified => EZW::true(), iat => time - 1, exp => time + 3600,
        jti => ++$self->{tokens}, %o);
    delete @claims{ grep { !defined $claims{$_} } keys %claims };
    my $input = join '.', map { encode_base64url(EZW::to_json($_)) }
        { alg => $self->{keys}{$by}{alg}, kid => $kid, typ => 'JWT', %$header },
        \%claims;
    return "$input." . encode_base64url($self->signature($by, $input));
}

sub signature {
    my ($self, $kid, $input) = @_;

    my $key = $self->{keys}{$kid};
    my $file = "$self->{dir}/input";
    EZW::write_file($file, $input);
    return EZW::Tls::openssl(qw(pkeyutl -sign -rawin -inkey), $key->{file},
                             '-in', $file)
        if $key->{alg} eq 'EdDSA';
    my $signature = EZW::Tls::openssl(qw(dgst -sha256 -sign), $key->{file},
                                      $file);
    return $signature if $key->{alg} eq 'RS256';

    # DER's two integers, each as 32 bytes (RFC 7518, 3.4)
    my ($r, $s) = unpack 'x2 x C/a x C/a', $signature;
    return join '', map { substr "\0" x 32 . $_, -32 } $r, $s;
}

1;

package EZW::Tls;

# Certificates for tests, made by the openssl command in a folder.
#
#     my $tls = EZW::Tls->new($dir);
#     $tls->authority('right');                   # right.crt, right.key
#     $tls->certificate('server', by => 'right', names => ['localhost']);

use strict;
use warnings;

use File::Path qw(make_path);

sub new {
    my ($class, $dir) = @_;

    make_path($dir);
    chmod 0755, $dir;
    return bless { dir => $dir }, $class;
}

# The path of what stands in the folder: $tls->file('right.crt').
sub file {
    my ($self, $name) = @_;

    return "$self->{dir}/$name";
}

# Runs openssl and returns what it said; dies when it fails.
sub openssl {
    my (@arguments) = @_;

    open my $pipe, '-|', 'sh', '-c', 'exec openssl "$@" 2>&1', 'openssl',
        @arguments or die $!;
    binmode $pipe;
    my $output = do { local $/ = undef; <$pipe> } // '';
    close $pipe or die "openssl @arguments: $output";
    return $output;
}

# A CA.
sub authority {
    my ($self, $name) = @_;

    openssl(qw(req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
               -days 2 -subj), "/CN=$name", '-keyout', $self->file("$name.key"),
            '-out', $self->file("$name.crt"));
    return;
}

# A server's certificate. Options: by (the CA), names (DNS names or addresses),
# expired => 1.
sub certificate {
    my ($self, $name, %o) = @_;

    my @names = map { (/^[\d.]+$|:/ ? 'IP:' : 'DNS:') . $_ } @{ $o{names} };
    my $path = $self->file($name);
    EZW::write_file("$path.ext", 'subjectAltName=' . join(',', @names) . "\n");
    openssl(qw(req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj),
            "/CN=$o{names}[0]", '-keyout', "$path.key", '-out', "$path.csr");
    openssl(qw(x509 -req -in), "$path.csr",
            '-days', $o{expired} ? '-1' : '2',
            '-CA', $self->file("$o{by}.crt"), '-CAkey',
            $self->file("$o{by}.key"), '-CAcreateserial',
            '-extfile', "$path.ext", '-out', "$path.crt");
    chmod 0600, "$path.key";
    return;
}

1;

package EZW::DnsServer;

# A name server for nginx's `resolver`: it answers A and AAAA from a table that
# the test changes as it goes, or not at all.
#
#     my $dns = EZW::DnsServer->start(port => $port, dir => $dir,
#         names => { 'issuer.test' => ['127.0.0.1'] });
#     $dns->set_names({ 'issuer.test' => ['::1', '10.0.0.1'] });
#     $dns->set_names(undef);                          # silence
#     ... $dns->queries ...

use strict;
use warnings;

use IO::Socket::INET ();
use POSIX ();
use Socket qw(AF_INET AF_INET6 inet_pton);

my %TYPES = (1 => 'A', 28 => 'AAAA');

sub start {
    my ($class, %o) = @_;

    my $self = bless { %o }, $class;
    mkdir $self->{dir};
    unlink "$self->{dir}/queries";
    $self->set_names($o{names});

    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => $o{port}, Proto => 'udp')
        or die "no port for the name server: $!\n";
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};

    @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
    while (1) {
        my $from = $socket->recv(my $query, 1024) // next;
        my $answer = eval { $self->answer($query) };
        warn $@ if $@;
        $socket->send($answer, 0, $from) if defined $answer;
    }
}

sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} // return;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $!);
    $self->stop;
    return;
}

# name => list of addresses; a name that is not there does not exist. undef: no
# answer to anything.
sub set_names {
    my ($self, $names) = @_;

    EZW::write_file("$self->{dir}/names.new",
                    EZW::to_json({ names => $names }));
    rename "$self->{dir}/names.new", "$self->{dir}/names" or die $!;
    return;
}

# The questions so far, as "A issuer.test".
sub queries {
    my ($self) = @_;

    open my $file, '<', "$self->{dir}/queries" or return;
    chomp(my @lines = <$file>);
    return @lines;
}

# The bytes of the answer (RFC 1035, 4), undef for none.
sub answer {
    my ($self, $query) = @_;

    my ($id, undef, $questions) = unpack 'n3', $query;
    my ($name, $at) = ('', 12);
    while (my $length = unpack "x$at C", $query) {
        $name .= '.' if length $name;
        $name .= substr $query, $at + 1, $length;
        $at += 1 + $length;
    }
    my $type = $TYPES{ unpack 'x' . ($at + 1) . ' n', $query } // 'other';
    my $question = substr $query, 12, $at + 5 - 12;

    open my $file, '>>', "$self->{dir}/queries" or die $!;
    print {$file} "$type $name\n";
    close $file;

    my $names = EZW::from_json(EZW::slurp("$self->{dir}/names"))->{names};
    return undef if !$names;
    my @addresses = map {
        inet_pton(/:/ ? AF_INET6 : AF_INET, $_) // die "no address: $_\n"
    } grep { $type eq (/:/ ? 'AAAA' : 'A') } @{ $names->{$name} // [] };
    my $code = $names->{$name} ? 0 : 3;      # NXDOMAIN
    return pack('n6', $id, 0x8180 | $code, 1, scalar @addresses, 0, 0)
        . $question
        . join '', map {
            pack('n3 N n', 0xc00c, length == 4 ? 1 : 28, 1, 1, length) . $_
        } @addresses;
}

1;

package EZW::Client;

# One HTTP/1.1 connection over a raw socket: keep-alive, pipelining, and every
# kind of misbehaviour (send half, leave, reset). No answer within the timeout
# is a response with status 0 and the reason in {error}; nothing here dies
# because of what the server does.

use strict;
use warnings;

use Errno qw(EINTR);
use IO::Select ();
use IO::Socket::INET ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);

use EZW::Expect ();
use EZW::Json qw(to_json);
use EZW::Response ();

# Options: port, host (127.0.0.1), tls (true for HTTPS), timeout (60 s, more with
# patience).
sub new {
    my ($class, %options) = @_;

    my $self = bless { host => '127.0.0.1', buffer => '',
                       timeout => 60 * $EZW::Expect::PATIENCE, %options }, $class;
    my %address = (PeerHost => $self->{host}, PeerPort => $self->{port},
                   Proto => 'tcp', Timeout => $self->{timeout});
    if ($self->{tls}) {
        require IO::Socket::SSL;
        $self->{socket} = IO::Socket::SSL->new(
            %address, SSL_verify_mode => 0,
            ref $self->{tls} ? %{ $self->{tls} } : ());
        $self->{error} = 'no TLS connection: ' . IO::Socket::SSL::errstr()
            if !$self->{socket};
    } else {
        $self->{socket} = IO::Socket::INET->new(%address);
        $self->{error} = "no connection: $@" if !$self->{socket};
    }
    return $self;
}

# The bytes of a request. Options: headers (hash, or list of pairs where order
# and repetition matter), body (bytes), json (a structure), key (API key),
# close (true: Connection: close).
sub request_bytes {
    my ($method, $path, %options) = @_;

    my $headers = $options{headers} || [];
    my @headers = ref $headers eq 'HASH'
        ? map { ($_ => $headers->{$_}) } sort keys %$headers : @$headers;
    my %given;
    for (my $i = 0; $i < @headers; $i += 2) {
        $given{lc $headers[$i]} = 1;
    }

    my $body = $options{body};
    if (exists $options{json}) {
        $body = to_json($options{json});
        push @headers, 'Content-Type' => 'application/json'
            if !$given{'content-type'};
    }
    push @headers, Authorization => "Bearer $options{key}"
        if defined $options{key};
    push @headers, 'Content-Length' => length $body
        if defined $body && !$given{'content-length'}
            && !$given{'transfer-encoding'};
    push @headers, Connection => 'close' if $options{close};
    unshift @headers, Host => 'localhost' if !$given{host};

    my $bytes = "$method $path HTTP/1.1\r\n";
    while (my ($name, $value) = splice @headers, 0, 2) {
        $bytes .= "$name: $value\r\n";
    }
    return "$bytes\r\n" . ($body // '');
}

# Sends one request and returns its response.
sub request {
    my ($self, $method, $path, %options) = @_;

    $self->send_request($method, $path, %options);
    return $self->read_response($method);
}

# Sends without waiting: several in a row are a pipeline.
sub send_request {
    my ($self, $method, $path, %options) = @_;

    return $self->send_raw(request_bytes($method, $path, %options));
}

# Sends bytes as they are; false if the connection does not take them.
sub send_raw {
    my ($self, $bytes) = @_;

    return 0 if !$self->{socket};
    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;
    while ($sent < length $bytes) {
        my $n = syswrite $self->{socket}, $bytes, length($bytes) - $sent, $sent;
        if (!defined $n) {
            next if $! == EINTR;
            $self->{error} = "write: $!";
            return 0;
        }
        $sent += $n;
    }
    return 1;
}

# The next response of the connection; METHOD is that of its request, since
# an answer to HEAD has no body.
sub read_response {
    my ($self, $method) = @_;

    my $deadline = time + $self->{timeout};
    my $eof = 0;
    while ($self->{socket}) {
        my $response = EZW::Response->take(\$self->{buffer}, $method, $eof);
        return $response if $response;
        last if $eof;
        my $n = $self->fill($deadline);
        last if !defined $n;
        $eof = $n == 0;
    }
    my $error = $self->{error} // 'the connection was closed';
    $error .= sprintf ' after %d bytes', length $self->{buffer}
        if length $self->{buffer};
    return EZW::Response->none($error);
}

# Reads what has come into the buffer: number of bytes, 0 at the end of the
# stream, undef on error or at the deadline.
sub fill {
    my ($self, $deadline) = @_;

    my $socket = $self->{socket};
    while (1) {
        if (!($self->{tls} && $socket->pending)) {
            my $left = $deadline - time;
            if ($left <= 0
                || !IO::Select->new($socket)->can_read($left)) {
                next if $left > 0 && $! == EINTR;
                $self->{error} = "nothing came for $self->{timeout} s";
                return undef;
            }
        }
        my $n = sysread $socket, $self->{buffer}, 65536,
                        length $self->{buffer};
        return $n if defined $n;
        next if $! == EINTR || $!{EWOULDBLOCK};
        $self->{error} = "read: $!";
        return undef;
    }
}

# True once the server has closed its side; false at the timeout or when it
# sends something instead.
sub wait_closed {
    my ($self, $timeout) = @_;

    return 1 if !$self->{socket};
    my $n = $self->fill(time + ($timeout // $self->{timeout}));
    return (defined $n ? $n == 0 : ($self->{error} // '') =~ /^read:/) ? 1 : 0;
}

# Leaves politely (FIN).
sub close {
    my ($self) = @_;

    my $socket = delete $self->{socket} or return;
    $socket->close;
}

# Leaves rudely (RST).
sub reset {
    my ($self) = @_;

    my $socket = delete $self->{socket} or return;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    CORE::close($socket);
}

1;

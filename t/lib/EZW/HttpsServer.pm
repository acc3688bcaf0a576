package EZW::HttpsServer;

# An HTTPS server that misbehaves on request: what another party may do to
# nginx as a client. Every connection has a process of its own, so that one
# that hangs holds up nobody.
#
#     my $server = EZW::HttpsServer->start(port => $port, dir => $dir,
#         certificate => $tls->file('server'),        # .crt and .key
#         answers => { '/x' => [200, 'text/plain', 'body'] });
#     $server->behave('redirect');         # from the next request on
#     $server->behave('hang', '/x');       # only there
#     ... $server->requests('/x') ...
#
# Behaviours: those below, and "ok".

use strict;
use warnings;

use Fcntl qw(:flock);
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(sleep time);

use EZW::Expect qw(wait_for);

# Called with the connection and the request [method, path, headers].
my %behaviours = (
    ok => sub { my ($self, @request) = @_; $self->answer(@request) },
    error => sub { $_[0]->put_answer(500, 'text/plain', 'no') },
    empty => sub { $_[0]->put_answer(200, 'application/json', '') },
    garbage => sub {
        $_[0]->put_answer(200, 'application/json', "{\"keys\": \x00\xff");
    },
    not_http => sub { $_[0]->put("SSH-2.0-OpenSSH\r\n" x 20); $_[0]->end },
    redirect => sub {
        my ($self, undef, $path) = @_;
        $self->put("HTTP/1.1 302 Found\r\nLocation: /moved$path\r\n"
                   . "Content-Length: 0\r\n\r\n");
    },
    big => sub {
        $_[0]->put_answer(200, 'application/json',
                          '{"keys": [' . ' ' x 1_000_000 . ']}');
    },
    # no length, and no end but the client's
    endless => sub {
        my ($self) = @_;
        $self->put("HTTP/1.1 200 OK\r\n\r\n");
        $self->put(' ' x 16384) for 1 .. 10_000;
        $self->end;
    },
    headers => sub {
        my ($self) = @_;
        $self->put("HTTP/1.1 200 OK\r\n");
        $self->put("X-More: " . 'x' x 1000 . "\r\n") for 1 .. 1000;
        $self->end;
    },
    cut => sub {
        $_[0]->put("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"keys\":");
        $_[0]->end;
    },
    drip => sub {
        my ($self) = @_;
        $self->put("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while (1) {
            $self->put(' ');
            sleep 0.1;
        }
    },
    hang => sub { POSIX::pause() while 1 },
    # before the handshake, which this connection has behind it
    no_tls => sub { $_[0]->end },
);

# Options: port, dir (a folder for its notes), host (127.0.0.1), certificate
# (the path without .crt and .key), answers (path => [status, type, body]), tls
# (more for IO::Socket::SSL), plain => 1 for HTTP.
sub start {
    my ($class, %o) = @_;

    my $self = bless { host => '127.0.0.1', %o }, $class;
    mkdir $self->{dir};
    unlink map { "$self->{dir}/$_" } qw(requests connections);
    $self->{behaviours} = {};
    $self->behave('ok');
    $self->use_certificate($o{certificate}) if $o{certificate};
    $self->set_answers($o{answers} // {});
    return $self->resume;
}

# Listens again after stop, with all that has been said and noted.
sub resume {
    my ($self) = @_;

    # here, for not every connection to load it
    require IO::Socket::SSL;

    # a child of the one before may die a little later
    my $listen = wait_for(sub {
        return IO::Socket::INET->new(
            LocalAddr => $self->{host}, LocalPort => $self->{port},
            Listen => 64, ReuseAddr => 1);
    }, 5, 'the port of the HTTPS server');
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};

    setpgrp;
    local $SIG{CHLD} = 'IGNORE';
    @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
    while (1) {
        my $socket = $listen->accept or next;
        next if fork;
        close $listen;
        eval { $self->serve($socket); 1 } or warn $@;
        POSIX::_exit(0);
    }
}

# Ends it, and with it every connection: nobody listens on its port then.
sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} // return;
    kill 'KILL', -$pid, $pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $!);
    $self->stop;
    return;
}

# How it answers from the next request on, at PATH or wherever nothing else has
# been said.
sub behave {
    my ($self, $behaviour, $path) = @_;

    die "no such behaviour: $behaviour\n" if !$behaviours{$behaviour};
    $self->{behaviours}{ $path // '' } = $behaviour;
    $self->replace('behaviours', EZW::to_json($self->{behaviours}));
    return;
}

# The certificate of the connections from now on.
sub use_certificate {
    my ($self, $path) = @_;

    $self->replace('certificate', $path);
    return;
}

# What is at which path: path => [status, type, body]; path "*" is any other.
sub set_answers {
    my ($self, $answers) = @_;

    $self->replace('answers', EZW::to_json($answers));
    return;
}

# The requests for PATH (any) so far: [time, method, path, headers (text)] each.
sub requests {
    my ($self, $path) = @_;

    return grep { !defined $path || $_->[2] eq $path } $self->notes('requests');
}

# The connections so far, as [time].
sub connections { return $_[0]->notes('connections') }

sub notes {
    my ($self, $name) = @_;

    open my $file, '<:raw', "$self->{dir}/$name" or return;
    chomp(my @lines = <$file>);
    return map { [split /\t/, $_, -1] } @lines;
}

sub note {
    my ($self, $name, @fields) = @_;

    open my $file, '>>:raw', "$self->{dir}/$name" or die "$name: $!";
    flock $file, LOCK_EX;
    print {$file} join("\t", time, map { s/[\t\n]/ /gr } @fields), "\n";
    close $file;
    return;
}

sub replace {
    my ($self, $name, $text) = @_;

    EZW::write_file("$self->{dir}/$name.new", $text);
    rename "$self->{dir}/$name.new", "$self->{dir}/$name" or die $!;
    return;
}


# One connection -----------------------------------------------------------

sub serve {
    my ($self, $socket) = @_;

    $self->note('connections');
    POSIX::pause() while $self->behaviour('') eq 'no_tls';
    if (!$self->{plain}) {
        my $path = EZW::slurp("$self->{dir}/certificate");
        IO::Socket::SSL->start_SSL(
            $socket, SSL_server => 1, SSL_cert_file => "$path.crt",
            SSL_key_file => "$path.key", %{ $self->{tls} || {} }) or return;
    }
    $self->{socket} = $socket;

    my $buffer = '';
    while (1) {
        while ($buffer !~ /\r\n\r\n/) {
            sysread $socket, $buffer, 65536, length $buffer or return;
            # TLS where there is none
            return $self->put_answer(400, 'text/plain', 'what?')
                if $buffer !~ /^[A-Z]/;
        }
        $buffer =~ s{^(\S+) (\S+) HTTP/1\.1\r\n(.*?)\r\n\r\n}{}s
            or die "no request: $buffer\n";
        my ($method, $path, $headers) = ($1, $2, $3);
        my $length = $headers =~ /^Content-Length: (\d+)/mi ? $1 : 0;
        while (length $buffer < $length) {
            sysread $socket, $buffer, 65536, length $buffer or return;
        }
        my $body = substr $buffer, 0, $length, '';
        my $behaviour = $self->behaviour($path);
        $self->note('requests', $method, $path, $headers, $body);
        $behaviours{$behaviour}->($self, $method, $path, $headers);
    }
}

sub behaviour {
    my ($self, $path) = @_;

    my $behaviours = EZW::from_json(EZW::slurp("$self->{dir}/behaviours"));
    return $behaviours->{$path} // $behaviours->{''};
}

sub answer {
    my ($self, $method, $path) = @_;

    my $answers = EZW::from_json(EZW::slurp("$self->{dir}/answers"));
    my $answer = $answers->{$path} // $answers->{'*'};
    return $self->put_answer($answer ? @$answer : (404, 'text/plain', 'none'));
}

sub put_answer {
    my ($self, $status, $type, $body) = @_;

    return $self->put("HTTP/1.1 $status It\r\nContent-Type: $type\r\n"
                      . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
}

# Ends this connection's process when the client has gone.
sub put {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $sent = 0;
    while ($sent < length $bytes) {
        my $n = syswrite $self->{socket}, $bytes, length($bytes) - $sent, $sent;
        $self->end if !$n;
        $sent += $n;
    }
    return;
}

sub end { POSIX::_exit(0) }

1;

package EZW::Load;

# Many clients at once in one process: a list of requests side by side, or
# background load from a child process while the test does something else.
#
# As every HTTP client does, a client here sends a request once more, on a new
# connection, when a reused connection is closed before any byte of an answer
# (PITFALLS N32); such a result has {retried}.

use strict;
use warnings;

use Errno qw(EAGAIN EINPROGRESS EINTR EWOULDBLOCK);
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Storable ();
use Time::HiRes qw(time);

use EZW::Client ();
use EZW::Expect ();
use EZW::Response ();

# Runs the clients until NEXT has nothing more to send and all is answered.
# Options: port (a list of ports: the clients take turns); clients; timeout
# (60 s for each request, more with patience); next => sub that returns [METHOD, PATH, options of
# EZW::Client::request_bytes] or undef;
# done => sub called with each response, which also has {request}, {started},
# {ended} and {retried}; open_connection => true for a new one each time.
sub run {
    my (%o) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $timeout = $o{timeout} // 60 * $EZW::Expect::PATIENCE;
    my @ports = ref $o{port} ? @{ $o{port} } : $o{port};
    my @clients = map { { buffer => '', port => $ports[$_ % @ports] } }
        1 .. $o{clients};
    my $active = 0;

    my $finish = sub {
        my ($c, $response) = @_;

        @$response{qw(request started ended retried)}
            = ($c->{request}, $c->{started}, time, $c->{retried});
        $o{done}->($response);
        delete $c->{request};
        $active--;
        if (!$response->{status}
            || ($response->header('connection') // '') eq 'close'
            || $o{open_connection})
        {
            forget_connection($c);
        }
    };

    while (1) {
        for my $c (grep { !$_->{request} } @clients) {
            my $request = $o{next}->() or last;
            $c->{request} = $request;
            $c->{started} = time;
            $c->{retried} = 0;
            $active++;
            begin($c);
        }
        last if !$active;

        my $read = IO::Select->new;
        my $write = IO::Select->new;
        my %by_fd;
        for my $c (grep { $_->{request} } @clients) {
            if (!$c->{socket}) {
                $finish->($c, EZW::Response->none("no connection: $!"));
                next;
            }
            $by_fd{ fileno $c->{socket} } = $c;
            $read->add($c->{socket});
            $write->add($c->{socket}) if length $c->{out};
        }
        next if !%by_fd;

        my ($readable, $writable)
            = IO::Select->select($read, $write, undef, 0.1);
        for my $socket (@{ $writable || [] }) {
            send_some($by_fd{ fileno $socket });
        }
        for my $socket (@{ $readable || [] }) {
            my $c = $by_fd{ fileno $socket };
            receive_some($c, $finish);
        }
        my $now = time;
        for my $c (grep { $_->{request} } @clients) {
            if ($now - $c->{started} > $timeout) {
                $finish->($c, EZW::Response->none("no answer in $timeout s"));
            }
        }
    }
    return;
}

sub begin {
    my ($c) = @_;

    my ($method, $path, @options) = @{ $c->{request} };
    $c->{out} = EZW::Client::request_bytes($method, $path, @options);
    $c->{buffer} = '';
    $c->{reused} = defined $c->{socket};
    $c->{socket} ||= IO::Socket::INET->new(
        PeerHost => '127.0.0.1', PeerPort => $c->{port}, Proto => 'tcp',
        Blocking => 0);
    return;
}

sub forget_connection {
    my ($c) = @_;

    my $socket = delete $c->{socket};
    $socket->close if $socket;
    return;
}

sub send_some {
    my ($c) = @_;

    my $n = syswrite $c->{socket}, $c->{out};
    substr $c->{out}, 0, $n, '' if $n;
    # a broken connection shows when it is read
    $c->{out} = '' if !defined $n && !$!{EAGAIN} && !$!{EINTR};
    return;
}

sub receive_some {
    my ($c, $finish) = @_;

    my $n = sysread $c->{socket}, $c->{buffer}, 65536, length $c->{buffer};
    return if !defined $n && ($!{EAGAIN} || $!{EINTR});
    my $error = defined $n ? 'closed' : "$!";
    my $ended = !$n;

    if ($ended && $c->{buffer} eq '' && $c->{reused} && !$c->{retried}) {
        forget_connection($c);
        $c->{retried} = 1;
        begin($c);
        return;
    }

    my $response = EZW::Response->take(\$c->{buffer}, $c->{request}[0], $ended);
    if (!$response && $ended) {
        $response = EZW::Response->none(
            "$error after " . length($c->{buffer}) . ' bytes');
    }
    if ($response) {
        forget_connection($c) if $ended;
        $finish->($c, $response);
    }
    return;
}

# Sends REQUESTS side by side; returns their responses in the same order.
sub parallel {
    my ($requests, %o) = @_;

    my ($next, @responses) = (0);
    run(clients => scalar @$requests, %o,
        next => sub { return $requests->[$next++] },
        done => sub {
            my ($response) = @_;
            for my $i (0 .. $#$requests) {
                $responses[$i] = $response
                    if $requests->[$i] == $response->{request};
            }
        });
    return @responses;
}

# What ends the loads that run; a child must not keep those of others open.
my %stops;

# Starts load from a child process. REQUEST is called with 0, 1, 2, ... and
# returns a request. FILE takes the results.
sub start {
    my ($class, %o) = @_;

    my $file = delete $o{file};
    my $request = delete $o{request};

    pipe my $go, my $stop or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid) {
        CORE::close $go;
        $stops{$pid} = $stop;
        return bless { pid => $pid, stop => $stop, file => $file }, $class;
    }

    CORE::close $_ for $stop, values %stops;
    $SIG{INT} = $SIG{TERM} = 'DEFAULT';
    my $ok = eval {
        my ($n, @results) = (0);
        my $ended = IO::Select->new($go);
        run(%o,
            next => sub {
                return $ended->can_read(0) ? undef : $request->($n++);
            },
            done => sub { push @results, { %{ $_[0] } } });
        Storable::nstore(\@results, $file);
        1;
    };
    warn $@ if !$ok;
    POSIX::_exit($ok ? 0 : 1);
}

# Ends the load and returns all responses, each asked for and answered (or
# failed) in full.
sub stop {
    my ($self) = @_;

    CORE::close delete $self->{stop};
    delete $stops{ $self->{pid} };
    waitpid $self->{pid}, 0;
    die "the load's process failed\n" if $?;
    delete $self->{pid};
    my $results = Storable::retrieve($self->{file});
    return map { bless $_, 'EZW::Response' } @$results;
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $!);
    if ($self->{pid}) {
        delete $stops{ $self->{pid} };
        kill 'KILL', $self->{pid};
        waitpid $self->{pid}, 0;
    }
    return;
}

1;

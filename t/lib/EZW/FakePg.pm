package EZW::FakePg;

# A Postgres that misbehaves on request: it speaks as much of protocol 3 as
# libpq needs to connect and to run prepared statements in a pipeline, and
# answers each statement with a canned binary result. Every connection has a
# process of its own, so that one that hangs holds up nobody.
#
#     my $fake = EZW::FakePg->start(port => $port, dir => $dir,
#         results => { company_current => [[id => uuid => ...], ...] },
#         behaviours => { stall => sub { my ($conn, $group) = @_; ... } });
#     $fake->plan(stall => 'company_current');   # the next group that has it
#     ... $fake->executed('company_current') ...
#
# A behaviour is called in place of the answer to a whole group (all up to a
# Sync). With $conn->answer($group) it gets the messages of the right answer,
# a list of [what, bytes]: parse, bind, describe, row, complete, sync, each but
# the sync with the statement's name behind.

use strict;
use warnings;

use Fcntl qw(:flock);
use IO::Socket::INET ();
use POSIX ();

use EZW::Expect qw(wait_for);

my %OID = (bool => 16, int8 => 20, int4 => 23, text => 25, json => 114,
           'text[]' => 1009, timestamptz => 1184, uuid => 2950,
           'uuid[]' => 2951);

# Options: port, dir (a folder for its notes), results (statement => list of
# columns [name, type, value], or a code reference that gets the parameters
# and returns it), rows (statement => how often that row comes), behaviours
# (name => sub), startup (sub, called on a new connection in place of the
# start-up), version (of the schema).
sub start {
    my ($class, %o) = @_;

    my $self = bless { %o }, $class;
    mkdir $self->{dir};
    unlink "$self->{dir}/plan", "$self->{dir}/executed";

    # a child of the one before may die a little later
    my $listen = wait_for(sub {
        return IO::Socket::INET->new(
            LocalAddr => '127.0.0.1', LocalPort => $o{port}, Listen => 64,
            ReuseAddr => 1);
    }, 5, 'the port of the fake Postgres');
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};

    setpgrp;
    local $SIG{CHLD} = 'IGNORE';
    @SIG{qw(INT TERM)} = ('DEFAULT') x 2;
    while (1) {
        my $socket = $listen->accept or next;
        next if fork;
        close $listen;
        $self->{socket} = $socket;
        eval { $self->serve; 1 } or warn $@;
        POSIX::_exit(0);
    }
}

# Ends it, and with it every connection.
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

# The next group that executes STATEMENT ("setup": the module's question after
# connecting; "idle": at once, without a group, on a connection that waits) gets
# BEHAVIOUR, TIMES times.
sub plan {
    my ($self, $behaviour, $statement, $times) = @_;

    $times //= 1;
    write_file("$self->{dir}/plan.new",
               join "\t", $behaviour, $statement, $times);
    rename "$self->{dir}/plan.new", "$self->{dir}/plan" or die $!;
    return;
}

# True once the plan has been carried out in full.
sub done {
    my ($self) = @_;

    return !-e "$self->{dir}/plan";
}

# What has been executed of STATEMENT: a list of parameter lists, whatever
# answer it got.
sub executed {
    my ($self, $statement) = @_;

    open my $file, '<', "$self->{dir}/executed" or return;
    my @lines = <$file>;
    chomp @lines;
    return map { [split /\t/, $_, -1] }
        map { s/^\Q$statement\E\t// ? $_ : () } @lines;
}


# One connection -----------------------------------------------------------

sub serve {
    my ($self) = @_;

    return $self->{startup}->($self) if $self->{startup};
    $self->greet or return;

    my (@group, %prepared);
    while (1) {
        my ($type, $body) = $self->read_message(\@group) or return;
        return if $type eq 'X';
        if ($type eq 'P') {
            my ($name, $text) = unpack 'Z* Z*', $body;
            push @group, { parse => $name, text => $text };
        } elsif ($type eq 'B') {
            push @group, bind_of($body);
        } elsif ($type eq 'S') {
            $self->note(@group);
            my $act = $self->behaviour(@group);
            $act ? $act->($self, [@group]) : $self->send_answer(\@group);
            @group = ();
        }
    }
}

# Start-up as with a server that trusts everybody.
sub greet {
    my ($self) = @_;

    my $length = unpack 'N', $self->read_bytes(4) // return 0;
    $self->read_bytes($length - 4) // return 0;
    $self->put(message('R', pack 'N', 0),
               (map { message('S', join("\0", @$_) . "\0") }
                    [server_version => '15.0'], [client_encoding => 'UTF8'],
                    [standard_conforming_strings => 'on'],
                    [integer_datetimes => 'on']),
               message('K', pack 'NN', $$, 1), message('Z', 'I'));
    return 1;
}

sub read_message {
    my ($self, $group) = @_;

    # between groups a plan may be for a connection that waits
    while (!@$group && $self->{behaviours}) {
        my $bits = '';
        vec($bits, fileno $self->{socket}, 1) = 1;
        last if select $bits, undef, undef, 0.02;
        my $act = $self->behaviour({ bind => 'idle' }) or next;
        $act->($self, []);
    }

    my $head = $self->read_bytes(5) // return;
    my ($type, $length) = unpack 'a N', $head;
    my $body = $self->read_bytes($length - 4) // return;
    return ($type, $body);
}

sub read_bytes {
    my ($self, $n) = @_;

    my $bytes = '';
    while (length $bytes < $n) {
        sysread $self->{socket}, $bytes, $n - length $bytes, length $bytes
            or return undef;
    }
    return $bytes;
}

# Waits until the other side has gone, answering nothing.
sub hang {
    my ($self) = @_;

    while (sysread $self->{socket}, my $bytes, 65536) { }
    POSIX::_exit(0);
}

# Ends this connection, as a killed backend does.
sub die_now { POSIX::_exit(0) }

sub put {
    my ($self, @bytes) = @_;

    my $bytes = join '', @bytes;
    my $sent = 0;
    while ($sent < length $bytes) {
        $sent += syswrite($self->{socket}, $bytes, 65536, $sent)
            // POSIX::_exit(0);
    }
    return;
}

sub bind_of {
    my ($body) = @_;

    my (undef, $name, $rest) = unpack 'Z* Z* a*', $body;
    my ($formats) = unpack 'n', $rest;
    my $at = 2 + 2 * $formats;
    my $count = unpack 'n', substr $rest, $at, 2;
    $at += 2;
    my @values;
    for (1 .. $count) {
        my $length = unpack 'l>', substr $rest, $at, 4;
        push @values, $length < 0 ? undef : substr $rest, $at + 4, $length;
        $at += 4 + ($length < 0 ? 0 : $length);
    }
    return { bind => $name eq '' ? 'setup' : $name, values => \@values };
}

# Appends what is executed to the notes.
sub note {
    my ($self, @group) = @_;

    open my $file, '>>', "$self->{dir}/executed" or die $!;
    print {$file} map {
        defined $_->{bind}
            ? join("\t", $_->{bind},
                   map { my $v = $_ // 'NULL'; $v =~ s/\s/ /g; $v }
                       @{ $_->{values} }) . "\n"
            : ()
    } @group;
    return;
}

# The behaviour planned for this group, if any; takes one from the plan.
sub behaviour {
    my ($self, @group) = @_;

    my $path = "$self->{dir}/plan";
    return undef if !-e $path;
    open my $lock, '>>', "$path.lock" or die $!;
    flock $lock, LOCK_EX;
    open my $file, '<', $path or return undef;
    my ($name, $statement, $times) = split /\t/, <$file>;
    return undef if !grep { ($_->{bind} // '') eq $statement } @group;
    if ($times > 1) {
        write_file($path, join "\t", $name, $statement, $times - 1);
    } else {
        unlink $path;
    }
    return $self->{behaviours}{$name} // die "no behaviour $name\n";
}


# Messages -----------------------------------------------------------------

sub message { return $_[0] . pack('N', 4 + length $_[1]) . $_[1] }

# ErrorResponse ('E') or NoticeResponse ('N'): pairs of field and text.
sub report {
    my ($type, @fields) = @_;

    my $body = '';
    while (my ($field, $text) = splice @fields, 0, 2) {
        $body .= "$field$text\0";
    }
    return message($type, "$body\0");
}

sub error {
    my ($state, $severity) = @_;

    $severity //= 'ERROR';
    return report('E', S => $severity, V => $severity, C => $state,
                  M => "made up for a test");
}

# The right answer to a group, a list of [what, bytes, statement].
sub answer {
    my ($self, $group) = @_;

    my @answer;
    for my $item (@$group) {
        if (exists $item->{parse}) {
            push @answer, [parse => message('1', ''), $item->{parse}];
            next;
        }
        my $name = $item->{bind};
        my $columns = $name eq 'setup'
            ? [[version => text => $self->{version}]]
            : $self->{results}{$name} // [];
        $columns = $columns->(@{ $item->{values} }) if ref $columns eq 'CODE';
        my $rows = $self->{rows}{$name} // (@$columns ? 1 : 0);
        push @answer,
            [bind => message('2', ''), $name],
            [describe => description($columns, $name eq 'setup' ? 0 : 1), $name],
            (map { [row => row($columns), $name] } 1 .. $rows),
            [complete => message('C', "SELECT $rows\0"), $name];
    }
    push @answer, [sync => message('Z', 'I')];
    return @answer;
}

sub send_answer {
    my ($self, $group) = @_;

    $self->put(map { $_->[1] } $self->answer($group));
    return;
}

sub description {
    my ($columns, $format) = @_;

    return message('T', join '', pack('n', scalar @$columns), map {
        my ($name, $type) = @$_;
        "$name\0" . pack('N n N s> N n', 0, 0, $OID{$type} // die($type), -1,
                         0xffffffff, $format)
    } @$columns);
}

sub row {
    my ($columns) = @_;

    return message('D', join '', pack('n', scalar @$columns), map {
        my $bytes = defined $_->[2] ? encode($_->[1], $_->[2]) : undef;
        defined $bytes ? pack('N', length $bytes) . $bytes
            : pack 'l>', -1
    } @$columns);
}

sub encode {
    my ($type, $value) = @_;

    return $value if $type eq 'text' || $type eq 'json';
    return pack 'C', $value ? 1 : 0 if $type eq 'bool';
    return pack 'l>', $value if $type eq 'int4';
    return pack 'q>', $value if $type eq 'int8' || $type eq 'timestamptz';
    return pack 'H*', $value =~ s/-//gr if $type eq 'uuid';
    if ($type =~ /^(.*)\[\]$/) {
        my $of = $1;
        return pack 'N N N', 0, 0, $OID{$of} if !@$value;
        return join '', pack('N N N N N', 1, 0, $OID{$of}, scalar @$value, 1),
            map { my $e = encode($of, $_); pack('N', length $e) . $e } @$value;
    }
    die "no such type: $type\n";
}

sub write_file {
    my ($path, $text) = @_;

    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    return;
}

1;

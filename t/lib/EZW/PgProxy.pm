package EZW::PgProxy;

# A proxy between nginx and the real Postgres that knows the protocol well
# enough to lose a connection at the worst moment. Behaviours are planned as
# with EZW::FakePg, for the next group that executes a statement:
#
#   cut_before   the group arrives without its sync: nothing is committed
#   cut_after    the server has answered, hence committed; no answer arrives
#   cut_answer   the same, and half of the answer arrives
#   cut_during   the connection to nginx is cut while the server works on, and
#                perhaps commits while the statement comes again
#
#     my $proxy = EZW::PgProxy->start(port => $port, dir => $dir,
#                                     upstream => $postgres);

use strict;
use warnings;

use EZW::FakePg ();
use IO::Socket::UNIX ();
use IO::Select ();

our @ISA = ('EZW::FakePg');

my %behaviours = (
    cut_before => sub {
        my ($self, $bytes) = @_;
        $self->forward(substr $bytes, 0, -5);
        $self->die_now;
    },
    cut_after => sub {
        my ($self, $bytes) = @_;
        $self->forward($bytes);
        $self->group_answer;
        $self->die_now;
    },
    cut_answer => sub {
        my ($self, $bytes) = @_;
        $self->forward($bytes);
        my $answer = $self->group_answer;
        $self->put(substr $answer, 0, length($answer) / 2);
        $self->die_now;
    },
    cut_during => sub {
        my ($self, $bytes) = @_;
        $self->forward($bytes);
        $self->{socket}->close;
        $self->group_answer;
        $self->die_now;
    },
);

sub serve {
    my ($self) = @_;

    my $upstream = $self->{upstream};
    $self->{server} = IO::Socket::UNIX->new(
        Peer => "$upstream->{socket}/.s.PGSQL.$upstream->{port}")
        or return;
    $self->{behaviours} = \%behaviours;

    my $select = IO::Select->new($self->{socket}, $self->{server});
    my ($buffer, $begun, @group) = ('');
    my $bytes = '';
    while (1) {
        for my $ready ($select->can_read) {
            if ($ready == $self->{server}) {
                sysread $ready, my $answer, 65536 or return;
                $self->put($answer);
                next;
            }
            sysread $ready, $buffer, 65536, length $buffer or return;
            if (!$begun) {
                next if length $buffer < 4
                    || length $buffer < unpack 'N', $buffer;
                $self->forward(substr $buffer, 0, unpack('N', $buffer), '');
                $begun = 1;
            }
            while (length $buffer >= 5) {
                my ($type, $length) = unpack 'a N', $buffer;
                last if length $buffer < 1 + $length;
                my $message = substr $buffer, 0, 1 + $length, '';
                push @group, EZW::FakePg::bind_of(substr $message, 5)
                    if $type eq 'B';
                $bytes .= $message;
                next if $type !~ /^[SpX]$/;
                $self->note(@group);
                my $act = @group ? $self->behaviour(@group) : undef;
                $act ? $act->($self, $bytes) : $self->forward($bytes);
                $bytes = '';
                @group = ();
            }
        }
    }
}

sub forward {
    my ($self, $bytes) = @_;

    my $sent = 0;
    while ($sent < length $bytes) {
        $sent += syswrite($self->{server}, $bytes, 65536, $sent)
            // $self->die_now;
    }
    return;
}

# What the server says up to its ReadyForQuery.
sub group_answer {
    my ($self) = @_;

    my ($answer, $at) = ('', 0);
    while (1) {
        while (length $answer >= $at + 5) {
            my ($type, $length) = unpack 'a N', substr $answer, $at, 5;
            last if length $answer < $at + 1 + $length;
            $at += 1 + $length;
            return $answer if $type eq 'Z';
        }
        sysread $self->{server}, $answer, 65536, length $answer
            or $self->die_now;
    }
}

1;

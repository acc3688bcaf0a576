package EZW::Stall;

# How long the machine has kept processes from running that wanted to: what a
# promise of so many seconds cannot be held to. On a machine with nothing else
# to do it is next to nothing.
#
#     my $stall = EZW::Stall->start($t, $second);
#     ... what is measured ...
#     cmp_ok($took, '<', 2 + $stall->seconds, 'within two seconds');

use strict;
use warnings;

use Exporter 'import';
use Time::HiRes qw(time);

use EZW::Expect qw(wait_for);
use EZW::Postgres ();

our @EXPORT_OK = qw(lateness);

# From now on, of the workers of these nodes, their database and the test.
sub start {
    my ($class, @nodes) = @_;

    my $self = bless { nodes => \@nodes }, $class;
    $self->{began} = { map { %$_ } $self->waited };
    $self->{stolen} = stolen();
    return $self;
}

# The sum of what the slowest of each kind has lost, and what the host has taken
# from the machine as a whole.
sub seconds {
    my ($self) = @_;

    my $sum = stolen() - $self->{stolen};
    for my $kind ($self->waited) {
        my $most = 0;
        for my $pid (keys %$kind) {
            my $lost = $kind->{$pid} - ($self->{began}{$pid} // 0);
            $most = $lost if $lost > $most;
        }
        $sum += $most;
    }
    return $sum;
}

# How many seconds after now something was still asked of these nodes that was
# answered as before, until RIGHT returns true for good: what is told of a change
# to whoever asks, however long the answers themselves may take.
sub lateness {
    my ($nodes, $right, $what) = @_;

    my $self = __PACKAGE__->start(@$nodes);
    my ($began, $latest) = (time, 0);
    wait_for(sub {
        my $asked = time;
        return 1 if $right->();
        $latest = $asked - $began;
        return 0;
    }, 60, $what);
    return $latest - $self->seconds;
}

# Seconds that each has waited for a processor, kind by kind: pid => seconds.
sub waited {
    my ($self) = @_;

    my @workers = map { $_->worker_pids(1) } @{ $self->{nodes} };
    my %postmaster = map { $_->{postgres}->pid // 0 => 1 } @{ $self->{nodes} };
    my @backends = grep { $postmaster{ EZW::Postgres::stat_parent($_) } }
        map { m{^/proc/(\d+)/} } glob '/proc/[0-9]*/stat';
    return map { of(@$_) } \@workers, \@backends, [$$];
}

sub of {
    my (@pids) = @_;

    return { map {
        my $wait = (split ' ', EZW::Postgres::slurp("/proc/$_/schedstat"))[1];
        ($_ => ($wait // 0) / 1e9);
    } @pids };
}

# What a hypervisor has given to others, in seconds of one processor.
sub stolen {
    my $ticks = (split ' ', EZW::Postgres::slurp('/proc/stat'))[8] // 0;
    return $ticks / 100;
}

1;

# One key hammered by 200 connections over four workers: what passes is what
# the limit says, to the request, and who asks with another key feels nothing.
# t/all/rate_long.t does it for longer.

use EZW;
use IO::Socket::INET ();
use POSIX qw(ceil floor);
use Time::HiRes qw(clock_gettime);

our $SECONDS //= 3;
my $RATE = 200;                  # a second: as many can be asked anywhere
my $BURST = 400;
my $CONNECTIONS = 200;

# Each worker listens for itself, so that all of them get connections. On the
# other port keys have no limit: what is asked there warms up.
my $t = EZW->start(
    workers => 4, server => 'ezw_rate key off;',
    rates => "ezw_rate key rate=${RATE}r/s burst=$BURST; "
        . 'ezw_rate address rate=1000000r/s burst=1000000;',
    http => <<'CONF');
log_format each '$pid $status $ezw_gate';
    server {
        listen 127.0.0.1:%%PORT:each%% reuseport;
        access_log %%DIR%%/each.log each;
        location /v3/ { ezw_api v3; }
    }
CONF
my $demo = $t->demo;
my %key = map { $_ => $t->key(company => $demo->{company}, scope => 'COMPANY') }
    qw(hammered other);
$key{single} = $t->key(company => $demo->{company}, scope => 'COMPANY',
                       rate_per_minute => 60_000, burst => 1);
for my $key (@key{qw(hammered other)}) {
    my $r = $t->http(GET => '/v3/keys/current', key => $key);
    is($r->status, 200, 'no limit on the other port');
    is($r->header('ratelimit'), undef, 'and no header of one');
}

sub now { return clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) }

sub connection {
    my ($key) = @_;

    my $socket = IO::Socket::INET->new(
        PeerHost => '127.0.0.1', PeerPort => $t->port('each'), Proto => 'tcp')
        or die "no connection: $@";
    $socket->blocking(0);
    return { socket => $socket, buffer => '',
             bytes => EZW::Client::request_bytes(
                 GET => '/v3/keys/current', key => $key) };
}

# The requests are far smaller than a socket's buffer.
sub ask {
    my ($c) = @_;

    $c->{sent} = now();
    (syswrite $c->{socket}, $c->{bytes}) == length $c->{bytes}
        or die "write: $!";
    return;
}

# Does an answer tell of a limit of POLICY what it should?
sub tells {
    my ($r, $policy) = @_;

    my ($burst) = $policy =~ /q=(\d+)/;
    my ($left, $until) = ($r->header('ratelimit') // '')
        =~ /^"key";r=(\d+);t=(\d+)$/;
    my $retry = $r->header('retry-after');
    return defined $left && $left < $burst
        && $r->header('ratelimit-policy') eq $policy
        && ($r->status == 429 ? $left == 0 && $until > 0 && $retry >= $until
            : $r->status == 200 && !defined $retry);
}

# All connections ask with KEY for SECONDS, and until ENOUGH of what there is by
# then is true, each again as soon as it has its answer; one with OTHER meanwhile, but not within ten milliseconds, which is
# well below its limit. POLICY is that of both. Returns how many were {accepted}
# and {refused}, {wrong} answers, a few {refusals}, what the other's took
# ({latency}), and the {longest} and the {shortest} time that it can have been.
sub hammer {
    my ($key, $policy, $seconds, $other_key, $enough) = @_;

    my $other = $other_key && connection($other_key);
    my @connections = map { connection($key) } 1 .. $CONNECTIONS;
    my %by_fd = map { fileno $_->{socket} => $_ }
        @connections, $other ? $other : ();
    my %got = (accepted => 0, refused => 0, latency => [], wrong => [],
               refusals => []);
    my ($first_accepted, $last_accepted, $last_refused, $asked_other)
        = (undef, 0, 0, 0);

    my $answered = sub {
        my ($c, $r) = @_;

        my $at = now();
        my $sent = delete $c->{sent};
        push @{ $got{wrong} }, $r if !tells($r, $policy)
            || ($other && $c == $other && $r->status != 200);
        if ($other && $c == $other) {
            push @{ $got{latency} }, $at - $sent;
        } elsif ($r->status == 200) {
            $got{accepted}++;
            push @{ $got{accepted_in} }, $at - $sent;
            $first_accepted //= $at;
            $last_accepted = $at;
        } else {
            $got{refused}++;
            $last_refused = $sent if $sent > $last_refused;
            push @{ $got{refusals} }, $r if @{ $got{refusals} } < 5;
        }
    };

    my $began = now();
    my $deadline = $began + $seconds;
    my $patience = $deadline + 60 * $EZW::Expect::PATIENCE;
    ask($_) for @connections;
    while (1) {
        my $now = now();
        die "no answers\n" if $now > $patience;
        if ($now >= $deadline && $enough && !$enough->(\%got)
            && $now < $patience - 30)
        {
            $deadline = $now + 0.2;
            ask($_) for grep { !$_->{sent} } @connections;
        }
        last if $now >= $deadline && !grep { $_->{sent} } values %by_fd;
        if ($other && !$other->{sent} && $now < $deadline
            && $now > $asked_other + 0.01)
        {
            $asked_other = $now;
            ask($other);
        }
        my $read = '';
        vec($read, $_, 1) = 1 for keys %by_fd;
        select($read, undef, undef, 0.01) > 0 or next;
        for my $fd (grep { vec $read, $_, 1 } keys %by_fd) {
            my $c = $by_fd{$fd};
            my $n = sysread $c->{socket}, $c->{buffer}, 65536,
                            length $c->{buffer};
            die 'a connection was closed: ' . ($! || 'end') . "\n"
                if !$n && !$!{EAGAIN};
            my $r = EZW::Response->take(\$c->{buffer}, 'GET') or next;
            $answered->($c, $r);
            ask($c) if now() < $deadline && !($other && $c == $other);
        }
    }

    # The server looks at the same clock as we do: its first request was counted
    # between the first send and the first answer; all that was accepted, before
    # the last such answer; and when the last refused request came nothing was
    # left. It counts in whole microseconds.
    $got{longest} = $last_accepted - $began + 0.00001;
    $got{shortest} = $last_refused - $first_accepted - 0.00001;
    return \%got;
}

sub answers_are_right {
    my ($got, $name) = @_;

    my @wrong = @{ $got->{wrong} };
    is(scalar(@wrong), 0,
       "$name: each answer tells the limit and what is left of it")
        or diag map { to_json($_->{headers}) . ' ' . $_->as_text . "\n" }
            splice @wrong, 0, 5;
    for my $r (@{ $got->{refusals} }) {
        is_refused($r, 429, 1003, { message => 'Rate limit exceeded' },
                   "$name: refused");
    }
    return;
}

my $got = hammer($key{hammered}, qq("key";q=$BURST;w=2), $SECONDS,
                 $key{other}, sub {
    my ($got) = @_;
    return $got->{refused} > $got->{accepted} / 5
        && @{ $got->{latency} } > 5 * $SECONDS;
});
answers_are_right($got, 'a limit');
note sprintf '%d accepted and %d refused in %.3f to %.3f s: %.1f to %.1f',
    @$got{qw(accepted refused shortest longest)},
    $BURST + $RATE * $got->{shortest}, $BURST + $RATE * $got->{longest};
cmp_ok($got->{accepted}, '<=', floor($BURST + $RATE * $got->{longest}),
       'no more than burst and rate allow');
cmp_ok($got->{accepted}, '>=', ceil($BURST + $RATE * $got->{shortest} - 1),
       'and no less');
cmp_ok($got->{accepted}, '>=', 0.99 * ($BURST + $RATE * $got->{shortest}),
       'within a hundredth');
cmp_ok($got->{shortest}, '>', $SECONDS / 2,
       'the limit was reached all the time');
cmp_ok($got->{refused}, '>', $got->{accepted} / 5, 'many more asked than may');

# The other key.
my @latency = sort { $a <=> $b } @{ $got->{latency} };
my @same = sort { $a <=> $b } @{ $got->{accepted_in} };
cmp_ok(scalar(@latency), '>', 5 * $SECONDS, 'the other key has asked');
# as quickly as anybody, however quick the machine is
cmp_ok($latency[@latency / 2], '<',
       0.5 * $EZW::Expect::PATIENCE + 2 * $same[@same / 2],
       'and has been answered in time');

# With a burst of one the workers' clocks must agree: what one has refused
# another would let through. (A thousand a second, of which those are lost that
# nobody asks for in time.)
my $single = hammer($key{single}, '"key";q=1;w=1', 1);
answers_are_right($single, 'a burst of one');
cmp_ok($single->{accepted}, '<=', floor(1 + 1000 * $single->{longest}),
       'a burst of one: no more than that');
cmp_ok($single->{accepted}, '>', 100, 'a burst of one: but many');

# All workers have taken part, and the log knows who was refused.
my $accepted = $got->{accepted} + $single->{accepted} + @latency;
my $refused = $got->{refused} + $single->{refused};
wait_for(sub { EZW::slurp("$t->{dir}/each.log") =~ tr/\n//
               >= $accepted + $refused }, 20,
         'the last lines of the log');
my (%workers, %seen);
for (split /\n/, EZW::slurp("$t->{dir}/each.log")) {
    my ($pid, $status, $verdict) = split / /;
    $workers{$pid}++;
    $seen{"$status $verdict"}++;
}
is(scalar(keys %workers), 4, 'four workers');
is_deeply(\%seen,
          { '200 ok' => $accepted, '429 rate' => $refused },
          'the verdicts in the log');

done_testing;

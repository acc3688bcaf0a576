#!/usr/bin/perl
# Sign-ins in an open loop: PORT RATE SECONDS. One is begun every 1/RATE s
# whatever becomes of those before it, each on a connection of its own.
# BENCH_EMAIL and BENCH_PASSWORD say who. Prints how many there were, the
# median and the longest time of one in µs, and how many were not answered 200;
# the first wrong answer goes to standard error.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use Time::HiRes qw(time);

my ($port, $rate, $seconds) = @ARGV;

my $body = encode_json({ email => $ENV{BENCH_EMAIL},
                         password => $ENV{BENCH_PASSWORD} });
my $request = "POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\n"
    . "Content-Type: application/json\r\nContent-Length: " . length($body)
    . "\r\nConnection: close\r\n\r\n$body";

my $total = int($rate * $seconds);
my $began = 0;
my $start = time;
my $select = IO::Select->new;
my (%due, %answer, @took, $errors);
$errors = 0;

while (@took < $total) {
    my $next = $start + $began / $rate;
    my $wait = $began < $total ? $next - time : 10;
    if ($wait <= 0) {
        my $socket = IO::Socket::INET->new(PeerHost => '127.0.0.1',
                                           PeerPort => $port)
            or die "no connection: $!\n";
        syswrite $socket, $request;
        $due{$socket} = $next;
        $answer{$socket} = '';
        $select->add($socket);
        $began++;
        next;
    }
    my @ready = $select->can_read($wait);
    die "no answer in 10 s\n" if !@ready && $began == $total;
    for my $socket (@ready) {
        next if sysread $socket, $answer{$socket}, 65536,
                        length $answer{$socket};
        push @took, (time - $due{$socket}) * 1e6;
        if ($answer{$socket} !~ m{^HTTP/1\.1 200 }) {
            warn "$answer{$socket}\n" if !$errors++;
        }
        $select->remove($socket);
        close $socket;
    }
}

@took = sort { $a <=> $b } @took;
printf "%d %d %d %d\n", $total, $took[$#took / 2], $took[-1], $errors;

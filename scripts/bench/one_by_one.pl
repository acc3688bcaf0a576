#!/usr/bin/perl
# COUNT requests of CLASS over one connection, each after the answer to the
# last, the same ones in every run: PORT CLASS COUNT. For callgrind.

use strict;
use warnings;

use IO::Socket::INET;

my ($port, $class, $count) = @ARGV;
my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port")
    or die "connect: $!\n";

sub request {
    my ($n) = @_;

    my $i = $class eq 'read' ? $n * 7919 % 100_000
        : ($n * 7919 % 10_000) * 10 + $n * 7919 % 10;
    my $path = sub {
        return sprintf '/v3/channels/%d@whatsapp.eazy.im/%s/%d@whatsapp.eazy.im',
            31600000000 + $i % 10, $_[0], 31700000000 + $i;
    };
    return ('GET', '/v3/keys/current', '', 200) if $class eq 'key';
    return ('GET', $path->('contacts'), '', 200) if $class eq 'read';
    return ('POST', $path->('messages'), qq({"message":$ENV{BENCH_MESSAGE}}), 201)
        if $class eq 'send';
    return ('PATCH', $path->('conversations'),
            $count == 100 ? '{"unreadCount":0}' : '{"status":"CLOSED"}', 200);
}

for my $n (1 .. $count) {
    my ($method, $path, $body, $expected) = request($n);

    my $head = "$method $path HTTP/1.1\r\nHost: bench\r\n"
        . "Authorization: Bearer $ENV{BENCH_KEY}\r\n";
    $head .= "Content-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\n" if length $body;
    syswrite $socket, "$head\r\n$body" or die "write: $!\n";

    my $answer = '';
    my $whole;
    until (defined $whole && length $answer >= $whole) {
        sysread $socket, $answer, 65536, length $answer or die "read: $!\n";
        if (!defined $whole && $answer =~ /\r\n\r\n/) {
            $whole = $+[0];
            $whole += $1 if $answer =~ /^Content-Length: (\d+)/mi;
        }
    }
    my ($status) = $answer =~ m{^HTTP/1\.1 (\d+)};
    die "$method $path: $status\n" if $status != $expected;
}

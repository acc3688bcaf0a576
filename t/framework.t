# The tests' own tools: what they must tell apart, they do.

use EZW;

sub differs {
    my ($got, $want) = @_;

    return defined EZW::Json::json_difference(from_json($got), $want);
}

ok(!differs('{"a":[1,"1",null,true]}', { a => [1, '1', undef, true] }), 'same');
ok(differs('[1]', ['1']), 'a number is no string');
ok(differs('["1"]', [1]), 'a string is no number');
ok(differs('[0]', [false]), 'zero is not false');
ok(differs('{"a":null}', {}), 'null is there');
ok(differs('{}', { a => undef }), 'what is missing is not null');
ok(differs('[1,2]', [1]), 'a longer list');
ok(differs('{"a":{"b":1}}', { a => { b => 2 } }), 'deep inside');
ok(!differs('["abc"]', [qr/^a/]), 'a pattern');
ok(differs('[5]', [qr/5/]), 'a pattern is for strings');
ok(!differs('[5]', [sub { $_[0] > 4 }]), 'a condition');

my $buffer = "HTTP/1.1 100 Continue\r\n\r\n"
    . "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nA: 1\r\na: 2\r\n\r\n"
    . "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    . "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc";
my $first = EZW::Response->take(\$buffer, 'GET');
is($first->body, 'abcde', 'chunks are put together');
is($first->header('A'), '1, 2', 'repeated headers are joined');
is(EZW::Response->take(\$buffer, 'GET')->status, 204, 'the next in a pipeline');
is(EZW::Response->take(\$buffer, 'GET'), undef, 'half a body is no answer');

my $t = EZW->start(start => 0, allow => [qr/harmless/]);
my $log = "$t->{dir}/error.log";
for my $case (
    ['2026/01/01 00:00:00 [notice] 1#1: all is well', 0],
    ['2026/01/01 00:00:00 [alert] 1#1: harmless', 0],
    ['2026/01/01 00:00:00 [alert] 1#1: open socket left', 1],
    ['2026/01/01 00:00:00 [emerg] 1#1: bind() failed', 1],
    ['==1==ERROR: AddressSanitizer: heap-use-after-free', 1],
    ['==1==ERROR: LeakSanitizer: detected memory leaks', 1],
    ['a.c:1:2: runtime error: signed integer overflow', 1],
) {
    EZW::write_file($log, "$case->[0]\n");
    is(scalar(() = $t->complaints), $case->[1], "log: $case->[0]");
}
unlink $log;
EZW::write_file("$t->{dir}/reports/asan.1", "report\n");
is(scalar(() = $t->complaints), 1, 'a report of a sanitizer');
unlink "$t->{dir}/reports/asan.1";

my $before = $t->snapshot;
my $company = $t->company;
isnt(to_json($t->snapshot), to_json($before), 'a snapshot sees a new row');

done_testing;

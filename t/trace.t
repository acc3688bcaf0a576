# The trace id: taken from a caller's traceparent, else made; on every answer,
# in every error, in the access log.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;', server => <<'CONF');
        location /v3/small/ { ezw_api v3; ezw_max_body 1k; }
        location /v3/refuses/ { ezw_api v3; return 403; }
        location /plain { return 200 "plain"; }
        location /plain404 { return 404; }
CONF
my $demo = $t->demo;
my $key = $demo->{key}{COMPANY};
my $channel = "/v3/channels/$demo->{channel}";
my $contact = $demo->{contact};
my $given = '4bf92f3577b34da6a3ce929d0e0e4736';
my $parent = "00-$given-00f067aa0ba902b7-01";

sub trace { return $_[0]->header('x-trace-id') }

# The line of the access log with a trace id.
sub line {
    my ($trace) = @_;
    return wait_for(sub { ($t->access_log =~ /^(.* trace=\Q$trace\E .*)$/m)[0] },
                    5, 'a line in the access log');
}

# Every kind of answer, the endpoint that the log names, and the gate's word.
my @requests = (
    ['a 200', 200, 'key_current', 'ok', GET => '/v3/keys/current'],
    ['a HEAD', 200, 'key_current', 'ok', HEAD => '/v3/keys/current'],
    ['a list', 200, 'channel_list', 'ok', GET => '/v3/channels'],
    ['a 201', 201, 'contact_create', 'ok', POST => "$channel/contacts",
     json => { jid => $contact }],
    ['a message', 201, 'message_send', 'ok', POST =>
     "$channel/messages/$contact", json => { type => 'text', body => 'Hi' }],
    ['a PATCH', 200, 'contact_update', 'ok', PATCH =>
     "$channel/contacts/$contact", json => {}],
    ['a 204', 204, 'contact_delete', 'ok', DELETE =>
     "$channel/contacts/$contact"],
    ['a 404', 404, 'contact_get', 'ok', GET => "$channel/contacts/$contact"],
    ['a 404 of a path', 404, '-', 'no_route', GET => '/v3/nothing'],
    ['a 405', 405, '-', 'no_route', DELETE => '/v3/keys/current'],
    ['a 400', 400, 'contact_create', 'ok', POST => "$channel/contacts",
     json => {}],
    ['a 400 of a JID', 400, 'contact_get', 'ok', GET => "$channel/contacts/x"],
    ['a 400 of a path', 400, '-', 'no_route', GET => '/v3/%ff'],
    ['a 415', 415, 'contact_create', 'ok', POST => "$channel/contacts",
     body => 'x'],
    ['a 401 without a key', 401, 'key_current', 'no_key',
     GET => '/v3/keys/current', key => undef],
    ['a 401 with another key', 401, 'key_current', 'bad_key',
     GET => '/v3/keys/current', key => $t->random_text(40)],
    ['a 403 of the scope', 403, 'conversation_get', 'scope',
     GET => "$channel/conversations/$contact", key => $demo->{key}{CHANNEL}],
    ['a 403 of an object', 403, 'company_get', 'object',
     GET => '/v3/companies/' . $t->uuid],
    ['a 413 of nginx', 413, '-', '-', POST => '/v3/small/x',
     body => 'x' x 2000],
    ['a 403 of nginx', 403, '-', '-', GET => '/v3/refuses/x'],
    ['a 404 of the workspace', 404, '-', 'no_route', GET => '/api/nothing'],
    ['healthz', 200, '-', '-', GET => '/healthz'],
    ['readyz', 200, '-', '-', GET => '/readyz'],
    ['a 405 of healthz', 405, '-', '-', DELETE => '/healthz'],
);
my %seen;
for my $case (@requests) {
    my ($name, $status, $endpoint, $gate, $method, $path, %o) = @$case;
    %o = (key => $key, %o);

    my $r = $t->http($method => $path, %o);
    is($r->status, $status, "$name: status");
    like(trace($r), qr/^[0-9a-f]{32}$/, "$name: a trace id");
    ok(!$seen{trace($r)}++, "$name: its own");
    if ($status >= 400 && $method ne 'HEAD') {
        is($r->json->{traceId}, trace($r), "$name: in the body");
    }
    my $line = line(trace($r));
    like($line, qr/^$status /, "$name: in the log");
    like($line, qr/ endpoint="\Q$endpoint\E" gate=\Q$gate\E /,
         "$name: what the log says of it");

    # once more with a traceparent (what made something is now a duplicate)
    my $again = $t->http($method => $path, %o,
                         headers => { traceparent => $parent });
    is(trace($again), $given, "$name: the caller's");
    is($again->json->{traceId}, $given, "$name: the caller's, in the body")
        if $again->status >= 400 && $method ne 'HEAD';
}
my $lines = sub { return scalar(() = $t->access_log =~ / trace=$given /g) };
wait_for(sub { $lines->() >= @requests }, 5, 'the last line of the log');
is($lines->(), scalar @requests, 'in every line of the log');

# Elsewhere we say nothing.
for my $path ('/plain', '/plain404', '/nothing') {
    is(trace($t->http(GET => $path, headers => { traceparent => $parent })),
       undef, "none on $path");
}

# What is a traceparent.
my $zero = '0' x 32;
for my $case (
    ['the header in capitals', { TraceParent => $parent }, 1],
    ['not sampled', { traceparent => "00-$given-00f067aa0ba902b7-00" }, 1],
    ['a later version', { traceparent => "01-$given-00f067aa0ba902b7-01" }, 1],
    ['a later version with more',
     { traceparent => "cc-$given-00f067aa0ba902b7-01-what-else" }, 1],
    ['with a tracestate', { traceparent => $parent, tracestate => 'a=b' }, 1],
    ['no version', { traceparent => "$given-00f067aa0ba902b7-01" }, 0],
    ['version ff', { traceparent => "ff-$given-00f067aa0ba902b7-01" }, 0],
    ['version 0 with more', { traceparent => "$parent-x" }, 0],
    ['only zeros', { traceparent => "00-$zero-00f067aa0ba902b7-01" }, 0],
    ['a parent of zeros',
     { traceparent => "00-$given-0000000000000000-01" }, 0],
    ['in capitals', { traceparent => uc $parent }, 0],
    ['31 digits', { traceparent => "00-" . substr($given, 1)
                                   . "-00f067aa0ba902b7-01" }, 0],
    ['no digits', { traceparent => "00-" . 'g' x 32
                                   . "-00f067aa0ba902b7-01" }, 0],
    ['no flags', { traceparent => "00-$given-00f067aa0ba902b7" }, 0],
    ['underscores', { traceparent => $parent =~ tr/-/_/r }, 0],
    ['nothing', { traceparent => '' }, 0],
    ['an id only', { traceparent => $given }, 0],
    ['another header', { 'X-Trace-Id' => $given, 'X-Request-Id' => $given }, 0],
    ['long', { traceparent => $parent . 'x' x 1000 }, 0],
    ['quotes', { traceparent => "00-'" . substr($given, 1)
                                . "-00f067aa0ba902b7-01" }, 0],
) {
    my ($name, $headers, $taken) = @$case;
    my $r = $t->http(GET => '/v3/nothing', headers => $headers);
    is($r->status, 404, "$name: no error of its own");
    if ($taken) {
        is(trace($r), $given, "taken: $name");
    } else {
        like(trace($r), qr/^(?!\Q$given\E)[0-9a-f]{32}$/, "not taken: $name");
        is($r->json->{traceId}, trace($r), "not taken, one for all: $name");
    }
}

# It reaches the database.
$t->http(POST => "$channel/contacts", key => $key, json => { jid => $contact });
$t->http(DELETE => "$channel/contacts/$contact", key => $key,
         headers => { traceparent => $parent });
is($t->value('select count(*) from ezw.audit_log where trace = ?', $given), 1,
   'in the audit log');

done_testing;

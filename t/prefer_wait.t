# "Prefer: wait=N": a send is answered when the platform has taken it, with its
# error when that has refused it, or when N seconds are over.
#
# sanitizers

use EZW;
use Time::HiRes qw(time);

# one without a courier, so that nothing happens of itself
my $t = EZW->start(http => 'ezw_courier off;');
my $demo = $t->demo;
my $base = "/v3/channels/$demo->{channel}/messages";
my $key = $demo->{key}{CHANNEL};
my %sent = (id => qr/^[0-9a-f]{40}$/);
my $n = 0;

sub actor { return sprintf '31%02d%s@whatsapp.eazy.im', ++$n, $_[0] }

sub request {
    my ($contact, $prefer, %headers) = @_;
    return (POST => "$base/$contact", key => $key,
            json => { type => 'text', body => 'Hello' },
            headers => { defined $prefer ? (Prefer => $prefer) : (), %headers });
}

sub status {
    my ($r) = @_;
    return $t->value(q{select status from ezw.message
                        where id = decode(?, 'hex')}, $r->json->{id});
}

# Nobody takes it: time goes by, and no longer than was asked.
my $began = time;
my $r = $t->http(request($t->contact_jid, 'wait=1'));
ok(time - $began >= 0.9, 'it has waited');
is_answer($r, 201, \%sent, 'time is over');
is($r->header('preference-applied'), 'wait=1', 'as was asked');
is(status($r), 'QUEUED', 'nobody has taken it');
for my $prefer (undef, 'wait=0', 'wait', 'wait=x', 'respond-async') {
    $r = $t->http(request($t->contact_jid, $prefer));
    is_answer($r, 201, \%sent, $prefer // 'nothing asked');
    is($r->header('preference-applied'), undef, 'no wait');
}
# a refusal waits for nothing
is_refused($t->http(request('lid.1234567@whatsapp.eazy.im', 'wait=8')), 422,
           1007, { message => 'User does not have WhatsApp' }, 'a refusal');

# Sent until it is no longer QUEUED when the answer comes: on a machine that has
# much else to do the eight seconds may be over before the courier gets on.
sub in_time {
    my ($at, $contact) = @_;
    my $r;
    for (1 .. 10) {
        $r = $at->http(request($contact->(), 'wait=8'));
        last if $r->status != 201 || status($r) ne 'QUEUED';
    }
    return $r;
}

# Another node takes it, whichever was asked.
my $node = EZW->start(like => $t);
for my $at ($t, $node) {
    my $r = in_time($at, sub { $t->contact_jid });
    is_answer($r, 201, \%sent, 'taken');
    is($r->header('preference-applied'), 'wait=8', 'was waited for');
    isnt(status($r), 'QUEUED', 'by the platform');
}
$r = $node->http(request($t->contact_jid, 'wait=600'));
is_answer($r, 201, \%sent, 'at most 8 seconds');
is($r->header('preference-applied'), 'wait=8', 'which the answer says');
is_answer($node->http(request(actor('00002001'), 'wait=8')), 201, \%sent,
          'it need not have arrived');

# Refused by the platform: that is the answer.
my %refused = (
    1003 => [503, 'Service unavailable'], 1005 => [400, 'Validation error'],
    1006 => [404, 'Template name does not exist'],
    1007 => [422, 'User does not have WhatsApp'],
    1008 => [400, 'Media is invalid'], 1011 => [422, 'Message rejected'],
    1012 => [502, 'Bad gateway'], 1013 => [400, 'Parameter count mismatch'],
    1015 => [422, 'Customer care window expired'],
);
for my $code (sort keys %refused) {
    my ($status, $message) = @{ $refused{$code} };
    my $r = in_time($node, sub {
        return actor($code == 1015 ? '00002015' : "0000$code");
    });
    is_refused($r, $status, $code, { message => $message }, "fails with $code");
    is($r->header('preference-applied'), 'wait=8', "$code: was waited for");
}

# What an idempotency key keeps is the send's own answer.
my $contact = actor('00001007');
my @once = ('Idempotency-Key' => 'wait-1');
$r = wait_for(sub {
    my $r = $node->http(request($contact, 'wait=8', @once));
    return ($r->status != 201 || status($r) ne 'QUEUED') && $r;
}, 120, 'an answer in time');
is_refused($r, 422, 1007,
           { message => 'User does not have WhatsApp' }, 'with a key: fails');
$r = $node->http(request($contact, undef, @once));
is_answer($r, 201, \%sent, 'without the wait: the answer that was kept');
is($r->header('idempotency-replayed'), 'true', 'a replay');
is_refused($node->http(request($contact, 'wait=8', @once)), 422, 1007,
           { message => 'User does not have WhatsApp' },
           'a replay waits as well');
is($t->value(q{select count(*) from ezw.message m
                 join ezw.conversation v on v.id = m.conversation
                where v.contact_jid = ?}, $contact), 1, 'it was sent once');

# Many wait, and hold no connection: others are answered meanwhile.
$node->stop;
my @waiting = map {
    my $client = $t->client;
    $client->send_request(request($t->contact_jid, 'wait=8'));
    $client;
} 1 .. 40;
wait_for(sub {
    return $t->value(q{select count(*) from ezw.message
                        where status = 'QUEUED'}) >= 40;
}, 20, 'all are sent');
is($t->http(GET => '/v3/keys/current', key => $key)->status, 200,
   'another request is answered');
# clients that go away, and a reload under those that stay
$_->close for splice @waiting, 0, 20;
$t->reload;
$t->sql(q{update ezw.message set status = 'SENT', sent_at = now()
           where status = 'QUEUED'});
for my $client (@waiting) {
    is_answer($client->read_response('POST'), 201, \%sent, 'answered');
    $client->close;
}

# A database that is away is no error of the message.
my $alone = EZW->start(postgres => EZW->private_postgres,
                       http => 'ezw_courier off;');
$demo = $alone->demo;
$base = "/v3/channels/$demo->{channel}/messages";
$key = $demo->{key}{CHANNEL};
my $client = $alone->client;
$client->send_request(request($alone->contact_jid, 'wait=3'));
wait_for(sub { $alone->value('select count(*) from ezw.message') }, 20,
         'it is sent');
delete $alone->{dbh};
$alone->{postgres}->stop;
is_answer($client->read_response('POST'), 201, \%sent,
          'the answer of what was done');
$client->close;

done_testing;

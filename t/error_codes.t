# All fifteen error codes, each by its real cause; what a connector alone can
# know is told by a receipt, or is the answer of one who waits for it.

use EZW;

my $t = EZW->start;
my $demo = $t->demo;
my ($company, $channel) = @$demo{qw(company channel)};
my $key = $demo->{key}{COMPANY};
my $n = 0;

sub post {
    my ($contact, $message, %o) = @_;
    my $where = delete $o{channel} // $channel;
    return $t->http(POST => "/v3/channels/$where/messages/$contact",
                    key => $key, json => { message => $message }, %o);
}

sub actor { return sprintf '31%02d%s@whatsapp.eazy.im', ++$n, $_[0] }

my %text = (type => 'text', body => 'Hi');

sub template {
    my ($name) = @_;
    return { type => 'template', template => {
        name => $name, language => { code => 'en' }, components => [] } };
}

# What a connector says: at once to who waits, else by a receipt.
sub fails {
    my ($code, $status, $message) = @_;
    my $r = wait_for(sub {
        my $r = post(actor("0000$code"), \%text,
                     headers => { Prefer => 'wait=8' });
        return $r->status != 201 && $r;
    }, 60, "$code: an outcome");
    is_refused($r, $status, $code, { message => $message },
               "$code: to who waits");
    $r = post(my $contact = actor("0000$code"), \%text);
    is_answer($r, 201, { id => qr/^[0-9a-f]{40}$/ }, "$code: sent");
    my $id = $r->json->{id};
    my $path = "/v3/channels/$channel/messages/$contact/$id";
    my $m = wait_for(sub {
        my $m = $t->http(GET => $path, key => $key)->json;
        return $m->{status} eq 'FAILED' && $m;
    }, 20, "$code: a receipt");
    is_json($m->{error}, { code => $code, message => $message },
            "$code: says so");
    return;
}

is_refused(post($t->contact_jid, \%text, key => undef), 401, 1001,
           { message => 'Unauthorized: no API key' }, 'no key');
is_refused(post($t->contact_jid, \%text, key => 'x' x 40), 401, 1001, {},
           'an unknown key');

is_refused(post($t->contact_jid, \%text, key => $demo->{key}{CHANNEL},
                channel => '31699999999@whatsapp.eazy.im'), 403, 1002,
           { message => 'Access denied: not a channel of the API key' },
           "not the key's channel");

fails(1003, 503, 'Service unavailable');
my $alone = EZW->start(ready => 0, pg_host => '127.0.0.1',
                       pg_port => $t->port('nobody'), like => $t,
                       http => 'ezw_courier off;');
is_refused($alone->http(GET => '/v3/keys/current', key => $key), 503, 1003,
           { message => 'Service unavailable' }, 'no database');

$t->sql('alter function ezw.message_states rename to message_states_away');
my $r = post(my $contact = $t->contact_jid, \%text);
is_refused($t->http(GET => "/v3/channels/$channel/messages/$contact/"
                        . $r->json->{id}, key => $key), 500, 1004,
           { message => 'Internal server error' }, 'a bug');
$t->sql('alter function ezw.message_states_away rename to message_states');

fails(1005, 400, 'Validation error');
is_refused(post($t->contact_jid, { type => 'text' }), 400, 1005,
           { message => 'message.body is required', field => 'message.body' },
           'no body');

fails(1006, 404, 'Template name does not exist');
is_refused(post($t->contact_jid, template('none')), 404, 1006,
           { message => 'Template name does not exist',
             field => 'message.template' }, 'no such template');

fails(1007, 422, 'User does not have WhatsApp');
is_refused(post('lid.123456@whatsapp.eazy.im', \%text), 422, 1007,
           { message => 'User does not have WhatsApp' }, 'no number');

fails(1008, 400, 'Media is invalid');
is_refused(post($t->contact_jid, { type => 'image', mimeType => 'image/png' }),
           400, 1008, { message => 'media.url or message.url is required',
                        field => 'media' }, 'no media');

is_refused($t->http(GET => "/v3/channels/$channel/contacts/"
                        . $t->contact_jid, key => $key), 404, 1009,
           { message => 'Not found' }, 'nobody');
is_refused($t->http(GET => '/v3/nothing', key => $key), 404, 1009,
           { message => 'Not found' }, 'nothing');

$contact = $t->contact_jid;
is(post($contact, \%text, key => $demo->{key}{ASSISTANT})->status, 201,
   "an assistant's conversation");
my $other = $t->key(company => $company, scope => 'ASSISTANT',
                    assistant => $t->assistant(company => $company));
is_refused(post($contact, \%text, key => $other), 403, 1010,
           { message => 'Assistant has no ownership of conversation' },
           "another's");

fails(1011, 422, 'Message rejected');
my $id = $t->value('select id from ezw.channel where jid = ?', $channel);
$t->insert('block', company => $company, channel => $id,
           jid => $contact = $t->contact_jid, hash => { hex => '00' });
is_refused(post($contact, \%text), 422, 1011,
           { message => 'Message rejected: contact is blocked' }, 'blocked');
$t->template(company => $company, channel => $channel, name => 'welcome',
             status => 'PENDING');
is_refused(post($t->contact_jid, template('welcome')), 422, 1011,
           { message => 'Message rejected: template is not approved',
             field => 'message.template' }, 'not approved');

fails(1012, 502, 'Bad gateway');

fails(1013, 400, 'Parameter count mismatch');
$t->sql(q{update ezw.template set status = 'APPROVED',
                 parameters = '{"body":1}'});
is_refused(post($t->contact_jid, template('welcome')), 400, 1013,
           { message => 'Parameter count mismatch',
             field => 'message.template.components' }, 'one parameter less');

my @twice = (POST => "/v3/channels/$channel/contacts", key => $key,
             json => { jid => $t->contact_jid });
is($t->http(@twice)->status, 201, 'a contact');
is_refused($t->http(@twice), 409, 1014, { message => 'Already exists' },
           'the same again');

is_refused(post(actor('00001015'), \%text), 422, 1015,
           { message => 'Customer care window expired' }, 'a closed window');
my $cared = $t->channel(company => $company, window_seconds => 86400);
is_refused(post($t->contact_jid, \%text, channel => $cared), 422, 1015,
           { message => 'Customer care window expired' },
           'one that was never open');

done_testing;

# Paths of the description of 2021 (DECISIONS 22): only with
# `ezw_legacy_routes on`, and then as those that took their place.

use EZW;

my $t = EZW->start(http => 'ezw_courier off; ezw_legacy_routes on;');
my $new = EZW->start(like => $t, http => 'ezw_courier off;');
my $off = EZW->start(like => $t, http => 'ezw_courier off;
                                          ezw_legacy_routes off;');
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $key = $t->key(company => $company, scope => 'CHANNEL',
                  channels => [$channel]);
my $list = '1571833730@list.eazy.im';
my $jid = $t->contact_jid;
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
$t->insert('list', company => $company, jid => $list, channel => $channel_id,
           full_name => 'Mailing list');
$t->insert('contact', company => $company, id => $t->uuid, jid => $jid,
           channel => $channel_id);

sub path {
    my ($contact) = @_;
    return "/v3/channels/$channel/lists/$list/" . ($contact // $jid);
}

sub members {
    return $t->http(GET => "/v3/channels/$channel/lists/$list", key => $key)
        ->json->{contacts};
}

# Not there, unless they are wanted.
for my $node ($new, $off) {
    for my $method (qw(POST DELETE)) {
        is_refused($node->http($method => path(), key => $key), 404, 1009,
                   { message => 'Not found' }, "off: $method");
    }
}
is_deeply(members(), [], 'nothing has been done');

# On.
is_answer($t->http(POST => path(), key => $key), 200, [], "POST, $_") for 1, 2;
is_deeply(members(), [$jid], 'is on it');
is_answer($t->http(DELETE => path(), key => $key), 200, [], "DELETE, $_")
    for 1, 2;
is_deeply(members(), [], 'is off it');
my @once = (key => $key, headers => { 'Idempotency-Key' => 'once' });
is_answer($t->http(POST => path(), @once), 200, [], 'once');
$t->http(DELETE => path(), key => $key);
is($t->http(POST => path(), @once)->header('idempotency-replayed'), 'true',
   'once, again: a replay');
is_deeply(members(), [], 'without an effect');

# The same gate, the same refusals.
my $stranger = $t->key(company => $t->company, scope => 'COMPANY');
for my $method (qw(POST DELETE)) {
    is_refused($t->http($method => path()), 401, 1001, {}, "$method: nobody");
    is_refused($t->http($method => path(), key => $stranger), 404, 1009,
               { message => 'Not found' }, "$method: a stranger");
    is_refused($t->http($method => path($t->contact_jid), key => $key), 404,
               1009, { message => 'Not found' }, "$method: no such contact");
    is_refused($t->http($method => path('x'), key => $key), 400, 1005,
               { message => 'Jid is invalid', field => 'contactJid' },
               "$method: no JID");
}
is_refused($t->http(GET => path(), key => $key), 405, 1005,
           { message => 'Method not allowed' }, 'no GET');
is($t->http(GET => path(), key => $key)->header('allow'), 'POST, DELETE',
   'which says what there is');
is_refused($t->http(GET => path('participants'), key => $key), 405, 1005,
           { message => 'Method not allowed' }, 'participants is no contact');
is_answer($t->http(POST => "/v3/channels/$channel/lists/$list/participants/$jid",
                   key => $key), 200, [], 'the paths of today are there too');

done_testing;

# The block list: who is on it is sent nothing, and what comes from there is
# dropped and counted.

use Digest::SHA qw(sha256_hex);

use EZW;
use EZW::Statements;

my $t = EZW->start(http => 'ezw_courier off;');
my $statements = EZW::Statements->new($t);
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $other = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $key = $t->key(company => $company, scope => 'CHANNEL',
                  channels => [$channel, $other]);
my $actor = $t->key_id($key) . '@key.eazy.im';
my @document = map { "$_\@whatsapp.eazy.im" }
    qw(31611112222 31622223333 31644445555);

sub path {
    my ($jid, $channel_jid) = @_;
    return '/v3/channels/' . ($channel_jid // $channel) . '/contacts/blacklist'
        . (defined $jid ? "/$jid" : '');
}

sub block   { return $t->http(POST => path(@_), key => $key) }
sub unblock { return $t->http(DELETE => path(@_), key => $key) }

sub list {
    my ($args, %o) = @_;
    return $t->http(GET => path(undef, delete $o{channel}) . ($args // ''),
                    key => $key, %o);
}

sub text {
    my ($jid, %o) = @_;
    return $t->http(POST => '/v3/channels/' . ($o{channel} // $channel)
                        . "/messages/$jid", key => $key,
                    json => { message => { type => 'text', body => 'Hi' } });
}

# A message from the platform: what becomes of it.
sub received {
    my ($jid) = @_;
    return $statements->row(
        'message_receive',
        (map { $_ => undef } $statements->params('message_receive')),
        company => $company, channel => $channel, contact => $jid,
        'provider.id' => $t->uuid, message => '{"body":"Hi","type":"text"}',
        'message.type' => 'text',
        'id.message' => $statements->id =~ s/-//gr . '00000000',
        map { $_ => $statements->id } qw(id.contact id.conversation))->{result};
}

sub contact {
    my ($jid) = @_;
    my $r = $t->http(POST => "/v3/channels/$channel/contacts", key => $key,
                     json => { jid => $jid });
    $r->status == 201 or die $r->as_text;
    return $jid;
}

# The audit log's new rows.
my $audited = 0;
sub audit {
    my @rows = $t->sql(q{
        select event_type, actor_type, actor_id, target_type, target_id,
               address, data
          from ezw.audit_log where event_type like 'contact.%block%'
         order by created_at offset ?}, $audited);
    $audited += @rows;
    return \@rows;
}

sub row {
    my ($action, $jid) = @_;
    return ["contact.$action", 'key', $actor, 'contact', sha256_hex($jid),
            '127.0.0.1', undef];
}

sub is_blocked {
    my ($jid, $name) = @_;
    is_refused(text($jid), 422, 1011,
               { message => 'Message rejected: contact is blocked' },
               "$name: a send is refused");
    is(received($jid), 'BLOCKED', "$name: what comes is dropped");
    return;
}

sub is_free {
    my ($jid, $name) = @_;
    is(text($jid)->status, 201, "$name: a send goes");
    is(received($jid), 'STORED', "$name: what comes is stored");
    return;
}


# The document's own examples.
is_answer(list(), 200, [], 'nobody is blocked');
is_answer(block($_), 204, undef, "the document's POST: $_") for @document;
is_answer(list(), 200, \@document, "the document's GET");
is_deeply(audit(), [map { row(blocked => $_) } @document], 'and the audit log');
is_answer(unblock($document[1]), 204, undef, "the document's DELETE");
is_answer(list(), 200, [@document[0, 2]], 'it is so');
is_deeply(audit(), [row(unblocked => $document[1])], 'and the audit log');

# Once is enough.
my $before = $t->snapshot('api_key');
is_answer(block($document[0]), 204, undef, 'blocked again');
is_answer(unblock($document[1]), 204, undef, 'unblocked again');
is_deeply($t->snapshot('api_key'), $before, 'nothing is written');
is($t->value('select count(*) from ezw.contact'), 0, 'and no contact is made');
is($t->value('select count(*) from ezw.event'), 0, 'and no event');
my @once = (key => $key, headers => { 'Idempotency-Key' => 'once' });
is_answer($t->http(POST => path($document[1]), @once), 204, undef, 'once');
unblock($document[1]);
my $replay = $t->http(POST => path($document[1]), @once);
is_answer($replay, 204, undef, 'once, again');
is($replay->header('idempotency-replayed'), 'true', 'which is a replay');
is_answer(list(), 200, [@document[0, 2]], 'and has no effect');
is_answer($t->http(POST => path($document[1]), key => $key, body => 'nonsense'),
          204, undef, 'a body is ignored');
is_answer(list(), 200, [@document[0, 2, 1]], 'in the order of being blocked');
audit();

# Both ways: a stranger, a contact, one with a conversation.
my %who = (stranger => $t->contact_jid, contact => contact($t->contact_jid),
           conversation => $t->contact_jid);
is(text($who{conversation})->status, 201, 'a conversation');
for my $who (sort keys %who) {
    my $jid = $who{$who};
    is_answer(block($jid), 204, undef, "$who: blocked");
    my $messages = $t->value('select count(*) from ezw.message');
    is_blocked($jid, $who) for 1, 2;
    is($t->value('select count(*) from ezw.message'), $messages,
       "$who: nothing is stored");
    is($t->value('select dropped from ezw.block where jid = ?', $jid), 2,
       "$who: but counted");
    is(text($jid, channel => $other)->status, 201,
       "$who: the other channel's block list is another");
    is_answer(list(undef, channel => $other), 200, [], "$who: and empty");
    is_answer(unblock($jid), 204, undef, "$who: unblocked");
    is_free($jid, $who);
}
is_deeply([map { $_->[0] } $t->sql(q{
              select coalesce(c.jid, 'none')
                from ezw.event e left join ezw.contact c on c.id = e.contact
               where e.kind = 'contact.updated' order by e.xid, e.seq})],
          [map { ($who{$_}) x 2 } qw(contact conversation)],
          'whoever looks at them is told');

# By an alias, as by the contact's own JID.
my $own = contact($t->contact_jid);
my $alias = 'lid.12345@whatsapp.eazy.im';
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => $alias, contact => $t->value(
               'select id from ezw.contact where jid = ?', $own));
my @listed = @{ list()->json };
audit();
is_answer(block($alias), 204, undef, 'blocked by an alias');
is_deeply(audit(), [row(blocked => $own)], 'which is who it means');
is_answer(list(), 200, [@listed, $own], 'under its own JID');
is_blocked($_, "by an alias: $_") for $own, $alias;
is_answer(block($own), 204, undef, 'and by its own JID');
is_answer(list(), 200, [@listed, $own], 'once');
is_answer(unblock($alias), 204, undef, 'unblocked by the alias');
is_answer(list(), 200, \@listed, 'and gone');
is_free($_, "by an alias: $_") for $own, $alias;

# Who was blocked under a name of his own, and then turned out to be one.
my $hidden = 'lid.54321@whatsapp.eazy.im';
my $number = $t->contact_jid;
block($hidden);
contact($hidden);
is($statements->row('contact_pair', company => $company, channel => $channel,
                    aliases => to_json([
                        { kind => 'lid', value => '54321' },
                        { kind => 'phone', value => $number =~ s/\@.*//r }]))
       ->{jid}, $number, 'a hidden number is known');
is_answer(list(), 200, [@listed, $number], 'and blocked under it');
is_blocked($_, "a hidden number: $_") for $number, $hidden;
unblock($hidden);
is_answer(list(), 200, \@listed, 'unblocked by the old name');
is_free($number, 'a hidden number');

# Whoever is erased stays blocked, and is on the list no more.
my $erased = $t->contact_jid;
text($erased);
block($erased);
is($t->http(DELETE => "/v3/channels/$channel/contacts/$erased",
            key => $key)->status, 204, 'erased');
is_answer(list(), 200, \@listed, 'not listed');
is_blocked($erased, 'erased');
audit();
is_answer(block($erased), 204, undef, 'blocked by name again');
is_answer(list(), 200, [@listed, $erased], 'listed');
is_deeply(audit(), [], 'which was so');
is_answer(unblock($erased), 204, undef, 'unblocked');
is_free($erased, 'erased and unblocked');
text($erased);
block($erased);
$t->http(DELETE => "/v3/channels/$channel/contacts/$erased", key => $key);
is_answer(unblock($erased), 204, undef, 'unblocked while not listed');
is_free($erased, 'unblocked while not listed');

# What is no contact of the channel.
for my $jid ('31611111111', '31611111111@sms.eazy.im', '1@list.eazy.im',
             '31611111111@whatsapp.example.com')
{
    for my $method (qw(POST DELETE)) {
        is_refused($t->http($method => path($jid), key => $key), 400, 1005,
                   { message => 'Jid is invalid', field => 'contactJid' },
                   "$method: no JID: $jid");
    }
}

# Page by page.
unblock($_) for @{ list()->json };
$t->sql(q{insert into ezw.block (company, channel, hash, jid, created_at)
          select ?, ?, '', (31800000000 + i) || '@whatsapp.eazy.im',
                 timestamptz '2020-01-01' + (i / 3) * interval '1 minute'
            from generate_series(1, 10) i}, $company, $channel_id);
my @all = map { 31800000000 + $_ . '@whatsapp.eazy.im' } 1 .. 10;
my (@seen, $cursor);
do {
    my $r = list('?limit=4' . (defined $cursor ? "&cursor=$cursor" : ''),
                 headers => { Prefer => 'count=exact' });
    is($r->header('x-total-count'), 10, 'counted');
    push @seen, $r->json;
    $cursor = $r->header('x-next-cursor');
} while (defined $cursor);
is_deeply(\@seen, [[@all[0 .. 3]], [@all[4 .. 7]], [@all[8, 9]]], 'by pages');

# Another company's.
my $stranger = $t->company;
my $theirs = $t->channel(company => $stranger);
my $their_key = $t->key(company => $stranger, scope => 'COMPANY');
for my $case ([GET => undef], [POST => $all[0]], [DELETE => $all[0]]) {
    my ($method, $jid) = @$case;
    is_refused($t->http($method => path($jid), key => $their_key), 404, 1009,
               { message => 'Not found' }, "$method: another company's");
}
is_answer($t->http(GET => path(undef, $theirs), key => $their_key), 200, [],
          'theirs is theirs');
is(scalar @{ list()->json }, 10, 'ours is as it was');

done_testing;

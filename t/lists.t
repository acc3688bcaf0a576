# Lists of contacts: create, list, read, and who is on them.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $other = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $key = $t->key(company => $company, scope => 'CHANNEL',
                  channels => [$channel, $other]);
my %not_found = (message => 'Not found');
my $list_jid = qr/^[0-9]{10}\@list\.eazy\.im$/;

sub path {
    my ($list, $jid) = @_;
    return "/v3/channels/$channel/lists" . (defined $list ? "/$list" : '')
        . (defined $jid ? "/participants/$jid" : '');
}

sub create {
    my ($json, %o) = @_;
    return $t->http(POST => path(), key => $key, json => $json, %o);
}

sub list {
    my ($args, %o) = @_;
    return $t->http(GET => path() . ($args // ''), key => $key, %o);
}

sub read_one {
    my ($list, %o) = @_;
    return $t->http(GET => path($list), key => $key, %o);
}

sub add {
    my ($list, $jid, %o) = @_;
    return $t->http(POST => path($list, $jid), key => $key, %o);
}

sub take_off {
    my ($list, $jid, %o) = @_;
    return $t->http(DELETE => path($list, $jid), key => $key, %o);
}

sub contact {
    my ($jid) = @_;
    $jid //= $t->contact_jid;
    my $r = $t->http(POST => "/v3/channels/$channel/contacts", key => $key,
                     json => { jid => $jid });
    $r->status == 201 or die $r->as_text;
    return $jid;
}

sub shape {
    my ($name, %more) = @_;
    return { jid => $list_jid, metadata => [], name => { fullName => $name },
             notes => [], reference => undef, remarks => undef,
             type => 'LIST', %more };
}


# The document's own examples.
is_answer(list(), 200, [], 'no list');
$t->insert('list', company => $company, channel => $channel_id, jid => $_->[0],
           full_name => $_->[1])
    for ['1571833730@list.eazy.im', 'Mailing list'],
        ['1571833731@list.eazy.im', 'Sales'];
my $r = list();
is_answer($r, 200, [shape('Mailing list', jid => '1571833730@list.eazy.im'),
                    shape('Sales', jid => '1571833731@list.eazy.im')],
          "the document's GET");
is($r->body, to_json($r->json), 'compact, and names in their order');
my $from = time;
$r = create({ name => 'Marketing campaign' });
is_answer($r, 201, shape('Marketing campaign', contacts => []),
          "the document's POST");
is($r->body, to_json($r->json), 'compact, and names in their order');
my $list = $r->json->{jid};
my ($stamp) = $list =~ /^(\d+)/;
cmp_ok($stamp, '>=', $from - 2, 'the JID is the time');
cmp_ok($stamp, '<=', time + 2, 'of its creation');
my $jid = contact('31611111111@whatsapp.eazy.im');
is_answer(add($list, $jid), 200, [], "the document's POST of a participant");
is_answer(read_one($list), 200,
          shape('Marketing campaign', jid => $list, contacts => [$jid]),
          'it is on it');
is_answer(take_off($list, $jid), 200, [],
          "the document's DELETE of a participant");
is_answer(read_one($list), 200,
          shape('Marketing campaign', jid => $list, contacts => []),
          'it is not on it any more');

# As often as wanted.
is_answer(add($list, $jid), 200, [], "added, $_") for 1, 2;
is_deeply(read_one($list)->json->{contacts}, [$jid], 'is on it once');
is_answer(take_off($list, $jid), 200, [], "taken off, $_") for 1, 2;
is_deeply(read_one($list)->json->{contacts}, [], 'and gone');
my @once = (headers => { 'Idempotency-Key' => 'once' });
is_answer(add($list, $jid, @once), 200, [], 'once');
take_off($list, $jid);
$r = add($list, $jid, @once);
is_answer($r, 200, [], 'once, again');
is($r->header('idempotency-replayed'), 'true', 'which is a replay');
is_deeply(read_one($list)->json->{contacts}, [], 'and has no effect');

# What a list may be given; a name that is taken is taken twice.
my @made;
for my $json (
    { name => 'Marketing campaign' },
    { name => { fullName => 'An object' } },
    { name => 'All', reference => 'R', remarks => "\x{e9}" x 1024,
      metadata => { a => 1, b => 'x', c => true } },
    { name => "\x{1F600}" x 255, metadata => [], reference => undef },
) {
    my %more = (%$json, contacts => []);
    my $name = ref $json->{name} ? $json->{name}{fullName} : $json->{name};
    $r = create({ %$json, jid => '1@list.eazy.im', contacts => [$jid],
                  notes => [1], type => 'GROUP', nonsense => 1 });
    is_answer($r, 201, shape($name, %more, name => { fullName => $name }),
              'made: ' . substr to_json($json), 0, 50);
    push @made, $r->json;
}
my %jids = map { $_->{jid} => 1 } @made;
is(scalar keys %jids, 4, 'each has a JID of its own');
is_answer(list(), 200, [
    shape('Mailing list'), shape('Sales'), shape('Marketing campaign'),
    map { my %list = %$_; delete $list{contacts}; \%list } @made
], 'in the order of their creation');
for my $case (
    [{}, 'name', 'name is required'],
    [{ name => undef }, 'name', 'name must not be null'],
    [{ name => ' ' }, 'name', 'name is too short: at least 1 character'],
    [{ name => 'x' x 256 }, 'name', 'name is too long: at most 255 characters'],
    [{ name => [] }, 'name', 'name must be a string'],
    [{ name => 'x', reference => 'x' x 256 }, 'reference',
     'reference is too long: at most 255 characters'],
    [{ name => 'x', remarks => 5 }, 'remarks', 'remarks must be a string'],
    [{ name => 'x', metadata => { a => [] } }, 'metadata.a',
     'metadata.a must be a string, a number or a boolean'],
) {
    my ($json, $field, $message) = @$case;
    is_refused(create($json), 400, 1005,
               { field => $field, message => $message }, $message);
}
is_refused(create({ name => 'x', nam => 'x' },
                  headers => { Prefer => 'handling=strict' }), 400, 1005,
           { field => 'nam', message => 'Unknown field: nam' }, 'strict');
is(scalar @{ list()->json }, 7, 'and none is made');

# Many at once, of one second as a rule: each its own JID, once.
my @clients = map { $t->client } 1 .. 8;
$_->send_request(POST => path(), key => $key, json => { name => 'At once' })
    for @clients;
my @at_once = map { $_->read_response('POST') } @clients;
is($_->status, 201, 'at once') for @at_once;
is(scalar keys %{{ map { $_->json->{jid} => 1 } @at_once }}, 8,
   'each its own JID');
is(scalar @{ list()->json }, 15, 'and each is there');

# Page by page.
my @all = map { $_->{jid} } @{ list()->json };
my ($cursor, @seen);
do {
    $r = list('?limit=6' . (defined $cursor ? "&cursor=$cursor" : ''),
              headers => { Prefer => 'count=exact' });
    is($r->header('x-total-count'), 15, 'counted');
    push @seen, [map { $_->{jid} } @{ $r->json }];
    $cursor = $r->header('x-next-cursor');
} while (defined $cursor);
is_deeply(\@seen, [[@all[0 .. 5]], [@all[6 .. 11]], [@all[12 .. 14]]],
          'by pages');

# An alias is the contact.
my ($two, $three) = (contact(), contact());
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => 'NL.abc@whatsapp.eazy.im', contact => $t->value(
               'select id from ezw.contact where jid = ?', $two));
is_answer(add($list, 'NL.abc@whatsapp.eazy.im'), 200, [], 'by an alias');
add($list, $_) for $jid, $two, $three;
is_deeply([sort @{ read_one($list)->json->{contacts} }],
          [sort $jid, $two, $three], 'is on it once');
is_answer(take_off($list, 'NL.abc@whatsapp.eazy.im'), 200, [],
          'taken off by an alias');
is_deeply([sort @{ read_one($list)->json->{contacts} }], [sort $jid, $three],
          'it is gone');

# Erased contacts are on no list.
is($t->http(DELETE => "/v3/channels/$channel/contacts/$three", key => $key)
       ->status, 204, 'erased');
is_deeply(read_one($list)->json->{contacts}, [$jid], 'and on no list');

# Many contacts; and the end of a list, which is told before the one who is too
# many is on it.
$t->sql(q{insert into ezw.contact (company, id, channel, jid)
          select ?, gen_random_uuid(), ?, (31900000000 + i) || '@whatsapp.eazy.im'
            from generate_series(1, 1999) i}, $company, $channel_id);
$t->sql(q{insert into ezw.list_participant (company, list, contact)
          select ?, ?, c.id from ezw.contact c
           where c.jid between '31900000001' and '31901'}, $company, $list);
is_deeply([sort @{ read_one($list)->json->{contacts} }],
          [sort $jid, map { 31900000000 + $_ . '@whatsapp.eazy.im' } 1 .. 1999],
          'all two thousand');
is($t->value('select participants from ezw.list where jid = ?', $list), 2000,
   'are counted');
$t->sql('update ezw.list set participants = 100000 where jid = ?', $list);
is_answer(add($list, $jid), 200, [], 'who is on it is on it');
is_refused(add($list, $two), 400, 1005,
           { message => 'The list is full: at most 100000 contacts',
             field => 'listJid' },
           'it is full');
take_off($list, $jid);
is_answer(add($list, $two), 200, [], 'there is room again');
is_refused(add($list, $jid), 400, 1005,
           { message => 'The list is full: at most 100000 contacts',
             field => 'listJid' },
           'for one');

# What is not there, and what is another's.
my $nobody = $t->contact_jid;
my $stranger = $t->company;
my $their_channel = $t->channel(company => $stranger);
my $their_key = $t->key(company => $stranger, scope => 'COMPANY');
$t->insert('list', company => $stranger, jid => $list, full_name => 'Theirs',
           channel => $t->value('select id from ezw.channel where jid = ?',
                                $their_channel));
my $theirs = "/v3/channels/$their_channel/lists";
my $of_other = "/v3/channels/$other/lists";
is($t->http(POST => "/v3/channels/$other/contacts", key => $key,
            json => { jid => $jid })->status, 201, 'in both channels');
for my $case (
    ['no such contact', path($list, $nobody), $key],
    ['no such list', path('1000000000@list.eazy.im', $jid), $key],
    ["another company's channel", path($list, $jid), $their_key],
    ["another company's contact", "$theirs/$list/participants/$jid", $their_key],
    ["another channel's list", "$of_other/$list/participants/$jid", $key],
) {
    my ($name, $path, $who) = @$case;
    is_refused($t->http($_ => $path, key => $who), 404, 1009, \%not_found,
               "$_: $name") for qw(POST DELETE);
}
is_refused($t->http(GET => $_->[0], key => $_->[1]), 404, 1009, \%not_found,
           "GET $_->[0]")
    for [path('1000000000@list.eazy.im'), $key], [path($list), $their_key],
        ["$of_other/$list", $key], [path(), $their_key];
is_answer($t->http(GET => "$theirs/$list", key => $their_key), 200,
          shape('Theirs', jid => $list, contacts => []),
          'the same JID is two lists');
is_answer($t->http(GET => $of_other, key => $key), 200, [],
          'the other channel has none');
for my $case (['1@ai.eazy.im', $jid, 'listJid'], ['x', $jid, 'listJid'],
              [$list, '1571833730@list.eazy.im', 'contactJid'],
              [$list, '31611111111@sms.eazy.im', 'contactJid'])
{
    my ($bad_list, $bad_contact, $field) = @$case;
    is_refused(add($bad_list, $bad_contact), 400, 1005,
               { message => 'Jid is invalid', field => $field },
               "no JID: $field");
}
is_refused($t->http(POST => "/v3/channels/$channel/messages/$list", key => $key,
                    json => { type => 'text', body => 'x' }), 400, 1005,
           { message => 'Jid is invalid', field => 'contactJid' },
           'nothing is sent to a list');

done_testing;

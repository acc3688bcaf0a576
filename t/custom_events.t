# Events of the caller's own about a contact, for the event log.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $key = $t->key(company => $company, scope => 'ASSISTANT');
my %id = (id => qr/^[0-9a-f]{40}$/);
my $jid = '31611111111@whatsapp.eazy.im';
$t->insert('contact', company => $company, id => $t->uuid,
           channel => $channel_id, jid => $jid);

sub create {
    my ($contact, $json, %o) = @_;
    return $t->http(POST => "/v3/channels/$channel/contacts/$contact/events",
                    key => $key, json => $json, %o);
}

# The data as it is written.
sub create_as {
    my ($data, %o) = @_;
    return $t->http(POST => "/v3/channels/$channel/contacts/$jid/events",
                    key => $key, body => qq({"name":"x","data":$data}),
                    headers => { 'Content-Type' => 'application/json' }, %o);
}

# The log's new rows.
my $told = 0;
sub events {
    my @rows = $t->sql(q{
        select c.jid, e.version, encode(e.message, 'hex'),
               convert_to(e.payload::text, 'UTF8')
          from ezw.event e join ezw.contact c on c.id = e.contact
         where e.kind = 'custom' and e.channel = c.channel
         order by e.xid, e.seq offset ?}, $told);
    $told += @rows;
    return map { [@$_[0 .. 2], from_json($_->[3])] } @rows;
}


# Told as it came, with the conversation where there is one.
my $r = create($jid, { name => 'order.paid', data => { order => 51616 } });
is_answer($r, 201, \%id, 'an event');
is_json([events()], [[$jid, undef, $r->json->{id},
                      { name => 'order.paid', data => { order => 51616 } }]],
        'is in the log');
$t->http(POST => "/v3/channels/$channel/messages/$jid", key => $key,
         json => { type => 'text', body => 'x' });
$r = create($jid, { name => 'order.paid' });
is_answer($r, 201, \%id, 'without data');
is_json([events()], [[$jid, 1, $r->json->{id},
                      { name => 'order.paid', data => undef }]],
        'told of a conversation');
is($t->value(q{select count(*) from ezw.event e join ezw.conversation v
                   on v.id = e.conversation and v.contact = e.contact
                where e.kind = 'custom'}), 1, 'of its own');

# Any JSON is data, in its own order and letters.
for my $data ('null', 'true', 'false', '0', '-1.5', '9223372036854775807',
              '""', '"x"', '[]', '{}', '[[],{},null,[1,"a",{"b":false}]]',
              '{"z":1,"a":{"y":[true],"b":null},"":""}', qq("\\\\\\"\x{e9}"),
              '"' . 'x' x 4094 . '"')
{
    my $bytes = $data;
    utf8::encode($bytes);
    $r = create_as($bytes);
    is_answer($r, 201, \%id, 'data: ' . substr $bytes, 0, 50);
    is_json([events()], [[$jid, 1, $r->json->{id},
                          { name => 'x', data => from_json("[$bytes]")->[0] }]],
            'is told as it is');
    next if $data eq 'null';
    is($t->value(q{select count(*) from ezw.event e
                    where encode(e.message, 'hex') = ?
                      and (e.payload -> 'data')::text = ?},
                 $r->json->{id}, $data), 1, 'to the letter');
}

# What is none.
for my $name ('x', 'X' x 64, 'a.b_c-D.9', '-', '.') {
    is_answer(create($jid, { name => $name }), 201, \%id, "name: $name");
    is_json([(events())[0][3]], [{ name => $name, data => undef }], 'is told');
}
my $chars = 'name has a character that is not one of A-Za-z0-9_.-';
for my $case (
    [{ data => 1 }, 'name', 'name is required'],
    [{ name => undef }, 'name', 'name must not be null'],
    [{ name => '' }, 'name', 'name is too short: at least 1 character'],
    [{ name => 'x' x 65 }, 'name', 'name is too long: at most 64 characters'],
    [{ name => 5 }, 'name', 'name must be a string'],
    (map { [{ name => $_ }, 'name', $chars] }
     'a b', 'a/b', "a\n", "\x{e9}", 'a:b', '@', '[', '`', '{', ',', '^'),
    [{ name => 'x', data => 'x' x 4095 }, 'data',
     'data is too long: at most 4096 bytes of JSON'],
    [{ name => 'x', data => [('x') x 1024] }, 'data',
     'data is too long: at most 4096 bytes of JSON'],
) {
    my ($json, $field, $message) = @$case;
    is_refused(create($jid, $json), 400, 1005,
               { field => $field, message => $message },
               'refused: ' . substr to_json($json), 0, 50);
}
is_refused(create($jid, { name => 'x', date => 1 },
                  headers => { Prefer => 'handling=strict' }), 400, 1005,
           { field => 'date', message => 'Unknown field: date' }, 'strict');
is_refused(create_as('"\u0000"'), 400, 1005, {}, 'refused: a NUL');
is_refused(create_as('[' x 33 . ']' x 33), 400, 1005, {}, 'refused: too deep');
is_json([events()], [], 'and nothing is told');

# The same twice is two, but for an idempotency key.
my @once = (headers => { 'Idempotency-Key' => 'once' });
$r = create($jid, { name => 'once' }, @once);
is(create($jid, { name => 'once' }, @once)->body, $r->body, 'once: the same');
is(scalar(() = events()), 1, 'told once');
create($jid, { name => 'twice' }) for 1, 2;
is(scalar(() = events()), 2, 'told twice');

# By an alias; and of nobody.
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => 'NL.abc@whatsapp.eazy.im', contact => $t->value(
               'select id from ezw.contact where jid = ?', $jid));
is_answer(create('NL.abc@whatsapp.eazy.im', { name => 'x' }), 201, \%id,
          'by an alias');
is((events())[0][0], $jid, 'is of the contact');
my $stranger = $t->key(company => $t->company, scope => 'COMPANY');
is_refused(create($t->contact_jid, { name => 'x' }), 404, 1009,
           { message => 'Not found' }, 'of nobody');
is_refused(create($jid, { name => 'x' }, key => $stranger), 404, 1009,
           { message => 'Not found' }, "of another company's");

# It goes with the contact.
is($t->http(DELETE => "/v3/channels/$channel/contacts/$jid", key => $key)
       ->status, 204, 'erased');
is($t->value(q{select count(*) from ezw.event where kind = 'custom'}), 0,
   'and nothing of it is left');

done_testing;

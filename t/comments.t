# Comments on a conversation, which the workspace calls notes of it.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $assistant = $t->assistant(company => $company);
my $second = $t->assistant(company => $company);
my %key = (
    ASSISTANT => $t->key(company => $company, scope => 'ASSISTANT'),
    BOUND => $t->key(company => $company, scope => 'ASSISTANT',
                     assistant => $assistant),
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
    OWNER => $t->key(company => $company, scope => 'OWNER'),
);
my $john = $t->user(company => $company, email => 'john@mycompany.com');
my %not_found = (message => 'Not found');

# A contact and its conversation; returns the contact's JID.
sub conversation {
    my (%row) = @_;

    my $jid = delete $row{jid} // $t->contact_jid;
    my $contact = $t->uuid;
    $t->insert('contact', company => $company, id => $contact,
               channel => $channel_id, jid => $jid);
    $t->insert('conversation', company => $company, id => $t->uuid,
               channel => $channel_id, contact => $contact,
               contact_jid => $jid, created_at => '2019-04-04T15:29:47Z',
               last_message_at => '2019-04-08T23:55:39Z', %row);
    return $jid;
}

sub create {
    my ($jid, $json, %o) = @_;
    return $t->http(POST => "/v3/channels/$channel/conversations/$jid/comments",
                    key => $key{COMPANY}, json => $json, %o);
}

# What is stored of them, in the order of their creation.
sub stored {
    my ($jid) = @_;
    return [map { [@$_] } $t->sql(q{
        select encode(k.id, 'hex'), k.body, k.created_by
          from ezw.comment k join ezw.conversation v on v.id = k.conversation
         where v.contact_jid = ? order by k.created_at}, $jid)];
}


# The document's own example.
my $jid = conversation(jid => '31611111111@whatsapp.eazy.im', version => 7);
my $r = create($jid, { body => 'Order #51616 has been delivered' });
is_answer($r, 201, { id => qr/^[0-9a-f]{40}$/ }, "the document's POST");
my $id = $r->json->{id};
my $actor = $t->key_id($key{COMPANY}) . '@key.eazy.im';
is_deeply(stored($jid), [[$id, 'Order #51616 has been delivered', $actor]],
          'stored as it is');
is_deeply([map { [@$_[0 .. 4], from_json($_->[5])] } $t->sql(q{
              select e.kind, e.version, e.conversation = v.id, e.contact = v.contact,
                     e.channel = v.channel, e.payload::text
                from ezw.event e, ezw.conversation v})],
          [['note.created', 7, 1, 1, 1, { id => $id }]],
          'the event log tells that there is one');
is($t->value('select version from ezw.conversation'), 7,
   'no other version of the conversation');
is($t->http(GET => "/v3/channels/$channel/conversations/$jid",
            key => $key{COMPANY})->json->{messagesSent}, 0, 'it is no message');

# Who made it, and the order.
my $all = conversation();
for my $who (sort keys %key) {
    is(create($all, { body => $who }, key => $key{$who})->status, 201, $who);
}
is_deeply([map { [@$_[1, 2]] } @{ stored($all) }], [map {
    [$_, $_ eq 'BOUND' ? $assistant : $t->key_id($key{$_}) . '@key.eazy.im']
} sort keys %key], 'each in its name');

# Ownership binds assistants only: [the conversation, may this assistant?].
for my $case (
    ['never assigned', 1],
    ['its own', 1, assignee_assistant => $assistant, was_assigned => 't'],
    ["another assistant's", 0, assignee_assistant => $second,
     was_assigned => 't'],
    ["an agent's", 0, assignee_user => $john, was_assigned => 't'],
    ['handed to the agents', 0, was_assigned => 't'],
    ["closed, an agent's", 1, assignee_user => $john, was_assigned => 't',
     status => 'CLOSED'],
) {
    my ($name, $may, %row) = @$case;
    my $contact = conversation(%row);
    my $before = $t->snapshot('api_key');
    $r = create($contact, { body => 'x' }, key => $key{BOUND});
    if ($may) {
        is($r->status, 201, "an assistant: $name");
    } else {
        is_refused($r, 403, 1010,
                   { message => 'Assistant has no ownership of conversation' },
                   "an assistant: $name");
        is_deeply($t->snapshot('api_key'), $before, 'nothing is written');
    }
    is(create($contact, { body => 'x' }, key => $key{$_})->status, 201,
       "$_: $name") for qw(ASSISTANT COMPANY OWNER);
}

# The body.
is(create($all, { body => "\x{1F600}" x 4096 })->status, 201,
   'the longest text');
is(stored($all)->[-1][1], "\x{1F600}" x 4096, 'is stored');
my $count = @{ stored($all) };
for my $case (
    [{}, 'body is required'], [{ body => undef }, 'body must not be null'],
    [{ body => '' }, 'body is too short: at least 1 character'],
    [{ body => 'x' x 4097 }, 'body is too long: at most 4096 characters'],
    [{ body => {} }, 'body must be a string'],
) {
    my ($json, $message) = @$case;
    is_refused(create($all, $json), 400, 1005,
               { field => 'body', message => $message }, $message);
}
is_refused(create($all, { body => 'x', text => 'x' },
                  headers => { Prefer => 'handling=strict' }), 400, 1005,
           { field => 'text', message => 'Unknown field: text' }, 'strict');
is(scalar @{ stored($all) }, $count, 'and none is stored');

# Once.
my @once = (headers => { 'Idempotency-Key' => 'once' });
$r = create($all, { body => 'once' }, @once);
is(create($all, { body => 'once' }, @once)->body, $r->body, 'once');
is(scalar @{ stored($all) }, $count + 1, 'and stored once');

# By an alias.
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => 'NL.abc@whatsapp.eazy.im', contact => $t->value(
               'select id from ezw.contact where jid = ?', $all));
$r = create('NL.abc@whatsapp.eazy.im', { body => 'by alias' });
is_answer($r, 201, { id => qr/^[0-9a-f]{40}$/ }, 'by an alias');
is_deeply(stored($all)->[-1], [$r->json->{id}, 'by alias', $actor],
          'is the contact\'s');

# Without a conversation there is nothing to comment on.
my $silent = $t->contact_jid;
$t->insert('contact', company => $company, id => $t->uuid,
           channel => $channel_id, jid => $silent);
my $stranger = $t->key(company => $t->company, scope => 'COMPANY');
is_refused(create($silent, { body => 'x' }, key => $key{$_}), 404, 1009,
           \%not_found, "$_: a contact without one") for sort keys %key;
is_refused(create($t->contact_jid, { body => 'x' }), 404, 1009, \%not_found,
           'no contact');
is_refused(create($all, { body => 'x' }, key => $stranger), 404, 1009,
           \%not_found, "another company's");

done_testing;

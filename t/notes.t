# Notes of a contact: create, list, update, delete.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $assistant = $t->assistant(company => $company,
                              jid => '1558982559179@ai.eazy.im');
my %key = (
    BOUND => $t->key(company => $company, scope => 'ASSISTANT',
                     assistant => $assistant),
    ASSISTANT => $t->key(company => $company, scope => 'ASSISTANT'),
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
);
my $actor = $t->key_id($key{COMPANY}) . '@key.eazy.im';
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my $uuid = qr/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
my %not_found = (message => 'Not found');

sub contact {
    my ($jid) = @_;
    $jid //= $t->contact_jid;
    $t->insert('contact', company => $company, id => $t->uuid,
               channel => $channel_id, jid => $jid);
    return $jid;
}

sub path {
    my ($jid, $id) = @_;
    return "/v3/channels/$channel/contacts/$jid/notes"
        . (defined $id ? "/$id" : '');
}

sub create {
    my ($jid, $json, %o) = @_;
    return $t->http(POST => path($jid), key => $key{COMPANY}, json => $json, %o);
}

sub list {
    my ($jid, %o) = @_;
    return $t->http(GET => path($jid) . (delete $o{args} // ''),
                    key => $key{COMPANY}, %o);
}

sub change {
    my ($jid, $id, $json, %o) = @_;
    return $t->http(PATCH => path($jid, $id), key => $key{COMPANY},
                    json => $json, %o);
}

sub erase {
    my ($jid, $id, %o) = @_;
    return $t->http(DELETE => path($jid, $id), key => $key{COMPANY}, %o);
}

sub shape {
    my (%more) = @_;
    return { body => 'x', createdAt => $time, createdBy => $actor,
             id => $uuid, isPinned => false, isReadOnly => false,
             updatedAt => undef, referenceId => undef, %more };
}

sub embedded {
    my ($jid) = @_;
    return $t->http(GET => "/v3/channels/$channel/contacts/$jid",
                    key => $key{COMPANY})->json->{notes};
}

# The event log's new rows.
my $told = 0;
sub events {
    my @rows = map { [@$_[0 .. 2], from_json($_->[3])] } $t->sql(q{
        select e.kind, c.jid, e.version, e.payload::text
          from ezw.event e join ezw.contact c on c.id = e.contact
         where e.kind not like 'conversation%'
         order by e.xid, e.seq offset ?}, $told);
    $told += @rows;
    return \@rows;
}


# The document's own examples: the contact has no conversation.
my $jid = contact('31611111111@whatsapp.eazy.im');
is_answer(list($jid), 200, [], 'no note yet');
my %document = (body => 'Customer number #63553', createdBy => $assistant,
                referenceId => 'CUSTOMER_NUMBER');
my $r = create($jid, { body => 'Customer number #63553',
                       referenceId => 'CUSTOMER_NUMBER' }, key => $key{BOUND});
is_answer($r, 201, shape(%document), "the document's POST");
is($r->body, to_json({ %{ $r->json } }) =~ s/,"referenceId":"\w+"//r
        =~ s/\}$/,"referenceId":"CUSTOMER_NUMBER"}/r,
   'compact, and names in the order of the document');
my $note = $r->json;
is_json(events(), [['note', $jid, undef, { action => 'CREATED', %$note }]],
        'which is told');
is_answer(list($jid), 200, [$note], "the document's GET");
is_json(embedded($jid), [$note], 'the contact has it too');

$r = change($jid, $note->{id}, { body => 'Customer number #63554',
                                 isPinned => true });
$note = { %$note, body => 'Customer number #63554', isPinned => true,
          updatedAt => $time };
is_answer($r, 200, $note, "the document's PATCH");
$note = $r->json;
cmp_ok($note->{updatedAt}, 'gt', $note->{createdAt}, 'later');
is_answer(list($jid), 200, [$note], 'it is so');
is_json(events(), [], 'which is not told');
is_answer(erase($jid, $note->{id}), 204, undef, "the document's DELETE");
is_answer(list($jid), 200, [], 'it is gone');
is_json(embedded($jid), [], 'from the contact too');
is_json(events(), [['note', $jid, undef, { action => 'DELETED', %$note }]],
        'which is told as it was');
is_refused(erase($jid, $note->{id}), 404, 1009, \%not_found, 'gone already');
is_json(events(), [], 'which is not told again');
is($t->value('select noted::integer from ezw.contact where jid = ?', $jid), 0,
   'the contact need not be asked for notes any more');

# A conversation is told along, with its version.
my $talks = $t->contact_jid;
is($t->http(POST => "/v3/channels/$channel/messages/$talks",
            key => $key{COMPANY}, json => { type => 'text', body => 'x' })
       ->status, 201, 'a conversation');
$r = create($talks, { body => 'x' });
is_json(events(), [['note', $talks, 1, { action => 'CREATED', %{ $r->json } }]],
        'told of a conversation');
is($t->value(q{select count(*) from ezw.event e join ezw.conversation v
                   on v.id = e.conversation and v.contact = e.contact
                where e.kind = 'note' and e.channel = v.channel}), 1,
   'of its own');

# Who made it.
for my $who (sort keys %key) {
    is_answer(create($jid, { body => 'x' }, key => $key{$who}), 201,
              shape(createdBy => $who eq 'BOUND' ? $assistant
                        : $t->key_id($key{$who}) . '@key.eazy.im'),
              "created by $who");
}

# All of them, in the order of their creation.
my $many = contact();
my @notes = map { create($many, { body => "note $_" })->json } 1 .. 5;
is_answer(list($many), 200, \@notes, 'in order');
is_json(embedded($many), \@notes, 'in the contact too');
my ($first, $rest);
$first = list($many, args => '?limit=2', headers => { Prefer => 'count=exact' });
is_answer($first, 200, [@notes[0, 1]], 'a page');
is($first->header('x-total-count'), 5, 'of as many');
$rest = list($many, args => '?cursor=' . $first->header('x-next-cursor'));
is_answer($rest, 200, [@notes[2 .. 4]], 'the rest');
is($rest->header('x-next-cursor'), undef, 'and no more');
erase($many, $notes[2]{id});
is_answer(list($many), 200, [@notes[0, 1, 3, 4]], 'one less');

# What may be given.
for my $case (
    [{ isPinned => true }, {}], [{ isReadOnly => true }, {}],
    [{ isPinned => true, isReadOnly => true, referenceId => 'R' }, {}],
    [{ referenceId => undef }, {}], [{ referenceId => '' }, {}],
    [{ referenceId => "\x{e9}" x 64 }, {}],
    [{ body => "\x{1F600}" x 4096 }, {}],
    [{ id => $t->uuid, createdBy => 'me', createdAt => 'x', updatedAt => 1,
       nonsense => {} }, {}, 'ignored'],
) {
    my ($json, $more, $ignored) = @$case;
    is_answer(create($jid, { body => 'x', %$json }), 201,
              shape($ignored ? () : %$json),
              'POST: ' . substr to_json($json), 0, 50);
    my $id = create($jid, { body => 'x', referenceId => 'before' })->json->{id};
    is_answer(change($jid, $id, $json), 200,
              shape(id => $id, referenceId => 'before',
                    $ignored ? () : (%$json, updatedAt => $time)),
              'PATCH: ' . substr to_json($json), 0, 50);
}
for my $case (
    [{ body => '' }, 'body', 'body is too short: at least 1 character'],
    [{ body => 'x' x 4097 }, 'body',
     'body is too long: at most 4096 characters'],
    [{ body => 5 }, 'body', 'body must be a string'],
    [{ body => undef }, 'body', 'body must not be null'],
    [{ isPinned => 1 }, 'isPinned', 'isPinned must be a boolean'],
    [{ isPinned => undef }, 'isPinned', 'isPinned must not be null'],
    [{ isReadOnly => 'true' }, 'isReadOnly', 'isReadOnly must be a boolean'],
    [{ referenceId => 'x' x 65 }, 'referenceId',
     'referenceId is too long: at most 64 characters'],
    [{ referenceId => 5 }, 'referenceId', 'referenceId must be a string'],
) {
    my ($json, $field, $message) = @$case;
    my %why = (field => $field, message => $message);
    is_refused(create($many, { body => 'x', %$json }), 400, 1005, \%why,
               "POST: $message");
    is_refused(change($many, $notes[0]{id}, $json), 400, 1005, \%why,
               "PATCH: $message");
}
is_refused(create($many, {}), 400, 1005,
           { field => 'body', message => 'body is required' }, 'no body');
is_refused(create($many, { body => 'x', bodi => 'x' },
                  headers => { Prefer => 'handling=strict' }), 400, 1005,
           { field => 'bodi', message => 'Unknown field: bodi' }, 'strict');
is_answer(list($many), 200, [@notes[0, 1, 3, 4]], 'and nothing changed');

# PATCH: only what is named, and only what changes.
my $kept = create($jid, { body => 'x', referenceId => 'R', isPinned => true })
    ->json;
is_answer(change($jid, $kept->{id}, {}), 200, $kept, 'nothing');
is_answer(change($jid, $kept->{id}, $kept), 200, $kept, 'what it was');
is_answer(change($jid, $kept->{id}, { referenceId => undef }), 200,
          { %$kept, referenceId => undef, updatedAt => $time }, 'null clears');
is_answer(change($jid, uc $kept->{id}, { isPinned => false }), 200,
          { %$kept, referenceId => undef, isPinned => false,
            updatedAt => $time }, 'whatever the case of the id');

# Read-only is for people: programs may.
my $locked = create($jid, { body => 'x', isReadOnly => true })->json->{id};
is_answer(change($jid, $locked, { body => 'y' }, key => $key{ASSISTANT}), 200,
          shape(body => 'y', isReadOnly => true, updatedAt => $time),
          'a read-only one is changed');
is_answer(erase($jid, $locked, key => $key{BOUND}), 204, undef, 'and deleted');

# Once.
my @once = (headers => { 'Idempotency-Key' => 'a note' });
$r = create($many, { body => 'once' }, @once);
is_answer($r, 201, shape(body => 'once'), 'once');
my $again = create($many, { body => 'once' }, @once);
is($again->body, $r->body, 'again: the same');
is($again->header('idempotency-replayed'), 'true', 'which is said');
is(scalar @{ list($many)->json }, 5, 'and made once');

# By an alias.
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => 'NL.abc@whatsapp.eazy.im', contact => $t->value(
               'select id from ezw.contact where jid = ?', $many));
my $alias = 'NL.abc@whatsapp.eazy.im';
is($r = list($alias)->body, list($many)->body, 'listed by an alias');
$r = create($alias, { body => 'by alias' });
is_answer($r, 201, shape(body => 'by alias'), 'made by an alias');
is_answer(change($alias, $r->json->{id}, { isPinned => true }), 200,
          shape(body => 'by alias', isPinned => true, updatedAt => $time),
          'changed by an alias');
is_answer(erase($alias, $r->json->{id}), 204, undef, 'deleted by an alias');
is(scalar @{ list($many)->json }, 5, 'it was the contact\'s');

# Nobody, another's, and what is no id: all the same.
my $stranger = $t->company;
my $their_channel = $t->channel(company => $stranger);
my $their_key = $t->key(company => $stranger, scope => 'COMPANY');
$t->insert('contact', company => $stranger, id => $t->uuid, jid => $many,
           channel => $t->value('select id from ezw.channel where jid = ?',
                                $their_channel));
my $id = $notes[0]{id};
my $nobody = $t->contact_jid;
is_refused(create($nobody, { body => 'x' }), 404, 1009, \%not_found,
           'POST: no such contact');
is_refused(list($nobody), 404, 1009, \%not_found, 'GET: no such contact');
for my $case (['no such contact', $nobody, $id], ["another's", $jid, $id],
              ['no such note', $many, $t->uuid], ['no id', $many, 'x'],
              ['an id of the key', $many, $t->key_id($key{COMPANY})])
{
    my ($name, $contact, $note) = @$case;
    is_refused(change($contact, $note, { body => 'y' }), 404, 1009, \%not_found,
               "PATCH: $name");
    is_refused(erase($contact, $note), 404, 1009, \%not_found,
               "DELETE: $name");
}
my $theirs = "/v3/channels/$their_channel/contacts/$many/notes";
is_answer($t->http(GET => $theirs, key => $their_key), 200, [],
          "the same contact of another company has none");
is_refused($t->http(PATCH => "$theirs/$id", key => $their_key,
                    json => { body => 'y' }), 404, 1009, \%not_found,
           'nor may that company change them');
is_refused($t->http(DELETE => "$theirs/$id", key => $their_key), 404, 1009,
           \%not_found, 'or delete them');
is($t->value('select body from ezw.contact_note where id = ?', $id), 'note 1',
   'and nothing changed');

done_testing;

# Contacts: create, read, update, delete.

use Digest::SHA qw(sha256_hex);

use EZW;

my $t = EZW->start;
my $company = $t->company;
my $jid = '31611111111@whatsapp.eazy.im';
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $other = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my %key = (
    CHANNEL => $t->key(company => $company, scope => 'CHANNEL',
                       channels => [$channel]),
    ASSISTANT => $t->key(company => $company, scope => 'ASSISTANT'),
    COMPANY => $t->key(company => $company, scope => 'COMPANY'),
    OWNER => $t->key(company => $company, scope => 'OWNER'),
);
my %not_found = (message => 'Not found');
my %bad_jid = (message => 'Jid is invalid', field => 'jid');

sub path { return '/v3/channels/' . ($_[1] // $channel) . '/contacts'
               . (defined $_[0] ? "/$_[0]" : '') }

sub create {
    my ($json, %o) = @_;
    return $t->http(POST => path(undef, delete $o{channel}),
                    key => $key{CHANNEL}, json => $json, %o);
}

sub read_one {
    my ($contact, %o) = @_;
    return $t->http(GET => path($contact, delete $o{channel}),
                    key => $key{CHANNEL}, %o);
}

sub change {
    my ($contact, $json, %o) = @_;
    return $t->http(PATCH => path($contact, delete $o{channel}),
                    key => $key{CHANNEL}, json => $json, %o);
}

# The metadata as it is written.
sub change_to {
    my ($contact, $text) = @_;
    return $t->http(PATCH => path($contact), key => $key{CHANNEL},
                    body => qq({"metadata":$text}),
                    headers => { 'Content-Type' => 'application/json' });
}

sub erase {
    my ($contact, %o) = @_;
    return $t->http(DELETE => path($contact, delete $o{channel}),
                    key => $key{CHANNEL}, %o);
}

sub fresh { return $t->contact_jid }

sub phone { return $_[0] =~ /^(\d+)\@/ ? 0 + $1 : undef }

# A contact as it is answered, with what the case says of it.
sub shape {
    my ($jid, %more) = @_;
    return {
        jid => $jid, metadata => [], notes => [], phoneNumber => phone($jid),
        name => { firstName => undef, fullName => undef, lastName => undef },
        reference => undef, remarks => undef, type => 'INDIVIDUAL', %more,
    };
}

my %john = (firstName => 'John', fullName => 'John Doe', lastName => 'Doe');


# The document's own examples.
my %document = (name => \%john, reference => 'Customer #545',
                remarks => 'VIP');
my $r = create({ jid => $jid, name => 'John Doe', reference => 'Customer #545',
                 remarks => 'VIP' });
is_answer($r, 201, shape($jid, %document), "the document's POST");
is($r->body, to_json($r->json), 'compact, and names in their order');
is_answer(read_one($jid), 200, shape($jid, %document), 'read');

$t->insert('contact_note', company => $company,
           contact => $t->value('select id from ezw.contact where jid = ?', $jid),
           id => '280cbbe0-c08a-4606-bf8d-a30242c4eaa4',
           body => 'Return order received', created_by => 'john@mycompany.com',
           created_at => '2020-03-11T19:53:02Z');
my %note = (
    body => 'Return order received', createdAt => '2020-03-11T19:53:02.000000Z',
    createdBy => 'john@mycompany.com', isPinned => false, isReadOnly => false,
    id => '280cbbe0-c08a-4606-bf8d-a30242c4eaa4', referenceId => undef,
    updatedAt => undef,
);
is_answer(read_one($jid), 200, shape($jid, %document, notes => [\%note]),
          "the document's GET");
is_answer(change($jid, { metadata => { title => 'Mr.' }, name => 'John Doe' }),
          200, shape($jid, %document, notes => [\%note],
                     metadata => { title => 'Mr.' }), "the document's PATCH");
is_answer(read_one($jid), 200,
          shape($jid, %document, notes => [\%note],
                metadata => { title => 'Mr.' }), 'it is so');
is_answer(erase($jid), 204, undef, "the document's DELETE");
is_refused(read_one($jid), 404, 1009, \%not_found, 'it is gone');

# No more than the newest 100 notes.
my $talkative = fresh();
create({ jid => $talkative });
$t->sql(q{insert into ezw.contact_note (company, contact, id, body, created_by,
                                        created_at)
          select c.company, c.id, ('00000000-0000-7000-8000-' ||
                                   lpad(i::text, 12, '0'))::uuid, 'note ' || i,
                 'a', timestamptz '2020-01-01' + i * interval '1 minute'
            from ezw.contact c, generate_series(1, 102) i where c.jid = ?},
        $talkative);
is_deeply([map { $_->{body} } @{ read_one($talkative)->json->{notes} }],
          [map { "note $_" } 3 .. 102], 'the newest 100, in order');


# Names: a text or an object.
for my $case (
    ['two words', 'John Doe', \%john],
    ['one word', 'Madonna', { firstName => 'Madonna', fullName => 'Madonna',
                              lastName => undef }],
    ['split at the first run of spaces', "  Jan \t van der  Berg ",
     { firstName => 'Jan', fullName => "Jan \t van der  Berg",
       lastName => 'van der  Berg' }],
    ['255 characters', "\x{1F600}" x 255,
     { firstName => "\x{1F600}" x 255, fullName => "\x{1F600}" x 255,
       lastName => undef }],
    ['255 characters inside of spaces', ' ' x 300 . 'x' x 255,
     { firstName => 'x' x 255, fullName => 'x' x 255, lastName => undef }],
    ['null', undef, { firstName => undef, fullName => undef,
                      lastName => undef }],
    ['an object', { %john }, \%john],
    ['a full name', { fullName => ' John Doe ' }, \%john],
    ['first and last', { firstName => 'John', lastName => 'Doe' }, \%john],
    ['an object like a read one',
     { firstName => 'Madonna', fullName => 'Madonna', lastName => undef },
     { firstName => 'Madonna', fullName => 'Madonna', lastName => undef }],
    ['parts that are no parts of it',
     { firstName => 'A B', fullName => 'John Doe', lastName => 'C' },
     { firstName => 'A B', fullName => 'John Doe', lastName => 'C' }],
    ['an object of nulls', { firstName => undef, fullName => undef,
                             lastName => undef },
     { firstName => undef, fullName => undef, lastName => undef }],
    ['hostile', qq('"; drop table ezw.contact; --\\ \$1),
     { fullName => qq('"; drop table ezw.contact; --\\ \$1),
       firstName => qq('";), lastName => qq(drop table ezw.contact; --\\ \$1) }],
) {
    my ($name, $value, $want) = @$case;
    my $contact = fresh();
    is_answer(create({ jid => $contact, name => $value }), 201,
              shape($contact, name => $want), "name: $name");
    my $second = fresh();
    create({ jid => $second });
    is_answer(change($second, { name => $value }), 200,
              shape($second, name => $want), "name: $name, by PATCH");
    is_answer(read_one($second), 200, shape($second, name => $want),
              "name: $name, and it is so");
}

# What is refused names the field and makes no contact.
for my $case (
    [name => '', 'name', 'name is too short: at least 1 character'],
    [name => "  \t", 'name', 'name is too short: at least 1 character'],
    [name => 'x' x 256, 'name', 'name is too long: at most 255 characters'],
    [name => "\x{1F600}" x 256, 'name',
     'name is too long: at most 255 characters'],
    [name => 5, 'name', 'name must be a string'],
    [name => true, 'name', 'name must be a string'],
    [name => ['John'], 'name', 'name must be a string'],
    [name => { fullName => 5 }, 'name.fullName',
     'name.fullName must be a string'],
    [name => { firstName => [] }, 'name.firstName',
     'name.firstName must be a string'],
    [name => { lastName => 'x' x 256 }, 'name.lastName',
     'name.lastName is too long: at most 255 characters'],
    [name => {}, 'name', 'name is too short: at least 1 character'],
    [reference => 'x' x 256, 'reference',
     'reference is too long: at most 255 characters'],
    [reference => 545, 'reference', 'reference must be a string'],
    [reference => {}, 'reference', 'reference must be a string'],
    [remarks => 'x' x 1025, 'remarks',
     'remarks is too long: at most 1024 characters'],
    [remarks => [], 'remarks', 'remarks must be a string'],
    [remarks => false, 'remarks', 'remarks must be a string'],
    [metadata => 'x', 'metadata', 'metadata must be an object'],
    [metadata => ['x'], 'metadata', 'metadata must be an object'],
    [metadata => { a => { b => 1 } }, 'metadata.a',
     'metadata.a must be a string, a number or a boolean'],
    [metadata => { a => [] }, 'metadata.a',
     'metadata.a must be a string, a number or a boolean'],
    [metadata => { a => undef }, 'metadata.a',
     'metadata.a must be a string, a number or a boolean'],
    [metadata => { map { $_ => 1 } 1 .. 51 }, 'metadata',
     'metadata has too many names: at most 50'],
    [metadata => { a => 'x' x (4096 - 8 + 1) }, 'metadata',
     'metadata is too long: at most 4096 bytes of JSON'],
) {
    my ($field, $value, $named, $message) = @$case;
    my $what = substr to_json({ $field => $value }), 0, 40;
    my $contact = fresh();
    is_refused(create({ jid => $contact, $field => $value }), 400, 1005,
               { message => $message, field => $named }, "refused: $what");
    is_refused(read_one($contact), 404, 1009, \%not_found, 'and not made');
    is_refused(change($talkative, { reference => 'changed', $field => $value }),
               400, 1005, { message => $message, field => $named },
               "refused: $what, by PATCH");
}
is(read_one($talkative)->json->{reference}, undef, 'and nothing changed');

# Limits from below, empty texts, and null.
my $limits = fresh();
my %limits = (reference => "\x{1F600}" x 255, remarks => "\x{e9}" x 1024);
is_answer(create({ jid => $limits, %limits }), 201, shape($limits, %limits),
          'the longest texts');
is_answer(change($limits, { reference => '', remarks => undef }), 200,
          shape($limits, reference => '', remarks => undef),
          'an empty text, and null');
is_answer(change($limits, { reference => undef }), 200, shape($limits),
          'null clears');

# Metadata: what is given, replaced whole.
for my $case (
    ['strings, numbers, booleans',
     '{"s":"x","i":1,"n":-9223372036854775808,"f":1.5,"t":true,"e":"","z":0}'],
    ['another map replaces it', '{"other":false}'],
    ['any name, in its order', '{"z":1,"a b":2,"\u00e9\u0000":3}', 'refused'],
    ['any name, in its order', '{"z":1,"a b":2,"\u00e9\"\\\\":3,"":4,"a":5}'],
    ['50 names', to_json({ map { ("k$_" => $_) } 1 .. 50 })],
    ['4096 bytes', to_json({ a => 'x' x (4096 - 8) })],
) {
    my ($name, $text, $refused) = @$case;
    my $r = change_to($limits, $text);
    if ($refused) {
        is_refused($r, 400, 1005, {}, "metadata: $name with a NUL");
        next;
    }
    is_answer($r, 200, shape($limits, metadata => from_json($text)),
              "metadata: $name");
    is_answer(read_one($limits), 200,
              shape($limits, metadata => from_json($text)),
              "metadata: $name, and it is so");
}
like(read_one($limits)->body, qr/"metadata":\{"a":"x{4088}"\},"name"/,
     'as compact as it is counted');
for my $empty ('[]', '{}', 'null') {
    change($limits, { metadata => { a => 1 } });
    is_answer(change_to($limits, $empty), 200, shape($limits), "metadata: $empty is empty");
    like(read_one($limits)->body, qr/"metadata":\[\]/, 'and answered as []');
}

# Metadata at the creation.
my $made = fresh();
is_answer(create({ jid => $made, metadata => { title => 'Mr.', n => 1 } }), 201,
          shape($made, metadata => { title => 'Mr.', n => 1 }),
          'POST with metadata');
my $empty = fresh();
is_answer(create({ jid => $empty, metadata => [] }), 201, shape($empty),
          'POST with empty metadata');

# PATCH: what is absent stays.
is_answer(change($made, { name => 'John Doe' }), 200,
          shape($made, name => \%john, metadata => { title => 'Mr.', n => 1 }),
          'PATCH of the name only');
is_answer(change($made, { remarks => 'VIP' }), 200,
          shape($made, name => \%john, metadata => { title => 'Mr.', n => 1 },
                remarks => 'VIP'), 'PATCH of the remarks only');
is_answer(change($made, {}), 200,
          shape($made, name => \%john, metadata => { title => 'Mr.', n => 1 },
                remarks => 'VIP'), 'PATCH of nothing');
is_answer(change($made, { name => undef, metadata => undef, remarks => undef }),
          200, shape($made), 'PATCH to nothing');

# GET, edit, PATCH; unknown fields; and where typos shall be caught.
my $whole = read_one($made)->json;
is_answer(change($made, { %$whole, phoneNumber => 1, type => 'GROUP',
                          notes => [{ body => 'x' }], jid => $jid,
                          reference => 'R', nonsense => { a => 1 } }),
          200, shape($made, reference => 'R'), 'read-only and unknown fields');
my @strict = (headers => { Prefer => 'handling=strict' });
is_answer(change($made, $whole, @strict), 200, shape($made),
          'strict takes what was read');
is_refused(change($made, { referense => 'x' }, @strict), 400, 1005,
           { message => 'Unknown field: referense', field => 'referense' },
           'strict');
is_refused(change($made, { name => { fulName => 'x' } }, @strict), 400, 1005,
           { message => 'Unknown field: name.fulName',
             field => 'name.fulName' }, 'strict inside of the name');
my $typo = fresh();
is_refused(create({ jid => $typo, remark => 'x' }, @strict), 400,
           1005, { message => 'Unknown field: remark', field => 'remark' },
           'strict at POST');
is_refused(read_one($typo), 404, 1009, \%not_found, 'and not made');
is_answer(create({ jid => $typo, remark => 'x' }), 201, shape($typo),
          'not strict');


# The JID of a new contact.
for my $bad ('', '31611111111', 'x@whatsapp.eazy.im',
             '031611111111@whatsapp.eazy.im', '31611111111@sms.eazy.im',
             '31611111111@whatsapp.example.com', ' 31611111111@whatsapp.eazy.im',
             '31611111111@whatsapp.eazy.im ', '1563451622477@ai.eazy.im',
             '1571833730@list.eazy.im', '31611111111@whatsapp.eazy.im' x 30)
{
    is_refused(create({ jid => $bad }), 400, 1005, \%bad_jid,
               'no JID: ' . substr $bad, 0, 50);
}
for my $bad (5, {}, [$jid], true) {
    is_refused(create({ jid => $bad }), 400, 1005,
               { message => 'jid must be a string', field => 'jid' },
               'no JID: ' . to_json($bad));
}
is_refused(create({ jid => "31611111111\@whatsapp.eazy.im\x{0}" }), 400, 1005,
           {}, 'no JID: one with a NUL');
is_refused(create({ name => 'John Doe' }), 400, 1005,
           { message => 'jid is required', field => 'jid' }, 'no JID at all');
is_refused(create({ jid => undef }), 400, 1005,
           { message => 'jid must not be null', field => 'jid' }, 'null as JID');
is_answer(create({ jid => $jid =~ s/whatsapp/WhatsApp/r }), 201, shape($jid),
          'a domain in capitals');

# Whose number is hidden, and platforms without numbers.
my $hidden = 'NL.ENT.aB3@whatsapp.eazy.im';
is_answer(create({ jid => $hidden }), 201, shape($hidden),
          'a hidden number');
is_answer(read_one($hidden), 200, shape($hidden),
          'a hidden number, read');
is_refused(read_one($hidden =~ s/aB3/AB3/r), 404, 1009, \%not_found,
           'whose case matters');
my $instagram = $t->channel(company => $company,
                            jid => '1918363544518991@instagram.eazy.im');
is_answer(create({ jid => '42@instagram.eazy.im', name => 'John Doe' },
                 channel => $instagram, key => $key{COMPANY}), 201,
          shape('42@instagram.eazy.im', phoneNumber => undef, name => \%john),
          'no phone');
my $sms = $t->channel(company => $company, jid => '31633333333@sms.eazy.im');
is_answer(create({ jid => '999999999999999@sms.eazy.im' }, channel => $sms,
                 key => $key{COMPANY}), 201,
          shape('999999999999999@sms.eazy.im'), '15 digits');

# Duplicates, also by another name of the contact.
is_refused(create({ jid => $jid, name => 'Somebody' }), 409, 1014,
           { message => 'Already exists' }, 'a duplicate');
is_answer(read_one($jid), 200, shape($jid), 'is as it was');
is_answer(create({ jid => $jid }, channel => $other, key => $key{COMPANY}), 201,
          shape($jid), 'the same person on another channel');
my $old = 'lid.123456@whatsapp.eazy.im';
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => $old, contact => $t->value(
               'select id from ezw.contact where jid = ? and channel = ?',
               $jid, $channel_id));
is_answer(read_one($old), 200, shape($jid), 'read by an alias');
is_answer(change($old, { remarks => 'VIP' }), 200,
          shape($jid, remarks => 'VIP'), 'changed by an alias');
is_refused(create({ jid => $old }), 409, 1014, { message => 'Already exists' },
           'an alias is taken');
is_refused(read_one($old, channel => $other, key => $key{COMPANY}), 404, 1009,
           \%not_found, 'an alias is of its channel');
is_answer(erase($old), 204, undef, 'erased by an alias');
is_refused(read_one($_), 404, 1009, \%not_found, "gone: $_") for $jid, $old;
is_answer(create({ jid => $old }), 201, shape($old, phoneNumber => undef),
          'and free again');


# Who may: every scope, on its channels.
for my $name (sort keys %key) {
    my $contact = fresh();
    my %o = (key => $key{$name});
    is_answer(create({ jid => $contact }, %o), 201, shape($contact),
              "$name creates");
    is_answer(read_one($contact, %o), 200, shape($contact), "$name reads");
    is_answer(change($contact, { remarks => $name }, %o), 200,
              shape($contact, remarks => $name), "$name changes");
    is_answer(erase($contact, %o), 204, undef, "$name erases");
}
is_refused($t->http(GET => path($talkative)), 401, 1001,
           { message => 'Unauthorized: no API key' }, 'nobody reads');

# No oracle: a channel that is not on the key's list, one of others, none.
my $stranger = $t->company;
my $foreign = $t->channel(company => $stranger);
my $theirs = fresh();
$t->http(POST => path(undef, $foreign), json => { jid => $theirs },
         key => $t->key(company => $stranger, scope => 'COMPANY'));
my $absent = '31699999999@whatsapp.eazy.im';
for my $case ([$other, 'another channel'], [$foreign, "another company's"],
              [$absent, 'no channel'])
{
    my ($where, $name) = @$case;
    for my $r (create({ jid => fresh() }, channel => $where),
               read_one($theirs, channel => $where),
               change($theirs, { name => 'x' }, channel => $where),
               erase($theirs, channel => $where))
    {
        is_refused($r, 403, 1002,
                   { message => 'Access denied: not a channel of the API key' },
                   "not on the list: $name");
    }
    next if $where eq $other;
    for my $scope (qw(ASSISTANT COMPANY OWNER)) {
        my %o = (channel => $where, key => $key{$scope});
        for my $r (create({ jid => fresh() }, %o), read_one($theirs, %o),
                   change($theirs, { name => 'x' }, %o), erase($theirs, %o))
        {
            is_refused($r, 404, 1009, \%not_found, "$scope: $name");
        }
    }
}
is($t->value('select count(*) from ezw.contact where company = ?', $stranger), 1,
   "another company's contact is still there");

# A contact that is not there.
my $nobody = fresh();
is_refused(read_one($nobody), 404, 1009, \%not_found, 'GET of nobody');
is_refused(change($nobody, {}), 404, 1009, \%not_found, 'PATCH of nobody');
is_refused(erase($nobody), 404, 1009, \%not_found, 'DELETE of nobody');
is_refused(read_one('31611111111@sms.eazy.im'), 400, 1005,
           { message => 'Jid is invalid', field => 'contactJid' },
           "a JID of another platform than the channel's");


# DELETE leaves nothing of the person, and all of the others.
my ($gone, $stays) = ('31677777771@whatsapp.eazy.im',
                      '31677777772@whatsapp.eazy.im');
for my $who ($gone, $stays) {
    create({ jid => $who, name => "Secret $who", reference => "ref-$who",
             remarks => "remarks-$who", metadata => { a => "meta-$who" } });
    is($t->http(POST => "/v3/channels/$channel/messages/$who",
                key => $key{CHANNEL},
                json => { message => { type => 'text',
                                       body => "text-$who" } })->status, 201,
       "a message to $who");
}
wait_for(sub {
    return $t->value("select count(*) from ezw.message where direction = 'IN'")
        == 2 && $t->value('select count(*) from ezw.outbox') == 0
        && $t->value(q{select count(*) from ezw.message
                        where status = 'DELIVERED'}) == 2;
}, 10, 'both have answered');
my %secret;
for my $who ($gone, $stays) {
    my ($row) = $t->sql(q{
        select c.id, v.id
          from ezw.contact c join ezw.conversation v on v.contact = c.id
          join ezw.message m on m.conversation = v.id
         where c.jid = ? and m.direction = 'OUT'}, $who);
    my ($contact, $conversation) = @$row;
    my %in = (company => $company);
    my $message = $t->value(q{select encode(id, 'hex') from ezw.message
                               where conversation = ? and direction = 'OUT'},
                            $conversation);
    $t->insert('contact_note', %in, contact => $contact, id => $t->uuid,
               body => "note-$who", created_by => 'a');
    $t->insert('contact_alias', %in, channel => $channel_id, kind => 'jid',
               value => "alias-$who", contact => $contact);
    $t->insert('comment', %in, conversation => $conversation,
               id => { hex => $message }, body => "comment-$who",
               created_by => 'a');
    $t->insert('label', %in, jid => phone($who) . '@label.eazy.im',
               name => phone($who));
    $t->insert('conversation_label', %in, conversation => $conversation,
               label => phone($who) . '@label.eazy.im');
    $t->insert('attachment', %in, id => $t->uuid,
               conversation => $conversation, message => { hex => $message },
               file_name => "file-$who");
    $t->insert('delivery', %in, conversation => $conversation,
               webhook => $t->uuid, id => $t->uuid, kind => 'message',
               payload => qq({"text":"hook-$who"}));
    $t->insert('idempotency', %in, method => 'POST', route => 'contact_create',
               attempt => $t->uuid,
               channel => $channel, key => $who, fingerprint => { hex => '00' },
               contact => $who, result => qq({"jid":"$who"}));
    $t->insert('outbox', %in, conversation => $conversation, seq => 1000,
               channel => $channel_id, kind => 'message',
               due_at => '2100-01-01',
               payload => qq({"text":"out-$who"}));
    my $list = phone($who) . '@list.eazy.im';
    $t->insert('list', %in, jid => $list, channel => $channel_id,
               full_name => 'List');
    $t->insert('list_participant', %in, list => $list, contact => $contact);
    $t->insert('block', %in, channel => $channel_id, jid => $who,
               hash => { hex => '00' });
    $secret{$who} = [$who, $contact, $conversation, $message];
}
my $before = $t->snapshot;
is_answer(erase($gone), 204, undef, 'erased');
my $after = $t->snapshot;

# What names it in the tables: nothing but the list, the label, which are the
# company's own, and the hash of the block.
for my $table (sort keys %$after) {
    for my $secret (@{ $secret{$gone} }) {
        my @left = grep { /\Q$secret\E/ } @{ $after->{$table} };
        is_deeply(\@left, [], "$table: nothing of $secret");
    }
}
for my $table (sort keys %$before) {
    next if $table =~ /^(api_key|change|change_counter|list)$/;
    my $mentions = join '|', map { quotemeta } @{ $secret{$gone} };
    my %own = map { $_ => 1 } grep { /$mentions/ } @{ $before->{$table} };
    my @others = grep { !$own{$_} } @{ $before->{$table} };
    my %kept = map { $_ => 1 } @{ $after->{$table} };
    is_deeply([grep { !$kept{$_} } @others], [], "$table: the others stay");
}
is_deeply([$t->sql('select jid, participants from ezw.list order by jid')],
          [map { [phone($_->[0]) . '@list.eazy.im', $_->[1]] }
           [$gone, 0], [$stays, 1]], 'the lists stay, and count their members');
my ($audit) = $t->sql(
    q{select event_type, actor_type, actor_id, target_type, target_id, address,
             data::text
        from ezw.audit_log order by created_at desc limit 1});
is_deeply($audit, ['contact.erased', 'key',
                   $t->key_id($key{CHANNEL}) . '@key.eazy.im', 'contact',
                   sha256_hex($gone), '127.0.0.1', undef], 'the audit log');
is($t->value('select count(*) from ezw.block where jid is null
                and hash = ezw.block_hash(?)', $gone), 1,
   'who was blocked stays blocked, by a hash');
is_refused(erase($gone), 404, 1009, \%not_found, 'erased already');

# `ezw_empty_map object`.
my $object = EZW->start(like => $t, http => 'ezw_empty_map object;');
my $answer = $object->http(GET => path($talkative), key => $key{CHANNEL});
is($answer->status, 200, 'read from the other instance');
like($answer->body, qr/"metadata":\{\}/, 'an empty map as an object');

done_testing;

# Labels: create, read, update, delete.

use EZW;

my $t = EZW->start(start => 0, http => 'ezw_courier off;');
# those who create at once wait for each other, on any machine
$t->sql("alter role ezw_app in database $t->{dbname} set lock_timeout = '20s'");
$t->launch;
my $company = $t->company;
my $jid = $t->channel(company => $company);
my $channel = $t->value('select id from ezw.channel where jid = ?', $jid);
my $key = $t->key(company => $company, scope => 'ASSISTANT');
my %not_found = (message => 'Not found');
my %duplicate = (message => 'Already exists');
my $of_label = qr/^\d{13}\@label[.]eazy[.]im$/;
my @strict = (headers => { Prefer => 'handling=strict' });

# Options: company (its id), key.
sub path {
    my ($label, $of) = @_;
    return '/v3/companies/' . ($of // $company) . '/labels'
        . (defined $label ? "/$label" : '');
}

sub create { my ($json, %o) = @_;
             return $t->http(POST => path(), key => $key, json => $json, %o) }
sub list   { my ($query, %o) = @_;
             return $t->http(GET => path() . ($query // ''), key => $key, %o) }
sub change { my ($label, $json, %o) = @_;
             return $t->http(PATCH => path($label), key => $key,
                             json => $json, %o) }
sub remove { my ($label, %o) = @_;
             return $t->http(DELETE => path($label), key => $key, %o) }

sub shape {
    my ($label, $name, %more) = @_;
    return { color => 8, description => undef, jid => $label, name => $name,
             priority => undef, %more };
}

# One that is there now; its JID.
sub made {
    my ($json, %o) = @_;
    my $r = create($json, %o);
    $r->status == 201 or die $r->as_text;
    return $r->json->{jid};
}


# The document's own examples.
is_answer(list(), 200, [], 'none yet');
my $r = create({ description => 'Support related questions',
                 name => 'Support' });
is_answer($r, 201, shape($of_label, 'Support',
                         description => 'Support related questions'),
          "the document's POST");
is($r->body, to_json($r->json), 'compact, and names in their order');
my $support = $r->json->{jid};
my ($ms) = $support =~ /^(\d+)/;
cmp_ok(abs($ms / 1000 - time), '<', 86400, 'called after its time');
is_answer(change($support, { name => 'Customer Support' }), 200,
          shape($support, 'Customer Support',
                description => 'Support related questions'),
          "the document's PATCH");
$t->insert('label', company => $company, jid => '1563451622477@label.eazy.im',
           name => 'Sales', color => 16);
is_answer(change($support, { name => 'Support', description => undef }), 200,
          shape($support, 'Support'), 'null clears');
is_answer(list(), 200, [shape('1563451622477@label.eazy.im', 'Sales',
                              color => 16), shape($support, 'Support')],
          "the document's GET");
is_answer(remove($support), 204, undef, "the document's DELETE");
is_answer(list(), 200, [shape('1563451622477@label.eazy.im', 'Sales',
                              color => 16)], 'it is gone');
is_refused(remove($support), 404, 1009, \%not_found, 'not a second time');
is_refused(change($support, { color => 1 }), 404, 1009, \%not_found,
           'nothing left to change');


# What a label may be.
for my $case (
    [name => "\x{1F600}" x 255], [color => 0], [color => 20],
    [priority => -2147483647], [priority => 2147483647], [priority => undef],
    [description => ''], [description => "\x{e9}" x 1024],
    [description => undef],
) {
    my ($field, $value) = @$case;
    my $what = substr to_json({ $field => $value }), 0, 30;
    my %named = (name => $t->random_text(20));
    my $r = create({ %named, $field => $value });
    is_answer($r, 201, shape($of_label, $named{name}, $field => $value),
              "POST: $what");
    is_answer(remove($r->json->{jid}), 204, undef, "DELETE: $what");
    my $label = made({ name => $t->random_text(20) });
    my $name = $field eq 'name' ? $value : list()->json;
    ($name) = map { $_->{name} } grep { $_->{jid} eq $label } @$name
        if ref $name;
    is_answer(change($label, { $field => $value }), 200,
              shape($label, $name, $field => $value), "PATCH: $what");
    is_answer(remove($label), 204, undef, "DELETE: $what");
}

# What is refused names the field, makes nothing and changes nothing.
my $plain = made({ name => 'Plain' });
for my $case (
    [name => '', 'name is too short: at least 1 character'],
    [name => 'x' x 256, 'name is too long: at most 255 characters'],
    [name => undef, 'name must not be null'],
    [name => 5, 'name must be a string'],
    [name => { fullName => 'x' }, 'name must be a string'],
    [color => -1, 'color must be between 0 and 20'],
    [color => 21, 'color must be between 0 and 20'],
    [color => 1.5, 'color must be an integer'],
    [color => '1', 'color must be an integer'],
    [color => undef, 'color must not be null'],
    [priority => 2147483648,
     'priority must be between -2147483647 and 2147483647'],
    [priority => 'high', 'priority must be an integer'],
    [description => 'x' x 1025,
     'description is too long: at most 1024 characters'],
    [description => [], 'description must be a string'],
) {
    my ($field, $value, $message) = @$case;
    my $what = substr to_json({ $field => $value }), 0, 40;
    my %says = (field => $field, message => $message);
    is_refused(create({ name => 'New', $field => $value }), 400, 1005, \%says,
               "POST: $what");
    is_refused(change($plain, { color => 3, $field => $value }), 400, 1005,
               \%says, "PATCH: $what");
}
is_refused(create({ color => 1 }), 400, 1005,
           { field => 'name', message => 'name is required' }, 'no name');
is_refused(create({ name => 'New', colour => 1 }, @strict), 400, 1005,
           { field => 'colour', message => 'Unknown field: colour' },
           'a typo, and strict');
is_answer(list(), 200,
          [shape($plain, 'Plain'), shape('1563451622477@label.eazy.im', 'Sales',
                                         color => 16)], 'nothing came of it');

# GET, edit, PATCH; and of nothing.
my ($read) = @{ list()->json };
is_answer(change($plain, { %$read, color => 3 }, @strict), 200,
          shape($plain, 'Plain', color => 3), 'what was read is taken back');
is_answer(change($plain, {}), 200, shape($plain, 'Plain', color => 3),
          'PATCH of nothing');
is_answer(change($plain, { jid => '1563451622477@label.eazy.im' }), 200,
          shape($plain, 'Plain', color => 3), 'a JID stays');


# A name is taken whatever its case, in one company.
made({ name => "\x{c9}t\x{e9}" });
for my $name (qw(plain PLAIN sAlEs), "\x{e9}T\x{c9}") {
    is_refused(create({ name => $name }), 409, 1014, \%duplicate,
               "POST of $name") for 1 .. 2;
}
is_refused(change($plain, { name => 'sales' }), 409, 1014, \%duplicate,
           'PATCH to a name that is taken');
is_answer(change($plain, { name => 'PLAIN', color => 4 }), 200,
          shape($plain, 'PLAIN', color => 4), 'its own in another case');
my $stranger = $t->company;
my $theirs = $t->key(company => $stranger, scope => 'COMPANY');
is_answer($t->http(POST => path(undef, $stranger), key => $theirs,
                   json => { name => 'Plain' }), 201,
          shape($of_label, 'Plain'), "another company's");


# Every JID is new, even where a thousand are made at once.
my %jids = map { made({ name => "Made $_" }) => 1 } 1 .. 30;
is(scalar keys %jids, 30, 'every label has its own JID');
my @same = map { $_->status } $t->parallel(map {
    [POST => path(), key => $key, json => { name => 'Raced' }] } 1 .. 8);
is_deeply([sort @same], [201, (409) x 7], 'one of a name wins');

# The same request once more.
my @once = (headers => { 'Idempotency-Key' => 'one' });
my $first = create({ name => 'Once' }, @once);
is_answer($first, 201, shape($of_label, 'Once'), 'with an idempotency key');
$r = create({ name => 'Once' }, @once);
is_answer($r, 201, $first->json, 'and again');
is($r->header('idempotency-replayed'), 'true', 'which it says');


# By name, whatever its case, page by page.
my $other = $t->company;
my $reader = $t->key(company => $other, scope => 'ASSISTANT');
my @names = map { sprintf '%s %03d', $_ % 2 ? 'Label' : 'lABEL', $_ } 1 .. 250;
$t->sql(q{insert into ezw.label (company, jid, name)
          select ?, (1600000000000 - i) || '@label.eazy.im', n
            from unnest(?::text[]) with ordinality u (n, i)}, $other, \@names);
my @listed = @{ $t->http(GET => path(undef, $other), key => $reader)->json };
is_deeply([map { $_->{name} } @listed], \@names, 'in their order');
my ($query, @paged) = ('?limit=40');
for (1 .. 7) {
    my $r = $t->http(GET => path(undef, $other) . $query, key => $reader,
                     headers => { Prefer => 'count=exact' });
    is($r->header('x-total-count'), 250, 'counted');
    push @paged, @{ $r->json };
    my $cursor = $r->header('x-next-cursor') // last;
    $query = "?limit=40&cursor=$cursor";
}
is_deeply(\@paged, \@listed, 'page by page');


# DELETE takes it from every conversation, and nobody is told.
my $gone = made({ name => 'Gone' });
my $kept = made({ name => 'Kept' });
my $contact = $t->contact_jid;
my $sent = $t->http(POST => "/v3/channels/$jid/messages/$contact", key => $key,
                    json => { type => 'text', body => 'Hello' });
is($sent->status, 201, 'a conversation');
my $conversation = "/v3/channels/$jid/conversations/$contact";
is_deeply($t->http(PATCH => $conversation, key => $key,
                   json => { labels => [$gone, $kept] })->json->{labels},
          [$gone, $kept], 'has both');
$t->insert('label', company => $stranger, jid => $gone, name => 'Same');
$t->insert('conversation_label', company => $stranger, label => $gone,
           conversation => $t->uuid);
my @told = map { $t->value("select count(*) from ezw.$_") }
    qw(event audit_log outbox);
my $version = $t->value('select version from ezw.conversation');
is_answer(remove($gone), 204, undef, 'one is deleted');
is_deeply($t->http(GET => $conversation, key => $key)->json->{labels}, [$kept],
          'the other one stays');
is_deeply([map { $t->value("select count(*) from ezw.$_") }
           qw(event audit_log outbox)], \@told, 'nobody is told');
is($t->value('select version from ezw.conversation'), $version,
   'and no version is another');
is($t->value('select count(*) from ezw.conversation_label
               where company = ?', $stranger), 1,
   "another company's of the same JID stays");
is($t->value('select count(*) from ezw.label where company = ?
                 and jid = ?', $stranger, $gone), 1, 'and so does the label');
is_refused($t->http(PATCH => $conversation, key => $key,
                    json => { labels => [$gone] }), 404, 1009,
           { field => 'labels',
             message => 'labels names a label that does not exist' },
           'it cannot be given any more');


# What is no label of the company's.
for my $absent ('1500000000000@label.eazy.im', '1500000000000@team.eazy.im') {
    is_refused(change($absent, { color => 1 }), 404, 1009, \%not_found,
               "PATCH of $absent");
    is_refused(remove($absent), 404, 1009, \%not_found, "DELETE of $absent");
}
my %bad = (field => 'jid', message => 'Jid is invalid');
for my $bad (qw(1@label.eazy.im x@label.eazy.im 1500000000000@label.eazy.com
                31612345678@whatsapp.eazy.im)) {
    is_refused(change($bad, { color => 1 }), 400, 1005, \%bad, "PATCH of $bad");
    is_refused(remove($bad), 400, 1005, \%bad, "DELETE of $bad");
}

# What is taken is found out before anything is written.
unlike($t->database_log, qr/duplicate key/, 'no error of the database');

done_testing;

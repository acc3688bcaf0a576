# Two contacts that turn out to be one person become one, in one transaction:
# nothing of either is lost, and both JIDs answer.

use EZW;
use EZW::Person;

# A node that claims nothing.
my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $key = $t->key(company => $company, scope => 'COMPANY');
my $people = EZW::Person->new($t, company => $company, channel => $channel);
my $base = "/v3/channels/$channel";
my $n = 0;

sub phone { return $t->contact_jid }
sub bsuid { return 'NL.' . (1000 + ++$n) . '@whatsapp.eazy.im' }
sub name  { return $_[0] =~ /^(?:lid\.)?([^@]+)/ ? $1 : die }

sub call {
    my ($method, $path, %o) = @_;
    return $t->http($method => "$base/$path", key => $key, %o);
}

sub contact { return call(GET => "contacts/$_[0]") }
sub conversation { return call(GET => "conversations/$_[0]") }

sub create {
    my ($jid, %more) = @_;
    is(call(POST => 'contacts', json => { jid => $jid, %more })->status, 201,
       "a contact $jid");
    return $jid;
}

sub texts {
    my ($jid) = @_;
    return [map { $_->{message}{body} }
            reverse @{ call(GET => "messages/$jid")->json }];
}

sub pair {
    my ($hidden, $phone) = @_;
    return $people->pair(bsuid => name($hidden), phone => name($phone));
}

sub events {
    my ($since) = @_;
    return [map { $_->[0] } $t->sql(
        q{select e.kind from ezw.event e where e.created_at > ?
           order by e.created_at, e.seq}, $since)];
}

sub last_event { return $t->value('select max(created_at) from ezw.event') }

sub id_of { return $t->value('select id from ezw.contact where jid = ?', $_[0]) }


# Both have written and been written to.
my $phone = create(phone(), name => 'Jane Doe', metadata => { a => 1, b => 2 });
my $hidden = create(bsuid(), name => 'jd', reference => 'R',
                    metadata => { username => 'jd', b => 3 });
my $team = '1601626130348@team.eazy.im';
$t->insert('team', company => $company, jid => $team, name => 'Team');
my @labels = map { "158048617568$_\@label.eazy.im" } 1 .. 3;
$t->insert('label', company => $company, jid => $_, name => $_) for @labels;
my @ids = (
    $people->says($hidden, 'one'), $people->told($phone, 'two'),
    $people->told($hidden, 'three'), $people->says($phone, 'four'),
    $people->says($hidden, 'five'),
);
call(PATCH => "conversations/$phone", json => {
    labels => [@labels[0, 1]], status => 'CLOSED' });
call(PATCH => "conversations/$hidden", json => {
    labels => [@labels[1, 2]], team => $team });
my $version = $t->value('select version from ezw.conversation where contact_jid = ?',
                        $phone);
for my $jid ($phone, $hidden) {
    my ($v) = $t->sql('select id, contact from ezw.conversation where contact_jid = ?',
                      $jid);
    $t->insert('comment', company => $company, conversation => $v->[0],
               id => { hex => $people->message_id }, body => "comment $jid",
               created_by => 'a');
    $t->insert('contact_note', company => $company, contact => $v->[1],
               id => $people->id, body => "note $jid", created_by => 'a');
    $t->insert('list', company => $company, jid => "157183373$n\@list.eazy.im",
               channel => $channel_id, full_name => 'L') if $jid eq $phone;
    $t->insert('list_participant', company => $company,
               list => "157183373$n\@list.eazy.im", contact => $v->[1]);
}
$t->insert('list', company => $company, jid => '1571833799@list.eazy.im',
           channel => $channel_id, full_name => 'L2');
$t->insert('list_participant', company => $company,
           list => '1571833799@list.eazy.im', contact => id_of($hidden));
$t->insert('attachment', company => $company, id => $t->uuid,
           message => { hex => $ids[0] }, conversation => $t->value(
               'select id from ezw.conversation where contact_jid = ?', $hidden));

my $was = conversation($phone)->json;
my $other = conversation($hidden)->json;
my $since = last_event();
is(pair($hidden, $phone), $phone, 'paired');
is_json(events($since),
        ['contact.updated', 'conversation.updated', 'conversation.updated'],
        'the log tells it');

my %merged = (
    jid => $phone, metadata => { a => 1, b => 2, username => 'jd' },
    name => { firstName => 'Jane', fullName => 'Jane Doe', lastName => 'Doe' },
    notes => [map { { body => "note $_", createdAt => qr/Z$/, createdBy => 'a',
                      id => qr/./, isPinned => false, isReadOnly => false,
                      referenceId => undef, updatedAt => undef } } $phone, $hidden],
    phoneNumber => 0 + name($phone), reference => 'R', remarks => undef,
    type => 'INDIVIDUAL');
for my $jid ($phone, $hidden) {
    is_answer(contact($jid), 200, \%merged, "the contact $jid");
    is_answer(conversation($jid), 200, {
        %$was, labels => \@labels, status => 'OPEN', team => { jid => $team },
        createdAt => $other->{createdAt}, unreadCount => 3,
        messagesReceived => 3, messagesSent => 2,
        lastMessageReceivedAt => $other->{lastMessageReceivedAt},
        lastMessageSentAt => $other->{lastMessageSentAt},
    }, "the conversation $jid");
    is_json(texts($jid), [qw(one two three four five)], "in order: $jid");
    for my $id (@ids) {
        is(call(GET => "messages/$jid/$id")->status, 200, "a message of $jid");
    }
}
is($t->value('select version from ezw.conversation where contact_jid = ?', $phone),
   $version + 1, 'one version more');
is($t->value('select count(*) from ezw.conversation'), 1, 'one conversation');
is($t->value('select count(distinct m.seq) from ezw.message m'), 5,
   'every message has a number of its own');
is($t->value('select max(m.seq) from ezw.message m'),
   $t->value('select v.last_seq from ezw.conversation v'), 'the last one is known');
is($t->value('select count(distinct conversation) from ezw.outbox'), 1,
   'one queue');
is_json([map { $_->[0] } $t->sql(
            q{select m.body->>'body' from ezw.outbox o
                join ezw.message m on m.conversation = o.conversation
                 and m.created_at = o.message_at and m.seq = o.seq
               order by o.seq})], [qw(two three)], 'what waits, in order');
is($t->value('select count(*) from ezw.comment k join ezw.conversation v
               on v.id = k.conversation'), 2, 'the comments');
is($t->value('select count(*) from ezw.attachment k join ezw.conversation v
               on v.id = k.conversation'), 1, 'the attachment');
is($t->value('select count(*) from ezw.list_participant where contact = ?',
             id_of($phone)), 2, 'on both lists, once');
is($t->value('select count(*) from ezw.event e where e.kind <> ? and e.message is not null
               and not exists (select from ezw.conversation v where v.id = e.conversation)',
             'x'), 0, 'the log names the conversation that there is');
is($t->value('select count(*) from ezw.event e where e.contact is not null
               and e.contact <> ?', id_of($phone)), 0, 'and the contact');

# Everything works by the old JID, and does what it does by the new one.
is(call(POST => "messages/$hidden", json => { type => 'text', body => 'six' })->status,
   201, 'sent to the old JID');
is_json(texts($phone), [qw(one two three four five six)], 'into the conversation');
$people->says($hidden, 'seven');
is_json(texts($phone), [qw(one two three four five six seven)], 'and received');
is_answer(call(PATCH => "contacts/$hidden", json => { remarks => 'VIP' }), 200,
          { %merged, remarks => 'VIP' }, 'changed');
is(call(PATCH => "conversations/$hidden", json => { status => 'CLOSED' })->json->{status},
   'CLOSED', 'closed');
is(conversation($phone)->json->{status}, 'CLOSED', 'so it is');
is_refused(call(POST => 'contacts', json => { jid => $hidden }), 409, 1014, {},
           'not made anew');
is($t->value('select count(*) from ezw.contact'), 1, 'one contact');

# Paired once more: nothing changes.
my @beside = qw(api_key change change_counter deployment);
my $before = $t->snapshot(@beside);
is(pair($hidden, $phone), $phone, 'paired again');
is_deeply($t->snapshot(@beside), $before, 'nothing is written');

# Erased by the old one.
is(call(DELETE => "contacts/$hidden")->status, 204, 'erased');
for my $jid ($phone, $hidden) {
    is(contact($jid)->status, 404, "gone: $jid");
    is(conversation($jid)->status, 404, "gone: $jid");
}
for my $table (qw(message attachment comment contact_note list_participant
                  contact_alias event outbox conversation_merge erasure)) {
    is($t->value("select count(*) from ezw.$table"), 0, "nothing in $table");
}


# Only one of them has a conversation, or neither.
for my $case ([1, 0], [0, 1], [0, 0]) {
    my ($of_phone, $of_hidden) = @$case;
    my ($p, $h) = (create(phone()), create(bsuid()));
    $people->says($p, 'to the phone') if $of_phone;
    $people->says($h, 'hidden') if $of_hidden;
    is(pair($h, $p), $p, "paired: @$case");
    for my $jid ($p, $h) {
        is(contact($jid)->json->{jid}, $p, "the contact: @$case");
        is(conversation($jid)->status, $of_phone || $of_hidden ? 200 : 404,
           "the conversation: @$case");
        is_json(texts($jid), $of_phone ? ['to the phone'] : ['hidden'],
                "the messages: @$case") if $of_phone || $of_hidden;
    }
    $people->told($h, 'more');
    is(conversation($p)->json->{messagesSent}, 1, "and goes on: @$case");
}

# Who owns it: the open one's owner, else that of the phone's.
my $assistant = $t->assistant(company => $company);
my $jane = 'jane@example.com';
$t->user(company => $company, email => $jane);
for my $case (
    [OPEN => $jane, OPEN => $assistant, $jane],
    [OPEN => undef, OPEN => $assistant, $assistant],
    [CLOSED => $jane, OPEN => $assistant, $assistant],
    [CLOSED => $jane, OPEN => undef, undef],
    [OPEN => $jane, CLOSED => $assistant, $jane],
    [OPEN => undef, CLOSED => $assistant, undef],
) {
    my ($status, $owner, $other_status, $other_owner, $want) = @$case;
    my ($p, $h) = (phone(), bsuid());
    for ([$p, $status, $owner], [$h, $other_status, $other_owner]) {
        my ($jid, $status, $owner) = @$_;
        $people->says($jid, 'x');
        call(PATCH => "conversations/$jid",
             json => { status => $status, assignee => $owner });
    }
    pair($h, $p);
    my $v = conversation($p)->json;
    my $what = join ' ', map { $_ // 'nobody' } @$case;
    is($v->{assignee}, $want, "owner: $what");
    is($v->{status}, 'OPEN', "open: $what");
}

# Read and unread.
for my $case ([undef, undef, undef], [undef, 2, 2], [1, undef, 1], [1, 2, 3],
              [0, undef, 0]) {
    my ($p, $h) = (phone(), bsuid());
    $people->told($_, 'x') for $p, $h;
    $t->sql('update ezw.conversation set unread_count = ? where contact_jid = ?',
            @$_) for [$case->[0], $p], [$case->[1], $h];
    pair($h, $p);
    is(conversation($p)->json->{unreadCount}, $case->[2],
       'unread: ' . join ' ', map { $_ // 'read' } @$case);
}

# A block of either is the person's.
for my $blocked (0, 1) {
    my @jids = (phone(), bsuid());
    $people->says($_, 'x') for @jids;
    $t->insert('block', company => $company, channel => $channel_id,
               hash => { hex => '00' }, jid => $jids[$blocked], dropped => 2);
    pair($jids[1], $jids[0]);
    for my $jid (@jids) {
        is_refused(call(POST => "messages/$jid", json => { type => 'text', body => 'x' }),
                   422, 1011, {}, "blocked: $jid");
    }
    is_json([map { @$_ } $t->sql('select jid, dropped from ezw.block where jid = any(?)',
                                 \@jids)], [$jids[0], 2], 'under the JID that it has');
    $t->sql('delete from ezw.block where jid = ?', $jids[0]);
    is(call(POST => "messages/$jids[1]", json => { type => 'text', body => 'x' })->status,
       201, 'and free again');
}

# A number that was blocked before anybody had it blocks the one who has it.
{
    my ($p, $h) = (phone(), bsuid());
    $people->says($h, 'x');
    $t->insert('block', company => $company, channel => $channel_id,
               hash => { hex => '00' }, jid => $p);
    is(call(POST => "messages/$h", json => { type => 'text', body => 'x' })->status,
       201, 'a hidden number is not known to be blocked');
    pair($h, $p);
    is_refused(call(POST => "messages/$h", json => { type => 'text', body => 'x' }),
               422, 1011, {}, 'when it is known it is');
}

# A courier that had claimed a command before finds it.
my ($p, $h) = (phone(), bsuid());
$t->sql('delete from ezw.outbox');
$people->told($p, 'first');
$people->told($h, 'second');
$people->told($h, 'third');
my @claim = (worker => 'w', limit => 10, lease_seconds => 30);
my @rows = @{ $people->{statements}->run('outbox_claim', @claim) };
is_json([sort map { from_json($_->{body})->{body} } @rows], ['first', 'second'], 'claimed');
pair($h, $p);
my %of = map { from_json($_->{body})->{body} => $_ } @rows;
my %claimed = (worker => 'w', map { $_ => $of{second}{$_} } qw(company conversation seq));
is(scalar @{ $people->{statements}->run('outbox_claim', @claim) }, 0,
   'what is being sent is not sent again');
is($people->run('outbox_retry', %claimed, delay_ms => 0, error => 'x')->{retried}, 1,
   'put off');
is($people->run('outbox_done', map { $_ => $of{first}{$_} // 'w' }
                qw(company conversation seq worker))->{done}, 1, 'the first one is done');
my ($again) = @{ $people->{statements}->run('outbox_claim', @claim) };
is(from_json($again->{body})->{body}, 'second', 'then the second');
is($again->{contact}, $p, 'to the phone');
is($people->run('outbox_done', %claimed)->{done}, 1, 'done by its old place');
($again) = @{ $people->{statements}->run('outbox_claim', @claim) };
is(from_json($again->{body})->{body}, 'third', 'then the third');


# More than one transaction should move: the newest at once, the rest behind.
($p, $h) = (phone(), bsuid());
$people->says($p, 'phone');
$people->says($h, 'hidden');
$people->fill($h, 2500);
my $waiting = $people->told($h, 'waits');
pair($h, $p);
my $v = conversation($p)->json;
is($v->{messagesReceived} + $v->{messagesSent}, 2503, 'all are counted');
is(scalar @{ call(GET => "messages/$p?limit=1000")->json }, 1000, 'the newest are there');
is(call(GET => "messages/$p/$waiting")->status, 200, 'and what waits');
is($t->value('select count(*) from ezw.conversation_merge where done_at is null'), 1,
   'the rest is known');

# A receipt of one that waits to be moved.
my $unmoved = $t->value(q{select encode(m.id, 'hex') from ezw.message m
                           where m.direction = 'OUT' and not exists (
                            select from ezw.conversation v where v.id = m.conversation)
                           limit 1});
is_json($people->run('message_status', company => $company, channel => $channel,
                     message => $unmoved, status => 'READ'),
        { refusal => undef, changed => 1 }, 'a receipt of the rest');
is($t->value(q{select v.contact_jid from ezw.event e
                 join ezw.conversation v on v.id = e.conversation
                where e.kind = 'receipt' and e.message = ?
                order by e.created_at desc limit 1}, { hex => $unmoved }), $p,
   'is told of where it goes');

# Another contact's names come in between.
my $third = create(phone());
$people->says($third, 'third');
is($people->rebind(phone => name($third), phone => name($p)), $third, 'another number');

my $node = EZW->start(like => $t, http => undef);
wait_for(sub { $t->value('select count(*) = 0 from ezw.conversation_merge
                           where done_at is null') }, 60, 'all is moved');
$v = conversation($third)->json;
is($v->{messagesReceived} + $v->{messagesSent}, $t->value(
    q{select count(*) from ezw.message m join ezw.conversation v
       on v.id = m.conversation where v.contact_jid = ?}, $third), 'all that are counted');
is($t->value(q{select count(*) from ezw.message m where not exists (
                select from ezw.conversation v where v.id = m.conversation)}), 0,
   'none is left behind');
is($t->value(q{select count(*) from ezw.message m join ezw.conversation v
                on v.id = m.conversation where v.contact_jid = ?
                and m.body->>'body' like 'filled%'}, $third), 2500, 'the moved ones');
for my $table (qw(attachment comment delivery)) {
    is($t->value("select count(*) from ezw.$table k where not exists (
                    select from ezw.conversation v where v.id = k.conversation)"), 0,
       "none is left behind in $table");
}
is($t->value("select count(*) from ezw.contact_note k where not exists (
                select from ezw.contact v where v.id = k.contact)"), 0, 'nor a note');

done_testing;

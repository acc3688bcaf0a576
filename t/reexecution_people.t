# The writes about people, each executed twice with the same ids: blocks, notes,
# comments, lists, events of one's own (see reexecution.t).
#
# writes: comment_create contact_block contact_unblock custom_event_create
# writes: list_create list_participant_add list_participant_remove note_create
# writes: note_delete note_update
# others: blacklist_list contact_list conversation_list list_get list_list
# others: note_list

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $statements = EZW::Statements->new($t);

sub run   { return $statements->run(@_) }
sub twice { return $statements->twice(@_) }
sub id    { return $statements->id }

sub message_id { return id() =~ s/-//gr . substr $t->uuid, 0, 8 }

my $company = $t->company;
my $channel = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $assistant = $t->assistant(company => $company);
my $contact = $t->contact_jid;
my $nobody = $t->contact_jid;
my %who = ('key.actor' => $assistant);
my %by = (%who, address => '127.0.0.1', trace => '0' x 31 . '1');
my %at = (company => $company, 'path.channelJid' => $channel);
my %one = (%at, 'path.contactJid' => $contact);
my %none = (%at, 'path.contactJid' => $nobody);

is(run('message_send', %one, %who, 'body.message' => '{"type":"text"}',
       'body.message.type' => 'text', 'key.assistant' => undef,
       'id.message' => message_id(), 'id.contact' => id(),
       'id.conversation' => id(),
       map { $_ => undef } grep { /^body\.message\.(?!type$)/ }
           $statements->params('message_send'))->[0]{refusal}, undef,
   'a contact with a conversation');

# Blocks: of a contact, of nobody yet, of who was erased.
for my $case (['a contact', %one], ['nobody yet', %none]) {
    my ($what, %whom) = @$case;
    for my $name ('contact_block', 'contact_unblock', 'contact_block') {
        is(twice("$name: $what", $name, %whom, %by, 'id.audit' => id())
               ->{refusal}, undef, "$name: $what: is done");
        my $tables = $t->snapshot;
        is(run($name, %whom, %by, 'id.audit' => id())->[0]{refusal}, undef,
           "$name: $what: by another, too");
        is_deeply($t->snapshot, $tables, "$name: $what: which changes nothing");
    }
}
$t->sql('update ezw.block set jid = null where jid = ?', $nobody);
is(twice('who was erased', 'contact_block', %none, %by, 'id.audit' => id())
       ->{refusal}, undef, 'is blocked again');
is(run('contact_unblock', %one, %by, 'id.audit' => id())->[0]{refusal}, undef,
   'unblocked');
for my $name (qw(contact_block contact_unblock)) {
    is(twice("$name: no channel", $name, %one, %by, 'id.audit' => id(),
             'path.channelJid' => '31699999999@whatsapp.eazy.im')->{refusal},
       'not_found', "$name: no channel: is refused");
}

# Notes.
my %note = ('body.body' => 'Customer', 'body.isPinned' => undef,
            'body.isReadOnly' => 't', 'body.referenceId' => 'R');
my $first = id();
is(twice('a note', 'note_create', %one, %who, %note, 'id.note' => $first)
       ->{body}, 'Customer', 'is made');
my $second = twice('another', 'note_create', %one, %who, %note,
                   'id.note' => id())->{id};
is(twice("nobody's", 'note_create', %none, %who, %note, 'id.note' => id())
       ->{refusal}, 'not_found', 'is refused');
my %change = ('path.id' => $first, 'body.body' => undef,
              'body.isPinned' => 't', 'body.isReadOnly' => undef,
              'has.body.referenceId' => 't', 'body.referenceId' => undef);
is(twice('its change', 'note_update', %one, %change)->{isPinned}, 1, 'is done');
is(twice("an absent one's", 'note_update', %one, %change,
         'path.id' => $t->uuid)->{refusal}, 'not_found', 'is refused');
for my $id ($first, $second) {
    my %delete = (%one, 'path.id' => $id, 'id.message' => message_id());
    is(twice('its end', 'note_delete', %delete)->{refusal}, undef, 'is done');
    is(run('note_delete', %delete, 'id.message' => message_id())->[0]{refusal},
       'not_found', "another's is refused");
}
is(twice("an absent one's end", 'note_delete', %one, 'path.id' => $t->uuid,
         'id.message' => message_id())->{refusal}, 'not_found', 'is refused');

# Comments. What took the ownership away in between takes nothing from one that
# was made before.
my %comment = (%one, %who, 'body.body' => 'Delivered',
               'key.assistant' => $assistant);
my %made = (%comment, 'id.message' => message_id());
is(twice('a comment', 'comment_create', %made)->{id}, $made{'id.message'},
   'is made');
$t->sql(q{update ezw.conversation set was_assigned = true
           where contact_jid = ?}, $contact);
is(twice('of who owns it not', 'comment_create', %comment,
         'id.message' => message_id())->{refusal}, 'no_ownership', 'is refused');
is(run('comment_create', %made)->[0]{refusal}, undef, 'but not the first one');
is(twice('without a conversation', 'comment_create', %comment, %none,
         'id.message' => message_id())->{refusal}, 'not_found', 'is refused');

# Lists: two of the same second.
my %list = (%at, 'body.name.fullName' => 'List', 'body.reference' => undef,
            'body.remarks' => undef, 'body.metadata' => '{"a":1}');
my $list = twice('a list', 'list_create', %list, 'id.list' => id())->{jid};
isnt(twice('another', 'list_create', %list, 'id.list' => id())->{jid}, $list,
     'has a JID of its own');
is(twice('without a channel', 'list_create', %list, 'id.list' => id(),
         'path.channelJid' => '31699999999@whatsapp.eazy.im')->{refusal},
   'not_found', 'is refused');
for my $n (1, 0, 1) {
    my $name = $n ? 'list_participant_add' : 'list_participant_remove';
    is(twice($name, $name, %one, 'path.listJid' => $list)->{refusal}, undef,
       'is done');
    is($t->value('select participants from ezw.list where jid = ?', $list), $n,
       'and counted once');
    is(twice("$name: nobody", $name, %none, 'path.listJid' => $list)
           ->{refusal}, 'not_found', 'is refused');
    is(twice("$name: no list", $name, %one,
             'path.listJid' => '1000000000@list.eazy.im')->{refusal},
       'not_found', 'is refused');
}
$t->sql('update ezw.list set participants = 100000 where jid = ?', $list);
$t->insert('contact', company => $company, id => id(), channel => $channel_id,
           jid => my $late = $t->contact_jid);
is(twice('to a full list', 'list_participant_add', %one,
         'path.contactJid' => $late, 'path.listJid' => $list)->{refusal},
   'list_full', 'is refused');
is(twice('whom it has', 'list_participant_add', %one, 'path.listJid' => $list)
       ->{refusal}, undef, 'is there already');

# Events of one's own: the same one again and again is two.
my %event = ('body.name' => 'paid', 'body.data' => '{"a":[1,null]}');
for my $n (1, 2) {
    my $id = message_id();
    is(twice('an event', 'custom_event_create', %one, %event,
             'id.message' => $id)->{id}, $id, 'is told');
    is($t->value(q{select count(*) from ezw.event where kind = 'custom'}), $n,
       'once');
}
is(twice("nobody's", 'custom_event_create', %none, %event,
         'id.message' => message_id())->{refusal}, 'not_found', 'is refused');

my %run_again = map { $_ => 1 } $statements->run_again;
is_deeply([grep { !$run_again{$_} }
           EZW::Statements::listed(__FILE__, 'writes')], [],
          'each was executed again');

done_testing;

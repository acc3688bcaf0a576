# A contact that is erased is gone at once and leaves nothing behind, however
# much there was; what comes for its JID afterwards is another contact's.

use Digest::SHA qw(sha256_hex);

use EZW;
use EZW::Person;

# A node that does nothing in the background.
my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $key = $t->key(company => $company, scope => 'COMPANY');
my $people = EZW::Person->new($t, company => $company, channel => $channel);
my $base = "/v3/channels/$channel";
my $list = '1571833730@list.eazy.im';
$t->insert('list', company => $company, jid => $list, channel => $channel_id,
           full_name => 'L');

sub call {
    my ($method, $path, %o) = @_;
    return $t->http($method => "$base/$path", key => $key, %o);
}

sub text {
    my ($jid, $text, %o) = @_;
    return call(POST => "messages/$jid", json => { type => 'text', body => $text }, %o);
}

# A contact that has all that one can have; its words.
sub whole {
    my ($jid, $count, $mark) = @_;
    is(call(POST => 'contacts', headers => { 'Idempotency-Key' => "make $jid" },
            json => { jid => $jid, name => "Name$mark Last$mark",
                      reference => "Reference$mark", remarks => "Remarks$mark",
                      metadata => { title => "Metadata$mark" } })->status, 201, 'made');
    is(text($jid, "Sent$mark", headers => { 'Idempotency-Key' => "send $jid" })->status,
       201, 'sent');
    $people->says($jid, "Received$mark");
    $people->run('message_status', company => $company, channel => $channel,
                 message => $people->told($jid, "Failed$mark"), status => 'FAILED',
                 'provider.id' => "provider-$mark", 'error.code' => 1007,
                 'error.text' => "Error$mark");
    $t->insert('list_participant', company => $company, list => $list, contact => $t->value(
        'select id from ezw.contact where jid = ?', $jid));
    my ($digits) = $jid =~ /^(\d+)/;
    $people->pair(phone => $digits, bsuid => "NL.$mark", lid => "999$digits");
    $people->fill($jid, $count, mark => "Filled$mark");
    return ($mark, $digits, $jid);
}

# The rows that hold one of some words, and those of some ids.
sub found {
    my ($words, %o) = @_;
    my $dump = $t->snapshot;
    my $any = join '|', map { quotemeta } @$words;
    return [map { my $table = $_; map { "$table: " . substr $_, 0, 300 }
                  grep { /$any/ } @{ $dump->{$table} } } sort keys %$dump];
}

sub ids {
    my ($jid) = @_;
    my @ids = map { @$_ } $t->sql(
        'select c.id, v.id from ezw.contact c left join ezw.conversation v
          on v.contact = c.id where c.jid = ?', $jid);
    return grep { defined } @ids;
}


# A small one goes whole.
my $small = $t->contact_jid;
my @words = whole($small, 20, 'Kzqvx');
push @words, ids($small);
my $neighbour = $t->contact_jid;
whole($neighbour, 20, 'Neighbour');
my $kept = scalar @{ found(['Neighbour']) };
ok(@{ found(\@words) } > 80, 'there is much of it');
$t->insert('block', company => $company, channel => $channel_id, jid => $small,
           hash => { hex => '00' });

my $r = call(DELETE => "contacts/$small");
is_answer($r, 204, undef, 'erased');
is_json(found(\@words), [], 'nothing is left');
is(scalar @{ found(['Neighbour']) }, $kept, 'but the neighbour, whole');
is($t->value('select count(*) from ezw.erasure'), 0, 'and nothing to do');
is_json([map { @$_ } $t->sql(q{select target_type, target_id, actor_type, data
                                 from ezw.audit_log where event_type = 'contact.erased'})],
        ['contact', sha256_hex($small), 'key', undef], 'the audit log knows the hash');
is_json([map { @$_ } $t->sql('select jid, hash = ezw.block_hash(?) from ezw.block', $small)],
        [undef, 1], 'and the block list the salted one');
for my $case ([GET => "contacts/$small"], [PATCH => "contacts/$small"],
              [DELETE => "contacts/$small"], [GET => "conversations/$small"],
              [GET => "messages/$small"], [GET => 'contacts/NL.Kzqvx@whatsapp.eazy.im']) {
    my ($method, $path) = @$case;
    is_refused(call($method => $path, $method eq 'PATCH' ? (json => {}) : ()),
               404, 1009, {}, "gone: $method $path");
}
is_refused(text($small, 'x'), 422, 1011, {}, 'still blocked');
is_json(found(\@words), [], 'and still nothing is left');
is_refused(call(DELETE => 'contacts/' . $t->contact_jid), 404, 1009, {},
           'who was never there');


# A large one: gone at once, and its JID free, while its rows go in steps.
my $large = $t->contact_jid;
my @large = whole($large, 25_000, 'Wqjyk');
my @ids = ids($large);
push @large, @ids;
my $waits = $t->value('select count(*) from ezw.outbox where conversation = ?', $ids[1]);
ok($waits > 0, 'something waits to be sent');
$r = call(DELETE => "contacts/$large");
is_answer($r, 204, undef, 'erased');
my $left = $t->value('select count(*) from ezw.message where conversation = ?', $ids[1]);
ok($left >= 24_000, 'in a step that is small');
is($t->value('select count(*) from ezw.outbox where conversation = ?', $ids[1]), 0,
   'nothing goes out any more');
for my $jid ($large, 'NL.Wqjyk@whatsapp.eazy.im') {
    is_refused(call(GET => "$_/$jid"), 404, 1009, {}, "gone at once: $_/$jid")
        for qw(contacts conversations messages);
}
is_refused(call(DELETE => "contacts/$large"), 404, 1009, {}, 'and not twice');

# A send is a new contact's, a name of the old one too.
my $sent = text($large, 'Afterwards', headers => { 'Idempotency-Key' => 'after' });
is($sent->status, 201, 'sent to the JID');
$people->says($large, 'Answered');
is_answer(call(GET => "contacts/$large"), 200, {
    jid => $large, metadata => [], notes => [], phoneNumber => 0 + $large[1],
    name => { firstName => undef, fullName => undef, lastName => undef },
    reference => undef, remarks => undef, type => 'INDIVIDUAL' }, 'a new contact');
my $after = call(GET => "conversations/$large")->json;
is("$after->{messagesSent} $after->{messagesReceived}", '1 1', 'with its own messages');
my @new = ids($large);

# A receipt of what is being taken away is nobody's.
my $orphan = $t->value(q{select encode(id, 'hex') from ezw.message
                          where conversation = ? and direction = 'OUT' limit 1}, $ids[1]);
is($people->run('message_status', company => $company, channel => $channel,
                message => $orphan, status => 'READ')->{refusal}, 'not_found',
   'a receipt of it');

# A node takes the rest away. It is killed in the middle of a step: held there by
# a lock of ours.
my $locker = $t->{postgres}->dbh($t->{dbname});
$locker->begin_work;
$locker->do('select from ezw.message where conversation = ? order by created_at limit 1
             for update', undef, $ids[1]);
my $node = EZW->start(like => $t, workers => 1, allow_kill => 1);
wait_for(sub { $t->value(q{
    select count(*) from pg_stat_activity a
     where a.datname = current_database() and a.wait_event_type = 'Lock'
       and a.query like '%erasure_next%'}) }, 60, 'a step');
$node->kill_worker;
is($t->value('select count(*) from ezw.message where conversation = ?', $ids[1]), $left,
   'a step that a killed worker began is not done');
$locker->rollback;
wait_for(sub { $t->value('select count(*) = 0 from ezw.erasure') }, 120,
         'all is taken away');
is_json([grep { !/Afterwards|Answered/ && !/^(?:\w+): .*(?:$new[0]|$new[1])/ }
         @{ found([grep { $_ ne $large[1] && $_ ne $large } @large]) }], [],
        'nothing of the old one is left');
is($t->value('select count(*) from ezw.message where conversation = ?', $new[1]) >= 2, 1,
   'all of the new one is there');
is_answer(text($large, 'Afterwards', headers => { 'Idempotency-Key' => 'after' }), 201,
          $sent->json, 'its answers too');
is(scalar @{ found(['Neighbour']) } >= $kept, 1, 'and the neighbour');

# Then the new one goes, and nothing has the JID.
is(call(DELETE => "contacts/$large")->status, 204, 'the new one goes too');
wait_for(sub { $t->value('select count(*) = 0 from ezw.erasure') }, 60, 'all of it');
wait_for(sub { @{ found(\@large) } == 0 }, 20, 'nothing has its words');


# Whatever refers to a contact or a conversation is erased or moved: who adds
# a table says so here.
my %known = map { $_ => 1 } qw(
    attachment comment contact_alias contact_note conversation conversation_label
    conversation_merge delivery event idempotency list_participant message outbox);
my @columns = map { $_->[0] } $t->sql(
    q{select distinct c.relname from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace = 'ezw'::regnamespace and c.relkind in ('r', 'p')
         and not c.relispartition
         and a.attname in ('contact', 'conversation', 'contact_jid')});
is_json([sort grep { !$known{$_} } @columns], [], 'no table is forgotten');

done_testing;

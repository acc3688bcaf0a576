# What conversations lose with an assistant, a label or a team, where that is
# too much for one transaction: a step with the deletion, the rest by upkeep;
# what somebody else has locked is waited for by nobody.

use EZW;

my $t = EZW->start;
my $company = $t->company;
my $jid = $t->channel(company => $company);
my $channel = $t->value('select id from ezw.channel where jid = ?', $jid);
my $key = $t->key(company => $company, scope => 'COMPANY');
my $directory = "/v3/companies/$company";

# That many conversations, with what is said of them; value and number make
# their ids.
my $contacts = 31_800_000_000;
sub conversations {
    my ($n, $column, $value) = @_;
    my $more = $column eq 'label' ? ['', ''] : [", $column", ', ?'];
    $t->sql(q{insert into ezw.contact (company, id, channel, jid)
              select ?, md5(? || i)::uuid, ?, ?::int8 + i
                     || '@whatsapp.eazy.im'
                from generate_series(1, ?) i},
            $company, $value, $channel, $contacts, $n);
    $t->sql("insert into ezw.conversation (company, id, channel, contact,
                 contact_jid, last_message_at, created_at$more->[0])
              select ?, md5(? || i)::uuid, ?, md5(? || i)::uuid,
                     ?::int8 + i || '\@whatsapp.eazy.im', now(), now()$more->[1]
                from generate_series(1, ?) i",
            $company, $value, $channel, $value, $contacts,
            ($more->[0] ? $value : ()), $n);
    $contacts += $n;
    $t->sql('insert into ezw.conversation_label (company, conversation, label)
              select ?, md5(? || i)::uuid, ? from generate_series(1, ?) i',
            $company, $value, $value, $n) if $column eq 'label';
    return;
}

# How many have it still.
sub left {
    my ($column, $value) = @_;
    my $table = $column eq 'label' ? 'conversation_label' : 'conversation';
    return $t->value("select count(*) from ezw.$table
                       where company = ? and $column = ?", $company, $value);
}

sub made {
    my ($kind) = @_;
    my $r = $t->http(POST => "$directory/$kind", key => $key,
                     json => { name => $t->random_text(20) });
    $r->status == 201 or die $r->as_text;
    return $r->json->{jid};
}

sub remove { return $t->http(DELETE => "$directory/$_[0]/$_[1]", key => $key) }

# More than two steps of each.
for my $case ([assistants => 'assignee_assistant', 2],
              [teams => 'team', 1], [labels => 'label', 0]) {
    my ($kind, $column, $events) = @$case;
    my $one = made($kind);
    conversations(2300, $column, $one);
    is(left($column, $one), 2300, "$kind: many conversations");
    my $before = $t->value('select count(*) from ezw.event');
    is(remove($kind, $one)->status, 204, "$kind: one is deleted");
    wait_for(sub { return left($column, $one) == 0 }, 30,
             "$kind: none of them has it");
    is($t->value('select count(*) from ezw.event') - $before, 2300 * $events,
       "$kind: each told once");
}

# A step has a thousand, and says whether there may be more.
my $label = made('labels');
conversations(2300, label => $label);
$t->sql('delete from ezw.label where company = ? and jid = ?', $company, $label);
sub step { return $t->value('select ezw.detach_step(?, ?, null, null, null, 1000)',
                            $company, $label) }
is(step(), 1000, 'a step');
is(step(), 1000, 'another one');
is(step(), 300, 'the last one');
is(step(), 0, 'and none');

# What is locked is passed over, and nobody waits; later it is done.
my $assistant = made('assistants');
conversations(5, assignee_assistant => $assistant);
my $dbh = $t->dbh;
my $watch = $t->{postgres}->dbh($t->{dbname});
$dbh->begin_work;
$t->sql('select from ezw.conversation where id = md5(? || 1)::uuid for update',
        $assistant);
is($t->http(PATCH => "$directory/assistants/$assistant", key => $key,
            json => { enabled => false })->status, 200, 'one is disabled');
is($watch->selectrow_array(q{select count(*) from ezw.conversation
                              where assignee_assistant = ?}, undef, $assistant),
   1, 'all but the locked conversation are handed over');
$dbh->commit;
wait_for(sub { return left(assignee_assistant => $assistant) == 0 }, 30,
         'the locked one is, too');
pass('that one is handed over later');

# One that is enabled again before that keeps what it has been given since.
is($t->http(PATCH => "$directory/assistants/$assistant", key => $key,
            json => { enabled => true })->status, 200, 'enabled again');
$t->sql('update ezw.conversation set assignee_assistant = ?
          where id = md5(? || 1)::uuid', $assistant, $assistant);
$t->sql(q{update ezw.detach set due_at = now() where jid = ?}, $assistant);
wait_for(sub { return $t->value('select due_at > clock_timestamp()
                                   from ezw.detach where jid = ?',
                                $assistant) }, 30, 'it is looked at again');
is(left(assignee_assistant => $assistant), 1, 'what is its own it keeps');

# It is remembered for an hour, and then no longer.
$t->sql(q{update ezw.detach set due_at = now(), made_at = now() -
              interval '61 minutes' where jid = ?}, $assistant);
wait_for(sub { return !$t->value('select count(*) from ezw.detach
                                   where jid = ?', $assistant) }, 30,
         'one is forgotten');
pass('after an hour it is forgotten');

$watch->disconnect;
done_testing;

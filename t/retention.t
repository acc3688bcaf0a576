# What is older than its channel keeps it goes: messages and what hangs on
# them, their counts; whole months where no channel keeps them.

use EZW;
use EZW::Person;

my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
my %company = map { $_ => $t->company } qw(a b);
my %channel = (
    short => $t->channel(company => $company{a}, data_retention_in_days => 2),
    long => $t->channel(company => $company{a}, data_retention_in_days => 100),
    other => $t->channel(company => $company{b}, data_retention_in_days => 30),
);
my %key = map { $_ => $t->key(company => $company{$_}, scope => 'COMPANY') } qw(a b);
my %of = (short => 'a', long => 'a', other => 'b');
my %people = map { $_ => EZW::Person->new($t, company => $company{$of{$_}},
                                          channel => $channel{$_}) } keys %of;

# Months that no upkeep has made: tables as it makes them.
sub month {
    my ($ago) = @_;
    my ($name, $from, $to) = @{ ($t->sql(
        q{select to_char(m, '_YYYY_MM'), to_char(m, 'YYYY-MM-DD') || ' 00:00:00+00',
                 to_char(m + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00'
            from (select date_trunc('month', now() at time zone 'UTC')
                         - ?::integer * interval '1 month' as m) w}, $ago))[0] };
    for my $table (qw(message event delivery audit_log)) {
        next if $t->value('select to_regclass(?)', "ezw.$table$name");
        $t->sql("create table ezw.$table$name partition of ezw.$table
                 for values from ('$from') to ('$to')");
        $t->sql("alter table ezw.$table$name owner to ezw_owner");
        $t->sql("create unique index on ezw.$table$name (company, id)")
            if $table eq 'message';
    }
    return $name;
}
my %name = map { $_ => month($_) } 1 .. 8;

sub ago { return $t->value('select now() - ?::interval', $_[0]) }

sub call {
    my ($where, $method, $path, %o) = @_;
    return $t->http($method => "/v3/channels/$channel{$where}/$path",
                    key => $key{$of{$where}}, %o);
}

sub counts {
    my ($where, $jid) = @_;
    my $v = call($where, GET => "conversations/$jid")->json;
    return "$v->{messagesReceived} $v->{messagesSent}";
}

sub stored {
    my ($jid) = @_;
    return $t->value(q{select count(*) from ezw.message m
                         join ezw.conversation v on v.company = m.company
                          and v.id = m.conversation
                        where v.contact_jid = ?}, $jid);
}

sub purge {
    my ($limit) = @_;
    $people{short}->run('purge_begin');
    my $steps = 0;
    $steps++ while $people{short}->run('purge_next', limit => $limit // 1000)->{looked};
    return $steps;
}

sub audit {
    return [map { [@$_[0, 1], from_json($_->[2])->{messages}] } $t->sql(
        q{select h.jid, g.actor_type, g.data::text from ezw.audit_log g
            join ezw.channel h on h.company = g.company and h.id::text = g.target_id
           where g.event_type = 'retention.purged' order by g.id})];
}

sub months {
    my ($table) = @_;
    return [map { $_->[0] =~ /(_\d{4}_\d\d)$/ ? $1 : () } $t->sql(
        q{select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = ('ezw.' || ?)::regclass order by 1}, $table)];
}

# By rows: a conversation of old and new messages keeps the new ones.
my $mixed = $t->contact_jid;
$people{short}->says($mixed, 'new');
my $fresh = $people{short}->told($mixed, 'new too');
$people{short}->fill($mixed, 300, until => ago('3 days'));
my $untouched = $t->contact_jid;
$people{long}->says($untouched, 'new');
$people{long}->fill($untouched, 300, until => ago('3 days'));
my $others = $t->contact_jid;
$people{other}->says($others, 'new');
$people{other}->fill($others, 20, until => ago('3 days'));
is(counts(short => $mixed), '151 151', 'as many as there are');
my $notes = $t->value('select count(*) from ezw.contact_note');

ok(purge(100) > 10, 'in small steps');
is(counts(short => $mixed), '1 1', 'the new ones are left');
is(stored($mixed), 2, 'stored, too');
is_json([map { $_->{message}{body} } @{ call(short => GET => "messages/$mixed")->json }],
        ['new too', 'new'], 'and read');
is(counts(long => $untouched), '151 150', 'another channel keeps them');
is(counts(other => $others), '11 10', 'another company too');
is_json(audit(), [[$channel{short}, 'system', 300]], 'the audit log tells it');
my %left = (event => q{message is not null}, provider_message => 'true',
            attachment => 'true', delivery => 'true');
for my $table (sort keys %left) {
    is($t->value("select count(*) from ezw.$table e where $left{$table} and exists (
                    select from ezw.channel h where h.jid = ? and h.company = e.company)
                  and not exists (select from ezw.message m where m.company = e.company
                    and " . ($table eq 'delivery' ? 'm.conversation = e.conversation'
                             : 'm.id = e.message') . ')', $channel{short}), 0,
       "nothing hangs on nothing: $table");
}
is($t->value('select count(*) from ezw.contact_note'), $notes, 'notes are no messages');
my @beside = qw(api_key change change_counter deployment);
my $tables = $t->snapshot(@beside);
is(purge(), 0, 'once more: nothing to do');
is_deeply($t->snapshot(@beside), $tables, 'and nothing done');

# What was purged is nobody's, and the conversation goes on.
is($people{short}->run('message_status', company => $company{a},
                       channel => $channel{short}, message => '00' x 20,
                       status => 'READ')->{refusal}, 'not_found', 'a late receipt');
is(call(short => POST => "messages/$mixed",
        json => { type => 'text', body => 'more' })->status, 201, 'it goes on');
is(counts(short => $mixed), '1 2', 'and counts');

# All of a conversation, then it is looked at again when its next message ages.
my $emptied = $t->contact_jid;
$people{short}->says($emptied, 'x');
$people{short}->fill($emptied, 10, until => ago('3 days'));
$t->sql(q{update ezw.message m set created_at = now() - interval '3 days'
           where m.body->>'body' = 'x'});
$t->sql(q{update ezw.conversation v set created_at = now() - interval '4 days'
           where v.contact_jid = ?}, $emptied);
purge();
is(counts(short => $emptied), '0 0', 'none is left');
is(call(short => GET => "messages/$emptied")->body, '[]', 'an empty list');
is(call(short => GET => "contacts/$emptied")->status, 200, 'the contact stays');
$people{short}->says($emptied, 'y');
is(counts(short => $emptied), '1 0', 'and it goes on');
is(purge(), 0, 'the new one stays');
$t->sql(q{update ezw.message m set created_at = now() - interval '49 hours'
           where m.body->>'body' = 'y'});
$t->sql(q{update ezw.conversation v set purged_to = now() - interval '50 hours'
           where v.contact_jid = ?}, $emptied);
purge();
is(counts(short => $emptied), '0 0', 'until it has aged');

is($t->value('select count(*) from ezw.purge'), 0, 'no run is left open');

# One that is being written to is left for the next step.
my $busy = $t->contact_jid;
$people{short}->says($busy, 'x');
$people{short}->fill($busy, 10, until => ago('3 days'));
my $locker = $t->{postgres}->dbh($t->{dbname});
$locker->begin_work;
$locker->do('update ezw.conversation set unread_count = 7 where contact_jid = ?',
            undef, $busy);
$people{short}->run('purge_begin');
is($people{short}->run('purge_next', limit => 1000)->{looked}, 1, 'a step');
is(stored($busy), 11, 'waits for nobody');
$locker->commit;
is($people{short}->run('purge_next', limit => 1000)->{looked}, 1, 'the next step');
is(stored($busy), 1, 'takes them');
is($t->value('select count(*) from ezw.purge'), 0, 'and ends the run');

# Months: those that no channel keeps are dropped, once they are in no count.
my $ancient = $t->contact_jid;
$people{long}->says($ancient, 'new');
$people{long}->fill($ancient, 50, until => ago('200 days'));
my $old = $t->contact_jid;
$people{long}->says($old, 'new');
$people{long}->fill($old, 50, until => ago('90 days'));
is($people{long}->run('partitions_drop')->{dropped} // 0, 1, 'one at a time');
my $kept = months('message');
purge();
is(counts(long => $ancient), '1 0', 'in no count');
is($t->value(q{select ezw.conversation_purge(v.company, v.channel, v.id, v.purged_to,
                   now() - interval '1 day', v.purged_to + interval '1 day', 1000)
                 from ezw.conversation v where v.contact_jid = ?}, $ancient), 0,
   'and not twice');
is(counts(long => $old), '26 25', 'what is kept is');
is(scalar(grep { $_ eq $name{6} || $_ eq $name{7} } @{ months('message') }), 2,
   'and still there') or diag explain months('message');
1 while $people{long}->run('partitions_drop')->{dropped};
is(stored($ancient), 1, 'dropped');
is(stored($old), 51, 'not what is kept');
is($t->value(q{select count(*) from ezw.attachment a where not exists (
                select from ezw.message m where m.company = a.company and m.id = a.message)}),
   0, 'nor is anything left of it');
my @gone = map { $name{$_} } 5 .. 8;
for my $table (qw(message delivery)) {
    my %there = map { $_ => 1 } @{ months($table) };
    is_json([grep { $there{$_} } @gone], [], "$table: what is past 100 days has gone");
    is_json([grep { !$there{$_} } @name{1 .. 3}], [], "$table: what is kept is there");
}
is_json([grep { $_ lt $name{1} } @{ months('event') }], [],
        'events: two months at most');
my %audit = map { $_ => 1 } @{ months('audit_log') };
is(scalar(grep { $audit{$_} } values %name), 8, 'the audit log stays');
is($t->value('select ezw.partitions_ensure()'), 0, 'nothing is made anew');

# A month whose messages are still counted is not dropped.
$t->sql('update ezw.channel set data_retention_in_days = 1');
$people{long}->run('partitions_drop') for 1 .. 20;
my $counted = $t->value(q{select to_char((now() - interval '90 days') at time zone 'UTC',
                                         '_YYYY_MM')});
is_json([grep { $_ eq $counted } @{ months('message') }], [$counted],
        'not before they are in no count');

# A node does all of it by itself.
my $node = EZW->start(like => $t, workers => 2);
wait_for(sub { counts(long => $old) eq '1 0' }, 120, 'a node purges');
wait_for(sub { !grep { $_ eq $counted } @{ months('message') } }, 120, 'and drops');

done_testing;

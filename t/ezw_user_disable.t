# ./ezw user disable takes each conversation from a member, however many there
# are, and leaves those of others; a second time there is nothing to do.

use EZW;

my $t = EZW->start(start => 0);
my $pg = $t->{postgres};
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $id = $t->value('select id from ezw.channel where jid = ?', $channel);
my %user = map {
    $_ => $t->user(company => $company, email => "$_\@example.com")
} qw(ann bob);

# More than two steps of Ann's, and one of Bob's.
for my $case ([$user{ann}, 1, 450], [$user{bob}, 451, 451]) {
    my ($user, $from, $to) = @$case;
    $t->sql(q{insert into ezw.contact (company, id, channel, jid)
              select ?, md5(i::text)::uuid, ?,
                31700000000 + i || '@whatsapp.eazy.im'
              from generate_series(?::int8, ?) i}, $company, $id, $from, $to);
    $t->sql(q{insert into ezw.conversation (company, id, channel, contact,
                contact_jid, last_message_at, created_at, assignee_user,
                was_assigned)
              select c.company, c.id, c.channel, c.id, c.jid, now(), now(), ?,
                true
              from ezw.contact c
              where not exists (select from ezw.conversation v
                                where v.company = c.company and v.id = c.id)},
            $user);
}

sub disable {
    local $ENV{PGPASSFILE} = "$ENV{EZW_T}/template/owner";
    my $answer = `$EZW::ROOT/ezw user disable --company $company --email ann\@example.com --dsn 'host=$pg->{socket} port=$pg->{port} user=ezw_owner dbname=$t->{dbname}'`;
    is($?, 0, 'disabled');
    is(from_json($answer)->{status}, 'disabled', 'and shown so');
    return;
}

sub counts {
    return [map { $t->value($_) } (
        q{select string_agg(assignee_user || ' ' || version, ',')
          from ezw.conversation where assignee_user is not null},
        q{select count(distinct conversation) from ezw.event
          where kind = 'handover'},
        q{select count(*) from ezw.event where kind = 'handover'},
        q{select count(*) from ezw.audit_log
          where event_type = 'conversation.assigned'},
        q{select count(*) from ezw.audit_log
          where event_type = 'membership.disabled'},
    )];
}

my $done = ["$user{bob} 1", 450, 450, 450, 1];
disable();
is_deeply(counts(), $done, 'each is in the pool, told and audited');
disable();
is_deeply(counts(), $done, 'once');

done_testing;

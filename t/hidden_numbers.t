# People whose number is hidden: whatever the platform calls one, it is one
# contact, and every endpoint takes each of its JIDs.

use EZW;
use EZW::Person;

my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $key = $t->key(company => $company, scope => 'COMPANY');
my $people = EZW::Person->new($t, company => $company, channel => $channel);
my $base = "/v3/channels/$channel";
my $list = '1571833730@list.eazy.im';
$t->insert('list', company => $company, jid => $list, full_name => 'L',
           channel => $t->value('select id from ezw.channel where jid = ?', $channel));
my $n = 0;

sub phone { return $t->contact_jid }
sub bsuid { return 'NL.' . (1000 + ++$n) . 'aB@whatsapp.eazy.im' }
sub lid   { return 'lid.' . (77_000_000 + ++$n) . '@whatsapp.eazy.im' }
sub value { return $_[0] =~ /^(?:lid\.)?([^@]+)/ ? $1 : die }

sub call {
    my ($method, $path, %o) = @_;
    return $t->http($method => "$base/$path", key => $key, %o);
}

sub send_text {
    my ($jid, $text) = @_;
    return call(POST => "messages/$jid", json => { type => 'text', body => $text // 'x' });
}

# A message with names that the platform tells.
sub says {
    my ($jid, $text, @names) = @_;
    return $people->says($jid, $text, aliases => EZW::Person::aliases(@names));
}

sub texts {
    my ($jid) = @_;
    return [map { $_->{message}{body} } reverse @{ call(GET => "messages/$jid")->json }];
}

sub jid { return call(GET => "contacts/$_[0]")->json->{jid} }

sub contacts { return $t->value('select count(*) from ezw.contact') }


# A BSUID and nothing else: its own JID, without a number.
my $hidden = bsuid();
says($hidden, 'hello', bsuid => value($hidden));
is_answer(call(GET => "contacts/$hidden"), 200, {
    jid => $hidden, metadata => [], notes => [], phoneNumber => undef,
    name => { firstName => undef, fullName => undef, lastName => undef },
    reference => undef, remarks => undef, type => 'INDIVIDUAL' }, 'a contact');
is(send_text($hidden, 'hi')->status, 201, 'that can be written to');
is_json(texts($hidden), [qw(hello hi)], 'the conversation');

# Its number comes along: that is the JID now, and the old one answers.
my $phone = phone();
says($phone, 'from the phone', phone => value($phone), bsuid => value($hidden));
for my $jid ($hidden, $phone) {
    is(jid($jid), $phone, "one contact: $jid");
    is(call(GET => "contacts/$jid")->json->{phoneNumber}, 0 + value($phone), 'its number');
    is_json(texts($jid), ['hello', 'hi', 'from the phone'], 'one conversation');
}
says($hidden, 'hidden again', bsuid => value($hidden));
is_json(texts($phone), ['hello', 'hi', 'from the phone', 'hidden again'], 'once more');
is(contacts(), 1, 'still one');
my $before = $t->snapshot(qw(api_key change change_counter deployment));
is($people->pair(bsuid => value($hidden), phone => value($phone)), $phone, 'paired');
is_deeply($t->snapshot(qw(api_key change change_counter deployment)), $before,
          'which is known');

# Both at once, the BSUID named as the sender: the phone is the JID.
my ($p, $h) = (phone(), bsuid());
says($h, 'both', bsuid => value($h), phone => value($p), parent_bsuid => 'NL.ENT.7');
is(jid($_), $p, "by $_") for $p, $h, 'NL.ENT.7@whatsapp.eazy.im';

# Every endpoint takes the other JIDs.
for my $jid ($p, $h) {
    my $other = $jid eq $p ? $h : $p;
    is(call(PATCH => "contacts/$jid", json => { name => "by $jid" })->status, 200, 'PATCH');
    is(call(GET => "contacts/$other")->json->{name}{fullName}, "by $jid", 'the same contact');
    is(call(PATCH => "conversations/$jid", json => { status => 'CLOSED' })->status, 200,
       'PATCH of the conversation');
    is(call(GET => "conversations/$other")->json->{status}, 'CLOSED', 'the same one');
    is(send_text($jid, "sent by $jid")->status, 201, 'a message');
    is(texts($other)->[-1], "sent by $jid", 'in the same conversation');
    my $note = call(POST => "contacts/$jid/notes", json => { body => "note by $jid" });
    is($note->status, 201, 'a note');
    is(scalar(grep { $_->{body} eq "note by $jid" }
              @{ call(GET => "contacts/$other/notes")->json }), 1, 'the same notes');
    is(call(DELETE => "contacts/$other/notes/" . $note->json->{id})->status, 204,
       'which goes');
    is(call(POST => "conversations/$jid/comments", json => { body => 'c' })->status, 201,
       'a comment');
    is(call(POST => "lists/$list/participants/$jid")->status, 200, 'on a list');
    is_json([map { ref $_ ? $_->{jid} : $_ } @{ call(GET => "lists/$list")->json->{contacts} }],
            [$p], 'once, by its own JID');
    is(call(DELETE => "lists/$list/participants/$other")->status, 200, 'off it');
    is(call(POST => "contacts/$jid/events", json => { name => 'e', data => 1 })->status, 201,
       'an event');
    is(call(POST => "contacts/blacklist/$jid")->status, 204, 'blocked');
    is_json(call(GET => 'contacts/blacklist')->json, [$p], 'by its own JID');
    is_refused(send_text($other), 422, 1011, {}, 'a send to the other one is refused');
    my $stored = @{ texts($p) };
    says($h, 'dropped', bsuid => value($h));
    is(scalar @{ texts($p) }, $stored, 'what it says is dropped');
    is(call(DELETE => "contacts/blacklist/$other")->status, 204, 'and free');
    is(send_text($other)->status, 201, 'a send goes');
}
is_refused(call(POST => 'contacts', json => { jid => $h }), 409, 1014, {},
           'there is one already');

# A LID: there, but nobody can be written to by it; until it is resolved.
my $lid = lid();
says($lid, 'who am I', lid => value($lid));
is(call(GET => "contacts/$lid")->json->{phoneNumber}, undef, 'a contact without number');
is_refused(send_text($lid), 422, 1007, {}, 'that cannot be written to');
is(call(GET => "conversations/$lid")->json->{messagesSent}, 0, 'nothing is sent');
is_refused(send_text(lid()), 422, 1007, {}, 'nor one that is not known');
my $resolved = phone();
is($people->pair(lid => value($lid), phone => value($resolved)), $resolved, 'resolved');
is(send_text($lid, 'you')->status, 201, 'then it can, by that too');
is_json(texts($resolved), ['who am I', 'you'], 'in the one conversation');

# Resolved to somebody who is known: the two become one.
my ($lid2, $known) = (lid(), phone());
$people->told($known, 'first');
says($lid2, 'second', lid => value($lid2));
is(contacts(), 5, 'two of them');
is($people->pair(lid => value($lid2), phone => value($known)), $known, 'resolved');
is(contacts(), 4, 'are one');
is_json(texts($lid2), [qw(first second)], 'with all that was said');

# Names and usernames say nothing, nor do other companies or channels.
my ($one, $two) = (bsuid(), bsuid());
$people->says($_, 'x', 'contact.name' => 'Jane Doe') for $one, $two;
is(jid($_), $_, 'two people of one name') for $one, $two;
my $elsewhere = $t->channel(company => $company);
EZW::Person->new($t, company => $company, channel => $elsewhere)
    ->says($h, 'x', aliases => EZW::Person::aliases(bsuid => value($h)));
is($t->http(GET => "/v3/channels/$elsewhere/contacts/$h", key => $key)->json->{jid}, $h,
   'another channel knows it by itself');
my $other = $t->company;
my $theirs = $t->channel(company => $other);
EZW::Person->new($t, company => $other, channel => $theirs)
    ->says($h, 'x', aliases => EZW::Person::aliases(bsuid => value($h)));
is($t->http(GET => "/v3/channels/$theirs/contacts/$h",
            key => $t->key(company => $other, scope => 'COMPANY'))->json->{jid}, $h,
   'another company too');
is_json(texts($h), texts($p), 'and nothing crosses');

# Two numbers are two people, whatever name both have.
my ($first, $second, $shared) = (phone(), phone(), bsuid());
$people->says($second, 'second');
says($first, 'first', phone => value($first), bsuid => value($shared));
says($second, 'also', phone => value($second), bsuid => value($shared));
is_json([map { jid($_) } $first, $second, $shared], [$first, $second, $second],
        'the name is that of the last one');
is_json(texts($first), ['first'], 'his messages stay his');

# Another BSUID, because the platform says so.
my $renewed = bsuid();
is($people->rebind(bsuid => value($renewed), bsuid => value($shared)), $second, 'another one');
is(jid($_), $second, "by $_") for $renewed, $shared;

# Another number: replies go there, and the old JID answers.
my $moved = phone();
is($people->rebind(phone => value($moved), phone => value($second)), $moved, 'moved');
is(jid($_), $moved, "by $_") for $moved, $second, $shared;
is(call(GET => "contacts/$second")->json->{phoneNumber}, 0 + value($moved), 'its number');
is(send_text($second)->status, 201, 'a send');
is($t->value(q{select v.contact_jid from ezw.outbox o join ezw.conversation v
                on v.id = o.conversation order by o.due_at desc limit 1}), $moved,
   'goes to the new one');

# To a number that somebody is known by: both are one.
my $new = phone();
$people->says($new, 'new');
is($people->rebind(phone => value($new), phone => value($moved)), $new, 'moved again');
is(jid($_), $new, "by $_") for $new, $moved, $second;
is(scalar(grep { $_ eq 'new' || $_ eq 'second' } @{ texts($new) }), 2, 'one conversation');

# Who has the old number after that is another person.
my $stranger = bsuid();
says($moved, 'stranger', phone => value($moved), bsuid => value($stranger));
is(jid($_), $moved, "a stranger: $_") for $moved, $stranger;
is(jid($new), $new, 'he is not the other one');
is_json(texts($moved), ['stranger'], 'and reads nothing of his');

# Erased by any of them.
is(call(DELETE => "contacts/$shared")->status, 204, 'erased');
is(call(GET => "contacts/$_")->status, 404, "gone: $_") for $new, $shared, $second, $renewed;
is(call(GET => "contacts/$moved")->status, 200, 'but not the stranger');


# A person's first two messages at once, by one name and by two: the second
# waits for the first, and then knows.
my ($both, $alone) = (phone(), bsuid());
my @dbh = map { $people->{statements}->connect } 1, 2;
my $receive = sub {
    my ($dbh, $jid, $id, @names) = @_;
    my %values = map { $_ => undef } $people->{statements}->params('message_receive');
    return $people->{statements}->start($dbh, 0, 'message_receive', %values,
        company => $company, channel => $channel, contact => $jid,
        'provider.id' => "two-$id", 'id.message' => sprintf('%040x', $id),
        message => to_json({ type => 'text', body => "two $id" }),
        'message.type' => 'text', aliases => EZW::Person::aliases(@names),
        'id.contact' => uuid_of("c$id"), 'id.conversation' => uuid_of("v$id"))
        ->fetchall_arrayref;
};
$dbh[0]->do('set idle_in_transaction_session_timeout = 0');
$dbh[1]->do(q{set lock_timeout = '250ms'});
$dbh[0]->begin_work;
$receive->($dbh[0], $alone, 901, bsuid => value($alone));
is(eval { $receive->($dbh[1], $both, 902, phone => value($both), bsuid => value($alone)) },
   undef, 'the second one');
like($@, qr/lock timeout/, 'waits');
$dbh[0]->commit;
$receive->($dbh[1], $both, 902, phone => value($both), bsuid => value($alone));
is(jid($_), $both, "one contact: $_") for $both, $alone;
is_json(texts($both), ['two 901', 'two 902'], 'with both messages');

# Many messages at once of people who are not known yet, by two names in turn:
# one contact each, and every message is there.
my @persons = map { [phone(), bsuid()] } 1 .. 3;
my $people_before = contacts();
my @children;
for my $child (1 .. 4) {
    my $pid = fork // die "fork: $!";
    if ($pid) {
        push @children, $pid;
        next;
    }
    my $dbh = $people->{statements}->connect;
    my $failed = 0;
    for my $i (1 .. 12) {
        my ($p, $h) = @{ $persons[$i % @persons] };
        my @names = $i % 4 < 2 ? (bsuid => value($h))
            : (phone => value($p), bsuid => value($h));
        my $hex = sprintf '%040x', $child * 1000 + $i;
        my %values = map { $_ => undef } $people->{statements}->params('message_receive');
        %values = (%values, company => $company, channel => $channel,
                   contact => ($i + $child) % 3 ? $h : $names[0] eq 'phone' ? $p : $h,
                   'provider.id' => "race-$hex", 'id.message' => $hex,
                   message => to_json({ type => 'text', body => "race $hex" }),
                   'message.type' => 'text', aliases => EZW::Person::aliases(@names),
                   'id.contact' => uuid_of("c$hex"), 'id.conversation' => uuid_of("v$hex"));
        my $done;
        for my $try (1 .. 200) {        # as the module does after a lock or deadlock
            $done = eval {
                $people->{statements}->start($dbh, 0, 'message_receive', %values)
                    ->fetchall_arrayref;
                1;
            };
            last if $done;
            die $@ if $@ !~ /lock|serializ|change again/;
        }
        $failed++ if !$done;
    }
    require POSIX;
    POSIX::_exit($failed ? 1 : 0);
}
is(join(' ', map { waitpid $_, 0; $? } @children), '0 0 0 0', 'all are told');
is(contacts(), $people_before + 3, 'one contact each');
for my $person (@persons) {
    is(jid($_), $person->[0], "known by $_") for @$person;
}
is($t->value(q{select count(*) from ezw.message m
                join ezw.conversation v on v.company = m.company and v.id = m.conversation
               where m.body->>'body' like 'race%'}), 48, 'every message is there');
is($t->value(q{select count(*) from ezw.conversation v
                where v.messages_received + v.messages_sent <> (
                 select count(*) from ezw.message m
                  where m.company = v.company and m.conversation = v.id)}), 0,
   'and counted');

sub uuid_of {
    require Digest::SHA;
    return join '-', unpack 'A8A4A4A4A12', substr Digest::SHA::sha1_hex($_[0]), 0, 32;
}

done_testing;

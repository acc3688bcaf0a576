package EZW::Person;

# What a connector tells of people, and rows of theirs without number, for the
# tests of contacts that merge, go and age.
#
#     my $people = EZW::Person->new($t, company => $id, channel => $jid);
#     my $id = $people->says($jid, 'Hello');         # a message in: 40 hex
#     my $id = $people->told($jid, 'Hello');         # one of ours
#     $people->pair(phone => '31612345678', bsuid => 'NL.1');
#     $people->fill($jid, 25_000);                   # messages, and what hangs on them

use strict;
use warnings;

use EZW::Json qw(to_json);
use EZW::Statements ();

sub new {
    my ($class, $t, %o) = @_;

    return bless { %o, t => $t, statements => EZW::Statements->new($t) },
        $class;
}

sub id { return $_[0]{statements}->id }

sub message_id {
    my ($self) = @_;

    return $self->id =~ s/-//gr . substr $self->{t}->uuid, 0, 8;
}

# Runs a statement with what it wants; what is not given is null.
sub run {
    my ($self, $name, %values) = @_;

    my %wanted = map { $_ => undef } $self->{statements}->params($name);
    $wanted{$_} = $self->id for grep { /^id\./ && $_ ne 'id.message' } keys %wanted;
    return $self->{statements}->row($name, %wanted, %values);
}

sub says {
    my ($self, $jid, $text, %o) = @_;

    my $id = $self->message_id;
    my $row = $self->run('message_receive', company => $self->{company},
        channel => $self->{channel}, contact => $jid,
        'provider.id' => "in-$id", 'id.message' => $id,
        message => to_json({ type => 'text', body => $text }),
        'message.type' => 'text', %o);
    die "refused: $row->{refusal}\n" if $row->{refusal};
    return $id;
}

sub told {
    my ($self, $jid, $text) = @_;

    my $id = $self->message_id;
    my $row = $self->run('message_send', company => $self->{company},
        'path.channelJid' => $self->{channel}, 'path.contactJid' => $jid,
        'body.message' => to_json({ type => 'text', body => $text }),
        'body.message.type' => 'text', 'id.message' => $id,
        'key.actor' => 'someone@key.eazy.im');
    die "refused: $row->{refusal}\n" if $row->{refusal};
    return $id;
}

sub aliases {
    my (@names) = @_;

    my @aliases;
    push @aliases, { kind => shift @names, value => shift @names } while @names;
    return to_json(\@aliases);
}

# The names are one person's; his JID.
sub pair {
    my ($self, @names) = @_;

    return $self->run('contact_pair', company => $self->{company},
        channel => $self->{channel}, aliases => aliases(@names))->{jid};
}

# The first name is new; his JID.
sub rebind {
    my ($self, @names) = @_;

    return $self->run('contact_rebind', company => $self->{company},
        channel => $self->{channel}, aliases => aliases(@names))->{jid};
}

# COUNT messages of a contact's conversation that came and went in turn, a
# second between two of them, up to now or to the time UNTIL; what the log
# tells of each, the platform's names, attachments, deliveries, comments, notes
# and kept answers. MARK is in everything that can hold text.
sub fill {
    my ($self, $jid, $count, %o) = @_;

    my $t = $self->{t};
    my $mark = $o{mark} // 'filled';
    my ($row) = $t->sql(q{
        select v.company, v.id, v.channel, v.contact, v.last_seq,
               coalesce(?, clock_timestamp())
          from ezw.conversation v
         where v.company = ? and v.contact_jid = ?},
        $o{until}, $self->{company}, $jid) or die "no conversation of $jid\n";
    my ($company, $conversation, $channel, $contact, $seq, $until) = @$row;

    $t->sql(q{create table if not exists ezw.t_fill
              (n integer, at timestamptz, id bytea)});
    $t->sql('truncate ezw.t_fill');
    $t->sql(q{insert into ezw.t_fill
              select i, w.at, decode(
                       lpad(to_hex((extract(epoch from w.at) * 1000)::int8), 12, '0')
                       || md5(? || i) , 'hex') || '\\x'
                from generate_series(1, ?::integer) i
               cross join lateral (select ?::timestamptz
                   - (?::integer - i) * interval '1 second' as at) w},
            $conversation, $count, $until, $count);
    $t->sql(q{update ezw.t_fill set id = substr(id, 1, 20)});
    $t->sql(q{insert into ezw.message (company, conversation, created_at, seq,
                  id, direction, sender_type, sender_id, type, status, body,
                  provider_id, sent_at)
              select ?, ?, f.at, ? + f.n, f.id,
                     case when f.n % 2 = 0 then 'IN' else 'OUT' end, 'API',
                     'x@key.eazy.im', 'text', 'SENT',
                     json_build_object('type', 'text', 'body', ?::text || f.n),
                     'fill-' || encode(f.id, 'hex'), f.at + interval '1 ms'
                from ezw.t_fill f}, $company, $conversation, $seq, $mark);
    $t->sql(q{insert into ezw.event (company, created_at, kind, channel,
                  conversation, message)
              select ?, f.at + w.later, w.kind, ?, ?, f.id
                from ezw.t_fill f
               cross join (values ('message.sent', interval '0'),
                                  ('receipt', interval '1 ms')) w (kind, later)},
            $company, $channel, $conversation);
    $t->sql(q{insert into ezw.provider_message (company, channel, provider_id,
                  message)
              select ?, ?, 'fill-' || encode(f.id, 'hex'), f.id
                from ezw.t_fill f}, $company, $channel);
    $t->sql(q{insert into ezw.attachment (company, id, conversation, message,
                  state, file_name, created_at)
              select ?, gen_random_uuid(), ?, f.id, 'stored', ?, f.at
                from ezw.t_fill f where f.n % 10 = 0},
            $company, $conversation, $mark);
    $t->sql(q{insert into ezw.delivery (company, conversation, webhook, id,
                  created_at, kind, payload)
              select ?, ?, ?, gen_random_uuid(), f.at, 'message',
                     json_build_object('text', ?::text, 'from', ?::text)
                from ezw.t_fill f where f.n % 10 = 0},
            $company, $conversation, $t->uuid, $mark, $jid);
    if (!$o{messages_only}) {
        my $more = int($count / 10) + 1;
        $t->sql(q{insert into ezw.comment (company, conversation, id, body,
                      created_by)
                  select ?, ?, decode(substr(md5(? || i) || md5(i::text), 1, 40),
                         'hex'), ?, 'a' from generate_series(1, ?::integer) i},
                $company, $conversation, $conversation, $mark, $more);
        $t->sql(q{insert into ezw.contact_note (company, contact, id, body,
                      created_by)
                  select ?, ?, gen_random_uuid(), ?, 'a'
                    from generate_series(1, ?::integer) i},
                $company, $contact, $mark, $more);
        $t->sql(q{insert into ezw.event (company, contact, kind, channel,
                      conversation, payload)
                  select ?, ?, 'note', ?, ?, json_build_object('body', ?::text)
                    from generate_series(1, ?::integer) i},
                $company, $contact, $channel, $conversation, $mark, $more);
        $t->sql(q{insert into ezw.idempotency (company, method, route, channel,
                      key, fingerprint, attempt, contact, result)
                  select ?, 'POST', 'messages', ?, ? || i, '', gen_random_uuid(),
                         ?, json_build_object('id', ?::text)
                    from generate_series(1, ?::integer) i},
                $company, $self->{channel}, $conversation, $jid, $mark, $more);
    }
    $t->sql(q{update ezw.conversation v
                 set last_seq = v.last_seq + ?::integer,
                     messages_sent = v.messages_sent + (?::integer + 1) / 2,
                     messages_received = v.messages_received + ?::integer / 2,
                     created_at = least(v.created_at, (select min(f.at) from ezw.t_fill f)),
                     last_message_at = greatest(v.last_message_at, ?)
               where v.company = ? and v.id = ?},
            $count, $count, $count, $until, $company, $conversation);
    $t->sql('drop table ezw.t_fill');
    $t->sql('analyze ezw.message');
    return;
}

1;

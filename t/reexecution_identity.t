# After a lost connection a statement runs again with the same ids: what a
# connector tells of a person's names, an erasure in steps, and upkeep's steps.

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $statements = EZW::Statements->new($t);

# writes: contact_pair contact_rebind erasure_next merge_next partitions_drop
# writes: purge_begin purge_next

sub twice { return $statements->twice(@_) }
sub id    { return $statements->id }

my $company = $t->company;
my $channel = $t->channel(company => $company);
my %at = (company => $company, channel => $channel);
my $bsuid = 'NL.1234567890';
my $phone = $t->contact_jid;
my ($number) = $phone =~ /^(\d+)/;

sub contact {
    my ($jid) = @_;
    $statements->run('contact_create', company => $company,
                     'path.channelJid' => $channel, 'body.jid' => $jid,
                     'id.contact' => id(), map { ("body.$_" => undef) }
                     qw(name.fullName name.firstName name.lastName reference
                        remarks metadata));
    return $jid;
}

sub message {
    my ($jid) = @_;
    $statements->run('message_send', company => $company,
                     'path.channelJid' => $channel, 'path.contactJid' => $jid,
                     'key.actor' => 'k@key.eazy.im', 'key.assistant' => undef,
                     'body.message' => '{"type":"text","body":"x"}',
                     'body.message.type' => 'text',
                     (map { ("body.message.$_" => undef) } qw(
                         catalog template.name template.language
                         template.parameters)),
                     'id.message' => id() =~ s/-//gr . '00000000',
                     'id.contact' => id(), 'id.conversation' => id());
    return;
}

sub received {
    my ($jid) = @_;
    $statements->run('message_receive', company => $company,
                     channel => $channel, contact => $jid,
                     'contact.name' => undef, 'provider.id' => id(),
                     message => '{"type":"text","body":"x"}',
                     'message.type' => 'text',
                     'id.message' => id() =~ s/-//gr . '00000000',
                     'id.contact' => id(), 'id.conversation' => id(),
                     aliases => undef, 'about.id' => undef);
    return;
}

sub aliases {
    my (@names) = @_;
    my @aliases;
    push @aliases, { kind => shift @names, value => shift @names } while @names;
    return to_json(\@aliases);
}

# Names of nobody.
is_json(twice('names of nobody', 'contact_pair', %at,
              aliases => aliases(phone => $number, bsuid => $bsuid)),
        { refusal => undef, jid => undef }, 'make no contact');
is_json(twice('names in a channel that is not there', 'contact_pair', %at,
              channel => '1234567@whatsapp.eazy.im',
              aliases => aliases(phone => $number)),
        { refusal => 'not_found', jid => undef }, 'are refused');

# A BSUID gets its phone; two contacts become one.
my $hidden = contact("$bsuid\@whatsapp.eazy.im");
is_json(twice('a phone', 'contact_pair', %at,
              aliases => aliases(phone => $number, bsuid => $bsuid)),
        { refusal => undef, jid => $phone }, 'becomes the JID');
my $lid = contact('lid.12345@whatsapp.eazy.im');
received($lid);
message($phone);
is_json(twice('two conversations', 'contact_pair', %at,
              aliases => aliases(lid => '12345', phone => $number)),
        { refusal => undef, jid => $phone }, 'become one');
is($t->value('select count(*) from ezw.message'), 2, 'with both messages');

# Another number.
my $new = $t->contact_jid;
is_json(twice('another number', 'contact_rebind', %at,
              aliases => aliases(phone => $new =~ s/\@.*//r, phone => $number)),
        { refusal => undef, jid => $new }, 'is the JID now');

# Upkeep's steps: the second of two finds nothing more to do.
twice('nothing to erase', 'erasure_next', limit => 1000);
twice('nothing to move', 'merge_next', limit => 1000);
twice('nothing to purge', 'purge_next', limit => 1000);
twice('nothing to begin', 'purge_begin');
twice('nothing to drop', 'partitions_drop');
$t->sql(q{update ezw.conversation_merge set done_at = now() - interval '2 days'});
$statements->run('merge_next', limit => 1000);
is($t->value('select count(*) from ezw.conversation_merge'), 0,
   'a merge is forgotten after a day');

my %run_again = map { $_ => 1 } $statements->run_again;
is_deeply([grep { !$run_again{$_} } EZW::Statements::listed(__FILE__, 'writes')],
          [], 'each was executed again');

done_testing;

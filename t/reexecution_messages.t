# After a lost connection a statement runs again with the same ids: messages.
#
# writes: message_device message_revoke typing_receive
# others: message_get message_list message_outcome

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $statements = EZW::Statements->new($t);
my $company = $t->company;
my $channel = $t->channel(company => $company);
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $contact = $t->contact_jid;

sub id    { return $statements->id }
sub twice { return $statements->twice(@_) }

sub message_id {
    my $id = id() =~ s/-//gr;
    return $id . substr $t->uuid, 0, 8;
}

sub fresh {
    return ('id.message' => message_id(), 'id.contact' => id(),
            'id.conversation' => id());
}

sub count { return $t->value('select count(*) from ezw.message') }

my %at = (company => $company, channel => $channel);
my %in = (%at, contact => $contact, 'contact.name' => 'Jane Doe',
          message => '{"body":"Hi","type":"text"}', 'message.type' => 'text',
          aliases => undef, 'about.id' => undef);

# Into a channel that answers by itself: what it sends is sent once.
$t->insert('automated_message', company => $company, channel => $channel_id,
           type => $_, body => "$_!", enabled => 't') for qw(AWAY GREETING);
my %first = (%in, fresh(), 'provider.id' => 'wamid.1',
             aliases => '[{"kind":"lid","value":"777777"}]');
is(twice('a first message', 'message_receive', %first)->{result}, 'STORED',
   'is stored');
is(count(), 3, 'and answered twice, once');
is(twice('the next one', 'message_receive', %in, fresh(),
         'provider.id' => 'wamid.2')->{result}, 'STORED', 'is stored');
is(count(), 4, 'and not answered');
is(twice('the first one', 'message_receive', %first)->{result}, 'STORED',
   'is stored');
is(count(), 4, 'no more than it was');

# What is about another one.
for my $case (['text', '{"body":"Yes","type":"text"}'],
              ['reaction', '{"emoji":"+","type":"reaction"}'],
              ['postback', '{"type":"button","payload":"p","title":"t"}'])
{
    my ($type, $json) = @$case;
    is(twice("a $type about another", 'message_receive', %in, fresh(),
             message => $json, 'message.type' => $type,
             'provider.id' => "wamid.$type", 'about.id' => 'wamid.1')->{result},
       'STORED', 'is stored');
}

# To a list: each of its participants once.
my $list = '1571833730@list.eazy.im';
$t->insert('list', company => $company, jid => $list, channel => $channel_id,
           full_name => 'All');
$t->sql(q{insert into ezw.list_participant (company, list, contact)
          select company, ?, id from ezw.contact where company = ?},
        $list, $company);
my %list = (company => $company, 'path.channelJid' => $channel,
            'path.contactJid' => $list, 'key.assistant' => undef,
            'key.actor' => 'k@key.eazy.im', fresh(),
            'body.message' => '{"type":"template"}',
            'body.message.type' => 'template',
            map { ("body.message.$_" => undef) } qw(
                catalog template.name template.language template.parameters));
is(twice('to a list', 'message_send', %list)->{id}, $list{'id.message'},
   'is sent');
is($t->value(q{select count(*) from ezw.message where type = 'template'}), 1,
   'once');

# From the phone itself.
my %device = (%at, fresh(), contact => $contact, 'provider.id' => 'wamid.phone',
              message => '{"body":"Me","type":"text"}',
              'message.type' => 'text', aliases => undef);
is(twice('a message from the phone', 'message_device', %device)->{result},
   'STORED', 'is stored');
is(twice('told again', 'message_device', %device, fresh())->{result},
   'DUPLICATE', 'is not');
is(twice('one to nobody yet', 'message_device', %device, fresh(),
         contact => $t->contact_jid, 'provider.id' => 'wamid.new')->{result},
   'STORED', 'is stored');
is(twice('one of no channel', 'message_device', %device, fresh(),
         channel => '31699999999@whatsapp.eazy.im')->{refusal}, 'not_found',
   'is refused');

# Deleted, and typing.
twice('a message that is deleted', 'message_revoke', %at,
      'provider.id' => 'wamid.1');
is($t->value(q{select count(*) from ezw.event where kind = 'revoke'}), 1,
   'is told once');
twice('one that nobody knows', 'message_revoke', %at,
      'provider.id' => 'wamid.none');
twice('typing', 'typing_receive', %at, contact => $contact,
      'id.message' => message_id(), state => 'COMPOSING');
twice('nobody who types', 'typing_receive', %at, contact => $t->contact_jid,
      'id.message' => message_id(), state => 'COMPOSING');
is($t->value(q{select count(*) from ezw.event where kind = 'typing'}), 1,
   'is told once');

my %run_again = map { $_ => 1 } $statements->run_again;
is_deeply([grep { !$run_again{$_} }
           EZW::Statements::listed(__FILE__, 'writes')], [],
          'each was executed again');

done_testing;

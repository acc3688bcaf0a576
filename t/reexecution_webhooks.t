# After a lost connection a statement runs again with the same ids: webhooks
# are made, changed and ended once, and their secrets sealed anew once.
#
# writes: webhook_create webhook_delete webhook_update
# others: event_envelope key_cipher webhook_list

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $statements = EZW::Statements->new($t);

sub run   { return $statements->run(@_) }
sub twice { return $statements->twice(@_) }
sub id    { return $statements->id }

my $company = $t->company;
my $channel = $t->channel(company => $company);
my $assistant = $t->assistant(company => $company);
my %by = (company => $company, 'path.channelJid' => $channel,
          'key.scope' => 'COMPANY', address => '127.0.0.1', trace => '0' x 32,
          'key.actor' => 'x@key.eazy.im');
sub fresh { return ('id.audit' => id(), 'id.webhook' => id()) }

my %create = (
    %by, fresh(), 'body.url' => 'https://example.com/a?token=1',
    'body.events' => '["message","echo"]', 'body.enabled' => undef,
    'body.headers' => '{"Authorization":"Bearer x","X-B":"1"}',
    'body.assistant' => $assistant, 'secret.secret.sealed' => '01',
    'sealed.cipherKey' => '02',
    'fingerprint.cipherKey' => 'sha256:0123456789abcdef');
my $made = twice('a webhook', 'webhook_create', %create);
is($made->{id}, $create{'id.webhook'}, 'is made');
is($t->value('select count(*) from ezw.webhook'), 1, 'once');
is(twice('one of an unknown assistant', 'webhook_create', %create, fresh(),
         'body.assistant' => '1563451622499@ai.eazy.im')->{refusal},
   'assistant_unknown', 'is refused');
is(twice('one of an unknown channel', 'webhook_create', %create, fresh(),
         'path.channelJid' => '31699999999@whatsapp.eazy.im')->{refusal},
   'not_found', 'is refused');

my %audit = ('id.audit' => id());
my %update = (
    %by, %audit, 'path.id' => $create{'id.webhook'},
    'body.url' => 'https://example.com/b', 'body.events' => '["typing"]',
    'has.body.headers' => 't', 'body.headers' => qq({"X-B":"\x{2022}\x{2022}\x{2022}\x{2022}"}),
    'body.enabled' => 'f');
my $changed = twice('its change', 'webhook_update', %update);
is($changed->{url}, 'https://example.com/b', 'is done');
is(from_json($changed->{headers})->{'X-B'}, '1', 'with what was masked');
is(twice('its change back', 'webhook_update', %update, 'id.audit' => id(),
         'body.enabled' => 't')->{enabled}, 1, 'is done');
is(twice('the first change, late', 'webhook_update', %update)->{enabled}, 1,
   'does not come back');
is(twice('no change', 'webhook_update', %update, 'id.audit' => id(),
         'body.enabled' => 't')->{enabled}, 1, 'writes nothing');
is(twice('a mask of nothing', 'webhook_update', %update, 'id.audit' => id(),
         'body.headers' => qq({"X-C":"\x{2022}\x{2022}\x{2022}\x{2022}"}))->{refusal},
   'header_masked', 'is refused');
is(twice("nobody's change", 'webhook_update', %update, 'id.audit' => id(),
         'path.id' => id())->{refusal}, 'not_found', 'is refused');

# Secrets of one row, two of one name.
$t->sql(q{update ezw.webhook set secret = '\x0a', secret_old = '\x0b',
                                 cipher_key = '\x0c'});
my %seal = (company => $company, id => $create{'id.webhook'});
for my $case ([secret => '0a', '1a'], [secret => '0b', '1b'],
              [cipherKey => '0c', '1c'])
{
    my ($field, $old, $new) = @$case;
    is(twice("$field $old sealed anew", 'sealed_renew', %seal,
             field => $field, old => $old, new => $new)->{renewed}, 1,
       'is it');
    is(twice("$field $old, another time", 'sealed_renew', %seal,
             field => $field, old => $old, new => 'ff')->{renewed}, 0,
       'is not');
}
is_deeply([$t->sql(q{select encode(secret, 'hex'), encode(secret_old, 'hex'),
                            encode(cipher_key, 'hex') from ezw.webhook})],
          [['1a', '1b', '1c']], 'each in its place');

# Ten at most, whoever comes first.
for my $n (2 .. 10) {
    is(run('webhook_create', %create, fresh())->[0]{refusal}, undef,
       "webhook $n");
}
is(twice('an eleventh', 'webhook_create', %create, fresh())->{refusal},
   'webhooks_full', 'is refused');

my %end = (%by, 'path.id' => $create{'id.webhook'}, 'id.audit' => id());
delete $end{'key.scope'};
is(twice('its end', 'webhook_delete', %end)->{refusal}, undef, 'is done');
is(twice('its end again', 'webhook_delete', %end, 'id.audit' => id())
       ->{refusal}, 'not_found', 'is refused');
is(run('webhook_update', %update)->[0]{refusal}, 'not_found',
   'no change after the end');
is(run('webhook_create', %create)->[0]{refusal}, 'not_found',
   'and it does not come back');

is_deeply([$statements->run_again],
          [sort 'sealed_renew', EZW::Statements::listed($0, 'writes')],
          'each write was executed twice');

done_testing;

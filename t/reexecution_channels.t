# Channels, companies and what is set up for a channel: each write executed
# twice gives the same answer and leaves the same tables.
#
# writes: channel_create channel_delete channel_update company_create
# writes: company_update

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $statements = EZW::Statements->new($t);

sub twice { return $statements->twice(@_) }

# Fresh ids for a statement that wants several.
sub ids {
    my ($name) = @_;
    return map { $_ => $statements->id }
        grep { /^id\./ } $statements->params($name);
}

my $company = $t->company;
my $channel = $t->channel(company => $company);
my $assistant = $t->assistant(company => $company);
my $key = $t->key(company => $company, scope => 'OWNER');
my %by = ('key.actor' => $t->key_id($key) . '@key.eazy.im',
          address => '127.0.0.1', trace => '0' x 31 . '1');
my %at = (%by, company => $company, 'path.channelJid' => $channel);

# Channels.
my %create = (
    %by, ids('channel_create'), company => $company,
    'key.companies' => "{$company}", 'body.companyId' => undef,
    'body.jid' => '31611111111@whatsapp.eazy.im', 'body.name' => 'WhatsApp',
    'body.connector' => undef, 'body.priority' => '3',
    'body.dataRetentionInDays' => undef, 'body.catalogId' => 'C',
    'body.defaultAssistant' => $assistant);
is(twice('a channel', 'channel_create', %create)->{jid},
   '31611111111@whatsapp.eazy.im', 'is made');
is(twice('a second one', 'channel_create', %create, ids('channel_create'))
       ->{refusal}, 'duplicate', 'is refused');

my %settings = (
    %at, 'has.body.name' => 't', 'body.name' => 'Changed',
    'has.body.priority' => 't', 'body.priority' => '7',
    'body.dataRetentionInDays' => '30', 'has.body.catalogId' => 't',
    'body.catalogId' => 'K', 'has.body.defaultAssistant' => 't',
    'body.defaultAssistant' => $assistant);
my %changed = (%settings, ids('channel_update'));
is(twice('its change', 'channel_update', %changed)->{name}, 'Changed',
   'is done');
is(twice('its change back', 'channel_update', %settings,
         ids('channel_update'), 'body.name' => 'Back',
         'body.dataRetentionInDays' => '90')->{name}, 'Back', 'is done');
is(twice('the first change, late', 'channel_update', %changed)->{name}, 'Back',
   'does not come back');
is(twice("nobody's change", 'channel_update', %settings,
         ids('channel_update'),
         'path.channelJid' => '31699999999@whatsapp.eazy.im')->{refusal},
   'not_found', 'is refused');

# Companies.
my %child = (
    %by, ids('company_create'), company => $company, 'body.name' => 'Child',
    'body.timezone' => 'Europe/Amsterdam', 'body.dataRetentionInDays' => undef,
    'body.operatorsSeeAll' => 'f');
is(twice('a company', 'company_create', %child)->{name}, 'Child', 'is made');
my %update = (
    %by, company => $child{'id.company'}, 'key.company' => $company,
    'body.name' => 'Changed', 'body.timezone' => undef,
    'body.dataRetentionInDays' => '30', 'body.operatorsSeeAll' => undef,
    'body.status' => 'BLOCKED');
my %first = (%update, ids('company_update'));
is(twice('its change', 'company_update', %first)->{status}, 'BLOCKED',
   'is done');
is(twice('its change back', 'company_update', %update, ids('company_update'),
         'body.status' => 'ACTIVE')->{status}, 'ACTIVE', 'is done');
is(twice('the first change, late', 'company_update', %first)->{status},
   'ACTIVE', 'does not come back');
is(twice("one's own status", 'company_update', %update, ids('company_update'),
         company => $company)->{refusal}, 'status_own', 'is refused');

# And the end of a channel.
is(twice('its end', 'channel_delete', %at, ids('channel_delete'))->{refusal},
   undef, 'is done');
is(twice('its end again', 'channel_delete', %at, ids('channel_delete'))
       ->{refusal}, undef, 'is no refusal');

my %run_again = map { $_ => 1 } $statements->run_again;
is_deeply([grep { !$run_again{$_} }
           EZW::Statements::listed(__FILE__, 'writes')], [],
          'each was executed again');

done_testing;

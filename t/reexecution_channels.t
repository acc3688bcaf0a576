# Channels, companies and what is set up for a channel: each write executed
# twice gives the same answer and leaves the same tables.
#
# writes: automated_message_update channel_create channel_delete channel_update
# writes: company_create company_update profile_replace profile_update
# writes: template_create template_delete template_status
# others: automated_message_get automated_message_list profile_get template_list

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

# What is set up for a channel.
my %away = (company => $company, 'path.channelJid' => $channel,
            'path.type' => 'AWAY', 'body.body' => 'Closed',
            'body.enabled' => 't');
is(twice('an automated message', 'automated_message_update', %away)->{body},
   'Closed', 'is set');
is(twice('one without a body', 'automated_message_update', %away,
         'path.type' => 'GREETING', 'body.body' => undef)->{refusal},
   'body_needed', 'is refused');
my %profile = (
    company => $company, 'path.channelJid' => $channel,
    'body.about' => 'Hi', 'body.businessProfile.address' => 'High Street',
    'body.businessProfile.description' => undef,
    'body.businessProfile.email' => 'a@b.example',
    'body.businessProfile.vertical' => 'AUTO',
    'body.businessProfile.websites' => '["https://a.example"]',
    'has.body.pictureUrl' => 't', 'body.pictureUrl' => 'https://a.example/p');
is(twice('a profile', 'profile_replace', %profile)->{about}, 'Hi', 'is set');
my %has = map { $_ => /about/ ? 't' : 'f' }
    grep { /^has\./ } $statements->params('profile_update');
is(twice('its change', 'profile_update', %profile, %has,
         'body.about' => 'Ho')->{about}, 'Ho', 'is done');

# Templates: one that waits to be looked at, and what the platform says of it.
my %template = (
    %at, 'body.name' => 'hello', 'body.language' => 'en',
    'body.category' => 'UTILITY',
    'body.components' => '[{"type":"BODY","text":"Hello {{1}}"}]',
    'body.components.parameters' =>
        '{"header":0,"format":null,"body":1,"buttons":[],"types":[]}');
my %first_template = (%template, ids('template_create'));
is(twice('a template', 'template_create', %first_template)->{refusal}, undef,
   'is made');
is_deeply([$t->sql(q{
    select t.status, t.rejected_reason, o.kind, o.due_at > t.created_at
      from ezw.template t
      join ezw.outbox o on o.company = t.company and o.conversation = t.id
     where t.name = 'hello'})], [['PENDING', 'NONE', 'template', 1]],
          'and waits');
is(twice('a second one', 'template_create', %template,
         ids('template_create'))->{refusal}, 'duplicate', 'is refused');
my %status = (company => $company, channel => $channel, name => 'hello',
              language => 'en', id => $first_template{'id.template'},
              status => 'REJECTED', reason => 'PROMOTIONAL');
sub told {
    my ($what, $changed, %more) = @_;
    my %of = (%status, %more);
    my $row = $statements->row('template_status', %of);
    is_deeply($row, { refusal => undef, changed => $changed }, $what);
    my $tables = $t->snapshot;
    is_deeply($statements->row('template_status', %of),
              { refusal => undef, changed => 0 }, "$what: is known then");
    is_deeply($t->snapshot, $tables, "$what: the same tables");
    return;
}
told('what the platform says', 1);
told('that it says so of the name', 0, id => undef);
told('another word', 1, id => undef, status => 'APPROVED', reason => undef);
is(twice('of one that was there before', 'template_status', %status,
         id => $t->uuid)->{refusal}, 'not_found', 'is of none');
my %gone = (%at, 'path.name' => 'hello');
my %first_end = (%gone, ids('template_delete'));
is(twice('its end', 'template_delete', %first_end)->{refusal}, undef,
   'is done');
is($t->value(q{select count(*) from ezw.outbox where kind = 'template'}), 0,
   'and nobody looks any more');
is(twice('its end again', 'template_delete', %gone, ids('template_delete'))
       ->{refusal}, 'not_found', 'is refused');
is(twice('the making, late', 'template_create', %first_template)->{refusal},
   undef, 'does not come back');
is(twice('it anew', 'template_create', %template, ids('template_create'))
       ->{refusal}, undef, 'is made');
is(twice('the end, late', 'template_delete', %first_end)->{refusal}, undef,
   'does not end it');
is($t->value(q{select count(*) from ezw.template}), 1, 'it is there');

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

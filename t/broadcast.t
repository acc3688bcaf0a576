# Sending to a list, with ezw_broadcast on: a template to each participant, as
# if it had been sent to him alone.

use EZW;

my $t = EZW->start(http => 'ezw_courier off; ezw_broadcast on;');
my $demo = $t->demo;
my ($company, $channel) = @$demo{qw(company channel)};
my $key = $demo->{key}{CHANNEL};
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);
my $list = '1571833730@list.eazy.im';
my $empty = '1571833731@list.eazy.im';
$t->insert('list', company => $company, jid => $_, channel => $channel_id,
           full_name => 'Customers') for $list, $empty;
$t->template(company => $company, channel => $channel, name => 'welcome');
my $welcome = { type => 'template', template => {
    name => 'welcome', language => { code => 'en' }, components => [] } };

sub post {
    my ($to, $message, %o) = @_;
    my $node = delete $o{node} // $t;
    return $node->http(POST => "/v3/channels/$channel/messages/$to",
                       key => $key, json => { message => $message }, %o);
}

sub participant {
    my ($jid) = @_;
    my $id = $t->uuid;
    $t->insert('contact', company => $company, id => $id, jid => $jid,
               channel => $channel_id);
    $t->insert('list_participant', company => $company, list => $list,
               contact => $id);
    return $jid;
}

# Three who can be sent to, one of them in a conversation, and two who cannot.
my @jids = map { participant($t->contact_jid) } 1 .. 3;
is(post($jids[1], { type => 'text', body => 'Hi' })->status, 201,
   'a conversation');
my $blocked = participant($t->contact_jid);
$t->insert('block', company => $company, channel => $channel_id,
           jid => $blocked, hash => { hex => '00' });
participant('lid.1234567@whatsapp.eazy.im');

my $r = post($list, $welcome);
is_answer($r, 201, { id => qr/^[0-9a-f]{40}$/ }, 'sent');
my $id = $r->json->{id};
my @sent = $t->sql(q{
    select v.contact_jid, encode(m.id, 'hex'), m.body::text, m.status
      from ezw.message m join ezw.conversation v on v.id = m.conversation
      join ezw.outbox o on o.conversation = v.id and o.seq = m.seq
     where m.type = 'template' order by v.contact_jid});
is_deeply([map { $_->[0] } @sent], [sort @jids], 'to each who can be sent to');
is(substr($_->[1], 0, 20), substr($id, 0, 20),
   'their ids begin as the one that is answered') for @sent;
my %ids = map { $_->[1] => 1 } @sent;
is(scalar keys %ids, 3, 'and are their own');
is($_->[3], 'QUEUED', 'each goes its way') for @sent;
is_answer($t->http(GET => "/v3/channels/$channel/messages/$_->[0]/$_->[1]",
                   key => $key), 200,
          sub { $_[0]{message}{template}{name} eq 'welcome' },
          'each is read as every message is') for @sent;

# Once, with an idempotency key.
my @once = (headers => { 'Idempotency-Key' => 'list-1' });
$r = post($list, $welcome, @once);
is_answer(post($list, $welcome, @once), 201, { id => $r->json->{id} },
          'again, with a key');
is($t->value(q{select count(*) from ezw.message where type = 'template'}), 6,
   'it is sent once');

is_answer(post($empty, $welcome), 201, { id => qr/^[0-9a-f]{40}$/ },
          'to nobody');
is_refused(post($list, { type => 'text', body => 'Hi' }), 400, 1005,
           { message => 'A list takes templates only',
             field => 'message.type' }, 'no text');
is_refused(post($list, { %$welcome, template => {
    %{ $welcome->{template} }, name => 'none' } }), 404, 1006,
    { message => 'Template name does not exist', field => 'message.template' },
    'no unknown template');
is_refused(post('1571833999@list.eazy.im', $welcome), 404, 1009,
           { message => 'Not found' }, 'no such list');
is($t->value(q{select count(*) from ezw.message where type = 'template'}), 6,
   'nothing is sent');

# Other endpoints know a contact when they see one; and so does this one with
# the directive off.
is_refused($t->http(GET => "/v3/channels/$channel/messages/$list",
                    key => $key), 400, 1005,
           { message => 'Jid is invalid', field => 'contactJid' },
           'a list has no messages');
my $off = EZW->start(like => $t, http => 'ezw_courier off;');
is_refused(post($list, $welcome, node => $off), 400, 1005,
           { message => 'Jid is invalid', field => 'contactJid' }, 'off');

done_testing;

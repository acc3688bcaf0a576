# Reading messages: those of a conversation, newest first, and one of them with
# the states that it has been through.

use EZW;
use EZW::Statements;

my $t = EZW->start(http => 'ezw_courier off;');
my $demo = $t->demo;
my ($company, $channel) = @$demo{qw(company channel)};
my $base = "/v3/channels/$channel/messages";
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
my $id = qr/^[0-9a-f]{40}$/;
my $channel_id = $t->value('select id from ezw.channel where jid = ?', $channel);

sub get {
    my ($path, %o) = @_;
    return $t->http(GET => "$base/$path", key => $demo->{key}{CHANNEL}, %o);
}

sub text {
    my ($jid, $body, %o) = @_;
    my $r = $t->http(POST => "$base/$jid", key => $demo->{key}{CHANNEL},
                     json => { type => 'text', body => $body }, %o);
    $r->status == 201 or die $r->as_text;
    return $r->json->{id};
}

sub ids { return [map { $_->{id} } @{ $_[0]->json }] }

# A message out, as it stands.
my $contact = $demo->{contact};
my $key_id = $t->key_id($demo->{key}{CHANNEL});
my $first = text($contact, 'Have a nice day!');
my %first = (
    createdAt => $time, direction => 'OUT', error => undef, id => $first,
    message => { body => 'Have a nice day!', type => 'text' },
    sender => { id => "$key_id\@key.eazy.im", type => 'API' },
    status => 'QUEUED',
);
is_answer(get($contact), 200, [\%first], 'one message');
is_answer(get("$contact/$first"), 200,
          { %first, states => [{ at => $time, state => 'QUEUED' }] },
          'by itself');
is_answer(get("$contact/" . uc $first), 200,
          { %first, states => [{ at => $time, state => 'QUEUED' }] },
          'its id in capitals');

# Its states.
my @at = map { "2026-01-01T00:00:0$_.000000Z" } 1 .. 4;
$t->sql(q{update ezw.message set status = 'PLAYED', sent_at = ?,
                 delivered_at = ?, read_at = ?, played_at = ?},
        map { "2100-01-01 00:00:0$_+00" } 1 .. 4);
is_answer(get("$contact/$first"), 200,
          { %first, status => 'PLAYED', states => [
              { at => $time, state => 'QUEUED' },
              map { { at => "2100-01-01T00:00:0$_.000000Z",
                      state => (qw(SENT DELIVERED READ PLAYED))[$_ - 1] } }
                  1 .. 4] }, 'all of them');
$t->sql(q{update ezw.message set status = 'FAILED', delivered_at = null,
                 read_at = null, played_at = null, failed_at = '2100-01-02 00:00Z',
                 error_code = 1007, error_text = 'Not there'});
my %failed = (%first, status => 'FAILED',
              error => { code => 1007, message => 'Not there' });
is_answer(get("$contact/$first"), 200,
          { %failed, states => [
              { at => $time, state => 'QUEUED' },
              { at => '2100-01-01T00:00:01.000000Z', state => 'SENT' },
              { at => '2100-01-02T00:00:00.000000Z', state => 'FAILED' }] },
          'one that failed');
is_answer(get($contact), 200, [\%failed], 'in the list too');

# One that came in.
my $in = '0198c1a3be557210ac0258a992c1797700000001';
EZW::Statements->new($t)->run(
    'message_receive', company => $company, channel => $channel,
    contact => $contact, 'contact.name' => 'Jane', 'provider.id' => 'wamid.1',
    'id.message' => $in, message => '{"body":"Hello","type":"text"}',
    'message.type' => 'text', 'id.contact' => $t->uuid,
    'id.conversation' => $t->uuid,
    aliases => undef, 'about.id' => undef);
my %in = (
    createdAt => $time, direction => 'IN', error => undef, id => $in,
    message => { body => 'Hello', type => 'text' },
    sender => { id => $contact, type => 'CONTACT' }, status => 'RECEIVED',
);
is_answer(get($contact), 200, [\%in, \%failed], 'newest first');

# An id from another time than its row's is found no more than a foreign one.
my $other = $t->contact_jid;
my $theirs = text($other, 'Hi');
for my $absent ($theirs, 'f' x 40, '0' x 40, $in, 'x' x 40, substr($first, 1),
                "${first}0", $key_id)
{
    is_refused(get("$contact/$absent"), 404, 1009, { message => 'Not found' },
               "not of this conversation: $absent");
}
is_answer(get("$other/$theirs"), 200, sub { $_[0]{id} eq $theirs },
          'of the other one');

# Nobody, or nobody yet.
for my $jid ($t->contact_jid) {
    is_refused(get($jid), 404, 1009, { message => 'Not found' },
               'no conversation');
    $t->insert('contact', company => $company, id => $t->uuid, jid => $jid,
               channel => $channel_id);
    is_refused(get($jid), 404, 1009, { message => 'Not found' },
               'a contact without one');
}

# By another name of the contact.
my $alias = 'lid.123456@whatsapp.eazy.im';
$t->insert('contact_alias', company => $company, channel => $channel_id,
           kind => 'jid', value => $alias, contact => $t->value(
               'select id from ezw.contact where jid = ?', $contact));
is_answer(get($alias), 200, [\%in, \%failed], 'by an alias');
is_answer(get("$alias/$first"), 200, sub { $_[0]{id} eq $first },
          'one by an alias');

# Page by page, in an order that equal times do not disturb, over two months.
my $long = $t->contact_jid;
text($long, "$_") for 1 .. 7;
my $conversation = $t->value(
    'select id from ezw.conversation where contact_jid = ?', $long);
$t->sql(q{update ezw.conversation set created_at = now() - interval '40 days'
           where id = ?}, $conversation);
$t->sql(q{update ezw.message
             set created_at = date_trunc('month', now()) - interval '1 second'
           where conversation = ? and seq <= 3}, $conversation);
my @all = map { $_->[0] } $t->sql(
    q{select encode(id, 'hex') from ezw.message where conversation = ?
       order by seq desc}, $conversation);
is_deeply(ids(get($long)), \@all, 'all');
for my $limit (1, 2, 3, 7) {
    my @got;
    my $args = "limit=$limit";
    while (defined $args) {
        my $r = get("$long?$args");
        is($r->status, 200, "limit=$limit") or diag $r->as_text;
        push @got, @{ ids($r) };
        my $cursor = $r->header('x-next-cursor');
        $args = defined $cursor ? "limit=$limit&cursor=$cursor" : undef;
        last if @got > @all;
    }
    is_deeply(\@got, \@all, "all, $limit at a time");
}
my $r = get("$long?limit=2", headers => { Prefer => 'count=exact' });
is($r->header('x-total-count'), 7, 'counted');
is(scalar @{ $r->json }, 2, 'beside a page');
is_refused(get("$long?cursor=AAAA"), 400, 1005,
           { field => 'cursor', message => 'cursor is not one of this list' },
           'no cursor');

# Two companies know the same person: none sees the other's.
my $second = $t->company;
my $their_channel = $t->channel(company => $second);
my $their_key = $t->key(company => $second, scope => 'COMPANY');
is_answer($t->http(POST => "/v3/channels/$their_channel/messages/$contact",
                   key => $their_key, json => { type => 'text', body => 'x' }),
          201, { id => $id }, 'the same person, of another company');
is_answer($t->http(GET => "/v3/channels/$their_channel/messages/$contact",
                   key => $their_key), 200,
          sub { @{ $_[0] } == 1 && $_[0][0]{message}{body} eq 'x' },
          'who sees its own');
is_refused($t->http(GET => "/v3/channels/$their_channel/messages/$contact/"
                        . $first, key => $their_key), 404, 1009,
           { message => 'Not found' }, 'and not the other\'s');
is_refused($t->http(GET => "$base/$contact", key => $their_key), 404, 1009,
           { message => 'Not found' }, 'nor by its channel');

done_testing;

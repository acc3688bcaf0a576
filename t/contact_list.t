# The contacts of a channel.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $channel = $t->channel(company => $company,
                          jid => '31612345678@whatsapp.eazy.im');
my $other = $t->channel(company => $company);
my $key = $t->key(company => $company, scope => 'COMPANY');

sub path { return '/v3/channels/' . ($_[0] // $channel) . '/contacts' }

sub list {
    my ($args, %o) = @_;
    return $t->http(GET => path(delete $o{channel}) . ($args // ''),
                    key => $key, %o);
}

sub create {
    my ($json) = @_;
    my $r = $t->http(POST => path(), key => $key, json => $json);
    $r->status == 201 or die $r->as_text;
    return $r->json;
}

is_answer(list(), 200, [], 'no contact');

# Each as it is read by itself, but for its notes; in the order of their
# creation, however that came.
my $jid = '31611111111@whatsapp.eazy.im';
my @contacts = (
    create({ jid => $jid, name => 'John Doe', reference => 'Customer #545',
             remarks => 'VIP', metadata => { title => 'Mr.', n => 1 } }),
    create({ jid => 'NL.ENT.aB3@whatsapp.eazy.im' }),
    create({ jid => '31600000001@whatsapp.eazy.im' }),
);
$t->http(POST => path() . "/$jid/notes", key => $key, json => { body => 'x' });
is(scalar @{ $t->http(GET => path() . "/$jid", key => $key)->json->{notes} }, 1,
   'a contact has a note');
my $sent = $t->contact_jid;
is($t->http(POST => "/v3/channels/$channel/messages/$sent", key => $key,
            json => { type => 'text', body => 'x' })->status, 201,
   'another is made by a message');
push @contacts, {
    jid => $sent, metadata => [], notes => [], phoneNumber => 0 + $sent =~ s/\@.*//r,
    name => { firstName => undef, fullName => undef, lastName => undef },
    reference => undef, remarks => undef, type => 'INDIVIDUAL',
};
my $r = list();
is_answer($r, 200, \@contacts, 'all of them');
is($r->body, to_json($r->json), 'compact, and names in their order');
is($contacts[0]{metadata}{title}, 'Mr.', 'with their metadata');

# An alias is no contact of its own; another channel's are others.
$t->insert('contact_alias', company => $company, kind => 'jid',
           channel => $t->value('select id from ezw.channel where jid = ?',
                                $channel),
           value => 'NL.abc@whatsapp.eazy.im', contact => $t->value(
               'select id from ezw.contact where jid = ?', $jid));
is_answer(list(), 200, \@contacts, 'an alias is no contact');
is_answer(list(undef, channel => $other), 200, [], 'the other channel has none');

# What is changed stays in its place, what is erased leaves.
is($t->http(PATCH => path() . "/$jid", key => $key,
            json => { remarks => 'changed' })->status, 200, 'changed');
$contacts[0]{remarks} = 'changed';
is($t->http(DELETE => path() . "/$contacts[1]{jid}", key => $key)->status, 204,
   'erased');
splice @contacts, 1, 1;
is_answer(list(), 200, \@contacts, 'one is changed, one is gone');

# Page by page: three of each time, seven a page.
$t->sql(q{insert into ezw.contact (company, id, channel, jid, created_at)
          select h.company, ('00000000-0000-7000-8000-' ||
                             lpad((1000 - i)::text, 12, '0'))::uuid, h.id,
                 (31800000000 + i) || '@whatsapp.eazy.im',
                 timestamptz '2020-01-01' + (i / 3) * interval '1 minute'
            from ezw.channel h, generate_series(1, 20) i where h.jid = ?},
        $channel);
my @want = map { $_->[0] } $t->sql(q{
    select c.jid from ezw.contact c where c.channel_jid = ?
     order by c.created_at, c.id}, $channel);
is(scalar @want, 23, 'as many');
my ($cursor, @seen);
do {
    $r = list('?limit=7' . (defined $cursor ? "&cursor=$cursor" : ''),
              headers => { Prefer => 'count=exact' });
    is($r->header('x-total-count'), 23, 'counted');
    push @seen, [map { $_->{jid} } @{ $r->json }];
    $cursor = $r->header('x-next-cursor');
} while (defined $cursor);
is_deeply(\@seen, [[@want[0 .. 6]], [@want[7 .. 13]], [@want[14 .. 20]],
                   [@want[21, 22]]], 'by pages');
is_deeply([map { $_->{jid} } @{ list()->json }], \@want, 'and at once');
is_refused(list('?limit=7&name=x', headers => { Prefer => 'handling=strict' }),
           400, 1005, { field => 'name', message => 'Unknown field: name' },
           'strict');

# `ezw_empty_map object` holds here too.
my $object = EZW->start(like => $t, http => 'ezw_empty_map object;');
like($object->http(GET => path() . '?limit=1', key => $key)->body,
     qr/"metadata":\{\}/, 'an empty map as an object');

# Another company's.
my $stranger = $t->company;
my $theirs = $t->channel(company => $stranger);
my $their_key = $t->key(company => $stranger, scope => 'COMPANY');
is_refused($t->http(GET => path(), key => $their_key), 404, 1009,
           { message => 'Not found' }, "another company's channel");
is_answer($t->http(GET => path($theirs), key => $their_key), 200, [],
          'theirs has none of ours');

done_testing;

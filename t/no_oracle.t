# Nobody learns what others have: what is not there and what is not yours are
# the same answer, in its status, its body and its headers (DECISIONS 5).

use EZW;
use EZW::Endpoints;

my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
my $all = EZW::Endpoints->new($t);
my ($company, $contact) = @$all{qw(company contact)};

# What there is and is not: two of each that is not, to know what makes no
# difference. The stranger's channel has the same contact, with a conversation.
my $stranger = $t->company;
my $child = $t->company(parent => $company);
my $grandchild = $t->company(parent => $child);
my $foreign = $t->channel(company => $stranger);
my %channel = (
    foreign => $foreign,
    'foreign and archived' => $t->channel(company => $stranger,
                                          archived_at => '2020-01-01'),
    "a grandchild's" => $t->channel(company => $grandchild),
    absent => '31699999998@whatsapp.eazy.im',
    'absent, too' => '31699999999@whatsapp.eazy.im',
);
is($t->http(POST => "/v3/channels/$foreign/messages/$contact",
            key => $t->key(company => $stranger, scope => 'COMPANY'),
            json => { type => 'text', body => 'Hello' })->status, 201,
   "a stranger's conversation with the same contact");

sub key_of { return $t->key(company => $company, @_) }

my $of_child = $t->channel(company => $child);
my %of_company = (
    "the company's other one" => $t->channel(company => $company),
    "the company's archived one" => $t->channel(company => $company,
                                                archived_at => '2020-01-01'),
);
my %company = (foreign => $stranger, "a grandchild's" => $grandchild,
               blocked => $t->company(status => 'BLOCKED'),
               absent => $t->uuid, 'absent, too' => $t->uuid,
               'not even an id' => 'x');
my %key = (
    foreign => $t->key_id($t->key(company => $stranger, scope => 'COMPANY')),
    "a grandchild's" => $t->key_id($t->key(company => $grandchild,
                                           scope => 'COMPANY')),
    revoked => $t->key_id(key_of(scope => 'COMPANY',
                                 revoked_at => '2020-01-01')),
    'foreign and revoked' => $t->key_id($t->key(
        company => $stranger, scope => 'COMPANY', revoked_at => '2020-01-01')),
    absent => $t->uuid, 'absent, too' => $t->uuid, 'not even an id' => 'x',
);

my $channel = $all->{channel};
my %keys = (
    CHANNEL => key_of(scope => 'CHANNEL', channels => [$channel]),
    'ASSISTANT of one channel' => key_of(scope => 'ASSISTANT',
                                         channels => [$channel]),
    ASSISTANT => key_of(scope => 'ASSISTANT',
                        assistant => $t->assistant(company => $company)),
    COMPANY => key_of(scope => 'COMPANY'),
    OWNER => key_of(scope => 'OWNER'),
    'OWNER without children' => $t->key(company => $t->company,
                                        scope => 'OWNER'),
);
my @scopes = @EZW::Endpoints::SCOPES;

# Status, headers and body: what differs with each request is taken out, and
# of RateLimit, which counts, only that it is there is left.
sub shown {
    my ($r) = @_;

    my %headers = %{ $r->{headers} };
    my $trace = delete $headers{'x-trace-id'} // die 'no trace: ' . $r->as_text;
    delete $headers{date};
    $headers{ratelimit} =~ s/=\d+/=n/g;
    return join "\n", $r->status, to_json(\%headers),
        $r->body =~ s/\Q$trace\E/trace/r;
}

# Whatever of THINGS the path names, and whatever else is in the request, the
# answer is the same, of a STATUS. Asked twice: what has been asked for may be
# remembered.
sub alike {
    my ($endpoint, $who, $status, $parameter, $things, @ways) = @_;

    my %shown;
    for my $way (@ways) {
        for my $thing (sort keys %$things, sort keys %$things) {
            my ($method, $path, %more) = $all->request(
                $endpoint, $parameter => $things->{$thing});
            my $r = $t->http($method => $path, %more, key => $keys{$who},
                             headers => $way->{headers} // {});
            is($r->status, $status, "$who: $endpoint->{name}, $thing");
            my $shown = shown($r);
            push @{ $shown{ to_json($way) }{$shown} }, $thing;
        }
    }
    ok(!(grep { keys %$_ > 1 } values %shown),
       "$who: $endpoint->{name} does not tell them apart by $parameter")
        or diag explain \%shown;
    return;
}

# May a key of that name go as far as its objects?
sub may {
    my ($who, $least) = @_;
    my %rank = map { $scopes[$_] => $_ } 0 .. $#scopes;
    return $rank{ $who =~ s/ .*//r } >= $rank{$least};
}

for my $endpoint (grep { $_->{built}
                         && $_->{face} eq 'v3' } $all->table)
{
    my @may = grep { may($_, $endpoint->{least}) } sort keys %keys;

    # what else a client may send must not tell either
    my @ways = ({}, { headers => { Prefer => 'handling=strict' } },
                { headers => { traceparent => 'none' } });

    if ($endpoint->{path} =~ /\{channelJid}/) {
        for my $who (@may) {
            my $kept = $who =~ /^CHANNEL|of one/;
            alike($endpoint, $who, $kept ? 403 : 404, channelJid => {
                %channel,
                $kept ? %of_company : (),
                $who eq 'OWNER' ? () : ("a child's" => $of_child),
            }, @ways);
        }
    }
    if ($endpoint->{path} =~ /\{companyId}/) {
        for my $who (@may) {
            alike($endpoint, $who, 403, companyId => {
                %company, $who eq 'OWNER' ? () : ("a child's" => $child),
            }, @ways);
        }
    }
    if ($endpoint->{path} eq '/v3/keys/{id}') {
        alike($endpoint, 'OWNER', 404, id => \%key, @ways);
    }
}

# What a new key names.
for my $case (
    [companyId => { map { $_ => $company{$_} }
                    grep { $_ ne 'not even an id' } keys %company }, {}],
    [objects => { map { $_ => [{ type => 'CHANNEL', jid => $channel{$_} }] }
                  keys %channel }, { scope => 'CHANNEL' }],
    [objects => { map { $_->[0] => [{ type => 'ASSISTANT', jid => $_->[1] }] }
                  [foreign => $t->assistant(company => $stranger)],
                  [absent => '1580486175684@ai.eazy.im'] },
     { scope => 'ASSISTANT' }],
    [objects => { map { $_ => [{ type => 'COMPANY', id => $company{$_} }] }
                  grep { $_ ne 'not even an id' } keys %company },
     { scope => 'OWNER' }],
) {
    my ($field, $things, $json) = @$case;
    my %shown;
    for my $thing (sort keys %$things) {
        my $r = $t->http(POST => '/v3/keys', key => $keys{OWNER}, json => {
            scope => 'OWNER', %$json, $field => $things->{$thing} });
        is($r->status, 400, "a new key, $field: $thing");
        push @{ $shown{ shown($r) } }, $thing;
    }
    is(scalar(keys %shown), 1, "a new key does not tell them apart by $field")
        or diag explain \%shown;
}

# A POST that is to be done once: its refusal is kept, in the caller's own name
# only.
my @posts = map { "/v3/channels/$_->[0]/$_->[1]" } map {
    my $jid = $_;
    map { [$jid, $_] } 'contacts', "messages/$contact"
} @channel{qw(foreign absent)};
for my $who (qw(COMPANY OWNER)) {
    my %shown;
    for my $n (0 .. $#posts) {
        for my $round ('first', 'again', 'another body') {
            my $json = $posts[$n] =~ /contacts$/ ? { jid => $contact }
                : { type => 'text', body => 'Hello' };
            $json->{remarks} = 'x' if $round eq 'another body';
            my $r = $t->http(POST => $posts[$n], key => $keys{$who},
                             json => $json,
                             headers => { 'Idempotency-Key' => "$who-$n" });
            is($r->status, $round eq 'another body' ? 422 : 404,
               "$who: once, $round: $posts[$n]");
            my $shown = shown($r);
            push @{ $shown{ $n % 2 . " $round" }{$shown} }, $posts[$n];
        }
    }
    is(scalar(keys %shown), 6, "$who: all of them");
    ok(!(grep { keys %$_ > 1 } values %shown),
       "$who: what is kept does not tell channels apart")
        or diag explain \%shown;
}

done_testing;

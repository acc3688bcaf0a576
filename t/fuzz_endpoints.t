# Random requests to every endpoint: bodies made of a good one and then broken,
# paths, queries and headers. Never a 5xx, never more than a second, and every
# refusal in the form of its face, with the name of the field that is wrong.

use Digest::SHA qw(sha1);
use Time::HiRes qw(time);

use EZW;
use EZW::Endpoints;

our $BODIES //= 200;
our $SEED //= 1563451622;

my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
$t->hasten_hashes;
my $all = EZW::Endpoints->new($t);
my $owner = $t->key(company => $all->{company}, scope => 'OWNER');
my @endpoints = grep { $_->{built} } $all->table;
my %token;

srand $SEED;
diag "seed $SEED" if $SEED != 1563451622;

sub pick { return $_[rand @_] }


# Values ------------------------------------------------------------------------

my @scalars = (
    undef, true, false, 0, 1, -1, 0.5, 1e308, -1e308, 9007199254740993,
    '9223372036854775808' + 0, '', ' ', "\t\n", 'x', 'X' x 255, 'x' x 256,
    'y' x 5000, "\x{1F600}" x 300, "e\x{301}", "\x{0}", "a\x{0}b", "\x{ffff}",
    "\x{7f}\x{1b}", '{{1}}', 'null', '-1', '1e999', "'; drop table ezw.contact",
    'http://127.0.0.1/', 'https://example.com/', 'javascript:alert(1)',
    '31611111111@whatsapp.eazy.im', '1580486175684@label.eazy.im', '@', 'a@b',
    'jane@example.com', '0198c1a3-be55-7210-ac02-58a992c17977', '2020-02-30',
    '2020-03-11T19:53:02Z', '9999-12-31T23:59:59Z', '0000-00-00T00:00:00Z',
    '0.0.0.0/0', '::1', '999.1.1.1', 'CHANNEL', 'text', 'AWAY', 'en', '..',
);

sub any_value {
    my ($depth) = @_;

    my $kind = rand;
    return pick(@scalars) if $kind < 0.7 || $depth > 3;
    return [map { any_value($depth + 1) } 1 .. pick(0, 1, 2, 30)]
        if $kind < 0.85;
    return { map { any_name() => any_value($depth + 1) }
             1 .. pick(0, 1, 2, 60) };
}

sub any_name {
    return pick(qw(name type body id jid url text language code value
                   __proto__ constructor), '', 'x' x 300, "\x{1F600}", 'a.b',
                "a\x{0}b", "a\nb", rand);
}

# All places of a document: [container, key].
sub places {
    my ($node) = @_;

    return ref $node eq 'HASH'
        ? map { ([$node, $_], places($node->{$_})) } sort keys %$node
        : ref $node eq 'ARRAY'
        ? map { ([$node, $_], places($node->[$_])) } 0 .. $#$node
        : ();
}

sub copy { return defined $_[0] ? from_json(to_json($_[0])) : undef }

# A good body with one to three places changed.
sub changed {
    my ($good) = @_;

    my $json = copy($good);
    for my $n (1 .. pick(1, 1, 1, 2, 3)) {
        my @places = places($json);
        if (!@places || rand() < 0.15) {
            $json = {} if ref $json ne 'HASH';
            $json->{ any_name() } = any_value(0);
            next;
        }
        my ($container, $key) = @{ pick(@places) };
        if (ref $container eq 'ARRAY') {
            my $kind = rand;
            if ($kind < 0.6)    { $container->[$key] = any_value(0) }
            elsif ($kind < 0.8) { splice @$container, $key, 1 }
            else { push @$container, (copy($container->[$key])) x pick(1, 40) }
        } else {
            my $kind = rand;
            if ($kind < 0.75)   { $container->{$key} = any_value(0) }
            elsif ($kind < 0.9) { delete $container->{$key} }
            else { $container->{ uc $key } = delete $container->{$key} }
        }
    }
    return $json;
}

# The text of a body broken below JSON; undef if it says what it said.
sub broken {
    my ($text) = @_;

    my $at = int rand(1 + length $text);
    return pick(
        sub { substr $text, 0, $at },
        sub { substr($text, 0, $at) . pick("\xff", "\xc0\x80", "\xed\xa0\x80",
                                           "\0", '\u0000', '\ud800', '{', '"')
                  . substr $text, $at },
        sub { '[' x 20_000 },
        sub { '{"a":' x 20_000 },
        sub { '{"x":"' . 'x' x 2_000_000 . '"}' },
        sub { $text =~ s/^\{(.+)\}$/{$1,$1}/sr },
        sub { "\xef\xbb\xbf$text" },
        sub { $text . $text },
        sub { $text =~ s/:/=/r },
        sub { $text =~ s/"/'/gr },
        sub { '' },
        sub { join '', map { chr rand 256 } 1 .. rand 300 },
    )->();
}


# Other good bodies: a message of each type.
my $file = { url => 'https://example.com/a' };
my %others = (
    'POST /v3/channels/{channelJid}/messages/{contactJid}' => [
        (map { { message => { type => $_, fileName => 'a' }, media => $file } }
         qw(audio document gif image ptt sticker video)),
        { type => 'image', caption => 'x', mimeType => 'image/png', %$file,
          contextInfo => { quotedMessage => { id => 'a' x 40 } } },
        { type => 'location', latitude => 52.4, longitude => 4.9, %$file },
        { type => 'contact', contacts => [
            { name => { formattedName => 'A', firstName => 'A' },
              phones => [{ phone => '112', type => 'CELL' }],
              emails => [{ email => 'a@b.com' }], org => { company => 'A' },
              urls => [$file], birthday => '2000-02-29',
              addresses => [{ city => 'A' }] }] },
        { type => 'template', template => {
            name => 'hello', language => { code => 'en' }, components => [
                { type => 'header', parameters => [
                    { type => 'image', image => $file }] },
                { type => 'body', parameters => [
                    { type => 'text', text => 'a' },
                    { type => 'currency', currency => {
                        fallbackValue => '1', code => 'EUR',
                        amount1000 => 1000 } }] },
                { type => 'button', subType => 'url', index => 0,
                  parameters => [{ type => 'text', text => 'a' }] }] } },
        (map { { type => 'interactive', interactive => {
            type => $_->[0], components => {
                body => { type => 'text', text => 'A' }, %{ $_->[1] } } } } }
         [button => { header => { type => 'document', document => $file },
                      buttons => [map { { reply => {
                          payload => $_, title => $_ } } } 'a' .. 'c'] }],
         [list => { list => { title => 'A', sections => [map { {
             title => $_, rows => [{ payload => $_, title => 'A' }] }
             } 'a' .. 'c'] } }],
         [product => { product => { productId => '1' } }],
         [productList => { header => 'A', productList => { sections => [
             { items => [{ productId => '1' }] }] } }]),
    ],
);


# Requests ----------------------------------------------------------------------

sub credential {
    my ($endpoint) = @_;

    return (key => $owner) if $endpoint->{face} eq 'v3';
    return () if $endpoint->{least} eq 'anyone';
    # some of them end the session, or its user's others
    delete $token{owner} if rand() < 0.02 || $endpoint->{path} =~ m{^/api/auth};
    return (key => $token{owner} //= $all->token('owner'));
}

# Is it an answer that anybody may see? The reason why not.
sub unseemly {
    my ($endpoint, $r) = @_;

    my $status = $r->status;
    return 'no answer' if !$status;
    return if $status < 300;
    return "$status" if $status >= 500 && $status != 501 || $status < 400;
    my $json = $r->json or return 'no JSON';
    my $error = $json->{error} or return 'no error';
    my $code = $endpoint->{face} eq 'v3' ? qr/^10(?:0[1-9]|1[0-5])$/
                                         : qr/^[a-z_]+$/;
    return 'no code' if ($error->{code} // '') !~ $code;
    return 'no message' if !length($error->{message} // '');
    return 'no trace' if ($json->{traceId} // '') ne $r->header('x-trace-id');
    my %known = map { $_ => 1 } qw(code message field details);
    return 'more than an error' if keys %$json != 2
        || grep { !$known{$_} } keys %$error;
    return;
}

my %statuses;

# Sends it; the answer. It may take long when the machine has other things to
# do, but not again and again.
sub ask {
    my ($endpoint, $name, @request) = @_;

    my @credential = credential($endpoint);
    my ($r, $seconds);
    for (1 .. 30) {
        my $from = time;
        $r = $t->http(@request, @credential);
        $seconds = time - $from;
        last if $seconds < 1;
    }
    $statuses{ $r->status }++;
    my $why = $seconds >= 1 ? 'takes more than a second'
                            : unseemly($endpoint, $r);
    if (defined $why) {
        my ($method, $path, %o) = @request;
        fail("$endpoint->{name}: $name: $why");
        diag $r->as_text, "\n$method $path\n",
            substr defined $o{json} ? to_json($o{json}) : $o{body} // '', 0, 500;
    }
    return $r;
}

my $failures = 0;
for my $endpoint (@endpoints) {
    # what it is asked does not depend on what others there are
    srand $SEED + unpack '%32N*', sha1($endpoint->{name});
    my ($method, $path, %more) = $all->request($endpoint);
    my $good = delete $more{json};
    my $refused = 0;
    next if $endpoint->{path} eq '/api/auth/password';   # ends all sessions

    my @good = ($good, @{ $others{ $endpoint->{name} } // [] });

    # Bodies.
    for my $n (1 .. (defined $good ? $BODIES : 0)) {
        my @of = ($all->spare_request($endpoint))[0, 1];
        my $this = @good > 1 ? pick(@good) : $good;
        my $strict = rand() < 0.3;
        my %headers = (%{ $more{headers} || {} },
                       $strict ? (Prefer => 'handling=strict') : ());
        if (rand() < 0.25) {
            ask($endpoint, "body $n", @of, %more, body => broken(to_json($this)),
                headers => { 'Content-Type' => 'application/json', %headers });
            next;
        }
        my $json = changed($this);
        my $r = ask($endpoint, "body $n", @of, %more, json => $json,
                    headers => \%headers);
        $refused++ if $r->status == 400;

        # whose fault it is, is told: a name that the body has, or should have
        if ($r->status == 400 && ref $json eq 'HASH') {
            my $error = ($r->json // {})->{error} // {};
            my $field = $error->{field} // $error->{details}{field} // '';
            if (!length $field
                && ($error->{message} // '') !~ /^(?:Body|Unknown field)/)
            {
                fail("$endpoint->{name}: body $n: no field");
                diag $r->as_text, "\n", substr to_json($json), 0, 500;
            }
        }
    }
    cmp_ok($refused, '>', $BODIES / 20, "$endpoint->{name}: bodies are refused")
        if defined $good;

    # Paths: one parameter is something else.
    my @parameters = $endpoint->{path} =~ /\{(\w+)\}/g;
    for my $n (1 .. (@parameters ? $BODIES / 10 : 0)) {
        my $value = pick(@scalars) // '';
        utf8::encode($value);
        $value = substr $value =~ s/\0//gr, 0, 2000;    # nginx's own 400
        $value =~ s/([^A-Za-z0-9_~@-])/sprintf '%%%02X', ord $1/ge
            if rand() < 0.9;
        $value =~ s/[\s\0-\x20\x7f#?]/_/g;
        my $broken = $all->path($endpoint, pick(@parameters), $value);
        ask($endpoint, "path $n", $method, $broken, %more,
            defined $good ? (json => $good) : ());
    }

    # Queries and headers.
    for my $n (1 .. $BODIES / 10) {
        my @query = map {
            my ($name, $value) = (pick(qw(limit cursor status x), any_name()),
                                  pick(@scalars) // '');
            utf8::encode($_) for $name, $value;
            s/([^A-Za-z0-9_~-])/sprintf '%%%02X', ord $1/ge for $name, $value;
            $name . pick('=', '', '==') . substr $value, 0, 1000
        } 1 .. (pick(1, 1, 2, 5))[0];
        my $prefer = pick('handling=strict', 'count=exact', 'wait=0', ',,=', '"',
                          'handling=strict; x="', 'count=exact, count=none',
                          'x' x 3000);
        my $key = pick('', '""', 'x' x 256, '"a', "a\tb", 'k' . rand);
        ask($endpoint, "query $n", $method,
            $all->path($endpoint) . '?' . join('&', @query), %more,
            headers => { Prefer => $prefer, Accept => pick('*/*', 'x', ''),
                         $method eq 'POST' ? ('Idempotency-Key' => $key) : () },
            defined $good ? (json => $good) : ());
    }
    pass("$endpoint->{name} has been asked");
}

is($t->http(GET => '/v3/keys/current', key => $owner)->status, 200,
   'all is well in the end');
ok($statuses{$_}, "there was $_ among the answers") for 200, 400, 404;

done_testing;

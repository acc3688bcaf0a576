# The WhatsApp Business profile: GET, POST, which replaces, PATCH, which
# merges.

use EZW;

my $t = EZW->start(workers => 1);
my $company = $t->company(name => 'My Company');
my $channel = $t->channel(company => $company, name => 'WhatsApp',
                          jid => '31612345678@whatsapp.eazy.im');
my $key = $t->key(company => $company, scope => 'CHANNEL',
                  channels => [$channel]);
my $path = "/v3/channels/$channel/profile";

sub get { return $t->http(GET => $path, key => $key) }

sub put {
    my ($json, %o) = @_;
    return $t->http(POST => $path, key => $key, json => $json, %o);
}

sub change {
    my ($json, %o) = @_;
    return $t->http(PATCH => $path, key => $key, json => $json, %o);
}

# Before anything was said of it.
my %empty = (about => undef, businessProfile => {
    address => undef, description => undef, email => undef, vertical => undef,
    websites => [] });
my %known = (name => 'My Company', phoneNumber => 31612345678,
             pictureUrl => undef);
is_answer(get(), 200, { %empty, %known }, 'an empty profile');
is_answer(change({}), 200, \%empty, 'nothing said of it');

# The document's own POST, PATCH and GET.
my %business = (
    address => 'High Street 15, New York', description => 'Your Company',
    email => 'info@your-company.com', vertical => undef,
    websites => ['https://your-company.com']);
my %profile = (about => 'Welcome! We are here to help you 24/7',
               businessProfile => \%business);
is_answer(put(\%profile), 200, \%profile, "the document's POST");
is_answer(get(), 200, { %profile, %known }, 'it is so');
$business{email} = 'support@your-company.com';
is_answer(change({ businessProfile => { email => 'support@your-company.com' } }),
          200, \%profile, "the document's PATCH");
my $r = get();
is_answer($r, 200, { %profile, %known }, 'it is so');
is($r->body, to_json($r->json), 'compact, and names in their order');

my $picture = 'https://pps.whatsapp.net/v/t61.24694-24/s96x96/71527172_n.jpg'
    . '?oe=5E2168E9&oh=174efd2076218dff633a1e748beac190';
is_answer(change({ pictureUrl => $picture }), 200, \%profile, 'a picture');
$known{pictureUrl} = $picture;
is_answer(get(), 200, { %profile, %known }, "the document's GET");

# PATCH goes deep: each name by itself, null takes away.
for my $case (
    ['about', { about => 'Hi' }], ['nothing', {}],
    ['a business of nothing', { businessProfile => {} }],
    ['an address', { businessProfile => { address => 'x' x 256 } }],
    ['a description', { businessProfile => { description => "\x{1F60E}" x 512 } }],
    ['a vertical', { businessProfile => { vertical => 'PROF_SERVICES' } }],
    ['two websites', { businessProfile => {
        websites => ['https://a.example', 'http://b.example/' . 'x' x 239] } }],
    ['no websites', { businessProfile => { websites => [] } }],
    ['no e-mail', { businessProfile => { email => undef } }],
    ['an e-mail as it is written',
     { businessProfile => { email => 'Info@Your-Company.com' } }],
    ['an empty address', { businessProfile => { address => '' } }],
    ['no about', { about => undef, businessProfile => { vertical => 'AUTO' } }],
    ['139 characters', { about => "\x{20ac}" x 139 }],
    ['any text', { about => qq('; drop table ezw.profile; --\\"\n\t\$1) }],
) {
    my ($name, $json) = @$case;
    $profile{about} = $json->{about} if exists $json->{about};
    %business = (%business, %{ $json->{businessProfile} // {} });
    is_answer(change($json), 200, \%profile, "PATCH: $name");
    is_answer(get(), 200, { %profile, %known }, "PATCH: $name, and it is so");
}
is_answer(change({ businessProfile => { websites => undef } }), 200,
          { %profile, businessProfile => { %business, websites => [] } },
          'PATCH: null websites are none');
is_answer(change({ businessProfile => undef }), 200,
          { %empty, about => $profile{about} }, 'PATCH: null takes all of it');

# POST leaves nothing but the picture.
is_answer(put({ about => 'Alone' }), 200, { %empty, about => 'Alone' },
          'POST: about alone');
is_answer(put({ businessProfile => { email => 'a@b.example' } }), 200,
          { %empty, businessProfile => { %{ $empty{businessProfile} },
                                         email => 'a@b.example' } },
          'POST: an e-mail alone');
is_answer(put({}), 200, \%empty, 'POST: nothing');
is_answer(get(), 200, { %empty, %known }, 'it is so');
is_answer(put({ pictureUrl => undef }), 200, \%empty, 'POST: no picture');
is_answer(get(), 200, { %empty, %known, pictureUrl => undef }, 'it is so');

# What was read may be written.
put(\%profile);
is_answer(put(get()->json, headers => { Prefer => 'handling=strict' }), 200,
          \%profile, 'GET, POST');
is_answer(change({ %{ get()->json }, name => 'Other', phoneNumber => 7 },
                 headers => { Prefer => 'handling=strict' }), 200, \%profile,
          'GET, PATCH');

# Refused, and nothing is changed.
for my $case (
    [about => '', 'about is too short: at least 1 character'],
    [about => 'x' x 140, 'about is too long: at most 139 characters'],
    [about => 7, 'about must be a string'],
    [businessProfile => 'x', 'businessProfile must be an object'],
    [businessProfile => [], 'businessProfile must be an object'],
    [pictureUrl => 7, 'pictureUrl must be a string'],
    ['businessProfile.address' => 'x' x 257,
     'businessProfile.address is too long: at most 256 characters'],
    ['businessProfile.address' => 7, 'businessProfile.address must be a string'],
    ['businessProfile.description' => 'x' x 513,
     'businessProfile.description is too long: at most 512 characters'],
    ['businessProfile.email' => 'nobody',
     'businessProfile.email must be an e-mail address'],
    ['businessProfile.email' => 'a@' . 'x' x 124 . '.nl',
     'businessProfile.email is too long: at most 128 characters'],
    ['businessProfile.vertical' => 'Retail',
     qr/^businessProfile\.vertical must be one of UNDEFINED, OTHER, AUTO, /],
    ['businessProfile.websites' => 'https://a.example',
     'businessProfile.websites must be an array of strings'],
    ['businessProfile.websites' => ['a', 7],
     'businessProfile.websites must be an array of strings'],
    ['businessProfile.websites' => ['a', 'b', 'c'],
     'businessProfile.websites has too many elements: at most 2'],
    ['businessProfile.websites[1]' => 'x' x 257,
     'businessProfile.websites[1] is too long: at most 256 characters'],
    ['businessProfile.websites[1]' => '',
     'businessProfile.websites[1] is too short: at least 1 character'],
) {
    my ($field, $value, $message) = @$case;
    my ($outer, $inner, $element) = $field =~ /^(\w+)(?:\.(\w+))?(\[1\])?$/;
    $value = ['https://a.example', $value] if $element;
    my $json = { about => 'No', $outer => defined $inner
                 ? { description => 'No', $inner => $value } : $value };
    for my $send ([PATCH => \&change], [POST => \&put]) {
        is_refused($send->[1]->($json), 400, 1005,
                   { message => $message, field => $field },
                   "$send->[0], refused: "
                       . substr to_json({ $field => $value }), 0, 50);
    }
}
for my $case (
    [colour => { about => 'No', colour => 8 }],
    ['businessProfile.colour' => { businessProfile => { colour => 8 } }],
) {
    my ($field, $json) = @$case;
    is_refused(change($json, headers => { Prefer => 'handling=strict' }), 400,
               1005, { message => "Unknown field: $field", field => $field },
               "strict: $field");
}
is_answer(get(), 200, { %profile, %known, pictureUrl => undef },
          'nothing has changed');

# Once by a key of its own: the same answer, and no second time.
my @once = (headers => { 'Idempotency-Key' => 'a profile' });
is_answer(put({ about => 'Once' }, @once), 200, { %empty, about => 'Once' },
          'once');
change({ about => 'Since' });
is_answer(put({ about => 'Once' }, @once), 200, { %empty, about => 'Once' },
          'the same answer');
is(get()->json->{about}, 'Since', 'and nothing is done');

# Other channels have none.
my $sms = $t->channel(company => $company, jid => '31633333333@sms.eazy.im');
my $all = $t->key(company => $company, scope => 'COMPANY');
for my $request ([GET => $sms], [POST => $sms, json => {}],
                 [PATCH => $sms, json => { about => 'x' }],
                 [GET => '31699999999@whatsapp.eazy.im'])
{
    my ($method, $jid, @body) = @$request;
    is_refused($t->http($method => "/v3/channels/$jid/profile", key => $all,
                        @body), 404, 1009, { message => 'Not found' },
               "no profile: $method $jid");
}

done_testing;

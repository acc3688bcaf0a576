# Every type of message: sent as the document and real programs send it, stored
# in one form, read back so.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;
                            ezw_webhook_allow files.local 10.1.0.0/16;');
my $company = $t->company;
my $channel = $t->channel(company => $company, catalog_id => '1234567890',
                          jid => '31612345678@whatsapp.eazy.im');
my $sms = $t->channel(company => $company, jid => '31612345678@sms.eazy.im');
my $key = $t->key(company => $company, scope => 'COMPANY');
my %sent = (id => qr/^[0-9a-f]{40}$/);
my %jid = ($channel => '31611111111@whatsapp.eazy.im',
           $sms => '31611111111@sms.eazy.im');
my $url = 'https://cdn.example.com/media/1.bin?sig=a%2Fb';

# The templates that are sent.
my %takes = (
    hello => [en => { type => 'BODY', text => 'Hello' }],
    support_after_24hours => [
        nl => { type => 'BODY', text => 'Hallo {{1}}, tot zo' }],
    order_update => [
        en => { type => 'HEADER', format => 'DOCUMENT' },
        { type => 'BODY', text => 'Hello {{1}}, {{2}} please' },
        { type => 'BUTTONS', buttons => [
            { type => 'QUICK_REPLY', text => 'Stop' },
            { type => 'URL', text => 'Track',
              url => 'https://example.com/{{1}}' }] }],
);
for my $name (sort keys %takes) {
    my ($language, @components) = @{ $takes{$name} };
    my $r = $t->http(POST => "/v3/channels/$channel/templates", key => $key,
                     json => { name => $name, language => $language,
                               category => 'TRANSACTIONAL',
                               components => \@components });
    is($r->status, 201, "the template $name") or diag $r->as_text;
}
$t->sql(q{update ezw.template set status = 'APPROVED'});

sub path { return "/v3/channels/$_[0]/messages/$jid{$_[0]}" }

# POSTs a body: text, or what becomes JSON.
sub post {
    my ($body, %o) = @_;
    my $to = delete $o{channel} // $channel;
    return $t->http(POST => path($to), key => $key, %o,
                    ref $body ? (json => $body)
                    : (body => $body, headers => {
                        'Content-Type' => 'application/json' }));
}

# Sends a body: it is stored as that text, byte by byte, of that type, and read
# back as it.
sub becomes {
    my ($name, $body, $type, $text, %o) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $r = post($body, %o);
    is_answer($r, 201, \%sent, "$name: sent") or return;
    my $id = $r->json->{id};
    my ($row) = $t->sql(q{
        select m.type, convert_to(m.body::text, 'UTF8') = ?, o.kind
          from ezw.message m
          join ezw.outbox o on o.conversation = m.conversation
           and o.seq = m.seq and o.message_at = m.created_at
         where m.id = ?}, { hex => unpack 'H*', $text }, { hex => $id });
    is_deeply($row, [$type, 1, 'message'], "$name: stored, for the connector")
        or diag $t->value('select body::text from ezw.message where id = ?',
                          { hex => $id });
    my $read = $t->http(GET => path($o{channel} // $channel) . "/$id",
                        key => $key);
    is($read->status, 200, "$name: read") or return;
    is_json($read->json->{message}, from_json($text), "$name: read back");
    return $id;
}


# The document's examples ------------------------------------------------------

my $text_id = becomes('text', <<'EXAMPLE', text =>
{
    "message": {
        "body": "Have a nice day!",
        "type": "text"
    }
}
EXAMPLE
    '{"body":"Have a nice day!","type":"text"}');

becomes('button', <<'EXAMPLE', interactive =>
{
    "message": {
        "interactive": {
            "components": {
                "body": {
                    "text": "How can we help you?",
                    "type": "text"
                },
                "buttons": [
                    {
                        "reply": {
                            "payload": "button_id_1",
                            "title": "Option 1"
                        },
                        "type": "reply"
                    },
                    {
                        "reply": {
                            "payload": "button_id_2",
                            "title": "Option 2"
                        },
                        "type": "reply"
                    }
                ]
            },
            "type": "button"
        },
        "type": "interactive"
    }
}
EXAMPLE
    '{"interactive":{"components":{"body":{"text":"How can we help you?",'
    . '"type":"text"},"buttons":[{"reply":{"payload":"button_id_1","title":'
    . '"Option 1"},"type":"reply"},{"reply":{"payload":"button_id_2","title":'
    . '"Option 2"},"type":"reply"}]},"type":"button"},"type":"interactive"}');

becomes('list', <<'EXAMPLE', interactive =>
{
    "message": {
        "interactive": {
            "components": {
                "body": {
                    "text": "How can we help you?",
                    "type": "text"
                },
                "list": {
                    "title": "Make a choice",
                    "sections": [
                        {
                            "rows": [
                                {
                                    "description": "Optional description",
                                    "payload": "button_id_1",
                                    "title": "Option 2"
                                },
                                {
                                    "description": "Optional description",
                                    "payload": "button_id_2",
                                    "title": "Option 2"
                                },
                                {
                                    "description": "Optional description",
                                    "payload": "button_id_3",
                                    "title": "Option 3"
                                }
                            ],
                            "title": "Section 1"
                        }
                    ]
                }
            },
            "type": "list"
        },
        "type": "interactive"
    }
}
EXAMPLE
    '{"interactive":{"components":{"body":{"text":"How can we help you?",'
    . '"type":"text"},"list":{"sections":[{"rows":[{"description":'
    . '"Optional description","payload":"button_id_1","title":"Option 2"},'
    . '{"description":"Optional description","payload":"button_id_2","title":'
    . '"Option 2"},{"description":"Optional description","payload":'
    . '"button_id_3","title":"Option 3"}],"title":"Section 1"}],"title":'
    . '"Make a choice"}},"type":"list"},"type":"interactive"}');

becomes('product', <<'EXAMPLE', interactive =>
{
    "message": {
        "interactive": {
            "components": {
                "body": {
                    "text": "Here is a suggested product for you",
                    "type": "text"
                },
                "product": {
                    "productId": "1105524"
                }
            },
            "type": "product"
        },
        "type": "interactive"
    }
}
EXAMPLE
    '{"interactive":{"components":{"body":{"text":'
    . '"Here is a suggested product for you","type":"text"},"product":'
    . '{"productId":"1105524"}},"type":"product"},"type":"interactive"}');

my $products = <<'EXAMPLE';
{
    "message": {
        "interactive": {
            "components": {
                "header": {
                    "text": "Make a selection",
                    "type": "text"
                },
                "body": {
                    "text": "Here are some suggested products for you",
                    "type": "text"
                },
                "productList": {
                    "sections": [
                        {
                            "items": [
                                {
                                    "productId": "1105521"
                                },
                                {
                                    "productId": "1105522"
                                },
                                {
                                    "productId": "1105523"
                                }
                            ],
                            "title": "Our Collection"
                        }
                    ]
                }
            },
            "type": "productList"
        },
        "type": "interactive"
    }
}
EXAMPLE
becomes('productList', $products, interactive =>
    '{"interactive":{"components":{"body":{"text":'
    . '"Here are some suggested products for you","type":"text"},"header":'
    . '{"text":"Make a selection","type":"text"},"productList":{"sections":'
    . '[{"items":[{"productId":"1105521"},{"productId":"1105522"},{"productId":'
    . '"1105523"}],"title":"Our Collection"}]}},"type":"productList"},"type":'
    . '"interactive"}');


# The document's tables: each type with all of its elements ----------------------

my %media = (media => { url => $url });
my $is_media = qq("media":{"url":"$url"});
my $is_context = qq("contextInfo":{"quotedMessage":{"id":"$text_id"}},);
for my $case (
    [audio => { mimeType => 'audio/mpeg' }, '',
     qq($is_media,"mimeType":"audio/mpeg","type":"audio")],
    [document => { fileName => "Rechnung \x{20ac}.pdf", title => 'Invoice',
                   mimeType => 'application/pdf' }, '',
     qq("fileName":"Rechnung \xe2\x82\xac.pdf",$is_media,)
     . '"mimeType":"application/pdf","title":"Invoice","type":"document"'],
    [gif => { caption => 'Ha', mimeType => 'video/mp4' }, '"caption":"Ha",',
     qq($is_media,"mimeType":"video/mp4","type":"gif")],
    [image => { caption => "Look \x{1f600}", mimeType => 'image/jpeg' },
     qq("caption":"Look \xf0\x9f\x98\x80",),
     qq($is_media,"mimeType":"image/jpeg","type":"image")],
    [ptt => { mimeType => 'audio/ogg; codecs=opus' }, '',
     qq($is_media,"mimeType":"audio/ogg; codecs=opus","type":"ptt")],
    [sticker => { mimeType => 'image/webp' }, '',
     qq($is_media,"mimeType":"image/webp","type":"sticker")],
    [video => { caption => '', mimeType => 'video/mp4' }, '"caption":"",',
     qq($is_media,"mimeType":"video/mp4","type":"video")],
) {
    my ($type, $members, $caption, $rest) = @$case;
    my %message = (type => $type, %$members);
    my $text = "{$caption$rest}";
    becomes($type, { message => \%message, %media }, $type, $text);
    becomes("$type, bare", { %message, %media }, $type, $text);
    becomes("$type by message.url", { message => { %message, url => $url } },
            $type, $text);
    becomes("$type by message.media", { message => { %message, %media } },
            $type, $text);
    becomes("$type, strict", { message => \%message, %media }, $type, $text,
            headers => { Prefer => 'handling=strict' });
    becomes("$type, a reply", { message => { %message, contextInfo => {
        quotedMessage => { id => uc $text_id } } }, %media }, $type,
            "{$caption$is_context$rest}");
}

becomes('location', { message => {
    type => 'location', latitude => 52.370216, longitude => 4.895168,
    name => 'Dam', url => 'https://example.com/#dam' } }, location =>
    '{"latitude":52.370216,"longitude":4.895168,"name":"Dam","type":"location",'
    . '"url":"https://example.com/#dam"}');

becomes('contact', { message => { type => 'contact', contacts => [
    { name => { formattedName => 'John Smith', firstName => 'John',
                lastName => 'Smith' },
      phones => [{ phone => '+31611111111', type => 'CELL',
                   waId => '31611111111' }],
      emails => [{ email => 'john@example.com', type => 'WORK' }],
      org => { company => 'Acme' }, birthday => '1980-02-29',
      urls => [{ url => 'https://example.com', type => 'WORK' }],
      addresses => [{ city => 'Amsterdam', countryCode => 'nl' }] },
    { name => { formatted_name => 'Jane' }, phones => [{ phone => '112' }] },
] } }, contact =>
    '{"contacts":[{"addresses":[{"city":"Amsterdam","countryCode":"nl"}],'
    . '"birthday":"1980-02-29","emails":[{"email":"john@example.com","type":'
    . '"WORK"}],"name":{"firstName":"John","formattedName":"John Smith",'
    . '"lastName":"Smith"},"org":{"company":"Acme"},"phones":[{"phone":'
    . '"+31611111111","type":"CELL","waId":"31611111111"}],"urls":[{"type":'
    . '"WORK","url":"https://example.com"}]},{"name":{"formattedName":"Jane"},'
    . '"phones":[{"phone":"112"}]}],"type":"contact"}');

my $template = {
    name => 'order_update', language => { code => 'en' }, components => [
        { type => 'header', parameters => [
            { type => 'document', document => { url => $url,
                                                fileName => 'order.pdf' } }] },
        { type => 'body', parameters => [
            { type => 'text', text => 'John' },
            { type => 'currency', currency => {
                fallbackValue => '$100.99', code => 'USD',
                amount1000 => 100990 } }] },
        { type => 'button', subType => 'quick_reply', index => 0,
          parameters => [{ type => 'payload', payload => 'stop' }] },
        { type => 'button', subType => 'url', index => 1,
          parameters => [{ type => 'text', text => '42' }] },
    ],
};
my $is_template = '{"template":{"components":[{"parameters":[{"document":'
    . qq({"fileName":"order.pdf","url":"$url"},"type":"document"}],"type":)
    . '"header"},{"parameters":[{"text":"John","type":"text"},{"currency":'
    . '{"amount1000":100990,"code":"USD","fallbackValue":"$100.99"},"type":'
    . '"currency"}],"type":"body"},{"index":0,"parameters":[{"payload":"stop",'
    . '"type":"payload"}],"subType":"quick_reply","type":"button"},{"index":1,'
    . '"parameters":[{"text":"42","type":"text"}],"subType":"url","type":'
    . '"button"}],"language":{"code":"en"},"name":"order_update"},"type":'
    . '"template"}';
becomes('template', { message => { type => 'template',
                                   template => $template } },
        template => $is_template);


# What real programs send --------------------------------------------------------

becomes('an array with a template', { message => {
    type => 'template', template => [$template] } }, template => $is_template);
becomes("Meta's names", { type => 'template', template => {
    namespace => 'e08e69cb_d136_86fc_c33f_0f64becd1f46',
    name => 'order_update', language => { code => 'en',
                                          policy => 'deterministic' },
    components => [
        { type => 'HEADER', parameters => [
            { type => 'document', document => { link => $url,
                                                filename => 'order.pdf' } }] },
        { type => 'BODY', parameters => [
            { type => 'text', text => 'John' },
            { type => 'currency', currency => {
                fallback_value => '$100.99', code => 'USD',
                amount_1000 => 100990 } }] },
        { type => 'BUTTON', sub_type => 'QUICK_REPLY', index => '0',
          parameters => [{ type => 'payload', payload => 'stop' }] },
        { type => 'button', sub_type => 'url', index => '1',
          parameters => [{ type => 'text', text => '42' }] },
    ] } }, template => $is_template);
becomes('a language that is a string', { message => { type => 'template',
    template => { name => 'support_after_24hours', language => 'nl',
                  components => [{ type => 'body', parameters => [
                      { type => 'text', text => 'Jan' }] }] } } }, template =>
    '{"template":{"components":[{"parameters":[{"text":"Jan","type":"text"}],'
    . '"type":"body"}],"language":{"code":"nl"},"name":'
    . '"support_after_24hours"},"type":"template"}');
becomes('a template without parameters', { message => { type => 'template',
    template => { name => 'hello', language => 'en' } } }, template =>
    '{"template":{"language":{"code":"en"},"name":"hello"},"type":"template"}');
becomes('text for body', { text => 'Hi', type => 'text' }, text =>
    '{"body":"Hi","type":"text"}');
becomes('an image and nothing else', { message => { url => $url,
                                                    type => 'image' } }, image =>
    qq({$is_media,"type":"image"}));
becomes('a document without a title', { message => {
    type => 'document', fileName => 'a.pdf', url => $url } }, document =>
    qq({"fileName":"a.pdf",$is_media,"title":"a.pdf","type":"document"}));
becomes('extras', { to => 'x', message => { type => 'image', id => 5,
    url => $url, preview => true }, media => { url => $url, size => 5 } },
    image => qq({$is_media,"type":"image"}));
becomes('buttons in few words', { type => 'interactive', interactive => {
    type => 'button', components => { body => 'Well?', buttons => [
        { reply => { id => 'y', title => 'Yes' } }] } } }, interactive =>
    '{"interactive":{"components":{"body":{"text":"Well?","type":"text"},'
    . '"buttons":[{"reply":{"payload":"y","title":"Yes"},"type":"reply"}]},'
    . '"type":"button"},"type":"interactive"}');
becomes('what the operator allows', { type => 'image',
    url => 'http://files.local/a' }, image =>
    '{"media":{"url":"http://files.local/a"},"type":"image"}');
becomes('an address that the operator allows', { type => 'image',
    url => 'http://10.1.2.3/a' }, image =>
    '{"media":{"url":"http://10.1.2.3/a"},"type":"image"}');

# What is read back can be sent.
my $id = becomes('again', { message => from_json($is_template) },
                 template => $is_template);
my $read = $t->http(GET => path($channel) . "/$id", key => $key);
becomes('what was read', { message => $read->json->{message} },
        template => $is_template);

# What WhatsApp does not take others may.
becomes('an image/gif by another channel', {
    message => { type => 'gif', mimeType => 'image/gif' }, %media }, gif =>
    qq({$is_media,"mimeType":"image/gif","type":"gif"}), channel => $sms);


# What is refused ----------------------------------------------------------------

my $count = $t->value('select count(*) from ezw.message');
my $parts = 'message.interactive.components';
my $yes = { reply => { payload => 'y', title => 'Yes' } };
for my $case (
    # media: 1008
    (map { [{ message => { type => $_, fileName => 'a' } }, 1008, 'media',
            'media.url or message.url is required'] }
     qw(audio document gif image ptt sticker video)),
    [{ type => 'image' }, 1008, 'media', 'media.url or url is required'],
    [{ message => { type => 'image' }, media => { id => 'a' x 40 } }, 1008,
     'media.id', 'media.id is not served yet'],
    [{ message => { type => 'image' }, media => { data => 'AAAA' } }, 1008,
     'media.data', 'media.data is not served yet'],
    [{ message => { type => 'image' }, media => {} }, 1008, 'media.url',
     'media.url is required'],
    [{ message => { type => 'image' }, media => 'x' }, 1008, 'media',
     'media must be an object'],
    [{ message => { type => 'image', url => 'https://me@example.com/' } },
     1008, 'message.url', 'message.url is not allowed: it names a user'],
    [{ message => { type => 'image', url => 'https://169.254.169.254/' } },
     1008, 'message.url', qr/^message\.url is not allowed: its host is /],
    [{ message => { type => 'image', url => 'http://10.2.0.1/' } }, 1008,
     'message.url', qr/^message\.url is not allowed: /],
    [{ message => { type => 'gif', mimeType => 'image/gif' }, %media }, 1008,
     'message.mimeType', 'message.mimeType must be video/mp4'],
    [{ message => { type => 'sticker', mimeType => 'sticker' }, %media }, 1008,
     'message.mimeType', 'message.mimeType is no media type'],
    [{ message => { type => 'interactive', interactive => {
        type => 'button', components => { body => 'x', buttons => [$yes],
            header => { type => 'image', image => { id => '5' } } } } } },
     1008, "$parts.header.image.id",
     "$parts.header.image.id is not served yet"],

    # all other: 1005
    [{ message => { type => 'document', url => $url } }, 1005,
     'message.fileName', 'message.fileName is required'],
    [{ message => { type => 'document', url => $url,
                    fileName => '../../etc/passwd' } }, 1005,
     'message.fileName', 'message.fileName must not have a path'],
    [{ message => { type => 'image', url => $url, caption => 'x' x 1025 } },
     1005, 'message.caption',
     'message.caption is too long: at most 1024 characters'],
    [{ message => { type => 'location', latitude => 91, longitude => 0 } },
     1005, 'message.latitude', 'message.latitude must be between -90 and 90'],
    [{ message => { type => 'location', latitude => '1', longitude => 0 } },
     1005, 'message.latitude', 'message.latitude must be a number'],
    [{ message => { type => 'contact', contacts => [] } }, 1005,
     'message.contacts', 'message.contacts has too few elements: at least 1'],
    [{ message => { type => 'template', template => {
        name => 'Hello', language => 'en' } } }, 1005,
     'message.template.name',
     'message.template.name must be of a-z, 0-9 and _'],
    [{ message => { type => 'template', template => [] } }, 1005,
     'message.template', 'message.template must have one element'],
    [{ message => { type => 'interactive', interactive => {
        type => 'button', components => { body => 'x', buttons => [
            $yes, { reply => { payload => 'n', title => 'x' x 21 } }] } } } },
     1005, "$parts.buttons[1].reply.title",
     "$parts.buttons[1].reply.title is too long: at most 20 characters"],
    [{ message => { type => 'interactive', interactive => {
        type => 'button', components => { body => 'x', buttons => [
            $yes, { reply => { payload => 'n', title => 'Yes' } }] } } } },
     1005, "$parts.buttons[1].reply.title",
     "$parts.buttons[1].reply.title is given twice"],
    [{ type => 'interactive', interactive => { type => 'list', components => {
        body => 'x', list => { title => 'x', sections => [{ rows => [
            map { { title => 'x', payload => "$_" } } 1 .. 11 ] }] } } } },
     1005, 'interactive.components.list.sections[0].rows',
     'interactive.components.list.sections[0].rows has too many elements: '
     . 'at most 10'],
) {
    my ($body, $code, $field, $message) = @$case;
    is_refused(post($body), 400, $code,
               { message => $message, field => $field },
               'refused: ' . substr to_json($body), 0, 70);
}

# Typos that are to be caught, however deep.
for my $case (
    [{ message => { type => 'image', url => $url, captoin => 'x' } },
     'message.captoin'],
    [{ message => { type => 'image' }, media => { url => $url, typo => 1 } },
     'media.typo'],
    [{ message => { type => 'text', body => 'x' }, %media }, 'media'],
    [{ type => 'contact', contacts => [{ name => 'A', phone => 1 }] },
     'contacts[0].phone'],
) {
    my ($body, $field) = @$case;
    is_refused(post($body, headers => { Prefer => 'handling=strict' }), 400,
               1005, { message => "Unknown field: $field", field => $field },
               "strict: $field");
}
is($t->value('select count(*) from ezw.message'), $count, 'nothing was sent');

done_testing;

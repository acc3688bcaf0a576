package EZW::Endpoints;

# The endpoints that there are to be, t/data/endpoints.tsv, and a good request
# for each that is served.
#
#     my $all = EZW::Endpoints->new($t);        # the rows that they ask for
#     for my $endpoint ($all->table) {
#         my $r = $t->http($all->request($endpoint), key => $key);
#     }
#
# An endpoint has {name} ("GET /v3/keys"), {face} (v3, workspace), {method},
# {path}, {least} (a scope in upper case, a role, or anyone), {success} (its
# status), {issue} (which is to serve it) and {built} (whether it has a good
# request here, as every one must that is served).
#
# The rows: {company}, its {channel} and {contact}, who has a conversation with
# {message}, {key}, the id of one of its keys, {webhook}, that of one of the
# channel's webhooks, {note}, that of one of the contact's notes, and
# {user}{ROLE}, of {password}.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);

use EZW::Token ();

# All endpoints of the issues up to this one are served; of the next one those
# that have a good request here.
our $BUILT = 4;

# The last may do what all before may.
our @SCOPES = qw(CHANNEL ASSISTANT COMPANY OWNER);
our @ROLES = qw(operator admin owner);

my $contacts = '/v3/channels/{channelJid}/contacts';
my $webhooks = '/v3/channels/{channelJid}/webhooks';
my $blacklist = "$contacts/blacklist";
my $notes = "$contacts/{contactJid}/notes";
my $lists = '/v3/channels/{channelJid}/lists';
my $member = "$lists/{listJid}/participants/{contactJid}";
my $company = '/v3/companies/{companyId}';
my $conversation = '/v3/channels/{channelJid}/conversations/{contactJid}';
my $messages = '/v3/channels/{channelJid}/messages/{contactJid}';

# What else a good request has; nothing is what most GETs have. A contact that
# is new, and a key, session or contact that may end, are made each time.
my %request = (
    'GET /v3/keys' => {},
    'GET /v3/keys/current' => {},
    'POST /v3/keys' => { json => { scope => 'COMPANY' } },
    'PATCH /v3/keys/{id}' => { json => { description => 'Changed' } },
    'DELETE /v3/keys/{id}' => {},
    'GET /v3/channels' => {},
    'POST /v3/channels' => sub {
        return { json => { jid => EZW::Seed::channel_jid(), name => 'New' } };
    },
    'DELETE /v3/channels/{channelJid}' => {},
    'POST /v3/companies' => { json => { name => 'New' } },
    'PATCH /v3/companies/{companyId}' => { json => { name => 'Changed' } },
    'PATCH /v3/channels/{channelJid}' => { json => { name => 'Changed' } },
    'GET /v3/channels/{channelJid}/automated-messages' => {},
    'GET /v3/channels/{channelJid}/automated-messages/{type}' => {},
    'PATCH /v3/channels/{channelJid}/automated-messages/{type}' =>
        { json => { body => 'Changed' } },
    'GET /v3/channels/{channelJid}/profile' => {},
    'POST /v3/channels/{channelJid}/profile' =>
        { json => { about => 'Changed' } },
    'PATCH /v3/channels/{channelJid}/profile' =>
        { json => { about => 'Changed' } },
    'POST /v3/channels/{channelJid}/templates' => sub {
        return { json => { name => lc $_[0]{t}->random_text(20),
                           language => 'en', category => 'UTILITY',
                           components => [{ type => 'BODY',
                                            text => 'Hello' }] } };
    },
    'GET /v3/channels/{channelJid}/templates' => {},
    'DELETE /v3/channels/{channelJid}/templates/{name}' => {},
    'GET /v3/companies' => {},
    'GET /v3/companies/current' => {},
    'GET /v3/companies/{companyId}' => {},
    "POST $contacts" =>
        sub { return { json => { jid => EZW::Seed::contact_jid() } } },
    "GET $contacts/{contactJid}" => {},
    "PATCH $contacts/{contactJid}" => { json => { name => 'Changed' } },
    "DELETE $contacts/{contactJid}" => {},
    "GET $contacts" => {},
    "POST $blacklist/{contactJid}" => {},
    "GET $blacklist" => {},
    "DELETE $blacklist/{contactJid}" => {},
    "POST $notes" => { json => { body => 'Customer number #63553' } },
    "GET $notes" => {},
    "PATCH $notes/{id}" => { json => { body => 'Changed' } },
    "DELETE $notes/{id}" => {},
    "POST $contacts/{contactJid}/events" => { json => { name => 'paid' } },
    "GET $lists" => {},
    "POST $lists" => { json => { name => 'Marketing campaign' } },
    "GET $lists/{listJid}" => {},
    "POST $member" => {},
    "DELETE $member" => {},
    'GET /v3/channels/{channelJid}/conversations' => {},
    "POST $conversation/comments" =>
        { json => { body => 'Order #51616 has been delivered' } },
    "GET $conversation" => {},
    "PATCH $conversation" => { json => { unreadCount => 0 } },
    "POST $messages" =>
        { json => { message => { type => 'text', body => 'Hello' } } },
    "GET $messages" => {},
    "GET $messages/{id}" => {},
    "POST $webhooks" => { json => { url => 'https://example.com/',
                                    events => ['message'] } },
    "GET $webhooks" => {},
    "PATCH $webhooks/{id}" => { json => { events => ['receipt'] } },
    "DELETE $webhooks/{id}" => {},
    "GET $company/agents" => {},
    "GET $company/agents/{email}" => {},
    "PUT $company/agents/{email}/teams" =>
        sub { return { json => { teams => [$_[0]{directory}{teams}] } } },
    (map {
        ("GET $company/$_" => {},
         "POST $company/$_" =>
             sub { return { json => { name => $_[0]{t}->random_text(20) } } },
         "PATCH $company/$_/{jid}" => { json => { color => 3 } },
         "DELETE $company/$_/{jid}" => {})
    } qw(assistants labels teams)),
    "PUT $company/teams/{jid}/channels" =>
        sub { return { json => { channels => [$_[0]{channel}] } } },

    'POST /api/auth/login' => sub {
        return { json => { email => 'operator@example.com',
                           password => $_[0]{password} } };
    },
    'POST /api/auth/refresh' => sub {
        return { json => { refreshToken => ($_[0]->session('operator'))[1] } };
    },
    'GET /api/auth/session' => {},
    'POST /api/auth/logout' => {},
    'POST /api/auth/password' => sub {
        return { json => { currentPassword => $_[0]{password},
                           newPassword => $_[0]{password} } };
    },
    'POST /api/auth/password/reset' =>
        { json => { email => 'operator@example.com' } },
    'POST /api/signup/organization' => sub {
        return { json => { organizationName => 'New', ownerName => 'Ann',
                           email => $_[0]{t}->random_text(20) . '@example.com',
                           password => $_[0]{password} } };
    },
);

# What a path names that is not what others of its kind are.
my %named = (
    "GET $messages/{id}" => sub { return (id => $_[0]{message}) },
    (map { ("$_ $webhooks/{id}" => sub { return (id => $_[0]{webhook}) }) }
     qw(PATCH DELETE)),
    (map { ("$_ $notes/{id}" => sub { return (id => $_[0]{note}) }) }
     qw(PATCH DELETE)),
    (map { my $kind = $_; map {
        ($_ => sub { return (jid => $_[0]{directory}{$kind}) })
    } "PATCH $company/$kind/{jid}", "DELETE $company/$kind/{jid}",
      "PUT $company/$kind/{jid}/channels" } qw(assistants labels teams)),
);

# What a request that succeeds takes away.
my %spare = (
    "DELETE $contacts/{contactJid}" =>
        sub { return (contactJid => $_[0]->contact) },
    'DELETE /v3/keys/{id}' => sub { return (id => $_[0]->api_key) },
    'DELETE /v3/channels/{channelJid}/templates/{name}' =>
        sub { return (name => $_[0]->template) },
    'DELETE /v3/channels/{channelJid}' => sub {
        return (channelJid => $_[0]{t}->channel(company => $_[0]{company}));
    },
    # who is blocked is sent nothing any more
    "POST $blacklist/{contactJid}" =>
        sub { return (contactJid => EZW::Seed::contact_jid()) },
    "DELETE $notes/{id}" => sub { return (id => $_[0]->note) },
    "DELETE $webhooks/{id}" => sub { return (id => $_[0]->webhook) },
    (map { my $kind = $_;
        ("DELETE $company/$kind/{jid}" =>
             sub { return (jid => $_[0]->directory($kind)) })
    } qw(assistants labels teams)),
    # a channel has ten at most
    "POST $webhooks" => sub {
        $_[0]{t}->sql('delete from ezw.webhook where company = ? and id <> ?',
                      @{ $_[0] }{qw(company webhook)});
        return;
    },
);

sub new {
    my ($class, $t) = @_;

    my $self = bless { t => $t, password => 'correct horse' }, $class;
    $self->{company} = $t->company;
    $self->{channel} = $t->channel(company => $self->{company});
    $self->{sender} = $t->key(company => $self->{company}, scope => 'COMPANY');
    $self->{contact} = $self->contact;
    $self->{key} = $self->api_key;
    $self->{note} = $self->note;
    $self->{webhook} = $self->webhook;
    $t->insert('list', company => $self->{company}, full_name => 'List',
               jid => '1571833730@list.eazy.im',
               channel => $self->channel_id);
    $self->{directory}{$_} = $self->directory($_)
        for qw(assistants labels teams);
    $self->{user}{$_} = $t->user(
        company => $self->{company}, role => $_, email => "$_\@example.com",
        password => $self->{password}) for @ROLES;
    return $self;
}

# A contact with a conversation; its JID.
sub contact {
    my ($self) = @_;

    my $jid = EZW::Seed::contact_jid();
    my $r = $self->{t}->http(
        POST => "/v3/channels/$self->{channel}/messages/$jid",
        key => $self->{sender}, json => { type => 'text', body => 'Hello' });
    $r->status == 201 or die 'no message: ' . $r->as_text . "\n";
    $self->{message} //= $r->json->{id};
    return $jid;
}

# A key of the company; its id.
sub api_key {
    my ($self) = @_;

    return $self->{t}->key_id($self->{t}->key(company => $self->{company},
                                              scope => 'COMPANY'));
}

sub channel_id {
    my ($self) = @_;

    return $self->{t}->value('select id from ezw.channel where jid = ?',
                             $self->{channel});
}

# A note of the contact; its id.
sub note {
    my ($self) = @_;

    my ($t, $id) = ($self->{t}, $self->{t}->uuid);
    $t->insert('contact_note', company => $self->{company}, id => $id,
               contact => $t->value('select id from ezw.contact where jid = ?',
                                    $self->{contact}),
               body => 'Important customer', created_by => 'john@example.com');
    return $id;
}

# A webhook of the channel; its id.
sub webhook {
    my ($self) = @_;

    my ($t, $id) = ($self->{t}, $self->{t}->uuid);
    $t->insert('webhook', company => $self->{company}, id => $id,
               channel => $self->channel_id,
               url => 'https://example.com/', events => '{message}',
               secret => { hex => '00' });
    return $id;
}

# An assistant, a label or a team of the company; its JID.
sub directory {
    my ($self, $kind) = @_;

    my $table = $kind =~ s/s$//r;
    my $jid = 1500000000000 + ++$self->{directories} . '@'
        . ($table eq 'assistant' ? 'ai' : $table) . '.eazy.im';
    $self->{t}->insert($table, company => $self->{company}, jid => $jid,
                       name => "Spare $jid");
    return $jid;
}

# A template of the channel; its name.
sub template {
    my ($self) = @_;

    my $name = lc $self->{t}->random_text(20);
    $self->{t}->template(company => $self->{company},
                         channel => $self->{channel}, name => $name);
    return $name;
}

# A session of the user of a role: its id and its refresh token.
sub session {
    my ($self, $role, %o) = @_;

    my $t = $self->{t};
    my ($id, $text) = ($t->uuid, $t->random_text(40));
    $t->insert('session', company => $self->{company}, id => $id,
               family => $id, user_id => $self->{user}{$role},
               expires_at => '2100-01-01',
               refresh_hash => { hex => sha256_hex($text) }, %o);
    return ($id, $text);
}

# An ID token of the user of a role, for a session of its own. Options: key =>
# an EZW::Token that signs it instead; session => columns of it, or claims.
sub token {
    my ($self, $role, %o) = @_;

    my $key = delete $o{key} // EZW::Token->key(EZW::signing_key());
    my ($id) = $self->session($role, %{ delete $o{session} // {} });
    my $now = time;
    return $key->sign({
        iss => 'ezw', aud => 'ezw-workspace', sub => $self->{user}{$role},
        org => $self->{company}, role => $role, mv => 1, sid => $id,
        iat => $now - 60, exp => $now + 3600, %o });
}

# All of the table, in its order.
sub table {
    my ($head, @lines) = split /\n/,
        EZW::slurp("$EZW::ROOT/t/data/endpoints.tsv");

    my @table;
    for my $line (@lines) {
        my ($face, $method, $path, $least, $success, $issue)
            = split /\t/, $line;
        $face = $path =~ m{^/v3/} ? 'v3' : 'workspace' if $face eq 'ext';
        push @table, {
            name => "$method $path", face => $face, method => $method,
            path => $path, success => $success, issue => $issue,
            least => $face eq 'v3' ? uc $least : $least,
            built => $issue <= $BUILT || exists $request{"$method $path"},
        };
    }
    return @table;
}

# The arguments of http for a good request, but whose it is; VALUES are of the
# path's parameters that are to be others.
sub request {
    my ($self, $endpoint, %values) = @_;

    my $more = $request{ $endpoint->{name} }
        // die "t/lib/EZW/Endpoints.pm has no request for $endpoint->{name}\n";
    $more = $more->($self) if ref $more eq 'CODE';
    return ($endpoint->{method}, $self->path($endpoint, %values), %$more);
}

# The same, of which nothing is needed again.
sub spare_request {
    my ($self, $endpoint, %values) = @_;

    my $spare = $spare{ $endpoint->{name} };
    return $self->request($endpoint, $spare ? $spare->($self) : (), %values);
}

# A path with its parameters filled in; of what no row is told, with anything
# of its kind.
sub path {
    my ($self, $endpoint, %values) = @_;

    my $named = $named{ $endpoint->{name} };
    %values = ($named ? $named->($self) : (), %values);
    %values = (
        channelJid => $self->{channel}, contactJid => $self->{contact},
        companyId => $self->{company}, id => $self->{key},
        jid => '1580486175684@label.eazy.im',
        listJid => '1571833730@list.eazy.im',
        email => 'operator@example.com', type => 'AWAY', name => 'welcome',
        (map { $_ => '0198c1a3-be55-7210-ac02-58a992c17977' }
         qw(deliveryId lineId targetUserId conversationId attachmentId)),
        %values);
    return $endpoint->{path} =~ s/\{(\w+)\}/$values{$1}
        \/\/ die "no value for {$1} of $endpoint->{name}\n"/ger;
}

# How the path would be, had its parameters no names.
sub shape { return $_[0] =~ s/\{\w+\}/{}/gr }

1;

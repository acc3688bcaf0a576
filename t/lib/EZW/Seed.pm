package EZW::Seed;

# Rows that tests begin with: companies, users, channels, keys. Methods of
# EZW, each given only what the test cares about; the rest is made up.

use strict;
use warnings;

use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64 encode_base64);

my $counter = 0;

# A random UUID (version 4).
sub uuid {
    my ($self) = @_;

    my $hex = unpack 'H32', random_bytes(16);
    substr $hex, 12, 1, '4';
    substr $hex, 16, 1, substr '89ab', hex(substr $hex, 16, 1) % 4, 1;
    return join '-', unpack 'A8A4A4A4A12', $hex;
}

sub random_bytes {
    my ($n) = @_;

    open my $random, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
    read $random, my ($bytes), $n;
    return $bytes;
}

# N random characters of [A-Za-z0-9], as an API key has 40.
sub random_text {
    my ($self, $n) = @_;

    my @alphabet = ('A' .. 'Z', 'a' .. 'z', 0 .. 9);
    return join '', map { $alphabet[$_ % 62] }
        unpack 'S*', random_bytes(2 * $n);
}

# Inserts a row into ezw.TABLE from column => value pairs.
sub insert {
    my ($self, $table, %row) = @_;

    my @columns = sort keys %row;
    $self->sql("insert into ezw.$table (" . join(', ', @columns) . ') values ('
               . join(', ', ('?') x @columns) . ')', @row{@columns});
    return;
}

# A company; returns its id. Options: name, parent, or any other column.
sub company {
    my ($self, %row) = @_;

    $row{id} //= $self->uuid;
    $row{name} //= 'Company ' . ++$counter;
    $self->insert('company', %row);
    return $row{id};
}

# A channel without a care window; returns its JID. Options: company (needed),
# jid, connector, name, or any other column.
sub channel {
    my ($self, %row) = @_;

    $row{id} //= $self->uuid;
    $row{jid} //= channel_jid();
    $row{domain} //= $row{jid} =~ /\@([^.]+)/ ? $1 : die $row{jid};
    $row{connector} //= 'sandbox';
    $row{name} //= "Channel $counter";
    $row{lifecycle_state} //= 'connected';
    $self->insert('channel', %row);
    return $row{jid};
}

# A fresh channel's JID.
sub channel_jid {
    return 31600000000 + ++$counter . '@whatsapp.eazy.im';
}

# An API key; returns its text. Options: company and scope (needed), channels
# => [JIDs], assistant => JID, companies => [ids], or any column of api_key.
sub key {
    my ($self, %row) = @_;

    my $text = delete $row{text} // $self->random_text(40);
    my $channels = delete $row{channels} // [];
    my $companies = delete $row{companies} // [];
    my $assistant = delete $row{assistant};

    my $hash = delete $row{hash} // sha256_hex($text);
    $row{id} //= $self->uuid;
    $row{prefix} //= substr $text, 0, 6;
    $row{description} //= 'Key ' . ++$counter;
    $row{hash} = { hex => $hash };
    $self->insert('api_key', %row);

    my @objects = (
        (map { [CHANNEL => $_] } @$channels),
        (defined $assistant ? [ASSISTANT => $assistant] : ()),
        (map { [COMPANY => $_] } @$companies));
    for (@objects) {
        $self->insert('api_key_object', company => $row{company},
                      api_key => $row{id}, type => $_->[0], ref => $_->[1]);
    }
    return $text;
}

# The id of a key that key() made.
sub key_id {
    my ($self, $text) = @_;

    return $self->value("select id from ezw.api_key where hash = decode(?, 'hex')",
                        sha256_hex($text));
}

# A user and active member; returns the user's id. Options: company (needed),
# email, role, password (its text, or hash => a stored one), or other columns of
# membership.
sub user {
    my ($self, %row) = @_;

    my $email = delete $row{email} // 'user' . ++$counter . '@example.com';
    my $name = delete $row{name} // 'User';
    my $password = delete $row{password};
    my $hash = delete $row{hash}
        // (defined $password ? password_hash($password) : undef);
    $row{user_id} //= $self->uuid;
    $row{role} //= 'operator';
    $self->insert('app_user', id => $row{user_id}, email => $email,
                  full_name => $name, password_hash => $hash);
    $self->insert('membership', %row);
    return $row{user_id};
}

my %hashes;

# What is stored of a password: scrypt by openssl, in the module's form. Options:
# ln (15), r (8), p (1), salt.
sub password_hash {
    my ($password, %o) = @_;

    %o = (ln => 15, r => 8, p => 1, salt => random_bytes(16), %o);
    return $hashes{join ' ', $password, @o{qw(ln r p)}} //= do {
        my ($salt, $hash) = map { encode_base64($_, '') =~ s/=+$//r }
            $o{salt}, scrypt($password, %o);
        "\$scrypt\$ln=$o{ln},r=$o{r},p=$o{p}\$$salt\$$hash";
    };
}

# Is HASH one of the password?
sub is_password_hash {
    my ($hash, $password) = @_;

    my ($ln, $r, $p, $salt, $want)
        = $hash =~ /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$(\S+)\$(\S+)$/
        or return 0;
    my $got = scrypt($password, ln => $ln, r => $r, p => $p,
                     salt => decode_base64($salt));
    return encode_base64($got, '') =~ s/=+$//r eq $want;
}

sub scrypt {
    my ($password, %o) = @_;

    utf8::encode($password);
    open my $openssl, '-|', 'openssl', 'kdf', '-binary', '-keylen', 32,
        map({ ('-kdfopt', $_) } 'hexpass:' . unpack('H*', $password),
            'hexsalt:' . unpack('H*', $o{salt}), 'n:' . 2 ** $o{ln},
            "r:$o{r}", "p:$o{p}", 'maxmem_bytes:4000000000'), 'SCRYPT'
        or die "openssl kdf: $!";
    binmode $openssl;
    my $hash = do { local $/; <$openssl> };
    close $openssl or die "openssl kdf failed\n";
    return $hash;
}

# An assistant; returns its JID. Options: company (needed), name, enabled.
sub assistant {
    my ($self, %row) = @_;

    $row{jid} //= 1563451622477 + ++$counter . '@ai.eazy.im';
    $row{name} //= "Assistant $counter";
    $self->insert('assistant', %row);
    return $row{jid};
}

# A template that is approved. Options: company, channel (its JID) and name
# (needed), or any other column.
sub template {
    my ($self, %row) = @_;

    $row{channel} = $self->value('select id from ezw.channel where jid = ?',
                                 $row{channel});
    $self->insert('template', language => 'en', category => 'UTILITY',
                  status => 'APPROVED',
                  components => '[{"type":"BODY","text":"Hello"}]', %row);
    return;
}

# What most tests need: a company with one sandbox channel and a key of each
# scope. Returns {company, channel, contact, key => {CHANNEL => text, ...}};
# contact is a JID of the channel's domain that no row has yet.
sub demo {
    my ($self, %o) = @_;

    my $company = $self->company(%{ $o{company} || {} });
    my $channel = $self->channel(company => $company, %{ $o{channel} || {} });
    my $assistant = $self->assistant(company => $company);
    my %key = (
        CHANNEL => $self->key(company => $company, scope => 'CHANNEL',
                              channels => [$channel]),
        ASSISTANT => $self->key(company => $company, scope => 'ASSISTANT',
                                assistant => $assistant),
        COMPANY => $self->key(company => $company, scope => 'COMPANY'),
        OWNER => $self->key(company => $company, scope => 'OWNER'),
    );
    return { company => $company, channel => $channel, key => \%key,
             assistant => $assistant, contact => $self->contact_jid };
}

# A fresh contact's JID.
sub contact_jid {
    return 31700000000 + ++$counter . '@whatsapp.eazy.im';
}

1;

# Zones of 64 KB and far more keys, addresses, tokens and idempotency keys than
# they can hold: all are answered rightly, nothing is logged, what had to go is
# counted. And a flood of wrong keys, which takes no good one's place.
# t/all/zone_small_long.t has ten times as many.

use EZW;
use EZW::Token;
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET ();
use Time::HiRes qw(time);

our $MANY;
my $many = $MANY // 10_000;
my $good = 1000;                 # that must stay, in a zone that holds them

my $t = EZW->start(
    start => 0, key_zone => 'zone=ezw_keys:64k', workers => 2,
    rates => 'ezw_rate key rate=600r/m burst=60; ezw_rate user off;',
    http => 'ezw_courier off;
    ezw_rate_zone zone=ezw_rates:64k;
    ezw_idempotency_zone zone=ezw_idempotency:64k;
    ezw_session_zone zone=ezw_sessions:64k;
    ezw_signing_key_file %%DIR%%/secret;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;',
    server => 'location = /metrics { ezw_metrics; }
        location = /page { ezw_gate role=operator; root %%DIR%%;
                           try_files /page.html =404; }');
EZW::Token::write_secret("$t->{dir}/secret");
EZW::write_file("$t->{dir}/page.html", 'the page');

# Key n, its text and its id.
sub text_of { return substr sha256_hex("key $_[0]"), 0, 40 }

sub id_of {
    return join '-', unpack 'A8A4A4A4A12', md5_hex("id $_[0]");
}

my $company = $t->company;
my $channel = $t->channel(company => $company);
my $user = $t->user(company => $company, role => 'operator');
my $session = $t->uuid;
$t->insert('session', company => $company, id => $session, family => $session,
           user_id => $user, refresh_hash => { hex => sha256_hex('x') },
           expires_at => '2100-01-01');
$t->sql(q{insert into ezw.api_key (company, id, scope, prefix, hash)
          select ?, md5('id ' || n)::uuid, 'COMPANY', left(k.key, 6),
                 sha256(k.key::bytea)
            from generate_series(1, ?) n,
                 lateral (select left(encode(sha256(('key ' || n)::bytea),
                                             'hex'), 40) as key) k},
        $company, $many);
$t->launch;

# A network of its own for each n.
sub address_of {
    my ($n) = @_;

    return sprintf '2001:db8:%x:%x::1', $n >> 16, $n & 0xffff;
}

sub get_key {
    my ($text, $address) = @_;

    return "GET /v3/keys/current HTTP/1.1\r\nHost: localhost\r\n"
        . "Authorization: Bearer $text\r\nX-Real-IP: $address\r\n\r\n";
}

# Sends what NEXT returns until it returns nothing, on 32 connections, as
# pipelines of 16: [request, status, part of the body]. Returns how many were
# answered so, and a few that were not.
sub flood {
    my ($node, $next) = @_;

    my ($right, @wrong, %by_fd) = (0);
    my $fill = sub {
        my ($c) = @_;
        my $bytes = '';
        while (@{ $c->{want} } < 16) {
            my $want = $next->() or last;
            $bytes .= $want->[0];
            push @{ $c->{want} }, $want;
        }
        # more than a socket's buffer would take is never on its way
        return 1 if $bytes eq '';
        return (syswrite $c->{socket}, $bytes) == length $bytes;
    };
    for (1 .. 32) {
        my $socket = IO::Socket::INET->new(
            PeerHost => '127.0.0.1', PeerPort => $node->port, Proto => 'tcp')
            or die "no connection: $@";
        $by_fd{ fileno $socket }
            = { socket => $socket, buffer => '', want => [] };
    }
    $fill->($_) or die "write: $!" for values %by_fd;

    while (grep { @{ $_->{want} } } values %by_fd) {
        my $read = '';
        vec($read, $_, 1) = 1 for keys %by_fd;
        select($read, undef, undef, 30 * $EZW::Expect::PATIENCE) > 0
            or die "no answers\n";
        for my $fd (grep { vec $read, $_, 1 } keys %by_fd) {
            my $c = $by_fd{$fd};
            sysread $c->{socket}, $c->{buffer}, 65536, length $c->{buffer}
                or die 'a connection was closed: ' . ($! || 'end') . "\n";
            while (my $r = EZW::Response->take(\$c->{buffer}, 'GET')) {
                my (undef, $status, $part) = @{ shift @{ $c->{want} } };
                if ($r->status == $status && index($r->body, $part) >= 0) {
                    $right++;
                } elsif (@wrong < 5) {
                    push @wrong, $r->as_text;
                }
            }
            next if @{ $c->{want} };
            $fill->($c) or die "write: $!";
        }
    }
    return ($right, @wrong);
}

# All of COUNT are answered rightly; MAKE makes number n of them, from 1 on.
sub all_right {
    my ($node, $count, $make, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $n = 0;
    my ($right, @wrong) = flood($node, sub {
        return $n < $count ? $make->(++$n) : undef;
    });
    return is($right, $count, $name) || diag join "\n", @wrong;
}

# Gauges and counters of the zones: {family}{zone or "zone kind"}.
sub zones {
    my ($node) = @_;

    my %zones;
    for ($node->http(GET => '/metrics')->body
         =~ /^(ezw_zone_\w+\{[^}]*\} \d+)$/mg)
    {
        my ($family, $zone, $kind, $value)
            = /^ezw_zone_(\w+)\{zone="ezw_(\w+)"(?:,kind="(\w+)")?\} (\d+)$/;
        $zones{$family}{ defined $kind ? "$zone $kind" : $zone } = $value;
    }
    return \%zones;
}

sub nothing_logged {
    my ($node, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @lines = grep { /\[(?:error|crit|alert|emerg)\]/ }
        split /\n/, $node->error_log;
    return is(scalar(@lines), 0, "$name: nothing above a warning is logged")
        || diag join "\n", splice @lines, 0, 5;
}

my $before = zones($t);
is_deeply($before->{evictions_total},
          { map { $_ => 0 } qw(keys rates idempotency sessions) },
          'nothing had to go yet');
for my $zone (qw(keys rates idempotency sessions)) {
    cmp_ok($before->{blocks}{$zone}, '<', 500, "$zone: less than 500 entries");
}


# Keys, each from an address of its own; the same keys again from others, and
# between them wrong ones.
all_right($t, $many, sub {
    my ($n) = @_;
    return [get_key(text_of($n), address_of($n)), 200, id_of($n)];
}, "$many keys");
all_right($t, 2 * $many, sub {
    my ($n) = @_;
    my $i = ($n >> 1) + 1;
    return $n & 1
        ? [get_key(text_of(1 + $i * 7919 % $many), address_of($many + $n)),
           200, id_of(1 + $i * 7919 % $many)]
        : [get_key(text_of("wrong $n"), address_of($many + $n)), 401,
           'unknown API key'];
}, "$many keys and as many wrong ones");

# Tokens, all of one person.
my $signer = EZW::Token->key("$t->{dir}/secret");
my %claims = (iss => 'ezw', aud => 'ezw-workspace', sub => $user,
              org => $company, role => 'operator', mv => 1, sid => $session,
              iat => int(time), exp => int(time) + 3600);

sub get_page {
    my ($token, $n) = @_;

    return "GET /page HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
        . "Bearer $token\r\nX-Real-IP: " . address_of($n) . "\r\n\r\n";
}

my $tokens = $many / 5;
all_right($t, $tokens, sub {
    my ($n) = @_;
    return [get_page($signer->sign({ %claims, jti => $n }), $n), 200,
            'the page'];
}, "$tokens tokens");
for my $n (1, $tokens) {
    is($t->http(GET => '/api/auth/session',
                key => $signer->sign({ %claims, jti => $n }))->status, 200,
       "token $n again");
}
is($t->http(GET => '/api/auth/session', key => $signer->sign(
    { %claims, exp => int(time) - 1 }))->status, 401, 'one that has expired');

# Idempotency keys.
my $path = "/v3/channels/$channel/contacts";

sub post_contact {
    my ($n, $of) = @_;

    my $body = to_json({ jid => 31800000000 + $n . '@whatsapp.eazy.im' });
    return "POST $path HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        . text_of(1 + $n % 100) . "\r\nX-Real-IP: " . address_of($n)
        . "\r\nIdempotency-Key: once-$of\r\nContent-Type: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

$t->sql('update ezw.api_key set rate_per_minute = 1000000, burst = 1000000
          where id = any (?)', [map { id_of($_) } 1 .. 100]);
wait_for(sub {
    my $r = $t->http(GET => '/v3/keys/current', key => text_of(100));
    return ($r->header('ratelimit-policy') // '') =~ /q=1000000;/;
}, 5, 'a wider limit for the keys that write');
my $writes = $many / 5;
all_right($t, $writes, sub {
    my ($n) = @_;
    return [post_contact($n, $n), 201, 31800000000 + $n . '@whatsapp'];
}, "$writes idempotency keys");
all_right($t, $writes, sub {
    my ($n) = @_;
    my $i = 1 + $n * 7919 % $writes;
    return $n % 10
        ? [post_contact($i, $i), 201, 31800000000 + $i . '@whatsapp']
        : [post_contact($i + 1, $i), 422, 'used for another request'];
}, 'the same again, in another order, and some for another request');
is($t->value('select count(*) from ezw.contact'), $writes,
   'each was done once');

nothing_logged($t, 'small zones');
my $after = zones($t);
my %least = (keys => $many, rates => 3 * $many, sessions => $tokens,
             idempotency => $writes);
for my $zone (sort keys %least) {
    cmp_ok($after->{evictions_total}{$zone}, '>=',
           $least{$zone} - $after->{blocks}{$zone}, "$zone: what went");
    cmp_ok($after->{blocks_used}{$zone}, '<=', $after->{blocks}{$zone},
           "$zone: no more than there is room for");
    cmp_ok($after->{blocks_used}{$zone}, '>', 0.9 * $after->{blocks}{$zone},
           "$zone: all room is used");
    is($after->{blocks}{$zone}, $before->{blocks}{$zone}, "$zone: its size");
    is($after->{refused_total}{$zone}, 0, "$zone: nothing did not fit");
    is($after->{rebuilt_total}{$zone}, 0, "$zone: nobody died in it");
}
is($t->http(GET => '/readyz')->status, 200, 'ready');


# Good keys beside a flood of wrong ones, each asked for once before it.
$t->limit(lock_timeout => '250ms');     # who asks is refused soon
my $node = EZW->start(
    like => $t, key_zone => 'zone=ezw_keys:1m', workers => 2,
    http => 'ezw_courier off;',
    server => 'location = /metrics { ezw_metrics; }');
my $from = '127.0.0.1';

# Its first look at the changes empties the zone: what came before is not kept.
# It leaves one key there, a revoked one.
$node->catch_up($company);
all_right($node, $good, sub {
    my ($n) = @_;
    return [get_key(text_of($n), $from), 200, id_of($n)];
}, "$good good keys");
$before = zones($node);
is($before->{entries}{'keys good'}, $good + 1, 'are all remembered');
is($before->{entries}{'keys negative'}, 0, 'and nothing else');
all_right($node, $many, sub {
    my ($n) = @_;
    return [get_key(text_of("wrong $n"), $from), 401, 'unknown API key'];
}, "$many wrong keys");
$after = zones($node);
is($after->{entries}{'keys good'}, $good + 1, 'the good ones still are');
my $negative = $after->{entries}{'keys negative'};
cmp_ok($negative, '<=', $after->{blocks}{keys} / 8,
       'the wrong ones have an eighth of the zone');
is($after->{evictions_total}{keys}, $many - $negative,
   'and took nobody\'s place but their own');
nothing_logged($node, 'beside good keys');

# While nobody can look them up. (A look at the changes that comes late, on a
# machine that is slow, makes the node ask: it is waited for.)
my $dbh = $t->dbh;
$dbh->begin_work;
$dbh->do('lock table ezw.api_key in access exclusive mode');
ok(eval { wait_for(sub {
    my $n = 0;
    my ($known) = flood($node, sub {
        return $n++ < $good ? [get_key(text_of($n), $from), 200, id_of($n)]
            : undef;
    });
    return $known == $good;
}, 20) }, 'all of them are known without the database');
is($node->http(GET => '/v3/keys/current', key => text_of('wrong 0'))->status,
   503, 'which cannot be asked');
$dbh->rollback;

done_testing;

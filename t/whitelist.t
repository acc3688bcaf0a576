# A key's whitelist: which addresses a key may come from, who says what a
# client's address is, and what becomes of a key that comes from elsewhere.
# sanitizers

use IO::Socket::UNIX ();
use Socket qw(AF_INET6 IPPROTO_IPV6 IPV6_V6ONLY SOCK_STREAM inet_pton
              pack_sockaddr_in6);

use EZW;

# IPv4 clients of an IPv6 socket, on a machine that has these.
my $probe;
my $mapped = socket($probe, AF_INET6, SOCK_STREAM, 0)
    && setsockopt($probe, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    && bind($probe, pack_sockaddr_in6(0, inet_pton(AF_INET6,
                                                   '::ffff:127.0.0.1')));
my $t = EZW->start(start => 0);
my $demo = $t->demo;

$t->write_config(<<'CONF' =~ s/MAPPED/$mapped ? <<'LISTEN' : ''/er);
%%MAIN%%
events { worker_connections 512; }
http {
    %%HTTP%%
    ezw_courier off;

    # a balancer says it, in a header of its own
    server {
        %%LISTEN%%
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Address;
        %%LOCATIONS%%
        location /slow/ { ezw_gate scope=channel; ezw_rate rate=1r/h burst=2;
                          try_files /none =404; }
    }

    # several of them, each of which adds to the list
    server {
        listen 127.0.0.1:%%PORT:chain%%;
        set_real_ip_from 127.0.0.1;
        set_real_ip_from 10.0.0.0/8;
        real_ip_header X-Forwarded-For;
        real_ip_recursive on;
        location /v3/ { ezw_api v3; }
    }

    # not from here; the PROXY protocol; nobody
    server {
        listen 127.0.0.1:%%PORT:others%%;
        set_real_ip_from 10.0.0.0/8;
        real_ip_header X-Address;
        location /v3/ { ezw_api v3; }
    }
    server {
        listen 127.0.0.1:%%PORT:proxy%% proxy_protocol;
        set_real_ip_from 127.0.0.1;
        real_ip_header proxy_protocol;
        location /v3/ { ezw_api v3; }
    }
    server {
        listen 127.0.0.1:%%PORT:proxy_ignored%% proxy_protocol;
        location /v3/ { ezw_api v3; }
    }
    server {
        listen 127.0.0.1:%%PORT:nobody%%;
        listen unix:%%DIR%%/socket;
        MAPPED
        location /v3/ { ezw_api v3; }
    }
    server {
        listen unix:%%DIR%%/trusted;
        set_real_ip_from unix:;
        real_ip_header X-Address;
        location /v3/ { ezw_api v3; }
    }
}
CONF
listen [::ffff:127.0.0.1]:%%PORT:mapped%% ipv6only=off;
LISTEN
$t->launch;

my $who = '/v3/keys/current';

sub key {
    my ($whitelist, %more) = @_;
    return $t->key(company => $demo->{company}, scope => 'COMPANY', %more,
                   whitelist => ref $whitelist ? '{' . join(',', @$whitelist)
                                                 . '}' : $whitelist);
}

sub from {
    my ($address, $key, $path) = @_;
    return $t->http(GET => $path // $who, key => $key,
                    headers => { 'X-Address' => $address });
}

sub denied {
    my ($r, $address, $name) = @_;
    return is_refused($r, 403, 1002,
                      { message => "IP $address is not whitelisted" }, $name);
}

# Whether the key may come from there, asked twice: the first time the gate
# asks the database. SHOWN is the address as it is told.
sub may {
    my ($whitelist, $address, $may, $shown) = @_;

    my $key = key($whitelist);
    my $list = ref $whitelist ? "[@$whitelist]" : 'null';
    for my $n (1, 2) {
        my $r = from($address, $key);
        my $name = "$list from $address, $n";
        if ($may) {
            is($r->status, 200, $name) || diag $r->as_text;
        } else {
            denied($r, $shown // $address, $name);
        }
    }
    return;
}


# Networks of either kind.
for my $case (
    [undef, '203.0.113.9', 1], [undef, '2001:db8::9', 1],
    [[], '203.0.113.9', 0], [[], '127.0.0.1', 0], [[], '2001:db8::9', 0],
    [[], '::1', 0],

    [['203.0.113.9'], '203.0.113.9', 1], [['203.0.113.9'], '203.0.113.8', 0],
    [['203.0.113.9/32'], '203.0.113.9', 1],
    [['203.0.113.9/32'], '203.0.113.10', 0],
    [['203.0.113.8/31'], '203.0.113.9', 1],
    [['203.0.113.8/31'], '203.0.113.10', 0],
    [['203.0.113.8/31'], '203.0.113.7', 0],
    [['10.0.0.0/8'], '10.255.255.255', 1], [['10.0.0.0/8'], '11.0.0.0', 0],
    [['10.0.0.0/8'], '9.255.255.255', 0],
    [['10.1.2.3/8'], '10.0.0.0', 1],
    [['172.16.0.0/12'], '172.31.255.255', 1],
    [['172.16.0.0/12'], '172.32.0.0', 0],
    [['128.0.0.0/1'], '255.255.255.254', 1],
    [['128.0.0.0/1'], '127.255.255.255', 0],
    [['0.0.0.0/0'], '203.0.113.9', 1], [['0.0.0.0/0'], '2001:db8::9', 0],
    [['192.0.2.1', '198.51.100.0/24', '203.0.113.9'], '203.0.113.9', 1],
    [['192.0.2.1', '198.51.100.0/24', '203.0.113.9'], '198.51.100.77', 1],
    [['192.0.2.1', '198.51.100.0/24', '203.0.113.9'], '192.0.2.2', 0],

    [['2001:db8::9'], '2001:db8::9', 1],
    [['2001:db8::9'], '2001:0DB8:0:0::0009', 1],
    [['2001:DB8:0::9'], '2001:db8::9', 1],
    [['2001:db8::9'], '2001:0DB8:0:0::000A', 0, '2001:db8::a'],
    [['2001:db8::/32'], '2001:db8:ffff::1', 1],
    [['2001:db8::/32'], '2001:db9::', 0],
    [['2001:db8::/127'], '2001:db8::1', 1],
    [['2001:db8::/127'], '2001:db8::2', 0],
    [['2001:db8::/33'], '2001:db8:8000::', 0],
    [['::/0'], '2001:db8::9', 1], [['::1'], '::1', 1], [['::1'], '::2', 0],
    [['2001:db8::9', '203.0.113.9'], '203.0.113.9', 1],

    # one address, however it is written
    [['203.0.113.9'], '::ffff:203.0.113.9', 1],
    [['203.0.113.0/24'], '::ffff:cb00:7109', 1],
    [['203.0.113.0/24'], '::ffff:203.0.114.9', 0, '203.0.114.9'],
    [['::ffff:203.0.113.9'], '203.0.113.9', 1],
    [['::ffff:203.0.113.0/120'], '203.0.113.255', 1],
    [['::ffff:203.0.113.0/120'], '203.0.114.0', 0],
    [['::203.0.113.9'], '203.0.113.9', 0],
) {
    may(@$case);
}


# A long list, and a key that has it twice over.
my @long = map { "198.18.$_.0/24" } 0 .. 98;
may([@long, '203.0.113.9'], '203.0.113.9', 1);
may([@long, '203.0.113.9'], '203.0.113.10', 0);
may([@long, @long], '198.18.98.255', 1);


# Who says what the address is.
my $key = key(['192.0.2.7']);
my $local = key(['127.0.0.1']);
my @headers = ('X-Address', 'X-Forwarded-For', 'X-Real-IP', 'Forwarded',
               'True-Client-IP', 'CF-Connecting-IP', 'X-Client-IP');

sub at {
    my ($port, $key, $headers, $before) = @_;
    my $client = EZW::Client->new(port => $t->port($port));
    $client->send_raw(($before // '') . EZW::Client::request_bytes(
        GET => $who, key => $key, headers => $headers // {}, close => 1));
    return $client->read_response('GET');
}

for my $port ('nobody', 'others') {
    for my $header (@headers) {
        my $value = $header eq 'Forwarded' ? 'for=192.0.2.7' : '192.0.2.7';
        denied(at($port, $key, { $header => $value }), '127.0.0.1',
               "$header at $port");
        is(at($port, $local, { $header => $value })->status, 200,
           "$header at $port is not looked at");
    }
}
denied($t->http(GET => $who, key => $key,
                headers => { 'X-Forwarded-For' => '192.0.2.7' }),
       '127.0.0.1', 'a header that is not the one');
denied(from('192.0.2', $key), '127.0.0.1', 'what is no address');
denied(from('192.0.2.7, 203.0.113.9', $key), '203.0.113.9', 'the last of two');

for my $case (
    ['192.0.2.7', undef], ['203.0.113.9, 192.0.2.7', undef],
    ['192.0.2.7, 10.1.1.1', undef], ['192.0.2.7, 10.1.1.1, 10.2.2.2', undef],
    ['192.0.2.7, 203.0.113.9', '203.0.113.9'],
    ['192.0.2.7, 203.0.113.9, 10.1.1.1', '203.0.113.9'],
    ['192.0.2.7, nonsense', '127.0.0.1'],
) {
    my ($chain, $denied) = @$case;
    my $r = at('chain', $key, { 'X-Forwarded-For' => $chain });
    defined $denied ? denied($r, $denied, "the chain $chain")
        : is($r->status, 200, "the chain $chain") || diag $r->as_text;
}

# The PROXY protocol, both its forms.
my %proxy = (
    text => "PROXY TCP4 192.0.2.7 127.0.0.1 1234 80\r\n",
    binary => "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" . pack('C4C4nn', 192, 0, 2,
                                                      7, 127, 0, 0, 1, 1, 2),
);
for my $form (sort keys %proxy) {
    is(at('proxy', $key, {}, $proxy{$form})->status, 200,
       "the PROXY protocol as $form");
    denied(at('proxy', $local, { 'X-Address' => '127.0.0.1' }, $proxy{$form}),
           '192.0.2.7', "which is the address, as $form");
    denied(at('proxy_ignored', $key, {}, $proxy{$form}), '127.0.0.1',
           "where it is not asked for, as $form");
}
my $six = "PROXY TCP6 2001:db8::9 ::1 1234 80\r\n";
is(at('proxy', key(['2001:db8::/64']), {}, $six)->status, 200, 'of IPv6');
denied(at('proxy', $key, {}, $six), '2001:db8::9', 'of IPv6, denied');
denied(at('proxy', $key, {}, "PROXY UNKNOWN\r\n"), '127.0.0.1', 'of nobody');

# A Unix socket's client has no address: any list leaves him out.
sub at_socket {
    my ($path, $key, $headers) = @_;
    my $client = bless { timeout => 60 * $EZW::Expect::PATIENCE, buffer => '',
        socket => IO::Socket::UNIX->new(Peer => "$t->{dir}/$path") },
        'EZW::Client';
    return $client->request(GET => $who, key => $key, close => 1,
                            headers => $headers // {});
}
is(at_socket('socket', key(undef))->status, 200, 'a Unix socket, no list');
for my $list (['0.0.0.0/0', '::/0'], ['127.0.0.1', '::1'], []) {
    denied(at_socket('socket', key($list)), 'unix:', "a Unix socket, [@$list]");
}
denied(at_socket('socket', $key, { 'X-Address' => '192.0.2.7' }), 'unix:',
       'a Unix socket, and a header');
is(at_socket('trusted', $key, { 'X-Address' => '192.0.2.7' })->status, 200,
   'a balancer on a Unix socket');
denied(at_socket('trusted', $key, { 'X-Address' => '192.0.2.8' }), '192.0.2.8',
       'a balancer on a Unix socket, denied');

# An IPv4 client of an IPv6 socket is an IPv4 client.
SKIP: {
    skip 'no IPv6 here', 4 if !$mapped;
    is(at('mapped', $local)->status, 200, 'mapped, by address');
    is(at('mapped', key(['127.0.0.0/8']))->status, 200, 'mapped, by network');
    denied(at('mapped', $key), '127.0.0.1', 'mapped, denied');
    denied(at('mapped', key(['::1'])), '127.0.0.1', 'mapped, and IPv6 only');
}


# A refusal takes nothing of the key's limit, and is not one of those that the
# address has.
my $slow = key(['192.0.2.7']);
denied(from('203.0.113.9', $slow, '/slow/'), '203.0.113.9', "denied, $_")
    for 1 .. 5;
is(from('192.0.2.7', $slow, '/slow/')->status, 404, "let in, $_") for 1, 2;
is(from('192.0.2.7', $slow, '/slow/')->status, 429, 'too fast');
denied(from('203.0.113.9', $slow, '/slow/'), '203.0.113.9',
       'denied before it is too fast');


# One row of the audit log for a key and an address, however many ask at once;
# of IPv6 for a /64.
sub audited {
    my ($key) = @_;
    return [map { [@$_] } $t->sql(q{
        select company, actor_type, actor_id, target_type, address, data
          from ezw.audit_log
         where event_type = 'key.ip_denied' and target_id = ?
         order by address}, $t->key_id($key))];
}

sub row { return [$demo->{company}, 'system', undef, 'key', $_[0], undef] }

my $watched = key(['192.0.2.7']);
for my $address ('203.0.113.9', '203.0.113.10') {
    my @answers = $t->parallel(map {
        [GET => $who, key => $watched, headers => { 'X-Address' => $address }]
    } 1 .. 40);
    is(scalar(grep { $_->status == 403 } @answers), 40, "$address: all denied");
}
wait_for(sub { @{ audited($watched) } >= 2 }, 10, 'the audit rows');
is_deeply(audited($watched), [row('203.0.113.10'), row('203.0.113.9')],
          'one for each address');
my $other = key(['192.0.2.7']);
denied(from('203.0.113.9', $other), '203.0.113.9', 'another key');
wait_for(sub { @{ audited($other) } }, 10, 'its audit row');
is_deeply(audited($other), [row('203.0.113.9')], 'is told, too');
my $r = from('2001:db8:0:1::1', $other);
denied($r, '2001:db8:0:1::1', 'by IPv6');
denied(from("2001:db8:0:1:$_\::1", $other), "2001:db8:0:1:$_\::1",
       'its neighbour') for 1 .. 9;
denied(from('2001:db8:0:2::1', $other), '2001:db8:0:2::1', 'another network');
denied(from('::ffff:203.0.113.9', $other), '203.0.113.9', 'the first again');
wait_for(sub { @{ audited($other) } >= 3 }, 10, 'their audit rows');
is_deeply(audited($other), [row('2001:db8:0:1::1'), row('2001:db8:0:2::1'),
                            row('203.0.113.9')], 'one for each network');
is($t->value(q{select trace from ezw.audit_log
                where event_type = 'key.ip_denied'
                  and address = '2001:db8:0:1::1'}),
   $r->header('x-trace-id'), 'with the trace of the first');
is($t->value(q{select count(*) from ezw.audit_log
                where event_type = 'key.ip_denied' and target_id = ?},
             $t->key_id($local)), 1, 'a key that is let in elsewhere');
is($t->value(q{select count(*) from ezw.audit_log
                where event_type = 'key.ip_denied' and address = 'unix:'
                  and target_id = ?}, $t->key_id($key)), 1, 'a Unix socket');


# A list that is changed.
my $changed = key(undef);
my $id = $t->key_id($changed);
sub becomes {
    my ($whitelist, $shown, %may) = @_;
    my $list = to_json($whitelist);
    my $r = $t->http(PATCH => "/v3/keys/$id", key => $demo->{key}{OWNER},
                     json => { whitelist => $whitelist });
    is_json($r->json->{whitelist}, $shown, "$list: is kept as");
    for my $address (sort keys %may) {
        my $want = $may{$address} ? 200 : 403;
        wait_for(sub { from($address, $changed)->status == $want }, 10,
                 "$list: $address is $want");
        my @wrong = grep { $_->status != $want } $t->parallel(map {
            [GET => $who, key => $changed,
             headers => { 'X-Address' => $address }] } 1 .. 16);
        is(scalar @wrong, 0, "$list: $address, by any worker");
    }
    return;
}
is(from('203.0.113.9', $changed)->status, 200, 'from anywhere');
becomes(['203.0.113.9/24'], ['203.0.113.0/24'],
        '203.0.113.200' => 1, '203.0.114.9' => 0);
becomes(['2001:DB8::/32', '203.0.114.9'], ['2001:db8::/32', '203.0.114.9'],
        '203.0.113.200' => 0, '203.0.114.9' => 1, '2001:db8::1' => 1);
becomes([], [], '203.0.114.9' => 0, '2001:db8::1' => 0, '127.0.0.1' => 0);
becomes(undef, undef, '203.0.114.9' => 1, '2001:db8::1' => 1);

done_testing;

# The gate beside nginx's own: allow and deny, auth_basic, auth_request, under
# `satisfy any` and `satisfy all`. Who comes in by his address only is nobody to
# the service, whatever key he sent.
# sanitizers

use MIME::Base64 qw(encode_base64);

use EZW;

my $t = EZW->start(start => 0);
my $demo = $t->demo;
my $company = $demo->{company};

$t->write_config(<<'CONF');
%%MAIN%%
events { worker_connections 512; }
http {
    %%HTTP%%
    ezw_courier off;
    log_format gate '$uri $status gate=$ezw_gate company=$ezw_company';

    # the tests' addresses
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Address;

    proxy_set_header Authorization "";
    proxy_set_header X-Company $ezw_company;
    proxy_set_header X-Key-Id $ezw_key_id;
    proxy_set_header X-Scope $ezw_scope;
    proxy_set_header X-User $remote_user;

    server {
        %%LISTEN%%
        %%LOCATIONS%%
        access_log %%DIR%%/gate.log gate;
        ezw_gate scope=company;

        location /any/ {
            satisfy any;
            allow 192.0.2.0/24;
            deny all;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /any_basic/ {
            satisfy any;
            auth_basic inside;
            auth_basic_user_file %%DIR%%/users;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /any_three/ {
            satisfy any;
            allow 192.0.2.0/24;
            deny all;
            auth_basic inside;
            auth_basic_user_file %%DIR%%/users;
            ezw_rate rate=1r/h burst=2;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /any_request/ {
            satisfy any;
            auth_request /asked/;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /asked/ { ezw_gate scope=owner;
                           proxy_pass http://127.0.0.1:%%PORT:service%%; }
        location /any_onward/ {
            satisfy any;
            allow 192.0.2.0/24;
            deny all;
            try_files /none @onward;
        }
        location @onward { ezw_gate off;
                           proxy_pass http://127.0.0.1:%%PORT:service%%; }
        location /all/ {
            allow 192.0.2.0/24;
            deny all;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /all_request/ {
            satisfy all;
            auth_request /asked/;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:service%%;
        set $who $http_x_company|$http_x_key_id|$http_x_scope;
        location / { return 200 "<$who|$http_x_user>"; }
    }
}
CONF
EZW::write_file("$t->{dir}/users", 'jane:{PLAIN}password' . "\n");
$t->launch;

my $key = $demo->{key}{COMPANY};
my $name = "<$company|" . $t->key_id($key) . '|COMPANY|>';
my $owner = $demo->{key}{OWNER};
my $owner_name = "<$company|" . $t->key_id($owner) . '|OWNER|>';
my $basic = 'Basic ' . encode_base64('jane:password', '');
my $wrong = 'Basic ' . encode_base64('jane:passwort', '');

# A request from ADDRESS, which another header cannot say.
sub from {
    my ($address, $path, $key, %headers) = @_;
    return $t->http(GET => $path, key => $key, headers => {
        'X-Address' => $address, %headers });
}

sub comes_in {
    my ($r, $name, $as) = @_;
    is($r->status, 200, "$name: comes in") || diag $r->as_text;
    is($r->body, $as, "$name: as");
    like($r->header('x-trace-id'), qr/^[0-9a-f]{32}$/, "$name: its trace");
    return;
}

my @nobody = (
    ['no key', undef, 'no_key', 401, 1001, 'Unauthorized: no API key'],
    ['an unknown key', $t->random_text(40), 'bad_key', 401, 1001,
     'Unauthorized: unknown API key'],
    ['an expired key', $t->key(company => $company, scope => 'COMPANY',
                               expires_at => '2020-01-01'),
     'expired', 401, 1001, 'Unauthorized: the API key has expired'],
    ['a small key', $demo->{key}{CHANNEL}, 'scope', 403, 1002,
     q{Access denied: the API key's scope is too small}],
    ['a key of other addresses', $t->key(company => $company,
                                         scope => 'COMPANY',
                                         whitelist => '{198.51.100.1}'),
     'address', 403, 1002, undef],
    ['a blocked company', $t->key(scope => 'COMPANY',
                                  company => $t->company(status => 'BLOCKED')),
     'company', 403, 1002, 'Access denied: the company is blocked'],
);

# satisfy any: by the address or by a key. With neither it is the gate that
# refuses, for what it asks for can be brought.
for my $path ('/any/x', '/any_onward/x') {
    comes_in(from('192.0.2.7', $path, $key), "$path, both", $name);
    comes_in(from('203.0.113.9', $path, $key), "$path, by a key", $name);
    for my $case (@nobody) {
        my ($who, $key, $gate, $status, $code, $message) = @$case;
        for my $n (1, 2) {
            comes_in(from('192.0.2.7', $path, $key),
                     "$path, $who, by the address, $n", '<|||>');
            my $r = from('203.0.113.9', $path, $key);
            is_refused($r, $status, $code, {
                message => $message // 'IP 203.0.113.9 is not whitelisted' },
                       "$path, $who, from elsewhere, $n");
            is($r->header('www-authenticate'),
               $status == 401 ? 'Bearer' : undef, "$path, $who: challenge");
        }
        wait_for(sub { 4 == (() = slurp("$t->{dir}/gate.log")
                             =~ m{^\Q$path\E \d+ gate=$gate }mg) }, 10,
                 'its log lines');
        my @companies = slurp("$t->{dir}/gate.log")
            =~ m{^\Q$path\E 200 gate=$gate company=(\S+)$}mg;
        is("@companies", '- -', "$path, $who: nobody in the log, too");
    }
}

# A header that anybody can send is no address.
is(from('203.0.113.9', '/any/x', undef, 'X-Forwarded-For' => '192.0.2.7')
    ->status, 401, 'an address that nobody has asked for');

# With a password: both challenges, and either is good.
my $r = from('192.0.2.7', '/any_basic/x', undef);
is($r->status, 401, 'neither key nor password');
is_deeply([sort split /, /, $r->header('www-authenticate')],
          ['Basic realm="inside"', 'Bearer'], 'what may be brought');
comes_in(from('192.0.2.7', '/any_basic/x', undef, Authorization => $basic),
         'by a password', '<|||jane>');
comes_in(from('192.0.2.7', '/any_basic/x', $key), 'by a key', $name);
is(from('192.0.2.7', '/any_basic/x', undef, Authorization => $wrong)->status,
   401, 'a wrong password');
is(from('192.0.2.7', '/any_basic/x', $demo->{key}{CHANNEL})->status, 401,
   'a small key and no password');
comes_in(from('192.0.2.7', '/any_basic/x', undef, Authorization => $basic,
              Authentication => "Bearer $demo->{key}{CHANNEL}"),
         'a password before a small key', '<|||jane>');
comes_in(from('192.0.2.7', '/any_basic/x', undef, Authorization => $basic,
              Authentication => "Bearer $key"),
         'a password before a key: Authorization comes first', '<|||jane>');

# Three ways, and a limit that is only a key's.
comes_in(from('192.0.2.7', '/any_three/x', undef), 'by the address', '<|||>')
    for 1 .. 5;
comes_in(from('203.0.113.9', '/any_three/x', undef, Authorization => $basic),
         'by the password', '<|||jane>') for 1 .. 5;
comes_in(from('203.0.113.9', '/any_three/x', $key), "by the key, $_", $name)
    for 1, 2;
is_refused(from('203.0.113.9', '/any_three/x', $key), 429, 1003,
           { message => 'Rate limit exceeded' }, 'by the key, 3');

# Another location's gate, by auth_request.
comes_in(from('192.0.2.7', '/any_request/x', $key), 'the own gate', $name);
comes_in(from('192.0.2.7', '/any_request/x', $owner), 'both', $owner_name);
is(from('192.0.2.7', '/any_request/x', undef)->status, 401, 'none');
is(from('192.0.2.7', '/any_request/x', $demo->{key}{CHANNEL})->status, 403,
   'none, with a small key');
comes_in(from('192.0.2.7', '/all_request/x', $owner), 'all: both',
         $owner_name);
is(from('192.0.2.7', '/all_request/x', $key)->status, 403,
   "all: one gate's key only");
is_refused(from('192.0.2.7', '/all_request/x', undef), 401, 1001,
           { message => 'Unauthorized: no API key' }, 'all: none');

# satisfy all, which is the default.
comes_in(from('192.0.2.7', '/all/x', $key), 'key and address', $name);
is_refused(from('192.0.2.7', '/all/x', undef), 401, 1001,
           { message => 'Unauthorized: no API key' }, 'the address only');
$r = from('203.0.113.9', '/all/x', $key);
is($r->status, 403, 'the key only');
like($r->body, qr/<html>/, "which is nginx's refusal, and not the gate's");
is_refused(from('203.0.113.9', '/all/x', undef), 401, 1001,
           { message => 'Unauthorized: no API key' }, 'neither');

done_testing;

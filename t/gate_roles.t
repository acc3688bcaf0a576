# The gate for people in front of a service: role=operator, admin, owner, each
# with its ID tokens; keys are for another gate, and tokens not for theirs.
# sanitizers

use File::Path qw(make_path);
use POSIX qw(floor);
use Time::HiRes qw(time);

use EZW;
use EZW::Token;

my $t = EZW->start(start => 0);
my $demo = $t->demo;
my $company = $demo->{company};

$t->write_config(<<'CONF');
%%MAIN%%
events { worker_connections 512; }
http {
    %%HTTP%%
    ezw_courier off;
    log_format gate '$uri $status gate=$ezw_gate company=$ezw_company '
                    'user=$ezw_user_id role=$ezw_role key=$ezw_key_id';
    proxy_set_header Authorization "";
    proxy_set_header X-Company $ezw_company;
    proxy_set_header X-Key-Id $ezw_key_id;
    proxy_set_header X-Scope $ezw_scope;
    proxy_set_header X-User $ezw_user_id;
    proxy_set_header X-Role $ezw_role;

    server {
        %%LISTEN%%
        %%LOCATIONS%%
        root %%DIR%%/html;
        access_log %%DIR%%/gate.log gate;
        set $seen $ezw_role;

        location /operator/ {
            ezw_gate role=operator;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /admin/ {
            ezw_gate role=admin;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /owner/ {
            ezw_gate role=owner;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
            location /owner/nested/ {
                proxy_pass http://127.0.0.1:%%PORT:service%%;
            }
        }
        location /onward/ { ezw_gate role=operator; try_files /none /owner/x; }
        location /ssi/ { ssi on; }
        location /key/ {
            ezw_gate scope=channel;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /rate/ {
            ezw_gate role=operator;
            ezw_rate user rate=1r/h burst=2;
            ezw_rate key off;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /any/ {
            ezw_gate role=owner;
            satisfy any;
            allow all;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:service%%;
        set $key $http_x_key_id|$http_x_scope;
        set $user $http_x_user|$http_x_role;
        location / { return 200 "<$http_x_company|$key|$user>"; }
    }
}
CONF
make_path("$t->{dir}/html/ssi", { mode => 0755 });
EZW::write_file("$t->{dir}/html/ssi/page.html",
                join '/', map { "<!--# include virtual=\"/$_/\" -->" }
                qw(operator admin owner));
$t->launch;

my $signer = EZW::Token->key(EZW::signing_key());
my @roles = qw(operator admin owner);
my %user = map { $_ => $t->user(company => $company, role => $_) } @roles;

# A session of the user, and an ID token of it.
sub token {
    my ($user, %claims) = @_;

    my $where = delete $claims{company} // $company;
    my $session = $t->uuid;
    $t->insert('session', company => $where, id => $session,
               user_id => $user, family => $session,
               refresh_hash => { hex => $session =~ tr/-//dr },
               expires_at => '2100-01-01');
    my $now = floor(time);
    return $signer->sign({
        iss => 'ezw', aud => 'ezw-workspace', sub => $user, org => $where,
        role => 'owner', mv => 1, sid => $session, iat => $now,
        exp => $now + 3600, %claims });
}

my %token = map { $_ => token($user{$_}) } @roles;

sub get {
    my ($path, $token) = @_;
    return $t->http(GET => $path, key => $token);
}

sub refused {
    my ($r, $status, $message, $name) = @_;
    is_refused($r, $status, $status == 401 ? 1001 : 1002,
               { message => $message }, $name);
    is($r->header('www-authenticate'), $status == 401 ? 'Bearer' : undef,
       "$name: WWW-Authenticate");
    return;
}

# A role has what is below it. What the token itself says of its role counts
# for nothing: all of them say owner.
my $may_not = 'Access denied: your role may not';
for my $mine (0 .. $#roles) {
    my $role = $roles[$mine];
    my $as = "<$company|||$user{$role}|$role>";
    for my $least (0 .. $#roles) {
        for my $n (1, 2) {
            my $path = "/$roles[$least]/x";
            my $r = get($path, $token{$role});
            if ($mine >= $least) {
                is($r->status . $r->body, "200$as", "$role at $path, $n");
                like($r->header('ratelimit'), qr/^"user";r=\d+;t=\d+$/,
                     "$role at $path, $n: the user's limit");
            } else {
                refused($r, 403, $may_not, "$role at $path, $n");
            }
        }
    }
    my $onward = get('/onward/x', $token{$role});
    my $nested = get('/owner/nested/x', $token{$role});
    if ($role eq 'owner') {
        is($_->body, $as, "$role, onward and nested") for $onward, $nested;
    } else {
        refused($_, 403, $may_not, "$role, onward and nested")
            for $onward, $nested;
    }
    my $error = qr/\{"error":\{"code":1002,"message":"\Q$may_not\E"\},
                    "traceId":"[0-9a-f]{32}"\}/x;
    my @parts = map { $mine >= $_ ? qr/\Q$as\E/ : $error } 0 .. $#roles;
    my $page = join '/', @parts;
    like(get('/ssi/page.html', $token{$role})->body, qr/^$page$/,
         "$role, a page of three");
    is(get('/any/x', $token{$role})->body, $role eq 'owner' ? $as : '<||||>',
       "$role, or anybody");
}

# Who he is, in the log; also of one who may not.
# Each line by the worker that wrote it, when its answer had left.
sub is_logged {
    my ($line, $name) = @_;
    ok(eval { wait_for(sub { slurp("$t->{dir}/gate.log") =~ /^$line$/m }) },
       $name) or diag slurp("$t->{dir}/gate.log");
    return;
}
for my $role (@roles) {
    my $who = "company=$company user=$user{$role} role=$role key=-";
    is_logged("/operator/x 200 gate=ok $who", "$role in the log");
    is_logged("/owner/x 403 gate=role $who", "$role refused, in the log")
        if $role ne 'owner';
}

# Keys and tokens, each at the other's gate; and nothing at either.
my $key = $demo->{key}{OWNER};
refused(get('/operator/x', $_), 403,
        'Access denied: API keys are for the integration API', 'a key')
    for $key, $demo->{key}{CHANNEL}, $t->random_text(40);
refused(get('/key/x', $_), 403,
        'Access denied: ID tokens are for the workspace API', 'a token')
    for $token{owner}, 'eyJhIjoxfQ.eyJhIjoxfQ.c2ln';
is(get('/key/x', $key)->body, "<$company|" . $t->key_id($key) . '|OWNER||>',
   'a key at its own gate is no user');
refused(get('/operator/x', undef), 401, 'Unauthorized: no ID token', 'nothing');
refused(get('/key/x', undef), 401, 'Unauthorized: no API key', 'nothing');
for my $bad ('x', 'a.b.c', $token{owner} . 'x', substr($token{owner}, 1)) {
    my $r = get('/operator/x', $bad);
    is_refused($r, 401, 1001, { message => qr/^Unauthorized: / }, 'no token');
}

# Of another company: there, and as there.
my $second = $t->company;
$t->insert('membership', company => $second, user_id => $user{owner},
           role => 'operator');
my $there = token($user{owner}, company => $second);
is(get('/operator/x', $there)->body, "<$second|||$user{owner}|operator>",
   'a role is that of the company');
refused(get('/admin/x', $there), 403, $may_not, 'not that of another');

# The limit is the user's, whichever of his tokens he sends.
is(get('/rate/x', $_)->status, 200, 'at his limit')
    for $token{admin}, token($user{admin});
my $r = get('/rate/x', token($user{admin}));
is_refused($r, 429, 1003, { message => 'Rate limit exceeded' }, 'beyond it');
is($r->header('ratelimit-policy'), '"user";q=2;w=7200', 'his policy');
is(get('/rate/x', $token{operator})->status, 200, 'another has his own');

# What changes about people: no token outlives it.
for my $case (
    ['another role', $user{admin}, $token{admin}, '/admin/x',
     q{update ezw.membership set role = 'operator'
        where company = ? and user_id = ?}, [$company, $user{admin}]],
    ['a disabled member', $user{operator}, $token{operator}, '/operator/x',
     q{update ezw.membership set status = 'disabled'
        where company = ? and user_id = ?}, [$company, $user{operator}]],
    ['a disabled user', $user{owner}, $token{owner}, '/owner/x',
     'update ezw.app_user set enabled = false where id = ?', [$user{owner}]],
) {
    my ($name, $user, $token, $path, $sql, $values) = @$case;
    is(get($path, $token)->status, 200, "$name: before");
    $t->sql($sql, @$values);
    wait_for(sub { get($path, $token)->status == 401 }, 10, $name);
    is_refused(get($path, $token), 401, 1001,
               { message => qr/^Unauthorized: / }, $name);
}

done_testing;

# nginx's cache behind the gate: what it keeps goes to nobody without a key,
# each company has its own, and what the cache asks the service for by itself,
# slice by slice or in the background, it asks in the client's name.
# sanitizers

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
    log_format seen '$uri $http_range company=$http_x_company '
                    'key=$http_x_key_id trace=$http_x_trace';
    proxy_cache_path %%DIR%%/temp/cache keys_zone=cache:1m
                     use_temp_path=off;

    proxy_cache cache;
    proxy_cache_valid 200 206 1h;
    proxy_set_header X-Company $ezw_company;
    proxy_set_header X-Key-Id $ezw_key_id;
    proxy_set_header X-Trace $ezw_trace_id;
    add_header X-Cache $upstream_cache_status always;

    server {
        %%LISTEN%%
        %%LOCATIONS%%
        ezw_gate scope=company;

        location /kept/ {
            proxy_cache_key $ezw_company$uri;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /sliced/ {
            slice 1k;
            proxy_cache_key $ezw_company$uri$slice_range;
            proxy_set_header Range $slice_range;
            proxy_set_header X-Company $ezw_company;
            proxy_set_header X-Key-Id $ezw_key_id;
            proxy_set_header X-Trace $ezw_trace_id;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
        location /updated/ {
            proxy_cache_key $ezw_company$uri;
            proxy_cache_valid 200 1s;
            proxy_cache_use_stale updating;
            proxy_cache_background_update on;
            proxy_pass http://127.0.0.1:%%PORT:service%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:service%%;
        access_log %%DIR%%/service.log seen;
        root %%DIR%%/html;
        location / {
            add_header X-Trace-Id its-own;
            return 200 "for $http_x_company";
        }
        location /sliced/ { }
    }
}
CONF
mkdir "$t->{dir}/$_" for 'html', 'html/sliced';
my $long = join '', map { sprintf "%07d\n", $_ } 1 .. 1250;
EZW::write_file("$t->{dir}/html/sliced/x", $long);
$t->launch;

sub key { return $t->key(company => $company, scope => 'COMPANY', @_) }

# The service's log, one line of words a request; COUNT of them are waited for: a
# line is written when its answer has left.
sub seen {
    my ($path, $count) = @_;
    my @lines;
    wait_for(sub {
        @lines = slurp("$t->{dir}/service.log") =~ m{^\Q$path\E (.*)$}mg;
        return @lines >= ($count // 0);
    }, 60, "$path in the service's log");
    return \@lines;
}

sub refused {
    my ($path) = @_;
    for my $case ([undef, 401], [$t->random_text(40), 401],
                  [key(revoked_at => '2020-01-01'), 401],
                  [$demo->{key}{CHANNEL}, 403])
    {
        my ($key, $status) = @$case;
        my $r = $t->http(GET => $path, key => $key);
        is_refused($r, $status, $status == 401 ? 1001 : 1002, {},
                   "$path without a key that may");
        is($r->header('x-cache'), undef, "$path: the cache was not asked");
    }
    return;
}


# What is kept: for who has a key, of his company, with a trace of its own.
refused('/kept/x');
my %other = (company => $t->company);
my @keys = ([$company, key()], [$company, key()],
            [$other{company}, key(%other)], [$other{company}, key(%other)]);
my %traces;
for my $n (0 .. $#keys) {
    my ($company, $key) = @{ $keys[$n] };
    my $r = $t->http(GET => '/kept/x', key => $key);
    is($r->body, "for $company", "key $n: of the company");
    is($r->header('x-cache'), $n % 2 ? 'HIT' : 'MISS', "key $n: is kept");
    like($r->header('x-trace-id'), qr/^[0-9a-f]{32}$/, "key $n: one trace");
    like($r->header('ratelimit'), qr/^"key";r=\d+;t=\d+$/, "key $n: a limit");
    $traces{ $r->header('x-trace-id') } = 1;
}
is(scalar keys %traces, 4, 'a trace for each request');
refused('/kept/x');
is(scalar @{ seen('/kept/x', 2) }, 2, 'the service was asked for each company');


# In slices, each asked for in a subrequest.
refused('/sliced/x');
my $key = key();
my $id = $t->key_id($key);
my $r = $t->http(GET => '/sliced/x', key => $key);
ok($r->body eq $long, 'a long answer in slices');
my $trace = $r->header('x-trace-id');
is_deeply([sort @{ seen('/sliced/x', 10) }], [sort map {
    sprintf 'bytes=%d-%d company=%s key=%s trace=%s', $_ * 1024,
        $_ * 1024 + 1023, $company, $id, $trace } 0 .. 9],
    "each slice in the client's name");
ok($t->http(GET => '/sliced/x', key => key())->body eq $long,
   'again, out of the cache');
is($t->http(GET => '/sliced/x', key => $key, headers => {
    Range => 'bytes=3000-3099' })->body, substr($long, 3000, 100), 'a range');
is(scalar @{ seen('/sliced/x') }, 10, 'of which the service has not heard');
refused('/sliced/x');


# Updated in the background. What follows the first answer at once may miss too:
# the file takes its place in the cache after the answer has gone.
is($t->http(GET => '/updated/x', key => $key)->header('x-cache'), 'MISS',
   'the first');
wait_for(sub {
    my $r = $t->http(GET => '/updated/x', key => $key);
    $trace = $r->header('x-trace-id');
    is($r->body, "for $company", 'kept')
        if ($r->header('x-cache') // '') ne 'HIT';
    return $r->header('x-cache') eq 'STALE';
}, 10, 'it is stale');
my ($update) = wait_for(sub {
    my @of = grep { /trace=$trace$/ } @{ seen('/updated/x') };
    return @of && $of[0];
}, 10, 'the update');
is($update, "- company=$company key=$id trace=$trace",
   "the update in the client's name");
is($t->http(GET => '/updated/x', key => $key)->body, "for $company",
   'and what is kept is his');

done_testing;

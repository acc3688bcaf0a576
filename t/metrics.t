# /metrics: every line of it is of the exposition format, and what it counts is
# what was asked for: over several workers, a reload and a killed one.
# sanitizers

use EZW;
use EZW::Issuer;

my %server = (server => 'location = /metrics { ezw_metrics; }');

# The text as {"name{label="value",...}" => value}, labels sorted; and, family
# by family, {type, samples}. Dies of anything that is not in the format.
sub parse {
    my ($text) = @_;

    my (%value, %family, $current, %helped);
    die "no line end at the end\n" if $text !~ /\n\z/;
    for my $line (split /\n/, $text, -1) {
        next if $line eq '';
        if ($line =~ /^# HELP ([a-z_]+) (\S.*)$/) {
            die "$1 has HELP twice\n" if $helped{$1}++;
            die "HELP with a backslash: $line\n" if $2 =~ /\\/;
            $current = $1;
            next;
        }
        if ($line =~ /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/) {
            die "TYPE of $1 without its HELP before\n"
                if !defined $current || $current ne $1 || $family{$1};
            $family{$1} = { type => $2, samples => [] };
            next;
        }
        my ($name, $labels, $value) = $line
            =~ /^([a-z_]+)(?:\{([^}]*)\})? ([0-9]+(?:\.[0-9]+)?)$/
            or die "not a sample: $line\n";
        my $type = $family{$current // ''} or die "before any TYPE: $line\n";
        my $suffix = substr $name, 0, length $current, '';
        die "$line stands under $current\n" if $suffix ne $current;
        die "$line: suffix\n"
            if $name ne '' && ($type->{type} ne 'histogram'
                               || $name !~ /^_(bucket|sum|count)$/);
        die "$current: a counter ends in _total\n"
            if ($type->{type} eq 'counter') != ($current =~ /_total$/);
        my %label;
        my $rest = $labels // '';
        while ($rest =~ s/^([a-z]+)="((?:[^"\\]|\\["\\n])*)"(?:,(?=.)|$)//) {
            die "$line: $1 twice\n" if exists $label{$1};
            $label{$1} = $2;
        }
        die "$line: labels\n" if $rest ne '' || ($labels // 'x') eq '';
        my $key = "$current$name" . (!%label ? '' : '{'
            . join(',', map { qq($_="$label{$_}") } sort keys %label) . '}');
        die "$key is there twice\n" if exists $value{$key};
        $value{$key} = $value;
        push @{ $type->{samples} }, { suffix => $name, label => \%label,
                                      value => $value };
    }
    for my $name (keys %family) {
        die "$name has no sample\n"
            if !@{ $family{$name}{samples} }
                && $family{$name}{type} ne 'histogram';
        check_histogram($name, $family{$name}{samples})
            if $family{$name}{type} eq 'histogram';
    }
    return { value => \%value, family => \%family };
}

# Of each set of labels: buckets that rise in bound and in count, the last is
# +Inf and the count.
sub check_histogram {
    my ($name, $samples) = @_;

    my %series;
    for my $s (@$samples) {
        my %label = %{ $s->{label} };
        my $le = delete $label{le};
        my $of = $series{ join ',', map { "$_=$label{$_}" } sort keys %label }
            //= { buckets => [] };
        if ($s->{suffix} eq '_bucket') {
            push @{ $of->{buckets} }, [$le, $s->{value}];
        } else {
            die "$name$s->{suffix} has le\n" if defined $le;
            $of->{ $s->{suffix} } = $s->{value};
        }
    }
    for my $labels (keys %series) {
        my ($of, $bound, $count) = ($series{$labels}, -1, 0);
        for my $bucket (@{ $of->{buckets} }) {
            my ($le, $n) = @$bucket;
            my $at = $le eq '+Inf' ? 9e99 : $le;
            die "$name $labels: bound $le\n" if $at <= $bound;
            die "$name $labels: $n at $le after $count\n" if $n < $count;
            ($bound, $count) = ($at, $n);
        }
        die "$name $labels: no +Inf\n" if $bound != 9e99;
        die "$name $labels: its count\n" if $of->{_count} != $count;
        die "$name $labels: no sum\n" if !defined $of->{_sum};
    }
    return;
}

# What /metrics says now.
sub metrics {
    my ($t) = @_;

    my $r = $t->http(GET => '/metrics');
    die $r->as_text if $r->status != 200;
    return parse($r->body);
}

sub value { return metrics($_[0])->{value}{ $_[1] } }

sub requests {
    my ($endpoint, $method, $code, $api) = @_;

    return sprintf 'ezw_requests_total{api="%s",code="%s",endpoint="%s",'
        . 'method="%s"}', $api // 'v3', $code, $endpoint, $method;
}

sub verdicts { return qq(ezw_gate_verdicts_total{verdict="$_[0]"}) }

# Waits until these keys have these values: a request is counted after its
# answer has left.
sub counts {
    my ($t, $name, %want) = @_;

    my %got;
    eval {
        wait_for(sub {
            my $value = metrics($t)->{value};
            %got = map { $_ => $value->{$_} } keys %want;
            return !grep { ($got{$_} // 'missing') ne $want{$_} } keys %want;
        }, 5, $name);
    };
    is_deeply(\%got, \%want, $name);
    return;
}


# The parser finds what is wrong.
my $right = "# HELP a_total A.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n";
ok(eval { parse($right) }, 'the parser takes what is right');
for my $wrong (
    "a_total 1\n", substr($right, 0, -1), "$right$right",
    $right =~ s/a_total\{/b_total{/r, $right . "a_total{b=\"c\"} 2\n",
    $right =~ s/ 1$/ x/mr, $right =~ s/"c"/"c/r, $right =~ s/counter/gauge/r,
    $right =~ s/"c"/"c",b="d"/r, $right =~ s/# TYPE.*\n//r,
    "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\n"
        . "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
    "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\n"
        . "h_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 1\n",
    "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\n"
        . "h_count 1\n",
) {
    ok(!eval { parse($wrong) }, 'the parser refuses: ' . $@ =~ s/\n.*//sr);
}


# Four workers, sixteen clients.
my $t = EZW->start(workers => 4, allow_kill => 1, %server);
my $demo = $t->demo;
my $base = "/v3/channels/$demo->{channel}";
my $nobody = $t->contact_jid;
my @kinds = (
    [key_current => GET => '2xx', 'ok',
     [GET => '/v3/keys/current', key => $demo->{key}{OWNER}]],
    [key_current => GET => '2xx', 'ok',
     [HEAD => '/v3/keys/current', key => $demo->{key}{OWNER}]],
    [key_current => GET => '4xx', 'no_key', [GET => '/v3/keys/current']],
    [contact_get => GET => '4xx', 'bad_key',
     [GET => "$base/contacts/$nobody", key => 'x' x 40]],
    [contact_get => GET => '4xx', 'ok',
     [GET => "$base/contacts/$nobody", key => $demo->{key}{COMPANY}]],
    [message_send => POST => '2xx', 'ok',
     [POST => "$base/messages/$demo->{contact}", key => $demo->{key}{COMPANY},
      json => { type => 'text', body => 'hello' }]],
    [conversation_get => GET => '4xx', 'scope',
     [GET => "$base/conversations/$demo->{contact}",
      key => $demo->{key}{CHANNEL}]],
    [none => any => '4xx', 'no_route', [GET => '/v3/nothing']],
    [none => any => '4xx', 'no_route', [PUT => '/v3/keys/current']],
);

my %want;
my $before = metrics($t);
is(scalar(grep { $_ } map { $before->{value}{$_} }
          grep { /^ezw_(requests|gate_verdicts)_total/ }
          keys %{ $before->{value} }), 0, 'nothing is counted yet');
is(scalar @{ $before->{family}{ezw_request_duration_seconds}{samples} }, 0,
   'no histogram of what nobody has asked for');

my @requests;
for my $n (0 .. 899) {
    my ($endpoint, $method, $code, $verdict, $request)
        = @{ $kinds[$n % @kinds] };
    push @requests, $request;
    $want{ requests($endpoint, $method, $code) }++;
    $want{ verdicts($verdict) }++;
}
my $next = 0;
EZW::Load::run(port => $t->port, clients => 16, open_connection => 1,
               next => sub { return $requests[$next++] }, done => sub { });
is(scalar(keys %want), 6 + 5, 'kinds of answers');
counts($t, 'counted exactly', %want);

my $now = metrics($t);
my %total;
for my $s (@{ $now->{family}{ezw_requests_total}{samples} }) {
    $total{ $s->{label}{endpoint} } += $s->{value};
}
is($total{$_->{label}{endpoint}}, $_->{value},
   "histogram of $_->{label}{endpoint}: all of its requests")
    for grep { $_->{suffix} eq '_count' }
        @{ $now->{family}{ezw_request_duration_seconds}{samples} };
is(scalar(grep { $_->{suffix} eq '_count' }
          @{ $now->{family}{ezw_request_duration_seconds}{samples} }), 5,
   'a histogram of each endpoint that was asked for');
my ($sum) = map { $_->{value} } grep {
    $_->{suffix} eq '_sum' && $_->{label}{endpoint} eq 'message_send'
} @{ $now->{family}{ezw_request_duration_seconds}{samples} };
cmp_ok($sum, '>', 0, 'sends took time');
cmp_ok($sum, '<', 100 * 10, 'and not for ever');

# Endpoints, the same ones as the module serves, and nobody's name.
my %endpoints = map { $_->{label}{endpoint} => 1 }
    @{ $now->{family}{ezw_requests_total}{samples} };
ok($endpoints{$_}, "$_ is among the endpoints")
    for qw(key_current channel_list contact_delete conversation_update);
my $text = $t->http(GET => '/metrics')->body;
for my $secret ($demo->{company}, $demo->{channel}, $demo->{contact},
                values %{ $demo->{key} }, $t->key_id($demo->{key}{OWNER}))
{
    unlike($text, qr/\Q$secret\E/, 'neither company nor key');
}

# How long: one that waits for a lock is in no bucket below its time.
my $other = $t->{postgres}->dbh($t->{dbname});
my $bucket = 'ezw_request_duration_seconds_bucket{api="v3",'
    . 'endpoint="channel_list",le="%s",method="GET"}';
$other->begin_work;
$other->do('lock table ezw.channel in access exclusive mode');
my $waiting = $t->client;
$waiting->send_request(GET => '/v3/channels', key => $demo->{key}{OWNER});
wait_for(sub {
    return $t->value(q{select count(*) from pg_stat_activity
                        where datname = current_database()
                          and wait_event_type = 'Lock'});
}, 5, 'a statement that waits');
counts($t, 'under way', 'ezw_requests_open' => 1, ezw_workers => 4);
$t->sql('select pg_sleep(0.06)');
$other->rollback;
is($waiting->read_response('GET')->status, 200, 'then it is answered');
$want{ requests('channel_list', 'GET', '2xx') }++;
$want{ verdicts('ok') }++;
counts($t, 'its time', sprintf($bucket, '+Inf') => 1,
       sprintf($bucket, '0.05') => 0, 'ezw_requests_open' => 0);

# Who leaves before the answer is among the 4xx, as in the access log.
$other->begin_work;
$other->do('lock table ezw.channel in access exclusive mode');
my $leaver = $t->client;
$leaver->send_request(GET => '/v3/channels', key => $demo->{key}{OWNER});
counts($t, 'under way', 'ezw_requests_open' => 1);
$leaver->reset;
counts($t, 'gone', 'ezw_requests_open' => 0,
       requests('channel_list', 'GET', '4xx') => 1);
$other->rollback;
$want{ requests('channel_list', 'GET', '4xx') }++;
$want{ verdicts('ok') }++;

# A subrequest is no request of its own; what the gate said of it is counted.
my $auth = EZW->start(like => $t, %server, server => <<'END');
location = /metrics { ezw_metrics; }
        location /app/ {
            auth_request /auth;
            return 204;
        }
        location /site/ {
            auth_request /auth;
            root %%DIR%%;
        }
        location = /auth {
            internal;
            rewrite ^ /v3/keys/current last;
        }
        location /team/ {
            ezw_gate scope=company;
            ezw_rate key rate=1r/m burst=2;
            error_page 404 = @elsewhere;
            root %%DIR%%;
        }
        location @elsewhere { return 204; }
END
my $k = requests('key_current', 'GET', '2xx');
is($auth->http(GET => '/site/nothing', key => $demo->{key}{OWNER})->status,
   404, 'past the gate by auth_request');
is($auth->http(GET => '/site/nothing')->status, 401, 'not past it');
is($auth->http(GET => '/v3/keys/current', key => $demo->{key}{OWNER})->status,
   200, 'one of its own');
counts($auth, 'of the subrequest only the verdict', $k => 1,
       requests('key_current', 'GET', '4xx') => 0,
       verdicts('ok') => 2, verdicts('no_key') => 1);

# The gate before somebody else's location, which redirects to one without.
my $team = requests('gated', 'any', '%s', 'none');
for my $case ([OWNER => 204], [OWNER => 204], [OWNER => 429], [CHANNEL => 403],
              [CHANNEL => 403])
{
    my ($scope, $status) = @$case;
    is($auth->http(GET => '/team/nothing', key => $demo->{key}{$scope})->status,
       $status, "a gated location: $scope $status");
}
counts($auth, 'each once', sprintf($team, '2xx') => 2,
       sprintf($team, '4xx') => 3, sprintf($team, '5xx') => 0,
       verdicts('ok') => 4, verdicts('rate') => 1, verdicts('scope') => 2);
ok($auth->stop, 'the other one ends');

# Every verdict that the sources speak of has a name of its own here.
my %verdicts = map { $_->{label}{verdict} => 1 }
    @{ $now->{family}{ezw_gate_verdicts_total}{samples} };
my $sources = join '', map { slurp($_) }
    glob "$EZW::ROOT/ngx_ezw_module/{gate,req,api,core}/*.c";
my %spoken;
while ($sources =~ /(?:gate_refuse\(ctx,\s*&?\w+,|refuse_token\(ctx,
                       |ctx->verdict\ =(?:\ ctx->\w+\ \?\ "(\w+)"\ :)?)
                    \s*"(\w+)"/gx)
{
    $spoken{$_} = 1 for grep { defined } $1, $2;
}
is_deeply([grep { !$verdicts{$_} } sort keys %spoken], [],
          'every verdict is counted by its name');
is_deeply([grep { !$spoken{$_} } sort keys %verdicts], ['other'],
          'and there is no other one');

# HEAD, other methods, other callers.
my $head = $t->http(HEAD => '/metrics');
is($head->status, 200, 'HEAD');
is($head->body, '', 'HEAD: no body');
is($head->header('content-type'), 'text/plain; version=0.0.4; charset=utf-8',
   'its type');
is($head->header('cache-control'), 'no-store', 'not to be stored');
like($head->header('content-length'), qr/^\d{4,}$/, 'HEAD: its length');
for my $method (qw(POST PUT PATCH DELETE OPTIONS)) {
    my $r = $t->http($method => '/metrics', body => 'x' x 10_000);
    is_refused($r, 405, 1005, { message => 'Method not allowed' }, $method);
    is($r->header('allow'), 'GET, HEAD', "$method: Allow");
}

# What the workers tell of the database, once what they do on their own (uses
# of keys, the change sequence) is not just waiting.
my @lanes = qw(read write single slow);
my $state;
is(wait_for(sub {
    $state = metrics($t)->{value};
    return $state->{ezw_workers} == 4
        && $state->{ezw_database_connections}
           == $t->value(q{select count(*) from pg_stat_activity
                           where usename = 'ezw_app'
                             and datname = current_database()})
        && $state->{ezw_changes_age_seconds} < 2
        && !grep { $state->{qq(ezw_database_queued{lane="$_"})} } @lanes;
}, 60, 'all workers tell of their connections'), 1, 'connections');
is($state->{ezw_worker_starts_total}, 4, 'four workers have started');
cmp_ok($state->{ezw_database_statements_total}, '>=', 100,
       'statements were sent');
cmp_ok($state->{ezw_database_groups_total}, '<=',
       $state->{ezw_database_statements_total}, 'in groups');
is($state->{qq(ezw_database_queued{lane="$_"})}, 0, "nobody waits: $_")
    for @lanes;
cmp_ok($state->{ezw_changes_age_seconds}, '<', 2, 'changes are asked for');

# A killed worker takes nothing with it.
my %stays = (%want, ezw_workers => 4);
my $statements = $state->{ezw_database_statements_total};
for my $n (1 .. 3) {
    $t->kill_worker;
    counts($t, 'after a killed worker', %stays,
           ezw_worker_starts_total => 4 + $n);
}
cmp_ok(value($t, 'ezw_database_statements_total'), '>=', $statements,
       'what a worker has counted outlives it');

# Nor does a reload.
$t->reload(wait_old => 1);
counts($t, 'after a reload', %stays, ezw_worker_starts_total => 7 + 4);
is($t->http(GET => '/v3/keys/current')->status, 401, 'one more');
$want{ requests('key_current', 'GET', '4xx') }++;
$want{ verdicts('no_key') }++;
counts($t, 'it goes on counting', %want);

# A zone of another size begins anew, a restart as well.
my $config = slurp("$t->{dir}/nginx.conf");
$config =~ s/http \{/http {\n    ezw_status_zone zone=counts:1m;/ or die;
$t->write_config($config);
$t->reload(wait_old => 1);
counts($t, 'a new zone begins anew', ezw_workers => 4,
       ezw_worker_starts_total => 4,
       requests('key_current', 'GET', '2xx') => 0);
$t->write_config($config =~ s/zone=counts:1m/zone=counts:256k/r);
$t->reload(wait_old => 1);
counts($t, 'and one of another size', ezw_workers => 4,
       ezw_worker_starts_total => 4);
is($t->http(GET => '/v3/keys/current')->status, 401, 'it counts');
counts($t, 'in fewer shards', requests('key_current', 'GET', '4xx') => 1);
$t->restart;
counts($t, 'a restart begins anew', ezw_worker_starts_total => 4,
       requests('key_current', 'GET', '4xx') => 0);

# A small zone of keys, and a name that has to be escaped.
my $small = EZW->start(like => $t, %server, http => 'ezw_courier off;',
                       key_zone => q('zone=a"b\\\\c:32k'));
my $zone = 'zone="a\\"b\\\\c"';
my %of = (company => $demo->{company}, scope => 'CHANNEL');
my @keys = map { $t->key(%of) } 1 .. 150;
my $gauges = metrics($small)->{value};
is($gauges->{"ezw_zone_evictions_total{$zone}"}, 0, 'nothing evicted yet');
cmp_ok($gauges->{"ezw_zone_blocks{$zone}"}, '>', 100, 'it has blocks');
# (The node's first look at the changes empties the zone once more.)
sub entries {
    my ($good, $negative, @keys) = @_;
    ok(eval { wait_for(sub {
        $small->http(GET => '/v3/keys/current', key => $_) for @keys;
        $gauges = metrics($small)->{value};
        return $gauges->{"ezw_zone_entries{kind=\"good\",$zone}"} == $good
            && $gauges->{"ezw_zone_entries{kind=\"negative\",$zone}"}
               == $negative;
    }) }, "$good keys, and $negative that are none");
    return;
}
entries(10, 0, @keys[0 .. 9]);
cmp_ok($gauges->{"ezw_zone_blocks_used{$zone}"}, '>=', 10, 'their blocks');
entries(10, 3, @keys[0 .. 9], map { $small->random_text(40) } 1 .. 3);
$small->http(GET => '/v3/keys/current', key => $_) for @keys;
$gauges = metrics($small)->{value};
cmp_ok($gauges->{"ezw_zone_evictions_total{$zone}"}, '>', 20, 'evictions');
cmp_ok($gauges->{"ezw_zone_entries{kind=\"good\",$zone}"}, '<', 150,
       'not all fit');
cmp_ok($gauges->{"ezw_zone_blocks_used{$zone}"}, '<=',
       $gauges->{"ezw_zone_blocks{$zone}"}, 'within its blocks');
is($gauges->{"ezw_zone_refused_total{$zone}"}, 0, 'none refused');
my @channels = map { $t->channel(company => $demo->{company}) } 1 .. 900;
my $large = $t->key(%of, channels => \@channels);
is($small->http(GET => '/v3/keys/current', key => $large)->status, 200,
   'a key larger than the zone');
is(value($small, "ezw_zone_refused_total{$zone}"), 1, 'is refused there');
is(value($small, "ezw_zone_rebuilt_total{$zone}"), 0, 'never rebuilt');

# Requests to other servers: each worker fetches an issuer's keys at its start.
my $issuer = EZW::Issuer->start_trusted(
    port => EZW::claim_port(), dir => "$EZW::RUNS/metrics-issuer",
    kids => { first => 'ES256' });
my $caller = EZW->start(like => $t, %server, http => $issuer->directive);
counts($caller, 'answered', ezw_outbound_answered_total => 2,
       ezw_outbound_failed_total => 0, ezw_outbound_refused_total => 0,
       ezw_outbound_running => 0, ezw_outbound_queued => 0);
$issuer->fail_at('hang');
$caller->reload(wait_old => 1);
counts($caller, 'under way', ezw_outbound_answered_total => 2,
       ezw_outbound_running => 2);
$issuer->stop;
wait_for(sub { value($caller, 'ezw_outbound_failed_total') >= 2 }, 10,
         'failures');

# Without a database there is less to tell.
my $bare = EZW->start(like => $t, ready => 0, config => <<'END');
%%MAIN%%
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path %%DIR%%/temp/body;
    proxy_temp_path %%DIR%%/temp/proxy;
    fastcgi_temp_path %%DIR%%/temp/fastcgi;
    uwsgi_temp_path %%DIR%%/temp/uwsgi;
    scgi_temp_path %%DIR%%/temp/scgi;
    server {
        %%LISTEN%%
        location = /metrics { ezw_metrics; }
    }
}
END
counts($bare, 'no database', ezw_workers => 2, ezw_database_connections => 0,
       requests('key_current', 'GET', '2xx') => 0);
is(scalar(grep { /^ezw_zone/ } keys %{ metrics($bare)->{value} }), 0,
   'no zones');

done_testing;

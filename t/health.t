# /healthz: the worker answers. /readyz: it can serve, and if not, why; and it
# finds out by itself that it can again.

use EZW;

my $newest = (sort { $b <=> $a } map { m{/0*(\d+)_[^/]*\.sql$} }
              glob "$EZW::ROOT/ngx_ezw_module/sql/schema/*.sql")[0];

# What every answer of both has.
sub is_health {
    my ($r, $status, $json, $name) = @_;

    is_answer($r, $status, $json, $name);
    is($r->header('cache-control'), 'no-store', "$name: not to be stored");
    is($r->header('content-length'), length $r->body, "$name: its length");
    is($r->header('retry-after'), $status == 503 ? 1 : undef,
       "$name: Retry-After");
    like($r->header('x-trace-id'), qr/^[0-9a-f]{32}$/, "$name: a trace");
    return;
}

my %ok = (status => 'ok');
sub unavailable { return { status => 'unavailable', reason => $_[0] } }

# All is well.
my $t = EZW->start;
my $demo = $t->demo;
is_health($t->http(GET => $_), 200, \%ok, $_) for '/healthz', '/readyz';
for my $path ('/healthz', '/readyz') {
    my $head = $t->http(HEAD => $path);
    is($head->status, 200, "HEAD $path");
    is($head->body, '', "HEAD $path: no body");
    is($head->header('content-length'),
       length $t->http(GET => $path)->body, "HEAD $path: its length");
    for my $method (qw(POST PUT DELETE PATCH OPTIONS)) {
        is_refused($t->http($method => $path, body => 'x' x 10_000), 405, 1005,
                   { message => 'Method not allowed' }, "$method $path");
    }
    is($t->http(GET => "$path?x=%ff", body => 'x' x 10_000)->status, 200,
       "$path looks at nothing");
    is($t->http(GET => "$path/x")->status, 404, "$path has nothing below it");
}

# A database that is not there, from the start; a known key does not help.
sub asks {
    my ($t, $reason, $name) = @_;

    my $r = wait_for(sub {
        my $r = $t->http(GET => '/readyz');
        my $is = $r->status == 503 ? $r->json->{reason} : '';
        return ($is ne 'connecting to the database' && $r);
    }, 10, "/readyz knows: $name");
    is_health($r, 503, unavailable($reason), $name);
    is_health($t->http(GET => '/healthz'), 200, \%ok, "$name: alive");
    my $refused = $t->http(GET => '/v3/companies/current',
                           key => $demo->{key}{COMPANY});
    is_refused($refused, 503, 1003, { message => 'Service unavailable' },
               "$name: the API");
    is($refused->header('retry-after'), 1, "$name: the API's Retry-After");
    is_refused($t->http(GET => '/v3/companies/current'), 401, 1001,
               { message => 'Unauthorized: no API key' },
               "$name: no key is no key");
    is($t->http(GET => '/v3/nothing')->status, 404, "$name: no path is no path");
    return;
}

my $away = EZW->start(like => $t, ready => 0, pg_host => '127.0.0.1',
                      pg_port => $t->port('nothing'));
asks($away, 'the database cannot be reached', 'no database');

# Of another schema: older, newer, none; each is found out without a restart.
# (One worker: each of them finds out for itself.)
my %version = (
    older => [$newest - 1, "this module speaks $newest: run ./ezw migrate"],
    newer => [$newest + 1, "this module speaks $newest: deploy a newer module"],
);
for my $case (sort keys %version) {
    my ($version, $rest) = @{ $version{$case} };
    my $other = EZW->start(ready => 0, start => 0, workers => 1);
    $other->sql('delete from ezw.migration where version >= ?', $newest - 1);
    $other->sql(q{insert into ezw.migration (version, name, sha256)
                  values (?, 'test', 'test')}, $version);
    $other->launch;
    asks($other, "the database has schema version $version, $rest",
         "a schema that is $case");

    $other->sql('update ezw.migration set version = ? where name = ?',
                $newest, 'test');
    wait_for(sub { $other->http(GET => '/readyz')->status == 200 }, 10,
             'ready once it is the right one');
    is_health($other->http(GET => '/readyz'), 200, \%ok, "no longer $case");
}

my $empty = EZW->start(ready => 0, start => 0, workers => 1);
$empty->sql('set client_min_messages = warning');
$empty->sql('drop schema ezw cascade');
$empty->launch;
asks($empty, 'the database has no ezw schema that this role can read (42P01):'
     . ' run ./ezw migrate', 'no schema');

my $locked = EZW->start(ready => 0, start => 0, workers => 1);
$locked->sql('revoke usage on schema ezw from ezw_runtime');
$locked->launch;
asks($locked, 'the database has no ezw schema that this role can read (42501):'
     . ' run ./ezw migrate', 'no rights');
$locked->sql('grant usage on schema ezw to ezw_runtime');
wait_for(sub { $locked->http(GET => '/readyz')->status == 200 }, 10,
         'ready once it may');

# No reason names the host, the user or the password.
for my $instance ($away, $empty, $locked) {
    unlike($instance->http(GET => '/readyz')->body,
           qr/ezw_app|127\.0\.0\.1|\Q$instance->{dbname}\E/, 'nothing inside');
}

done_testing;

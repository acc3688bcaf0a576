# A reload that fails leaves what there was: a worker that is born afterwards
# serves as the others do.

use IO::Socket::INET ();

use EZW;

my $t = EZW->start(workers => 1, allow_kill => 1, allow => [qr/\[emerg\]/]);
my $demo = $t->demo;
is($t->http(GET => '/v3/keys/current', key => $demo->{key}{OWNER})->status, 200,
   'before');

my $busy = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
    or die "listen: $!";
my $port = $busy->sockport;
$t->write_config(slurp("$t->{dir}/nginx.conf")
                     =~ s/(\n\s*server \{)/$1 listen 127.0.0.1:$port;/r);
kill 'HUP', $t->{pid};
wait_for(sub { $t->error_log =~ /still could not bind/ }, 20,
         'a failed reload');

$t->kill_worker;
wait_for(sub { $t->http(GET => '/readyz')->status == 200 }, 10, 'ready');
my $key = $t->key(company => $demo->{company}, scope => 'OWNER');
for my $path ('/v3/keys/current', '/v3/channels') {
    is($t->http(GET => $path, key => $key)->status, 200, "$path, $_") for 1 .. 3;
}

done_testing;

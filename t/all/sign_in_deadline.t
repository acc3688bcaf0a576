# A sign-in that no thread has come to, or come to an end with, is told so after
# fifteen seconds; what waited with it costs nothing then.

use EZW;
use Time::HiRes qw(time);

my $t = EZW->start(workers => 1, http => 'ezw_password_threads 1 queue=100;');
my $company = $t->company;
$t->hasten_hashes;

# One takes some sixteen times as long as today's.
my $slow = EZW::Seed::password_hash('correct horse', ln => 19);
my @emails = map { "p$_\@example.com" } 1 .. 30;
$t->user(company => $company, email => $_, hash => $slow) for @emails;
$t->user(company => $company, email => 'jane@example.com',
         password => 'correct horse');

my $began = time;
my @answers = EZW::Load::parallel([map {
    [POST => '/api/auth/login',
     json => { email => $_, password => 'another one' }]
} @emails], port => $t->port, timeout => 40);
my @late = grep { $_->status != 401 } @answers;
cmp_ok(scalar(@late), '>', 5, 'some come too late');
cmp_ok(scalar(@late), '<', 30, 'but not all');
for my $r (@late) {
    is_workspace_refused($r, 503, 'unavailable',
                         { message => 'Service is overloaded' }, 'too late');
    is($r->header('retry-after'), 1, 'Retry-After');
    cmp_ok($r->{ended} - $r->{started}, '>', 14.5, 'not before');
    cmp_ok($r->{ended} - $r->{started}, '<', 18 * $EZW::Expect::PATIENCE,
           'nor long after');
}

# the one that was at work ends, the others do not begin
$began = time;
is($t->http(POST => '/api/auth/login', timeout => 40, json => {
    email => 'jane@example.com', password => 'correct horse' })->status, 200,
   'and then all is well');
cmp_ok(time - $began, '<', 6 * $EZW::Expect::PATIENCE, 'soon');

done_testing;

# That a key is none is believed for five seconds, however often it is sent
# meanwhile, and then the database is asked again: also when no change has told
# of the key.

use EZW;
use Time::HiRes qw(time);

my $t = EZW->start(workers => 2);
my $company = $t->company;
my $text = $t->random_text(40);

sub status { return $t->http(GET => '/v3/keys/current', key => $text)->status }

my $began = time;
is(status(), 401, 'no such key');

# A row that comes past the triggers which tell of changes, as a restored table
# does.
my $dbh = $t->dbh;
$dbh->do('set session_replication_role = replica');
$t->key(company => $company, scope => 'COMPANY', text => $text);
$dbh->do('set session_replication_role = origin');

for my $n (1 .. 5) {
    my $status = status();
    ok($status == 401 || time > $began + 5, "believed, $n")
        or diag $status;
}
wait_for(sub { status() == 200 }, 20, 'the database is asked again');
pass('and it is a key');

done_testing;

# ./ezw migrate: the same migrations on any Postgres, one at a time, each once;
# what was applied is not edited; the runtime role may do its work and nothing
# else; and the module says why it does not serve a schema that it does not
# know.

use EZW;

my $pg = EZW::Postgres->shared;
my @files = glob "$EZW::ROOT/ngx_ezw_module/sql/schema/*.sql";
my @versions = sort { $a <=> $b } map { m{/0*(\d+)_[^/]*$} } @files;
my $last = $versions[-1];

# A database without anything, owned as a team's own would be.
my $t = EZW->start(start => 0);
my $database = "$t->{dbname}_new";
my $admin = $pg->dbh('postgres');
$admin->do('set client_min_messages = error');
$admin->do("drop database if exists $database with (force)");
$admin->do("create database $database owner ezw_owner");
my $dbh = $pg->dbh($database);

# Runs it: (true if it succeeded, everything it said).
sub migrate {
    my ($options, %o) = @_;

    my $file = "$t->{dir}/" . ($o{output} // 'migrate');
    my $dbname = $o{dbname} // $database;
    my $status = system(
        "PGPASSFILE=$ENV{EZW_T}/template/owner $EZW::ROOT/ezw migrate --dsn "
        . "'host=$pg->{socket} port=$pg->{port} user=ezw_owner dbname=$dbname' "
        . "$options >$file 2>&1");
    return ($status == 0, slurp($file));
}

# Two at once: a lock makes one wait for the other.
my $pid = fork // die "fork: $!";
if (!$pid) {
    my ($ok) = migrate('', output => 'other');
    POSIX::_exit($ok ? 0 : 1);
}
my ($ok, $said) = migrate('');
waitpid $pid, 0;
ok($ok && $? == 0, 'two at once: both succeed') or diag($said);
my $both = $said . slurp("$t->{dir}/other");
is(scalar(() = $both =~ /^applied /mg), scalar(@files),
   'each migration is applied once');
is_deeply($dbh->selectcol_arrayref(
              'select version from ezw.migration order by version'),
          \@versions, 'and recorded');

($ok, $said) = migrate('');
ok($ok, 'once more');
is($said, "schema at version $last\n", 'there is nothing to do');

# The runtime role.
my $role = "$t->{dbname}_role";
$admin->do("drop role if exists $role");
($ok, $said) = migrate("--runtime-role $role");
ok($ok, 'a runtime role') or diag($said);
is_deeply(
    [sort @{ $dbh->selectrow_array(
        'select rolconfig from pg_roles where rolname = ?', undef, $role) }],
    ['deadlock_timeout=100ms', 'enable_seqscan=off',
     'idle_in_transaction_session_timeout=10s',
     'lock_timeout=250ms', 'plan_cache_mode=force_generic_plan',
     'statement_timeout=5s'], 'its settings');
is_deeply($dbh->selectrow_arrayref(
    'select rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls
       from pg_roles where rolname = ?', undef, $role), [1, 0, 0, 0, 0],
    'it may log in and nothing else');

sub may {
    my ($statement) = @_;

    $dbh->begin_work;
    my $may = eval {
        $dbh->do("set local role $role");
        $dbh->do($statement);
        1;
    };
    my $error = $@;
    $dbh->rollback;
    return $may ? 1 : $error =~ /permission denied|must be owner/ ? 0 : $error;
}

is(may('select version from ezw.migration'), 1, 'it reads the version');
for my $statement ('create table ezw.mine (id int)', 'create schema mine',
                   'drop table ezw.message', 'truncate ezw.contact',
                   'update ezw.migration set sha256 = null',
                   'delete from ezw.audit_log',
                   "alter table ezw.contact add mine int")
{
    is(may($statement), 0, "it may not: $statement");
}

# An edited migration, and a schema of the future.
$dbh->do("update ezw.migration set sha256 = 'edited' where version = 1");
($ok, $said) = migrate('');
ok(!$ok, 'an edited migration is refused');
like($said, qr/^ezw: migrate: ERROR:  migration 001_\w+ was edited after/,
     'by its name');
$dbh->do('delete from ezw.migration where version = 1');
$dbh->do("insert into ezw.migration (version, name, sha256)
          values (999, 'later', '')");
($ok, $said) = migrate('');
ok(!$ok, 'a schema of the future is refused');

($ok, $said) = migrate('', dbname => 'ezw_no_such');
ok(!$ok, 'a database that is not there');
like($said, qr/^ezw: migrate: .*"ezw_no_such" does not exist$/m, 'says so');

# The module on such a schema.
$t->sql("insert into ezw.migration (version, name, sha256)
         values (999, 'later', '')");
my $u = EZW->start(like => $t, ready => 0);
my $r = wait_for(sub {
    my $r = $u->http(GET => '/readyz');
    return $r->body =~ /schema/ && $r;
}, 10, '/readyz speaks of the schema');
is($r->status, 503, 'not ready on an unknown schema');
like($r->json->{reason}, qr/999/, 'and says which one it found');

$dbh->disconnect;
$admin->do("drop database $database with (force)");
$admin->do("drop role $role");

done_testing;

# After a lost connection a statement may run again while its first execution
# is still under way: the second one waits for it, and does nothing again.

use DBD::Pg qw(:async);

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $statements = EZW::Statements->new($t);
my $company = $t->company;
my $user = $t->user(company => $company);
my $key = $t->key_id($t->key(company => $company, scope => 'COMPANY'));
my %by = (address => '127.0.0.1', trace => '0' x 31 . '1');

for my $case (
    ['login_failed', 'auth.login_failed', 'id.audit' => $statements->id,
     'lookup.company' => $company, 'lookup.user_id' => $user],
    ['key_denied', 'key.ip_denied', id => $statements->id,
     company => $company, key => $key],
) {
    my ($name, $event, %values) = @$case;

    my ($first, $second) = map { $statements->connect } 1, 2;
    $first->begin_work;
    my $once = $statements->start($first, 0, $name, %by, %values);
    my $again = $statements->start($second, PG_ASYNC, $name, %by, %values);
    my $backend = $second->{pg_pid};
    wait_for(sub {
        return $t->value(q{select wait_event_type = 'Lock'
                             from pg_stat_activity where pid = ?}, $backend)
            || $again->pg_ready;
    }, 10, "$name: the second one");
    ok(!$again->pg_ready, "$name: the second one waits");
    $first->commit;
    ok($again->pg_result, "$name: and is answered");
    is($t->value('select count(*) from ezw.audit_log where event_type = ?',
                 $event), 1, "$name: it has been done once");
    $_->finish for $once, $again;
    $_->disconnect for $first, $second;
}

done_testing;

# What changes about keys, channels and companies takes effect on every node
# within two seconds, whoever leads there.

use EZW;
use EZW::Stall;
use Time::HiRes qw(time);

my $t = EZW->start(allow_kill => 1);
my $demo = $t->demo;
my $second = EZW->start(like => $t, allow_kill => 1);
my @nodes = ($t, $second);
my @channels = map { $t->channel(company => $demo->{company}) } 1 .. 2;

# Two seconds, and what client and machine take to tell the time.
my $bound = 2 + 0.5 * $EZW::Expect::PATIENCE;

# Many times, so that each worker has it in its hands and the zone knows it:
# those who get another answer.
sub elsewhere {
    my ($status, @request) = @_;
    return grep { $_->status != $status }
        map { $_->parallel(map { [@request] } 1 .. 16) } @nodes;
}

sub everywhere { return !elsewhere(@_) }

# How long after now a request still began that got another answer than this,
# until no one does, without what the machine took from those concerned; 99:
# somebody always does.
sub takes {
    my ($status, @request) = @_;
    my ($began, $latest) = (time, 0);
    my $stall = EZW::Stall->start(@nodes);
    return eval {
        wait_for(sub {
            my @others = elsewhere($status, @request);
            for my $late (map { $_->{started} - $began } @others) {
                $latest = $late if $late > $latest;
            }
            return !@others;
        }, 60);
        $latest - $stall->seconds;
    } // 99;
}

# Changes by SQL what a request depends on: from the commit on, at the latest
# two seconds later, every node gives the new answer, and never again the old.
sub takes_effect {
    my ($name, $old, $new, $request, @sql) = @_;

    ok(everywhere($old, @$request), "$name: before");
    $t->sql(@sql);
    cmp_ok(takes($new, @$request), '<', $bound, "$name: within two seconds");
    ok(everywhere($new, @$request), "$name: for good");
    return;
}

sub key_of { return $t->key(company => $demo->{company}, @_) }

# Everything is made before, and known: only the change itself is news.
my $assistant = $t->assistant(company => $demo->{company});
my $blocked = $t->company;
my %key = (
    plain => key_of(scope => 'COMPANY'),
    listed => key_of(scope => 'CHANNEL', channels => [$channels[0]]),
    whitelist => key_of(scope => 'COMPANY', whitelist => '{127.0.0.1}'),
    scope => key_of(scope => 'COMPANY'), end => key_of(scope => 'COMPANY'),
    assistant => key_of(scope => 'ASSISTANT', assistant => $assistant),
    company => $t->key(company => $blocked, scope => 'COMPANY'),
);
$t->catch_up($demo->{company}, $second);

my $who = '/v3/keys/current';
my $key = $key{plain};
takes_effect('revoked', 200, 401, [GET => $who, key => $key],
             'update ezw.api_key set revoked_at = now() where id = ?',
             $t->key_id($key));
takes_effect('in force again', 401, 200, [GET => $who, key => $key],
             'update ezw.api_key set revoked_at = null where id = ?',
             $t->key_id($key));
takes_effect('disabled', 200, 401, [GET => $who, key => $key],
             'update ezw.api_key set enabled = false where id = ?',
             $t->key_id($key));
takes_effect('enabled', 401, 200, [GET => $who, key => $key],
             'update ezw.api_key set enabled = true where id = ?',
             $t->key_id($key));
takes_effect('deleted', 200, 401, [GET => $who, key => $key],
             'delete from ezw.api_key where id = ?', $t->key_id($key));

# a key that was asked for before it was made
$key = $t->random_text(40);
ok(everywhere(401, GET => $who, key => $key), 'no such key yet');
key_of(scope => 'COMPANY', text => $key);
cmp_ok(takes(200, GET => $who, key => $key), '<', $bound,
       'a new key: within two seconds');

# its list of channels
$key = $key{listed};
my $id = $t->key_id($key);
my $path = sub { return "/v3/channels/$_[0]/contacts/" . $t->contact_jid };
takes_effect('a channel taken away', 404, 403,
             [GET => $path->($channels[0]), key => $key],
             'update ezw.api_key_object set ref = ? where api_key = ?',
             $channels[1], $id);
takes_effect('a channel given', 403, 404,
             [GET => $path->($channels[0]), key => $key],
             q{insert into ezw.api_key_object (company, api_key, type, ref)
               values (?, ?, 'CHANNEL', ?)},
             $demo->{company}, $id, $channels[0]);
takes_effect('all channels taken away', 404, 403,
             [GET => $path->($channels[1]), key => $key],
             'delete from ezw.api_key_object where api_key = ?', $id);

# its whitelist
$key = $key{whitelist};
$id = $t->key_id($key);
takes_effect('its whitelist is another', 200, 403, [GET => $who, key => $key],
             q{update ezw.api_key set whitelist = '{::1}' where id = ?}, $id);
takes_effect('anywhere', 403, 200, [GET => $who, key => $key],
             'update ezw.api_key set whitelist = null where id = ?', $id);
takes_effect('nowhere', 200, 403, [GET => $who, key => $key],
             q{update ezw.api_key set whitelist = '{}' where id = ?}, $id);

# its scope, its end
$key = $key{scope};
takes_effect('a smaller scope', 404, 403,
             [GET => "/v3/channels/$channels[0]/conversations/"
                  . $t->contact_jid, key => $key],
             q{update ezw.api_key set scope = 'CHANNEL' where id = ?},
             $t->key_id($key));
$key = $key{end};
takes_effect('expired', 200, 401, [GET => $who, key => $key],
             'update ezw.api_key set expires_at = now() where id = ?',
             $t->key_id($key));

# its assistant, its company
$key = $key{assistant};
takes_effect('the assistant is disabled', 200, 403, [GET => $who, key => $key],
             'update ezw.assistant set enabled = false where jid = ?',
             $assistant);
$key = $key{company};
takes_effect('the company is blocked', 200, 403, [GET => $who, key => $key],
             q{update ezw.company set status = 'BLOCKED' where id = ?},
             $blocked);

# the leaders die, one after the other, and at once
for my $n (1 .. 3) {
    $key = key_of(scope => 'COMPANY');
    ok(everywhere(200, GET => $who, key => $key), "kill $n: before");
    for my $node (@nodes) {
        my ($leader) = reverse $node->error_log
            =~ / \[notice\] (\d+)#\d+: this worker watches/g;
        kill 'KILL', $leader;
    }
    $t->sql('update ezw.api_key set revoked_at = now() where id = ?',
            $t->key_id($key));
    cmp_ok(takes(401, GET => $who, key => $key), '<', $bound,
           "kill $n: revoked within two seconds without a leader");
    wait_for(sub {
        for my $node (@nodes) {
            my $watching = () = $node->error_log =~ /this worker watches/g;
            return 0 if $watching < $n + 1;
        }
        return 1;
    }, 8, 'new leaders');
}

# without its database a node believes nothing for longer than that
$t->limit(lock_timeout => '250ms');
my $lonely = EZW->start(like => $t);
$key = key_of(scope => 'COMPANY');
is($lonely->http(GET => $who, key => $key)->status, 200, 'known');
my $frozen = $t->{postgres}->dbh($t->{dbname});
$frozen->begin_work;
$frozen->do('lock table ezw.change_counter in access exclusive mode');
wait_for(sub { $lonely->http(GET => $who, key => $key)->status == 503 }, 12,
         'a key is not believed for ever');
$frozen->rollback;
wait_for(sub { $lonely->http(GET => $who, key => $key)->status == 200 }, 8,
         'believed again');

done_testing;

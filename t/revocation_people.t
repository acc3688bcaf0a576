# A key revoked, a whitelist changed, a member or user disabled, a role changed,
# a session left: on two nodes under load nobody gets the old answer to what he
# asked more than two seconds after the commit, whatever happens to the nodes'
# leaders and to their connections meanwhile.

use EZW;
use EZW::Stall;
use EZW::Token;
use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(time);

our $ROUNDS //= 1;

# Two seconds, and what client and machine take to tell the time.
my $bound = 2 + 0.5 * $EZW::Expect::PATIENCE;

my %o = (allow_kill => 1, server => <<'END');
location = /admins { ezw_gate role=admin; empty_gif; }
END
my $t = EZW->start(%o);
my $second = EZW->start(%o, like => $t);
my @nodes = ($t, $second);
my $company = $t->company;
my $key = EZW::Token->key(EZW::signing_key());

# Somebody who is signed in: user, token, refresh token.
sub person {
    my $user = $t->user(company => $company, role => 'admin');
    my ($id, $refresh) = ($t->uuid, $t->random_text(40));
    $t->insert('session', company => $company, id => $id, family => $id,
               user_id => $user, expires_at => '2100-01-01',
               refresh_hash => { hex => sha256_hex($refresh) });
    my $token = $key->sign({
        iss => 'ezw', aud => 'ezw-workspace', sub => $user, org => $company,
        role => 'admin', mv => 1, sid => $id, exp => time() + 3600 });
    return { user => $user, token => $token, refresh => $refresh };
}

# Whose role will change; and what will: a request, its status before and after,
# the change.
sub subjects {
    my ($revoked, $listed) = map {
        $t->key(company => $company, scope => 'COMPANY', @$_)
    } [], [whitelist => '{127.0.0.0/8}'];
    my @people = map { person() } 1 .. 5;
    my ($member, $user, $role, $gone, $gate) = @people;
    my %subject = (
        'a key is revoked' => [$revoked, 200, 401, sub {
            $t->sql('update ezw.api_key set revoked_at = now() where id = ?',
                    $t->key_id($revoked)) }],
        'a whitelist is changed' => [$listed, 200, 403, sub {
            $t->sql(q{update ezw.api_key set whitelist = '{192.0.2.0/24}'
                       where id = ?}, $t->key_id($listed)) }],
        'a member is disabled' => [$member->{token}, 200, 401, sub {
            $t->sql(q{update ezw.membership set status = 'disabled'
                       where user_id = ?}, $member->{user}) }],
        'a user is disabled' => [$user->{token}, 200, 401, sub {
            $t->sql('update ezw.app_user set enabled = false where id = ?',
                    $user->{user}) }],
        'a role is changed' => [$role->{token}, 200, 401, sub {
            $t->sql(q{update ezw.membership set role = 'operator'
                       where user_id = ?}, $role->{user}) }],
        'a session is left' => [$gone->{token}, 200, 401, sub {
            wait_for(sub {
                my $r = $t->http(POST => '/api/auth/logout',
                                 key => $gone->{token});
                return $r->status == 204 || $r->status == 401;
            }, 20, 'left') }],
        'a role at a gate is changed' => [$gate->{token}, 200, 401, sub {
            $t->sql(q{update ezw.membership set role = 'operator'
                       where user_id = ?}, $gate->{user}) }],
    );
    my @subjects = map {
        my ($credential, $old, $new, $change) = @{ $subject{$_} };
        my $path = /key|list/ ? '/v3/keys/current'
            : /gate/ ? '/admins' : '/api/auth/session';
        { name => $_, credential => $credential, old => $old, new => $new,
          change => $change, request => [GET => $path, key => $credential] };
    } sort keys %subject;
    return ($role, @subjects);
}

# Does every worker, asked so often that each is asked, answer so?
sub everywhere {
    my ($which, @subjects) = @_;
    for my $node (@nodes) {
        for my $subject (@subjects) {
            return 0 if grep { $_->status != $subject->{$which} }
                $node->parallel(($subject->{request}) x 8);
        }
    }
    return 1;
}

# Waits until the load has asked each node for everything some times more.
sub asked_for_all {
    my @size = map { -s "$_->{dir}/access.log" } @nodes;
    wait_for(sub {
        return !grep { -s "$nodes[$_]{dir}/access.log" < $size[$_] + 10_000 }
            0, 1;
    }, 60, 'load');
    return;
}

# Changes all of it under load. What else happens: before and after, what is to
# be waited for then, and whether answers may be missing for it.
sub round {
    my ($name, %what) = @_;

    my ($person, @subjects) = subjects();
    $t->catch_up($company, $second);
    ok(eval { wait_for(sub { everywhere('old', @subjects) }, 20) },
       "$name: before");
    my @requests = map { $_->{request} } @subjects;
    my @loads = map {
        $_->load(clients => 2,
                 request => sub { return $requests[$_[0] % @requests] })
    } @nodes;
    asked_for_all();

    my $stall = EZW::Stall->start(@nodes);
    $what{before}->() if $what{before};
    for my $subject (@subjects) {
        $subject->{change}->();
        $subject->{committed} = time;
    }
    $what{after}->() if $what{after};
    ok(eval { wait_for(sub { everywhere('new', @subjects) }, 20) },
       "$name: after");
    # a node without a leader asks the database, which is no proof
    $what{settled}->() if $what{settled};
    my $lost = $stall->seconds;
    $t->catch_up($company, $second);
    ok(everywhere('new', @subjects), "$name: for good");
    asked_for_all();

    my @answers = map { [$_->stop] } @loads;
    for my $subject (@subjects) {
        my ($latest, $again) = (-1, 0);
        my (%seen, @strange);
        for my $node (0, 1) {
            my @mine = grep {
                $_->{request}[-1] eq $subject->{credential}
            } @{ $answers[$node] };
            my ($changed) = sort { $a <=> $b } map { $_->{ended} }
                grep { $_->status == $subject->{new} } @mine;
            for my $r (@mine) {
                if ($r->status == $subject->{old}) {
                    my $late = $r->{started} - $subject->{committed};
                    $seen{"old $node"} = 1 if $late < 0;
                    $latest = $late if $late > $latest;
                    $again++ if $changed && $r->{started} > $changed;
                } elsif ($r->status == $subject->{new}) {
                    $seen{"new $node"} = 1;
                } else {
                    push @strange, $r;
                }
            }
        }
        my $title = "$name: $subject->{name}";
        is(join(' ', sort keys %seen), 'new 0 new 1 old 0 old 1',
           "$title: seen on both nodes under load");
        cmp_ok($latest, '<', $bound + $lost, "$title: within two seconds");
        is($again, 0, "$title: for good");
        @strange = grep { $_->status != 503 && $_->status != 0 } @strange
            if $what{cut};
        is(scalar(@strange), 0, "$title: and nothing else is answered")
            or diag map { $_->as_text . "\n" } splice @strange, 0, 3;
    }

    # the new role comes with the next token
    my $r = wait_for(sub {
        my $r = $second->http(POST => '/api/auth/refresh', json => {
            refreshToken => $person->{refresh} });
        return $r->status == 200 && $r;
    }, 20, 'refreshed');
    is($r->json->{role}, 'operator', "$name: the new role, after a refresh");
    is_answer($second->http(GET => '/admins', key => $r->json->{idToken}), 403,
              { error => { code => 1002,
                           message => 'Access denied: your role may not' },
                traceId => qr/./ }, "$name: it may not what the old one may");
    return;
}

# The worker of each node that watches the changes.
sub leaders {
    return map {
        my ($pid) = reverse $_->error_log
            =~ / \[notice\] (\d+)#\d+: this worker watches/g;
        $pid;
    } @nodes;
}

# Cuts all connections of the nodes to Postgres.
sub cut {
    return $t->sql(q{
        select pg_terminate_backend(pid) from pg_stat_activity
         where usename = 'ezw_app' and datname = current_database()});
}

sub cut_for {
    my ($seconds) = @_;
    my $end = time + $seconds;
    return wait_for(sub { cut(); return time > $end }, 2 * $seconds, 'cuts');
}

# Kills the leaders; those who have taken over lead the next round.
sub kill_leaders {
    my %old = map { $_ => 1 } leaders();
    kill 'KILL', keys %old;
    return \%old;
}

for my $round (1 .. $ROUNDS) {
    round("quietly $round");

    my $killed;
    round("leaders killed $round", cut => 1,
          before => sub { $killed = kill_leaders() },
          settled => sub {
        wait_for(sub { !grep { $killed->{$_} } leaders() }, 20, 'new leaders');
    });

    round("connections cut $round", cut => 1, before => \&cut,
          after => \&cut);

    next if $ROUNDS == 1;
    round("connections cut for long $round", cut => 1,
          before => \&cut, after => sub { cut_for(4) });

    my @stopped;
    round("leaders stopped $round", cut => 1, before => sub {
        @stopped = leaders();
        kill 'STOP', @stopped;
    }, after => sub {
        my $end = time + 4;
        wait_for(sub { time > $end }, 8, 'they say nothing');
        kill 'CONT', @stopped;
    });
}

done_testing;

# Signing in, staying in and leaving, as the statements do it: who may, what is
# answered, what is left behind, and what ends a session.

use EZW;
use EZW::Statements;
use DBD::Pg qw(:async);
use Digest::SHA qw(sha256_hex);

my $t = EZW->start(start => 0);
my $company = $t->company(name => 'First');
my $second = $t->company(name => 'Second', operators_see_all => 'f');

my %by = (address => '192.0.2.1', agent => 'Agent/1', trace => 'f' x 32);
my $statements = EZW::Statements->new($t,
    %by, company => $company, 'body.organizationId' => undef,
    'password.hash' => undef, 'body.email' => undef, 'body.token' => undef,
    'hash.token' => undef);
$_->do("set timezone = 'UTC'") for $t->dbh, $statements->{dbh};

sub id  { return $statements->id }
sub row { return $statements->row(@_) }

# Is nothing written by it?
sub unwritten {
    my ($name, $call) = @_;

    my $before = $t->snapshot;
    my @got = $call->();
    is_deeply($t->snapshot, $before, "$name: nothing is written");
    return wantarray ? @got : $got[0];
}

sub is_refused_row {
    my ($name, $refusal, $call) = @_;

    my $row = unwritten($name, $call);
    is_deeply([grep { defined $row->{$_} && !/^(?:expiresIn|tokenType)$/ }
               sort keys %$row], ['refusal'],
              "$name: a refusal and nothing else");
    is($row->{refusal}, $refusal, "$name: $refusal");
    return;
}

# What happened since: the audit rows, without their ids and times.
my $seen = '2020-01-01';
sub audited {
    my @rows = $t->sql(q{
        select g.created_at, g.company, g.event_type, g.actor_type, g.actor_id,
               g.target_type, g.target_id, g.address, g.trace, g.data::text
          from ezw.audit_log g
         where g.created_at > ?
         order by g.created_at}, $seen);
    $seen = $rows[-1][0] if @rows;
    return [map { [@$_[1 .. 9]] } @rows];
}

# And what the caches were told.
my $told = 0;
sub told {
    my @rows = $t->sql(q{select g.seq, g.kind || ' ' || g.ref from ezw.change g
                          where g.seq > ? order by g.seq}, $told);
    $told = $rows[-1][0] if @rows;
    return [sort map { $_->[1] } @rows];
}

sub sessions {
    my ($where, @values) = @_;
    return { map { @$_ } $t->sql(qq{
        select s.id, case when s.revoked_at is not null then 'revoked'
                          when s.spent_at is not null then 'spent'
                          else 'live' end
          from ezw.session s where $where}, @values) };
}

# A user with a password, or none.
sub person {
    my ($email, %o) = @_;

    my $user = $t->user(company => $company, email => $email,
                        name => $o{name} // 'Jane Doe', role => 'admin',
                        %{ $o{member} || {} });
    $t->sql('update ezw.app_user set password_hash = ? where id = ?',
            $o{password} // "hash of $email", $user);
    return $user;
}

# Signs in as the module does: the look-up, then the sign-in.
sub sign_in {
    my ($email, %more) = @_;

    my %look = map { exists $more{$_} ? ($_ => delete $more{$_}) : () }
        'body.organizationId';
    my $user = row('login_user', 'body.email' => $email, %look);
    my $token = $t->random_text(40);
    my $row = row('login', (map { ("lookup.$_" => $user->{$_}) }
                            qw(company user_id password_version)),
                  'id.session' => id(), 'id.audit' => id(),
                  'secret.refreshToken.hash' => sha256_hex($token), %more);
    return { %$row, token => $token };
}

sub refresh {
    my ($token, %more) = @_;

    my $next = $t->random_text(40);
    my $row = row('session_refresh', 'hash.refreshToken' => sha256_hex($token),
                  'id.session' => id(), 'id.audit' => id(),
                  'secret.refreshToken.hash' => sha256_hex($next), %more);
    return { %$row, token => $next };
}

sub principal { return row('session_principal', sid => $_[0]) }


# Who can sign in ------------------------------------------------------------

my $jane = person('jane@example.com');
$t->insert('membership', company => $second, user_id => $jane,
           role => 'operator', can_send => 'f');
my %nobody = map { $_ => undef }
    qw(user_id company password_hash password_version);
my %found = (user_id => $jane, company => $second,
             password_hash => 'hash of jane@example.com',
             password_version => 1);

# never seen in either: the same one each time
$t->sql('update ezw.membership set last_seen_at = ? where company = ?',
        '2020-01-01', $second);
for my $email ('jane@example.com', 'JANE@Example.COM') {
    is_deeply($statements->run('login_user', 'body.email' => $email), [\%found],
              "$email: in the company where she was last");
}
$t->sql('update ezw.membership set last_seen_at = ? where company = ?',
        '2021-01-01', $company);
is(row('login_user', 'body.email' => 'jane@example.com')->{company}, $company,
   'the other one, once she was there');
is(row('login_user', 'body.email' => 'jane@example.com',
       'body.organizationId' => $second)->{company}, $second,
   'or the one that she chooses');

my $gone = person('gone@example.com');
$t->sql('update ezw.app_user set enabled = false where id = ?', $gone);
person('dismissed@example.com', member => { status => 'disabled' });
person('invited@example.com', member => { status => 'invited' });
my $alone = $t->uuid;
$t->insert('app_user', id => $alone, email => 'alone@example.com',
           password_hash => 'hash');
for my $case (['unknown@example.com', 'nobody'], ['', 'no address'],
              ['gone@example.com', 'a disabled user'],
              ['dismissed@example.com', 'a disabled member'],
              ['invited@example.com', 'who has only been invited'],
              ['alone@example.com', 'a member of nothing'],
              ['jane@example.com', 'a company of others', $t->company])
{
    my ($email, $name, $organization) = @$case;
    is_deeply($statements->run('login_user', 'body.email' => $email,
                               'body.organizationId' => $organization),
              [\%nobody], "$name: cannot sign in");
}
my $bare = $t->user(company => $company, email => 'bare@example.com');
is_deeply(row('login_user', 'body.email' => 'bare@example.com'),
          { %found, user_id => $bare, company => $company,
            password_hash => undef }, 'a user without a password');


# Signing in -----------------------------------------------------------------

audited(), told();
my $in = sign_in('jane@example.com');
my $session = $in->{'@session'};
my %in = (
    refusal => undef, '@company' => $company, '@user' => $jane,
    '@session' => $session, '@role' => 'admin', '@mv' => 1,
    expiresIn => 3600, 'idToken:secret' => undef, 'organization.id' => $company,
    'organization.name' => 'First', 'refreshToken:secret' => undef,
    role => 'admin', tokenType => 'Bearer', 'user.displayName' => 'Jane Doe',
    'user.email' => 'jane@example.com', 'user.id' => $jane,
);
is_deeply($in, { %in, token => $in->{token} }, 'the answer');
is_deeply([$t->sql(q{
    select company, user_id, family, encode(refresh_hash, 'hex'), address,
           user_agent, created_at > now() - interval '1 minute',
           expires_at - created_at between interval '30 days'
                                       and interval '30 days 1 second',
           spent_at, revoked_at
      from ezw.session where id = ?}, $session)],
    [[$company, $jane, $session, sha256_hex($in->{token}), '192.0.2.1',
      'Agent/1', 1, 1, undef, undef]], 'the session');
is_deeply(audited(), [[$company, 'auth.login', 'user', $jane, 'session',
                       $session, '192.0.2.1', 'f' x 32, undef]],
          'the audit row');
is_deeply(told(), [], 'the caches need not know');
is($t->value(q{select last_seen_at > now() - interval '1 minute'
                 from ezw.membership where company = ? and user_id = ?},
             $company, $jane), 1, 'when she was seen');
is($t->value('select last_seen_at from ezw.membership
               where company = ? and user_id = ?', $second, $jane),
   '2020-01-01 00:00:00+00', 'there only');

# The password hashed anew is still the one that was checked.
sign_in('jane@example.com', 'password.hash' => 'newer hash');
is_deeply([@{ row('login_user', 'body.email' => 'jane@example.com') }
               {qw(password_hash password_version)}], ['newer hash', 1],
          'hashed anew');
is(sign_in('jane@example.com', 'lookup.password_version' => 1)->{refusal},
   undef, 'which does not hinder who checked the older hash');

# What has changed since the look-up.
my %stale = ('lookup.company' => $company, 'lookup.user_id' => $jane,
             'lookup.password_version' => 1, 'secret.refreshToken.hash' =>
             '00' x 32);
sub stale {
    my ($name, %more) = @_;
    is_refused_row($name, 'unauthenticated', sub {
        row('login', %stale, 'id.session' => id(), 'id.audit' => id(),
            'password.hash' => 'restored', %more) });
    return;
}
$t->sql('update ezw.app_user set password_version = 2 where id = ?', $jane);
stale('another password');
$t->sql('update ezw.app_user set password_version = 1 where id = ?', $jane);
stale('another company', 'lookup.company' => $t->company);
stale('nobody', 'lookup.user_id' => undef, 'lookup.company' => undef,
      'lookup.password_version' => undef);
stale('a disabled user', 'lookup.user_id' => $gone);
stale('a disabled member', 'lookup.user_id' => $t->value(
    q{select id from ezw.app_user where email = 'dismissed@example.com'}));

# What failed is noted where somebody is known, and answered alike.
for my $case ([$company, $jane, 'a wrong password'],
              [undef, undef, 'nobody'])
{
    my ($where, $who, $name) = @$case;
    audited();
    is_deeply($statements->run('login_failed', 'lookup.company' => $where,
                               'lookup.user_id' => $who, 'id.audit' => id()),
              [{ refusal => 'unauthenticated' }], "$name: the answer");
    is_deeply(audited(), $who ? [[$company, 'auth.login_failed', 'system',
                                  undef, 'user', $who, '192.0.2.1', 'f' x 32,
                                  undef]] : [], "$name: the audit log");
}
my $log = sub { $t->value('select pg_current_wal_insert_lsn()') };
my $at = $log->();
row('login_failed', 'lookup.company' => undef, 'lookup.user_id' => undef,
    'id.audit' => id());
isnt($log->(), $at, 'a failure of nobody is a commit that writes, too');


# Who asks -------------------------------------------------------------------

my $none = principal($t->uuid);
is($none->{seq}, $t->value('select seq from ezw.change_counter'),
   'no session: the sequence');
is_deeply([grep { defined $none->{$_} } sort keys %$none], ['seq'],
          'and nothing else');

my %principal = (
    id => $session, user_id => $jane, company => $company, family => $session,
    role => 'admin', mv => 1, email => 'jane@example.com',
    display_name => 'Jane Doe', can_view => 1, can_send => 1,
    billing_state => 'active', operators_see_all => 1, company_active => 1,
    active => 1,
);
sub is_principal {
    my ($name, %want) = @_;

    my $got = principal($want{id} // $session);
    my $seq = delete $got->{seq};
    delete $got->{expires_at};
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply($got, { %principal, %want }, $name);
    is($seq, $t->value('select seq from ezw.change_counter'),
       "$name: the sequence");
    return;
}
is_principal('a session');
is(principal($session)->{expires_at},
   $t->value('select expires_at from ezw.session where id = ?', $session),
   'until when');

my $there = sign_in('jane@example.com', 'body.organizationId' => $second);
is_principal('in another company', id => $there->{'@session'},
             family => $there->{'@session'}, company => $second,
             role => 'operator', can_send => 0, operators_see_all => 0);

# Each of these is told to the caches, and seen.
sub change {
    my ($name, $sql, $values, $want, @told) = @_;

    told();
    $t->sql($sql, @$values);
    is_deeply(told(), [sort @told], "$name: is told");
    is_principal($name, %$want);
    return;
}
change('billing that nobody counts', 'insert into ezw.billing (company, state)
       values (?, ?)', [$company, 'restricted'], {});
change('a billing state', 'update ezw.billing set provider = ?
       where company = ?', ['stripe', $company],
       { billing_state => 'restricted' }, "company $company");
change('another', 'update ezw.billing set state = ? where company = ?',
       ['active', $company], {}, "company $company");
change('billing from the beginning', 'insert into ezw.billing (company,
       provider, state) values (?, ?, ?)', [$second, 'stripe', 'past_due'],
       {}, "company $second");
change('a name', 'update ezw.app_user set full_name = ? where id = ?',
       [undef, $jane], { display_name => 'jane@example.com' },
       ("member $jane") x 2);
change('another name', 'update ezw.app_user set full_name = ? where id = ?',
       ['Jane Doe', $jane], {}, ("member $jane") x 2);
change('a password', q{update ezw.app_user set password_hash = 'x'
       where id = ?}, [$jane], {});
change('a role', 'update ezw.membership set role = ? where company = ?
       and user_id = ?', ['owner', $company, $jane],
       { role => 'owner', mv => 2 }, "member $jane");
change('the role back', 'update ezw.membership set role = ? where company = ?
       and user_id = ?', ['admin', $company, $jane], { mv => 3 },
       "member $jane");
change('what the version was', 'update ezw.membership set version = 9
       where company = ? and user_id = ?', [$company, $jane], { mv => 9 },
       "member $jane");
change('a version and a role', q{update ezw.membership set version = 20,
       role = 'owner' where company = ? and user_id = ?}, [$company, $jane],
       { mv => 20, role => 'owner' }, "member $jane");
change('both back', q{update ezw.membership set version = 1, role = 'admin'
       where company = ? and user_id = ?}, [$company, $jane], { mv => 21 },
       "member $jane");
change('when she was seen', 'update ezw.membership set last_seen_at = now()
       where company = ? and user_id = ?', [$company, $jane], { mv => 21 });
change('a blocked company', q{update ezw.company set status = 'BLOCKED'
       where id = ?}, [$company], { mv => 21, company_active => 0 },
       "company $company");
change('a company no longer blocked', q{update ezw.company
       set status = 'ACTIVE' where id = ?}, [$company], { mv => 21 },
       "company $company");
%principal = (%principal, mv => 21);

told();
my $parent = $t->company;
is_deeply(told(), [], 'a new company is news to nobody');
$t->company(parent => $parent);
is_deeply(told(), ["company $parent"], 'but to its parent');

# As the workspace asks for it.
my $current = row('session_current', 'user.id' => $jane,
                  'token.expires' => '2030-01-01T00:00:00Z');
is_deeply($current, {
    expiresAt => '2030-01-01 00:00:00+00',
    'principal.billingState' => 'active',
    'principal.displayName' => 'Jane Doe',
    'principal.email' => 'jane@example.com',
    'principal.linePermissionsDefault.canSend' => 1,
    'principal.linePermissionsDefault.canView' => 1,
    'principal.organizationId' => $company, 'principal.role' => 'admin',
    'principal.userId' => $jane,
}, 'the current session');


# Staying in -----------------------------------------------------------------

audited(), told();
my $next = refresh($in->{token});
is_deeply($next, { %in, '@mv' => 21, '@session' => $next->{'@session'},
                   token => $next->{token} }, 'the next of the family');
isnt($next->{'@session'}, $session, 'another session');
is_deeply(audited(), [], 'not for the audit log');
is_deeply(told(), [], 'nor for the caches');
is_deeply(sessions('s.family = ?', $session),
          { $session => 'spent', $next->{'@session'} => 'live' },
          'the first is spent');
is_principal('the first: its ID token is still good');
is_principal('the next', id => $next->{'@session'});
is_deeply([$t->sql(q{
    select address, user_agent, encode(refresh_hash, 'hex'),
           expires_at > now() + interval '29 days 23 hours'
      from ezw.session where id = ?}, $next->{'@session'})],
    [['192.0.2.1', 'Agent/1', sha256_hex($next->{token}), 1]], 'its row');

my $moved = refresh($next->{token}, 'body.organizationId' => $second);
is_deeply([@$moved{qw(refusal @company @role)}, $moved->{'organization.name'}],
          [undef, $second, 'operator', 'Second'], 'into another company');
my $back = refresh($moved->{token});
is($back->{'@company'}, $second, 'where she stays');
$back = refresh($back->{token}, 'body.organizationId' => $company);
is($back->{'@company'}, $company, 'until she goes back');

# What is refused leaves the token as it was.
is_refused_row('a company of others', 'unauthenticated',
               sub { my $row = refresh($back->{token},
                         'body.organizationId' => $t->value(
                             'select id from ezw.company where id not in (?, ?)
                               limit 1', $company, $second));
                     delete $row->{token}; $row });
is_refused_row('no such token', 'unauthenticated',
               sub { my $row = refresh('none'); delete $row->{token}; $row });
for my $case (
    ['an expired token', 'update ezw.session set expires_at = now()
      where id = ?', 'update ezw.session
      set expires_at = created_at + interval \'30 days\' where id = ?',
     $back->{'@session'}],
    ['a revoked token', 'update ezw.session set revoked_at = now()
      where id = ?', 'update ezw.session set revoked_at = null where id = ?',
     $back->{'@session'}],
    ['a membership of others', q{update ezw.membership set status = 'invited'
      where user_id = ?}, q{update ezw.membership set status = 'active'
      where user_id = ?}, $jane],
) {
    my ($name, $break, $mend, $which) = @$case;
    $t->sql($break, $which);
    is_refused_row($name, 'unauthenticated',
                   sub { my $row = refresh($back->{token});
                         delete $row->{token}; $row });
    $t->sql($mend, $which);
}
$back = refresh($back->{token});
is($back->{refusal}, undef, 'and what is not, goes on');

# A token that comes twice ends its family, and no other.
my $other = sign_in('jane@example.com');
audited(), told();
my %family = %{ sessions('s.family = ?', $session) };
my $reused = refresh($in->{token});
is($reused->{refusal}, 'unauthenticated', 'a spent token');
is_deeply(sessions('s.family = ?', $session),
          { map { $_ => 'revoked' } keys %family }, 'its family has ended');
is_deeply(told(), [sort map { "session $_" } keys %family],
          'which is told, each');
is_deeply(audited(), [[$company, 'auth.refresh_reuse', 'system', undef,
                       'session', $session, '192.0.2.1', 'f' x 32,
                       qq({"userId" : "$jane"})]], 'and noted');
%principal = (%principal, mv => 23);
is_principal('a session of the family', id => $back->{'@session'}, active => 0);
is_refused_row('the newest of the family', 'unauthenticated',
               sub { my $row = refresh($back->{token});
                     delete $row->{token}; $row });
is_refused_row('the spent one once more', 'unauthenticated',
               sub { my $row = refresh($in->{token});
                     delete $row->{token}; $row });
is($other->{'@session'} && refresh($other->{token})->{refusal}, undef,
   'another family goes on');

# One long spent: its ID tokens have ended by themselves.
my $long = sign_in('jane@example.com');
my $longer = refresh($long->{token});
$t->sql(q{update ezw.session set spent_at = now() - interval '2 days'
           where id = ?}, $long->{'@session'});
told();
refresh($long->{token});
is_deeply(told(), ["session $longer->{'@session'}"],
          'a token spent long ago ends what lives');

# Two at once with one token, on two connections: one of them gets the next,
# the other one is a thief for all that we know.
for my $round (1 .. 5) {
    my $one = sign_in('jane@example.com');
    audited();
    my @ids = map { id() } 1 .. 2;
    my $holder = $t->{postgres}->dbh($t->{dbname});
    $holder->begin_work;
    $holder->do('select from ezw.app_user where id = ? for update', undef,
                $jane);

    # a time-out of its own: the role's is a quarter of a second
    my @dbh = map { $statements->connect } @ids;
    my @sth;
    for my $n (0, 1) {
        $dbh[$n]->do("set lock_timeout = '30s'");
        push @sth, $statements->start($dbh[$n], PG_ASYNC, 'session_refresh',
            'hash.refreshToken' => sha256_hex($one->{token}),
            'id.session' => $ids[$n], 'id.audit' => id(),
            'secret.refreshToken.hash' => sha256_hex($ids[$n]));
    }
    wait_for(sub {
        $t->value(q{select count(*) from pg_stat_activity
                     where datname = current_database()
                       and wait_event_type = 'Lock'}) == 2;
    }, 10, 'both wait');
    $holder->rollback;
    $_->pg_result for @sth;
    my @refusal = map { $_->fetchrow_hashref->{refusal} // 'none' } @sth;
    is_deeply([sort @refusal], ['none', 'unauthenticated'],
              "round $round: one of two has the next token");
    is_deeply(sessions('s.family = ?', $one->{'@session'}), {
        $one->{'@session'} => 'revoked',
        $ids[$refusal[0] eq 'none' ? 0 : 1] => 'revoked',
    }, "round $round: and both are out");
    is_deeply([map { $_->[1] } @{ audited() }], ['auth.refresh_reuse'],
              "round $round: noted once");
}


# Leaving --------------------------------------------------------------------

my $first = sign_in('jane@example.com');
my $same = refresh($first->{token});
my $elsewhere = refresh($same->{token}, 'body.organizationId' => $second);
my $stays = sign_in('jane@example.com');
audited();
my %out = ('user.id' => $jane, 'session.id' => $elsewhere->{'@session'},
           company => $second);
is_deeply($statements->run('session_logout', %out, 'id.audit' => id()),
          [{ refusal => undef }], 'logged out');
is_deeply(sessions('s.family = ?', $first->{'@session'}),
          { map { $_->{'@session'} => 'revoked' } $first, $same, $elsewhere },
          'with the whole family');
is_deeply(audited(), [[$second, 'auth.logout', 'user', $jane, 'session',
                       $elsewhere->{'@session'}, '192.0.2.1', 'f' x 32,
                       undef]], 'noted');
is_deeply(sessions('s.id = ?', $stays->{'@session'}),
          { $stays->{'@session'} => 'live' }, 'and no other');
for my $case (['once more', %out],
              ["a stranger's", %out, 'user.id' => $gone, company => $company,
               'session.id' => $stays->{'@session'}],
              ["an outside issuer's", %out, 'session.id' => $t->uuid])
{
    my ($name, %values) = @$case;
    is(unwritten($name, sub {
           row('session_logout', %values, 'id.audit' => id())->{refusal} }),
       undef, "$name: nothing to do");
}


# What ends sessions ---------------------------------------------------------

sub ends {
    my ($name, $sql, $values, $ended) = @_;

    $t->sql(q{update ezw.session set revoked_at = now()
               where revoked_at is null});
    my %in = (
        here => sign_in('jane@example.com', 'body.organizationId' => $company),
        there => sign_in('jane@example.com', 'body.organizationId' => $second),
        joe => sign_in('joe@example.com'),
    );
    told();
    $t->sql($sql, @$values);
    my $is = sessions('s.revoked_at is null');
    is_deeply([grep { !$is->{ $in{$_}{'@session'} } } sort keys %in],
              [sort @$ended], "$name ends @$ended");
    my $said = told();
    for my $who (@$ended) {
        my $id = $in{$who}{'@session'};
        ok(scalar(grep { $_ eq "session $id" } @$said), "$name: $who is told");
        is(principal($id)->{active}, 0, "$name: $who is not active");
    }
    return;
}
my $joe = person('joe@example.com', name => 'Joe');
my @here = ($company, $jane);
ends('a disabled member', q{update ezw.membership set status = 'disabled'
     where company = ? and user_id = ?}, \@here, ['here']);
is($t->value('select version from ezw.membership where company = ?
               and user_id = ?', @here) > 21, 1, 'and raises the version');
$t->sql(q{update ezw.membership set status = 'active' where company = ?
           and user_id = ?}, @here);
ends('a role', q{update ezw.membership set role = 'operator'
     where company = ? and user_id = ?}, \@here, []);
ends('a disabled user', 'update ezw.app_user set enabled = false
     where id = ?', [$jane], ['here', 'there']);
$t->sql('update ezw.app_user set enabled = true where id = ?', $jane);


# Passwords ------------------------------------------------------------------

is_deeply($statements->run('password_user', 'user.id' => $joe),
          [{ password_hash => 'hash of joe@example.com',
             password_version => 1 }], 'his password');
is_deeply($statements->run('password_user', 'user.id' => $t->uuid),
          [{ password_hash => undef, password_version => undef }],
          "nobody's");

my $mine = sign_in('joe@example.com');
my $mine_too = refresh($mine->{token});
my $theirs = sign_in('joe@example.com');
$t->insert('membership', company => $second, user_id => $joe,
           role => 'operator');
my $far = sign_in('joe@example.com', 'body.organizationId' => $second);
my $janes = sign_in('jane@example.com');
my $reset = $t->random_text(40);
my $owner = $t->dbh;
sub reset_create {
    my ($email, $token, $expires) = @_;
    return $t->value(q{select ezw.password_reset_create(?, decode(?, 'hex'),
                                                        now() + ?::interval)},
                     $email, sha256_hex($token), $expires // '1 hour');
}
is(reset_create('joe@example.com', $reset), 1, 'a token to reset it');
audited();
my %new = ('user.id' => $joe, 'session.id' => $mine_too->{'@session'},
           'lookup.password_version' => 1, 'password.hash' => 'new hash');
is(row('password_change', %new, 'id.audit' => id())->{refusal}, undef,
   'changed');
is_deeply(row('password_user', 'user.id' => $joe),
          { password_hash => 'new hash', password_version => 2 }, 'is so');
is_deeply(sessions('s.user_id in (?, ?) and s.created_at >= (
                        select o.created_at from ezw.session o where o.id = ?)',
                   $joe, $jane, $mine->{'@session'}), {
    $mine->{'@session'} => 'spent', $mine_too->{'@session'} => 'live',
    $theirs->{'@session'} => 'revoked', $far->{'@session'} => 'revoked',
    $janes->{'@session'} => 'live',
}, 'every other session of his has ended, in every company');
is_deeply(audited(), [[$company, 'auth.password_changed', 'user', $joe, 'user',
                       $joe, '192.0.2.1', 'f' x 32, undef]], 'noted');
is_refused_row('a password that is not the one checked', 'unauthenticated',
               sub { row('password_change', %new, 'id.audit' => id()) });

# By a token, once, the newest, in time.
sub by_token {
    my ($token, %more) = @_;
    return row('password_reset', 'body.token' => $token,
               'hash.token' => sha256_hex($token),
               'password.hash' => 'by token', 'id.audit' => id(), %more);
}
is_refused_row('a token from before', 'token_invalid',
               sub { by_token($reset) });
audited();
is(reset_create('JOE@example.com', 'older'), 1, 'a token');
is_deeply([map { [@$_[1 .. 5]] } @{ audited() }],
          [['auth.password_reset_requested', 'system', undef, 'user', $joe]],
          'noted');
is(reset_create('joe@example.com', 'newer'), 1, 'another');
is_refused_row('the older one', 'token_invalid', sub { by_token('older') });
is_refused_row('no such token', 'token_invalid', sub { by_token('none') });
audited();
is(by_token('newer')->{refusal}, undef, 'the newer one');
is_deeply(row('password_user', 'user.id' => $joe),
          { password_hash => 'by token', password_version => 3 }, 'sets it');
is_deeply([grep { $_ eq 'live' } values %{ sessions('s.user_id = ?', $joe) }],
          [], 'and ends all of his sessions');
is_deeply(audited(), [[$second, 'auth.password_reset', 'user', $joe, 'user',
                       $joe, '192.0.2.1', 'f' x 32, undef]], 'noted');
is_refused_row('once more', 'token_invalid', sub { by_token('newer') });
reset_create('joe@example.com', 'late', '-1 second');
is_refused_row('too late', 'token_invalid', sub { by_token('late') });
reset_create('joe@example.com', 'disabled');
$t->sql('update ezw.app_user set enabled = false where id = ?', $joe);
is_refused_row('a disabled user', 'token_invalid',
               sub { by_token('disabled') });
is(reset_create('joe@example.com', 'none'), 0, 'no token for him');
$t->sql('update ezw.app_user set enabled = true where id = ?', $joe);
is(reset_create('unknown@example.com', 'none'), 0, 'nor for nobody');
is(reset_create('alone@example.com', 'alone'), 1,
   'but for a member of nothing');
is(by_token('alone')->{refusal}, undef, 'who may use it');

# Only an operator makes tokens.
ok(!eval {
    $statements->{dbh}->do(q{select ezw.password_reset_create(
        'jane@example.com', sha256(''), now() + interval '1 hour')});
    1;
}, 'the module makes no token');
like($@, qr/permission denied for function password_reset_create/,
     'because it may not');

# Who asks for one hears the same, whoever is meant.
for my $case (['jane@example.com', 1], ['unknown@example.com', 0],
              ['gone@example.com', 0], ['alone@example.com', 0])
{
    my ($email, $known) = @$case;
    audited();
    is_deeply($statements->run('password_reset', 'body.email' => uc $email,
                               'id.audit' => id()),
              [{ refusal => undef }], "$email asks");
    is_deeply([map { [@$_[1 .. 5]] } @{ audited() }],
              $known ? [['auth.password_reset_requested', 'system', undef,
                         'user', $jane]] : [], "$email: noted");
}


# Signing up -----------------------------------------------------------------

my %signup = (
    'body.organizationName' => 'Acme', 'body.ownerName' => 'Ann van der Berg',
    'body.email' => 'Ann@Example.com', 'body.lineSlots' => undef,
    'body.timezone' => undef, 'password.hash' => 'hash of ann',
);
my %made = (%signup, map { $_ => id() } qw(id.company id.user id.audit));
audited(), told();
is_deeply($statements->run('signup', %made), [{
    refusal => undef, 'billing.checkoutUrl' => undef,
    'billing.state' => 'pending', 'lineSlots.allocated' => 1,
    'lineSlots.used' => 0, 'organization.id' => $made{'id.company'},
    'organization.name' => 'Acme', 'organization.status' => 'pending_billing',
    'owner.displayName' => 'Ann van der Berg',
    'owner.email' => 'ann@example.com', 'owner.id' => $made{'id.user'},
    'owner.role' => 'owner',
}], 'the answer');
is_deeply([$t->sql(q{
    select c.name, c.timezone, c.status, u.password_hash, u.first_name,
           u.last_name, m.role, m.status, b.state, b.provider, b.line_slots
      from ezw.company c
      join ezw.membership m on m.company = c.id
      join ezw.app_user u on u.id = m.user_id
      join ezw.billing b on b.company = c.id
     where c.id = ?}, $made{'id.company'})],
    [['Acme', 'UTC', 'ACTIVE', 'hash of ann', 'Ann', 'van der Berg', 'owner',
      'active', 'pending', 'none', 1]], 'the rows');
is_deeply(audited(), [[$made{'id.company'}, 'org.created', 'user',
                       $made{'id.user'}, 'company', $made{'id.company'},
                       '192.0.2.1', 'f' x 32, '{"name" : "Acme"}']],
          'noted');
is_deeply(told(), ["member $made{'id.user'}"], 'no cache is emptied by it');
is(sign_in('ann@example.com')->{'organization.id'}, $made{'id.company'},
   'who signed up can sign in');

sub fresh { return map { $_ => id() } qw(id.company id.user id.audit) }
for my $case (['duplicate', 'body.email' => 'ANN@example.com'],
              ['duplicate', 'body.email' => 'gone@example.com'],
              ['timezone_unknown', 'body.timezone' => 'Europe/Atlantis'],
              ['timezone_unknown', 'body.timezone' => ''],
              ['timezone_unknown', 'body.timezone' => 'UTC+3'])
{
    my ($refusal, %body) = @$case;
    my $name = join ' ', 'signing up with', %body;
    my $row = unwritten($name, sub {
        row('signup', %signup, 'body.email' => 'bob@example.com', fresh(),
            %body) });
    is($row->{refusal}, $refusal, "$name: $refusal");
    is($row->{$_}, undef, "$name: no $_")
        for qw(organization.id owner.id owner.email billing.state);
}
my %bob = (%signup, 'body.email' => 'bob@example.com', 'body.lineSlots' => 5,
           'body.timezone' => 'Europe/Amsterdam', fresh());
is(row('signup', %bob)->{'lineSlots.allocated'}, 5, 'five lines');
is($t->value('select timezone from ezw.company where id = ?',
             $bob{'id.company'}), 'Europe/Amsterdam', 'a time zone');


# Tokens of an outside issuer ------------------------------------------------

my $issuer = 'https://issuer.example';
sub outside {
    my ($subject, $email, $verified, %more) = @_;
    return row('external_principal', issuer => $issuer, subject => $subject,
               email => $email, verified => $verified, %more);
}
for my $case (['not verified', 'jane@example.com', 'f'],
              ['nothing said of it', 'jane@example.com', undef],
              ['no address', undef, 't'],
              ['nobody', 'unknown@example.com', 't'],
              ['a disabled user', 'gone@example.com', 't'],
              ['a disabled member', 'dismissed@example.com', 't'],
              ['a member of nothing', 'alone@example.com', 't'])
{
    my ($name, @token) = @$case;
    my $row = unwritten($name, sub { outside('sub', @token) });
    is($row->{id}, undef, "$name: nobody");
    is($row->{active}, 0, "$name: not active");
    is($row->{seq}, $t->value('select seq from ezw.change_counter'),
       "$name: the sequence");
}

$t->sql('update ezw.membership set last_seen_at = null where user_id = ?',
        $jane);
$t->sql(q{update ezw.membership set last_seen_at = '2020-01-01'
           where company = ? and user_id = ?}, @here);
my $bound = outside('sub', 'Jane@Example.com', 't');
my ($identity) = $t->sql('select id, user_id from ezw.identity
                           where issuer = ? and subject = ?', $issuer, 'sub');
is($identity->[1], $jane, 'the subject is bound');
my %outside = (%principal, id => $identity->[0], family => $identity->[0],
               mv => $bound->{mv}, role => 'operator', expires_at => undef,
               seq => $bound->{seq});
is_deeply($bound, \%outside, 'the principal');
is(unwritten('again', sub { outside('sub', 'jane@example.com', 't')->{id} }),
   $identity->[0], 'the same id each time');
is(unwritten('without an address', sub { outside('sub', undef, undef)->{id} }),
   $identity->[0], 'and the address does not matter any more');
is(outside('sub', 'joe@example.com', 't')->{user_id}, $jane, 'nor another one');
is(outside('sub', 'joe@example.com', 't', issuer => 'https://other.example')
       ->{user_id}, $joe, 'another issuer is another one');

$t->sql(q{update ezw.membership set last_seen_at = now() - interval '2 hours'
           where company = ? and user_id = ?}, @here);
outside('sub', undef, undef);
is($t->value(q{select last_seen_at > now() - interval '1 minute'
                 from ezw.membership where company = ? and user_id = ?}, @here),
   1, 'she has been seen');
$t->sql(q{update ezw.membership set status = 'disabled' where company = ?
           and user_id = ?}, @here);
is(outside('sub', undef, undef)->{company}, $second, 'in her other company');
$t->sql('update ezw.app_user set enabled = false where id = ?', $jane);
my $off = outside('sub', undef, undef);
is_deeply([@$off{qw(id active)}], [$identity->[0], 0], 'disabled');
told();
$t->sql('delete from ezw.identity where id = ?', $identity->[0]);
is_deeply(told(), ["session $identity->[0]"], 'unbound, which is told');


# Sweeping -------------------------------------------------------------------

my %age = (kept => '29 days', swept => '31 days');
my %swept;
for my $age (keys %age) {
    $swept{$age} = sign_in('ann@example.com')->{'@session'};
    $t->sql('update ezw.session set expires_at = now() - ?::interval
              where id = ?', $age{$age}, $swept{$age});
}
reset_create('ann@example.com', 'swept', '-25 hours');
reset_create('ann@example.com', 'kept', '-23 hours');
told();
$statements->run('sweep', limit => 100);
is_deeply(sessions('s.id in (?, ?)', @swept{qw(kept swept)}),
          { $swept{kept} => 'live' }, 'sessions, a month after their end');
is_deeply([map { $_->[0] } $t->sql(
    q{select p.hash = sha256('kept') from ezw.password_reset p
       join ezw.app_user u on u.id = p.user_id
      where u.email = 'ann@example.com'})], [1],
    'tokens, a day after theirs');
is_deeply(told(), [], 'is news to nobody');


# Whatever is asked for is found by an index ----------------------------------

$t->sql(q{
    insert into ezw.app_user (id, email)
    select gen_random_uuid(), 'many' || i || '@example.com'
    from generate_series(1, 5000) i});
$t->sql(q{
    insert into ezw.membership (company, user_id, role)
    select c.id, u.id, 'operator'
    from ezw.app_user u, ezw.company c
    where u.email like 'many%' and c.id in (?, ?)}, $company, $second);
$t->sql(q{
    insert into ezw.session (company, id, user_id, family, refresh_hash,
                             expires_at)
    select m.company, gen_random_uuid(), m.user_id, gen_random_uuid(),
           sha256(m.company::text::bytea || m.user_id::text::bytea),
           now() + interval '1 day'
    from ezw.membership m
    join ezw.app_user u on u.id = m.user_id
    where u.email like 'many%'});
$t->sql(q{
    insert into ezw.password_reset (hash, user_id, expires_at)
    select sha256(u.id::text::bytea), u.id, now() + interval '1 day'
    from ezw.app_user u where u.email like 'many%'});
$t->sql(q{
    insert into ezw.identity (issuer, subject, user_id)
    select 'https://issuer.example', u.email, u.id
    from ezw.app_user u where u.email like 'many%'});
$t->sql(q{
    insert into ezw.api_key (company, id, hash, prefix, scope)
    select ?, gen_random_uuid(), sha256(i::text::bytea), 'prefix', 'COMPANY'
    from generate_series(1, 5000) i}, $company);
$t->sql("analyze ezw.$_")
    for qw(app_user membership session password_reset identity api_key);

sub scans {
    my ($kind) = @_;
    $statements->{dbh}->do('select pg_stat_force_next_flush()');
    $statements->{dbh}->do('select 1');
    return { map { @$_ } $t->sql(
        $kind eq 'tables'
        ? q{select relname, seq_scan from pg_stat_user_tables
             where schemaname = 'ezw' and relname in ('app_user', 'membership',
                   'session', 'password_reset', 'identity', 'api_key')}
        : q{select indexrelname, idx_scan from pg_stat_user_indexes
             where schemaname = 'ezw' and indexrelname in ('membership_user',
                   'session_id', 'session_user_id', 'session_expires_at',
                   'password_reset_user_id', 'password_reset_expires_at')}) };
}

# a connection that has seen none of it; what the others have counted is told by
# the time that they have ended
$statements->{dbh}->disconnect;
wait_for(sub { !$t->value(q{select count(*) from pg_stat_activity
                             where datname = current_database()
                               and backend_type = 'client backend'
                               and usename = 'ezw_app'}) }, 60, 'their end');
$t->sql('select pg_stat_force_next_flush()');
$t->sql('select 1');
$statements->{dbh} = $statements->connect;
my ($tables, $indexes) = (scans('tables'), scans('indexes'));
is(scalar keys %$indexes, 6, 'six indexes');
my %of = map { $_ => id() } qw(company user);
my $many = 'many1@example.com';
my $busy = sign_in($many);
is($busy->{refusal}, undef, 'many: signed in');
principal($busy->{'@session'});
my $busier = refresh($busy->{token});
is($busier->{refusal}, undef, 'many: refreshed');
is(refresh($busy->{token})->{refusal}, 'unauthenticated', 'many: reused');
$busier = sign_in($many);
is(row('password_change', 'user.id' => $busier->{'@user'},
       'session.id' => $busier->{'@session'}, 'lookup.password_version' => 1,
       company => $busier->{'@company'}, 'password.hash' => 'x',
       'id.audit' => id())->{refusal}, undef, 'many: a new password');
row('session_logout', 'user.id' => $busier->{'@user'},
    'session.id' => $busier->{'@session'}, company => $busier->{'@company'},
    'id.audit' => id());
is(outside($many, undef, undef)->{active}, 1, 'many: from outside');
by_token('none');
row('password_reset', 'body.email' => $many, 'id.audit' => id());
row('session_current', 'user.id' => $busier->{'@user'},
    company => $busier->{'@company'}, 'token.expires' => 'now');
row('signup', %signup, 'body.email' => $many, fresh());
$statements->run('sweep', limit => 100);
row('key_principal', hash => 'ab' x 32);
row('key_delete', 'path.id' => $t->uuid, 'key.companies' => "{$company}",
    'id.audit' => id(), 'key.actor' => 'none');
is_deeply(scans('tables'), $tables, 'no table is read from end to end');
my $used = scans('indexes');
is_deeply([grep { $used->{$_} == $indexes->{$_} } sort keys %$used], [],
          'and every index is used');

done_testing;

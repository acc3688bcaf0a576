# A connection that is lost after a sign-in, a refresh or a new password was
# sent: committed or not, it is done once, and what the client is given is good.

use EZW;
use EZW::PgProxy;
use Digest::SHA qw(sha256_hex);

my $port = EZW::claim_port();
mkdir $EZW::RUNS;
my $proxy = EZW::PgProxy->start(
    port => $port, dir => "$EZW::RUNS/sign_in_unknown_outcome-proxy",
    upstream => EZW::Postgres->shared);
my $t = EZW->start(workers => 1, pg_host => '127.0.0.1', pg_port => $port);
my $company = $t->company(name => 'First');
my $password = 'correct horse';
my $user = $t->user(company => $company, email => 'jane@example.com',
                    name => 'Jane Doe', password => $password);
$t->hasten_hashes;

# All that is stored, without times and ids.
sub counts {
    return { map { @$_ } $t->sql(q{
        select 'company', count(*) from ezw.company
        union all select 'user', count(*) from ezw.app_user
        union all select 'member', count(*) from ezw.membership
        union all select 'billing', count(*) from ezw.billing
        union all select 'session', count(*) from ezw.session
        union all select 'spent', count(spent_at) from ezw.session
        union all select 'revoked', count(revoked_at) from ezw.session
        union all select 'version', sum(password_version) from ezw.app_user
        union all select 'used', count(used_at) from ezw.password_reset
        union all select event_type, count(*) from ezw.audit_log
                   group by event_type}) };
}

sub growth {
    my ($before) = @_;
    my $after = counts();
    return { map {
        my $more = $after->{$_} - ($before->{$_} // 0);
        $more ? ($_ => $more) : ();
    } keys %$after };
}

# Requests whose statement is cut, and how much each makes the database grow.
sub settled {
    my ($name, $statement, $growth, $request, $check) = @_;

    for my $cut (undef, qw(cut_before cut_after cut_answer cut_during)) {
        my $title = "$name, " . ($cut // 'no cut');
        my $request = $request->();
        my $before = counts();
        my $executed = $proxy->executed($statement);
        $proxy->plan($cut => $statement) if $cut;
        my $r = $t->http(@$request, timeout => 60);
        if ($cut) {
            ok($proxy->done, "$title: it was cut");
            is($proxy->executed($statement) - $executed, 2,
               "$title: it went twice");
        }
        # one that was cut during its work may commit later
        wait_for(sub {
            return !$t->value(q{select count(*) from pg_stat_activity
                                 where usename = 'ezw_app'
                                   and datname = current_database()
                                   and state <> 'idle'});
        }, 10, 'the server has done it all');
        is_json(growth($before), $growth, "$title: done once");
        $check->($r, $title);
    }
    return;
}

sub refresh {
    return $t->http(POST => '/api/auth/refresh',
                    json => { refreshToken => $_[0] });
}

# The answer of a sign-in, and that both of its tokens are good.
sub is_in {
    my ($r, $name) = @_;
    is_answer($r, 200, {
        expiresIn => 3600, idToken => qr/./, refreshToken => qr/./,
        organization => { id => $company, name => 'First' },
        role => 'operator', tokenType => 'Bearer',
        user => { displayName => 'Jane Doe', email => 'jane@example.com',
                  id => $user },
    }, $name);
    is($t->http(GET => '/api/auth/session', key => $r->json->{idToken})
        ->status, 200, "$name: the ID token");
    is(refresh($r->json->{refreshToken})->status, 200,
       "$name: the refresh token");
    return;
}

sub with_status {
    my ($status) = @_;
    return sub { is($_[0]->status, $status, $_[1]) or diag $_[0]->as_text };
}

# A session as a sign-in makes one; returns its refresh token.
sub session {
    my ($id, $text) = ($t->uuid, $t->random_text(40));
    $t->insert('session', company => $company, id => $id, family => $id,
               user_id => $user, expires_at => '2100-01-01',
               refresh_hash => { hex => sha256_hex($text) });
    return $text;
}

settled('a sign-in', login => { session => 1, 'auth.login' => 1 }, sub {
    return [POST => '/api/auth/login',
            json => { email => 'jane@example.com', password => $password }];
}, \&is_in);

settled('a failed one', login_failed => { 'auth.login_failed' => 1 }, sub {
    return [POST => '/api/auth/login',
            json => { email => 'jane@example.com', password => 'another' }];
}, with_status(401));

settled('a refresh', session_refresh => { session => 1, spent => 1 }, sub {
    return [POST => '/api/auth/refresh',
            json => { refreshToken => session() }];
}, \&is_in);

settled('a log-out', session_logout => { revoked => 1, 'auth.logout' => 1 },
        sub {
    $t->sql('update ezw.session set revoked_at = now()');
    my $r = refresh(session());
    $t->sql('delete from ezw.session where spent_at is not null');
    return [POST => '/api/auth/logout', key => $r->json->{idToken}];
}, with_status(204));

my $n = 0;
settled('a new password',
        password_change => { version => 1, 'auth.password_changed' => 1 },
        sub {
    $t->sql('update ezw.session set revoked_at = now()');
    my $old = $password;
    $password = 'correct horse ' . ++$n;
    return [POST => '/api/auth/password',
            key => refresh(session())->json->{idToken},
            json => { currentPassword => $old, newPassword => $password }];
}, with_status(204));
ok(EZW::Seed::is_password_hash(
       $t->value('select password_hash from ezw.app_user where id = ?', $user),
       $password), 'it is the last one');

settled('a new password by a token', password_reset => {
    version => 1, used => 1, revoked => 1, 'auth.password_reset' => 1,
}, sub {
    $t->sql('update ezw.session set revoked_at = now()');
    session();
    my $text = $t->random_text(40);
    $t->value(q{select ezw.password_reset_create(
                    'jane@example.com', decode(?, 'hex'),
                    now() + interval '1 hour')}, sha256_hex($text));
    return [POST => '/api/auth/password/reset',
            json => { token => $text, newPassword => 'correct horse' }];
}, with_status(202));

settled('a forgotten password',
        password_reset => { 'auth.password_reset_requested' => 1 }, sub {
    return [POST => '/api/auth/password/reset',
            json => { email => 'jane@example.com' }];
}, with_status(202));

settled('a sign-up', signup => {
    company => 1, user => 1, member => 1, billing => 1, version => 1,
    'org.created' => 1,
}, sub {
    return [POST => '/api/signup/organization', json => {
        organizationName => 'New', ownerName => 'New', password => $password,
        email => 'new' . ++$n . '@example.com' }];
}, sub {
    my ($r, $name) = @_;
    is_answer($r, 201, {
        billing => { checkoutUrl => undef, state => 'pending' },
        lineSlots => { allocated => 1, used => 0 },
        organization => { id => qr/./, name => 'New',
                          status => 'pending_billing' },
        owner => { displayName => 'New', email => "new$n\@example.com",
                   id => qr/./, role => 'owner' },
    }, $name);
    is($t->value('select email from ezw.app_user where id = ?',
                 $r->json->{owner}{id}), "new$n\@example.com",
       "$name: that one");
});

done_testing;

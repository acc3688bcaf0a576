# A graceful end lets what is under way finish: a send that waits for a locked
# row, one whose body is still coming, and the couriers' work.

use EZW;

for my $how (qw(quit reload)) {
    my $t = EZW->start(workers => 1,
                       http => 'ezw_lane write timeout=10s;'
                           . 'ezw_lane single timeout=10s;');
    my $demo = $t->demo;
    my $key = $demo->{key}{COMPANY};
    my $path = "/v3/channels/$demo->{channel}/messages/$demo->{contact}";
    my $text = sub { return { type => 'text', body => $_[0] } };
    my $messages = sub {
        return $t->value(q{select count(*) from ezw.message
                            where direction = 'OUT'});
    };

    is($t->http(POST => $path, key => $key, json => $text->('first'))->status,
       201, "$how: a conversation");
    # its echo must not wait for the lock below
    wait_for(sub {
        return !$t->value('select count(*) from ezw.outbox');
    }, 10, 'the first message is through');

    my $other = $t->{postgres}->dbh($t->{dbname});
    $other->begin_work;
    $other->do('select from ezw.conversation for update');
    my $waiting = $t->client;
    $waiting->send_request(POST => $path, key => $key,
                           json => $text->('waits for a lock'));
    wait_for(sub {
        return $t->value(q{select count(*) from pg_stat_activity
                            where usename = 'ezw_app'
                              and wait_event_type = 'Lock'
                              and datname = current_database()});
    }, 5, 'it waits');

    my $slow = $t->client;
    my $bytes = EZW::Client::request_bytes(
        POST => $path, key => $key, json => $text->('comes slowly'));
    $slow->send_raw(substr $bytes, 0, -5);
    my $idle = $t->client;
    is($idle->request(GET => '/v3/keys/current', key => $key)->status, 200,
       "$how: a connection kept alive");

    my ($old) = $t->worker_pids;
    kill $how eq 'quit' ? 'QUIT' : 'HUP', $t->{pid};
    ok($idle->wait_closed, "$how: the idle connection is closed");
    is(kill(0, $old), 1, "$how: the worker is still there");

    $other->rollback;
    $slow->send_raw(substr $bytes, -5);
    my $r = $waiting->read_response('POST');
    is_answer($r, 201, { id => qr/^[0-9a-f]{40}$/ },
              "$how: the one that waited");
    is_answer($slow->read_response('POST'), 201,
              { id => qr/^[0-9a-f]{40}$/ }, "$how: the slow one");
    is($messages->(), 3, "$how: all are sent");
    # nginx lingers for 5 s on a connection that its client keeps open
    $_->close for $waiting, $slow, $idle;
    wait_for(sub { !kill(0, $old) || slurp("/proc/$old/stat") =~ /\) Z/ }, 5,
             'the old worker leaves');
    if ($how eq 'quit') {
        wait_for(sub { waitpid($t->{pid}, POSIX::WNOHANG()) }, 5,
                 'nginx leaves');
        delete $t->{pid};
        ok(!EZW::Client->new(port => $t->port)->{socket}, 'nobody listens');
        # a backend takes a moment to hear of it
        ok(eval { wait_for(sub {
            return !$t->value(q{select count(*) from pg_stat_activity
                                where usename = 'ezw_app'
                                  and datname = current_database()});
        }) }, 'no connection to Postgres is left');
        unlike($t->error_log, qr/open socket/, 'nothing was left open');
    } else {
        is($t->http(POST => $path, key => $key,
                    json => $text->('new'))->status, 201,
           'the new worker serves');
    }
}

done_testing;

package EZW;

# End-to-end tests: a real nginx with the module, a real Postgres, real HTTP.
#
#     use EZW;
#
#     my $t = EZW->start;                       # nginx, and a database of its own
#     my $demo = $t->demo;                      # rows to begin with
#     my $r = $t->http(GET => '/v3/keys/current', key => $demo->{key}{OWNER});
#     is_answer($r, 200, {...}, 'who am I');
#     done_testing;                             # stops all, reads the logs
#
# Every test also fails on an [alert] or [emerg] in nginx's error log, on a
# sanitizer's or valgrind's report, and on a worker that does not exit.
#
# `ezw test` sets EZW_T (the folder of the test run); these choose the binary:
# EZW_NGINX, EZW_MODULE, EZW_VALGRIND. EZW_LOG=debug makes logs talkative.

use strict;
use warnings;

use Cwd qw(abs_path);
use Fcntl qw(:flock);
use File::Basename qw(basename dirname);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Test::More ();
use utf8 ();

use EZW::Client ();
use EZW::Expect qw(wait_for is_json is_answer is_refused
                   is_workspace_refused);
use EZW::Json qw(to_json from_json true false);
use EZW::Load ();
use EZW::Postgres ();
use EZW::Seed ();

our @ISA = ('EZW::Seed');

BEGIN {
    die "tests are run by ./ezw test [FILE...]\n" if !$ENV{EZW_T};
}

our $ROOT = dirname(dirname(dirname(abs_path(__FILE__))));

# Where tests keep what they make, one folder each.
our $RUNS = "$ENV{EZW_T}/" . ($ENV{EZW_T_RUN} // 'run');

my @instances;
my $private_clusters = 0;
my $owner_pid = $$;
my $root = $> == 0;

# Where a worker must not read, it may not write either: as root the workers
# are www-data, as under `ezw up`.
my $WORKER = 'www-data';

sub import {
    my $caller = caller;

    strict->import;
    warnings->import;
    utf8->import;
    eval "package $caller; Test::More->import; 1" or die $@;
    no strict 'refs';
    no warnings 'redefine';
    for my $name (qw(done_testing wait_for is_json is_answer is_refused
                     is_workspace_refused true false to_json from_json slurp))
    {
        *{"${caller}::$name"} = __PACKAGE__->can($name);
    }
    return;
}

$SIG{INT} = $SIG{TERM} = sub { exit 130 };
$SIG{PIPE} = 'IGNORE';


# Configuration ------------------------------------------------------------

my $default_config = <<'END';
%%MAIN%%

events {
    worker_connections  1024;
}

http {
    %%HTTP%%

    server {
        %%LISTEN%%
        %%LOCATIONS%%
    }
}
END

# What the parts of a configuration expand to; a test's own configuration may
# use any of them, and %%DIR%%, %%PORT%%, %%TLS_PORT%%, %%PORT:name%% (another
# free port), %%DATABASE%% (the arguments of ezw_database).
my %parts = (
    MAIN => <<'END',
%%USER%%
    load_module %%MODULE%%;
    worker_processes %%WORKERS%%;
    daemon off;
    pid %%DIR%%/nginx.pid;
    lock_file %%DIR%%/nginx.lock;
    error_log %%DIR%%/error.log %%LOG_LEVEL%%;
    %%main%%
END
    HTTP => <<'END',
log_format ezw '$status "$request" $request_time trace=$ezw_trace_id '
                   'endpoint="$ezw_endpoint" gate=$ezw_gate '
                   'company=$ezw_company key=$ezw_key_id';
    access_log %%DIR%%/access.log ezw;
    client_body_temp_path %%DIR%%/temp/body;
    proxy_temp_path %%DIR%%/temp/proxy;
    fastcgi_temp_path %%DIR%%/temp/fastcgi;
    uwsgi_temp_path %%DIR%%/temp/uwsgi;
    scgi_temp_path %%DIR%%/temp/scgi;
    keepalive_requests 100000;
    ezw_database %%DATABASE%%;
    ezw_key_zone %%KEY_ZONE%%;
    ezw_signing_key_file %%SIGNING_KEY%%;
    ezw_seal_key_file %%SEAL_KEY%%;
    ezw_signup %%SIGNUP%%;
    %%LANES%%
    %%RATES%%
    %%http%%
END
    LISTEN => 'listen 127.0.0.1:%%PORT%%;',
    TLS_LISTEN => <<'END',
listen 127.0.0.1:%%TLS_PORT%% ssl;
        ssl_certificate %%T%%/tls.crt;
        ssl_certificate_key %%T%%/tls.key;
        ssl_protocols TLSv1.2 TLSv1.3;
END
    LOCATIONS => <<'END',
location /v3/       { ezw_api v3; }
        location /api/      { ezw_api workspace; }
        location = /healthz { ezw_health live; }
        location = /readyz  { ezw_health ready; }
        %%server%%
END
    DATABASE => 'host=%%PG_HOST%% port=%%PG_PORT%% dbname=%%DBNAME%% '
        . 'user=ezw_app password_file=%%DIR%%/password %%SSLMODE%% '
        . 'connect_timeout=60s %%database%%',
    # What a test does not say of time limits is no matter of time: nothing is
    # refused because the machine is slow.
    LANES => join(' ', map { "ezw_lane $_ timeout=60s;" }
                  qw(read write single slow)),
);

# Makes an nginx in a folder of its own, with a database of its own, and
# starts it. Options:
#   config     a whole nginx.conf; without it:
#   main, http, server   more lines for those contexts
#   database   more arguments of ezw_database; key_zone => those of
#              ezw_key_zone; workers => how many (2); tls => 1 for HTTPS too
#   rates      lines of ezw_rate instead of limits that no test reaches;
#              signup => the argument of ezw_signup (open)
#   postgres   an EZW::Postgres (the shared one); pg_host, pg_port: where
#              nginx connects instead, such as a proxy in between; sslmode
#   limits     {setting => value} of the module's connections, as limit has it
#   dbname     use this database and make none; like => $t: that one's
#   allow      [regular expressions] of log lines at [alert] that must not fail
#              the test; allow_kill => 1 for those of a killed worker
#   leaks      0: a sanitizer does not look for leaks at the end
#   start      0: only make the folder and the configuration
#   ready      0: do not wait for /readyz to be 200
sub start {
    my ($class, %o) = @_;

    my $name = basename($0, '.t');
    $name =~ s/\W/_/g;
    $name .= '_' . @instances if @instances;

    my $self = bless {
        %o, name => $name, dir => "$RUNS/$name", owner => $$,
        ports => {}, allow => [@{ $o{allow} || [] }],
        level => $ENV{EZW_LOG} // $o{level} // 'info',
    }, $class;
    push @instances, $self;

    if ($o{allow_kill}) {
        push @{ $self->{allow} },
            qr/worker process \d+ exited on signal 9/,
            qr/shared memory zone .* was locked by \d+/;
    }

    remove_tree($self->{dir});
    make_path("$self->{dir}/temp", "$self->{dir}/reports", { mode => 0711 });
    chmod 0733, "$self->{dir}/reports";

    if ($o{like}) {
        $self->{postgres} //= $o{like}{postgres};
        $self->{dbname} //= $o{like}{dbname};
    }
    $self->{postgres} //= EZW::Postgres->shared;
    if (!defined $self->{dbname}) {
        $self->{dbname} = "t_$name";
        $self->{postgres}->create_database($self->{dbname});
        $self->limit(lock_timeout => '10s', statement_timeout => '60s',
                     %{ $o{limits} // {} });
    }

    $self->write_config($o{config} // $default_config);
    $self->launch if $o{start} // 1;
    return $self;
}

# Writes nginx.conf from a text with placeholders.
sub write_config {
    my ($self, $text) = @_;

    my %values = (
        %parts,
        DIR => $self->{dir}, T => $ENV{EZW_T},
        MODULE => $ENV{EZW_MODULE}, USER => $root ? "user $WORKER;" : '',
        WORKERS => $self->{workers} // 2, LOG_LEVEL => $self->{level},
        DBNAME => $self->{dbname},
        PG_HOST => $self->{pg_host} // $self->{postgres}{socket},
        PG_PORT => $self->{pg_port} // $self->{postgres}{port},
        SSLMODE => 'sslmode=' . ($self->{sslmode} // 'disable'),
        KEY_ZONE => $self->{key_zone} // 'zone=ezw_keys:10m',
        RATES => $self->{rates} // join("\n    ", map {
            "ezw_rate $_ rate=1000000r/s burst=1000000;"
        } qw(key user address login_address login_email signup)),
        SIGNUP => $self->{signup} // 'open',
        SIGNING_KEY => signing_key(), SEAL_KEY => seal_key(),
        map { $_ => $self->{$_} // '' } qw(main http server database),
    );
    $values{LISTEN} .= "\n        $parts{TLS_LISTEN}" if $self->{tls};

    1 while $text =~ s/%%(PORT:\w+|\w+)%%/
        $1 eq 'PORT' || $1 eq 'TLS_PORT' || index($1, 'PORT:') == 0
            ? $self->port($1) : $values{$1} \/\/ die "no such part: $1\n"
    /gex;

    write_file("$self->{dir}/nginx.conf", $text);
    if (!-e "$self->{dir}/password") {
        write_file("$self->{dir}/password", slurp("$ENV{EZW_T}/template/app"),
                   0600);
        chown scalar getpwnam($WORKER), -1, "$self->{dir}/password" if $root;
    }
    return;
}

# The files of this test run's secrets, the same for all nodes; root reads
# them before nginx's workers are www-data.
sub signing_key {
    return made_once('signing.pem', sub {
        system('openssl', 'genpkey', '-algorithm', 'ed25519', '-out', $_[0])
            == 0 or die "openssl genpkey failed\n";
    });
}

sub seal_key {
    return made_once('seal.keys', sub {
        write_file($_[0], encode_base64(EZW::Seed::random_bytes(32)), 0600);
    });
}

# Tests run beside each other: whoever comes first makes the file.
sub made_once {
    my ($name, $make) = @_;

    my $file = "$ENV{EZW_T}/$name";
    if (!-e $file) {
        $make->("$file.$$");
        link "$file.$$", $file;
        unlink "$file.$$";
    }
    return $file;
}

# A free port of 127.0.0.1, claimed for this test: the same for the same name.
# Of one's own: $t->port('fake_postgres').
sub port {
    my ($self, $name) = @_;

    $name = defined $name ? $name =~ s/^PORT://r : 'PORT';
    return $self->{ports}{$name} //= claim_port();
}

my @claims;

# Below the range of ephemeral ports, and claimed by a lock among the tests
# that run beside this one.
sub claim_port {
    make_path("$ENV{EZW_T}/ports");
    for (1 .. 1000) {
        my $port = 20000 + int rand 10000;
        open my $claim, '>', "$ENV{EZW_T}/ports/$port" or die "claim: $!";
        flock $claim, LOCK_EX | LOCK_NB or next;
        IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port,
                              Listen => 1, ReuseAddr => 1) or next;
        push @claims, $claim;
        return $port;
    }
    die "no free port\n";
}


# Processes ----------------------------------------------------------------

# nginx's command line.
sub command {
    my ($self, @arguments) = @_;

    my @valgrind = !$ENV{EZW_VALGRIND} ? () : (
        'valgrind', '-q', '--vgdb=no', '--keep-debuginfo=yes',
        '--trace-children=yes', '--leak-check=full',
        '--show-leak-kinds=definite', '--errors-for-leak-kinds=definite',
        "--suppressions=$ENV{EZW_T}/valgrind.supp",
        "--log-file=$self->{dir}/reports/valgrind.%p");
    return (@valgrind, $ENV{EZW_NGINX}, '-p', "$self->{dir}/",
            '-c', "$self->{dir}/nginx.conf", '-e', "$self->{dir}/error.log",
            @arguments);
}

sub exec_nginx {
    my ($self, @arguments) = @_;

    my $reports = "$self->{dir}/reports";
    # `nginx -t` frees nothing
    my $leaks = grep({ $_ eq '-t' } @arguments) ? 0 : $self->{leaks} // 1;
    $ENV{ASAN_OPTIONS} = "detect_leaks=$leaks:log_path=$reports/asan:"
        . 'abort_on_error=0:detect_odr_violation=0';
    $ENV{UBSAN_OPTIONS} = "print_stacktrace=1:log_path=$reports/ubsan";
    $ENV{LSAN_OPTIONS} = "suppressions=$ENV{EZW_T}/lsan.supp:print_suppressions=0";
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$self->{dir}/output";
    open STDERR, '>&', \*STDOUT;
    my @command = $self->command(@arguments);
    exec @command or POSIX::_exit(127);
}

# Starts nginx and waits until it serves.
sub launch {
    my ($self) = @_;

    my $pid = fork // die "fork: $!";
    $self->exec_nginx if !$pid;
    $self->{pid} = $pid;

    my $ready = $self->{ready} // 1;
    my $waited = eval {
        wait_for(sub {
            die "nginx ended:\n" . slurp("$self->{dir}/output")
                . $self->error_log if waitpid($pid, POSIX::WNOHANG()) == $pid;
            return 0 if !-s "$self->{dir}/nginx.pid";
            return 1 if !$self->{ports}{PORT};
            # each worker tells of itself, and any may be asked
            return !grep { $self->http(GET => '/readyz')->status != 200 } 1 .. 12
                if $ready;
            return EZW::Client->new(port => $self->port)->{socket};
        }, 20, 'nginx is ready');
    };
    if (!$waited) {
        my $error = $@;
        my $answer = $self->{ports}{PORT} && $ready
            ? $self->http(GET => '/readyz')->as_text : '';
        die "$error$answer\n";
    }
    return;
}

# `nginx -t`: (true if it passed, what it said).
sub config_test {
    my ($self) = @_;

    my $output = "$self->{dir}/output";
    unlink $output;
    my $pid = fork // die "fork: $!";
    $self->exec_nginx('-t') if !$pid;
    waitpid $pid, 0;
    return ($? == 0, slurp($output));
}

# The pids of the workers, old ones that are shutting down left out unless
# ALL is true.
sub worker_pids {
    my ($self, $all) = @_;

    my $master = $self->{pid} // return;
    my @pids;
    for my $stat (glob '/proc/[0-9]*/stat') {
        my ($pid) = $stat =~ /(\d+)/;
        next if EZW::Postgres::stat_parent($pid) != $master;
        my $title = slurp("/proc/$pid/cmdline");
        next if $title eq '';          # it has ended
        next if $title =~ /cache (manager|loader)/;
        next if !$all && $title =~ /shutting down/;
        push @pids, $pid;
    }
    @pids = sort { $a <=> $b } @pids;
    return @pids;
}

# The threads of a process, its first one before the others: pid, nice, state.
sub threads {
    my ($pid) = @_;

    my @threads;
    for my $file (glob "/proc/$pid/task/*/stat") {
        my ($tid, $rest) = slurp($file) =~ /^(\d+) \(.*\) (.*)/s or next;
        my @fields = split ' ', $rest;
        push @threads, { pid => $tid, state => $fields[0],
                         nice => $fields[16] };
    }
    return sort { ($b->{pid} == $pid) <=> ($a->{pid} == $pid) } @threads;
}

# Password hashes run at the lowest priority. On a machine that other tests keep
# busy they would hardly run at all: threads of the workers that have begun to
# hash are given everybody's priority. True if one had not been given it before.
sub hasten {
    my ($self) = @_;

    my @threads = grep { $_->{nice} == 19 } map { threads($_) }
        $self->worker_pids;
    setpriority 0, $_->{pid}, 0 for @threads;
    $self->{hastened}{ $_->{pid} } = 1 for @threads;
    return scalar @threads;
}

# The same with a first hash, for a node of one worker and one such thread.
sub hasten_hashes {
    my ($self) = @_;

    my ($worker) = $self->worker_pids;
    my @threads = threads($worker);
    return if grep { $self->{hastened}{ $_->{pid} } } @threads;

    my $client = $self->client(timeout => 60);
    $client->send_request(POST => '/api/auth/login', close => 1, json => {
        email => 'nobody@example.com', password => 'nothing' });
    wait_for(sub { $self->hasten }, 20, 'a hash at work');
    $client->read_response('POST');
    return;
}

# Sends HUP and waits until only new workers take connections; with wait_old
# => 1 until the old ones are gone as well.
sub reload {
    my ($self, %o) = @_;

    my %old = map { $_ => 1 } $self->worker_pids(1);
    my $count = () = $self->worker_pids;
    kill 'HUP', $self->{pid};
    wait_for(sub {
        my @now = $self->worker_pids;
        return @now >= $count && !grep { $old{$_} } @now;
    }, 20, 'new workers after a reload');
    if ($o{wait_old}) {
        wait_for(sub { !grep { $old{$_} } $self->worker_pids(1) },
                 30, 'the old workers are gone');
    }
    return;
}

# Kills one worker (that one, or the first) and waits for its successor; returns
# its pid.
sub kill_worker {
    my ($self, $signal, $pid) = @_;

    my @before = $self->worker_pids;
    $pid //= $before[0];
    kill $signal // 'KILL', $pid;
    wait_for(sub {
        my @now = $self->worker_pids;
        return @now == @before && !grep { $_ == $pid } @now;
    }, 20, 'a new worker');
    return $pid;
}

# Ends nginx: QUIT (default) lets requests finish, TERM does not. True if it
# has gone in time.
sub stop {
    my ($self, $signal) = @_;

    my $pid = $self->{pid} // return 1;
    kill $signal // 'QUIT', $pid;
    my $gone = eval {
        wait_for(sub { waitpid($pid, POSIX::WNOHANG()) != 0 }, 20, 'an end');
    };
    return 0 if !$gone;
    delete $self->{pid};
    return 1;
}

sub restart {
    my ($self) = @_;

    $self->stop or die "nginx does not stop\n";
    $self->launch;
    return;
}

# Ends everything at once, asks nothing.
sub destroy {
    my ($self) = @_;

    my @workers = $self->worker_pids(1);
    my $pid = delete $self->{pid} // return;
    kill 'KILL', $pid, @workers;
    waitpid $pid, 0;
    return;
}

# A private cluster for this test; options as EZW::Postgres->start_private.
# Give it to start: EZW->start(postgres => EZW->private_postgres).
sub private_postgres {
    my ($class, %o) = @_;

    my $name = basename($0, '.t') =~ s/\W/_/gr;
    my $n = ++$private_clusters;
    make_path($RUNS, { mode => 0711 });
    return EZW::Postgres->start_private("$RUNS/$name-pg$n", %o);
}


# HTTP ---------------------------------------------------------------------

# One request on a connection of its own. Options: headers, json, body, key
# (see EZW::Client::request_bytes), tls, timeout, raw => bytes sent instead.
sub http {
    my ($self, $method, $path, %o) = @_;

    my $client = $self->client(map { exists $o{$_} ? ($_ => $o{$_}) : () }
                               qw(tls timeout));
    my $raw = delete $o{raw};
    my $sent = defined $raw ? $client->send_raw($raw)
        : $client->send_request($method, $path, close => 1, %o);
    my $response = $client->read_response($method);
    $client->close;
    return $response;
}

# A connection to this nginx: an EZW::Client.
sub client {
    my ($self, %o) = @_;

    return EZW::Client->new(
        port => $self->port($o{tls} ? 'TLS_PORT' : 'PORT'), %o);
}

# Requests side by side: [METHOD, PATH, options] each; returns the responses in
# the same order.
sub parallel {
    my ($self, @requests) = @_;

    return EZW::Load::parallel(\@requests, port => $self->port);
}

# Background load; options of EZW::Load::run, and request => sub that returns
# the n-th request. Ends, and returns all responses, by ->stop.
sub load {
    my ($self, %o) = @_;

    my $n = ++$self->{loads};
    return EZW::Load->start(clients => 4, port => $self->port, %o,
                            file => "$self->{dir}/load.$n");
}


# Waits until this and OTHER nodes of its database have heard of all that has
# been committed, so that what a test changes next is news to them: a key of
# COMPANY that they know is revoked, and they say so.
sub catch_up {
    my ($self, $company, @others) = @_;

    my @nodes = ($self, @others);
    my $key = $self->key(company => $company, scope => 'COMPANY');
    my $all_say = sub {
        my ($status) = @_;
        return !grep { $_->status != $status }
            map { $_->parallel(([GET => '/v3/keys/current', key => $key]) x 8) }
            @nodes;
    };
    wait_for(sub { $all_say->(200) }, 10, 'a key that is known');
    $self->sql('update ezw.api_key set revoked_at = now() where id = ?',
               $self->key_id($key));
    wait_for(sub { $all_say->(401) }, 10, 'a key that is known to be revoked');
    return;
}


# Database -----------------------------------------------------------------

# The superuser's handle on this test's database, connected anew if Postgres
# has been restarted.
sub dbh {
    my ($self) = @_;

    if (!$self->{dbh} || !$self->{dbh}->ping) {
        $self->{dbh} = $self->{postgres}->dbh($self->{dbname});
    }
    return $self->{dbh};
}

# Runs one statement: the rows (each a list) of one that returns rows, else the
# number of rows touched. A value {hex => ...} is a bytea.
sub sql {
    my ($self, $statement, @values) = @_;

    my $dbh = $self->dbh;
    my $sth = $dbh->prepare($statement);
    for my $i (0 .. $#values) {
        if (ref $values[$i] eq 'HASH') {
            $sth->bind_param($i + 1, pack('H*', $values[$i]{hex}),
                             { pg_type => DBD::Pg::PG_BYTEA() });
        } else {
            $sth->bind_param($i + 1, $values[$i]);
        }
    }
    my $count = $sth->execute;
    return $sth->{NUM_OF_FIELDS} ? @{ $sth->fetchall_arrayref } : $count + 0;
}

# The first column of the first row.
sub value {
    my ($self, @arguments) = @_;

    my ($row) = $self->sql(@arguments);
    return $row ? $row->[0] : undef;
}

# Everything in schema ezw: table => [rows as text, sorted]. Tables named in
# EXCEPT are left out.
sub snapshot {
    my ($self, @except) = @_;

    my %except = map { $_ => 1 } @except;
    my %snapshot;
    for my $row ($self->sql(
        q{select c.relname from pg_class c
           where c.relnamespace = 'ezw'::regnamespace
             and c.relkind in ('r', 'p') and not c.relispartition}))
    {
        my ($table) = @$row;
        next if $except{$table};
        $snapshot{$table} = [ map { $_->[0] } $self->sql(
            "select t::text from ezw.$table t order by 1") ];
    }
    return \%snapshot;
}

# What the module's connections to this database have from now on: lock_timeout,
# statement_timeout. A test's own are long, as those of the lanes; one that wants
# the module's says so.
sub limit {
    my ($self, %settings) = @_;

    my $dbh = $self->{postgres}->dbh('postgres');
    for my $name (sort keys %settings) {
        $dbh->do("alter role ezw_app in database $self->{dbname}
                  set $name = " . $dbh->quote($settings{$name}));
    }
    return;
}

# What the test's database logged.
sub database_log {
    my ($self) = @_;

    return $self->{postgres}->log_text($self->{dbname});
}


# Logs and the end ---------------------------------------------------------

sub error_log  { return slurp("$_[0]{dir}/error.log") }
sub access_log { return slurp("$_[0]{dir}/access.log") }

# The lines that fail a test.
sub complaints {
    my ($self) = @_;

    my @bad;
    for my $line (split /\n/, $self->error_log . slurp("$self->{dir}/output")) {
        next if $line !~ /\[(alert|emerg)\]|ERROR: \w+Sanitizer|runtime error:/;
        next if grep { $line =~ $_ } @{ $self->{allow} };
        push @bad, $line;
    }
    for my $file (glob "$self->{dir}/reports/*") {
        my $text = slurp($file);
        push @bad, basename($file) . ":\n" . substr $text, 0, 6000
            if $text =~ /\S/;
    }
    return @bad;
}

# Stops every nginx, asks that each has gone in time and has nothing to
# complain of, and ends the plan.
sub done_testing {
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $t (@instances) {
        my $gone = $t->stop;
        $t->destroy if !$gone;
        Test::More::ok($gone, "$t->{name}: nginx exited gracefully");
        my @bad = $t->complaints;
        Test::More::ok(!@bad, "$t->{name}: nothing alarming in the logs")
            || Test::More::diag(join "\n", map { substr $_, 0, 6000 }
                                @bad > 20 ? @bad[0 .. 19] : @bad);
    }
    return Test::More::done_testing();
}

END {
    if ($$ == $owner_pid) {
        local $?;
        for my $t (@instances) {
            $t->destroy;
            delete $t->{dbh};
        }
        @instances = ();
    }
}


# Files --------------------------------------------------------------------

sub slurp { return EZW::Postgres::slurp($_[0]) }

sub write_file {
    my ($path, $text, $mode) = @_;

    unlink $path;
    sysopen my $file, $path, POSIX::O_WRONLY() | POSIX::O_CREAT(),
        $mode // 0644 or die "$path: $!";
    print {$file} $text;
    return;
}

1;

# ezw_gate_stale: whether keys that are known still pass while the database
# cannot be asked about them, for how long, and that nothing else passes.

use File::Path qw(make_path);

use EZW;
use Time::HiRes qw(time);

my $postgres = EZW->private_postgres;
my $page = "the page\n";

sub node {
    my ($http, %o) = @_;
    my $t = EZW->start(
        http => "$http ezw_lane read timeout=1s; ezw_courier off;",
        server => <<'CONF', %o);
location /page/ { ezw_gate scope=company; root %%DIR%%/html; }
        location /owners/ { ezw_gate scope=owner; root %%DIR%%/html; }
CONF
    make_path("$t->{dir}/html/page", { mode => 0755 });
    EZW::write_file("$t->{dir}/html/page/x", $page);
    return $t;
}

my $strict = node('', postgres => $postgres);
my $lenient = node('ezw_gate_stale 1h;', like => $strict);
my $brief = node('ezw_gate_stale 1s;', like => $strict);
my @nodes = ($strict, $lenient, $brief);
my $demo = $strict->demo;
my $company = $demo->{company};

my $known = $strict->key(company => $company, scope => 'COMPANY');
my $disabled = $strict->key(company => $company, scope => 'COMPANY',
                            enabled => 'f');
my $elsewhere = $strict->key(company => $company, scope => 'COMPANY',
                             whitelist => '{192.0.2.7}');
my $slow = $strict->key(company => $company, scope => 'COMPANY',
                        rate_per_minute => 1, burst => 3);
my $small = $demo->{key}{CHANNEL};
my $foreign = $strict->channel(company => $company);

my $who = '/v3/keys/current';
my $contact = "contacts/$demo->{contact}";

sub get {
    my ($t, $path, $key) = @_;
    return $t->http(GET => $path, key => $key);
}

# Each node's zone knows them all, as the database has them: by any worker.
sub learn {
    for my $t (@nodes) {
        for my $case ([$known, 200], [$disabled, 401], [$elsewhere, 403],
                      [$small, 200])
        {
            my ($key, $status) = @$case;
            wait_for(sub { get($t, $who, $key)->status == $status }, 20,
                     "$status is known");
        }
    }
    return;
}

sub unavailable {
    my ($r, $name) = @_;
    is_refused($r, 503, 1003, {}, $name);
    return is($r->header('retry-after'), 1, "$name: when to come again");
}

# What holds while the database cannot be asked.
sub without_database {
    my ($name) = @_;

    # a path that is wrong does not pass: then the zone is believed no more
    my $wrong = "/v3/channels/nonsense/$contact";
    wait_for(sub { get($lenient, $wrong, $known)->status == 503 }, 20,
             "$name: a lenient node asks");
    unavailable(get($lenient, $wrong, $known), "$name: a path that is wrong");
    wait_for(sub { get($strict, $who, $known)->status == 503 }, 20,
             "$name: a strict node asks");
    unavailable(get($strict, $who, $known), "$name: by itself nobody passes");
    unavailable(get($strict, '/page/x', $known), "$name: not to a page either");

    is_answer(get($lenient, $who, $known), 200, { map { $_ => sub { 1 } }
        qw(burst cipherKey description enabled expiresAt id lastUsed objects
           prefix ratePerMinute scope whitelist) }, "$name: who is known");
    is(get($lenient, '/page/x', $known)->body, $page, "$name: gets a page");
    is_refused(get($lenient, $who, $disabled), 401, 1001,
               { message => 'Unauthorized: the API key is disabled' },
               "$name: a disabled key");
    is_refused(get($lenient, $who, $elsewhere), 403, 1002,
               { message => 'IP 127.0.0.1 is not whitelisted' },
               "$name: another address");
    is_refused(get($lenient, '/page/x', $small), 403, 1002, {
        message => q{Access denied: the API key's scope is too small} },
               "$name: a small key");
    is_refused(get($lenient, "/v3/channels/$foreign/$contact", $small), 403,
               1002,
               { message => 'Access denied: not a channel of the API key' },
               "$name: another's channel");
    unavailable(get($lenient, "/v3/channels/$demo->{channel}/$contact", $small),
                "$name: what is in the database");
    unavailable(get($lenient, $who, $strict->random_text(40)),
                "$name: an unknown key");
    unavailable(get($lenient, '/page/x', $strict->random_text(40)),
                "$name: an unknown key, for a page");
    is(get($lenient, '/v3/nothing', $known)->status, 404,
       "$name: a path that is none");

    wait_for(sub { get($brief, $who, $known)->status == 503 }, 20,
             "$name: a second is soon over");
    unavailable(get($brief, '/page/x', $known), "$name: and then it is");
    return;
}

learn();
$postgres->stop;
is(get($lenient, $who, $slow)->status, 503, 'one that nobody knew');
without_database('stopped');
$postgres->start;
for my $t (@nodes) {
    wait_for(sub { get($t, $who, $known)->status == 200 }, 20, 'it is back');
}

# A server that takes what it is asked and says nothing.
learn();
my $began = time;
wait_for(sub { get($lenient, $who, $slow)->status == 200 }, 20, 'a slow key');
$postgres->freeze;
without_database('frozen');
# three at once, and one a minute
my @slow;
wait_for(sub {
    push @slow, get($lenient, $who, $slow)->status;
    return $slow[-1] != 200;
}, 60, 'no more');
my $more = int((time - $began) / 60);
is_deeply([@slow[0, 1, -1]], [200, 200, 429], 'a slow key, which has its limit');
cmp_ok(scalar(@slow), '<=', 3 + $more, 'of three at once');
$postgres->thaw;
for my $t (@nodes) {
    wait_for(sub { get($t, $who, $known)->status == 200 }, 20, 'it is back');
}

# And what has changed is soon known again.
$strict->sql('update ezw.api_key set revoked_at = now() where id = ?',
             $strict->key_id($known));
for my $t (@nodes) {
    wait_for(sub { get($t, $who, $known)->status == 401 }, 10, 'revoked');
    # of its two workers one may still be about to hear of the database again
    my $answer = wait_for(sub {
        my $r = get($t, '/page/x', $known);
        return $r->status != 503 && $r;
    }, 10, 'and by each worker');
    is_refused($answer, 401, 1001,
               { message => 'Unauthorized: the API key is disabled' },
               'a revoked key');
}

done_testing;

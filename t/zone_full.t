# The smallest key zone and far more keys than it can hold: nothing fails,
# nothing is logged, and whoever asks is who he is.

use EZW;
use EZW::Stall qw(lateness);
use Digest::SHA qw(sha256_hex);

my $t = EZW->start(key_zone => 'zone=ezw_keys:32k',
                   http => 'ezw_courier off;');
my $demo = $t->demo;

# Thousands of keys by one statement: the text is made of the number.
sub text_of { return substr sha256_hex("key $_[0]"), 0, 40 }

$t->sql(q{insert into ezw.api_key (company, id, scope, description, prefix, hash)
          select ?, gen_random_uuid(), 'COMPANY', 'key ' || n,
                 left(k.key, 6), sha256(k.key::bytea)
            from generate_series(1, 3000) n,
                 lateral (select left(encode(sha256(('key ' || n)::bytea),
                                             'hex'), 40) as key) k},
        $demo->{company});
my %id = map { @$_ } $t->sql(
    q{select description, id from ezw.api_key where description ~ '^key \d'});

# one that is larger than the zone
my @channels = map { $t->channel(company => $demo->{company}) } 1 .. 300;
my $large = $t->key(company => $demo->{company}, scope => 'CHANNEL',
                    channels => \@channels);
my $favourite = $demo->{key}{OWNER};
my $favourite_id = $t->key_id($favourite);
my $large_id = $t->key_id($large);

my @requests;
my %expected;
for my $n (1 .. 3000) {
    for ([text_of($n), $id{"key $n"}], [$t->random_text(40), undef],
         $n % 50 == 0 ? ([$favourite, $favourite_id], [$large, $large_id])
                      : ())
    {
        my ($key, $id) = @$_;
        $expected{$key} = $id;
        push @requests, [GET => '/v3/keys/current', key => $key];
    }
}

my ($done, $next) = (0, 0);
my @wrong;
EZW::Load::run(
    port => $t->port, clients => 8,
    next => sub { return $requests[$next++] },
    done => sub {
        my ($r) = @_;
        my $id = $expected{ $r->{request}[-1] };
        $done++;
        push @wrong, $r if defined $id
            ? $r->status != 200 || $r->json->{id} ne $id
            : $r->status != 401 || $r->json->{error}{code} != 1001;
    });
is($done, scalar(@requests), 'all are answered');
is(scalar(@wrong), 0, 'all rightly')
    or diag map { $_->as_text . "\n" } splice @wrong, 0, 5;

# wrong keys only, then the good ones again
EZW::Load::run(
    port => $t->port, clients => 8,
    next => do { my $n = 0; sub {
        return $n++ < 2000
            ? [GET => '/v3/keys/current', key => $t->random_text(40)] : undef;
    } },
    done => sub { push @wrong, $_[0] if $_[0]->status != 401 });
is(scalar(@wrong), 0, 'wrong keys are wrong');
for ([$favourite, $favourite_id], [$large, $large_id],
     map { [text_of($_), $id{"key $_"}] } 1, 1500, 3000)
{
    my ($key, $id) = @$_;
    is($t->http(GET => '/v3/keys/current', key => $key)->json->{id}, $id,
       'a good key after the wrong ones');
}
is($t->http(GET => "/v3/channels/$channels[-1]/contacts/" . $t->contact_jid,
            key => $large)->status, 404, 'the large key reaches its last channel');
is($t->http(GET => "/v3/channels/$demo->{channel}/contacts/"
                . $t->contact_jid, key => $large)->status, 403,
   'and no other');

is_json([grep { /\[(error|crit|alert|emerg)\]/ } split /\n/, $t->error_log],
        [], 'nothing above a warning is logged');

# revoked while nothing stays in the zone for long
$t->sql('update ezw.api_key set revoked_at = now() where id = ?', $favourite_id);
cmp_ok(lateness([$t], sub {
    return $t->http(GET => '/v3/keys/current', key => $favourite)->status
        == 401;
}), '<', 2 + $EZW::Expect::PATIENCE,
       'a revoked key is none within two seconds');

done_testing;

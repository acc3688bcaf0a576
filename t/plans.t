# No endpoint reads a table from its beginning to its end. Every table is given
# 100,000 rows of the very company that asks, every endpoint is called, and
# Postgres tells which tables were scanned: by pg_stat_user_tables, because
# EXPLAIN does not see inside functions.

use EZW;
use EZW::Endpoints;

my $t = EZW->start(workers => 1, http => 'ezw_courier off;');
$t->hasten_hashes;
my $all = EZW::Endpoints->new($t);
my $owner = $t->key(company => $all->{company}, scope => 'OWNER');
my @endpoints = grep { $_->{built} } $all->table;

# Tables of one row or a few, whatever the deployment: reading them is to scan
# them.
my %small = map { $_ => 'one row' } qw(deployment change_counter);

# What cannot have many rows, or what no endpoint reads.
my %unfilled = (
    %small,
    migration => 'one for each migration',
    identity => 'bound by tokens of other issuers',
    (map { $_ => 'a queue of the background' }
     qw(conversation_merge detach erasure purge)),
);

sub credential {
    my ($endpoint) = @_;

    return (key => $owner) if $endpoint->{face} eq 'v3';
    return () if $endpoint->{least} eq 'anyone';
    return (key => $all->token('owner'));
}

# A request to every endpoint; to lists one page by page too. What they need is
# made now.
sub calls {
    my @calls;
    for my $endpoint (@endpoints) {
        my ($method, $path, %more) = $all->spare_request($endpoint);
        push @calls, map { [$endpoint, $method => $_, %more,
                            credential($endpoint)] }
            $path, $method eq 'GET' ? "$path?limit=50" : ();
    }
    return @calls;
}

sub call_all {
    my ($what, @calls) = @_;

    for my $call (@calls) {
        my ($endpoint, @request) = @$call;
        my $r = $t->http(@request);
        is($r->status, $endpoint->{success}, "$what: @request[0, 1]")
            or diag $r->as_text;
    }
    return;
}

call_all('once', calls());

# What no request leaves.
my %company = (company => $all->{company});
my %channel = (%company, channel => $all->channel_id);
my ($contact, $conversation) = map {
    $t->value("select id from ezw.$_->[0] where $_->[1] = ?", $all->{contact})
} ['contact', 'jid'], ['conversation', 'contact_jid'];
$t->key(%company, scope => 'CHANNEL', channels => [$all->{channel}]);
$t->http(POST => "/v3/channels/$all->{channel}/contacts", key => $owner,
         headers => { 'Idempotency-Key' => 'x' },
         json => { jid => $t->contact_jid });
$t->insert(contact_alias => %channel, kind => 'bsuid', value => 'NL.1',
           contact => $contact);
$t->insert(conversation_label => %company, conversation => $conversation,
           label => '1580486175684@label.eazy.im');
$t->insert(list_participant => %company, contact => $contact,
           list => '1571833730@list.eazy.im');
$t->insert(provider_message => %channel, provider_id => 'wamid.1');
$t->insert(attachment => %company, id => $t->uuid, message => { hex => '00' },
           conversation => $conversation);
$t->insert(delivery => %company, id => $t->uuid, kind => 'message',
           webhook => $all->{webhook}, conversation => $conversation);
$t->insert(channel_permission => %channel, can_view => 1, can_send => 1,
           user_id => $all->{user}{operator});
$t->insert(presence => %company, user_id => $all->{user}{operator});
$t->sql(q{select ezw.password_reset_create('owner@example.com',
              decode(repeat('c1', 32), 'hex'), now() + interval '1 hour')});


# A hundred thousand of each ---------------------------------------------------

my $ROWS = 100_000;
my %tables = map { @$_ } $t->sql(q{
    select c.relname, c.relkind from pg_class c
     where c.relnamespace = 'ezw'::regnamespace and c.relkind in ('r', 'p')
       and not c.relispartition});

# How a value is made another one, by its type; r is the row that it is of.
my %another = (
    uuid => 'gen_random_uuid()',
    text => q{i || r.%s},
    bytea => q{decode(left(md5(i::text) || md5(i || 'x'),
                           2 * length(r.%s)), 'hex')},
    integer => '-i', bigint => '-i',
);

# Columns that tell rows apart: of any unique index, but for what stays the same
# where there is another one.
my %same = map { $_ => 1 } qw(company channel channel_jid kind type language
                              method created_at contact api_key);

sub distinguishing {
    my ($table) = @_;

    my @all = map { { name => $_->[0], type => $_->[1] } } $t->sql(q{
        select distinct a.attname, format_type(a.atttypid, null)
          from pg_class c
          join pg_index i on i.indrelid = c.oid and i.indisunique
          join pg_attribute a on a.attrelid = c.oid
                             and a.attnum = any (i.indkey::int2[])
         where c.relnamespace = 'ezw'::regnamespace
           and c.relname = (select coalesce(min(p.relname), ?)
                              from pg_inherits h
                              join pg_class p on p.oid = h.inhrelid
                             where h.inhparent = ('ezw.' || ?)::regclass)}, $table, $table);
    my @some = grep { !$same{ $_->{name} } } @all;
    @some = grep { $_->{name} ne 'company' && $_->{type} eq 'uuid' } @all
        if !@some;
    return @some ? @some : @all;
}

# More of its newest row.
sub fill {
    my ($table) = @_;

    my @columns = map { $_->[0] } $t->sql(q{
        select a.attname from pg_attribute a
         where a.attrelid = ('ezw.' || ?)::regclass and a.attnum > 0
           and not a.attisdropped and a.attgenerated = ''
         order by a.attnum}, $table);
    my %value = map { $_ => "r.$_" } @columns;
    my @distinguishing = distinguishing($table)
        or die "$table: nothing tells its rows apart\n";
    for my $column (@distinguishing) {
        my $make = $another{ $column->{type} }
            // die "$table.$column->{name}: a $column->{type}\n";
        $value{ $column->{name} } = $make =~ s/%s/$column->{name}/r;
    }
    $value{created_at} = q{r.created_at - i * interval '1 microsecond'}
        if $value{created_at};
    # all of a user's end with a change of his password, all of a contact's
    # with his erasure
    $value{user_id} = 'gen_random_uuid()' if $table eq 'session';
    $value{contact} = 'gen_random_uuid()' if $table eq 'event';
    # a channel has a thousand at most
    $value{channel} = 'gen_random_uuid()' if $table eq 'template';
    # a key knows its company's children by heart
    $value{parent} = 'null' if $table eq 'company';
    # a name in lower case may be the one that is unique
    $value{name} = 'i || r.name' if $value{name};
    my ($order) = grep { exists $value{$_} } qw(created_at applied_at id);
    $order //= $columns[0];
    return $t->sql(sprintf q{
        insert into ezw.%s (%s)
        select %s from (select x.* from ezw.%s x %s order by %s desc limit 1) r,
                       generate_series(1, %d) i},
        $table, join(', ', @columns), join(', ', @value{@columns}), $table,
        ($value{company} // '') eq 'r.company'
            ? "where x.company = '$all->{company}'" : '',
        $order, $ROWS);
}

$t->sql('set session_replication_role = replica');   # no triggers
my @empty;
for my $table (sort keys %tables) {
    next if $unfilled{$table};
    push @empty, $table if !fill($table);
}
$t->sql('set session_replication_role = origin');
is_deeply(\@empty, [], 'every table has rows') or diag explain \@empty;
$t->sql('vacuum analyze');


# What they read ---------------------------------------------------------------

# Counts are kept by each backend for a while: they are written when it ends.
sub all_ended {
    $t->stop;
    $t->dbh->disconnect;
    wait_for(sub { !$t->value(q{select count(*) from pg_stat_activity
                                 where datname = current_database()
                                   and backend_type = 'client backend'
                                   and pid <> pg_backend_pid()}) }, 60,
             'the backends have ended');
    return;
}

my @calls = calls();
all_ended();
$t->sql('select pg_stat_reset()');
$t->restart;
call_all('among many', @calls);
all_ended();

my @scanned = map { "$_->[0]: $_->[1] times, $_->[2] rows" } $t->sql(q{
    select relname, seq_scan, seq_tup_read from pg_stat_user_tables
     where schemaname = 'ezw' and seq_scan > 0 and seq_tup_read > 0
       and relname <> all (?)
     order by relname}, [sort keys %small]);
is_deeply(\@scanned, [], 'no table was scanned') or diag explain \@scanned;

done_testing;

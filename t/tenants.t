# Two companies that have the very same things: contacts, labels, lists, teams,
# notes, messages of the same ids and JIDs. Whatever one of them does, on every
# endpoint of v3, the other one's rows and answers stay as they are.

use EZW;
use EZW::Endpoints;

my $t = EZW->start(http => 'ezw_courier off;');
$t->hasten_hashes;
my $one = EZW::Endpoints->new($t);
# a person is one in the deployment: what he does about himself is for all of his
# companies
my @endpoints = grep { $_->{built} && $_->{face} eq 'v3' } $one->table;
$one->{owner} = $t->key(company => $one->{company}, scope => 'OWNER');

# Calls every endpoint once.
sub call_all {
    my ($all, $what) = @_;

    for my $endpoint (@endpoints) {
        my ($method, $path, %more) = $all->spare_request($endpoint);
        my $r = $t->http($method => $path, key => $all->{owner}, %more);
        is($r->status, $endpoint->{success}, "$what: $endpoint->{name}")
            or diag $r->as_text;
    }
    return;
}

call_all($one, 'the first');


# The twin ----------------------------------------------------------------------

my @tables = map { $_->[0] } $t->sql(q{
    select c.relname
      from pg_class c
      join pg_attribute a on a.attrelid = c.oid and a.attname = 'company'
     where c.relnamespace = 'ezw'::regnamespace and c.relkind in ('r', 'p')
       and not c.relispartition
     order by 1});
# What is one in the whole deployment: keys, sessions, the sequence of changes.
my %apart = map { $_ => 1 } qw(api_key api_key_object session change);

my $two = bless { %$one, company => $t->uuid }, ref $one;
$t->insert('company', id => $two->{company}, name => 'Twin');
# channels are one in the deployment, too: theirs have another digit
sub other_channel { return "regexp_replace(r.$_[0], '^3', '4')" }
my %other = ('channel.jid' => other_channel('jid'),
             'contact.channel_jid' => other_channel('channel_jid'));
$two->{channel} =~ s/^3/4/;

$t->sql('set session_replication_role = replica');    # no triggers
for my $table (grep { !$apart{$_} } @tables) {
    my @columns = map { $_->[0] } $t->sql(q{
        select a.attname from pg_attribute a
         where a.attrelid = ('ezw.' || ?)::regclass and a.attnum > 0
           and not a.attisdropped and a.attgenerated = ''
         order by a.attnum}, $table);
    my @values = map { $_ eq 'company' ? "'$two->{company}'"
                       : $other{"$table.$_"} // "r.$_" } @columns;
    $t->sql(sprintf('insert into ezw.%s (%s) select %s from ezw.%s r
                      where r.company = ?', $table, join(', ', @columns),
                    join(', ', @values), $table), $one->{company});
}
$t->sql('set session_replication_role = origin');
$two->{$_} = $t->key(company => $two->{company}, scope => 'OWNER')
    for qw(owner sender);
$two->{key} = $two->api_key;


# What one has: of every table its rows.
sub rows_of {
    my ($company) = @_;

    my %rows = (company => [map { $_->[0] } $t->sql(
        'select c::text from ezw.company c where c.id = ?', $company)]);
    for my $table (@tables) {
        # when a key was used is written late
        my $row = $table eq 'api_key' ? "to_jsonb(r) - 'last_used'" : 'r';
        $rows{$table} = [map { $_->[0] } $t->sql(
            "select ($row)::text from ezw.$table r where r.company = ?
              order by 1", $company)];
    }
    return \%rows;
}

# What it is told, on every endpoint that reads.
sub answers_of {
    my ($all) = @_;

    my %answers;
    for my $endpoint (grep { $_->{method} eq 'GET' } @endpoints) {
        my ($method, $path) = $all->request($endpoint);
        my $r = $t->http($method => $path, key => $all->{owner});
        $answers{ $endpoint->{name} } = $r->body =~ s/"lastUsed":[^,]*,//gr;
        is($r->status, 200, "$endpoint->{name} answers");
    }
    return \%answers;
}

for ([$one, $two, 'the first', 'the second'],
     [$two, $one, 'the second', 'the first'])
{
    my ($who, $other, $name, $other_name) = @$_;

    my ($rows, $answers) = (rows_of($other->{company}), answers_of($other));
    cmp_ok(scalar(grep { @{ $rows->{$_} } } keys %$rows), '>', @tables * 0.6,
           "$other_name has rows in most tables");
    call_all($who, $name);
    my $after = rows_of($other->{company});
    for my $table (sort keys %$rows) {
        is_deeply($after->{$table}, $rows->{$table},
                  "$name has done all: $table of $other_name is as it was");
    }
    my $told = answers_of($other);
    for my $endpoint (sort keys %$answers) {
        is($told->{$endpoint}, $answers->{$endpoint},
           "$name has done all: $endpoint of $other_name is as it was");
    }

    # what it has made, its own key knows of before it is looked at
    $t->catch_up($who->{company});
}

done_testing;

package EZW::Statements;

# The module's statements, run as it runs them: as its own role, prepared, each
# parameter given by its name as text.
#
#     my $statements = EZW::Statements->new($t, company => $company, ...);
#     my $rows = $statements->run('contact_get', 'path.contactJid' => $jid);
#
# What new is given stands for parameters that run is not given.

use strict;
use warnings;

use DBI ();
use Test::More ();

sub new {
    my ($class, $t, %defaults) = @_;

    my $self = bless { t => $t, of => {}, defaults => \%defaults }, $class;
    for my $file (glob "$EZW::ROOT/ngx_ezw_module/sql/statements/*.sql") {
        my $text = EZW::slurp($file);
        $self->parse($1, $2)
            while $text =~ /^-- name: (\w+)\n(.*?)(?=^-- name: |\z)/msg;
    }
    $self->{dbh} = $self->connect;
    return $self;
}

# $1, $2.. for :names.
sub parse {
    my ($self, $name, $sql) = @_;

    my (@params, %number);
    $sql =~ s{--[^\n]*|'(?:[^']|'')*'|"[^"]*"|::|:([A-Za-z_][\w.]*)}
             {
                 my $all = $&;
                 defined $1 ? '$' . ($number{$1} //= push @params, $1) : $all
             }gex;
    $sql =~ s/;\s*\z//;
    $self->{of}{$name} = { sql => $sql, params => \@params };
    return;
}

# Another connection of the module's role.
sub connect {
    my ($self) = @_;

    my $t = $self->{t};
    return DBI->connect(
        "dbi:Pg:host=$t->{postgres}{socket};port=$t->{postgres}{port};"
            . "dbname=$t->{dbname}", 'ezw_app', EZW::slurp("$t->{dir}/password"),
        { RaiseError => 1, PrintError => 0, AutoCommit => 1,
          pg_enable_utf8 => 1 });
}

# What the heads of t/reexecution*.t list, of FILE or of all, of KIND ("writes",
# "others") or of both.
sub listed {
    my ($file, $kind) = @_;

    $kind //= 'writes|others';
    my @names;
    for my $path ($file // glob "$EZW::ROOT/t/reexecution*.t") {
        push @names, map { split } EZW::slurp($path) =~ /^# (?:$kind): (.*)/mg;
    }
    return sort @names;
}

sub names  { return sort keys %{ $_[0]{of} } }
sub params { return @{ $_[0]{of}{ $_[1] }{params} } }

# Its text, and the values in their order.
sub bound {
    my ($self, $name, %values) = @_;

    my $statement = $self->{of}{$name} or die "no statement $name\n";
    my %used = map { $_ => 1 } @{ $statement->{params} };
    my @unknown = grep { !$used{$_} } keys %values;
    die "$name has no parameter @unknown\n" if @unknown;
    %values = (%{ $self->{defaults} }, %values);
    my @missing = grep { !exists $values{$_} } @{ $statement->{params} };
    die "$name wants @missing\n" if @missing;
    return ($statement->{sql}, @values{ @{ $statement->{params} } });
}

# Begins it on a connection; the handle has its rows, or with pg_async will.
sub start {
    my ($self, $dbh, $async, $name, %values) = @_;

    my ($sql, @values) = $self->bound($name, %values);
    my $sth = $dbh->prepare($sql, { pg_placeholder_dollaronly => 1,
                                    $async ? (pg_async => 1) : () });
    $sth->bind_param($_ + 1, $values[$_]) for 0 .. $#values;
    $sth->execute;
    return $sth;
}

# The rows, each a hash; 'done' for a statement that has none.
sub run {
    my ($self, $name, %values) = @_;

    $self->{runs}{$name}++;
    my $sth = $self->start($self->{dbh}, 0, $name, %values);
    return $sth->{NUM_OF_FIELDS} ? $sth->fetchall_arrayref({}) : 'done';
}

# The first row.
sub row { return shift->run(@_)->[0] }

# Runs it again and again with the same ids: the same answer, the same tables.
sub twice {
    my ($self, $what, $name, %values) = @_;

    my $t = $self->{t};
    my $first = $self->run($name, %values);
    my $tables = $t->snapshot;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::is_deeply($self->run($name, %values), $first,
                          "$what: the same answer");
    Test::More::is_deeply($t->snapshot, $tables, "$what: the same tables");

    # and once more after somebody else's transaction
    $t->sql('select pg_current_xact_id()');
    Test::More::is_deeply($self->run($name, %values), $first,
                          "$what: and again");
    Test::More::is_deeply($t->snapshot, $tables,
                          "$what: the same tables again");
    return ref $first ? $first->[0] : undef;
}

# The names of those that were run more than once.
sub run_again {
    my ($self) = @_;

    return sort grep { $self->{runs}{$_} > 1 } keys %{ $self->{runs} };
}

my $clock = int(time * 1000);

# An id that is fresh for each call, as the module makes them: a UUIDv7.
sub id {
    my ($self) = @_;

    my $random = $self->{t}->uuid =~ s/-//gr;
    my $hex = sprintf '%012x7%s8%s', $clock++, substr($random, 0, 3),
        substr $random, 17, 15;
    return join '-', unpack 'A8A4A4A4A12', $hex;
}

1;

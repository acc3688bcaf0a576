package EZW::Postgres;

# The real Postgres of the tests: one shared cluster, which `ezw test` started
# (EZW_T says where), and private ones for tests that stop, kill or configure
# theirs. All are copies of one cluster with the migrated database
# ezw_template, so a new database costs a CREATE DATABASE … TEMPLATE.

use strict;
use warnings;

use DBI ();
use File::Path qw(remove_tree);
use POSIX ();

my $BIN = '/usr/lib/postgresql/15/bin';

# The user that owns the clusters, as root; else undef.
my $OWNER = $> == 0 ? 'postgres' : undef;

my $shared;

# The cluster that all tests share.
sub shared {
    my ($class) = @_;

    my $dir = "$ENV{EZW_T}/pg";
    return $shared //= bless {
        dir => $dir, socket => socket_folder($dir), port => 5432,
        started => 0,
    }, $class;
}

# Starts a private cluster in DIR. Options: conf => [lines of
# postgresql.conf], tcp => port (it then listens on 127.0.0.1 as well),
# ssl => 1 (there, with the certificate of the tests), hba => [lines put before
# the others in pg_hba.conf].
sub start_private {
    my ($class, $dir, %o) = @_;

    remove_tree($dir);
    mkdir $dir, 0711 or die "mkdir $dir: $!";
    own($dir);
    my $self = bless {
        dir => $dir, socket => socket_folder($dir), port => $o{tcp} // 5432,
        private => 1, started => 0,
    }, $class;
    mkdir $self->{socket};
    chmod 0750, $self->{socket};
    own($self->{socket}, 'www-data');

    as_owner('cp', '-a', '--reflink=auto', "$ENV{EZW_T}/template/data",
             "$dir/data");
    append("$dir/data/postgresql.conf",
           $o{tcp} ? "listen_addresses = '127.0.0.1'" : (),
           $o{ssl} ? 'ssl = on' : (),
           @{ $o{conf} || [] });
    if ($o{ssl}) {
        for my $part (qw(crt key)) {
            write_file("$dir/data/server.$part", slurp("$ENV{EZW_T}/tls.$part"));
            chmod 0600, "$dir/data/server.$part";
            own("$dir/data/server.$part");
        }
    }
    if ($o{hba}) {
        my $file = "$dir/data/pg_hba.conf";
        my $others = slurp($file);
        write_file($file, join('', map { "$_\n" } @{ $o{hba} }) . $others);
    }
    if ($o{tcp}) {
        append("$dir/data/pg_hba.conf",
               'host all all 127.0.0.1/32 scram-sha-256');
    }
    $self->start;
    return $self;
}

# A socket's path ends at 107 bytes.
sub socket_folder {
    my ($dir) = @_;

    if (open my $file, '<', "$dir/socket_folder") {
        chomp(my $path = <$file>);
        return $path;
    }
    my $path = "$dir/socket";
    if (length $path > 80) {
        require File::Temp;
        $path = File::Temp::tempdir('ezw.XXXXXXXX', DIR => '/tmp',
                                    CLEANUP => 1);
    }
    return $path;
}

sub start {
    my ($self) = @_;

    my $log = "$self->{dir}/log";
    as_owner("$BIN/pg_ctl", 'start', '-D', "$self->{dir}/data", '-l', $log,
             '-o', "-k $self->{socket} -p $self->{port}", '-w', '-t', '120')
        or die "Postgres does not start, see $log\n";
    $self->{started} = 1;
    return;
}

# MODE is smart, fast or immediate (a crash: no checkpoint, no good-bye).
sub stop {
    my ($self, $mode) = @_;

    as_owner("$BIN/pg_ctl", 'stop', '-D', "$self->{dir}/data",
             '-m', $mode // 'fast', '-w', '-t', '120')
        or die "Postgres does not stop, see $self->{dir}/log\n";
    $self->{started} = 0;
    return;
}

sub restart {
    my ($self, $mode) = @_;

    $self->stop($mode);
    $self->start;
    return;
}

# The postmaster's pid.
sub pid {
    my ($self) = @_;

    my ($pid) = slurp("$self->{dir}/data/postmaster.pid") =~ /^(\d+)/;
    return $pid;
}

# Freezes or thaws the whole cluster (SIGSTOP, SIGCONT): connections stay open
# and say nothing.
sub freeze { return $_[0]->signal_all('STOP') }
sub thaw   { return $_[0]->signal_all('CONT') }

sub signal_all {
    my ($self, $signal) = @_;

    my $pid = $self->pid;
    kill $signal, $pid;
    kill $signal, map { m{^/proc/(\d+)/} && stat_parent($1) == $pid ? $1 : () }
        glob '/proc/[0-9]*/stat';
    return;
}

sub stat_parent {
    my ($pid) = @_;

    open my $file, '<', "/proc/$pid/stat" or return 0;
    my $line = <$file> // '';
    return $line =~ /^\d+ \(.*\) \S (\d+)/s ? $1 : 0;
}

# What the server logged, or only the lines of one database.
sub log_text {
    my ($self, $database) = @_;

    my $text = slurp("$self->{dir}/log");
    return $text if !defined $database;
    return join '', grep { /\@\Q$database\E / } $text =~ /(.*\n)/g;
}

# A DBI handle of the superuser on a database.
sub dbh {
    my ($self, $database) = @_;

    local $ENV{PGPASSFILE} = "$ENV{EZW_T}/template/superuser";
    return DBI->connect(
        "dbi:Pg:host=$self->{socket};port=$self->{port};dbname=$database",
        'postgres', undef,
        { RaiseError => 1, PrintError => 0, AutoCommit => 1,
          pg_enable_utf8 => 1 });
}

# Makes a database like ezw_template; one left by an earlier run goes.
sub create_database {
    my ($self, $name) = @_;

    my $dbh = $self->dbh('postgres');
    $dbh->do("set client_min_messages = error");
    $dbh->do("drop database if exists $name with (force)");
    $dbh->do("create database $name template ezw_template owner ezw_owner");
    return;
}

sub drop_database {
    my ($self, $name) = @_;

    $self->dbh('postgres')->do("drop database if exists $name with (force)");
    return;
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $!, $@);
    if ($self->{private} && $self->{started}) {
        eval { $self->signal_all('CONT') };
        eval { $self->stop('immediate') };
    }
    return;
}

# Runs a command as the clusters' owner, silently; true if it succeeded.
sub as_owner {
    my @command = defined $OWNER
        ? ('runuser', '-u', $OWNER, '--', @_) : @_;

    my $pid = fork // die "fork: $!";
    if (!$pid) {
        chdir '/';
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec @command or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? == 0;
}

sub own {
    my ($path, $group) = @_;

    return if !defined $OWNER;
    my $gid = defined $group ? getgrnam $group : -1;
    chown scalar getpwnam($OWNER), $gid, $path;
    return;
}

sub append {
    my ($path, @lines) = @_;

    open my $file, '>>', $path or die "$path: $!";
    print {$file} map { "$_\n" } @lines;
    return;
}

sub write_file {
    my ($path, $text) = @_;

    open my $file, '>', $path or die "$path: $!";
    print {$file} $text;
    return;
}

sub slurp {
    my ($path) = @_;

    open my $file, '<', $path or return '';
    local $/ = undef;
    return scalar(<$file>) // '';
}

1;

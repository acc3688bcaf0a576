#!/usr/bin/perl
# Makes a pgbench script from one of pgbench/*.sql: TEMPLATE [TIMES].
#
# A line "@statement NAME [PARAMETER=VALUE...]" becomes the named statement of
# ngx_ezw_module/sql/statements, the very text that the module runs, with
# pgbench's variables and literals where it has named parameters. @prefix@ and
# @message@ come from the environment (BENCH_PREFIX, BENCH_MESSAGE). With TIMES
# the script is one pipeline of so many rounds.

use strict;
use warnings;

my ($template, $times) = @ARGV;
my $folder = "$ENV{REPO}/ngx_ezw_module/sql/statements";

my $zero = "'00000000-0000-0000-0000-000000000000'";
my %values = (
    'company' => q{'00000000-0000-4000-8000-000000000001'},
    'path.channelJid' => q{(:channel || '@whatsapp.eazy.im')},
    'path.contactJid' => q{(:contact || '@whatsapp.eazy.im')},
    'key.assistant' => 'null',
    'key.actor' => q{'00000000-0000-4000-8000-000000000002@key.eazy.im'},
    'address' => q{'127.0.0.1'},
    'trace' => q{'59379ea5347ecda7ac4aca8fe5b88636'},
    'id.message' => q{('@prefix@7' || :n || :client || :tail)},
    'id.contact' => $zero,
    'id.conversation' => $zero,
    'id.audit' => q{('@prefix@7' || :n || :client || :tail)},
    'id.audit2' => q{('@prefix@8' || :n || :client || :tail)},
);

# The text of a statement, without comments and the last semicolon.
sub statement {
    my ($wanted) = @_;

    for my $file (glob "$folder/*.sql") {
        open my $in, '<', $file or die "$file: $!\n";
        my $text = do { local $/; <$in> };
        my ($found) = $text =~ /^-- name: \Q$wanted\E\n(.*?)(?=^-- name: |\z)/ms
            or next;
        $found =~ s/^\s*--.*\n//mg;
        $found =~ s/;\s*\z//;
        return $found;
    }
    die "no statement $wanted in $folder\n";
}

sub value {
    my ($name, $own) = @_;

    return $own->{$name} // $values{$name}
        // ($name =~ /^has\.|^page\.count$/ ? 'false'
            : $name =~ /^(?:body|query|after)\./ ? 'null'
            : $name =~ /^id\./ ? $values{'id.audit'}
            : die "no value for the parameter :$name\n");
}

# pgbench sees variables in quotes too, so a colon in an alias is taken out.
sub with_values {
    my ($text, $own) = @_;

    $text =~ s{
        ( " [^"]* " ) | ( ' (?: [^'] | '' )* ' ) | ( :: ) | : ([A-Za-z][\w.]*)
    }{
        defined $1 ? $1 =~ tr/:/_/r
        : $2 // $3 // value($4, $own)
    }gex;
    return $text;
}

open my $in, '<', $template or die "$template: $!\n";
my $body = '';
while (my $line = <$in>) {
    next if $line =~ /^--/;
    if ($line =~ /^\@statement (\w+)(.*)/) {
        my ($name, $rest) = ($1, $2);
        my %own = map { split /=/, $_, 2 } split ' ', $rest;
        $line = with_values(statement($name), \%own) . ";\n";
    }
    $line =~ s/\@message\@/$ENV{BENCH_MESSAGE}/g;
    $line =~ s/\@prefix\@/$ENV{BENCH_PREFIX}/g;
    $body .= $line;
}

print $times ? "\\startpipeline\n" . $body x $times . "\\endpipeline\n" : $body;

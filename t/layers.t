# A layer includes only what stands below it; base includes nothing of ours
# and nothing of nginx (ARCHITECTURE, Folders).

use strict;
use warnings;

use File::Basename qw(basename dirname);
use Test::More;

my %rank = (base => 0, shm => 1, pg => 1, net => 1, req => 2, gate => 3,
            live => 4, courier => 4, media => 4, api => 5, core => 6);

my $module = dirname(__FILE__) . '/../ngx_ezw_module';
my @files = glob "$module/*/*.[ch]";
my %folder = map { basename($_) => basename(dirname($_)) } @files;
ok(scalar @files, 'there are sources');
is(scalar keys %folder, scalar @files, 'no two sources have one name');

for my $path (@files) {
    my $layer = basename(dirname($path));
    my @bad = exists $rank{$layer} ? () : ("$layer is no layer");
    open my $file, '<', $path or die "$path: $!";
    while (<$file>) {
        my ($header) = /^\s*#\s*include\s*["<]([^">]+)[">]/ or next;
        my $from = $folder{ basename($header) };
        if (!defined $from) {
            push @bad, "$.: $header" if $layer eq 'base' && $header =~ /^ngx_/;
        } elsif ($from ne $layer && $rank{$from} >= $rank{$layer}) {
            push @bad, "$.: $header is of $from";
        }
    }
    ok(!@bad, "$layer/" . basename($path) . ' includes only what is below it')
        or diag(join "\n", @bad);
}

done_testing();

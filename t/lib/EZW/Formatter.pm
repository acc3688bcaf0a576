package EZW::Formatter;

# prove's own output; the totals also go to the file EZW_COUNTS, for the last
# line of `ezw test`. A file that ends wrongly (dies, miscounts) without a
# failed test of its own counts as one failure.

use strict;
use warnings;

use TAP::Formatter::Console ();
use TAP::Formatter::File ();

our @ISA = (-t STDOUT ? 'TAP::Formatter::Console' : 'TAP::Formatter::File');

sub summary {
    my ($self, $aggregate, @rest) = @_;

    my ($passed, $failed) = (0, 0);
    for my $parser ($aggregate->parsers) {
        my $bad = $parser->failed;
        $bad = 1 if !$bad && $parser->has_problems;
        $passed += $parser->passed;
        $failed += $bad;
    }
    if (defined $ENV{EZW_COUNTS}) {
        open my $file, '>>', $ENV{EZW_COUNTS} or die "$ENV{EZW_COUNTS}: $!";
        print {$file} "$passed $failed\n";
    }
    return $self->SUPER::summary($aggregate, @rest);
}

1;

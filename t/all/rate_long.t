# t/rate.t for ten seconds.

use EZW;

our $SECONDS = 10;
do "$EZW::ROOT/t/rate.t" or die $@ || $!;

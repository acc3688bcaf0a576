# t/zone_small.t with a hundred thousand.

use EZW;

our $MANY = 100_000;
do "$EZW::ROOT/t/zone_small.t" or die $@ || $!;

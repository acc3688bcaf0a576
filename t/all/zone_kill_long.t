# t/zone_kill.t with two hundred.

use EZW;

our $KILLS = 200;
do "$EZW::ROOT/t/zone_kill.t" or die $@ || $!;

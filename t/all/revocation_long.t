# t/revocation_people.t, three rounds, and with longer disturbances.

use EZW;

our $ROUNDS = 3;
do "$EZW::ROOT/t/revocation_people.t" or die $@ || $!;

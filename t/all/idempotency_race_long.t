# t/idempotency_race.t, five hundred rounds.

use EZW;

our $ROUNDS = 500;
do "$EZW::ROOT/t/idempotency_race.t" or die $@ || $!;

# t/fuzz_endpoints.t with 1,000 bodies for each endpoint, others every time.

use EZW;

our $BODIES = 1000;
our $SEED = time;
do "$EZW::ROOT/t/fuzz_endpoints.t" or die $@ || $!;

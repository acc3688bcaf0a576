package EZW::RateLimit;

# What an answer says of a rate limit, to the second however slow the machine.

use strict;
use warnings;

use Exporter 'import';
use POSIX qw(ceil);
use Test::More ();
use Time::HiRes qw(time);

our @EXPORT_OK = qw(tells tells_nothing);

# The status, and all headers of a limit. POLICY is RateLimit-Policy's value, of
# a limit whose steps are whole seconds; TAKEN is how many the subject has taken
# with this request, the first of them not before SINCE. Had no time passed,
# RateLimit would say
#
#     r = q - TAKEN    t = TAKEN steps of w/q seconds, but with r = 0 one step
#
# and in the time since then a second has gone of it for each that passed.
sub tells {
    my ($r, $status, $policy, $taken, $since, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $passed = ceil(time - $since);
    my ($subject, $q, $w) = $policy =~ /^("\w+");q=(\d+);w=(\d+)$/
        or die $policy;
    my $step = $w / $q;
    my $left = $q - $taken;
    my $until = ceil($left ? $taken * $step : $step);

    my ($got_left, $got_until) = ($r->header('ratelimit') // '')
        =~ /^\Q$subject\E;r=(\d+);t=(\d+)$/;
    if (defined $got_left && $step == int $step) {
        # the time until all are there again
        my $ahead = $got_left ? $got_until : $got_until + ($q - 1) * $step;
        if ($ahead <= $taken * $step && $ahead >= $taken * $step - $passed
            && $got_left == $q - ceil($ahead / $step))
        {
            ($left, $until) = ($got_left, $got_until);
        }
    }

    Test::More::is($r->status, $status, "$name: $status")
        || Test::More::diag($r->as_text);
    return Test::More::is_deeply(headers($r), {
        'ratelimit-policy' => $policy,
        'ratelimit' => "$subject;r=$left;t=$until",
        $status == 429 ? ('retry-after' => $until) : (),
    }, "$name: headers");
}

# No header of a limit.
sub tells_nothing {
    my ($r, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return Test::More::is_deeply(headers($r), {}, $name);
}

sub headers {
    my ($r) = @_;

    return { map { $_ => $r->header($_) }
             grep { /ratelimit|retry/ } keys %{ $r->{headers} } };
}

1;

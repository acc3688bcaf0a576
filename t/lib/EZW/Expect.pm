package EZW::Expect;

# What a test says about what it got: conditions that come true, whole JSON
# documents, answers and refusals.

use strict;
use warnings;

use Exporter 'import';
use Test::More ();
use Time::HiRes qw(sleep time);

use EZW::Json qw(json_difference);

our @EXPORT_OK = qw(wait_for is_json is_answer is_refused
                    is_workspace_refused);

# All time limits are for a plain build; sanitizers and valgrind are given more.
our $PATIENCE = $ENV{EZW_PATIENCE} // 1;

# No wait ends sooner: one that comes true costs nothing, however long it might
# have been, and a busy machine may do nothing for seconds. What must happen
# within a time is measured (EZW::Stall), not waited for.
our $LEAST = 60;

# Calls CONDITION until it returns true and returns that; dies after TIMEOUT
# seconds, or the least, naming WHAT it waited for.
sub wait_for {
    my ($condition, $timeout, $what) = @_;

    $timeout = $LEAST if ($timeout // 0) < $LEAST;
    my $deadline = time + $timeout * $PATIENCE;
    while (1) {
        my $value = $condition->();
        return $value if $value;
        die 'waited in vain for: ' . ($what // 'a condition') . "\n"
            if time > $deadline;
        sleep 0.01;
    }
}

# A whole document, numbers and strings told apart (EZW::Json).
sub is_json {
    my ($got, $want, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $difference = json_difference($got, $want);
    return Test::More::ok(!defined $difference, $name)
        || Test::More::diag($difference);
}

# Status and whole body of a response; BODY undef for an empty one.
sub is_answer {
    my ($response, $status, $body, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $wrong
        = $response->status != $status ? "expected status $status"
        : !defined $body ? (length $response->body ? 'expected no body' : undef)
        : !defined $response->json ? 'the body is not JSON'
        : json_difference($response->json, $body);
    if (!defined $wrong && defined $body
        && ($response->header('content-type') // '') ne 'application/json')
    {
        $wrong = 'Content-Type is '
            . ($response->header('content-type') // 'missing');
    }
    return Test::More::ok(!defined $wrong, $name)
        || Test::More::diag("$wrong\ngot " . $response->as_text);
}

# A v3 error: its whole body, and that X-Trace-Id agrees. MORE may have
# message and field; a field that is not named must not be there.
sub is_refused {
    my ($response, $status, $code, $more, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $trace = $response->header('x-trace-id') // 'missing';
    return is_answer($response, $status, {
        error => {
            code => $code, message => $more->{message} // qr/./,
            exists $more->{field} ? (field => $more->{field}) : (),
        },
        traceId => qr/^\Q$trace\E$/,
    }, $name);
}

# The workspace's; MORE may have message and details.
sub is_workspace_refused {
    my ($response, $status, $code, $more, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $trace = $response->header('x-trace-id') // 'missing';
    return is_answer($response, $status, {
        error => {
            code => $code, message => $more->{message} // qr/./,
            details => $more->{details} // {},
        },
        traceId => qr/^\Q$trace\E$/,
    }, $name);
}

1;

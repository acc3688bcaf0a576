package EZW::Response;

# An HTTP response: {status} (0: there was none, {error} says why), {headers}
# (lower-case name to value; repeated ones joined by ", "), {body}.

use strict;
use warnings;

use EZW::Json qw(from_json);

sub none {
    my ($class, $error) = @_;

    return bless { status => 0, headers => {}, body => '',
                   error => $error }, $class;
}

sub status { return $_[0]{status} }
sub body   { return $_[0]{body} }
sub error  { return $_[0]{error} }

sub header {
    my ($self, $name) = @_;

    return $self->{headers}{lc $name};
}

# The body as a structure; undef if it is not JSON.
sub json {
    my ($self) = @_;

    return eval { from_json($self->{body}) };
}

# What a failed test prints.
sub as_text {
    my ($self) = @_;

    return "no response: $self->{error}" if !$self->{status};
    return "$self->{status} " . substr $self->{body}, 0, 2000;
}

# Takes one complete response off the front of a buffer; undef if there is
# none yet. At the end of the stream a body without a length is complete.
# Interim responses (100) are dropped.
sub take {
    my ($class, $buffer, $method, $eof) = @_;

    my ($status, $head_length, %headers);
    while (1) {
        my $end = index $$buffer, "\r\n\r\n";
        return undef if $end < 0;
        $head_length = $end + 4;
        my ($line, @lines) = split /\r\n/, substr $$buffer, 0, $end;
        if ($line !~ m{^HTTP/1\.[01] (\d{3})}) {
            my $bad = $class->none("not HTTP: $line");
            $$buffer = '';
            return $bad;
        }
        $status = $1;
        %headers = ();
        for (@lines) {
            my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/ or next;
            $name = lc $name;
            $headers{$name} = exists $headers{$name}
                ? "$headers{$name}, $value" : $value;
        }
        last if $status >= 200 || $status == 101;
        substr $$buffer, 0, $head_length, '';
    }

    my $self = bless { status => $status + 0, headers => \%headers }, $class;
    my ($body, $taken) = ('', $head_length);

    if (($method // '') eq 'HEAD' || $status == 204 || $status == 304) {
        # no body, whatever the headers say
    } elsif (($headers{'transfer-encoding'} // '') =~ /chunked/i) {
        while (1) {
            pos($$buffer) = $taken;
            $$buffer =~ /\G([0-9a-fA-F]+)[^\r\n]*\r\n/g or return undef;
            my $size = hex $1;
            my $start = pos $$buffer;
            return undef if length $$buffer < $start + $size + 2;
            $body .= substr $$buffer, $start, $size;
            $taken = $start + $size + 2;
            last if $size == 0;
        }
    } elsif (defined $headers{'content-length'}) {
        my $size = $headers{'content-length'};
        return undef if length $$buffer < $taken + $size;
        $body = substr $$buffer, $taken, $size;
        $taken += $size;
    } else {
        return undef if !$eof;
        $body = substr $$buffer, $taken;
        $taken = length $$buffer;
    }

    substr $$buffer, 0, $taken, '';
    $self->{body} = $body;
    return $self;
}

1;

package EZW::Json;

# JSON for tests: encode, decode, and a comparison of whole documents in which
# 1 is not "1", false is not 0 and a missing member is not null.
#
# In an expected document a regular expression stands for any string that
# matches it, and a code reference for any value for which it returns true.

use strict;
use warnings;

use B ();
use JSON::PP ();
use Exporter 'import';

our @EXPORT_OK = qw(to_json from_json json_difference true false);

my $codec = JSON::PP->new->utf8->canonical->allow_nonref;

sub true  { return JSON::PP::true() }
sub false { return JSON::PP::false() }

# UTF-8 bytes of a Perl structure; members sorted by name.
sub to_json { return $codec->encode($_[0]) }

# The structure, or dies with the parser's message.
sub from_json { return $codec->decode($_[0]) }

sub is_number {
    my $flags = B::svref_2object(\$_[0])->FLAGS;

    return ($flags & (B::SVp_IOK | B::SVp_NOK)) && !($flags & B::SVp_POK);
}

sub is_bool { return ref $_[0] eq 'JSON::PP::Boolean' }

# Undef if the documents agree, else where and how they first differ.
sub json_difference {
    my ($got, $want, $path) = @_;

    $path //= '$';
    my $kind = ref $want;
    my $differs = sub {
        my ($wanted) = @_;
        return "$path is " . to_json($got) . ", expected $wanted";
    };

    if ($kind eq 'Regexp') {
        return $differs->("a string like $want")
            if !defined $got || ref $got || is_number($got) || $got !~ $want;
        return undef;
    }
    if ($kind eq 'CODE') {
        return $want->($got) ? undef : $differs->('what the code accepts');
    }
    if ($kind eq 'SCALAR') {
        $want = $$want ? true() : false();
        $kind = ref $want;
    }
    if ($kind eq 'HASH') {
        return $differs->('an object') if ref $got ne 'HASH';
        for my $name (sort keys %{{ %$got, %$want }}) {
            return "$path.$name is missing, expected it"
                if !exists $got->{$name};
            return "$path.$name is " . to_json($got->{$name})
                . ', expected no such member' if !exists $want->{$name};
            my $found = json_difference($got->{$name}, $want->{$name},
                                        "$path.$name");
            return $found if defined $found;
        }
        return undef;
    }
    if ($kind eq 'ARRAY') {
        return $differs->('an array') if ref $got ne 'ARRAY';
        return "$path has " . @$got . ' elements, expected ' . @$want
            if @$got != @$want;
        for my $i (0 .. $#$want) {
            my $found = json_difference($got->[$i], $want->[$i], "$path\[$i]");
            return $found if defined $found;
        }
        return undef;
    }

    return $differs->(to_json($want)) if to_json($got) ne to_json($want);
    return undef;
}

1;

# Lists, page by page: limit, cursor, Link, X-Next-Cursor, X-Total-Count. Every
# list goes this way; here it is the list of keys.

use MIME::Base64 qw(encode_base64url decode_base64url);

use EZW;

my $t = EZW->start(http => 'ezw_courier off;');
my $company = $t->company;
my $owner = $t->key(company => $company, scope => 'OWNER');

# Keys of the company, ten at each time; what a page has is in this order.
sub make_keys {
    my ($n) = @_;
    $t->sql(q{insert into ezw.api_key (company, id, hash, prefix, scope,
                                       description, created_at)
              select ?, gen_random_uuid(), sha256(convert_to(? || i || '-' || random(), 'UTF8')),
                     'abcdef', 'COMPANY', 'Key ' || i,
                     timestamptz '2100-01-01' + i / 10 * interval '1 minute'
                from generate_series(1, ?) i}, $company, $company, $n);
    return;
}

# The ids as they stand in the table.
sub all_ids {
    return [split ' ', $t->value(q{
        select string_agg(id::text, ' ' order by created_at, id)
          from ezw.api_key where company = ? and revoked_at is null},
        $company)];
}

sub list {
    my ($args, %o) = @_;
    return $t->http(GET => '/v3/keys' . ($args ? "?$args" : ''),
                    key => $owner, %o);
}

sub ids { return [map { $_->{id} } @{ $_[0]->json }] }

# Page after page by the Link of each; the ids, and how many pages.
sub walk {
    my ($args) = @_;
    my (@ids, $pages);
    while (defined $args) {
        my $r = list($args);
        $r->status == 200 or die $r->as_text;
        push @ids, @{ ids($r) };
        $pages++;
        my ($link, $cursor) = map { $r->header($_) } qw(link x-next-cursor);
        is(defined $link, defined $cursor, 'both or none') if !$link != !$cursor;
        $args = $link && $link =~ /^<\?(\S+)>; rel="next"$/ ? $1 : undef;
        if (defined $args && $args !~ /(?:^|&)cursor=\Q$cursor\E(?:&|$)/) {
            fail("the link has the cursor: $link");
        }
    }
    return (\@ids, $pages);
}


# A short list.
my $r = list();
is($r->status, 200, 'one key');
is(scalar @{ $r->json }, 1, 'in the list');
is($r->header($_), undef, "no $_") for qw(link x-next-cursor x-total-count);
$r = list('limit=1');
is(scalar @{ $r->json }, 1, 'as many as wanted');
is($r->header('link'), undef, 'and no more there');

# All of it, whatever the page.
make_keys(99);
my $want = all_ids();
is_deeply(ids(list()), $want, 'all, in their order');
for my $limit (1, 7, 10, 33, 50, 99, 100, 101, 1000) {
    my ($ids, $pages) = walk("limit=$limit");
    is_deeply($ids, $want, "all, $limit at a time");
    is($pages, int((100 + $limit - 1) / $limit), "$limit: as many pages");
}

# The link is the request's own query with another cursor.
$r = list('limit=2&x=%20y');
my $cursor = $r->header('x-next-cursor');
is($r->header('link'), qq(<?limit=2&x=%20y&cursor=$cursor>; rel="next"),
   'what else was asked for stays');
like($cursor, qr/^[A-Za-z0-9_-]+$/, 'a cursor needs no escape');
$r = list("cursor=$cursor&limit=2");
is_deeply(ids($r), [@$want[2, 3]], 'behind the cursor');
is($r->header('link') =~ s/.*cursor=//r, $r->header('x-next-cursor')
   . '>; rel="next"', 'the new one in place of the old one');
$r = list(q(limit=2&a=<b>&c="d"));
is($r->header('link'), qq(<?limit=2&cursor=$cursor>; rel="next"),
   'what could end the link is not in it');
$r = $t->http(HEAD => '/v3/keys?limit=2', key => $owner);
is($r->header('x-next-cursor'), $cursor, 'HEAD tells it too');
is($r->body, '', 'HEAD has no body');
is_deeply(ids(list("cursor=$cursor")), [@$want[2 .. 99]],
          'a cursor without a limit: all the rest');

# What comes and goes between two pages moves nothing else.
$t->sql(q{delete from ezw.api_key where id = ?}, $want->[1]);
$t->sql(q{update ezw.api_key set revoked_at = now() where id = ?}, $want->[2]);
is_deeply(ids(list("limit=2&cursor=$cursor")), [@$want[3, 4]],
          'behind a row that is gone');
$want = [@$want[0, 3 .. 99]];

# Counted when it is asked for.
for my $case (['' , 98], ['limit=5', 98], ["limit=5&cursor=$cursor", 98]) {
    my ($args, $count) = @$case;
    $r = list($args, headers => { Prefer => 'count=exact' });
    is($r->header('x-total-count'), $count, "counted: '$args'");
    is($r->header('preference-applied'), 'count=exact', 'and said so');
}
$r = list('', headers => { Prefer => 'count=planned' });
is($r->header('x-total-count'), undef, 'not counted else');
is($r->header('preference-applied'), undef, 'and not said');
$r = $t->http(GET => '/v3/companies', key => $owner,
              headers => { Prefer => 'count=exact' });
is($r->header('x-total-count'), 1, 'companies are counted');
$r = $t->http(GET => '/v3/channels', key => $owner,
              headers => { Prefer => 'count=exact' });
is($r->body, '[]', 'no channel');
is($r->header('x-total-count'), 0, 'is none');

# What is no limit and no cursor.
for my $limit (0, 1001, -1, 'x', '', '1.0', '1e2', 99999999999999999999) {
    is_refused(list("limit=$limit"), 400, 1005, { field => 'limit',
        message => $limit =~ /^-?\d+$/ ? 'limit must be between 1 and 1000'
                                       : 'limit must be an integer' },
        "limit '$limit'");
}
is_refused(list('limit=1&limit=2'), 400, 1005,
           { field => 'limit', message => 'limit is given twice' }, 'two limits');
my $bytes = decode_base64url($cursor);
my %bad = (
    'no base64' => 'a!b', 'one letter' => 'a', 'words' => 'abcdefgh',
    'cut' => encode_base64url(substr $bytes, 0, -1),
    'longer' => encode_base64url($bytes . "\0"),
    'of another list' => encode_base64url("\0\0\0\0" . substr $bytes, 4),
    'of another form' => encode_base64url(substr($bytes, 0, 4)
                                          . "t\0\1xu\0\x10" . 'x' x 16),
    'a text that is no UTF-8' => encode_base64url(substr($bytes, 0, 4)
                                 . "t\0\1\xffu\0\x10" . 'x' x 16),
    'too long' => 'A' x 4096,
);
for my $name (sort keys %bad) {
    is_refused(list("cursor=$bad{$name}"), 400, 1005,
               { field => 'cursor',
                 message => 'cursor is not one of this list' },
               "a cursor: $name");
}
is_refused(list('Limit=1', headers => { Prefer => 'handling=strict' }), 400,
           1005, { field => 'Limit', message => 'Unknown field: Limit' },
           'strict: a typo');
is(list('limit=1', headers => { Prefer => 'handling=strict' })->status, 200,
   'strict: what is known');
is_refused($t->http(GET => '/v3/keys/current?limit=1', key => $owner,
                    headers => { Prefer => 'handling=strict' }), 400, 1005,
           { field => 'limit', message => 'Unknown field: limit' },
           'no limit where there is no list');

# Another tenant's cursor shows nothing of his.
my $stranger = $t->key(company => $t->company, scope => 'COMPANY');
my $his = $t->http(GET => "/v3/keys?cursor=$cursor", key => $stranger)->json;
is(scalar @$his, 0, "another's list, from that time on");

# More than one execution takes, to the last row; then more than an answer has.
make_keys(2500);
$want = all_ids();
is_deeply(ids(list()), $want, 'two and a half thousand at once');

# 8 MB of rows: the row that reaches them is the last.
sub found { return $_[0]->body =~ /"id":"([^"]+)"/g }
$t->sql(q{update ezw.api_key set description = repeat('x', 4000)
           where company = ?}, $company);
$r = list();
cmp_ok(length $r->body, '>=', 8 * 1024 * 1024, 'cut at 8 MB');
cmp_ok(length $r->body, '<', 8 * 1024 * 1024 + 5000, 'and not beyond');
like($r->header('link'), qr/^<\?cursor=/, 'which the link tells');
my $rest = list('cursor=' . $r->header('x-next-cursor'));
is($rest->header('link'), undef, 'the rest is all');
is_deeply([found($r), found($rest)], $want, 'and none is lost');

done_testing;

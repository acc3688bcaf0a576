# ezw_webhook_allow: networks and names that may be called beside https of the
# internet, over http too; a reload changes them, and what was made stays.

use EZW;

my $t = EZW->start(http => 'ezw_courier off;
    ezw_webhook_allow 10.0.0.0/8 ::1 169.254.0.0/16;
    ezw_webhook_allow intranet .corp.example;');
my $company = $t->company;
my $key = $t->key(company => $company, scope => 'COMPANY');
my $path = '/v3/channels/' . $t->channel(company => $company) . '/webhooks';

sub create {
    my ($url) = @_;
    $t->sql('delete from ezw.webhook');
    return $t->http(POST => $path, key => $key,
                    json => { url => $url, events => ['message'] });
}

sub is_taken {
    my ($url) = @_;
    my $r = create($url);
    is($r->status, 201, "taken: $url") or diag $r->as_text;
    is($r->json->{url}, $url, 'as it was written');
    return;
}

my $local = 'its host is a name of a local network';
my $https = 'it does not begin with https://';
sub is_none {
    my ($url, $why) = @_;
    is_refused(create($url), 400, 1005, { field => 'url', message =>
        "url is no URL that may be called: $why" }, "refused: $url");
    return;
}

is_taken($_) for qw(
    http://10.1.2.3:8080/x https://10.1.2.3/ http://[::1]/ http://intranet/
    https://Intranet/ http://a.corp.example/ https://example.com/);
is_none('http://example.com/', $https);
is_none('http://corp.example/', $https);
is_none('https://intra/', $local);
is_none('https://localhost/', $local);
is_none('https://127.0.0.1/', 'its host is a loopback address');
is_none('http://192.168.0.1/', 'its host is a private address');
is_none('http://169.254.169.254/', 'its host is a link-local address');

is(create('http://intranet/')->status, 201, 'one that stays');
my $conf = slurp("$t->{dir}/nginx.conf");
$conf =~ s/^ *ezw_webhook_allow .*\n//mg;
EZW::write_file("$t->{dir}/nginx.conf", $conf);
$t->reload;
my ($kept) = @{ $t->http(GET => $path, key => $key)->json };
is($kept->{url}, 'http://intranet/', 'it is there still');
is($t->http(PATCH => "$path/$kept->{id}", key => $key,
            json => { enabled => false })->status, 200, 'and can be changed');
is_refused($t->http(PATCH => "$path/$kept->{id}", key => $key,
                    json => { url => 'http://intranet/' }), 400, 1005,
           { field => 'url',
             message => "url is no URL that may be called: $local" },
           'but not be given again');
is_none('http://10.1.2.3:8080/x', 'its host is a private address');
is_none('http://[::1]/', 'its host is a loopback address');
is_taken('https://example.com/');

done_testing;

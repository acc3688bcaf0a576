# What `nginx -t` says of a wrong configuration, and of a module that was built
# with wrong statements: the directive, or the file and the statement.

use File::Basename qw(basename dirname);
use File::Path qw(make_path);

use EZW;

my $t = EZW->start(start => 0, ready => 0, allow => [qr/\[emerg\]/]);
my $socket = $t->{postgres}{socket};

# A configuration with these lines in http, and these in a location.
sub says {
    my ($http, $location) = @_;

    $t->write_config(<<"CONF");
%%MAIN%%
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path %%DIR%%/temp/body;
    proxy_temp_path %%DIR%%/temp/proxy;
    fastcgi_temp_path %%DIR%%/temp/fastcgi;
    uwsgi_temp_path %%DIR%%/temp/uwsgi;
    scgi_temp_path %%DIR%%/temp/scgi;
    $http
    server {
        %%LISTEN%%
        location /v3/ { @{[ $location // 'ezw_api v3;' ]} }
    }
}
CONF
    return $t->config_test;
}

sub passes {
    my ($name, @config) = @_;
    my ($passed, $output) = says(@config);
    ok($passed, "passes: $name") || diag $output;
}

# The whole message, where it stands, and that there is no other.
sub fails {
    my ($message, @config) = @_;

    my ($passed, $output) = says(@config);
    my @emerg = $output =~ /^nginx: \[emerg\] (.*)$/mg;
    s{ in \Q$t->{dir}\E/nginx\.conf:\d+$}{} for @emerg;
    ok(!$passed, "fails: $message");
    ref $message ? like("@emerg", $message, "says: $message")
        : is_deeply(\@emerg, [$message], "says: $message");
}

my $database = "host=$socket dbname=ezw user=ezw_app";
my $ezw_database = "ezw_database $database;";


# What is right.
passes('the least', $ezw_database);
passes('nothing served', '', 'return 404;');
passes('only /healthz', '', 'ezw_health live;');
passes('only /metrics', '', 'ezw_metrics;');
passes('everything', <<"CONF", <<'LOCATION');
    ezw_database $database port=5433 password_file=%%DIR%%/password
        sslmode=disable connect_timeout=3s;
    ezw_lane read connections=2 queue=100 timeout=3s;
    ezw_lane write connections=8 queue=1000000;
    ezw_lane single timeout=1m;
    ezw_lane slow connections=1;
    ezw_key_zone zone=keys:1m;
    ezw_status_zone zone=counts:1m;
    ezw_gate_stale 60s;
    ezw_courier off;
    ezw_empty_map object;
    ezw_legacy_routes on;
    ezw_jid_suffix chat.example.com;
    ezw_custom_channel my-app chat2;
    ezw_webhook_allow 10.0.0.0/8 fd00::/8 127.0.0.1 intranet .corp.example;
    ezw_webhook_allow hooks.internal;
    ezw_max_body 2m;
CONF
    ezw_api v3; ezw_max_body 1k;
    location /v3/health { ezw_health ready; }
    location /v3/metrics { ezw_metrics; }
LOCATION


# ezw_database.
my $needs = '"ezw_api" and "ezw_health ready" need "ezw_database" in the http '
    . 'block';
fails($needs, '');
fails($needs, 'ezw_courier off;');
fails($needs, '', 'ezw_health ready;');
fails('"ezw_database" directive is duplicate', $ezw_database x 2);
fails('invalid number of arguments in "ezw_database" directive',
      'ezw_database;');
fails('"ezw_database" directive is not allowed here', $ezw_database,
      "ezw_api v3; $ezw_database");
for my $case ("host=$socket", "host=$socket dbname=ezw", 'dbname=ezw user=a',
              "host=$socket user=a", 'host= dbname=ezw user=a',
              "host=$socket dbname= user=a", "host=$socket dbname=ezw user=")
{
    fails('"ezw_database" directive needs host=, dbname= and user=',
          "ezw_database $case;");
}
for my $case ('x', "host:$socket", 'sslmode') {
    fails(qq("$case" is not name=value), "ezw_database $database $case;");
}
for my $case ('colour=red', 'password=secret', 'Host=x', 'hos=x', '=x',
              'options=-c', 'service=x', 'sslkey=x')
{
    fails(qq(unknown parameter "$case"), "ezw_database $database $case;");
}
for my $case ('prefer', 'allow', 'Disable', '') {
    fails('sslmode is disable, require, verify-ca or verify-full, not '
          . qq("$case": modes that fall back to plain text are not offered),
          "ezw_database $database sslmode=$case;");
}
my $root = '"ezw_database" directive needs sslrootcert= (a file of CA '
    . 'certificates) to verify the server; sslmode=disable switches TLS off';
my $tcp = 'ezw_database host=127.0.0.1 dbname=ezw user=a';
fails($root, "$tcp;");
fails($root, "$tcp sslmode=verify-full;");
fails($root, "$tcp sslmode=verify-ca;");
passes('TLS with a root', "$tcp sslrootcert=/etc/ssl/certs/x.pem;");
passes('TLS without looking', "$tcp sslmode=require;");
for my $case ('0', '65536', '-1', 'x', '') {
    fails('"ezw_database" directive has an invalid port',
          "ezw_database $database port=$case;");
}
for my $case ('0', 'x', '', '-1', '5q') {
    fails('"ezw_database" directive has an invalid connect_timeout',
          "ezw_database $database connect_timeout=$case;");
}
fails(qr{^password_file "/nonexistent/x" cannot be opened \(2: No such file},
      "ezw_database $database password_file=/nonexistent/x;");
EZW::write_file("$t->{dir}/empty", '');
fails(qq(password_file "$t->{dir}/empty" is empty),
      "ezw_database $database password_file=$t->{dir}/empty;");
fails(qr{^database host "no\.such\.invalid": host not found},
      'ezw_database host=no.such.invalid dbname=a user=a sslmode=disable;');


# ezw_lane.
for my $case (
    ['fast connections=1', 'no lane "fast": read, write, single, slow'],
    ['read', 'invalid number of arguments in "ezw_lane" directive'],
    ['read x', 'unknown parameter "x"'],
    ['read size=5', 'unknown parameter "size=5"'],
    (map { ["read connections=$_",
            '"ezw_lane" directive has connections= out of 1 to 8'] }
     0, 9, -1, 'x', ''),
    (map { ["write queue=$_",
            '"ezw_lane" directive has queue= out of 1 to 1000000'] }
     0, 1000001, 'x', '99999999999999999999'),
    (map { ["slow timeout=$_", '"ezw_lane" directive has an invalid timeout='] }
     0, 'x', '-1s', ''),
) {
    fails($case->[1], "$ezw_database ezw_lane $case->[0];");
}

# The zones.
for my $zone (map { "ezw_${_}_zone" } qw(key rate idempotency session)) {
    for my $case (
        (map { [$_, qq("$zone" directive needs zone=name:size)] }
         'keys:1m', 'zone=', 'zone=keys', 'zone=:1m'),
        (map { [$_, qq("$zone" directive has a zone smaller than 8 pages)] }
         'zone=keys:1k', 'zone=keys:', 'zone=keys:x', 'zone=keys:-1m',
         'zone=keys:0'),
    ) {
        fails($case->[1], "$ezw_database $zone $case->[0];");
    }
    fails(qq("$zone" directive is duplicate),
          "$ezw_database $zone zone=a:1m; $zone zone=b:1m;");
    passes("the least of $zone", "$ezw_database $zone zone=a:32k;");
}
fails(qr/^the shared memory zone "a" is already declared for a different use/,
      "$ezw_database limit_req_zone \$uri zone=a:1m rate=1r/s; "
      . 'ezw_key_zone zone=a:1m;');

# ezw_status_zone.
for my $case (
    (map { [$_, '"ezw_status_zone" directive needs zone=name:size'] }
     'counts:1m', 'zone=', 'zone=counts', 'zone=:1m'),
    (map { [$_, '"ezw_status_zone" directive has a zone smaller than 8 pages'] }
     'zone=counts:1k', 'zone=counts:', 'zone=counts:x', 'zone=counts:0'),
    ['zone=counts:64k', qr/^zone "counts" is too small: .* bytes, \d+ are free$/],
) {
    fails($case->[1], "$ezw_database ezw_status_zone $case->[0];");
}
fails('"ezw_status_zone" directive is duplicate', $ezw_database
      . 'ezw_status_zone zone=a:1m; ezw_status_zone zone=b:1m;');
fails(qr/^the size \d+ of shared memory zone "a" conflicts with already /,
      "$ezw_database ezw_key_zone zone=a:1m; ezw_status_zone zone=a:2m;");
fails('zone "a" is declared twice',
      "$ezw_database ezw_key_zone zone=a:1m; ezw_status_zone zone=a:1m;");

# The rest of the http block.
for my $case (
    ['ezw_gate_stale x', '"ezw_gate_stale" directive invalid value'],
    ['ezw_courier maybe', 'invalid value "maybe" in "ezw_courier" directive, '
     . 'it must be "on" or "off"'],
    ['ezw_legacy_routes 1', 'invalid value "1" in "ezw_legacy_routes" '
     . 'directive, it must be "on" or "off"'],
    ['ezw_empty_map list', '"ezw_empty_map" directive is "array" or "object"'],
    (map { ["ezw_jid_suffix $_",
            '"ezw_jid_suffix" directive needs a lower-case domain name'] }
     'Eazy.im', '.im', 'eazy.', 'eazy_im', '""', 'a' x 201),
    (map { ["ezw_custom_channel ok $_",
            qq("$_" is no name of [a-z0-9-], 1 to 63 long)] }
     'My', 'a.b', 'a_b', 'a' x 64),
    (map { ["ezw_webhook_allow 10.0.0.1 $_",
            qq("$_" is no address, no network and no name of a host in lower )
            . 'case'] }
     'Intranet', 'http://intranet', 'a:80', '*.a', '10.0.0.0/33', 'a..b',
     '.', 'a.'),
    ['ezw_webhook_allow',
     'invalid number of arguments in "ezw_webhook_allow" directive'],
    ['ezw_max_body x', '"ezw_max_body" directive invalid value'],
) {
    fails($case->[1], "$ezw_database $case->[0];");
}
for my $case ('ezw_gate_stale 1s', 'ezw_courier on', 'ezw_empty_map array',
              'ezw_jid_suffix a.b', 'ezw_max_body 1k',
              'ezw_legacy_routes off')
{
    my ($name) = split ' ', $case;
    fails(qq("$name" directive is duplicate), "$ezw_database $case; $case;");
}

# ezw_rate.
for my $case (
    (map { [$_, qq("$_" is no rate: 1 to 1000000 and r/s, r/m or r/h)] }
     'rate=0r/s', 'rate=1000001r/s', 'rate=-1r/s', 'rate=1.5r/s', 'rate=1',
     'rate=1r', 'rate=1r/d', 'rate=1r/S', 'rate=r/s', 'rate=', 'rate=1r/min',
     'rate=99999999999999999999r/s'),
    (map { ["rate=1r/s burst=$_",
            '"ezw_rate" directive needs a burst of 1 to 10000000'] }
     0, 10000001, -1, 'x', '', '1.5'),
    (map { [$_, '"ezw_rate" directive needs rate='] }
     'burst=1', 'key', 'signup burst=1'),
    (map { my ($bad) = /(\S+!)/;
           [s/!//gr, 'invalid parameter "' . $bad =~ s/!//r
            . '": a subject (key, user, address, login_address, login_email, '
            . 'signup), rate=, burst= or off'] }
     'keys! rate=1r/s', 'Key! rate=1r/s', 'rate=1r/s key!',
     'key user! rate=1r/s', 'rate=1r/s off!', 'key off! burst=1',
     'rate=1r/s burst:1!', 'none!'),
    (map { [$_, 'invalid number of arguments in "ezw_rate" directive'] }
     '', 'key rate=1r/s burst=1 burst=2'),
    (map { [$_, '"ezw_rate" directive is duplicate'] }
     'off; ezw_rate off', 'key off; ezw_rate rate=1r/s',
     'user rate=1r/s; ezw_rate user rate=1r/m burst=1'),
) {
    fails($case->[1], "$ezw_database ezw_rate $case->[0];");
    fails($case->[1], $ezw_database, "ezw_api v3; ezw_rate $case->[0];");
}
passes('rates', "$ezw_database ezw_rate key rate=1r/s; ezw_rate_dry_run on;"
       . 'ezw_rate user burst=1 rate=1000000r/s; ezw_rate address off;'
       . 'ezw_rate login_address rate=1r/h burst=10000000;'
       . 'ezw_rate login_email rate=2r/m; ezw_rate signup off;',
       'ezw_api v3; ezw_rate off; ezw_rate user rate=600r/m burst=60;'
       . 'ezw_rate_dry_run off;');
fails('invalid value "maybe" in "ezw_rate_dry_run" directive, it must be "on" '
      . 'or "off"', "$ezw_database ezw_rate_dry_run maybe;");
fails('"ezw_rate_dry_run" directive is duplicate',
      "$ezw_database ezw_rate_dry_run on; ezw_rate_dry_run on;");


# Locations.
fails('"ezw_api" directive is "v3" or "workspace"', $ezw_database,
      'ezw_api v2;');
fails('"ezw_api" directive is duplicate', $ezw_database,
      'ezw_api v3; ezw_api v3;');
fails('invalid number of arguments in "ezw_api" directive', $ezw_database,
      'ezw_api;');
fails('"ezw_health" directive is "live" or "ready"', $ezw_database,
      'ezw_health up;');
fails('"ezw_health" directive is duplicate', $ezw_database,
      'ezw_health live; ezw_health live;');
fails('"ezw_metrics" directive is duplicate', $ezw_database,
      'ezw_metrics; ezw_metrics;');
fails('"ezw_metrics" directive is duplicate', $ezw_database,
      'ezw_health live; ezw_metrics;');
fails('invalid number of arguments in "ezw_metrics" directive', $ezw_database,
      'ezw_metrics on;');
fails('"ezw_api" directive is not allowed here', "$ezw_database ezw_api v3;");
fails('unknown directive "ezw_nonsense"', "$ezw_database ezw_nonsense on;");


# ezw_token_issuer.
my $issuer = 'ezw_token_issuer https://a.test/pool audience=app';
my $crt = "$ENV{EZW_T}/tls.crt";
passes('two issuers', "$ezw_database $issuer; "
       . 'ezw_token_issuer https://b.test:8443/ audience=app '
       . "jwks=https://c.test/keys?v=1 trusted_certificate=$crt refresh=1h;");
EZW::write_file("$t->{dir}/no.crt", "nothing\n");
EZW::write_file("$t->{dir}/bad.crt",
                EZW::slurp($crt) =~ s/(CERTIFICATE-----\n.{40})/$1xxxx/r);
EZW::write_file("$t->{dir}/empty.crt", '');
for my $case (
    ["$issuer; $issuer", '"ezw_token_issuer" directive is duplicate'],
    ['ezw_token_issuer https://a.test/',
     'invalid number of arguments in "ezw_token_issuer" directive'],
    ['ezw_token_issuer https://a.test/ refresh=1m',
     '"ezw_token_issuer" directive needs audience='],
    (map { ["ezw_token_issuer $_->[0] audience=app",
            qq("$_->[0]" is no URL to use: $_->[1])] }
     ['http://a.test', 'it is not https'],
     ['a.test', 'it does not begin with https:// or http:// and a host'],
     ['https://me@a.test/', 'it names a user'],
     ['https://a.test/#x', 'it has a fragment'],
     ['https://127.1/', 'its host is no IPv4 address in the canonical form']),
    ['ezw_token_issuer https://a.test/?x audience=app',
     '"https://a.test/?x" has a query: give jwks= too'],
    ["$issuer jwks=http://a.test/keys",
     '"http://a.test/keys" is no URL to use: it is not https'],
    (map { ["$issuer $_", qq(unknown or empty parameter "$_")] }
     'audience', 'jwks=', 'refresh=', 'trusted_certificate=', 'colour=red'),
    (map { ["$issuer refresh=$_", '"ezw_token_issuer" directive has a refresh '
            . 'that is no time from 1s to 24h'] } 'x', 0, '500ms', '25h', -1),
    ["$issuer audience=b", '"ezw_token_issuer" directive has two audiences'],
    ["$issuer refresh=1m refresh=2m",
     '"ezw_token_issuer" directive has two refresh'],
    ["$issuer jwks=https://a.test/ jwks=https://a.test/",
     '"ezw_token_issuer" directive has two jwks'],
    ["$issuer trusted_certificate=/nonexistent/x", 'certificates '
     . '"/nonexistent/x" cannot be opened (2: No such file or directory)'],
    (map { ["$issuer trusted_certificate=$_",
            qq("$_" has no certificate in PEM form)] }
     "$t->{dir}/no.crt", "$t->{dir}/empty.crt", $t->{dir}),
    ["$issuer trusted_certificate=$t->{dir}/bad.crt",
     qq("$t->{dir}/bad.crt" has a certificate that is none)],
) {
    fails($case->[1], "$ezw_database $case->[0];");
}


# The same module with other statements: of the module's own build, with the
# embedded SQL made anew.
my $objs = dirname($ENV{EZW_MODULE});
my $module = "$EZW::ROOT/ngx_ezw_module";
my ($sanitize) = EZW::slurp("$objs/Makefile") =~ /(-fsanitize=\S+)/;
my $builds = 0;

# Changes the text of FILE by CODE and builds a module in which it is so.
sub build_with {
    my ($file, $code) = @_;

    my $dir = "$t->{dir}/build" . ++$builds;
    make_path($dir);
    for my $path (glob "$module/sql/statements/*.sql") {
        my $text = EZW::slurp($path);
        if (basename($path) eq $file) {
            my $was = $text;
            $code->() for $text;
            die "$file is as it was\n" if $text eq $was;
        }
        EZW::write_file("$dir/" . basename($path), $text);
    }
    my ($version) = EZW::slurp("$objs/ezw_sql_files.c")
        =~ /ngx_ezw_sql_version = (\d+)/;
    my @flags = defined $sanitize ? $sanitize : ();
    my $command = "awk -v version=$version -f $module/sql/embed.awk $dir/*.sql "
        . ">$dir/sql.c && cc -fPIC @flags -I$module -c -o $dir/sql.o $dir/sql.c "
        . "&& cc -shared @flags -o $dir/module.so $dir/sql.o "
        . "\$(find $objs/addon -name '*.o' ! -name ezw_sql_files.o) "
        . "$objs/ngx_ezw_module_modules.o "
        . '-lpq -ljansson -lssl -lcrypto -lcurl -lm';
    my $output = `$command 2>&1`;
    is($?, 0, "built with another $file") || diag $output;
    return "$dir/module.so";
}

# The line of a statement's head in the changed file of the last build.
sub line_of {
    my ($file, $name) = @_;

    my $n = 0;
    for my $line (split /\n/, EZW::slurp("$t->{dir}/build$builds/$file")) {
        $n++;
        return $n if $line eq "-- name: $name";
    }
    die "no $name in $file\n";
}

for my $case (
    ['contacts.sql', sub { s/:path\.contactJid::text/:path.contactJod::text/ },
     sub { 'statement file "contacts.sql", line ' . line_of('contacts.sql',
           'contact_get') . ': "contact_get" has the unknown parameter '
           . '":path.contactJod"' }],
    ['contacts.sql', sub { s/:body\.reference::text/:body.referense::text/ },
     sub { 'statement file "contacts.sql", line ' . line_of('contacts.sql',
           'contact_create') . ': "contact_create" has the unknown parameter '
           . '":body.referense"' }],
    ['channels.sql', sub { s/:has\.body\.name::/:has.body.names::/ },
     sub { 'statement file "channels.sql", line ' . line_of('channels.sql',
           'channel_update') . ': "channel_update" has the unknown parameter '
           . '":has.body.names"' }],
    ['companies.sql', sub { s/:company::uuid/:query.company::uuid/ },
     sub { 'statement file "companies.sql", line ' . line_of('companies.sql',
           'company_current') . ': "company_current" has the unknown parameter '
           . '":query.company"' }],
    ['keys.sql', sub { s/:hash::text/:hush::text/ },
     sub { 'statement file "keys.sql", line ' . line_of('keys.sql',
           'key_principal') . ': "key_principal" has the unknown parameter '
           . '":hush"' }],
    ['keys.sql', sub { s/:hash::text/'00'/ },
     sub { 'statement file "keys.sql", line ' . line_of('keys.sql',
           'key_principal') . ': "key_principal" has no parameter ":hash"' }],
    ['courier.sql', sub { s/:limit::integer/64/ },
     sub { 'statement file "courier.sql", line ' . line_of('courier.sql',
           'outbox_claim') . ': "outbox_claim" has no parameter ":limit"' }],
    ['connectors.sql', sub { s/:contact::text/:contact.jid::text/ },
     sub { 'statement file "connectors.sql", line ' . line_of('connectors.sql',
           'message_receive') . ': "message_receive" has the unknown parameter '
           . '":contact.jid"' }],
    ['contacts.sql', sub { s/^-- name: contact_delete$/-- name: contact_gone/m },
     sub { 'endpoint "contact_delete": no statement file has the statement '
           . '"contact_delete"' }],
    ['keys.sql', sub { s/^-- name: key_principal$/-- name: key_person/m },
     sub { 'no statement file has the statement "key_principal"' }],
    ['maintenance.sql', sub { s/^-- name: sweep$/-- name: broom/m },
     sub { 'no statement file has the statement "sweep"' }],
    ['channels.sql', sub { $_ .= "\n-- name: contact_get\nselect 1;\n" },
     sub { 'statement file "contacts.sql", line ' . line_of('contacts.sql',
           'contact_get') . ': "contact_get" is there already' }],
    ['channels.sql', sub { $_ = "select 1;\n$_" },
     sub { qr/^statement file "channels\.sql", line 1: line 1: / }],
    ['contacts.sql', sub { $_ .= "\n-- name: open\nselect 'x;\n" },
     sub { qr/^statement file "contacts\.sql", line \d+: .*not closed/ }],
) {
    my ($file, $change, $message) = @$case;
    local $ENV{EZW_MODULE} = build_with($file, $change);
    fails($message->(), $ezw_database);
}

# And with nothing changed but a comment it passes.
{
    local $ENV{EZW_MODULE} = build_with('channels.sql',
                                        sub { $_ .= "-- a comment\n" });
    passes('a module that was built so', $ezw_database);
}

done_testing;

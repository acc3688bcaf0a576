# What `nginx -t` says of a gate that could be walked around, and of wrong keys,
# tokens, sign-up and threads: the directive, or the file and what is in it.

use MIME::Base64 qw(encode_base64);

use EZW;
use EZW::Token;

my $t = EZW->start(start => 0, ready => 0, allow => [qr/\[emerg\]/]);
my $database = "ezw_database host=$t->{postgres}{socket} dbname=ezw "
    . 'user=ezw_app;';

# A configuration with these lines in http, in a server, and in a location.
sub says {
    my ($http, $server, $location) = @_;

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
        @{[ $server // '' ]}
        location /x/ { @{[ $location // '' ]} }
    }
}
CONF
    return $t->config_test;
}

sub passes {
    my ($name, @config) = @_;
    my ($passed, $output) = says(@config);
    ok($passed, "passes: $name") || diag $output;
    return;
}

# The whole message, where it stands, and that there is no other.
sub fails {
    my ($message, @config) = @_;

    my ($passed, $output) = says(@config);
    my @emerg = $output =~ /^nginx: \[emerg\] (.*)$/mg;
    s{ in \Q$t->{dir}\E/nginx\.conf:\d+$}{} for @emerg;
    ok(!$passed, "fails: $message (@config)");
    ref $message ? like("@emerg", $message, "says: $message")
        : is_deeply(\@emerg, [$message], "says: $message");
    return;
}


# ezw_gate.
for my $gate (map({ "scope=$_" } qw(channel assistant company owner CHANNEL)),
              map({ "role=$_" } qw(operator admin owner)), 'off')
{
    passes($gate, "$database ezw_gate $gate;");
    passes($gate, $database, "ezw_gate $gate;");
    passes($gate, $database, '', "ezw_gate $gate;");
}
for my $gate ('on', 'scope', 'scope=', 'scope=admin', 'scope=companies',
              'company', 'role=', 'role=company', 'role=user', 'role=Owner',
              'Off', '""')
{
    fails('"ezw_gate" directive is scope=channel, assistant, company or '
          . 'owner, or role=operator, admin or owner, or off',
          $database, '', "ezw_gate $gate;");
}
for my $arguments ('', 'scope=owner role=owner') {
    fails('invalid number of arguments in "ezw_gate" directive', $database,
          '', "ezw_gate $arguments;");
}
fails('"ezw_gate" directive is duplicate', $database, '',
      'ezw_gate scope=owner; ezw_gate off;');
fails('"ezw_gate" directive is duplicate', $database, '',
      'ezw_gate off; ezw_gate scope=owner;');
for my $block ('if ($arg_a)', 'limit_except GET') {
    fails('"ezw_gate" directive is not allowed here', $database, '',
          "$block { ezw_gate scope=owner; }");
}
for my $config (['ezw_gate scope=owner;'], ['', 'ezw_gate scope=owner;'],
                ['', '', 'ezw_gate role=admin;'])
{
    fails(qr/^"ezw_api"\S* .*need "ezw_database" in the http block$/, @$config);
}
passes('a gate that is off needs no database', 'ezw_gate off;');


# "return" would answer before it: in a location and in a server, also where
# they have the gate of what they stand in.
my $in_location = '"return" in location "/x/" would answer before the gate; '
    . 'put it where "ezw_gate" is off';
my $in_server = '"return" in a server would answer before the gate; put it '
    . 'where "ezw_gate" is off';
for my $return ('return 200 "it";', 'return 403;', 'return 301 /y;',
                'if ($arg_a) { return 200 "it"; }', 'set $a 1; return 204;',
                'if ($arg_a) { set $a 1; } if ($arg_b) { return 418; }')
{
    for my $gate ('ezw_gate scope=channel;', 'ezw_gate role=operator;') {
        fails($in_location, $database, '', "$gate $return");
        fails($in_location, $database, '', "$return $gate");
        fails($in_location, $database, $gate, $return);
        fails($in_location, "$database $gate", '', $return);
        fails($in_server, $database, "$gate $return");
        fails($in_server, $database, "$return $gate");
        fails($in_server, "$database $gate", $return);
        passes("off, with $return", "$database $gate", '',
               "ezw_gate off; $return");
        passes("off in the server, with $return", "$database $gate",
               "ezw_gate off; $return");
        passes("a location of its own, with $return", $database,
               "location /y/ { $return }", $gate);
    }
}
fails('"return" in location "/x/y/" would answer before the gate; put it where '
      . '"ezw_gate" is off', $database, '',
      'ezw_gate scope=owner; location /x/y/ { return 200; }');
fails('"return" in location "@named" would answer before the gate; put it '
      . 'where "ezw_gate" is off', $database,
      'ezw_gate scope=owner; location @named { return 200; }');
passes('rewrite', $database, 'ezw_gate scope=owner;',
       'rewrite ^/x/a /y last; rewrite ^/x/b /y redirect; if ($arg_a) '
       . '{ rewrite ^ /y break; }');
passes('return beside no gate', $database, 'return 301 /;', 'return 204;');
passes('an API and a health check have no gate of this kind',
       "$database ezw_gate scope=owner;",
       'location /v3/ { ezw_api v3; } location /h { ezw_health live; }');


# Key files. What is wrong with one is told, and nothing of it.
my $dir = $t->{dir};
my $files = 0;

sub file {
    my ($text) = @_;
    my $file = "$dir/file" . ++$files;
    EZW::write_file($file, $text, 0600);
    return $file;
}

sub pem {
    my (@arguments) = @_;
    return EZW::Token::openssl('genpkey', @arguments);
}

my $hex = '0123456789abcdef' x 4;
my $base64 = encode_base64('k' x 32, '');
my $ed25519 = pem('-algorithm', 'ed25519');
my $missing = qr{^open\(\) "\Q$dir\E/none" failed \(2: No such file};

my %bad = (
    ezw_signing_key_file => [
        [' ', 'no key in it'],
        [substr($hex, 2), 'a secret of 31 bytes: at least 32 are needed'],
        ["$hex\n$hex\n", 'neither a PEM private key nor one line of hex or '
         . 'base64'],
        ['a secret', 'neither a PEM private key nor one line of hex or base64'],
        ['x' x 20_000, 'more than 16384 bytes'],
        [$ed25519 . $ed25519, 'more than one PEM block'],
        [substr($ed25519, 0, 80), 'no private key in PEM'],
        [pem('-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'),
         'the private key is not one of Ed25519'],
        [pem('-algorithm', 'ed25519', '-aes256', '-pass', 'pass:secret'),
         'the private key has a passphrase'],
    ],
    ezw_seal_key_file => [
        [' ', 'no key in it'],
        ["# none\n\n", 'no key in it'],
        [substr($hex, 2), 'line 1: a key is 32 bytes in hex or base64'],
        ["\n$hex\n${hex}00\n", 'line 3: a key is 32 bytes in hex or base64'],
        ["$hex\n# x\n$hex # again\n", 'line 3: the key was there before'],
        [join("\n", map { sprintf '%064x', $_ } 1 .. 9),
         'line 9: more than 8 keys'],
    ],
);
for my $directive (sort keys %bad) {
    fails($missing, "$database $directive $dir/none;");
    fails($missing, "$database $directive none;");
    for my $text ('', 'x' x 65_536) {
        my $file = file($text);
        fails(qq("$file" is empty, too large or cannot be read),
              "$database $directive $file;");
    }
    fails(qr/^"\Q$dir\E" is empty, too large or cannot be read \(21: Is a dir/,
          "$database $directive $dir;");
    for my $case (@{ $bad{$directive} }) {
        my ($text, $why) = @$case;
        my $file = file($text);
        fails(qq("$file": $why), "$database $directive $file;");
    }
    for my $arguments ('', 'a b') {
        fails(qq(invalid number of arguments in "$directive" directive),
              "$database $directive $arguments;");
    }
    fails(qq("$directive" directive is not allowed here), $database,
          "$directive $dir/none;");
}

my $signing = file($ed25519);
for my $text ($ed25519, "$hex\n", "$base64\n", $base64 =~ s/=//gr) {
    passes('a signing key', "$database ezw_signing_key_file @{[file($text)]};");
}
passes('two signing keys, and one of this folder', "$database "
       . "ezw_signing_key_file $signing; ezw_signing_key_file "
       . file($hex) =~ s{.*/}{}r . ';');
fails('"ezw_signing_key_file" directive has the same key twice', "$database "
      . "ezw_signing_key_file $signing; ezw_signing_key_file $signing;");
fails('"ezw_signing_key_file" directive has the same key twice', "$database "
      . "ezw_signing_key_file @{[file($hex)]}; "
      . "ezw_signing_key_file @{[file(encode_base64(pack 'H*', $hex))]};");

my $seal = file("# the newest\n$hex\n\n  $base64   # the one before\n");
passes('a ring', "$database ezw_seal_key_file $seal;");
fails('"ezw_seal_key_file" directive is duplicate: one file holds all keys, '
      . 'a line each',
      "$database ezw_seal_key_file $seal; ezw_seal_key_file $seal;");


# Tokens, sign-up, threads.
passes('a token', "$database ezw_token issuer=a audience=b;");
passes('half a token', "$database ezw_token audience=b;");
for my $arguments ('issuer=', 'audience=', 'issuer', 'issuer=a issuer=b',
                   'audience=a audience=b', 'issuer=a; ezw_token issuer=b',
                   'subject=a', 'Issuer=a')
{
    fails('"ezw_token" directive needs issuer= and audience=, each once',
          "$database ezw_token $arguments;");
}
for my $arguments ('', 'issuer=a audience=b x=c') {
    fails('invalid number of arguments in "ezw_token" directive',
          "$database ezw_token $arguments;");
}

my $token = file("a-token-of-16-ch\n");
passes("sign-up $_", "$database ezw_signup $_;")
    for 'open', 'off', "token=$token";
fails('"ezw_signup" directive is open, off or token=file',
      "$database ezw_signup $_;") for 'on', 'closed', 'token', 'Open', '""';
fails('"ezw_signup" directive is duplicate',
      "$database ezw_signup off; ezw_signup $_;")
    for 'open', 'off', "token=$token";
fails($missing, "$database ezw_signup token=none;");
for my $text ("\n", "fifteen-of-them\n", "fifteen-of-them  \n\n") {
    my $file = file($text);
    fails('"ezw_signup" directive has a token shorter than 16 characters',
          "$database ezw_signup token=$file;");
}
fails(qr/^"[^"]*" is empty, too large or cannot be read/,
      "$database ezw_signup token=@{[file('')]};");

my $threads = "$database ezw_signing_key_file $signing; ezw_password_threads";
passes("threads: $_", "$threads $_;") for 1, 16, '2 queue=1', '2 queue=65536';
fails('"ezw_password_threads" directive needs 1 to 16 threads', "$threads $_;")
    for 0, 17, -1, 'x', '""', '1.5', '"1 "';
fails('"ezw_password_threads" directive needs a queue of 1 to 65536',
      "$threads 1 queue=$_;") for 0, 65_537, -1, 'x', '';
fails('"ezw_password_threads" directive needs queue=number', "$threads 1 $_;")
    for 'queue', 'que=1', '10';
fails('"ezw_password_threads" directive is duplicate',
      "$threads 1; ezw_password_threads 1;");
fails('invalid number of arguments in "ezw_password_threads" directive',
      "$threads $_;") for '', '1 queue=1 x';


# Nothing of a secret is in any output.
unlike(slurp("$dir/error.log") . slurp("$dir/output"),
       qr/\Q$hex\E|\Q$base64\E|a-token-of|fifteen-of|PRIVATE/,
       'no secret is told');

done_testing;

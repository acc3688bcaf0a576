# Without a key to sign with there is no identity: what needs one says so, and
# all else is as ever.

use EZW;
use EZW::Token;

my $t = EZW->start(start => 0);
my $conf = slurp("$t->{dir}/nginx.conf")
    =~ s/ezw_signing_key_file \S+;//r;
EZW::write_file("$t->{dir}/nginx.conf", $conf);
$t->launch;
my $demo = $t->demo;
$t->user(company => $demo->{company}, email => 'jane@example.com',
         password => 'correct horse');
my $before = $t->snapshot;

my %missing = (details => { service => 'identity' },
               message => 'Not configured');
my %json = (email => 'jane@example.com', password => 'correct horse',
            refreshToken => 'x', token => 'x', newPassword => 'x' x 10,
            currentPassword => 'correct horse',
            organizationName => 'New', ownerName => 'New');
my $token = EZW::Token->key(EZW::Token::write_secret("$t->{dir}/secret"))
    ->sign({ iss => 'ezw', aud => 'ezw-workspace', sub => $t->uuid,
             org => $demo->{company}, role => 'owner', mv => 1,
             sid => $t->uuid, exp => time + 60 });
for my $case (['auth/login', qw(email password)],
              ['auth/refresh', 'refreshToken'],
              ['auth/password/reset', 'email'],
              ['auth/password/reset', qw(token newPassword)],
              ['auth/password', qw(currentPassword newPassword)],
              ['auth/logout'],
              ['signup/organization',
               qw(organizationName ownerName email password)])
{
    my ($path, @fields) = @$case;
    for my $key (undef, $token) {
        is_workspace_refused(
            $t->http(POST => "/api/$path", key => $key,
                     json => { map { $_ => $json{$_} } @fields }),
            501, 'not_configured', \%missing,
            "POST /api/$path" . ($key ? ' with a token' : ''));
    }
}
is_workspace_refused($t->http(GET => '/api/auth/session', key => $_), 501,
                     'not_configured', \%missing, 'GET /api/auth/session')
    for undef, $token;
is_deeply($t->snapshot, $before, 'nothing is written');

is($t->http(GET => '/v3/keys/current', key => $demo->{key}{COMPANY})->status,
   200, 'API keys go on');
is_workspace_refused($t->http(GET => '/api/auth/session',
                              key => $demo->{key}{COMPANY}),
                     403, 'forbidden', { message => 'Access denied: API keys '
                     . 'are for the integration API' }, 'but not there');

done_testing;

# Whether an agent is there (DECISIONS 10): a stream in the last 5 minutes, a
# request in the last 10; and whether anyone is who may see a channel.

use EZW;

my $t = EZW->start(start => 0);
my $company = $t->company;
my $jid = $t->channel(company => $company);
my $channel = $t->value('select id from ezw.channel where jid = ?', $jid);

sub status {
    my ($stream, $request) = @_;
    return $t->value(q{select ezw.agent_status(now() - ?::interval,
                                               now() - ?::interval)},
                     $stream, $request);
}

# [stream's age, request's age, status]; the bounds themselves are past.
for my $case (
    [undef, undef, 'OFFLINE'],
    [undef, '0 s', 'OFFLINE'],
    ['5 min', '0 s', 'OFFLINE'],
    ['1 day', '1 day', 'OFFLINE'],
    ['299 s', '0 s', 'ONLINE'],
    ['0 s', '0 s', 'ONLINE'],
    ['0 s', '599 s', 'ONLINE'],
    ['0 s', '10 min', 'AWAY'],
    ['299 s', '1 day', 'AWAY'],
    ['0 s', undef, 'AWAY'],
) {
    my ($stream, $request, $want) = @$case;
    is(status($stream, $request), $want,
       join ', ', 'stream ' . ($stream // 'never'),
       'request ' . ($request // 'never'));
}

sub online {
    my ($of, $which) = @_;
    return $t->value('select ezw.agent_online(?, ?)', $of // $company,
                     $which // $channel);
}

# One who is there, in a company of his own with a channel; what is changed of
# him is the case's.
sub with {
    my (%o) = @_;
    my $of = $t->company;
    my $user = $t->user(company => $of, %{ $o{member} // {} });
    my $which = $t->value('select id from ezw.channel where jid = ?',
                          $t->channel(company => $of));
    $t->insert('presence', company => $of, user_id => $user,
               stream_at => 'now', request_at => 'now', %{ $o{seen} // {} });
    $t->insert('channel_permission', company => $of, channel => $which,
               user_id => $user, %{ $o{permission} }) if $o{permission};
    $t->sql('update ezw.app_user set enabled = false where id = ?', $user)
        if $o{disabled};
    return online($of, $which);
}

is(online(), 0, 'nobody');
my $user = $t->user(company => $company);
is(online(), 0, 'a member who was never here');
is(with(), 1, 'one who is here');
is(with(seen => { request_at => '2020-01-01' }), 0, 'one who is away');
is(with(seen => { stream_at => '2020-01-01' }), 0, 'one who has left');
is(with(member => { status => 'disabled' }), 0, 'a disabled member');
is(with(member => { status => 'invited' }), 0, 'an invited one');
is(with(disabled => 1), 0, 'a disabled user');
my %blind = (can_view => 'f', can_send => 'f');
my %sees = (can_view => 't', can_send => 'f');
is(with(permission => \%blind), 0, 'one who may not see the channel');
is(with(permission => \%sees), 1, 'one who may see but not send');
is(with(member => \%blind), 0, 'one who sees nothing');
is(with(member => \%blind, permission => \%sees), 1, 'but this channel');
is(with(member => { role => $_, %blind }, permission => \%blind), 1,
   "an $_ sees all") for qw(admin owner);

# Who is there for another company, or has no right of this channel's, is not.
my $other = $t->company;
$t->insert('membership', company => $other, user_id => $user,
           role => 'operator');
$t->insert('presence', company => $other, user_id => $user,
           stream_at => 'now', request_at => 'now');
is(online(), 0, 'here for another company');
is(online($other, $channel), 1, 'for that one he is');

done_testing;

# After a lost connection a statement runs again with the same ids: messages.
#
# others: message_get message_list

use EZW;
use EZW::Statements;

my $t = EZW->start(start => 0);
my $statements = EZW::Statements->new($t);

done_testing;

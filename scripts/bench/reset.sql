-- Before each measurement of writes: every conversation as it was seeded,
-- nothing dead in it, nothing left to write back.

update ezw.conversation
set
    status = 'OPEN',
    unread_count = null
where status <> 'OPEN'
   or unread_count is not null;

vacuum ezw.conversation;
vacuum ezw.contact;
checkpoint;

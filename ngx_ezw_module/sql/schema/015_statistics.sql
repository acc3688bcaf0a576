-- Statistics to begin with. A planner that has none takes every table for a
-- few rows of two hundred companies: then "all of this company" looks as good
-- as "this row", and the functions' plans, made once in a connection, read all
-- contacts of the company until the first autoanalyze. So the hot tables are
-- analyzed once with rows of one company in them, which are then taken out
-- again. (The months of message: ezw.partitions_ensure.)

do $$
declare
    l_company uuid := '00000000-0000-0000-0000-000000000000';
begin
    -- there are rows already, and statistics come from them
    if exists (select from ezw.contact) then
        return;
    end if;

    insert into ezw.company (id, name)
    values (l_company, 'statistics');

    insert into ezw.channel (company, id, jid, domain, connector, name)
    values (l_company, l_company, '1000000@sms.invalid', 'sms', 'sandbox', 'statistics');

    insert into ezw.contact (company, id, channel, jid)
    select
        l_company,
        md5(i::text)::uuid,
        l_company,
        i || '@sms.invalid'
    from generate_series(1, 500) i;

    insert into ezw.conversation (company, id, channel, contact, contact_jid, last_message_at, created_at)
    select
        l_company,
        md5(i::text)::uuid,
        l_company,
        md5(i::text)::uuid,
        i || '@sms.invalid',
        now(),
        now()
    from generate_series(1, 500) i;

    analyze ezw.contact;
    analyze ezw.conversation;

    -- in a subtransaction they become as new, and are not known to be empty
    begin
        truncate ezw.contact, ezw.conversation cascade;
    exception
        when query_canceled then
            raise;
    end;

    delete from ezw.channel h
    where h.company = l_company;

    delete from ezw.company c
    where c.id = l_company;
end
$$;

-- A request whose connection was lost is executed again, and its first
-- execution may still be under way: the second one waits for its end before it
-- asks whether it has been. (The rows that most functions lock make it wait as
-- well; a failed sign-in, for one, locks none.)
create or replace function ezw.audit_exists(a_company uuid, a_id uuid)
returns boolean
language plpgsql
volatile
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(a_id::text, 1702000249));

    return exists (
        select
        from ezw.audit_log g
        where g.company = a_company
          and g.id = a_id
    );
end
$$;

# `ezw company`: the tenants.

company_create() {
    read_options 'name! parent timezone retention-days' "$@"
    take_text name
    take_uuid parent
    take_text timezone UTC
    take_number retention-days 36500 90
    VALUES[id]=$(uuid7)
    VALUES[audit]=$(uuid7)

    {
        cat <<'END'
select case
    when :'parent' <> '' and not exists (
        select
        from ezw.company c
        where c.id = nullif(:'parent', '')::uuid
    )
    then '--parent: there is no such company'
    when not exists (
        select
        from pg_timezone_names z
        where z.name = :'timezone'
    )
    then '--timezone: ' || :'timezone' || ' is not known, as Europe/Amsterdam would be'
end as refusal \gset
END
        quit_if_refused
        cat <<'END'
insert into ezw.company (id, parent, name, timezone, data_retention_in_days)
values (
    :'id',
    nullif(:'parent', '')::uuid,
    :'name',
    :'timezone',
    :'retention_days'::integer
);

insert into ezw.billing (company)
values (:'id');

select ezw.audit_add(:'id', :'audit', 'org.created', null, 'company', :'id', null, null,
    json_build_object('name', :'name')) \g /dev/null

END
        { company_rows; echo "where c.id = :'id'"; } | one_object
    } | operator_answer
}

company_list() {
    read_options '' "$@"
    { company_rows; echo 'order by c.created_at, c.id'; } | one_array |
        operator_answer
}

company_rows() {
    cat <<'END'
select
    ezw.ts(c.created_at) as "createdAt",
    c.data_retention_in_days as "dataRetentionInDays",
    c.id,
    c.name,
    c.parent,
    c.status,
    c.timezone
from ezw.company c
END
}

# SQL that refuses a :company that is none.
company_must_exist() {
    cat <<'END'
select case
    when not exists (
        select
        from ezw.company c
        where c.id = :'company'
    )
    then '--company: there is no such company'
end as refusal \gset
END
    quit_if_refused
}

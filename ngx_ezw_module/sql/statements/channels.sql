-- Channels of a company.

-- name: channel_list
-- Archived channels stay in it: their history stays readable.
select
    w.jid is not null as "@row",
    w.rank as "@cursor0",
    w.created_at as "@cursor1",
    w.jid as "@cursor2",
    case
        when :page.count::boolean
        then (
            select count(*)
            from (
                select
                from ezw.channel t
                where t.company = :company::uuid
                  and t.jid is not null
                  and (:key.channels::text[] is null or t.jid = any (:key.channels::text[]))
                limit 10001
            ) n
        )
    end as "@total",
    w.data_retention_in_days as "dataRetentionInDays",
    w.jid,
    w.name,
    w.priority
from ezw.company c
left join lateral (
    select
        coalesce(h.priority::int8, 9223372036854775807) as rank,
        h.created_at,
        h.data_retention_in_days,
        h.jid,
        h.name,
        h.priority
    from ezw.channel h
    where h.company = c.id
      and h.company = :company::uuid
      and h.jid is not null
      and (:key.channels::text[] is null or h.jid = any (:key.channels::text[]))
      and (coalesce(h.priority::int8, 9223372036854775807), h.created_at, h.jid) > (
        coalesce(:after.0::int8, -9223372036854775808),
        coalesce(:after.1::timestamptz, '-infinity'),
        coalesce(:after.2::text, '')
      )
    order by 1, 2, 4
    limit :page.limit::integer
) w on true
where c.id = :company::uuid
order by w.rank, w.created_at, w.jid;

-- name: channel_create
-- Of one of the companies that the caller's key may use. Refusals:
-- company_unknown, default_assistant_unknown, duplicate. Again with the same
-- :id.channel: the same answer, nothing written.
select
    u.refusal,
    u.catalog_id as "catalogId",
    u.connector,
    u.data_retention_in_days as "dataRetentionInDays",
    u.default_assistant as "defaultAssistant",
    u.jid,
    u.name,
    u.priority
from ezw.channel_create(
    ezw.company_chosen(:company::uuid, :key.companies::uuid[], :body.companyId::uuid),
    :id.channel::uuid,
    :body.jid::text,
    :body.name::text,
    coalesce(:body.connector::text, 'sandbox'),
    :body.priority::integer,
    :body.dataRetentionInDays::integer,
    :body.catalogId::text,
    :body.defaultAssistant::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: channel_update
-- Refusals: not_found, default_assistant_unknown.
select
    u.refusal,
    u.data_retention_in_days as "dataRetentionInDays",
    u.jid,
    u.name,
    u.priority
from ezw.channel_update(
    :company::uuid,
    :path.channelJid::text,
    :has.body.name::boolean,
    :body.name::text,
    :has.body.priority::boolean,
    :body.priority::integer,
    :body.dataRetentionInDays::integer,
    :has.body.catalogId::boolean,
    :body.catalogId::text,
    :has.body.defaultAssistant::boolean,
    :body.defaultAssistant::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: channel_delete
-- Refusal: not_found. A channel that has ended already is no refusal.
select ezw.channel_archive(
    :company::uuid,
    :path.channelJid::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

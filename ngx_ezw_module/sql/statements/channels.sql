-- Channels of a company.

-- name: channel_list
-- Archived channels stay in it: their history stays readable.
select
    h.data_retention_in_days as "dataRetentionInDays",
    h.jid,
    h.name,
    h.priority
from ezw.channel h
where h.company = :company::uuid
  and h.jid is not null
  and (:key.channels::text[] is null or h.jid = any (:key.channels::text[]))
order by h.priority nulls last, h.created_at, h.jid;

-- name: channel_update
select
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
    :body.priority::integer
) u;

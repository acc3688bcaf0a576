-- What the lists of keys and channels go along, page by page.

-- key_list
create index api_key_listed on ezw.api_key (company, created_at, id)
where revoked_at is null;

-- channel_list
create index channel_listed on ezw.channel (
    company, (coalesce(priority::int8, 9223372036854775807)), created_at, jid
)
where jid is not null;

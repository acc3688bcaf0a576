-- Webhooks of a channel. What a header's value is, only a company's key and
-- its owner's are told.

-- name: key_cipher
-- For the gate: the cipher key of an API key, sealed; none: no row.
select k.cipher_key as sealed
from ezw.api_key k
where k.company = :company::uuid
  and k.id = :key::uuid
  and k.cipher_key is not null;

-- name: webhook_list
select
    w.id is not null as "@row",
    w.created_at as "@cursor0",
    w.id as "@cursor1",
    case
        when :page.count::boolean
        then (
            select count(*)
            from (
                select
                from ezw.webhook t
                where t.company = h.company
                  and t.channel = h.id
                limit 10001
            ) n
        )
    end as "@total",
    w.assistant,
    w.cipher_fingerprint as "cipherKey",
    w.created_at as "createdAt",
    w.enabled,
    w.events,
    ezw.webhook_headers(w.headers, :key.scope::text) as headers,
    w.id,
    w.updated_at as "updatedAt",
    w.url
from ezw.channel h
left join lateral (
    select
        k.assistant,
        k.cipher_fingerprint,
        k.created_at,
        k.enabled,
        k.events,
        k.headers,
        k.id,
        k.updated_at,
        k.url
    from ezw.webhook k
    where k.company = h.company
      and k.channel = h.id
      and (k.created_at, k.id) > (
        coalesce(:after.0::timestamptz, '-infinity'),
        coalesce(:after.1::uuid, '00000000-0000-0000-0000-000000000000')
      )
    order by k.created_at, k.id
    limit :page.limit::integer
) w on true
where h.company = :company::uuid
  and h.jid = :path.channelJid::text
order by w.created_at, w.id;

-- name: webhook_create
-- Refusals: not_found, assistant_unknown, webhooks_full. Again with the same
-- :id.webhook: the same answer, nothing written.
select
    u.refusal,
    u.assistant,
    u.cipher_fingerprint as "cipherKey",
    u.created_at as "createdAt",
    u.enabled,
    u.events,
    u.headers,
    u.id,
    null::text as "secret:secret",
    u.updated_at as "updatedAt",
    u.url
from ezw.webhook_create(
    :company::uuid,
    :path.channelJid::text,
    :id.webhook::uuid,
    :body.url::text,
    :body.events::json,
    :body.headers::json,
    :body.enabled::boolean,
    :body.assistant::text,
    decode(:secret.secret.sealed::text, 'hex'),
    decode(:sealed.cipherKey::text, 'hex'),
    :fingerprint.cipherKey::text,
    :key.scope::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: webhook_update
-- Refusals: not_found, header_masked. Only what really changes is written.
select
    u.refusal,
    u.assistant,
    u.cipher_fingerprint as "cipherKey",
    u.created_at as "createdAt",
    u.enabled,
    u.events,
    u.headers,
    u.id,
    u.updated_at as "updatedAt",
    u.url
from ezw.webhook_update(
    :company::uuid,
    :path.channelJid::text,
    ezw.as_uuid(:path.id::text),
    :body.url::text,
    :body.events::json,
    :has.body.headers::boolean,
    :body.headers::json,
    :body.enabled::boolean,
    :key.scope::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: webhook_delete
-- Refusal: not_found. Again with the same :id.audit: the same answer, nothing
-- written.
select ezw.webhook_delete(
    :company::uuid,
    :path.channelJid::text,
    ezw.as_uuid(:path.id::text),
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

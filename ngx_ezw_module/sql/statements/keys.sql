-- API keys: for the gate, and for their owners. The gate looks a key up by its
-- hash, before any company is known: api_key is one of the deployment's
-- directories.

-- name: key_principal
-- The principal of a key and the change sequence of the same snapshot: one
-- row always, with a null id for a hash that no key has. channels is null
-- for a key that may use every channel of its company. A key whose assistant
-- was deleted is that assistant's still, and a disabled one's: without it, it
-- would be bound to nobody.
select
    k.id,
    k.company,
    k.scope,
    k.enabled and k.revoked_at is null as enabled,
    k.expires_at,
    case
        when k.scope = 'CHANNEL' or (k.scope = 'ASSISTANT' and exists (
            select
            from ezw.api_key_object o
            where o.company = k.company
              and o.api_key = k.id
              and o.type = 'CHANNEL'
        ))
        then array(
            select o.ref
            from ezw.api_key_object o
            where o.company = k.company
              and o.api_key = k.id
              and o.type = 'CHANNEL'
            order by o.ref
        )
    end as channels,
    array(
        select f.id
        from ezw.company f
        where f.id = k.company
           or (k.scope = 'OWNER' and f.parent = k.company)
        order by f.id
    ) as companies,
    i.ref as assistant,
    coalesce(a.enabled, false) as assistant_enabled,
    k.whitelist,
    k.rate_per_minute,
    k.burst,
    k.description,
    k.cipher_fingerprint,
    k.last_used,
    k.prefix,
    ezw.key_objects(k.company, k.id) as objects,
    n.seq,
    c.status = 'ACTIVE' as company_active
from ezw.change_counter n
left join ezw.api_key k
  on k.hash = decode(:hash::text, 'hex')
left join ezw.company c
  on c.id = k.company
left join ezw.api_key_object i
  on i.company = k.company
 and i.api_key = k.id
 and i.type = 'ASSISTANT'
left join ezw.assistant a
  on a.company = i.company
 and a.jid = i.ref;

-- name: keys_used
-- :used is [{"id":"<uuid>","at":<unix ms>}, ...]; the newest use wins, so
-- that the nodes may report in any order and more than once.
update ezw.api_key k
set last_used = u.at
from (
    select
        (e.value ->> 'id')::uuid as id,
        max(to_timestamp((e.value ->> 'at')::numeric / 1000)) as at
    from json_array_elements(:used::json) e
    group by 1
) u
where k.id = u.id
  and (k.last_used is null or k.last_used < u.at);

-- name: channel_company
-- The directory of channels: which company a channel's JID belongs to; one
-- row always, with a null company for a JID that no channel has.
select
    h.company,
    h.archived_at is not null as archived,
    n.seq
from ezw.change_counter n
left join ezw.channel h
  on h.jid = :jid::text;

-- name: changes_since
-- What the caches of all nodes must forget, in order, and in each row the
-- sequence as it stands: one row always, with a null seq when nothing is new.
select
    n.seq as current,
    g.seq,
    g.kind,
    g.ref
from ezw.change_counter n
left join (
    select
        h.seq,
        h.kind,
        h.ref
    from ezw.change h
    where h.seq > :after::int8
    order by h.seq
    limit 1000
) g on true
order by g.seq;

-- name: change_seq
select n.seq
from ezw.change_counter n;

-- name: key_denied
-- For the gate: a key came from an address that is not on its whitelist.
select ezw.key_denied(
    :company::uuid,
    :key::uuid,
    :address::text,
    :trace::text,
    :id::uuid
) as denied;

-- name: key_list
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
                from ezw.api_key t
                where t.company = :company::uuid
                  and t.revoked_at is null
                limit 10001
            ) n
        )
    end as "@total",
    w.burst,
    w.cipher_fingerprint as "cipherKey",
    w.description,
    w.enabled,
    w.expires_at as "expiresAt",
    w.id,
    w.last_used as "lastUsed",
    w.objects,
    w.prefix,
    w.rate_per_minute as "ratePerMinute",
    w.scope,
    w.whitelist
from ezw.company c
left join lateral (
    select
        k.burst,
        k.cipher_fingerprint,
        k.created_at,
        k.description,
        k.enabled,
        k.expires_at,
        k.id,
        k.last_used,
        k.objects,
        k.prefix,
        k.rate_per_minute,
        k.scope,
        k.whitelist
    from ezw.key_shape k
    where k.company = c.id
      and k.company = :company::uuid
      and k.revoked_at is null
      and (k.created_at, k.id) > (
        coalesce(:after.0::timestamptz, '-infinity'),
        coalesce(:after.1::uuid, '00000000-0000-0000-0000-000000000000')
      )
    order by k.created_at, k.id
    limit :page.limit::integer
) w on true
where c.id = :company::uuid
order by w.created_at, w.id;

-- name: key_create
-- Of one of the companies that the caller's key may use. Refusals:
-- company_unknown, object_unsuitable, object_needed, object_unknown. Again
-- with the same :id.key: the same answer, nothing written.
select
    u.refusal,
    u.burst,
    u.cipher_fingerprint as "cipherKey",
    u.description,
    u.enabled,
    u.expires_at as "expiresAt",
    u.id,
    null::text as "key:secret",
    u.last_used as "lastUsed",
    u.objects,
    u.prefix,
    u.rate_per_minute as "ratePerMinute",
    u.scope,
    u.whitelist
from ezw.key_create(
    ezw.company_chosen(:company::uuid, :key.companies::uuid[], :body.companyId::uuid),
    :id.key::uuid,
    decode(:secret.key.hash::text, 'hex'),
    :secret.key.prefix::text,
    :body.scope::text,
    :body.description::text,
    :body.objects::json,
    :body.whitelist::json,
    :body.expiresAt::timestamptz,
    :body.ratePerMinute::integer,
    :body.burst::integer,
    :body.enabled::boolean,
    decode(:sealed.cipherKey::text, 'hex'),
    :fingerprint.cipherKey::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: key_update
-- A key of one of the companies that the caller's key may use. Refusals:
-- not_found (revoked, too), object_unsuitable, object_needed, object_unknown.
select
    u.refusal,
    u.burst,
    u.cipher_fingerprint as "cipherKey",
    u.description,
    u.enabled,
    u.expires_at as "expiresAt",
    u.id,
    u.last_used as "lastUsed",
    u.objects,
    u.prefix,
    u.rate_per_minute as "ratePerMinute",
    u.scope,
    u.whitelist
from ezw.key_update(
    ezw.key_company(:company::uuid, :key.companies::uuid[], ezw.as_uuid(:path.id::text)),
    ezw.as_uuid(:path.id::text),
    :body.scope::text,
    :body.objects::json,
    :body.enabled::boolean,
    :has.body.description::boolean,
    :body.description::text,
    :has.body.whitelist::boolean,
    :body.whitelist::json,
    :has.body.expiresAt::boolean,
    :body.expiresAt::timestamptz,
    :has.body.ratePerMinute::boolean,
    :body.ratePerMinute::integer,
    :has.body.burst::boolean,
    :body.burst::integer,
    :has.body.cipherKey::boolean,
    decode(:sealed.cipherKey::text, 'hex'),
    :fingerprint.cipherKey::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) u;

-- name: key_delete
-- Refusal: not_found, as for key_update. Again with the same :id.audit: the
-- same answer, nothing written.
select ezw.key_revoke(
    ezw.key_company(:company::uuid, :key.companies::uuid[], ezw.as_uuid(:path.id::text)),
    ezw.as_uuid(:path.id::text),
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

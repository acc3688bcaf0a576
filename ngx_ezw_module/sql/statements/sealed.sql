-- Secrets sealed by a key that is not the current one, of every company.

-- name: sealed_stale
-- A page of them after (:company, :id), in that order.
select
    'cipherKey'::text as field,
    k.company,
    k.id,
    k.cipher_key as sealed
from ezw.api_key k
where k.cipher_key is not null
  and substr(k.cipher_key, 2, 8) <> decode(:key::text, 'hex')
  and (k.company, k.id) > (:company::uuid, :id::uuid)
order by k.company, k.id
limit 50;

-- name: sealed_renew
-- Again with the same values: the first has done it, nothing written.
select ezw.sealed_renew(
    :company::uuid,
    :field::text,
    :id::uuid,
    decode(:old::text, 'hex'),
    decode(:new::text, 'hex')
) as renewed;

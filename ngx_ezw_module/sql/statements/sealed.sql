-- Secrets sealed by a key that is not the current one, of every company.

-- name: sealed_stale
-- A page of them after (:company, :id, :part), in that order: two parts of a
-- row may be sealed for one field.
select
    s.field,
    s.company,
    s.id,
    s.part,
    s.sealed
from (
    (
        select
            'cipherKey'::text as field,
            k.company,
            k.id,
            1 as part,
            k.cipher_key as sealed
        from ezw.api_key k
        where k.cipher_key is not null
          and substr(k.cipher_key, 2, 8) <> decode(:key::text, 'hex')
          and (k.company, k.id) >= (:company::uuid, :id::uuid)
          and (k.company, k.id, 1) > (:company::uuid, :id::uuid, :part::integer)
        order by k.company, k.id
        limit 50
    )
    union all
    (
        select
            p.field,
            w.company,
            w.id,
            p.part,
            p.sealed
        from ezw.webhook w
        cross join lateral (
            values
                ('cipherKey', 1, w.cipher_key),
                ('secret', 2, w.secret),
                ('secret', 3, w.secret_old)
        ) p (field, part, sealed)
        where p.sealed is not null
          and substr(p.sealed, 2, 8) <> decode(:key::text, 'hex')
          and (w.company, w.id) >= (:company::uuid, :id::uuid)
          and (w.company, w.id, p.part) > (:company::uuid, :id::uuid, :part::integer)
        order by w.company, w.id, p.part
        limit 50
    )
) s
order by s.company, s.id, s.part
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

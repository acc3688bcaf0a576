-- Secrets that are kept readable are sealed by a key of nginx's
-- (ezw_seal_key_file): a version byte, eight bytes that name the key, the rest.
-- When the file has a new first key, the module seals them anew.

-- sealed_stale
create index api_key_sealed on ezw.api_key (company, id)
where cipher_key is not null;

-- Replaces a sealed secret that is still the one that was read; true when it
-- is the new one afterwards.
create function ezw.sealed_renew(a_company uuid, a_field text, a_id uuid, a_old bytea, a_new bytea)
returns boolean
language plpgsql
as $$
begin
    case a_field
        when 'cipherKey' then
            update ezw.api_key k
            set cipher_key = a_new
            where k.company = a_company
              and k.id = a_id
              and k.cipher_key = a_old;

            return found or exists (
                select
                from ezw.api_key k
                where k.company = a_company
                  and k.id = a_id
                  and k.cipher_key = a_new
            );
    end case;
end
$$;

revoke all on function ezw.sealed_renew(uuid, text, uuid, bytea, bytea) from public;
grant execute on function ezw.sealed_renew(uuid, text, uuid, bytea, bytea) to ezw_runtime;

-- Templates of a WhatsApp channel, which the sandbox keeps itself.

-- name: template_create
-- Refusals: not_found, channel_ended, duplicate, category_differs,
-- templates_full. Again with the same :id.audit: the same answer, nothing
-- written.
select ezw.template_create(
    :company::uuid,
    :path.channelJid::text,
    :id.template::uuid,
    :body.name::text,
    :body.language::text,
    :body.category::text,
    :body.components::json,
    :body.components.parameters::json,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

-- name: template_list
-- One object, not a list: the document has all of them in it.
select
    ezw.template_namespace(h.id) as namespace,
    ezw.templates(:company::uuid, h.id) as templates
from ezw.channel h
where h.company = :company::uuid
  and h.jid = :path.channelJid::text
  and h.domain = 'whatsapp';

-- name: template_delete
-- Refusal: not_found. Again with the same :id.audit: the same answer, nothing
-- written.
select ezw.template_delete(
    :company::uuid,
    :path.channelJid::text,
    :path.name::text,
    :id.audit::uuid,
    :key.actor::text,
    :address::text,
    :trace::text
) as refusal;

-- name: template_status
-- For connectors: what the platform says of a template; :id, where it is not
-- null, is the one that is meant. changed is false when it was known. Refusal:
-- not_found.
select
    u.refusal,
    u.changed
from ezw.template_status(
    :company::uuid,
    :channel::text,
    :name::text,
    :language::text,
    :id::uuid,
    :status::text,
    :reason::text
) u;

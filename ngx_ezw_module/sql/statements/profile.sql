-- The WhatsApp Business profile of a channel, which the sandbox keeps itself.

-- name: profile_get
select
    p.about,
    p.address as "businessProfile.address",
    p.description as "businessProfile.description",
    p.email as "businessProfile.email",
    p.vertical as "businessProfile.vertical",
    coalesce(p.websites, '{}') as "businessProfile.websites",
    c.name,
    ezw.jid_phone(h.jid) as "phoneNumber",
    p.picture_url as "pictureUrl"
from ezw.channel h
join ezw.company c
  on c.id = h.company
left join ezw.profile p
  on p.company = h.company
 and p.channel = h.id
where h.company = :company::uuid
  and h.jid = :path.channelJid::text
  and h.domain = 'whatsapp';

-- name: profile_replace
-- What is not given is no more, but for the picture. Refusal: not_found.
select
    u.refusal,
    u.about,
    u.address as "businessProfile.address",
    u.description as "businessProfile.description",
    u.email as "businessProfile.email",
    u.vertical as "businessProfile.vertical",
    u.websites as "businessProfile.websites"
from ezw.profile_update(
    :company::uuid,
    :path.channelJid::text,
    true,
    :body.about::text,
    true,
    :body.businessProfile.address::text,
    true,
    :body.businessProfile.description::text,
    true,
    :body.businessProfile.email::text,
    true,
    :body.businessProfile.vertical::text,
    true,
    :body.businessProfile.websites::json,
    :has.body.pictureUrl::boolean,
    :body.pictureUrl::text
) u;

-- name: profile_update
-- What is not given stays. Refusal: not_found.
select
    u.refusal,
    u.about,
    u.address as "businessProfile.address",
    u.description as "businessProfile.description",
    u.email as "businessProfile.email",
    u.vertical as "businessProfile.vertical",
    u.websites as "businessProfile.websites"
from ezw.profile_update(
    :company::uuid,
    :path.channelJid::text,
    :has.body.about::boolean,
    :body.about::text,
    :has.body.businessProfile.address::boolean,
    :body.businessProfile.address::text,
    :has.body.businessProfile.description::boolean,
    :body.businessProfile.description::text,
    :has.body.businessProfile.email::boolean,
    :body.businessProfile.email::text,
    :has.body.businessProfile.vertical::boolean,
    :body.businessProfile.vertical::text,
    :has.body.businessProfile.websites::boolean,
    :body.businessProfile.websites::json,
    :has.body.pictureUrl::boolean,
    :body.pictureUrl::text
) u;

-- Who a person is: what a connector calls when the platform tells it names of
-- one, apart from a message (those come with it: message_receive).

-- name: contact_pair
-- The names are one person's: a LID that was resolved, a BSUID and a phone.
-- :aliases is [{"kind":"phone|bsuid|parent_bsuid|lid","value":".."}]. Contacts
-- that have them become one; none is made. jid is the contact's, or null.
-- Refusal: not_found. Again: the same answer, nothing written.
select
    u.refusal,
    u.jid
from ezw.contact_pair(
    :company::uuid,
    :channel::text,
    :aliases::json,
    false
) u;

-- name: contact_rebind
-- The person has another name now (a new phone, a new BSUID): the first of
-- :aliases is the new one, those behind it the old ones, which go on to
-- answer. A phone becomes the contact's JID.
select
    u.refusal,
    u.jid
from ezw.contact_pair(
    :company::uuid,
    :channel::text,
    :aliases::json,
    true
) u;

-- Signing in, staying in and leaving; passwords; sign-up. All but the look-ups
-- and session_current write, and take a user's row first: they go alone.

-- name: session_principal
-- The principal of an ID token's session and the change sequence of the same
-- snapshot: one row always, with a null id for a session that is not there.
-- active: the user, the membership and the session are.
select
    s.id,
    s.user_id,
    s.company,
    s.family,
    w.role,
    w.version as mv,
    w.email,
    w.display_name,
    w.can_view,
    w.can_send,
    w.billing_state,
    w.operators_see_all,
    w.company_active,
    w.active and s.revoked_at is null as active,
    s.expires_at,
    n.seq
from ezw.change_counter n
left join ezw.session s
  on s.id = :sid::uuid
left join ezw.member_shape w
  on w.company = s.company
 and w.user_id = s.user_id;

-- name: external_principal
-- The same for a token of an outside issuer, whose id is the identity's: null
-- for one that no user is bound to. May bind one: it writes.
select
    p.id,
    p.user_id,
    p.company,
    p.family,
    p.role,
    p.mv,
    p.email,
    p.display_name,
    p.can_view,
    p.can_send,
    p.billing_state,
    p.operators_see_all,
    p.company_active,
    p.active,
    p.expires_at,
    p.seq
from ezw.external_principal(
    :issuer::text,
    :subject::text,
    :email::text,
    :verified::boolean
) p;

-- name: login_user
-- Whose password is to be checked: one row always, of nulls for an e-mail
-- address that cannot sign in. password_hash alone is null for a user who has
-- none; password_version goes back into login.
select
    f.user_id,
    f.company,
    f.password_hash,
    f.password_version
from (select lower(:body.email::text) as email) e
left join lateral (
    select
        u.id as user_id,
        m.company,
        u.password_hash,
        u.password_version
    from ezw.app_user u
    join ezw.membership m
      on m.user_id = u.id
     and m.company = coalesce(:body.organizationId::uuid, ezw.company_recent(u.id))
    where u.email = e.email
      and u.enabled
      and m.status = 'active'
) f on true;

-- name: login
-- After the password has been found right. Refusal: unauthenticated. Again
-- with the same :id.session: the same answer, nothing written.
select
    u.refusal,
    u.company as "@company",
    u.user_id as "@user",
    u.session as "@session",
    u.role as "@role",
    u.mv as "@mv",
    3600 as "expiresIn",
    null::text as "idToken:secret",
    u.company as "organization.id",
    u.company_name as "organization.name",
    null::text as "refreshToken:secret",
    u.role,
    'Bearer'::text as "tokenType",
    u.display_name as "user.displayName",
    u.email as "user.email",
    u.user_id as "user.id"
from ezw.login(
    :lookup.company::uuid,
    :lookup.user_id::uuid,
    :lookup.password_version::integer,
    :password.hash::text,
    :id.session::uuid,
    decode(:secret.refreshToken.hash::text, 'hex'),
    :address::text,
    :agent::text,
    :id.audit::uuid,
    :trace::text
) u;

-- name: login_failed
-- After it has been found wrong, or nobody was found: unauthenticated always.
select ezw.login_failed(
    :lookup.company::uuid,
    :lookup.user_id::uuid,
    :id.audit::uuid,
    :address::text,
    :trace::text
) as refusal;

-- name: session_refresh
-- Refusal: unauthenticated, which ends the family of a token that was spent
-- before. Again with the same :id.session: the same answer, nothing written.
select
    u.refusal,
    u.company as "@company",
    u.user_id as "@user",
    u.session as "@session",
    u.role as "@role",
    u.mv as "@mv",
    3600 as "expiresIn",
    null::text as "idToken:secret",
    u.company as "organization.id",
    u.company_name as "organization.name",
    null::text as "refreshToken:secret",
    u.role,
    'Bearer'::text as "tokenType",
    u.display_name as "user.displayName",
    u.email as "user.email",
    u.user_id as "user.id"
from ezw.session_refresh(
    decode(:hash.refreshToken::text, 'hex'),
    :body.organizationId::uuid,
    :id.session::uuid,
    decode(:secret.refreshToken.hash::text, 'hex'),
    :address::text,
    :agent::text,
    :id.audit::uuid,
    :trace::text
) u;

-- name: session_current
select
    :token.expires::timestamptz as "expiresAt",
    w.billing_state as "principal.billingState",
    w.display_name as "principal.displayName",
    w.email as "principal.email",
    w.can_send as "principal.linePermissionsDefault.canSend",
    w.can_view as "principal.linePermissionsDefault.canView",
    w.company as "principal.organizationId",
    w.role as "principal.role",
    w.user_id as "principal.userId"
from ezw.member_shape w
where w.company = :company::uuid
  and w.user_id = :user.id::uuid;

-- name: session_logout
select ezw.session_logout(
    :company::uuid,
    :user.id::uuid,
    :session.id::uuid,
    :id.audit::uuid,
    :address::text,
    :trace::text
) as refusal;

-- name: password_user
-- Of whoever is signed in: one row always; null for a user who has none.
select
    u.password_hash,
    u.password_version
from (select :user.id::uuid as id) i
left join ezw.app_user u
  on u.id = i.id;

-- name: password_change
-- After the old one has been found right. Refusal: unauthenticated, when it
-- has been changed meanwhile.
select ezw.password_change(
    :company::uuid,
    :user.id::uuid,
    :session.id::uuid,
    :lookup.password_version::integer,
    :password.hash::text,
    :id.audit::uuid,
    :address::text,
    :trace::text
) as refusal;

-- name: password_reset
-- With a token: a new password for it; refusal: token_invalid. With an e-mail
-- address: notes that one is wanted, the same answer whoever asks for whom.
select
    case
        when :body.token::text is null
        then ezw.password_reset_request(
            :body.email::text,
            :id.audit::uuid,
            :address::text,
            :trace::text
        )
        else ezw.password_reset(
            decode(:hash.token::text, 'hex'),
            :password.hash::text,
            :id.audit::uuid,
            :address::text,
            :trace::text
        )
    end as refusal;

-- name: signup
-- Refusals: timezone_unknown, duplicate. Again with the same :id.user and
-- :id.company: the same answer, nothing written.
select
    u.refusal,
    u.checkout_url as "billing.checkoutUrl",
    u.billing_state as "billing.state",
    u.line_slots as "lineSlots.allocated",
    0 as "lineSlots.used",
    u.company as "organization.id",
    u.company_name as "organization.name",
    'pending_billing'::text as "organization.status",
    u.display_name as "owner.displayName",
    u.email as "owner.email",
    u.user_id as "owner.id",
    u.role as "owner.role"
from ezw.signup(
    :id.company::uuid,
    :body.organizationName::text,
    :body.timezone::text,
    :body.lineSlots::integer,
    :id.user::uuid,
    :body.ownerName::text,
    :body.email::text,
    :password.hash::text,
    :id.audit::uuid,
    :address::text,
    :trace::text
) u;

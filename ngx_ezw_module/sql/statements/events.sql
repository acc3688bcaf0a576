-- The event log's reader. A position is (xid, seq), read below the oldest
-- transaction still open, so that no slow writer's event is passed over.

-- name: events_after
-- The next :limit events after (:xid, :seq), for every company; older than
-- the log's day they are not told any more.
select
    e.xid::text::int8 as xid,
    e.seq,
    e.company,
    e.kind,
    e.channel,
    e.conversation,
    e.contact,
    encode(e.message, 'hex') as message,
    e.version,
    e.payload,
    e.created_at as at
from ezw.event e
where e.xid < pg_snapshot_xmin(pg_current_snapshot())
  and (e.xid, e.seq) > (:xid::text::xid8, :seq::int8)
  and e.created_at > now() - interval '25 hours'
order by e.xid, e.seq
limit :limit::integer;

-- name: event_position
-- Where a reader begins that wants only what comes from now on. A position
-- of another epoch means nothing any more.
select
    d.epoch,
    pg_snapshot_xmin(pg_current_snapshot())::text::int8 as xid,
    0::int8 as seq
from ezw.deployment d;

-- name: event_epoch
-- The epoch; raised here when the cluster's transaction ids went back.
select ezw.event_epoch() as epoch;

-- name: event_envelope
-- An event as webhooks are told of it: which of their events it is, and the
-- bytes of the body. No row: it is gone, or they are told nothing of it.
select
    n.event,
    n.channel,
    n.document
from ezw.event_envelope(
    :company::uuid,
    :at::timestamptz,
    :seq::int8
) n
where n.event is not null;

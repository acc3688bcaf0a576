-- The couriers' queue of connector commands, in order within a conversation:
-- only its first row can be claimed. due_at is when a row may be claimed; a
-- claim moves it to the lease's end, so a dead worker's rows come due again.
-- The couriers work for every company.

-- name: outbox_claim
-- At most :limit rows for :worker, whose lease ends in :lease_seconds.
with head as (
    select o.ctid as place
    from ezw.outbox o
    where o.due_at <= now()
      and not exists (
        select
        from ezw.outbox p
        where p.company = o.company
          and p.conversation = o.conversation
          and p.seq < o.seq
      )
    order by o.due_at
    limit :limit::integer
    for update of o skip locked
), mine as (
    -- by their places, which the locks hold: joined by the key, a planner that
    -- cannot know :limit reads the whole queue
    update ezw.outbox o
    set
        due_at = clock_timestamp()
            + make_interval(secs => :lease_seconds::integer),
        claimed_by = :worker::text,
        attempts = o.attempts + 1
    where o.ctid = any (array(
        select head.place
        from head
    ))
    returning
        o.company,
        o.conversation,
        o.seq,
        o.channel,
        o.kind,
        o.message_at,
        o.payload,
        o.attempts
)
select
    q.company,
    q.conversation,
    q.seq,
    h.jid as channel,
    h.connector,
    v.contact_jid as contact,
    q.kind,
    encode(m.id, 'hex') as message,
    m.type,
    m.sender_type as sender,
    coalesce(m.body, q.payload) as body,
    q.attempts
from mine q
join ezw.channel h
  on h.company = q.company
 and h.id = q.channel
left join ezw.conversation v
  on v.company = q.company
 and v.id = q.conversation
left join ezw.message m
  on m.company = q.company
 and m.conversation = q.conversation
 and m.created_at = q.message_at
 and m.seq = q.seq
order by q.company, q.conversation;

-- name: outbox_next_due
-- Milliseconds until a row can be claimed (0: now); null: the queue is empty.
select (
    select greatest(0, ceil(extract(epoch from o.due_at - clock_timestamp()) * 1000))::int8
    from ezw.outbox o
    where not exists (
        select
        from ezw.outbox p
        where p.company = o.company
          and p.conversation = o.conversation
          and p.seq < o.seq
    )
    order by o.due_at
    limit 1
) as ms;

-- name: outbox_done
-- done is false when the claim is no longer :worker's.
select ezw.outbox_done(
    :company::uuid,
    :conversation::uuid,
    :seq::int8,
    :worker::text
) as done;

-- name: outbox_retry
-- The row comes due again in :delay_ms, and with it those behind it.
select ezw.outbox_retry(
    :company::uuid,
    :conversation::uuid,
    :seq::int8,
    :worker::text,
    :delay_ms::int8,
    :error::text
) as retried;

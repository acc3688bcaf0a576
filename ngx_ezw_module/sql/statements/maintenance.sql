-- What the couriers do in the background, for every company.

-- name: partitions_ensure
-- Makes the partitions of the months around now that are missing.
select ezw.partitions_ensure(2) as made;

-- name: sweep
-- Removes at most :limit rows of each kind that are past their time; call
-- again while the answer is :limit or more.
select ezw.sweep(:limit::integer) as swept;

-- name: erasure_next
-- One step, at most :limit rows, of what is left of an erased contact. While
-- looked is 1 there may be more.
select ezw.erasure_next(:limit::integer) as looked;

-- name: merge_next
-- The same of two contacts that have become one.
select ezw.merge_next(:limit::integer) as looked;

-- name: purge_begin
-- Begins to purge each channel that has messages past its retention.
select ezw.purge_begin() as begun;

-- name: purge_next
-- One step of that, at most :limit rows. While looked is 1 there may be more.
select ezw.purge_next(:limit::integer) as looked;

-- name: partitions_drop
-- Drops a month that nobody needs any more; call again while dropped is 1.
select ezw.partitions_drop() as dropped;

-- name: detach_next
-- One step, at most :limit conversations, of what is left of a disabled or
-- deleted assistant, a deleted label or team. While looked is 1 there may be
-- more.
select ezw.detach_next(:limit::integer) as looked;

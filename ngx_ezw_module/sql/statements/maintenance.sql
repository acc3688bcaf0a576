-- What the couriers do in the background, for every company.

-- name: partitions_ensure
-- Makes the partitions of the months around now that are missing.
select ezw.partitions_ensure(2) as made;

-- name: sweep
-- Removes at most :limit rows of each kind that are past their time; call
-- again while the answer is :limit or more.
select ezw.sweep(:limit::integer) as swept;

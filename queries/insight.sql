-- name: Neighbours :many
SELECT o.gid, COUNT(*) AS shared
FROM memberships e CROSS JOIN memberships o
WHERE e.gid = @gid AND o.member_id = e.member_id GROUP BY o.gid;

-- name: SharedGroups :many
SELECT g.*
FROM memberships one CROSS JOIN memberships other CROSS JOIN present_groups g
WHERE one.member_id = @one AND other.gid = one.gid AND other.member_id = @other AND g.gid = one.gid;

-- name: EdgesAt :many
SELECT e.gid, e.member_id FROM memberships e WHERE e.since <= @horizon
UNION ALL
SELECT p.gid, p.member_id FROM past_memberships p WHERE p.until > 0 AND p.until > @horizon AND p.since <= @horizon;

-- name: MembersInNoGroup :many
SELECT id FROM members WHERE group_count = 0 AND id > @after ORDER BY id LIMIT +@page_size;

-- name: CountInNoGroup :one
SELECT COUNT(*) FROM (SELECT id FROM members WHERE group_count = 0 LIMIT +@most) AS some;

-- name: GroupsOfSize :many
SELECT gid FROM groups WHERE member_count >= @min_members LIMIT +@most;

-- name: EmptyGroups :many
SELECT gid FROM groups WHERE member_count = 0 AND guest_count = 0 LIMIT +@most;

-- name: CountGroupsAt :one
SELECT COUNT(*) AS n, CAST(COALESCE(SUM(g.member_count), 0) AS INTEGER) AS member_count, CAST(COALESCE(SUM(g.guest_count), 0) AS INTEGER) AS guest_count
FROM group_versions g WHERE g.since <= @horizon AND +g.until > @horizon;

-- name: CountMembersAt :one
SELECT COUNT(*) FROM member_versions m WHERE m.since <= @horizon AND +m.until > @horizon;

-- name: CountEdgesOfMembers :one
SELECT CAST(COALESCE(SUM(m.group_count), 0) AS INTEGER) FROM members m
WHERE (CAST(@status AS TEXT) = '' OR m.status = @status) AND (CAST(@role AS TEXT) = '' OR m.role = @role)
    AND (CAST(@domain AS TEXT) = '' OR m.domain = @domain);

-- Who and what was otherwise at a past state, or not there yet; some come more
-- than once.

-- name: MembersChangedSince :many
SELECT p.id FROM past_members p
WHERE p.until > 0 AND p.until > @horizon AND p.since <= @horizon LIMIT +@most;

-- name: MembersWhoJoinedSince :many
SELECT e.member_id FROM memberships e
WHERE e.since > 1 AND e.since > @horizon LIMIT +@most;

-- name: GroupsChangedSince :many
SELECT p.gid FROM past_groups p
WHERE p.until > 0 AND p.until > @horizon AND p.since <= @horizon LIMIT +@most;

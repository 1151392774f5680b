-- name: MembersInNoGroup :many
SELECT id FROM members WHERE group_count = 0 AND id > @after ORDER BY id LIMIT @page_size;

-- name: MembersOfStatus :many
SELECT id FROM members WHERE status = @status AND id > @after ORDER BY id LIMIT @page_size;

-- name: MembersOfRole :many
SELECT id FROM members WHERE role = @role AND id > @after ORDER BY id LIMIT @page_size;

-- name: MembersOfDomain :many
SELECT id FROM members WHERE domain = @domain AND id > @after ORDER BY id LIMIT @page_size;

-- name: CountInNoGroup :one
SELECT COUNT(*) FROM (SELECT id FROM members WHERE group_count = 0 LIMIT @most) AS some;

-- name: CountOfStatus :one
SELECT COUNT(*) FROM (SELECT id FROM members WHERE status = @status LIMIT @most) AS some;

-- name: CountOfRole :one
SELECT COUNT(*) FROM (SELECT id FROM members WHERE role = @role LIMIT @most) AS some;

-- name: CountOfDomain :one
SELECT COUNT(*) FROM (SELECT id FROM members WHERE domain = @domain LIMIT @most) AS some;

-- name: GroupsOfSize :many
SELECT gid FROM groups WHERE member_count >= @min_members LIMIT @most;

-- name: EmptyGroups :many
SELECT gid FROM groups WHERE member_count = 0 AND guest_count = 0 LIMIT @most;

-- name: GuestsOfDomain :many
SELECT guest_id FROM guests WHERE domain = @domain LIMIT @most;

-- name: CountGroupsAt :one
SELECT COUNT(*) AS n, CAST(COALESCE(SUM(g.member_count), 0) AS INTEGER) AS member_count, CAST(COALESCE(SUM(g.guest_count), 0) AS INTEGER) AS guest_count
FROM group_versions g WHERE g.since <= @horizon AND g.until > @horizon;

-- name: CountMembersAt :one
SELECT COUNT(*) FROM member_versions m WHERE m.since <= @horizon AND m.until > @horizon;

-- name: CountEdgesOfMembers :one
SELECT CAST(COALESCE(SUM(m.group_count), 0) AS INTEGER) FROM members m
WHERE (CAST(@status AS TEXT) = '' OR m.status = @status) AND (CAST(@role AS TEXT) = '' OR m.role = @role)
    AND (CAST(@domain AS TEXT) = '' OR m.domain = @domain);

-- name: CountEdgesOfGuests :one
SELECT COUNT(*) FROM guests p CROSS JOIN guest_memberships e WHERE p.domain = @domain AND e.guest_id = p.guest_id;

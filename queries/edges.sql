-- A statement is planned anew each time it runs if its plan may depend on what
-- is bound to it. Hence, everywhere, the plus in LIMIT +@size and, where an
-- index has until > 0 for a condition, in +until > @horizon; and conditions of
-- such indexes come before what resembles them.

-- name: MemberIDs :many
SELECT member_id FROM memberships WHERE gid = @gid ORDER BY member_id;

-- name: MemberEdges :many
SELECT member_id, since FROM memberships WHERE gid = @gid AND member_id > @after
ORDER BY member_id LIMIT +@page_size;

-- name: MemberEdgesByName :many
SELECT e.member_id, e.since
FROM members m CROSS JOIN memberships e
WHERE e.gid = @gid AND e.member_id = m.id AND m.name_key >= @after_key AND (m.name_key > @after_key OR m.id > @after_id)
ORDER BY m.name_key, m.id LIMIT +@page_size;

-- name: MemberEdgesByNameDown :many
SELECT e.member_id, e.since
FROM members m CROSS JOIN memberships e
WHERE e.gid = @gid AND e.member_id = m.id AND m.name_key <= @after_key AND (m.name_key < @after_key OR m.id < @after_id)
ORDER BY m.name_key DESC, m.id DESC LIMIT +@page_size;

-- name: StrangerEdges :many
SELECT e.member_id, e.since
FROM strangers s CROSS JOIN memberships e
WHERE e.gid = @gid AND e.member_id = s.member_id
ORDER BY s.member_id;

-- name: GroupsOfMember :many
SELECT g.gid, g.id, g.name, g.name_key, g.description, g.logo, g.version, g.member_count, g.guest_count,
       g.created_ms, g.updated_ms, g.churned, c.not_before_ms, c.not_after_ms
FROM memberships e CROSS JOIN groups g CROSS JOIN changesets c
WHERE e.member_id = @member_id AND g.gid = e.gid AND c.id = e.since;

-- name: GuestEdges :many
SELECT p.email, p.email_key, e.since
FROM guest_memberships e CROSS JOIN guests p
WHERE e.gid = @gid AND p.guest_id = e.guest_id;

-- name: Guest :one
SELECT * FROM guests WHERE email_key = @email_key;

-- name: InsertGuest :one
INSERT INTO guests (email_key, email) VALUES (@email_key, @email) RETURNING guest_id;

-- name: GroupsOfGuest :many
SELECT g.gid, g.id, g.name, g.name_key, g.description, g.logo, g.version, g.member_count, g.guest_count,
       g.created_ms, g.updated_ms, g.churned, c.not_before_ms, c.not_after_ms
FROM guest_memberships e CROSS JOIN groups g CROSS JOIN changesets c
WHERE e.guest_id = @guest_id AND g.gid = e.gid AND c.id = e.since;

-- name: CloseMembersOfGroup :exec
INSERT INTO past_memberships (gid, member_id, since, until)
SELECT e.gid, e.member_id, e.since, @until FROM memberships e WHERE e.gid = @gid;

-- name: DeleteMembersOfGroup :exec
DELETE FROM memberships WHERE gid = @gid;

-- name: CloseGuestsOfGroup :exec
INSERT INTO past_guest_memberships (gid, guest_id, since, until)
SELECT e.gid, e.guest_id, e.since, @until FROM guest_memberships e WHERE e.gid = @gid;

-- name: DeleteGuestsOfGroup :exec
DELETE FROM guest_memberships WHERE gid = @gid;

-- name: MemberIDsAt :many
SELECT member_id FROM membership_versions WHERE gid = @gid AND since <= @horizon AND +until > @horizon
ORDER BY member_id;

-- name: MemberEdgesAt :many
SELECT member_id, since FROM membership_versions
WHERE gid = @gid AND since <= @horizon AND +until > @horizon AND member_id > @after
ORDER BY member_id LIMIT +@page_size;

-- name: StrangerEdgesAt :many
SELECT e.member_id, e.since FROM membership_versions e
WHERE e.gid = @gid AND e.since <= @horizon AND +e.until > @horizon
    AND NOT EXISTS (SELECT 1 FROM members m WHERE m.id = e.member_id AND m.since <= @horizon)
    AND NOT EXISTS (SELECT 1 FROM past_members m WHERE m.id = e.member_id AND m.since <= @horizon AND +m.until > @horizon);

-- name: GroupEdgesOfMemberAt :many
SELECT gid, since FROM membership_versions
WHERE member_id = @member_id AND since <= @horizon AND +until > @horizon;

-- name: GroupsOfMemberAt :many
-- Without an end, whose second bound is 0 then, they are in the group still.
WITH stays AS (
    SELECT e.gid, c.not_before_ms, c.not_after_ms, u.not_before_ms AS end_not_before_ms, u.not_after_ms AS end_not_after_ms
    FROM past_memberships e CROSS JOIN changesets c CROSS JOIN changesets u
    WHERE e.member_id = @member_id AND e.since <= @horizon AND +e.until > @horizon AND c.id = e.since AND u.id = e.until
    UNION ALL
    SELECT e.gid, c.not_before_ms, c.not_after_ms, NULL, 0
    FROM memberships e CROSS JOIN changesets c
    WHERE e.member_id = @member_id AND e.since <= @horizon AND c.id = e.since
)
SELECT g.gid, g.id, g.name, g.name_key, g.description, g.logo, g.version, g.member_count, g.guest_count,
       g.created_ms, g.updated_ms, g.churned, s.not_before_ms, s.not_after_ms, s.end_not_before_ms, s.end_not_after_ms
FROM stays s CROSS JOIN groups g WHERE g.gid = s.gid AND g.since <= @horizon
UNION ALL
SELECT g.gid, g.id, g.name, g.name_key, g.description, g.logo, g.version, g.member_count, g.guest_count,
       g.created_ms, g.updated_ms, g.churned, s.not_before_ms, s.not_after_ms, s.end_not_before_ms, s.end_not_after_ms
FROM stays s CROSS JOIN past_groups g WHERE g.gid = s.gid AND g.since <= @horizon AND +g.until > @horizon;

-- name: GroupsOfGuestAt :many
-- Without an end, whose second bound is 0 then, they are in the group still.
WITH stays AS (
    SELECT e.gid, c.not_before_ms, c.not_after_ms, u.not_before_ms AS end_not_before_ms, u.not_after_ms AS end_not_after_ms
    FROM past_guest_memberships e CROSS JOIN changesets c CROSS JOIN changesets u
    WHERE e.guest_id = @guest_id AND e.since <= @horizon AND +e.until > @horizon AND c.id = e.since AND u.id = e.until
    UNION ALL
    SELECT e.gid, c.not_before_ms, c.not_after_ms, NULL, 0
    FROM guest_memberships e CROSS JOIN changesets c
    WHERE e.guest_id = @guest_id AND e.since <= @horizon AND c.id = e.since
)
SELECT g.gid, g.id, g.name, g.name_key, g.description, g.logo, g.version, g.member_count, g.guest_count,
       g.created_ms, g.updated_ms, g.churned, s.not_before_ms, s.not_after_ms, s.end_not_before_ms, s.end_not_after_ms
FROM stays s CROSS JOIN groups g WHERE g.gid = s.gid AND g.since <= @horizon
UNION ALL
SELECT g.gid, g.id, g.name, g.name_key, g.description, g.logo, g.version, g.member_count, g.guest_count,
       g.created_ms, g.updated_ms, g.churned, s.not_before_ms, s.not_after_ms, s.end_not_before_ms, s.end_not_after_ms
FROM stays s CROSS JOIN past_groups g WHERE g.gid = s.gid AND g.since <= @horizon AND +g.until > @horizon;

-- name: GuestEdgesAt :many
SELECT p.email, p.email_key, e.since
FROM guest_memberships e CROSS JOIN guests p
WHERE e.gid = @gid AND e.since <= @horizon AND p.guest_id = e.guest_id
UNION ALL
SELECT p.email, p.email_key, e.since
FROM past_guest_memberships e CROSS JOIN guests p
WHERE e.gid = @gid AND e.since <= @horizon AND +e.until > @horizon AND p.guest_id = e.guest_id;

-- name: GroupEdgesOfGuestAt :many
SELECT gid, since FROM guest_membership_versions
WHERE guest_id = @guest_id AND since <= @horizon AND +until > @horizon;

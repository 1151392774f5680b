-- name: Neighbours :many
SELECT o.gid, COUNT(*) AS shared
FROM memberships e CROSS JOIN memberships o
WHERE e.gid = @gid AND o.member_id = e.member_id GROUP BY o.gid;

-- name: SharedGroups :many
-- From the groups of the one who is in fewer.
SELECT g.gid, g.id, g.name, g.name_key, g.description, g.logo, g.version, g.member_count, g.guest_count,
       g.created_ms, g.updated_ms, g.churned
FROM (SELECT CASE WHEN a.group_count <= b.group_count THEN a.id ELSE b.id END AS few,
             CASE WHEN a.group_count <= b.group_count THEN b.id ELSE a.id END AS many
      FROM members a CROSS JOIN members b WHERE a.id = @one AND b.id = @other) p
CROSS JOIN memberships one CROSS JOIN memberships other CROSS JOIN groups g
WHERE one.member_id = p.few AND other.gid = one.gid AND other.member_id = p.many AND g.gid = one.gid;

-- name: EdgesAt :many
SELECT e.gid, e.member_id FROM memberships e WHERE e.since <= @horizon
UNION ALL
SELECT p.gid, p.member_id FROM past_memberships p WHERE p.until > 0 AND p.until > @horizon AND p.since <= @horizon;

-- name: DisabledInGroups :many
SELECT id, email FROM members
WHERE status = 'disabled' AND group_count > 0 AND id >= @first ORDER BY id LIMIT +@page_size;

-- name: DisabledInGroupsAt :many
SELECT v.id, v.email FROM member_versions v
WHERE v.status = 'disabled' AND v.since <= @horizon AND +v.until > @horizon AND v.id >= @first
    AND (EXISTS (SELECT 1 FROM memberships e WHERE e.member_id = v.id AND e.since <= @horizon)
      OR EXISTS (SELECT 1 FROM past_memberships p WHERE p.member_id = v.id AND p.since <= @horizon AND +p.until > @horizon))
ORDER BY v.id LIMIT +@page_size;

-- name: StrangersFrom :many
SELECT member_id FROM strangers WHERE member_id >= @first ORDER BY member_id LIMIT +@page_size;

-- Who was a stranger then is one still, or has become a member since, or has
-- left a group since. Some come more than once.
-- name: MaybeStrangersAt :many
SELECT s.member_id FROM strangers s WHERE s.member_id >= @first
UNION ALL
SELECT m.id FROM members m WHERE m.since > 1 AND m.since > @horizon AND m.id >= @first
UNION ALL
SELECT p.member_id FROM past_memberships p WHERE p.until > 0 AND p.until > @horizon AND p.member_id >= @first;

-- name: GroupsOfNobody :many
SELECT * FROM present_groups WHERE member_count = 0 AND guest_count = 0 AND id > @after ORDER BY id LIMIT +@page_size;

-- name: GroupsOfNobodyAt :many
SELECT * FROM group_versions
WHERE member_count = 0 AND guest_count = 0 AND since <= @horizon AND +until > @horizon AND id > @after
ORDER BY id LIMIT +@page_size;

-- name: GroupsOfOne :many
SELECT * FROM present_groups WHERE member_count + guest_count = 1 AND id > @after ORDER BY id LIMIT +@page_size;

-- name: GroupsOfOneAt :many
SELECT * FROM group_versions
WHERE member_count + guest_count = 1 AND since <= @horizon AND +until > @horizon AND id > @after
ORDER BY id LIMIT +@page_size;

-- name: Twins :many
SELECT g.* FROM present_groups g
WHERE (g.name_key, g.id) > (@after_key, @after_id)
    AND EXISTS (SELECT 1 FROM groups o WHERE o.name_key = g.name_key AND o.id <> g.id)
ORDER BY g.name_key, g.id LIMIT +@page_size;

-- name: TwinsAt :many
SELECT g.* FROM group_versions g
WHERE g.since <= @horizon AND +g.until > @horizon AND (g.name_key, g.id) > (@after_key, @after_id)
    AND (EXISTS (SELECT 1 FROM groups o WHERE o.name_key = g.name_key AND o.id <> g.id AND o.since <= @horizon)
      OR EXISTS (SELECT 1 FROM past_groups p WHERE p.name_key = g.name_key AND p.id <> g.id AND p.since <= @horizon AND +p.until > @horizon))
ORDER BY g.name_key, g.id LIMIT +@page_size;

-- Those in no group are few: the plus keeps the index of statuses out.
-- name: Idle :many
SELECT id, email, status FROM members
WHERE group_count = 0 AND +status = 'active' AND id > @after ORDER BY id LIMIT +@page_size;

-- name: IdleAt :many
SELECT v.id, v.email, v.status FROM member_versions v
WHERE +v.status = 'active' AND v.since <= @horizon AND +v.until > @horizon AND v.id > @after
    AND NOT EXISTS (SELECT 1 FROM memberships e WHERE e.member_id = v.id AND e.since <= @horizon)
    AND NOT EXISTS (SELECT 1 FROM past_memberships p WHERE p.member_id = v.id AND p.since <= @horizon AND +p.until > @horizon)
ORDER BY v.id LIMIT +@page_size;

-- name: NeverLoggedIn :many
SELECT id, email, status FROM members
WHERE last_login_ms IS NULL AND status <> 'disabled' AND id > @after ORDER BY id LIMIT +@page_size;

-- Of those who are still listed, as nothing else tells.
-- name: NeverLoggedInAt :many
SELECT v.id, v.email, v.status FROM member_versions v
WHERE v.status <> 'disabled' AND v.since <= @horizon AND +v.until > @horizon AND v.id > @after
    AND EXISTS (SELECT 1 FROM members m WHERE m.id = v.id AND m.last_login_ms IS NULL)
ORDER BY v.id LIMIT +@page_size;

-- name: CountFindings :one
SELECT
    CAST((SELECT COALESCE(SUM(m.group_count), 0) FROM members m WHERE m.status = 'disabled' AND m.group_count > 0) AS INTEGER) AS disabled_in_group,
    CAST((SELECT COALESCE(SUM(s.group_count), 0) FROM strangers s) AS INTEGER) AS dangling_id,
    CAST((SELECT COUNT(*) FROM groups g WHERE EXISTS (SELECT 1 FROM groups o WHERE o.name_key = g.name_key AND o.id <> g.id)) AS INTEGER) AS twin_names,
    CAST((SELECT COUNT(*) FROM groups g WHERE g.member_count = 0 AND g.guest_count = 0) AS INTEGER) AS empty_group,
    CAST((SELECT COUNT(*) FROM groups g WHERE g.member_count + g.guest_count = 1) AS INTEGER) AS one_person_group,
    CAST((SELECT COUNT(*) FROM members m WHERE m.group_count = 0 AND +m.status = 'active') AS INTEGER) AS in_no_group,
    CAST((SELECT COUNT(*) FROM members m WHERE m.last_login_ms IS NULL AND m.status <> 'disabled') AS INTEGER) AS never_logged_in;

-- Many at once. What only SQLite has stands here, too: sets of ids, texts and
-- pairs, which are '7,11', travel as one JSON array.

-- name: GroupsToCheck :many
SELECT g.gid, g.id, g.name, g.name_key, g.confirmed_ms, g.doubted
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN groups g WHERE g.id = j.value
UNION ALL
SELECT g.gid, g.id, g.name, g.name_key, g.confirmed_ms, g.doubted
FROM json_each(CAST(@name_keys AS TEXT)) j CROSS JOIN groups g WHERE g.name_key = j.value;

-- name: GroupsToCheckAt :many
SELECT v.gid, v.id, v.name, v.name_key, v.confirmed_ms, v.doubted FROM group_versions v
WHERE v.id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) AND v.since <= @horizon AND v.until > @horizon
UNION ALL
SELECT v.gid, v.id, v.name, v.name_key, v.confirmed_ms, v.doubted FROM group_versions v
WHERE v.name_key IN (SELECT value FROM json_each(CAST(@name_keys AS TEXT))) AND v.since <= @horizon AND v.until > @horizon;

-- name: MembersToCheck :many
SELECT m.id, m.email_key, m.status, m.confirmed_ms, m.doubted
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN members m WHERE m.id = j.value
UNION ALL
SELECT m.id, m.email_key, m.status, m.confirmed_ms, m.doubted
FROM json_each(CAST(@email_keys AS TEXT)) j CROSS JOIN members m WHERE m.email_key = j.value;

-- name: MembersToCheckAt :many
SELECT v.id, v.email_key, v.status, v.confirmed_ms, v.doubted FROM member_versions v
WHERE v.id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) AND v.since <= @horizon AND v.until > @horizon
UNION ALL
SELECT v.id, v.email_key, v.status, v.confirmed_ms, v.doubted FROM member_versions v
WHERE v.email_key IN (SELECT value FROM json_each(CAST(@email_keys AS TEXT))) AND v.since <= @horizon AND v.until > @horizon;

-- name: GuestsToCheck :many
SELECT p.guest_id, p.email_key
FROM json_each(CAST(@email_keys AS TEXT)) j CROSS JOIN guests p WHERE p.email_key = j.value;

-- name: EdgesToCheck :many
SELECT e.gid, e.member_id
FROM json_each(CAST(@pairs AS TEXT)) j CROSS JOIN memberships e
WHERE e.gid = CAST(j.value AS INTEGER) AND e.member_id = CAST(substr(j.value, instr(j.value, ',') + 1) AS INTEGER);

-- name: EdgesToCheckAt :many
SELECT e.gid, e.member_id
FROM json_each(CAST(@pairs AS TEXT)) j CROSS JOIN memberships e
WHERE e.gid = CAST(j.value AS INTEGER) AND e.member_id = CAST(substr(j.value, instr(j.value, ',') + 1) AS INTEGER) AND e.since <= @horizon
UNION ALL
SELECT e.gid, e.member_id
FROM json_each(CAST(@pairs AS TEXT)) j CROSS JOIN past_memberships e
WHERE e.gid = CAST(j.value AS INTEGER) AND e.member_id = CAST(substr(j.value, instr(j.value, ',') + 1) AS INTEGER) AND e.since <= @horizon AND e.until > @horizon;

-- name: GuestEdgesToCheckAt :many
SELECT e.gid, e.guest_id
FROM json_each(CAST(@pairs AS TEXT)) j CROSS JOIN guest_memberships e
WHERE e.gid = CAST(j.value AS INTEGER) AND e.guest_id = CAST(substr(j.value, instr(j.value, ',') + 1) AS INTEGER) AND e.since <= @horizon
UNION ALL
SELECT e.gid, e.guest_id
FROM json_each(CAST(@pairs AS TEXT)) j CROSS JOIN past_guest_memberships e
WHERE e.gid = CAST(j.value AS INTEGER) AND e.guest_id = CAST(substr(j.value, instr(j.value, ',') + 1) AS INTEGER) AND e.since <= @horizon AND e.until > @horizon;

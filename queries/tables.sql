-- What exports read, in chunks. Only SQLite has group_concat under this name.

-- name: PackedMemberEdges :one
SELECT CAST(COALESCE(GROUP_CONCAT(e.member_id), '') AS TEXT) AS ids,
       CAST(COALESCE(GROUP_CONCAT(e.since), '') AS TEXT) AS sinces
FROM (SELECT member_id, since FROM memberships WHERE gid = @gid AND member_id > @after
      ORDER BY member_id LIMIT +@page_size) e;

-- A group of any time under its last name up to a horizon, empty where it came
-- later.

-- name: GroupsEver :many
SELECT k.gid, k.id, CAST(COALESCE(
    (SELECT g.name FROM groups g WHERE g.gid = k.gid AND g.since <= @horizon),
    (SELECT p.name FROM past_groups p WHERE p.gid = k.gid AND p.since <= @horizon ORDER BY p.since DESC LIMIT 1),
    '') AS TEXT) AS name
FROM group_keys k WHERE k.id > @after ORDER BY k.id LIMIT +@page_size;

-- name: PackedStaysOfGroup :one
SELECT CAST(COALESCE(GROUP_CONCAT(e.member_id), '') AS TEXT) AS ids,
       CAST(COALESCE(GROUP_CONCAT(e.since), '') AS TEXT) AS sinces,
       CAST(COALESCE(GROUP_CONCAT(e.until), '') AS TEXT) AS untils
FROM (SELECT member_id, since, until FROM membership_versions
      WHERE gid = @gid AND since <= @horizon AND (member_id, since) > (@after_id, @after_since)
      ORDER BY member_id, since LIMIT +@page_size) e;

-- name: GuestStaysOfGroup :many
SELECT p.email, p.email_key, e.since, CAST(9223372036854775807 AS INTEGER) AS until
FROM guest_memberships e CROSS JOIN guests p
WHERE e.gid = @gid AND e.since <= @horizon AND p.guest_id = e.guest_id
UNION ALL
SELECT p.email, p.email_key, e.since, e.until
FROM past_guest_memberships e CROSS JOIN guests p
WHERE e.gid = @gid AND e.since <= @horizon AND p.guest_id = e.guest_id;

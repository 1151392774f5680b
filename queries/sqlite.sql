-- What only SQLite has stands here: sets of ids, of texts and of pairs, which
-- are written as 7,11, travel as one JSON array.

-- name: InsertMemberEdges :exec
INSERT INTO memberships (gid, member_id, since)
SELECT CAST(@gid AS INTEGER), value, CAST(@since AS INTEGER) FROM json_each(CAST(@ids AS TEXT));

-- name: CloseMemberEdges :exec
INSERT INTO past_memberships (gid, member_id, since, until)
SELECT e.gid, e.member_id, e.since, CAST(@until AS INTEGER) FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN memberships e
WHERE e.gid = @gid AND e.member_id = j.value;

-- name: DeleteMemberEdges :exec
DELETE FROM memberships
WHERE gid = @gid AND member_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- name: InsertGuestEdges :exec
INSERT INTO guest_memberships (gid, guest_id, since)
SELECT CAST(@gid AS INTEGER), value, CAST(@since AS INTEGER) FROM json_each(CAST(@ids AS TEXT));

-- name: CloseGuestEdges :exec
INSERT INTO past_guest_memberships (gid, guest_id, since, until)
SELECT e.gid, e.guest_id, e.since, CAST(@until AS INTEGER) FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN guest_memberships e
WHERE e.gid = @gid AND e.guest_id = j.value;

-- name: DeleteGuestEdges :exec
DELETE FROM guest_memberships
WHERE gid = @gid AND guest_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- name: MembersOf :many
SELECT m.id, m.email, m.full_name, m.name_key, m.role, m.status
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN members m WHERE m.id = j.value;

-- name: MembersOfAt :many
SELECT id, email, full_name, name_key, role, status FROM member_versions
WHERE id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) AND since <= @horizon AND +until > @horizon;

-- name: MemberEdgesOfAt :many
SELECT member_id, since FROM membership_versions
WHERE gid = @gid AND member_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)))
    AND since <= @horizon AND +until > @horizon;

-- name: GroupsOfAt :many
SELECT * FROM group_versions
WHERE gid IN (SELECT value FROM json_each(CAST(@gids AS TEXT))) AND since <= @horizon AND +until > @horizon;

-- name: GroupCountsAt :many
SELECT e.member_id, COUNT(*) AS group_count
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN memberships e
WHERE e.member_id = j.value AND e.since <= @horizon GROUP BY e.member_id
UNION ALL
SELECT e.member_id, COUNT(*)
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN past_memberships e
WHERE e.member_id = j.value AND e.since <= @horizon AND +e.until > @horizon GROUP BY e.member_id;

-- name: BoundsOf :many
SELECT c.id, c.not_before_ms, c.not_after_ms
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN changesets c WHERE c.id = j.value;

-- name: GroupPayloadsOf :many
SELECT g.gid, g.payload
FROM json_each(CAST(@gids AS TEXT)) j CROSS JOIN groups g WHERE g.gid = j.value;

-- name: MemberPayloadsOf :many
SELECT m.id, m.payload
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN members m WHERE m.id = j.value;

-- name: BytesOfMembers :one
SELECT CAST(COALESCE(SUM(octet_length(m.payload)), 0) AS INTEGER) AS bytes
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN members m WHERE m.id = j.value;

-- name: GroupSizesOf :many
SELECT g.gid, e.people, CAST(octet_length(g.payload) AS INTEGER) AS bytes
FROM (SELECT e.gid, COUNT(*) AS people
      FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN memberships e
      WHERE e.member_id = j.value GROUP BY e.gid) e CROSS JOIN groups g
WHERE g.gid = e.gid ORDER BY g.created_ms, g.id;

-- name: GroupKeysOf :many
SELECT e.member_id, e.gid
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN memberships e WHERE e.member_id = j.value;

-- name: EndsOfMemberEdges :many
SELECT e.gid, e.member_id, e.until
FROM json_each(CAST(@pairs AS TEXT)) j CROSS JOIN past_memberships e
WHERE e.gid = CAST(j.value AS INTEGER) AND e.member_id = CAST(substr(j.value, instr(j.value, ',') + 1) AS INTEGER)
    AND e.since <= @horizon AND +e.until > @horizon;

-- name: EndsOfGuestEdges :many
-- Pairs are [gid, email_key].
SELECT e.gid, p.email_key, e.until
FROM json_each(CAST(@pairs AS TEXT)) j CROSS JOIN guests p CROSS JOIN past_guest_memberships e
WHERE p.email_key = json_extract(j.value, '$[1]')
    AND e.gid = json_extract(j.value, '$[0]') AND e.guest_id = p.guest_id
    AND e.since <= @horizon AND +e.until > @horizon;

-- name: ChangesetsOf :many
SELECT sqlc.embed(c), sqlc.embed(r), CAST(COALESCE((
    SELECT p.horizon FROM revisions p WHERE p.revision < r.revision ORDER BY p.revision DESC LIMIT 1
), 0) AS INTEGER) AS low
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN changesets c CROSS JOIN revisions r
WHERE c.id = j.value AND r.revision = c.revision;

-- name: VersionsOfGroups :many
SELECT gid, id, name, description, logo, created_ms, updated_ms, since, until FROM group_versions
WHERE gid IN (SELECT value FROM json_each(CAST(@gids AS TEXT))) AND since <= @high AND +until > @low;

-- name: VersionsOfMembers :many
SELECT id, email, first_name, last_name, full_name, role, status, job_title, team, timezone,
       created_ms, updated_ms, since, until
FROM member_versions
WHERE id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) AND since <= @high AND +until > @low;

-- name: GuestsOf :many
SELECT p.guest_id, p.email
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN guests p WHERE p.guest_id = j.value;

-- name: PairsToCheck :many
-- One row a pair, in the order of an object whose keys are ids of groups and
-- whose values are ids of members; keys repeat. What is not there is 0 or empty.
SELECT COALESCE(g.gid, 0) AS gid, COALESCE(m.status, '') AS status, COALESCE(e.since, 0) AS since
FROM json_each(CAST(@pairs AS TEXT)) j
LEFT JOIN groups g ON g.id = j.key
LEFT JOIN members m ON m.id = j.value
LEFT JOIN memberships e ON e.gid = g.gid AND e.member_id = j.value
ORDER BY j.rowid;

-- name: PairsToCheckAt :many
SELECT COALESCE(k.gid, 0) AS gid, COALESCE(m.status, pm.status, '') AS status, COALESCE(e.since, pe.since, 0) AS since
FROM json_each(CAST(@pairs AS TEXT)) j
LEFT JOIN group_keys k ON k.id = j.key AND (
    EXISTS (SELECT 1 FROM groups g WHERE g.gid = k.gid AND g.since <= @horizon)
    OR EXISTS (SELECT 1 FROM past_groups pg WHERE pg.gid = k.gid AND pg.since <= @horizon AND +pg.until > @horizon))
LEFT JOIN members m ON m.id = j.value AND m.since <= @horizon
LEFT JOIN past_members pm ON pm.id = j.value AND pm.since <= @horizon AND +pm.until > @horizon
LEFT JOIN memberships e ON e.gid = k.gid AND e.member_id = j.value AND e.since <= @horizon
LEFT JOIN past_memberships pe ON pe.gid = k.gid AND pe.member_id = j.value AND pe.since <= @horizon AND +pe.until > @horizon
ORDER BY j.rowid;

-- name: GroupsToCheck :many
SELECT g.id, g.name, g.name_key
FROM json_each(CAST(@name_keys AS TEXT)) j CROSS JOIN groups g WHERE g.name_key = j.value;

-- name: GroupsToCheckAt :many
SELECT v.id, v.name, v.name_key FROM group_versions v
WHERE v.name_key IN (SELECT value FROM json_each(CAST(@name_keys AS TEXT))) AND v.since <= @horizon AND +v.until > @horizon;

-- name: MembersToCheck :many
SELECT m.id, m.email_key, m.status
FROM json_each(CAST(@email_keys AS TEXT)) j CROSS JOIN members m WHERE m.email_key = j.value;

-- name: MembersToCheckAt :many
SELECT v.id, v.email_key, v.status FROM member_versions v
WHERE v.email_key IN (SELECT value FROM json_each(CAST(@email_keys AS TEXT))) AND v.since <= @horizon AND +v.until > @horizon;

-- name: GuestEdgesToCheckAt :many
SELECT p.email_key, e.gid
FROM json_each(CAST(@email_keys AS TEXT)) j CROSS JOIN guests p CROSS JOIN guest_memberships e
WHERE p.email_key = j.value AND e.guest_id = p.guest_id AND e.since <= @horizon
UNION ALL
SELECT p.email_key, e.gid
FROM json_each(CAST(@email_keys AS TEXT)) j CROSS JOIN guests p CROSS JOIN past_guest_memberships e
WHERE p.email_key = j.value AND e.guest_id = p.guest_id AND e.since <= @horizon AND +e.until > @horizon;

-- name: LeastConfirmedOf :many
-- Of groups and of members, and of those that are doubted apart.
SELECT CAST(MIN(g.confirmed_ms) AS INTEGER) AS confirmed_ms, g.doubted
FROM json_each(CAST(@gids AS TEXT)) j CROSS JOIN groups g WHERE g.gid = j.value GROUP BY g.doubted
UNION ALL
SELECT CAST(MIN(m.confirmed_ms) AS INTEGER) AS confirmed_ms, m.doubted
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN members m WHERE m.id = j.value GROUP BY m.doubted;

-- name: MemberRowsOf :many
SELECT m.* FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN present_members m WHERE m.id = j.value;

-- name: MemberRowsOfAt :many
SELECT * FROM member_versions
WHERE id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) AND since <= @horizon AND +until > @horizon;

-- name: MemberTextsOf :many
SELECT m.id, m.email, m.first_name, m.last_name, m.full_name, m.created_ms, m.updated_ms
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN members m WHERE m.id = j.value;

-- name: GroupTextsOf :many
SELECT g.gid, g.id, g.name, g.description, g.created_ms, g.updated_ms
FROM json_each(CAST(@gids AS TEXT)) j CROSS JOIN groups g WHERE g.gid = j.value;

-- name: GroupRowsOf :many
SELECT g.* FROM json_each(CAST(@gids AS TEXT)) j CROSS JOIN present_groups g WHERE g.gid = j.value;

-- name: EdgesOfMembers :many
SELECT e.gid, e.member_id, e.since
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN memberships e WHERE e.member_id = j.value;

-- name: EdgesOfMembersAt :many
SELECT e.gid, e.member_id, e.since
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN memberships e
WHERE e.member_id = j.value AND e.since <= @horizon
UNION ALL
SELECT e.gid, e.member_id, e.since
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN past_memberships e
WHERE e.member_id = j.value AND e.since <= @horizon AND +e.until > @horizon;

-- name: EdgesOfGuestsAt :many
SELECT e.gid, p.email, p.email_key, e.since
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN guests p CROSS JOIN guest_memberships e
WHERE p.guest_id = j.value AND e.guest_id = j.value AND e.since <= @horizon
UNION ALL
SELECT e.gid, p.email, p.email_key, e.since
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN guests p CROSS JOIN past_guest_memberships e
WHERE p.guest_id = j.value AND e.guest_id = j.value AND e.since <= @horizon AND +e.until > @horizon;

-- Statistics must not make those of one domain among many a scan of all.

-- name: MembersOfStatus :many
SELECT id FROM members INDEXED BY members_by_status WHERE status = @status AND id > @after ORDER BY id LIMIT +@page_size;

-- name: MembersOfRole :many
SELECT id FROM members INDEXED BY members_by_role WHERE role = @role AND id > @after ORDER BY id LIMIT +@page_size;

-- name: MembersOfDomain :many
SELECT id FROM members INDEXED BY members_by_domain WHERE domain = @domain AND id > @after ORDER BY id LIMIT +@page_size;

-- name: CountOfStatus :one
SELECT COUNT(*) FROM (SELECT id FROM members INDEXED BY members_by_status WHERE status = @status LIMIT +@most) AS some;

-- name: CountOfRole :one
SELECT COUNT(*) FROM (SELECT id FROM members INDEXED BY members_by_role WHERE role = @role LIMIT +@most) AS some;

-- name: CountOfDomain :one
SELECT COUNT(*) FROM (SELECT id FROM members INDEXED BY members_by_domain WHERE domain = @domain LIMIT +@most) AS some;

-- name: GuestsOfDomain :many
SELECT guest_id FROM guests INDEXED BY guests_by_domain WHERE domain = @domain LIMIT +@most;

-- name: CountEdgesOfGuests :one
SELECT COUNT(*) FROM guests p INDEXED BY guests_by_domain CROSS JOIN guest_memberships e WHERE p.domain = @domain AND e.guest_id = p.guest_id;

-- name: MembersWithin :many
SELECT e.member_id
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN memberships e WHERE e.gid = @gid AND e.member_id = j.value;

-- name: NeighboursAt :many
SELECT o.gid, COUNT(*) AS shared
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN memberships o
WHERE o.member_id = j.value AND o.since <= @horizon GROUP BY o.gid
UNION ALL
SELECT o.gid, COUNT(*)
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN past_memberships o
WHERE o.member_id = j.value AND o.since <= @horizon AND +o.until > @horizon GROUP BY o.gid;

-- name: SharedWith :many
SELECT o.gid, COUNT(*) AS shared
FROM json_each(CAST(@gids AS TEXT)) j CROSS JOIN memberships o CROSS JOIN memberships e
WHERE o.gid = j.value AND e.gid = @gid AND e.member_id = o.member_id GROUP BY o.gid;

-- name: SharedWithAt :many
SELECT o.gid, COUNT(*) AS shared
FROM json_each(CAST(@gids AS TEXT)) j CROSS JOIN memberships o
WHERE o.gid = j.value AND o.since <= @horizon
    AND (EXISTS (SELECT 1 FROM memberships e WHERE e.gid = @gid AND e.member_id = o.member_id AND e.since <= @horizon)
      OR EXISTS (SELECT 1 FROM past_memberships e WHERE e.gid = @gid AND e.member_id = o.member_id AND e.since <= @horizon AND +e.until > @horizon))
GROUP BY o.gid
UNION ALL
SELECT o.gid, COUNT(*)
FROM json_each(CAST(@gids AS TEXT)) j CROSS JOIN past_memberships o
WHERE o.gid = j.value AND o.since <= @horizon AND +o.until > @horizon
    AND (EXISTS (SELECT 1 FROM memberships e WHERE e.gid = @gid AND e.member_id = o.member_id AND e.since <= @horizon)
      OR EXISTS (SELECT 1 FROM past_memberships e WHERE e.gid = @gid AND e.member_id = o.member_id AND e.since <= @horizon AND +e.until > @horizon))
GROUP BY o.gid;

-- name: GroupsAmong :many
SELECT g.* FROM json_each(CAST(@gids AS TEXT)) j CROSS JOIN present_groups g WHERE g.gid = j.value;

-- name: MembersAmong :many
SELECT m.* FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN present_members m WHERE m.id = j.value;

-- name: MembersAmongAt :many
SELECT * FROM member_versions
WHERE id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) AND since <= @horizon AND +until > @horizon;

-- The domain is what follows the last @.
-- name: GuestsOutside :many
SELECT p.guest_id, p.email_key, p.email FROM guests p
WHERE p.email_key >= @first
    AND substr(p.email_key, length(rtrim(p.email_key, replace(p.email_key, '@', ''))) + 1) NOT IN (SELECT value FROM json_each(CAST(@domains AS TEXT)))
    AND (EXISTS (SELECT 1 FROM guest_memberships e WHERE e.guest_id = p.guest_id AND e.since <= @horizon)
      OR EXISTS (SELECT 1 FROM past_guest_memberships e WHERE e.guest_id = p.guest_id AND e.since <= @horizon AND +e.until > @horizon))
ORDER BY p.email_key LIMIT +@page_size;

-- name: CountGuestsOutside :one
SELECT COUNT(*)
FROM guests p CROSS JOIN guest_memberships e
WHERE substr(p.email_key, length(rtrim(p.email_key, replace(p.email_key, '@', ''))) + 1) NOT IN (SELECT value FROM json_each(CAST(@domains AS TEXT)))
    AND e.guest_id = p.guest_id;

-- name: PastMembersOf :many
SELECT m.id, m.email, m.full_name, m.role, m.status, m.since
FROM json_each(CAST(@ids AS TEXT)) j CROSS JOIN past_members m
WHERE m.id = j.value AND m.since <= @horizon;

-- name: PeopleOfEdges :many
SELECT id, email, full_name, role, status, since, until FROM member_versions
WHERE id IN (SELECT value FROM json_each(CAST(@ids AS TEXT))) AND since <= @high AND +until > @low;

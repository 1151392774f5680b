-- Retention. Each step takes some rows of one table, along an index, from the
-- oldest on.

-- name: SetKept :exec
UPDATE mirror SET kept = @kept, kept_ms = @kept_ms, pinned = @pinned WHERE id = 1;

-- name: PruneGroups :execrows
DELETE FROM past_groups WHERE (gid, since) IN (
    SELECT p.gid, p.since FROM past_groups p WHERE p.until > 0 AND p.until <= @horizon ORDER BY p.until LIMIT +@step);

-- name: PruneMembers :execrows
DELETE FROM past_members WHERE (id, since) IN (
    SELECT p.id, p.since FROM past_members p WHERE p.until > 0 AND p.until <= @horizon ORDER BY p.until LIMIT +@step);

-- name: PruneMemberships :execrows
DELETE FROM past_memberships WHERE (gid, member_id, since) IN (
    SELECT p.gid, p.member_id, p.since FROM past_memberships p WHERE p.until > 0 AND p.until <= @horizon ORDER BY p.until LIMIT +@step);

-- name: PruneGuestMemberships :execrows
DELETE FROM past_guest_memberships WHERE (gid, guest_id, since) IN (
    SELECT p.gid, p.guest_id, p.since FROM past_guest_memberships p WHERE p.until > 0 AND p.until <= @horizon ORDER BY p.until LIMIT +@step);

-- name: PruneErasures :execrows
DELETE FROM erasures WHERE number IN (
    SELECT e.number FROM erasures e WHERE e.changeset <= @horizon ORDER BY e.changeset LIMIT +@step);

-- name: GuestsAfter :one
-- The end of a step.
SELECT CAST(COALESCE(MAX(g.guest_id), 0) AS INTEGER) AS upto
FROM (SELECT guest_id FROM guests WHERE guest_id > @after ORDER BY guest_id LIMIT +@step) g;

-- name: PruneGuests :exec
DELETE FROM guests WHERE guests.guest_id > @after AND guests.guest_id <= @upto
    AND NOT EXISTS (SELECT 1 FROM guest_memberships e WHERE e.guest_id = guests.guest_id)
    AND NOT EXISTS (SELECT 1 FROM past_guest_memberships e WHERE e.guest_id = guests.guest_id);

-- name: ChangesetsAfter :one
SELECT CAST(COALESCE(MAX(c.id), 0) AS INTEGER) AS upto
FROM (SELECT id FROM changesets WHERE id > @after AND id < @horizon ORDER BY id LIMIT +@step) c;

-- name: PruneChangesets :exec
-- Those that nothing refers to any more. The first sweep's stays, and the
-- caller lets the last below the horizon stay.
DELETE FROM changesets WHERE changesets.id > @after AND changesets.id <= @upto AND changesets.id > 1
    AND NOT EXISTS (SELECT 1 FROM memberships e WHERE e.since = changesets.id AND e.since > 1)
    AND NOT EXISTS (SELECT 1 FROM guest_memberships e WHERE e.since = changesets.id AND e.since > 1)
    AND NOT EXISTS (SELECT 1 FROM groups g WHERE g.since = changesets.id AND g.since > 1)
    AND NOT EXISTS (SELECT 1 FROM members m WHERE m.since = changesets.id AND m.since > 1)
    AND NOT EXISTS (SELECT 1 FROM past_memberships e WHERE e.since = changesets.id AND e.since > 0)
    AND NOT EXISTS (SELECT 1 FROM past_guest_memberships e WHERE e.since = changesets.id AND e.since > 0)
    AND NOT EXISTS (SELECT 1 FROM past_groups g WHERE g.since = changesets.id AND g.since > 0)
    AND NOT EXISTS (SELECT 1 FROM past_members m WHERE m.since = changesets.id AND m.since > 0);

-- name: RevisionsAfter :one
SELECT CAST(COALESCE(MAX(r.revision), 0) AS INTEGER) AS upto
FROM (SELECT revision FROM revisions WHERE revision > @after AND revision < @pinned ORDER BY revision LIMIT +@step) r;

-- name: PruneRevisions :exec
-- Those that no changeset refers to any more. The first stays: it tells since
-- when anything was known.
DELETE FROM revisions WHERE revisions.revision > @after AND revisions.revision <= @upto AND revisions.revision > 1
    AND NOT EXISTS (SELECT 1 FROM changesets c WHERE c.revision = revisions.revision);

-- name: PruneSweeps :execrows
-- Notes from before an instant, but for those that as_of still needs: the last
-- of them, the last of a revision that is no longer kept, and the first of one
-- that is.
DELETE FROM sweeps WHERE number IN (
    SELECT s.number FROM sweeps s
    WHERE s.result IN ('published', 'unchanged') AND s.revision <= @kept AND s.began_ms < @before_ms
        AND s.number NOT IN (
            SELECT COALESCE(MAX(l.number), 0) FROM sweeps l WHERE l.result IN ('published', 'unchanged') AND l.revision <= @kept AND l.began_ms < @before_ms
            UNION ALL
            SELECT COALESCE(MAX(l.number), 0) FROM sweeps l WHERE l.result IN ('published', 'unchanged') AND l.revision < @pinned
            UNION ALL
            SELECT COALESCE(MIN(l.number), 0) FROM sweeps l WHERE l.result IN ('published', 'unchanged') AND l.revision >= @pinned AND l.revision <= @kept)
    ORDER BY s.revision, s.began_ms LIMIT +@step);

-- name: PruneFailures :execrows
-- Notes of sweeps that confirmed nothing, from before an instant and before
-- the last that did.
DELETE FROM sweeps WHERE number IN (
    SELECT s.number FROM sweeps s
    WHERE s.result NOT IN ('published', 'unchanged') AND s.began_ms < @before_ms
        AND s.number < (SELECT COALESCE(MAX(l.number), 0) FROM sweeps l WHERE l.result IN ('published', 'unchanged'))
    ORDER BY s.number LIMIT +@step);

-- Erasure.

-- name: PastMemberEmails :many
-- Every e-mail of a member who is gone, folded; empty where it was erased.
SELECT DISTINCT email_key FROM past_members WHERE id = @id;

-- name: PastMembersByEmail :many
SELECT DISTINCT id FROM past_members WHERE email_key = @email_key ORDER BY id;

-- name: WasInGroup :one
SELECT CAST(COUNT(*) AS INTEGER) AS stays FROM past_memberships WHERE member_id = @member_id;

-- name: IsInGroup :one
SELECT CAST(COUNT(*) AS INTEGER) AS edges FROM memberships WHERE member_id = @member_id;

-- name: IsGuest :one
SELECT CAST(COUNT(*) AS INTEGER) AS edges FROM guest_memberships WHERE guest_id = @guest_id;

-- name: EraseMember :execrows
-- An empty e-mail and the id as the key of the name stand for what was erased.
UPDATE past_members SET
    email = '', email_key = '', first_name = NULL, last_name = NULL, full_name = NULL, name_key = @name_key,
    job_title = NULL, team = NULL, timezone = NULL
WHERE id = @id AND (email <> '' OR name_key <> @name_key
    OR COALESCE(first_name, last_name, full_name, job_title, team, timezone) IS NOT NULL);

-- name: EraseGuest :exec
UPDATE guests SET email = @stand_in, email_key = @stand_in WHERE guest_id = @guest_id;

-- name: InsertErasure :exec
INSERT INTO erasures (changeset, member_id, guest_id) VALUES (@changeset, @member_id, @guest_id);

-- name: SetErased :exec
UPDATE mirror SET erased = @erased, unclean = 1 WHERE id = 1;

-- name: SetClean :exec
UPDATE mirror SET unclean = 0 WHERE id = 1;

-- name: MembersGoneSince :many
-- Who ended for good after a changeset, with the last e-mail.
SELECT id, email_key, until FROM past_members
WHERE until > 0 AND until > @after AND deleted = 1 AND email_key <> '' ORDER BY until;

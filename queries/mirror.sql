-- name: Mirror :one
SELECT * FROM mirror WHERE id = 1;

-- name: FoundMirror :execrows
INSERT INTO mirror (id, organization, epoch) VALUES (1, @organization, @epoch)
ON CONFLICT (id) DO NOTHING;

-- name: SetConfirmed :exec
UPDATE mirror SET confirmed_ms = @confirmed_ms WHERE id = 1;

-- name: SetRevision :exec
UPDATE mirror SET
    revision = @revision,
    published_ms = @published_ms,
    nonce = @nonce,
    group_count = @group_count,
    member_count = @member_count,
    membership_count = @membership_count,
    guest_membership_count = @guest_membership_count
WHERE id = 1;

-- name: InsertRevision :exec
INSERT INTO revisions (revision, published_ms, nonce, cause, horizon)
VALUES (@revision, @published_ms, @nonce, @cause, 0);

-- name: SetHorizon :exec
UPDATE revisions SET horizon = (SELECT CAST(COALESCE(MAX(id), 0) AS INTEGER) FROM changesets)
WHERE revisions.revision = @revision;

-- name: RevisionNumbered :one
SELECT * FROM revisions WHERE revision = @revision;

-- name: InsertChangeset :one
INSERT INTO changesets (revision, not_before_ms, not_after_ms, cause, actor)
VALUES (@revision, @not_before_ms, @not_after_ms, @cause, @actor)
RETURNING id;

-- name: OldestDoubtedGroup :one
SELECT confirmed_ms FROM groups WHERE doubted = 1 ORDER BY confirmed_ms LIMIT 1;

-- name: OldestDoubtedMember :one
SELECT confirmed_ms FROM members WHERE doubted = 1 ORDER BY confirmed_ms LIMIT 1;

-- name: ConfirmedUpTo :one
SELECT began_ms FROM sweeps
WHERE revision <= @revision AND result IN ('published', 'unchanged')
ORDER BY revision DESC, began_ms DESC LIMIT 1;

-- name: RevisionAsOf :one
SELECT * FROM revisions WHERE published_ms <= @instant
ORDER BY published_ms DESC, revision DESC LIMIT 1;

-- name: FirstRevision :one
-- The first that is kept.
SELECT r.* FROM mirror m CROSS JOIN revisions r
WHERE m.id = 1 AND r.revision >= m.kept ORDER BY r.revision LIMIT 1;

-- name: ConfirmedBefore :one
SELECT began_ms FROM sweeps
WHERE (revision, began_ms) <= (@revision, @instant) AND result IN ('published', 'unchanged')
ORDER BY revision DESC, began_ms DESC LIMIT 1;

-- name: ConfirmedAfter :one
SELECT began_ms FROM sweeps
WHERE (revision, began_ms) > (@revision, @instant) AND began_ms > @instant AND result IN ('published', 'unchanged')
ORDER BY revision, began_ms LIMIT 1;

-- name: GroupPayload :one
SELECT payload, confirmed_ms, doubted FROM groups WHERE id = @id;

-- name: GroupPayloads :many
SELECT payload FROM groups ORDER BY created_ms, id LIMIT +@page_size OFFSET @skipped;

-- name: GroupKeysByName :many
SELECT gid FROM groups ORDER BY name_key, id LIMIT +@page_size OFFSET @skipped;

-- name: GroupTexts :many
SELECT gid, id, name, description, created_ms, updated_ms
FROM groups WHERE gid > @after ORDER BY gid LIMIT +@page_size;

-- name: FingerprintsOfGroups :many
SELECT id, row_hash, churn_hash, form, confirmed_ms, doubted, missed, member_count, guest_count FROM groups;

-- name: GroupsByID :many
SELECT * FROM present_groups WHERE id > @after ORDER BY id LIMIT +@page_size;

-- name: GroupsByName :many
SELECT * FROM present_groups WHERE (name_key, id) > (@after_key, @after_id)
ORDER BY name_key, id LIMIT +@page_size;

-- name: GroupsByNameDown :many
SELECT * FROM present_groups WHERE (name_key, id) < (@after_key, @after_id)
ORDER BY name_key DESC, id DESC LIMIT +@page_size;

-- name: GroupByID :one
SELECT * FROM present_groups WHERE id = @id;

-- name: GroupsNamed :many
SELECT * FROM present_groups WHERE name_key = @name_key ORDER BY id;

-- name: StoredGroup :one
SELECT * FROM groups WHERE id = @id;

-- name: KeyOfGroup :one
INSERT INTO group_keys (id) VALUES (@id)
ON CONFLICT (id) DO UPDATE SET id = excluded.id
RETURNING gid;

-- name: InsertGroup :exec
INSERT INTO groups (gid, id, name, name_key, description, logo, version, member_count, guest_count,
    created_ms, updated_ms, since, born, churned, confirmed_ms, row_hash, churn_hash, form, payload)
VALUES (@gid, @id, @name, @name_key, @description, @logo, @version, @member_count, @guest_count,
    @created_ms, @updated_ms, @since, @since, @churned, @confirmed_ms, @row_hash, @churn_hash, @form, @payload);

-- name: UpdateGroup :exec
UPDATE groups SET
    name = @name, name_key = @name_key, description = @description, logo = @logo,
    version = @version, member_count = @member_count, guest_count = @guest_count,
    created_ms = @created_ms, updated_ms = @updated_ms, since = @since
WHERE gid = @gid;

-- name: UpdateGroupPayload :exec
UPDATE groups SET
    logo = @logo, churned = @churned, confirmed_ms = @confirmed_ms, doubted = 0, missed = 0,
    row_hash = @row_hash, churn_hash = @churn_hash, form = @form, payload = @payload
WHERE gid = @gid;

-- name: CloseGroup :exec
INSERT INTO past_groups (gid, since, until, born, deleted, id, name, name_key, description, logo,
    version, member_count, guest_count, created_ms, updated_ms, churned)
SELECT g.gid, g.since, @until, g.born, @deleted, g.id, g.name, g.name_key, g.description, g.logo,
    g.version, g.member_count, g.guest_count, g.created_ms, g.updated_ms, g.churned
FROM groups g WHERE g.gid = @gid;

-- name: DeleteGroup :exec
DELETE FROM groups WHERE gid = @gid;

-- name: ConfirmGroup :exec
UPDATE groups SET
    confirmed_ms = CASE WHEN confirmed_ms < @confirmed_ms THEN @confirmed_ms ELSE confirmed_ms END,
    doubted = 0, missed = 0
WHERE id = @id;

-- name: DoubtGroup :exec
UPDATE groups SET confirmed_ms = @confirmed_ms, doubted = 1, missed = 0 WHERE id = @id;

-- name: MissedGroups :many
SELECT id FROM groups WHERE missed = 1 ORDER BY id;

-- name: MissGroup :exec
UPDATE groups SET missed = @missed WHERE id = @id;

-- name: MoveGroupConfirmations :exec
UPDATE groups SET confirmed_ms = confirmed_ms - CAST(@by AS INTEGER) WHERE confirmed_ms > 0;

-- name: EndGroupDoubts :exec
UPDATE groups SET doubted = 0 WHERE doubted = 1;

-- name: GroupsByIDAt :many
SELECT * FROM group_versions WHERE since <= @horizon AND +until > @horizon AND id > @after
ORDER BY id LIMIT +@page_size;

-- name: GroupsByNameAt :many
SELECT * FROM group_versions
WHERE since <= @horizon AND +until > @horizon AND (name_key, id) > (@after_key, @after_id)
ORDER BY name_key, id LIMIT +@page_size;

-- name: GroupsByNameDownAt :many
SELECT * FROM group_versions
WHERE since <= @horizon AND +until > @horizon AND (name_key, id) < (@after_key, @after_id)
ORDER BY name_key DESC, id DESC LIMIT +@page_size;

-- name: GroupByIDAt :one
SELECT * FROM group_versions WHERE id = @id AND since <= @horizon AND +until > @horizon;

-- name: GroupsNamedAt :many
SELECT * FROM group_versions WHERE name_key = @name_key AND since <= @horizon AND +until > @horizon
ORDER BY id;

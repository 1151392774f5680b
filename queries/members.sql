-- name: MemberPayload :one
SELECT payload, confirmed_ms, doubted FROM members WHERE id = @id;

-- name: MemberPayloads :many
SELECT payload FROM members ORDER BY created_ms, id LIMIT +@page_size OFFSET @skipped;

-- name: MemberKeysByCreation :many
SELECT id FROM members ORDER BY created_ms, id LIMIT +@page_size OFFSET @skipped;

-- name: MemberKeysByCreationDown :many
SELECT id FROM members ORDER BY created_ms DESC, id DESC LIMIT +@page_size OFFSET @skipped;

-- name: MemberTexts :many
SELECT id, email, first_name, last_name, full_name, created_ms, updated_ms
FROM members WHERE id > @after ORDER BY id LIMIT +@page_size;

-- name: FingerprintsOfMembers :many
SELECT id, row_hash, churn_hash, form, confirmed_ms, doubted, missed FROM members;

-- name: MembersByID :many
SELECT * FROM present_members WHERE id > @after ORDER BY id LIMIT +@page_size;

-- name: MembersByName :many
SELECT * FROM present_members WHERE name_key >= @after_key AND (name_key > @after_key OR id > @after_id)
ORDER BY name_key, id LIMIT +@page_size;

-- name: MembersByNameDown :many
SELECT * FROM present_members WHERE name_key <= @after_key AND (name_key < @after_key OR id < @after_id)
ORDER BY name_key DESC, id DESC LIMIT +@page_size;

-- name: MemberByID :one
-- What is shown of one member. A column costs as much as finding the row.
SELECT id, email, first_name, last_name, full_name, role, status, job_title, team, timezone,
       last_login_ms, created_ms, updated_ms, group_count, churned, confirmed_ms, doubted
FROM members WHERE id = @id;

-- name: MembersByEmail :many
SELECT * FROM present_members WHERE email_key = @email_key ORDER BY id;

-- name: StoredMember :one
SELECT * FROM members WHERE id = @id;

-- name: InsertMember :exec
INSERT INTO members (id, email, email_key, first_name, last_name, full_name, name_key, role, status,
    job_title, team, timezone, last_login_ms, created_ms, updated_ms, group_count, since, born, churned,
    confirmed_ms, row_hash, churn_hash, form, payload)
VALUES (@id, @email, @email_key, @first_name, @last_name, @full_name, @name_key, @role, @status,
    @job_title, @team, @timezone, @last_login_ms, @created_ms, @updated_ms, @group_count, @since, @since, @churned,
    @confirmed_ms, @row_hash, @churn_hash, @form, @payload);

-- name: UpdateMember :exec
UPDATE members SET
    email = @email, email_key = @email_key, first_name = @first_name, last_name = @last_name,
    full_name = @full_name, name_key = @name_key, role = @role, status = @status,
    job_title = @job_title, team = @team, timezone = @timezone,
    created_ms = @created_ms, updated_ms = @updated_ms, since = @since
WHERE id = @id;

-- name: UpdateMemberPayload :exec
UPDATE members SET
    last_login_ms = @last_login_ms, churned = @churned, confirmed_ms = @confirmed_ms, doubted = 0, missed = 0,
    row_hash = @row_hash, churn_hash = @churn_hash, form = @form, payload = @payload
WHERE id = @id;

-- name: CloseMember :exec
INSERT INTO past_members (id, since, until, born, deleted, email, email_key, first_name, last_name,
    full_name, name_key, role, status, job_title, team, timezone, created_ms, updated_ms)
SELECT m.id, m.since, @until, m.born, @deleted, m.email, m.email_key, m.first_name, m.last_name,
    m.full_name, m.name_key, m.role, m.status, m.job_title, m.team, m.timezone, m.created_ms, m.updated_ms
FROM members m WHERE m.id = @id;

-- name: DeleteMember :exec
DELETE FROM members WHERE id = @id;

-- name: AddToGroupCount :execrows
UPDATE members SET group_count = group_count + @delta WHERE id = @id;

-- name: AddStranger :exec
INSERT INTO strangers (member_id, group_count) VALUES (@member_id, @group_count)
ON CONFLICT (member_id) DO UPDATE SET group_count = strangers.group_count + excluded.group_count;

-- name: Strangers :many
SELECT * FROM strangers;

-- name: RemoveStranger :exec
DELETE FROM strangers WHERE member_id = @member_id;

-- name: ForgetStrangers :exec
DELETE FROM strangers WHERE group_count = 0;

-- name: ConfirmMember :exec
UPDATE members SET
    confirmed_ms = CASE WHEN confirmed_ms < @confirmed_ms THEN @confirmed_ms ELSE confirmed_ms END,
    doubted = 0, missed = 0
WHERE id = @id;

-- name: DoubtMember :exec
UPDATE members SET confirmed_ms = @confirmed_ms, doubted = 1, missed = 0 WHERE id = @id;

-- name: MissedMembers :many
SELECT id FROM members WHERE missed = 1 ORDER BY id;

-- name: MissMember :exec
UPDATE members SET missed = @missed WHERE id = @id;

-- name: MoveMemberConfirmations :exec
UPDATE members SET confirmed_ms = confirmed_ms - CAST(@by AS INTEGER) WHERE confirmed_ms > 0;

-- name: EndMemberDoubts :exec
UPDATE members SET doubted = 0 WHERE doubted = 1;

-- name: MembersByIDAt :many
SELECT * FROM member_versions WHERE since <= @horizon AND +until > @horizon AND id > @after
ORDER BY id LIMIT +@page_size;

-- name: MembersByNameAt :many
SELECT * FROM member_versions
WHERE since <= @horizon AND +until > @horizon AND name_key >= @after_key AND (name_key > @after_key OR id > @after_id)
ORDER BY name_key, id LIMIT +@page_size;

-- name: MembersByNameDownAt :many
SELECT * FROM member_versions
WHERE since <= @horizon AND +until > @horizon AND name_key <= @after_key AND (name_key < @after_key OR id < @after_id)
ORDER BY name_key DESC, id DESC LIMIT +@page_size;

-- name: MemberByIDAt :one
SELECT v.id, v.email, v.first_name, v.last_name, v.full_name, v.role, v.status, v.job_title, v.team, v.timezone,
       v.last_login_ms, v.created_ms, v.updated_ms,
       CAST((SELECT COUNT(*) FROM memberships e WHERE e.member_id = @id AND e.since <= @horizon)
          + (SELECT COUNT(*) FROM past_memberships e WHERE e.member_id = @id AND e.since <= @horizon AND +e.until > @horizon)
       AS INTEGER) AS group_count,
       v.churned, v.confirmed_ms, v.doubted
FROM member_versions v WHERE v.id = @id AND v.since <= @horizon AND +v.until > @horizon;

-- name: MembersByEmailAt :many
SELECT * FROM member_versions WHERE email_key = @email_key AND since <= @horizon AND +until > @horizon
ORDER BY id;

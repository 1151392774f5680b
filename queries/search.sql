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

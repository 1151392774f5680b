-- name: InsertSweep :exec
INSERT INTO sweeps (began_ms, ended_ms, result, reason, detail, revision, requests, groups, members)
VALUES (@began_ms, @ended_ms, @result, @reason, @detail, @revision, @requests, @groups, @members);

-- name: LastSweep :one
SELECT * FROM sweeps ORDER BY number DESC LIMIT 1;

-- name: LastGoodSweep :one
SELECT * FROM sweeps WHERE result IN ('published', 'unchanged')
ORDER BY number DESC LIMIT 1;

-- name: InsertSpend :exec
INSERT INTO spend (at_ms, requests) VALUES (@at_ms, @requests);

-- name: ForgetSpend :exec
DELETE FROM spend WHERE at_ms < @before_ms;

-- name: SpendSince :many
SELECT at_ms, requests FROM spend WHERE at_ms >= @since_ms ORDER BY at_ms, number;

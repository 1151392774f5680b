-- name: InsertSweep :exec
INSERT INTO sweeps (began_ms, ended_ms, result, reason, detail, revision, requests, groups, members)
VALUES (@began_ms, @ended_ms, @result, @reason, @detail, @revision, @requests, @groups, @members);

-- name: MoveSweeps :exec
UPDATE sweeps SET began_ms = began_ms - CAST(@by AS INTEGER), ended_ms = ended_ms - CAST(@by AS INTEGER)
WHERE ended_ms > @now OR began_ms = @confirmed_ms;

-- name: LastSweep :one
SELECT * FROM sweeps ORDER BY number DESC LIMIT 1;

-- name: LastGoodSweep :one
SELECT * FROM sweeps WHERE result IN ('published', 'unchanged')
ORDER BY number DESC LIMIT 1;

-- name: LastGoodSweepButOne :one
SELECT * FROM sweeps WHERE result IN ('published', 'unchanged')
ORDER BY number DESC LIMIT 1 OFFSET 1;

-- name: LastHold :one
SELECT held.detail FROM sweeps AS held
WHERE held.result = 'held'
  AND held.number > COALESCE((SELECT MAX(good.number) FROM sweeps AS good WHERE good.result IN ('published', 'unchanged')), 0)
ORDER BY held.number DESC LIMIT 1;

-- name: HeldSince :one
SELECT held.began_ms FROM sweeps AS held
WHERE held.result = 'held' AND held.detail = @id
  AND held.number > COALESCE((SELECT MAX(other.number) FROM sweeps AS other
                              WHERE other.result IN ('published', 'unchanged') OR other.result = 'held' AND other.detail <> @id), 0)
ORDER BY held.number LIMIT 1;

-- name: InsertSpend :exec
INSERT INTO spend (at_ms, requests, by_sweep) VALUES (@at_ms, @requests, @by_sweep);

-- name: ForgetSpend :exec
DELETE FROM spend WHERE at_ms < @before_ms;

-- name: SpendSince :many
SELECT at_ms, requests, by_sweep FROM spend WHERE at_ms >= @since_ms ORDER BY at_ms, number;

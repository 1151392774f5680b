-- What a read of the past needs beside its rows.

-- name: MemberEdgeAt :one
SELECT since FROM membership_versions
WHERE gid = @gid AND member_id = @member_id AND since <= @horizon AND until > @horizon;

-- name: GuestEdgeAt :one
SELECT since FROM guest_membership_versions
WHERE gid = @gid AND guest_id = @guest_id AND since <= @horizon AND until > @horizon;

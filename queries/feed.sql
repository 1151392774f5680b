-- name: RevisionBefore :one
SELECT * FROM revisions WHERE revision < @revision ORDER BY revision DESC LIMIT 1;

-- name: ChangesetsBetween :many
SELECT * FROM changesets WHERE id > @low AND id <= @high ORDER BY id;

-- What changesets touched: other is the changeset at the other end of the interval,
-- step a directory.Step. Each part is read by itself, so that one with too many rows
-- holds no other up.

-- name: Touched :many
SELECT * FROM (
      SELECT 1 AS part, 6 AS step, 0 AS guest, t1.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, t1.gid AS gid, t1.member_id AS id
      FROM memberships t1 WHERE t1.since > 1 AND t1.since > @low AND t1.since <= @high
      ORDER BY t1.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 2 AS part, 6 AS step, 0 AS guest, t2.since AS changeset, t2.until AS other, t2.gid AS gid, t2.member_id AS id
      FROM past_memberships t2 WHERE t2.since > 0 AND t2.since > @low AND t2.since <= @high
      ORDER BY t2.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 3 AS part, 1 AS step, 0 AS guest, t3.until AS changeset, t3.since AS other, t3.gid AS gid, t3.member_id AS id
      FROM past_memberships t3 WHERE t3.until > 0 AND t3.until > @low AND t3.until <= @high
      ORDER BY t3.until LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 4 AS part, 6 AS step, 1 AS guest, t4.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, t4.gid AS gid, t4.guest_id AS id
      FROM guest_memberships t4 WHERE t4.since > 1 AND t4.since > @low AND t4.since <= @high
      ORDER BY t4.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 5 AS part, 6 AS step, 1 AS guest, t5.since AS changeset, t5.until AS other, t5.gid AS gid, t5.guest_id AS id
      FROM past_guest_memberships t5 WHERE t5.since > 0 AND t5.since > @low AND t5.since <= @high
      ORDER BY t5.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 6 AS part, 1 AS step, 1 AS guest, t6.until AS changeset, t6.since AS other, t6.gid AS gid, t6.guest_id AS id
      FROM past_guest_memberships t6 WHERE t6.until > 0 AND t6.until > @low AND t6.until <= @high
      ORDER BY t6.until LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 7 AS part, 4 AS step, 0 AS guest, t7.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, t7.gid AS gid, 0 AS id
      FROM groups t7 WHERE t7.since > 1 AND t7.since > @low AND t7.since <= @high
      ORDER BY t7.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 8 AS part, 4 AS step, 0 AS guest, t8.until AS changeset, t8.since AS other, t8.gid AS gid, 0 AS id
      FROM past_groups t8 WHERE t8.until > 0 AND t8.until > @low AND t8.until <= @high
      ORDER BY t8.until LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 9 AS part, 4 AS step, 0 AS guest, t9.since AS changeset, t9.until AS other, t9.gid AS gid, 0 AS id
      FROM past_groups t9 WHERE t9.since > 0 AND t9.since > @low AND t9.since <= @high
      ORDER BY t9.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 10 AS part, 5 AS step, 0 AS guest, t10.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, 0 AS gid, t10.id AS id
      FROM members t10 WHERE t10.since > 1 AND t10.since > @low AND t10.since <= @high
      ORDER BY t10.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 11 AS part, 5 AS step, 0 AS guest, t11.until AS changeset, t11.since AS other, 0 AS gid, t11.id AS id
      FROM past_members t11 WHERE t11.until > 0 AND t11.until > @low AND t11.until <= @high
      ORDER BY t11.until LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 12 AS part, 5 AS step, 0 AS guest, t12.since AS changeset, t12.until AS other, 0 AS gid, t12.id AS id
      FROM past_members t12 WHERE t12.since > 0 AND t12.since > @low AND t12.since <= @high
      ORDER BY t12.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 13 AS part, 7 AS step, t31.guest_id IS NOT NULL AS guest, t31.changeset AS changeset, 0 AS other, 0 AS gid, COALESCE(t31.member_id, t31.guest_id) AS id
      FROM erasures t31 WHERE t31.changeset > @low AND t31.changeset <= @high
      ORDER BY t31.changeset LIMIT +@page_size);

-- name: TouchedOfGroup :many
SELECT * FROM (
      SELECT 1 AS part, 6 AS step, 0 AS guest, t13.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, t13.gid AS gid, t13.member_id AS id
      FROM memberships t13 WHERE t13.gid = @gid AND t13.since > 1 AND t13.since > @low AND t13.since <= @high
      ORDER BY t13.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 2 AS part, 6 AS step, 0 AS guest, t14.since AS changeset, t14.until AS other, t14.gid AS gid, t14.member_id AS id
      FROM past_memberships t14 WHERE t14.gid = @gid AND t14.since > 0 AND t14.since > @low AND t14.since <= @high
      ORDER BY t14.since LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 3 AS part, 1 AS step, 0 AS guest, t15.until AS changeset, t15.since AS other, t15.gid AS gid, t15.member_id AS id
      FROM past_memberships t15 WHERE t15.gid = @gid AND t15.until > 0 AND t15.until > @low AND t15.until <= @high
      ORDER BY t15.until LIMIT +@page_size)
UNION ALL
SELECT * FROM (
      SELECT 4 AS part, 6 AS step, 1 AS guest, t16.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, t16.gid AS gid, t16.guest_id AS id
      FROM guest_memberships t16 WHERE t16.gid = @gid AND +t16.since > @low AND +t16.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 5 AS part, 6 AS step, 1 AS guest, t17.since AS changeset, t17.until AS other, t17.gid AS gid, t17.guest_id AS id
      FROM past_guest_memberships t17 WHERE t17.gid = @gid AND +t17.since > @low AND +t17.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 6 AS part, 1 AS step, 1 AS guest, t18.until AS changeset, t18.since AS other, t18.gid AS gid, t18.guest_id AS id
      FROM past_guest_memberships t18 WHERE t18.gid = @gid AND +t18.until > @low AND +t18.until <= @high)
UNION ALL
SELECT * FROM (
      SELECT 7 AS part, 4 AS step, 0 AS guest, t19.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, t19.gid AS gid, 0 AS id
      FROM groups t19 WHERE t19.gid = @gid AND +t19.since > @low AND +t19.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 8 AS part, 4 AS step, 0 AS guest, t20.until AS changeset, t20.since AS other, t20.gid AS gid, 0 AS id
      FROM past_groups t20 WHERE t20.gid = @gid AND +t20.until > @low AND +t20.until <= @high)
UNION ALL
SELECT * FROM (
      SELECT 9 AS part, 4 AS step, 0 AS guest, t21.since AS changeset, t21.until AS other, t21.gid AS gid, 0 AS id
      FROM past_groups t21 WHERE t21.gid = @gid AND +t21.since > @low AND +t21.since <= @high);

-- name: TouchedOfMember :many
SELECT * FROM (
      SELECT 1 AS part, 6 AS step, 0 AS guest, t22.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, t22.gid AS gid, t22.member_id AS id
      FROM memberships t22 WHERE t22.member_id = @id AND +t22.since > @low AND +t22.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 2 AS part, 6 AS step, 0 AS guest, t23.since AS changeset, t23.until AS other, t23.gid AS gid, t23.member_id AS id
      FROM past_memberships t23 WHERE t23.member_id = @id AND +t23.since > @low AND +t23.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 3 AS part, 1 AS step, 0 AS guest, t24.until AS changeset, t24.since AS other, t24.gid AS gid, t24.member_id AS id
      FROM past_memberships t24 WHERE t24.member_id = @id AND +t24.until > @low AND +t24.until <= @high)
UNION ALL
SELECT * FROM (
      SELECT 10 AS part, 5 AS step, 0 AS guest, t25.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, 0 AS gid, t25.id AS id
      FROM members t25 WHERE t25.id = @id AND +t25.since > @low AND +t25.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 11 AS part, 5 AS step, 0 AS guest, t26.until AS changeset, t26.since AS other, 0 AS gid, t26.id AS id
      FROM past_members t26 WHERE t26.id = @id AND +t26.until > @low AND +t26.until <= @high)
UNION ALL
SELECT * FROM (
      SELECT 12 AS part, 5 AS step, 0 AS guest, t27.since AS changeset, t27.until AS other, 0 AS gid, t27.id AS id
      FROM past_members t27 WHERE t27.id = @id AND +t27.since > @low AND +t27.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 13 AS part, 7 AS step, 0 AS guest, t32.changeset AS changeset, 0 AS other, 0 AS gid, t32.member_id AS id
      FROM erasures t32 WHERE t32.member_id = @id AND +t32.changeset > @low AND +t32.changeset <= @high);

-- name: TouchedOfGuest :many
SELECT * FROM (
      SELECT 4 AS part, 6 AS step, 1 AS guest, t28.since AS changeset, CAST(9223372036854775807 AS INTEGER) AS other, t28.gid AS gid, t28.guest_id AS id
      FROM guest_memberships t28 WHERE t28.guest_id = @id AND +t28.since > @low AND +t28.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 5 AS part, 6 AS step, 1 AS guest, t29.since AS changeset, t29.until AS other, t29.gid AS gid, t29.guest_id AS id
      FROM past_guest_memberships t29 WHERE t29.guest_id = @id AND +t29.since > @low AND +t29.since <= @high)
UNION ALL
SELECT * FROM (
      SELECT 6 AS part, 1 AS step, 1 AS guest, t30.until AS changeset, t30.since AS other, t30.gid AS gid, t30.guest_id AS id
      FROM past_guest_memberships t30 WHERE t30.guest_id = @id AND +t30.until > @low AND +t30.until <= @high);

-- name: GroupKeysFrom :many
SELECT gid, id FROM group_keys WHERE id >= @id ORDER BY id LIMIT +@page_size;

-- name: MemberKeysFrom :many
SELECT id FROM member_versions WHERE id > @after ORDER BY id LIMIT +@page_size;

-- name: PackedMembershipVersionsFrom :one
SELECT CAST(COALESCE(GROUP_CONCAT(e.member_id), '') AS TEXT) AS ids,
       CAST(COALESCE(GROUP_CONCAT(e.since), '') AS TEXT) AS sinces,
       CAST(COALESCE(GROUP_CONCAT(e.until), '') AS TEXT) AS untils
FROM (SELECT member_id, since, until FROM membership_versions WHERE gid = @gid AND member_id > @after
      ORDER BY member_id LIMIT +@page_size) e;

-- name: GuestMembershipVersionsFrom :many
SELECT gid, guest_id, since, until FROM guest_membership_versions
WHERE gid = @gid AND guest_id > @after ORDER BY guest_id LIMIT +@page_size;

-- name: GroupKey :one
SELECT gid FROM group_keys WHERE id = @id;

-- name: LastGroupsNamed :many
SELECT id FROM past_groups WHERE name_key = @name_key AND deleted = 1 GROUP BY id ORDER BY id;

-- name: LastMembersByEmail :many
SELECT id FROM past_members WHERE email_key = @email_key GROUP BY id ORDER BY id;

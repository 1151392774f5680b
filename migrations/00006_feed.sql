-- +goose Up

-- What came into and went out of one group, in the order of changesets. As
-- elsewhere, a query repeats the condition, and changeset 1 is read along the
-- key.
CREATE INDEX memberships_of_group_by_since ON memberships (gid, since, member_id) WHERE since > 1;
CREATE INDEX past_memberships_of_group_by_since ON past_memberships (gid, since) WHERE since > 0;
CREATE INDEX past_memberships_of_group_by_until ON past_memberships (gid, until) WHERE until > 0;

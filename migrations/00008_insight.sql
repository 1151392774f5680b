-- +goose Up

-- What is out of order is found without reading what is not.
CREATE INDEX members_disabled_in_groups ON members (id, group_count) WHERE status = 'disabled' AND group_count > 0;
CREATE INDEX members_never_logged_in ON members (id, status, last_login_ms) WHERE last_login_ms IS NULL AND status <> 'disabled';
CREATE INDEX members_idle ON members (id) WHERE group_count = 0 AND status = 'active';
CREATE INDEX groups_empty ON groups (id) WHERE member_count = 0 AND guest_count = 0;
CREATE INDEX groups_of_one ON groups (id, member_count, guest_count) WHERE member_count + guest_count = 1;

-- +goose Up

-- What is out of order is found without reading what is not.
CREATE INDEX members_never_logged_in ON members (id, status, last_login_ms) WHERE last_login_ms IS NULL AND status <> 'disabled';
CREATE INDEX groups_of_one ON groups (id, member_count, guest_count) WHERE member_count + guest_count = 1;
